// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a line for each finding, which tests/coherency/run reads:
 *
 *	found N RULE PA MODULE ENTRY CPU WORLD PC VA BITS CPU WORLD PC VA BITS WHAT...
 *
 * with the access that broke the rule, then the culprit's last access (all 0 if there is none).
 * BITS is the instruction, or 0. At the end come lines "count N TIMES".
 */
#include "report.h"

/*
 * The place of an access, to tell findings apart. In the module it does not depend on where the
 * module was loaded. All of a guest's code counts as one place, unless both accesses are guests'.
 */
static uint32_t report_place(const struct machine *m, const struct touch *t,
			     const struct touch *other)
{
	if (!t || (t->world == WORLD_GUEST && (!other || other->world != WORLD_GUEST)))
		return 0;
	if (t->pc >= MACHINE_KERNEL && t->pc < 0xc0000000)
		return t->pc - m->module;
	return t->pc;
}

static void report_touch(FILE *f, const struct touch *t)
{
	static const char * const worlds[] = { "host", "guest", "hyp" };
	static const struct touch none;

	if (!t)
		t = &none;
	fprintf(f, " %u %s %08x %08x %08x", t->cpu, worlds[t->world], t->pc, t->va, t->bits);
}

void report_add(struct machine *m, const char *rule, const char *what, const struct touch *culprit,
		const struct touch *access, uint64_t pa)
{
	struct report *r = m->arg;
	struct report_key key = {
		.rule = rule, .what = what, .culprit = report_place(m, culprit, access),
		.access = report_place(m, access, culprit), .count = 1,
	};
	unsigned int i;

	for (i = 0; i < r->nr; i++) {
		struct report_key *k = &r->keys[i];

		if (k->rule == key.rule && k->what == key.what && k->culprit == key.culprit &&
		    k->access == key.access) {
			k->count++;
			return;
		}
	}
	if (r->nr == REPORT_MAX)
		return;
	r->keys[r->nr] = key;
	fprintf(r->file, "found %u %s %09llx %08x %08x", r->nr, rule, (unsigned long long)pa,
		m->module, m->entry);
	report_touch(r->file, access);
	report_touch(r->file, culprit);
	fprintf(r->file, " %s\n", what);
	fflush(r->file);
	r->nr++;
}

void report_finish(struct report *r)
{
	unsigned int i;

	for (i = 0; i < r->nr; i++)
		fprintf(r->file, "count %u %lu\n", i, r->keys[i].count);
	fprintf(r->file, "end\n");
	fclose(r->file);
}

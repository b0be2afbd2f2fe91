// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "core/runstate.h"
#include "snapshot/facts.h"

static const struct record_field facts_fields[] = {
	RECORD_FIELD(struct facts, memory, UINT64_MAX),
	RECORD_FIELD(struct facts, nr_cpus, UINT32_MAX),
	RECORD_FIELD(struct facts, midr, UINT32_MAX),
	RECORD_FIELD(struct facts, timer_hz, UINT32_MAX),
	RECORD_FIELD(struct facts, pmu, 1),
	RECORD_FIELD(struct facts, legacy, 1),
	RECORD_FIELD(struct facts, firmware, 1),
	RECORD_FIELD(struct facts, stopped, 1),
	RECORD_FIELD(struct facts, counter, UINT64_MAX),
};

/* What older ones do not have. */
static const struct record_field facts_more[] = {
	RECORD_FIELD(struct facts, counter_when, INT64_MAX),
};

static const struct record_field facts_machine[] = {
	RECORD_ARRAY(struct facts, machine, 0x7e),
	RECORD_FIELD(struct facts, ram_base, UINT64_MAX),
};

void facts_get(struct facts *f, struct machine *m)
{
	uint64_t midr = 0;
	int64_t when = 0;

	*f = (struct facts){
		.timer_hz = m->timer_hz, .pmu = m->pmu, .legacy = m->virtio == VIRTIO_LEGACY,
		.firmware = m->firmware,
		.stopped = machine_is_held_by(m, MACHINE_HOLDER_CONTROL),
		.counter = machine_counter(m, &when),
	};
	f->counter_when = when;
	f->ram_base = m->ram_base;
	snprintf(f->machine, sizeof(f->machine), "%s", m->type->name);
	for (unsigned int i = 0; i < m->mem.nr_regions; i++)
		f->memory += m->mem.region[i].size;
	while (machine_vcpu(m, f->nr_cpus))
		f->nr_cpus++;
	if (f->nr_cpus)
		armvmm_vcpu_reg_get(machine_vcpu(m, 0), "midr", &midr);
	f->midr = midr;
}

void facts_save(const struct facts *f, struct record *r)
{
	record_put_fields(r, f, facts_fields, RECORD_NR(facts_fields));
	record_put_fields(r, f, facts_more, RECORD_NR(facts_more));
	record_put_fields(r, f, facts_machine, RECORD_NR(facts_machine));
}

static const char *facts_on(bool on)
{
	return on ? "on" : "off";
}

/* Reads what older snapshots do not have: there was one machine, and nobody knew the time. */
static int facts_read_more(struct facts *f, struct record *r)
{
	const struct machine_type *type = machine_type_find(MACHINE_TYPE_DEFAULT);

	f->counter_when = 0;
	f->ram_base = type->ram_base[0];
	memset(f->machine, 0, sizeof(f->machine));
	snprintf(f->machine, sizeof(f->machine), "%s", type->name);
	if (r->at < r->len)
		record_get_fields(r, f, facts_more, RECORD_NR(facts_more));
	if (!r->ret && r->at < r->len)
		record_get_fields(r, f, facts_machine, RECORD_NR(facts_machine));
	f->machine[sizeof(f->machine) - 1] = '\0';
	/* It is shown to a person. */
	for (char *at = f->machine; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return r->ret;
}

int facts_restore(struct facts *f, const struct facts *here, struct record *r)
{
	if (record_get_fields(r, f, facts_fields, RECORD_NR(facts_fields)) || facts_read_more(f, r))
		return r->ret;
	if (strcmp(f->machine, here->machine))
		return record_refuse(r, "the guest's machine was %s, and is %s here (--machine)",
				     f->machine, here->machine);
	if (f->ram_base != here->ram_base)
		return record_refuse(r, "the guest's memory began at 0x%llx, and begins at 0x%llx here (--machine)",
				     (unsigned long long)f->ram_base,
				     (unsigned long long)here->ram_base);
	if (f->memory != here->memory)
		return record_refuse(r, "the guest had %llu MiB of memory, and has %llu here (--memory)",
				     (unsigned long long)f->memory >> 20,
				     (unsigned long long)here->memory >> 20);
	if (f->nr_cpus != here->nr_cpus)
		return record_refuse(r, "the guest had %u CPUs, and has %u here (--cpus)", f->nr_cpus,
				     here->nr_cpus);
	if (f->midr != here->midr)
		return record_refuse(r, "the guest ran on CPUs of another kind: MIDR 0x%08x, and 0x%08x here",
				     f->midr, here->midr);
	if (f->timer_hz && here->timer_hz && f->timer_hz != here->timer_hz)
		return record_refuse(r, "the guest's counter ran at %u Hz, and runs at %u here",
				     f->timer_hz, here->timer_hz);
	if (f->pmu != here->pmu)
		return record_refuse(r, "performance counters were %s, and are %s here (--pmu)",
				     facts_on(f->pmu), facts_on(here->pmu));
	if (f->firmware != here->firmware)
		return record_refuse(r, "firmware was %s, and is %s here (--firmware)",
				     facts_on(f->firmware), facts_on(here->firmware));
	return record_close(r);
}

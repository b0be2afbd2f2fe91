// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file has a line for each instruction that ran: its distance from the start of .hyp.text, in
 * hexadecimal.
 */
#include <glib.h>
#include <stdio.h>

#include "coverage.h"

/* More than .hyp.text ever holds. */
#define COVERAGE_SIZE	0x10000

static void coverage_ran(unsigned int cpu, void *data)
{
	*(uint8_t *)data = 1;
}

/* The module may be loaded anew, at the same address or another. */
void coverage_insn(struct coverage *c, struct qemu_plugin_insn *insn, uint32_t module)
{
	uint32_t offset = (uint32_t)qemu_plugin_insn_vaddr(insn) - module;
	gpointer pc = GUINT_TO_POINTER(offset);
	uint8_t *ran;

	if (!c->path || !module || offset >= COVERAGE_SIZE)
		return;
	if (!c->ran)
		c->ran = g_hash_table_new(NULL, NULL);
	ran = g_hash_table_lookup(c->ran, pc);
	if (!ran) {
		ran = g_malloc0(1);
		g_hash_table_insert(c->ran, pc, ran);
	}
	qemu_plugin_register_vcpu_insn_exec_cb(insn, coverage_ran, QEMU_PLUGIN_CB_NO_REGS, ran);
}

void coverage_finish(struct coverage *c)
{
	GHashTableIter i;
	gpointer pc, ran;
	FILE *f;

	if (!c->path || !c->ran)
		return;
	f = fopen(c->path, "w");
	if (!f) {
		perror(c->path);
		return;
	}
	g_hash_table_iter_init(&i, c->ran);
	while (g_hash_table_iter_next(&i, &pc, &ran))
		if (*(uint8_t *)ran)
			fprintf(f, "%x\n", GPOINTER_TO_UINT(pc));
	fclose(f);
}

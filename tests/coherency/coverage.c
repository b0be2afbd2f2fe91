// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's TCG (plugin API version 4): which instructions of the module's code for HYP
 * mode ran. Only translation costs time, and what HYP mode does.
 *
 *	-plugin coverage.so,out=PREFIX[,text=ADDRESS,entry=ADDRESS]
 *
 * When the emulator ends, the file PREFIX and the emulator's process number has a line for each
 * instruction that ran: its section and its distance from the section's start, in hexadecimal.
 * .hyp.text begins at the page of the vectors (HVBAR), where the module is loaded, and .hyp.entry
 * at the page in which HTTBR is written; or at an ADDRESS.
 *
 * An instruction whose condition fails has not run. A branch has, whether it is taken or not.
 */
#include <glib.h>
#include <pthread.h>
#include <qemu-plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "insn.h"
#include "register.h"
#include "sysregs.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

#define CPUS_MAX	8
#define PAGE		0x1000u
#define MODULES		0xbf000000u	/* where Linux loads modules; the kernel's stub is below */
#define TEXT_SIZE	0x10000u	/* more than .hyp.text ever has */
#define CPSR_MODE	0x1f
#define MODE_HYP	0x1a
#define COND_AL		14

enum section {
	TEXT,
	ENTRY,
	NR_SECTIONS,
};

static const char *const section_names[NR_SECTIONS] = { ".hyp.text", ".hyp.entry" };

struct place {
	enum section section;
	uint32_t offset;
	unsigned int cond;
	bool ran;
};

static struct coverage {
	char *path;
	uint32_t text, entry;
	struct qemu_plugin_register *cpsr[CPUS_MAX], *hvbar[CPUS_MAX];
	GHashTable *places;
	pthread_mutex_t lock;
} c = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static void coverage_vcpu_init(qemu_plugin_id_t id, unsigned int cpu)
{
	GArray *all = qemu_plugin_get_registers();
	unsigned int i;

	for (i = 0; cpu < CPUS_MAX && i < all->len; i++) {
		qemu_plugin_reg_descriptor *d = &g_array_index(all, qemu_plugin_reg_descriptor, i);

		if (!strcmp(d->name, "cpsr"))
			c.cpsr[cpu] = d->handle;
		else if (!strcmp(d->name, "VBAR_EL2"))
			c.hvbar[cpu] = d->handle;
	}
	g_array_free(all, TRUE);
	if (cpu < CPUS_MAX && c.cpsr[cpu] && c.hvbar[cpu])
		return;
	fprintf(stderr, "coverage: CPU %u is one too many, or has no VBAR_EL2\n", cpu);
	exit(1);
}

static void coverage_ran(unsigned int cpu, void *data)
{
	((struct place *)data)->ran = true;
}

static void coverage_ran_if(unsigned int cpu, void *data)
{
	struct place *p = data;

	if (!p->ran && insn_cond_holds(p->cond, register_read(c.cpsr[cpu])))
		p->ran = true;
}

static bool coverage_branch(uint32_t bits)
{
	/* B, BL; BX, BLX (DDI 0406C A5.5, A5.2.12). */
	return (bits >> 25 & 7) == 5 || (bits & 0x0fffffd0) == 0x012fff10;
}

static void coverage_insn(struct qemu_plugin_insn *insn, uint32_t bits, enum section section,
			  uint32_t offset)
{
	gpointer key = GUINT_TO_POINTER(offset * NR_SECTIONS + section);
	struct place *p = g_hash_table_lookup(c.places, key);

	if (!p) {
		p = g_new0(struct place, 1);
		p->section = section;
		p->offset = offset;
		p->cond = bits >> 28;
		g_hash_table_insert(c.places, key, p);
	}
	if (p->ran)
		return;
	if (p->cond >= COND_AL || coverage_branch(bits))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, coverage_ran, QEMU_PLUGIN_CB_NO_REGS,
						       p);
	else
		qemu_plugin_register_vcpu_insn_exec_cb(insn, coverage_ran_if,
						       QEMU_PLUGIN_CB_R_REGS, p);
}

/* All of it is A32. */
static uint32_t coverage_bits(struct qemu_plugin_insn *insn)
{
	uint32_t bits = 0;

	return qemu_plugin_insn_data(insn, &bits, sizeof(bits)) == sizeof(bits) ? bits : 0;
}

/* The module may be loaded anew, at the same address or another. */
static void coverage_trans_hyp(struct qemu_plugin_tb *tb, uint32_t hvbar)
{
	uint32_t text = c.text ?: hvbar & ~(PAGE - 1), pc = (uint32_t)qemu_plugin_tb_vaddr(tb);
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *insn;
	struct insn decoded;

	for (i = 0; !c.text && i < n; i++) {
		decoded = insn_decode(coverage_bits(qemu_plugin_tb_get_insn(tb, i)), false);
		if (decoded.kind == INSN_MCRR && decoded.cp == 15 && decoded.reg == SYS_HTTBR)
			c.entry = pc & ~(PAGE - 1);
	}
	for (i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		pc = (uint32_t)qemu_plugin_insn_vaddr(insn);
		if (c.entry && (pc & ~(PAGE - 1)) == c.entry)
			coverage_insn(insn, coverage_bits(insn), ENTRY, pc - c.entry);
		else if (pc - text < TEXT_SIZE && (c.text || text >= MODULES))
			coverage_insn(insn, coverage_bits(insn), TEXT, pc - text);
	}
}

static void coverage_trans(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	/* All CPUs have the same registers, and it is the current one's that are read. */
	if ((register_read(c.cpsr[0]) & CPSR_MODE) != MODE_HYP)
		return;
	pthread_mutex_lock(&c.lock);
	coverage_trans_hyp(tb, register_read(c.hvbar[0]));
	pthread_mutex_unlock(&c.lock);
}

static void coverage_exit(qemu_plugin_id_t id, void *data)
{
	GHashTableIter i;
	gpointer key, value;
	FILE *f = fopen(c.path, "w");

	if (!f) {
		perror(c.path);
		return;
	}
	g_hash_table_iter_init(&i, c.places);
	while (g_hash_table_iter_next(&i, &key, &value)) {
		const struct place *p = value;

		if (p->ran)
			fprintf(f, "%s %x\n", section_names[p->section], p->offset);
	}
	fclose(f);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
					   char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4)) {
			c.path = g_strdup_printf("%s%d", argv[i] + 4, (int)getpid());
		} else if (!strncmp(argv[i], "text=", 5)) {
			c.text = (uint32_t)strtoul(argv[i] + 5, NULL, 0);
		} else if (!strncmp(argv[i], "entry=", 6)) {
			c.entry = (uint32_t)strtoul(argv[i] + 6, NULL, 0);
		} else {
			fprintf(stderr, "coverage: what is '%s'?\n", argv[i]);
			return -1;
		}
	}
	if (!c.path) {
		fprintf(stderr, "coverage: out=PREFIX is missing\n");
		return -1;
	}
	c.places = g_hash_table_new(NULL, NULL);
	qemu_plugin_register_vcpu_init_cb(id, coverage_vcpu_init);
	qemu_plugin_register_vcpu_tb_trans_cb(id, coverage_trans);
	qemu_plugin_register_atexit_cb(id, coverage_exit, NULL);
	return 0;
}

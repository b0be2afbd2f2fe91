// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's TCG (plugin API version 4): how often each instruction ran while the guest of
 * tests/bench measured an operation. The emulator has one CPU.
 *
 *	-plugin profile.so,out=PREFIX
 *
 * The guest's DBG hints (of A32), which otherwise do nothing, tell it when (../bench/marks.h): the
 * first one has all code translated anew, with counters; then each test has one before it, with
 * the test's id in R0, and one after it. A test in which the processor may sleep has a third one,
 * at the end of each operation: if it did sleep, only what ran since it woke up is counted.
 *
 * The file PREFIX and the emulator's process number has for each test, in the order in which they
 * ran:
 *
 *	window ID MODULE ENTRY		addresses of .hyp.text and of the page with .hyp.entry
 *	WORLD PC COUNT KIND OF DIST CPUIF HYPIF VCPUIF
 *	...
 *	end
 *
 * WORLD is guest, guestuser, hyp, user or host. An instruction of a KIND (or "-") ran OF times:
 * fewer than COUNT if its condition failed. The last four are the accesses to each frame of the
 * GIC. All numbers are hexadecimal.
 */
#include <glib.h>
#include <qemu-plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../bench/marks.h"
#include "../guest/lib/board.h"
#include "insn.h"
#include "register.h"
#include "sysregs.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

#define CPSR_T		(1u << 5)
#define CPSR_MODE	0x1f
#define MODE_USR	0x10
#define MODE_HYP	0x1a
#define COND_AL		14
#define PAGE		0x1000u
#define MODULES		0xbf000000u	/* where Linux loads modules */
#define SLOTS_MAX	(1u << 20)
#define DBG_HINT	0x0320f0f0u	/* DBG #0 without its condition (A8.8.42) */

enum world {
	GUEST,
	GUEST_USER,
	HYP,
	USER,
	HOST,
	NR_WORLDS,
};

static const char *const world_names[NR_WORLDS] = { "guest", "guestuser", "hyp", "user", "host" };

enum frame {
	DIST,
	CPUIF,
	HYPIF,
	VCPUIF,
	NR_FRAMES,
};

static const uint64_t frame_at[NR_FRAMES] = { GICD_BASE, GICC_BASE, GICH_BASE, GICV_BASE };

/* An instruction at an address, and what it did in this window. */
struct slot {
	uint32_t pc, bits;
	enum world world;
	const char *kind;
	unsigned int number, cond;
	bool thumb, access;
	uint64_t begun, done;		/* an access by the guest: how often it did not trap */
	uint64_t held;			/* with a condition: how often it held */
	uint64_t gic[NR_FRAMES];
	uint64_t kept_count, kept_held, kept_gic[NR_FRAMES];
};

static struct profile {
	qemu_plugin_id_t id;
	FILE *file;
	bool armed, open, sleeps, slept;
	uint32_t module, entry, test;
	struct qemu_plugin_register *cpsr, *hvbar, *hcr, *r0;
	struct qemu_plugin_scoreboard *counts;
	struct slot *slots[SLOTS_MAX];
	unsigned int nr_slots;
	GHashTable *known;
} p;

static void __attribute__((noreturn)) profile_die(const char *what)
{
	fprintf(stderr, "profile: %s\n", what);
	exit(1);
}

static void profile_vcpu_init(qemu_plugin_id_t id, unsigned int cpu)
{
	GArray *all = qemu_plugin_get_registers();
	unsigned int i;

	if (cpu)
		profile_die("there is more than one CPU");
	for (i = 0; i < all->len; i++) {
		qemu_plugin_reg_descriptor *d = &g_array_index(all, qemu_plugin_reg_descriptor, i);

		if (!strcmp(d->name, "cpsr"))
			p.cpsr = d->handle;
		else if (!strcmp(d->name, "VBAR_EL2"))
			p.hvbar = d->handle;
		else if (!strcmp(d->name, "HCR"))
			p.hcr = d->handle;
		else if (!strcmp(d->name, "r0"))
			p.r0 = d->handle;
	}
	g_array_free(all, TRUE);
	if (!p.cpsr || !p.hvbar || !p.hcr || !p.r0)
		profile_die("the emulator lacks one of the registers cpsr, VBAR_EL2, HCR, r0");
}

static uint64_t *profile_counts(void)
{
	return qemu_plugin_scoreboard_find(p.counts, 0);
}

/* Forgets what ran since the window, or the processor's sleep, began. */
static void profile_forget(void)
{
	unsigned int i;

	memset(profile_counts(), 0, p.nr_slots * sizeof(uint64_t));
	for (i = 0; i < p.nr_slots; i++) {
		p.slots[i]->begun = 0;
		p.slots[i]->done = 0;
		p.slots[i]->held = 0;
		memset(p.slots[i]->gic, 0, sizeof(p.slots[i]->gic));
	}
}

/* Adds what ran since then to the window. */
static void profile_keep(void)
{
	const uint64_t *counts = profile_counts();
	unsigned int i, f;

	for (i = 0; i < p.nr_slots; i++) {
		struct slot *s = p.slots[i];

		s->kept_count += s->access ? s->done : counts[i];
		s->kept_held += s->cond == COND_AL ? counts[i] : s->held;
		for (f = 0; f < NR_FRAMES; f++)
			s->kept_gic[f] += s->gic[f];
	}
	profile_forget();
}

static void profile_print(void)
{
	unsigned int i, f;

	fprintf(p.file, "window %x %x %x\n", p.test, p.module, p.entry);
	for (i = 0; i < p.nr_slots; i++) {
		struct slot *s = p.slots[i];

		if (s->kept_count) {
			fprintf(p.file, "%s %x %llx %s %llx", world_names[s->world], s->pc,
				(unsigned long long)s->kept_count, s->kind ?: "-",
				s->kind ? (unsigned long long)s->kept_held : 0);
			for (f = 0; f < NR_FRAMES; f++)
				fprintf(p.file, " %llx", (unsigned long long)s->kept_gic[f]);
			fputc('\n', p.file);
		}
		s->kept_count = 0;
		s->kept_held = 0;
		memset(s->kept_gic, 0, sizeof(s->kept_gic));
	}
	fprintf(p.file, "end\n");
	fflush(p.file);
}

static void profile_begin(unsigned int cpu, void *data)
{
	uint32_t r0 = register_read(p.r0);

	p.test = r0 & ~MARK_SLEEPS;
	p.sleeps = r0 & MARK_SLEEPS;
	p.slept = false;
	p.open = true;
	profile_forget();
}

static void profile_end(unsigned int cpu, void *data)
{
	if (!p.open)
		return;
	if (!p.slept)
		profile_keep();
	p.open = false;
	profile_print();
}

static void profile_operation(unsigned int cpu, void *data)
{
	if (p.open && p.slept)
		profile_keep();
}

static void profile_resume(qemu_plugin_id_t id, unsigned int cpu)
{
	if (!p.open || !p.sleeps)
		return;
	p.slept = true;
	profile_forget();
}

static void profile_held(unsigned int cpu, void *data)
{
	struct slot *s = data;

	if (insn_cond_holds(s->cond, register_read(p.cpsr)))
		s->held++;
}

static void profile_mem(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t va, void *data)
{
	struct qemu_plugin_hwaddr *h;
	struct slot *s = data;
	unsigned int f;
	uint64_t pa;

	if (!p.open)
		return;
	if (s->access && s->begun != profile_counts()[s->number]) {
		s->begun = profile_counts()[s->number];
		s->done++;
	}
	h = qemu_plugin_get_hwaddr(info, va);
	if (!h || !qemu_plugin_hwaddr_is_io(h))
		return;
	pa = qemu_plugin_hwaddr_phys_addr(h);
	for (f = 0; f < NR_FRAMES; f++)
		if (pa - frame_at[f] < (f == DIST || f == HYPIF ? PAGE : 2 * PAGE))
			s->gic[f]++;
}

/* MRS and MSR of another mode's register (B9.3.9, B9.3.10). */
static bool profile_banked(uint32_t bits, bool thumb)
{
	if (thumb)
		return (bits & 0xffe0f0ef) == 0xf3e08020 || (bits & 0xffe0f0ef) == 0xf3808020;
	return (bits & 0x0fb00eff) == 0x01000200 || (bits & 0x0fb0fef0) == 0x0120f200;
}

/* What silicon charges more for. Writes to c7 and c8 are operations, of which some are barriers. */
static const char *profile_cp15(const struct insn *i)
{
	unsigned int crn = i->reg >> 12 & 0xf, crm = i->reg >> 4 & 0xf;

	if (i->kind == INSN_MRC || i->kind == INSN_MRRC)
		return "cp15-read";
	if (i->kind == INSN_MCRR)
		return "cp15-write";
	if (i->reg == SYS_CP15ISB || i->reg == SYS_CP15DSB || i->reg == CP_REG(7, 0, 10, 5))
		return "barrier";
	if (crn == 8)
		return "tlb";
	/* c8 has the translation of addresses, c0 is WFI, c4 PAR (B3.18.6, B3.18.7). */
	if (crn == 7 && crm != 8 && crm != 0 && crm != 4)
		return "cache";
	return "cp15-write";
}

static const char *profile_kind(uint32_t bits, bool thumb)
{
	struct insn i = insn_decode(bits, thumb);

	switch (i.kind) {
	case INSN_MCR:
	case INSN_MRC:
	case INSN_MCRR:
	case INSN_MRRC:
		return i.cp == 15 ? profile_cp15(&i) : i.cp == 14 ? "cp14" : NULL;
	case INSN_DSB:
	case INSN_DMB:
	case INSN_ISB:
		return "barrier";
	case INSN_ERET:
		return "eret";
	default:
		return profile_banked(bits, thumb) ? "banked" : NULL;
	}
}

/*
 * LDR, STR, LDRB and STRB (DDI 0406C A5.3) by the guest. If one traps, the emulator's clock, which
 * the guest reads, does not count it; so it is not counted here either.
 */
static bool profile_access(const struct slot *s)
{
	return s->world == GUEST && !s->thumb && s->cond == COND_AL &&
	       ((s->bits & 0x0e000000) == 0x04000000 || (s->bits & 0x0e000010) == 0x06000000);
}

static guint slot_hash(gconstpointer v)
{
	const struct slot *s = v;

	return s->pc * 31 + s->bits + s->world;
}

static gboolean slot_equal(gconstpointer a, gconstpointer b)
{
	const struct slot *s = a, *t = b;

	return s->pc == t->pc && s->bits == t->bits && s->world == t->world && s->thumb == t->thumb;
}

static struct slot *profile_slot(const struct slot *what)
{
	struct slot *s = g_hash_table_lookup(p.known, what);

	if (s)
		return s;
	if (p.nr_slots == SLOTS_MAX)
		profile_die("too much code ran");
	s = g_memdup2(what, sizeof(*what));
	s->number = p.nr_slots;
	s->kind = profile_kind(s->bits, s->thumb);
	/* A Thumb instruction in an IT block does not have its condition: taken as true. */
	s->cond = s->thumb || s->bits >> 28 == 15 ? COND_AL : s->bits >> 28;
	s->access = profile_access(s);
	p.slots[p.nr_slots++] = s;
	g_hash_table_add(p.known, s);
	return s;
}

static uint32_t profile_bits(struct qemu_plugin_insn *insn, bool thumb)
{
	uint8_t b[4] = { 0 };
	size_t n = qemu_plugin_insn_data(insn, b, sizeof(b));

	if (!thumb)
		return b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
	return n == 2 ? b[0] | b[1] << 8u : b[2] | b[3] << 8 | b[0] << 16 | (uint32_t)b[1] << 24;
}

static enum world profile_world(uint32_t cpsr)
{
	bool user = (cpsr & CPSR_MODE) == MODE_USR;

	if ((cpsr & CPSR_MODE) == MODE_HYP)
		return HYP;
	if (register_read(p.hcr) & HCR_VM)
		return user ? GUEST_USER : GUEST;
	return user ? USER : HOST;
}

/* Where the module is, by what HYP mode translates (see coverage.c). */
static void profile_places(const struct slot *s)
{
	uint32_t hvbar = register_read(p.hvbar) & ~(PAGE - 1);
	struct insn i = insn_decode(s->bits, false);

	if (hvbar >= MODULES)
		p.module = hvbar;
	if (i.kind == INSN_MCRR && i.cp == 15 && i.reg == SYS_HTTBR)
		p.entry = s->pc & ~(PAGE - 1);
}

static void profile_mark(struct qemu_plugin_insn *insn, unsigned int mark)
{
	static const qemu_plugin_vcpu_udata_cb_t calls[16] = {
		[MARK_BEGIN] = profile_begin,
		[MARK_END] = profile_end,
		[MARK_OPERATION] = profile_operation,
	};

	if (calls[mark])
		qemu_plugin_register_vcpu_insn_exec_cb(insn, calls[mark], QEMU_PLUGIN_CB_R_REGS,
						       NULL);
}

static void profile_trans(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint32_t cpsr = register_read(p.cpsr);
	struct slot what = { .thumb = cpsr & CPSR_T, .world = profile_world(cpsr) };
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct slot *s;

		what.pc = (uint32_t)qemu_plugin_insn_vaddr(insn);
		what.bits = profile_bits(insn, what.thumb);
		s = profile_slot(&what);
		qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
			insn, QEMU_PLUGIN_INLINE_ADD_U64,
			(qemu_plugin_u64){ p.counts, s->number * sizeof(uint64_t) }, 1);
		qemu_plugin_register_vcpu_mem_cb(insn, profile_mem, QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_RW, s);
		if (s->kind && s->cond != COND_AL)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, profile_held,
							       QEMU_PLUGIN_CB_R_REGS, s);
		if (what.world == HYP)
			profile_places(s);
		if ((what.world == GUEST || what.world == GUEST_USER) && !what.thumb &&
		    (what.bits & 0x0ffffff0) == DBG_HINT)
			profile_mark(insn, what.bits & 15);
	}
}

static void profile_exit(qemu_plugin_id_t id, void *data)
{
	fclose(p.file);
}

static void profile_armed(qemu_plugin_id_t id)
{
	qemu_plugin_register_vcpu_init_cb(id, profile_vcpu_init);
	qemu_plugin_register_vcpu_tb_trans_cb(id, profile_trans);
	qemu_plugin_register_vcpu_resume_cb(id, profile_resume);
	qemu_plugin_register_atexit_cb(id, profile_exit, NULL);
}

static void profile_arm(unsigned int cpu, void *data)
{
	if (p.armed)
		return;
	p.armed = true;
	qemu_plugin_reset(p.id, profile_armed);
}

/* Until the guest's first mark, the host runs at its usual speed. */
static void profile_trans_unarmed(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct slot s = { .bits = profile_bits(insn, false) };

		s.pc = (uint32_t)qemu_plugin_insn_vaddr(insn);
		if (profile_world(register_read(p.cpsr)) == HYP)
			profile_places(&s);
		if ((s.bits & 0x0fffffff) == (DBG_HINT | MARK_ARM))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, profile_arm,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
					   char **argv)
{
	char *path;
	int i;

	for (i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4)) {
			fprintf(stderr, "profile: what is '%s'?\n", argv[i]);
			return -1;
		}
		path = g_strdup_printf("%s%d", argv[i] + 4, (int)getpid());
		p.file = fopen(path, "w");
		g_free(path);
	}
	if (!p.file) {
		fprintf(stderr, "profile: out=PREFIX, of a file that can be written, is missing\n");
		return -1;
	}
	p.id = id;
	p.known = g_hash_table_new(slot_hash, slot_equal);
	p.counts = qemu_plugin_scoreboard_new(SLOTS_MAX * sizeof(uint64_t));
	qemu_plugin_register_vcpu_init_cb(id, profile_vcpu_init);
	qemu_plugin_register_vcpu_tb_trans_cb(id, profile_trans_unarmed);
	return 0;
}

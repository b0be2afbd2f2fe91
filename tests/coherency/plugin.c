// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator's side of the checker: a plugin for QEMU's TCG (plugin API version 4) that turns
 * what the emulated CPUs do into events for the rule engine.
 *
 * Each CPU runs in a thread of its own. Its events come in program order, each before the CPU's
 * next instruction; so a reaction of another CPU comes later, and one lock around the engine is
 * enough. (With `thread=single`, a CPU that spins would delay all others for a tenth of a second.)
 *
 *	-plugin coherency.so,out=PREFIX[,ram=BASE][,size=BYTES][,gich=ADDRESS][,vipt=CPU]
 *	        [,user=on]
 *
 * The emulator's process number is added to PREFIX.
 *
 * Until HYP mode is taken over on the first CPU, the plugin only watches for that, so that the host
 * boots at its usual speed.
 */
#include <glib.h>
#include <pthread.h>
#include <qemu-plugin.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../guest/lib/board.h"
#include "machine.h"
#include "register.h"
#include "report.h"
#include "sysregs.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

#define CPSR_T		(1u << 5)
#define CPSR_MODE	0x1f
#define MODE_USR	0x10
#define MODE_HYP	0x1a

enum plugin_reg {
	REG_CPSR,
	REG_HCR,
	REG_HSCTLR,
	REG_HTTBR,
	REG_VTTBR,
	REG_SCTLR,
	REG_TTBCR,
	REG_TTBR0,
	REG_TTBR1,
	REG_CONTEXTIDR,
	REG_HVBAR,
	REG_PRRR,
	REG_NMRR,
	REG_R0,
	NR_REGS = REG_R0 + 15,
};

/* The emulator's names; PRRR and NMRR have their other names (B4.1.104). */
static const char *const plugin_names[NR_REGS] = {
	"cpsr",
	"HCR",
	"SCTLR_EL2",
	"HTTBR",
	"VTTBR",
	"SCTLR",
	"TTBCR",
	"TTBR0",
	"TTBR1",
	"CONTEXTIDR_EL1",
	"VBAR_EL2",
	"MAIR0",
	"MAIR1",
	"r0",
	"r1",
	"r2",
	"r3",
	"r4",
	"r5",
	"r6",
	"r7",
	"r8",
	"r9",
	"r10",
	"r11",
	"r12",
	"sp",
	"lr",
};

/* An instruction that causes an event. */
struct site {
	uint32_t pc, bits;
	struct insn insn;
	bool user;
	const uint8_t *host;
};

/* A translated block of a guest's code or of HYP's. */
struct block {
	uint32_t pc, size;
	uint64_t pa;
	bool hyp;
};

static struct plugin {
	qemu_plugin_id_t id;
	bool armed, arming;
	struct machine m;
	struct report report;
	uint64_t ram_base, ram_size;
	const uint8_t *ram;
	struct qemu_plugin_register *regs[MACHINE_CPUS_MAX][NR_REGS];
	GHashTable *sites, *blocks;
	pthread_mutex_t lock;
} p = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static void __attribute__((noreturn)) plugin_die(const char *what)
{
	fprintf(stderr, "coherency: %s\n", what);
	exit(1);
}

static uint64_t plugin_read(unsigned int cpu, enum plugin_reg reg)
{
	return register_read(p.regs[cpu][reg]);
}

static void plugin_vcpu_init(qemu_plugin_id_t id, unsigned int cpu)
{
	GArray *all = qemu_plugin_get_registers();
	unsigned int i, r;

	if (cpu >= MACHINE_CPUS_MAX)
		plugin_die("there are more than 8 CPUs");
	for (i = 0; i < all->len; i++) {
		qemu_plugin_reg_descriptor *d = &g_array_index(all, qemu_plugin_reg_descriptor, i);

		for (r = 0; r < NR_REGS; r++)
			if (!strcmp(d->name, plugin_names[r]) && !p.regs[cpu][r])
				p.regs[cpu][r] = d->handle;
		if (getenv("COHERENCY_REGISTERS") && !cpu)
			fprintf(stderr, "%s %s\n", d->feature, d->name);
	}
	g_array_free(all, TRUE);
	for (r = 0; r < NR_REGS; r++) {
		if (p.regs[cpu][r])
			continue;
		fprintf(stderr, "coherency: the emulator shows no register %s\n", plugin_names[r]);
		exit(1);
	}
}

/* Reads registers that were written before the checker watched, or by a reset. */
static void plugin_sync(unsigned int cpu)
{
	struct cpu *c = &p.m.cpus[cpu];

	c->hvbar = plugin_read(cpu, REG_HVBAR);
	if (c->hvbar >= MACHINE_KERNEL)
		p.m.module = c->hvbar & ~(MACHINE_PAGE - 1u);
	c->hcr = plugin_read(cpu, REG_HCR);
	c->hsctlr = plugin_read(cpu, REG_HSCTLR);
	c->httbr = plugin_read(cpu, REG_HTTBR);
	c->vttbr = plugin_read(cpu, REG_VTTBR);
	c->sctlr = plugin_read(cpu, REG_SCTLR);
	c->ttbcr = plugin_read(cpu, REG_TTBCR);
	c->ttbr0 = plugin_read(cpu, REG_TTBR0);
	c->ttbr1 = plugin_read(cpu, REG_TTBR1);
	c->contextidr = plugin_read(cpu, REG_CONTEXTIDR);
	c->prrr = plugin_read(cpu, REG_PRRR);
	c->nmrr = plugin_read(cpu, REG_NMRR);
	if (!c->synced && c->hsctlr & SCTLR_M)
		tables_root(&p.m, c->httbr & VTTBR_BADDR, true);
	c->synced = true;
}

static void plugin_block(unsigned int cpu, void *data)
{
	struct block *b = data;
	struct cpu *c = &p.m.cpus[cpu];

	pthread_mutex_lock(&p.lock);
	if (b->hyp && (c->world != WORLD_HYP || !c->synced)) {
		if (c->world == WORLD_HOST)
			c->vcpu = (uint32_t)plugin_read(cpu, REG_R0 + 1);
		plugin_sync(cpu);
		machine_hyp_enter(&p.m, cpu);
	}
	c->bits = 0;
	machine_fetch(&p.m, cpu, b->pc, b->pa, b->size);
	pthread_mutex_unlock(&p.lock);
}

static void plugin_mem(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t va, void *data)
{
	struct qemu_plugin_hwaddr *h = qemu_plugin_get_hwaddr(info, va);

	bool store = qemu_plugin_mem_is_store(info);
	uint64_t pa;

	if (!h)
		return;
	pa = qemu_plugin_hwaddr_phys_addr(h);
	/* Most loads by the host are of lines that were never stored to past the caches. */
	if (!store && machine_plain_load(&p.m, cpu, pa))
		return;
	pthread_mutex_lock(&p.lock);
	p.m.cpus[cpu].bits = (uint32_t)((uintptr_t)data >> 32);
	machine_access(&p.m, cpu, (uint32_t)(uintptr_t)data, (uint32_t)va, pa,
		       1u << qemu_plugin_mem_size_shift(info), store);
	pthread_mutex_unlock(&p.lock);
}

static uint32_t plugin_gpr(unsigned int cpu, unsigned int r)
{
	return r < 15 ? (uint32_t)plugin_read(cpu, REG_R0 + r) : 0;
}

/* Does this write by the guest trap to HYP (B1.14.13)? HYP's own write is the event then. */
static bool plugin_traps(const struct cpu *c, uint32_t reg)
{
	unsigned int crn = reg >> 12 & 0xf;

	if (c->world != WORLD_GUEST || !(c->hcr & HCR_TVM))
		return false;
	return reg & 0x10000 || crn == 1 || crn == 2 || crn == 3 || crn == 5 || crn == 6 ||
	       crn == 10 || crn == 13;
}

static void plugin_event(unsigned int cpu, const struct site *s)
{
	struct cpu *c = &p.m.cpus[cpu];
	uint64_t val;

	c->bits = s->bits;
	if (s->insn.cond != 14 && !insn_cond_holds(s->insn.cond, plugin_read(cpu, REG_CPSR)))
		return;
	switch (s->insn.kind) {
	case INSN_DSB:
		machine_dsb(&p.m, cpu);
		break;
	case INSN_ISB:
		machine_isb(&p.m, cpu);
		break;
	case INSN_ERET:
		machine_eret(&p.m, cpu, s->pc);
		break;
	case INSN_FP:
		machine_fp(&p.m, cpu, s->pc);
		break;
	case INSN_MRC:
		machine_cp_read(&p.m, cpu, s->pc, s->insn.reg);
		break;
	case INSN_MCR:
	case INSN_MCRR:
		if (s->insn.reg == SYS_CP15DSB) {
			machine_dsb(&p.m, cpu);
			break;
		}
		if (s->insn.reg == SYS_CP15ISB) {
			machine_isb(&p.m, cpu);
			break;
		}
		if (s->user || plugin_traps(c, s->insn.reg))
			break;
		val = plugin_gpr(cpu, s->insn.rt);
		if (s->insn.kind == INSN_MCRR)
			val |= (uint64_t)plugin_gpr(cpu, s->insn.rt2) << 32;
		machine_cp_write(&p.m, cpu, s->pc, s->insn.reg, val);
		break;
	default:
		break;
	}
}

static void plugin_insn(unsigned int cpu, void *data)
{
	pthread_mutex_lock(&p.lock);
	plugin_event(cpu, data);
	pthread_mutex_unlock(&p.lock);
}

static uint32_t plugin_bits(struct qemu_plugin_insn *insn, bool thumb)
{
	uint8_t b[4] = { 0 };
	size_t n = qemu_plugin_insn_data(insn, b, sizeof(b));

	if (!thumb)
		return b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
	return n == 2 ? b[0] | b[1] << 8u : b[2] | b[3] << 8 | b[0] << 16 | (uint32_t)b[1] << 24;
}

static bool plugin_wants(const struct insn *i, bool hyp)
{
	switch (i->kind) {
	case INSN_DSB:
		return true;
	case INSN_ISB:
	case INSN_ERET:
	case INSN_FP:
		return hyp;
	case INSN_MRC:
		return hyp && i->cp == 15 && i->reg == SYS_ISR;
	case INSN_MCR:
	case INSN_MCRR:
		return i->cp == 15;
	default:
		return false;
	}
}

/* Keeps one copy of each site or block: the same one is translated again and again. */
static void *plugin_intern(GHashTable *table, const void *what, size_t size)
{
	void *known = g_hash_table_lookup(table, what);

	if (!known) {
		known = g_memdup2(what, size);
		g_hash_table_add(table, known);
	}
	return known;
}

static guint site_hash(gconstpointer v)
{
	const struct site *s = v;

	return s->pc * 31 + s->bits + s->user;
}

static gboolean site_equal(gconstpointer a, gconstpointer b)
{
	return !memcmp(a, b, sizeof(struct site));
}

static guint block_hash(gconstpointer v)
{
	const struct block *b = v;

	return b->pc * 31 + (guint)b->pa + b->size;
}

static gboolean block_equal(gconstpointer a, gconstpointer b)
{
	return !memcmp(a, b, sizeof(struct block));
}

static void plugin_trans_insn(struct qemu_plugin_insn *insn, uint32_t cpsr)
{
	bool thumb = cpsr & CPSR_T, hyp = (cpsr & CPSR_MODE) == MODE_HYP;
	struct site s;

	memset(&s, 0, sizeof(s));
	s.pc = (uint32_t)qemu_plugin_insn_vaddr(insn);
	s.bits = plugin_bits(insn, thumb);
	s.insn = insn_decode(s.bits, thumb);
	s.user = (cpsr & CPSR_MODE) == MODE_USR;
	_Static_assert(sizeof(uintptr_t) == 8, "an argument holds the PC and the instruction");
	qemu_plugin_register_vcpu_mem_cb(insn, plugin_mem, QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_RW,
					 (void *)((uintptr_t)s.bits << 32 | s.pc));
	if (plugin_wants(&s.insn, hyp))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, plugin_insn, QEMU_PLUGIN_CB_R_REGS,
						       plugin_intern(p.sites, &s, sizeof(s)));
}

/* A block does not cross the end of its page, unless it is one instruction that does. */
static void plugin_trans(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *insn;
	unsigned int cpu = 0;
	const uint8_t *host;
	struct block b;
	uint32_t cpsr;

	/* All CPUs have the same register handles; the current CPU's values are read. */
	pthread_mutex_lock(&p.lock);
	cpsr = (uint32_t)plugin_read(cpu, REG_CPSR);
	memset(&b, 0, sizeof(b));
	b.pc = (uint32_t)qemu_plugin_tb_vaddr(tb);
	b.hyp = (cpsr & CPSR_MODE) == MODE_HYP;
	insn = qemu_plugin_tb_get_insn(tb, n - 1);
	b.size = (uint32_t)qemu_plugin_insn_vaddr(insn) + qemu_plugin_insn_size(insn) - b.pc;
	insn = qemu_plugin_tb_get_insn(tb, 0);
	host = qemu_plugin_insn_haddr(insn);
	b.pa = host ? p.ram_base + (host - p.ram) : 0;
	/* HCR.VM tells the guest from the host. */
	if (host && (b.hyp || plugin_read(cpu, REG_HCR) & HCR_VM))
		qemu_plugin_register_vcpu_tb_exec_cb(tb, plugin_block, b.hyp ?
						     QEMU_PLUGIN_CB_R_REGS : QEMU_PLUGIN_CB_NO_REGS,
						     plugin_intern(p.blocks, &b, sizeof(b)));
	for (i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		plugin_trans_insn(insn, cpsr);
	}
	pthread_mutex_unlock(&p.lock);
}

static void plugin_exit(qemu_plugin_id_t id, void *data)
{
	report_finish(&p.report);
}

static void plugin_armed(qemu_plugin_id_t id)
{
	p.armed = true;
	qemu_plugin_register_vcpu_init_cb(id, plugin_vcpu_init);
	qemu_plugin_register_vcpu_tb_trans_cb(id, plugin_trans);
	qemu_plugin_register_atexit_cb(id, plugin_exit, NULL);
}

/*
 * HYP mode is taken over: HTTBR is written with the MMU off, so the address of the instruction is a
 * physical one. From it follows where the emulator keeps the machine's memory.
 */
static void plugin_takeover(unsigned int cpu, void *data)
{
	const struct site *s = data;

	if (p.arming)
		return;
	p.arming = true;
	p.ram = s->host - (s->pc - p.ram_base);
	if (*(const uint32_t *)s->host != s->bits)
		plugin_die("the emulator's memory is not where it seems to be");
	p.m.ram = (uint8_t *)p.ram;
	fprintf(p.report.file, "armed\n");
	fflush(p.report.file);
	qemu_plugin_reset(p.id, plugin_armed);
}

static void plugin_trans_unarmed(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	pthread_mutex_lock(&p.lock);
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct site s;

		memset(&s, 0, sizeof(s));
		s.bits = plugin_bits(insn, false);
		s.insn = insn_decode(s.bits, false);
		if (s.insn.kind != INSN_MCRR || s.insn.cp != 15 || s.insn.reg != SYS_HTTBR)
			continue;
		s.pc = (uint32_t)qemu_plugin_insn_vaddr(insn);
		s.host = qemu_plugin_insn_haddr(insn);
		if (s.host && s.pc - p.ram_base < p.ram_size)
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, plugin_takeover, QEMU_PLUGIN_CB_R_REGS,
				plugin_intern(p.sites, &s, sizeof(s)));
	}
	pthread_mutex_unlock(&p.lock);
}

static bool plugin_option(const char *arg)
{
	const char *value = strchr(arg, '=');
	size_t n = value ? (size_t)(value - arg) : 0;
	char *path;
	bool on;

	if (!value++)
		return false;
	if (!strncmp(arg, "out", n)) {
		path = g_strdup_printf("%s%d", value, (int)getpid());
		p.report.file = fopen(path, "w");
		g_free(path);
	} else if (!strncmp(arg, "ram", n)) {
		p.ram_base = strtoull(value, NULL, 0);
	} else if (!strncmp(arg, "size", n)) {
		p.ram_size = strtoull(value, NULL, 0);
	} else if (!strncmp(arg, "gich", n)) {
		p.m.gich = strtoull(value, NULL, 0);
	} else if (!strncmp(arg, "vipt", n)) {
		p.m.cpus[strtoul(value, NULL, 0) % MACHINE_CPUS_MAX].icache_vipt = true;
	} else if (!strncmp(arg, "user", n) && qemu_plugin_bool_parse("user", value, &on)) {
		p.m.check_user = on;
	} else {
		return false;
	}
	return true;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
					   char **argv)
{
	struct machine m;
	int i;

	p.ram_base = RAM_BASE;
	p.ram_size = 1ull << 30;
	p.m.gich = GICH_BASE;
	for (i = 0; i < argc; i++) {
		if (plugin_option(argv[i]))
			continue;
		fprintf(stderr, "coherency: what is '%s'?\n", argv[i]);
		return -1;
	}
	if (!p.report.file) {
		fprintf(stderr,
			"coherency: out=PREFIX, of a file that can be written, is missing\n");
		return -1;
	}
	p.id = id;
	m = p.m;
	if (!machine_init(&p.m, p.ram_base, p.ram_size, info->system.smp_vcpus)) {
		fprintf(stderr, "coherency: no memory\n");
		return -1;
	}
	p.m.gich = m.gich;
	p.m.check_user = m.check_user;
	p.m.check_guest = true;
	for (i = 0; i < MACHINE_CPUS_MAX; i++)
		p.m.cpus[i].icache_vipt = m.cpus[i].icache_vipt;
	p.m.report = report_add;
	p.m.arg = &p.report;
	p.sites = g_hash_table_new(site_hash, site_equal);
	p.blocks = g_hash_table_new(block_hash, block_equal);
	qemu_plugin_register_vcpu_init_cb(id, plugin_vcpu_init);
	qemu_plugin_register_vcpu_tb_trans_cb(id, plugin_trans_unarmed);
	return 0;
}

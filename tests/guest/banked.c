// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every register that a world switch exchanges keeps its value over exits of every kind, on all
 * vCPUs at once: the banked core registers, cp15, the general registers and flags. Meanwhile
 * interrupts are pending (docs/hazards.md 11, 16, 17 and 23).
 */
#include "lib.h"

/*
 * The Virtualization Extensions' MRS and MSR of banked registers (DDI 0406C B9.3.9) reach them from
 * SVC mode without a mode change.
 */
#define FOR_BANKED(X)								\
	X(sp_usr) X(lr_usr)							\
	X(sp_abt) X(lr_abt) X(SPSR_abt) X(sp_und) X(lr_und) X(SPSR_und)		\
	X(sp_irq) X(lr_irq) X(SPSR_irq)						\
	X(r8_fiq) X(r9_fiq) X(r10_fiq) X(r11_fiq) X(r12_fiq)			\
	X(sp_fiq) X(lr_fiq) X(SPSR_fiq)

#define CORE_READ(name)								\
static u32 get_##name(void)							\
{										\
	u32 v;									\
	asm volatile(".arch_extension virt\n\tmrs %0, " #name : "=r"(v));	\
	return v;								\
}										\
static void set_##name(u32 v)							\
{										\
	asm volatile(".arch_extension virt\n\tmsr " #name ", %0" :: "r"(v));	\
}
FOR_BANKED(CORE_READ)

/* The SPSR of the current mode cannot be reached in this way (B9.2.3). */
static u32 get_SPSR_svc(void)
{
	u32 v;

	asm volatile("mrs %0, spsr" : "=r"(v));
	return v;
}

static void set_SPSR_svc(u32 v)
{
	asm volatile("msr spsr_cxsf, %0" :: "r"(v));
}

/* cp15 registers that a guest may set to anything while it runs. */
#define FOR_CP15(X)								\
	X(TPIDRURW, 0, c13, c0, 2) X(TPIDRURO, 0, c13, c0, 3)			\
	X(TPIDRPRW, 0, c13, c0, 4) X(CONTEXTIDR, 0, c13, c0, 1)			\
	X(DFSR, 0, c5, c0, 0) X(IFSR, 0, c5, c0, 1)				\
	X(ADFSR, 0, c5, c1, 0) X(AIFSR, 0, c5, c1, 1)				\
	X(DFAR, 0, c6, c0, 0) X(IFAR, 0, c6, c0, 2) X(PAR, 0, c7, c4, 0)	\
	X(AMAIR0, 0, c10, c3, 0) X(AMAIR1, 0, c10, c3, 1)			\
	X(TTBR1, 0, c2, c0, 1) X(CNTKCTL, 0, c14, c1, 0)			\
	X(PRRR, 0, c10, c2, 0) X(NMRR, 0, c10, c2, 1) X(DACR, 0, c3, c0, 0)

#define CP15_ACCESS(name, op1, crn, crm, op2)					\
static u32 get_##name(void) { return CP15_READ(op1, crn, crm, op2); }		\
static void set_##name(u32 v) { CP15_WRITE(op1, crn, crm, op2, v); }
FOR_CP15(CP15_ACCESS)

static const struct reg {
	const char *name;
	u32 (*get)(void);
	void (*set)(u32 v);
	u32 mask;		/* bits that are written; 0 stands for all */
} regs[] = {
#define CORE_ROW(n)		{ #n, get_##n, set_##n, 0 },
	FOR_BANKED(CORE_ROW)
	CORE_ROW(SPSR_svc)
#define CP15_ROW(n, ...)	{ #n, get_##n, set_##n, 0 },
	FOR_CP15(CP15_ROW)
};

#define NR_REGS	ARRAY_SIZE(regs)

/* Without the extensions, as on a bare board without HYP mode, only cp15 can be tested. */
static u32 first_reg;

static u32 want[GUEST_MAX_CPUS][NR_REGS];
static u32 bad[GUEST_MAX_CPUS][NR_REGS];	/* exits that lost a register */
static u32 saved[GUEST_MAX_CPUS][NR_REGS];

static u32 pattern(u32 cpu, u32 i, u32 round)
{
	u32 v = (cpu + 1) * 0x9e3779b9u ^ (i + 1) * 0x85ebca6bu ^ (round + 1) * 0xc2b2ae35u;

	return v ^ v >> 15;
}

/* Some values would stop the machine, and some fields are only partly writable. */
static u32 fit(const struct reg *r, u32 v)
{
	if (r->get == get_DACR)
		return (v & ~3u) | 1;
	if (r->get == get_CNTKCTL)
		return v & 0x3fb;
	if (r->get == get_TTBR1)
		return v & 0xffffc000;
	if (r->get == get_DFSR)
		return v & 0x1c0f;	/* DDI 0406C B4.1.52, no reserved bits */
	if (r->get == get_IFSR)
		return v & 0x140f;
	if (r->get == get_PAR)
		return v & 0xfffff000;
	if (r->get == get_PRRR || r->get == get_NMRR)
		return v & 0x0f0a0a0a;
	/* SPSR: a legal mode, and no reserved bits. */
	if (r->get == get_SPSR_svc || r->get == get_SPSR_abt || r->get == get_SPSR_und ||
	    r->get == get_SPSR_irq || r->get == get_SPSR_fiq)
		return (v & 0xf80f01c0) | 0x13;
	return v;
}

static void set_all(u32 cpu, u32 round)
{
	for (u32 i = first_reg; i < NR_REGS; i++) {
		want[cpu][i] = fit(&regs[i], pattern(cpu, i, round));
		regs[i].set(want[cpu][i]);
	}
	isb();
	/* The value that the register kept is the one to expect. */
	for (u32 i = first_reg; i < NR_REGS; i++)
		want[cpu][i] = regs[i].get();
}

static void check_all(u32 cpu)
{
	for (u32 i = first_reg; i < NR_REGS; i++)
		if (regs[i].get() != want[cpu][i])
			bad[cpu][i]++;
}

/* ---- one function for each kind of exit ---- */
static void do_hvc(u32 cpu)
{
	(void)cpu;
	hvc(PSCI_VERSION, 0, 0, 0);
}

static void do_smc(u32 cpu)
{
	(void)cpu;
	if (on_vm())
		smc(PSCI_VERSION, 0, 0, 0);
}

static void do_cp15(u32 cpu)
{
	(void)cpu;
	(void)CP15_READ(0, c1, c0, 1);	/* ACTLR */
}

static void do_gicd(u32 cpu)
{
	(void)cpu;
	(void)r32(GICD_ISENABLER);
}

static void do_mmio(u32 cpu)
{
	if (on_vm())
		w32(DEV_BASE + DEV_SCRATCH + 16 * cpu, r32(DEV_BASE + DEV_COUNTER));
}

static void do_wfi(u32 cpu)
{
	(void)cpu;
	irq_off();
	vtimer_set(cntvct() + us_to_ticks(200), 1);
	wfi();
	vtimer_set(0, 0);
}

static void do_spin(u32 cpu)
{
	(void)cpu;
	delay_us(on_vm() ? 8000 : 100);	/* longer than a tick of the host */
}

static void do_touch(u32 cpu)
{
	static volatile u32 next;
	u32 n = next++;

	(void)cpu;
	w32(FRESH_BASE + 0x100000 + n % 4096 * 4096, n);
}

static void do_setway(u32 cpu)
{
	(void)cpu;
	CP15_WRITE(0, c7, c14, 2, 0);	/* DCCISW of set 0, way 0, level 1 */
	dsb();
}

static void do_roundtrip(u32 cpu)
{
	if (on_vm())
		w32(DEV_BASE + DEV_ROUNDTRIP, cpu);
}

static void do_vmsleep(u32 cpu)
{
	(void)cpu;
	if (on_vm())
		w32(DEV_BASE + DEV_SLEEP, 500);
}

static void do_suspend(u32 cpu)
{
	(void)cpu;
	if (!on_vm())
		return;
	irq_off();
	vtimer_set(cntvct() + us_to_ticks(200), 1);
	hvc(PSCI_CPU_SUSPEND, 0, 0, 0);
	vtimer_set(0, 0);
}

static const struct {
	const char *name;
	void (*fn)(u32 cpu);
	u32 rounds;
} exits[] = {
	{ "hvc", do_hvc, 32 },
	{ "smc", do_smc, 8 },
	{ "a trapped cp15 read", do_cp15, 32 },
	{ "a distributor access", do_gicd, 32 },
	{ "an access that the client emulates", do_mmio, 16 },
	{ "WFI", do_wfi, 16 },
	{ "host interrupts", do_spin, 4 },
	{ "the first touch of a page", do_touch, 32 },
	{ "cache maintenance by set and way", do_setway, 8 },
	{ "the client's thread sleeping", do_vmsleep, 8 },
	{ "CPU_SUSPEND", do_suspend, 8 },
	{ "the client reading and writing back each register", do_roundtrip, 2 },
};

static u32 exit_now;

static void keep_registers(u32 cpu)
{
	irq_off();
	for (u32 i = first_reg; i < NR_REGS; i++)
		saved[cpu][i] = regs[i].get();
	for (u32 r = 0; r < exits[exit_now].rounds; r++) {
		set_all(cpu, r);
		exits[exit_now].fn(cpu);
		check_all(cpu);
	}
	for (u32 i = first_reg; i < NR_REGS; i++)
		regs[i].set(saved[cpu][i]);
	isb();
}

static void report_banked(void)
{
	for (exit_now = 0; exit_now < ARRAY_SIZE(exits); exit_now++) {
		u32 lost = 0;

		for (u32 c = 0; c < GUEST_MAX_CPUS; c++)
			for (u32 i = first_reg; i < NR_REGS; i++)
				bad[c][i] = 0;
		smp_run(keep_registers);
		for (u32 c = 0; c < nr_cpus(); c++)
			for (u32 i = first_reg; i < NR_REGS; i++)
				if (bad[c][i]) {
					lost++;
					note("cpu %u: %s lost %u times by %s", c, regs[i].name,
					     bad[c][i], exits[exit_now].name);
				}
		report(!lost, "%u banked and cp15 registers are kept over %s", (u32)NR_REGS - first_reg,
		       exits[exit_now].name);
	}
}

/*
 * General registers and flags: all of r0-r12 and lr hold patterns at the
 * instruction that exits; in[13] is lr, in[14] the flags for CPSR.
 */
#define GPR_EXIT(name, insn)							\
void name(u32 *in, u32 *out);							\
asm(".text\n\t.arm\n\t.global " #name "\n" #name ":\n\t"			\
	"push {r4-r11, lr}\n\tpush {r1}\n\t"					\
	"ldr r1, [r0, #56]\n\tmsr cpsr_f, r1\n\t"				\
	"ldr lr, [r0, #52]\n\tldm r0, {r0-r12}\n\t"				\
	insn "\n\t"								\
	"sub sp, sp, #56\n\tstm sp, {r0-r12, lr}\n\t"				\
	"ldr r0, [sp, #56]\n\tmrs r1, cpsr\n\tand r1, r1, #0xf8000000\n\t"	\
	"str r1, [r0, #56]\n\t"							\
	"pop {r1-r7}\n\tstm r0!, {r1-r7}\n\tpop {r1-r7}\n\tstm r0, {r1-r7}\n\t"	\
	"add sp, sp, #4\n\tpop {r4-r11, pc}\n")

GPR_EXIT(gpr_hvc, "hvc #0");
GPR_EXIT(gpr_cp15, "mrc p15, 0, r7, c1, c0, 1");
GPR_EXIT(gpr_load, "ldr r5, [r6]");
GPR_EXIT(gpr_load_lr, "ldr lr, [r12]");
GPR_EXIT(gpr_store, "str r11, [r6]");
GPR_EXIT(gpr_wfi, "wfi");
GPR_EXIT(gpr_wfe, "wfe");

/* @changes: bit n is set if register n may come back with another value. */
static bool gpr_try(void (*fn)(u32 *, u32 *), u32 at, u32 addr, u32 changes)
{
	u32 in[15], out[15];
	bool ok = true;

	for (u32 i = 0; i < 15; i++)
		in[i] = pattern(cpu_id(), i, at);
	in[14] &= 0xf8000000;
	if (fn == gpr_hvc)
		in[0] = PSCI_VERSION;
	in[6] = in[12] = addr;
	fn(in, out);
	for (u32 i = 0; i < 15; i++)
		ok &= changes >> i & 1 || in[i] == out[i];
	return ok;
}

static void gpr_all(u32 cpu)
{
	u32 scratch = DEV_BASE + DEV_SCRATCH + cpu * 16;
	bool ok[8] = { true, true, true, true, true, true, true, true };

	irq_off();
	for (u32 n = 0; n < 24; n++) {
		ok[0] &= gpr_try(gpr_hvc, n, 0, 0xf);
		ok[1] &= gpr_try(gpr_cp15, n, 0, 1 << 7);
		ok[2] &= gpr_try(gpr_load, n, GICD_IIDR, 1 << 5);
		if (on_vm()) {
			ok[3] &= gpr_try(gpr_load, n, scratch, 1 << 5);
			ok[4] &= gpr_try(gpr_load_lr, n, scratch, 1 << 13);
			ok[5] &= gpr_try(gpr_store, n, scratch, 0);
		}
		vtimer_set(0, 1);	/* expired: WFI returns at once */
		ok[6] &= gpr_try(gpr_wfi, n, 0, 0);
		vtimer_set(0, 0);
		ok[7] &= gpr_try(gpr_wfe, n, 0, 0);
	}
	report(ok[0], "cpu %u: r4-r12, lr and flags are kept over hvc", cpu);
	report(ok[1], "cpu %u: all but Rt and the flags are kept over a trapped MRC", cpu);
	report(ok[2], "cpu %u: all but Rt is kept over a distributor read", cpu);
	if (on_vm()) {
		report(ok[3], "cpu %u: all but Rt is kept over a read by the client", cpu);
		report(ok[4], "cpu %u: all but LR is kept over a read to LR", cpu);
		report(ok[5], "cpu %u: all is kept over a write by the client", cpu);
	}
	report(ok[6], "cpu %u: all is kept over WFI", cpu);
	report(ok[7], "cpu %u: all is kept over WFE", cpu);
}

/* FIQ mode has its own r8-r12: an exit from FIQ mode must use and keep them. */
static u32 fiq_body(u32 addr)
{
	u32 bad_regs;

	asm volatile("mov r8, %1\n\t"
		     "mov r9, #0x99\n\tmov r10, #0xaa\n\tmov r11, #0xbb\n\t"
		     "ldr r12, [r8]\n\t"
		     "str r12, [r8, #4]\n\t"
		     "mov %0, #0\n\t"
		     "cmp r9, #0x99\n\torrne %0, %0, #1\n\t"
		     "cmp r10, #0xaa\n\torrne %0, %0, #2\n\t"
		     "cmp r11, #0xbb\n\torrne %0, %0, #4\n\t"
		     "cmp r8, %1\n\torrne %0, %0, #8\n\t"
		     "ldr r9, [r8, #4]\n\t"
		     "cmp r9, r12\n\torrne %0, %0, #16\n\t"
		     : "=&r"(bad_regs) : "r"(addr)
		     : "r8", "r9", "r10", "r11", "r12", "cc", "memory");
	return bad_regs;
}

static void check_fiq_mode(void)
{
	u32 r;

	if (!on_vm())
		return;
	w32(DEV_BASE + DEV_SCRATCH, 0x600df1a9);
	r = call_in_mode(MODE_FIQ, fiq_body, DEV_BASE + DEV_SCRATCH);
	report(!r, "FIQ mode: client accesses use and keep r8_fiq-r12_fiq (%x)", r);
	report(r32(DEV_BASE + DEV_SCRATCH + 4) == 0x600df1a9, "FIQ mode: value written from r12_fiq");
}

/* The timer must be able to end WFI; its interrupt stays masked. */
static void gic_ready(u32 cpu)
{
	(void)cpu;
	gic_init_cpu();
	gic_enable(IRQ_VTIMER);
}

void guest_main(void)
{
	mmu_on();
	gic_init_dist();
	smp_start();
	smp_run(gic_ready);
	trap_begin();
	(void)get_sp_usr();
	if (trap_end()) {
		if (on_vm())
			report(false, "MRS of banked registers works in a guest");
		while (regs[first_reg].get != get_TPIDRURW)
			first_reg++;
	}
	report_banked();
	smp_run(gpr_all);
	check_fiq_mode();
	guest_exit();
}

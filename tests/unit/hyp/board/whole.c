// SPDX-License-Identifier: GPL-2.0-only
/*
 * All of driver/hyp on a board of its own, without Linux: what no emulated host has or does. The
 * board's CPU has sixteen breakpoints, watchpoints and FPINST, because an undefined instruction
 * that the emulator does not know is answered here; exceptions come by vectors that the test
 * chooses; and its GICH is memory. Prints KTAP.
 */
#include "arch/dbgregs.h"
#include "arch/gic.h"
#include "hyp/cpu.h"
#include "hyp/gicirq.h"
#include "hyp/offsets.h"
#include "hyp/sysreg.h"

#include "lacking.h"
#include "say.h"

asm(".arch_extension virt");

#define SYS_HVBAR	4, c12, c0, 0
#define SYS_HTPIDR	4, c13, c0, 2
#define BOARD_PANICKED	0xdead		/* whole.S */
#define HSCTLR_OFF	0x30c50830	/* MMU and caches off (B4.1.71) */
#define SCTLR_OFF	0x00c50078
#define SVC		0x1d3
#define NR_BRP		6		/* what the emulated Cortex-A15 has */
#define NR_WRP		4
#define SLOTS		8
#define BOARD_CLOCK	0x09010000	/* a PL031 */

#define INSN_DSB	0xf57ff04fu
#define INSN_ISB	0xf57ff06fu
#define INSN_NOP	0xe320f000u
#define INSN_HVC	0xe1400070u	/* hvc #0 */
#define INSN_READ_ISR	0xee1c0f11u	/* mrc p15, 0, r0, c12, c1, 0 */
#define INSN_MOV_ISR_A	0xe3a00c01u	/* mov r0, #ISR_A */
#define INSN_RD		0x0000f000u

u32 board_host(u32 (*fn)(u32), u32 arg);
u32 board_hyp(u32 (*fn)(u32), u32 arg);
u32 board_call(u32 fn, u32 a, u32 b);
void board_hvc(void);
void board_undefined(void);
void board_jump(u32 at);
void board_main(void);
void board_peek_at(void);
extern char board_panicked[], board_panicked_thumb[], board_panic_stack[];
extern char board_vectors[], board_undef[], board_peek[];
extern char guest_hvc[], guest_banked[], guest_fiq[];
extern u32 board_slots[SLOTS], board_undef_next;

u32 board_sp, board_result, board_ran;
static struct hyp_cpu cpu;
static struct hyp_vcpu vcpu;
static u32 table[4096] __attribute__((aligned(16384)));
static u32 gich[0x200 / 4];

static char *const vectors[] = {
	hyp_vectors, hyp_vectors_bpiall, hyp_vectors_iciallu, hyp_vectors_loop8,
};

/* --- the board --- */

/* Each exception has its own slot of @at. */
static void use(const char *at)
{
	for (u32 i = 0; i < SLOTS; i++)
		board_slots[i] = (u32)at + 4 * i;
	board_slots[1] = (u32)board_undef;
	board_undef_next = (u32)at + 4;
	sysreg_write((u32)board_vectors, SYS_HVBAR);
	hyp_isb();
}

static void clear(void *at, u32 size)
{
	for (u32 i = 0; i < size; i++)
		((volatile u8 *)at)[i] = 0;
}

/* What armvmm.ko has told of the CPU when it runs a guest. */
static void prepare(void)
{
	clear(&cpu, sizeof(cpu));
	clear(&vcpu, sizeof(vcpu));
	clear(gich, sizeof(gich));
	sysreg_write((u32)&cpu, SYS_HTPIDR);
	sysreg_write(0, SYS_HCR);
	sysreg_write(0, SYS_HCPTR);
	sysreg_write(SCTLR_OFF, SYS_SCTLR);
	use(hyp_vectors);
	cpu.stack_top = (unsigned long)board_panic_stack;
	cpu.panic_entry = (unsigned long)board_panicked;
	cpu.restart = (unsigned long)hyp_entry_restart;
	cpu.stub_hvbar = (u32)board_vectors;
	cpu.stub_hsctlr = HSCTLR_OFF;
	cpu.vfp = 1;
	cpu.vfp_d32 = 1;
	cpu.debug_ok = 1;
	cpu.gich = gich;
	hyp_snapshot(&cpu);
	vcpu.hcr = HCR_FMO | HCR_IMO | HCR_AMO;
	vcpu.vpidr = cpu.host.midr;
	vcpu.cp15[CP15_MPIDR] = cpu.host.mpidr;
	vcpu.cp15[CP15_SCTLR] = SCTLR_OFF;
	vcpu.regs.usr_regs.uregs[15] = (long)guest_hvc;
	vcpu.regs.usr_regs.uregs[16] = SVC;
	board_ran = 0;
}

static u32 run(u32 unused)
{
	return board_call(HYP_CALL_RUN, (u32)&vcpu, 0);
}

static u32 host_call(u32 fn)
{
	return board_call(fn, 0, 0);
}

static void patch(u32 *at, u32 insn)
{
	*(volatile u32 *)at = insn;
	hyp_dsb();
	sysreg_write(0, SYS_ICIALLU);
	hyp_dsb();
	hyp_isb();
}

/* --- calls --- */

static void test_run(void)
{
	prepare();
	expect(board_host(run, 0), HYP_EXIT_TRAP, "a guest runs until it traps");
	report(board_ran == 1 && HSR_EC(vcpu.hsr) == HSR_EC_HVC && (vcpu.hsr & 0xffff) == 7,
	       "and HSR says why");
	expect(board_host(host_call, HYP_CALL_BASE + HYP_CALL_NR), HYP_STUB_ERROR,
	       "a call that HYP does not know is answered as the stub would");
}

/* The host gives a version as soon as it knows one. */
static void test_fastpath(void)
{
	u32 *r = (u32 *)vcpu.regs.usr_regs.uregs;

	prepare();
	r[0] = PSCI_VERSION;
	board_host(run, 0);
	report(board_ran == 1 && r[0] == PSCI_VERSION && !vcpu.stat.hyp_hvc,
	       "a PSCI version that is not HYP's to tell is left to the host");

	prepare();
	vcpu.cp15[CP15_ACTLR] = 0x40;
	vcpu.hcr |= HCR_TAC;
	r[15] = (u32)guest_banked;
	board_host(run, 0);
	report(r[15] == (u32)guest_banked && HSR_EC(vcpu.hsr) == HSR_EC_CP15_32,
	       "a read into LR, which is banked, is left to the host");
	r[15] += 4;
	board_host(run, 0);
	report(r[15] == (u32)guest_banked + 8 && HSR_EC(vcpu.hsr) == HSR_EC_CP15_32 &&
	       !vcpu.stat.hyp_cp15, "and one into FIQ mode's r8");
}

/* --- asynchronous aborts --- */

/* Where ISR is read, in the order of the code. */
#define READ_EXIT	1
#define READ_ENTRY	2
#define READ_WALK	4
#define READ_TIMER	8
#define NR_READS	4

/* They are looked up before any is patched: what then stands there is no rare instruction. */
static u32 *isr_read(u32 n)
{
	static u32 *reads[NR_READS + 1], found;

	if (found)
		return reads[n];
	for (u32 *p = (u32 *)hyp_text_start; p < (u32 *)hyp_text_end; p++)
		if ((*p & ~INSN_RD) == INSN_READ_ISR && found <= NR_READS)
			reads[found++] = p;
	return reads[n];
}

/* The board's CPU has an abort pending at these reads. */
static void pending(u32 at)
{
	for (u32 n = 0; n < NR_READS; n++) {
		u32 *p = isr_read(n);

		patch(p, (at & 1 << n ? INSN_MOV_ISR_A : INSN_READ_ISR) | (*p & INSN_RD));
	}
}

/* B4.1.97: an abort that the accesses before cause is in ISR after a DSB and an ISB. */
static void test_order(void)
{
	u32 bad = 0;

	for (u32 n = 0; n < NR_READS; n++) {
		u32 *p = isr_read(n), *q = p - 1;

		while (q > p - 4 && *q != INSN_ISB)
			q--;
		bad += *q != INSN_ISB;
		while (q > p - 6 && *q != INSN_DSB)
			q--;
		bad += *q != INSN_DSB;
	}
	report(!isr_read(NR_READS) && !bad, "ISR is read four times, each time after a DSB and an ISB");
}

/* S4: an abort that is pending before the entry is the host's. */
static void test_late(void)
{
	prepare();
	pending(READ_ENTRY);
	expect(board_host(run, 0), HYP_EXIT_IRQ, "no guest is entered while an abort is pending");
	report(!board_ran && !cpu.vcpu && !cpu.serror, "and the host gets it");
	pending(0);
	expect(board_host(run, 0), HYP_EXIT_TRAP, "then the guest runs");
	expect(board_ran, 1, "from where it was");
}

/*
 * The window in which the abort is let in, and taken: an hvc in it comes as the abort does, with
 * another HSR.
 */
static void window(bool abort)
{
	u32 *p = (u32 *)hyp_serror_take;

	while (*p != INSN_NOP && *p != INSN_HVC)
		p++;
	patch(p, abort ? INSN_HVC : INSN_NOP);
}

static const char *const serror_names[] = {
	"an abort that the guest caused is taken at its exit (plain)",
	"an abort that the guest caused is taken at its exit (bpiall)",
	"an abort that the guest caused is taken at its exit (iciallu)",
	"an abort that the guest caused is taken at its exit (loop8)",
};

static void test_serror(void)
{
	for (u32 i = 0; i < 4; i++) {
		prepare();
		use(vectors[i]);
		board_slots[2] = (u32)vectors[i] + 16;
		pending(READ_EXIT);
		window(true);
		board_host(run, 0);
		window(false);
		pending(0);
		report(board_ran == 1 && vcpu.serror && (vcpu.hsr & 0xffff) == 7 &&
		       !cpu.panic.faults,
		       serror_names[i]);
	}
}

static u32 resolve(u32 hsr)
{
	return hyp_fault_resolve(&vcpu, hsr);
}

static u32 resolve_abort(u32 ec, u32 fsc)
{
	return board_hyp(resolve, ec << 26 | fsc);
}

static void test_fault(void)
{
	u32 sctlr = sysreg_read(SYS_SCTLR);

	prepare();
	vcpu.cpu = &cpu;
	expect(resolve_abort(HSR_EC_DABT, HSR_FSC_ASYNC_EXTERNAL), HYP_EXIT_SERROR,
	       "an asynchronous abort that was routed here is one");
	expect(resolve_abort(HSR_EC_DABT, HSR_FSC_ASYNC_PARITY), HYP_EXIT_SERROR,
	       "and one of parity");
	vcpu.debug.moe = 1;
	report(resolve_abort(HSR_EC_V8_DEBUG, 0) == HYP_EXIT_TRAP && vcpu.debug.moe != 1,
	       "a debug exception of ARMv8's class has its MOE");

	/* A MiB at 0x100000 is mapped; the address that faulted is there, or is not mapped. */
	table[1] = 0x40000000 | 3 << 10 | 2;
	sysreg_write64((u32)table, SYS_TTBR0);
	sysreg_write(0, SYS_TTBCR);
	sysreg_write(1, SYS_DACR);
	sysreg_write(SCTLR_OFF | 1, SYS_SCTLR);
	sysreg_write(0x00123456, SYS_HDFAR);
	hyp_isb();
	resolve_abort(HSR_EC_DABT, HSR_FSC_PERMISSION);
	report(vcpu.fault_ipa_valid && vcpu.hpfar == 0x40023000 >> 8,
	       "where a permission fault was is asked of the guest's tables");
	sysreg_write(0x00200000, SYS_HDFAR);
	resolve_abort(HSR_EC_DABT, HSR_FSC_PERMISSION);
	report(!vcpu.fault_ipa_valid, "unless they have changed meanwhile");
	/* B3.14: an external abort on that walk is a data abort in HYP mode. */
	sysreg_write64(NOTHING, SYS_TTBR0);
	hyp_isb();
	resolve_abort(HSR_EC_DABT, HSR_FSC_PERMISSION);
	report(!vcpu.fault_ipa_valid && !cpu.panic.faults, "or the walk ends in an external abort");
	sysreg_write64((u32)table, SYS_TTBR0);
	hyp_isb();
	pending(READ_WALK);
	board_slots[2] = (u32)hyp_vectors + 16;
	window(true);
	resolve_abort(HSR_EC_DABT, HSR_FSC_PERMISSION);
	window(false);
	pending(0);
	report(cpu.serror && !cpu.panic.faults, "or in an asynchronous one, which is the guest's");
	sysreg_write(sctlr, SYS_SCTLR);
	hyp_isb();
}

/* --- faults of HYP mode --- */

static u32 dbg_dscr(void)
{
	u32 v;

	asm volatile("mrc p14, 0, %0, c0, c2, 2" : "=r" (v));
	return v;
}

static u32 dbg_oslsr(void)
{
	u32 v;

	asm volatile("mrc p14, 0, %0, c1, c1, 4" : "=r" (v));
	return v;
}

static void dbg_lock(bool on)
{
	asm volatile("mcr p14, 0, %0, c1, c0, 4" : : "r" (on ? DBGOSLAR_KEY : 0));
	hyp_isb();
}

static u32 do_hvc(u32 unused)
{
	board_hvc();
	return 0;
}

static u32 do_undefined(u32 unused)
{
	board_undefined();
	return 0;
}

static u32 do_jump(u32 at)
{
	board_jump(at);
	return 0;
}

static u32 do_load(u32 at)
{
	return *(volatile u32 *)at;
}

/* An exception from HYP mode itself: @want is what the host is told. */
static void fault(u32 (*fn)(u32), u32 arg, u32 slot, u32 want, const char *what)
{
	u32 ok = 0;

	for (u32 i = 0; i < 4; i++) {
		prepare();
		use(vectors[i]);
		board_slots[2] = (u32)vectors[i] + 4 * slot;
		ok += board_hyp(fn, arg) == BOARD_PANICKED && cpu.panic.faults == 1 &&
		      cpu.panic.vector == (i || want != 5 ? want : 2) && !cpu.panic.vcpu &&
		      (cpu.panic.spsr & CPSR_M_MASK) == CPSR_M_HYP;
	}
	expect(ok, 4, what);
}

/* The host calls with the CPU's own structures out of reach; it comes back with its registers. */
static void test_panic(void)
{
	fault(do_hvc, 0, 2, 2, "an hvc in HYP is told");
	fault(do_undefined, 0, 2, 1, "an undefined instruction");
	fault(do_jump, NOTHING, 2, 3, "a prefetch abort");
	fault(do_load, NOTHING, 2, 4, "a data abort");
	fault(do_hvc, 0, 0, 0, "a reset");
	/* The plain vectors take what is no guest's interrupt for a wrong call. */
	fault(do_hvc, 0, 6, 5, "an IRQ from HYP mode, which cannot be");
	fault(do_hvc, 0, 7, 5, "an FIQ");
	prepare();
	use(hyp_vectors_bpiall);
	board_slots[2] = (u32)hyp_vectors_bpiall + 20;
	report(board_hyp(do_hvc, 0) == BOARD_PANICKED && cpu.panic.vector == 5,
	       "a trap that comes from HYP mode");
}

/* A guest is loaded as far as its list registers, which are not there. */
static void fail_entry(bool again, bool thumb)
{
	u32 tpid, contextidr, hcr;

	prepare();
	cpu.gich = (void *)NOTHING;
	vcpu.vgic.used_lrs = 1;
	vcpu.vgic.held = 0;
	if (thumb)
		cpu.panic_entry = (unsigned long)board_panicked_thumb;
	if (again)
		cpu.host.hcptr |= HCPTR_TCP10 | HCPTR_TCP11;
	fpexc_write(0);
	sysreg_write(0x12345678, SYS_TPIDRURO);
	sysreg_write(0x87, SYS_CONTEXTIDR);
	vcpu.cp15[CP15_CONTEXTIDR] = 0x11;
	expect(board_host(run, 0), BOARD_PANICKED,
	       again ? "a fault on the way back from a fault" :
	       thumb ? "a fault where the kernel is in Thumb-2" :
		       "a fault at the entry of a guest");
	tpid = sysreg_read(SYS_TPIDRURO);
	contextidr = sysreg_read(SYS_CONTEXTIDR);
	hcr = sysreg_read(SYS_HCR);
	report(tpid == 0x12345678 && contextidr == 0x87 && !hcr && !cpu.vcpu,
	       "ends in the host, with all that is its own");
	report(cpu.panic.vcpu == &vcpu && cpu.panic.hdfar == NOTHING + GICH_LR(0) &&
	       cpu.panic.faults == 1 + again && !board_ran, "and the first fault is told");
	sysreg_write(0, SYS_HCPTR);
	hyp_isb();
}

/* On the way back to the host, before the guest's debug registers are saved. */
static void test_debug_drop(void)
{
	prepare();
	vcpu.debug.mode = HYP_DEBUG_LOAD;
	vcpu.debug.nr_brp = NR_BRP;
	vcpu.debug.nr_wrp = NR_WRP;
	pending(READ_EXIT);
	window(true);
	expect(board_host(run, 0), BOARD_PANICKED, "a fault with a guest's breakpoints loaded");
	window(false);
	pending(0);
	report(cpu.panic.vector == 2 && cpu.panic.vcpu == &vcpu && !cpu.debug_loaded &&
	       !(dbg_dscr() & DBGDSCR_MDBGEN), "turns them off");
}

/* The host's calls come by that slot, too: the guest itself has its trap arrive by another. */
static u32 run_fiq(u32 i)
{
	u32 code;

	vcpu.regs.usr_regs.uregs[0] = (long)vectors[i] + 28;
	vcpu.regs.usr_regs.uregs[15] = (long)guest_fiq;
	code = board_call(HYP_CALL_RUN, (u32)&vcpu, 0);
	board_slots[5] = (u32)vectors[i] + 20;
	return code;
}

/* It takes the guest off the CPU as an IRQ does. */
static void test_fiq(void)
{
	u32 ok = 0;

	for (u32 i = 0; i < 4; i++) {
		prepare();
		use(vectors[i]);
		ok += board_host(run_fiq, i) == HYP_EXIT_IRQ && board_ran == 1 && !cpu.panic.faults;
	}
	expect(ok, 4, "an FIQ ends a guest's run");
}

/* --- debug registers, floating point, list registers --- */

static void debug_fill(struct hyp_debug_regs *r, u32 seed)
{
	for (u32 n = 0; n < HYP_MAX_DBG; n++) {
		r->bvr[n] = seed << 16 | n << 4;
		r->bcr[n] = n << 16 | 0x1e0;
		r->wvr[n] = seed << 20 | n << 8;
		r->wcr[n] = n << 16 | 0x1fe0;
	}
}

static u32 debug_differ(const struct hyp_debug_regs *a, const struct hyp_debug_regs *b)
{
	u32 bad = 0;

	for (u32 n = 0; n < HYP_MAX_DBG; n++)
		bad += a->bvr[n] != b->bvr[n] || a->bcr[n] != b->bcr[n] ||
		       a->wvr[n] != b->wvr[n] || a->wcr[n] != b->wcr[n];
	return bad;
}

static u32 bank_differ(const struct hyp_debug_regs *r)
{
	u32 bad = 0;

	for (u32 n = NR_BRP; n < HYP_MAX_DBG; n++)
		bad += debug_bank[0][n] != r->bvr[n] || debug_bank[1][n] != r->bcr[n];
	for (u32 n = NR_WRP; n < HYP_MAX_DBG; n++)
		bad += debug_bank[2][n] != r->wvr[n] || debug_bank[3][n] != r->wcr[n];
	return bad;
}

static void test_debug(void)
{
	static struct hyp_debug host, guest;

	prepare();
	host.mode = guest.mode = HYP_DEBUG_LOAD;
	host.nr_brp = guest.nr_brp = host.nr_wrp = guest.nr_wrp = HYP_MAX_DBG;
	debug_fill(&host.regs, 0x111);
	debug_fill(&guest.regs, 0x222);
	hyp_debug_load(&cpu, &host);
	expect(bank_differ(&host.regs), 0, "sixteen breakpoints and watchpoints are loaded");
	/* Now they are the host's. */
	dbg_lock(true);
	hyp_debug_load(&cpu, &guest);
	expect(debug_differ(&cpu.host_debug.regs, &host.regs), 0, "the host's are saved");
	expect(bank_differ(&guest.regs), 0, "the guest's are in their place");
	expect(dbg_oslsr() & DBGOSLSR_OSLK, 0, "and the OS Lock, which stops them, is clear");
	hyp_debug_unload(&cpu, &guest);
	expect(bank_differ(&host.regs), 0, "then the host's are back");
	expect(dbg_oslsr() & DBGOSLSR_OSLK, DBGOSLSR_OSLK, "and its OS Lock");
	dbg_lock(false);

	guest.mode = HYP_DEBUG_HIDE;
	hyp_debug_load(&cpu, &guest);
	report(guest.mode == HYP_DEBUG_OFF && !cpu.debug_loaded,
	       "where the host uses none they are left alone");
	for (u32 n = 0; n < 2; n++) {
		debug_bank[n ? 3 : 1][HYP_MAX_DBG - 1] |= DBGCR_E;
		guest.mode = HYP_DEBUG_HIDE;
		hyp_debug_load(&cpu, &guest);
		report(guest.mode == HYP_DEBUG_HIDE && cpu.debug_loaded == HYP_DEBUG_HIDE &&
		       !(dbg_dscr() & DBGDSCR_MDBGEN),
		       n ? "the last watchpoint is seen" : "the last breakpoint is seen");
		hyp_debug_unload(&cpu, &guest);
		debug_bank[n ? 3 : 1][HYP_MAX_DBG - 1] &= ~DBGCR_E;
	}
}

static void test_vfp(void)
{
	static struct hyp_vfp in, out;
	u32 bad = 0;

	prepare();
	for (u32 n = 0; n < 32; n++)
		in.d[n] = 0x0123456789abcdefull * (n + 1);
	in.fpscr = 0x03000000;
	in.fpexc = FPEXC_EX | FPEXC_EN | FPEXC_FP2V;
	in.fpinst = 0xee000a00;
	in.fpinst2 = 0xee111a11;
	hyp_vfp_restore(&in, 1);
	report(fpinst[0] == in.fpinst && fpinst[1] == in.fpinst2,
	       "an instruction that waits for support code is loaded");
	fpinst[0] ^= 1;
	fpinst[1] ^= 1;
	/* The emulated FPEXC keeps EN alone: its read traps, and is answered above. */
	fpexc = in.fpexc;
	sysreg_write(HCPTR_TCP10 | HCPTR_TCP11, SYS_HCPTR);
	hyp_isb();
	hyp_vfp_save(&out, 1);
	for (u32 n = 0; n < 32; n++)
		bad += in.d[n] != out.d[n];
	report(!bad && out.fpscr == in.fpscr, "thirty-two registers are moved");
	report(out.fpexc == in.fpexc && out.fpinst == (in.fpinst ^ 1) &&
	       out.fpinst2 == (in.fpinst2 ^ 1), "and that instruction is saved");

	clear(&out, sizeof(out));
	hyp_vfp_restore(&in, 0);
	hyp_vfp_save(&out, 0);
	for (u32 n = 0; n < 32; n++)
		bad += out.d[n] != (n < 16 ? in.d[n] : 0);
	expect(bad, 0, "where there are sixteen, no more are");
}

/* The types of more counters than there are places for. */
static void test_pmu(void)
{
	u32 type, userenr;

	prepare();
	vcpu.pmu.nr = HYP_MAX_COUNTERS + 8;
	vcpu.pmu.userenr = 1;
	for (u32 n = 0; n < HYP_MAX_COUNTERS; n++) {
		vcpu.pmu.counter[n].select = 1;
		vcpu.pmu.counter[n].guest_type = n;
		vcpu.pmu.counter[n].host_type = 0x100 + n;
	}
	sysreg_write(0, SYS_PMUSERENR);
	hyp_pmu_restore(&vcpu.pmu);
	type = sysreg_read(SYS_PMXEVTYPER);
	userenr = sysreg_read(SYS_PMUSERENR);
	report(type == HYP_MAX_COUNTERS - 1 && userenr == 1, "a guest's counters get its filters");
	hyp_pmu_save(&vcpu.pmu);
	type = sysreg_read(SYS_PMXEVTYPER);
	userenr = sysreg_read(SYS_PMUSERENR);
	report(type == 0x100 + HYP_MAX_COUNTERS - 1 && !userenr, "and lose them");
}

#include "lists.h"

/* --- the distributor (hyp/dist.c) --- */

#define NR_IRQS		64
#define DABT		(HSR_EC_DABT << 26 | HSR_IL | HSR_DABT_ISV | HSR_FSC_TRANSLATION | 3)
#define DABT_WORD	(DABT | 2u << 22)
#define SELF		((struct armvmm_vcpu *)0x1234)
#define ELSEWHERE	((struct armvmm_vcpu *)0x5678)

static struct armvmm_vgic_irq irqs[NR_IRQS];
static struct hyp_dist dist;
static struct hyp_vcpu others[2];
static u32 gicd[GICD_SIZE / 4], guest_psr, dist_got;

/* Three vCPUs, of which the first one is in its guest. */
static void dist_prepare(void)
{
	prepare();
	clear(irqs, sizeof(irqs));
	clear(&dist, sizeof(dist));
	clear(others, sizeof(others));
	clear(gicd, sizeof(gicd));
	cpu.gicd = gicd;
	dist.ctlr = 1;
	dist.end = NR_IRQS;
	dist.nr_lr = 4;
	dist.nr_vcpus = 3;
	dist.spis = irqs + GIC_NR_PRIVATE;
	dist.hyp[0] = &vcpu;
	for (u32 i = 0; i < 3; i++)
		dist.vcpu[i] = (struct armvmm_vcpu *)((u32)SELF + i);
	for (u32 i = 0; i < 2; i++) {
		dist.hyp[i + 1] = &others[i];
		others[i].dist.index = i + 1;
	}
	for (u32 i = 0; i < NR_IRQS; i++) {
		irqs[i].intid = i;
		irqs[i].target = SELF;
		irqs[i].edge = irqs[i].enabled = i < GIC_NR_SGIS;
	}
	vcpu.dist.irqs = irqs;
	vcpu.dist.vm = &dist;
	vcpu.dist.self = SELF;
	vcpu.dist.enabled = 0xffff;
	guest_psr = CPSR_M_SVC;
}

/* As hyp_fastpath() calls it. The return of the guest's trap stays where it was. */
static u32 dist_trap(u32 hsr, u32 offset, u32 val)
{
	u32 spsr = spsr_read(), elr = banked_read(ELR_hyp), rt = HSR_DABT_SRT(hsr), ret;

	vcpu.regs.usr_regs.uregs[rt] = val;
	sysreg_write(0xc0001000 + offset, SYS_HDFAR);
	asm volatile("msr SPSR_cxsf, %0" : : "r" (guest_psr));
	ret = hyp_dist_trap(&cpu, &vcpu, hsr);
	dist_got = vcpu.regs.usr_regs.uregs[rt];
	if (banked_read(ELR_hyp) - elr != (ret == HYP_EXIT_TRAP ? 0 : hsr & HSR_IL ? 4 : 2))
		put("# the PC is not where the guest goes on\n"), ret = BOARD_PANICKED;
	banked_write(elr, ELR_hyp);
	asm volatile("msr SPSR_cxsf, %0" : : "r" (spsr));
	return ret;
}

static bool dist_writes(u32 offset, u32 val)
{
	return dist_trap(DABT_WORD | HSR_DABT_WNR, offset, val) == HYP_RESUME;
}

static bool dist_reads(u32 offset, u32 val)
{
	return dist_trap(DABT_WORD, offset, ~val) == HYP_RESUME && dist_got == val;
}

static void test_dist_forms(void)
{
	u32 words = 0, bytes = 0, bad;

	dist_prepare();
	dist.typer = 0x41;
	dist.iidr = VGIC_IIDR(2);
	irqs[34].edge = irqs[35].group1 = irqs[36].line_level = irqs[37].active = true;
	irqs[38].priority = 0x80;
	irqs[39].targets = 3;
	bad = !dist_reads(GICD_CTLR, 1) + !dist_reads(GICD_TYPER, 0x41) +
	      !dist_reads(GICD_IIDR, VGIC_IIDR(2)) + !dist_reads(GICD_IGROUPR + 4, 8) +
	      !dist_reads(GICD_ISENABLER, 0xffff) + !dist_reads(GICD_ICENABLER + 4, 0) +
	      !dist_reads(GICD_ISPENDR + 4, 0x10) + !dist_reads(GICD_ICACTIVER + 4, 0x20) +
	      !dist_reads(GICD_IPRIORITYR + 36, 0x800000) +
	      !dist_reads(GICD_ITARGETSR + 36, 0x03000000) +
	      !dist_reads(GICD_ITARGETSR + 4, 0x01010101) + !dist_reads(GICD_ICFGR + 8, 0x20);
	expect(bad, 0, "the distributor's registers show the model");
	for (u32 offset = 0; offset < GICD_SIZE; offset += 4) {
		words += dist_trap(DABT_WORD | 9 << 16, offset, 0) == HYP_RESUME;
		bytes += dist_trap(DABT | 3 << 16, offset + 1, 0) == HYP_RESUME;
	}
	report(words == 4 + 64 + 2 + 8 + 32 + 4 && bytes == 32, "no others are answered");

	bad = dist_trap(DABT_WORD & ~HSR_DABT_ISV, GICD_IIDR, 0) +
	      dist_trap(DABT_WORD | HSR_DABT_SSE, GICD_IIDR, 0) +
	      dist_trap(DABT | 1u << 22, GICD_IPRIORITYR, 0) +
	      dist_trap(DABT_WORD, GICD_IIDR + 2, 0) + dist_trap(DABT_WORD | 13 << 16, 8, 0);
	guest_psr = CPSR_M_FIQ;
	bad += dist_trap(DABT_WORD | 8 << 16, GICD_IIDR, 0) + !dist_reads(GICD_TYPER, 0x41);
	guest_psr = CPSR_M_SVC | CPSR_E;
	bad += dist_trap(DABT_WORD, GICD_IIDR, 0);
	guest_psr = CPSR_M_SVC | CPSR_T | 1u << 26;
	bad += dist_trap(DABT_WORD, GICD_IIDR, 0);
	guest_psr = CPSR_M_SVC | CPSR_T;
	bad += dist_trap(DABT_WORD & ~HSR_IL, GICD_TYPER, 0) != HYP_RESUME || dist_got != 0x41;
	bad += dist_trap(DABT_WORD, GICD_ISENABLER + 4, 1) != HYP_RESUME || dist_got;
	vcpu.vpidr = MIDR_ARM << 24 | MIDR_PART_A15 << 4;
	bad += dist_trap(DABT_WORD | HSR_DABT_WNR, GICD_ICPENDR, 1);
	vcpu.vpidr = MIDR_ARM << 24 | MIDR_PART_A15 << 4 | 2 << 20;
	bad += dist_trap(DABT_WORD | HSR_DABT_WNR, GICD_ICPENDR, 1) != HYP_RESUME;
	guest_psr = CPSR_M_SVC;
	vcpu.debug.mode = HYP_DEBUG_LOAD;
	bad += dist_trap(DABT_WORD, GICD_IIDR, 0);
	expect(bad, 0, "nor accesses of other forms");
}

static void test_dist_writes(void)
{
	u32 bad;

	dist_prepare();
	bad = !dist_writes(GICD_ISENABLER + 4, 2) + !dist_reads(GICD_ICENABLER + 4, 2) +
	      !irqs[33].enabled + !dist_writes(GICD_ICENABLER + 4, ~0u) + irqs[33].enabled +
	      dist_writes(GICD_ISENABLER + 4, 3) + dist_writes(GICD_ICENABLER, 1) +
	      !dist_writes(GICD_ISPENDR + 4, 4) + !irqs[34].pending_latch +
	      dist_writes(GICD_ISENABLER + 4, 4) + !dist_writes(GICD_ICPENDR + 4, 4) +
	      irqs[34].pending_latch + !dist_writes(GICD_ISPENDR, 0xffff) +
	      dist_writes(GICD_ISACTIVER + 4, 1) + !dist_writes(GICD_ICACTIVER + 4, 0) +
	      !dist_writes(GICD_ICACTIVER + 4, ~0u) + !dist_writes(GICD_ICACTIVER, ~0u) +
	      dist_writes(GICD_CTLR, 0) + dist_writes(GICD_ISENABLER + 0x40, 1);
	/* A private one. */
	bad += !dist_writes(GICD_ISPENDR, 1 << 20) + !irqs[20].pending_latch +
	       !dist_reads(GICD_ISPENDR, 1 << 20) + !dist_writes(GICD_ICPENDR, 1 << 20) +
	       irqs[20].pending_latch + !dist_reads(GICD_ICPENDR, 0);
	bad += !dist_writes(GICD_IPRIORITYR + 40, 0xf80000) + irqs[42].priority != 0xf8;
	bad += dist_writes(GICD_IPRIORITYR + 40, 0x1010) + irqs[40].priority +
	       !dist_writes(GICD_IPRIORITYR + 40, 0xff0000) +
	       dist_writes(GICD_IPRIORITYR + 0x100, 8);
	bad += !dist_writes(GICD_ITARGETSR + 40, 0xf6) + (irqs[40].target != dist.vcpu[1]) +
	       !dist_writes(GICD_ITARGETSR + 40, 0) + (irqs[40].target != dist.vcpu[0]) +
	       !dist_writes(GICD_ITARGETSR, 6);
	bad += dist_trap(DABT | HSR_DABT_WNR, GICD_IPRIORITYR + 41, 0x18) != HYP_RESUME ||
	       irqs[41].priority != 0x18;
	expect(bad, 0, "one interrupt that is on no list may be changed");

	/* Its guest handles 45; it has 46 before it, and another vCPU 47. */
	for (u32 i = 45; i < 48; i++) {
		irqs[i].vcpu = i < 47 ? SELF : ELSEWHERE;
		irqs[i].in_lr = irqs[i].enabled = true;
		irqs[i].lr_nr = i - 45;
		gich[GICH_LR(i - 45) / 4] = i | (i == 45 ? GICH_LR_ACTIVE : GICH_LR_PENDING);
	}
	dist.enabled[1] = 7 << 13;
	vcpu.vgic.used_lrs = 2;
	bad = !dist_writes(GICD_ICENABLER + 4, 1 << 13) + irqs[45].enabled +
	      dist_writes(GICD_ICENABLER + 4, 1 << 14) + dist_writes(GICD_ICENABLER + 4, 1 << 15) +
	      dist_writes(GICD_ICPENDR + 4, 1 << 13) + dist_writes(GICD_IPRIORITYR + 44, 0x800) +
	      dist_writes(GICD_ITARGETSR + 44, 0x200) +
	      (dist_trap(DABT_WORD, GICD_ISPENDR + 4, 0) != HYP_EXIT_TRAP);
	irqs[45].lr_nr = 9;
	bad += dist_writes(GICD_ISENABLER + 4, 1 << 13);
	expect(bad, 0, "not one that is, but the enable bit of one that its guest handles");

	for (u32 i = 0; i < NR_IRQS; i++)
		irqs[i].lock.raw_lock.slock = 1;
	irqs[50].get_level = (void *)test_vgic;
	bad = dist_writes(GICD_ISPENDR, 1 << 20) + irqs[20].pending_latch +
	      dist_writes(GICD_ISENABLER, 1 << 20) + irqs[20].enabled +
	      dist_writes(GICD_ISENABLER + 4, 1) + dist_writes(GICD_ISPENDR + 4, 1) +
	      dist_writes(GICD_IPRIORITYR + 32, 8) + dist_writes(GICD_ITARGETSR + 32, 2) +
	      irqs[32].enabled + irqs[32].pending_latch + irqs[32].priority + irqs[32].targets +
	      (dist_trap(DABT_WORD, GICD_ISACTIVER + 4, 0) != HYP_EXIT_TRAP) +
	      dist_writes(GICD_ICACTIVER + 4, ~0u);
	irqs[50].lock.raw_lock.slock = 0;
	bad += dist_writes(GICD_ISENABLER + 4, 1 << 18) + dist_writes(GICD_ISPENDR + 4, 1 << 18);
	expect(bad, 0, "nor one whose lock another has, or whose line the host samples");
}

static u32 dist_sgi(u32 sgir)
{
	return dist_trap(DABT_WORD | HSR_DABT_WNR, GICD_SGIR, sgir);
}

static void test_dist_sgi(void)
{
	u32 *lr = &gich[GICH_LR(0) / 4], bad;

	dist_prepare();
	irqs[3].priority = 0xa0;
	irqs[4].group1 = true;
	bad = dist_sgi(2 << 24 | 3) != HYP_RESUME || lr[0] != (GICH_LR_PENDING | 0x14u << 23 | 3) ||
	      gich[GICH_HCR / 4] != GICH_HCR_En;
	bad += dist_sgi(0x10000 | 4) != HYP_RESUME || lr[1] != (GICH_LR_PENDING | GICH_LR_GRP1 | 4);
	lr[0] = (lr[0] & ~GICH_LR_STATE) | GICH_LR_ACTIVE;
	bad += dist_sgi(2 << 24 | 3) != HYP_RESUME || (lr[0] & GICH_LR_STATE) != GICH_LR_STATE;
	lr[1] = 0;
	bad += dist_sgi(2 << 24 | 4) != HYP_RESUME || lr[1] != (GICH_LR_PENDING | GICH_LR_GRP1 | 4);
	report(!bad && vcpu.vgic.used_lrs == 2 && vcpu.vgic.own == 2,
	       "an SGI to itself is shown by a list register");

	lr[1] |= 2 << GICH_LR_CPUID_SHIFT;
	bad = dist_sgi(2 << 24 | 4);
	vcpu.vgic.lr[0] |= GICH_LR_EOI;
	bad += dist_sgi(2 << 24 | 3);
	irqs[5].vcpu = SELF;
	bad += dist_sgi(2 << 24 | 5);
	irqs[6].enabled = false;
	bad += dist_sgi(2 << 24 | 6);
	vcpu.vgic.used_lrs = 4;
	bad += dist_sgi(2 << 24 | 7);
	vcpu.vgic.full = 1;
	bad += dist_sgi(2 << 24 | 7) + (dist_sgi(3 << 24 | 7) != HYP_RESUME);
	/* What is shown so is not in the structures. */
	bad += dist_trap(DABT_WORD, GICD_ISPENDR, 0) + dist_writes(GICD_IPRIORITYR + 4, 8);
	vcpu.vgic.full = dist.ctlr = 0;
	bad += dist_sgi(2 << 24 | 7);
	expect(bad, 0, "or left to the host");

	dist_prepare();
	others[0].dist.listen = 0x10;
	bad = dist_sgi(0x20000 | 9) != HYP_RESUME || gicd[GICD_SGIR / 4] != 0x10 << 16 ||
	      others[0].dist.listen != HYP_LISTEN_KICKED || others[0].dist.posted != 1 << 9 ||
	      others[0].dist.sources[2] != 1 << 8 || vcpu.stat.hyp_sgi_kick != 1;
	gicd[GICD_SGIR / 4] = 0;
	bad += dist_sgi(0x20000 | 1) != HYP_RESUME || gicd[GICD_SGIR / 4];
	report(!bad, "one to others interrupts who is in a guest, once");
	bad = dist_sgi(1 << 24 | 2) != HYP_EXIT_IRQ || vcpu.dist.notify != 4 ||
	      others[1].dist.posted != 4;
	vcpu.dist.notify = 0;
	others[1].dist.listen = HYP_LISTEN_KICKED;
	irqs[9].enabled = false;
	bad += dist_sgi(0x50000 | 9) != HYP_EXIT_IRQ || vcpu.dist.posted != 1 << 9 ||
	       others[1].dist.posted != (1 << 9 | 4) || vcpu.dist.notify;
	bad += dist_trap(DABT_WORD, GICD_ISPENDR, 0);
	report(!bad, "and the host is told of the rest");

	dist_prepare();
	others[0].dist.listen = HYP_LISTEN_KICKED;
	bad = dist_sgi(0x30000 | 8) != HYP_RESUME || lr[0] != (GICH_LR_PENDING | 8) ||
	      others[0].dist.posted != 1 << 8 || others[0].dist.sources[2] != 1 ||
	      vcpu.dist.posted || vcpu.dist.notify || others[1].dist.posted;
	report(!bad, "one to itself and to another goes both ways");
}

#include "mmio.h"
#include "exchange.h"

/* --- the virtual timer's interrupt (hyp/timer.c) --- */

static u32 timer_irq(u32 ctl)
{
	u32 ret;

	gicd[GICD_ISACTIVER / 4] = 0;
	sysreg_write(ctl, SYS_CNTV_CTL);
	hyp_isb();
	ret = hyp_irq(&cpu, &vcpu);
	sysreg_write(0, SYS_CNTV_CTL);
	hyp_isb();
	return ret;
}

#define LEFT_WITH(what, is)								\
	(was = (what), (what) = (is), bad += timer_irq(1) != HYP_EXIT_IRQ, (what) = was)

static void test_timer(void)
{
	u32 *lr = &gich[GICH_LR(0) / 4], shown, was, bad;

	dist_prepare();
	irqs[27].hw = irqs[27].group1 = irqs[27].enabled = true;
	irqs[27].hwintid = 26;
	irqs[27].priority = 0xa0;
	sysreg_write64(0, SYS_CNTVOFF);
	sysreg_write64(0, SYS_CNTV_CVAL);
	bad = timer_irq(1) != HYP_EXIT_IRQ;
	vcpu.cntv_irq = &irqs[27];
	bad += timer_irq(0) != HYP_EXIT_IRQ || timer_irq(3) != HYP_EXIT_IRQ;
	LEFT_WITH(irqs[27].enabled, false);
	LEFT_WITH(irqs[27].pending_latch, true);
	LEFT_WITH(vcpu.vgic.full, 1);
	LEFT_WITH(vcpu.debug.mode, HYP_DEBUG_LOAD);
	LEFT_WITH(dist.ctlr, 0);
	LEFT_WITH(dist.nr_lr, 0);
	irqs[27].vcpu = SELF;
	bad += timer_irq(1) != HYP_EXIT_IRQ;
	irqs[27].vcpu = NULL;
	report(!bad && !lr[0] && !gicd[GICD_ISACTIVER / 4] && !vcpu.cntv_held && !vcpu.vgic.own,
	       "an expired timer that is not for HYP mode is left to the host");

	shown = GICH_LR_HW | GICH_LR_GRP1 | GICH_LR_PENDING | 0x14u << 23 | 26 << 10 | 27;
	bad = timer_irq(1) != HYP_RESUME || gicd[GICD_ISACTIVER / 4] != 1 << 26 || lr[0] != shown ||
	      vcpu.vgic.used_lrs != 1 || vcpu.vgic.own != 1 || !vcpu.cntv_held ||
	      gich[GICH_HCR / 4] != GICH_HCR_En;
	bad += timer_irq(1) != HYP_RESUME || lr[0] != shown || !gicd[GICD_ISACTIVER / 4];
	lr[0] = (shown & ~GICH_LR_STATE) | GICH_LR_ACTIVE;
	vcpu.vgic.full = 1;
	bad += timer_irq(1) != HYP_RESUME || lr[0] & GICH_LR_PENDING || !gicd[GICD_ISACTIVER / 4];
	vcpu.vgic.full = 0;
	/* The board's clock has no register there, which reads as zero: nothing becomes active. */
	cpu.gicd = (void *)BOARD_CLOCK;
	vcpu.cntv_held = 0;
	bad += timer_irq(1) != HYP_EXIT_IRQ || lr[0] & GICH_LR_PENDING || vcpu.cntv_held;
	lr[0] = shown & ~GICH_LR_STATE;
	bad += timer_irq(1) != HYP_EXIT_IRQ || lr[0] & GICH_LR_STATE || vcpu.cntv_held;
	cpu.gicd = gicd;
	bad += timer_irq(1) != HYP_RESUME || gicd[GICD_ISACTIVER / 4] != 1 << 26 ||
	       lr[0] != shown || vcpu.vgic.used_lrs != 1;
	report(!bad && vcpu.stat.hyp_timer == 2, "another is shown, and the host's is active");
	lr[0] = shown & ~GICH_LR_STATE;
	pending(READ_TIMER);
	expect(timer_irq(1), HYP_EXIT_IRQ, "what else is pending ends the guest's turn");
	pending(0);
	report(lr[0] == shown && gicd[GICD_ISACTIVER / 4] == 1 << 26, "with the timer's shown");
}

void board_main(void)
{
	put("TAP version 13\n1..101\n");
	test_exchange();
	test_run();
	test_fastpath();
	test_order();
	test_late();
	test_serror();
	test_fault();
	test_panic();
	fail_entry(false, false);
	fail_entry(true, false);
	fail_entry(false, true);
	test_debug_drop();
	test_fiq();
	test_debug();
	test_vfp();
	test_pmu();
	test_vgic();
	test_dist_forms();
	test_dist_writes();
	test_dist_sgi();
	test_mmio();
	test_timer();
	finish();
}

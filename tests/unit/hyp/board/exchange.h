/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the world switch exchanges, register by register (docs/architecture.md has the reasons): the
 * host and a guest each have a value of their own in every register, and find it again. A part of
 * whole.c.
 */
#ifndef BOARD_EXCHANGE_H
#define BOARD_EXCHANGE_H

/* PL1's. The host needs what is before LR_abt; the rest is dead at its call. */
#define PL1_ROWS(SYS, SYS64, BANKED)						\
	SYS(SCTLR) SYS(CPACR) SYS(VBAR) SYS(PRRR) SYS(NMRR) SYS(CNTKCTL)	\
	SYS(TPIDRPRW) BANKED(SP_abt) BANKED(SP_und) BANKED(SP_irq)		\
	SYS64(TTBR0) SYS64(TTBR1) SYS(TTBCR) SYS(DACR) SYS(CONTEXTIDR)		\
	SYS(TPIDRURW) SYS(TPIDRURO)						\
	BANKED(R8_fiq) BANKED(R9_fiq) BANKED(R10_fiq) BANKED(R11_fiq)		\
	BANKED(R12_fiq) BANKED(SP_fiq) BANKED(LR_fiq) BANKED(SPSR_fiq)		\
	SYS(TEECR) SYS(TEEHBR)							\
	BANKED(LR_abt) BANKED(SPSR_abt) BANKED(LR_und) BANKED(SPSR_und)		\
	BANKED(LR_irq) BANKED(SPSR_irq) BANKED(SP_usr)				\
	SYS(DFSR) SYS(IFSR) SYS(DFAR) SYS(IFAR) SYS64(PAR) SYS(CSSELR)

/* HYP mode's, which are the guest's while it runs; and two that its PL1 may write. */
#define HYP_ROWS(SYS, SYS64)							\
	SYS(HCR) SYS(HSTR) SYS(HDCR) SYS(HCPTR) SYS64(VTTBR) SYS(VPIDR)		\
	SYS(VMPIDR) SYS(CNTHCTL) SYS64(CNTVOFF) SYS(CNTV_CTL) SYS(FCSEIDR)

/*
 * The emulator's read as zero. In HYP mode's code these stand for them, of which the board needs
 * none: its guests cause no fault, and the MMU of HYP mode is off.
 */
#define STANDIN_ROWS(X)								\
	X(AMAIR0, CP15_AMAIR0, 0, 10, 3, 0, HMAIR0, 4, 10, 2, 0)		\
	X(AMAIR1, CP15_AMAIR1, 0, 10, 3, 1, HIFAR, 4, 6, 0, 2)			\
	X(ADFSR, CP15_ADFSR, 0, 5, 1, 0, HDFAR, 4, 6, 0, 0)			\
	X(AIFSR, CP15_AIFSR, 0, 5, 1, 1, HPFAR, 4, 6, 0, 4)

#define SYS_HMAIR0	4, c10, c2, 0
#define MCR_OF(op1, crn, crm, op2)	\
	(0xee000f10 | (op1) << 21 | (crn) << 16 | (op2) << 5 | (crm))
#define MCR_LOAD_RT	0x0010f000u	/* MRC, and which core register */
#define MAX_PATCHES	32

#define ROW(name)	ROW_##name,
#define ROW64(name)	ROW_##name, ROW_##name##_HI,
#define NAME(name)	#name,
#define NAME64(name)	#name, #name " (63:32)",
#define STANDIN_ROW(name, ...)	ROW_##name,
#define STANDIN_NAME(name, ...)	#name,

enum { PL1_ROWS(ROW, ROW64, ROW) NR_PL1, NR_HOST = ROW_LR_abt };
enum { HYP_ROWS(ROW, ROW64) NR_HYP };
enum { STANDIN_ROWS(STANDIN_ROW) NR_STANDINS, ROW_HOST_STANDINS = ROW_ADFSR };

static const char *const pl1_names[] = { PL1_ROWS(NAME, NAME64, NAME) };
static const char *const hyp_names[] = { HYP_ROWS(NAME, NAME64) };
static const char *const standin_names[] = { STANDIN_ROWS(STANDIN_NAME) };

/* Not of coprocessor 15 */
#define T2EE_ACCESS(name, crn)							\
static u32 read_##name(void)							\
{										\
	u32 v;									\
										\
	asm volatile("mrc p14, 6, %0, " #crn ", c0, 0" : "=r" (v));		\
	return v;								\
}										\
static void write_##name(u32 v)							\
{										\
	asm volatile("mcr p14, 6, %0, " #crn ", c0, 0" : : "r" (v));		\
}
#define SYS_ACCESS(name)							\
static u32 read_##name(void)							\
{										\
	return sysreg_read(SYS_##name);						\
}										\
static void write_##name(u32 v)							\
{										\
	sysreg_write(v, SYS_##name);						\
}
T2EE_ACCESS(TEECR, c0)
T2EE_ACCESS(TEEHBR, c1)
SYS_ACCESS(SCTLR) SYS_ACCESS(CPACR) SYS_ACCESS(VBAR) SYS_ACCESS(PRRR) SYS_ACCESS(NMRR)
SYS_ACCESS(CNTKCTL) SYS_ACCESS(TPIDRPRW) SYS_ACCESS(TTBCR) SYS_ACCESS(DACR)
SYS_ACCESS(CONTEXTIDR) SYS_ACCESS(TPIDRURW) SYS_ACCESS(TPIDRURO) SYS_ACCESS(DFSR)
SYS_ACCESS(IFSR) SYS_ACCESS(DFAR) SYS_ACCESS(IFAR) SYS_ACCESS(CSSELR)

/* Both in HYP mode and in SVC mode. */
static void pl1_read(u32 *to)
{
	u64 v;

#define READ(name)	to[ROW_##name] = read_##name();
#define READ64(name)	v = sysreg_read64(SYS_##name), to[ROW_##name] = (u32)v,		\
			to[ROW_##name##_HI] = (u32)(v >> 32);
#define READ_BANK(name)	to[ROW_##name] = banked_read(name);
	PL1_ROWS(READ, READ64, READ_BANK)
}

static void pl1_write(const u32 *from)
{
#define WRITE(name)	write_##name(from[ROW_##name]);
#define WRITE64(name)	sysreg_write64((u64)from[ROW_##name##_HI] << 32 | from[ROW_##name], \
				       SYS_##name);
#define WRITE_BANK(name) banked_write(from[ROW_##name], name);
	PL1_ROWS(WRITE, WRITE64, WRITE_BANK)
	hyp_isb();
}

static void hyp_read(u32 *to)
{
	u64 v;

#define READ_HYP(name)	to[ROW_##name] = sysreg_read(SYS_##name);
	HYP_ROWS(READ_HYP, READ64)
}

static void standin_read(u32 *to)
{
#define READ_STANDIN(name, word, op1, crn, crm, op2, by, ...)				\
	to[ROW_##name] = sysreg_read(SYS_##by);
	STANDIN_ROWS(READ_STANDIN)
}

static void standin_write(u32 with)
{
#define WRITE_STANDIN(name, word, op1, crn, crm, op2, by, ...)				\
	sysreg_write(with + ROW_##name * 0x1010, SYS_##by);
	STANDIN_ROWS(WRITE_STANDIN)
}

/* --- the guest, in SVC mode with its MMU off --- */

static u32 guest_has[NR_PL1], guest_finds[NR_PL1], guest_svc[3];
static u32 guest_stack[256] __attribute__((aligned(8)));

/* It has a stack of its own, by SP_svc. */
static noinline void exchange_guest(void)
{
	pl1_write(guest_has);
	pl1_read(guest_has);
	sysreg_write(0x02000000, SYS_FCSEIDR);
	sysreg_write64(0x123456789abcull, SYS_CNTV_CVAL);
	sysreg_write(CNT_CTL_IMASK, SYS_CNTV_CTL);
	asm volatile("msr	LR_usr, %3\n\tmsr SPSR_cxsf, %4\n\tmov	lr, %5\n\t"
		     "hvc	#7\n\t"
		     "mov	%2, lr\n\tmrs	%1, SPSR\n\tmrs	%0, LR_usr"
		     : "=&r" (guest_svc[0]), "=&r" (guest_svc[1]), "=&r" (guest_svc[2])
		     : "r" (0x5a5a0001), "r" (0x5a1a0002), "r" (0x5a5a0003) : "lr", "memory");
	pl1_read(guest_finds);
	asm volatile("hvc	#8" : : : "memory");
	for (;;)
		;
}

/* --- between the guest's trap and HYP mode's vector (whole.S) --- */

static u32 hyp_in_guest[NR_HYP], standin_in_guest[NR_STANDINS], standin_next, r8_in_guest;

void board_peek_at(void)
{
	if (!cpu.vcpu)
		return;
	hyp_read(hyp_in_guest);
	r8_in_guest = banked_read(R8_fiq);
	if (!standin_next)
		return;
	standin_read(standin_in_guest);
	standin_write(standin_next);
}

/* --- the test --- */

static u32 *standin_at[MAX_PATCHES], standin_was[MAX_PATCHES], standin_nr;

static void standins(bool on)
{
	if (on) {
		for (u32 *p = (u32 *)hyp_text_start; p < (u32 *)hyp_text_end; p++) {
			u32 insn = *p, key = insn & ~MCR_LOAD_RT;

#define PATCH(name, word, op1, crn, crm, op2, by, ...)					\
			if (key == MCR_OF(op1, crn, crm, op2) && standin_nr < MAX_PATCHES) {	\
				standin_at[standin_nr] = p;				\
				standin_was[standin_nr++] = insn;			\
				patch(p, MCR_OF(__VA_ARGS__) | (insn & MCR_LOAD_RT));	\
			}
			STANDIN_ROWS(PATCH)
		}
		return;
	}
	while (standin_nr)
		standin_nr--, patch(standin_at[standin_nr], standin_was[standin_nr]);
}

static u32 rows_differ(const u32 *got, const u32 *want, u32 nr, const char *const *names)
{
	u32 bad = 0;

	for (u32 n = 0; n < nr; n++) {
		if (got[n] == want[n])
			continue;
		bad++;
		put("# ");
		put(names[n]);
		put(": ");
		put_hex(got[n]);
		put(" and not ");
		put_hex(want[n]);
		put("\n");
	}
	return bad;
}

static u32 rows_same(const u32 *a, const u32 *b, u32 nr, const char *const *names)
{
	u32 same = 0;

	for (u32 n = 0; n < nr; n++) {
		if (a[n] != b[n])
			continue;
		same++;
		put("# the same in both worlds: ");
		put(names[n]);
		put("\n");
	}
	return same;
}

/* What cannot be anything: the MMU stays off, and nothing traps that is needed. */
static void exchange_patterns(u32 *of, u32 pattern, bool guest)
{
	for (u32 n = 0; n < NR_PL1; n++)
		of[n] = pattern + n * 0x1010;
	of[ROW_SCTLR] = SCTLR_OFF | (guest ? 1 << 11 : 1 << 12);
	of[ROW_CPACR] = guest ? 0x500000 : 0xf00000;
	of[ROW_TTBCR] = guest ? 3 : TTBCR_BIT_EAE;
	of[ROW_TTBR0] &= 0xffffff00;
	of[ROW_TTBR1] &= 0xffffff00;
	of[ROW_TTBR0_HI] = of[ROW_TTBR1_HI] = guest ? 0x00110000 : 0x00220000;
	of[ROW_CSSELR] = guest;
	of[ROW_TEECR] = guest;
}

static void exchange_hyp(u32 *of, bool guest)
{
	const struct hyp_host_const *h = &cpu.host;

	of[ROW_HCR] = guest ? vcpu.hcr : 0;
	of[ROW_HSTR] = guest ? vcpu.hstr : 0;
	of[ROW_HDCR] = guest ? vcpu.hdcr | (h->hdcr & HDCR_HPMN_MASK) : h->hdcr;
	of[ROW_HCPTR] = guest ? h->hcptr | HCPTR_TCP10 | HCPTR_TCP11 | HCPTR_TTA : h->hcptr;
	of[ROW_VTTBR] = guest ? (u32)vcpu.vttbr : (u32)h->vttbr;
	of[ROW_VTTBR_HI] = guest ? (u32)(vcpu.vttbr >> 32) : (u32)(h->vttbr >> 32);
	of[ROW_VPIDR] = guest ? vcpu.vpidr : sysreg_read(SYS_MIDR);
	of[ROW_VMPIDR] = guest ? vcpu.cp15[CP15_MPIDR] : sysreg_read(SYS_MPIDR);
	of[ROW_CNTHCTL] = guest ? CNTHCTL_PL1PCTEN : CNTHCTL_PL1PCTEN | 2;
	of[ROW_CNTVOFF] = guest ? (u32)vcpu.cntvoff : 0;
	of[ROW_CNTVOFF_HI] = guest ? (u32)(vcpu.cntvoff >> 32) : 0;
	of[ROW_CNTV_CTL] = guest ? CNT_CTL_IMASK : 0;
	of[ROW_FCSEIDR] = guest ? 0x02000000 : 0;
}

/* With registers that stand for those of few CPUs, and as most are. */
static void exchange(bool few)
{
	static u32 was[NR_PL1], host_has[NR_PL1], host_finds[NR_PL1];
	static u32 hyp_was[NR_HYP], hyp_now[NR_HYP], hyp_want[NR_HYP], hyp_guest[NR_HYP];
	static u32 standin_host[NR_STANDINS], standin_now[NR_STANDINS];
	u32 code, bad;

	pl1_read(was);
	hyp_read(hyp_was);
	prepare();
	standins(few);
	exchange_patterns(host_has, 0xa5a50000, false);
	exchange_patterns(guest_has, 0x5a5a0000, true);
	pl1_write(host_has);
	pl1_read(host_has);
	if (few)
		standin_write(0xa5a50000);
	standin_read(standin_host);
	sysreg_write(hyp_was[ROW_HDCR] | HDCR_TPMCR, SYS_HDCR);
	sysreg_write(CNTHCTL_PL1PCTEN | 2, SYS_CNTHCTL);
	sysreg_write64(0x0009ull << 48, SYS_VTTBR);
	hyp_isb();
	hyp_snapshot(&cpu);
	standin_read(standin_now);
	bad = rows_differ(standin_now, standin_host, NR_STANDINS, standin_names);
	report(!bad, few ? "a CPU has AMAIR0 and AMAIR1, and keeps the host's" :
			   "the emulator's has neither");
	cpu.odd = few ? HYP_ODD_AMAIR : 0;

	vcpu.hcr |= HCR_TSW;
	vcpu.hstr = 1 << 15;
	vcpu.hdcr = HDCR_TPM;
	vcpu.vpidr = 0x410fc071;
	vcpu.cp15[CP15_MPIDR] = 0x80000303;
	vcpu.vttbr = 0x0007000048000000ull;
	vcpu.cntvoff = 0x1122334455667788ull;
	vcpu.rare.thumbee = vcpu.rare.vpidr = 1;
	vcpu.teecr = 1;
#define FILL(name, word, ...)	vcpu.cp15[word] = 0x5a5a0000 + ROW_##name * 0x1010;
	STANDIN_ROWS(FILL)
	standin_next = few ? 0x3c3c0000 : 0;
	/* A host that is left with the guest's stack finds there only this to return to. */
	for (u32 n = 0; n < 256; n++)
		guest_stack[n] = (u32)board_panicked;
	for (u32 n = 0; n < 15; n++)
		vcpu.regs.usr_regs.uregs[n] = (long)board_panicked;
	vcpu.regs.svc_regs[0] = (long)&guest_stack[128];
	vcpu.regs.usr_regs.uregs[15] = (long)exchange_guest;
	board_slots[5] = (u32)board_peek;

	code = board_host(run, 0);
	pl1_read(host_finds);
	hyp_read(hyp_now);
	standin_read(standin_now);
	report(code == HYP_EXIT_TRAP && (vcpu.hsr & 0xffff) == 7,
	       "a guest changes each register, and traps");
	exchange_hyp(hyp_want, false);
	exchange_hyp(hyp_guest, true);
	bad = rows_same(host_has, guest_has, NR_PL1, pl1_names) +
	      rows_same(hyp_want, hyp_guest, NR_HYP, hyp_names);
	if (few)
		bad += rows_same(standin_host, standin_in_guest, NR_STANDINS, standin_names);
	expect(bad, 0, "none had the host's value by chance");
	expect(rows_differ(host_finds, host_has, NR_HOST, pl1_names), 0,
	       "each of the host's registers that is not dead is as it was");
	bad = rows_differ(hyp_now, hyp_want, NR_HYP, hyp_names);
	expect(bad, 0, "those of HYP mode, and the virtual timer, are as the host needs them");
	bad = rows_differ(hyp_in_guest, hyp_guest, NR_HYP, hyp_names);
	expect(bad, 0, "and were the guest's while it ran");
	bad = rows_differ(standin_now, standin_host, ROW_HOST_STANDINS, standin_names);
#define CHECK_FILL(name, word, ...)							\
	bad += standin_in_guest[ROW_##name] != 0x5a5a0000 + ROW_##name * 0x1010 ||	\
	       vcpu.cp15[word] != 0x3c3c0000 + ROW_##name * 0x1010;
	if (few) {
		STANDIN_ROWS(CHECK_FILL)
		expect(bad, 0, "so are those that the emulator's CPU does not have");
	}

	code = board_host(run, 0);
	board_slots[5] = (u32)hyp_vectors + 20;
	report(code == HYP_EXIT_TRAP && (vcpu.hsr & 0xffff) == 8, "it goes on");
	bad = rows_differ(guest_finds, guest_has, NR_PL1, pl1_names);
	expect(bad, 0, "and finds each of its registers as it was");
	report(guest_svc[0] == 0x5a5a0001 && guest_svc[1] == 0x5a1a0002 &&
	       guest_svc[2] == 0x5a5a0003 && vcpu.cntv_cval == 0x123456789abcull,
	       "its LR_usr, SPSR_svc and LR_svc, and the timer's time, too");

	standins(false);
	pl1_write(was);
	sysreg_write(hyp_was[ROW_HDCR], SYS_HDCR);
	sysreg_write(hyp_was[ROW_CNTHCTL], SYS_CNTHCTL);
	sysreg_write64(0, SYS_VTTBR);
	hyp_isb();
}

/* NSACR.RFR: the bank is nobody's here (DDI 0406C B4.1.111). */
static void exchange_reserved(void)
{
	u32 r8;

	prepare();
	cpu.odd = HYP_ODD_FIQ;
	banked_write(0xa5a50001, R8_fiq);
	vcpu.regs.fiq_regs[0] = 0x5a5a0001;
	standin_next = 0;
	board_slots[5] = (u32)board_peek;
	board_host(run, 0);
	r8 = banked_read(R8_fiq);
	report(board_ran == 1 && r8_in_guest == 0xa5a50001 && r8 == 0xa5a50001 &&
	       !cpu.saved.fiq[0] && vcpu.regs.fiq_regs[0] == 0x5a5a0001,
	       "FIQ mode's registers are left alone where they are reserved");
	prepare();
	cpu.odd = HYP_ODD_FIQ;
	banked_write(0xa5a50001, R8_fiq);
	hyp_host_rest(&cpu);
	expect(banked_read(R8_fiq), 0xa5a50001, "after a fault in HYP mode, too");
	cpu.odd = 0;
	cpu.saved.fiq[0] = 0xa5a50002;
	hyp_host_rest(&cpu);
	expect(banked_read(R8_fiq), 0xa5a50002, "else the host gets its own back");
}

static void test_exchange(void)
{
	exchange(false);
	exchange(true);
	exchange_reserved();
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world switch. hyp_switch_to_guest() reads as the list of what changes
 * hands; hyp_switch_to_host() mirrors it. General-purpose registers are the
 * assembly's (hyp/vectors.S).
 *
 * There is no VHE: guest and host share one PL1. docs/architecture.md tells
 * which of the host's registers are constant, dead or moved, and why.
 */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>

#include "hyp/cpu.h"
#include "hyp/fiq.h"
#include "hyp/offsets.h"
#include "hyp/sysreg.h"

asm(".arch_extension virt");

static_assert(offsetof(struct hyp_vcpu, regs.usr_regs.uregs[0]) == VCPU_R0);
static_assert(offsetof(struct hyp_vcpu, regs.usr_regs.uregs[4]) == VCPU_R4);
static_assert(offsetof(struct hyp_vcpu, regs.usr_regs.uregs[13]) == VCPU_SP);
static_assert(offsetof(struct hyp_vcpu, regs.usr_regs.uregs[14]) == VCPU_LR);
static_assert(offsetof(struct hyp_vcpu, regs.usr_regs.uregs[15]) == VCPU_PC);
static_assert(offsetof(struct hyp_vcpu, regs.usr_regs.uregs[16]) == VCPU_CPSR);
static_assert(offsetof(struct hyp_cpu, vcpu) == CPU_VCPU);
static_assert(offsetof(struct hyp_cpu, stack_top) == CPU_STACK_TOP);
static_assert(offsetof(struct hyp_cpu, serror) == CPU_SERROR);
static_assert(offsetof(struct hyp_cpu, release) == CPU_RELEASE);
static_assert(offsetof(struct hyp_cpu, restart) == CPU_RESTART);
static_assert(offsetof(struct hyp_cpu, stub_hvbar) == CPU_STUB_HVBAR);
static_assert(offsetof(struct hyp_cpu, stub_hsctlr) == CPU_STUB_HSCTLR);
static_assert(offsetof(struct hyp_cpu, panic.regs[0]) == CPU_PANIC_R0);
static_assert(offsetof(struct hyp_cpu, panic.vector) == CPU_PANIC_VECTOR);

void hyp_switch_to_guest(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu);
u32 hyp_switch_to_host(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 code);

/*
 * Stops PL1&0 translation table walks, so that no walk starts with the tables
 * of one world under the VMID of the other (DDI 0406C B3.10.4 lets the CPU walk
 * speculatively at any time). The new world's TTBCR ends it. Returns the old
 * one: the host's is no constant, for kernels that keep user space out of
 * reach by TTBR0 turn its walks on and off (CPU_TTBR0_PAN).
 */
__hyp_inline u32 walks_off(void)
{
	u32 ttbcr = sysreg_read(SYS_TTBCR);

	sysreg_write(ttbcr | (ttbcr & TTBCR_BIT_EAE ? TTBCR_BIT_EPD0 | TTBCR_BIT_EPD1 :
						  TTBCR_PD0 | TTBCR_PD1), SYS_TTBCR);
	hyp_isb();
	return ttbcr;
}

u32 __hyp_text hyp_walks_off(void)
{
	return walks_off();
}

/*
 * Where each register that is moved by groups has its word: the compiler compares each list with
 * the structure that its words are in.
 */
#define HOST_WORD(member)	(offsetof(struct hyp_cpu, member) / sizeof(u32))
#define GUEST_WORD(member)	(offsetof(struct hyp_vcpu, member) / sizeof(u32))

enum {
	HOST_OF_SP_abt = HOST_WORD(host.sp_abt),
	HOST_OF_SP_und = HOST_WORD(host.sp_und),
	HOST_OF_SP_irq = HOST_WORD(host.sp_irq),
	HOST_OF_SYS_CPACR = HOST_WORD(host.cpacr),
	HOST_OF_SYS_PRRR = HOST_WORD(host.prrr),
	HOST_OF_SYS_NMRR = HOST_WORD(host.nmrr),
	HOST_OF_SYS_VBAR = HOST_WORD(host.vbar),
	HOST_OF_SYS_TPIDRPRW = HOST_WORD(host.tpidrprw),
	HOST_OF_SYS_CNTKCTL = HOST_WORD(host.cntkctl),
	HOST_OF_SYS_TTBR1 = HOST_WORD(host.ttbr1),
	HOST_OF_SYS_TTBR0 = HOST_WORD(saved.ttbr0),
	HOST_OF_SP_svc = HOST_WORD(saved.sp_svc),
	HOST_OF_SYS_DACR = HOST_WORD(saved.dacr),
	HOST_OF_SYS_CONTEXTIDR = HOST_WORD(saved.contextidr),
	HOST_OF_SYS_TPIDRURW = HOST_WORD(saved.tpidrurw),
	HOST_OF_SYS_TPIDRURO = HOST_WORD(saved.tpidruro),
};

enum {
	GUEST_OF_SP_svc = GUEST_WORD(regs.svc_regs[0]),
	GUEST_OF_LR_svc = GUEST_WORD(regs.svc_regs[1]),
	GUEST_OF_SPSR_svc = GUEST_WORD(regs.svc_regs[2]),
	GUEST_OF_SP_abt = GUEST_WORD(regs.abt_regs[0]),
	GUEST_OF_LR_abt = GUEST_WORD(regs.abt_regs[1]),
	GUEST_OF_SPSR_abt = GUEST_WORD(regs.abt_regs[2]),
	GUEST_OF_SP_und = GUEST_WORD(regs.und_regs[0]),
	GUEST_OF_LR_und = GUEST_WORD(regs.und_regs[1]),
	GUEST_OF_SPSR_und = GUEST_WORD(regs.und_regs[2]),
	GUEST_OF_SP_irq = GUEST_WORD(regs.irq_regs[0]),
	GUEST_OF_LR_irq = GUEST_WORD(regs.irq_regs[1]),
	GUEST_OF_SPSR_irq = GUEST_WORD(regs.irq_regs[2]),
	GUEST_OF_SYS_CSSELR = GUEST_WORD(cp15[CP15_CSSELR]),
	GUEST_OF_SYS_SCTLR = GUEST_WORD(cp15[CP15_SCTLR]),
	GUEST_OF_SYS_CPACR = GUEST_WORD(cp15[CP15_CPACR]),
	GUEST_OF_SYS_DACR = GUEST_WORD(cp15[CP15_DACR]),
	GUEST_OF_SYS_TTBR0 = GUEST_WORD(cp15[CP15_TTBR0]),
	GUEST_OF_SYS_TTBR1 = GUEST_WORD(cp15[CP15_TTBR1]),
	GUEST_OF_SYS_DFSR = GUEST_WORD(cp15[CP15_DFSR]),
	GUEST_OF_SYS_IFSR = GUEST_WORD(cp15[CP15_IFSR]),
	GUEST_OF_SYS_ADFSR = GUEST_WORD(cp15[CP15_ADFSR]),
	GUEST_OF_SYS_AIFSR = GUEST_WORD(cp15[CP15_AIFSR]),
	GUEST_OF_SYS_DFAR = GUEST_WORD(cp15[CP15_DFAR]),
	GUEST_OF_SYS_IFAR = GUEST_WORD(cp15[CP15_IFAR]),
	GUEST_OF_SYS_PAR = GUEST_WORD(cp15[CP15_PAR]),
	GUEST_OF_SYS_PRRR = GUEST_WORD(cp15[CP15_PRRR]),
	GUEST_OF_SYS_NMRR = GUEST_WORD(cp15[CP15_NMRR]),
	GUEST_OF_SYS_VBAR = GUEST_WORD(cp15[CP15_VBAR]),
	GUEST_OF_SYS_CONTEXTIDR = GUEST_WORD(cp15[CP15_CONTEXTIDR]),
	GUEST_OF_SYS_TPIDRURW = GUEST_WORD(cp15[CP15_TPIDRURW]),
	GUEST_OF_SYS_TPIDRURO = GUEST_WORD(cp15[CP15_TPIDRURO]),
	GUEST_OF_SYS_TPIDRPRW = GUEST_WORD(cp15[CP15_TPIDRPRW]),
	GUEST_OF_SYS_CNTKCTL = GUEST_WORD(cp15[CP15_CNTKCTL]),
};

enum { AT_r2, AT_r3, AT_r4, AT_r5, AT_r6, AT_r7, AT_r8, AT_r9 };

#define IS_AT(word, rt)			&& (word) == first_ + AT_##rt
#define HOST_IS_AT_BANKED(name, rt)	IS_AT(HOST_OF_##name, rt)
#define HOST_IS_AT_SYS(reg, rt)		IS_AT(HOST_OF_##reg, rt)
#define HOST_IS_AT_SYS64(reg, rt, rt2)	\
	IS_AT(HOST_OF_##reg, rt) IS_AT(HOST_OF_##reg + 1, rt2)
#define GUEST_IS_AT_BANKED(name, rt)	IS_AT(GUEST_OF_##name, rt)
#define GUEST_IS_AT_SYS(reg, rt)	IS_AT(GUEST_OF_##reg, rt)
#define GUEST_IS_AT_SYS64(reg, rt, rt2)	\
	IS_AT(GUEST_OF_##reg, rt) IS_AT(GUEST_OF_##reg + 1, rt2)

/* @list's words are in order from word @first. */
#define assert_words(whose, list, first)					\
do {										\
	enum { first_ = (first) };						\
	static_assert(1 list(whose##_IS_AT));					\
} while (0)

/* The host's state that changes. The rest of its PL1 state is constant, or dead at the hvc. */
#define HOST_SAVED(way)									\
	way##_SYS64(SYS_TTBR0, r2, r3) way##_BANKED(SP_svc, r4) way##_SYS(SYS_DACR, r5)	\
	way##_SYS(SYS_CONTEXTIDR, r6) way##_SYS(SYS_TPIDRURW, r7)			\
	way##_SYS(SYS_TPIDRURO, r8)

__hyp_inline void host_save(struct hyp_cpu *cpu)
{
	u64 *to = &cpu->saved.ttbr0;

	regs_save(to, "r2-r8", HOST_SAVED);
}

#define HOST_CONST_A(way)								\
	way##_BANKED(SP_abt, r2) way##_BANKED(SP_und, r3) way##_BANKED(SP_irq, r4)	\
	way##_SYS(SYS_CPACR, r5) way##_SYS(SYS_PRRR, r6) way##_SYS(SYS_NMRR, r7)	\
	way##_SYS(SYS_VBAR, r8) way##_SYS(SYS_TPIDRPRW, r9)
#define HOST_CONST_B(way)								\
	way##_SYS(SYS_CNTKCTL, r2) way##_SYS64(SYS_TTBR1, r3, r4)

__hyp_inline void host_restore(const struct hyp_cpu *cpu)
{
	const u32 *constant = &cpu->host.sp_abt;
	const u64 *saved = &cpu->saved.ttbr0;

	assert_words(HOST, HOST_CONST_A, HOST_OF_SP_abt);
	assert_words(HOST, HOST_CONST_B, HOST_OF_SP_abt + 8);
	assert_words(HOST, HOST_SAVED, HOST_OF_SYS_TTBR0);

	regs_load(constant, "r2-r9", HOST_CONST_A);
	regs_load(constant, "r2-r4", HOST_CONST_B);
	regs_load(saved, "r2-r8", HOST_SAVED);
}

/* The guest's, as struct kvm_regs and the array cp15 have them. */
#define GUEST_BANKED_A(way)								\
	way##_BANKED(SP_svc, r2) way##_BANKED(LR_svc, r3) way##_BANKED(SPSR_svc, r4)	\
	way##_BANKED(SP_abt, r5) way##_BANKED(LR_abt, r6) way##_BANKED(SPSR_abt, r7)
#define GUEST_BANKED_B(way)								\
	way##_BANKED(SP_und, r2) way##_BANKED(LR_und, r3) way##_BANKED(SPSR_und, r4)	\
	way##_BANKED(SP_irq, r5) way##_BANKED(LR_irq, r6) way##_BANKED(SPSR_irq, r7)
#define GUEST_CP15_A(way)								\
	way##_SYS(SYS_CSSELR, r2) way##_SYS(SYS_SCTLR, r3) way##_SYS(SYS_CPACR, r4)	\
	way##_SYS(SYS_DACR, r5) way##_SYS64(SYS_TTBR0, r6, r7) way##_SYS64(SYS_TTBR1, r8, r9)
#define GUEST_CP15_B(way)								\
	way##_SYS(SYS_DFSR, r2) way##_SYS(SYS_IFSR, r3) way##_SYS(SYS_ADFSR, r4)	\
	way##_SYS(SYS_AIFSR, r5) way##_SYS(SYS_DFAR, r6) way##_SYS(SYS_IFAR, r7)	\
	way##_SYS64(SYS_PAR, r8, r9)
#define GUEST_CP15_C(way)								\
	way##_SYS(SYS_PRRR, r2) way##_SYS(SYS_NMRR, r3) way##_SYS(SYS_VBAR, r4)		\
	way##_SYS(SYS_CONTEXTIDR, r5) way##_SYS(SYS_TPIDRURW, r6)			\
	way##_SYS(SYS_TPIDRURO, r7) way##_SYS(SYS_TPIDRPRW, r8)				\
	way##_SYS(SYS_CNTKCTL, r9)

static_assert(sizeof(((struct kvm_regs *)0)->fiq_regs) == 8 * sizeof(u32));

__hyp_inline void guest_restore(const struct hyp_vcpu *vcpu)
{
	const unsigned long *banked = vcpu->regs.svc_regs;
	const u32 *cp15 = &vcpu->cp15[CP15_CSSELR];

	assert_words(GUEST, GUEST_BANKED_A, GUEST_OF_SP_svc);
	assert_words(GUEST, GUEST_BANKED_B, GUEST_OF_SP_svc + 6);
	assert_words(GUEST, GUEST_CP15_A, GUEST_OF_SYS_CSSELR);
	assert_words(GUEST, GUEST_CP15_B, GUEST_OF_SYS_CSSELR + 8);
	assert_words(GUEST, GUEST_CP15_C, GUEST_OF_SYS_CSSELR + 16);

	regs_load(banked, "r2-r7", GUEST_BANKED_A);
	regs_load(banked, "r2-r7", GUEST_BANKED_B);
	regs_load(cp15, "r2-r9", GUEST_CP15_A);
	regs_load(cp15, "r2-r9", GUEST_CP15_B);
	regs_load(cp15, "r2-r9", GUEST_CP15_C);
}

__hyp_inline void guest_save(struct hyp_vcpu *vcpu)
{
	unsigned long *banked = vcpu->regs.svc_regs;
	u32 *cp15 = &vcpu->cp15[CP15_CSSELR];

	regs_save(banked, "r2-r7", GUEST_BANKED_A);
	regs_save(banked, "r2-r7", GUEST_BANKED_B);
	regs_save(cp15, "r2-r9", GUEST_CP15_A);
	regs_save(cp15, "r2-r9", GUEST_CP15_B);
	regs_save(cp15, "r2-r9", GUEST_CP15_C);
}

/*
 * FIQ mode's registers, and what few CPUs have. Walks are off: AMAIR0 and AMAIR1 qualify the
 * memory attributes of the world whose tables are walked.
 */
static void __hyp_text odd_to_guest(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu)
{
	if (!hyp_fiq_reserved(cpu))
		hyp_fiq_exchange(cpu->saved.fiq, (u32 *)vcpu->regs.fiq_regs);
	if (cpu->odd & HYP_ODD_AMAIR) {
		sysreg_write(vcpu->cp15[CP15_AMAIR0], SYS_AMAIR0);
		sysreg_write(vcpu->cp15[CP15_AMAIR1], SYS_AMAIR1);
	}
}

static void __hyp_text odd_to_host(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu)
{
	if (!hyp_fiq_reserved(cpu))
		hyp_fiq_exchange((u32 *)vcpu->regs.fiq_regs, cpu->saved.fiq);
	if (cpu->odd & HYP_ODD_AMAIR) {
		vcpu->cp15[CP15_AMAIR0] = sysreg_read(SYS_AMAIR0);
		vcpu->cp15[CP15_AMAIR1] = sysreg_read(SYS_AMAIR1);
		sysreg_write(cpu->host.amair0, SYS_AMAIR0);
		sysreg_write(cpu->host.amair1, SYS_AMAIR1);
	}
}

/* What hyp_host_activate() leaves out, after a fault in HYP mode. */
void __hyp_text hyp_host_rest(struct hyp_cpu *cpu)
{
	if (!hyp_fiq_reserved(cpu))
		hyp_fiq_load(cpu->saved.fiq);
	if (cpu->odd & HYP_ODD_AMAIR) {
		sysreg_write(cpu->host.amair0, SYS_AMAIR0);
		sysreg_write(cpu->host.amair1, SYS_AMAIR1);
	}
	sysreg_write(cpu->host.midr, SYS_VPIDR);
}

/* Only of guests that have used them (regs/thumbee.c). */
__hyp_inline void thumbee_swap(u32 *save_teecr, u32 *save_teehbr, u32 teecr, u32 teehbr)
{
	asm volatile("mrc p14, 6, %0, c0, c0, 0" : "=r" (*save_teecr));
	asm volatile("mrc p14, 6, %0, c1, c0, 0" : "=r" (*save_teehbr));
	asm volatile("mcr p14, 6, %0, c0, c0, 0" : : "r" (teecr));
	asm volatile("mcr p14, 6, %0, c1, c0, 0" : : "r" (teehbr));
}

/* The virtual timer runs only while its guest does. */
__hyp_inline void timer_restore(const struct hyp_vcpu *vcpu)
{
	sysreg_write(CNTHCTL_PL1PCTEN, SYS_CNTHCTL);
	sysreg_write64(vcpu->cntvoff, SYS_CNTVOFF);
	sysreg_write64(vcpu->cntv_cval, SYS_CNTV_CVAL);
	hyp_isb();
	sysreg_write(vcpu->cntv_ctl & 3, SYS_CNTV_CTL);
}

__hyp_inline void timer_save(struct hyp_vcpu *vcpu, const struct hyp_host_const *c)
{
	vcpu->cntv_ctl = sysreg_read(SYS_CNTV_CTL);
	sysreg_write(0, SYS_CNTV_CTL);
	vcpu->cntv_cval = sysreg_read64(SYS_CNTV_CVAL);
	/* The vdso may read CNTVCT: the host always sees an offset of zero. */
	hyp_isb();
	sysreg_write64(0, SYS_CNTVOFF);
	sysreg_write(c->cnthctl, SYS_CNTHCTL);
}

static void __hyp_text rare_to_guest(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu)
{
	if (vcpu->rare.vpidr)
		sysreg_write(vcpu->vpidr, SYS_VPIDR);
	if (vcpu->rare.thumbee)
		thumbee_swap(&cpu->saved.teecr, &cpu->saved.teehbr, vcpu->teecr, vcpu->teehbr);
	if (vcpu->debug.mode)
		hyp_debug_load(cpu, &vcpu->debug);
	if (vcpu->rare.pmu)
		hyp_pmu_restore(&vcpu->pmu);
}

static void __hyp_text rare_to_host(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu)
{
	if (vcpu->rare.pmu)
		hyp_pmu_save(&vcpu->pmu);
	if (vcpu->debug.mode)
		hyp_debug_unload(cpu, &vcpu->debug);
	if (vcpu->rare.thumbee)
		thumbee_swap(&vcpu->teecr, &vcpu->teehbr, cpu->saved.teecr, cpu->saved.teehbr);
	if (vcpu->rare.vpidr)
		sysreg_write(cpu->host.midr, SYS_VPIDR);
}

/*
 * HCPTR traps only what is valid otherwise (DDI 0406C B1.14): with the host's
 * FPEXC.EN clear, a guest's instruction would be undefined to the guest instead.
 */
__hyp_inline void fp_trap_enable(struct hyp_cpu *cpu)
{
	if (!cpu->vfp)
		return;
	cpu->host_fpexc = fpexc_read();
	if (!(cpu->host_fpexc & FPEXC_EN))
		fpexc_write(cpu->host_fpexc | FPEXC_EN);
}

__hyp_inline void fp_trap_disable(struct hyp_cpu *cpu)
{
	if (cpu->vfp && !(cpu->host_fpexc & FPEXC_EN))
		fpexc_write(cpu->host_fpexc);
}

/*
 * Gives PL1 back to the host. Walks are off; needs nothing of the vCPU. A guest
 * may have its MMU off, which walks that are off do not make safe: flat
 * translations may be cached at any time (DDI 0406C B3.2, B3.10.4), and would be
 * the host's as soon as HCR and VTTBR are. So its SCTLR goes first.
 */
void __hyp_text hyp_host_activate(struct hyp_cpu *cpu)
{
	sysreg_write(cpu->host.sctlr, SYS_SCTLR);
	hyp_isb();
	sysreg_write(0, SYS_HCR);
	sysreg_write(0, SYS_HSTR);
	/*
	 * No CPU with HYP mode has the FCSE, and the register is RAZ/WI there (DDI 0406C B4.1.56).
	 * QEMU's have it: a guest would move all programs of the host that lie below 32 MiB.
	 */
	sysreg_write(0, SYS_FCSEIDR);
	sysreg_write(cpu->host.hdcr, SYS_HDCR);
	sysreg_write(cpu->host.hcptr, SYS_HCPTR);
	sysreg_write64(cpu->host.vttbr, SYS_VTTBR);
	sysreg_write(cpu->host.mpidr, SYS_VMPIDR);
	/* Stage 2 is off and the VMID is the host's before the host's tables are written. */
	hyp_isb();

	fp_trap_disable(cpu);
	host_restore(cpu);
	hyp_isb();
	sysreg_write(cpu->saved.ttbcr, SYS_TTBCR);
}

void __hyp_text hyp_switch_to_guest(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu)
{
	vcpu->cpu = cpu;
	cpu->serror = 0;

	host_save(cpu);
	fp_trap_enable(cpu);
	cpu->saved.ttbcr = walks_off();
	/*
	 * From here on a fault in HYP mode restores what was saved; until FIQ mode's registers are,
	 * what the last entry saved of them.
	 */
	cpu->vcpu = vcpu;
	if (__builtin_expect(cpu->odd, 0))
		odd_to_guest(cpu, vcpu);
	else
		hyp_fiq_exchange(cpu->saved.fiq, (u32 *)vcpu->regs.fiq_regs);

	sysreg_write64(vcpu->vttbr, SYS_VTTBR);
	sysreg_write(vcpu->hcr, SYS_HCR);
	sysreg_write(vcpu->hstr, SYS_HSTR);
	sysreg_write(vcpu->hdcr | (cpu->host.hdcr & HDCR_HPMN_MASK), SYS_HDCR);
	sysreg_write(cpu->host.hcptr | HCPTR_TCP10 | HCPTR_TCP11 | HCPTR_TTA, SYS_HCPTR);
	sysreg_write(vcpu->cp15[CP15_MPIDR], SYS_VMPIDR);
	/* Stage 2 and the VMID are in place before walks are turned on. */
	hyp_isb();

	guest_restore(vcpu);
	hyp_isb();
	sysreg_write(vcpu->cp15[CP15_TTBCR], SYS_TTBCR);

	if (hyp_vgic_enters(cpu, &vcpu->vgic))
		hyp_vgic_restore(cpu, &vcpu->vgic);
	timer_restore(vcpu);
	if (__builtin_expect(vcpu->rare.any | vcpu->debug.mode, 0))
		rare_to_guest(cpu, vcpu);
}

u32 __hyp_text hyp_switch_to_host(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 code)
{
	if (code == HYP_EXIT_TRAP) {
		u32 hsr = sysreg_read(SYS_HSR);

		vcpu->hsr = hsr;
		if (HSR_EC(hsr) >= HSR_EC_IABT)
			code = hyp_fault_resolve(vcpu, hsr);
	}

	if (__builtin_expect(vcpu->rare.any | vcpu->debug.mode, 0))
		rare_to_host(cpu, vcpu);
	timer_save(vcpu, &cpu->host);
	if (hyp_vgic_leaves(&vcpu->vgic))
		hyp_vgic_save(cpu, &vcpu->vgic);

	if (vcpu->vfp_loaded) {
		hyp_vfp_save(&vcpu->vfp, cpu->vfp_d32);
		hyp_vfp_restore(&cpu->host_vfp, cpu->vfp_d32);
		vcpu->vfp_loaded = 0;
	}

	guest_save(vcpu);
	vcpu->cp15[CP15_TTBCR] = walks_off();
	if (__builtin_expect(cpu->odd, 0))
		odd_to_host(cpu, vcpu);
	else
		hyp_fiq_exchange((u32 *)vcpu->regs.fiq_regs, cpu->saved.fiq);

	/* VI, VF and VA: the hardware clears VA when the guest takes it. */
	vcpu->hcr = sysreg_read(SYS_HCR);
	hyp_host_activate(cpu);

	vcpu->serror = cpu->serror;
	cpu->vcpu = NULL;
	return code;
}

/*
 * Records the host's registers that are constant while this CPU stays online.
 * It also sets VTCR for stage 2, which never changes.
 */
u32 __hyp_text hyp_snapshot(struct hyp_cpu *cpu)
{
	struct hyp_host_const *c = &cpu->host;

	c->sctlr = sysreg_read(SYS_SCTLR);
	c->cpacr = sysreg_read(SYS_CPACR);
	c->vbar = sysreg_read(SYS_VBAR);
	c->prrr = sysreg_read(SYS_PRRR);
	c->nmrr = sysreg_read(SYS_NMRR);
	c->amair0 = sysreg_read(SYS_AMAIR0);
	c->amair1 = sysreg_read(SYS_AMAIR1);
	c->cntkctl = sysreg_read(SYS_CNTKCTL);
	c->ttbr1 = sysreg_read64(SYS_TTBR1);
	c->tpidrprw = sysreg_read(SYS_TPIDRPRW);
	c->sp_abt = banked_read(SP_abt);
	c->sp_und = banked_read(SP_und);
	c->sp_irq = banked_read(SP_irq);
	/* In HYP these read the CPU's own, which the host sees (B3.15.3). */
	c->midr = sysreg_read(SYS_MIDR);
	sysreg_write(c->midr, SYS_VPIDR);
	c->mpidr = sysreg_read(SYS_MPIDR);
	c->hdcr = sysreg_read(SYS_HDCR);
	c->hcptr = sysreg_read(SYS_HCPTR);
	c->cnthctl = sysreg_read(SYS_CNTHCTL);
	c->vttbr = sysreg_read64(SYS_VTTBR);
	return 0;
}

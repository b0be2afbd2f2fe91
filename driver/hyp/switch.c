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
u32 __hyp_text hyp_walks_off(void)
{
	u32 ttbcr = sysreg_read(SYS_TTBCR);

	sysreg_write(ttbcr | (ttbcr & TTBCR_BIT_EAE ? TTBCR_BIT_EPD0 | TTBCR_BIT_EPD1 :
						  TTBCR_PD0 | TTBCR_PD1), SYS_TTBCR);
	hyp_isb();
	return ttbcr;
}

/* The host's state that changes. The rest of its PL1 state is constant, or dead at the hvc. */
__hyp_inline void host_save(struct hyp_cpu *cpu)
{
	struct hyp_host_saved *s = &cpu->saved;

	s->sp_svc = banked_read(SP_svc);
	hyp_fiq_save(cpu, s->fiq);
	s->ttbr0 = sysreg_read64(SYS_TTBR0);
	s->ttbr1 = sysreg_read64(SYS_TTBR1);
	s->dacr = sysreg_read(SYS_DACR);
	s->contextidr = sysreg_read(SYS_CONTEXTIDR);
	s->tpidrurw = sysreg_read(SYS_TPIDRURW);
	s->tpidruro = sysreg_read(SYS_TPIDRURO);
}

__hyp_inline void host_restore(const struct hyp_cpu *cpu)
{
	const struct hyp_host_saved *s = &cpu->saved;
	const struct hyp_host_const *c = &cpu->host;

	banked_write(s->sp_svc, SP_svc);
	banked_write(c->sp_abt, SP_abt);
	banked_write(c->sp_und, SP_und);
	banked_write(c->sp_irq, SP_irq);
	hyp_fiq_restore(cpu, s->fiq);
	sysreg_write(c->cpacr, SYS_CPACR);
	sysreg_write64(s->ttbr0, SYS_TTBR0);
	sysreg_write64(s->ttbr1, SYS_TTBR1);
	sysreg_write(s->dacr, SYS_DACR);
	sysreg_write(c->prrr, SYS_PRRR);
	sysreg_write(c->nmrr, SYS_NMRR);
	sysreg_write(c->amair0, SYS_AMAIR0);
	sysreg_write(c->amair1, SYS_AMAIR1);
	sysreg_write(c->vbar, SYS_VBAR);
	sysreg_write(s->contextidr, SYS_CONTEXTIDR);
	sysreg_write(s->tpidrurw, SYS_TPIDRURW);
	sysreg_write(s->tpidruro, SYS_TPIDRURO);
	sysreg_write(c->tpidrprw, SYS_TPIDRPRW);
	sysreg_write(c->cntkctl, SYS_CNTKCTL);
}

__hyp_inline void guest_restore(const struct hyp_cpu *cpu, const struct hyp_vcpu *vcpu)
{
	const struct kvm_regs *r = &vcpu->regs;
	const u32 *cp15 = vcpu->cp15;

	banked_write(r->svc_regs[0], SP_svc);
	banked_write(r->svc_regs[1], LR_svc);
	banked_write(r->svc_regs[2], SPSR_svc);
	banked_write(r->abt_regs[0], SP_abt);
	banked_write(r->abt_regs[1], LR_abt);
	banked_write(r->abt_regs[2], SPSR_abt);
	banked_write(r->und_regs[0], SP_und);
	banked_write(r->und_regs[1], LR_und);
	banked_write(r->und_regs[2], SPSR_und);
	banked_write(r->irq_regs[0], SP_irq);
	banked_write(r->irq_regs[1], LR_irq);
	banked_write(r->irq_regs[2], SPSR_irq);
	hyp_fiq_restore(cpu, (const u32 *)r->fiq_regs);

	sysreg_write(cp15[CP15_CSSELR], SYS_CSSELR);
	sysreg_write(cp15[CP15_SCTLR], SYS_SCTLR);
	sysreg_write(cp15[CP15_CPACR], SYS_CPACR);
	sysreg_write64((u64)cp15[CP15_TTBR0_HI] << 32 | cp15[CP15_TTBR0], SYS_TTBR0);
	sysreg_write64((u64)cp15[CP15_TTBR1_HI] << 32 | cp15[CP15_TTBR1], SYS_TTBR1);
	sysreg_write(cp15[CP15_DACR], SYS_DACR);
	sysreg_write(cp15[CP15_DFSR], SYS_DFSR);
	sysreg_write(cp15[CP15_IFSR], SYS_IFSR);
	sysreg_write(cp15[CP15_ADFSR], SYS_ADFSR);
	sysreg_write(cp15[CP15_AIFSR], SYS_AIFSR);
	sysreg_write(cp15[CP15_DFAR], SYS_DFAR);
	sysreg_write(cp15[CP15_IFAR], SYS_IFAR);
	sysreg_write64((u64)cp15[CP15_PAR_HI] << 32 | cp15[CP15_PAR], SYS_PAR);
	sysreg_write(cp15[CP15_PRRR], SYS_PRRR);
	sysreg_write(cp15[CP15_NMRR], SYS_NMRR);
	sysreg_write(cp15[CP15_AMAIR0], SYS_AMAIR0);
	sysreg_write(cp15[CP15_AMAIR1], SYS_AMAIR1);
	sysreg_write(cp15[CP15_VBAR], SYS_VBAR);
	sysreg_write(cp15[CP15_CONTEXTIDR], SYS_CONTEXTIDR);
	sysreg_write(cp15[CP15_TPIDRURW], SYS_TPIDRURW);
	sysreg_write(cp15[CP15_TPIDRURO], SYS_TPIDRURO);
	sysreg_write(cp15[CP15_TPIDRPRW], SYS_TPIDRPRW);
	sysreg_write(cp15[CP15_CNTKCTL], SYS_CNTKCTL);
}

__hyp_inline void guest_save(const struct hyp_cpu *cpu, struct hyp_vcpu *vcpu)
{
	struct kvm_regs *r = &vcpu->regs;
	u32 *cp15 = vcpu->cp15;
	u64 v;

	r->svc_regs[0] = banked_read(SP_svc);
	r->svc_regs[1] = banked_read(LR_svc);
	r->svc_regs[2] = banked_read(SPSR_svc);
	r->abt_regs[0] = banked_read(SP_abt);
	r->abt_regs[1] = banked_read(LR_abt);
	r->abt_regs[2] = banked_read(SPSR_abt);
	r->und_regs[0] = banked_read(SP_und);
	r->und_regs[1] = banked_read(LR_und);
	r->und_regs[2] = banked_read(SPSR_und);
	r->irq_regs[0] = banked_read(SP_irq);
	r->irq_regs[1] = banked_read(LR_irq);
	r->irq_regs[2] = banked_read(SPSR_irq);
	hyp_fiq_save(cpu, (u32 *)r->fiq_regs);

	cp15[CP15_CSSELR] = sysreg_read(SYS_CSSELR);
	cp15[CP15_SCTLR] = sysreg_read(SYS_SCTLR);
	cp15[CP15_CPACR] = sysreg_read(SYS_CPACR);
	v = sysreg_read64(SYS_TTBR0);
	cp15[CP15_TTBR0] = (u32)v;
	cp15[CP15_TTBR0_HI] = (u32)(v >> 32);
	v = sysreg_read64(SYS_TTBR1);
	cp15[CP15_TTBR1] = (u32)v;
	cp15[CP15_TTBR1_HI] = (u32)(v >> 32);
	cp15[CP15_DACR] = sysreg_read(SYS_DACR);
	cp15[CP15_DFSR] = sysreg_read(SYS_DFSR);
	cp15[CP15_IFSR] = sysreg_read(SYS_IFSR);
	cp15[CP15_ADFSR] = sysreg_read(SYS_ADFSR);
	cp15[CP15_AIFSR] = sysreg_read(SYS_AIFSR);
	cp15[CP15_DFAR] = sysreg_read(SYS_DFAR);
	cp15[CP15_IFAR] = sysreg_read(SYS_IFAR);
	v = sysreg_read64(SYS_PAR);
	cp15[CP15_PAR] = (u32)v;
	cp15[CP15_PAR_HI] = (u32)(v >> 32);
	cp15[CP15_PRRR] = sysreg_read(SYS_PRRR);
	cp15[CP15_NMRR] = sysreg_read(SYS_NMRR);
	cp15[CP15_AMAIR0] = sysreg_read(SYS_AMAIR0);
	cp15[CP15_AMAIR1] = sysreg_read(SYS_AMAIR1);
	cp15[CP15_VBAR] = sysreg_read(SYS_VBAR);
	cp15[CP15_CONTEXTIDR] = sysreg_read(SYS_CONTEXTIDR);
	cp15[CP15_TPIDRURW] = sysreg_read(SYS_TPIDRURW);
	cp15[CP15_TPIDRURO] = sysreg_read(SYS_TPIDRURO);
	cp15[CP15_TPIDRPRW] = sysreg_read(SYS_TPIDRPRW);
	cp15[CP15_CNTKCTL] = sysreg_read(SYS_CNTKCTL);
}

/* Newer CPUs have no ThumbEE, and not these registers. */
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
	sysreg_write(cpu->host.hdcr, SYS_HDCR);
	sysreg_write(cpu->host.hcptr, SYS_HCPTR);
	sysreg_write64(cpu->host.vttbr, SYS_VTTBR);
	sysreg_write(cpu->host.midr, SYS_VPIDR);
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
	cpu->saved.ttbcr = hyp_walks_off();
	/* From here on a fault in HYP mode restores what was saved. */
	cpu->vcpu = vcpu;

	sysreg_write64(vcpu->vttbr, SYS_VTTBR);
	sysreg_write(vcpu->hcr, SYS_HCR);
	sysreg_write(vcpu->hstr, SYS_HSTR);
	sysreg_write(vcpu->hdcr | (cpu->host.hdcr & HDCR_HPMN_MASK), SYS_HDCR);
	sysreg_write(cpu->host.hcptr | HCPTR_TCP10 | HCPTR_TCP11 | HCPTR_TTA, SYS_HCPTR);
	sysreg_write(vcpu->vpidr, SYS_VPIDR);
	sysreg_write(vcpu->cp15[CP15_MPIDR], SYS_VMPIDR);
	/* Stage 2 and the VMID are in place before walks are turned on. */
	hyp_isb();

	guest_restore(cpu, vcpu);
	hyp_isb();
	sysreg_write(vcpu->cp15[CP15_TTBCR], SYS_TTBCR);

	if (cpu->thumbee)
		thumbee_swap(&cpu->saved.teecr, &cpu->saved.teehbr, vcpu->teecr, vcpu->teehbr);
	hyp_vgic_restore(cpu, &vcpu->vgic);
	timer_restore(vcpu);
	if (vcpu->debug.mode)
		hyp_debug_load(cpu, &vcpu->debug);
	if (vcpu->pmu.in_use)
		hyp_pmu_restore(&vcpu->pmu);
}

u32 __hyp_text hyp_switch_to_host(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 code)
{
	if (code == HYP_EXIT_TRAP) {
		u32 hsr = sysreg_read(SYS_HSR);

		vcpu->hsr = hsr;
		if (HSR_EC(hsr) >= HSR_EC_IABT)
			code = hyp_fault_resolve(vcpu, hsr);
	}

	if (vcpu->pmu.in_use)
		hyp_pmu_save(&vcpu->pmu);
	if (vcpu->debug.mode)
		hyp_debug_unload(cpu, &vcpu->debug);
	timer_save(vcpu, &cpu->host);
	hyp_vgic_save(cpu, &vcpu->vgic);
	if (cpu->thumbee)
		thumbee_swap(&vcpu->teecr, &vcpu->teehbr, cpu->saved.teecr, cpu->saved.teehbr);

	if (vcpu->vfp_loaded) {
		hyp_vfp_save(&vcpu->vfp, cpu->vfp_d32);
		hyp_vfp_restore(&cpu->host_vfp, cpu->vfp_d32);
		vcpu->vfp_loaded = 0;
	}

	guest_save(cpu, vcpu);
	vcpu->cp15[CP15_TTBCR] = hyp_walks_off();

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
	c->tpidrprw = sysreg_read(SYS_TPIDRPRW);
	c->sp_abt = banked_read(SP_abt);
	c->sp_und = banked_read(SP_und);
	c->sp_irq = banked_read(SP_irq);
	/* In HYP these read the CPU's own, which the host sees (B3.15.3). */
	c->midr = sysreg_read(SYS_MIDR);
	c->mpidr = sysreg_read(SYS_MPIDR);
	c->hdcr = sysreg_read(SYS_HDCR);
	c->hcptr = sysreg_read(SYS_HCPTR);
	c->cnthctl = sysreg_read(SYS_CNTHCTL);
	c->vttbr = sysreg_read64(SYS_VTTBR);
	return 0;
}

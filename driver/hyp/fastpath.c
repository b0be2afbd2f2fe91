// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traps that are handled in HYP mode, with data that is mapped there and without the host's locks:
 * the guest goes on with no world switch. Unusual cases (a Thumb instruction, a condition, a banked
 * register) are left to the host, which gives the same answers.
 */
#include <linux/arm-smccc.h>
#include <linux/compiler.h>
#include <uapi/linux/psci.h>

#include "arch/psciver.h"
#include "hyp/cpu.h"
#include "hyp/mmio.h"
#include "hyp/sysreg.h"

#ifdef __arm__
asm(".arch_extension virt");
#endif

#define READ_ACTLR		(HSR_CP(0, 1, 0, 1) | HSR_CP_READ)
#define READ_L2CTLR		(HSR_CP(1, 9, 0, 2) | HSR_CP_READ)

/* hvc: the PC is past it already. */
__hyp_inline bool fastpath_hvc(struct hyp_vcpu *vcpu)
{
	unsigned long *r = vcpu->regs.usr_regs.uregs;

	switch (r[0]) {
	case PSCI_0_2_FN_PSCI_VERSION:
		if (!vcpu->psci_version)
			return false;
		r[0] = vcpu->psci_version;
		break;
	case ARM_SMCCC_VERSION_FUNC_ID:
		if (vcpu->psci_version < PSCI_V1_0)
			return false;
		r[0] = ARM_SMCCC_VERSION_1_1;
		break;
	default:
		return false;
	}
	vcpu->stat.hyp_hvc++;
	return true;
}

/* A read of a register that is constant for every guest. A32, condition AL. */
__hyp_inline bool fastpath_cp15_read(struct hyp_vcpu *vcpu, u32 hsr)
{
	u32 rt = HSR_CP_RT(hsr), spsr, val;

	switch (hsr & HSR_CP_MASK) {
	case READ_ACTLR:
		val = vcpu->cp15[CP15_ACTLR];
		break;
	case READ_L2CTLR:
		val = vcpu->cp15[CP15_L2CTLR];
		break;
	default:
		return false;
	}
	spsr = spsr_read();
	/* R8-R12 of FIQ mode are banked, R13 and R14 of every mode. */
	if (spsr & CPSR_T || rt > 12 || (rt > 7 && (spsr & CPSR_M_MASK) == CPSR_M_FIQ))
		return false;
	vcpu->regs.usr_regs.uregs[rt] = val;
	banked_write(banked_read(ELR_hyp) + 4, ELR_hyp);
	vcpu->stat.hyp_cp15++;
	return true;
}

/*
 * An access to a device, by its page: HPFAR is valid where hyp_dist_trap() and hyp_mmio_trap() find
 * a fault of translation.
 */
__hyp_inline u32 fastpath_dabt(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 hsr)
{
	u32 page = sysreg_read(SYS_HPFAR) & HPFAR_FIPA, pages;

	if ((page | HYP_DIST_ON) == READ_ONCE(vcpu->dist.page))
		return hyp_dist_trap(cpu, vcpu, hsr);
	if (hsr & HSR_DABT_WNR)
		pages = vcpu->zones ? READ_ONCE(vcpu->zones->pages) : 0;
	else
		pages = vcpu->mirrors ? READ_ONCE(vcpu->mirrors->pages) : 0;
	if (!(pages & hyp_mmio_page_of_hpfar(page)))
		return HYP_EXIT_TRAP;
	return hyp_mmio_trap(vcpu, hsr, page);
}

/*
 * HYP_RESUME: the guest goes on from vcpu->regs.usr_regs and ELR_hyp. Else why it leaves for the
 * host: HYP_EXIT_TRAP, which the host handles, or HYP_EXIT_IRQ, after what was handled here.
 */
u32 __hyp_text hyp_fastpath(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu)
{
	u32 hsr = sysreg_read(SYS_HSR), ec = HSR_EC(hsr);

	if (ec == HSR_EC_DABT)
		return fastpath_dabt(cpu, vcpu, hsr);
	if (ec == HSR_EC_HVC)
		return fastpath_hvc(vcpu) ? HYP_RESUME : HYP_EXIT_TRAP;
	if (ec == HSR_EC_CP15_32)
		return fastpath_cp15_read(vcpu, hsr) ? HYP_RESUME : HYP_EXIT_TRAP;
	/*
	 * Without floating point the instruction is undefined, and the host handles that. A trap
	 * with the guest's registers loaded has another cause.
	 */
	if (ec != HSR_EC_CP0_13 || !cpu->vfp || vcpu->vfp_loaded)
		return HYP_EXIT_TRAP;
	hyp_vfp_trap(cpu);
	vcpu->stat.hyp_fp++;
	return HYP_RESUME;
}

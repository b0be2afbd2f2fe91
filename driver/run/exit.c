// SPDX-License-Identifier: GPL-2.0-only
/* What each exception class means (DDI 0406C table B3-35). */
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/srcu.h>

#include "arch/archregs.h"
#include "arch/dbgregs.h"
#include "core/guest.h"
#include "core/inject.h"
#include "core/state.h"
#include "core/trace.h"
#include "debug/debug.h"
#include "mem/stage2.h"
#include "regs/cp15.h"
#include "regs/psci.h"
#include "regs/thumbee.h"
#include "run/abort.h"
#include "run/exit.h"
#include "run/halt.h"
#include "vgic/vgic.h"

/* WFI sleeps. A guest that waits for a spinlock does WFE, so another thread gets the CPU. */
static int exit_wfx(struct armvmm_vcpu *vcpu)
{
	armvmm_regs_skip(vcpu);
	if (vcpu_hsr(vcpu) & HSR_WFX_IS_WFE) {
		vcpu->stat.wfe_exit_stat++;
		yield();
	} else {
		vcpu->stat.wfi_exit_stat++;
		armvmm_halt(vcpu);
	}
	return 1;
}

/* The preferred return address of HVC is the next instruction (B1.8.3). */
static int exit_hvc(struct armvmm_vcpu *vcpu)
{
	vcpu->stat.hvc_exit_stat++;
	return armvmm_psci_call(vcpu);
}

/* A trapped SMC has not been executed: the PC is still at it (B1.14.3). All are 32 bits long. */
static int exit_smc(struct armvmm_vcpu *vcpu)
{
	vcpu->stat.smc_exit_stat++;
	armvmm_regs_skip_len(vcpu, 4);
	return armvmm_psci_call(vcpu);
}

static int exit_cp14(struct armvmm_vcpu *vcpu)
{
	return HSR_CP_OPC1(vcpu_hsr(vcpu)) == 6 ? armvmm_thumbee_trap(vcpu) :
						   armvmm_cp14_trap32(vcpu);
}

static int exit_undef(struct armvmm_vcpu *vcpu)
{
	vcpu->stat.undef_exit_stat++;
	pr_debug_ratelimited("undefined instruction, HSR %08x at %08lx\n", vcpu_hsr(vcpu),
			     vcpu->hyp->regs.usr_regs.ARM_pc);
	armvmm_inject_undef(vcpu);
	return 1;
}

/*
 * The one exit that looks at memslots and at the iobus: whoever replaces either
 * waits for it (memslot.c, iobus.c).
 */
static __always_inline int exit_abort(struct armvmm_vcpu *vcpu)
{
	struct srcu_struct *srcu = &vcpu->vm->srcu;
	int idx, ret;

	if (unlikely((vcpu_hsr(vcpu) & HSR_ABT_FSC) == HSR_FSC_DEBUG))
		return armvmm_debug_exit(vcpu);
	idx = srcu_read_lock(srcu);
	ret = armvmm_abort_handle(vcpu);
	srcu_read_unlock(srcu, idx);
	return ret;
}

static int exit_iabt(struct armvmm_vcpu *vcpu)
{
	return exit_abort(vcpu);
}

static int (*const exit_handlers[HSR_EC_NR])(struct armvmm_vcpu *vcpu) = {
	[HSR_EC_WFX] = exit_wfx,
	[HSR_EC_CP15_32] = armvmm_cp15_trap32,
	[HSR_EC_CP15_64] = armvmm_cp15_trap64,
	[HSR_EC_CP14_32] = exit_cp14,
	[HSR_EC_CP14_LDST] = armvmm_cp14_trap_ldst,
	[HSR_EC_CP0_13] = exit_undef,
	[HSR_EC_CP10_ID] = armvmm_cp10_trap,
	[HSR_EC_CP14_64] = armvmm_cp14_trap64,
	[HSR_EC_HVC] = exit_hvc,
	[HSR_EC_SMC] = exit_smc,
	[HSR_EC_IABT] = exit_iabt,
	[HSR_EC_V8_BREAKPOINT] = armvmm_debug_exit,
	[HSR_EC_V8_WATCHPOINT] = armvmm_debug_exit,
	[HSR_EC_V8_BKPT] = armvmm_debug_exit,
};

/*
 * An asynchronous abort that came while the guest ran is the guest's. It is taken before the trap
 * that came with it, whose instruction then runs again. HVC is the only trap that has moved the PC
 * past its instruction.
 */
static int exit_serror(struct armvmm_vcpu *vcpu, int code)
{
	if (code == HYP_EXIT_TRAP && HSR_EC(vcpu_hsr(vcpu)) == HSR_EC_HVC)
		vcpu->hyp->regs.usr_regs.ARM_pc -= 4;
	vcpu->hyp->serror = 0;
	armvmm_vgic_notify(vcpu);
	armvmm_inject_serror(vcpu);
	return 1;
}

/*
 * The host has taken the interrupt, if one ended the guest's time. A guest also ends it that sends
 * an SGI to a vCPU whom only the host can tell; HYP mode leaves in no other way then.
 */
static int exit_irq(struct armvmm_vcpu *vcpu)
{
	armvmm_vgic_notify(vcpu);
	vcpu->stat.irq_exits++;
	return 1;
}

int armvmm_exit_handle(struct armvmm_vcpu *vcpu, int code)
{
	int (*handler)(struct armvmm_vcpu *vcpu);
	unsigned int ec = HSR_EC(vcpu_hsr(vcpu));

	trace_armvmm_exit(vcpu->id, code, vcpu->hyp);
	if (code == HYP_EXIT_SERROR || unlikely(vcpu->hyp->serror))
		return exit_serror(vcpu, code);
	if (code != HYP_EXIT_TRAP)
		return exit_irq(vcpu);

	/* Most exits of a guest. */
	if (likely(ec == HSR_EC_DABT))
		return exit_abort(vcpu);
	/* An instruction whose condition failed may trap (B1.14.1), but does not abort. */
	if (ec < HSR_EC_IABT) {
		if (ec >= HSR_EC_CP15_32 && ec <= HSR_EC_CP14_64)
			vcpu->stat.cp_exit_stat++;
		if (!armvmm_regs_condition(vcpu)) {
			armvmm_regs_skip(vcpu);
			return 1;
		}
	}
	handler = exit_handlers[ec];
	return handler ? handler(vcpu) : exit_undef(vcpu);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest debugging. All debug exceptions of a guest are taken in HYP mode
 * (HDCR.TDE) and end up here, where the owner of each is decided:
 *
 *	BKPT			the client's with KVM_GUESTDBG_USE_SW_BP, else the guest's
 *	all others, while
 *	  the client's registers are loaded	the client's
 *	  the guest's are loaded		the guest's
 *	  neither are loaded			the host's: it had left a breakpoint armed. From
 *						now on its registers are cleared while this
 *						vCPU runs (hyp/debug.c)
 *
 * The client's registers take the place of the guest's in the hardware. The guest
 * may go on writing its own, which are kept. A step is over when the PC has left
 * the address where the step began, no matter whether the CPU or the emulation of
 * a trapped instruction moved it.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "arch/archregs.h"
#include "arch/dbgregs.h"
#include "arch/debug_check.h"
#include "arch/exception.h"
#include "core/exception_entry.h"
#include "core/state.h"
#include "debug/cp14.h"
#include "debug/debug.h"
#include "host/cache.h"
#include "mem/stage2.h"

u32 armvmm_debug_flags(void)
{
	u32 flags = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_INJECT_BP;

	if (armvmm_debug_host.nr_brp)
		flags |= KVM_GUESTDBG_USE_HW | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_BLOCKIRQ;
	return flags;
}

void armvmm_debug_update(struct armvmm_vcpu *vcpu)
{
	struct armvmm_debug *debug = &vcpu->debug;
	struct hyp_debug *hyp = &vcpu->hyp->debug;
	unsigned int i;

	hyp->nr_brp = armvmm_debug_host.nr_brp;
	hyp->nr_wrp = armvmm_debug_host.nr_wrp;
	memset(&hyp->regs, 0, sizeof(hyp->regs));
	debug->owner = DEBUG_OWNER_NONE;
	hyp->mode = HYP_DEBUG_OFF;
	if (!(debug->control & (KVM_GUESTDBG_USE_HW | KVM_GUESTDBG_SINGLESTEP))) {
		if (cp14_load(&vcpu->cp14, &armvmm_debug_host, &hyp->regs)) {
			debug->owner = DEBUG_OWNER_GUEST;
			hyp->mode = HYP_DEBUG_LOAD;
		}
		return;
	}

	debug->owner = DEBUG_OWNER_CLIENT;
	hyp->mode = HYP_DEBUG_LOAD;
	if (!(debug->control & KVM_GUESTDBG_USE_HW))
		return;
	/* A step uses the breakpoints itself, and stops at every instruction anyway. */
	for (i = 0; i < hyp->nr_brp && !(debug->control & KVM_GUESTDBG_SINGLESTEP); i++) {
		hyp->regs.bvr[i] = debug->arch.dbg_bvr[i];
		hyp->regs.bcr[i] = debug_check_load(debug->arch.dbg_bcr[i]);
	}
	for (i = 0; i < hyp->nr_wrp; i++) {
		hyp->regs.wvr[i] = debug->arch.dbg_wvr[i];
		hyp->regs.wcr[i] = debug_check_load(debug->arch.dbg_wcr[i]);
	}
}

static void debug_sync_code(struct armvmm_vcpu *vcpu, u32 control)
{
	if (!(control & KVM_GUESTDBG_USE_SW_BP))
		return;
	/*
	 * What the client cleaned to the point of unification is still dirty in a cache behind it,
	 * past which a guest with its caches off may fetch; and when that line is written to memory
	 * later, it takes with it what the guest has stored meanwhile (DDI 0406C A3.5.7, B2.2.6).
	 */
	armvmm_stage2_flush_uncached(vcpu->vm);
	armvmm_cache_sync_client_code();
}

void armvmm_debug_sync_code(struct armvmm_vcpu *vcpu)
{
	debug_sync_code(vcpu, vcpu->debug.control);
}

void armvmm_debug_sync_data(struct armvmm_vcpu *vcpu)
{
	if (vcpu->debug.control & KVM_GUESTDBG_USE_SW_BP)
		armvmm_stage2_flush_uncached(vcpu->vm);
}

void armvmm_debug_reset(struct armvmm_vcpu *vcpu)
{
	vcpu->debug.step_begun = false;
	cp14_reset(&vcpu->cp14);
	armvmm_debug_update(vcpu);
}

/* The guest takes the debug exception; its DBGDSCR tells the reason. */
static int debug_inject(struct armvmm_vcpu *vcpu, u32 moe)
{
	u32 hsr = vcpu_hsr(vcpu);

	vcpu->cp14.dscr = (vcpu->cp14.dscr & ~DBGDSCR_MOE_MASK) | moe << DBGDSCR_MOE_SHIFT;
	if (moe == DBG_MOE_WATCHPOINT)
		armvmm_exception_entry_debug_dabt(vcpu->hyp, vcpu->hyp->hxfar,
						  (hsr & HSR_DABT_WNR ? DFSR_WNR : 0) |
						  (hsr & HSR_DABT_CM ? DFSR_CM : 0));
	else
		armvmm_exception_entry_debug_pabt(vcpu->hyp);
	return 1;
}

static long debug_set(struct armvmm_vcpu *vcpu, const struct kvm_guest_debug *dbg)
{
	struct armvmm_debug *debug = &vcpu->debug;
	u32 control = dbg->control;

	if (control & ~armvmm_debug_flags())
		return -EINVAL;
	/* As in KVM: without ENABLE the other flags mean nothing, and INJECT_BP is not kept. */
	if (!(control & KVM_GUESTDBG_ENABLE))
		control &= KVM_GUESTDBG_INJECT_BP;
	if (control & KVM_GUESTDBG_USE_HW &&
	    !debug_check_arch(&dbg->arch, armvmm_debug_host.nr_brp, armvmm_debug_host.nr_wrp))
		return -EINVAL;
	if (control & KVM_GUESTDBG_INJECT_BP) {
		if (!vcpu->initialized)
			return -ENOEXEC;
		/* The client has to complete an access of the instruction first. */
		if (vcpu->mmio.pending)
			return -EBUSY;
		debug_inject(vcpu, DBG_MOE_BKPT);
	}

	/* Also for a client that will look at memory, and for one that took its BKPTs away. */
	debug_sync_code(vcpu, debug->control | control);
	/* Clearing the flag clears the registers. */
	debug->control = control & ~KVM_GUESTDBG_INJECT_BP;
	debug->irq_blocked = false;
	debug->arch = dbg->arch;
	/* If an access is unfinished, this step ends with the instruction that made it. */
	debug->step_begun = vcpu->initialized && vcpu->mmio.pending;
	debug->step_pc = vcpu->hyp->regs.usr_regs.ARM_pc;
	armvmm_debug_update(vcpu);
	return 0;
}

long armvmm_debug_ioctl(struct armvmm_vcpu *vcpu, unsigned int cmd, void __user *argp)
{
	struct kvm_guest_debug dbg = {};
	bool bare = cmd == ARMVMM_DEBUG_IOCTL_BARE;

	BUILD_BUG_ON(offsetof(struct kvm_guest_debug, arch) != sizeof(struct armvmm_debug_bare));
	if (copy_from_user(&dbg, argp, bare ? sizeof(struct armvmm_debug_bare) : sizeof(dbg)))
		return -EFAULT;
	if (bare && dbg.control & KVM_GUESTDBG_USE_HW)
		return -EINVAL;
	return debug_set(vcpu, &dbg);
}

int armvmm_debug_to_user(struct armvmm_vcpu *vcpu, u32 ec, u32 far)
{
	struct kvm_run *run = vcpu->run;

	vcpu->debug.step_begun = false;
	memset(&run->debug, 0, sizeof(run->debug));
	run->debug.arch.hsr = ec << 26 | HSR_IL;
	/* WnR, as for an abort (B3.13.6): whether a load or a store hit the watchpoint. */
	if (ec == KVM_ARM_DEBUG_EC_WATCHPOINT)
		run->debug.arch.hsr |= vcpu_hsr(vcpu) & HSR_DABT_WNR;
	run->debug.arch.pc = vcpu->hyp->regs.usr_regs.ARM_pc;
	run->debug.arch.far = far;
	run->exit_reason = KVM_EXIT_DEBUG;
	return 0;
}

/*
 * The reason for the exception. BKPT, breakpoints and vector catches share a
 * class; DBGDSCR.MOE tells them apart (C11.11.20). The emulator (QEMU 7.2) never
 * writes it, or reports ARMv8's classes: then the instruction at the PC tells.
 * DBG_MOE_NONE if that cannot be read.
 */
static u32 debug_moe(struct armvmm_vcpu *vcpu)
{
	u32 moe = DBGDSCR_MOE(vcpu->hyp->debug.moe);

	switch (HSR_EC(vcpu_hsr(vcpu))) {
	case HSR_EC_V8_BKPT:
		return DBG_MOE_BKPT;
	case HSR_EC_V8_BREAKPOINT:
		return DBG_MOE_BREAKPOINT;
	case HSR_EC_IABT:
		if (moe == DBG_MOE_BREAKPOINT || moe == DBG_MOE_BKPT || moe == DBG_MOE_VECTOR_CATCH)
			return moe;
		switch (armvmm_debug_at_bkpt(vcpu)) {
		case 1:
			return DBG_MOE_BKPT;
		case 0:
			return DBG_MOE_BREAKPOINT;
		default:
			return DBG_MOE_NONE;
		}
	default:
		return DBG_MOE_WATCHPOINT;
	}
}

static int debug_bkpt(struct armvmm_vcpu *vcpu)
{
	if (vcpu->debug.control & KVM_GUESTDBG_USE_SW_BP)
		return armvmm_debug_to_user(vcpu, KVM_ARM_DEBUG_EC_BKPT, 0);
	return debug_inject(vcpu, DBG_MOE_BKPT);
}

/*
 * Neither the client's nor the guest's registers are loaded. There are two
 * possible reasons. One of the host's breakpoints hit: they are hidden from this
 * vCPU from now on. Or it is a BKPT that neither DBGDSCR nor memory shows as one,
 * and it would recur for ever. So the guest runs once more with the host's
 * breakpoints surely hidden (if nr_brp is zero, HYP mode does not check whether
 * any is in use). If the exception comes back, it is a BKPT.
 */
static int debug_host(struct armvmm_vcpu *vcpu, u32 moe)
{
	struct hyp_debug *hyp = &vcpu->hyp->debug;
	bool again = hyp->mode == HYP_DEBUG_HIDE;

	hyp->mode = HYP_DEBUG_HIDE;
	if (moe != DBG_MOE_NONE) {
		hyp->nr_brp = armvmm_debug_host.nr_brp;
		return 1;
	}
	hyp->nr_brp = again ? armvmm_debug_host.nr_brp : 0;
	return again ? debug_bkpt(vcpu) : 1;
}

int armvmm_debug_exit(struct armvmm_vcpu *vcpu)
{
	struct armvmm_debug *debug = &vcpu->debug;
	u32 moe = debug_moe(vcpu);

	if (moe == DBG_MOE_BKPT)
		return debug_bkpt(vcpu);
	switch (debug->owner) {
	case DEBUG_OWNER_CLIENT:
		if (moe == DBG_MOE_WATCHPOINT)
			return armvmm_debug_to_user(vcpu, KVM_ARM_DEBUG_EC_WATCHPOINT,
					     vcpu->hyp->hxfar);
		return armvmm_debug_to_user(vcpu, armvmm_debug_stepping(vcpu) ?
				     KVM_ARM_DEBUG_EC_STEP : KVM_ARM_DEBUG_EC_BREAKPOINT, 0);
	case DEBUG_OWNER_GUEST:
		return debug_inject(vcpu, moe != DBG_MOE_NONE ? moe : DBG_MOE_BREAKPOINT);
	default:
		return debug_host(vcpu, moe);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/* TEECR and TEEHBR as part of a vCPU's state. */
#include <linux/kernel.h>
#include <linux/uaccess.h>

#include <asm/cputype.h>

#include "arch/archregs.h"
#include "core/state.h"
#include "regs/thumbee.h"

#define THUMBEE_TEECR		ARM_CP14_REG32(6, 0, 0, 0)
#define THUMBEE_TEEHBR		ARM_CP14_REG32(6, 1, 0, 0)

bool armvmm_thumbee_there(void)
{
	return ID_PFR0_STATE3(read_cpuid_ext(CPUID_EXT_PFR0));
}

bool armvmm_thumbee_is_reg(u64 id)
{
	return (id == THUMBEE_TEECR || id == THUMBEE_TEEHBR) && armvmm_thumbee_there();
}

/*
 * Hardly a guest has them. HSTR.TTEE traps the first access (DDI 0406C B4.1.73). Until then nothing
 * is moved: the guest would find the client's values, of which it reads none.
 */
static void thumbee_use(struct armvmm_vcpu *vcpu, bool use)
{
	vcpu->hyp->rare.thumbee = use;
	if (use || !armvmm_thumbee_there())
		vcpu->hyp->hstr &= ~HSTR_TTEE;
	else
		vcpu->hyp->hstr |= HSTR_TTEE;
}

void armvmm_thumbee_reset(struct armvmm_vcpu *vcpu)
{
	vcpu->hyp->teecr = 0;
	vcpu->hyp->teehbr = 0;
	thumbee_use(vcpu, false);
}

int armvmm_thumbee_trap(struct armvmm_vcpu *vcpu)
{
	thumbee_use(vcpu, true);
	return 1;
}

int armvmm_thumbee_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u32 val = reg->id == THUMBEE_TEECR ? vcpu->hyp->teecr : vcpu->hyp->teehbr;

	return put_user(val, (u32 __user *)u64_to_user_ptr(reg->addr));
}

int armvmm_thumbee_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u32 val;

	if (get_user(val, (u32 __user *)u64_to_user_ptr(reg->addr)))
		return -EFAULT;
	if (reg->id == THUMBEE_TEECR)
		vcpu->hyp->teecr = val & TEECR_XED;
	else
		vcpu->hyp->teehbr = val & TEEHBR_BASE;
	if (val)
		thumbee_use(vcpu, true);
	return 0;
}

unsigned long armvmm_thumbee_count(void)
{
	return armvmm_thumbee_there() ? 2 : 0;
}

int armvmm_thumbee_list(u64 __user **ids)
{
	if (!armvmm_thumbee_there())
		return 0;
	if (put_user(THUMBEE_TEECR, (*ids)++) || put_user(THUMBEE_TEEHBR, (*ids)++))
		return -EFAULT;
	return 0;
}

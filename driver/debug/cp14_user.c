// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU's own debug registers: the guest's accesses, and the client's by ONE_REG. */
#include <linux/kernel.h>
#include <linux/uaccess.h>

#include "arch/archregs.h"
#include "core/state.h"
#include "debug/cp14.h"
#include "debug/debug.h"

enum cp15_result armvmm_cp14_access(struct armvmm_vcpu *vcpu, struct cp15_access *a)
{
	bool pl0 = (vcpu->hyp->regs.usr_regs.ARM_cpsr & CPSR_M_MASK) == CPSR_M_USR;
	enum cp15_result result = cp14_access(&vcpu->cp14, &armvmm_debug_host, a, pl0);

	if (a->is_write && result == CP15_DONE)
		armvmm_debug_update(vcpu);
	return result;
}

int armvmm_cp14_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u32 val;
	int ret = cp14_get(&vcpu->cp14, &armvmm_debug_host, reg->id, &val);

	return ret ? ret : put_user(val, (u32 __user *)u64_to_user_ptr(reg->addr));
}

int armvmm_cp14_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u32 val;
	int ret = cp14_get(&vcpu->cp14, &armvmm_debug_host, reg->id, &val);

	if (ret)
		return ret;
	if (get_user(val, (u32 __user *)u64_to_user_ptr(reg->addr)))
		return -EFAULT;
	ret = cp14_set(&vcpu->cp14, &armvmm_debug_host, reg->id, val);
	if (!ret)
		armvmm_debug_update(vcpu);
	return ret;
}

unsigned long armvmm_cp14_count(void)
{
	unsigned int n = 0;

	while (cp14_id(&armvmm_debug_host, n))
		n++;
	return n;
}

int armvmm_cp14_list(u64 __user **ids)
{
	unsigned int n;
	u64 id;

	for (n = 0; (id = cp14_id(&armvmm_debug_host, n)); n++)
		if (put_user(id, (*ids)++))
			return -EFAULT;
	return 0;
}

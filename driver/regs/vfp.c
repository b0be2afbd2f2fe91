// SPDX-License-Identifier: GPL-2.0-only
/* The floating-point registers as ONE_REG shows them (DDI 0406C A2.6, B1.11). */
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include <asm/hwcap.h>

#include "arch/archregs.h"
#include "core/state.h"
#include "regs/vfp.h"


static struct vfp_id {
	u32 fpsid;
	u32 mvfr0;
	u32 mvfr1;
} vfp_id;

static bool vfp_exists;

/* KVM/arm's order. */
static const u16 vfp_controls[] = {
	KVM_REG_ARM_VFP_FPEXC,
	KVM_REG_ARM_VFP_FPSCR,
	KVM_REG_ARM_VFP_FPINST,
	KVM_REG_ARM_VFP_FPINST2,
	KVM_REG_ARM_VFP_MVFR0,
	KVM_REG_ARM_VFP_MVFR1,
	KVM_REG_ARM_VFP_FPSID,
};

int armvmm_vfp_init(void)
{
	/* There are Cortex-A7s without: no such register may be touched. */
	vfp_exists = elf_hwcap & HWCAP_VFP;
	if (!vfp_exists)
		return 0;
	/* The ID registers can be read at PL1 with FPEXC.EN clear (B1.11.3). */
	asm volatile(".fpu vfpv3\n\tvmrs %0, fpsid\n\tvmrs %1, mvfr0\n\tvmrs %2, mvfr1"
		     : "=r" (vfp_id.fpsid), "=r" (vfp_id.mvfr0), "=r" (vfp_id.mvfr1));
	return 0;
}

/* MVFR0.A_SIMD is 2 where there are 32 double-word registers (B4.1.108). */
static unsigned int vfp_nr_d(void)
{
	if (!vfp_exists)
		return 0;
	return (vfp_id.mvfr0 & 0xf) == 2 ? 32 : 16;
}

static u32 *vfp_control(struct armvmm_vcpu *vcpu, u32 index)
{
	struct hyp_vfp *vfp = &vcpu->hyp->vfp;

	switch (index) {
	case KVM_REG_ARM_VFP_FPEXC:
		return &vfp->fpexc;
	case KVM_REG_ARM_VFP_FPSCR:
		return &vfp->fpscr;
	case KVM_REG_ARM_VFP_FPINST:
		return &vfp->fpinst;
	case KVM_REG_ARM_VFP_FPINST2:
		return &vfp->fpinst2;
	case KVM_REG_ARM_VFP_MVFR0:
		return &vfp_id.mvfr0;
	case KVM_REG_ARM_VFP_MVFR1:
		return &vfp_id.mvfr1;
	case KVM_REG_ARM_VFP_FPSID:
		return &vfp_id.fpsid;
	default:
		return NULL;
	}
}

static bool vfp_is_invariant(u32 index)
{
	return index == KVM_REG_ARM_VFP_MVFR0 || index == KVM_REG_ARM_VFP_MVFR1 ||
	       index == KVM_REG_ARM_VFP_FPSID;
}

/* What @reg names, and its size; NULL when there is none or the size is not that. */
static void *vfp_find(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg, size_t *size)
{
	u32 index = reg->id & KVM_REG_ARM_VFP_MASK;
	void *p;

	if (reg->id & ~(KVM_REG_ARCH_MASK | KVM_REG_SIZE_MASK | KVM_REG_ARM_COPROC_MASK |
			KVM_REG_ARM_VFP_MASK) || !vfp_exists)
		return NULL;
	if (index < vfp_nr_d()) {
		p = &vcpu->hyp->vfp.d[array_index_nospec(index, ARRAY_SIZE(vcpu->hyp->vfp.d))];
		*size = sizeof(u64);
	} else {
		p = vfp_control(vcpu, index);
		*size = sizeof(u32);
	}
	return KVM_REG_SIZE(reg->id) == *size ? p : NULL;
}

int armvmm_vfp_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	size_t size;
	void *p = vfp_find(vcpu, reg, &size);

	if (!p)
		return -ENOENT;
	return copy_to_user(u64_to_user_ptr(reg->addr), p, size) ? -EFAULT : 0;
}

int armvmm_vfp_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u64 val = 0;
	size_t size;
	void *p = vfp_find(vcpu, reg, &size);

	if (!p)
		return -ENOENT;
	if (copy_from_user(&val, u64_to_user_ptr(reg->addr), size))
		return -EFAULT;
	if (vfp_is_invariant(reg->id & KVM_REG_ARM_VFP_MASK))
		return memcmp(p, &val, size) ? -EINVAL : 0;
	memcpy(p, &val, size);
	/*
	 * EX says that FPINST is to be moved too, which no CPU with the Virtualization Extensions
	 * has: HYP mode would take an undefined exception (DDI 0406C B6.1.39).
	 */
	if ((reg->id & KVM_REG_ARM_VFP_MASK) == KVM_REG_ARM_VFP_FPEXC)
		vcpu->hyp->vfp.fpexc &= ~FPEXC_EX;
	return 0;
}

unsigned long armvmm_vfp_count(void)
{
	return vfp_exists ? vfp_nr_d() + ARRAY_SIZE(vfp_controls) : 0;
}

int armvmm_vfp_list(u64 __user **ids)
{
	const u64 base = KVM_REG_ARM | KVM_REG_ARM_VFP;
	unsigned int i;

	for (i = 0; i < vfp_nr_d(); i++)
		if (put_user(base | KVM_REG_SIZE_U64 | i, (*ids)++))
			return -EFAULT;
	for (i = 0; vfp_exists && i < ARRAY_SIZE(vfp_controls); i++)
		if (put_user(base | KVM_REG_SIZE_U32 | vfp_controls[i], (*ids)++))
			return -EFAULT;
	return 0;
}

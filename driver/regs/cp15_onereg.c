// SPDX-License-Identifier: GPL-2.0-only
/* cp15 registers by ONE_REG: those that are saved, the invariant ones, CCSIDR. */
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/uaccess.h>

#include <asm/barrier.h>

#include "core/state.h"
#include "regs/cp15.h"
#include "regs/cp15_table.h"
#include "regs/vfp.h"

#define CP15_NR_CSSELR	14	/* seven levels, data or instruction (B4.1.41) */

/* Ctype fields of CLIDR, those past the last level cleared (B4.1.20). */
static u32 cp15_ctypes;

static bool cp15_cache_exists(u32 csselr)
{
	if (csselr >= CP15_NR_CSSELR)
		return false;
	switch ((cp15_ctypes >> (csselr >> 1) * 3) & 7) {
	case 1:			/* instruction only */
		return csselr & 1;
	case 2:			/* data only */
	case 4:			/* unified */
		return !(csselr & 1);
	case 3:			/* both */
		return true;
	default:		/* none, or reserved */
		return false;
	}
}

/* While the host runs, CSSELR is the host's: no interrupt may use it in between. */
static u32 cp15_read_ccsidr(u32 csselr)
{
	unsigned long flags;
	u32 old, val;

	local_irq_save(flags);
	asm volatile("mrc p15, 2, %0, c0, c0, 0" : "=r" (old));
	asm volatile("mcr p15, 2, %0, c0, c0, 0" : : "r" (csselr));
	isb();
	asm volatile("mrc p15, 1, %0, c0, c0, 0" : "=r" (val));
	asm volatile("mcr p15, 2, %0, c0, c0, 0" : : "r" (old));
	isb();
	local_irq_restore(flags);
	return val;
}

#define CP15_READ_ID(op1, crm, op2)						\
	case (op1) << 8 | (crm) << 4 | (op2):					\
		asm volatile("mrc p15, " #op1 ", %0, c0, c" #crm ", " #op2 : "=r" (val)); \
		break

static u32 cp15_read_invariant(const struct cp15_reg *r)
{
	u32 val = 0;

	switch (r->op1 << 8 | r->crm << 4 | r->op2) {
	CP15_READ_ID(0, 0, 0);
	CP15_READ_ID(0, 0, 1);
	CP15_READ_ID(0, 0, 2);
	CP15_READ_ID(0, 0, 3);
	CP15_READ_ID(0, 0, 6);
	CP15_READ_ID(1, 0, 1);
	CP15_READ_ID(1, 0, 7);
	CP15_READ_ID(0, 1, 0);
	CP15_READ_ID(0, 1, 1);
	CP15_READ_ID(0, 1, 2);
	CP15_READ_ID(0, 1, 3);
	CP15_READ_ID(0, 1, 4);
	CP15_READ_ID(0, 1, 5);
	CP15_READ_ID(0, 1, 6);
	CP15_READ_ID(0, 1, 7);
	CP15_READ_ID(0, 2, 0);
	CP15_READ_ID(0, 2, 1);
	CP15_READ_ID(0, 2, 2);
	CP15_READ_ID(0, 2, 3);
	CP15_READ_ID(0, 2, 4);
	CP15_READ_ID(0, 2, 5);
	}
	return val;
}

static u32 cp15_read_ctypes(void)
{
	u32 clidr;
	unsigned int level;

	asm volatile("mrc p15, 1, %0, c0, c0, 1" : "=r" (clidr));
	for (level = 0; level < 7; level++)
		if (!(clidr >> level * 3 & 7))
			break;
	return clidr & ((1u << level * 3) - 1);
}

int armvmm_cp15_init(void)
{
	unsigned int i;

	if (!cp15_sorted(cp15_regs, cp15_nr_regs) ||
	    !cp15_sorted(cp15_invariants, cp15_nr_invariants)) {
		pr_err("the tables of cp15 registers are out of order\n");
		return -EINVAL;
	}
	for (i = 0; i < cp15_nr_invariants; i++)
		cp15_invariants[i].value = cp15_read_invariant(&cp15_invariants[i]);
	cp15_ctypes = cp15_read_ctypes();
	return armvmm_vfp_init();
}

static bool cp15_demux_csselr(u64 id, u32 *csselr)
{
	if (id & ~(KVM_REG_ARCH_MASK | KVM_REG_SIZE_MASK | KVM_REG_ARM_COPROC_MASK |
		   KVM_REG_ARM_DEMUX_ID_MASK | KVM_REG_ARM_DEMUX_VAL_MASK))
		return false;
	if ((id & KVM_REG_ARM_DEMUX_ID_MASK) != KVM_REG_ARM_DEMUX_ID_CCSIDR ||
	    KVM_REG_SIZE(id) != sizeof(u32))
		return false;
	*csselr = id & KVM_REG_ARM_DEMUX_VAL_MASK;
	return cp15_cache_exists(*csselr);
}

static bool cp15_is_demux(u64 id)
{
	return (id & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM_DEMUX;
}

/* Registers that nobody can change: CCSIDR and the ID registers. */
static bool cp15_get_constant(u64 id, u32 *val)
{
	const struct cp15_reg *r;
	u32 csselr, key;

	if (cp15_is_demux(id)) {
		if (!cp15_demux_csselr(id, &csselr))
			return false;
		*val = cp15_read_ccsidr(csselr);
		return true;
	}
	if (!cp15_id_key(id, &key))
		return false;
	r = cp15_find(cp15_invariants, cp15_nr_invariants, key);
	if (r)
		*val = r->value;
	return r;
}

/* The saved register of @id, or NULL. */
static const struct cp15_reg *cp15_find_saved(u64 id)
{
	const struct cp15_reg *r;
	u32 key;

	if (!cp15_id_key(id, &key))
		return NULL;
	r = cp15_find(cp15_regs, cp15_nr_regs, key);
	return r && r->index != CP15_NOT_SAVED ? r : NULL;
}

int armvmm_cp15_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	const struct cp15_reg *r = cp15_find_saved(reg->id);
	void __user *uaddr = u64_to_user_ptr(reg->addr);
	u32 val;

	if (r)	/* A 64-bit register is two words, the low one first. */
		return copy_to_user(uaddr, &vcpu_cp15(vcpu, r->index), r->is64 ? 8 : 4) ?
			-EFAULT : 0;
	if (!cp15_get_constant(reg->id, &val))
		return -ENOENT;
	return put_user(val, (u32 __user *)uaddr);
}

int armvmm_cp15_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	const struct cp15_reg *r = cp15_find_saved(reg->id);
	void __user *uaddr = u64_to_user_ptr(reg->addr);
	u32 val, words[2];

	if (r) {
		/* Through a buffer, so that a fault half way leaves the register unchanged. */
		if (copy_from_user(words, uaddr, r->is64 ? 8 : 4))
			return -EFAULT;
		vcpu_cp15(vcpu, r->index) = words[0];
		if (r->is64)
			vcpu_cp15(vcpu, r->index + 1) = words[1];
		return 0;
	}
	if (!cp15_get_constant(reg->id, &val))
		return -ENOENT;
	if (get_user(words[0], (u32 __user *)uaddr))
		return -EFAULT;
	return words[0] == val ? 0 : -EINVAL;
}

static unsigned int cp15_count_saved(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < cp15_nr_regs; i++)
		n += cp15_regs[i].index != CP15_NOT_SAVED;
	return n;
}

static unsigned int cp15_count_demux(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < CP15_NR_CSSELR; i++)
		n += cp15_cache_exists(i);
	return n;
}

unsigned long armvmm_cp15_count(struct armvmm_vcpu *vcpu)
{
	return cp15_nr_invariants + cp15_count_saved() + armvmm_vfp_count() + cp15_count_demux();
}

int armvmm_cp15_list(struct armvmm_vcpu *vcpu, u64 __user **ids)
{
	const u64 demux = KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_DEMUX |
			  KVM_REG_ARM_DEMUX_ID_CCSIDR;
	unsigned int i;

	for (i = 0; i < cp15_nr_invariants; i++)
		if (put_user(cp15_reg_id(&cp15_invariants[i]), (*ids)++))
			return -EFAULT;
	for (i = 0; i < cp15_nr_regs; i++)
		if (cp15_regs[i].index != CP15_NOT_SAVED &&
		    put_user(cp15_reg_id(&cp15_regs[i]), (*ids)++))
			return -EFAULT;
	if (armvmm_vfp_list(ids))
		return -EFAULT;
	for (i = 0; i < CP15_NR_CSSELR; i++)
		if (cp15_cache_exists(i) && put_user(demux | i, (*ids)++))
			return -EFAULT;
	return 0;
}

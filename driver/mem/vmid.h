/* SPDX-License-Identifier: GPL-2.0-only */
/* Which VMID a vCPU enters its guest with; vmid.c tells why that is right. */
#ifndef ARMVMM_VMID_H
#define ARMVMM_VMID_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/types.h>

#include "arch/lpae.h"
#include "core/state.h"

int armvmm_vmid_init(void);
/* The VMID that the host runs with, which is no guest's. Before the first guest. */
void armvmm_vmid_set_host(unsigned int n);
void armvmm_vmid_exit(void);

static inline u32 armvmm_vmid_number(u64 vmid)
{
	return (u32)vmid & 0xff;
}

static inline u64 armvmm_vmid_vttbr(const struct stage2 *s2, u64 vmid)
{
	return s2->pgd_pa | (u64)armvmm_vmid_number(vmid) << VTTBR_VMID_SHIFT;
}

/* The id that this CPU runs with, or ran with last; 0 since a new generation began. */
DECLARE_PER_CPU(atomic64_t, vmid_active);

/* The VM gets an id, which becomes this CPU's active one. Once for a generation, or another VM. */
u64 vmid_renew(struct stage2 *s2, atomic64_t *active);
/* Another vCPU of the VM ran last on this CPU, or none: @last says which. */
void vmid_other_vcpu(struct armvmm_vcpu *vcpu, u8 *last);

/*
 * Before an entry, IRQs off, on a CPU that is taken over: makes sure that the VM has a VMID, sets
 * hyp->vttbr, and flushes this CPU's TLB entries where another vCPU of the VM ran here last
 * (docs/hazards.md 17).
 */
static inline void armvmm_vmid_update(struct armvmm_vcpu *vcpu)
{
	struct stage2 *s2 = &vcpu->vm->stage2;
	atomic64_t *active = this_cpu_ptr(&vmid_active);
	u8 *last = this_cpu_ptr(s2->last_vcpu);
	u64 id = atomic64_read(active), diff = id ^ (u64)atomic64_read(&s2->vmid);

	/* With IRQs off the module does not give HYP mode up, so flushes work. */
	lockdep_assert_irqs_disabled();
	/*
	 * A new generation takes the active id either before the read or after it, and then keeps
	 * the number reserved: the two reads need not be atomic. No id has number 0.
	 */
	if (unlikely(diff || !armvmm_vmid_number(id)))
		id = vmid_renew(s2, active);
	vcpu->hyp->vttbr = armvmm_vmid_vttbr(s2, id);
	WRITE_ONCE(vcpu->last_cpu, smp_processor_id());
	if (unlikely(*last != vcpu->index + 1))
		vmid_other_vcpu(vcpu, last);
}

#endif

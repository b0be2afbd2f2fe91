// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which VMID a VM runs with (docs/hazards.md 5 and 17).
 *
 * A CPU's active id is that of the VM that it runs, or ran last. An entry of a VM with that id
 * needs nothing; any other entry asks the pool, under the lock. A new generation clears the active
 * ids, so that the next entry on each CPU asks. A CPU that is in a guest stays there, and its VM
 * keeps its number.
 *
 * stage2.c may flush by whichever number it finds. It changes a descriptor, has a DSB, and reads
 * stage2.vmid. This file writes an id, has a DSB, and enters the guest with it. So either the flush
 * sees the id, or the walks of that entry see the descriptor. A VM's number changes only while none
 * of its vCPUs is in the guest, and all TLBs are flushed before the new number is used.
 */
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <asm/barrier.h>

#include "compat/compat.h"
#include "core/state.h"
#include "host/cache.h"
#include "host/hypcpu.h"
#include "mem/vmid.h"
#include "mem/vmid_pool.h"

DEFINE_PER_CPU(atomic64_t, vmid_active);
static DEFINE_RAW_SPINLOCK(vmid_lock);
static struct vmid_pool vmid_pool;	/* under vmid_lock */
static bool vmid_flush_due;		/* likewise: a CPU that has lost HYP mode could not do it */

static u64 vmid_take_active(unsigned int cpu)
{
	return atomic64_xchg(per_cpu_ptr(&vmid_active, cpu), 0);
}

/*
 * Flushes the TLB entries of all guests on all CPUs, and instruction caches, which may be tagged by
 * VMID (DDI 0406C B3.10.6, B3.11.2). False where somebody took this CPU's HYP mode away unnoticed.
 */
static bool vmid_flush_all(void)
{
	bool done = armvmm_hyp_call(HYP_CALL_TLBI_ALL, 0, 0) != HYP_STUB_ERROR;

	armvmm_cache_invalidate_icache_all();
	return done;
}

u64 vmid_renew(struct stage2 *s2, atomic64_t *active)
{
	bool flush;
	u64 id;

	raw_spin_lock(&vmid_lock);
	id = vmid_pool_get(&vmid_pool, atomic64_read(&s2->vmid), &flush);
	/*
	 * A CPU that could not flush does not enter a guest either, until it is taken over again,
	 * which flushes its own TLB. All others come here before they use a new id.
	 */
	if (flush || vmid_flush_due)
		vmid_flush_due = !vmid_flush_all();
	atomic64_set(&s2->vmid, id);
	atomic64_set(active, id);
	/* The id is visible before any walk with it. */
	dsb(ish);
	raw_spin_unlock(&vmid_lock);
	return id;
}

/*
 * vCPUs of a VM share the VMID, but their guest may use one ASID for different tables on each, or
 * no ASIDs yet. The entries on this CPU belong to the last vCPU that ran here.
 */
void vmid_other_vcpu(struct armvmm_vcpu *vcpu, u8 *last)
{
	u64 vttbr = vcpu->hyp->vttbr;

	if (*last)
		armvmm_hyp_call(HYP_CALL_TLBI_VMID_LOCAL, lower_32_bits(vttbr),
				upper_32_bits(vttbr));
	*last = vcpu->index + 1;
}

void armvmm_vmid_set_host(unsigned int n)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vmid_lock, flags);
	vmid_pool_set_host(&vmid_pool, n);
	raw_spin_unlock_irqrestore(&vmid_lock, flags);
}

int armvmm_vmid_init(void)
{
	/* One for each CPU, the host's, and 0. */
	if (nr_cpu_ids >= VMID_NR - 2)
		return -EINVAL;
	vmid_pool.reserved = kcalloc(nr_cpu_ids, sizeof(*vmid_pool.reserved), GFP_KERNEL);
	if (!vmid_pool.reserved)
		return -ENOMEM;
	vmid_pool.nr_cpus = nr_cpu_ids;
	vmid_pool.take_active = vmid_take_active;
	vmid_pool_init(&vmid_pool);
	return 0;
}

void armvmm_vmid_exit(void)
{
	kfree(vmid_pool.reserved);
	vmid_pool.reserved = NULL;
}

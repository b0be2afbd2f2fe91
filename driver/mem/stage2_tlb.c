// SPDX-License-Identifier: GPL-2.0-only
/* What changed in a VM's tables leaves the TLBs. */
#include <linux/cpumask.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <asm/barrier.h>

#include "compat/compat.h"

#include "core/in_guest.h"
#include "core/state.h"
#include "host/hypcpu.h"
#include "hyp/hyp.h"
#include "mem/stage2.h"
#include "mem/vmid.h"

/* Set for good as soon as a CPU with erratum 798181 is taken over (cpukind.c). */
static bool tlb_needs_sync;

struct tlb_call {
	u64 vttbr;
	bool done;
};

/* A CPU whose HYP mode is not ours cannot do it: none of our guests runs there either. */
static void tlb_call(void *arg)
{
	struct tlb_call *call = arg;

	if (!armvmm_hypcpu_ready())
		return;
	call->done = armvmm_hyp_call(HYP_CALL_TLBI_VMID, lower_32_bits(call->vttbr),
				     upper_32_bits(call->vttbr)) != HYP_STUB_ERROR;
}

static void tlb_barrier(void *unused)
{
	dmb(ish);
}

/*
 * ARMv7 knows no invalidation by IPA: all entries of the VMID go, by one broadcast to the inner
 * shareable domain (DDI 0406C B3.10.6). A VM that never had a VMID has no entries. vmid.c tells
 * why the number read here is the right one: the DSB orders the changed descriptors before the
 * read.
 */
void armvmm_stage2_flush_tlb(struct stage2 *s2)
{
	struct armvmm_vm *vm = container_of(s2, struct armvmm_vm, stage2);
	struct tlb_call call = { };
	int cpu, this;
	u64 vmid;

	vm->stat.remote_tlb_flush_requests++;
	dsb(ish);
	vmid = atomic64_read(&s2->vmid);
	if (!vmid)
		return;
	vm->stat.remote_tlb_flush++;
	call.vttbr = armvmm_vmid_vttbr(s2, vmid);

	this = get_cpu();
	tlb_call(&call);
	/* In the midst of its hotplug a CPU has no HYP mode of ours: any other will do. */
	if (unlikely(!call.done)) {
		for_each_online_cpu(cpu) {
			if (cpu != this)
				smp_call_function_single(cpu, tlb_call, &call, 1);
			if (call.done)
				break;
		}
	}
	/*
	 * Cortex-A15 erratum 798181: the DSB after a broadcast invalidation does not wait for what
	 * other CPUs did by the old entries. A DMB on each CPU that is in this guest does. A vCPU
	 * that enters later sees the new tables.
	 */
	if (READ_ONCE(tlb_needs_sync))
		armvmm_in_guest_call(vm, tlb_barrier);
	put_cpu();
}

void armvmm_stage2_tlb_needs_sync(void)
{
	WRITE_ONCE(tlb_needs_sync, true);
}

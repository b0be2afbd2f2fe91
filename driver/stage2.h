/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage-2 translation: guest physical (IPA, 40 bits) to physical, LPAE format
 * (DDI 0406C B3.6), kept true to the client's page tables by MMU notifiers.
 */
#ifndef ARMVMM_STAGE2_H
#define ARMVMM_STAGE2_H

#include <linux/spinlock.h>
#include <linux/types.h>

struct armvmm_vm;
struct armvmm_vcpu;

#define STAGE2_IPA_BITS		40

struct stage2 {
	u64 *pgd;		/* concatenated first-level tables */
	phys_addr_t pgd_pa;
	spinlock_t lock;	/* tables; seq and count of invalidations */
	unsigned long invalidate_seq;
	int invalidate_count;
	u64 vmid_gen;		/* generation that vmid belongs to (vmid.c) */
	u32 vmid;
	u64 vttbr;		/* as to be loaded; valid for vmid_gen */
};

int armvmm_stage2_vm_init(struct armvmm_vm *vm);	/* tables, MMU notifier */
void armvmm_stage2_vm_release(struct armvmm_vm *vm);	/* stops the notifier, unmaps all */
void armvmm_stage2_vm_destroy(struct armvmm_vm *vm);	/* frees */

/* VTCR for this module (DDI 0406C B4.1.160): T0SZ, SL0, walk attributes. */
u32 armvmm_stage2_vtcr(void);

/*
 * A stage-2 abort of the guest (hyp->hsr, hxfar, hpfar). Maps RAM, or gives the
 * access to mmio.c, or injects an abort. As armvmm_exit_handle(). May sleep.
 */
int armvmm_stage2_fault(struct armvmm_vcpu *vcpu);

/* Maps device memory (GICV) at @ipa. 0 or -errno. May sleep. */
int armvmm_stage2_map_device(struct armvmm_vm *vm, u64 ipa, phys_addr_t pa, size_t size,
			     bool writable);
/* Removes what is mapped in [ipa, ipa + size) and flushes the TLBs. */
void armvmm_stage2_unmap(struct armvmm_vm *vm, u64 ipa, u64 size);
/* Write-protects a range for dirty logging and flushes the TLBs. */
void armvmm_stage2_write_protect(struct armvmm_vm *vm, u64 ipa, u64 size);
/* Cleans and invalidates to the PoC all guest RAM that is mapped (set/way, caches off). */
void armvmm_stage2_flush_caches(struct armvmm_vm *vm);

/*
 * IPA of the fault in hyp->hpfar, or by translating hyp->hxfar where HPFAR is
 * UNKNOWN (DDI 0406C B3.13.5): done in HYP at exit, hyp->fault_ipa_valid.
 */
static inline u64 armvmm_stage2_fault_ipa(u32 hpfar, u32 hxfar)
{
	return ((u64)(hpfar & 0xfffffff0) << 8) | (hxfar & 0xfff);
}

/*
 * Before an entry, preemption off: makes sure that the VM has a VMID of the current
 * generation, sets hyp->vttbr, and flushes this CPU's TLB and I-cache entries
 * where another vCPU of the VM ran here last (design section 9, 17).
 */
void armvmm_vmid_update(struct armvmm_vcpu *vcpu);
int armvmm_vmid_init(void);
void armvmm_vmid_exit(void);

#endif

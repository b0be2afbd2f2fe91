/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest RAM: which guest physical ranges stand for which of the client's memory. */
#ifndef ARMVMM_MEMSLOT_H
#define ARMVMM_MEMSLOT_H

#include <linux/armvmm.h>

struct armvmm_vm;

#define ARMVMM_NR_MEMSLOTS	512	/* KVM/arm: 32 to 512 by release */

struct armvmm_memslot {
	u64 base_gfn;
	unsigned long npages;
	unsigned long userspace_addr;
	u32 flags;		/* KVM_MEM_* */
	u16 id;
	unsigned long *dirty_bitmap;	/* NULL where not logging */
};

/* Replaced as a whole; readers hold vm->srcu. Sorted by base_gfn. */
struct armvmm_memslots {
	int nr;
	struct armvmm_memslot slots[];
};

int armvmm_memslot_vm_init(struct armvmm_vm *vm);
void armvmm_memslot_vm_destroy(struct armvmm_vm *vm);
/* KVM_SET_USER_MEMORY_REGION, with KVM's checks and errno. Takes slots_lock. */
int armvmm_memslot_set(struct armvmm_vm *vm, const struct kvm_userspace_memory_region *mem);
/* Slot of a guest frame, or NULL. Caller holds vm->srcu or slots_lock. */
struct armvmm_memslot *armvmm_memslot_find(struct armvmm_vm *vm, u64 gfn);
static inline unsigned long armvmm_memslot_hva(const struct armvmm_memslot *slot, u64 gfn)
{
	return slot->userspace_addr + (unsigned long)((gfn - slot->base_gfn) << PAGE_SHIFT);
}

/* dirty.c */
void armvmm_dirty_mark(struct armvmm_memslot *slot, u64 gfn);
int armvmm_dirty_get_log(struct armvmm_vm *vm, struct kvm_dirty_log *log);

#endif

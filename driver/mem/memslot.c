// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slots of a VM: an array that is never changed, only replaced, and readers under vm->srcu.
 *
 * What a change must not allow is a guest that reaches memory through a slot which is gone. A
 * fault holds vm->srcu from the look-up of the slot to the entry in the tables; so once the new
 * array is in place and synchronize_srcu() is through, no such entry is made any more, and those
 * that are there are unmapped next.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>

#include "compat/compat.h"

#include "core/state.h"
#include "mem/memslot.h"
#include "mem/memslot_hva.h"
#include "mem/stage2.h"
#include "mem/stage2_host.h"

struct armvmm_memslots *armvmm_memslot_all(struct armvmm_vm *vm)
{
	return srcu_dereference_check(vm->memslots, &vm->srcu,
				      lockdep_is_held(&vm->slots_lock));
}

struct armvmm_memslot *armvmm_memslot_find(struct armvmm_vm *vm, u64 gfn)
{
	struct armvmm_memslots *slots = armvmm_memslot_all(vm);
	int low = 0, high = slots->nr;

	while (low < high) {
		int mid = (low + high) / 2;
		struct armvmm_memslot *slot = &slots->slots[mid];

		if (gfn < slot->base_gfn)
			high = mid;
		else if (gfn >= slot->base_gfn + slot->npages)
			low = mid + 1;
		else
			return slot;
	}
	return NULL;
}

static struct armvmm_memslot *memslot_by_id(struct armvmm_memslots *slots, u16 id)
{
	int i;

	for (i = 0; i < slots->nr; i++)
		if (slots->slots[i].id == id)
			return &slots->slots[i];
	return NULL;
}

static struct armvmm_memslots *memslots_alloc(int nr)
{
	struct armvmm_memslots *slots;
	size_t size = struct_size(slots, slots, nr);

	slots = kvzalloc(size + nr * sizeof(*slots->by_hva), GFP_KERNEL_ACCOUNT);
	if (slots)
		slots->by_hva = (void *)slots + size;
	return slots;
}

/* A copy of @old without slot @id (or with all, where there is none) and with @add, if any. */
static void memslots_fill(struct armvmm_memslots *slots, const struct armvmm_memslots *old, int id,
			  const struct armvmm_memslot *add)
{
	int i, removed = -1, added = -1;

	slots->nr = 0;
	for (i = 0; i < old->nr; i++) {
		const struct armvmm_memslot *slot = &old->slots[i];

		if (slot->id == id) {
			removed = i;
			continue;
		}
		if (add && added < 0 && add->base_gfn < slot->base_gfn) {
			added = slots->nr++;
			slots->slots[added] = *add;
		}
		slots->slots[slots->nr++] = *slot;
	}
	if (add && added < 0) {
		added = slots->nr++;
		slots->slots[added] = *add;
	}
	memslot_hva_build(slots, old, removed, added);
}

/* After it no reader has the old array any more. */
static void memslots_replace(struct armvmm_vm *vm, struct armvmm_memslots *slots)
{
	lockdep_assert_held(&vm->slots_lock);
	rcu_assign_pointer(vm->memslots, slots);
	synchronize_srcu_expedited(&vm->srcu);
}

/*
 * Checks the client's memory there: -EPERM if the guest may write to the slot, but the client not
 * to the memory; -EINVAL if writes to device memory are to be logged. Holes are allowed. The memory
 * may change later; then a fault reports it.
 */
static int memslot_check_mappings(struct armvmm_vm *vm, const struct armvmm_memslot *slot)
{
	unsigned long hva = slot->userspace_addr;
	unsigned long last = hva + (slot->npages << PAGE_SHIFT) - 1;
	struct vm_area_struct *vma;
	int ret = 0;

	mmap_read_lock(vm->mm);
	while (!ret) {
		vma = find_vma(vm->mm, hva);
		if (!vma || vma->vm_start > last)
			break;
		if (!(slot->flags & KVM_MEM_READONLY) && !(vma->vm_flags & VM_WRITE))
			ret = -EPERM;
		else if ((vma->vm_flags & VM_PFNMAP) && (slot->flags & KVM_MEM_LOG_DIRTY_PAGES))
			ret = -EINVAL;
		if (vma->vm_end - 1 >= last)
			break;
		hva = vma->vm_end;
	}
	mmap_read_unlock(vm->mm);
	return ret;
}

static int memslot_check_overlap(const struct armvmm_memslots *slots,
				 const struct armvmm_memslot *new)
{
	int i;

	for (i = 0; i < slots->nr; i++) {
		const struct armvmm_memslot *slot = &slots->slots[i];

		if (slot->id != new->id &&
		    memslot_overlaps(new->base_gfn, new->npages, slot->base_gfn, slot->npages))
			return -EEXIST;
	}
	return 0;
}

static int memslot_check_sum(const struct armvmm_memslots *slots, const struct armvmm_memslot *new)
{
	u64 sum = new->npages;
	int i;

	for (i = 0; i < slots->nr; i++)
		sum += slots->slots[i].npages;
	return sum > ARMVMM_MEMSLOT_PAGES ? -ENOSPC : 0;
}

/*
 * Replaces slot @old (NULL: none) by @new (NULL: none). Moving a slot takes two steps: first the
 * old one and its mappings are removed, then the new one is added.
 */
static int memslot_change(struct armvmm_vm *vm, const struct armvmm_memslot *old,
			  const struct armvmm_memslot *new, enum memslot_change change)
{
	struct armvmm_memslots *current_slots = armvmm_memslot_all(vm);
	struct armvmm_memslots *without = NULL, *with = NULL;
	int id = old ? old->id : -1;
	int nr = current_slots->nr;

	if (change == MEMSLOT_DELETE || change == MEMSLOT_MOVE) {
		u64 ipa = old->base_gfn << PAGE_SHIFT;
		u64 size = (u64)old->npages << PAGE_SHIFT;

		without = memslots_alloc(nr - 1);
		if (!without)
			return -ENOMEM;
		if (change == MEMSLOT_MOVE) {
			with = memslots_alloc(nr);
			if (!with) {
				kvfree(without);
				return -ENOMEM;
			}
			memslots_fill(with, current_slots, id, new);
		}
		memslots_fill(without, current_slots, id, NULL);
		memslots_replace(vm, without);
		armvmm_stage2_unmap(vm, ipa, size);
		kvfree(current_slots);
		if (with) {
			memslots_replace(vm, with);
			kvfree(without);
		}
		return 0;
	}

	with = memslots_alloc(old ? nr : nr + 1);
	if (!with)
		return -ENOMEM;
	memslots_fill(with, current_slots, id, new);
	memslots_replace(vm, with);
	kvfree(current_slots);
	return 0;
}

/* Frees what belongs to a slot that was removed, with all its mappings. */
static void memslot_free(struct armvmm_vm *vm, struct armvmm_memslot *slot)
{
	armvmm_stage2_host_slot_release(vm, slot);
	kvfree(slot->dirty_bitmap);
}

static int memslot_set(struct armvmm_vm *vm, const struct kvm_userspace_memory_region *mem)
{
	unsigned long *unused_bitmap = NULL, *new_bitmap = NULL;
	struct armvmm_memslot *slot, old = { }, new = { };
	struct memslot_range range = { };
	int change, ret;

	slot = memslot_by_id(armvmm_memslot_all(vm), mem->slot);
	if (slot) {
		old = *slot;
		range.base_gfn = old.base_gfn;
		range.npages = old.npages;
		range.userspace_addr = old.userspace_addr;
		range.flags = old.flags;
	}
	change = memslot_check_change(mem, &range);
	if (change < 0 || change == MEMSLOT_NONE)
		return change;

	if (change == MEMSLOT_DELETE) {
		ret = memslot_change(vm, &old, NULL, change);
		if (!ret)
			memslot_free(vm, &old);
		return ret;
	}

	new.id = mem->slot;
	new.base_gfn = mem->guest_phys_addr >> PAGE_SHIFT;
	new.npages = mem->memory_size >> PAGE_SHIFT;
	new.userspace_addr = mem->userspace_addr;
	new.flags = mem->flags;
	if (change != MEMSLOT_FLAGS) {
		ret = memslot_check_overlap(armvmm_memslot_all(vm), &new);
		if (ret)
			return ret;
	}
	ret = memslot_check_ipa(mem);
	if (ret)
		return ret;
	if (change == MEMSLOT_CREATE) {
		ret = memslot_check_sum(armvmm_memslot_all(vm), &new);
		if (ret)
			return ret;
	}
	ret = memslot_check_mappings(vm, &new);
	if (ret)
		return ret;

	if (!(new.flags & KVM_MEM_LOG_DIRTY_PAGES)) {
		unused_bitmap = old.dirty_bitmap;
	} else if (old.dirty_bitmap) {
		new.dirty_bitmap = old.dirty_bitmap;
	} else {
		new_bitmap = kvzalloc(armvmm_dirty_bytes(new.npages), GFP_KERNEL_ACCOUNT);
		if (!new_bitmap)
			return -ENOMEM;
		new.dirty_bitmap = new_bitmap;
	}

	new.pins = old.pins;
	ret = change == MEMSLOT_CREATE ? armvmm_stage2_host_slot_init(&new) : 0;
	if (!ret) {
		ret = memslot_change(vm, slot ? &old : NULL, &new, change);
		/* No reader has seen the slot yet. */
		if (ret && change == MEMSLOT_CREATE)
			armvmm_stage2_host_slot_release(vm, &new);
	}
	if (ret) {
		kvfree(new_bitmap);
		return ret;
	}
	kvfree(unused_bitmap);
	/* All faults see the bitmap by now: from here on each page's first write is noted. */
	if (new.flags & KVM_MEM_LOG_DIRTY_PAGES)
		armvmm_stage2_write_protect(vm, new.base_gfn << PAGE_SHIFT,
					    (u64)new.npages << PAGE_SHIFT);
	return 0;
}

int armvmm_memslot_set(struct armvmm_vm *vm, const struct kvm_userspace_memory_region *mem)
{
	int ret = memslot_check_request(mem);

	if (ret)
		return ret;
	if (!access_ok((void __user *)(unsigned long)mem->userspace_addr,
		       (unsigned long)mem->memory_size))
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	ret = memslot_set(vm, mem);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

int armvmm_memslot_unpin(struct armvmm_vm *vm, const struct armvmm_range *range)
{
	u64 gfn = range->addr >> PAGE_SHIFT, pages = range->size >> PAGE_SHIFT;
	struct armvmm_memslot *slot;
	int idx, ret = -ENOENT;

	if (armvmm_stage2_host_syncs || !range->size ||
	    (range->addr | range->size) & (PAGE_SIZE - 1))
		return -EINVAL;
	idx = srcu_read_lock(&vm->srcu);
	slot = armvmm_memslot_find(vm, gfn);
	if (slot && pages <= slot->npages - (gfn - slot->base_gfn)) {
		armvmm_stage2_host_unpin(vm, slot, gfn - slot->base_gfn, pages);
		ret = 0;
	}
	srcu_read_unlock(&vm->srcu, idx);
	return ret;
}

int armvmm_memslot_vm_init(struct armvmm_vm *vm)
{
	struct armvmm_memslots *slots = memslots_alloc(0);

	if (!slots)
		return -ENOMEM;
	RCU_INIT_POINTER(vm->memslots, slots);
	return 0;
}

void armvmm_memslot_vm_destroy(struct armvmm_vm *vm)
{
	struct armvmm_memslots *slots = rcu_dereference_protected(vm->memslots, true);
	int i;

	if (!slots)
		return;
	for (i = 0; i < slots->nr; i++)
		memslot_free(vm, &slots->slots[i]);
	kvfree(slots);
	RCU_INIT_POINTER(vm->memslots, NULL);
}

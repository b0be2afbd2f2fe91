// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest RAM that the kernel reads and writes in the guest's place. The guest may have its caches
 * off, or may map the page with other attributes than the host, so lines are cleaned and
 * invalidated before and after the access (DDI 0406C A3.5.7).
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "compat/compat.h"

#include "core/state.h"
#include "host/cache.h"
#include "host/shadow_page.h"
#include "mem/guest_ram.h"
#include "mem/memslot.h"
#include "mem/stage2_host.h"

static void guest_ram_flush(struct page *page, const void *va, unsigned int len)
{
	armvmm_cache_flush(va, len);
	armvmm_shadow_page_flush(page_to_pfn(page), offset_in_page(va), len);
}

int armvmm_guest_ram(struct armvmm_vcpu *vcpu, u64 ipa, void *buf, unsigned int len, bool write)
{
	struct armvmm_vm *vm = vcpu->vm;
	struct armvmm_memslot *slot = armvmm_memslot_find(vm, ipa >> PAGE_SHIFT);
	unsigned long hva;
	struct page *page;
	void *base, *va;

	if (!slot || (write && (slot->flags & KVM_MEM_READONLY)))
		return 0;
	hva = armvmm_memslot_hva(slot, ipa >> PAGE_SHIFT);
	page = armvmm_stage2_host_page_get(vm, slot, hva, write);
	if (!page)
		return -EFAULT;

	base = kmap_local_page(page);
	va = base + offset_in_page(ipa);
	guest_ram_flush(page, va, len);
	if (write) {
		memcpy(va, buf, len);
		guest_ram_flush(page, va, len);
	} else {
		memcpy(buf, va, len);
	}
	kunmap_local(base);

	armvmm_stage2_host_page_put(page, write);
	/* After the write, so that whoever takes the bit, also under the lock, finds the data. */
	if (write && armvmm_memslot_is_logging(slot)) {
		spin_lock(&vm->stage2.lock);
		armvmm_dirty_mark(vm, slot, ipa >> PAGE_SHIFT);
		spin_unlock(&vm->stage2.lock);
	}
	return 1;
}

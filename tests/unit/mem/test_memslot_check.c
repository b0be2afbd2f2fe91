// SPDX-License-Identifier: GPL-2.0-only
// cflags: -Itests/unit/fake -Idriver
/* What KVM_SET_USER_MEMORY_REGION accepts, error by error. */
#include <errno.h>

#include "ktap.h"

#include "mem/memslot_check.h"

static struct kvm_userspace_memory_region region(void)
{
	return (struct kvm_userspace_memory_region){
		.slot = 3,
		.guest_phys_addr = 0x40000000,
		.memory_size = 0x100000,
		.userspace_addr = 0xb0000000,
	};
}

#define CHECK(field, value)							\
	({									\
		struct kvm_userspace_memory_region r = region();		\
										\
		r.field = (value);						\
		memslot_check_request(&r);					\
	})

static void test_request(void)
{
	KTAP_EQ(CHECK(slot, 3), 0);
	KTAP_EQ(CHECK(flags, KVM_MEM_LOG_DIRTY_PAGES), 0);
	KTAP_EQ(CHECK(flags, KVM_MEM_READONLY), 0);
	KTAP_EQ(CHECK(flags, KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES), 0);
	KTAP_EQ(CHECK(flags, 4), -EINVAL);
	KTAP_EQ(CHECK(flags, 0x80000000), -EINVAL);
	KTAP_EQ(CHECK(slot, ARMVMM_NR_MEMSLOTS - 1), 0);
	KTAP_EQ(CHECK(slot, ARMVMM_NR_MEMSLOTS), -EINVAL);
	KTAP_EQ(CHECK(slot, 1 << 16), -EINVAL);		/* address space 1 */
	KTAP_EQ(CHECK(slot, ~0u), -EINVAL);
	KTAP_EQ(CHECK(memory_size, 0x100001), -EINVAL);
	KTAP_EQ(CHECK(memory_size, 0), 0);
	KTAP_EQ(CHECK(guest_phys_addr, 0x40000800), -EINVAL);
	KTAP_EQ(CHECK(userspace_addr, 0xb0000004), -EINVAL);
	KTAP_EQ(CHECK(userspace_addr, 0x1b0000000ULL), -EINVAL);
	KTAP_EQ(CHECK(memory_size, 0x100000000ULL), -EINVAL);
	KTAP_EQ(CHECK(memory_size, 0x50000000), 0);
	KTAP_EQ(CHECK(memory_size, 0x50001000), -EINVAL);
	KTAP_EQ(CHECK(guest_phys_addr, 0xfffffffffff00000ULL), -EINVAL);
	KTAP_EQ(CHECK(guest_phys_addr, 0xfffffffffff80000ULL), -EINVAL);
	KTAP_EQ(CHECK(guest_phys_addr, 0xffffffffffe00000ULL), 0);	/* memslot_check_ipa()'s */
}

static void test_ipa(void)
{
	struct kvm_userspace_memory_region r = region();

	KTAP_EQ(memslot_check_ipa(&r), 0);
	r.guest_phys_addr = STAGE2_IPA_SIZE - r.memory_size - 0x1000;
	KTAP_EQ(memslot_check_ipa(&r), 0);
	r.guest_phys_addr += 0x1000;
	KTAP_EQ(memslot_check_ipa(&r), -EFAULT);
	r.guest_phys_addr = STAGE2_IPA_SIZE;
	KTAP_EQ(memslot_check_ipa(&r), -EFAULT);
}

static void test_change(void)
{
	const struct memslot_range none = { }, old = {
		.base_gfn = 0x40000, .npages = 0x100, .userspace_addr = 0xb0000000,
	};
	struct memslot_range ro = old, logging = old;
	struct kvm_userspace_memory_region r = region();

	ro.flags = KVM_MEM_READONLY;
	logging.flags = KVM_MEM_LOG_DIRTY_PAGES;

	KTAP_EQ(memslot_check_change(&r, &none), MEMSLOT_CREATE);
	KTAP_EQ(memslot_check_change(&r, &old), MEMSLOT_NONE);
	KTAP_EQ(memslot_check_change(&r, &ro), -EINVAL);
	KTAP_EQ(memslot_check_change(&r, &logging), MEMSLOT_FLAGS);
	r.flags = KVM_MEM_READONLY;
	KTAP_EQ(memslot_check_change(&r, &old), -EINVAL);
	KTAP_EQ(memslot_check_change(&r, &ro), MEMSLOT_NONE);
	r.flags = KVM_MEM_LOG_DIRTY_PAGES;
	KTAP_EQ(memslot_check_change(&r, &old), MEMSLOT_FLAGS);
	KTAP_EQ(memslot_check_change(&r, &logging), MEMSLOT_NONE);

	r = region();
	r.guest_phys_addr += 0x1000;
	KTAP_EQ(memslot_check_change(&r, &old), MEMSLOT_MOVE);
	r = region();
	r.memory_size += 0x1000;
	KTAP_EQ(memslot_check_change(&r, &old), -EINVAL);
	r = region();
	r.userspace_addr += 0x1000;
	KTAP_EQ(memslot_check_change(&r, &old), -EINVAL);
	r = region();
	r.memory_size = 0;
	KTAP_EQ(memslot_check_change(&r, &old), MEMSLOT_DELETE);
	KTAP_EQ(memslot_check_change(&r, &none), -EINVAL);
	/* A deletion need not give the other fields. */
	r.userspace_addr = r.guest_phys_addr = 0;
	KTAP_EQ(memslot_check_change(&r, &old), MEMSLOT_DELETE);
}

static void test_overlap(void)
{
	KTAP_TRUE(!memslot_overlaps(0, 1, 1, 1));
	KTAP_TRUE(!memslot_overlaps(1, 1, 0, 1));
	KTAP_TRUE(memslot_overlaps(0, 2, 1, 1));
	KTAP_TRUE(memslot_overlaps(1, 1, 0, 2));
	KTAP_TRUE(memslot_overlaps(5, 1, 0, 10));
	KTAP_TRUE(memslot_overlaps(0, 10, 5, 1));
	KTAP_TRUE(memslot_overlaps(5, 5, 5, 5));
	KTAP_TRUE(!memslot_overlaps(0x10000000, 0x100, 0x10000100, 0x100));
}

KTAP_MAIN(KTAP_CASE(test_request), KTAP_CASE(test_ipa), KTAP_CASE(test_change),
	  KTAP_CASE(test_overlap))

/* SPDX-License-Identifier: GPL-2.0-only */
/* host/cache_ops.h, and what host/cache.c uses of the kernel: it is written down, in order. */
#ifndef CACHE_FAKE_H
#define CACHE_FAKE_H

#define ARMVMM_CACHE_OPS_H

#include "cpu_fake.h"

enum cache_did {
	DID_NOTHING,
	DID_DCCIMVAC,		/* by address */
	DID_ICIMVAU,		/* by address */
	DID_ICIALLUIS,
	DID_BPIALLIS,
	DID_DSB_SY,
	DID_DSB_ISH,
	DID_DSB_ISHST,
	DID_ISB,
};

void fake_cache_op(enum cache_did what, unsigned long addr);

#define cache_dccimvac(a)	fake_cache_op(DID_DCCIMVAC, (a))
#define cache_icimvau(a)	fake_cache_op(DID_ICIMVAU, (a))
#define cache_icialluis()	fake_cache_op(DID_ICIALLUIS, 0)
#define cache_bpiallis()	fake_cache_op(DID_BPIALLIS, 0)
#define cache_dccimvac8(a, line)						\
	do {									\
		for (int i_ = 0; i_ < 8; i_++, (a) += (line))			\
			cache_dccimvac(a);					\
	} while (0)

#undef dsb
#undef isb
#define DID_DSB_sy		DID_DSB_SY
#define DID_DSB_ish		DID_DSB_ISH
#define DID_DSB_ishst		DID_DSB_ISHST
#define dsb(option)		fake_cache_op(DID_DSB_##option, 0)
#define isb()			fake_cache_op(DID_ISB, 0)

/*
 * Memory with a struct page: each is mapped at an address that its number gives, while it is. The
 * memory of one more is kept from the kernel.
 */
#define FAKE_PFNS		64ul
#define FAKE_RESERVED		FAKE_PFNS
#define FAKE_MAP		0xff000000ul
#define pfn_valid(pfn)		((pfn) <= FAKE_RESERVED)
#define pfn_to_page(pfn)	((struct page *)(pfn))
#define PageReserved(page)	((unsigned long)(page) == FAKE_RESERVED)
#define is_zero_pfn(pfn)	(!(pfn))
struct page;
void *kmap_local_page(struct page *page);
void kunmap_local(const void *va);

/* User space's: what is below FAKE_USER_END is mapped. */
#define FAKE_USER_END		0x20000ul
#define IS_ENABLED(option)	0
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define pagefault_disable()	fake_user(1, 0)
#define pagefault_enable()	fake_user(-1, 0)
#define uaccess_save_and_enable()	(fake_user(0, 1), 1u)
#define uaccess_restore(user)	fake_user(0, -(int)(user))
/* Counts both up and down. An operation by such an address needs them up. */
void fake_user(int no_faults, int access);
bool cache_dccimvac_user(unsigned long a, int n, unsigned long line);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What driver/mem/stage2_vm.c and dirty.c take from the kernel, on the build machine. */
#ifndef MEM_FAKE_H
#define MEM_FAKE_H

/* The differences between kernels do not matter here. */
#define ARMVMM_COMPAT_H

#include "fake_kernel.h"
#include "linux/pgtable.h"

#define might_sleep()		do { } while (0)
#define smp_processor_id()	0
/* The CPU leaves its guest for the call. */
void smp_call_function_single(int cpu, void (*fn)(void *), void *arg, int wait);

/* --- memory --- */

#define __GFP_ZERO		0
#define kvmalloc(size, flags)	malloc(size)
#define kvfree(p)		free(p)
#define alloc_percpu_gfp(type, flags)	((type *)calloc(1, sizeof(type)))
#define free_percpu(p)		free(p)
#define get_order(size)		((size) / PAGE_SIZE - 1)
#define __get_free_pages(flags, order)	((unsigned long)calloc((order) + 1, PAGE_SIZE))
#define free_pages(p, order)	free((void *)(p))
#define virt_to_phys(p)		((phys_addr_t)(uintptr_t)(p))

/* --- how the kernel maps its own memory --- */

typedef struct {
	pteval_t pgprot;
} pgprot_t;

#define pgprot_val(p)		((p).pgprot)
#define L_PTE_SHARED		((pteval_t)1 << 10)
extern pgprot_t pgprot_kernel;

/* --- bits --- */

static inline unsigned long fake_find_bit(const unsigned long *p, unsigned long n,
					  unsigned long from, bool set)
{
	while (from < n && (p[from / BITS_PER_LONG] >> from % BITS_PER_LONG & 1) != set)
		from++;
	return min(from, n);
}

#define find_first_bit(p, n)		fake_find_bit((p), (n), 0, true)
#define find_next_bit(p, n, from)	fake_find_bit((p), (n), (from), true)
#define find_next_zero_bit(p, n, from)	fake_find_bit((p), (n), (from), false)

#endif

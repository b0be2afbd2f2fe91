/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words and locks that HYP mode shares with the host. The kernel's own operations on them cannot be
 * used: they are in the kernel's instruction set, which may be T32, and HYP's code is A32.
 */
#ifndef ARMVMM_HYP_EXCLUSIVE_H
#define ARMVMM_HYP_EXCLUSIVE_H

#include <linux/compiler.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "hyp/sysreg.h"

/*
 * cmpxchg_relaxed(): returns what was there. Where it fails, no exclusive access stays open: the
 * guest goes on without a CLREX, and may have begun one itself (DDI 0406C A3.4.5).
 */
__hyp_inline u32 hyp_cmpxchg(u32 *p, u32 old, u32 new)
{
	u32 seen, failed;

	do {
		asm volatile("ldrex	%0, [%3]\n\t"
			     "mov	%1, #0\n\t"
			     "teq	%0, %4\n\t"
			     "strexeq	%1, %5, [%3]"
			     : "=&r" (seen), "=&r" (failed), "+Qo" (*p)
			     : "r" (p), "r" (old), "r" (new)
			     : "cc");
	} while (failed);
	if (seen != old)
		asm volatile("clrex" : : : "memory");
	return seen;
}

#ifdef CONFIG_SMP
/*
 * arch_spin_trylock() and arch_spin_unlock(), of the ticket lock inside: what debug kernels keep
 * beside it says who of the host holds it. A try that fails takes no ticket.
 */
__hyp_inline bool hyp_spin_trylock(raw_spinlock_t *lock)
{
	u32 old = READ_ONCE(lock->raw_lock.slock);

	if ((u16)old != old >> TICKET_SHIFT ||
	    hyp_cmpxchg(&lock->raw_lock.slock, old, old + (1u << TICKET_SHIFT)) != old)
		return false;
	smp_mb();
	return true;
}

__hyp_inline void hyp_spin_unlock(raw_spinlock_t *lock)
{
	smp_mb();
	WRITE_ONCE(lock->raw_lock.tickets.owner, lock->raw_lock.tickets.owner + 1);
	/* CPUs of the host wait for their turn in WFE. */
	hyp_dsb_ishst();
	asm volatile("sev" : : : "memory");
}
#else
/*
 * The host has preemption off while it holds the lock, calls HYP mode without it, and never from an
 * interrupt.
 */
__hyp_inline bool hyp_spin_trylock(raw_spinlock_t *lock)
{
	return true;
}

__hyp_inline void hyp_spin_unlock(raw_spinlock_t *lock)
{
}
#endif

#endif

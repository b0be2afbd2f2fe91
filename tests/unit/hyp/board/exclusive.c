// SPDX-License-Identifier: GPL-2.0-only
/*
 * driver/hyp/exclusive.h on an emulated Cortex-A15: what exclusives leave of the guest's, and the
 * kernel's ticket lock. Prints KTAP.
 */
#include "hyp/exclusive.h"

#include "say.h"

void board_main(void);

static u32 word, other;
static raw_spinlock_t lock;

/* An exclusive access that a guest began. */
static void begin(u32 *p)
{
	u32 v;

	asm volatile("ldrex	%0, [%1]" : "=r" (v) : "r" (p) : "memory");
}

/* Its end: whether the guest is told that it stored @v. */
static bool ends(u32 *p, u32 v)
{
	u32 failed;

	asm volatile("strex	%0, %1, [%2]" : "=&r" (failed) : "r" (v), "r" (p) : "memory");
	return !failed;
}

static void test_cmpxchg(void)
{
	word = 5;
	report(hyp_cmpxchg(&word, 5, 7) == 5 && word == 7, "a word that is as expected is changed");
	report(hyp_cmpxchg(&word, 5, 9) == 7 && word == 7, "another is left alone, and returned");
}

/*
 * A core may tell its exclusive accesses apart by nothing at all (DDI 0406C A3.4.1): one that HYP
 * mode left open would let the guest's STREX store over what another CPU has written meanwhile. The
 * emulator tells them apart by address, so here they have the same.
 */
static void test_monitor(void)
{
	word = 1;
	begin(&word);
	report(ends(&word, 2) && word == 2, "STREX succeeds after LDREX");
	begin(&word);
	hyp_cmpxchg(&word, 0, 3);
	report(!ends(&word, 4) && word == 2, "and not over an exchange that was not made");
	begin(&word);
	hyp_cmpxchg(&word, 2, 3);
	report(!ends(&word, 4) && word == 3, "nor over one that was");
	begin(&other);
	hyp_cmpxchg(&word, 3, 0);
	report(!ends(&word, 4) && word == 0 && !ends(&other, 1), "nor for another word");
}

static void test_lock(void)
{
	lock.raw_lock.slock = 0;
	report(hyp_spin_trylock(&lock) && lock.raw_lock.slock == 0x10000, "a free lock is taken");
	report(!hyp_spin_trylock(&lock) && lock.raw_lock.slock == 0x10000,
	       "one that is held is not, and no ticket is drawn");
	lock.raw_lock.tickets.next++;	/* a CPU of the host waits */
	hyp_spin_unlock(&lock);
	expect(lock.raw_lock.slock, 0x20001, "it goes to the CPU that waits");
	report(!hyp_spin_trylock(&lock) && lock.raw_lock.slock == 0x20001, "which has it then");
	lock.raw_lock.slock = 0xffffffff;
	report(hyp_spin_trylock(&lock) && lock.raw_lock.slock == 0x0000ffff,
	       "the last ticket is followed by the first");
	hyp_spin_unlock(&lock);
	expect(lock.raw_lock.slock, 0, "and the last owner too");
}

void board_main(void)
{
	put("TAP version 13\n1..12\n");
	test_cmpxchg();
	test_monitor();
	test_lock();
	finish();
}

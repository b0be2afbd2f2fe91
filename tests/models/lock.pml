/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An interrupt's lock, which HYP mode tries and the host waits for: each sees what the other wrote
 * under it, and nobody waits for a lock that is free.
 *
 * HYP mode on one CPU adds to a word under the lock, the host on two others too. A store waits in its
 * CPU's buffer, one for each variable; they drain in any order, or when a barrier makes them. A load
 * may be done before the lock is taken, where no barrier is between (DDI 0406C A3.8). The exclusives
 * that take the lock are single steps; what they store is seen at once, since nothing else could
 * succeed meanwhile.
 */
/* code: hyp_spin_trylock: READ_ONCE(lock->raw_lock.slock) */
/* code: hyp_spin_trylock: hyp_cmpxchg(&lock->raw_lock.slock, old, old + (1u << TICKET_SHIFT)) != old */
/* code: hyp_spin_trylock: smp_mb(); */
/* code: hyp_spin_unlock: smp_mb(); */
/* code: hyp_spin_unlock: WRITE_ONCE(lock->raw_lock.tickets.owner, lock->raw_lock.tickets.owner + 1); */
/* code: hyp_spin_unlock: hyp_dsb_ishst(); */
/* code: hyp_spin_unlock: asm volatile("sev" */
/* fault: NO_TAKE_BARRIER hyp_spin_trylock() has no barrier behind it */
/* fault: NO_DROP_BARRIER hyp_spin_unlock() has no barrier before it */
/* fault: NO_EVENT_BARRIER hyp_spin_unlock() sends the event before the lock is seen to be free */
/* fault: NO_EVENT hyp_spin_unlock() sends no event */
/* fault: NO_COMPARE hyp_spin_trylock() draws a ticket for a lock that is held, and takes it */

#define HOSTS	2

byte next, owner, word, done;
bool event[HOSTS];	/* of each CPU's event register */

/* Stores that wait in the buffer of HYP mode's CPU. */
byte word_buf, owner_buf;
bool word_wait, owner_wait;

#define HYP_DRAINED	(!word_wait && !owner_wait)

active proctype drain()
{
end:	do
	:: word_wait -> d_step { word = word_buf; word_wait = false }
	:: owner_wait -> d_step { owner = owner_buf; owner_wait = false }
	od
}

active proctype hyp()
{
	byte early, n;
	bool is_early;

	for (n : 1 .. 2) {
again:		is_early = false;
#ifdef NO_TAKE_BARRIER
		if
		:: early = word; is_early = true
		:: true
		fi;
#endif
		/*
		 * hyp_spin_trylock(). Its exclusive access reads what this CPU has stored last, as it
		 * does here only once that has drained.
		 */
		!owner_wait;
		if
#ifdef NO_COMPARE
		:: next++
#else
		:: atomic { next == owner -> next++ }
#endif
		:: next != owner -> goto again		/* the host does the access */
		fi;
		if
		:: is_early -> skip
		:: else -> early = word
		fi;
		d_step { word_buf = early + 1; word_wait = true };

		/* hyp_spin_unlock() */
#ifndef NO_DROP_BARRIER
		HYP_DRAINED;
#endif
		d_step { owner_buf = owner + 1; owner_wait = true };
#ifndef NO_EVENT_BARRIER
		HYP_DRAINED;
#endif
#ifndef NO_EVENT
		d_step { event[0] = true; event[1] = true };
#endif
		/* The next access of the guest's may be long after. */
		HYP_DRAINED
	}
	done++
}

/* arch_spin_lock() and arch_spin_unlock(), which have all their barriers */
proctype host(byte me)
{
	byte ticket, n;

	for (n : 1 .. 2) {
		d_step { ticket = next; next++ };
		do
		:: owner == ticket -> break
		:: else ->
			event[me];		/* wfe */
			event[me] = false
		od;
		word++;
		owner++;
		d_step { event[0] = true; event[1] = true }
	}
	done++
}

init {
	atomic { run host(0); run host(1) };
	done == HOSTS + 1;
	assert(word == 2 * (HOSTS + 1))
}

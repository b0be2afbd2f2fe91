/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Charges of pages that are pinned (no MMU_NOTIFIER) against each other: as many pages as the
 * client may pin are enough for its guest, however its vCPUs meet.
 *
 * Two vCPUs each touch both pages of a slot, in any order, and two pages may be pinned. A charge
 * counts before it is compared with the limit, and until it is given back. What one does in
 * pin_new() and what the other reads is ordered by atomics that are barriers. A client that unpins
 * pages gives back charges in the same order (pin_take()).
 */
/* code: pin_charge: if (atomic64_inc_return(&vm->mm->pinned_vm) > limit) */
/* code: pin_charged: int returned = atomic_read(&vm->pins_returned); */
/* code: pin_was_in_the_way: return atomic_read_acquire(&vm->pins_pending) > 1 || */
/* code: pin_was_in_the_way: atomic_read(&vm->pins_returned) != returned || READ_ONCE(*word) != old; */
/* code: pin_new: atomic_inc(&vm->pins_pending); */
/* code: pin_new: pin_returned(vm, ret); */
/* code: pin_returned: atomic_inc(&vm->pins_returned); */
/* code: pin_returned: smp_mb__before_atomic(); */
/* code: pin_returned: atomic_dec(&vm->pins_pending); */
/* fault: NO_PENDING a vCPU that was refused does not ask whether another is charged */
/* fault: NO_RETURNED a vCPU that was refused does not ask whether another gave a charge back */
/* fault: NO_WORD a vCPU that was refused does not ask whether another has pinned the page */
/* fault: RETURNED_LATE a charge is given back, and told only when its vCPU is no longer pending */
/* fault: RETURNED_EARLY a charge is told to be given back before it is */
/* fault: REFUSED_UNTOLD a charge that was refused is not told of */

#define LIMIT	2

byte count, pending;
bool pinned[2];
bool changed[2];	/* pins_returned, since that vCPU read it */

inline tell()
{
	changed[1 - me] = true
}

inline give_back()
{
#ifdef RETURNED_EARLY
	tell();
#endif
	count--
}

proctype vcpu(byte me; byte page)
{
	byte left = 2;
	bool again, refused;

	do
	:: left == 0 -> break
	:: left && pinned[page] -> page = 1 - page; left--
	:: left && !pinned[page] ->
		pending++;
		changed[me] = false;
		again = false;
		/* pin_charge() */
		d_step { count++; refused = count > LIMIT };
		if
		:: refused ->
			give_back();
			again = true;
			if
#ifndef NO_PENDING
			:: pending > 1
#endif
			:: else ->
				if
#ifndef NO_RETURNED
				:: changed[me]
#endif
#ifndef NO_WORD
				:: pinned[page]
#endif
				:: else -> assert(false)	/* -ENOMEM */
				fi
			fi
		:: else ->
			/* pin_get(), pin_replace() */
			d_step { again = pinned[page]; pinned[page] = true };
			if
			:: again -> give_back()	/* pin_drop() */
			:: else
			fi
		fi;
#ifdef REFUSED_UNTOLD
		if
		:: again && !refused -> tell()
		:: else
		fi;
#elif !defined(RETURNED_LATE) && !defined(RETURNED_EARLY)
		if
		:: again -> tell()
		:: else
		fi;
#endif
		pending--;
#ifdef RETURNED_LATE
		if
		:: again -> tell()
		:: else
		fi
#endif
	od
}

init {
	atomic {
		run vcpu(0, 0);
		if
		:: run vcpu(1, 0)
		:: run vcpu(1, 1)
		fi
	};
	_nr_pr == 1;
	assert(count == LIMIT && !pending)
}

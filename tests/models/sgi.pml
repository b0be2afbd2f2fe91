/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SGIs that HYP mode posts against where their receiver is: none stays in the letter box while the
 * receiver is in the guest or asleep and nobody is about to make it look.
 *
 * One vCPU enters its guest or sleeps, as it likes. Two others each send an SGI from HYP mode, twice.
 * A store waits in its CPU's buffer, one for each variable; they drain in any order, or when a
 * barrier makes them (DDI 0406C A3.8 allows no more than that). So do the stores of the exclusives
 * that have no barrier of their own.
 */
/* code: vgic_sgi_post: vgic_word_change(&to->sources */
/* code: vgic_sgi_post: smp_wmb(); */
/* code: vgic_sgi_post: vgic_word_change(&to->posted */
/* code: dist_sgi_others: smp_mb(); */
/* code: dist_kick: vgic_cmpxchg(&to->listen, old, HYP_LISTEN_KICKED) */
/* code: dist_kick: own->notify |= */
/* code: vgic_sgi_listen: WRITE_ONCE(vcpu->hyp->dist.listen */
/* code: vgic_sgi_listen: smp_mb(); */
/* code: vgic_sgi_listen: vgic_sgi_take(vcpu); */
/* code: vgic_sgi_collect: xchg(&own->posted, 0) */
/* code: vgic_sgi_collect: xchg(&own->sources[word], 0) */
/* code: armvmm_vgic_sync: WRITE_ONCE(vcpu->hyp->dist.listen, 0); */
/* code: vgic_sgi_pass_on: vgic_sgi_collect(vcpu->vm->vcpus */
/* code: armvmm_vgic_pending: vgic_sgi_take(vcpu); */
/* fault: NO_LISTEN_BARRIER vgic_sgi_listen() looks into the letter box with no barrier before it */
/* fault: NO_POST_BARRIER dist_sgi_others() asks where the receiver is with no barrier before it */
/* fault: NO_POST_ORDER vgic_sgi_post() sets the SGI's bit in no order to its source's */
/* fault: TAKE_REVERSED vgic_sgi_collect() takes sources before it takes the SGIs */
/* fault: NO_NOTIFY a sender that finds the receiver outside the guest tells nobody */
/* fault: NO_UNLISTEN the receiver leaves its guest, and senders take it to be there still */
/* fault: NO_SLEEP_BARRIER a receiver that goes to sleep looks into the letter box with no barrier */
/* fault: NO_SLEEP_LOOK armvmm_vgic_pending() does not look into the letter box */

#define SENDERS	2

mtype = { NOT, IN_GUEST, KICKED };

/* As all CPUs see it. */
mtype listen = NOT;
bool asleep, posted, source[SENDERS];

/* Stores that wait in the buffers of the receiver's CPU, and of the senders'. */
mtype listen_buf;
bool listen_wait, asleep_buf, asleep_wait;
bool posted_wait[SENDERS], source_wait[SENDERS];

bool ipi;		/* a physical SGI is pending on the receiver's CPU */
bool woken;

#define RECEIVER_DRAINED	(!listen_wait && !asleep_wait)

active proctype drain()
{
end:	do
	:: listen_wait -> d_step { listen = listen_buf; listen_wait = false }
	:: asleep_wait -> d_step { asleep = asleep_buf; asleep_wait = false }
	:: posted_wait[0] -> d_step { posted = true; posted_wait[0] = false }
	:: posted_wait[1] -> d_step { posted = true; posted_wait[1] = false }
	:: source_wait[0] -> d_step { source[0] = true; source_wait[0] = false }
	:: source_wait[1] -> d_step { source[1] = true; source_wait[1] = false }
	od
}

inline store_listen(v)
{
	!listen_wait;
	d_step { listen_buf = v; listen_wait = true }
}

/* vgic_sgi_take(): each exchange has a barrier before it, and one after */
inline take()
{
	if
	:: posted ->
		RECEIVER_DRAINED;
#ifdef TAKE_REVERSED
		d_step { source[0] = false; source[1] = false };
		posted = false
#else
		posted = false;
		d_step { source[0] = false; source[1] = false }
#endif
	:: else
	fi
}

active proctype receiver()
{
again:	ipi = false;		/* interrupts are on */
	if
	:: goto enter
	:: goto sleep
	fi;

enter:	/* vgic_sgi_listen(), interrupts off */
	store_listen(IN_GUEST);
#ifndef NO_LISTEN_BARRIER
	RECEIVER_DRAINED;
#endif
	take();
end_guest:
	ipi;
#ifndef NO_UNLISTEN
	store_listen(NOT);		/* armvmm_vgic_sync(): no barrier */
#endif
	goto again;

sleep:	/* armvmm_halt(): rcuwait_wait_event() has a barrier of its own */
	woken = false;
	!asleep_wait;
	d_step { asleep_buf = true; asleep_wait = true };
#ifndef NO_SLEEP_BARRIER
	RECEIVER_DRAINED;
#endif
#ifndef NO_SLEEP_LOOK
	if
	:: posted -> take(); goto awake
	:: else
	fi;
#endif
end_asleep:
	woken;			/* the physical SGI wakes a CPU, and no thread */
awake:	!asleep_wait;
	d_step { asleep_buf = false; asleep_wait = false; asleep = false };
	goto again
}

proctype sender(byte me)
{
	byte n;
	mtype seen;

	for (n : 1 .. 2) {
		!source_wait[me];
		source_wait[me] = true;
#ifndef NO_POST_ORDER
		!source_wait[me];
#endif
		!posted_wait[me];
		posted_wait[me] = true;
#ifndef NO_POST_BARRIER
		!source_wait[me] && !posted_wait[me];
#endif
		/* dist_kick() */
		d_step {
			seen = listen;
			if
			:: listen == IN_GUEST -> listen = KICKED
			:: else
			fi
		};
		if
		:: seen == IN_GUEST ->
			!source_wait[me] && !posted_wait[me];	/* DSB */
			ipi = true
		:: seen == KICKED
		:: seen == NOT ->
			/*
			 * Leaves the guest, and wakes the receiver. That it takes what is posted
			 * itself, and kicks by mode (kick.pml), is left out: it holds without.
			 */
			!source_wait[me] && !posted_wait[me];
#ifndef NO_NOTIFY
			if
			:: asleep -> woken = true
			:: else
			fi
#endif
		fi
	}
}

init {
	atomic { run sender(0); run sender(1) }
}

/* Runs when no other process can. */
active proctype monitor()
{
	timeout;
	assert(!posted && !source[0] && !source[1])
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kick against mode: no interrupt and no request is forgotten while its vCPU is in the guest or
 * asleep and nobody is about to kick it.
 *
 * One vCPU calls KVM_RUN, and enters its guest or sleeps, as it likes. One CPU makes an interrupt
 * pending, another sets a request. A store waits in its CPU's buffer, one for each variable; they
 * drain in any order, or when a barrier makes them (DDI 0406C A3.8 allows no more than that).
 */
/* code: armvmm_vcpu_kick: rcuwait_wake_up(&vcpu->wait); */
/* code: armvmm_vcpu_kick: cmpxchg(&vcpu->mode, VCPU_IN_GUEST, VCPU_EXITING) */
/* code: armvmm_vcpu_kick: kick_process(task); */
/* code: armvmm_vcpu_request: smp_mb__after_atomic(); */
/* code: armvmm_vgic_flush: READ_ONCE(vcpu->vgic.ap->nr) */
/* code: run_enter: smp_store_mb(vcpu->mode, VCPU_IN_GUEST); */
/* code: run_enter: if (unlikely(run_has_work(vcpu))) */
/* code: run_has_work: READ_ONCE(vcpu->requests) */
/* code: run_until_exit: WRITE_ONCE(vcpu->task, current); */
/* code: run_until_exit: smp_wmb(); */
/* code: irq_update_unlock: vgic_ap_add(to->vgic.ap, irq); */
/* code: vgic_ap_add: WRITE_ONCE(ap->nr, ap->nr + 1); */
/* code: vgic_vcpu_notify: smp_mb(); */
/* code: vgic_vcpu_notify: task = READ_ONCE(vcpu->task); */
/* fault: NO_ENTRY_BARRIER run_enter() stores mode without a barrier behind it */
/* fault: NO_TASK_BARRIER run_until_exit() stores task in no order to run_enter()'s mode */
/* fault: NO_NOTIFY_BARRIER vgic_vcpu_notify() reads task with no barrier before it */
/* fault: NO_REQUEST_BARRIER nothing orders the request of armvmm_vcpu_request() to the kick after it */
/* fault: NO_REQUEST_CHECK run_enter() does not look at requests after it has stored mode */

mtype = { OUTSIDE, IN_GUEST, EXITING };

/* As all CPUs see it. */
mtype mode = OUTSIDE;
bool task, asleep, request, pending;

/* Stores that wait in the buffers of the vCPU's, the injector's and the requester's CPU. */
mtype mode_buf;
bool mode_wait, task_buf, task_wait, asleep_buf, asleep_wait;
bool pending_wait, request_wait[2];

bool ipi;		/* an interrupt of the host is pending on the vCPU's CPU */
bool woken;		/* by rcuwait_wake_up() */
bool in_guest, delivered;

#define VCPU_DRAINED	(!mode_wait && !task_wait && !asleep_wait)

active proctype drain()
{
end:	do
	:: mode_wait -> d_step { mode = mode_buf; mode_wait = false }
	:: task_wait -> d_step { task = task_buf; task_wait = false }
	:: asleep_wait -> d_step { asleep = asleep_buf; asleep_wait = false }
	:: pending_wait -> d_step { pending = true; pending_wait = false }
	:: request_wait[0] -> d_step { request = true; request_wait[0] = false }
	:: request_wait[1] -> d_step { request = true; request_wait[1] = false }
	od
}

inline store_mode(v)
{
	d_step { mode_buf = v; mode_wait = true }
}

active proctype vcpu()
{
	d_step { task_buf = true; task_wait = true };
#ifndef NO_TASK_BARRIER
	!task_wait;			/* smp_wmb() */
#endif

again:	/* run_once(), interrupts on: this CPU takes a pending one */
	ipi = false;
	if
	:: request -> VCPU_DRAINED; request = false	/* test_and_clear_bit() */
	:: else
	fi;
	if
	:: goto enter
	:: goto sleep
	fi;

enter:	/* run_enter(), interrupts off; this store to mode comes after earlier ones */
	!mode_wait;
	store_mode(IN_GUEST);
#ifndef NO_ENTRY_BARRIER
	VCPU_DRAINED;
#endif
	if
#ifndef NO_REQUEST_CHECK
	:: request -> !mode_wait; store_mode(OUTSIDE); goto again
#endif
	:: else
	fi;
	/* armvmm_vgic_flush() */
	if
	:: pending -> delivered = true
	:: else
	fi;
	in_guest = true;
end_guest:
	ipi;
	in_guest = false;
	VCPU_DRAINED;			/* smp_store_release() */
	store_mode(OUTSIDE);
	goto again;

sleep:	/* armvmm_halt(): rcuwait_wait_event() has a barrier of its own */
	woken = false;
	!asleep_wait;
	d_step { asleep_buf = true; asleep_wait = true };
	VCPU_DRAINED;
	if
	:: request || pending
	:: else ->
end_asleep:
		woken || ipi
	fi;
	!asleep_wait;
	d_step { asleep_buf = false; asleep_wait = false; asleep = false };
	goto again
}

/*
 * armvmm_vcpu_kick(). What makes it look after the request is the barrier of that: those before its
 * own looks are left out.
 */
inline kick()
{
	if
	:: asleep -> woken = true
	:: else
	fi;
	/* cmpxchg() has a barrier before it, and one after */
	atomic {
		if
		:: mode == IN_GUEST -> mode = EXITING; kicked = true
		:: else -> kicked = false
		fi
	};
	if
	:: kicked && task -> ipi = true
	:: else
	fi
}

/* vgic_irq_update_unlock(), vgic_vcpu_notify() */
active proctype injector()
{
	bool kicked;

	pending_wait = true;
#ifndef NO_NOTIFY_BARRIER
	!pending_wait;
#endif
	if
	:: task ->
		request_wait[0] = true;
#ifndef NO_REQUEST_BARRIER
		!request_wait[0] && !pending_wait;
#endif
		kick()
	:: else		/* not in KVM_RUN: it looks for pending interrupts when it enters */
	fi
}

/* armvmm_kick_all() and the like. Or a late kick, whose request was already handled. */
active proctype requester()
{
	bool kicked;

	if
	:: request_wait[1] = true;
#ifndef NO_REQUEST_BARRIER
		!request_wait[1]
#endif
	:: true
	fi;
	kick()
}

/* Runs when no other process can. */
active proctype monitor()
{
	timeout;
	assert(!request);
	assert(!pending || delivered)
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPU_ON and CPU_OFF against the run loop: a vCPU that is off does not run and does not miss its
 * start; one that was turned on runs from the entry point of the one caller who turned it on.
 *
 * One vCPU is off at first (KVM_ARM_VCPU_POWER_OFF). Its client calls KVM_RUN, and again after a
 * signal. Its guest calls CPU_OFF, as often as it likes. Two others each call CPU_ON, and one ends
 * the machine (SYSTEM_OFF), or does not. That a kick reaches a vCPU on its way into the guest is
 * shown by kick.pml, and is taken as given here.
 */
/* code: run_wait_power: while (READ_ONCE(vcpu->power_off)) { */
/* code: run_wait_power: signal_pending(current) || !READ_ONCE(vcpu->power_off), */
/* code: run_enter: if (unlikely(run_has_work(vcpu))) */
/* code: run_work: if (armvmm_vcpu_check_request(vcpu, VCPU_REQ_SLEEP)) { */
/* code: run_work: armvmm_vcpu_request(vcpu, VCPU_REQ_SLEEP); */
/* code: run_work: if (armvmm_vcpu_check_request(vcpu, VCPU_REQ_RESET)) { */
/* code: armvmm_vcpu_init: armvmm_vcpu_request(vcpu, VCPU_REQ_SLEEP); */
/* code: psci_cpu_on: spin_lock(&target->start_lock); */
/* code: psci_cpu_on: armvmm_vcpu_request(target, VCPU_REQ_RESET); */
/* code: psci_cpu_on: WRITE_ONCE(target->power_off, false); */
/* code: psci_cpu_on: armvmm_vcpu_kick(target); */
/* code: armvmm_vcpu_request: smp_mb__after_atomic(); */
/* code: armvmm_psci_start: spin_lock(&vcpu->start_lock); */
/* code: psci_power_off: WRITE_ONCE(vcpu->power_off, true); */
/* code: psci_power_off: armvmm_vcpu_request(vcpu, VCPU_REQ_SLEEP); */
/* code: psci_system_event: armvmm_kick_all(vcpu->vm, VCPU_REQ_SLEEP, vcpu); */
/* fault: NO_SLEEP_AGAIN a signal ends the wait of a vCPU that is off, and the next RUN has none */
/* fault: NO_ON_BARRIER CPU_ON clears power_off in no order to its request */
/* fault: RESET_LATE CPU_ON requests the start after it has cleared power_off */
/* fault: NO_ON_LOCK CPU_ON looks at power_off and clears it without the lock */
/* fault: NO_ON_KICK CPU_ON does not wake the vCPU */
/* fault: NO_OFF_REQUEST CPU_OFF requests nothing */
/* fault: NO_EVENT_KICK SYSTEM_OFF kicks nobody */

bool power_off = true, req_sleep = true, req_reset;
bool reset_wait;	/* req_reset, in the buffer of CPU_ON's caller */
bool lock;		/* start_lock */
byte start_pc, pc;
byte winners;		/* of CPU_ON, since the vCPU was last off */

bool sig, ipi, asleep, woken;
bool waits;		/* in run_wait_power() */
bool in_guest;
bool dead;		/* the guest called CPU_OFF, and was not started since */

#ifdef NO_ON_BARRIER
active proctype drain()
{
end:	do
	:: reset_wait -> d_step { req_reset = true; reset_wait = false }
	od
}
#endif

/* armvmm_vcpu_request(), of CPU_ON */
inline request_reset()
{
#ifdef NO_ON_BARRIER
	reset_wait = true
#else
	req_reset = true
#endif
}

inline take_lock()
{
	atomic { !lock -> lock = true }
}

/* armvmm_vcpu_kick(), and a signal's wake-up */
inline kick()
{
	d_step {
		if
		:: asleep -> woken = true
		:: else
		fi;
		if
		:: in_guest -> ipi = true
		:: else
		fi
	}
}

inline turn_off()
{
	take_lock();
	d_step { power_off = true; winners = 0 };
	lock = false;
#ifndef NO_OFF_REQUEST
	req_sleep = true
#endif
}

active proctype vcpu()
{
again:	/* run_work() */
	if
	:: req_sleep -> req_sleep = false; goto wait
	:: else -> goto awake
	fi;

wait:	/* run_wait_power() */
	waits = true;
	do
	::	if
		:: !power_off -> break
		:: else
		fi;
		/* rcuwait_wait_event() */
		do
		::	d_step { woken = false; asleep = true };
			if
			:: sig || !power_off -> break
			:: else
			fi;
end_off:		woken
		od;
		asleep = false;
		if
		:: sig ->
			waits = false;
#ifndef NO_SLEEP_AGAIN
			req_sleep = true;
#endif
			sig = false;
			goto again
		:: else
		fi
	od;
	waits = false;

awake:
	if
	:: req_reset ->
		req_reset = false;
		/* armvmm_psci_start() */
		take_lock();
		pc = start_pc;
		lock = false;
		dead = false
	:: else
	fi;
	/* run_enter(): it looks again, so what was read early before does no harm. */
	atomic {
		if
		:: req_sleep || req_reset || sig -> sig = false; goto again
		:: else -> ipi = false; in_guest = true
		fi
	};
	assert(!dead);
	if
	:: true ->
end_guest:
		ipi;
		in_guest = false;
		goto again
	:: in_guest = false; dead = true; turn_off(); goto again
	fi
}

proctype cpu_on(byte me)
{
	bool on;

#ifndef NO_ON_LOCK
	take_lock();
#endif
	if
	:: power_off ->
		on = true;
		start_pc = me;
#ifndef RESET_LATE
		request_reset();
#endif
		d_step { power_off = false; winners++ };
		assert(winners == 1);
#ifdef RESET_LATE
		request_reset();
#endif
		!reset_wait	/* the lock's release */
	:: else			/* ALREADY_ON */
	fi;
#ifndef NO_ON_LOCK
	lock = false;
#endif
#ifndef NO_ON_KICK
	if
	:: on -> kick()
	:: else
	fi
#endif
}

/* psci_system_event() of another vCPU, or not */
active proctype system_off()
{
	if
	::	turn_off();
#ifndef NO_EVENT_KICK
		req_sleep = true;
		kick()
#endif
	:: true
	fi
}

active proctype signal()
{
	sig = true;
	kick()
}

init {
	atomic { run cpu_on(1); run cpu_on(2) }
}

/* Runs when no other process can. */
active proctype monitor()
{
	timeout;
	assert(!power_off || !in_guest);
	assert(power_off || !waits);
	assert(power_off || !req_reset);
	assert(power_off || pc == start_pc)
}

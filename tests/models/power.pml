/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPU_ON against a vCPU that is off: a vCPU that finds itself on finds the request to start anew,
 * too, when it looks next.
 *
 * Without that it would go on with its old state until the second look, in run_enter(). Stores wait
 * in a buffer until they drain or a barrier makes them; a load may be made before earlier ones
 * (DDI 0406C A3.8).
 */
/* code: psci_cpu_on: armvmm_vcpu_request(target, VCPU_REQ_RESET); */
/* code: psci_cpu_on: WRITE_ONCE(target->power_off, false); */
/* code: armvmm_vcpu_request: set_bit(req, &vcpu->requests); */
/* code: armvmm_vcpu_request: smp_mb__after_atomic(); */
/* code: run_wait_power: while (READ_ONCE(vcpu->power_off)) { */
/* code: run_wait_power: smp_rmb(); */
/* code: run_work: ret = run_wait_power(vcpu); */
/* code: run_work: if (armvmm_vcpu_check_request(vcpu, VCPU_REQ_RESET)) { */
/* fault: NO_REQUEST_BARRIER psci_cpu_on() clears power_off in no order to its request */
/* fault: NO_READ_BARRIER run_wait_power() has no barrier after power_off was read */

bool off = true, reset;
bool off_wait, reset_wait;

active proctype drain()
{
end:	do
	:: reset_wait -> d_step { reset = true; reset_wait = false }
	:: off_wait -> d_step { off = false; off_wait = false }
	od
}

active proctype caller()
{
	reset_wait = true;
#ifndef NO_REQUEST_BARRIER
	!reset_wait;
#endif
	off_wait = true
}

active proctype vcpu()
{
	bool early, seen;

#ifdef NO_READ_BARRIER
	if
	:: early = true; seen = reset
	:: true
	fi;
#endif
	!off;
	if
	:: early
	:: else -> seen = reset
	fi;
	assert(seen)
}

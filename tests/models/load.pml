/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Load against unload: a vCPU's GICH_VMCR and GICH_APR stay in the CPU where it ran until another
 * thread needs that CPU, or the vCPU runs elsewhere. Whoever loads the vCPU next gets the values
 * that its guest wrote last, and no vCPU counts as loaded where it is not.
 *
 * CPU 0 has the vCPU loaded. Its next thread switch puts it (with interrupts off); meanwhile a
 * thread on CPU 1 has taken the vCPU over, unloads it and loads it there. Stores of CPU 0 wait in
 * buffers, one for each variable, in no order. CPU 0's answer to an IPI comes after them: it is a
 * release, so they drain first.
 */
/* code: armvmm_vgic_unload: smp_load_acquire(&vcpu->loaded_cpu); */
/* code: armvmm_vgic_unload: smp_call_function_single(cpu, loaded_put_ipi, vcpu, 1); */
/* code: armvmm_vgic_claim: WRITE_ONCE(vcpu->loaded_cpu, smp_processor_id()); */
/* code: loaded_put: armvmm_vgic_put(vcpu); */
/* code: loaded_put: smp_store_release(&vcpu->loaded_cpu, -1); */
/* code: loaded_put_ipi: if (__this_cpu_read(loaded_vcpu) == vcpu) */
/* code: loaded_thread_event: loaded_put(vcpu); */
/* fault: NO_RELEASE loaded_put() stores loaded_cpu with no order to what it saved */
/* fault: NO_PUT_CHECK loaded_put_ipi() puts whatever is loaded */

#define NOWHERE	255
#define STALE	1
#define LAST	2	/* what the guest wrote last */
#define OTHERS	3	/* another vCPU's value */

byte hardware[2] = { LAST, OTHERS };
bool loaded[2] = { true, false };	/* the vCPU is this CPU's loaded_vcpu */

byte saved = STALE, loaded_cpu = 0;
bool saved_wait, loaded_cpu_wait;
byte saved_buf;

bool call, answered;	/* smp_call_function_single() to CPU 0, with waiting */
bool switched;

active proctype drain()
{
end:	do
	:: saved_wait -> d_step { saved = saved_buf; saved_wait = false }
	:: loaded_cpu_wait -> d_step { loaded_cpu = NOWHERE; loaded_cpu_wait = false }
	od
}

inline loaded_put()
{
	d_step { saved_buf = hardware[0]; saved_wait = true };
	loaded[0] = false;
#ifndef NO_RELEASE
	!saved_wait;
#endif
	loaded_cpu_wait = true
}

/* One process: neither can interrupt the other, as both run with interrupts off. */
active proctype cpu0()
{
end:	do
	:: call && !answered ->
		if
#ifdef NO_PUT_CHECK
		:: true -> loaded_put()
#else
		:: loaded[0] -> loaded_put()
		:: else
#endif
		fi;
		!saved_wait && !loaded_cpu_wait;
		answered = true
	:: !switched ->
		/* loaded_thread_event() */
		if
		:: loaded[0] -> loaded_put()
		:: else
		fi;
		/* The next thread runs another vCPU here. */
		hardware[0] = OTHERS;
		switched = true
	od
}

active proctype cpu1()
{
	byte cpu;

	/* armvmm_vgic_unload() */
	cpu = loaded_cpu;
	if
	:: cpu != NOWHERE ->
		call = true;
		answered
	:: else
	fi;
	/* armvmm_vgic_claim() */
	loaded[1] = true;
	loaded_cpu = 1;
	hardware[1] = saved;
	assert(hardware[1] == LAST);
	/* The guest runs on from there; no store in CPU 0's buffers may undo this. */
	!saved_wait && !loaded_cpu_wait;
	assert(loaded_cpu == 1)
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMID against descriptor: when armvmm_stage2_flush_tlb() is done, no TLB has an entry of the old
 * descriptor, though it flushes only the VMID that it read, and nothing if the VM had none yet.
 *
 * One CPU changes a descriptor and flushes; another gives the VM its VMID and walks the table with
 * it, any number of times. Stores wait in a buffer until they drain or a DSB makes them; a table
 * walk does not wait for the stores of its own CPU (DDI 0406C A3.8.3, B3.10.1).
 */
/* code: armvmm_stage2_flush_tlb: dsb(ish); */
/* code: armvmm_stage2_flush_tlb: vmid = atomic64_read(&s2->vmid); */
/* code: armvmm_vmid_update: vmid_renew(s2, active); */
/* code: vmid_renew: atomic64_set(&s2->vmid, id); */
/* code: vmid_renew: dsb(ish); */
/* fault: NO_RENEW_DSB vmid_renew() has no DSB before the first walk */
/* fault: NO_FLUSH_DSB armvmm_stage2_flush_tlb() reads the number with no DSB before it */

#define OLD	1
#define NEW	2

/* What all CPUs and their table walks see. */
byte descriptor = OLD, vmid;
bool descriptor_wait, vmid_wait;

byte tlb;		/* the descriptor in the TLB of the CPU in the guest, or 0 */
bool flushed;

active proctype drain()
{
end:	do
	:: descriptor_wait -> d_step { descriptor = NEW; descriptor_wait = false }
	:: vmid_wait -> d_step { vmid = 1; vmid_wait = false }
	od
}

/* armvmm_stage2_unmap_locked(), armvmm_stage2_protect_locked() */
active proctype host()
{
	byte found;

	descriptor_wait = true;
#ifndef NO_FLUSH_DSB
	!descriptor_wait;
#endif
	found = vmid;
	if
	:: found -> tlb = 0	/* hyp_tlbi_vmid(): by broadcast, with a DSB after it */
	:: else			/* a VM that never had a VMID has no entries */
	fi;
	flushed = true
}

active proctype guest()
{
	vmid_wait = true;
#ifndef NO_RENEW_DSB
	!vmid_wait;
#endif
end:	do
	:: !tlb -> tlb = descriptor
	:: tlb -> tlb = 0	/* an entry may go at any time */
	od
}

active proctype monitor()
{
	flushed && !descriptor_wait;
	assert(tlb != OLD)
}

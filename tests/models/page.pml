/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page's flush against its reuse: when the notifier has returned, no guest reaches the page, and
 * the host reads from it what the guest wrote past the caches.
 *
 * The host takes a page back and gives it to somebody else, while a vCPU faults on it, maps it and
 * writes to it. The host's table, the sequence number and the guest's descriptor are shared. A
 * store to the descriptor waits in a buffer until it drains or a DSB makes it, and a walk does not
 * wait for it. The vCPU's two reads may happen in either order unless a barrier orders them. The
 * cache may have a clean line of the host's alias at any time, which hides memory (DDI 0406C
 * A3.5.7).
 */
/* code: notifier_invalidate_start: if (!s2->invalidate_count++) */
/* code: notifier_invalidate_end: WRITE_ONCE(s2->invalidate_seq, s2->invalidate_seq + 1); */
/* code: host_walk: page->seq = READ_ONCE(vm->stage2.invalidate_seq); */
/* code: host_walk: smp_rmb(); */
/* code: host_ask_cpu: page->seq = READ_ONCE(vm->stage2.invalidate_seq); */
/* code: host_ask_cpu: smp_rmb(); */
/* code: armvmm_stage2_retry: return s2->invalidate_seq != seq; */
/* code: armvmm_stage2_flush_tlb: dsb(ish); */
/* code: abort_map: if (armvmm_stage2_retry(s2, page.seq, */
/* fault: NO_READ_BARRIER the host's table is read before the sequence number */
/* fault: NO_RETRY abort_map() installs what it read without a look at the number */
/* fault: NO_DSB the TLB is flushed before the descriptor is seen by walks */
/* fault: NO_CACHE_FLUSH the page is taken back without a flush of the host's alias */

/* The host's side. */
bool host_pte = true;	/* the client's page is there */
byte invalidating, seq;
bool lock;		/* stage2.lock */
bool reused;

/* The guest's side. */
bool desc, desc_wait, desc_buf, tlb;

/* The page: memory, and a clean line of the host's alias. */
bool memory, line, cached;
bool written;

active proctype drain()
{
end:	do
	:: desc_wait -> d_step { desc = desc_buf; desc_wait = false }
	od
}

/* Speculation may fill the cache from memory as long as the page belongs to the client. */
active proctype speculation()
{
end:	do
	:: !reused && !cached -> d_step { line = memory; cached = true }
	od
}

/* Reclaim: notifier_invalidate_start(), the entry, notifier_invalidate_end(), the page's reuse. */
active proctype host()
{
	bool copy;

	atomic { !lock -> lock = true };
	invalidating++;
	!desc_wait;
	d_step { desc_buf = false; desc_wait = true };
#ifndef NO_DSB
	!desc_wait;
#endif
	tlb = false;
#ifndef NO_CACHE_FLUSH
	cached = false;
#endif
	!desc_wait;		/* the lock's release */
	lock = false;

	host_pte = false;

	atomic { !lock -> lock = true };
	seq++;
	invalidating--;
	lock = false;

	/* Swap-out reads the page by the alias, from the cache if the line is there. */
	d_step { if :: cached -> copy = line :: else -> copy = memory fi };
	assert(copy == written);
	reused = true
}

/* armvmm_abort_handle(), and the guest's accesses between its faults. */
active proctype vcpu()
{
	byte page_seq;
	bool page;

end:	do
	:: atomic { tlb || desc -> tlb = true };
		/* Past the caches. If the page is in use again, it is somebody else's. */
		atomic { if :: tlb -> assert(!reused); memory = true; written = true :: else fi }
	:: !tlb && !desc && !written ->
#ifdef NO_READ_BARRIER
		page = host_pte;
		page_seq = seq;
#else
		page_seq = seq;		/* smp_rmb() */
		page = host_pte;
#endif
		if
		:: page ->
			atomic { !lock -> lock = true };
			if
#ifndef NO_RETRY
			:: invalidating || seq != page_seq -> skip
#endif
			:: else ->
				!desc_wait;
				d_step { desc_buf = true; desc_wait = true };
				!desc_wait
			fi;
			lock = false
		:: else -> break	/* the client's page is gone: no mapping */
		fi
	:: written && !tlb && !desc -> break
	od
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page's flush against its reuse: when the notifier has returned, no guest reaches the page, and
 * the host reads from it what the guest wrote past the caches.
 *
 * The host takes a page back and gives it to somebody else, while a vCPU faults on it, maps it and
 * writes to it, or on the page that the client then has in its place. The host's table, the
 * sequence number and the guest's descriptor are shared. A store to the descriptor waits in a
 * buffer until it drains or a DSB makes it, and a walk does not wait for it. The vCPU's two reads
 * may happen in either order unless a barrier orders them. The cache may have a clean line of the
 * host's alias at any time, which hides memory, and has dirty ones of a page that the host has just
 * zeroed (DDI 0406C A3.5.7).
 *
 * The vCPU's thread looks a page up on CPU 0, by the CPU itself or by reading the table, and may
 * then move to CPU 1. Each CPU's TLB may take in the client's entry at any time. The kernel drops
 * what the TLBs have when it has ended the notifier, and before it uses the page again.
 */
/* code: notifier_invalidate_start: if (!s2->invalidate_count++) */
/* code: notifier_invalidate_end: WRITE_ONCE(s2->invalidate_seq, s2->invalidate_seq + 1); */
/* code: host_walk: page->hva_cpu = -1; */
/* code: host_walk: page->seq = READ_ONCE(vm->stage2.invalidate_seq); */
/* code: host_walk: smp_rmb(); */
/* code: host_ask_cpu: page->seq = READ_ONCE(vm->stage2.invalidate_seq); */
/* code: host_ask_cpu: smp_rmb(); */
/* code: host_ask_cpu: host_forget(hva); */
/* code: armvmm_stage2_host_more: host_forget(hva + i * PAGE_SIZE); */
/* code: abort_map_more: if (!armvmm_stage2_retry(s2, page->seq, hva, done * PAGE_SIZE)) */
/* code: host_ask_cpu: page->hva_cpu = smp_processor_id(); */
/* code: abort_flush_by_hva: preempt_disable(); */
/* code: abort_flush_by_hva: if (hva_cpu == smp_processor_id()) */
/* code: armvmm_stage2_retry: return s2->invalidate_seq != seq; */
/* code: abort_flush_pfn: armvmm_cache_flush_pfn(pfn, size); */
/* code: abort_flush_caches: abort_flush_pfn(pfn, size); */
/* code: stage2_gather_finish: armvmm_stage2_flush_tlb(s2); */
/* code: stage2_gather_finish: armvmm_cache_flush_pfn(gather->runs[i].pfn, */
/* code: stage2_gather_finish: stage2_table_free( */
/* code: armvmm_stage2_flush_tlb: dsb(ish); */
/* code: armvmm_stage2_flush_tlb: tlb_call(&call); */
/* code: abort_map: abort_flush_caches(fault, &page, leaf, level); */
/* code: abort_map: if (armvmm_stage2_retry(s2, page.seq, */
/* fault: NO_READ_BARRIER the host's table is read before the sequence number */
/* fault: NO_RETRY abort_map() installs what it read without a look at the number */
/* fault: NO_DSB the TLB is flushed before the descriptor is seen by walks */
/* fault: NO_CACHE_FLUSH the page is taken back without a flush of the host's alias */
/* fault: NO_HOST_TLBI the CPU looks the page up with what its TLB had before */
/* fault: ANY_CPU the page is flushed by the client's address on a CPU that did not look */
/* fault: NO_FILL_FLUSH the page is mapped without a flush */

/* The client's old page, and its new one. */
#define OLD	1
#define NEW	2

/* The host's side. */
byte host_pte = OLD, host_tlb[2];
byte invalidating, seq;
bool lock;		/* stage2.lock */
bool reused;		/* the old page is somebody else's */

/* The guest's side: which page. */
byte desc, desc_buf, tlb;
bool desc_wait;

/* The pages: zeroes that wait in a cache; the old one's memory, and a clean line of its alias. */
bool dirty[3] = true;
bool memory, line, cached;
bool written[3];

active proctype drain()
{
end:	do
	:: desc_wait -> d_step { desc = desc_buf; desc_wait = false }
	od
}

/*
 * Speculation may fill the cache from memory as long as the page belongs to the client, and TLBs
 * with what is in the table.
 */
active proctype speculation()
{
end:	do
	:: !reused && !cached -> d_step { line = memory; cached = true }
	:: host_pte && !host_tlb[0] -> host_tlb[0] = host_pte
	:: host_pte && !host_tlb[1] -> host_tlb[1] = host_pte
	od
}

/*
 * Reclaim: notifier_invalidate_start(), the entry, notifier_invalidate_end(), tlb_finish_mmu(), the
 * page's reuse.
 */
active proctype host()
{
	bool copy;

	atomic { !lock -> lock = true };
	invalidating++;
	!desc_wait;
	d_step { desc_buf = 0; desc_wait = true };
#ifndef NO_DSB
	!desc_wait;
#endif
	tlb = 0;
#ifndef NO_CACHE_FLUSH
	cached = false;
#endif
	!desc_wait;		/* the lock's release */
	lock = false;

	host_pte = 0;

	atomic { !lock -> lock = true };
	seq++;
	invalidating--;
	lock = false;

	d_step { host_tlb[0] = 0; host_tlb[1] = 0 };

	/* Swap-out reads the page by the alias, from the cache if the line is there. */
	d_step { if :: cached -> copy = line :: else -> copy = memory fi };
	assert(copy == written[OLD]);
	reused = true
}

/* What CPU @cpu finds at the client's address. */
inline translate(cpu)
{
	d_step {
		if
		:: !host_tlb[cpu] -> host_tlb[cpu] = host_pte
		:: else
		fi;
		page = host_tlb[cpu]
	}
}

inline look_up()
{
	if
	:: true ->		/* host_ask_cpu() */
#ifndef NO_HOST_TLBI
		host_tlb[0] = 0;
#endif
		translate(0);
		asked = true
	:: true ->		/* host_walk() */
		page = host_pte;
		asked = false
	fi
}

inline flush(which)
{
	d_step {
		dirty[which] = false;
		if
		:: which == OLD -> cached = false
		:: else
		fi
	}
}

/* armvmm_abort_handle(), and the guest's accesses between its faults. */
active proctype vcpu()
{
	byte page_seq, page, found;
	bool asked;

end:	do
	:: d_step { !tlb && desc && !written[desc] -> tlb = desc }
	:: d_step { tlb && !written[tlb] ->
		/* Past the caches. If the old page is in use again, it is somebody else's. */
		assert(tlb != OLD || !reused);
		/* Zeroes that are in a cache still cover what it writes. */
		assert(!dirty[tlb]);
		if :: tlb == OLD -> memory = true :: else fi;
		written[tlb] = true
	   }
	:: !tlb && !desc ->
#ifdef NO_READ_BARRIER
		look_up();
		page_seq = seq;
#else
		page_seq = seq;		/* smp_rmb() */
		look_up();
#endif
		if
		:: !page ->
			/* handle_mm_fault() */
			d_step { if :: !host_pte -> host_pte = NEW :: else fi }
		:: else ->
			found = page;
#ifndef NO_FILL_FLUSH
			/* abort_flush_by_hva(), or by the page's number */
			if
			:: asked -> translate(0)
#ifdef ANY_CPU
			:: asked -> translate(1)
#endif
			:: page = found
			fi;
			if
			:: page -> flush(page)
			:: else -> flush(found)		/* the access faults */
			fi;
#endif
			atomic { !lock -> lock = true };
			if
#ifndef NO_RETRY
			:: invalidating || seq != page_seq -> skip
#endif
			:: else ->
				!desc_wait;
				d_step { desc_buf = found; desc_wait = true };
				!desc_wait
			fi;
			lock = false
		fi
	od
}

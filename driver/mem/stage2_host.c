// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an address of the client to the page behind it.
 *
 * No reference is taken: the MMU notifiers tell of every change of the client's tables, so what
 * is read of them holds until they do, as in the kernel's HMM. The tables are read rather than
 * asked for by get_user_pages because they know what it does not tell: whether the page may be
 * written now, so that a page that a guest reads first and writes next costs one fault; whether a
 * huge page is mapped whole; and the memory type, so that device memory stays that. It serves
 * every kind of mapping (RAM, the zero page, VM_PFNMAP) and every kernel alike.
 *
 * The entries that count are Linux's (pgtable-2level.h, pgtable-3level.h): a page is writable
 * to the CPU where it is not RDONLY and is DIRTY. A guest gets a writable mapping only then, and
 * Linux clears either bit under a notifier: so the dirty bit is never missing for what a guest
 * wrote, and shared file pages that are to be cleaned are taken back first.
 */
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "compat/compat.h"

#include "arch/archregs.h"
#include "core/state.h"
#include "mem/stage2.h"
#include "mem/stage2_host.h"
#include "mem/stage2_host_entry.h"

/* How often a page may come and go before the guest is entered again. */
#define HOST_TRIES	8

#ifdef CONFIG_ARM_LPAE
/* One piece, as the CPU that writes it does (DDI 0406C A3.5.3). */
static u64 host_load(const void *p)
{
	return atomic64_read((const atomic64_t *)p);
}

/*
 * True where the tables may be read with no lock: they are freed after all CPUs had their
 * interrupts on (MMU_GATHER_RCU_TABLE_FREE), or after a grace period, as for get_user_pages_fast.
 */
static bool host_is_lockless(void)
{
	return IS_ENABLED(CONFIG_MMU_GATHER_RCU_TABLE_FREE) || !IS_ENABLED(CONFIG_SMP);
}

static bool host_pmd(struct mm_struct *mm, unsigned long hva, pmd_t *pmd)
{
	pud_t *pudp = pud_offset(p4d_offset(pgd_offset(mm, hva), hva), hva);
	pud_t pud;

	pud_val(pud) = host_load(pudp);
	if (pud_none(pud) || pud_bad(pud))
		return false;
	pmd_val(*pmd) = host_load(pmd_offset(&pud, hva));
	return true;
}

static bool host_read_huge(pmd_t pmd, unsigned long hva, bool write,
			   struct stage2_host_page *page)
{
	page->huge = true;
	page->pfn = pmd_pfn(pmd) + ((hva & ~PMD_MASK) >> PAGE_SHIFT);
	return stage2_host_read_entry(pmd_val(pmd), write, page);
}

static pteval_t host_load_pte(const pte_t *p)
{
	return host_load(p);
}

/* The tables are read with no lock as it is, and know of huge pages. */
static enum host_answer host_ask_cpu(struct armvmm_vm *vm, const struct stage2_host_seen *seen,
				     unsigned long hva, bool write, struct stage2_host_page *page)
{
	return HOST_UNKNOWN;
}

static void host_see(struct armvmm_vm *vm, struct stage2_host_seen *seen,
		     const struct vm_area_struct *vma)
{
}

unsigned int armvmm_stage2_host_more(const struct stage2_host_seen *seen,
				     const struct stage2_host_page *page, unsigned long hva,
				     unsigned int n, unsigned long *pfns, int *hva_cpu)
{
	return 0;
}
#else
/* Tables are freed at once, but only where no mapping is: the mmap lock keeps those. */
static bool host_is_lockless(void)
{
	return false;
}

static bool host_pmd(struct mm_struct *mm, unsigned long hva, pmd_t *pmd)
{
	*pmd = READ_ONCE(*pmd_offset(pud_offset(p4d_offset(pgd_offset(mm, hva), hva), hva), hva));
	return true;
}

/* Sections map no user memory in the short-descriptor format. */
static bool host_read_huge(pmd_t pmd, unsigned long hva, bool write,
			   struct stage2_host_page *page)
{
	return false;
}

static pteval_t host_load_pte(const pte_t *p)
{
	return READ_ONCE(*(const pteval_t *)p);
}

static bool fast_faults = true;
module_param(fast_faults, bool, 0644);
MODULE_PARM_DESC(fast_faults, "the CPU itself looks for the page of a guest's fault in the client's tables");

/* What PAR says of the kernel's own memory, on each CPU. Written with IRQs off. */
static DEFINE_PER_CPU(u32, host_attr);

/*
 * PAR after the CPU translated @va. IRQs off: PAR is each CPU's own. An external abort on the walk
 * kills the host's thread, as one on any access does.
 */
#define host_translate(va, op)						\
({									\
	u32 par_;							\
	asm volatile("mcr p15, 0, %1, c7, c8, " #op "\n"		\
		     "\tisb\n"						\
		     "\tmrc p15, 0, %0, c7, c4, 0"			\
		     : "=r" (par_) : "r" (va) : "memory");		\
	par_;								\
})
/* TLBIMVAA: what this CPU's TLB has there. A DSB and an ISB follow. */
#define host_forget(va)							\
	asm volatile("mcr p15, 0, %0, c8, c7, 3" : : "r" ((va) & PAGE_MASK) : "memory")
#define host_ats1cpr(va)	host_translate(va, 0)
#define host_ats1cur(va)	host_translate(va, 2)
#define host_ats1cuw(va)	host_translate(va, 3)

/*
 * Not every CPU reports attributes: what it reports of memory that is cached is what counts. CPUs
 * of two kinds in one host may differ.
 */
static void host_learn_attr(const void *cached)
{
	unsigned long flags;

	local_irq_save(flags);
	__this_cpu_write(host_attr, host_ats1cpr(cached) & PAR_SHORT_ATTR);
	local_irq_restore(flags);
}

/*
 * The client's tables as the CPU itself finds them: it needs no lock and no mapping of theirs. The
 * kernel frees a table only after it has told all CPUs. The entries for the CPU have the rights
 * that stage2_host_read_entry() wants: user space may read what is valid and young, and write what
 * is dirty besides and not read-only (proc-v7-2level.S).
 *
 * The TLB may have what the tables had before: the kernel flushes it before it frees a page, and
 * not before it ends the notifier (zap_page_range(), tlb_finish_mmu()). So this CPU's entries of
 * the page go first. What is found then was in the tables after the number of invalidations was
 * read, just as what host_walk() finds. For as long as that number stands, this CPU's TLB can take
 * in nothing else; other CPUs' TLBs may have the old page all the while.
 *
 * Of the memory's type PAR may tell too little. A page of @seen is Normal memory: another mapping
 * in its place comes after an invalidation.
 */
static enum host_answer host_ask_cpu(struct armvmm_vm *vm, const struct stage2_host_seen *seen,
				     unsigned long hva, bool write, struct stage2_host_page *page)
{
	unsigned long flags;
	u32 cuw, cur = PAR_F, cached;
	unsigned int user;

	page->seq = READ_ONCE(vm->stage2.invalidate_seq);
	/* Pairs with the lock in notifier_invalidate_end(). */
	smp_rmb();
	if (page->seq != seen->seq || hva < seen->start || hva >= seen->end ||
	    !READ_ONCE(fast_faults))
		return HOST_UNKNOWN;

	local_irq_save(flags);
	user = uaccess_save_and_enable();
	host_forget(hva);
	dsb(nsh);
	isb();
	cuw = host_ats1cuw(hva);
	if ((cuw & PAR_F) && !write)
		cur = host_ats1cur(hva);
	uaccess_restore(user);
	page->hva_cpu = smp_processor_id();
	cached = __this_cpu_read(host_attr);
	local_irq_restore(flags);

	return stage2_host_read_par(cuw, cur, write, cached, page);
}

/* As above: this CPU's entries go first, and what is found then is of the time of page->seq. */
unsigned int armvmm_stage2_host_more(const struct stage2_host_seen *seen,
				     const struct stage2_host_page *page, unsigned long hva,
				     unsigned int n, unsigned long *pfns, int *hva_cpu)
{
	struct stage2_host_page more;
	u32 par[STAGE2_HOST_MORE], cached;
	unsigned int i, user;
	unsigned long flags;

	if (page->hva_cpu < 0 || hva < seen->start || hva >= seen->end)
		return 0;
	n = min3(n, (unsigned int)((seen->end - hva) >> PAGE_SHIFT), STAGE2_HOST_MORE + 0u);

	local_irq_save(flags);
	user = uaccess_save_and_enable();
	for (i = 0; i < n; i++)
		host_forget(hva + i * PAGE_SIZE);
	dsb(nsh);
	isb();
	for (i = 0; i < n; i++)
		par[i] = host_ats1cuw(hva + i * PAGE_SIZE);
	uaccess_restore(user);
	*hva_cpu = smp_processor_id();
	cached = __this_cpu_read(host_attr);
	local_irq_restore(flags);

	for (i = 0; i < n; i++) {
		if (stage2_host_read_par(par[i], PAR_F, true, cached, &more) != HOST_FOUND)
			break;
		pfns[i] = more.pfn;
	}
	return i;
}

/*
 * The mmap lock is held, so that the number read here is that of a time when @vma was there. A page
 * of cached memory was found in it, under that lock: its type is final, as a driver may set it as
 * late as in its first fault.
 */
static void host_see(struct armvmm_vm *vm, struct stage2_host_seen *seen,
		     const struct vm_area_struct *vma)
{
	seen->end = 0;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP) ||
	    stage2_host_attr(pgprot_val(vma->vm_page_prot)) != LPAE_S2_ATTR_WB)
		return;
	seen->start = vma->vm_start;
	seen->end = vma->vm_end;
	seen->seq = READ_ONCE(vm->stage2.invalidate_seq);
	host_learn_attr(vm->stage2.pgd);
}
#endif

/* Reads the tables as they are; false if a fault has to be handled first. */
static bool host_walk(struct armvmm_vm *vm, unsigned long hva, bool write,
		      struct stage2_host_page *page)
{
	unsigned long flags;
	bool ret = false;
	pteval_t v;
	pte_t *table;
	pmd_t pmd;

	page->hva_cpu = -1;
	page->was_there = false;
	page->huge = false;
	page->seq = READ_ONCE(vm->stage2.invalidate_seq);
	/* Pairs with the lock in notifier_invalidate_end(). */
	smp_rmb();

	local_irq_save(flags);
	if (!host_pmd(vm->mm, hva, &pmd) || pmd_none(pmd))
		goto out;
	if (pmd_leaf(pmd)) {
		ret = host_read_huge(pmd, hva, write, page);
		goto out;
	}
	if (pmd_bad(pmd))
		goto out;
	table = kmap_local_page(pmd_page(pmd));
	v = host_load_pte(&table[pte_index(hva)]);
	kunmap_local(table);
	ret = stage2_host_read_entry(v, write, page);
	page->pfn = pte_pfn(__pte(v));
out:
	local_irq_restore(flags);
	return ret;
}

/* One fault of the client at @hva. 0: look again. The mmap lock is held, and is dropped. */
static int host_fault_in(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long hva,
			 unsigned int flags)
{
	vm_fault_t fault = handle_mm_fault(vma, hva, flags, NULL);

	if (fault & (VM_FAULT_RETRY | VM_FAULT_COMPLETED)) {
		/* It dropped the lock itself. */
		if ((fault & VM_FAULT_RETRY) && signal_pending(current))
			return -EAGAIN;
		return 0;
	}
	mmap_read_unlock(mm);
	/*
	 * SIGBUS, SIGSEGV and poisoned pages are all -EFAULT of KVM_RUN, and no signal to the
	 * client.
	 */
	if (fault & VM_FAULT_ERROR)
		return vm_fault_to_errno(fault, 0);
	return 0;
}

int armvmm_stage2_host_get(struct armvmm_vm *vm, struct stage2_host_seen *seen,
			   struct armvmm_memslot *slot, unsigned long hva, bool write,
			   struct stage2_host_page *page)
{
	unsigned int flags = FAULT_FLAG_DEFAULT | (write ? FAULT_FLAG_WRITE : 0);
	struct mm_struct *mm = vm->mm;
	struct vm_area_struct *vma;
	enum host_answer answer;
	int ret, i;

	for (i = 0; i < HOST_TRIES; i++) {
		answer = host_ask_cpu(vm, seen, hva, write, page);
		if (answer == HOST_FOUND) {
			page->was_there = !i;
			return 0;
		}
		might_sleep();
		if (host_is_lockless() && host_walk(vm, hva, write, page))
			return 0;
		if (mmap_read_lock_killable(mm))
			return -EAGAIN;
		vma = find_vma(mm, hva);
		if (!vma || hva < vma->vm_start ||
		    !(vma->vm_flags & (write ? VM_WRITE : VM_READ))) {
			mmap_read_unlock(mm);
			return -EFAULT;
		}
		/* What faults needs no second look: it does no harm to handle a fault twice. */
		if (answer == HOST_UNKNOWN && !host_is_lockless() &&
		    host_walk(vm, hva, write, page)) {
			if (page->attr == LPAE_S2_ATTR_WB)
				host_see(vm, seen, vma);
			mmap_read_unlock(mm);
			return 0;
		}
		ret = host_fault_in(mm, vma, hva, flags);
		if (ret)
			return ret;
		/*
		 * A second wait for the same page does not drop the lock (mm.h, FAULT_FLAG_TRIED).
		 */
		flags |= FAULT_FLAG_TRIED;
		cond_resched();
	}
	return -EAGAIN;
}

// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/mem/stage2_pin.c
// cflags: -include tests/unit/pin_fake.h -Itests/unit/fake -Iinclude/uapi -Idriver
// cflags: -Wno-pointer-to-int-cast
/*
 * Pages that are pinned for a guest, and what its client may pin. Two vCPUs, each a thread, of
 * which one runs at a time: each way in which they can meet at the limit is tried by itself.
 */
#include <pthread.h>
#include <semaphore.h>

#include "ktap.h"

#include "core/state.h"
#include "mem/stage2.h"
#include "mem/stage2_host.h"

#define PAGES	8u
#define HVA	0x70000000ul
#define GFN	0x40000u

struct page fake_pages[PAGES];
unsigned long fake_limit;
unsigned int fake_told;
static struct user_struct user;
const struct cred fake_cred = { &user };
static struct armvmm_vm vm;
static struct mm_struct mm;
static struct vm_area_struct vma;
static struct armvmm_memslot slot;
static unsigned int unmapped;
static unsigned long changes;
static int was[PAGES];	/* pins of each page while nothing changes */

struct vm_area_struct *find_vma(struct mm_struct *of, unsigned long va)
{
	KTAP_TRUE(of == &mm);
	return va < vma.vm_end ? &vma : NULL;
}

long compat_user_locked_add(struct user_struct *of, long n)
{
	KTAP_TRUE(of == &user);
	of->locked += n;
	return of->locked;
}

void armvmm_stage2_unmap_locked(struct stage2 *s2, u64 ipa, u64 size, bool may_sleep)
{
	KTAP_TRUE(s2->lock.held && ipa >= (u64)GFN << PAGE_SHIFT);
	/* What is unmapped is pinned still, and no fault that began before may map it again. */
	KTAP_EQ(s2->invalidate_seq, ++changes);
	for (u64 at = ipa; at < ipa + size; at += PAGE_SIZE)
		KTAP_TRUE(!fake_pages[(at >> PAGE_SHIFT) - GFN].pins ==
			  !was[(at >> PAGE_SHIFT) - GFN]);
	unmapped += size / PAGE_SIZE;
}

/* --- the second vCPU --- */

static struct {
	pthread_t thread;
	sem_t go, stopped;
	unsigned int page;
	int ret;
	bool stops, in_thread;
} second;

/* It stops while it pins, being charged. */
int pin_user_pages_fast(unsigned long va, int n, unsigned int flags, struct page **page)
{
	KTAP_EQ(n, 1);
	KTAP_TRUE(flags & FOLL_LONGTERM);
	if (second.in_thread && second.stops) {
		second.stops = second.in_thread = false;
		sem_post(&second.stopped);
		sem_wait(&second.go);
	}
	*page = &fake_pages[(va - HVA) >> PAGE_SHIFT];
	(*page)->pins++;
	return 1;
}

/* What comes while pages are unpinned, which may take its time. */
static void (*while_unpinned)(void);

void unpin_user_pages_dirty_lock(struct page **pages, unsigned long n, bool dirty)
{
	void (*what)(void) = while_unpinned;

	while_unpinned = NULL;
	if (what)
		what();
	while (n--) {
		pages[n]->pins--;
		pages[n]->dirty |= dirty;
	}
}

static void keep_pins(void)
{
	for (unsigned int i = 0; i < PAGES; i++)
		was[i] = fake_pages[i].pins;
}

static int get(unsigned int n, bool write)
{
	struct stage2_host_page page;
	int ret;

	keep_pins();
	ret = armvmm_stage2_host_get(&vm, NULL, &slot, HVA + n * PAGE_SIZE, write, &page);
	if (!ret)
		KTAP_EQ(page.pfn, FAKE_PFN + n);
	return ret;
}

static void *second_main(void *arg)
{
	second.in_thread = true;
	second.ret = get(second.page, true);
	second.in_thread = false;
	if (second.stops) {
		/* It did not come to pin. */
		second.stops = false;
		sem_post(&second.stopped);
	}
	return NULL;
}

/* The second vCPU faults on page @n, and is charged for it. */
static void second_starts(unsigned int n)
{
	second.page = n;
	second.stops = true;
	KTAP_EQ(pthread_create(&second.thread, NULL, second_main, NULL), 0);
	sem_wait(&second.stopped);
}

static void second_ends(void)
{
	sem_post(&second.go);
	pthread_join(second.thread, NULL);
}

/* What happens between a charge that is refused and the look at what was in its way. */
static void (*meanwhile)(void);

void fake_refused(void)
{
	void (*what)(void) = meanwhile;

	meanwhile = NULL;
	if (what)
		what();
}

/* --- cases --- */

/* @limit pages may be pinned. */
static void start(unsigned int limit)
{
	memset(&vm, 0, sizeof(vm));
	memset(&slot, 0, sizeof(slot));
	memset(fake_pages, 0, sizeof(fake_pages));
	memset(&mm, 0, sizeof(mm));
	memset(&user, 0, sizeof(user));
	memset(&second, 0, sizeof(second));
	sem_init(&second.go, 0, 0);
	sem_init(&second.stopped, 0, 0);
	unmapped = fake_told = 0;
	changes = 0;
	meanwhile = NULL;
	while_unpinned = NULL;
	fake_limit = limit * PAGE_SIZE;
	vma = (struct vm_area_struct){ HVA, HVA + PAGES * PAGE_SIZE, VM_READ | VM_WRITE, 0, NULL };
	vm.mm = &mm;
	slot.npages = PAGES;
	slot.base_gfn = GFN;
	slot.userspace_addr = HVA;
	KTAP_EQ(armvmm_stage2_host_vm_init(&vm), 0);
	KTAP_EQ(armvmm_stage2_host_slot_init(&slot), 0);
}

static void charged(long n)
{
	KTAP_EQ(mm.pinned_vm.counter, n);
	KTAP_EQ(user.locked, n);
	KTAP_EQ(vm.pins_pending.counter, 0);
}

/* The slot goes, and with it all pins and all charges. */
static void end(void)
{
	armvmm_stage2_host_slot_release(&vm, &slot);
	armvmm_stage2_host_vm_destroy(&vm);
	charged(0);
	for (unsigned int i = 0; i < PAGES; i++)
		KTAP_EQ(fake_pages[i].pins, 0);
}

static void test_pinned(void)
{
	start(PAGES);
	for (int again = 0; again < 2; again++)
		for (unsigned int i = 0; i < PAGES; i++)
			KTAP_EQ(get(i, i & 1), 0);
	charged(PAGES);
	for (unsigned int i = 0; i < PAGES; i++)
		KTAP_EQ(fake_pages[i].pins, 1);
	KTAP_EQ(unmapped, 0);
	end();
	/* The host did not see what the guest wrote. */
	for (unsigned int i = 0; i < PAGES; i++)
		KTAP_TRUE(fake_pages[i].dirty);
}

static void unpin(unsigned int first, unsigned int nr)
{
	keep_pins();
	armvmm_stage2_host_unpin(&vm, &slot, first, nr);
}

/* The client gives some of them back: these alone go, and come again when they are touched. */
static void test_unpinned(void)
{
	start(4);
	/* Nothing is pinned yet, nor is there room for words. */
	unpin(0, PAGES);
	KTAP_EQ(unmapped, 0);
	for (unsigned int i = 1; i < 5; i++)
		KTAP_EQ(get(i, i != 2), 0);
	charged(4);
	KTAP_EQ(get(5, true), -ENOMEM);
	unpin(2, 2);
	charged(2);
	KTAP_EQ(unmapped, 2);
	KTAP_EQ(fake_pages[1].pins, 1);
	KTAP_EQ(fake_pages[2].pins, 0);
	KTAP_EQ(fake_pages[3].pins, 0);
	KTAP_EQ(fake_pages[4].pins, 1);
	KTAP_TRUE(fake_pages[3].dirty);
	/* Again, there is nothing left to do. */
	unpin(2, 2);
	KTAP_EQ(unmapped, 2);
	KTAP_EQ(get(5, true), 0);
	KTAP_EQ(get(3, true), 0);
	charged(4);
	unpin(0, PAGES);
	charged(0);
	KTAP_EQ(get(0, true), 0);
	end();
}

/* A page that a fault has just looked up is the client's old one: it is looked up again. */
static void test_unpinned_in_fault(void)
{
	start(PAGES);
	KTAP_EQ(get(0, true), 0);
	second_starts(1);
	unpin(1, 1);
	second_ends();
	KTAP_EQ(second.ret, -EAGAIN);
	KTAP_EQ(fake_pages[1].pins, 0);
	KTAP_EQ(unmapped, 0);
	charged(1);
	KTAP_EQ(get(1, true), 0);
	end();
}

static void touch_all(void)
{
	for (unsigned int i = 0; i < 4; i++)
		KTAP_EQ(get(i, true), 0);
	KTAP_EQ(fake_told, 0);
}

/* A guest that touches at once what was unpinned needs no more than before. */
static void test_unpinned_and_touched(void)
{
	start(4);
	touch_all();
	while_unpinned = touch_all;
	unpin(0, 4);
	charged(4);
	end();
}

/* The kernel has a page to write to it for the guest, and the client unpins it meanwhile. */
static void test_unpinned_while_written(void)
{
	struct page *page;

	start(4);
	page = armvmm_stage2_host_page_get(&vm, &slot, HVA, true);
	KTAP_TRUE(page == &fake_pages[0]);
	unpin(0, 1);
	page->dirty = false;
	armvmm_stage2_host_page_put(page, true);
	KTAP_TRUE(page->dirty);
	end();
}

static int mkwrite(void)
{
	return 0;
}

/* A page that the client could only read when it was pinned is replaced when it may write there. */
static void test_replaced(void)
{
	start(1);
	vma.vm_flags = VM_READ;
	KTAP_EQ(get(0, false), 0);
	KTAP_EQ(get(0, true), -EFAULT);
	vma.vm_flags |= VM_WRITE;
	KTAP_EQ(get(0, false), 0);
	/* One page too many, for a moment. */
	KTAP_EQ(get(0, true), -EAGAIN);
	KTAP_EQ(unmapped, 1);
	KTAP_EQ(get(0, true), 0);
	charged(1);
	end();
}

/* A file on a disk, mapped shared: nobody would tell its file system what the guest writes. */
static void test_file(void)
{
	static const struct vm_operations_struct ops[] = {
		{ .page_mkwrite = mkwrite }, { .pfn_mkwrite = mkwrite }, { },
	};

	for (unsigned int i = 0; i < 2; i++) {
		start(2);
		vma.vm_ops = &ops[i];
		vma.vm_flags |= VM_SHARED;
		KTAP_EQ(get(0, true), -EFAULT);
		charged(0);
		/* It may be read. */
		KTAP_EQ(get(0, false), 0);
		KTAP_EQ(get(0, true), -EFAULT);
		charged(1);
		end();
		KTAP_TRUE(!fake_pages[0].dirty);
		/* Its private copies, and memory that is shared, are the client's. */
		start(2);
		vma.vm_ops = &ops[i];
		KTAP_EQ(get(0, true), 0);
		vma.vm_ops = &ops[2];
		vma.vm_flags |= VM_SHARED;
		KTAP_EQ(get(1, true), 0);
		end();
	}
}

static void test_refused(void)
{
	start(2);
	KTAP_EQ(get(0, true), 0);
	KTAP_EQ(get(1, true), 0);
	for (int again = 0; again < 2; again++) {
		KTAP_EQ(get(2, true), -ENOMEM);
		charged(2);
	}
	KTAP_EQ(get(1, true), 0);
	KTAP_EQ(fake_told, 2);
	/* Another process of the user has the rest. */
	fake_limit = 3 * PAGE_SIZE;
	user.locked++;
	KTAP_EQ(get(2, true), -ENOMEM);
	user.locked--;
	KTAP_EQ(get(2, true), 0);
	end();
}

/* Two pages are enough for a guest that has two, whatever its other vCPU is charged for. */
static void enough(void)
{
	KTAP_EQ(get(1, true), 0);
	charged(2);
	KTAP_EQ(fake_told, 0);
	end();
}

/* The other one is about to give the charge back, as this one has pinned the same page. */
static void test_other_is_charged(void)
{
	start(2);
	second_starts(0);
	KTAP_EQ(get(0, true), 0);
	KTAP_EQ(get(1, true), -EAGAIN);
	second_ends();
	KTAP_EQ(second.ret, -EAGAIN);
	enough();
}

/* It does so right after this one was refused. */
static void test_other_was_charged(void)
{
	start(2);
	second_starts(0);
	KTAP_EQ(get(0, true), 0);
	meanwhile = second_ends;
	KTAP_EQ(get(1, true), -EAGAIN);
	KTAP_EQ(second.ret, -EAGAIN);
	enough();
}

/* The other one keeps it: it has pinned this very page. */
static void test_other_has_pinned(void)
{
	start(2);
	KTAP_EQ(get(0, true), 0);
	second_starts(1);
	meanwhile = second_ends;
	KTAP_EQ(get(1, true), -EAGAIN);
	KTAP_EQ(second.ret, 0);
	enough();
}

static void second_is_refused(void)
{
	second_starts(2);
	pthread_join(second.thread, NULL);
}

/* Both are refused, and nobody gives a page back: the client learns it a little later. */
static void test_both_refused(void)
{
	start(1);
	KTAP_EQ(get(0, true), 0);
	meanwhile = second_is_refused;
	KTAP_EQ(get(1, true), -EAGAIN);
	/* Each may have been in the other's way: a refused charge counts for a moment. */
	KTAP_EQ(second.ret, -EAGAIN);
	KTAP_EQ(get(1, true), -ENOMEM);
	charged(1);
	end();
}

KTAP_MAIN(KTAP_CASE(test_pinned), KTAP_CASE(test_unpinned),
	  KTAP_CASE(test_unpinned_in_fault), KTAP_CASE(test_unpinned_and_touched),
	  KTAP_CASE(test_unpinned_while_written), KTAP_CASE(test_replaced),
	  KTAP_CASE(test_file), KTAP_CASE(test_refused),
	  KTAP_CASE(test_other_is_charged), KTAP_CASE(test_other_was_charged),
	  KTAP_CASE(test_other_has_pinned), KTAP_CASE(test_both_refused))

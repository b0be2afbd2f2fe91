// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/mem/dirty.c driver/mem/stage2_vm.c
// cflags: -include tests/unit/mem_fake.h -Itests/unit/fake -Iinclude/uapi -fno-strict-aliasing -Idriver
/*
 * What the dirty log reports as written is in memory when the client reads it (DDI 0406C A3.5.7):
 * also if a vCPU has turned its caches off since its last exit, so that the module does not know.
 * It goes on writing to all that its TLB lets it write. Meanwhile the host has old lines.
 */
#include "ktap.h"

#include "arch/archregs.h"
#include "mem/memslot.h"
#include "mem/stage2.h"
#include "mem/stage2_host.h"

#define VCPUS		2
#define PAGES		70000	/* more than two rounds under the lock */
#define GFN		0x80000ull
#define ON		(SCTLR_M | SCTLR_C)

pgprot_t pgprot_kernel;
struct task_struct *fake_current;
bool fake_in_irq;

static struct armvmm_vm vm;
static struct armvmm_vcpu vcpus[VCPUS];
static struct hyp_vcpu hyps[VCPUS];
static u32 sctlr[VCPUS];		/* what they have now, which their exits tell */
static int exits_at;			/* pages protected until vCPU 1 exits by itself */

static bool writable[PAGES];		/* in the tables */
static bool tlb[PAGES];			/* in the TLBs */
static bool hidden[PAGES];		/* written past the caches; the host has an old line */
static unsigned long bitmap[BITS_TO_LONGS(PAGES)], out[BITS_TO_LONGS(PAGES)];
static unsigned int calls, tlb_flushes, flushed;

static struct {
	struct armvmm_memslots slots;
	struct armvmm_memslot slot;
} memslots;

struct armvmm_memslots *armvmm_memslot_all(struct armvmm_vm *of)
{
	return &memslots.slots;
}

/* --- the guest --- */

static void guest_writes(void)
{
	bool off = false;

	for (unsigned int i = 0; i < VCPUS; i++)
		off |= vcpus[i].mode == VCPU_IN_GUEST && (sctlr[i] & ON) != ON;
	for (unsigned int page = 0; off && page < PAGES; page++)
		hidden[page] |= tlb[page];
}

static void guest_exits(unsigned int i)
{
	hyps[i].cp15[CP15_SCTLR] = sctlr[i];
}

void smp_call_function_single(int cpu, void (*fn)(void *), void *arg, int wait)
{
	KTAP_TRUE(wait && !vm.stage2.lock.held);
	calls++;
	guest_writes();
	for (unsigned int i = 0; i < VCPUS; i++)
		if (vcpus[i].mode != VCPU_OUTSIDE && vcpus[i].last_cpu == cpu)
			guest_exits(i);
	fn(arg);
}

/* --- the tables --- */

static unsigned int page_of(u64 ipa)
{
	KTAP_TRUE(ipa >> PAGE_SHIFT >= GFN && (ipa >> PAGE_SHIFT) - GFN < PAGES);
	return (unsigned int)((ipa >> PAGE_SHIFT) - GFN);
}

void armvmm_stage2_flush_tlb(struct stage2 *s2)
{
	guest_writes();
	memcpy(tlb, writable, sizeof(tlb));
	tlb_flushes++;
}

static void flush_pages(unsigned int page, u64 size)
{
	memset(hidden + page, 0, size >> PAGE_SHIFT);
	flushed += (unsigned int)(size >> PAGE_SHIFT);
	guest_writes();
}

bool armvmm_stage2_protect_locked(struct stage2 *s2, u64 ipa, u64 size, bool uncached)
{
	unsigned int page = page_of(ipa), n = (unsigned int)(size >> PAGE_SHIFT);
	bool changed = false;

	lockdep_assert_held(&s2->lock);
	for (unsigned int i = page; i < page + n; i++) {
		changed |= writable[i];
		writable[i] = false;
	}
	if (exits_at && (exits_at -= (int)n) <= 0) {
		exits_at = 0;
		guest_writes();
		guest_exits(1);
		vcpus[1].mode = VCPU_OUTSIDE;
	}
	if (uncached && changed) {
		armvmm_stage2_flush_tlb(s2);
		flush_pages(page, size);
	}
	return changed;
}

void armvmm_stage2_flush_range(struct armvmm_vm *of, u64 ipa, u64 size)
{
	KTAP_TRUE(!of->stage2.lock.held);
	flush_pages(page_of(ipa), size);
}

void armvmm_stage2_flush_caches(struct armvmm_vm *of)
{
	armvmm_stage2_flush_range(of, GFN << PAGE_SHIFT, (u64)PAGES << PAGE_SHIFT);
}

/* --- what these cases do not come to --- */

int armvmm_stage2_host_vm_init(struct armvmm_vm *of)
{
	return 0;
}

void armvmm_stage2_host_vm_release(struct armvmm_vm *of)
{
}

void armvmm_stage2_host_vm_destroy(struct armvmm_vm *of)
{
}

void armvmm_stage2_unmap(struct armvmm_vm *of, u64 ipa, u64 size)
{
}

/* --- a VM whose vCPUs run on CPUs 1 and 2, with their caches on --- */

static void start(void)
{
	memset(&vm, 0, sizeof(vm));
	memset(hyps, 0, sizeof(hyps));
	vm.online_vcpus = VCPUS;
	for (unsigned int i = 0; i < VCPUS; i++) {
		vcpus[i] = (struct armvmm_vcpu){
			.vm = &vm, .hyp = &hyps[i], .last_cpu = (int)i + 1, .mode = VCPU_IN_GUEST,
		};
		vm.vcpus[i] = &vcpus[i];
		hyps[i].cp15[CP15_SCTLR] = sctlr[i] = ON;
	}
	memset(writable, 0, sizeof(writable));
	memset(tlb, 0, sizeof(tlb));
	memset(hidden, 0, sizeof(hidden));
	memset(bitmap, 0, sizeof(bitmap));
	memslots.slots.nr = 1;
	memslots.slots.slots[0] = (struct armvmm_memslot){
		.base_gfn = GFN, .npages = PAGES, .dirty_bitmap = bitmap,
	};
	calls = tlb_flushes = flushed = 0;
	exits_at = 0;
}

/* The guest has written some pages, at their first time by a fault. */
static void wrote(void)
{
	for (unsigned int page = 0; page < PAGES; page += page % 100 < 7 ? 1 : 50)
		writable[page] = tlb[page] = true;
	spin_lock(&vm.stage2.lock);
	for (unsigned int page = 0; page < PAGES; page++)
		if (writable[page])
			armvmm_dirty_mark(&vm, &memslots.slots.slots[0], GFN + page);
	spin_unlock(&vm.stage2.lock);
	guest_writes();
}

static unsigned int harvest(bool clear)
{
	struct kvm_dirty_log get = { .dirty_bitmap = out };
	struct kvm_clear_dirty_log mask = { .num_pages = PAGES, .dirty_bitmap = out };
	unsigned int n = 0;

	if (clear) {
		memcpy(out, bitmap, sizeof(out));
		KTAP_EQ(armvmm_dirty_clear_log(&vm, &mask), 0);
	} else {
		KTAP_EQ(armvmm_dirty_get_log(&vm, &get), 0);
	}
	for (unsigned int page = 0; page < PAGES; page++) {
		if (!(out[page / BITS_PER_LONG] >> page % BITS_PER_LONG & 1))
			continue;
		n++;
		if (hidden[page]) {
			KTAP_FAIL("page %u: its reader has old data", page);
			break;
		}
		KTAP_TRUE(!tlb[page]);
	}
	return n;
}

/* Turned off since the last exit. All vCPUs in the guest are asked, once. */
static void turned_off(bool clear)
{
	unsigned int n;

	start();
	sctlr[1] = 0;
	wrote();
	n = harvest(clear);
	KTAP_TRUE(n > 1000);
	KTAP_EQ(calls, 2);
	KTAP_EQ(flushed, n);
	/* From then on it is known. */
	wrote();
	harvest(clear);
	KTAP_EQ(calls, 2);
	/* M alone: what is not translated is Strongly-ordered (B3.2.1). */
	start();
	sctlr[0] = SCTLR_C;
	wrote();
	harvest(clear);
	KTAP_EQ(calls, 2);
	/* It exits by itself, on the way. */
	start();
	sctlr[1] = 0;
	exits_at = 300;
	wrote();
	harvest(clear);
	KTAP_EQ(calls, 1);
}

static void test_get(void)
{
	turned_off(false);
}

static void test_clear(void)
{
	turned_off(true);
}

/* Caches that are on cost each CPU in the guest one interrupt; nothing is flushed. */
static void test_on(void)
{
	start();
	vcpus[0].mode = VCPU_OUTSIDE;
	wrote();
	harvest(false);
	KTAP_EQ(calls, 1);
	KTAP_EQ(flushed, 0);
	KTAP_EQ(tlb_flushes, 3);
	/* None where nothing was protected, or no vCPU runs. */
	KTAP_EQ(harvest(false), 0);
	KTAP_EQ(calls, 1);
	vcpus[1].mode = VCPU_OUTSIDE;
	wrote();
	KTAP_TRUE(harvest(true) > 0);
	KTAP_EQ(calls, 1);
}

/* Known to be off: flushed under the lock, and nobody is asked. */
static void test_off(void)
{
	start();
	sctlr[1] = hyps[1].cp15[CP15_SCTLR] = 0;
	hyps[1].hcr = HCR_TVM;
	wrote();
	KTAP_EQ(harvest(false), flushed);
	KTAP_EQ(calls, 0);
}

KTAP_MAIN(KTAP_CASE(test_get), KTAP_CASE(test_clear), KTAP_CASE(test_on), KTAP_CASE(test_off))

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data races of the module, by the method of KCSAN, which Linux does not have on 32-bit Arm. Only
 * the build for HOST=6.1-race has this file (docs/testing.md).
 *
 * The compiler calls a function before each access. Now and then such a function watches its
 * address for some microseconds, with interrupts off, and only then returns to the access. Another
 * CPU that is about to access the same bytes finds the watch. If one of the two writes, nothing
 * orders them: that is a race. An access by READ_ONCE() or WRITE_ONCE() may be met, and is not
 * watched: two of them never race. Nor are atomic operations, which race_atomic.h shows.
 */
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/spinlock.h>

#define RACE_WRITE	1u
#define RACE_MARKED	2u

/*
 * So many accesses of a CPU's between two watches, and microseconds of a watch: at random. Most
 * accesses are those of a few places: a place that was watched oftener than others is passed over
 * as much oftener, and then one of the next accesses is.
 */
#define RACE_APART	64
#define RACE_US		32
#define RACE_NEXT	16
#define RACE_PLACES	1024

#define RACE_REPORTS	64

/* What a CPU watches. @size and @write are valid where @addr is not 0. */
struct race_watch {
	unsigned long addr;
	size_t size;
	bool write;
	/* The number of the watch, and below it the PC that met it, with bit 0 for a write. */
	u64 met;
	u32 number;
	u32 left;	/* accesses until the next watch */
	u32 random;
} ____cacheline_aligned;

static DEFINE_PER_CPU(struct race_watch, race_cpu);

static struct {
	unsigned long first, second;
} race_reports[RACE_REPORTS];
static unsigned int race_nr_reports;
static DEFINE_RAW_SPINLOCK(race_lock);

/* How often each place was watched, by a hash of its PC. CPUs may lose each other's counts. */
static u32 race_counts[RACE_PLACES], race_total;

static u32 race_random(struct race_watch *w)
{
	u32 r = w->random ?: 0x9e3779b9 + (u32)(unsigned long)w;

	r ^= r << 13;
	r ^= r >> 17;
	r ^= r << 5;
	w->random = r;
	return r;
}

static bool race_pass_over(struct race_watch *w, unsigned long pc)
{
	u32 *count = &race_counts[(pc >> 2 ^ pc >> 12) % RACE_PLACES];
	u32 share = READ_ONCE(*count) / (READ_ONCE(race_total) / RACE_PLACES + 1);

	if (share && race_random(w) % (share + 1))
		return true;
	WRITE_ONCE(*count, *count + 1);
	WRITE_ONCE(race_total, race_total + 1);
	return false;
}

/* Is this pair of places new? */
static bool race_is_new(unsigned long first, unsigned long second)
{
	unsigned int i;
	bool new = false;

	raw_spin_lock(&race_lock);
	for (i = 0; i < race_nr_reports; i++)
		if (race_reports[i].first == first && race_reports[i].second == second)
			break;
	if (i == race_nr_reports && i < RACE_REPORTS) {
		race_reports[i].first = first;
		race_reports[i].second = second;
		race_nr_reports++;
		new = true;
	}
	raw_spin_unlock(&race_lock);
	return new;
}

static noinline void race_wait(unsigned long addr, size_t size, bool write, unsigned long pc)
{
	unsigned long flags, other;
	struct race_watch *w;
	u32 number;

	local_irq_save(flags);
	/* The caller may have come to another CPU by now. */
	w = this_cpu_ptr(&race_cpu);
	number = ++w->number;
	w->met = (u64)number << 32;
	w->size = size;
	w->write = write;
	smp_store_release(&w->addr, addr);
	/* The watch can be seen before the access that it delays. */
	smp_mb();
	udelay(1 + race_random(w) % RACE_US);
	WRITE_ONCE(w->addr, 0);
	/* Whoever still meets it finds another number. */
	other = (u32)atomic64_xchg((atomic64_t *)&w->met, 0);
	if (other && race_is_new(pc, other & ~1ul))
		pr_err("data race at %px: %pS %s %zu bytes, %pS %s\n", (void *)addr, (void *)pc,
		       write ? "writes" : "reads", size, (void *)(other & ~1ul),
		       other & 1 ? "writes" : "reads");
	local_irq_restore(flags);
}

/* Does any CPU watch these bytes? */
static void race_meet(unsigned long addr, size_t size, bool write, unsigned long pc)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct race_watch *w = per_cpu_ptr(&race_cpu, cpu);
		unsigned long a = smp_load_acquire(&w->addr);
		u64 number;

		if (likely(!a) || (a - addr >= size && addr - a >= READ_ONCE(w->size)))
			continue;
		if (!write && !READ_ONCE(w->write))
			continue;
		number = (u64)READ_ONCE(w->number) << 32;
		/* It is the same watch still, as it is met before it ends. */
		if (smp_load_acquire(&w->addr) == a)
			atomic64_cmpxchg((atomic64_t *)&w->met, (s64)number,
					 (s64)(number | (pc & ~1ul) | write));
	}
}

static __always_inline void race_access(void *p, size_t size, unsigned int kind,
					unsigned long pc)
{
	unsigned long addr = (unsigned long)p;
	struct race_watch *w;

	if (addr < PAGE_OFFSET - SZ_16M)
		return;
	race_meet(addr, size, kind & RACE_WRITE, pc);
	if (kind & RACE_MARKED)
		return;
	/* Not exact where the thread moves meanwhile, which does no harm. */
	w = raw_cpu_ptr(&race_cpu);
	if (likely(w->left)) {
		w->left--;
		return;
	}
	if (race_pass_over(w, pc)) {
		w->left = race_random(w) % RACE_NEXT;
		return;
	}
	w->left = race_random(w) % (2 * RACE_APART);
	race_wait(addr, size, kind & RACE_WRITE, pc);
}

#define RACE_FUNCTION(name, size, kind)						\
void __tsan_##name(void *p);					\
void __tsan_##name(void *p)					\
{										\
	race_access(p, size, kind, _RET_IP_);					\
}

#define RACE_SIZE(size)								\
	RACE_FUNCTION(read##size, size, 0)					\
	RACE_FUNCTION(write##size, size, RACE_WRITE)				\
	RACE_FUNCTION(unaligned_read##size, size, 0)				\
	RACE_FUNCTION(unaligned_write##size, size, RACE_WRITE)			\
	RACE_FUNCTION(volatile_read##size, size, RACE_MARKED)			\
	RACE_FUNCTION(volatile_write##size, size, RACE_WRITE | RACE_MARKED)	\
	RACE_FUNCTION(unaligned_volatile_read##size, size, RACE_MARKED)		\
	RACE_FUNCTION(unaligned_volatile_write##size, size, RACE_WRITE | RACE_MARKED)

RACE_SIZE(1)
RACE_SIZE(2)
RACE_SIZE(4)
RACE_SIZE(8)
RACE_SIZE(16)

void __tsan_read_range(void *p, long size);
void __tsan_read_range(void *p, long size)
{
	race_access(p, size, 0, _RET_IP_);
}

void __tsan_write_range(void *p, long size);
void __tsan_write_range(void *p, long size)
{
	race_access(p, size, RACE_WRITE, _RET_IP_);
}

void __tsan_init(void);
void __tsan_init(void)
{
}

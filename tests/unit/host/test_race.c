// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/host/race.c
// cflags: -include tests/unit/race_fake.h -Itests/unit/fake -Iinclude/uapi -Idriver
/*
 * Which accesses are data races: those of two CPUs that meet, where one writes, and one at least is
 * no READ_ONCE() or WRITE_ONCE(). Here one CPU makes an access until it is watched, and another
 * makes its own meanwhile.
 */
#include "host/race_atomic.h"

#include "ktap.h"

#define ACCESS(name)	void __tsan_##name(void *p)
ACCESS(read1);
ACCESS(read4);
ACCESS(write4);
ACCESS(read8);
ACCESS(unaligned_write4);
ACCESS(volatile_read4);
ACCESS(volatile_write4);
void __tsan_write_range(void *p, long size);

typedef void access_fn(void *p);

unsigned int fake_cpu;
static bool irqs_off;
static unsigned int waits, reports;
static u64 data[4];

static access_fn *theirs;
static void *their_data;

void fake_irqs(bool on)
{
	irqs_off = !on;
}

void fake_report(const char *fmt, ...)
{
	KTAP_TRUE(irqs_off);
	reports++;
}

void udelay(unsigned int us)
{
	access_fn *fn = theirs;

	/* Its interrupts would come to its own accesses. */
	KTAP_TRUE(irqs_off);
	KTAP_TRUE(us > 0 && us < 100);
	waits++;
	if (!fn)
		return;
	/* The other's access may be watched in its turn. */
	theirs = NULL;
	fake_cpu = 1;
	fn(their_data);
	fake_cpu = 0;
	theirs = fn;
	irqs_off = true;
}

static void many(access_fn *fn, void *p)
{
	for (unsigned int i = 0; i < 20000; i++)
		fn(p);
}

/* How many reports come of CPU 0's many accesses, each time that it waits beside one of CPU 1's. */
static unsigned int meet(access_fn *mine, void *p, access_fn *other, void *q)
{
	theirs = other;
	their_data = q;
	reports = waits = 0;
	many(mine, p);
	theirs = NULL;
	return reports;
}

/* A place in the code, of which the report tells one from another. */
#define PLACE(name, fn)								\
static void name(void *p)							\
{										\
	fn(p);									\
	/* No tail call. */							\
	asm volatile("");							\
}
PLACE(write_here, __tsan_write4)
PLACE(write_there, __tsan_write4)
PLACE(read_word, __tsan_read4)
PLACE(read_two_words, __tsan_read8)
PLACE(write_unaligned, __tsan_unaligned_write4)
PLACE(read_bits, __tsan_read8)

static unsigned long _set_bit(unsigned int n, volatile unsigned long *p)
{
	return p[BIT_WORD(n)] |= 1ul << n % (8 * sizeof(long));
}

static void set_second(void *p)
{
	set_bit(64 + 3, (unsigned long *)p);
}

static void exchange(void *p)
{
	cmpxchg((u32 *)p, xchg((u32 *)p, 1), 2);
}

static void test_races(void)
{
	char *bytes = (char *)data;

	/* A pair of places is reported once, however often it meets. */
	KTAP_EQ(meet(write_here, data, __tsan_volatile_read4, data), 1);
	KTAP_TRUE(waits > 10);
	KTAP_EQ(meet(write_here, data, __tsan_volatile_read4, data), 0);
	KTAP_EQ(meet(write_here, data, write_there, data), 1);
	KTAP_EQ(meet(read_word, data, __tsan_volatile_write4, data), 1);
	/* Some of the bytes are enough. */
	KTAP_EQ(meet(read_two_words, bytes, __tsan_volatile_write4, bytes + 4), 1);
	KTAP_EQ(meet(write_unaligned, bytes + 3, __tsan_read1, bytes + 6), 1);
}

static void test_none(void)
{
	char *bytes = (char *)data;

	/* Two reads; other bytes; and marked accesses alone. */
	KTAP_EQ(meet(__tsan_read4, data, __tsan_read8, data), 0);
	KTAP_TRUE(waits > 10);
	KTAP_EQ(meet(__tsan_write4, bytes + 8, __tsan_read8, bytes), 0);
	KTAP_EQ(meet(__tsan_write4, bytes + 4, __tsan_write4, bytes + 8), 0);
	KTAP_EQ(meet(__tsan_volatile_write4, data, __tsan_volatile_write4, data), 0);
	KTAP_EQ(waits, 0);
}

/* An atomic operation is a marked write; one on a bit writes the word that has it. */
static void test_atomic(void)
{
	char *bytes = (char *)data;

	KTAP_EQ(meet(read_bits, bytes + 8, set_second, bytes), 1);
	KTAP_EQ(data[1], 8);
	KTAP_EQ(meet(read_bits, bytes, set_second, bytes), 0);
	/* Both of its operations meet; a watch tells of the first. */
	KTAP_EQ(meet(read_word, bytes + 16, exchange, bytes + 16), 1);
	KTAP_EQ(meet(exchange, bytes, exchange, bytes), 0);
	KTAP_EQ(waits, 0);
}

static void write_array(void *p)
{
	__tsan_write_range(p, sizeof(data));
}

static void test_range(void)
{
	KTAP_EQ(meet(write_array, data, __tsan_read1, (char *)data + sizeof(data) - 1), 1);
	KTAP_EQ(meet(write_array, data, __tsan_read1, data + ARRAY_SIZE(data)), 0);
}

/* After its wait, an access is nobody's to meet. */
static void test_after(void)
{
	reports = waits = 0;
	many(__tsan_write4, data + 1);
	KTAP_TRUE(waits > 10);
	fake_cpu = 1;
	many(__tsan_volatile_read4, data + 1);
	fake_cpu = 0;
	KTAP_EQ(reports, 0);
}

KTAP_MAIN(KTAP_CASE(test_races), KTAP_CASE(test_none), KTAP_CASE(test_atomic),
	  KTAP_CASE(test_range), KTAP_CASE(test_after))

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/sp804.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c userspace/armvmm-run/machines/vexpress.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt -Wl,--wrap=clock_gettime -Wl,--wrap=timerfd_settime
//
// Two timers (DDI 0271D), by a clock of the test's own.
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "ktap.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/state_move.h"

#define BASE		0x1c110000
#define T1(reg)		(BASE + (reg))
#define T2(reg)		(BASE + 0x20 + (reg))
#define LOAD		0x00
#define VALUE		0x04
#define CONTROL		0x08
#define INTCLR		0x0c
#define RIS		0x10
#define MIS		0x14
#define BGLOAD		0x18
#define ONESHOT		0x01
#define SIZE32		0x02
#define DIV16		0x04
#define DIV256		0x08
#define INT		0x20
#define PERIODIC	0x40
#define ENABLE		0x80
#define SPI		2

static struct machine m;
static uint64_t now_us;
/* What the host's timers were set to last, in us; 0: nothing. */
static struct {
	int fd;
	uint64_t at_us;
} armed[2];
static unsigned int nr_armed;

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new,
			   struct itimerspec *old);

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_MONOTONIC)
		return __real_clock_gettime(id, ts);
	ts->tv_sec = now_us / 1000000;
	ts->tv_nsec = now_us % 1000000 * 1000;
	return 0;
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new,
			   struct itimerspec *old)
{
	unsigned int i;

	nr_armed++;
	for (i = 0; i < 1 && armed[i].fd && armed[i].fd != fd; i++)
		;
	armed[i].fd = fd;
	armed[i].at_us = new->it_value.tv_sec * 1000000ull + new->it_value.tv_nsec / 1000;
	KTAP_EQ(flags, TFD_TIMER_ABSTIME);
	KTAP_TRUE(new->it_value.tv_nsec < 1000000000);
	return 0;
}

static void setup(void)
{
	struct error err = { "" };

	fake_machine_init(&m);
	m.type = machine_type_find("vexpress-a15");
	memset(armed, 0, sizeof(armed));
	now_us = 5000000;
	KTAP_EQ(device_make(&m, "sp804", NULL, &err), 0);
	device_bus_reset(&m.bus);
}

static void teardown(void)
{
	device_bus_destroy(&m.bus);
}

static bool line(void)
{
	return fake_line[SPI]->level;
}

static void test_reset_values(void)
{
	static const uint8_t id[] = { 0x04, 0x18, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	setup();
	for (unsigned int i = 0; i < 8; i++)
		KTAP_EQ(fake_read(&m, BASE + 0xfe0 + 4 * i), id[i]);
	for (unsigned int i = 0; i < 2; i++) {
		KTAP_EQ(fake_read(&m, T1(LOAD) + 0x20 * i), 0);
		KTAP_EQ(fake_read(&m, T1(CONTROL) + 0x20 * i), INT);
		KTAP_EQ(fake_read(&m, T1(RIS) + 0x20 * i), 0);
		/* The low half, until the timer is one of 32 bits. */
		KTAP_EQ(fake_read(&m, T1(VALUE) + 0x20 * i), 0xffff);
		fake_write(&m, T1(CONTROL) + 0x20 * i, SIZE32);
		KTAP_EQ(fake_read(&m, T1(VALUE) + 0x20 * i), 0xffffffff);
	}
	/* A timer that is off counts nothing. */
	now_us += 1000;
	KTAP_EQ(fake_read(&m, T1(VALUE)), 0xffffffff);
	KTAP_EQ(fake_read(&m, BASE + 0x40), 0);
	KTAP_EQ(fake_read(&m, BASE + 0xf00), 0);
	teardown();
}

static void test_periodic(void)
{
	setup();
	fake_write(&m, T1(LOAD), 1000);
	fake_write(&m, T1(CONTROL), ENABLE | PERIODIC | INT | SIZE32);
	KTAP_EQ(armed[0].at_us, now_us + 1000);
	now_us += 400;
	KTAP_EQ(fake_read(&m, T1(VALUE)), 600);
	KTAP_EQ(line(), false);
	now_us += 600;
	KTAP_EQ(fake_read(&m, T1(VALUE)), 0);
	KTAP_EQ(fake_read(&m, T1(MIS)), 1);
	KTAP_EQ(line(), true);
	now_us += 1;
	KTAP_EQ(fake_read(&m, T1(VALUE)), 999);
	/* It is cleared late, after two more periods: the next one is at its place. */
	now_us += 2100;
	fake_write(&m, T1(INTCLR), 77);
	KTAP_EQ(line(), false);
	KTAP_EQ(fake_read(&m, T1(RIS)), 0);
	KTAP_EQ(fake_read(&m, T1(VALUE)), 899);
	KTAP_EQ(armed[0].at_us, now_us + 899);
	/* The background load counts from the next period on. */
	fake_write(&m, T1(BGLOAD), 50);
	KTAP_EQ(fake_read(&m, T1(LOAD)), 50);
	KTAP_EQ(fake_read(&m, T1(VALUE)), 899);
	now_us += 899 + 10;
	KTAP_EQ(fake_read(&m, T1(VALUE)), 40);
	KTAP_EQ(line(), true);
	/* The other timer shares the line. */
	fake_write(&m, T2(LOAD), 5);
	fake_write(&m, T2(CONTROL), ENABLE | ONESHOT | INT);
	now_us += 6;
	KTAP_EQ(fake_read(&m, T2(MIS)), 1);
	fake_write(&m, T1(CONTROL), 0);
	fake_write(&m, T1(INTCLR), 0);
	KTAP_EQ(line(), true);
	fake_write(&m, T2(INTCLR), 0);
	KTAP_EQ(line(), false);
	teardown();
}

static void test_oneshot(void)
{
	setup();
	fake_write(&m, T2(CONTROL), ONESHOT | SIZE32 | INT);
	fake_write(&m, T2(LOAD), 70000);
	fake_write(&m, T2(CONTROL), ENABLE | ONESHOT | SIZE32 | INT);
	now_us += 69999;
	KTAP_EQ(fake_read(&m, T2(RIS)), 0);
	now_us += 1;
	KTAP_EQ(fake_read(&m, T2(RIS)), 1);
	fake_write(&m, T2(INTCLR), 0);
	now_us += 5000000;
	KTAP_EQ(fake_read(&m, T2(VALUE)), 0);
	KTAP_EQ(fake_read(&m, T2(RIS)), 0);
	/* A new load starts it again, and so does the end of one-shot. */
	fake_write(&m, T2(LOAD), 10);
	now_us += 10;
	KTAP_EQ(fake_read(&m, T2(RIS)), 1);
	fake_write(&m, T2(INTCLR), 0);
	fake_write(&m, T2(CONTROL), ENABLE | SIZE32 | INT);
	now_us += 1;
	KTAP_EQ(fake_read(&m, T2(VALUE)), 0xffffffff);
	teardown();
}

static void test_free_running(void)
{
	setup();
	/* 16 bits. */
	fake_write(&m, T1(CONTROL), ENABLE);
	now_us += 0x10010;
	KTAP_EQ(fake_read(&m, T1(VALUE)), 0xffef);
	KTAP_EQ(fake_read(&m, T1(RIS)), 1);
	/* The interrupt is not enabled. */
	KTAP_EQ(fake_read(&m, T1(MIS)), 0);
	KTAP_EQ(line(), false);
	fake_write(&m, T1(CONTROL), ENABLE | INT);
	KTAP_EQ(line(), true);
	/* 32 bits; a load of 0xffffffff, as a clock source has it. */
	fake_write(&m, T1(CONTROL), ENABLE | PERIODIC | SIZE32);
	fake_write(&m, T1(LOAD), 0xffffffff);
	now_us += 0x80000000ull;
	KTAP_EQ(fake_read(&m, T1(VALUE)), 0x7fffffff);
	now_us += 0x80000000ull;
	KTAP_EQ(fake_read(&m, T1(VALUE)), 0xfffffffe);
	teardown();
}

static void test_prescale(void)
{
	setup();
	fake_write(&m, T1(LOAD), 100);
	fake_write(&m, T1(CONTROL), ENABLE | DIV16 | INT);
	KTAP_EQ(armed[0].at_us, now_us + 1600);
	now_us += 16 * 30 + 15;
	KTAP_EQ(fake_read(&m, T1(VALUE)), 70);
	/* What was left of the tick is not lost. */
	now_us += 1;
	KTAP_EQ(fake_read(&m, T1(VALUE)), 69);
	fake_write(&m, T1(CONTROL), ENABLE | DIV256 | INT);
	now_us += 256 * 9;
	KTAP_EQ(fake_read(&m, T1(VALUE)), 60);
	teardown();
}

/* However short the period, the host's timer is set once for each time that the guest clears it. */
static void test_storm(void)
{
	unsigned int before;

	setup();
	fake_write(&m, T1(CONTROL), ENABLE | PERIODIC | INT);
	fake_write(&m, T1(LOAD), 0);
	KTAP_EQ(line(), true);
	KTAP_EQ(armed[0].at_us, 0);
	now_us += 3600ull * 1000000;
	before = nr_armed;
	fake_write(&m, T1(INTCLR), 0);
	KTAP_EQ(nr_armed, before + 1);
	KTAP_EQ(armed[0].at_us, now_us + 1);
	KTAP_EQ(line(), false);
	teardown();
}

static void test_fuzz(void)
{
	setup();
	for (unsigned int i = 0; i < 1000; i++) {
		now_us += i * 7919ull * i;
		fake_fuzz(&m, BASE, 100);
	}
	device_bus_reset(&m.bus);
	KTAP_EQ(line(), false);
	KTAP_EQ(fake_read(&m, T1(CONTROL)), INT);
	teardown();
}

static void test_saved(void)
{
	struct record saved;

	setup();
	fake_write(&m, T1(LOAD), 1000);
	fake_write(&m, T1(CONTROL), ENABLE | PERIODIC | INT | SIZE32);
	fake_write(&m, T2(LOAD), 3);
	fake_write(&m, T2(CONTROL), ENABLE | ONESHOT | INT);
	now_us += 300;
	state_save(m.bus.dev[0], &saved);
	teardown();

	setup();
	/* Another host's clock, and some time later. */
	now_us = 77;
	state_torture(m.bus.dev[0], &saved);
	KTAP_EQ(line(), true);
	KTAP_EQ(fake_read(&m, T2(RIS)), 1);
	KTAP_EQ(fake_read(&m, T1(VALUE)), 700);
	m.bus.dev[0]->ops->resume(m.bus.dev[0]);
	KTAP_EQ(armed[0].at_us, now_us + 700);
	fake_write(&m, T2(INTCLR), 0);
	KTAP_EQ(line(), false);
	now_us += 701;
	KTAP_EQ(fake_read(&m, T1(RIS)), 1);
	record_free(&saved);
	teardown();
}

KTAP_MAIN(KTAP_CASE(test_reset_values), KTAP_CASE(test_periodic), KTAP_CASE(test_oneshot),
	  KTAP_CASE(test_free_running), KTAP_CASE(test_prescale), KTAP_CASE(test_storm),
	  KTAP_CASE(test_fuzz), KTAP_CASE(test_saved))

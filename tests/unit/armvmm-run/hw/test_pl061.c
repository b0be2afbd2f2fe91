// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/pl061.c userspace/armvmm-run/hw/pl031.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// The GPIO block with the power button (DDI 0190B) and the clock (DDI 0224C).
#include <time.h>
#include <unistd.h>

#include "core/runstate.h"
#include "ktap.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/state_move.h"

#define GPIO(reg)	(GPIO_BASE + (reg))
#define ALL_LINES	(0xff << 2)
#define DIR		0x400
#define IS		0x404
#define IBE		0x408
#define IEV		0x40c
#define IE		0x410
#define RIS		0x414
#define MIS		0x418
#define IC		0x41c
#define BUTTON		(1 << 3)

#define RTC(reg)	(RTC_BASE + (reg))
#define RTC_DR		0x00
#define RTC_MR		0x04
#define RTC_LR		0x08
#define RTC_IMSC	0x10
#define RTC_RIS		0x14
#define RTC_MIS		0x18
#define RTC_ICR		0x1c

static struct machine m;
static unsigned int told;	/* events of the clock */
static int64_t told_seconds;	/* the last one's */

void machine_tell(struct machine *m, const struct machine_event *event)
{
	KTAP_EQ(event->type, MACHINE_EVENT_RTC);
	told++;
	told_seconds = event->seconds;
}

static void setup(void)
{
	struct error err = { "" };

	fake_machine_init(&m);
	KTAP_EQ(device_make(&m, "pl061", NULL, &err), 0);
	KTAP_EQ(device_make(&m, "pl031", NULL, &err), 0);
}

static void teardown(void)
{
	device_bus_destroy(&m.bus);
}

static bool gpio_irq(void)
{
	return fake_line[GPIO_SPI]->level;
}

/* As Linux's gpio-keys sets it up: both edges. */
static void test_button_both_edges(void)
{
	setup();
	fake_write(&m, GPIO(IBE), BUTTON);
	fake_write(&m, GPIO(IE), BUTTON);
	KTAP_EQ(gpio_irq(), 0);
	m.press(m.press_opaque, true);
	KTAP_EQ(gpio_irq(), 1);
	KTAP_EQ(fake_read(&m, GPIO(ALL_LINES)), BUTTON);
	KTAP_EQ(fake_read(&m, GPIO(MIS)), BUTTON);
	fake_write(&m, GPIO(IC), BUTTON);
	KTAP_EQ(gpio_irq(), 0);
	m.press(m.press_opaque, true);	/* no edge */
	KTAP_EQ(gpio_irq(), 0);
	m.press(m.press_opaque, false);
	KTAP_EQ(gpio_irq(), 1);
	KTAP_EQ(fake_read(&m, GPIO(ALL_LINES)), 0);
	teardown();
}

static void test_button_one_edge(void)
{
	setup();
	fake_write(&m, GPIO(IE), BUTTON);
	fake_write(&m, GPIO(IEV), BUTTON);	/* rising */
	m.press(m.press_opaque, true);
	KTAP_EQ(fake_read(&m, GPIO(RIS)), BUTTON);
	fake_write(&m, GPIO(IC), 0xff);
	m.press(m.press_opaque, false);
	KTAP_EQ(fake_read(&m, GPIO(RIS)), 0);
	fake_write(&m, GPIO(IEV), 0);		/* falling */
	m.press(m.press_opaque, true);
	KTAP_EQ(fake_read(&m, GPIO(RIS)), 0);
	m.press(m.press_opaque, false);
	KTAP_EQ(fake_read(&m, GPIO(RIS)), BUTTON);
	teardown();
}

static void test_button_level(void)
{
	setup();
	fake_write(&m, GPIO(IS), BUTTON);
	fake_write(&m, GPIO(IEV), BUTTON);
	fake_write(&m, GPIO(IE), BUTTON);
	m.press(m.press_opaque, true);
	KTAP_EQ(gpio_irq(), 1);
	fake_write(&m, GPIO(IC), BUTTON);	/* a level cannot be cleared */
	KTAP_EQ(gpio_irq(), 1);
	m.press(m.press_opaque, false);
	KTAP_EQ(gpio_irq(), 0);
	teardown();
}

static void test_masked_data(void)
{
	setup();
	fake_write(&m, GPIO(DIR), 0xf0);
	fake_write(&m, GPIO(0xff << 2), 0xff);
	KTAP_EQ(fake_read(&m, GPIO(0xff << 2)), 0xf0);
	fake_write(&m, GPIO(0x30 << 2), 0x10);	/* lines 4 and 5 only */
	KTAP_EQ(fake_read(&m, GPIO(0xff << 2)), 0xd0);
	KTAP_EQ(fake_read(&m, GPIO(0x50 << 2)), 0x50);
	KTAP_EQ(fake_read(&m, GPIO(0)), 0);
	KTAP_EQ(fake_read(&m, GPIO(0xfe0)), 0x61);
	device_bus_reset(&m.bus);
	KTAP_EQ(fake_read(&m, GPIO(0xff << 2)), 0);
	teardown();
}

/* As many seconds as a clock may show since @before: it need not advance when time() does. */
static uint32_t passed(uint32_t before)
{
	return time(NULL) - before + 1;
}

static void test_clock_counts(void)
{
	uint32_t before = time(NULL), got;

	setup();
	got = fake_read(&m, RTC(RTC_DR));
	KTAP_TRUE(got - before <= passed(before));
	before = time(NULL);
	fake_write(&m, RTC(RTC_LR), 1000);
	got = fake_read(&m, RTC(RTC_DR));
	KTAP_TRUE(got - 1000 <= passed(before));
	KTAP_EQ(fake_read(&m, RTC(RTC_LR)), 1000);
	/* The counter wraps at 32 bits. */
	before = time(NULL);
	fake_write(&m, RTC(RTC_LR), 0xffffffff);
	sleep(1);
	got = fake_read(&m, RTC(RTC_DR));
	KTAP_TRUE(got <= passed(before));
	device_bus_reset(&m.bus);
	got = fake_read(&m, RTC(RTC_DR));
	KTAP_TRUE(got <= passed(before));
	KTAP_EQ(fake_read(&m, RTC(0xfe0)), 0x31);
	teardown();
}

static void loop_until(uint64_t gpa, uint32_t value, int ms)
{
	for (int i = 0; i < ms / 10 && fake_read(&m, gpa) != value; i++) {
		g_main_context_iteration(NULL, FALSE);
		usleep(10000);
	}
}

static void test_clock_alarm(void)
{
	uint32_t at, early;

	setup();
	/* Try again if the time passed before the check. */
	for (int try = 0; try < 10; try++) {
		fake_write(&m, RTC(RTC_ICR), 1);
		at = fake_read(&m, RTC(RTC_DR)) + 2;
		fake_write(&m, RTC(RTC_MR), at);
		fake_write(&m, RTC(RTC_IMSC), 1);
		for (int i = 0; i < 3; i++)
			g_main_context_iteration(NULL, FALSE);
		early = fake_read(&m, RTC(RTC_RIS));
		if (fake_read(&m, RTC(RTC_DR)) + 1 < at)
			break;
	}
	KTAP_EQ(early, 0);
	loop_until(RTC(RTC_MIS), 1, 5000);
	KTAP_EQ(fake_read(&m, RTC(RTC_MIS)), 1);
	KTAP_EQ(fake_line[RTC_SPI]->level, 1);
	fake_write(&m, RTC(RTC_ICR), 1);
	KTAP_EQ(fake_line[RTC_SPI]->level, 0);
	teardown();
}

/* A guest that sets its clock is told of, but not more than once a second. */
static void test_clock_told(void)
{
	gint64 end;

	setup();
	told = 0;
	fake_write(&m, RTC(RTC_LR), (uint32_t)time(NULL) - 1000);
	KTAP_EQ(told, 0);
	for (int i = 0; i < 3; i++)
		g_main_context_iteration(NULL, FALSE);
	KTAP_EQ(told, 1);
	KTAP_TRUE(told_seconds == -1000 || told_seconds == -1001);
	end = g_get_monotonic_time() + 500000;
	for (uint32_t i = 1; g_get_monotonic_time() < end; i++) {
		fake_write(&m, RTC(RTC_LR), i);
		g_main_context_iteration(NULL, FALSE);
	}
	KTAP_EQ(told, 1);
	fake_write(&m, RTC(RTC_LR), (uint32_t)time(NULL) + 77);
	for (int i = 0; i < 200 && told == 1; i++) {
		g_main_context_iteration(NULL, FALSE);
		usleep(10000);
	}
	KTAP_EQ(told, 2);
	KTAP_TRUE(told_seconds == 77 || told_seconds == 76);
	/* What it does not change is nothing to tell. */
	fake_write(&m, RTC(RTC_MR), 5);
	device_bus_reset(&m.bus);
	for (int i = 0; i < 130; i++) {
		g_main_context_iteration(NULL, FALSE);
		usleep(10000);
	}
	KTAP_EQ(told, 2);
	teardown();
}

static void test_fuzz(void)
{
	setup();
	fake_fuzz(&m, GPIO_BASE, 100000);
	fake_fuzz(&m, RTC_BASE, 100000);
	for (int i = 0; i < 10; i++)
		g_main_context_iteration(NULL, FALSE);
	device_bus_reset(&m.bus);
	fake_write(&m, GPIO(IBE), BUTTON);
	fake_write(&m, GPIO(IE), BUTTON);
	m.press(m.press_opaque, true);
	KTAP_EQ(gpio_irq(), 1);
	teardown();
}

/* ---- Snapshots ---- */

static struct device *find(uint64_t base)
{
	return device_find(&m.bus, base);
}

static void test_gpio_saved(void)
{
	static const uint16_t regs[] = { ALL_LINES, DIR, IS, IBE, IEV, IE, RIS, MIS, 0x420 };
	uint32_t before[sizeof(regs) / sizeof(regs[0])];
	struct record saved;

	setup();
	fake_write(&m, GPIO(DIR), 0x81);
	fake_write(&m, GPIO(ALL_LINES), 0x80);
	fake_write(&m, GPIO(IS), 0x02);
	fake_write(&m, GPIO(IBE), BUTTON);
	fake_write(&m, GPIO(IEV), 0x40);
	fake_write(&m, GPIO(IE), BUTTON | 0x40);
	fake_write(&m, GPIO(0x420), 0x11);
	m.press(m.press_opaque, true);
	for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		before[i] = fake_read(&m, GPIO(regs[i]));
	state_save(find(GPIO_BASE), &saved);
	teardown();

	setup();
	state_torture(find(GPIO_BASE), &saved);
	for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		KTAP_EQ(fake_read(&m, GPIO(regs[i])), before[i]);
	KTAP_EQ(gpio_irq(), 1);
	/* The next edge is one, and the same level again is none. */
	fake_write(&m, GPIO(IC), BUTTON);
	m.press(m.press_opaque, true);
	KTAP_EQ(gpio_irq(), 0);
	m.press(m.press_opaque, false);
	KTAP_EQ(gpio_irq(), 1);
	record_free(&saved);
	teardown();
}

/* The guest's own time of day goes on with the host's. */
static void test_clock_saved(void)
{
	struct record saved;
	uint32_t begin;

	setup();
	fake_write(&m, RTC(RTC_LR), 1000);
	fake_write(&m, RTC(RTC_MR), 5000);
	fake_write(&m, RTC(RTC_IMSC), 1);
	state_save(find(RTC_BASE), &saved);
	begin = fake_read(&m, RTC(RTC_DR));
	teardown();

	setup();
	state_torture(find(RTC_BASE), &saved);
	KTAP_TRUE(fake_read(&m, RTC(RTC_DR)) - begin < 5);
	KTAP_EQ(fake_read(&m, RTC(RTC_LR)), 1000);
	KTAP_EQ(fake_read(&m, RTC(RTC_MR)), 5000);
	KTAP_EQ(fake_read(&m, RTC(RTC_IMSC)), 1);
	KTAP_EQ(fake_read(&m, RTC(RTC_RIS)), 0);
	record_free(&saved);
	teardown();
}

/* An alarm that is due between the snapshot and its restore is not lost, nor does it come twice. */
static void test_alarm_saved(void)
{
	struct record saved;
	uint32_t count;

	setup();
	fake_write(&m, RTC(RTC_LR), 1000);
	fake_write(&m, RTC(RTC_MR), 1002);
	fake_write(&m, RTC(RTC_IMSC), 1);
	state_save(find(RTC_BASE), &saved);
	/* As if it had been saved ten seconds ago: the count at that time is at its end. */
	count = fake_read(&m, RTC(RTC_DR)) - 10;
	memcpy(saved.data + saved.len - sizeof(count), &count, sizeof(count));
	KTAP_EQ(fake_read(&m, RTC(RTC_RIS)), 0);
	teardown();

	setup();
	/* Its match, ten seconds before, was at 992. */
	count = 995;
	memcpy(saved.data + 8, &count, sizeof(count));
	KTAP_EQ(state_restore(find(RTC_BASE), &saved, saved.len, NULL), 0);
	KTAP_EQ(fake_read(&m, RTC(RTC_MR)), 995);
	KTAP_EQ(fake_read(&m, RTC(RTC_RIS)), 1);
	KTAP_EQ(fake_line[RTC_SPI]->level, 1);
	record_free(&saved);
	fake_write(&m, RTC(RTC_ICR), 1);
	state_save(find(RTC_BASE), &saved);
	count -= 10;
	memcpy(saved.data + saved.len - sizeof(count), &count, sizeof(count));
	KTAP_EQ(state_restore(find(RTC_BASE), &saved, saved.len, NULL), 0);
	KTAP_EQ(fake_read(&m, RTC(RTC_RIS)), 0);
	record_free(&saved);
	teardown();
}

KTAP_MAIN(KTAP_CASE(test_button_both_edges), KTAP_CASE(test_button_one_edge),
	  KTAP_CASE(test_button_level), KTAP_CASE(test_masked_data), KTAP_CASE(test_clock_counts),
	  KTAP_CASE(test_clock_alarm), KTAP_CASE(test_clock_told), KTAP_CASE(test_fuzz),
	  KTAP_CASE(test_gpio_saved), KTAP_CASE(test_clock_saved), KTAP_CASE(test_alarm_saved))

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/vexpress_sysreg.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c userspace/armvmm-run/machines/vexpress.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// The system registers of a Versatile Express, and what its microcontroller answers.
#include <unistd.h>

#include "ktap.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/state_move.h"

#define BASE		0x1c010000
#define REG(reg)	(BASE + (reg))
#define LED		0x08
#define HZ100		0x24
#define FLAGS		0x30
#define FLAGSCLR	0x34
#define NVFLAGS		0x38
#define NVFLAGSCLR	0x3c
#define MHZ24		0x5c
#define CFGDATA		0xa0
#define CFGCTRL		0xa4
#define CFGSTAT		0xa8

#define START		(1u << 31)
#define WRITE		(1u << 30)
#define FUNC(n)		((n) << 20)
#define SITE(n)		((n) << 16)
#define COMPLETE	1
#define ERROR		3

static struct machine m;
static enum machine_request asked;
static unsigned int nr_asked;

void machine_request(struct machine *machine, enum machine_request request,
		     enum machine_cause cause, const char *why)
{
	KTAP_EQ(cause, MACHINE_BY_GUEST);
	asked = request;
	nr_asked++;
}

static void setup(void)
{
	struct error err = { "" };

	fake_machine_init(&m);
	m.type = machine_type_find("vexpress-a15");
	KTAP_EQ(device_make(&m, "vexpress-sysreg", NULL, &err), 0);
	asked = MACHINE_NONE;
	nr_asked = 0;
}

static void teardown(void)
{
	device_bus_destroy(&m.bus);
}

/* As Linux's driver does it. Returns the status. */
static uint32_t config(uint32_t command, uint32_t *data)
{
	fake_write(&m, REG(CFGDATA), *data);
	fake_write(&m, REG(CFGSTAT), 0);
	fake_write(&m, REG(CFGCTRL), command | START);
	KTAP_EQ(fake_read(&m, REG(CFGCTRL)), command & ~(3u << 18));
	*data = fake_read(&m, REG(CFGDATA));
	return fake_read(&m, REG(CFGSTAT));
}

static void test_identity(void)
{
	setup();
	KTAP_EQ(fake_read(&m, REG(0)), 0x1190f500);
	/* The daughterboard's HBI is what the device tree says. */
	KTAP_EQ(fake_read(&m, REG(0x84)) & 0xfff, 0x237);
	KTAP_EQ(fake_read(&m, REG(0x60)), 0);
	fake_write(&m, REG(0), 1);
	KTAP_EQ(fake_read(&m, REG(0)), 0x1190f500);
	teardown();
}

static void test_flags(void)
{
	setup();
	fake_write(&m, REG(LED), 0x1ff);
	KTAP_EQ(fake_read(&m, REG(LED)), 0xff);
	fake_write(&m, REG(FLAGS), 0xff00);
	fake_write(&m, REG(FLAGS), 0x00ff);
	fake_write(&m, REG(FLAGSCLR), 0x0ff0);
	KTAP_EQ(fake_read(&m, REG(FLAGS)), 0xf00f);
	fake_write(&m, REG(NVFLAGS), 0x11);
	fake_write(&m, REG(NVFLAGSCLR), 0x10);
	KTAP_EQ(fake_read(&m, REG(NVFLAGS)), 1);
	device_bus_reset(&m.bus);
	KTAP_EQ(fake_read(&m, REG(LED)), 0);
	KTAP_EQ(fake_read(&m, REG(FLAGS)), 0);
	KTAP_EQ(fake_read(&m, REG(NVFLAGS)), 1);
	teardown();
}

static void test_counters(void)
{
	uint32_t first, second;

	setup();
	first = fake_read(&m, REG(MHZ24));
	usleep(50000);
	second = fake_read(&m, REG(MHZ24));
	KTAP_TRUE(second - first >= 24 * 50000);
	KTAP_TRUE(fake_read(&m, REG(HZ100)) >= 5);
	teardown();
}

static void test_config(void)
{
	uint32_t data = 0xdeadbeef;

	setup();
	KTAP_EQ(config(FUNC(1u) | 2, &data), COMPLETE);
	KTAP_EQ(data, 24000000);
	KTAP_EQ(config(FUNC(1u) | SITE(1u) | 5, &data), COMPLETE);
	KTAP_EQ(data, 23750000);
	data = 65000000;
	KTAP_EQ(config(WRITE | FUNC(1u) | SITE(1u) | 5, &data), COMPLETE);
	data = 0;
	KTAP_EQ(config(FUNC(1u) | SITE(1u) | 5, &data), COMPLETE);
	KTAP_EQ(data, 65000000);
	KTAP_EQ(config(FUNC(2u), &data), COMPLETE);
	KTAP_EQ(data, 3300000);
	KTAP_EQ(config(FUNC(2u) | SITE(1u), &data), COMPLETE);
	KTAP_EQ(data, 900000);
	KTAP_EQ(config(WRITE | FUNC(7u), &data), COMPLETE);
	KTAP_EQ(nr_asked, 0);
	/* Without the start bit nothing is done. */
	fake_write(&m, REG(CFGSTAT), 0);
	fake_write(&m, REG(CFGCTRL), WRITE | FUNC(8u));
	KTAP_EQ(fake_read(&m, REG(CFGSTAT)), 0);
	KTAP_EQ(nr_asked, 0);
	/* A reset gives the rates back. */
	device_bus_reset(&m.bus);
	KTAP_EQ(config(FUNC(1u) | SITE(1u) | 5, &data), COMPLETE);
	KTAP_EQ(data, 23750000);
	teardown();
}

/* What is not there is an error, and asks for nothing. */
static void test_absent(void)
{
	static const uint32_t absent[] = {
		FUNC(1u) | 6, FUNC(1u) | SITE(1u) | 1, FUNC(1u) | SITE(1u) | 9,
		FUNC(1u) | SITE(2u), FUNC(1u) | SITE(3u) | 2, FUNC(1u) | 0xfff,
		FUNC(1u) | 1 << 12, FUNC(1u) | 1 << 26, FUNC(2u) | 1, FUNC(2u) | SITE(2u),
		FUNC(3u), FUNC(4u), FUNC(8u), FUNC(9u), FUNC(12u), FUNC(13u), FUNC(0x3fu),
		WRITE | FUNC(2u), WRITE | FUNC(8u) | SITE(1u), WRITE | FUNC(9u) | 1,
		WRITE | FUNC(8u) | 1 << 12, WRITE | FUNC(9u) | 1 << 26,
		WRITE | FUNC(1u) | SITE(1u) | 1,
	};

	setup();
	for (unsigned int i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		uint32_t data = 0x1234;

		KTAP_EQ(config(absent[i], &data), ERROR);
		KTAP_EQ(data, 0x1234);
	}
	KTAP_EQ(nr_asked, 0);
	teardown();
}

static void test_end(void)
{
	uint32_t data = 0;

	setup();
	KTAP_EQ(config(WRITE | FUNC(8u), &data), COMPLETE);
	KTAP_EQ(asked, MACHINE_POWEROFF);
	KTAP_EQ(config(WRITE | FUNC(9u), &data), COMPLETE);
	KTAP_EQ(asked, MACHINE_RESET);
	KTAP_EQ(config(WRITE | FUNC(5u), &data), COMPLETE);
	KTAP_EQ(nr_asked, 3);
	teardown();
}

static void test_fuzz(void)
{
	setup();
	fake_fuzz(&m, BASE, 100000);
	teardown();
}

static void test_saved(void)
{
	static const uint16_t regs[] = { LED, FLAGS, NVFLAGS, CFGDATA, CFGCTRL, CFGSTAT };
	uint32_t before[sizeof(regs) / sizeof(regs[0])], data = 1000000, counter;
	struct record saved;

	setup();
	fake_write(&m, REG(LED), 0x55);
	fake_write(&m, REG(FLAGS), 0x80008000);
	fake_write(&m, REG(NVFLAGS), 0x12345678);
	KTAP_EQ(config(WRITE | FUNC(1u) | 1, &data), COMPLETE);
	for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		before[i] = fake_read(&m, REG(regs[i]));
	usleep(100000);
	counter = fake_read(&m, REG(MHZ24));
	state_save(m.bus.dev[0], &saved);
	teardown();

	setup();
	state_torture(m.bus.dev[0], &saved);
	for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		KTAP_EQ(fake_read(&m, REG(regs[i])), before[i]);
	/* It went on from where it was. */
	KTAP_TRUE(fake_read(&m, REG(MHZ24)) - counter < 0x80000000);
	KTAP_EQ(config(FUNC(1u) | 1, &data), COMPLETE);
	KTAP_EQ(data, 1000000);
	record_free(&saved);
	teardown();
}

KTAP_MAIN(KTAP_CASE(test_identity), KTAP_CASE(test_flags), KTAP_CASE(test_counters),
	  KTAP_CASE(test_config), KTAP_CASE(test_absent), KTAP_CASE(test_end),
	  KTAP_CASE(test_fuzz), KTAP_CASE(test_saved))

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/bvm_console.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// The console of FreeBSD guests of bhyve: widths that mean different things, and a queue.
#include "ktap.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/state_move.h"

#define BVM	0x1c090000u

static struct machine m;

static void setup(const char *args)
{
	struct error err = { "" };

	fake_machine_init(&m);
	fake_chr.out_len = 0;
	fake_chr.out_room = sizeof(fake_chr.out);
	KTAP_EQ(device_make(&m, "bvm-console", args, &err), 0);
}

static uint64_t get(uint64_t gpa, unsigned int len)
{
	uint64_t value = 0;

	KTAP_EQ(device_bus_access(&m.bus, gpa, &value, len, false), 0);
	return value;
}

static void put(uint64_t gpa, unsigned int len, uint64_t value)
{
	device_bus_access(&m.bus, gpa, &value, len, true);
}

static void test_widths(void)
{
	setup(NULL);
	KTAP_EQ(get(BVM, 2), 0x6276);
	KTAP_EQ(get(BVM, 1), 0xff);
	KTAP_EQ(get(BVM, 4), 0xffffffff);
	KTAP_EQ(get(BVM + 1, 1), 0);
	KTAP_EQ(get(BVM + 2, 2), 0);
	put(BVM, 4, 'a');
	put(BVM, 4, 0x100 | 'b');
	put(BVM, 1, 'x');
	put(BVM, 2, 'x');
	put(BVM + 1, 1, 'x');
	KTAP_EQ(fake_chr.out_len, 2);
	KTAP_EQ(memcmp(fake_chr.out, "ab", 2), 0);
	device_bus_destroy(&m.bus);
}

static void test_input(void)
{
	uint8_t bytes[256];

	setup("@0x10000000");
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	KTAP_EQ(fake_chr.client->rx_room(fake_chr.client), 256);
	fake_chr.client->receive(fake_chr.client, bytes, 256);
	KTAP_EQ(fake_chr.client->rx_room(fake_chr.client), 0);
	fake_chr.rx_readies = 0;
	for (unsigned int i = 0; i < 256; i++)
		KTAP_EQ(get(0x10000000, 4), i);
	/* Once, when there was room again. */
	KTAP_EQ(fake_chr.rx_readies, 1);
	KTAP_EQ(get(0x10000000, 4), 0xffffffff);
	/* A character of 0xff is one. */
	fake_chr.client->receive(fake_chr.client, bytes + 255, 1);
	KTAP_EQ(get(0x10000000, 4), 0xff);
	/* A guest that starts over finds nothing of before. */
	fake_chr.client->receive(fake_chr.client, bytes, 10);
	device_bus_reset(&m.bus);
	KTAP_EQ(get(0x10000000, 4), 0xffffffff);
	KTAP_EQ(fake_chr.client->rx_room(fake_chr.client), 256);
	device_bus_destroy(&m.bus);
}

static void test_in_the_way(void)
{
	struct error err = { "" };

	setup(NULL);
	KTAP_EQ(device_make(&m, "bvm-console", NULL, &err), -EEXIST);
	KTAP_STREQ(err.text, "bvm-console: another device is at 0x1c090000");
	device_bus_destroy(&m.bus);
}

static void test_in_ram(void)
{
	struct error err = { "" };

	fake_machine_init(&m);
	m.ram_base = 0x1c090000;
	KTAP_EQ(device_make(&m, "bvm-console", NULL, &err), -EINVAL);
	KTAP_STREQ(err.text,
		   "bvm-console: its address must be below 0x1c090000, where memory is");
	m.ram_base += 4;
	KTAP_EQ(device_make(&m, "bvm-console", NULL, &err), 0);
	device_bus_destroy(&m.bus);
}

/* What the guest has not read yet, wherever it lies in the ring. */
static void test_saved(void)
{
	uint8_t bytes[250] = { 0 };
	struct record saved;

	setup(NULL);
	fake_chr.client->receive(fake_chr.client, bytes, sizeof(bytes));
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		get(BVM, 4);
	fake_chr.client->receive(fake_chr.client, (const uint8_t *)"waits for it", 12);
	KTAP_EQ(get(BVM, 4), 'w');
	state_save(m.bus.dev[0], &saved);
	KTAP_EQ(get(BVM, 4), 'a');
	device_bus_destroy(&m.bus);

	setup(NULL);
	state_torture(m.bus.dev[0], &saved);
	for (const char *c = "aits for it"; *c; c++)
		KTAP_EQ(get(BVM, 4), *c);
	KTAP_EQ(get(BVM, 4), 0xffffffff);
	saved.data[1] = 1;	/* more than there is room for */
	KTAP_EQ(state_restore(m.bus.dev[0], &saved, saved.len, NULL), -EBADMSG);
	record_free(&saved);
	device_bus_destroy(&m.bus);
}

KTAP_MAIN(KTAP_CASE(test_widths), KTAP_CASE(test_input), KTAP_CASE(test_in_the_way),
	  KTAP_CASE(test_in_ram), KTAP_CASE(test_saved))

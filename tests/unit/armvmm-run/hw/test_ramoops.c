// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/ramoops.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// files: tests/unit/armvmm-run/machine_fake.h tests/unit/armvmm-run/device_make.h
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// ramoops: what the guest is told, and what a person may say. That a reset keeps it is in
// test_guestmem.
#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>

#include "../guest/lib/board.h"
#include "core/fdt_builder.h"
#include "ktap.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/state_move.h"

#define AT	(RAM_BASE + 0x0ffc0000)
#define NODE	"/reserved-memory/ramoops@4ffc0000"

static struct machine m;
static struct error err;
static uint8_t buf[4096];

#include "armvmm-run/boot/fdt_look.h"

static struct device *setup(const char *args)
{
	fake_machine_init(&m);
	m.mem.kept_gpa = AT;
	m.mem.kept_size = 256 << 10;
	KTAP_EQ(device_make(&m, "ramoops", args, &err), 0);
	return m.bus.dev[0];
}

static void describe(void)
{
	struct fdt_builder b;

	fdt_builder_init(&b, buf, sizeof(buf));
	fdt_node_begin(&b, "%s", "");
	fdt_prop_u32(&b, "#address-cells", 2);
	fdt_prop_u32(&b, "#size-cells", 2);
	device_bus_fdt(&m.bus, &b);
	fdt_node_end(&b);
	KTAP_TRUE(fdt_builder_finish(&b) > 0);
}

static void test_tree(void)
{
	setup(NULL);
	describe();
	KTAP_STREQ(string(NODE, "compatible"), "ramoops");
	KTAP_EQ(cell(NODE, "reg", 1), AT);
	KTAP_EQ(cell(NODE, "reg", 3), 256 << 10);
	KTAP_EQ(cell(NODE, "record-size", 0), 16 << 10);
	KTAP_EQ(cell(NODE, "console-size", 0), 64 << 10);
	KTAP_EQ(cell(NODE, "mem-type", 0), 2);
	KTAP_EQ(cell("/reserved-memory", "#address-cells", 0), 2);
	KTAP_TRUE(fdt_getprop(buf, fdt_path_offset(buf, "/reserved-memory"), "ranges", NULL));
	device_bus_destroy(&m.bus);
	setup("record-size=32,console-size=0");
	describe();
	KTAP_EQ(cell(NODE, "record-size", 0), 32 << 10);
	KTAP_TRUE(!fdt_getprop(buf, fdt_path_offset(buf, NODE), "console-size", NULL));
	device_bus_destroy(&m.bus);
}

static void wrong(const char *args, const char *why)
{
	fake_machine_init(&m);
	if (device_make(&m, "ramoops", args, &err) != -EINVAL || !strstr(err.text, why))
		KTAP_FAIL("%s: it said '%s'", args, err.text);
}

static void test_words(void)
{
	static const struct {
		const char *args;
		uint64_t size;
	} good[] = {
		{ "size=1M", 1 << 20 }, { "size=128K", 128 << 10 }, { "size=16m", 16 << 20 },
		{ "size=132", 132 << 10 }, { "size=20k,console-size=0", 20 << 10 },
	};
	const struct device_type *type = device_type_find("ramoops");

	KTAP_EQ(type->keeps_memory(NULL), 256 << 10);
	for (unsigned int i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		void *config = NULL;

		KTAP_EQ(type->parse("ramoops", good[i].args, &config, &err), 0);
		KTAP_EQ(type->keeps_memory(config), good[i].size);
		type->release(config);
	}
	wrong("size=17M", "must be a number of KiB");
	wrong("size=4294967296M", "must be a number of KiB");
	wrong("size=", "must be a number of KiB");
	wrong("size=-4", "must be a number of KiB");
	wrong("size=0", "size must be a multiple of 4K");
	wrong("size=130", "size must be a multiple of 4K");
	wrong("record-size=24", "powers of two");
	wrong("record-size=0", "powers of two");
	wrong("console-size=2", "powers of two");
	wrong("size=64", "has no room for a record and the console in 64K");
	wrong("size=128,pmsg-size=4", "unknown word \"pmsg-size=4\"");
	wrong("", "unknown word");
}

static void test_firmware(void)
{
	fake_machine_init(&m);
	m.firmware = true;
	KTAP_EQ(device_make(&m, "ramoops", NULL, &err), -EINVAL);
	KTAP_TRUE(strstr(err.text, "ramoops: firmware does not leave alone"));
}

static void test_state(void)
{
	struct device *dev = setup(NULL);
	struct record saved;
	struct error why;

	state_save(dev, &saved);
	KTAP_EQ(state_restore(dev, &saved, saved.len, &why), 0);
	device_bus_destroy(&m.bus);
	fake_machine_init(&m);
	m.mem.kept_gpa = AT + (128 << 10);
	m.mem.kept_size = 128 << 10;
	KTAP_EQ(device_make(&m, "ramoops", "size=128", &err), 0);
	KTAP_EQ(state_restore(m.bus.dev[0], &saved, saved.len, &why), -EBADMSG);
	KTAP_STREQ(why.text, "it had 256 KiB, and has 128 here (size=)");
	record_free(&saved);
	device_bus_destroy(&m.bus);
}

KTAP_MAIN(KTAP_CASE(test_tree), KTAP_CASE(test_words), KTAP_CASE(test_firmware),
	  KTAP_CASE(test_state))

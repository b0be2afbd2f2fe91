// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/boot/dtb.c userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c userspace/armvmm-run/core/irqline.c userspace/armvmm-run/hw/pl011.c userspace/armvmm-run/hw/pl061.c
// sources: userspace/armvmm-run/core/device_type.c userspace/armvmm-run/boot/fdt_check.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt -Wl,--wrap=getrandom
//
// The device tree: what a guest reads in it, read back with libfdt.
#include <libfdt.h>
#include <stdlib.h>

#include <errno.h>
#include <sys/random.h>

#include "../guest/lib/board.h"
#include "boot/dtb.h"
#include "core/fdt_builder.h"
#include "ktap.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"

static struct machine m;
static uint8_t buf[65536];

#include "armvmm-run/boot/fdt_look.h"

static void setup(void)
{
	struct error err = { "" };

	fake_machine_init(&m);
	KTAP_EQ(device_make(&m, "pl011", NULL, &err), 0);
	KTAP_EQ(device_make(&m, "pl061", NULL, &err), 0);
}

static int build(const struct dtb_params *params, struct error *err)
{
	int len;

	memset(buf, 0xaa, sizeof(buf));
	len = dtb_build(buf, sizeof(buf), params, &m.bus, err);
	if (len > 0)
		KTAP_EQ(fdt_check_full(buf, len), 0);
	return len;
}

static void test_machine(void)
{
	struct dtb_params params = {
		.type = machine_type_find(MACHINE_TYPE_DEFAULT),
		.nr_cpus = 3,
		.cpu = "arm,cortex-a7",
		.ram_base = RAM_BASE,
		.ram_size = 0xc0000000,
		.bootargs = "console=ttyAMA0 root=/dev/vda",
		.initrd_gpa = 0x48000000,
		.initrd_size = 0x123456,
	};
	struct error err = { "" };

	setup();
	KTAP_TRUE(build(&params, &err) > 0);
	/* Zeroes are not a seed. */
	KTAP_TRUE(!fdt_getprop(buf, fdt_path_offset(buf, "/chosen"), "rng-seed", NULL));
	KTAP_TRUE(!fdt_getprop(buf, fdt_path_offset(buf, "/chosen"), "kaslr-seed", NULL));
	KTAP_TRUE(!fdt_getprop(buf, fdt_path_offset(buf, "/timer"), "clock-frequency", NULL));
	params.seeded = true;
	params.timer_hz = 24000000;
	params.rng_seed[63] = 0x77;
	KTAP_TRUE(build(&params, &err) > 0);
	KTAP_EQ(cell("/chosen", "rng-seed", 15), 0x77);
	KTAP_EQ(cell("/timer", "clock-frequency", 0), 24000000);
	KTAP_STREQ(string("/hypervisor", "compatible"), "linux,kvm");
	KTAP_STREQ(string("/", "compatible"), "linux,dummy-virt");
	KTAP_EQ(cell("/", "#address-cells", 0), 2);
	KTAP_EQ(cell("/", "#size-cells", 0), 2);

	/* Performance counters, if there are any: PPI 7, level high, for all three CPUs. */
	KTAP_TRUE(fdt_path_offset(buf, "/pmu") < 0);
	params.pmu = true;
	KTAP_TRUE(build(&params, &err) > 0);
	KTAP_STREQ(string("/pmu", "compatible"), "arm,cortex-a7-pmu");
	KTAP_EQ(cell("/pmu", "interrupts", 0), 1);
	KTAP_EQ(cell("/pmu", "interrupts", 1), 7);
	KTAP_EQ(cell("/pmu", "interrupts", 2), 0x704);

	KTAP_STREQ(string("/chosen", "bootargs"), params.bootargs);
	KTAP_STREQ(string("/chosen", "stdout-path"), "/pl011@9000000");
	KTAP_EQ(cell("/chosen", "linux,initrd-start", 0), 0x48000000);
	KTAP_EQ(cell("/chosen", "linux,initrd-end", 0), 0x48123456);

	KTAP_EQ(cell("/memory@40000000", "reg", 0), 0);
	KTAP_EQ(cell("/memory@40000000", "reg", 1), RAM_BASE);
	KTAP_EQ(cell("/memory@40000000", "reg", 2), 0);
	KTAP_EQ(cell("/memory@40000000", "reg", 3), 0xc0000000);

	KTAP_EQ(cell("/cpus/cpu@2", "reg", 0), 2);
	KTAP_STREQ(string("/cpus/cpu@2", "compatible"), "arm,cortex-a7");
	KTAP_STREQ(string("/cpus/cpu@2", "enable-method"), "psci");
	KTAP_TRUE(fdt_path_offset(buf, "/cpus/cpu@3") < 0);

	KTAP_STREQ(string("/psci", "compatible"), "arm,psci-1.0");
	KTAP_STREQ(string("/psci", "method"), "hvc");

	/* The virtual timer is PPI 11 (INTID 27), high level, for three CPUs. */
	KTAP_EQ(cell("/timer", "interrupts", 6), 1);
	KTAP_EQ(cell("/timer", "interrupts", 7), 11);
	KTAP_EQ(cell("/timer", "interrupts", 8), 0x704);

	KTAP_EQ(cell("/intc@8000000", "reg", 1), GICD_BASE);
	KTAP_EQ(cell("/intc@8000000", "reg", 5), GICC_BASE);
	KTAP_EQ(cell("/", "interrupt-parent", 0), cell("/intc@8000000", "phandle", 0));
	/* The frame for messages is there if a device has it, and Linux looks for it in the GIC. */
	KTAP_TRUE(fdt_path_offset(buf, "/intc@8000000/v2m@8020000") < 0);
	params.msi_frame = GICV2M_BASE;
	KTAP_TRUE(build(&params, &err) > 0);
	KTAP_STREQ(string("/intc@8000000/v2m@8020000", "compatible"), "arm,gic-v2m-frame");
	KTAP_EQ(cell("/intc@8000000/v2m@8020000", "reg", 1), GICV2M_BASE);
	KTAP_EQ(cell("/intc@8000000/v2m@8020000", "reg", 3), 0x1000);
	KTAP_EQ(cell("/intc@8000000/v2m@8020000", "phandle", 0), FDT_PHANDLE_MSI);

	KTAP_EQ(cell("/pl011@9000000", "reg", 1), UART_BASE);
	KTAP_EQ(cell("/pl011@9000000", "interrupts", 0), 0);
	KTAP_EQ(cell("/pl011@9000000", "interrupts", 1), 1);
	KTAP_EQ(cell("/pl011@9000000", "interrupts", 2), 4);
	KTAP_EQ(cell("/pl011@9000000", "clocks", 1), cell("/apb-pclk", "phandle", 0));
	KTAP_EQ(cell("/gpio-keys/poweroff", "gpios", 0), cell("/pl061@9030000", "phandle", 0));
	KTAP_EQ(cell("/gpio-keys/poweroff", "gpios", 1), 3);
	KTAP_EQ(cell("/gpio-keys/poweroff", "linux,code", 0), 116);
	device_bus_destroy(&m.bus);
}

static void test_bare(void)
{
	struct dtb_params params = {
		.type = machine_type_find(MACHINE_TYPE_DEFAULT),
		.nr_cpus = 1, .cpu = "arm,cortex-a15", .ram_base = RAM_BASE, .ram_size = 1 << 20,
	};
	struct error err = { "" };

	setup();
	KTAP_TRUE(build(&params, &err) > 0);
	KTAP_STREQ(string("/chosen", "bootargs"), "(none)");
	KTAP_TRUE(!fdt_getprop(buf, fdt_path_offset(buf, "/chosen"), "linux,initrd-start", NULL));
	KTAP_STREQ(string("/cpus/cpu@0", "enable-method"), "(none)");
	device_bus_destroy(&m.bus);
}

static void test_too_long(void)
{
	static char text[sizeof(buf)];
	struct dtb_params params = {
		.type = machine_type_find(MACHINE_TYPE_DEFAULT),
		.nr_cpus = 1, .cpu = "arm,cortex-a15", .ram_base = RAM_BASE, .ram_size = 1 << 20,
		.bootargs = text,
	};
	struct error err = { "" };

	memset(text, 'x', sizeof(text) - 1);
	setup();
	KTAP_EQ(build(&params, &err), (unsigned long long)-ENOSPC);
	KTAP_STREQ(err.text, "--append: too long: the device tree has 65536 bytes in all");
	/*
	 * Every size of buffer from none to enough: an error or a whole tree, never a write beyond
	 * the end.
	 */
	params.bootargs = "quiet";
	for (size_t size = 0; size < 4096; size += 4) {
		uint8_t *small = malloc(size ? size : 1);
		int len = dtb_build(small, size, &params, &m.bus, &err);

		if (len > 0)
			KTAP_EQ(fdt_check_full(small, len), 0);
		else
			KTAP_TRUE(len < 0);
		free(small);
	}
	device_bus_destroy(&m.bus);
}

static char warnings[512];

static void warn(const char *fmt, ...)
{
	size_t len = strlen(warnings);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(warnings + len, sizeof(warnings) - len - 1, fmt, ap);
	va_end(ap);
	strcat(warnings, "\n");
}

static void test_complete(void)
{
	struct dtb_params params = {
		.type = machine_type_find(MACHINE_TYPE_DEFAULT),
		.nr_cpus = 1, .cpu = "arm,cortex-a15", .ram_base = RAM_BASE, .ram_size = 1 << 20,
		.bootargs = "first",
	};
	struct error err = { "" };
	int len;

	setup();
	len = build(&params, &err);
	KTAP_ASSERT(len > 0);
	params.bootargs = "second";
	params.initrd_gpa = 0x41000000;
	params.initrd_size = 0x1000;
	KTAP_TRUE(dtb_complete(buf, len, sizeof(buf), &params, "x.dtb", &err) > 0);
	KTAP_STREQ(string("/chosen", "bootargs"), "second");
	KTAP_EQ(cell("/chosen", "linux,initrd-end", 0), 0x41001000);

	/*
	 * Without --append the tree's own command line stays; the initrd of another start does not.
	 */
	len = fdt_totalsize(buf);
	params.bootargs = NULL;
	params.initrd_size = 0;
	KTAP_TRUE(dtb_complete(buf, len, sizeof(buf), &params, "x.dtb", &err) > 0);
	KTAP_STREQ(string("/chosen", "bootargs"), "second");
	KTAP_TRUE(!fdt_getprop(buf, fdt_path_offset(buf, "/chosen"), "linux,initrd-start", NULL));

	/* Differences from the machine are reported. */
	dtb_compare(buf, &params, &m.bus, "x.dtb", warn);
	KTAP_STREQ(warnings, "");
	params.nr_cpus = 2;
	dtb_compare(buf, &params, &m.bus, "x.dtb", warn);
	KTAP_STREQ(warnings, "x.dtb: has 1 CPUs, and --cpus gives 2\n");
	params.nr_cpus = 1;
	params.ram_size = 512 << 20;
	warnings[0] = '\0';
	dtb_compare(buf, &params, &m.bus, "x.dtb", warn);
	KTAP_STREQ(warnings,
		   /* literal: the message, word for word */
		   "x.dtb: its memory differs from the machine's, 512 MiB at 0x40000000\n");
	params.ram_size = 1 << 20;

	/* libfdt reads beyond the header of older versions. */
	for (uint32_t version = 0; version < 20; version++) {
		static uint8_t old[4096];

		KTAP_ASSERT(fdt_totalsize(buf) <= sizeof(old));
		memcpy(old, buf, fdt_totalsize(buf));
		fdt_set_version(old, version);
		fdt_set_last_comp_version(old, version < 16 ? version : 16);
		if (version >= 16)
			continue;
		KTAP_TRUE(dtb_complete(old, fdt_totalsize(buf), sizeof(old), &params, "x.dtb",
				       &err) < 0);
		KTAP_TRUE(strstr(err.text, "x.dtb: is a device tree of version"));
	}

	/* No room for the additions. */
	len = fdt_totalsize(buf);
	fdt_delprop(buf, fdt_path_offset(buf, "/chosen"), "bootargs");
	fdt_pack(buf);
	len = fdt_totalsize(buf);
	params.bootargs = "more than there is room for, by some dozens of characters, surely";
	KTAP_TRUE(dtb_complete(buf, len, len + 16, &params, "x.dtb", &err) < 0);
	device_bus_destroy(&m.bus);
}

static void describe(struct device *dev, struct fdt_builder *fdt)
{
	fdt_node_begin(fdt, "thing@%llx", (unsigned long long)dev->base);
	fdt_prop_reg(fdt, dev->base, dev->size);
	fdt_node_end(fdt);
}

static void forget(struct device *dev)
{
}

/* A given tree without what the options ask for, and for a machine with another GIC. */
static void test_devices_differ(void)
{
	static const struct device_ops ops = { .name = "thing", .fdt = describe, .destroy = forget };
	struct device old = { .ops = &ops, .base = VIRTIO_BASE, .size = 0x200 };
	struct device new = { .ops = &ops, .base = VIRTIO_BASE + VIRTIO_SIZE, .size = 0x200 };
	struct device clock = { .ops = &ops, .base = RTC_BASE, .size = 0x1000 };
	struct machine_type other = *machine_type_find(MACHINE_TYPE_DEFAULT);
	struct dtb_params params = {
		.type = machine_type_find(MACHINE_TYPE_DEFAULT),
		.nr_cpus = 1, .cpu = "arm,cortex-a15", .ram_base = RAM_BASE, .ram_size = 1 << 20,
	};
	struct error err = { "" };

	setup();
	KTAP_EQ(device_register(&m.bus, &old), 0);
	KTAP_TRUE(build(&params, &err) > 0);
	KTAP_EQ(device_register(&m.bus, &new), 0);
	/* What each machine has is not missed. */
	KTAP_EQ(device_register(&m.bus, &clock), 0);
	warnings[0] = '\0';
	dtb_compare(buf, &params, &m.bus, "x.dtb", warn);
	KTAP_STREQ(warnings, "x.dtb: does not have thing@a000200, so the guest will not find it\n");
	other.gicd_base += 0x1000;
	params.type = &other;
	warnings[0] = '\0';
	device_unregister(&m.bus, &new);
	dtb_compare(buf, &params, &m.bus, "x.dtb", warn);
	KTAP_STREQ(warnings,
		   /* literal: the message, word for word */
		   "x.dtb: has no GICv2 at 0x8001000, where the machine has it\n");
	params.type = machine_type_find(MACHINE_TYPE_DEFAULT);
	warnings[0] = '\0';
	fdt_setprop_string(buf, fdt_path_offset(buf, "/intc@8000000"), "compatible", "arm,gic-v3");
	dtb_compare(buf, &params, &m.bus, "x.dtb", warn);
	KTAP_TRUE(strstr(warnings, "x.dtb: has no GICv2 at"));
	device_bus_destroy(&m.bus);
}

/* How many bytes the host has, or an error. */
static ssize_t entropy;

ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags);
ssize_t __wrap_getrandom(void *to, size_t len, unsigned int flags)
{
	ssize_t n = entropy < (ssize_t)len ? entropy : (ssize_t)len;

	KTAP_EQ(flags, GRND_NONBLOCK);
	if (n < 0) {
		errno = EAGAIN;
		return -1;
	}
	memset(to, 0x5a, n);
	entropy -= n;
	return n;
}

/* A guest gets seeds if the host has all of them, and else none. */
static void test_seed(void)
{
	struct dtb_params params = { .seeded = true };

	for (ssize_t has = -1; has <= 72; has++) {
		entropy = has;
		KTAP_EQ(dtb_seed(&params), has == 72);
		KTAP_EQ(params.seeded, has == 72);
	}
	KTAP_EQ(params.kaslr_seed, 0x5a5a5a5a5a5a5a5a);
	KTAP_EQ(params.rng_seed[63], 0x5a);
}

static void test_damaged(void)
{
	struct dtb_params params = {
		.type = machine_type_find(MACHINE_TYPE_DEFAULT),
		.nr_cpus = 2, .cpu = "arm,cortex-a15", .ram_base = RAM_BASE, .ram_size = 1 << 20,
	};
	static uint8_t good[4096];
	struct error err = { "" };
	uint32_t seed = 1;
	int len;

	setup();
	len = build(&params, &err);
	KTAP_ASSERT(len > 0 && len < (int)sizeof(good));
	memcpy(good, buf, len);
	/*
	 * The tree cut at each length, and with bits flipped: accepted or refused, never a wild
	 * access.
	 */
	for (int cut = 0; cut < len; cut += 8) {
		uint8_t *copy = malloc(len + 512);

		memcpy(copy, good, cut);
		if (dtb_complete(copy, cut, len + 512, &params, "x.dtb", &err) > 0)
			KTAP_FAIL("a tree cut to %d of %d bytes passed", cut, len);
		free(copy);
	}
	KTAP_STREQ(err.text, "x.dtb: is no device tree, or a damaged one");
	for (int i = 0; i < 3000; i++) {
		uint8_t *copy = malloc(len + 512);

		memcpy(copy, good, len);
		for (int flips = 0; flips < 1 + i % 4; flips++) {
			seed = seed * 1664525 + 1013904223;
			copy[(seed >> 8) % len] ^= 1 << (seed >> 4 & 7);
		}
		dtb_complete(copy, len, len + 512, &params, "x.dtb", &err);
		free(copy);
	}
	device_bus_destroy(&m.bus);
}

static void test_cpu_names(void)
{
	KTAP_STREQ(dtb_cpu(0x412fc0f1), "arm,cortex-a15");
	KTAP_STREQ(dtb_cpu(0x410fc075), "arm,cortex-a7");
	KTAP_STREQ(dtb_cpu(0x410fc0d1), "arm,cortex-a12");
	KTAP_STREQ(dtb_cpu(0x410fc0e1), "arm,cortex-a17");
	KTAP_STREQ(dtb_cpu(0), "arm,cortex-a15");
}

KTAP_MAIN(KTAP_CASE(test_machine), KTAP_CASE(test_bare), KTAP_CASE(test_too_long),
	  KTAP_CASE(test_complete), KTAP_CASE(test_devices_differ), KTAP_CASE(test_seed),
	  KTAP_CASE(test_damaged), KTAP_CASE(test_cpu_names))

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/boot/dtb_adapt.c userspace/armvmm-run/boot/dtb.c userspace/armvmm-run/boot/fdt_check.c userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c userspace/armvmm-run/machines/vexpress.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// A board's own device tree, made to fit the machine; and the tree that the machine makes itself.
#include <errno.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "boot/dtb_adapt.h"
#include "core/fdt_builder.h"
#include "ktap.h"

#define RAM	0x80000000
#define SLOT(n)	(0x1c130000 + 0x200 * (n))

static uint8_t buf[1 << 20];

#include "armvmm-run/boot/fdt_look.h"

static char warned[256];
static struct device_bus bus;

static void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(warned, sizeof(warned), fmt, ap);
	va_end(ap);
}

static void put_cpu(struct fdt_builder *b, unsigned int reg)
{
	fdt_node_begin(b, "cpu@%x", reg);
	fdt_prop_string(b, "device_type", "cpu");
	fdt_prop_u32(b, "reg", reg);
	fdt_node_end(b);
}

/* A tree like the board's, with @cells cells for addresses and for sizes. Returns its length. */
static int board_tree(unsigned int cells, const char *gic)
{
	struct fdt_builder b;

	fdt_builder_init(&b, buf, sizeof(buf));
	fdt_node_begin(&b, "%s", "");
	fdt_prop_string(&b, "compatible", "arm,vexpress");
	fdt_prop_u32(&b, "#address-cells", cells);
	fdt_prop_u32(&b, "#size-cells", cells);
	fdt_node_begin(&b, "chosen");
	fdt_node_end(&b);
	fdt_node_begin(&b, "cpus");
	fdt_prop_u32(&b, "#address-cells", 1);
	fdt_prop_u32(&b, "#size-cells", 0);
	put_cpu(&b, 0);
	put_cpu(&b, 1);
	put_cpu(&b, 0x100);
	fdt_node_end(&b);
	for (unsigned int i = 0; i < 2; i++) {
		fdt_node_begin(&b, "memory@%x", RAM + (i << 30));
		fdt_prop_string(&b, "device_type", "memory");
		fdt_prop_cells(&b, "reg", 2, (const uint32_t[]){ RAM, 1u << 30 });
		fdt_node_end(&b);
	}
	fdt_node_begin(&b, "gic");
	fdt_prop_string(&b, "compatible", gic);
	/* With leading zeroes for as many cells as there are. */
	fdt_prop_cells(&b, "reg", cells + 1,
		       (const uint32_t[]){ 0, 0, 0x2c001000, 0x1000 } + (3 - cells));
	fdt_prop_u32(&b, "phandle", 0x77);
	fdt_node_end(&b);
	fdt_node_begin(&b, "timer");
	fdt_prop_string(&b, "compatible", "arm,armv7-timer");
	fdt_node_end(&b);
	fdt_node_begin(&b, "pmu");
	fdt_prop_string(&b, "compatible", "arm,cortex-a15-pmu");
	fdt_prop_cells(&b, "interrupts", 3, (const uint32_t[]){ 0, 68, 4 });
	fdt_node_end(&b);
	fdt_node_end(&b);
	return fdt_builder_finish(&b);
}

static struct dtb_params params_of(unsigned int nr_cpus)
{
	return (struct dtb_params){
		.type = machine_type_find("vexpress-a15"), .nr_cpus = nr_cpus,
		.cpu = "arm,cortex-a7", .ram_base = RAM, .ram_size = 0x0c000000,
		.bootargs = "console=ttyAMA0",
	};
}

static void nothing(struct device *dev)
{
}

static const struct device_ops virtio_ops = { .name = "virtio-mmio", .destroy = nothing };
static const struct device_ops other_ops = { .name = "other", .destroy = nothing };
static struct device dev[] = {
	{ .ops = &virtio_ops, .base = SLOT(0), .size = 0x200 },
	{ .ops = &virtio_ops, .base = SLOT(7), .size = 0x200 },
	{ .ops = &other_ops, .base = SLOT(8), .size = 0x200 },
	{ .ops = &other_ops, .base = 0x1c090000, .size = 0x1000 },
};

static void setup(void)
{
	memset(&bus, 0, sizeof(bus));
	for (unsigned int i = 0; i < sizeof(dev) / sizeof(dev[0]); i++)
		KTAP_EQ(device_register(&bus, &dev[i]), 0);
	warned[0] = 0;
}

static int adapt(int len, const struct dtb_params *p, size_t size, struct error *err)
{
	len = dtb_complete(buf, len, size, p, "x.dtb", err);
	if (len >= 0)
		len = dtb_adapt(buf, size, p, &bus, "x.dtb", warn, err);
	if (len >= 0)
		KTAP_EQ(fdt_check_full(buf, len), 0);
	return len;
}

static void test_board(void)
{
	struct dtb_params p = params_of(3);
	struct error err = { "" };

	setup();
	p.timer_hz = 24000000;
	KTAP_TRUE(adapt(board_tree(2, "arm,cortex-a15-gic"), &p, sizeof(buf), &err) > 0);
	KTAP_EQ(cell("/memory@80000000", "reg", 1), RAM);
	KTAP_EQ(cell("/memory@80000000", "reg", 3), 0x0c000000);
	KTAP_TRUE(fdt_path_offset(buf, "/memory@c0000000") < 0);
	KTAP_EQ(cell("/cpus/cpu@2", "reg", 0), 2);
	KTAP_STREQ(string("/cpus/cpu@1", "enable-method"), "psci");
	KTAP_STREQ(string("/cpus/cpu@0", "compatible"), "arm,cortex-a7");
	KTAP_TRUE(fdt_path_offset(buf, "/cpus/cpu@100") < 0);
	KTAP_STREQ(string("/psci", "method"), "hvc");
	KTAP_EQ(cell("/psci", "cpu_on", 0), 0x84000003);
	KTAP_STREQ(string("/hypervisor", "compatible"), "linux,kvm");
	KTAP_STREQ(string("/pmu", "status"), "disabled");
	KTAP_EQ(cell("/timer", "clock-frequency", 0), 24000000);
	KTAP_STREQ(string("/virtio_mmio@1c130000", "compatible"), "virtio,mmio");
	KTAP_EQ(cell("/virtio_mmio@1c130000", "interrupts", 1), 40);
	KTAP_EQ(cell("/virtio_mmio@1c130e00", "reg", 1), SLOT(7));
	KTAP_EQ(cell("/virtio_mmio@1c130e00", "reg", 3), 0x200);
	KTAP_EQ(cell("/virtio_mmio@1c130e00", "interrupts", 1), 47);
	KTAP_EQ(cell("/virtio_mmio@1c130e00", "interrupts", 2), 1);
	KTAP_EQ(cell("/virtio_mmio@1c130e00", "interrupt-parent", 0), 0x77);
	/* Beyond the slots, and of another size, there are no virtio devices. */
	KTAP_TRUE(fdt_path_offset(buf, "/virtio_mmio@1c131000") < 0);
	KTAP_TRUE(fdt_path_offset(buf, "/virtio_mmio@1c090000") < 0);
	KTAP_STREQ(warned, "");
	/* What it says fits the machine now. */
	dtb_compare(buf, &p, &bus, "x.dtb", warn);
	KTAP_STREQ(warned, "");
}

/* Trees of 2012 have one cell each; the GIC goes by its old name. */
static void test_old_board(void)
{
	struct dtb_params p = params_of(1);
	struct error err = { "" };

	setup();
	p.pmu = true;
	KTAP_TRUE(adapt(board_tree(1, "arm,cortex-a9-gic"), &p, sizeof(buf), &err) > 0);
	KTAP_EQ(cell("/memory@80000000", "reg", 0), RAM);
	KTAP_EQ(cell("/memory@80000000", "reg", 1), 0x0c000000);
	KTAP_EQ(cell("/virtio_mmio@1c130000", "reg", 0), SLOT(0));
	KTAP_EQ(cell("/virtio_mmio@1c130000", "reg", 1), 0x200);
	KTAP_STREQ(string("/cpus/cpu@0", "enable-method"), "(none)");
	KTAP_TRUE(fdt_path_offset(buf, "/cpus/cpu@1") < 0);
	KTAP_STREQ(string("/pmu", "status"), "(none)");
	KTAP_EQ(cell("/pmu", "interrupts", 0), 1);
	KTAP_EQ(cell("/pmu", "interrupts", 1), 7);
	KTAP_EQ(cell("/pmu", "interrupts", 2), 0x104);
	KTAP_TRUE(!fdt_getprop(buf, fdt_path_offset(buf, "/timer"), "clock-frequency", NULL));
}

/* A tree that has all this already is the same after a second time. */
static void test_again(void)
{
	static uint8_t first[sizeof(buf)];
	struct dtb_params p = params_of(2);
	struct error err = { "" };
	int len;

	setup();
	len = adapt(board_tree(2, "arm,cortex-a15-gic"), &p, sizeof(buf), &err);
	KTAP_TRUE(len > 0);
	memcpy(first, buf, len);
	KTAP_TRUE(adapt(len, &p, sizeof(buf), &err) > 0);
	KTAP_EQ(cell("/virtio_mmio@1c130000", "interrupts", 1), 40);
	KTAP_EQ(cell("/cpus/cpu@1", "reg", 0), 1);
	KTAP_EQ(fdt_totalsize(buf), fdt_totalsize(first));
}

/* What is below a node of memory or of a CPU goes with it; what is beside it stays. */
static void test_nested(void)
{
	struct dtb_params p = params_of(1);
	struct error err = { "" };
	struct fdt_builder b;

	setup();
	fdt_builder_init(&b, buf, sizeof(buf));
	fdt_node_begin(&b, "%s", "");
	fdt_prop_string(&b, "device_type", "memory");	/* it is none */
	fdt_prop_u32(&b, "#address-cells", 1);
	fdt_prop_u32(&b, "#size-cells", 1);
	fdt_node_begin(&b, "cpus");
	fdt_node_begin(&b, "cluster");
	fdt_node_begin(&b, "cpu@7");
	fdt_prop_string(&b, "device_type", "cpu");
	fdt_node_begin(&b, "cache");
	fdt_node_begin(&b, "cpu@8");
	fdt_prop_string(&b, "device_type", "cpu");
	fdt_node_end(&b);
	fdt_node_end(&b);
	fdt_node_end(&b);
	fdt_node_begin(&b, "idle");
	fdt_prop_string(&b, "device_type", "cpus");
	fdt_node_end(&b);
	fdt_node_end(&b);
	fdt_node_end(&b);
	fdt_node_begin(&b, "last");
	fdt_prop_string(&b, "device_type", "cp");
	fdt_prop_u32(&b, "kept", 77);
	fdt_node_end(&b);
	fdt_node_end(&b);
	KTAP_TRUE(adapt(fdt_builder_finish(&b), &p, 4096, &err) > 0);
	KTAP_TRUE(fdt_path_offset(buf, "/cpus/cluster") > 0);
	KTAP_TRUE(fdt_path_offset(buf, "/cpus/cluster/cpu@7") < 0);
	KTAP_STREQ(string("/cpus/cluster/idle", "device_type"), "cpus");
	KTAP_EQ(cell("/last", "kept", 0), 77);
	KTAP_STREQ(string("/last", "device_type"), "cp");
	KTAP_EQ(cell("/cpus/cpu@0", "reg", 0), 0);
	dtb_compare(buf, &p, &bus, "x.dtb", warn);
	KTAP_TRUE(!strstr(warned, "CPUs"));
}

/* A tree of thousands of nodes, as long as one may be, takes no longer than it is long. */
static void test_large(void)
{
	struct dtb_params p = params_of(2);
	struct timespec from, to;
	struct error err = { "" };
	struct fdt_builder b;
	unsigned int nr = 0;
	int node;

	setup();
	fdt_builder_init(&b, buf, sizeof(buf));
	fdt_node_begin(&b, "%s", "");
	fdt_prop_u32(&b, "#address-cells", 1);
	fdt_prop_u32(&b, "#size-cells", 1);
	for (unsigned int i = 0; i < 12000; i++) {
		fdt_node_begin(&b, "n%x", i);
		fdt_node_end(&b);
	}
	fdt_node_begin(&b, "cpus");
	for (unsigned int i = 0; i < 12000; i++)
		put_cpu(&b, i);
	fdt_node_end(&b);
	fdt_node_end(&b);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	KTAP_TRUE(adapt(fdt_builder_finish(&b), &p, sizeof(buf), &err) > 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	KTAP_TRUE(to.tv_sec - from.tv_sec <= 1);
	fdt_for_each_subnode(node, buf, 0)
		nr++;
	/* Five of the machine's: it has no GIC for virtio devices. */
	KTAP_EQ(nr, 12000 + 5);
	KTAP_TRUE(fdt_path_offset(buf, "/cpus/cpu@1") > 0);
	KTAP_TRUE(fdt_path_offset(buf, "/cpus/cpu@2") < 0);
}

static void test_refused(void)
{
	struct dtb_params p = params_of(4);
	struct error err = { "" };
	int len, ret;

	setup();
	KTAP_TRUE(adapt(board_tree(2, "arm,other-gic"), &p, sizeof(buf), &err) > 0);
	KTAP_STREQ(warned, "x.dtb: has no GIC that devices could name, so the guest learns of no virtio device");
	KTAP_TRUE(fdt_path_offset(buf, "/virtio_mmio@1c130000") < 0);
	KTAP_EQ(adapt(board_tree(3, "arm,cortex-a15-gic"), &p, sizeof(buf), &err), -EINVAL);
	KTAP_TRUE(strstr(err.text, "x.dtb: "));
	len = board_tree(2, "arm,cortex-a15-gic");
	KTAP_EQ(adapt(len, &p, len + 200, &err), -ENOSPC);
	/* However little room there is, it is not exceeded. */
	for (size_t room = 0; room < 2000; room += 20) {
		len = board_tree(2, "arm,cortex-a15-gic");
		memset(buf + len + room, 0xa5, 64);
		ret = adapt(len, &p, len + room, &err);
		KTAP_TRUE(ret > 0 || ret == -ENOSPC);
		for (unsigned int i = 0; i < 64; i++)
			KTAP_EQ(buf[len + room + i], 0xa5);
	}
}

/* The tree that the machines make: what old kernels look for is there. */
static void test_own(void)
{
	struct dtb_params p = params_of(2);
	struct device_bus none = { .nr = 0 };
	struct error err = { "" };

	KTAP_TRUE(dtb_build(buf, sizeof(buf), &p, &none, &err) > 0);
	KTAP_STREQ(string("/", "compatible"), "arm,vexpress,v2p-ca15,tc1");
	KTAP_EQ(fdt_node_check_compatible(buf, 0, "arm,vexpress"), 0);
	KTAP_STREQ(string("/chosen", "stdout-path"), "/pl011@1c090000");
	KTAP_EQ(cell("/memory@80000000", "reg", 1), RAM);
	KTAP_EQ(cell("/interrupt-controller@2c001000", "reg", 5), 0x2c002000);
	KTAP_STREQ(string("/motherboard", "arm,v2m-memory-map"), "rs1");
	KTAP_STREQ(string("/aliases", "arm,v2m_timer"), "/sp804@1c110000");
	KTAP_EQ(cell("/mcc/shutdown", "arm,vexpress-sysreg,func", 0), 8);
	KTAP_EQ(cell("/refclk1mhz", "clock-frequency", 0), 1000000);
	p.type = machine_type_find("fvp-ve");
	p.ram_base = 0xc0000000;
	KTAP_TRUE(machine_type_has_ram_at(p.type, p.ram_base));
	KTAP_TRUE(dtb_build(buf, sizeof(buf), &p, &none, &err) > 0);
	KTAP_EQ(cell("/memory@c0000000", "reg", 1), 0xc0000000);
	KTAP_EQ(fdt_node_check_compatible(buf, 0, "arm,vexpress"), 0);
}

/* All machines are whole: names are unique, and no window lies in RAM. */
static void test_types(void)
{
	const struct machine_type *type = NULL;
	unsigned int nr = 0;

	KTAP_STREQ(machine_type_next(NULL)->name, MACHINE_TYPE_DEFAULT);
	KTAP_TRUE(!machine_type_find("no"));
	while ((type = machine_type_next(type))) {
		nr++;
		KTAP_TRUE(machine_type_find(type->name) == type);
		KTAP_TRUE(strlen(type->name) < MACHINE_TYPE_NAME_MAX);
		KTAP_TRUE(machine_type_has_ram_at(type, type->ram_base[0]));
		KTAP_TRUE(!machine_type_has_ram_at(type, 0));
		KTAP_TRUE(type->virtio.slots <= MAP_VIRTIO_SLOTS);
		KTAP_TRUE(type->virtio.spi + type->virtio.slots <= MAP_NR_SPIS);
		KTAP_TRUE(type->virtio.base < type->ram_base[0]);
		for (const struct machine_device *d = type->devices; d->name; d++)
			KTAP_TRUE(d->base < type->ram_base[0] && d->spi < MAP_NR_SPIS);
	}
	KTAP_EQ(nr, 3);
}

KTAP_MAIN(KTAP_CASE(test_board), KTAP_CASE(test_old_board), KTAP_CASE(test_again),
	  KTAP_CASE(test_nested), KTAP_CASE(test_large),
	  KTAP_CASE(test_refused), KTAP_CASE(test_own), KTAP_CASE(test_types))

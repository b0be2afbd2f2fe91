// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/pci/host.c userspace/armvmm-run/pci/function.c
// sources: userspace/armvmm-run/pci/msix.c userspace/armvmm-run/pci/v2m.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// files: tests/unit/armvmm-run/machine_fake.h tests/unit/armvmm-run/device_make.h
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// The PCI host and its configuration spaces, as a guest finds them that reads PCI 3.0, and as one
// uses them that does not. Two functions of the test's own are in slots 1 and 2.
#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>

#include <linux/pci_regs.h>

#include "bus.h"
#include "../guest/lib/board.h"
#include "core/fdt_builder.h"
#include "ktap.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/pci_board.h"
#include "armvmm-run/state_move.h"
#include "pci/function.h"
#include "pci/host.h"

#define SLOT(n)		(PCI_ECAM_BASE + ((n) << 15))
#define BAR(n)		(PCI_BASE_ADDRESS_0 + 4 * (n))
#define SMALL		16u
#define LARGE		0x4000u

static struct machine m;
static struct error err;
static struct pci_function fn[2];
static struct {
	unsigned int reads, writes, bar, len;
	uint64_t offset, value;
	struct pci_function *fn;
} last;

static uint64_t bar_read(struct pci_function *f, unsigned int bar, uint64_t offset,
			 unsigned int len)
{
	KTAP_TRUE(f->bar_size[bar] && offset + len <= f->bar_size[bar]);
	last.reads++;
	last.fn = f;
	last.bar = bar;
	last.len = len;
	last.offset = offset;
	return 0x1122334455667788;
}

static void bar_write(struct pci_function *f, unsigned int bar, uint64_t offset, unsigned int len,
		      uint64_t value)
{
	bar_read(f, bar, offset, len);
	last.reads--;
	last.writes++;
	last.value = value;
}

static const struct pci_function_ops ops = { .read = bar_read, .write = bar_write };

static void setup(void)
{
	static const struct pci_id id = {
		.vendor = 0x1af4, .device = 0x10ff, .subsystem_vendor = 0x1234,
		.subsystem = 0x5678, .class = 0x020304, .revision = 9, .pin = true,
	};

	fake_machine_init(&m);
	memset(&last, 0, sizeof(last));
	KTAP_EQ(device_make(&m, "pcie", NULL, &err), 0);
	for (unsigned int i = 0; i < 2; i++) {
		memset(&fn[i], 0, sizeof(fn[i]));
		pci_function_init(&fn[i], &ops, &id);
		pci_function_bar(&fn[i], 0, LARGE);
		pci_function_bar(&fn[i], 3, SMALL);
		KTAP_EQ(pci_host_attach(m.pci, &fn[i]), 0);
		KTAP_EQ(fn[i].slot, i + 1);
	}
}

static void end(void)
{
	pci_function_exit(&fn[0]);
	pci_function_exit(&fn[1]);
	device_bus_destroy(&m.bus);
}

#define get(gpa, len) bus_get(&m.bus, gpa, len)
#define put(gpa, len, value) bus_put(&m.bus, gpa, len, value)

static void place(unsigned int slot, unsigned int bar, uint32_t gpa)
{
	put(SLOT(slot) + BAR(bar), 4, gpa);
	put(SLOT(slot) + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

/* Is there anything at @gpa? */
static struct pci_function *at(uint64_t gpa, unsigned int len)
{
	uint64_t ones = len == 8 ? UINT64_MAX : (1ull << (8 * len)) - 1, value;
	unsigned int before = last.reads;

	value = get(gpa, len);
	KTAP_EQ(value, last.reads == before ? ones : 0x1122334455667788 & ones);
	return last.reads == before ? NULL : last.fn;
}

static void test_header(void)
{
	setup();
	/* The host bridge, and two devices with one function each on one bus. */
	KTAP_EQ(get(SLOT(0), 4), 0x00081b36);
	KTAP_EQ(get(SLOT(0) + PCI_CLASS_DEVICE, 2), 0x0600);
	KTAP_EQ(get(SLOT(1), 4), 0x10ff1af4);
	KTAP_EQ(get(SLOT(2), 4), 0x10ff1af4);
	for (unsigned int slot = 3; slot < 32; slot++)
		KTAP_EQ(get(SLOT(slot), 4), 0xffffffff);
	for (unsigned int function = 1; function < 8; function++)
		KTAP_EQ(get(SLOT(1) + (function << 12), 4), 0xffffffff);
	for (unsigned int bus = 1; bus < 16; bus++)
		KTAP_EQ(get(SLOT(1) + (bus << 20), 4), 0xffffffff);
	/* Each field at its own width, and the whole at all widths. */
	KTAP_EQ(get(SLOT(1) + PCI_REVISION_ID, 1), 9);
	KTAP_EQ(get(SLOT(1) + PCI_CLASS_PROG, 1), 4);
	KTAP_EQ(get(SLOT(1) + PCI_CLASS_DEVICE, 2), 0x0203);
	KTAP_EQ(get(SLOT(1) + PCI_HEADER_TYPE, 1), 0);
	KTAP_EQ(get(SLOT(1) + PCI_SUBSYSTEM_VENDOR_ID, 4), 0x56781234);
	KTAP_EQ(get(SLOT(1) + PCI_ROM_ADDRESS, 4), 0);
	KTAP_EQ(get(SLOT(1) + PCI_INTERRUPT_PIN, 1), 1);
	KTAP_EQ(get(SLOT(1), 8), 0x10ff1af4);
	KTAP_EQ(get(SLOT(1) + 3, 4), 0x00000010);
	/* Conventional devices have 256 bytes; what is beyond reads as ones. */
	KTAP_EQ(get(SLOT(1) + 0x100, 4), 0xffffffff);
	KTAP_EQ(get(SLOT(1) + 0xfc, 8), 0xffffffff00000000);
	KTAP_EQ(get(SLOT(1) + 0xffe, 4), 0xffffffff);
	put(SLOT(1) + 0xfc, 8, UINT64_MAX);
	put(SLOT(1) + 0x100, 4, 0);
	put(SLOT(1) + 0xffe, 4, 0);
	put(SLOT(31), 4, 0);
	KTAP_EQ(get(SLOT(1) + 0xfc, 4), 0);
	end();
}

/* What is there to be written can be, and the rest never changes. */
static void test_writable(void)
{
	static const struct {
		unsigned int offset, writable;
	} fields[] = {
		{ PCI_VENDOR_ID, 0 }, { PCI_COMMAND, 0x0547 }, { PCI_CLASS_REVISION, 0 },
		{ PCI_CACHE_LINE_SIZE, 0xff }, { BAR(0), ~(LARGE - 1) }, { BAR(1), 0 },
		{ BAR(2), 0 }, { BAR(3), ~(SMALL - 1) }, { BAR(4), 0 }, { BAR(5), 0 },
		{ PCI_CARDBUS_CIS, 0 }, { PCI_SUBSYSTEM_VENDOR_ID, 0 }, { PCI_ROM_ADDRESS, 0 },
		{ PCI_CAPABILITY_LIST, 0 }, { 0x38, 0 }, { PCI_INTERRUPT_LINE, 0xff },
	};

	setup();
	for (unsigned int width = 1; width <= 4; width *= 2) {
		for (unsigned int i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
			uint64_t gpa = SLOT(2) + fields[i].offset;
			uint32_t was = get(gpa, 4);

			KTAP_EQ(fields[i].offset, 4 * i);
			for (unsigned int byte = 0; byte < 4; byte += width)
				put(gpa + byte, width, UINT64_MAX);
			KTAP_EQ(get(gpa, 4), was | fields[i].writable);
			for (unsigned int byte = 0; byte < 4; byte += width)
				put(gpa + byte, width, 0);
			KTAP_EQ(get(gpa, 4), was & ~fields[i].writable);
		}
	}
	end();
}

static void test_bars(void)
{
	setup();
	/* Nothing is mapped until the driver says so. */
	put(SLOT(1) + BAR(0), 4, PCI_MMIO_BASE);
	KTAP_TRUE(!at(PCI_MMIO_BASE, 4));
	put(SLOT(1) + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	KTAP_TRUE(at(PCI_MMIO_BASE, 4) == &fn[0]);
	KTAP_EQ(last.bar, 0);
	KTAP_EQ(last.offset, 0);
	put(SLOT(1) + PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	KTAP_TRUE(!at(PCI_MMIO_BASE, 4));

	/* The whole of it, at all widths, and not a byte more. */
	place(1, 0, PCI_MMIO_BASE + 0x1234567);
	for (unsigned int len = 1; len <= 8; len *= 2) {
		uint64_t gpa = PCI_MMIO_BASE + 0x1234000;

		KTAP_TRUE(at(gpa, len) == &fn[0]);
		KTAP_EQ(last.len, len);
		KTAP_TRUE(at(gpa + LARGE - len, len) == &fn[0]);
		KTAP_EQ(last.offset, LARGE - len);
		KTAP_TRUE(!at(gpa - len, len));
		KTAP_TRUE(!at(gpa + LARGE, len));
		if (len > 1) {
			KTAP_TRUE(!at(gpa - 1, len));
			KTAP_TRUE(!at(gpa + LARGE - 1, len));
		}
	}
	last.writes = 0;
	put(PCI_MMIO_BASE + 0x1234010, 2, 0xabcd);
	KTAP_EQ(last.writes, 1);
	KTAP_EQ(last.offset, 0x10);
	KTAP_EQ(last.value & 0xffff, 0xabcd);
	put(PCI_MMIO_BASE, 4, 1);
	put(PCI_PORT_BASE, 4, 1);
	KTAP_EQ(last.writes, 1);
	KTAP_EQ(get(PCI_PORT_BASE, 1), 0xff);
	KTAP_EQ(get(PCI_PORT_BASE + 0xfffc, 8), UINT64_MAX);
	end();
}

/* BARs over RAM, over devices of the board, over configuration space, and over each other. */
static void test_bad_places(void)
{
	static const uint32_t places[] = {
		0, RAM_BASE, RAM_BASE - LARGE, GICD_BASE, UART_BASE, VIRTIO_BASE, PCI_ECAM_BASE,
		PCI_PORT_BASE, PCI_MMIO_BASE - LARGE, 0xfffffff0, 0x80000000,
	};

	setup();
	for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		place(1, 0, places[i]);
		KTAP_EQ(fn[0].bar_gpa[0], 0);
		/* Configuration space answers as before. */
		KTAP_EQ(get(SLOT(1), 4), 0x10ff1af4);
	}
	place(1, 3, RAM_BASE - SMALL);
	KTAP_EQ(fn[0].bar_gpa[3], 0);
	place(1, 3, PCI_PORT_BASE - SMALL);
	KTAP_TRUE(at(PCI_PORT_BASE - SMALL, 8) == &fn[0]);
	KTAP_TRUE(!at(PCI_PORT_BASE - 4, 8));

	/* The lower slot answers for what both have, and each for the rest of it. */
	place(2, 0, PCI_MMIO_BASE);
	place(1, 3, PCI_MMIO_BASE + 0x100);
	KTAP_TRUE(at(PCI_MMIO_BASE + 0xfc, 4) == &fn[1]);
	KTAP_TRUE(at(PCI_MMIO_BASE + 0x100, 4) == &fn[0]);
	KTAP_TRUE(at(PCI_MMIO_BASE + 0x10c, 4) == &fn[0]);
	KTAP_TRUE(at(PCI_MMIO_BASE + 0x110, 4) == &fn[1]);
	place(1, 0, PCI_MMIO_BASE);
	KTAP_TRUE(at(PCI_MMIO_BASE + 0x110, 4) == &fn[0]);
	place(2, 0, PCI_MMIO_BASE + LARGE);
	KTAP_TRUE(at(PCI_MMIO_BASE + LARGE, 4) == &fn[1]);
	end();
}

static bool line(unsigned int n)
{
	return fake_line[3 + n]->level;
}

static void test_pins(void)
{
	setup();
	/* Slot 1's INTA is line 1, and slot 2's line 2. */
	pci_function_set_intx(&fn[0], true);
	KTAP_TRUE(!line(0) && line(1) && !line(2) && !line(3));
	KTAP_EQ(get(SLOT(1) + PCI_STATUS, 2), PCI_STATUS_INTERRUPT);
	KTAP_EQ(get(SLOT(1) + PCI_COMMAND, 4), PCI_STATUS_INTERRUPT << 16);
	KTAP_EQ(get(SLOT(2) + PCI_STATUS, 2), 0);
	pci_function_set_intx(&fn[1], true);
	KTAP_TRUE(line(1) && line(2));
	/* Whoever disables it sees that it has something to say all the same. */
	put(SLOT(1) + PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
	KTAP_TRUE(!line(1) && line(2));
	KTAP_EQ(get(SLOT(1) + PCI_STATUS, 1), PCI_STATUS_INTERRUPT);
	put(SLOT(1) + PCI_COMMAND, 2, 0);
	KTAP_TRUE(line(1));
	pci_function_set_intx(&fn[0], false);
	KTAP_TRUE(!line(1) && line(2));
	KTAP_EQ(get(SLOT(1) + PCI_STATUS, 2), 0);
	pci_function_reset(&fn[1]);
	KTAP_TRUE(!line(2));
	end();
}

/* A line that several functions share is high as long as one of them raises it. */
static void test_shared_line(void)
{
	struct pci_function more[3] = { 0 };

	setup();
	for (unsigned int i = 0; i < 3; i++) {
		pci_function_init(&more[i], &ops, &(struct pci_id){ .vendor = 1, .pin = true });
		KTAP_EQ(pci_host_attach(m.pci, &more[i]), 0);
	}
	KTAP_EQ(more[2].slot, 5);
	pci_function_set_intx(&fn[0], true);
	pci_function_set_intx(&more[2], true);
	pci_function_set_intx(&fn[0], false);
	KTAP_TRUE(line(1));
	pci_function_set_intx(&more[2], false);
	KTAP_TRUE(!line(1));
	for (unsigned int i = 0; i < 3; i++)
		pci_function_exit(&more[i]);
	end();
}

/* All slots are taken: one too many is refused. */
static void test_full(void)
{
	static struct pci_function many[30];

	setup();
	for (unsigned int i = 0; i < 30; i++) {
		memset(&many[i], 0, sizeof(many[i]));
		pci_function_init(&many[i], &ops, &(struct pci_id){ .vendor = 1 });
		KTAP_EQ(pci_host_attach(m.pci, &many[i]), i < 29 ? 0 : (unsigned long long)-ENOSPC);
	}
	KTAP_EQ(get(SLOT(31), 2), 1);
	for (unsigned int i = 0; i < 30; i++)
		pci_function_exit(&many[i]);
	KTAP_EQ(get(SLOT(31), 2), 0xffff);
	end();
}

static void test_caps(void)
{
	struct pci_function f = { 0 };
	unsigned int first, second;

	setup();
	pci_function_init(&f, &ops, &(struct pci_id){ .vendor = 1 });
	KTAP_EQ(f.config[PCI_STATUS], 0);
	first = pci_function_cap(&f, PCI_CAP_ID_VNDR, 5);
	pci_function_fill(&f, first + 2, 3, 0xabcdef, 0x0000f0);
	second = pci_function_cap(&f, PCI_CAP_ID_AF, 6);
	KTAP_EQ(pci_host_attach(m.pci, &f), 0);
	KTAP_EQ(get(SLOT(3) + PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
	KTAP_EQ(get(SLOT(3) + PCI_CAPABILITY_LIST, 1), second);
	KTAP_EQ(get(SLOT(3) + second, 2), PCI_CAP_ID_AF | first << 8);
	KTAP_EQ(get(SLOT(3) + first, 2), PCI_CAP_ID_VNDR);
	/* Each begins at a multiple of 4 (PCI 3.0 6.7). */
	KTAP_EQ(first % 4, 0);
	KTAP_EQ(second, first + 8);
	put(SLOT(3) + first, 4, 0);
	put(SLOT(3) + first + 4, 4, UINT32_MAX);
	KTAP_EQ(get(SLOT(3) + first, 4), 0xcdef0009 & ~0x00f00000);
	KTAP_EQ(get(SLOT(3) + first + 4, 4), 0xab);
	pci_function_exit(&f);
	end();
}

static void test_state(void)
{
	struct record r = { .len = 0 }, other = { .len = 0 }, bridge;
	struct record in;

	setup();
	place(1, 0, PCI_MMIO_BASE + LARGE);
	put(SLOT(1) + PCI_INTERRUPT_LINE, 1, 77);
	pci_function_set_intx(&fn[0], true);
	pci_function_save(&fn[0], &r);
	pci_function_reset(&fn[0]);
	KTAP_TRUE(!line(1) && !at(PCI_MMIO_BASE + LARGE, 4));
	KTAP_EQ(get(SLOT(1) + PCI_INTERRUPT_LINE, 1), 0);
	fake_irq_changes = 0;
	record_open(&in, r.data, r.len);
	KTAP_EQ(pci_function_restore(&fn[0], &in), 0);
	KTAP_EQ(record_close(&in), 0);
	KTAP_TRUE(line(1));
	/* The machine tells the interrupt controller. */
	KTAP_EQ(fake_irq_changes, 0);
	KTAP_TRUE(at(PCI_MMIO_BASE + LARGE, 4) == &fn[0]);
	KTAP_EQ(get(SLOT(1) + PCI_INTERRUPT_LINE, 1), 77);

	/* Another device's state is refused, and harms nothing. */
	pci_function_save(&fn[0], &other);
	other.data[PCI_DEVICE_ID] ^= 1;
	record_open(&in, other.data, other.len);
	KTAP_EQ(pci_function_restore(&fn[0], &in), (unsigned long long)-EBADMSG);
	KTAP_STREQ(in.err.text, "its configuration space was another one, at 0x2");
	KTAP_EQ(get(SLOT(1), 4), 0x10ff1af4);
	for (unsigned int i = 0; i < r.len; i++) {
		other.data[PCI_DEVICE_ID] = r.data[PCI_DEVICE_ID];
		other.data[i] = 0xff;
		record_open(&in, other.data, other.len);
		pci_function_restore(&fn[0], &in);
		other.data[i] = r.data[i];
		KTAP_TRUE(!fn[0].bar_gpa[0] || (fn[0].bar_gpa[0] >= PCI_MMIO_BASE &&
						fn[0].bar_gpa[0] <= PCI_PORT_BASE - LARGE));
	}

	/* The host's own. */
	put(SLOT(0) + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	state_save(m.bus.dev[1], &bridge);
	m.bus.dev[1]->ops->reset(m.bus.dev[1]);
	KTAP_EQ(get(SLOT(0) + PCI_COMMAND, 2), 0);
	state_torture(m.bus.dev[1], &bridge);
	KTAP_EQ(get(SLOT(0) + PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
	record_free(&bridge);
	record_free(&r);
	record_free(&other);
	end();
}

static uint8_t buf[65536];

static uint32_t cell(const char *name, unsigned int i)
{
	int len = 0;
	const fdt32_t *p = fdt_getprop(buf, fdt_path_offset(buf, "/pcie@10000000"), name, &len);

	return p && (int)(4 * i) < len ? fdt32_ld(p + i) : 0xdead;
}

/* As QEMU's board with highmem=off has it. */
static void test_tree(void)
{
	static const uint32_t ranges[] = {
		0x01000000, 0, 0, 0, PCI_PORT_BASE, 0, 0x10000,
		0x02000000, 0, PCI_MMIO_BASE, 0, PCI_MMIO_BASE, 0, 0x2eff0000,
	};
	struct fdt_builder b;
	int len = 0, node;

	setup();
	fdt_builder_init(&b, buf, sizeof(buf));
	fdt_node_begin(&b, "%s", "");
	device_bus_fdt(&m.bus, &b);
	fdt_node_end(&b);
	KTAP_ASSERT(fdt_builder_finish(&b) > 0);
	node = fdt_path_offset(buf, "/pcie@10000000");
	KTAP_ASSERT(node > 0);
	KTAP_STREQ(fdt_getprop(buf, node, "compatible", NULL), "pci-host-ecam-generic");
	KTAP_STREQ(fdt_getprop(buf, node, "device_type", NULL), "pci");
	KTAP_TRUE(fdt_getprop(buf, node, "dma-coherent", NULL));
	KTAP_EQ(cell("#address-cells", 0), 3);
	KTAP_EQ(cell("#size-cells", 0), 2);
	KTAP_EQ(cell("#interrupt-cells", 0), 1);
	KTAP_EQ(cell("bus-range", 0), 0);
	KTAP_EQ(cell("bus-range", 1), 15);
	KTAP_EQ(cell("reg", 1), PCI_ECAM_BASE);
	KTAP_EQ(cell("reg", 3), 0x1000000);
	for (unsigned int i = 0; i < 14; i++)
		KTAP_EQ(cell("ranges", i), ranges[i]);
	/* Each device's messages go to the frame, whoever it is. */
	KTAP_EQ(cell("msi-map", 0), 0);
	KTAP_EQ(cell("msi-map", 1), FDT_PHANDLE_MSI);
	KTAP_EQ(cell("msi-map", 2), 0);
	KTAP_EQ(cell("msi-map", 3), 0x10000);
	KTAP_EQ(cell("interrupt-map-mask", 0), 0x1800);
	KTAP_EQ(cell("interrupt-map-mask", 3), 7);
	KTAP_TRUE(fdt_getprop(buf, node, "interrupt-map", &len));
	KTAP_EQ(len, 16 * 10 * 4);
	for (unsigned int slot = 0; slot < 4; slot++) {
		for (unsigned int pin = 1; pin <= 4; pin++) {
			unsigned int row = 10 * (4 * slot + pin - 1);

			KTAP_EQ(cell("interrupt-map", row), slot << 11);
			KTAP_EQ(cell("interrupt-map", row + 3), pin);
			KTAP_EQ(cell("interrupt-map", row + 4), FDT_PHANDLE_INTC);
			KTAP_EQ(cell("interrupt-map", row + 8), 3 + (slot + pin - 1) % 4);
			KTAP_EQ(cell("interrupt-map", row + 9), FDT_IRQ_LEVEL_HIGH);
		}
	}
	end();
}

/* A device that has its place within the host's window by name alone does not hide the window. */
static void test_windowless(void)
{
	static const struct device_ops none = { .name = "none" };
	struct device dev = { .ops = &none, .base = SLOT(1) };

	setup();
	KTAP_EQ(pci_host_ecam(&fn[0]), SLOT(1));
	KTAP_EQ(device_register(&m.bus, &dev), 0);
	KTAP_EQ(get(SLOT(1), 4), 0x10ff1af4);
	KTAP_EQ(get(SLOT(2), 4), 0x10ff1af4);
	device_unregister(&m.bus, &dev);
	end();
}

/* The host is one, and what lies in its window keeps it away. */
static void test_place(void)
{
	static const struct device_ops none = { .name = "none" };
	struct device dev = { .ops = &none, .base = PCI_MMIO_BASE + 0x1000, .size = 4 };

	setup();
	KTAP_EQ(pci_host_need(&m, &err), 0);
	KTAP_EQ(m.bus.nr, 2);
	end();
	fake_machine_init(&m);
	KTAP_EQ(device_register(&m.bus, &dev), 0);
	KTAP_EQ(device_make(&m, "pcie", NULL, &err), (unsigned long long)-EEXIST);
	KTAP_STREQ(err.text, "pcie: another device is between 0x10000000 and 0x3fffffff");
	KTAP_TRUE(!m.pci);
	device_unregister(&m.bus, &dev);
	device_bus_destroy(&m.bus);
}

/* Anything, anywhere in the window. */
static void test_hostile(void)
{
	uint32_t seed = 1;

	setup();
	for (unsigned int i = 0; i < 300000; i++) {
		static const unsigned int widths[] = { 1, 2, 4, 8 };
		uint64_t gpa, value;

		seed = seed * 1664525 + 1013904223;
		gpa = PCI_MMIO_BASE + (seed >> 2) % 0x30000000;
		if (seed & 0x1000)
			gpa = SLOT(seed >> 20 & 3) + (seed >> 4) % 0x140;
		value = (uint64_t)(seed * 2654435761u) << 20 | seed >> 3;
		if (gpa + 8 <= RAM_BASE)
			device_bus_access(&m.bus, gpa, &value, widths[seed >> 30], seed >> 29 & 1);
		for (unsigned int f = 0; f < 2; f++)
			KTAP_TRUE(!fn[f].bar_gpa[0] || (fn[f].bar_gpa[0] >= PCI_MMIO_BASE &&
							fn[f].bar_gpa[0] <= PCI_PORT_BASE - LARGE));
	}
	KTAP_EQ(get(SLOT(1), 4), 0x10ff1af4);
	KTAP_EQ(get(SLOT(0), 4), 0x00081b36);
	end();
}

KTAP_MAIN(KTAP_CASE(test_header), KTAP_CASE(test_writable), KTAP_CASE(test_bars),
	  KTAP_CASE(test_bad_places), KTAP_CASE(test_pins), KTAP_CASE(test_shared_line),
	  KTAP_CASE(test_full), KTAP_CASE(test_caps), KTAP_CASE(test_state), KTAP_CASE(test_tree),
	  KTAP_CASE(test_windowless), KTAP_CASE(test_place), KTAP_CASE(test_hostile))

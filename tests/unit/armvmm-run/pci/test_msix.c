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
// Messages as interrupts: the frame of the interrupt controller, and a function's table, with a
// driver that goes by PCI 3.0 6.8.2 and with one that does not.
#include <errno.h>
#include <stdlib.h>

#include <linux/pci_regs.h>

#include "bus.h"
#include "../guest/lib/board.h"
#include "ktap.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/pci_board.h"
#include "armvmm-run/state_move.h"
#include "pci/function.h"
#include "pci/host.h"

#define FRAME		GICV2M_BASE
#define SETSPI		(FRAME + 0x40)
#define FIRST		80	/* the frame's first interrupt: SPI 48 */
#define COUNT		64
#define CONFIG		(PCI_ECAM_BASE + (1 << 15))
#define TABLE		PCI_MMIO_BASE
#define PBA		(TABLE + 0x800)
#define NR		3
#define PIN		(3 + 1)

static struct machine m;
static struct error err;
static struct pci_function fn;
static unsigned int cap;

#define get(gpa, len) bus_get(&m.bus, gpa, len)
#define put(gpa, len, value) bus_put(&m.bus, gpa, len, value)

static uint64_t no_read(struct pci_function *f, unsigned int bar, uint64_t offset,
			unsigned int len)
{
	KTAP_FAIL("BAR %u is the table's", bar);
	return 0;
}

static void no_write(struct pci_function *f, unsigned int bar, uint64_t offset, unsigned int len,
		     uint64_t value)
{
	KTAP_FAIL("BAR %u is the table's", bar);
}

static const struct pci_function_ops ops = { .read = no_read, .write = no_write };

/* A function with three messages, whose table is mapped. */
static void setup(void)
{
	fake_machine_init(&m);
	memset(&fn, 0, sizeof(fn));
	KTAP_EQ(device_make(&m, "pcie", NULL, &err), 0);
	pci_function_init(&fn, &ops, &(struct pci_id){ .vendor = 1, .pin = true });
	pci_msix_init(&fn, 1, NR);
	KTAP_EQ(pci_host_attach(m.pci, &fn), 0);
	put(CONFIG + PCI_BASE_ADDRESS_1, 4, TABLE);
	put(CONFIG + PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cap = CONFIG + get(CONFIG + PCI_CAPABILITY_LIST, 1);
}

static void end(void)
{
	pci_function_exit(&fn);
	device_bus_destroy(&m.bus);
}

static void flags(uint16_t value)
{
	put(cap + PCI_MSIX_FLAGS, 2, value);
}

/* Entry @n sends interrupt @intid, or is masked. */
static void entry(unsigned int n, uint32_t intid, bool masked)
{
	put(TABLE + 16 * n, 4, SETSPI);
	put(TABLE + 16 * n + 4, 4, 0);
	put(TABLE + 16 * n + 8, 4, intid);
	put(TABLE + 16 * n + 12, 4, masked);
}

/* How often interrupt @intid came since this was last asked. Each is one call of the kernel. */
static unsigned int came(unsigned int intid)
{
	unsigned int n = fake_edges[intid - 32];

	fake_edges[intid - 32] = 0;
	return n;
}

static unsigned int came_any(void)
{
	unsigned int n = 0;

	for (unsigned int intid = 32; intid < 32 + MAP_NR_SPIS; intid++)
		n += came(intid);
	return n;
}

static void test_frame(void)
{
	setup();
	KTAP_EQ(m.msi_frame, FRAME);
	KTAP_EQ(get(FRAME + 8, 4), FIRST << 16 | COUNT);
	KTAP_EQ(get(SETSPI, 4), 0);
	/* Not one of those whose errata Linux knows. */
	KTAP_TRUE(get(FRAME + 0xfcc, 4) != 0x06000170 && get(FRAME + 0xfcc, 4) != 0x0000013f);
	for (unsigned int i = 0; i < COUNT; i++) {
		put(SETSPI, 4, FIRST + i);
		KTAP_EQ(came(FIRST + i), 1);
		KTAP_EQ(fake_irq_changes, i + 1);
	}
	put(SETSPI, 2, FIRST);
	KTAP_EQ(came(FIRST), 1);
	/* Interrupts of others, and what is none. */
	put(SETSPI, 4, FIRST - 1);
	put(SETSPI, 4, FIRST + COUNT);
	put(SETSPI, 4, 0);
	put(SETSPI, 4, 0x10000 + FIRST);
	put(SETSPI, 4, UINT32_MAX);
	put(SETSPI, 1, FIRST);
	put(SETSPI, 8, FIRST);
	put(SETSPI + 4, 4, FIRST);
	put(SETSPI - 2, 4, FIRST << 16 | FIRST);
	KTAP_EQ(came_any(), 0);
	for (unsigned int offset = 0; offset < 0x1000; offset++)
		for (unsigned int len = 1; len <= 8; len *= 2)
			if (offset + len <= 0x1000)
				get(FRAME + offset, len);
	end();
}

static void test_capability(void)
{
	setup();
	KTAP_EQ(get(cap, 1), PCI_CAP_ID_MSIX);
	KTAP_EQ(get(cap + PCI_MSIX_FLAGS, 2), NR - 1);
	KTAP_EQ(get(cap + PCI_MSIX_TABLE, 4), 1);
	KTAP_EQ(get(cap + PCI_MSIX_PBA, 4), 0x801);
	flags(0xffff);
	KTAP_EQ(get(cap + PCI_MSIX_FLAGS, 2), 0xc000 | (NR - 1));
	put(cap + PCI_MSIX_TABLE, 4, 0);
	KTAP_EQ(get(cap + PCI_MSIX_TABLE, 4), 1);
	end();
}

static void test_messages(void)
{
	setup();
	entry(0, FIRST + 5, false);
	entry(1, FIRST + 6, false);
	entry(2, FIRST + 5, false);
	/* Not before it is enabled. */
	KTAP_TRUE(!pci_msix_is_on(&fn));
	pci_msix_send(&fn, 0);
	KTAP_EQ(came_any(), 0);
	flags(PCI_MSIX_FLAGS_ENABLE);
	KTAP_TRUE(pci_msix_is_on(&fn));
	KTAP_EQ(came_any(), 0);
	pci_msix_send(&fn, 0);
	KTAP_EQ(came(FIRST + 5), 1);
	pci_msix_send(&fn, 1);
	KTAP_EQ(came(FIRST + 6), 1);
	pci_msix_send(&fn, 2);
	KTAP_EQ(came(FIRST + 5), 1);
	/* There are no others. */
	for (unsigned int vector = NR; vector < 70; vector++)
		pci_msix_send(&fn, vector);
	pci_msix_send(&fn, 0xffff);
	KTAP_EQ(came_any(), 0);
	/* Who may not access memory sends none. */
	put(CONFIG + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	pci_msix_send(&fn, 0);
	KTAP_EQ(came_any(), 0);
	end();
}

static void test_masks(void)
{
	setup();
	for (unsigned int i = 0; i < NR; i++) {
		KTAP_EQ(get(TABLE + 16 * i + 12, 4), 1);
		entry(i, FIRST + i, true);
	}
	flags(PCI_MSIX_FLAGS_ENABLE);
	pci_msix_send(&fn, 0);
	pci_msix_send(&fn, 2);
	pci_msix_send(&fn, 2);
	KTAP_EQ(came_any(), 0);
	KTAP_EQ(get(PBA, 8), 5);
	KTAP_EQ(get(PBA, 1), 5);
	/* It comes once, when it is unmasked. */
	put(TABLE + 16 * 2 + 12, 4, 0);
	KTAP_EQ(came(FIRST + 2), 1);
	KTAP_EQ(get(PBA, 4), 1);
	/* So it does for the mask of the whole function. */
	flags(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	put(TABLE + 12, 4, 0);
	pci_msix_send(&fn, 2);
	KTAP_EQ(came_any(), 0);
	KTAP_EQ(get(PBA, 4), 5);
	flags(PCI_MSIX_FLAGS_ENABLE);
	KTAP_EQ(came(FIRST), 1);
	KTAP_EQ(came(FIRST + 2), 1);
	KTAP_EQ(get(PBA, 4), 0);
	/* What waits is forgotten when MSI-X is turned off. */
	put(TABLE + 12, 4, 1);
	pci_msix_send(&fn, 0);
	flags(0);
	flags(PCI_MSIX_FLAGS_ENABLE);
	put(TABLE + 12, 4, 0);
	KTAP_EQ(came_any(), 0);
	end();
}

/* Addresses at which nobody takes a message. None of them becomes another access. */
static void test_elsewhere(void)
{
	static const uint32_t places[] = { 0, RAM_BASE, UART_BASE, FRAME, FRAME + 0x44, GICD_BASE };

	setup();
	flags(PCI_MSIX_FLAGS_ENABLE);
	entry(0, FIRST, false);
	for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		put(TABLE, 4, places[i]);
		pci_msix_send(&fn, 0);
	}
	put(TABLE, 4, SETSPI);
	put(TABLE + 4, 4, 1);
	pci_msix_send(&fn, 0);
	KTAP_EQ(came_any(), 0);
	put(TABLE + 4, 4, 0);
	put(TABLE + 8, 4, FIRST + COUNT);
	pci_msix_send(&fn, 0);
	KTAP_EQ(came_any(), 0);
	end();
}

static void test_pin(void)
{
	setup();
	pci_function_set_intx(&fn, true);
	KTAP_TRUE(fake_level[PIN]);
	flags(PCI_MSIX_FLAGS_ENABLE);
	KTAP_TRUE(!fake_level[PIN]);
	flags(0);
	KTAP_TRUE(fake_level[PIN]);
	pci_function_set_intx(&fn, false);
	end();
}

/* The table at all widths: whole words and pairs count (6.8.2), and nothing beyond its end. */
static void test_widths(void)
{
	setup();
	put(TABLE, 8, 0x1122334455667788);
	put(TABLE + 8, 8, 0xffffffffaabbccdd);
	KTAP_EQ(get(TABLE, 8), 0x1122334455667788);
	KTAP_EQ(get(TABLE + 8, 8), 0x00000001aabbccdd);
	KTAP_EQ(get(TABLE + 2, 4), 0x33445566);
	KTAP_EQ(get(TABLE + 3, 1), 0x55);
	put(TABLE, 1, 0);
	put(TABLE, 2, 0);
	put(TABLE + 2, 4, 0);
	put(TABLE + 4, 8, 0);
	KTAP_EQ(get(TABLE, 8), 0x1122334455667788);
	KTAP_EQ(get(TABLE + 8, 8), 0x00000001aabbccdd);
	put(TABLE, 4, UINT32_MAX);
	KTAP_EQ(get(TABLE, 4), 0xfffffffc);
	for (unsigned int offset = 16 * NR; offset < 0x1000; offset += 4)
		put(TABLE + offset, 4, UINT32_MAX);
	put(TABLE + 16 * NR, 8, UINT64_MAX);
	for (unsigned int offset = 16 * NR; offset < 0x1000; offset += 4)
		KTAP_EQ(get(TABLE + offset, 4), 0);
	KTAP_EQ(get(TABLE + 0xff8, 8), 0);
	end();
}

static void test_state(void)
{
	struct record saved = { .len = 0 }, in;

	setup();
	entry(0, FIRST + 9, false);
	entry(1, FIRST + 10, true);
	flags(PCI_MSIX_FLAGS_ENABLE);
	pci_msix_send(&fn, 1);
	pci_function_save(&fn, &saved);
	pci_function_reset(&fn);
	KTAP_TRUE(!pci_msix_is_on(&fn));
	record_open(&in, saved.data, saved.len);
	KTAP_EQ(pci_function_restore(&fn, &in), 0);
	KTAP_EQ(record_close(&in), 0);
	KTAP_EQ(came_any(), 0);
	KTAP_EQ(get(PBA, 4), 2);
	pci_msix_send(&fn, 0);
	KTAP_EQ(came(FIRST + 9), 1);
	put(TABLE + 16 + 12, 4, 0);
	KTAP_EQ(came(FIRST + 10), 1);
	for (size_t len = 0; len < saved.len; len++) {
		record_open(&in, saved.data, len);
		KTAP_EQ(pci_function_restore(&fn, &in), (unsigned long long)-EBADMSG);
	}
	/* Bits that no driver can set are not there, whoever wrote the record. */
	memset(saved.data + PCI_CONFIG_SIZE, 0xff, saved.len - PCI_CONFIG_SIZE);
	saved.data[PCI_CONFIG_SIZE] = 1;
	record_open(&in, saved.data, saved.len);
	KTAP_EQ(pci_function_restore(&fn, &in), 0);
	KTAP_EQ(get(TABLE + 12, 4), 1);
	KTAP_EQ(get(PBA, 4), (1 << NR) - 1);
	record_free(&saved);
	end();
}

KTAP_MAIN(KTAP_CASE(test_frame), KTAP_CASE(test_capability), KTAP_CASE(test_messages),
	  KTAP_CASE(test_masks), KTAP_CASE(test_elsewhere), KTAP_CASE(test_pin),
	  KTAP_CASE(test_widths), KTAP_CASE(test_state))

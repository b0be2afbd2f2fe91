// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/fwcfg.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// files: tests/unit/armvmm-run/machine_fake.h tests/unit/armvmm-run/device_make.h
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// fw_cfg by register and by DMA, as firmware uses it, and with descriptors that lie.
#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "../guest/lib/board.h"
#include "core/fwcfg_item.h"
#include "ktap.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/state_move.h"

#define RAM	((uint64_t)RAM_BASE)
#define SIZE	(8u << 20)
#define BASE	FWCFG_BASE
#define DESC	(RAM + 0x1000)
#define BUF	(RAM + 0x10000)

static struct machine m;
static struct error err;
static unsigned int reads;
static int read_error;

void machine_note(struct machine *machine, const char *fmt, ...)
{
}

static int item_read(void *opaque, uint32_t offset, void *buf, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (offset + i) * 7;
	KTAP_TRUE(offset + len <= 100000);
	reads++;
	return read_error;
}

static const uint32_t kernel_size = 100000;
static const struct fwcfg_item items[] = {
	{ .key = FWCFG_KERNEL_SIZE, .size = 4, .data = &kernel_size },
	{ .key = FWCFG_KERNEL_DATA, .size = 100000, .read = item_read },
	{ .key = FWCFG_CMDLINE_DATA, .size = 6, .data = "quiet" },
};

static void start(void)
{
	fake_machine_init(&m);
	KTAP_EQ(guestmem_alloc(&m.mem, RAM, SIZE), 0);
	m.fwcfg_items = items;
	m.nr_fwcfg_items = 3;
	reads = read_error = 0;
	KTAP_EQ(device_make(&m, "fw-cfg", NULL, &err), 0);
}

static void stop(void)
{
	device_bus_destroy(&m.bus);
	guestmem_destroy(&m.mem);
}

static void select_item(uint16_t key)
{
	uint16_t value = htobe16(key);

	device_bus_access(&m.bus, BASE + 8, &value, 2, 1);
}

static uint64_t data(unsigned int len)
{
	uint64_t value = 0;

	device_bus_access(&m.bus, BASE, &value, len, 0);
	return value;
}

/* Runs a descriptor that is at @gpa, and returns its control word afterwards. */
static uint32_t dma_at(uint64_t gpa, uint32_t control, uint32_t len, uint64_t address)
{
	struct {
		uint32_t control, len;
		uint64_t address;
	} d = { htobe32(control), htobe32(len), htobe64(address) };
	uint64_t value = htobe64(gpa);

	if (!guestmem_write(&m.mem, gpa, &d, sizeof(d))) {
		device_bus_access(&m.bus, BASE + 16, &value, 8, 1);
		guestmem_read(&m.mem, gpa, &d.control, 4);
	}
	return be32toh(d.control);
}

static uint32_t dma(uint32_t control, uint32_t len, uint64_t address)
{
	return dma_at(DESC, control, len, address);
}

static void test_registers(void)
{
	start();
	KTAP_EQ(data(4), 0x554d4551);	/* QEMU */
	KTAP_EQ(data(8), 0);
	select_item(FWCFG_ID);
	KTAP_EQ(data(4), 3);
	select_item(FWCFG_KERNEL_SIZE);
	KTAP_EQ(data(4), 100000);
	select_item(FWCFG_CMDLINE_DATA);
	KTAP_EQ(data(1), 'q');
	KTAP_EQ(data(2), 'u' | 'i' << 8);
	KTAP_EQ(data(8), 'e' | 't' << 8);
	select_item(FWCFG_FILE_DIR);
	KTAP_EQ(data(4), 0);
	/* Items that do not exist have no bytes. */
	select_item(0x4321);
	KTAP_EQ(data(8), 0);
	/* The DMA register identifies itself. */
	uint64_t magic = 0;

	device_bus_access(&m.bus, BASE + 16, &magic, 8, 0);
	KTAP_MEMEQ((char *)&magic, "QEMU CFG", 8);
	magic = 0;
	device_bus_access(&m.bus, BASE + 20, &magic, 4, 0);
	KTAP_MEMEQ((char *)&magic, " CFG", 4);
	stop();
}

static void test_dma(void)
{
	uint8_t *buf;

	start();
	buf = guestmem_ptr(&m.mem, BUF, 200000);
	/* Select and read; go on; skip. */
	KTAP_EQ(dma(FWCFG_KERNEL_DATA << 16 | 0x0a, 1000, BUF), 0);
	KTAP_EQ(buf[999], (uint8_t)(999 * 7));
	KTAP_EQ(buf[1000], 0);
	KTAP_EQ(dma(0x04, 5000, 0), 0);
	KTAP_EQ(dma(0x02, 10, BUF), 0);
	KTAP_EQ(buf[0], (uint8_t)(6000 * 7));
	KTAP_EQ(reads, 2);
	/* The end, and zeroes behind it. */
	memset(buf, 0xaa, 200000);
	KTAP_EQ(dma(FWCFG_KERNEL_DATA << 16 | 0x0a, 150000, BUF), 0);
	KTAP_EQ(buf[99999], (uint8_t)(99999 * 7));
	KTAP_EQ(buf[100000] | buf[149999], 0);
	KTAP_EQ(buf[150000], 0xaa);
	/* In halves, the lower one last. */
	struct {
		uint32_t control, len;
		uint64_t address;
	} d = { htobe32(FWCFG_CMDLINE_DATA << 16 | 0x0a), htobe32(6), htobe64(BUF) };

	guestmem_write(&m.mem, DESC, &d, sizeof(d));
	fake_write(&m, BASE + 16, 0);
	fake_write(&m, BASE + 20, htobe32(DESC));
	KTAP_MEMEQ(buf, "quiet", 6);
	/* Data that cannot be read is an error. */
	read_error = -EIO;
	KTAP_EQ(dma(FWCFG_KERNEL_DATA << 16 | 0x0a, 10, BUF), 1);
	/* Nothing can be written. */
	KTAP_EQ(dma(FWCFG_CMDLINE_DATA << 16 | 0x18, 4, BUF), 1);
	select_item(FWCFG_CMDLINE_DATA);
	KTAP_EQ(data(1), 'q');

	/* A reset forgets what was selected. */
	device_bus_reset(&m.bus);
	KTAP_EQ(data(4), 0x554d4551);
	stop();
}

/* Descriptors and buffers that are outside memory, or reach beyond it. */
static void test_hostile_dma(void)
{
	static const uint64_t bad[] = { 0, 0x1000, BASE, RAM - 1, RAM + SIZE - 3, RAM + SIZE, ~0ull,
					~0ull - 15, 1ull << 40 | RAM };

	start();
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t value = htobe64(bad[i]);

		KTAP_EQ(dma(FWCFG_KERNEL_DATA << 16 | 0x0a, 4, bad[i]), 1);
		device_bus_access(&m.bus, BASE + 16, &value, 8, 1);
	}
	KTAP_EQ(reads, 0);
	KTAP_EQ(dma(FWCFG_KERNEL_DATA << 16 | 0x0a, ~0u, BUF), 1);
	KTAP_EQ(dma(FWCFG_KERNEL_DATA << 16 | 0x0a, SIZE, BUF), 1);
	/* An absurd number of zeroes, though there is memory. */
	KTAP_EQ(dma(0x4321 << 16 | 0x0a, 4 << 20, BUF), 1);
	KTAP_EQ(dma(0x4321 << 16 | 0x0a, 1 << 20, BUF), 0);
	KTAP_EQ(reads, 0);
	/* A descriptor that is in its own buffer, and one at the very end of memory. */
	KTAP_EQ(dma_at(BUF, FWCFG_KERNEL_DATA << 16 | 0x0a, 16, BUF), 0);
	KTAP_EQ(dma_at(RAM + SIZE - 16, FWCFG_KERNEL_DATA << 16 | 0x0a, 4, BUF), 0);
	/* Far beyond the end of an item. */
	KTAP_EQ(dma(FWCFG_KERNEL_DATA << 16 | 0x0c, ~0u, 0), 0);
	KTAP_EQ(dma(0x04, ~0u, 0), 0);
	KTAP_EQ(data(8), 0);
	KTAP_EQ(dma(0x02, 100, BUF), 0);
	stop();
}

static void test_hostile_registers(void)
{
	start();
	fake_fuzz(&m, BASE, 50000);
	for (uint64_t at = 0; at < 0x18; at++)
		fake_fuzz(&m, BASE + at - 0x800, 3000);
	select_item(FWCFG_ID);
	KTAP_EQ(data(4), 3);
	stop();
}

/* In the middle of an item, and of a descriptor's address. */
static void test_saved(void)
{
	uint64_t value = 0;
	struct record saved;
	uint32_t high = htobe32(0x12345678);

	start();
	select_item(FWCFG_CMDLINE_DATA);
	KTAP_EQ(data(2), 'q' | 'u' << 8);
	device_bus_access(&m.bus, BASE + 16, &high, 4, 1);
	state_save(m.bus.dev[0], &saved);
	device_bus_destroy(&m.bus);
	KTAP_EQ(device_make(&m, "fw-cfg", NULL, &err), 0);
	state_torture(m.bus.dev[0], &saved);
	device_bus_access(&m.bus, BASE, &value, 3, 0);
	KTAP_EQ(value, 'i' | 'e' << 8 | 't' << 16);
	record_free(&saved);
	state_save(m.bus.dev[0], &saved);
	/* Behind key and position. */
	memcpy(&high, saved.data + 10, sizeof(high));
	KTAP_EQ(high, 0x12345678);
	record_free(&saved);
	stop();
}

KTAP_MAIN(KTAP_CASE(test_registers), KTAP_CASE(test_dma), KTAP_CASE(test_hostile_dma),
	  KTAP_CASE(test_hostile_registers), KTAP_CASE(test_saved))

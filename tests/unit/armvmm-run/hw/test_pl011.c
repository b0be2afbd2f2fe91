// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/pl011.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/posted.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -DREAL_POSTED
// pkgs: glib-2.0
// libs: -lfdt
//
// The serial port against DDI 0183G: FIFOs, levels, interrupts, and a guest
// that writes nonsense.
#include "pl011_guest.h"

static void test_reset_values(void)
{
	static const uint32_t id[] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	setup();
	KTAP_EQ(fake_read(&m, UART(FR)) & (FR_RXFE | FR_TXFE | FR_RXFF | FR_TXFF | FR_BUSY),
		FR_RXFE | FR_TXFE);
	KTAP_EQ(fake_read(&m, UART(CR)), 0x300);
	KTAP_EQ(fake_read(&m, UART(IFLS)), 0x12);
	KTAP_EQ(fake_read(&m, UART(IMSC)), 0);
	KTAP_EQ(fake_read(&m, UART(DR)), 0);
	for (int i = 0; i < 8; i++)
		KTAP_EQ(fake_read(&m, UART(0xfe0 + 4 * i)), id[i]);
	teardown();
}

static void test_transmit(void)
{
	setup();
	for (const char *c = "hello"; *c; c++)
		fake_write(&m, UART(DR), *c);
	KTAP_EQ(fake_chr.out_len, 5);
	KTAP_MEMEQ(fake_chr.out, "hello", 5);
	KTAP_EQ(fake_read(&m, UART(RIS)) & INT_TX, INT_TX);
	KTAP_EQ(irq(), 0);
	fake_write(&m, UART(IMSC), INT_TX);
	KTAP_EQ(irq(), 1);
	KTAP_EQ(fake_read(&m, UART(MIS)), INT_TX);
	fake_write(&m, UART(ICR), INT_TX);
	KTAP_EQ(irq(), 0);
	teardown();
}

/*
 * A terminal that takes nothing: the FIFO fills, reports that, loses the 17th byte, drains in
 * order.
 */
static void test_transmit_backlog(void)
{
	setup();
	fake_write(&m, UART(LCR_H), FEN);
	fake_write(&m, UART(CR), CR_ON);
	fake_chr.out_room = 0;
	for (int i = 0; i < 17; i++) {
		KTAP_EQ(!!(fake_read(&m, UART(FR)) & FR_TXFF), i >= 16);
		fake_write(&m, UART(DR), 'a' + i);
	}
	KTAP_EQ(fake_read(&m, UART(FR)) & (FR_TXFF | FR_TXFE | FR_BUSY), FR_TXFF | FR_BUSY);
	fake_write(&m, UART(IMSC), INT_TX);
	KTAP_EQ(irq(), 0);

	/* At the reset trigger of one half the interrupt comes when 8 are left, not 9. */
	fake_chr.out_room = 7;
	fake_chr.client->tx_room(fake_chr.client);
	KTAP_EQ(irq(), 0);
	fake_chr.out_room = 1;
	fake_chr.client->tx_room(fake_chr.client);
	KTAP_EQ(irq(), 1);
	fake_chr.out_room = 100;
	fake_chr.client->tx_room(fake_chr.client);
	KTAP_EQ(fake_chr.out_len, 16);
	KTAP_MEMEQ(fake_chr.out, "abcdefghijklmnop", 16);
	KTAP_EQ(fake_read(&m, UART(FR)) & (FR_TXFE | FR_BUSY), FR_TXFE);
	teardown();
}

static void test_receive(void)
{
	setup();
	KTAP_EQ(feed("x"), 0);	/* nobody listens: the input waits */
	fake_write(&m, UART(LCR_H), FEN);
	fake_write(&m, UART(CR), CR_ON);
	KTAP_EQ(feed("x"), 0);	/* on for output only, perhaps */
	fake_chr.rx_readies = 0;
	fake_write(&m, UART(IMSC), INT_RX | INT_RT);
	KTAP_EQ(fake_chr.rx_readies, 1);

	/* Below the trigger of 8 only the timeout tells. */
	KTAP_EQ(feed("abc"), 3);
	KTAP_EQ(fake_read(&m, UART(RIS)) & (INT_RX | INT_RT), INT_RT);
	KTAP_EQ(irq(), 1);
	KTAP_EQ(feed("defgh"), 5);
	KTAP_EQ(fake_read(&m, UART(RIS)) & INT_RX, INT_RX);
	KTAP_EQ(fake_read(&m, UART(DR)), 'a');
	KTAP_EQ(fake_read(&m, UART(RIS)) & INT_RX, 0);
	for (const char *c = "bcdefg"; *c; c++)
		KTAP_EQ(fake_read(&m, UART(DR)), *c);
	KTAP_EQ(irq(), 1);	/* one byte left: the timeout still stands */
	KTAP_EQ(fake_read(&m, UART(DR)), 'h');
	KTAP_EQ(irq(), 0);
	KTAP_EQ(fake_read(&m, UART(FR)) & FR_RXFE, FR_RXFE);
	teardown();
}

static void test_receive_full(void)
{
	setup();
	fake_write(&m, UART(LCR_H), FEN);
	listen();
	KTAP_EQ(feed("0123456789abcdefXYZ"), 16);
	KTAP_EQ(fake_read(&m, UART(FR)) & FR_RXFF, FR_RXFF);
	KTAP_EQ(feed("X"), 0);
	fake_chr.rx_readies = 0;
	KTAP_EQ(fake_read(&m, UART(DR)), '0');
	KTAP_EQ(fake_chr.rx_readies, 1);	/* room again: the terminal is told */
	KTAP_EQ(fake_read(&m, UART(DR)), '1');
	KTAP_EQ(fake_chr.rx_readies, 1);
	KTAP_EQ(feed("XYZ"), 2);
	teardown();
}

/* A guest that polls gets its input; one that sends, and only looks whether it may, does not. */
static void test_polled(void)
{
	setup();
	fake_write(&m, UART(LCR_H), FEN);
	fake_write(&m, UART(CR), CR_ON);
	for (int i = 0; i < 100; i++) {
		fake_read(&m, UART(FR));
		fake_read(&m, UART(FR));
		fake_write(&m, UART(DR), '.');
	}
	KTAP_EQ(feed("x"), 0);
	fake_chr.rx_readies = 0;
	for (int i = 0; i < 16; i++) {
		KTAP_EQ(fake_chr.rx_readies, 0);
		fake_read(&m, UART(FR));
	}
	KTAP_EQ(fake_chr.rx_readies, 1);
	KTAP_EQ(feed("abcd"), 4);
	KTAP_EQ(fake_read(&m, UART(DR)), 'a');
	fake_write(&m, UART(DR), 'a');		/* an echo does not make it deaf */
	KTAP_EQ(feed("efgh"), 4);
	fake_write(&m, UART(CR), CR_ON);	/* setting the port up anew does */
	KTAP_EQ(feed("i"), 0);
	teardown();
}

/* CR as it was found, or RIS polled instead of FR: a bare-metal program gets its input, too. */
static void test_polled_as_found(void)
{
	static const unsigned int regs[] = { FR, RIS };

	for (unsigned int r = 0; r < 2; r++) {
		setup();
		KTAP_EQ(feed("x"), 0);
		for (int i = 0; i < 16; i++)
			fake_read(&m, UART(regs[r]));
		KTAP_EQ(fake_chr.rx_readies, 1);
		KTAP_EQ(feed("y"), 1);
		KTAP_EQ(fake_read(&m, UART(FR)) & FR_RXFE, 0);
		KTAP_EQ(fake_read(&m, UART(RIS)) & INT_RX, INT_RX);
		KTAP_EQ(fake_read(&m, UART(DR)), 'y');
		/* If a guest turns the port off, it gets no input. */
		fake_write(&m, UART(CR), 0);
		for (int i = 0; i < 16; i++)
			fake_read(&m, UART(regs[r]));
		KTAP_EQ(feed("z"), 0);
		teardown();
	}
}

/* A break into a full FIFO overruns; UARTRSR keeps the error until written. */
static void test_break(void)
{
	setup();
	listen();
	fake_chr.client->rx_break(fake_chr.client);
	KTAP_EQ(fake_read(&m, UART(RIS)) & INT_BE, INT_BE);
	KTAP_EQ(fake_read(&m, UART(RSR)), 0);
	KTAP_EQ(fake_read(&m, UART(DR)), 0x400);
	KTAP_EQ(fake_read(&m, UART(RSR)), 4);
	fake_write(&m, UART(RSR), 0);
	KTAP_EQ(fake_read(&m, UART(RSR)), 0);

	KTAP_EQ(feed("ab"), 1);	/* without FIFOs a single byte is kept */
	fake_chr.client->rx_break(fake_chr.client);
	KTAP_EQ(fake_read(&m, UART(RIS)) & INT_OE, INT_OE);
	KTAP_EQ(fake_read(&m, UART(DR)), 'a');
	teardown();
}

static void test_fifo_enable_flushes(void)
{
	setup();
	fake_write(&m, UART(LCR_H), FEN);
	listen();
	feed("abc");
	fake_write(&m, UART(LCR_H), 0);
	KTAP_EQ(fake_read(&m, UART(FR)) & FR_RXFE, FR_RXFE);
	KTAP_EQ(fake_read(&m, UART(RIS)) & (INT_RX | INT_RT), 0);
	teardown();
}

static void test_loopback(void)
{
	setup();
	fake_write(&m, UART(LCR_H), FEN);
	fake_write(&m, UART(CR), CR_ON | 0x80);
	fake_write(&m, UART(DR), 'L');
	KTAP_EQ(fake_chr.out_len, 0);
	KTAP_EQ(fake_read(&m, UART(DR)), 'L');
	teardown();
}

static void test_odd_accesses(void)
{
	uint8_t byte = 'B';
	uint64_t wide = ~0ull;

	setup();
	KTAP_EQ(device_bus_access(&m.bus, UART(DR), &byte, 1, 1), 0);
	KTAP_EQ(fake_chr.out_len, 1);
	KTAP_EQ(device_bus_access(&m.bus, UART(DR) + 1, &byte, 1, 1), 0);
	KTAP_EQ(device_bus_access(&m.bus, UART(DR), &wide, 8, 1), 0);
	KTAP_EQ(fake_chr.out_len, 1);
	KTAP_EQ(device_bus_access(&m.bus, UART(FR), &wide, 8, 0), 0);
	KTAP_EQ(wide, 0);
	/* Beyond the end of the window: no device. */
	wide = ~0ull;
	KTAP_EQ(device_bus_access(&m.bus, UART(0xffc), &wide, 8, 0), (unsigned long long)-ENXIO);
	KTAP_EQ(wide, 0);
	KTAP_EQ(m.bus.nr_unclaimed, 1);
	teardown();
}

static void test_reset(void)
{
	setup();
	fake_write(&m, UART(LCR_H), FEN);
	fake_write(&m, UART(CR), CR_ON);
	fake_write(&m, UART(IMSC), 0x7ff);
	feed("abc");
	KTAP_EQ(irq(), 1);
	device_bus_reset(&m.bus);
	KTAP_EQ(irq(), 0);
	KTAP_EQ(fake_read(&m, UART(CR)), 0x300);
	KTAP_EQ(fake_read(&m, UART(LCR_H)), 0);
	KTAP_EQ(fake_read(&m, UART(DR)), 0);
	teardown();
}

static void test_fuzz(void)
{
	setup();
	for (int i = 0; i < 200; i++) {
		fake_chr.out_len = 0;
		fake_chr.out_room = i % 3 ? 64 : 0;
		fake_fuzz(&m, UART_BASE, 1000);
		feed("fuzz");
		fake_chr.out_len = 0;
		fake_chr.out_room = sizeof(fake_chr.out);
		fake_chr.client->tx_room(fake_chr.client);
	}
	/* It still works. */
	device_bus_reset(&m.bus);
	fake_chr.out_len = 0;
	fake_write(&m, UART(DR), 'k');
	KTAP_EQ(fake_chr.out_len, 1);
	teardown();
}

/* ---- Snapshots ---- */

/* A FIFO that a slow terminal leaves full, input that nobody has read, and levels of its own. */
static void test_saved(void)
{
	static const uint16_t regs[] = {
		RSR, FR, 0x20, 0x24, 0x28, LCR_H, CR, IFLS, IMSC, RIS, MIS, 0x48,
	};
	uint32_t before[sizeof(regs) / sizeof(regs[0])];
	struct record saved;

	setup();
	fake_write(&m, UART(LCR_H), FEN | 0x60);
	fake_write(&m, UART(IFLS), 0x24);
	fake_write(&m, UART(0x24), 13);
	fake_write(&m, UART(0x28), 1);
	listen();
	fake_chr.client->receive(fake_chr.client, (const uint8_t *)"in", 2);
	fake_chr.client->rx_break(fake_chr.client);
	fake_chr.out_room = 0;
	for (const char *c = "waits"; *c; c++)
		fake_write(&m, UART(DR), *c);
	for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		before[i] = fake_read(&m, UART(regs[i]));
	KTAP_TRUE(irq());
	state_save(m.bus.dev[0], &saved);
	teardown();

	setup();
	fake_chr.out_room = 0;
	state_torture(m.bus.dev[0], &saved);
	m.bus.dev[0]->ops->reset(m.bus.dev[0]);
	fake_irq_changes = 0;
	KTAP_EQ(state_restore(m.bus.dev[0], &saved, saved.len, NULL), 0);
	for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		KTAP_EQ(fake_read(&m, UART(regs[i])), before[i]);
	KTAP_TRUE(irq());
	/* The machine raises it, and not the device. */
	KTAP_EQ(fake_irq_changes, 0);
	KTAP_EQ(fake_read(&m, UART(DR)), 'i');
	KTAP_EQ(fake_read(&m, UART(DR)), 'n');
	KTAP_EQ(fake_read(&m, UART(DR)), 1 << 10);
	KTAP_TRUE(fake_read(&m, UART(FR)) & FR_RXFE);
	/* The new terminal has room, and says so to nobody. */
	fake_chr.out_room = 100;
	m.bus.dev[0]->ops->resume(m.bus.dev[0]);
	fake_chr.out[fake_chr.out_len] = 0;
	KTAP_STREQ((char *)fake_chr.out, "waits");
	record_free(&saved);
	teardown();
}

/* A port that leads nowhere: it takes all, gives nothing, and leaves the terminal to the other. */
static void test_spare(void)
{
	const struct machine_device place = {
		.name = "pl011", .base = UART_BASE + 0x1000, .spi = 9, .spare = true,
	};
	struct error err = { "" };
	struct chardev_client *client;

	setup();
	client = fake_chr.client;
	KTAP_EQ(device_type_find("pl011")->create(&m, &place, &err), 0);
	KTAP_EQ(device_bus_begin(&m.bus, &err), 0);
	KTAP_TRUE(fake_chr.client == client);
	fake_write(&m, UART(0x1000 + CR), 0x301);
	fake_write(&m, UART(0x1000 + IMSC), 0x7ff);
	for (unsigned int i = 0; i < 100; i++) {
		fake_write(&m, UART(0x1000 + DR), 'x');
		KTAP_EQ(fake_read(&m, UART(0x1000 + FR)) & 0xb8, 0x90);
	}
	KTAP_EQ(fake_line[9]->level, 1);
	KTAP_EQ(fake_chr.out_len, 0);
	fake_fuzz(&m, UART_BASE + 0x1000, 100000);
	device_bus_reset(&m.bus);
	device_bus_resume(&m.bus);
	KTAP_EQ(fake_line[9]->level, 0);
	fake_write(&m, UART(DR), 'k');
	KTAP_EQ(fake_chr.out_len, 1);
	teardown();
}

KTAP_MAIN(KTAP_CASE(test_reset_values), KTAP_CASE(test_transmit),
	  KTAP_CASE(test_transmit_backlog), KTAP_CASE(test_receive), KTAP_CASE(test_receive_full),
	  KTAP_CASE(test_polled), KTAP_CASE(test_polled_as_found), KTAP_CASE(test_break),
	  KTAP_CASE(test_fifo_enable_flushes), KTAP_CASE(test_loopback),
	  KTAP_CASE(test_odd_accesses), KTAP_CASE(test_reset), KTAP_CASE(test_fuzz),
	  KTAP_CASE(test_saved), KTAP_CASE(test_spare))

/* SPDX-License-Identifier: GPL-2.0-only */
/* The serial port's registers (DDI 0183G 3.2), and a guest that accesses them. */
#ifndef PL011_GUEST_H
#define PL011_GUEST_H

#include "ktap.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/posted_kernel.h"
#include "armvmm-run/state_move.h"

#define UART(reg)	(UART_BASE + (reg))
#define DR		0x00
#define RSR		0x04
#define FR		0x18
#define LCR_H		0x2c
#define CR		0x30
#define IFLS		0x34
#define IMSC		0x38
#define RIS		0x3c
#define MIS		0x40
#define ICR		0x44

#define FR_BUSY		(1 << 3)
#define FR_RXFE		(1 << 4)
#define FR_TXFF		(1 << 5)
#define FR_RXFF		(1 << 6)
#define FR_TXFE		(1 << 7)
#define FEN		(1 << 4)
#define CR_ON		0x301
#define INT_RX		(1 << 4)
#define INT_TX		(1 << 5)
#define INT_RT		(1 << 6)
#define INT_BE		(1 << 9)
#define INT_OE		(1 << 10)

static struct machine m;

/* ---- The guest: as a vCPU's accesses, of which the kernel takes some ---- */

static inline void guest_write(unsigned int reg, uint32_t value)
{
	if (post(UART(reg), 4, value))
		return;
	posted_drain(&m);
	fake_write(&m, UART(reg), value);
}

static inline uint32_t guest_read(unsigned int reg)
{
	if (reg == FR && kernel.mirror)
		return kernel.flags;
	posted_drain(&m);
	return fake_read(&m, UART(reg));
}

static inline void guest_send(const char *text)
{
	for (; *text; text++)
		guest_write(DR, *text);
}

static inline void setup_with(bool old)
{
	struct error err = { "" };

	fake_machine_init(&m);
	kernel_init(&m, old);
	KTAP_EQ(device_make(&m, "pl011", NULL, &err), 0);
	KTAP_EQ(device_bus_begin(&m.bus, &err), 0);
}

/* Without what is new: all tests up to those of posted writes. */
static inline void setup(void)
{
	setup_with(true);
}

static inline void setup_fast(void)
{
	setup_with(false);
}

static inline void teardown(void)
{
	device_bus_destroy(&m.bus);
	kernel_exit();
}

static inline bool irq(void)
{
	return fake_line[UART_SPI]->level;
}

/* On, with receive interrupts, as in Linux. */
static inline void listen(void)
{
	fake_write(&m, UART(CR), CR_ON);
	fake_write(&m, UART(IMSC), INT_RX | INT_RT);
}

static inline size_t feed(const char *text)
{
	size_t room = fake_chr.client->rx_room(fake_chr.client), len = strlen(text);

	if (len > room)
		len = room;
	if (len)
		fake_chr.client->receive(fake_chr.client, (const uint8_t *)text, len);
	return len;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The addresses of QEMU's virt board, which every machine of the tests has too. C, assembly and
 * guest code in strings may include this. The numbers are from the board's device tree and DDI
 * 0183G 3.2, not from armvmm-run's map.h, so that the tests find a wrong number there.
 * scripts/board-literals finds copies of them.
 */
#ifndef TEST_BOARD_H
#define TEST_BOARD_H

#define GICD_BASE	0x08000000
#define GICC_BASE	0x08010000
#define GIC_END		0x08020000
#define GICV2M_BASE	0x08020000	/* armvmm-run: with the PCI host */
#define GICH_BASE	0x08030000	/* the same, with virtualization=on */
#define GICV_BASE	0x08040000
#define UART_BASE	0x09000000
#define RTC_BASE	0x09010000
#define FWCFG_BASE	0x09020000
#define GPIO_BASE	0x09030000
#define VIRTIO_BASE	0x0a000000
#define VIRTIO_SIZE	0x200
#define VIRTIO_SLOTS	32
#define DEV_BASE	VIRTIO_BASE	/* a client without virtio has its test device there */
#define RAM_BASE	0x40000000
#define UART_SPI	1
#define RTC_SPI		2
#define GPIO_SPI	7
#define VIRTIO_SPI	16	/* of the first slot */
#define LOAD_ADDR	(RAM_BASE + 0x10000)	/* the tests' programs start there */

/* PL011 */
#define UART_DR		(UART_BASE + 0x000)
#define UART_FR		(UART_BASE + 0x018)
#define UART_FR_RXFE	(1 << 4)
#define UART_FR_TXFF	(1 << 5)
#define UART_LCR_H	(UART_BASE + 0x02c)
#define UART_CR		(UART_BASE + 0x030)
#define UART_IMSC	(UART_BASE + 0x038)
#define UART_RIS	(UART_BASE + 0x03c)
#define UART_MIS	(UART_BASE + 0x040)
#define UART_ICR	(UART_BASE + 0x044)
#define UART_INT_TX	(1 << 5)

#endif

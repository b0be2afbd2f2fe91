// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest on QEMU's virt board with two CPUs and no MMU. CPU 0 acknowledges an SPI and then targets
 * it at CPU 1, acknowledges an SGI that CPU 1 sent, and says so. It handles the interrupt of the
 * PL011, whose line is high, too. When it receives a character, it ends all three and prints which
 * are still active. A migration in between must keep the CPU that handles the SPI, the CPU that
 * sent the SGI, and that the PL011's interrupt is pending by its line alone: it comes again as long
 * as the line is high (x), and not once more when the device has let it fall (another character).
 */
#include "../guest/lib/gicregs.h"
#include "../guest/lib/psci.h"

typedef unsigned int u32;

#define REG(a)		(*(volatile u32 *)(a))
#define BYTE(a)		(*(volatile unsigned char *)(a))
#define SPI		40
#define SGI		3
#define UART_INTID	(32 + UART_SPI)		/* a level */

void guest_main(void);
void guest_second(void);

__asm__("	.section .text.start, \"ax\"\n"
	"	.globl _start\n"
	"_start:	ldr sp, =stacks + 4096\n"
	"	bl guest_main\n"
	"	.globl second_start\n"
	"second_start:	ldr sp, =stacks + 8192\n"
	"	bl guest_second\n"
	"1:	wfi\n"
	"	b 1b\n"
	"	.ltorg\n"
	"	.previous");

extern char second_start[];
char stacks[8192] __attribute__((aligned(8)));

static void say(const char *text)
{
	for (; *text; text++) {
		while (REG(UART_FR) & UART_FR_TXFF)
			;
		REG(UART_DR) = (u32)*text;
	}
}

static void say_hex(u32 value)
{
	char text[] = " 00000000";

	for (int i = 8; i; i--, value >>= 4)
		text[i] = "0123456789abcdef"[value & 15];
	say(text);
}

static void psci(u32 function, u32 a, u32 b)
{
	register u32 r0 __asm__("r0") = function;
	register u32 r1 __asm__("r1") = a;
	register u32 r2 __asm__("r2") = b;
	register u32 r3 __asm__("r3") = 0;

	__asm__ volatile(".arch_extension virt\n\thvc #0" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r3)
			 : "memory");
}

static u32 acknowledge(void)
{
	u32 iar;

	do
		iar = REG(GICC_IAR);
	while ((iar & 0x3ff) == IRQ_SPURIOUS);
	return iar;
}

/*
 * Ends the PL011's interrupt. Returns how often it is taken until its line falls: @times, of which
 * the last has the device let it fall. 0: that is done before the interrupt ends.
 */
static u32 end_uart(u32 uart, u32 times)
{
	u32 taken = 0;

	if (!times)
		REG(UART_ICR) = UART_INT_TX;
	REG(GICC_EOIR) = uart;
	for (int idle = 0; idle < 1000; idle++) {
		u32 iar = REG(GICC_IAR);

		if ((iar & 0x3ff) == IRQ_SPURIOUS)
			continue;
		if ((iar & 0x3ff) != UART_INTID || taken == 100)
			return ~0u;
		if (++taken == times)
			REG(UART_ICR) = UART_INT_TX;
		REG(GICC_EOIR) = iar;
	}
	return taken;
}

void guest_second(void)
{
	REG(GICD_SGIR) = SGI_TARGETS(1u << 0, SGI);
}

void guest_main(void)
{
	u32 spi, sgi, uart;

	REG(GICD_CTLR) = 1;
	REG(GICC_PMR) = 0xff;
	REG(GICC_CTLR) = 1;
	BYTE(GICD_IPRIORITYR + SPI) = 0xa0;
	BYTE(GICD_IPRIORITYR + SGI) = 0x40;
	BYTE(GICD_ITARGETSR + SPI) = 1;
	REG(GICD_ISENABLER + SPI / 32 * 4) = 1u << SPI % 32;
	REG(GICD_ISPENDR + SPI / 32 * 4) = 1u << SPI % 32;
	spi = acknowledge();
	BYTE(GICD_ITARGETSR + SPI) = 2;
	psci(PSCI_CPU_ON, 1, (u32)second_start);
	sgi = acknowledge();
	say("@@ holds");
	say_hex(spi);
	say_hex(sgi);
	say("\n");
	/* It has just sent, so its line rises. Its priority is above what is being handled. */
	BYTE(GICD_IPRIORITYR + UART_INTID) = 0x20;
	BYTE(GICD_ITARGETSR + UART_INTID) = 1;
	REG(GICD_ISENABLER + UART_INTID / 32 * 4) = 1u << UART_INTID % 32;
	REG(UART_IMSC) = UART_INT_TX;
	uart = acknowledge();
	say("@@ handles");
	say_hex(uart);
	say("\n");
	while (REG(UART_FR) & UART_FR_RXFE)
		;
	uart = end_uart(uart, REG(UART_DR) == 'x' ? 2 : 0);
	REG(UART_IMSC) = 0;
	say("@@ taken");
	say_hex(uart);
	say("\n");
	REG(GICC_EOIR) = sgi;
	REG(GICC_EOIR) = spi;
	say("@@ left");
	say_hex(REG(GICD_ISACTIVER + SPI / 32 * 4) & 1u << SPI % 32);
	say_hex(REG(GICD_ISACTIVER) & 1u << SGI);
	say("\n");
	psci(PSCI_SYSTEM_OFF, 0, 0);
}

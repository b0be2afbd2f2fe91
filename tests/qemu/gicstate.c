// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest on QEMU's virt board, two CPUs, no MMU. CPU 0 acknowledges an SPI and gives it to CPU 1,
 * acknowledges an SGI that CPU 1 sent, and says so. When it hears a character, it ends both and
 * says what is still active. Whoever moves it in between must know whose they are.
 */
typedef unsigned int u32;

#define UART_DR		(*(volatile u32 *)0x09000000)
#define UART_FR		(*(volatile u32 *)0x09000018)
#define UART_FR_RXFE	(1u << 4)
#define UART_FR_TXFF	(1u << 5)
#define GICD(offset)	(*(volatile u32 *)(0x08000000 + (offset)))
#define GICD_BYTE(off)	(*(volatile unsigned char *)(0x08000000 + (off)))
#define GICC_CTLR	(*(volatile u32 *)0x08010000)
#define GICC_PMR	(*(volatile u32 *)0x08010004)
#define GICC_IAR	(*(volatile u32 *)0x0801000c)
#define GICC_EOIR	(*(volatile u32 *)0x08010010)
#define SPI		40
#define SGI		3
#define PSCI_CPU_ON	0x84000003u
#define PSCI_SYSTEM_OFF	0x84000008u

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
		while (UART_FR & UART_FR_TXFF)
			;
		UART_DR = (u32)*text;
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
		iar = GICC_IAR;
	while ((iar & 0x3ff) == 0x3ff);
	return iar;
}

void guest_second(void)
{
	GICD(0xf00) = 1u << 16 | SGI;
}

void guest_main(void)
{
	u32 spi, sgi;

	GICD(0x000) = 1;
	GICC_PMR = 0xff;
	GICC_CTLR = 1;
	GICD_BYTE(0x400 + SPI) = 0xa0;
	GICD_BYTE(0x400 + SGI) = 0x40;
	GICD_BYTE(0x800 + SPI) = 1;
	GICD(0x100 + SPI / 32 * 4) = 1u << SPI % 32;
	GICD(0x200 + SPI / 32 * 4) = 1u << SPI % 32;
	spi = acknowledge();
	GICD_BYTE(0x800 + SPI) = 2;
	psci(PSCI_CPU_ON, 1, (u32)second_start);
	sgi = acknowledge();
	say("@@ holds");
	say_hex(spi);
	say_hex(sgi);
	say("\n");
	while (UART_FR & UART_FR_RXFE)
		;
	(void)UART_DR;
	GICC_EOIR = sgi;
	GICC_EOIR = spi;
	say("@@ left");
	say_hex(GICD(0x300 + SPI / 32 * 4) & 1u << SPI % 32);
	say_hex(GICD(0x300) & 1u << SGI);
	say("\n");
	psci(PSCI_SYSTEM_OFF, 0, 0);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs of the board print: KTAP, by the board's UART. */
#ifndef SAY_H
#define SAY_H

#include "../../../guest/lib/board.h"
#include "../../../guest/lib/psci.h"

#define UART		(*(volatile u32 *)UART_DR)
#define NOTHING		0x0e000000u	/* no memory and no device of the virt board */

#define read(reg, args)		asm volatile("mrc p15, " args : "=r" (reg))
#define write(val, args)	asm volatile("mcr p15, " args : : "r" (val))
#define isb()			asm volatile("isb" : : : "memory")

static unsigned int nr, failed;

static void put(const char *s)
{
	while (*s)
		UART = *s++;
}

static void put_hex(u32 v)
{
	for (int i = 28; i >= 0; i -= 4)
		UART = "0123456789abcdef"[v >> i & 15];
}

static void report(int ok, const char *what)
{
	char n[5] = { '0' + ++nr / 100, '0' + nr / 10 % 10, '0' + nr % 10, ' ' };

	failed += !ok;
	put(ok ? "ok " : "not ok ");
	put(n + (nr < 10) + (nr < 100));
	put(what);
	put("\n");
}

static void expect(u32 got, u32 want, const char *what)
{
	if (got != want) {
		put("# ");
		put_hex(got);
		put(" and not ");
		put_hex(want);
		put("\n");
	}
	report(got == want, what);
}

/* PSCI SYSTEM_OFF, which the board answers to SMC from HYP. */
static void finish(void)
{
	put(failed ? "# failed\n" : "# passed\n");
	register u32 r0 asm("r0") = PSCI_SYSTEM_OFF;

	asm volatile(".arch_extension sec\n\tsmc #0" : "+r"(r0) : : "memory");
}

#endif

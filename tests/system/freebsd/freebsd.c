// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that reads what FreeBSD's loader hands over, as a FreeBSD kernel does, and tells it by
 * the console that such kernels have under bhyve. Its physical addresses are moved (Makefile), as
 * in FreeBSD's files; the MMU is off, so that virtual addresses are moved back here.
 */
#include "../../guest/lib/board.h"
#include "../../guest/lib/psci.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define BVM		0x1c090000u
#define BVM_SIGNATURE	0x6276
#define BVM_NOTHING	0xffffffffu
#define FDT_MAGIC	0xedfe0dd0u	/* as a little-endian word */

#define VIRTUAL(va)	((va) - 0x80000000u)

u32 psci(u32 function, u32 a, u32 b, u32 c);
void secondary_start(void);
void secondary_main(u32 cpu);
void monitor_main(u32 r0, u32 r1, u32 r2, u32 cpsr);

static void put(u8 c)
{
	*(volatile u32 *)BVM = c;
}

#include "../monitor/print.h"

static void say_text(const char *what, const char *text)
{
	puts(what);
	put(' ');
	puts(text);
	puts("\r\n");
}

static const char *say_environment(u32 va)
{
	const char *at = (const char *)VIRTUAL(va);

	while (*at) {
		say_text("env", at);
		while (*at++)
			;
	}
	return at;
}

static void say_record(const u32 *record)
{
	u32 value = record[2];

	switch (record[0]) {
	case 0x0001:
		say_text("name", (const char *)(record + 2));
		break;
	case 0x0002:
		say_text("type", (const char *)(record + 2));
		break;
	case 0x0006:
		say_text("args", (const char *)(record + 2));
		break;
	case 0x0003:
		say("address", value);
		break;
	case 0x0004:
		say("size", value);
		break;
	case 0x8007:
		say("howto", value);
		break;
	case 0x8006:
		say_environment(value);
		break;
	case 0x9002:
		say("dtb", value & 0xfff);
		puts(*(u32 *)VIRTUAL(value) == FDT_MAGIC ? "tree\r\n" : "no tree\r\n");
		break;
	case 0x8008:
		puts(value > (u32)record + 0x80000000u && !(value & 0xfff) ? "kernend\r\n" :
									     "bad kernend\r\n");
		break;
	default:
		say("record", record[0]);
	}
}

void secondary_main(u32 cpu)
{
}

void monitor_main(u32 r0, u32 r1, u32 r2, u32 cpsr)
{
	const u32 *record = (const u32 *)VIRTUAL(r0);
	u32 c;

	puts("\r\n");
	say("signature", *(volatile u16 *)BVM);
	say("r0", r0 & 0xfff);
	say("r1", r1);
	say("r2", r2);
	while (record[0]) {
		say_record(record);
		record += 2 + (record[1] + 3) / 4;
	}
	say("end", record[1]);
	/* What is typed comes back, until a q. */
	do {
		while ((c = *(volatile u32 *)BVM) == BVM_NOTHING)
			;
		put(c + 1);
	} while (c != 'q');
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
}

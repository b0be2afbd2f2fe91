/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by hypfuzz.c, which runs guests' random programs, and hypfuzzgen.c, which makes them. */
#ifndef TEST_HYPFUZZ_H
#define TEST_HYPFUZZ_H

#include "dice.h"
#include "vm.h"

/* What is where for the guest, besides GIC and RAM. */
#define DONE		DEV_BASE	/* a write ends a program; a page of the client's device */
#define MIRRORS		0x0b000000u
#define ZONES		0x0b001000u	/* coalesced: posted writes */
#define DOORBELL	0x0b002000u	/* an ioeventfd */
#define SLOT_READONLY	0x80000000u
#define SLOT_LOGGED	0x80100000u
#define SLOT_EDGE	0x80200000u	/* nothing is before and behind it */
#define SLOT_SIZE	(16 * PAGE)

/* RAM: the programs are at RAM_BASE + 0x10000 * (vCPU + 1). */
#define RAM_VECTORS	(RAM_BASE + 0x40000)
#define RAM_STACKS	(RAM_BASE + 0x50000)
#define RAM_TABLES	(RAM_BASE + 0x100000)

#define PROGRAM_WORDS	64

/* What a program is full of. */
enum kind {
	KIND_MIX, KIND_CP15, KIND_CP14, KIND_FP, KIND_PSCI, KIND_MMIO, KIND_STATUS, KIND_NOISE,
	KIND_KINDS
};

extern const char *const kind_names[KIND_KINDS];

struct program {
	enum kind kind;
	bool thumb;
	uint32_t word[PROGRAM_WORDS];
};

/* A program whose last instructions write to DONE. */
void program_make(struct program *p, struct dice *d);
/* What a register of a program may hold: addresses, numbers of functions, anything. */
uint32_t program_value(struct dice *d);

#endif /* TEST_HYPFUZZ_H */

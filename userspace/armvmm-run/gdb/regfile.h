/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registers as a debugger numbers them: GDB's own numbers for the core (0 to 15, cpsr is 25),
 * then d0 to d31, fpscr, and the other registers of libarmvmm by their names there. r8 to r14 are
 * those of the current mode; those of each mode are there too.
 */
#ifndef ARMVMM_RUN_GDB_REGFILE_H
#define ARMVMM_RUN_GDB_REGFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "gdb/target.h"

#define REGFILE_PC	15u
#define REGFILE_CPSR	25u
#define REGFILE_D0	26u
#define REGFILE_FPSCR	58u
#define REGFILE_CP	59u	/* the first of the others */
#define REGFILE_MAX	192u

/* Bytes of the registers in packet g: r0 to pc, and cpsr. */
#define REGFILE_G	(17 * 4)

struct regfile {
	unsigned int nr;	/* numbers below this; some have no register */
	unsigned int nr_d;	/* 16 or 32 registers of VFP; 0: none */
	struct {
		const char *name;	/* NULL: none has this number */
		const char *own;	/* libarmvmm's, if that differs */
		uint8_t size;		/* 4 or 8 bytes */
	} reg[REGFILE_MAX];
};

/* Looks which registers the vCPUs have. */
void regfile_init(struct regfile *file, const struct target *target);

/* The bytes of register @n, or 0 if there is none. */
unsigned int regfile_size(const struct regfile *file, unsigned int n);

/* Returns 0 or -errno. -ENOENT: there is no register @n. */
int regfile_get(const struct regfile *file, const struct target *target, unsigned int cpu,
		unsigned int n, uint64_t *value);
int regfile_set(const struct regfile *file, const struct target *target, unsigned int cpu,
		unsigned int n, uint64_t value);

#endif /* ARMVMM_RUN_GDB_REGFILE_H */

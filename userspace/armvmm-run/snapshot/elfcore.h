/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands before the memory in an ELF core of a guest, as Linux writes one on 32-bit Arm: the
 * header, a segment of notes with the registers of each vCPU (a thread), and a segment for each
 * range of memory, at its physical address. Pure code.
 */
#ifndef ARMVMM_RUN_ELFCORE_H
#define ARMVMM_RUN_ELFCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELFCORE_ALIGN	4096u	/* memory begins at multiples of it in the file */

/* Room for any head. */
#define ELFCORE_HEAD_MAX	(4 * ELFCORE_ALIGN)
#define ELFCORE_MAX_CPUS	8
#define ELFCORE_MAX_RANGES	8

struct elfcore_cpu {
	uint32_t r[16];		/* as the vCPU sees them in its mode */
	uint32_t cpsr;
	unsigned int nr_d;	/* of its D registers: 0, 16 or 32 */
	uint64_t d[32];
	uint32_t fpscr;
};

struct elfcore_range {
	uint64_t gpa, size;	/* below 4 GiB */
	uint64_t at;		/* in the file */
};

struct elfcore {
	unsigned int nr_cpus, nr_ranges;
	struct elfcore_cpu cpu[ELFCORE_MAX_CPUS];
	struct elfcore_range range[ELFCORE_MAX_RANGES];
};

/* Adds a range of memory, which must have room. */
void elfcore_add(struct elfcore *core, uint64_t gpa, uint64_t size);

/*
 * Makes the head, and sets where each range is in the file: the first one just behind the head.
 * Returns the head's length, a multiple of ELFCORE_ALIGN; 0: the file would have 4 GiB or more.
 */
size_t elfcore_head(struct elfcore *core, uint8_t head[ELFCORE_HEAD_MAX]);

#endif /* ARMVMM_RUN_ELFCORE_H */

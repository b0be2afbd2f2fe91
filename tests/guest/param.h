/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface between the client (guestrun.c) and the bare-metal guests.
 *
 * The addresses are those of QEMU's "virt" board, so that every guest also runs on the bare
 * emulated board, which only lacks the test device: that is how the tests themselves are tested.
 */
#ifndef GUEST_PARAM_H
#define GUEST_PARAM_H

#include "lib/board.h"

/* The machine has the GIC, the PL011's data register, and the test device, 4 KiB at DEV_BASE. */
#define HOLE_BASE	0x0b000000	/* nothing: accesses go to the client, which counts them */
#define HOLE_SIZE	0x01000000
#define FRESH_BASE	0x41000000	/* RAM that neither library nor client touches */

#define GUEST_MAX_CPUS	8
#define PMU_IRQ		23	/* the PMU's PPI */

/* Registers of the test device, 32 bits wide unless said otherwise. */
#define DEV_COUNTER	0x000	/* R: one more each time. W: sets it */
#define DEV_RESULT	0x004	/* W: 0 all passed, else number of failures */
#define DEV_RAISE	0x008	/* W: SPI n high */
#define DEV_LOWER	0x00c	/* W: SPI n low */
#define DEV_PULSE	0x010	/* W: SPI n high, then low */
#define DEV_MARK	0x014	/* W: prints a mark in the log */
#define DEV_PPI		0x018	/* W: level bit 31, vCPU bits 16-23, PPI bits 0-15 */
#define DEV_LATER	0x01c	/* W: SPI n (bits 0-15) high after bits 16-31 ms */
#define DEV_LAST_LEN	0x020	/* R: length of the last access to the scratch */
#define DEV_LAST_OFF	0x024	/* R: offset of it */
#define DEV_ACCESSES	0x028	/* R: number of accesses to the scratch. W: sets it */
#define DEV_HOLES	0x02c	/* R: number of accesses to no device */
#define DEV_HOLE_LO	0x030	/* R: address of the last of them */
#define DEV_HOLE_HI	0x034
#define DEV_ROUNDTRIP	0x038	/* W: client reads and writes back every register */
#define DEV_SLEEP	0x03c	/* W: the vCPU's thread sleeps n microseconds */
#define DEV_DONTNEED	0x040	/* W: MADV_DONTNEED of the page at this address */
#define DEV_NS_LO	0x044	/* R: client's CLOCK_MONOTONIC in ns, latches the high half */
#define DEV_NS_HI	0x048
#define DEV_FORK	0x04c	/* W: client forks, so that RAM is shared copy-on-write */
#define DEV_SCRATCH	0x100	/* 256 bytes of memory, any width */
#define DEV_SCRATCH_LEN	0x100

#define PARAM_OFFSET	8		/* of struct guest_param in the image */
#define PARAM_MAGIC	0x54534741	/* "AGST" */

#define PARAM_VM	1		/* runs on the client, which has the test device */
#define PARAM_SHARED	2		/* all vCPUs are pinned to one physical CPU */
#define PARAM_PMU	8		/* the vCPUs have a PMU */
#define PARAM_CLUSTERS	4		/* MPIDR counts clusters of four, as KVM/arm's does */

#ifndef __ASSEMBLER__
struct guest_param {
	unsigned int magic;
	unsigned int flags;
	unsigned int ncpus;	/* 0: ask PSCI */
	unsigned int ram_mb;
	unsigned int nr_irqs;
	unsigned int boots;	/* resets so far */
	unsigned int tests;	/* reported so far, kept over a reset */
	unsigned int failed;
	unsigned int arg[4];	/* by position on the client's command line */
};
#endif

#endif /* GUEST_PARAM_H */

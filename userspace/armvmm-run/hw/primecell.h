/* SPDX-License-Identifier: GPL-2.0-only */
/* What Arm's PrimeCells have in common: the ID registers at the window's end. */
#ifndef ARMVMM_RUN_PRIMECELL_H
#define ARMVMM_RUN_PRIMECELL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/fdt_builder.h"

#define PRIMECELL_SIZE		0x1000
#define PRIMECELL_ID		0xfe0	/* PeriphID0-3, then PCellID0-3, a byte each */

/*
 * The byte of an ID register: @periph is PeriphID3-0 as one word. @offset is a
 * multiple of 4, from PRIMECELL_ID to 0xffc.
 */
static inline uint32_t primecell_id(uint32_t periph, uint64_t offset)
{
	const uint32_t cell = 0xb105f00d;	/* PCellID3-0 of every PrimeCell */
	unsigned int n = (offset - PRIMECELL_ID) / 4;

	return (n < 4 ? periph >> 8 * n : cell >> 8 * (n - 4)) & 0xff;
}

/* Registers are words. A narrower access gets a word's low bytes, any other access nothing. */
static inline bool primecell_access_ok(uint64_t offset, unsigned int len)
{
	return !(offset % 4) && len <= 4;
}

/* The properties that their nodes share; @names and @nr_clocks are the binding's. */
static inline void primecell_fdt(struct fdt_builder *fdt, const char *names, size_t len,
				 unsigned int nr_clocks)
{
	const uint32_t clocks[] = { FDT_PHANDLE_APB_PCLK, FDT_PHANDLE_APB_PCLK };

	fdt_prop_bytes(fdt, "clock-names", names, len);
	fdt_prop_cells(fdt, "clocks", nr_clocks, clocks);
}

#endif /* ARMVMM_RUN_PRIMECELL_H */

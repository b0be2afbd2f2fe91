/* SPDX-License-Identifier: GPL-2.0-only */
/* A register's bytes in memory: a big-endian guest (CPSR.E) differs here alone. Pure. */
#ifndef ARMVMM_MMIO_DATA_H
#define ARMVMM_MMIO_DATA_H

#include <linux/swab.h>
#include <linux/types.h>

#include "arch/archregs.h"

/* Register to memory: the first @len (1, 2 or 4) bytes of what is returned, the others zero. */
static inline u32 mmio_data_put(u32 cpsr, unsigned int len, u32 val)
{
	val &= ~0u >> 8 * (4 - len);
	return cpsr & CPSR_E ? swab32(val) >> 8 * (4 - len) : val;
}

/* Memory to register. */
static inline u32 mmio_data_get(u32 cpsr, unsigned int len, u32 val, bool sign)
{
	u32 top = 1u << (8 * len - 1);

	val = mmio_data_put(cpsr, len, val);
	return sign ? (val ^ top) - top : val;
}

#endif

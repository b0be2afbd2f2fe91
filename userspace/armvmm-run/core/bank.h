/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers that each mode of a CPU has its own of (DDI 0406C B1.3.2). */
#ifndef ARMVMM_RUN_BANK_H
#define ARMVMM_RUN_BANK_H

#include <stdint.h>

/*
 * libarmvmm's name of the register that Rn (0 to 15) is in the mode of @cpsr, if it is one that
 * libarmvmm does not call so already; else NULL.
 */
const char *bank_name(uint32_t cpsr, unsigned int n);

#endif /* ARMVMM_RUN_BANK_H */

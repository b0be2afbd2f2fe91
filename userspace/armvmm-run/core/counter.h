/* SPDX-License-Identifier: GPL-2.0-only */
/* The generic timer's counter, as programs know it. */
#ifndef ARMVMM_RUN_COUNTER_H
#define ARMVMM_RUN_COUNTER_H

#include <stdint.h>

/*
 * Its rate on this host, by the register that its firmware sets; 0: it did not, or programs may not
 * read it. Call this while there is one thread, and signals have no handlers that matter.
 */
uint32_t counter_hz(void);

/*
 * The value that a counter of @hz has at @now if it was @value at @then, both of g_get_real_time().
 * A clock that went back does not turn the counter back.
 */
uint64_t counter_after(uint64_t value, int64_t then, int64_t now, uint32_t hz);

#endif /* ARMVMM_RUN_COUNTER_H */

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ARMVMM_TIMER_H
#define ARMVMM_TIMER_H

/*
 * The clock-frequency (Hz) of the generic timer's node in the host's device tree, or 0. The
 * property exists where firmware has left CNTFRQ alone, which a guest reads as well.
 */
uint32_t armvmm_timer_hz(void);

#endif

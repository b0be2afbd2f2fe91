/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host's own device tree says. */
#ifndef ARMVMM_RUN_HOSTTREE_H
#define ARMVMM_RUN_HOSTTREE_H

#include <stdint.h>

/*
 * The clock-frequency (Hz) of the generic timer's node in the tree at @root ("/proc/device-tree"),
 * or 0. The property exists where firmware has left CNTFRQ alone, which a guest reads as well.
 */
uint32_t hosttree_timer_hz(const char *root);

#endif /* ARMVMM_RUN_HOSTTREE_H */

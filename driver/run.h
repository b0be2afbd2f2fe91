/* SPDX-License-Identifier: GPL-2.0-only */
/* The run loop, and what stays loaded on a CPU between two entries. */
#ifndef ARMVMM_RUN_H
#define ARMVMM_RUN_H

int armvmm_run_init(void);
void armvmm_run_exit(void);

#endif

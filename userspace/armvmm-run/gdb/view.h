/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory at virtual addresses, as a debugger sees it: points.h tells what is hidden. */
#ifndef ARMVMM_RUN_GDB_VIEW_H
#define ARMVMM_RUN_GDB_VIEW_H

#include "gdb/points.h"
#include "gdb/target.h"

/* Translates @va as vCPU @cpu would now. False: it is not mapped. */
bool view_address(const struct target *target, unsigned int cpu, uint32_t va, uint64_t *gpa);

/*
 * Read and write @len bytes, up to the first that is no memory; addresses wrap. Return how many
 * bytes were read or written. Flash can be read, but not written.
 */
uint32_t view_read(const struct points *points, const struct target *target, unsigned int cpu,
		   uint32_t va, void *buf, uint32_t len);
uint32_t view_write(struct points *points, const struct target *target, unsigned int cpu,
		    uint32_t va, const void *buf, uint32_t len);

#endif /* ARMVMM_RUN_GDB_VIEW_H */

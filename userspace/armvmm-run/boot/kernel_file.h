/* SPDX-License-Identifier: GPL-2.0-only */
/* A program's file while it is examined. */
#ifndef ARMVMM_RUN_KERNEL_FILE_H
#define ARMVMM_RUN_KERNEL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct kernel_file {
	int fd;
	uint64_t offset, size;	/* of the program in it */
	const char *name;
	struct error *err;
};

/*
 * Reads all @len bytes from @offset of the program on. Returns 0, or -EIO or -errno, the error set.
 */
int kernel_read(const struct kernel_file *file, uint64_t offset, void *buf, size_t len);

#endif /* ARMVMM_RUN_KERNEL_FILE_H */

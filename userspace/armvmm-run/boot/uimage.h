/* SPDX-License-Identifier: GPL-2.0-only */
/* Files for boot loaders, which wrap a kernel or an initial RAM disk. */
#ifndef ARMVMM_RUN_UIMAGE_H
#define ARMVMM_RUN_UIMAGE_H

#include <stdint.h>

#include "core/error.h"

enum uimage_kind { UIMAGE_KERNEL, UIMAGE_RAMDISK };

/*
 * Looks whether @fd, @size bytes long, is wrapped for U-Boot (its 64-byte header:
 * uImage, uInitrd). Then *@offset and *@len tell what is inside, else 0 and @size.
 * Returns 0, or -ENOEXEC with @err set for what cannot be taken: another
 * architecture or kind, a compressed kernel, a FIT image, a truncated file.
 */
int uimage_open(int fd, uint64_t size, enum uimage_kind kind, uint64_t *offset, uint64_t *len,
		const char *name, struct error *err);

/* Refuses a compressed kernel by the name of its compressor: -ENOEXEC, or 0. */
int uimage_check_compressed(int fd, uint64_t offset, const char *name, struct error *err);

#endif /* ARMVMM_RUN_UIMAGE_H */

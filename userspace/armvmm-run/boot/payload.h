/* SPDX-License-Identifier: GPL-2.0-only */
/* What lies in a kernel's file or a RAM disk's: boot loaders wrap and compress them. */
#ifndef ARMVMM_RUN_PAYLOAD_H
#define ARMVMM_RUN_PAYLOAD_H

#include "boot/loader_file.h"
#include "core/error.h"

/*
 * Narrows @file to the program in it: out of U-Boot's images and FIT images, unpacked where it
 * is compressed by gzip or zstd, to @limit bytes at most. @conf is the FIT image's
 * configuration (NULL: its default), whose RAM disk, if it has one, is put into @ramdisk, if
 * that is not NULL; the caller closes both, error or not. Returns 0, -ENOEXEC or -errno with @err
 * set: what cannot be taken is named.
 */
int payload_kernel(struct loader_file *file, struct loader_file *ramdisk, const char *conf,
		   uint64_t limit, struct error *err);

/* Takes U-Boot's header off a RAM disk. Returns 0, -ENOEXEC or -errno with @err set. */
int payload_ramdisk(struct loader_file *file, struct error *err);

#endif /* ARMVMM_RUN_PAYLOAD_H */

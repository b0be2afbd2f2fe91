/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds what a kernel's or a RAM disk's file holds: it may be compressed or in U-Boot's formats. */
#ifndef ARMVMM_RUN_PAYLOAD_H
#define ARMVMM_RUN_PAYLOAD_H

#include "boot/loader_file.h"
#include "core/error.h"

/*
 * Narrows @file to the program in it. Takes it out of U-Boot's images and FIT images, and unpacks
 * gzip and zstd, to @limit bytes at most. @conf is the FIT image's configuration (NULL: its
 * default). If that has a RAM disk and @ramdisk is not NULL, *@ramdisk becomes it. The caller
 * closes both, error or not. Returns 0, or -ENOEXEC or -errno with @err naming what cannot be used.
 */
int payload_kernel(struct loader_file *file, struct loader_file *ramdisk, const char *conf,
		   uint64_t limit, struct error *err);

/* Takes U-Boot's header off a RAM disk. Returns 0, -ENOEXEC or -errno with @err set. */
int payload_ramdisk(struct loader_file *file, struct error *err);

#endif /* ARMVMM_RUN_PAYLOAD_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Disk images in other formats than raw. */
#ifndef ARMVMM_RUN_DISK_FORMAT_H
#define ARMVMM_RUN_DISK_FORMAT_H

#include <stdint.h>

/*
 * Returns the name of the format ("qcow2") whose mark the file @fd of @size bytes has in its place,
 * or NULL. A guest can write the same mark into a raw image: take it as a reason to ask, not as
 * proof.
 */
const char *disk_format(int fd, uint64_t size);

#endif /* ARMVMM_RUN_DISK_FORMAT_H */

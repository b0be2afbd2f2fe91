/* SPDX-License-Identifier: GPL-2.0-only */
/* Disk images in other formats than raw. */
#ifndef ARMVMM_RUN_DISK_FORMAT_H
#define ARMVMM_RUN_DISK_FORMAT_H

#include <stdint.h>

/*
 * Looks for the format ("qcow2") whose mark the file @fd of @size bytes has in its place: *@name is
 * its name, or NULL. Reads whole pieces of @block bytes alone, a power of two, for which O_DIRECT
 * may ask. Returns 0 or -errno: then nobody knows. A guest can write the same mark into a raw
 * image: take it as a reason to ask, not as proof.
 */
int disk_format(int fd, uint64_t size, uint32_t block, const char **name);

#endif /* ARMVMM_RUN_DISK_FORMAT_H */

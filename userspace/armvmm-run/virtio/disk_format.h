/* SPDX-License-Identifier: GPL-2.0-only */
/* Images of disks that are not the bare bytes of one. */
#ifndef ARMVMM_RUN_DISK_FORMAT_H
#define ARMVMM_RUN_DISK_FORMAT_H

#include <stdint.h>

/*
 * The name of the format ("qcow2") that the file @fd of @size bytes says it has at
 * one of the places where its kind says so, or NULL. A guest can write the same
 * there: what is found is a reason to ask, not to trust.
 */
const char *disk_format(int fd, uint64_t size);

#endif /* ARMVMM_RUN_DISK_FORMAT_H */

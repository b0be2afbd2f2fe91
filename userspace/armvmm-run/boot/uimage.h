/* SPDX-License-Identifier: GPL-2.0-only */
/* U-Boot's legacy image: a header of 64 bytes before a kernel (uImage) or a RAM disk (uInitrd). */
#ifndef ARMVMM_RUN_UIMAGE_H
#define ARMVMM_RUN_UIMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/loader_file.h"
#include "core/error.h"

#define UIMAGE_MAGIC		0x27051956	/* big-endian, the first word */

enum uimage_kind { UIMAGE_KERNEL, UIMAGE_RAMDISK };

/* Does @file have such a header? */
bool uimage_is(const struct loader_file *file);

/*
 * Narrows @file, which has such a header, to its data. Checks both checksums, the header's and the
 * data's. *@compressor is the name of the compressor that the header tells, NULL for none. A RAM
 * disk may stay compressed, as the guest's kernel unpacks it. Returns 0, or -ENOEXEC with @err set
 * for what cannot be taken: another architecture or kind, a damaged or truncated file.
 */
int uimage_open(struct loader_file *file, enum uimage_kind kind, const char **compressor,
		struct error *err);

#endif /* ARMVMM_RUN_UIMAGE_H */

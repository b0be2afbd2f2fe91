/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FIT: U-Boot's flattened image tree, a device tree whose /images hold kernels, RAM disks and
 * device trees, and whose /configurations tell which belong together (U-Boot's
 * doc/usage/fit/source_file_format.rst). Data lies in the tree or behind it.
 */
#ifndef ARMVMM_RUN_FIT_H
#define ARMVMM_RUN_FIT_H

#include <stdbool.h>

#include "boot/loader_file.h"
#include "core/error.h"

/* Does @file begin as a device tree does? */
bool fit_is(const struct loader_file *file);

/*
 * Narrows @file, for which fit_is() is true, to the kernel of the configuration @name (NULL: the
 * default one). If that has a RAM disk and @ramdisk is not NULL, *@ramdisk becomes it; the caller
 * closes it, error or not. All hashes of a part are checked. Signatures are not, as there are no
 * keys. *@compressor is the kernel's, NULL for none, and valid until exit. Returns 0; -ENOEXEC with
 * @err set: no FIT, a damaged one, nothing of that name, or for another architecture; or -errno.
 */
int fit_open(struct loader_file *file, struct loader_file *ramdisk, const char *name,
	     const char **compressor, struct error *err);

#endif /* ARMVMM_RUN_FIT_H */

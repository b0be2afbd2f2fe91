// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libfdt.h>

#include "boot/fdt_check.h"

#define FDT_MIN_VERSION		16
#define FDT_LAST_VERSION	17

int fdt_check_blob(const void *buf, size_t len, const char *name, struct error *err)
{
	/* libfdt does not support older versions, and reads fields that they do not have. */
	if (len >= sizeof(struct fdt_header) && fdt_magic(buf) == FDT_MAGIC &&
	    (fdt_version(buf) < FDT_MIN_VERSION || fdt_last_comp_version(buf) > FDT_LAST_VERSION))
		return error_set(err, -EINVAL, "%s: is a device tree of version %u, and 16 or 17 is needed",
				 name, fdt_version(buf));
	/* Catches a header that claims more than there is, and offsets that leave the tree. */
	if (len < sizeof(struct fdt_header) || fdt_check_full(buf, len))
		return error_set(err, -EINVAL, "%s: is no device tree, or a damaged one", name);
	return 0;
}

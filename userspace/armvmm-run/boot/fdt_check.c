// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libfdt.h>

#include "boot/fdt_check.h"

#define FDT_MIN_VERSION		16
#define FDT_LAST_VERSION	17

int fdt_check_blob(const void *buf, size_t len, const char *name, struct error *err)
{
	/* libfdt knows no older ones, and looks into what they do not have. */
	if (len >= sizeof(struct fdt_header) && fdt_magic(buf) == FDT_MAGIC &&
	    (fdt_version(buf) < FDT_MIN_VERSION || fdt_last_comp_version(buf) > FDT_LAST_VERSION))
		return error_set(err, -EINVAL, "%s: is a device tree of version %u, and 16 or 17 is needed",
				 name, fdt_version(buf));
	/* A header that tells more than there is, or offsets that leave it, is caught here. */
	if (len < sizeof(struct fdt_header) || fdt_check_full(buf, len))
		return error_set(err, -EINVAL, "%s: is no device tree, or a damaged one", name);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest finds in the device tree that is in the test's buf[]. */
#ifndef FDT_LOOK_H
#define FDT_LOOK_H

#include <libfdt.h>

#include "ktap.h"

static uint32_t cell(const char *path, const char *name, unsigned int index)
{
	int len, node = fdt_path_offset(buf, path);
	const fdt32_t *value = node < 0 ? NULL : fdt_getprop(buf, node, name, &len);

	if (!value || (index + 1) * sizeof(*value) > (size_t)len) {
		KTAP_FAIL("%s has no cell %u of %s", path, index, name);
		return 0xdeadbeef;
	}
	return fdt32_ld(value + index);
}

static const char *string(const char *path, const char *name)
{
	int len, node = fdt_path_offset(buf, path);
	const char *value = node < 0 ? NULL : fdt_getprop(buf, node, name, &len);

	return value && len && !value[len - 1] ? value : "(none)";
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks whether libfdt can safely read something as a device tree. */
#ifndef ARMVMM_RUN_FDT_CHECK_H
#define ARMVMM_RUN_FDT_CHECK_H

#include <stddef.h>

#include "core/error.h"

/* Checks @len untrusted bytes at @buf. Returns 0, or -EINVAL with @err naming @name. */
int fdt_check_blob(const void *buf, size_t len, const char *name, struct error *err);

#endif /* ARMVMM_RUN_FDT_CHECK_H */

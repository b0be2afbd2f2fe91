/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ARMVMM_RUN_HOST_KERNEL_H
#define ARMVMM_RUN_HOST_KERNEL_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/utsname.h>

/* Is the host's Linux older than @major.@minor? True if it does not say. */
static inline bool host_kernel_before(unsigned int major, unsigned int minor)
{
	unsigned int is_major, is_minor;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &is_major, &is_minor) != 2)
		return true;
	return is_major < major || (is_major == major && is_minor < minor);
}

#endif /* ARMVMM_RUN_HOST_KERNEL_H */

// SPDX-License-Identifier: GPL-2.0-only
#include "libarmvmm.h"

/* The build has the version from the file VERSION. */
const char *armvmm_library_version(void)
{
	return ARMVMM_LIBRARY_VERSION;
}

// SPDX-License-Identifier: GPL-2.0-only
#include <cap-ng.h>
#include <errno.h>

#include "sandbox/capabilities.h"

/*
 * Capabilities can be taken out of the bounding set only with CAP_SETPCAP, which root has. For
 * other users the set has no effect after no_new_privs.
 */
int capabilities_drop_bounds(struct error *err)
{
	if (capng_get_caps_process())
		return error_errno(err, -EIO, "sandbox: capabilities");
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		return 0;
	capng_clear(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_BOUNDS))
		return error_errno(err, -EPERM, "sandbox: bounding set of capabilities");
	return 0;
}

int capabilities_drop(struct error *err)
{
	if (capng_get_caps_process())
		return error_errno(err, -EIO, "sandbox: capabilities");
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS))
		return error_errno(err, -EPERM, "sandbox: capabilities");
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Capabilities (libcap-ng), which a process gives up for good. */
#ifndef ARMVMM_RUN_CAPABILITIES_H
#define ARMVMM_RUN_CAPABILITIES_H

#include "core/error.h"

/* The bounding set, if the process may. Returns 0 or -errno with @err set. */
int capabilities_drop_bounds(struct error *err);

/* All others. Likewise. */
int capabilities_drop(struct error *err);

#endif /* ARMVMM_RUN_CAPABILITIES_H */

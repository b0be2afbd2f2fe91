// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints' code, made of trace.h by the kernel's macros. */
#include <linux/module.h>

#include "core/state.h"

#define CREATE_TRACE_POINTS
#include "core/trace.h"

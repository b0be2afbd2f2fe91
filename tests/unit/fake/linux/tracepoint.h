/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints that nobody looks at: their arguments are type-checked, no more. */
#ifndef FAKE_TRACEPOINT_H
#define FAKE_TRACEPOINT_H

#include "../fake_kernel.h"

#define TP_PROTO(...)	__VA_ARGS__
#define TRACE_EVENT(name, proto, ...)	static inline void trace_##name(proto) { }

#endif

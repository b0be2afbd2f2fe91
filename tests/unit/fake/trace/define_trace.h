/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's makes code of trace.h; there is none of it to make here. */

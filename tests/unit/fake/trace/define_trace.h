/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's header generates code from trace.h; here there is none to generate. */

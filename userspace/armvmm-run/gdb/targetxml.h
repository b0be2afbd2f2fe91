/* SPDX-License-Identifier: GPL-2.0-only */
/* Describes the registers, in the XML that GDB reads. */
#ifndef ARMVMM_RUN_GDB_TARGETXML_H
#define ARMVMM_RUN_GDB_TARGETXML_H

#include "gdb/regfile.h"

/* Returns the text; free it by g_free(). None of its characters needs an escape in a packet. */
char *targetxml_make(const struct regfile *file);

#endif /* ARMVMM_RUN_GDB_TARGETXML_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* What query-qmp-schema answers: commands with their arguments, and events. */
#ifndef ARMVMM_RUN_SCHEMA_H
#define ARMVMM_RUN_SCHEMA_H

#include <jansson.h>

/* A list of QEMU's SchemaInfo. What commands return is of the type "any" here. */
json_t *schema_make(void);

#endif /* ARMVMM_RUN_SCHEMA_H */

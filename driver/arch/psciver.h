/* SPDX-License-Identifier: GPL-2.0-only */
/* The versions of PSCI, as its call PSCI_VERSION answers (ARM DEN 0022D 5.1.1). Pure. */
#ifndef ARMVMM_PSCIVER_H
#define ARMVMM_PSCIVER_H

#include <uapi/linux/psci.h>

#define PSCI_V0_1	PSCI_VERSION(0, 1)
#define PSCI_V0_2	PSCI_VERSION(0, 2)
#define PSCI_V1_0	PSCI_VERSION(1, 0)
#define PSCI_V1_1	PSCI_VERSION(1, 1)

#endif

// SPDX-License-Identifier: GPL-2.0-only
// cflags: -DCONFIG_ARM_LPAE -Itests/unit/fake -Idriver
/* The client's page table in the long-descriptor format (stage2_host_cases.h). */
#include "stage2_host_cases.h"

KTAP_MAIN(STAGE2_HOST_CASES)

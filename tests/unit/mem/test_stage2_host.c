// SPDX-License-Identifier: GPL-2.0-only
// cflags: -Itests/unit/fake -Idriver
/* The client's page table in the short-descriptor format (stage2_host_cases.h). */
#include "stage2_host_cases.h"

KTAP_MAIN(STAGE2_HOST_CASES)

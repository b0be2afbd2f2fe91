/* SPDX-License-Identifier: GPL-2.0-only */
#include "fake_kernel.h"

typedef struct mmu_notifier compat_mmu_notifier_t;

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MMU notifiers, where the kernel has them (Kbuild: mem/stage2_notifier.c). Elsewhere there is
 * nothing to keep of one (mem/stage2_pin.c).
 */
#ifndef ARMVMM_COMPAT_MMU_NOTIFIER_H
#define ARMVMM_COMPAT_MMU_NOTIFIER_H

#include <linux/mmu_notifier.h>

#ifdef CONFIG_MMU_NOTIFIER
typedef struct mmu_notifier compat_mmu_notifier_t;
#else
typedef struct { } compat_mmu_notifier_t;
#endif

#endif

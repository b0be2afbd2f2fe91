/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guests' virtual counters do while the host is suspended to RAM or to idle. */
#ifndef ARMVMM_SUSPEND_H
#define ARMVMM_SUSPEND_H

#include <linux/types.h>

struct armvmm_vm;

int armvmm_suspend_init(void);
void armvmm_suspend_exit(void);

/* A VM comes, its counter to be kept by the host's; and goes. May sleep. */
void armvmm_suspend_vm_add(struct armvmm_vm *vm);
void armvmm_suspend_vm_del(struct armvmm_vm *vm);

/* ARMVMM_CAP_SUSPEND_STOPS. Any context. */
void armvmm_suspend_vm_stops(struct armvmm_vm *vm, bool stops);

#endif

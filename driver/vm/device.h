/* SPDX-License-Identifier: GPL-2.0-only */
/* The fd that KVM_CREATE_DEVICE gives: attributes of an in-kernel device. */
#ifndef ARMVMM_DEVICE_H
#define ARMVMM_DEVICE_H

#include <linux/armvmm.h>

struct armvmm_vm;

/* Fills in cd->fd. -ENODEV: no such type; -EEXIST, -EBUSY: as the device says. */
int armvmm_device_create(struct armvmm_vm *vm, struct kvm_create_device *cd);

#endif

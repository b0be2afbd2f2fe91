/* SPDX-License-Identifier: GPL-2.0-only */
/* In-kernel devices of a VM's MMIO space: the GIC distributor, ioeventfds. */
#ifndef ARMVMM_IOBUS_H
#define ARMVMM_IOBUS_H

#include <linux/list.h>
#include <linux/types.h>

#include "core/state.h"

struct armvmm_vcpu;
struct armvmm_vm;
struct armvmm_iodev;

struct armvmm_iodev_ops {
	/*
	 * An access of @len (1, 2, 4 or 8) bytes at guest physical @addr, data
	 * in @val in the byte order of memory. 0: done. -EOPNOTSUPP: not this
	 * device's (wrong datamatch or length): the next one or user space is
	 * asked. Context: vCPU thread, vm->srcu held, may sleep.
	 */
	int (*read)(struct armvmm_vcpu *vcpu, struct armvmm_iodev *dev, u64 addr,
		    unsigned int len, void *val);
	int (*write)(struct armvmm_vcpu *vcpu, struct armvmm_iodev *dev, u64 addr,
		     unsigned int len, const void *val);
	void (*destroy)(struct armvmm_iodev *dev);	/* may be NULL */
};

#define ARMVMM_IOBUS_MAX_DEVS	1000

/* Caller holds vm->slots_lock. -ENOSPC past ARMVMM_IOBUS_MAX_DEVS, of
 * which ioeventfds are none, as on KVM; -ENOMEM. */
int armvmm_iobus_register(struct armvmm_vm *vm, struct armvmm_iodev *dev);
/* Waits for readers; then nothing refers to the device. Caller holds slots_lock. */
int armvmm_iobus_unregister(struct armvmm_vm *vm, struct armvmm_iodev *dev);
void armvmm_iobus_destroy(struct armvmm_vm *vm);

/* Offers the access to the devices at @addr. -EOPNOTSUPP: none took it. */
int armvmm_iobus_read(struct armvmm_vcpu *vcpu, u64 addr, unsigned int len, void *val);
int armvmm_iobus_write(struct armvmm_vcpu *vcpu, u64 addr, unsigned int len, const void *val);

#endif

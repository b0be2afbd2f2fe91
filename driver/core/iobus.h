/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In-kernel devices of a VM's MMIO space. There are four, each with a fixed place. All ioeventfds
 * together are one device here, and so are all coalesced zones, and all mirrors: each searches its
 * own.
 */
#ifndef ARMVMM_IOBUS_H
#define ARMVMM_IOBUS_H

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
	 * asked. Context: vCPU thread, vm->srcu held, may sleep. NULL: it takes none.
	 */
	int (*read)(struct armvmm_vcpu *vcpu, struct armvmm_iodev *dev, u64 addr,
		    unsigned int len, void *val);
	int (*write)(struct armvmm_vcpu *vcpu, struct armvmm_iodev *dev, u64 addr,
		     unsigned int len, const void *val);
	/* Does it take any write in [addr, end)? slots_lock is held. NULL: in all its range. */
	bool (*takes_write)(struct armvmm_vm *vm, u64 addr, u64 end);
};

/* Caller holds vm->slots_lock. The place is free. */
void armvmm_iobus_register(struct armvmm_vm *vm, enum armvmm_iobus_place place,
			   struct armvmm_iodev *dev);
/* Waits until no reader refers to the device. Caller holds slots_lock. */
void armvmm_iobus_unregister(struct armvmm_vm *vm, enum armvmm_iobus_place place);

/*
 * May one of the devices that are asked before @place take a read, or a write, in the @size bytes
 * at @addr? Caller holds vm->srcu or slots_lock; slots_lock for writes.
 */
bool armvmm_iobus_taken(struct armvmm_vm *vm, enum armvmm_iobus_place place, bool is_write,
			u64 addr, u64 size);

/* Offers the access to the devices at @addr. -EOPNOTSUPP: none took it. */
int armvmm_iobus_read(struct armvmm_vcpu *vcpu, u64 addr, unsigned int len, void *val);
int armvmm_iobus_write(struct armvmm_vcpu *vcpu, u64 addr, unsigned int len, const void *val);

#endif

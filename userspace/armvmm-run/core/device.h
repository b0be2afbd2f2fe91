/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device: one file with an ops table, its own device tree node, and a
 * register/unregister pair. A device embeds struct device in its own struct
 * and finds itself with container_of().
 */
#ifndef ARMVMM_RUN_DEVICE_H
#define ARMVMM_RUN_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/map.h"

struct device;
struct fdt_builder;
struct record;

#ifndef container_of
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#endif

struct device_ops {
	const char *name;	/* for messages: "pl011", "virtio-blk" */

	/*
	 * A guest access. @offset is from the device's base, offset + len
	 * <= size; @len is 1, 2, 4 or 8 and @offset may be unaligned: both are
	 * the guest's choice. Called on vCPU threads, several at once; locking
	 * is the device's own. The value is little-endian in the low @len
	 * bytes; bits above are ignored. An access that means nothing reads as
	 * zero or does nothing; it never fails and never prints.
	 */
	uint64_t (*read)(struct device *dev, uint64_t offset, unsigned int len);
	void (*write)(struct device *dev, uint64_t offset, unsigned int len, uint64_t value);

	/*
	 * Writes the device's node (begin to end) into the device tree.
	 * Optional. Called on the main thread, no vCPU running. Errors stick
	 * in the builder.
	 */
	void (*fdt)(struct device *dev, struct fdt_builder *fdt);

	/*
	 * The guest is about to start, or to start again. Here the device starts its own threads,
	 * which must not be children of a vCPU's thread. Called on the main thread while no vCPU
	 * runs. Optional. Returns 0 or -errno with @err set.
	 */
	int (*begin)(struct device *dev, struct error *err);

	/*
	 * Restores power-on state, for a reboot of the guest. Called on the main thread while no
	 * vCPU runs. When it returns, no request begun before may touch guest memory or the
	 * interrupt line any more: a device with a worker waits for it here. Lines are low
	 * afterwards in any case.
	 */
	void (*reset)(struct device *dev);

	/*
	 * For a snapshot. All four are called on the main thread while no vCPU runs, and are
	 * optional, but save() and restore() go together.
	 *
	 * pause(): begins no further request, and touches no guest memory once is_idle() returns
	 * true: requests that were begun have ended then, in the ordinary way. resume(): goes on,
	 * and looks for what came meanwhile; also after restore(), which leaves a device paused.
	 */
	void (*pause)(struct device *dev);
	bool (*is_idle)(struct device *dev);
	void (*resume)(struct device *dev);

	/* Writes all that the guest can tell of the device, which is idle. */
	void (*save)(struct device *dev, struct record *r);

	/*
	 * Takes the state of a device of the same kind and @state_version, instead of power-on
	 * state. The record may come from an attacker. Calls irqline_restore() for its line.
	 * Returns 0 or the record's error. After an error the device is only destroyed.
	 */
	int (*restore)(struct device *dev, struct record *r);
	uint32_t state_version;	/* of what save() writes; from 1 on */

	/*
	 * Memory of dev->size bytes that the device keeps nowhere else, and that save() leaves to
	 * the snapshot; NULL: there is none. Optional.
	 */
	void *(*memory)(struct device *dev);

	/*
	 * Makes what the guest has flushed, and what it need not flush, safe on the host's disk.
	 * Any thread of the kind MACHINE_THREAD_DISK, also while the device is used. Optional.
	 * Returns 0 or -errno.
	 */
	int (*flush)(struct device *dev);

	/*
	 * For a guest that moves to another process, which has the same files open. Gives up what
	 * keeps others from using them (@take false), or takes it, and looks anew at what others
	 * may have changed; false leaves the device paused and able to take it again. A machine
	 * that was made for a guest that comes (machine.incoming) begins without it. Main thread,
	 * while the device is paused and idle. Optional. Returns 0 or -errno with @err set; then
	 * nothing has changed.
	 */
	int (*claim)(struct device *dev, bool take, struct error *err);

	/*
	 * Ends threads, closes files, frees the device. Called once, on the
	 * main thread, after the last vCPU has ended, by device_bus_destroy().
	 * Data that the guest has flushed is on the disk before it returns.
	 */
	void (*destroy)(struct device *dev);
};

struct device {
	const struct device_ops *ops;
	const char *kind;	/* what it is behind a common window: "virtio-blk"; NULL: ops->name */
	uint64_t base;		/* guest-physical address of the register window */
	uint64_t size;		/* bytes; 0: no window of its own, the base is only for its name */
	unsigned int memory_writes;	/* atomic: how often its memory() was written, so far */
};

/* Each slot of virtio-mmio and of the PCI bus, and the board's own. */
#define DEVICE_BUS_MAX	(MAP_VIRTIO_SLOTS + MAP_PCI_SLOTS + 16)

/*
 * The devices, sorted by base. Registered before the first vCPU runs;
 * lookups take no lock.
 */
struct device_bus {
	unsigned int nr;
	struct device *dev[DEVICE_BUS_MAX];
	uint64_t nr_unclaimed;	/* accesses to no device (relaxed atomic) */
};

/*
 * Returns 0; -EEXIST when the window overlaps another device's, -EINVAL when it
 * wraps, -ENOSPC. On success the bus owns the device and will destroy it.
 */
int device_register(struct device_bus *bus, struct device *dev);

/* Takes the device off the bus without destroying it. No vCPU may run. */
void device_unregister(struct device_bus *bus, struct device *dev);

/* The device whose window holds @gpa, or NULL. Any thread. */
struct device *device_find(const struct device_bus *bus, uint64_t gpa);

/*
 * Carries out a guest access of @len bytes, 1 to 8 (little-endian in @data). Returns
 * 0, or -ENXIO when no device claims the whole access: then a read gives
 * zeroes and a write does nothing. Any thread.
 */
int device_bus_access(struct device_bus *bus, uint64_t gpa, void *data, unsigned int len,
		      int is_write);

void device_bus_fdt(struct device_bus *bus, struct fdt_builder *fdt);
int device_bus_begin(struct device_bus *bus, struct error *err);
void device_bus_reset(struct device_bus *bus);
void device_bus_destroy(struct device_bus *bus);

/* The same for all devices. device_bus_busy(): one that is not idle, or NULL. */
void device_bus_pause(struct device_bus *bus);
const struct device *device_bus_busy(struct device_bus *bus);
void device_bus_resume(struct device_bus *bus);

/* The same for all devices. If one of them fails, none has taken anything. */
int device_bus_claim(struct device_bus *bus, struct error *err);
void device_bus_unclaim(struct device_bus *bus);

/* The device's name for messages and snapshots: "pl011@9000000". */
#define DEVICE_NAME_MAX	32
void device_name(const struct device *dev, char name[DEVICE_NAME_MAX]);

#endif /* ARMVMM_RUN_DEVICE_H */

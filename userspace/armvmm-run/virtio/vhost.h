/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Queues on which the host's kernel works (vhost). The guest's notifications reach it by the
 * eventfds of the device, without a way through this process; its interrupts come by eventfds that
 * the main thread waits for, as an interrupt is more than a signal (virtio_device.c).
 *
 * The kernel finds the rings by addresses of this process, which virtq_enable() has checked, and
 * buffers by a table of the guest's RAM: whatever lies outside of it is refused there, and the
 * device needs a reset. What the kernel writes is not in the log of written pages.
 *
 * A device type has a struct vhost for its first queues, and calls these from its virtio_ops.
 */
#ifndef ARMVMM_RUN_VHOST_H
#define ARMVMM_RUN_VHOST_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

struct virtio_device;

#define VHOST_QUEUES	2

struct vhost {
	struct virtio_device *vdev;
	int fd;			/* -1: not open */
	unsigned int nr;	/* queues */
	uint64_t features;	/* that the kernel has */
	bool kthread;		/* works in a thread of the kernel alone, not of this process */
	bool begun;
	int call[VHOST_QUEUES];	/* eventfds: interrupt the driver */
	int broken[VHOST_QUEUES];	/* eventfds: the kernel has found a fault in the ring */
	GSource *source[2 * VHOST_QUEUES];
};

/*
 * Opens @node ("/dev/vhost-vsock"), which the host's module @module makes. @err's sentence begins
 * with @label. Returns 0 or -errno with @err set; vhost_close() is right in any case. Main thread,
 * before the sandbox.
 */
int vhost_open(struct vhost *vhost, const char *node, const char *module, const char *label,
	       struct error *err);
void vhost_close(struct vhost *vhost);

/*
 * The device is registered: gives the kernel its eventfds, and the guest's RAM. May be called
 * again. The kernel may make a thread for it, which is no child of a vCPU. Main thread, without the
 * lock.
 */
int vhost_begin(struct vhost *vhost, struct virtio_device *vdev, struct error *err);

/*
 * From virtio_ops.run(): gives the kernel the queues as the driver set them up, before it may use
 * them; and takes back how far it has come, when it does not use them any more. If it found a fault
 * before that, the device needs a reset. Returns 0 or -errno.
 */
int vhost_give_queues(struct vhost *vhost);
void vhost_take_queues(struct vhost *vhost);

#endif /* ARMVMM_RUN_VHOST_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Queues on which somebody else works, the back end: the host's kernel (vhost_kernel.h), or another
 * process (vhost_user.h). The guest's notifications reach it by the eventfds of the device, without
 * a way through this process; its interrupts come by eventfds that the main thread waits for, as an
 * interrupt is more than a signal (virtio_device.c).
 *
 * The back end finds the rings by addresses of this process, which virtq_enable() has checked, and
 * buffers by a table of the guest's RAM. What it writes is not in the log of written pages.
 *
 * A device type has a struct vhost for its first queues, and calls these from its virtio_ops.
 */
#ifndef ARMVMM_RUN_VHOST_H
#define ARMVMM_RUN_VHOST_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "virtio/virtio_mmio.h"

/* Queues of such a device: each takes eventfds, and a share of what the back end can serve. */
#define VHOST_MAX_QUEUES 4

struct vhost;

/* All return 0 or -errno. The last three are called with the device's lock held. */
struct vhost_ops {
	const char *who;	/* "the host's kernel" */

	/* The device is registered, and the eventfds are there: tells the guest's RAM. Once. */
	int (*begin)(struct vhost *v);
	int (*set_features)(struct vhost *v, uint64_t features);
	/* It may use queue @i, which is ready, or may not any more: *@base is where it stopped. */
	int (*give_queue)(struct vhost *v, unsigned int i);
	int (*take_queue)(struct vhost *v, unsigned int i, unsigned int *base);
};

struct vhost {
	const struct vhost_ops *ops;
	struct virtio_device *vdev;
	unsigned int nr;	/* queues */
	uint64_t features;	/* that the back end has */
	uint32_t given;		/* bit n: it has queue n */
	bool begun;
	int call[VHOST_MAX_QUEUES];	/* eventfds: interrupt the driver */
	int broken[VHOST_MAX_QUEUES];	/* eventfds: it has found a fault in the ring */
	GSource *source[2 * VHOST_MAX_QUEUES];
};

/* Before anything else. vhost_exit() is right then in any case; main thread. */
void vhost_init(struct vhost *v, const struct vhost_ops *ops, unsigned int nr);
void vhost_exit(struct vhost *v);

/*
 * The device is registered: gives the back end the guest's RAM. May be called again. Main thread,
 * without the lock.
 */
int vhost_begin(struct vhost *v, struct virtio_device *vdev, struct error *err);

/*
 * For the main thread, which does not stand still while somebody waits for the back end with the
 * device's lock: takes the lock if that takes no longer than a moment. Whoever gets false returns;
 * what has called it does so again.
 */
bool vhost_lock(struct vhost *v);

/*
 * From virtio_ops.run(): gives the back end the queues that the driver has set up, before it may
 * use them; and takes back how far it has come, when it does not use them any more. If it found a
 * fault before that, or does not answer, the device needs a reset. Returns 0 or -errno; then the
 * back end has none.
 */
int vhost_give_queues(struct vhost *v);
void vhost_take_queues(struct vhost *v);

#endif /* ARMVMM_RUN_VHOST_H */

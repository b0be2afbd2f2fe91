/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Another process works on queues, by the vhost-user protocol: it listens at a Unix socket, and has
 * all of the guest's RAM (struct guestmem: shared).
 *
 * What it is asked for takes a limited time, whatever it does: VHOST_USER_SECONDS for all that a
 * change of the driver's needs. So long may a vCPU wait that causes one, or touches the device
 * meanwhile, as the device's lock is held: the driver has to find the change done, and whoever
 * comes in between, all or nothing of it. The main thread waits only for what it does itself: it
 * resets the machine, has it stop for a snapshot, or starts a device whose driver did not.
 *
 * One that does not answer in time, breaks the protocol or closes the connection is given up for
 * good, in words: nobody can connect again from within the sandbox. The device then needs a reset,
 * which does not help.
 *
 * A device type has a struct vhost_user, and calls these from its virtio_ops.
 */
#ifndef ARMVMM_RUN_VHOST_USER_H
#define ARMVMM_RUN_VHOST_USER_H

#include "virtio/vhost.h"

#define VHOST_USER_WORD		"vhost-user:"	/* before a path, on the command line */
#define VHOST_USER_CONFIG_MAX	256
#define VHOST_USER_SECONDS	5	/* that it has to answer, and to finish what it has begun */

struct vhost_user {
	struct vhost v;
	struct machine *machine;
	const char *label;	/* what the person typed, for messages */
	int fd;			/* -1: given up */
	uint64_t protocol;	/* what both know of the protocol */
	unsigned int max_queues;	/* that it has; 0: it does not say */
	int64_t deadline;	/* of what is under way */
	GSource *watch;		/* for its end */
	bool refused;		/* it has refused something, and people know */
	char why[96];		/* what it did when it was given up */
};

/*
 * Connects to @path and learns what there is. @label stays as long as @u. Returns 0 or -errno with
 * @err set; vhost_user_close() is right in any case. Main thread, before the sandbox.
 */
int vhost_user_open(struct vhost_user *u, struct machine *m, const char *path, const char *label,
		    struct error *err);
void vhost_user_close(struct vhost_user *u);

/* Reads the first @size bytes of the device's configuration. Likewise. */
int vhost_user_read_config(struct vhost_user *u, void *space, uint32_t size, struct error *err);

/*
 * Registers the device with the features in @features that the back end has, and sets what the
 * machine has to know. As virtio_device_register().
 */
int vhost_user_register(struct vhost_user *u, struct machine *m, struct virtio_device *vdev,
			const struct virtio_ops *ops, uint64_t features, const void *config,
			unsigned int config_size, struct error *err);

/* Of virtio_ops. */
int vhost_user_begin(struct vhost_user *u, struct virtio_device *vdev, struct error *err);
int vhost_user_run(struct vhost_user *u, bool run);
void vhost_user_reset(struct vhost_user *u);
bool vhost_user_works(struct vhost_user *u);

#endif /* ARMVMM_RUN_VHOST_USER_H */

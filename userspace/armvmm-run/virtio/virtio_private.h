/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of a virtio device share, and device types do not see. */
#ifndef ARMVMM_RUN_VIRTIO_PRIVATE_H
#define ARMVMM_RUN_VIRTIO_PRIVATE_H

#include "virtio/virtio_mmio.h"

#define VIRTIO_NO_QUEUE	UINT32_MAX

/* A transport: how a driver finds the device and talks to it. */
struct virtio_bus {
	const char *name;	/* "pcie" */

	/*
	 * Gives vdev->dev its operations and its place, and vdev->slot. Does not register it with
	 * the machine. Returns 0 or -errno with @err set; detach() is called in any case.
	 */
	int (*attach)(struct virtio_device *vdev, struct error *err);
	void (*detach)(struct virtio_device *vdev);

	/*
	 * Interrupts the driver for the causes @bits of InterruptStatus. NULL: by vdev->irq. The
	 * lock is held, as it is for reset(), which has the driver's reset of what is the
	 * transport's own.
	 */
	void (*raise)(struct virtio_device *vdev, uint32_t bits, unsigned int queue);
	void (*reset)(struct virtio_device *vdev);

	/* Where a write of its number, notify_len bytes, notifies queue @index. 0: nowhere. */
	uint64_t (*notify_gpa)(struct virtio_device *vdev, unsigned int index);
	unsigned int notify_len;
};

extern const struct virtio_bus virtio_mmio_bus;

/* At the end of the file of any other transport. */
#define VIRTIO_BUS(bus)							\
	static const struct virtio_bus *const bus##_entry		\
	__attribute__((section("virtio_buses"), used)) = &(bus)

/* The lock must be held for all but the first, and where it says so. */

/* The driver has seen the causes @bits of the interrupt. */
void virtio_ack(struct virtio_device *vdev, uint32_t bits);

/* InterruptStatus as the driver reads it. The lock is not held. */
uint32_t virtio_read_isr(struct virtio_device *vdev);

/* InterruptACK may be posted, or no longer: at the start, a return, a reset, the end. */
void virtio_ack_init(struct virtio_device *vdev);
void virtio_ack_post(struct virtio_device *vdev, bool post);

/* What ops->run() depends on may have changed; or queue @vq is about to come or go. */
void virtio_update_run(struct virtio_device *vdev);
void virtio_stop_run_for(struct virtio_device *vdev, const struct virtqueue *vq);

/*
 * The device goes on: interrupts for queues that others work on may have been left out. One
 * too many does no harm.
 */
void virtio_interrupt_again(struct virtio_device *vdev);

/* Waits until no request is in flight. Drops the lock meanwhile. */
void virtio_quiesce(struct virtio_device *vdev);

/* Takes notifications of queue @index that nobody has taken. Returns whether there were any. */
bool virtio_take_kick(struct virtio_device *vdev, unsigned int index);

/* Makes the main thread, or the device's workers, look at all queues. */
void virtio_kick_all(struct virtio_device *vdev);

/* Queue @i, which may not exist, was notified with an exit. The lock is not held. */
void virtio_notify(struct virtio_device *vdev, uint32_t i);

/* The driver turns a queue on or off. */
void virtio_set_queue_ready(struct virtio_device *vdev, struct virtqueue *vq, bool ready);

/* Accesses to the configuration space; what is beyond its end reads as zero. */
uint64_t virtio_config_read(const struct virtio_device *vdev, uint32_t offset, unsigned int len);
void virtio_config_write(struct virtio_device *vdev, uint32_t offset, unsigned int len,
			 uint64_t value);

/* Queues may be used from now on. Does nothing if the device is started or needs a reset. */
void virtio_start(struct virtio_device *vdev);

/* The main thread waits for a first notification only as long as no worker does. */
void virtio_watch_early(struct virtio_device *vdev);

/* Offers what its version can have of its features. */
void virtio_offer(struct virtio_device *vdev);

/* Back to power-on state, except for the legacy page size. */
void virtio_reset(struct virtio_device *vdev);

/* The driver writes Status (0 resets) or DriverFeatures. */
void virtio_set_status(struct virtio_device *vdev, uint32_t value);
void virtio_set_features(struct virtio_device *vdev, uint32_t value);

/*
 * Makes queue @i of a device whose address is known, with its eventfd and the function that waits
 * for it. Returns 0 or -errno; either way virtio_fini() frees what was made. Main thread.
 */
int virtio_queue_setup(struct virtio_device *vdev, unsigned int i);

/* Of struct device_ops, for all virtio devices. The lock is not held. */
void virtio_power_on(struct device *dev);
int virtio_device_begin(struct device *dev, struct error *err);
void virtio_destroy(struct device *dev);
void virtio_pause(struct device *dev);
bool virtio_is_idle(struct device *dev);
void virtio_resume(struct device *dev);
void virtio_save(struct device *dev, struct record *r);
int virtio_restore(struct device *dev, struct record *r);
int virtio_flush(struct device *dev);
int virtio_claim(struct device *dev, bool take, struct error *err);

#define VIRTIO_STATE_VERSION	1

#endif /* ARMVMM_RUN_VIRTIO_PRIVATE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of a virtio device share, and device types do not see. */
#ifndef ARMVMM_RUN_VIRTIO_PRIVATE_H
#define ARMVMM_RUN_VIRTIO_PRIVATE_H

#include "virtio/virtio_mmio.h"

/* The lock must be held for all but the first, and where it says so. */

/* The driver has seen the causes @bits of the interrupt. */
void virtio_ack(struct virtio_device *vdev, uint32_t bits);

/* InterruptStatus as the driver reads it. The lock is not held. */
uint32_t virtio_read_isr(struct virtio_device *vdev);

/* InterruptACK may be posted, or no longer: at the start, a return, a reset, the end. */
void virtio_ack_init(struct virtio_device *vdev);
void virtio_ack_post(struct virtio_device *vdev, bool post);

/* Waits until no request is in flight. Drops the lock meanwhile. */
void virtio_quiesce(struct virtio_device *vdev);

/* Makes the main thread, or the device's workers, look at all queues. */
void virtio_kick_all(struct virtio_device *vdev);

/* Queue @i, one of ops->kicked_by_vcpu, was notified with an exit. The lock is not held. */
void virtio_notified_by_vcpu(struct virtio_device *vdev, unsigned int i);

/* Queues may be used from now on. Does nothing if the device is started or needs a reset. */
void virtio_start(struct virtio_device *vdev);

/* The main thread waits for a first notification only as long as no worker does. */
void virtio_watch_early(struct virtio_device *vdev);

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
void virtio_pause(struct device *dev);
bool virtio_is_idle(struct device *dev);
void virtio_resume(struct device *dev);
void virtio_save(struct device *dev, struct record *r);
int virtio_restore(struct device *dev, struct record *r);
int virtio_flush(struct device *dev);
int virtio_claim(struct device *dev, bool take, struct error *err);

#define VIRTIO_STATE_VERSION	1

#endif /* ARMVMM_RUN_VIRTIO_PRIVATE_H */

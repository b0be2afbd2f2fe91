// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a snapshot has of a virtio device. A device that is saved is paused first, and its requests
 * have ended, so that what is left of them are indices of rings, which are in the guest's memory.
 */
#include <poll.h>

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>

#include "core/machine.h"
#include "core/record.h"
#include "virtio/virtio_private.h"

/* A driver sets no others, and the last is ours (virtio 1.2 2.1). */
#define STATE_STATUS_MAX	0xff

static const struct record_field virtio_state[] = {
	RECORD_FIELD(struct virtio_device, legacy, 1),
	RECORD_FIELD(struct virtio_device, features, UINT64_MAX),
	RECORD_FIELD(struct virtio_device, features_unknown, 1),
	RECORD_FIELD(struct virtio_device, offered_sel, UINT32_MAX),
	RECORD_FIELD(struct virtio_device, features_sel, UINT32_MAX),
	RECORD_FIELD(struct virtio_device, queue_sel, UINT32_MAX),
	RECORD_FIELD(struct virtio_device, status, STATE_STATUS_MAX),
	RECORD_FIELD(struct virtio_device, started, 1),
	RECORD_FIELD(struct virtio_device, page_size, UINT32_MAX),
	RECORD_FIELD(struct virtio_device, generation, UINT32_MAX),
	RECORD_FIELD(struct virtio_device, isr, VIRTIO_MMIO_INT_VRING | VIRTIO_MMIO_INT_CONFIG),
	RECORD_FIELD(struct virtio_device, config_size, VIRTIO_CONFIG_MAX),
	RECORD_ARRAY(struct virtio_device, config, UINT8_MAX),
};

static struct virtio_device *virtio_of(struct device *dev)
{
	return container_of(dev, struct virtio_device, dev);
}

void virtio_pause(struct device *dev)
{
	struct virtio_device *vdev = virtio_of(dev);

	pthread_mutex_lock(&vdev->lock);
	vdev->paused = true;
	virtio_update_run(vdev);
	pthread_mutex_unlock(&vdev->lock);
}

bool virtio_is_idle(struct device *dev)
{
	struct virtio_device *vdev = virtio_of(dev);
	bool idle;

	pthread_mutex_lock(&vdev->lock);
	idle = !vdev->in_flight && !(vdev->ops->works && vdev->ops->works(vdev));
	pthread_mutex_unlock(&vdev->lock);
	return idle;
}

/* Notifications that came meanwhile were taken without effect. */
void virtio_resume(struct device *dev)
{
	struct virtio_device *vdev = virtio_of(dev);
	bool post;

	pthread_mutex_lock(&vdev->lock);
	vdev->paused = false;
	/* For a driver that takes levels, posting was turned off: that was no other driver's. */
	post = vdev->restored || __atomic_load_n(&vdev->ack_wanted, __ATOMIC_ACQUIRE);
	if (vdev->restored && vdev->ops->start && vdev->ops->start(vdev) < 0)
		virtio_fail(vdev, "it could not start");
	if (vdev->ops->resumed)
		vdev->ops->resumed(vdev);
	vdev->restored = false;
	virtio_update_run(vdev);
	if (vdev->started) {
		virtio_interrupt_again(vdev);
		virtio_ack_post(vdev, post);
		virtio_kick_all(vdev);
	}
	pthread_mutex_unlock(&vdev->lock);
}

/* Was the queue notified, and nobody has noticed yet? */
static bool virtio_is_kicked(const struct virtio_device *vdev, unsigned int i)
{
	struct pollfd kick = { .fd = vdev->kick[i], .events = POLLIN };

	return poll(&kick, 1, 0) > 0;
}

void virtio_save(struct device *dev, struct record *r)
{
	struct virtio_device *vdev = virtio_of(dev);

	pthread_mutex_lock(&vdev->lock);
	record_put_fields(r, vdev, virtio_state, RECORD_NR(virtio_state));
	for (unsigned int i = 0; i < vdev->ops->nr_queues; i++) {
		uint8_t kicked = virtio_is_kicked(vdev, i);

		virtq_save(&vdev->vq[i], vdev->ops->held ? vdev->ops->held(vdev, i) : 0, r);
		record_put(r, &kicked, sizeof(kicked));
	}
	if (vdev->ops->save)
		vdev->ops->save(vdev, r);
	pthread_mutex_unlock(&vdev->lock);
}

/* What the driver relies on must be there. */
static int virtio_check_restored(struct virtio_device *vdev, bool legacy,
				 unsigned int config_size, struct record *r)
{
	if (r->ret)
		return r->ret;
	if (vdev->legacy != legacy && !vdev->any_version)
		return record_refuse(r, "its virtio-mmio was of the %s version (--virtio)",
				     vdev->legacy ? "legacy" : "modern");
	/* Its driver goes on with the version that it began with, and so do those after it. */
	if (vdev->legacy != legacy)
		virtio_offer(vdev);
	if (vdev->config_size != config_size)
		return record_refuse(r, "its configuration had %u bytes, and has %u",
				     vdev->config_size, config_size);
	/* Until they are agreed on, a driver may have written anything. */
	if (!vdev->started && !(vdev->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return 0;
	if (vdev->features & ~vdev->offered)
		return record_refuse(r, "its driver uses features that it does not offer here: 0x%llx",
				     (unsigned long long)(vdev->features & ~vdev->offered));
	if (vdev->ops->features_ok && !vdev->ops->features_ok(vdev, vdev->features))
		return record_refuse(r, "its driver's features do not go together: 0x%llx",
				     (unsigned long long)vdev->features);
	return 0;
}

/*
 * A queue in use is what its driver's features made it: who works on it elsewhere is told of the
 * features, and was promised that all of its rings is in RAM.
 */
static int virtio_check_queue(const struct virtio_device *vdev, const struct virtqueue *vq,
			      struct record *r)
{
	if (!vq->ready || vdev->legacy)
		return 0;
	if (!(vdev->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return record_refuse(r, "a queue is in use before the driver's features are agreed on");
	if (vq->indirect != virtio_has(vdev, VIRTIO_RING_F_INDIRECT_DESC) ||
	    vq->event_idx != virtio_has(vdev, VIRTIO_RING_F_EVENT_IDX))
		return record_refuse(r, "a queue is not as the driver's features have it");
	return 0;
}

static int virtio_restore_queues(struct virtio_device *vdev, struct record *r)
{
	for (unsigned int i = 0; i < vdev->ops->nr_queues; i++) {
		uint8_t kicked;

		vdev->vq[i].event_room = vdev->legacy;
		virtq_restore(&vdev->vq[i], r);
		if (record_get(r, &kicked, sizeof(kicked)))
			return r->ret;
		if (virtio_check_queue(vdev, &vdev->vq[i], r)) {
			vdev->vq[i].ready = false;
			return r->ret;
		}
		if (kicked)
			virtio_kick_self(vdev, i);
	}
	return 0;
}

int virtio_restore(struct device *dev, struct record *r)
{
	struct virtio_device *vdev = virtio_of(dev);
	unsigned int config_size = vdev->config_size;
	bool legacy = vdev->legacy;
	int ret;

	pthread_mutex_lock(&vdev->lock);
	vdev->paused = true;
	virtio_update_run(vdev);
	record_get_fields(r, vdev, virtio_state, RECORD_NR(virtio_state));
	ret = virtio_check_restored(vdev, legacy, config_size, r);
	/* The window never shows more than there is, whatever was read. */
	vdev->config_size = config_size;
	if (!ret)
		ret = virtio_restore_queues(vdev, r);
	if (!ret && vdev->ops->restore)
		ret = vdev->ops->restore(vdev, r);
	vdev->restored = vdev->started;
	virtio_watch_early(vdev);
	/* The interrupt of a transport that has another is its own. */
	if (!vdev->bus->raise)
		irqline_restore(&vdev->irq, vdev->isr);
	pthread_mutex_unlock(&vdev->lock);
	return ret;
}

int virtio_flush(struct device *dev)
{
	struct virtio_device *vdev = virtio_of(dev);

	return vdev->ops->flush ? vdev->ops->flush(vdev) : 0;
}

int virtio_claim(struct device *dev, bool take, struct error *err)
{
	struct virtio_device *vdev = container_of(dev, struct virtio_device, dev);

	return vdev->ops->claim ? vdev->ops->claim(vdev, take, err) : 0;
}

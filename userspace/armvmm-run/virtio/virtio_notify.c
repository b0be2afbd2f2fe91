// SPDX-License-Identifier: GPL-2.0-only
/* How a driver's notification of a queue reaches the device: by an eventfd for each queue. */
#include <errno.h>
#include <glib-unix.h>
#include <sys/eventfd.h>

#include "core/machine.h"
#include "virtio/virtio_private.h"

static void virtio_notified(struct virtio_device *vdev, unsigned int i)
{
	if (vdev->vq[i].ready && !vdev->quiescing)
		virtio_start(vdev);
	if (virtio_running(vdev))
		vdev->ops->kick(vdev, i);
}

static void virtio_notified_by_vcpu(struct virtio_device *vdev, unsigned int i)
{
	bool done = !vdev->ops->vcpu_kick;

	pthread_mutex_lock(&vdev->lock);
	if (done)
		virtio_notified(vdev, i);
	else if (virtio_running(vdev))
		done = vdev->ops->vcpu_kick(vdev, i);
	pthread_mutex_unlock(&vdev->lock);
	if (!done)
		virtio_kick_self(vdev, i);
}

void virtio_notify(struct virtio_device *vdev, uint32_t i)
{
	if (i >= vdev->ops->nr_queues)
		return;
	if (vdev->ops->kicked_by_vcpu >> i & 1)
		virtio_notified_by_vcpu(vdev, i);
	else
		virtio_kick_self(vdev, i);
}

/* Has the kernel take notifications of queue @i, if it can. Returns 0, -ENOTSUP or -errno. */
static int virtio_kick_add(struct virtio_device *vdev, unsigned int i)
{
	uint64_t gpa = vdev->bus->notify_gpa(vdev, i);

	return gpa ? machine_ioeventfd_add(vdev->machine, gpa, vdev->bus->notify_len, i,
					   vdev->kick[i]) : -ENOTSUP;
}

void virtio_kicked_by_vcpu(struct virtio_device *vdev, unsigned int i, bool by_vcpu)
{
	if (by_vcpu != vdev->kick_in_kernel[i])
		return;
	if (by_vcpu)
		machine_ioeventfd_del(vdev->machine, vdev->kick[i]);
	vdev->kick_in_kernel[i] = !by_vcpu && !virtio_kick_add(vdev, i);
}

/* A kick source knows its device as user data and its queue by the fd. */
static gboolean virtio_kicked(gint fd, GIOCondition condition, gpointer opaque)
{
	struct virtio_device *vdev = opaque;
	unsigned int i = 0;

	(void)condition;
	while (vdev->kick[i] != fd)
		i++;
	pthread_mutex_lock(&vdev->lock);
	/* A reset may have been quicker: it leaves none. */
	if (virtio_take_kick(vdev, i))
		virtio_notified(vdev, i);
	pthread_mutex_unlock(&vdev->lock);
	return G_SOURCE_CONTINUE;
}

/*
 * For devices whose workers wait for notifications, or somebody else. They do not before the
 * device is started: until then the main thread waits in their place.
 */
struct virtio_early_source {
	GSource source;
	struct virtio_device *vdev;
	unsigned int index;
};

static gboolean virtio_early(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct virtio_early_source *early = (struct virtio_early_source *)source;
	struct virtio_device *vdev = early->vdev;
	unsigned int i = early->index;
	bool any;

	pthread_mutex_lock(&vdev->lock);
	/* Once the device is started, the notification is left to the worker. */
	if (!vdev->started) {
		any = virtio_take_kick(vdev, i);
		/* A reset may have been quicker, and leaves none; or else a worker. */
		any |= !(vdev->ops->elsewhere >> i & 1);
		if (any && vdev->vq[i].ready && !vdev->quiescing)
			virtio_start(vdev);
	}
	pthread_mutex_unlock(&vdev->lock);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs virtio_early_funcs = { .dispatch = virtio_early };

int virtio_queue_setup(struct virtio_device *vdev, unsigned int i)
{
	struct machine *m = vdev->machine;
	int ret;

	virtq_init(&vdev->vq[i], &m->mem, vdev->ops->queue_size);
	/* A worker that a reset stops may be quicker than the main thread, which must not wait. */
	vdev->kick[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (vdev->kick[i] < 0)
		return -errno;
	if (vdev->ops->kick && !(vdev->ops->elsewhere >> i & 1)) {
		GSource *source = g_unix_fd_source_new(vdev->kick[i], G_IO_IN);

		g_source_set_callback(source, G_SOURCE_FUNC(virtio_kicked), vdev, NULL);
		g_source_attach(source, m->context);
		vdev->kick_source[i] = source;
	} else {
		GSource *source = g_source_new(&virtio_early_funcs,
					       sizeof(struct virtio_early_source));
		struct virtio_early_source *early = (struct virtio_early_source *)source;

		early->vdev = vdev;
		early->index = i;
		vdev->early_tag[i] = g_source_add_unix_fd(source, vdev->kick[i], G_IO_IN);
		g_source_attach(source, m->context);
		vdev->kick_source[i] = source;
	}
	if (vdev->ops->kicked_by_vcpu >> i & 1)
		return 0;
	ret = virtio_kick_add(vdev, i);
	if (ret < 0 && ret != -ENOTSUP)
		return ret;
	vdev->kick_in_kernel[i] = !ret;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/machine.h"
#include "virtio/doorbell.h"
#include "virtio/vhost.h"

#define VHOST_MOMENT_NS	1000000

void vhost_init(struct vhost *v, const struct vhost_ops *ops, unsigned int nr)
{
	*v = (struct vhost){ .ops = ops, .nr = nr };
	for (unsigned int i = 0; i < VHOST_MAX_QUEUES; i++)
		v->call[i] = v->broken[i] = -1;
}

void vhost_exit(struct vhost *v)
{
	for (unsigned int i = 0; i < 2 * VHOST_MAX_QUEUES; i++) {
		if (!v->source[i])
			continue;
		g_source_destroy(v->source[i]);
		g_source_unref(v->source[i]);
	}
	for (unsigned int i = 0; i < VHOST_MAX_QUEUES; i++) {
		if (v->call[i] >= 0)
			close(v->call[i]);
		if (v->broken[i] >= 0)
			close(v->broken[i]);
	}
}

bool vhost_lock(struct vhost *v)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += VHOST_MOMENT_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return !pthread_mutex_timedlock(&v->vdev->lock, &until);
}

/* ---- What the back end says ---- */

static gboolean vhost_called(gint fd, GIOCondition condition, gpointer opaque)
{
	struct vhost *v = opaque;
	unsigned int i = 0;

	(void)condition;
	while (v->call[i] != fd)
		i++;
	if (!vhost_lock(v))
		return G_SOURCE_CONTINUE;
	(void)doorbell_take(fd);
	/* What it did before it had to stop counts as well. */
	virtio_interrupt(v->vdev, i);
	pthread_mutex_unlock(&v->vdev->lock);
	return G_SOURCE_CONTINUE;
}

static void vhost_fail(struct vhost *v, const char *what)
{
	char why[128];

	snprintf(why, sizeof(why), "%s %s", v->ops->who, what);
	virtio_fail(v->vdev, why);
}

static gboolean vhost_has_failed(gint fd, GIOCondition condition, gpointer opaque)
{
	struct vhost *v = opaque;

	(void)condition;
	if (!vhost_lock(v))
		return G_SOURCE_CONTINUE;
	/* If it was stopped meanwhile, vhost_take_queues() has seen the fault. */
	if (doorbell_take(fd) && v->vdev->runs)
		vhost_fail(v, "finds a fault in its rings");
	pthread_mutex_unlock(&v->vdev->lock);
	return G_SOURCE_CONTINUE;
}

static int vhost_watch(struct vhost *v, unsigned int at, int *fd, GUnixFDSourceFunc func)
{
	*fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (*fd < 0)
		return -errno;
	v->source[at] = g_unix_fd_source_new(*fd, G_IO_IN);
	g_source_set_callback(v->source[at], G_SOURCE_FUNC(func), v, NULL);
	g_source_attach(v->source[at], v->vdev->machine->context);
	return 0;
}

/* ---- What it is told ---- */

int vhost_begin(struct vhost *v, struct virtio_device *vdev, struct error *err)
{
	int ret = 0;

	if (v->begun)
		return 0;
	v->vdev = vdev;
	v->begun = true;
	for (unsigned int i = 0; !ret && i < v->nr; i++) {
		ret = vhost_watch(v, 2 * i, &v->call[i], vhost_called);
		if (!ret)
			ret = vhost_watch(v, 2 * i + 1, &v->broken[i], vhost_has_failed);
	}
	if (!ret)
		ret = v->ops->begin(v);
	return ret ? error_errno(err, ret, "%s in slot %u: vhost", vdev->ops->name, vdev->slot) : 0;
}

int vhost_give_queues(struct vhost *v)
{
	/* A driver may have written anything, and begin before that was looked at. */
	int ret = v->ops->set_features(v, v->vdev->features & v->vdev->offered & v->features);

	for (unsigned int i = 0; !ret && i < v->nr; i++) {
		if (!v->vdev->vq[i].ready)
			continue;
		/* It may be left of a start that failed. */
		(void)doorbell_take(v->broken[i]);
		/* Whatever it says, it may have it now. */
		v->given |= 1u << i;
		ret = v->ops->give_queue(v, i);
	}
	if (ret)
		vhost_take_queues(v);
	return ret;
}

/* It has given back all that it took, or will, unless it found a fault. */
static int vhost_take_queue(struct vhost *v, unsigned int i)
{
	struct virtqueue *vq = &v->vdev->vq[i];
	unsigned int base = 0;
	int ret = v->ops->take_queue(v, i, &base);

	if (!ret)
		vq->next_avail = vq->avail_seen = vq->next_used = vq->signalled = base;
	return ret;
}

void vhost_take_queues(struct vhost *v)
{
	bool broken = false, silent = false;

	for (unsigned int i = 0; i < v->nr; i++) {
		if (!(v->given >> i & 1))
			continue;
		broken |= doorbell_take(v->broken[i]);
		silent |= vhost_take_queue(v, i) < 0;
	}
	v->given = 0;
	if (broken && v->vdev->started)
		vhost_fail(v, "has found a fault in its rings");
	else if (silent && v->vdev->started)
		vhost_fail(v, "does not give its queues back");
}

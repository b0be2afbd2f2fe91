// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vhost.h>
#include <linux/virtio_config.h>

#include "core/host_kernel.h"
#include "core/machine.h"
#include "virtio/vhost.h"
#include "virtio/virtio_mmio.h"

/*
 * Features between driver and kernel. In a network card's set the number of ANY_LAYOUT means
 * another thing to the kernel (VHOST_NET_F_VIRTIO_NET_HDR), and what the former stands for holds
 * with or without it.
 */
#define VHOST_OWN_BITS	(VIRTIO_BIT(VHOST_F_LOG_ALL) | VIRTIO_BIT(VIRTIO_F_ANY_LAYOUT))

#ifndef VHOST_GET_FORK_FROM_OWNER
#define VHOST_GET_FORK_FROM_OWNER	_IOR(VHOST_VIRTIO, 0x85, __u8)
#endif

/*
 * Since Linux 6.4 the kernel's worker is a thread of this process. Newer ones have a parameter of
 * the module (fork_from_owner_default) that makes it one of the kernel's again, and say so.
 */
static bool vhost_has_kthread(const struct vhost *v)
{
	uint8_t ours[4] = { 0 };	/* older ones look for the number of a queue here */

	if (!ioctl(v->fd, VHOST_GET_FORK_FROM_OWNER, ours))
		return !ours[0];
	return host_kernel_before(6, 4);
}

int vhost_open(struct vhost *v, const char *node, const char *module, const char *label,
	       struct error *err)
{
	*v = (struct vhost){ .fd = -1, .nr = VHOST_QUEUES };
	for (unsigned int i = 0; i < VHOST_QUEUES; i++)
		v->call[i] = v->broken[i] = -1;
	v->fd = open(node, O_RDWR | O_CLOEXEC);
	if (v->fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return error_set(err, -errno, "%s: %s: %s: is the module loaded (modprobe %s)?",
				 label, node, strerror(errno), module);
	if (v->fd < 0 || ioctl(v->fd, VHOST_GET_FEATURES, &v->features))
		return error_errno(err, -errno, "%s: %s", label, node);
	v->features &= ~VHOST_OWN_BITS;
	v->kthread = vhost_has_kthread(v);
	return 0;
}

void vhost_close(struct vhost *v)
{
	for (unsigned int i = 0; i < 2 * VHOST_QUEUES; i++) {
		if (!v->source[i])
			continue;
		g_source_destroy(v->source[i]);
		g_source_unref(v->source[i]);
	}
	/* The kernel lets go of the guest's memory with the last descriptor. */
	if (v->fd >= 0)
		close(v->fd);
	for (unsigned int i = 0; i < v->nr; i++) {
		if (v->call[i] >= 0)
			close(v->call[i]);
		if (v->broken[i] >= 0)
			close(v->broken[i]);
	}
}

/* ---- What the kernel says ---- */

static gboolean vhost_called(gint fd, GIOCondition condition, gpointer opaque)
{
	struct vhost *v = opaque;
	unsigned int i = 0;
	eventfd_t count;

	(void)condition;
	(void)eventfd_read(fd, &count);
	while (v->call[i] != fd)
		i++;
	pthread_mutex_lock(&v->vdev->lock);
	/* What it did before it had to stop counts as well. */
	virtio_interrupt(v->vdev, i);
	pthread_mutex_unlock(&v->vdev->lock);
	return G_SOURCE_CONTINUE;
}

static gboolean vhost_has_failed(gint fd, GIOCondition condition, gpointer opaque)
{
	struct vhost *v = opaque;
	eventfd_t count;

	(void)condition;
	pthread_mutex_lock(&v->vdev->lock);
	/* If it was stopped meanwhile, vhost_take_queues() has seen the fault. */
	if (!eventfd_read(fd, &count) && v->vdev->runs)
		virtio_fail(v->vdev, "the host's kernel finds a fault in its rings");
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

static int vhost_set(struct vhost *v, unsigned long request, const void *arg)
{
	return ioctl(v->fd, request, arg) < 0 ? -errno : 0;
}

static int vhost_set_file(struct vhost *v, unsigned long request, unsigned int i, int fd)
{
	struct vhost_vring_file file = { .index = i, .fd = fd };

	return vhost_set(v, request, &file);
}

static int vhost_set_memory(struct vhost *v)
{
	const struct guestmem *mem = &v->vdev->machine->mem;
	struct vhost_memory *table;
	int ret;

	table = calloc(1, sizeof(*table) + mem->nr_regions * sizeof(table->regions[0]));
	if (!table)
		return -ENOMEM;
	table->nregions = mem->nr_regions;
	for (unsigned int i = 0; i < mem->nr_regions; i++) {
		table->regions[i].guest_phys_addr = mem->region[i].gpa;
		table->regions[i].memory_size = mem->region[i].size;
		table->regions[i].userspace_addr = (uintptr_t)mem->region[i].host;
	}
	ret = vhost_set(v, VHOST_SET_MEM_TABLE, table);
	free(table);
	return ret;
}

static int vhost_begin_queue(struct vhost *v, unsigned int i)
{
	int ret = vhost_watch(v, 2 * i, &v->call[i], vhost_called);

	if (!ret)
		ret = vhost_watch(v, 2 * i + 1, &v->broken[i], vhost_has_failed);
	if (!ret)
		ret = vhost_set_file(v, VHOST_SET_VRING_CALL, i, v->call[i]);
	if (!ret)
		ret = vhost_set_file(v, VHOST_SET_VRING_ERR, i, v->broken[i]);
	/* It is of no effect while the kernel may not use the queue. */
	if (!ret)
		ret = vhost_set_file(v, VHOST_SET_VRING_KICK, i, v->vdev->kick[i]);
	return ret;
}

int vhost_begin(struct vhost *v, struct virtio_device *vdev, struct error *err)
{
	int ret;

	if (v->begun)
		return 0;
	v->vdev = vdev;
	v->begun = true;
	ret = vhost_set(v, VHOST_SET_OWNER, NULL);
	if (!ret)
		ret = vhost_set_memory(v);
	for (unsigned int i = 0; !ret && i < v->nr; i++)
		ret = vhost_begin_queue(v, i);
	return ret ? error_errno(err, ret, "%s in slot %u: vhost", vdev->ops->name, vdev->slot) : 0;
}

static int vhost_give_queue(struct vhost *v, unsigned int i)
{
	const struct virtqueue *vq = &v->vdev->vq[i];
	struct vhost_vring_state size = { .index = i, .num = vq->size };
	struct vhost_vring_state base = { .index = i, .num = vq->next_avail };
	struct vhost_vring_addr addr = {
		.index = i,
		.desc_user_addr = (uintptr_t)vq->desc,
		.avail_user_addr = (uintptr_t)vq->avail,
		.used_user_addr = (uintptr_t)vq->used,
	};
	int ret = vhost_set(v, VHOST_SET_VRING_NUM, &size);

	if (!ret)
		ret = vhost_set(v, VHOST_SET_VRING_BASE, &base);
	if (!ret)
		ret = vhost_set(v, VHOST_SET_VRING_ADDR, &addr);
	return ret;
}

int vhost_give_queues(struct vhost *v)
{
	uint64_t features = v->vdev->features & v->features;
	int ret = vhost_set(v, VHOST_SET_FEATURES, &features);
	eventfd_t count;

	for (unsigned int i = 0; !ret && i < v->nr; i++) {
		/* It may be left of a start that failed. */
		(void)eventfd_read(v->broken[i], &count);
		ret = vhost_give_queue(v, i);
	}
	return ret;
}

void vhost_take_queues(struct vhost *v)
{
	bool broken = false;

	for (unsigned int i = 0; i < v->nr; i++) {
		struct virtqueue *vq = &v->vdev->vq[i];
		struct vhost_vring_state base = { .index = i };
		eventfd_t count;

		broken |= !eventfd_read(v->broken[i], &count);
		if (vhost_set(v, VHOST_GET_VRING_BASE, &base))
			continue;
		/* It has given back all that it took, unless it found a fault. */
		vq->next_avail = vq->avail_seen = vq->next_used = vq->signalled = base.num;
	}
	if (broken && v->vdev->started)
		virtio_fail(v->vdev, "the host's kernel has found a fault in its rings");
}

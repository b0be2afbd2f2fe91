// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vhost.h>
#include <linux/virtio_config.h>

#include "core/host_kernel.h"
#include "core/machine.h"
#include "virtio/vhost_kernel.h"

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
static bool vhost_kernel_has_kthread(const struct vhost_kernel *k)
{
	uint8_t ours[4] = { 0 };	/* older ones look for the number of a queue here */

	if (!ioctl(k->fd, VHOST_GET_FORK_FROM_OWNER, ours))
		return !ours[0];
	return host_kernel_before(6, 4);
}

static int vhost_kernel_set(struct vhost *v, unsigned long request, const void *arg)
{
	const struct vhost_kernel *k = container_of(v, struct vhost_kernel, v);

	return ioctl(k->fd, request, arg) < 0 ? -errno : 0;
}

static int vhost_kernel_set_file(struct vhost *v, unsigned long request, unsigned int i, int fd)
{
	struct vhost_vring_file file = { .index = i, .fd = fd };

	return vhost_kernel_set(v, request, &file);
}

static int vhost_kernel_set_memory(struct vhost *v)
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
	ret = vhost_kernel_set(v, VHOST_SET_MEM_TABLE, table);
	free(table);
	return ret;
}

static int vhost_kernel_set_files(struct vhost *v, unsigned int i)
{
	int ret = vhost_kernel_set_file(v, VHOST_SET_VRING_CALL, i, v->call[i]);

	if (!ret)
		ret = vhost_kernel_set_file(v, VHOST_SET_VRING_ERR, i, v->broken[i]);
	/* It is of no effect while the kernel may not use the queue. */
	if (!ret)
		ret = vhost_kernel_set_file(v, VHOST_SET_VRING_KICK, i, v->vdev->kick[i]);
	return ret;
}

static int vhost_kernel_begin(struct vhost *v)
{
	int ret = vhost_kernel_set(v, VHOST_SET_OWNER, NULL);

	if (!ret)
		ret = vhost_kernel_set_memory(v);
	for (unsigned int i = 0; !ret && i < v->nr; i++)
		ret = vhost_kernel_set_files(v, i);
	return ret;
}

static int vhost_kernel_set_features(struct vhost *v, uint64_t features)
{
	return vhost_kernel_set(v, VHOST_SET_FEATURES, &features);
}

static int vhost_kernel_give_queue(struct vhost *v, unsigned int i)
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
	int ret = vhost_kernel_set(v, VHOST_SET_VRING_NUM, &size);

	if (!ret)
		ret = vhost_kernel_set(v, VHOST_SET_VRING_BASE, &base);
	if (!ret)
		ret = vhost_kernel_set(v, VHOST_SET_VRING_ADDR, &addr);
	return ret;
}

static int vhost_kernel_take_queue(struct vhost *v, unsigned int i, unsigned int *base)
{
	struct vhost_vring_state state = { .index = i };
	int ret = vhost_kernel_set(v, VHOST_GET_VRING_BASE, &state);

	*base = state.num;
	return ret;
}

static const struct vhost_ops vhost_kernel_ops = {
	.who = "the host's kernel",
	.begin = vhost_kernel_begin,
	.set_features = vhost_kernel_set_features,
	.give_queue = vhost_kernel_give_queue,
	.take_queue = vhost_kernel_take_queue,
};

int vhost_kernel_open(struct vhost_kernel *k, const char *node, const char *module,
		      const char *label, struct error *err)
{
	vhost_init(&k->v, &vhost_kernel_ops, VHOST_KERNEL_QUEUES);
	k->fd = open(node, O_RDWR | O_CLOEXEC);
	if (k->fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return error_set(err, -errno, "%s: %s: %s: is the module loaded (modprobe %s)?",
				 label, node, strerror(errno), module);
	if (k->fd < 0 || ioctl(k->fd, VHOST_GET_FEATURES, &k->v.features))
		return error_errno(err, -errno, "%s: %s", label, node);
	k->v.features &= ~VHOST_OWN_BITS;
	k->kthread = vhost_kernel_has_kthread(k);
	return 0;
}

void vhost_kernel_close(struct vhost_kernel *k)
{
	vhost_exit(&k->v);
	/* The kernel lets go of the guest's memory with the last descriptor. */
	if (k->fd >= 0)
		close(k->fd);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-blk (virtio 1.2 5.2) by vhost-user. The back end says what disk it is: its size, whether
 * it is read-only, its serial number, how many queues there are.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>

#include "core/blockdev.h"
#include "core/machine.h"
#include "core/record.h"
#include "virtio/disk.h"
#include "virtio/vhost_user.h"
#include "virtio/vhost_user_blk.h"

#define USER_BLK_QUEUE_SIZE	128
#define USER_BLK_SECTOR		512u

/* As far as there are fields of features that a driver may have here. */
#define USER_BLK_CONFIG_SIZE \
	(offsetof(struct virtio_blk_config, write_zeroes_may_unmap) + 4)
_Static_assert(USER_BLK_CONFIG_SIZE <= VIRTIO_CONFIG_MAX, "it has room");

/* Of these the driver gets what the back end has. The cache is not to be switched. */
#define USER_BLK_FEATURES \
	(VIRTIO_BIT(VIRTIO_BLK_F_SIZE_MAX) | VIRTIO_BIT(VIRTIO_BLK_F_SEG_MAX) | \
	 VIRTIO_BIT(VIRTIO_BLK_F_GEOMETRY) | VIRTIO_BIT(VIRTIO_BLK_F_RO) | \
	 VIRTIO_BIT(VIRTIO_BLK_F_BLK_SIZE) | VIRTIO_BIT(VIRTIO_BLK_F_FLUSH) | \
	 VIRTIO_BIT(VIRTIO_BLK_F_TOPOLOGY) | VIRTIO_BIT(VIRTIO_BLK_F_MQ) | \
	 VIRTIO_BIT(VIRTIO_BLK_F_DISCARD) | VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES))

struct user_blk {
	struct virtio_device vdev; /* first: see virtio_mmio.h */
	struct virtio_ops ops;	/* with the back end's number of queues */
	struct vhost_user user;
	struct blockdev blockdev;
	uint64_t capacity;	/* as the back end says, little-endian */
};

static struct user_blk *to_user_blk(struct virtio_device *vdev)
{
	return container_of(vdev, struct user_blk, vdev);
}

/* ---- What the transport asks for ---- */

static int user_blk_begin(struct virtio_device *vdev, struct error *err)
{
	return vhost_user_begin(&to_user_blk(vdev)->user, vdev, err);
}

static int user_blk_run(struct virtio_device *vdev, bool run)
{
	return vhost_user_run(&to_user_blk(vdev)->user, run);
}

static bool user_blk_works(struct virtio_device *vdev)
{
	return vhost_user_works(&to_user_blk(vdev)->user);
}

static void user_blk_reset(struct virtio_device *vdev)
{
	vhost_user_reset(&to_user_blk(vdev)->user);
}

/* The guest knows how large its disk is, and would read beyond the end of a smaller one. */
static int user_blk_restore(struct virtio_device *vdev, struct record *r)
{
	struct user_blk *blk = to_user_blk(vdev);
	uint64_t capacity;

	memcpy(&capacity, vdev->config, sizeof(capacity));
	if (capacity == blk->capacity)
		return 0;
	return record_refuse(r, "the disk had %llu bytes, and that of %.256s has %llu",
			     (unsigned long long)le64toh(capacity) * USER_BLK_SECTOR,
			     blk->user.label,
			     (unsigned long long)le64toh(blk->capacity) * USER_BLK_SECTOR);
}

static void user_blk_destroy(struct virtio_device *vdev)
{
	vhost_user_close(&to_user_blk(vdev)->user);
}

static const struct virtio_ops user_blk_ops = {
	.name = "virtio-blk",
	.id = VIRTIO_ID_BLOCK,
	.queue_size = USER_BLK_QUEUE_SIZE,
	.age = VIRTIO_NEW_ALONE,	/* back ends know virtio 1.x alone */
	.begin = user_blk_begin,
	.run = user_blk_run,
	.reset = user_blk_reset,
	.works = user_blk_works,
	.restore = user_blk_restore,
	.destroy = user_blk_destroy,
};

/* ---- What a person asks of it ---- */

static struct user_blk *user_blk_of(struct blockdev *b)
{
	return container_of(b, struct user_blk, blockdev);
}

static uint64_t user_blk_size(struct blockdev *b)
{
	return le64toh(user_blk_of(b)->capacity) * USER_BLK_SECTOR;
}

static uint64_t user_blk_allocated(struct blockdev *b)
{
	return 0;
}

static int user_blk_resize(struct blockdev *b, uint64_t size, struct error *err)
{
	return error_set(err, -ENOTSUP, "The process behind vhost-user: has the disk: it resizes it");
}

static const struct blockdev_ops user_blk_blockdev_ops = {
	.size = user_blk_size,
	.allocated = user_blk_allocated,
	.resize = user_blk_resize,
};

/* ---- Creation ---- */

/* A back end with one queue need not say so. */
static unsigned int user_blk_nr_queues(const struct user_blk *blk,
				       const struct virtio_blk_config *space)
{
	unsigned int nr = le16toh(space->num_queues);

	if (!(blk->user.v.features & VIRTIO_BIT(VIRTIO_BLK_F_MQ)))
		return 1;
	if (nr > blk->user.max_queues)
		nr = blk->user.max_queues;
	return nr ? nr : 1;
}

/* The header and the status byte take a descriptor each, of a queue that is shorter than some. */
static void user_blk_adjust(struct virtio_blk_config *space, unsigned int nr_queues)
{
	uint32_t segments = le32toh(space->seg_max);

	if (segments > USER_BLK_QUEUE_SIZE - 2)
		segments = USER_BLK_QUEUE_SIZE - 2;
	space->seg_max = htole32(segments);
	space->num_queues = htole16(nr_queues);
}

static int user_blk_register(struct user_blk *blk, struct machine *m, struct error *err)
{
	struct virtio_blk_config space = { .capacity = 0 };
	int ret = vhost_user_read_config(&blk->user, &space, USER_BLK_CONFIG_SIZE, err);
	unsigned int nr = user_blk_nr_queues(blk, &space);

	if (ret)
		return ret;
	if (le64toh(space.capacity) > UINT64_MAX / USER_BLK_SECTOR)
		return error_set(err, -EINVAL, "%s: the back end says that it has 2^64 bytes or more",
				 blk->user.label);
	user_blk_adjust(&space, nr);
	blk->capacity = space.capacity;
	blk->ops = user_blk_ops;
	blk->ops.nr_queues = nr;
	blk->ops.elsewhere = (1u << nr) - 1;
	blk->ops.process = true;
	/* A driver takes no more than the guest has CPUs. */
	blk->ops.optional = blk->ops.elsewhere & ~1u;
	return vhost_user_register(&blk->user, m, &blk->vdev, &blk->ops, USER_BLK_FEATURES, &space,
				   USER_BLK_CONFIG_SIZE, err);
}

int vhost_user_blk_create(struct machine *m, const struct disk_config *config, struct error *err)
{
	struct user_blk *blk = calloc(1, sizeof(*blk));
	int ret;

	if (!blk)
		return error_errno(err, -ENOMEM, "%s", config->path);
	blk->vdev.bus = config->bus;
	ret = vhost_user_open(&blk->user, m, config->path + strlen(VHOST_USER_WORD), config->path,
			      err);
	if (!ret)
		ret = user_blk_register(blk, m, err);
	if (ret) {
		vhost_user_close(&blk->user);
		free(blk);
		return ret;
	}
	blk->blockdev = (struct blockdev){
		.file = config->path,
		.readonly = blk->user.v.features & VIRTIO_BIT(VIRTIO_BLK_F_RO),
		.ops = &user_blk_blockdev_ops,
	};
	blockdev_add(&m->disks, &blk->blockdev);
	return 0;
}

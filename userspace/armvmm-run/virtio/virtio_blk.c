// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-blk (virtio 1.2 5.2): the queue and the threads that serve it. What a
 * request does to the disk is in blk_request.c, what is behind it in disk.c.
 *
 * Requests run on worker threads. One worker, the leader, waits
 * for the guest's notification; a worker that takes a request and sees another one behind it wakes
 * or starts a helper. So an idle disk has one sleeping thread, and a busy one keeps a few requests
 * in the host's hands at once.
 *
 * Short reads of what the host has in memory are the exception. While all workers sleep, the vCPU
 * that notifies tries them itself, without waiting: two threads need not change places for what
 * takes a system call. For a guest whose requests are not of that kind, its notifications would be
 * exits in vain; so every now and then the disk looks what they were like, and has the kernel pass
 * them to the workers (ioeventfd), or not.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>

#include "virtio/blk_request.h"
#include "virtio/disk.h"
#include "virtio/vhost_user.h"
#include "virtio/vhost_user_blk.h"
#include "core/blockdev.h"
#include "core/device_type.h"
#include "core/machine.h"
#include "core/parse.h"
#include "core/record.h"
#include "core/thread.h"
#include "virtio/virtio_mmio.h"

#define BLK_QUEUE_SIZE 128
#define BLK_WORKERS 4

/* Deep enough for our frames and libc's; the system's default is 8 MiB of address space. */
#define BLK_STACK_SIZE (64 * 1024)

/* Newer headers have fields behind it that belong to features not offered here. */
#define BLK_CONFIG_SIZE                                                                            \
	(offsetof(struct virtio_blk_config, write_zeroes_may_unmap) + sizeof(uint8_t))

struct blk_worker {
	struct virtio_blk *blk;
	pthread_t thread;
	struct blk_request req;
	struct virtq_chain *chain;
};

/* A vCPU tries so many requests at a time; the rest is for the workers. */
#define BLK_TRY_BUDGET 4
/* Between two looks: fewer requests say nothing. */
#define BLK_TRY_ENOUGH 64

/* Seconds between looks whether the file has another size, and how its requests are. */
#define BLK_RESIZE_PERIOD 2

struct virtio_blk {
	struct virtio_device vdev; /* first: see virtio_mmio.h */
	struct disk disk;
	struct blockdev blockdev;
	GSource *resize;
	pthread_cond_t follow; /* a leader is needed, or a helper, or stop */
	bool leading; /* a worker waits for the guest's notification */
	unsigned int nr_waiting; /* workers that sleep on @follow */
	bool stop;
	unsigned int nr_tried, nr_missed; /* requests, since the last look */
	struct blk_worker vcpu; /* no thread: for what a vCPU tries */
	unsigned int nr_workers;
	struct blk_worker worker[BLK_WORKERS];
};

static struct virtio_blk *to_blk(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_blk, vdev);
}

static bool blk_abandoned(const struct disk *disk)
{
	return virtio_abandoned(&container_of(disk, struct virtio_blk, disk)->vdev);
}

static void *blk_worker_main(void *opaque);

/* The lock is held. */
static int blk_start_worker(struct virtio_blk *blk)
{
	struct blk_worker *w = &blk->worker[blk->nr_workers];
	int ret;

	w->blk = blk;
	if (!w->chain)
		w->chain = virtq_chain_alloc(BLK_QUEUE_SIZE);
	if (!w->chain)
		return -ENOMEM;
	ret = thread_start(&w->thread, BLK_STACK_SIZE, blk_worker_main, w);
	if (ret)
		return ret;
	blk->nr_workers++;
	return 0;
}

/* There may be more than one request: get help. The lock is held. */
static void blk_get_help(struct virtio_blk *blk)
{
	if (blk->nr_waiting)
		pthread_cond_signal(&blk->follow);
	else if (blk->nr_workers < BLK_WORKERS && !blk->stop)
		blk_start_worker(blk); /* without it we are slower, no more */
}

/*
 * The ring was empty: waits until it may hold something. The lock is held, and dropped meanwhile.
 */
static void blk_wait(struct virtio_blk *blk)
{
	struct virtio_device *vdev = &blk->vdev;
	struct pollfd kick = { .fd = vdev->kick[0], .events = POLLIN };
	eventfd_t count;

	/*
	 * Until the driver has started the device, the main thread takes notifications
	 * (virtio_early()).
	 */
	if (blk->leading || !blk->vdev.started) {
		blk->nr_waiting++;
		pthread_cond_wait(&blk->follow, &vdev->lock);
		blk->nr_waiting--;
		return;
	}
	if (virtio_running(vdev) && virtq_notify_on(&vdev->vq[0]))
		return;
	blk->leading = true;
	pthread_mutex_unlock(&vdev->lock);
	(void)poll(&kick, 1, -1);
	(void)eventfd_read(kick.fd, &count);
	pthread_mutex_lock(&vdev->lock);
	blk->leading = false;
	if (virtio_running(vdev))
		virtq_notify_off(&vdev->vq[0]);
}

/* Returns what blk_request_try() does, and counts. The lock is held. */
static int64_t blk_try(struct virtio_blk *blk, struct blk_worker *w)
{
	int64_t len = blk_request_try(&w->req, &blk->disk, w->chain);

	blk->nr_tried++;
	if (len < 0)
		blk->nr_missed++;
	return len;
}

static void blk_serve(struct virtio_blk *blk, struct blk_worker *w)
{
	struct virtio_device *vdev = &blk->vdev;
	int64_t len;

	if (virtq_pending(&vdev->vq[0]))
		blk_get_help(blk);
	/* Would it be one for the vCPU? If so, it is done. */
	if (vdev->kick_in_kernel[0]) {
		len = blk_try(blk, w);
		if (len >= 0) {
			virtq_push(&vdev->vq[0], w->chain, len);
			virtio_signal(vdev, 0);
			return;
		}
	}
	w->req.write_through = blk->disk.write_through || !virtio_has(vdev, VIRTIO_BLK_F_FLUSH);
	virtio_begin(vdev);
	pthread_mutex_unlock(&vdev->lock);

	len = blk_request_run(&w->req, &blk->disk, vdev, w->chain);

	pthread_mutex_lock(&vdev->lock);
	if (len < 0) {
		virtio_fail(vdev, "a request has no room for header or status");
	} else {
		virtq_push(&vdev->vq[0], w->chain, len);
		virtio_signal(vdev, 0);
	}
	virtio_end(vdev);
}

/* On the vCPU that has notified. False: the workers have to look. */
static bool blk_vcpu_kick(struct virtio_device *vdev, unsigned int index)
{
	struct virtio_blk *blk = to_blk(vdev);
	struct virtqueue *vq = &vdev->vq[index];
	struct blk_worker *w = &blk->vcpu;
	unsigned int budget = BLK_TRY_BUDGET;
	bool done = false, any = false;
	int64_t len;

	/* Workers are at it, and look for more when they have done. */
	if (!blk->leading || vdev->in_flight)
		return false;
	while (!done && budget--) {
		if (!virtio_pop(vdev, index, w->chain)) {
			done = !virtio_running(vdev) || !virtq_notify_on(vq);
			continue;
		}
		len = blk_try(blk, w);
		if (len < 0) {
			virtq_unpop(vq, 1);
			break;
		}
		virtq_push(vq, w->chain, len);
		any = true;
	}
	if (any)
		virtio_signal(vdev, index);
	return done;
}

static void *blk_worker_main(void *opaque)
{
	struct blk_worker *w = opaque;
	struct virtio_blk *blk = w->blk;

	prctl(PR_SET_NAME, "disk");
	machine_confine(blk->vdev.machine, MACHINE_THREAD_DISK);
	pthread_mutex_lock(&blk->vdev.lock);
	while (!blk->stop) {
		if (virtio_pop(&blk->vdev, 0, w->chain))
			blk_serve(blk, w);
		else
			blk_wait(blk);
	}
	pthread_mutex_unlock(&blk->vdev.lock);
	return NULL;
}

/* Starts the first worker, which starts the others. It stays over resets of the machine. */
static int blk_begin(struct virtio_device *vdev, struct error *err)
{
	struct virtio_blk *blk = to_blk(vdev);
	int ret = 0;

	pthread_mutex_lock(&vdev->lock);
	if (!blk->nr_workers)
		ret = blk_start_worker(blk);
	pthread_mutex_unlock(&vdev->lock);
	return ret ? error_errno(err, ret, "%s: cannot start a thread", blk->disk.path) : 0;
}

static int blk_start(struct virtio_device *vdev)
{
	pthread_cond_signal(&to_blk(vdev)->follow);
	return 0;
}

/* Decides who is notified, by what the last requests were like. */
static void blk_choose(struct virtio_blk *blk)
{
	unsigned int tried, missed;

	pthread_mutex_lock(&blk->vdev.lock);
	tried = blk->nr_tried;
	missed = blk->nr_missed;
	if (tried >= BLK_TRY_ENOUGH)
		blk->nr_tried = blk->nr_missed = 0;
	pthread_mutex_unlock(&blk->vdev.lock);
	if (tried >= BLK_TRY_ENOUGH)
		virtio_kicked_by_vcpu(&blk->vdev, 0, missed <= tried / 2);
}

static void blk_tell_size(struct virtio_blk *blk)
{
	uint64_t capacity = htole64(disk_size(&blk->disk) / BLK_SECTOR);

	machine_note(blk->vdev.machine, "%s: has %llu bytes now", blk->disk.path,
		     (unsigned long long)disk_size(&blk->disk));
	pthread_mutex_lock(&blk->vdev.lock);
	virtio_config_set(&blk->vdev, offsetof(struct virtio_blk_config, capacity), &capacity,
			  sizeof(capacity));
	pthread_mutex_unlock(&blk->vdev.lock);
}

/*
 * Looks whether the file's size has changed. Other programs change it (truncate, lvextend), and
 * inotify would report the guest's own writes as well.
 */
static gboolean blk_look(gpointer opaque)
{
	struct virtio_blk *blk = opaque;

	blk_choose(blk);
	if (disk_resized(&blk->disk))
		blk_tell_size(blk);
	return G_SOURCE_CONTINUE;
}

/* Sectors that the guest knows of. */
static uint64_t blk_capacity(const struct virtio_device *vdev)
{
	uint64_t capacity;

	memcpy(&capacity, vdev->config + offsetof(struct virtio_blk_config, capacity),
	       sizeof(capacity));
	return le64toh(capacity);
}

/* ---- Snapshots, which do not have what is on the disk ---- */

/* The guest knows how large its disk is, and would read beyond the end of a smaller one. */
static int blk_restore(struct virtio_device *vdev, struct record *r)
{
	uint64_t capacity = blk_capacity(vdev) * BLK_SECTOR;

	/* Where it comes from, it may just have got another size. */
	disk_resized(&to_blk(vdev)->disk);
	if (capacity != disk_size(&to_blk(vdev)->disk))
		return record_refuse(r, "the disk had %llu bytes, and %.256s has %llu",
				     (unsigned long long)capacity, to_blk(vdev)->disk.path,
				     (unsigned long long)disk_size(&to_blk(vdev)->disk));
	return 0;
}

static int blk_flush(struct virtio_device *vdev)
{
	struct disk *disk = &to_blk(vdev)->disk;

	return disk->readonly ? 0 : disk_sync(disk);
}

static int blk_claim(struct virtio_device *vdev, bool take, struct error *err)
{
	struct virtio_blk *blk = to_blk(vdev);
	int ret;

	if (!take) {
		disk_unclaim(&blk->disk);
		return 0;
	}
	ret = disk_claim(&blk->disk, err);
	/* It may have grown while somebody else had it. */
	if (!ret && blk_capacity(vdev) != disk_size(&blk->disk) / BLK_SECTOR)
		blk_tell_size(blk);
	return ret;
}

/* ---- What a person asks of it ---- */

static struct virtio_blk *blk_of(struct blockdev *b)
{
	return container_of(b, struct virtio_blk, blockdev);
}

static uint64_t blk_size(struct blockdev *b)
{
	return disk_size(&blk_of(b)->disk);
}

static uint64_t blk_allocated(struct blockdev *b)
{
	return disk_allocated(&blk_of(b)->disk);
}

static int blk_resize(struct blockdev *b, uint64_t size, struct error *err)
{
	int ret = disk_resize(&blk_of(b)->disk, size, err);

	if (!ret)
		blk_look(blk_of(b));
	return ret;
}

static const struct blockdev_ops blk_blockdev_ops = {
	.size = blk_size,
	.allocated = blk_allocated,
	.resize = blk_resize,
};

static void blk_destroy(struct virtio_device *vdev)
{
	struct virtio_blk *blk = to_blk(vdev);
	unsigned int i;

	g_source_destroy(blk->resize);
	g_source_unref(blk->resize);

	/* Only workers start workers, so none starts once they have seen stop. */
	pthread_mutex_lock(&vdev->lock);
	blk->stop = true;
	pthread_cond_broadcast(&blk->follow);
	pthread_mutex_unlock(&vdev->lock);
	virtio_kick_self(vdev, 0);
	for (i = 0; i < blk->nr_workers; i++)
		pthread_join(blk->worker[i].thread, NULL);
	for (i = 0; i < BLK_WORKERS; i++) {
		blk_request_fini(&blk->worker[i].req);
		free(blk->worker[i].chain);
	}
	blk_request_fini(&blk->vcpu.req);
	free(blk->vcpu.chain);
	pthread_cond_destroy(&blk->follow);
	disk_close(&blk->disk);
}

static const struct virtio_ops virtio_blk_ops = {
	.name = "virtio-blk",
	.id = VIRTIO_ID_BLOCK,
	.nr_queues = 1,
	.queue_size = BLK_QUEUE_SIZE,
	.kicked_by_vcpu = 1,
	.vcpu_kick = blk_vcpu_kick,
	.begin = blk_begin,
	.start = blk_start,
	.restore = blk_restore,
	.flush = blk_flush,
	.claim = blk_claim,
	.destroy = blk_destroy,
};

static uint64_t blk_features(const struct disk *disk)
{
	uint64_t f = VIRTIO_BIT(VIRTIO_BLK_F_SIZE_MAX) | VIRTIO_BIT(VIRTIO_BLK_F_SEG_MAX) |
		     VIRTIO_BIT(VIRTIO_BLK_F_BLK_SIZE) | VIRTIO_BIT(VIRTIO_BLK_F_TOPOLOGY);

	/* So the guest learns that there is nothing to flush. */
	if (!disk->write_through)
		f |= VIRTIO_BIT(VIRTIO_BLK_F_FLUSH);
	if (disk->readonly)
		f |= VIRTIO_BIT(VIRTIO_BLK_F_RO);
	else
		f |= VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES);
	if (disk->can_discard)
		f |= VIRTIO_BIT(VIRTIO_BLK_F_DISCARD);
	return f;
}

/* The configuration space, virtio 1.2 5.2.4. */
static void blk_config(struct virtio_blk_config *c, const struct disk *disk)
{
	uint32_t ratio = disk->physical / disk->block;

	memset(c, 0, sizeof(*c));
	c->capacity = htole64(disk->size / BLK_SECTOR);
	c->size_max = htole32(BLK_SEG_SIZE_MAX);
	/* The header and the status byte take a descriptor each. */
	c->seg_max = htole32(BLK_QUEUE_SIZE - 2);
	c->blk_size = htole32(disk->block);
	c->physical_block_exp = ratio ? __builtin_ctz(ratio) : 0;
	c->min_io_size = htole16(ratio);
	c->max_discard_sectors = htole32(BLK_DISCARD_MAX);
	c->max_discard_seg = htole32(BLK_RANGES_MAX);
	c->discard_sector_alignment = htole32(disk->physical / BLK_SECTOR);
	c->max_write_zeroes_sectors = htole32(BLK_DISCARD_MAX);
	c->max_write_zeroes_seg = htole32(BLK_RANGES_MAX);
	c->write_zeroes_may_unmap = disk->can_discard;
}

/* Does another process have it? */
static bool blk_is_elsewhere(const struct disk_config *config)
{
	return !strncmp(config->path, VHOST_USER_WORD, strlen(VHOST_USER_WORD));
}

static bool blk_shares_memory(const void *config)
{
	return blk_is_elsewhere(config);
}

static int blk_create(struct machine *m, const void *opaque, struct error *err)
{
	const struct disk_config *config = opaque;
	struct virtio_blk_config space;
	struct virtio_blk *blk;
	int ret;

	if (blk_is_elsewhere(config))
		return vhost_user_blk_create(m, config, err);
	blk = calloc(1, sizeof(*blk));
	if (!blk)
		return error_errno(err, -ENOMEM, "%s", config->path);
	blk->vcpu.chain = virtq_chain_alloc(BLK_QUEUE_SIZE);
	if (blk->vcpu.chain)
		ret = disk_open(&blk->disk, m, config, err);
	else
		ret = error_errno(err, -ENOMEM, "%s", config->path);
	if (ret < 0)
		goto fail_free;
	blk->disk.abandoned = blk_abandoned;
	pthread_cond_init(&blk->follow, NULL);
	blk_config(&space, &blk->disk);
	blk->vdev.bus = config->bus;
	ret = virtio_device_register(m, &blk->vdev, &virtio_blk_ops, blk_features(&blk->disk),
				     &space, BLK_CONFIG_SIZE, err);
	if (ret < 0)
		goto fail_close;
	blk->resize = g_timeout_source_new_seconds(BLK_RESIZE_PERIOD);
	g_source_set_callback(blk->resize, blk_look, blk, NULL);
	g_source_attach(blk->resize, m->context);
	blk->blockdev = (struct blockdev){
		.file = config->path, .readonly = config->readonly, .direct = config->direct,
		.write_through = blk->disk.write_through, .no_flush = blk->disk.no_flush,
		.ops = &blk_blockdev_ops,
	};
	blockdev_add(&m->disks, &blk->blockdev);
	return 0;

fail_close:
	pthread_cond_destroy(&blk->follow);
	disk_close(&blk->disk);
fail_free:
	free(blk->vcpu.chain);
	free(blk);
	return ret;
}

static void blk_release(void *opaque)
{
	struct disk_config *config = opaque;

	if (!config)
		return;
	free(config->path);
	free(config);
}

/* Parses the rates by QEMU's names, old and new. Returns -ENOENT for any other word. */
static int blk_parse_rate(struct disk_config *config, const char *label, const char *word,
			  struct error *err)
{
	const struct {
		const char *name;
		uint64_t *per_second;
	} rates[] = {
		{ "iops", &config->iops }, { "throttling.iops-total", &config->iops },
		{ "bps", &config->bps }, { "throttling.bps-total", &config->bps },
	};
	int ret = -ENOENT;

	for (unsigned int i = 0; ret == -ENOENT && i < sizeof(rates) / sizeof(rates[0]); i++)
		ret = rate_parse(word, rates[i].name, label, rates[i].per_second, err);
	return ret;
}

/* What "direct" means was there before "cache=": they may be said together, but must agree. */
static int blk_parse_cache(struct disk_config *config, const char *label, const char *name,
			   struct error *err)
{
	config->cache = disk_cache_find(name);
	return config->cache ? 0 :
	       error_set(err, -EINVAL,
			 "%s: cache must be none, writeback, writethrough, directsync or unsafe",
			 label);
}

static int blk_agree_cache(struct disk_config *config, const char *label, struct error *err)
{
	if (!config->cache)
		return 0;
	if (config->direct && !config->cache->direct)
		return error_set(err, -EINVAL, "%s: cache=%s is not direct (none and directsync are)",
				 label, config->cache->name);
	config->direct = config->cache->direct;
	return 0;
}

/*
 * The file's name may hold commas: only the known words at its end are taken
 * away, so "a,b.img,ro" is the file "a,b.img", read-only.
 */
static int blk_parse(const char *label, const char *args, void **out, struct error *err)
{
	struct disk_config *config = *out = calloc(1, sizeof(*config));

	if (!config)
		return error_errno(err, -ENOMEM, "%s", label);
	config->path = strdup(args ? args : "");
	if (!config->path)
		return error_errno(err, -ENOMEM, "%s", label);
	for (char *comma; (comma = strrchr(config->path, ',')); *comma = '\0') {
		const char *value;
		int ret = blk_parse_rate(config, label, comma + 1, err);

		if (ret == -ENOENT)
			ret = virtio_bus_parse(comma + 1, label, &config->bus, err);
		if (!ret)
			continue;
		if (ret != -ENOENT)
			return ret;

		if (!strcmp(comma, ",ro")) {
			config->readonly = true;
		} else if (!strcmp(comma, ",direct")) {
			config->direct = true;
		} else if (!strcmp(comma, ",format=raw")) {
			config->raw = true;
		} else if ((value = parse_value(comma + 1, "serial"))) {
			if (!*value || strlen(value) > DISK_SERIAL_MAX)
				return error_set(err, -EINVAL, "%s: a serial number has 1 to %d characters",
						 label, DISK_SERIAL_MAX);
			strcpy(config->serial, value);
		} else if ((value = parse_value(comma + 1, "cache"))) {
			ret = blk_parse_cache(config, label, value, err);
			if (ret)
				return ret;
		} else {
			break;
		}
	}
	if (!*config->path)
		return error_set(err, -EINVAL, "%s: names no file", label);
	if (blk_is_elsewhere(config) && (config->readonly || config->direct || config->cache ||
					 config->raw || *config->serial || config->iops ||
					 config->bps))
		return error_set(err, -EINVAL,
				 "%s: of the words, vhost-user: knows bus= alone; the rest is for the process behind it",
				 label);
	return blk_agree_cache(config, label, err);
}

static const struct device_word blk_words[] = {
	{ "ro", "read-only" },
	{ "direct", "past the host's page cache (files only)" },
	{ "cache=MODE", "how writes get to it, by QEMU's words: writeback (default), none, writethrough, directsync, unsafe" },
	{ "serial=TEXT", "serial number, up to 20 characters (default: a hash)" },
	{ "iops=N", "requests a second, at most; also throttling.iops-total=N" },
	{ "bps=N", "bytes a second, at most; also throttling.bps-total=N" },
	{ "format=raw", "take the file as raw, whatever it looks like" },
	{ "vhost-user:PATH", "as FILE: the process at that socket has the disk" },
	VIRTIO_BUS_WORD,
	{ NULL, NULL },
};

static const struct device_type blk_type = {
	.name = "virtio-blk",
	.summary = "disk",
	.option = "disk",
	.letter = 'd',
	.args = "FILE|nbd:...",
	.words = blk_words,
	.identifies = true,
	.max = 32,
	.order = 20,
	.parse = blk_parse,
	.release = blk_release,
	.shares_memory = blk_shares_memory,
	.create = blk_create,
};
DEVICE_TYPE(blk_type);

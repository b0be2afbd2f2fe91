// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-fs (virtio 1.2 5.11): a folder of the host's, which another process serves by vhost-user.
 * What the guest asks for is FUSE's protocol, of which nothing is read here.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_fs.h>
#include <linux/virtio_ids.h>

#include "core/device_type.h"
#include "core/machine.h"
#include "core/parse.h"
#include "virtio/vhost_user.h"

#define FS_QUEUE_SIZE	128

/* The first one is for what must not wait behind requests (5.11.2). */
#define FS_REQUESTS	1
#define FS_REQUESTS_MAX	(VHOST_MAX_QUEUES - FS_REQUESTS)

struct fs_config {
	char *label;		/* what the person typed, for messages */
	char *words;		/* what the words point into */
	const char *path;	/* of the socket */
	const char *tag;
	unsigned int nr_queues;	/* for requests */
	const struct virtio_bus *bus;
};

struct virtio_fs {
	struct virtio_device vdev; /* first: see virtio_mmio.h */
	struct virtio_ops ops;	/* with the number of queues */
	struct vhost_user user;
};

static struct virtio_fs *to_fs(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_fs, vdev);
}

static int fs_begin(struct virtio_device *vdev, struct error *err)
{
	return vhost_user_begin(&to_fs(vdev)->user, vdev, err);
}

static int fs_run(struct virtio_device *vdev, bool run)
{
	return vhost_user_run(&to_fs(vdev)->user, run);
}

static void fs_reset(struct virtio_device *vdev)
{
	vhost_user_reset(&to_fs(vdev)->user);
}

static bool fs_works(struct virtio_device *vdev)
{
	return vhost_user_works(&to_fs(vdev)->user);
}

static void fs_destroy(struct virtio_device *vdev)
{
	vhost_user_close(&to_fs(vdev)->user);
}

static const struct virtio_ops virtio_fs_ops = {
	.name = "virtio-fs",
	.id = VIRTIO_ID_FS,
	.queue_size = FS_QUEUE_SIZE,
	.age = VIRTIO_NEW_ALONE,
	.begin = fs_begin,
	.run = fs_run,
	.reset = fs_reset,
	.works = fs_works,
	.destroy = fs_destroy,
};

static int fs_register(struct virtio_fs *fs, struct machine *m, const struct fs_config *config,
		       struct error *err)
{
	struct virtio_fs_config space = { .num_request_queues = htole32(config->nr_queues) };
	unsigned int nr = FS_REQUESTS + config->nr_queues;

	if (fs->user.max_queues && nr > fs->user.max_queues)
		return error_set(err, -EINVAL,
				 "%s: the back end has %u queues, and %u are needed: one for each of queues=, and one more",
				 config->label, fs->user.max_queues, nr);
	memcpy(space.tag, config->tag, strlen(config->tag));
	fs->ops = virtio_fs_ops;
	fs->ops.nr_queues = nr;
	fs->ops.elsewhere = (1u << nr) - 1;
	fs->ops.process = true;
	fs->ops.optional = fs->ops.elsewhere & ~((2u << FS_REQUESTS) - 1);
	return vhost_user_register(&fs->user, m, &fs->vdev, &fs->ops, 0, &space, sizeof(space),
				   err);
}

static int fs_create(struct machine *m, const void *opaque, struct error *err)
{
	const struct fs_config *config = opaque;
	struct virtio_fs *fs = calloc(1, sizeof(*fs));
	int ret;

	if (!fs)
		return error_errno(err, -ENOMEM, "%s", config->label);
	fs->vdev.bus = config->bus;
	ret = vhost_user_open(&fs->user, m, config->path, config->label, err);
	if (!ret)
		ret = fs_register(fs, m, config, err);
	if (ret) {
		vhost_user_close(&fs->user);
		free(fs);
		return ret;
	}
	/* The files that the guest has open are the back end's. */
	m->unsaved = "--share: what the back end knows of the guest's open files cannot be saved";
	return 0;
}

/* ---- Options ---- */

static void fs_release(void *opaque)
{
	struct fs_config *config = opaque;

	if (!config)
		return;
	free(config->label);
	free(config->words);
	free(config);
}

static bool fs_shares_memory(const void *opaque)
{
	return true;
}

static int fs_parse_tag(struct fs_config *config, const char *tag, struct error *err)
{
	const size_t max = sizeof(((struct virtio_fs_config *)NULL)->tag);

	if (!*tag || strlen(tag) > max)
		return error_set(err, -EINVAL, "%s: a tag has 1 to %zu characters", config->label,
				 max);
	config->tag = tag;
	return 0;
}

static int fs_parse_queues(struct fs_config *config, const char *text, struct error *err)
{
	uint64_t nr;

	if (parse_number_all(text, FS_REQUESTS_MAX, &nr) || !nr)
		return error_set(err, -EINVAL, "%s: queues must be 1 to %u", config->label,
				 FS_REQUESTS_MAX);
	config->nr_queues = nr;
	return 0;
}

static int fs_parse_word(struct fs_config *config, const char *word, struct error *err)
{
	const char *tag = parse_value(word, "tag"), *queues = parse_value(word, "queues");
	int ret;

	if (tag)
		return fs_parse_tag(config, tag, err);
	if (queues)
		return fs_parse_queues(config, queues, err);
	if (!strncmp(word, VHOST_USER_WORD, strlen(VHOST_USER_WORD))) {
		config->path = word + strlen(VHOST_USER_WORD);
		return 0;
	}
	ret = virtio_bus_parse(word, config->label, &config->bus, err);
	return ret == -ENOENT ? error_set(err, -EINVAL, "%s: unknown word \"%s\"", config->label,
					  word) : ret;
}

static int fs_parse(const char *label, const char *args, void **out, struct error *err)
{
	struct fs_config *config = *out = calloc(1, sizeof(*config));
	char *rest, *word;
	int ret = 0;

	if (!config)
		return error_errno(err, -ENOMEM, "%s", label);
	config->nr_queues = 1;
	config->label = strdup(label);
	config->words = rest = strdup(args ? args : "");
	if (!config->label || !rest)
		return error_errno(err, -ENOMEM, "%s", label);
	while (!ret && args && (word = strsep(&rest, ",")))
		ret = fs_parse_word(config, word, err);
	if (!ret && !config->tag)
		ret = error_set(err, -EINVAL, "%s: needs tag=NAME, by which the guest mounts it", label);
	if (!ret && !config->path)
		ret = error_set(err, -EINVAL,
				"%s: needs vhost-user:PATH, the socket of virtiofsd (virtiofsd --socket-path=PATH)",
				label);
	return ret;
}

static const struct device_word fs_words[] = {
	{ "vhost-user:PATH", "the socket of the process that has the folder (virtiofsd)" },
	{ "queues=N", "queues for requests, up to 3 (1)" },
	VIRTIO_BUS_WORD,
	{ NULL, NULL },
};

static const struct device_type fs_type = {
	.name = "virtio-fs",
	.summary = "folder of the host's, served by another process",
	.option = "share",
	.args = "tag=NAME",
	.words = fs_words,
	.max = 16,
	.order = 66,
	.parse = fs_parse,
	.release = fs_release,
	.shares_memory = fs_shares_memory,
	.create = fs_create,
};
DEVICE_TYPE(fs_type);

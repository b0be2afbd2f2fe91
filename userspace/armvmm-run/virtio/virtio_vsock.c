// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-vsock (virtio 1.2 5.10): stream sockets between the guest and programs of the host, which
 * find them as Unix sockets (net/vsock.h). All of it runs on the main thread.
 *
 * A packet of the guest's can be answered by one of ours. While too many of these wait for buffers,
 * no more is taken from the guest (5.10.6.1.2).
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ids.h>
#include <linux/virtio_vsock.h>

#include "core/device_type.h"
#include "core/iov.h"
#include "core/machine.h"
#include "core/parse.h"
#include "net/vsock.h"
#include "net/vsock_dial.h"
#include "virtio/virtio_mmio.h"

#define VSOCK_QUEUE_SIZE	128
_Static_assert(VIRTQ_MAX_SIZE <= VSOCK_IOV_MAX, "a chain is a packet");

enum { VSOCK_RX, VSOCK_TX, VSOCK_EVENT, VSOCK_QUEUES };

/* Packets in one direction before other work of the main thread gets its turn. */
#define VSOCK_BUDGET	64

#define VSOCK_HDR_SIZE	sizeof(struct virtio_vsock_hdr)

/* 0 to 2 are nobody's, or the host's, and the last is any (5.10.4). */
#define VSOCK_CID_MIN	3
#define VSOCK_CID_MAX	0xfffffffeu

/* As long as a Unix socket's name may be, with a port behind it. */
#define VSOCK_PATH_MAX	(107 - VSOCK_DIAL_PORT)

struct vsock_config {
	char *label;		/* what the person typed, for messages */
	char *words;		/* what the words point into */
	uint32_t cid;		/* 0: none given */
	const char *path;
	const struct virtio_bus *bus;
};

struct virtio_vsock {
	struct virtio_device vdev; /* first: see virtio_mmio.h */
	struct vsock *vsock;
	uint32_t cid;
	struct virtq_chain *rx, *tx, *event;
	bool tx_held;		/* the guest's packets wait until it has taken ours */
	bool reset_owed;	/* the guest is to be told that its connections are gone */
	bool reset_sent;	/* it was, and has not given the buffer back */
};

static struct virtio_vsock *to_vsock(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_vsock, vdev);
}

/* To the guest */

static void vsock_receive(struct virtio_vsock *dev)
{
	struct virtio_device *vdev = &dev->vdev;
	struct virtqueue *vq = &vdev->vq[VSOCK_RX];
	unsigned int budget = VSOCK_BUDGET;
	struct iovec iov[VSOCK_IOV_MAX];
	struct virtio_vsock_hdr hdr;
	unsigned int nr;
	ssize_t n;

	while (vsock_has_output(dev->vsock)) {
		if (!budget--) {
			virtio_kick_self(vdev, VSOCK_RX);
			break;
		}
		if (!virtio_pop(vdev, VSOCK_RX, dev->rx)) {
			if (!virtio_running(vdev) || !virtq_notify_on(vq))
				break;
			continue;
		}
		/* A header alone is no room for a packet of data. */
		if (dev->rx->write_len <= VSOCK_HDR_SIZE) {
			virtio_fail(vdev, "a buffer for packets is too short");
			break;
		}
		nr = iov_slice(iov, dev->rx->iov + dev->rx->nr_read, dev->rx->nr_write,
			       VSOCK_HDR_SIZE, dev->rx->write_len - VSOCK_HDR_SIZE);
		n = vsock_output(dev->vsock, &hdr, iov, nr);
		if (n < 0) {
			virtq_unpop(vq, 1);
			break;
		}
		virtq_chain_write(dev->rx, 0, &hdr, sizeof(hdr));
		virtq_push(vq, dev->rx, sizeof(hdr) + n);
	}
	virtio_signal(vdev, VSOCK_RX);
	if (dev->tx_held && !vsock_is_full(dev->vsock)) {
		dev->tx_held = false;
		virtio_kick_self(vdev, VSOCK_TX);
	}
}

/* From the guest */

/* Returns false if the packet is not what its header says. */
static bool vsock_take_chain(struct virtio_vsock *dev)
{
	const struct virtq_chain *tx = dev->tx;
	struct virtio_vsock_hdr hdr;

	if (virtq_chain_read(tx, 0, &hdr, sizeof(hdr)) != sizeof(hdr) ||
	    le32toh(hdr.len) > tx->read_len - sizeof(hdr))
		return false;
	vsock_input(dev->vsock, &hdr, tx->iov, tx->nr_read, sizeof(hdr));
	return true;
}

/*
 * Takes what the ring holds. On return the guest is asked to notify us, unless there is more to do:
 * then we have notified ourselves, or vsock_receive() will.
 */
static void vsock_transmit(struct virtio_vsock *dev)
{
	struct virtio_device *vdev = &dev->vdev;
	struct virtqueue *vq = &vdev->vq[VSOCK_TX];
	unsigned int budget = VSOCK_BUDGET;

	virtq_notify_off(vq);
	for (;;) {
		dev->tx_held = vsock_is_full(dev->vsock);
		if (dev->tx_held)
			break;
		if (!budget--) {
			virtio_kick_self(vdev, VSOCK_TX);
			break;
		}
		if (!virtio_pop(vdev, VSOCK_TX, dev->tx)) {
			if (!virtio_running(vdev) || !virtq_notify_on(vq))
				break;
			continue;
		}
		if (!vsock_take_chain(dev)) {
			virtio_fail(vdev, "a packet is shorter than its header says");
			return;
		}
		virtq_push(vq, dev->tx, 0);
	}
	virtio_signal(vdev, VSOCK_TX);
	vsock_receive(dev);
}

/*
 * Events: after a restore the guest's connections lead nowhere (5.10.6.7). New ones wait until the
 * driver has given the event's buffer back: it ends all that are open when it sees the event, and
 * may see packets before.
 */

static void vsock_send_event(struct virtio_vsock *dev)
{
	const struct virtio_vsock_event event = {
		.id = htole32(VIRTIO_VSOCK_EVENT_TRANSPORT_RESET),
	};
	struct virtio_device *vdev = &dev->vdev;
	struct virtqueue *vq = &vdev->vq[VSOCK_EVENT];

	while (dev->reset_owed) {
		if (!virtio_pop(vdev, VSOCK_EVENT, dev->event)) {
			if (!virtio_running(vdev) || !virtq_notify_on(vq))
				break;
			continue;
		}
		if (dev->event->write_len < sizeof(event)) {
			virtio_fail(vdev, "a buffer for events is too short");
			break;
		}
		virtq_look(vq);
		virtq_chain_write(dev->event, 0, &event, sizeof(event));
		virtq_push(vq, dev->event, sizeof(event));
		dev->reset_owed = false;
		dev->reset_sent = true;
	}
	virtio_signal(vdev, VSOCK_EVENT);
	if (dev->reset_sent && virtio_running(vdev) && virtq_notify_on(vq)) {
		dev->reset_sent = false;
		vsock_let_go(dev->vsock);
		vsock_receive(dev);
	}
}

/* What net/vsock.c calls */

static void vsock_lock(void *opaque)
{
	struct virtio_vsock *dev = opaque;

	pthread_mutex_lock(&dev->vdev.lock);
}

static void vsock_unlock(void *opaque)
{
	struct virtio_vsock *dev = opaque;

	pthread_mutex_unlock(&dev->vdev.lock);
}

static void vsock_ready(void *opaque)
{
	struct virtio_vsock *dev = opaque;

	if (virtio_running(&dev->vdev))
		vsock_receive(dev);
}

static const struct vsock_ops vsock_device_ops = {
	.lock = vsock_lock,
	.unlock = vsock_unlock,
	.ready = vsock_ready,
};

/* The device */

static void vsock_kick(struct virtio_device *vdev, unsigned int index)
{
	struct virtio_vsock *dev = to_vsock(vdev);

	switch (index) {
	case VSOCK_RX:
		virtq_notify_off(&vdev->vq[VSOCK_RX]);
		vsock_receive(dev);
		break;
	case VSOCK_TX:
		vsock_transmit(dev);
		break;
	default:
		vsock_send_event(dev);
		break;
	}
}

static int vsock_started(struct virtio_device *vdev)
{
	struct virtio_vsock *dev = to_vsock(vdev);

	vsock_start(dev->vsock, dev->cid);
	return 0;
}

static void vsock_reset(struct virtio_device *vdev)
{
	struct virtio_vsock *dev = to_vsock(vdev);

	vsock_stop(dev->vsock);
	dev->tx_held = dev->reset_owed = dev->reset_sent = false;
}

static void vsock_put_cid(const struct virtio_vsock *dev, struct virtio_vsock_config *space)
{
	space->guest_cid = htole64(dev->cid);
}

/* A guest that goes on elsewhere has the address that it is given there, and none of its peers. */
static void vsock_resumed(struct virtio_device *vdev)
{
	struct virtio_vsock *dev = to_vsock(vdev);
	struct virtio_vsock_config space;

	/* Also where its driver has not started yet. */
	vsock_put_cid(dev, &space);
	if (memcmp(vdev->config, &space, sizeof(space)))
		virtio_config_set(vdev, 0, &space, sizeof(space));
	if (vdev->restored)
		dev->reset_owed = true;
	if (!dev->reset_owed && !dev->reset_sent)
		return;
	vsock_hold(dev->vsock);
	vsock_send_event(dev);
}

static void vsock_free_device(struct virtio_vsock *dev)
{
	vsock_destroy(dev->vsock);
	free(dev->rx);
	free(dev->tx);
	free(dev->event);
}

static void vsock_device_destroy(struct virtio_device *vdev)
{
	vsock_free_device(to_vsock(vdev));
}

static const struct virtio_ops virtio_vsock_ops = {
	.name = "virtio-vsock",
	.id = VIRTIO_ID_VSOCK,
	.nr_queues = VSOCK_QUEUES,
	.queue_size = VSOCK_QUEUE_SIZE,
	.start = vsock_started,
	.reset = vsock_reset,
	.kick = vsock_kick,
	.resumed = vsock_resumed,
	.destroy = vsock_device_destroy,
};

static int vsock_device_create(struct machine *m, const void *opaque, struct error *err)
{
	const struct vsock_config *config = opaque;
	struct virtio_vsock *dev = calloc(1, sizeof(*dev));
	struct virtio_vsock_config space;
	int ret;

	if (!dev)
		return error_errno(err, -ENOMEM, "%s", config->label);
	dev->cid = config->cid;
	dev->rx = virtq_chain_alloc(VSOCK_QUEUE_SIZE);
	dev->tx = virtq_chain_alloc(VSOCK_QUEUE_SIZE);
	dev->event = virtq_chain_alloc(VSOCK_QUEUE_SIZE);
	ret = dev->rx && dev->tx && dev->event ? 0 :
	      error_errno(err, -ENOMEM, "%s", config->label);
	if (!ret)
		ret = vsock_create(&dev->vsock, m, config->label, config->path, &vsock_device_ops,
				   dev, err);
	if (!ret) {
		vsock_put_cid(dev, &space);
		dev->vdev.bus = config->bus;
		ret = virtio_device_register(m, &dev->vdev, &virtio_vsock_ops, 0, &space,
					     sizeof(space), err);
	}
	if (ret) {
		vsock_free_device(dev);
		free(dev);
		return ret;
	}
	m->vsock = true;
	return 0;
}

/* Options */

static void vsock_release(void *opaque)
{
	struct vsock_config *config = opaque;

	if (!config)
		return;
	free(config->label);
	free(config->words);
	free(config);
}

static int vsock_parse_word(struct vsock_config *config, const char *word, struct error *err)
{
	const char *value = parse_value(word, "cid");
	uint64_t cid;
	int ret;

	if (value) {
		if (parse_number_all(value, VSOCK_CID_MAX, &cid) || cid < VSOCK_CID_MIN)
			return error_set(err, -EINVAL, "%s: cid must be %u to %u", config->label,
					 VSOCK_CID_MIN, VSOCK_CID_MAX);
		config->cid = cid;
		return 0;
	}
	if (!strncmp(word, "unix:", 5)) {
		config->path = word + 5;
		if (!*config->path || strlen(config->path) > VSOCK_PATH_MAX)
			return error_set(err, -EINVAL, "%s: a socket's path has 1 to %u characters",
					 config->label, VSOCK_PATH_MAX);
		return 0;
	}
	ret = virtio_bus_parse(word, config->label, &config->bus, err);
	return ret == -ENOENT ? error_set(err, -EINVAL, "%s: unknown word \"%s\"", config->label,
					  word) : ret;
}

static int vsock_parse(const char *label, const char *args, void **out, struct error *err)
{
	struct vsock_config *config = *out = calloc(1, sizeof(*config));
	char *rest, *word;
	int ret = 0;

	if (!config)
		return error_errno(err, -ENOMEM, "%s", label);
	config->label = strdup(label);
	config->words = rest = strdup(args ? args : "");
	if (!config->label || !rest)
		return error_errno(err, -ENOMEM, "%s", label);
	while (!ret && args && (word = strsep(&rest, ",")))
		ret = vsock_parse_word(config, word, err);
	if (!ret && !config->cid)
		ret = error_set(err, -EINVAL, "%s: needs cid=N, the guest's address", label);
	if (!ret && !config->path)
		ret = error_set(err, -EINVAL, "%s: needs unix:PATH, the socket of the host", label);
	return ret;
}

static const struct device_word vsock_words[] = {
	{ "unix:PATH", "programs connect to PATH, and the guest to PATH_PORT" },
	VIRTIO_BUS_WORD,
	{ NULL, NULL },
};

static const struct device_type vsock_type = {
	.name = "virtio-vsock",
	.summary = "stream sockets between the guest and programs of the host",
	.option = "vsock",
	.args = "cid=N",
	.words = vsock_words,
	.max = 1,
	.order = 65,
	.parse = vsock_parse,
	.release = vsock_release,
	.create = vsock_device_create,
};
DEVICE_TYPE(vsock_type);

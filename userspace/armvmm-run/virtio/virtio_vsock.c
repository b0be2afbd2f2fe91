// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-vsock (virtio 1.2 5.10): stream sockets between the guest and programs of the host, which
 * find them as Unix sockets (net/vsock.h), on the main thread; or, with vhost=on, as sockets of the
 * host's own kernel, which then works on the queues (vhost_kernel.h).
 *
 * A packet of the guest's can be answered by one of ours. While too many of these wait for buffers,
 * no more is taken from the guest (5.10.6.1.2).
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/vhost.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_vsock.h>

#include "core/device_type.h"
#include "core/iov.h"
#include "core/machine.h"
#include "core/parse.h"
#include "net/vsock.h"
#include "net/vsock_dial.h"
#include "virtio/vhost_kernel.h"
#include "virtio/virtio_mmio.h"

#define VSOCK_QUEUE_SIZE	128
_Static_assert(VIRTQ_MAX_SIZE <= VSOCK_IOV_MAX, "a chain is a packet");

enum { VSOCK_RX, VSOCK_TX, VSOCK_EVENT, VSOCK_QUEUES };

/* Packets in one direction before other work of the main thread gets its turn. */
#define VSOCK_BUDGET	64

#define VSOCK_HDR_SIZE	sizeof(struct virtio_vsock_hdr)

/* How long a restored guest gets to forget its connections, before the kernel makes new ones. */
#define VSOCK_WAIT_US	5000000

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
	bool vhost;
	const struct virtio_bus *bus;
};

struct virtio_vsock {
	struct virtio_device vdev; /* first: see virtio_mmio.h */
	struct vsock *vsock;	/* NULL: the host's kernel has them, */
	struct vhost_kernel vhost;	/* by this, */
	bool in_kernel;		/* which is open */
	GSource *timer;		/* likewise: for a start that waits, */
	bool waits;		/* as it does */
	uint32_t cid;
	struct virtq_chain *rx, *tx, *event;
	bool tx_held;		/* the guest's packets wait until it has taken ours */
	bool reset_owed;	/* the guest is to be told that its connections are gone */
	bool reset_sent;	/* it was, and has not given the buffer back */
	bool reset_late;	/* still owed, and new connections have waited for it long enough */
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

/* With the host's kernel: it may use the queues from now on. */

static int vsock_kernel_start(struct virtio_vsock *dev)
{
	int runs = 1, ret = vhost_give_queues(&dev->vhost.v);

	if (!ret && ioctl(dev->vhost.fd, VHOST_VSOCK_SET_RUNNING, &runs))
		ret = -errno;
	return ret;
}

static void vsock_kernel_go(struct virtio_vsock *dev)
{
	if (!dev->waits)
		return;
	dev->waits = false;
	if (vsock_kernel_start(dev))
		virtio_fail(&dev->vdev, "the host's kernel refuses its queues");
	else
		virtio_kick_elsewhere(&dev->vdev);
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
		dev->reset_sent = !dev->reset_late;
	}
	virtio_signal(vdev, VSOCK_EVENT);
	if (!dev->reset_sent || !virtio_running(vdev) || !virtq_notify_on(vq))
		return;
	dev->reset_sent = false;
	if (dev->vsock) {
		vsock_let_go(dev->vsock);
		vsock_receive(dev);
	} else {
		vsock_kernel_go(dev);
	}
}

/* Do new connections have to wait? */
static bool vsock_must_wait(const struct virtio_vsock *dev)
{
	return dev->reset_sent || (dev->reset_owed && !dev->reset_late);
}

/* The guest had the time to give the buffer back. It does not get it again at each stop. */
static void vsock_time_over(struct virtio_vsock *dev)
{
	dev->reset_sent = false;
	dev->reset_late = dev->reset_owed;
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

static void vsock_held(void *opaque)
{
	struct virtio_vsock *dev = opaque;

	if (virtio_running(&dev->vdev))
		vsock_time_over(dev);
}

static const struct vsock_ops vsock_device_ops = {
	.lock = vsock_lock,
	.unlock = vsock_unlock,
	.ready = vsock_ready,
	.held = vsock_held,
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

	if (dev->vsock)
		vsock_stop(dev->vsock);
	dev->tx_held = dev->reset_owed = dev->reset_sent = dev->reset_late = false;
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
	if (vdev->restored) {
		dev->reset_owed = true;
		dev->reset_late = false;
	}
	if (dev->vsock && vsock_must_wait(dev))
		vsock_hold(dev->vsock);
	if (dev->reset_owed || dev->reset_sent)
		vsock_send_event(dev);
}

static void vsock_free_device(struct virtio_vsock *dev)
{
	vsock_destroy(dev->vsock);
	if (dev->timer) {
		g_source_destroy(dev->timer);
		g_source_unref(dev->timer);
	}
	if (dev->in_kernel)
		vhost_kernel_close(&dev->vhost);
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
	.age = VIRTIO_NEW,
	.start = vsock_started,
	.reset = vsock_reset,
	.kick = vsock_kick,
	.resumed = vsock_resumed,
	.destroy = vsock_device_destroy,
};

/* The same, with the host's kernel */

#define VSOCK_NODE	"/dev/vhost-vsock"

static int vsock_kernel_begin(struct virtio_device *vdev, struct error *err)
{
	return vhost_begin(&to_vsock(vdev)->vhost.v, vdev, err);
}

static void vsock_kernel_kick(struct virtio_device *vdev, unsigned int index)
{
	if (index == VSOCK_EVENT)
		vsock_send_event(to_vsock(vdev));
}

/* A restored guest is to forget its connections first, if that does not take too long. */
static int vsock_kernel_run(struct virtio_device *vdev, bool run)
{
	struct virtio_vsock *dev = to_vsock(vdev);
	int runs = 0, ret = 0;

	if (run && vsock_must_wait(dev)) {
		dev->waits = true;
		g_source_set_ready_time(dev->timer, g_get_monotonic_time() + VSOCK_WAIT_US);
	} else if (run) {
		ret = vsock_kernel_start(dev);
	} else if (dev->waits) {
		dev->waits = false;
	} else {
		if (ioctl(dev->vhost.fd, VHOST_VSOCK_SET_RUNNING, &runs))
			ret = -errno;
		vhost_take_queues(&dev->vhost.v);
	}
	return ret;
}

static gboolean vsock_waited(gpointer opaque)
{
	struct virtio_vsock *dev = opaque;

	g_source_set_ready_time(dev->timer, -1);
	pthread_mutex_lock(&dev->vdev.lock);
	if (dev->waits)
		vsock_time_over(dev);
	vsock_kernel_go(dev);
	pthread_mutex_unlock(&dev->vdev.lock);
	return G_SOURCE_CONTINUE;
}

static gboolean vsock_timer_dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	(void)source;
	return callback(opaque);
}

static GSourceFuncs vsock_timer_funcs = { .dispatch = vsock_timer_dispatch };

static const struct virtio_ops virtio_vsock_kernel_ops = {
	.name = "virtio-vsock",
	.id = VIRTIO_ID_VSOCK,
	.nr_queues = VSOCK_QUEUES,
	.queue_size = VSOCK_QUEUE_SIZE,
	.age = VIRTIO_NEW,
	.elsewhere = 1u << VSOCK_RX | 1u << VSOCK_TX,
	.begin = vsock_kernel_begin,
	.run = vsock_kernel_run,
	.reset = vsock_reset,
	.kick = vsock_kernel_kick,
	.resumed = vsock_resumed,
	.destroy = vsock_device_destroy,
};
_Static_assert(VSOCK_RX == 0 && VSOCK_TX == 1 && VHOST_KERNEL_QUEUES == 2, "the kernel's numbers");

static int vsock_kernel_create(struct virtio_vsock *dev, struct machine *m, const char *label,
			       struct error *err)
{
	uint64_t cid = dev->cid;
	int ret = vhost_kernel_open(&dev->vhost, VSOCK_NODE, "vhost_vsock", label, err);

	dev->in_kernel = true;
	dev->timer = g_source_new(&vsock_timer_funcs, sizeof(GSource));
	g_source_set_callback(dev->timer, vsock_waited, dev, NULL);
	g_source_attach(dev->timer, m->context);
	if (ret || !ioctl(dev->vhost.fd, VHOST_VSOCK_SET_GUEST_CID, &cid))
		return ret;
	if (errno == EADDRINUSE)
		return error_set(err, -EADDRINUSE, "%s: the number %u is taken on this host", label,
				 dev->cid);
	return error_errno(err, -errno, "%s: %s", label, VSOCK_NODE);
}

/* Creation */

static int vsock_device_create(struct machine *m, const void *opaque, struct error *err)
{
	const struct vsock_config *config = opaque;
	struct virtio_vsock *dev = calloc(1, sizeof(*dev));
	struct virtio_vsock_config space;
	uint64_t features = 0;
	int ret;

	if (!dev)
		return error_errno(err, -ENOMEM, "%s", config->label);
	dev->cid = config->cid;
	dev->rx = virtq_chain_alloc(VSOCK_QUEUE_SIZE);
	dev->tx = virtq_chain_alloc(VSOCK_QUEUE_SIZE);
	dev->event = virtq_chain_alloc(VSOCK_QUEUE_SIZE);
	ret = dev->rx && dev->tx && dev->event ? 0 :
	      error_errno(err, -ENOMEM, "%s", config->label);
	if (!ret && config->vhost)
		ret = vsock_kernel_create(dev, m, config->label, err);
	else if (!ret)
		ret = vsock_create(&dev->vsock, m, config->label, config->path, &vsock_device_ops,
				   dev, err);
	if (!ret) {
		vsock_put_cid(dev, &space);
		dev->vdev.bus = config->bus;
		if (config->vhost)
			features = dev->vhost.v.features & VIRTIO_BIT(VIRTIO_VSOCK_F_SEQPACKET);
		ret = virtio_device_register(m, &dev->vdev, config->vhost ?
					     &virtio_vsock_kernel_ops : &virtio_vsock_ops,
					     features, &space, sizeof(space), err);
	}
	if (ret) {
		vsock_free_device(dev);
		free(dev);
		return ret;
	}
	if (config->vhost) {
		m->vhost = true;
		m->vhost_kthread |= dev->vhost.kthread;
		m->unlogged = "--vsock: vhost=on: the host's kernel";
	} else {
		m->vsock = true;
	}
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
	value = parse_value(word, "vhost");
	if (value) {
		config->vhost = !strcmp(value, "on");
		if (!config->vhost && strcmp(value, "off"))
			return error_set(err, -EINVAL, "%s: vhost must be on or off", config->label);
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
	if (!ret && !config->path && !config->vhost)
		ret = error_set(err, -EINVAL, "%s: needs unix:PATH, the socket of the host, or vhost=on",
				label);
	if (!ret && config->path && config->vhost)
		ret = error_set(err, -EINVAL, "%s: with vhost=on there is no unix:PATH", label);
	return ret;
}

static const struct device_word vsock_words[] = {
	{ "unix:PATH", "programs connect to PATH, and the guest to PATH_PORT" },
	{ "vhost=on|off", "or sockets of the host's own kernel, which does the work (off)" },
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

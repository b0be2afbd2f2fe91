// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-net (virtio 1.2 5.1): one receive queue, one transmit queue, and a
 * back end (net.h) behind them. All of it runs on the main thread.
 *
 * No frame is dropped because buffers are missing: the back end keeps a frame that the guest has no
 * room for and stops reading until the guest gives some.
 *
 * With vhost=on the host's kernel works on the queues (vhost_kernel.h), and moves frames between
 * them and the back end's file.
 */
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/vhost.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include "core/device_type.h"
#include "core/identity.h"
#include "core/machine.h"
#include "core/parse.h"
#include "core/rate.h"
#include "net/announce.h"
#include "net/net.h"
#include "virtio/vhost_kernel.h"
#include "virtio/virtio_mmio.h"

#define NET_QUEUE_SIZE 256
_Static_assert(VIRTQ_MAX_SIZE <= NET_PIECES_MAX, "a chain is a frame");
/* Up to the MTU; what follows belongs to features not offered. */
#define NET_CONFIG_SIZE (offsetof(struct virtio_net_config, mtu) + sizeof(uint16_t))
#define NET_NODE "/dev/vhost-net"
/*
 * A restored card tells its network so often where it is, after the first of these times, and then
 * each time by the second one later: a bridge's port may not forward at once.
 */
#define NET_ANNOUNCE_TIMES 5
#define NET_ANNOUNCE_US 50000
#define NET_ANNOUNCE_MORE_US 100000
#define NET_RX 0
#define NET_TX 1

/* Frames taken from the guest before other work of the main thread gets its turn. */
#define NET_TX_BUDGET 256

/* Offset of num_buffers, the only field of the header that is ours. */
#define NET_HDR_NUM_BUFFERS offsetof(struct virtio_net_hdr_mrg_rxbuf, num_buffers)

/* What the guest may send, or receive. */
struct net_rates {
	struct rate bytes, frames;
	bool held;	/* something waits for the time to pass */
};

struct virtio_net {
	struct virtio_device vdev; /* first: see virtio_mmio.h */
	struct net_backend *be;
	struct vhost_kernel vhost;
	bool in_kernel; /* .vhost is open, */
	bool refused; /* and its kernel has refused the tap once, */
	bool unplugged; /* or the last time: the link is down for that */
	bool pulled; /* the back end is gone: the link is down for good */
	bool moved; /* what the guest knows of its link is of another process' */
	struct virtq_chain *tx; /* frame on its way out */
	struct virtq_chain *rx_first; /* chain with the header of the frame coming in */
	struct virtq_chain *rx_next; /* further ones (VIRTIO_NET_F_MRG_RXBUF) */
	bool rx_starved; /* the back end keeps a frame */
	bool tx_blocked; /* it cannot take one */
	struct net_rates tx_rates, rx_rates;
	GSource *timer; /* for what they hold */
	GSource *announcer;
	unsigned int announced; /* of NET_ANNOUNCE_TIMES */
};

static struct virtio_net *to_net(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_net, vdev);
}

void net_lock(struct virtio_net *net)
{
	pthread_mutex_lock(&net->vdev.lock);
}

void net_unlock(struct virtio_net *net)
{
	pthread_mutex_unlock(&net->vdev.lock);
}

/* Rates */

/* May a frame go now? If not, the timer is set. */
static bool net_rate_ok(struct virtio_net *net, struct net_rates *rates)
{
	uint64_t now, wait, ready, frames;

	if (!rates->bytes.per_second && !rates->frames.per_second)
		return true;
	now = rate_now();
	wait = rate_wait(&rates->bytes, now);
	frames = rate_wait(&rates->frames, now);
	if (frames > wait)
		wait = frames;
	if (!wait)
		return true;
	rates->held = true;
	/* Microseconds of the same clock, rounded up; the earlier of two directions counts. */
	ready = (now + wait) / 1000 + 1;
	if (g_source_get_ready_time(net->timer) < 0 ||
	    (uint64_t)g_source_get_ready_time(net->timer) > ready)
		g_source_set_ready_time(net->timer, ready);
	return false;
}

static void net_rate_take(struct net_rates *rates, size_t len)
{
	uint64_t now;

	if (!rates->bytes.per_second && !rates->frames.per_second)
		return;
	now = rate_now();
	rate_take(&rates->bytes, len, now);
	rate_take(&rates->frames, 1, now);
}

/* Transmit */

/*
 * Sends what the ring holds. On return the guest is asked to notify us, unless there is more to do:
 * then we have notified ourselves.
 */
static void net_transmit(struct virtio_net *net)
{
	struct virtio_device *vdev = &net->vdev;
	struct virtqueue *vq = &vdev->vq[NET_TX];
	unsigned int budget = NET_TX_BUDGET;

	virtq_notify_off(vq);
	while (!net->tx_blocked && !net->tx_rates.held) {
		if (!virtio_pop(vdev, NET_TX, net->tx)) {
			if (!virtio_running(vdev) || !virtq_notify_on(vq))
				break;
			continue;
		}
		if (net->tx->read_len < net->be->hdr_size) {
			virtio_fail(vdev, "a frame is shorter than its header");
			return;
		}
		if (!net_rate_ok(net, &net->tx_rates)) {
			virtq_unpop(vq, 1);
			break;
		}
		if (net->be->ops->send(net->be, net->tx->iov, net->tx->nr_read,
				       net->tx->read_len) == -EAGAIN) {
			virtq_unpop(vq, 1);
			net->tx_blocked = true;
			break;
		}
		net_rate_take(&net->tx_rates, net->tx->read_len - net->be->hdr_size);
		virtq_push(vq, net->tx, 0);
		if (!--budget) {
			virtio_kick_self(vdev, NET_TX);
			break;
		}
	}
	virtio_signal(vdev, NET_TX);
	if (net->be->ops->send_done)
		net->be->ops->send_done(net->be);
}

void net_send_ready(struct virtio_net *net)
{
	net->tx_blocked = false;
	if (virtio_running(&net->vdev) && !net->in_kernel)
		net_transmit(net);
}

/* Receive */

/*
 * Spreads the frame over chains that the guest gave, from the first on.
 * Returns how many it took; 0 when they do not suffice yet, -EMSGSIZE when
 * they never will. What was written to chains that go back unpublished does no
 * harm: the guest must not look at them.
 */
static int net_scatter(struct virtio_net *net, const void *hdr, const uint8_t *frame, size_t len)
{
	struct virtio_device *vdev = &net->vdev;
	struct virtqueue *vq = &vdev->vq[NET_RX];
	bool mergeable = virtio_has(vdev, VIRTIO_NET_F_MRG_RXBUF);
	struct virtq_chain *chain = net->rx_first;
	unsigned int taken = 0;
	size_t done = 0;

	for (;;) {
		size_t skip = taken ? 0 : net->be->hdr_size;
		size_t n;

		if (!virtio_pop(vdev, NET_RX, chain))
			break;
		if (!chain->write_len || chain->write_len < skip) {
			virtio_fail(vdev, "a receive buffer has no room for the header");
			break;
		}
		if (!taken)
			virtq_chain_write(chain, 0, hdr, skip);
		n = virtq_chain_write(chain, skip, frame + done, len - done);
		virtq_fill(vq, chain, skip + n, taken++);
		done += n;
		if (done == len)
			return taken;
		if (!mergeable) {
			virtq_unpop(vq, 1);
			return -EMSGSIZE;
		}
		chain = net->rx_next;
	}
	virtq_unpop(vq, taken);
	/* The whole ring is not enough: waiting would be for ever. */
	return taken == vq->size ? -EMSGSIZE : 0;
}

int net_receive(struct virtio_net *net, const void *hdr, const void *frame, size_t len)
{
	struct virtio_device *vdev = &net->vdev;
	struct virtqueue *vq = &vdev->vq[NET_RX];
	uint16_t num_buffers;
	int taken;

	/* A paused card gets it later. If no driver runs the card, drop the frame. */
	if (!virtio_running(vdev)) {
		net->rx_starved = vdev->paused && vdev->started;
		return net->rx_starved ? -EAGAIN : 0;
	}
	if (!net_rate_ok(net, &net->rx_rates))
		return -EAGAIN;
	/* The loop ends: each turn the ring holds more, until the whole ring is not enough. */
	do {
		taken = net_scatter(net, hdr, frame, len);
	} while (!taken && virtio_running(vdev) && virtq_notify_on(vq));
	if (taken < 0 || !virtio_running(vdev))
		return 0;
	if (!taken) {
		net->rx_starved = true;
		return -EAGAIN;
	}
	num_buffers = htole16(taken);
	if (net->be->hdr_size == NET_HDR_SIZE) {
		virtq_chain_write(net->rx_first, NET_HDR_NUM_BUFFERS, &num_buffers,
				  sizeof(num_buffers));
		virtq_wrote(vq, net->rx_first);
	}
	virtq_publish(vq, taken);
	net_rate_take(&net->rx_rates, len);
	return 0;
}

void net_receive_done(struct virtio_net *net)
{
	virtio_signal(&net->vdev, NET_RX);
}

static void net_set_link(struct virtio_net *net, bool up)
{
	const uint16_t status = htole16(up ? VIRTIO_NET_S_LINK_UP : 0);
	const unsigned int at = offsetof(struct virtio_net_config, status);

	if (memcmp(net->vdev.config + at, &status, sizeof(status)))
		virtio_config_set(&net->vdev, at, &status, sizeof(status));
}

void net_link_down(struct virtio_net *net)
{
	net->pulled = true;
	net_set_link(net, false);
}

/* The device */

static void net_kick(struct virtio_device *vdev, unsigned int index)
{
	struct virtio_net *net = to_net(vdev);

	if (index == NET_TX) {
		net_transmit(net);
	} else {
		/* Refills are of interest only to a frame that waits. */
		virtq_notify_off(&vdev->vq[NET_RX]);
		if (net->rx_starved) {
			net->rx_starved = false;
			net->be->ops->receive_ready(net->be);
		}
	}
}

/* Enough time has passed for one direction, and perhaps for both. */
static gboolean net_rate_over(gpointer opaque)
{
	struct virtio_net *net = opaque;

	g_source_set_ready_time(net->timer, -1);
	net_lock(net);
	/* When a card goes on that is paused, or cut off, both queues are looked at. */
	if (net->tx_rates.held) {
		net->tx_rates.held = false;
		if (virtio_running(&net->vdev))
			net_transmit(net);
	}
	if (net->rx_rates.held) {
		net->rx_rates.held = false;
		if (virtio_running(&net->vdev))
			net->be->ops->receive_ready(net->be);
		else
			net->rx_starved = net->vdev.started;
	}
	net_unlock(net);
	return G_SOURCE_CONTINUE;
}

/* virtio 1.2 5.1.3.1: which other features an offload needs. */
static bool net_features_ok(struct virtio_device *vdev, uint64_t f)
{
	const uint64_t host_tso = VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO4) |
				  VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO6);
	const uint64_t guest_tso = VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO4) |
				   VIRTIO_BIT(VIRTIO_NET_F_GUEST_TSO6);

	(void)vdev;
	if ((f & host_tso) && !(f & VIRTIO_BIT(VIRTIO_NET_F_CSUM)))
		return false;
	if ((f & guest_tso) && !(f & VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM)))
		return false;
	if ((f & VIRTIO_BIT(VIRTIO_NET_F_HOST_ECN)) && !(f & host_tso))
		return false;
	return !(f & VIRTIO_BIT(VIRTIO_NET_F_GUEST_ECN)) || (f & guest_tso);
}

static int net_start(struct virtio_device *vdev)
{
	struct virtio_net *net = to_net(vdev);

	net->be->hdr_size = NET_HDR_SIZE;
	if (vdev->legacy && !virtio_has(vdev, VIRTIO_NET_F_MRG_RXBUF))
		net->be->hdr_size = NET_HDR_SIZE_LEGACY;
	if (net->be->ops->start)
		net->be->ops->start(net->be, vdev->features);
	return 0;
}

static void net_reset(struct virtio_device *vdev)
{
	struct virtio_net *net = to_net(vdev);

	net->be->ops->stop(net->be);
	net->announced = NET_ANNOUNCE_TIMES;
	net->rx_starved = false;
	net->tx_blocked = false;
	net->tx_rates.held = net->rx_rates.held = false;
}

static void net_announce_later(struct virtio_net *net)
{
	gint64 wait = NET_ANNOUNCE_US + net->announced * NET_ANNOUNCE_MORE_US;

	g_source_set_ready_time(net->announcer, g_get_monotonic_time() + wait);
}

/* What the back end has no room for is lost, as any frame may be: there are more. */
static gboolean net_announce(gpointer opaque)
{
	struct virtio_net *net = opaque;
	uint8_t data[NET_HDR_SIZE + ANNOUNCE_SIZE] = { 0 };

	g_source_set_ready_time(net->announcer, -1);
	net_lock(net);
	if (virtio_running(&net->vdev) && net->announced < NET_ANNOUNCE_TIMES) {
		struct iovec iov = { data, net->be->hdr_size + ANNOUNCE_SIZE };

		announce_frame(data + net->be->hdr_size, net->vdev.config);
		net->be->ops->send(net->be, &iov, 1, iov.iov_len);
		if (net->be->ops->send_done)
			net->be->ops->send_done(net->be);
		if (++net->announced < NET_ANNOUNCE_TIMES)
			net_announce_later(net);
	}
	net_unlock(net);
	return G_SOURCE_CONTINUE;
}

/*
 * A restored card keeps its address, but its cable is the one here, whether a driver runs it or
 * not: in, however it was, or out, if the back end has ended before the guest came. Frames that
 * were on their way are lost, as they are on any network.
 */
static int net_restore(struct virtio_device *vdev, struct record *r)
{
	(void)r;
	to_net(vdev)->moved = true;
	return 0;
}

static void net_resumed(struct virtio_device *vdev)
{
	struct virtio_net *net = to_net(vdev);

	if (!net->moved)
		return;
	net->moved = false;
	net_set_link(net, !net->pulled);
	if (net->be->alone || net->pulled)
		return;
	net->announced = 0;
	net_announce_later(net);
}

static void net_free(struct virtio_net *net)
{
	if (net->in_kernel)
		vhost_kernel_close(&net->vhost);
	if (net->be)
		net->be->ops->destroy(net->be);
	if (net->timer) {
		g_source_destroy(net->timer);
		g_source_unref(net->timer);
	}
	if (net->announcer) {
		g_source_destroy(net->announcer);
		g_source_unref(net->announcer);
	}
	free(net->tx);
	free(net->rx_first);
	free(net->rx_next);
}

static void net_destroy(struct virtio_device *vdev)
{
	net_free(to_net(vdev));
}

static const struct virtio_ops virtio_net_ops = {
	.name = "virtio-net",
	.id = VIRTIO_ID_NET,
	.nr_queues = 2,
	.queue_size = NET_QUEUE_SIZE,
	.features_ok = net_features_ok,
	.start = net_start,
	.reset = net_reset,
	.kick = net_kick,
	.restore = net_restore,
	.resumed = net_resumed,
	.destroy = net_destroy,
};

/* The same, with the host's kernel */

static int net_kernel_begin(struct virtio_device *vdev, struct error *err)
{
	return vhost_begin(&to_net(vdev)->vhost.v, vdev, err);
}

/* Both queues, or none. */
static int net_kernel_set_backend(struct virtio_net *net, int fd)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < VHOST_KERNEL_QUEUES; i++) {
		struct vhost_vring_file file = { .index = i, .fd = fd };

		if (ioctl(net->vhost.fd, VHOST_NET_SET_BACKEND, &file))
			ret = -errno;
	}
	if (ret && fd >= 0)
		net_kernel_set_backend(net, -1);
	return ret;
}

/* Once: a guest can try for ever. */
static void net_kernel_warn(struct virtio_net *net, int ret, const char *what)
{
	struct virtio_device *vdev = &net->vdev;

	if (!net->refused)
		machine_warn(vdev->machine, "%s in slot %u: the host's kernel refuses %s: %s",
			     vdev->ops->name, vdev->slot, what, strerror(-ret));
	net->refused = true;
}

/*
 * A tap that was deleted is refused. That is no fault of the driver's, and no reset would help: its
 * cable is out. The kernel has the queues, and leaves them alone.
 */
static void net_kernel_plug(struct virtio_net *net)
{
	int ret = net_kernel_set_backend(net, net->be->fd);

	if (ret) {
		net_kernel_warn(net, ret, "its tap, and its link is down (is the tap gone?)");
		net->unplugged = true;
		net_set_link(net, false);
	} else if (net->unplugged) {
		net->unplugged = false;
		net_set_link(net, true);
	}
}

static int net_kernel_run(struct virtio_device *vdev, bool run)
{
	struct virtio_net *net = to_net(vdev);
	int ret;

	if (!run) {
		ret = net_kernel_set_backend(net, -1);
		vhost_take_queues(&net->vhost.v);
		return ret;
	}
	ret = vhost_give_queues(&net->vhost.v);
	if (ret)
		net_kernel_warn(net, ret, "its queues");
	else
		net_kernel_plug(net);
	return ret;
}

static const struct virtio_ops virtio_net_kernel_ops = {
	.name = "virtio-net",
	.id = VIRTIO_ID_NET,
	.nr_queues = 2,
	.queue_size = NET_QUEUE_SIZE,
	.elsewhere = 1u << NET_RX | 1u << NET_TX,
	.begin = net_kernel_begin,
	.run = net_kernel_run,
	.features_ok = net_features_ok,
	.start = net_start,
	.reset = net_reset,
	.restore = net_restore,
	.resumed = net_resumed,
	.destroy = net_destroy,
};
_Static_assert(NET_RX == 0 && NET_TX == 1 && VHOST_KERNEL_QUEUES == 2, "the kernel's numbers");

/*
 * Makes an address that this guest's card has at each start, and no other guest's. It lies in
 * QEMU's range of made-up addresses. The rest is a hash of what the guest and its card are known
 * by. What the card is joined to (tap0, tap1) tells apart guests that start from the same files.
 */
static void net_default_mac(struct machine *m, const struct net_config *config, uint8_t *mac)
{
	static const uint8_t base[] = { 0x52, 0x54, 0x00 };
	uint8_t hash[IDENTITY_SIZE];
	char *card = g_strdup_printf("card %u of %s", m->nr_macs++, config->words);

	identity_hash(hash, m->identity, card);
	g_free(card);
	memcpy(mac, base, sizeof(base));
	memcpy(mac + sizeof(base), hash, 3);
}

static void net_release(void *opaque)
{
	struct net_config *config = opaque;

	if (!config)
		return;
	free(config->label);
	free(config->words);
	free(config->backend);
	free(config);
}

static int net_parse_mac(const char *text, uint8_t *mac)
{
	for (int i = 0; i < 6; i++, text += 3) {
		char byte[3] = { text[0], text[0] ? text[1] : '\0', '\0' };

		if (!isxdigit((unsigned char)byte[0]) || !isxdigit((unsigned char)byte[1]) ||
		    text[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		mac[i] = strtoul(byte, NULL, 16);
	}
	/* Bit 0 of the first byte marks a group address, which no card may have. */
	return mac[0] & 1 ? -EINVAL : 0;
}

static int net_parse_word(struct net_config *config, const char *word, struct error *err)
{
	const char *value = parse_value(word, "mac");
	int ret;

	if (value) {
		config->has_mac = true;
		if (net_parse_mac(value, config->mac))
			return error_set(err, -EINVAL,
					 "%s: %s is no card's address (like 52:54:00:12:34:56)",
					 config->label, value);
		return 0;
	}
	value = config->type->vhost ? parse_value(word, "vhost") : NULL;
	if (value) {
		config->vhost = !strcmp(value, "on");
		if (!config->vhost && strcmp(value, "off"))
			return error_set(err, -EINVAL, "%s: vhost must be on or off", config->label);
		return 0;
	}
	ret = virtio_bus_parse(word, config->label, &config->bus, err);
	if (ret == -ENOENT)
		ret = rate_parse(word, "bps", config->label, &config->bps, err);
	if (ret == -ENOENT)
		ret = rate_parse(word, "pps", config->label, &config->pps, err);
	if (ret != -ENOENT)
		return ret;
	ret = config->type->word(config->backend, config->label, word, err);
	if (ret != -ENOENT)
		return ret;
	return error_set(err, -EINVAL, "%s: unknown word \"%s\" (--device help lists those of %s)",
			 config->label, word, config->type->name);
}

static int net_parse(const char *label, const char *args, void **out, struct error *err)
{
	struct net_config *config = *out = calloc(1, sizeof(*config));
	char *words, *word;
	int ret = 0;

	if (!config)
		return error_errno(err, -ENOMEM, "%s", label);
	config->label = strdup(label);
	config->words = words = strdup(args ? args : "");
	if (!config->label || !words)
		return error_errno(err, -ENOMEM, "%s", label);
	config->type = net_type_find(words, strcspn(words, "=,"));
	if (!config->type)
		return error_set(err, -EINVAL, "%s: must begin with \"user\", \"tap=NAME\" or \"stream\"",
				 label);
	config->backend = calloc(1, config->type->config_size);
	if (!config->backend)
		return error_errno(err, -ENOMEM, "%s", label);
	while (!ret && (word = strsep(&words, ",")))
		ret = net_parse_word(config, word, err);
	if (!ret && config->type->complete)
		ret = config->type->complete(config->backend, label, err);
	if (!ret && config->vhost && (config->bps || config->pps))
		ret = error_set(err, -EINVAL, "%s: with vhost=on there are no rates (bps=, pps=)",
				label);
	return ret;
}

static gboolean net_timer_dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	(void)source;
	return callback(opaque);
}

static GSourceFuncs net_timer_funcs = { .dispatch = net_timer_dispatch };

/* Calls @over at its ready time. */
static GSource *net_make_timer(struct virtio_net *net, struct machine *m, GSourceFunc over)
{
	GSource *timer = g_source_new(&net_timer_funcs, sizeof(GSource));

	g_source_set_callback(timer, over, net, NULL);
	g_source_attach(timer, m->context);
	return timer;
}

static void net_make_rates(struct virtio_net *net, struct machine *m,
			   const struct net_config *config)
{
	rate_init(&net->tx_rates.bytes, config->bps);
	rate_init(&net->tx_rates.frames, config->pps);
	rate_init(&net->rx_rates.bytes, config->bps);
	rate_init(&net->rx_rates.frames, config->pps);
	if (!config->bps && !config->pps)
		return;
	net->timer = net_make_timer(net, m, net_rate_over);
}

static int net_create(struct machine *m, const void *opaque, struct error *err)
{
	const struct net_config *config = opaque;
	struct virtio_net_config space = { .status = htole16(VIRTIO_NET_S_LINK_UP) };
	uint64_t features = VIRTIO_BIT(VIRTIO_NET_F_MAC) | VIRTIO_BIT(VIRTIO_NET_F_STATUS) |
			    VIRTIO_BIT(VIRTIO_NET_F_MRG_RXBUF);
	struct virtio_net *net;
	int ret;

	net = calloc(1, sizeof(*net));
	if (!net)
		return error_errno(err, -ENOMEM, "%s", config->label);
	net->tx = virtq_chain_alloc(NET_QUEUE_SIZE);
	net->rx_first = virtq_chain_alloc(NET_QUEUE_SIZE);
	net->rx_next = virtq_chain_alloc(NET_QUEUE_SIZE);
	if (!net->tx || !net->rx_first || !net->rx_next) {
		ret = error_errno(err, -ENOMEM, "%s", config->label);
		goto fail;
	}
	net_make_rates(net, m, config);
	net->announcer = net_make_timer(net, m, net_announce);
	ret = config->type->create(m, config, &net->be, err);
	if (ret < 0)
		goto fail;
	net->be->net = net;
	if (config->vhost) {
		net->in_kernel = true;
		ret = vhost_kernel_open(&net->vhost, NET_NODE, "vhost_net", config->label, err);
		if (ret < 0)
			goto fail;
		m->vhost = true;
		m->vhost_kthread |= net->vhost.kthread;
		m->unlogged = "--net: vhost=on: the host's kernel";
	}
	if (net->be->mtu) {
		features |= VIRTIO_BIT(VIRTIO_NET_F_MTU);
		space.mtu = htole16(net->be->mtu);
	}
	net->vdev.bus = config->bus;
	ret = virtio_device_register(m, &net->vdev, net->in_kernel ? &virtio_net_kernel_ops :
				     &virtio_net_ops, features | net->be->features, &space,
				     NET_CONFIG_SIZE, err);
	if (ret < 0)
		goto fail;
	/* No vCPU runs yet: the address may still be written without the lock. */
	if (config->has_mac)
		memcpy(net->vdev.config, config->mac, sizeof(config->mac));
	else
		net_default_mac(m, config, net->vdev.config);
	return 0;

fail:
	net_free(net);
	free(net);
	return ret;
}

static bool net_group(unsigned int index, struct device_group *group)
{
	const struct net_type *type = net_type_at(index);

	if (type)
		*group = (struct device_group){ type->args, type->summary, type->words };
	return type;
}

static const struct device_word net_words[] = {
	{ "mac=ADDRESS", "the card's address" },
	{ "bps=N", "bytes a second, at most, in each direction" },
	{ "pps=N", "frames a second, likewise" },
	VIRTIO_BUS_WORD,
	{ NULL, NULL },
};

static const struct device_type net_type = {
	.name = "virtio-net",
	.summary = "network card",
	.option = "net",
	.letter = 'n',
	.args = "NETWORK",
	.words = net_words,
	.group = net_group,
	.max = 8,
	.order = 30,
	.parse = net_parse,
	.release = net_release,
	.create = net_create,
};
DEVICE_TYPE(net_type);

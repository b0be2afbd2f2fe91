// SPDX-License-Identifier: GPL-2.0-only
/*
 * --net tap=NAME: frames go to and from an interface of the host. Checksums and
 * segmentation are offloaded, as far as the guest and the host's tun driver both
 * support it.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_tun.h>
#include <linux/virtio_net.h>

#include "core/iov.h"
#include "core/machine.h"
#include "core/message.h"
#include "core/parse.h"
#include "net/net.h"

/* Frames read before other work of the main thread gets its turn. */
#define TAP_BUDGET 64

#define TAP_OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)

struct net_tap {
	struct net_backend be;
	struct machine *machine;
	const char *name;
	int fd;
	GSource *source;
	gpointer tag; /* of fd in source */
	GIOCondition events; /* what we poll for */
	bool vhost; /* the host's kernel carries the frames */
	bool gone; /* the interface was deleted */
	uint64_t features; /* what the guest took */
	bool csum; /* the guest may send frames without a checksum */
	bool guest_csum; /* the guest accepts frames without a checksum */
	size_t kept; /* bytes of a frame in @buf that the guest had no room for */
	uint8_t *buf;
};

struct tap_source {
	GSource source;
	struct net_tap *tap;
};

static void tap_poll(struct net_tap *tap, GIOCondition events)
{
	if (tap->gone || tap->vhost || tap->events == events)
		return;
	tap->events = events;
	g_source_modify_unix_fd(tap->source, tap->tag, events);
}

/* Delivers the frame in @buf. Returns what net_receive() does. */
static int tap_deliver(struct net_tap *tap, size_t len)
{
	struct virtio_net_hdr_mrg_rxbuf *hdr = (void *)tap->buf;

	/* A driver that did not negotiate checksums must see no flags (virtio 1.2 5.1.6.4.1). */
	if (!tap->guest_csum)
		hdr->hdr.flags = 0;
	return net_receive(tap->be.net, hdr, tap->buf + NET_HDR_SIZE, len - NET_HDR_SIZE);
}

static void tap_read(struct net_tap *tap)
{
	unsigned int budget = TAP_BUDGET;

	while (budget-- && !tap->kept) {
		ssize_t n = read(tap->fd, tap->buf, NET_HDR_SIZE + NET_FRAME_MAX);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= NET_HDR_SIZE)
			break;
		if (tap_deliver(tap, n) == -EAGAIN) {
			tap->kept = n;
			tap_poll(tap, tap->events & ~G_IO_IN);
		}
	}
	net_receive_done(tap->be.net);
}

static gboolean tap_dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct net_tap *tap = ((struct tap_source *)source)->tap;
	GIOCondition revents = g_source_query_unix_fd(source, tap->tag);

	(void)callback;
	(void)opaque;
	net_lock(tap->be.net);
	if (revents & (G_IO_ERR | G_IO_HUP | G_IO_NVAL)) {
		/* The event would be reported for ever, even if it is not polled for. */
		machine_warn(tap->machine, "tap %s: the interface is gone", tap->name);
		g_source_remove_unix_fd(source, tap->tag);
		tap->gone = true;
		net_link_down(tap->be.net);
		net_send_ready(tap->be.net);
	} else {
		if (revents & tap->events & G_IO_OUT) {
			tap_poll(tap, tap->events & ~G_IO_OUT);
			net_send_ready(tap->be.net);
		}
		if (revents & tap->events & G_IO_IN)
			tap_read(tap);
	}
	net_unlock(tap->be.net);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs tap_source_funcs = { .dispatch = tap_dispatch };

/* The back end's ops; the device's lock is held, except in destroy */

/*
 * virtio 1.2 5.1.6.2.1: a driver must not use a kind of segmentation that it has not
 * negotiated. The host's tun would accept any, so such a frame is dropped here.
 */
static bool tap_gso_ok(const struct net_tap *tap, uint8_t type)
{
	bool ecn = type & VIRTIO_NET_HDR_GSO_ECN;

	switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return !ecn;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		if (!(tap->features & NET_FEATURE(VIRTIO_NET_F_HOST_TSO4)))
			return false;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		if (!(tap->features & NET_FEATURE(VIRTIO_NET_F_HOST_TSO6)))
			return false;
		break;
	default:
		return false;
	}
	return !ecn || tap->features & NET_FEATURE(VIRTIO_NET_F_HOST_ECN);
}

static int tap_send(struct net_backend *be, const struct iovec *iov, unsigned int nr, size_t len)
{
	struct net_tap *tap = container_of(be, struct net_tap, be);
	struct virtio_net_hdr_mrg_rxbuf hdr = { 0 };
	struct iovec out[NET_PIECES_MAX + 1];
	ssize_t n;

	len -= be->hdr_size;
	if (tap->gone || len > NET_FRAME_MAX)
		return 0;
	/* A guest that did not take the offloads cannot ask for them. */
	if (tap->csum)
		iov_read(iov, nr, 0, &hdr, be->hdr_size);
	if (!tap_gso_ok(tap, hdr.hdr.gso_type))
		return 0;
	out[0].iov_base = &hdr;
	/* The kernel has been told what the guest's header is. */
	out[0].iov_len = tap->vhost ? be->hdr_size : sizeof(hdr);
	nr = iov_slice(out + 1, iov, nr, be->hdr_size, len);
	do {
		n = writev(tap->fd, out, nr + 1);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN) {
		tap_poll(tap, tap->events | G_IO_OUT);
		return -EAGAIN;
	}
	/* Any other error is a frame that the host refuses, or an interface that is down. */
	return 0;
}

static void tap_receive_ready(struct net_backend *be)
{
	struct net_tap *tap = container_of(be, struct net_tap, be);

	if (tap->kept && tap_deliver(tap, tap->kept) == -EAGAIN)
		return;
	tap->kept = 0;
	net_receive_done(be->net);
	tap_poll(tap, tap->events | G_IO_IN);
}

static unsigned int tap_offloads(uint64_t f)
{
	unsigned int offloads = 0;

	if (f & NET_FEATURE(VIRTIO_NET_F_GUEST_CSUM))
		offloads |= TUN_F_CSUM;
	if (f & NET_FEATURE(VIRTIO_NET_F_GUEST_TSO4))
		offloads |= TUN_F_TSO4;
	if (f & NET_FEATURE(VIRTIO_NET_F_GUEST_TSO6))
		offloads |= TUN_F_TSO6;
	if (f & NET_FEATURE(VIRTIO_NET_F_GUEST_ECN))
		offloads |= TUN_F_TSO_ECN;
	return offloads;
}

static void tap_start(struct net_backend *be, uint64_t features)
{
	struct net_tap *tap = container_of(be, struct net_tap, be);
	int hdr_size = be->hdr_size;

	tap->features = features;
	tap->csum = features & NET_FEATURE(VIRTIO_NET_F_CSUM);
	tap->guest_csum = features & NET_FEATURE(VIRTIO_NET_F_GUEST_CSUM);
	/* It cannot fail: tun accepted these flags at the start, and no others were offered. */
	(void)ioctl(tap->fd, TUNSETOFFLOAD, tap_offloads(features));
	/* The kernel hands the guest's header on as it is. */
	if (tap->vhost)
		(void)ioctl(tap->fd, TUNSETVNETHDRSZ, &hdr_size);
	tap_poll(tap, G_IO_IN);
}

static void tap_stop(struct net_backend *be)
{
	struct net_tap *tap = container_of(be, struct net_tap, be);

	tap->kept = 0;
	tap_poll(tap, 0);
}

static void tap_destroy(struct net_backend *be)
{
	struct net_tap *tap = container_of(be, struct net_tap, be);

	if (tap->source) {
		g_source_destroy(tap->source);
		g_source_unref(tap->source);
	}
	if (tap->fd >= 0)
		close(tap->fd);
	free(tap->buf);
	free(tap);
}

static const struct net_backend_ops tap_ops = {
	.send = tap_send,
	.receive_ready = tap_receive_ready,
	.start = tap_start,
	.stop = tap_stop,
	.destroy = tap_destroy,
};

struct tap_config {
	const char *name;
};

static int tap_word(void *backend, const char *label, const char *word, struct error *err)
{
	struct tap_config *config = backend;
	const char *name = parse_value(word, "tap");

	/* The first word is the interface's name; there are no others. */
	if (config->name)
		return -ENOENT;
	if (!name || !*name || strlen(name) >= IFNAMSIZ)
		return error_set(err, -EINVAL, "%s: an interface name has 1 to %d characters",
				 label, IFNAMSIZ - 1);
	config->name = name;
	return 0;
}

/* MTU of the host's interface; 0 if it is not known, or not one that a guest could use. */
static uint16_t tap_mtu(const struct net_tap *tap)
{
	struct ifreq ifr = { .ifr_mtu = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int mtu = 0;

	strcpy(ifr.ifr_name, tap->name);
	if (fd >= 0 && !ioctl(fd, SIOCGIFMTU, &ifr))
		mtu = ifr.ifr_mtu;
	if (fd >= 0)
		close(fd);
	/* virtio 1.2 5.1.4.1: 68 to 65535 */
	return mtu >= 68 && mtu <= UINT16_MAX ? mtu : 0;
}

static int tap_open(struct net_tap *tap, const struct net_config *config, struct error *err)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int hdr_size = NET_HDR_SIZE;
	bool made;

	tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap->fd < 0)
		return error_errno(err, -errno, "%s: /dev/net/tun (modprobe tun?)",
				   config->label);
	strcpy(ifr.ifr_name, tap->name);
	made = !if_nametoindex(tap->name);
	if (ioctl(tap->fd, TUNSETIFF, &ifr) < 0) {
		if (errno == EPERM)
			return error_set(err, -EPERM,
					 "%s: not yours to use; as root: ip tuntap add dev %s mode tap user NAME",
					 config->label, tap->name);
		return error_errno(err, -errno, "%s: cannot attach to it", config->label);
	}
	if (made)
		message("%s: there was no interface %s; it is made, and goes with the guest",
			config->label, tap->name);
	if (ioctl(tap->fd, TUNSETVNETHDRSZ, &hdr_size) < 0)
		return error_errno(err, -errno, "%s: the host's tun driver is too old",
				   config->label);
	if (!ioctl(tap->fd, TUNSETOFFLOAD, TAP_OFFLOADS)) {
		tap->be.features =
			NET_FEATURE(VIRTIO_NET_F_CSUM) | NET_FEATURE(VIRTIO_NET_F_HOST_TSO4) |
			NET_FEATURE(VIRTIO_NET_F_HOST_TSO6) | NET_FEATURE(VIRTIO_NET_F_HOST_ECN) |
			NET_FEATURE(VIRTIO_NET_F_GUEST_CSUM) |
			NET_FEATURE(VIRTIO_NET_F_GUEST_TSO4) |
			NET_FEATURE(VIRTIO_NET_F_GUEST_TSO6) | NET_FEATURE(VIRTIO_NET_F_GUEST_ECN);
		(void)ioctl(tap->fd, TUNSETOFFLOAD, 0);
	}
	tap->be.mtu = tap_mtu(tap);
	return 0;
}

static int tap_create(struct machine *m, const struct net_config *config, struct net_backend **be,
		      struct error *err)
{
	struct tap_source *source;
	struct net_tap *tap;
	int ret;

	tap = calloc(1, sizeof(*tap));
	if (!tap)
		return error_errno(err, -ENOMEM, "%s", config->label);
	tap->be.ops = &tap_ops;
	tap->machine = m;
	tap->name = ((const struct tap_config *)config->backend)->name;
	tap->fd = -1;
	tap->vhost = config->vhost;
	tap->buf = malloc(NET_HDR_SIZE + NET_FRAME_MAX);
	ret = tap->buf ? tap_open(tap, config, err) :
			 error_errno(err, -ENOMEM, "%s", config->label);
	if (ret) {
		tap_destroy(&tap->be);
		return ret;
	}
	tap->source = g_source_new(&tap_source_funcs, sizeof(*source));
	source = (struct tap_source *)tap->source;
	source->tap = tap;
	tap->be.fd = tap->fd;
	/* Nothing to poll for until the driver starts. */
	tap->tag = g_source_add_unix_fd(tap->source, tap->fd, 0);
	g_source_attach(tap->source, m->context);
	*be = &tap->be;
	return 0;
}

static const struct device_word tap_words[] = {
	{ "vhost=on|off", "the host's kernel carries the frames itself (off)" },
	{ NULL, NULL },
};

static const struct net_type tap_type = {
	.name = "tap",
	.args = "tap=NAME",
	.summary = "the host's TAP interface NAME",
	.config_size = sizeof(struct tap_config),
	.words = tap_words,
	.vhost = true,
	.word = tap_word,
	.create = tap_create,
};
NET_TYPE(tap_type);

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface between virtio-net and its back end, which carries the frames on the host.
 *
 * Everything here happens on the main thread. The device calls its back end,
 * and the back end calls the device, with the device's lock held; a back end
 * that wakes up by itself (its file is readable, a timer fired) takes it with
 * net_lock() first.
 */
#ifndef ARMVMM_RUN_NET_H
#define ARMVMM_RUN_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/device_type.h"
#include "core/error.h"

struct machine;
struct net_config;
struct virtio_bus;
struct virtio_net;
struct net_backend;

#define NET_FEATURE(n) (1ULL << (n))

/*
 * virtio 1.2 5.1.6: with VIRTIO_F_VERSION_1 or MRG_RXBUF the header has num_buffers, else
 * (5.1.6.1) it is two bytes shorter.
 */
#define NET_HDR_SIZE 12
#define NET_HDR_SIZE_LEGACY 10

/* The longest frame: 64 KiB of IP packet (by segmentation offload) and its Ethernet header. */
#define NET_FRAME_MAX (65535 + 18)

/* The most pieces that a frame from the guest has. */
#define NET_PIECES_MAX 256

struct net_backend_ops {
	/*
	 * Takes a frame from the guest: @be->hdr_size bytes of virtio-net
	 * header and the frame, @len bytes in all, in @nr pieces of guest
	 * memory. Returns 0 when the frame was sent or dropped, -EAGAIN when
	 * it must wait: the back end then calls net_send_ready() later.
	 */
	int (*send)(struct net_backend *be, const struct iovec *iov, unsigned int nr, size_t len);

	/* No more frames for now: the back end may deliver replies to them. Optional. */
	void (*send_done)(struct net_backend *be);

	/* The guest has given receive buffers after net_receive() refused. */
	void (*receive_ready)(struct net_backend *be);

	/* The driver is ready; @features are those it acknowledged. Optional. */
	void (*start)(struct net_backend *be, uint64_t features);

	/* The driver is gone: forget pending frames. */
	void (*stop)(struct net_backend *be);

	void (*destroy)(struct net_backend *be);
};

/**
 * struct net_backend - embedded in each back end
 * @ops: what it does
 * @net: its device; set by the device
 * @features: virtio-net feature bits it adds to the device's
 * @hdr_size: of the header before a guest's frame; set by the device
 * @mtu: bytes of packet that its network takes; 0: not known
 * @alone: nobody behind it needs to learn where the card is
 * @fd: with vhost=on, what the host's kernel takes frames from; the back end does not
 */
struct net_backend {
	const struct net_backend_ops *ops;
	struct virtio_net *net;
	uint64_t features;
	uint16_t mtu;
	uint16_t hdr_size;
	bool alone;
	int fd;
};

/*
 * A kind of back end: one file, which registers it. --net NAME[=...][,WORD]...
 * asks for one.
 */
struct net_type {
	const char *name;	/* of the first word: "tap" */
	const char *args;	/* "tap=NAME" */
	const char *summary;
	const struct device_word *words;	/* ends with a NULL word; NULL: none */
	size_t config_size;
	bool vhost;	/* it knows vhost=on */

	/*
	 * Takes a word, the first one included, into @config (config_size bytes,
	 * zeroed at first). @word stays where it is while the program runs. Returns
	 * 0; -ENOENT for a word that it does not know; or an error with @err set.
	 */
	int (*word)(void *config, const char *label, const char *word, struct error *err);

	/* After the last word: is any missing? 0, or -EINVAL with @err set. Optional. */
	int (*complete)(const void *config, const char *label, struct error *err);

	/* 0 and *@be, or -errno with @err set. */
	int (*create)(struct machine *m, const struct net_config *config, struct net_backend **be,
		      struct error *err);
};

struct net_config {
	char *label;		/* what the person typed, for messages */
	char *words;		/* what the words point into */
	const struct net_type *type;
	void *backend;		/* config of the type */
	bool has_mac;
	uint8_t mac[6];
	bool vhost;		/* the host's kernel carries the frames */
	uint64_t bps, pps;	/* bytes and frames a second, in each direction; 0: any */
	const struct virtio_bus *bus;	/* that the card is on; NULL: the default */
};

/* At the end of a back end's file. */
#define NET_TYPE(type)							\
	static const struct net_type *const type##_entry		\
	__attribute__((section("net_types"), used)) = &(type)

/* The type whose name is the first @len bytes of @name, or NULL. */
const struct net_type *net_type_find(const char *name, size_t len);

/* The @index-th type (in order of their names), or NULL. */
const struct net_type *net_type_at(unsigned int index);

/* What the device offers to its back end. */
void net_lock(struct virtio_net *net);
void net_unlock(struct virtio_net *net);

/*
 * Gives the guest a frame of @len bytes, with the header @hdr before it (NET_HDR_SIZE
 * bytes; the device fills in num_buffers). Returns 0 when the frame was received or
 * dropped, -EAGAIN when the guest has no buffers for it: keep it, and wait for
 * receive_ready().
 */
int net_receive(struct virtio_net *net, const void *hdr, const void *frame, size_t len);

/* After one or more net_receive(): interrupt the guest once. */
void net_receive_done(struct virtio_net *net);

/* After send() returned -EAGAIN: frames can be taken again. */
void net_send_ready(struct virtio_net *net);

/* Pulls the guest's cable, for good. */
void net_link_down(struct virtio_net *net);

#endif /* ARMVMM_RUN_NET_H */

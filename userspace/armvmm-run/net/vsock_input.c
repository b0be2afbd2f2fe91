// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "core/iov.h"
#include "net/vsock_input.h"

void vsock_deafen(struct vsock_conn *c)
{
	c->deaf = true;
	if (c->ring.count && !c->told_deaf) {
		c->told_deaf = true;
		c->owed |= OWED_DEAF;
	}
	c->taken += c->ring.count;
	ring_drop(&c->ring, c->ring.count);
}

bool vsock_flush(struct vsock *v, struct vsock_conn *c)
{
	while (c->ring.count) {
		ssize_t n = send(c->fd, c->ring.data + c->ring.head, ring_piece(&c->ring),
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			vsock_deafen(c);
			break;
		}
		ring_drop(&c->ring, n);
		c->taken += n;
		if (c->left)
			c->left = g_get_monotonic_time();
	}
	if (c->state == VSOCK_DRAINING && !c->ring.count) {
		vsock_free(v, c);
		return false;
	}
	/* The guest waits when it believes that there is no room. */
	if (c->taken - c->told_taken >= VSOCK_BUFFER / 2)
		c->owed |= OWED_CREDIT;
	if (!c->ring.count && c->guest_shut == VSOCK_SHUTDOWN_BOTH) {
		vsock_abort(v, c);
		return false;
	}
	if (!c->ring.count && c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND && !c->told_end) {
		c->told_end = true;
		(void)shutdown(c->fd, SHUT_WR);
	}
	vsock_poll(v, c);
	return true;
}

static bool vsock_take_data(struct vsock *v, struct vsock_conn *c, uint32_t len,
			    const struct iovec *iov, unsigned int nr, size_t offset)
{
	uint8_t piece[4096];

	if (c->state != VSOCK_OPEN || c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND ||
	    len > c->ring.size - c->ring.count) {
		vsock_abort(v, c);
		return false;
	}
	while (len) {
		size_t want = len < sizeof(piece) ? len : sizeof(piece);
		size_t n = iov_read(iov, nr, offset, piece, want);

		if (!n)
			break;
		ring_put(&c->ring, piece, n);
		offset += n;
		len -= n;
	}
	if (c->deaf)
		vsock_deafen(c);
	return vsock_flush(v, c);
}

static bool vsock_take_response(struct vsock *v, struct vsock_conn *c)
{
	char line[VSOCK_LINE_MAX];
	int len = snprintf(line, sizeof(line), "OK %u\n", c->host_port);

	if (c->state != VSOCK_REQUESTED || c->owed & OWED_REQUEST ||
	    send(c->fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) != len) {
		vsock_abort(v, c);
		return false;
	}
	vsock_set_state(v, c, VSOCK_OPEN);
	vsock_poll(v, c);
	return true;
}

static bool vsock_take_shutdown(struct vsock *v, struct vsock_conn *c, uint32_t flags)
{
	if (c->state != VSOCK_OPEN) {
		vsock_abort(v, c);
		return false;
	}
	flags &= VSOCK_SHUTDOWN_BOTH & ~c->guest_shut;
	c->guest_shut |= flags;
	if (flags & VIRTIO_VSOCK_SHUTDOWN_RCV) {
		/* The program learns it when it writes; one that is gone is at its end. */
		(void)shutdown(c->fd, SHUT_RD);
		if (c->gone)
			vsock_set_ended(c);
	}
	if (c->guest_shut == VSOCK_SHUTDOWN_BOTH)
		vsock_leave(v, c);
	return vsock_flush(v, c);
}

/* The guest has forgotten it. What it sent before is the program's all the same. */
static void vsock_take_reset(struct vsock *v, struct vsock_conn *c)
{
	if (c->state != VSOCK_OPEN || !c->ring.count) {
		vsock_free(v, c);
		return;
	}
	vsock_unmark(v, c);
	c->owed = 0;
	vsock_set_state(v, c, VSOCK_DRAINING);
	vsock_leave(v, c);
	vsock_poll(v, c);
}

static void vsock_take_request(struct vsock *v, const struct virtio_vsock_hdr *hdr)
{
	uint32_t guest_port = le32toh(hdr->src_port), host_port = le32toh(hdr->dst_port);
	struct vsock_conn *c = NULL;

	if (vsock_make_place(v))
		c = vsock_new(v, VSOCK_DIALING);
	if (!c) {
		vsock_add_reset(v, guest_port, host_port, VIRTIO_VSOCK_TYPE_STREAM);
		return;
	}
	c->guest_port = guest_port;
	c->host_port = host_port;
	c->guest_room = le32toh(hdr->buf_alloc);
	c->guest_taken = le32toh(hdr->fwd_cnt);
	if (vsock_dial_ask(&v->dial, c - v->conn, c->serial, host_port))
		vsock_abort(v, c);
}

/* Returns false if the connection is over. */
static bool vsock_take(struct vsock *v, struct vsock_conn *c, const struct virtio_vsock_hdr *hdr,
		       const struct iovec *iov, unsigned int nr, size_t offset)
{
	c->guest_room = le32toh(hdr->buf_alloc);
	c->guest_taken = le32toh(hdr->fwd_cnt);
	switch (le16toh(hdr->op)) {
	case VIRTIO_VSOCK_OP_RST:
		vsock_take_reset(v, c);
		return false;
	case VIRTIO_VSOCK_OP_RESPONSE:
		return vsock_take_response(v, c);
	case VIRTIO_VSOCK_OP_RW:
		return vsock_take_data(v, c, le32toh(hdr->len), iov, nr, offset);
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		return vsock_take_shutdown(v, c, le32toh(hdr->flags));
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		c->owed |= OWED_CREDIT;
		return true;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		return true;
	default:
		vsock_abort(v, c);
		return false;
	}
}

void vsock_input(struct vsock *v, const struct virtio_vsock_hdr *hdr, const struct iovec *iov,
		 unsigned int nr, size_t offset)
{
	uint32_t guest_port = le32toh(hdr->src_port), host_port = le32toh(hdr->dst_port);
	uint16_t op = le16toh(hdr->op), type = le16toh(hdr->type);
	struct vsock_conn *c;

	/* To or from somebody else: there is no such way. */
	if (le64toh(hdr->src_cid) != v->cid || le64toh(hdr->dst_cid) != VSOCK_HOST_CID)
		return;
	if (type != VIRTIO_VSOCK_TYPE_STREAM) {
		if (op != VIRTIO_VSOCK_OP_RST)
			vsock_add_reset(v, guest_port, host_port, type);
		return;
	}
	c = vsock_find(v, guest_port, host_port);
	if (c) {
		if (vsock_take(v, c, hdr, iov, nr, offset))
			vsock_mark(v, c);
	} else if (op == VIRTIO_VSOCK_OP_REQUEST) {
		vsock_take_request(v, hdr);
	} else if (op != VIRTIO_VSOCK_OP_RST) {
		vsock_add_reset(v, guest_port, host_port, type);
	}
}

bool vsock_is_full(const struct vsock *v)
{
	return v->nr_resets >= VSOCK_RESETS_FULL;
}

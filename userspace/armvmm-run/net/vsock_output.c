// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>

#include "core/iov.h"
#include "net/vsock_conn.h"

static void vsock_header(const struct vsock *v, struct virtio_vsock_hdr *hdr, uint32_t guest_port,
			 uint32_t host_port, uint16_t type, uint16_t op)
{
	*hdr = (struct virtio_vsock_hdr){
		.src_cid = htole64(VSOCK_HOST_CID),
		.dst_cid = htole64(v->cid),
		.src_port = htole32(host_port),
		.dst_port = htole32(guest_port),
		.type = htole16(type),
		.op = htole16(op),
	};
}

/* A packet of a connection, with what it has to know of our side. */
static void vsock_packet(struct vsock *v, struct vsock_conn *c, struct virtio_vsock_hdr *hdr,
			 uint16_t op, uint32_t len)
{
	vsock_header(v, hdr, c->guest_port, c->host_port, VIRTIO_VSOCK_TYPE_STREAM, op);
	hdr->len = htole32(len);
	hdr->buf_alloc = htole32(VSOCK_BUFFER);
	hdr->fwd_cnt = htole32(c->taken);
	c->told_taken = c->taken;
	c->owed &= ~OWED_CREDIT;
}

/*
 * If the program has closed the connection, it is over with this packet: a guest that goes on
 * sending gets a reset then.
 */
static void vsock_put_shutdown(struct vsock *v, struct vsock_conn *c, struct virtio_vsock_hdr *hdr)
{
	vsock_packet(v, c, hdr, VIRTIO_VSOCK_OP_SHUTDOWN, 0);
	hdr->flags = htole32(c->gone ? VSOCK_SHUTDOWN_BOTH : VIRTIO_VSOCK_SHUTDOWN_SEND);
	c->owed &= ~OWED_SHUTDOWN;
	if (c->gone)
		vsock_free(v, c);
}

/* Returns false if nothing is owed, or not yet. */
static bool vsock_put_owed(struct vsock *v, struct vsock_conn *c, struct virtio_vsock_hdr *hdr)
{
	if (c->owed & OWED_REQUEST) {
		c->owed &= ~OWED_REQUEST;
		vsock_packet(v, c, hdr, VIRTIO_VSOCK_OP_REQUEST, 0);
	} else if (c->owed & OWED_RESPONSE) {
		c->owed &= ~OWED_RESPONSE;
		vsock_packet(v, c, hdr, VIRTIO_VSOCK_OP_RESPONSE, 0);
	} else if (c->owed & OWED_CREDIT) {
		vsock_packet(v, c, hdr, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
	} else if (c->owed & OWED_DEAF) {
		c->owed &= ~OWED_DEAF;
		vsock_packet(v, c, hdr, VIRTIO_VSOCK_OP_SHUTDOWN, 0);
		hdr->flags = htole32(VIRTIO_VSOCK_SHUTDOWN_RCV);
	} else if (c->owed & OWED_SHUTDOWN) {
		vsock_put_shutdown(v, c, hdr);
	} else {
		return false;
	}
	return true;
}

/*
 * Reads as much as the guest has room for. Returns the bytes; or -EAGAIN if there are none now, and
 * perhaps never, which is owed then.
 */
static ssize_t vsock_read(struct vsock *v, struct vsock_conn *c, const struct iovec *iov,
			  unsigned int nr)
{
	uint32_t room = vsock_credit(c);
	struct iovec piece[VSOCK_IOV_MAX];
	ssize_t n;

	if (room > VSOCK_PACKET_MAX)
		room = VSOCK_PACKET_MAX;
	nr = iov_slice(piece, iov, nr, 0, room);
	if (!nr)
		return -EAGAIN;
	do {
		n = readv(c->fd, piece, nr);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		c->sent += n;
		return n;
	}
	if (n < 0 && errno == EAGAIN) {
		c->readable = false;
		vsock_poll(v, c);
		return -EAGAIN;
	}
	/* An error is an end, too: a reset of ours would outrun what the guest has not got yet. */
	vsock_set_ended(c);
	return -EAGAIN;
}

static ssize_t vsock_output_conn(struct vsock *v, struct vsock_conn *c,
				 struct virtio_vsock_hdr *hdr, const struct iovec *iov,
				 unsigned int nr)
{
	ssize_t n = 0;

	if (vsock_put_owed(v, c, hdr))
		goto out;
	if (vsock_wants_read(c) && vsock_credit(c)) {
		n = vsock_read(v, c, iov, nr);
		if (n > 0)
			vsock_packet(v, c, hdr, VIRTIO_VSOCK_OP_RW, n);
		else if (vsock_put_owed(v, c, hdr))
			n = 0;
	} else {
		n = -EAGAIN;
	}
out:
	vsock_mark(v, c);
	return n;
}

ssize_t vsock_output(struct vsock *v, struct virtio_vsock_hdr *hdr, const struct iovec *iov,
		     unsigned int nr)
{
	ssize_t n = -EAGAIN;

	if (v->nr_resets) {
		const struct vsock_reset *reset = &v->reset[v->reset_head];

		vsock_header(v, hdr, reset->guest_port, reset->host_port, reset->type,
			     VIRTIO_VSOCK_OP_RST);
		v->reset_head = (v->reset_head + 1) % VSOCK_RESETS_MAX;
		v->nr_resets--;
		return 0;
	}
	while (n < 0 && v->first && !v->held_until) {
		struct vsock_conn *c = v->first;

		vsock_unmark(v, c);
		n = vsock_output_conn(v, c, hdr, iov, nr);
	}
	return n;
}

bool vsock_has_output(const struct vsock *v)
{
	return v->nr_resets || (v->first && !v->held_until);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The connections between a guest's vsock and Unix sockets of the host (virtio 1.2 5.10), behind
 * virtio-vsock. A program of the host that wants the guest's port connects to the socket PATH and
 * writes "CONNECT PORT\n"; once the guest has accepted, it reads "OK PORT\n", with the port that it
 * got on the host. If the guest connects to a port of the host (CID 2), that is the socket
 * PATH_PORT.
 *
 * All that a guest can pile up is bounded: connections, the bytes of each on their way to the host,
 * and resets on their way to the guest. Bytes to the guest stay in the host's sockets.
 *
 * All of it happens with the device's lock held, which is taken by @ops when a socket wakes us; on
 * the main thread, but for the start and the stop, which a driver's vCPU may do.
 */
#ifndef ARMVMM_RUN_VSOCK_H
#define ARMVMM_RUN_VSOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "core/error.h"

struct machine;
struct virtio_vsock_hdr;
struct vsock;

#define VSOCK_HOST_CID	2	/* virtio 1.2 5.10.4 */

/* Sockets that can be open at a time, some for programs of the host alone; and bytes of each. */
#define VSOCK_CONNECTIONS	64
#define VSOCK_BUFFER		(64u << 10)

/* The longest payload of a packet. */
#define VSOCK_PACKET_MAX	(64u << 10)

/* The most pieces of memory that a packet is in. */
#define VSOCK_IOV_MAX	256

struct vsock_ops {
	void (*lock)(void *opaque);
	void (*unlock)(void *opaque);
	void (*ready)(void *opaque);	/* vsock_output() has something; the lock is held */
	void (*held)(void *opaque);	/* vsock_hold() has ended by itself; likewise */
};

/*
 * Opens the socket @path, before the sandbox takes the right to do so. Its name goes with the
 * process. @err's sentence begins with @label, which must outlive it. Returns 0 or -errno with @err
 * set. Main thread.
 */
int vsock_create(struct vsock **vsock, struct machine *m, const char *label, const char *path,
		 const struct vsock_ops *ops, void *opaque, struct error *err);
void vsock_destroy(struct vsock *vsock);

/* The driver has started, and is the guest @cid; or it is gone, and all connections with it. */
void vsock_start(struct vsock *vsock, uint64_t cid);
void vsock_stop(struct vsock *vsock);

/*
 * Until vsock_let_go(), or for some seconds, the guest gets no packet of a connection. A stop
 * releases it, too.
 */
void vsock_hold(struct vsock *vsock);
void vsock_let_go(struct vsock *vsock);

/*
 * A packet from the guest. @iov has the payload from byte @offset on, which is as long as the
 * header says. Must not be called when vsock_is_full(): so many resets wait for the guest.
 */
void vsock_input(struct vsock *vsock, const struct virtio_vsock_hdr *hdr, const struct iovec *iov,
		 unsigned int nr, size_t offset);
bool vsock_is_full(const struct vsock *vsock);

/*
 * The next packet to the guest: fills in the header, and its payload into @iov. Returns the bytes
 * of payload, or -EAGAIN when there is none.
 */
ssize_t vsock_output(struct vsock *vsock, struct virtio_vsock_hdr *hdr, const struct iovec *iov,
		     unsigned int nr);

/* A hint: there may be one. */
bool vsock_has_output(const struct vsock *vsock);

#endif /* ARMVMM_RUN_VSOCK_H */

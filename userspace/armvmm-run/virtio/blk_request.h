/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One virtio-blk request (virtio 1.2 5.2.6): from a chain of descriptors to
 * the disk and back. Runs on a worker thread without the device's lock.
 */
#ifndef ARMVMM_RUN_BLK_REQUEST_H
#define ARMVMM_RUN_BLK_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/virtqueue.h"

struct disk;
struct virtio_device;

#define BLK_SECTOR 512

/* Told to the driver; none is relied on. */
#define BLK_SEG_SIZE_MAX (1U << 20) /* bytes of one segment */
#define BLK_DISCARD_MAX (1U << 21) /* sectors of one range: 1 GiB */
#define BLK_RANGES_MAX 16

/**
 * struct blk_request - what a worker needs to run requests, one at a time
 * @write_through: the driver did not take VIRTIO_BLK_F_FLUSH, so a write that
 *	has completed is on stable storage (virtio 1.2 5.2.6.2)
 * @bounce: NULL, or an aligned buffer for O_DIRECT
 * @iov: the pieces of guest memory that one system call works on
 */
struct blk_request {
	bool write_through;
	void *bounce;
	struct iovec iov[VIRTQ_MAX_SIZE];
};

/*
 * Runs the request in @chain and writes its status. Returns the number of
 * bytes written to the chain (for the used ring), or -EPROTO when the chain has
 * no whole header or no status byte. Gives up with an error status when
 * virtio_abandoned(@vdev).
 */
int64_t blk_request_run(struct blk_request *req, struct disk *disk,
			const struct virtio_device *vdev, const struct virtq_chain *chain);

/*
 * Runs the request if it is a short read of what the host has in memory, so that nobody waits.
 * Returns the number of bytes written to the chain; or -EAGAIN, with nothing done: then it is one
 * for blk_request_run(), also if it is wrong. The device's lock may be held.
 */
int64_t blk_request_try(struct blk_request *req, struct disk *disk,
			const struct virtq_chain *chain);

void blk_request_fini(struct blk_request *req);

#endif /* ARMVMM_RUN_BLK_REQUEST_H */

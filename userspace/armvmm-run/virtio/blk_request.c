// SPDX-License-Identifier: GPL-2.0-only
/* One virtio-blk request (virtio 1.2 5.2.6). */
#include "core/iov.h"
#include "virtio/blk_request.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/virtio_blk.h>

#include "virtio/disk.h"
#include "virtio/virtio_mmio.h"

/*
 * A request is cut into pieces, so that a reset never waits for the gigabytes that a chain may
 * name. Each is a multiple of any disk's block.
 */
#define BLK_PIECE	(4U << 20)
#define BLK_PIECE_ZERO	(64U << 20)
#define BLK_BOUNCE	(64U << 10)
#define BLK_BOUNCE_ALIGN 4096

/* What is read while the device's lock is held: some microseconds. */
#define BLK_TRY_MAX	(16U << 10)

/* How often a request that waits for its turn looks whether it still has to. */
#define BLK_WAIT_NS	20000000

/* One request on its way. @written counts bytes from the start of the writable part. */
struct blk_op {
	struct blk_request *req;
	struct disk *disk;
	const struct virtio_device *vdev;
	const struct virtq_chain *chain;
	uint64_t sector;
	uint32_t data_len;
	uint32_t written;
};

static uint8_t blk_status(int ret)
{
	switch (ret) {
	case 0:
		return VIRTIO_BLK_S_OK;
	case -EOPNOTSUPP:
		return VIRTIO_BLK_S_UNSUPP;
	default:
		return VIRTIO_BLK_S_IOERR;
	}
}

/* Is the range on the disk, in whole blocks? */
static bool blk_in_range(const struct disk *disk, uint64_t sector, uint64_t len)
{
	uint64_t sectors = disk_size(disk) / BLK_SECTOR;
	/* A power of two: a division takes 100 instructions. */
	uint64_t in_block = disk->block - 1;

	return sector <= sectors && len / BLK_SECTOR <= sectors - sector &&
	       !(len & in_block) && !(sector * BLK_SECTOR & in_block);
}

static bool blk_aligned(const struct iovec *iov, unsigned int nr, uint32_t align)
{
	uintptr_t bits = 0;
	unsigned int i;

	for (i = 0; i < nr; i++)
		bits |= (uintptr_t)iov[i].iov_base | iov[i].iov_len;
	return !(bits & (align - 1));
}

/*
 * Takes @requests and @bytes from the disk's rates, and waits for their turn. Returns 0 or -EINTR.
 */
static int blk_wait_turn(struct blk_op *op, unsigned int requests, uint64_t bytes)
{
	uint64_t wait = disk_take(op->disk, requests, bytes);

	while (wait) {
		struct timespec part = { .tv_nsec = wait < BLK_WAIT_NS ? wait : BLK_WAIT_NS };

		if (virtio_abandoned(op->vdev))
			return -EINTR;
		nanosleep(&part, NULL);
		wait -= part.tv_nsec;
	}
	return 0;
}

static int blk_bounce(struct blk_op *op, bool write, uint32_t done, uint32_t len)
{
	struct blk_request *req = op->req;
	uint64_t at = op->sector * BLK_SECTOR + done;
	struct iovec iov;
	int ret;

	if (!req->bounce && posix_memalign(&req->bounce, BLK_BOUNCE_ALIGN, BLK_BOUNCE)) {
		req->bounce = NULL;
		return -ENOMEM;
	}
	iov.iov_base = req->bounce;
	iov.iov_len = len;
	if (write) {
		virtq_chain_read(op->chain, sizeof(struct virtio_blk_outhdr) + done, req->bounce,
				 len);
		return disk_write(op->disk, &iov, 1, at);
	}
	ret = disk_read(op->disk, &iov, 1, at);
	if (!ret)
		virtq_chain_write(op->chain, done, req->bounce, len);
	return ret;
}

/* Moves one piece of the data, from byte @done on. Returns the bytes moved, or -errno. */
static int64_t blk_piece(struct blk_op *op, bool write, uint32_t done)
{
	const struct virtq_chain *chain = op->chain;
	uint32_t len = op->data_len - done;
	unsigned int nr;
	int ret;

	if (len > BLK_PIECE)
		len = BLK_PIECE;
	if (write)
		nr = iov_slice(op->req->iov, chain->iov, chain->nr_read,
			       sizeof(struct virtio_blk_outhdr) + done, len);
	else
		nr = iov_slice(op->req->iov, chain->iov + chain->nr_read, chain->nr_write,
			       done, len);
	if (op->disk->direct && !blk_aligned(op->req->iov, nr, op->disk->block)) {
		if (len > BLK_BOUNCE)
			len = BLK_BOUNCE;
		ret = blk_bounce(op, write, done, len);
	} else if (write) {
		ret = disk_write(op->disk, op->req->iov, nr, op->sector * BLK_SECTOR + done);
	} else {
		ret = disk_read(op->disk, op->req->iov, nr, op->sector * BLK_SECTOR + done);
	}
	return ret ? ret : (int64_t)len;
}

static int blk_transfer(struct blk_op *op, bool write)
{
	uint32_t done = 0, paid = 0;
	int ret;

	op->data_len = write ? op->chain->read_len - sizeof(struct virtio_blk_outhdr) :
			       op->chain->write_len - 1;
	if (write && op->disk->readonly)
		return -EROFS;
	if (!blk_in_range(op->disk, op->sector, op->data_len))
		return -EINVAL;
	while (done < op->data_len) {
		int64_t n;

		if (virtio_abandoned(op->vdev))
			return -EINTR;
		/* Pay for as many bytes as the next piece may have. */
		if (done + BLK_PIECE > paid && paid < op->data_len) {
			uint32_t end = op->data_len - done < BLK_PIECE ? op->data_len :
									  done + BLK_PIECE;

			ret = blk_wait_turn(op, 0, end - paid);
			if (ret)
				return ret;
			paid = end;
		}
		n = blk_piece(op, write, done);
		if (n < 0)
			return n;
		done += n;
		if (!write)
			op->written = done;
	}
	return write && op->req->write_through ? disk_flush(op->disk) : 0;
}

static int blk_zero(struct blk_op *op, uint64_t offset, uint64_t len, bool unmap)
{
	int ret = 0;

	while (len && !ret) {
		uint64_t part = len < BLK_PIECE_ZERO ? len : BLK_PIECE_ZERO;

		if (virtio_abandoned(op->vdev))
			return -EINTR;
		/* Some hosts write the zeroes: so they count as bytes. */
		ret = blk_wait_turn(op, 0, part);
		if (!ret)
			ret = disk_zero(op->disk, offset, part, unmap);
		offset += part;
		len -= part;
	}
	return ret;
}

/* DISCARD and WRITE_ZEROES carry a list of ranges (virtio 1.2 5.2.6). */
static int blk_ranges(struct blk_op *op, bool zero)
{
	struct virtio_blk_discard_write_zeroes range;
	size_t at = sizeof(struct virtio_blk_outhdr);
	uint32_t len = op->chain->read_len - at;
	int ret = 0;

	if (op->disk->readonly)
		return -EROFS;
	if (!zero && !op->disk->can_discard)
		return -EOPNOTSUPP;
	if (!len || len % sizeof(range) || len / sizeof(range) > BLK_RANGES_MAX)
		return -EINVAL;
	for (; !ret && at < op->chain->read_len; at += sizeof(range)) {
		uint64_t sector, bytes;
		uint32_t flags;

		virtq_chain_read(op->chain, at, &range, sizeof(range));
		sector = le64toh(range.sector);
		bytes = (uint64_t)le32toh(range.num_sectors) * BLK_SECTOR;
		flags = le32toh(range.flags);
		/* Unknown flags, and "unmap" for a discard, are not supported (5.2.6.2). */
		if (flags & ~(zero ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0U))
			return -EOPNOTSUPP;
		if (bytes > (uint64_t)BLK_DISCARD_MAX * BLK_SECTOR ||
		    !blk_in_range(op->disk, sector, bytes))
			return -EINVAL;
		if (!bytes)
			continue;
		if (virtio_abandoned(op->vdev))
			return -EINTR;
		if (zero)
			ret = blk_zero(op, sector * BLK_SECTOR, bytes,
				       flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
		else
			ret = disk_discard(op->disk, sector * BLK_SECTOR, bytes);
	}
	if (!ret && op->req->write_through)
		ret = disk_flush(op->disk);
	return ret;
}

/* The disk's serial number (udev makes a by-id link of it). */
static int blk_get_id(struct blk_op *op)
{
	char id[VIRTIO_BLK_ID_BYTES] = { 0 };

	_Static_assert(DISK_SERIAL_MAX == VIRTIO_BLK_ID_BYTES, "virtio 1.2 5.2.6");
	memcpy(id, op->disk->serial, strnlen(op->disk->serial, sizeof(id)));
	op->data_len = op->chain->write_len - 1;
	op->written = op->data_len < sizeof(id) ? op->data_len : sizeof(id);
	virtq_chain_write(op->chain, 0, id, op->written);
	return 0;
}

static int blk_dispatch(struct blk_op *op, uint32_t type)
{
	op->data_len = op->chain->write_len - 1;
	switch (type) {
	case VIRTIO_BLK_T_IN:
		return blk_transfer(op, false);
	case VIRTIO_BLK_T_OUT:
		return blk_transfer(op, true);
	case VIRTIO_BLK_T_FLUSH:
		return disk_flush(op->disk);
	case VIRTIO_BLK_T_GET_ID:
		return blk_get_id(op);
	case VIRTIO_BLK_T_DISCARD:
		return blk_ranges(op, false);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return blk_ranges(op, true);
	default:
		return -EOPNOTSUPP;
	}
}

int64_t blk_request_run(struct blk_request *req, struct disk *disk,
			const struct virtio_device *vdev, const struct virtq_chain *chain)
{
	struct blk_op op = { .req = req, .disk = disk, .vdev = vdev, .chain = chain };
	struct virtio_blk_outhdr header;
	uint8_t status;
	int ret;

	if (virtq_chain_read(chain, 0, &header, sizeof(header)) < sizeof(header) ||
	    !chain->write_len)
		return -EPROTO;
	op.sector = le64toh(header.sector);
	ret = blk_wait_turn(&op, 1, 0);
	if (!ret)
		ret = blk_dispatch(&op, le32toh(header.type));
	status = blk_status(ret);
	virtq_chain_write(chain, chain->write_len - 1, &status, sizeof(status));
	/* Count the status byte only when there is no gap before it (virtio 1.2 2.7.8.2). */
	return op.written == chain->write_len - 1 ? (int64_t)op.written + 1 : op.written;
}

int64_t blk_request_try(struct blk_request *req, struct disk *disk,
			const struct virtq_chain *chain)
{
	struct virtio_blk_outhdr header;
	uint8_t status = VIRTIO_BLK_S_OK;
	uint32_t len = chain->write_len - 1;
	uint64_t sector;
	unsigned int nr;

	if (disk->direct || disk->iops.per_second || disk->bps.per_second)
		return -EAGAIN;
	if (!chain->write_len || !len || len > BLK_TRY_MAX ||
	    virtq_chain_read(chain, 0, &header, sizeof(header)) < sizeof(header))
		return -EAGAIN;
	sector = le64toh(header.sector);
	if (le32toh(header.type) != VIRTIO_BLK_T_IN || !blk_in_range(disk, sector, len))
		return -EAGAIN;
	nr = iov_slice(req->iov, chain->iov + chain->nr_read, chain->nr_write, 0, len);
	if (disk_read_cached(disk, req->iov, nr, len, sector * BLK_SECTOR))
		return -EAGAIN;
	virtq_chain_write(chain, len, &status, sizeof(status));
	return (int64_t)len + 1;
}

void blk_request_fini(struct blk_request *req)
{
	free(req->bounce);
	req->bounce = NULL;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file or block device behind a guest's disk.
 *
 * All but open and close may be called by several threads at once. Offsets
 * and lengths are in bytes and multiples of @block.
 */
#ifndef ARMVMM_RUN_DISK_H
#define ARMVMM_RUN_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/error.h"

struct machine;

struct disk_config {
	char *path;
	bool readonly;
	bool direct;		/* O_DIRECT */
};

/**
 * struct disk
 * @machine: for warnings about the host's side
 * @path: as the person wrote it
 * @fd: the open file
 * @readonly: opened for reading alone
 * @direct: O_DIRECT: buffers, too, are aligned to @block
 * @can_discard: holes can be punched
 * @block: bytes; the smallest unit of a request, 512 or more, a power of two
 * @physical: bytes; the unit that the host writes best, a power of two >= @block
 * @size: bytes, a multiple of @block, as found when it was opened
 */
struct disk {
	struct machine *machine;
	const char *path;
	int fd;
	bool readonly;
	bool direct;
	bool can_discard;
	uint32_t block;
	uint32_t physical;
	uint64_t size;
};

/* Returns 0 or -errno with @err set. The path must outlive the disk. */
int disk_open(struct disk *disk, struct machine *m, const struct disk_config *config,
	      struct error *err);

/* What was flushed is on the disk; the rest follows when the host writes it. */
void disk_close(struct disk *disk);

/*
 * Reads or writes all of @iov at @offset; @iov is used up. Returns 0 or -errno,
 * having warned; -EIO also where the file has become shorter.
 */
int disk_read(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset);
int disk_write(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset);

/* Returns 0 once all writes that ended before are on stable storage, or -errno. */
int disk_flush(struct disk *disk);

/* The range is not needed any more. Returns 0, -EOPNOTSUPP or another -errno. */
int disk_discard(struct disk *disk, uint64_t offset, uint64_t len);

/* Makes the range read as zeroes, without storage if @unmap and the host can. 0 or -errno. */
int disk_zero(struct disk *disk, uint64_t offset, uint64_t len, bool unmap);

#endif /* ARMVMM_RUN_DISK_H */

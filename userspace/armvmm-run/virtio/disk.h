/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest's disk, and what is behind it: a file or block device, or what registers itself.
 *
 * All but open and close may be called by several threads at once. Offsets
 * and lengths are in bytes and multiples of @block.
 */
#ifndef ARMVMM_RUN_DISK_H
#define ARMVMM_RUN_DISK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/error.h"
#include "core/rate.h"

struct disk_nbd;
struct machine;
struct virtio_bus;

#define DISK_SECTOR	512
#define DISK_PAGE	4096
#define DISK_SERIAL_MAX	20	/* bytes, without a zero at the end */

/* How writes get to the disk, by QEMU's names. All combinations that it has are there. */
struct disk_cache {
	const char *name;	/* "writeback" */
	bool direct;		/* past the host's page cache */
	bool write_through;	/* a write that is answered is on the disk */
	bool no_flush;		/* what the guest flushes need not be */
};

/* The cache of that name, or NULL. */
const struct disk_cache *disk_cache_find(const char *name);

struct disk_config {
	char *path;
	bool readonly;
	bool direct;		/* O_DIRECT */
	const struct disk_cache *cache;	/* NULL: nobody said how */
	bool raw;		/* raw, whatever format the file claims */
	char serial[DISK_SERIAL_MAX + 1];	/* "": one is made up */
	uint64_t iops, bps;	/* requests and bytes a second; 0: any number */
	const struct virtio_bus *bus;	/* that the device is on; NULL: the default */
};

struct disk;

/*
 * What may be behind a disk: one file each. The calls are those of the functions below that have
 * their names.
 */
struct disk_type {
	/* How its disks' names begin, NULL behind the last; NULL: files. */
	const char *const *prefix;

	/*
	 * Opens what the config says. Sets can_discard, block, physical and size, and what is its
	 * own. Returns 0 or -errno with @err set; stop() also after a failure.
	 */
	int (*start)(struct disk *disk, const struct disk_config *config, struct error *err);
	void (*stop)(struct disk *disk);

	int (*claim)(struct disk *disk, struct error *err);	/* optional, as unclaim() */
	void (*unclaim)(struct disk *disk);
	int (*read)(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset);
	int (*read_cached)(struct disk *disk, const struct iovec *iov, unsigned int nr, size_t len,
			   uint64_t offset);	/* optional */
	int (*write)(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset);
	int (*flush)(struct disk *disk);	/* one at a time, none after a failure; warns not */
	int (*discard)(struct disk *disk, uint64_t offset, uint64_t len);
	int (*zero)(struct disk *disk, uint64_t offset, uint64_t len, bool unmap);

	/* Bytes that there are now, in whole blocks; @size if that is not known. */
	uint64_t (*size)(const struct disk *disk, uint64_t size);
	uint64_t (*allocated)(const struct disk *disk);
	int (*resize)(struct disk *disk, uint64_t size, struct error *err);
};

extern const struct disk_type disk_file;

/* At the end of another type's file. */
#define DISK_TYPE(type)							\
	static const struct disk_type *const type##_entry		\
	__attribute__((section("disk_types"), used)) = &(type)

/* The type of the disk that a person calls @path. */
const struct disk_type *disk_type_find(const char *path);

/**
 * struct disk
 * @machine: for warnings about the host's side
 * @type: what is behind it
 * @path: as the person wrote it
 * @fd: the open file, or -1
 * @nbd: NULL, or what is known of its server (disk_nbd.c)
 * @readonly: opened for reading only
 * @direct: O_DIRECT: buffers, too, are aligned to @block
 * @write_through: each write is on stable storage before the guest is told that it is done
 * @no_flush: the guest's flushes do nothing
 * @can_discard: holes can be punched
 * @block: bytes; the smallest unit of a request, 512 or more, a power of two
 * @physical: bytes; the unit that the host writes best, a power of two >= @block
 * @blkdev: a block device, no file
 * @in_memory: a file of a file system without a disk: to read it never waits for one
 * @size: bytes, a multiple of @block (atomic: disk_resized() sets it)
 * @serial: what the guest is told
 * @rate_lock: guards @iops and @bps
 * @iops: requests that the guest may make
 * @bps: bytes that these may move
 * @abandoned: NULL, or: does nobody want the answers of what is under way any more? Any thread
 * @flush_lock: one flush at a time
 * @flush_failed: one has failed: what was written before it may be lost, even if
 *	the host calls later ones a success
 */
struct disk {
	struct machine *machine;
	const struct disk_type *type;
	const char *path;
	int fd;
	struct disk_nbd *nbd;
	bool readonly;
	bool direct;
	bool write_through;
	bool no_flush;
	bool can_discard;
	uint32_t block;
	uint32_t physical;
	bool blkdev;
	bool in_memory;
	uint64_t size;
	char serial[DISK_SERIAL_MAX + 1];
	pthread_mutex_t rate_lock;
	struct rate iops, bps;
	bool (*abandoned)(const struct disk *disk);
	pthread_mutex_t flush_lock;
	bool flush_failed;
};

/* For a type that may have to wait: is it to end what it is at, with -ECANCELED? */
static inline bool disk_is_abandoned(const struct disk *disk)
{
	return disk->abandoned && disk->abandoned(disk);
}

/* For a type: warns that @what has failed with @ret, and returns that. */
int disk_warn(struct disk *disk, const char *what, uint64_t offset, int ret);

/* Returns 0 or -errno with @err set. The path must outlive the disk. */
int disk_open(struct disk *disk, struct machine *m, const struct disk_config *config,
	      struct error *err);

/*
 * For a guest that moves between processes: locks the disk, and looks anew at what it has, or
 * unlocks it. disk_open() has locked it, unless the machine waits for a guest (machine.incoming).
 * No request may be under way. Returns 0 or -EBUSY with @err set.
 */
int disk_claim(struct disk *disk, struct error *err);
void disk_unclaim(struct disk *disk);

/* What was flushed is on the disk. The host writes the rest later. */
void disk_close(struct disk *disk);

/*
 * Reads or writes all of @iov, which is used up, at @offset. Returns 0, or -errno after a warning;
 * -EIO also if the file has become shorter. -ECANCELED, without a warning, if the disk was
 * abandoned meanwhile: here, and below.
 */
int disk_read(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset);
int disk_write(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset);

/*
 * Reads all of @iov, @len bytes, at @offset if the host has them in memory, and
 * otherwise returns -EAGAIN: for any error, too, which disk_read() will then meet. Does not wait
 * for a disk.
 */
int disk_read_cached(struct disk *disk, const struct iovec *iov, unsigned int nr, size_t len,
		     uint64_t offset);

/*
 * Returns 0 once all writes that ended before are on stable storage, or -errno. After a failure all
 * later ones fail: the host forgets what it could not write, and would call the next one a success.
 */
int disk_sync(struct disk *disk);

/* The same for the guest, unless its flushes are to do nothing. */
int disk_flush(struct disk *disk);

/*
 * Takes @requests and @bytes from the disk's rates, for a whole request or a part of one. Returns
 * for how many nanoseconds the caller has to wait before it goes on.
 */
uint64_t disk_take(struct disk *disk, unsigned int requests, uint64_t bytes);

/* How large the disk is now, in bytes. Any thread. */
uint64_t disk_size(const struct disk *disk);

/*
 * Looks whether the file's size has changed. If so, disk_size() tells the new one. Returns true
 * then.
 */
bool disk_resized(struct disk *disk);

/* How many bytes of the host's storage the disk takes; 0 if unknown. Any thread. */
uint64_t disk_allocated(const struct disk *disk);

/*
 * Changes the size of the file; the caller then learns it by disk_resized(). The size of a block
 * device cannot be changed. Returns 0 or -errno with @err saying why.
 */
int disk_resize(struct disk *disk, uint64_t size, struct error *err);

/* Tells the host that nobody needs the range. Returns 0, -EOPNOTSUPP or another -errno. */
int disk_discard(struct disk *disk, uint64_t offset, uint64_t len);

/*
 * Makes the range read as zeroes, without storage if @unmap and the host can. Returns 0 or -errno.
 */
int disk_zero(struct disk *disk, uint64_t offset, uint64_t len, bool unmap);

#endif /* ARMVMM_RUN_DISK_H */

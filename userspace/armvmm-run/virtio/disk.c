// SPDX-License-Identifier: GPL-2.0-only
/* A guest's disk: what is the same whatever is behind it. */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "core/identity.h"
#include "core/machine.h"
#include "virtio/disk.h"

/* Defined by the linker. */
extern const struct disk_type *const __start_disk_types[] __attribute__((weak));
extern const struct disk_type *const __stop_disk_types[] __attribute__((weak));

/*
 * Zeroes to write where the host cannot make holes. Never written to, the array is the zero page.
 */
static const uint8_t disk_zeroes[DISK_PAGE] __attribute__((aligned(DISK_PAGE)));

const struct disk_type *disk_type_find(const char *path)
{
	for (const struct disk_type *const *at = __start_disk_types; at < __stop_disk_types; at++)
		for (const char *const *prefix = (*at)->prefix; *prefix; prefix++)
			if (!strncmp(path, *prefix, strlen(*prefix)))
				return *at;
	return &disk_file;
}

const struct disk_cache *disk_cache_find(const char *name)
{
	static const struct disk_cache caches[] = {
		{ .name = "writeback" },
		{ .name = "none", .direct = true },
		{ .name = "writethrough", .write_through = true },
		{ .name = "directsync", .direct = true, .write_through = true },
		{ .name = "unsafe", .no_flush = true },
	};

	for (unsigned int i = 0; i < sizeof(caches) / sizeof(caches[0]); i++)
		if (!strcmp(caches[i].name, name))
			return &caches[i];
	return NULL;
}

int disk_warn(struct disk *disk, const char *what, uint64_t offset, int ret)
{
	machine_warn(disk->machine, "%s: %s at byte %llu: %s", disk->path, what,
		     (unsigned long long)offset, strerror(-ret));
	return ret;
}

/*
 * Makes a serial if none is given: a hash of the file's path, or of the address, so that the guest
 * does not learn it.
 */
static void disk_make_serial(struct disk *disk, const struct disk_config *config)
{
	uint8_t hash[IDENTITY_SIZE];
	char *path;

	if (*config->serial) {
		memcpy(disk->serial, config->serial, sizeof(disk->serial));
		return;
	}
	path = disk->type->prefix ? g_strdup(config->path) : identity_path(config->path);
	identity_hash(hash, "disk", path);
	g_free(path);
	for (unsigned int i = 0; i < DISK_SERIAL_MAX / 2; i++)
		snprintf(disk->serial + 2 * i, 3, "%02x", hash[i]);
}

int disk_open(struct disk *disk, struct machine *m, const struct disk_config *config,
	      struct error *err)
{
	int ret;

	memset(disk, 0, sizeof(*disk));
	disk->machine = m;
	disk->type = disk_type_find(config->path);
	disk->path = config->path;
	disk->readonly = config->readonly;
	disk->direct = config->direct;
	disk->write_through = config->cache && config->cache->write_through;
	disk->no_flush = config->cache && config->cache->no_flush;
	disk->block = DISK_SECTOR;
	disk->physical = DISK_PAGE;
	disk->fd = -1;
	pthread_mutex_init(&disk->flush_lock, NULL);
	pthread_mutex_init(&disk->rate_lock, NULL);
	rate_init(&disk->iops, config->iops);
	rate_init(&disk->bps, config->bps);
	disk_make_serial(disk, config);
	ret = disk->type->start(disk, config, err);
	/* A server lets anybody write. */
	if (!disk->readonly && !disk->type->claim)
		m->guard.unlocked = disk->path;
	if (ret)
		disk_close(disk);
	else if (disk->no_flush && !disk->readonly)
		machine_warn(m, "%s: cache=unsafe: if the host goes down, what the guest has flushed is lost, too",
			     disk->path);
	return ret;
}

void disk_close(struct disk *disk)
{
	disk->type->stop(disk);
	pthread_mutex_destroy(&disk->flush_lock);
	pthread_mutex_destroy(&disk->rate_lock);
}

int disk_claim(struct disk *disk, struct error *err)
{
	int ret = disk->type->claim ? disk->type->claim(disk, err) : 0;

	if (!ret)
		disk_resized(disk);
	return ret;
}

void disk_unclaim(struct disk *disk)
{
	if (disk->type->unclaim)
		disk->type->unclaim(disk);
}

int disk_read(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset)
{
	return disk->type->read(disk, iov, nr, offset);
}

int disk_read_cached(struct disk *disk, const struct iovec *iov, unsigned int nr, size_t len,
		     uint64_t offset)
{
	return disk->type->read_cached ? disk->type->read_cached(disk, iov, nr, len, offset) :
					 -EAGAIN;
}

int disk_write(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset)
{
	return disk->type->write(disk, iov, nr, offset);
}

int disk_sync(struct disk *disk)
{
	int ret = 0;

	/*
	 * One flush at a time: the kernel reports a lost page only once, to one of those that ask
	 * at the same moment.
	 */
	pthread_mutex_lock(&disk->flush_lock);
	if (disk->flush_failed) {
		ret = -EIO;
	} else {
		ret = disk->type->flush(disk);
		/* One that nobody waited for loses nothing. */
		disk->flush_failed = ret && ret != -ECANCELED;
		if (disk->flush_failed)
			machine_warn(disk->machine,
				     "%s: flush: %s: data is lost, and no flush will succeed any more",
				     disk->path, strerror(-ret));
	}
	pthread_mutex_unlock(&disk->flush_lock);
	return ret;
}

int disk_flush(struct disk *disk)
{
	return disk->no_flush ? 0 : disk_sync(disk);
}

uint64_t disk_take(struct disk *disk, unsigned int requests, uint64_t bytes)
{
	uint64_t now, wait = 0, more = 0;

	if (!disk->iops.per_second && !disk->bps.per_second)
		return 0;
	now = rate_now();
	pthread_mutex_lock(&disk->rate_lock);
	if (requests) {
		wait = rate_wait(&disk->iops, now);
		rate_take(&disk->iops, requests, now);
	}
	if (bytes) {
		more = rate_wait(&disk->bps, now);
		rate_take(&disk->bps, bytes, now);
	}
	pthread_mutex_unlock(&disk->rate_lock);
	return more > wait ? more : wait;
}

uint64_t disk_size(const struct disk *disk)
{
	return __atomic_load_n(&disk->size, __ATOMIC_RELAXED);
}

uint64_t disk_allocated(const struct disk *disk)
{
	return disk->type->allocated(disk);
}

int disk_resize(struct disk *disk, uint64_t size, struct error *err)
{
	return disk->type->resize(disk, size, err);
}

bool disk_resized(struct disk *disk)
{
	uint64_t size = disk->type->size(disk, disk_size(disk));

	if (size == disk_size(disk))
		return false;
	__atomic_store_n(&disk->size, size, __ATOMIC_RELAXED);
	return true;
}

int disk_discard(struct disk *disk, uint64_t offset, uint64_t len)
{
	return disk->type->discard(disk, offset, len);
}

static int disk_write_zeroes(struct disk *disk, uint64_t offset, uint64_t len)
{
	struct iovec iov[64];
	int ret = 0;

	while (len && !ret) {
		unsigned int nr = 0;
		size_t total = 0;

		while (nr < 64 && total < len) {
			size_t part = len - total < DISK_PAGE ? len - total : DISK_PAGE;

			iov[nr].iov_base = (void *)disk_zeroes;
			iov[nr++].iov_len = part;
			total += part;
		}
		ret = disk_write(disk, iov, nr, offset);
		offset += total;
		len -= total;
	}
	return ret;
}

int disk_zero(struct disk *disk, uint64_t offset, uint64_t len, bool unmap)
{
	int ret = disk->type->zero(disk, offset, len, unmap);

	return ret == -EOPNOTSUPP ? disk_write_zeroes(disk, offset, len) : ret;
}

// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/guestmem.h"

/* Of Linux 6.3, and not in the headers of Debian 11 and 12. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	8u
#endif

int guestmem_add(struct guestmem *mem, uint64_t gpa, uint64_t size, void *host)
{
	if (!size || gpa + size < gpa || (size_t)size != size)
		return -EINVAL;
	for (unsigned int i = 0; i < mem->nr_regions; i++) {
		const struct guestmem_region *r = &mem->region[i];

		if (gpa < r->gpa + r->size && r->gpa < gpa + size)
			return -EEXIST;
	}
	if (mem->nr_regions == GUESTMEM_MAX_REGIONS)
		return -ENOSPC;
	mem->region[mem->nr_regions++] = (struct guestmem_region){
		.gpa = gpa,
		.size = size,
		.host = host,
		.fd = -1,
	};
	return 0;
}

static void *guestmem_map(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/*
 * A huge page of the host's maps guest memory as a whole only if guest and host addresses are the
 * same modulo its size: so more is mapped, and what is in front of such an address is unmapped
 * again, as is the rest. No kernel for 32 bits chooses such an address by itself.
 */
static void *guestmem_map_aligned(uint64_t gpa, size_t size)
{
	size_t skip;
	uint8_t *all;

	if (size < GUESTMEM_HUGE || size + GUESTMEM_HUGE < size || size % GUESTMEM_PAGE)
		return guestmem_map(size);
	all = guestmem_map(size + GUESTMEM_HUGE);
	/* The addresses may just suffice for the memory itself. */
	if (all == MAP_FAILED)
		return guestmem_map(size);
	skip = ((uintptr_t)gpa - (uintptr_t)all) & (GUESTMEM_HUGE - 1);
	if (skip)
		munmap(all, skip);
	munmap(all + skip + size, GUESTMEM_HUGE - skip);
	return all + skip;
}

/*
 * Who else has the file may write to it, but not cut it: an access beyond its end would end this
 * process.
 */
static int guestmem_file(uint64_t size)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("guest", flags | MFD_NOEXEC_SEAL), ret;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("guest", flags);
	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, size) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

/*
 * Puts the file in the place of @size bytes at @host. Returns it, or -errno. The kernel charges a
 * file of memory by the page (core/overcommit.h). It has charged what is in that place, and would
 * have refused it.
 */
static int guestmem_share(void *host, uint64_t size)
{
	int fd = guestmem_file(size), ret;

	if (fd < 0 || mmap(host, size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, 0) != MAP_FAILED)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int guestmem_alloc(struct guestmem *mem, uint64_t gpa, uint64_t size)
{
	int fd = -1, ret = 0;
	void *host;

	if ((size_t)size != size)
		return -ENOMEM;
	host = guestmem_map_aligned(gpa, size);
	if (host == MAP_FAILED)
		return -errno;
	if (mem->shared) {
		fd = guestmem_share(host, size);
		ret = fd < 0 ? fd : 0;
	}
	/* Both are wishes: a kernel without huge pages answers EINVAL to the first. */
	madvise(host, size, MADV_HUGEPAGE);
	madvise(host, size, MADV_DONTDUMP);

	if (!ret)
		ret = guestmem_add(mem, gpa, size, host);
	if (!ret) {
		mem->region[mem->nr_regions - 1].fd = fd;
		return 0;
	}
	munmap(host, size);
	if (fd >= 0)
		close(fd);
	return ret;
}

/* Of a file, others have the pages as well: they go only if they are taken out of it. */
static void guestmem_drop(const struct guestmem *mem, void *host, size_t len)
{
	madvise(host, len, mem->shared ? MADV_REMOVE : MADV_DONTNEED);
}

static void guestmem_discard_part(const struct guestmem *mem, const struct guestmem_region *r,
				  uint64_t from, uint64_t to)
{
	if (from >= to)
		return;
	if (mem->give_back)
		mem->give_back(mem->give_back_opaque, r->host + from, to - from);
	guestmem_drop(mem, r->host + from, to - from);
}

/* What of the region's bytes lies before @gpa. */
static uint64_t guestmem_before(const struct guestmem_region *r, uint64_t gpa)
{
	if (gpa <= r->gpa)
		return 0;
	return gpa - r->gpa < r->size ? gpa - r->gpa : r->size;
}

void guestmem_discard(struct guestmem *mem)
{
	for (unsigned int i = 0; i < mem->nr_regions; i++) {
		const struct guestmem_region *r = &mem->region[i];
		uint64_t kept = guestmem_before(r, mem->kept_gpa);

		guestmem_discard_part(mem, r, 0, kept);
		guestmem_discard_part(mem, r, guestmem_before(r, mem->kept_gpa + mem->kept_size),
				      r->size);
	}
}

/*
 * What of @len bytes at @host is in region @r: the bytes before it in the region, and the length.
 * Regions may touch in this process without touching in the guest.
 */
static size_t guestmem_inside(const struct guestmem_region *r, const void *host, size_t len,
			      size_t *at)
{
	uintptr_t base = (uintptr_t)r->host, first = (uintptr_t)host, end = first + len;

	*at = first < base ? 0 : first - base;
	if (end <= base || *at >= r->size)
		return 0;
	len = end - base;
	return (len < r->size ? len : r->size) - *at;
}

/* The guest has the old pages until then, and by its next touch those that are there now. */
static void guestmem_unpin(const struct guestmem *mem, const uint8_t *host, size_t len)
{
	for (unsigned int i = 0; i < mem->nr_regions; i++) {
		const struct guestmem_region *r = &mem->region[i];
		size_t at, inside = guestmem_inside(r, host, len, &at);

		if (inside)
			mem->unpin(mem->unpin_opaque, r->gpa + at, inside);
	}
}

void guestmem_release(const struct guestmem *mem, void *host, size_t len)
{
	size_t skip = -(uintptr_t)host & (GUESTMEM_PAGE - 1);
	size_t whole = len < skip ? 0 : (len - skip) & ~(size_t)(GUESTMEM_PAGE - 1);
	uint8_t *first;

	if ((mem->pinned && !mem->unpin) || !whole)
		return;
	first = (uint8_t *)host + skip;
	if (mem->give_back)
		mem->give_back(mem->give_back_opaque, first, whole);
	guestmem_drop(mem, first, whole);
	if (mem->pinned)
		guestmem_unpin(mem, first, whole);
	guestmem_wrote(mem, host, len);
}

/* ---- The log ---- */

int guestmem_log_start(struct guestmem *mem)
{
	for (unsigned int i = 0; i < mem->nr_regions; i++) {
		struct guestmem_region *r = &mem->region[i];

		/* It stays until the end: a device may be about to write to it. */
		if (!r->log)
			r->log = malloc(guestmem_log_words(r) * sizeof(*r->log));
		if (!r->log)
			return -ENOMEM;
		memset(r->log, 0, guestmem_log_words(r) * sizeof(*r->log));
	}
	__atomic_store_n(&mem->logging, true, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return 0;
}

void guestmem_log_stop(struct guestmem *mem)
{
	__atomic_store_n(&mem->logging, false, __ATOMIC_RELEASE);
}

void guestmem_log_take(struct guestmem *mem, unsigned int region, uint32_t *bitmap)
{
	const struct guestmem_region *r = &mem->region[region];

	for (size_t i = 0; i < guestmem_log_words(r); i++)
		if (__atomic_load_n(&r->log[i], __ATOMIC_RELAXED))
			bitmap[i] |= __atomic_exchange_n(&r->log[i], 0, __ATOMIC_ACQ_REL);
}

void guestmem_log_put(struct guestmem *mem, unsigned int region, const uint32_t *bitmap)
{
	const struct guestmem_region *r = &mem->region[region];

	for (size_t i = 0; i < guestmem_log_words(r); i++)
		if (bitmap[i])
			__atomic_fetch_or(&r->log[i], bitmap[i], __ATOMIC_RELEASE);
}

void guestmem_wrote(const struct guestmem *mem, const void *host, size_t len)
{
	if (!len || !guestmem_is_logged(mem))
		return;
	for (unsigned int i = 0; i < mem->nr_regions; i++) {
		const struct guestmem_region *r = &mem->region[i];
		size_t at, inside = guestmem_inside(r, host, len, &at);
		size_t end = (at + inside + GUESTMEM_PAGE - 1) / GUESTMEM_PAGE;

		if (!inside)
			continue;
		for (size_t page = at / GUESTMEM_PAGE; page < end; page++)
			__atomic_fetch_or(&r->log[page / 32], 1u << page % 32, __ATOMIC_RELEASE);
	}
}

void guestmem_destroy(struct guestmem *mem)
{
	mem->logging = false;
	for (unsigned int i = 0; i < mem->nr_regions; i++) {
		free(mem->region[i].log);
		munmap(mem->region[i].host, mem->region[i].size);
		if (mem->region[i].fd >= 0)
			close(mem->region[i].fd);
	}
	mem->nr_regions = 0;
}

void *guestmem_ptr(const struct guestmem *mem, uint64_t gpa, uint64_t len)
{
	for (unsigned int i = 0; i < mem->nr_regions; i++) {
		const struct guestmem_region *r = &mem->region[i];
		uint64_t offset = gpa - r->gpa;

		/* No sum that could wrap: offset < size, then len against what is left. */
		if (gpa >= r->gpa && offset < r->size)
			return len <= r->size - offset ? r->host + offset : NULL;
	}
	return NULL;
}

int guestmem_read(const struct guestmem *mem, uint64_t gpa, void *buf, size_t len)
{
	const void *host = guestmem_ptr(mem, gpa, len);

	if (!host)
		return -EFAULT;
	memcpy(buf, host, len);
	return 0;
}

int guestmem_write(const struct guestmem *mem, uint64_t gpa, const void *buf, size_t len)
{
	void *host = guestmem_ptr(mem, gpa, len);

	if (!host)
		return -EFAULT;
	memcpy(host, buf, len);
	guestmem_wrote(mem, host, len);
	return 0;
}

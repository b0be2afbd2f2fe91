// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "core/guestmem.h"

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
	};
	return 0;
}

int guestmem_alloc(struct guestmem *mem, uint64_t gpa, uint64_t size)
{
	void *host;
	int ret;

	if ((size_t)size != size)
		return -ENOMEM;
	host = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (host == MAP_FAILED)
		return -errno;
	/* Both are wishes: a kernel without huge pages answers EINVAL to the first. */
	madvise(host, size, MADV_HUGEPAGE);
	madvise(host, size, MADV_DONTDUMP);

	ret = guestmem_add(mem, gpa, size, host);
	if (ret)
		munmap(host, size);
	return ret;
}

void guestmem_discard(struct guestmem *mem)
{
	for (unsigned int i = 0; i < mem->nr_regions; i++)
		madvise(mem->region[i].host, mem->region[i].size, MADV_DONTNEED);
}

void guestmem_release(const struct guestmem *mem, void *host, size_t len)
{
	size_t skip = -(uintptr_t)host & (GUESTMEM_PAGE - 1);

	if (mem->pinned || len < skip + GUESTMEM_PAGE)
		return;
	madvise((uint8_t *)host + skip, (len - skip) & ~(size_t)(GUESTMEM_PAGE - 1), MADV_DONTNEED);
}

void guestmem_destroy(struct guestmem *mem)
{
	for (unsigned int i = 0; i < mem->nr_regions; i++)
		munmap(mem->region[i].host, mem->region[i].size);
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
	return 0;
}

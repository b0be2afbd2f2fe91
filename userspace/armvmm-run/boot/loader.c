// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/loader.h"
#include "boot/uimage.h"

#define LOADER_MIB		(1ULL << 20)
#define LOADER_PAGE		4096ULL
#define LOADER_DTB_ROOM		(64ULL << 10)
#define LOADER_DTB_MAX		(1 * LOADER_MIB)
/* Where initrds go if there is room: far above any kernel (QEMU's choice too). */
#define LOADER_PREFERRED	(128 * LOADER_MIB)
/*
 * Linux reaches the initrd and the device tree only in low memory, of which a
 * 3 GiB/1 GiB split has 760 MiB and the others more.
 */
#define LOADER_LOWMEM		(752 * LOADER_MIB)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23	/* Linux 5.14 */
#endif

static uint64_t loader_align(uint64_t n)
{
	return (n + LOADER_PAGE - 1) & ~(LOADER_PAGE - 1);
}

/* Linux looks for the next cpio archive at a multiple of four. */
static uint64_t loader_initrd_align(uint64_t n)
{
	return (n + 3) & ~3ULL;
}

static int loader_file_open(struct loader_file *file, const char *name, struct error *err)
{
	struct stat st;

	if (!name)
		return 0;
	file->name = name;
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
	file->fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0 || fstat(file->fd, &st) < 0)
		return error_errno(err, -errno, "%s", name);
	if (S_ISDIR(st.st_mode))
		return error_set(err, -EISDIR, "%s: is a directory", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, -EINVAL, "%s: is no regular file", name);
	file->size = st.st_size;
	if (!file->size)
		return error_set(err, -EINVAL, "%s: is empty", name);
	return 0;
}

/* Does an ELF program leave room for the device tree below itself? */
static bool loader_ram_start_free(const struct loader *l)
{
	if (l->kernel.fd < 0 || l->image.format != KERNEL_ELF)
		return false;
	for (unsigned int i = 0; i < l->image.nr_segments; i++)
		if (l->image.segment[i].gpa < l->ram_base + l->dtb_room)
			return false;
	return true;
}

static int loader_layout(struct loader *l, struct error *err)
{
	uint64_t limit = l->ram_size < LOADER_LOWMEM ? l->ram_size : LOADER_LOWMEM;
	uint64_t preferred = l->ram_size / 2 < LOADER_PREFERRED ? l->ram_size / 2 :
								  LOADER_PREFERRED;
	uint64_t initrd = loader_align(l->initrd_size);
	uint64_t used = l->kernel.fd >= 0 ? l->image.end - l->ram_base : 0;
	uint64_t place = loader_align(used > preferred ? used : preferred);

	/* Both sizes are bounded by a file's (63 bits), the sums by what is checked first. */
	if (initrd > limit || place + initrd + l->dtb_room > limit)
		place = loader_align(used);
	if (initrd > limit || place + initrd + l->dtb_room > limit) {
		if (!initrd)
			return error_set(err, -E2BIG,
					 "%s: leaves no room for the device tree in memory",
					 l->kernel.name ? l->kernel.name : "--memory");
		return error_set(err, -E2BIG,
				 "%s: %llu MiB overlap the kernel or the end of low memory; memory of %llu MiB has room for %llu",
				 l->nr_initrds == 1 ? l->initrd[0].name : "--initrd",
				 (unsigned long long)(initrd + LOADER_MIB - 1) / LOADER_MIB,
				 (unsigned long long)l->ram_size / LOADER_MIB,
				 place + l->dtb_room > limit ? 0ULL :
				 (unsigned long long)(limit - place - l->dtb_room) / LOADER_MIB);
	}
	l->initrd_gpa = l->ram_base + place;
	l->dtb_gpa = l->ram_base + place + initrd;
	/*
	 * A program that is not told where it is looks at the start of RAM, where QEMU's virt has
	 * it.
	 */
	if (loader_ram_start_free(l))
		l->dtb_gpa = l->ram_base;
	return 0;
}

static int loader_open_initrds(struct loader *l, const struct config *config, struct error *err)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < config->nr_initrds; i++) {
		struct loader_file *file = &l->initrd[l->nr_initrds++];

		file->fd = -1;
		ret = loader_file_open(file, config->initrd[i], err);
		if (!ret)
			ret = uimage_open(file->fd, file->size, UIMAGE_RAMDISK, &file->offset,
					  &file->size, file->name, err);
		/* Each is a file's size, of 63 bits: eight of them could wrap. */
		if (!ret && file->size > l->ram_size)
			ret = error_set(err, -E2BIG,
					"%s: is larger than the memory that --memory gives",
					file->name);
		l->initrd_size = loader_initrd_align(l->initrd_size) + file->size;
	}
	return ret;
}

int loader_open(struct loader *l, const struct config *config, uint64_t ram_base,
		uint64_t ram_size, struct error *err)
{
	int ret;

	memset(l, 0, sizeof(*l));
	l->kernel.fd = l->dtb.fd = -1;
	l->ram_base = ram_base;
	l->ram_size = ram_size;
	l->dtb_room = LOADER_DTB_ROOM;

	ret = loader_file_open(&l->kernel, config->kernel, err);
	if (!ret && l->kernel.fd >= 0 && config->format != KERNEL_RAW)
		ret = uimage_open(l->kernel.fd, l->kernel.size, UIMAGE_KERNEL, &l->kernel.offset,
				  &l->kernel.size, config->kernel, err);
	if (!ret && l->kernel.fd >= 0)
		ret = kernel_probe(&l->image, l->kernel.fd, l->kernel.offset, l->kernel.size,
				   config->format, ram_base, ram_size, config->kernel, err);
	if (!ret && l->kernel.fd >= 0 && l->image.format == KERNEL_RAW)
		ret = kernel_place_raw(&l->image, config->load_address, config->entry, ram_base,
				       ram_size, config->kernel, err);
	if (!ret)
		ret = loader_open_initrds(l, config, err);
	if (!ret)
		ret = loader_file_open(&l->dtb, config->dtb, err);
	if (!ret && l->dtb.size > LOADER_DTB_MAX)
		ret = error_set(err, -E2BIG, "%s: is larger than a device tree can be", config->dtb);
	if (!ret) {
		/* The machine adds to a device tree that is given: command line, initrd, seeds. */
		l->dtb_room += loader_align(l->dtb.size);
		ret = loader_layout(l, err);
	}
	if (ret)
		loader_close(l);
	return ret;
}

static int loader_read(const struct loader_file *file, void *buf, uint64_t size, uint64_t offset,
		       struct error *err)
{
	uint8_t *at = buf;

	while (size) {
		ssize_t n = pread(file->fd, at, size < 1u << 30 ? size : 1u << 30,
				  file->offset + offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, -errno, "%s", file->name);
		if (!n)
			return error_set(err, -EIO, "%s: has become shorter", file->name);
		at += n;
		offset += n;
		size -= n;
	}
	return 0;
}

/* Reads straight into guest memory: the only copy that is made. */
static int loader_read_guest(const struct loader_file *file, const struct guestmem *mem,
			     uint64_t gpa, uint64_t size, uint64_t offset, struct error *err)
{
	void *host = guestmem_ptr(mem, gpa, size);
	uintptr_t first;

	if (!size)
		return 0;
	if (!host)
		return error_set(err, -EFAULT, "%s: does not fit into memory", file->name);
	/* In one go, pages cost less than by a fault each. Older kernels answer EINVAL. */
	first = (uintptr_t)host & ~(LOADER_PAGE - 1);
	madvise((void *)first, loader_align((uintptr_t)host + size - first), MADV_POPULATE_WRITE);
	return loader_read(file, host, size, offset, err);
}

int loader_load(const struct loader *l, const struct guestmem *mem, struct error *err)
{
	uint64_t gpa = l->initrd_gpa;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < l->image.nr_segments; i++) {
		const struct kernel_segment *segment = &l->image.segment[i];

		ret = loader_read_guest(&l->kernel, mem, segment->gpa, segment->file_size,
					segment->file_offset, err);
	}
	for (unsigned int i = 0; !ret && i < l->nr_initrds; i++) {
		ret = loader_read_guest(&l->initrd[i], mem, gpa, l->initrd[i].size, 0, err);
		gpa = loader_initrd_align(gpa + l->initrd[i].size);
	}
	return ret;
}

int loader_read_dtb(const struct loader *l, void *buf, size_t size, struct error *err)
{
	int ret;

	if (l->dtb.size > size)
		return error_set(err, -E2BIG, "%s: is larger than a device tree can be",
				 l->dtb.name);
	ret = loader_read(&l->dtb, buf, l->dtb.size, 0, err);
	return ret ? ret : (int)l->dtb.size;
}

static void loader_file_close(struct loader_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

void loader_close(struct loader *l)
{
	loader_file_close(&l->kernel);
	loader_file_close(&l->dtb);
	for (unsigned int i = 0; i < l->nr_initrds; i++)
		loader_file_close(&l->initrd[i]);
}

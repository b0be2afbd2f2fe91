// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot/loader.h"
#include "boot/payload.h"

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

/* Limit of an unpacked kernel: more than any kernel has, and less than hurts the host. */
#define LOADER_UNPACKED		(256 * LOADER_MIB)

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
	 * A program that is not told where the device tree is looks at the start of RAM, where
	 * QEMU's virt has it.
	 */
	if (loader_ram_start_free(l))
		l->dtb_gpa = l->ram_base;
	return 0;
}

/* Firmware finds the device tree at the start of RAM, as QEMU's virt has it. */
static int loader_layout_firmware(struct loader *l, struct error *err)
{
	if (l->dtb_room > l->ram_size)
		return error_set(err, -E2BIG, "--memory: has no room for the device tree");
	l->dtb_gpa = l->ram_base;
	return 0;
}

/* FreeBSD finds all behind itself, where its first page tables reach. */
static int loader_layout_freebsd(struct loader *l, struct error *err)
{
	int ret;

	if (l->nr_initrds)
		return error_set(err, -EINVAL, "--initrd %s: FreeBSD takes no RAM disk from its loader",
				 l->initrd[0].name);
	ret = freebsd_layout(l->freebsd, &l->image, l->dtb_room, l->kernel.name, err);
	if (ret)
		return ret;
	if (l->freebsd->end > l->ram_base + l->ram_size)
		return error_set(err, -E2BIG, "%s: leaves no room for the device tree in memory",
				 l->kernel.name);
	l->dtb_gpa = l->freebsd->dtb_gpa;
	return 0;
}

static int loader_init_freebsd(struct loader *l, const struct config *config, struct error *err)
{
	l->freebsd = calloc(1, sizeof(*l->freebsd));
	if (!l->freebsd || freebsd_init(l->freebsd, config->freebsd_vars, config->append))
		return error_errno(err, -ENOMEM, "--freebsd");
	return 0;
}

static int loader_add_initrd(struct loader *l, const struct loader_file *file, struct error *err)
{
	/* Each size is a file's, of up to 63 bits: the sum of eight could wrap. */
	if (file->size > l->ram_size)
		return error_set(err, -E2BIG, "%s: is larger than the memory that --memory gives",
				 file->name);
	l->initrd_size = loader_initrd_align(l->initrd_size) + file->size;
	return 0;
}

static int loader_open_initrds(struct loader *l, const struct config *config, struct error *err)
{
	int ret = 0;

	/* A FIT image's own RAM disk, if none was asked for. */
	if (l->nr_initrds)
		return loader_add_initrd(l, &l->initrd[0], err);
	for (unsigned int i = 0; !ret && i < config->nr_initrds; i++) {
		struct loader_file *file = &l->initrd[l->nr_initrds++];

		file->fd = -1;
		ret = loader_file_open(file, config->initrd[i], err);
		if (!ret)
			ret = payload_ramdisk(file, err);
		if (!ret)
			ret = loader_add_initrd(l, file, err);
	}
	return ret;
}

/*
 * Opens FILE, or FILE#CONF if no file has the whole name: *@conf is then what follows the last #.
 */
static int loader_find_kernel(struct loader *l, const char *name, const char **conf,
			      struct error *err)
{
	const char *hash = name ? strrchr(name, '#') : NULL;

	if (!hash || !access(name, F_OK) || errno != ENOENT)
		return loader_file_open(&l->kernel, name, err);
	l->kernel_name = strndup(name, hash - name);
	if (!l->kernel_name)
		return error_errno(err, -ENOMEM, "%s", name);
	*conf = hash + 1;
	return loader_file_open(&l->kernel, l->kernel_name, err);
}

static int loader_open_kernel(struct loader *l, const struct config *config, struct error *err)
{
	struct loader_file *ramdisk = config->nr_initrds ? NULL : &l->initrd[0], *file = &l->kernel;
	uint64_t limit = l->ram_size < LOADER_UNPACKED ? l->ram_size : LOADER_UNPACKED;
	const char *conf = NULL;
	int ret;

	if (config->format == KERNEL_RAW)
		ret = loader_file_open(file, config->kernel, err);
	else
		ret = loader_find_kernel(l, config->kernel, &conf, err);
	if (ret || file->fd < 0)
		return ret;
	if (config->format != KERNEL_RAW)
		ret = payload_kernel(file, ramdisk, conf, limit, err);
	l->nr_initrds = l->initrd[0].fd >= 0;
	if (!ret)
		ret = kernel_probe(&l->image, file->fd, file->offset, file->size, config->format,
				   l->ram_base, l->ram_size, file->name, err);
	if (!ret && l->image.format == KERNEL_RAW)
		ret = kernel_place_raw(&l->image, config->load_address, config->entry,
				       l->ram_base, l->ram_size, file->name, err);
	return ret;
}

int loader_open(struct loader *l, const struct config *config, uint64_t ram_base,
		uint64_t ram_size, struct error *err)
{
	int ret = 0;

	memset(l, 0, sizeof(*l));
	l->kernel.fd = l->dtb.fd = l->initrd[0].fd = -1;
	l->ram_base = ram_base;
	l->ram_size = ram_size;
	l->dtb_room = LOADER_DTB_ROOM;
	l->firmware = config->firmware;

	if (config->freebsd)
		ret = loader_init_freebsd(l, config, err);
	if (!ret)
		ret = loader_open_kernel(l, config, err);
	if (!ret)
		ret = loader_open_initrds(l, config, err);
	if (!ret)
		ret = loader_file_open(&l->dtb, config->dtb, err);
	if (!ret && l->dtb.size > LOADER_DTB_MAX)
		ret = error_set(err, -E2BIG, "%s: is larger than a device tree can be", config->dtb);
	if (!ret) {
		/* The machine adds to a device tree that is given: command line, initrd, seeds. */
		l->dtb_room += loader_align(l->dtb.size);
		if (l->firmware)
			ret = loader_layout_firmware(l, err);
		else
			ret = l->freebsd ? loader_layout_freebsd(l, err) : loader_layout(l, err);
	}
	if (ret)
		loader_close(l);
	return ret;
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
	/*
	 * Populating the pages at once costs less than a fault for each. Older kernels answer
	 * EINVAL.
	 */
	first = (uintptr_t)host & ~(LOADER_PAGE - 1);
	madvise((void *)first, loader_align((uintptr_t)host + size - first), MADV_POPULATE_WRITE);
	return loader_file_read(file, host, size, offset, err);
}

int loader_load(const struct loader *l, const struct guestmem *mem, struct error *err)
{
	uint64_t gpa = l->initrd_gpa;
	int ret = 0;

	if (l->firmware)
		return 0;
	for (unsigned int i = 0; !ret && i < l->image.nr_segments; i++) {
		const struct kernel_segment *segment = &l->image.segment[i];

		ret = loader_read_guest(&l->kernel, mem, segment->gpa, segment->file_size,
					segment->file_offset, err);
	}
	for (unsigned int i = 0; !ret && i < l->nr_initrds; i++) {
		ret = loader_read_guest(&l->initrd[i], mem, gpa, l->initrd[i].size, 0, err);
		gpa = loader_initrd_align(gpa + l->initrd[i].size);
	}
	if (!ret && l->freebsd && freebsd_write(l->freebsd, &l->image, mem))
		ret = error_set(err, -EFAULT, "%s: does not fit into memory", l->kernel.name);
	return ret;
}

struct loader_registers loader_registers(const struct loader *l)
{
	if (l->firmware)
		return (struct loader_registers){ 0 };
	if (l->freebsd)
		return (struct loader_registers){ .r0 = freebsd_r0(l->freebsd, &l->image) };
	return (struct loader_registers){ .r1 = UINT32_MAX, .r2 = l->dtb_gpa };
}

int loader_read_kernel(void *opaque, uint32_t offset, void *buf, uint32_t len)
{
	const struct loader *l = opaque;

	return loader_file_read(&l->kernel, buf, len, offset, NULL);
}

/* @file begins at @start of the whole. Reads what [@offset, @offset + @len) covers of it. */
static int loader_read_part(const struct loader_file *file, uint64_t start, uint64_t offset,
			    uint8_t *buf, uint64_t len)
{
	uint64_t low = offset > start ? offset : start;
	uint64_t end = offset + len < start + file->size ? offset + len : start + file->size;

	return low < end ? loader_file_read(file, buf + (low - offset), end - low, low - start,
					    NULL) : 0;
}

int loader_read_initrd(void *opaque, uint32_t offset, void *buf, uint32_t len)
{
	const struct loader *l = opaque;
	uint64_t start = 0;
	int ret = 0;

	/* Zeroes between them, up to a multiple of four. */
	memset(buf, 0, len);
	for (unsigned int i = 0; !ret && i < l->nr_initrds; i++) {
		ret = loader_read_part(&l->initrd[i], start, offset, buf, len);
		start = loader_initrd_align(start + l->initrd[i].size);
	}
	return ret;
}

int loader_read_dtb(const struct loader *l, void *buf, size_t size, struct error *err)
{
	int ret;

	if (l->dtb.size > size)
		return error_set(err, -E2BIG, "%s: is larger than a device tree can be",
				 l->dtb.name);
	ret = loader_file_read(&l->dtb, buf, l->dtb.size, 0, err);
	return ret ? ret : (int)l->dtb.size;
}

void loader_close(struct loader *l)
{
	loader_file_close(&l->kernel);
	loader_file_close(&l->dtb);
	for (unsigned int i = 0; i < l->nr_initrds; i++)
		loader_file_close(&l->initrd[i]);
	free(l->kernel_name);
	l->kernel_name = NULL;
	if (l->freebsd)
		freebsd_free(l->freebsd);
	free(l->freebsd);
	l->freebsd = NULL;
}

// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "boot/uimage.h"

/* U-Boot's include/image.h: struct legacy_img_hdr, big-endian. */
struct uimage_header {
	uint32_t magic;
	uint32_t header_crc;	/* of the header with this word 0 */
	uint32_t time;
	uint32_t size;
	uint32_t load, entry;
	uint32_t data_crc;
	uint8_t os, arch, type, comp;
	uint8_t name[32];
};

#define UIMAGE_ARCH_ARM		2
#define UIMAGE_TYPE_KERNEL	2
#define UIMAGE_TYPE_RAMDISK	3
#define UIMAGE_TYPE_KERNEL_NOLOAD 14

static const char *uimage_compressor(uint8_t comp)
{
	static const char *const names[] = { NULL, "gzip", "bzip2", "lzma", "lzop", "lz4", "zstd" };

	return comp < sizeof(names) / sizeof(names[0]) ? names[comp] : "an unknown compressor";
}

static const char *uimage_type(uint8_t type)
{
	static const char *const names[] = {
		[1] = "a standalone program", [2] = "a kernel", [3] = "a RAM disk",
		[4] = "of several files", [5] = "firmware", [6] = "a script", [8] = "a device tree",
		[14] = "a kernel",
	};

	return type < sizeof(names) / sizeof(names[0]) && names[type] ? names[type] :
									"of an unknown type";
}

bool uimage_is(const struct loader_file *file)
{
	uint32_t magic;

	return file->size >= sizeof(struct uimage_header) &&
	       !loader_file_read(file, &magic, sizeof(magic), 0, NULL) &&
	       be32toh(magic) == UIMAGE_MAGIC;
}

static int uimage_check_kind(const struct uimage_header *header, enum uimage_kind kind,
			     const char *name, struct error *err)
{
	bool fits = kind == UIMAGE_RAMDISK ? header->type == UIMAGE_TYPE_RAMDISK :
		    header->type == UIMAGE_TYPE_KERNEL || header->type == UIMAGE_TYPE_KERNEL_NOLOAD;

	if (header->arch != UIMAGE_ARCH_ARM)
		return error_set(err, -ENOEXEC, "%s: is a U-Boot image for another architecture (%u)",
				 name, header->arch);
	if (!fits)
		return error_set(err, -ENOEXEC, "%s: is a U-Boot image, %s (%u), and no %s", name,
				 uimage_type(header->type), header->type,
				 kind == UIMAGE_RAMDISK ? "RAM disk" : "kernel");
	return 0;
}

static int uimage_check_header(struct uimage_header header, const char *name, struct error *err)
{
	uint32_t crc = be32toh(header.header_crc);

	header.header_crc = 0;
	if (crc32(0, (const void *)&header, sizeof(header)) != crc)
		return error_set(err, -ENOEXEC, "%s: is damaged: the checksum of its U-Boot header is wrong",
				 name);
	return 0;
}

static int uimage_check_data(const struct uimage_header *header, const struct loader_file *file,
			     struct error *err)
{
	uint64_t len = be32toh(header->size), there = file->size - sizeof(*header);
	uint32_t crc;
	int ret;

	if (!len || len > there)
		return error_set(err, -ENOEXEC,
				 "%s: is truncated: %llu bytes of the %llu that its header tells",
				 file->name, (unsigned long long)there, (unsigned long long)len);
	ret = loader_file_crc32(file, sizeof(*header), len, &crc, err);
	if (!ret && crc != be32toh(header->data_crc))
		ret = error_set(err, -ENOEXEC, "%s: is damaged: the checksum of its data is wrong",
				file->name);
	return ret;
}

int uimage_open(struct loader_file *file, enum uimage_kind kind, const char **compressor,
		struct error *err)
{
	struct uimage_header header;
	int ret;

	ret = loader_file_read(file, &header, sizeof(header), 0, err);
	if (!ret)
		ret = uimage_check_header(header, file->name, err);
	if (!ret)
		ret = uimage_check_kind(&header, kind, file->name, err);
	if (!ret)
		ret = uimage_check_data(&header, file, err);
	if (ret)
		return ret;
	*compressor = uimage_compressor(header.comp);
	file->offset += sizeof(header);
	file->size = be32toh(header.size);
	return 0;
}

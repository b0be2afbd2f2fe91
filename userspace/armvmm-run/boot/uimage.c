// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "boot/uimage.h"

/* U-Boot's include/image.h: struct legacy_img_hdr, big-endian. */
#define UIMAGE_HEADER		64
#define UIMAGE_MAGIC		0x27051956
#define UIMAGE_SIZE		12
#define UIMAGE_ARCH		29
#define UIMAGE_TYPE		30
#define UIMAGE_COMP		31
#define UIMAGE_ARCH_ARM		2
#define UIMAGE_TYPE_KERNEL	2
#define UIMAGE_TYPE_RAMDISK	3
#define UIMAGE_TYPE_KERNEL_NOLOAD 14

#define FDT_MAGIC		0xd00dfeed

static const char *uimage_compressor(uint8_t comp)
{
	static const char *const names[] = { "", "gzip", "bzip2", "lzma", "lzo", "lz4", "zstd" };

	return comp < sizeof(names) / sizeof(names[0]) ? names[comp] : "an unknown compressor";
}

int uimage_check_compressed(int fd, uint64_t offset, const char *name, struct error *err)
{
	static const struct {
		const char *name;
		unsigned int len;
		const char *magic;
	} compressors[] = {
		{ "gzip", 2, "\x1f\x8b" },	 { "zstd", 4, "\x28\xb5\x2f\xfd" },
		{ "xz", 6, "\xfd" "7zXZ\0" },	 { "bzip2", 3, "BZh" },
		{ "lz4", 4, "\x04\x22\x4d\x18" }, { "lz4", 4, "\x02\x21\x4c\x18" },
		{ "lzop", 4, "\x89LZO" },	 { "lzma", 3, "\x5d\0\0" },
	};
	char head[8] = { 0 };

	if (pread(fd, head, sizeof(head), offset) < 0)
		return 0;
	for (unsigned int i = 0; i < sizeof(compressors) / sizeof(compressors[0]); i++)
		if (!memcmp(head, compressors[i].magic, compressors[i].len))
			return error_set(err, -ENOEXEC,
					 "%s: is compressed by %s: unpack it (%s -dc FILE), or use its zImage",
					 name, compressors[i].name, compressors[i].name);
	return 0;
}

static int uimage_check_kind(const uint8_t *header, enum uimage_kind kind, const char *name,
			     struct error *err)
{
	uint8_t type = header[UIMAGE_TYPE], comp = header[UIMAGE_COMP];
	bool fits = kind == UIMAGE_RAMDISK ? type == UIMAGE_TYPE_RAMDISK :
		    type == UIMAGE_TYPE_KERNEL || type == UIMAGE_TYPE_KERNEL_NOLOAD;

	if (header[UIMAGE_ARCH] != UIMAGE_ARCH_ARM)
		return error_set(err, -ENOEXEC, "%s: is a U-Boot image for another architecture (%u)",
				 name, header[UIMAGE_ARCH]);
	if (!fits)
		return error_set(err, -ENOEXEC, "%s: is a U-Boot image of type %u, and no %s", name,
				 type, kind == UIMAGE_RAMDISK ? "RAM disk" : "kernel");
	/* The guest's kernel decides whether it can read a RAM disk. */
	if (kind == UIMAGE_KERNEL && comp)
		return error_set(err, -ENOEXEC, "%s: is a U-Boot image compressed by %s: use its zImage",
				 name, uimage_compressor(comp));
	return 0;
}

int uimage_open(int fd, uint64_t size, enum uimage_kind kind, uint64_t *offset, uint64_t *len,
		const char *name, struct error *err)
{
	uint8_t header[UIMAGE_HEADER];
	uint32_t magic, inside;
	int ret;

	*offset = 0;
	*len = size;
	if (pread(fd, header, sizeof(header), 0) != sizeof(header))
		return 0;
	memcpy(&magic, header, sizeof(magic));
	if (be32toh(magic) == FDT_MAGIC)
		return error_set(err, -ENOEXEC,
				 "%s: is a FIT image or a device tree: dumpimage -T flat_dt -p 0 -o OUT FILE takes a part out",
				 name);
	if (be32toh(magic) != UIMAGE_MAGIC)
		return 0;
	ret = uimage_check_kind(header, kind, name, err);
	if (ret)
		return ret;
	memcpy(&inside, header + UIMAGE_SIZE, sizeof(inside));
	*offset = UIMAGE_HEADER;
	*len = be32toh(inside);
	if (!*len || *len > size - UIMAGE_HEADER)
		return error_set(err, -ENOEXEC,
				 "%s: is truncated: %llu bytes of the %llu that its header tells",
				 name, (unsigned long long)(size - UIMAGE_HEADER),
				 (unsigned long long)*len);
	return 0;
}

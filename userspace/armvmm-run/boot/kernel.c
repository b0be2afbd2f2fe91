// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "boot/kernel.h"
#include "boot/kernel_elf.h"
#include "boot/kernel_file.h"

#define KERNEL_MIB		(1ULL << 20)

/*
 * The zImage header is nine instructions into the file. An extension follows it since Linux 4.15: a
 * table of tags, one of which tells the size of the unpacked kernel. A big-endian (BE8) kernel
 * keeps its magic numbers and its table little-endian; only the endianness word shows what it is.
 */
#define ZIMAGE_HEADER		0x24
#define ZIMAGE_MAGIC		0x016f2818
#define ZIMAGE_ENDIAN_LITTLE	0x04030201
#define ZIMAGE_ENDIAN_BIG	0x01020304
#define ZIMAGE_MAGIC2		0x45454545
#define ZIMAGE_TAG_SIZE		0x5a534c4b
#define ZIMAGE_MAX_TAGS		16

enum {
	ZIMAGE_W_MAGIC,
	ZIMAGE_W_START,
	ZIMAGE_W_END,
	ZIMAGE_W_ENDIAN,
	ZIMAGE_W_MAGIC2,
	ZIMAGE_W_TABLE,
	ZIMAGE_NR_WORDS,
};

/*
 * The decompressor finds the start of RAM by rounding its own address down to
 * 128 MiB, and unpacks to TEXT_OFFSET above it.
 */
#define ZIMAGE_REACH		(128 * KERNEL_MIB)
/* The largest TEXT_OFFSET of a kernel for ARMv7, for kernels that do not tell theirs. */
#define ZIMAGE_TEXT_OFFSET	0x208000
/* For kernels that do not tell their size: no compressor in use does better than one to five. */
#define ZIMAGE_RATIO		5
/* The decompressor's own bss, stack and heap (64 KiB) behind it, with room to spare. */
#define ZIMAGE_SLACK		(1 * KERNEL_MIB)
#define ZIMAGE_ALIGN		0x10000

/* Linux's Image is linked to start 32 KiB into RAM (Documentation/arch/arm/porting.rst). */
#define IMAGE_OFFSET		0x8000
/* Any other program goes where QEMU's virt board puts it. */
#define RAW_OFFSET		0x10000

static int kernel_too_big(const struct kernel_file *file, uint64_t need, uint64_t ram_size)
{
	return error_set(file->err, -E2BIG,
			 "%s: needs %llu MiB of memory while it starts, and --memory gives %llu",
			 file->name, (unsigned long long)(need + KERNEL_MIB - 1) / KERNEL_MIB,
			 (unsigned long long)ram_size / KERNEL_MIB);
}

/*
 * Bytes from the start of RAM to the end of the unpacked kernel, bss included. *@size is 0 if the
 * header does not tell.
 */
static int zimage_unpacked_size(const struct kernel_file *file, const uint32_t *header,
				uint64_t *size)
{
	uint32_t offset = le32toh(header[ZIMAGE_W_TABLE]);
	int ret;

	*size = 0;
	if (le32toh(header[ZIMAGE_W_MAGIC2]) != ZIMAGE_MAGIC2)
		return 0;
	for (int i = 0; i < ZIMAGE_MAX_TAGS; i++) {
		uint32_t tag[5] = { 0 }, words, unpacked;

		/* A tag: its length in words with this one, its number, its data. */
		ret = kernel_read(file, offset, &tag[0], sizeof(tag[0]));
		if (ret)
			return ret;
		words = le32toh(tag[0]);
		if (words < 2)
			return 0;
		if (words > 5)
			ret = kernel_read(file, offset, tag, sizeof(tag));
		else
			ret = kernel_read(file, offset, tag, words * sizeof(tag[0]));
		if (ret)
			return ret;
		if (le32toh(tag[1]) == ZIMAGE_TAG_SIZE && words >= 4) {
			/* The compressor left the unpacked size there, always little-endian. */
			ret = kernel_read(file, le32toh(tag[2]), &unpacked, sizeof(unpacked));
			if (ret)
				return ret;
			*size = (uint64_t)le32toh(unpacked) + le32toh(tag[3]) +
				(words >= 5 ? le32toh(tag[4]) : ZIMAGE_TEXT_OFFSET);
			return 0;
		}
		if (words > (UINT32_MAX - offset) / sizeof(uint32_t))
			return 0;
		offset += words * sizeof(uint32_t);
	}
	return 0;
}

static int kernel_probe_zimage(struct kernel_image *image, const struct kernel_file *file,
			       uint64_t ram_base, uint64_t ram_size)
{
	uint32_t header[ZIMAGE_NR_WORDS], start, end, endian;
	uint64_t unpacked, size, place;
	int ret;

	ret = kernel_read(file, ZIMAGE_HEADER, header, sizeof(header));
	if (ret)
		return ret;
	if (le32toh(header[ZIMAGE_W_MAGIC]) != ZIMAGE_MAGIC) {
		if (be32toh(header[ZIMAGE_W_MAGIC]) == ZIMAGE_MAGIC)
			return error_set(file->err, -ENOEXEC,
					 "%s: is a zImage for BE32, which ARMv7 cannot run",
					 file->name);
		return error_set(file->err, -ENOEXEC, "%s: is no zImage", file->name);
	}
	endian = le32toh(header[ZIMAGE_W_ENDIAN]);
	if (endian != ZIMAGE_ENDIAN_LITTLE && endian != ZIMAGE_ENDIAN_BIG)
		return error_set(file->err, -ENOEXEC, "%s: has a damaged zImage header",
				 file->name);
	start = le32toh(header[ZIMAGE_W_START]);
	end = le32toh(header[ZIMAGE_W_END]);
	if (end <= start || end - start < ZIMAGE_HEADER + sizeof(header))
		return error_set(file->err, -ENOEXEC, "%s: has a damaged zImage header",
				 file->name);
	size = end - start;
	if (size > file->size)
		return error_set(file->err, -EIO,
				 "%s: is truncated: %llu bytes of the %llu that its header tells",
				 file->name, (unsigned long long)file->size,
				 (unsigned long long)size);

	ret = zimage_unpacked_size(file, header, &unpacked);
	if (ret)
		return ret;
	if (!unpacked)
		unpacked = ZIMAGE_TEXT_OFFSET + ZIMAGE_RATIO * size;

	/*
	 * Place the zImage above the unpacked kernel, so that the decompressor need not move out of
	 * its own way. If that is out of its reach, place it where boot loaders always do; it then
	 * moves itself to the same place.
	 */
	place = (unpacked + ZIMAGE_ALIGN - 1) & ~(uint64_t)(ZIMAGE_ALIGN - 1);
	if (place + size + ZIMAGE_SLACK > ram_size)
		return kernel_too_big(file, place + size + ZIMAGE_SLACK, ram_size);
	image->end = ram_base + place + size + ZIMAGE_SLACK;
	if (place + size + ZIMAGE_SLACK > ZIMAGE_REACH)
		place = IMAGE_OFFSET;
	if (place + size > ZIMAGE_REACH)
		return error_set(file->err, -E2BIG, "%s: is larger than a zImage can be",
				 file->name);
	/* What follows the zImage in the file (an appended device tree) is not loaded. */
	image->segment[0] = (struct kernel_segment){
		.gpa = ram_base + place,
		.file_size = size,
		.mem_size = size,
	};
	image->nr_segments = 1;
	image->entry = ram_base + place;
	return 0;
}

static int kernel_probe_flat(struct kernel_image *image, const struct kernel_file *file,
			     uint64_t ram_base, uint64_t ram_size)
{
	uint64_t offset = image->format == KERNEL_IMAGE ? IMAGE_OFFSET : RAW_OFFSET;
	uint64_t end = offset + file->size;

	/* An Image does not tell how large its bss is: a quarter and 4 MiB cover all known ones. */
	if (image->format == KERNEL_IMAGE)
		end += file->size / 4 + 4 * KERNEL_MIB;
	if (end > ram_size)
		return kernel_too_big(file, end, ram_size);
	image->segment[0] = (struct kernel_segment){
		.gpa = ram_base + offset,
		.file_size = file->size,
		.mem_size = file->size,
	};
	image->nr_segments = 1;
	image->entry = ram_base + offset;
	image->end = ram_base + end;
	return 0;
}

/*
 * An Image has no header. All since 2.6 read the CPU's number among their
 * first instructions: mrc p15, 0, r9, c0, c0, 0, in A32 or T32.
 */
static bool kernel_is_image(const uint8_t *head, size_t len)
{
	static const uint8_t a32[] = { 0x10, 0x9f, 0x10, 0xee };
	static const uint8_t t32[] = { 0x10, 0xee, 0x10, 0x9f };

	for (size_t i = 0; i + sizeof(a32) <= len; i += 2)
		if (!memcmp(head + i, t32, sizeof(t32)) ||
		    (!(i % 4) && !memcmp(head + i, a32, sizeof(a32))))
			return true;
	return false;
}

static int kernel_detect(const struct kernel_file *file, enum kernel_format *format)
{
	uint8_t head[128] = { 0 };
	size_t len = file->size < sizeof(head) ? file->size : sizeof(head);
	uint32_t magic;
	int ret;

	ret = kernel_read(file, 0, head, len);
	if (ret)
		return ret;
	memcpy(&magic, head + ZIMAGE_HEADER, sizeof(magic));
	if (!memcmp(head, ELFMAG, SELFMAG))
		*format = KERNEL_ELF;
	else if (le32toh(magic) == ZIMAGE_MAGIC || be32toh(magic) == ZIMAGE_MAGIC)
		*format = KERNEL_ZIMAGE;
	else if (!memcmp(head + 0x38, "ARM\x64", 4))
		return error_set(file->err, -ENOEXEC,
				 "%s: is a kernel for 64-bit Arm, and guests here are 32-bit",
				 file->name);
	else if (kernel_is_image(head, len))
		*format = KERNEL_IMAGE;
	else
		return error_set(file->err, -ENOEXEC,
				 "%s: is no zImage, Image or ELF program (a raw program needs --format raw)",
				 file->name);
	return 0;
}

int kernel_probe(struct kernel_image *image, int fd, uint64_t offset, uint64_t size,
		 enum kernel_format format, uint64_t ram_base, uint64_t ram_size, const char *name,
		 struct error *err)
{
	const struct kernel_file file = {
		.fd = fd, .offset = offset, .size = size, .name = name, .err = err,
	};
	int ret;

	if (!size)
		return error_set(err, -ENOEXEC, "%s: is empty", name);
	if (format == KERNEL_AUTO) {
		ret = kernel_detect(&file, &format);
		if (ret)
			return ret;
	}
	memset(image, 0, sizeof(*image));
	image->format = format;
	switch (format) {
	case KERNEL_ZIMAGE:
		return kernel_probe_zimage(image, &file, ram_base, ram_size);
	case KERNEL_ELF:
		return kernel_probe_elf(image, &file, ram_base, ram_size);
	default:
		return kernel_probe_flat(image, &file, ram_base, ram_size);
	}
}

int kernel_place_raw(struct kernel_image *image, uint32_t load, uint32_t entry, uint64_t ram_base,
		     uint64_t ram_size, const char *name, struct error *err)
{
	struct kernel_segment *segment = &image->segment[0];

	if (load) {
		uint64_t offset = load - ram_base;

		if (load < ram_base || offset > ram_size || segment->mem_size > ram_size - offset)
			return error_set(err, -E2BIG,
					 "%s: --load-address 0x%x, 0x%llx bytes, lies outside of memory",
					 name, load, (unsigned long long)segment->mem_size);
		segment->gpa = load;
		image->entry = load;
		image->end = load + segment->mem_size;
	}
	if (entry && ((entry & ~1u) < segment->gpa || entry >= image->end))
		return error_set(err, -E2BIG,
				 "%s: --entry 0x%x lies outside of the program, which is at 0x%llx to 0x%llx",
				 name, entry, (unsigned long long)segment->gpa,
				 (unsigned long long)image->end - 1);
	if (entry)
		image->entry = entry;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/boot/kernel.c userspace/armvmm-run/boot/kernel_elf.c
// sources: userspace/armvmm-run/boot/kernel_file.c userspace/armvmm-run/boot/uimage.c
// sources: userspace/armvmm-run/boot/loader_file.c userspace/armvmm-run/boot/payload.c
// sources: userspace/armvmm-run/boot/unpack.c userspace/armvmm-run/boot/fit.c
// sources: userspace/armvmm-run/boot/fdt_check.c userspace/armvmm-run/core/error.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
// pkgs: glib-2.0 zlib libzstd
// libs: -lfdt
/*
 * A program's file in each format, wrapped and compressed or not. Whatever its headers say, its
 * segments lie in the file and in RAM, and do not overlap; and no more is unpacked than the limit.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../guest/lib/board.h"
#include "boot/kernel.h"
#include "boot/payload.h"
#include "fuzz.h"

#define RAM	((uint64_t)RAM_BASE)
#define FUZZ_UNPACKED	(2u << 20)

static void check(const struct kernel_image *image, uint64_t size, uint64_t ram_size)
{
	FUZZ_MUST(image->format != KERNEL_AUTO);
	FUZZ_MUST(image->nr_segments <= KERNEL_MAX_SEGMENTS);
	FUZZ_MUST(image->end <= RAM + ram_size);
	for (unsigned int i = 0; i < image->nr_segments; i++) {
		const struct kernel_segment *s = &image->segment[i];

		FUZZ_MUST(s->file_size <= s->mem_size);
		FUZZ_MUST(s->file_offset <= size && s->file_size <= size - s->file_offset);
		FUZZ_MUST(s->gpa >= RAM && s->gpa + s->mem_size <= image->end);
		for (unsigned int j = 0; j < i; j++)
			FUZZ_MUST(s->gpa >= image->segment[j].gpa + image->segment[j].mem_size ||
				  image->segment[j].gpa >= s->gpa + s->mem_size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1;
	struct kernel_image image;
	struct error err = { { 0 } };
	struct fuzz f = { data, len };
	uint8_t how = fuzz_u8(&f);
	/* 1, 16, 256 and 3072 MiB. */
	uint64_t ram_size = how & 0x80 ? 3072ull << 20 : 1ull << (20 + 4 * (how >> 4 & 3));
	struct loader_file file, ramdisk = { .fd = -1 };
	struct stat st;
	uint64_t size;

	if (ram_size > 3072ull << 20)
		ram_size = 256 << 20;
	if (fd < 0)
		fd = memfd_create("kernel", 0);
	/* A file longer than the input, so that large sizes in headers can be valid. */
	if (ftruncate(fd, 0) || pwrite(fd, f.data, f.len, 0) != (ssize_t)f.len ||
	    ftruncate(fd, f.len + (how & 8 ? 1 << 20 : 0)))
		return 0;
	size = f.len + (how & 8 ? 1 << 20 : 0);
	file = (struct loader_file){ .name = "kernel", .fd = dup(fd), .size = size };
	if (payload_kernel(&file, how & 0x40 ? &ramdisk : NULL, NULL, FUZZ_UNPACKED, &err)) {
		FUZZ_MUST(err.text[0]);
	} else {
		FUZZ_MUST(!fstat(file.fd, &st));
		FUZZ_MUST(file.offset + file.size <= (uint64_t)st.st_size);
		if (!kernel_probe(&image, file.fd, file.offset, file.size,
				  (how & 7) % (KERNEL_RAW + 1), RAM, ram_size, "kernel", &err))
			check(&image, file.size, ram_size);
		else
			FUZZ_MUST(err.text[0]);
	}
	if (ramdisk.fd >= 0)
		FUZZ_MUST(ramdisk.offset + ramdisk.size <= size);
	loader_file_close(&ramdisk);
	loader_file_close(&file);
	return 0;
}

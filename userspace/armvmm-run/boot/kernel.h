/* SPDX-License-Identifier: GPL-2.0-only */
/* Examines a guest program's file: its format, where its parts go, where it starts. */
#ifndef ARMVMM_RUN_KERNEL_H
#define ARMVMM_RUN_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "core/error.h"

#define KERNEL_MAX_SEGMENTS	16

struct kernel_segment {
	uint64_t gpa;
	uint64_t file_offset;	/* from kernel_probe()'s @offset */
	uint64_t file_size;	/* bytes read from the file; the rest stays zero */
	uint64_t mem_size;
};

struct kernel_image {
	enum kernel_format format;	/* never KERNEL_AUTO once probed */
	unsigned int nr_segments;
	struct kernel_segment segment[KERNEL_MAX_SEGMENTS];
	uint32_t entry;			/* bit 0 set: Thumb */
	/*
	 * First guest-physical address above everything that the program
	 * occupies while it starts: for a zImage the unpacked kernel and the
	 * decompressor, wherever it moves itself to.
	 */
	uint64_t end;
	/* ELF: its first guest-physical address, and what virtual ones are beyond those. */
	uint64_t begin;
	uint32_t va_offset;
};

/*
 * Examines @size bytes of @fd from @offset on, and lays it out in the RAM at @ram_base. Reads
 * headers only. @name is for messages. Returns 0 or: -ENOEXEC: no kernel of
 * @format, or one that this CPU cannot run; -EIO: truncated or unreadable;
 * -E2BIG: does not fit into RAM.
 */
int kernel_probe(struct kernel_image *image, int fd, uint64_t offset, uint64_t size,
		 enum kernel_format format, uint64_t ram_base, uint64_t ram_size, const char *name,
		 struct error *err);

/*
 * Places a raw program, which was probed, at @load, and has it start at @entry. 0 for either leaves
 * it as it is. Returns 0, or -E2BIG if it would lie or start outside of RAM.
 */
int kernel_place_raw(struct kernel_image *image, uint32_t load, uint32_t entry, uint64_t ram_base,
		     uint64_t ram_size, const char *name, struct error *err);

#endif /* ARMVMM_RUN_KERNEL_H */

// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "boot/kernel_elf.h"

/*
 * Where a program's parts go. Most files tell it by their physical addresses. Some leave these
 * zero, and mean the virtual ones. Kernels that find out by themselves where they are (vmlinux,
 * FreeBSD's) have virtual addresses in both fields: they go to the same offset in RAM as above a 1
 * GiB boundary.
 */
enum elf_rule { ELF_PHYSICAL, ELF_VIRTUAL, ELF_MOVED, ELF_NR_RULES };

#define ELF_SPLIT_MASK	0x3fffffffu

static uint64_t elf_place(const Elf32_Phdr *ph, enum elf_rule rule, uint64_t ram_base)
{
	switch (rule) {
	case ELF_VIRTUAL:
		return ph->p_vaddr;
	case ELF_MOVED:
		return ram_base + (ph->p_paddr & ELF_SPLIT_MASK);
	default:
		return ph->p_paddr;
	}
}

static bool elf_in_ram(const Elf32_Phdr *ph, enum elf_rule rule, uint64_t ram_base,
		       uint64_t ram_size)
{
	uint64_t place = elf_place(ph, rule, ram_base), offset = place - ram_base;

	return place >= ram_base && offset <= ram_size && ph->p_memsz <= ram_size - offset;
}

/*
 * Reads program header @index and checks it against the file. p_memsz is 0 if nothing is to load.
 */
static int elf_header(const struct kernel_file *file, const Elf32_Ehdr *eh, unsigned int index,
		      Elf32_Phdr *ph)
{
	int ret = kernel_read(file, (uint64_t)eh->e_phoff + index * sizeof(*ph), ph, sizeof(*ph));

	if (ret)
		return ret;
	if (ph->p_type != PT_LOAD || !ph->p_memsz) {
		ph->p_memsz = 0;
		return 0;
	}
	if (ph->p_filesz > ph->p_memsz)
		return error_set(file->err, -ENOEXEC, "%s: has a damaged ELF header", file->name);
	if (ph->p_offset > file->size || ph->p_filesz > file->size - ph->p_offset)
		return error_set(file->err, -EIO, "%s: is truncated", file->name);
	return 0;
}

/*
 * Chooses the first rule by which all of the program lies in RAM. A program that is moved has all
 * addresses in one 1 GiB range, above any that can mean RAM.
 */
static int elf_choose(const struct kernel_file *file, const Elf32_Ehdr *eh, uint64_t ram_base,
		      uint64_t ram_size, enum elf_rule *rule)
{
	bool fits[ELF_NR_RULES] = { true, true, true };
	Elf32_Phdr first = { 0 }, outside = { 0 };

	for (unsigned int i = 0; i < eh->e_phnum; i++) {
		Elf32_Phdr ph;
		int ret = elf_header(file, eh, i, &ph);

		if (ret)
			return ret;
		if (!ph.p_memsz)
			continue;
		if (!first.p_memsz)
			first = ph;
		if (!outside.p_memsz && !elf_in_ram(&ph, ELF_PHYSICAL, ram_base, ram_size))
			outside = ph;
		for (unsigned int r = 0; r < ELF_NR_RULES; r++)
			fits[r] &= elf_in_ram(&ph, r, ram_base, ram_size);
		/* Virtual addresses count only if there are no physical ones. */
		if (ph.p_paddr)
			fits[ELF_VIRTUAL] = false;
		/*
		 * Linux keeps its vectors at a virtual address far away: so physical addresses
		 * count.
		 */
		if (ph.p_paddr < ram_base + ELF_SPLIT_MASK + 1 ||
		    (ph.p_paddr ^ first.p_paddr) & ~ELF_SPLIT_MASK)
			fits[ELF_MOVED] = false;
	}
	for (unsigned int r = 0; r < ELF_NR_RULES; r++) {
		if (fits[r]) {
			*rule = r;
			return 0;
		}
	}
	return error_set(file->err, -E2BIG,
			 "%s: a segment at 0x%x, 0x%x bytes, lies outside of memory", file->name,
			 outside.p_paddr, outside.p_memsz);
}

static int elf_segment(struct kernel_image *image, const struct kernel_file *file,
		       const Elf32_Phdr *ph, uint64_t gpa)
{
	if (image->nr_segments == KERNEL_MAX_SEGMENTS)
		return error_set(file->err, -ENOEXEC, "%s: has more than %d segments", file->name,
				 KERNEL_MAX_SEGMENTS);
	for (unsigned int i = 0; i < image->nr_segments; i++) {
		const struct kernel_segment *other = &image->segment[i];

		if (gpa < other->gpa + other->mem_size && other->gpa < gpa + ph->p_memsz)
			return error_set(file->err, -ENOEXEC, "%s: has segments that overlap",
					 file->name);
	}
	image->segment[image->nr_segments++] = (struct kernel_segment){
		.gpa = gpa,
		.file_offset = ph->p_offset,
		.file_size = ph->p_filesz,
		.mem_size = ph->p_memsz,
	};
	if (image->nr_segments == 1 || gpa < image->begin)
		image->begin = gpa;
	if (gpa + ph->p_memsz > image->end)
		image->end = gpa + ph->p_memsz;
	return 0;
}

int kernel_probe_elf(struct kernel_image *image, const struct kernel_file *file,
		     uint64_t ram_base, uint64_t ram_size)
{
	enum elf_rule rule = ELF_PHYSICAL;
	bool found = false;
	Elf32_Ehdr eh;
	int ret;

	ret = kernel_read(file, 0, &eh, sizeof(eh));
	if (ret)
		return ret;
	if (memcmp(eh.e_ident, ELFMAG, SELFMAG))
		return error_set(file->err, -ENOEXEC, "%s: is no ELF program", file->name);
	if (eh.e_ident[EI_CLASS] != ELFCLASS32 || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh.e_machine != EM_ARM || eh.e_type != ET_EXEC)
		return error_set(file->err, -ENOEXEC,
				 "%s: is no ELF program for 32-bit little-endian Arm", file->name);
	if (eh.e_phentsize != sizeof(Elf32_Phdr))
		return error_set(file->err, -ENOEXEC, "%s: has a damaged ELF header", file->name);

	ret = elf_choose(file, &eh, ram_base, ram_size, &rule);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		uint32_t entry = eh.e_entry & ~1u;
		uint64_t gpa;
		Elf32_Phdr ph;

		ret = elf_header(file, &eh, i, &ph);
		if (ret)
			return ret;
		if (!ph.p_memsz)
			continue;
		gpa = elf_place(&ph, rule, ram_base);
		ret = elf_segment(image, file, &ph, gpa);
		if (ret)
			return ret;
		if (image->nr_segments == 1)
			image->va_offset = (rule == ELF_MOVED ? ph.p_paddr : ph.p_vaddr) - gpa;
		/* The entry is a virtual address; the guest starts with its MMU off. */
		if (!found && entry >= ph.p_vaddr && entry - ph.p_vaddr < ph.p_memsz) {
			image->entry = eh.e_entry - ph.p_vaddr + gpa;
			found = true;
		}
	}
	if (!found)
		return error_set(file->err, -ENOEXEC, "%s: its entry 0x%x lies in no segment",
				 file->name, eh.e_entry);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "boot/kernel_elf.h"

static int elf_segment(struct kernel_image *image, const struct kernel_file *file,
		       const Elf32_Phdr *ph, uint64_t ram_base, uint64_t ram_size)
{
	uint64_t offset = (uint64_t)ph->p_paddr - ram_base;

	if (!ph->p_memsz)
		return 0;
	if (ph->p_filesz > ph->p_memsz)
		return error_set(file->err, -ENOEXEC, "%s: has a damaged ELF header", file->name);
	if (ph->p_offset > file->size || ph->p_filesz > file->size - ph->p_offset)
		return error_set(file->err, -EIO, "%s: is truncated", file->name);
	if (ph->p_paddr < ram_base || offset > ram_size || ph->p_memsz > ram_size - offset)
		return error_set(file->err, -E2BIG,
				 "%s: a segment at 0x%x, 0x%x bytes, lies outside of memory",
				 file->name, ph->p_paddr, ph->p_memsz);
	if (image->nr_segments == KERNEL_MAX_SEGMENTS)
		return error_set(file->err, -ENOEXEC, "%s: has more than %d segments", file->name,
				 KERNEL_MAX_SEGMENTS);
	for (unsigned int i = 0; i < image->nr_segments; i++) {
		const struct kernel_segment *other = &image->segment[i];

		if (ph->p_paddr < other->gpa + other->mem_size &&
		    other->gpa < (uint64_t)ph->p_paddr + ph->p_memsz)
			return error_set(file->err, -ENOEXEC, "%s: has segments that overlap",
					 file->name);
	}
	image->segment[image->nr_segments++] = (struct kernel_segment){
		.gpa = ph->p_paddr,
		.file_offset = ph->p_offset,
		.file_size = ph->p_filesz,
		.mem_size = ph->p_memsz,
	};
	if ((uint64_t)ph->p_paddr + ph->p_memsz > image->end)
		image->end = (uint64_t)ph->p_paddr + ph->p_memsz;
	return 0;
}

int kernel_probe_elf(struct kernel_image *image, const struct kernel_file *file,
		     uint64_t ram_base, uint64_t ram_size)
{
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

	image->entry = eh.e_entry;
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		uint32_t entry = eh.e_entry & ~1u;
		Elf32_Phdr ph;

		ret = kernel_read(file, (uint64_t)eh.e_phoff + i * sizeof(ph), &ph, sizeof(ph));
		if (ret)
			return ret;
		if (ph.p_type != PT_LOAD)
			continue;
		ret = elf_segment(image, file, &ph, ram_base, ram_size);
		if (ret)
			return ret;
		/* The entry is a virtual address; the guest starts with its MMU off. */
		if (!found && entry >= ph.p_vaddr && entry - ph.p_vaddr < ph.p_memsz) {
			image->entry = eh.e_entry - ph.p_vaddr + ph.p_paddr;
			found = true;
		}
	}
	if (!found)
		return error_set(file->err, -ENOEXEC, "%s: its entry 0x%x lies in no segment",
				 file->name, eh.e_entry);
	return 0;
}

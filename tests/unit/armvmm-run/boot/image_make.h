/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels and images for boot loaders, as their builds leave them. */
#ifndef TESTS_UNIT_ARMVMM_RUN_IMAGE_MAKE_H
#define TESTS_UNIT_ARMVMM_RUN_IMAGE_MAKE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

/* As a build leaves it: header, table at 0x400, unpacked size in the last word. */
struct zimage {
	uint32_t word[512];
};

static inline void make_zimage(struct zimage *z, uint32_t size, uint32_t unpacked, uint32_t bss,
			       uint32_t text_offset)
{
	memset(z, 0, sizeof(*z));
	for (int i = 0; i < 8; i++)
		z->word[i] = 0xe1a00000;
	z->word[9] = 0x016f2818;
	z->word[10] = 0;
	z->word[11] = size;
	z->word[12] = 0x04030201;
	z->word[13] = 0x45454545;
	z->word[14] = 0x400;
	z->word[256] = 6;
	z->word[257] = 0x5a534c4b;
	z->word[258] = 0x500;
	z->word[259] = bss;
	z->word[260] = text_offset;
	z->word[261] = 0x10000;
	z->word[262] = 0;
	z->word[320] = unpacked;
}

static inline void make_be32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = value >> (24 - 8 * i);
}

/*
 * Writes U-Boot's header of 64 bytes into @u, for the @len bytes behind it, with both checksums. If
 * @len is more than there is, the checksums are wrong.
 */
static inline void make_uimage(uint8_t *u, uint32_t len, uint8_t arch, uint8_t type, uint8_t comp)
{
	memset(u, 0, 64);
	make_be32(u, 0x27051956);
	make_be32(u + 12, len);
	u[29] = arch;
	u[30] = type;
	u[31] = comp;
	make_be32(u + 24, crc32(0, u + 64, len));
	make_be32(u + 4, crc32(0, u, 64));
}

/* A program in two segments, linked to virtual addresses. */
struct elf {
	Elf32_Ehdr eh;
	Elf32_Phdr ph[20];
	uint8_t data[256];
};

static inline void make_elf(struct elf *e)
{
	memset(e, 0, sizeof(*e));
	memcpy(e->eh.e_ident, ELFMAG "\x01\x01\x01", 7);
	e->eh.e_type = ET_EXEC;
	e->eh.e_machine = EM_ARM;
	e->eh.e_entry = 0xc0008011;	/* virtual, Thumb */
	e->eh.e_phoff = offsetof(struct elf, ph);
	e->eh.e_phentsize = sizeof(Elf32_Phdr);
	e->eh.e_phnum = 2;
	e->ph[0] = (Elf32_Phdr){ .p_type = PT_LOAD, .p_offset = offsetof(struct elf, data),
				 .p_vaddr = 0xc0008000, .p_paddr = 0x40008000, .p_filesz = 200,
				 .p_memsz = 0x1000 };
	e->ph[1] = (Elf32_Phdr){ .p_type = PT_LOAD, .p_offset = offsetof(struct elf, data),
				 .p_vaddr = 0xc0100000, .p_paddr = 0x40100000, .p_filesz = 0,
				 .p_memsz = 0x2000 };
}

#endif /* TESTS_UNIT_ARMVMM_RUN_IMAGE_MAKE_H */

// SPDX-License-Identifier: GPL-2.0-only
#include <elf.h>
#include <string.h>

#include "snapshot/elfcore.h"

/* Which registers there are: debuggers look for it in the auxiliary vector (asm/hwcap.h). */
#define ELFCORE_HWCAP_VFP	(1u << 6)
#define ELFCORE_HWCAP_NEON	(1u << 12)
#define ELFCORE_HWCAP_VFPV3	(1u << 13)
#define ELFCORE_HWCAP_VFPV3D16	(1u << 14)

/* Linux's struct elf_prstatus for 32-bit Arm, of which few fields mean anything here. */
struct elfcore_prstatus {
	uint32_t info[3];
	uint16_t signal, unused;
	uint32_t pending, held;
	uint32_t pid, ppid, pgrp, sid;
	uint32_t times[8];
	uint32_t r[16], cpsr, r0_of_call;
	uint32_t fp_valid;
};

/* And the registers of its VFP: struct user_vfp, as PTRACE_GETVFPREGS has them. */
struct elfcore_vfp {
	uint64_t d[32];
	uint32_t fpscr;
} __attribute__((packed));

struct elfcore_out {
	uint8_t *head;
	size_t len;
};

static void elfcore_put(struct elfcore_out *out, const void *data, size_t len)
{
	memcpy(out->head + out->len, data, len);
	out->len += len;
}

/* The name and the contents each end at a multiple of four bytes. */
static void elfcore_note(struct elfcore_out *out, const char *name, uint32_t type,
			 const void *data, size_t len)
{
	const Elf32_Nhdr note = { .n_namesz = strlen(name) + 1, .n_descsz = len, .n_type = type };

	elfcore_put(out, &note, sizeof(note));
	elfcore_put(out, name, note.n_namesz);
	out->len = (out->len + 3) & ~3u;
	elfcore_put(out, data, len);
	out->len = (out->len + 3) & ~3u;
}

static void elfcore_cpu(struct elfcore_out *out, const struct elfcore_cpu *cpu, uint32_t pid)
{
	struct elfcore_prstatus status = { .pid = pid, .cpsr = cpu->cpsr };
	struct elfcore_vfp vfp = { .fpscr = cpu->fpscr };

	_Static_assert(sizeof(status) == 148, "struct elf_prstatus of 32-bit Arm");
	memcpy(status.r, cpu->r, sizeof(status.r));
	elfcore_note(out, "CORE", NT_PRSTATUS, &status, sizeof(status));
	if (!cpu->nr_d)
		return;
	memcpy(vfp.d, cpu->d, sizeof(vfp.d));
	elfcore_note(out, "LINUX", NT_ARM_VFP, &vfp, sizeof(vfp));
}

static uint32_t elfcore_hwcap(const struct elfcore_cpu *cpu)
{
	switch (cpu->nr_d) {
	case 0:
		return 0;
	case 32:
		return ELFCORE_HWCAP_VFP | ELFCORE_HWCAP_VFPV3 | ELFCORE_HWCAP_NEON;
	default:
		return ELFCORE_HWCAP_VFP | ELFCORE_HWCAP_VFPV3 | ELFCORE_HWCAP_VFPV3D16;
	}
}

static void elfcore_notes(struct elfcore_out *out, const struct elfcore *core)
{
	const uint32_t auxv[] = { AT_HWCAP, elfcore_hwcap(&core->cpu[0]), AT_NULL, 0 };

	for (unsigned int i = 0; i < core->nr_cpus; i++)
		elfcore_cpu(out, &core->cpu[i], i + 1);
	elfcore_note(out, "CORE", NT_AUXV, auxv, sizeof(auxv));
}

void elfcore_add(struct elfcore *core, uint64_t gpa, uint64_t size)
{
	core->range[core->nr_ranges++] = (struct elfcore_range){ .gpa = gpa, .size = size };
}

/* Places the ranges behind @at. Returns the file's length. */
static uint64_t elfcore_place(struct elfcore *core, uint64_t at)
{
	uint64_t end = at;

	for (unsigned int i = 0; i < core->nr_ranges; i++) {
		struct elfcore_range *r = &core->range[i];

		at = (end + ELFCORE_ALIGN - 1) & ~(uint64_t)(ELFCORE_ALIGN - 1);
		/* Debuggers that map the file want both to agree in the lowest bits. */
		r->at = at + r->gpa % ELFCORE_ALIGN;
		end = r->at + r->size;
	}
	return end;
}

static void elfcore_segments(struct elfcore_out *out, const struct elfcore *core, uint32_t notes,
			     uint32_t notes_len)
{
	const Elf32_Phdr note = { .p_type = PT_NOTE, .p_offset = notes, .p_filesz = notes_len };

	elfcore_put(out, &note, sizeof(note));
	for (unsigned int i = 0; i < core->nr_ranges; i++) {
		const struct elfcore_range *r = &core->range[i];
		const Elf32_Phdr load = {
			.p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X, .p_align = ELFCORE_ALIGN,
			.p_offset = r->at, .p_vaddr = r->gpa, .p_paddr = r->gpa,
			.p_filesz = r->size, .p_memsz = r->size,
		};

		elfcore_put(out, &load, sizeof(load));
	}
}

size_t elfcore_head(struct elfcore *core, uint8_t head[ELFCORE_HEAD_MAX])
{
	uint32_t notes = sizeof(Elf32_Ehdr) + (1 + core->nr_ranges) * sizeof(Elf32_Phdr);
	struct elfcore_out out = { .head = head, .len = notes };
	const Elf32_Ehdr ehdr = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_CORE, .e_machine = EM_ARM, .e_version = EV_CURRENT,
		.e_phoff = sizeof(ehdr), .e_flags = EF_ARM_EABI_VER5, .e_ehsize = sizeof(ehdr),
		.e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 1 + core->nr_ranges,
	};
	size_t notes_end;

	memset(head, 0, ELFCORE_HEAD_MAX);
	elfcore_notes(&out, core);
	notes_end = out.len;
	out.len = 0;
	elfcore_put(&out, &ehdr, sizeof(ehdr));
	if (elfcore_place(core, notes_end) > UINT32_MAX)
		return 0;
	elfcore_segments(&out, core, notes, notes_end - notes);
	return (notes_end + ELFCORE_ALIGN - 1) & ~(size_t)(ELFCORE_ALIGN - 1);
}

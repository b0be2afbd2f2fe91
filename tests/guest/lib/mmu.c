// SPDX-License-Identifier: GPL-2.0-only
/* Flat stage-1 maps in both table formats (DDI 0406C B3.5, B3.6). */
#include "lib.h"

#define SCTLR_M		(1u << 0)
#define SCTLR_A		(1u << 1)
#define SCTLR_C		(1u << 2)
#define SCTLR_Z		(1u << 11)
#define SCTLR_I		(1u << 12)
#define SCTLR_V		(1u << 13)

/* Short descriptors: sections with TEX remap off, domain 0, AP full access. */
#define SECT		0x00000c02u
#define SECT_NORMAL	0x0001100cu	/* S, TEX 1, C, B */
#define SECT_DEVICE	0x00000014u	/* B, XN */
#define PAGE		0x00000032u	/* small page, AP full access */
#define PAGE_NORMAL	0x0000044cu	/* S, TEX 1, C, B */
#define PAGE_NC		0x00000440u	/* S, TEX 1 */
#define PAGE_DEVICE	0x00000005u	/* B, XN */

#define L2_TABLES	16
static u32 l2_tables[L2_TABLES][256] __attribute__((aligned(1024)));
static u32 l2_used;

static u64 lpae_l1[4] __attribute__((aligned(64)));
static u64 lpae_l2[512] __attribute__((aligned(4096)));
static u64 lpae_l3[512] __attribute__((aligned(4096)));

static void sctlr_set(u32 set, u32 clear)
{
	u32 v = CP15_READ(0, c1, c0, 0);

	dsb();
	CP15_WRITE(0, c1, c0, 0, (v | set) & ~clear);
	isb();
}

static void tlb_flush_local(void)
{
	dsb();
	CP15_WRITE(0, c8, c7, 0, 0);	/* TLBIALL */
	CP15_WRITE(0, c7, c5, 0, 0);	/* ICIALLU */
	CP15_WRITE(0, c7, c5, 6, 0);	/* BPIALL */
	dsb();
	isb();
}

static void build_short(void)
{
	if (page_table[0])
		return;
	for (u32 i = 0; i < 4096; i++) {
		bool ram = i >= RAM_BASE >> 20 && i < 0xc00;

		page_table[i] = i << 20 | SECT | (ram ? SECT_NORMAL : SECT_DEVICE);
	}
	cache_clean_inval(page_table, sizeof(page_table));
}

/*
 * The return address of the function that turns the caches on or off is on the stack. No cache line
 * may hide it, or be the only place that has it.
 */
static void stack_clean_inval(void)
{
	cache_clean_inval((char *)__builtin_frame_address(0) - 256, 1024);
}

void mmu_on(void)
{
	build_short();
	sctlr_set(0, SCTLR_M);
	CP15_WRITE(0, c2, c0, 2, 0);				/* TTBCR: short, TTBR0 only */
	CP15_WRITE(0, c2, c0, 0, (u32)page_table | 0x4a);	/* write-back shareable walks */
	CP15_WRITE(0, c3, c0, 0, 1);				/* DACR: client of domain 0 */
	isb();
	tlb_flush_local();
	stack_clean_inval();
	sctlr_set(SCTLR_M | SCTLR_C | SCTLR_I | SCTLR_Z, SCTLR_V | SCTLR_A);
}

void mmu_off(void)
{
	/* The caller must clean all other dirty data that will be read: only it knows which. */
	stack_clean_inval();
	sctlr_set(0, SCTLR_M | SCTLR_C);
	tlb_flush_local();
}

void mmu_lpae_on(void)
{
	for (u32 i = 0; i < 4; i++) {
		bool ram = i == 1 || i == 2;

		/* A block: AF, inner shareable, AP full access, attribute 0 or 1. */
		lpae_l1[i] = (u64)i << 30 | 0x701 | (ram ? 1u << 2 : 0);
		if (!ram)
			lpae_l1[i] |= 1ull << 54;		/* XN */
	}
	/* The first GiB of RAM in blocks of 2 MiB, the first block in pages. */
	for (u32 i = 0; i < 512; i++) {
		lpae_l2[i] = (RAM_BASE + (i << 21)) | 0x705;
		lpae_l3[i] = (RAM_BASE + (i << 12)) | 0x707;
	}
	lpae_l2[0] = (u32)lpae_l3 | 3;
	lpae_l1[1] = (u32)lpae_l2 | 3;
	cache_clean_inval(lpae_l1, sizeof(lpae_l1));
	cache_clean_inval(lpae_l2, sizeof(lpae_l2));
	cache_clean_inval(lpae_l3, sizeof(lpae_l3));
	sctlr_set(0, SCTLR_M);
	CP15_WRITE(0, c10, c2, 0, 0x0000ff04);	/* MAIR0: 0 Device, 1 write-back */
	CP15_WRITE(0, c10, c2, 1, 0);
	CP15_WRITE(0, c2, c0, 2, 1u << 31 | 0x3500);	/* EAE, shareable write-back walks */
	CP15_WRITE64(0, c2, (u32)lpae_l1);
	isb();
	tlb_flush_local();
	sctlr_set(SCTLR_M | SCTLR_C | SCTLR_I | SCTLR_Z, SCTLR_V | SCTLR_A);
}

static void map_page(u32 va, u32 pa, u32 kind)
{
	u32 *l2, desc = 0;

	if ((page_table[va >> 20] & 3) == 2) {
		if (l2_used == L2_TABLES)
			guest_bail("no level 2 table left");
		l2 = l2_tables[l2_used++];
		for (u32 i = 0; i < 256; i++) {
			u32 a = (va & 0xfff00000) | i << 12;
			bool ram = a >= RAM_BASE && a < 0xc0000000;

			l2[i] = a | PAGE | (ram ? PAGE_NORMAL : PAGE_DEVICE);
		}
		cache_clean_inval(l2, sizeof(l2_tables[0]));
		page_table[va >> 20] = (u32)l2 | 1;
		cache_clean_inval(&page_table[va >> 20], 4);
		CP15_WRITE(0, c8, c3, 0, 0);		/* TLBIALLIS: the section is gone */
	}
	l2 = (u32 *)(page_table[va >> 20] & ~0x3ffu);
	switch (kind) {
	case MMU_NORMAL:
		desc = pa | PAGE | PAGE_NORMAL;
		break;
	case MMU_NC:
		desc = pa | PAGE | PAGE_NC;
		break;
	case MMU_DEVICE:
		desc = pa | PAGE | PAGE_DEVICE;
		break;
	}
	l2[va >> 12 & 0xff] = desc;
	cache_clean_inval(&l2[va >> 12 & 0xff], 4);
}

void mmu_map(u32 va, u32 pa, u32 kind)
{
	map_page(va, pa, kind);
	dsb();
	CP15_WRITE(0, c8, c3, 3, va & ~0xfffu);		/* TLBIMVAAIS */
	dsb();
	isb();
}

void mmu_map_nobroadcast(u32 va, u32 pa, u32 kind)
{
	map_page(va, pa, kind);
	dsb();
	CP15_WRITE(0, c8, c7, 3, va & ~0xfffu);		/* TLBIMVAA */
	dsb();
	isb();
}

void cache_clean_inval(const void *p, u32 len)
{
	u32 line = 4u << (CP15_READ(0, c0, c0, 1) >> 16 & 15);	/* CTR.DminLine */
	u32 a = (u32)p & ~(line - 1), end = (u32)p + len;

	for (; a < end; a += line)
		CP15_WRITE(0, c7, c14, 1, a);			/* DCCIMVAC */
	dsb();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs of hypfuzz: random instructions of each class that HYP mode and the module handle,
 * in A32 and T32. The encodings are from DDI 0406C A5 to A7, A8.8 and B9.3.
 */
#include "hypfuzz.h"

const char *const kind_names[KIND_KINDS] = {
	"mix", "cp15", "cp14", "fp", "psci", "mmio", "status", "noise",
};

/* An encoding: @value where @mask has ones, and anything elsewhere. */
struct form {
	uint32_t value, mask;
};

#define NR(a)	((uint32_t)(sizeof(a) / sizeof((a)[0])))

/* --- A32: without a condition, unless the form has 1111 there --- */

static const struct form a32_cp15[] = {
	{ 0x0e000f10, 0x0f000f10 },	/* MRC, MCR */
	{ 0x0e000f10, 0x0f000f10 },
	{ 0x0c400f00, 0x0fe00f00 },	/* MRRC, MCRR */
	{ 0x0c000f00, 0x0e000f00 },	/* LDC, STC */
	{ 0x0e000f00, 0x0f000f10 },	/* CDP */
	{ 0x0e070f10, 0x0fef0f10 },	/* c7, c8: operations */
	{ 0x0e080f10, 0x0fef0f10 },
	{ 0x0e090f10, 0x0fef0f10 },	/* the PMU */
	{ 0x0e0e0f10, 0x0fef0f10 },	/* timers */
	{ 0x0e0f0f10, 0x0fef0f10 },	/* as the part defines it */
	{ 0xfe000f10, 0xff000f10 },	/* MRC2, MCR2 */
	{ 0xfc000f00, 0xfe000f00 },
};
static const struct form a32_cp14[] = {
	{ 0x0e000e10, 0x0f000f10 },
	{ 0x0e000e10, 0x0fe00f10 },	/* opc1 0: debug */
	{ 0x0e200e10, 0x0fe00f10 },	/* trace */
	{ 0x0ec00e10, 0x0fe00f10 },	/* ThumbEE */
	{ 0x0ee00e10, 0x0fe00f10 },	/* Jazelle */
	{ 0x0c400e00, 0x0fe00f00 },
	{ 0x0c000e00, 0x0e000f00 },
	{ 0x0e000e00, 0x0f000f10 },
	{ 0x01200020, 0x0ff000f0 },	/* BXJ */
	{ 0x01200070, 0xfff000f0 },	/* BKPT; a condition other than AL is UNPREDICTABLE */
};
static const struct form a32_fp[] = {
	{ 0x0ee00a10, 0x0fe00fff },	/* VMRS, VMSR */
	{ 0x0e000a00, 0x0f000e00 },	/* data, and transfers */
	{ 0x0c000a00, 0x0e000e00 },	/* loads and stores */
	{ 0xf2000000, 0xfe000000 },	/* SIMD */
	{ 0xf4000000, 0xff100000 },	/* its loads and stores */
	{ 0x0c000000, 0x0c000000 },	/* any coprocessor */
};
static const struct form a32_call[] = {
	{ 0x01400070, 0x0ff000f0 },	/* HVC */
	{ 0x01600070, 0x0ff000f0 },	/* SMC */
	{ 0xe1400070, 0xffffffff },	/* as people write them */
	{ 0xe1600070, 0xffffffff },
	{ 0x0f000000, 0x0f000000 },	/* SVC */
	{ 0x0320f002, 0x0ffffffe },	/* WFE, WFI */
	{ 0x0320f004, 0x0fffffff },	/* SEV */
};
static const struct form a32_memory[] = {
	{ 0x04000000, 0x0e000000 },	/* LDR, STR of words and bytes */
	{ 0x06000000, 0x0e000010 },
	{ 0x00000090, 0x0e000090 },	/* halfwords, signed, pairs; multiplications */
	{ 0x000000b0, 0x0e0000f0 },
	{ 0x000000d0, 0x0e0000f0 },
	{ 0x08000000, 0x0e000000 },	/* LDM, STM; literal: an encoding */
	{ 0x01800f90, 0x0f800ff0 },	/* exclusive */
	{ 0x01000090, 0x0fb00ff0 },	/* SWP */
	{ 0x0c000a00, 0x0e000e00 },
	{ 0xf450f000, 0xff70f000 },	/* PLI, PLD */
	{ 0xf57ff000, 0xffffff00 },	/* CLREX, barriers */
};
static const struct form a32_status[] = {
	{ 0x01000000, 0x0fb00eff },	/* MRS */
	{ 0x01000200, 0x0fb00eff },	/* of banked registers, HYP's too */
	{ 0x0120f000, 0x0fb0fff0 },	/* MSR */
	{ 0x0120f200, 0x0fb0fef0 },
	{ 0x0320f000, 0x0fb0f000 },	/* of a number; hints */
	{ 0x0160006e, 0x0fffffff },	/* ERET */
	{ 0xf1000000, 0xfff1fe20 },	/* CPS */
	{ 0xf1010000, 0xfffffdff },	/* SETEND */
	{ 0xf8100a00, 0xfe50ffff },	/* RFE */
	{ 0xf84d0500, 0xfe5fffe0 },	/* SRS */
	{ 0x01b0f000, 0x0ff0f000 },	/* MOVS pc */
	{ 0x012fff10, 0x0fffffd0 },	/* BX, BLX */
	{ 0xfa000000, 0xfefffff0 },	/* BLX, to T32 */
	{ 0x0a000000, 0x0efffff0 },	/* branches, a few words on; literal: an encoding */
};
static const struct form a32_noise[] = {
	{ 0, 0 },
	{ 0, 0x0c000000 },		/* data processing, so that registers change */
	{ 0x06000010, 0x0e000010 },	/* media */
	{ 0x07f000f0, 0x0ff000f0 },	/* UDF */
	{ 0xf0000000, 0xf0000000 },
};

/* --- T32: of 16 bits where the upper half of the mask is 0 --- */

/* MRC and the like are as in A32, with a condition of 1110 or 1111. */
static const struct form t32_memory[] = {
	{ 0x5000, 0xf000 }, { 0x6000, 0xe000 }, { 0x8000, 0xe000 },
	{ 0xb400, 0xf600 },		/* PUSH, POP */
	{ 0xc000, 0xf000 },		/* LDM, STM */
	{ 0xf8000000, 0xfe000000 },	/* one register */
	{ 0xf8000000, 0xfe800000 },
	{ 0xe8400000, 0xfe400000 },	/* pairs, exclusive, table branches */
	{ 0xe8000000, 0xfe400000 },	/* several; RFE, SRS */
	{ 0xf3b08f00, 0xfff0ff00 },	/* CLREX, barriers */
};
static const struct form t32_call[] = {
	{ 0xf7e08000, 0xfff0f000 },	/* HVC */
	{ 0xf7f08000, 0xfffff000 },	/* SMC */
	{ 0xf7f08000, 0xfff0f000 },
	{ 0xdf00, 0xff00 },		/* SVC */
	{ 0xbf20, 0xffef },		/* WFE, WFI */
	{ 0xbf40, 0xffff },
};
static const struct form t32_status[] = {
	{ 0xf3808000, 0xff80d000 },	/* MSR, MRS, hints, CPS, ERET */
	{ 0xf3e08000, 0xffe0f0df },	/* MRS */
	{ 0xf3808000, 0xffe0f0df },	/* MSR */
	{ 0xf3af8000, 0xfffff800 },	/* CPS */
	{ 0xb660, 0xffe8 },		/* CPS of 16 bits */
	{ 0xb650, 0xfff7 },		/* SETEND */
	{ 0xbf00, 0xff00 },		/* IT, hints */
	{ 0xf3de8f00, 0xffffff00 },	/* SUBS pc, lr; ERET */
	{ 0x4700, 0xff07 },		/* BX, BLX */
	{ 0xd000, 0xf0f8 },		/* branches */
	{ 0xbe00, 0xff00 },		/* BKPT */
	{ 0xf3c08f00, 0xfff0ffff },	/* BXJ */
};
static const struct form t32_noise[] = {
	{ 0, 0xc000 }, { 0, 0xe000 }, { 0x4000, 0xe000 }, { 0xb000, 0xf000 },
	{ 0xf0000000, 0xf8008000 },	/* data processing of a number */
	{ 0xe8000000, 0xf8000000 }, { 0xf0000000, 0xf8000000 }, { 0xf8000000, 0xf8000000 },
	{ 0xde00, 0xff00 },		/* UDF */
};

/* Registers that mean something: CRn, opc1, CRm, opc2. */
static const uint8_t known_cp15[][4] = {
	{ 0, 0, 0, 0 }, { 0, 0, 0, 1 }, { 0, 0, 0, 5 }, { 0, 0, 1, 1 }, { 0, 1, 0, 0 },
	{ 0, 1, 0, 1 }, { 0, 2, 0, 0 }, { 0, 4, 0, 0 }, { 0, 4, 0, 5 }, { 1, 0, 0, 0 },
	{ 1, 0, 0, 1 }, { 1, 0, 0, 2 }, { 1, 0, 1, 0 }, { 1, 0, 1, 1 }, { 1, 4, 0, 0 },
	{ 1, 4, 1, 0 }, { 1, 4, 1, 1 }, { 1, 4, 1, 2 }, { 1, 4, 1, 3 }, { 2, 0, 0, 0 },
	{ 2, 0, 0, 1 }, { 2, 0, 0, 2 }, { 2, 4, 0, 2 }, { 2, 4, 1, 2 }, { 3, 0, 0, 0 },
	{ 5, 0, 0, 0 }, { 5, 0, 0, 1 }, { 5, 0, 1, 0 }, { 5, 4, 2, 0 }, { 6, 0, 0, 0 },
	{ 6, 0, 0, 2 }, { 6, 4, 0, 4 }, { 7, 0, 1, 0 }, { 7, 0, 1, 6 }, { 7, 0, 4, 0 },
	{ 7, 0, 5, 0 }, { 7, 0, 5, 6 }, { 7, 0, 6, 2 }, { 7, 0, 8, 0 }, { 7, 0, 8, 3 },
	{ 7, 0, 8, 4 }, { 7, 4, 8, 0 }, { 7, 0, 10, 2 }, { 7, 0, 14, 1 }, { 7, 0, 14, 2 },
	{ 8, 0, 3, 0 }, { 8, 0, 7, 0 }, { 8, 0, 7, 2 }, { 8, 4, 3, 4 }, { 8, 4, 7, 0 },
	{ 9, 0, 12, 0 }, { 9, 0, 12, 1 }, { 9, 0, 12, 5 }, { 9, 0, 13, 0 }, { 9, 0, 13, 1 },
	{ 9, 0, 14, 0 }, { 9, 1, 0, 2 }, { 9, 1, 0, 3 }, { 10, 0, 2, 0 }, { 10, 0, 2, 1 },
	{ 10, 4, 2, 0 }, { 12, 0, 0, 0 }, { 12, 0, 1, 0 }, { 12, 4, 0, 0 }, { 13, 0, 0, 0 },
	{ 13, 0, 0, 1 }, { 13, 0, 0, 2 }, { 13, 0, 0, 4 }, { 13, 4, 0, 2 }, { 14, 0, 0, 0 },
	{ 14, 0, 1, 0 }, { 14, 0, 2, 0 }, { 14, 0, 2, 1 }, { 14, 0, 3, 0 }, { 14, 0, 3, 1 },
	{ 14, 4, 1, 0 }, { 14, 4, 2, 1 }, { 15, 0, 0, 0 }, { 15, 4, 0, 0 },
};

/* --- making them --- */

struct maker {
	struct program *p;
	struct dice *d;
	uint32_t at;	/* halfwords */
};

#define ROOM	(2 * PROGRAM_WORDS - 20)	/* halfwords: the rest ends the program */

static void put16(struct maker *m, uint32_t half)
{
	((uint16_t *)m->p->word)[m->at++] = (uint16_t)half;
}

static void put(struct maker *m, uint32_t word)
{
	if (m->p->thumb) {
		put16(m, word >> 16);
		put16(m, word);
	} else {
		m->p->word[m->at / 2] = word;
		m->at += 2;
	}
}

/* An A32 condition: mostly "always"; a form with 1111 has it. In T32, 1110 or 1111. */
static uint32_t with_condition(struct maker *m, uint32_t word, uint32_t mask)
{
	if (mask >> 28)
		return word;
	word &= 0x0fffffff;
	if (m->p->thumb || !one_in(m->d, 8))
		return word | 0xe0000000;
	return word | below(m->d, 15) << 28;
}

static uint32_t fill(struct maker *m, const struct form *f)
{
	return f->value | ((uint32_t)roll(m->d) & ~f->mask);
}

static void put_form(struct maker *m, const struct form *forms, uint32_t nr)
{
	const struct form *f = &forms[below(m->d, nr)];
	uint32_t word = fill(m, f);

	if (m->p->thumb && !(f->mask >> 16))
		put16(m, word);
	else if (m->p->thumb)
		put(m, word);
	else
		put(m, with_condition(m, word, f->mask));
}

/* A coprocessor's: the same in both, but for the condition and SIMD. */
static void put_coproc(struct maker *m, const struct form *forms, uint32_t nr)
{
	const struct form *f = &forms[below(m->d, nr)];
	uint32_t word = with_condition(m, fill(m, f), f->mask);

	if (m->p->thumb && (word & 0xfe000000) == 0xf2000000)
		word = 0xef000000 | (word & 0x00ffffff) | (word & 0x01000000) << 4;
	else if (m->p->thumb && (word & 0xff000000) == 0xf4000000)
		word = 0xf9000000 | (word & 0x00ffffff);
	else if (m->p->thumb && word >> 26 != 0x3b && word >> 26 != 0x3f)
		word = 0xee000f10 | (word & 0x00fff0ef);
	put(m, word);
}

/* MOVW and MOVT. */
static void put_number(struct maker *m, uint32_t reg, uint32_t value)
{
	for (uint32_t top = 0; top < 2; top++, value >>= 16) {
		uint32_t v = value & 0xffff;

		if (m->p->thumb)
			put(m, 0xf2400000 | top << 23 | (v >> 12) << 16 | (v >> 11 & 1) << 26 |
			    (v >> 8 & 7) << 12 | reg << 8 | (v & 0xff));
		else
			put(m, 0xe3000000 | top << 22 | (v >> 12) << 16 | reg << 12 | (v & 0xfff));
	}
}

static uint32_t device_address(struct dice *d)
{
	static const struct { uint32_t base, size; } place[] = {
		{ GICD_BASE, 0x1000 }, { GICD_BASE + 0xf00, 16 }, { GICD_BASE + 0x100, 0x300 },
		{ GICC_BASE, 0x2000 }, { GICC_BASE, 0x20 }, { MIRRORS, 0x40 }, { ZONES, 0x120 },
		{ DOORBELL, 16 }, { DONE + 0x100, 0x100 }, { SLOT_READONLY, SLOT_SIZE },
		{ SLOT_LOGGED, SLOT_SIZE }, { SLOT_EDGE - 8, PAGE + 16 }, { GICV2M_BASE, 0x1000 },
		{ GICH_BASE, 0x20000 }, { 0, GICD_BASE }, { 0xfffffff0, 16 },
		{ RAM_BASE + RAM_SIZE - 16, 32 },
	};
	uint32_t i = below(d, NR(place)), address = place[i].base + below(d, place[i].size);

	return one_in(d, 4) ? address : address & ~3u;
}

uint32_t program_value(struct dice *d)
{
	switch (below(d, 8)) {
	case 0:
	case 1:
	case 2:
		return device_address(d);
	case 3:
		return RAM_BASE + below(d, RAM_SIZE / 4) * 4;
	case 4:
		return RAM_BASE + 0x10000 * (1 + below(d, 2)) + below(d, PAGE);
	case 5:
		return 1u << below(d, 32);
	case 6:
		return below(d, 64);
	default:
		return (uint32_t)roll(d);
	}
}

/* SMCCC: PSCI of both kinds, the architecture's, anybody's. */
static uint32_t function_id(struct dice *d)
{
	static const uint32_t base[] = {
		0x84000000, 0x84000000, 0x84000000, 0x80000000, 0x80008000, 0x80007ffe,
		0x95c1ba5e, 0xc4000000, 0x86000000,
	};

	return one_in(d, 16) ? (uint32_t)roll(d) : base[below(d, NR(base))] + below(d, 24);
}

static void put_psci(struct maker *m)
{
	put_number(m, 0, function_id(m->d));
	if (one_in(m->d, 2))
		put_number(m, 1, below(m->d, 4));
	if (one_in(m->d, 2))
		put_number(m, 2, program_value(m->d));
	if (m->p->thumb)
		put_form(m, t32_call, NR(t32_call));
	else
		put_form(m, a32_call, NR(a32_call));
}

/* A load or store of any form whose base is the address of a device. */
static void put_access(struct maker *m)
{
	uint32_t base = below(m->d, 8), at = m->at;
	uint16_t *half = (uint16_t *)m->p->word;

	put_number(m, base, device_address(m->d));
	at = m->at;
	if (m->p->thumb) {
		put_form(m, t32_memory, NR(t32_memory));
		/* Rn is in the first halfword of 32 bits, or in bits 5 to 3 of most of 16. */
		if (m->at == at + 2)
			half[at] = (uint16_t)((half[at] & ~15u) | base);
		else if (half[at] >> 12 == 0xc)
			half[at] = (uint16_t)((half[at] & ~0x700u) | base << 8);
		else if (half[at] >> 12 < 0xa)
			half[at] = (uint16_t)((half[at] & ~0x38u) | base << 3);
	} else {
		uint32_t *word = &m->p->word[at / 2];

		put_form(m, a32_memory, NR(a32_memory));
		*word = (*word & ~0xf0000u) | base << 16;
	}
}

static void put_known(struct maker *m)
{
	const uint8_t *r = known_cp15[below(m->d, NR(known_cp15))];

	put(m, with_condition(m, 0x0e000f10 | (uint32_t)r[1] << 21 | below(m->d, 2) << 20 |
			      (uint32_t)r[0] << 16 | below(m->d, 15) << 12 |
			      (uint32_t)r[3] << 5 | r[2], 0));
}

static void put_kind(struct maker *m, enum kind kind)
{
	switch (kind) {
	case KIND_CP15:
		if (one_in(m->d, 2))
			put_known(m);
		else
			put_coproc(m, a32_cp15, NR(a32_cp15));
		break;
	case KIND_CP14:
		put_coproc(m, a32_cp14, NR(a32_cp14));
		break;
	case KIND_FP:
		put_coproc(m, a32_fp, NR(a32_fp));
		break;
	case KIND_PSCI:
		put_psci(m);
		break;
	case KIND_MMIO:
		put_access(m);
		break;
	case KIND_STATUS:
		if (m->p->thumb)
			put_form(m, t32_status, NR(t32_status));
		else
			put_form(m, a32_status, NR(a32_status));
		break;
	default:
		if (m->p->thumb)
			put_form(m, t32_noise, NR(t32_noise));
		else
			put_form(m, a32_noise, NR(a32_noise));
	}
}

void program_make(struct program *p, struct dice *d)
{
	struct maker m = { .p = p, .d = d };

	p->kind = below(d, KIND_KINDS);
	p->thumb = one_in(d, 3);
	memset(p->word, 0, sizeof(p->word));
	while (m.at < ROOM - 14) {
		enum kind kind = p->kind;

		/* Some of all else, in programs of each kind. */
		if (kind == KIND_MIX || one_in(d, 4))
			kind = KIND_CP15 + below(d, KIND_KINDS - 1);
		if (one_in(d, 8))
			put_number(&m, below(d, 13), program_value(d));
		put_kind(&m, kind);
	}
	/* str r0, [r1], once for each alignment of what comes before. */
	while (m.at < ROOM)
		if (p->thumb)
			put16(&m, 0xbf00);
		else
			put(&m, 0xe320f000);
	put_number(&m, 1, DONE);
	for (unsigned int i = 0; i < 4; i++)
		if (p->thumb)
			put16(&m, 0x6008);
		else
			put(&m, 0xe5810000);
}

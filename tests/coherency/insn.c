// SPDX-License-Identifier: GPL-2.0-only
#include "insn.h"

/* The coprocessor space: A32 and T32 encode it alike, except for the condition. */
static struct insn insn_coproc(uint32_t bits)
{
	struct insn i = { .kind = INSN_OTHER, .cond = 14, .cp = bits >> 8 & 0xf };

	if (i.cp == 10 || i.cp == 11) {
		i.kind = INSN_FP;
		return i;
	}
	if ((bits & 0x0fe00000) == 0x0c400000) {
		i.kind = bits & 0x00100000 ? INSN_MRRC : INSN_MCRR;
		i.rt = bits >> 12 & 0xf;
		i.rt2 = bits >> 16 & 0xf;
		i.reg = CP_REG64(bits >> 4 & 0xf, bits & 0xf);
	} else if ((bits & 0x0f000010) == 0x0e000010) {
		i.kind = bits & 0x00100000 ? INSN_MRC : INSN_MCR;
		i.rt = bits >> 12 & 0xf;
		i.reg = CP_REG(bits >> 16 & 0xf, bits >> 21 & 7, bits & 0xf, bits >> 5 & 7);
	}
	return i;
}

static enum insn_kind insn_barrier(uint32_t bits)
{
	switch (bits >> 4 & 0xf) {
	case 4:
		return INSN_DSB;
	case 5:
		return INSN_DMB;
	case 6:
		return INSN_ISB;
	}
	return INSN_OTHER;
}

static struct insn insn_thumb(uint32_t bits)
{
	struct insn i = { .kind = INSN_OTHER, .cond = 14 };

	if ((bits & 0xfffff000) == 0xf3bf8000)
		i.kind = insn_barrier(bits);
	else if (bits == 0xf3de8f00)
		i.kind = INSN_ERET;
	else if ((bits & 0xef000000) == 0xef000000 || (bits & 0xff100000) == 0xf9000000)
		i.kind = INSN_FP;
	else if ((bits & 0xfe000000) == 0xec000000 || (bits & 0xff000000) == 0xee000000)
		i = insn_coproc(bits);
	return i;
}

struct insn insn_decode(uint32_t bits, bool thumb)
{
	struct insn i = { .kind = INSN_OTHER, .cond = bits >> 28 };

	if (thumb)
		return insn_thumb(bits);
	if (i.cond == 15) {
		i.cond = 14;
		if ((bits & 0xffffff00) == 0xf57ff000)
			i.kind = insn_barrier(bits);
		else if ((bits & 0xfe000000) == 0xf2000000 || (bits & 0xff100000) == 0xf4000000)
			i.kind = INSN_FP;
		return i;
	}
	if ((bits & 0x0fffffff) == 0x0160006e) {
		i.kind = INSN_ERET;
	} else if ((bits & 0x0e000000) == 0x0c000000 || (bits & 0x0f000000) == 0x0e000000) {
		uint8_t cond = i.cond;

		i = insn_coproc(bits);
		i.cond = cond;
	}
	return i;
}

bool insn_cond_holds(unsigned int cond, uint32_t cpsr)
{
	bool n = cpsr >> 31 & 1, z = cpsr >> 30 & 1, c = cpsr >> 29 & 1, v = cpsr >> 28 & 1;
	bool holds = true;

	switch (cond >> 1) {
	case 0:
		holds = z;
		break;
	case 1:
		holds = c;
		break;
	case 2:
		holds = n;
		break;
	case 3:
		holds = v;
		break;
	case 4:
		holds = c && !z;
		break;
	case 5:
		holds = n == v;
		break;
	case 6:
		holds = !z && n == v;
		break;
	case 7:
		return true;
	}
	return holds != (cond & 1);
}

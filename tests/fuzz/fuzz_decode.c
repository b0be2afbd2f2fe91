// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/arch/decode.c
// cflags: -Idriver
// cflags: -Itests/unit/fake -I.
/* The decoder of loads and stores: what it returns is consistent and can be emulated. */
#include "fake/fake_kernel.h"

#include "arch/decode.h"

#include "fuzz.h"

static void check(const struct decode_insn *d, const struct decode_state *s, u32 insn)
{
	FUZZ_MUST(d->kind <= DECODE_HINT);
	FUZZ_MUST(d->len ==
		  (s->thumb ? armvmm_decode_thumb_len(insn > 0xffff ? insn >> 16 : insn) : 4));
	/* The caller takes the registers as indices. */
	FUZZ_MUST(d->rt < 16 && d->rt2 < 16 && d->rn < 16);
	switch (d->kind) {
	case DECODE_SINGLE:
	case DECODE_SWAP:
		FUZZ_MUST(d->size == 1 || d->size == 2 || d->size == 4);
		break;
	case DECODE_DUAL:
		FUZZ_MUST(d->size == 4);
		FUZZ_MUST(!d->is_load || d->rt != d->rt2);
		break;
	case DECODE_MULTIPLE:
		FUZZ_MUST(d->size == 4 && d->regs);
		break;
	default:
		return;
	}
	/* A load to the base register with writeback is UNPREDICTABLE (A8.8). */
	if (d->writeback && d->is_load && d->kind == DECODE_SINGLE)
		FUZZ_MUST(d->rn != d->rt);
	if (d->writeback)
		FUZZ_MUST(d->rn != 15 || d->exception_return);
	/* Only loads of less than a word sign-extend. */
	if (d->sign)
		FUZZ_MUST(d->is_load && d->size < 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	struct decode_state state, before;
	struct decode_insn out, again;
	u32 insn;
	u8 flags;

	flags = fuzz_u8(&f);
	state.thumb = flags & 1;
	state.carry = flags & 2;
	for (unsigned int i = 0; i < 16; i++)
		state.r[i] = fuzz_u32(&f);
	before = state;
	do {
		insn = fuzz_u32(&f);
		if (state.thumb && armvmm_decode_thumb_len(insn >> 16) == 2)
			insn &= 0xffff;
		/* A halfword that begins a 32-bit instruction does not come alone. */
		if (state.thumb && insn <= 0xffff && armvmm_decode_thumb_len(insn) == 4)
			insn |= insn << 16;
		memset(&out, 0x5a, sizeof(out));
		memset(&again, 0xa5, sizeof(again));
		if (!armvmm_decode_ldst(insn, &state, &out))
			continue;
		check(&out, &state, insn);
		/* It reads only its arguments, and sets every field of its result. */
		FUZZ_MUST(armvmm_decode_ldst(insn, &state, &again));
		FUZZ_MUST(out.kind == again.kind && out.addr == again.addr &&
			  out.regs == again.regs && out.wb_value == again.wb_value &&
			  out.writeback == again.writeback && out.is_load == again.is_load &&
			  out.size == again.size && out.rt == again.rt && out.rt2 == again.rt2 &&
			  out.rn == again.rn && out.sign == again.sign && out.len == again.len);
		FUZZ_MUST(!memcmp(&state, &before, sizeof(state)));
	} while (f.len);
	return 0;
}

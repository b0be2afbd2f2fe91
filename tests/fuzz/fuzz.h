/* SPDX-License-Identifier: GPL-2.0-only */
/* Takes the fuzzer's bytes one after the other; gives zeroes when none are left. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct fuzz {
	const uint8_t *data;
	size_t len;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static inline void fuzz_bytes(struct fuzz *f, void *out, size_t n)
{
	size_t have = n < f->len ? n : f->len;

	memset(out, 0, n);
	if (have)
		memcpy(out, f->data, have);
	f->data += have;
	f->len -= have;
}

static inline uint8_t fuzz_u8(struct fuzz *f)
{
	uint8_t v;

	fuzz_bytes(f, &v, sizeof(v));
	return v;
}

static inline uint16_t fuzz_u16(struct fuzz *f)
{
	uint16_t v;

	fuzz_bytes(f, &v, sizeof(v));
	return v;
}

static inline uint32_t fuzz_u32(struct fuzz *f)
{
	uint32_t v;

	fuzz_bytes(f, &v, sizeof(v));
	return v;
}

/* @cond must hold whatever the input is. */
#define FUZZ_MUST(cond)		do { if (!(cond)) abort(); } while (0)

#endif

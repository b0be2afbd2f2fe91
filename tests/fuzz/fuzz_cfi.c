// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/cfi.c userspace/armvmm-run/core/record.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0
/*
 * Flash, and a guest that writes any command anywhere: each write to the backing file lies in the
 * flash and in one block, and read-only flash is not written.
 */
#include <errno.h>
#include <sys/mman.h>

#include "fuzz.h"
#include "hw/cfi.h"

static uint8_t *flash;
static bool failing;

static int store(void *opaque, uint32_t offset, const void *buf, size_t len)
{
	FUZZ_MUST(len && offset < CFI_SIZE && len <= CFI_SIZE - offset);
	FUZZ_MUST(offset / CFI_BLOCK == (offset + len - 1) / CFI_BLOCK);
	if (failing)
		return -ENOSPC;
	memcpy(flash + offset, buf, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t commands[] = {
		0xff, 0x90, 0x98, 0x70, 0x50, 0x10, 0x40, 0x20, 0xd0, 0x60, 0x01, 0x2f, 0xe8, 0x00,
	};
	static struct cfi c;
	struct fuzz f = { data, len };
	uint8_t how = fuzz_u8(&f);

	if (!flash) {
		uint8_t *p = mmap(NULL, CFI_SIZE + 8192, PROT_NONE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		FUZZ_MUST(p != MAP_FAILED && !mprotect(p + 4096, CFI_SIZE, PROT_READ | PROT_WRITE));
		flash = p + 4096;
	}
	c = (struct cfi){ .data = flash, .store = how & 1 ? NULL : store };
	failing = how & 2;
	cfi_reset(&c);
	while (f.len) {
		uint8_t what = fuzz_u8(&f);
		unsigned int n = 1u << (what & 3);
		uint32_t offset = fuzz_u16(&f);
		uint64_t value = fuzz_u8(&f);

		/* The last bytes, some place in the middle, or the first 64 KiB. */
		if (what & 4)
			offset = CFI_SIZE - n - offset % 64;
		else if (what & 8)
			offset = offset * 1021 % (CFI_SIZE - 8);
		if (what & 16)
			value = commands[value % sizeof(commands)] * 0x00010001u;
		else if (what & 32)
			value |= (uint64_t)fuzz_u32(&f) << 8;
		if (what & 64)
			cfi_read(&c, offset, n);
		else
			cfi_write(&c, offset, n, value);
		FUZZ_MUST(c.low <= CFI_BUFFER && c.high <= CFI_BUFFER);
	}
	return 0;
}

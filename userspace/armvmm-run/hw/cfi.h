/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bank of NOR flash as its driver sees it: two 16-bit chips side by side, CFI (JESD68.01) with
 * Intel's command set 1, 64 MiB in blocks of 256 KiB. Both chips are always in the same state.
 *
 * Bits are programmed from 1 to 0; an erased block reads as ones. An operation is over when the
 * write that began it returns. Nothing here takes a lock.
 */
#ifndef ARMVMM_RUN_CFI_H
#define ARMVMM_RUN_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CFI_SIZE	(64u << 20)
#define CFI_BLOCK	(256u << 10)
#define CFI_BUFFER	4096u		/* bytes that one command programs, at most */

enum cfi_mode { CFI_ARRAY, CFI_STATUS, CFI_ID, CFI_QUERY };
enum cfi_step { CFI_COMMAND, CFI_PROGRAM, CFI_ERASE, CFI_LOCK, CFI_COUNT, CFI_DATA, CFI_CONFIRM };

struct record;

struct cfi {
	const uint8_t *data;	/* CFI_SIZE bytes */
	/*
	 * Stores @len bytes of @buf at @offset. When it returns 0, @data has them too. -errno: they
	 * could not be stored. The pointer is NULL if the bank is read-only.
	 */
	int (*store)(void *opaque, uint32_t offset, const void *buf, size_t len);
	void *opaque;

	enum cfi_mode mode;	/* what reads find */
	enum cfi_step step;	/* what the next write is */
	uint8_t status;
	uint32_t block;		/* of the command that programs by the buffer */
	unsigned int left;	/* its writes that are still to come */
	bool bad;		/* a write was outside that block, or outside one buffer */
	uint32_t base, low, high;	/* the buffer's first byte; the part that was written */
	uint8_t buffer[CFI_BUFFER];
};

/* As after power-on. */
void cfi_reset(struct cfi *c);

/* An access of the guest's of 1 to 8 bytes, @offset + @len at most CFI_SIZE. */
uint64_t cfi_read(const struct cfi *c, uint32_t offset, unsigned int len);
void cfi_write(struct cfi *c, uint32_t offset, unsigned int len, uint64_t value);

/* All but the array. cfi_restore() returns 0 or the record's error. */
void cfi_save(const struct cfi *c, struct record *r);
int cfi_restore(struct cfi *c, struct record *r);

#endif /* ARMVMM_RUN_CFI_H */

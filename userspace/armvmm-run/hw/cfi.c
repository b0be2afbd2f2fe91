// SPDX-License-Identifier: GPL-2.0-only
/* Commands, status and ID: Intel's data sheet of the P30 family, 306666, chapters 9 to 11, 13. */
#include <string.h>

#include "core/record.h"
#include "hw/cfi.h"

/* Commands: the low byte of a write. */
#define CFI_CMD_PROGRAM		0x40
#define CFI_CMD_PROGRAM_OLD	0x10
#define CFI_CMD_LOCK		0x60
#define CFI_CMD_ERASE		0x20
#define CFI_CMD_CLEAR		0x50
#define CFI_CMD_STATUS		0x70
#define CFI_CMD_ID		0x90
#define CFI_CMD_QUERY		0x98
#define CFI_CMD_SUSPEND		0xb0
#define CFI_CMD_CONFIRM		0xd0
#define CFI_CMD_BUFFER		0xe8

#define CFI_SR_READY		0x80
#define CFI_SR_ERASE_ERROR	0x20
#define CFI_SR_PROGRAM_ERROR	0x10
#define CFI_SR_LOCKED		0x02
#define CFI_SR_SEQUENCE		(CFI_SR_ERASE_ERROR | CFI_SR_PROGRAM_ERROR)

#define CFI_MANUFACTURER	0x89
#define CFI_DEVICE		0x18

#define CFI_WORD		4	/* bytes of the bank for a word of each chip */
#define CFI_CHIP_BLOCK		(CFI_BLOCK / 2)
#define CFI_BLOCKS		(CFI_SIZE / CFI_BLOCK)

/* The query's words (JESD68.01 and, from 0x31 on, the table of command set 1, JEP137). */
static const uint8_t cfi_table[] = {
	[0x10] = 'Q', 'R', 'Y',
	[0x13] = 0x01, 0,		/* command set */
	[0x15] = 0x31, 0,		/* whose table is there */
	[0x1b] = 0x45, 0x55,		/* Vcc of 4.5 to 5.5 V */
	[0x1f] = 7, 7, 10, 0,		/* 2^n us for a word and a buffer, 2^n ms for a block */
	[0x23] = 4, 4, 4, 0,		/* at most 2^n times as long */
	[0x27] = 25,			/* a chip has 2^n bytes */
	[0x28] = 2, 0,			/* x8 and x16 */
	[0x2a] = 11, 0,			/* its buffer has 2^n bytes */
	[0x2c] = 1,			/* region of blocks: their number less 1, size / 256 */
	[0x2d] = (CFI_BLOCKS - 1) & 0xff, (CFI_BLOCKS - 1) >> 8,
	[0x2f] = (CFI_CHIP_BLOCK >> 8) & 0xff, CFI_CHIP_BLOCK >> 16,
	[0x31] = 'P', 'R', 'I', '1', '0',
	[0x3f] = 1,			/* fields of protection registers, of no bytes */
};

void cfi_reset(struct cfi *c)
{
	c->mode = CFI_ARRAY;
	c->step = CFI_COMMAND;
	c->status = CFI_SR_READY;
}

/* The @index-th word that a chip shows while it does not show its array. */
static uint16_t cfi_word(const struct cfi *c, uint32_t index)
{
	switch (c->mode) {
	case CFI_ID:
		/* Word 2 of each block is its lock state: no block is locked. */
		index &= 0xff;
		return index == 0 ? CFI_MANUFACTURER : index == 1 ? CFI_DEVICE : 0;
	case CFI_QUERY:
		return index < sizeof(cfi_table) ? cfi_table[index] : 0;
	default:
		return c->status;
	}
}

uint64_t cfi_read(const struct cfi *c, uint32_t offset, unsigned int len)
{
	uint64_t value = 0;

	if (c->mode == CFI_ARRAY) {
		memcpy(&value, c->data + offset, len);
		return value;
	}
	/* In both chips the even bytes are the low ones of a word. */
	for (unsigned int i = 0; i < len; i++) {
		uint32_t at = offset + i;
		uint64_t byte = cfi_word(c, at / CFI_WORD) >> (at & 1) * 8 & 0xff;

		value |= byte << 8 * i;
	}
	return value;
}

/* ---- Operations ---- */

static void cfi_store(struct cfi *c, uint32_t offset, const void *buf, size_t len, uint8_t error)
{
	if (!c->store)
		c->status |= error | CFI_SR_LOCKED;
	else if (c->store(c->opaque, offset, buf, len))
		c->status |= error;
}

static void cfi_sequence_error(struct cfi *c)
{
	c->status |= CFI_SR_SEQUENCE;
	c->mode = CFI_STATUS;
}

/* Programming cannot turn a 0 bit into a 1. */
static void cfi_program(struct cfi *c, uint32_t offset, uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf[i] &= c->data[offset + i];
	cfi_store(c, offset, buf, len, CFI_SR_PROGRAM_ERROR);
}

static void cfi_erase(struct cfi *c, uint32_t offset)
{
	memset(c->buffer, 0xff, sizeof(c->buffer));
	offset -= offset % CFI_BLOCK;
	for (uint32_t at = 0; at < CFI_BLOCK && !(c->status & CFI_SR_ERASE_ERROR);
	     at += CFI_BUFFER)
		cfi_store(c, offset + at, c->buffer, CFI_BUFFER, CFI_SR_ERASE_ERROR);
}

/* ---- The buffer ---- */

static void cfi_buffer_begin(struct cfi *c, uint32_t offset, uint64_t value)
{
	/* Each chip gets its number of words less 1; a write carries one word for each chip. */
	c->left = (value & 0xffff) + 1;
	c->step = CFI_DATA;
	c->bad = c->left > CFI_BUFFER / CFI_WORD;
	c->block = offset / CFI_BLOCK;
	c->low = CFI_BUFFER;
	c->high = 0;
	memset(c->buffer, 0xff, sizeof(c->buffer));
	/* A count that is too large ends the command at once: no data follows. */
	if (c->bad) {
		c->step = CFI_COMMAND;
		cfi_sequence_error(c);
	}
}

static void cfi_buffer_data(struct cfi *c, uint32_t offset, unsigned int len, uint64_t value)
{
	uint32_t at = offset % CFI_BUFFER;

	if (c->low > c->high)
		c->base = offset - at;
	if (offset - at != c->base || at + len > CFI_BUFFER || offset / CFI_BLOCK != c->block) {
		c->bad = true;
	} else {
		memcpy(c->buffer + at, &value, len);
		c->low = at < c->low ? at : c->low;
		c->high = at + len > c->high ? at + len : c->high;
	}
	if (!--c->left)
		c->step = CFI_CONFIRM;
}

static void cfi_buffer_end(struct cfi *c, uint8_t command)
{
	if (command != CFI_CMD_CONFIRM || c->bad || c->low > c->high)
		cfi_sequence_error(c);
	else
		cfi_program(c, c->base + c->low, c->buffer + c->low, c->high - c->low);
}

/* ---- Writes ---- */

static void cfi_command(struct cfi *c, uint8_t command)
{
	c->mode = CFI_STATUS;
	switch (command) {
	case CFI_CMD_PROGRAM:
	case CFI_CMD_PROGRAM_OLD:
		c->step = CFI_PROGRAM;
		break;
	case CFI_CMD_ERASE:
		c->step = CFI_ERASE;
		break;
	case CFI_CMD_LOCK:
		c->step = CFI_LOCK;
		break;
	case CFI_CMD_BUFFER:
		c->step = CFI_COUNT;
		break;
	case CFI_CMD_STATUS:
	case CFI_CMD_SUSPEND:	/* no operation is under way that could be suspended or resumed */
	case CFI_CMD_CONFIRM:
		break;
	case CFI_CMD_ID:
		c->mode = CFI_ID;
		break;
	case CFI_CMD_QUERY:
		c->mode = CFI_QUERY;
		break;
	case CFI_CMD_CLEAR:
		/* QEMU's board shows the array again, and some guests rely on it. */
		c->status = CFI_SR_READY;
		c->mode = CFI_ARRAY;
		break;
	default:
		/* 0xff; and 0xf0, its equal in other command sets, from a driver that probes. */
		c->mode = CFI_ARRAY;
		break;
	}
}

void cfi_write(struct cfi *c, uint32_t offset, unsigned int len, uint64_t value)
{
	enum cfi_step step = c->step;
	uint8_t data[sizeof(value)];

	memcpy(data, &value, sizeof(data));
	c->step = CFI_COMMAND;
	switch (step) {
	case CFI_COMMAND:
		cfi_command(c, value);
		break;
	case CFI_PROGRAM:
		cfi_program(c, offset, data, len);
		break;
	case CFI_ERASE:
		if ((value & 0xff) == CFI_CMD_CONFIRM)
			cfi_erase(c, offset);
		else
			cfi_sequence_error(c);
		break;
	case CFI_LOCK:
		/* Locking and unlocking are accepted, and have no effect. 0xff cancels. */
		if ((value & 0xff) == 0xff)
			c->mode = CFI_ARRAY;
		break;
	case CFI_COUNT:
		cfi_buffer_begin(c, offset, value);
		break;
	case CFI_DATA:
		c->step = CFI_DATA;
		cfi_buffer_data(c, offset, len, value);
		break;
	case CFI_CONFIRM:
		cfi_buffer_end(c, value);
		break;
	}
}

/* ---- Snapshots ---- */

static const struct record_field cfi_state[] = {
	RECORD_FIELD(struct cfi, mode, CFI_QUERY),
	RECORD_FIELD(struct cfi, step, CFI_CONFIRM),
	RECORD_FIELD(struct cfi, status, UINT8_MAX),
	RECORD_FIELD(struct cfi, block, CFI_BLOCKS - 1),
	RECORD_FIELD(struct cfi, left, CFI_BUFFER / CFI_WORD),
	RECORD_FIELD(struct cfi, bad, 1),
	RECORD_FIELD(struct cfi, base, CFI_SIZE - CFI_BUFFER),
	RECORD_FIELD(struct cfi, low, CFI_BUFFER),
	RECORD_FIELD(struct cfi, high, CFI_BUFFER),
	RECORD_ARRAY(struct cfi, buffer, UINT8_MAX),
};

void cfi_save(const struct cfi *c, struct record *r)
{
	record_put_fields(r, c, cfi_state, RECORD_NR(cfi_state));
}

int cfi_restore(struct cfi *c, struct record *r)
{
	if (record_get_fields(r, c, cfi_state, RECORD_NR(cfi_state)))
		return r->ret;
	/* What the code above relies on: the buffer does not leave the array, and writes come. */
	if (c->base % CFI_BUFFER || (c->step == CFI_DATA && !c->left))
		return record_refuse(r, "its command is none that a guest could have begun");
	return 0;
}

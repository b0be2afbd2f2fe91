/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of GDB's remote protocol: $DATA#CC, CC being the sum of DATA's bytes modulo 256, and in
 * DATA the bytes # $ } (and * in answers) escaped by } and a flip of bit 5. A client may send
 * anything: packets that are too long or damaged are reported as such, and nothing of them is kept.
 * Pure.
 */
#ifndef ARMVMM_RUN_GDB_PACKET_H
#define ARMVMM_RUN_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a packet's data, at most, each way, and of a packet with all of them escaped. */
#define PACKET_MAX	4096u
#define PACKET_FRAMED	(2 * PACKET_MAX + 4)

enum packet_event {
	PACKET_NONE,		/* more is to come */
	PACKET_WHOLE,		/* .data has .len bytes */
	PACKET_DAMAGED,		/* the sum is wrong */
	PACKET_TOO_LONG,	/* it ended, and had more than PACKET_MAX bytes */
	PACKET_INTERRUPT,	/* the byte 3 between packets: a person wants the guest stopped */
	PACKET_AGAIN,		/* "-": the last answer came damaged */
};

/* Zeroed at the start. */
struct packet_reader {
	enum { PACKET_OUTSIDE, PACKET_DATA, PACKET_ESCAPED, PACKET_SUM1, PACKET_SUM2 } state;
	uint8_t sum;		/* of the data so far */
	int8_t digit;		/* the first of the sum that was sent; -1: no digit */
	size_t len;
	char data[PACKET_MAX];
};

/* Can a client begin with this byte? An acknowledgement, a packet, or the byte 3. */
bool packet_begins(uint8_t byte);

/* Takes one byte. */
enum packet_event packet_read(struct packet_reader *reader, uint8_t byte);

/* Frames @len bytes of @data, PACKET_MAX at most, into @out. Returns the packet's length. */
size_t packet_frame(char out[PACKET_FRAMED], const char *data, size_t len);

#endif /* ARMVMM_RUN_GDB_PACKET_H */

// SPDX-License-Identifier: GPL-2.0-only
#include "gdb/hex.h"
#include "gdb/packet.h"

#define PACKET_ESCAPE	'}'
#define PACKET_FLIP	0x20
#define PACKET_CTRL_C	0x03

static void packet_begin(struct packet_reader *reader)
{
	reader->state = PACKET_DATA;
	reader->sum = 0;
	reader->len = 0;
}

/* @reader->len is at most PACKET_MAX + 1: then the packet is too long. */
static void packet_add(struct packet_reader *reader, uint8_t byte)
{
	if (reader->len < PACKET_MAX)
		reader->data[reader->len] = byte;
	if (reader->len <= PACKET_MAX)
		reader->len++;
}

bool packet_begins(uint8_t byte)
{
	return byte == '+' || byte == '-' || byte == '$' || byte == PACKET_CTRL_C;
}

static enum packet_event packet_outside(struct packet_reader *reader, uint8_t byte)
{
	switch (byte) {
	case '$':
		packet_begin(reader);
		return PACKET_NONE;
	case PACKET_CTRL_C:
		return PACKET_INTERRUPT;
	case '-':
		return PACKET_AGAIN;
	default:
		return PACKET_NONE;	/* "+", and bytes outside the protocol */
	}
}

static void packet_data(struct packet_reader *reader, uint8_t byte)
{
	if (byte == '$') {
		/* An unescaped $ begins a packet: the end of the last one was lost. */
		packet_begin(reader);
		return;
	}
	if (byte == '#') {
		reader->state = PACKET_SUM1;
		return;
	}
	reader->sum += byte;
	if (byte == PACKET_ESCAPE)
		reader->state = PACKET_ESCAPED;
	else
		packet_add(reader, byte);
}

static enum packet_event packet_end(struct packet_reader *reader, uint8_t byte)
{
	int low = hex_digit(byte);

	reader->state = PACKET_OUTSIDE;
	if (reader->digit < 0 || low < 0 || (reader->digit << 4 | low) != reader->sum)
		return PACKET_DAMAGED;
	return reader->len > PACKET_MAX ? PACKET_TOO_LONG : PACKET_WHOLE;
}

enum packet_event packet_read(struct packet_reader *reader, uint8_t byte)
{
	switch (reader->state) {
	case PACKET_DATA:
		packet_data(reader, byte);
		return PACKET_NONE;
	case PACKET_ESCAPED:
		reader->sum += byte;
		reader->state = PACKET_DATA;
		packet_add(reader, byte ^ PACKET_FLIP);
		return PACKET_NONE;
	case PACKET_SUM1:
		reader->digit = hex_digit(byte);
		reader->state = PACKET_SUM2;
		return PACKET_NONE;
	case PACKET_SUM2:
		return packet_end(reader, byte);
	default:
		return packet_outside(reader, byte);
	}
}

size_t packet_frame(char out[PACKET_FRAMED], const char *data, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	uint8_t sum = 0;
	size_t n = 0;

	out[n++] = '$';
	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		if (c == '#' || c == '$' || c == PACKET_ESCAPE || c == '*') {
			out[n++] = PACKET_ESCAPE;
			sum += PACKET_ESCAPE;
			c ^= PACKET_FLIP;
		}
		out[n++] = c;
		sum += (uint8_t)c;
	}
	out[n++] = '#';
	out[n++] = digit[sum >> 4];
	out[n++] = digit[sum & 15];
	return n;
}

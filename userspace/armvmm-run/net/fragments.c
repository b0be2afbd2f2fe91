// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "net/fragments.h"

#define ETHERNET	14
#define IPV4		20
#define MORE		0x20	/* of the flags' byte */
#define NS_PER_S	1000000000ll

static unsigned int fragments_get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void fragments_put16(uint8_t *p, unsigned int value)
{
	p[0] = value >> 8;
	p[1] = value;
}

/* RFC 1071; returns 0 for a header whose checksum is right. */
static unsigned int fragments_checksum(const uint8_t *p)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < IPV4; i += 2)
		sum += fragments_get16(p + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

bool fragments_is(const uint8_t *frame, size_t len)
{
	return len >= ETHERNET + 8 && fragments_get16(frame + 12) == 0x0800 &&
	       (fragments_get16(frame + ETHERNET + 6) & 0x3fff);
}

/* Same packet: identification, protocol, source and destination are equal. */
static bool fragments_same(const uint8_t *a, const uint8_t *b)
{
	a += ETHERNET;
	b += ETHERNET;
	return !memcmp(a + 4, b + 4, 2) && a[9] == b[9] && !memcmp(a + 12, b + 12, 8);
}

static struct fragments_packet *fragments_find(struct fragments *f, const uint8_t *frame,
					       int64_t now)
{
	for (unsigned int i = 0; i < FRAGMENTS_PACKETS; i++) {
		struct fragments_packet *p = f->packet[i];

		if (p && p->len && now - p->began < FRAGMENTS_SECONDS * NS_PER_S &&
		    fragments_same(p->frame, frame))
			return p;
	}
	return NULL;
}

/* Takes a free place, or else that of the oldest packet. */
static struct fragments_packet *fragments_begin(struct fragments *f, int64_t now)
{
	struct fragments_packet *oldest = NULL;

	for (unsigned int i = 0; i < FRAGMENTS_PACKETS; i++) {
		if (!f->packet[i])
			f->packet[i] = calloc(1, sizeof(*f->packet[i]));
		if (!f->packet[i])
			continue;
		if (!f->packet[i]->len) {
			oldest = f->packet[i];
			break;
		}
		if (!oldest || f->packet[i]->began < oldest->began)
			oldest = f->packet[i];
	}
	if (oldest) {
		oldest->began = now;
		oldest->len = FRAGMENTS_HEADER;
	}
	return oldest;
}

/* True for a valid header without options, and a frame as long as it says. *@n: bytes behind it. */
static bool fragments_ok(const uint8_t *frame, size_t len, size_t *n)
{
	const uint8_t *ip = frame + ETHERNET;
	size_t total;

	if (len < FRAGMENTS_HEADER || ip[0] != 0x45 || !ip[8] || fragments_checksum(ip))
		return false;
	total = fragments_get16(ip + 2);
	if (total <= IPV4 || total > len - ETHERNET)
		return false;
	*n = total - IPV4;
	/* All pieces but the last have a multiple of 8 bytes: the unit of an offset (RFC 791). */
	return !(ip[6] & MORE) || !(*n % 8);
}

const uint8_t *fragments_add(struct fragments *f, const uint8_t *frame, size_t len, int64_t now,
			     size_t *whole)
{
	struct fragments_packet *p;
	size_t offset, n;
	uint8_t *ip;

	if (!fragments_ok(frame, len, &n))
		return NULL;
	offset = (fragments_get16(frame + ETHERNET + 6) & 0x1fff) * 8;
	p = fragments_find(f, frame, now);
	if (!offset) {
		/* A second first piece starts the packet anew. */
		p = p ? p : fragments_begin(f, now);
		if (!p)
			return NULL;
		memcpy(p->frame, frame, FRAGMENTS_HEADER);
		p->len = FRAGMENTS_HEADER;
		p->began = now;
	}
	if (!p || p->len != FRAGMENTS_HEADER + offset || n > sizeof(p->frame) - p->len)
		return NULL;
	memcpy(p->frame + p->len, frame + FRAGMENTS_HEADER, n);
	p->len += n;
	if (frame[ETHERNET + 6] & MORE)
		return NULL;
	*whole = p->len;
	p->len = 0;
	ip = p->frame + ETHERNET;
	fragments_put16(ip + 2, *whole - ETHERNET);
	fragments_put16(ip + 6, 0);
	fragments_put16(ip + 10, 0);
	fragments_put16(ip + 10, fragments_checksum(ip));
	return p->frame;
}

void fragments_free(struct fragments *f)
{
	for (unsigned int i = 0; i < FRAGMENTS_PACKETS; i++)
		free(f->packet[i]);
}

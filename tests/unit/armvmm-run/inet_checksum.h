/* SPDX-License-Identifier: GPL-2.0-only */
/* The checksum of IPv4, ICMP, UDP and TCP (RFC 1071), for tests that make packets. */
#ifndef INET_CHECKSUM_H
#define INET_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t inet_checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += p[i] << (i & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A frame by which bridges and switches learn where a card is now (RARP, RFC 903): it asks for the
 * card's own address, as QEMU's do, and needs no answer. Pure.
 */
#ifndef ARMVMM_RUN_ANNOUNCE_H
#define ARMVMM_RUN_ANNOUNCE_H

#include <stdint.h>
#include <string.h>

#define ANNOUNCE_SIZE	60	/* the shortest frame of Ethernet */

static inline void announce_frame(uint8_t frame[ANNOUNCE_SIZE], const uint8_t mac[6])
{
	/* RARP; Ethernet, IPv4, and the length of their addresses; who am I? */
	static const uint8_t head[] = { 0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3 };

	memset(frame, 0, ANNOUNCE_SIZE);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, head, sizeof(head));
	memcpy(frame + 22, mac, 6);
	memcpy(frame + 32, mac, 6);
}

#endif /* ARMVMM_RUN_ANNOUNCE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reassembly of IPv4 fragments (RFC 791 3.2), before libslirp sees them. Libslirp's own reassembly
 * keeps any number of them, and version 4.7 crashes if the last fragment comes before the first.
 *
 * Fragments have to come in order; every system sends them so. The memory for them is bounded.
 */
#ifndef ARMVMM_RUN_FRAGMENTS_H
#define ARMVMM_RUN_FRAGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAGMENTS_PACKETS	16	/* incomplete ones; a new one takes the oldest's place */
#define FRAGMENTS_SECONDS	30	/* time for all pieces to come */
#define FRAGMENTS_HEADER	(14 + 20)	/* Ethernet, IPv4 without options */
#define FRAGMENTS_FRAME_MAX	(14 + 65535)

struct fragments {
	struct fragments_packet {
		size_t len;	/* bytes of frame[] that are there; 0: it is free */
		int64_t began;	/* ns */
		uint8_t frame[FRAGMENTS_FRAME_MAX];
	} *packet[FRAGMENTS_PACKETS];
};

/* Is the Ethernet frame a piece of an IPv4 packet? */
bool fragments_is(const uint8_t *frame, size_t len);

/*
 * Takes such a frame at the time @now (monotonic, ns). If it was a packet's last piece, returns the
 * frame of the whole packet, valid until the next call, and its length in *@whole; else NULL.
 */
const uint8_t *fragments_add(struct fragments *f, const uint8_t *frame, size_t len, int64_t now,
			     size_t *whole);

/* Forgets all. */
void fragments_free(struct fragments *f);

#endif /* ARMVMM_RUN_FRAGMENTS_H */

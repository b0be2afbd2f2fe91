/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libslirp, a TCP/IP stack that opens ordinary sockets on the host: frames in, frames out, and
 * what to wait for. One thread.
 */
#ifndef ARMVMM_RUN_SLIRP_STACK_H
#define ARMVMM_RUN_SLIRP_STACK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "net/slirp_config.h"

/* The longest frame of an Ethernet whose MTU, as this one's, is 1500; and its header. */
#define SLIRP_FRAME_MAX	1514
#define SLIRP_FRAME_MIN	14

struct slirp_stack;

struct slirp_stack_ops {
	/* A frame for the guest, SLIRP_FRAME_MAX bytes at most. */
	void (*output)(void *opaque, const void *frame, size_t len);
	/* A sentence about what the guest did wrong. */
	void (*note)(void *opaque, const char *text);
};

/*
 * Makes a stack and opens its forwarded ports. On failure returns NULL, with @err set (without
 * @config's label) and -errno in *@ret.
 */
struct slirp_stack *slirp_stack_new(const struct slirp_config *config,
				    const struct slirp_stack_ops *ops, void *opaque, int *ret,
				    struct error *err);
void slirp_stack_free(struct slirp_stack *s);

/* A frame from the guest. One that is too short or too long is dropped. */
void slirp_stack_input(struct slirp_stack *s, const void *frame, size_t len);

/*
 * Returns what to poll() for, and *@timeout for poll(). The caller fills in the first entry. With
 * @hold the stack's sockets are left out: data waits in the host's kernel, where TCP slows the
 * sender down. The array belongs to the stack, and is valid until the next call.
 */
struct pollfd *slirp_stack_prepare(struct slirp_stack *s, bool hold, unsigned int *nr,
				   int *timeout);

/* After poll(). */
void slirp_stack_dispatch(struct slirp_stack *s);

#endif /* ARMVMM_RUN_SLIRP_STACK_H */

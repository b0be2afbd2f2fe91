/* SPDX-License-Identifier: GPL-2.0-only */
/* The answer to a packet, as it grows. What does not fit is left out. Pure. */
#ifndef ARMVMM_RUN_GDB_REPLY_H
#define ARMVMM_RUN_GDB_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gdb/packet.h"

struct reply {
	size_t len;
	bool none;	/* nothing is sent: the guest runs, and its next stop is the answer */
	char data[PACKET_MAX];
};

/* Error numbers. The protocol defines none: these are errno(3)'s, as gdbserver uses them. */
enum {
	REPLY_EIO = 5,
	REPLY_EFAULT = 14,
	REPLY_EBUSY = 16,
	REPLY_EINVAL = 22,
	REPLY_ENOSPC = 28,
};

void reply_text(struct reply *reply, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Append bytes as they are, or in hexadecimal. */
void reply_raw(struct reply *reply, const void *data, size_t len);
void reply_hex(struct reply *reply, const void *data, size_t len);

/* Replace the answer by "OK", or by an error. */
void reply_ok(struct reply *reply);
void reply_error(struct reply *reply, unsigned int error);

/* The same by a function's return value: "OK" for 0, else the error. */
void reply_status(struct reply *reply, int ret, unsigned int error);

static inline size_t reply_room(const struct reply *reply)
{
	return PACKET_MAX - reply->len;
}

#endif /* ARMVMM_RUN_GDB_REPLY_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between disk_nbd.c and the process that has the connection to the server. Both are the same
 * program, so that structures match. A struct nbd_setup comes first, with the descriptors of memory
 * that both see and of a socket for each slot of it; then a struct nbd_reply the other way. After
 * that each slot's socket carries a request at a time, and its answer; what is read or written is
 * in the slot.
 */
#ifndef ARMVMM_RUN_NBD_PROCESS_H
#define ARMVMM_RUN_NBD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/process.h"
#include "virtio/nbd_address.h"

#define NBD_ROLE	"nbd"
#define NBD_SLOTS	4u	/* as a disk has workers */
#define NBD_SLOT_SIZE	(256u << 10)

struct nbd_setup {
	struct nbd_address address;
	struct process_rights rights;
};

/* The descriptors that come with it: the memory's first. */
union nbd_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int) * (1 + NBD_SLOTS))];
};

struct nbd_facts {
	uint64_t size;		/* bytes */
	uint32_t block;		/* bytes; the server takes no less at a time */
	/* No bools: a process that was taken over sends bytes that are none. 0: no. */
	uint8_t readonly, can_flush, can_trim, can_zero;
};

struct nbd_reply {
	int32_t ret;		/* 0: it serves; or -errno */
	struct error why;	/* where it is not; may have what the server said */
	struct nbd_facts facts;
};

enum nbd_op {
	NBD_READ,
	NBD_WRITE,
	NBD_FLUSH,
	NBD_TRIM,
	NBD_ZERO,
};

struct nbd_request {
	uint32_t op;
	bool unmap;		/* NBD_ZERO: there need be no storage */
	uint64_t offset, len;	/* bytes; NBD_SLOT_SIZE at most, if the slot has them */
};

struct nbd_answer {
	int32_t ret;		/* 0 or -errno */
};

#endif /* ARMVMM_RUN_NBD_PROCESS_H */

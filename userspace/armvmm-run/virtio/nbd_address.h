/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a disk's NBD server is, as QEMU and NBD's own URIs say it. Pure.
 *
 *	nbd:unix:PATH[:exportname=NAME]		nbd:HOST:PORT[:exportname=NAME]
 *	nbd+unix:///[NAME]?socket=PATH		nbd://HOST[:PORT][/NAME]
 */
#ifndef ARMVMM_RUN_NBD_ADDRESS_H
#define ARMVMM_RUN_NBD_ADDRESS_H

#include <stdbool.h>

#include "core/error.h"

#define NBD_NAME_MAX	1024u
#define NBD_PORT	"10809"

struct nbd_address {
	bool is_unix;
	char path[108];
	char host[256];
	char port[8];
	char name[NBD_NAME_MAX];	/* of the export; "" is the server's default */
};

/* Returns 0 or -EINVAL with @err set. */
int nbd_address_parse(struct nbd_address *a, const char *text, struct error *err);

#endif /* ARMVMM_RUN_NBD_ADDRESS_H */

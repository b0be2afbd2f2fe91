/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libnbd, which is loaded by the process that needs it. Linked, it would be loaded at every start
 * of a guest, with the libraries for TLS and XML that it needs in turn: some 40 MB on Debian.
 */
#ifndef ARMVMM_RUN_NBD_LIBRARY_H
#define ARMVMM_RUN_NBD_LIBRARY_H

#include <libnbd.h>

#include "core/error.h"

#define NBD_CALLS(call)							\
	call(create) call(close) call(get_error) call(get_errno)	\
	call(set_export_name) call(connect_socket)			\
	call(get_size) call(get_block_size) call(is_read_only)		\
	call(can_flush) call(can_trim) call(can_zero)			\
	call(aio_get_fd) call(aio_get_direction)			\
	call(aio_notify_read) call(aio_notify_write)			\
	call(aio_is_dead) call(aio_is_closed) call(aio_disconnect)	\
	call(aio_pread) call(aio_pwrite) call(aio_flush)		\
	call(aio_trim) call(aio_zero) call(aio_command_completed)

#define NBD_MEMBER(name)	__typeof__(&nbd_##name) name;

/* Each is nbd_NAME(3). */
struct nbd_library {
	NBD_CALLS(NBD_MEMBER)
};

/* Returns 0 or -errno with @err set. It stays until the process ends. */
int nbd_library_load(struct nbd_library *lib, struct error *err);

#endif /* ARMVMM_RUN_NBD_LIBRARY_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Scattered memory (struct iovec). */
#ifndef ARMVMM_RUN_IOV_H
#define ARMVMM_RUN_IOV_H

#include <stddef.h>
#include <sys/uio.h>

/*
 * Copy between the pieces @iov and flat memory, from byte @offset of the pieces.
 * Returns the number of bytes copied, less than @len where the pieces end.
 */
size_t iov_read(const struct iovec *iov, unsigned int nr, size_t offset, void *buf, size_t len);
size_t iov_write(const struct iovec *iov, unsigned int nr, size_t offset, const void *buf,
		 size_t len);

/*
 * The pieces of @len bytes from byte @offset of @in (@nr_in entries), into
 * @out, which has room for @nr_in. Returns the number of pieces.
 */
unsigned int iov_slice(struct iovec *out, const struct iovec *in, unsigned int nr_in,
		       size_t offset, size_t len);

#endif /* ARMVMM_RUN_IOV_H */

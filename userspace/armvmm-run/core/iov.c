// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <string.h>

#include "core/iov.h"

unsigned int iov_slice(struct iovec *out, const struct iovec *in, unsigned int nr_in,
		       size_t offset, size_t len)
{
	unsigned int i, nr = 0;

	for (i = 0; i < nr_in && len; i++) {
		size_t part = in[i].iov_len;

		if (offset >= part) {
			offset -= part;
			continue;
		}
		part -= offset;
		if (part > len)
			part = len;
		out[nr].iov_base = (char *)in[i].iov_base + offset;
		out[nr].iov_len = part;
		nr++;
		offset = 0;
		len -= part;
	}
	return nr;
}

static size_t iov_copy(const struct iovec *iov, unsigned int nr, size_t offset, char *flat,
		       size_t len, bool to_guest)
{
	size_t done = 0;
	unsigned int i;

	for (i = 0; i < nr && done < len; i++) {
		size_t part = iov[i].iov_len;
		char *guest = iov[i].iov_base;

		if (offset >= part) {
			offset -= part;
			continue;
		}
		guest += offset;
		part -= offset;
		offset = 0;
		if (part > len - done)
			part = len - done;
		if (to_guest)
			memcpy(guest, flat + done, part);
		else
			memcpy(flat + done, guest, part);
		done += part;
	}
	return done;
}

size_t iov_read(const struct iovec *iov, unsigned int nr, size_t offset, void *buf, size_t len)
{
	return iov_copy(iov, nr, offset, buf, len, false);
}

size_t iov_write(const struct iovec *iov, unsigned int nr, size_t offset, const void *buf,
		 size_t len)
{
	return iov_copy(iov, nr, offset, (char *)buf, len, true);
}

// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "boot/unpack.h"

#define UNPACK_PIECE	(64u << 10)
/* zlib's inflateInit2(): the largest window, and the header is gzip's. */
#define UNPACK_GZIP	(15 + 16)
/* The largest window that a zstd file may ask for: what zstd -dc takes unless told. */
#define UNPACK_WINDOW_LOG 27

/* Unpacks from the file to memory, a piece at a time. */
struct unpack {
	const struct loader_file *file;
	const char *compressor;
	struct error *err;
	uint64_t read;		/* of the file's bytes */
	uint64_t limit;
	uint64_t written;
	int fd;
	size_t in_at, in_len;	/* what is not used yet of @in */
	uint8_t in[UNPACK_PIECE], out[UNPACK_PIECE];
};

const char *unpack_compressor(const uint8_t *head)
{
	static const struct {
		const char *name;
		unsigned int len;
		const char *magic;
	} compressors[] = {
		{ "gzip", 2, "\x1f\x8b" },	 { "zstd", 4, "\x28\xb5\x2f\xfd" },
		{ "xz", 6, "\xfd" "7zXZ\0" },	 { "bzip2", 3, "BZh" },
		{ "lz4", 4, "\x04\x22\x4d\x18" }, { "lz4", 4, "\x02\x21\x4c\x18" },
		{ "lzop", 4, "\x89LZO" },	 { "lzma", 3, "\x5d\0\0" },
	};

	for (unsigned int i = 0; i < sizeof(compressors) / sizeof(compressors[0]); i++)
		if (!memcmp(head, compressors[i].magic, compressors[i].len))
			return compressors[i].name;
	return NULL;
}

bool unpack_can(const char *compressor)
{
	return !strcmp(compressor, "gzip") || !strcmp(compressor, "zstd");
}

static int unpack_damaged(struct unpack *u)
{
	return error_set(u->err, -ENOEXEC, "%s: its %s data is damaged", u->file->name,
			 u->compressor);
}

/* Makes u->in hold bytes, if the file has more. Returns 0 or -errno. */
static int unpack_fill(struct unpack *u)
{
	uint64_t left = u->file->size - u->read;
	size_t len = left < sizeof(u->in) ? left : sizeof(u->in);
	int ret;

	if (u->in_at < u->in_len || !len)
		return 0;
	ret = loader_file_read(u->file, u->in, len, u->read, u->err);
	u->read += len;
	u->in_at = 0;
	u->in_len = len;
	return ret;
}

/* As unpack_fill(), but data has to follow: compressed data that just stops was cut short. */
static int unpack_need(struct unpack *u)
{
	int ret = unpack_fill(u);

	if (!ret && u->in_at == u->in_len)
		return error_set(u->err, -ENOEXEC, "%s: is truncated: its %s data does not end",
				 u->file->name, u->compressor);
	return ret;
}

static int unpack_write(struct unpack *u, size_t len)
{
	const uint8_t *at = u->out;

	if (len > u->limit - u->written)
		return error_set(u->err, -E2BIG,
				 "%s: unpacks to more than %llu MiB, for which there is no room",
				 u->file->name, (unsigned long long)u->limit >> 20);
	u->written += len;
	while (len) {
		ssize_t n = write(u->fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(u->err, n ? -errno : -EIO, "%s: memory to unpack it",
					   u->file->name);
		at += n;
		len -= n;
	}
	return 0;
}

/* One gzip member. */
static int unpack_inflate(struct unpack *u, z_stream *z)
{
	int ret, step;

	do {
		ret = unpack_need(u);
		if (ret)
			return ret;
		z->next_in = u->in + u->in_at;
		z->avail_in = u->in_len - u->in_at;
		z->next_out = u->out;
		z->avail_out = sizeof(u->out);
		step = inflate(z, Z_NO_FLUSH);
		u->in_at = u->in_len - z->avail_in;
		if (step == Z_MEM_ERROR)
			return error_errno(u->err, -ENOMEM, "%s", u->file->name);
		if (step != Z_OK && step != Z_STREAM_END)
			return unpack_damaged(u);
		ret = unpack_write(u, sizeof(u->out) - z->avail_out);
	} while (!ret && step != Z_STREAM_END);
	return ret;
}

static int unpack_gzip(struct unpack *u)
{
	z_stream z = { 0 };
	int ret;

	if (inflateInit2(&z, UNPACK_GZIP) != Z_OK)
		return error_errno(u->err, -ENOMEM, "%s", u->file->name);
	ret = unpack_inflate(u, &z);
	inflateEnd(&z);
	return ret;
}

/* One frame. */
static int unpack_frame(struct unpack *u, ZSTD_DStream *z)
{
	ZSTD_outBuffer out = { u->out, sizeof(u->out), 0 };
	size_t step;
	int ret;

	do {
		ZSTD_inBuffer in;

		/*
		 * A full output buffer: zstd may hold back more, which comes out without more
		 * input.
		 */
		ret = out.pos == out.size ? 0 : unpack_need(u);
		if (ret)
			return ret;
		in = (ZSTD_inBuffer){ u->in, u->in_len, u->in_at };
		out.pos = 0;
		step = ZSTD_decompressStream(z, &out, &in);
		u->in_at = in.pos;
		if (ZSTD_isError(step))
			return unpack_damaged(u);
		ret = unpack_write(u, out.pos);
	} while (!ret && step);
	return ret;
}

static int unpack_zstd(struct unpack *u)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	int ret;

	if (!z)
		return error_errno(u->err, -ENOMEM, "%s", u->file->name);
	ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, UNPACK_WINDOW_LOG);
	ret = unpack_frame(u, z);
	ZSTD_freeDStream(z);
	return ret;
}

/* Does another member or frame follow? After the last there may be anything. */
static bool unpack_more(struct unpack *u)
{
	uint64_t at = u->read - (u->in_len - u->in_at);
	uint8_t head[UNPACK_MAGIC] = { 0 };
	uint64_t left = u->file->size - at;

	return !loader_file_read(u->file, head, left < sizeof(head) ? left : sizeof(head), at,
				 NULL) &&
	       unpack_compressor(head) == u->compressor;
}

static int unpack_all(struct unpack *u)
{
	int ret;

	do {
		ret = !strcmp(u->compressor, "gzip") ? unpack_gzip(u) : unpack_zstd(u);
	} while (!ret && unpack_more(u));
	return ret;
}

int unpack_file(struct loader_file *file, const char *compressor, uint64_t limit,
		struct error *err)
{
	struct unpack *u = calloc(1, sizeof(*u));
	int ret;

	if (!u)
		return error_errno(err, -ENOMEM, "%s", file->name);
	u->file = file;
	u->compressor = compressor;
	u->err = err;
	u->limit = limit;
	u->fd = memfd_create("kernel", MFD_CLOEXEC);
	if (u->fd < 0)
		ret = error_errno(err, -errno, "%s: memory to unpack it", file->name);
	else
		ret = unpack_all(u);
	if (ret) {
		if (u->fd >= 0)
			close(u->fd);
	} else {
		loader_file_close(file);
		file->fd = u->fd;
		file->offset = 0;
		file->size = u->written;
	}
	free(u);
	return ret;
}

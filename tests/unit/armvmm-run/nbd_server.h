/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small NBD server, for tests: fixed newstyle negotiation and simple replies, as NBD's protocol
 * document has them. One client at a time. It may be told to lie.
 */
#ifndef TESTS_UNIT_NBD_SERVER_H
#define TESTS_UNIT_NBD_SERVER_H

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NBD_SERVER_MAX	(32u << 20)

enum nbd_server_lie {
	NBD_HONEST,
	NBD_NO_GREETING,	/* says nothing at all */
	NBD_BAD_GREETING,	/* or nonsense */
	NBD_BAD_OPTION,		/* an answer to an option that claims 4 GiB */
	NBD_HANGS,		/* answers no request */
	NBD_LEAVES,		/* ends at the first request */
	NBD_HALF,		/* ends within the data of a read */
	NBD_BAD_MAGIC,		/* an answer that is none */
	NBD_BAD_COOKIE,		/* an answer to what was not asked */
	NBD_STALLS,		/* takes no data of a write until .go */
	NBD_LIES,
};

struct nbd_server {
	int fd;			/* the file that is served */
	uint64_t size;
	const char *name;	/* of the export; NULL: any */
	bool readonly, no_flush, no_trim, no_zero;
	uint32_t block;		/* 0: is not told */
	enum nbd_server_lie lie;
	int error;		/* NBD's code, for each request; 0: none */
	unsigned int flushes;
	unsigned int delay_ms;	/* before it does what it is asked for */
	bool go;
	unsigned int begun;	/* requests */
	bool overtaken;		/* another came before it had answered one */
	bool farewell;		/* the last one said that it leaves */
	unsigned int ends;	/* of connections */
};

struct nbd_server_request {
	uint32_t magic;
	uint16_t flags, type;
	uint64_t cookie, offset;
	uint32_t len;
} __attribute__((packed));

struct nbd_server_option {
	uint64_t magic;
	uint32_t option, len;
} __attribute__((packed));

struct nbd_server_reply {
	uint64_t magic;
	uint32_t option, type, len;
} __attribute__((packed));

static bool nbd_server_get(int to, void *data, size_t len)
{
	return recv(to, data, len, MSG_WAITALL) == (ssize_t)len;
}

static bool nbd_server_put(int to, const void *data, size_t len)
{
	return !len || send(to, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool nbd_server_reply(int to, uint32_t option, uint32_t type, const void *data, uint32_t len)
{
	const struct nbd_server_reply r = {
		htobe64(0x3e889045565a9), htobe32(option), htobe32(type), htobe32(len) };

	return nbd_server_put(to, &r, sizeof(r)) && nbd_server_put(to, data, len);
}

static bool nbd_server_info(struct nbd_server *s, int to, uint32_t option)
{
	struct {
		uint16_t type;
		uint64_t size;
		uint16_t flags;
	} __attribute__((packed)) export = { 0, htobe64(s->size), 0 };
	struct {
		uint16_t type;
		uint32_t min, best, max;
	} __attribute__((packed)) block = {
		htobe16(3), htobe32(s->block), htobe32(s->block > 4096 ? s->block : 4096),
		htobe32(NBD_SERVER_MAX) };

	/* NBD_FLAG_HAS_FLAGS, READ_ONLY, SEND_FLUSH, SEND_TRIM, SEND_WRITE_ZEROES */
	export.flags = htobe16(1 | s->readonly << 1 | !s->no_flush << 2 | !s->no_trim << 5 |
			       !s->no_zero << 6);
	return nbd_server_reply(to, option, 3, &export, sizeof(export)) &&
	       (!s->block || nbd_server_reply(to, option, 3, &block, sizeof(block))) &&
	       nbd_server_reply(to, option, 1, NULL, 0);
}

/* Until the client has chosen the export. */
static bool nbd_server_negotiate(struct nbd_server *s, int to)
{
	static uint8_t data[65536];
	struct nbd_server_option o;
	uint32_t flags, name;

	if (!nbd_server_put(to, "NBDMAGICIHAVEOPT\0\3", 18) || !nbd_server_get(to, &flags, 4))
		return false;
	while (nbd_server_get(to, &o, sizeof(o))) {
		uint32_t option = be32toh(o.option), len = be32toh(o.len);

		if (be64toh(o.magic) != 0x49484156454f5054 || len > sizeof(data) ||
		    (len && !nbd_server_get(to, data, len)))
			return false;
		if (s->lie == NBD_BAD_OPTION)
			return nbd_server_put(to, "\0\3\xe8\x89\4UeZ\xff\0\0\0\7\0\0\0\3\xff\xff\xff", 20) &&
			       false;
		if (option == 2)
			return false;
		if (option != 7) {
			if (!nbd_server_reply(to, option, 0x80000001, NULL, 0))
				return false;
			continue;
		}
		memcpy(&name, data, 4);
		name = be32toh(name);
		if (s->name && (name != strlen(s->name) || memcmp(data + 4, s->name, name))) {
			if (!nbd_server_reply(to, option, 0x80000006, "no such export", 14))
				return false;
			continue;
		}
		return nbd_server_info(s, to, option);
	}
	return false;
}

static bool nbd_server_answer(struct nbd_server *s, int to, uint64_t cookie, int error)
{
	struct {
		uint32_t magic, error;
		uint64_t cookie;
	} __attribute__((packed)) a = { htobe32(0x67446698), htobe32(error), cookie };

	if (s->lie == NBD_BAD_MAGIC)
		a.magic = ~a.magic;
	if (s->lie == NBD_BAD_COOKIE)
		a.cookie = ~a.cookie;
	return nbd_server_put(to, &a, sizeof(a));
}

static bool nbd_server_do(struct nbd_server *s, int to, const struct nbd_server_request *r)
{
	static uint8_t data[NBD_SERVER_MAX];
	uint64_t at = be64toh(r->offset);
	uint32_t len = be32toh(r->len), part;
	int type = be16toh(r->type), error = s->error;

	if (type < 2 && len > sizeof(data))
		return false;
	while (s->lie == NBD_STALLS && type == 1 && !__atomic_load_n(&s->go, __ATOMIC_SEQ_CST))
		usleep(1000);
	usleep(s->delay_ms * 1000);
	if (type == 1 && !nbd_server_get(to, data, len))
		return false;
	if (recv(to, &part, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		s->overtaken = true;
	if (!error && (at > s->size || len > s->size - at))
		error = 22;
	if (s->readonly && (type == 1 || type > 3))
		error = 1;
	if (!error && type == 0 && pread(s->fd, data, len, at) != (ssize_t)len)
		error = 5;
	if (!error && type == 1 && pwrite(s->fd, data, len, at) != (ssize_t)len)
		error = 5;
	if (type == 3)
		s->flushes++;
	/* TRIM and WRITE_ZEROES: both write them. */
	for (memset(data, 0, type > 3 ? sizeof(data) : 0); !error && type > 3 && len; len -= part) {
		part = len < sizeof(data) ? len : sizeof(data);
		if (pwrite(s->fd, data, part, at) != (ssize_t)part)
			error = 5;
		at += part;
	}
	if (!nbd_server_answer(s, to, r->cookie, error))
		return false;
	if (s->lie == NBD_HALF && type == 0)
		len /= 2;
	return error || type || (nbd_server_put(to, data, len) && s->lie != NBD_HALF);
}

/* Serves the client until it leaves, or the server does. */
static void nbd_server_serve(struct nbd_server *s, int to)
{
	struct nbd_server_request r;

	if (s->lie == NBD_BAD_GREETING)
		nbd_server_put(to, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
	if (s->lie == NBD_NO_GREETING || s->lie == NBD_BAD_GREETING) {
		nbd_server_get(to, &r, 1);
		return;
	}
	if (!nbd_server_negotiate(s, to))
		return;
	while (nbd_server_get(to, &r, sizeof(r)) && be32toh(r.magic) == 0x25609513) {
		s->farewell = be16toh(r.type) == 2;
		if (s->farewell)
			return;
		__atomic_fetch_add(&s->begun, 1, __ATOMIC_SEQ_CST);
		if (s->lie == NBD_LEAVES)
			return;
		if (s->lie == NBD_HANGS)
			continue;
		if (!nbd_server_do(s, to, &r))
			return;
	}
}

#endif /* TESTS_UNIT_NBD_SERVER_H */

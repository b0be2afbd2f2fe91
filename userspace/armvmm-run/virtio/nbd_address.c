// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/parse.h"
#include "virtio/nbd_address.h"

#define NBD_EXPORTNAME	":exportname="

static int nbd_copy(char *to, size_t size, const char *from, size_t len)
{
	if (!len || len >= size || memchr(from, '\0', len))
		return -EINVAL;
	memcpy(to, from, len);
	to[len] = '\0';
	return 0;
}

static int nbd_copy_text(char *to, size_t size, const char *text)
{
	return nbd_copy(to, size, text, strlen(text));
}

/* A name, or an address without its brackets: getaddrinfo() looks it up. */
static int nbd_copy_name(struct nbd_address *a, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || strchr("[]/", text[i]))
			return -EINVAL;
	return nbd_copy(a->host, sizeof(a->host), text, len);
}

static int nbd_copy_port(struct nbd_address *a, const char *text, const char *end)
{
	uint64_t port;

	if (parse_number(text, end, 65535, &port) || !port)
		return -EINVAL;
	snprintf(a->port, sizeof(a->port), "%u", (unsigned int)port);
	return 0;
}

/* HOST:PORT; an IPv6 address is in brackets. */
static int nbd_copy_host(struct nbd_address *a, const char *text, const char *end)
{
	const char *colon = memrchr(text, ':', end - text), *to = colon;

	if (!colon || nbd_copy_port(a, colon + 1, end))
		return -EINVAL;
	if (*text == '[') {
		if (to[-1] != ']')
			return -EINVAL;
		text++;
		to--;
	} else if (memchr(text, ':', to - text)) {
		return -EINVAL;
	}
	return text < to ? nbd_copy_name(a, text, to - text) : -EINVAL;
}

/* QEMU's older form, behind "nbd:". */
static int nbd_parse_plain(struct nbd_address *a, const char *text)
{
	const char *name = strstr(text, NBD_EXPORTNAME);
	const char *end = name ? name : text + strlen(text);

	if (name && name[strlen(NBD_EXPORTNAME)] &&
	    nbd_copy_text(a->name, sizeof(a->name), name + strlen(NBD_EXPORTNAME)))
		return -EINVAL;
	a->is_unix = !strncmp(text, "unix:", 5);
	return a->is_unix ? nbd_copy(a->path, sizeof(a->path), text + 5, end - text - 5) :
			    nbd_copy_host(a, text, end);
}

static int nbd_take_socket(struct nbd_address *a, const char *query)
{
	GHashTable *params = g_uri_parse_params(query, -1, "&", G_URI_PARAMS_NONE, NULL);
	const char *path = params ? g_hash_table_lookup(params, "socket") : NULL;
	int ret = -EINVAL;

	if (path && g_hash_table_size(params) == 1)
		ret = nbd_copy_text(a->path, sizeof(a->path), path);
	if (params)
		g_hash_table_unref(params);
	return ret;
}

/* The parts of a URI, decoded but for the query. */
static int nbd_take_parts(struct nbd_address *a, const char *host, int port, const char *path,
			  const char *query)
{
	if (*path == '/')
		path++;
	if (*path && nbd_copy_text(a->name, sizeof(a->name), path))
		return -EINVAL;
	if (a->is_unix)
		return query && !(host && *host) && port < 0 ? nbd_take_socket(a, query) : -EINVAL;
	if (query || !host || nbd_copy_name(a, host, strlen(host)))
		return -EINVAL;
	snprintf(a->port, sizeof(a->port), "%s", NBD_PORT);
	if (port == 0)
		return -EINVAL;
	if (port > 0)
		snprintf(a->port, sizeof(a->port), "%u", (uint16_t)port);
	return 0;
}

static int nbd_parse_uri(struct nbd_address *a, const char *text)
{
	char *user = NULL, *host = NULL, *path = NULL, *query = NULL, *fragment = NULL;
	int port = -1, ret = -EINVAL;

	a->is_unix = !strncmp(text, "nbd+unix:", 9);
	if (g_uri_split(text, G_URI_FLAGS_ENCODED_QUERY, NULL, &user, &host, &port, &path, &query,
			&fragment, NULL) && !user && !fragment)
		ret = nbd_take_parts(a, host, port, path, query);
	g_free(user);
	g_free(host);
	g_free(path);
	g_free(query);
	g_free(fragment);
	return ret;
}

int nbd_address_parse(struct nbd_address *a, const char *text, struct error *err)
{
	int ret;

	memset(a, 0, sizeof(*a));
	if (!strncmp(text, "nbds", 4))
		return error_set(err, -EINVAL, "%.200s: there is no TLS here: tunnel it", text);
	if (!strncmp(text, "nbd://", 6) || !strncmp(text, "nbd+unix:", 9))
		ret = nbd_parse_uri(a, text);
	else
		ret = nbd_parse_plain(a, text + 4);
	return ret ? error_set(err, ret,
			       "%.200s: is not like nbd://HOST[:PORT][/NAME], nbd+unix:///[NAME]?socket=PATH or nbd:unix:PATH[:exportname=NAME]",
			       text) : 0;
}

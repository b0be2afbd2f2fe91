// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "core/identity.h"

/* 32 hexadecimal digits, machine-id(5). Hosts without one make the same names for their guests. */
static void identity_host(GChecksum *sum)
{
	static const char *const files[] = { "/etc/machine-id", "/var/lib/dbus/machine-id" };
	guchar id[32];

	for (unsigned int i = 0; i < G_N_ELEMENTS(files); i++) {
		int fd = open(files[i], O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, id, sizeof(id));

		if (fd >= 0)
			close(fd);
		if (n > 0) {
			g_checksum_update(sum, id, n);
			return;
		}
	}
}

void identity_hash(uint8_t hash[IDENTITY_SIZE], const char *who, const char *what)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize len = IDENTITY_SIZE;

	identity_host(sum);
	/* Include the zeroes at the ends, so that "a", "bc" differs from "ab", "c". */
	g_checksum_update(sum, (const guchar *)(who ? who : ""), who ? strlen(who) + 1 : 1);
	g_checksum_update(sum, (const guchar *)(what ? what : ""), what ? strlen(what) + 1 : 1);
	g_checksum_get_digest(sum, hash, &len);
	g_checksum_free(sum);
}

char *identity_path(const char *path)
{
	return g_canonicalize_filename(path, NULL);
}

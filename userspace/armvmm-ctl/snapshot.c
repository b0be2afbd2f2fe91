// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots. The machine can open no file, so it is sent one. That has a name of its own until it
 * is complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot.h"
#include "transfer.h"

/* The new name is on the disk, too. */
static bool snapshot_sync_folder(const char *file)
{
	char *copy = g_strdup(file);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* EINVAL: a file system that has no need of it. */
	bool done = fd >= 0 && (!fsync(fd) || errno == EINVAL);

	if (fd >= 0)
		close(fd);
	g_free(copy);
	return done;
}

static bool snapshot_complete(json_t *status, int fd, const char *temporary, const char *file,
			      GError **err)
{
	struct stat st;

	/* Some file systems find out only now that they are full. */
	if (fsync(fd) || fstat(fd, &st) || rename(temporary, file))
		return transfer_fail(err, file, g_strerror(errno));
	if (!snapshot_sync_folder(file))
		return transfer_fail(err, file, g_strerror(errno));
	printf("%s: %lld bytes; the guest stood still for %lld ms\n", file, (long long)st.st_size,
	       (long long)json_integer_value(json_object_get(status, "downtime")));
	return true;
}

bool snapshot_save(struct connection *c, char **args, GError **err)
{
	const char *file = args[0];
	char *temporary = g_strconcat(file, ".XXXXXX", NULL);
	json_t *status = NULL;
	bool done = false;
	struct stat st;
	int fd;

	if (!stat(file, &st) && !S_ISREG(st.st_mode)) {
		g_free(temporary);
		return transfer_fail(err, file, "is there already, and is no regular file");
	}
	transfer_catch();
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		transfer_fail(err, file, g_strerror(errno));
	} else {
		if (transfer_begin(c, fd, "background-snapshot", err))
			status = transfer_wait(c, "snapshot", file, err);
		if (status)
			done = snapshot_complete(status, fd, temporary, file, err);
		if (!done)
			unlink(temporary);
		close(fd);
	}
	json_decref(status);
	g_free(temporary);
	return done;
}

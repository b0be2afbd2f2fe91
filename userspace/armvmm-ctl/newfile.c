// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "newfile.h"
#include "transfer.h"

bool newfile_open(struct newfile *n, const char *file, GError **err)
{
	struct stat st;

	*n = (struct newfile){ .file = file, .fd = -1 };
	if (!stat(file, &st) && !S_ISREG(st.st_mode))
		return transfer_fail(err, file, "is there already, and is no regular file");
	n->temporary = g_strconcat(file, ".XXXXXX", NULL);
	n->fd = mkostemp(n->temporary, O_CLOEXEC);
	if (n->fd >= 0)
		return true;
	transfer_fail(err, file, g_strerror(errno));
	newfile_close(n);
	return false;
}

/* The new name is on the disk, too. */
static bool newfile_sync_folder(const char *file)
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

bool newfile_keep(struct newfile *n, long long *size, GError **err)
{
	struct stat st;

	/* Some file systems find out only now that they are full. */
	if (fsync(n->fd) || fstat(n->fd, &st) || rename(n->temporary, n->file))
		return transfer_fail(err, n->file, g_strerror(errno));
	g_free(n->temporary);
	n->temporary = NULL;
	*size = st.st_size;
	return newfile_sync_folder(n->file) || transfer_fail(err, n->file, g_strerror(errno));
}

void newfile_close(struct newfile *n)
{
	if (n->fd >= 0) {
		if (n->temporary)
			unlink(n->temporary);
		close(n->fd);
	}
	g_free(n->temporary);
	*n = (struct newfile){ .fd = -1 };
}

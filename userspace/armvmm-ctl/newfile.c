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

/* Before anything is lost: who may make files in a folder may perhaps not read it. */
static int newfile_open_folder(const char *file)
{
	char *copy = g_strdup(file);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = errno;

	g_free(copy);
	errno = error;
	return fd;
}

bool newfile_open(struct newfile *n, const char *file, GError **err)
{
	struct stat st;

	*n = (struct newfile){ .file = file, .fd = -1, .folder = -1 };
	if (!stat(file, &st) && !S_ISREG(st.st_mode))
		return transfer_fail(err, file, "is there already, and is no regular file");
	n->folder = newfile_open_folder(file);
	if (n->folder < 0)
		return transfer_fail(err, file, g_strerror(errno));
	n->temporary = g_strconcat(file, ".XXXXXX", NULL);
	n->fd = mkostemp(n->temporary, O_CLOEXEC);
	if (n->fd >= 0)
		return true;
	transfer_fail(err, file, g_strerror(errno));
	newfile_close(n);
	return false;
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
	/* The new name, too. The old file is gone already. EINVAL: a file system without a need. */
	if (fsync(n->folder) && errno != EINVAL)
		g_printerr("armvmm-ctl: %s: is written, but its name may not be on the disk: %s\n",
			   n->file, g_strerror(errno));
	return true;
}

void newfile_close(struct newfile *n)
{
	if (n->fd >= 0) {
		if (n->temporary)
			unlink(n->temporary);
		close(n->fd);
	}
	if (n->folder >= 0)
		close(n->folder);
	g_free(n->temporary);
	*n = (struct newfile){ .fd = -1, .folder = -1 };
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that the machine writes, and cannot open itself. It has a name of its own until it is
 * complete, so that an older one stays if it never is.
 */
#ifndef ARMVMM_CTL_NEWFILE_H
#define ARMVMM_CTL_NEWFILE_H

#include <glib.h>
#include <stdbool.h>

struct newfile {
	const char *file;	/* its name in the end */
	char *temporary;	/* its name until then */
	int fd;
	int folder;
};

/* Makes one that only its owner may read. Returns false with @err set. */
bool newfile_open(struct newfile *n, const char *file, GError **err);

/*
 * It is complete: it gets its name, and both are on the disk. Once it has its name, a failure is
 * only told of. Sets *@size to its bytes. Returns false with @err set; then newfile_close() removes
 * it.
 */
bool newfile_keep(struct newfile *n, long long *size, GError **err);

/* Removes the file, unless it was kept. */
void newfile_close(struct newfile *n);

#endif /* ARMVMM_CTL_NEWFILE_H */

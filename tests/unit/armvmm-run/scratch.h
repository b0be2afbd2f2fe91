/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of a test, in a folder that is removed with them. */
#ifndef TESTS_UNIT_ARMVMM_RUN_SCRATCH_H
#define TESTS_UNIT_ARMVMM_RUN_SCRATCH_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ktap.h"

static char scratch_dir[] = "/tmp/armvmm-test.XXXXXX";

/* At most four names at a time. */
static const char *path(const char *name)
{
	static char text[4][128];
	static unsigned int next;
	char *at = text[next++ % 4];

	snprintf(at, sizeof(text[0]), "%s/%s", scratch_dir, name);
	return at;
}

/* Writes @len bytes at the start of a file that is @size bytes long (sparse). */
static inline void write_file(const char *name, const void *data, size_t len, off_t size)
{
	int fd = open(path(name), O_RDWR | O_CREAT | O_TRUNC, 0600);

	KTAP_EQ(pwrite(fd, data, len, 0), len);
	KTAP_EQ(ftruncate(fd, size), 0);
	close(fd);
}

#endif /* TESTS_UNIT_ARMVMM_RUN_SCRATCH_H */

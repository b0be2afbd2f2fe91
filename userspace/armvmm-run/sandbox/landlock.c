// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/landlock.h"

/* The kernel's numbers and structures, which the headers of Debian 11 do not have. */
#define LANDLOCK_CREATE		444
#define LANDLOCK_ADD_RULE	445
#define LANDLOCK_RESTRICT	446
#define LANDLOCK_VERSION	1u
#define LANDLOCK_PATH_BENEATH	1
#define LANDLOCK_READ_FILE	(1ull << 2)
#define LANDLOCK_READ_DIR	(1ull << 3)
#define LANDLOCK_REMOVE_FILE	(1ull << 5)

struct landlock_ruleset {
	uint64_t fs;
	uint64_t net;		/* from version 4 on */
	uint64_t scoped;	/* from version 6 on */
};

struct landlock_path {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* Fills in all that version @abi can take away. Returns the length of its structure. */
static size_t landlock_all(struct landlock_ruleset *set, int abi, bool network)
{
	/* Version 1 has 13 kinds of access; 2 adds REFER, 3 TRUNCATE, 5 IOCTL_DEV. */
	unsigned int nr = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;

	memset(set, 0, sizeof(*set));
	set->fs = (1ull << nr) - 1;
	if (abi < 4)
		return sizeof(set->fs);
	set->net = network ? 1 : 3;	/* bind, connect */
	if (abi < 6)
		return sizeof(set->fs) + sizeof(set->net);
	set->scoped = 3;		/* abstract sockets, signals */
	return sizeof(*set);
}

static int landlock_allow_reading(int set, const char *folder)
{
	struct landlock_path path = { .allowed = LANDLOCK_READ_FILE | LANDLOCK_READ_DIR };
	int ret;

	path.fd = open(folder, O_PATH | O_CLOEXEC);
	if (path.fd < 0)
		return errno == ENOENT ? 0 : -errno;
	ret = syscall(LANDLOCK_ADD_RULE, set, LANDLOCK_PATH_BENEATH, &path, 0) ? -errno : 0;
	close(path.fd);
	return ret;
}

/* Returns the descriptor of a set that allows nothing, or -errno. */
static int landlock_create(bool network)
{
	int abi = syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION), set;
	struct landlock_ruleset all;
	size_t size;

	if (abi < 0)
		return -errno;
	size = landlock_all(&all, abi, network);
	set = syscall(LANDLOCK_CREATE, &all, size, 0);
	return set < 0 ? -errno : set;
}

/* @ret: could all be put into it that is to be allowed? */
static int landlock_restrict(int set, int ret)
{
	if (!ret && syscall(LANDLOCK_RESTRICT, set, 0))
		ret = -errno;
	close(set);
	return ret;
}

int landlock_enter_folder(int folder)
{
	struct landlock_path path = { .allowed = LANDLOCK_REMOVE_FILE, .fd = folder };
	int set = landlock_create(false);

	if (set < 0)
		return set;
	return landlock_restrict(set, syscall(LANDLOCK_ADD_RULE, set, LANDLOCK_PATH_BENEATH, &path,
					      0) ? -errno : 0);
}

int landlock_enter(bool network)
{
	int set = landlock_create(network), ret = 0;
	char real[PATH_MAX];

	if (set < 0)
		return set;
	if (network) {
		/*
		 * The file is replaced when the network changes, so a rule for the file would not
		 * last.
		 */
		ret = landlock_allow_reading(set, "/etc");
		if (!ret && realpath("/etc/resolv.conf", real))
			ret = landlock_allow_reading(set, dirname(real));
	}
	return landlock_restrict(set, ret);
}

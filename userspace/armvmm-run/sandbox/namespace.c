// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/userns.h"
#include "sandbox/namespace.h"

/* A folder that every host has; the new root is mounted there for a moment. */
#define NAMESPACE_ROOT "/proc"

static int namespace_mkdirs(char *path)
{
	for (char *p = path + 1;; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		*p = c;
		if (!c)
			return 0;
	}
}

/* The folder appears in the new root under its own name. */
static int namespace_bind(const char *folder)
{
	char to[PATH_MAX + sizeof(NAMESPACE_ROOT)];
	int ret;

	snprintf(to, sizeof(to), "%s%s", NAMESPACE_ROOT, folder);
	ret = namespace_mkdirs(to);
	if (ret)
		return ret;
	return mount(folder, to, NULL, MS_BIND | MS_REC, NULL) ? -errno : 0;
}

/*
 * The file is replaced when the host's network changes, so its folder must be there. If it is a
 * link, usually into /run, that folder is not /etc.
 */
static int namespace_bind_resolver(void)
{
	char real[PATH_MAX], etc[] = NAMESPACE_ROOT "/etc";
	int ret;

	if (!realpath("/etc/resolv.conf", real) || !strncmp(real, "/etc/", 5))
		return namespace_bind("/etc");
	ret = namespace_mkdirs(etc);
	if (!ret && symlink(real, NAMESPACE_ROOT "/etc/resolv.conf"))
		ret = -errno;
	return ret ? ret : namespace_bind(dirname(real));
}

/* pivot_root() cannot replace the initial RAM disk's root: mount the new one over it. */
static int namespace_change_root(void)
{
	if (chdir(NAMESPACE_ROOT))
		return -errno;
	if (!syscall(SYS_pivot_root, ".", ".")) {
		if (umount2(".", MNT_DETACH))
			return -errno;
	} else if (mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".")) {
		return -errno;
	}
	if (chdir("/"))
		return -errno;
	mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return 0;
}

static int namespace_empty_root(bool network)
{
	int ret = 0;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	if (mount("none", NAMESPACE_ROOT, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "size=64k,nr_inodes=64,mode=755"))
		return -errno;
	if (network)
		ret = namespace_bind_resolver();
	return ret ? ret : namespace_change_root();
}

/* One namespace after the other: a kernel that has one kind not gives the others all the same. */
static int namespace_others(bool network, const char **what)
{
	static const struct {
		int flag;
		const char *name;
	} kinds[] = {
		{ CLONE_NEWIPC, "IPC namespace" },
		{ CLONE_NEWUTS, "UTS namespace" },
		{ CLONE_NEWNET, "network namespace" },
	};
	int ret = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].flag == CLONE_NEWNET && network)
			continue;
		if (unshare(kinds[i].flag)) {
			ret = -errno;
			*what = kinds[i].name;
		}
	}
	return ret;
}

int namespace_enter(bool network, bool user_too, const char **what)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int ret, others;

	*what = "namespaces";
	if (unshare(CLONE_NEWNS)) {
		if (errno != EPERM || !user_too || unshare(CLONE_NEWUSER | CLONE_NEWNS))
			return -errno;
		*what = "user namespace";
		ret = userns_map(uid, gid);
		if (ret)
			return ret;
	}
	others = namespace_others(network, what);
	ret = namespace_empty_root(network);
	if (!ret)
		return others;
	*what = "empty root";
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox/limits.h"

/* Lowers it for good: the hard limit, too. A limit that is lower already stays. */
static int limits_lower(int resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return -errno;
	if (limit.rlim_max < value)
		value = limit.rlim_max;
	limit = (struct rlimit){ .rlim_cur = value, .rlim_max = value };
	return setrlimit(resource, &limit) ? -errno : 0;
}

/* The limit below which @more descriptors are free: one that is open above it stays so. */
static rlim_t limits_files(unsigned int more)
{
	int fd = 0;

	for (; more; fd++)
		more -= fcntl(fd, F_GETFD) < 0;
	return fd;
}

/* Bytes that count against RLIMIT_DATA now, mostly the guest's memory; 0 if unknown. */
static rlim_t limits_data(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmData: %llu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return (rlim_t)kib << 10;
}

/*
 * CAP_IPC_LOCK, which lifts this limit, goes with the other capabilities. If the caller may not
 * raise the limit far enough, the vCPU that finds it too low reports it.
 */
static void limits_allow_pinning(uint64_t bytes)
{
	struct rlimit limit;

	if (!bytes || getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	bytes += LIMITS_PINNED;
	/*
	 * The memory of all guests of a user is counted together, but each guest has its own limit.
	 */
	if (bytes <= limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &limit);
		return;
	}
	if (!setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ bytes, bytes }))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

int limits_set(const struct limits *limits, const char **what)
{
	rlim_t data = limits_data();
	int ret;

	limits_allow_pinning(limits->pinned);
	*what = data ? NULL : "limit of memory (/proc/self/status)";
	ret = data ? limits_lower(RLIMIT_DATA, data + limits->data) : 0;
	if (!ret)
		ret = limits_lower(RLIMIT_NOFILE, limits_files(limits->files));
	if (!ret)
		ret = limits_lower(RLIMIT_MSGQUEUE, 0);
	return ret;
}

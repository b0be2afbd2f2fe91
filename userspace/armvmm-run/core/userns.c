// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/userns.h"

static int userns_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int userns_map(uid_t uid, gid_t gid)
{
	char text[64];
	int ret;

	ret = userns_write("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "%u %u 1", gid, gid);
	if (!ret)
		ret = userns_write("/proc/self/gid_map", text);
	snprintf(text, sizeof(text), "%u %u 1", uid, uid);
	if (!ret)
		ret = userns_write("/proc/self/uid_map", text);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "boot/hosttree.h"

/* The timer is a child of the root, or of a bus below it. */
#define HOSTTREE_DEPTH	2

static int hosttree_read(const char *node, const char *property, void *buf, size_t size)
{
	char path[512];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", node, property) >= (int)sizeof(path))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buf, size);
	close(fd);
	return n;
}

static bool hosttree_is_timer(const char *node)
{
	char list[256];
	int len = hosttree_read(node, "compatible", list, sizeof(list) - 1);

	if (len <= 0)
		return false;
	list[len] = '\0';
	for (const char *at = list; at < list + len; at += strlen(at) + 1)
		if (!strcmp(at, "arm,armv7-timer") || !strcmp(at, "arm,armv8-timer"))
			return true;
	return false;
}

static uint32_t hosttree_search(const char *node, unsigned int depth)
{
	struct dirent *entry;
	uint32_t hz = 0;
	char path[512];
	DIR *dir;

	if (hosttree_is_timer(node))
		return hosttree_read(node, "clock-frequency", &hz, sizeof(hz)) == sizeof(hz) ?
			       be32toh(hz) : 0;
	dir = depth ? opendir(node) : NULL;
	while (dir && !hz && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", node, entry->d_name) < (int)sizeof(path))
			hz = hosttree_search(path, depth - 1);
	}
	if (dir)
		closedir(dir);
	return hz;
}

uint32_t hosttree_timer_hz(const char *root)
{
	return hosttree_search(root, HOSTTREE_DEPTH);
}

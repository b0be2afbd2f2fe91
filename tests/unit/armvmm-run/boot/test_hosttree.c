// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/boot/hosttree.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
//
// What is read of a host's device tree, from folders made like one.
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "boot/hosttree.h"
#include "ktap.h"

static char root[] = "/tmp/test_hosttree.XXXXXX";

static void put(const char *node, const char *property, const void *data, size_t len)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, node);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", root, node, property);
	file = fopen(path, "w");
	fwrite(data, 1, len, file);
	fclose(file);
}

static void test_timer(void)
{
	static const char timer[] = "arm,cortex-a15-timer\0arm,armv7-timer";

	KTAP_ASSERT(mkdtemp(root));
	KTAP_EQ(hosttree_timer_hz("/nonexistent"), 0);
	KTAP_EQ(hosttree_timer_hz(root), 0);
	/* A property of another node does not count. */
	put("cpu", "compatible", "arm,cortex-a7", 14);
	put("cpu", "clock-frequency", "\0\0\0\1", 4);
	put("soc", "compatible", "simple-bus", 11);
	KTAP_EQ(hosttree_timer_hz(root), 0);
	/* CNTFRQ is set: the node has no property. */
	put("soc/timer", "compatible", timer, sizeof(timer));
	KTAP_EQ(hosttree_timer_hz(root), 0);
	put("soc/timer", "clock-frequency", "\x01\x6e\x36", 3);
	KTAP_EQ(hosttree_timer_hz(root), 0);
	put("soc/timer", "clock-frequency", "\x01\x6e\x36\x00", 4);
	KTAP_EQ(hosttree_timer_hz(root), 24000000);
	if (system("rm -r /tmp/test_hosttree.*"))
		KTAP_FAIL("cannot tidy up");
}

KTAP_MAIN(KTAP_CASE(test_timer))

/* SPDX-License-Identifier: GPL-2.0-only */
/* What a program of the board prints is what the test that runs it prints. */
#ifndef BOARD_RELAY_H
#define BOARD_RELAY_H

#include <stdio.h>
#include <string.h>

static inline int relay(const char *cmd)
{
	char line[512];
	int passed = 0, status;
	FILE *f;

	f = popen(cmd, "r");
	if (!f)
		return 1;
	while (fgets(line, sizeof(line), f)) {
		fputs(line, stdout);
		passed |= !strncmp(line, "# passed", 8);
	}
	status = pclose(f);
	return status || !passed;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exception vectors of HYP mode, and the take-over of a CPU, which are assembly, on an emulated
 * board without Linux: hyp/board/run builds and runs it, and its output is this test's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	char line[512];
	int passed = 0, status;
	FILE *f;

	f = popen("hyp/board/run", "r");
	if (!f)
		return 1;
	while (fgets(line, sizeof(line), f)) {
		fputs(line, stdout);
		passed |= !strncmp(line, "# passed", 8);
	}
	status = pclose(f);
	return status || !passed;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests of code that starts processes: these are the test's own program, executed anew. */
#ifndef TESTS_UNIT_PROCESS_SELF_H
#define TESTS_UNIT_PROCESS_SELF_H

#include <unistd.h>

#include "core/process.h"

/* Runs before the test's main(). */
__attribute__((constructor)) static void process_self(int argc, char **argv)
{
	int status = process_main(argc, argv, NULL);

	if (status >= 0)
		_exit(status);
}

#endif /* TESTS_UNIT_PROCESS_SELF_H */

// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "core/parse.h"
#include "incoming_address.h"

#define INCOMING_FD	"fd:"
#define INCOMING_MAX_FD	65535

int incoming_address_parse(struct incoming_address *a, const char *arg, struct error *err)
{
	size_t len = strlen(INCOMING_FD);
	uint64_t fd = 0;

	*a = (struct incoming_address){ .standard = !strcmp(arg, "-"), .fd = -1 };
	if (a->standard)
		return 0;
	if (!strncmp(arg, INCOMING_FD, len) &&
	    !parse_number_all(arg + len, INCOMING_MAX_FD, &fd) && fd > STDERR_FILENO) {
		a->fd = fd;
		return 0;
	}
	if (!endpoint_parse(&a->at, arg, arg + strlen(arg)))
		return 0;
	return error_set(err, -EINVAL,
			 "--incoming %s: must be " ENDPOINT_SYNTAX ", fd:N (3 or more), or -", arg);
}

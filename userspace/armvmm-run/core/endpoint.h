/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a program listens, or connects to: tcp:[HOST]:PORT or unix:PATH. Pure. */
#ifndef ARMVMM_RUN_ENDPOINT_H
#define ARMVMM_RUN_ENDPOINT_H

#include <stdbool.h>

#define ENDPOINT_HOST_MAX	256u

/* What there is, for messages. */
#define ENDPOINT_SYNTAX	"tcp:[HOST]:PORT or unix:PATH (107 characters at most)"

struct endpoint {
	bool is_unix;
	char host[ENDPOINT_HOST_MAX];	/* tcp; 127.0.0.1 if none is given */
	char port[8];		/* tcp: 0 to 65535; 0: any free port */
	char path[108];		/* unix: as long as one may be */
};

/* Parses the text from @text to @end. Returns 0 or -EINVAL. */
int endpoint_parse(struct endpoint *e, const char *text, const char *end);

#endif /* ARMVMM_RUN_ENDPOINT_H */

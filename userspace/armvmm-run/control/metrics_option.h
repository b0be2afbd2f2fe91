/* SPDX-License-Identifier: GPL-2.0-only */
/* The argument of --metrics: where lines go, and how often. */
#ifndef ARMVMM_RUN_METRICS_OPTION_H
#define ARMVMM_RUN_METRICS_OPTION_H

#include "core/error.h"

#define METRICS_SYNTAX		"FILE[,interval=SECONDS]"
#define METRICS_INTERVAL	10u	/* seconds */
#define METRICS_INTERVAL_MAX	86400u

struct metrics_option {
	char path[4096];
	unsigned int interval;
};

/* Returns 0 or -EINVAL with @err set. */
int metrics_parse(struct metrics_option *option, const char *text, struct error *err);

#endif /* ARMVMM_RUN_METRICS_OPTION_H */

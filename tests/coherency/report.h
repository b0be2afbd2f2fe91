/* SPDX-License-Identifier: GPL-2.0-only */
/* The findings, one for each pair of places in the code. */
#ifndef COHERENCY_REPORT_H
#define COHERENCY_REPORT_H

#include <stdio.h>

#include "machine.h"

#define REPORT_MAX	256

struct report_key {
	const char *rule, *what;
	uint32_t culprit, access;	/* in the module: offsets from its code for HYP */
	unsigned long count;
};

struct report {
	FILE *file;
	unsigned int nr;
	struct report_key keys[REPORT_MAX];
};

/* For machine.report; machine.arg is a struct report. */
void report_add(struct machine *m, const char *rule, const char *what, const struct touch *culprit,
		const struct touch *access, uint64_t pa);
/* Writes how often there was each finding, and closes the file. */
void report_finish(struct report *r);

#endif

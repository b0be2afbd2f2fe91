/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <glib.h>
#include <stdbool.h>

struct options {
	bool once;
	bool log;		/* to standard output, or to log_file */
	bool csv;
	bool per_vcpu;
	bool skip_zero;
	bool host;		/* the host's CPUs, and no counters */
	bool help, version;
	char *log_file;
	char *guest;		/* NULL: any */
	int pid;		/* 0: any */
	char *filter;		/* NULL: all */
	double interval;	/* s */
	const char *debugfs;
};

extern const char options_help[];

/* False: @err says what is wrong. @options is to be freed in either case. */
bool options_parse(struct options *options, int argc, char **argv, GError **err);
void options_free(struct options *options);
/* A pid or an interval as a person types it. */
bool options_pid(const char *text, int *pid, GError **err);
bool options_interval(const char *text, double *interval, GError **err);

/* A compiled filter, or NULL with @err. */
GRegex *options_filter(const char *text, GError **err);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line. */
#ifndef ARMVMM_RUN_OPTIONS_H
#define ARMVMM_RUN_OPTIONS_H

#include <stdio.h>

#include "core/config.h"
#include "core/error.h"

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_DEVICES,
		      OPTIONS_MACHINES };

/*
 * Parses the arguments into @config. Returns an options_action, or -EINVAL with
 * @err naming the option. Strings in @config point into @argv or are
 * allocated; options_free() gives those back.
 */
int options_parse(struct config *config, int argc, char **argv, struct error *err);
void options_free(struct config *config);

/* The text of --help, with a newline at its end. */
extern const char options_help[];

/* What --device help prints: the device types that were linked in, with their words. */
void options_print_devices(FILE *file);

/* What --machine help prints. */
void options_print_machines(FILE *file);

#endif /* ARMVMM_RUN_OPTIONS_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options in a file (GLib's key files): the group [guest], each key a long option without its
 * dashes, each value its argument, or true or false. What may be given several times has a list,
 * separated by semicolons.
 */
#ifndef ARMVMM_RUN_OPTIONS_FILE_H
#define ARMVMM_RUN_OPTIONS_FILE_H

#include <stddef.h>

#include "core/config.h"
#include "core/error.h"

struct options_table;

#define OPTIONS_LABEL	256	/* bytes of a label, at most */

/*
 * Reads a text file of up to @max bytes into *@text, which g_free() frees. Returns 0 or -errno with
 * a sentence in @err that begins with @label.
 */
int options_read(char **text, const char *name, size_t max, const char *label, struct error *err);

/* Takes the options in the file @name. Returns 0 or -errno with @err naming the file. */
int options_read_config(struct config *config, const struct options_table *t, const char *name,
			struct error *err);

/* Notes that an option was taken, so that options_write_config() writes it. */
void options_given_add(struct config *config, const char *name, const char *arg);
void options_given_free(struct config *config);

/* Writes what was given to the file @name ("-": standard output). Returns 0 or -errno. */
int options_write_config(const struct config *config, const char *name, struct error *err);

#endif /* ARMVMM_RUN_OPTIONS_FILE_H */

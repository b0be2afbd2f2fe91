/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON values, beyond what jansson has. Jansson reads and writes only what RFC 8259 allows, so no
 * text is checked here. json_object_get() and all that reads a value take NULL for a missing one.
 */
#ifndef ARMVMM_RUN_VALUE_H
#define ARMVMM_RUN_VALUE_H

#include <jansson.h>

/*
 * Call this before the first value is made, and before the sandbox is entered. From then on the
 * program ends if there is no memory, as with GLib: so no call below, nor any of jansson's, fails
 * for lack of memory.
 */
void value_prepare(void);

/*
 * Makes a string. Never NULL. Names of files and of the guest may hold any bytes, but jansson takes
 * only UTF-8: other bytes become U+FFFD.
 */
json_t *value_text(const char *text);

/* The text of an object or an array, on one line, without a newline. Free it by g_free(). */
char *value_print(const json_t *value);

#endif /* ARMVMM_RUN_VALUE_H */

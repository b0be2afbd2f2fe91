/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON values beyond what jansson has. It takes and gives only what RFC 8259 has, so that no text
 * is checked here; json_object_get() and what reads a value take NULL, for what is not there.
 */
#ifndef ARMVMM_RUN_VALUE_H
#define ARMVMM_RUN_VALUE_H

#include <jansson.h>

/*
 * To be called before the first value is made, and before the sandbox is entered. Without memory
 * the program ends from now on, as it does where GLib has none: no call below or of jansson's
 * fails for want of it.
 */
void value_prepare(void);

/*
 * A string. Names of files and of the guest are bytes of any kind, of which jansson takes UTF-8
 * alone: what is none becomes U+FFFD. Never NULL.
 */
json_t *value_text(const char *text);

/* The text of an object or an array, on one line without its end. To be given to g_free(). */
char *value_print(const json_t *value);

#endif /* ARMVMM_RUN_VALUE_H */

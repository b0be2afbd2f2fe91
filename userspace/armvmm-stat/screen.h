/* SPDX-License-Identifier: GPL-2.0-only */
/* A full-screen terminal, by ECMA-48 sequences. */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>

struct screen_size {
	unsigned int columns, rows;
};

/* Takes over the terminal of standard input and output. Returns -errno if there is none. */
int screen_open(void);
/* Gives it back as it was. May be called at any time, and again. */
void screen_close(void);
struct screen_size screen_size(void);
/* Shows @text, lines that end with '\n', from the top; what was there before is gone. */
void screen_show(const char *text);
/* What the person typed: one byte, or -1. Does not wait. */
int screen_key(void);

#endif

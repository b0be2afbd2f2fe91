// SPDX-License-Identifier: GPL-2.0-only
/* The terminal, or whatever stdin and stdout are: term.c has it. */
#include "chardev/backend.h"
#include "core/machine.h"

static int stdio_create(struct machine *m, const struct backend *backend, bool stream,
			struct chardev **chr, struct error *err)
{
	*chr = m->terminal;
	return 0;
}

static const struct backend_type stdio_type = {
	.name = "stdio",
	.args = "stdio",
	.summary = "the terminal, or whatever standard input and output are",
	.create = stdio_create,
};
BACKEND_TYPE(stdio_type);

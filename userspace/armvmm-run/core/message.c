// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/message.h"

void message_va(const char *fmt, va_list ap)
{
	static const char program[] = "armvmm-run: ";
	char line[768];
	size_t len = sizeof(program) - 1;
	int n;

	memcpy(line, program, len);
	n = vsnprintf(line + len, sizeof(line) - len - 2, fmt, ap);
	if (n < 0)
		return;
	len += (size_t)n < sizeof(line) - len - 2 ? (size_t)n : sizeof(line) - len - 3;
	/* A carriage return is harmless on a terminal that is not raw, and wrong in a file. */
	if (isatty(STDERR_FILENO))
		line[len++] = '\r';
	line[len++] = '\n';
	/* If stderr is gone, there is nobody to tell. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

void message(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message_va(fmt, ap);
	va_end(ap);
}

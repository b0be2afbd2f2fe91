/* SPDX-License-Identifier: GPL-2.0-only */
/* What a bare guest says, by the put() of its console. */
#ifndef TESTS_SYSTEM_MONITOR_PRINT_H
#define TESTS_SYSTEM_MONITOR_PRINT_H

static void puts(const char *s)
{
	for (; *s; s++)
		put(*s);
}

static void put_hex(u32 v)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		put("0123456789abcdef"[(v >> shift) & 15]);
}

static void say(const char *what, u32 v)
{
	puts(what);
	put(' ');
	put_hex(v);
	puts("\r\n");
}

#endif

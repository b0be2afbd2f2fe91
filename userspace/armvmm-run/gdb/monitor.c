// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a person may tell the machine itself: a few commands of QEMU's monitor, under their names.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gdb/session.h"

static void monitor_say(struct reply *reply, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void monitor_say(struct reply *reply, const char *fmt, ...)
{
	char line[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	reply_hex(reply, line, strlen(line));
}

/* Prints four registers in a row, as far as the answer has room. */
static void monitor_registers(struct session *s, struct reply *reply)
{
	unsigned int column = 0;

	for (unsigned int n = 0; n < s->file.nr; n++) {
		uint64_t value;

		if (n == REGFILE_D0)
			n = REGFILE_FPSCR;
		if (!regfile_size(&s->file, n) ||
		    regfile_get(&s->file, &s->target, s->cpu, n, &value))
			continue;
		monitor_say(reply, "%s%s=%0*llx", column ? " " : "", s->file.reg[n].name,
			    2 * s->file.reg[n].size, (unsigned long long)value);
		column = (column + 1) % 4;
		if (!column)
			monitor_say(reply, "\n");
	}
	if (column)
		monitor_say(reply, "\n");
}

static void monitor_cpus(struct session *s, struct reply *reply)
{
	for (unsigned int i = 0; i < target_nr_cpus(&s->target); i++) {
		uint64_t pc = 0;

		target_reg_get(&s->target, i, "pc", &pc);
		monitor_say(reply, "%c CPU #%u: pc=0x%08llx%s\n", i == s->cpu ? '*' : ' ', i,
			    (unsigned long long)pc,
			    s->target.ops->is_off(s->target.opaque, i) ? " (off)" : "");
	}
}

static void monitor_request(struct session *s, enum machine_request request, struct reply *reply)
{
	const char *why = s->target.ops->request(s->target.opaque, request);

	if (why)
		monitor_say(reply, "%s\n", why);
}

static void monitor_reset(struct session *s, struct reply *reply)
{
	monitor_request(s, MACHINE_RESET, reply);
}

static void monitor_quit(struct session *s, struct reply *reply)
{
	monitor_request(s, MACHINE_QUIT, reply);
}

static void monitor_help(struct session *s, struct reply *reply);

static const struct {
	const char *name, *help;
	void (*run)(struct session *s, struct reply *reply);
} monitor_command[] = {
	{ "help", "this list", monitor_help },
	{ "info cpus", "the vCPUs, and where they are", monitor_cpus },
	{ "info registers", "the registers of the thread that was chosen", monitor_registers },
	{ "quit", "end the guest at once", monitor_quit },
	{ "system_reset", "start it anew", monitor_reset },
};

#define MONITOR_COMMANDS	(sizeof(monitor_command) / sizeof(monitor_command[0]))

static void monitor_help(struct session *s, struct reply *reply)
{
	for (unsigned int i = 0; i < MONITOR_COMMANDS; i++)
		monitor_say(reply, "%-16s %s\n", monitor_command[i].name, monitor_command[i].help);
}

void session_monitor(struct session *s, const char *text, struct reply *reply)
{
	for (unsigned int i = 0; i < MONITOR_COMMANDS; i++) {
		if (strcmp(text, monitor_command[i].name))
			continue;
		monitor_command[i].run(s, reply);
		if (!reply->len)
			reply_ok(reply);
		return;
	}
	monitor_say(reply, "%.100s: is no command (help lists them)\n", text);
}

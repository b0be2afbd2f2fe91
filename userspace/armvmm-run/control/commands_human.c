// SPDX-License-Identifier: GPL-2.0-only
/* human-monitor-command: those few commands of QEMU's monitor that clients ask for as text. */
#include <glib.h>
#include <libarmvmm.h>
#include <string.h>

#include "control/command.h"
#include "control/value.h"
#include "core/balloon.h"
#include "core/blockdev.h"
#include "core/runstate.h"

static void human_status(const struct command_target *t, GString *out)
{
	g_string_append_printf(out, "VM status: %s\r\n", command_status(t));
}

static void human_name(const struct command_target *t, GString *out)
{
	if (t->name)
		g_string_append_printf(out, "%s\r\n", t->name);
}

static void human_version(const struct command_target *t, GString *out)
{
	g_string_append_printf(out, "armvmm-run %s\r\n", armvmm_library_version());
}

static void human_kvm(const struct command_target *t, GString *out)
{
	g_string_append(out, "kvm support: enabled\r\n");
}

static void human_cpus(const struct command_target *t, GString *out)
{
	for (unsigned int i = 0; machine_vcpu(t->m, i); i++)
		g_string_append_printf(out, "%c CPU #%u: thread_id=%d\r\n", i ? ' ' : '*', i,
				       (int)machine_vcpu_thread(t->m, i));
}

static void human_block(const struct command_target *t, GString *out)
{
	for (const struct blockdev *b = t->m->disks; b; b = b->next)
		g_string_append_printf(out, "%s: %s (raw%s)\r\n", b->id, b->file,
				       b->readonly ? ", read-only" : "");
}

static void human_balloon(const struct command_target *t, GString *out)
{
	struct balloon *b = t->m->balloon;

	if (b)
		g_string_append_printf(out, "balloon: actual=%llu\r\n",
				       (unsigned long long)b->ops->actual(b) >> 20);
	else
		g_string_append(out, "Error: No balloon device has been activated\r\n");
}

static const struct {
	const char *line;
	void (*print)(const struct command_target *t, GString *out);
} human_lines[] = {
	{ "info status", human_status },
	{ "info name", human_name },
	{ "info version", human_version },
	{ "info kvm", human_kvm },
	{ "info cpus", human_cpus },
	{ "info block", human_block },
	{ "info balloon", human_balloon },
};

#define HUMAN_SHOWN	64	/* characters of a line that is not known */

static void human_unknown(const char *line, GString *out)
{
	char *shown = g_utf8_substring(line, 0, MIN(g_utf8_strlen(line, -1), HUMAN_SHOWN));

	g_string_append_printf(out, "unknown command: '%s'\r\n", shown);
	g_free(shown);
}

/* As QEMU's monitor does, answers an unknown line by a text, too. */
static json_t *human_run(struct command_call *call)
{
	char *line = g_strstrip(g_strdup(command_string(call, "command-line")));
	GString *out = g_string_new(NULL);
	json_t *value;
	bool known = false;

	for (unsigned int i = 0; i < G_N_ELEMENTS(human_lines); i++) {
		if (strcmp(line, human_lines[i].line))
			continue;
		human_lines[i].print(call->target, out);
		known = true;
	}
	if (!known)
		human_unknown(line, out);
	value = value_text(out->str);
	g_string_free(out, TRUE);
	g_free(line);
	return value;
}

const struct command commands_human[] = {
	{ "human-monitor-command", human_run,
	  { { "command-line", COMMAND_STRING, .optional = false },
	    { "cpu-index", COMMAND_INT, .optional = true } } },
	{ NULL, NULL, {} },
};

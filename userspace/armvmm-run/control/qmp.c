// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <libarmvmm.h>
#include <stdio.h>
#include <string.h>

#include "control/qmp.h"
#include "control/value.h"
#include "snapshot/dump.h"

/* Returns the object's text. Takes the reference to the object. */
static char *qmp_line(json_t *object)
{
	char *text = value_print(object);
	char *line = g_strconcat(text, "\r\n", NULL);

	g_free(text);
	json_decref(object);
	return line;
}

/* ---- Answers ---- */

/*
 * An answer with the member @name, which is @value (the reference is taken), and the @id of the
 * message, if it has one.
 */
static char *qmp_reply(const char *name, json_t *value, json_t *id)
{
	json_t *o = json_object();

	json_object_set_new(o, name, value);
	if (id)
		json_object_set(o, "id", id);
	return qmp_line(o);
}

static char *qmp_error(const char *class, const char *desc, json_t *id)
{
	json_t *error = json_pack("{s:s, s:o}", "class", class, "desc", value_text(desc));

	return qmp_reply("error", error, id);
}

static char *qmp_return(json_t *value, json_t *id)
{
	return qmp_reply("return", value, id);
}

char *qmp_refusal(const char *why)
{
	return qmp_error("GenericError", why, NULL);
}

/* Makes three numbers, whatever form the library's version has. */
json_t *qmp_version(void)
{
	int major = 0, minor = 0, micro = 0;
	char *package = g_strconcat("armvmm-run ", armvmm_library_version(), NULL);
	json_t *o;

	sscanf(armvmm_library_version(), "%d.%d.%d", &major, &minor, &micro);
	o = json_pack("{s:{s:i, s:i, s:i}, s:o}", "qemu", "micro", micro, "minor", minor,
		      "major", major, "package", value_text(package));
	g_free(package);
	return o;
}

char *qmp_greeting(void)
{
	return qmp_line(json_pack("{s:{s:o, s:[]}}", "QMP", "version", qmp_version(),
				  "capabilities"));
}

/* ---- Messages ---- */

/* Checks the members of a message. Sets @why if QMP has no such message. */
static void qmp_check(json_t *message, struct error *why)
{
	json_t *execute = json_object_get(message, "execute");
	json_t *arguments = json_object_get(message, "arguments");
	const char *name;
	json_t *value;

	json_object_foreach(message, name, value) {
		if (!strcmp(name, "execute") || !strcmp(name, "arguments") || !strcmp(name, "id"))
			continue;
		error_set(why, -EINVAL, "QMP input member '%.64s' is unexpected", name);
		return;
	}
	if (!execute)
		error_set(why, -EINVAL, "QMP input lacks member 'execute'");
	else if (!json_is_string(execute))
		error_set(why, -EINVAL, "QMP input member 'execute' must be a string");
	else if (arguments && !json_is_object(arguments))
		error_set(why, -EINVAL, "QMP input member 'arguments' must be an object");
}

/* We offer no capability, but a client may ask for an empty list. */
static char *qmp_negotiate(struct qmp *qmp, json_t *args, json_t *id)
{
	json_t *enable = json_object_get(args, "enable");

	if (json_object_size(args) != (enable ? 1u : 0u))
		return qmp_error("GenericError", "there is no parameter but 'enable'", id);
	if (enable && !json_is_array(enable))
		return qmp_error("GenericError",
				 "Invalid parameter type for 'enable', expected: array", id);
	if (json_array_size(enable))
		return qmp_error("GenericError", "Capability is not available", id);
	qmp->negotiated = true;
	return qmp_return(json_object(), id);
}

static char *qmp_execute(struct qmp *qmp, const char *name, json_t *args, json_t *id)
{
	struct command_call call = {
		.target = qmp->target, .session = &qmp->session, .args = args,
	};
	const struct command *command;
	json_t *value;
	char desc[160];

	if (!strcmp(name, QMP_CAPABILITIES))
		return !qmp->negotiated ? qmp_negotiate(qmp, args, id) :
			qmp_error("CommandNotFound",
				  "Capabilities negotiation is already complete, command ignored", id);
	if (!qmp->negotiated)
		return qmp_error("CommandNotFound",
				 "Expecting capabilities negotiation with '" QMP_CAPABILITIES "'", id);
	command = command_find(name);
	if (!command) {
		snprintf(desc, sizeof(desc), "The command %.64s has not been found", name);
		return qmp_error("CommandNotFound", desc, id);
	}
	value = command_run(&call, command);
	if (qmp_waits(qmp)) {
		json_decref(value);
		qmp->session.id = json_incref(id);
		return NULL;
	}
	return value ? qmp_return(value, id) :
	       qmp_error(call.class ? call.class : "GenericError", call.err.text, id);
}

char *qmp_answer(struct qmp *qmp, const char *text, size_t len)
{
	json_t *message = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *id = json_object_get(message, "id");
	struct error why = { "" };
	char *answer;

	if (!message) {
		answer = qmp_refusal("JSON parse error: invalid JSON syntax");
	} else if (!json_is_object(message)) {
		answer = qmp_refusal("QMP input must be a JSON object");
	} else {
		qmp_check(message, &why);
		answer = why.text[0] ? qmp_error("GenericError", why.text, id) :
			 qmp_execute(qmp, json_string_value(json_object_get(message, "execute")),
				     json_object_get(message, "arguments"), id);
	}
	json_decref(message);
	return answer;
}

bool qmp_waits(const struct qmp *qmp)
{
	return qmp->session.dump;
}

char *qmp_later(struct qmp *qmp)
{
	struct command_session *s = &qmp->session;
	struct dump_status status;
	char *answer;

	if (!qmp_waits(qmp) || dump_is_active(s->dump))
		return NULL;
	dump_get(s->dump, &status);
	answer = status.phase == DUMP_COMPLETED ? qmp_return(json_object(), s->id) :
		 qmp_error("GenericError", status.why.text, s->id);
	json_decref(s->id);
	s->id = NULL;
	s->dump = NULL;
	return answer;
}

/* ---- Events ---- */

/* QEMU's names for who ended the guest's run (ShutdownCause). */
static const char *qmp_reason(const struct machine_event *event)
{
	if (event->request == MACHINE_PANIC)
		return "guest-panic";
	switch (event->cause) {
	case MACHINE_BY_GUEST:
		return event->request == MACHINE_RESET ? "guest-reset" : "guest-shutdown";
	case MACHINE_BY_CONTROL:
		return event->request == MACHINE_RESET ? "host-qmp-system-reset" : "host-qmp-quit";
	case MACHINE_BY_SIGNAL:
		return "host-signal";
	case MACHINE_BY_KEY:
		return "host-ui";
	default:
		return "host-error";
	}
}

static const char *qmp_event_name(enum machine_event_type type)
{
	switch (type) {
	case MACHINE_EVENT_STOP:
		return "STOP";
	case MACHINE_EVENT_RESUME:
		return "RESUME";
	case MACHINE_EVENT_POWERDOWN:
		return "POWERDOWN";
	case MACHINE_EVENT_RESET:
		return "RESET";
	case MACHINE_EVENT_SHUTDOWN:
		return "SHUTDOWN";
	case MACHINE_EVENT_BALLOON:
		return "BALLOON_CHANGE";
	case MACHINE_EVENT_MIGRATION:
		return "MIGRATION";
	case MACHINE_EVENT_RTC:
		return "RTC_CHANGE";
	case MACHINE_EVENT_PANICKED:
		return "GUEST_PANICKED";
	case MACHINE_EVENT_CRASHLOADED:
		return "GUEST_CRASHLOADED";
	case MACHINE_EVENT_DUMP:
		return "DUMP_COMPLETED";
	default:
		return NULL;
	}
}

static json_t *qmp_dumped(const struct machine_event *event)
{
	json_t *o = json_pack("{s:{s:s, s:I, s:I}}", "result", "status", event->status, "completed",
			      (json_int_t)event->done, "total", (json_int_t)event->bytes);

	if (event->why)
		json_object_set_new(o, "error", value_text(event->why));
	return o;
}

char *qmp_event(const struct machine_event *event)
{
	const char *name = qmp_event_name(event->type);
	json_int_t now = g_get_real_time();
	json_t *o;

	if (!name)
		return NULL;
	o = json_pack("{s:{s:I, s:I}, s:s}", "timestamp", "seconds", now / G_USEC_PER_SEC,
		      "microseconds", now % G_USEC_PER_SEC, "event", name);
	if (event->type == MACHINE_EVENT_RESET || event->type == MACHINE_EVENT_SHUTDOWN)
		json_object_set_new(o, "data",
				    json_pack("{s:b, s:s}", "guest",
					      event->cause == MACHINE_BY_GUEST, "reason",
					      qmp_reason(event)));
	if (event->type == MACHINE_EVENT_BALLOON)
		json_object_set_new(o, "data",
				    json_pack("{s:I}", "actual", (json_int_t)event->bytes));
	if (event->type == MACHINE_EVENT_MIGRATION)
		json_object_set_new(o, "data", json_pack("{s:s}", "status", event->status));
	if (event->type == MACHINE_EVENT_PANICKED || event->type == MACHINE_EVENT_CRASHLOADED)
		json_object_set_new(o, "data", json_pack("{s:s}", "action", event->status));
	if (event->type == MACHINE_EVENT_RTC)
		json_object_set_new(o, "data", json_pack("{s:I, s:s}", "offset",
							 (json_int_t)event->seconds, "qom-path",
							 "/machine/pl031"));
	if (event->type == MACHINE_EVENT_DUMP)
		json_object_set_new(o, "data", qmp_dumped(event));
	return qmp_line(o);
}

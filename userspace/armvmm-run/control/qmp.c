// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libarmvmm.h>
#include <stdio.h>
#include <string.h>

#include "control/json_check.h"
#include "control/qmp.h"

/*
 * The library adds ".0" to each real number that has no point, behind an exponent too, where JSON has
 * none: takes it away again there.
 */
static void qmp_exponents(char *line)
{
	bool string = false;
	char *to = line;

	for (const char *p = line; *p;) {
		bool exponent = !string && *p == 'e' && (p[1] == '+' || p[1] == '-');

		if (*p == '"')
			string = !string;
		else if ((string && *p == '\\') || exponent)
			*to++ = *p++;
		*to++ = *p++;
		if (!exponent)
			continue;
		while (g_ascii_isdigit(*p))
			*to++ = *p++;
		if (p[0] == '.' && p[1] == '0')
			p += 2;
	}
	*to = '\0';
}

/*
 * The object's text, which is given up. The library passes on what it was given, and names of files
 * and of the guest are bytes of any kind; of the control characters it forgets the last, 0x1f.
 */
static char *qmp_line(JsonObject *object)
{
	JsonNode *node = command_object(object);
	char *text = json_to_string(node, FALSE);
	char *valid = g_utf8_make_valid(text, -1);
	char **part = g_strsplit(valid, "\x1f", -1);
	char *escaped = g_strjoinv("\\u001f", part);
	char *line = g_strconcat(escaped, "\r\n", NULL);

	qmp_exponents(line);
	g_free(escaped);
	g_strfreev(part);
	g_free(valid);
	g_free(text);
	json_node_unref(node);
	return line;
}

/* ---- Answers ---- */

static char *qmp_error(const char *class, const char *desc, JsonNode *id)
{
	JsonObject *o = json_object_new(), *error = json_object_new();

	json_object_set_string_member(error, "class", class);
	json_object_set_string_member(error, "desc", desc);
	json_object_set_object_member(o, "error", error);
	if (id)
		json_object_set_member(o, "id", json_node_copy(id));
	return qmp_line(o);
}

static char *qmp_return(JsonNode *value, JsonNode *id)
{
	JsonObject *o = json_object_new();

	json_object_set_member(o, "return", value);
	if (id)
		json_object_set_member(o, "id", json_node_copy(id));
	return qmp_line(o);
}

char *qmp_refusal(const char *why)
{
	return qmp_error("GenericError", why, NULL);
}

/* As three numbers, whatever the library calls its version. */
JsonObject *qmp_version(void)
{
	JsonObject *o = json_object_new(), *numbers = json_object_new();
	unsigned int major = 0, minor = 0, micro = 0;
	char *package = g_strconcat("armvmm-run ", armvmm_library_version(), NULL);

	sscanf(armvmm_library_version(), "%u.%u.%u", &major, &minor, &micro);
	json_object_set_int_member(numbers, "micro", micro);
	json_object_set_int_member(numbers, "minor", minor);
	json_object_set_int_member(numbers, "major", major);
	json_object_set_object_member(o, "qemu", numbers);
	json_object_set_string_member(o, "package", package);
	g_free(package);
	return o;
}

char *qmp_greeting(void)
{
	JsonObject *o = json_object_new(), *qmp = json_object_new();

	json_object_set_object_member(qmp, "version", qmp_version());
	json_object_set_array_member(qmp, "capabilities", json_array_new());
	json_object_set_object_member(o, "QMP", qmp);
	return qmp_line(o);
}

/* ---- Messages ---- */

/* The members that a message may have. @why is set where it is none of QMP's. */
static void qmp_check(JsonObject *message, struct error *why)
{
	JsonNode *execute = json_object_get_member(message, "execute");
	JsonNode *arguments = json_object_get_member(message, "arguments");
	JsonObjectIter iter;
	const char *name;

	json_object_iter_init(&iter, message);
	while (json_object_iter_next(&iter, &name, NULL)) {
		if (!strcmp(name, "execute") || !strcmp(name, "arguments") || !strcmp(name, "id"))
			continue;
		error_set(why, -EINVAL, "QMP input member '%.64s' is unexpected", name);
		return;
	}
	if (!execute)
		error_set(why, -EINVAL, "QMP input lacks member 'execute'");
	else if (!JSON_NODE_HOLDS_VALUE(execute) ||
		 json_node_get_value_type(execute) != G_TYPE_STRING)
		error_set(why, -EINVAL, "QMP input member 'execute' must be a string");
	else if (arguments && !JSON_NODE_HOLDS_OBJECT(arguments))
		error_set(why, -EINVAL, "QMP input member 'arguments' must be an object");
}

/* There is no capability to turn on, but a client may ask for none of them. */
static char *qmp_negotiate(struct qmp *qmp, JsonObject *args, JsonNode *id)
{
	JsonNode *enable = args ? json_object_get_member(args, "enable") : NULL;
	JsonObject *none;

	if (args && json_object_get_size(args) != (enable ? 1u : 0u))
		return qmp_error("GenericError", "there is no parameter but 'enable'", id);
	if (enable && !JSON_NODE_HOLDS_ARRAY(enable))
		return qmp_error("GenericError",
				 "Invalid parameter type for 'enable', expected: array", id);
	if (enable && json_array_get_length(json_node_get_array(enable)))
		return qmp_error("GenericError", "Capability is not available", id);
	qmp->negotiated = true;
	none = json_object_new();
	return qmp_return(command_object(none), id);
}

static char *qmp_execute(struct qmp *qmp, const char *name, JsonObject *args, JsonNode *id)
{
	struct command_call call = { .target = qmp->target, .args = args };
	const struct command *command;
	JsonNode *value;
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
	return value ? qmp_return(value, id) : qmp_error("GenericError", call.err.text, id);
}

char *qmp_answer(struct qmp *qmp, const char *text, size_t len)
{
	JsonParser *parser = json_parser_new_immutable();
	JsonNode *root = NULL, *id;
	JsonObject *message;
	struct error why = { "" };
	char *answer;

	if (g_utf8_validate(text, len, NULL) && json_check(text, len) &&
	    json_parser_load_from_data(parser, text, len, NULL))
		root = json_parser_get_root(parser);
	if (!root) {
		answer = qmp_refusal("JSON parse error: invalid JSON syntax");
	} else if (!JSON_NODE_HOLDS_OBJECT(root)) {
		answer = qmp_refusal("QMP input must be a JSON object");
	} else {
		message = json_node_get_object(root);
		id = json_object_get_member(message, "id");
		qmp_check(message, &why);
		answer = why.text[0] ? qmp_error("GenericError", why.text, id) :
			 qmp_execute(qmp, json_object_get_string_member(message, "execute"),
				     json_object_has_member(message, "arguments") ?
				     json_object_get_object_member(message, "arguments") : NULL, id);
	}
	g_object_unref(parser);
	return answer;
}

/* ---- Events ---- */

/* QEMU's names for who ended the guest's run (ShutdownCause). */
static const char *qmp_reason(const struct machine_event *event)
{
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
	default:
		return NULL;
	}
}

char *qmp_event(const struct machine_event *event)
{
	const char *name = qmp_event_name(event->type);
	JsonObject *o, *stamp, *data;
	int64_t now = g_get_real_time();

	if (!name)
		return NULL;
	o = json_object_new();
	stamp = json_object_new();
	json_object_set_int_member(stamp, "seconds", now / G_USEC_PER_SEC);
	json_object_set_int_member(stamp, "microseconds", now % G_USEC_PER_SEC);
	json_object_set_object_member(o, "timestamp", stamp);
	json_object_set_string_member(o, "event", name);
	if (event->type == MACHINE_EVENT_RESET || event->type == MACHINE_EVENT_SHUTDOWN) {
		data = json_object_new();
		json_object_set_boolean_member(data, "guest", event->cause == MACHINE_BY_GUEST);
		json_object_set_string_member(data, "reason", qmp_reason(event));
		json_object_set_object_member(o, "data", data);
	}
	return qmp_line(o);
}

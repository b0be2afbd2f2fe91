// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots, by QEMU's commands for them: the client sends a file (getfd), and has the guest saved
 * to it (migrate). The capability background-snapshot makes the guest go on afterwards. As in QEMU
 * it has to be asked for, since a guest that was saved may be about to run elsewhere. Here it
 * belongs to the connection, so that no client finds what another one has left.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/command.h"
#include "control/value.h"
#include "core/runstate.h"
#include "snapshot/save.h"

#define MIGRATE_CAPABILITY	"background-snapshot"
#define MIGRATE_PAGE		4096

/* ---- Files ---- */

/* The place of a named file, or -1. */
static int migrate_find(const struct command_session *s, const char *name)
{
	for (int i = 0; i < COMMAND_MAX_FDS; i++)
		if (*name && !strcmp(s->files[i].name, name))
			return i;
	return -1;
}

/* Where the name is, or else an empty place. */
static int migrate_place(const struct command_session *s, const char *name)
{
	int at = migrate_find(s, name);

	for (int i = 0; at < 0 && i < COMMAND_MAX_FDS; i++)
		if (!s->files[i].name[0])
			at = i;
	return at;
}

static json_t *migrate_getfd(struct command_call *call)
{
	struct command_session *s = call->session;
	const char *name = command_string(call, "fdname");
	int at;

	if (!s->has_file) {
		error_set(&call->err, -EINVAL, "No file descriptor supplied via SCM_RIGHTS");
		return NULL;
	}
	if (!*name || (*name >= '0' && *name <= '9') || strlen(name) >= COMMAND_FD_NAME_MAX) {
		error_set(&call->err, -EINVAL,
			  "Parameter 'fdname' expects a name not starting with a digit");
		return NULL;
	}
	at = migrate_place(s, name);
	if (at < 0) {
		error_set(&call->err, -ENOSPC, "A client has at most %d files here",
			  COMMAND_MAX_FDS);
		return NULL;
	}
	if (s->files[at].name[0])
		close(s->files[at].fd);
	strcpy(s->files[at].name, name);
	s->files[at].fd = s->file;
	s->has_file = false;
	return NULL;
}

/* Returns the file, which leaves the session, or -1 with call->err set. */
static int migrate_take(struct command_call *call, const char *name)
{
	int at = migrate_find(call->session, name);

	if (at < 0) {
		error_set(&call->err, -ENOENT, "File descriptor named '%.64s' not found", name);
		return -1;
	}
	call->session->files[at].name[0] = '\0';
	return call->session->files[at].fd;
}

static json_t *migrate_closefd(struct command_call *call)
{
	int fd = migrate_take(call, command_string(call, "fdname"));

	if (fd >= 0)
		close(fd);
	return NULL;
}

/* ---- Saving ---- */

static json_t *migrate_begin(struct command_call *call)
{
	const char *uri = command_string(call, "uri");
	int fd;

	if (strncmp(uri, "fd:", 3)) {
		error_set(&call->err, -EINVAL,
			  "unknown migration protocol: %.64s (there is fd:NAME, of a file that getfd was given)",
			  uri);
		return NULL;
	}
	fd = migrate_take(call, uri + 3);
	if (fd >= 0 && save_start(call->target->save, fd, call->session->background, &call->err))
		close(fd);
	return NULL;
}

static json_t *migrate_cancel(struct command_call *call)
{
	save_cancel(call->target->save);
	return NULL;
}

static const char *migrate_phase(enum save_phase phase)
{
	static const char *const names[] = {
		[SAVE_ACTIVE] = "active", [SAVE_CANCELLING] = "cancelling",
		[SAVE_COMPLETED] = "completed", [SAVE_FAILED] = "failed",
		[SAVE_CANCELLED] = "cancelled",
	};

	return names[phase];
}

/* Struct MigrationStats, with all its mandatory members. */
static json_t *migrate_ram(const struct save_status *s)
{
	static const char *const unused[] = {
		"skipped", "dirty-pages-rate", "postcopy-requests", "multifd-bytes",
		"pages-per-second", "precopy-bytes", "downtime-bytes", "postcopy-bytes",
		"dirty-sync-missed-zero-copy",
	};
	json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:i, s:i}",
			      "transferred", (json_int_t)s->written,
			      "remaining", (json_int_t)(s->total - s->done),
			      "total", (json_int_t)s->total,
			      "duplicate", (json_int_t)(s->done / MIGRATE_PAGE - s->pages),
			      "normal", (json_int_t)s->pages,
			      "normal-bytes", (json_int_t)(s->pages * MIGRATE_PAGE),
			      "mbps", s->total_ms ? s->written * 8 / 1000.0 / s->total_ms : 0.0,
			      "dirty-sync-count", 1, "page-size", MIGRATE_PAGE);

	for (unsigned int i = 0; i < sizeof(unused) / sizeof(unused[0]); i++)
		json_object_set_new(o, unused[i], json_integer(0));
	return o;
}

static json_t *migrate_query(struct command_call *call)
{
	struct save_status s;
	json_t *o;

	save_get(call->target->save, &s);
	if (s.phase == SAVE_NONE)
		return NULL;
	o = json_pack("{s:s, s:I, s:I, s:o}", "status", migrate_phase(s.phase),
		      "total-time", (json_int_t)s.total_ms, "setup-time", (json_int_t)s.setup_ms,
		      "ram", migrate_ram(&s));
	if (s.phase == SAVE_COMPLETED)
		json_object_set_new(o, "downtime", json_integer(s.total_ms));
	if (s.phase == SAVE_FAILED)
		json_object_set_new(o, "error-desc", value_text(s.why.text));
	return o;
}

/* ---- Capabilities ---- */

static json_t *migrate_set(struct command_call *call)
{
	json_t *list = json_object_get(call->args, "capabilities"), *o;
	bool background = call->session->background;
	size_t i;

	json_array_foreach(list, i, o) {
		const char *name = json_string_value(json_object_get(o, "capability"));
		json_t *state = json_object_get(o, "state");

		if (!name || !json_is_boolean(state) || json_object_size(o) != 2) {
			error_set(&call->err, -EINVAL,
				  "Invalid parameter type for 'capabilities', expected: array of capability and state");
			return NULL;
		}
		if (strcmp(name, MIGRATE_CAPABILITY)) {
			error_set(&call->err, -EINVAL,
				  "Parameter 'capability' does not accept value '%.64s'", name);
			return NULL;
		}
		background = json_is_true(state);
	}
	call->session->background = background;
	return NULL;
}

static json_t *migrate_capabilities(struct command_call *call)
{
	return json_pack("[{s:s, s:b}]", "capability", MIGRATE_CAPABILITY, "state",
			 call->session->background);
}

const struct command commands_migrate[] = {
	{ "getfd", migrate_getfd, { { "fdname", COMMAND_STRING, .optional = false } } },
	{ "closefd", migrate_closefd, { { "fdname", COMMAND_STRING, .optional = false } } },
	{ "migrate", migrate_begin,
	  { { "uri", COMMAND_STRING, .optional = false },
	    { "detach", COMMAND_BOOL, .optional = true } } },
	{ "migrate_cancel", migrate_cancel, {} },
	{ "query-migrate", migrate_query, {} },
	{ "migrate-set-capabilities", migrate_set,
	  { { "capabilities", COMMAND_ARRAY, .optional = false } } },
	{ "query-migrate-capabilities", migrate_capabilities, {} },
	{ NULL, NULL, {} },
};

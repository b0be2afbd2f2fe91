// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots and live migration, by QEMU's commands for them: the client sends a file (getfd), and
 * has the guest saved to it, or sent away if it is a connection (migrate). The capability
 * background-snapshot makes a guest that is saved go on afterwards. As in QEMU it has to be asked
 * for, since such a guest may be about to run elsewhere. Here capabilities belong to the
 * client's connection, so that no client finds what another one has left.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/command.h"
#include "control/value.h"
#include "core/is_socket.h"
#include "core/rate.h"
#include "core/runstate.h"
#include "snapshot/dump.h"
#include "snapshot/save.h"
#include "snapshot/send.h"

#define MIGRATE_BACKGROUND	"background-snapshot"
#define MIGRATE_CONVERGE	"auto-converge"
#define MIGRATE_POSTCOPY	"postcopy-ram"
/* QEMU has no such snapshots of memory. Its names for what others add begin like this. */
#define MIGRATE_TRACK		"__armvmm_track"
#define MIGRATE_ADD		"__armvmm_incremental"
#define MIGRATE_UNTRACK		"__armvmm_untrack"
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

int command_take_file(struct command_call *call, const char *name)
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
	int fd = command_take_file(call, command_string(call, "fdname"));

	if (fd >= 0)
		close(fd);
	return NULL;
}

/* ---- Saving, and sending ---- */

static int migrate_save(struct command_call *call, int fd)
{
	const struct command_session *s = call->session;
	unsigned int flags = (s->background ? SAVE_GO_ON : 0) | (s->track ? SAVE_TRACK : 0) |
			     (s->add ? SAVE_ADD : 0);

	if (send_is_active(call->target->send) || send_has_stopped(call->target->send))
		return error_set(&call->err, -EBUSY, "The guest is being sent away, or was");
	return save_start(call->target->save, fd, flags, &call->err);
}

/* SEND_MAY_..., by the capabilities that the client has set. */
static unsigned int migrate_may(const struct command_session *s)
{
	return (s->converge ? SEND_MAY_CONVERGE : 0) | (s->postcopy ? SEND_MAY_SWITCH : 0);
}

static int migrate_send(struct command_call *call, int fd)
{
	int ret;

	if (save_is_active(call->target->save))
		return error_set(&call->err, -EBUSY, "There's a migration process in progress");
	ret = send_may_start(call->target->send, fd, &call->err);
	if (ret)
		return ret;
	/* There is one log of written pages. */
	save_untrack(call->target->save);
	return send_start(call->target->send, fd, migrate_may(call->session), &call->err);
}

static json_t *migrate_begin(struct command_call *call)
{
	const char *uri = command_string(call, "uri");
	int fd, ret;

	if (!strncmp(uri, "unix:", 5) || !strncmp(uri, "tcp:", 4)) {
		error_set(&call->err, -EPERM,
			  "a confined armvmm-run connects to nobody: connect for it, send the connection (getfd), and migrate to fd:NAME, as armvmm-ctl does");
		return NULL;
	}
	if (strncmp(uri, "fd:", 3)) {
		error_set(&call->err, -EINVAL,
			  "unknown migration protocol: %.64s (there is fd:NAME, of a file that getfd was given)",
			  uri);
		return NULL;
	}
	fd = command_take_file(call, uri + 3);
	if (fd < 0)
		return NULL;
	if (dump_is_active(call->target->dump))
		ret = error_set(&call->err, -EBUSY,
				"Live migration disabled: dump-guest-memory in progress");
	else
		/* A connection, over which the far end answers? */
		ret = is_socket(fd) ? migrate_send(call, fd) : migrate_save(call, fd);
	if (ret)
		close(fd);
	return NULL;
}

/* Also a dump: one for which nobody waits has no client whose end would end it. */
static json_t *migrate_cancel(struct command_call *call)
{
	if (dump_is_active(call->target->dump))
		dump_cancel(call->target->dump);
	save_cancel(call->target->save);
	send_cancel(call->target->send);
	return NULL;
}

static json_t *migrate_start_postcopy(struct command_call *call)
{
	send_switch(call->target->send, migrate_may(call->session), &call->err);
	return NULL;
}

/* A client could not keep the snapshot to which the next one would have added. */
static json_t *migrate_untrack(struct command_call *call)
{
	if (save_is_active(call->target->save))
		error_set(&call->err, -EBUSY, "There's a migration process in progress");
	else
		save_untrack(call->target->save);
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

static const char *migrate_send_phase(enum send_phase phase)
{
	static const char *const names[] = {
		[SEND_ACTIVE] = "active", [SEND_HANDOVER] = "device",
		[SEND_POSTCOPY] = "postcopy-active",
		[SEND_CANCELLING] = "cancelling", [SEND_COMPLETED] = "completed",
		[SEND_FAILED] = "failed", [SEND_CANCELLED] = "cancelled",
	};

	return names[phase];
}

/* Struct MigrationStats, with all its mandatory members. */
static json_t *migrate_ram(const struct send_status *s)
{
	static const char *const unused[] = {
		"skipped", "dirty-pages-rate", "multifd-bytes",
		"pages-per-second", "precopy-bytes", "downtime-bytes", "postcopy-bytes",
		"dirty-sync-missed-zero-copy",
	};
	json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:i}",
			      "transferred", (json_int_t)s->written,
			      "remaining", (json_int_t)s->left,
			      "total", (json_int_t)s->total,
			      "duplicate", (json_int_t)s->zeroes,
			      "normal", (json_int_t)s->pages,
			      "normal-bytes", (json_int_t)(s->pages * MIGRATE_PAGE),
			      "mbps", s->total_ms ? s->written * 8 / 1000.0 / s->total_ms : 0.0,
			      "dirty-sync-count", (json_int_t)s->rounds, "page-size", MIGRATE_PAGE);

	json_object_set_new(o, "postcopy-requests", json_integer(s->requests));
	for (unsigned int i = 0; i < sizeof(unused) / sizeof(unused[0]); i++)
		json_object_set_new(o, unused[i], json_integer(0));
	return o;
}

/* What both have in common, in the form of the other one. */
static json_t *migrate_status(const char *phase, const struct send_status *s, bool failed)
{
	json_t *o = json_pack("{s:s, s:I, s:I, s:o}", "status", phase,
			      "total-time", (json_int_t)s->total_ms,
			      "setup-time", (json_int_t)s->setup_ms, "ram", migrate_ram(s));

	if (failed)
		json_object_set_new(o, "error-desc", value_text(s->why.text));
	return o;
}

static json_t *migrate_query_save(const struct save_status *s)
{
	const struct send_status as = {
		.total = s->total, .left = s->total - s->done, .written = s->written,
		.pages = s->pages, .zeroes = s->done / MIGRATE_PAGE - s->pages, .rounds = 1,
		.setup_ms = s->setup_ms, .total_ms = s->total_ms, .why = s->why,
	};
	json_t *o = migrate_status(migrate_phase(s->phase), &as, s->phase == SAVE_FAILED);

	if (s->phase == SAVE_COMPLETED)
		json_object_set_new(o, "downtime", json_integer(s->total_ms));
	return o;
}

static json_t *migrate_query_send(const struct send_status *s)
{
	json_t *o = migrate_status(migrate_send_phase(s->phase), s, s->phase == SEND_FAILED);

	if (s->phase == SEND_COMPLETED || s->phase == SEND_POSTCOPY)
		json_object_set_new(o, "downtime", json_integer(s->down_ms));
	else if (s->rounds)
		json_object_set_new(o, "expected-downtime", json_integer(s->expected_ms));
	if (s->throttle)
		json_object_set_new(o, "cpu-throttle-percentage", json_integer(s->throttle));
	return o;
}

/* Of the one that began last. */
static json_t *migrate_query(struct command_call *call)
{
	struct save_status saved;
	struct send_status sent;

	save_get(call->target->save, &saved);
	send_get(call->target->send, &sent);
	if (sent.phase != SEND_NONE && (saved.phase == SAVE_NONE || saved.begun < sent.begun))
		return migrate_query_send(&sent);
	return saved.phase != SAVE_NONE ? migrate_query_save(&saved) : NULL;
}

/* ---- Parameters, of sending ---- */

/* Returns false with call->err set if it is given, and not within its bounds. */
static bool migrate_bound(struct command_call *call, const char *name, int64_t min, int64_t max)
{
	int64_t value = command_int(call, name);

	if (!json_object_get(call->args, name) || (value >= min && value <= max))
		return true;
	error_set(&call->err, -EINVAL, "Parameter '%s' expects a value from %lld to %lld", name,
		  (long long)min, (long long)max);
	return false;
}

static void migrate_set_percent(struct command_call *call, const char *name, unsigned int *to)
{
	if (json_object_get(call->args, name))
		__atomic_store_n(to, command_int(call, name), __ATOMIC_RELAXED);
}

static json_t *migrate_set_parameters(struct command_call *call)
{
	struct send_params *p = send_params(call->target->send);

	if (!migrate_bound(call, "max-bandwidth", 0, RATE_MAX) ||
	    !migrate_bound(call, "downtime-limit", 0, 2000000) ||
	    !migrate_bound(call, "cpu-throttle-initial", 1, 99) ||
	    !migrate_bound(call, "cpu-throttle-increment", 1, 99) ||
	    !migrate_bound(call, "max-cpu-throttle", 1, 99))
		return NULL;
	if (json_object_get(call->args, "max-bandwidth"))
		__atomic_store_n(&p->bandwidth, command_int(call, "max-bandwidth"),
				 __ATOMIC_RELAXED);
	if (json_object_get(call->args, "downtime-limit"))
		__atomic_store_n(&p->downtime_ms, command_int(call, "downtime-limit"),
				 __ATOMIC_RELAXED);
	migrate_set_percent(call, "cpu-throttle-initial", &p->throttle_initial);
	migrate_set_percent(call, "cpu-throttle-increment", &p->throttle_step);
	migrate_set_percent(call, "max-cpu-throttle", &p->throttle_max);
	return NULL;
}

static json_t *migrate_parameters(struct command_call *call)
{
	const struct send_params *p = send_params(call->target->send);

	return json_pack("{s:I, s:I, s:i, s:i, s:i}",
			 "max-bandwidth", (json_int_t)p->bandwidth,
			 "downtime-limit", (json_int_t)p->downtime_ms,
			 "cpu-throttle-initial", p->throttle_initial,
			 "cpu-throttle-increment", p->throttle_step,
			 "max-cpu-throttle", p->throttle_max);
}

/* ---- Capabilities ---- */

/* The place of a capability, or NULL. */
static bool *migrate_capability(struct command_session *session, const char *name)
{
	if (!strcmp(name, MIGRATE_BACKGROUND))
		return &session->background;
	if (!strcmp(name, MIGRATE_TRACK))
		return &session->track;
	if (!strcmp(name, MIGRATE_ADD))
		return &session->add;
	if (!strcmp(name, MIGRATE_POSTCOPY))
		return &session->postcopy;
	return strcmp(name, MIGRATE_CONVERGE) ? NULL : &session->converge;
}

/* All of them, or none. */
static json_t *migrate_set(struct command_call *call)
{
	json_t *list = json_object_get(call->args, "capabilities"), *o;
	struct command_session after = *call->session;
	size_t i;

	json_array_foreach(list, i, o) {
		const char *name = json_string_value(json_object_get(o, "capability"));
		json_t *state = json_object_get(o, "state");
		bool *to;

		if (!name || !json_is_boolean(state) || json_object_size(o) != 2) {
			error_set(&call->err, -EINVAL,
				  "Invalid parameter type for 'capabilities', expected: array of capability and state");
			return NULL;
		}
		to = migrate_capability(&after, name);
		if (!to) {
			error_set(&call->err, -EINVAL,
				  "Parameter 'capability' does not accept value '%.64s'", name);
			return NULL;
		}
		*to = json_is_true(state);
	}
	*call->session = after;
	return NULL;
}

static json_t *migrate_capabilities(struct command_call *call)
{
	const struct command_session *s = call->session;

	return json_pack("[{s:s, s:b}, {s:s, s:b}, {s:s, s:b}, {s:s, s:b}, {s:s, s:b}]",
			 "capability", MIGRATE_BACKGROUND, "state", s->background,
			 "capability", MIGRATE_CONVERGE, "state", s->converge,
			 "capability", MIGRATE_POSTCOPY, "state", s->postcopy,
			 "capability", MIGRATE_TRACK, "state", s->track,
			 "capability", MIGRATE_ADD, "state", s->add);
}

const struct command commands_migrate[] = {
	{ "getfd", migrate_getfd, { { "fdname", COMMAND_STRING, .optional = false } } },
	{ "closefd", migrate_closefd, { { "fdname", COMMAND_STRING, .optional = false } } },
	{ "migrate", migrate_begin,
	  { { "uri", COMMAND_STRING, .optional = false },
	    { "detach", COMMAND_BOOL, .optional = true } } },
	{ "migrate_cancel", migrate_cancel, {} },
	{ "migrate-start-postcopy", migrate_start_postcopy, {} },
	{ MIGRATE_UNTRACK, migrate_untrack, {} },
	{ "query-migrate", migrate_query, {} },
	{ "migrate-set-capabilities", migrate_set,
	  { { "capabilities", COMMAND_ARRAY, .optional = false } } },
	{ "query-migrate-capabilities", migrate_capabilities, {} },
	{ "migrate-set-parameters", migrate_set_parameters,
	  { { "max-bandwidth", COMMAND_INT, .optional = true },
	    { "downtime-limit", COMMAND_INT, .optional = true },
	    { "cpu-throttle-initial", COMMAND_INT, .optional = true },
	    { "cpu-throttle-increment", COMMAND_INT, .optional = true },
	    { "max-cpu-throttle", COMMAND_INT, .optional = true } } },
	{ "query-migrate-parameters", migrate_parameters, {} },
	{ NULL, NULL, {} },
};

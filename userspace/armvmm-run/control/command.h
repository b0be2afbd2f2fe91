/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands of the control socket, by area. Names, arguments and return values are those of
 * QEMU's QMP (its reference manual), as far as they make sense here. All run on the main thread.
 */
#ifndef ARMVMM_RUN_COMMAND_H
#define ARMVMM_RUN_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/machine.h"

#define COMMAND_MAX_ARGS	6
#define COMMAND_MORE	"..."	/* the name of an optional argument: there may be any others */

/* The console whose output is kept, for ringbuf-read. */
#define COMMAND_CONSOLE		"console"
#define COMMAND_CONSOLE_SIZE	65536u

/* No command takes an object; events have some. */
enum command_type {
	COMMAND_STRING = 1, COMMAND_INT, COMMAND_BOOL, COMMAND_ARRAY, COMMAND_OBJECT,
};

struct dump;
struct save;
struct send;

struct command_arg {
	const char *name;
	enum command_type type;
	bool optional;
};

/* What commands work on. */
struct command_target {
	struct machine *m;
	const char *name;	/* the guest's; NULL: it has none */
	struct save *save;
	struct send *send;
	struct dump *dump;
};

#define COMMAND_FD_NAME_MAX	64
#define COMMAND_MAX_FDS		4

/* What a connection has left here, until its end. Begins zeroed. */
struct command_session {
	bool has_file;		/* a file came with the last bytes: ... */
	int file;		/* ... this descriptor, which nobody has taken yet */
	struct {
		char name[COMMAND_FD_NAME_MAX];	/* "": none */
		int fd;
	} files[COMMAND_MAX_FDS];	/* that were given names */
	bool background;	/* a guest that is saved goes on afterwards */
	bool track, add;	/* SAVE_TRACK and SAVE_ADD of a guest that is saved */
	bool converge;		/* one that is sent away is slowed down if it must be */
	bool postcopy;		/* or goes before all of its memory has gone */
	/* The last command is answered when this dump has ended. NULL: it was answered. */
	struct dump *dump;
	json_t *id;		/* of that command, or NULL */
};

struct command_call {
	const struct command_target *target;
	struct command_session *session;
	json_t *args;	/* checked; NULL: there are none */
	struct error err;
	const char *class;	/* QMP's class of the error; NULL: GenericError */
};

struct command {
	const char *name;
	/* Returns what the command returns (NULL: an empty object), or NULL with call->err set. */
	json_t *(*run)(struct command_call *call);
	struct command_arg args[COMMAND_MAX_ARGS];
};

/* Each ends with a NULL name. */
extern const struct command commands_run[];
extern const struct command commands_query[];
extern const struct command commands_block[];
extern const struct command commands_console[];
extern const struct command commands_memory[];
extern const struct command commands_human[];
extern const struct command commands_migrate[];
extern const struct command commands_dump[];
extern const struct command commands_device[];

/* The command after @prev (NULL: the first), or NULL. */
const struct command *command_next(const struct command *prev);

/*
 * Carries out @command. Returns what the command returns, or NULL with call->err set. It may have
 * set call->session->dump: then what it returned means nothing.
 */
json_t *command_run(struct command_call *call, const struct command *command);

/* The command, or NULL. */
const struct command *command_find(const char *name);

/* Arguments, after they have been checked. */
const char *command_string(const struct command_call *call, const char *name);
int64_t command_int(const struct command_call *call, const char *name);

/*
 * The file that getfd was given under @name, which leaves the session; or -1 with call->err set.
 */
int command_take_file(struct command_call *call, const char *name);

/*
 * May the guest not change, as it is being saved, or is elsewhere, or has not come yet? Then sets
 * call->err.
 */
bool command_is_busy(struct command_call *call);

/* What query-status answers as status: "running", "paused", "debug" ... */
const char *command_status(const struct command_target *target);

/* Takes a file that has come with the connection's bytes. It replaces an earlier one. */
void command_session_take(struct command_session *session, int fd);

/* Closes what the connection has left, and ends what only its client waits for. */
void command_session_end(struct command_session *session);

#endif /* ARMVMM_RUN_COMMAND_H */

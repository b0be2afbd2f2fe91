// SPDX-License-Identifier: GPL-2.0-only
/* The guest runs, stops, ends. */
#include <errno.h>

#include "control/command.h"
#include "core/runstate.h"
#include "snapshot/dump.h"
#include "snapshot/save.h"
#include "snapshot/send.h"

const char *command_status(const struct command_target *target)
{
	const struct machine *m = target->m;

	if (machine_is_held_by(m, MACHINE_HOLDER_GDB))
		return "debug";
	if (machine_is_held_by(m, MACHINE_HOLDER_INCOMING))
		return "inmigrate";
	if (machine_is_held_by(m, MACHINE_HOLDER_MIGRATION))
		return send_is_active(target->send) ? "finish-migrate" : "postmigrate";
	if (machine_is_held_by(m, MACHINE_HOLDER_SNAPSHOT))
		return save_is_active(target->save) ? "finish-migrate" : "postmigrate";
	if (machine_is_held_by(m, MACHINE_HOLDER_DUMP))
		return "save-vm";
	if (!machine_is_held(m))
		return "running";
	return m->panicked ? "guest-panicked" : "paused";
}

static json_t *run_query_status(struct command_call *call)
{
	const struct machine *m = call->target->m;

	return json_pack("{s:b, s:s}", "running", !machine_is_held(m), "status",
			 command_status(call->target));
}

/* Whether a person has stopped the guest was sent already. */
static bool run_is_too_late(struct command_call *call)
{
	const struct send *send = call->target->send;

	if (send_is_following(send))
		error_set(&call->err, -EBUSY, "The guest runs elsewhere, and its memory follows");
	else if (send_is_handing_over(send))
		error_set(&call->err, -EBUSY,
			  "The guest is being handed over, which migrate_cancel ends");
	else
		return false;
	return true;
}

static json_t *run_stop(struct command_call *call)
{
	if (run_is_too_late(call))
		return NULL;
	machine_hold(call->target->m, MACHINE_HOLDER_CONTROL);
	return NULL;
}

/* Success would mean that the guest goes on. So if it would not, fails and changes nothing. */
static json_t *run_go_on(struct command_call *call, bool anyway)
{
	if (machine_is_held_by(call->target->m, MACHINE_HOLDER_GDB)) {
		error_set(&call->err, -EBUSY, "A debugger holds the guest: it alone lets it go on");
		return NULL;
	}
	if (dump_is_active(call->target->dump)) {
		error_set(&call->err, -EBUSY, "There is a dump in process, please wait.");
		return NULL;
	}
	if (run_is_too_late(call) || send_continue(call->target->send, anyway, &call->err))
		return NULL;
	save_continue(call->target->save);
	machine_release(call->target->m, MACHINE_HOLDER_CONTROL);
	return NULL;
}

static json_t *run_cont(struct command_call *call)
{
	return run_go_on(call, false);
}

/* QEMU's cont takes no argument, and lets a guest go on that runs elsewhere. */
static json_t *run_cont_anyway(struct command_call *call)
{
	return run_go_on(call, true);
}

static json_t *run_powerdown(struct command_call *call)
{
	if (command_is_busy(call))
		return NULL;
	if (call->target->m->press)
		machine_press_power(call->target->m);
	else
		error_set(&call->err, -ENODEV,
			  "The machine has no power button (quit ends the guest)");
	return NULL;
}

static json_t *run_reset(struct command_call *call)
{
	if (!command_is_busy(call))
		machine_request(call->target->m, MACHINE_RESET, MACHINE_BY_CONTROL, NULL);
	return NULL;
}

/* Not while the guest needs this process, wherever it runs. */
static json_t *run_quit(struct command_call *call)
{
	if (send_is_following(call->target->send))
		error_set(&call->err, -EBUSY, "The guest runs elsewhere, and its memory follows");
	else
		machine_request(call->target->m, MACHINE_QUIT, MACHINE_BY_CONTROL, NULL);
	return NULL;
}

const struct command commands_run[] = {
	{ "query-status", run_query_status, {} },
	{ "stop", run_stop, {} },
	{ "cont", run_cont, {} },
	{ "__armvmm_cont_anyway", run_cont_anyway, {} },
	{ "system_powerdown", run_powerdown, {} },
	{ "system_reset", run_reset, {} },
	{ "quit", run_quit, {} },
	{ NULL, NULL, {} },
};

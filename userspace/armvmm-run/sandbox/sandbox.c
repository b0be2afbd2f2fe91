// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/message.h"
#include "sandbox/capabilities.h"
#include "sandbox/filter.h"
#include "sandbox/landlock.h"
#include "sandbox/limits.h"
#include "sandbox/namespace.h"
#include "sandbox/sandbox.h"

struct sandbox {
	bool filters;	/* the kernel supports them */
	struct sock_fprog filter[MACHINE_THREADS];
};

int sandbox_find_user(struct sandbox_params *params, const char *name, struct error *err)
{
	struct passwd *user;

	errno = 0;
	user = getpwnam(name);
	if (!user)
		return error_set(err, errno ? -errno : -ENOENT, "--user %s: there is no such user",
				 name);
	if (geteuid() && geteuid() != user->pw_uid)
		return error_set(err, -EPERM, "--user %s: root alone may become another user", name);
	params->change_user = !geteuid();
	params->uid = user->pw_uid;
	params->gid = user->pw_gid;
	return 0;
}

static void sandbox_note(const struct sandbox_params *params, const char *what, int ret)
{
	char text[160];

	snprintf(text, sizeof(text), "sandbox: goes on without what this host does not give: %s: %s",
		 what, strerror(-ret));
	params->note(params->note_opaque, text);
}

static int sandbox_become(const struct sandbox_params *params, struct error *err)
{
	/* Root gives up its groups, which also open files; others keep theirs. */
	if (!geteuid() && setgroups(0, NULL) && (errno != EPERM || params->change_user))
		return error_errno(err, -errno, "sandbox: groups");
	if (!params->change_user)
		return 0;
	if (setresgid(params->gid, params->gid, params->gid) ||
	    setresuid(params->uid, params->uid, params->uid))
		return error_errno(err, -errno, "sandbox: user %u", params->uid);
	/* The process stays undumpable, so that the user's other processes cannot trace it. */
	return 0;
}

/* What the process' first thread is. */
static enum machine_thread sandbox_kind(const struct sandbox_params *params)
{
	if (params->net)
		return MACHINE_THREAD_NET;
	if (params->nbd)
		return MACHINE_THREAD_NBD;
	return params->dial ? MACHINE_THREAD_DIAL : MACHINE_THREAD_MAIN;
}

/* A process without a guest has one thread. */
static bool sandbox_has_thread(const struct sandbox_params *params, enum machine_thread kind)
{
	if (sandbox_kind(params) != MACHINE_THREAD_MAIN)
		return kind == sandbox_kind(params);
	if (kind == MACHINE_THREAD_LAZY)
		return params->lazy || params->incoming;
	return kind != MACHINE_THREAD_NET && kind != MACHINE_THREAD_DIAL &&
	       kind != MACHINE_THREAD_NBD;
}

static int sandbox_make_filters(struct sandbox *sandbox, const struct sandbox_params *params,
				struct error *err)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < MACHINE_THREADS; i++)
		if (sandbox_has_thread(params, i))
			ret = filter_make(&sandbox->filter[i], i, params, err);
	return ret;
}

/* The order matters: a later step forbids an earlier one, or takes its privilege. */
static int sandbox_give_up(struct sandbox *sandbox, const struct sandbox_params *params,
			   struct error *err)
{
	struct limits limits = {
		.data = params->data ? params->data : LIMITS_DATA,
		.files = params->files ? params->files : LIMITS_FILES,
		.pinned = params->pinned,
	};
	const char *what;
	int ret;

	ret = sandbox_make_filters(sandbox, params, err);
	if (ret)
		return ret;
	ret = limits_set(&limits, &what);
	if (ret)
		return error_errno(err, ret, "sandbox: limits");
	if (what)
		sandbox_note(params, what, -ENOENT);
	ret = namespace_enter(params->net, !params->change_user, &what);
	if (ret)
		sandbox_note(params, what, ret);
	ret = capabilities_drop_bounds(err);
	if (!ret)
		ret = sandbox_become(params, err);
	if (!ret)
		ret = capabilities_drop(err);
	if (ret)
		return ret;
	/*
	 * Nothing below takes it back. If the parent has died before, the end of the socket tells.
	 */
	if (sandbox_kind(params) != MACHINE_THREAD_MAIN)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return error_errno(err, -errno, "sandbox: no_new_privs");
	ret = landlock_enter(params->net);
	if (ret)
		sandbox_note(params, "Landlock", ret);
	filter_tell_violations();
	filter_hear_violations();
	ret = filter_load(&sandbox->filter[sandbox_kind(params)]);
	sandbox->filters = !ret;
	if (ret)
		sandbox_note(params, "filters of system calls (seccomp)", ret);
	return 0;
}

int sandbox_enter(struct sandbox **out, const struct sandbox_params *params, struct error *err)
{
	struct sandbox *sandbox = calloc(1, sizeof(*sandbox));
	int ret;

	*out = NULL;
	if (!sandbox)
		return error_errno(err, -ENOMEM, "sandbox");
	ret = sandbox_give_up(sandbox, params, err);
	if (ret) {
		sandbox_free(sandbox);
		return ret;
	}
	*out = sandbox;
	return 0;
}

void sandbox_enter_thread(void *opaque, enum machine_thread kind)
{
	struct sandbox *sandbox = opaque;
	int ret;

	if (!sandbox->filters)
		return;
	filter_hear_violations();
	ret = filter_load(&sandbox->filter[kind]);
	if (!ret)
		return;
	message("sandbox: a thread's filter of system calls: %s", strerror(-ret));
	_exit(1);
}

void sandbox_free(struct sandbox *sandbox)
{
	if (!sandbox)
		return;
	for (unsigned int i = 0; i < MACHINE_THREADS; i++)
		free(sandbox->filter[i].filter);
	free(sandbox);
}

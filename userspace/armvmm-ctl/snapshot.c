// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "newfile.h"
#include "snapshot.h"
#include "transfer.h"

const char *const snapshot_options[] = { "--track", "--incremental", NULL };

/* What the machine calls an option. */
static const char *snapshot_capability(const char *option)
{
	return !strcmp(option, "--track") ? "__armvmm_track" : "__armvmm_incremental";
}

static bool snapshot_complete(json_t *status, struct newfile *n, GError **err)
{
	long long size;

	if (!newfile_keep(n, &size, err))
		return false;
	printf("%s: %lld bytes; the guest stood still for %lld ms\n", n->file, size,
	       (long long)json_integer_value(json_object_get(status, "downtime")));
	return true;
}

bool snapshot_save(struct connection *c, char **args, GError **err)
{
	const char *another = args[1] ? snapshot_capability(args[0]) : NULL;
	json_t *status = NULL;
	bool done = false;
	struct newfile n;

	transfer_catch(-1);
	if (!newfile_open(&n, args[another ? 1 : 0], err))
		return false;
	if (transfer_begin(c, n.fd, "background-snapshot", another, err))
		status = transfer_wait(c, "snapshot", n.file, NULL, err);
	if (status)
		done = snapshot_complete(status, &n, err);
	/* Nothing may add to a file that is not there. */
	if (status && !done && another)
		transfer_do(c, "__armvmm_untrack", NULL, -1, NULL);
	newfile_close(&n);
	json_decref(status);
	return done;
}

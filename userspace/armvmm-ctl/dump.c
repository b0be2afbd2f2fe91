// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "dump.h"
#include "newfile.h"
#include "transfer.h"

bool dump_write(struct connection *c, char **args, GError **err)
{
	struct newfile n;
	long long size;
	bool done;

	/* The machine gives a dump up whose client is gone: that is how a signal cancels it. */
	transfer_catch(connection_fd(c));
	if (!newfile_open(&n, args[0], err))
		return false;
	done = transfer_do(c, "getfd", json_pack("{s:s}", "fdname", TRANSFER_FD), n.fd, err) &&
	       transfer_do(c, "dump-guest-memory",
			   json_pack("{s:b, s:s}", "paging", 0, "protocol", "fd:" TRANSFER_FD),
			   -1, err);
	if (!done && transfer_is_interrupted()) {
		g_clear_error(err);
		transfer_fail(err, n.file, "the dump was cancelled");
	}
	done = done && newfile_keep(&n, &size, err);
	if (done)
		printf("%s: %lld bytes\n", n.file, size);
	newfile_close(&n);
	return done;
}

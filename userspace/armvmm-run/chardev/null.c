// SPDX-License-Identifier: GPL-2.0-only
/* Takes all output for nothing, and has no input. */
#include <errno.h>
#include <stdlib.h>

#include "chardev/backend.h"
#include "core/chardev_private.h"

static size_t null_write(struct chardev *chr, const uint8_t *buf, size_t len, bool late,
			 bool *room)
{
	*room = true;
	return len;
}

static void null_woken(struct chardev *chr)
{
}

static void null_destroy(struct chardev *chr)
{
	chardev_exit(chr);
	free(chr);
}

static const struct chardev_ops null_ops = {
	.write = null_write,
	.woken = null_woken,
	.destroy = null_destroy,
};

static int null_create(struct machine *m, const struct backend *backend, bool stream,
		       struct chardev **out, struct error *err)
{
	struct chardev *chr = calloc(1, sizeof(*chr));
	int ret;

	if (!chr)
		return error_errno(err, -ENOMEM, "%s", backend->label);
	ret = chardev_init(chr, &null_ops, "null", err);
	if (ret) {
		free(chr);
		return ret;
	}
	*out = chr;
	return 0;
}

static const struct backend_type null_type = {
	.name = "null",
	.args = "null",
	.summary = "nothing: output is dropped",
	.create = null_create,
};
BACKEND_TYPE(null_type);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pseudo-terminal, which a person's program opens by its name. The kernel tells that it was
 * opened by inotify alone: a poll for it would never stop.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "chardev/backend.h"
#include "chardev/channel.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/message.h"
#include "core/named_socket.h"
#include "core/parse.h"

#define PTY_NAME	64
#define PTY_LOOK_MS	1000	/* without inotify */

struct pty_chardev {
	struct channel channel;
	struct named_socket link;
	int master, watch;	/* watch: inotify; -1: the host has none */
	GSource *opened;
	char name[PTY_NAME];
};

static struct pty_chardev *to_pty(struct channel *channel)
{
	return container_of(channel, struct pty_chardev, channel);
}

static bool pty_is_open(const struct pty_chardev *pty)
{
	struct pollfd pfd = { .fd = pty->master };

	return poll(&pfd, 1, 0) >= 0 && !(pfd.revents & POLLHUP);
}

/* Somebody may have opened it, or opened it again. */
static void pty_look(struct pty_chardev *pty)
{
	struct channel *channel = &pty->channel;

	if ((channel->fd < 0 || channel->gone) && pty_is_open(pty))
		channel_enter(channel, pty->master, OUTPUT_NONBLOCK);
}

static gboolean pty_opened(int fd, GIOCondition condition, void *opaque)
{
	struct inotify_event events[16];

	/* Which event it was does not matter. */
	while (read(fd, events, sizeof(events)) > 0)
		;
	pty_look(opaque);
	return G_SOURCE_CONTINUE;
}

static gboolean pty_look_again(void *opaque)
{
	pty_look(opaque);
	return G_SOURCE_CONTINUE;
}

static void pty_watch(struct pty_chardev *pty)
{
	pty->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (pty->watch >= 0 && inotify_add_watch(pty->watch, pty->name, IN_OPEN) < 0) {
		close(pty->watch);
		pty->watch = -1;
	}
	if (pty->watch >= 0) {
		pty->opened = g_unix_fd_source_new(pty->watch, G_IO_IN);
		g_source_set_callback(pty->opened, G_SOURCE_FUNC(pty_opened), pty, NULL);
	} else {
		pty->opened = g_timeout_source_new(PTY_LOOK_MS);
		g_source_set_callback(pty->opened, pty_look_again, pty, NULL);
	}
	g_source_attach(pty->opened, NULL);
}

static void pty_left(struct channel *channel, int fd)
{
	/* If somebody has come meanwhile, the event has come, too, and is not read yet. */
}

static bool pty_size(struct channel *channel, int fd, uint16_t *cols, uint16_t *rows)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) || !size.ws_col || !size.ws_row)
		return false;
	*cols = size.ws_col;
	*rows = size.ws_row;
	return true;
}

static void pty_free(struct pty_chardev *pty)
{
	if (pty->opened) {
		g_source_destroy(pty->opened);
		g_source_unref(pty->opened);
	}
	if (pty->watch >= 0)
		close(pty->watch);
	if (pty->master >= 0)
		close(pty->master);
	named_socket_close(&pty->link);
	free(pty);
}

static void pty_destroy(struct channel *channel)
{
	channel_exit(channel);
	pty_free(to_pty(channel));
}

static const struct channel_ops pty_ops = {
	.left = pty_left,
	.destroy = pty_destroy,
	.size = pty_size,
};

/* The guest's terminal driver does what there is to do, so this one does nothing. */
static int pty_make_raw(struct pty_chardev *pty)
{
	int fd = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC), ret = 0;
	struct termios raw;

	/* It is closed once: before that, a poll does not tell it from one that is open. */
	if (fd < 0 || tcgetattr(fd, &raw))
		ret = -errno;
	if (!ret) {
		cfmakeraw(&raw);
		ret = tcsetattr(fd, TCSANOW, &raw) ? -errno : 0;
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

static int pty_open(struct pty_chardev *pty, const struct backend *backend, struct error *err)
{
	int ret;

	pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (pty->master < 0 || grantpt(pty->master) || unlockpt(pty->master))
		return error_errno(err, -errno, "%s", backend->label);
	ret = -ptsname_r(pty->master, pty->name, sizeof(pty->name));
	if (!ret)
		ret = pty_make_raw(pty);
	return ret ? error_errno(err, ret, "%s", backend->label) : 0;
}

static int pty_init(struct pty_chardev *pty, const struct backend *backend, bool stream,
		    struct error *err)
{
	char name[PTY_NAME + 8];

	snprintf(name, sizeof(name), "pty:%s", pty->name);
	return channel_init(&pty->channel, &pty_ops, stream, name, backend->label, err);
}

static int pty_create(struct machine *m, const struct backend *backend, bool stream,
		      struct chardev **chr, struct error *err)
{
	struct pty_chardev *pty = calloc(1, sizeof(*pty));
	struct error why;
	int ret;

	if (!pty)
		return error_errno(err, -ENOMEM, "%s", backend->label);
	pty->master = pty->watch = -1;
	pty->link = (struct named_socket){ .fd = -1, .keeper_fd = -1 };
	ret = pty_open(pty, backend, err);
	if (!ret && backend->link)
		ret = named_socket_link(&pty->link, backend->link, pty->name, &why) ?
		      error_set(err, -EINVAL, "%.200s: %.280s", backend->label, why.text) : 0;
	if (!ret)
		ret = pty_init(pty, backend, stream, err);
	if (ret) {
		pty_free(pty);
		return ret;
	}
	pty_watch(pty);
	message("%s: is %s", backend->label, pty->name);
	*chr = &pty->channel.chr;
	return 0;
}

static int pty_word(struct backend *backend, const char *word, struct error *err)
{
	const char *value = parse_value(word, "link");

	if (!value)
		return -ENOENT;
	if (!*value)
		return error_set(err, -EINVAL, "%s: link names no path", backend->label);
	backend->link = value;
	return 0;
}

static const struct device_word pty_words[] = {
	{ "link=PATH", "make a symbolic link to it there" },
	{ NULL, NULL },
};

static const struct backend_type pty_type = {
	.name = "pty",
	.args = "pty",
	.summary = "a pseudo-terminal, whose name is printed",
	.words = pty_words,
	.opens = true,
	.word = pty_word,
	.create = pty_create,
};
BACKEND_TYPE(pty_type);

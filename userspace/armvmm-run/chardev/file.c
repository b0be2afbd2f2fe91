// SPDX-License-Identifier: GPL-2.0-only
/*
 * A regular file that gets all output. The main thread writes it, so a slow disk keeps no vCPU
 * waiting until the queue is full. What a full disk has no room for is lost, and the guest goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chardev/backend.h"
#include "core/chardev_private.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/output.h"

#define FILE_QUEUE	16384u
#define FILE_FLUSH_MS	1000

struct file_chardev {
	struct chardev chr;
	struct output out;
	struct machine *m;
	const char *path;
	int fd;
	bool told;	/* of output that is lost */
};

static struct file_chardev *to_file(struct chardev *chr)
{
	return container_of(chr, struct file_chardev, chr);
}

static size_t file_write(struct chardev *chr, const uint8_t *buf, size_t len, bool late,
			 bool *room)
{
	return output_put(&to_file(chr)->out, buf, len, late, room);
}

static void file_wake(void *opaque)
{
	struct file_chardev *file = opaque;

	chardev_wake(&file->chr);
}

/* Says once why output is lost. A disk that has room again is not worth a word. */
static void file_check(struct file_chardev *file)
{
	int error = output_take_error(&file->out);

	if (error && !file->told) {
		file->told = true;
		machine_warn(file->m, "%s: output is lost: %s", file->path, strerror(error));
	}
}

static void file_room(void *opaque)
{
	struct file_chardev *file = opaque;

	file_check(file);
	chardev_tell_room(&file->chr);
}

static void file_woken(struct chardev *chr)
{
	file_check(to_file(chr));
	output_woken(&to_file(chr)->out);
}

static void file_destroy(struct chardev *chr)
{
	struct file_chardev *file = to_file(chr);

	output_flush(&file->out, FILE_FLUSH_MS);
	file_check(file);
	output_exit(&file->out);
	close(file->fd);
	chardev_exit(chr);
	free(file);
}

static const struct output_ops file_output_ops = { .wake = file_wake, .room = file_room };

static const struct chardev_ops file_ops = {
	.write = file_write,
	.woken = file_woken,
	.destroy = file_destroy,
};

/* Without waiting for the other end of a pipe, which is no regular file. */
static int file_open(const struct backend *backend, struct error *err)
{
	int fd = open(backend->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
		      (backend->append ? O_APPEND : 0), 0600), ret;
	struct stat st;

	if (fd < 0)
		return error_errno(err, -errno, "%s: %s", backend->label, backend->path);
	if (fstat(fd, &st))
		ret = error_errno(err, -errno, "%s: %s", backend->label, backend->path);
	else if (!S_ISREG(st.st_mode))
		ret = error_set(err, -EINVAL, "%s: %s is no regular file", backend->label,
				backend->path);
	else if (!backend->append && ftruncate(fd, 0))
		ret = error_errno(err, -errno, "%s: %s", backend->label, backend->path);
	else
		return fd;
	close(fd);
	return ret;
}

static int file_init(struct file_chardev *file, const struct backend *backend, struct error *err)
{
	int ret;

	file->out.ops = &file_output_ops;
	file->out.opaque = file;
	if (output_init(&file->out, FILE_QUEUE, CHARDEV_LATE))
		return error_errno(err, -ENOMEM, "%s", backend->label);
	ret = chardev_init(&file->chr, &file_ops, "file", err);
	if (ret)
		output_exit(&file->out);
	return ret;
}

static int file_create(struct machine *m, const struct backend *backend, bool stream,
		       struct chardev **chr, struct error *err)
{
	struct file_chardev *file = calloc(1, sizeof(*file));
	int ret;

	if (!file)
		return error_errno(err, -ENOMEM, "%s", backend->label);
	file->m = m;
	file->path = backend->path;
	file->fd = file_open(backend, err);
	ret = file->fd < 0 ? file->fd : file_init(file, backend, err);
	if (ret) {
		if (file->fd >= 0)
			close(file->fd);
		free(file);
		return ret;
	}
	output_set_fd(&file->out, file->fd, OUTPUT_FILE);
	*chr = &file->chr;
	return 0;
}

static int file_word(struct backend *backend, const char *word, struct error *err)
{
	if (strcmp(word, "append"))
		return -ENOENT;
	backend->append = true;
	return 0;
}

static const struct device_word file_words[] = {
	{ "append", "add to what is in it, which is emptied otherwise" },
	{ NULL, NULL },
};

static const struct backend_type file_type = {
	.name = "file",
	.args = "file:PATH",
	.summary = "a file that gets all output",
	.words = file_words,
	.wants_path = true,
	.opens = true,
	.word = file_word,
	.create = file_create,
};
BACKEND_TYPE(file_type);

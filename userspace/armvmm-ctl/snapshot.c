// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots. The machine can open no file, so it is sent one. That has a name of its own until it
 * is complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/value.h"
#include "snapshot.h"

#define SNAPSHOT_FD	"snapshot"	/* the file's name at the machine */
#define SNAPSHOT_LOOK_US 100000

static volatile sig_atomic_t snapshot_interrupted;

static void snapshot_interrupt(int signal)
{
	snapshot_interrupted = signal;
}

/* What ends this program must also end the snapshot, so that no half file is left. */
static void snapshot_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = snapshot_interrupt }, old;

	for (unsigned int i = 0; i < G_N_ELEMENTS(signals); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

static bool snapshot_fail(GError **err, const char *file, const char *why)
{
	g_set_error(err, CONNECTION_ERROR, CONNECTION_REFUSED, "%s: %s", file, why);
	return false;
}

/* Runs a command that returns nothing of interest. */
static bool snapshot_do(struct connection *c, const char *name, json_t *args, int fd, GError **err)
{
	json_t *value = connection_run_file(c, name, args, fd, err);
	bool done = value;

	json_decref(value);
	return done;
}

static bool snapshot_begin(struct connection *c, int fd, GError **err)
{
	return snapshot_do(c, "migrate-set-capabilities",
			   json_pack("{s:[{s:s, s:b}]}", "capabilities", "capability",
				     "background-snapshot", "state", 1), -1, err) &&
	       snapshot_do(c, "getfd", json_pack("{s:s}", "fdname", SNAPSHOT_FD), fd, err) &&
	       snapshot_do(c, "migrate", json_pack("{s:s}", "uri", "fd:" SNAPSHOT_FD), -1, err);
}

static void snapshot_progress(json_t *status)
{
	json_t *ram = json_object_get(status, "ram");
	json_int_t total = json_integer_value(json_object_get(ram, "total"));
	json_int_t left = json_integer_value(json_object_get(ram, "remaining"));

	if (isatty(STDERR_FILENO) && total > 0)
		fprintf(stderr, "\r%3d %%\r", (int)((total - left) * 100 / total));
}

/* Waits for the end. Returns the last status, or NULL with @err set. */
static json_t *snapshot_wait(struct connection *c, const char *file, GError **err)
{
	bool cancelled = false;

	for (;;) {
		json_t *status = connection_run(c, "query-migrate", NULL, err);
		const char *phase = json_string_value(json_object_get(status, "status"));

		if (!status)
			return NULL;
		if (phase && !strcmp(phase, "completed"))
			return status;
		if (!phase || !strcmp(phase, "failed") || !strcmp(phase, "cancelled")) {
			const char *why = json_string_value(json_object_get(status, "error-desc"));

			snapshot_fail(err, file, why ? why : "the snapshot was cancelled");
			json_decref(status);
			return NULL;
		}
		snapshot_progress(status);
		json_decref(status);
		if (snapshot_interrupted && !cancelled) {
			cancelled = true;
			if (!snapshot_do(c, "migrate_cancel", NULL, -1, err))
				return NULL;
		}
		g_usleep(SNAPSHOT_LOOK_US);
	}
}

/* The new name is on the disk, too. */
static bool snapshot_sync_folder(const char *file)
{
	char *copy = g_strdup(file);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* EINVAL: a file system that has no need of it. */
	bool done = fd >= 0 && (!fsync(fd) || errno == EINVAL);

	if (fd >= 0)
		close(fd);
	g_free(copy);
	return done;
}

static bool snapshot_complete(json_t *status, int fd, const char *temporary, const char *file,
			      GError **err)
{
	struct stat st;

	/* Some file systems find out only now that they are full. */
	if (fsync(fd) || fstat(fd, &st) || rename(temporary, file))
		return snapshot_fail(err, file, g_strerror(errno));
	if (!snapshot_sync_folder(file))
		return snapshot_fail(err, file, g_strerror(errno));
	printf("%s: %lld bytes; the guest stood still for %lld ms\n", file, (long long)st.st_size,
	       (long long)json_integer_value(json_object_get(status, "downtime")));
	return true;
}

bool snapshot_save(struct connection *c, char **args, GError **err)
{
	const char *file = args[0];
	char *temporary = g_strconcat(file, ".XXXXXX", NULL);
	json_t *status = NULL;
	bool done = false;
	struct stat st;
	int fd;

	if (!stat(file, &st) && !S_ISREG(st.st_mode)) {
		g_free(temporary);
		return snapshot_fail(err, file, "is there already, and is no regular file");
	}
	snapshot_catch();
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		snapshot_fail(err, file, g_strerror(errno));
	} else {
		if (snapshot_begin(c, fd, err))
			status = snapshot_wait(c, file, err);
		if (status)
			done = snapshot_complete(status, fd, temporary, file, err);
		if (!done)
			unlink(temporary);
		close(fd);
	}
	json_decref(status);
	g_free(temporary);
	return done;
}

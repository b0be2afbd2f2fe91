// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transfer.h"

#define TRANSFER_LOOK_US 100000

static volatile sig_atomic_t transfer_interrupted;
static volatile sig_atomic_t transfer_fd = -1;

static void transfer_interrupt(int signal)
{
	int keep = errno;

	transfer_interrupted = signal;
	if (transfer_fd >= 0)
		shutdown(transfer_fd, SHUT_RDWR);
	errno = keep;
}

/* What ends this program must also end the transfer, so that no half file is left. */
void transfer_catch(int fd)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = transfer_interrupt }, old;

	transfer_interrupted = 0;
	transfer_fd = fd;
	for (unsigned int i = 0; i < G_N_ELEMENTS(signals); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

bool transfer_is_interrupted(void)
{
	return transfer_interrupted;
}

bool transfer_fail(GError **err, const char *what, const char *why)
{
	g_set_error(err, CONNECTION_ERROR, CONNECTION_REFUSED, "%s: %s", what, why);
	return false;
}

bool transfer_do(struct connection *c, const char *name, json_t *args, int fd, GError **err)
{
	json_t *value = connection_run_file(c, name, args, fd, err);
	bool done = value;

	json_decref(value);
	return done;
}

bool transfer_begin(struct connection *c, int fd, const char *capability, const char *another,
		    GError **err)
{
	json_t *list = json_pack("[{s:s, s:b}]", "capability", capability, "state", 1);

	if (another)
		json_array_append_new(list, json_pack("{s:s, s:b}", "capability", another,
						      "state", 1));
	return transfer_do(c, "migrate-set-capabilities", json_pack("{s:o}", "capabilities", list),
			   -1, err) &&
	       transfer_do(c, "getfd", json_pack("{s:s}", "fdname", TRANSFER_FD), fd, err) &&
	       transfer_do(c, "migrate", json_pack("{s:s}", "uri", "fd:" TRANSFER_FD), -1, err);
}

static void transfer_progress(json_t *status)
{
	json_t *ram = json_object_get(status, "ram");
	json_int_t total = json_integer_value(json_object_get(ram, "total"));
	json_int_t left = json_integer_value(json_object_get(ram, "remaining"));

	if (isatty(STDERR_FILENO) && total > 0)
		fprintf(stderr, "\r%3d %%\r", (int)((total - left) * 100 / total));
}

json_t *transfer_wait(struct connection *c, const char *noun, const char *what,
		      void (*look)(struct connection *c, json_t *status), GError **err)
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

			if (why)
				transfer_fail(err, what, why);
			else
				g_set_error(err, CONNECTION_ERROR, CONNECTION_REFUSED,
					    "%s: the %s was cancelled", what, noun);
			json_decref(status);
			return NULL;
		}
		transfer_progress(status);
		if (look)
			look(c, status);
		json_decref(status);
		if (transfer_interrupted && !cancelled) {
			cancelled = true;
			if (!transfer_do(c, "migrate_cancel", NULL, -1, err))
				return NULL;
		}
		g_usleep(TRANSFER_LOOK_US);
	}
}

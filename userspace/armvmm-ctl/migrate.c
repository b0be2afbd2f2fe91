// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live migration. The machine can connect to nobody, so it is sent a connection. At its other end
 * is an armvmm-run with --incoming, or a program between them, such as ssh.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/endpoint.h"
#include "migrate.h"
#include "quit.h"
#include "transfer.h"

#define MIGRATE_EXEC	"exec:"

/* If the far end's host dies, it says nothing: keepalive asks. Seconds, seconds, times. */
#define MIGRATE_IDLE	10
#define MIGRATE_AGAIN	5
#define MIGRATE_TRIES	3

static void migrate_set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

/* All return the connection, or -1 with @err set. */
static int migrate_failed(const char *to, int fd, GError **err)
{
	transfer_fail(err, to, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int migrate_unix(const char *to, const struct endpoint *e, GError **err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* It need not end in a zero. */
	memcpy(sun.sun_path, e->path, strnlen(e->path, sizeof(sun.sun_path)));
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		return migrate_failed(to, fd, err);
	return fd;
}

static int migrate_connect(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC, info->ai_protocol);
	int why;

	if (fd < 0)
		return -1;
	migrate_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	migrate_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, MIGRATE_IDLE);
	migrate_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, MIGRATE_AGAIN);
	migrate_set(fd, IPPROTO_TCP, TCP_KEEPCNT, MIGRATE_TRIES);
	/* The last words are short, and the guest stands still for them. */
	migrate_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (!connect(fd, info->ai_addr, info->ai_addrlen))
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

static int migrate_tcp(const char *to, const struct endpoint *e, GError **err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int fd = -1, ret = getaddrinfo(e->host, e->port, &hints, &list);

	if (ret) {
		transfer_fail(err, to, gai_strerror(ret));
		return -1;
	}
	for (const struct addrinfo *i = list; i && fd < 0; i = i->ai_next)
		fd = migrate_connect(i);
	if (fd < 0)
		migrate_failed(to, fd, err);
	freeaddrinfo(list);
	return fd;
}

/* The program's standard input and output are the other end. It ends when it has nothing to do. */
static int migrate_exec(const char *to, const char *command, GError **err)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return migrate_failed(to, -1, err);
	pid = fork();
	if (!pid) {
		/*
		 * A terminal's signals are for us: the machine cancels, or has handed the guest
		 * over and must hear the answer. Nor may the connection stop, or die, with us.
		 */
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
		signal(SIGTSTP, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		if (dup2(pair[1], STDIN_FILENO) >= 0 && dup2(pair[1], STDOUT_FILENO) >= 0)
			execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(pair[1]);
	return pid < 0 ? migrate_failed(to, pair[0], err) : pair[0];
}

static int migrate_open(const char *to, GError **err)
{
	struct endpoint e;

	if (!strncmp(to, MIGRATE_EXEC, strlen(MIGRATE_EXEC)) && to[strlen(MIGRATE_EXEC)])
		return migrate_exec(to, to + strlen(MIGRATE_EXEC), err);
	if (endpoint_parse(&e, to, to + strlen(to))) {
		transfer_fail(err, to, "must be " ENDPOINT_SYNTAX ", or exec:COMMAND");
		return -1;
	}
	return e.is_unix ? migrate_unix(to, &e, err) : migrate_tcp(to, &e, err);
}

const char *const migrate_options[] = { "--postcopy", NULL };

static long long migrate_number(json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static void migrate_report(const char *to, json_t *status)
{
	json_t *ram = json_object_get(status, "ram");

	printf("%s: %lld bytes in %lld ms and %lld rounds; the guest stood still for %lld ms\n", to,
	       migrate_number(ram, "transferred"), migrate_number(status, "total-time"),
	       migrate_number(ram, "dirty-sync-count"), migrate_number(status, "downtime"));
}

/*
 * Each page was sent once. The guest may have moved meanwhile, or not run there yet: then the
 * machine says so, and it does not matter.
 */
static void migrate_switch(struct connection *c, json_t *status)
{
	const char *phase = json_string_value(json_object_get(status, "status"));

	if (phase && !strcmp(phase, "active") &&
	    migrate_number(json_object_get(status, "ram"), "dirty-sync-count"))
		transfer_do(c, "migrate-start-postcopy", NULL, -1, NULL);
}

bool migrate_run(struct connection *c, char **args, GError **err)
{
	bool postcopy = args[1];
	const char *to = args[postcopy];
	int fd = migrate_open(to, err);
	json_t *status = NULL;

	if (fd < 0)
		return false;
	transfer_catch(-1);
	if (transfer_begin(c, fd, "auto-converge", postcopy ? "postcopy-ram" : NULL, err)) {
		/* Only the machine keeps the far end waiting. */
		close(fd);
		fd = -1;
		status = transfer_wait(c, "migration", to, postcopy ? migrate_switch : NULL, err);
	}
	if (fd >= 0)
		close(fd);
	if (!status)
		return false;
	migrate_report(to, status);
	json_decref(status);
	/* The guest is not here any more. */
	return quit_machine(c, err);
}

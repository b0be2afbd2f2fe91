// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/core/message.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
//
// Messages while a guest runs: nobody waits for whoever reads stderr, be it a pipe, a socket or a
// terminal. Each case runs in a child, whose alarm ends one that waits.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/message.h"
#include "ktap.h"

#define MANY	3000	/* lines: more than anything here takes */
#define WORDS	"a line that tells of something"

/* Runs @work with @err as its stderr. False: it failed, or waited. */
static bool run(void (*work)(void), int err)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		signal(SIGPIPE, SIG_IGN);
		dup2(err, STDERR_FILENO);
		alarm(20);
		work();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return !status;
}

/* Reads what there is. Returns how many lines; @text has the last of it. */
static unsigned int drain(int fd, char *text, size_t size)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	unsigned int lines = 0;
	size_t len = 0;

	while (poll(&ready, 1, 0) > 0 && ready.revents & POLLIN) {
		char buf[512];
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++) {
			lines += buf[i] == '\n';
			if (len == size - 1)
				memmove(text, text + 1, --len);
			text[len++] = buf[i];
		}
	}
	text[len] = '\0';
	return lines;
}

static void say_much(void)
{
	message_patience(0);
	for (unsigned int i = 0; i < MANY; i++)
		message("%s", WORDS);
}

/* What fits comes whole, and nothing waits for the rest. */
static void never_waits(int reader, int err)
{
	char text[4096];
	unsigned int lines;

	KTAP_TRUE(run(say_much, err));
	lines = drain(reader, text, sizeof(text));
	KTAP_TRUE(lines > 10 && lines < MANY);
	KTAP_TRUE(strstr(text, "armvmm-run: " WORDS));
	/* Who shares the open file finds it as it was. */
	KTAP_EQ(fcntl(err, F_GETFL) & O_NONBLOCK, 0);
}

static void test_pipe(void)
{
	int fd[2];

	KTAP_EQ(pipe(fd), 0);
	never_waits(fd[0], fd[1]);
	close(fd[0]);
	/* Nobody will ever read it. */
	KTAP_TRUE(run(say_much, fd[1]));
	close(fd[1]);
}

static void test_socket(void)
{
	int fd[2];

	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	never_waits(fd[0], fd[1]);
	close(fd[0]);
	KTAP_TRUE(run(say_much, fd[1]));
	close(fd[1]);
}

static void test_terminal(void)
{
	int master, slave;

	KTAP_EQ(openpty(&master, &slave, NULL, NULL, NULL), 0);
	never_waits(master, slave);
	close(slave);
	close(master);
}

/* --- what is lost is counted --- */

static int ask[2], answer[2];

static void fill_then_go_on(void)
{
	char byte;

	say_much();
	if (write(answer[1], "", 1) != 1 || read(ask[0], &byte, 1) != 1)
		_exit(1);
	message("it is read again");
	message("and again");
}

static void test_lost(void)
{
	unsigned int lines, lost;
	int fd[2], status = -1;
	char text[4096], byte;
	const char *told;
	pid_t pid;

	KTAP_EQ(pipe(fd), 0);
	KTAP_EQ(pipe(ask), 0);
	KTAP_EQ(pipe(answer), 0);
	pid = fork();
	if (!pid) {
		dup2(fd[1], STDERR_FILENO);
		alarm(20);
		fill_then_go_on();
		_exit(0);
	}
	close(answer[1]);
	KTAP_EQ(read(answer[0], &byte, 1), 1);
	lines = drain(fd[0], text, sizeof(text));
	KTAP_EQ(write(ask[1], "", 1), 1);
	waitpid(pid, &status, 0);
	KTAP_EQ(status, 0);
	drain(fd[0], text, sizeof(text));
	told = strstr(text, "armvmm-run: messages that are lost, as stderr was not read: ");
	KTAP_ASSERT(told);
	lost = strtoul(strstr(told, "read: ") + 6, NULL, 10);
	KTAP_EQ(lines + lost, MANY);
	KTAP_TRUE(strstr(told, "\narmvmm-run: it is read again\narmvmm-run: and again\n"));
	close(fd[0]);
	close(fd[1]);
}

/* Before there is a guest, and at the end, a slow reader gets all, if he reads at all. */
static void say_much_patiently(void)
{
	for (unsigned int i = 0; i < MANY; i++)
		message("%s", WORDS);
	message_patience(-1);
	for (unsigned int i = 0; i < MANY; i++)
		message("%s", WORDS);
	message_patience(10000);
	for (unsigned int i = 0; i < MANY; i++)
		message("%s", WORDS);
}

static void test_patience(void)
{
	unsigned int lines = 0;
	int fd[2], status = -1;
	FILE *file;
	char *line = NULL;
	size_t size = 0;
	pid_t pid;

	KTAP_EQ(pipe(fd), 0);
	pid = fork();
	if (!pid) {
		close(fd[0]);
		dup2(fd[1], STDERR_FILENO);
		close(fd[1]);
		say_much_patiently();
		_exit(0);
	}
	close(fd[1]);
	file = fdopen(fd[0], "r");
	while (getline(&line, &size, file) > 0)
		lines += !strcmp(line, "armvmm-run: " WORDS "\n");
	KTAP_EQ(lines, 3 * MANY);
	waitpid(pid, &status, 0);
	KTAP_EQ(status, 0);
	free(line);
	fclose(file);
}

static void say_much_at_the_end(void)
{
	message_patience(200);
	for (unsigned int i = 0; i < MANY; i++)
		message("%s", WORDS);
}

/* But not for each line in turn, if he does not. */
static void test_at_the_end(void)
{
	int fd[2];

	KTAP_EQ(pipe(fd), 0);
	KTAP_TRUE(run(say_much_at_the_end, fd[1]));
	close(fd[0]);
	close(fd[1]);
}

/* A line that is too long is cut, and ends as others do. */
static void say_long(void)
{
	static char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	message("%s", text);
	message_patience(0);
	message("%s", text);
	message("short");
}

static void test_long(void)
{
	char text[4096];
	int fd[2];

	KTAP_EQ(pipe(fd), 0);
	KTAP_TRUE(run(say_long, fd[1]));
	KTAP_EQ(drain(fd[0], text, sizeof(text)), 3);
	KTAP_TRUE(strstr(text, "xxx\narmvmm-run: xxx"));
	KTAP_TRUE(strstr(text, "xxx\narmvmm-run: short\n"));
	KTAP_TRUE(strlen(text) < 1600);
	close(fd[0]);
	close(fd[1]);
}

KTAP_MAIN(KTAP_CASE(test_pipe), KTAP_CASE(test_socket), KTAP_CASE(test_terminal),
	  KTAP_CASE(test_lost), KTAP_CASE(test_patience),
	  KTAP_CASE(test_at_the_end), KTAP_CASE(test_long))

// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptydrive PROGRAM [ARG]...: runs PROGRAM on a terminal of its own and does to it what standard
 * input says, a line each. Ends with 1 at the first line that does not hold, and tells which.
 *
 *	expect TEXT	TEXT comes within 20 s, after all that was expected before
 *	absent TEXT	TEXT has not come since the last expect, half a second from now
 *	send TEXT	keys, with \xHH for any byte and \n for Enter
 *	raw, cooked	the terminal is in raw mode; it is exactly as it was at the start
 *	signal NUMBER	to PROGRAM
 *	alive		PROGRAM has not ended, half a second from now
 *	hangup		takes the terminal away
 *	stopped, continue	PROGRAM stops within 20 s; SIGCONT
 *	exit STATUS	PROGRAM ends with STATUS (128 + N by signal N) within 20 s
 *
 * ptydrive --hash: what the monitor guest would say of standard input.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define DRIVE_MS	20000
#define DRIVE_SOON_MS	500

struct drive {
	int master, slave;
	pid_t pid;
	struct termios before;
	char text[1 << 18];
	size_t len, seen;	/* all that came; what expect has passed over */
};

static long drive_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

static void drive_start(struct drive *d, char **argv)
{
	if (openpty(&d->master, &d->slave, NULL, NULL, NULL) || tcgetattr(d->slave, &d->before)) {
		perror("openpty");
		exit(1);
	}
	fcntl(d->master, F_SETFD, FD_CLOEXEC);
	d->pid = fork();
	if (!d->pid) {
		setsid();
		ioctl(d->slave, TIOCSCTTY, 0);
		for (int fd = 0; fd < 3; fd++)
			dup2(d->slave, fd);
		if (d->slave > 2)
			close(d->slave);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
}

/* Reads what comes until @end. Returns false if there is nothing more to come. */
static bool drive_take(struct drive *d, long end)
{
	struct pollfd pfd = { .fd = d->master, .events = POLLIN };
	long left = end - drive_now();
	ssize_t n;

	if (left < 0 || d->len + 1 == sizeof(d->text))
		return false;
	if (poll(&pfd, 1, left) <= 0)
		return false;
	n = read(d->master, d->text + d->len, sizeof(d->text) - 1 - d->len);
	if (n <= 0)
		return false;
	for (char *c = d->text + d->len; c < d->text + d->len + n; c++)
		if (!*c)
			*c = '@';
	d->len += n;
	d->text[d->len] = '\0';
	return true;
}

static bool drive_expect(struct drive *d, const char *text)
{
	long end = drive_now() + DRIVE_MS;

	do {
		char *at = strstr(d->text + d->seen, text);

		if (at) {
			d->seen = at + strlen(text) - d->text;
			return true;
		}
	} while (drive_take(d, end));
	return false;
}

static bool drive_absent(struct drive *d, const char *text)
{
	long end = drive_now() + DRIVE_SOON_MS;

	while (drive_take(d, end))
		;
	return !strstr(d->text + d->seen, text);
}

static bool drive_send(struct drive *d, const char *text)
{
	while (*text) {
		char c = *text++;

		if (c == '\\' && *text == 'n') {
			c = '\r';
			text++;
		} else if (c == '\\' && *text == 'x') {
			char hex[3] = { text[1], text[2], '\0' };

			c = strtoul(hex, NULL, 16);
			text += 3;
		}
		if (write(d->master, &c, 1) != 1)
			return false;
	}
	return true;
}

static bool drive_raw(struct drive *d, bool raw)
{
	long end = drive_now() + DRIVE_MS;
	struct termios now;

	do {
		bool is_raw, as_before;

		/*
		 * A program that is slow to start has time; the line discipline has none to lose.
		 */
		if (tcgetattr(d->slave, &now))
			return false;
		is_raw = !(now.c_lflag & (ICANON | ECHO | ISIG)) && !(now.c_iflag & (ICRNL | IXON));
		as_before = now.c_lflag == d->before.c_lflag && now.c_iflag == d->before.c_iflag &&
			    now.c_oflag == d->before.c_oflag && now.c_cflag == d->before.c_cflag &&
			    !memcmp(now.c_cc, d->before.c_cc, sizeof(now.c_cc));
		if (raw ? is_raw : as_before)
			return true;
		usleep(20000);
	} while (drive_now() < end);
	return false;
}

/* Waits for the program to change its state. Returns its status, or -1 if it does not change. */
static int drive_wait(struct drive *d, int flags, long ms)
{
	long end = drive_now() + ms;
	int status;

	do {
		/* It may be waiting for somebody to take its output. */
		if (d->master >= 0)
			drive_take(d, drive_now() + 20);
		else
			usleep(20000);
		if (waitpid(d->pid, &status, WNOHANG | flags) == d->pid)
			return status;
	} while (drive_now() < end);
	return -1;
}

static bool drive_exit(struct drive *d, int want)
{
	int status = drive_wait(d, 0, DRIVE_MS);

	if (status < 0)
		return false;
	d->pid = 0;
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (status != want)
		printf("# ended with status %d\n", status);
	return status == want;
}

static bool drive_step(struct drive *d, const char *verb, const char *rest)
{
	if (!strcmp(verb, "expect"))
		return drive_expect(d, rest);
	if (!strcmp(verb, "absent"))
		return drive_absent(d, rest);
	if (!strcmp(verb, "send"))
		return drive_send(d, rest);
	if (!strcmp(verb, "raw") || !strcmp(verb, "cooked"))
		return drive_raw(d, verb[0] == 'r');
	if (!strcmp(verb, "signal"))
		return !kill(d->pid, atoi(rest));
	if (!strcmp(verb, "alive"))
		return drive_wait(d, 0, DRIVE_SOON_MS) == -1;
	if (!strcmp(verb, "stopped")) {
		int status = drive_wait(d, WUNTRACED, DRIVE_MS);

		return status >= 0 && WIFSTOPPED(status);
	}
	if (!strcmp(verb, "continue"))
		return !kill(d->pid, SIGCONT);
	if (!strcmp(verb, "hangup")) {
		close(d->master);
		d->master = -1;
		return true;
	}
	if (!strcmp(verb, "exit"))
		return drive_exit(d, atoi(rest));
	printf("# ptydrive: what is \"%s\"?\n", verb);
	return false;
}

/* FNV-1a of standard input, as the monitor computes it. */
static int drive_hash(void)
{
	unsigned int hash = 0x811c9dc5;
	int c;

	while ((c = getchar()) != EOF)
		hash = (hash ^ c) * 0x01000193;
	printf("%08x\n", hash);
	return 0;
}

int main(int argc, char **argv)
{
	static struct drive d;
	char line[512];
	int status = 0;

	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "--hash"))
		return drive_hash();
	drive_start(&d, argv + 1);
	while (!status && fgets(line, sizeof(line), stdin)) {
		char *rest = line + strspn(line, " \t"), *verb;

		rest[strcspn(rest, "\n")] = '\0';
		if (!*rest || *rest == '#')
			continue;
		verb = strsep(&rest, " ");
		if (!drive_step(&d, verb, rest ? rest : "")) {
			printf("# did not hold: %s %s\n", verb, rest ? rest : "");
			status = 1;
		}
	}
	if (d.pid) {
		kill(d.pid, SIGKILL);
		kill(d.pid, SIGCONT);
	}
	if (status) {
		/* Print what was on the screen, each line as a comment. */
		for (char *l = strtok(d.text, "\r\n"); l; l = strtok(NULL, "\r\n"))
			printf("#   %s\n", l);
	}
	return status;
}

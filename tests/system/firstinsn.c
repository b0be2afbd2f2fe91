// SPDX-License-Identifier: GPL-2.0-only
/*
 * firstinsn [-u TEXT] TIMES PROGRAM [ARG]...: how long from exec to the first byte of output, or
 * to TEXT in it, in microseconds, each time, on a line. The program is ended then.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Reads until @text has come; if that is NULL, until any byte has come. */
static bool out_has(int fd, const char *text)
{
	static char said[65536];
	size_t len = 0;

	while (len < sizeof(said) - 1) {
		ssize_t n = read(fd, said + len, text ? sizeof(said) - 1 - len : 1);

		if (n <= 0)
			break;
		len += n;
		said[len] = '\0';
		if (!text || strstr(said, text))
			return true;
	}
	fprintf(stderr, "%.*s\n", (int)len, said);
	return false;
}

int main(int argc, char **argv)
{
	const char *text = NULL;
	int times;

	if (argc > 2 && !strcmp(argv[1], "-u")) {
		text = argv[2];
		argc -= 2;
		argv += 2;
	}
	times = argc > 2 ? atoi(argv[1]) : 0;

	for (int i = 0; i < times; i++) {
		int out[2], start[2];
		long long from;
		char c;
		pid_t pid;

		if (pipe(out) || pipe(start))
			return 1;
		pid = fork();
		if (!pid) {
			/* Do not measure the cost of fork(): exec when the parent is ready. */
			dup2(out[1], 1);
			close(out[0]);
			close(out[1]);
			close(start[1]);
			if (read(start[0], &c, 1) != 1)
				_exit(127);
			close(start[0]);
			execv(argv[2], argv + 2);
			_exit(127);
		}
		close(out[1]);
		close(start[0]);
		usleep(20000);
		from = now_ns();
		if (write(start[1], "x", 1) != 1 || !out_has(out[0], text)) {
			printf("no output\n");
			return 1;
		}
		printf("%lld\n", (now_ns() - from) / 1000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(out[0]);
		close(start[1]);
	}
	return 0;
}

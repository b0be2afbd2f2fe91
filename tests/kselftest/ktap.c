// SPDX-License-Identifier: GPL-2.0-only
/* The runner: one child per case, one KTAP line per child. */
#include "ktap.h"

#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_FAIL	1
#define EXIT_SKIP	4

static int failures;
static int skip_fd = -1;	/* the reason goes to the parent by this pipe */
static void (*at_end)(void);

void ktap_fail(const char *file, int line, const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# %s:%d: %s: ", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line, what);
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
	va_end(ap);
	failures++;
}

bool ktap_failed(void)
{
	return failures;
}

void ktap_at_end(void (*fn)(void))
{
	at_end = fn;
}

void ktap_stop(void)
{
	fflush(stdout);
	_exit(EXIT_FAIL);
}

void ktap_skip(const char *fmt, ...)
{
	char why[200];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (at_end)
		at_end();
	if (n > 0 && write(skip_fd, why, (size_t)n < sizeof(why) ? (size_t)n : sizeof(why) - 1) < 0)
		_exit(EXIT_FAIL);
	_exit(ktap_failed() ? EXIT_FAIL : EXIT_SKIP);
}

void ktap_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# ");
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
	va_end(ap);
}

unsigned int ktap_slowdown(void)
{
	const char *slow = getenv("SLOWDOWN");
	int n = slow ? atoi(slow) : 1;

	return n > 0 ? (unsigned int)n : 1;
}

/* 0 passed, 1 failed, 4 skipped */
static int run_case(const struct ktap_case *c, char *why, size_t len)
{
	unsigned int limit = c->seconds ? c->seconds : 60;
	int pipefd[2], status;
	ssize_t n;
	pid_t pid;

	why[0] = 0;
	if (pipe(pipefd))
		return EXIT_FAIL;
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return EXIT_FAIL;
	if (!pid) {
		setpgid(0, 0);
		close(pipefd[0]);
		skip_fd = pipefd[1];
		failures = 0;
		alarm(limit * ktap_slowdown());
		c->fn();
		if (at_end)
			at_end();
		fflush(stdout);
		_exit(failures ? EXIT_FAIL : 0);
	}
	close(pipefd[1]);
	n = read(pipefd[0], why, len - 1);
	why[n > 0 ? n : 0] = 0;
	close(pipefd[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* Whatever the case started dies with it. */
	kill(-pid, SIGKILL);
	if (WIFSIGNALED(status)) {
		/* tests/run repeats, alone, a case that failed only by its timing. */
		if (WTERMSIG(status) == SIGALRM)
			printf("# timing: %s did not end in its time\n", c->name);
		else
			printf("# %s: %s\n", c->name, strsignal(WTERMSIG(status)));
		return EXIT_FAIL;
	}
	return WEXITSTATUS(status);
}

static bool wanted(const char *name, int argc, char **argv)
{
	if (argc < 2)
		return true;
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return false;
}

int ktap_main(int argc, char **argv, const struct ktap_case *cases, unsigned int n)
{
	unsigned int plan = 0, at = 0, pass = 0, fail = 0, skip = 0;
	char why[200];

	for (unsigned int i = 0; i < n; i++)
		plan += wanted(cases[i].name, argc, argv);
	printf("TAP version 13\n1..%u\n", plan);
	for (unsigned int i = 0; i < n; i++) {
		if (!wanted(cases[i].name, argc, argv))
			continue;
		at++;
		switch (run_case(&cases[i], why, sizeof(why))) {
		case 0:
			printf("ok %u %s\n", at, cases[i].name);
			pass++;
			break;
		case EXIT_SKIP:
			printf("ok %u %s # SKIP %s\n", at, cases[i].name, why);
			skip++;
			break;
		default:
			printf("not ok %u %s\n", at, cases[i].name);
			fail++;
		}
		fflush(stdout);
	}
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:0\n", pass, fail, skip);
	return fail ? 1 : pass ? 0 : 4;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * watchcheck: a debugger in the guest, which watches a process with the CPU's watchpoint registers
 * (DDI 0406C C3.4) while the machine is saved, loaded and moved. Each write of the process to a
 * word must stop it exactly once. A watchpoint on another word is always set, and must never be
 * hit. Reports on the console: "@@ hits N", "@@ wrong watchpoint ...".
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* PTRACE_SETHBPREGS: the numbers of watchpoint N's address and control word. */
#define WATCH_ADDRESS(n)	(-(2 * (n) + 1))
#define WATCH_CONTROL(n)	(-(2 * (n) + 2))
#define WATCH_STORES		(0xf << 5 | 2 << 3)	/* to any byte of the word */
#define WATCH_ENABLED		1

static volatile unsigned int watched, never;

static void watch_wrong(const char *what, int value)
{
	printf("@@ wrong watchpoint: %s %d\n", what, value);
	fflush(stdout);
}

static void watch_set(pid_t pid, long reg, unsigned long value)
{
	if (ptrace(PTRACE_SETHBPREGS, pid, reg, &value)) {
		watch_wrong(strerror(errno), reg);
		exit(1);
	}
}

/*
 * Writes the word, and computes for a while before each write: meanwhile the watchpoints are in the
 * CPU's registers.
 */
static void watch_child(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	for (;;) {
		raise(SIGSTOP);
		for (volatile unsigned int i = 0; i < 300000; i++)
			;
		watched++;
	}
}

/* Lets the process run until it stops. Returns the signal. */
static int watch_next(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_CONT, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid ||
	    !WIFSTOPPED(status))
		exit(1);
	return WSTOPSIG(status);
}

int main(void)
{
	unsigned int hits = 0;
	time_t told = 0;
	siginfo_t info;
	int sig;
	pid_t pid = fork();

	if (!pid)
		watch_child();
	if (pid < 0 || waitpid(pid, &sig, 0) != pid)
		return 1;
	watch_set(pid, WATCH_ADDRESS(0), (unsigned long)&watched);
	watch_set(pid, WATCH_ADDRESS(1), (unsigned long)&never);
	watch_set(pid, WATCH_CONTROL(1), WATCH_STORES | WATCH_ENABLED);
	for (;;) {
		watch_set(pid, WATCH_CONTROL(0), WATCH_STORES | WATCH_ENABLED);
		sig = watch_next(pid);
		if (sig != SIGTRAP) {
			watch_wrong("missed, signal", sig);
			continue;
		}
		if (ptrace(PTRACE_GETSIGINFO, pid, NULL, &info) ||
		    info.si_addr != (void *)&watched)
			watch_wrong("hit by si_code", info.si_code);
		hits++;
		/* The write is not done yet: let it happen without the watchpoint. */
		watch_set(pid, WATCH_CONTROL(0), WATCH_STORES);
		sig = watch_next(pid);
		if (sig != SIGSTOP)
			watch_wrong("hit twice, signal", sig);
		usleep(20000);
		if (time(NULL) != told) {
			told = time(NULL);
			printf("@@ hits %u\n", hits);
			fflush(stdout);
		}
	}
}

// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/message.h"
#include "core/process.h"
#include "core/userns.h"

/* An option that no person would type. */
#define PROCESS_WORD	"--as-process"

/* The process finds its socket here. What it says goes to standard error. */
#define PROCESS_FD	3

#define PROCESS_CLOSE_RANGE	436	/* Linux 5.9; not in the headers of Debian 11 */

/* Defined by the linker. */
extern const struct process_role *const __start_process_roles[] __attribute__((weak));
extern const struct process_role *const __stop_process_roles[] __attribute__((weak));

/* ---- In our process ---- */

/* Our own files are O_CLOEXEC. This closes those that we inherited without it. */
static void process_close_others(void)
{
	if (!syscall(PROCESS_CLOSE_RANGE, PROCESS_FD + 1, ~0u, 0))
		return;
	for (int fd = PROCESS_FD + 1; fd < 1024; fd++)
		close(fd);
}

/* Between clone() and exec: may only make system calls. */
static void process_exec(const char *name, int fd, int text, bool mapped, uid_t uid, gid_t gid)
{
	char *argv[] = { (char *)"armvmm-run", (char *)PROCESS_WORD, (char *)name, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	if (mapped && userns_map(uid, gid))
		_exit(127);
	/* Move the descriptors above those that are set below, so that none is overwritten. */
	fd = fcntl(fd, F_DUPFD_CLOEXEC, PROCESS_FD + 1);
	text = fcntl(text, F_DUPFD_CLOEXEC, PROCESS_FD + 1);
	if (null < 0 || fd < 0 || text < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(text, STDERR_FILENO) < 0 ||
	    dup2(fd, PROCESS_FD) < 0)
		_exit(127);
	process_close_others();
	/* Keys of the terminal, and a hangup, are only for us. */
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve("/proc/self/exe", argv, environ);
	_exit(127);
}

/*
 * As fork(), but into a PID namespace, which only clone() can make for the caller's child. The
 * child may do nothing but exec: the C library does not know of it.
 */
static pid_t process_clone(unsigned long flags)
{
	return syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

static pid_t process_fork(bool *apart, bool user_too, bool *mapped)
{
	pid_t pid = -1;

	*mapped = false;
	if (*apart)
		pid = process_clone(CLONE_NEWPID);
	if (*apart && pid < 0 && errno == EPERM && user_too) {
		*mapped = true;
		pid = process_clone(CLONE_NEWUSER | CLONE_NEWPID);
		*mapped = pid >= 0;
	}
	if (pid >= 0)
		return pid;
	*apart = false;
	return process_clone(0);
}

int process_start(struct process *p, const char *name, const char *label, bool *apart,
		  bool user_too, struct error *err)
{
	int fd[2] = { -1, -1 }, text[2] = { -1, -1 }, ret = 0;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	bool mapped;

	*p = (struct process){ .fd = -1, .text = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, text) ||
	    fcntl(fd[0], F_SETFL, O_NONBLOCK))
		ret = error_errno(err, -errno, "%s: sockets", label);
	if (!ret) {
		p->pid = process_fork(apart, user_too, &mapped);
		if (!p->pid)
			process_exec(name, fd[1], text[1], mapped, uid, gid);
		if (p->pid < 0)
			ret = error_errno(err, -errno, "%s: a process", label);
	}
	if (fd[1] >= 0)
		close(fd[1]);
	if (text[1] >= 0)
		close(text[1]);
	p->fd = fd[0];
	p->text = text[0];
	if (ret) {
		p->pid = 0;
		process_end(p);
	}
	return ret;
}

ssize_t process_receive(struct process *p, void *data, size_t size, unsigned int seconds)
{
	struct pollfd poll_fd = { .fd = p->fd, .events = POLLIN };
	ssize_t n;

	do {
		n = poll(&poll_fd, 1, seconds * 1000);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -ETIMEDOUT;
	n = read(p->fd, data, size);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	return n ? n : -EPIPE;
}

bool process_says(struct process *p, char *text, size_t size, bool *ended)
{
	static const char program[] = "armvmm-run: ";
	ssize_t n = p->text < 0 ? 0 : read(p->text, text, size - 1);

	*ended = !n || (n < 0 && errno != EAGAIN && errno != EINTR);
	if (n <= 0)
		return false;
	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	text[n] = '\0';
	for (ssize_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	if (!strncmp(text, program, sizeof(program) - 1))
		memmove(text, text + sizeof(program) - 1, n + 1 - (sizeof(program) - 1));
	return true;
}

int process_end(struct process *p)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	int status = -1;

	if (p->fd >= 0)
		close(p->fd);
	if (p->text >= 0)
		close(p->text);
	p->fd = p->text = -1;
	for (unsigned int i = 0; p->pid > 0 && i < 50; i++) {
		if (waitpid(p->pid, &status, WNOHANG) == p->pid)
			break;
		status = -1;
		nanosleep(&ms, NULL);
	}
	p->pid = 0;
	return status;
}

/* ---- In the new process ---- */

/* The process needs nothing of a person's environment; the loader has read its own part. */
static void process_forget_environment(void)
{
	for (char **e = environ; e && *e; e++)
		memset(*e, 0, strlen(*e));
	environ = NULL;
}

int process_main(int argc, char **argv, process_confine *confine)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP };
	const struct process_role *const *at;
	int type = 0;
	socklen_t len = sizeof(type);

	if (argc != 3 || strcmp(argv[1], PROCESS_WORD))
		return -1;
	if (getsockopt(PROCESS_FD, SOL_SOCKET, SO_TYPE, &type, &len) || type != SOCK_SEQPACKET) {
		message("%s: is for armvmm-run itself only", argv[1]);
		return 2;
	}
	for (at = __start_process_roles; at < __stop_process_roles; at++)
		if (!strcmp((*at)->name, argv[2]))
			break;
	if (at == __stop_process_roles)
		return 2;
	prctl(PR_SET_NAME, (*at)->name);
	/*
	 * A signal that ends the guest may go to all its processes. Ignore it, so that the guest
	 * has time to power off.
	 */
	for (unsigned int i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	/* Lost when the process becomes another user. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	process_forget_environment();
	return (*at)->main(PROCESS_FD, confine);
}

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/sandbox/keeper.c userspace/armvmm-run/sandbox/capabilities.c
// sources: userspace/armvmm-run/sandbox/landlock.c userspace/armvmm-run/sandbox/namespace.c
// sources: userspace/armvmm-run/core/named_socket.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/userns.c
// cflags: -Iuserspace/armvmm-run -Itests/unit/armvmm-run -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
// pkgs: libcap-ng
//
// The process that keeps a socket's name: somebody has taken it over, and tries what it may not;
// and it still removes the name.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/named_socket.h"
#include "ktap.h"
#include "sandbox/forbidden.h"
#include "sandbox/keeper.h"
#include "scratch.h"

/* The sanitizer's own calls do not matter here. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "use_sigaltstack=0:detect_leaks=0";
}

static int ended(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Has what the process has, and no more. */
static void become_keeper(void)
{
	int folder = open("/tmp", O_RDONLY | O_DIRECTORY), null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(folder, 1);
	for (int fd = 2; fd < 64; fd++)
		close(fd);
	keeper_confine();
}

/* The status of a process that makes the call. */
static int try_call(const struct forbidden *f)
{
	pid_t pid = fork();

	if (!pid) {
		become_keeper();
		syscall(f->nr, f->arg[0], f->arg[1], f->arg[2], f->arg[3], f->arg[4], f->arg[5]);
		syscall(SYS_exit_group, 2);
	}
	return ended(pid);
}

static void check(const struct forbidden *calls, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		int status = try_call(&calls[i]);

		if (status != 128 + SIGSYS)
			KTAP_FAIL("%s: status %d", calls[i].name, status);
	}
}

/* Calls that others need, and this one does not. */
static const struct forbidden plain[] = {
	CALL(write, 0, A("x"), 1), CALL(openat, 1, A("."), O_RDONLY), CALL(close, 0),
	CALL(brk, 0), CALL(mprotect, 0, 0, PROT_READ), CALL(getpid, 0), CALL(dup, 0),
	CALL(rt_sigaction, SIGTERM, A(&act), 0, 8), CALL(ioctl, 0, 0, 0), CALL(fstat, 0, 0),
	{ "a thread", SYS_clone, { CLONE_VM | CLONE_SIGHAND | CLONE_THREAD } },
	{ "unlinkat of the working folder", SYS_unlinkat, { AT_FDCWD, A("x"), 0 } },
};

static void test_forbidden(void)
{
	check(forbidden, NR(forbidden));
	check(others_forbidden, NR(others_forbidden));
	check(socket_calls, NR(socket_calls));
	check(net_forbidden, NR(net_forbidden));
	check(files, NR(files));
	check(runs, NR(runs));
	check(plain, NR(plain));
}

/* A name that begins with a slash is looked for in a root that is empty, if this host has such. */
static void test_elsewhere(void)
{
	char victim[] = "/tmp/test_keeper.XXXXXX";
	int fd = mkstemp(victim);
	pid_t pid = fork();

	if (!pid) {
		struct stat st;

		become_keeper();
		syscall(SYS_exit_group, fstatat(1, "/etc/passwd", &st, 0) ? 1 : 2);
	}
	if (ended(pid) != 1) {
		close(fd);
		unlink(victim);
		KTAP_SKIP("no namespaces");
	}
	pid = fork();
	if (!pid) {
		become_keeper();
		syscall(SYS_exit_group, unlinkat(1, victim, 0) ? 1 : 2);
	}
	KTAP_EQ(ended(pid), 1);
	KTAP_EQ(access(victim, F_OK), 0);
	close(fd);
	unlink(victim);
}

static bool is_there(const char *name)
{
	struct stat st;

	return !lstat(path(name), &st);
}

/* Whoever ends, and however, and whoever the folder's owner is, the name goes. */
static void removes(void)
{
	struct named_socket socket;
	struct error err;
	pid_t pid = fork();

	if (!pid) {
		KTAP_EQ(named_socket_open(&socket, path("a"), 1, false, &err), 0);
		kill(getpid(), SIGKILL);
	}
	KTAP_EQ(ended(pid), 128 + SIGKILL);
	for (unsigned int i = 0; i < 1000 && is_there("a"); i++)
		usleep(20000);
	KTAP_TRUE(!is_there("a"));
	KTAP_EQ(named_socket_open(&socket, path("b"), 1, false, &err), 0);
	KTAP_TRUE(is_there("b"));
	named_socket_close(&socket);
	KTAP_TRUE(!is_there("b"));
	/* One that is another's by now stays. */
	KTAP_EQ(named_socket_open(&socket, path("c"), 1, false, &err), 0);
	unlink(path("c"));
	write_file("c", "", 0, 0);
	named_socket_close(&socket);
	KTAP_TRUE(is_there("c"));
	unlink(path("c"));
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	rmdir(scratch_dir);
}

static void test_removes(void)
{
	named_socket_confine = keeper_confine;
	KTAP_ASSERT(mkdtemp(scratch_dir));
	removes();
}

static void test_removes_of_another(void)
{
	if (geteuid())
		KTAP_SKIP("root alone makes sockets in others' folders");
	KTAP_EQ(mkdir(scratch_dir, 0700), 0);
	KTAP_EQ(chown(scratch_dir, 65534, 65534), 0);
	removes();
}

KTAP_MAIN(KTAP_CASE(test_forbidden), KTAP_CASE(test_elsewhere), KTAP_CASE(test_removes),
	  KTAP_CASE(test_removes_of_another))

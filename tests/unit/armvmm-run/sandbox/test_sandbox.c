// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/sandbox/sandbox.c userspace/armvmm-run/sandbox/filter.c
// sources: userspace/armvmm-run/sandbox/landlock.c userspace/armvmm-run/sandbox/namespace.c
// sources: userspace/armvmm-run/sandbox/limits.c userspace/armvmm-run/sandbox/capabilities.c
// sources: userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/message.c userspace/armvmm-run/core/userns.c
// cflags: -Iuserspace/armvmm-run -Iinclude/uapi -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
// pkgs: glib-2.0 libseccomp libcap-ng
//
// Threads that somebody has taken over: each kind tries what it may not, and what it has to do
// still works. tests/system runs this program in the emulated host too, as root.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <linux/armvmm.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>

#include "ktap.h"
#include "sandbox/filter.h"
#include "sandbox/limits.h"
#include "sandbox/sandbox.h"

#include "forbidden.h"
#include "interpret.h"

#define VIOLATION (128 + SIGSYS)

static const char *const kind_name[] = { "main", "vCPU", "disk", "net", "lazy", "dial", "nbd" };

/* ---- Processes that are taken over ---- */

/* The sanitizer's own calls do not matter here. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "use_sigaltstack=0:detect_leaks=0";
}

/* As _exit(), before which the sanitizer would ask for a stack of its own. */
static void quit(int status)
{
	syscall(SYS_exit_group, status);
}

static void no_note(void *opaque, const char *text)
{
}

static void note_it(void *opaque, const char *text)
{
	printf("# %s\n", text);
}

/* Makes a child's thread one of that kind. */
static void enter_with(enum machine_thread kind, struct sandbox_params params)
{
	struct sandbox *sandbox;
	struct error err = { "" };

	params.note = no_note;
	if (sandbox_enter(&sandbox, &params, &err)) {
		fprintf(stderr, "# %s\n", err.text);
		quit(99);
	}
	if (kind != MACHINE_THREAD_MAIN && kind != MACHINE_THREAD_NET &&
	    kind != MACHINE_THREAD_DIAL && kind != MACHINE_THREAD_NBD) {
		sigset_t all;

		/* Threads begin in this way. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, NULL);
		sandbox_enter_thread(sandbox, kind);
	}
}

/* What a process is told whose first thread is of that kind. */
static struct sandbox_params params_of(enum machine_thread kind)
{
	return (struct sandbox_params){
		.net = kind == MACHINE_THREAD_NET,
		.dial = kind == MACHINE_THREAD_DIAL,
		.nbd = kind == MACHINE_THREAD_NBD,
	};
}

static void enter(enum machine_thread kind)
{
	enter_with(kind, params_of(kind));
}

/*
 * The exit status of a child that makes the call, and what it prints meanwhile. @params: the
 * options of its machine.
 */
static int try_call(enum machine_thread kind, const struct sandbox_params *params,
		    const struct forbidden *f, char *said, size_t size)
{
	int out[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(out))
		return -1;
	pid = fork();
	if (!pid) {
		long ret;

		dup2(out[1], STDERR_FILENO);
		enter_with(kind, *params);
		ret = syscall(f->nr, f->arg[0], f->arg[1], f->arg[2], f->arg[3], f->arg[4],
			      f->arg[5]);
		/* For these calls the C library gets an error. */
		quit(ret < 0 && ((errno == EACCES && f->nr == SYS_openat) ||
				 (errno == ENOSYS && f->nr == SYS_clone3) ||
				 (errno == EAFNOSUPPORT && f->nr == SYS_socket)) ? 1 : 2);
	}
	close(out[1]);
	n = read(out[0], said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close(out[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (names && *names && strcmp(*names, name))
		names++;
	return names && *names;
}

/* @except: calls that these options allow; NULL: none. */
static void check_forbidden_with(enum machine_thread kind, const struct sandbox_params *params,
				 const struct forbidden *calls, unsigned int nr,
				 const char *const *except)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct forbidden *f = &calls[i];
		char said[256], number[16];
		int status;

		if (is_one_of(f->name, except))
			continue;
		status = try_call(kind, params, f, said, sizeof(said));
		snprintf(number, sizeof(number), "call %ld (", f->nr);
		if (status == 2 || status == 99 || (status != VIOLATION && status != 1))
			KTAP_FAIL("%s thread: %s: status %d: %s", kind_name[kind], f->name, status, said);
		else if (status == VIOLATION && !strstr(said, number))
			KTAP_FAIL("%s thread: %s: it said '%s'", kind_name[kind], f->name, said);
	}
}

static void check_forbidden(enum machine_thread kind, const struct forbidden *calls,
			    unsigned int nr)
{
	struct sandbox_params params = params_of(kind);

	check_forbidden_with(kind, &params, calls, nr, NULL);
}

static void test_forbidden_main(void)
{
	check_forbidden(MACHINE_THREAD_MAIN, forbidden, NR(forbidden));
	check_forbidden(MACHINE_THREAD_MAIN, socket_calls, NR(socket_calls));
}

static void test_forbidden_net(void)
{
	check_forbidden(MACHINE_THREAD_NET, forbidden, NR(forbidden));
	check_forbidden(MACHINE_THREAD_NET, net_forbidden, NR(net_forbidden));
	check_forbidden(MACHINE_THREAD_NET, files, NR(files));
	check_forbidden(MACHINE_THREAD_NET, runs, NR(runs));
}

/* It connects to Unix sockets, and to nothing else. */
static void test_forbidden_dial(void)
{
	static const char *const dials[] = { "connect", "sendmsg", NULL };
	static const struct sandbox_params params = { .dial = true };

	check_forbidden(MACHINE_THREAD_DIAL, forbidden, NR(forbidden));
	check_forbidden(MACHINE_THREAD_DIAL, others_forbidden, NR(others_forbidden));
	check_forbidden_with(MACHINE_THREAD_DIAL, &params, socket_calls, NR(socket_calls), dials);
	check_forbidden(MACHINE_THREAD_DIAL, files, NR(files));
	check_forbidden(MACHINE_THREAD_DIAL, runs, NR(runs));
}

static void test_forbidden_vcpu(void)
{
	check_forbidden(MACHINE_THREAD_VCPU, forbidden, NR(forbidden));
	check_forbidden(MACHINE_THREAD_VCPU, others_forbidden, NR(others_forbidden));
	check_forbidden(MACHINE_THREAD_VCPU, socket_calls, NR(socket_calls));
	check_forbidden(MACHINE_THREAD_VCPU, files, NR(files));
}

static void test_forbidden_disk(void)
{
	check_forbidden(MACHINE_THREAD_DISK, forbidden, NR(forbidden));
	check_forbidden(MACHINE_THREAD_DISK, others_forbidden, NR(others_forbidden));
	check_forbidden(MACHINE_THREAD_DISK, socket_calls, NR(socket_calls));
	check_forbidden(MACHINE_THREAD_DISK, runs, NR(runs));
}

/* With each option that allows more: it allows what it needs, and nothing else. */
static const struct sandbox_params widest = {
	.control = true, .restore = true, .incoming = true, .debugger = true, .flash = true,
};

static void test_forbidden_main_widest(void)
{
	static const char *const wide[] = {
		"ftruncate", "ioctl KVM_SET_GUEST_DEBUG",
		/* Its thread for it needs both filters. */
		"ioctl KVM_GET_DIRTY_LOG", "ioctl SIOCOUTQ", NULL,
	};
	static const char *const sockets[] = { "accept4", "recvmsg", NULL };

	check_forbidden_with(MACHINE_THREAD_MAIN, &widest, forbidden, NR(forbidden), wide);
	check_forbidden_with(MACHINE_THREAD_MAIN, &widest, socket_calls, NR(socket_calls), sockets);
}

/* A thread that sends, receives or saves a guest. */
static void test_forbidden_disk_widest(void)
{
	static const char *const sends[] = {
		"ioctl KVM_GET_DIRTY_LOG", "ioctl SIOCOUTQ", NULL,
	};

	check_forbidden_with(MACHINE_THREAD_DISK, &widest, forbidden, NR(forbidden), sends);
	check_forbidden_with(MACHINE_THREAD_DISK, &widest, others_forbidden, NR(others_forbidden),
			     NULL);
	check_forbidden_with(MACHINE_THREAD_DISK, &widest, socket_calls, NR(socket_calls), NULL);
	check_forbidden_with(MACHINE_THREAD_DISK, &widest, runs, NR(runs), NULL);
}

static void test_forbidden_vcpu_widest(void)
{
	static const char *const flash[] = {
		"pread64", "pwrite64", "ioctl KVM_SET_USER_MEMORY_REGION", NULL,
	};

	check_forbidden_with(MACHINE_THREAD_VCPU, &widest, forbidden, NR(forbidden), NULL);
	check_forbidden_with(MACHINE_THREAD_VCPU, &widest, others_forbidden, NR(others_forbidden),
			     flash);
	check_forbidden_with(MACHINE_THREAD_VCPU, &widest, socket_calls, NR(socket_calls), NULL);
	check_forbidden_with(MACHINE_THREAD_VCPU, &widest, files, NR(files), flash);
}

static void test_forbidden_lazy(void)
{
	static const struct sandbox_params lazy = { .restore = true, .lazy = true };
	static const char *const reads[] = { "pread64", NULL };

	check_forbidden_with(MACHINE_THREAD_LAZY, &lazy, forbidden, NR(forbidden), NULL);
	check_forbidden_with(MACHINE_THREAD_LAZY, &lazy, others_forbidden, NR(others_forbidden),
			     reads);
	check_forbidden_with(MACHINE_THREAD_LAZY, &lazy, socket_calls, NR(socket_calls), NULL);
	check_forbidden_with(MACHINE_THREAD_LAZY, &lazy, files, NR(files), reads);
	check_forbidden_with(MACHINE_THREAD_LAZY, &lazy, runs, NR(runs), NULL);
}

static void test_names_the_call(void)
{
	static const struct forbidden mount = CALL(mount, 0, 0, 0, 0, 0);
	static const struct sandbox_params plain;
	char said[256];

	KTAP_EQ(try_call(MACHINE_THREAD_VCPU, &plain, &mount, said, sizeof(said)), VIOLATION);
	KTAP_TRUE(strstr(said, "armvmm-run: sandbox: thread "));
	KTAP_TRUE(strstr(said, " (mount)"));
}

/* ---- What each thread has to do ---- */

/* Runs @work in a child and returns what it returns. */
static int in_child(int (*work)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid)
		quit(work());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void *work_thread(void *opaque)
{
	char *memory = malloc(300000);

	memset(memory, 1, 300000);
	free(memory);
	return opaque;
}

static int work_disk(void)
{
	char path[] = "/tmp/test_sandbox.XXXXXX", data[512] = "data";
	struct iovec iov = { data, sizeof(data) };
	int fd = mkstemp(path), event = eventfd(1, 0);
	pthread_t thread;
	uint64_t count;

	unlink(path);
	/* The first thread of a process asks for more than others, like the main thread. */
	if (pthread_create(&thread, NULL, work_thread, NULL) || pthread_join(thread, NULL))
		return 4;
	enter(MACHINE_THREAD_DISK);
	if (pwritev(fd, &iov, 1, 0) != 512 || preadv(fd, &iov, 1, 0) != 512 || fdatasync(fd))
		return 1;
	if (read(event, &count, sizeof(count)) != sizeof(count))
		return 2;
	if (pthread_create(&thread, NULL, work_thread, NULL) || pthread_join(thread, NULL))
		return 3;
	return 0;
}

static int work_vcpu(void)
{
	int event = eventfd(0, 0);
	uint64_t count = 1;

	enter(MACHINE_THREAD_VCPU);
	/* KVM_RUN of another file: the answer comes from the kernel, and not from the filter. */
	if (ioctl(event, 0xae80, 0) != -1 || errno != ENOTTY)
		return 1;
	if (write(event, &count, sizeof(count)) != sizeof(count))
		return 2;
	if (getrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 0 }))
		return 3;
	work_thread(NULL);
	return prctl(PR_SET_NAME, "vcpu0");
}

/* Programs a file, and gets the kernel's answer for a file that is no VM. */
static int work_flash(void)
{
	char path[] = "/tmp/test_sandbox.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	enter_with(MACHINE_THREAD_VCPU, (struct sandbox_params){ .flash = true });
	if (pwrite(fd, "x", 1, 100) != 1 || pread(fd, path, 1, 100) != 1)
		return 1;
	return ioctl(fd, 0x4020ae46, 0) == -1 && errno == ENOTTY ? 0 : 2;
}

static int work_main(void)
{
	struct pollfd poll_fd = { .events = POLLIN };
	cpu_set_t cpus;
	pthread_t thread;
	struct stat st;

	enter(MACHINE_THREAD_MAIN);
	poll_fd.fd = eventfd(1, EFD_CLOEXEC);
	if (poll(&poll_fd, 1, 1000) != 1)
		return 1;
	if (pthread_create(&thread, NULL, work_thread, NULL) || pthread_join(thread, NULL))
		return 2;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) || sched_setaffinity(0, sizeof(cpus), &cpus))
		return 4;
	if (fcntl(poll_fd.fd, F_DUPFD_CLOEXEC, 0) < 0)
		return 5;
	raise(SIGWINCH);
	if (other_signals())
		return 6;
	return fstat(0, &st) ? 3 : 0;
}

/*
 * A client connects to the socket that was made before, and a disk is resized; no socket is made.
 */
static int work_control(bool make)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char path[] = "/tmp/test_sandbox.XXXXXX";
	int file = mkstemp(path), fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t len = sizeof(sun);

	unlink(path);
	/* A name that the kernel makes up, so that there is nothing to remove. */
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sa_family_t)) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)&sun, &len) ||
	    connect(client, (struct sockaddr *)&sun, len))
		return 1;
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .control = true });
	fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0 || send(fd, "x", 1, MSG_NOSIGNAL) != 1 || read(client, path, 1) != 1)
		return 2;
	if (make)
		socket(AF_UNIX, SOCK_STREAM, 0);
	return ftruncate(file, 4096) ? 3 : 0;
}

static int work_control_serve(void)
{
	return work_control(false);
}

static int work_control_make(void)
{
	return work_control(true);
}

/* Requests of KVM on no file: those that are allowed fail as any other would. */
#define TEST_GET_REG_LIST	0xc008aeb0u
#define TEST_SET_MP_STATE	0x4004ae99u
#define TEST_SET_VCPU_EVENTS	0x4040aea0u
#define TEST_GET_DEVICE_ATTR	0x4018aee2u
#define TEST_GET_DIRTY_LOG	0x4010ae42u

static bool is_allowed(unsigned int request)
{
	return ioctl(-1, request, NULL) == -1 && errno == EBADF;
}

/* A file for a snapshot comes by the socket, and the vCPUs' state is read. */
static int work_save(void)
{
	struct msghdr msg = { .msg_iovlen = 0 };

	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .control = true });
	if (recvmsg(-1, &msg, MSG_CMSG_CLOEXEC) != -1 || errno != EBADF)
		return 2;
	return is_allowed(TEST_GET_REG_LIST) && is_allowed(TEST_GET_DEVICE_ATTR) ? 0 : 3;
}

static int work_save_sets(void)
{
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .control = true });
	return is_allowed(TEST_SET_MP_STATE);
}

static int work_restore(void)
{
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .restore = true });
	return is_allowed(TEST_SET_MP_STATE) && is_allowed(TEST_SET_VCPU_EVENTS) &&
	       is_allowed(TEST_GET_DEVICE_ATTR) ? 0 : 3;
}

static int work_restore_reads(void)
{
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .restore = true });
	return is_allowed(TEST_GET_REG_LIST);
}

/* Memory comes while the guest runs; only with that option, and to nobody else. */
static int work_lazy(void)
{
	enter_with(MACHINE_THREAD_LAZY, (struct sandbox_params){ .restore = true, .lazy = true });
	return !is_allowed(UFFDIO_COPY) || !is_allowed(UFFDIO_ZEROPAGE) ||
	       !is_allowed(UFFDIO_WAKE) || !is_allowed(UFFDIO_UNREGISTER);
}

static int work_lazy_registers(void)
{
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .restore = true, .lazy = true });
	return !is_allowed(UFFDIO_REGISTER);
}

static int work_disk_of_lazy(void)
{
	enter_with(MACHINE_THREAD_DISK, (struct sandbox_params){ .restore = true, .lazy = true });
	return is_allowed(UFFDIO_COPY);
}

static int work_not_lazy(void)
{
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .restore = true });
	return is_allowed(UFFDIO_REGISTER);
}

/* A disk that is locked, and whose cache is forgotten. */
static int claim(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(-1, F_OFD_SETLK, &lock) != -1 || errno != EBADF)
		return 4;
	return posix_fadvise(-1, 0, 0, POSIX_FADV_DONTNEED) == EBADF ? 0 : 5;
}

/* A guest is sent away, and comes back. */
static int work_send(void)
{
	enter_with(MACHINE_THREAD_DISK, (struct sandbox_params){ .control = true });
	return !is_allowed(TEST_GET_DIRTY_LOG) || !is_allowed(TIOCOUTQ) ||
	       lseek(-1, 0, SEEK_END) != -1;
}

/* A file of statistics begins anew; no other file does. */
static int work_metrics(void)
{
	enter_with(MACHINE_THREAD_DISK, (struct sandbox_params){ .metrics = true });
	if (lseek(-1, 0, SEEK_END) != -1 || errno != EBADF)
		return 1;
	return ftruncate(-1, 0) == -1 && errno == EBADF ? 0 : 2;
}

static int work_no_metrics(void)
{
	enter(MACHINE_THREAD_DISK);
	return ftruncate(-1, 0);
}

static int work_send_fails(void)
{
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .control = true });
	return claim();
}

/* It comes by a socket that listens already. */
static int work_incoming(void)
{
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .incoming = true });
	if (accept4(-1, NULL, NULL, SOCK_CLOEXEC) != -1 || errno != EBADF)
		return 1;
	if (!is_allowed(TEST_SET_MP_STATE) || !is_allowed(TEST_SET_VCPU_EVENTS))
		return 2;
	return claim();
}

/* Nobody else locks anything. */
static int work_claims(void)
{
	enter(MACHINE_THREAD_MAIN);
	return claim();
}

/* A debugger connects, and writes code, which takes a system call on Arm. */
static int work_debugger(void)
{
	static char code[64];

	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .debugger = true });
	__builtin___clear_cache(code, code + sizeof(code));
	return accept4(-1, NULL, NULL, SOCK_CLOEXEC) != -1 || errno != EBADF;
}

/* A socket that listens before, and connections to it afterwards. */
static int work_network(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client, accepted;
	socklen_t len = sizeof(a);
	char byte = 0;

	if (bind(server, (struct sockaddr *)&a, sizeof(a)) || listen(server, 1) ||
	    getsockname(server, (struct sockaddr *)&a, &len))
		return 1;
	enter(MACHINE_THREAD_NET);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client < 0 || connect(client, (struct sockaddr *)&a, sizeof(a)))
		return 2;
	accepted = accept(server, NULL, NULL);
	if (accepted < 0 || send(client, "x", 1, 0) != 1 || recv(accepted, &byte, 1, 0) != 1)
		return 3;
	return byte == 'x' && !fcntl(accepted, F_SETFL, O_NONBLOCK) ? 0 : 4;
}

/*
 * The limit on files bounds connections, whatever is open already, also with high numbers; memory
 * has its own limit.
 */
static int work_bounded(void)
{
	struct sandbox_params params = { .net = true, .files = 20, .data = 16u << 20 };
	int high = fcntl(0, F_DUPFD_CLOEXEC, 500);
	unsigned int nr = 0;
	void *p;

	enter_with(MACHINE_THREAD_NET, params);
	while (nr < 1000 && socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0)
		nr++;
	if (nr != 20 || errno != EMFILE || high < 500 || fcntl(high, F_GETFD) < 0)
		return 1;
	p = mmap(NULL, 32u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED && errno == ENOMEM ? 0 : 2;
}

#include "nbd_work.h"
#include "vsock_work.h"

static void test_work(void)
{
	KTAP_EQ(in_child(work_disk), 0);
	KTAP_EQ(in_child(work_vcpu), 0);
	KTAP_EQ(in_child(work_flash), 0);
	KTAP_EQ(in_child(work_main), 0);
	KTAP_EQ(in_child(work_control_serve), 0);
	KTAP_EQ(in_child(work_control_make), VIOLATION);
	KTAP_EQ(in_child(work_save), 0);
	KTAP_EQ(in_child(work_save_sets), VIOLATION);
	KTAP_EQ(in_child(work_restore), 0);
	KTAP_EQ(in_child(work_restore_reads), VIOLATION);
	KTAP_EQ(in_child(work_lazy), 0);
	KTAP_EQ(in_child(work_lazy_registers), 0);
	KTAP_EQ(in_child(work_disk_of_lazy), VIOLATION);
	KTAP_EQ(in_child(work_not_lazy), VIOLATION);
	KTAP_EQ(in_child(work_send), 0);
	KTAP_EQ(in_child(work_metrics), 0);
	KTAP_EQ(in_child(work_no_metrics), VIOLATION);
	KTAP_EQ(in_child(work_send_fails), 0);
	KTAP_EQ(in_child(work_incoming), 0);
	KTAP_EQ(in_child(work_claims), VIOLATION);
	KTAP_EQ(in_child(work_debugger), 0);
}

static int work_look(void)
{
	struct stat st;

	enter(MACHINE_THREAD_NET);
	/* Landlock or the empty root forbids it, whichever the host has. */
	if (open("/proc/self/maps", O_RDONLY | O_CLOEXEC) >= 0)
		return 1;
	if (open("/bin", O_RDONLY | O_CLOEXEC) >= 0)
		return 2;
	return !stat("/etc", &st) && open("/etc", O_RDONLY | O_CLOEXEC) < 0 ? 3 : 0;
}

/* access() is not used: libslirp uses stat(). */
static int work_stat(void)
{
	struct stat st;
	int fd;

	enter(MACHINE_THREAD_NET);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 1;
	return stat("/etc/resolv.conf", &st) && errno != ENOENT && errno != EACCES ? 2 : 0;
}

static void test_network(void)
{
	KTAP_EQ(in_child(work_stat), 0);
	KTAP_EQ(in_child(work_look), 0);
	KTAP_EQ(in_child(work_network), 0);
	KTAP_EQ(in_child(work_bounded), 0);
}

/* ---- What other processes see of it ---- */

struct held {
	pid_t pid;
	int go;		/* closed: it ends */
};

static bool hold(struct held *held, const struct sandbox_params *params)
{
	int ready[2], go[2];
	char byte = 0;

	if (pipe(ready) || pipe(go))
		return false;
	held->pid = fork();
	if (!held->pid) {
		struct sandbox *sandbox;
		struct error err;

		close(go[1]);
		if (sandbox_enter(&sandbox, params, &err))
			quit(1);
		if (write(ready[1], "r", 1) != 1 || read(go[0], &byte, 1) < 0)
			quit(1);
		quit(0);
	}
	close(go[0]);
	close(ready[1]);
	held->go = go[1];
	if (read(ready[0], &byte, 1) != 1)
		byte = 0;
	close(ready[0]);
	return byte == 'r';
}

static void let_go(struct held *held)
{
	int status;

	close(held->go);
	waitpid(held->pid, &status, 0);
	KTAP_EQ(status, 0);
}

static void status_line(pid_t pid, const char *field, char *value, size_t size)
{
	char path[32], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	*value = '\0';
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, field, strlen(field)) && line[strlen(field)] == ':')
			snprintf(value, size, "%s", line + strlen(field) + 2);
	value[strcspn(value, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void test_status(void)
{
	struct sandbox_params params = { .note = note_it };
	struct held held;
	char value[128];

	KTAP_ASSERT(hold(&held, &params));
	status_line(held.pid, "NoNewPrivs", value, sizeof(value));
	KTAP_STREQ(value, "1");
	status_line(held.pid, "Seccomp", value, sizeof(value));
	KTAP_STREQ(value, "2");
	for (unsigned int i = 0; i < 4; i++) {
		static const char *const set[] = { "CapInh", "CapPrm", "CapEff", "CapAmb" };

		status_line(held.pid, set[i], value, sizeof(value));
		KTAP_STREQ(value, "0000000000000000");
	}
	if (!geteuid()) {
		status_line(held.pid, "CapBnd", value, sizeof(value));
		KTAP_STREQ(value, "0000000000000000");
		status_line(held.pid, "Groups", value, sizeof(value));
		KTAP_STREQ(value, " ");
	}
	let_go(&held);
}

static void test_limits(void)
{
	struct sandbox_params params = { .note = no_note };
	struct rlimit limit;
	struct held held;

	KTAP_ASSERT(hold(&held, &params));
	KTAP_EQ(prlimit(held.pid, RLIMIT_NOFILE, NULL, &limit), 0);
	KTAP_TRUE(limit.rlim_max <= 255 + LIMITS_FILES && limit.rlim_cur == limit.rlim_max);
	KTAP_EQ(prlimit(held.pid, RLIMIT_DATA, NULL, &limit), 0);
	KTAP_TRUE(limit.rlim_max != RLIM_INFINITY);
	KTAP_EQ(prlimit(held.pid, RLIMIT_MSGQUEUE, NULL, &limit), 0);
	KTAP_EQ(limit.rlim_max, 0);
	let_go(&held);
}

#define PINNED (32u << 20)

static int work_raise(void)
{
	struct rlimit limit = { PINNED + LIMITS_PINNED, PINNED + LIMITS_PINNED }, before;

	return getrlimit(RLIMIT_MEMLOCK, &before) ||
	       (before.rlim_max < limit.rlim_max && setrlimit(RLIMIT_MEMLOCK, &limit));
}

/* A host that pins guest memory: the limit has to allow what CAP_IPC_LOCK did. */
static void test_pinned(void)
{
	struct sandbox_params params = { .note = no_note, .pinned = PINNED };
	struct rlimit limit, before;
	struct held held;

	KTAP_EQ(getrlimit(RLIMIT_MEMLOCK, &before), 0);
	KTAP_ASSERT(hold(&held, &params));
	KTAP_EQ(prlimit(held.pid, RLIMIT_MEMLOCK, NULL, &limit), 0);
	/* Root in a container may not raise it either. */
	if (!in_child(work_raise))
		KTAP_TRUE(limit.rlim_cur >= PINNED + LIMITS_PINNED);
	else
		KTAP_EQ(limit.rlim_cur, before.rlim_max);
	let_go(&held);
}

/* A host that has none of it: each missing part is reported, and the rest is in force. */
static char missing[1024];

static void note_missing(void *opaque, const char *text)
{
	strncat(missing, text, sizeof(missing) - strlen(missing) - 1);
	strncat(missing, "\n", sizeof(missing) - strlen(missing) - 1);
}

static bool poor_host(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	return ctx && !seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 0) &&
	       !seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), 444, 0) &&
	       !seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
				 SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP)) &&
	       !seccomp_load(ctx);
}

static int work_poor(void)
{
	static const char *const told[] = {
		"sandbox: goes on without what this host does not give: namespaces: Operation not permitted\n",
		"sandbox: goes on without what this host does not give: Landlock: Function not implemented\n",
		"sandbox: goes on without what this host does not give: filters of system calls (seccomp): Invalid argument\n",
	};
	struct sandbox_params params = { .note = note_missing };
	struct sandbox *sandbox;
	struct error err = { "" };
	size_t all = 0;

	if (!poor_host() || sandbox_enter(&sandbox, &params, &err))
		return 1;
	sandbox_enter_thread(sandbox, MACHINE_THREAD_VCPU);
	for (unsigned int i = 0; i < NR(told); i++) {
		if (!strstr(missing, told[i]))
			return 2;
		all += strlen(told[i]);
	}
	if (strlen(missing) != all)
		return 3;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 4;
}

static void test_poor_host(void)
{
	KTAP_EQ(in_child(work_poor), 0);
}

/* Another process of the same user, without privilege. */
static pid_t traced;

static int work_trace(void)
{
	if (setresgid(65533, 65533, 65533) || setresuid(65534, 65534, 65534))
		return 1;
	prctl(PR_SET_DUMPABLE, 1);
	return ptrace(PTRACE_SEIZE, traced, 0, 0) ? errno : 0;
}

static void test_user(void)
{
	struct sandbox_params params = { .note = no_note };
	struct error err = { "" };
	struct held held;
	char value[128];

	KTAP_EQ(sandbox_find_user(&params, "no-such-user", &err), -ENOENT);
	KTAP_STREQ(err.text, "--user no-such-user: there is no such user");
	if (geteuid()) {
		KTAP_EQ(sandbox_find_user(&params, "root", &err), -EPERM);
		KTAP_STREQ(err.text, "--user root: root alone may become another user");
		return;
	}
	params.change_user = true;
	params.uid = 65534;
	params.gid = 65533;
	KTAP_ASSERT(hold(&held, &params));
	status_line(held.pid, "Uid", value, sizeof(value));
	KTAP_STREQ(value, "65534\t65534\t65534\t65534");
	status_line(held.pid, "Gid", value, sizeof(value));
	KTAP_STREQ(value, "65533\t65533\t65533\t65533");
	traced = held.pid;
	KTAP_EQ(in_child(work_trace), EPERM);
	let_go(&held);
}

/* ---- The filters' cost ---- */

/* Of an ioctl() with @request; @foreign: by another machine's numbers. */
static uint32_t of_ioctl(enum machine_thread kind, uint32_t request, bool foreign,
			 unsigned int *steps)
{
	struct sandbox_params params = { .note = no_note };
	struct seccomp_data data = {
		.arch = seccomp_arch_native() ^ foreign, .nr = SYS_ioctl, .args = { 5, request },
	};
	struct error err = { "" };
	struct sock_fprog prog;
	uint32_t answer;

	*steps = 0;
	if (filter_make(&prog, kind, &params, &err)) {
		KTAP_FAIL("%s", err.text);
		return 0;
	}
	answer = interpret(&prog, &data, steps);
	free(prog.filter);
	return answer;
}

/* Each exit of a guest to user space pays for KVM_RUN in two filters. */
static void test_run_is_cheap(void)
{
	static const enum machine_thread runs[] = { MACHINE_THREAD_MAIN, MACHINE_THREAD_VCPU };
	static const enum machine_thread not[] = { MACHINE_THREAD_DISK, MACHINE_THREAD_NET };
	unsigned int steps;

	for (unsigned int i = 0; i < 2; i++) {
		KTAP_EQ(of_ioctl(runs[i], 0xae80, false, &steps), SECCOMP_RET_ALLOW);
		KTAP_TRUE(steps <= 7);
		KTAP_TRUE(of_ioctl(runs[i], 0xae80, true, &steps) != SECCOMP_RET_ALLOW);
		KTAP_TRUE(of_ioctl(runs[i], 0xae81, false, &steps) != SECCOMP_RET_ALLOW);
		KTAP_TRUE(of_ioctl(runs[i], 0xae, false, &steps) != SECCOMP_RET_ALLOW);
		/* What came first before still comes. */
		KTAP_EQ(of_ioctl(runs[i], 0xae61, false, &steps), SECCOMP_RET_ALLOW);
		KTAP_TRUE(of_ioctl(not[i], 0xae80, false, &steps) != SECCOMP_RET_ALLOW);
	}
}

/* So does an interrupt of a device, in any thread, and a register's new value. */
static void test_often_is_cheap(void)
{
	static const enum machine_thread kinds[] = {
		MACHINE_THREAD_MAIN, MACHINE_THREAD_VCPU, MACHINE_THREAD_DISK,
	};
	static const uint32_t requests[] = { 0x4008ae61, 0x4018af01 };
	unsigned int steps;

	for (unsigned int i = 0; i < 3; i++) {
		for (unsigned int n = 0; n < 2; n++) {
			KTAP_EQ(of_ioctl(kinds[i], requests[n], false, &steps),
				SECCOMP_RET_ALLOW);
			KTAP_TRUE(steps <= 9);
			KTAP_TRUE(of_ioctl(kinds[i], requests[n], true, &steps) !=
				  SECCOMP_RET_ALLOW);
			/* Another direction or size has the old way, whatever that says. */
			of_ioctl(kinds[i], requests[n] ^ 0x80000000, false, &steps);
			KTAP_TRUE(steps > 9);
		}
		/* None of the numbers beside them comes with them. */
		KTAP_TRUE(of_ioctl(kinds[i], 0x4018af02, false, &steps) != SECCOMP_RET_ALLOW);
		KTAP_TRUE(of_ioctl(kinds[i], 0x4018af00, false, &steps) != SECCOMP_RET_ALLOW);
	}
	for (unsigned int n = 0; n < 2; n++)
		KTAP_TRUE(of_ioctl(MACHINE_THREAD_NET, requests[n], false, &steps) !=
			  SECCOMP_RET_ALLOW);
}

/* What posts writes and answers reads is allowed, and no other driver's ioctl with it. */
static void test_posted_alone(void)
{
	static const uint32_t whole[] = {
		ARMVMM_SET_MIRROR, KVM_REGISTER_COALESCED_MMIO, KVM_UNREGISTER_COALESCED_MMIO,
	};
	static const enum machine_thread kinds[] = {
		MACHINE_THREAD_MAIN, MACHINE_THREAD_VCPU, MACHINE_THREAD_DISK,
	};
	unsigned int steps;

	for (unsigned int n = 0; n < 3; n++) {
		for (unsigned int i = 0; i < 3; i++) {
			KTAP_EQ(of_ioctl(kinds[i], whole[n], false, &steps), SECCOMP_RET_ALLOW);
			/* 0xaf01 is VHOST_SET_OWNER. */
			KTAP_TRUE(of_ioctl(kinds[i], whole[n] & 0xffff, false, &steps) !=
				  SECCOMP_RET_ALLOW);
			KTAP_TRUE(of_ioctl(kinds[i], whole[n] ^ 0x80000000, false, &steps) !=
				  SECCOMP_RET_ALLOW);
		}
		KTAP_TRUE(of_ioctl(MACHINE_THREAD_NET, whole[n], false, &steps) !=
			  SECCOMP_RET_ALLOW);
	}
}

KTAP_MAIN(KTAP_CASE(test_forbidden_main), KTAP_CASE(test_forbidden_net),
	  KTAP_CASE(test_forbidden_dial), KTAP_CASE(test_nbd), KTAP_CASE(test_forbidden_vsock),
	  KTAP_CASE(test_vsock), KTAP_CASE(test_vhost), KTAP_CASE(test_vhost_user),
	  KTAP_CASE(test_forbidden_vcpu), KTAP_CASE(test_forbidden_disk),
	  KTAP_CASE(test_forbidden_main_widest), KTAP_CASE(test_forbidden_disk_widest),
	  KTAP_CASE(test_forbidden_vcpu_widest), KTAP_CASE(test_forbidden_lazy),
	  KTAP_CASE(test_names_the_call),
	  KTAP_CASE(test_work), KTAP_CASE(test_network), KTAP_CASE(test_status),
	  KTAP_CASE(test_limits), KTAP_CASE(test_pinned), KTAP_CASE(test_poor_host),
	  KTAP_CASE(test_user), KTAP_CASE(test_run_is_cheap), KTAP_CASE(test_often_is_cheap),
	  KTAP_CASE(test_posted_alone))

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into armvmm-run or QEMU: makes the world under it different.
 *	SHIM=version	/dev/armvmm speaks version 11 of the ABI
 *	SHIM=part	each entry is to a CPU of another part than the vCPU
 *	SHIM=hole	the host takes 16 MiB of the guest's memory, at 64 MiB, away
 *	SHIM=attack	somebody has taken over the thread SHIM_THREAD (main, vcpu, disk, net-user),
 *			and tries SHIM_CALL; what comes of it, if the thread lives, goes to stderr
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/armvmm.h>
#include <linux/kvm.h>

/* Read before main(): the process of a network clears its environment. */
static char shim_what[16], shim_thread[16], shim_call[16];

static void shim_get(const char *name, char *value, size_t size)
{
	const char *is = getenv(name);

	snprintf(value, size, "%s", is ? is : "");
}

__attribute__((constructor)) static void shim_start(void)
{
	shim_get("SHIM", shim_what, sizeof(shim_what));
	shim_get("SHIM_THREAD", shim_thread, sizeof(shim_thread));
	shim_get("SHIM_CALL", shim_call, sizeof(shim_call));
}

/* ---- A thread that was taken over ---- */

static long attack_call(const char *call)
{
	static char *const no_args[] = { NULL };

	if (!strcmp(call, "execve"))
		return syscall(SYS_execve, "/bin/sh", no_args, no_args);
	if (!strcmp(call, "fork"))
		return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!strcmp(call, "openat"))
		return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
	if (!strcmp(call, "socket"))
		return syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
	if (!strcmp(call, "bind"))
		return syscall(SYS_bind, 3, NULL, 0);
	if (!strcmp(call, "kill"))
		return syscall(SYS_kill, 1, 0);
	if (!strcmp(call, "mprotect"))
		return syscall(SYS_mprotect, (unsigned long)attack_call & ~4095ul, 4096,
			       PROT_READ | PROT_WRITE | PROT_EXEC);
	if (!strcmp(call, "ioctl"))
		return syscall(SYS_ioctl, 3, KVM_GET_DIRTY_LOG, 0);
	return 0;
}

static void attack(const char *kind)
{
	const char *call = shim_call;
	char line[80], name[16] = "";
	long ret;

	if (strcmp(shim_what, "attack") || strcmp(shim_thread, kind))
		return;
	prctl(PR_GET_NAME, name);
	if (strcmp(kind, "main") && strncmp(name, kind, 4))
		return;
	ret = attack_call(call);
	snprintf(line, sizeof(line), "attack: %s in %s: %s\n", call, name,
		 ret < 0 ? strerror(errno) : "succeeded");
	syscall(SYS_write, STDERR_FILENO, line, strlen(line));
	syscall(SYS_exit_group, 77);
}

/* A disk's worker waits here after it was confined; its name was set before. */
int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	static int (*real)(pthread_cond_t *cond, pthread_mutex_t *mutex);

	attack("disk");
	if (!real)
		real = dlsym(RTLD_NEXT, "pthread_cond_wait");
	return real(cond, mutex);
}

/* The main loop, which runs when the guest already does. */
int g_main_context_iteration(void *context, int may_block);
int g_main_context_iteration(void *context, int may_block)
{
	static int (*real)(void *context, int may_block);

	attack("main");
	if (!real)
		real = dlsym(RTLD_NEXT, "g_main_context_iteration");
	return real(context, may_block);
}

/* The process of a network, when it serves. */
int poll(struct pollfd *fds, nfds_t nr, int timeout)
{
	static int (*real)(struct pollfd *fds, nfds_t nr, int timeout);

	attack("net-user");
	if (!real)
		real = dlsym(RTLD_NEXT, "poll");
	return real(fds, nr, timeout);
}

/* ---- Another hypervisor, another host ---- */

int __ioctl_time64(int fd, unsigned long request, ...);
int ioctl(int fd, unsigned long request, ...) __attribute__((alias("__ioctl_time64")));

/* With 64-bit times, the linker binds a program's ioctl() to this. QEMU's times are of 32 bits. */
int __ioctl_time64(int fd, unsigned long request, ...)
{
	static int (*real)(int fd, unsigned long request, ...);
	const char *what = shim_what;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (!real)
		real = dlsym(RTLD_NEXT, "ioctl");
	if (!strcmp(what, "version") && request == KVM_GET_API_VERSION)
		return 11;
	if (!strcmp(what, "part") && request == KVM_RUN) {
		struct kvm_run *run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		if (run == MAP_FAILED)
			return -1;
		run->exit_reason = KVM_EXIT_FAIL_ENTRY;
		run->fail_entry.hardware_entry_failure_reason = ARMVMM_FAIL_ENTRY_OTHER_PART;
		run->fail_entry.cpu = 1;
		munmap(run, 4096);
		return 0;
	}
	if (request == KVM_RUN)
		attack("vcpu");
	if (!strcmp(what, "hole") && request == KVM_SET_USER_MEMORY_REGION) {
		struct kvm_userspace_memory_region *r = arg;

		munmap((void *)(unsigned long)(r->userspace_addr + (64 << 20)), 16 << 20);
	}
	return real(fd, request, arg);
}

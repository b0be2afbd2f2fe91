/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls that no thread may make, or not each. For test_sandbox.c, after the headers that it has. */
#ifndef SANDBOX_FORBIDDEN_H
#define SANDBOX_FORBIDDEN_H

struct forbidden {
	const char *name;
	long nr;
	long arg[6];
};

#define CALL(name, ...) { #name, SYS_##name, { __VA_ARGS__ } }
#define A(pointer) ((long)(intptr_t)(pointer))

static char *const no_args[] = { NULL };
static const struct sigaction act;
static const struct rlimit limit = { 0, 0 };

/* Arguments that would do harm if the calls were allowed. */
static const struct forbidden forbidden[] = {
	CALL(execve, A("/bin/sh"), A(no_args), A(no_args)),
	CALL(execveat, AT_FDCWD, A("/bin/sh"), A(no_args), A(no_args), 0),
	{ "clone of a process", SYS_clone, { SIGCHLD } },
	{ "clone3", SYS_clone3, { 0, 0 } },
	CALL(unshare, CLONE_NEWUSER),
	CALL(setns, 0, 0),
	CALL(mount, A("none"), A("/"), A("tmpfs"), 0, 0),
	CALL(umount2, A("/"), 2),
	CALL(pivot_root, A("/"), A("/")),
	CALL(chroot, A("/")),
	CALL(ptrace, 16, 1, 0, 0),
	CALL(process_vm_readv, 1, 0, 0, 0, 0, 0),
	CALL(process_vm_writev, 1, 0, 0, 0, 0, 0),
	CALL(kcmp, 1, 1, 0, 0, 0),
	CALL(kill, 1, 0),
	{ "tgkill of another", SYS_tgkill, { 1, 1, 0 } },
	CALL(tkill, 1, 0),
	CALL(pidfd_open, 1, 0),
	CALL(setuid, 0),
	CALL(setresuid, 0, 0, 0),
	CALL(setgid, 0),
	CALL(setgroups, 0, 0),
	CALL(capset, 0, 0),
	CALL(bpf, 0, 0, 0),
	CALL(perf_event_open, 0, 0, -1, -1, 0),
	CALL(userfaultfd, 1),
	CALL(io_uring_setup, 1, 0),
	CALL(keyctl, 0, 0, 0, 0, 0),
	CALL(add_key, 0, 0, 0, 0, 0),
	CALL(init_module, 0, 0, 0),
	CALL(kexec_load, 0, 0, 0, 0),
	CALL(reboot, 0, 0, 0, 0),
	CALL(swapon, A("/"), 0),
	CALL(sethostname, A("x"), 1),
	CALL(settimeofday, 0, 0),
	CALL(unlinkat, AT_FDCWD, A("/etc/passwd"), 0),
	CALL(mkdirat, AT_FDCWD, A("/tmp/sandboxed"), 0700),
	CALL(fchmodat, AT_FDCWD, A("/etc/passwd"), 0666),
	CALL(memfd_create, A("code"), 0),
	CALL(personality, 0),
	{ "openat to write", SYS_openat, { AT_FDCWD, A("/tmp/sandboxed"), O_WRONLY | O_CREAT, 0600 } },
	{ "socket of AF_PACKET", SYS_socket, { AF_PACKET, SOCK_RAW, 0 } },
	{ "ioctl TIOCSTI", SYS_ioctl, { 0, 0x5412, A("x") } },
	{ "ioctl of an unknown kind", SYS_ioctl, { 0, 0x1234, 0 } },
	{ "mprotect of code", SYS_mprotect, { 0, 0, PROT_READ | PROT_EXEC } },
	{ "prctl PR_SET_MM", SYS_prctl, { 35, 0, 0, 0, 0 } },
	{ "prlimit64 that sets", SYS_prlimit64, { 0, RLIMIT_NOFILE, A(&limit), 0 } },
	{ "prlimit64 of another", SYS_prlimit64, { 1, RLIMIT_NOFILE, 0, 0 } },
	/* Who replaces the handler could go on trying. */
	{ "rt_sigaction of SIGSYS", SYS_rt_sigaction, { SIGSYS, A(&act), 0, 8 } },
#ifdef __LP64__
	{ "rt_sigaction of 2^32 + SIGSYS", SYS_rt_sigaction, { 1l << 32 | SIGSYS, A(&act), 0, 8 } },
#endif
	{ "sched_setaffinity of another", SYS_sched_setaffinity, { 1, 0, 0 } },
	{ "fcntl F_SETOWN", SYS_fcntl, { 0, F_SETOWN, 1 } },
	{ "ftruncate", SYS_ftruncate, { 0, 0 } },
	{ "ioctl KVM_GET_DIRTY_LOG", SYS_ioctl, { 0, 0x4010ae42, 0 } },
	{ "ioctl SIOCOUTQ", SYS_ioctl, { 0, 0x5411, 0 } },
	{ "ioctl KVM_SET_GUEST_DEBUG", SYS_ioctl, { 0, 0x4048ae9b, 0 } },
#ifdef __arm__
	{ "mmap2 of code", SYS_mmap2, { 0, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 } },
#else
	{ "mmap of code", SYS_mmap, { 0, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 } },
#endif
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* Calls that the main thread may make, and others may not. */
static const struct forbidden others_forbidden[] = {
	{ "rt_sigaction", SYS_rt_sigaction, { SIGUSR2, A(&act), 0, 8 } },
	{ "eventfd2", SYS_eventfd2, { 0, 0 } },
	{ "fcntl", SYS_fcntl, { 0, F_GETFL } },
	{ "sched_setaffinity", SYS_sched_setaffinity, { 0, 0, 0 } },
	{ "ioctl KVM_CREATE_VM", SYS_ioctl, { 0, 0xae01, 0 } },
	{ "ioctl KVM_SET_USER_MEMORY_REGION", SYS_ioctl, { 0, 0x4020ae46, 0 } },
	{ "ioctl ARMVMM_UNPIN", SYS_ioctl, { 0, 0x4010af02, 0 } },
	{ "ioctl KVM_SET_ONE_REG", SYS_ioctl, { 0, 0x4010aeac, 0 } },
	{ "ioctl TIOCGPGRP", SYS_ioctl, { 0, 0x540f, 0 } },
};

/* A machine without --net user needs no sockets. */
static const struct forbidden socket_calls[] = {
	CALL(socket, AF_INET, SOCK_DGRAM, 0),
	CALL(connect, 0, 0, 0),
	CALL(bind, 0, 0, 0),
	CALL(listen, 0, 1),
	CALL(accept4, 0, 0, 0, 0),
	{ "sendto an address", SYS_sendto, { 0, 0, 0, 0, A(no_args), 16 } },
	CALL(sendmsg, 0, 0, 0),
	CALL(recvmsg, 0, 0, 0),
	CALL(shutdown, 0, 2),
	CALL(setsockopt, 0, 0, 0, 0, 0),
};

/* A vCPU has no files, and a disk thread runs no guest. */
static const struct forbidden files[] = {
	CALL(pread64, 0, 0, 0, 0),
	CALL(pwritev, 0, 0, 0, 0, 0),
	CALL(pwrite64, 0, 0, 0, 0),
	CALL(fdatasync, 0),
	{ "clone of a thread", SYS_clone, { CLONE_VM | CLONE_SIGHAND | CLONE_THREAD } },
	{ "ioctl BLKDISCARD", SYS_ioctl, { 0, 0x1277, 0 } },
};

static const struct forbidden runs[] = {
	{ "ioctl KVM_RUN", SYS_ioctl, { 0, 0xae80, 0 } },
	{ "ioctl KVM_GET_ONE_REG", SYS_ioctl, { 0, 0x4010aeab, 0 } },
	{ "prlimit64 that asks", SYS_prlimit64, { 0, RLIMIT_NOFILE, 0, 0 } },
};

/* Its sockets speak IP, and those that listen are opened before. It has nothing of the guest's. */
static const struct forbidden net_forbidden[] = {
	{ "socket of AF_NETLINK", SYS_socket, { AF_NETLINK, SOCK_RAW, 0 } },
	{ "socket of AF_ALG", SYS_socket, { AF_ALG, SOCK_SEQPACKET, 0 } },
	{ "socket of AF_VSOCK", SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 } },
	{ "socket of AF_UNIX", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 } },
	CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, 0),
	CALL(bind, 0, 0, 0),
	CALL(listen, 0, 1),
	CALL(fdatasync, 0),
	CALL(fallocate, 0, 0, 0, 0),
	CALL(eventfd2, 0, 0),
	CALL(timerfd_settime, 0, 0, 0, 0),
	CALL(rt_sigaction, SIGSYS, A(&act), 0, 8),
	CALL(wait4, -1, 0, 0, 0),
	{ "ioctl KVM_IRQ_LINE", SYS_ioctl, { 0, 0x4008ae61, 0 } },
	{ "ioctl KVM_CREATE_VM", SYS_ioctl, { 0, 0xae01, 0 } },
	{ "ioctl TCSETS", SYS_ioctl, { 0, 0x5402, 0 } },
	{ "ioctl SIOCSIFFLAGS", SYS_ioctl, { 0, 0x8914, 0 } },
	{ "prctl PR_SET_PDEATHSIG", SYS_prctl, { 1, 0 } },
};

/* The C library sets some when a thread is made. Returns one that is not allowed, or 0. */
static inline long other_signals(void)
{
	for (long i = 1; i < NSIG; i++)
		if (i != SIGSYS && syscall(SYS_rt_sigaction, i, 0, 0, 8))
			return i;
	return 0;
}

#endif

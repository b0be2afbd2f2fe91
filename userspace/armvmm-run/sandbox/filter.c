// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filters are made once. A thread loads its own when it starts, on top of the main thread's,
 * which it inherits: it may make only calls that both allow.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <linux/vhost.h>

#include "sandbox/filter.h"
#include "sandbox/sandbox.h"

/* Which threads may make a call. */
#define MAIN	(1u << MACHINE_THREAD_MAIN)
#define VCPU	(1u << MACHINE_THREAD_VCPU)
#define DISK	(1u << MACHINE_THREAD_DISK)
#define NET	(1u << MACHINE_THREAD_NET)
#define LAZY	(1u << MACHINE_THREAD_LAZY)
#define DIAL	(1u << MACHINE_THREAD_DIAL)
#define NBD	(1u << MACHINE_THREAD_NBD)
#define ALL	(MAIN | VCPU | DISK)	/* in the process that has the guest */
#define CONTROL	(1u << 8)	/* the main thread, with --control */
#define FLASH	(1u << 9)	/* vCPUs, with --flash or --firmware */
#define DEBUGGER (1u << 10)	/* the main thread, with --gdb */
#define RESTORE	(1u << 11)	/* the main thread, with --restore or --incoming */
#define INCOMING (1u << 12)	/* the main thread, with --incoming */
#define SENDER	(1u << 13)	/* disks' threads, one of which sends a guest, with --control */
#define METRICS	(1u << 14)	/* disks' threads, one of which writes statistics, with --metrics */
#define MISSING	(1u << 15)	/* the main thread, if it makes that thread (MACHINE_THREAD_LAZY) */
#define VSOCK	(1u << 16)	/* the main thread, with --vsock */
#define VHOST	(1u << 17)	/* vCPUs and the main thread, with vhost=on */
#define VHOST_MAIN (1u << 18)	/* the main thread, likewise */
#define VHOST_USER (1u << 19)	/* vCPUs and the main thread, with vhost-user */
#define CONSOLE	(1u << 20)	/* the main thread, with --serial or --console unix: */

enum filter_condition {
	ALWAYS,
	NO_EXEC,	/* its third argument has no PROT_EXEC */
	A_THREAD,	/* clone() of a thread, not of a process */
	TO_US,		/* its first argument is this process */
	OWN,		/* its first argument is 0, the thread that calls */
	ANOTHER_SIGNAL,	/* its first argument is not SIGSYS, which tells of a violation */
	ASKING,		/* prlimit64() on this process that sets nothing */
	CONNECTED,	/* sendto() without an address */
	FOR_READING,	/* its third argument opens an existing file for reading */
	IPV4,		/* socket() of AF_INET */
	IPV6,		/* and of AF_INET6 */
	UNIX,		/* and of AF_UNIX */
	LINGER,		/* setsockopt() of SO_LINGER */
};

/* Has the 32-bit and the 64-bit names: a machine has one of them, or both. */
static const struct {
	unsigned int who;
	enum filter_condition condition;
	const char *name[40];
} filter_calls[] = {
	/* The C library, in any thread; and the terminal's output, if it is a socket (send). */
	{ ALL | NET | LAZY | DIAL | NBD, ALWAYS,
	  { "read", "write", "readv", "writev", "close", "brk", "munmap", "madvise", "mremap",
	    "futex", "futex_time64", "clock_gettime", "clock_gettime64", "gettimeofday", "time",
	    "clock_nanosleep", "clock_nanosleep_time64", "nanosleep", "poll", "ppoll",
	    "ppoll_time64", "rt_sigreturn", "sigreturn", "rt_sigprocmask", "restart_syscall",
	    "exit", "exit_group", "gettid", "getpid", "sched_yield", "sched_getaffinity",
	    "set_robust_list", "rseq", "getrandom", "send" } },
	{ ALL | LAZY | NBD, CONNECTED, { "sendto" } },
	{ ALL | NET | LAZY | DIAL | NBD, NO_EXEC, { "mmap", "mmap2", "mprotect" } },
	{ ALL | NET | LAZY | DIAL | NBD, TO_US, { "tgkill" } },
	/* The alarm of the RTC; and what is posted (core/posted.h) is carried out by any thread. */
	{ ALL, ALWAYS, { "timerfd_settime", "timerfd_settime64" } },
	/* For the message about a vCPU that cannot run. */
	{ VCPU, ASKING, { "prlimit64" } },
	/* Disks, and threads for them. */
	{ DISK | MAIN, ALWAYS,
	  { "preadv", "pwritev", "pread64", "pwrite64", "fdatasync", "fallocate" } },
	/* What a vCPU reads of them is in the host's memory. */
	{ VCPU | DISK | MAIN, ALWAYS, { "preadv2" } },
	{ DISK | MAIN, A_THREAD, { "clone" } },
	/* Flash that the guest programs, and the kernel that firmware loads by fw_cfg. */
	{ FLASH, ALWAYS, { "pread64", "pwrite64" } },
	/* Snapshots that are read while the guest runs. */
	{ LAZY, ALWAYS, { "pread64" } },
	/*
	 * A reset reads the guest's software again; name servers are read again when they change.
	 */
	{ MAIN | NET, ALWAYS,
	  { "lseek", "_llseek", "fstat", "fstat64", "newfstatat", "fstatat64", "statx" } },
	/* The main loop, and the end of a process that a device started. */
	{ MAIN, ALWAYS, { "eventfd2", "getpgrp", "getpgid", "wait4" } },
	{ MAIN, ANOTHER_SIGNAL, { "rt_sigaction" } },
	/* vCPUs are made here. Each binds itself to the CPUs of one part before it is confined. */
	{ MAIN, OWN, { "sched_setaffinity" } },
	/* Clients of the control socket, and a disk's new size. */
	{ CONTROL, ALWAYS, { "accept4", "ftruncate", "ftruncate64" } },
	/* A file of statistics that begins anew; and is that of a dump empty? */
	{ METRICS, ALWAYS, { "ftruncate", "ftruncate64" } },
	{ METRICS | SENDER, ALWAYS, { "lseek", "_llseek" } },
	/* Files that they send, for snapshots. */
	{ CONTROL, ALWAYS, { "recvmsg" } },
	/*
	 * libslirp's sockets (those that listen exist already). It also looks whether the host has
	 * another name server.
	 */
	{ NET, IPV4, { "socket" } },
	{ NET, IPV6, { "socket" } },
	{ NET, ALWAYS,
	  { "connect", "accept", "accept4", "recv", "recvfrom",
	    "recvmsg", "sendto", "sendmsg", "shutdown", "getsockopt", "setsockopt", "getsockname",
	    "getpeername", "stat", "stat64" } },
	{ NET, FOR_READING, { "openat" } },
	/* Connections for a guest: found from the folder that is open already, and handed over. */
	{ DIAL, UNIX, { "socket" } },
	{ DIAL, ALWAYS, { "fchdir", "connect", "sendmsg" } },
	/* The connection to an NBD server, which exists already. */
	{ NBD, ALWAYS, { "recv", "recvfrom", "shutdown" } },
	/* Whether the rest is still sent when it ends. */
	{ NBD, LINGER, { "setsockopt" } },
	/* Those that come, or are handed over. */
	{ VSOCK, ALWAYS, { "accept4", "recvmsg", "shutdown" } },
	/* Queues and their eventfds, for another process; its answers are read. */
	{ VHOST_USER, ALWAYS, { "sendmsg" } },
	/* Those who come to a console. */
	{ CONSOLE, ALWAYS, { "accept4" } },
	/* Whoever sends a guest. */
	{ INCOMING, ALWAYS, { "accept4" } },
	/* What the host's cache has of the disks of a guest that comes, or comes back, is old. */
	{ CONTROL | INCOMING, ALWAYS, { "fadvise64", "arm_fadvise64_64" } },
	/*
	 * A debugger connects to the socket that listens already, and writes code (Arm's own call).
	 */
	{ DEBUGGER, ALWAYS, { "accept4", "cacheflush" } },
};

/* Requests of ioctl(). The filter compares the bits in @mask. */
#define KVM(nr)	(0xae00 | (nr)), 0xffff
#define WHOLE	~0u

static const struct {
	unsigned int request, mask;
	unsigned int who;
} filter_ioctls[] = {
	{ KVM(0x80), VCPU },		/* KVM_RUN */
	{ KVM(0x61), ALL },		/* KVM_IRQ_LINE */
	{ KVM(0xab), MAIN | VCPU },	/* KVM_GET_ONE_REG */
	/* Registers without exits: see core/posted.h. vhost has the low half of the first one. */
	{ 0x4018af01, WHOLE, ALL },	/* ARMVMM_SET_MIRROR */
	{ 0x4010ae67, WHOLE, ALL },	/* KVM_REGISTER_COALESCED_MMIO */
	{ 0x4010ae68, WHOLE, ALL },	/* KVM_UNREGISTER_COALESCED_MMIO */
	/* A balloon's pages, where the host pins them. */
	{ 0x4010af02, WHOLE, MAIN },	/* ARMVMM_UNPIN */
	/* A reset makes a VM anew. */
	{ KVM(0x00), MAIN },		/* KVM_GET_API_VERSION */
	{ KVM(0x01), MAIN },		/* KVM_CREATE_VM */
	{ KVM(0x03), MAIN },		/* KVM_CHECK_EXTENSION */
	{ KVM(0x04), MAIN },		/* KVM_GET_VCPU_MMAP_SIZE */
	{ KVM(0x41), MAIN },		/* KVM_CREATE_VCPU */
	{ KVM(0x46), MAIN | FLASH },	/* KVM_SET_USER_MEMORY_REGION */
	{ KVM(0x79), MAIN },		/* KVM_IOEVENTFD */
	{ KVM(0xa3), MAIN },		/* KVM_ENABLE_CAP */
	{ KVM(0xac), MAIN },		/* KVM_SET_ONE_REG */
	{ KVM(0xae), MAIN },		/* KVM_ARM_VCPU_INIT */
	{ KVM(0xaf), MAIN },		/* KVM_ARM_PREFERRED_TARGET */
	{ KVM(0xe0), MAIN },		/* KVM_CREATE_DEVICE */
	{ KVM(0xe1), MAIN },		/* KVM_SET_DEVICE_ATTR */
	{ KVM(0x98), DEBUGGER | CONTROL },	/* KVM_GET_MP_STATE */
	/* A snapshot, and its return. */
	{ KVM(0x42), SENDER },		/* KVM_GET_DIRTY_LOG */
	{ SIOCOUTQ, WHOLE, SENDER },	/* does what was sent still move? */
	{ KVM(0xb0), CONTROL },		/* KVM_GET_REG_LIST */
	{ KVM(0x9f), CONTROL },		/* KVM_GET_VCPU_EVENTS */
	{ KVM(0xe2), CONTROL | RESTORE },	/* KVM_GET_DEVICE_ATTR */
	{ KVM(0x99), RESTORE },		/* KVM_SET_MP_STATE */
	{ KVM(0xa0), RESTORE },		/* KVM_SET_VCPU_EVENTS */
	{ KVM(0x9b), DEBUGGER },	/* KVM_SET_GUEST_DEBUG */
	/* Memory that comes while the guest runs. */
	{ 0xc020aa00, WHOLE, MISSING },	/* UFFDIO_REGISTER */
	{ 0x8010aa01, WHOLE, MISSING | LAZY },	/* UFFDIO_UNREGISTER */
	{ 0x8010aa02, WHOLE, MISSING | LAZY },	/* UFFDIO_WAKE */
	{ 0xc028aa03, WHOLE, MISSING | LAZY },	/* UFFDIO_COPY */
	{ 0xc020aa04, WHOLE, MISSING | LAZY },	/* UFFDIO_ZEROPAGE */
	/* Queues that the host's kernel works on: at the start; when a driver starts, or ends. */
	{ VHOST_SET_OWNER, WHOLE, VHOST_MAIN },
	{ VHOST_SET_MEM_TABLE, WHOLE, VHOST_MAIN },
	{ VHOST_SET_VRING_CALL, WHOLE, VHOST_MAIN },
	{ VHOST_SET_VRING_ERR, WHOLE, VHOST_MAIN },
	{ VHOST_SET_VRING_KICK, WHOLE, VHOST_MAIN },
	{ VHOST_SET_FEATURES, WHOLE, VHOST },
	{ VHOST_SET_VRING_NUM, WHOLE, VHOST },
	{ VHOST_SET_VRING_BASE, WHOLE, VHOST },
	{ VHOST_GET_VRING_BASE, WHOLE, VHOST },
	{ VHOST_SET_VRING_ADDR, WHOLE, VHOST },
	{ VHOST_VSOCK_SET_RUNNING, WHOLE, VHOST },
	{ VHOST_NET_SET_BACKEND, WHOLE, VHOST },
	{ TUNSETVNETHDRSZ, WHOLE, VHOST },
	/* Asks whether it is a terminal, and gives it back, whichever thread dies. */
	{ TCGETS, WHOLE, ALL | LAZY | NBD }, { TCSETS, WHOLE, ALL | LAZY },
	{ TCFLSH, WHOLE, ALL | LAZY },
	/* TCGETS2 and TCSETS2, of newer C libraries. */
	{ 0x542a, 0xffff, ALL | LAZY | NBD }, { 0x542b, 0xffff, ALL | LAZY },
	{ TIOCGWINSZ, WHOLE, MAIN | VCPU }, { TIOCGPGRP, WHOLE, MAIN },
	{ FIONBIO, WHOLE, NET }, { FIONREAD, WHOLE, NET },
	{ SIOCGIFINDEX, WHOLE, NET },		/* a name server of a link: fe80::1%eth0 */
	{ TUNSETOFFLOAD, WHOLE, MAIN | VCPU },
	{ BLKGETSIZE64, WHOLE, MAIN },
	{ BLKDISCARD, WHOLE, DISK },
};

/* Commands of fcntl(): the node for a new VM, sockets that do not wait. */
static const unsigned int filter_fcntls[] = {
	F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
};

/* Locks of disks, which a guest that moves leaves and takes. */
static const unsigned int filter_locks[] = { F_OFD_SETLK };

static const char *const filter_fcntl_names[] = { "fcntl", "fcntl64" };

/* Requests of prctl(): a thread names itself, and takes a narrower filter. */
static const unsigned int filter_prctls[] = {
	PR_SET_NAME, PR_GET_NAME, PR_SET_SECCOMP,
	0x53564d41, /* PR_SET_VMA: malloc() names memory */
};

/* Calls that the C library tries, and does without once they fail. */
static const struct {
	const char *name;
	int error;
	unsigned int who;
} filter_refused[] = {
	/* Its flags are in memory, which no filter sees; the C library then uses clone(). */
	{ "clone3", ENOSYS, ALL | LAZY },
	/* malloc() asks how much the host overcommits, and accepts a failure. */
	{ "openat", EACCES, ALL | LAZY | DIAL | NBD },
	{ "open", EACCES, ALL | LAZY | DIAL | NBD },
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static int filter_add_socket(scmp_filter_ctx ctx, int nr, int family)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1, SCMP_A0(SCMP_CMP_EQ, family));
}

/*
 * All signals but SIGSYS, as the numbers that begin with the same bits: libseccomp compares 64
 * bits, of which the kernel takes 32.
 */
static const struct {
	unsigned int mask, value;
} filter_signals[] = {
	{ ~15u, 0 }, { ~7u, 16 }, { ~3u, 24 }, { ~1u, 28 }, { ~0u, 30 }, { ~31u, 32 }, { ~0u, 64 },
};
_Static_assert(SIGSYS == 31 && NSIG == 65, "filter_signals has other numbers");

static int filter_add_signals(scmp_filter_ctx ctx, int nr)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(filter_signals) / sizeof(filter_signals[0]); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
				       SCMP_A0(SCMP_CMP_MASKED_EQ, filter_signals[i].mask,
					       filter_signals[i].value));
	return ret;
}

static int filter_add_call(scmp_filter_ctx ctx, int nr, enum filter_condition condition)
{
	switch (condition) {
	case ANOTHER_SIGNAL:
		return filter_add_signals(ctx, nr);
	case NO_EXEC:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	case A_THREAD:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
					SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	case TO_US:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
					SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	case OWN:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1, SCMP_A0(SCMP_CMP_EQ, 0));
	case ASKING:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 2, SCMP_A0(SCMP_CMP_EQ, 0),
					SCMP_A2(SCMP_CMP_EQ, 0));
	case CONNECTED:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1, SCMP_A4(SCMP_CMP_EQ, 0));
	case FOR_READING:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ,
						O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	case IPV4:
		return filter_add_socket(ctx, nr, AF_INET);
	case IPV6:
		return filter_add_socket(ctx, nr, AF_INET6);
	case UNIX:
		return filter_add_socket(ctx, nr, AF_UNIX);
	case LINGER:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 2,
					SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET),
					SCMP_A2(SCMP_CMP_EQ, SO_LINGER));
	default:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
	}
}

/* Skips names of calls that this machine lacks. An unknown name is an error. */
static int filter_number(const char *name, int *nr)
{
	*nr = seccomp_syscall_resolve_name(name);
	return *nr == __NR_SCMP_ERROR ? -ENOENT : 0;
}

static int filter_add_calls(scmp_filter_ctx ctx, unsigned int who, struct error *err)
{
	int nr, ret;

	for (unsigned int i = 0; i < NR(filter_calls); i++) {
		const char *const *name = filter_calls[i].name;

		for (; filter_calls[i].who & who && *name; name++) {
			ret = filter_number(*name, &nr);
			if (!ret && nr >= 0)
				ret = filter_add_call(ctx, nr, filter_calls[i].condition);
			if (ret)
				return error_errno(err, ret, "sandbox: system call %s", *name);
		}
	}
	return 0;
}

/* Allows @call with one of @nr values for its argument @arg. */
static int filter_add_values(scmp_filter_ctx ctx, int call, unsigned int arg,
			     const unsigned int *value, unsigned int nr)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < nr; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
				       SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, ~0u, value[i]));
	return ret;
}

static int filter_add(scmp_filter_ctx ctx, unsigned int who, struct error *err)
{
	int nr, ret = filter_add_calls(ctx, who, err);

	if (ret)
		return ret;
	for (unsigned int i = 0; !ret && i < NR(filter_refused); i++) {
		if (!(filter_refused[i].who & who))
			continue;
		/*
		 * An older libseccomp does not know clone3: skip it. The filter then kills that
		 * call.
		 */
		if (filter_number(filter_refused[i].name, &nr) || nr < 0)
			continue;
		ret = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(filter_refused[i].error), nr, 0);
	}
	/* if_nametoindex() tries AF_UNIX first, and goes on to AF_INET. */
	if (!ret && who & NET)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
				       SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	for (unsigned int i = 0; !ret && i < NR(filter_ioctls); i++)
		if (filter_ioctls[i].who & who)
			ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
					       SCMP_A1(SCMP_CMP_MASKED_EQ, filter_ioctls[i].mask,
						       filter_ioctls[i].request));
	if (!ret)
		ret = filter_add_values(ctx, SCMP_SYS(prctl), 0, filter_prctls, NR(filter_prctls));
	for (unsigned int i = 0; !ret && i < NR(filter_fcntl_names) && who & (MAIN | NET | NBD);
	     i++)
		if (!filter_number(filter_fcntl_names[i], &nr) && nr >= 0)
			ret = filter_add_values(ctx, nr, 1, filter_fcntls, NR(filter_fcntls));
	who &= CONTROL | INCOMING;
	for (unsigned int i = 0; !ret && who && i < NR(filter_fcntl_names); i++)
		if (!filter_number(filter_fcntl_names[i], &nr) && nr >= 0)
			ret = filter_add_values(ctx, nr, 1, filter_locks, NR(filter_locks));
	return ret ? error_errno(err, ret, "sandbox: filter of system calls") : 0;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FILTER_ARG_LOW(n)	offsetof(struct seccomp_data, args[n])
#else
#define FILTER_ARG_LOW(n)	(offsetof(struct seccomp_data, args[n]) + 4)
#endif

/*
 * The requests of ioctl() that a running guest causes, as whole numbers. For each of them the host
 * interprets two filters, the main thread's and the thread's own. So they come before all that
 * libseccomp made: it compares a call's arguments in an order of its own.
 */
static const struct {
	unsigned int request;
	unsigned int who;
} filter_often[] = {
	{ 0xae80, VCPU },		/* KVM_RUN */
	{ 0x4008ae61, ALL },		/* KVM_IRQ_LINE */
	{ 0x4018af01, ALL },		/* ARMVMM_SET_MIRROR */
};

#define FILTER_OFTEN_MAX	(6 + NR(filter_often))

/* Returns the length of what is put at @at. */
static size_t filter_put_often(struct sock_filter at[FILTER_OFTEN_MAX], unsigned int who)
{
	unsigned int often[NR(filter_often)], nr = 0, len = 0;

	for (unsigned int i = 0; i < NR(filter_often); i++)
		if (filter_often[i].who & who)
			often[nr++] = filter_often[i].request;
	if (!nr)
		return 0;
	/* A jump's two numbers are the instructions to be skipped, if it is so and if it is not. */
	at[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, arch));
	at[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(),
						 0, nr + 4);
	at[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	at[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, nr + 2);
	at[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FILTER_ARG_LOW(1));
	for (unsigned int i = 0; i < nr; i++)
		at[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, often[i],
							 nr - 1 - i, i + 1 == nr);
	at[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return len;
}

/* libseccomp writes a filter only to a file. */
static int filter_export(scmp_filter_ctx ctx, struct sock_fprog *prog, unsigned int who)
{
	struct sock_filter often[FILTER_OFTEN_MAX];
	size_t nr = filter_put_often(often, who), before = nr * sizeof(often[0]);
	int fd = memfd_create("filter", MFD_CLOEXEC), ret;
	struct stat st;

	if (fd < 0)
		return -errno;
	ret = seccomp_export_bpf(ctx, fd);
	if (!ret && fstat(fd, &st))
		ret = -errno;
	if (!ret && (st.st_size <= 0 ||
		     (before + st.st_size) / sizeof(struct sock_filter) > BPF_MAXINSNS))
		ret = -E2BIG;
	if (!ret) {
		prog->filter = malloc(before + st.st_size);
		prog->len = (before + st.st_size) / sizeof(struct sock_filter);
		if (!prog->filter)
			ret = -ENOMEM;
		else if (pread(fd, (char *)prog->filter + before, st.st_size, 0) != st.st_size)
			ret = -EIO;
	}
	if (!ret)
		memcpy(prog->filter, often, before);
	close(fd);
	return ret;
}

int filter_make(struct sock_fprog *prog, enum machine_thread kind,
		const struct sandbox_params *params, struct error *err)
{
	unsigned int who = 1u << kind;
	scmp_filter_ctx ctx;
	int ret;

	memset(prog, 0, sizeof(*prog));
	/*
	 * Threads inherit the main thread's filter, so it must allow all that any of them may do.
	 */
	if (kind == MACHINE_THREAD_MAIN)
		who = ALL | (params->control ? CONTROL | SENDER : 0) |
		      (params->debugger ? DEBUGGER : 0) |
		      (params->restore ? RESTORE : 0) |
		      (params->lazy ? MISSING : 0) |
		      (params->incoming ? RESTORE | INCOMING | MISSING : 0) |
		      (params->metrics ? METRICS : 0) |
		      (params->vsock ? VSOCK : 0) |
		      (params->console ? CONSOLE : 0) |
		      (params->vhost ? VHOST | VHOST_MAIN : 0) |
		      (params->vhost_user ? VHOST_USER : 0);
	if (kind == MACHINE_THREAD_VCPU && params->flash)
		who |= FLASH;
	if (kind == MACHINE_THREAD_VCPU && params->vhost)
		who |= VHOST;
	if (kind == MACHINE_THREAD_VCPU && params->vhost_user)
		who |= VHOST_USER;
	if (kind == MACHINE_THREAD_DISK && params->control)
		who |= SENDER;
	if (kind == MACHINE_THREAD_DISK && params->metrics)
		who |= METRICS;
	ctx = seccomp_init(SCMP_ACT_TRAP);
	if (!ctx)
		return error_errno(err, -ENOMEM, "sandbox: filter of system calls");
	/*
	 * Check the most frequent calls first. With a call that has no rule, libseccomp 2.5 makes a
	 * filter for Arm that never loads the call's number.
	 */
	if (kind != MACHINE_THREAD_DIAL)
		seccomp_syscall_priority(ctx, SCMP_SYS(ioctl), 255);
	seccomp_syscall_priority(ctx, SCMP_SYS(write), 254);
	seccomp_syscall_priority(ctx, SCMP_SYS(read), 253);
	seccomp_syscall_priority(ctx, SCMP_SYS(futex), 252);
	ret = filter_add(ctx, who, err);
	if (!ret) {
		ret = filter_export(ctx, prog, who);
		if (ret)
			error_errno(err, ret, "sandbox: filter of system calls");
	}
	seccomp_release(ctx);
	return ret;
}

int filter_load(const struct sock_fprog *prog)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, prog) ? -errno : 0;
}

/* ---- The message about a call that was not allowed ---- */

/* From asm-generic/siginfo.h, which conflicts with signal.h. Not every libc has it. */
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

static struct sigaction filter_before;

/*
 * Returns the call's name, or NULL. Looking up all names beforehand would cost a million
 * instructions at each start. The filter's signal comes at the call itself, so strdup() finds no
 * lock held, except in calls that malloc() makes: the names of these are listed here.
 */
static const char *filter_name(const siginfo_t *info)
{
	static const struct {
		int nr;
		const char *name;
	} of_malloc[] = {
		{ SCMP_SYS(brk), "brk" }, { SCMP_SYS(mmap), "mmap" },
		{ SCMP_SYS(mmap2), "mmap2" }, { SCMP_SYS(munmap), "munmap" },
		{ SCMP_SYS(mremap), "mremap" }, { SCMP_SYS(mprotect), "mprotect" },
		{ SCMP_SYS(madvise), "madvise" }, { SCMP_SYS(openat), "openat" },
	};

	if (info->si_code != SYS_SECCOMP)
		return NULL;
	for (unsigned int i = 0; i < NR(of_malloc); i++)
		if (info->si_syscall == of_malloc[i].nr)
			return of_malloc[i].name;
	return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
}

static size_t filter_put(char *line, size_t at, size_t size, const char *text)
{
	while (*text && at < size)
		line[at++] = *text++;
	return at;
}

/* Async-signal-safe, like all that it calls except filter_name(). */
static void filter_violation(int signal, siginfo_t *info, void *context)
{
	unsigned int nr = info->si_syscall, n = nr;
	char line[160], thread[17] = "", digits[12];
	const char *name = filter_name(info);
	size_t at = 0, d = sizeof(digits) - 1;

	(void)context;
	digits[d] = '\0';
	do {
		digits[--d] = '0' + n % 10;
		n /= 10;
	} while (n && d);
	prctl(PR_GET_NAME, thread);
	at = filter_put(line, at, sizeof(line), "armvmm-run: sandbox: thread ");
	at = filter_put(line, at, sizeof(line), thread);
	at = filter_put(line, at, sizeof(line), " is ended for system call ");
	at = filter_put(line, at, sizeof(line), digits + d);
	if (name) {
		at = filter_put(line, at, sizeof(line), " (");
		at = filter_put(line, at, sizeof(line), name);
		at = filter_put(line, at, sizeof(line), ")");
	}
	at = filter_put(line, at, sizeof(line), "\r\n");
	if (write(STDERR_FILENO, line, at) < 0)
		at = 0;
	if (!(filter_before.sa_flags & SA_SIGINFO) &&
	    filter_before.sa_handler != SIG_DFL && filter_before.sa_handler != SIG_IGN)
		filter_before.sa_handler(signal);
	_exit(128 + SIGSYS);
}

void filter_hear_violations(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void filter_tell_violations(void)
{
	struct sigaction action = { .sa_sigaction = filter_violation, .sa_flags = SA_SIGINFO };

	sigemptyset(&action.sa_mask);
	sigaction(SIGSYS, &action, &filter_before);
}

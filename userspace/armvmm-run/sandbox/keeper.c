// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "sandbox/capabilities.h"
#include "sandbox/keeper.h"
#include "sandbox/landlock.h"
#include "sandbox/namespace.h"

#define KEEPER_FOLDER	1

#if defined(__arm__)
#define KEEPER_ARCH	AUDIT_ARCH_ARM
#elif defined(__x86_64__)
#define KEEPER_ARCH	AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define KEEPER_ARCH	AUDIT_ARCH_AARCH64
#elif defined(__i386__)
#define KEEPER_ARCH	AUDIT_ARCH_I386
#else
#error "What is this machine called in <linux/audit.h>?"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define KEEPER_ARG_0	offsetof(struct seccomp_data, args[0])
#else
#define KEEPER_ARG_0	(offsetof(struct seccomp_data, args[0]) + 4)
#endif

/* How the C library looks at a name. */
#ifdef SYS_fstatat64
#define KEEPER_STAT	SYS_fstatat64
#else
#define KEEPER_STAT	SYS_newfstatat
#endif

#define LOAD(what)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, what)
#define END(answer)	BPF_STMT(BPF_RET | BPF_K, answer)
/* If it is so, goes on behind the next @skip instructions. */
#define IF(value, skip)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, skip, 0)

/*
 * So short that making it by libseccomp would cost more than all the rest of the process. Nobody
 * hears what it says, so a call that is not allowed ends it without a word.
 */
static int keeper_filter(void)
{
	static struct sock_filter filter[] = {
		LOAD(offsetof(struct seccomp_data, arch)),
		IF(KEEPER_ARCH, 1),
		END(SECCOMP_RET_KILL_PROCESS),
		LOAD(offsetof(struct seccomp_data, nr)),
		IF(SYS_read, 10),
		IF(SYS_exit_group, 9),
		IF(SYS_exit, 8),
		/* After a SIGSTOP. */
		IF(SYS_restart_syscall, 7),
		IF(SYS_unlinkat, 3),
		IF(KEEPER_STAT, 2),
		IF(SYS_statx, 1),
		END(SECCOMP_RET_KILL_PROCESS),
		/* By a name in the folder, not by one of the working folder's. */
		LOAD(KEEPER_ARG_0),
		IF(KEEPER_FOLDER, 1),
		END(SECCOMP_RET_KILL_PROCESS),
		END(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(filter) / sizeof(filter[0]), filter };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) ? -errno : 0;
}

/*
 * The folder's owner may remove the name, whoever made it, and needs no capability for that. A user
 * who is not root stays who he is.
 */
static void keeper_become_owner(void)
{
	struct stat st;

	if (geteuid() || fstat(KEEPER_FOLDER, &st))
		return;
	/* An owner who has no number here cannot be had: root it stays, without capabilities. */
	if (setgroups(0, NULL) || setresgid(st.st_gid, st.st_gid, st.st_gid) ||
	    setresuid(st.st_uid, st.st_uid, st.st_uid))
		errno = 0;
}

void keeper_confine(void)
{
	const struct rlimit files = { KEEPER_FOLDER + 1, KEEPER_FOLDER + 1 }, none = { 0, 0 };
	const char *what;
	struct error err;

	namespace_enter(false, true, &what);
	if (capabilities_drop_bounds(&err))
		_exit(1);
	keeper_become_owner();
	if (capabilities_drop(&err) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(1);
	landlock_enter_folder(KEEPER_FOLDER);
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_MSGQUEUE, &none);
	keeper_filter();
}

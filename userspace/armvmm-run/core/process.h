/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes of a device's own: this program, executed anew, which has a socket to us and
 * nothing else of ours. What parses a stranger's data lives in one.
 *
 * Executed, and not only forked: so it has no copy of our memory, and neither its addresses nor
 * its stack's guard value tell those of the process that has the guest.
 */
#ifndef ARMVMM_RUN_PROCESS_H
#define ARMVMM_RUN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"

/* What processes for devices are to give up. */
struct process_rights {
	bool confined;		/* all that they do not need */
	bool change_user;	/* become @uid and @gid; root only */
	uid_t uid;
	gid_t gid;
};

struct process {
	pid_t pid;	/* 0: there is none */
	int fd;		/* SOCK_SEQPACKET, does not block */
	int text;	/* the same, of what it says: a sentence each */
};

/*
 * Gives up what @rights say, for good; @data and @files are more bytes of memory, and files, than
 * the process has now. Returns 0 or -errno with @err set.
 */
typedef int process_confine(const struct process_rights *rights, uint64_t data,
			    unsigned int files, struct error *err);

/* What such a process does, one file for each. */
struct process_role {
	const char *name;	/* fits into a thread's name: 15 characters */

	/* @fd is the other end of process.fd, and blocks. Returns the exit status. */
	int (*main)(int fd, process_confine *confine);
};

/* At the end of a role's file. */
#define PROCESS_ROLE(role)						\
	static const struct process_role *const role##_entry		\
	__attribute__((section("process_roles"), used)) = &(role)

/*
 * Starts a process in the role @name. With @apart it has a PID namespace of its own, and a user
 * namespace where that takes one and @user_too allows it; *@apart tells whether. It dies with us,
 * at the latest when it reads the end of its socket. @label begins @err's sentence. Returns 0 or
 * -errno with @err set. Main thread.
 */
int process_start(struct process *p, const char *name, const char *label, bool *apart,
		  bool user_too, struct error *err);

/*
 * Receives the process' next message, @size bytes at most, within @seconds. Returns its length, or
 * -errno: -ETIMEDOUT, or -EPIPE when the process has ended.
 */
ssize_t process_receive(struct process *p, void *data, size_t size, unsigned int seconds);

/*
 * The next sentence of the process' into @text, without what a terminal could take for a command.
 * Returns false when there is none now; *@ended then tells whether none will come.
 */
bool process_says(struct process *p, char *text, size_t size, bool *ended);

/*
 * Closes what connects us, and waits for the end that this brings about, 50 ms at most. Returns
 * wait()'s status, or -1 when there was none in time.
 */
int process_end(struct process *p);

/*
 * Runs the role that the program was started in, in a process that process_start() made. Returns
 * its exit status, or -1 when @argv is that of a person. First thing in main().
 */
int process_main(int argc, char **argv, process_confine *confine);

#endif /* ARMVMM_RUN_PROCESS_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes for devices. Each is this program, executed anew, and shares nothing with us but a
 * socket. Code that parses untrusted data lives in one.
 *
 * The process is executed, and not only forked: so it has no copy of our memory, and neither its
 * addresses nor its stack's guard value reveal those of the process that has the guest.
 */
#ifndef ARMVMM_RUN_PROCESS_H
#define ARMVMM_RUN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"

/* What a device's process has to give up. */
struct process_rights {
	bool confined;		/* all that it does not need */
	bool dials;		/* it connects to Unix sockets, and to no network */
	bool connected;		/* it has its connection, and makes no other */
	bool change_user;	/* become @uid and @gid; root only */
	uid_t uid;
	gid_t gid;
};

struct process {
	pid_t pid;	/* 0: there is none */
	int fd;		/* SOCK_SEQPACKET, does not block */
	int text;	/* the same, for what it says: a sentence each */
};

/*
 * Gives up what @rights say, for good. @data and @files tell how many bytes of memory, and files,
 * the process may have beyond what it has now. Returns 0 or -errno with @err set.
 */
typedef int process_confine(const struct process_rights *rights, uint64_t data,
			    unsigned int files, struct error *err);

/* The work of such a process. Each has a file of its own. */
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
 * Starts a process in the role @name. With @apart it gets a PID namespace of its own, and also a
 * user namespace if that is necessary and @user_too allows it; *@apart tells whether it got one. It
 * dies with us, at the latest when it reads the end of its socket. @err's sentence begins with
 * @label. Returns 0 or -errno with @err set. Main thread.
 */
int process_start(struct process *p, const char *name, const char *label, bool *apart,
		  bool user_too, struct error *err);

/*
 * Receives the process' next message, @size bytes at most, within @seconds. Returns its length, or
 * -errno: -ETIMEDOUT, or -EPIPE when the process has ended.
 */
ssize_t process_receive(struct process *p, void *data, size_t size, unsigned int seconds);

/* A process that was taken over may never cease to speak: so much of it is heard at once. */
#define PROCESS_SENTENCES 16

/*
 * Copies the next sentence of the process into @text, without anything that a terminal could take
 * for a command. Returns false if there is none now; *@ended then tells whether none will come.
 */
bool process_says(struct process *p, char *text, size_t size, bool *ended);

/*
 * Closes our connection, and waits up to 50 ms for the process to end by that. Returns wait()'s
 * status, or -1 if it did not end in time.
 */
int process_end(struct process *p);

/*
 * In a process that process_start() made, runs its role. Returns its exit status, or -1 if this is
 * no such process. First thing in main().
 */
int process_main(int argc, char **argv, process_confine *confine);

#endif /* ARMVMM_RUN_PROCESS_H */

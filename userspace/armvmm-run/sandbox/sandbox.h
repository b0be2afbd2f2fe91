/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the process gives up before the guest's first instruction, when all files are open. An
 * attacker who takes it over finds no file, no privilege, and few system calls. docs/sandbox.md has
 * the table. Main thread, while there is no other.
 */
#ifndef ARMVMM_RUN_SANDBOX_H
#define ARMVMM_RUN_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"
#include "core/machine.h"

struct sandbox;

/**
 * struct sandbox_params
 * @net: this process has no guest, but its network: it opens sockets, and reads /etc/resolv.conf
 * @dial: this process has no guest: it connects to Unix sockets
 * @nbd: this process has no guest: it has a connection, and makes no other
 * @data: bytes of memory that it may have beyond what it has now; 0: what a guest may
 * @files: files beyond those that are open; 0: likewise
 * @flash: vCPUs program flash (--flash), which is a file, and have it shown and hidden
 * @control: clients of a control socket are served (--control), and disks resized
 * @restore: the guest goes on from a snapshot (--restore), which is open
 * @lazy: its memory comes while it runs (--lazy-restore)
 * @incoming: the guest comes by a connection, or by a socket that listens (--incoming)
 * @vsock: connections are accepted for the guest (--vsock)
 * @console: connections are accepted for a serial device (--serial, --console unix:)
 * @vhost: the host's kernel works on queues of the guest's (vhost=on)
 * @vhost_user: another process does, which is told by messages (vhost-user)
 * @metrics: statistics are written to a file (--metrics)
 * @debugger: one may connect, and sets what a vCPU stops at (--gdb)
 * @change_user: become @uid and @gid; root only
 * @uid: the user
 * @gid: and its group
 * @pinned: bytes of the guest's memory that the host's kernel pins; 0: none
 * @note: told, a sentence for each, what this host cannot give
 * @note_opaque: its first argument
 */
struct sandbox_params {
	bool net;
	bool dial;
	bool nbd;
	uint64_t data;
	unsigned int files;
	bool flash;
	bool control;
	bool restore;
	bool lazy;
	bool incoming;
	bool vsock;
	bool vhost;
	bool vhost_user;
	bool console;
	bool metrics;
	bool debugger;
	bool change_user;
	uid_t uid;
	gid_t gid;
	uint64_t pinned;
	void (*note)(void *opaque, const char *text);
	void *note_opaque;
};

/* Looks up the user @name for the params. Returns 0 or -errno with @err set. */
int sandbox_find_user(struct sandbox_params *params, const char *name, struct error *err);

/*
 * Gives up all of it, for good. Namespaces, Landlock and filters of system calls are used if the
 * host has them; if not, @params->note is told. Everything else is mandatory. Returns 0, or -errno
 * with @err set: then the process is not fit to run a guest.
 */
int sandbox_enter(struct sandbox **sandbox, const struct sandbox_params *params,
		  struct error *err);

/*
 * Takes from the calling thread what its kind does not need. Does not return if the host allowed
 * that to the main thread, but not to this one. Any thread; @opaque is the struct sandbox.
 */
void sandbox_enter_thread(void *opaque, enum machine_thread kind);

/* NULL does nothing. Nothing that was given up comes back. */
void sandbox_free(struct sandbox *sandbox);

#endif /* ARMVMM_RUN_SANDBOX_H */

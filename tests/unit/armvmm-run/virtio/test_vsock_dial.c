// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/net/vsock_dial.c userspace/armvmm-run/core/process.c
// sources: userspace/armvmm-run/core/userns.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/message.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0
//
// The process that connects to Unix sockets for a guest, and hands the connections over.
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "armvmm-run/process_self.h"
#include "ktap.h"
#include "net/vsock_dial.h"

#define ASKED	40u	/* at once */
#define FILES	8u	/* that its process may open */

static char folder[] = "/tmp/armvmm-dial.XXXXXX";

/* What is wrong with what the child did; 0: nothing. Each has a status of its own. */
static int ask_many(void)
{
	struct rlimit few = { FILES + 4, FILES + 4 };
	struct process_rights rights = { .confined = false };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd[ASKED], ret;
	char path[96];
	struct vsock_dial dial;
	unsigned int nr = 0;
	struct error err;
	uint32_t slot, serial;

	snprintf(path, sizeof(path), "%s/v", folder);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s_5", path);
	if (bind(listener, (struct sockaddr *)&sun, sizeof(sun)) || listen(listener, 100))
		return 2;
	if (vsock_dial_start(&dial, "vsock", path, &rights, &err))
		return 3;
	if (prlimit(dial.process.pid, RLIMIT_NOFILE, &few, NULL))
		return 4;
	for (unsigned int i = 0; i < ASKED; i++)
		if (vsock_dial_ask(&dial, i, i, 5))
			return 5;
	/* More of them are on their way than it may have open. */
	usleep(200000);
	for (unsigned int i = 0; nr < ASKED && i < 2000; i++) {
		ret = vsock_dial_answer(&dial, &slot, &serial, &fd[nr]);
		if (ret < 0)
			return 6;
		if (!ret) {
			usleep(10000);
			continue;
		}
		if (fd[nr] < 0)
			return 7;
		if (slot != nr || serial != nr)
			return 8;
		nr++;
	}
	vsock_dial_stop(&dial);
	return nr == ASKED ? 0 : 9;
}

/*
 * A user has only so many descriptors on their way to other processes as a process of his may open
 * (unix(7)), so that they are counted for one that has no privilege.
 */
static void test_many(void)
{
	char name[64];
	int status;
	pid_t pid;

	KTAP_TRUE(mkdtemp(folder));
	pid = fork();
	if (!pid) {
		gid_t none = 65533;

		if (!geteuid() && (chown(folder, 65533, none) || setgroups(1, &none) ||
				   setresgid(none, none, none) || setresuid(65533, 65533, 65533)))
			_exit(1);
		_exit(ask_many());
	}
	KTAP_EQ(waitpid(pid, &status, 0), pid);
	KTAP_EQ(status, 0);
	snprintf(name, sizeof(name), "%s/v_5", folder);
	unlink(name);
	KTAP_EQ(rmdir(folder), 0);
}

KTAP_MAIN(KTAP_CASE(test_many))

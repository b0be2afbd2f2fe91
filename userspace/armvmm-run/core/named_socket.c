// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/param.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/named_socket.h"

#define NAMED_SOCKET_PATH	4096
#define NAMED_SOCKET_TRIES	50	/* of 20 ms */

void (*named_socket_confine)(void);

/* Tells our socket from another one that gets its name later. */
struct named_socket_name {
	int folder_fd;
	const char *base;
	dev_t dev;
	ino_t ino;
};

/* ---- The child that removes the name ---- */

static void named_socket_close_from(unsigned int first)
{
	/* Since Linux 5.9. */
	if (!syscall(SYS_close_range, first, ~0u, 0))
		return;
	for (long fd = first, last = sysconf(_SC_OPEN_MAX); fd < last; fd++)
		close(fd);
}

/*
 * The child closes all that it inherits, so that nobody waits for it. It ignores signals to the
 * whole process group. It learns of the guest's end only by the end of a connection.
 */
static void named_socket_keep(const struct named_socket_name *name, int fd)
{
	struct stat st;
	char byte;

	for (int signal_nr = 1; signal_nr < NSIG; signal_nr++)
		signal(signal_nr, SIG_IGN);
	prctl(PR_SET_NAME, "armvmm-socket");
	if (dup2(fd, 0) < 0 || dup2(name->folder_fd, 1) < 0)
		_exit(1);
	named_socket_close_from(2);
	if (named_socket_confine)
		named_socket_confine();
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	if (!fstatat(1, name->base, &st, AT_SYMLINK_NOFOLLOW) && st.st_dev == name->dev &&
	    st.st_ino == name->ino)
		unlinkat(1, name->base, 0);
	_exit(0);
}

static int named_socket_start_keeper(struct named_socket *l, const struct named_socket_name *name)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	/* Both ends are above 1, as the standard files are open (main.c). */
	pid = fork();
	if (!pid) {
		close(pair[0]);
		named_socket_keep(name, pair[1]);
	}
	close(pair[1]);
	if (pid < 0) {
		int ret = -errno;

		close(pair[0]);
		return ret;
	}
	l->keeper_fd = pair[0];
	return 0;
}

/* ---- Making it ---- */

/* Returns true if a process listens there. */
static bool named_socket_is_alive(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool alive = true;

	if (fd < 0)
		return true;
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)))
		alive = errno != ECONNREFUSED && errno != ENOENT;
	close(fd);
	return alive;
}

/* Removes a socket that nobody listens at any more. */
static int named_socket_clear(const struct sockaddr_un *sun, struct error *err)
{
	struct stat st;

	if (lstat(sun->sun_path, &st))
		return errno == ENOENT ? 0 : error_errno(err, -errno, "%s", sun->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, -EEXIST, "%s: is there already, and is no socket", sun->sun_path);
	if (named_socket_is_alive(sun))
		return error_set(err, -EADDRINUSE, "%s: is in use by a running process",
				 sun->sun_path);
	if (unlink(sun->sun_path) && errno != ENOENT)
		return error_errno(err, -errno, "%s: cannot be replaced", sun->sun_path);
	return 0;
}

static int named_socket_bind(int fd, const struct sockaddr_un *sun, int backlog, struct error *err)
{
	mode_t mask = umask(0177);
	int ret = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) ? -errno : 0;

	umask(mask);
	if (!ret && listen(fd, backlog))
		ret = -errno;
	return ret ? error_errno(err, ret, "%s", sun->sun_path) : 0;
}

/*
 * Two programs that start at once must not both find the same old socket. Another user may hold the
 * lock for ever (in /tmp), so give up after a second.
 */
static void named_socket_lock(int folder_fd)
{
	const struct timespec wait = { .tv_nsec = 20000000 };

	for (int i = 0; i < NAMED_SOCKET_TRIES && flock(folder_fd, LOCK_EX | LOCK_NB); i++)
		nanosleep(&wait, NULL);
}

/* The name is there: has it removed at the end. */
static int named_socket_guard(struct named_socket *l, int folder_fd, const char *base,
			      const char *path, struct error *err)
{
	struct named_socket_name name = { .folder_fd = folder_fd, .base = base };
	struct stat st;
	int ret;

	if (fstatat(folder_fd, base, &st, AT_SYMLINK_NOFOLLOW))
		return error_errno(err, -errno, "%s", path);
	name.dev = st.st_dev;
	name.ino = st.st_ino;
	ret = named_socket_start_keeper(l, &name);
	if (ret)
		unlinkat(folder_fd, base, 0);
	return ret ? error_errno(err, ret, "%s: cannot start a process", path) : 0;
}

static int named_socket_make(struct named_socket *l, int folder_fd, const char *base,
			     const struct sockaddr_un *sun, int backlog, struct error *err)
{
	int ret;

	named_socket_lock(folder_fd);
	ret = named_socket_clear(sun, err);
	if (!ret)
		ret = named_socket_bind(l->fd, sun, backlog, err);
	return ret ? ret : named_socket_guard(l, folder_fd, base, sun->sun_path, err);
}

/* Opens the folder of @path, and sets *@base to what follows its name. Returns it or -errno. */
static int named_socket_folder(const char *path, const char **base, bool make_folder,
			       struct error *err)
{
	char folder[NAMED_SOCKET_PATH] = ".";
	const char *slash = strrchr(path, '/');
	int fd;

	*base = path;
	if (strlen(path) >= sizeof(folder))
		return error_errno(err, -ENAMETOOLONG, "%s", path);
	if (slash) {
		*base = slash + 1;
		/* Keep "/" if that is the whole folder. */
		snprintf(folder, sizeof(folder), "%.*s", (int)MAX(slash - path, 1), path);
	}
	if (!**base)
		return error_set(err, -EISDIR, "%s: is the name of a folder", path);
	if (make_folder && mkdir(folder, 0700) && errno != EEXIST)
		return error_errno(err, -errno, "%s", folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, -errno, "%s", path) : fd;
}

int named_socket_open(struct named_socket *l, const char *path, int backlog, bool make_folder,
		      struct error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const char *base;
	int folder_fd, ret;

	*l = (struct named_socket){ .fd = -1, .keeper_fd = -1 };
	if (strlen(path) >= sizeof(sun.sun_path))
		return error_errno(err, -ENAMETOOLONG, "%s", path);
	strcpy(sun.sun_path, path);
	folder_fd = named_socket_folder(path, &base, make_folder, err);
	if (folder_fd < 0)
		return folder_fd;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ret = l->fd < 0 ? error_errno(err, -errno, "%s", path) :
			  named_socket_make(l, folder_fd, base, &sun, backlog, err);
	/* This gives up the lock: the child has a copy of the descriptor, but not the lock. */
	flock(folder_fd, LOCK_UN);
	close(folder_fd);
	if (ret)
		named_socket_close(l);
	return ret;
}

static int named_socket_make_link(struct named_socket *l, int folder_fd, const char *base,
				  const char *path, const char *target, struct error *err)
{
	struct stat st;

	named_socket_lock(folder_fd);
	if (!fstatat(folder_fd, base, &st, AT_SYMLINK_NOFOLLOW)) {
		if (!S_ISLNK(st.st_mode))
			return error_set(err, -EEXIST, "%s: is there already, and is no link", path);
		if (unlinkat(folder_fd, base, 0) && errno != ENOENT)
			return error_errno(err, -errno, "%s: cannot be replaced", path);
	}
	if (symlinkat(target, folder_fd, base))
		return error_errno(err, -errno, "%s", path);
	return named_socket_guard(l, folder_fd, base, path, err);
}

int named_socket_link(struct named_socket *l, const char *path, const char *target,
		      struct error *err)
{
	const char *base;
	int folder_fd, ret;

	*l = (struct named_socket){ .fd = -1, .keeper_fd = -1 };
	folder_fd = named_socket_folder(path, &base, false, err);
	if (folder_fd < 0)
		return folder_fd;
	ret = named_socket_make_link(l, folder_fd, base, path, target, err);
	flock(folder_fd, LOCK_UN);
	close(folder_fd);
	return ret;
}

void named_socket_close(struct named_socket *l)
{
	char byte = 0;

	if (l->fd >= 0)
		close(l->fd);
	/* The child answers by closing its end. */
	if (l->keeper_fd >= 0) {
		if (write(l->keeper_fd, &byte, 1) == 1)
			while (read(l->keeper_fd, &byte, 1) < 0 && errno == EINTR)
				;
		close(l->keeper_fd);
	}
	*l = (struct named_socket){ .fd = -1, .keeper_fd = -1 };
}

// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/filelock.h"

/* Who only reads a file shares it with those who do. */
static int filelock_note(struct filelock_guard *guard, bool readonly, const char *unlocked)
{
	if (guard && !readonly && unlocked)
		guard->unlocked = unlocked;
	else if (guard && !readonly)
		guard->locked = true;
	return 0;
}

int filelock_take(int fd, bool readonly, const char *file, struct filelock_guard *guard,
		  struct error *err)
{
	struct flock lock = {
		.l_type = readonly ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return filelock_note(guard, readonly, NULL);
	if (errno == EAGAIN || errno == EACCES)
		return error_set(err, -EBUSY, "%s: in use by another virtual machine", file);
	return filelock_note(guard, readonly, file); /* a file system without locks */
}

void filelock_leave(int fd)
{
	struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	fcntl(fd, F_OFD_SETLK, &lock);
}

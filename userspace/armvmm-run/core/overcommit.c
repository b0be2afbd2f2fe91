// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/overcommit.h"

bool overcommit_is_strict(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char mode = 0;
	bool is;

	if (fd < 0)
		return false;
	is = read(fd, &mode, sizeof(mode)) == sizeof(mode) && mode == '2';
	close(fd);
	return is;
}

int overcommit_explain(uint64_t size, uint64_t room, bool strict, struct error *err)
{
	unsigned long long wanted = size >> 20;

	if (room < size)
		return error_set(err, -ENOMEM, "--memory: %llu MiB: this host has room for %llu in a program's address space",
				 wanted, (unsigned long long)room >> 20);
	if (strict)
		return error_set(err, -ENOMEM, "--memory: %llu MiB: vm.overcommit_memory is 2 on this host, and it has promised so much memory that this is too much (CommitLimit and Committed_AS in /proc/meminfo): raise vm.overcommit_ratio, end other programs, or give the guest less",
				 wanted);
	return error_set(err, -ENOMEM, "--memory: %llu MiB: a limit of this process allows no more memory: raise it (ulimit -d, ulimit -v), or give the guest less",
			 wanted);
}

// SPDX-License-Identifier: GPL-2.0-only
/* pageout PID: makes the kernel swap out the largest private mapping of a process: guest memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open		434
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise	440
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT		21
#endif

int main(int argc, char **argv)
{
	unsigned long start, end, from = 0, size = 0;
	char path[64], line[512];
	int pidfd;
	FILE *maps;

	if (argc != 2)
		return 2;
	snprintf(path, sizeof(path), "/proc/%s/maps", argv[1]);
	maps = fopen(path, "r");
	if (!maps) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && end - start > size) {
			from = start;
			size = end - start;
		}
	}
	fclose(maps);
	pidfd = syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	if (pidfd < 0) {
		perror("pidfd_open");
		return 1;
	}
	while (size) {
		struct iovec iov = { .iov_base = (void *)from, .iov_len = size };
		long done;

		if (iov.iov_len > 16 << 20)
			iov.iov_len = 16 << 20;
		done = syscall(SYS_process_madvise, pidfd, &iov, 1, MADV_PAGEOUT, 0);
		if (done <= 0) {
			perror("process_madvise");
			return 1;
		}
		from += done;
		size -= done;
	}
	return 0;
}

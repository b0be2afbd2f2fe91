// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts which lines of a program ran (gcc --coverage), in all of its processes, however they end.
 * tests/coverage-user links it to the programs.
 *
 * The counters lie in a section of their own (counters.ld). Before main() this replaces the section
 * by a shared mapping of the file COUNTERS_FOLDER/NAME, which all processes of the program NAME
 * have in common. So nothing is left to do when a process ends, by _exit(), by a signal or by its
 * sandbox's filter. The sandbox does not notice: the file is closed, and the mapping stays.
 *
 * With COUNTERS_TO=FILE in its environment the program only writes there what the file has, as
 * records: a tag and a length of four bytes each, and the contents. NAME is the name of an object's
 * .gcda file; the DATA after it are its contents.
 *
 * Two CPUs that count the same line at once may count it once. No counter goes back to 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <gcov.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_mmap2
#define COUNTERS_MMAP SYS_mmap2
#else
#define COUNTERS_MMAP SYS_mmap
#endif

enum counters_tag {
	COUNTERS_NAME = 1,
	COUNTERS_DATA = 2,
};

extern char counters_start[], counters_end[];
extern const struct gcov_info *const __start_gcov_info[];
extern const struct gcov_info *const __stop_gcov_info[];

static void counters_fail(const char *what)
{
	fprintf(stderr, "counters: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void counters_record(FILE *to, enum counters_tag tag, const void *data, uint32_t size)
{
	uint32_t head[2] = { tag, size };

	if (fwrite(head, sizeof(head), 1, to) != 1 || (size && fwrite(data, size, 1, to) != 1))
		counters_fail("write");
}

static void counters_name(const char *name, void *to)
{
	counters_record(to, COUNTERS_NAME, name, strlen(name));
}

static void counters_data(const void *data, unsigned int size, void *to)
{
	counters_record(to, COUNTERS_DATA, data, size);
}

static void *counters_allocate(unsigned int size, void *to)
{
	return malloc(size);
}

static void counters_write(const char *path)
{
	const struct gcov_info *const *info = __start_gcov_info;
	FILE *to = fopen(path, "w");

	if (!to)
		counters_fail(path);
	for (; info < __stop_gcov_info; info++)
		__gcov_info_to_gcda(*info, counters_name, counters_data, counters_allocate, to);
	if (fclose(to))
		counters_fail(path);
	_exit(0);
}

/*
 * Before all other constructors. A test may have functions of its own in place of open(), mmap()
 * and close() (the linker's --wrap): these are system calls.
 */
static void __attribute__((constructor(101))) counters_open(void)
{
	char exe[PATH_MAX], path[PATH_MAX + sizeof(COUNTERS_FOLDER)];
	const char *to = getenv("COUNTERS_TO");
	ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	size_t size = counters_end - counters_start;
	int fd;

	exe[length < 0 ? 0 : length] = '\0';
	snprintf(path, sizeof(path), "%s%s", COUNTERS_FOLDER, length < 0 ? "" : strrchr(exe, '/'));
	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 && to)
		counters_fail(path);
	/* A test gave the program a root without the folder, or a user who may not enter it. */
	if (fd < 0)
		return;
	/* Processes of other users count too. The first one owns the file, and sets its mode. */
	fchmod(fd, 0666);
	if (ftruncate(fd, size) ||
	    syscall(COUNTERS_MMAP, counters_start, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED, fd, 0L) == -1)
		counters_fail(path);
	syscall(SYS_close, fd);
	if (to)
		counters_write(to);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a Linux guest measures of itself, as a process in it, in the words of guest.c:
 *
 *	linuxbench boot		how long after its machine it began
 *	linuxbench rest		consoles, disk, processes
 *
 * "linuxbench nothing" ends at once: "rest" starts it. If one instruction takes one nanosecond, the
 * results are instructions.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "marks.h"

#define CHARACTERS	2050
#define LINE		50
#define PAGE		4096

enum test {
	BOOT = 32,
	PL011,
	HVC,
	BLOCK,
	PROCESS,
};

#define MARK(what, id)									\
	do {										\
		register unsigned int r0 asm("r0") = (id);				\
		asm volatile("dbg #%c1" :: "r"(r0), "i"(what) : "memory");		\
	} while (0)

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void result(enum test id, const char *name, unsigned int n, long long ns)
{
	long long tenths = ns * 10 / n;

	printf("BENCH %d %s n=%u ticks=%lld ns/op=%lld.%lld net=%lld.%lld\n", id, name, n, ns,
	       tenths / 10, tenths % 10, tenths / 10, tenths % 10);
	fflush(stdout);
	/* What is printed is not measured. */
	tcdrain(STDOUT_FILENO);
}

/* Runs @op @n times, after it ran once. */
static void measure(enum test id, const char *name, unsigned int n, void (*op)(int fd), int fd)
{
	long long t;

	op(fd);
	MARK(MARK_BEGIN, id);
	t = now();
	for (unsigned int i = 0; i < n; i++)
		op(fd);
	t = now() - t;
	MARK(MARK_END, id);
	result(id, name, n, t);
}

static void boot(void)
{
	unsigned int hertz;
	long long t;

	asm volatile("isb\n\tmrrc p15, 1, %Q0, %R0, c14" : "=r"(t));
	asm volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(hertz));
	result(BOOT, "boot_to_init", 1, t * 1000 / (hertz / 1000000));
}

static void characters(int fd)
{
	static char text[CHARACTERS];
	size_t done = 0;

	memset(text, '.', sizeof(text));
	for (size_t i = LINE - 1; i < sizeof(text); i += LINE)
		text[i] = '\n';
	while (done < sizeof(text)) {
		ssize_t n = write(fd, text + done, sizeof(text) - done);

		if (n < 0)
			err(1, "a console");
		done += (size_t)n;
	}
	tcdrain(fd);
}

static void console(enum test id, const char *name, const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY);

	if (fd < 0)
		return;
	measure(id, name, 10, characters, fd);
	close(fd);
}

static void read_page(int fd)
{
	static char page[PAGE] __attribute__((aligned(PAGE)));
	static off_t at;

	if (pread(fd, page, PAGE, at) != PAGE)
		err(1, "the disk");
	at = (at + PAGE) % (PAGE * 256);
}

static void process(int fd)
{
	pid_t pid = fork();
	int status;

	(void)fd;
	if (!pid) {
		execl("/proc/self/exe", "linuxbench", "nothing", NULL);
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		errx(1, "a process");
}

int main(int argc, char **argv)
{
	int fd;

	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 0;
	if (argc == 2 && !strcmp(argv[1], "boot")) {
		boot();
		return 0;
	}
	if (argc != 2 || strcmp(argv[1], "rest")) {
		fprintf(stderr, "usage: linuxbench boot|rest\n");
		return 2;
	}
	MARK(MARK_ARM, 0);
	console(PL011, "pl011_2050", "/dev/ttyAMA0");
	console(HVC, "hvc0_2050", "/dev/hvc0");
	fd = open("/dev/vda", O_RDONLY | O_DIRECT);
	if (fd >= 0) {
		for (int i = 0; i < 256; i++)
			read_page(fd);
		measure(BLOCK, "block_4k", 1024, read_page, fd);
	}
	measure(PROCESS, "fork_exec", 200, process, -1);
	return 0;
}

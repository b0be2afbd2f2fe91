// SPDX-License-Identifier: GPL-2.0-only
/*
 * Init of armvmm-report's Linux guest. A process for each CPU fills its share of half of the memory
 * and checks it again and again, while the host swaps it out and moves it. Then the guest powers
 * off.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE		4096u
#define WORDS		(PAGE / sizeof(uint32_t))

/* Returns report.seconds= of the command line, or @or if it is not there. */
static unsigned int seconds(unsigned int or)
{
	char line[2048] = "";
	const char *at;
	FILE *f = fopen("/proc/cmdline", "r");

	if (f) {
		if (!fgets(line, sizeof(line), f))
			line[0] = '\0';
		fclose(f);
	}
	at = strstr(line, "report.seconds=");
	return at ? strtoul(at + strlen("report.seconds="), NULL, 10) : or;
}

static uint32_t word(uint32_t page, uint32_t i, uint32_t round)
{
	uint32_t v = (page * WORDS + i) * 2654435761u ^ round * 0x9e3779b9u;

	return v ^ v >> 15;
}

/*
 * Writes all pages, then checks them seven times, and so on. Returns how often a page had changed.
 */
static unsigned int check(uint32_t *mem, uint32_t pages, time_t until)
{
	unsigned int wrong = 0, round = 0;

	do {
		for (uint32_t p = 0; p < pages; p++)
			for (uint32_t i = 0; i < WORDS; i++)
				mem[p * WORDS + i] = word(p, i, round);
		for (int look = 0; look < 7; look++)
			for (uint32_t p = 0; p < pages; p++) {
				uint32_t bad = 0;

				for (uint32_t i = 0; i < WORDS; i++)
					bad += mem[p * WORDS + i] != word(p, i, round);
				wrong += bad != 0;
			}
		round++;
	} while (time(NULL) < until);
	return wrong;
}

static int child(uint32_t pages, time_t until)
{
	uint32_t *mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int wrong;

	if (mem == MAP_FAILED) {
		printf("@@ no memory for %u pages\n", pages);
		return 1;
	}
	wrong = check(mem, pages, until);
	if (wrong)
		printf("@@ a page was found changed %u times\n", wrong);
	return wrong != 0;
}

int main(void)
{
	long cpus, pages;
	time_t until;
	struct utsname name;
	int status, bad = 0;

	mount("proc", "/proc", "proc", 0, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	uname(&name);
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pages = sysconf(_SC_AVPHYS_PAGES) / 2;
	printf("@@ linux %s, %ld CPUs, %ld pages to check\n", name.release, cpus, pages);
	until = time(NULL) + seconds(20);
	for (long i = 0; i < cpus; i++) {
		pid_t pid = fork();

		if (!pid)
			exit(child(pages / cpus, until));
		bad += pid < 0;
	}
	while (wait(&status) > 0)
		bad += status != 0;
	printf(bad ? "@@ %d of its processes failed\n" : "@@ memory is unchanged\n", bad);
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}

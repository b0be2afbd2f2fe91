// SPDX-License-Identifier: GPL-2.0-only
/*
 * cycles: measures a loop in a guest with perf, again and again: its cycles without privileged
 * code, and how often the counter's overflow interrupted it. Prints "@@ pass N cycles C samples S",
 * or "@@ no counter" and why.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.sample_period = 10000000,
		.sample_type = PERF_SAMPLE_IP,
		.exclude_kernel = 1,
		.disabled = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	struct perf_event_mmap_page *ring;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (fd < 0) {
		printf("@@ no counter: %s\n", strerror(errno));
		return 0;
	}
	/* One page of records. New records overwrite old ones; only their number is of interest. */
	ring = mmap(NULL, 2 * getpagesize(), PROT_READ, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED) {
		printf("@@ no ring: %s\n", strerror(errno));
		return 1;
	}
	for (unsigned int pass = 1;; pass++) {
		uint64_t before = ring->data_head, cycles = 0;

		ioctl(fd, PERF_EVENT_IOC_RESET, 0);
		ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
		for (volatile unsigned int i = 0; i < 5000000; i++)
			;
		ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
		if (read(fd, &cycles, sizeof(cycles)) != sizeof(cycles))
			cycles = 0;
		/* A record is a header of 8 bytes and an address of 8. */
		printf("@@ pass %u cycles %llu samples %llu\n", pass, (unsigned long long)cycles,
		       (unsigned long long)(ring->data_head - before) / 16);
		usleep(100000);
	}
}

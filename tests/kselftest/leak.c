// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of VMs is returned when they end: compares free memory and slab before and after many
 * VMs, closed in order or killed (docs/hazards.md 13 and 22).
 */
#include "vm.h"

#include <sys/wait.h>

GUEST_CODE(touch, "ldr r1, =DEV_BASE\n\tldr r2, =RAM_BASE + 0x100000\n\tmov r3, #512\n"
	   "1:\tstr r3, [r2]\n\tadd r2, r2, #4096\n\tsubs r3, r3, #1\n\tbne 1b\n"
	   "2:\tstr r0, [r1]\n\tb 2b");
GUEST_CODE(spin, "ldr r1, =DEV_BASE\n\tstr r0, [r1]\n1:\tb 1b");

static void settle(void)
{
	int fd;

	/* Deferred frees (RCU, per-CPU lists), then caches that may shrink. */
	for (int i = 0; i < 3; i++) {
		usleep(100000);
		sync();
		fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			(void)!write(fd, "3", 1);
			close(fd);
		}
		fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			(void)!write(fd, "1", 1);
			close(fd);
		}
	}
}

static void one(bool killed)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct vm vm;

		vm_make(&vm, 2, 0);
		if (killed) {
			struct runner r;

			VM_CODE(&vm, 0, spin);
			runner_start(&r, &vm, 0);
			runner_wait(&r, 1, 3000);
			for (;;)
				pause();
		}
		VM_CODE(&vm, 0, touch);
		vm_run(&vm, 0);
		vm_close(&vm);
		_exit(0);
	}
	if (killed) {
		usleep(60000);
		kill(pid, SIGKILL);
	}
	waitpid(pid, &status, 0);
}

#define WINDOW	6	/* rounds that are compared: the first half with the second */
#define ROUNDS	14

/* What went of free memory, and to slab, between the halves of a window, in KiB. */
static void window(const long *mem, const long *slab, int at, long *mem_kb, long *slab_kb)
{
	long best[2] = { 0, 0 }, least[2] = { 1 << 30, 1 << 30 };

	for (int i = 0; i < WINDOW; i++) {
		int half = i >= WINDOW / 2;

		if (mem[at + i] > best[half])
			best[half] = mem[at + i];
		if (slab[at + i] < least[half])
			least[half] = slab[at + i];
	}
	*mem_kb = best[0] - best[1];
	*slab_kb = least[1] - least[0];
}

/*
 * The first round fills caches that stay. The host's own use of memory varies by several hundred
 * KiB, while a leak only adds up. So the best of three rounds is compared with the best of three
 * before. Slab's caches of each CPU may take more rounds to fill (7.2): so later rounds are looked
 * at too, as a leak shows in each six of them.
 *
 * The limits: six pages for each VM (its tables and shared pages alone are more, and free memory
 * varies by 2 MiB), and one object of 64 bytes for each.
 */
static void compare(bool killed, int cycles)
{
	long mem[ROUNDS], slab[ROUNDS], mem_kb = 0, slab_kb = 0;
	int vms = WINDOW / 2 * cycles;
	bool leaks = true;

	for (int round = 0; round < ROUNDS && leaks; round++) {
		for (int i = 0; i < cycles; i++)
			one(killed);
		settle();
		mem[round] = proc_kb("/proc/meminfo", "MemFree:");
		slab[round] = proc_kb("/proc/meminfo", "SUnreclaim:");
		ktap_note("round %d: free %ld KiB, unreclaimable slab %ld KiB", round, mem[round],
			  slab[round]);
		if (round < WINDOW)
			continue;
		window(mem, slab, round + 1 - WINDOW, &mem_kb, &slab_kb);
		leaks = mem_kb >= vms * 24 || mem_kb >= mem[round] / 100 || slab_kb >= vms / 16 + 8;
	}
	CHECK(!leaks, "%ld KiB of memory and %ld KiB of slab went with %d VMs", mem_kb, slab_kb,
	      vms);
}

static void closed(void)
{
	compare(false, 50);
}

static void killed(void)
{
	compare(true, 40);
}

/*
 * A guest cannot make the host keep tables: it touches memory sparsely, again and again, in one VM.
 */
GUEST_CODE(sparse, "ldr r1, =DEV_BASE\n4:\tldr r2, =0x80000000\n1:\tldr r0, [r2]\n\t"
	   "add r2, r2, #0x200000\n\tcmp r2, #0xa0000000\n\tblo 1b\n\tstr r2, [r1]\n\tb 4b");

static void bounded(void)
{
	size_t size = 512u << 20;
	long first = 0, last;
	struct vm vm;
	char *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	needs_sync_mmu();
	MUST(mem != MAP_FAILED, "no address space");
	vm_make(&vm, 1, 0);
	MUST_OK(mem_set(vm.fd, 1, 0, 0x80000000, size, mem));
	VM_CODE(&vm, 0, sparse);
	for (int i = 0; i < 30; i++) {
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		CHECK(!madvise(mem, size, MADV_DONTNEED));
		if (i == 5) {
			settle();
			first = proc_kb("/proc/meminfo", "MemFree:");
		}
	}
	settle();
	last = proc_kb("/proc/meminfo", "MemFree:");
	CHECK(first - last < 4096, "%ld KiB more after 24 rounds", first - last);
}

static const struct ktap_case cases[] = {
	{ "closed", closed, 170 },
	{ "killed", killed, 170 },
	{ "bounded", bounded, 120 },
};
KTAP_MAIN(cases)

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host takes guest memory away while the guest uses it: by swapping, by merging equal pages, by
 * MADV_DONTNEED, by migration through fork. The guest's sums stay correct (docs/hazards.md 7 and
 * 25).
 */
#include "binstats.h"

#include <sys/swap.h>
#include <sys/wait.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#endif

#define AREA		0x80000000u
#define AREA_SIZE	(8u << 20)
#define HALF_KB		((long)(AREA_SIZE / 2 / 1024))
#define HUGE		(2u << 20)

/*
 * Fills r6 pages from r5 with a word made from the address and the round,
 * then sums them and writes the sum; next round.
 */
GUEST_CODE(sums, "ldr r1, =DEV_BASE\n\tmov r7, #0\n"
	   "1:\tmov r2, r5\n\tmov r3, r6\n"
	   "2:\teor r0, r2, r7\n\tstr r0, [r2]\n\tstr r0, [r2, #2048]\n\tadd r2, r2, #4096\n\t"
	   "subs r3, r3, #1\n\tbne 2b\n\t"
	   "mov r8, #20\n"
	   "3:\tmov r2, r5\n\tmov r3, r6\n\tmov r4, #0\n"
	   "4:\tldr r0, [r2]\n\tadd r4, r4, r0\n\tldr r0, [r2, #2048]\n\tadd r4, r4, r0\n\t"
	   "add r2, r2, #4096\n\tsubs r3, r3, #1\n\tbne 4b\n\t"
	   "str r4, [r1]\n\tsubs r8, r8, #1\n\tbne 3b\n\t"
	   "add r7, r7, #1\n\tb 1b");

static uint32_t want(uint32_t round, uint32_t pages)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < pages; i++)
		sum += 2 * ((AREA + i * PAGE) ^ round);
	return sum;
}

struct sums {
	struct vm vm;
	char *area;
	pthread_t thread;
	volatile bool stop, hold, held;
	volatile unsigned int rounds, wrong;
	volatile int error;
};

/*
 * Memory for the guest, of huge pages where the host has them. There the guest has it in blocks,
 * until the host takes a part of one.
 */
static char *map_area(size_t size)
{
	char *mem = map_pages(size + HUGE);

	mem += -(uintptr_t)mem & (HUGE - 1);
	madvise(mem, size, MADV_HUGEPAGE);
	return mem;
}

static bool has_huge_pages(void)
{
	return !access("/sys/kernel/mm/transparent_hugepage", F_OK);
}

/* Where it can have blocks, the guest has its caches on, as it gets none else. */
static void make(struct vm *vm)
{
	vm_make(vm, 1, 0);
	if (has_huge_pages())
		vm_caches_on(vm);
}

/* The guest has so many blocks, if the host has huge pages. */
static void check_blocks(struct vm *vm, unsigned int n)
{
	int fd = stats_fd(vm->fd);
	uint64_t blocks = stat_of(fd, "pages_2m");

	close(fd);
	n = has_huge_pages() ? n : 0;
	CHECK(blocks == n, "%llu blocks, not %u", (unsigned long long)blocks, n);
}

static void *sums_main(void *arg)
{
	struct sums *s = arg;

	while (!s->stop) {
		unsigned int n = s->rounds;
		uint32_t v;

		s->held = s->hold;
		if (s->held) {
			usleep(1000);
			continue;
		}
		if (ioctl(s->vm.vcpu[0].fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR)
				continue;
			s->error = errno;
			break;
		}
		if (s->vm.vcpu[0].run->exit_reason != KVM_EXIT_MMIO) {
			s->error = -(int)s->vm.vcpu[0].run->exit_reason;
			break;
		}
		memcpy(&v, s->vm.vcpu[0].run->mmio.data, 4);
		s->wrong += v != want(n / 20, AREA_SIZE / PAGE);
		s->rounds = n + 1;
	}
	return NULL;
}

static void on_kick(int sig)
{
	(void)sig;
}

/* When this returns, the guest is out of KVM_RUN, and stays out until let_go(). */
static void hold(struct sums *s)
{
	s->hold = true;
	for (int i = 0; i < 6000 && !s->held && !s->error; i++) {
		pthread_kill(s->thread, SIGUSR1);
		usleep(10000);
	}
	MUST(s->held, "the guest does not come out, error %d", s->error);
}

static void let_go(struct sums *s)
{
	s->hold = false;
	while (s->held && !s->error)
		usleep(1000);
}

static void start(struct sums *s)
{
	struct sigaction sa = { .sa_handler = on_kick };

	sigaction(SIGUSR1, &sa, NULL);
	memset(s, 0, sizeof(*s));
	make(&s->vm);
	s->area = map_area(AREA_SIZE);
	MUST_OK(mem_set(s->vm.fd, 1, 0, AREA, AREA_SIZE, s->area));
	VM_CODE(&s->vm, 0, sums);
	reg32_set(s->vm.vcpu[0].fd, REG_R(5), AREA);
	reg32_set(s->vm.vcpu[0].fd, REG_R(6), AREA_SIZE / PAGE);
	MUST(!pthread_create(&s->thread, NULL, sums_main, s), "no thread");
	for (int i = 0; i < 1000 && !s->rounds && !s->error; i++)
		usleep(10000);
	MUST(s->rounds, "the guest gives no sum, error %d", s->error);
	check_blocks(&s->vm, AREA_SIZE / HUGE);
}

static void finish(struct sums *s, unsigned int least)
{
	unsigned int n = s->rounds;

	for (int i = 0; i < 3000 && s->rounds < n + least && !s->error; i++)
		usleep(10000);
	s->stop = true;
	s->vm.vcpu[0].run->immediate_exit = 1;
	pthread_join(s->thread, NULL);
	CHECK(!s->error, "%d", s->error);
	CHECK(s->rounds >= n + least, "only %u sums after it", s->rounds - n);
	CHECK(!s->wrong, "%u of %u sums are wrong", s->wrong, s->rounds);
}

/* Provides swap: zram, else a file. */
static const char *swap_on(void)
{
	static char file[] = "/tmp/swap";
	FILE *f = fopen("/proc/swaps", "r");
	char line[256], head[10] = "SWAPSPACE2";
	int lines = 0, fd;
	struct { uint32_t version, last_page, bad; } info = { 1, 64 * 256 - 1, 0 };

	while (f && fgets(line, sizeof(line), f))
		lines++;
	if (f)
		fclose(f);
	if (lines > 1)
		return "";
	(void)!system("modprobe zram num_devices=1 2>/dev/null");
	for (int i = 0; i < 2; i++) {
		const char *path = i ? file : "/dev/zram0";

		if (!i) {
			f = fopen("/sys/block/zram0/disksize", "w");
			if (!f)
				continue;
			fprintf(f, "67108864");
			fclose(f);
		}
		fd = open(path, O_RDWR | (i ? O_CREAT | O_TRUNC : 0), 0600);
		if (fd < 0)
			continue;
		if (i)
			for (int k = 0; k < 64; k++) {
				static char zero[1 << 20];

				if (write(fd, zero, sizeof(zero)) != sizeof(zero))
					break;
			}
		if (pwrite(fd, &info, sizeof(info), 1024) != sizeof(info) ||
		    pwrite(fd, head, 10, 4086) != 10) {
			close(fd);
			continue;
		}
		fsync(fd);
		close(fd);
		if (!swapon(path, 0))
			return path;
	}
	return NULL;
}

/*
 * Swaps out, and returns how many KiB are in swap then. Linux 6.1 asks the module what the guest
 * has accessed since the last call, and spares that (6.12 spares nothing). So when the guest stands
 * still, the second call takes all.
 */
static long page_out(struct sums *s)
{
	CHECK(!madvise(s->area, AREA_SIZE, MADV_PAGEOUT), "%s", strerror(errno));
	return proc_kb("/proc/self/status", "VmSwap:");
}

static void swapped(void)
{
	const char *swap = swap_on();
	struct sums s;

	needs_sync_mmu();
	if (!swap)
		ktap_skip("no place to swap to");
	start(&s);
	/* The guest gets pages back while others are swapped out; each third time it is stopped. */
	for (int i = 0; i < 12; i++) {
		long kb;

		/*
		 * A page that was used since the last time only grows older. All blocks are used
		 * all the time, while the guest runs.
		 */
		if (i % 3 == 2)
			hold(&s);
		page_out(&s);
		if (s.held) {
			kb = page_out(&s);
			CHECK(kb >= HALF_KB, "%ld KiB of the guest were swapped, %ld KiB are free there",
			      kb, proc_kb("/proc/meminfo", "SwapFree:"));
		}
		let_go(&s);
		usleep(20000);
	}
	finish(&s, 3);
	if (*swap)
		swapoff(swap);
}

/* Discarded pages are zero for the guest at once, and the others stay. */
GUEST_CODE(peek, "ldr r1, =DEV_BASE\n1:\tldr r0, [r5]\n\tstr r0, [r1]\n\tb 1b");

static void discarded(void)
{
	struct vm vm;
	char *area;

	needs_sync_mmu();
	vm_make(&vm, 1, 0);
	area = map_pages(16 * PAGE);
	MUST_OK(mem_set(vm.fd, 1, 0, AREA, 16 * PAGE, area));
	VM_CODE(&vm, 0, peek);
	reg32_set(vm.vcpu[0].fd, REG_R(5), AREA + 5 * PAGE);
	for (uint32_t i = 1; i < 200; i++) {
		uint32_t v;

		*(volatile uint32_t *)(area + 5 * PAGE) = i;
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		memcpy(&v, vm.vcpu[0].run->mmio.data, 4);
		CHECK(v == i, "%u, not %u", v, i);
		if (i & 1)
			CHECK(!madvise(area + 5 * PAGE, PAGE, MADV_DONTNEED));
		else
			CHECK(mmap(area + 5 * PAGE, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
				   0) == area + 5 * PAGE);
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		memcpy(&v, vm.vcpu[0].run->mmio.data, 4);
		CHECK(!v, "%u after it was discarded", v);
	}
}

static void cold(void)
{
	struct sums s;

	start(&s);
	for (int i = 0; i < 20; i++) {
		madvise(s.area, AREA_SIZE, MADV_COLD);
		usleep(20000);
	}
	finish(&s, 3);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, text, strlen(text));
		close(fd);
	}
}

static long read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long v = -1;

	if (f) {
		if (fscanf(f, "%ld", &v) != 1)
			v = -1;
		fclose(f);
	}
	return v;
}

/* Writes r3 at r5 + 4 unless r3 is 0, reads the word at r5, and reports it. */
GUEST_CODE(mix, "ldr r1, =DEV_BASE\n1:\tcmp r3, #0\n\tstrne r3, [r5, #4]\n\tldr r0, [r5]\n\t"
	   "str r0, [r1]\n\tb 1b");

static void mix(struct vm *vm, uint32_t page, uint32_t value)
{
	uint32_t v;

	reg32_set(vm->vcpu[0].fd, REG_R(5), AREA + page * PAGE);
	reg32_set(vm->vcpu[0].fd, REG_R(3), value);
	CHECK(vm_run(vm, 0) == KVM_EXIT_MMIO);
	memcpy(&v, vm->vcpu[0].run->mmio.data, 4);
	CHECK(v == 0x4b534d00, "page %u reads as %x", page, v);
}

/*
 * Equal pages are merged: read-only at stage 2, and copied when the guest writes. The scanner needs
 * pages that do not change between two of its rounds, so the guest leaves them alone for a while.
 */
static void merged(void)
{
	const uint32_t pages = 512;
	volatile uint32_t *word;
	struct vm vm;
	char *area;
	long n = 0;

	needs_sync_mmu();
	if (access("/sys/kernel/mm/ksm/run", W_OK))
		ktap_skip("no KSM");
	make(&vm);
	area = map_area(pages * PAGE);
	MUST_OK(mem_set(vm.fd, 1, 0, AREA, pages * PAGE, area));
	VM_CODE(&vm, 0, mix);
	for (uint32_t i = 0; i < pages; i++) {
		*(uint32_t *)(area + i * PAGE) = 0x4b534d00;
		mix(&vm, i, 1);	/* mapped writable by the guest */
	}
	check_blocks(&vm, pages * PAGE / HUGE);
	CHECK(!madvise(area, pages * PAGE, MADV_MERGEABLE), "%s", strerror(errno));
	write_file("/sys/kernel/mm/ksm/pages_to_scan", "2000");
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "5");
	write_file("/sys/kernel/mm/ksm/run", "1");
	for (int i = 0; i < 600 && n < (long)pages / 2; i++) {
		usleep(50000);
		n = read_number("/sys/kernel/mm/ksm/pages_sharing");
	}
	CHECK(n >= (long)pages / 2, "%ld of %u pages were merged", n, pages);
	check_blocks(&vm, 0);
	/* Read them as merged pages first, then write: each gets its own page again. */
	for (uint32_t i = 0; i < pages; i++)
		mix(&vm, i, 0);
	for (uint32_t i = 0; i < pages; i += 2)
		mix(&vm, i, 0x100 + i);
	vm_sync(area, pages * PAGE);
	for (uint32_t i = 0; i < pages; i++) {
		word = (volatile uint32_t *)(area + i * PAGE);
		CHECK(word[1] == (i & 1 ? 1 : 0x100 + i), "page %u: %x", i, word[1]);
	}
	write_file("/sys/kernel/mm/ksm/run", "2");
}

static void copy_on_write(void)
{
	struct sums s;

	start(&s);
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			/* The child's copy must not change, and nobody may see its writes. */
			memset(s.area, i, AREA_SIZE / 4);
			usleep(30000);
			for (size_t k = 0; k < AREA_SIZE / 4; k += PAGE)
				if (s.area[k + 100] != i)
					_exit(1);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "the child saw the guest's writes");
	}
	finish(&s, 3);
}

static const struct ktap_case cases[] = {
	{ "swapped", swapped, 150 },
	{ "discarded", discarded, 0 },
	{ "cold", cold, 90 },
	{ "merged", merged, 150 },
	{ "copy_on_write", copy_on_write, 120 },
};
KTAP_MAIN(cases)

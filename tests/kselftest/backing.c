// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a slot's memory may be: memfd, files shared and private, userfaultfd; and slots that move
 * and change their size while the guest works in them. Nothing is pinned, so the guest sees each
 * change that the client makes to its mapping. (Huge pages: huge.c; swap, KSM, fork: swap.c; device
 * memory: pfnmap.c.)
 */
#include "pager.h"
#include "touch.h"

#include <linux/falloc.h>
#include <sys/time.h>

#define PAGES	16u

/* Adds one to a word of each page from r5 to r6, for ever; tells after each round. */
GUEST_CODE(walk, "ldr r1, =DEV_BASE\n1:\tmov r2, r5\n2:\tldr r0, [r2]\n\tadd r0, r0, #1\n\t"
	   "str r0, [r2]\n\tadd r2, r2, #4096\n\tcmp r2, r6\n\tblo 2b\n\tstr r0, [r1]\n\tb 1b");

static void make(struct vm *vm, void *mem)
{
	vm_make(vm, 1, 0);
	MUST_OK(mem_set(vm->fd, SLOT, 0, AREA, PAGES * PAGE, mem));
}

static uint32_t *map_fd(int fd, int flags)
{
	void *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	MUST(p != MAP_FAILED, "%s", strerror(errno));
	return p;
}

/* One file in two mappings, one of them the guest's. */
static void shared(int fd)
{
	uint32_t *mem, *other, v;
	struct vm vm;

	MUST_OK(ftruncate(fd, PAGES * PAGE));
	mem = map_fd(fd, MAP_SHARED);
	other = map_fd(fd, MAP_SHARED);
	make(&vm, mem);
	CHECK(peek(&vm, 3) == 0);
	poke(&vm, 3, 0x1234);
	vm_sync(mem, PAGES * PAGE);
	CHECK(other[3 * PAGE / 4] == 0x1234);
	CHECK(pread(fd, &v, 4, 3 * PAGE) == 4 && v == 0x1234, "%x", v);
	other[4 * PAGE / 4] = 0x4321;
	vm_sync(mem, PAGES * PAGE);
	CHECK(peek(&vm, 4) == 0x4321);
	v = 0x5555;
	CHECK(pwrite(fd, &v, 4, 4 * PAGE) == 4);
	vm_sync(mem, PAGES * PAGE);
	CHECK(peek(&vm, 4) == 0x5555);
	/* The page was written back. The second write has to reach the file, too. */
	CHECK_OK(msync(mem, PAGES * PAGE, MS_SYNC));
	poke(&vm, 3, 0x77);
	vm_sync(mem, PAGES * PAGE);
	CHECK(pread(fd, &v, 4, 3 * PAGE) == 4 && v == 0x77, "%x", v);
	if (host_pins()) {
		/* The guest keeps the pages that it had. */
		CHECK_OK(ftruncate(fd, 0));
		CHECK(peek(&vm, 3) == 0x77);
		CHECK(peek(&vm, 4) == 0x5555);
		return;
	}
	/* A hole in the file is zeroes at once. */
	CHECK_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3 * PAGE, PAGE));
	CHECK(peek(&vm, 3) == 0);
	CHECK(peek(&vm, 4) == 0x5555);
	/*
	 * Beyond the end of the file there is nothing: the client gets an error; the guest may go
	 * on.
	 */
	CHECK_OK(ftruncate(fd, 4 * PAGE));
	VM_CODE(&vm, 0, peek);
	CHECK(run(&vm, 4, 0) == -1 && errno == EFAULT, "%s", strerror(errno));
	CHECK(peek(&vm, 3) == 0);
	CHECK_OK(ftruncate(fd, PAGES * PAGE));
	CHECK(peek(&vm, 4) == 0);
	poke(&vm, PAGES - 1, 9);
	vm_sync(mem, PAGES * PAGE);
	CHECK(other[(PAGES - 1) * PAGE / 4] == 9);
}

static void memfd(void)
{
	int fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	MUST(fd >= 0, "%s", strerror(errno));
	shared(fd);
}

static int temporary(void)
{
	char name[] = "/tmp/backing.XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);

	MUST(fd >= 0, "%s: %s", name, strerror(errno));
	unlink(name);
	return fd;
}

static void shared_file(void)
{
	shared(temporary());
}

static void private_file(void)
{
	int fd = temporary();
	uint32_t *mem, v = 0x11;
	struct vm vm;

	needs_sync_mmu();
	MUST_OK(ftruncate(fd, PAGES * PAGE));
	CHECK(pwrite(fd, &v, 4, 2 * PAGE) == 4);
	mem = map_fd(fd, MAP_PRIVATE);
	make(&vm, mem);
	CHECK(peek(&vm, 2) == 0x11);
	/* Not written yet: this is still the file's page. */
	v = 0x22;
	CHECK(pwrite(fd, &v, 4, 2 * PAGE) == 4);
	vm_sync(mem, PAGES * PAGE);
	CHECK(peek(&vm, 2) == 0x22);
	poke(&vm, 2, 0x33);
	vm_sync(mem, PAGES * PAGE);
	CHECK(mem[2 * PAGE / 4] == 0x33);
	CHECK(pread(fd, &v, 4, 2 * PAGE) == 4 && v == 0x22, "the guest wrote into the file: %x", v);
	v = 0x44;
	CHECK(pwrite(fd, &v, 4, 2 * PAGE) == 4);
	CHECK(peek(&vm, 2) == 0x33);
	/* After the page is given back, the file's page is there again. */
	CHECK_OK(madvise(mem, PAGES * PAGE, MADV_DONTNEED));
	CHECK(peek(&vm, 2) == 0x44);
}

/* Pages that the host may discard until the guest writes to them: then they stay. */
static void given_up(void)
{
	uint32_t *mem = (uint32_t *)map_pages(PAGES * PAGE);
	struct vm vm;

	needs_sync_mmu();
	make(&vm, mem);
	for (unsigned int i = 0; i < PAGES; i++)
		poke(&vm, i, 1);
	CHECK_OK(madvise(mem, PAGES * PAGE, MADV_FREE));
	/*
	 * Read first: for the host such a page is clean, and the guest's later write has to mark
	 * it.
	 */
	for (unsigned int i = 0; i < PAGES; i++) {
		CHECK(peek(&vm, i) <= 1);
		poke(&vm, i, 100 + i);
	}
	/*
	 * The host discards pages that nobody wrote to. At first it only finds that the guest used
	 * them.
	 */
	for (int i = 0; i < 4; i++)
		CHECK_OK(madvise(mem, PAGES * PAGE, MADV_PAGEOUT));
	for (unsigned int i = 0; i < PAGES; i++)
		CHECK(peek(&vm, i) == 100 + i, "page %u", i);
	vm_sync(mem, PAGES * PAGE);
	for (unsigned int i = 0; i < PAGES; i++)
		CHECK(mem[i * PAGE / 4] == 100 + i, "page %u", i);
}

/* --- userfaultfd: pages come when the guest asks for them --- */

static void on_signal(int sig)
{
	(void)sig;
}

static void userfault(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct itimerval never = { 0 }, soon = {
		/* Repeat, in case the first signal comes before KVM_RUN. */
		.it_value.tv_usec = 50000, .it_interval.tv_usec = 50000,
	};
	char *mem = map_pages(PAGES * PAGE);
	unsigned int left;
	struct pager p;
	struct vm vm;

	needs_sync_mmu();
	pager_make(&p, mem, PAGES * PAGE);
	make(&vm, mem);
	pager_start(&p);
	for (unsigned int i = 0; i < PAGES; i += 2)
		CHECK(peek(&vm, i) == 0x1000 + i, "page %u", i);
	for (unsigned int i = 1; i < PAGES; i += 2) {
		poke(&vm, i, 7);
		vm_sync(mem + i * PAGE, PAGE);
		CHECK(*(uint32_t *)(mem + i * PAGE) == 7);
	}
	CHECK(p.served == PAGES, "%u pages were asked for", p.served);
	/* A page that the client takes back is asked for again. */
	CHECK_OK(madvise(mem + 5 * PAGE, PAGE, MADV_DONTNEED));
	CHECK(peek(&vm, 5) == 0x1005);
	CHECK(p.served == PAGES + 1, "%u", p.served);
	/* While the page does not come, a signal ends KVM_RUN. */
	pager_stop(&p);
	CHECK_OK(madvise(mem + 6 * PAGE, PAGE, MADV_DONTNEED));
	VM_CODE(&vm, 0, peek);
	/* The case's own time limit uses the same timer. */
	left = alarm(0);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	CHECK(run(&vm, 6, 0) == -1 && errno == EINTR, "%s", strerror(errno));
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	alarm(left);
	pager_start(&p);
	CHECK(peek(&vm, 6) == 0x1006);
	pager_stop(&p);
}

/* --- slots under a guest that works in them --- */

struct workers {
	struct runner r[2];
	struct vm vm;
};

/* Each vCPU walks half of the area. Where there is no slot, its accesses exit, and read zero. */
static void work(struct workers *w)
{
	vm_make(&w->vm, 2, 0);
	for (unsigned int i = 0; i < 2; i++) {
		vm_vcpu_on(&w->vm, i);
		VM_CODE(&w->vm, i, walk);
		reg32_set(w->vm.vcpu[i].fd, REG_R(5), AREA + i * (PAGES / 2) * PAGE);
		reg32_set(w->vm.vcpu[i].fd, REG_R(6), AREA + (i + 1) * (PAGES / 2) * PAGE);
		runner_start(&w->r[i], &w->vm, i);
	}
}

static void rest(struct workers *w)
{
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int before = w->r[i].exits;

		CHECK(!w->r[i].error, "vCPU %u: %d", i, w->r[i].error);
		CHECK(runner_wait(&w->r[i], before + 3, 20000), "vCPU %u stands still", i);
		runner_stop(&w->r[i]);
	}
}

/*
 * The slot is deleted and made anew, each time in another size. Pages outside it are not written
 * to.
 */
static void resized(void)
{
	static struct workers w;
	uint32_t *mem = (uint32_t *)map_pages(PAGES * PAGE), was[PAGES];

	work(&w);
	for (unsigned int i = 0; i < 150; i++) {
		unsigned int n = 1 + i * 7 % PAGES, p;

		CHECK_OK(mem_set(w.vm.fd, SLOT, 0, AREA, n * PAGE, mem));
		if (i % 3 == 0)
			usleep(2000);
		if (i == 149)
			CHECK(comes(mem), "the guest never wrote");
		for (p = n; p < PAGES; p++)
			was[p] = mem[p * PAGE / 4];
		if (i % 4 == 0)
			usleep(2000);
		for (p = n; p < PAGES; p++)
			CHECK(mem[p * PAGE / 4] == was[p], "page %u is not in the slot", p);
		CHECK_OK(mem_set(w.vm.fd, SLOT, 0, 0, 0, NULL));
		/* Once that has returned, no vCPU reaches any page of it. */
		for (p = 0; p < PAGES; p++)
			was[p] = mem[p * PAGE / 4];
		if (i % 5 == 0)
			usleep(1000);
		for (p = 0; p < PAGES; p++)
			CHECK(mem[p * PAGE / 4] == was[p], "page %u was written to", p);
	}
	rest(&w);
}

/* Puts the same memory at the guest's area and away from it in turn, each by one call. */
static void moved(void)
{
	static struct workers w;
	uint32_t *mem = (uint32_t *)map_pages(PAGES * PAGE), was;

	work(&w);
	CHECK_OK(mem_set(w.vm.fd, SLOT, 0, AREA, PAGES * PAGE, mem));
	for (unsigned int i = 0; i < 150; i++) {
		if (i % 3 == 0)
			usleep(2000);
		CHECK_OK(mem_set(w.vm.fd, SLOT, 0, AREA + (1u << 28), PAGES * PAGE, mem));
		was = mem[3 * PAGE / 4];
		if (i % 4 == 0)
			usleep(2000);
		CHECK(mem[3 * PAGE / 4] == was, "written to where it is no more");
		CHECK_OK(mem_set(w.vm.fd, SLOT, 0, AREA, PAGES * PAGE, mem));
	}
	CHECK(comes(&mem[3 * PAGE / 4]), "the guest never wrote");
	rest(&w);
}

static const struct ktap_case cases[] = {
	{ "memfd", memfd, 0 },
	{ "shared_file", shared_file, 0 },
	{ "private_file", private_file, 0 },
	{ "given_up", given_up, 0 },
	{ "userfault", userfault, 0 },
	{ "resized", resized, 0 },
	{ "moved", moved, 0 },
};
KTAP_MAIN(cases)

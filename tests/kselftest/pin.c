// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host without MMU notifiers (KVM_CAP_SYNC_MMU of 0): a page is pinned from the guest's first
 * touch until its slot goes. Pinned pages are accounted to the owner, and limited by
 * RLIMIT_MEMLOCK. Nothing stays pinned, whichever way a slot or a VM ends.
 */
#include "pager.h"
#include "touch.h"

#include <sys/klog.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define PAGES	3000u		/* more than one leaf of the driver's words */
#define FEW	16u

/* Reads a word of each page from r5 to r6, then reports, and again. */
GUEST_CODE(walk, "ldr r1, =DEV_BASE\n1:\tmov r2, r5\n2:\tldr r0, [r2]\n\t"
	   "add r2, r2, #4096\n\tcmp r2, r6\n\tblo 2b\n\tstr r2, [r1]\n\tb 1b");

/* Touches @pages from the first on. Returns 0, or KVM_RUN's errno. */
static int walk(struct vm *vm, unsigned int pages)
{
	VM_CODE(vm, 0, walk);
	reg32_set(vm->vcpu[0].fd, REG_R(5), AREA);
	reg32_set(vm->vcpu[0].fd, REG_R(6), AREA + pages * PAGE);
	return ioctl(vm->vcpu[0].fd, KVM_RUN, 0) ? errno : 0;
}

/* The number after @name in a file of lines. */
static long field(const char *path, const char *name)
{
	char line[256];
	long v = -1;
	FILE *f = fopen(path, "r");

	MUST(f, "%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			v = strtol(line + strlen(name), NULL, 10);
	fclose(f);
	MUST(v >= 0, "%s: no %s", path, name);
	return v;
}

/*
 * accounted(): what this process has accounted, in pages. pinned(): what is pinned on the whole
 * host.
 */
static long accounted(void)
{
	return field("/proc/self/status", "VmPin:") * 1024 / PAGE;
}

static long pinned(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	/* Each CPU's own count is added up once a second, or when this is written. */
	if (fd >= 0) {
		(void)!write(fd, "1", 1);
		close(fd);
	}
	return field("/proc/vmstat", "nr_foll_pin_acquired ") -
	       field("/proc/vmstat", "nr_foll_pin_released ");
}

/*
 * Returns what is pinned before a case begins: pages of the case before may be on their way back.
 */
static long pinned_before(void)
{
	long was = pinned();

	/* Wait until three reads in a row agree. */
	for (int same = 0; same < 3; same++) {
		long now;

		usleep(200000);
		now = pinned();
		if (now != was)
			same = -1;
		was = now;
	}
	return was;
}

/* True once the host's counts say @want. */
static bool pinned_is(long want)
{
	for (int i = 0; i < 400 && pinned() != want; i++)
		usleep(50000);
	return pinned() == want;
}

static void only_pinned(void)
{
	if (!host_pins())
		ktap_skip("the kernel has MMU_NOTIFIER: nothing is pinned");
}

static void counted(void)
{
	char *mem = map_pages(PAGES * PAGE);
	long before, held;
	struct vm vm;

	only_pinned();
	held = pinned_before();
	vm_make(&vm, 1, 0);
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, PAGES * PAGE, mem));
	/* The page with the code belongs to the other slot. */
	poke(&vm, 0, 1);
	before = accounted() - 1;
	CHECK(before >= 1, "%ld", before);
	CHECK(!walk(&vm, PAGES));
	CHECK(accounted() == before + (long)PAGES, "%ld", accounted() - before);
	CHECK(pinned_is(held + before + (long)PAGES), "%ld", pinned() - held);
	/* Each page counts once, however often it is touched. */
	CHECK(!walk(&vm, PAGES));
	poke(&vm, 7, 7);
	CHECK(accounted() == before + (long)PAGES, "%ld", accounted() - before);
	CHECK_OK(mem_set(vm.fd, SLOT, 0, 0, 0, NULL));
	CHECK(accounted() == before, "%ld", accounted() - before);
	CHECK(pinned_is(held + before), "%ld", pinned() - held);
	CHECK(*(uint32_t *)(mem + 7 * PAGE) == 7);
	vm_close(&vm);
	CHECK(accounted() == 0, "%ld", accounted());
	CHECK(pinned_is(held), "%ld", pinned() - held);
}

/* The guest keeps the page that it has touched, until the slot goes. */
static void kept(void)
{
	char *mem = map_pages(16 * PAGE);
	struct vm vm;

	only_pinned();
	vm_make(&vm, 1, 0);
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, 16 * PAGE, mem));
	poke(&vm, 3, 0x33);
	CHECK_OK(madvise(mem, 16 * PAGE, MADV_DONTNEED));
	CHECK(peek(&vm, 3) == 0x33);
	CHECK(peek(&vm, 4) == 0);
	CHECK_OK(mem_set(vm.fd, SLOT, 0, 0, 0, NULL));
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, 16 * PAGE, mem));
	CHECK(peek(&vm, 3) == 0);
	/* The client reads what the guest wrote, and the reverse: it is one page. */
	CHECK(peek(&vm, 5) == 0);
	*(uint32_t *)(mem + 5 * PAGE) = 0x55;
	CHECK(peek(&vm, 5) == 0x55);
	poke(&vm, 5, 0x56);
	CHECK(*(uint32_t *)(mem + 5 * PAGE) == 0x56);
	/* The client gives all of it up. The guest works on, but gets no more pages. */
	CHECK_OK(mprotect(mem, 16 * PAGE, PROT_NONE));
	poke(&vm, 5, 0x57);
	CHECK_OK(munmap(mem, 16 * PAGE));
	CHECK(peek(&vm, 5) == 0x57);
	poke(&vm, 3, 0x34);
	CHECK(peek(&vm, 3) == 0x34);
	VM_CODE(&vm, 0, peek);
	CHECK_ERRNO(run(&vm, 6, 0), EFAULT);
	vm_close(&vm);
	CHECK(accounted() == 0, "%ld", accounted());
}

/*
 * Pages come by userfaultfd when the guest asks for them, and stay: one that the client takes back
 * comes for the client alone.
 */
static void userfault(void)
{
	char *mem = map_pages(FEW * PAGE);
	struct pager p;
	struct vm vm;

	only_pinned();
	pager_make(&p, mem, FEW * PAGE);
	vm_make(&vm, 1, 0);
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, FEW * PAGE, mem));
	pager_start(&p);
	for (unsigned int i = 0; i < FEW; i += 2)
		CHECK(peek(&vm, i) == 0x1000 + i, "page %u", i);
	for (unsigned int i = 1; i < FEW; i += 2)
		poke(&vm, i, 0x2000 + i);
	CHECK(p.served == FEW, "%u pages were asked for", p.served);
	CHECK_OK(madvise(mem + 5 * PAGE, PAGE, MADV_DONTNEED));
	CHECK(peek(&vm, 5) == 0x2005);
	CHECK(p.served == FEW, "%u pages were asked for", p.served);
	CHECK(*(volatile uint32_t *)(mem + 5 * PAGE) == 0x1005);
	CHECK(p.served == FEW + 1, "%u pages were asked for", p.served);
	CHECK(peek(&vm, 5) == 0x2005);
	pager_stop(&p);
	close(p.fd);
}

/* What follows @name and a tab in a process's status file. */
static void status_of(pid_t pid, const char *name, char *word, size_t size)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	MUST(f, "%s: %s", path, strerror(errno));
	*word = 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			snprintf(word, size, "%s", line + strlen(name) + 1);
	fclose(f);
	MUST(*word, "%s: no %s", path, name);
}

/* In uninterruptible sleep, or in one that only a fatal signal ends. */
static bool waits(pid_t pid)
{
	char state[32];

	status_of(pid, "State:", state, sizeof(state));
	return *state == 'D';
}

static void on_usr1(int sig)
{
	(void)sig;
}

/* While a page does not come, a signal waits with the vCPU. One that kills ends both. */
static void userfault_killed(void)
{
	long held = pinned_before();
	int status, long_enough = 0;
	char pending[64];
	pid_t pid;

	only_pinned();
	pid = fork();
	if (!pid) {
		struct sigaction sa = { .sa_handler = on_usr1 };
		char *mem = map_pages(FEW * PAGE);
		struct pager p;
		struct vm vm;

		sigaction(SIGUSR1, &sa, NULL);
		pager_make(&p, mem, FEW * PAGE);
		vm_make(&vm, 1, 0);
		if (mem_set(vm.fd, SLOT, 0, AREA, FEW * PAGE, mem))
			_exit(1);
		VM_CODE(&vm, 0, peek);
		run(&vm, 3, 0);
		_exit(2);
	}
	MUST(pid > 0, "%s", strerror(errno));
	/* It waits for this and that before, but not for long. */
	for (int i = 0; i < 400 && long_enough < 10; i++, usleep(50000))
		long_enough = waits(pid) ? long_enough + 1 : 0;
	CHECK(long_enough == 10, "the vCPU does not wait");
	CHECK_OK(kill(pid, SIGUSR1));
	usleep(500000);
	CHECK(waits(pid), "a signal ended the wait");
	status_of(pid, "ShdPnd:", pending, sizeof(pending));
	CHECK(strtoull(pending, NULL, 16) == 1ull << (SIGUSR1 - 1), "%s", pending);
	CHECK_OK(kill(pid, SIGKILL));
	MUST(waitpid(pid, &status, 0) == pid, "%s", strerror(errno));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%x", status);
	CHECK(pinned_is(held), "%ld", pinned() - held);
}

/* What ARMVMM_UNPIN answers for pages @first to @first + @nr of the area. */
static int unpin(struct vm *vm, unsigned int first, unsigned int nr)
{
	struct armvmm_range range = { AREA + (uint64_t)first * PAGE, (uint64_t)nr * PAGE };

	return ioctl(vm->fd, ARMVMM_UNPIN, &range);
}

/* A client gives pages back: the guest gets what is there now, of these pages alone. */
static void unpinned(void)
{
	char *mem = map_pages(PAGES * PAGE);
	long held, before;
	struct vm vm;

	only_pinned();
	held = pinned_before();
	vm_make(&vm, 1, 0);
	CHECK(ioctl(vm.sys, KVM_CHECK_EXTENSION, ARMVMM_CAP_UNPIN) == 1);
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, PAGES * PAGE, mem));
	for (unsigned int i = 0; i < FEW; i++)
		poke(&vm, i, 0x100 + i);
	before = accounted();
	CHECK_OK(madvise(mem, PAGES * PAGE, MADV_DONTNEED));
	CHECK(peek(&vm, 3) == 0x103);
	CHECK_OK(unpin(&vm, 3, 2));
	CHECK(accounted() == before - 2, "%ld", accounted() - before);
	CHECK(pinned_is(held + before - 2), "%ld", pinned() - held);
	for (unsigned int i = 0; i < FEW; i++)
		CHECK(peek(&vm, i) == (i == 3 || i == 4 ? 0 : 0x100 + i), "page %u", i);
	CHECK(accounted() == before, "%ld", accounted() - before);
	/* It is one page again: the guest's and the client's. */
	poke(&vm, 3, 0x33);
	CHECK(*(uint32_t *)(mem + 3 * PAGE) == 0x33);
	*(uint32_t *)(mem + 4 * PAGE) = 0x44;
	vm_sync(mem + 4 * PAGE, PAGE);
	CHECK(peek(&vm, 4) == 0x44);
	/* Another mapping, and the whole slot, of which most was never touched. */
	MUST(mmap(mem, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		  0) == mem, "%s", strerror(errno));
	*(uint32_t *)mem = 0x77;
	CHECK_OK(unpin(&vm, 0, PAGES));
	CHECK(accounted() == before - (long)FEW, "%ld", accounted() - before);
	CHECK(peek(&vm, 0) == 0x77);
	CHECK(!walk(&vm, PAGES));
	CHECK_OK(unpin(&vm, 0, PAGES));
	CHECK(accounted() == before - (long)FEW, "%ld", accounted() - before);
	vm_close(&vm);
	CHECK(accounted() == 0, "%ld", accounted());
	CHECK(pinned_is(held), "%ld", pinned() - held);
}

/* What is no range of guest memory is refused, and so is all of it where the host does not pin. */
static void unpin_refused(void)
{
	char *mem = map_pages(16 * PAGE);
	struct armvmm_range odd[] = {
		{ AREA + 1, PAGE }, { AREA, PAGE + 1 }, { AREA, 0 }, { AREA + 2048, 2048 },
	}, away[] = {
		{ AREA, 17 * PAGE }, { AREA - PAGE, 2 * PAGE }, { AREA + 16 * PAGE, PAGE },
		{ AREA + 15 * PAGE, 2 * PAGE }, { 1ull << 40, PAGE }, { AREA, -(uint64_t)PAGE },
		{ -(uint64_t)PAGE, PAGE }, { AREA + 8 * PAGE, 1ull << 44 },
	};
	struct vm vm;

	only_pinned();
	vm_make(&vm, 1, 0);
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, 16 * PAGE, mem));
	for (unsigned int i = 0; i < 16; i++)
		poke(&vm, i, i + 1);
	for (unsigned int i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		CHECK_ERRNO(ioctl(vm.fd, ARMVMM_UNPIN, &odd[i]), EINVAL);
	for (unsigned int i = 0; i < sizeof(away) / sizeof(away[0]); i++)
		CHECK_ERRNO(ioctl(vm.fd, ARMVMM_UNPIN, &away[i]), ENOENT);
	CHECK_ERRNO(ioctl(vm.fd, ARMVMM_UNPIN, NULL), EFAULT);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, ARMVMM_UNPIN, &away[0]), EINVAL);
	CHECK_OK(madvise(mem, 16 * PAGE, MADV_DONTNEED));
	for (unsigned int i = 0; i < 16; i++)
		CHECK(peek(&vm, i) == i + 1, "page %u was given back", i);
	CHECK_OK(mem_set(vm.fd, SLOT, 0, 0, 0, NULL));
	CHECK_ERRNO(unpin(&vm, 0, 1), ENOENT);
}

/* A VM whose two vCPUs are to walk the area, @mem, of so many pages. */
static void walkers_make(struct vm *vm, void *mem, unsigned int pages)
{
	vm_make(vm, 2, 0);
	vm_vcpu_on(vm, 1);
	CHECK_OK(mem_set(vm->fd, SLOT, 0, AREA, pages * PAGE, mem));
	for (unsigned int i = 0; i < 2; i++) {
		VM_CODE(vm, i, walk);
		reg32_set(vm->vcpu[i].fd, REG_R(5), AREA);
		reg32_set(vm->vcpu[i].fd, REG_R(6), AREA + pages * PAGE);
	}
}

/* Pages go while two vCPUs work on them: each is charged and pinned once, or not at all. */
static void unpin_raced(void)
{
	char *mem = map_pages(FEW * PAGE);
	struct runner r[2];
	long held, before;
	struct vm vm;

	only_pinned();
	held = pinned_before();
	walkers_make(&vm, mem, FEW);
	before = accounted();
	for (unsigned int i = 0; i < 2; i++)
		runner_start(&r[i], &vm, i);
	for (int round = 0; round < 3000; round++)
		CHECK_OK(unpin(&vm, (unsigned int)round % 8, 1 + (unsigned int)round % 8));
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(runner_wait(&r[i], r[i].mmio + 2, 20000));
		CHECK(!r[i].error, "vCPU %u: %s", i, strerror(r[i].error));
		runner_stop(&r[i]);
	}
	CHECK(accounted() <= before + 2 + (long)FEW, "%ld", accounted() - before);
	CHECK_OK(unpin(&vm, 0, FEW));
	CHECK(accounted() <= before + 2, "%ld", accounted() - before);
	vm_close(&vm);
	CHECK(accounted() == 0, "%ld", accounted());
	CHECK(pinned_is(held), "%ld", pinned() - held);
}

/* A slot that moves, or whose writes are logged, keeps its pages. */
static void changed(void)
{
	char *mem = map_pages(16 * PAGE);
	uint32_t log[2] = {};
	struct kvm_dirty_log dirty = { .slot = SLOT, .dirty_bitmap = log };
	struct vm vm;
	long n;

	only_pinned();
	vm_make(&vm, 1, 0);
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA + (1u << 24), 16 * PAGE, mem));
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, 16 * PAGE, mem));
	CHECK(!walk(&vm, 16));
	n = accounted();
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA + (1u << 24), 16 * PAGE, mem));
	CHECK(accounted() == n);
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, 16 * PAGE, mem));
	CHECK_OK(mem_set(vm.fd, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA, 16 * PAGE, mem));
	CHECK(peek(&vm, 3) == 0);
	poke(&vm, 9, 0x99);
	CHECK_OK(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &dirty));
	CHECK(log[0] == 1u << 9, "%x", log[0]);
	CHECK(accounted() == n, "%ld", accounted() - n);
	CHECK(*(uint32_t *)(mem + 9 * PAGE) == 0x99);
	vm_close(&vm);
	CHECK(accounted() == 0, "%ld", accounted());
}

/*
 * A page that the client may not write is pinned as it is. Once it may, another page replaces it.
 */
static void made_writable(void)
{
	char *mem = mmap(NULL, 16 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long held = pinned_before(), n;
	struct vm vm;

	only_pinned();
	MUST(mem != MAP_FAILED, "%s", strerror(errno));
	vm_make(&vm, 1, 0);
	CHECK_OK(mem_set(vm.fd, SLOT, KVM_MEM_READONLY, AREA, 16 * PAGE, mem));
	CHECK(peek(&vm, 2) == 0 && peek(&vm, 3) == 0);
	CHECK_OK(mem_set(vm.fd, SLOT, 0, 0, 0, NULL));
	CHECK_OK(mprotect(mem, 16 * PAGE, PROT_READ | PROT_WRITE));
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, 16 * PAGE, mem));
	CHECK_OK(mprotect(mem, 16 * PAGE, PROT_READ));
	CHECK(peek(&vm, 2) == 0 && peek(&vm, 3) == 0);
	VM_CODE(&vm, 0, poke);
	CHECK_ERRNO(run(&vm, 2, 1), EFAULT);
	n = accounted();
	CHECK_OK(mprotect(mem, 16 * PAGE, PROT_READ | PROT_WRITE));
	poke(&vm, 2, 0x22);
	CHECK(*(uint32_t *)(mem + 2 * PAGE) == 0x22);
	CHECK(peek(&vm, 2) == 0x22 && peek(&vm, 3) == 0);
	CHECK(accounted() == n, "%ld", accounted() - n);
	vm_close(&vm);
	CHECK(pinned_is(held), "%ld", pinned() - held);
}

/* Two vCPUs touch the same pages at once: each page is pinned once. */
static void raced(void)
{
	char *mem = map_pages(PAGES * PAGE);
	struct runner r[2];
	long held, before;
	struct vm vm;

	only_pinned();
	held = pinned_before();
	walkers_make(&vm, mem, PAGES);
	for (unsigned int i = 0; i < 2; i++)
		runner_start(&r[i], &vm, i);
	for (int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < 2; i++)
			CHECK(runner_wait(&r[i], r[i].mmio + 1, 20000));
		CHECK_OK(mem_set(vm.fd, SLOT, 0, 0, 0, NULL));
		before = accounted();
		CHECK(before <= 2, "%ld pages after the slot is gone", before);
		CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, PAGES * PAGE, mem));
	}
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(runner_wait(&r[i], r[i].mmio + 2, 20000));
		CHECK(!r[i].error, "vCPU %u: %s", i, strerror(r[i].error));
		runner_stop(&r[i]);
	}
	CHECK(accounted() == before + (long)PAGES, "%ld", accounted() - before);
	vm_close(&vm);
	CHECK(accounted() == 0, "%ld", accounted());
	CHECK(pinned_is(held), "%ld", pinned() - held);
}

/* Counts the kernel log's messages about RLIMIT_MEMLOCK. */
static unsigned int times_named(void)
{
	static char log[1 << 18];
	int n = klogctl(3, log, sizeof(log) - 1);	/* SYSLOG_ACTION_READ_ALL */
	unsigned int times = 0;

	MUST(n >= 0, "%s", strerror(errno));
	log[n] = 0;
	for (char *p = log; (p = strstr(p, "RLIMIT_MEMLOCK (")); p++)
		times++;
	return times;
}

/* A second VM of the user, who may pin 100 pages more. Returns 0, or 1. */
static int limited_again(char *mem)
{
	struct vm vm;

	vm_make(&vm, 1, 0);
	return mem_set(vm.fd, SLOT, 0, AREA, PAGES * PAGE, mem) || walk(&vm, 50) ||
	       walk(&vm, 200) != ENOMEM;
}

/* A user without CAP_IPC_LOCK, in a process of its own. Returns 0, or the line that failed. */
static int limited(void)
{
	char *mem = map_pages(PAGES * PAGE);
	struct rlimit limit = { .rlim_cur = 600 * PAGE, .rlim_max = 600 * PAGE };
	struct vm vm;
	int status;
	pid_t pid;

	vm_make(&vm, 1, 0);
	if (mem_set(vm.fd, SLOT, 0, AREA, PAGES * PAGE, mem) || setrlimit(RLIMIT_MEMLOCK, &limit))
		return __LINE__;
	if (walk(&vm, 500))
		return __LINE__;
	/* Another process of the user cannot pin as many again. */
	pid = fork();
	if (!pid)
		_exit(limited_again(mem));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		return __LINE__;
	if (walk(&vm, PAGES) != ENOMEM || accounted() != 600)
		return __LINE__;
	/* The limit stays, and the guest keeps the pages that it has. */
	if (walk(&vm, PAGES) != ENOMEM || walk(&vm, 500) || accounted() != 600)
		return __LINE__;
	if (mem_set(vm.fd, SLOT, 0, 0, 0, NULL) || accounted() > 2)
		return __LINE__;
	/* There is room again. */
	if (mem_set(vm.fd, SLOT, 0, AREA, PAGES * PAGE, mem) || walk(&vm, 500))
		return __LINE__;
	vm_close(&vm);
	return accounted() ? __LINE__ : 0;
}

/* Runs @fn, which returns the line that failed, as a user without CAP_IPC_LOCK. */
static void as_nobody(int (*fn)(void))
{
	int status;
	pid_t pid;

	node_share();
	pid = fork();
	if (!pid) {
		int line;

		be_nobody(true);
		line = fn();
		if (line)
			ktap_note("%s:%d", __FILE__, line);
		exit(line ? 1 : 0);
	}
	MUST(pid > 0 && waitpid(pid, &status, 0) == pid, "%s", strerror(errno));
	node_unshare();
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "%x", status);
}

static void limit(void)
{
	unsigned int named = times_named();
	long held = pinned_before();

	only_pinned();
	as_nobody(limited);
	/* The log names the limit, but not for each VM: anybody can make many. */
	CHECK(times_named() > 0 && times_named() <= named + 1, "%u more", times_named() - named);
	CHECK(pinned_is(held), "%ld", pinned() - held);
}

/* Two vCPUs touch the same pages, exactly as many as may be pinned. */
static int limited_raced(void)
{
	struct kvm_mp_state on = { .mp_state = KVM_MP_STATE_RUNNABLE };
	char *mem = map_pages(FEW * PAGE);
	struct runner r[2];
	struct rlimit limit;
	struct vm vm;

	vm_make(&vm, 2, 0);
	if (ioctl(vm.vcpu[1].fd, KVM_SET_MP_STATE, &on) ||
	    mem_set(vm.fd, SLOT, 0, AREA, FEW * PAGE, mem))
		return __LINE__;
	for (unsigned int i = 0; i < 2; i++) {
		VM_CODE(&vm, i, walk);
		reg32_set(vm.vcpu[i].fd, REG_R(5), AREA);
		reg32_set(vm.vcpu[i].fd, REG_R(6), AREA + FEW * PAGE);
		runner_start(&r[i], &vm, i);
	}
	for (int round = 0; round < 200; round++) {
		for (unsigned int i = 0; i < 2; i++)
			if (!runner_wait(&r[i], r[i].mmio + 2, 20000) || r[i].error) {
				ktap_note("round %d: vCPU %u: %s", round, i,
					  r[i].error ? strerror(r[i].error) : "too slow");
				return __LINE__;
			}
		limit.rlim_cur = limit.rlim_max = (rlim_t)accounted() * PAGE;
		if ((!round && setrlimit(RLIMIT_MEMLOCK, &limit)) ||
		    mem_set(vm.fd, SLOT, 0, 0, 0, NULL) ||
		    mem_set(vm.fd, SLOT, 0, AREA, FEW * PAGE, mem))
			return __LINE__;
	}
	for (unsigned int i = 0; i < 2; i++)
		runner_stop(&r[i]);
	vm_close(&vm);
	return 0;
}

static void limit_raced(void)
{
	only_pinned();
	as_nobody(limited_raced);
}

/* The owner is killed while the guest runs. */
static void killed(void)
{
	long held = pinned_before();

	only_pinned();
	for (int i = 0; i < 10; i++) {
		int to_us[2], status;
		char c;
		pid_t pid;

		MUST_OK(pipe(to_us));
		pid = fork();
		if (!pid) {
			char *mem = map_pages(PAGES * PAGE);
			struct vm vm;

			vm_make(&vm, 1, 0);
			if (mem_set(vm.fd, SLOT, 0, AREA, PAGES * PAGE, mem))
				_exit(1);
			for (;;) {
				if (walk(&vm, 50u * (unsigned int)(i + 1)) || write(to_us[1], "", 1) != 1)
					_exit(1);
			}
		}
		CHECK(read(to_us[0], &c, 1) == 1);
		kill(pid, SIGKILL);
		MUST(waitpid(pid, &status, 0) == pid, "%s", strerror(errno));
		CHECK(WIFSIGNALED(status), "%x", status);
		close(to_us[0]);
		close(to_us[1]);
	}
	CHECK(pinned_is(held), "%ld", pinned() - held);
}

/*
 * Stores that the syndrome does not describe: the driver reads the instruction, by the guest's
 * tables and through the caches, which are on. Long descriptors: the lowest GiB, with the device,
 * is Strongly-ordered, and that of AREA write-back.
 */
GUEST_CODE(pairs, "adr r0, 4f\n\tmov r1, #0\n\tmcrr p15, 0, r0, r1, c2\n\t"
	   "ldr r0, =0x80000000\n\tmcr p15, 0, r0, c2, c0, 2\n\tmov r0, #0xff00\n\t"
	   "mcr p15, 0, r0, c10, c2, 0\n\tisb\n\tmrc p15, 0, r0, c1, c0, 0\n\torr r0, r0, #5\n\t"
	   "mcr p15, 0, r0, c1, c0, 0\n\tisb\n\tldr r1, =DEV_BASE\n1:\tstrd r2, r3, [r1]\n\t"
	   "b 1b\n\t.balign 32\n4:\t.word 0x00000701, 0, 0, 0, 0x80000705, 0, 0, 0");

/* The guest's page is decoded, and not what its owner has there by now. */
static void decoded(void)
{
	char *mem = map_pages(PAGE);
	struct vm vm;

	only_pinned();
	vm_make(&vm, 1, 0);
	memcpy(mem, code_pairs, (size_t)(code_pairs_end - code_pairs));
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, PAGE, mem));
	reg32_set(vm.vcpu[0].fd, REG_PC, AREA);
	for (int i = 0; i < 10; i++) {
		CHECK_OK(ioctl(vm.vcpu[0].fd, KVM_RUN, 0));
		CHECK(vm.vcpu[0].run->exit_reason == KVM_EXIT_MMIO, "%d: exit %u", i,
		      vm.vcpu[0].run->exit_reason);
		if (i == 1)
			MUST(mmap(mem, PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == mem,
			     "%s", strerror(errno));
	}
}

static const struct ktap_case cases[] = {
	{ "counted", counted, 0 },
	{ "kept", kept, 0 },
	{ "userfault", userfault, 0 },
	{ "userfault_killed", userfault_killed, 0 },
	{ "unpinned", unpinned, 0 },
	{ "unpin_refused", unpin_refused, 0 },
	{ "unpin_raced", unpin_raced, 120 },
	{ "changed", changed, 0 },
	{ "made_writable", made_writable, 0 },
	{ "raced", raced, 120 },
	{ "limit", limit, 0 },
	{ "limit_raced", limit_raced, 120 },
	{ "killed", killed, 120 },
	{ "decoded", decoded, 0 },
};
KTAP_MAIN(cases)

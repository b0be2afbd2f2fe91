// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random ioctls with random arguments against VMs whose guests run: two threads on each fd; half of
 * the arguments are nearly right, half are arbitrary. Nothing may happen: no splat, no hang, no
 * leak; and the process can be killed at any moment. The caller is an unprivileged member of the
 * node's group (docs/hazards.md 19).
 *
 *   ./fuzz             the seeds that once failed, then new ones for $FUZZ_SECONDS (4); a long run
 *                      goes on, on a slow machine, until each ioctl has succeeded often
 *   ./fuzz SEED...     these alone, $FUZZ_SECONDS each
 *
 * A seed is one process with a VM of its own that lives for ROUND_MS. Its threads each draw from a
 * sequence that the seed gives; which of them comes first is up to the scheduler.
 */
#include "fuzz.h"
#include "seeds.h"

#include <limits.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define ROUND_MS	1500
#define LONG_RUN	120	/* seconds from which each ioctl must have succeeded often */
#define OFTEN		1000
#define PATIENCE	3	/* times $FUZZ_SECONDS, at most */

/*
 * A seed that finds a fault is kept here, and every make check runs it. If the arguments are made
 * in another way, the same seed gives another sequence: so also add a case for the fault to the
 * program of its area. The first seed stands for those that found nothing.
 */
static const uint64_t kept[] = {
	1,
};

/* Works on all slots in turn and reports. Others change its registers and memory. */
GUEST_CODE(busy, "ldr r1, =DEV_BASE\n\tldr r2, =0x80000000\n\tldr r3, =0x0b000000\n\t"
	   "mov r5, #0\n1:\tstr r5, [r2]\n\tadd r5, r5, #1\n\tadd r2, r2, #4096\n\t"
	   "tst r5, #63\n\tldreq r2, =0x80000000\n\tstr r5, [r3]\n\tldr r4, [r1, #4]\n\t"
	   "tst r5, #7\n\tstreq r5, [r1]\n\tldr r0, =0x84000000\n\thvc #0\n\tldr r1, =DEV_BASE\n\t"
	   "ldr r3, =0x0b000000\n\tb 1b");

/* Shared by all rounds. */
static struct tally {
	unsigned int tried, done;
} *tally;

static void tally_add(unsigned int *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

/* Makes one call. A file that it opens is closed at once, so that some_fd() does not find it. */
static int fire(struct dice *d, const struct op *op, int fd)
{
	union argument a;
	uintptr_t arg;
	int r;

	if (one_in(d, 8)) {
		for (unsigned int i = 0; i < sizeof(a.bytes) / 8; i++) {
			uint64_t v = odd_number(d);

			memcpy(a.bytes + i * 8, &v, 8);
		}
	} else {
		memset(&a, 0, sizeof(a.bytes));
	}
	arg = op->make(d, &a);
	if (arg == (uintptr_t)&a && one_in(d, 16))
		arg = (uintptr_t)pointer(d);
	tally_add(&tally[op - ops].tried);
	r = ioctl(fd, op->request, arg);
	if (r < 0)
		return r;
	tally_add(&tally[op - ops].done);
	if (op->request == KVM_GET_STATS_FD)
		(void)!pread(r, pointer(d), below(d, 4096), one_in(d, 2) ? below(d, 4096) : 0);
	if (op->request == KVM_CREATE_VCPU || op->request == KVM_GET_STATS_FD)
		close(r);
	else if (op->request == KVM_CREATE_DEVICE && arg == (uintptr_t)&a && !(a.device.flags & 1))
		close((int)a.device.fd);
	return r;
}

static const struct op *pick(struct dice *d, enum on on)
{
	const struct op *op;

	do {
		op = &ops[below(d, nr_ops)];
	} while (op->on != on || below(d, MAX_WEIGHT) >= op->weight);
	return op;
}

static const struct op *op_of(enum on on, unsigned long request)
{
	const struct op *op = ops;

	while (op->on != on || op->request != request)
		op++;
	return op;
}

/* A second VM, from its creation to its end, for calls that are possible once in a VM's life. */
static void short_life(struct dice *d, int vm)
{
	unsigned int n = below(d, 10);
	int cpu = -1;

	if (!one_in(d, 8)) {
		const struct op *op = op_of(ON_VM, KVM_CREATE_VCPU);

		tally_add(&tally[op - ops].tried);
		cpu = ioctl(vm, KVM_CREATE_VCPU, below(d, 8));
		if (cpu >= 0)
			tally_add(&tally[op - ops].done);
	}
	/* Most of these VMs get a GIC with addresses. */
	if (!one_in(d, 8)) {
		fire(d, op_of(ON_VM, KVM_CREATE_IRQCHIP), vm);
		for (int i = 0; i < 4; i++)
			fire(d, op_of(ON_VM, KVM_ARM_SET_DEVICE_ADDR), vm);
		/* The timers' interrupts can change until a vCPU has run. */
		for (int i = 0; cpu >= 0 && i < 6; i++)
			fire(d, op_of(ON_VCPU, KVM_SET_DEVICE_ATTR), cpu);
	}
	for (int i = 0; i < 3; i++)
		fire(d, op_of(ON_VM, KVM_SET_USER_MEMORY_REGION), vm);
	while (n--) {
		fire(d, pick(d, ON_VM), vm);
		if (cpu >= 0 && one_in(d, 2)) {
			const struct op *op = pick(d, ON_VCPU);

			/* RUN would wait in the guest for a kick that nobody sends. */
			if (op->request != KVM_RUN)
				fire(d, op, cpu);
		}
	}
	if (cpu >= 0 && one_in(d, 2)) {
		close(cpu);
		cpu = -1;
	}
	close(vm);
	if (cpu >= 0)
		close(cpu);
}

/* --- threads --- */

static void block_kicks(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Which fd a thread works on: two threads for each, and two more for VMs that come and go. */
static enum on attack_on(unsigned int n)
{
	static const enum on kinds[ATTACKERS / 2] = {
		ON_SYS, ON_VM, ON_VCPU, ON_GIC, ON_VCPU, ON_SYS,
	};

	return kinds[n / 2];
}

static void *attack(void *arg)
{
	unsigned int n = (unsigned int)(uintptr_t)arg, cpu = n / 2 == 4;
	struct dice d = { m.seed ^ (uint64_t)(n + 1) << 48 };
	enum on on = attack_on(n);
	int fds[ON_KINDS] = { m.vm.sys, m.vm.fd, m.vm.vcpu[cpu].fd, m.vm.gic };

	if (on != ON_VCPU)
		block_kicks();
	for (;;) {
		const struct op *op = pick(&d, on);
		int r;

		if (op->request == KVM_RUN && !one_in(&d, 16))
			continue;
		r = fire(&d, op, fds[on]);
		if (r >= 0 && op->request == KVM_CREATE_VM)
			short_life(&d, r);
		/* They never wait for anything, and would leave little time for the others. */
		if (on == ON_GIC)
			usleep(2000);
		/* A vCPU that is lost somewhere starts anew now and then. */
		if (on == ON_VCPU && one_in(&d, 64)) {
			struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };
			struct kvm_guest_debug still = {};

			vm_vcpu_init(&m.vm, cpu);
			ioctl(fds[on], KVM_SET_MP_STATE, &run);
			ioctl(fds[on], KVM_SET_SIGNAL_MASK, NULL);
			ioctl(fds[on], KVM_SET_GUEST_DEBUG, &still);
			reg32_set(fds[on], REG_PC, RAM_BASE + 0x10000 * (cpu + 1));
		}
	}
	return NULL;
}

static void *run(void *arg)
{
	unsigned int i = (unsigned int)(uintptr_t)arg, op;

	for (op = 0; ops[op].request != KVM_RUN; op++)
		;
	for (;;) {
		int r = ioctl(m.vm.vcpu[i].fd, KVM_RUN, 0);

		tally_add(&tally[op].tried);
		if (r >= 0)
			tally_add(&tally[op].done);
		else if (errno != EINTR)
			usleep(500);
	}
	return NULL;
}

/* Kicks the vCPUs, scribbles over memory shared with the kernel, changes the memory of slots. */
static void *disturb(void *arg)
{
	pthread_t on_vcpu[VCPUS + ATTACKERS] = { m.thread[0], m.thread[1] };
	unsigned int nr = VCPUS;
	struct dice d = { m.seed };
	uint64_t one = 1;

	(void)arg;
	block_kicks();
	for (unsigned int n = 0; n < ATTACKERS; n++)
		if (attack_on(n) == ON_VCPU)
			on_vcpu[nr++] = m.thread[VCPUS + n];
	for (;;) {
		unsigned int i = below(&d, VCPUS);
		char *run = (char *)m.vm.vcpu[i].run;

		m.vm.vcpu[i].run->immediate_exit = one_in(&d, 4);
		/* A vCPU's ioctls wait for the end of its RUN. */
		for (unsigned int n = 0; n < VCPUS; n++)
			pthread_kill(m.thread[n], SIGUSR1);
		pthread_kill(on_vcpu[below(&d, nr)], SIGUSR1);
		if (one_in(&d, 4))
			run[below(&d, 2 * PAGE)] = (char)roll(&d);
		if (one_in(&d, 4))
			((uint32_t *)(run + PAGE))[below(&d, 2)] = below(&d, 180);
		if (one_in(&d, 4))
			madvise(m.pool + below(&d, POOL_USED / PAGE - 16) * PAGE, 16 * PAGE,
				MADV_DONTNEED);
		if (one_in(&d, 4))
			(void)!write(m.event[below(&d, EVENTFDS)], &one, 8);
		usleep(1000);
	}
	return NULL;
}

static void on_kick(int sig)
{
	(void)sig;
}

static void reserve(void)
{
	m.pool = mmap(NULL, POOL_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		      -1, 0);
	MUST(m.pool != MAP_FAILED, "no address space");
	MUST_OK(mprotect(m.pool, POOL_USED, PROT_READ | PROT_WRITE));
	m.edge = map_pages(2 * PAGE) + PAGE;
	munmap(m.edge, PAGE);
	m.readonly = map_pages(PAGE);
	MUST_OK(mprotect(m.readonly, PAGE, PROT_READ));
	for (unsigned int i = 0; i < EVENTFDS; i++)
		m.event[i] = (int)MUST_OK(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

static void list_regs(void)
{
	static struct {
		struct kvm_reg_list head;
		uint64_t ids[sizeof(m.regs) / sizeof(m.regs[0])];
	} list = { .head.n = sizeof(m.regs) / sizeof(m.regs[0]) };

	MUST_OK(ioctl(m.vm.vcpu[0].fd, KVM_GET_REG_LIST, &list));
	m.nr_regs = (uint32_t)list.head.n;
	memcpy(m.regs, list.ids, m.nr_regs * sizeof(m.regs[0]));
}

/* Ends only when it is killed. */
static void round_child(uint64_t seed)
{
	struct kvm_mp_state on = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct sigaction sa = { .sa_handler = on_kick };
	struct dice d = { seed };
	unsigned int without;

	be_nobody(true);
	/* Must come after a change of the user, which would clear it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	m.seed = seed;
	sigaction(SIGUSR1, &sa, NULL);
	reserve();
	/* Mostly with a GIC that is ready; sometimes with one that is not, or with none. */
	without = one_in(&d, 4) ? VM_NO_GIC_INIT : 0;
	if (one_in(&d, 8))
		without = VM_NO_GIC;
	vm_make(&m.vm, VCPUS, without);
	list_regs();
	for (unsigned int i = 0; i < VCPUS; i++) {
		ioctl(m.vm.vcpu[i].fd, KVM_SET_MP_STATE, &on);
		VM_CODE(&m.vm, i, busy);
		MUST(!pthread_create(&m.thread[i], NULL, run, (void *)(uintptr_t)i), "no thread");
	}
	for (uintptr_t n = 0; n < ATTACKERS; n++)
		MUST(!pthread_create(&m.thread[VCPUS + n], NULL, attack, (void *)n), "no thread");
	disturb(NULL);
}

/* Returns false if the process did not end as it should. */
static bool round_of(uint64_t seed)
{
	uint64_t end = now_ns() + ROUND_MS * 1000000ull * ktap_slowdown();
	uint64_t dead;
	int status = 0;
	pid_t pid;

	printf("# seed 0x%llx\n", (unsigned long long)seed);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		round_child(seed);
		_exit(1);
	}
	while (now_ns() < end) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			ktap_note("the process of seed 0x%llx ended by itself: status %x",
				  (unsigned long long)seed, status);
			return false;
		}
		usleep(20000);
	}
	kill(pid, SIGKILL);
	dead = now_ns() + 60000000000ull;
	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (now_ns() > dead) {
			ktap_note("the process of seed 0x%llx does not die",
				  (unsigned long long)seed);
			return false;
		}
		usleep(5000);
	}
	return true;
}

/* --- cases --- */

static void kept_seeds(void)
{
	seeds_keep(kept, sizeof(kept) / sizeof(kept[0]), round_of);
}

/* Can the ioctl not succeed here? */
static bool never(unsigned int i)
{
	return ops[i].never && !(ops[i].request == ARMVMM_UNPIN && host_pins());
}

static void report(void)
{
	for (unsigned int i = 0; i < nr_ops; i++) {
		static const char *const on[] = { "system", "VM", "vCPU", "vGIC" };

		ktap_note("%9u of %9u  %s %s", tally[i].done, tally[i].tried, on[ops[i].on],
			  ops[i].name);
		if (tally[i].done && tally[i].done < OFTEN)
			ktap_note("timing: %s", ops[i].name);
		CHECK(never(i) || tally[i].done >= OFTEN, "%s succeeded %u times only",
		      ops[i].name, tally[i].done);
		CHECK(!never(i) || !tally[i].done, "%s succeeded", ops[i].name);
	}
}

static bool often_enough(void)
{
	for (unsigned int i = 0; i < nr_ops; i++)
		if (!never(i) && tally[i].done < OFTEN)
			return false;
	return true;
}

static void random_seeds(void)
{
	bool long_run = seconds >= LONG_RUN && !nr_given;
	uint64_t start = now_ns(), end = start + seconds * 1000000000ull;
	unsigned int log = log_count("armvmm");
	struct dice d = { now_ns() };
	unsigned int i, n = 0;
	uint64_t calls = 0;

	node_share();
	while (now_ns() < end || (long_run && !often_enough() &&
				  now_ns() < start + PATIENCE * seconds * 1000000000ull)) {
		uint64_t seed = seeds_next(&d, n);

		CHECK(round_of(seed), "seed 0x%llx", (unsigned long long)seed);
		n++;
	}
	node_unshare();
	/* A host that pins memory tells of its limit, once an hour. */
	CHECK(log_count("armvmm") <= log + 1, "%u lines of the kernel's log",
	      log_count("armvmm") - log);
	for (i = 0; i < nr_ops; i++)
		calls += tally[i].tried;
	ktap_note("%u rounds, %llu calls, %llu s", n, (unsigned long long)calls,
		  (unsigned long long)(now_ns() - start) / 1000000000);
	CHECK(calls > 1000);
	if (long_run)
		report();
}

int main(int argc, char **argv)
{
	struct ktap_case cases[] = {
		{ "kept_seeds", kept_seeds, 120 },
		{ "random_seeds", random_seeds, 0 },
	};

	seeds_read(argc, argv);
	cases[1].seconds = PATIENCE * seconds + 120;
	tally = mmap(NULL, nr_ops * sizeof(*tally), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		return 1;
	return seeds_run(argv, cases, 2);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests that execute random instructions, on two vCPUs at once, in each mode, with and without
 * their MMU: coprocessor 14 and 15, floating point, calls of PSCI, accesses to devices in each form
 * of A32 and T32, status registers, and noise. Nothing may happen to the host, to another guest, to
 * memory that is not theirs, or to the vCPUs, which then still do what they should.
 *
 *   ./hypfuzz             the seeds that once failed, then new ones for $FUZZ_SECONDS (4)
 *   ./hypfuzz SEED...     these alone, $FUZZ_SECONDS each
 *
 * A seed is one process with a VM of its own. It gives each vCPU's programs and the state in which
 * they begin. How far a program comes before it is kicked is up to the scheduler.
 */
#include "binstats.h"
#include "hypfuzz.h"
#include "seeds.h"

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define VCPUS		2
#define BATCHES		4	/* in a round */
#define PROGRAMS	16	/* in a batch, of each vCPU */
#define KICK_US		2000
#define KICKS		2	/* that a program may last */
#define EXITS		200	/* likewise */
#define GUARD		(4 * PAGE)
#define PATTERN		0xa5

/*
 * Where the guest's counter begins. QEMU before 8.2 adds CNTVOFF to CNTV_CVAL with no look at the
 * carry: a deadline that is past the counter's end becomes one in the past, at which its main
 * thread stays for ever, and with it the host. A guest whose counter is ahead of the host's cannot
 * make one; all that it does to its timer remains.
 */
#define AHEAD		(1ull << 40)

#define MIRROR_KNOWN	(MIRRORS + 0x80)
#define KNOWN		0x1badb002u

#define BANKED(n)	CORE_REG(17 + (n))	/* sp, lr, spsr of svc, abt, und, irq; fiq */
#define NR_BANKED	20u
#define SCTLR		ARM_CP15_REG32(0, 1, 0, 0)
#define CPACR		ARM_CP15_REG32(0, 1, 0, 2)
#define TTBR0		ARM_CP15_REG32(0, 2, 0, 0)
#define DACR		ARM_CP15_REG32(0, 3, 0, 0)
#define VBAR		ARM_CP15_REG32(0, 12, 0, 0)
#define FPEXC		(KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_VFP | KVM_REG_ARM_VFP_FPEXC)

/*
 * Seeds that found a fault, each of which has a case of its own too. The first stands for those
 * that found nothing.
 */
static const uint64_t kept[] = {
	1,
	0xf41ec6bd86ef1be7,	/* FCSEIDR: kselftest/hoststate */
	0xa58fd064dfc3bcc4,	/* hung the emulator: AHEAD */
};

/*
 * Exceptions go on behind the instruction, but a jump to nowhere is a program's end; an interrupt
 * is acknowledged and ended.
 */
GUEST_CODE(vectors, "nop\n\tmovs pc, lr\n\tmovs pc, lr\n\tb 2f\n\tsubs pc, lr, #4\n\tnop\n\t"
	   "b 1f\n\tb 1f\n2:\tldr r1, =DEV_BASE\n\tstr r0, [r1]\n\tb 2b\n1:\tstrd r0, r1, [sp]\n\tldr r1, =GICC_BASE\n\tldr r0, [r1, #12]\n\t"
	   "str r0, [r1, #16]\n\tldrd r0, r1, [sp]\n\tsubs pc, lr, #4");

/* What a sound vCPU does: calls PSCI, reads a device and a mirror, computes; r4 to r8 have it. */
GUEST_CODE(probe, "mov r0, #0x84000000\n\thvc #0\n\tmov r4, r0\n\tldr r1, =GICD_BASE\n\t"
	   "ldr r5, [r1, #8]\n\tldr r1, =0x0b000080\n\tldr r6, [r1]\n\tmov r0, #0xf00000\n\t"
	   "mcr p15, 0, r0, c1, c0, 2\n\tisb\n\tmov r0, #1 << 30\n\tvmsr fpexc, r0\n\t"
	   "vmov s5, r6\n\tvmov.f32 s6, s5\n\tvmov r7, s6\n\tmrc p15, 0, r8, c0, c0, 5\n\t"
	   "ldr r1, =DEV_BASE\n\tstr r8, [r1]\n\tb .");

/*
 * The other guest: puts its number everywhere, and looks whether it stays there. Reports how often
 * it looked, or 0xbad0 for ever.
 */
#define EVERYWHERE(op, text)	\
	op " p15, 0, " text ", c13, c0, 1\n\t" op " p15, 0, " text ", c13, c0, 2\n\t"	\
	op " p15, 0, " text ", c13, c0, 3\n\t" op " p15, 0, " text ", c13, c0, 4\n\t"	\
	op " p15, 0, " text ", c6, c0, 0\n\t" op " p15, 0, " text ", c6, c0, 2\n\t"
#define LOOK(what)	what "\n\tcmp r0, r2\n\tbne 9f\n\t"
GUEST_CODE(other, "ldr r1, =DEV_BASE\n\tldr r2, =0x5a17c3e9\n\tmov r0, #0xf00000\n\t"
	   "mcr p15, 0, r0, c1, c0, 2\n\tisb\n\tmov r0, #1 << 30\n\tvmsr fpexc, r0\n\t"
	   EVERYWHERE("mcr", "r2") "vmov s0, r2\n\tvmov s17, r2\n\tvmov s31, r2\n\t"
	   "mcrr p15, 3, r2, r2, c14\n\tmov r3, r2\n\tmov r4, r2\n\tmov r5, r2\n\tmov r6, r2\n\t"
	   "mov r7, r2\n\tmov r8, r2\n\tmov r9, r2\n\tmov r10, r2\n\tmov r12, r2\n\tmov sp, r2\n\t"
	   "mov lr, r2\n\tmov r11, #0\n\t"
	   "1:\n\t" LOOK("mov r0, r3") LOOK("mov r0, r4") LOOK("mov r0, r5") LOOK("mov r0, r6")
	   LOOK("mov r0, r7") LOOK("mov r0, r8") LOOK("mov r0, r9") LOOK("mov r0, r10")
	   LOOK("mov r0, r12") LOOK("mov r0, sp") LOOK("mov r0, lr") LOOK("vmov r0, s0")
	   LOOK("vmov r0, s17") LOOK("vmov r0, s31") LOOK("mrc p15, 0, r0, c13, c0, 1")
	   LOOK("mrc p15, 0, r0, c13, c0, 2") LOOK("mrc p15, 0, r0, c13, c0, 3")
	   LOOK("mrc p15, 0, r0, c13, c0, 4") LOOK("mrc p15, 0, r0, c6, c0, 0")
	   LOOK("mrc p15, 0, r0, c6, c0, 2") LOOK("mrrc p15, 3, r0, r12, c14")
	   "add r11, r11, #1\n\tmovs r0, r11, lsl #22\n\tstreq r11, [r1]\n\tb 1b\n\t"
	   "9:\tmovw r0, #0xbad0\n\tstr r0, [r1]\n\tb 9b");

/* How a program ends. */
enum end { END_DONE, END_KICKED, END_EXITS, END_EVENT, END_FAULT, END_SYNDROME, END_ENDS };

static const char *const end_names[END_ENDS] = {
	"came to their end", "were kicked", "made many exits", "switched the machine off",
	"found no memory", "had no syndrome",
};

/* What has to be reached: counters of vCPUs. */
static const char *const reached[] = {
	"exits", "hvc_exit_stat", "smc_exit_stat", "wfi_exit_stat", "cp_exit_stat",
	"mmio_exit_kernel", "mmio_exit_user", "page_faults", "hyp_hvc", "hyp_cp15", "hyp_fp",
	"hyp_gicd",
};
#define NR_REACHED	(sizeof(reached) / sizeof(reached[0]))

/* Shared by all rounds. */
static struct tally {
	unsigned int kind[KIND_KINDS], thumb, end[END_ENDS], posted, rang;
	uint64_t reached[NR_REACHED];
} *tally;

static void count(unsigned int *n, unsigned int more)
{
	__atomic_fetch_add(n, more, __ATOMIC_RELAXED);
}

/* The machine of a round. */
static struct {
	struct vm vm, other;
	struct runner runner;
	uint64_t seed;
	char *readonly, *logged, *edge;
	char copy[SLOT_SIZE];	/* of .logged */
	int bell;
	pthread_t thread[VCPUS];
	pthread_barrier_t barrier;
	volatile bool finished[VCPUS];
} m;

static volatile bool wrong;

#define WRONG(...) (ktap_note(__VA_ARGS__), wrong = true)

/* --- memory --- */

/* Between two guards. */
static char *make_slot(uint32_t slot, uint32_t flags, uint32_t at, size_t size)
{
	char *p = map_pages(size + 2 * GUARD);

	memset(p, PATTERN, size + 2 * GUARD);
	MUST_OK(mem_set(m.vm.fd, slot, flags, at, size, p + GUARD));
	return p + GUARD;
}

static bool is_pattern(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)p[i] != PATTERN)
			return false;
	return true;
}

static void check_guards(const char *slot, size_t size, const char *name)
{
	if (!is_pattern(slot - GUARD, GUARD) || !is_pattern(slot + size, GUARD))
		WRONG("memory beside the %s slot was written", name);
}

static void check_memory(void)
{
	uint64_t bits = 0;
	struct kvm_dirty_log log = { .slot = 2, .dirty_bitmap = &bits };

	MUST_OK(ioctl(m.vm.fd, KVM_GET_DIRTY_LOG, &log));
	vm_sync(m.logged, SLOT_SIZE);
	vm_sync(m.readonly, SLOT_SIZE);
	check_guards(m.readonly, SLOT_SIZE, "read-only");
	check_guards(m.logged, SLOT_SIZE, "logged");
	check_guards(m.edge, PAGE, "small");
	if (!is_pattern(m.readonly, SLOT_SIZE))
		WRONG("the read-only slot was written");
	for (unsigned int i = 0; i < SLOT_SIZE / PAGE; i++)
		if (memcmp(m.logged + i * PAGE, m.copy + i * PAGE, PAGE) && !(bits >> i & 1))
			WRONG("page %u was written, and the log does not say so", i);
	memcpy(m.copy, m.logged, SLOT_SIZE);
}

static char *ram(uint32_t at)
{
	return m.vm.ram + (at - RAM_BASE);
}

/* Vectors, and tables that map all to itself, or some of it anywhere. */
static void make_world(struct dice *d)
{
	uint32_t *table = (uint32_t *)ram(RAM_TABLES);

	memcpy(ram(RAM_VECTORS), code_vectors, (size_t)(code_vectors_end - code_vectors));
	for (uint32_t i = 0; i < 4096; i++) {
		uint32_t at = i << 20;

		table[i] = at | (at >= RAM_BASE ? 0x1c0e : 0xc02);
		if (one_in(d, 16) && at - RAM_BASE >= RAM_SIZE)
			table[i] = (uint32_t)roll(d);
	}
	__builtin___clear_cache(ram(RAM_VECTORS), ram(RAM_VECTORS) + PAGE);
	vm_sync(ram(RAM_VECTORS), PAGE);
	vm_sync(table, 4 * PAGE);
}

/* --- one program --- */

static uint32_t code_at(unsigned int i)
{
	return RAM_BASE + 0x10000 * (i + 1);
}

/* The state that a program begins with: mostly such that it gets on. */
static void set_state(unsigned int i, struct dice *d, const struct program *p, uint32_t pc)
{
	static const uint32_t modes[] = {
		0x13, 0x13, 0x13, 0x13, 0x1f, 0x10, 0x11, 0x12, 0x17, 0x1b,
	};
	int fd = m.vm.vcpu[i].fd;
	uint32_t sctlr = reg32(fd, SCTLR);

	for (unsigned int n = 0; n < 13; n++)
		reg32_set(fd, REG_R(n), program_value(d));
	for (unsigned int n = 0; n < NR_BANKED; n++) {
		uint32_t v = RAM_STACKS + i * 0x4000 + n * 0x80;

		/* SPSR: an exception that ends there may go on in any mode. */
		if (n < 12 && n % 3 == 2)
			v = modes[below(d, 10)] | (uint32_t)p->thumb << 5;
		reg_set(fd, BANKED(n), &v);
	}
	reg32_set(fd, REG_SP, RAM_STACKS + i * 0x4000 + 0x2000);
	reg32_set(fd, REG_LR, pc);
	reg32_set(fd, VBAR, RAM_VECTORS);
	reg32_set(fd, CPACR, one_in(d, 4) ? (uint32_t)roll(d) & 0xf00000 : 0xf00000);
	if (!one_in(d, 4))
		reg32_set(fd, FPEXC, 1u << 30);
	reg32_set(fd, TTBR0, RAM_TABLES);
	reg32_set(fd, DACR, one_in(d, 4) ? (uint32_t)roll(d) : 0x55555555);
	if (one_in(d, 2))
		reg32_set(fd, SCTLR, sctlr | 0x1005);
	else if (one_in(d, 8))
		reg32_set(fd, SCTLR, (uint32_t)roll(d));
	reg32_set(fd, REG_PC, pc);
	reg32_set(fd, REG_CPSR, modes[below(d, 10)] | (uint32_t)p->thumb << 5 |
				(one_in(d, 16) ? 0x200u : 0) | (one_in(d, 2) ? 0x1c0u : 0));
}

/* Completes an access with any answer. Returns whether the program is at its end. */
static bool answer(struct kvm_run *run, struct dice *answers)
{
	uint64_t any = roll(answers);

	if (run->mmio.is_write)
		return run->mmio.phys_addr == DONE;
	if (run->mmio.len > 8)
		WRONG("a read of %u bytes", run->mmio.len);
	else
		memcpy(run->mmio.data, &any, run->mmio.len);
	return false;
}

static enum end run_program(unsigned int i, struct dice *answers)
{
	struct kvm_run *run = m.vm.vcpu[i].run;
	unsigned int kicks = 0;

	for (unsigned int exits = 0; exits < EXITS; exits++) {
		if (ioctl(m.vm.vcpu[i].fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR && ++kicks < KICKS)
				continue;
			if (errno == EINTR)
				return END_KICKED;
			if (errno != EFAULT && errno != ENOEXEC)
				WRONG("KVM_RUN: %s", strerror(errno));
			return END_FAULT;
		}
		switch (run->exit_reason) {
		case KVM_EXIT_MMIO:
			if (answer(run, answers))
				return END_DONE;
			break;
		case KVM_EXIT_SYSTEM_EVENT:
			return END_EVENT;
		case KVM_EXIT_ARM_NISV:
			return END_SYNDROME;
		default:
			WRONG("exit %u", run->exit_reason);
			return END_EXITS;
		}
	}
	return END_EXITS;
}

/* What the guest posted. */
static void drain(void)
{
	struct kvm_coalesced_mmio_ring *ring = (void *)((char *)m.vm.vcpu[0].run + PAGE *
							KVM_COALESCED_MMIO_PAGE_OFFSET);
	unsigned int max = (PAGE - sizeof(*ring)) / sizeof(ring->coalesced_mmio[0]);
	uint64_t rings = 0;

	if (ring->first >= max || ring->last >= max)
		WRONG("the ring is at %u and %u", ring->first, ring->last);
	count(&tally->posted, (ring->last + max - ring->first) % max);
	ring->first = ring->last;
	if (m.bell >= 0 && read(m.bell, &rings, sizeof(rings)) == sizeof(rings))
		count(&tally->rang, (unsigned int)rings);
}

/* A vCPU that is begun anew does what it should. */
static void probe(unsigned int i)
{
	static const char *const what[] = {
		"PSCI's version", "GICD_IIDR", "a mirror", "floating point", "MPIDR",
	};
	struct kvm_run *run = m.vm.vcpu[i].run;
	int fd = m.vm.vcpu[i].fd;
	uint32_t want[] = { 0, 0, KNOWN, KNOWN, 0 };
	unsigned int tries = 0;

	vm_vcpu_init(&m.vm, i);
	vm_vcpu_on(&m.vm, i);
	VM_CODE(&m.vm, i, probe);
	want[4] = reg32(fd, ARM_CP15_REG32(0, 0, 0, 5));
	while (ioctl(fd, KVM_RUN, 0) < 0 && errno == EINTR && tries < 1000)
		tries++;
	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
	    run->mmio.phys_addr != DONE) {
		WRONG("vCPU %u does not get on: exit %u, PC %08x, r4 %08x", i, run->exit_reason,
		      reg32(fd, REG_PC), reg32(fd, REG_R(4)));
		return;
	}
	for (unsigned int n = 0; n < 5; n++) {
		uint32_t is = reg32(fd, REG_R(4 + n));
		bool right = is == want[n];

		if (n == 0)
			right = is >> 16 == 1 || is == 2;
		else if (n == 1)
			right = (is & 0xfff) == 0x43b;
		if (!right)
			WRONG("vCPU %u: %s is %08x", i, what[n], is);
	}
}

/* --- a round --- */

static void make_programs(unsigned int i, struct dice *d, struct program *p)
{
	char *page = ram(code_at(i));

	for (unsigned int n = 0; n < PROGRAMS; n++) {
		program_make(&p[n], d);
		memcpy(page + n * sizeof(p[n].word), p[n].word, sizeof(p[n].word));
	}
	__builtin___clear_cache(page, page + PAGE);
	vm_sync(page, PAGE);
}

static void batch(unsigned int i, struct dice *d, struct dice *answers)
{
	static struct program programs[VCPUS][PROGRAMS];
	struct program *p = programs[i];

	if (!i)
		make_world(d);
	make_programs(i, d, p);
	pthread_barrier_wait(&m.barrier);
	for (unsigned int n = 0; n < PROGRAMS; n++) {
		uint32_t pc = code_at(i) + n * (uint32_t)sizeof(p->word);

		vm_vcpu_init(&m.vm, i);
		set_state(i, d, &p[n], pc);
		vm_vcpu_on(&m.vm, i);
		count(&tally->kind[p[n].kind], 1);
		count(&tally->thumb, p[n].thumb);
		count(&tally->end[run_program(i, answers)], 1);
		if (!i)
			drain();
	}
	pthread_barrier_wait(&m.barrier);
	if (!i) {
		check_memory();
		for (unsigned int n = 0; n < VCPUS; n++)
			probe(n);
	}
	pthread_barrier_wait(&m.barrier);
}

static void *vcpu_main(void *arg)
{
	unsigned int i = (unsigned int)(uintptr_t)arg;
	struct dice d = { m.seed ^ (uint64_t)(i + 1) << 48 }, answers = { ~d.state };

	for (unsigned int n = 0; n < BATCHES; n++)
		batch(i, &d, &answers);
	m.finished[i] = true;
	return NULL;
}

static void on_kick(int sig)
{
	(void)sig;
}

static void set_mirror(uint64_t addr, uint32_t size, uint32_t value)
{
	struct armvmm_mirror mirror = { .addr = addr, .size = size, .value = value };

	MUST_OK(ioctl(m.vm.fd, ARMVMM_SET_MIRROR, &mirror));
}

static void make_machine(struct dice *d)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = ZONES, .size = 0x100 };
	struct kvm_enable_cap nisv = { .cap = KVM_CAP_ARM_NISV_TO_USER };
	uint64_t counter = AHEAD;

	vm_make(&m.vm, VCPUS, 0);
	MUST_OK(reg_set(m.vm.vcpu[0].fd, KVM_REG_ARM_TIMER_CNT, &counter));
	m.readonly = make_slot(1, KVM_MEM_READONLY, SLOT_READONLY, SLOT_SIZE);
	m.logged = make_slot(2, KVM_MEM_LOG_DIRTY_PAGES, SLOT_LOGGED, SLOT_SIZE);
	m.edge = make_slot(3, 0, SLOT_EDGE, PAGE);
	memcpy(m.copy, m.logged, SLOT_SIZE);
	set_mirror(MIRROR_KNOWN, 4, KNOWN);
	for (uint32_t i = 0; i < 12; i++)
		set_mirror(MIRRORS + 4 * i, 1u << i % 3, i);
	MUST_OK(ioctl(m.vm.fd, KVM_REGISTER_COALESCED_MMIO, &zone));
	m.bell = -1;
	if (host_has_eventfd()) {
		struct kvm_ioeventfd e = { .addr = DOORBELL, .len = 4 };

		m.bell = e.fd = (int)MUST_OK(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
		MUST_OK(ioctl(m.vm.fd, KVM_IOEVENTFD, &e));
	}
	if (one_in(d, 4))
		MUST_OK(ioctl(m.vm.fd, KVM_ENABLE_CAP, &nisv));
}

static void take_stats(void)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		int fd = stats_fd(m.vm.vcpu[i].fd);

		for (unsigned int n = 0; n < NR_REACHED; n++)
			tally->reached[n] += stat_of(fd, reached[n]);
		close(fd);
	}
}

/* Returns the child's exit status. */
static int round_child(uint64_t seed)
{
	struct sigaction sa = { .sa_handler = on_kick };
	struct dice d = { seed };
	unsigned int looked;

	be_nobody(true);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	m.seed = seed;
	sigaction(SIGUSR1, &sa, NULL);
	make_machine(&d);
	vm_make(&m.other, 1, 0);
	VM_CODE(&m.other, 0, other);
	runner_start(&m.runner, &m.other, 0);
	MUST(!pthread_barrier_init(&m.barrier, NULL, VCPUS), "no barrier");
	for (uintptr_t i = 0; i < VCPUS; i++)
		MUST(!pthread_create(&m.thread[i], NULL, vcpu_main, (void *)i), "no thread");
	while (!m.finished[0] || !m.finished[1]) {
		usleep(KICK_US * ktap_slowdown());
		for (unsigned int i = 0; i < VCPUS; i++)
			if (!m.finished[i])
				pthread_kill(m.thread[i], SIGUSR1);
	}
	for (unsigned int i = 0; i < VCPUS; i++)
		pthread_join(m.thread[i], NULL);
	/* It looks once more after all that. */
	looked = m.runner.mmio;
	if (!runner_wait(&m.runner, looked + 2, PATIENCE_MS))
		WRONG("the other guest does not get on (%d)", m.runner.error);
	runner_stop(&m.runner);
	if (m.runner.last == 0xbad0)
		WRONG("the other guest has lost something of its own");
	take_stats();
	return wrong;
}

/* Returns false if the process did not end as it should. */
static bool round_of(uint64_t seed)
{
	uint64_t end = now_ns() + 60000000000ull * ktap_slowdown();
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		exit(round_child(seed));
	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (now_ns() > end) {
			ktap_note("timing: seed 0x%llx does not end", (unsigned long long)seed);
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return false;
		}
		usleep(5000);
	}
	if (status)
		ktap_note("the process of seed 0x%llx ended with status %x",
			  (unsigned long long)seed, status);
	return !status;
}

/* --- cases --- */

static void kept_seeds(void)
{
	seeds_keep(kept, sizeof(kept) / sizeof(kept[0]), round_of);
}

static void random_seeds(void)
{
	uint64_t start = now_ns(), end = start + seconds * 1000000000ull;
	unsigned int log = log_count("armvmm");
	struct dice d = { start };
	unsigned int n = 0;

	node_share();
	do {
		uint64_t seed = seeds_next(&d, n);

		printf("# seed 0x%llx\n", (unsigned long long)seed);
		CHECK(round_of(seed), "seed 0x%llx", (unsigned long long)seed);
		n++;
	} while (now_ns() < end);
	node_unshare();
	/* A host that pins memory tells of its limit, once an hour. */
	CHECK(log_count("armvmm") <= log + 1, "%u lines of the kernel's log", log_count("armvmm") - log);
	ktap_note("%u rounds, %u programs, %llu s", n, n * VCPUS * BATCHES * PROGRAMS,
		  (unsigned long long)(now_ns() - start) / 1000000000);
}

/* What the rounds before were made of, and what they met. */
static void reaches_all(void)
{
	unsigned int all = 0;

	for (unsigned int i = 0; i < END_ENDS; i++)
		all += tally->end[i];
	for (unsigned int i = 0; i < KIND_KINDS; i++)
		CHECK(tally->kind[i] >= all / 16, "%s: %u", kind_names[i], tally->kind[i]);
	for (unsigned int i = 0; i < END_ENDS; i++)
		ktap_note("%9u of %u programs %s", tally->end[i], all, end_names[i]);
	for (unsigned int i = 0; i < NR_REACHED; i++) {
		ktap_note("%9llu %s", (unsigned long long)tally->reached[i], reached[i]);
		/* The host answers all accesses without hyp_dist. */
		if (!strcmp(reached[i], "hyp_gicd") && !param_is("hyp_dist"))
			CHECK(!tally->reached[i], "%s", reached[i]);
		else
			CHECK(tally->reached[i], "%s", reached[i]);
	}
	ktap_note("%9u writes were posted, the bell rang %u times", tally->posted, tally->rang);
	CHECK(tally->posted);
	CHECK(tally->end[END_DONE] >= all / 8);
	CHECK(tally->thumb >= all / 8);
}

int main(int argc, char **argv)
{
	struct ktap_case cases[] = {
		{ "kept_seeds", kept_seeds, 120 },
		{ "random_seeds", random_seeds, 0 },
		{ "reaches_all", reaches_all, 0 },
	};

	seeds_read(argc, argv);
	cases[1].seconds = seconds + 120;
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (tally == MAP_FAILED)
		return 1;
	return seeds_run(argv, cases, 3);
}

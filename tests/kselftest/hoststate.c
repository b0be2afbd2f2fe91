// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's state stays the same while guests run on the same CPU: FP registers, thread registers,
 * fault addresses, the counter and user space's access to it, what user space may do and not do,
 * and whose memory is whose (docs/hazards.md 23). Each register of the table in
 * docs/architecture.md that user space can read has a case, and the guest changes all the others,
 * too, of which the host's kernel would come to harm; pmu and debug have those of the counters and
 * of breakpoints. unit/test_hyp_board looks at each register by itself.
 */
#include "vm.h"

#include <setjmp.h>
#include <sched.h>
#include <sys/wait.h>

/*
 * Changes each register that a guest can change and the host has too, in the order of the table in
 * docs/architecture.md; the MMU is off. Then exits by each kind of exit in turn.
 */
#define CP15(reg)	"mcr p15, 0, r4, " reg "\n\t"
#define CP15_64(reg)	"mcrr p15, " reg "\n\t"
#define BANK(reg)	"msr " reg ", r4\n\t"
GUEST_CODE(spoil, "ldr r1, =DEV_BASE\n\tmov r0, #0xf00000\n\tmcr p15, 0, r0, c1, c0, 2\n\tisb\n\t"
	   ".fpu neon\n\tmov r0, #1 << 30\n\tvmsr fpexc, r0\n\tldr r4, =0x5a5a5a5a\n"
	   "1:\tadd r4, r4, #0x11\n\t"
	   /* VBAR, PRRR, NMRR, TPIDRPRW, stacks; TTBR1; CNTKCTL; AMAIR0, AMAIR1; FCSEIDR */
	   CP15("c12, c0, 0") CP15("c10, c2, 0") CP15("c10, c2, 1") CP15("c13, c0, 4")
	   BANK("sp_abt") BANK("sp_und") BANK("sp_irq") CP15_64("1, r4, r4, c2")
	   "mov r0, #0\n\tmcr p15, 0, r0, c14, c1, 0\n\t"
	   CP15("c10, c3, 0") CP15("c10, c3, 1") CP15("c13, c0, 0")
	   /* LR and SPSR; SP_usr, LR_usr; fault status and address; PAR; CSSELR */
	   "mov lr, r4\n\tmsr spsr_cxsf, r4\n\t"
	   BANK("lr_abt") BANK("spsr_abt") BANK("lr_und") BANK("spsr_und") BANK("lr_irq")
	   BANK("spsr_irq") BANK("sp_usr") BANK("lr_usr")
	   CP15("c5, c0, 0") CP15("c5, c0, 1") CP15("c5, c1, 0") CP15("c5, c1, 1")
	   CP15("c6, c0, 0") CP15("c6, c0, 2") CP15_64("0, r4, r4, c7") CP15("c7, c4, 0")
	   "mcr p15, 2, r0, c0, c0, 0\n\t"
	   /* TTBR0, TTBCR, CONTEXTIDR; DACR; TPIDRURW, TPIDRURO; SP_svc; FIQ mode's */
	   CP15_64("0, r4, r4, c2") "and r0, r4, #7\n\tmcr p15, 0, r0, c2, c0, 2\n\t"
	   CP15("c13, c0, 1") CP15("c3, c0, 0") CP15("c13, c0, 2") CP15("c13, c0, 3")
	   "mov sp, r4\n\t"
	   BANK("r8_fiq") BANK("r9_fiq") BANK("r10_fiq") BANK("r11_fiq") BANK("r12_fiq")
	   BANK("sp_fiq") BANK("lr_fiq") BANK("spsr_fiq")
	   /* floating point; the virtual timer */
	   "vdup.32 q0, r4\n\tvdup.32 q4, r4\n\tvdup.32 q8, r4\n\tvdup.32 q15, r4\n\t"
	   "mov r0, #0x03000000\n\tvmsr fpscr, r0\n\t"
	   CP15_64("3, r4, r4, c14") "mov r0, #3\n\tmcr p15, 0, r0, c14, c3, 1\n\t"
	   "ldr r0, =0x84000000\n\thvc #0\n\tmrc p15, 0, r0, c1, c0, 1\n\tstr r4, [r1]\n\tb 1b");

/*
 * Gives its user mode all that it can, and takes away what it can: timers (CNTKCTL); unaligned
 * accesses, barriers by cp15, and exceptions in A32 and little-endian (SCTLR); coprocessors
 * (CPACR); tables' walks and domains (TTBCR.PD0 and PD1, DACR). The MMU is off.
 */
GUEST_CODE(grab, "ldr r1, =DEV_BASE\n\tldr r0, =0x3ff\n\tmcr p15, 0, r0, c14, c1, 0\n\t"
	   "mov r0, #0x30\n\tmcr p15, 0, r0, c2, c0, 2\n\tmov r0, #0\n\t"
	   "mcr p15, 0, r0, c3, c0, 0\n\tmcr p15, 0, r0, c1, c0, 2\n\t"
	   "mrc p15, 0, r0, c1, c0, 0\n\torr r0, r0, #2\n\tbic r0, r0, #0x20\n\t"
	   "orr r0, r0, #1 << 25\n\torr r0, r0, #1 << 30\n\tmcr p15, 0, r0, c1, c0, 0\n\tisb\n\t"
	   "1:\tstr r0, [r1]\n\tb 1b");
/* TEECR and TEEHBR: from the first access on they change hands. */
GUEST_CODE(thumbee, "ldr r1, =DEV_BASE\n\tldr r4, =0x5a5a5a40\n1:\tadd r4, r4, #4\n\t"
	   "mcr p14, 6, r4, c1, c0, 0\n\tmov r0, #1\n\tmcr p14, 6, r0, c0, c0, 0\n\t"
	   "str r4, [r1]\n\tb 1b");

static struct vm vm;
static struct runner r;

/* The guest runs in a thread that shares this one's CPU. */
#define RUN(code)								\
	do {									\
		cpu_bind(0);							\
		vm_make(&vm, 1, 0);						\
		VM_CODE(&vm, 0, code);						\
		runner_start(&r, &vm, 0);					\
		MUST(runner_wait(&r, 5, PATIENCE_MS), "the guest stands still");	\
	} while (0)

static void spoil(void)
{
	RUN(spoil);
}

static void done(void)
{
	unsigned int n = r.mmio;

	CHECK(runner_wait(&r, n + 5, PATIENCE_MS), "the guest stands still");
	runner_stop(&r);
	CHECK(!r.error, "%d", r.error);
}

static uint64_t until(unsigned int ms)
{
	return now_ns() + ms * 1000000ull;
}

static void fp(void)
{
	unsigned int bad = 0, n = 0;

	spoil();
	for (uint64_t end = until(2000); now_ns() < end; n++) {
		uint64_t in[32], out[32];
		uint32_t fpscr;

		for (unsigned int i = 0; i < 32; i++)
			in[i] = (uint64_t)(n * 2654435761u + i) << 32 | ~(n + i);
		asm volatile(".fpu neon\n\tvldm %1, {d0-d15}\n\tadd r3, %1, #128\n\tvldm r3, {d16-d31}\n\t"
			     "mov r3, #0x00400000\n\tvmsr fpscr, r3\n\tmov r3, #30000\n"
			     "1:\tsubs r3, r3, #1\n\tbne 1b\n\tvmrs %0, fpscr\n\t"
			     "vstm %2, {d0-d15}\n\tadd r3, %2, #128\n\tvstm r3, {d16-d31}\n\t"
			     "mov r3, #0\n\tvmsr fpscr, r3"
			     : "=&r"(fpscr) : "r"(in), "r"(out)
			     : "r3", "cc", "memory", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8",
			       "d9", "d10", "d11", "d12", "d13", "d14", "d15", "d16", "d17", "d18", "d19",
			       "d20", "d21", "d22", "d23", "d24", "d25", "d26", "d27", "d28", "d29", "d30",
			       "d31");
		bad += memcmp(in, out, sizeof(in)) || (fpscr & 0x0fffffff) != 0x00400000;
	}
	CHECK(!bad, "%u of %u times", bad, n);
	done();
}

/* TPIDRURW belongs to the thread; TPIDRURO is its TLS pointer (DDI 0406C B4.1.152). */
static void thread_registers(void)
{
	unsigned int bad = 0, n = 0;
	uint32_t ro, v;

	spoil();
	asm volatile("mrc p15, 0, %0, c13, c0, 3" : "=r"(ro));
	for (uint64_t end = until(1500); now_ns() < end; n++) {
		uint32_t want = 0xa0000000 + n;

		asm volatile("mcr p15, 0, %0, c13, c0, 2" :: "r"(want));
		for (volatile int i = 0; i < 5000; i++)
			;
		if (n % 8 == 0)
			sched_yield();
		asm volatile("mrc p15, 0, %0, c13, c0, 2" : "=r"(v));
		bad += v != want;
		asm volatile("mrc p15, 0, %0, c13, c0, 3" : "=r"(v));
		bad += v != ro;
	}
	CHECK(!bad, "%u of %u times", bad, n);
	done();
}

/* The client's own registers: when KVM_RUN returns, only HYP mode restores them. */
static void client_registers(void)
{
	unsigned int bad = 0;
	uint32_t ro, v;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, spoil);
	asm volatile("mrc p15, 0, %0, c13, c0, 3" : "=r"(ro));
	for (unsigned int i = 0; i < 200; i++) {
		uint32_t want = 0xa0000000 + i;

		asm volatile("mcr p15, 0, %0, c13, c0, 2" :: "r"(want));
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		asm volatile("mrc p15, 0, %0, c13, c0, 2" : "=r"(v));
		bad += v != want;
		asm volatile("mrc p15, 0, %0, c13, c0, 3" : "=r"(v));
		bad += v != ro;
	}
	CHECK(!bad, "%u of 200 times", bad);
}

static sigjmp_buf back;
static void *volatile fault_at;

static void on_fault(int sig, siginfo_t *info, void *ctx)
{
	(void)sig;
	(void)ctx;
	fault_at = info->si_addr;
	siglongjmp(back, 1);
}

/* Faults of the host report the address that it touched, not the guest's. */
static void fault_addresses(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	volatile unsigned int n, bad = 0;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	spoil();
	n = 0;
	for (uint64_t end = until(1500); now_ns() < end || n <= 10;) {
		volatile uint32_t *at = (uint32_t *)(0x1000 + (n++ % 1000) * 4);

		if (!sigsetjmp(back, 1)) {
			for (volatile int i = 0; i < 500; i++)
				;
			(void)*at;
			bad++;
		}
		bad += fault_at != at;
	}
	CHECK(!bad && n > 10, "%u of %u times", bad, n);
	done();
}

/* First touches, the kernel's most common use of the fault registers. */
static void page_faults(void)
{
	unsigned int bad = 0, n = 0;

	spoil();
	for (uint64_t end = until(1500); now_ns() < end || !n; n++) {
		uint32_t *p = (uint32_t *)map_pages(64 * 4096);

		for (unsigned int i = 0; i < 64; i++)
			p[i * 1024] = i + n;
		for (unsigned int i = 0; i < 64; i++)
			bad += p[i * 1024] != i + n;
		munmap(p, 64 * 4096);
	}
	CHECK(!bad && n, "%u words", bad);
	done();
}

/* Reads both clocks at one moment: of ten tries takes the one with the least time in between. */
static void both_clocks(uint64_t *mono, uint64_t *raw)
{
	uint64_t least = ~0ull;

	for (int i = 0; i < 10; i++) {
		uint64_t before = now_ns(), took;
		struct timespec t;

		clock_gettime(CLOCK_MONOTONIC_RAW, &t);
		took = now_ns() - before;
		if (took >= least)
			continue;
		least = took;
		*mono = before;
		*raw = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	}
}

/* The vdso takes time from CNTVCT: CNTVOFF and CNTKCTL must be the host's. */
static void clock_(void)
{
	uint64_t last = now_ns(), vct, last_vct = 0;
	unsigned int back_n = 0, n = 0;
	uint64_t raw0 = 0, mono0 = 0, raw = 0, mono = 0;

	spoil();
	both_clocks(&mono0, &raw0);
	for (uint64_t end = until(2000); last < end || !n; n++) {
		uint64_t now = now_ns();

		back_n += now < last;
		last = now;
		asm volatile("isb\n\tmrrc p15, 1, %Q0, %R0, c14" : "=r"(vct) :: "memory");
		back_n += vct < last_vct;
		last_vct = vct;
	}
	both_clocks(&mono, &raw);
	raw -= raw0;
	mono -= mono0;
	CHECK(!back_n && n, "time went back %u times", back_n);
	CHECK(raw > mono - mono / 50 && raw < mono + mono / 50, "%llu ns, %llu ns",
	      (unsigned long long)raw, (unsigned long long)mono);
	done();
}

/* The host's own timers still fire, and not early. */
static void sleeps(void)
{
	unsigned int early = 0;
	uint64_t worst = 0;

	spoil();
	for (int i = 0; i < 100; i++) {
		uint64_t t0 = now_ns(), took;

		usleep(3000);
		took = now_ns() - t0;
		early += took < 3000000;
		if (took > worst)
			worst = took;
	}
	CHECK(!early, "%u of 100 sleeps were short", early);
	if (worst >= 1000000000)
		ktap_note("timing: one of 3 ms took %llu ms", (unsigned long long)worst / 1000000);
	CHECK(worst < 1000000000, "one took %llu ms", (unsigned long long)worst / 1000000);
	done();
}

static void on_undefined(int sig, siginfo_t *info, void *ctx)
{
	(void)sig;
	(void)info;
	(void)ctx;
	siglongjmp(back, 1);
}

/* Does @insn work in user mode? */
#define WORKS(insn)								\
({										\
	volatile bool works_ = false;						\
										\
	if (!sigsetjmp(back, 1)) {						\
		asm volatile(insn : : : "r0", "r1", "memory");		\
		works_ = true;							\
	}									\
	works_;									\
})

/* What user space may do is as it was before there was a guest. */
static unsigned int rights(void)
{
	return WORKS("mrc p15, 0, r0, c14, c2, 1") |		/* CNTP_CTL */
	       WORKS("mrc p15, 0, r0, c14, c3, 1") << 1 |	/* CNTV_CTL */
	       WORKS("mrrc p15, 0, r0, r1, c14") << 2 |		/* CNTPCT */
	       WORKS("mcr p15, 0, r0, c7, c10, 5") << 3 |	/* a barrier, by cp15 */
	       WORKS("mrc p15, 0, r0, c9, c13, 0") << 4 |	/* the cycle counter */
	       WORKS(".fpu vfpv3\n\tvmrs r0, fpscr") << 5;
}

/*
 * CNTKCTL, SCTLR, CPACR, TTBCR, DACR: constant or live, and the host's. A signal comes in the
 * kernel's byte order and instruction set, and each system call copies from and to user space.
 */
static void user_rights(void)
{
	struct sigaction sa = { .sa_sigaction = on_undefined, .sa_flags = SA_SIGINFO };
	unsigned int before, now, bad = 0, n = 0;
	char bytes[16] = "0123456789abcdef";
	uint32_t word;
	int fds[2];

	sigaction(SIGILL, &sa, NULL);
	MUST(!pipe(fds), "pipe");
	before = rights();
	CHECK(!(before & 3) && before & 32, "0x%x", before);
	RUN(grab);
	for (uint64_t end = until(2000); now_ns() < end || n <= 10; n++) {
		now = rights();
		if (now != before)
			bad++;
		asm volatile("ldr %0, [%1]" : "=r"(word) : "r"(bytes + 1 + n % 3) : "memory");
		bad += memcmp(&word, bytes + 1 + n % 3, 4) != 0;
		bad += write(fds[1], bytes, 16) != 16 || read(fds[0], bytes, 16) != 16;
	}
	CHECK(!bad && n > 10, "%u of %u times", bad, n);
	close(fds[0]);
	close(fds[1]);
	done();
}

/* TTBR0, TTBR1, CONTEXTIDR: two processes with other contents at one address take turns. */
static void processes(void)
{
	volatile uint32_t *page = (volatile uint32_t *)map_pages(8 * PAGE);
	unsigned int bad = 0, n = 0;
	int status;
	pid_t pid;

	spoil();
	for (unsigned int i = 0; i < 8; i++)
		page[i * PAGE / 4] = i;
	pid = fork();
	MUST(pid >= 0, "fork");
	for (uint64_t end = until(2000); now_ns() < end || n <= 10; n++) {
		uint32_t mine = (pid ? 0 : 0x80000000u) + n * 8;

		for (unsigned int i = 0; i < 8; i++)
			page[i * PAGE / 4] = mine + i;
		sched_yield();
		for (unsigned int i = 0; i < 8; i++)
			bad += page[i * PAGE / 4] != mine + i;
	}
	if (!pid)
		_exit(bad != 0 || n <= 10);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child: 0x%x", status);
	CHECK(!bad, "%u words", bad);
	munmap((void *)page, 8 * PAGE);
	done();
}

/* TEEHBR, which user space may write while TEECR.XED is clear. */
static void thumbee(void)
{
	struct sigaction sa = { .sa_sigaction = on_undefined, .sa_flags = SA_SIGINFO };
	volatile unsigned int bad = 0, n = 0;
	uint32_t v;

	sigaction(SIGILL, &sa, NULL);
	if (!WORKS("mrc p14, 6, r0, c1, c0, 0"))
		ktap_skip("user space has no TEEHBR: the kernel has no ARM_THUMBEE");
	RUN(thumbee);
	for (uint64_t end = until(1500); now_ns() < end || n <= 10; n++) {
		uint32_t want = 0xa0000000 + 4 * n;

		if (sigsetjmp(back, 1)) {
			/* The guest's TEECR: nobody but it may forbid that. */
			bad++;
			continue;
		}
		asm volatile("mcr p14, 6, %0, c1, c0, 0" :: "r"(want));
		for (volatile int i = 0; i < 5000; i++)
			;
		if (n % 8 == 0)
			sched_yield();
		asm volatile("mrc p14, 6, %0, c1, c0, 0" : "=r"(v));
		bad += v != want;
	}
	CHECK(!bad, "%u of %u times", bad, n);
	done();
}

static const struct ktap_case cases[] = {
	{ "fp", fp, 0 },
	{ "thread_registers", thread_registers, 0 },
	{ "client_registers", client_registers, 0 },
	{ "fault_addresses", fault_addresses, 0 },
	{ "page_faults", page_faults, 0 },
	{ "clock", clock_, 0 },
	{ "sleeps", sleeps, 0 },
	{ "user_rights", user_rights, 0 },
	{ "processes", processes, 0 },
	{ "thumbee", thumbee, 0 },
};
KTAP_MAIN(cases)

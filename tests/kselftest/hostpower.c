// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host saves power under running guests: its CPUs change their frequency, and it is suspended
 * to idle (docs/hazards.md 22, 28). The guests go on, and their time stays the host's, unless it
 * was to stand still while the host sleeps. powerstate.c tests states that lose registers,
 * hotplug.c tests CPUs that go offline.
 */
#include "vm.h"

#include <sys/syscall.h>

#define FREQUENCY	"/sys/module/frequency/parameters/changes"
#define POLICY		"/sys/devices/system/cpu/cpu%u/cpufreq/%s"
#define SLEEP_US	3000
#define ALARM_S		4	/* for less than 2 s the kernel does not begin */
#define WAKEUPS		"/sys/power/wakeup_count"

/* Counts, and exits with the count. */
GUEST_CODE(count, "ldr r1, =DEV_BASE\n\tmov r0, #0\n1:\tstr r0, [r1]\n\tadd r0, r0, #1\n\t"
	   "mov r2, #3000\n2:\tsubs r2, r2, #1\n\tbne 2b\n\tb 1b");
/* Sleeps r4 ticks of the virtual timer, and exits with the virtual counter before and after. */
GUEST_CODE(sleep, "ldr r1, =DEV_BASE\n\tldr r2, =GICD_BASE\n\tldr r3, =GICC_BASE\n\t"
	   "mov r0, #1\n\tstr r0, [r2]\n\tstr r0, [r3]\n\tmov r0, #0xf0\n\tstr r0, [r3, #4]\n\t"
	   "mov r0, #1 << 27\n\tstr r0, [r2, #0x100]\n"
	   "1:\tisb\n\tmrrc p15, 1, r6, r7, c14\n\tstr r6, [r1]\n\t"
	   "mcr p15, 0, r4, c14, c3, 0\n\tmov r0, #1\n\tmcr p15, 0, r0, c14, c3, 1\n\tisb\n"
	   "2:\twfi\n\tmrc p15, 0, r0, c14, c3, 1\n\ttst r0, #4\n\tbeq 2b\n\t"
	   "mrrc p15, 1, r6, r7, c14\n\tmov r0, #0\n\tmcr p15, 0, r0, c14, c3, 1\n\tisb\n\t"
	   "str r6, [r1]\n\tb 1b");

static uint64_t host_counter64(void)
{
	uint64_t v;

	asm volatile("isb\n\tmrrc p15, 1, %Q0, %R0, c14\n\tisb" : "=r"(v) :: "memory");
	return v;
}

static uint32_t host_counter(void)
{
	return (uint32_t)host_counter64();
}

static uint32_t host_hz(void)
{
	uint32_t v;

	asm volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(v));
	return v;
}

/* One guest that reads its clock, and one that works beside it. */
struct pair {
	struct vm vm;
	struct runner worker;
	uint32_t ticks;		/* of a sleep */
	/*
	 * The host's counter minus the guest's, as known from the exits so far: @from to @from +
	 * @width.
	 */
	uint32_t from, width;
	bool known;
	uint32_t rounds;
};

static void pair_make(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	p->ticks = (uint32_t)((uint64_t)host_hz() * SLEEP_US / 1000000);
	vm_make(&p->vm, 2, 0);
	VM_CODE(&p->vm, 0, sleep);
	reg32_set(p->vm.vcpu[0].fd, REG_R(4), p->ticks);
	vm_vcpu_on(&p->vm, 1);
	VM_CODE(&p->vm, 1, count);
	runner_start(&p->worker, &p->vm, 1);
}

/*
 * Returns the guest's counter at its next exit. It was read between two reads of the host's
 * counter, which gives a range for the offset. The intersection of all these ranges is never empty,
 * as the VM has one offset for its whole life.
 */
static uint32_t pair_clock(struct pair *p)
{
	uint32_t before = host_counter(), seen, from, width, skew;

	MUST(vm_run(&p->vm, 0) == KVM_EXIT_MMIO, "exit %u", p->vm.vcpu[0].run->exit_reason);
	width = host_counter() - before;
	memcpy(&seen, p->vm.vcpu[0].run->mmio.data, sizeof(seen));
	from = before - seen;
	if (!p->known) {
		p->from = from;
		p->width = width;
		p->known = true;
		return seen;
	}
	skew = from - p->from;
	if ((int32_t)skew >= 0) {
		MUST(skew <= p->width, "the guest's clock is %u ticks late", skew - p->width);
		p->from = from;
		p->width -= skew;
	} else {
		MUST(-skew <= width, "the guest's clock is %u ticks early", -skew - width);
		width += skew;
	}
	if (width < p->width)
		p->width = width;
	return seen;
}

/* One sleep of the guest: it is not shorter than requested. */
static void pair_round(struct pair *p)
{
	uint32_t asleep = pair_clock(p), woke = pair_clock(p);

	CHECK(woke - asleep >= p->ticks, "%u ticks of %u", woke - asleep, p->ticks);
	p->rounds++;
}

/* The worker has lost nothing, and goes on. */
static void pair_end(struct pair *p)
{
	unsigned int n = p->worker.mmio;

	CHECK(runner_wait(&p->worker, n + 2, PATIENCE_MS), "it stands still (error %d)",
	      p->worker.error);
	runner_stop(&p->worker);
	CHECK(!p->worker.error, "%d", p->worker.error);
	CHECK(p->worker.last + 1 == p->worker.mmio, "it wrote %u in %u writes", p->worker.last,
	      p->worker.mmio);
	vm_close(&p->vm);
}

static int put(const char *path, const char *text)
{
	ssize_t n = -1;
	int fd = open(path, O_WRONLY | O_CLOEXEC), e;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	e = errno;
	close(fd);
	errno = e;
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

static long number(const char *path)
{
	long n = -1;
	FILE *f = fopen(path, "r");

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static const char *policy(unsigned int cpu, const char *what)
{
	static char path[96];

	snprintf(path, sizeof(path), POLICY, cpu, what);
	return path;
}

/* Waits for the kernel's governor to change the frequency. */
static bool policy_comes(unsigned int cpu, const char *khz)
{
	uint64_t end = now_ns() + PATIENCE_MS * 1000000ull;

	while (number(policy(cpu, "scaling_cur_freq")) != atol(khz)) {
		if (now_ns() > end)
			return false;
		usleep(500);
	}
	return true;
}

/* All CPUs go through three frequencies, each at another one. */
static void frequency(void)
{
	static const char *const khz[] = { "200000", "1000000", "400000" };
	unsigned int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	long changes;
	struct pair p;

	syscall(SYS_delete_module, "frequency", 0);
	MUST(!module_load("/frequency.ko", ""), "%s", strerror(errno));
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		MUST(!put(policy(cpu, "scaling_governor"), "performance"), "%s", strerror(errno));
	changes = number(FREQUENCY);
	pair_make(&p);
	for (unsigned int n = 0; n < 60; n++) {
		for (unsigned int cpu = 0; cpu < cpus; cpu++) {
			MUST(!put(policy(cpu, "scaling_max_freq"), khz[(n + cpu) % 3]), "%s",
			     strerror(errno));
			pair_round(&p);
		}
		for (unsigned int cpu = 0; cpu < cpus; cpu++)
			MUST(policy_comes(cpu, khz[(n + cpu) % 3]), "CPU %u has %ld kHz", cpu,
			     number(policy(cpu, "scaling_cur_freq")));
	}
	CHECK(number(FREQUENCY) - changes >= 59 * (long)cpus, "%ld changes",
	      number(FREQUENCY) - changes);
	pair_end(&p);
	MUST(!syscall(SYS_delete_module, "frequency", 0), "%s", strerror(errno));
}

static volatile unsigned int suspended, awake;

static void on_alarm(int sig)
{
	(void)sig;
}

/*
 * Suspends to idle until the alarm; retries if the kernel did not begin. The kernel is told how
 * many events that wake it there were: an alarm that comes before the host sleeps then ends the
 * suspend, and is not lost.
 */
static void *suspender(void *arg)
{
	const struct itimerspec when = { .it_value.tv_sec = ALARM_S * ktap_slowdown() };
	timer_t *alarm = arg;
	char count[24];

	for (int n = 0; n < 10 && suspended < 2; n++) {
		snprintf(count, sizeof(count), "%ld", number(WAKEUPS));
		timer_settime(*alarm, 0, &when, NULL);
		if (put(WAKEUPS, count))
			continue;
		if (!put("/sys/power/state", "freeze"))
			suspended++;
		else if (errno != EBUSY)
			break;
	}
	awake = 1;
	return NULL;
}

/* Makes a clock that wakes the host, whatever its driver is; or skips the case. */
static void alarm_make(timer_t *alarm)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	FILE *f = fopen("/sys/power/state", "r");
	char states[64] = "";

	if (!f || !fgets(states, sizeof(states), f) || !strstr(states, "freeze"))
		ktap_skip("the kernel does not suspend to idle");
	fclose(f);
	sigaction(SIGALRM, &sa, NULL);
	if (timer_create(CLOCK_BOOTTIME_ALARM, NULL, alarm))
		ktap_skip("no clock can wake the host: %s", strerror(errno));
}

/* Suspends the host twice, while @round goes on. */
static void suspend_twice(void (*round)(struct pair *p), struct pair *p)
{
	uint64_t began = now_ns();
	pthread_t thread;
	timer_t alarm;

	alarm_make(&alarm);
	suspended = awake = 0;
	MUST(!pthread_create(&thread, NULL, suspender, &alarm), "no thread");
	while (!awake)
		round(p);
	pthread_join(thread, NULL);
	timer_delete(alarm);
	CHECK(suspended == 2, "%u times: %s", suspended, strerror(errno));
	CHECK(now_ns() - began >= 2 * (ALARM_S - 1) * 1000000000ull, "%llu ns",
	      (unsigned long long)(now_ns() - began));
}

static void suspend(void)
{
	struct pair p;

	pair_make(&p);
	for (int n = 0; n < 20; n++)
		pair_round(&p);
	suspend_twice(pair_round, &p);
	for (int n = 0; n < 20; n++)
		pair_round(&p);
	pair_end(&p);
}

/* One sleep of a guest whose clock stands still now and then: not shorter, and never backwards. */
static void stopped_round(struct pair *p)
{
	uint32_t seen[2];

	for (int i = 0; i < 2; i++) {
		MUST(vm_run(&p->vm, 0) == KVM_EXIT_MMIO, "exit %u",
		     p->vm.vcpu[0].run->exit_reason);
		memcpy(&seen[i], p->vm.vcpu[0].run->mmio.data, sizeof(seen[i]));
	}
	CHECK(seen[1] - seen[0] >= p->ticks, "%u ticks of %u", seen[1] - seen[0], p->ticks);
	p->rounds++;
}

static int suspend_stops(struct vm *vm, uint64_t stops)
{
	struct kvm_enable_cap cap = { .cap = ARMVMM_CAP_SUSPEND_STOPS, .args = { stops } };

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

static uint64_t guest_counter(struct pair *p)
{
	return reg64(p->vm.vcpu[0].fd, KVM_REG_ARM_TIMER_CNT);
}

/* The guest does not see the time for which the host sleeps, until the client wants it to. */
static void suspend_stopped(void)
{
	uint64_t host, guest, missed, least = 2ull * (ALARM_S - 1) * host_hz();
	struct pair p;

	pair_make(&p);
	CHECK(ioctl(p.vm.fd, KVM_CHECK_EXTENSION, ARMVMM_CAP_SUSPEND_STOPS) == 1);
	CHECK_ERRNO(suspend_stops(&p.vm, 2), EINVAL);
	CHECK_OK(suspend_stops(&p.vm, 1));
	stopped_round(&p);
	p.rounds = 0;
	guest = guest_counter(&p);
	host = host_counter64();
	suspend_twice(stopped_round, &p);
	host = host_counter64() - host;
	guest = guest_counter(&p) - guest;
	missed = host - guest;
	ktap_note("%llu ticks, of which the guest saw %llu", (unsigned long long)host,
		  (unsigned long long)guest);
	CHECK(guest >= (uint64_t)p.rounds * p.ticks && guest < host);
	CHECK(missed >= least, "the guest missed %llu ticks, at least %llu were to be",
	      (unsigned long long)missed, (unsigned long long)least);
	/* The counter is one for all vCPUs. */
	guest = guest_counter(&p);
	guest = reg64(p.vm.vcpu[1].fd, KVM_REG_ARM_TIMER_CNT) - guest;
	CHECK(guest < host_hz() * (uint64_t)ktap_slowdown(), "%llu ticks",
	      (unsigned long long)guest);
	/* Its client wants it to be the host's again. */
	CHECK_OK(suspend_stops(&p.vm, 0));
	for (int n = 0; n < 20; n++)
		pair_round(&p);
	suspend_twice(pair_round, &p);
	pair_end(&p);
}

static const struct ktap_case cases[] = {
	{ "frequency", frequency, 120 },
	{ "suspend", suspend, 240 },
	{ "suspend_stopped", suspend_stopped, 480 },
};
KTAP_MAIN(cases)

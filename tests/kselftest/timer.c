// SPDX-License-Identifier: GPL-2.0-only
/* The timers' registers and attributes, and the time when a sleeping vCPU wakes. */
#include "binstats.h"
#include "vm.h"

#include <sys/klog.h>
#include <sys/time.h>

#define GRP	KVM_ARM_VCPU_TIMER_CTRL
#define VT	KVM_ARM_VCPU_TIMER_IRQ_VTIMER
#define PT	KVM_ARM_VCPU_TIMER_IRQ_PTIMER
#define GRP_DIST	KVM_DEV_ARM_VGIC_GRP_DIST_REGS

/* Writes the virtual counter's low word to the device for ever. */
GUEST_CODE(counter, "ldr r1, =DEV_BASE\n1:\tisb\n\tmrrc p15, 1, r0, r2, c14\n\tstr r0, [r1]\n\tb 1b");
/* Sleeps r4 ticks by the timer whose interrupt is PPI r5, then reports. */
GUEST_CODE(sleep, "ldr r1, =DEV_BASE\n\tldr r2, =GICD_BASE\n\tldr r3, =GICC_BASE\n\t"
	   "mov r0, #1\n\tstr r0, [r2]\n\tstr r0, [r3]\n\tmov r0, #0xf0\n\tstr r0, [r3, #4]\n\t"
	   "mov r0, #1\n\tlsl r0, r0, r5\n\tstr r0, [r2, #0x100]\n"
	   "1:\tstr r5, [r1]\n\tmcr p15, 0, r4, c14, c3, 0\n\tmov r0, #1\n\t"
	   "mcr p15, 0, r0, c14, c3, 1\n\tisb\n"
	   "2:\twfi\n\tmrc p15, 0, r0, c14, c3, 1\n\ttst r0, #4\n\tbeq 2b\n\t"
	   "mov r0, #0\n\tmcr p15, 0, r0, c14, c3, 1\n\tisb\n\tb 1b");

static uint64_t cntfrq;

static uint32_t host_cntfrq(void)
{
	uint32_t v;

	/* Linux lets user space read it (CNTKCTL.PL0VCTEN). */
	asm volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(v));
	return v;
}

static void ids(void)
{
	uint64_t v, w;
	struct vm vm;
	int fd;

	vm_make(&vm, 1, 0);
	fd = vm.vcpu[0].fd;
	v = reg64(fd, KVM_REG_ARM_TIMER_CNT);
	usleep(10000);
	w = reg64(fd, KVM_REG_ARM_TIMER_CNT);
	CHECK(w > v, "the counter stands still at %llx", (unsigned long long)v);
	/* It can be set: so a VM keeps its time over a migration. */
	v = 0x123400000000ull;
	CHECK(!reg_set(fd, KVM_REG_ARM_TIMER_CNT, &v), "%s", strerror(errno));
	w = reg64(fd, KVM_REG_ARM_TIMER_CNT);
	CHECK(w >= v && w - v < 1000000000, "%llx", (unsigned long long)w);
	v = w + 0x1000000000ull;
	CHECK(!reg_set(fd, KVM_REG_ARM_TIMER_CVAL, &v), "%s", strerror(errno));
	CHECK(reg64(fd, KVM_REG_ARM_TIMER_CVAL) == v);
	reg32_set(fd, KVM_REG_ARM_TIMER_CTL, 3);
	CHECK((reg32(fd, KVM_REG_ARM_TIMER_CTL) & 7) == 3, "%x", reg32(fd, KVM_REG_ARM_TIMER_CTL));
	v = 1;
	CHECK(!reg_set(fd, KVM_REG_ARM_TIMER_CVAL, &v));
	CHECK((reg32(fd, KVM_REG_ARM_TIMER_CTL) & 7) == 7, "%x", reg32(fd, KVM_REG_ARM_TIMER_CTL));
	CHECK_ERRNO(reg_get(fd, (KVM_REG_ARM_TIMER_CTL & ~KVM_REG_SIZE_MASK) | KVM_REG_SIZE_U64,
			    &v),
		    ENOENT);
	CHECK_ERRNO(reg_get(fd, (KVM_REG_ARM_TIMER_CNT & ~KVM_REG_SIZE_MASK) | KVM_REG_SIZE_U32,
			    &v),
		    ENOENT);
}

/* CNT and CVAL have the right ids: a guest reads the CNT that was set. */
static void guest_counter(void)
{
	uint64_t v = 0x55000000;
	uint32_t seen;
	struct vm vm;

	vm_make(&vm, 2, 0);
	CHECK(!reg_set(vm.vcpu[1].fd, KVM_REG_ARM_TIMER_CNT, &v));
	VM_CODE(&vm, 0, counter);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	memcpy(&seen, vm.vcpu[0].run->mmio.data, 4);
	CHECK(seen >= v && seen - v < 0x10000000, "the guest reads %x", seen);
	/* The offset belongs to the VM: the other vCPU agrees. */
	CHECK(reg64(vm.vcpu[1].fd, KVM_REG_ARM_TIMER_CNT) >= seen);
}

static void starts_at_zero(void)
{
	struct vm vm;
	uint64_t v;

	vm_make(&vm, 1, 0);
	v = reg64(vm.vcpu[0].fd, KVM_REG_ARM_TIMER_CNT);
	CHECK(v < 30ull * host_cntfrq(), "%llx at creation", (unsigned long long)v);
}

static void attributes(void)
{
	uint32_t n;
	struct vm vm;
	int fd;

	vm_make(&vm, 2, 0);
	fd = vm.vcpu[0].fd;
	CHECK_OK(attr_has(fd, GRP, VT));
	CHECK_OK(attr_has(fd, GRP, PT));
	CHECK_ERRNO(attr_has(fd, GRP, 2), ENXIO);
	CHECK_ERRNO(attr_has(fd, 0, 0), ENXIO);
	CHECK_ERRNO(attr_has(fd, 99, 0), ENXIO);
	CHECK_OK(attr_get(fd, GRP, VT, &n));
	CHECK(n == 27, "%u", n);
	CHECK_OK(attr_get(fd, GRP, PT, &n));
	CHECK(n == 30, "%u", n);
	CHECK_ERRNO(attr_get(fd, GRP, 2, &n), ENXIO);
	for (uint32_t bad = 0; bad < 64; bad++)
		if (bad < 16 || bad > 31)
			CHECK_ERRNO(attr_set(fd, GRP, VT, &bad), EINVAL);
	n = ~0u;
	CHECK_ERRNO(attr_set(fd, GRP, PT, &n), EINVAL);
	CHECK_ERRNO(attr_set(fd, GRP, VT, NULL), EFAULT);
	n = 20;
	CHECK_ERRNO(attr_set(fd, GRP, 2, &n), ENXIO);
	CHECK_OK(attr_set(fd, GRP, VT, &n));
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_OK(attr_get(vm.vcpu[i].fd, GRP, VT, &n));
		CHECK(n == 20, "vCPU %u: %u", i, n);
	}
	VM_CODE(&vm, 0, counter);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	n = 21;
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_ERRNO(attr_set(vm.vcpu[i].fd, GRP, VT, &n), EBUSY);
		CHECK_ERRNO(attr_set(vm.vcpu[i].fd, GRP, PT, &n), EBUSY);
	}
	vm_close(&vm);

	/* Both on one PPI: RUN refuses. */
	vm_make(&vm, 1, 0);
	n = 30;
	CHECK_OK(attr_set(vm.vcpu[0].fd, GRP, VT, &n));
	VM_CODE(&vm, 0, counter);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EINVAL);
	vm_close(&vm);

	vm_make(&vm, 1, VM_NO_GIC);
	n = 20;
	CHECK_ERRNO(attr_set(vm.vcpu[0].fd, GRP, VT, &n), EINVAL);
}

/* A vCPU in WFI is woken by its timer: not before its time, and soon after. */
static void wake(uint32_t ppi, uint32_t us)
{
	uint64_t t0, took, worst = 0;
	struct vm vm;

	cntfrq = host_cntfrq();
	vm_make(&vm, 1, 0);
	CHECK_OK(attr_set(vm.vcpu[0].fd, GRP, VT, &ppi));
	VM_CODE(&vm, 0, sleep);
	reg32_set(vm.vcpu[0].fd, REG_R(4), (uint32_t)(cntfrq * us / 1000000));
	reg32_set(vm.vcpu[0].fd, REG_R(5), ppi);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	for (int i = 0; i < 5; i++) {
		t0 = now_ns();
		MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		took = (now_ns() - t0) / 1000;
		CHECK(took + 2 >= us, "woke after %llu us of %u", (unsigned long long)took, us);
		if (took > us && took - us > worst)
			worst = took - us;
	}
	/* Generous, as the emulator's host is busy; the benchmark is strict. */
	if (worst >= 300000)
		ktap_note("timing: %llu us late", (unsigned long long)worst);
	CHECK(worst < 300000, "%llu us late", (unsigned long long)worst);
}

static void wake_short(void)
{
	wake(27, 300);
}

static void wake_long(void)
{
	wake(27, 200000);
}

static void wake_other_ppi(void)
{
	wake(19, 20000);
}

/* Time goes on for a vCPU whose thread is not in RUN. */
static void runs_on(void)
{
	uint32_t a, b, ms;
	uint64_t t0;
	struct vm vm;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, counter);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	memcpy(&a, vm.vcpu[0].run->mmio.data, 4);
	t0 = now_ns();
	usleep(100000);
	ms = (uint32_t)((now_ns() - t0) / 1000000);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	memcpy(&b, vm.vcpu[0].run->mmio.data, 4);
	CHECK((b - a) / (host_cntfrq() / 1000) >= ms - 1, "%u ticks in %u ms", b - a, ms);
}

/* A timer has one PPI on all vCPUs: a vCPU that is created later has the default ones. */
static void differ(void)
{
	uint32_t irq = 20;
	struct vm vm;

	vm_make(&vm, 1, VM_NO_GIC_INIT);
	VM_CODE(&vm, 0, counter);
	CHECK_OK(attr_set(vm.vcpu[0].fd, GRP, VT, &irq));
	vm_vcpu(&vm, 1, 0);
	CHECK_OK(attr_set(vm.gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EINVAL);
	CHECK_OK(attr_set(vm.vcpu[1].fd, GRP, VT, &irq));
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
}

/*
 * A timer that has expired as soon as it is on: its interrupt is taken, counted in r6 and ended,
 * for ever. It is off meanwhile, because QEMU does not look at a line when a guest ends its
 * interrupt.
 */
GUEST_CODE(storm, "ldr r2, =GICD_BASE\n\tldr r3, =GICC_BASE\n\t"
	   "mov r0, #1\n\tstr r0, [r2]\n\tstr r0, [r3]\n\tmov r0, #0xf0\n\tstr r0, [r3, #4]\n\t"
	   "mov r0, #1\n\tlsl r0, r0, #27\n\tstr r0, [r2, #0x100]\n\tmov r0, #0\n\tmov r1, #0\n\t"
	   "mcrr p15, 3, r0, r1, c14\n\tmov r0, #1\n\tmcr p15, 0, r0, c14, c3, 1\n\tisb\n"
	   "1:\tldr r0, [r3, #12]\n\tcmp r0, #27\n\tbne 1b\n\t"
	   "mov r1, #0\n\tmcr p15, 0, r1, c14, c3, 1\n\tisb\n\tstr r0, [r3, #16]\n\t"
	   "add r6, r6, #1\n\tmov r1, #1\n\tmcr p15, 0, r1, c14, c3, 1\n\tisb\n\tb 1b");

/*
 * The virtual timer with CVAL r4, r5, its interrupt enabled at the GIC alone: says so, then
 * reports what GICC_IAR has to say; then sleeps until the timer's interrupt is pending, and reports
 * that.
 */
GUEST_CODE(expires, "ldr r1, =DEV_BASE\n\tldr r2, =GICD_BASE\n\tldr r3, =GICC_BASE\n\t"
	   "mov r0, #1\n\tstr r0, [r2]\n\tstr r0, [r3]\n\tmov r0, #0xf0\n\tstr r0, [r3, #4]\n\t"
	   "mov r0, #1\n\tlsl r0, r0, #27\n\tstr r0, [r2, #0x100]\n\t"
	   "mcrr p15, 3, r4, r5, c14\n\tmov r0, #1\n\tmcr p15, 0, r0, c14, c3, 1\n\tisb\n\t"
	   "str r0, [r1]\n\tldr r0, [r3, #12]\n\tstr r0, [r1]\n2:\twfi\n\t"
	   "ldr r0, [r3, #12]\n\tcmp r0, #27\n\tbne 2b\n\tstr r0, [r1]\n\tb .");

/* Makes a VM of two vCPUs with its counter at @cnt, and runs vCPU 0 until its timer is set. */
static void expire(struct vm *vm, uint64_t cnt, uint64_t cval)
{
	vm_make(vm, 2, 0);
	CHECK(!reg_set(vm->vcpu[1].fd, KVM_REG_ARM_TIMER_CNT, &cnt));
	VM_CODE(vm, 0, expires);
	reg32_set(vm->vcpu[0].fd, REG_R(4), (uint32_t)cval);
	reg32_set(vm->vcpu[0].fd, REG_R(5), (uint32_t)(cval >> 32));
	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO);
}

static bool is_pending(struct vm *vm)
{
	uint32_t pending;

	CHECK_OK(attr_get(vm->gic, GRP_DIST, 0x200, &pending));
	return pending >> 27 & 1;
}

static uint32_t reported(struct vm *vm)
{
	uint32_t value = 0;

	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO);
	memcpy(&value, vm->vcpu[0].run->mmio.data, sizeof(value));
	return value;
}

#define AFAR	(1ull << 40)

/* A timer that has expired has not when the client has set it anew, or the counter. */
static void set_when_expired(void)
{
	uint64_t v = AFAR;
	struct vm vm;

	/* With nothing done it is. */
	expire(&vm, 0, 0);
	CHECK(is_pending(&vm));
	CHECK(reported(&vm) == 27);
	vm_close(&vm);

	expire(&vm, 0, 0);
	CHECK(!reg_set(vm.vcpu[0].fd, KVM_REG_ARM_TIMER_CVAL, &v));
	CHECK(!is_pending(&vm));
	CHECK(reported(&vm) == 1023);
	vm_close(&vm);

	expire(&vm, 0, 0);
	reg32_set(vm.vcpu[0].fd, KVM_REG_ARM_TIMER_CTL, 3);
	CHECK(!is_pending(&vm));
	CHECK(reported(&vm) == 1023);
	vm_close(&vm);

	v = 0;
	expire(&vm, 2 * AFAR, AFAR);
	CHECK(!reg_set(vm.vcpu[0].fd, KVM_REG_ARM_TIMER_CNT, &v));
	CHECK(!is_pending(&vm));
	CHECK(reported(&vm) == 1023);
	vm_close(&vm);

	/* The counter is the VM's: it may be set through another vCPU. */
	expire(&vm, 2 * AFAR, AFAR);
	CHECK(is_pending(&vm));
	v = 0;
	CHECK(!reg_set(vm.vcpu[1].fd, KVM_REG_ARM_TIMER_CNT, &v));
	CHECK(reported(&vm) == 1023);
	vm_close(&vm);
}

/* Likewise one that has not expired, whose vCPU sleeps. */
static void set_in_sleep(void)
{
	uint64_t v = AFAR;
	struct runner runner;
	struct vm vm;

	expire(&vm, 0, AFAR);
	CHECK(!is_pending(&vm));
	CHECK(reported(&vm) == 1023);
	runner_start(&runner, &vm, 0);
	usleep(100000);
	CHECK(runner.mmio == 0);
	CHECK(!reg_set(vm.vcpu[1].fd, KVM_REG_ARM_TIMER_CNT, &v));
	CHECK(runner_wait(&runner, 1, PATIENCE_MS), "it sleeps on");
	CHECK(runner.last == 27, "%u", runner.last);
	runner_stop(&runner);
}

static void on_alarm(int sig)
{
	(void)sig;
}

#define STORM_STOPS	40

/*
 * Does the host's kernel end interrupts by one write (EOImode 0, GICs without GICC_DIR)? The module
 * says so when it is loaded.
 */
static bool ends_at_once(void)
{
	static char text[1 << 16];
	int len = klogctl(3, text, sizeof(text) - 1);	/* SYSLOG_ACTION_READ_ALL */
	const char *at = text, *line = NULL;

	MUST(len >= 0, "%s", strerror(errno));
	text[len] = 0;
	while ((at = strstr(at, "armvmm: HYP mode taken over")) != NULL)
		line = at++;
	return line && strstr(line, ", EOImode 0\n");
}

/*
 * Such a guest keeps neither signals from its thread nor others from its CPU: each stop is one of
 * the host's timer, on this CPU, and the next part of the storm is on another one. At each stop the
 * client sees the state that there is. Parts in which the guest did not get on do not count.
 */
static void storm_of(bool in_hyp)
{
	/* Again and again, as the first one may come before KVM_RUN. */
	struct itimerval alarm = { .it_interval.tv_usec = 5000, .it_value.tv_usec = 5000 };
	struct sigaction sa = { .sa_handler = on_alarm };
	uint64_t shown, end = now_ns() + PATIENCE_MS * 1000000ull;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t ctl, pending, was = 0, n;
	unsigned int stops = 0;
	struct vm vm;
	int fd, stats;

	param_set("hyp_timer", in_hyp);
	/* HYP mode cannot hold the host's interrupt otherwise, nor where it is ended at once. */
	in_hyp = in_hyp && param_is("fast_hold") && !ends_at_once();
	vm_make(&vm, 1, 0);
	fd = vm.vcpu[0].fd;
	stats = stats_fd(fd);
	VM_CODE(&vm, 0, storm);
	MUST_OK(sigaction(SIGALRM, &sa, NULL));
	while (stops < STORM_STOPS && now_ns() < end) {
		MUST_OK(setitimer(ITIMER_REAL, &alarm, NULL));
		MUST(ioctl(fd, KVM_RUN, 0) == -1 && errno == EINTR, "exit reason %u: %s",
		     vm.vcpu[0].run->exit_reason, strerror(errno));
		n = reg32(fd, REG_R(6));
		if (n == was)
			continue;
		was = n;
		stops++;
		ctl = reg32(fd, KVM_REG_ARM_TIMER_CTL);
		CHECK(ctl == 5 || ctl == 0, "CTL is %x", ctl);
		CHECK(reg64(fd, KVM_REG_ARM_TIMER_CVAL) == 0);
		CHECK_OK(attr_get(vm.gic, GRP_DIST, 0x200, &pending));
		CHECK((pending >> 27 & 1) == (ctl & 1), "CTL is %x, GICD_ISPENDR %x", ctl,
		      pending);
		cpu_bind(stops % (unsigned int)cpus);
	}
	alarm = (struct itimerval){ 0 };
	MUST_OK(setitimer(ITIMER_REAL, &alarm, NULL));
	CHECK(stops == STORM_STOPS, "%u parts, %u interrupts", stops, was);
	shown = stat_of(stats, "hyp_timer");
	ktap_note("%u interrupts, %llu of them by HYP mode, %llu exits", was,
		  (unsigned long long)shown, (unsigned long long)stat_of(stats, "exits"));
	CHECK(in_hyp ? shown > was / 2 : shown == 0, "HYP mode showed %llu of %u",
	      (unsigned long long)shown, was);
	vm_close(&vm);
}

static void storm_in_hyp(void)
{
	storm_of(true);
}

static void storm_in_host(void)
{
	storm_of(false);
}

static const struct ktap_case cases[] = {
	{ "ids", ids, 0 },
	{ "guest_counter", guest_counter, 0 },
	{ "starts_at_zero", starts_at_zero, 0 },
	{ "attributes", attributes, 0 },
	{ "differ", differ, 0 },
	{ "wake_short", wake_short, 0 },
	{ "wake_long", wake_long, 0 },
	{ "wake_other_ppi", wake_other_ppi, 0 },
	{ "runs_on", runs_on, 0 },
	{ "set_when_expired", set_when_expired, 0 },
	{ "set_in_sleep", set_in_sleep, 0 },
	{ "storm_in_hyp", storm_in_hyp, 0 },
	{ "storm_in_host", storm_in_host, 0 },
};
KTAP_MAIN(cases)

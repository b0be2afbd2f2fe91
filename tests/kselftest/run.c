// SPDX-License-Identifier: GPL-2.0-only
/* KVM_RUN, KVM_ARM_VCPU_INIT, exits, signals (docs/hazards.md 3, 8, 19, 20). */
#include "vm.h"

#include <sys/wait.h>

/* Reads r2 from the device at r1 again and again; r0 counts the reads. */
GUEST_CODE(reads, "ldr r1, =DEV_BASE\n\tmov r0, #0\n"
	   "1:\tldr r2, [r1, #4]\n\tadd r0, r0, #1\n\tadd r3, r3, r2\n\tb 1b");
GUEST_CODE(writes, "ldr r1, =DEV_BASE\n\tmov r0, #0\n"
	   "1:\tstr r0, [r1]\n\tadd r0, r0, #1\n\tb 1b");
GUEST_CODE(mixed, "ldr r1, =DEV_BASE\n\tmov r0, #0\n"
	   "1:\tldr r2, [r1, #4]\n\tadd r0, r0, r2\n\tstr r0, [r1]\n\tb 1b");
GUEST_CODE(spin, "ldr r1, =DEV_BASE\n\tstr r0, [r1]\n1:\tadd r0, r0, #1\n\tb 1b");
GUEST_CODE(wfi, "ldr r1, =DEV_BASE\n\tstr r0, [r1]\n1:\twfi\n\tadd r0, r0, #1\n\tb 1b");
GUEST_CODE(off, "ldr r0, =0x84000008\n\thvc #0\n1:\tadd r4, r4, #1\n\tb 1b");
GUEST_CODE(reset, "ldr r0, =0x84000009\n\tsmc #0\n1:\tb 1b");
GUEST_CODE(writeback, "ldr r1, =DEV_BASE\n\tldr r2, [r1], #4\n\tb .");

static void before_init(void)
{
	struct { struct kvm_reg_list l; uint64_t id[4]; } list = { .l.n = 4 };
	struct kvm_mp_state mp;
	struct vm vm;
	uint32_t v = 0;

	vm_make(&vm, 1, VM_NO_VCPU_INIT);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), ENOEXEC);
	CHECK_ERRNO(reg_get(vm.vcpu[0].fd, REG_PC, &v), ENOEXEC);
	CHECK_ERRNO(reg_set(vm.vcpu[0].fd, REG_PC, &v), ENOEXEC);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_GET_REG_LIST, &list), ENOEXEC);
	CHECK_OK(ioctl(vm.vcpu[0].fd, KVM_GET_MP_STATE, &mp));
}

static void init_errors(void)
{
	struct kvm_vcpu_init i;
	struct vm vm;
	int fd;

	vm_make(&vm, 1, VM_NO_VCPU_INIT);
	fd = vm.vcpu[0].fd;
	i = vm.init;
	i.target = KVM_ARM_NUM_TARGETS;
	CHECK_ERRNO(ioctl(fd, KVM_ARM_VCPU_INIT, &i), EINVAL);
	i.target = ~0u;
	CHECK_ERRNO(ioctl(fd, KVM_ARM_VCPU_INIT, &i), EINVAL);
	i = vm.init;
	i.target = !i.target;
	CHECK_ERRNO(ioctl(fd, KVM_ARM_VCPU_INIT, &i), EINVAL);
	for (unsigned int bit = 2; bit < 7 * 32; bit += 13) {
		i = vm.init;
		i.features[bit / 32] |= 1u << bit % 32;
		CHECK_ERRNO(ioctl(fd, KVM_ARM_VCPU_INIT, &i), ENOENT);
	}
	CHECK_ERRNO(ioctl(fd, KVM_RUN, 0), ENOEXEC);
	CHECK_OK(ioctl(fd, KVM_ARM_VCPU_INIT, &vm.init));
	/* Initialise it again with other features, and with the same. */
	i = vm.init;
	i.features[0] ^= 1u << KVM_ARM_VCPU_PSCI_0_2;
	CHECK_ERRNO(ioctl(fd, KVM_ARM_VCPU_INIT, &i), EINVAL);
	i = vm.init;
	i.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	CHECK_ERRNO(ioctl(fd, KVM_ARM_VCPU_INIT, &i), EINVAL);
	CHECK_OK(ioctl(fd, KVM_ARM_VCPU_INIT, &vm.init));
}

static void init_resets(void)
{
	struct vm vm;
	int fd;

	vm_make(&vm, 1, 0);
	fd = vm.vcpu[0].fd;
	for (unsigned int i = 0; i < 13; i++)
		reg32_set(fd, REG_R(i), 0x1111 * i + 1);
	reg32_set(fd, REG_CPSR, 0x1f);
	reg32_set(fd, ARM_CP15_REG32(0, 1, 0, 0), 0x00c51878);
	VM_CODE(&vm, 0, reads);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	CHECK_OK(ioctl(fd, KVM_ARM_VCPU_INIT, &vm.init));
	for (unsigned int i = 0; i < 15; i++)
		CHECK(reg32(fd, REG_R(i)) == 0, "r%u is %x", i, reg32(fd, REG_R(i)));
	CHECK(reg32(fd, REG_CPSR) == 0x1d3, "%x", reg32(fd, REG_CPSR));
	CHECK(reg32(fd, ARM_CP15_REG32(0, 1, 0, 0)) == 0x00c50078);
	VM_CODE(&vm, 0, writes);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	/* The read that was outstanding when the vCPU was reset has not been completed. */
	CHECK(vm.vcpu[0].run->mmio.is_write && !*(uint32_t *)vm.vcpu[0].run->mmio.data);
}

static void argument(void)
{
	struct vm vm;

	vm_make(&vm, 1, 0);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 1), EINVAL);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, vm.ram), EINVAL);
}

/* A RUN that cannot start, many times: its error path keeps nothing (item 3). */
static void first_run_fails(void)
{
	struct kvm_create_device cd = { .type = KVM_DEV_TYPE_ARM_VGIC_V2 };
	uint64_t dist = GICD_BASE, cpu = GICD_BASE + 0x800;
	struct vm vm;

	/* A vGIC that never got addresses. */
	vm_make(&vm, 0, VM_NO_GIC);
	MUST_OK(ioctl(vm.fd, KVM_CREATE_DEVICE, &cd));
	vm_vcpu(&vm, 0, 0);
	CHECK_OK(attr_set(cd.fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
	for (int i = 0; i < 50; i++)
		CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), ENXIO);
	CHECK_OK(attr_set(cd.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_DIST, &dist));
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), ENXIO);
	vm_close(&vm);
	close(cd.fd);

	/* A vGIC whose windows overlap. */
	cpu = GICD_BASE - 0x1000;
	vm_make(&vm, 0, VM_NO_GIC);
	MUST_OK(ioctl(vm.fd, KVM_CREATE_DEVICE, &cd));
	MUST_OK(attr_set(cd.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_DIST, &dist));
	MUST_OK(attr_set(cd.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_CPU, &cpu));
	vm_vcpu(&vm, 0, 0);
	for (int i = 0; i < 50; i++)
		CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EINVAL);
	vm_close(&vm);
}

static void mmio_write(void)
{
	struct kvm_run *run;
	struct vm vm;

	vm_make(&vm, 1, 0);
	run = vm.vcpu[0].run;
	VM_CODE(&vm, 0, writes);
	for (uint32_t i = 0; i < 1000; i++) {
		unsigned int reason = vm_run(&vm, 0);

		MUST(reason == KVM_EXIT_MMIO, "exit %u", reason);
		CHECK(run->mmio.phys_addr == DEV_BASE && run->mmio.len == 4 && run->mmio.is_write);
		CHECK(*(uint32_t *)run->mmio.data == i, "%u, not %u", *(uint32_t *)run->mmio.data, i);
	}
}

/* Item 8: with immediate_exit a read is completed once, and the guest is not entered. */
static void immediate_exit(void)
{
	struct kvm_run *run;
	struct vm vm;
	uint32_t pc;
	int fd;

	vm_make(&vm, 1, 0);
	fd = vm.vcpu[0].fd;
	run = vm.vcpu[0].run;
	VM_CODE(&vm, 0, reads);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && !run->mmio.is_write);
	pc = reg32(fd, REG_PC);
	*(uint32_t *)run->mmio.data = 0x12345678;
	run->immediate_exit = 1;
	CHECK_ERRNO(ioctl(fd, KVM_RUN, 0), EINTR);
	CHECK(reg32(fd, REG_PC) == pc + 4, "PC %x after %x", reg32(fd, REG_PC), pc);
	CHECK(reg32(fd, REG_R(2)) == 0x12345678, "%x", reg32(fd, REG_R(2)));
	for (int i = 0; i < 5; i++) {
		*(uint32_t *)run->mmio.data = 0xbad;
		CHECK_ERRNO(ioctl(fd, KVM_RUN, 0), EINTR);
		CHECK(reg32(fd, REG_PC) == pc + 4, "completed again: PC %x", reg32(fd, REG_PC));
		CHECK(reg32(fd, REG_R(2)) == 0x12345678, "completed again: %x", reg32(fd, REG_R(2)));
	}
	run->immediate_exit = 0;
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	CHECK(reg32(fd, REG_R(0)) == 1 && reg32(fd, REG_R(3)) == 0x12345678);
	/*
	 * Registers that the client writes while the read is outstanding stay, except its target.
	 */
	reg32_set(fd, REG_R(0), 100);
	*(uint32_t *)run->mmio.data = 1;
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	CHECK(reg32(fd, REG_R(0)) == 101 && reg32(fd, REG_R(3)) == 0x12345679);
}

static volatile int signals;

static void on_alarm(int sig)
{
	(void)sig;
	signals++;
}

/* The sequence of exits is complete and in order under a storm of signals. */
static void signals_mmio(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct sigevent sev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct itimerspec its = { .it_interval = { .tv_nsec = 500000 * (long)ktap_slowdown() },
				  .it_value = { .tv_nsec = 1 } };
	uint32_t reads = 0, sum = 0, next = 1, interrupted = 0;
	struct kvm_run *run;
	struct vm vm;
	timer_t t;

	vm_make(&vm, 1, 0);
	run = vm.vcpu[0].run;
	VM_CODE(&vm, 0, mixed);
	sigaction(SIGUSR2, &sa, NULL);
	MUST(!timer_create(CLOCK_MONOTONIC, &sev, &t), "%s", strerror(errno));
	timer_settime(t, 0, &its, NULL);
	while (reads < 2000 || interrupted < 100) {
		if (ioctl(vm.vcpu[0].fd, KVM_RUN, 0) < 0) {
			MUST(errno == EINTR, "%s", strerror(errno));
			interrupted++;
			continue;
		}
		MUST(run->exit_reason == KVM_EXIT_MMIO, "exit %u", run->exit_reason);
		if (run->mmio.is_write) {
			CHECK(*(uint32_t *)run->mmio.data == sum, "read %u: %u, not %u", reads,
			      *(uint32_t *)run->mmio.data, sum);
			sum = *(uint32_t *)run->mmio.data;
		} else {
			reads++;
			*(uint32_t *)run->mmio.data = next;
			sum += next;
			next = next * 5 + 3;
		}
	}
	timer_delete(t);
	CHECK(signals > 0 && interrupted > 0, "%d signals, %u times interrupted", signals, interrupted);
}

static void kicked(const char *start, const char *end)
{
	struct runner r;
	struct vm vm;
	uint64_t t0;

	vm_make(&vm, 1, 0);
	vm_code(&vm, 0, start, end);
	for (int i = 0; i < 20; i++) {
		runner_start(&r, &vm, 0);
		if (!i)
			CHECK(runner_wait(&r, 1, PATIENCE_MS));
		usleep(2000 + i * 500);
		t0 = now_ns();
		runner_stop(&r);
		CHECK(!r.error, "%d", r.error);
		CHECK(now_ns() - t0 < PATIENCE_MS * 1000000ull, "took %llu ms", (unsigned long long)
		      (now_ns() - t0) / 1000000);
	}
}

static void kick_spinning(void)
{
	kicked(code_spin, code_spin_end);
}

static void kick_sleeping(void)
{
	kicked(code_wfi, code_wfi_end);
}

static void kick_off(void)
{
	struct runner r;
	struct vm vm;

	/* A vCPU that is off sleeps in RUN. */
	vm_make(&vm, 2, 0);
	runner_start(&r, &vm, 1);
	usleep(50000);
	CHECK(!r.exits && !r.error, "%u exits, error %d", r.exits, r.error);
	runner_stop(&r);
	CHECK(!r.error && !r.exits);
}

/* KVM_SET_SIGNAL_MASK unblocks signals of the thread only in RUN. */
static void signal_mask(void)
{
	struct { struct kvm_signal_mask m; uint64_t set; } __attribute__((packed)) arg;
	struct sigaction sa = { .sa_handler = on_alarm };
	sigset_t block, was, pending;
	struct vm vm;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, spin);
	memset(&arg, 0, sizeof(arg));
	for (unsigned int len = 0; len < 20; len++) {
		arg.m.len = len;
		if (len != 8)
			CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_SET_SIGNAL_MASK, &arg), EINVAL);
	}
	CHECK_OK(ioctl(vm.vcpu[0].fd, KVM_SET_SIGNAL_MASK, NULL));
	sigaction(SIGUSR2, &sa, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR2);
	sigprocmask(SIG_BLOCK, &block, &was);
	arg.m.len = 8;
	CHECK_OK(ioctl(vm.vcpu[0].fd, KVM_SET_SIGNAL_MASK, &arg));
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	kill(getpid(), SIGUSR2);
	CHECK(!signals);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EINTR);
	CHECK(vm.vcpu[0].run->exit_reason == KVM_EXIT_INTR, "exit %u", vm.vcpu[0].run->exit_reason);
	/* The signal ended RUN, and is still pending: outside RUN it is blocked as before. */
	CHECK(!signals, "the mask stayed open after RUN");
	CHECK(!sigpending(&pending) && sigismember(&pending, SIGUSR2), "the signal is gone");
	sigprocmask(SIG_SETMASK, &was, NULL);
	CHECK(signals == 1, "%d", signals);
	/* Without its own mask, RUN keeps the thread's. */
	sigprocmask(SIG_BLOCK, &block, NULL);
	CHECK_OK(ioctl(vm.vcpu[0].fd, KVM_SET_SIGNAL_MASK, NULL));
	VM_CODE(&vm, 0, off);
	kill(getpid(), SIGUSR2);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_SYSTEM_EVENT && signals == 1);
}

static void system_off(void)
{
	struct vm vm;

	vm_make(&vm, 2, 0);
	VM_CODE(&vm, 0, off);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_SYSTEM_EVENT);
	CHECK(vm.vcpu[0].run->system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN);
	/* All vCPUs are off until they are initialised again. */
	for (unsigned int i = 0; i < 2; i++) {
		struct kvm_mp_state mp;

		CHECK_OK(ioctl(vm.vcpu[i].fd, KVM_GET_MP_STATE, &mp));
		CHECK(mp.mp_state == KVM_MP_STATE_STOPPED, "vCPU %u: %u", i, mp.mp_state);
	}
	/* PSCI 5.10.1: the call would have failed internally if it returned. */
	CHECK((int)reg32(vm.vcpu[0].fd, REG_R(0)) == -6, "%d", (int)reg32(vm.vcpu[0].fd, REG_R(0)));
	vm_vcpu_init(&vm, 0);
	VM_CODE(&vm, 0, reset);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_SYSTEM_EVENT);
	CHECK(vm.vcpu[0].run->system_event.type == KVM_SYSTEM_EVENT_RESET);
}

/* The shared page holds none of the kernel's data (item 20). */
static void run_page(void)
{
	struct vm vm;
	uint32_t *w;
	unsigned int odd = 0;

	vm_make(&vm, 1, 0);
	w = (uint32_t *)vm.vcpu[0].run;
	for (size_t i = 0; i < 4096 / 4; i++)
		odd += w[i] != 0;
	CHECK(!odd, "%u words are not zero at first", odd);
	VM_CODE(&vm, 0, mixed);
	for (int i = 0; i < 100; i++)
		vm_run(&vm, 0);
	for (size_t i = 0; i < 4096 / 4; i++)
		CHECK(w[i] < 0xbf000000, "word %zu holds a kernel address: %08x", i, w[i]);
}

/* Access beyond the end of a vCPU's mapping is a bus error, not memory. */
static void run_page_end(void)
{
	struct vm vm;
	int status;
	pid_t pid;

	vm_make(&vm, 1, 0);
	pid = fork();
	if (!pid) {
		char *p = mmap(NULL, vm.run_size + 4096, PROT_READ, MAP_SHARED, vm.vcpu[0].fd, 0);

		if (p == MAP_FAILED)
			_exit(77);
		_exit(((volatile char *)p)[vm.run_size]);
	}
	waitpid(pid, &status, 0);
	CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS) ||
	      (WIFEXITED(status) && WEXITSTATUS(status) == 77), "status %x", status);
}

/* The client's contents of the page are hostile input. */
static void hostile_page(void)
{
	struct vm vm;
	unsigned int seed = 12345;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, mixed);
	for (unsigned int i = 0; i < 500 / ktap_slowdown(); i++) {
		unsigned char *p = (unsigned char *)vm.vcpu[0].run;

		for (size_t k = 0; k < 4096; k += 1 + seed % 64) {
			seed = seed * 1103515245 + 12345;
			p[k] = seed >> 16;
		}
		vm.vcpu[0].run->immediate_exit = 0;
		if (ioctl(vm.vcpu[0].fd, KVM_RUN, 0) < 0)
			CHECK(errno == EINTR || errno == EINVAL, "%s", strerror(errno));
	}
	/* A finished read of an impossible length, with the exit reason forged. */
	vm.vcpu[0].run->exit_reason = KVM_EXIT_MMIO;
	vm.vcpu[0].run->mmio.len = 0x7fffffff;
	vm.vcpu[0].run->mmio.is_write = 0;
	(void)ioctl(vm.vcpu[0].fd, KVM_RUN, 0);
	vm_vcpu_init(&vm, 0);
	memset(vm.vcpu[0].run, 0, sizeof(struct kvm_run));
	VM_CODE(&vm, 0, writes);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
}

/* An access that the syndrome does not describe must end in some way. */
static void no_syndrome(void)
{
	struct vm vm;
	int r;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, writeback);
	r = ioctl(vm.vcpu[0].fd, KVM_RUN, 0);
	if (r < 0) {
		CHECK(errno == ENOSYS, "%s", strerror(errno));
		return;
	}
	/*
	 * The instruction was decoded: so it is handled like any read, and the base register moves.
	 */
	CHECK(vm.vcpu[0].run->exit_reason == KVM_EXIT_MMIO &&
	      vm.vcpu[0].run->mmio.phys_addr == DEV_BASE && !vm.vcpu[0].run->mmio.is_write);
	*(uint32_t *)vm.vcpu[0].run->mmio.data = 0x99;
	vm.vcpu[0].run->immediate_exit = 1;
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EINTR);
	CHECK(reg32(vm.vcpu[0].fd, REG_R(1)) == DEV_BASE + 4, "%x", reg32(vm.vcpu[0].fd, REG_R(1)));
	CHECK(reg32(vm.vcpu[0].fd, REG_R(2)) == 0x99);
}

/* The user-space irqchip: lines by KVM_IRQ_LINE, timer by the run page. */
GUEST_CODE(irq, "b 1f\n\t.balign 32\n2:\tb .\n\tb .\n\tb .\n\tb .\n\tb .\n\tb .\n\tb 3f\n\tb 4f\n"
	   "3:\tldr r1, =DEV_BASE\n\tmov r0, #0x19\n\tstr r0, [r1]\n\tb .\n"
	   "4:\tldr r1, =DEV_BASE\n\tmov r0, #0x1f\n\tstr r0, [r1]\n\tb .\n"
	   "1:\tadr r0, 2b\n\tmcr p15, 0, r0, c12, c0, 0\n\tisb\n\tldr r1, =DEV_BASE\n\t"
	   "str r0, [r1]\n\tcpsie if\n5:\twfi\n\tb 5b");

static void user_irqchip(void)
{
	for (unsigned int line = 0; line < 2; line++) {
		struct vm vm;
		uint32_t v;

		vm_make(&vm, 1, VM_NO_GIC);
		VM_CODE(&vm, 0, irq);
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		CHECK_OK(irq_line(vm.fd, CPU_IRQ(0, line), 1));
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		memcpy(&v, vm.vcpu[0].run->mmio.data, 4);
		CHECK(v == (line ? 0x1f : 0x19), "line %u: %x", line, v);
		CHECK_OK(irq_line(vm.fd, CPU_IRQ(0, line), 0));
		vm_close(&vm);
	}
}

/* The kernel's log must not fill at a guest's or a client's will (item 19). */
GUEST_CODE(nasty, "b 1f\n\t.balign 32\n2:\tb 3f\n\tb 3f\n\tb 3f\n\tb 3f\n\tb 3f\n\tb 3f\n\tb 3f\n\tb 3f\n"
	   "3:\tldr r1, =DEV_BASE\n\tstr r1, [r1]\n\tb .\n"
	   "1:\tadr r0, 2b\n\tmcr p15, 0, r0, c12, c0, 0\n\tisb\n\tldr r1, =DEV_BASE\n\t"
	   "cmp r4, #1\n\tldmlo r1, {r2-r5}\n\tldrexeq r2, [r1]\n\tldrhi pc, =0x0b000000\n\t"
	   "str r0, [r1]\n\tb .");

static void quiet(void)
{
	unsigned int before = log_count("armvmm"), after;
	struct vm vm;

	vm_make(&vm, 1, VM_NO_GIC_INIT);
	for (int i = 0; i < 500; i++) {
		/*
		 * No syndrome, an exclusive, no memory to execute from: RUN or the guest refuses
		 * it.
		 */
		VM_CODE(&vm, 0, nasty);
		reg32_set(vm.vcpu[0].fd, REG_R(4), (uint32_t)i % 3);
		if (ioctl(vm.vcpu[0].fd, KVM_RUN, 0) < 0)
			CHECK(errno == ENOSYS, "%s", strerror(errno));
		else
			CHECK(vm.vcpu[0].run->exit_reason == KVM_EXIT_MMIO);
		(void)ioctl(vm.vcpu[0].fd, _IO(KVMIO, 0xf0), i);
		(void)ioctl(vm.fd, _IO(KVMIO, 0xf0), i);
		(void)irq_line(vm.fd, ~0u, 1);
		(void)mem_set(vm.fd, ~0u, ~0u, ~0ull, ~0ull, vm.ram);
		memset(vm.vcpu[0].run, 0, sizeof(struct kvm_run));
		vm_vcpu_init(&vm, 0);
	}
	after = log_count("armvmm");
	CHECK(after - before < 10, "%u lines", after - before);
}

static const struct ktap_case cases[] = {
	{ "before_init", before_init, 0 },
	{ "init_errors", init_errors, 0 },
	{ "init_resets", init_resets, 0 },
	{ "argument", argument, 0 },
	{ "first_run_fails", first_run_fails, 0 },
	{ "mmio_write", mmio_write, 0 },
	{ "immediate_exit", immediate_exit, 0 },
	{ "signals_mmio", signals_mmio, 0 },
	{ "kick_spinning", kick_spinning, 0 },
	{ "kick_sleeping", kick_sleeping, 0 },
	{ "kick_off", kick_off, 0 },
	{ "signal_mask", signal_mask, 0 },
	{ "system_off", system_off, 0 },
	{ "run_page", run_page, 0 },
	{ "run_page_end", run_page_end, 0 },
	{ "hostile_page", hostile_page, 0 },
	{ "no_syndrome", no_syndrome, 0 },
	{ "user_irqchip", user_irqchip, 0 },
	{ "quiet", quiet, 0 },
};
KTAP_MAIN(cases)

// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI as the client sees it: MP_STATE, and CPU_ON while the client calls ioctls (docs/hazards.md
 * 18).
 */
#include "vm.h"
#include "binstats.h"

GUEST_CODE(version, "ldr r4, =DEV_BASE\n\tldr r0, =0x84000000\n\thvc #0\n\tstr r0, [r4]\n\tb .");
/* Calls CPU_ON for MPIDR 1 at r5 with context 0x1234, and writes the result to the device. */
GUEST_CODE(cpu_on, "ldr r4, =DEV_BASE\n1:\tldr r0, =0x84000003\n\tmov r1, #1\n\tmov r2, r5\n\t"
	   "ldr r3, =0x1234\n\thvc #0\n\tstr r0, [r4]\n\tb 1b");
GUEST_CODE(cpu_on_01, "ldr r4, =DEV_BASE\n1:\tldr r0, =0x95c1ba60\n\tmov r1, #1\n\tmov r2, r5\n\t"
	   "ldr r3, =0x1234\n\thvc #0\n\tstr r0, [r4]\n\tb 1b");
/* Reports r0 and CPSR, then switches itself off, each time that it is started. */
GUEST_CODE(second, "ldr r4, =DEV_BASE + 0x4\n\tstr r0, [r4]\n\tmrs r0, cpsr\n\tstr r0, [r4]\n\t"
	   "ldr r0, =0x84000002\n\thvc #0\n\tb .");
GUEST_CODE(spin, "ldr r1, =DEV_BASE\n\tstr r0, [r1]\n1:\tb 1b");
GUEST_CODE(suspend, "ldr r4, =DEV_BASE\n\tldr r0, =0x84000001\n\thvc #0\n\tstr r0, [r4]\n\tb .");

/* Makes two calls, r5 and r6, each with r7, and writes the results to the device. */
GUEST_CODE(calls, "ldr r4, =DEV_BASE\n\tmov r0, r5\n\tmov r1, r7\n\thvc #0\n\tstr r0, [r4]\n\t"
	   "mov r0, r6\n\tmov r1, r7\n\thvc #0\n\tstr r0, [r4]\n\tb .");

#define SECOND	(RAM_BASE + 0x40000)
#define FEATURES	0x8400000au
#define RESET2		0x84000012u
#define WORKAROUND_1	0x80008000u

static int state(struct vm *vm, unsigned int i)
{
	struct kvm_mp_state mp;

	MUST_OK(ioctl(vm->vcpu[i].fd, KVM_GET_MP_STATE, &mp));
	return (int)mp.mp_state;
}

static uint32_t out(struct vm *vm, unsigned int i)
{
	uint32_t v;

	MUST(vm_run(vm, i) == KVM_EXIT_MMIO && vm->vcpu[i].run->mmio.is_write, "exit %u",
	     vm->vcpu[i].run->exit_reason);
	memcpy(&v, vm->vcpu[i].run->mmio.data, 4);
	return v;
}

static void versions(void)
{
	struct vm vm;
	uint64_t v = 2;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, version);
	CHECK(out(&vm, 0) >= 0x10000);
	CHECK(!reg_set(vm.vcpu[0].fd, KVM_REG_ARM_PSCI_VERSION, &v));
	VM_CODE(&vm, 0, version);
	CHECK(out(&vm, 0) == 2, "the version that the client chose is the guest's");
	vm_close(&vm);
	vm_make(&vm, 1, VM_PSCI_01);
	VM_CODE(&vm, 0, version);
	CHECK(out(&vm, 0) == ~0u, "0.1 has no PSCI_VERSION");
}

static void call(struct vm *vm, uint64_t version, uint32_t first, uint32_t then, uint32_t arg)
{
	MUST(!reg_set(vm->vcpu[0].fd, KVM_REG_ARM_PSCI_VERSION, &version), "%s", strerror(errno));
	VM_CODE(vm, 0, calls);
	reg32_set(vm->vcpu[0].fd, REG_R(5), first);
	reg32_set(vm->vcpu[0].fd, REG_R(6), then);
	reg32_set(vm->vcpu[0].fd, REG_R(7), arg);
}

/* SYSTEM_RESET2 came with PSCI 1.1; its one architectural type is a reset (DEN 0022 5.11). */
static void reset2(void)
{
	struct vm vm;

	vm_make(&vm, 1, 0);
	call(&vm, 0x10001, FEATURES, RESET2, RESET2);
	CHECK(out(&vm, 0) == 0);
	CHECK((int)out(&vm, 0) == -2, "a type that is none: INVALID_PARAMETERS");
	call(&vm, 0x10000, FEATURES, RESET2, RESET2);
	CHECK((int)out(&vm, 0) == -1);
	CHECK((int)out(&vm, 0) == -1, "PSCI 1.0 has none");
	call(&vm, 0x10000, RESET2, RESET2, 0);
	CHECK((int)out(&vm, 0) == -1);
	call(&vm, 0x10001, RESET2, RESET2, 0);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_SYSTEM_EVENT);
	CHECK(vm.vcpu[0].run->system_event.type == KVM_SYSTEM_EVENT_RESET);
	CHECK(!vm.vcpu[0].run->system_event.flags);
}

/*
 * If the guest is to use the workaround, the call returns nothing: r0 stays (SMCCC 7.4). Else the
 * call is unknown.
 */
static void workaround_1(void)
{
	uint64_t level;
	struct vm vm;

	vm_make(&vm, 1, 0);
	level = reg64(vm.vcpu[0].fd, KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1);
	call(&vm, 0x10001, WORKAROUND_1, WORKAROUND_1, 0);
	CHECK(out(&vm, 0) == (level ? WORKAROUND_1 : ~0u), "level %llu",
	      (unsigned long long)level);
	/* A VM from elsewhere may have had the same level, or a lower one, but no higher one. */
	for (uint64_t v = 0; v <= level; v++)
		CHECK_OK(reg_set(vm.vcpu[0].fd, KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1, &v));
	for (uint64_t v = level + 1; v; v *= 2)
		CHECK_ERRNO(reg_set(vm.vcpu[0].fd, KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1, &v),
			    EINVAL);
	CHECK(reg64(vm.vcpu[0].fd, KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1) == level);
}

static void mp_state(void)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct vm vm;

	vm_make(&vm, 2, 0);
	CHECK(state(&vm, 0) == KVM_MP_STATE_RUNNABLE);
	CHECK(state(&vm, 1) == KVM_MP_STATE_STOPPED);
	CHECK_OK(ioctl(vm.vcpu[1].fd, KVM_SET_MP_STATE, &mp));
	CHECK(state(&vm, 1) == KVM_MP_STATE_RUNNABLE);
	mp.mp_state = KVM_MP_STATE_STOPPED;
	CHECK_OK(ioctl(vm.vcpu[1].fd, KVM_SET_MP_STATE, &mp));
	CHECK(state(&vm, 1) == KVM_MP_STATE_STOPPED);
	for (unsigned int i = 1; i < 64; i++) {
		mp.mp_state = i;
		if (i != KVM_MP_STATE_STOPPED)
			CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_SET_MP_STATE, &mp), EINVAL);
	}
	CHECK(state(&vm, 0) == KVM_MP_STATE_RUNNABLE);
}

static void on_off(unsigned int without)
{
	struct runner r;
	struct vm vm;

	vm_make(&vm, 2, without);
	vm_code_at(&vm, 1, SECOND, code_second, code_second_end);
	if (without)
		VM_CODE(&vm, 0, cpu_on_01);
	else
		VM_CODE(&vm, 0, cpu_on);
	reg32_set(vm.vcpu[0].fd, REG_R(5), SECOND);
	for (unsigned int i = 0; i < 13; i++)
		reg32_set(vm.vcpu[1].fd, REG_R(i), 0xdead);
	CHECK(out(&vm, 0) == 0);
	CHECK(state(&vm, 1) == KVM_MP_STATE_RUNNABLE);
	/* Again before it has run: it is already on. */
	CHECK((int)out(&vm, 0) == (without ? -2 : -4));
	CHECK(out(&vm, 1) == 0x1234, "context");
	CHECK(reg32(vm.vcpu[1].fd, REG_R(4)) == DEV_BASE + 4 && !reg32(vm.vcpu[1].fd, REG_R(7)));
	CHECK((out(&vm, 1) & 0x3ff) == 0x1d3, "CPSR");
	if (without)
		return;
	/* CPU_OFF sleeps in RUN until it is switched on again. */
	for (int i = 0; i < 100 && state(&vm, 1) != KVM_MP_STATE_STOPPED; i++) {
		runner_start(&r, &vm, 1);
		usleep(100000);
		/* GET_MP_STATE would wait for the end of RUN. */
		runner_stop(&r);
		CHECK(!r.error && !r.exits, "error %d, %u exits", r.error, r.exits);
	}
	CHECK(state(&vm, 1) == KVM_MP_STATE_STOPPED);
	CHECK(out(&vm, 0) == 0);
	CHECK(out(&vm, 1) == 0x1234);
}

static void cpu_on(void)
{
	on_off(0);
}

static void cpu_on_01(void)
{
	on_off(VM_PSCI_01);
}

/*
 * RUN of a vCPU that is off waits, however often a signal ends it, as a client's does that pauses
 * all its vCPUs. Its next instruction would write to the device.
 */
static void stays_off(struct vm *vm, unsigned int i, const char *by)
{
	struct runner r;

	for (int n = 0; n < 3; n++) {
		runner_start(&r, vm, i);
		usleep(100000);
		runner_stop(&r);
		CHECK(!r.error && !r.exits, "%s, RUN %d: error %d, %u exits", by, n, r.error,
		      r.exits);
	}
	CHECK(state(vm, i) == KVM_MP_STATE_STOPPED, "%s", by);
}

static void off_signalled(void)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_STOPPED };
	struct vm vm;

	vm_make(&vm, 2, 0);
	vm_code_at(&vm, 1, SECOND, code_second, code_second_end);
	VM_CODE(&vm, 0, cpu_on);
	reg32_set(vm.vcpu[0].fd, REG_R(5), SECOND);
	stays_off(&vm, 1, "VCPU_INIT");
	CHECK(out(&vm, 0) == 0);
	CHECK(out(&vm, 1) == 0x1234);

	CHECK_OK(ioctl(vm.vcpu[1].fd, KVM_SET_MP_STATE, &mp));
	stays_off(&vm, 1, "SET_MP_STATE");
	mp.mp_state = KVM_MP_STATE_RUNNABLE;
	CHECK_OK(ioctl(vm.vcpu[1].fd, KVM_SET_MP_STATE, &mp));
	CHECK((out(&vm, 1) & 0x3ff) == 0x1d3, "it goes on where it was");

	/* It switches itself off now, at the latest in the first of these. */
	stays_off(&vm, 1, "CPU_OFF");
	CHECK(out(&vm, 0) == 0);
	CHECK(out(&vm, 1) == 0x1234, "CPU_ON starts it");
}

/* After SYSTEM_OFF and SYSTEM_RESET all vCPUs are off, until the client resets them. */
static void system_off(void)
{
	static const struct {
		uint32_t fn, event;
	} ends[] = {
		{ 0x84000008, KVM_SYSTEM_EVENT_SHUTDOWN },
		{ 0x84000009, KVM_SYSTEM_EVENT_RESET },
	};

	for (unsigned int i = 0; i < 2; i++) {
		struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };
		struct vm vm;

		vm_make(&vm, 2, 0);
		vm_code_at(&vm, 1, SECOND, code_second, code_second_end);
		CHECK_OK(ioctl(vm.vcpu[1].fd, KVM_SET_MP_STATE, &mp));
		call(&vm, 0x10001, ends[i].fn, ends[i].fn, 0);
		MUST(vm_run(&vm, 0) == KVM_EXIT_SYSTEM_EVENT, "no event");
		CHECK(vm.vcpu[0].run->system_event.type == ends[i].event);
		stays_off(&vm, 0, "the caller");
		stays_off(&vm, 1, "another");
		vm_close(&vm);
	}
}

static volatile bool done;

static void *poke(void *arg)
{
	struct vm *vm = arg;
	uint32_t v;

	while (!done) {
		/* Before or after, but never in between: PC and r0 belong together. */
		(void)reg_get(vm->vcpu[1].fd, REG_PC, &v);
		v = 0x1d3;
		(void)reg_set(vm->vcpu[1].fd, REG_CPSR, &v);
		(void)reg_get(vm->vcpu[1].fd, ARM_CP15_REG32(0, 1, 0, 0), &v);
	}
	return NULL;
}

/* CPU_ON again and again, while another thread reads and writes the target's registers. */
static void on_race(void)
{
	struct runner r;
	pthread_t t;
	struct vm vm;
	unsigned int started = 0;

	vm_make(&vm, 2, 0);
	vm_code_at(&vm, 1, SECOND, code_second, code_second_end);
	VM_CODE(&vm, 0, cpu_on);
	reg32_set(vm.vcpu[0].fd, REG_R(5), SECOND);
	MUST(!pthread_create(&t, NULL, poke, &vm), "no thread");
	runner_start(&r, &vm, 1);
	for (uint64_t start = now_ns();
	     now_ns() < start + 3000000000ull ||
	     (started <= 3 && now_ns() < start + PATIENCE_MS * 1000000ull);) {
		uint32_t v = out(&vm, 0);

		CHECK(v == 0 || (int)v == -4, "CPU_ON answers %d", (int)v);
		started += !v;
	}
	usleep(100000);
	/* Stop this one first: the other thread may wait for the end of RUN. */
	runner_stop(&r);
	done = true;
	pthread_join(t, NULL);
	CHECK(!r.error, "%d", r.error);
	CHECK(started > 3, "started %u times", started);
	CHECK(r.mmio >= 2 * (started - 1), "%u words of %u starts", r.mmio, started);
}

/* VCPU_INIT of a stopped vCPU in a running VM, at the same time as CPU_ON. */
static void init_race(void)
{
	struct kvm_vcpu_init init;
	struct runner r;
	struct vm vm;

	vm_make(&vm, 2, 0);
	vm_code_at(&vm, 1, SECOND, code_spin, code_spin_end);
	VM_CODE(&vm, 0, cpu_on);
	reg32_set(vm.vcpu[0].fd, REG_R(5), SECOND);
	init = vm.init;
	init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	runner_start(&r, &vm, 0);
	for (int i = 0; i < 500; i++)
		CHECK_OK(ioctl(vm.vcpu[1].fd, KVM_ARM_VCPU_INIT, &init));
	CHECK(!r.error, "%d", r.error);
	runner_stop(&r);
}

/* CPU_SUSPEND sleeps. A signal interrupts RUN, and then it goes on sleeping. */
static void suspend(void)
{
	struct runner r;
	struct vm vm;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, suspend);
	runner_start(&r, &vm, 0);
	MUST(vcpu_blocks(&vm, 0), "the guest does not sleep");
	runner_stop(&r);
	CHECK(!r.mmio && !r.error, "%u accesses, error %d", r.mmio, r.error);
}

static const struct ktap_case cases[] = {
	{ "versions", versions, 0 },
	{ "reset2", reset2, 0 },
	{ "workaround_1", workaround_1, 0 },
	{ "mp_state", mp_state, 0 },
	{ "cpu_on", cpu_on, 0 },
	{ "cpu_on_01", cpu_on_01, 0 },
	{ "off_signalled", off_signalled, 0 },
	{ "system_off", system_off, 0 },
	{ "on_race", on_race, 0 },
	{ "init_race", init_race, 0 },
	{ "suspend", suspend, 0 },
};
KTAP_MAIN(cases)

// SPDX-License-Identifier: GPL-2.0-only
/*
 * An interrupt controller in the client: device_irq_level in the run page shows the lines of the
 * timers, with an exit at each change; KVM_IRQ_LINE of type CPU sets IRQ and FIQ.
 */
#include "vm.h"

/*
 * r5: 0 virtual timer, 1 physical. Reports, sets the timer to 1 ms from now, waits with interrupts
 * on. The handler reports the timer's control register, turns the timer off, and reports once more.
 */
GUEST_CODE(timer, "b 1f\n\t.balign 32\n2:\tb .\n\tb .\n\tb .\n\tb .\n\tb .\n\tb .\n\tb 3f\n\tb .\n"
	   "3:\tsub lr, lr, #4\n\tpush {r0, lr}\n\tcmp r5, #0\n\tmrceq p15, 0, r0, c14, c3, 1\n\t"
	   "mrcne p15, 0, r0, c14, c2, 1\n\tstr r0, [r1, #4]\n\tmov r0, #0\n\t"
	   "mcreq p15, 0, r0, c14, c3, 1\n\tmcrne p15, 0, r0, c14, c2, 1\n\tisb\n\tstr r0, [r1, #8]\n\t"
	   "ldm sp!, {r0, pc}^\n"
	   "1:\tadr r0, 2b\n\tmcr p15, 0, r0, c12, c0, 0\n\tisb\n\tldr r1, =DEV_BASE\n\t"
	   "cps #0x12\n\tldr sp, =RAM_BASE + 0x8000\n\tcps #0x13\n"
	   "4:\tmrc p15, 0, r3, c14, c0, 0\n\tldr r0, =0x10624dd3\n\tumull r2, r3, r3, r0\n\t"
	   "lsr r3, r3, #6\n\tstr r3, [r1]\n\tcmp r5, #0\n\tmov r0, #1\n\t"
	   "mcreq p15, 0, r3, c14, c3, 0\n\tmcreq p15, 0, r0, c14, c3, 1\n\t"
	   "mcrne p15, 0, r3, c14, c2, 0\n\tmcrne p15, 0, r0, c14, c2, 1\n\tisb\n\t"
	   "wfi\n\tcpsie i\n\tisb\n\tcpsid i\n\tb 4b");
/* Reports which of IRQ and FIQ comes, with the flags of the mode in which it was taken. */
GUEST_CODE(lines, "b 1f\n\t.balign 32\n2:\tb .\n\tb .\n\tb .\n\tb .\n\tb .\n\tb .\n\tb 3f\n\tb 4f\n"
	   "3:\tstr r0, [r1, #4]\n\tsubs pc, lr, #4\n4:\tstr r0, [r1, #8]\n\tsubs pc, lr, #4\n"
	   "1:\tadr r0, 2b\n\tmcr p15, 0, r0, c12, c0, 0\n\tisb\n\tldr r1, =DEV_BASE\n\t"
	   "str r0, [r1]\n\tcpsie if\n5:\tstr r0, [r1, #12]\n\tb 5b");

static uint64_t level(struct vm *vm)
{
	return vm->vcpu[0].run->s.regs.device_irq_level;
}

/* Runs to the guest's next report. Returns the offset that it is written at. */
static uint32_t told(struct vm *vm)
{
	CHECK(vm_run(vm, 0) == KVM_EXIT_MMIO);
	return (uint32_t)vm->vcpu[0].run->mmio.phys_addr - DEV_BASE;
}

static uint32_t data(struct vm *vm)
{
	uint32_t v;

	memcpy(&v, vm->vcpu[0].run->mmio.data, 4);
	return v;
}

static void timer(uint32_t which, uint64_t bit)
{
	struct kvm_run *run;
	struct vm vm;

	vm_make(&vm, 1, VM_NO_GIC);
	CHECK(ioctl(vm.sys, KVM_CHECK_EXTENSION, KVM_CAP_ARM_USER_IRQ) == 1);
	run = vm.vcpu[0].run;
	VM_CODE(&vm, 0, timer);
	reg32_set(vm.vcpu[0].fd, REG_R(5), which);
	CHECK(told(&vm) == 0 && data(&vm), "the guest does not start");
	for (int i = 0; i < 5; i++) {
		CHECK(!level(&vm), "%llx", (unsigned long long)level(&vm));
		/* No line goes up before its time; when one does, KVM_RUN ends. */
		CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EINTR);
		CHECK(run->exit_reason == KVM_EXIT_INTR);
		CHECK(level(&vm) == bit, "%llx", (unsigned long long)level(&vm));
		/* The client's controller raises the CPU's line. */
		CHECK_OK(irq_line(vm.fd, CPU_IRQ(0, KVM_ARM_IRQ_CPU_IRQ), 1));
		CHECK(told(&vm) == 4 && data(&vm) == 5, "timer control %x", data(&vm));
		CHECK(level(&vm) == bit);
		/* The guest turned the timer off: the line falls, and the client learns that. */
		errno = 0;
		CHECK(ioctl(vm.vcpu[0].fd, KVM_RUN, 0) == 0 || errno == EINTR, "%s", strerror(errno));
		if (errno == EINTR)
			CHECK(told(&vm) == 8);
		CHECK(run->mmio.phys_addr == DEV_BASE + 8);
		CHECK(!level(&vm), "%llx", (unsigned long long)level(&vm));
		CHECK_OK(irq_line(vm.fd, CPU_IRQ(0, KVM_ARM_IRQ_CPU_IRQ), 0));
		CHECK(told(&vm) == 0);
	}
}

static void virtual_timer(void)
{
	timer(0, KVM_ARM_DEV_EL1_VTIMER);
}

static void physical_timer(void)
{
	timer(1, KVM_ARM_DEV_EL1_PTIMER);
}

static void lines(void)
{
	struct vm vm;

	vm_make(&vm, 1, VM_NO_GIC);
	VM_CODE(&vm, 0, lines);
	CHECK(told(&vm) == 0);
	CHECK(told(&vm) == 12);
	/* Levels: taken again and again while they are up; FIQ comes before IRQ (B1.8.3). */
	CHECK_OK(irq_line(vm.fd, CPU_IRQ(0, KVM_ARM_IRQ_CPU_IRQ), 1));
	for (int i = 0; i < 3; i++)
		CHECK(told(&vm) == 4);
	CHECK_OK(irq_line(vm.fd, CPU_IRQ(0, KVM_ARM_IRQ_CPU_FIQ), 1));
	for (int i = 0; i < 3; i++)
		CHECK(told(&vm) == 8);
	CHECK_OK(irq_line(vm.fd, CPU_IRQ(0, KVM_ARM_IRQ_CPU_FIQ), 0));
	CHECK(told(&vm) == 4);
	CHECK_OK(irq_line(vm.fd, CPU_IRQ(0, KVM_ARM_IRQ_CPU_IRQ), 0));
	CHECK(told(&vm) == 12);
	CHECK(told(&vm) == 12);
	/* A vCPU that is initialized again has no line up. */
	CHECK_OK(irq_line(vm.fd, CPU_IRQ(0, KVM_ARM_IRQ_CPU_IRQ), 1));
	CHECK_OK(irq_line(vm.fd, CPU_IRQ(0, KVM_ARM_IRQ_CPU_FIQ), 1));
	vm_vcpu_init(&vm, 0);
	VM_CODE(&vm, 0, lines);
	CHECK(told(&vm) == 0);
	CHECK(told(&vm) == 12);
}

static void arguments(void)
{
	struct kvm_irq_level line = { .irq = CPU_IRQ(0, KVM_ARM_IRQ_CPU_IRQ), .level = 1 };
	struct vm vm;

	vm_make(&vm, 1, VM_NO_GIC);
	CHECK_ERRNO(irq_line(vm.fd, CPU_IRQ(0, 2), 1), EINVAL);
	CHECK_ERRNO(irq_line(vm.fd, CPU_IRQ(0, 0xffff), 1), EINVAL);
	CHECK_ERRNO(irq_line(vm.fd, CPU_IRQ(1, 0), 1), EINVAL);
	CHECK_ERRNO(irq_line(vm.fd, CPU_IRQ(0xff, 0), 1), EINVAL);
	CHECK_ERRNO(irq_line(vm.fd, 1u << KVM_ARM_IRQ_VCPU2_SHIFT, 1), EINVAL);
	/* As KVM_IRQ_LINE; there is no delivery status as on x86. */
	CHECK_OK(ioctl(vm.fd, KVM_IRQ_LINE_STATUS, &line));
	CHECK(line.irq == CPU_IRQ(0, KVM_ARM_IRQ_CPU_IRQ) && line.level == 1);
	line.irq = CPU_IRQ(1, 0);
	CHECK_ERRNO(ioctl(vm.fd, KVM_IRQ_LINE_STATUS, &line), EINVAL);
	CHECK_ERRNO(ioctl(vm.fd, KVM_IRQ_LINE_STATUS, NULL), EFAULT);
	CHECK_ERRNO(irq_line(vm.fd, SPI(40), 1), ENXIO);
	CHECK_ERRNO(irq_line(vm.fd, PPI(0, 20), 1), ENXIO);
	CHECK_ERRNO(irq_line(vm.fd, PPI(7, 20), 1), ENXIO);
	CHECK_ERRNO(irq_line(vm.fd, 3 << KVM_ARM_IRQ_TYPE_SHIFT, 1), EINVAL);
	vm_close(&vm);
	vm_make(&vm, 1, 0);
	CHECK_ERRNO(irq_line(vm.fd, CPU_IRQ(0, KVM_ARM_IRQ_CPU_IRQ), 1), ENXIO);
	CHECK_ERRNO(irq_line(vm.fd, CPU_IRQ(7, KVM_ARM_IRQ_CPU_IRQ), 1), ENXIO);
	CHECK_ERRNO(irq_line(vm.fd, CPU_IRQ(0, 7), 1), ENXIO);
	CHECK_ERRNO(irq_line(vm.fd, PPI(7, 20), 1), EINVAL);
}

static const struct ktap_case cases[] = {
	{ "virtual_timer", virtual_timer, 0 },
	{ "physical_timer", physical_timer, 0 },
	{ "lines", lines, 0 },
	{ "arguments", arguments, 0 },
};
KTAP_MAIN(cases)

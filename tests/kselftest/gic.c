// SPDX-License-Identifier: GPL-2.0-only
/* The vGIC device, its attributes, KVM_IRQ_LINE, and the older ioctls (docs/hazards.md 2). */
#include "vm.h"

#define GRP_ADDR	KVM_DEV_ARM_VGIC_GRP_ADDR
#define GRP_DIST	KVM_DEV_ARM_VGIC_GRP_DIST_REGS
#define GRP_CPU		KVM_DEV_ARM_VGIC_GRP_CPU_REGS
#define GRP_NR		KVM_DEV_ARM_VGIC_GRP_NR_IRQS
#define GRP_CTRL	KVM_DEV_ARM_VGIC_GRP_CTRL
#define ON_VCPU(n)	((uint64_t)(n) << KVM_DEV_ARM_VGIC_CPUID_SHIFT)

GUEST_CODE(count, "ldr r1, =DEV_BASE\n1:\tstr r0, [r1]\n\tadd r0, r0, #1\n\tb 1b");
GUEST_CODE(spin, "ldr r1, =DEV_BASE\n\tstr r0, [r1]\n1:\tb 1b");
/* Takes interrupts by polling GICC_IAR, and writes what it reads to the device. */
GUEST_CODE(iar, "ldr r1, =DEV_BASE\n\tldr r2, =GICC_BASE\n\tmov r0, #0xf0\n\tstr r0, [r2, #4]\n\t"
	   "mov r0, #1\n\tstr r0, [r2]\n\tstr r0, [r1, #8]\n"
	   "1:\tldr r0, [r2, #12]\n\tldr r3, =1023\n\tcmp r0, r3\n\tbeq 1b\n\t"
	   "str r0, [r2, #16]\n\tstr r0, [r1]\n\tb 1b");

/* Takes SPI 40, directs it to vCPU 1, reports, ends it, and reports whether it is active. */
GUEST_CODE(retarget, "ldr r1, =DEV_BASE\n\tldr r2, =GICD_BASE\n\tldr r3, =GICC_BASE\n\t"
	   "mov r0, #0xf0\n\tstr r0, [r3, #4]\n\tmov r0, #1\n\tstr r0, [r3]\n\tstr r0, [r2]\n\t"
	   "strb r0, [r2, #0x828]\n\tmov r0, #0x100\n\tstr r0, [r2, #0x104]\n\t"
	   "add r4, r2, #0x200\n\tstr r0, [r4, #4]\n"
	   "1:\tldr r5, [r3, #12]\n\tldr r0, =1023\n\tcmp r5, r0\n\tbeq 1b\n\t"
	   "mov r0, #2\n\tstrb r0, [r2, #0x828]\n\tstr r5, [r1]\n\tstr r5, [r3, #16]\n\t"
	   "add r4, r2, #0x300\n\tldr r0, [r4, #4]\n\tstr r0, [r1]\n2:\tb 2b");

static int gic_create(int vm, uint32_t type, uint32_t flags)
{
	struct kvm_create_device cd = { .type = type, .flags = flags, .fd = (uint32_t)-1 };

	return ioctl(vm, KVM_CREATE_DEVICE, &cd) < 0 ? -1 : (int)cd.fd;
}

static void create(void)
{
	int vm = vm_new(sys_open()), fd;

	CHECK_ERRNO(gic_create(vm, 0, 0), ENODEV);
	CHECK_ERRNO(gic_create(vm, 100, 0), ENODEV);
	CHECK_ERRNO(gic_create(vm, 0x7fffffff, 0), ENODEV);
	CHECK_ERRNO(gic_create(vm, ~0u, 0), ENODEV);
	CHECK_ERRNO(gic_create(vm, KVM_DEV_TYPE_ARM_VGIC_V3, 0), ENODEV);
	CHECK_ERRNO(gic_create(vm, KVM_DEV_TYPE_ARM_VGIC_V3, KVM_CREATE_DEVICE_TEST), ENODEV);
	errno = 0;
	CHECK(gic_create(vm, KVM_DEV_TYPE_ARM_VGIC_V2, KVM_CREATE_DEVICE_TEST) == -1 && !errno,
	      "%s", strerror(errno));
	fd = gic_create(vm, KVM_DEV_TYPE_ARM_VGIC_V2, 0);
	MUST(fd >= 0, "%s", strerror(errno));
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK_ERRNO(gic_create(vm, KVM_DEV_TYPE_ARM_VGIC_V2, 0), EEXIST);
	CHECK_ERRNO(ioctl(vm, KVM_CREATE_IRQCHIP, 0), EEXIST);
	close(fd);
	/* The device outlives its fd. */
	CHECK_ERRNO(gic_create(vm, KVM_DEV_TYPE_ARM_VGIC_V2, 0), EEXIST);
}

static void create_after_run(void)
{
	struct vm vm;

	vm_make(&vm, 1, VM_NO_GIC);
	VM_CODE(&vm, 0, count);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	CHECK_ERRNO(gic_create(vm.fd, KVM_DEV_TYPE_ARM_VGIC_V2, 0), EBUSY);
}

static void create_irqchip(void)
{
	struct kvm_arm_device_addr a = {
		.id = KVM_ARM_DEVICE_VGIC_V2 << KVM_ARM_DEVICE_ID_SHIFT, .addr = GICD_BASE,
	};
	struct vm vm;

	vm_make(&vm, 1, VM_NO_GIC);
	CHECK_ERRNO(ioctl(vm.fd, KVM_ARM_SET_DEVICE_ADDR, &a), ENODEV);
	CHECK_OK(ioctl(vm.fd, KVM_CREATE_IRQCHIP, 0));
	CHECK_ERRNO(ioctl(vm.fd, KVM_CREATE_IRQCHIP, 0), EEXIST);
	a.id = 1 << KVM_ARM_DEVICE_ID_SHIFT;
	CHECK_ERRNO(ioctl(vm.fd, KVM_ARM_SET_DEVICE_ADDR, &a), ENODEV);
	a.id = 5;
	CHECK_ERRNO(ioctl(vm.fd, KVM_ARM_SET_DEVICE_ADDR, &a), ENODEV);
	a.id = KVM_VGIC_V2_ADDR_TYPE_DIST;
	a.addr = GICD_BASE + 1;
	CHECK_ERRNO(ioctl(vm.fd, KVM_ARM_SET_DEVICE_ADDR, &a), EINVAL);
	a.addr = 1ull << 40;
	CHECK_ERRNO(ioctl(vm.fd, KVM_ARM_SET_DEVICE_ADDR, &a), E2BIG);
	a.addr = GICD_BASE;
	CHECK_OK(ioctl(vm.fd, KVM_ARM_SET_DEVICE_ADDR, &a));
	CHECK_ERRNO(ioctl(vm.fd, KVM_ARM_SET_DEVICE_ADDR, &a), EEXIST);
	a.id = KVM_VGIC_V2_ADDR_TYPE_CPU;
	a.addr = GICC_BASE;
	CHECK_OK(ioctl(vm.fd, KVM_ARM_SET_DEVICE_ADDR, &a));
	/* Initialised at the first RUN, as the oldest clients rely on. */
	VM_CODE(&vm, 0, count);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
}

static void addresses(void)
{
	int vm = vm_new(sys_open()), fd = gic_create(vm, KVM_DEV_TYPE_ARM_VGIC_V2, 0);
	uint64_t a;

	MUST(fd >= 0, "%s", strerror(errno));
	CHECK_OK(attr_get(fd, GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_DIST, &a));
	CHECK(a == ~0ull, "%llx before it is set", (unsigned long long)a);
	for (unsigned int type = 0; type < 2; type++) {
		CHECK_OK(attr_has(fd, GRP_ADDR, type));
		a = GICD_BASE + 0x800;
		CHECK_ERRNO(attr_set(fd, GRP_ADDR, type, &a), EINVAL);
		a = 1;
		CHECK_ERRNO(attr_set(fd, GRP_ADDR, type, &a), EINVAL);
		a = 1ull << 40;
		CHECK_ERRNO(attr_set(fd, GRP_ADDR, type, &a), E2BIG);
		a = ~0xfffull;
		CHECK_ERRNO(attr_set(fd, GRP_ADDR, type, &a), E2BIG);
		CHECK_ERRNO(attr_set(fd, GRP_ADDR, type, NULL), EFAULT);
		a = GICD_BASE + type * 0x10000;
		CHECK_OK(attr_set(fd, GRP_ADDR, type, &a));
		CHECK_ERRNO(attr_set(fd, GRP_ADDR, type, &a), EEXIST);
		a = 0;
		CHECK_OK(attr_get(fd, GRP_ADDR, type, &a));
		CHECK(a == GICD_BASE + type * 0x10000, "%llx", (unsigned long long)a);
	}
	CHECK_ERRNO(attr_set(fd, GRP_ADDR, 2, &a), ENXIO);
	CHECK_ERRNO(attr_set(fd, GRP_ADDR, ~0ull, &a), ENXIO);
	CHECK_ERRNO(attr_get(fd, GRP_ADDR, 7, &a), ENXIO);
	CHECK_ERRNO(attr_has(fd, GRP_ADDR, 2), ENXIO);
	CHECK_ERRNO(attr_has(fd, 99, 0), ENXIO);
	CHECK_ERRNO(attr_set(fd, 99, 0, &a), ENXIO);
	CHECK_ERRNO(attr_get(fd, ~0u, 0, &a), ENXIO);
}

static void nr_irqs(void)
{
	static const uint32_t bad[] = { 0, 1, 32, 63, 65, 100, 1056, 2048, 0x80000000, ~0u };
	static const uint32_t good[] = { 64, 96, 256, 992, 1024 };
	int sys = sys_open();
	uint32_t n;

	for (unsigned int i = 0; i < sizeof(good) / 4; i++) {
		int vm = vm_new(sys), fd = gic_create(vm, KVM_DEV_TYPE_ARM_VGIC_V2, 0);

		for (unsigned int k = 0; k < sizeof(bad) / 4; k++) {
			n = bad[k];
			CHECK_ERRNO(attr_set(fd, GRP_NR, 0, &n), EINVAL);
		}
		CHECK_ERRNO(attr_set(fd, GRP_NR, 0, NULL), EFAULT);
		n = good[i];
		CHECK_OK(attr_set(fd, GRP_NR, 0, &n));
		CHECK_ERRNO(attr_set(fd, GRP_NR, 0, &n), EBUSY);
		n = 0;
		CHECK_OK(attr_get(fd, GRP_NR, 0, &n));
		CHECK(n == good[i], "%u", n);
		CHECK_OK(attr_set(fd, GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
		close(fd);
		close(vm);
	}
}

static void init_attr(void)
{
	struct vm vm;
	uint32_t n = 128;

	vm_make(&vm, 1, VM_NO_GIC_INIT);
	CHECK_OK(attr_has(vm.gic, GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT));
	CHECK_ERRNO(attr_has(vm.gic, GRP_CTRL, 77), ENXIO);
	CHECK_ERRNO(attr_set(vm.gic, GRP_CTRL, 77, NULL), ENXIO);
	CHECK_ERRNO(attr_get(vm.gic, GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, &n), ENXIO);
	CHECK_OK(attr_set(vm.gic, GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
	CHECK_OK(attr_set(vm.gic, GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
	CHECK_ERRNO(attr_set(vm.gic, GRP_NR, 0, &n), EBUSY);
}

static void register_errors(void)
{
	static const uint32_t off[] = { 1, 2, 3, 0x101, 0x1000, 0x10000, 0xfffffffc, 0xffffffff };
	uint32_t v = 0;
	struct vm vm;

	vm_make(&vm, 2, 0);
	for (uint32_t cpu = 2; cpu < 256; cpu += 23) {
		CHECK_ERRNO(attr_get(vm.gic, GRP_DIST, ON_VCPU(cpu), &v), EINVAL);
		CHECK_ERRNO(attr_set(vm.gic, GRP_DIST, ON_VCPU(cpu), &v), EINVAL);
		CHECK_ERRNO(attr_get(vm.gic, GRP_CPU, ON_VCPU(cpu), &v), EINVAL);
		CHECK_ERRNO(attr_set(vm.gic, GRP_CPU, ON_VCPU(cpu), &v), EINVAL);
	}
	for (unsigned int i = 0; i < sizeof(off) / 4; i++) {
		errno = 0;
		CHECK(attr_get(vm.gic, GRP_DIST, off[i], &v) == -1 &&
		      (errno == ENXIO || errno == EINVAL), "GICD %x: %s", off[i], strerror(errno));
		errno = 0;
		CHECK(attr_set(vm.gic, GRP_DIST, off[i], &v) == -1 &&
		      (errno == ENXIO || errno == EINVAL), "GICD %x: %s", off[i], strerror(errno));
		errno = 0;
		CHECK(attr_get(vm.gic, GRP_CPU, off[i] + 0x1000 * !i, &v) == -1 &&
		      (errno == ENXIO || errno == EINVAL), "GICC %x: %s", off[i], strerror(errno));
		CHECK_ERRNO(attr_has(vm.gic, GRP_DIST, off[i]), ENXIO);
		CHECK_ERRNO(attr_has(vm.gic, GRP_CPU, off[i] + 0x1000 * !i), ENXIO);
	}
	CHECK_OK(attr_has(vm.gic, GRP_DIST, 0));
	CHECK_OK(attr_has(vm.gic, GRP_DIST, 0x100));
	CHECK_OK(attr_has(vm.gic, GRP_CPU, 0));
	CHECK_OK(attr_has(vm.gic, GRP_CPU, 0x4));
	CHECK_ERRNO(attr_get(vm.gic, GRP_DIST, 0, NULL), EFAULT);
	CHECK_ERRNO(attr_set(vm.gic, GRP_CPU, 0, NULL), EFAULT);
}

/* State that a client saves from one VM can be restored into another. */
static void round_trip(void)
{
	static const struct { uint32_t off, val, mask; } dist[] = {
		{ 0x000, 1, 1 }, { 0x104, 0x0000ff00, ~0u }, { 0x204, 0x00000300, ~0u },
		{ 0x304, 0x00000500, ~0u }, { 0x420, 0x88a0b0c0, 0xf8f8f8f8 },
		{ 0x820, 0x01020301, 0x03030303 }, { 0xc08, 0xa << 24, 0xaaaaaaaa },
	};
	static const struct { uint32_t off, val; } cpu[] = {
		{ 0x00, 1 }, { 0x04, 0x1e }, { 0x08, 3 },
	};
	struct vm vm[2];
	uint32_t v;

	for (unsigned int m = 0; m < 2; m++)
		vm_make(&vm[m], 2, 0);
	for (unsigned int i = 0; i < sizeof(dist) / sizeof(dist[0]); i++) {
		v = dist[i].val;
		CHECK(!attr_set(vm[0].gic, GRP_DIST, dist[i].off, &v), "GICD %x: %s", dist[i].off,
		      strerror(errno));
	}
	for (unsigned int i = 0; i < 3; i++) {
		v = cpu[i].val;
		CHECK(!attr_set(vm[0].gic, GRP_CPU, ON_VCPU(1) | cpu[i].off, &v), "GICC %x: %s",
		      cpu[i].off, strerror(errno));
	}
	/* Once for the machine itself, and once for the one that takes over its state. */
	for (unsigned int i = 0; i < sizeof(dist) / sizeof(dist[0]); i++) {
		CHECK_OK(attr_get(vm[0].gic, GRP_DIST, dist[i].off, &v));
		CHECK((v & dist[i].mask) == (dist[i].val & dist[i].mask), "GICD %x: %x, not %x",
		      dist[i].off, v, dist[i].val);
		CHECK_OK(attr_set(vm[1].gic, GRP_DIST, dist[i].off, &v));
		CHECK_OK(attr_get(vm[1].gic, GRP_DIST, dist[i].off, &v));
		CHECK((v & dist[i].mask) == (dist[i].val & dist[i].mask), "GICD %x: %x, not %x",
		      dist[i].off, v, dist[i].val);
	}
	for (unsigned int i = 0; i < 3; i++) {
		CHECK_OK(attr_get(vm[0].gic, GRP_CPU, ON_VCPU(1) | cpu[i].off, &v));
		CHECK(v == cpu[i].val, "GICC %x: %x, not %x", cpu[i].off, v, cpu[i].val);
	}
	/* Every word that claims to be saveable can be saved. */
	for (uint32_t off = 0; off < 0x1000; off += 4)
		if (!attr_has(vm[0].gic, GRP_DIST, off))
			CHECK(!attr_get(vm[0].gic, GRP_DIST, off, &v), "GICD %x: %s", off,
			      strerror(errno));
}

static void registers_busy(void)
{
	struct runner r;
	struct vm vm;
	uint32_t v;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, spin);
	runner_start(&r, &vm, 0);
	CHECK(runner_wait(&r, 1, PATIENCE_MS));
	/* The vCPU is on its way into RUN again, and does not come back from there. */
	for (int i = 0; i < 5000 && !attr_get(vm.gic, GRP_DIST, 0, &v); i++)
		usleep(1000);
	CHECK_ERRNO(attr_get(vm.gic, GRP_DIST, 0, &v), EBUSY);
	CHECK_ERRNO(attr_get(vm.gic, GRP_CPU, 0, &v), EBUSY);
	runner_stop(&r);
	CHECK_OK(attr_get(vm.gic, GRP_DIST, 0, &v));
}

static void line_errors(void)
{
	struct vm vm;
	uint32_t n = 128;

	vm_make(&vm, 2, VM_NO_GIC_INIT);
	CHECK_OK(attr_set(vm.gic, GRP_NR, 0, &n));
	CHECK_OK(attr_set(vm.gic, GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
	for (uint32_t level = 0; level < 2; level++) {
		CHECK_ERRNO(irq_line(vm.fd, CPU_IRQ(0, 0), level), ENXIO);
		CHECK_ERRNO(irq_line(vm.fd, SPI(31), level), EINVAL);
		CHECK_ERRNO(irq_line(vm.fd, SPI(0), level), EINVAL);
		CHECK_ERRNO(irq_line(vm.fd, SPI(128), level), EINVAL);
		CHECK_ERRNO(irq_line(vm.fd, SPI(1020), level), EINVAL);
		CHECK_ERRNO(irq_line(vm.fd, SPI(0xffff), level), EINVAL);
		CHECK_ERRNO(irq_line(vm.fd, PPI(0, 15), level), EINVAL);
		CHECK_ERRNO(irq_line(vm.fd, PPI(0, 32), level), EINVAL);
		CHECK_ERRNO(irq_line(vm.fd, PPI(2, 20), level), EINVAL);
		CHECK_ERRNO(irq_line(vm.fd, PPI(255, 20), level), EINVAL);
		CHECK_ERRNO(irq_line(vm.fd, PPI(0, 20) | 1u << KVM_ARM_IRQ_VCPU2_SHIFT, level),
			    EINVAL);
		CHECK_ERRNO(irq_line(vm.fd, 3u << KVM_ARM_IRQ_TYPE_SHIFT | 40, level), EINVAL);
		CHECK_ERRNO(irq_line(vm.fd, 15u << KVM_ARM_IRQ_TYPE_SHIFT | 40, level), EINVAL);
		CHECK_OK(irq_line(vm.fd, SPI(32), level));
		CHECK_OK(irq_line(vm.fd, SPI(127), level));
		CHECK_OK(irq_line(vm.fd, PPI(0, 16), level));
		CHECK_OK(irq_line(vm.fd, PPI(1, 31), level));
	}
	vm_close(&vm);

	vm_make(&vm, 1, VM_NO_GIC);
	CHECK_ERRNO(irq_line(vm.fd, SPI(40), 1), ENXIO);
	CHECK_ERRNO(irq_line(vm.fd, PPI(0, 20), 1), ENXIO);
	CHECK_ERRNO(irq_line(vm.fd, CPU_IRQ(1, 0), 1), EINVAL);
	CHECK_ERRNO(irq_line(vm.fd, CPU_IRQ(0, 2), 1), EINVAL);
	CHECK_OK(irq_line(vm.fd, CPU_IRQ(0, 0), 1));
	CHECK_OK(irq_line(vm.fd, CPU_IRQ(0, 1), 0));
}

/* A line that the client raises reaches the guest, is saved and restored. */
static void line_delivers(void)
{
	struct kvm_run *run;
	uint32_t v, bit = 1u << 8;
	struct vm vm;

	vm_make(&vm, 1, 0);
	run = vm.vcpu[0].run;
	v = 1;
	CHECK_OK(attr_set(vm.gic, GRP_DIST, 0, &v));
	CHECK_OK(attr_set(vm.gic, GRP_DIST, 0x104, &bit));
	v = 0x01010101;
	CHECK_OK(attr_set(vm.gic, GRP_DIST, 0x828, &v));
	VM_CODE(&vm, 0, iar);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && run->mmio.phys_addr == DEV_BASE + 8);
	CHECK_OK(irq_line(vm.fd, SPI(40), 1));
	CHECK_OK(attr_get(vm.gic, GRP_DIST, 0x204, &v));
	CHECK(v & bit, "GICD_ISPENDR1 is %x", v);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && run->mmio.phys_addr == DEV_BASE);
	memcpy(&v, run->mmio.data, 4);
	CHECK(v == 40, "IAR %u", v);
	/* Level: the interrupt comes again until the line falls. */
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	CHECK_OK(irq_line(vm.fd, SPI(40), 0));
	CHECK_OK(attr_get(vm.gic, GRP_DIST, 0x204, &v));
	CHECK(!(v & bit), "GICD_ISPENDR1 is %x", v);
}

/* Lines change in one thread while the guest runs and vCPUs are stopped and started. */
static void *lines(void *arg)
{
	struct vm *vm = arg;

	for (unsigned int i = 0; i < 20000; i++) {
		irq_line(vm->fd, SPI(32 + i % 96), i / 96 & 1);
		irq_line(vm->fd, PPI(i & 1, 16 + i % 16), i / 32 & 1);
	}
	return NULL;
}

static void line_race(void)
{
	struct runner r[2];
	pthread_t t;
	struct vm vm;
	uint32_t all = ~0u, one = 1;

	vm_make(&vm, 2, 0);
	CHECK_OK(attr_set(vm.gic, GRP_DIST, 0, &one));
	for (uint32_t off = 0x100; off < 0x120; off += 4)
		CHECK_OK(attr_set(vm.gic, GRP_DIST, off, &all));
	runners_start(r, &vm, 2, code_iar, code_iar_end);
	MUST(!pthread_create(&t, NULL, lines, &vm), "no thread");
	pthread_join(t, NULL);
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(!r[i].error && r[i].mmio > 0, "vCPU %u: error %d, %u exits", i, r[i].error,
		      r[i].mmio);
		runner_stop(&r[i]);
	}
}

static uint32_t gic_word(int gic, unsigned int vcpu, uint32_t offset)
{
	uint32_t v = 0;

	CHECK_OK(attr_get(gic, GRP_DIST, ON_VCPU(vcpu) | offset, &v));
	return v;
}

static uint32_t told(struct vm *vm)
{
	uint32_t v;

	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO, "exit %u", vm->vcpu[0].run->exit_reason);
	memcpy(&v, vm->vcpu[0].run->mmio.data, 4);
	return v;
}

/* An SPI that is active on another vCPU than its target's stays so after a restore, and can end. */
static void active_elsewhere(void)
{
	static const struct {
		uint32_t group, offset;
	} regs[] = {
		{ GRP_DIST, 0x000 }, { GRP_DIST, 0x104 }, { GRP_DIST, 0x828 },
		{ GRP_DIST, 0x304 }, { GRP_DIST, ARMVMM_GICD_HOLDER + 4 },
		{ GRP_CPU, 0x00 }, { GRP_CPU, 0x04 }, { GRP_CPU, 0xd0 },
	};
	struct vm from, to;

	vm_make(&from, 2, 0);
	vm_make(&to, 2, 0);
	VM_CODE(&from, 0, retarget);
	MUST(told(&from) == 40, "the guest does not get its interrupt");
	CHECK(gic_word(from.gic, 0, ARMVMM_GICD_HOLDER + 4) == 0x100);
	CHECK(gic_word(from.gic, 1, ARMVMM_GICD_HOLDER + 4) == 0);
	vm_complete(&from, 0);
	vm_sync(from.ram, RAM_SIZE);
	memcpy(to.ram, from.ram, RAM_SIZE);
	for (unsigned int i = 0; i < 6; i++)
		reg32_set(to.vcpu[0].fd, REG_R(i), reg32(from.vcpu[0].fd, REG_R(i)));
	reg32_set(to.vcpu[0].fd, REG_PC, reg32(from.vcpu[0].fd, REG_PC));
	for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		uint32_t v = 0;

		CHECK_OK(attr_get(from.gic, regs[i].group, regs[i].offset, &v));
		CHECK_OK(attr_set(to.gic, regs[i].group, regs[i].offset, &v));
	}
	CHECK(gic_word(to.gic, 0, ARMVMM_GICD_HOLDER + 4) == 0x100);
	CHECK(gic_word(to.gic, 1, ARMVMM_GICD_HOLDER + 4) == 0);
	CHECK(told(&to) == 0, "it is active for ever");
}

GUEST_CODE(send, "ldr r1, =DEV_BASE\n\tldr r2, =GICD_BASE\n\tadd r2, r2, #0xf00\n"
	   "\tldr r0, =0x20006\n\tstr r0, [r2]\n\tstr r0, [r1]\n1:\tb 1b");

/* An SGI to a vCPU that does not run is in what a client saves, before that vCPU has seen it. */
static void sgi_posted(void)
{
	struct vm vm;

	vm_make(&vm, 2, 0);
	VM_CODE(&vm, 0, send);
	MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO, "exit reason %u", vm.vcpu[0].run->exit_reason);
	CHECK(gic_word(vm.gic, 1, 0xf24) == 0x00010000, "%x", gic_word(vm.gic, 1, 0xf24));
	CHECK(gic_word(vm.gic, 0, 0xf24) == 0);
}

/* The first line that is raised initialises the vGIC, as in KVM/arm's GICv2. */
static void lazy_init(void)
{
	struct vm vm;

	vm_make(&vm, 1, VM_NO_GIC_INIT);
	CHECK_OK(irq_line(vm.fd, SPI(40), 1));
	CHECK_ERRNO(ioctl(vm.fd, KVM_CREATE_VCPU, 1), EBUSY);
}

static const struct ktap_case cases[] = {
	{ "create", create, 0 },
	{ "create_after_run", create_after_run, 0 },
	{ "create_irqchip", create_irqchip, 0 },
	{ "addresses", addresses, 0 },
	{ "nr_irqs", nr_irqs, 0 },
	{ "init_attr", init_attr, 0 },
	{ "register_errors", register_errors, 0 },
	{ "round_trip", round_trip, 0 },
	{ "registers_busy", registers_busy, 0 },
	{ "line_errors", line_errors, 0 },
	{ "line_delivers", line_delivers, 0 },
	{ "line_race", line_race, 0 },
	{ "active_elsewhere", active_elsewhere, 0 },
	{ "sgi_posted", sgi_posted, 0 },
	{ "lazy_init", lazy_init, 0 },
};
KTAP_MAIN(cases)

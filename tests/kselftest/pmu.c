// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PMU of a vCPU: feature, capability, attributes, registers; the line with a user-space
 * irqchip; and the host's own perf beside it, which uses the same counters (docs/hazards.md 23). On
 * a host without a PMU all of it is refused.
 */
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "vm.h"

#define GRP	KVM_ARM_VCPU_PMU_V3_CTRL
#define IRQ	KVM_ARM_VCPU_PMU_V3_IRQ
#define INIT	KVM_ARM_VCPU_PMU_V3_INIT

#define PMCR		ARM_CP15_REG32(0, 9, 12, 0)
#define PMCNTENSET	ARM_CP15_REG32(0, 9, 12, 1)
#define PMCNTENCLR	ARM_CP15_REG32(0, 9, 12, 2)
#define PMOVSR		ARM_CP15_REG32(0, 9, 12, 3)
#define PMSELR		ARM_CP15_REG32(0, 9, 12, 5)
#define PMCEID0		ARM_CP15_REG32(0, 9, 12, 6)
#define PMCEID1		ARM_CP15_REG32(0, 9, 12, 7)
#define PMCCNTR		ARM_CP15_REG32(0, 9, 13, 0)
#define PMUSERENR	ARM_CP15_REG32(0, 9, 14, 0)
#define PMINTENSET	ARM_CP15_REG32(0, 9, 14, 1)

#define CYCLE		(1u << 31)

/* Counts cycles, with every counter there is, and reports PMCCNTR now and then. */
GUEST_CODE(busy, "ldr r1, =DEV_BASE\n\tmrc p15, 0, r4, c9, c12, 0\n\tubfx r4, r4, #11, #5\n"
	   "1:\tsubs r4, r4, #1\n\tblt 2f\n\tmcr p15, 0, r4, c9, c12, 5\n\tisb\n\tmov r0, #0x11\n\t"
	   "mcr p15, 0, r0, c9, c13, 1\n\tb 1b\n"
	   "2:\tmvn r0, #0\n\tmcr p15, 0, r0, c9, c12, 1\n\tmov r0, #1\n\t"
	   "mcr p15, 0, r0, c9, c12, 0\n\t"
	   "isb\n3:\tldr r2, =300000\n4:\tsubs r2, r2, #1\n\tbne 4b\n\t"
	   "mrc p15, 0, r0, c9, c13, 0\n\tstr r0, [r1]\n\tb 3b");
/* Reads a flag from the device, sets PMOVSR's bit 0 to it, and reports, for ever. */
GUEST_CODE(line, "ldr r1, =DEV_BASE\n1:\tldr r4, [r1, #4]\n\tmcr p15, 0, r4, c9, c14, 3\n\t"
	   "mvn r4, r4\n\tmcr p15, 0, r4, c9, c12, 3\n\tmov r0, #1\n\t"
	   "mcr p15, 0, r0, c9, c14, 1\n\t"
	   "mcr p15, 0, r0, c9, c12, 0\n\tisb\n\tstr r4, [r1]\n\tb 1b");

static bool host_has_pmu(void)
{
	int sys = sys_open();
	int has = ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PMU_V3);

	CHECK(has == 0 || has == 1, "%d", has);
	close(sys);
	return has == 1;
}

static void need_pmu(void)
{
	/* The list of tests asks for a host with a PMU. */
	MUST(host_has_pmu(), "KVM_CAP_ARM_PMU_V3 is 0");
}

/* vm_make(), all vCPUs with a PMU, which is not initialized yet. */
static void pmu_vm(struct vm *vm, unsigned int n, unsigned int without)
{
	vm_make(vm, n, without | VM_NO_VCPU_INIT);
	vm->init.features[0] |= 1u << KVM_ARM_VCPU_PMU_V3;
	for (unsigned int i = 0; i < n; i++)
		vm_vcpu_init(vm, i);
}

static void pmu_ready(struct vm *vm, unsigned int i)
{
	uint32_t irq = 23;

	MUST_OK(attr_set(vm->vcpu[i].fd, GRP, IRQ, &irq));
	MUST_OK(attr_set(vm->vcpu[i].fd, GRP, INIT, NULL));
}

static void refusals(void)
{
	uint32_t irq = 23, v;
	struct vm vm;
	int fd;

	vm_make(&vm, 1, 0);
	fd = vm.vcpu[0].fd;
	/* A vCPU without the feature. */
	CHECK_ERRNO(attr_has(fd, GRP, IRQ), ENXIO);
	CHECK_ERRNO(attr_has(fd, GRP, INIT), ENXIO);
	CHECK_ERRNO(attr_set(fd, GRP, IRQ, &irq), ENODEV);
	CHECK_ERRNO(attr_set(fd, GRP, INIT, NULL), ENODEV);
	CHECK_ERRNO(attr_get(fd, GRP, IRQ, &irq), ENODEV);
	CHECK_ERRNO(reg_get(fd, PMCR, &v), ENOENT);
	CHECK_ERRNO(reg_set(fd, PMCR, &v), ENOENT);
	CHECK_ERRNO(reg_get(fd, KVM_REG_ARM_PMEVCNTR(0), &v), ENOENT);
	/* Nor can it get the feature from now on. */
	vm.init.features[0] |= 1u << KVM_ARM_VCPU_PMU_V3;
	CHECK_ERRNO(ioctl(fd, KVM_ARM_VCPU_INIT, &vm.init), EINVAL);
	/* Bit 2 belongs to arm64, and has no meaning here. */
	vm.init.features[0] = 1u << 2;
	CHECK_ERRNO(ioctl(fd, KVM_ARM_VCPU_INIT, &vm.init), ENOENT);
	vm_close(&vm);

	if (host_has_pmu())
		return;
	vm_make(&vm, 1, VM_NO_VCPU_INIT);
	vm.init.features[0] |= 1u << KVM_ARM_VCPU_PMU_V3;
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_ARM_VCPU_INIT, &vm.init), EINVAL);
	/* A refusal leaves the vCPU as it was. */
	vm.init.features[0] &= ~(1u << KVM_ARM_VCPU_PMU_V3);
	CHECK_OK(ioctl(vm.vcpu[0].fd, KVM_ARM_VCPU_INIT, &vm.init));
}

static void attributes(void)
{
	uint32_t n;
	struct vm vm;
	int fd;

	need_pmu();
	pmu_vm(&vm, 2, VM_NO_GIC_INIT);
	fd = vm.vcpu[0].fd;
	CHECK_OK(attr_has(fd, GRP, IRQ));
	CHECK_OK(attr_has(fd, GRP, INIT));
	CHECK_ERRNO(attr_has(fd, GRP, 2), ENXIO);
	CHECK_ERRNO(attr_get(fd, GRP, INIT, &n), ENXIO);
	CHECK_ERRNO(attr_get(fd, GRP, IRQ, &n), ENXIO);
	CHECK_ERRNO(attr_set(fd, GRP, 2, &n), ENXIO);
	/* First the GIC, then the interrupt, then the rest. */
	CHECK_ERRNO(attr_set(fd, GRP, INIT, NULL), ENODEV);
	MUST_OK(attr_set(vm.gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
	CHECK_ERRNO(attr_set(fd, GRP, INIT, NULL), ENXIO);
	VM_CODE(&vm, 0, busy);
	CHECK_ERRNO(ioctl(fd, KVM_RUN, 0), EINVAL);
	CHECK_ERRNO(attr_set(fd, GRP, IRQ, NULL), EFAULT);
	for (n = 0; n < 16; n++)
		CHECK_ERRNO(attr_set(fd, GRP, IRQ, &n), EINVAL);
	n = ~0u;
	CHECK_ERRNO(attr_set(fd, GRP, IRQ, &n), EINVAL);
	n = 1024;
	CHECK_ERRNO(attr_set(fd, GRP, IRQ, &n), EINVAL);
	n = 23;
	CHECK_OK(attr_set(fd, GRP, IRQ, &n));
	CHECK_ERRNO(attr_set(fd, GRP, IRQ, &n), EBUSY);
	n = 0;
	CHECK_OK(attr_get(fd, GRP, IRQ, &n));
	CHECK(n == 23, "%u", n);
	/* All vCPUs have the same PPI. */
	n = 24;
	CHECK_ERRNO(attr_set(vm.vcpu[1].fd, GRP, IRQ, &n), EINVAL);
	CHECK_OK(attr_set(fd, GRP, INIT, NULL));
	CHECK_ERRNO(attr_set(fd, GRP, INIT, NULL), EBUSY);
	CHECK_ERRNO(attr_set(fd, GRP, IRQ, &n), EBUSY);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	/* The other one is not ready yet. */
	reg32_set(vm.vcpu[1].fd, REG_PC, RAM_BASE + 0x10000);
	CHECK_ERRNO(ioctl(vm.vcpu[1].fd, KVM_RUN, 0), EINVAL);
	/* The line belongs to the PMU: the client cannot raise it. */
	CHECK_OK(irq_line(vm.fd, PPI(0, 23), 1));
	vm_close(&vm);

	/* SPIs: each vCPU has its own; INIT refuses one beyond the GIC's. */
	pmu_vm(&vm, 2, 0);
	n = 40;
	CHECK_OK(attr_set(vm.vcpu[0].fd, GRP, IRQ, &n));
	CHECK_ERRNO(attr_set(vm.vcpu[1].fd, GRP, IRQ, &n), EINVAL);
	n = 1000;
	CHECK_OK(attr_set(vm.vcpu[1].fd, GRP, IRQ, &n));
	CHECK_OK(attr_set(vm.vcpu[0].fd, GRP, INIT, NULL));
	CHECK_ERRNO(attr_set(vm.vcpu[1].fd, GRP, INIT, NULL), EINVAL);
	vm_close(&vm);

	/* Without a GIC there is no interrupt to set. */
	pmu_vm(&vm, 1, VM_NO_GIC);
	n = 23;
	CHECK_ERRNO(attr_set(vm.vcpu[0].fd, GRP, IRQ, &n), EINVAL);
	CHECK_ERRNO(attr_get(vm.vcpu[0].fd, GRP, IRQ, &n), EINVAL);
	CHECK_OK(attr_set(vm.vcpu[0].fd, GRP, INIT, NULL));
	VM_CODE(&vm, 0, busy);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
}

static unsigned int list_of(int fd, uint64_t *ids, unsigned int max)
{
	static struct { struct kvm_reg_list l; uint64_t id[400]; } list;

	list.l.n = 400;
	MUST_OK(ioctl(fd, KVM_GET_REG_LIST, &list));
	MUST(list.l.n <= max, "%llu registers", (unsigned long long)list.l.n);
	memcpy(ids, list.id, list.l.n * sizeof(ids[0]));
	return (unsigned int)list.l.n;
}

static bool is_in(uint64_t id, const uint64_t *ids, unsigned int n)
{
	while (n--)
		if (ids[n] == id)
			return true;
	return false;
}

static void registers(void)
{
	static const uint64_t want[] = {
		PMCR, PMCNTENSET, PMOVSR, PMSELR, PMCEID0, PMCEID1, PMCCNTR, PMUSERENR, PMINTENSET,
		KVM_REG_ARM_PMCCFILTR,
	};
	uint64_t with[400], without[400];
	unsigned int n, m, nr;
	uint32_t v, mask, id;
	struct vm vm, plain;
	int fd;

	need_pmu();
	vm_make(&plain, 1, 0);
	pmu_vm(&vm, 1, 0);
	fd = vm.vcpu[0].fd;
	m = list_of(plain.vcpu[0].fd, without, 400);
	n = list_of(fd, with, 400);
	id = reg32(fd, PMCR);
	nr = id >> 11 & 0x1f;
	mask = CYCLE | ((1u << nr) - 1);
	CHECK(n == m + 10 + 2 * nr, "%u registers, without a PMU %u", n, m);
	for (unsigned int i = 0; i < 10; i++) {
		CHECK(is_in(want[i], with, n), "%llx", (unsigned long long)want[i]);
		CHECK(!is_in(want[i], without, m), "%llx", (unsigned long long)want[i]);
	}
	for (unsigned int i = 0; i < 31; i++) {
		CHECK(is_in(KVM_REG_ARM_PMEVCNTR(i), with, n) == (i < nr), "%u of %u", i, nr);
		CHECK(is_in(KVM_REG_ARM_PMEVTYPER(i), with, n) == (i < nr), "type %u", i);
	}
	CHECK_ERRNO(reg_get(fd, PMCNTENCLR, &v), ENOENT);
	CHECK_ERRNO(reg_get(fd, KVM_REG_ARM_PMEVCNTR(nr), &v), ENOENT);
	CHECK_ERRNO(reg_get(fd, (PMCR & ~KVM_REG_SIZE_MASK) | KVM_REG_SIZE_U64, &v), ENOENT);

	/* The host's bits stay; of the rest, those that exist can be written. */
	CHECK(!(id & 0x3f), "PMCR %08x at reset", id);
	reg32_set(fd, PMCR, id | 9);
	CHECK(reg32(fd, PMCR) == (id | 9));
	reg32_set(fd, PMCR, id | 6);
	CHECK(reg32(fd, PMCR) == id, "P and C are no state: %08x", reg32(fd, PMCR));
	v = id ^ 0x800;
	CHECK_ERRNO(reg_set(fd, PMCR, &v), EINVAL);
	v = id ^ 0x1000000;
	CHECK_ERRNO(reg_set(fd, PMCR, &v), EINVAL);
	v = reg32(fd, PMCEID0);
	CHECK(v & 1 && v & 1u << 0x11, "PMCEID0 %08x: no SW_INCR or cycles", v);
	CHECK(!reg_set(fd, PMCEID0, &v));
	v ^= 2;
	CHECK_ERRNO(reg_set(fd, PMCEID0, &v), EINVAL);
	CHECK_ERRNO(reg_set(fd, PMCCNTR, NULL), EFAULT);
	CHECK_ERRNO(reg_get(fd, PMCCNTR, NULL), EFAULT);
	for (unsigned int i = 0; i < 3; i++) {
		static const uint64_t sets[] = { PMCNTENSET, PMOVSR, PMINTENSET };

		reg32_set(fd, sets[i], ~0u);
		CHECK(reg32(fd, sets[i]) == mask, "%08x", reg32(fd, sets[i]));
		reg32_set(fd, sets[i], 2);
		CHECK(reg32(fd, sets[i]) == 2, "%08x", reg32(fd, sets[i]));
	}
	reg32_set(fd, PMSELR, ~0u);
	CHECK(reg32(fd, PMSELR) == 0x1f);
	reg32_set(fd, PMUSERENR, ~0u);
	CHECK(reg32(fd, PMUSERENR) == 1);
	reg32_set(fd, KVM_REG_ARM_PMCCFILTR, ~0u);
	CHECK(reg32(fd, KVM_REG_ARM_PMCCFILTR) == 0xf0000000);
	reg32_set(fd, PMCCNTR, 0x12345678);
	CHECK(reg32(fd, PMCCNTR) == 0x12345678);
	for (unsigned int i = 0; i < nr; i++) {
		reg32_set(fd, KVM_REG_ARM_PMEVCNTR(i), 0xabc00000 + i);
		reg32_set(fd, KVM_REG_ARM_PMEVTYPER(i), 0xfffffff0 + i);
	}
	for (unsigned int i = 0; i < nr; i++)
		CHECK(reg32(fd, KVM_REG_ARM_PMEVCNTR(i)) == 0xabc00000 + i &&
		      reg32(fd, KVM_REG_ARM_PMEVTYPER(i)) == 0xf00000f0 + i, "counter %u", i);

	/* A second KVM_ARM_VCPU_INIT resets it all. */
	vm_vcpu_init(&vm, 0);
	CHECK(reg32(fd, PMCR) == id && !reg32(fd, PMOVSR) && !reg32(fd, PMCNTENSET) &&
	      !reg32(fd, PMCCNTR) && !reg32(fd, PMSELR) && !reg32(fd, PMUSERENR) &&
	      !reg32(fd, PMINTENSET) && !reg32(fd, KVM_REG_ARM_PMEVCNTR(nr - 1)) &&
	      !reg32(fd, KVM_REG_ARM_PMEVTYPER(0)));
}

static uint32_t guest_says(struct vm *vm)
{
	uint64_t start = now_ns();
	uint32_t v = 0;

	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO, "exit %u", vm->vcpu[0].run->exit_reason);
	/* A counter overflows after 4 s at 1 GHz: tests/run repeats the test if it may have. */
	if (now_ns() - start > 500000000)
		ktap_note("timing: the guest took %llu ms to its next word",
			  (unsigned long long)(now_ns() - start) / 1000000);
	memcpy(&v, vm->vcpu[0].run->mmio.data, 4);
	return v;
}

/* The state of a counting vCPU goes into another VM, whose counters continue from it. */
static void moves(void)
{
	uint32_t a, b, val[400];
	uint64_t id[400];
	unsigned int n;
	struct vm from, to;

	need_pmu();
	pmu_vm(&from, 1, 0);
	pmu_ready(&from, 0);
	VM_CODE(&from, 0, busy);
	a = guest_says(&from);
	b = guest_says(&from);
	CHECK(b > a, "%u, %u", a, b);
	/* The access that it exited by is completed before its state is saved. */
	vm_complete(&from, 0);
	pmu_vm(&to, 1, 0);
	pmu_ready(&to, 0);
	VM_CODE(&to, 0, busy);
	n = list_of(from.vcpu[0].fd, id, 400);
	for (unsigned int i = 0; i < n; i++)
		if (KVM_REG_SIZE(id[i]) == 4) {
			val[i] = reg32(from.vcpu[0].fd, id[i]);
			CHECK(!reg_set(to.vcpu[0].fd, id[i], &val[i]), "%llx",
			      (unsigned long long)id[i]);
		}
	a = reg32(from.vcpu[0].fd, PMCCNTR);
	CHECK(reg32(to.vcpu[0].fd, PMCCNTR) == a && a >= b);
	CHECK(reg32(from.vcpu[0].fd, PMCCNTR) == a, "it counts while nobody runs");
	/* The code stays at its address. */
	vm_sync(from.ram, RAM_SIZE);
	memcpy(to.ram, from.ram, RAM_SIZE);
	/* One thread cannot provide all counters to two VMs. */
	vm_close(&from);
	b = guest_says(&to);
	CHECK(b > a && b - a < 1u << 30, "%u, then %u", a, b);
	CHECK(guest_says(&to) > b);
}

struct other {
	struct vm *vm;
	uint32_t a, b;
};

static void *other_main(void *arg)
{
	struct other *o = arg;

	o->a = guest_says(o->vm);
	o->b = guest_says(o->vm);
	return NULL;
}

/* The thread that runs the vCPU changes, and ends: counters continue in the next thread. */
static void threads(void)
{
	struct vm vm;
	uint32_t a;

	need_pmu();
	pmu_vm(&vm, 1, 0);
	pmu_ready(&vm, 0);
	VM_CODE(&vm, 0, busy);
	a = guest_says(&vm);
	for (int i = 0; i < 10; i++) {
		struct other o = { .vm = &vm };
		pthread_t t;

		MUST(!pthread_create(&t, NULL, other_main, &o), "no thread");
		pthread_join(t, NULL);
		CHECK(o.a > a && o.b > o.a, "%u, %u, %u", a, o.a, o.b);
		a = guest_says(&vm);
		CHECK(a > o.b, "%u, %u", o.b, a);
	}
}

/* A user-space irqchip sees the line in device_irq_level. */
static void user_irqchip(void)
{
	struct kvm_run *run;
	unsigned int exits = 0;
	struct vm vm;

	need_pmu();
	pmu_vm(&vm, 1, VM_NO_GIC);
	MUST_OK(attr_set(vm.vcpu[0].fd, GRP, INIT, NULL));
	VM_CODE(&vm, 0, line);
	run = vm.vcpu[0].run;
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t v = i & 1;

		MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO && !run->mmio.is_write, "no read");
		memcpy(run->mmio.data, &v, 4);
		/* A change of the level shows at once, at the latest with the next exit. */
		while (ioctl(vm.vcpu[0].fd, KVM_RUN, 0) < 0) {
			MUST(errno == EINTR && run->exit_reason == KVM_EXIT_INTR, "%s",
			     strerror(errno));
			CHECK(!!(run->s.regs.device_irq_level & KVM_ARM_DEV_PMU) == v);
			exits++;
		}
		MUST(run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write, "no write");
		CHECK(!!(run->s.regs.device_irq_level & KVM_ARM_DEV_PMU) == v, "%llx after %u",
		      (unsigned long long)run->s.regs.device_irq_level, v);
	}
	CHECK(exits >= 7, "%u exits for the line", exits);
}

/* ---- the host's own events ---- */
static int perf_open(uint32_t type, uint64_t config, bool pinned)
{
	struct perf_event_attr attr = {
		.type = type, .size = sizeof(attr), .config = config, .pinned = pinned,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

struct perf_value {
	uint64_t value, enabled, running;
};

static struct perf_value perf_value(int fd)
{
	struct perf_value v = { 0 };

	MUST(read(fd, &v, sizeof(v)) == sizeof(v), "perf: %s", strerror(errno));
	return v;
}

static void loop(unsigned int n)
{
	asm volatile("1:\tsubs %0, %0, #1\n\tbne 1b" : "+r"(n) : : "cc");
}

/*
 * A thread counts its own cycles while guests on the same CPUs use all of the PMU's counters: it
 * gets the same count as alone.
 */
static void host_perf(void)
{
	struct perf_value before, after, alone;
	struct runner r[2];
	struct vm vm[2];
	uint64_t t0, ns;
	int fd;

	need_pmu();
	fd = perf_open(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, false);
	MUST(fd >= 0, "perf_event_open: %s", strerror(errno));
	/* The emulator's cycles are the build machine's time: take the least of ten. */
	alone.value = ~0ull;
	for (int i = 0; i < 10; i++) {
		before = perf_value(fd);
		loop(3000000);
		after = perf_value(fd);
		if (after.value - before.value < alone.value)
			alone.value = after.value - before.value;
	}
	CHECK(alone.value >= 100000, "%llu cycles", (unsigned long long)alone.value);

	for (int i = 0; i < 2; i++) {
		pmu_vm(&vm[i], 1, 0);
		pmu_ready(&vm[i], 0);
		VM_CODE(&vm[i], 0, busy);
		runner_start(&r[i], &vm[i], 0);
	}
	for (int i = 0; i < 2; i++)
		CHECK(runner_wait(&r[i], 3, 20000), "guest %d does not count (%d)", i, r[i].error);
	t0 = now_ns();
	before = perf_value(fd);
	for (int i = 0; i < 20; i++) {
		loop(3000000);
		usleep(1000);
	}
	after = perf_value(fd);
	ns = now_ns() - t0;
	after.value -= before.value;
	after.enabled -= before.enabled;
	after.running -= before.running;
	for (int i = 0; i < 2; i++) {
		uint32_t was = r[i].last;
		unsigned int n = r[i].mmio;

		CHECK(runner_wait(&r[i], n + 3, 20000), "guest %d: %d", i, r[i].error);
		CHECK(r[i].last != was, "guest %d stands still at %u", i, was);
		runner_stop(&r[i]);
	}
	/*
	 * It never lost its counter, and counted about as many cycles as alone; each guest's are
	 * far more.
	 */
	CHECK(after.running == after.enabled, "counted for %llu of %llu ns",
	      (unsigned long long)after.running, (unsigned long long)after.enabled);
	CHECK(after.value > alone.value && after.value < 2 * ns,
	      "%llu cycles in %llu ns, alone %llu",
	      (unsigned long long)after.value, (unsigned long long)ns,
	      (unsigned long long)alone.value);
	before = perf_value(fd);
	loop(3000000);
	after = perf_value(fd);
	CHECK(after.value - before.value >= 100000, "%llu cycles after the guests",
	      (unsigned long long)(after.value - before.value));
}

/* The same thread that runs a counting vCPU counts its own cycles, all of the time. */
static void host_perf_own(void)
{
	struct perf_value v;
	uint32_t a, b;
	struct vm vm;
	int fd;

	need_pmu();
	pmu_vm(&vm, 1, 0);
	pmu_ready(&vm, 0);
	/* Only the cycle counter: the host keeps its own. */
	VM_CODE(&vm, 0, busy);
	guest_says(&vm);
	reg32_set(vm.vcpu[0].fd, PMCNTENSET, CYCLE);
	fd = perf_open(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, false);
	MUST(fd >= 0, "perf_event_open: %s", strerror(errno));
	a = guest_says(&vm);
	b = guest_says(&vm);
	for (int i = 0; i < 20; i++)
		b = guest_says(&vm);
	v = perf_value(fd);
	CHECK(v.value && v.running == v.enabled, "%llu cycles, counted for %llu of %llu ns",
	      (unsigned long long)v.value, (unsigned long long)v.running,
	      (unsigned long long)v.enabled);
	CHECK(b > a, "the guest: %u, %u", a, b);
}

/* A guest that counts with all that it has leaves the host one counter, all of the time. */
static void host_has_one(void)
{
	struct perf_value v;
	unsigned int nr;
	struct vm vm;
	int cpu, fd;

	need_pmu();
	pmu_vm(&vm, 1, 0);
	pmu_ready(&vm, 0);
	VM_CODE(&vm, 0, busy);
	guest_says(&vm);
	cpu = vm.vcpu[0].fd;
	nr = reg32(cpu, PMCR) >> 11 & 0x1f;
	for (unsigned int i = 0; i < nr; i++)
		reg32_set(cpu, KVM_REG_ARM_PMEVTYPER(i), 0x11);
	reg32_set(cpu, PMCNTENSET, ~0u);
	fd = perf_open(PERF_TYPE_RAW, 0x11, false);
	MUST(fd >= 0, "perf_event_open: %s", strerror(errno));
	for (int i = 0; i < 20; i++)
		guest_says(&vm);
	CHECK(nr >= 1 && reg32(cpu, PMCCNTR), "%u counters", nr);
	for (unsigned int i = 0; i < nr; i++)
		CHECK(reg32(cpu, KVM_REG_ARM_PMEVCNTR(i)), "counter %u of %u stands still", i, nr);
	v = perf_value(fd);
	CHECK(v.value && v.running == v.enabled, "%llu cycles, counted for %llu of %llu ns",
	      (unsigned long long)v.value, (unsigned long long)v.running,
	      (unsigned long long)v.enabled);
}

/* While the host has taken all counters, the guest's stand still; later they go on. */
static void host_takes_all(void)
{
	int fd[32], n = 0;
	uint32_t a, b;
	struct vm vm;

	need_pmu();
	pmu_vm(&vm, 1, 0);
	pmu_ready(&vm, 0);
	VM_CODE(&vm, 0, busy);
	a = guest_says(&vm);
	b = guest_says(&vm);
	CHECK(b > a, "%u, %u", a, b);
	reg32_set(vm.vcpu[0].fd, PMCNTENSET, 0);
	guest_says(&vm);
	fd[n++] = perf_open(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, true);
	/* The host has one more than the guest. */
	for (unsigned int i = 0; i <= (reg32(vm.vcpu[0].fd, PMCR) >> 11 & 0x1f); i++)
		fd[n++] = perf_open(PERF_TYPE_RAW, 0x11, true);
	for (int i = 0; i < n; i++)
		MUST(fd[i] >= 0, "perf_event_open %d: %s", i, strerror(errno));
	reg32_set(vm.vcpu[0].fd, PMCNTENSET, ~0u);
	a = guest_says(&vm);
	b = guest_says(&vm);
	CHECK(b == a, "%u, %u: there is no counter for it", a, b);
	for (int i = 0; i < n; i++)
		close(fd[i]);
	/* The next change of the PMU asks for counters again. */
	reg32_set(vm.vcpu[0].fd, PMCNTENSET, CYCLE);
	a = guest_says(&vm);
	b = guest_says(&vm);
	CHECK(b > a, "%u, %u", a, b);
}

static const struct ktap_case cases[] = {
	{ "refusals", refusals, 0 },
	{ "attributes", attributes, 0 },
	{ "registers", registers, 0 },
	{ "moves", moves, 0 },
	{ "threads", threads, 0 },
	{ "user_irqchip", user_irqchip, 0 },
	{ "host_perf", host_perf, 0 },
	{ "host_perf_own", host_perf_own, 0 },
	{ "host_has_one", host_has_one, 0 },
	{ "host_takes_all", host_takes_all, 0 },
};
KTAP_MAIN(cases)

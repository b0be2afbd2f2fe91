// SPDX-License-Identifier: GPL-2.0-only
/* KVM_SET_GSI_ROUTING and KVM_SIGNAL_MSI: which SPI an irqfd raises, and changes of that. */
#include "vm.h"

#include <poll.h>
#include <sys/eventfd.h>

/* Polls GICC_IAR; reports what it gets, and waits for the client before it ends the interrupt. */
GUEST_CODE(iar, "ldr r1, =DEV_BASE\n\tldr r2, =GICC_BASE\n\tldr r3, =GICD_BASE\n\t"
	   "mov r0, #1\n\tstr r0, [r3]\n\tmov r0, #0xf0\n\tstr r0, [r2, #4]\n\tmov r0, #1\n\t"
	   "str r0, [r2]\n\tmvn r0, #0\n\tstr r0, [r3, #0x104]\n\tldr r0, =0x01010101\n\t"
	   "str r0, [r3, #0x828]\n\tstr r0, [r1, #8]\n"
	   "1:\tldr r0, [r2, #12]\n\tldr r3, =1023\n\tcmp r0, r3\n\tbeq 1b\n\t"
	   "str r0, [r1]\n\tstr r0, [r2, #16]\n\tstr r0, [r1, #4]\n\tb 1b");

#define PIN(intid)	((intid) - 32)
#define MAX_ROUTES	4096
#define MAX_PINS	988

static struct {
	struct kvm_irq_routing head;
	struct kvm_irq_routing_entry e[MAX_ROUTES + 1];
} table;

static void chip_route(unsigned int i, uint32_t gsi, uint32_t pin)
{
	table.e[i] = (struct kvm_irq_routing_entry) {
		.gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip.pin = pin,
	};
}

static int set_routes(struct vm *vm, uint32_t nr, uint32_t flags)
{
	table.head = (struct kvm_irq_routing){ .nr = nr, .flags = flags };
	return ioctl(vm->fd, KVM_SET_GSI_ROUTING, &table);
}

/* One route only. */
static int route(struct vm *vm, uint32_t gsi, uint32_t pin)
{
	chip_route(0, gsi, pin);
	return set_routes(vm, 1, 0);
}

static int irqfd(struct vm *vm, int fd, uint32_t gsi, uint32_t flags, int resample)
{
	struct kvm_irqfd i = {
		.fd = (uint32_t)fd, .gsi = gsi, .flags = flags, .resamplefd = (uint32_t)resample,
	};

	return ioctl(vm->fd, KVM_IRQFD, &i);
}

static int new_eventfd(void)
{
	return (int)MUST_OK(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

static void signal_fd(int fd)
{
	uint64_t one = 1;

	CHECK(write(fd, &one, 8) == 8);
}

static uint32_t pending(struct vm *vm)
{
	uint32_t v = 0;

	CHECK_OK(attr_get(vm->gic, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0x204, &v));
	return v;
}

/* A guest that polls; SPIs 40-43 are edges, or levels. */
static void make(struct vm *vm, bool edge)
{
	uint32_t v = edge ? 0xaa << 16 : 0;

	vm_make(vm, 1, 0);
	VM_CODE(vm, 0, iar);
	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO && vm->vcpu[0].run->mmio.phys_addr == DEV_BASE + 8,
	     "the guest does not start");
	CHECK_OK(attr_set(vm->gic, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0xc08, &v));
}

/* Returns the interrupt that the guest takes next; it is active until ended(). */
static uint32_t taken(struct vm *vm)
{
	uint32_t v;

	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO && vm->vcpu[0].run->mmio.phys_addr == DEV_BASE,
	     "no interrupt");
	memcpy(&v, vm->vcpu[0].run->mmio.data, 4);
	return v;
}

static void ended(struct vm *vm)
{
	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO && vm->vcpu[0].run->mmio.phys_addr == DEV_BASE + 4,
	     "the guest does not end it");
}

static void arguments(void)
{
	unsigned int i;
	struct vm vm;

	vm_make(&vm, 1, 0);
	CHECK(ioctl(vm.sys, KVM_CHECK_EXTENSION, KVM_CAP_IRQ_ROUTING) == MAX_ROUTES);
	CHECK_ERRNO(ioctl(vm.fd, KVM_SET_GSI_ROUTING, NULL), EFAULT);
	for (i = 0; i <= MAX_ROUTES; i++)
		chip_route(i, i, i % MAX_PINS);
	CHECK_ERRNO(set_routes(&vm, MAX_ROUTES + 1, 0), EINVAL);
	CHECK_ERRNO(set_routes(&vm, ~0u, 0), EINVAL);
	CHECK_ERRNO(set_routes(&vm, 1, 1), EINVAL);
	CHECK_OK(set_routes(&vm, MAX_ROUTES, 0));
	CHECK_OK(set_routes(&vm, 0, 0));
	CHECK_ERRNO(route(&vm, MAX_ROUTES, 0), EINVAL);
	CHECK_ERRNO(route(&vm, ~0u, 0), EINVAL);
	CHECK_ERRNO(route(&vm, 0, MAX_PINS), EINVAL);
	CHECK_ERRNO(route(&vm, 0, ~0u), EINVAL);
	CHECK_OK(route(&vm, MAX_ROUTES - 1, MAX_PINS - 1));
	chip_route(0, 0, 0);
	table.e[0].u.irqchip.irqchip = 1;
	CHECK_ERRNO(set_routes(&vm, 1, 0), EINVAL);
	chip_route(0, 0, 0);
	table.e[0].flags = KVM_MSI_VALID_DEVID;
	CHECK_ERRNO(set_routes(&vm, 1, 0), EINVAL);
	for (i = 0; i < 10; i++) {
		chip_route(0, 0, 0);
		table.e[0].type = i;
		if (i == KVM_IRQ_ROUTING_IRQCHIP || i == KVM_IRQ_ROUTING_MSI)
			CHECK_OK(set_routes(&vm, 1, 0));
		else
			CHECK_ERRNO(set_routes(&vm, 1, 0), EINVAL);
	}
	table.e[0].type = KVM_IRQ_ROUTING_MSI;
	table.e[0].flags = KVM_MSI_VALID_DEVID;
	CHECK_OK(set_routes(&vm, 1, 0));
	table.e[0].flags = 2;
	CHECK_ERRNO(set_routes(&vm, 1, 0), EINVAL);
	/* Two routes of one GSI, of any types. */
	chip_route(0, 3, 3);
	chip_route(1, 3, 4);
	CHECK_ERRNO(set_routes(&vm, 2, 0), EINVAL);
	table.e[1].type = KVM_IRQ_ROUTING_MSI;
	CHECK_ERRNO(set_routes(&vm, 2, 0), EINVAL);
	/* Two GSIs of a pin are allowed. */
	chip_route(1, 4, 3);
	CHECK_OK(set_routes(&vm, 2, 0));
	{
		/* The entries end where mapped memory ends. */
		char *end = map_pages(8192) + 4096;
		struct kvm_irq_routing *head = (void *)(end - sizeof(*head));

		munmap(end, 4096);
		head->nr = 1;
		head->flags = 0;
		CHECK_ERRNO(ioctl(vm.fd, KVM_SET_GSI_ROUTING, head), EFAULT);
		head->nr = 0;
		CHECK_OK(ioctl(vm.fd, KVM_SET_GSI_ROUTING, head));
	}
	vm_close(&vm);
	/* Without a GIC routes are checked, too. */
	vm_make(&vm, 1, VM_NO_GIC);
	CHECK_OK(route(&vm, 1, 1));
	CHECK_ERRNO(route(&vm, 1, MAX_PINS), EINVAL);
}

static void signal_msi(void)
{
	struct kvm_msi msi = { .address_lo = GICV2M_BASE + 0x40, .data = 48 };
	struct vm vm;

	vm_make(&vm, 1, 0);
	CHECK(ioctl(vm.sys, KVM_CHECK_EXTENSION, KVM_CAP_SIGNAL_MSI) == 1);
	CHECK_ERRNO(ioctl(vm.fd, KVM_SIGNAL_MSI, NULL), EFAULT);
	/* A GICv2 has no ITS; a client emulates a v2m frame itself. */
	CHECK_ERRNO(ioctl(vm.fd, KVM_SIGNAL_MSI, &msi), ENODEV);
	msi.flags = KVM_MSI_VALID_DEVID;
	CHECK_ERRNO(ioctl(vm.fd, KVM_SIGNAL_MSI, &msi), ENODEV);
	msi.flags = 2;
	CHECK_ERRNO(ioctl(vm.fd, KVM_SIGNAL_MSI, &msi), EINVAL);
	vm_close(&vm);
	vm_make(&vm, 1, VM_NO_GIC);
	msi.flags = 0;
	CHECK_ERRNO(ioctl(vm.fd, KVM_SIGNAL_MSI, &msi), EINVAL);
}

static void rerouted(void)
{
	struct vm vm;
	int e;

	make(&vm, true);
	e = new_eventfd();
	CHECK_OK(irqfd(&vm, e, PIN(40), 0, 0));
	/* By default GSI n is pin n. */
	signal_fd(e);
	CHECK(taken(&vm) == 40);
	ended(&vm);
	for (uint32_t to = 41; to < 44; to++) {
		CHECK_OK(route(&vm, PIN(40), PIN(to)));
		signal_fd(e);
		CHECK(taken(&vm) == to);
		ended(&vm);
	}
	/*
	 * A route to an MSI, to a pin without an SPI, or none: no interrupt. The same after a
	 * failed change.
	 */
	chip_route(0, PIN(40), 0);
	table.e[0].type = KVM_IRQ_ROUTING_MSI;
	CHECK_OK(set_routes(&vm, 1, 0));
	signal_fd(e);
	CHECK_OK(route(&vm, PIN(40), MAX_PINS - 1));
	signal_fd(e);
	CHECK_OK(route(&vm, PIN(40) + 1, PIN(40)));
	signal_fd(e);
	CHECK_OK(set_routes(&vm, 0, 0));
	signal_fd(e);
	CHECK_ERRNO(route(&vm, PIN(40), MAX_PINS), EINVAL);
	signal_fd(e);
	CHECK(!pending(&vm), "%x", pending(&vm));
	CHECK_OK(route(&vm, PIN(40), PIN(40)));
	CHECK(!pending(&vm), "%x", pending(&vm));
	signal_fd(e);
	CHECK(taken(&vm) == 40);
	ended(&vm);
	/* A GSI beyond all SPIs, which a route maps to one. */
	CHECK_OK(irqfd(&vm, e, PIN(40), KVM_IRQFD_FLAG_DEASSIGN, 0));
	CHECK_OK(irqfd(&vm, e, 4000, 0, 0));
	signal_fd(e);
	CHECK(!pending(&vm), "%x", pending(&vm));
	CHECK_OK(route(&vm, 4000, PIN(42)));
	signal_fd(e);
	CHECK(taken(&vm) == 42);
	ended(&vm);
}

/* Routes that the client set before the vGIC's init are gone afterwards, as in KVM. */
static void before_init(void)
{
	struct vm vm;
	int e;

	vm_make(&vm, 1, VM_NO_GIC_INIT);
	e = new_eventfd();
	CHECK_OK(route(&vm, PIN(40), PIN(43)));
	CHECK_ERRNO(irqfd(&vm, e, PIN(40), 0, 0), EAGAIN);
	CHECK_OK(attr_set(vm.gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
	CHECK_OK(irqfd(&vm, e, PIN(40), KVM_IRQFD_FLAG_RESAMPLE, new_eventfd()));
	signal_fd(e);
	CHECK(pending(&vm) == 1u << PIN(40), "%x", pending(&vm));
}

static bool told(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;

	return poll(&p, 1, ms) == 1 && read(fd, &n, 8) == 8;
}

static void resample(void)
{
	int e[2], ack[2];
	struct vm vm;

	make(&vm, false);
	for (int i = 0; i < 2; i++) {
		e[i] = new_eventfd();
		ack[i] = new_eventfd();
		CHECK_OK(irqfd(&vm, e[i], 100 + (uint32_t)i, KVM_IRQFD_FLAG_RESAMPLE, ack[i]));
	}
	/* Each GSI that is routed to the pin learns the end of its interrupt. */
	chip_route(0, 100, PIN(41));
	chip_route(1, 101, PIN(42));
	CHECK_OK(set_routes(&vm, 2, 0));
	signal_fd(e[0]);
	CHECK(taken(&vm) == 41 && !told(ack[0], 0));
	ended(&vm);
	CHECK(told(ack[0], PATIENCE_MS) && !told(ack[1], 0));
	chip_route(1, 101, PIN(41));
	CHECK_OK(set_routes(&vm, 2, 0));
	signal_fd(e[1]);
	CHECK(taken(&vm) == 41);
	ended(&vm);
	CHECK(told(ack[0], PATIENCE_MS) && told(ack[1], PATIENCE_MS));
	CHECK(!pending(&vm), "%x", pending(&vm));
	/* A line that is up falls when its route is removed; the other line stays up. */
	chip_route(1, 101, PIN(42));
	CHECK_OK(set_routes(&vm, 2, 0));
	signal_fd(e[0]);
	signal_fd(e[1]);
	CHECK(pending(&vm) == (1u << PIN(41) | 1u << PIN(42)), "%x", pending(&vm));
	chip_route(0, 100, PIN(43));
	CHECK_OK(set_routes(&vm, 2, 0));
	CHECK(pending(&vm) == 1u << PIN(42), "%x", pending(&vm));
	CHECK_OK(irqfd(&vm, e[1], 101, KVM_IRQFD_FLAG_DEASSIGN, 0));
	CHECK(!pending(&vm), "%x", pending(&vm));
	signal_fd(e[0]);
	CHECK(taken(&vm) == 43);
	ended(&vm);
	CHECK(told(ack[0], PATIENCE_MS));
}

/* Routes change while the eventfd is signalled and the guest takes the interrupts. */
static void race(void)
{
	struct runner r;
	unsigned int n;
	uint64_t end;
	struct signaller s;
	struct vm vm;
	int e;

	make(&vm, true);
	e = new_eventfd();
	CHECK_OK(irqfd(&vm, e, PIN(40), 0, 0));
	runner_start(&r, &vm, 0);
	signaller_start(&s, e);
	for (int i = 0; i < 60; i++) {
		CHECK_OK(route(&vm, PIN(40), PIN(41) + (uint32_t)(i & 1)));
		usleep(2000);
		/* An interrupt of the old route may still come, then those of the new one. */
		end = now_ns() + PATIENCE_MS * 1000000ull;
		while (r.last != 41 + (uint32_t)(i & 1) && !r.error && now_ns() < end)
			usleep(100);
		MUST(r.last == 41 + (uint32_t)(i & 1), "SPI %u, error %d", r.last, r.error);
	}
	/* Once this has returned, only what was pending still comes. */
	CHECK_OK(set_routes(&vm, 0, 0));
	end = now_ns() + PATIENCE_MS * 1000000ull;
	do {
		n = r.mmio;
		usleep(50000);
	} while (r.mmio != n && now_ns() < end);
	CHECK(r.mmio == n, "%u more", r.mmio - n);
	signaller_stop(&s);
	CHECK(!r.error, "error %d", r.error);
	runner_stop(&r);
}

static const struct ktap_case cases[] = {
	{ "arguments", arguments, 0 },
	{ "signal_msi", signal_msi, 0 },
	{ "rerouted", rerouted, 0 },
	{ "before_init", before_init, 0 },
	{ "resample", resample, 0 },
	{ "race", race, 0 },
};
KTAP_MAIN(cases)

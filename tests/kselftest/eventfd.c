// SPDX-License-Identifier: GPL-2.0-only
/* ioeventfd and irqfd: doorbells and interrupts as eventfds, with their misuse. */
#include "vm.h"

#include <poll.h>
#include <sys/eventfd.h>

/* Writes r3 to r2 as a word, then reports; then the same as a halfword and as a byte. */
GUEST_CODE(ring, "ldr r1, =DEV_BASE\n1:\tstr r3, [r2]\n\tstr r0, [r1]\n\tstrh r3, [r2]\n\t"
	   "str r0, [r1]\n\tstrb r3, [r2]\n\tstr r0, [r1]\n\tb 1b");
/* Polls GICC_IAR; reports what it gets, and waits for the client before it ends the interrupt. */
GUEST_CODE(iar, "ldr r1, =DEV_BASE\n\tldr r2, =GICC_BASE\n\tldr r3, =GICD_BASE\n\t"
	   "mov r0, #1\n\tstr r0, [r3]\n\tmov r0, #0xf0\n\tstr r0, [r2, #4]\n\tmov r0, #1\n\t"
	   "str r0, [r2]\n\tmvn r0, #0\n\tstr r0, [r3, #0x104]\n\tldr r0, =0x01010101\n\t"
	   "str r0, [r3, #0x828]\n\tstr r0, [r1, #8]\n"
	   "1:\tldr r0, [r2, #12]\n\tldr r3, =1023\n\tcmp r0, r3\n\tbeq 1b\n\t"
	   "str r0, [r1]\n\tstr r0, [r2, #16]\n\tstr r0, [r1, #4]\n\tb 1b");

#define BELL	0x0b000000u
#define SPI_NR	40u		/* gsi = SPI - 32 */
#define MATCH_AWAY	(KVM_IOEVENTFD_FLAG_DEASSIGN | KVM_IOEVENTFD_FLAG_DATAMATCH)

static int ioeventfd(int vm, int fd, uint64_t addr, uint32_t len, uint32_t flags, uint64_t match)
{
	struct kvm_ioeventfd e = {
		.addr = addr, .len = len, .fd = fd, .flags = flags, .datamatch = match,
	};

	return ioctl(vm, KVM_IOEVENTFD, &e);
}

static int irqfd(int vm, int fd, uint32_t gsi, uint32_t flags, int resample)
{
	struct kvm_irqfd i = {
		.fd = (uint32_t)fd, .gsi = gsi, .flags = flags, .resamplefd = (uint32_t)resample,
	};

	return ioctl(vm, KVM_IRQFD, &i);
}

static uint64_t drain(int fd)
{
	uint64_t n = 0;

	if (read(fd, &n, sizeof(n)) != sizeof(n))
		return 0;
	return n;
}

static int new_eventfd(void)
{
	return (int)MUST_OK(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

/* Runs to the next report of the guest. Returns false if a doorbell exits to the client. */
static bool told(struct vm *vm)
{
	CHECK(vm_run(vm, 0) == KVM_EXIT_MMIO);
	return vm->vcpu[0].run->mmio.phys_addr == DEV_BASE;
}

static void ring_at(struct vm *vm, uint32_t addr, uint32_t val)
{
	VM_CODE(vm, 0, ring);
	reg32_set(vm->vcpu[0].fd, REG_R(2), addr);
	reg32_set(vm->vcpu[0].fd, REG_R(3), val);
}

static void doorbell(void)
{
	struct vm vm;
	int any, word, half;

	vm_make(&vm, 1, 0);
	any = new_eventfd();
	word = new_eventfd();
	half = new_eventfd();
	CHECK_OK(ioeventfd(vm.fd, word, BELL, 4, 0, 0));
	CHECK_OK(ioeventfd(vm.fd, half, BELL, 2, 0, 0));
	ring_at(&vm, BELL, 5);
	CHECK(told(&vm), "a word");
	CHECK(drain(word) == 1 && !drain(half));
	CHECK(told(&vm), "a halfword");
	CHECK(drain(half) == 1 && !drain(word));
	CHECK(!told(&vm), "a byte is nobody's");
	CHECK(vm.vcpu[0].run->mmio.phys_addr == BELL && vm.vcpu[0].run->mmio.len == 1);
	/* Length 0: every write there, of any width. */
	CHECK_OK(ioeventfd(vm.fd, any, BELL + 16, 0, 0, 0));
	ring_at(&vm, BELL + 16, 5);
	memset(vm.vcpu[0].run, 0, sizeof(struct kvm_run));
	for (int i = 0; i < 3; i++)
		CHECK(told(&vm));
	CHECK(drain(any) == 3);
	/* After it is removed, the write exits. */
	CHECK_OK(ioeventfd(vm.fd, word, BELL, 4, KVM_IOEVENTFD_FLAG_DEASSIGN, 0));
	ring_at(&vm, BELL, 5);
	CHECK(!told(&vm) && vm.vcpu[0].run->mmio.phys_addr == BELL);
	CHECK(!drain(word));
}

static void datamatch(void)
{
	struct vm vm;
	int three, four;

	vm_make(&vm, 1, 0);
	three = new_eventfd();
	four = new_eventfd();
	CHECK_OK(ioeventfd(vm.fd, three, BELL, 4, KVM_IOEVENTFD_FLAG_DATAMATCH, 3));
	CHECK_OK(ioeventfd(vm.fd, four, BELL, 4, KVM_IOEVENTFD_FLAG_DATAMATCH, 4));
	ring_at(&vm, BELL, 4);
	CHECK(told(&vm) && drain(four) == 1 && !drain(three));
	ring_at(&vm, BELL, 3);
	CHECK(told(&vm) && drain(three) == 1 && !drain(four));
	ring_at(&vm, BELL, 7);
	CHECK(!told(&vm) && !drain(three) && !drain(four));
	/* A value wider than the doorbell: no write matches. */
	CHECK_OK(ioeventfd(vm.fd, four, BELL, 4, KVM_IOEVENTFD_FLAG_DATAMATCH, 1ull << 32 | 7));
	ring_at(&vm, BELL, 7);
	CHECK(!told(&vm) && !drain(four));
}

static void ioeventfd_errors(void)
{
	struct vm vm;
	int e, o;

	vm_make(&vm, 1, 0);
	e = new_eventfd();
	o = new_eventfd();
	for (uint32_t len = 0; len < 20; len++)
		if (len != 0 && len != 1 && len != 2 && len != 4 && len != 8)
			CHECK_ERRNO(ioeventfd(vm.fd, e, BELL, len, 0, 0), EINVAL);
	CHECK_ERRNO(ioeventfd(vm.fd, e, ~0ull, 4, 0, 0), EINVAL);
	CHECK_ERRNO(ioeventfd(vm.fd, e, BELL, 4, 0x80, 0), EINVAL);
	CHECK_ERRNO(ioeventfd(vm.fd, e, BELL, 0, KVM_IOEVENTFD_FLAG_DATAMATCH, 0), EINVAL);
	CHECK_ERRNO(ioeventfd(vm.fd, -1, BELL, 4, 0, 0), EBADF);
	CHECK_ERRNO(ioeventfd(vm.fd, vm.fd, BELL, 4, 0, 0), EINVAL);
	CHECK_OK(ioeventfd(vm.fd, e, BELL, 4, 0, 0));
	/* Other buses have other addresses. */
	CHECK_OK(ioeventfd(vm.fd, e, BELL, 4, KVM_IOEVENTFD_FLAG_PIO, 0));
	CHECK_OK(ioeventfd(vm.fd, e, BELL, 4, KVM_IOEVENTFD_FLAG_VIRTIO_CCW_NOTIFY, 0));
	CHECK_ERRNO(ioeventfd(vm.fd, o, BELL, 4, KVM_IOEVENTFD_FLAG_VIRTIO_CCW_NOTIFY, 0), EEXIST);
	CHECK_ERRNO(ioeventfd(vm.fd, e, BELL, 4, 0, 0), EEXIST);
	CHECK_ERRNO(ioeventfd(vm.fd, o, BELL, 4, 0, 0), EEXIST);
	CHECK_ERRNO(ioeventfd(vm.fd, o, BELL, 4, KVM_IOEVENTFD_FLAG_DATAMATCH, 1), EEXIST);
	CHECK_ERRNO(ioeventfd(vm.fd, o, BELL, 4, KVM_IOEVENTFD_FLAG_DEASSIGN, 0), ENOENT);
	CHECK_ERRNO(ioeventfd(vm.fd, e, BELL + 4, 4, KVM_IOEVENTFD_FLAG_DEASSIGN, 0), ENOENT);
	CHECK_OK(ioeventfd(vm.fd, e, BELL, 4, KVM_IOEVENTFD_FLAG_DEASSIGN, 0));
	CHECK_ERRNO(ioeventfd(vm.fd, e, BELL, 4, KVM_IOEVENTFD_FLAG_DEASSIGN, 0), ENOENT);
	/* All eight bytes of the value distinguish doorbells. */
	CHECK_OK(ioeventfd(vm.fd, e, BELL, 8, KVM_IOEVENTFD_FLAG_DATAMATCH, 5));
	CHECK_OK(ioeventfd(vm.fd, o, BELL, 8, KVM_IOEVENTFD_FLAG_DATAMATCH, 1ull << 32 | 5));
	CHECK_ERRNO(ioeventfd(vm.fd, o, BELL, 8, KVM_IOEVENTFD_FLAG_DATAMATCH, 5), EEXIST);
	CHECK_ERRNO(ioeventfd(vm.fd, o, BELL, 8, MATCH_AWAY, 5), ENOENT);
	CHECK_ERRNO(ioeventfd(vm.fd, o, BELL, 8, KVM_IOEVENTFD_FLAG_DEASSIGN, 0), ENOENT);
	CHECK_ERRNO(ioeventfd(vm.fd, e, BELL, 8, MATCH_AWAY, 1ull << 32 | 5), ENOENT);
	CHECK_OK(ioeventfd(vm.fd, o, BELL, 8, MATCH_AWAY, 1ull << 32 | 5));
	CHECK_OK(ioeventfd(vm.fd, e, BELL, 8, MATCH_AWAY, 5));
}

#define MANY	4096	/* all that a VM may have */

static uint32_t scattered(int n)
{
	return BELL + (uint32_t)(n * 7919 % 4099) * 8;
}

/* Many, to test the order and the limit of the bus. They go with the VM. */
static void many_doorbells(void)
{
	struct vm vm;
	int e, n;

	vm_make(&vm, 1, 0);
	e = new_eventfd();
	/* The distributor takes its place on the bus at the first RUN. */
	ring_at(&vm, BELL, 1);
	CHECK(!told(&vm));
	for (n = 0; n < MANY; n++)
		if (ioeventfd(vm.fd, e, scattered(n), 4, 0, 0) < 0)
			break;
	CHECK(n == MANY, "%d, then %s", n, strerror(errno));
	CHECK_ERRNO(ioeventfd(vm.fd, e, scattered(n), 4, 0, 0), ENOSPC);
	CHECK_OK(ioeventfd(vm.fd, e, scattered(0), 4, KVM_IOEVENTFD_FLAG_DEASSIGN, 0));
	CHECK_OK(ioeventfd(vm.fd, e, scattered(n), 4, 0, 0));
	memset(vm.vcpu[0].run, 0, sizeof(struct kvm_run));
	vm_vcpu_init(&vm, 0);
	ring_at(&vm, scattered(1), 1);
	CHECK(told(&vm) && drain(e) == 1);
	vm_close(&vm);
	CHECK(!drain(e));
}

static void interrupt(void)
{
	uint64_t one = 1;
	uint32_t v;
	struct vm vm;
	int e;

	vm_make(&vm, 1, 0);
	e = new_eventfd();
	CHECK_OK(irqfd(vm.fd, e, SPI_NR - 32, 0, 0));
	VM_CODE(&vm, 0, iar);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && vm.vcpu[0].run->mmio.phys_addr == DEV_BASE + 8);
	/* Edge: each signal is one interrupt, as KVM raises and lowers the line at once. */
	v = 2u << (SPI_NR % 16 * 2);
	CHECK_OK(attr_set(vm.gic, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0xc08, &v));
	for (int i = 0; i < 5; i++) {
		CHECK(write(e, &one, 8) == 8);
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO &&
		      vm.vcpu[0].run->mmio.phys_addr == DEV_BASE);
		memcpy(&v, vm.vcpu[0].run->mmio.data, 4);
		CHECK(v == SPI_NR, "IAR %u", v);
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO &&
		      vm.vcpu[0].run->mmio.phys_addr == DEV_BASE + 4);
	}
	CHECK_OK(irqfd(vm.fd, e, SPI_NR - 32, KVM_IRQFD_FLAG_DEASSIGN, 0));
	CHECK(write(e, &one, 8) == 8);
	usleep(10000);
	CHECK_OK(attr_get(vm.gic, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0x204, &v));
	CHECK(!(v >> (SPI_NR - 32) & 1), "an eventfd that was taken away still interrupts");
}

/* A level: the line stays up until the guest has ended the interrupt, which the client learns. */
static void resample(void)
{
	uint64_t one = 1;
	struct pollfd p;
	struct vm vm;
	uint32_t v;
	int e, ack;

	vm_make(&vm, 1, 0);
	e = new_eventfd();
	ack = new_eventfd();
	CHECK_OK(irqfd(vm.fd, e, SPI_NR - 32, KVM_IRQFD_FLAG_RESAMPLE, ack));
	VM_CODE(&vm, 0, iar);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	for (int i = 0; i < 5; i++) {
		CHECK(write(e, &one, 8) == 8);
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO &&
		      vm.vcpu[0].run->mmio.phys_addr == DEV_BASE);
		memcpy(&v, vm.vcpu[0].run->mmio.data, 4);
		CHECK(v == SPI_NR, "IAR %u", v);
		CHECK(!drain(ack), "told before the guest ended it");
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO &&
		      vm.vcpu[0].run->mmio.phys_addr == DEV_BASE + 4);
		p = (struct pollfd){ .fd = ack, .events = POLLIN };
		CHECK(poll(&p, 1, PATIENCE_MS) == 1 && drain(ack) == 1, "the client is not told of the end");
	}
	CHECK_OK(attr_get(vm.gic, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0x204, &v));
	CHECK(!(v >> (SPI_NR - 32) & 1), "the line is still high");
}

static void irqfd_errors(void)
{
	struct vm vm;
	int e;

	vm_make(&vm, 1, VM_NO_GIC);
	e = new_eventfd();
	errno = 0;
	CHECK(irqfd(vm.fd, e, 8, 0, 0) == -1 && (errno == EAGAIN || errno == EINVAL), "%s",
	      strerror(errno));
	vm_close(&vm);
	vm_make(&vm, 1, 0);
	CHECK_ERRNO(irqfd(vm.fd, e, 8, 0x100, 0), EINVAL);
	CHECK_ERRNO(irqfd(vm.fd, -1, 8, 0, 0), EBADF);
	CHECK_ERRNO(irqfd(vm.fd, vm.fd, 8, 0, 0), EINVAL);
	errno = 0;
	CHECK(irqfd(vm.fd, e, 8, KVM_IRQFD_FLAG_RESAMPLE, -1) == -1 && errno == EBADF, "%s",
	      strerror(errno));
	CHECK_OK(irqfd(vm.fd, e, 8, 0, 0));
	CHECK_ERRNO(irqfd(vm.fd, e, 8, 0, 0), EBUSY);
	CHECK_ERRNO(irqfd(vm.fd, e, 9, 0, 0), EBUSY);
	CHECK_OK(irqfd(vm.fd, e, 8, KVM_IRQFD_FLAG_DEASSIGN, 0));
	CHECK_OK(irqfd(vm.fd, e, 8, 0, 0));
	/* First the eventfd is closed, then the VM. */
	close(e);
	e = new_eventfd();
	CHECK_OK(irqfd(vm.fd, e, 9, 0, 0));
	vm_close(&vm);
	close(e);
}

/* One thread signals while the guest runs and the client adds and removes. */
static void race(void)
{
	uint32_t v = 2u << (SPI_NR % 16 * 2);
	struct runner r;
	struct signaller s;
	struct vm vm;
	int e;

	vm_make(&vm, 1, 0);
	e = new_eventfd();
	VM_CODE(&vm, 0, iar);
	/* Edge: the guest need not see a level that is raised and lowered at once. */
	MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO, "the guest does not start");
	CHECK_OK(attr_set(vm.gic, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0xc08, &v));
	runner_start(&r, &vm, 0);
	signaller_start(&s, e);
	for (int i = 0; i < 50; i++) {
		CHECK_OK(irqfd(vm.fd, e, SPI_NR - 32, 0, 0));
		if (i % 3)
			usleep(2000);
		if (i == 49)
			CHECK(runner_wait(&r, 2, PATIENCE_MS), "%u exits", r.mmio);
		CHECK_OK(irqfd(vm.fd, e, SPI_NR - 32, KVM_IRQFD_FLAG_DEASSIGN, 0));
	}
	signaller_stop(&s);
	CHECK(!r.error, "error %d", r.error);
	runner_stop(&r);
}

static const struct ktap_case cases[] = {
	{ "doorbell", doorbell, 0 },
	{ "datamatch", datamatch, 0 },
	{ "ioeventfd_errors", ioeventfd_errors, 0 },
	{ "many_doorbells", many_doorbells, 0 },
	{ "interrupt", interrupt, 0 },
	{ "resample", resample, 0 },
	{ "irqfd_errors", irqfd_errors, 0 },
	{ "race", race, 0 },
};
KTAP_MAIN(cases)

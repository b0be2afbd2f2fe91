// SPDX-License-Identifier: GPL-2.0-only
/* Coalesced MMIO: writes to a zone wait in a ring, in order. If it is full, none is lost. */
#include <sys/eventfd.h>

#include "binstats.h"
#include "vm.h"

#define PAGE_SIZE	PAGE		/* as KVM_COALESCED_MMIO_MAX has it */
#define RING_MAX	((unsigned int)KVM_COALESCED_MMIO_MAX)
#define ZONE		0x0b000000u
#define ZONE_SIZE	0x100u

/* Writes r4, r4 + 1, ... as words at r2 for ever. */
GUEST_CODE(count, "1:\tstr r4, [r2]\n\tadd r4, r4, #1\n\tb 1b");
/* The same, r5 times; then reports. */
GUEST_CODE(some, "ldr r1, =DEV_BASE\n1:\tstr r4, [r2]\n\tadd r4, r4, #1\n\t"
	   "subs r5, r5, #1\n\tbne 1b\n\tstr r4, [r1]\n2:\tb 2b");
/* A byte, a halfword, a word that reaches beyond the zone; and a read of the zone. */
GUEST_CODE(forms, "ldr r1, =DEV_BASE\n\tstrb r4, [r2]\n\tstrh r4, [r2, #2]\n\tstr r4, [r2, #4]\n\t"
	   "str r4, [r2, #0xfc]\n\tstr r4, [r2, #0x100]\n\tldr r0, [r2]\n\tstr r4, [r1]");

static int zone(struct vm *vm, unsigned long req, uint64_t addr, uint32_t size, uint32_t pio)
{
	struct kvm_coalesced_mmio_zone z = { .addr = addr, .size = size, .pio = pio };

	return ioctl(vm->fd, req, &z);
}

static int add(struct vm *vm, uint64_t addr, uint32_t size)
{
	return zone(vm, KVM_REGISTER_COALESCED_MMIO, addr, size, 0);
}

static int del(struct vm *vm, uint64_t addr, uint32_t size)
{
	return zone(vm, KVM_UNREGISTER_COALESCED_MMIO, addr, size, 0);
}

static struct kvm_coalesced_mmio_ring *ring_of(struct vm *vm, unsigned int i)
{
	return (void *)((char *)vm->vcpu[i].run +
			PAGE_SIZE * (unsigned int)ioctl(vm->fd, KVM_CHECK_EXTENSION,
							KVM_CAP_COALESCED_MMIO));
}

static void start(struct vm *vm, unsigned int i, uint32_t at, uint32_t first, uint32_t n)
{
	reg32_set(vm->vcpu[i].fd, REG_R(2), at);
	reg32_set(vm->vcpu[i].fd, REG_R(4), first);
	reg32_set(vm->vcpu[i].fd, REG_R(5), n);
}

/* Takes the oldest entry out of the ring. Returns false if there is none. */
static bool take(struct kvm_coalesced_mmio_ring *ring, struct kvm_coalesced_mmio *to)
{
	uint32_t first = ring->first;

	if (first == __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE))
		return false;
	*to = ring->coalesced_mmio[first];
	__atomic_store_n(&ring->first, (first + 1) % RING_MAX, __ATOMIC_RELEASE);
	return true;
}

/* Posted by the host and in HYP mode: the same. */
static void both(void (*test)(bool hyp))
{
	for (int hyp = 0; hyp < 2; hyp++) {
		param_set("hyp_zones", hyp);
		test(hyp);
	}
}

/* How many writes of vCPU 0 were posted by the host, and in HYP mode. */
static void posted(struct vm *vm, uint64_t host, uint64_t hyp)
{
	int fd = stats_fd(vm->vcpu[0].fd);
	uint64_t kernel = stat_of(fd, "mmio_exit_kernel"), inner = stat_of(fd, "hyp_mmio_write");

	CHECK(kernel == host && inner == hyp, "%llu by the host, %llu in HYP mode",
	      (unsigned long long)kernel, (unsigned long long)inner);
	close(fd);
}

static uint32_t word(const void *data)
{
	uint32_t v;

	memcpy(&v, data, 4);
	return v;
}

static void arguments(void)
{
	struct vm vm;
	int sys = sys_open(), n;

	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO) ==
	      KVM_COALESCED_MMIO_PAGE_OFFSET);
	CHECK(ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0) >= (int)(2 * PAGE_SIZE));
	vm_make(&vm, 1, 0);
	CHECK_ERRNO(ioctl(vm.fd, KVM_REGISTER_COALESCED_MMIO, NULL), EFAULT);
	CHECK_ERRNO(ioctl(vm.fd, KVM_UNREGISTER_COALESCED_MMIO, NULL), EFAULT);
	CHECK_ERRNO(zone(&vm, KVM_REGISTER_COALESCED_MMIO, ZONE, 4, 2), EINVAL);
	CHECK_ERRNO(zone(&vm, KVM_UNREGISTER_COALESCED_MMIO, ZONE, 4, ~0u), EINVAL);
	/* Zones of ports are accepted, as by KVM on every machine, although there are no ports. */
	CHECK_OK(zone(&vm, KVM_REGISTER_COALESCED_MMIO, ZONE, 4, 1));
	CHECK_OK(zone(&vm, KVM_UNREGISTER_COALESCED_MMIO, ZONE, 4, 1));
	/* To remove a zone that does not exist is no error. */
	CHECK_OK(del(&vm, ZONE, 4));
	CHECK_OK(add(&vm, ~0ull, ~0u));
	CHECK_OK(del(&vm, ~0ull, 4));
	CHECK_OK(add(&vm, ZONE, 0));
	for (n = 0; n < 2000; n++)
		if (add(&vm, ZONE + (uint32_t)n * 8, 8) < 0)
			break;
	CHECK(n >= 900 && n < 2000 && errno == ENOSPC, "%d zones, %s", n, strerror(errno));
	/* The mapping has only two pages. */
	CHECK(ring_of(&vm, 0)->first == 0 && ring_of(&vm, 0)->last == 0);
	for (n = 2; n < 1024; n++)
		CHECK(ring_of(&vm, 0)->coalesced_mmio[0].data[n & 7] == 0);
}

static void order_by(bool hyp)
{
	struct kvm_coalesced_mmio_ring *ring;
	struct kvm_coalesced_mmio e;
	struct vm vm;

	vm_make(&vm, 1, 0);
	ring = ring_of(&vm, 0);
	CHECK_OK(add(&vm, ZONE, ZONE_SIZE));
	VM_CODE(&vm, 0, some);
	start(&vm, 0, ZONE + 8, 100, 20);
	/* Twenty writes, and the first exit is the report. */
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && vm.vcpu[0].run->mmio.phys_addr == DEV_BASE);
	for (uint32_t i = 0; i < 20; i++) {
		MUST(take(ring, &e), "entry %u is not there", i);
		CHECK(e.phys_addr == ZONE + 8 && e.len == 4 && !e.pio && word(e.data) == 100 + i,
		      "%u: %llx %u %u", i, (unsigned long long)e.phys_addr, e.len, word(e.data));
	}
	CHECK(!take(ring, &e), "there is one more");
	posted(&vm, hyp ? 0 : 20, hyp ? 20 : 0);

	/* Several widths. Accesses that only begin in the zone, and reads, exit at once. */
	VM_CODE(&vm, 0, forms);
	start(&vm, 0, ZONE, 0x11223344, 0);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && vm.vcpu[0].run->mmio.phys_addr == ZONE + 0x100);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && vm.vcpu[0].run->mmio.phys_addr == ZONE &&
	      !vm.vcpu[0].run->mmio.is_write);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && vm.vcpu[0].run->mmio.phys_addr == DEV_BASE);
	CHECK(take(ring, &e) && e.phys_addr == ZONE && e.len == 1 && word(e.data) == 0x44);
	CHECK(take(ring, &e) && e.phys_addr == ZONE + 2 && e.len == 2 && word(e.data) == 0x3344);
	CHECK(take(ring, &e) && e.phys_addr == ZONE + 4 && e.len == 4 &&
	      word(e.data) == 0x11223344);
	CHECK(take(ring, &e) && e.phys_addr == ZONE + 0xfc && e.len == 4);
	CHECK(!take(ring, &e));

	/* To name a part of a zone removes the zone; to name more than the zone does not. */
	CHECK_OK(del(&vm, ZONE, ZONE_SIZE + 1));
	CHECK_OK(del(&vm, ZONE - 4, 8));
	VM_CODE(&vm, 0, some);
	start(&vm, 0, ZONE, 1, 1);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && vm.vcpu[0].run->mmio.phys_addr == DEV_BASE);
	CHECK(take(ring, &e));
	CHECK_OK(del(&vm, ZONE + 16, 4));
	VM_CODE(&vm, 0, some);
	start(&vm, 0, ZONE, 1, 1);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && vm.vcpu[0].run->mmio.phys_addr == ZONE);
	CHECK(!take(ring, &e));
	posted(&vm, hyp ? 0 : 25, hyp ? 25 : 0);
	vm_close(&vm);
}

static void order(void)
{
	both(order_by);
}

/* One write at ZONE + 8, and a report. Is it in the ring? */
static bool in_ring(struct vm *vm)
{
	struct kvm_coalesced_mmio e;

	VM_CODE(vm, 0, some);
	start(vm, 0, ZONE + 8, 9, 1);
	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO && vm->vcpu[0].run->mmio.phys_addr == DEV_BASE,
	     "another exit");
	return take(ring_of(vm, 0), &e);
}

/* An ioeventfd in a zone comes first: from when it is there until it goes. */
static void doorbell_by(bool hyp)
{
	struct kvm_ioeventfd io = { .addr = ZONE + 8, .len = 4, .fd = eventfd(0, EFD_NONBLOCK) };
	uint64_t rung;
	struct vm vm;

	vm_make(&vm, 1, 0);
	CHECK_OK(add(&vm, ZONE, ZONE_SIZE));
	for (int round = 0; round < 3; round++) {
		CHECK(in_ring(&vm));
		io.flags = 0;
		CHECK_OK(ioctl(vm.fd, KVM_IOEVENTFD, &io));
		CHECK(!in_ring(&vm));
		CHECK(read(io.fd, &rung, 8) == 8 && rung == 1);
		io.flags = KVM_IOEVENTFD_FLAG_DEASSIGN;
		CHECK_OK(ioctl(vm.fd, KVM_IOEVENTFD, &io));
	}
	posted(&vm, hyp ? 3 : 6, hyp ? 3 : 0);
	close(io.fd);
	vm_close(&vm);
}

static void doorbell(void)
{
	if (!host_has_eventfd())
		ktap_skip("the kernel has no eventfd");
	both(doorbell_by);
}

/* So does RAM, and the distributor. */
static void behind_by(bool hyp)
{
	struct vm vm;
	uint32_t *ram;

	ram = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(ram != MAP_FAILED, "mmap");
	vm_make(&vm, 1, 0);
	CHECK_OK(add(&vm, ZONE, ZONE_SIZE));
	for (int round = 0; round < 3; round++) {
		CHECK(in_ring(&vm));
		memset(ram, 0, PAGE);
		CHECK_OK(mem_set(vm.fd, 3, 0, ZONE, PAGE, ram));
		CHECK(!in_ring(&vm));
		CHECK_OK(mem_set(vm.fd, 3, 0, ZONE, 0, ram));
		CHECK(ram[2] == 9, "%u", ram[2]);
	}
	posted(&vm, hyp ? 0 : 3, hyp ? 3 : 0);
	vm_close(&vm);
	param_set("hyp_dist", false);
	vm_make(&vm, 1, 0);
	param_set("hyp_dist", true);
	CHECK_OK(add(&vm, GICD_BASE, 16));
	VM_CODE(&vm, 0, some);
	start(&vm, 0, GICD_BASE, 1, 1);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && vm.vcpu[0].run->mmio.phys_addr == DEV_BASE);
	CHECK(ring_of(&vm, 0)->last == 0);
	posted(&vm, 1, 0);
	vm_close(&vm);
	munmap(ram, PAGE);
}

static void behind(void)
{
	both(behind_by);
}

/* Fills the ring from each place. Each write comes by the ring or by an exit, in order. */
static void full_by(bool hyp)
{
	struct kvm_coalesced_mmio_ring *ring;
	struct kvm_coalesced_mmio e;
	struct kvm_run *run;
	uint32_t next = 0;
	struct vm vm;

	vm_make(&vm, 1, 0);
	ring = ring_of(&vm, 0);
	run = vm.vcpu[0].run;
	CHECK_OK(add(&vm, ZONE, 4));
	VM_CODE(&vm, 0, count);
	start(&vm, 0, ZONE, 0, 0);
	for (int round = 0; round < 180; round++) {
		unsigned int n = 0;

		MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO && run->mmio.phys_addr == ZONE, "no exit");
		while (take(ring, &e)) {
			MUST(word(e.data) == next, "%u, not %u", word(e.data), next);
			next++;
			n++;
		}
		CHECK(n == RING_MAX - 1, "round %d: the ring was full of %u", round, n);
		MUST(word(run->mmio.data) == next, "%u, not %u", word(run->mmio.data), next);
		next++;
	}
	posted(&vm, hyp ? 0 : 180 * (RING_MAX - 1), hyp ? 180 * (RING_MAX - 1) : 0);
	vm_close(&vm);
}

static void full(void)
{
	both(full_by);
}

/* A client may write nonsense into the ring: it harms nobody else. */
static void hostile_by(bool hyp)
{
	static const uint32_t bad[] = { RING_MAX, RING_MAX + 1, 0x7fffffff, 0x80000000, ~0u };
	struct kvm_coalesced_mmio_ring *ring;
	struct vm vm;

	vm_make(&vm, 1, 0);
	ring = ring_of(&vm, 0);
	CHECK_OK(add(&vm, ZONE, 4));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ring->last = bad[i];
		VM_CODE(&vm, 0, some);
		start(&vm, 0, ZONE, 7, 1);
		/* No entry has this number, so that the write is an ordinary exit. */
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && vm.vcpu[0].run->mmio.phys_addr == ZONE);
		CHECK(ring->last == bad[i]);
		ring->last = 0;
		ring->first = bad[i];
		VM_CODE(&vm, 0, some);
		start(&vm, 0, ZONE, 7, 1);
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO &&
		      vm.vcpu[0].run->mmio.phys_addr == DEV_BASE);
		CHECK(ring->last == 1 && word(ring->coalesced_mmio[0].data) == 7);
		ring->first = 0;
	}
	posted(&vm, hyp ? 0 : sizeof(bad) / sizeof(bad[0]), hyp ? sizeof(bad) / sizeof(bad[0]) : 0);
	/* While it is mapped, the ring outlives the VM. */
	close(vm.vcpu[0].fd);
	close(vm.fd);
	close(vm.gic);
	CHECK(word(ring->coalesced_mmio[0].data) == 7);
}

static void hostile(void)
{
	both(hostile_by);
}

/* Two vCPUs write to one ring, which is the same in both mappings, while zones come and go. */
static void race_by(bool hyp)
{
	struct kvm_coalesced_mmio_ring *ring;
	struct kvm_coalesced_mmio e;
	uint32_t next[2] = { };
	unsigned int taken = 0;
	struct runner r[2];
	uint64_t end;
	struct vm vm;
	int fd;

	vm_make(&vm, 2, 0);
	ring = ring_of(&vm, 1);
	CHECK_OK(add(&vm, ZONE, ZONE_SIZE));
	for (unsigned int i = 0; i < 2; i++) {
		vm_vcpu_on(&vm, i);
		VM_CODE(&vm, i, count);
		start(&vm, i, ZONE + i * 4, 0, 0);
		runner_start(&r[i], &vm, i);
	}
	end = now_ns() + PATIENCE_MS * 1000000ull;
	/* Go on longer if one of the CPUs stood still meanwhile. */
	for (int round = 0; round < 160 || ((taken <= 1000 || !next[0] || !next[1]) &&
					    now_ns() < end); round++) {
		while (take(ring, &e)) {
			unsigned int i = (uint32_t)e.phys_addr - ZONE == 4;

			MUST(e.phys_addr == ZONE + i * 4 && e.len == 4, "torn: %llx, %u",
			     (unsigned long long)e.phys_addr, e.len);
			CHECK(word(e.data) >= next[i], "vCPU %u: %u after %u", i, word(e.data),
			      next[i] - 1);
			next[i] = word(e.data) + 1;
			taken++;
		}
		if (round < 160 && round % 8 == 4) {
			CHECK_OK(add(&vm, ZONE + ZONE_SIZE * (uint32_t)round, 8));
			CHECK_OK(del(&vm, ZONE, 4));
			CHECK_OK(add(&vm, ZONE, ZONE_SIZE));
		}
		usleep(1000);
	}
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(!r[i].error && next[i], "vCPU %u: error %d, up to %u", i, r[i].error, next[i]);
		runner_stop(&r[i]);
	}
	ktap_note("%u writes by the ring, %u and %u by exits", taken, r[0].mmio, r[1].mmio);
	CHECK(taken > 1000, "%u", taken);
	fd = stats_fd(vm.vcpu[0].fd);
	CHECK(!stat_of(fd, "hyp_mmio_write") == !hyp);
	close(fd);
	vm_close(&vm);
}

static void race(void)
{
	both(race_by);
}

static const struct ktap_case cases[] = {
	{ "arguments", arguments, 0 },
	{ "order", order, 0 },
	{ "doorbell", doorbell, 0 },
	{ "behind", behind, 0 },
	{ "full", full, 0 },
	{ "hostile", hostile, 0 },
	{ "race", race, 0 },
};
KTAP_MAIN(cases)

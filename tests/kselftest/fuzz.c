// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random ioctls with random arguments against VMs whose guests run: two threads on each fd, half of
 * the arguments made up to be nearly right, half of anything. What must come of it is nothing: no
 * splat, no hang, no leak, and a process that can be killed at any moment.
 *
 *   ./fuzz             the seeds that once failed, then new ones for $FUZZ_SECONDS (4)
 *   ./fuzz SEED...     these alone, $FUZZ_SECONDS each
 *
 * A seed is one process with a VM of its own that lives for ROUND_MS. Its threads each draw from a
 * sequence that the seed gives; which of them comes first is up to the scheduler.
 */
#include "vm.h"

#include <limits.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define PAGE		4096u
#define ROUND_MS	1500
#define VCPUS		2
#define EVENTFDS	8
#define LONG_RUN	120	/* seconds from which each ioctl must have succeeded often */
#define OFTEN		1000
/* Memory of slots: the guest may write to all of it, so nothing else is near. */
#define POOL_USED	(8u << 20)
#define POOL_SIZE	(64u << 20)
#define SLOT_BASE	0x80000000u
#define SLOTS		4u	/* those that are mostly meant: 1 up to it */
#define SLOT_PAGES	16u	/* of most of them; they lie at multiples of it */

/*
 * A seed that finds something is kept here, and run by every make check. A change of what the
 * arguments are made of makes another sequence of it: what it found wants a case of its own too, in
 * the program of its area. The first stands for those that found nothing.
 */
static const uint64_t kept[] = {
	1,
};

/* Works on all slots in turn and tells; its registers and memory are anybody's. */
GUEST_CODE(busy, "ldr r1, =0x0a000000\n\tldr r2, =0x80000000\n\tldr r3, =0x0b000000\n\t"
	   "mov r5, #0\n1:\tstr r5, [r2]\n\tadd r5, r5, #1\n\tadd r2, r2, #4096\n\t"
	   "tst r5, #63\n\tldreq r2, =0x80000000\n\tstr r5, [r3]\n\tldr r4, [r1, #4]\n\t"
	   "tst r5, #7\n\tstreq r5, [r1]\n\tldr r0, =0x84000000\n\thvc #0\n\tldr r1, =0x0a000000\n\t"
	   "ldr r3, =0x0b000000\n\tb 1b");

/* --- chance --- */

struct dice {
	uint64_t state;
};

/* splitmix64 */
static uint64_t roll(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static uint32_t below(struct dice *d, uint32_t n)
{
	return (uint32_t)(roll(d) >> 32) % n;
}

static bool one_in(struct dice *d, uint32_t n)
{
	return !below(d, n);
}

/* A number of the kind that bounds are made for. */
static uint64_t odd_number(struct dice *d)
{
	static const uint64_t edges[] = {
		0, 1, 2, 7, 8, 31, 32, 63, 64, 255, 988, 1019, 1020, 1023, 1024, 4095, 4096,
		0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff, 0x100000000, 0xffffffffff,
		0x10000000000, 0x7fffffffffffffff, 0x8000000000000000, ~0ull,
	};

	switch (below(d, 4)) {
	case 0:
		return roll(d);
	case 1:
		return 1ull << below(d, 64);
	default:
		return edges[below(d, sizeof(edges) / sizeof(edges[0]))] + below(d, 3) - 1;
	}
}

/* --- the machine under fire --- */

static struct machine {
	struct vm vm;
	char *pool;		/* slots */
	char *edge;		/* the last bytes before what is not mapped */
	char *readonly;
	int event[EVENTFDS];
	pthread_t thread[VCPUS + 10];	/* runners, then attackers */
	uint64_t seed;
} m;

/* Where the kernel may read and write: what it writes there harms nobody. */
static void *pointer(struct dice *d)
{
	static __thread char buffer[16384] __attribute__((aligned(8)));

	switch (below(d, 16)) {
	case 0:
		return NULL;
	case 1:
		return (void *)(uintptr_t)(0xc0000000u + below(d, 0x3fffffff));
	case 2:
		return m.edge - below(d, 64);
	case 3:
		return m.readonly + below(d, 64);
	case 4:
		return buffer + below(d, 64);
	default:
		for (unsigned int i = 0; i < 4; i++)
			((uint64_t *)buffer)[i] = one_in(d, 2) ? odd_number(d) : below(d, 64);
		return buffer;
	}
}

static uint64_t guest_address(struct dice *d)
{
	static const uint64_t known[] = {
		GICD_BASE, GICC_BASE, DEV_BASE, RAM_BASE, SLOT_BASE, 0x0b000000,
		(1ull << 40) - PAGE, 1ull << 40,
	};

	if (one_in(d, 4))
		return odd_number(d);
	if (one_in(d, 2))
		return SLOT_BASE + below(d, 64) * PAGE;
	return known[below(d, 8)] + below(d, 4) * PAGE;
}

/* Where and what a slot is, mostly such that several of them go together. */
static uint32_t some_slot(struct dice *d)
{
	return one_in(d, 8) ? (uint32_t)odd_number(d) : 1 + below(d, SLOTS);
}

static uint64_t slot_address(struct dice *d)
{
	return one_in(d, 4) ? guest_address(d) : SLOT_BASE + below(d, 8) * SLOT_PAGES * PAGE;
}

static int some_fd(struct dice *d)
{
	switch (below(d, 12)) {
	case 0:
		return (int)below(d, 64) - 1;
	case 1:
		return m.vm.fd;
	case 2:
		return m.vm.vcpu[0].fd;
	default:
		return m.event[below(d, EVENTFDS)];
	}
}

/* --- arguments: each fills what it is given, and answers the ioctl's argument --- */

union argument {
	char bytes[64];
	uint32_t words[16];
	struct kvm_userspace_memory_region region;
	struct kvm_dirty_log log;
	struct kvm_clear_dirty_log clear;
	struct kvm_irq_level line;
	struct kvm_irqfd irqfd;
	struct kvm_ioeventfd ioeventfd;
	struct kvm_msi msi;
	struct kvm_create_device device;
	struct kvm_coalesced_mmio_zone zone;
	struct kvm_arm_device_addr addr;
	struct kvm_vcpu_init init;
	struct kvm_enable_cap cap;
	struct kvm_one_reg reg;
	struct kvm_mp_state mp;
	struct kvm_vcpu_events events;
	struct kvm_device_attr attr;
	struct kvm_guest_debug debug;
	struct kvm_signal_mask mask;
	struct kvm_reg_list list;
	struct kvm_irq_routing routing;
	char room[4096];
};

typedef uintptr_t (*make_t)(struct dice *d, union argument *a);

static uintptr_t make_none(struct dice *d, union argument *a)
{
	(void)a;
	return one_in(d, 16) ? (uintptr_t)odd_number(d) : 0;
}

static uintptr_t make_number(struct dice *d, union argument *a)
{
	(void)a;
	return one_in(d, 2) ? below(d, 300) : (uintptr_t)odd_number(d);
}

static uintptr_t make_region(struct dice *d, union argument *a)
{
	a->region.slot = some_slot(d);
	a->region.flags = one_in(d, 4) ? below(d, 4) : KVM_MEM_LOG_DIRTY_PAGES;
	if (one_in(d, 16))
		a->region.flags = (uint32_t)odd_number(d);
	a->region.guest_phys_addr = slot_address(d);
	a->region.memory_size = (one_in(d, 4) ? below(d, 65) : SLOT_PAGES) * PAGE;
	if (one_in(d, 8))
		a->region.memory_size = 0;
	/* Memory of its own, so that it can be moved and its flags be changed; or any. */
	a->region.userspace_addr = (uintptr_t)m.pool + a->region.slot % 16 * 64 * PAGE;
	if (one_in(d, 4))
		a->region.userspace_addr =
			(uintptr_t)m.pool + below(d, POOL_USED / PAGE - 64) * PAGE;
	if (one_in(d, 16))
		a->region.memory_size = 0xc0000000u + (uint32_t)odd_number(d) % 0x3fffffff;
	if (one_in(d, 16))
		a->region.userspace_addr += odd_number(d) << 32 | below(d, PAGE);
	if (one_in(d, 16))
		a->region.userspace_addr = (uintptr_t)m.pool + POOL_USED - 32 * PAGE;
	return (uintptr_t)a;
}

static uintptr_t make_log(struct dice *d, union argument *a)
{
	a->log.slot = some_slot(d);
	a->log.dirty_bitmap = pointer(d);
	return (uintptr_t)a;
}

static uintptr_t make_clear(struct dice *d, union argument *a)
{
	static const uint32_t pages[] = { 0, SLOT_PAGES, 64 };

	a->clear.slot = some_slot(d);
	a->clear.first_page = one_in(d, 4) ? odd_number(d) : 0;
	a->clear.num_pages = pages[below(d, 3)];
	if (one_in(d, 4))
		a->clear.num_pages = one_in(d, 2) ? below(d, 65) : (uint32_t)odd_number(d);
	a->clear.dirty_bitmap = pointer(d);
	return (uintptr_t)a;
}

static uintptr_t make_line(struct dice *d, union argument *a)
{
	a->line.irq = below(d, 4) << KVM_ARM_IRQ_TYPE_SHIFT | below(d, 4) << 16 | below(d, 300);
	if (one_in(d, 8))
		a->line.irq = (uint32_t)odd_number(d);
	a->line.level = below(d, 3);
	return (uintptr_t)a;
}

static uintptr_t make_irqfd(struct dice *d, union argument *a)
{
	a->irqfd.fd = (uint32_t)some_fd(d);
	a->irqfd.gsi = one_in(d, 8) ? (uint32_t)odd_number(d) : below(d, 40);
	a->irqfd.flags = one_in(d, 16) ? (uint32_t)odd_number(d) : below(d, 4);
	a->irqfd.resamplefd = (uint32_t)some_fd(d);
	return (uintptr_t)a;
}

static uintptr_t make_ioeventfd(struct dice *d, union argument *a)
{
	static const uint32_t lens[] = { 0, 1, 2, 4, 8, 3, 9, ~0u };

	a->ioeventfd.datamatch = below(d, 4);
	a->ioeventfd.addr = one_in(d, 2) ? 0x0b000000 + below(d, 4) * 4 : guest_address(d);
	a->ioeventfd.len = lens[below(d, one_in(d, 8) ? 8 : 5)];
	a->ioeventfd.fd = some_fd(d);
	a->ioeventfd.flags = one_in(d, 16) ? (uint32_t)odd_number(d) : below(d, 8);
	return (uintptr_t)a;
}

static uintptr_t make_msi(struct dice *d, union argument *a)
{
	a->msi.address_lo = 0x08020040;
	a->msi.data = below(d, 256);
	a->msi.flags = below(d, 3);
	return (uintptr_t)a;
}

static uintptr_t make_routing(struct dice *d, union argument *a)
{
	const uint32_t room =
		(sizeof(a->room) - sizeof(a->routing)) / sizeof(a->routing.entries[0]);
	struct kvm_irq_routing_entry *e = a->routing.entries;
	uint32_t first = below(d, 40);

	a->routing.nr = one_in(d, 16) ? (uint32_t)odd_number(d) : below(d, room + 1);
	a->routing.flags = one_in(d, 16);
	for (uint32_t i = 0; i < room; i++, e++) {
		e->gsi = one_in(d, 400) ? (uint32_t)odd_number(d) : first + i;
		e->type = 1 + one_in(d, 4) + one_in(d, 400);
		e->flags = one_in(d, 400);
		e->u.irqchip.irqchip = one_in(d, 400);
		e->u.irqchip.pin = one_in(d, 400) ? (uint32_t)odd_number(d) : below(d, 40);
	}
	return (uintptr_t)a;
}

static uintptr_t make_device(struct dice *d, union argument *a)
{
	a->device.type = one_in(d, 4) ? (uint32_t)odd_number(d) : KVM_DEV_TYPE_ARM_VGIC_V2;
	a->device.flags = one_in(d, 8) ? (uint32_t)odd_number(d) : below(d, 2);
	return (uintptr_t)a;
}

static uintptr_t make_zone(struct dice *d, union argument *a)
{
	a->zone.addr = one_in(d, 2) ? 0x0b000000 + below(d, 4) * 4 : guest_address(d);
	a->zone.size = one_in(d, 4) ? (uint32_t)odd_number(d) : below(d, 16);
	a->zone.pio = one_in(d, 8) ? below(d, 3) : 0;
	return (uintptr_t)a;
}

static uintptr_t make_addr(struct dice *d, union argument *a)
{
	a->addr.id = one_in(d, 4) ? odd_number(d) : below(d, 3);
	a->addr.addr = a->addr.id == 1 ? GICC_BASE : GICD_BASE;
	if (one_in(d, 4))
		a->addr.addr = guest_address(d);
	return (uintptr_t)a;
}

static uintptr_t make_init(struct dice *d, union argument *a)
{
	a->init = m.vm.init;
	if (one_in(d, 8))
		a->init.features[below(d, 7)] ^= 1u << below(d, 32);
	if (one_in(d, 16))
		a->init.target = (uint32_t)odd_number(d);
	return (uintptr_t)a;
}

static uintptr_t make_cap(struct dice *d, union argument *a)
{
	static const uint32_t caps[] = {
		KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, KVM_CAP_ARM_NISV_TO_USER,
	};

	a->cap.cap = one_in(d, 4) ? (uint32_t)odd_number(d) : caps[below(d, 2)];
	a->cap.flags = one_in(d, 8);
	a->cap.args[0] = one_in(d, 8) ? odd_number(d) : below(d, 2);
	return (uintptr_t)a;
}

static uintptr_t make_reg(struct dice *d, union argument *a)
{
	static const uint64_t size[] = { KVM_REG_SIZE_U32, KVM_REG_SIZE_U64 };
	static const uint32_t group[] = { 0x10, 0x11, 0x12, 0x14, 15 };
	uint32_t g = group[below(d, 5)], index = below(d, 64);

	switch (g) {
	case 15:
		index = below(d, 0x8000);
		break;
	case 0x12:
		index = below(d, 32) | (one_in(d, 3) ? 0x1000 : 0);
		break;
	}
	a->reg.id = KVM_REG_ARM | size[below(d, 2)] | g << 16 | index;
	switch (below(d, 8)) {
	case 0:
		a->reg.id = odd_number(d);
		break;
	case 1:
		a->reg.id ^= 1ull << below(d, 64);
		break;
	case 2:
		a->reg.id = KVM_REG_ARM_TIMER_CVAL;
		break;
	}
	a->reg.addr = (uintptr_t)pointer(d);
	if (one_in(d, 32))
		a->reg.addr |= odd_number(d) << 32;
	return (uintptr_t)a;
}

static uintptr_t make_mp(struct dice *d, union argument *a)
{
	a->mp.mp_state = one_in(d, 2) ? KVM_MP_STATE_RUNNABLE : below(d, 10);
	return (uintptr_t)a;
}

static uintptr_t make_events(struct dice *d, union argument *a)
{
	memset(a, 0, sizeof(a->events));
	a->events.exception.serror_pending = one_in(d, 4);
	a->events.exception.ext_dabt_pending = one_in(d, 4);
	if (one_in(d, 8))
		a->bytes[below(d, sizeof(a->events))] = (char)roll(d);
	return (uintptr_t)a;
}

static uintptr_t make_vcpu_attr(struct dice *d, union argument *a)
{
	memset(a, 0, sizeof(a->attr));
	a->attr.group = one_in(d, 4) ? (uint32_t)odd_number(d) : KVM_ARM_VCPU_TIMER_CTRL;
	a->attr.attr = one_in(d, 4) ? odd_number(d) : below(d, 2);
	a->words[sizeof(a->attr) / 4] = 16 + below(d, 16);
	a->attr.addr = (uintptr_t)(&a->attr + 1);
	if (one_in(d, 2))
		a->attr.addr = (uintptr_t)pointer(d);
	return (uintptr_t)a;
}

/* Half of the time none: else the guest gets nowhere. */
static uintptr_t make_debug(struct dice *d, union argument *a)
{
	static const uint32_t bits[] = {
		KVM_GUESTDBG_SINGLESTEP, KVM_GUESTDBG_USE_SW_BP, KVM_GUESTDBG_USE_HW,
		KVM_GUESTDBG_INJECT_BP,
	};

	memset(a, 0, sizeof(a->debug));
	if (one_in(d, 2))
		return (uintptr_t)a;
	a->debug.control = KVM_GUESTDBG_ENABLE | bits[below(d, 4)];
	if (one_in(d, 8))
		a->debug.control ^= one_in(d, 2) ? bits[below(d, 4)] : (uint32_t)odd_number(d);
	/* E, PMC, and the bytes of an instruction, of a word stored. */
	a->debug.arch.dbg_bcr[below(d, 6)] = 0x1e7;
	a->debug.arch.dbg_bvr[below(d, 6)] = RAM_BASE + 0x10000 + below(d, 32) * 4;
	a->debug.arch.dbg_wcr[below(d, 4)] = 0x1ff;
	a->debug.arch.dbg_wvr[below(d, 4)] = SLOT_BASE + below(d, 8) * PAGE;
	if (one_in(d, 4))
		a->words[below(d, sizeof(a->debug) / 4)] = (uint32_t)odd_number(d);
	return (uintptr_t)a;
}

static uintptr_t make_gic_attr(struct dice *d, union argument *a)
{
	memset(a, 0, sizeof(a->attr));
	a->attr.group = one_in(d, 8) ? (uint32_t)odd_number(d) : below(d, 5);
	a->attr.attr = (uint64_t)below(d, 3) << 32 | below(d, 0x400) * 4;
	if (a->attr.group == KVM_DEV_ARM_VGIC_GRP_CPU_REGS)
		a->attr.attr &= 0xff000000ffull;
	if (a->attr.group == KVM_DEV_ARM_VGIC_GRP_CTRL || a->attr.group == 0 || one_in(d, 16))
		a->attr.attr = below(d, 2);
	if (one_in(d, 16))
		a->attr.attr = odd_number(d);
	a->attr.addr = (uintptr_t)pointer(d);
	return (uintptr_t)a;
}

/* A mask that keeps the kick out would end the round early: rarely. */
static uintptr_t make_mask(struct dice *d, union argument *a)
{
	uint64_t set = roll(d);

	if (!one_in(d, 256))
		set &= ~(1ull << (SIGUSR1 - 1));
	a->mask.len = one_in(d, 8) ? (uint32_t)odd_number(d) : 8;
	memcpy(a->bytes + offsetof(struct kvm_signal_mask, sigset), &set, sizeof(set));
	return one_in(d, 4) ? 0 : (uintptr_t)a;
}

static uintptr_t make_list(struct dice *d, union argument *a)
{
	a->list.n = one_in(d, 8) ? odd_number(d) : (sizeof(a->room) - 8) / 8;
	return (uintptr_t)a;
}

static uintptr_t make_room(struct dice *d, union argument *a)
{
	(void)d;
	return (uintptr_t)a;
}

/* --- the ioctls --- */

enum on { ON_SYS, ON_VM, ON_VCPU, ON_GIC, ON_KINDS };

static const struct op {
	enum on on;
	unsigned long request;
	const char *name;
	make_t make;
	int never;		/* errno that even the best argument gets, 0: it can succeed */
} ops[] = {
#define OP(on, name, make) { on, KVM_##name, #name, make, 0 }
	OP(ON_SYS, GET_API_VERSION, make_none),
	OP(ON_SYS, CREATE_VM, make_none),
	OP(ON_SYS, CHECK_EXTENSION, make_number),
	OP(ON_SYS, GET_VCPU_MMAP_SIZE, make_none),
	OP(ON_VM, CHECK_EXTENSION, make_number),
	OP(ON_VM, CREATE_VCPU, make_number),
	OP(ON_VM, SET_USER_MEMORY_REGION, make_region),
	OP(ON_VM, GET_DIRTY_LOG, make_log),
	OP(ON_VM, CLEAR_DIRTY_LOG, make_clear),
	OP(ON_VM, IRQ_LINE, make_line),
	OP(ON_VM, IRQ_LINE_STATUS, make_line),
	OP(ON_VM, IRQFD, make_irqfd),
	OP(ON_VM, IOEVENTFD, make_ioeventfd),
	{ ON_VM, KVM_SIGNAL_MSI, "SIGNAL_MSI", make_msi, ENODEV },
	OP(ON_VM, SET_GSI_ROUTING, make_routing),
	OP(ON_VM, CREATE_DEVICE, make_device),
	OP(ON_VM, REGISTER_COALESCED_MMIO, make_zone),
	OP(ON_VM, UNREGISTER_COALESCED_MMIO, make_zone),
	OP(ON_VM, CREATE_IRQCHIP, make_none),
	OP(ON_VM, ARM_SET_DEVICE_ADDR, make_addr),
	OP(ON_VM, ARM_PREFERRED_TARGET, make_room),
	OP(ON_VM, ENABLE_CAP, make_cap),
	OP(ON_VM, GET_STATS_FD, make_none),
	OP(ON_VCPU, RUN, make_none),
	OP(ON_VCPU, ARM_VCPU_INIT, make_init),
	OP(ON_VCPU, GET_ONE_REG, make_reg),
	OP(ON_VCPU, SET_ONE_REG, make_reg),
	OP(ON_VCPU, GET_REG_LIST, make_list),
	OP(ON_VCPU, GET_MP_STATE, make_room),
	OP(ON_VCPU, SET_MP_STATE, make_mp),
	OP(ON_VCPU, GET_VCPU_EVENTS, make_room),
	OP(ON_VCPU, SET_VCPU_EVENTS, make_events),
	OP(ON_VCPU, SET_DEVICE_ATTR, make_vcpu_attr),
	OP(ON_VCPU, GET_DEVICE_ATTR, make_vcpu_attr),
	OP(ON_VCPU, HAS_DEVICE_ATTR, make_vcpu_attr),
	OP(ON_VCPU, SET_SIGNAL_MASK, make_mask),
	OP(ON_VCPU, SET_GUEST_DEBUG, make_debug),
	OP(ON_VCPU, GET_STATS_FD, make_none),
	OP(ON_GIC, SET_DEVICE_ATTR, make_gic_attr),
	OP(ON_GIC, GET_DEVICE_ATTR, make_gic_attr),
	OP(ON_GIC, HAS_DEVICE_ATTR, make_gic_attr),
};
#define NR_OPS	(sizeof(ops) / sizeof(ops[0]))

/* Shared by all rounds. */
static struct tally {
	unsigned int tried, done;
} *tally;

static void tally_add(unsigned int *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

/* One call. What it opens is closed at once: some_fd() must not find it. */
static int fire(struct dice *d, const struct op *op, int fd)
{
	union argument a;
	uintptr_t arg;
	int r;

	if (one_in(d, 8)) {
		for (unsigned int i = 0; i < sizeof(a.bytes) / 8; i++) {
			uint64_t v = odd_number(d);

			memcpy(a.bytes + i * 8, &v, 8);
		}
	} else {
		memset(&a, 0, sizeof(a.bytes));
	}
	arg = op->make(d, &a);
	if (arg == (uintptr_t)&a && one_in(d, 16))
		arg = (uintptr_t)pointer(d);
	tally_add(&tally[op - ops].tried);
	r = ioctl(fd, op->request, arg);
	if (r < 0)
		return r;
	tally_add(&tally[op - ops].done);
	if (op->request == KVM_GET_STATS_FD)
		(void)!pread(r, pointer(d), below(d, 4096), one_in(d, 2) ? below(d, 4096) : 0);
	if (op->request == KVM_CREATE_VCPU || op->request == KVM_GET_STATS_FD)
		close(r);
	else if (op->request == KVM_CREATE_DEVICE && arg == (uintptr_t)&a && !(a.device.flags & 1))
		close((int)a.device.fd);
	return r;
}

static const struct op *pick(struct dice *d, enum on on)
{
	const struct op *op;

	do {
		op = &ops[below(d, NR_OPS)];
	} while (op->on != on);
	return op;
}

static const struct op *op_of(enum on on, unsigned long request)
{
	const struct op *op = ops;

	while (op->on != on || op->request != request)
		op++;
	return op;
}

/* A second VM, from nothing to its end, for what can be done once in a VM's life. */
static void short_life(struct dice *d, int vm)
{
	unsigned int n = below(d, 24);
	int cpu = -1;

	if (!one_in(d, 4)) {
		const struct op *op = op_of(ON_VM, KVM_CREATE_VCPU);

		tally_add(&tally[op - ops].tried);
		cpu = ioctl(vm, KVM_CREATE_VCPU, below(d, 8));
		if (cpu >= 0)
			tally_add(&tally[op - ops].done);
	}
	/* Half of them come to a GIC with addresses, most of the others to none. */
	if (one_in(d, 2)) {
		fire(d, op_of(ON_VM, KVM_CREATE_IRQCHIP), vm);
		for (int i = 0; i < 4; i++)
			fire(d, op_of(ON_VM, KVM_ARM_SET_DEVICE_ADDR), vm);
		/* The timers' interrupts may change until a vCPU ran. */
		for (int i = 0; cpu >= 0 && i < 8; i++)
			fire(d, op_of(ON_VCPU, KVM_SET_DEVICE_ATTR), cpu);
	}
	while (n--) {
		fire(d, pick(d, ON_VM), vm);
		if (cpu >= 0 && one_in(d, 2)) {
			const struct op *op = pick(d, ON_VCPU);

			/* It would wait in its guest for a kick that nobody gives. */
			if (op->request != KVM_RUN)
				fire(d, op, cpu);
		}
	}
	if (cpu >= 0 && one_in(d, 2)) {
		close(cpu);
		cpu = -1;
	}
	close(vm);
	if (cpu >= 0)
		close(cpu);
}

/* --- threads --- */

static void block_kicks(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Which fd a thread works on: two threads for each. */
static enum on attack_on(unsigned int n)
{
	return n / 2 == 4 ? ON_VCPU : n / 2;
}

static void *attack(void *arg)
{
	unsigned int n = (unsigned int)(uintptr_t)arg, cpu = n / 2 == 4;
	struct dice d = { m.seed ^ (uint64_t)(n + 1) << 48 };
	enum on on = attack_on(n);
	int fds[ON_KINDS] = { m.vm.sys, m.vm.fd, m.vm.vcpu[cpu].fd, m.vm.gic };

	if (on != ON_VCPU)
		block_kicks();
	for (;;) {
		const struct op *op = pick(&d, on);
		int r;

		if (op->request == KVM_RUN && !one_in(&d, 16))
			continue;
		r = fire(&d, op, fds[on]);
		if (r >= 0 && op->request == KVM_CREATE_VM)
			short_life(&d, r);
		/* A vCPU that is lost in nowhere begins anew now and then. */
		if (on == ON_VCPU && one_in(&d, 64)) {
			struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };
			struct kvm_guest_debug still = {};

			vm_vcpu_init(&m.vm, cpu);
			ioctl(fds[on], KVM_SET_MP_STATE, &run);
			ioctl(fds[on], KVM_SET_SIGNAL_MASK, NULL);
			ioctl(fds[on], KVM_SET_GUEST_DEBUG, &still);
			reg32_set(fds[on], REG_PC, RAM_BASE + 0x10000 * (cpu + 1));
		}
	}
	return NULL;
}

static void *run(void *arg)
{
	unsigned int i = (unsigned int)(uintptr_t)arg, op;

	for (op = 0; ops[op].request != KVM_RUN; op++)
		;
	for (;;) {
		int r = ioctl(m.vm.vcpu[i].fd, KVM_RUN, 0);

		tally_add(&tally[op].tried);
		if (r >= 0)
			tally_add(&tally[op].done);
		else if (errno != EINTR)
			usleep(500);
	}
	return NULL;
}

/* Kicks the vCPUs, scribbles over what the kernel shares, changes what slots are made of. */
static void *disturb(void *arg)
{
	pthread_t on_vcpu[VCPUS + 10] = { m.thread[0], m.thread[1] };
	unsigned int nr = VCPUS;
	struct dice d = { m.seed };
	uint64_t one = 1;

	(void)arg;
	block_kicks();
	for (unsigned int n = 0; n < 10; n++)
		if (attack_on(n) == ON_VCPU)
			on_vcpu[nr++] = m.thread[VCPUS + n];
	for (;;) {
		unsigned int i = below(&d, VCPUS);
		char *run = (char *)m.vm.vcpu[i].run;

		m.vm.vcpu[i].run->immediate_exit = one_in(&d, 4);
		pthread_kill(on_vcpu[below(&d, nr)], SIGUSR1);
		if (one_in(&d, 4))
			run[below(&d, 2 * PAGE)] = (char)roll(&d);
		if (one_in(&d, 4))
			((uint32_t *)(run + PAGE))[below(&d, 2)] = below(&d, 180);
		if (one_in(&d, 4))
			madvise(m.pool + below(&d, POOL_USED / PAGE - 16) * PAGE, 16 * PAGE,
				MADV_DONTNEED);
		if (one_in(&d, 4))
			(void)!write(m.event[below(&d, EVENTFDS)], &one, 8);
		usleep(300);
	}
	return NULL;
}

static void on_kick(int sig)
{
	(void)sig;
}

static void reserve(void)
{
	m.pool = mmap(NULL, POOL_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		      -1, 0);
	MUST(m.pool != MAP_FAILED, "no address space");
	MUST_OK(mprotect(m.pool, POOL_USED, PROT_READ | PROT_WRITE));
	m.edge = map_pages(2 * PAGE) + PAGE;
	munmap(m.edge, PAGE);
	m.readonly = map_pages(PAGE);
	MUST_OK(mprotect(m.readonly, PAGE, PROT_READ));
	for (unsigned int i = 0; i < EVENTFDS; i++)
		m.event[i] = (int)MUST_OK(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

/* Ends only by being killed. */
static void round_child(uint64_t seed)
{
	struct kvm_mp_state on = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct sigaction sa = { .sa_handler = on_kick };
	struct dice d = { seed };
	unsigned int without;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	m.seed = seed;
	sigaction(SIGUSR1, &sa, NULL);
	reserve();
	/* Mostly with a GIC that is ready, sometimes with one that is not, or with none. */
	without = one_in(&d, 4) ? VM_NO_GIC_INIT : 0;
	if (one_in(&d, 8))
		without = VM_NO_GIC;
	vm_make(&m.vm, VCPUS, without);
	for (unsigned int i = 0; i < VCPUS; i++) {
		ioctl(m.vm.vcpu[i].fd, KVM_SET_MP_STATE, &on);
		VM_CODE(&m.vm, i, busy);
		MUST(!pthread_create(&m.thread[i], NULL, run, (void *)(uintptr_t)i), "no thread");
	}
	for (uintptr_t n = 0; n < 10; n++)
		MUST(!pthread_create(&m.thread[VCPUS + n], NULL, attack, (void *)n), "no thread");
	disturb(NULL);
}

/* False where the process did not end as it should. */
static bool round_of(uint64_t seed)
{
	uint64_t end = now_ns() + ROUND_MS * 1000000ull * ktap_slowdown();
	uint64_t dead;
	int status = 0;
	pid_t pid;

	printf("# seed 0x%llx\n", (unsigned long long)seed);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		round_child(seed);
		_exit(1);
	}
	while (now_ns() < end) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			ktap_note("the process of seed 0x%llx ended by itself: status %x",
				  (unsigned long long)seed, status);
			return false;
		}
		usleep(20000);
	}
	kill(pid, SIGKILL);
	dead = now_ns() + 60000000000ull;
	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (now_ns() > dead) {
			ktap_note("the process of seed 0x%llx does not die",
				  (unsigned long long)seed);
			return false;
		}
		usleep(5000);
	}
	return true;
}

/* --- cases --- */

static unsigned int seconds = 4;
static uint64_t given[64];
static unsigned int nr_given;

static void kept_seeds(void)
{
	for (unsigned int i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		CHECK(round_of(kept[i]), "seed 0x%llx", (unsigned long long)kept[i]);
}

static void report(void)
{
	for (unsigned int i = 0; i < NR_OPS; i++) {
		static const char *const on[] = { "system", "VM", "vCPU", "vGIC" };

		ktap_note("%9u of %9u  %s %s", tally[i].done, tally[i].tried, on[ops[i].on],
			  ops[i].name);
		CHECK(ops[i].never || tally[i].done >= OFTEN, "%s succeeded %u times only",
		      ops[i].name, tally[i].done);
		CHECK(!ops[i].never || !tally[i].done, "%s succeeded", ops[i].name);
	}
}

static void random_seeds(void)
{
	uint64_t end = now_ns() + seconds * 1000000000ull;
	struct dice d = { now_ns() };
	unsigned int i, n = 0;
	uint64_t calls = 0;

	while (now_ns() < end) {
		uint64_t seed = nr_given ? given[n % nr_given] : roll(&d);

		CHECK(round_of(seed), "seed 0x%llx", (unsigned long long)seed);
		n++;
	}
	for (i = 0; i < NR_OPS; i++)
		calls += tally[i].tried;
	ktap_note("%u rounds, %llu calls", n, (unsigned long long)calls);
	CHECK(calls > 1000);
	if (seconds >= LONG_RUN && !nr_given)
		report();
}

int main(int argc, char **argv)
{
	const char *s = getenv("FUZZ_SECONDS");
	struct ktap_case cases[] = {
		{ "kept_seeds", kept_seeds, 120 },
		{ "random_seeds", random_seeds, 0 },
	};

	if (s && atoi(s) > 0)
		seconds = (unsigned int)atoi(s);
	cases[1].seconds = seconds + 120;
	tally = mmap(NULL, NR_OPS * sizeof(*tally), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		return 1;
	for (int i = 1; i < argc && nr_given < 64; i++)
		given[nr_given++] = strtoull(argv[i], NULL, 0);
	if (nr_given)
		return ktap_main(1, argv, cases + 1, 1);
	return ktap_main(1, argv, cases, 2);
}

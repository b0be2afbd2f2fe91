// SPDX-License-Identifier: GPL-2.0-only
/* The fuzzer's ioctls and their arguments. */
#include "fuzz.h"

#define SLOT_BASE	0x80000000u	/* where the guest works */
#define SLOTS		4u		/* those that are mostly meant: 1 up to it */
#define SLOT_PAGES	16u		/* of most of them; they lie at multiples of it */

struct machine m;

uint64_t odd_number(struct dice *d)
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

void *pointer(struct dice *d)
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

/* Place and number of a slot, mostly such that several calls use the same one. */
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

/* --- arguments --- */

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

static uintptr_t make_vcpu_id(struct dice *d, union argument *a)
{
	(void)a;
	return one_in(d, 4) ? (uintptr_t)odd_number(d) : below(d, MAX_VCPUS + 2);
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
	/* Memory of its own, so that the slot can move and change its flags; or any memory. */
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

/* Room for the bitmap of an ordinary slot, and more; or anything. */
static void *bitmap(struct dice *d, union argument *a)
{
	return one_in(d, 4) ? pointer(d) : a->room + sizeof(a->room) / 2;
}

static uintptr_t make_log(struct dice *d, union argument *a)
{
	a->log.slot = some_slot(d);
	a->log.dirty_bitmap = bitmap(d, a);
	return (uintptr_t)a;
}

static uintptr_t make_clear(struct dice *d, union argument *a)
{
	a->clear.slot = some_slot(d);
	a->clear.first_page = one_in(d, 8) ? odd_number(d) : 0;
	a->clear.num_pages = one_in(d, 4) ? 0 : SLOT_PAGES;
	if (one_in(d, 4))
		a->clear.num_pages = one_in(d, 2) ? below(d, 65) : (uint32_t)odd_number(d);
	a->clear.dirty_bitmap = bitmap(d, a);
	return (uintptr_t)a;
}

static uintptr_t make_line(struct dice *d, union argument *a)
{
	switch (below(d, 8)) {
	case 0:
		a->line.irq = (uint32_t)odd_number(d);
		break;
	case 1:
		a->line.irq = below(d, 4) << KVM_ARM_IRQ_TYPE_SHIFT | below(d, 4) << 16 |
			      below(d, 300);
		break;
	case 2:
		a->line.irq = CPU_IRQ(below(d, VCPUS), below(d, 2));
		break;
	case 3:
		a->line.irq = PPI(below(d, VCPUS), 16 + below(d, 16));
		break;
	default:
		a->line.irq = SPI(32 + below(d, 90));
	}
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
	a->msi.address_lo = GICV2M_BASE + 0x40;
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

static uintptr_t make_range(struct dice *d, union argument *a)
{
	a->range.addr = slot_address(d) + (one_in(d, 4) ? below(d, 17) * PAGE : 0);
	a->range.size = (one_in(d, 4) ? below(d, 65) : 1 + below(d, SLOT_PAGES)) * PAGE;
	if (one_in(d, 16))
		a->range.addr = odd_number(d);
	if (one_in(d, 16))
		a->range.size = odd_number(d);
	return (uintptr_t)a;
}

static uintptr_t make_mirror(struct dice *d, union argument *a)
{
	a->mirror.size = one_in(d, 8) ? (uint32_t)odd_number(d) : 1u << below(d, 3);
	a->mirror.addr = one_in(d, 2) ? 0x0b000000 + below(d, 16) * 4 : guest_address(d);
	a->mirror.flags = one_in(d, 8) ? (uint32_t)odd_number(d) : below(d, 2);
	a->mirror.value = one_in(d, 4) ? (uint32_t)odd_number(d) : below(d, 256);
	a->mirror.pad = one_in(d, 16);
	return (uintptr_t)a;
}

static uintptr_t make_addr(struct dice *d, union argument *a)
{
	a->addr.id = one_in(d, 4) ? odd_number(d) : below(d, 2);
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
	static __thread uint64_t count;
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
	if (m.nr_regs && !one_in(d, 4))
		a->reg.id = m.regs[below(d, m.nr_regs)];
	switch (below(d, 12)) {
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
	if (a->reg.id == KVM_REG_ARM_TIMER_CVAL || a->reg.id == KVM_REG_ARM_TIMER_CNT) {
		/* Others hang the emulator, which adds the offset to them: hypfuzz.c. */
		count = odd_number(d) >> 2;
		a->reg.addr = (uintptr_t)&count;
	}
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

/* None half of the time: else the guest gets nowhere. */
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
	/* E, PMC, and the bytes of an instruction, or of a stored word. */
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
	/* Up to ARMVMM_GICD_HOLDER's. */
	a->attr.attr = (uint64_t)below(d, 3) << 32 | below(d, 0x420) * 4;
	if (a->attr.group == KVM_DEV_ARM_VGIC_GRP_CPU_REGS)
		a->attr.attr &= 0xff000000ffull;
	if (a->attr.group == KVM_DEV_ARM_VGIC_GRP_CTRL || a->attr.group == 0 || one_in(d, 16))
		a->attr.attr = below(d, 2);
	if (one_in(d, 16))
		a->attr.attr = odd_number(d);
	a->attr.addr = (uintptr_t)pointer(d);
	return (uintptr_t)a;
}

/* A mask that blocks the kick would end the round early: so rarely. */
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

const struct op ops[] = {
#define OP(on, name, make, weight) { on, KVM_##name, #name, make, weight, 0 }
	OP(ON_SYS, GET_API_VERSION, make_none, 1),
	OP(ON_SYS, CREATE_VM, make_none, 1),
	OP(ON_SYS, CHECK_EXTENSION, make_number, 1),
	OP(ON_SYS, GET_VCPU_MMAP_SIZE, make_none, 1),
	OP(ON_VM, CHECK_EXTENSION, make_number, 1),
	OP(ON_VM, CREATE_VCPU, make_vcpu_id, 3),
	OP(ON_VM, SET_USER_MEMORY_REGION, make_region, 4),
	OP(ON_VM, GET_DIRTY_LOG, make_log, 4),
	OP(ON_VM, CLEAR_DIRTY_LOG, make_clear, 6),
	OP(ON_VM, IRQ_LINE, make_line, 2),
	OP(ON_VM, IRQ_LINE_STATUS, make_line, 2),
	OP(ON_VM, IRQFD, make_irqfd, 2),
	OP(ON_VM, IOEVENTFD, make_ioeventfd, 4),
	{ ON_VM, KVM_SIGNAL_MSI, "SIGNAL_MSI", make_msi, 1, ENODEV },
	OP(ON_VM, SET_GSI_ROUTING, make_routing, 2),
	OP(ON_VM, CREATE_DEVICE, make_device, 3),
	OP(ON_VM, REGISTER_COALESCED_MMIO, make_zone, 1),
	OP(ON_VM, UNREGISTER_COALESCED_MMIO, make_zone, 1),
	{ ON_VM, ARMVMM_SET_MIRROR, "SET_MIRROR", make_mirror, 1, 0 },
	{ ON_VM, ARMVMM_UNPIN, "UNPIN", make_range, 2, EINVAL },
	OP(ON_VM, CREATE_IRQCHIP, make_none, 1),
	OP(ON_VM, ARM_SET_DEVICE_ADDR, make_addr, 1),
	OP(ON_VM, ARM_PREFERRED_TARGET, make_room, 1),
	OP(ON_VM, ENABLE_CAP, make_cap, 2),
	OP(ON_VM, GET_STATS_FD, make_none, 1),
	OP(ON_VCPU, RUN, make_none, 1),
	OP(ON_VCPU, ARM_VCPU_INIT, make_init, 2),
	OP(ON_VCPU, GET_ONE_REG, make_reg, 3),
	OP(ON_VCPU, SET_ONE_REG, make_reg, 3),
	OP(ON_VCPU, GET_REG_LIST, make_list, 1),
	OP(ON_VCPU, GET_MP_STATE, make_room, 1),
	OP(ON_VCPU, SET_MP_STATE, make_mp, 2),
	OP(ON_VCPU, GET_VCPU_EVENTS, make_room, 1),
	OP(ON_VCPU, SET_VCPU_EVENTS, make_events, 1),
	OP(ON_VCPU, SET_DEVICE_ATTR, make_vcpu_attr, 1),
	OP(ON_VCPU, GET_DEVICE_ATTR, make_vcpu_attr, 2),
	OP(ON_VCPU, HAS_DEVICE_ATTR, make_vcpu_attr, 2),
	OP(ON_VCPU, SET_SIGNAL_MASK, make_mask, 1),
	OP(ON_VCPU, SET_GUEST_DEBUG, make_debug, 1),
	/* Its number before the struct had registers. */
	{ ON_VCPU, _IOW(KVMIO, 0x9b, uint64_t), "SET_GUEST_DEBUG, bare", make_debug, 1, 0 },
	OP(ON_VCPU, GET_STATS_FD, make_none, 1),
	OP(ON_GIC, SET_DEVICE_ATTR, make_gic_attr, 6),
	OP(ON_GIC, GET_DEVICE_ATTR, make_gic_attr, 2),
	OP(ON_GIC, HAS_DEVICE_ATTR, make_gic_attr, 1),
};
const unsigned int nr_ops = sizeof(ops) / sizeof(ops[0]);

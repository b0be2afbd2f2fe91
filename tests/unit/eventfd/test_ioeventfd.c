// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/eventfd/ioeventfd.c
// cflags: -Itests/unit/fake -Iinclude/uapi -I. -Idriver
//
// ioeventfds: which writes signal which, also while they come and go, and which may be together.
#include "other_cpu.h"

#include <linux/err.h>
#include <linux/eventfd.h>

#include "eventfd/eventfd.h"
#include "eventfd/eventfd_private.h"
#include "mmio/coalesced.h"

#define MAX_IOEVENTFDS	4096
#define NR_FDS		32

#define DATAMATCH	KVM_IOEVENTFD_FLAG_DATAMATCH
#define PIO		KVM_IOEVENTFD_FLAG_PIO
#define CCW		KVM_IOEVENTFD_FLAG_VIRTIO_CCW_NOTIFY

/* --- eventfds --- */

static struct eventfd_ctx {
	int refs;
	unsigned int signals;
} fds[NR_FDS];

struct eventfd_ctx *eventfd_ctx_fdget(int fd)
{
	if (fd < 0 || fd >= NR_FDS)
		return ERR_PTR(-EBADF);
	fds[fd].refs++;
	return &fds[fd];
}

void eventfd_ctx_put(struct eventfd_ctx *ctx)
{
	assert(ctx->refs > 0);
	ctx->refs--;
}

void eventfd_signal(struct eventfd_ctx *ctx)
{
	/* Not after it was let go. */
	assert(ctx->refs > 0);
	ctx->signals++;
}

static int refs(void)
{
	int n = 0;

	for (int fd = 0; fd < NR_FDS; fd++)
		n += fds[fd].refs;
	return n;
}

/* --- HYP mode --- */

static unsigned int looks;

/* What is on the bus before zones has changed, and is there. */
void armvmm_coalesced_look(struct armvmm_vm *v)
{
	lockdep_assert_held(&v->slots_lock);
	looks++;
}

/* --- a VM --- */

static struct armvmm_vm vm;
static struct armvmm_vcpu vcpu = { .vm = &vm };
static struct armvmm_eventfds eventfds;

static void start(void)
{
	memset(&vm, 0, sizeof(vm));
	memset(&eventfds, 0, sizeof(eventfds));
	memset(fds, 0, sizeof(fds));
	vm.eventfds = &eventfds;
	bus[ARMVMM_IOBUS_IOEVENTFDS] = NULL;
	armvmm_ioeventfd_vm_init(&eventfds);
}

static void end(void)
{
	KTAP_EQ(refs(), eventfds.nr_ioeventfds);
	armvmm_ioeventfd_vm_destroy(&vm);
	KTAP_EQ(refs(), 0);
}

static int assign(int fd, u64 addr, u32 len, u32 flags, u64 datamatch)
{
	struct kvm_ioeventfd args = {
		.fd = fd, .addr = addr, .len = len, .flags = flags, .datamatch = datamatch,
	};

	return armvmm_ioeventfd(&vm, &args);
}

static int deassign(int fd, u64 addr, u32 len, u32 flags, u64 datamatch)
{
	return assign(fd, addr, len, flags | KVM_IOEVENTFD_FLAG_DEASSIGN, datamatch);
}

/* The one that the write signals, or -1. */
static int hit(u64 addr, unsigned int len, u64 val)
{
	struct armvmm_iodev *dev = bus[ARMVMM_IOBUS_IOEVENTFDS];
	int ret, which = -1;

	if (!dev)
		return -1;
	ret = dev->ops->write(&vcpu, dev, addr, len, &val);
	for (int fd = 0; fd < NR_FDS; fd++) {
		if (!fds[fd].signals)
			continue;
		KTAP_EQ(which, -1);
		KTAP_EQ(fds[fd].signals, 1);
		which = fd;
		fds[fd].signals = 0;
	}
	KTAP_EQ(ret, which < 0 ? -EOPNOTSUPP : 0);
	return which;
}

/* --- which writes --- */

static void test_length(void)
{
	static const u32 lens[] = { 1, 2, 4, 8 };

	start();
	for (int i = 0; i < 4; i++)
		KTAP_EQ(assign(i, 0x1000, lens[i], 0, 0), 0);
	KTAP_EQ(assign(4, 0x2000, 0, 0, 0), 0);
	for (int i = 0; i < 4; i++) {
		KTAP_EQ(hit(0x1000, lens[i], 5), i);
		KTAP_EQ(hit(0x2000, lens[i], 5), 4);
		KTAP_EQ(hit(0x1001, lens[i], 5), -1);
		KTAP_EQ(hit(0xfff, lens[i], 5), -1);
	}
	KTAP_EQ(hit(0x2000, 16, 5), -1);
	KTAP_EQ(deassign(2, 0x1000, 4, 0, 0), 0);
	KTAP_EQ(hit(0x1000, 4, 5), -1);
	KTAP_EQ(hit(0x1000, 2, 5), 1);
	end();
}

/* All bytes of the write count, and no other. */
static void test_datamatch(void)
{
	const u64 val = 0x1122334455667788;
	int fd = 0;

	start();
	for (unsigned int len = 1; len <= 8; len *= 2, fd++) {
		u64 data = val & (~0ULL >> (64 - 8 * len));

		KTAP_EQ(assign(fd, 0x1000, len, DATAMATCH, data), 0);
		KTAP_EQ(hit(0x1000, len, val), fd);
		for (unsigned int bit = 0; bit < 64; bit++)
			KTAP_EQ(hit(0x1000, len, val ^ BIT_ULL(bit)), bit < 8 * len ? -1 : fd);
	}
	/* No byte has this value. */
	KTAP_EQ(assign(9, 0x2000, 1, DATAMATCH, 0x101), 0);
	KTAP_EQ(hit(0x2000, 1, 0x101), -1);
	/* Nor is the greatest value any. */
	KTAP_EQ(assign(10, 0x3000, 8, DATAMATCH, ~0ULL), 0);
	KTAP_EQ(hit(0x3000, 8, ~0ULL), 10);
	KTAP_EQ(hit(0x3000, 8, 0), -1);
	end();
}

static void test_other_buses(void)
{
	start();
	KTAP_EQ(assign(0, 0x1000, 4, PIO, 0), 0);
	KTAP_EQ(assign(1, 0x1000, 4, CCW, 0), 0);
	KTAP_EQ(hit(0x1000, 4, 0), -1);
	KTAP_EQ(assign(2, 0x1000, 4, 0, 0), 0);
	KTAP_EQ(hit(0x1000, 4, 0), 2);
	KTAP_EQ(deassign(0, 0x1000, 4, 0, 0), -ENOENT);
	KTAP_EQ(deassign(0, 0x1000, 4, PIO, 0), 0);
	end();
}

/* --- which may be --- */

static void test_invalid(void)
{
	start();
	for (u32 len = 0; len < 20; len++) {
		bool fits = !len || len == 1 || len == 2 || len == 4 || len == 8;

		KTAP_EQ(assign(0, 0x1000 * len, len, 0, 0), fits ? 0 : -EINVAL);
	}
	KTAP_EQ(assign(0, ~0ULL, 4, 0, 0), -EINVAL);
	KTAP_EQ(assign(0, ~3ULL, 4, 0, 0), -EINVAL);
	KTAP_EQ(assign(0, ~4ULL, 4, 0, 0), 0);
	KTAP_EQ(assign(0, 0x100000, 4, KVM_IOEVENTFD_VALID_FLAG_MASK + 1, 0), -EINVAL);
	KTAP_EQ(assign(0, 0x100000, 0, DATAMATCH, 0), -EINVAL);
	KTAP_EQ(assign(-1, 0x100000, 4, 0, 0), -EBADF);
	KTAP_EQ(deassign(-1, 0x100000, 4, 0, 0), -EBADF);
	KTAP_EQ(hit(0x100000, 4, 0), -1);
	end();
}

static void test_limit(void)
{
	start();
	for (u32 i = 0; i < MAX_IOEVENTFDS; i++)
		KTAP_EQ(assign(0, 0x1000, 4, DATAMATCH, i * 0x9e3779b1u), 0);
	KTAP_EQ(assign(1, 0x2000, 4, 0, 0), -ENOSPC);
	KTAP_EQ(assign(1, 0x1000, 4, 0, 0), -EEXIST);
	KTAP_EQ(hit(0x2000, 4, 0), -1);
	KTAP_EQ(hit(0x1000, 4, 77 * 0x9e3779b1u), 0);
	KTAP_EQ(deassign(0, 0x1000, 4, DATAMATCH, 77 * 0x9e3779b1u), 0);
	KTAP_EQ(assign(1, 0x2000, 4, 0, 0), 0);
	KTAP_EQ(assign(1, 0x3000, 4, 0, 0), -ENOSPC);
	KTAP_EQ(hit(0x2000, 4, 0), 1);
	end();
}

/* The bus has the device for as long as there is an ioeventfd. */
static void test_bus(void)
{
	start();
	KTAP_TRUE(!bus[ARMVMM_IOBUS_IOEVENTFDS]);
	KTAP_EQ(assign(0, 0x1000, 4, 0, 0), 0);
	KTAP_EQ(assign(1, 0x2000, 4, 0, 0), 0);
	KTAP_EQ(deassign(0, 0x1000, 4, 0, 0), 0);
	KTAP_TRUE(bus[ARMVMM_IOBUS_IOEVENTFDS]);
	KTAP_EQ(deassign(1, 0x2000, 4, 0, 0), 0);
	KTAP_TRUE(!bus[ARMVMM_IOBUS_IOEVENTFDS]);
	KTAP_EQ(deassign(1, 0x2000, 4, 0, 0), -ENOENT);
	end();
}

/* --- any of them, against a list --- */

struct listed {
	bool there;
	u64 addr, datamatch;
	u32 len, flags;
};

static bool collide(const struct listed *a, const struct listed *b)
{
	if ((a->flags ^ b->flags) & PIO || a->addr != b->addr)
		return false;
	if (!a->len || !b->len)
		return true;
	return a->len == b->len && (!(a->flags & b->flags & DATAMATCH) ||
				    a->datamatch == b->datamatch);
}

static bool same(const struct listed *a, const struct listed *b)
{
	return a->addr == b->addr && a->len == b->len && a->flags == b->flags &&
	       (!(a->flags & DATAMATCH) || a->datamatch == b->datamatch);
}

static bool matches(const struct listed *l, u64 addr, u32 len, u64 val)
{
	return l->there && !(l->flags & PIO) && l->addr == addr &&
	       (!l->len || (l->len == len && (!(l->flags & DATAMATCH) || l->datamatch == val)));
}

static void test_any(void)
{
	static const u32 lens[] = { 1, 2, 4, 8, 0 };
	struct listed list[NR_FDS] = { 0 };
	unsigned int seed = 1, hits = 0, collisions = 0;

	start();
	for (int round = 0; round < 50000; round++) {
		struct listed new = {
			.there = true,
			.addr = 0x1000 + rand_r(&seed) % 3,
			.len = lens[rand_r(&seed) % 5],
			.datamatch = rand_r(&seed) % 4,
		};
		int fd = rand_r(&seed) % NR_FDS, expected = 0, hit_fd = -1;
		u32 len = lens[rand_r(&seed) % 4];
		u64 val = rand_r(&seed) % 4;

		if (new.len && rand_r(&seed) % 4)
			new.flags |= DATAMATCH;
		if (!(rand_r(&seed) % 8))
			new.flags |= PIO;
		if (list[fd].there) {
			/* Its own description, or another one. */
			if (rand_r(&seed) % 2)
				new = list[fd];
			expected = same(&new, &list[fd]) ? 0 : -ENOENT;
			KTAP_EQ(deassign(fd, new.addr, new.len, new.flags, new.datamatch),
				expected);
			list[fd].there = expected;
		} else {
			for (int i = 0; i < NR_FDS; i++) {
				if (list[i].there && collide(&list[i], &new))
					expected = -EEXIST;
			}
			KTAP_EQ(assign(fd, new.addr, new.len, new.flags, new.datamatch), expected);
			if (expected)
				collisions++;
			else
				list[fd] = new;
		}
		for (int i = 0; i < NR_FDS; i++) {
			if (matches(&list[i], new.addr, len, val))
				hit_fd = i;
		}
		KTAP_EQ(hit(new.addr, len, val), hit_fd);
		hits += hit_fd >= 0;
	}
	/* No answer is rare. */
	KTAP_TRUE(hits > 2000 && hits < 48000);
	KTAP_TRUE(collisions > 2000);
	end();
}

static bool takes(u64 addr, u64 end)
{
	struct armvmm_iodev *dev = bus[ARMVMM_IOBUS_IOEVENTFDS];
	bool any;

	mutex_lock(&vm.slots_lock);
	any = dev && dev->ops->takes_write(&vm, addr, end);
	mutex_unlock(&vm.slots_lock);
	return any;
}

/* HYP mode posts no write that one of them may take, and is told of each that comes or goes. */
static void test_takes(void)
{
	start();
	looks = 0;
	KTAP_EQ(assign(0, 0x1008, 4, DATAMATCH, 5), 0);
	KTAP_EQ(looks, 1);
	KTAP_EQ(assign(1, 0x1008, 2, 0, 0), 0);
	KTAP_EQ(assign(2, 0x3000, 0, 0, 0), 0);
	KTAP_EQ(assign(0, 0x3000, 4, 0, 0), -EEXIST);
	KTAP_EQ(looks, 3);
	KTAP_TRUE(takes(0x1000, 0x1009) && takes(0x1008, 0x1009) && takes(0, ~0ULL));
	KTAP_TRUE(!takes(0x1000, 0x1008) && !takes(0x1009, 0x3000) && !takes(0x3001, ~0ULL));
	KTAP_EQ(deassign(0, 0x1008, 4, DATAMATCH, 5), 0);
	KTAP_TRUE(takes(0x1000, 0x2000));
	KTAP_EQ(deassign(1, 0x1008, 2, 0, 0), 0);
	KTAP_EQ(looks, 5);
	KTAP_TRUE(!takes(0x1000, 0x2000));
	end();
}

/* --- while they come and go --- */

static void race_assign(int i)
{
	KTAP_EQ(assign(i, 0x1000 * i, 4, 0, 0), 0);
}

static void race_deassign(int i)
{
	KTAP_EQ(deassign(i, 0x1000 * i, 4, 0, 0), 0);
}

static bool race_hits(int i)
{
	return hit(0x1000 * i, 4, 0) == i;
}

static struct race race = {
	.start = start, .add = race_assign, .remove = race_deassign, .found = race_hits, .end = end,
};

/* Another one goes while a write looks for its own, which moves in the tree. */
static void test_other_goes(void)
{
	race_all(&race, FAKE_SRCU_SYNC);
}

/* The write's own is nowhere just now: it waits. */
static void test_moving(void)
{
	race.waited = 0;
	race_all(&race, FAKE_RB_MOVE);
	KTAP_TRUE(race.waited);
}

KTAP_MAIN(
	KTAP_CASE(test_length),
	KTAP_CASE(test_datamatch),
	KTAP_CASE(test_other_buses),
	KTAP_CASE(test_invalid),
	KTAP_CASE(test_limit),
	KTAP_CASE(test_bus),
	KTAP_CASE(test_any),
	KTAP_CASE(test_takes),
	KTAP_CASE(test_other_goes),
	KTAP_CASE(test_moving),
)

// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/mmio/coalesced.c
// cflags: -Itests/unit/fake -Iinclude/uapi -I. -Idriver
//
// Coalesced MMIO: which writes the zones take, also while they come and go, and the ring.
#include "other_cpu.h"

#include "mmio/coalesced.h"

#define MAX_ZONES	1000
#define ROOM		(KVM_COALESCED_MMIO_MAX - 1)

static struct armvmm_vm vm;
static struct armvmm_vcpu vcpu = { .vm = &vm };

static struct kvm_coalesced_mmio_ring *ring(void)
{
	return (void *)armvmm_coalesced_page(&vm);
}

static void start(void)
{
	memset(&vm, 0, sizeof(vm));
	bus[ARMVMM_IOBUS_COALESCED] = NULL;
	KTAP_EQ(armvmm_coalesced_vm_init(&vm), 0);
}

static void end(void)
{
	armvmm_coalesced_vm_destroy(&vm);
	KTAP_TRUE(!vm.coalesced);
	/* Nor does it mind that there is none. */
	armvmm_coalesced_vm_destroy(&vm);
}

static int zone_register(u64 addr, u32 size, u32 pio)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = addr, .size = size, .pio = pio };

	return armvmm_coalesced_register(&vm, &zone);
}

static int zone_unregister(u64 addr, u32 size, u32 pio)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = addr, .size = size, .pio = pio };

	return armvmm_coalesced_unregister(&vm, &zone);
}

static int write_to(u64 addr, unsigned int len, u64 val)
{
	struct armvmm_iodev *dev = bus[ARMVMM_IOBUS_COALESCED];

	return dev ? dev->ops->write(&vcpu, dev, addr, len, &val) : -EOPNOTSUPP;
}

/* Whether the write is taken; the client reads it at once. */
static bool takes(u64 addr, unsigned int len)
{
	u32 was = ring()->last;
	bool taken = !write_to(addr, len, 0x1122334455667788);

	KTAP_EQ(ring()->last, taken ? (was + 1) % KVM_COALESCED_MMIO_MAX : was);
	if (taken)
		KTAP_EQ(ring()->coalesced_mmio[was].phys_addr, addr);
	ring()->first = ring()->last;
	return taken;
}

/* --- zones --- */

static void test_covers(void)
{
	start();
	KTAP_EQ(zone_register(0x1000, 0x10, 0), 0);
	for (unsigned int len = 1; len <= 8; len *= 2) {
		for (u64 addr = 0xff8; addr < 0x1018; addr++)
			KTAP_EQ(takes(addr, len), addr >= 0x1000 && addr + len <= 0x1010);
	}
	/* An entry has room for eight bytes. */
	KTAP_EQ(write_to(0x1000, 9, 0), -EOPNOTSUPP);
	end();
}

/* One that would go beyond the last address ends there. */
static void test_top(void)
{
	start();
	KTAP_EQ(zone_register(~0xfULL, 0x1000, 0), 0);
	KTAP_TRUE(takes(~0xfULL, 8));
	KTAP_TRUE(takes(~7ULL, 4));
	KTAP_TRUE(!takes(~0x10ULL, 4));
	KTAP_TRUE(!takes(0, 4));
	end();
}

/* A short zone within a long one does not hide it, whichever came first. */
static void test_furthest_end(void)
{
	static const u64 zones[][2] = {
		{ 0x1000, 0x1000 }, { 0x1400, 0x10 }, { 0x1800, 0x10 }, { 0x1c00, 0x800 },
	};
	unsigned int n = ARRAY_SIZE(zones);

	for (unsigned int first = 0; first < n; first++) {
		for (unsigned int step = 1; step < n; step += 2) {
			start();
			for (unsigned int i = 0; i < n; i++) {
				const u64 *zone = zones[(first + i * step) % n];

				KTAP_EQ(zone_register(zone[0], zone[1], 0), 0);
			}
			KTAP_TRUE(takes(0x180e, 4));
			KTAP_TRUE(takes(0x1ffc, 8));
			KTAP_TRUE(takes(0x23fc, 4));
			KTAP_TRUE(!takes(0x23fe, 4));
			KTAP_EQ(zone_unregister(0x1000, 0x1000, 0), 0);
			KTAP_TRUE(!takes(0x180e, 4));
			KTAP_TRUE(takes(0x180c, 4));
			KTAP_TRUE(!takes(0x1bfc, 8));
			KTAP_TRUE(takes(0x1ffc, 8));
			end();
		}
	}
}

/* Any zones, against a list of them. */
static void test_any(void)
{
	struct { u64 addr, size; } zones[16];
	unsigned int seed = 1, nr = 0, taken = 0;

	start();
	for (int round = 0; round < 20000; round++) {
		u64 addr = rand_r(&seed) % 64, size = rand_r(&seed) % 16;
		unsigned int kept = 0, len = 1u << rand_r(&seed) % 4;
		bool covered = false;

		if (nr < ARRAY_SIZE(zones) && rand_r(&seed) % 2) {
			KTAP_EQ(zone_register(addr, size, 0), 0);
			zones[nr].addr = addr;
			zones[nr++].size = size;
		} else if (rand_r(&seed) % 2) {
			KTAP_EQ(zone_unregister(addr, size, 0), 0);
			for (unsigned int i = 0; i < nr; i++) {
				if (addr < zones[i].addr ||
				    addr + size > zones[i].addr + zones[i].size)
					zones[kept++] = zones[i];
			}
			nr = kept;
		}
		addr = rand_r(&seed) % 80;
		for (unsigned int i = 0; i < nr; i++)
			covered |= addr >= zones[i].addr &&
				   addr + len <= zones[i].addr + zones[i].size;
		KTAP_EQ(takes(addr, len), covered);
		taken += covered;
	}
	/* Neither answer is rare. */
	KTAP_TRUE(taken > 2000 && taken < 18000);
	end();
}

static void test_unregister(void)
{
	start();
	KTAP_EQ(zone_unregister(0x1000, 0x10, 0), 0);
	KTAP_EQ(zone_register(0x1000, 0x10, 0), 0);
	KTAP_EQ(zone_register(0x1000, 0x10, 0), 0);
	KTAP_EQ(zone_register(0x1000, 0x10, 1), 0);
	KTAP_EQ(zone_register(0x2000, 0x10, 0), 0);
	/* None that lies only partly in a zone, or in one of ports. */
	KTAP_EQ(zone_unregister(0xffc, 8, 0), 0);
	KTAP_EQ(zone_unregister(0x100c, 8, 0), 0);
	KTAP_EQ(zone_unregister(0x1000, 0x10, 1), 0);
	KTAP_TRUE(takes(0x1000, 4));
	/* Both, by a part of them. */
	KTAP_EQ(zone_unregister(0x1008, 4, 0), 0);
	KTAP_TRUE(!takes(0x1000, 4));
	KTAP_TRUE(takes(0x2000, 4));
	/* The bus has the device for as long as there is a zone. */
	KTAP_TRUE(bus[ARMVMM_IOBUS_COALESCED]);
	KTAP_EQ(zone_unregister(0x2000, 0x10, 0), 0);
	KTAP_TRUE(!bus[ARMVMM_IOBUS_COALESCED]);
	end();
}

/* There are no ports on Arm. */
static void test_ports(void)
{
	start();
	KTAP_EQ(zone_register(0x1000, 0x10, 2), -EINVAL);
	KTAP_EQ(zone_unregister(0x1000, 0x10, 2), -EINVAL);
	KTAP_TRUE(!bus[ARMVMM_IOBUS_COALESCED]);
	KTAP_EQ(zone_register(0x1000, 0x10, 1), 0);
	KTAP_TRUE(!takes(0x1000, 4));
	end();
}

static void test_limit(void)
{
	start();
	for (unsigned int i = 0; i < MAX_ZONES; i++)
		KTAP_EQ(zone_register(i * 0x10, 0x10, i % 2), 0);
	KTAP_EQ(zone_register(0x100000, 0x10, 0), -ENOSPC);
	KTAP_EQ(zone_register(0x100000, 0x10, 1), -ENOSPC);
	KTAP_TRUE(!takes(0x100000, 4));
	KTAP_EQ(zone_unregister(0x10, 0x10, 1), 0);
	KTAP_EQ(zone_register(0x100000, 0x10, 0), 0);
	KTAP_TRUE(takes(0x100000, 4));
	KTAP_EQ(zone_register(0x100000, 0x10, 0), -ENOSPC);
	end();
}

/* --- the ring --- */

static void test_entry(void)
{
	struct kvm_coalesced_mmio *entry;
	static const u8 data[8] = { 0x88, 0x77 };

	start();
	KTAP_EQ(zone_register(0x1000, 0x10, 0), 0);
	entry = &ring()->coalesced_mmio[0];
	memset(entry, 0xff, sizeof(*entry));
	KTAP_EQ(write_to(0x1006, 2, 0x1122334455667788), 0);
	KTAP_EQ(entry->phys_addr, 0x1006);
	KTAP_EQ(entry->len, 2);
	KTAP_EQ(entry->pio, 0);
	KTAP_MEMEQ(entry->data, data, 8);
	end();
}

static void test_full(void)
{
	start();
	KTAP_EQ(zone_register(0, 0x1000, 0), 0);
	/* From each place, so that it wraps at each. */
	for (u32 first = 0; first < KVM_COALESCED_MMIO_MAX; first++) {
		ring()->first = ring()->last = first;
		for (u32 i = 0; i < ROOM; i++)
			KTAP_EQ(write_to(i, 1, i), 0);
		KTAP_EQ(write_to(0, 1, 0), -EOPNOTSUPP);
		for (u32 i = 0; i < ROOM; i++)
			KTAP_EQ(ring()->coalesced_mmio[(first + i) %
						       KVM_COALESCED_MMIO_MAX].phys_addr, i);
		/* The client takes one. */
		ring()->first = (first + 1) % KVM_COALESCED_MMIO_MAX;
		KTAP_EQ(write_to(0, 1, 0), 0);
		KTAP_EQ(write_to(0, 1, 0), -EOPNOTSUPP);
	}
	end();
}

/* The client writes to the indices as it likes. */
static void test_hostile_client(void)
{
	static const u32 wild[] = { KVM_COALESCED_MMIO_MAX, 0x7fffffff, 0x80000000, ~0u };

	start();
	KTAP_EQ(zone_register(0, 0x1000, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wild); i++) {
		ring()->first = 0;
		ring()->last = wild[i];
		KTAP_EQ(write_to(0, 4, 0), -EOPNOTSUPP);
		KTAP_EQ(ring()->last, wild[i]);
		ring()->first = wild[i];
		ring()->last = ROOM;
		KTAP_EQ(write_to(0, 4, 0), 0);
		KTAP_EQ(ring()->last, 0);
	}
	end();
}

/* --- while zones come and go --- */

static void race_zone(int i)
{
	KTAP_EQ(zone_register(0x1000 * i, 0x100, 0), 0);
}

static void race_gone(int i)
{
	KTAP_EQ(zone_unregister(0x1000 * i, 0x100, 0), 0);
}

static bool race_takes(int i)
{
	return takes(0x1000 * i + 0xfc, 4);
}

static struct race race = {
	.start = start, .add = race_zone, .remove = race_gone, .found = race_takes, .end = end,
};

/* Another zone goes while a write looks for its own, which moves in the tree. */
static void test_zone_goes(void)
{
	race_all(&race, FAKE_SRCU_SYNC);
}

/* That has only begun. */
static void test_zone_is_going(void)
{
	race.waited = 0;
	race_all(&race, FAKE_SEQ_CHANGE);
	KTAP_TRUE(race.waited);
}

/* The write's own zone is nowhere just now. */
static void test_zone_is_moving(void)
{
	race.waited = 0;
	race_all(&race, FAKE_RB_MOVE);
	KTAP_TRUE(race.waited);
}

KTAP_MAIN(
	KTAP_CASE(test_covers),
	KTAP_CASE(test_top),
	KTAP_CASE(test_furthest_end),
	KTAP_CASE(test_any),
	KTAP_CASE(test_unregister),
	KTAP_CASE(test_ports),
	KTAP_CASE(test_limit),
	KTAP_CASE(test_entry),
	KTAP_CASE(test_full),
	KTAP_CASE(test_hostile_client),
	KTAP_CASE(test_zone_goes),
	KTAP_CASE(test_zone_is_going),
	KTAP_CASE(test_zone_is_moving),
)

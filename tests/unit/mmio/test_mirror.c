// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/mmio/mirror.c
// cflags: -Itests/unit/fake -Iinclude/uapi -I. -Idriver
//
// Mirrors of registers: which reads they answer, with what, also while they come and go.
#include "other_cpu.h"

#include "mmio/mirror.h"

extern bool *const fake_param_mirrors;

static struct armvmm_vm vm;
static struct armvmm_vcpu vcpu = { .vm = &vm };

static void start(void)
{
	memset(&vm, 0, sizeof(vm));
	bus[ARMVMM_IOBUS_MIRRORS] = NULL;
	KTAP_EQ(armvmm_mirror_vm_init(&vm), 0);
}

static void end(void)
{
	armvmm_mirror_vm_destroy(&vm);
	KTAP_TRUE(!vm.mirrors);
	armvmm_mirror_vm_destroy(&vm);
}

static int set(u64 addr, u32 size, u32 flags, u32 value)
{
	struct armvmm_mirror mirror = {
		.addr = addr, .size = size, .flags = flags, .value = value,
	};

	return armvmm_mirror_set(&vm, &mirror);
}

static int del(u64 addr, u32 size)
{
	return set(addr, size, ARMVMM_MIRROR_DELETE, 0);
}

/* What the guest reads; ~0 if the client is asked. */
#define TO_CLIENT	(~0ULL)

static u64 get(u64 addr, unsigned int len)
{
	struct armvmm_iodev *dev = bus[ARMVMM_IOBUS_MIRRORS];
	u8 data[9];
	u64 value = 0;
	int ret;

	memset(data, 0x5a, sizeof(data));
	ret = dev ? dev->ops->read(&vcpu, dev, addr, len, data) : -EOPNOTSUPP;
	/* No byte more than it was asked for. */
	for (unsigned int i = ret ? 0 : len; i < sizeof(data); i++)
		KTAP_EQ(data[i], 0x5a);
	if (ret) {
		KTAP_EQ(ret, -EOPNOTSUPP);
		return TO_CLIENT;
	}
	memcpy(&value, data, len);
	return value;
}

static void test_parts(void)
{
	start();
	KTAP_EQ(get(0x1000, 4), TO_CLIENT);
	KTAP_EQ(set(0x1000, 4, 0, 0x44332211), 0);
	KTAP_EQ(get(0x1000, 4), 0x44332211);
	KTAP_EQ(get(0x1000, 2), 0x2211);
	KTAP_EQ(get(0x1001, 2), 0x3322);
	KTAP_EQ(get(0x1002, 2), 0x4433);
	for (unsigned int i = 0; i < 4; i++)
		KTAP_EQ(get(0x1000 + i, 1), 0x11 * (i + 1));
	/* What is not wholly in it is the client's. */
	KTAP_EQ(get(0xfff, 1), TO_CLIENT);
	KTAP_EQ(get(0xfff, 2), TO_CLIENT);
	KTAP_EQ(get(0x1003, 2), TO_CLIENT);
	KTAP_EQ(get(0x1001, 4), TO_CLIENT);
	KTAP_EQ(get(0x1004, 1), TO_CLIENT);
	KTAP_EQ(get(0x1000, 8), TO_CLIENT);
	/* Neither is what is in two. */
	KTAP_EQ(set(0x1004, 2, 0, 0x6655), 0);
	KTAP_EQ(get(0x1004, 2), 0x6655);
	KTAP_EQ(get(0x1002, 4), TO_CLIENT);
	KTAP_EQ(get(0x1000, 8), TO_CLIENT);
	/* It is for reads alone. */
	KTAP_TRUE(!bus[ARMVMM_IOBUS_MIRRORS]->ops->write);
	end();
}

static void test_change(void)
{
	start();
	KTAP_EQ(set(0x1000, 2, 0, 1), 0);
	KTAP_EQ(set(0x1000, 2, 0, 0xffff), 0);
	KTAP_EQ(get(0x1000, 2), 0xffff);
	KTAP_EQ(set(0x1000, 2, 0, 0), 0);
	KTAP_EQ(get(0x1000, 2), 0);
	KTAP_EQ(del(0x1000, 1), -ENOENT);
	KTAP_EQ(del(0x1000, 4), -ENOENT);
	KTAP_EQ(del(0x1002, 2), -ENOENT);
	KTAP_EQ(get(0x1000, 2), 0);
	/* A value does not matter to what goes. */
	KTAP_EQ(set(0x1000, 2, ARMVMM_MIRROR_DELETE, ~0u), 0);
	KTAP_EQ(get(0x1000, 2), TO_CLIENT);
	KTAP_EQ(del(0x1000, 2), -ENOENT);
	KTAP_EQ(set(0x1000, 4, 0, 7), 0);
	KTAP_EQ(get(0x1000, 4), 7);
	end();
}

static void test_arguments(void)
{
	static const u32 sizes[] = { 0, 3, 5, 8, 0x80000000, ~0u };
	struct armvmm_mirror padded = { .addr = 0x1000, .size = 4, .pad = 1 };

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		KTAP_EQ(set(0x1000, sizes[i], 0, 0), -EINVAL);
		KTAP_EQ(del(0x1000, sizes[i]), -EINVAL);
	}
	KTAP_EQ(set(0x1001, 2, 0, 0), -EINVAL);
	KTAP_EQ(set(0x1002, 4, 0, 0), -EINVAL);
	KTAP_EQ(set(0x1000, 4, 2, 0), -EINVAL);
	KTAP_EQ(set(0x1000, 4, 3, 0), -EINVAL);
	KTAP_EQ(set(0x1000, 4, 0x80000000, 0), -EINVAL);
	KTAP_EQ(set(0x1000, 1, 0, 0x100), -EINVAL);
	KTAP_EQ(set(0x1000, 2, 0, 0x10000), -EINVAL);
	KTAP_EQ(armvmm_mirror_set(&vm, &padded), -EINVAL);
	KTAP_EQ(get(0x1000, 4), TO_CLIENT);
	/* Nor did any of them put the device on the bus. */
	KTAP_TRUE(!bus[ARMVMM_IOBUS_MIRRORS]);
	/* The last addresses that there are. */
	KTAP_EQ(set(~3ULL, 4, 0, 5), 0);
	KTAP_EQ(get(~3ULL, 4), 5);
	KTAP_EQ(get(~0ULL, 1), 0);
	KTAP_EQ(get(0, 1), TO_CLIENT);
	end();
}

static void test_overlap(void)
{
	start();
	KTAP_EQ(set(0x1004, 4, 0, 1), 0);
	KTAP_EQ(set(0x1004, 2, 0, 1), -EEXIST);
	KTAP_EQ(set(0x1006, 1, 0, 1), -EEXIST);
	KTAP_EQ(set(0x1007, 1, 0, 1), -EEXIST);
	KTAP_EQ(set(0x1008, 4, 0, 2), 0);
	KTAP_EQ(set(0x1003, 1, 0, 3), 0);
	KTAP_EQ(set(0x1000, 4, 0, 1), -EEXIST);
	KTAP_EQ(set(0x1002, 2, 0, 1), -EEXIST);
	KTAP_EQ(get(0x1003, 1), 3);
	KTAP_EQ(get(0x1004, 4), 1);
	KTAP_EQ(get(0x1008, 4), 2);
	end();
}

static void test_limit(void)
{
	start();
	/* From both ends, so that they move. */
	for (u32 i = 0; i < ARMVMM_MAX_MIRRORS; i++) {
		u32 n = i % 2 ? ARMVMM_MAX_MIRRORS - i : i;

		KTAP_EQ(set(0x1000 + 8 * n, 4, 0, n), 0);
	}
	KTAP_EQ(set(0x2000, 4, 0, 0), -ENOSPC);
	KTAP_EQ(set(0, 4, 0, 0), -ENOSPC);
	KTAP_EQ(set(0x1000, 4, 0, 100), 0);
	KTAP_EQ(get(0x1000, 4), 100);
	for (u32 n = 1; n < ARMVMM_MAX_MIRRORS; n++)
		KTAP_EQ(get(0x1000 + 8 * n, 4), n);
	KTAP_EQ(del(0x1008, 4), 0);
	KTAP_EQ(set(0x2000, 4, 0, 9), 0);
	KTAP_EQ(set(0x1008, 4, 0, 0), -ENOSPC);
	KTAP_EQ(get(0x2000, 4), 9);
	KTAP_EQ(get(0x1008, 4), TO_CLIENT);
	end();
}

/* The parameter is for VMs that are made from then on; others go on changing their mirrors. */
static void test_parameter(void)
{
	bool *param = fake_param_mirrors;

	start();
	KTAP_EQ(armvmm_mirror_max(NULL), ARMVMM_MAX_MIRRORS);
	KTAP_EQ(set(0x1000, 4, 0, 1), 0);
	*param = false;
	KTAP_EQ(armvmm_mirror_max(NULL), 0);
	KTAP_EQ(armvmm_mirror_max(&vm), ARMVMM_MAX_MIRRORS);
	KTAP_EQ(set(0x1000, 4, 0, 2), 0);
	KTAP_EQ(get(0x1000, 4), 2);
	KTAP_EQ(set(0x2000, 4, 0, 3), 0);
	KTAP_EQ(del(0x1000, 4), 0);
	KTAP_EQ(get(0x1000, 4), TO_CLIENT);
	end();
	start();
	KTAP_EQ(armvmm_mirror_max(&vm), 0);
	KTAP_EQ(set(0x1000, 4, 0, 1), -EINVAL);
	KTAP_EQ(del(0x1000, 4), -EINVAL);
	*param = true;
	KTAP_EQ(armvmm_mirror_max(NULL), ARMVMM_MAX_MIRRORS);
	KTAP_EQ(armvmm_mirror_max(&vm), 0);
	KTAP_EQ(set(0x1000, 4, 0, 1), -EINVAL);
	end();
}

/* Any mirrors, against an array of bytes. */
static void test_any(void)
{
	struct { bool there, first; u32 size; u8 byte; } model[48] = { };
	unsigned int seed = 1, answered = 0;

	start();
	for (int round = 0; round < 20000; round++) {
		u32 size = 1u << rand_r(&seed) % 3, addr = rand_r(&seed) % 48 & ~(size - 1);
		u32 value = rand_r(&seed) & (size == 4 ? ~0u : (1u << 8 * size) - 1);
		bool delete = rand_r(&seed) % 2, same, any = false, all = true;
		u64 want = 0;
		int ret;

		for (u32 i = 0; i < size; i++)
			any |= model[addr + i].there;
		same = model[addr].first && model[addr].size == size;
		ret = set(addr, size, delete ? ARMVMM_MIRROR_DELETE : 0, value);
		if (delete)
			KTAP_EQ(ret, same ? 0 : -ENOENT);
		else
			KTAP_EQ(ret, same || !any ? 0 : -EEXIST);
		for (u32 i = 0; !ret && i < size; i++) {
			model[addr + i].there = !delete;
			model[addr + i].first = !delete && !i;
			model[addr + i].size = size;
			model[addr + i].byte = value >> 8 * i;
		}
		/* A read is answered if one mirror has all of its bytes. */
		addr = rand_r(&seed) % 44;
		size = 1u << rand_r(&seed) % 3;
		for (u32 i = 0; i < size; i++) {
			all &= model[addr + i].there && (!i || !model[addr + i].first);
			want |= (u64)model[addr + i].byte << 8 * i;
		}
		KTAP_EQ(get(addr, size), all ? want : TO_CLIENT);
		answered += all;
	}
	KTAP_TRUE(answered > 2000 && answered < 18000);
	end();
}

/* --- while others come and go --- */

static void other_change(int delete)
{
	KTAP_EQ(delete ? del(0x1000, 4) : set(0x1000, 4, 0, 1), 0);
}

/* A read that begins in the middle of a change waits until it is over, and finds its mirror. */
static void test_change_under_way(void)
{
	for (int delete = 0; delete < 2; delete++) {
		start();
		KTAP_EQ(set(0x2000, 4, 0, 2), 0);
		KTAP_EQ(set(0x3000, 4, 0, 3), 0);
		if (delete)
			KTAP_EQ(set(0x1000, 4, 0, 1), 0);
		other_set(other_change, delete, FAKE_SEQ_CHANGE);
		search.at = 0;
		search.waits = 0;
		other_resume(FAKE_SEQ_CHANGE);
		KTAP_TRUE(!other.ended);
		KTAP_EQ(get(0x2000, 4), 2);
		KTAP_EQ(search.waits, 1);
		KTAP_EQ(get(0x3000, 4), 3);
		KTAP_EQ(get(0x1000, 4), delete ? TO_CLIENT : 1);
		search.at = -1;
		other_finish();
		end();
	}
}

static void race_add_one(int i)
{
	KTAP_EQ(set(0x1000 * (i + 1), 4, 0, i), 0);
}

static void race_gone(int i)
{
	KTAP_EQ(del(0x1000 * (i + 1), 4), 0);
}

static bool race_found(int i)
{
	return get(0x1000 * (i + 1), 4) == (u64)i;
}

/* Whichever is read, and whichever goes. */
static void test_one_goes(void)
{
	static struct race race = {
		.start = start, .add = race_add_one, .remove = race_gone, .found = race_found,
		.end = end,
	};

	race_all(&race, FAKE_SEQ_CHANGE);
	KTAP_TRUE(race.waited);
}

KTAP_MAIN(
	KTAP_CASE(test_parts),
	KTAP_CASE(test_change),
	KTAP_CASE(test_arguments),
	KTAP_CASE(test_overlap),
	KTAP_CASE(test_limit),
	KTAP_CASE(test_parameter),
	KTAP_CASE(test_any),
	KTAP_CASE(test_change_under_way),
	KTAP_CASE(test_one_goes),
)

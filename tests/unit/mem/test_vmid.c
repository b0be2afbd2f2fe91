// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/mem/vmid_pool.c
// cflags: -Itests/unit/fake -Idriver
/*
 * The VMID pool against the purpose of VMIDs: between two flushes of all TLBs no number stands for
 * two VMs, whichever guests the CPUs are in while the numbers run out.
 */
#include <stdlib.h>

#include "ktap.h"

#include "mem/vmid_pool.h"

#define NR_CPUS		4
#define NR_VMS		2000

static u64 active[NR_CPUS], reserved[NR_CPUS];
static struct vmid_pool pool;
static u64 vm_id[NR_VMS];
static int cpu_vm[NR_CPUS];	/* the VM that the CPU is in the guest of, or -1 */
static int owner[VMID_NR];	/* whose TLB entries a number may have, or -1 */
static unsigned int flushes;

static u64 take_active(unsigned int cpu)
{
	u64 id = active[cpu];

	active[cpu] = 0;
	return id;
}

static void start(void)
{
	int i;

	memset(active, 0, sizeof(active));
	memset(reserved, 0, sizeof(reserved));
	memset(vm_id, 0, sizeof(vm_id));
	for (i = 0; i < NR_CPUS; i++)
		cpu_vm[i] = -1;
	for (i = 0; i < (int)VMID_NR; i++)
		owner[i] = -1;
	flushes = 0;
	pool.nr_cpus = NR_CPUS;
	pool.reserved = reserved;
	pool.take_active = take_active;
	vmid_pool_init(&pool);
}

static void claim(unsigned int n, int vm)
{
	if (owner[n] != -1 && owner[n] != vm)
		KTAP_FAIL("VMID %u of VM %d goes to VM %d with no flush", n, owner[n], vm);
	owner[n] = vm;
}

/* As in armvmm_vmid_update(). */
static void enter(int cpu, int vm)
{
	u64 id = active[cpu];
	bool flush;
	int i;

	cpu_vm[cpu] = -1;
	if (!id || id != vm_id[vm]) {
		u64 old = vm_id[vm];

		id = vmid_pool_get(&pool, old, &flush);
		if (flush) {
			flushes++;
			for (i = 0; i < (int)VMID_NR; i++)
				owner[i] = -1;
			/* A CPU that stays in a guest makes new entries at once. */
			for (i = 0; i < NR_CPUS; i++)
				if (cpu_vm[i] != -1)
					claim(vm_id[cpu_vm[i]] & VMID_MASK, cpu_vm[i]);
		}
		/* A VM that is in the guest on another CPU keeps its number. */
		for (i = 0; i < NR_CPUS; i++)
			if (cpu_vm[i] == vm)
				KTAP_EQ(id & VMID_MASK, old & VMID_MASK);
		vm_id[vm] = id;
		active[cpu] = id;
	}
	KTAP_TRUE(id & VMID_MASK);
	KTAP_TRUE((id & VMID_MASK) != pool.host);
	claim(id & VMID_MASK, vm);
	cpu_vm[cpu] = vm;
}

static void test_all_numbers(void)
{
	int i;

	start();
	for (i = 0; i < 255; i++)
		enter(0, i);
	KTAP_EQ(flushes, 0);
	for (i = 0; i < 255; i++)
		enter(i % NR_CPUS, i);
	KTAP_EQ(flushes, 0);
	enter(0, 255);
	KTAP_EQ(flushes, 1);
}

/* A host with a number of its own: no guest gets it, over generations. */
static void test_host(void)
{
	int i;

	start();
	vmid_pool_set_host(&pool, 5);
	for (i = 0; i < 254; i++)
		enter(0, i);
	KTAP_EQ(flushes, 0);
	for (i = 254; i < 5000; i++)
		enter(i % NR_CPUS, i % NR_VMS);
	KTAP_TRUE(flushes > 10);
}

static void test_generation(void)
{
	u64 first;
	bool flush;
	int i;

	start();
	first = vmid_pool_get(&pool, 0, &flush);
	KTAP_EQ(vmid_pool_get(&pool, first, &flush), first);
	for (i = 0; i < 1000; i++)
		vmid_pool_get(&pool, 0, &flush);
	/* The old id belongs to the past; its new one does not. */
	KTAP_TRUE(vmid_pool_get(&pool, first, &flush) > first);
}

/* A CPU that never leaves its guest, over many generations. */
static void test_long_runner(void)
{
	u64 number;
	int i;

	start();
	enter(1, 7);
	number = vm_id[7] & VMID_MASK;
	for (i = 0; i < 5000; i++)
		enter(0, 8 + i % (NR_VMS - 8));
	KTAP_TRUE(flushes > 10);
	enter(2, 7);
	KTAP_EQ(vm_id[7] & VMID_MASK, number);
	KTAP_EQ(cpu_vm[1], 7);
}

/* Two CPUs in the same guest; one leaves and enters again in the new generation, one stays. */
static void test_shared(void)
{
	int i;

	start();
	enter(1, 7);
	enter(2, 7);
	for (i = 0; i < 300; i++)
		enter(0, 8 + i);
	KTAP_EQ(flushes, 1);
	enter(2, 7);
	for (i = 0; i < 600; i++)
		enter(0, 400 + i);
	enter(3, 7);
	KTAP_EQ(active[3] & VMID_MASK, active[2] ? active[2] & VMID_MASK : vm_id[7] & VMID_MASK);
}

static void test_random(void)
{
	int i;

	start();
	srand(1);
	for (i = 0; i < 300000; i++) {
		int cpu = rand() % NR_CPUS;

		switch (rand() % 4) {
		case 0:
			cpu_vm[cpu] = -1;	/* leaves; its active id stays */
			break;
		case 1:
			enter(cpu, rand() % 3);	/* a few that run often */
			break;
		default:
			enter(cpu, rand() % NR_VMS);
		}
	}
	KTAP_TRUE(flushes > 100);
}

KTAP_MAIN(KTAP_CASE(test_all_numbers), KTAP_CASE(test_host), KTAP_CASE(test_generation),
	  KTAP_CASE(test_long_runner), KTAP_CASE(test_shared), KTAP_CASE(test_random))

// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/mem/vmid.c driver/mem/vmid_pool.c driver/mem/stage2_tlb.c
// cflags: -include tests/unit/cpu_fake.h -Itests/unit/fake -Iinclude/uapi -Idriver
/*
 * When TLB entries are flushed, and on which CPUs: before an entry to a guest, because of another
 * vCPU of the VM that ran on the CPU, or of another VM that had the VMID (docs/hazards.md 5 and
 * 17); and after a change of the tables, with the additional steps for the A15's erratum 798181
 * (item 24).
 */
#include "ops.h"

#include "host/cache.h"
#include "hyp/hyp.h"
#include "host/hypcpu.h"
#include "mem/stage2.h"
#include "mem/vmid.h"
#include "core/state.h"

#define NR_VMS		300	/* more than there are VMIDs */
#define NR_VCPUS	3

unsigned int fake_cpu;
struct task_struct *fake_current;
bool fake_in_irq;

static struct armvmm_vm vms[NR_VMS];
static struct armvmm_vcpu vcpus[NR_VMS][NR_VCPUS];
static struct hyp_vcpu hyps[NR_VMS][NR_VCPUS];
static u8 last_vcpu[NR_VMS];
static bool not_ready[FAKE_CPUS];
static bool stolen[FAKE_CPUS];	/* HYP mode is not there, which the module does not know */

/* The entries that a CPU's TLB has for a VMID: whose they are. A new entry replaces none. */
static struct armvmm_vcpu *tlb[FAKE_CPUS][256];

/* --- what the code under test calls --- */

static struct {
	void *p;
	unsigned int cpu;
	u64 storage;
} percpu[(NR_VMS + 1) * FAKE_CPUS];

void *fake_per_cpu(void *p, size_t size, unsigned int cpu)
{
	unsigned int i = 0;

	assert(size <= sizeof(percpu[0].storage));
	while (percpu[i].p && (percpu[i].p != p || percpu[i].cpu != cpu))
		i++;
	percpu[i].p = p;
	percpu[i].cpu = cpu;
	return &percpu[i].storage;
}

void smp_call_function_single(int cpu, void (*fn)(void *), void *arg, int wait)
{
	unsigned int from = fake_cpu;

	/* The caller relies on what the other CPU did. */
	assert(wait);
	fake_op("to CPU %d", cpu);
	fake_cpu = (unsigned int)cpu;
	fn(arg);
	fake_cpu = from;
	fake_op("back");
}

void on_each_cpu(void (*fn)(void *), void *arg, int wait)
{
	unsigned int from = fake_cpu;

	for (fake_cpu = 0; fake_cpu < FAKE_CPUS; fake_cpu++)
		fn(arg);
	fake_cpu = from;
}

bool armvmm_hypcpu_ready(void)
{
	return !not_ready[fake_cpu];
}

u32 armvmm_hyp_call(u32 fn, u32 a, u32 b)
{
	u64 vttbr = (u64)b << 32 | a;
	unsigned int vmid = (unsigned int)(vttbr >> VTTBR_VMID_SHIFT) & 0xff;

	if (stolen[fake_cpu])
		return HYP_STUB_ERROR;
	switch (fn) {
	case HYP_CALL_TLBI_VMID:
		fake_op("vmid %llx", (unsigned long long)vttbr);
		for (unsigned int cpu = 0; cpu < FAKE_CPUS; cpu++)
			tlb[cpu][vmid] = NULL;
		break;
	case HYP_CALL_TLBI_VMID_LOCAL:
		fake_op("local %llx", (unsigned long long)vttbr);
		tlb[fake_cpu][vmid] = NULL;
		break;
	case HYP_CALL_TLBI_ALL:
		fake_op("all");
		memset(tlb, 0, sizeof(tlb));
		break;
	default:
		KTAP_FAIL("HYP call %x", fn);
	}
	return 0;
}

void armvmm_cache_invalidate_icache_all(void)
{
	fake_op("icache");
}

/* --- a machine --- */

static void start(void)
{
	memset(vms, 0, sizeof(vms));
	memset(vcpus, 0, sizeof(vcpus));
	memset(hyps, 0, sizeof(hyps));
	memset(percpu, 0, sizeof(percpu));
	memset(tlb, 0, sizeof(tlb));
	memset(not_ready, 0, sizeof(not_ready));
	memset(stolen, 0, sizeof(stolen));
	fake_cpu = 0;
	for (unsigned int v = 0; v < NR_VMS; v++) {
		vms[v].stage2.pgd_pa = 0x100000000ULL + v * STAGE2_PGD_SIZE;
		vms[v].stage2.last_vcpu = &last_vcpu[v];
		vms[v].online_vcpus = NR_VCPUS;
		for (unsigned int i = 0; i < NR_VCPUS; i++) {
			vcpus[v][i] = (struct armvmm_vcpu){
				.vm = &vms[v], .index = i, .hyp = &hyps[v][i], .last_cpu = -1,
			};
			vms[v].vcpus[i] = &vcpus[v][i];
		}
	}
	KTAP_EQ(armvmm_vmid_init(), 0);
	nr_ops = 0;
}

static void end(void)
{
	armvmm_vmid_exit();
	nr_ops = 0;
}

static struct armvmm_vcpu *enter(unsigned int cpu, unsigned int vm, unsigned int i)
{
	struct armvmm_vcpu *vcpu = &vcpus[vm][i];

	fake_cpu = cpu;
	armvmm_vmid_update(vcpu);
	KTAP_EQ(vcpu->last_cpu, cpu);
	KTAP_EQ(vcpu->hyp->vttbr & (STAGE2_VTTBR_ALIGN - 1), 0);
	return vcpu;
}

/* --- cases --- */

static void test_first_entry(void)
{
	start();
	/* The first VMID needs no new generation; there are no entries in the way. */
	KTAP_EQ(enter(0, 0, 0)->hyp->vttbr, vms[0].stage2.pgd_pa | 1ULL << 48);
	OPS_ARE("dsb ish");
	enter(0, 0, 0);
	OPS_NONE();
	end();
}

static void test_other_vcpu(void)
{
	start();
	enter(0, 0, 0);
	nr_ops = 0;
	enter(0, 0, 1);
	OPS_ARE("local 1000100000000");
	enter(0, 0, 1);
	OPS_NONE();
	enter(0, 0, 0);
	OPS_ARE("local 1000100000000");
	/* No vCPU ran on the other CPU before; what was done there does not matter to this CPU. */
	enter(1, 0, 1);
	nr_ops = 0;
	enter(0, 0, 0);
	OPS_NONE();
	enter(1, 0, 0);
	OPS_ARE("local 1000100000000");
	end();
}

/* Another VM has another VMID: entries of the last one do not matter. */
static void test_other_vm(void)
{
	start();
	enter(0, 0, 1);
	enter(0, 1, 0);
	nr_ops = 0;
	for (unsigned int i = 0; i < 4; i++) {
		enter(0, 0, 1);
		enter(0, 1, 0);
	}
	/* The VMID is requested anew each time that the CPU's changes, and stays. */
	for (unsigned int i = 0; i < nr_ops; i++)
		KTAP_STREQ(ops[i], "dsb ish");
	KTAP_TRUE(hyps[0][1].vttbr != hyps[1][0].vttbr);
	end();
}

/* What runs in a guest walks, and refills its CPU's TLB, whatever was flushed meanwhile. */
static void walk(struct armvmm_vcpu *const *running)
{
	for (unsigned int cpu = 0; cpu < FAKE_CPUS; cpu++)
		if (running[cpu])
			tlb[cpu][running[cpu]->hyp->vttbr >> 48] = running[cpu];
}

/* Whichever vCPU runs wherever: it finds no entry of another vCPU, of this VM or of any. */
static void test_random(void)
{
	unsigned int seed = 1, rollovers = 0, locals = 0;
	struct armvmm_vcpu *running[FAKE_CPUS] = { };

	start();
	for (unsigned int n = 0; n < 60000; n++) {
		unsigned int cpu, vm, vmid;
		struct armvmm_vcpu *vcpu;

		seed = seed * 1664525 + 1013904223;
		cpu = seed >> 28 & 3;
		/* A few that run often, and all of them now and then. */
		vm = seed >> 27 & 1 ? (seed >> 8 & 3) : (seed >> 8) % NR_VMS;
		vcpu = &vcpus[vm][(seed >> 4) % NR_VCPUS];
		/* A vCPU is in one place at a time, and so is a CPU. */
		running[cpu] = NULL;
		for (unsigned int i = 0; i < FAKE_CPUS; i++)
			if (running[i] == vcpu)
				running[i] = NULL;
		enter(cpu, vm, vcpu->index);
		vmid = (unsigned int)(vcpu->hyp->vttbr >> 48);
		for (unsigned int i = 0; i < nr_ops; i++) {
			rollovers += !strcmp(ops[i], "all");
			locals += !strncmp(ops[i], "local", 5);
			/* At a rollover, instructions of the number's old VM are flushed, too. */
			if (!strcmp(ops[i], "all"))
				KTAP_TRUE(i + 1 < nr_ops && !strcmp(ops[i + 1], "icache"));
		}
		nr_ops = 0;
		if (tlb[cpu][vmid] && tlb[cpu][vmid] != vcpu) {
			KTAP_FAIL("entry %u: CPU %u has another vCPU's entries of VMID %u", n, cpu,
				  vmid);
			break;
		}
		running[cpu] = vcpu;
		walk(running);
	}
	KTAP_TRUE(rollovers > 10 && locals > 1000);
	end();
}

/*
 * The numbers run out on a CPU that has lost HYP mode. The next one flushes before it uses a number
 * again: the VM that comes there, or the very one that could not be entered.
 */
static void test_rollover_stolen(void)
{
	for (unsigned int same = 0; same < 2; same++) {
		u64 first = 0, vmid;
		unsigned int vm = 0;

		start();
		stolen[1] = true;
		/* A new generation begins with the first one's number. */
		do {
			enter(1, vm, 0);
			vmid = vcpus[vm][0].hyp->vttbr >> 48;
			first = first ?: vmid;
			nr_ops = 0;
			vm++;
		} while (vm < NR_VMS - 1 && (vm == 1 || vmid > first));
		KTAP_EQ(vmid, first);
		vm -= same;
		tlb[0][vmid + !same] = &vcpus[NR_VMS - 1][0];
		enter(0, vm, 0);
		KTAP_EQ(vcpus[vm][0].hyp->vttbr >> 48, vmid + !same);
		KTAP_TRUE(!tlb[0][vmid + !same]);
		/* Once is enough. */
		nr_ops = 0;
		enter(2, vm + 1, 0);
		KTAP_TRUE(nr_ops);
		for (unsigned int i = 0; i < nr_ops; i++)
			KTAP_TRUE(strcmp(ops[i], "all"));
		end();
	}
}

static void test_flush(void)
{
	start();
	/* A VM that never ran has no entries. */
	armvmm_stage2_flush_tlb(&vms[0].stage2);
	OPS_ARE("dsb ish");
	enter(1, 0, 0)->mode = VCPU_IN_GUEST;
	nr_ops = 0;
	fake_cpu = 0;
	/* First the changed descriptors; then the VMID is read and flushed, by one broadcast. */
	armvmm_stage2_flush_tlb(&vms[0].stage2);
	OPS_ARE("dsb ish", "vmid 1000100000000");
	/* In the middle of its hotplug this CPU cannot do it, nor can the next one. */
	not_ready[0] = not_ready[1] = true;
	armvmm_stage2_flush_tlb(&vms[0].stage2);
	OPS_ARE("dsb ish", "to CPU 1", "back", "to CPU 2", "vmid 1000100000000", "back");
	end();
}

/*
 * Erratum 798181: each CPU that is in this guest has a DMB after the broadcast. The last case: a
 * CPU that has the erratum (unit/test_cpukind says which) is not left out.
 */
static void test_sync_cpus(void)
{
	start();
	armvmm_stage2_tlb_needs_sync();
	enter(1, 0, 0)->mode = VCPU_IN_GUEST;
	enter(2, 0, 1)->mode = VCPU_EXITING;
	enter(3, 0, 2)->mode = VCPU_OUTSIDE;
	enter(3, 1, 0)->mode = VCPU_IN_GUEST;
	nr_ops = 0;
	fake_cpu = 0;
	armvmm_stage2_flush_tlb(&vms[0].stage2);
	OPS_ARE("dsb ish", "vmid 1000100000000", "to CPU 1", "dmb ish", "back", "to CPU 2",
		"dmb ish", "back");
	/* This CPU's own DSB was its barrier. */
	fake_cpu = 1;
	armvmm_stage2_flush_tlb(&vms[0].stage2);
	OPS_ARE("dsb ish", "vmid 1000100000000", "to CPU 2", "dmb ish", "back");
	end();
}

KTAP_MAIN(
	KTAP_CASE(test_first_entry),
	KTAP_CASE(test_other_vcpu),
	KTAP_CASE(test_other_vm),
	KTAP_CASE(test_random),
	KTAP_CASE(test_rollover_stolen),
	KTAP_CASE(test_flush),
	KTAP_CASE(test_sync_cpus),
)

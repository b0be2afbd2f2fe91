/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the client does at random: it reads and writes the state by attributes, and saves it and
 * goes on in another VM. After host_acts.h.
 */
#ifndef TESTS_UNIT_VGIC_CLIENT_ACTS_H
#define TESTS_UNIT_VGIC_CLIENT_ACTS_H

#include "vgic/state_client.h"

static unsigned long client_writes, client_restores;

int client_attr(unsigned int group, unsigned long long attr, unsigned int *val, int set)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)val };

	return set ? armvmm_vgic_set_attr(fake_vm, &a) : armvmm_vgic_get_attr(fake_vm, &a);
}

static u32 client_get(unsigned int group, unsigned int cpu, u32 offset)
{
	u32 val = 0;
	int ret = client_attr(group, (u64)cpu << KVM_DEV_ARM_VGIC_CPUID_SHIFT | offset, &val, 0);

	if (ret)
		KTAP_FAIL("attribute %x of vCPU %u: %d", offset, cpu, ret);
	return val;
}

static void client_set(unsigned int group, unsigned int cpu, u32 offset, u32 val)
{
	int ret = client_attr(group, (u64)cpu << KVM_DEV_ARM_VGIC_CPUID_SHIFT | offset, &val, 1);

	if (ret)
		KTAP_FAIL("attribute %x of vCPU %u = %x: %d", offset, cpu, val, ret);
}

static void client_write(unsigned int cpu, u32 offset, u32 val)
{
	client_set(KVM_DEV_ARM_VGIC_GRP_DIST_REGS, cpu, offset, val);
	model_write(cpu, offset, 4, val, MODEL_CLIENT);
	client_writes++;
}

/* Those that are not a GICv2's: what the client may write there that a guest is not hurt by. */
static void client_write_own(unsigned int cpu)
{
	unsigned int intid = rnd(NR_IRQS);
	struct model_irq *m = model(cpu, intid);
	u32 at = intid / 32 * 4;

	switch (rnd(3)) {
	case 0:
		client_write(cpu, ARMVMM_GICD_LATCH + at, rnd(0x10000) << 16 | rnd(0x10000));
		break;
	case 1:
		intid %= 4;
		if (!model_on_a_stack(cpu, intid))
			client_write(cpu, ARMVMM_GICD_SGI_ACTIVE,
				     (model_read(cpu, ARMVMM_GICD_SGI_ACTIVE, 4) &
				      ~(0xffu << 8 * intid)) | rnd(8) << 8 * intid);
		break;
	case 2:
		if (intid >= GIC_NR_PRIVATE && m->active && !model_on_a_stack(cpu, intid) &&
		    model_room(cpu, true, armvmm_vgic_host.nr_lr))
			client_write(cpu, ARMVMM_GICD_HOLDER + at, 1u << intid % 32);
		break;
	}
}

static void client_write_cpuif(unsigned int cpu)
{
	static const u16 same[] = { GICC_BPR, GICC_APR0, GICC_APR0 + 4, GICC_IIDR };
	const unsigned int group = KVM_DEV_ARM_VGIC_GRP_CPU_REGS;
	u32 reg = same[rnd(ARRAY_SIZE(same))];

	switch (rnd(4)) {
	case 0:
		gic.cpu[cpu].pmr = rnd(3) ? 0xf8 : rnd(32) << VGIC_PRIORITY_SHIFT;
		client_set(group, cpu, GICC_PMR, gic.cpu[cpu].pmr >> VGIC_PRIORITY_SHIFT);
		break;
	case 1:
		gic.cpu[cpu].ctlr = rnd(3) ? 3 : rnd(4);
		client_set(group, cpu, GICC_CTLR, gic.cpu[cpu].ctlr);
		break;
	case 2:
		gic.cpu[cpu].abpr = rnd(2);
		client_set(group, cpu, GICC_ABPR, gic.cpu[cpu].abpr);
		break;
	case 3:
		client_set(group, cpu, reg, client_get(group, cpu, reg));
		break;
	}
}

static void client_raise_lines(void)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < gic.nr_cpus; cpu++)
		for (i = GIC_NR_SGIS; i < NR_IRQS; i++)
			if (model(cpu, i)->line)
				armvmm_vgic_inject(fake_vm, fake_vm->vcpus[cpu], i, true, NULL);
}

/* What the test keeps of a VM while it looks at it. */
static void world_of(struct armvmm_vm *vm)
{
	extern char __start_fake_percpu[], __stop_fake_percpu[];
	int i;

	world.nr = 0;
	world_add(fake_cpus, sizeof(fake_cpus));
	world_add(fake_hosts, sizeof(fake_hosts));
	world_add(fake_tasks, sizeof(fake_tasks));
	world_add(__start_fake_percpu, __stop_fake_percpu - __start_fake_percpu);
	world_add(&armvmm_vgic_host, sizeof(armvmm_vgic_host));
	world_add(&fake_host_cpu, sizeof(fake_host_cpu));
	world_add(&fake_answered, sizeof(fake_answered));
	world_add(fake_acks, sizeof(fake_acks));
	world_add(access_counts, sizeof(access_counts));
	world_add(&gic, sizeof(gic));
	world_add(&rng, sizeof(rng));
	world_add_heap(vm);
	world_add_heap(vm->vgic.spis);
	for (i = 0; i < vm->online_vcpus; i++) {
		world_add_heap(vm->vcpus[i]);
		world_add_heap(vm->vcpus[i]->hyp);
		world_add_heap(vm->vcpus[i]->vgic.private);
	}
}

/* A VM that has run, with nothing in its CPU interfaces. HYP mode answers if hyp_dist says so. */
static void client_create(unsigned int nr_lr)
{
	struct armvmm_vm *vm = fake_create(gic.nr_cpus, NR_IRQS, nr_lr);
	unsigned int cpu;

	fake_at(fake_host_cpu);
	host_hides = false;
	vm->vgic.dist_base = GICD_BASE;
	vm->vgic.cpu_base = GICC_BASE;
	assert(!armvmm_vgic_map_resources(vm));
	for (cpu = 0; cpu < gic.nr_cpus; cpu++)
		vm->vcpus[cpu]->hyp->vgic.vmcr = 0;
	threads_start();
	world_of(vm);
}

static void client_destroy(void)
{
	armvmm_vgic_unload_all(fake_vm);
	fake_destroy(fake_vm);
}

/* The guest goes on in a new VM. Its lines are as its devices have them; past edges are over. */
static void act_restore(void)
{
	unsigned int nr_lr = armvmm_vgic_host.nr_lr, cpu, i;
	bool raise_first = rnd(2);
	size_t size;
	void *data;

	guests_leave();
	KTAP_EQ(client_save(gic.nr_cpus, &data, &size), 0);
	client_destroy();
	*fake_param_hyp_dist = rnd(2);
	client_create(nr_lr);
	for (i = 0; i < NR_IRQS; i++)
		for (cpu = 0; cpu < gic.nr_cpus; cpu++)
			model(cpu, i)->line = model(cpu, i)->line && !model(cpu, i)->edge;
	if (raise_first)
		client_raise_lines();
	KTAP_EQ(client_restore(gic.nr_cpus, data, size), 0);
	if (!raise_first)
		client_raise_lines();
	free(data);
	gic.client_groups = true;
	for (cpu = 0; cpu < gic.nr_cpus; cpu++)
		memcpy(fake_cpus[cpu].acked, gic.cpu[cpu].acked, sizeof(gic.cpu[cpu].acked));
	client_restores++;
}

static void act_client(void)
{
	unsigned int cpu = rnd(gic.nr_cpus);
	struct some_write w;

	/* It holds all vCPUs: none is in the guest. */
	guests_leave();
	switch (rnd(8)) {
	case 0:
		act_restore();
		break;
	case 1:
		client_write_own(cpu);
		break;
	case 2:
		client_write_cpuif(cpu);
		break;
	case 3:
		client_write(cpu, GICD_IIDR, VGIC_IIDR(2));
		break;
	default:
		w = some_write(cpu, true);
		client_write(cpu, w.offset, w.val);
	}
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/vgic/irq.c driver/vgic/inject.c driver/vgic/lr.c driver/vgic/dist.c
// sources: driver/vgic/sgi.c driver/vgic/dist_state.c driver/vgic/cpuif.c driver/vgic/init.c driver/vgic/ap.c
// sources: driver/vgic/attr.c driver/vgic/loaded.c driver/hyp/dist.c driver/hyp/vgic.c
// sources: userspace/libarmvmm/state.c userspace/libarmvmm/gic.c tests/unit/vgic/state_client.c
// cflags: -include tests/unit/host_cpus_fake.h -include tests/unit/hyp_fake.h
// cflags: -include tests/unit/gich_fake.h -Itests/unit/fake -Iinclude/uapi -I. -Idriver -Iuserspace/libarmvmm/include -Iuserspace/libarmvmm -DFAKE_HYP
/*
 * The vGIC against a plain model of a GICv2 (gic_model.h). Guests and devices act at random
 * (guest_acts.h), the host moves the vCPUs' threads and takes CPUs and HYP mode away (host_acts.h),
 * the client reads and writes the state, saves it and goes on in another VM (client_acts.h). After
 * each act guest and client see what the model says (agree.h). HYP mode answers what it may, in
 * every other VM; it leaves some to the host, and what is seen is the same.
 *
 *	test_vgic_model [FIRST [SEEDS [STEPS]]]		more seeds, or those that one failed with
 */
#include "ktap.h"
#include "vgic_fake.h"
#include "vgic/gic_model.h"
#include "vgic/world.h"
#include "vgic/guest_acts.h"
#include "vgic/host_acts.h"
#include "vgic/client_acts.h"
#include "vgic/agree.h"

static unsigned int first_seed = 1, nr_seeds = 8, nr_steps = 300;

/* Every other guest has set up its interrupts: they nest deeply. */
static void set_up(void)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < gic.nr_cpus; cpu++) {
		for (i = cpu ? GIC_NR_PRIVATE - 1 : NR_IRQS - 1; i < NR_IRQS; i--)
			guest_write(cpu, GICD_IPRIORITYR + i, 1, rnd(0xf8) & 0xf8);
		for (i = 0; i < NR_IRQS / 8; i += 4)
			guest_write(cpu, GICD_ISENABLER + i, 4, ~0u);
	}
}

static void act(void)
{
	unsigned int what = rnd(40);

	if (host_hides && !rnd(8))
		act_hide();
	if (what == 0)
		act_client();
	else if (what < 4)
		act_host();
	else if (what < 13)
		act_inject();
	else if (what < 23)
		act_mmio();
	else
		act_guest(rnd(gic.nr_cpus));
}

static void run_seed(u64 seed, unsigned int cpus, unsigned int nr_lr)
{
	unsigned int step;

	rng = seed * 0x9e3779b97f4a7c15ULL | 1;
	model_reset(cpus);
	hosts_start();
	*fake_param_keep_lrs = seed % 4 < 2;
	*fake_param_hyp_dist = seed / 2 % 2;
	client_create(nr_lr);
	for (step = 0; step < cpus; step++) {
		client_set(KVM_DEV_ARM_VGIC_GRP_CPU_REGS, step, GICC_PMR, 0x1f);
		client_set(KVM_DEV_ARM_VGIC_GRP_CPU_REGS, step, GICC_CTLR, 3);
	}
	if (seed & 1)
		set_up();
	for (step = 0; step < nr_steps && !ktap_failed; step++) {
		act();
		check();
		look();
	}
	if (ktap_failed)
		dump();
	else
		drain();
	if (ktap_failed)
		printf("# seed %llu, %u vCPUs, %u list registers, step %u\n",
		       (unsigned long long)seed, cpus, nr_lr, step);
	client_destroy();
}

/* vCPUs, and list registers. */
static void run_shape(unsigned int cpus, unsigned int nr_lr)
{
	unsigned int seed, end = first_seed + nr_seeds;

	fake_hyp = true;
	fake_barrier = fake_gicv_complete;
	armvmm_vgic_loaded_init();
	for (seed = first_seed; seed < end && !ktap_failed; seed++)
		run_seed(seed, cpus, nr_lr);
	armvmm_vgic_loaded_exit();
	free(world.kept);
	world.kept = NULL;
	world.room = 0;
}

static void test_one_vcpu(void)
{
	printf("# seeds %u to %u\n", first_seed, first_seed + nr_seeds - 1);
	run_shape(1, 4);
	run_shape(1, 1);
}

static void test_few_vcpus(void)
{
	run_shape(2, 4);
	run_shape(3, 1);
	run_shape(2, 3);
}

static void test_many_vcpus(void)
{
	run_shape(4, 4);
	run_shape(4, 2);
	run_shape(8, 16);
}

/* Nothing was shown of what the acts did not meet. */
static void test_ways(void)
{
	unsigned int i;

	printf("# by HYP mode and by the host:");
	for (i = 0; i < ARRAY_SIZE(access_kinds); i++) {
		const struct access_kind *k = &access_kinds[i];

		printf(" %c%x %lu %lu", k->write ? 'w' : 'r', k->first, access_counts[i].by_hyp,
		       access_counts[i].by_host);
		KTAP_TRUE(access_counts[i].by_hyp > 10);
		KTAP_TRUE(access_counts[i].by_host > 10);
	}
	printf("\n# moves %lu, losses %lu, entries that failed %lu, attributes written %lu, restores %lu\n",
	       host_moves, host_losses, host_failed_entries, client_writes, client_restores);
	KTAP_TRUE(host_moves > 300 && host_losses > 40 && host_failed_entries > 80);
	KTAP_TRUE(client_writes > 200 && client_restores > 30);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(test_one_vcpu), KTAP_CASE(test_few_vcpus), KTAP_CASE(test_many_vcpus),
		KTAP_CASE(test_ways),
	};

	if (argc > 1)
		first_seed = strtoul(argv[1], NULL, 0);
	if (argc > 2)
		nr_seeds = strtoul(argv[2], NULL, 0);
	if (argc > 3)
		nr_steps = strtoul(argv[3], NULL, 0);
	/* Of few seeds it is only asked whether they pass. */
	return ktap_run(cases, ARRAY_SIZE(cases) - (argc > 1));
}

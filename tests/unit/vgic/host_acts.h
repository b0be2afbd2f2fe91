/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host does at random with the vCPUs' threads and its own CPUs. After guest_acts.h. */
#ifndef TESTS_UNIT_VGIC_HOST_ACTS_H
#define TESTS_UNIT_VGIC_HOST_ACTS_H

extern bool *const fake_param_hyp_dist, *const fake_param_keep_lrs;

static unsigned long host_moves, host_losses, host_failed_entries;

/* A CPU that can run guests; not @but. */
static unsigned int some_host(unsigned int but)
{
	unsigned int cpu;

	do {
		cpu = rnd(FAKE_HOST_CPUS);
	} while (cpu == but || !fake_hosts[cpu].taken);
	return cpu;
}

static unsigned int hosts_taken(void)
{
	unsigned int cpu, n = 0;

	for (cpu = 0; cpu < FAKE_HOST_CPUS; cpu++)
		n += fake_hosts[cpu].taken;
	return n;
}

/* The core that Linux's CPU is on may be another one than it was. */
static unsigned int some_interface(void)
{
	unsigned int cpu, n;
	u32 used = 0;

	for (cpu = 0; cpu < FAKE_HOST_CPUS; cpu++)
		if (fake_hosts[cpu].taken)
			used |= armvmm_vgic_host_interface[cpu];
	do {
		n = rnd(8);
	} while (used & 1u << n);
	return n;
}

static void hosts_start(void)
{
	unsigned int cpu;

	memset(fake_hosts, 0, sizeof(fake_hosts));
	for (cpu = 0; cpu < FAKE_HOST_CPUS; cpu++)
		fake_host_take(cpu, some_interface());
	fake_at(0);
}

/* The vCPUs' threads are new. */
static void threads_start(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < FAKE_HOST_CPUS; cpu++)
		fake_hosts[cpu].thread = FAKE_NO_THREAD;
	for (cpu = 0; cpu < gic.nr_cpus; cpu++) {
		fake_cpus[cpu].on = some_host(FAKE_HOST_CPUS);
		fake_cpus[cpu].thread = fake_cpus[cpu].ran_by = cpu;
	}
}

/* A thread goes to another CPU, with each vCPU that it runs. */
static void thread_goes(int thread, unsigned int host)
{
	unsigned int cpu;

	for (cpu = 0; cpu < gic.nr_cpus; cpu++) {
		if (fake_cpus[cpu].thread != thread)
			continue;
		guest_leave(cpu);
		fake_cpus[cpu].on = host;
	}
}

/* The thread goes on somewhere else: another one runs where it was. */
static void act_move(unsigned int cpu)
{
	struct fake_cpu *c = &fake_cpus[cpu];

	if (fake_hosts[c->on].thread == c->thread)
		fake_host_switch(c->on, FAKE_NO_THREAD);
	thread_goes(c->thread, some_host(c->on));
	host_moves++;
}

/*
 * Another thread of the client runs the vCPU, a new one or another vCPU's; the first one is still
 * where it was.
 */
static void act_other_thread(unsigned int cpu)
{
	static int last_thread = ARMVMM_MAX_VCPUS;
	struct fake_cpu *c = &fake_cpus[cpu];
	const struct fake_cpu *other = &fake_cpus[rnd(gic.nr_cpus)];

	guest_leave(cpu);
	if (rnd(2) && other != c) {
		c->thread = other->thread;
		c->on = other->on;
	} else {
		c->thread = ++last_thread;
		c->on = some_host(FAKE_HOST_CPUS);
	}
}

static void host_move_all(unsigned int host)
{
	unsigned int cpu;

	for (cpu = 0; cpu < gic.nr_cpus; cpu++)
		if (fake_cpus[cpu].on == host)
			thread_goes(fake_cpus[cpu].thread, some_host(host));
}

/* A CPU goes offline, or comes back, or sleeps for a moment without its registers. */
static void act_lose(unsigned int host)
{
	struct armvmm_vcpu *vcpu = fake_in_guest_on(host);
	bool sleeps = rnd(2);

	if (!fake_hosts[host].taken) {
		fake_host_take(host, some_interface());
		return;
	}
	if (hosts_taken() < 3)
		return;
	if (vcpu)
		guest_leave(vcpu->index);
	fake_host_lose(host);
	host_losses++;
	if (sleeps)
		fake_host_take(host, some_interface());
	else
		host_move_all(host);
}

/* HYP mode is gone when the vCPU is to be entered: the guest does not run, and may elsewhere. */
static void act_fail_entry(unsigned int cpu)
{
	struct armvmm_vcpu *vcpu = fake_vm->vcpus[cpu];
	unsigned int host = fake_cpus[cpu].on;

	if (hosts_taken() < 3)
		return;
	guest_leave(cpu);
	fake_run(vcpu);
	fake_load(vcpu);
	armvmm_vgic_flush(vcpu);
	armvmm_vgic_sync(vcpu);
	fake_host_lose(host);
	host_move_all(host);
	host_failed_entries++;
}

/* HYP mode may not answer while a slot of the client's is on its way over the distributor. */
static bool host_hides;

static void act_hide(void)
{
	if (!host_hides)
		KTAP_TRUE(armvmm_vgic_slots_change(fake_vm, fake_vm->vgic.dist_base, GICD_SIZE));
	else
		armvmm_vgic_slots_changed(fake_vm, true);
	host_hides = !host_hides;
}

static void act_host(void)
{
	unsigned int cpu = rnd(gic.nr_cpus);

	switch (rnd(8)) {
	case 0 ... 2:
		act_move(cpu);
		break;
	case 3:
		act_other_thread(cpu);
		break;
	case 4:
		act_lose(rnd(FAKE_HOST_CPUS));
		break;
	case 5:
		act_fail_entry(cpu);
		break;
	case 6:
		*fake_param_keep_lrs = rnd(2);
		break;
	case 7:
		if (!host_hides)
			act_hide();
		break;
	}
}

#endif

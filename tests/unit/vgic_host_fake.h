/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPUs of the host for vgic_fake.h: each has a GICH of its own, may be taken over or not, and
 * runs one thread at a time. A vCPU's thread is on one of them, may be moved to another one, or be
 * replaced by another thread of the client.
 */
#ifndef TESTS_UNIT_VGIC_HOST_FAKE_H
#define TESTS_UNIT_VGIC_HOST_FAKE_H

#include <asm/thread_notify.h>

#define FAKE_NO_THREAD	(-1)

struct fake_host {
	bool taken;		/* online, and HYP mode is the module's */
	int thread;		/* the one that runs */
	u32 gich[0x200 / 4];
	struct hyp_cpu hyp;
};

unsigned int fake_host_cpu;
static struct fake_host fake_hosts[FAKE_HOST_CPUS];
static struct notifier_block *fake_thread_nb;

DEFINE_PER_CPU(u32, armvmm_vgic_host_interface);

static inline void fake_exit(struct armvmm_vcpu *vcpu);
static inline void fake_interrupt(struct armvmm_vcpu *vcpu);

int thread_register_notifier(struct notifier_block *nb)
{
	fake_thread_nb = nb;
	return 0;
}

void thread_unregister_notifier(struct notifier_block *nb)
{
	assert(nb == fake_thread_nb);
	fake_thread_nb = NULL;
}

struct hyp_cpu *armvmm_hypcpu_this(void)
{
	return &fake_hosts[fake_host_cpu].hyp;
}

/* As GICH_ELRSR says it: there is no end of which the host is still to be told, either (5.3.7). */
static inline bool fake_lr_empty(u32 lr)
{
	return !(lr & GICH_LR_STATE) && (lr & GICH_LR_HW || !(lr & GICH_LR_EOI));
}

u32 fake_device_read(unsigned long base, unsigned int offset)
{
	return *(u32 *)(base + offset);
}

/* No two list registers may have the same interrupt at any time, and none is written in vain. */
void fake_device_write(unsigned long base, unsigned int offset, u32 val)
{
	u32 *gich = (u32 *)base, lr;
	unsigned int i;

	if (base == (unsigned long)fake_hosts[fake_host_cpu].gich && offset >= GICH_LR(0)) {
		KTAP_TRUE(!val || gich[offset / 4] != val);
		for (i = 0; val & GICH_LR_STATE && i < armvmm_vgic_host.nr_lr; i++) {
			lr = gich[GICH_LR(i) / 4];
			KTAP_TRUE(GICH_LR(i) == offset || !(lr & GICH_LR_STATE) ||
				  (lr ^ val) & GICH_LR_VIRTUALID);
		}
	}
	gich[offset / 4] = val;
}

/* From here on the code runs on @cpu. */
static inline void fake_at(unsigned int cpu)
{
	fake_host_cpu = cpu;
	armvmm_vgic_host.gich = fake_hosts[cpu].gich;
}

/* An IPI: taken at once, by whatever runs there. */
int smp_call_function_single(int cpu, void (*fn)(void *arg), void *arg, int wait)
{
	unsigned int was = fake_host_cpu;

	assert(wait && cpu >= 0 && cpu < FAKE_HOST_CPUS);
	/* A CPU that is offline takes none, and the vGIC must not rely on it. */
	if (!fake_hosts[cpu].taken)
		return -ENXIO;
	fake_at(cpu);
	fn(arg);
	fake_at(was);
	return 0;
}

static inline struct armvmm_vcpu *fake_in_guest_on(unsigned int cpu)
{
	int i;

	for (i = 0; fake_vm && i < fake_vm->online_vcpus; i++)
		if (fake_cpus[i].in_guest && fake_cpus[i].on == cpu)
			return fake_vm->vcpus[i];
	return NULL;
}

/* A guest's interrupt must not keep a host's CPU from sleeping. */
static inline bool fake_host_is_silent(const struct fake_host *h)
{
	unsigned int i;

	for (i = 0; i < armvmm_vgic_host.nr_lr; i++)
		if (h->gich[GICH_HCR / 4] & GICH_HCR_En && !fake_lr_empty(h->gich[GICH_LR(i) / 4]))
			return false;
	return true;
}

/* The host's scheduler gives @cpu to @thread: an interrupt ends a guest's time there. */
static inline void fake_host_switch(unsigned int cpu, int thread)
{
	struct fake_host *h = &fake_hosts[cpu];
	struct armvmm_vcpu *vcpu = fake_in_guest_on(cpu);
	unsigned int was = fake_host_cpu;

	if (h->thread == thread)
		return;
	if (vcpu)
		fake_exit(vcpu);
	fake_at(cpu);
	fake_thread_nb->notifier_call(fake_thread_nb, THREAD_NOTIFY_SWITCH, NULL);
	KTAP_TRUE(!h->taken || fake_host_is_silent(h));
	h->thread = thread;
	fake_at(was);
}

/* The vCPU's thread runs, where it is; another one may have run the vCPU last. */
static inline void fake_run(struct armvmm_vcpu *vcpu)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];
	struct armvmm_vcpu *other;

	assert(fake_hosts[c->on].taken);
	fake_host_switch(c->on, c->thread);
	/* The same thread's: it runs one after the other. */
	other = fake_in_guest_on(c->on);
	if (other && other != vcpu)
		fake_exit(other);
	fake_at(c->on);
	if (c->ran_by != c->thread) {
		armvmm_vgic_unload(vcpu);
		c->ran_by = c->thread;
	}
}

/* A CPU goes offline, or into a state that loses its registers: HYP's, and GICH's. */
static inline void fake_host_lose(unsigned int cpu)
{
	struct fake_host *h = &fake_hosts[cpu];
	unsigned int i;

	fake_host_switch(cpu, FAKE_NO_THREAD);
	h->taken = false;
	armvmm_vgic_host_interface[cpu] = 0xdead;
	for (i = 0; i < ARRAY_SIZE(h->gich); i++)
		h->gich[i] = 0xa5a5a5a5;
}

/* takeover_take() and armvmm_vgic_cpu_taken(), on a core that has interface @interface. */
static inline void fake_host_take(unsigned int cpu, unsigned int interface)
{
	struct fake_host *h = &fake_hosts[cpu];
	unsigned int i;

	assert(!h->taken);
	h->thread = FAKE_NO_THREAD;
	vgic_cpuif_cleared(&h->hyp);
	h->hyp.gich = h->gich;
	h->gich[GICH_HCR / 4] = 0;
	for (i = 0; i < HYP_MAX_LRS; i++)
		h->gich[GICH_LR(i) / 4] = 0;
	armvmm_vgic_host_interface[cpu] = 1u << interface;
	h->taken = true;
}

static inline struct armvmm_vcpu *fake_vcpu_on(unsigned int interface)
{
	unsigned int cpu;

	for (cpu = 0; cpu < FAKE_HOST_CPUS; cpu++)
		if (fake_hosts[cpu].taken && armvmm_vgic_host_interface[cpu] == 1u << interface)
			return fake_in_guest_on(cpu);
	return NULL;
}

/* A physical SGI, from HYP mode that found a vCPU in its guest there. */
static inline void fake_sgi(unsigned int interface)
{
	struct armvmm_vcpu *vcpu = fake_vcpu_on(interface);

	if (vcpu && vcpu->hyp->dist.listen == HYP_LISTEN_KICKED)
		fake_interrupt(vcpu);
	else
		KTAP_FAIL("a physical SGI to interface %u, where no guest listens", interface);
}

#define fake_gich_hcr(c)	(fake_hosts[(c)->on].hyp.gich_hcr)

/* As hyp_fastpath() asks it. */
static inline bool fake_hyp_answers(struct armvmm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->hyp->dist.page) & HYP_DIST_ON;
}

/* What run_enter() does before the flush. */
static inline void fake_load(struct armvmm_vcpu *vcpu)
{
	if (vcpu->loaded_cpu != (int)fake_host_cpu)
		armvmm_vgic_claim(vcpu);
}

/* HYP mode's entry, and the exit. What is not in use shows nothing to the guest. */
static inline void fake_hyp_restore(struct armvmm_vcpu *vcpu)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];
	struct fake_host *h = &fake_hosts[c->on];
	unsigned int i;

	vcpu->hyp->cpu = &h->hyp;
	if (hyp_vgic_enters(&h->hyp, &vcpu->hyp->vgic))
		hyp_vgic_restore(&h->hyp, &vcpu->hyp->vgic);
	c->used = vcpu->hyp->vgic.used_lrs;
	c->hcr = h->gich[GICH_HCR / 4];
	c->vmcr = h->gich[GICH_VMCR / 4];
	c->apr = h->gich[GICH_APR / 4];
	memcpy(c->lr, &h->gich[GICH_LR(0) / 4], sizeof(c->lr));
	for (i = c->used; i < HYP_MAX_LRS; i++)
		KTAP_TRUE(fake_lr_empty(c->lr[i]));
}

/* The guest's accesses to its CPU interface take effect at the next DSB, and no earlier. */
static const struct fake_cpu *fake_late;

static inline void fake_gicv_complete(const char *op)
{
	const struct fake_cpu *c = fake_late;
	u64 empty = 0;
	unsigned int i;
	u32 *gich;

	if (!c || strcmp(op, "dsb"))
		return;
	fake_late = NULL;
	gich = fake_hosts[c->on].gich;
	memcpy(&gich[GICH_LR(0) / 4], c->lr, sizeof(c->lr));
	for (i = 0; i < armvmm_vgic_host.nr_lr; i++)
		empty |= (u64)fake_lr_empty(c->lr[i]) << i;
	gich[GICH_ELRSR0 / 4] = (u32)empty;
	gich[GICH_ELRSR1 / 4] = (u32)(empty >> 32);
}

static inline void fake_hyp_save(struct armvmm_vcpu *vcpu)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];
	struct fake_host *h = &fake_hosts[c->on];

	h->gich[GICH_HCR / 4] = c->hcr;
	h->gich[GICH_VMCR / 4] = c->vmcr;
	h->gich[GICH_APR / 4] = c->apr;
	fake_late = c;
	if (hyp_vgic_leaves(&vcpu->hyp->vgic))
		hyp_vgic_save(&h->hyp, &vcpu->hyp->vgic);
	fake_late = NULL;
	/* The host is not to be interrupted for maintenance. */
	KTAP_TRUE(!(h->gich[GICH_HCR / 4] & ~GICH_HCR_En));
}

#endif

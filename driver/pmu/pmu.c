// SPDX-License-Identifier: GPL-2.0-only
/*
 * The performance monitors of a vCPU (DDI 0406C C12). The host's perf shares the
 * CPU's counters out, as it knows who else wants them: each of the guest's running
 * counters is a perf event of the vCPU's thread, and moves between CPUs with the
 * thread. Such an event asks perf to count in no mode at all. HYP mode gives the
 * counter the guest's filter at each entry, and takes it back at each exit
 * (hyp/pmu.c). So nothing but the guest is counted.
 *
 * The guest's accesses trap, and change the registers that are kept here. Events
 * are brought into line with them before the next entry. A counter without an
 * event stands still.
 */
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "arch/archregs.h"
#include "core/kick.h"
#include "core/state.h"
#include "pmu/pmu.h"
#include "pmu/pmu_event.h"
#include "pmu/pmu_math.h"
#include "vgic/vgic.h"

/* True if the registers have counter @n count hardware events now. */
static bool pmu_wanted(const struct armvmm_pmu *pmu, unsigned int n)
{
	u32 event = pmu->counter[n].type & PMU_TYPE_EVENT;

	if (!(pmu->pmcr & PMCR_E) || !(pmu->enable & BIT(n)))
		return false;
	return n == PMU_CYCLE || (event != PMU_EVENT_SW_INCR && event != PMU_EVENT_CYCLE_COUNTER);
}

static u32 pmu_wanted_mask(const struct armvmm_pmu *pmu)
{
	u32 mask = 0;
	unsigned int n;

	for (n = 0; n < PMU_NR; n++)
		if (pmu_wanted(pmu, n))
			mask |= BIT(n);
	return mask;
}

/*
 * Which event perf is asked for. Cycles are counted by an event counter while one
 * is free: there is only one cycle counter, and every `perf stat` on the host
 * wants it.
 */
static u8 pmu_config(const struct armvmm_pmu *pmu, unsigned int n, u32 wanted)
{
	bool spare = hweight32(wanted & ~BIT(PMU_CYCLE)) < armvmm_pmu_nr();

	if (n != PMU_CYCLE)
		return pmu->counter[n].type & PMU_TYPE_EVENT;
	return spare && armvmm_pmu_host.pmceid[0] & BIT(PMU_EVENT_CYCLES) ?
		PMU_EVENT_CYCLES : PMU_EVENT_CYCLE_COUNTER;
}

/* Sets the overflow flag if the counter has overflowed within @count events. */
static void pmu_account(struct armvmm_pmu_counter *c, u64 count)
{
	u64 wraps = pmu_wraps(c->start, count, c->shift);
	unsigned long flags;

	raw_spin_lock_irqsave(&c->pmu->lock, flags);
	/* The interrupt may have accounted for a later count than this one. */
	if (wraps > c->wraps) {
		c->wraps = wraps;
		c->pmu->overflow |= BIT(c - c->pmu->counter);
	}
	raw_spin_unlock_irqrestore(&c->pmu->lock, flags);
}

u64 armvmm_pmu_event_wrapped(struct armvmm_pmu_counter *c, u64 count)
{
	pmu_account(c, count);
	/* The vCPU's thread sets the line. */
	armvmm_vcpu_request(c->pmu->vcpu, VCPU_REQ_IRQ_PENDING);
	armvmm_vcpu_kick(c->pmu->vcpu);
	return pmu_period(c->start, count, c->shift);
}

u32 armvmm_pmu_read(struct armvmm_pmu *pmu, unsigned int n)
{
	struct armvmm_pmu_counter *c = &pmu->counter[n];
	u64 count;

	if (!c->event)
		return c->value;
	count = armvmm_pmu_event_count(c->event);
	pmu_account(c, count);
	return pmu_value(c->start, count, c->shift);
}

void armvmm_pmu_stop(struct armvmm_pmu *pmu, unsigned int n)
{
	struct armvmm_pmu_counter *c = &pmu->counter[n];
	u64 count;

	pmu->dirty = true;
	if (!c->event)
		return;
	count = armvmm_pmu_event_end(c->event);
	pmu_account(c, count);
	c->value = pmu_value(c->start, count, c->shift);
	c->event = NULL;
	pmu->running &= ~BIT(n);
}

void armvmm_pmu_stop_all(struct armvmm_pmu *pmu)
{
	unsigned int n;

	for (n = 0; n < PMU_NR; n++)
		armvmm_pmu_stop(pmu, n);
}

static void pmu_go(struct armvmm_pmu *pmu, unsigned int n, u8 config)
{
	struct armvmm_pmu_counter *c = &pmu->counter[n];

	c->shift = n == PMU_CYCLE && pmu->pmcr & PMCR_D ? PMU_DIVIDER_SHIFT : 0;
	c->start = pmu_start(c->value, c->shift);
	c->wraps = 0;
	c->config = config;
	c->event = armvmm_pmu_event_begin(c, config, pmu_period(c->start, 0, c->shift));
	if (c->event)
		pmu->running |= BIT(n);
}

/* Makes the events what the registers ask for. Old ones end before new ones begin. */
static void pmu_follow(struct armvmm_pmu *pmu)
{
	u32 wanted = pmu_wanted_mask(pmu);
	struct armvmm_pmu_counter *c;
	unsigned int n;

	for (n = 0; n < PMU_NR; n++) {
		c = &pmu->counter[n];
		if (c->event && (!(wanted & BIT(n)) || c->config != pmu_config(pmu, n, wanted) ||
				 !armvmm_pmu_event_alive(c->event)))
			armvmm_pmu_stop(pmu, n);
	}
	for (n = 0; n < PMU_NR; n++)
		if (wanted & BIT(n) && !pmu->counter[n].event)
			pmu_go(pmu, n, pmu_config(pmu, n, wanted));
	pmu->task = current;
	pmu->dirty = false;
}

u32 armvmm_pmu_overflows(struct armvmm_pmu *pmu)
{
	struct armvmm_pmu_counter *c;

	for (c = pmu->counter; c < pmu->counter + PMU_NR; c++)
		if (c->event)
			pmu_account(c, armvmm_pmu_event_count(c->event));
	return READ_ONCE(pmu->overflow);
}

void armvmm_pmu_clear_overflow(struct armvmm_pmu *pmu, u32 mask)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pmu->lock, flags);
	pmu->overflow &= ~mask;
	raw_spin_unlock_irqrestore(&pmu->lock, flags);
}

void armvmm_pmu_set_overflow(struct armvmm_pmu *pmu, u32 mask)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pmu->lock, flags);
	pmu->overflow |= mask & armvmm_pmu_mask();
	raw_spin_unlock_irqrestore(&pmu->lock, flags);
}

/* Non-secure PL1 and PL0 are counted where two bits of the filter agree (B4.1.126). */
static bool pmu_filtered(u32 type, bool user)
{
	if (user)
		return !(type & PMU_TYPE_U) != !(type & PMU_TYPE_NSU);
	return !(type & PMU_TYPE_P) != !(type & PMU_TYPE_NSK);
}

void armvmm_pmu_increment(struct armvmm_pmu *pmu, u32 mask, bool user)
{
	struct armvmm_pmu_counter *c;
	unsigned int n;

	if (!(pmu->pmcr & PMCR_E))
		return;
	for (n = 0; n < armvmm_pmu_nr(); n++) {
		c = &pmu->counter[n];
		if (!(mask & pmu->enable & BIT(n)) || pmu_filtered(c->type, user) ||
		    (c->type & PMU_TYPE_EVENT) != PMU_EVENT_SW_INCR)
			continue;
		if (!++c->value)
			armvmm_pmu_set_overflow(pmu, BIT(n));
	}
}

bool armvmm_pmu_level(const struct armvmm_pmu *pmu)
{
	return pmu->pmcr & PMCR_E && READ_ONCE(pmu->overflow) & pmu->inten;
}

static void pmu_update_level(struct armvmm_pmu *pmu)
{
	struct armvmm_vcpu *vcpu = pmu->vcpu;
	bool level = armvmm_pmu_level(pmu);

	if (level == pmu->level)
		return;
	pmu->level = level;
	if (pmu->created && armvmm_vgic_in_kernel(&vcpu->vm->vgic))
		armvmm_vgic_inject(vcpu->vm, vcpu, pmu->irq, level, pmu);
}

void armvmm_pmu_prepare(struct armvmm_vcpu *vcpu)
{
	struct armvmm_pmu *pmu = vcpu->pmu;

	/* An event belongs to a thread, and would not count in another one. */
	if (unlikely(pmu->running && pmu->task != current))
		armvmm_pmu_stop_all(pmu);
	if (pmu->dirty)
		pmu_follow(pmu);
	pmu_update_level(pmu);
}

void armvmm_pmu_load(struct armvmm_vcpu *vcpu)
{
	struct armvmm_pmu *pmu = vcpu->pmu;
	struct hyp_pmu *hyp = &vcpu->hyp->pmu;
	struct armvmm_pmu_counter *c;
	u32 running = pmu->running;
	unsigned int n, nr = 0;

	while (running) {
		n = __ffs(running);
		running &= ~BIT(n);
		c = &pmu->counter[n];
		if (!armvmm_pmu_event_loaded(c->event, &hyp->counter[nr].select,
					     &hyp->counter[nr].host_type))
			continue;
		hyp->counter[nr].guest_type = (hyp->counter[nr].host_type & PMU_TYPE_EVENT) |
					      (c->type & PMU_TYPE_FILTER);
		nr++;
	}
	hyp->nr = nr;
	hyp->userenr = pmu->userenr;
	vcpu->hyp->rare.pmu = nr || pmu->userenr;
}

bool armvmm_pmu_update_run(struct armvmm_vcpu *vcpu)
{
	u64 was = vcpu->run->s.regs.device_irq_level, now = was & ~(u64)KVM_ARM_DEV_PMU;

	if (armvmm_vgic_in_kernel(&vcpu->vm->vgic))
		return false;
	if (armvmm_pmu_level(vcpu->pmu))
		now |= KVM_ARM_DEV_PMU;
	if (now == was)
		return false;
	vcpu->run->s.regs.device_irq_level = now;
	return true;
}

int armvmm_pmu_vcpu_create(struct armvmm_vcpu *vcpu)
{
	struct armvmm_pmu *pmu;
	unsigned int n;

	if (!armvmm_pmu_host.present)
		return -EINVAL;
	pmu = kzalloc(sizeof(*pmu), GFP_KERNEL_ACCOUNT);
	if (!pmu)
		return -ENOMEM;
	pmu->vcpu = vcpu;
	raw_spin_lock_init(&pmu->lock);
	for (n = 0; n < PMU_NR; n++)
		pmu->counter[n].pmu = pmu;
	/* Other vCPUs' threads look at which interrupt it has. */
	smp_store_release(&vcpu->pmu, pmu);
	return 0;
}

/* What is UNKNOWN at reset is zero (B4.1.116 and following). */
void armvmm_pmu_vcpu_reset(struct armvmm_vcpu *vcpu)
{
	struct armvmm_pmu *pmu = vcpu->pmu;
	unsigned int n;

	if (!pmu)
		return;
	armvmm_pmu_stop_all(pmu);
	armvmm_pmu_clear_overflow(pmu, ~0u);
	pmu->pmcr = 0;
	pmu->enable = 0;
	pmu->inten = 0;
	pmu->select = 0;
	pmu->userenr = 0;
	for (n = 0; n < PMU_NR; n++) {
		pmu->counter[n].value = 0;
		pmu->counter[n].type = 0;
	}
	pmu_update_level(pmu);
}

void armvmm_pmu_vcpu_destroy(struct armvmm_vcpu *vcpu)
{
	if (!vcpu->pmu)
		return;
	armvmm_pmu_stop_all(vcpu->pmu);
	kfree(vcpu->pmu);
}

int armvmm_pmu_enable(struct armvmm_vcpu *vcpu)
{
	if (!vcpu->pmu->created)
		return -EINVAL;
	/* Without a vGIC nothing could deliver the interrupt that was set. */
	if (!armvmm_vgic_in_kernel(&vcpu->vm->vgic) && vcpu->pmu->irq)
		return -EINVAL;
	return 0;
}

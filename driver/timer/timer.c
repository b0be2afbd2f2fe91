// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic timers of a vCPU (DDI 0406C B8). The virtual one is the
 * hardware's while the guest runs; while its vCPU sleeps an hrtimer stands in.
 * The physical one is emulated: its hrtimer is armed whenever it can fire.
 *
 * All state but phys_level belongs to the vCPU's thread. phys_level is also
 * written by the hrtimer's handler, which hrtimer_cancel() keeps away first.
 */
#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>

#include "arch/archregs.h"
#include "arch/gic.h"
#include "compat/compat.h"
#include "core/kick.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "timer/timer.h"
#include "timer/timer_host.h"
#include "timer/timer_math.h"
#include "timer/timer_user.h"
#include "vgic/vgic.h"

/* Read by vCPUs as they enter while another sets it: 64 bits at once. */
static u64 timer_cntvoff_get(struct armvmm_vm *vm)
{
	return atomic64_read(&vm->cntvoff);
}

void armvmm_timer_set_cntvoff(struct armvmm_vm *vm, u64 cntvoff)
{
	atomic64_set(&vm->cntvoff, cntvoff);
}

u64 armvmm_timer_virt_now(struct armvmm_vcpu *vcpu)
{
	return armvmm_timer_now() - timer_cntvoff_get(vcpu->vm);
}

/* The virtual timer's line by the state that the last exit left, and the clock. */
static bool timer_virt_line(struct armvmm_vcpu *vcpu)
{
	struct hyp_vcpu *hyp = vcpu->hyp;

	if (!timer_can_fire(hyp->cntv_ctl))
		return false;
	if (hyp->cntv_ctl & CNT_CTL_ISTATUS)
		return true;
	return !timer_ticks_left(armvmm_timer_virt_now(vcpu), hyp->cntv_cval);
}

/* What the vGIC samples: it must not see the line rise before this file does. */
static bool timer_virt_level(struct armvmm_vcpu *vcpu)
{
	return vcpu->timer.virt_level;
}

static void timer_inject(struct armvmm_vcpu *vcpu, u32 irq, bool level)
{
	struct armvmm_timer_vcpu *timer = &vcpu->timer;

	/* Until the first RUN the vGIC does not take it: armvmm_timer_enable() tells it. */
	if (timer->irqs_fixed && armvmm_vgic_in_kernel(&vcpu->vm->vgic))
		armvmm_vgic_inject(vcpu->vm, vcpu, irq, level, timer);
}

static void timer_set_virt_level(struct armvmm_vcpu *vcpu, bool level)
{
	vcpu->timer.virt_level = level;
	timer_inject(vcpu, vcpu->timer.virt_irq, level);
}

/* The vGIC is told of changes alone. */
static void timer_virt_is(struct armvmm_vcpu *vcpu, bool level)
{
	if (level != vcpu->timer.virt_level)
		timer_set_virt_level(vcpu, level);
}

/*
 * ISTATUS says what the clock said at the last exit, and the line follows it: both are void.
 * Before the first RUN the line is low, and what comes before the first entry finds it as it is.
 */
void armvmm_timer_virt_changed(struct armvmm_vcpu *vcpu)
{
	bool level;

	vcpu->hyp->cntv_ctl &= ~CNT_CTL_ISTATUS;
	level = vcpu->timer.irqs_fixed && timer_virt_line(vcpu);
	timer_virt_is(vcpu, level);
}

static void timer_set_phys_level(struct armvmm_vcpu *vcpu, bool level)
{
	struct armvmm_timer_vcpu *timer = &vcpu->timer;

	if (READ_ONCE(timer->phys_level) == level)
		return;
	WRITE_ONCE(timer->phys_level, level);
	timer_inject(vcpu, timer->phys_irq, level);
}

static void timer_notify(struct armvmm_vcpu *vcpu)
{
	armvmm_vcpu_request(vcpu, VCPU_REQ_IRQ_PENDING);
	armvmm_vcpu_kick(vcpu);
}

/*
 * CLOCK_MONOTONIC may run a little faster than the counter: an hrtimer that is
 * early waits for the rest. True where it must.
 */
static bool timer_restart(struct hrtimer *hrtimer, u64 ticks)
{
	if (!ticks)
		return false;
	hrtimer_forward_now(hrtimer, ns_to_ktime(timer_cycles_to_ns(ticks, armvmm_timer_freq())));
	return true;
}

static enum hrtimer_restart timer_wakeup_handler(struct hrtimer *hrtimer)
{
	struct armvmm_vcpu *vcpu = container_of(hrtimer, struct armvmm_vcpu, timer.wakeup);
	u64 now = armvmm_timer_virt_now(vcpu) + vcpu->timer.lead;

	if (timer_restart(hrtimer, timer_ticks_left(now, vcpu->hyp->cntv_cval)))
		return HRTIMER_RESTART;
	timer_notify(vcpu);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart timer_phys_handler(struct hrtimer *hrtimer)
{
	struct armvmm_vcpu *vcpu = container_of(hrtimer, struct armvmm_vcpu, timer.phys);

	if (timer_restart(hrtimer, timer_ticks_left(armvmm_timer_now(), vcpu->timer.cntp_cval)))
		return HRTIMER_RESTART;
	timer_set_phys_level(vcpu, true);
	timer_notify(vcpu);
	return HRTIMER_NORESTART;
}

static void timer_arm(struct hrtimer *hrtimer, u64 ticks)
{
	u64 ns = timer_cycles_to_ns(ticks, armvmm_timer_freq());

	hrtimer_start(hrtimer, ns_to_ktime(ns), HRTIMER_MODE_REL_HARD);
}

/* Line and hrtimer of the physical timer, which is stopped, as CTL and CVAL say. */
static void timer_phys_update(struct armvmm_vcpu *vcpu)
{
	struct armvmm_timer_vcpu *timer = &vcpu->timer;
	bool can_fire = timer_can_fire(timer->cntp_ctl);
	u64 left = timer_ticks_left(armvmm_timer_now(), timer->cntp_cval);

	timer_set_phys_level(vcpu, can_fire && !left);
	if (can_fire && left)
		timer_arm(&timer->phys, left);
}

u64 armvmm_timer_phys_read(struct armvmm_vcpu *vcpu, enum armvmm_timer_reg reg)
{
	struct armvmm_timer_vcpu *timer = &vcpu->timer;
	u64 now = armvmm_timer_now();

	switch (reg) {
	case TIMER_REG_CTL:
		return timer_ctl_read(timer->cntp_ctl, now, timer->cntp_cval);
	case TIMER_REG_TVAL:
		return timer_cval_to_tval(now, timer->cntp_cval);
	case TIMER_REG_CVAL:
		return timer->cntp_cval;
	default:
		return now;
	}
}

void armvmm_timer_phys_write(struct armvmm_vcpu *vcpu, enum armvmm_timer_reg reg, u64 val)
{
	struct armvmm_timer_vcpu *timer = &vcpu->timer;

	hrtimer_cancel(&timer->phys);
	switch (reg) {
	case TIMER_REG_CTL:
		timer->cntp_ctl = val & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
		break;
	case TIMER_REG_TVAL:
		timer->cntp_cval = timer_tval_to_cval(armvmm_timer_now(), (u32)val);
		break;
	case TIMER_REG_CVAL:
		timer->cntp_cval = val;
		break;
	case TIMER_REG_CNT:
		break;
	}
	timer_phys_update(vcpu);
}

void armvmm_timer_vm_init(struct armvmm_vm *vm)
{
	armvmm_timer_set_cntvoff(vm, armvmm_timer_now());
}

void armvmm_timer_counter_changed(struct armvmm_vcpu *vcpu)
{
	/* The host's clocks stood still, and the counter may not have: it waits anew. */
	hrtimer_cancel(&vcpu->timer.phys);
	timer_phys_update(vcpu);
	armvmm_timer_virt_changed(vcpu);
}

void armvmm_timer_vm_resumed(struct armvmm_vm *vm, u64 virt, u64 phys)
{
	struct armvmm_vcpu *vcpu;
	int i;

	atomic64_add(virt, &vm->cntvoff);
	armvmm_vcpus_for_each(i, vcpu, vm) {
		if (!phys)
			break;
		hrtimer_cancel(&vcpu->timer.phys);
		vcpu->timer.cntp_cval += phys;
	}
	armvmm_kick_all(vm, VCPU_REQ_COUNTER, NULL);
}

void armvmm_timer_vcpu_init(struct armvmm_vcpu *vcpu)
{
	struct armvmm_timer_vcpu *timer = &vcpu->timer;

	hrtimer_setup(&timer->wakeup, timer_wakeup_handler, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_HARD);
	hrtimer_setup(&timer->phys, timer_phys_handler, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	timer->virt_irq = ARMVMM_TIMER_VIRT_PPI;
	timer->phys_irq = ARMVMM_TIMER_PHYS_PPI;
}

/* ENABLE is zero at reset, B4.1.31: both lines fall. */
void armvmm_timer_vcpu_reset(struct armvmm_vcpu *vcpu)
{
	struct armvmm_timer_vcpu *timer = &vcpu->timer;

	hrtimer_cancel(&timer->phys);
	timer->cntp_ctl = 0;
	timer->cntp_cval = 0;
	timer_set_phys_level(vcpu, false);

	vcpu->hyp->cntv_ctl = 0;
	vcpu->hyp->cntv_cval = 0;
	if (timer->virt_level)
		timer_set_virt_level(vcpu, false);
}

void armvmm_timer_vcpu_destroy(struct armvmm_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->timer.phys);
	hrtimer_cancel(&vcpu->timer.wakeup);
}

/* One PPI for each timer on all vCPUs, as KVM wants it, and no other device's. */
static bool timer_irqs_valid(struct armvmm_vcpu *vcpu)
{
	struct armvmm_timer_vcpu *timer = &vcpu->timer;
	struct armvmm_vcpu *other;
	int i;

	if (timer->virt_irq == timer->phys_irq)
		return false;
	armvmm_vcpus_for_each(i, other, vcpu->vm)
		if (other->timer.virt_irq != timer->virt_irq ||
		    other->timer.phys_irq != timer->phys_irq)
			return false;
	return !armvmm_vgic_set_owner(vcpu, timer->virt_irq, timer) &&
	       !armvmm_vgic_set_owner(vcpu, timer->phys_irq, timer);
}

int armvmm_timer_enable(struct armvmm_vcpu *vcpu)
{
	struct armvmm_timer_vcpu *timer = &vcpu->timer;
	struct armvmm_vm *vm = vcpu->vm;
	int err;

	if (timer->irqs_fixed)
		return 0;
	if (armvmm_vgic_in_kernel(&vm->vgic)) {
		if (!vm->vgic.initialized)
			return -ENODEV;
		if (!timer_irqs_valid(vcpu))
			return -EINVAL;
		err = armvmm_vgic_map_phys(vcpu, timer->virt_irq, armvmm_timer_host_hwirq(),
					   timer_virt_level);
		if (err)
			return err;
		if (armvmm_timer_host_in_hyp())
			vcpu->hyp->cntv_irq = armvmm_vgic_phys_irq(vcpu, timer->virt_irq);
	}
	/* The physical timer may have fired since the client set it. */
	hrtimer_cancel(&timer->phys);
	timer_set_phys_level(vcpu, false);
	timer->irqs_fixed = true;
	timer_phys_update(vcpu);
	return 0;
}

/*
 * The PPI is held back while the interrupt is the guest's to deal with: the
 * line is high, or it was, and the guest has not deactivated it. Without the
 * second half all would work, with more exits.
 */
void timer_flush_line(struct armvmm_vcpu *vcpu)
{
	struct armvmm_timer_vcpu *timer = &vcpu->timer;
	bool hold = timer->virt_level;

	if (!hold && armvmm_vgic_in_kernel(&vcpu->vm->vgic))
		hold = armvmm_vgic_phys_active(vcpu, timer->virt_irq);
	armvmm_timer_host_hold(hold);
}

/*
 * A hardware list register that held the interrupt at entry and is empty now:
 * the guest deactivated it, and the GIC the physical one (IHI 0048B 3.6.2).
 */
static bool timer_was_deactivated(struct armvmm_vcpu *vcpu)
{
	const struct hyp_vgic *vgic = &vcpu->hyp->vgic;
	unsigned int i;

	for (i = 0; i < vgic->used_lrs && i < HYP_MAX_LRS; i++)
		if ((vgic->lr[i] & GICH_LR_HW) &&
		    (vgic->lr[i] & GICH_LR_VIRTUALID) == vcpu->timer.virt_irq)
			return vgic->elrsr[i / 32] >> i % 32 & 1;
	return false;
}

/*
 * That the PPI is held does not say that it is active. The GIC may have ended the state after it
 * was made active, for an end by the guest that came earlier, or lost it over a power state. Where
 * the line is high, the PPI may then be what ends each turn of the guest before its first
 * instruction. HYP mode sees to that while a list register shows the interrupt; if none does, as
 * the guest has disabled it, it is done here after a turn that an interrupt ended (docs/silicon.md
 * S9).
 */
void timer_sync_line(struct armvmm_vcpu *vcpu, bool irq)
{
	struct hyp_vcpu *hyp = vcpu->hyp;
	bool level = timer_is_high(hyp->cntv_ctl), known = false;

	/* If HYP mode held the PPI, it did so for a list register. */
	if (hyp->vgic.used_lrs) {
		if (hyp->cntv_held) {
			hyp->cntv_held = 0;
			armvmm_timer_host_was_held();
			known = true;
		}
		if (armvmm_timer_host_held() && timer_was_deactivated(vcpu))
			armvmm_timer_host_released();
	}

	if (unlikely(level && irq) && !known && armvmm_timer_host_held())
		armvmm_timer_host_set(true);
	timer_virt_is(vcpu, level);
}

/*
 * A line that rises is passed on at once, which spares the exit that an expired
 * timer would make at the entry. What the vGIC has is the vGIC's to judge.
 */
bool armvmm_timer_pending(struct armvmm_vcpu *vcpu)
{
	bool rises = !vcpu->timer.virt_level && timer_virt_line(vcpu);

	if (rises)
		timer_set_virt_level(vcpu, true);
	if (armvmm_vgic_in_kernel(&vcpu->vm->vgic))
		return rises;
	return vcpu->timer.virt_level || READ_ONCE(vcpu->timer.phys_level);
}

/*
 * The host takes its time from the hrtimer's interrupt to the vCPU's thread:
 * the hrtimer is set early by as much as that took recently.
 */
void armvmm_timer_block(struct armvmm_vcpu *vcpu)
{
	struct hyp_vcpu *hyp = vcpu->hyp;
	u64 left;

	vcpu->timer.wakeup_armed = false;
	/* A line that is high already wakes by the vGIC, or not at all. */
	if (!timer_can_fire(hyp->cntv_ctl) || (hyp->cntv_ctl & CNT_CTL_ISTATUS))
		return;
	left = timer_ticks_left(armvmm_timer_virt_now(vcpu), hyp->cntv_cval);
	vcpu->timer.wakeup_armed = true;
	timer_arm(&vcpu->timer.wakeup, left - min_t(u64, left, vcpu->timer.lead));
}

/* How often the clock is looked at before what else may end a wait: some 0.5 us on silicon. */
#define TIMER_LOOKS	8

/*
 * Looks at the clock so often that it is seen soon that @end has come; false then. What else ends
 * the wait takes longer to look at.
 */
static bool timer_is_ahead(u64 end)
{
	unsigned int looks;

	for (looks = 0; looks < TIMER_LOOKS; looks++) {
		if (!timer_ticks_left(armvmm_timer_now(), end))
			return false;
		cpu_relax();
	}
	return true;
}

/*
 * Waits for the deadline after a wake-up that was set early by @lead: that long at most, also where
 * the client sets the counter back meanwhile.
 */
static void timer_await(struct armvmm_vcpu *vcpu, u64 lead)
{
	u64 end = vcpu->hyp->cntv_cval + timer_cntvoff_get(vcpu->vm);

	if (timer_ticks_left(armvmm_timer_now(), end) > lead)
		return;
	while (timer_is_ahead(end) && !need_resched() && !signal_pending(current) &&
	       !armvmm_vgic_pending(vcpu))
		;
}

void armvmm_timer_unblock(struct armvmm_vcpu *vcpu)
{
	struct armvmm_timer_vcpu *timer = &vcpu->timer;
	u64 now, early, lead = timer->lead;

	if (!hrtimer_cancel(&timer->wakeup) && timer->wakeup_armed) {
		now = armvmm_timer_virt_now(vcpu);
		early = vcpu->hyp->cntv_cval - lead;
		timer->lead = timer_next_lead(lead, timer_ticks_left(early, now),
					      armvmm_timer_freq());
		timer_await(vcpu, lead);
	}
	armvmm_timer_pending(vcpu);
}

static u64 timer_user_level(struct armvmm_vcpu *vcpu)
{
	u64 level = 0;

	if (vcpu->timer.virt_level)
		level |= KVM_ARM_DEV_EL1_VTIMER;
	if (READ_ONCE(vcpu->timer.phys_level))
		level |= KVM_ARM_DEV_EL1_PTIMER;
	return level;
}

#define TIMER_USER_MASK		((u64)(KVM_ARM_DEV_EL1_VTIMER | KVM_ARM_DEV_EL1_PTIMER))

bool armvmm_timer_should_notify_user(struct armvmm_vcpu *vcpu)
{
	if (armvmm_vgic_in_kernel(&vcpu->vm->vgic))
		return false;
	return timer_user_level(vcpu) != (vcpu->run->s.regs.device_irq_level & TIMER_USER_MASK);
}

bool armvmm_timer_update_run(struct armvmm_vcpu *vcpu)
{
	if (!armvmm_timer_should_notify_user(vcpu))
		return false;
	/* The PMU sets its own bit. */
	vcpu->run->s.regs.device_irq_level = timer_user_level(vcpu) |
		(vcpu->run->s.regs.device_irq_level & ~TIMER_USER_MASK);
	return true;
}

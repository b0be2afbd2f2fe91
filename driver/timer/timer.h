/* SPDX-License-Identifier: GPL-2.0-only */
/* The generic timers of a vCPU: virtual on hardware, physical emulated. */
#ifndef ARMVMM_TIMER_H
#define ARMVMM_TIMER_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/types.h>

#include "arch/archregs.h"
#include "core/state.h"
#include "timer/timer_host.h"
#include "timer/timer_math.h"

struct kvm_one_reg;
struct kvm_device_attr;

#define ARMVMM_TIMER_VIRT_PPI	27
#define ARMVMM_TIMER_PHYS_PPI	30

/* Module: finds CNTFRQ, requests the host's virtual timer PPI (linux irq). */
int armvmm_timer_init(void);
void armvmm_timer_exit(void);
/* On each CPU as it is taken over / given back (enable/disable_percpu_irq). */
void armvmm_timer_cpu_up(void);
void armvmm_timer_cpu_down(void);

void armvmm_timer_vm_init(struct armvmm_vm *vm);
/*
 * The host was suspended, and all programs still are: of the ticks of its counter that went by,
 * @virt do not pass for the VM's virtual timers, and @phys not for what its physical timers wait
 * for. Modulo 2^64, as the counter may have gone back.
 */
void armvmm_timer_vm_resumed(struct armvmm_vm *vm, u64 virt, u64 phys);
void armvmm_timer_vcpu_init(struct armvmm_vcpu *vcpu);
void armvmm_timer_vcpu_reset(struct armvmm_vcpu *vcpu);
void armvmm_timer_vcpu_destroy(struct armvmm_vcpu *vcpu);
/* First RUN: checks PPIs, maps the virtual timer's PPI to the host's in the vGIC. */
int armvmm_timer_enable(struct armvmm_vcpu *vcpu);

/*
 * The client has set the virtual timer. The vCPU is out of the guest: its thread, or with its
 * mutex.
 */
void armvmm_timer_virt_changed(struct armvmm_vcpu *vcpu);
/* The VM's counter was set, or the host suspended (VCPU_REQ_COUNTER). The vCPU's thread. */
void armvmm_timer_counter_changed(struct armvmm_vcpu *vcpu);
/* The rest of the two that follow: where the line is or was high, or the PPI held. */
void timer_flush_line(struct armvmm_vcpu *vcpu);
void timer_sync_line(struct armvmm_vcpu *vcpu, bool irq);

/* Before an entry, IRQs off: sets hyp->cntvoff, and holds the host's PPI back or lets it go. */
static inline void armvmm_timer_flush(struct armvmm_vcpu *vcpu)
{
	/* Another vCPU may set it: 64 bits at once. */
	vcpu->hyp->cntvoff = atomic64_read(&vcpu->vm->cntvoff);
	if (unlikely(vcpu->timer.virt_level || armvmm_timer_host_held()))
		timer_flush_line(vcpu);
}

/*
 * After an exit, which an interrupt of the host's caused (@irq); IRQs off still. HYP has saved
 * hyp->cntv_ctl and cval. Nothing is to be done if the line is low and was so, and the PPI was not
 * held while a list register was in use.
 */
static inline void armvmm_timer_sync(struct armvmm_vcpu *vcpu, bool irq)
{
	const struct hyp_vcpu *hyp = vcpu->hyp;

	if (unlikely(timer_is_high(hyp->cntv_ctl) || vcpu->timer.virt_level ||
		     (hyp->vgic.used_lrs && (hyp->cntv_held || armvmm_timer_host_held()))))
		timer_sync_line(vcpu, irq);
}

/* Around a sleep in WFI: arms and cancels the wake-up timer. */
void armvmm_timer_block(struct armvmm_vcpu *vcpu);
void armvmm_timer_unblock(struct armvmm_vcpu *vcpu);
/*
 * True where a timer's line is high and the vGIC has not heard of it, or there
 * is no vGIC: WFI must not sleep. Tells the vGIC. The vCPU's thread.
 */
bool armvmm_timer_pending(struct armvmm_vcpu *vcpu);
/* User-space irqchip: writes run->s.regs.device_irq_level; true if it changed. */
bool armvmm_timer_update_run(struct armvmm_vcpu *vcpu);
bool armvmm_timer_should_notify_user(struct armvmm_vcpu *vcpu);

/* cp15 accesses to the physical timer that were trapped (HSR fields decoded by cp15.c). */
enum armvmm_timer_reg { TIMER_REG_CTL, TIMER_REG_TVAL, TIMER_REG_CVAL, TIMER_REG_CNT };
u64 armvmm_timer_phys_read(struct armvmm_vcpu *vcpu, enum armvmm_timer_reg reg);
void armvmm_timer_phys_write(struct armvmm_vcpu *vcpu, enum armvmm_timer_reg reg, u64 val);

/* ONE_REG of the timers; -ENOENT when the id is none of theirs. */
bool armvmm_timer_is_reg(u64 id);
unsigned long armvmm_timer_count(void);
int armvmm_timer_list(struct armvmm_vcpu *vcpu, u64 __user **ids);
int armvmm_timer_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
int armvmm_timer_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);

/* vCPU device attributes, group KVM_ARM_VCPU_TIMER_CTRL. */
int armvmm_timer_set_attr(struct armvmm_vcpu *vcpu, struct kvm_device_attr *attr);
int armvmm_timer_get_attr(struct armvmm_vcpu *vcpu, struct kvm_device_attr *attr);
int armvmm_timer_has_attr(struct armvmm_vcpu *vcpu, struct kvm_device_attr *attr);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* The run loop: what happens before an entry and after an exit. exit.c knows what an exit means. */
#include <linux/kernel.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>

#include "arch/archregs.h"
#include "arch/gic.h"
#include "compat/compat.h"
#include "core/kick.h"
#include "core/state.h"
#include "core/trace.h"
#include "debug/debug.h"
#include "eventfd/eventfd.h"
#include "host/cpukind.h"
#include "host/hypcpu.h"
#include "mem/vmid.h"
#include "mmio/mmio.h"
#include "pmu/pmu.h"
#include "regs/psci.h"
#include "run/exit.h"
#include "run/halt.h"
#include "run/run.h"
#include "timer/timer.h"
#include "vgic/loaded.h"
#include "vgic/vgic.h"

/* A vCPU that is off sleeps here. -EINTR for a signal. */
static int run_wait_power(struct armvmm_vcpu *vcpu)
{
	while (READ_ONCE(vcpu->power_off)) {
		rcuwait_wait_event(&vcpu->wait,
				   signal_pending(current) || !READ_ONCE(vcpu->power_off),
				   TASK_INTERRUPTIBLE);
		if (signal_pending(current))
			return -EINTR;
	}
	/* From here on this thread sees what CPU_ON wrote before it cleared power_off. */
	smp_rmb();
	return 0;
}

/*
 * All that is to be done before an entry: requests, power_off among them, signals, and another
 * thread that wants the CPU. Whoever sets power_off requests VCPU_REQ_SLEEP afterwards.
 */
static bool run_has_work(const struct armvmm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests) | compat_thread_work();
}

/* Does it. -EINTR for a signal. */
static int run_work(struct armvmm_vcpu *vcpu)
{
	int ret;

	if (need_resched())
		cond_resched();
	if (armvmm_vcpu_check_request(vcpu, VCPU_REQ_SLEEP)) {
		ret = run_wait_power(vcpu);
		if (ret) {
			/* It is off still: the next RUN waits, too. */
			armvmm_vcpu_request(vcpu, VCPU_REQ_SLEEP);
			return ret;
		}
	}
	if (armvmm_vcpu_check_request(vcpu, VCPU_REQ_RESET)) {
		armvmm_vgic_unload(vcpu);
		armvmm_psci_start(vcpu);
	}
	armvmm_vcpu_check_request(vcpu, VCPU_REQ_IRQ_PENDING);
	/* Those that are rare have the highest numbers. */
	if (unlikely(READ_ONCE(vcpu->requests) >> VCPU_REQ_WFI)) {
		if (armvmm_vcpu_check_request(vcpu, VCPU_REQ_COUNTER))
			armvmm_timer_counter_changed(vcpu);
		if (armvmm_vcpu_check_request(vcpu, VCPU_REQ_WFI))
			armvmm_halt(vcpu);
	}
	if (signal_pending(current)) {
		vcpu->stat.signal_exits++;
		return -EINTR;
	}
	return 1;
}

/* First RUN: everything that depends on all vCPUs and devices being there. */
static int run_first(struct armvmm_vcpu *vcpu)
{
	int ret;

	if (likely(vcpu->has_run_once))
		return 0;
	if (armvmm_vgic_in_kernel(&vcpu->vm->vgic)) {
		ret = armvmm_vgic_map_resources(vcpu->vm);
		if (ret)
			return ret;
	}
	ret = vcpu->pmu ? armvmm_pmu_enable(vcpu) : 0;
	if (ret)
		return ret;
	/* Makes the VM's PPIs final: no other thread may change them meanwhile. */
	mutex_lock(&vcpu->vm->lock);
	ret = armvmm_timer_enable(vcpu);
	mutex_unlock(&vcpu->vm->lock);
	if (ret)
		return ret;
	WRITE_ONCE(vcpu->has_run_once, true);
	return 0;
}

/* The lines of a user-space irqchip are levels in HCR (DDI 0406C B1.8.11). */
static void run_set_irq_lines(struct armvmm_vcpu *vcpu)
{
	unsigned long lines = READ_ONCE(vcpu->irq_lines);
	u32 hcr = vcpu->hyp->hcr & ~(HCR_VI | HCR_VF);

	if (lines & BIT(VCPU_IRQ_LINE_IRQ))
		hcr |= HCR_VI;
	if (lines & BIT(VCPU_IRQ_LINE_FIQ))
		hcr |= HCR_VF;
	vcpu->hyp->hcr = hcr;
}

/*
 * A step that takes no interrupt (KVM_GUESTDBG_BLOCKIRQ): those in list registers are not signalled
 * while GICH_HCR.En is clear, nor is maintenance (IHI 0048B 5.3.2).
 */
static void run_block_irqs(struct armvmm_vcpu *vcpu)
{
	vcpu->hyp->vgic.hcr &= ~GICH_HCR_En;
	vcpu->hyp->hcr &= ~(HCR_VI | HCR_VF);
}

/* This CPU cannot enter the guest, now or later: the client has to deal with it. */
static int run_fail_entry(struct armvmm_vcpu *vcpu, u64 reason)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = reason;
	run->fail_entry.cpu = smp_processor_id();
	return -EIO;
}

/*
 * The guest sees the MIDR of one part, and works around its errata, so it stays on such CPUs. This
 * one may be of another release of the part: then HYP mode shows the guest the vCPU's own.
 */
static bool run_is_part(struct armvmm_vcpu *vcpu)
{
	u32 differs = armvmm_cpukind_this()->regs.midr ^ vcpu->hyp->vpidr;

	if (armvmm_cpukind_part(differs))
		return false;
	vcpu->hyp->rare.vpidr = differs != 0;
	return true;
}

/*
 * Enters the guest once. Preemption is off. @plain: as run_is_plain(). Returns HYP_EXIT_*; -EAGAIN
 * if something has to be handled before the entry; or -EIO by run_fail_entry().
 */
static int run_enter(struct armvmm_vcpu *vcpu, bool plain)
{
	bool vgic = plain || armvmm_vgic_in_kernel(&vcpu->vm->vgic);
	int code;

	if (vgic)
		armvmm_vgic_prepare(vcpu);
	/*
	 * Traced with interrupts on: a tracer that wakes up for each event (perf trace) sends
	 * itself an interrupt, which would end each entry before the guest runs. So an entry that
	 * is put off is traced too.
	 */
	trace_armvmm_entry(vcpu->id, vcpu->hyp);
	local_irq_disable();
	if (unlikely(!armvmm_hypcpu_ready())) {
		/*
		 * A CPU that goes offline still runs its threads for a while, until they are moved.
		 */
		code = cpu_active(smp_processor_id()) ?
			       run_fail_entry(vcpu, ARMVMM_FAIL_ENTRY_NO_HYP) :
			       -EAGAIN;
		local_irq_enable();
		return code;
	}
	/*
	 * A guest that its client debugs does not run where it could not be stopped. A guest's own
	 * breakpoints have no effect there (hyp_debug_load() checks again).
	 */
	if (unlikely(vcpu->hyp->debug.mode == HYP_DEBUG_LOAD) &&
	    vcpu->debug.owner == DEBUG_OWNER_CLIENT && !armvmm_hypcpu_debug_ok()) {
		local_irq_enable();
		return run_fail_entry(vcpu, ARMVMM_FAIL_ENTRY_NO_DEBUG);
	}
	/* A CPU may have become another one since the thread was last here (BL_SWITCHER). */
	if (unlikely(READ_ONCE(vcpu->loaded_cpu) != smp_processor_id()) && !run_is_part(vcpu)) {
		local_irq_enable();
		return run_fail_entry(vcpu, ARMVMM_FAIL_ENTRY_OTHER_PART);
	}
	armvmm_vmid_update(vcpu);
	/* Pairs with armvmm_vcpu_kick() and with the order of requests. */
	smp_store_mb(vcpu->mode, VCPU_IN_GUEST);
	if (unlikely(run_has_work(vcpu))) {
		smp_store_release(&vcpu->mode, VCPU_OUTSIDE);
		local_irq_enable();
		return -EAGAIN;
	}

	if (unlikely(READ_ONCE(vcpu->loaded_cpu) != smp_processor_id()))
		armvmm_vgic_claim(vcpu);
	armvmm_timer_flush(vcpu);
	if (vgic)
		armvmm_vgic_flush(vcpu);
	else
		run_set_irq_lines(vcpu);
	if (!plain && vcpu->debug.irq_blocked)
		run_block_irqs(vcpu);
	if (!plain && vcpu->pmu)
		armvmm_pmu_load(vcpu);

	compat_guest_enter_irqoff(&vcpu->rcu_noted);
	code = armvmm_hyp_call(HYP_CALL_RUN, (u32)vcpu->hyp, 0);
	compat_guest_exit_irqoff();
	/* List registers that stay as they are keep it, too. */
	if (!plain && vcpu->debug.irq_blocked)
		vcpu->hyp->vgic.hcr |= GICH_HCR_En;
	if (unlikely(code == HYP_STUB_ERROR)) {
		/*
		 * Somebody took HYP mode away unnoticed: the guest did not run, and cannot on this
		 * CPU. It may on another one, with what the list registers were to hold.
		 */
		if (vgic)
			armvmm_vgic_sync(vcpu);
		smp_store_release(&vcpu->mode, VCPU_OUTSIDE);
		local_irq_enable();
		compat_guest_exit_account();
		return run_fail_entry(vcpu, ARMVMM_FAIL_ENTRY_NO_HYP);
	}

	vcpu->stat.exits++;
	armvmm_timer_sync(vcpu, code == HYP_EXIT_IRQ);
	if (vgic) {
		armvmm_vgic_entry_ended(vcpu, code);
		armvmm_vgic_sync(vcpu);
	}
	smp_store_release(&vcpu->mode, VCPU_OUTSIDE);
	/* The host takes the interrupt that ended the guest's time here. */
	local_irq_enable();
	compat_guest_exit_account();
	return code;
}

/*
 * Nothing is done for it before an entry but for the vGIC and the timer: there is no PMU, the
 * client does not debug it, and the interrupt controller is the kernel's. This does not change
 * during a RUN: each of the three takes the vCPU's mutex, or comes before the first RUN.
 */
static bool run_is_plain(const struct armvmm_vcpu *vcpu)
{
	return armvmm_vgic_in_kernel(&vcpu->vm->vgic) && !vcpu->pmu && !vcpu->debug.control &&
	       !vcpu->debug.irq_blocked;
}

/* What else is to be done before an entry of a vCPU that is not plain. 1, or what RUN returns. */
static noinline int run_prepare(struct armvmm_vcpu *vcpu)
{
	if (!armvmm_vgic_in_kernel(&vcpu->vm->vgic) && armvmm_timer_update_run(vcpu))
		return -EINTR;
	if (vcpu->pmu) {
		armvmm_pmu_prepare(vcpu);
		if (armvmm_pmu_update_run(vcpu))
			return -EINTR;
	}
	if (armvmm_debug_stepping(vcpu))
		return armvmm_debug_step(vcpu);
	return 1;
}

static __always_inline int run_once(struct armvmm_vcpu *vcpu, bool plain)
{
	int ret;

	if (unlikely(run_has_work(vcpu))) {
		ret = run_work(vcpu);
		if (ret <= 0)
			return ret;
	}
	if (!plain) {
		ret = run_prepare(vcpu);
		if (ret <= 0)
			return ret;
	}

	preempt_disable();
	ret = run_enter(vcpu, plain);
	preempt_enable();
	if (unlikely(ret < 0)) {
		/* If it was not -EAGAIN, run_fail_entry() has told the client. */
		return ret == -EAGAIN;
	}

	/* Eventfds take locks that sleep on preemptible kernels. */
	armvmm_eventfd_ended(vcpu);
	return armvmm_exit_handle(vcpu, ret);
}

static void run_sigset_activate(struct armvmm_vcpu *vcpu)
{
	if (vcpu->sigset_active)
		sigprocmask(SIG_SETMASK, &vcpu->sigset, &current->real_blocked);
}

static void run_sigset_deactivate(struct armvmm_vcpu *vcpu)
{
	if (!vcpu->sigset_active)
		return;
	sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
	sigemptyset(&current->real_blocked);
}

static int run_until_exit(struct armvmm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	bool plain;
	int ret;

	ret = run_first(vcpu);
	if (ret)
		return ret;
	/*
	 * A finished MMIO access is completed once, whatever ends this RUN early. If its
	 * instruction has another access, that one ends it.
	 */
	ret = armvmm_mmio_complete(vcpu);
	if (ret <= 0)
		return ret;
	if (READ_ONCE(run->immediate_exit)) {
		armvmm_debug_sync_data(vcpu);
		return -EINTR;
	}
	armvmm_debug_sync_code(vcpu);

	/* Another thread ran it last: its state is on that thread's CPU. */
	if (unlikely(vcpu->last_task != current)) {
		armvmm_vgic_unload(vcpu);
		vcpu->last_task = current;
	}
	WRITE_ONCE(vcpu->task, current);
	/* Before mode: armvmm_vcpu_kick(), when it takes VCPU_IN_GUEST away, needs the task. */
	smp_wmb();
	run_sigset_activate(vcpu);
	run->exit_reason = KVM_EXIT_UNKNOWN;
	plain = run_is_plain(vcpu);
	do {
		ret = run_once(vcpu, plain);
	} while (ret > 0);
	if (ret == -EINTR)
		run->exit_reason = KVM_EXIT_INTR;
	if (!plain) {
		if (ret == -EINTR || run->exit_reason == KVM_EXIT_DEBUG)
			armvmm_debug_sync_data(vcpu);
		armvmm_timer_update_run(vcpu);
		if (vcpu->pmu)
			armvmm_pmu_update_run(vcpu);
	}
	run_sigset_deactivate(vcpu);
	WRITE_ONCE(vcpu->task, NULL);
	return ret;
}

int armvmm_vcpu_run(struct armvmm_vcpu *vcpu)
{
	int ret;

	if (!vcpu->initialized)
		return -ENOEXEC;
	ret = run_until_exit(vcpu);
	trace_armvmm_user_exit(vcpu->id, vcpu->run->exit_reason, ret);
	return ret;
}

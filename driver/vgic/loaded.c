// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which vCPU's VMCR and APR a CPU holds: they stay there between two entries, until
 * another thread or another vCPU wants the CPU.
 */
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include <asm/thread_notify.h>

#include "core/state.h"
#include "core/vcpus.h"
#include "vgic/loaded.h"
#include "vgic/vgic.h"

static DEFINE_PER_CPU(struct armvmm_vcpu *, loaded_vcpu);

struct armvmm_vcpu *armvmm_vgic_loaded(void)
{
	return __this_cpu_read(loaded_vcpu);
}

/*
 * What is loaded stays until another thread or another vCPU wants the CPU, in
 * user space too. IRQs off, so that neither the thread switch notifier nor
 * armvmm_vgic_unload() from another CPU comes in between.
 */
static void loaded_put(struct armvmm_vcpu *vcpu)
{
	lockdep_assert_irqs_disabled();
	armvmm_vgic_put(vcpu);
	__this_cpu_write(loaded_vcpu, NULL);
	/* A CPU that reads -1 sees what was saved, too. */
	smp_store_release(&vcpu->loaded_cpu, -1);
}

void armvmm_vgic_claim(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vcpu *other = __this_cpu_read(loaded_vcpu);

	lockdep_assert_irqs_disabled();
	if (likely(other == vcpu))
		return;
	if (other)
		loaded_put(other);
	__this_cpu_write(loaded_vcpu, vcpu);
	WRITE_ONCE(vcpu->loaded_cpu, smp_processor_id());
	armvmm_vgic_load(vcpu);
}

static void loaded_put_ipi(void *vcpu)
{
	if (__this_cpu_read(loaded_vcpu) == vcpu)
		loaded_put(vcpu);
}

void armvmm_vgic_unload(struct armvmm_vcpu *vcpu)
{
	int cpu = smp_load_acquire(&vcpu->loaded_cpu);

	/* Where the CPU went offline meanwhile, its last thread switch has put it. */
	if (unlikely(cpu >= 0))
		smp_call_function_single(cpu, loaded_put_ipi, vcpu, 1);
}

void armvmm_vgic_unload_all(struct armvmm_vm *vm)
{
	struct armvmm_vcpu *vcpu;
	int i;

	armvmm_vcpus_for_each(i, vcpu, vm)
		armvmm_vgic_unload(vcpu);
}

/* Called on each thread switch of the host, IRQs off, for the next thread. */
static int loaded_thread_event(struct notifier_block *nb, unsigned long event, void *thread)
{
	struct armvmm_vcpu *vcpu;

	if (event != THREAD_NOTIFY_SWITCH)
		return NOTIFY_DONE;
	vcpu = __this_cpu_read(loaded_vcpu);
	if (unlikely(vcpu))
		loaded_put(vcpu);
	return NOTIFY_DONE;
}

static struct notifier_block loaded_thread_nb = {
	.notifier_call = loaded_thread_event,
};

int armvmm_vgic_loaded_init(void)
{
	return thread_register_notifier(&loaded_thread_nb);
}

void armvmm_vgic_loaded_exit(void)
{
	thread_unregister_notifier(&loaded_thread_nb);
}

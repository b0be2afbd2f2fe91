/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual CPU: what stands behind the fd of KVM_CREATE_VCPU. */
#ifndef ARMVMM_VCPU_H
#define ARMVMM_VCPU_H

#include <linux/mutex.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>
#include <linux/signal_types.h>

#include <linux/armvmm.h>

#include "cp14.h"
#include "debug.h"
#include "hyp/hyp.h"
#include "mmio.h"
#include "mmio_seq.h"
#include "pmu.h"
#include "stat.h"
#include "timer.h"
#include "vgic/vgic.h"

struct armvmm_vm;

/* Bits of vcpu->requests, handled before the next entry. */
#define VCPU_REQ_SLEEP		0	/* look at power_off again */
#define VCPU_REQ_RESET		1	/* PSCI CPU_ON left a state to start from */
#define VCPU_REQ_IRQ_PENDING	2	/* an interrupt may have become deliverable */

/* vcpu->mode: who may kick, and how. Pairs with requests (smp_mb). */
enum armvmm_vcpu_mode {
	VCPU_OUTSIDE,		/* in user space or sleeping */
	VCPU_IN_GUEST,		/* IRQs off, about to enter or in the guest */
	VCPU_EXITING,		/* was kicked: an IPI is on its way */
};

/* State that PSCI CPU_ON leaves for the target to start from (PSCI 5.6). */
struct armvmm_vcpu_start {
	u32 pc;			/* bit 0 set: Thumb */
	u32 r0;
	bool big_endian;	/* of the caller: the target starts likewise */
};

struct armvmm_vcpu {
	struct armvmm_vm *vm;
	unsigned int id;	/* KVM_CREATE_VCPU's argument */
	unsigned int index;	/* in vm->vcpus */
	struct mutex mutex;	/* held through every vCPU ioctl */
	struct hyp_vcpu *hyp;
	struct kvm_run *run;	/* shared page, mapped by the client */

	struct task_struct *task;	/* in KVM_RUN; under rcu for kicks */
	struct rcuwait wait;
	unsigned long requests;
	enum armvmm_vcpu_mode mode;
	struct task_struct *last_task;	/* of the last KVM_RUN; only compared */
	int loaded_cpu;		/* where the lazily kept state is, -1: in memory */
	int last_cpu;		/* physical CPU of the last entry, -1 at first */

	bool initialized;	/* KVM_ARM_VCPU_INIT was done */
	bool has_run_once;
	bool power_off;		/* PSCI: off, waits for CPU_ON (KVM_MP_STATE_STOPPED) */
	u32 target;
	u32 features;		/* bit n: feature n of struct kvm_vcpu_init */
	bool sigset_active;
	sigset_t sigset;

	struct armvmm_vcpu_start start;	/* valid while REQ_RESET is set */
	spinlock_t start_lock;

	/* VCPU_IRQ_LINE*: user-space irqchip, KVM_ARM_IRQ_TYPE_CPU */
	unsigned long irq_lines;
	u32 psci_version;	/* KVM_ARM_PSCI_* as presented */

	struct armvmm_debug debug;
	struct armvmm_cp14 cp14;
	struct armvmm_mmio mmio;
	struct armvmm_mmio_seq mmio_seq;	/* valid while mmio.in_seq is */
	struct armvmm_timer_vcpu timer;
	struct armvmm_pmu *pmu;	/* NULL without KVM_ARM_VCPU_PMU_V3 */
	struct armvmm_vgic_vcpu vgic;
	u32 halt_poll_ns;
	struct armvmm_vcpu_stat stat;
};

#define VCPU_IRQ_LINE_IRQ	0
#define VCPU_IRQ_LINE_FIQ	1

#define vcpu_cp15(vcpu, reg)	((vcpu)->hyp->cp15[(reg)])
#define vcpu_hsr(vcpu)		((vcpu)->hyp->hsr)

static inline bool armvmm_vcpu_has_feature(const struct armvmm_vcpu *vcpu, unsigned int f)
{
	return vcpu->features & (1u << f);
}

/* A vCPU that is no VM's yet, or an ERR_PTR(). May sleep. */
struct armvmm_vcpu *armvmm_vcpu_alloc(struct armvmm_vm *vm, unsigned int id);
void armvmm_vcpu_destroy(struct armvmm_vcpu *vcpu);

#endif

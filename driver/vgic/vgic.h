/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual GICv2 (IHI 0048B): an emulated distributor, and the hardware's
 * virtual CPU interface fed through its list registers.
 *
 * Lock order: vm->lock (configuration) > ap_list_lock of one vCPU > lock of
 * one interrupt. The inner two are raw and taken with IRQs disabled, for
 * interrupts are injected from interrupt handlers; never two of a kind.
 */
#ifndef ARMVMM_VGIC_H
#define ARMVMM_VGIC_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "core/iobus.h"
#include "core/state.h"
#include "hyp/hyp.h"

struct armvmm_vm;
struct armvmm_vcpu;
struct kvm_device_attr;

/* GICH, GICV and maintenance interrupt of the host, found by the device tree. */
struct armvmm_vgic_host {
	void __iomem *gich;	/* NULL: no GIC with virtualization */
	phys_addr_t gich_pa;
	phys_addr_t gicv_pa;
	void __iomem *gicd;	/* the distributor; NULL: the kernel alone may access it */
	phys_addr_t gicd_pa;
	unsigned int nr_lr;
	unsigned int maint_irq;	/* Linux interrupt number */
	/* host runs EOImode 1: HW list registers work; timer_host.c finds out */
	bool split_eoi;
};
extern struct armvmm_vgic_host armvmm_vgic_host;

/* Module set-up: device tree, parameters gich=, gicv=, maint_irq=; reads GICH_VTR. */
int armvmm_vgic_host_init(void);
void armvmm_vgic_host_exit(void);

/*
 * The Linux number of the PPI that the GIC calls @hwirq (16-31), 0 if there is none. May sleep.
 */
unsigned int armvmm_vgic_host_map_ppi(unsigned int hwirq);
/*
 * on the CPU, IRQs off, before it enters guests: it may be another one than it was in its sleep,
 * and GICH may have lost its state. Clears the list registers
 */
void armvmm_vgic_cpu_taken(void);
/* on the CPU: enables the maintenance interrupt */
void armvmm_vgic_cpu_up(void);
void armvmm_vgic_cpu_down(void);

/*
 * KVM_CREATE_DEVICE(ARM_VGIC_V2) / KVM_CREATE_IRQCHIP. -EEXIST: there is one;
 * -ENODEV: this host has no GIC for it; -EBUSY: a vCPU is in RUN or has been.
 * vm->lock held.
 */
int armvmm_vgic_create(struct armvmm_vm *vm);
void armvmm_vgic_vm_init(struct armvmm_vm *vm);
void armvmm_vgic_vm_destroy(struct armvmm_vm *vm);	/* after the vCPUs */
int armvmm_vgic_vcpu_create(struct armvmm_vcpu *vcpu);	/* -EBUSY after init */
void armvmm_vgic_vcpu_destroy(struct armvmm_vcpu *vcpu);
/* KVM_ARM_VCPU_INIT and PSCI CPU_ON: lets go of what timers left at their PPIs; the rest stays. */
void armvmm_vgic_vcpu_reset(struct armvmm_vcpu *vcpu);
/*
 * Allocates the SPIs; from then on no vCPU can be added and interrupts can be
 * injected. Does nothing the second time. KVM_IRQ_LINE calls it first, as KVM
 * does. Takes vm->lock (init_locked: is held). -EBUSY: a vCPU is being created.
 */
int armvmm_vgic_init(struct armvmm_vm *vm);
int armvmm_vgic_init_locked(struct armvmm_vm *vm);
/*
 * First RUN of a vCPU: initializes lazily, maps GICV, puts the distributor on
 * the bus. -ENXIO: an address was not set; -EINVAL: they overlap or wrap. Takes
 * vm->lock, then slots_lock. Does nothing without an in-kernel GIC.
 */
int armvmm_vgic_map_resources(struct armvmm_vm *vm);

/*
 * Around a change of memory slots: HYP mode answers for the distributor, or, where a slot hides it
 * or is about to, does not. @hide: whether one is, as the first says for the second. They take
 * slots_lock.
 */
bool armvmm_vgic_slots_change(struct armvmm_vm *vm, u64 ipa, u64 size);
void armvmm_vgic_slots_changed(struct armvmm_vm *vm, bool hide);

int armvmm_vgic_set_attr(struct armvmm_vm *vm, struct kvm_device_attr *attr);
int armvmm_vgic_get_attr(struct armvmm_vm *vm, struct kvm_device_attr *attr);
int armvmm_vgic_has_attr(struct armvmm_vm *vm, struct kvm_device_attr *attr);
/*
 * Legacy KVM_ARM_SET_DEVICE_ADDR, device KVM_ARM_DEVICE_VGIC_V2. -ENODEV:
 * unknown @type or no in-kernel GIC; -E2BIG, -EINVAL: beyond 40 bits, not
 * page-aligned; -EEXIST: is set. Takes vm->lock, as the attributes do.
 */
int armvmm_vgic_set_addr(struct armvmm_vm *vm, u32 type, u64 addr);

/*
 * Sets the line of @intid (PPI or SPI; PPIs of @vcpu). Edge: each high makes it
 * pending. @owner: NULL for user space; on a line that another owns the call has
 * no effect and returns 0, as in KVM. -EINVAL: no such interrupt, or before
 * armvmm_vgic_init(). Any context.
 */
int armvmm_vgic_inject(struct armvmm_vm *vm, struct armvmm_vcpu *vcpu, unsigned int intid,
		       bool level, const void *owner);
/* -EAGAIN before init, -EINVAL no PPI or SPI, -EEXIST owned by another. */
int armvmm_vgic_set_owner(struct armvmm_vcpu *vcpu, unsigned int intid, const void *owner);

/*
 * Ties a PPI to the host interrupt @host_hwirq: where the host has split EOI, its
 * list register has HW set and the guest's deactivation deactivates the physical
 * one; elsewhere it is one of software whose end makes the vCPU exit. @get_level
 * samples the line after each exit that the interrupt was in a list register
 * for: IRQs off, the interrupt's lock held, it may not call the vGIC. The
 * physical interrupt's active state (or mask) is the timer's business: before an
 * entry it is to be active where armvmm_vgic_phys_active() says so.
 */
int armvmm_vgic_map_phys(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int host_hwirq,
			 bool (*get_level)(struct armvmm_vcpu *vcpu));
/* The mapped interrupt where HYP mode can show it by itself (hyp/timer.c), or NULL. */
struct armvmm_vgic_irq *armvmm_vgic_phys_irq(struct armvmm_vcpu *vcpu, unsigned int intid);
/* True while the mapped interrupt is pending or active at the guest. vCPU thread, not in HYP. */
bool armvmm_vgic_phys_active(struct armvmm_vcpu *vcpu, unsigned int intid);

/* True where an interrupt could be taken now (ends WFI; priorities and masks considered). */
bool armvmm_vgic_pending(struct armvmm_vcpu *vcpu);

/*
 * IRQs off, before an entry: fills hyp->vgic.lr. After an exit: reads them back.
 * Each flush is followed by a sync with IRQs off all the time, also where
 * the entry did not come about.
 */
void vgic_lr_flush(struct armvmm_vcpu *vcpu);
void vgic_lr_sync(struct armvmm_vcpu *vcpu);

/* SGIs that HYP mode posted to the vCPU go into the model (docs/distributor.md). IRQs on or off. */
void vgic_sgi_collect(struct armvmm_vcpu *vcpu);

static inline void vgic_sgi_take(struct armvmm_vcpu *vcpu)
{
	if (unlikely(READ_ONCE(vcpu->hyp->dist.posted)))
		vgic_sgi_collect(vcpu);
}

/* Before an entry, IRQs on: what is there already is not traced with IRQs off. */
static inline void armvmm_vgic_prepare(struct armvmm_vcpu *vcpu)
{
	if (unlikely(vcpu->hyp->dist.peers))
		vgic_sgi_take(vcpu);
}

/* Before an entry: from now on HYP mode on other CPUs makes the vCPU leave when it posts. */
void vgic_sgi_listen(struct armvmm_vcpu *vcpu);
/* After the exit, which a host's interrupt caused (@irq). */
void vgic_sgi_entry_ended(struct armvmm_vcpu *vcpu, bool irq);
/* IRQs on: tells the receivers of what this vCPU posted whom only the host can reach. */
void vgic_sgi_pass_on(struct armvmm_vcpu *vcpu);

/* How a physical SGI reaches this CPU: its bit in GICD_SGIR, or 0. */
DECLARE_PER_CPU(u32, armvmm_vgic_host_interface);

static inline void armvmm_vgic_flush(struct armvmm_vcpu *vcpu)
{
	if (unlikely(vcpu->hyp->dist.peers))
		vgic_sgi_listen(vcpu);
	/*
	 * Whoever adds to the list after this look kicks the vCPU. Whoever took all off it may have
	 * emptied the list registers, too: that is seen by the very word that HYP mode looks at,
	 * and what else HYP mode reads was written before it.
	 */
	if (READ_ONCE(vcpu->vgic.ap->nr) || smp_load_acquire(&vcpu->hyp->vgic.used_lrs))
		vgic_lr_flush(vcpu);
}

static inline void armvmm_vgic_sync(struct armvmm_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->hyp->vgic.used_lrs))
		vgic_lr_sync(vcpu);
	/*
	 * From now on the host has to reach it. Before the vCPU sleeps, after a barrier, it looks
	 * into its letter box again.
	 */
	if (unlikely(vcpu->hyp->dist.peers))
		WRITE_ONCE(vcpu->hyp->dist.listen, 0);
}

/* After an exit that was not HYP_EXIT_TRAP, IRQs on: what the guest sent is sent. */
static inline void armvmm_vgic_notify(struct armvmm_vcpu *vcpu)
{
	if (unlikely(vcpu->hyp->dist.notify))
		vgic_sgi_pass_on(vcpu);
}

/* After an exit with HYP_EXIT_* @code, and before what is read back of it. */
static inline void armvmm_vgic_entry_ended(struct armvmm_vcpu *vcpu, int code)
{
	if (unlikely(vcpu->hyp->dist.peers))
		vgic_sgi_entry_ended(vcpu, code == HYP_EXIT_IRQ);
}

/* VMCR and APR to and from this CPU's hardware. Preemption off; put: IRQs, too. */
void armvmm_vgic_load(struct armvmm_vcpu *vcpu);
void armvmm_vgic_put(struct armvmm_vcpu *vcpu);

/*
 * What HYP mode left in this CPU's list registers signals nothing, until an entry uses them: no
 * guest's interrupt keeps the host's WFI from sleeping, nor that of a kernel which comes after this
 * one, unless that is a crash kernel. IRQs off.
 */
void armvmm_vgic_silence(void);

static inline bool armvmm_vgic_in_kernel(struct armvmm_vgic *vgic)
{
	return vgic->in_kernel;
}

#endif

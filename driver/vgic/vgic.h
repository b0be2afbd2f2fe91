/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual GICv2 (IHI 0048B): an emulated distributor, and the hardware's
 * virtual CPU interface fed through its list registers.
 *
 * Lock order: vgic->lock (configuration, may sleep: vm->lock does it) >
 * irq->irq_lock > vgic_vcpu->ap_list_lock is wrong; ap_list_lock > irq_lock.
 * Both are raw and IRQ-safe: interrupts are injected from interrupt handlers.
 */
#ifndef ARMVMM_VGIC_H
#define ARMVMM_VGIC_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "../iobus.h"

struct armvmm_vm;
struct armvmm_vcpu;
struct kvm_device_attr;

#define VGIC_NR_SGIS		16
#define VGIC_NR_PRIVATE		32
#define VGIC_MAX_IRQS		1024
#define VGIC_ADDR_UNDEF		(~0ULL)

struct armvmm_vgic_irq;		/* vgic/irq.h: private to vgic/ */

struct armvmm_vgic {
	bool in_kernel;		/* KVM_CREATE_DEVICE or KVM_CREATE_IRQCHIP was done */
	bool initialized;
	bool ready;		/* GICV is mapped, the distributor is on the bus */
	u64 dist_base;		/* guest physical, VGIC_ADDR_UNDEF until set */
	u64 cpu_base;
	u32 nr_spis;		/* 0 until set */
	bool dist_enabled;	/* GICD_CTLR.EnableGrp0 */
	struct armvmm_vgic_irq *spis;	/* armvmm_hypmap_alloc()ed */
	size_t spis_size;
	struct armvmm_iodev dist_iodev;
};

struct armvmm_vgic_vcpu {
	struct armvmm_vgic_irq *private;	/* SGIs and PPIs */
	raw_spinlock_t ap_list_lock;
	struct list_head ap_list;	/* interrupts pending or active on this vCPU */
};

/* GICH, GICV and maintenance interrupt of the host, found by the device tree. */
struct armvmm_vgic_host {
	void __iomem *gich;	/* NULL: no GIC with virtualization */
	phys_addr_t gich_pa;
	phys_addr_t gicv_pa;
	unsigned int nr_lr;
	unsigned int maint_irq;	/* Linux interrupt number */
	bool split_eoi;		/* host runs EOImode 1: HW list registers work */
};
extern struct armvmm_vgic_host armvmm_vgic_host;

/* Module set-up: device tree, parameters gich=, gicv=, maint_irq=; reads GICH_VTR. */
int armvmm_vgic_host_init(void);
void armvmm_vgic_host_exit(void);
void armvmm_vgic_cpu_up(void);		/* on the CPU: enables the maintenance interrupt */
void armvmm_vgic_cpu_down(void);

/* KVM_CREATE_DEVICE(ARM_VGIC_V2) / KVM_CREATE_IRQCHIP; -EEXIST, -EBUSY as KVM. vm->lock held. */
int armvmm_vgic_create(struct armvmm_vm *vm);
void armvmm_vgic_vm_init(struct armvmm_vm *vm);
void armvmm_vgic_vm_destroy(struct armvmm_vm *vm);
int armvmm_vgic_vcpu_create(struct armvmm_vcpu *vcpu);
void armvmm_vgic_vcpu_destroy(struct armvmm_vcpu *vcpu);
void armvmm_vgic_vcpu_reset(struct armvmm_vcpu *vcpu);
/* First RUN of a vCPU: initializes lazily, maps GICV, puts the distributor on the bus. */
int armvmm_vgic_map_resources(struct armvmm_vm *vm);

int armvmm_vgic_set_attr(struct armvmm_vm *vm, struct kvm_device_attr *attr);
int armvmm_vgic_get_attr(struct armvmm_vm *vm, struct kvm_device_attr *attr);
int armvmm_vgic_has_attr(struct armvmm_vm *vm, struct kvm_device_attr *attr);
/* Legacy KVM_ARM_SET_DEVICE_ADDR. */
int armvmm_vgic_set_addr(struct armvmm_vm *vm, u32 type, u64 addr);

/*
 * Sets the line of @intid (PPI or SPI; PPIs of @vcpu). Edge: a rising edge makes
 * it pending. @owner: NULL for user space; a PPI owned by a timer is refused to
 * others (-EINVAL). Any context.
 */
int armvmm_vgic_inject(struct armvmm_vm *vm, struct armvmm_vcpu *vcpu, unsigned int intid,
		       bool level, const void *owner);
int armvmm_vgic_set_owner(struct armvmm_vcpu *vcpu, unsigned int intid, const void *owner);

/*
 * Ties a PPI to the host interrupt @host_hwirq: its list register has HW set, the
 * guest's deactivation deactivates the physical one. @get_level samples the line.
 */
int armvmm_vgic_map_phys(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int host_hwirq,
			 bool (*get_level)(struct armvmm_vcpu *vcpu));
/* True while the mapped interrupt is pending or active at the guest. */
bool armvmm_vgic_phys_active(struct armvmm_vcpu *vcpu, unsigned int intid);

/* True where an interrupt could be taken now (ends WFI; priorities and masks considered). */
bool armvmm_vgic_pending(struct armvmm_vcpu *vcpu);

/* IRQs off, before an entry: fills hyp->vgic.lr. After an exit: reads them back. */
void armvmm_vgic_flush(struct armvmm_vcpu *vcpu);
void armvmm_vgic_sync(struct armvmm_vcpu *vcpu);
/* VMCR and APR to and from this CPU's hardware. Preemption off. */
void armvmm_vgic_load(struct armvmm_vcpu *vcpu);
void armvmm_vgic_put(struct armvmm_vcpu *vcpu);

static inline bool armvmm_vgic_in_kernel(struct armvmm_vgic *vgic)
{
	return vgic->in_kernel;
}

#endif

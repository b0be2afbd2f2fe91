/* SPDX-License-Identifier: GPL-2.0-only */
/* The distributor's registers, as the guest and the client access them. */
#ifndef ARMVMM_VGIC_DIST_H
#define ARMVMM_VGIC_DIST_H

#include <linux/types.h>

#include "core/iobus.h"

struct armvmm_vm;
struct armvmm_vcpu;

extern const struct armvmm_iodev_ops vgic_dist_iodev_ops;

/*
 * KVM_DEV_ARM_VGIC_GRP_DIST_REGS: one aligned word at @offset as @vcpu sees it.
 * -ENXIO where there is no register. All vCPUs are stopped.
 */
int vgic_dist_has_attr(struct armvmm_vcpu *vcpu, u32 offset);
int vgic_dist_get_attr(struct armvmm_vcpu *vcpu, u32 offset, u32 *val);
int vgic_dist_set_attr(struct armvmm_vcpu *vcpu, u32 offset, u32 val);

/* Bit n is set where vm->vcpus[n] exists. */
u8 vgic_dist_cpu_mask(struct armvmm_vm *vm);

/* sgi.c: @n bytes from SGI @intid on */
void vgic_sgi_write(struct armvmm_vcpu *vcpu, u32 val);
u32 vgic_sgi_read_pending(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n);
void vgic_sgi_write_pending(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n, u32 val,
			    bool set);

/* dist_state.c: the same for ARMVMM_GICD_SGI_ACTIVE, _LATCH and _HOLDER. */
int vgic_dist_state_has_attr(struct armvmm_vcpu *vcpu, u32 offset);
int vgic_dist_state_get_attr(struct armvmm_vcpu *vcpu, u32 offset, u32 *val);
int vgic_dist_state_set_attr(struct armvmm_vcpu *vcpu, u32 offset, u32 val);

#endif

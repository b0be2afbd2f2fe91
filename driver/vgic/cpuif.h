/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual CPU interface: GICV for the guest, GICH_VMCR and GICH_APR for us. */
#ifndef ARMVMM_VGIC_CPUIF_H
#define ARMVMM_VGIC_CPUIF_H

#include <linux/types.h>

struct armvmm_vcpu;

/* A priority lower than all: nothing pending, nothing running. */
#define VGIC_PRIORITY_IDLE	0x100

/*
 * Would the interface signal the guest an interrupt of priority @prio0 of
 * group 0, or @prio1 of group 1 (VGIC_PRIORITY_IDLE: none)? Any thread of the
 * host; reads the hardware where the vCPU is loaded on this CPU.
 */
bool vgic_cpuif_signals(struct armvmm_vcpu *vcpu, u32 prio0, u32 prio1);

/* The groups that the guest has enabled there (VGIC_AP_GROUP). Before an entry, IRQs off. */
unsigned int vgic_cpuif_groups(const struct armvmm_vcpu *vcpu);

/*
 * EOImode 1: the guest ends an interrupt's priority and its activity apart, in any order. Likewise.
 */
bool vgic_cpuif_splits_eoi(const struct armvmm_vcpu *vcpu);

/* A CPU's list registers and GICH_HCR were cleared, or it has none: HYP mode is to know. */
struct hyp_cpu;
void vgic_cpuif_cleared(struct hyp_cpu *hc);

/* KVM_DEV_ARM_VGIC_GRP_CPU_REGS; -ENXIO for an unknown offset. All vCPUs are stopped. */
int vgic_cpuif_has_attr(u32 offset);
int vgic_cpuif_get_attr(struct armvmm_vcpu *vcpu, u32 offset, u32 *val);
int vgic_cpuif_set_attr(struct armvmm_vcpu *vcpu, u32 offset, u32 val);

#endif

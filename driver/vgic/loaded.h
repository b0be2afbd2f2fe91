/* SPDX-License-Identifier: GPL-2.0-only */
/* Which vCPU's VMCR and APR a CPU holds. */
#ifndef ARMVMM_VGIC_LOADED_H
#define ARMVMM_VGIC_LOADED_H

struct armvmm_vcpu;
struct armvmm_vm;

int armvmm_vgic_loaded_init(void);
void armvmm_vgic_loaded_exit(void);

/* Before an entry, IRQs off: this CPU holds @vcpu's, and no other's any more. */
void armvmm_vgic_claim(struct armvmm_vcpu *vcpu);

/* The vCPU that this CPU has loaded (armvmm_vgic_claim), or NULL. Preemption off. */
struct armvmm_vcpu *armvmm_vgic_loaded(void);

/*
 * Brings the lazily kept state (vGIC VMCR and APR) home from the CPU that it is
 * on. Before anything but KVM_RUN looks at or changes the vCPU. May sleep;
 * vcpu->mutex is held, or the vCPU is being destroyed.
 */
void armvmm_vgic_unload(struct armvmm_vcpu *vcpu);
/* The same for all vCPUs of a VM, whose mutexes are all held. */
void armvmm_vgic_unload_all(struct armvmm_vm *vm);

#endif

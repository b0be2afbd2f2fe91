/* SPDX-License-Identifier: GPL-2.0-only */
/* irqfd and ioeventfd: a VM's interrupts and doorbells as eventfds. */
#ifndef ARMVMM_EVENTFD_H
#define ARMVMM_EVENTFD_H

#include <linux/armvmm.h>

#include "core/state.h"

int armvmm_eventfd_vm_init(struct armvmm_vm *vm);
void armvmm_eventfd_vm_release(struct armvmm_vm *vm);	/* VM fd closed: irqfds go */
void armvmm_eventfd_vm_destroy(struct armvmm_vm *vm);
int armvmm_eventfd_init(void);	/* module: clean-up workqueue */
void armvmm_eventfd_exit(void);

int armvmm_irqfd(struct armvmm_vm *vm, const struct kvm_irqfd *args);
int armvmm_ioeventfd(struct armvmm_vm *vm, const struct kvm_ioeventfd *args);

/* Called after an exit, with IRQs on: tells resampling irqfds which interrupts the guest ended. */
void armvmm_irqfd_tell_ended(struct armvmm_vcpu *vcpu);

static inline void armvmm_eventfd_ended(struct armvmm_vcpu *vcpu)
{
	if (unlikely(vcpu->vgic.nr_ended))
		armvmm_irqfd_tell_ended(vcpu);
}

#endif

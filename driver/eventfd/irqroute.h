/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GSI routing: which pin of the GIC (SPI pin + 32) an irqfd's GSI raises. Until the client says
 * otherwise, and after the vGIC's initialization, GSI n is pin n.
 */
#ifndef ARMVMM_IRQROUTE_H
#define ARMVMM_IRQROUTE_H

#include <linux/rcupdate.h>

#include <linux/armvmm.h>

#include "arch/gic.h"

struct armvmm_vm;

/* The limits of KVM/arm: routes, and pins of the chip. */
#define ARMVMM_MAX_IRQ_ROUTES	4096
#define ARMVMM_NR_IRQ_PINS	(GIC_SPECIAL_INTIDS - GIC_NR_PRIVATE)

/* What armvmm_irqroute_pin() answers for a GSI without a route, or with one to an MSI. */
#define ARMVMM_NO_PIN		(~0u)

/*
 * KVM_SET_GSI_ROUTING; @user is followed by its entries. -EINVAL: flags, too many entries, a GSI,
 * chip, pin or type that does not exist, two routes of a GSI; -EFAULT, -ENOMEM. When it returns, no
 * interrupt comes by the old routes any more. May sleep, takes vm->lock.
 */
int armvmm_irqroute_set(struct armvmm_vm *vm, const struct kvm_irq_routing __user *user);
/* KVM_SIGNAL_MSI. -EINVAL: no vGIC, or flags; -ENODEV: a GICv2 has no ITS. */
int armvmm_irqroute_signal_msi(struct armvmm_vm *vm, const struct kvm_msi *msi);

/* The pin of @gsi, below ARMVMM_NR_IRQ_PINS, or ARMVMM_NO_PIN. Caller is an RCU reader. */
unsigned int armvmm_irqroute_pin(struct armvmm_vm *vm, unsigned int gsi);

/* The last user of the VM is gone. */
void armvmm_irqroute_vm_destroy(struct armvmm_vm *vm);

#endif

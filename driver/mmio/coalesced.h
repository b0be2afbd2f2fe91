/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Coalesced MMIO: writes to the client's zones go to a ring that all vCPUs of the VM share, and
 * the guest runs on. The client reads the ring when it next comes to it.
 */
#ifndef ARMVMM_COALESCED_H
#define ARMVMM_COALESCED_H

#include <linux/armvmm.h>

struct armvmm_vm;
struct hyp_zones;
struct page;

/* The ring, one page. -ENOMEM. May sleep. */
int armvmm_coalesced_vm_init(struct armvmm_vm *vm);
/* No vCPU is left. Also what a failed init left. May sleep. */
void armvmm_coalesced_vm_destroy(struct armvmm_vm *vm);

/* What a vCPU's HYP mode is to have of it, or NULL; constant. */
struct hyp_zones *armvmm_coalesced_in_hyp(const struct armvmm_vm *vm);
/*
 * Around a change of memory slots, or of what is on the bus before zones: HYP mode posts no write
 * meanwhile, and then those that no RAM and no other device may take. Each first call needs its
 * second. They take slots_lock.
 */
void armvmm_coalesced_slots_change(struct armvmm_vm *vm);
void armvmm_coalesced_slots_changed(struct armvmm_vm *vm);
/*
 * Looks anew at what is on the bus before zones, after a change. Caller holds slots_lock.
 */
void armvmm_coalesced_look(struct armvmm_vm *vm);

/*
 * KVM_REGISTER_COALESCED_MMIO. -EINVAL: pio is neither 0 nor 1 (there is no port space: such a zone
 * is kept and never written to); -ENOSPC: there are 1000; -ENOMEM. May sleep, takes slots_lock.
 */
int armvmm_coalesced_register(struct armvmm_vm *vm, const struct kvm_coalesced_mmio_zone *zone);
/*
 * KVM_UNREGISTER_COALESCED_MMIO: takes away each zone that @zone lies in, 0 where there is none.
 * -EINVAL as above. May sleep, takes slots_lock.
 */
int armvmm_coalesced_unregister(struct armvmm_vm *vm, const struct kvm_coalesced_mmio_zone *zone);

/* The ring's page, for the mapping of a vCPU. */
struct page *armvmm_coalesced_page(struct armvmm_vm *vm);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mirrors of the client's registers: the guest reads the value that the client left here, and runs
 * on. The client says when the value changes.
 */
#ifndef ARMVMM_MIRROR_H
#define ARMVMM_MIRROR_H

#include <linux/armvmm.h>

struct armvmm_vm;
struct hyp_mirrors;

/* No mirrors yet. -ENOMEM. */
int armvmm_mirror_vm_init(struct armvmm_vm *vm);
/* No vCPU is left. Also what a failed init left. May sleep. */
void armvmm_mirror_vm_destroy(struct armvmm_vm *vm);

/* What a vCPU's HYP mode is to have of it, or NULL; constant. */
const struct hyp_mirrors *armvmm_mirror_in_hyp(const struct armvmm_vm *vm);
/*
 * Around a change of memory slots, or of what is on the bus before mirrors: HYP mode answers no
 * reads meanwhile, and then those that no RAM and no other device hides. Each first call needs its
 * second. Process context.
 */
void armvmm_mirror_slots_change(struct armvmm_vm *vm);
void armvmm_mirror_slots_changed(struct armvmm_vm *vm);

/*
 * How many @vm may have, for KVM_CHECK_EXTENSION; NULL: one that is made now. 0: none, by the
 * parameter. A VM's answer does not change: its mirrors always take new values.
 */
int armvmm_mirror_max(const struct armvmm_vm *vm);

/*
 * ARMVMM_SET_MIRROR: makes a mirror, gives one another value, or takes it away. A read of the
 * guest's that begins after the return sees it. -EINVAL: see struct armvmm_mirror, or the VM may
 * have none; -ENOENT: none to take away; -EEXIST: overlaps another; -ENOSPC: there are
 * ARMVMM_MAX_MIRRORS. May sleep; takes slots_lock the first time.
 */
int armvmm_mirror_set(struct armvmm_vm *vm, const struct armvmm_mirror *args);

#endif

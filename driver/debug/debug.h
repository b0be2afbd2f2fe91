/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest debugging by the client (KVM_SET_GUEST_DEBUG), and who owns which debug event. */
#ifndef ARMVMM_DEBUG_H
#define ARMVMM_DEBUG_H

#include <linux/types.h>

#include <linux/armvmm.h>

#include "core/state.h"
#include "host/debug_host.h"

struct armvmm_vcpu;

/* KVM_SET_GUEST_DEBUG's argument in KVM/arm's headers: no registers follow the flags. */
struct armvmm_debug_bare {
	__u32 control;
	__u32 pad;
};

#define ARMVMM_DEBUG_IOCTL_BARE	_IOW(KVMIO, 0x9b, struct armvmm_debug_bare)

/* The bits of KVM_GUESTDBG_* that this host accepts. */
u32 armvmm_debug_flags(void);

/*
 * KVM_SET_GUEST_DEBUG in either size. -EINVAL: this host lacks a flag or a
 * register. -EBUSY: KVM_GUESTDBG_INJECT_BP in the middle of an instruction.
 */
long armvmm_debug_ioctl(struct armvmm_vcpu *vcpu, unsigned int cmd, void __user *argp);

/* Resets the guest's registers with the vCPU. What the client asked for stays. */
void armvmm_debug_reset(struct armvmm_vcpu *vcpu);

/* Decides anew which registers the guest runs with. The vCPU's mutex is held. */
void armvmm_debug_update(struct armvmm_vcpu *vcpu);

/*
 * Makes the guest's instruction fetches see BKPTs that the client has written into its code. Called
 * before each RUN; SET_GUEST_DEBUG does the same, with BKPTs in use before it or after. May sleep.
 */
void armvmm_debug_sync_code(struct armvmm_vcpu *vcpu);

/*
 * The other way: a client that uses BKPTs reads what the guest stored past its caches, and no old
 * line of a page becomes dirty by what it writes next. After a RUN that stopped for it. May sleep.
 */
void armvmm_debug_sync_data(struct armvmm_vcpu *vcpu);

/* A debug exception of the guest; returns as armvmm_exit_handle(). */
int armvmm_debug_exit(struct armvmm_vcpu *vcpu);

/* Before an entry with KVM_GUESTDBG_SINGLESTEP. 0: the step is over. May sleep. */
int armvmm_debug_step(struct armvmm_vcpu *vcpu);

/* Is there a BKPT at the PC? 1, 0, or -EFAULT if memory cannot be read. May sleep. */
int armvmm_debug_at_bkpt(struct armvmm_vcpu *vcpu);

/* Fills in KVM_EXIT_DEBUG: @ec is KVM_ARM_DEBUG_EC_*, @far a watchpoint's address. Returns 0. */
int armvmm_debug_to_user(struct armvmm_vcpu *vcpu, u32 ec, u32 far);

#define armvmm_debug_stepping(vcpu)	((vcpu)->debug.control & KVM_GUESTDBG_SINGLESTEP)

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions of kvm32.c.inc and kvm32-debug.c.inc, which QEMU's kvm.c includes at its end. */
#ifndef ARMVMM_KVM32_H
#define ARMVMM_KVM32_H

#include "cpregs.h"
#include "exec/gdbstub.h"

static bool kvm_arm_get_host_cpu_features(ARMHostCPUFeatures *ahcf);
static bool kvm_arm_reg_syncs_via_cpreg_list(uint64_t regidx);
static bool kvm_arm_verify_ext_dabt_pending(ARMCPU *cpu);

static void kvm_arm_init_debug(KVMState *s);
static bool kvm_arm_handle_debug(ARMCPU *cpu, struct kvm_debug_exit_arch *debug_exit);
static bool kvm_arm_hw_debug_active(ARMCPU *cpu);
static void kvm_arm_copy_hw_debug_data(struct kvm_guest_debug_arch *ptr);

#endif

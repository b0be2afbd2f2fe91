// SPDX-License-Identifier: GPL-2.0-only
/*
 * The included files are written for QEMU 10.0. QEMU 7.2 keeps 64-bit code in a file of its own and
 * calls it with other prototypes: this file adapts the one to the other.
 */
#include "qemu/osdep.h"
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "cpu.h"
#include "hw/core/cpu.h"
#include "internals.h"
#include "kvm_arm.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "system/kvm.h"
#include "system/kvm_int.h"
#include "system/runstate.h"

/* A function of 7.2's kvm.c, with 10.0's argument. */
#define kvm_arm_vcpu_init(cpu)			kvm_arm_vcpu_init(CPU(cpu))

/* Functions that 7.2 calls with other prototypes, or declares in its headers. */
#define kvm_arm_get_host_cpu_features		kvm32_get_host_cpu_features
#define kvm_arm_reg_syncs_via_cpreg_list	kvm32_reg_syncs_via_cpreg_list
#define kvm_arm_verify_ext_dabt_pending		kvm32_verify_ext_dabt_pending
#define kvm_arm_init_debug			kvm32_init_debug
#define kvm_arm_handle_debug			kvm32_handle_debug
#define kvm_arm_hw_debug_active			kvm32_hw_debug_active
#define kvm_arm_copy_hw_debug_data		kvm32_copy_hw_debug_data
#define kvm_arm_pvtime_init			kvm32_pvtime_init
#define kvm_arch_init_vcpu			kvm32_init_vcpu
#define kvm_arch_put_registers			kvm32_put_registers
#define kvm_arch_get_registers			kvm32_get_registers
#define kvm_arch_insert_hw_breakpoint		kvm32_insert_hw_breakpoint
#define kvm_arch_remove_hw_breakpoint		kvm32_remove_hw_breakpoint

static void kvm32_pvtime_init(ARMCPU *cpu, uint64_t ipa);
static int kvm32_init_vcpu(CPUState *cs);
static int kvm32_put_registers(CPUState *cs, int level, Error **errp);
static int kvm32_get_registers(CPUState *cs, Error **errp);
static int kvm32_insert_hw_breakpoint(vaddr addr, vaddr len, int type);
static int kvm32_remove_hw_breakpoint(vaddr addr, vaddr len, int type);

#include "kvm32.c.inc"
#include "kvm32-debug.c.inc"

#undef kvm_arm_vcpu_init
#undef kvm_arm_get_host_cpu_features
#undef kvm_arm_reg_syncs_via_cpreg_list
#undef kvm_arm_verify_ext_dabt_pending
#undef kvm_arm_init_debug
#undef kvm_arm_handle_debug
#undef kvm_arm_hw_debug_active
#undef kvm_arm_copy_hw_debug_data
#undef kvm_arm_pvtime_init
#undef kvm_arch_init_vcpu
#undef kvm_arch_put_registers
#undef kvm_arch_get_registers
#undef kvm_arch_insert_hw_breakpoint
#undef kvm_arch_remove_hw_breakpoint

bool kvm_arm_get_host_cpu_features(ARMHostCPUFeatures *ahcf)
{
	return kvm32_get_host_cpu_features(ahcf);
}

bool kvm_arm_reg_syncs_via_cpreg_list(uint64_t regidx)
{
	return kvm32_reg_syncs_via_cpreg_list(regidx);
}

bool kvm_arm_verify_ext_dabt_pending(CPUState *cs)
{
	return kvm32_verify_ext_dabt_pending(ARM_CPU(cs));
}

void kvm_arm_init_debug(KVMState *s)
{
	kvm32_init_debug(s);
}

bool kvm_arm_handle_debug(CPUState *cs, struct kvm_debug_exit_arch *debug_exit)
{
	return kvm32_handle_debug(ARM_CPU(cs), debug_exit);
}

bool kvm_arm_hw_debug_active(CPUState *cs)
{
	return kvm32_hw_debug_active(ARM_CPU(cs));
}

void kvm_arm_copy_hw_debug_data(struct kvm_guest_debug_arch *ptr)
{
	kvm32_copy_hw_debug_data(ptr);
}

int kvm_arch_init_vcpu(CPUState *cs)
{
	kvm_arm_init_serror_injection(cs);
	return kvm32_init_vcpu(cs);
}

int kvm_arch_put_registers(CPUState *cs, int level)
{
	return kvm32_put_registers(cs, level, NULL);
}

int kvm_arch_get_registers(CPUState *cs)
{
	return kvm32_get_registers(cs, NULL);
}

int kvm_arch_insert_hw_breakpoint(target_ulong addr, target_ulong len, int type)
{
	return kvm32_insert_hw_breakpoint(addr, len, type);
}

int kvm_arch_remove_hw_breakpoint(target_ulong addr, target_ulong len, int type)
{
	return kvm32_remove_hw_breakpoint(addr, len, type);
}

/* A counter is written only when a whole machine is loaded: at other times it would go back. */
int kvm_arm_cpreg_level(uint64_t regidx)
{
	switch (regidx) {
	case KVM_REG_ARM_TIMER_CNT:
	case KVM_REG_ARM_PTIMER_CNT:
		return KVM_PUT_FULL_STATE;
	default:
		return KVM_PUT_RUNTIME_STATE;
	}
}

/* -- in 10.0, kvm.c does this for all hosts ------------------------------- */

bool kvm_arm_sve_supported(void)
{
	return false;
}

bool kvm_arm_steal_time_supported(void)
{
	return false;
}

void kvm_arm_steal_time_finalize(ARMCPU *cpu, Error **errp)
{
	if (cpu->kvm_steal_time == ON_OFF_AUTO_ON)
		error_setg(errp, "'kvm-steal-time' cannot be enabled for AArch32 guests");
	else
		cpu->kvm_steal_time = ON_OFF_AUTO_OFF;
}

void kvm_arm_pvtime_init(CPUState *cs, uint64_t ipa)
{
	kvm32_pvtime_init(ARM_CPU(cs), ipa);
}

static void kvm32_pmu_attr(CPUState *cs, uint64_t attr, void *value, const char *what)
{
	struct kvm_device_attr a = {
		.group = KVM_ARM_VCPU_PMU_V3_CTRL,
		.attr = attr,
		.addr = (uintptr_t)value,
	};
	int ret;

	if (!ARM_CPU(cs)->has_pmu)
		return;
	ret = kvm_vcpu_ioctl(cs, KVM_SET_DEVICE_ATTR, &a);
	if (ret) {
		error_report("%s: %s", what, strerror(-ret));
		exit(1);
	}
}

void kvm_arm_pmu_init(CPUState *cs)
{
	kvm32_pmu_attr(cs, KVM_ARM_VCPU_PMU_V3_INIT, NULL, "failed to init PMU");
}

void kvm_arm_pmu_set_irq(CPUState *cs, int irq)
{
	kvm32_pmu_attr(cs, KVM_ARM_VCPU_PMU_V3_IRQ, &irq, "failed to set irq for PMU");
}

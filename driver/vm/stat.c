// SPDX-License-Identifier: GPL-2.0-only
/* What is counted, and what the counters are called. */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include <linux/armvmm.h>

#include "core/state.h"
#include "vm/stat.h"

/* A client reads descriptors as struct kvm_stats_desc and its name, counters as an array. */
static_assert(offsetof(struct armvmm_stat_desc, name) == offsetof(struct kvm_stats_desc, name));
static_assert(offsetof(struct armvmm_stat_desc, offset) == offsetof(struct kvm_stats_desc, offset));
static_assert(sizeof(struct armvmm_vcpu_stat) % sizeof(u64) == 0);
static_assert(sizeof(struct hyp_stat) % sizeof(u64) == 0);

#define STAT_DESC(_type, _unit, _exponent, _size, _offset, _name) {			\
	.flags = KVM_STATS_TYPE_##_type | KVM_STATS_UNIT_##_unit | KVM_STATS_BASE_POW10, \
	.exponent = (_exponent),							\
	.size = (_size),								\
	.offset = (_offset),								\
	.name = (_name),								\
}
#define STAT_VM_TYPE(_type, _name)							\
	STAT_DESC(_type, NONE, 0, 1, offsetof(struct armvmm_vm_stat, _name), #_name)
#define STAT_VM(_name)		STAT_VM_TYPE(CUMULATIVE, _name)
#define STAT_VCPU(_type, _unit, _exponent, _size, _name)				\
	STAT_DESC(_type, _unit, _exponent, _size,					\
		  offsetof(struct armvmm_vcpu_stat, _name), #_name)
#define STAT_COUNT(_name)	STAT_VCPU(CUMULATIVE, NONE, 0, 1, _name)
#define STAT_NS(_name)		STAT_VCPU(CUMULATIVE, SECONDS, -9, 1, _name)
#define STAT_HIST_NS(_name)	STAT_VCPU(LOG_HIST, SECONDS, -9, ARMVMM_STAT_HIST, _name)
#define STAT_HYP(_name)									\
	STAT_DESC(CUMULATIVE, NONE, 0, 1,						\
		  sizeof(struct armvmm_vcpu_stat) + offsetof(struct hyp_stat, _name), #_name)

const struct armvmm_stat_desc armvmm_stat_vm_descs[] = {
	STAT_VM(remote_tlb_flush),
	STAT_VM(remote_tlb_flush_requests),
	STAT_VM_TYPE(INSTANT, pages_2m),
};
const unsigned int armvmm_stat_nr_vm_descs = ARRAY_SIZE(armvmm_stat_vm_descs);

const struct armvmm_stat_desc armvmm_stat_vcpu_descs[] = {
	STAT_COUNT(exits),
	STAT_COUNT(irq_exits),
	STAT_COUNT(hvc_exit_stat),
	STAT_COUNT(smc_exit_stat),
	STAT_COUNT(wfe_exit_stat),
	STAT_COUNT(wfi_exit_stat),
	STAT_COUNT(cp_exit_stat),
	STAT_COUNT(undef_exit_stat),
	STAT_COUNT(mmio_exit_user),
	STAT_COUNT(mmio_exit_kernel),
	STAT_COUNT(page_faults),
	STAT_COUNT(signal_exits),
	STAT_COUNT(halt_successful_poll),
	STAT_COUNT(halt_attempted_poll),
	STAT_COUNT(halt_wakeup),
	STAT_NS(halt_poll_success_ns),
	STAT_NS(halt_poll_fail_ns),
	STAT_NS(halt_wait_ns),
	STAT_VCPU(INSTANT, BOOLEAN, 0, 1, blocking),
	STAT_HIST_NS(halt_poll_success_hist),
	STAT_HIST_NS(halt_poll_fail_hist),
	STAT_HIST_NS(halt_wait_hist),
	STAT_HYP(hyp_hvc),
	STAT_HYP(hyp_cp15),
	STAT_HYP(hyp_fp),
	STAT_HYP(hyp_gicd),
	STAT_HYP(hyp_sgi_kick),
	STAT_HYP(hyp_timer),
	STAT_HYP(hyp_mmio_read),
	STAT_HYP(hyp_mmio_write),
};
const unsigned int armvmm_stat_nr_vcpu_descs = ARRAY_SIZE(armvmm_stat_vcpu_descs);

u64 *armvmm_stat_vm_counter(struct armvmm_vm *vm, u32 offset)
{
	return (u64 *)((char *)&vm->stat + offset);
}

u64 *armvmm_stat_vcpu_counter(struct armvmm_vcpu *vcpu, u32 offset)
{
	if (offset < sizeof(vcpu->stat))
		return (u64 *)((char *)&vcpu->stat + offset);
	return (u64 *)((char *)&vcpu->hyp->stat + (offset - sizeof(vcpu->stat)));
}

void armvmm_stat_vm_copy(struct armvmm_vm *vm, void *data)
{
	memcpy(data, &vm->stat, sizeof(vm->stat));
}

void armvmm_stat_vcpu_copy(struct armvmm_vcpu *vcpu, void *data)
{
	memcpy(data, &vcpu->stat, sizeof(vcpu->stat));
	memcpy(data + sizeof(vcpu->stat), &vcpu->hyp->stat, sizeof(vcpu->hyp->stat));
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's own debug registers (DDI 0406C C11.11). Each access traps, and
 * reads or changes struct armvmm_cp14. The registers are loaded into the hardware
 * only while the guest runs and has turned debug events on. The first half is pure.
 */
#ifndef ARMVMM_CP14_H
#define ARMVMM_CP14_H

#include <linux/types.h>

#include "core/state.h"
#include "host/debug_host.h"
#include "hyp/hyp.h"
#include "arch/cp15_access.h"

struct kvm_one_reg;

/* As after a power-up: the OS Lock is set (C6.5). */
void cp14_reset(struct armvmm_cp14 *g);

/* One MCR or MRC with opc1 of zero. @pl0: from PL0, which may access few registers (C6.4). */
enum cp15_result cp14_access(struct armvmm_cp14 *g, const struct armvmm_debug_host *cpu,
			     struct cp15_access *a, bool pl0);

/* True if the guest has turned debug events on: @regs is then what to load into the hardware. */
bool cp14_load(const struct armvmm_cp14 *g, const struct armvmm_debug_host *cpu,
	       struct hyp_debug_regs *regs);

/* Register @n, from 0, of those that make up the state: its ONE_REG id, or zero after the last. */
u64 cp14_id(const struct armvmm_debug_host *cpu, unsigned int n);

/* By ONE_REG id: -ENOENT; -EINVAL for a DBGDIDR of another kind (DBGDIDR_KIND). */
int cp14_get(const struct armvmm_cp14 *g, const struct armvmm_debug_host *cpu, u64 id, u32 *val);
int cp14_set(struct armvmm_cp14 *g, const struct armvmm_debug_host *cpu, u64 id, u32 val);

/* The same for a vCPU; see cp15.h. */
enum cp15_result armvmm_cp14_access(struct armvmm_vcpu *vcpu, struct cp15_access *a);
int armvmm_cp14_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
int armvmm_cp14_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
unsigned long armvmm_cp14_count(void);
int armvmm_cp14_list(u64 __user **ids);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* The system control coprocessor and the debug one, as a guest sees them: tables. */
#ifndef ARMVMM_CP15_H
#define ARMVMM_CP15_H

#include "core/state.h"

/* Exit handlers, as armvmm_exit_handle(). */
int armvmm_cp15_trap32(struct armvmm_vcpu *vcpu);	/* HSR.EC 0x03 */
int armvmm_cp15_trap64(struct armvmm_vcpu *vcpu);	/* HSR.EC 0x04 */
int armvmm_cp14_trap32(struct armvmm_vcpu *vcpu);	/* HSR.EC 0x05 */
int armvmm_cp14_trap64(struct armvmm_vcpu *vcpu);	/* HSR.EC 0x0c */
int armvmm_cp14_trap_ldst(struct armvmm_vcpu *vcpu);	/* HSR.EC 0x06 */
int armvmm_cp10_trap(struct armvmm_vcpu *vcpu);	/* HSR.EC 0x08: VMRS of ID registers */

void armvmm_cp15_reset(struct armvmm_vcpu *vcpu);
int armvmm_cp15_init(void);	/* checks that the tables are sorted; reads invariants */

/* ONE_REG groups cp15, demux: -ENOENT for an unknown id. */
int armvmm_cp15_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
int armvmm_cp15_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
unsigned long armvmm_cp15_count(struct armvmm_vcpu *vcpu);
int armvmm_cp15_list(struct armvmm_vcpu *vcpu, u64 __user **ids);

/* After an exit: the guest turned its caches on or off (tracks HCR.TVM; stage2 flush). */
void armvmm_cp15_toggle_cache(struct armvmm_vcpu *vcpu, bool was_enabled);

#endif

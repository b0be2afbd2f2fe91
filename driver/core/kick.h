/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests to vCPUs, and the kicks that make vCPUs look at them. */
#ifndef ARMVMM_KICK_H
#define ARMVMM_KICK_H

#include "core/state.h"

static inline void armvmm_vcpu_request(struct armvmm_vcpu *vcpu, unsigned int req)
{
	/* What the request is about comes first; pairs with armvmm_vcpu_check_request(). */
	smp_mb__before_atomic();
	/* Pairs with the barrier after mode is set to VCPU_IN_GUEST. */
	set_bit(req, &vcpu->requests);
	smp_mb__after_atomic();
}

/* What was written before the request was set is seen after it was cleared. */
static inline bool armvmm_vcpu_check_request(struct armvmm_vcpu *vcpu, unsigned int req)
{
	return test_bit(req, &vcpu->requests) && test_and_clear_bit(req, &vcpu->requests);
}

/* Makes the vCPU leave the guest or WFI and look at its requests. Any context. */
void armvmm_vcpu_kick(struct armvmm_vcpu *vcpu);

/* Sets a request on all vCPUs but @except (may be NULL) and kicks them out of the guest. */
void armvmm_kick_all(struct armvmm_vm *vm, unsigned int request, struct armvmm_vcpu *except);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* MMIO whose syndrome tells too little: the instruction is read from guest memory. */
#include <linux/kernel.h>

#include "mmio_insn.h"
#include "vcpu.h"

bool armvmm_mmio_insn_wrong_rt(struct armvmm_vcpu *vcpu)
{
	return false;
}

bool armvmm_mmio_insn_decode(struct armvmm_vcpu *vcpu, struct armvmm_mmio *mmio)
{
	return false;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest accesses to memory that is no RAM. In-kernel devices are asked first,
 * then the client. Data stands in a buffer in the byte order of memory, so that
 * a big-endian guest (CPSR.E) differs in its registers alone.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/swab.h>

#include "archregs.h"
#include "decode.h"
#include "iobus.h"
#include "mmio.h"
#include "mmio_insn.h"
#include "regs.h"
#include "vcpu.h"
#include "vm.h"

static bool mmio_big_endian(struct armvmm_vcpu *vcpu)
{
	return vcpu->hyp->regs.usr_regs.ARM_cpsr & CPSR_E;
}

/* Register to memory: the first @len bytes of what is returned, the others zero. */
static u32 mmio_put_data(struct armvmm_vcpu *vcpu, unsigned int len, u32 val)
{
	val &= ~0u >> 8 * (4 - len);
	return mmio_big_endian(vcpu) ? swab32(val) >> 8 * (4 - len) : val;
}

/* Memory to register. */
static u32 mmio_get_data(struct armvmm_vcpu *vcpu, u32 val, unsigned int len, bool sign)
{
	u32 top = 1u << (8 * len - 1);

	val = mmio_put_data(vcpu, len, val);
	return sign ? (val ^ top) - top : val;
}

/* The access is over: register, writeback, and on to the next instruction, once. */
static void mmio_finish(struct armvmm_vcpu *vcpu, u32 data)
{
	struct armvmm_mmio *mmio = &vcpu->mmio;

	mmio->pending = false;
	if (mmio->writeback)
		*armvmm_regs_ptr(vcpu, mmio->rn) = mmio->wb_value;
	if (!mmio->is_write)
		*armvmm_regs_ptr(vcpu, mmio->rt) =
			mmio_get_data(vcpu, data, mmio->len, mmio->sign_extend);
	armvmm_regs_skip_len(vcpu, mmio->insn_len);
}

int armvmm_mmio_complete(struct armvmm_vcpu *vcpu)
{
	u32 data;

	if (!vcpu->mmio.pending)
		return 0;
	/* From the shared page once; length and register are the kernel's own. */
	memcpy(&data, vcpu->run->mmio.data, sizeof(data));
	mmio_finish(vcpu, data);
	return 0;
}

/* The access by its syndrome (DDI 0406C B3.13.6). False where it tells too little. */
static bool mmio_by_syndrome(struct armvmm_vcpu *vcpu)
{
	struct armvmm_mmio *mmio = &vcpu->mmio;
	u32 hsr = vcpu_hsr(vcpu);

	if (!(hsr & HSR_DABT_ISV) || HSR_DABT_SAS(hsr) == 3 || HSR_DABT_SRT(hsr) == 15)
		return false;
	if (armvmm_mmio_insn_wrong_rt(vcpu))
		return false;
	*mmio = (struct armvmm_mmio) {
		.is_write = hsr & HSR_DABT_WNR,
		.sign_extend = hsr & HSR_DABT_SSE,
		.rt = HSR_DABT_SRT(hsr),
		.len = 1 << HSR_DABT_SAS(hsr),
		.insn_len = hsr & HSR_IL ? 4 : 2,
	};
	return true;
}

/* Neither the syndrome nor the instruction tells what to do. */
static int mmio_refuse(struct armvmm_vcpu *vcpu, u64 ipa)
{
	struct kvm_run *run = vcpu->run;

	if (!READ_ONCE(vcpu->vm->return_nisv_to_user)) {
		armvmm_regs_inject_dabt(vcpu, vcpu->hyp->hxfar);
		return 1;
	}
	/* Nothing of the syndrome that a client could take for valid. */
	memset(&run->arm_nisv, 0, sizeof(run->arm_nisv));
	run->arm_nisv.esr_iss = vcpu_hsr(vcpu) & (HSR_DABT_CM | HSR_DABT_WNR | HSR_ABT_FSC);
	run->arm_nisv.fault_ipa = ipa;
	run->exit_reason = KVM_EXIT_ARM_NISV;
	return 0;
}

static int mmio_to_user(struct armvmm_vcpu *vcpu, u64 ipa, u32 data)
{
	struct armvmm_mmio *mmio = &vcpu->mmio;
	struct kvm_run *run = vcpu->run;

	memset(&run->mmio, 0, sizeof(run->mmio));
	run->mmio.phys_addr = ipa;
	run->mmio.len = mmio->len;
	run->mmio.is_write = mmio->is_write;
	if (mmio->is_write)
		memcpy(run->mmio.data, &data, sizeof(data));
	run->exit_reason = KVM_EXIT_MMIO;
	mmio->pending = true;
	return 0;
}

int armvmm_mmio_fault(struct armvmm_vcpu *vcpu, u64 ipa)
{
	struct armvmm_mmio *mmio = &vcpu->mmio;
	u32 data = 0;
	int err;

	if (!mmio_by_syndrome(vcpu) && !armvmm_mmio_insn_decode(vcpu, mmio))
		return mmio_refuse(vcpu, ipa);

	if (mmio->is_write) {
		data = mmio_put_data(vcpu, mmio->len, *armvmm_regs_ptr(vcpu, mmio->rt));
		err = armvmm_iobus_write(vcpu, ipa, mmio->len, &data);
	} else {
		err = armvmm_iobus_read(vcpu, ipa, mmio->len, &data);
	}
	if (err)
		return mmio_to_user(vcpu, ipa, data);
	mmio_finish(vcpu, data);
	return 1;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest accesses to memory that is no RAM. In-kernel devices are asked first,
 * then the client. Data stands in a buffer in the byte order of memory, so that
 * a big-endian guest (CPSR.E) differs in its registers alone.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "arch/archregs.h"
#include "core/guest.h"
#include "core/inject.h"
#include "core/iobus.h"
#include "core/state.h"
#include "core/trace.h"
#include "mmio/mmio.h"
#include "mmio/mmio_data.h"
#include "mmio/mmio_insn.h"
#include "mmio/mmio_seq.h"

static u32 mmio_cpsr(struct armvmm_vcpu *vcpu)
{
	return vcpu->hyp->regs.usr_regs.ARM_cpsr;
}

/* The access is over: register, and on to the next instruction, once. */
static void mmio_finish(struct armvmm_vcpu *vcpu, u32 data)
{
	struct armvmm_mmio *mmio = &vcpu->mmio;

	mmio->pending = false;
	if (!mmio->is_write)
		*armvmm_regs_ptr(vcpu, mmio->rt) =
			mmio_data_get(mmio_cpsr(vcpu), mmio->len, data, mmio->sign_extend);
	armvmm_regs_skip_len(vcpu, mmio->insn_len);
}

int armvmm_mmio_complete(struct armvmm_vcpu *vcpu)
{
	u32 data;

	if (!vcpu->mmio.pending)
		return 1;
	/* From the shared page once; length and register are the kernel's own. */
	memcpy(&data, vcpu->run->mmio.data, sizeof(data));
	if (vcpu->mmio.in_seq)
		return armvmm_mmio_seq_complete(vcpu, data);
	if (!vcpu->mmio.is_write)
		trace_armvmm_mmio(vcpu->id, TRACE_MMIO_READ, vcpu->mmio.len, vcpu->mmio.ipa, data);
	mmio_finish(vcpu, data);
	return 1;
}

/*
 * The access by its syndrome (DDI 0406C B3.13.6). False where it tells too little, or leaves the
 * page: what the next page is the syndrome does not say.
 */
static bool mmio_by_syndrome(struct armvmm_vcpu *vcpu, u64 ipa)
{
	struct armvmm_mmio *mmio = &vcpu->mmio;
	u32 hsr = vcpu_hsr(vcpu);

	if (!(hsr & HSR_DABT_ISV) || HSR_DABT_SAS(hsr) == 3 || HSR_DABT_SRT(hsr) == 15)
		return false;
	if (offset_in_page(ipa) + (1 << HSR_DABT_SAS(hsr)) > PAGE_SIZE ||
	    armvmm_mmio_insn_wrong_rt(vcpu))
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
		armvmm_inject_dabt(vcpu, vcpu->hyp->hxfar);
		return 1;
	}
	/* Nothing of the syndrome that a client could take for valid. */
	memset(&run->arm_nisv, 0, sizeof(run->arm_nisv));
	run->arm_nisv.esr_iss = vcpu_hsr(vcpu) & (HSR_DABT_CM | HSR_DABT_WNR | HSR_ABT_FSC);
	run->arm_nisv.fault_ipa = ipa;
	run->exit_reason = KVM_EXIT_ARM_NISV;
	return 0;
}

int armvmm_mmio_to_user(struct armvmm_vcpu *vcpu, u64 ipa, unsigned int len, bool is_write,
			u32 data)
{
	struct kvm_run *run = vcpu->run;

	memset(&run->mmio, 0, sizeof(run->mmio));
	run->mmio.phys_addr = ipa;
	run->mmio.len = len;
	run->mmio.is_write = is_write;
	if (is_write)
		memcpy(run->mmio.data, &data, sizeof(data));
	run->exit_reason = KVM_EXIT_MMIO;
	vcpu->mmio.pending = true;
	vcpu->mmio.ipa = ipa;
	vcpu->stat.mmio_exit_user++;
	trace_armvmm_mmio(vcpu->id, is_write ? TRACE_MMIO_WRITE : TRACE_MMIO_READ_USER, len, ipa,
			  data);
	return 0;
}

static int mmio_by_insn(struct armvmm_vcpu *vcpu, u64 ipa)
{
	switch (armvmm_mmio_insn_decode(vcpu, ipa)) {
	case MMIO_INSN_READY:
		return armvmm_mmio_seq_start(vcpu);
	case MMIO_INSN_ABORTED:
		return 1;
	default:
		return mmio_refuse(vcpu, ipa);
	}
}

int armvmm_mmio_fault(struct armvmm_vcpu *vcpu, u64 ipa)
{
	struct armvmm_mmio *mmio = &vcpu->mmio;
	int err;

	if (!mmio_by_syndrome(vcpu, ipa))
		return mmio_by_insn(vcpu, ipa);

	if (mmio->is_write) {
		mmio->data = mmio_data_put(mmio_cpsr(vcpu), mmio->len,
					   *armvmm_regs_ptr(vcpu, mmio->rt));
		err = armvmm_iobus_write(vcpu, ipa, mmio->len, &mmio->data);
	} else {
		err = armvmm_iobus_read(vcpu, ipa, mmio->len, &mmio->data);
	}
	if (err)
		return armvmm_mmio_to_user(vcpu, ipa, mmio->len, mmio->is_write, mmio->data);
	vcpu->stat.mmio_exit_kernel++;
	trace_armvmm_mmio(vcpu->id, mmio->is_write ? TRACE_MMIO_WRITE : TRACE_MMIO_READ,
			  mmio->len, ipa, mmio->data);
	mmio_finish(vcpu, mmio->data);
	return 1;
}

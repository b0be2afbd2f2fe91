// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client's registers in HYP mode, for the vCPU that runs on this CPU: reads of mirrors. What is
 * not answered at once is left to the host, with nothing changed: mmio/mirror.c gives the same
 * answers. docs/distributor.md tells what is shared, and why neither side can harm the other.
 */
#include "hyp/cpu.h"
#include "hyp/dabt.h"
#include "hyp/mmio.h"
#include "hyp/sysreg.h"

#ifdef __arm__
asm(".arch_extension virt");
#endif

/* As mirror_read() of the host, but it does not wait for a change to end. */
static bool __hyp_text mmio_read(const struct hyp_mirrors *m, u64 addr, u32 len, u32 *val)
{
	u32 seq = READ_ONCE(m->seq.sequence);
	const struct hyp_mirror *at;

	/* Also for the guest's own reads before this one, which may have told it of a new value. */
	smp_rmb();
	at = hyp_mirrors_find(m, addr, len);
	if (!at || READ_ONCE(at->hidden))
		return false;
	*val = hyp_mirror_value(at, addr) & ~0u >> (32 - 8 * len);
	smp_rmb();
	return !(seq & 1) && READ_ONCE(m->seq.sequence) == seq;
}

/*
 * A data abort in a page for which HYP mode may answer: @page has its number as HPFAR has it.
 * HYP_RESUME: the access is done. HYP_EXIT_TRAP: nothing was done, the host does it all.
 */
u32 __hyp_text hyp_mmio_trap(struct hyp_vcpu *vcpu, u32 hsr, u32 page)
{
	unsigned long *reg = &vcpu->regs.usr_regs.uregs[HSR_DABT_SRT(hsr)];
	u32 len = 1 << HSR_DABT_SAS(hsr), val;
	u64 addr;

	if (!hyp_dabt_is_plain(vcpu, hsr, spsr_read()) || len > 4)
		return HYP_EXIT_TRAP;
	addr = (u64)page << HPFAR_FIPA_SHIFT | (sysreg_read(SYS_HDFAR) & 0xfff);
	if (!mmio_read(vcpu->mirrors, addr, len, &val))
		return HYP_EXIT_TRAP;
	*reg = val;
	vcpu->stat.hyp_mmio_read++;
	hyp_dabt_done(hsr & HSR_IL ? 4 : 2);
	return HYP_RESUME;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client's registers in HYP mode, for the vCPU that runs on this CPU: reads of mirrors, and
 * writes that are posted. What cannot be done at once is left to the host, with nothing changed:
 * mmio/mirror.c and mmio/coalesced.c do the same. docs/distributor.md tells what is shared, and why
 * neither side can harm the other.
 */
#include "hyp/cpu.h"
#include "hyp/dabt.h"
#include "hyp/mmio.h"
#include "hyp/sysreg.h"

#ifdef __arm__
asm(".arch_extension virt");
#endif

/* How often the ring's lock is tried: a holder has it for some dozen instructions. */
#define MMIO_TRIES	4

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

/* As coalesced_write() of the host, where the lock is free and the ring has room. */
static bool __hyp_text mmio_write(struct hyp_zones *z, u64 addr, u32 len, u32 val)
{
	unsigned int i;
	bool done;

	for (i = 1; !hyp_spin_trylock(&z->lock); i++)
		if (i == MMIO_TRIES)
			return false;
	/* With the lock held: a zone that the client takes away gets no write after that. */
	done = hyp_zones_take(z, addr, len) && hyp_zones_post(z, addr, len, val);
	hyp_spin_unlock(&z->lock);
	return done;
}

/*
 * A data abort in a page for which HYP mode may answer, by its way: @page as HPFAR has it.
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
	if (hsr & HSR_DABT_WNR) {
		val = *reg & ~0u >> (32 - 8 * len);
		if (!mmio_write(vcpu->zones, addr, len, val))
			return HYP_EXIT_TRAP;
		vcpu->stat.hyp_mmio_write++;
	} else {
		if (!mmio_read(vcpu->mirrors, addr, len, &val))
			return HYP_EXIT_TRAP;
		*reg = val;
		vcpu->stat.hyp_mmio_read++;
	}
	hyp_dabt_done(hsr & HSR_IL ? 4 : 2);
	return HYP_RESUME;
}

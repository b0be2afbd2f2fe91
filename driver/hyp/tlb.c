// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLB maintenance for the guests' entries and for HYP's own. ARMv7 can name a
 * VM only by the VMID in VTTBR, and HYP's entries only from HYP (DDI 0406C
 * B3.10.5). The caller's table writes are made visible here, once.
 */
#include "hyp/cpu.h"
#include "hyp/sysreg.h"

/*
 * Cortex-A15 erratum 798181: a broadcast invalidation may complete before
 * another core has finished what it had translated. A second, harmless one by
 * MVA and a DSB make it wait; harmless on other CPUs too.
 */
__hyp_inline void broadcast_again(void)
{
	sysreg_write(0, SYS_TLBIMVAIS);
	hyp_dsb_ish();
}

/* Returns the host's TTBCR for vmid_leave(). */
__hyp_inline u32 vmid_enter(u32 lo, u32 hi)
{
	u32 ttbcr;

	hyp_dsb_ishst();
	ttbcr = hyp_walks_off();
	sysreg_write64((u64)hi << 32 | lo, SYS_VTTBR);
	hyp_isb();
	return ttbcr;
}

__hyp_inline void vmid_leave(const struct hyp_cpu *cpu, u32 ttbcr)
{
	sysreg_write64(cpu->host.vttbr, SYS_VTTBR);
	hyp_isb();
	sysreg_write(ttbcr, SYS_TTBCR);
	hyp_isb();
}

/* All CPUs of the inner shareable domain. */
u32 __hyp_text hyp_tlbi_vmid(struct hyp_cpu *cpu, u32 vttbr_lo, u32 vttbr_hi)
{
	u32 ttbcr = vmid_enter(vttbr_lo, vttbr_hi);

	sysreg_write(0, SYS_TLBIALLIS);
	hyp_dsb_ish();
	broadcast_again();
	vmid_leave(cpu, ttbcr);
	return 0;
}

/*
 * On this CPU: what another vCPU of the VM left when it ran here. The I-cache is invalidated too,
 * as a guest may have relied on by-VA maintenance that was local.
 */
u32 __hyp_text hyp_tlbi_vmid_local(struct hyp_cpu *cpu, u32 vttbr_lo, u32 vttbr_hi)
{
	u32 ttbcr = vmid_enter(vttbr_lo, vttbr_hi);

	sysreg_write(0, SYS_TLBIALL);
	sysreg_write(0, SYS_ICIALLU);
	hyp_dsb();
	vmid_leave(cpu, ttbcr);
	return 0;
}

/* All VMIDs on all CPUs, the host's among them, for a rollover. */
u32 __hyp_text hyp_tlbi_all(void)
{
	hyp_dsb_ishst();
	sysreg_write(0, SYS_TLBIALLNSNHIS);
	sysreg_write(0, SYS_ICIALLUIS);
	hyp_dsb_ish();
	broadcast_again();
	hyp_isb();
	return 0;
}

/* HYP's own, after a change of its tables. */
u32 __hyp_text hyp_tlbi_hyp(void)
{
	hyp_dsb_ishst();
	sysreg_write(0, SYS_TLBIALLHIS);
	hyp_dsb_ish();
	broadcast_again();
	hyp_isb();
	return 0;
}

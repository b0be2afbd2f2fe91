// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's counters. The host's perf has them run with a filter that nothing
 * passes; here they get the guest's filter and lose it again. HYP mode itself
 * is never counted: NSH is clear in both (DDI 0406C B4.1.126).
 *
 * PMSELR is left changed: the host writes it before each use, IRQs off.
 */
#include <linux/bits.h>

#include "hyp/cpu.h"
#include "hyp/sysreg.h"

__hyp_inline u32 pmu_nr(const struct hyp_pmu *pmu)
{
	return pmu->nr < HYP_MAX_COUNTERS ? pmu->nr : HYP_MAX_COUNTERS;
}

__hyp_inline void pmu_write_type(u32 select, u32 type)
{
	sysreg_write(select, SYS_PMSELR);
	hyp_isb();
	sysreg_write(type, SYS_PMXEVTYPER);
}

/*
 * While EN is clear, accesses by PL0 are undefined and taken at PL1, with no trap (B1.14.3). So the
 * hardware must have the guest's EN.
 */
void __hyp_text hyp_pmu_restore(struct hyp_pmu *pmu)
{
	u32 i, nr = pmu_nr(pmu);

	pmu->host_userenr = sysreg_read(SYS_PMUSERENR);
	sysreg_write(pmu->userenr, SYS_PMUSERENR);
	for (i = 0; i < nr; i++)
		pmu_write_type(pmu->counter[i].select, pmu->counter[i].guest_type);
}

void __hyp_text hyp_pmu_save(struct hyp_pmu *pmu)
{
	u32 i, nr = pmu_nr(pmu);

	for (i = 0; i < nr; i++)
		pmu_write_type(pmu->counter[i].select, pmu->counter[i].host_type);
	sysreg_write(pmu->host_userenr, SYS_PMUSERENR);
}

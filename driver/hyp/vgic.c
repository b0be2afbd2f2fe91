// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list registers, loaded and read back only where one is in use (IHI 0048B
 * 5.3). VMCR and APR move when a vCPU is loaded on a CPU, not here.
 */
#include <linux/bits.h>

#include "arch/gic.h"
#include "hyp/cpu.h"
#include "hyp/sysreg.h"

__hyp_inline u32 gich_read(struct hyp_cpu *cpu, unsigned int offset)
{
	return *(volatile u32 *)((unsigned long)cpu->gich + offset);
}

__hyp_inline void gich_write(struct hyp_cpu *cpu, unsigned int offset, u32 val)
{
	*(volatile u32 *)((unsigned long)cpu->gich + offset) = val;
}

void __hyp_text hyp_vgic_restore(struct hyp_cpu *cpu, struct hyp_vgic *vgic)
{
	u32 i, used = vgic->used_lrs;

	if (!used)
		return;
	for (i = 0; i < used; i++)
		gich_write(cpu, GICH_LR(i), vgic->lr[i]);
	if (cpu->gich_hcr != vgic->hcr) {
		gich_write(cpu, GICH_HCR, vgic->hcr);
		cpu->gich_hcr = vgic->hcr;
	}
}

void __hyp_text hyp_vgic_save(struct hyp_cpu *cpu, struct hyp_vgic *vgic)
{
	u32 i, used = vgic->used_lrs;
	u64 empty;

	/*
	 * Maintenance interrupts are for the time in the guest only: that they
	 * ended it is all there is to know, and the list registers say the rest.
	 */
	if (cpu->gich_hcr & ~GICH_HCR_En) {
		gich_write(cpu, GICH_HCR, GICH_HCR_En);
		cpu->gich_hcr = GICH_HCR_En;
	}
	if (!used)
		return;

	/* What the guest wrote to GICV is done before the state is read. */
	hyp_dsb();
	empty = gich_read(cpu, GICH_ELRSR0);
	if (used > 32)
		empty |= (u64)gich_read(cpu, GICH_ELRSR1) << 32;
	for (i = 0; i < used; i++) {
		if (empty & BIT_ULL(i)) {
			vgic->lr[i] &= ~GICH_LR_STATE;
		} else {
			vgic->lr[i] = gich_read(cpu, GICH_LR(i));
			gich_write(cpu, GICH_LR(i), 0);
		}
	}
	vgic->elrsr = empty;
}

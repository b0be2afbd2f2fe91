// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list registers, loaded and read back only where one is in use (IHI 0048B
 * 5.3). VMCR and APR move when a vCPU is loaded on a CPU, not here.
 */
#include "arch/gic.h"
#include "hyp/cpu.h"
#include "hyp/gich.h"
#include "hyp/sysreg.h"

void __hyp_text hyp_vgic_restore(struct hyp_cpu *cpu, struct hyp_vgic *vgic)
{
	unsigned long gich = (unsigned long)cpu->gich;
	u32 i, used = vgic->used_lrs;

	if (!used)
		return;
	for (i = 0; i < used; i++)
		gich_write(gich, GICH_LR(i), vgic->lr[i]);
	if (cpu->gich_hcr != vgic->hcr) {
		gich_write(gich, GICH_HCR, vgic->hcr);
		cpu->gich_hcr = vgic->hcr;
	}
}

void __hyp_text hyp_vgic_save(struct hyp_cpu *cpu, struct hyp_vgic *vgic)
{
	unsigned long gich = (unsigned long)cpu->gich;
	u32 i, used = vgic->used_lrs, empty;

	/*
	 * Maintenance interrupts are enabled only while the guest runs. They only end its run; the
	 * list registers tell why.
	 */
	if (cpu->gich_hcr & ~GICH_HCR_En) {
		gich_write(gich, GICH_HCR, GICH_HCR_En);
		cpu->gich_hcr = GICH_HCR_En;
	}
	if (!used)
		return;

	/* The guest's writes to GICV are complete before the state is read. */
	hyp_dsb();
	empty = gich_read(gich, GICH_ELRSR0);
	vgic->elrsr = empty;
	for (i = 0; i < used; i++, empty >>= 1) {
		if (i == 32) {
			empty = gich_read(gich, GICH_ELRSR1);
			vgic->elrsr |= (u64)empty << 32;
		}
		if (empty & 1) {
			vgic->lr[i] &= ~GICH_LR_STATE;
		} else {
			vgic->lr[i] = gich_read(gich, GICH_LR(i));
			gich_write(gich, GICH_LR(i), 0);
		}
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list registers (IHI 0048B 5.3). What is pending or active at an exit stays in its register,
 * and the next entry writes those alone that are to hold something else. VMCR and APR move when a
 * vCPU is loaded on a CPU, not here.
 */
#include "arch/gic.h"
#include "hyp/cpu.h"
#include "hyp/gich.h"
#include "hyp/sysreg.h"

/* Those from the 33rd on are loaded at each entry, and cleared at each exit. No GIC has so many. */
#define VGIC_MAX_HELD	32

/*
 * Some hold something. Those that hold what they are not to hold go before anything else is
 * written: no two may have the same interrupt (5.3.11), not even in between.
 */
static void __hyp_text vgic_exchange(struct hyp_cpu *cpu, struct hyp_vgic *vgic)
{
	u32 used = vgic->used_lrs, want = used < VGIC_MAX_HELD ? (1u << used) - 1 : ~0u, n;
	u32 load = want & ~vgic->held, drop = cpu->gich_held & (load | ~want);
	unsigned long gich = (unsigned long)cpu->gich;

	for (; drop; drop &= drop - 1)
		gich_write(gich, GICH_LR(__builtin_ctz(drop)), 0);
	for (; load; load &= load - 1) {
		n = __builtin_ctz(load);
		gich_write(gich, GICH_LR(n), vgic->lr[n]);
	}
	for (n = VGIC_MAX_HELD; n < used; n++)
		gich_write(gich, GICH_LR(n), vgic->lr[n]);
	/* The exit finds what is held then, but where none is in use. */
	cpu->gich_held = 0;
}

/* Called where the CPU or the vCPU has a list register in use. */
void __hyp_text hyp_vgic_restore(struct hyp_cpu *cpu, struct hyp_vgic *vgic)
{
	unsigned long gich = (unsigned long)cpu->gich;
	u32 used = vgic->used_lrs, n;

	if (cpu->gich_held)
		vgic_exchange(cpu, vgic);
	else
		for (n = 0; n < used; n++)
			gich_write(gich, GICH_LR(n), vgic->lr[n]);
	if (used && cpu->gich_hcr != vgic->hcr) {
		gich_write(gich, GICH_HCR, vgic->hcr);
		cpu->gich_hcr = vgic->hcr;
	}
}

/* One that GICH_ELRSR does not call empty. True where it stays as it is. */
__hyp_inline bool vgic_read(unsigned long gich, struct hyp_vgic *vgic, u32 n, bool stays)
{
	u32 lr = gich_read(gich, GICH_LR(n));

	vgic->lr[n] = lr;
	if (stays && lr & GICH_LR_STATE)
		return true;
	/* An end that asked for maintenance would go on asking. */
	gich_write(gich, GICH_LR(n), 0);
	return false;
}

static void __hyp_text vgic_read_many(unsigned long gich, struct hyp_vgic *vgic)
{
	u32 n, empty = gich_read(gich, GICH_ELRSR1);

	vgic->elrsr[1] = empty;
	for (n = VGIC_MAX_HELD; n < vgic->used_lrs; n++, empty >>= 1)
		if (empty & 1)
			vgic->lr[n] &= ~GICH_LR_STATE;
		else
			vgic_read(gich, vgic, n, false);
}

/* Called where the vCPU has one in use: else GICH_HCR asks for nothing, either. */
void __hyp_text hyp_vgic_save(struct hyp_cpu *cpu, struct hyp_vgic *vgic)
{
	u32 used = vgic->used_lrs, n = 0, bit = 1, held = 0, empty;
	bool stays = vgic->stays;
	unsigned long gich = (unsigned long)cpu->gich;

	/*
	 * Maintenance interrupts are enabled only while the guest runs. They only end its run; the
	 * list registers tell why.
	 */
	if (cpu->gich_hcr & ~GICH_HCR_En) {
		gich_write(gich, GICH_HCR, GICH_HCR_En);
		cpu->gich_hcr = GICH_HCR_En;
	}

	/* The guest's writes to GICV are complete before the state is read. */
	hyp_dsb();
	empty = gich_read(gich, GICH_ELRSR0);
	vgic->elrsr[0] = empty;
	do {
		if (empty & bit)
			vgic->lr[n] &= ~GICH_LR_STATE;
		else if (vgic_read(gich, vgic, n, stays))
			held |= bit;
		bit <<= 1;
	} while (++n < used && bit);
	/*
	 * lr[n] is what register n holds, empty ones too; or it has no state, and is not shown
	 * again (an end that asked for maintenance).
	 */
	vgic->held = stays ? bit - 1 : 0;
	cpu->gich_held = held;
	if (__builtin_expect(used > VGIC_MAX_HELD, 0))
		vgic_read_many(gich, vgic);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* The list registers (hyp/vgic.c): which are loaded, read back, and stay. A part of whole.c. */
#ifndef BOARD_LISTS_H
#define BOARD_LISTS_H

#define NO_LR	0xffffffff	/* in the place of a list register that was not written */

/* How many list registers HYP mode did not write since they were marked. */
static u32 marked_lrs(bool mark)
{
	u32 left = 0;

	for (u32 n = 0; n < 40; n++) {
		left += gich[GICH_LR(n) / 4] == NO_LR;
		if (mark)
			gich[GICH_LR(n) / 4] = NO_LR;
	}
	return left;
}

static void test_vgic(void)
{
	u32 bad = 0;

	prepare();
	cpu.gich_held = 0;
	vcpu.vgic.stays = 1;
	vcpu.vgic.used_lrs = 40;
	vcpu.vgic.held = 0;
	vcpu.vgic.hcr = GICH_HCR_En | 2;
	cpu.gich_hcr = GICH_HCR_En;
	for (u32 n = 0; n < 40; n++)
		vcpu.vgic.lr[n] = 0x90000000 | n;
	hyp_vgic_restore(&cpu, &vcpu.vgic);
	for (u32 n = 0; n < 40; n++)
		bad += gich[GICH_LR(n) / 4] != (0x90000000 | n);
	report(!bad && gich[GICH_HCR / 4] == (GICH_HCR_En | 2), "forty list registers are loaded");
	/* The guest has done with the even ones; the odd ones are active now. */
	gich[GICH_ELRSR0 / 4] = 0x55555555;
	gich[GICH_ELRSR1 / 4] = 0x55;
	for (u32 n = 1; n < 40; n += 2)
		gich[GICH_LR(n) / 4] = 0xa0000000 | n;
	hyp_vgic_save(&cpu, &vcpu.vgic);
	for (u32 n = 0; n < 40; n++)
		bad += vcpu.vgic.lr[n] != ((n & 1 ? 0xa0000000 : 0x80000000) | n);
	expect(bad, 0, "each is read back, or empty");
	report(vcpu.vgic.elrsr[0] == 0x55555555 && vcpu.vgic.elrsr[1] == 0x55 &&
	       gich[GICH_HCR / 4] == GICH_HCR_En, "and all are accounted for");

	for (u32 n = 1; n < 40; n += 2)
		bad += gich[GICH_LR(n) / 4] != (n < 32 ? 0xa0000000 | n : 0);
	report(!bad && cpu.gich_held == 0xaaaaaaaa, "what is active stays in the first 32");
	marked_lrs(true);
	hyp_vgic_restore(&cpu, &vcpu.vgic);
	expect(marked_lrs(false), 32, "and is not written again");

	/* Each is empty, but for an end that asks for maintenance, and one that is pending. */
	gich[GICH_ELRSR0 / 4] = ~(1u << 20 | 1u << 21);
	gich[GICH_ELRSR1 / 4] = ~0u;
	gich[GICH_LR(20) / 4] = 0x90000014;
	gich[GICH_LR(21) / 4] = 0x80000015 | GICH_LR_EOI;
	hyp_vgic_save(&cpu, &vcpu.vgic);
	report(gich[GICH_LR(20) / 4] == 0x90000014 && !gich[GICH_LR(21) / 4] &&
	       cpu.gich_held == 1u << 20, "an end that asked for maintenance does not stay");

	/* Fewer are to be shown. */
	vcpu.vgic.used_lrs = 20;
	marked_lrs(true);
	hyp_vgic_restore(&cpu, &vcpu.vgic);
	report(!gich[GICH_LR(20) / 4] && marked_lrs(false) == 39,
	       "nor does what is not to be shown any more");

	/* The same number of them, of which one is another. */
	gich[GICH_ELRSR0 / 4] = ~(1u << 19);
	gich[GICH_LR(19) / 4] = 0x90000013;
	hyp_vgic_save(&cpu, &vcpu.vgic);
	vcpu.vgic.held &= ~(1u << 19);
	vcpu.vgic.lr[19] = 0x90000063;
	marked_lrs(true);
	hyp_vgic_restore(&cpu, &vcpu.vgic);
	report(gich[GICH_LR(19) / 4] == 0x90000063 && marked_lrs(false) == 39,
	       "another one is written");

	/* A vCPU that shows none, and then the first one again. */
	gich[GICH_LR(19) / 4] = 0x90000063;
	hyp_vgic_save(&cpu, &vcpu.vgic);
	vcpu.vgic.used_lrs = 0;
	hyp_vgic_restore(&cpu, &vcpu.vgic);
	report(!gich[GICH_LR(19) / 4] && !cpu.gich_held, "where none is to be shown, none is");
	vcpu.vgic.used_lrs = 20;
	hyp_vgic_restore(&cpu, &vcpu.vgic);
	expect(gich[GICH_LR(19) / 4], 0x90000063, "until it is to be again");

	/* keep_lrs=0 */
	vcpu.vgic.stays = 0;
	hyp_vgic_save(&cpu, &vcpu.vgic);
	report(!gich[GICH_LR(19) / 4] && !cpu.gich_held && !vcpu.vgic.held &&
	       vcpu.vgic.lr[19] == 0x90000063, "or nothing stays, and all is written again");
}

#endif

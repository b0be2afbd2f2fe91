/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the emulator's CPU has not: instructions that are undefined there are answered here. For
 * whole.c, after the headers of driver/hyp.
 */
#ifndef BOARD_LACKING_H
#define BOARD_LACKING_H

u32 board_emulate(u32 *at, u32 *regs);

/* DBGBVR, DBGBCR, DBGWVR and DBGWCR beyond the emulator's, by op2 - 4 and CRm (C11.11). */
static u32 debug_bank[4][HYP_MAX_DBG], fpinst[2];
static u32 fpexc;	/* not zero: the next read of FPEXC gives it */

static bool emulate_debug(u32 insn, u32 *reg)
{
	u32 op2 = insn >> 5 & 7, n = insn & 15;

	/* p14, opc1 0, CRn 0 */
	if ((insn & 0x0fef0f10) != 0x0e000e10 || op2 < 4)
		return false;
	if (insn & 1 << 20)
		*reg = debug_bank[op2 - 4][n];
	else
		debug_bank[op2 - 4][n] = *reg;
	return true;
}

/* VMRS and VMSR of FPEXC (8), FPINST (9) and FPINST2 (10) (A8.8.349, B9.3.22) */
static bool emulate_fp(u32 insn, u32 *reg)
{
	u32 which = insn >> 16 & 15, hcptr = sysreg_read(SYS_HCPTR);

	if ((insn & 0x0fe00fff) != 0x0ee00a10)
		return false;
	if (which == 8 && fpexc && insn & 1 << 20) {
		*reg = fpexc;
		fpexc = 0;
		sysreg_write(hcptr & ~(HCPTR_TCP10 | HCPTR_TCP11), SYS_HCPTR);
		hyp_isb();
		return true;
	}
	if (which != 9 && which != 10)
		return false;
	if (insn & 1 << 20)
		*reg = fpinst[which - 9];
	else
		fpinst[which - 9] = *reg;
	return true;
}

u32 board_emulate(u32 *at, u32 *regs)
{
	u32 rt = *at >> 12 & 15, *reg = &regs[rt == 14 ? 13 : rt];	/* r0-r12 and LR */

	return emulate_debug(*at, reg) || emulate_fp(*at, reg);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What programs that have vectors.S and entry.S alone need around them. After say.h. */
#ifndef BOARD_VECTORS_H
#define BOARD_VECTORS_H

#define HYP_RESUME	~0u
#define STUCK		0x1da		/* HYP mode, A, I and F set */

extern char board_panicked[], board_guest_done[];
extern char hyp_vectors[], hyp_vectors_bpiall[], hyp_vectors_iciallu[], hyp_vectors_loop8[];

/* What HYP mode goes on with after a panic, and when the guest is done. */
#define GO_ON_AT(label)							\
	asm volatile("msr ELR_hyp, %0\n\tmsr SPSR_cxsf, %1" : : "r" (label), "r" (STUCK))

/* As hyp_fastpath(): the guest goes on, unless its call says that it is done. */
static inline u32 board_resume(void)
{
	u32 hsr;

	read(hsr, "4, %0, c5, c2, 0");
	if (hsr & 1)
		GO_ON_AT(board_guest_done);
	return HYP_RESUME;
}

/* What the vectors refer to, but do not call here. */
#define UNUSED(name)	void name(void); void name(void) { put("# " #name "\n"); }
UNUSED(hyp_irq)
UNUSED(hyp_switch_to_guest)
UNUSED(hyp_switch_to_host)
UNUSED(hyp_tlbi_vmid)
UNUSED(hyp_tlbi_vmid_local)
UNUSED(hyp_tlbi_all)
UNUSED(hyp_tlbi_hyp)
UNUSED(hyp_snapshot)

#endif

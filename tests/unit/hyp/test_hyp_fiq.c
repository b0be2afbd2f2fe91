// SPDX-License-Identifier: GPL-2.0-only
// cflags: -include tests/unit/hyp_fake.h -Itests/unit/fake -Iinclude/uapi -Idriver
/*
 * The registers of FIQ mode at the world switch, on a CPU that records its operations: each is
 * saved and loaded. unit/test_hyp_board has the CPU that reserves them (NSACR.RFR, DDI 0406C
 * B4.1.111).
 */
#include "ops.h"

#include "hyp/fiq.h"

static u32 regs[8];

static void test_there(void)
{
	static const u32 guest[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	hyp_fiq_exchange(regs, guest);
	OPS_ARE("mrs R8_fiq", "mrs R9_fiq", "mrs R10_fiq", "mrs R11_fiq", "mrs R12_fiq",
		"mrs SP_fiq", "mrs LR_fiq", "mrs SPSR_fiq",
		"msr R8_fiq = 1", "msr R9_fiq = 2", "msr R10_fiq = 3", "msr R11_fiq = 4",
		"msr R12_fiq = 5", "msr SP_fiq = 6", "msr LR_fiq = 7", "msr SPSR_fiq = 8");
}

KTAP_MAIN(KTAP_CASE(test_there))

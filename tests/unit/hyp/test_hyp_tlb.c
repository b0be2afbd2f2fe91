// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/hyp/tlb.c
// cflags: -include tests/unit/hyp_fake.h -Itests/unit/fake -Iinclude/uapi -Idriver
/*
 * The TLB maintenance of HYP mode, operation by operation, on a CPU that only records its
 * operations (docs/hazards.md 5, 17 and 24). The encodings are those of DDI 0406C B3.17; the order
 * is that of B3.10.1 (table writes, DSB, invalidation, DSB, ISB), of B3.10.5 for the VMID in VTTBR,
 * and of the workaround of the A15's erratum 798181.
 */
#include "ops.h"

#include "hyp/cpu.h"

#define TLBIALLIS	"mcr 0, c8, c3, 0 = 0"
#define TLBIMVAIS	"mcr 0, c8, c3, 1 = 0"
#define TLBIALL		"mcr 0, c8, c7, 0 = 0"
#define TLBIALLHIS	"mcr 4, c8, c3, 0 = 0"
#define TLBIALLNSNHIS	"mcr 4, c8, c3, 4 = 0"
#define ICIALLU		"mcr 0, c7, c5, 0 = 0"
#define ICIALLUIS	"mcr 0, c7, c1, 0 = 0"
/* A VTTBR of VMID 0x42, and the host's, whose VMID was 5 before the take-over. */
#define LO		0x89abc000
#define HI		0x00420001
#define VTTBR_GUEST	"mcrr 6, c2 = 42000189abc000"
#define VTTBR_HOST	"mcrr 6, c2 = 5000000000000"
#define TTBCR_BACK	"mcr 0, c2, c0, 2 = b5503510"

static struct hyp_cpu cpu = { .host.vttbr = 5ull << 48 };

/* The function is in switch.c: it has an ISB, and no walk begins after it. */
u32 hyp_walks_off(void)
{
	fake_op("walks off");
	return 0xb5503510;
}

static void test_vmid(void)
{
	KTAP_EQ(hyp_tlbi_vmid(&cpu, LO, HI), 0);
	OPS_ARE("dsb ishst",		/* what changed in the tables, before what is invalidated */
		"walks off",		/* the host's walks are not to be made with the VMID */
		VTTBR_GUEST, "isb",	/* the VMID, before the operation that goes by it */
		TLBIALLIS, "dsb ish",
		TLBIMVAIS, "dsb ish",	/* 798181 */
		VTTBR_HOST, "isb",	/* and back, before walks begin again */
		TTBCR_BACK, "isb");
}

static void test_vmid_local(void)
{
	KTAP_EQ(hyp_tlbi_vmid_local(&cpu, LO, HI), 0);
	OPS_ARE("dsb ishst", "walks off", VTTBR_GUEST, "isb",
		/* Not broadcast: a DSB suffices, and the erratum does not apply. */
		TLBIALL, ICIALLU, "dsb",
		VTTBR_HOST, "isb", TTBCR_BACK, "isb");
}

static void test_all(void)
{
	KTAP_EQ(hyp_tlbi_all(), 0);
	OPS_ARE("dsb ishst", TLBIALLNSNHIS, ICIALLUIS, "dsb ish", TLBIMVAIS, "dsb ish", "isb");
}

static void test_hyp(void)
{
	KTAP_EQ(hyp_tlbi_hyp(), 0);
	OPS_ARE("dsb ishst", TLBIALLHIS, "dsb ish", TLBIMVAIS, "dsb ish", "isb");
}

KTAP_MAIN(
	KTAP_CASE(test_vmid),
	KTAP_CASE(test_vmid_local),
	KTAP_CASE(test_all),
	KTAP_CASE(test_hyp),
)

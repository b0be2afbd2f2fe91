// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/hyp/fault.c
// cflags: -include tests/unit/hyp_fake.h -Itests/unit/fake -Iinclude/uapi -Idriver
/*
 * How HYP mode analyses an abort: an asynchronous one, which comes by the same vector as stage-2
 * faults (DDI 0406C B1.9.8) but is none; HPFAR where it is valid, and the guest's tables where it
 * is not (B3.13.5), with the faults that their walk may cause in HYP mode.
 */
#include "ops.h"

#include "hyp/cpu.h"

#define EC_IABT		(0x20u << 26)
#define EC_DABT		(0x24u << 26)
#define S1PTW		0x80u
#define HPFAR		0x00123450u
#define ADDRESS		0xc0001234u
#define GUEST_PAR	0x1122334455667788ULL
#define PAR_BACK	"mcrr 0, c7 = 1122334455667788"

static u64 par;
static u32 isr;
static struct hyp_vcpu vcpu;

u64 fake_reg(const char *args)
{
	if (!strcmp(args, "4, c6, c0, 0") || !strcmp(args, "4, c6, c0, 2"))
		return ADDRESS;
	if (!strcmp(args, "4, c6, c0, 4"))
		return HPFAR;
	if (!strcmp(args, "0, c7"))
		return GUEST_PAR;
	if (!strcmp(args, "0, c12, c1, 0"))
		return isr;
	KTAP_FAIL("%s is read", args);
	return 0;
}

u64 hyp_translate(u32 va)
{
	KTAP_EQ(va, ADDRESS);
	fake_op("translate");
	return par;
}

void hyp_serror_take(void)
{
	fake_op("serror");
	isr = 0;
}

u32 hyp_debug_moe(struct hyp_cpu *cpu)
{
	return 5;
}

static u32 resolve(u32 hsr)
{
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.fault_ipa_valid = 77;
	return hyp_fault_resolve(&vcpu, hsr);
}

/* It is the guest's, whatever HPFAR, HDFAR and CPSR.A are: it does not count as a fault. */
static void test_async(void)
{
	KTAP_EQ(resolve(EC_DABT | 0x11), HYP_EXIT_SERROR);
	OPS_NONE();
	KTAP_EQ(resolve(EC_DABT | 0x19), HYP_EXIT_SERROR);
	KTAP_EQ(vcpu.fault_ipa_valid, 77);
	OPS_NONE();
	/* Fetches have no asynchronous aborts, and a synchronous external abort is not one. */
	KTAP_EQ(resolve(EC_IABT | 0x11), HYP_EXIT_TRAP);
	KTAP_EQ(resolve(EC_DABT | 0x10), HYP_EXIT_TRAP);
	KTAP_EQ(resolve(EC_DABT | 0x18), HYP_EXIT_TRAP);
}

static void test_hpfar(void)
{
	static const u32 fscs[] = { 0x05, 0x06, 0x07, 0x09, 0x0a, 0x0b,
				    S1PTW | 0x0f, S1PTW | 0x07 };

	for (unsigned int i = 0; i < ARRAY_SIZE(fscs); i++) {
		KTAP_EQ(resolve(EC_DABT | fscs[i]), HYP_EXIT_TRAP);
		KTAP_EQ(vcpu.hpfar, HPFAR);
		KTAP_EQ(vcpu.hxfar, ADDRESS);
		KTAP_EQ(vcpu.fault_ipa_valid, 1);
		OPS_NONE();
	}
}

static void test_permission(void)
{
	par = 0x80000000aaULL | 0x40005000;
	isr = 0;
	KTAP_EQ(resolve(EC_DABT | 0x0f), HYP_EXIT_TRAP);
	KTAP_EQ(vcpu.fault_ipa_valid, 1);
	KTAP_EQ(vcpu.hpfar & 0xfffffff0, (u32)(0x8040005000ULL >> 8));
	OPS_ARE("translate", PAR_BACK, "dsb", "isb");
	/* Nothing is mapped any more, or an external abort on the way: the guest tries again. */
	par = 1;
	KTAP_EQ(resolve(EC_IABT | 0x0f), HYP_EXIT_TRAP);
	KTAP_EQ(vcpu.fault_ipa_valid, 0);
	OPS_ARE("translate", PAR_BACK, "dsb", "isb");
	/* An abort that came late is taken here: the host has no part in it. */
	isr = 1 << 8;
	resolve(EC_DABT | 0x0f);
	OPS_ARE("translate", PAR_BACK, "dsb", "isb", "serror");
}

static void test_debug(void)
{
	KTAP_EQ(resolve(EC_DABT | 0x22), HYP_EXIT_TRAP);
	KTAP_EQ(vcpu.debug.moe, 5);
	OPS_NONE();
}

KTAP_MAIN(
	KTAP_CASE(test_async),
	KTAP_CASE(test_hpfar),
	KTAP_CASE(test_permission),
	KTAP_CASE(test_debug),
)

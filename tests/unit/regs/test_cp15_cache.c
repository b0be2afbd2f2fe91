// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/regs/cp15_cache.c driver/regs/cp15_table.c
// cflags: -Itests/unit/fake -Iinclude/uapi -Idriver
/*
 * How a guest's cache maintenance by set and way is handled (DDI 0406C B2.2.6; docs/hazards.md 12:
 * the A7's erratum 814220 is about the order of such operations, and none is ever carried out), and
 * what happens when the guest turns its caches on and off. The emulator traps no operations by set
 * and way.
 */
#include "fake/fake_kernel.h"
#include "ktap.h"
#include "vcpu_fake.h"

#include "arch/archregs.h"
#include "regs/cp15.h"
#include "regs/cp15_table.h"
#include "mem/stage2.h"
#include "core/state.h"

#define ON	(SCTLR_M | SCTLR_C)
#define OTHERS	0x00c50838u	/* of SCTLR: neither M nor C */

static unsigned int flushes;

void armvmm_stage2_flush_caches(struct armvmm_vm *of)
{
	KTAP_TRUE(of == &vm);
	flushes++;
}

/* Handlers that the table names and nothing here calls. */
#define STUB(name)								\
	CP15_ACCESS(name)							\
	{									\
		abort();							\
	}
STUB(saved)
STUB(raz_wi)
STUB(raz_ro)
STUB(pmu)
STUB(cntpct)
STUB(cntp_ctl)
STUB(cntp_tval)
STUB(cntp_cval)

static void start(void)
{
	memset(&hyp, 0, sizeof(hyp));
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vm = &vm;
	vcpu.hyp = &hyp;
	hyp.cp15[CP15_SCTLR] = OTHERS;
	hyp.hcr = HCR_TSW;
	flushes = 0;
}

/* The guest's MCR (or MRC), by the table's entry for it. */
static enum cp15_result access(u8 crn, u8 op1, u8 crm, u8 op2, bool is64, bool is_write, u64 *val)
{
	struct cp15_access a = {
		.crn = crn, .crm = crm, .op1 = op1, .op2 = op2, .is64 = is64, .is_write = is_write,
		.val = *val,
	};
	const struct cp15_reg *r = cp15_find(cp15_regs, cp15_nr_regs,
					     cp15_key(crn, crm, op1, op2, is64));
	enum cp15_result result;

	if (!r || !r->access) {
		KTAP_FAIL("nothing answers c%u, %u, c%u, %u", crn, op1, crm, op2);
		return CP15_UNDEFINED;
	}
	result = r->access(&vcpu, &a, r);
	*val = a.val;
	return result;
}

static void set_way(u8 crm)
{
	u64 val = 0x40;

	KTAP_EQ(access(7, 0, crm, 2, false, true, &val), CP15_DONE);
}

static void sctlr(u32 v)
{
	u64 val = v;

	KTAP_EQ(access(1, 0, 0, 0, false, true, &val), CP15_DONE);
	KTAP_EQ(hyp.cp15[CP15_SCTLR], v);
}

/*
 * DCISW, DCCSW, DCCISW: the first one flushes all of RAM, by address; those that follow do nothing.
 */
static void test_set_way(void)
{
	static const u8 crms[] = { 6, 10, 14 };

	for (unsigned int i = 0; i < ARRAY_SIZE(crms); i++) {
		start();
		set_way(crms[i]);
		KTAP_EQ(flushes, 1);
		KTAP_EQ(hyp.hcr, HCR_TSW | HCR_TVM);
		for (unsigned int n = 0; n < 1000; n++)
			set_way(crms[n % 3]);
		KTAP_EQ(flushes, 1);
	}
}

static void test_no_read(void)
{
	u64 val = 0;

	start();
	KTAP_EQ(access(7, 0, 14, 2, false, false, &val), CP15_UNDEFINED);
	KTAP_EQ(flushes, 0);
	KTAP_EQ(hyp.hcr, HCR_TSW);
}

/* As in kexec: set/way, caches off, set/way; and on again in the next kernel. */
static void test_off_and_on(void)
{
	start();
	hyp.cp15[CP15_SCTLR] = OTHERS | ON;
	set_way(14);
	KTAP_EQ(flushes, 1);
	sctlr(OTHERS | SCTLR_M);
	KTAP_EQ(flushes, 2);
	/* Trapped until they are on: what was written meanwhile went past them. */
	KTAP_TRUE(hyp.hcr & HCR_TVM);
	set_way(6);
	sctlr(OTHERS);
	KTAP_EQ(flushes, 2);
	sctlr(OTHERS | ON);
	KTAP_EQ(flushes, 3);
	KTAP_EQ(hyp.hcr, HCR_TSW);
	/* And again. */
	set_way(10);
	KTAP_EQ(flushes, 4);
	KTAP_TRUE(hyp.hcr & HCR_TVM);
}

/* Caches are on only with both bits; changes of other bits do not count. */
static void test_no_change(void)
{
	start();
	hyp.hcr |= HCR_TVM;
	sctlr(OTHERS | SCTLR_C);
	sctlr(OTHERS | SCTLR_M);
	sctlr(OTHERS);
	KTAP_EQ(flushes, 0);
	KTAP_TRUE(hyp.hcr & HCR_TVM);
	hyp.cp15[CP15_SCTLR] = OTHERS | ON;
	/* Found on, by a write of the same value: no need to trap any more. */
	sctlr(ON);
	KTAP_EQ(flushes, 0);
	KTAP_EQ(hyp.hcr, HCR_TSW);
}

/* The other registers that TVM traps have what the guest wrote, in full. */
static void test_others(void)
{
	u64 val = 0x123456789abcdef0ULL;

	start();
	hyp.hcr |= HCR_TVM;
	KTAP_EQ(access(2, 0, 0, 0, true, true, &val), CP15_DONE);
	KTAP_EQ(hyp.cp15[CP15_TTBR0], 0x9abcdef0);
	KTAP_EQ(hyp.cp15[CP15_TTBR0_HI], 0x12345678);
	val = 0;
	KTAP_EQ(access(2, 0, 0, 0, true, false, &val), CP15_DONE);
	KTAP_EQ(val, 0x123456789abcdef0ULL);
	val = 0xdeadbeef;
	KTAP_EQ(access(3, 0, 0, 0, false, true, &val), CP15_DONE);
	KTAP_EQ(hyp.cp15[CP15_DACR], 0xdeadbeef);
	KTAP_EQ(flushes, 0);
}

KTAP_MAIN(
	KTAP_CASE(test_set_way),
	KTAP_CASE(test_no_read),
	KTAP_CASE(test_off_and_on),
	KTAP_CASE(test_no_change),
	KTAP_CASE(test_others),
)

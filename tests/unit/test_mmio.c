// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/mmio.c driver/exception.c
// cflags: -I. -Itests/unit/fake -Iinclude/uapi -Idriver -fno-strict-aliasing
//
// Device accesses: every width, sign and byte order, what the client is told,
// and that an access is completed once (design section 9, item 8).
#include "fake/fake_kernel.h"

#include "driver/archregs.h"
#include "driver/exception.h"
#include "driver/iobus.h"
#include "driver/mmio.h"
#include "driver/mmio_insn.h"
#include "driver/regs.h"
#include "driver/vcpu.h"
#include "driver/vm.h"
#include "ktap.h"

struct task_struct *fake_current;
bool fake_in_irq;

static struct armvmm_vm vm;
static struct armvmm_vcpu vcpu;
static struct hyp_vcpu hyp;
static union {
	struct kvm_run run;
	u8 bytes[4096];
} page;

/* --- the driver's other nouns --- */

static u8 bus_data[8];
static unsigned int bus_len, bus_reads, bus_writes;
static u64 bus_addr;
static bool bus_takes, insn_known, wrong_rt;
static struct armvmm_mmio insn_mmio;
static unsigned int aborts;

void armvmm_regs_inject_dabt(struct armvmm_vcpu *v, u32 far)
{
	aborts++;
}

int armvmm_iobus_read(struct armvmm_vcpu *v, u64 addr, unsigned int len, void *val)
{
	if (!bus_takes)
		return -EOPNOTSUPP;
	bus_addr = addr;
	bus_len = len;
	bus_reads++;
	memcpy(val, bus_data, len);
	return 0;
}

int armvmm_iobus_write(struct armvmm_vcpu *v, u64 addr, unsigned int len, const void *val)
{
	if (!bus_takes)
		return -EOPNOTSUPP;
	bus_addr = addr;
	bus_len = len;
	bus_writes++;
	memset(bus_data, 0, sizeof(bus_data));
	memcpy(bus_data, val, len);
	return 0;
}

bool armvmm_mmio_insn_wrong_rt(struct armvmm_vcpu *v)
{
	return wrong_rt;
}

bool armvmm_mmio_insn_decode(struct armvmm_vcpu *v, struct armvmm_mmio *mmio)
{
	if (insn_known)
		*mmio = insn_mmio;
	return insn_known;
}

/* --- the cases --- */

#define REG(n)	(*armvmm_exception_reg(&hyp.regs, (n)))
#define PC	REG(15)

static void reset(u32 cpsr)
{
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&hyp, 0, sizeof(hyp));
	memset(&page, 0, sizeof(page));
	vcpu.vm = &vm;
	vcpu.hyp = &hyp;
	vcpu.run = &page.run;
	hyp.regs.usr_regs.ARM_cpsr = CPSR_M_SVC | cpsr;
	PC = 0x8000;
	bus_takes = insn_known = wrong_rt = false;
	bus_reads = bus_writes = aborts = 0;
}

static u32 syndrome(unsigned int sas, unsigned int rt, bool write, bool sign)
{
	return (u32)HSR_EC_DABT << 26 | HSR_IL | HSR_DABT_ISV | sas << 22 |
	       (sign ? HSR_DABT_SSE : 0) |
	       rt << 16 | (write ? HSR_DABT_WNR : 0) | 7;
}

struct width {
	unsigned int sas;
	bool sign;
	u32 cpsr;
	u8 bytes[4];
	u32 val;
};

static const struct width widths[] = {
	{ 0, false, 0, { 0x80 }, 0x80 },
	{ 0, true, 0, { 0x80 }, 0xffffff80 },
	{ 0, true, 0, { 0x7f }, 0x7f },
	{ 0, true, CPSR_E, { 0x80 }, 0xffffff80 },
	{ 1, false, 0, { 0x34, 0x92 }, 0x9234 },
	{ 1, true, 0, { 0x34, 0x92 }, 0xffff9234 },
	{ 1, true, 0, { 0x34, 0x12 }, 0x1234 },
	{ 1, false, CPSR_E, { 0x92, 0x34 }, 0x9234 },
	{ 1, true, CPSR_E, { 0x92, 0x34 }, 0xffff9234 },
	{ 2, false, 0, { 0x78, 0x56, 0x34, 0x92 }, 0x92345678 },
	{ 2, false, CPSR_E, { 0x92, 0x34, 0x56, 0x78 }, 0x92345678 },
};

static void test_kernel_reads(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		const struct width *w = &widths[i];

		reset(w->cpsr);
		bus_takes = true;
		memcpy(bus_data, w->bytes, 4);
		hyp.hsr = syndrome(w->sas, 5, false, w->sign);
		KTAP_EQ(armvmm_mmio_fault(&vcpu, 0x8001234567ULL), 1);
		KTAP_EQ(bus_addr, 0x8001234567ULL);
		KTAP_EQ(bus_len, 1u << w->sas);
		KTAP_EQ(REG(5), w->val);
		KTAP_EQ(PC, 0x8004);
		KTAP_TRUE(!vcpu.mmio.pending);
	}
}

static void test_kernel_writes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		const struct width *w = &widths[i];

		reset(w->cpsr);
		bus_takes = true;
		REG(14) = w->val;
		hyp.hsr = syndrome(w->sas, 14, true, false);
		KTAP_EQ(armvmm_mmio_fault(&vcpu, 0x1000), 1);
		KTAP_MEMEQ(bus_data, w->bytes, 1u << w->sas);
		KTAP_TRUE(!bus_data[1u << w->sas]);
		KTAP_EQ(REG(14), w->val);
		KTAP_EQ(PC, 0x8004);
	}
}

static void test_user_reads(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		const struct width *w = &widths[i];

		reset(w->cpsr);
		memset(&page, 0xa5, sizeof(page));
		REG(5) = 0x11111111;
		hyp.hsr = syndrome(w->sas, 5, false, w->sign);
		KTAP_EQ(armvmm_mmio_fault(&vcpu, 0x8001234567ULL), 0);
		KTAP_EQ(page.run.exit_reason, KVM_EXIT_MMIO);
		KTAP_EQ(page.run.mmio.phys_addr, 0x8001234567ULL);
		KTAP_EQ(page.run.mmio.len, 1u << w->sas);
		KTAP_EQ(page.run.mmio.is_write, 0);
		/* Nothing of the kernel's memory goes out with it. */
		for (int k = 0; k < 8; k++)
			KTAP_EQ(page.run.mmio.data[k], 0);
		KTAP_EQ(PC, 0x8000);

		memcpy(page.run.mmio.data, w->bytes, 4);
		KTAP_EQ(armvmm_mmio_complete(&vcpu), 0);
		KTAP_EQ(REG(5), w->val);
		KTAP_EQ(PC, 0x8004);
	}
}

static void test_user_writes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		const struct width *w = &widths[i];

		reset(w->cpsr);
		REG(5) = w->val;
		hyp.hsr = syndrome(w->sas, 5, true, false);
		KTAP_EQ(armvmm_mmio_fault(&vcpu, 0x1000), 0);
		KTAP_EQ(page.run.mmio.is_write, 1);
		KTAP_MEMEQ(page.run.mmio.data, w->bytes, 1u << w->sas);
		for (unsigned int k = 1u << w->sas; k < 8; k++)
			KTAP_EQ(page.run.mmio.data[k], 0);
		KTAP_EQ(armvmm_mmio_complete(&vcpu), 0);
		KTAP_EQ(REG(5), w->val);
		KTAP_EQ(PC, 0x8004);
	}
}

/* RUN comes back for any reason, and as often as it likes. */
static void test_once(void)
{
	reset(0);
	hyp.hsr = syndrome(2, 5, false, false);
	armvmm_mmio_fault(&vcpu, 0x1000);
	page.run.mmio.data[0] = 1;
	for (int i = 0; i < 3; i++)
		KTAP_EQ(armvmm_mmio_complete(&vcpu), 0);
	KTAP_EQ(PC, 0x8004);
	page.run.mmio.data[0] = 2;
	armvmm_mmio_complete(&vcpu);
	KTAP_EQ(REG(5), 1);
}

/* The page is the client's: what it writes there beyond the data counts for nothing. */
static void test_hostile_client(void)
{
	reset(0);
	hyp.hsr = syndrome(0, 5, false, false);
	armvmm_mmio_fault(&vcpu, 0x1000);
	memset(&page, 0xff, sizeof(page));
	armvmm_mmio_complete(&vcpu);
	KTAP_EQ(REG(5), 0xff);
	KTAP_EQ(PC, 0x8004);
	KTAP_TRUE(!bus_writes);
}

static void test_thumb(void)
{
	reset(CPSR_T);
	bus_takes = true;
	hyp.hsr = syndrome(2, 5, true, false) & ~HSR_IL;
	armvmm_mmio_fault(&vcpu, 0x1000);
	KTAP_EQ(PC, 0x8002);
}

static void test_no_syndrome(void)
{
	reset(0);
	hyp.hsr = (u32)HSR_EC_DABT << 26 | HSR_IL | HSR_DABT_WNR | 7;
	KTAP_EQ(armvmm_mmio_fault(&vcpu, 0x1000), 1);
	KTAP_EQ(aborts, 1);

	reset(0);
	vm.return_nisv_to_user = true;
	memset(&page, 0xa5, sizeof(page));
	hyp.hsr = (u32)HSR_EC_DABT << 26 | HSR_IL | HSR_DABT_WNR | 5 << 16 | 7;
	KTAP_EQ(armvmm_mmio_fault(&vcpu, 0x8001234567ULL), 0);
	KTAP_EQ(page.run.exit_reason, KVM_EXIT_ARM_NISV);
	KTAP_EQ(page.run.arm_nisv.fault_ipa, 0x8001234567ULL);
	/* The register field is not valid, and not shown. */
	KTAP_EQ(page.run.arm_nisv.esr_iss, HSR_DABT_WNR | 7);
	KTAP_EQ(aborts, 0);
	/* The client moves the PC itself. */
	armvmm_mmio_complete(&vcpu);
	KTAP_EQ(PC, 0x8000);
}

/* A load with writeback, found by its instruction. */
static void test_instruction(void)
{
	reset(CPSR_T);
	insn_known = true;
	insn_mmio = (struct armvmm_mmio) {
		.rt = 5, .len = 2, .sign_extend = true, .insn_len = 4,
		.writeback = true, .rn = 6, .wb_value = 0x4444,
	};
	hyp.hsr = (u32)HSR_EC_DABT << 26 | HSR_IL | 7;
	REG(6) = 0x4000;
	KTAP_EQ(armvmm_mmio_fault(&vcpu, 0x1000), 0);
	KTAP_EQ(REG(6), 0x4000);
	page.run.mmio.data[1] = 0x80;
	armvmm_mmio_complete(&vcpu);
	KTAP_EQ(REG(5), 0xffff8000);
	KTAP_EQ(REG(6), 0x4444);
	KTAP_EQ(PC, 0x8004);
}

/* Erratum 766422, and registers that no syndrome names: the instruction decides. */
static void test_syndrome_not_believed(void)
{
	reset(CPSR_T);
	bus_takes = insn_known = wrong_rt = true;
	insn_mmio = (struct armvmm_mmio) { .rt = 3, .len = 4, .is_write = true, .insn_len = 4 };
	REG(3) = 0x33333333;
	REG(5) = 0x55555555;
	hyp.hsr = syndrome(2, 5, true, false);
	KTAP_EQ(armvmm_mmio_fault(&vcpu, 0x1000), 1);
	KTAP_EQ(bus_data[0], 0x33);

	reset(0);
	hyp.hsr = syndrome(2, 15, false, false);
	KTAP_EQ(armvmm_mmio_fault(&vcpu, 0x1000), 1);
	KTAP_EQ(aborts, 1);
	reset(0);
	hyp.hsr = syndrome(3, 5, false, false);
	KTAP_EQ(armvmm_mmio_fault(&vcpu, 0x1000), 1);
	KTAP_EQ(aborts, 1);
}

KTAP_MAIN(KTAP_CASE(test_kernel_reads), KTAP_CASE(test_kernel_writes), KTAP_CASE(test_user_reads),
	  KTAP_CASE(test_user_writes), KTAP_CASE(test_once), KTAP_CASE(test_hostile_client),
	  KTAP_CASE(test_thumb), KTAP_CASE(test_no_syndrome), KTAP_CASE(test_instruction),
	  KTAP_CASE(test_syndrome_not_believed))

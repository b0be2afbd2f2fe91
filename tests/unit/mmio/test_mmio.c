// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/mmio/mmio.c driver/mmio/mmio_seq.c driver/mmio/mmio_insn.c driver/arch/decode.c
// sources: driver/arch/gva.c driver/mem/guest_read.c driver/arch/exception.c driver/core/exception_entry.c
// cflags: -I. -Itests/unit/fake -Iinclude/uapi -fno-strict-aliasing -Idriver
//
// Device accesses by their syndrome: every width, sign and byte order, what the
// client is told, and that an access is completed once (docs/hazards.md 8).
#include "mmio_fake.h"

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
		/* No other memory of the kernel is exposed. */
		for (int k = 0; k < 8; k++)
			KTAP_EQ(page.run.mmio.data[k], 0);
		KTAP_EQ(PC, 0x8000);

		memcpy(page.run.mmio.data, w->bytes, 4);
		KTAP_EQ(armvmm_mmio_complete(&vcpu), 1);
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
		KTAP_EQ(armvmm_mmio_complete(&vcpu), 1);
		KTAP_EQ(REG(5), w->val);
		KTAP_EQ(PC, 0x8004);
	}
}

/* RUN is called again for any reason, and any number of times. */
static void test_once(void)
{
	reset(0);
	hyp.hsr = syndrome(2, 5, false, false);
	armvmm_mmio_fault(&vcpu, 0x1000);
	page.run.mmio.data[0] = 1;
	for (int i = 0; i < 3; i++)
		KTAP_EQ(armvmm_mmio_complete(&vcpu), 1);
	KTAP_EQ(PC, 0x8004);
	page.run.mmio.data[0] = 2;
	armvmm_mmio_complete(&vcpu);
	KTAP_EQ(REG(5), 1);
}

/* The page belongs to the client: what it writes there beyond the data is ignored. */
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
	ram.word[0] = 0xe5012004 | 1 << 22 | 15 << 12;	/* strb pc, [r1, #-4]: unpredictable */
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

KTAP_MAIN(KTAP_CASE(test_kernel_reads), KTAP_CASE(test_kernel_writes), KTAP_CASE(test_user_reads),
	  KTAP_CASE(test_user_writes), KTAP_CASE(test_once), KTAP_CASE(test_hostile_client),
	  KTAP_CASE(test_thumb), KTAP_CASE(test_no_syndrome))

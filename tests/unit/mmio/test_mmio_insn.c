// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/mmio/mmio.c driver/mmio/mmio_seq.c driver/mmio/mmio_insn.c driver/arch/decode.c
// sources: driver/arch/gva.c driver/mem/guest_read.c driver/arch/exception.c driver/core/exception_entry.c
// cflags: -I. -Itests/unit/fake -Iinclude/uapi -fno-strict-aliasing -Idriver
//
// Device accesses by their instruction, which may make several: each is done once
// and in order, whoever does it (docs/hazards.md 8 and 9).
#include "mmio_fake.h"

/*
 * The guest is at @insn, whose access to @far (a device, or an address beyond the RAM) has faulted.
 */
static int insn_fault(u32 insn, u32 far, bool write)
{
	if (hyp.regs.usr_regs.ARM_cpsr & CPSR_T) {
		ram.half[0] = insn >> 16 ? insn >> 16 : insn;
		ram.half[1] = insn;
	} else {
		ram.word[0] = insn;
	}
	hyp.hxfar = far;
	hyp.hsr = (u32)HSR_EC_DABT << 26 | HSR_IL | (write ? HSR_DABT_WNR : 0) | 7;
	return armvmm_mmio_fault(&vcpu, far);
}

/* The client's side of one access: checks it, answers, and runs again. */
static int client(u32 ipa, unsigned int len, bool write, u32 data)
{
	u32 got = 0;

	KTAP_EQ(page.run.exit_reason, KVM_EXIT_MMIO);
	KTAP_EQ(page.run.mmio.phys_addr, ipa);
	KTAP_EQ(page.run.mmio.len, len);
	KTAP_EQ(page.run.mmio.is_write, write);
	if (write) {
		memcpy(&got, page.run.mmio.data, 4);
		KTAP_EQ(got, data);
	} else {
		memcpy(page.run.mmio.data, &data, 4);
	}
	return armvmm_mmio_complete(&vcpu);
}

static void test_single(void)
{
	reset(CPSR_T);
	REG(6) = DEVICE - 4;
	KTAP_EQ(insn_fault(0xf9365f04, DEVICE, false), 0);	/* ldrsh r5, [r6, #4]! */
	KTAP_EQ(REG(6), DEVICE - 4);
	KTAP_EQ(client(DEVICE, 2, false, 0x8000), 1);
	KTAP_EQ(REG(5), 0xffff8000);
	KTAP_EQ(REG(6), DEVICE);
	KTAP_EQ(PC, 0x8004);
	/* The instruction is complete: further RUNs change nothing. */
	PC = 0x8000;
	KTAP_EQ(armvmm_mmio_complete(&vcpu), 1);
	KTAP_EQ(PC, 0x8000);

	reset(CPSR_E);
	bus_takes = true;
	REG(1) = DEVICE;
	REG(2) = 0x11223344;
	KTAP_EQ(insn_fault(0xe4812004, DEVICE, true), 1);	/* str r2, [r1], #4 */
	KTAP_EQ(bus_data[0], 0x11);
	KTAP_EQ(REG(1), DEVICE + 4);
	KTAP_EQ(bus_writes, 1);
}

struct block {
	const char *text;
	u32 insn;
	bool thumb;
	bool write;
	u32 base;		/* of r1, or SP */
	u8 rn;
	u8 nr;
	u8 reg[4];
	u32 first;
	u32 after;		/* the base when all is done */
};

static const struct block blocks[] = {
	{ "ldmia r1, {r2, r3, r4}", 0xe891001c, false, false, DEVICE, 1, 3, { 2, 3, 4 }, DEVICE,
	  DEVICE },
	{ "ldmia r1!, {r2, r3, r4}", 0xe8b1001c, false, false, DEVICE, 1, 3, { 2, 3, 4 }, DEVICE,
	  DEVICE + 12 },
	{ "ldmib r1, {r2, r3}", 0xe991000c, false, false, DEVICE, 1, 2, { 2, 3 }, DEVICE + 4,
	  DEVICE },
	{ "ldmib r1!, {r2, r3}", 0xe9b1000c, false, false, DEVICE, 1, 2, { 2, 3 }, DEVICE + 4,
	  DEVICE + 8 },
	{ "ldmda r1, {r2, r3}", 0xe811000c, false, false, DEVICE + 8, 1, 2, { 2, 3 }, DEVICE + 4,
	  DEVICE + 8 },
	{ "ldmda r1!, {r2, r3}", 0xe831000c, false, false, DEVICE + 8, 1, 2, { 2, 3 }, DEVICE + 4,
	  DEVICE },
	{ "ldmdb r1, {r2, r3}", 0xe911000c, false, false, DEVICE + 8, 1, 2, { 2, 3 }, DEVICE,
	  DEVICE + 8 },
	{ "ldmdb r1!, {r2, r14}", 0xe9314004, false, false, DEVICE + 8, 1, 2, { 2, 14 }, DEVICE,
	  DEVICE },
	{ "stmia r1, {r0, r12}", 0xe8811001, false, true, DEVICE, 1, 2, { 0, 12 }, DEVICE, DEVICE },
	{ "stmia r1!, {r0, r12}", 0xe8a11001, false, true, DEVICE, 1, 2, { 0, 12 }, DEVICE,
	  DEVICE + 8 },
	{ "stmib r1!, {r0, r12}", 0xe9a11001, false, true, DEVICE, 1, 2, { 0, 12 }, DEVICE + 4,
	  DEVICE + 8 },
	{ "stmda r1!, {r0, r12}", 0xe8211001, false, true, DEVICE + 8, 1, 2, { 0, 12 }, DEVICE + 4,
	  DEVICE },
	{ "stmdb sp!, {r4, lr}", 0xe92d4010, false, true, DEVICE + 8, 13, 2, { 4, 14 }, DEVICE,
	  DEVICE },
	{ "ldrd r4, r5, [r1, #8]", 0xe1c140d8, false, false, DEVICE, 1, 2, { 4, 5 }, DEVICE + 8,
	  DEVICE },
	{ "ldrd r4, r5, [r1], #8", 0xe0c140d8, false, false, DEVICE, 1, 2, { 4, 5 }, DEVICE,
	  DEVICE + 8 },
	{ "strd r4, r5, [r1, #-8]!", 0xe16140f8, false, true, DEVICE + 8, 1, 2, { 4, 5 }, DEVICE,
	  DEVICE },
	{ "push {r4, lr}", 0xb510, true, true, DEVICE + 8, 13, 2, { 4, 14 }, DEVICE, DEVICE },
	{ "pop {r4, r5}", 0xbc30, true, false, DEVICE, 13, 2, { 4, 5 }, DEVICE, DEVICE + 8 },
	{ "ldmia r1!, {r2, r3}", 0xc90c, true, false, DEVICE, 1, 2, { 2, 3 }, DEVICE, DEVICE + 8 },
	{ "ldmia r1, {r1, r3}", 0xc90a, true, false, DEVICE, 1, 2, { 1, 3 }, DEVICE, 0x1001 },
	{ "stmia r1!, {r2, r3}", 0xc10c, true, true, DEVICE, 1, 2, { 2, 3 }, DEVICE, DEVICE + 8 },
	{ "ldmdb.w r1!, {r2, r8}", 0xe9310104, true, false, DEVICE + 8, 1, 2, { 2, 8 }, DEVICE,
	  DEVICE },
	{ "stmia.w r1, {r2, r8}", 0xe8810104, true, true, DEVICE, 1, 2, { 2, 8 }, DEVICE, DEVICE },
	{ "push.w {r4, r8}", 0xe92d0110, true, true, DEVICE + 8, 13, 2, { 4, 8 }, DEVICE, DEVICE },
	{ "pop.w {r4, r8}", 0xe8bd0110, true, false, DEVICE, 13, 2, { 4, 8 }, DEVICE, DEVICE + 8 },
	{ "ldrd r9, r4, [r1, #8]!", 0xe9f19402, true, false, DEVICE - 8, 1, 2, { 9, 4 }, DEVICE,
	  DEVICE },
	{ "strd r9, r4, [r1], #-8", 0xe8619402, true, true, DEVICE, 1, 2, { 9, 4 }, DEVICE,
	  DEVICE - 8 },
};

/* Each access goes out once, in order; no register changes before the last. */
static void test_blocks(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		const struct block *b = &blocks[i];
		u32 before[15];
		int ret;

		reset(b->thumb ? CPSR_T : 0);
		for (u32 r = 0; r < 15; r++)
			REG(r) = 0x100 + r;
		REG(b->rn) = b->base;
		for (u32 r = 0; r < 15; r++)
			before[r] = REG(r);
		ret = insn_fault(b->insn, b->first, b->write);
		for (u32 k = 0; k < b->nr; k++) {
			if (ret)
				KTAP_FAIL("%s: access %u: %d", b->text, k, ret);
			for (u32 r = 0; r < 15; r++)
				if (REG(r) != before[r])
					KTAP_FAIL("%s: r%u at access %u", b->text, r, k);
			KTAP_EQ(PC, 0x8000);
			ret = client(b->first + 4 * k, 4, b->write,
				     b->write ? before[b->reg[k]] : 0x1001 + k);
		}
		KTAP_EQ(ret, 1);
		KTAP_EQ(PC, b->thumb && b->insn < 0x10000 ? 0x8002 : 0x8004);
		if (REG(b->rn) != b->after)
			KTAP_FAIL("%s: base %x", b->text, REG(b->rn));
		for (u32 r = 0; r < 15; r++) {
			u32 want = before[r];

			for (u32 k = 0; !b->write && k < b->nr; k++)
				if (b->reg[k] == r)
					want = 0x1001 + k;
			if (r != b->rn && REG(r) != want)
				KTAP_FAIL("%s: r%u is %x", b->text, r, REG(r));
		}
		KTAP_EQ(aborts, 0);
	}
}

static void test_pc(void)
{
	static const struct {
		u32 insn, val, pc;
		bool from_thumb, to_thumb;
	} loads[] = {
		{ 0xe591f000, 0x1234, 0x1234, false, false },	/* ldr pc, [r1] */
		{ 0xe591f000, 0x1235, 0x1234, false, true },
		{ 0xf8d1f000, 0x1235, 0x1234, true, true },	/* ldr.w pc, [r1] */
		{ 0xf8d1f000, 0x1238, 0x1238, true, false },
		{ 0xe8918000, 0x1237, 0x1236, false, true },	/* ldmia r1, {pc} */
		{ 0xbd00, 0x1234, 0x1234, true, false },	/* pop {pc} */
	};

	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		/* In the last place of an IT block whose condition holds. */
		reset(0);
		if (loads[i].from_thumb)
			hyp.regs.usr_regs.ARM_cpsr = CPSR_M_SVC | CPSR_T | CPSR_Z | 8 << 8;
		REG(1) = REG(13) = DEVICE;
		KTAP_EQ(insn_fault(loads[i].insn, DEVICE, false), 0);
		KTAP_EQ(client(DEVICE, 4, false, loads[i].val), 1);
		KTAP_EQ(PC, loads[i].pc);
		KTAP_EQ(!!(hyp.regs.usr_regs.ARM_cpsr & CPSR_T), loads[i].to_thumb);
		KTAP_EQ(hyp.regs.usr_regs.ARM_cpsr & CPSR_IT, 0);
	}
	/* A stored PC is 8 ahead. */
	reset(0);
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0xe581f000, DEVICE, true), 0);	/* str pc, [r1] */
	KTAP_EQ(client(DEVICE, 4, true, 0x8008), 1);
	reset(0);
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0xe8818001, DEVICE, true), 0);	/* stmia r1, {r0, pc} */
	KTAP_EQ(client(DEVICE, 4, true, 0), 0);
	KTAP_EQ(client(DEVICE + 4, 4, true, 0x8008), 1);
}

/* IT state advances by one instruction, whatever the instruction does to memory. */
static void test_it(void)
{
	reset(CPSR_T);
	/* ITT EQ, at the first of the two: IT = 0x04 */
	hyp.regs.usr_regs.ARM_cpsr |= CPSR_Z | 4 << 8;
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0xc90c, DEVICE, false), 0);
	KTAP_EQ(client(DEVICE, 4, false, 1), 0);
	KTAP_EQ(hyp.regs.usr_regs.ARM_cpsr & CPSR_IT, 4 << 8);
	KTAP_EQ(client(DEVICE + 4, 4, false, 2), 1);
	KTAP_EQ(hyp.regs.usr_regs.ARM_cpsr & CPSR_IT, 8 << 8);
	KTAP_EQ(PC, 0x8002);
}

/* An instruction whose condition fails cannot be the one that faulted. */
static void test_condition(void)
{
	reset(0);
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0x0891000c, DEVICE, false), 1);	/* ldmeq */
	KTAP_EQ(aborts, 1);
	reset(CPSR_Z);
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0x0891000c, DEVICE, false), 0);
	reset(CPSR_T);
	hyp.regs.usr_regs.ARM_cpsr |= 8 << 8;			/* IT EQ */
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0xc90c, DEVICE, false), 1);
	KTAP_EQ(aborts, 1);
}

static void test_block_big_endian(void)
{
	reset(CPSR_E);
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0xe891000c, DEVICE, false), 0);
	KTAP_EQ(client(DEVICE, 4, false, 0x11223344), 0);
	KTAP_EQ(client(DEVICE + 4, 4, false, 0x55667788), 1);
	KTAP_EQ(REG(2), 0x44332211);
	KTAP_EQ(REG(3), 0x88776655);
	reset(CPSR_E);
	REG(1) = DEVICE;
	REG(2) = 0x01020304;
	REG(3) = 0x05060708;
	KTAP_EQ(insn_fault(0xe881000c, DEVICE, true), 0);
	KTAP_EQ(client(DEVICE, 4, true, 0x04030201), 0);
	KTAP_EQ(client(DEVICE + 4, 4, true, 0x08070605), 1);
}

/* RAM below, a device above, and the other way round. */
static void test_crossing(void)
{
	reset(0);
	REG(1) = DEVICE - 8;
	memcpy(&ram.bytes[0x1ff8], "abcdefgh", 8);
	KTAP_EQ(insn_fault(0xe891003c, DEVICE, false), 0);	/* ldmia r1, {r2-r5} */
	KTAP_EQ(client(DEVICE, 4, false, 7), 0);
	KTAP_EQ(client(DEVICE + 4, 4, false, 8), 1);
	KTAP_EQ(REG(2), 0x64636261);
	KTAP_EQ(REG(3), 0x68676665);
	KTAP_EQ(REG(4), 7);
	KTAP_EQ(REG(5), 8);

	reset(0);
	REG(1) = DEVICE - 4;
	REG(2) = 0x22222222;
	REG(3) = 0x33333333;
	KTAP_EQ(insn_fault(0xe881000c, DEVICE, true), 0);	/* stmia r1, {r2, r3} */
	KTAP_EQ(client(DEVICE, 4, true, 0x33333333), 1);
	KTAP_EQ(ram.word[0x7ff], 0x22222222);

	/* The device is below the code: the fault is at the first word. */
	reset(0);
	REG(1) = RAM_BASE - 4;
	KTAP_EQ(insn_fault(0xe891000c, RAM_BASE - 4, false), 0);
	KTAP_EQ(client(RAM_BASE - 4, 4, false, 9), 1);
	KTAP_EQ(REG(2), 9);
	KTAP_EQ(REG(3), 0xe891000c);

	/*
	 * A word in two pages, with writeback: done in bytes and halfwords that each lie in one
	 * page.
	 */
	reset(0);
	REG(1) = DEVICE - 3;
	REG(2) = 0x44332211;
	KTAP_EQ(insn_fault(0xe4812004, DEVICE, true), 0);	/* str r2, [r1], #4 */
	KTAP_EQ(client(DEVICE, 1, true, 0x44), 1);
	KTAP_MEMEQ(&ram.bytes[0x1ffd], "\x11\x22\x33", 3);
	KTAP_EQ(REG(1), DEVICE + 1);
	reset(0);
	REG(1) = DEVICE - 2;
	memcpy(&ram.bytes[0x1ffe], "\x11\x22", 2);
	KTAP_EQ(insn_fault(0xe4912004, DEVICE, false), 0);	/* ldr r2, [r1], #4 */
	KTAP_EQ(client(DEVICE, 2, false, 0x4433), 1);
	KTAP_EQ(REG(2), 0x44332211);

	/* With a valid syndrome, where the word begins in the device. */
	reset(0);
	REG(1) = RAM_BASE - 2;
	ram.word[0] = 0xe5912000;				/* ldr r2, [r1] */
	hyp.hsr = syndrome(2, 2, false, false);
	hyp.hxfar = RAM_BASE - 2;
	KTAP_EQ(armvmm_mmio_fault(&vcpu, RAM_BASE - 2), 0);
	KTAP_EQ(client(RAM_BASE - 2, 2, false, 0xbbaa), 1);
	KTAP_EQ(REG(2), 0x2000bbaa);
}

/*
 * The guest may not touch the page that did not fault: it takes its own abort, and nothing is done.
 */
static void test_crossing_abort(void)
{
	reset(0);
	hyp.cp15[CP15_SCTLR] = SCTLR_M | SCTLR_C;
	hyp.cp15[CP15_DACR] = 1;
	/* The only table is at 0x9000: entry 0 maps the first MiB by pages at 0x9400. */
	hyp.cp15[CP15_TTBR0] = 0;
	hyp.cp15[CP15_VBAR] = 0x100;
	hyp.cp15[CP15_TTBCR] = 7;
	hyp.cp15[CP15_TTBR0] = RAM_DATA;
	ram.word[0x1000 / 4] = (RAM_DATA + 0x400) | 1;
	ram.word[0x1400 / 4 + 8] = 0x8032;			/* code */
	ram.word[0x1400 / 4 + 0xa] = 0xa032;			/* the device */
	ram.word[0x1400 / 4 + 0xb] = 0;
	REG(1) = 0xaffc;
	KTAP_EQ(insn_fault(0xe8b1000c, 0xaffc, false), 1);	/* ldmia r1!, {r2, r3} */
	KTAP_EQ(hyp.cp15[CP15_DFAR], 0xb000);
	KTAP_EQ(hyp.cp15[CP15_DFSR], 0x7);
	KTAP_EQ(PC, 0x110);
	KTAP_EQ(hyp.regs.abt_regs[1], 0x8008);
	KTAP_EQ(REG(1), 0xaffc);
	KTAP_TRUE(!vcpu.mmio.pending);

	/* Read-only for the guest: the first half is not written either. */
	hyp.regs.usr_regs.ARM_cpsr = CPSR_M_SVC;
	PC = 0x8000;
	ram.word[0x1400 / 4 + 0xb] = 0xb232;
	KTAP_EQ(insn_fault(0xe8a1000c, 0xaffc, true), 1);
	KTAP_EQ(hyp.cp15[CP15_DFSR], 0x80f);
	KTAP_TRUE(!vcpu.mmio.pending);

	/* Mapped to another page: the access goes there. */
	hyp.regs.usr_regs.ARM_cpsr = CPSR_M_SVC;
	PC = 0x8000;
	ram.word[0x1400 / 4 + 0xb] = 0xe032;
	KTAP_EQ(insn_fault(0xe8b1000c, 0xaffc, false), 0);
	KTAP_EQ(client(0xaffc, 4, false, 1), 0);
	KTAP_EQ(client(0xe000, 4, false, 2), 1);
}

static const struct {
	const char *text;
	u32 insn;
	bool thumb;
	bool write;
} refused[] = {
	{ "ldrex r2, [r1]", 0xe1912f9f, false, false },
	{ "strex r0, r2, [r1]", 0xe1810f92, false, true },
	{ "swp r2, r3, [r1]", 0xe1012093, false, false },
	{ "swpb r2, r3, [r1]", 0xe1412093, false, true },
	{ "vldr d0, [r1]", 0xed910b00, false, false },
	{ "vstr s0, [r1]", 0xed810a00, false, true },
	{ "vldmia r1!, {d0-d1}", 0xecb10b04, false, false },
	{ "vld1.32 {d0}, [r1]", 0xf421078f, false, false },
	{ "ldc p14, c5, [r1]", 0xed915e00, false, false },
	{ "ldmia r1, {r2, r3}^", 0xe8d1000c, false, false },
	{ "stmia r1, {r2, r3}^", 0xe8c1000c, false, true },
	{ "ldmia r1, {r2, pc}^", 0xe8d18004, false, false },
	{ "rfeia r1", 0xf8910a00, false, false },
	{ "srsdb sp!, #19", 0xf96d0513, false, true },
	{ "ldrex r2, [r1]", 0xe8512f00, true, false },
	{ "strex r0, r2, [r1]", 0xe8412000, true, true },
	{ "vldr d0, [r1]", 0xed910b00, true, false },
	{ "no load at all: mov r2, r1", 0xe1a02001, false, false },
	{ "a load where a store faulted: ldr", 0xe5912000, false, true },
	{ "another address: ldr r2, [r1, #8]", 0xe5912008, false, false },
};

/* The guest takes an abort, or a client that asked for it gets an exit. */
static void test_refused(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		reset(refused[i].thumb ? CPSR_T : 0);
		REG(1) = REG(13) = DEVICE;
		if (insn_fault(refused[i].insn, DEVICE, refused[i].write) != 1 || aborts != 1)
			KTAP_FAIL("%s: no abort", refused[i].text);
		KTAP_TRUE(!vcpu.mmio.pending);

		vm.return_nisv_to_user = true;
		if (insn_fault(refused[i].insn, DEVICE, refused[i].write) || aborts != 1)
			KTAP_FAIL("%s: not given to the client", refused[i].text);
		KTAP_EQ(page.run.exit_reason, KVM_EXIT_ARM_NISV);
		KTAP_EQ(page.run.arm_nisv.fault_ipa, DEVICE);
		KTAP_EQ(page.run.arm_nisv.esr_iss, (refused[i].write ? HSR_DABT_WNR : 0) | 7);
		KTAP_TRUE(!vcpu.mmio.pending);
	}
	/* Instructions that can be decoded are carried out for that client, too. */
	reset(0);
	vm.return_nisv_to_user = true;
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0xe891000c, DEVICE, false), 0);
	KTAP_EQ(page.run.exit_reason, KVM_EXIT_MMIO);
	/* Not aligned to words: the CPU would have aborted it, so this is another instruction. */
	reset(0);
	REG(1) = DEVICE + 2;
	KTAP_EQ(insn_fault(0xe891000c, DEVICE + 2, false), 1);
	KTAP_EQ(aborts, 1);
	/* Up to the end of the address space, and around it. */
	reset(0);
	REG(1) = 0xfffffffc;
	KTAP_EQ(insn_fault(0xe891000c, 0xfffffffc, false), 1);
	KTAP_EQ(aborts, 1);
}

/* In the middle of an instruction: what the client does to the vCPU, and hostile answers. */
static void test_middle(void)
{
	reset(0);
	REG(1) = DEVICE;
	REG(2) = 2;
	REG(3) = 3;
	KTAP_EQ(insn_fault(0xe8a1000c, DEVICE, true), 0);
	/* Stored values were read when it began. */
	REG(3) = 99;
	KTAP_EQ(client(DEVICE, 4, true, 2), 0);
	KTAP_EQ(client(DEVICE + 4, 4, true, 3), 1);

	/* Abandoned: the instruction has not begun. */
	reset(0);
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0xe8b1000c, DEVICE, false), 0);
	KTAP_EQ(client(DEVICE, 4, false, 2), 0);
	armvmm_mmio_cancel(&vcpu.mmio);
	KTAP_EQ(armvmm_mmio_complete(&vcpu), 1);
	KTAP_EQ(PC, 0x8000);
	KTAP_EQ(REG(1), DEVICE);
	KTAP_EQ(REG(2), 0);

	/* The page belongs to the client, and does not say how to go on. */
	reset(0);
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0xe8b1000c, DEVICE, false), 0);
	memset(&page, 0xff, sizeof(page));
	KTAP_EQ(armvmm_mmio_complete(&vcpu), 0);
	KTAP_EQ(page.run.mmio.phys_addr, DEVICE + 4);
	KTAP_EQ(page.run.mmio.data[0], 0);
	memset(&page, 0xff, sizeof(page));
	KTAP_EQ(armvmm_mmio_complete(&vcpu), 1);
	KTAP_EQ(REG(2), ~0u);
	KTAP_EQ(REG(1), DEVICE + 8);

	/* No memory behind the RAM now: the rest waits for a RUN that finds some. */
	reset(0);
	REG(1) = RAM_BASE - 4;
	REG(2) = 1;
	REG(3) = 2;
	KTAP_EQ(insn_fault(0xe881000c, RAM_BASE - 4, true), 0);
	ram_fails = true;
	KTAP_EQ(client(RAM_BASE - 4, 4, true, 1), -EFAULT);
	KTAP_EQ(armvmm_mmio_complete(&vcpu), -EFAULT);
	KTAP_EQ(PC, 0x8000);
	ram_fails = false;
	KTAP_EQ(armvmm_mmio_complete(&vcpu), 1);
	KTAP_EQ(ram.word[0], 2);
	KTAP_EQ(PC, 0x8004);
}

/* Devices in the kernel: all accesses at once. */
static void test_block_kernel(void)
{
	reset(0);
	bus_takes = true;
	bus_data[0] = 5;
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0xe8b1001c, DEVICE, false), 1);
	KTAP_EQ(bus_reads, 3);
	KTAP_EQ(bus_addr, DEVICE + 8);
	KTAP_EQ(REG(4), 5);
	KTAP_EQ(REG(1), DEVICE + 12);
	KTAP_EQ(armvmm_mmio_complete(&vcpu), 1);
	KTAP_EQ(bus_reads, 3);
	KTAP_EQ(PC, 0x8004);
}

/* Erratum 766422: r0p4 is affected, r1p0 is not, and neither is an A7 nor a load nor A32. */
static void test_erratum(void)
{
	static const struct {
		u32 midr, cpsr, insn;
		bool write, by_insn;
	} cases[] = {
		{ 0x410fc0f0, CPSR_T, 0x600b, true, true },	/* str r3, [r1] */
		{ 0x410fc0f4, CPSR_T, 0x600b, true, true },
		{ 0x410fc0f5, CPSR_T, 0x600b, true, false },
		{ 0x411fc0f0, CPSR_T, 0x600b, true, false },
		{ 0x412fc0f1, CPSR_T, 0x600b, true, false },
		{ 0x410fc074, CPSR_T, 0x600b, true, false },
		{ 0x560fc0f4, CPSR_T, 0x600b, true, false },
		{ 0x410fc0f4, 0, 0xe5813000, true, false },
		{ 0x410fc0f4, CPSR_T, 0x680b, false, false },	/* ldr r3, [r1] */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		reset(cases[i].cpsr);
		bus_takes = true;
		hyp.vpidr = cases[i].midr;
		ram.word[0] = cases[i].insn;
		REG(1) = DEVICE;
		REG(3) = 0x33;
		REG(5) = 0x55;
		bus_data[0] = 0x77;
		hyp.hxfar = DEVICE;
		hyp.hsr = syndrome(2, 5, cases[i].write, false) & ~HSR_IL;
		KTAP_EQ(armvmm_mmio_fault(&vcpu, DEVICE), 1);
		if (cases[i].write)
			KTAP_EQ(bus_data[0], cases[i].by_insn ? 0x33 : 0x55);
		else
			KTAP_EQ(REG(5), 0x77);
	}
}

/* Syndromes that describe what no such instruction can do. */
static void test_syndrome_not_believed(void)
{
	reset(0);
	hyp.hsr = syndrome(2, 15, false, false);
	KTAP_EQ(armvmm_mmio_fault(&vcpu, 0x1000), 1);
	KTAP_EQ(aborts, 1);
	reset(0);
	hyp.hsr = syndrome(3, 5, false, false);
	KTAP_EQ(armvmm_mmio_fault(&vcpu, 0x1000), 1);
	KTAP_EQ(aborts, 1);
	/* Jazelle and ThumbEE are not decoded. */
	reset(CPSR_J);
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0xe891000c, DEVICE, false), 1);
	KTAP_EQ(aborts, 1);
	/* The code is at an address without RAM. */
	reset(0);
	PC = DEVICE;
	REG(1) = DEVICE;
	KTAP_EQ(insn_fault(0xe891000c, DEVICE, false), 1);
	KTAP_EQ(aborts, 1);
}

KTAP_MAIN(KTAP_CASE(test_single),
	  KTAP_CASE(test_blocks), KTAP_CASE(test_pc), KTAP_CASE(test_it), KTAP_CASE(test_condition),
	  KTAP_CASE(test_block_big_endian), KTAP_CASE(test_crossing),
	  KTAP_CASE(test_crossing_abort), KTAP_CASE(test_refused), KTAP_CASE(test_middle),
	  KTAP_CASE(test_block_kernel), KTAP_CASE(test_erratum),
	  KTAP_CASE(test_syndrome_not_believed))

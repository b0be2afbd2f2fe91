// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/mem/guest_read.c driver/arch/gva.c driver/arch/exception.c
// cflags: -Itests/unit/fake -Iinclude/uapi -Idriver -fno-strict-aliasing
//
// The one reader of a guest's code and tables. While the guest's caches are off, which SCTLR.M and
// C decide together (DDI 0406C B3.2.1), it reads past the host's: no emulator has the stale lines
// that it would else see.
#include "fake/fake_kernel.h"

#include "arch/archregs.h"
#include "core/state.h"
#include "ktap.h"
#include "mem/guest_ram.h"
#include "mem/guest_read.h"
#include "mem/memslot.h"
#include "mem/stage2_host.h"
#include "vcpu_fake.h"

#define RAM_BASE	0x8000u

/* A word in the host's caches, and what memory has in its place. */
static union {
	u32 word[0x400];
	u8 bytes[0x1000];
} cached, memory;
/* Memory is not pinned: the guest has what the client has at its address. */
const bool armvmm_stage2_host_syncs = true;
static struct armvmm_memslot slot = { .base_gfn = RAM_BASE >> PAGE_SHIFT, .npages = 1 };

struct armvmm_memslot *armvmm_memslot_find(struct armvmm_vm *v, u64 gfn)
{
	KTAP_TRUE(v == &vm);
	slot.userspace_addr = (unsigned long)&cached;
	return gfn == slot.base_gfn ? &slot : NULL;
}

int armvmm_guest_ram(struct armvmm_vcpu *v, u64 ipa, void *buf, unsigned int len, bool write)
{
	KTAP_TRUE(v == &vcpu && !write);
	if (ipa >> PAGE_SHIFT != slot.base_gfn)
		return 0;
	memcpy(buf, &memory.bytes[offset_in_page(ipa)], len);
	return 1;
}

static void start(u32 sctlr)
{
	vcpu.vm = &vm;
	vcpu.hyp = &hyp;
	memset(&hyp, 0, sizeof(hyp));
	hyp.cp15[CP15_SCTLR] = sctlr;
	cached.word[1] = 0xcac4ed;
	memory.word[1] = 0x3e3;
}

static u32 read_word(u32 sctlr)
{
	u32 word = 0;

	start(sctlr);
	KTAP_TRUE(armvmm_guest_read(&vcpu, RAM_BASE + 4, &word, 4));
	return word;
}

static void test_caches(void)
{
	KTAP_EQ(read_word(SCTLR_M | SCTLR_C), 0xcac4ed);
	KTAP_EQ(read_word(0), 0x3e3);
	KTAP_EQ(read_word(SCTLR_C), 0x3e3);
	KTAP_EQ(read_word(SCTLR_M), 0x3e3);
}

static void test_bounds(void)
{
	static const u32 sctlr[] = { 0, SCTLR_M | SCTLR_C };
	u32 word;

	for (unsigned int i = 0; i < ARRAY_SIZE(sctlr); i++) {
		start(sctlr[i]);
		KTAP_TRUE(armvmm_guest_read(&vcpu, RAM_BASE + 0xffc, &word, 4));
		KTAP_TRUE(!armvmm_guest_read(&vcpu, RAM_BASE + 0xffe, &word, 4));
		KTAP_TRUE(!armvmm_guest_read(&vcpu, RAM_BASE + 0x1000, &word, 4));
		KTAP_TRUE(!armvmm_guest_read(&vcpu, RAM_BASE - 4, &word, 4));
	}
}

/*
 * A table in memory that the guest wrote with its caches off counts, not the line in the host's
 * cache.
 */
static void test_tables(void)
{
	struct gva_mmu mmu;
	u32 word = 0;

	start(SCTLR_M);
	hyp.cp15[CP15_TTBR0] = RAM_BASE;
	hyp.cp15[CP15_TTBCR] = 7;	/* N: a table of 128 bytes for the first 32 MiB */
	memory.word[0] = 2;		/* a section at 0 (B3.5.1) */
	cached.word[0] = 0;
	armvmm_guest_mmu(&vcpu, &mmu);
	KTAP_TRUE(armvmm_guest_read_virt(&mmu, RAM_BASE + 4, &word, 4));
	KTAP_EQ(word, 0x3e3);
	hyp.cp15[CP15_SCTLR] = SCTLR_M | SCTLR_C;
	armvmm_guest_mmu(&vcpu, &mmu);
	KTAP_TRUE(!armvmm_guest_read_virt(&mmu, RAM_BASE + 4, &word, 4));
}

KTAP_MAIN(KTAP_CASE(test_caches), KTAP_CASE(test_bounds), KTAP_CASE(test_tables))

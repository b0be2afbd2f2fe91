/* SPDX-License-Identifier: GPL-2.0-only */
/* The client's registers in HYP mode (hyp/mmio.c): a part of whole.c. */
#ifndef BOARD_MMIO_H
#define BOARD_MMIO_H

#include "hyp/mmio.h"

#define MMIO_PAGE	0x0b000000u

static struct hyp_mirrors mirrors;
static struct hyp_zones zones;
static struct {
	struct kvm_coalesced_mmio_ring ring;
	struct kvm_coalesced_mmio entries[KVM_COALESCED_MMIO_MAX];
} posted;

static void mmio_prepare(void)
{
	dist_prepare();
	clear(&mirrors, sizeof(mirrors));
	clear(&zones, sizeof(zones));
	clear(&posted, sizeof(posted));
	mirrors.pages = hyp_mmio_page(MMIO_PAGE);
	mirrors.nr = 3;
	for (u32 i = 0; i < 3; i++) {
		mirrors.at[i].addr = MMIO_PAGE + 8 * i;
		mirrors.at[i].size = 4;
		mirrors.at[i].value = 0x84332211 + i;
	}
	zones.pages = mirrors.pages;
	zones.ring = &posted.ring;
	zones.nr = 2;
	zones.at[0] = (struct hyp_zone){ MMIO_PAGE, MMIO_PAGE + 8 };
	zones.at[1] = (struct hyp_zone){ MMIO_PAGE + 16, MMIO_PAGE + 24 };
	vcpu.mirrors = &mirrors;
	vcpu.zones = &zones;
}

/* The guest's trap as the vectors pass it on. */
static u32 mmio_trap(u32 hsr, u32 addr, u32 val)
{
	u32 spsr = spsr_read(), elr = banked_read(ELR_hyp), rt = HSR_DABT_SRT(hsr), ret;

	vcpu.regs.usr_regs.uregs[rt] = val;
	sysreg_write(hsr, SYS_HSR);
	sysreg_write(addr >> HPFAR_FIPA_SHIFT & HPFAR_FIPA, SYS_HPFAR);
	sysreg_write(0xc0001000 + addr % 0x1000, SYS_HDFAR);
	asm volatile("msr SPSR_cxsf, %0" : : "r" (guest_psr));
	ret = hyp_fastpath(&cpu, &vcpu);
	dist_got = vcpu.regs.usr_regs.uregs[rt];
	if (banked_read(ELR_hyp) - elr != (ret == HYP_EXIT_TRAP ? 0 : hsr & HSR_IL ? 4 : 2))
		put("# the PC is not where the guest goes on\n"), ret = BOARD_PANICKED;
	banked_write(elr, ELR_hyp);
	asm volatile("msr SPSR_cxsf, %0" : : "r" (spsr));
	return ret;
}

static bool mmio_reads(u32 hsr, u32 addr, u32 val)
{
	return mmio_trap(hsr, addr, ~val) == HYP_RESUME && dist_got == val;
}

static void test_mmio(void)
{
	u32 bad;

	mmio_prepare();
	bad = !mmio_reads(DABT_WORD, MMIO_PAGE, 0x84332211) +
	      !mmio_reads(DABT_WORD, MMIO_PAGE + 8, 0x84332212) +
	      !mmio_reads(DABT | 1u << 22, MMIO_PAGE + 18, 0x8433) +
	      !mmio_reads(DABT | 3 << 16, MMIO_PAGE + 17, 0x22);
	guest_psr = CPSR_M_SVC | CPSR_T;
	bad += !mmio_reads(DABT_WORD & ~HSR_IL, MMIO_PAGE, 0x84332211);
	guest_psr = CPSR_M_SVC;
	report(!bad && vcpu.stat.hyp_mmio_read == 5, "mirrors are read");
	bad = mmio_trap(DABT_WORD, MMIO_PAGE + 4, 0) + mmio_trap(DABT_WORD, MMIO_PAGE + 2, 0) +
	      mmio_trap(DABT_WORD, MMIO_PAGE + 0x1000, 0) +
	      mmio_trap(DABT_WORD, MMIO_PAGE + 0x20000, 0) +
	      mmio_trap(DABT_WORD, MMIO_PAGE - 0x20000, 0) +
	      mmio_trap(DABT_WORD | 1u << 22, MMIO_PAGE, 0) +
	      mmio_trap(DABT_WORD | HSR_DABT_SSE, MMIO_PAGE, 0);
	mirrors.at[0].hidden = 1;
	bad += mmio_trap(DABT_WORD, MMIO_PAGE, 0);
	mirrors.at[0].hidden = 0;
	mirrors.seq.sequence = 1;
	bad += mmio_trap(DABT_WORD, MMIO_PAGE, 0);
	vcpu.mirrors = NULL;
	bad += mmio_trap(DABT_WORD, MMIO_PAGE, 0);
	report(!bad && vcpu.stat.hyp_mmio_read == 5, "but no other, and not while they change");

	bad = mmio_trap(DABT_WORD | HSR_DABT_WNR, MMIO_PAGE + 4, 0x11223344) != HYP_RESUME ||
	      posted.ring.last != 1 || posted.entries[0].phys_addr != MMIO_PAGE + 4 ||
	      posted.entries[0].len != 4 || *(u32 *)posted.entries[0].data != 0x11223344;
	bad += mmio_trap(DABT | HSR_DABT_WNR, MMIO_PAGE + 23, 0x11223344) != HYP_RESUME ||
	       posted.ring.last != 2 || posted.entries[1].phys_addr != MMIO_PAGE + 23 ||
	       posted.entries[1].len != 1 || *(u32 *)posted.entries[1].data != 0x44;
	posted.ring.last = KVM_COALESCED_MMIO_MAX - 1;
	posted.ring.first = 1;
	bad += mmio_trap(DABT_WORD | HSR_DABT_WNR, MMIO_PAGE, 5) != HYP_RESUME ||
	       posted.ring.last || *(u32 *)posted.entries[KVM_COALESCED_MMIO_MAX - 1].data != 5;
	report(!bad && vcpu.stat.hyp_mmio_write == 3 &&
	       zones.lock.raw_lock.tickets.owner == 3 && zones.lock.raw_lock.tickets.next == 3,
	       "writes are posted");
	bad = mmio_trap(DABT_WORD | HSR_DABT_WNR, MMIO_PAGE, 6);
	posted.ring.first = 0;
	bad += mmio_trap(DABT_WORD | HSR_DABT_WNR, MMIO_PAGE + 8, 6) +
	       mmio_trap(DABT_WORD | HSR_DABT_WNR, MMIO_PAGE + 6, 6);
	posted.ring.last = KVM_COALESCED_MMIO_MAX;
	bad += mmio_trap(DABT_WORD | HSR_DABT_WNR, MMIO_PAGE, 6);
	posted.ring.last = 0;
	zones.lock.raw_lock.tickets.next++;
	bad += mmio_trap(DABT_WORD | HSR_DABT_WNR, MMIO_PAGE, 6);
	vcpu.zones = NULL;
	bad += mmio_trap(DABT_WORD | HSR_DABT_WNR, MMIO_PAGE, 6);
	report(!bad && !posted.ring.last && vcpu.stat.hyp_mmio_write == 3,
	       "but where there is room, in a zone, with the lock");
}

#endif

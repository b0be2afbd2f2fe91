// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/debug/debug.c driver/debug/cp14.c
// cflags: -I. -Itests/unit/fake -Iinclude/uapi -fno-strict-aliasing -Idriver
//
// Whose a debug exception is: the guest's, the client's or the host's, where
// DBGDSCR.MOE tells, where the instruction has to, and where neither does (DDI
// 0406C C3.3, C11.11.20), which no emulator shows.
#include "fake/fake_kernel.h"

#include "arch/archregs.h"
#include "arch/dbgregs.h"
#include "debug/debug.h"
#include "arch/exception.h"
#include "core/state.h"
#include "core/exception_entry.h"
#include "host/cache.h"
#include "mem/stage2.h"
#include "ktap.h"
#include "vcpu_fake.h"

struct armvmm_debug_host armvmm_debug_host;

/* --- the driver's other nouns --- */

static int at_bkpt;
static unsigned int pabts, dabts;
static u32 dabt_far, dabt_fsr;

int armvmm_debug_at_bkpt(struct armvmm_vcpu *v)
{
	return at_bkpt;
}

void armvmm_exception_entry_debug_pabt(struct hyp_vcpu *h)
{
	pabts++;
}

void armvmm_exception_entry_debug_dabt(struct hyp_vcpu *h, u32 far, u32 fsr)
{
	dabts++;
	dabt_far = far;
	dabt_fsr = fsr;
}

static unsigned int synced, flushed;
static bool in_memory;

/* The code is in memory before instruction caches may fetch it. */
void armvmm_cache_sync_client_code(void)
{
	synced++;
	KTAP_TRUE(in_memory);
	in_memory = false;
}

void armvmm_stage2_flush_uncached(struct armvmm_vm *of)
{
	KTAP_TRUE(of == &vm);
	flushed++;
	in_memory = true;
}

/* --- the machine --- */

#define IABT	((u32)HSR_EC_IABT << 26 | HSR_IL | HSR_FSC_DEBUG)
#define DABT	((u32)HSR_EC_DABT << 26 | HSR_IL | HSR_FSC_DEBUG)
#define V8(ec)	((u32)(ec) << 26 | HSR_IL)

static void reset(void)
{
	armvmm_debug_host = (struct armvmm_debug_host) {
		.didr = 0x3515f021, .nr_brp = 6, .nr_wrp = 4,
	};
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&hyp, 0, sizeof(hyp));
	memset(&page, 0, sizeof(page));
	vcpu.vm = &vm;
	vcpu.hyp = &hyp;
	vcpu.run = &page.run;
	vcpu.initialized = true;
	hyp.regs.usr_regs.ARM_pc = 0x8000;
	pabts = dabts = 0;
	at_bkpt = 0;
	armvmm_debug_reset(&vcpu);
}

static int debug_exit(u32 hsr, u32 moe)
{
	hyp.hsr = hsr;
	hyp.debug.moe = moe << 2;
	return armvmm_debug_exit(&vcpu);
}

static u32 moe_seen(void)
{
	return DBGDSCR_MOE(vcpu.cp14.dscr);
}

static void set_debug(u32 control, u32 bcr)
{
	struct kvm_guest_debug dbg = { .control = control };

	dbg.arch.dbg_bcr[0] = bcr;
	KTAP_EQ(armvmm_debug_ioctl(&vcpu, KVM_SET_GUEST_DEBUG, &dbg), 0);
}

#define HW	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW)
#define SW	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP)

static void check_to_user(int ret, u32 ec)
{
	KTAP_EQ(ret, 0);
	KTAP_EQ(page.run.exit_reason, KVM_EXIT_DEBUG);
	KTAP_EQ(KVM_ARM_DEBUG_EC(page.run.debug.arch.hsr), ec);
	KTAP_EQ(page.run.debug.arch.pc, 0x8000);
	KTAP_EQ(pabts + dabts, 0);
	page.run.exit_reason = 0;
}

/* With only the host's registers loaded: a BKPT is the guest's, and all else the host's own. */
static void test_host(void)
{
	static const u32 hosts[] = { DBG_MOE_BREAKPOINT, DBG_MOE_VECTOR_CATCH };

	for (unsigned int i = 0; i < 2; i++) {
		reset();
		KTAP_EQ(hyp.debug.mode, HYP_DEBUG_OFF);
		at_bkpt = 1;	/* not asked: DBGDSCR knows */
		KTAP_EQ(debug_exit(IABT, hosts[i]), 1);
		KTAP_EQ(hyp.debug.mode, HYP_DEBUG_HIDE);
		KTAP_EQ(hyp.debug.nr_brp, 6);
		KTAP_EQ(pabts + dabts, 0);
	}
	reset();
	KTAP_EQ(debug_exit(DABT, DBG_MOE_WATCHPOINT), 1);
	KTAP_EQ(hyp.debug.mode, HYP_DEBUG_HIDE);
	KTAP_EQ(pabts + dabts, 0);
	/* BKPT: shown by DBGDSCR, by the instruction, by a class of its own. */
	reset();
	KTAP_EQ(debug_exit(IABT, DBG_MOE_BKPT), 1);
	KTAP_EQ(pabts, 1);
	KTAP_EQ(moe_seen(), DBG_MOE_BKPT);
	reset();
	at_bkpt = 1;
	KTAP_EQ(debug_exit(IABT, 0), 1);
	KTAP_EQ(pabts, 1);
	KTAP_EQ(moe_seen(), DBG_MOE_BKPT);
	reset();
	KTAP_EQ(debug_exit(V8(HSR_EC_V8_BKPT), 0), 1);
	KTAP_EQ(pabts, 1);
	KTAP_EQ(hyp.debug.mode, HYP_DEBUG_OFF);
}

/* An unexplained exception is tried once more with all registers cleared, and then is a BKPT. */
static void test_unknown(void)
{
	for (u32 nr_brp = 0; nr_brp < 7; nr_brp += 6)
		for (u32 sw = 0; sw < 2; sw++) {
			reset();
			armvmm_debug_host.nr_brp = nr_brp;
			set_debug(sw ? SW : 0, 0);
			at_bkpt = -EFAULT;
			KTAP_EQ(debug_exit(IABT, 0), 1);
			KTAP_EQ(hyp.debug.mode, HYP_DEBUG_HIDE);
			/* To be certain: HYP mode does not check whether any are in use. */
			KTAP_EQ(hyp.debug.nr_brp, 0);
			KTAP_EQ(pabts + dabts, 0);
			if (sw) {
				check_to_user(debug_exit(IABT, 0), KVM_ARM_DEBUG_EC_BKPT);
			} else {
				KTAP_EQ(debug_exit(IABT, 0), 1);
				KTAP_EQ(pabts, 1);
				KTAP_EQ(moe_seen(), DBG_MOE_BKPT);
			}
			KTAP_EQ(hyp.debug.nr_brp, nr_brp);
		}
	/* The second time it can be read, and is the host's; HYP mode has put it back. */
	reset();
	at_bkpt = -EFAULT;
	KTAP_EQ(debug_exit(IABT, 0), 1);
	at_bkpt = 0;
	KTAP_EQ(debug_exit(IABT, 0), 1);
	KTAP_EQ(hyp.debug.nr_brp, 6);
	KTAP_EQ(hyp.debug.mode, HYP_DEBUG_HIDE);
	hyp.debug.mode = HYP_DEBUG_OFF;
	at_bkpt = -EFAULT;
	KTAP_EQ(debug_exit(IABT, 0), 1);
	KTAP_EQ(pabts + dabts, 0);
	/* If the guest or the client has its registers loaded, one of them gets the exception. */
	reset();
	set_debug(HW, 0x1e7);
	at_bkpt = -EFAULT;
	check_to_user(debug_exit(IABT, 0), KVM_ARM_DEBUG_EC_BREAKPOINT);
	reset();
	vcpu.cp14.os_lock = false;
	vcpu.cp14.dscr = DBGDSCR_MDBGEN;
	vcpu.cp14.regs.bcr[0] = 0x1e7;
	armvmm_debug_update(&vcpu);
	KTAP_EQ(hyp.debug.mode, HYP_DEBUG_LOAD);
	at_bkpt = -EFAULT;
	KTAP_EQ(debug_exit(IABT, 0), 1);
	KTAP_EQ(pabts, 1);
	KTAP_EQ(moe_seen(), DBG_MOE_BREAKPOINT);
}

static void own_debug(void)
{
	reset();
	vcpu.cp14.os_lock = false;
	vcpu.cp14.dscr = DBGDSCR_MDBGEN;
	vcpu.cp14.regs.bcr[1] = 0x1e7;
	armvmm_debug_update(&vcpu);
}

/* The guest's own events go to the guest, whatever the client does about BKPT. */
static void test_guest(void)
{
	own_debug();
	KTAP_EQ(hyp.debug.mode, HYP_DEBUG_LOAD);
	KTAP_EQ(hyp.debug.regs.bcr[1], 0x41e7);
	KTAP_EQ(debug_exit(IABT, DBG_MOE_BREAKPOINT), 1);
	KTAP_EQ(pabts, 1);
	KTAP_EQ(moe_seen(), DBG_MOE_BREAKPOINT);
	KTAP_EQ(debug_exit(IABT, DBG_MOE_VECTOR_CATCH), 1);
	KTAP_EQ(pabts, 2);
	KTAP_EQ(moe_seen(), DBG_MOE_VECTOR_CATCH);
	hyp.hxfar = 0x1234;
	KTAP_EQ(debug_exit(DABT | HSR_DABT_WNR, DBG_MOE_WATCHPOINT), 1);
	KTAP_EQ(dabts, 1);
	KTAP_EQ(dabt_far, 0x1234);
	KTAP_EQ(dabt_fsr, DFSR_WNR);
	KTAP_EQ(moe_seen(), DBG_MOE_WATCHPOINT);
	set_debug(SW, 0);
	KTAP_EQ(debug_exit(IABT, DBG_MOE_BREAKPOINT), 1);
	KTAP_EQ(pabts, 3);
	KTAP_EQ(page.run.exit_reason, 0);
	pabts = dabts = 0;
	check_to_user(debug_exit(IABT, DBG_MOE_BKPT), KVM_ARM_DEBUG_EC_BKPT);
}

/* The client's registers replace the guest's, which are back when the client's go. */
static void test_client(void)
{
	own_debug();
	set_debug(HW, 0x1e7);
	KTAP_EQ(hyp.debug.regs.bcr[0], 0x41e7);
	KTAP_EQ(hyp.debug.regs.bcr[1], 0);
	check_to_user(debug_exit(IABT, DBG_MOE_BREAKPOINT), KVM_ARM_DEBUG_EC_BREAKPOINT);
	check_to_user(debug_exit(V8(HSR_EC_V8_BREAKPOINT), 0), KVM_ARM_DEBUG_EC_BREAKPOINT);
	hyp.hxfar = 0x5678;
	check_to_user(debug_exit(DABT, DBG_MOE_WATCHPOINT), KVM_ARM_DEBUG_EC_WATCHPOINT);
	KTAP_EQ(page.run.debug.arch.far, 0x5678);
	/* A BKPT is still the guest's. */
	KTAP_EQ(debug_exit(IABT, DBG_MOE_BKPT), 1);
	KTAP_EQ(pabts, 1);
	set_debug(0, 0);
	KTAP_EQ(hyp.debug.regs.bcr[0], 0);
	KTAP_EQ(hyp.debug.regs.bcr[1], 0x41e7);
	KTAP_EQ(debug_exit(IABT, DBG_MOE_BREAKPOINT), 1);
	KTAP_EQ(pabts, 2);
}

/* Code that the client rewrites: the guest sees it at the next RUN, and when the last BKPT goes. */
static void test_code(void)
{
	reset();
	synced = flushed = 0;
	armvmm_debug_sync_code(&vcpu);
	set_debug(HW, 0);
	armvmm_debug_sync_code(&vcpu);
	KTAP_EQ(synced, 0);
	set_debug(SW, 0);
	KTAP_EQ(synced, 1);
	armvmm_debug_sync_code(&vcpu);
	KTAP_EQ(synced, 2);
	armvmm_debug_sync_code(&vcpu);
	KTAP_EQ(synced, 3);
	set_debug(0, 0);
	KTAP_EQ(synced, 4);
	armvmm_debug_sync_code(&vcpu);
	KTAP_EQ(synced, 4);
	KTAP_EQ(flushed, 4);
}

/* What the guest wrote is the client's to read when it stops for it: data, no code. */
static void test_data(void)
{
	reset();
	synced = flushed = 0;
	armvmm_debug_sync_data(&vcpu);
	set_debug(HW, 0);
	armvmm_debug_sync_data(&vcpu);
	KTAP_EQ(flushed, 0);
	set_debug(SW, 0);
	KTAP_EQ(flushed, 1);
	armvmm_debug_sync_data(&vcpu);
	KTAP_EQ(flushed, 2);
	KTAP_EQ(synced, 1);
}

KTAP_MAIN(KTAP_CASE(test_code), KTAP_CASE(test_data), KTAP_CASE(test_host), KTAP_CASE(test_unknown),
	  KTAP_CASE(test_guest), KTAP_CASE(test_client))

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debug registers (DDI 0406C C11.11), moved only for a vCPU that needs it. All
 * accesses of the guest's trap and all its debug exceptions come here (HDCR.TDE,
 * TDA), so what stays in the hardware while a guest runs is not seen by it: the
 * host's breakpoints may stay until one of them hits in a guest.
 *
 * In HYP mode no software debug event but BKPT is generated (C3.3), and the
 * exception return orders what was written before the guest's first instruction
 * (C3.8 asks for a context synchronization between the two).
 */
#include "arch/dbgregs.h"
#include "hyp/cpu.h"
#include "hyp/sysreg.h"

#define DBG_STR(x)	#x
#define dbg_read(crn, crm, op2)							\
({										\
	u32 val_ = 0;	/* QEMU leaves the register alone where it has none */	\
	asm volatile("mrc p14, 0, %0, c" DBG_STR(crn) ", c" DBG_STR(crm) ", " DBG_STR(op2) \
		     : "+r" (val_));						\
	val_;									\
})
#define dbg_write(val, crn, crm, op2)						\
	asm volatile("mcr p14, 0, %0, c" DBG_STR(crn) ", c" DBG_STR(crm) ", " DBG_STR(op2) \
		     : : "r" ((u32)(val)))

/* The number is part of the instruction: one after the other, as many as there are. */
#define DBG_EACH(f)								\
	f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12) f(13) f(14) f(15)

#define DBG_SAVE_BRP(n)								\
	if ((n) < nr_brp) {							\
		r->bvr[n] = dbg_read(0, n, 4);					\
		r->bcr[n] = dbg_read(0, n, 5);					\
	}
#define DBG_SAVE_WRP(n)								\
	if ((n) < nr_wrp) {							\
		r->wvr[n] = dbg_read(0, n, 6);					\
		r->wcr[n] = dbg_read(0, n, 7);					\
	}
#define DBG_RESTORE_BRP(n)							\
	if ((n) < nr_brp) {							\
		dbg_write(r->bvr[n], 0, n, 4);					\
		dbg_write(r->bcr[n], 0, n, 5);					\
	}
#define DBG_RESTORE_WRP(n)							\
	if ((n) < nr_wrp) {							\
		dbg_write(r->wvr[n], 0, n, 6);					\
		dbg_write(r->wcr[n], 0, n, 7);					\
	}
#define DBG_USED_BRP(n)								\
	if ((n) < nr_brp)							\
		used |= dbg_read(0, n, 5);
#define DBG_USED_WRP(n)								\
	if ((n) < nr_wrp)							\
		used |= dbg_read(0, n, 7);

static void __hyp_text debug_save(struct hyp_debug_regs *r, u32 nr_brp, u32 nr_wrp)
{
	r->vcr = dbg_read(0, 7, 0);
	DBG_EACH(DBG_SAVE_BRP)
	DBG_EACH(DBG_SAVE_WRP)
}

static void __hyp_text debug_restore(const struct hyp_debug_regs *r, u32 nr_brp, u32 nr_wrp)
{
	dbg_write(r->vcr, 0, 7, 0);
	DBG_EACH(DBG_RESTORE_BRP)
	DBG_EACH(DBG_RESTORE_WRP)
}

static bool __hyp_text debug_in_use(u32 nr_brp, u32 nr_wrp)
{
	u32 used = dbg_read(0, 7, 0) ? DBGCR_E : 0;

	DBG_EACH(DBG_USED_BRP)
	DBG_EACH(DBG_USED_WRP)
	return used & DBGCR_E;
}

/*
 * Why the last debug exception was taken: DBGDSCRint.MOE. Zero, which is none,
 * where this CPU's debug registers are out of reach.
 */
u32 __hyp_text hyp_debug_moe(struct hyp_cpu *cpu)
{
	return cpu->debug_ok ? dbg_read(0, 1, 0) : 0;
}

/* Last before the guest is entered. The host's values are kept whole. */
void __hyp_text hyp_debug_load(struct hyp_cpu *cpu, struct hyp_debug *debug)
{
	struct hyp_host_debug *host = &cpu->host_debug;
	u32 dscr;

	cpu->debug_loaded = HYP_DEBUG_OFF;
	if (!cpu->debug_ok)
		return;
	/* What the host had when it hit is gone, or this CPU never had it. */
	if (debug->mode == HYP_DEBUG_HIDE && debug->nr_brp &&
	    !debug_in_use(debug->nr_brp, debug->nr_wrp)) {
		debug->mode = HYP_DEBUG_OFF;
		return;
	}
	cpu->debug_loaded = debug->mode;
	dscr = dbg_read(0, 2, 2);
	host->dscr = dscr;
	dbg_write(dscr & ~DBGDSCR_MDBGEN, 0, 2, 2);
	if (debug->mode == HYP_DEBUG_HIDE)
		return;

	/* Nothing matches half a pair. */
	hyp_isb();
	host->oslsr = dbg_read(1, 1, 4);
	debug_save(&host->regs, debug->nr_brp, debug->nr_wrp);
	debug_restore(&debug->regs, debug->nr_brp, debug->nr_wrp);
	/* With the OS Lock set there are no debug events (C6.5). */
	if (host->oslsr & DBGOSLSR_OSLK)
		dbg_write(0, 1, 0, 4);
	hyp_isb();
	dbg_write(dscr | DBGDSCR_MDBGEN, 0, 2, 2);
}

void __hyp_text hyp_debug_unload(struct hyp_cpu *cpu, struct hyp_debug *debug)
{
	struct hyp_host_debug *host = &cpu->host_debug;

	if (!cpu->debug_loaded)
		return;
	if (cpu->debug_loaded == HYP_DEBUG_LOAD) {
		dbg_write(host->dscr & ~DBGDSCR_MDBGEN, 0, 2, 2);
		hyp_isb();
		debug_restore(&host->regs, debug->nr_brp, debug->nr_wrp);
		if (host->oslsr & DBGOSLSR_OSLK)
			dbg_write(DBGOSLAR_KEY, 1, 0, 4);
		hyp_isb();
	}
	dbg_write(host->dscr, 0, 2, 2);
	cpu->debug_loaded = HYP_DEBUG_OFF;
}

/* HYP itself has failed: the host's last words meet no breakpoint of a guest's. */
void __hyp_text hyp_debug_drop(struct hyp_cpu *cpu)
{
	if (!cpu->debug_loaded)
		return;
	cpu->debug_loaded = HYP_DEBUG_OFF;
	dbg_write(cpu->host_debug.dscr & ~DBGDSCR_MDBGEN, 0, 2, 2);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest debugging (gdbstub) on 32-bit hosts: breakpoints in memory (BKPT), those of
 * the CPU, and its watchpoints. One set serves all vCPUs, as a debugger sees it.
 */
#include "qemu/osdep.h"

#include <linux/kvm.h>

#include "cpu.h"
#include "exec/gdbstub.h"
#include "internals.h"
#include "kvm_arm.h"
#include "qemu/error-report.h"
#include "sysemu/kvm.h"

#ifdef KVM_ARM_MAX_DBG_REGS

/* <linux/armvmm.h>: the KVM_GUESTDBG_* that there are. */
#define ARMVMM_CAP_GUEST_DEBUG	0x41520010

/* DBGBCR and DBGWCR (DDI 0406C C11.11.2, C11.11.44) */
#define DEBUG_ENABLE		(1u << 0)
#define DEBUG_ALL_MODES		(3u << 1)
#define DEBUG_LSC_SHIFT		3
#define DEBUG_BAS_SHIFT		5
#define DEBUG_MASK_SHIFT	24

#define DEBUG_BKPT_A32		0xe1200070u
#define DEBUG_BKPT_T32		0xbe00u

struct debug_point {
	uint32_t value, control;
	CPUWatchpoint watched;		/* of a watchpoint */
};

static struct debug_points {
	struct debug_point at[KVM_ARM_MAX_DBG_REGS];
	unsigned int nr, max;
} debug_breaks, debug_watches;

void kvm_arm_init_debug(KVMState *s)
{
	if (!(kvm_check_extension(s, ARMVMM_CAP_GUEST_DEBUG) & KVM_GUESTDBG_USE_HW))
		return;
	debug_breaks.max = MIN(kvm_check_extension(s, KVM_CAP_GUEST_DEBUG_HW_BPS),
			       KVM_ARM_MAX_DBG_REGS);
	debug_watches.max = MIN(kvm_check_extension(s, KVM_CAP_GUEST_DEBUG_HW_WPS),
				KVM_ARM_MAX_DBG_REGS);
}

/* -- the CPU's breakpoints and watchpoints -------------------------------- */

static int debug_add(struct debug_points *points, const struct debug_point *point)
{
	if (points->nr == points->max)
		return -ENOBUFS;
	points->at[points->nr++] = *point;
	return 0;
}

static void debug_remove(struct debug_points *points, unsigned int i)
{
	points->nr--;
	memmove(points->at + i, points->at + i + 1, (points->nr - i) * sizeof(points->at[0]));
}

/* @len is 4 for an A32 instruction, 2 or 3 for T32 (gdb's "kind"): a word or half of one. */
static struct debug_point debug_break(target_ulong addr, target_ulong len)
{
	uint32_t bytes = len == 4 ? 0xf : addr & 2 ? 0xc : 0x3;

	return (struct debug_point){
		.value = addr & ~3u,
		.control = DEBUG_ENABLE | DEBUG_ALL_MODES | bytes << DEBUG_BAS_SHIFT,
	};
}

/* Within a word by its bytes; beyond, an aligned power of two by an address mask. */
static int debug_watch(target_ulong addr, target_ulong len, int type, struct debug_point *point)
{
	uint32_t bytes, mask = 0, lsc;

	if (!len)
		return -EINVAL;
	if ((addr & 3) + len <= 4) {
		bytes = ((1u << len) - 1) << (addr & 3);
	} else if (is_power_of_2(len) && len >= 8 && !(addr & (len - 1))) {
		bytes = 0xff;
		mask = ctz32(len);
	} else {
		return -ENOBUFS;
	}
	switch (type) {
	case GDB_WATCHPOINT_READ:
		lsc = 1;
		point->watched.flags = BP_MEM_READ;
		break;
	case GDB_WATCHPOINT_WRITE:
		lsc = 2;
		point->watched.flags = BP_MEM_WRITE;
		break;
	default:
		lsc = 3;
		point->watched.flags = BP_MEM_ACCESS;
		break;
	}
	point->watched.vaddr = addr;
	point->watched.len = len;
	point->value = addr & ~3u;
	point->control = DEBUG_ENABLE | DEBUG_ALL_MODES | lsc << DEBUG_LSC_SHIFT |
			 bytes << DEBUG_BAS_SHIFT | mask << DEBUG_MASK_SHIFT;
	return 0;
}

int kvm_arch_insert_hw_breakpoint(target_ulong addr, target_ulong len, int type)
{
	struct debug_point point = { };
	int ret;

	switch (type) {
	case GDB_BREAKPOINT_HW:
		point = debug_break(addr, len);
		return debug_add(&debug_breaks, &point);
	case GDB_WATCHPOINT_READ:
	case GDB_WATCHPOINT_WRITE:
	case GDB_WATCHPOINT_ACCESS:
		ret = debug_watch(addr, len, type, &point);
		return ret ?: debug_add(&debug_watches, &point);
	default:
		return -ENOSYS;
	}
}

int kvm_arch_remove_hw_breakpoint(target_ulong addr, target_ulong len, int type)
{
	struct debug_points *points = type == GDB_BREAKPOINT_HW ? &debug_breaks : &debug_watches;
	struct debug_point point = { };

	if (type == GDB_BREAKPOINT_HW)
		point = debug_break(addr, len);
	else if (debug_watch(addr, len, type, &point))
		return -ENOENT;
	for (unsigned int i = 0; i < points->nr; i++) {
		if (points->at[i].value == point.value && points->at[i].control == point.control) {
			debug_remove(points, i);
			return 0;
		}
	}
	return -ENOENT;
}

void kvm_arch_remove_all_hw_breakpoints(void)
{
	debug_breaks.nr = 0;
	debug_watches.nr = 0;
}

bool kvm_arm_hw_debug_active(CPUState *cs)
{
	return debug_breaks.nr || debug_watches.nr;
}

void kvm_arm_copy_hw_debug_data(struct kvm_guest_debug_arch *ptr)
{
	memset(ptr, 0, sizeof(*ptr));
	for (unsigned int i = 0; i < debug_breaks.nr; i++) {
		ptr->dbg_bvr[i] = debug_breaks.at[i].value;
		ptr->dbg_bcr[i] = debug_breaks.at[i].control;
	}
	for (unsigned int i = 0; i < debug_watches.nr; i++) {
		ptr->dbg_wvr[i] = debug_watches.at[i].value;
		ptr->dbg_wcr[i] = debug_watches.at[i].control;
	}
}

/* -- breakpoints in memory ------------------------------------------------ */

/* On entry bp->saved_insn is the length by gdb's count: 4 for A32, 2 or 3 for T32. */
int kvm_arch_insert_sw_breakpoint(CPUState *cs, struct kvm_sw_breakpoint *bp)
{
	bool a32 = bp->saved_insn == 4;
	uint32_t bkpt = a32 ? DEBUG_BKPT_A32 : DEBUG_BKPT_T32;
	unsigned int len = a32 ? 4 : 2;

	bp->saved_insn = 0;
	if (cpu_memory_rw_debug(cs, bp->pc, &bp->saved_insn, len, false) ||
	    cpu_memory_rw_debug(cs, bp->pc, &bkpt, len, true))
		return -EINVAL;
	return 0;
}

/* What the guest has written there since is the guest's. */
int kvm_arch_remove_sw_breakpoint(CPUState *cs, struct kvm_sw_breakpoint *bp)
{
	uint32_t found = 0;
	unsigned int len = 2;

	if (cpu_memory_rw_debug(cs, bp->pc, &found, 2, false))
		return -EINVAL;
	if (found != DEBUG_BKPT_T32) {
		len = 4;
		if (cpu_memory_rw_debug(cs, bp->pc, &found, 4, false) || found != DEBUG_BKPT_A32)
			return -EINVAL;
	}
	return cpu_memory_rw_debug(cs, bp->pc, &bp->saved_insn, len, true) ? -EINVAL : 0;
}

/* -- what the guest ran into ---------------------------------------------- */

static bool debug_is_break(uint32_t pc)
{
	for (unsigned int i = 0; i < debug_breaks.nr; i++)
		if (debug_breaks.at[i].value == (pc & ~3u))
			return true;
	return false;
}

/* The access at @far is up to eight bytes long and may begin before what is watched. */
static CPUWatchpoint *debug_find_watch(uint64_t far)
{
	for (unsigned int i = 0; i < debug_watches.nr; i++) {
		CPUWatchpoint *wp = &debug_watches.at[i].watched;

		if (far < wp->vaddr + wp->len && far + 8 > wp->vaddr)
			return wp;
	}
	return NULL;
}

/* True: the debugger's. Else the guest goes on, with an exception if it has BKPTs of its own. */
bool kvm_arm_handle_debug(CPUState *cs, struct kvm_debug_exit_arch *debug_exit)
{
	CPUWatchpoint *wp;

	kvm_cpu_synchronize_state(cs);
	switch (KVM_ARM_DEBUG_EC(debug_exit->hsr)) {
	case KVM_ARM_DEBUG_EC_STEP:
		return cs->singlestep_enabled;
	case KVM_ARM_DEBUG_EC_BREAKPOINT:
		return debug_is_break(debug_exit->pc);
	case KVM_ARM_DEBUG_EC_WATCHPOINT:
		wp = debug_find_watch(debug_exit->far);
		if (wp)
			cs->watchpoint_hit = wp;
		return wp;
	case KVM_ARM_DEBUG_EC_BKPT:
		if (kvm_find_sw_breakpoint(cs, debug_exit->pc))
			return true;
		kvm_update_guest_debug(cs, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_BP);
		return false;
	default:
		error_report("a debug exit of unknown kind: 0x%08x at 0x%08x", debug_exit->hsr,
			     debug_exit->pc);
		return false;
	}
}

#else /* the module that this is built for does not offer it: QEMU asks for none of these */

void kvm_arm_init_debug(KVMState *s)
{
}

bool kvm_arm_hw_debug_active(CPUState *cs)
{
	return false;
}

void kvm_arm_copy_hw_debug_data(struct kvm_guest_debug_arch *ptr)
{
}

bool kvm_arm_handle_debug(CPUState *cs, struct kvm_debug_exit_arch *debug_exit)
{
	return false;
}

int kvm_arch_insert_hw_breakpoint(target_ulong addr, target_ulong len, int type)
{
	return -ENOSYS;
}

int kvm_arch_remove_hw_breakpoint(target_ulong addr, target_ulong len, int type)
{
	return -ENOSYS;
}

void kvm_arch_remove_all_hw_breakpoints(void)
{
}

int kvm_arch_insert_sw_breakpoint(CPUState *cs, struct kvm_sw_breakpoint *bp)
{
	return -ENOSYS;
}

int kvm_arch_remove_sw_breakpoint(CPUState *cs, struct kvm_sw_breakpoint *bp)
{
	return -ENOSYS;
}
#endif

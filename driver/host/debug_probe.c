// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the debug logic of this host can do, found out at load. On many boards
 * it is out of reach (DBGEN low, OS Double Lock, no power), and whether address
 * mismatch works in PL1 is one CPU's word against the other: it is tried. The
 * trial is a guest that is nothing but three instructions of this module, in the
 * host's own address space, on each CPU.
 */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <asm/cputype.h>
#include <asm/ptrace.h>

#include "arch/archregs.h"
#include "arch/dbgregs.h"
#include "arch/next_pc.h"
#include "host/debug_host.h"
#include "host/hypcpu.h"
#include "host/hypmap.h"
#include "hyp/hyp.h"
#include "hyp/sysreg.h"

#define DEBUG_PROBE_CPSR	(CPSR_M_SVC | CPSR_A | CPSR_I | CPSR_F)

/* In hyp/call.S. */
struct debug_probe_regs {
	u32 didr;
	u32 osdlr;
	u32 dscr;
	u32 devid;		/* zero where it is undefined, as in QEMU 7.2 */
};

u32 hyp_debug_probe_call(struct debug_probe_regs *regs);
void hyp_debug_trial(void);
extern const char hyp_debug_trial_start[], hyp_debug_trial_vectors[];

struct armvmm_debug_host armvmm_debug_host;

struct debug_probe {
	struct hyp_vcpu *hyp;
	raw_spinlock_t lock;
	struct armvmm_debug_host found;	/* what all CPUs have */
	bool first;
};

/* The trial guest's PL1 is the host's at this moment. */
static void probe_fill(struct hyp_vcpu *hyp)
{
	u32 *cp15 = hyp->cp15;
	u64 v;

	memset(hyp, 0, sizeof(*hyp));
	cp15[CP15_CSSELR] = sysreg_read(SYS_CSSELR);
	/* Vectors of its own, in A32: a stray exception must not run the host's with no stack. */
	cp15[CP15_SCTLR] = sysreg_read(SYS_SCTLR) & ~(SCTLR_V | SCTLR_TE);
	cp15[CP15_CPACR] = sysreg_read(SYS_CPACR);
	v = sysreg_read64(SYS_TTBR0);
	cp15[CP15_TTBR0] = (u32)v;
	cp15[CP15_TTBR0_HI] = (u32)(v >> 32);
	v = sysreg_read64(SYS_TTBR1);
	cp15[CP15_TTBR1] = (u32)v;
	cp15[CP15_TTBR1_HI] = (u32)(v >> 32);
	cp15[CP15_TTBCR] = sysreg_read(SYS_TTBCR);
	cp15[CP15_DACR] = sysreg_read(SYS_DACR);
	cp15[CP15_PRRR] = sysreg_read(SYS_PRRR);
	cp15[CP15_NMRR] = sysreg_read(SYS_NMRR);
	cp15[CP15_AMAIR0] = sysreg_read(SYS_AMAIR0);
	cp15[CP15_AMAIR1] = sysreg_read(SYS_AMAIR1);
	cp15[CP15_VBAR] = (u32)hyp_debug_trial_vectors;
	cp15[CP15_CONTEXTIDR] = sysreg_read(SYS_CONTEXTIDR);
	cp15[CP15_TPIDRURW] = sysreg_read(SYS_TPIDRURW);
	cp15[CP15_TPIDRURO] = sysreg_read(SYS_TPIDRURO);
	cp15[CP15_TPIDRPRW] = sysreg_read(SYS_TPIDRPRW);
	cp15[CP15_CNTKCTL] = sysreg_read(SYS_CNTKCTL);
	cp15[CP15_MPIDR] = read_cpuid_mpidr();
	hyp->vpidr = read_cpuid_id();
	/* No stage 2 and no interrupts taken: they are masked, and wait for the host. */
	hyp->hdcr = HDCR_TDRA | HDCR_TDOSA | HDCR_TDA | HDCR_TDE;
}

/* True where @bp stops the trial after its first instruction, and not at its hvc. */
static bool probe_try(struct hyp_vcpu *hyp, const struct armvmm_debug_host *cpu, u32 offset,
		      u32 type)
{
	u32 start = (u32)hyp_debug_trial_start, ec;

	probe_fill(hyp);
	hyp->regs.usr_regs.ARM_pc = start;
	hyp->regs.usr_regs.ARM_cpsr = DEBUG_PROBE_CPSR;
	hyp->debug.mode = HYP_DEBUG_LOAD;
	hyp->debug.nr_brp = cpu->nr_brp;
	hyp->debug.nr_wrp = cpu->nr_wrp;
	hyp->debug.regs.bvr[0] = start + offset;
	hyp->debug.regs.bcr[0] = DBGCR_E | DBGCR_PMC | DBGCR_SSC_NS | DBGBCR_BAS | type;
	if (armvmm_hyp_call(HYP_CALL_RUN, (u32)hyp, 0) != HYP_EXIT_TRAP)
		return false;
	ec = HSR_EC(hyp->hsr);
	return hyp->regs.usr_regs.ARM_pc == start + 4 &&
	       (ec == HSR_EC_V8_BREAKPOINT ||
		(ec == HSR_EC_IABT && (hyp->hsr & HSR_ABT_FSC) == HSR_FSC_DEBUG));
}

/*
 * DBGDIDR, or zero where the debug registers are out of reach, of an older
 * architecture, or an external debugger's (halting debug mode).
 */
static u32 probe_didr(u32 *devid)
{
	struct debug_probe_regs regs = {};

	if (hyp_debug_probe_call(&regs) || regs.osdlr & DBGOSDLR_DLK ||
	    regs.dscr & DBGDSCR_HDBGEN || DBGDIDR_VERSION(regs.didr) != DBGDIDR_V7_1)
		return 0;
	*devid = regs.devid;
	return regs.didr;
}

bool armvmm_debug_probe_cpu_ok(void)
{
	u32 devid, didr = probe_didr(&devid);

	return didr && (!armvmm_debug_host.nr_brp ||
			!((didr ^ armvmm_debug_host.didr) & DBGDIDR_KIND));
}

static void probe_this_cpu(struct hyp_vcpu *hyp, struct armvmm_debug_host *cpu)
{
	u32 devid, didr = probe_didr(&devid);

	memset(cpu, 0, sizeof(*cpu));
	if (!didr)
		return;
	cpu->didr = didr;
	cpu->devid = devid;
	cpu->nr_brp = DBGDIDR_NR_BRP(didr);
	cpu->nr_wrp = DBGDIDR_NR_WRP(didr);
	/* Run once as itself, so that the mapping is in the tables at hand. */
	hyp_debug_trial();
	if (!probe_try(hyp, cpu, 4, 0))
		cpu->nr_brp = cpu->nr_wrp = 0;
	else
		cpu->mismatch = probe_try(hyp, cpu, 0, DBGBCR_BT_MISMATCH);
}

/* In an IPI: IRQs are off. */
static void probe_ipi(void *arg)
{
	struct debug_probe *probe = arg;
	struct armvmm_debug_host cpu, *found = &probe->found;

	/* A CPU that goes up or down: armvmm_debug_probe_cpu_ok() asks it at its take-over. */
	if (!armvmm_hypcpu_ready())
		return;
	raw_spin_lock(&probe->lock);
	probe_this_cpu(probe->hyp, &cpu);
	if (probe->first) {
		*found = cpu;
		probe->first = false;
	}
	/* Where CPUs differ, a vCPU gets only what it has on all of them. */
	if ((found->didr ^ cpu.didr) & DBGDIDR_KIND)
		found->nr_brp = 0;
	found->nr_brp = min(found->nr_brp, cpu.nr_brp);
	found->nr_wrp = min(found->nr_wrp, cpu.nr_wrp);
	found->mismatch &= cpu.mismatch;
	found->devid &= cpu.devid;
	raw_spin_unlock(&probe->lock);
}

void armvmm_debug_probe_init(void)
{
	struct debug_probe probe = { .first = true };

	raw_spin_lock_init(&probe.lock);
	memset(&armvmm_debug_host, 0, sizeof(armvmm_debug_host));
	probe.hyp = armvmm_hypmap_alloc(sizeof(*probe.hyp));
	if (probe.hyp) {
		on_each_cpu(probe_ipi, &probe, 1);
		armvmm_hypmap_free(probe.hyp, sizeof(*probe.hyp));
		armvmm_debug_host = probe.found;
	}
	if (!armvmm_debug_host.nr_brp) {
		memset(&armvmm_debug_host, 0, sizeof(armvmm_debug_host));
		pr_info("debug registers are out of reach: guests have BKPT alone\n");
		return;
	}
	pr_info("%u breakpoints, %u watchpoints, single step by %s\n",
		armvmm_debug_host.nr_brp, armvmm_debug_host.nr_wrp,
		armvmm_debug_host.mismatch ? "mismatch" : "the decoder");
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What HYP mode keeps for each physical CPU. */
#ifndef ARMVMM_HYP_CPU_H
#define ARMVMM_HYP_CPU_H

#include "hyp/hyp.h"

/* Left by a fault in HYP mode for the host to print. */
struct hyp_panic {
	u32 regs[15];		/* r0-r12, SP_hyp, LR */
	u32 vector;		/* 0-7, DDI 0406C B1.8.1 */
	u32 elr;
	u32 spsr;
	u32 hsr;
	u32 hdfar;
	u32 hifar;
	u32 hpfar;
	u32 hcr;
	u32 httbr;
	struct hyp_vcpu *vcpu;
	u32 faults;		/* this one, and those met on the way back to the host */
};

/*
 * Constant in the host while a CPU is online: written at exits, never read. hyp/switch.c moves
 * those from sp_abt to ttbr1 at once.
 */
struct hyp_host_const {
	u32 sctlr;
	u32 sp_abt;
	u32 sp_und;
	u32 sp_irq;
	u32 cpacr;
	u32 prrr;
	u32 nmrr;
	u32 vbar;
	u32 tpidrprw;
	u32 cntkctl;
	u64 ttbr1;
	u32 amair0;		/* HYP_ODD_AMAIR */
	u32 amair1;
	u32 midr;
	u32 mpidr;
	u32 hdcr;
	u32 hcptr;
	u32 cnthctl;
	u64 vttbr;		/* no table, and the VMID that the host runs with */
};

/*
 * What the host needs back: saved at entry, restored at exit. hyp/switch.c moves those from ttbr0
 * to tpidruro at once.
 */
struct hyp_host_saved {
	u64 ttbr0;
	u32 sp_svc;
	u32 dacr;
	u32 contextidr;
	u32 tpidrurw;
	u32 tpidruro;
	u32 fiq[8];		/* R8-R14_fiq, SPSR_fiq */
	u32 ttbcr;
	u32 teecr;
	u32 teehbr;
};

/* The host's debug registers, while a guest has them (hyp/debug.c). */
struct hyp_host_debug {
	u32 dscr;
	u32 oslsr;
	struct hyp_debug_regs regs;
};

/*
 * hyp_cpu.odd: what few CPUs are. Where a CPU is none of this, one look at the word says so.
 * HYP_ODD_FIQ: FIQ mode's registers are not ours (hyp/fiq.h). HYP_ODD_AMAIR: there may be AMAIR0
 * and AMAIR1. The host sets it before each take-over.
 */
#define HYP_ODD_FIQ		1
#define HYP_ODD_AMAIR		2

struct hyp_cpu {
	/* Known to assembly, hyp/offsets.h. */
	struct hyp_vcpu *vcpu;	/* in the guest now, NULL while the host runs */
	unsigned long stack_top;
	u32 serror;
	unsigned long release;	/* identity address of hyp_entry_release */
	unsigned long restart;	/* identity address of hyp_entry_restart */
	u32 stub_hvbar;		/* the kernel stub's HVBAR, given back at release */
	u32 stub_hsctlr;	/* likewise; TE is set where the kernel is in Thumb-2 */
	struct hyp_panic panic;

	struct hyp_host_const host;
	struct hyp_host_saved saved;
	struct hyp_vfp host_vfp;
	struct hyp_host_debug host_debug;
	u32 debug_ok;		/* this CPU's debug registers answer (debug_probe.c) */
	u32 debug_loaded;	/* HYP_DEBUG_*: what hyp_debug_unload() has to undo */
	u32 host_fpexc;		/* the host's, while EN is set for the guest's trap */
	u32 odd;		/* HYP_ODD_* */
	u32 vfp;		/* there is floating point */
	u32 vfp_d32;		/* 32 double registers, not 16 */
	u32 gich_hcr;		/* what GICH_HCR holds now */
	u32 gich_held;		/* bit n set: list register n holds something while the host runs */
	void __iomem *gich;
	void __iomem *gicd;	/* of the host, for GICD_SGIR and GICD_ISACTIVER; or NULL */
	unsigned long panic_entry;	/* kernel function that prints and panics */
};

/* What the CPU's list registers hold is this vCPU's to drop, too, whoever left it. */
static __always_inline bool hyp_vgic_enters(const struct hyp_cpu *cpu, const struct hyp_vgic *vgic)
{
	return vgic->used_lrs | cpu->gich_held;
}

static __always_inline bool hyp_vgic_leaves(const struct hyp_vgic *vgic)
{
	return vgic->used_lrs;
}

void hyp_vgic_restore(struct hyp_cpu *cpu, struct hyp_vgic *vgic);
void hyp_vgic_save(struct hyp_cpu *cpu, struct hyp_vgic *vgic);
void hyp_pmu_restore(struct hyp_pmu *pmu);
void hyp_pmu_save(struct hyp_pmu *pmu);
void hyp_debug_load(struct hyp_cpu *cpu, struct hyp_debug *debug);
void hyp_debug_unload(struct hyp_cpu *cpu, struct hyp_debug *debug);
void hyp_debug_drop(struct hyp_cpu *cpu);
u32 hyp_debug_moe(struct hyp_cpu *cpu);
void hyp_vfp_save(struct hyp_vfp *vfp, u32 d32);
void hyp_vfp_restore(struct hyp_vfp *vfp, u32 d32);
void hyp_vfp_trap(struct hyp_cpu *cpu);
u32 hyp_fastpath(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu);
u32 hyp_dist_trap(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 hsr);
u32 hyp_mmio_trap(struct hyp_vcpu *vcpu, u32 hsr, u32 page);
u32 hyp_irq(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu);
u32 hyp_fault_resolve(struct hyp_vcpu *vcpu, u32 hsr);
u32 hyp_tlbi_vmid(struct hyp_cpu *cpu, u32 vttbr_lo, u32 vttbr_hi);
u32 hyp_tlbi_vmid_local(struct hyp_cpu *cpu, u32 vttbr_lo, u32 vttbr_hi);
u32 hyp_tlbi_all(void);
u32 hyp_tlbi_hyp(void);
u32 hyp_snapshot(struct hyp_cpu *cpu);
u32 hyp_walks_off(void);
void hyp_host_rest(struct hyp_cpu *cpu);
void hyp_host_activate(struct hyp_cpu *cpu);
void hyp_panic(struct hyp_cpu *cpu);

/* Assembly, for C in HYP (hyp/vectors.S). */
u64 hyp_translate(u32 va);
void hyp_serror_take(void);

/* Assembly: not to be called from C in HYP but by the vectors. */
extern char hyp_vectors[], hyp_vectors_bpiall[], hyp_vectors_iciallu[], hyp_vectors_loop8[];
extern char hyp_text_start[], hyp_text_end[];
extern char hyp_entry_start[], hyp_entry_takeover[], hyp_entry_release[],
	    hyp_entry_restart[], hyp_entry_end[];

#endif

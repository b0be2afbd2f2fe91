/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host and the code in HYP mode share: the structures both map at
 * the same address, and the calls that the host makes into HYP.
 */
#ifndef ARMVMM_HYP_H
#define ARMVMM_HYP_H

/* First argument of hvc. 0-2 belong to the kernel's stub ABI. */
#define HYP_CALL_SOFT_RESTART	1
#define HYP_CALL_BASE		0x41560000
#define HYP_CALL_RUN		(HYP_CALL_BASE + 0)
#define HYP_CALL_TLBI_VMID	(HYP_CALL_BASE + 1)
#define HYP_CALL_TLBI_VMID_LOCAL (HYP_CALL_BASE + 2)
#define HYP_CALL_TLBI_ALL	(HYP_CALL_BASE + 3)
#define HYP_CALL_TLBI_HYP	(HYP_CALL_BASE + 4)
#define HYP_CALL_SNAPSHOT	(HYP_CALL_BASE + 5)
#define HYP_CALL_RELEASE	(HYP_CALL_BASE + 6)
#define HYP_CALL_NR		7

/* What a stub answers to a call that it does not know. */
#define HYP_STUB_ERROR		0x0badca11

/* Why a vCPU came back from HYP mode. */
#define HYP_EXIT_TRAP		0	/* struct hyp_vcpu.hsr says why */
#define HYP_EXIT_IRQ		1	/* a physical IRQ or FIQ is pending */
#define HYP_EXIT_SERROR		2	/* an asynchronous abort was taken */

#define HYP_RESUME		(-1)	/* it does not: the guest goes on (hyp_fastpath) */

#define HYP_MAX_LRS		64	/* IHI 0048B 5.3.2: GICH_VTR.ListRegs */
#define HYP_MAX_VCPUS		8	/* IHI 0048B: CPU targets are a byte */
#define HYP_MAX_COUNTERS	32	/* DDI 0406C C12.6: 31 and the cycle counter */

/*
 * Indices into struct hyp_vcpu.cp15. 64-bit registers take two words. From CSSELR on the order is
 * that of the world switch, which moves them by eights (hyp/switch.c).
 */
#define CP15_MPIDR		0	/* as the guest sees it: VMPIDR */
#define CP15_TTBCR		1
#define CP15_CSSELR		2
#define CP15_SCTLR		3
#define CP15_CPACR		4
#define CP15_DACR		5
#define CP15_TTBR0		6
#define CP15_TTBR0_HI		7
#define CP15_TTBR1		8
#define CP15_TTBR1_HI		9
#define CP15_DFSR		10
#define CP15_IFSR		11
#define CP15_ADFSR		12
#define CP15_AIFSR		13
#define CP15_DFAR		14
#define CP15_IFAR		15
#define CP15_PAR		16
#define CP15_PAR_HI		17
#define CP15_PRRR		18	/* MAIR0 */
#define CP15_NMRR		19	/* MAIR1 */
#define CP15_VBAR		20
#define CP15_CONTEXTIDR		21
#define CP15_TPIDRURW		22
#define CP15_TPIDRURO		23
#define CP15_TPIDRPRW		24
#define CP15_CNTKCTL		25
#define CP15_AMAIR0		26	/* struct hyp_cpu.odd */
#define CP15_AMAIR1		27
#define CP15_ACTLR		28	/* trapped: never in the hardware */
#define CP15_L2CTLR		29	/* trapped */
#define CP15_NR			30

#ifndef __ASSEMBLY__

#include <linux/types.h>
#include <linux/armvmm.h>

struct hyp_cpu;

struct hyp_vfp {
	u64 d[32];
	u32 fpscr;
	u32 fpexc;
	u32 fpinst;
	u32 fpinst2;
};

/* The vCPU's view of the GIC's hypervisor registers (IHI 0048B 5.3). */
struct hyp_vgic {
	u32 hcr;		/* GICH_HCR to be loaded with the list registers */
	u32 vmcr;
	u32 apr;
	u32 elrsr[2];		/* at exit: bit n set, list register n is empty */
	u32 used_lrs;		/* list registers 0 to used_lrs - 1 are in use, */
	u32 own;		/* and the last of these by what HYP mode put there */
	u32 full;		/* interrupts wait for list registers: there is none for those */
	u32 held;		/* bit n set: the CPU's list register n holds lr[n] already */
	u32 loaded;		/* VMCR and APR are in the hardware of this CPU */
	u32 stays;		/* what is pending or active at an exit stays in the hardware */
	u32 lr[HYP_MAX_LRS];
};

struct hyp_dist;
struct hyp_mirrors;
struct hyp_zones;
struct armvmm_vgic_irq;
struct armvmm_vcpu;

/* hyp_dist_vcpu.page: the address as HPFAR has it, with ON; or OFF, as where all is zero. */
#define HYP_DIST_ON		1
#define HYP_DIST_OFF		0
#define HYP_LISTEN_KICKED	0x100

/* The vCPU's part of the distributor (hyp/gicirq.h, docs/distributor.md). */
struct hyp_dist_vcpu {
	u32 page;		/* what is answered, HYP_DIST_OFF: nothing; vm->slots_lock */
	/* Constant from the VM's first KVM_RUN on. */
	u32 index;
	u32 peers;		/* other vCPUs may post SGIs */
	struct hyp_dist *vm;
	struct armvmm_vgic_irq *irqs;	/* SGIs and PPIs */
	const struct armvmm_vcpu *self;	/* HYP mode does not look behind it */

	/* Its own thread's, or HYP mode's. */
	u32 enabled;		/* GICD_ISENABLER of SGIs and PPIs */
	u32 notify;		/* receivers of SGIs that only the host can reach */

	/* Other vCPUs change these, atomically. */
	u32 posted;		/* bit n: SGI n was sent, */
	u32 sources[4];		/* a byte for each SGI: by whom */
	/* In the guest: bits of the CPU's interface in GICD_SGIR, or HYP_LISTEN_KICKED. Else 0. */
	u32 listen;
};

/* The CPU's counters that count in the guest, and PMUSERENR. */
struct hyp_pmu {
	u32 userenr;
	u32 host_userenr;	/* saved at entry */
	u32 nr;
	struct {
		u32 select;	/* as PMSELR names it */
		u32 guest_type;	/* PMXEVTYPER while the guest runs */
		u32 host_type;	/* and in the host: counts nowhere */
	} counter[HYP_MAX_COUNTERS];
};

/* Traps that HYP mode handled with no world switch (stat.c). */
struct hyp_stat {
	u64 hyp_hvc;
	u64 hyp_cp15;
	u64 hyp_fp;		/* first use of floating point after an entry */
	u64 hyp_gicd;		/* accesses to the distributor */
	u64 hyp_sgi_kick;	/* SGIs that made running vCPUs leave the guest */
	u64 hyp_timer;		/* interrupts of the virtual timer */
	u64 hyp_mmio_read;	/* reads of mirrors */
	u64 hyp_mmio_write;	/* writes that were posted */
};

/* What happens to the debug registers at the world switch (hyp/debug.c). */
#define HYP_DEBUG_OFF		0	/* they stay: nobody is known to use them */
#define HYP_DEBUG_HIDE		1	/* the host's are in use: off in the guest */
#define HYP_DEBUG_LOAD		2	/* the registers below are loaded */

#define HYP_MAX_DBG		16	/* DDI 0406C C11.11: of each kind */

struct hyp_debug_regs {
	u32 vcr;
	u32 bvr[HYP_MAX_DBG];
	u32 bcr[HYP_MAX_DBG];
	u32 wvr[HYP_MAX_DBG];
	u32 wcr[HYP_MAX_DBG];
};

struct hyp_debug {
	u32 mode;		/* HYP_DEBUG_* */
	u32 nr_brp;		/* what the CPU has; zero: not to be touched */
	u32 nr_wrp;
	u32 moe;		/* DBGDSCRint at the last debug exception: why */
	struct hyp_debug_regs regs;
};

/*
 * What else changes hands for few vCPUs: one look tells that nothing does. Each byte has a writer
 * of its own.
 */
union hyp_rare {
	u32 any;
	struct {
		u8 thumbee;	/* the guest has used TEECR and TEEHBR */
		u8 pmu;		/* counters, or PMUSERENR */
		u8 vpidr;	/* the guest's MIDR is not this CPU's */
	};
};

/*
 * All of a vCPU that HYP mode reads or writes. Allocated by
 * armvmm_hypmap_alloc(): whole pages, mapped in HYP at the kernel's address.
 * The host touches it with the vCPU's mutex held and the vCPU not in HYP.
 */
struct hyp_vcpu {
	struct kvm_regs regs;
	u32 cp15[CP15_NR];
	struct hyp_vfp vfp;
	union hyp_rare rare;
	u32 teecr;
	u32 teehbr;

	/* What the last exit left (DDI 0406C B3.13.6). */
	u32 hsr;
	u32 hxfar;		/* HDFAR or HIFAR, by exception class */
	u32 hpfar;		/* valid where fault_ipa_valid */
	u32 fault_ipa_valid;
	u32 serror;		/* an asynchronous abort came with this exit */

	/* What the next entry loads. */
	u32 hcr;		/* base HCR plus VI, VF, VA, TVM as wanted */
	u32 hstr;
	u32 hdcr;
	u32 vpidr;
	u64 vttbr;
	u64 cntvoff;

	/* The virtual timer: CTL without ISTATUS at entry, as read at exit. */
	u64 cntv_cval;
	u32 cntv_ctl;
	u32 cntv_held;		/* HYP mode has made the host's PPI active */
	u32 cntv_taken;		/* HYP mode showed one again: the guest took it, since the entry */
	/*
	 * The interrupt that it raises, where HYP mode may show it (hyp/timer.c), or NULL; constant
	 * from the vCPU's first entry on.
	 */
	struct armvmm_vgic_irq *cntv_irq;

	u32 psci_version;	/* as the guest is told; 0: not by HYP */
	u32 vfp_loaded;		/* the guest's FP registers are in the CPU */
	struct hyp_vgic vgic;
	struct hyp_dist_vcpu dist;
	/* The VM's, or NULL: constant, what they point to is not (hyp/mmio.h). */
	const struct hyp_mirrors *mirrors;
	struct hyp_zones *zones;
	struct hyp_pmu pmu;
	struct hyp_stat stat;
	struct hyp_cpu *cpu;	/* set at entry: the CPU that it runs on */
	struct hyp_debug debug;
};

/* Index of a core register, in words. */
#define HYP_REG(vcpu, name)	((vcpu)->regs.usr_regs.uregs[(name)])

/*
 * Calls HYP mode: hvc with r0-r2. Must not migrate; RUN with IRQs disabled.
 * Returns r0; HYP_STUB_ERROR for a call that HYP does not know.
 */
u32 armvmm_hyp_call(u32 fn, u32 a, u32 b);

#endif /* __ASSEMBLY__ */
#endif

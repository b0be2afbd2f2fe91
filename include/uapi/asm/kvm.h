/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The half of the KVM ABI for 32-bit Arm that left Linux in 5.7: structures
 * and numbers that <linux/kvm.h> expects an architecture to give.
 *
 * All structures are naturally aligned and little-endian. The numbers are
 * those of KVM/arm in Linux 5.4; docs/abi.md tells what stands behind them.
 */
#ifndef _UAPI_ASM_ARM_KVM_H
#define _UAPI_ASM_ARM_KVM_H

#include <linux/types.h>
#include <asm/ptrace.h>

#define __KVM_HAVE_GUEST_DEBUG
#define __KVM_HAVE_IRQ_LINE
#define __KVM_HAVE_READONLY_MEM
#define __KVM_HAVE_VCPU_EVENTS

/* Page of the vCPU mapping that holds the coalesced MMIO ring. */
#define KVM_COALESCED_MMIO_PAGE_OFFSET	1

#define KVM_REG_SIZE(id)						\
	(1U << (((id) & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT))

/* Indices into the banked register arrays of struct kvm_regs. */
#define KVM_ARM_SVC_sp		svc_regs[0]
#define KVM_ARM_SVC_lr		svc_regs[1]
#define KVM_ARM_SVC_spsr	svc_regs[2]
#define KVM_ARM_ABT_sp		abt_regs[0]
#define KVM_ARM_ABT_lr		abt_regs[1]
#define KVM_ARM_ABT_spsr	abt_regs[2]
#define KVM_ARM_UND_sp		und_regs[0]
#define KVM_ARM_UND_lr		und_regs[1]
#define KVM_ARM_UND_spsr	und_regs[2]
#define KVM_ARM_IRQ_sp		irq_regs[0]
#define KVM_ARM_IRQ_lr		irq_regs[1]
#define KVM_ARM_IRQ_spsr	irq_regs[2]
#define KVM_ARM_FIQ_r8		fiq_regs[0]
#define KVM_ARM_FIQ_r9		fiq_regs[1]
#define KVM_ARM_FIQ_r10		fiq_regs[2]
#define KVM_ARM_FIQ_fp		fiq_regs[3]
#define KVM_ARM_FIQ_ip		fiq_regs[4]
#define KVM_ARM_FIQ_sp		fiq_regs[5]
#define KVM_ARM_FIQ_lr		fiq_regs[6]
#define KVM_ARM_FIQ_spsr	fiq_regs[7]

/*
 * The core registers of a vCPU. Each word is a ONE_REG of group
 * KVM_REG_ARM_CORE whose index is its offset here divided by four.
 */
struct kvm_regs {
	struct pt_regs usr_regs;	/* R0_usr - R14_usr, PC, CPSR */
	unsigned long svc_regs[3];	/* SP_svc, LR_svc, SPSR_svc */
	unsigned long abt_regs[3];	/* SP_abt, LR_abt, SPSR_abt */
	unsigned long und_regs[3];	/* SP_und, LR_und, SPSR_und */
	unsigned long irq_regs[3];	/* SP_irq, LR_irq, SPSR_irq */
	unsigned long fiq_regs[8];	/* R8_fiq - R14_fiq, SPSR_fiq */
};

/* vCPU targets (struct kvm_vcpu_init.target) */
#define KVM_ARM_TARGET_CORTEX_A15	0
#define KVM_ARM_TARGET_CORTEX_A7	1
#define KVM_ARM_NUM_TARGETS		2

/* KVM_ARM_SET_DEVICE_ADDR ids: type in bits 0-15, device in bits 16-31 */
#define KVM_ARM_DEVICE_TYPE_SHIFT	0
#define KVM_ARM_DEVICE_TYPE_MASK	(0xffff << KVM_ARM_DEVICE_TYPE_SHIFT)
#define KVM_ARM_DEVICE_ID_SHIFT		16
#define KVM_ARM_DEVICE_ID_MASK		(0xffff << KVM_ARM_DEVICE_ID_SHIFT)

#define KVM_ARM_DEVICE_VGIC_V2		0

#define KVM_VGIC_V2_ADDR_TYPE_DIST	0
#define KVM_VGIC_V2_ADDR_TYPE_CPU	1

#define KVM_VGIC_V2_DIST_SIZE		0x1000
#define KVM_VGIC_V2_CPU_SIZE		0x2000

/* vCPU features, bit numbers in struct kvm_vcpu_init.features[0] */
#define KVM_ARM_VCPU_POWER_OFF		0
#define KVM_ARM_VCPU_PSCI_0_2		1
#define KVM_ARM_VCPU_PMU_V3		3	/* as on arm64; KVM_CAP_ARM_PMU_V3 */

struct kvm_vcpu_init {
	__u32 target;
	__u32 features[7];
};

struct kvm_sregs {
};

struct kvm_fpu {
};

/*
 * KVM_SET_GUEST_DEBUG, control: beside KVM_GUESTDBG_ENABLE and _SINGLESTEP. The
 * values are arm64's, and x86's for INJECT_BP and BLOCKIRQ.
 */
#define KVM_GUESTDBG_USE_SW_BP		0x00010000	/* BKPT of the guest is an exit */
#define KVM_GUESTDBG_USE_HW		0x00020000	/* the registers below are used */
#define KVM_GUESTDBG_INJECT_BP		0x00080000	/* once: the guest takes its own BKPT */
#define KVM_GUESTDBG_BLOCKIRQ		0x00100000	/* with SINGLESTEP: no interrupt is taken */

/*
 * Breakpoint and watchpoint registers as in DDI 0406C C11.11; the first
 * KVM_CAP_GUEST_DEBUG_HW_BPS and _WPS of them count. KVM/arm had nothing here,
 * which the size in KVM_SET_GUEST_DEBUG's number shows: both sizes are taken.
 */
#define KVM_ARM_MAX_DBG_REGS		16
struct kvm_guest_debug_arch {
	__u32 dbg_bcr[KVM_ARM_MAX_DBG_REGS];
	__u32 dbg_bvr[KVM_ARM_MAX_DBG_REGS];
	__u32 dbg_wcr[KVM_ARM_MAX_DBG_REGS];
	__u32 dbg_wvr[KVM_ARM_MAX_DBG_REGS];
};

/*
 * What KVM_EXIT_DEBUG tells. hsr holds KVM_ARM_DEBUG_EC_* in bits 31 to 26, by
 * arm64's numbers, for ARMv7 has one class for all but watchpoints; far is the
 * address that a watchpoint saw. The instruction at pc was not executed.
 */
#define KVM_ARM_DEBUG_EC(hsr)		((hsr) >> 26)
#define KVM_ARM_DEBUG_EC_BREAKPOINT	0x30
#define KVM_ARM_DEBUG_EC_STEP		0x32
#define KVM_ARM_DEBUG_EC_WATCHPOINT	0x34
#define KVM_ARM_DEBUG_EC_BKPT		0x38
struct kvm_debug_exit_arch {
	__u32 hsr;
	__u32 pc;
	__u64 far;
};

/* Lines of in-kernel devices, for a user-space interrupt controller. */
struct kvm_sync_regs {
	__u64 device_irq_level;
};

struct kvm_arch_memory_slot {
};

struct kvm_vcpu_events {
	struct {
		__u8 serror_pending;
		__u8 serror_has_esr;
		__u8 ext_dabt_pending;
		__u8 pad[5];
		__u64 serror_esr;
	} exception;
	__u32 reserved[12];
};

/* Bits of kvm_sync_regs.device_irq_level */
#define KVM_ARM_DEV_EL1_VTIMER		(1 << 0)
#define KVM_ARM_DEV_EL1_PTIMER		(1 << 1)
#define KVM_ARM_DEV_PMU			(1 << 2)

/* ONE_REG ids: KVM_REG_ARM | size | group in bits 16-27 | index in bits 0-15 */
#define KVM_REG_ARM_COPROC_MASK		0x000000000fff0000
#define KVM_REG_ARM_COPROC_SHIFT	16

#define KVM_REG_ARM_32_OPC2_MASK	0x0000000000000007
#define KVM_REG_ARM_32_OPC2_SHIFT	0
#define KVM_REG_ARM_OPC1_MASK		0x0000000000000078
#define KVM_REG_ARM_OPC1_SHIFT		3
#define KVM_REG_ARM_CRM_MASK		0x0000000000000780
#define KVM_REG_ARM_CRM_SHIFT		7
#define KVM_REG_ARM_32_CRN_MASK		0x0000000000007800
#define KVM_REG_ARM_32_CRN_SHIFT	11

/* The secure bank of a banked cp15 register; a guest is never secure. */
#define KVM_REG_ARM_SECURE_MASK		0x0000000010000000
#define KVM_REG_ARM_SECURE_SHIFT	28

#define ARM_CP15_REG_SHIFT_MASK(x, n)					\
	(((x) << KVM_REG_ARM_##n##_SHIFT) & KVM_REG_ARM_##n##_MASK)

#define __ARM_CP15_REG(op1, crn, crm, op2)				\
	(KVM_REG_ARM | (15 << KVM_REG_ARM_COPROC_SHIFT) |		\
	 ARM_CP15_REG_SHIFT_MASK(op1, OPC1) |				\
	 ARM_CP15_REG_SHIFT_MASK(crn, 32_CRN) |				\
	 ARM_CP15_REG_SHIFT_MASK(crm, CRM) |				\
	 ARM_CP15_REG_SHIFT_MASK(op2, 32_OPC2))

#define ARM_CP15_REG32(...)	(__ARM_CP15_REG(__VA_ARGS__) | KVM_REG_SIZE_U32)

#define __ARM_CP15_REG64(op1, crm)	__ARM_CP15_REG(op1, 0, crm, 0)
#define ARM_CP15_REG64(...)	(__ARM_CP15_REG64(__VA_ARGS__) | KVM_REG_SIZE_U64)

/* The guest's debug registers: named as those of cp15 */
#define ARM_CP14_REG32(op1, crn, crm, op2)				\
	(KVM_REG_ARM | KVM_REG_SIZE_U32 | (14 << KVM_REG_ARM_COPROC_SHIFT) | \
	 ARM_CP15_REG_SHIFT_MASK(op1, OPC1) |				\
	 ARM_CP15_REG_SHIFT_MASK(crn, 32_CRN) |				\
	 ARM_CP15_REG_SHIFT_MASK(crm, CRM) |				\
	 ARM_CP15_REG_SHIFT_MASK(op2, 32_OPC2))

/* The architected timers. */
#define KVM_REG_ARM_PTIMER_CTL		ARM_CP15_REG32(0, 14, 2, 1)
#define KVM_REG_ARM_PTIMER_CNT		ARM_CP15_REG64(0, 14)
#define KVM_REG_ARM_PTIMER_CVAL		ARM_CP15_REG64(2, 14)
#define KVM_REG_ARM_TIMER_CTL		ARM_CP15_REG32(0, 14, 3, 1)
#define KVM_REG_ARM_TIMER_CNT		ARM_CP15_REG64(1, 14)
#define KVM_REG_ARM_TIMER_CVAL		ARM_CP15_REG64(3, 14)

/*
 * The PMU: ARMv7's own ids for what has one; event counters and their types, n = 0
 * to 30, and the cycle counter's filter by the names of ARMv8's AArch32.
 */
#define KVM_REG_ARM_PMEVCNTR(n)		ARM_CP15_REG32(0, 14, 8 + (n) / 8, (n) % 8)
#define KVM_REG_ARM_PMEVTYPER(n)	ARM_CP15_REG32(0, 14, 12 + (n) / 8, (n) % 8)
#define KVM_REG_ARM_PMCCFILTR		ARM_CP15_REG32(0, 14, 15, 7)

/* Core registers */
#define KVM_REG_ARM_CORE		(0x0010 << KVM_REG_ARM_COPROC_SHIFT)
#define KVM_REG_ARM_CORE_REG(name)	(offsetof(struct kvm_regs, name) / 4)

/* Registers banked by another: CCSIDR by the value of CSSELR */
#define KVM_REG_ARM_DEMUX		(0x0011 << KVM_REG_ARM_COPROC_SHIFT)
#define KVM_REG_ARM_DEMUX_ID_MASK	0x000000000000ff00
#define KVM_REG_ARM_DEMUX_ID_SHIFT	8
#define KVM_REG_ARM_DEMUX_ID_CCSIDR	(0x00 << KVM_REG_ARM_DEMUX_ID_SHIFT)
#define KVM_REG_ARM_DEMUX_VAL_MASK	0x00000000000000ff
#define KVM_REG_ARM_DEMUX_VAL_SHIFT	0

/* Floating point: d0-d31 by index (U64), then the control registers (U32) */
#define KVM_REG_ARM_VFP			(0x0012 << KVM_REG_ARM_COPROC_SHIFT)
#define KVM_REG_ARM_VFP_MASK		0x000000000000ffff
#define KVM_REG_ARM_VFP_BASE_REG	0x0
#define KVM_REG_ARM_VFP_FPSID		0x1000
#define KVM_REG_ARM_VFP_FPSCR		0x1001
#define KVM_REG_ARM_VFP_MVFR1		0x1006
#define KVM_REG_ARM_VFP_MVFR0		0x1007
#define KVM_REG_ARM_VFP_FPEXC		0x1008
#define KVM_REG_ARM_VFP_FPINST		0x1009
#define KVM_REG_ARM_VFP_FPINST2		0x100A

/* Firmware pseudo-registers (U64) */
#define KVM_REG_ARM_FW			(0x0014 << KVM_REG_ARM_COPROC_SHIFT)
#define KVM_REG_ARM_FW_REG(r)		(KVM_REG_ARM | KVM_REG_SIZE_U64 | \
					 KVM_REG_ARM_FW | ((r) & 0xffff))
#define KVM_REG_ARM_PSCI_VERSION	KVM_REG_ARM_FW_REG(0)
#define KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1	KVM_REG_ARM_FW_REG(1)
#define KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_AVAIL		0
#define KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_AVAIL		1
#define KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_REQUIRED	2
#define KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2	KVM_REG_ARM_FW_REG(2)
#define KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_AVAIL		0
#define KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_UNKNOWN		1
#define KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_AVAIL		2
#define KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_REQUIRED	3
#define KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_ENABLED		(1U << 4)

/* KVM_DEV_TYPE_ARM_VGIC_V2: attribute groups */
#define KVM_DEV_ARM_VGIC_GRP_ADDR		0
#define KVM_DEV_ARM_VGIC_GRP_DIST_REGS		1
#define KVM_DEV_ARM_VGIC_GRP_CPU_REGS		2
#define   KVM_DEV_ARM_VGIC_CPUID_SHIFT		32
#define   KVM_DEV_ARM_VGIC_CPUID_MASK		(0xffULL << KVM_DEV_ARM_VGIC_CPUID_SHIFT)
#define   KVM_DEV_ARM_VGIC_OFFSET_SHIFT		0
#define   KVM_DEV_ARM_VGIC_OFFSET_MASK		(0xffffffffULL << KVM_DEV_ARM_VGIC_OFFSET_SHIFT)
#define KVM_DEV_ARM_VGIC_GRP_NR_IRQS		3
#define KVM_DEV_ARM_VGIC_GRP_CTRL		4
#define   KVM_DEV_ARM_VGIC_CTRL_INIT		0

/* vCPU device attributes: the PMU, as on arm64 */
#define KVM_ARM_VCPU_PMU_V3_CTRL		0
#define   KVM_ARM_VCPU_PMU_V3_IRQ		0
#define   KVM_ARM_VCPU_PMU_V3_INIT		1

/* vCPU device attributes: the timers' PPIs */
#define KVM_ARM_VCPU_TIMER_CTRL			1
#define   KVM_ARM_VCPU_TIMER_IRQ_VTIMER		0
#define   KVM_ARM_VCPU_TIMER_IRQ_PTIMER		1

/* KVM_IRQ_LINE irq field */
#define KVM_ARM_IRQ_VCPU2_SHIFT		28
#define KVM_ARM_IRQ_VCPU2_MASK		0xf
#define KVM_ARM_IRQ_TYPE_SHIFT		24
#define KVM_ARM_IRQ_TYPE_MASK		0xf
#define KVM_ARM_IRQ_VCPU_SHIFT		16
#define KVM_ARM_IRQ_VCPU_MASK		0xff
#define KVM_ARM_IRQ_NUM_SHIFT		0
#define KVM_ARM_IRQ_NUM_MASK		0xffff

#define KVM_ARM_IRQ_TYPE_CPU		0
#define KVM_ARM_IRQ_TYPE_SPI		1
#define KVM_ARM_IRQ_TYPE_PPI		2

#define KVM_ARM_IRQ_CPU_IRQ		0
#define KVM_ARM_IRQ_CPU_FIQ		1

/* Highest SPI number that KVM_IRQ_LINE of old clients can name. */
#define KVM_ARM_IRQ_GIC_MAX		127

/* One IRQ chip, whose pins are the SPIs */
#define KVM_NR_IRQCHIPS			1

/* PSCI 0.1: function ids for vCPUs without the PSCI_0_2 feature */
#define KVM_PSCI_FN_BASE		0x95c1ba5e
#define KVM_PSCI_FN(n)			(KVM_PSCI_FN_BASE + (n))
#define KVM_PSCI_FN_CPU_SUSPEND		KVM_PSCI_FN(0)
#define KVM_PSCI_FN_CPU_OFF		KVM_PSCI_FN(1)
#define KVM_PSCI_FN_CPU_ON		KVM_PSCI_FN(2)
#define KVM_PSCI_FN_MIGRATE		KVM_PSCI_FN(3)

/* PSCI return values (PSCI 5.2.2) */
#define KVM_PSCI_RET_SUCCESS		0
#define KVM_PSCI_RET_NI			(-1)
#define KVM_PSCI_RET_INVAL		(-2)
#define KVM_PSCI_RET_DENIED		(-3)

#endif /* _UAPI_ASM_ARM_KVM_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Offsets for assembly; hyp/switch.c asserts each against the structure. */
#ifndef ARMVMM_HYP_OFFSETS_H
#define ARMVMM_HYP_OFFSETS_H

/* struct hyp_vcpu, from regs.usr_regs */
#define VCPU_R0		0
#define VCPU_R4		16
#define VCPU_SP		52
#define VCPU_LR		56
#define VCPU_PC		60
#define VCPU_CPSR	64

/* struct hyp_cpu */
#define CPU_VCPU	0
#define CPU_STACK_TOP	4
#define CPU_SERROR	8
#define CPU_RELEASE	12
#define CPU_RESTART	16
#define CPU_STUB_HVBAR	20
#define CPU_STUB_HSCTLR	24
#define CPU_PANIC_R0	28
#define CPU_PANIC_VECTOR (CPU_PANIC_R0 + 60)

/* hyp_entry_takeover: in place of VTTBR's upper word: the CPU's own VMID stays. */
#define HYP_VMID_KEEP	-1

/* Fields of HMAIR0, by which the descriptors of HYP's tables name their memory */
#define HYP_MAIR_SO	0
#define HYP_MAIR_DEVICE	1
#define HYP_MAIR_NC	2
#define HYP_MAIR_NORMAL	3

/* Geometry of a CPU's HYP memory: four pages, of which HYP sees two. */
#define HYP_CPU_ORDER		2
#define HYP_CPU_STACK_PAGE	1
#define HYP_CPU_STRUCT_PAGE	3

#endif

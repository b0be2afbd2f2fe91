/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, events/armvmm/ in tracefs. Traps that HYP mode handles by itself are not traced, but
 * counted (hyp_*). No event holds a string or a kernel pointer, so that the header works in every
 * kernel.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM armvmm

#if !defined(ARMVMM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ARMVMM_TRACE_H

#include <linux/tracepoint.h>

#include "arch/archregs.h"
#include "hyp/hyp.h"

/* armvmm_mmio's type: the client is asked to read, a read is done, a write. */
#define TRACE_MMIO_READ_USER	0
#define TRACE_MMIO_READ		1
#define TRACE_MMIO_WRITE	2

#define TRACE_EXIT_CODES							\
	{ HYP_EXIT_TRAP, "trap" },						\
	{ HYP_EXIT_IRQ, "irq" },						\
	{ HYP_EXIT_SERROR, "serror" }

/* Exception classes, DDI 0406C table B3-35 */
#define TRACE_EXIT_CLASSES							\
	{ 0x00, "unknown" },							\
	{ 0x01, "wfx" },							\
	{ 0x03, "cp15-32" },							\
	{ 0x04, "cp15-64" },							\
	{ 0x05, "cp14-32" },							\
	{ 0x06, "cp14-ldst" },							\
	{ 0x07, "fp" },								\
	{ 0x08, "cp10-id" },							\
	{ 0x09, "jazelle" },							\
	{ 0x0a, "bxj" },							\
	{ 0x0c, "cp14-64" },							\
	{ 0x11, "svc" },							\
	{ 0x12, "hvc" },							\
	{ 0x13, "smc" },							\
	{ 0x20, "iabt" },							\
	{ 0x24, "dabt" }

TRACE_EVENT(armvmm_entry,
	TP_PROTO(unsigned int vcpu_id, const struct hyp_vcpu *hyp),
	TP_ARGS(vcpu_id, hyp),

	TP_STRUCT__entry(
		__field(u32, vcpu_id)
		__field(u32, pc)
		__field(u32, cpsr)
	),

	TP_fast_assign(
		__entry->vcpu_id = vcpu_id;
		__entry->pc = hyp->regs.usr_regs.ARM_pc;
		__entry->cpsr = hyp->regs.usr_regs.ARM_cpsr;
	),

	TP_printk("vcpu %u, PC 0x%08x, CPSR 0x%08x", __entry->vcpu_id, __entry->pc,
		  __entry->cpsr)
);

/* hxfar and ipa are of this exit where the class is iabt or dabt; else they are zero. */
TRACE_EVENT(armvmm_exit,
	TP_PROTO(unsigned int vcpu_id, int code, const struct hyp_vcpu *hyp),
	TP_ARGS(vcpu_id, code, hyp),

	TP_STRUCT__entry(
		__field(u32, vcpu_id)
		__field(u32, code)
		__field(u32, ec)
		__field(u32, hsr)
		__field(u32, pc)
		__field(u32, hxfar)
		__field(u64, ipa)
	),

	TP_fast_assign(
		bool abort = code == HYP_EXIT_TRAP && ((hyp->hsr >> 26) & ~4u) == 0x20;

		__entry->vcpu_id = vcpu_id;
		__entry->code = code;
		__entry->hsr = code == HYP_EXIT_TRAP ? hyp->hsr : 0;
		__entry->ec = HSR_EC(__entry->hsr);
		__entry->pc = hyp->regs.usr_regs.ARM_pc;
		__entry->hxfar = abort ? hyp->hxfar : 0;
		__entry->ipa = abort && hyp->fault_ipa_valid ?
			(u64)(hyp->hpfar & HPFAR_FIPA) << HPFAR_FIPA_SHIFT |
			(hyp->hxfar & 0xfff) : 0;
	),

	TP_printk("vcpu %u, %s %s, HSR 0x%08x, PC 0x%08x, address 0x%08x, IPA 0x%llx",
		  __entry->vcpu_id, __print_symbolic(__entry->code, TRACE_EXIT_CODES),
		  __entry->code == HYP_EXIT_TRAP ?
			__print_symbolic(__entry->ec, TRACE_EXIT_CLASSES) : "-",
		  __entry->hsr, __entry->pc, __entry->hxfar, __entry->ipa)
);

/* KVM_RUN returns: an exit reason, or @error, which is not zero. */
TRACE_EVENT(armvmm_user_exit,
	TP_PROTO(unsigned int vcpu_id, u32 reason, int error),
	TP_ARGS(vcpu_id, reason, error),

	TP_STRUCT__entry(
		__field(u32, vcpu_id)
		__field(u32, reason)
		__field(s32, error)
	),

	TP_fast_assign(
		__entry->vcpu_id = vcpu_id;
		__entry->reason = reason;
		__entry->error = error;
	),

	TP_printk("vcpu %u, exit reason %u, error %d", __entry->vcpu_id, __entry->reason,
		  __entry->error)
);

TRACE_EVENT(armvmm_mmio,
	TP_PROTO(unsigned int vcpu_id, unsigned int type, unsigned int len, u64 ipa, u64 data),
	TP_ARGS(vcpu_id, type, len, ipa, data),

	TP_STRUCT__entry(
		__field(u32, vcpu_id)
		__field(u32, type)
		__field(u32, len)
		__field(u64, ipa)
		__field(u64, data)
	),

	TP_fast_assign(
		__entry->vcpu_id = vcpu_id;
		__entry->type = type;
		__entry->len = len;
		__entry->ipa = ipa;
		__entry->data = data;
	),

	TP_printk("vcpu %u, %s len %u IPA 0x%llx val 0x%llx", __entry->vcpu_id,
		  __print_symbolic(__entry->type,
				   { TRACE_MMIO_READ_USER, "unsatisfied-read" },
				   { TRACE_MMIO_READ, "read" },
				   { TRACE_MMIO_WRITE, "write" }),
		  __entry->len, __entry->ipa, __entry->data)
);

/* A line that changes, or an SGI. @vcpu_id is -1 for an SPI. */
TRACE_EVENT(armvmm_irq_inject,
	TP_PROTO(int vcpu_id, unsigned int intid, bool level),
	TP_ARGS(vcpu_id, intid, level),

	TP_STRUCT__entry(
		__field(s32, vcpu_id)
		__field(u32, intid)
		__field(u8, level)
	),

	TP_fast_assign(
		__entry->vcpu_id = vcpu_id;
		__entry->intid = intid;
		__entry->level = level;
	),

	TP_printk("vcpu %d, INTID %u, level %u", __entry->vcpu_id, __entry->intid,
		  __entry->level)
);

TRACE_EVENT(armvmm_page_fault,
	TP_PROTO(unsigned int vcpu_id, u64 ipa, unsigned long hva, u32 pc, bool write, bool exec,
		 bool mapped),
	TP_ARGS(vcpu_id, ipa, hva, pc, write, exec, mapped),

	TP_STRUCT__entry(
		__field(u32, vcpu_id)
		__field(u32, pc)
		__field(u64, ipa)
		__field(u32, hva)
		__field(u8, write)
		__field(u8, exec)
		__field(u8, mapped)
	),

	TP_fast_assign(
		__entry->vcpu_id = vcpu_id;
		__entry->pc = pc;
		__entry->ipa = ipa;
		__entry->hva = (u32)hva;
		__entry->write = write;
		__entry->exec = exec;
		__entry->mapped = mapped;
	),

	TP_printk("vcpu %u, %s%s IPA 0x%llx, HVA 0x%08x, PC 0x%08x", __entry->vcpu_id,
		  __entry->exec ? "fetch" : __entry->write ? "write" : "read",
		  __entry->mapped ? ", no permission," : "", __entry->ipa, __entry->hva,
		  __entry->pc)
);

/* By hvc or smc; r0 holds the function (DEN 0028). */
TRACE_EVENT(armvmm_psci,
	TP_PROTO(unsigned int vcpu_id, u32 fn, u32 r1, u32 r2, u32 r3),
	TP_ARGS(vcpu_id, fn, r1, r2, r3),

	TP_STRUCT__entry(
		__field(u32, vcpu_id)
		__field(u32, fn)
		__field(u32, r1)
		__field(u32, r2)
		__field(u32, r3)
	),

	TP_fast_assign(
		__entry->vcpu_id = vcpu_id;
		__entry->fn = fn;
		__entry->r1 = r1;
		__entry->r2 = r2;
		__entry->r3 = r3;
	),

	TP_printk("vcpu %u, function 0x%08x (0x%x, 0x%x, 0x%x)", __entry->vcpu_id, __entry->fn,
		  __entry->r1, __entry->r2, __entry->r3)
);

#endif

/* Read once more, and found by -I driver. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH core
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

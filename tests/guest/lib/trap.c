// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions: expected ones are recorded and skipped, others end the guest. */
#include "lib.h"

struct trap trap[GUEST_MAX_CPUS];
static bool expecting[GUEST_MAX_CPUS];

bool (*trap_hook)(enum vec vec, struct frame *f);
irq_fn irq_handler;
bool irq_raw;
volatile u32 irq_seen[GUEST_MAX_CPUS];
volatile u32 irq_spurious;
volatile u32 fiq_seen;

/* Size of the instruction at pc (DDI 0406C A6.1). */
static u32 insn_size(u32 pc, u32 cpsr)
{
	u16 first;

	if (!(cpsr & CPSR_T))
		return 4;
	first = *(volatile u16 *)pc;
	return (first >> 11) >= 0x1d ? 4 : 2;
}

/*
 * ITSTATE moves on by one instruction (DDI 0406C A2.5.2). It is in CPSR[15:10] (bits 7-2) and
 * CPSR[26:25] (bits 1-0).
 */
static u32 it_advance(u32 cpsr)
{
	u32 it = (cpsr >> 8 & 0xfc) | (cpsr >> 25 & 3);

	if (!(it & 7))
		it = 0;
	else
		it = (it & 0xe0) | (it << 1 & 0x1f);
	cpsr &= ~CPSR_IT;
	return cpsr | (it & 0xfc) << 8 | (it & 3) << 25;
}

void trap_begin(void)
{
	u32 cpu = cpu_id();

	trap[cpu] = (struct trap){ 0 };
	expecting[cpu] = true;
	dsb();
}

u32 trap_end(void)
{
	u32 cpu = cpu_id();

	dsb();
	isb();
	expecting[cpu] = false;
	return *(volatile u32 *)&trap[cpu].count;
}

static void take_irq(u32 cpu)
{
	u32 iar;

	if (irq_raw) {
		irq_handler(0);
		return;
	}
	iar = r32(GICC_IAR);
	if ((iar & 0x3ff) == IRQ_SPURIOUS) {
		irq_spurious++;
		return;
	}
	if (irq_handler)
		irq_handler(iar);
	w32(GICC_EOIR, iar);
	irq_seen[cpu]++;
}

void exception(enum vec vec, struct frame *f);
void exception(enum vec vec, struct frame *f)
{
	u32 cpu = cpu_id();
	struct trap *t = &trap[cpu];

	if (vec == VEC_IRQ) {
		take_irq(cpu);
		return;
	}
	if (vec == VEC_FIQ) {
		fiq_seen++;
		f->cpsr |= 1u << 6;
		return;
	}
	if (vec == VEC_SVC) {
		/* This is how call_in_mode() returns. */
		f->cpsr = (f->cpsr & ~CPSR_MODE) | MODE_SVC;
		return;
	}
	if (vec == VEC_UND)
		f->pc -= f->cpsr & CPSR_T ? 2 : 4;
	if (!f || !expecting[cpu]) {
		static const char *const name[] = {
			"reserved", "undefined instruction", "SVC", "prefetch abort", "data abort",
		};

		if (!f)
			guest_bail("exception at a reserved vector on CPU %u", cpu);
		guest_bail("CPU %u: %s at pc %08x cpsr %08x lr %08x dfsr %x dfar %08x ifsr %x ifar %08x",
			   cpu, name[vec], f->pc, f->cpsr, f->lr_svc,
			   CP15_READ(0, c5, c0, 0), CP15_READ(0, c6, c0, 0),
			   CP15_READ(0, c5, c0, 1), CP15_READ(0, c6, c0, 2));
	}
	t->vec = vec;
	t->pc = f->pc;
	t->cpsr = f->cpsr;
	if (vec == VEC_DABT) {
		t->fsr = CP15_READ(0, c5, c0, 0);
		t->far = CP15_READ(0, c6, c0, 0);
	} else if (vec == VEC_PABT) {
		t->fsr = CP15_READ(0, c5, c0, 1);
		t->far = CP15_READ(0, c6, c0, 2);
	}
	t->count++;
	if (trap_hook && trap_hook(vec, f))
		return;
	if (vec == VEC_PABT) {
		f->cpsr = (f->cpsr & ~CPSR_T) | (f->lr_svc & 1 ? CPSR_T : 0);
		f->pc = f->lr_svc & ~1u;
	} else {
		f->pc += insn_size(f->pc, f->cpsr);
		f->cpsr = it_advance(f->cpsr);
	}
}

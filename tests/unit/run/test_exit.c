// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/run/exit.c driver/arch/exception.c driver/core/exception_entry.c
// cflags: -Itests/unit/fake -Iinclude/uapi -fno-strict-aliasing -Idriver
/*
 * Which handler answers an exit; and that an asynchronous abort which came while the guest ran goes
 * only to the guest (docs/hazards.md 10): it is taken first, no handler sees the trap that it came
 * with, and the trapped instruction still has to run after it. No emulator has such aborts.
 */
#include <linux/sched.h>

#include "run/abort.h"
#include "run/exit.h"
#include "run/halt.h"
#include "core/inject.h"
#include "ktap.h"
#include "vcpu_fake.h"

#include "arch/archregs.h"
#include "regs/cp15.h"
#include "arch/dbgregs.h"
#include "debug/debug.h"
#include "hyp/hyp.h"
#include "regs/psci.h"
#include "regs/thumbee.h"
#include "mem/stage2.h"
#include "vgic/vgic.h"
#include "core/state.h"

#define PC	(hyp.regs.usr_regs.ARM_pc)
#define HERE	0x40008000u

static unsigned int serrors, undefs, passed_on;
static const char *called;

/* --- handlers: each leaves its name --- */

#define HANDLER(name)								\
	int name(struct armvmm_vcpu *v)						\
	{									\
		KTAP_TRUE(v == &vcpu);						\
		called = #name;							\
		return 1;							\
	}
HANDLER(armvmm_abort_handle)
HANDLER(armvmm_debug_exit)
HANDLER(armvmm_thumbee_trap)
HANDLER(armvmm_psci_call)
HANDLER(armvmm_cp15_trap32)
HANDLER(armvmm_cp15_trap64)
HANDLER(armvmm_cp14_trap32)
HANDLER(armvmm_cp14_trap64)
HANDLER(armvmm_cp14_trap_ldst)
HANDLER(armvmm_cp10_trap)

void armvmm_halt(struct armvmm_vcpu *v)
{
	called = "wfi";
}

void yield(void)
{
	called = "wfe";
}

void armvmm_inject_undef(struct armvmm_vcpu *v)
{
	undefs++;
}

void armvmm_inject_serror(struct armvmm_vcpu *v)
{
	serrors++;
}

/* The guest's SGIs that the host has to bring. */
void vgic_sgi_pass_on(struct armvmm_vcpu *v)
{
	KTAP_EQ(v->hyp->dist.notify, 0xfe);
	v->hyp->dist.notify = 0;
	passed_on++;
}

/* --- exits --- */

static void start(unsigned int ec)
{
	memset(&hyp, 0, sizeof(hyp));
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vm = &vm;
	vcpu.hyp = &hyp;
	PC = HERE;
	hyp.regs.usr_regs.ARM_cpsr = CPSR_M_SVC;
	/* 32 bits long, always executed. */
	hyp.hsr = ec << 26 | HSR_IL | HSR_CV | 14u << 20;
	serrors = undefs = 0;
	called = "nobody";
}

static const struct {
	unsigned int ec;
	const char *handler;
} classes[] = {
	{ 0x03, "armvmm_cp15_trap32" },
	{ 0x04, "armvmm_cp15_trap64" },
	{ 0x05, "armvmm_cp14_trap32" },
	{ 0x06, "armvmm_cp14_trap_ldst" },
	{ 0x08, "armvmm_cp10_trap" },
	{ 0x0c, "armvmm_cp14_trap64" },
	{ 0x12, "armvmm_psci_call" },
	{ 0x13, "armvmm_psci_call" },
	{ 0x20, "armvmm_abort_handle" },
	{ 0x24, "armvmm_abort_handle" },
};

static void test_classes(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(classes); i++) {
		start(classes[i].ec);
		KTAP_EQ(armvmm_exit_handle(&vcpu, HYP_EXIT_TRAP), 1);
		KTAP_STREQ(called, classes[i].handler);
		KTAP_EQ(serrors, 0);
	}
	/* TEECR: MRC p14, 6. */
	start(0x05);
	hyp.hsr |= 6 << 14;
	KTAP_EQ(armvmm_exit_handle(&vcpu, HYP_EXIT_TRAP), 1);
	KTAP_STREQ(called, "armvmm_thumbee_trap");
	start(0x01);
	KTAP_EQ(armvmm_exit_handle(&vcpu, HYP_EXIT_TRAP), 1);
	KTAP_STREQ(called, "wfi");
	start(0x01);
	hyp.hsr |= 1;
	KTAP_EQ(armvmm_exit_handle(&vcpu, HYP_EXIT_TRAP), 1);
	KTAP_STREQ(called, "wfe");
}

/* An unknown class is an undefined instruction to the guest, in all cases. */
static void test_unknown(void)
{
	for (unsigned int ec = 0; ec < 64; ec++) {
		start(ec);
		armvmm_exit_handle(&vcpu, HYP_EXIT_TRAP);
		KTAP_TRUE(undefs == 1 || strcmp(called, "nobody"));
		KTAP_TRUE(!undefs || !strcmp(called, "nobody"));
	}
}

static void test_interrupt(void)
{
	/* HSR has an earlier trap's value. */
	start(0x12);
	KTAP_EQ(armvmm_exit_handle(&vcpu, HYP_EXIT_IRQ), 1);
	KTAP_STREQ(called, "nobody");
	KTAP_EQ(PC, HERE);
	KTAP_EQ(serrors, 0);
}

/* The guest goes on with its SGIs sent, whatever else ended its time. */
static void test_sends(void)
{
	static const struct {
		int code;
		u32 serror;
	} ends[] = { { HYP_EXIT_IRQ, 0 }, { HYP_EXIT_IRQ, 1 }, { HYP_EXIT_SERROR, 0 } };

	for (unsigned int i = 0; i < ARRAY_SIZE(ends); i++) {
		start(0x12);
		passed_on = 0;
		hyp.dist.notify = 0xfe;
		hyp.serror = ends[i].serror;
		KTAP_EQ(armvmm_exit_handle(&vcpu, ends[i].code), 1);
		KTAP_EQ(passed_on, 1);
		KTAP_EQ(armvmm_exit_handle(&vcpu, ends[i].code), 1);
		KTAP_EQ(passed_on, 1);
	}
}

static void test_serror(void)
{
	start(0x12);
	KTAP_EQ(armvmm_exit_handle(&vcpu, HYP_EXIT_SERROR), 1);
	KTAP_EQ(serrors, 1);
	KTAP_EQ(PC, HERE);
	KTAP_STREQ(called, "nobody");
}

/* With an interrupt: the guest's PC is where it was interrupted, whatever HSR was. */
static void test_serror_interrupt(void)
{
	start(0x12);
	hyp.serror = 1;
	KTAP_EQ(armvmm_exit_handle(&vcpu, HYP_EXIT_IRQ), 1);
	KTAP_EQ(serrors, 1);
	KTAP_EQ(hyp.serror, 0);
	KTAP_EQ(PC, HERE);
	/* It is taken once. */
	KTAP_EQ(armvmm_exit_handle(&vcpu, HYP_EXIT_IRQ), 1);
	KTAP_EQ(serrors, 1);
}

/* With a trap of each class: the abort is taken first, and the instruction comes again. */
static void test_serror_trap(void)
{
	for (unsigned int ec = 0; ec < 64; ec++) {
		start(ec);
		hyp.serror = 1;
		KTAP_EQ(armvmm_exit_handle(&vcpu, HYP_EXIT_TRAP), 1);
		KTAP_EQ(serrors, 1);
		KTAP_EQ(undefs, 0);
		KTAP_STREQ(called, "nobody");
		KTAP_EQ(hyp.serror, 0);
		/* HVC's PC is already past it (B1.8.3). */
		KTAP_EQ(PC, ec == 0x12 ? HERE - 4 : HERE);
	}
}

KTAP_MAIN(
	KTAP_CASE(test_classes),
	KTAP_CASE(test_unknown),
	KTAP_CASE(test_interrupt),
	KTAP_CASE(test_sends),
	KTAP_CASE(test_serror),
	KTAP_CASE(test_serror_interrupt),
	KTAP_CASE(test_serror_trap),
)

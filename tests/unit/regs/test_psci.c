// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/regs/psci.c driver/host/cpukind_rules.c driver/arch/exception.c
// files: driver/host/cpukind.c
// cflags: -Itests/unit/fake -Iinclude/uapi -Idriver
/*
 * What a guest and its client are told of SMCCC's ARCH_WORKAROUND_1 (ARM DEN 0028B 7.3 and 7.4; the
 * levels of KVM's firmware register), on each kind of CPU and with each harden=: never that the
 * workaround is there where this host does not take it. Of the emulator's CPUs the Cortex-A7 needs
 * none, and the A15 can have none: its ACTLR.IBE is clear.
 */
#include "fake/fake_kernel.h"
#include "ktap.h"
#include "vcpu_fake.h"

#include <linux/percpu.h>

#include "host/cache.h"
#include "hyp/sysreg.h"
#include "regs/psci.h"
#include "regs/reset.h"
#include "core/kick.h"

/* --- the CPU that cpukind.c asks, which is the only one --- */

static u32 cpu_midr, cpu_actlr;

#define CPUID_REVIDR		1
#define CPUID_EXT_PFR1		2
#define CPUID_EXT_MMFR3		3
#define read_cpuid_id()		cpu_midr
#define read_cpuid(reg)		((void)(reg), 0u)
#define read_cpuid_ext(reg)	((reg) == CPUID_EXT_MMFR3 ? 0x02102211u : 0x00011011u)
#undef sysreg_read
#define sysreg_read(reg)	cpu_actlr
/* CTR, NSACR and the diagnostic registers, which decide nothing here: they stay zero. */
#define asm(...)		do { } while (0)
#define volatile(...)		("")

#define DEFINE_RAW_SPINLOCK(name)	raw_spinlock_t name
#define this_cpu_ptr(p)		(p)
#define per_cpu_ptr(p, cpu)	((void)(cpu), (p))
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < 1; (cpu)++)
#define pr_err(...)		((void)0)
static unsigned int told;
#define pr_warn(...)		((void)told++)
#define pr_info(...)		((void)told++)
#define scnprintf		snprintf
#define lower_32_bits(v)	((u32)(v))
#define upper_32_bits(v)	((u32)((u64)(v) >> 32))

static int match_string(const char *const *strings, size_t n, const char *s)
{
	for (size_t i = 0; i < n && strings[i]; i++)
		if (!strcmp(strings[i], s))
			return (int)i;
	return -EINVAL;
}

/* It is part of this file, so that the parameter can be set. */
#include "host/cpukind.c"

#undef asm
#undef volatile

void armvmm_cache_add_cpu(u32 ctr)
{
}

/* The fix of 827671 is there. */
u64 hyp_actlr2_call(void)
{
	return 1;
}

/* --- what the calls of this test do not need --- */

void armvmm_vcpu_kick(struct armvmm_vcpu *of)
{
	abort();
}

void armvmm_kick_all(struct armvmm_vm *of, unsigned int request, struct armvmm_vcpu *except)
{
	abort();
}

void armvmm_regs_reset(struct armvmm_vcpu *of)
{
	abort();
}

/* --- */

#define A7		0x410fc075u
#define A15		0x413fc0f3u
#define A17		0x411fc0e1u
#define A57		0x411fd070u
#define KRAIT		0x511f06f1u

#define SMP		0x40u
#define IBE		0x01u

#define FEATURES	0x80000001u
#define WORKAROUND_1	0x80008000u
#define FW_REG_1	0x4030000000140001ull

/* The levels of the firmware register. */
enum { NOT_AVAIL, AVAIL, NOT_REQUIRED, LEVELS };

static const struct {
	u32 midr, actlr;
	char *harden;
	enum armvmm_predictor used;
	unsigned int level;
} table[] = {
	/* Needs nothing, whatever else is done. */
	{ A7, SMP, "auto", PREDICTOR_NONE, NOT_REQUIRED },
	{ A7, SMP, "none", PREDICTOR_NONE, NOT_REQUIRED },
	{ A7, SMP, "bpiall", PREDICTOR_BPIALL, NOT_REQUIRED },
	/* Needs a measure, and has it only while just that one is taken. */
	{ A17, SMP, "auto", PREDICTOR_BPIALL, AVAIL },
	{ A17, SMP, "bpiall", PREDICTOR_BPIALL, AVAIL },
	{ A17, SMP, "none", PREDICTOR_NONE, NOT_AVAIL },
	{ A17, SMP, "iciallu", PREDICTOR_ICIALLU, NOT_AVAIL },
	{ A17, SMP, "loop8", PREDICTOR_LOOP8, NOT_AVAIL },
	{ A15, SMP | IBE, "auto", PREDICTOR_ICIALLU, AVAIL },
	{ A15, SMP | IBE, "iciallu", PREDICTOR_ICIALLU, AVAIL },
	{ A15, SMP | IBE, "none", PREDICTOR_NONE, NOT_AVAIL },
	{ A15, SMP | IBE, "bpiall", PREDICTOR_BPIALL, NOT_AVAIL },
	/* Needs one that only firmware could make possible, or take: also what is done is none. */
	{ A15, SMP, "auto", PREDICTOR_LOOP8, NOT_AVAIL },
	{ A15, SMP, "iciallu", PREDICTOR_ICIALLU, NOT_AVAIL },
	{ A15, SMP, "none", PREDICTOR_NONE, NOT_AVAIL },
	{ A57, 0, "auto", PREDICTOR_LOOP8, NOT_AVAIL },
	{ A57, 0, "none", PREDICTOR_NONE, NOT_AVAIL },
	/* Nobody knows what it needs. */
	{ KRAIT, 0, "auto", PREDICTOR_NONE, NOT_AVAIL },
	{ KRAIT, 0, "none", PREDICTOR_NONE, NOT_AVAIL },
	{ KRAIT, 0, "bpiall", PREDICTOR_BPIALL, NOT_AVAIL },
};

#define WRONG(i, ...)								\
	do {									\
		printf("# MIDR %x, ACTLR %x, harden=%s\n", table[i].midr,	\
		       table[i].actlr, table[i].harden);			\
		KTAP_FAIL(__VA_ARGS__);						\
	} while (0)

/* A host with such a CPU, taken over with that parameter, and a vCPU there. */
static void start(unsigned int i)
{
	memset(&cpukind, 0, sizeof(cpukind));
	memset(&hyp, 0, sizeof(hyp));
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vm = &vm;
	vcpu.hyp = &hyp;
	vcpu.features = 1u << KVM_ARM_VCPU_PSCI_0_2;
	vm.vcpus[0] = &vcpu;
	vm.online_vcpus = 1;
	cpu_midr = table[i].midr;
	cpu_actlr = table[i].actlr;
	harden = table[i].harden;
	KTAP_EQ(armvmm_cpukind_check(), 0);
	armvmm_cpukind_learn();
	if (armvmm_cpukind_predictor() != table[i].used)
		WRONG(i, "HYP mode takes %d, not %d", armvmm_cpukind_predictor(), table[i].used);
}

/* The guest's hvc; returns its r0. */
static u32 call(u32 fn, u32 arg)
{
	hyp.regs.usr_regs.uregs[0] = fn;
	hyp.regs.usr_regs.uregs[1] = arg;
	KTAP_EQ(armvmm_psci_call(&vcpu), 1);
	return (u32)hyp.regs.usr_regs.uregs[0];
}

static u64 level(void)
{
	u64 val = ~0ull;
	struct kvm_one_reg reg = { .id = FW_REG_1, .addr = (uintptr_t)&val };

	KTAP_EQ(armvmm_psci_get_reg(&vcpu, &reg), 0);
	return val;
}

static int set_level(u64 val)
{
	struct kvm_one_reg reg = { .id = FW_REG_1, .addr = (uintptr_t)&val };

	return armvmm_psci_set_reg(&vcpu, &reg);
}

/* ARCH_FEATURES: 0: the call is there and needed, 1: not needed, -1: no such call. */
static void test_features(void)
{
	static const u32 want[LEVELS] = { -1u, 0, 1 };
	u32 got;

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		start(i);
		got = call(FEATURES, WORKAROUND_1);
		if (got != want[table[i].level])
			WRONG(i, "ARCH_FEATURES is %d", (int)got);
	}
}

/* The call returns nothing, so that r0 stays; where there is none, it is as any unknown one. */
static void test_call(void)
{
	u32 want, got;

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		start(i);
		want = table[i].level == NOT_AVAIL ? -1u : WORKAROUND_1;
		got = call(WORKAROUND_1, 0);
		if (got != want)
			WRONG(i, "the call returns %x", got);
	}
}

/* A guest with PSCI 0.1 is told the same: these calls are no part of PSCI. */
static void test_old_guest(void)
{
	u32 want;

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		start(i);
		vcpu.features = 0;
		want = table[i].level == NOT_AVAIL ? -1u : table[i].level == AVAIL ? 0 : 1;
		if (call(FEATURES, WORKAROUND_1) != want)
			WRONG(i, "with PSCI 0.1, ARCH_FEATURES is %lx",
			      hyp.regs.usr_regs.uregs[0]);
	}
}

/* A client reads the level; it may restore that or a lower one, which changes nothing. */
static void test_firmware_register(void)
{
	int want, got;

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		start(i);
		if (level() != table[i].level)
			WRONG(i, "the register is %d", (int)level());
		for (unsigned int val = 0; val <= LEVELS; val++) {
			want = val > table[i].level ? -EINVAL : 0;
			got = set_level(val);
			if (got != want)
				WRONG(i, "writing %u: %d, not %d", val, got, want);
		}
		/* Also what only the upper half tells from one that may be written. */
		KTAP_EQ(set_level(1ull << 32), -EINVAL);
		if (level() != table[i].level)
			WRONG(i, "written, the register is %d", (int)level());
	}
}

/* The module loads only with a choice that there is. */
static void test_choices(void)
{
	static char *const bad[] = { "", "yes", "NONE", "none ", "bpial", "auto1" };

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		harden = bad[i];
		KTAP_EQ(armvmm_cpukind_check(), -EINVAL);
	}
}

static unsigned int learn(u32 actlr)
{
	told = 0;
	cpu_midr = A15;
	cpu_actlr = actlr;
	armvmm_cpukind_learn();
	return told;
}

/* Each kind is logged once, also if a CPU's firmware makes it another one, and again the first. */
static void test_told_once(void)
{
	memset(&cpukind, 0, sizeof(cpukind));
	cpukind_nr_told = 0;
	KTAP_EQ(learn(SMP), 1);
	KTAP_EQ(learn(SMP), 0);
	KTAP_EQ(learn(SMP | IBE), 1);
	for (int i = 0; i < 10; i++) {
		KTAP_EQ(learn(SMP), 0);
		KTAP_EQ(learn(SMP | IBE), 0);
	}
	/* A CPU that is another one each time fills no log. */
	for (u32 i = 0; i < CPUKIND_TOLD - 2; i++)
		KTAP_EQ(learn(SMP | i << 8 | 2), 1);
	for (u32 i = 0; i < 100; i++)
		KTAP_EQ(learn(SMP | i << 8 | 4), 0);
	KTAP_EQ(armvmm_cpukind_this()->regs.actlr, SMP | 99 << 8 | 4);
	cpukind_nr_told = 0;
}

KTAP_MAIN(KTAP_CASE(test_told_once), KTAP_CASE(test_features), KTAP_CASE(test_call),
	  KTAP_CASE(test_old_guest), KTAP_CASE(test_firmware_register), KTAP_CASE(test_choices))

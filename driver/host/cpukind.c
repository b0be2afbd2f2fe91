// SPDX-License-Identifier: GPL-2.0-only
/* The kinds of CPUs that this host has, as each CPU tells when it is taken over. */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <asm/cputype.h>

#include "compat/compat.h"

#include "arch/archregs.h"
#include "host/cache.h"
#include "host/cpukind.h"
#include "hyp/sysreg.h"

#define CPUKIND_LINE		320	/* the longest description fits */
#define CPUKIND_TOLD		16	/* no host has more, with what firmware changes */

static char *harden = "auto";
module_param(harden, charp, 0444);
MODULE_PARM_DESC(harden,
		 "branch predictor maintenance on entry to HYP: auto, none, bpiall, iciallu, loop8");

static const char * const harden_choices[] = {
	[PREDICTOR_NONE] = "none",
	[PREDICTOR_BPIALL] = "bpiall",
	[PREDICTOR_ICIALLU] = "iciallu",
	[PREDICTOR_LOOP8] = "loop8",
	[PREDICTOR_NR] = "auto",
};

static DEFINE_PER_CPU(struct armvmm_cpukind, cpukind);
/*
 * The kinds that were logged. A CPU may come back from a power state, or from offline, as another
 * kind (firmware sets ACTLR), and as the first one the next time: each kind is logged once, and
 * those that find no room are not.
 */
static struct armvmm_cpukind_regs cpukind_told[CPUKIND_TOLD];
static unsigned int cpukind_nr_told;
/* Both of the above. */
static DEFINE_RAW_SPINLOCK(cpukind_lock);

int armvmm_cpukind_check(void)
{
	if (match_string(harden_choices, ARRAY_SIZE(harden_choices), harden) >= 0)
		return 0;
	pr_err("harden=%s: it is auto, none, bpiall, iciallu or loop8\n", harden);
	return -EINVAL;
}

static enum armvmm_predictor cpukind_used(const struct armvmm_cpukind *kind)
{
	int choice = match_string(harden_choices, ARRAY_SIZE(harden_choices), harden);

	return choice < 0 || choice == PREDICTOR_NR ? kind->predictor : choice;
}

const struct armvmm_cpukind *armvmm_cpukind_this(void)
{
	return this_cpu_ptr(&cpukind);
}

enum armvmm_predictor armvmm_cpukind_predictor(void)
{
	return cpukind_used(armvmm_cpukind_this());
}

u64 hyp_actlr2_call(void);

static void cpukind_read(struct armvmm_cpukind_regs *r)
{
	r->midr = read_cpuid_id();
	r->revidr = read_cpuid(CPUID_REVIDR);
	r->mmfr3 = read_cpuid_ext(CPUID_EXT_MMFR3);
	asm("mrc p15, 0, %0, c0, c0, 1" : "=r" (r->ctr));
	r->actlr = sysreg_read(SYS_ACTLR);
	/* Undefined without the Security Extensions, as on an emulator's board. */
	if (ID_PFR1_SECURITY(read_cpuid_ext(CPUID_EXT_PFR1)))
		asm volatile("mrc p15, 0, %0, c1, c1, 2" : "=r" (r->nsacr));
	if (armvmm_cpukind_has_actlr2(r->midr)) {
		u64 actlr2 = hyp_actlr2_call();

		r->actlr2 = lower_32_bits(actlr2);
		r->actlr2_undef = upper_32_bits(actlr2);
	}
	/* Only the A12 and A17 have the first, and only the A12 the second. */
	if (MIDR_IMPLEMENTER(r->midr) != MIDR_ARM ||
	    (MIDR_PART(r->midr) != MIDR_PART_A12 && MIDR_PART(r->midr) != MIDR_PART_A17))
		return;
	asm volatile("mrc p15, 0, %0, c15, c0, 1" : "=r" (r->diag));
	if (MIDR_PART(r->midr) == MIDR_PART_A12)
		asm volatile("mrc p15, 0, %0, c15, c0, 2" : "=r" (r->feature));
}

static bool cpukind_is_same(int cpu, const struct armvmm_cpukind *kind)
{
	return !memcmp(&per_cpu_ptr(&cpukind, cpu)->regs, &kind->regs, sizeof(kind->regs));
}

/* The first CPU that is of the kind of @cpu. */
static int cpukind_first(int cpu)
{
	int other;

	for_each_possible_cpu(other)
		if (cpukind_is_same(other, per_cpu_ptr(&cpukind, cpu)))
			return other;
	return cpu;
}

/* True the first time; and then it is told. */
static bool cpukind_to_tell(const struct armvmm_cpukind_regs *regs)
{
	unsigned int i;

	lockdep_assert_held(&cpukind_lock);
	for (i = 0; i < cpukind_nr_told; i++)
		if (!memcmp(&cpukind_told[i], regs, sizeof(*regs)))
			return false;
	if (i == CPUKIND_TOLD)
		return false;
	cpukind_told[cpukind_nr_told++] = *regs;
	return true;
}

void armvmm_cpukind_learn(void)
{
	struct armvmm_cpukind kind = { };
	char line[CPUKIND_LINE];
	bool tell;

	cpukind_read(&kind.regs);
	armvmm_cpukind_decide(&kind);
	armvmm_cache_add_cpu(kind.regs.ctr);

	raw_spin_lock(&cpukind_lock);
	tell = cpukind_to_tell(&kind.regs);
	*this_cpu_ptr(&cpukind) = kind;
	raw_spin_unlock(&cpukind_lock);
	if (!tell)
		return;
	armvmm_cpukind_describe(&kind, cpukind_used(&kind), line, sizeof(line));
	if (kind.missing)
		pr_warn("%s\n", line);
	else
		pr_info("%s\n", line);
}

size_t armvmm_cpukind_report(char *buf, size_t size)
{
	struct armvmm_cpukind *kind;
	char line[CPUKIND_LINE];
	size_t len = 0;
	int cpu, other;

	for_each_possible_cpu(cpu) {
		kind = per_cpu_ptr(&cpukind, cpu);
		if (!kind->regs.midr || cpukind_first(cpu) != cpu)
			continue;
		len += scnprintf(buf + len, size - len, "CPU");
		for_each_possible_cpu(other)
			if (cpukind_is_same(other, kind))
				len += scnprintf(buf + len, size - len, "%s%d",
						 other == cpu ? " " : ",", other);
		armvmm_cpukind_describe(kind, cpukind_used(kind), line, sizeof(line));
		len += scnprintf(buf + len, size - len, ": %s\n", line);
	}
	return len;
}

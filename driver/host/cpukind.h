/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a kind of CPU needs: its errata, the measure against training of its branch predictor, and
 * what its firmware should have set and has not. The decisions are pure (cpukind_rules.c), so that
 * the unit tests make them for CPUs that the build machine does not have; cpukind.c asks the CPUs.
 */
#ifndef ARMVMM_CPUKIND_H
#define ARMVMM_CPUKIND_H

#include <linux/types.h>

struct armvmm_cpukind_regs {
	u32 midr;
	u32 revidr;
	u32 actlr;
	u32 ctr;
	u32 mmfr3;
	u32 nsacr;
	u32 diag;	/* Cortex-A12, A17: c15, 0, c0, 1 (diagnostic), 2 (internal feature) */
	u32 feature;
	u32 actlr2;	/* Cortex-A15 from r3p0 on: c15, 1, c0, 4 */
	u32 actlr2_undef;	/* it cannot be read here */
};

/* How HYP mode empties the predictor, or makes training of no use, before its first branch. */
enum armvmm_predictor {
	PREDICTOR_NONE,
	PREDICTOR_BPIALL,
	PREDICTOR_ICIALLU,
	PREDICTOR_LOOP8,
	PREDICTOR_NR,
};

/* CVE-2017-5715: what may be said of the measure. */
enum armvmm_spectre {
	SPECTRE_UNAFFECTED,
	SPECTRE_MITIGATED,
	SPECTRE_VULNERABLE,
};

/* Errata that the module works around where the CPU has them. */
#define CPUKIND_ERRATUM_798181	(1u << 0)	/* A15, B15: TLB broadcasts end too early */
#define CPUKIND_ERRATUM_766422	(1u << 1)	/* A15: the syndrome of a Thumb store */
#define CPUKIND_ERRATUM_814220	(1u << 2)	/* A7: set/way operations out of order */

/* What only firmware or the host's kernel can set, and has not. */
#define CPUKIND_MISSING_IBE	(1u << 0)	/* ACTLR.IBE: ICIALLU leaves the predictor alone */
#define CPUKIND_MISSING_SMP	(1u << 1)	/* ACTLR.SMP: the caches are not coherent */
#define CPUKIND_MISSING_COHWALK	(1u << 2)	/* ID_MMFR3: walks do not look into the caches */
#define CPUKIND_MISSING_FIQ	(1u << 3)	/* NSACR.RFR: the FIQ bank is Secure */
#define CPUKIND_MISSING_773022	(1u << 4)
#define CPUKIND_MISSING_818325	(1u << 5)	/* and 852422 */
#define CPUKIND_MISSING_821420	(1u << 6)
#define CPUKIND_MISSING_825619	(1u << 7)
#define CPUKIND_MISSING_857271	(1u << 8)	/* 857272 on the A17 */
#define CPUKIND_MISSING_852421	(1u << 9)
#define CPUKIND_MISSING_852423	(1u << 10)
#define CPUKIND_UNKNOWN		(1u << 11)	/* a part that nobody here knows */
#define CPUKIND_MISSING_FW_WA1	(1u << 12)	/* firmware's call, which HYP does not make */
#define CPUKIND_MISSING_801819	(1u << 13)
#define CPUKIND_MISSING_827671	(1u << 14)
#define CPUKIND_UNSEEN_827671	(1u << 15)	/* nor is there a way to see whether it is set */

struct armvmm_cpukind {
	struct armvmm_cpukind_regs regs;
	enum armvmm_predictor predictor;	/* by harden=auto */
	enum armvmm_spectre spectre;		/* with that measure */
	u32 errata;
	u32 missing;
	bool may_have_amair;	/* AMAIR0 and AMAIR1 may hold something */
};

/* Does such a CPU have ACTLR2, with a bit for 827671? */
bool armvmm_cpukind_has_actlr2(u32 midr);
/* Fills the rest of @kind by its regs. */
void armvmm_cpukind_decide(struct armvmm_cpukind *kind);
/* Writes one line about @kind, with no newline; returns as snprintf. */
int armvmm_cpukind_describe(const struct armvmm_cpukind *kind, enum armvmm_predictor used,
			    char *buf, size_t size);

/* The part and its maker, of a MIDR: vCPUs stay on CPUs of one. */
static inline u32 armvmm_cpukind_part(u32 midr)
{
	return midr & 0xff00fff0;
}

/*
 * Looks at this CPU, tells cache.c, and the log where no CPU of its kind was seen
 * before. Before the CPU runs its first guest, and at each take-over. IRQs off.
 */
void armvmm_cpukind_learn(void);
/* This CPU's, as learnt. Preemption off. */
const struct armvmm_cpukind *armvmm_cpukind_this(void);
/* The measure in use here, by harden= too. Preemption off. */
enum armvmm_predictor armvmm_cpukind_predictor(void);
/* -EINVAL after a message where harden= is no choice that there is, else 0. */
int armvmm_cpukind_check(void);
/* All kinds, a line each with its CPUs, into @buf; the bytes written. May sleep. */
size_t armvmm_cpukind_report(char *buf, size_t size);

#endif

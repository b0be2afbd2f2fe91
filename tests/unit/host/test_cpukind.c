// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/host/cpukind_rules.c
// cflags: -include tests/unit/fake/fake_kernel.h -Itests/unit/fake -Iinclude/uapi -Idriver
/*
 * The decisions for each kind of CPU, by Linux's tables for the same errata
 * (erratum_a15_798181_init(), proc-v7.S) and predictors (proc-v7-bugs.c), for CPUs that no emulator
 * has.
 */
#include "ktap.h"

#include "host/cpukind.h"

#define A15(r, p)	(0x410fc0f0u | (r) << 20 | (p))
#define A12(r, p)	(0x410fc0d0u | (r) << 20 | (p))
#define A17(r, p)	(0x410fc0e0u | (r) << 20 | (p))
#define B15(r, p)	(0x420f00f0u | (r) << 20 | (p))
#define A7		0x410fc075u
#define A57		0x411fd070u
#define A72		0x410fd083u
#define A73		0x410fd092u
#define KRAIT		0x511f06f1u

#define ACTLR_GOOD	0x41u	/* SMP, and the A15's IBE */

static struct armvmm_cpukind decide(u32 midr, u32 revidr, u32 actlr, u32 diag, u32 feature)
{
	struct armvmm_cpukind kind = {
		.regs = {
			.midr = midr, .revidr = revidr, .actlr = actlr, .mmfr3 = 0x02102211,
			.diag = diag, .feature = feature, .actlr2 = 1,
		},
	};

	armvmm_cpukind_decide(&kind);
	return kind;
}

static void test_798181(void)
{
	static const struct {
		u32 midr, revidr;
		bool want;
	} table[] = {
		{ A7, 0, false },
		{ A12(0, 0), 0, false },
		/* r2p1 and older: whatever REVIDR is, which they lack (it reads as MIDR). */
		{ A15(0, 0), A15(0, 0), true },
		{ A15(2, 1), A15(2, 1), true },
		{ A15(2, 1), 0x210, true },
		/* r2p2 and r2p3 have only bit 4. */
		{ A15(2, 2), 0, true },
		{ A15(2, 2), 0x10, false },
		{ A15(2, 3), 0x200, true },
		{ A15(2, 3), 0x210, false },
		{ A15(2, 4), 0, true },
		{ A15(2, 4), 0x10, false },
		{ A15(3, 0), 0x210, false },
		{ A15(3, 2), 0, true },
		{ A15(3, 2), 0x200, false },
		/* r3p3 has half of the fix, and the other half is done on every CPU. */
		{ A15(3, 3), 0, false },
		{ A15(4, 0), 0, false },
		{ B15(0, 0), 0, true },
		{ B15(0, 2), 0, true },
		{ B15(0, 3), 0, false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		struct armvmm_cpukind k = decide(table[i].midr, table[i].revidr, ACTLR_GOOD, 0, 0);

		if (!!(k.errata & CPUKIND_ERRATUM_798181) != table[i].want)
			KTAP_FAIL("MIDR %x, REVIDR %x", table[i].midr, table[i].revidr);
	}
}

static void test_predictor(void)
{
	static const struct {
		u32 midr, actlr;
		enum armvmm_predictor predictor;
		enum armvmm_spectre spectre;
	} table[] = {
		{ A7, 0x40, PREDICTOR_NONE, SPECTRE_UNAFFECTED },
		{ 0x410fd034, 0, PREDICTOR_NONE, SPECTRE_UNAFFECTED },
		{ A12(0, 1), 0x40, PREDICTOR_BPIALL, SPECTRE_MITIGATED },
		{ A17(1, 2), 0x40, PREDICTOR_BPIALL, SPECTRE_MITIGATED },
		{ A73, 0, PREDICTOR_BPIALL, SPECTRE_MITIGATED },
		{ 0x413fd0a0, 0, PREDICTOR_BPIALL, SPECTRE_MITIGATED },
		{ A15(2, 1), 0x41, PREDICTOR_ICIALLU, SPECTRE_MITIGATED },
		{ A15(2, 1), 0x40, PREDICTOR_LOOP8, SPECTRE_VULNERABLE },
		{ B15(0, 0), 0x41, PREDICTOR_ICIALLU, SPECTRE_MITIGATED },
		{ B15(0, 0), 0x40, PREDICTOR_LOOP8, SPECTRE_VULNERABLE },
		{ A57, 0, PREDICTOR_LOOP8, SPECTRE_VULNERABLE },
		{ A72, 0, PREDICTOR_LOOP8, SPECTRE_VULNERABLE },
		{ KRAIT, 0, PREDICTOR_NONE, SPECTRE_VULNERABLE },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		struct armvmm_cpukind k = decide(table[i].midr, 0, table[i].actlr, 0, 0);

		if (k.predictor != table[i].predictor || k.spectre != table[i].spectre)
			KTAP_FAIL("MIDR %x, ACTLR %x: %d, %d", table[i].midr, table[i].actlr,
				  k.predictor, k.spectre);
		/* A vulnerable CPU is reported as such. */
		KTAP_EQ(k.spectre == SPECTRE_VULNERABLE,
			!!(k.missing & (CPUKIND_MISSING_IBE | CPUKIND_UNKNOWN |
					CPUKIND_MISSING_FW_WA1)));
	}
}

/* None of Arm's own has AMAIR0 and AMAIR1; of another maker's, or a new one, nobody knows. */
static void test_amair(void)
{
	static const u32 without[] = { A7, A12(0, 1), A15(0, 4), A15(4, 0), A17(1, 2) };

	for (unsigned int i = 0; i < ARRAY_SIZE(without); i++)
		KTAP_TRUE(!decide(without[i], 0, 0x41, 0, 0).may_have_amair);
	KTAP_TRUE(decide(B15(0, 0), 0, 0x41, 0, 0).may_have_amair);
	KTAP_TRUE(decide(0x410ff0f0, 0, 0x41, 0, 0).may_have_amair);
	KTAP_TRUE(decide(0x510f06f0, 0, 0x41, 0, 0).may_have_amair);
}

static void test_missing(void)
{
	struct armvmm_cpukind k;

	KTAP_EQ(decide(A7, 0, 0x40, 0, 0).missing, 0);
	KTAP_EQ(decide(A7, 0, 0, 0, 0).missing, CPUKIND_MISSING_SMP);
	KTAP_EQ(decide(A15(3, 2), 0, 0x41, 0, 0).missing, 0);
	KTAP_EQ(decide(A15(0, 4), 0, 0x41, 0, 0).missing, CPUKIND_MISSING_773022);
	KTAP_EQ(decide(A15(0, 4), 0, 0x43, 0, 0).missing, 0);
	KTAP_EQ(decide(A15(2, 0), 0, 0x41, 0, 0).missing, CPUKIND_MISSING_801819);
	KTAP_EQ(decide(A15(2, 2), 0, 0x1c000041, 0, 0).missing, CPUKIND_MISSING_801819);
	KTAP_EQ(decide(A15(2, 2), 0, 0x1e000041, 0, 0).missing, 0);
	KTAP_EQ(decide(A15(2, 2), 1 << 3, 0x41, 0, 0).missing, 0);
	KTAP_EQ(decide(A15(3, 0), 0, 0x41, 0, 0).missing, 0);
	KTAP_EQ(decide(A12(0, 1), 0, 0x40, 0, 0).missing,
		CPUKIND_MISSING_818325 | CPUKIND_MISSING_821420 | CPUKIND_MISSING_825619 |
		CPUKIND_MISSING_857271);
	KTAP_EQ(decide(A12(0, 1), 0, 0x40, 1 << 24 | 1 << 12 | 3 << 10, 2).missing, 0);
	KTAP_EQ(decide(A12(0, 1), 0, 0x40, 1 << 24 | 1 << 12 | 1 << 10, 2).missing,
		CPUKIND_MISSING_857271);
	KTAP_EQ(decide(A17(1, 2), 0, 0x40, 0, 0).missing,
		CPUKIND_MISSING_852421 | CPUKIND_MISSING_852423 | CPUKIND_MISSING_857271);
	KTAP_EQ(decide(A17(1, 3), 0, 0x40, 3 << 10, 0).missing, 0);

	/* From r3p0 on, and where it cannot be seen that is told. */
	for (u32 undef = 0; undef < 2; undef++) {
		static const struct {
			u32 midr;
			bool has;
		} a15[] = {
			{ A15(2, 4), false }, { A15(3, 0), true }, { A15(3, 3), true },
			{ A15(4, 0), true }, { B15(0, 0), false },
		};

		for (unsigned int i = 0; i < ARRAY_SIZE(a15); i++) {
			k = decide(a15[i].midr, 1 << 3, 0x41, 0, 0);
			KTAP_EQ(k.missing, 0);
			k.regs.actlr2 = undef ? 0 : 0xfffffffe;
			k.regs.actlr2_undef = undef;
			armvmm_cpukind_decide(&k);
			KTAP_EQ(k.missing, !a15[i].has ? 0 :
				undef ? CPUKIND_UNSEEN_827671 : CPUKIND_MISSING_827671);
			KTAP_EQ(armvmm_cpukind_has_actlr2(a15[i].midr), a15[i].has);
		}
	}

	k = (struct armvmm_cpukind){ .regs = { .midr = A7, .actlr = 0x40, .mmfr3 = 0x02002211 } };
	armvmm_cpukind_decide(&k);
	KTAP_EQ(k.missing, CPUKIND_MISSING_COHWALK);
	k.regs.mmfr3 = 0x02102211;
	k.regs.nsacr = 1 << 19;
	armvmm_cpukind_decide(&k);
	KTAP_EQ(k.missing, CPUKIND_MISSING_FIQ);
}

static void test_describe(void)
{
	struct armvmm_cpukind k = decide(A15(2, 1), 0, 0x41, 0, 0);
	char line[320];

	armvmm_cpukind_describe(&k, PREDICTOR_ICIALLU, line, sizeof(line));
	KTAP_STREQ(line, "Cortex-A15 r2p1 (MIDR 0x412fc0f1, REVIDR 0x00000000): branch predictor: "
		   "ICIALLU; errata worked around: 798181; missing: the fix of 801819");
	k = decide(A7, 0, 0x40, 0, 0);
	armvmm_cpukind_describe(&k, PREDICTOR_NONE, line, sizeof(line));
	KTAP_STREQ(line, "Cortex-A7 r0p5 (MIDR 0x410fc075, REVIDR 0x00000000): branch predictor: "
		   "none; errata worked around: 814220");
	k = decide(KRAIT, 0, 0, 0, 0);
	armvmm_cpukind_describe(&k, PREDICTOR_BPIALL, line, sizeof(line));
	KTAP_STREQ(line, "unknown part r1p1 (MIDR 0x511f06f1, REVIDR 0x00000000): branch predictor: "
		   "BPIALL; missing: a rule for this part (guests may train its branch predictor)");
	/* The longest text fits, and a shorter buffer is not overrun. */
	k = decide(A12(0, 1), 0, 0, 0, 0);
	k.regs.mmfr3 = 0;
	k.regs.nsacr = 1 << 19;
	armvmm_cpukind_decide(&k);
	KTAP_TRUE(armvmm_cpukind_describe(&k, PREDICTOR_LOOP8, line, sizeof(line)) < 320);
	memset(line, '#', sizeof(line));
	armvmm_cpukind_describe(&k, PREDICTOR_LOOP8, line, 100);
	KTAP_EQ(strlen(line), 99);
	KTAP_EQ(line[100], '#');
}

KTAP_MAIN(KTAP_CASE(test_798181), KTAP_CASE(test_predictor), KTAP_CASE(test_amair),
	  KTAP_CASE(test_missing), KTAP_CASE(test_describe))

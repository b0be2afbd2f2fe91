// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of CPUs. Parts and errata are those of Linux's proc-v7.S, proc-v7-bugs.c and
 * erratum_a15_798181_init(), of Arm's Trusted Firmware (827671), and of Arm's errata notices.
 */
#include <linux/bits.h>
#include <linux/kernel.h>

#include "arch/archregs.h"
#include "host/cpukind.h"

#define PART(midr)		armvmm_cpukind_part(midr)
#define PART_ARM(part)		(MIDR_ARM << 24 | (part) << 4)
#define PART_A7			PART_ARM(MIDR_PART_A7)
#define PART_A12		PART_ARM(MIDR_PART_A12)
#define PART_A15		PART_ARM(MIDR_PART_A15)
#define PART_A17		PART_ARM(MIDR_PART_A17)
#define PART_A32		PART_ARM(MIDR_PART_A32)
#define PART_A35		PART_ARM(MIDR_PART_A35)
#define PART_A53		PART_ARM(MIDR_PART_A53)
#define PART_A55		PART_ARM(MIDR_PART_A55)
#define PART_A57		PART_ARM(MIDR_PART_A57)
#define PART_A72		PART_ARM(MIDR_PART_A72)
#define PART_A73		PART_ARM(MIDR_PART_A73)
#define PART_A75		PART_ARM(MIDR_PART_A75)
#define PART_B15		(MIDR_BROADCOM << 24 | MIDR_PART_B15 << 4)

/* Variant and revision as one number, which orders them: r2p1 is 0x21. */
#define RELEASE(midr)		(MIDR_VARIANT(midr) << 4 | MIDR_REVISION(midr))

static const struct {
	u32 part;
	const char *name;
	enum armvmm_predictor predictor;
	enum armvmm_spectre spectre;
} rules_parts[] = {
	/* In order: nothing is fetched by a prediction that goes far. */
	{ PART_A7, "Cortex-A7", PREDICTOR_NONE, SPECTRE_UNAFFECTED },
	{ PART_A32, "Cortex-A32", PREDICTOR_NONE, SPECTRE_UNAFFECTED },
	{ PART_A35, "Cortex-A35", PREDICTOR_NONE, SPECTRE_UNAFFECTED },
	{ PART_A53, "Cortex-A53", PREDICTOR_NONE, SPECTRE_UNAFFECTED },
	{ PART_A55, "Cortex-A55", PREDICTOR_NONE, SPECTRE_UNAFFECTED },
	{ PART_A12, "Cortex-A12", PREDICTOR_BPIALL, SPECTRE_MITIGATED },
	{ PART_A17, "Cortex-A17", PREDICTOR_BPIALL, SPECTRE_MITIGATED },
	{ PART_A73, "Cortex-A73", PREDICTOR_BPIALL, SPECTRE_MITIGATED },
	{ PART_A75, "Cortex-A75", PREDICTOR_BPIALL, SPECTRE_MITIGATED },
	{ PART_A15, "Cortex-A15", PREDICTOR_ICIALLU, SPECTRE_MITIGATED },
	{ PART_B15, "Brahma-B15", PREDICTOR_ICIALLU, SPECTRE_MITIGATED },
	/* Only firmware empties theirs; the loop at least overwrites the branch history. */
	{ PART_A57, "Cortex-A57", PREDICTOR_LOOP8, SPECTRE_VULNERABLE },
	{ PART_A72, "Cortex-A72", PREDICTOR_LOOP8, SPECTRE_VULNERABLE },
};

static int rules_find(u32 midr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rules_parts); i++)
		if (rules_parts[i].part == PART(midr))
			return (int)i;
	return -1;
}

/*
 * Linux's rule for the full workaround of 798181, by barriers on other CPUs; what goes only
 * halfway, the second TLB operation, HYP mode does on every CPU (hyp/tlb.c). REVIDR bits 4 and
 * 9 are two fixes: r2p1 and older have neither, nor REVIDR; r2p2 and r2p3 know bit 4 alone;
 * r3p3 needs no more than the half.
 */
static bool rules_798181(const struct armvmm_cpukind_regs *r)
{
	unsigned int release = RELEASE(r->midr);

	if (PART(r->midr) == PART_B15)
		return release <= 0x02;
	if (PART(r->midr) != PART_A15)
		return false;
	if (release < 0x22)
		return true;
	if (release < 0x24)
		return !(r->revidr & BIT(4));
	return release < 0x33 && !(r->revidr & (BIT(4) | BIT(9)));
}

bool armvmm_cpukind_has_actlr2(u32 midr)
{
	return PART(midr) == PART_A15 && RELEASE(midr) >= 0x30;
}

/* The bits of Linux's proc-v7.S, which a kernel that is not Secure may fail to set. */
static u32 rules_missing(const struct armvmm_cpukind_regs *r)
{
	unsigned int release = RELEASE(r->midr);
	u32 missing = 0;

	switch (PART(r->midr)) {
	case PART_A7:
	case PART_A15:
	case PART_B15:
	case PART_A12:
	case PART_A17:
		if (!(r->actlr & ACTLR_SMP))
			missing |= CPUKIND_MISSING_SMP;
		break;
	}
	switch (PART(r->midr)) {
	case PART_A15:
		if (release <= 0x04 && !(r->actlr & ACTLR_LOOP_BUFFER_OFF))
			missing |= CPUKIND_MISSING_773022;
		/* Linux knows it of OMAP5 and DRA7 alone, which have an r2p2. */
		if (release >= 0x20 && release < 0x30 && !(r->revidr & BIT(3)) &&
		    (r->actlr & ACTLR_STREAMING_OFF) != ACTLR_STREAMING_OFF)
			missing |= CPUKIND_MISSING_801819;
		if (armvmm_cpukind_has_actlr2(r->midr) && !(r->actlr2 & ACTLR2_INV_DCC))
			missing |= r->actlr2_undef ? CPUKIND_UNSEEN_827671 : CPUKIND_MISSING_827671;
		fallthrough;
	case PART_B15:
		if (!(r->actlr & ACTLR_IBE))
			missing |= CPUKIND_MISSING_IBE;
		break;
	case PART_A12:
		if (!(r->diag & BIT(12)))
			missing |= CPUKIND_MISSING_818325;
		if (!(r->feature & BIT(1)))
			missing |= CPUKIND_MISSING_821420;
		if (!(r->diag & BIT(24)))
			missing |= CPUKIND_MISSING_825619;
		if ((r->diag & 0xc00) != 0xc00)
			missing |= CPUKIND_MISSING_857271;
		break;
	case PART_A17:
		if (release <= 0x12 && !(r->diag & BIT(24)))
			missing |= CPUKIND_MISSING_852421;
		if (release <= 0x12 && !(r->diag & BIT(12)))
			missing |= CPUKIND_MISSING_852423;
		if ((r->diag & 0xc00) != 0xc00)
			missing |= CPUKIND_MISSING_857271;
		break;
	case PART_A57:
	case PART_A72:
		missing |= CPUKIND_MISSING_FW_WA1;
		break;
	}
	if (ID_MMFR3_COHWALK(r->mmfr3) == 0)
		missing |= CPUKIND_MISSING_COHWALK;
	if (r->nsacr & NSACR_RFR)
		missing |= CPUKIND_MISSING_FIQ;
	return missing;
}

void armvmm_cpukind_decide(struct armvmm_cpukind *kind)
{
	const struct armvmm_cpukind_regs *r = &kind->regs;
	int i = rules_find(r->midr);

	kind->missing = rules_missing(r);
	/*
	 * What AMAIR0 and AMAIR1 are is the maker's to say (DDI 0406C B4.1.5): none of Arm's parts
	 * above has them. A look whether they keep ones is no way to know, as they may be SBZP.
	 */
	kind->may_have_amair = i < 0 || MIDR_IMPLEMENTER(r->midr) != MIDR_ARM;
	kind->errata = rules_798181(r) ? CPUKIND_ERRATUM_798181 : 0;
	if (PART(r->midr) == PART_A15 && RELEASE(r->midr) <= 0x04)
		kind->errata |= CPUKIND_ERRATUM_766422;
	if (PART(r->midr) == PART_A7)
		kind->errata |= CPUKIND_ERRATUM_814220;
	if (i < 0) {
		kind->missing |= CPUKIND_UNKNOWN;
		kind->predictor = PREDICTOR_NONE;
		kind->spectre = SPECTRE_VULNERABLE;
		return;
	}
	kind->predictor = rules_parts[i].predictor;
	kind->spectre = rules_parts[i].spectre;
	/* ICIALLU without IBE leaves the predictor as it is: Linux's loop is all there is. */
	if (kind->missing & CPUKIND_MISSING_IBE) {
		kind->predictor = PREDICTOR_LOOP8;
		kind->spectre = SPECTRE_VULNERABLE;
	}
}

static const char * const rules_predictors[] = {
	[PREDICTOR_NONE] = "none",
	[PREDICTOR_BPIALL] = "BPIALL",
	[PREDICTOR_ICIALLU] = "ICIALLU",
	[PREDICTOR_LOOP8] = "a loop",
};

static const struct {
	u32 bit;
	const char *text;
} rules_errata[] = {
	{ CPUKIND_ERRATUM_798181, "798181" },
	{ CPUKIND_ERRATUM_766422, "766422" },
	{ CPUKIND_ERRATUM_814220, "814220" },
}, rules_wants[] = {
	{ CPUKIND_MISSING_IBE, "ACTLR.IBE (guests can train the host's branch predictor)" },
	{ CPUKIND_MISSING_SMP, "ACTLR.SMP (caches are not coherent)" },
	{ CPUKIND_MISSING_COHWALK, "coherent table walks" },
	{ CPUKIND_MISSING_FIQ, "the FIQ registers (NSACR.RFR)" },
	{ CPUKIND_MISSING_773022, "the fix of 773022" },
	{ CPUKIND_MISSING_801819, "the fix of 801819" },
	{ CPUKIND_MISSING_827671, "the fix of 827671" },
	{ CPUKIND_UNSEEN_827671, "ACTLR2, which would show the fix of 827671" },
	{ CPUKIND_MISSING_818325, "the fix of 818325 and 852422" },
	{ CPUKIND_MISSING_821420, "the fix of 821420" },
	{ CPUKIND_MISSING_825619, "the fix of 825619" },
	{ CPUKIND_MISSING_857271, "the fix of 857271 or 857272" },
	{ CPUKIND_MISSING_852421, "the fix of 852421" },
	{ CPUKIND_MISSING_852423, "the fix of 852423" },
	{ CPUKIND_UNKNOWN, "a rule for this part (guests may train its branch predictor)" },
	{ CPUKIND_MISSING_FW_WA1,
	  "firmware's WORKAROUND_1 in HYP (guests can train the host's branch predictor)" },
};

static int rules_append(char *buf, size_t size, int len, const char *before, const char *text)
{
	if ((size_t)len > size)
		len = (int)size;
	return len + snprintf(buf + len, size - len, "%s%s", before, text);
}

int armvmm_cpukind_describe(const struct armvmm_cpukind *kind, enum armvmm_predictor used,
			    char *buf, size_t size)
{
	const struct armvmm_cpukind_regs *r = &kind->regs;
	const char *before = "; errata worked around: ";
	int i = rules_find(r->midr), len;

	len = snprintf(buf, size, "%s r%up%u (MIDR 0x%08x, REVIDR 0x%08x): branch predictor: %s",
		       i < 0 ? "unknown part" : rules_parts[i].name, MIDR_VARIANT(r->midr),
		       MIDR_REVISION(r->midr), r->midr, r->revidr, rules_predictors[used]);
	for (i = 0; i < ARRAY_SIZE(rules_errata); i++) {
		if (!(kind->errata & rules_errata[i].bit))
			continue;
		len = rules_append(buf, size, len, before, rules_errata[i].text);
		before = ", ";
	}
	before = "; missing: ";
	for (i = 0; i < ARRAY_SIZE(rules_wants); i++) {
		if (!(kind->missing & rules_wants[i].bit))
			continue;
		len = rules_append(buf, size, len, before, rules_wants[i].text);
		before = ", ";
	}
	return len;
}

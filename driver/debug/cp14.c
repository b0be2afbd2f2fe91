// SPDX-License-Identifier: GPL-2.0-only
/* The guest's own debug registers: what an access does, and what is loaded into the hardware. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

#include "arch/dbgregs.h"
#include "arch/debug_check.h"
#include "debug/cp14.h"

/* CRn, CRm and opc2 of an access: opc1 is zero. */
#define CP14(crn, crm, op2)	((crn) << 8 | (crm) << 4 | (op2))
#define CP14_DBGDIDR		CP14(0, 0, 0)
#define CP14_DBGDSCRINT		CP14(0, 1, 0)
#define CP14_DBGDTRINT		CP14(0, 5, 0)
#define CP14_DBGVCR		CP14(0, 7, 0)
#define CP14_DBGDSCREXT		CP14(0, 2, 2)
#define CP14_DBGDRAR		CP14(1, 0, 0)
#define CP14_DBGDSAR		CP14(2, 0, 0)
#define CP14_DBGOSLAR		CP14(1, 0, 4)
#define CP14_DBGOSLSR		CP14(1, 1, 4)
#define CP14_DBGOSDLR		CP14(1, 3, 4)
#define CP14_DBGPRSR		CP14(1, 5, 4)
#define CP14_DBGCLAIMSET	CP14(7, 8, 6)
#define CP14_DBGCLAIMCLR	CP14(7, 9, 6)
#define CP14_DBGAUTHSTATUS	CP14(7, 14, 6)
#define CP14_DBGDEVID		CP14(7, 2, 7)

#define CP14_DSCR_WRITABLE	(DBGDSCR_MDBGEN | DBGDSCR_UDCCDIS | DBGDSCR_MOE_MASK)
/* A guest's CPU has no HYP mode: HMC and the types that compare VMIDs do not exist. */
#define CP14_BCR_WRITABLE	0x007fc1e7u
#define CP14_WCR_WRITABLE	0x1f1fdfffu
/* Non-secure debug enabled, Secure debug there and disabled: C11.11.1 */
#define CP14_AUTHSTATUS		0xafu
/* DBGDEVID's fields that are the host's: watchpoint address masks, vector catch (C11.11.13). */
#define CP14_DEVID_HOST		0x0000f0f0u
/* Its fixed fields: an OS Double Lock, no HYP mode, no breakpoint address masks. */
#define CP14_DEVID		0x00100f00u

void cp14_reset(struct armvmm_cp14 *g)
{
	memset(g, 0, sizeof(*g));
	g->os_lock = true;
}

/* Where a breakpoint or watchpoint register is kept, and which of its bits are writable. */
static u32 *cp14_pair(struct armvmm_cp14 *g, const struct armvmm_debug_host *cpu, u32 key,
		      u32 *mask)
{
	unsigned int n = key >> 4 & 0xf;

	*mask = ~0u;
	if (key >> 8)
		return NULL;
	switch (key & 0xf) {
	case 4:
		return n < cpu->nr_brp ? &g->regs.bvr[n] : NULL;
	case 5:
		*mask = CP14_BCR_WRITABLE;
		return n < cpu->nr_brp ? &g->regs.bcr[n] : NULL;
	case 6:
		*mask = ~3u;
		return n < cpu->nr_wrp ? &g->regs.wvr[n] : NULL;
	case 7:
		*mask = CP14_WCR_WRITABLE;
		return n < cpu->nr_wrp ? &g->regs.wcr[n] : NULL;
	default:
		return NULL;
	}
}

/* DBGDIDR without program counter sampling, which guests do not have. */
static u32 cp14_didr(const struct armvmm_debug_host *cpu)
{
	return cpu->didr & ~DBGDIDR_PCSR;
}

/* Registers that are not here read as zero: there is no channel to an external debugger. */
static u32 cp14_read(const struct armvmm_cp14 *g, const struct armvmm_debug_host *cpu, u32 key)
{
	u32 mask, *word = cp14_pair((struct armvmm_cp14 *)g, cpu, key, &mask);

	if (word)
		return *word;
	switch (key) {
	case CP14_DBGDIDR:
		return cp14_didr(cpu);
	case CP14_DBGDSCRINT:
	case CP14_DBGDSCREXT:
		return g->dscr | DBGDSCR_NS | DBGDSCR_RESTARTED;
	case CP14_DBGVCR:
		return g->regs.vcr;
	case CP14_DBGOSLSR:
		return DBGOSLSR_OSLM | (g->os_lock ? DBGOSLSR_OSLK : 0);
	case CP14_DBGOSDLR:
		return g->double_lock;
	case CP14_DBGPRSR:
		return DBGPRSR_PU | (g->os_lock ? DBGPRSR_OSLK : 0) |
		       (g->double_lock ? DBGPRSR_DLK : 0);
	case CP14_DBGCLAIMSET:
		return 0xff;
	case CP14_DBGCLAIMCLR:
		return g->claim;
	case CP14_DBGAUTHSTATUS:
		return CP14_AUTHSTATUS;
	case CP14_DBGDEVID:
		return (cpu->devid & CP14_DEVID_HOST) | CP14_DEVID;
	default:
		return 0;
	}
}

/* Registers that are not here ignore writes. */
static void cp14_write(struct armvmm_cp14 *g, const struct armvmm_debug_host *cpu, u32 key, u32 val)
{
	u32 mask, *word = cp14_pair(g, cpu, key, &mask);

	if (word) {
		*word = val & mask;
		return;
	}
	switch (key) {
	case CP14_DBGDSCREXT:
		g->dscr = val & CP14_DSCR_WRITABLE;
		break;
	case CP14_DBGVCR:
		g->regs.vcr = val & DBGVCR_NS;
		break;
	case CP14_DBGOSLAR:
		g->os_lock = val == DBGOSLAR_KEY;
		break;
	case CP14_DBGOSDLR:
		g->double_lock = val & 1;
		break;
	case CP14_DBGCLAIMSET:
		g->claim |= val;
		break;
	case CP14_DBGCLAIMCLR:
		g->claim &= ~val;
		break;
	}
}

/* Table C6-3: what PL0 may access while DBGDSCR.UDCCdis is clear. */
static bool cp14_pl0_may(const struct armvmm_cp14 *g, const struct cp15_access *a, u32 key)
{
	if (g->dscr & DBGDSCR_UDCCDIS)
		return false;
	switch (key) {
	case CP14_DBGDIDR:
	case CP14_DBGDSCRINT:
	case CP14_DBGDRAR:
	case CP14_DBGDSAR:
		return !a->is_write;
	case CP14_DBGDTRINT:
		return true;
	default:
		return false;
	}
}

enum cp15_result cp14_access(struct armvmm_cp14 *g, const struct armvmm_debug_host *cpu,
			     struct cp15_access *a, bool pl0)
{
	/* MRRC only reads DBGDRAR and DBGDSAR; its CRm holds their CRn (C11.11.16). */
	u32 key = a->is64 ? CP14(a->crn, 0, 0) : CP14(a->crn, a->crm, a->op2);

	/* Trace registers, or a host without debug logic. */
	if (a->op1 || !cpu->nr_brp) {
		a->val = 0;
		return CP15_DONE;
	}
	if (pl0 && !cp14_pl0_may(g, a, key))
		return CP15_UNDEFINED;
	if (a->is_write)
		cp14_write(g, cpu, key, (u32)a->val);
	else
		a->val = a->is64 ? 0 : cp14_read(g, cpu, key);
	return CP15_DONE;
}

/* The last breakpoints compare contexts (C11.11.15, CTX_CMPs). */
static bool cp14_is_ctx(const struct armvmm_debug_host *cpu, u32 n)
{
	return n < cpu->nr_brp && n >= cpu->nr_brp - DBGDIDR_NR_CTX(cpu->didr);
}

/*
 * DBGBCR as it is loaded; zero if the guest's value is UNPREDICTABLE. A guest has
 * no Secure state to match in. HMC is never set, so nothing hits in HYP mode; nor
 * in the host, whose PL0 and PL1 never run with these. PMC of zero means USR, SYS
 * and SVC.
 *
 * While debug events are exceptions, an address mismatch or a context match may
 * only be for USR, SYS and SVC, or for PL0: in other modes of PL1 it would hit
 * again at the vector (C3.3). One for all modes is cut down to PL0; one for PL1
 * alone is not loaded.
 */
static u32 cp14_load_bcr(const struct armvmm_debug_host *cpu, unsigned int n, u32 bcr, u32 *bvr)
{
	u32 keep = bcr & (DBGCR_E | DBGCR_PMC | DBGBCR_BAS | DBGBCR_BT);
	u32 bas = bcr & DBGBCR_BAS, type = DBGBCR_BT_GET(bcr);

	if (!(bcr & DBGCR_E) || bcr & DBGCR_SSC_S)
		return 0;
	switch (type) {
	case DBGBCR_BT_LINK:
	case DBGBCR_BT_MISMATCH_LINK:
		keep |= bcr & DBGCR_LBN;
		fallthrough;
	case DBGBCR_BT_MATCH:
	case DBGBCR_BT_MISMATCH_ALONE:
		/* If no byte is selected, a match never hits and a mismatch always does. */
		if (bas ? !debug_check_half(bas) : !(bcr & DBGBCR_BT_MISMATCH))
			return 0;
		*bvr &= ~3u;
		break;
	case DBGBCR_BT_CTX:
		if (!cp14_is_ctx(cpu, n))
			return 0;
		keep |= DBGBCR_BAS;
		break;
	case DBGBCR_BT_CTX_LINKED:
		/* The breakpoint that links to this one selects the modes. */
		return cp14_is_ctx(cpu, n) ? DBGCR_E | DBGCR_PMC | DBGBCR_BAS |
					     (bcr & DBGBCR_BT) : 0;
	default:
		return 0;
	}
	if (type & DBGBCR_BT_NOT_PL1 && keep & DBGCR_PMC_PL1) {
		keep &= ~DBGCR_PMC_PL1;
		if (!(keep & DBGCR_PMC))
			return 0;
	}
	return keep | DBGCR_SSC_NS;
}

/* The same for DBGWCR. A mask also clears the bits that it covers in DBGWVR (C11.11.44). */
static u32 cp14_load_wcr(u32 wcr, u32 *wvr)
{
	u32 keep = wcr & (DBGCR_E | DBGCR_PMC | DBGWCR_LSC | DBGWCR_BAS | DBGWCR_WT | DBGCR_MASK);

	if (!(wcr & DBGCR_E) || wcr & DBGCR_SSC_S)
		return 0;
	if (!(wcr & DBGCR_PMC) || !(wcr & DBGWCR_LSC))
		return 0;
	*wvr &= ~((1u << DBGCR_MASK_GET(wcr)) - 1);
	if (!debug_check_bytes(wcr, *wvr))
		return 0;
	if (wcr & DBGWCR_WT)
		keep |= wcr & DBGCR_LBN;
	return keep | DBGCR_SSC_NS;
}

/* A link to anything but a context match of the linked kind is UNPREDICTABLE. */
static bool cp14_link_ok(const struct hyp_debug_regs *regs, u32 cr)
{
	u32 to = regs->bcr[DBGCR_LBN_GET(cr)];

	return to & DBGCR_E && DBGBCR_BT_GET(to) == DBGBCR_BT_CTX_LINKED;
}

/* All registers are filled in by now: a link may lead to a breakpoint of a higher number. */
static void cp14_load_links(const struct armvmm_debug_host *cpu, struct hyp_debug_regs *regs)
{
	unsigned int i;

	for (i = 0; i < cpu->nr_brp; i++) {
		u32 type = DBGBCR_BT_GET(regs->bcr[i]);

		if ((type == DBGBCR_BT_LINK || type == DBGBCR_BT_MISMATCH_LINK) &&
		    !cp14_link_ok(regs, regs->bcr[i]))
			regs->bcr[i] = 0;
	}
	for (i = 0; i < cpu->nr_wrp; i++)
		if (regs->wcr[i] & DBGWCR_WT && !cp14_link_ok(regs, regs->wcr[i]))
			regs->wcr[i] = 0;
}

bool cp14_load(const struct armvmm_cp14 *g, const struct armvmm_debug_host *cpu,
	       struct hyp_debug_regs *regs)
{
	u32 used = g->regs.vcr;
	unsigned int i;

	memset(regs, 0, sizeof(*regs));
	if (!(g->dscr & DBGDSCR_MDBGEN) || g->os_lock || g->double_lock)
		return false;
	regs->vcr = g->regs.vcr;
	for (i = 0; i < cpu->nr_brp; i++) {
		regs->bvr[i] = g->regs.bvr[i];
		regs->bcr[i] = cp14_load_bcr(cpu, i, g->regs.bcr[i], &regs->bvr[i]);
	}
	for (i = 0; i < cpu->nr_wrp; i++) {
		regs->wvr[i] = g->regs.wvr[i];
		regs->wcr[i] = cp14_load_wcr(g->regs.wcr[i], &regs->wvr[i]);
	}
	cp14_load_links(cpu, regs);
	for (i = 0; i < HYP_MAX_DBG; i++)
		used |= regs->bcr[i] | regs->wcr[i];
	return used;
}

/* The single registers. Breakpoints and watchpoints follow them, each with value and control. */
static const u16 cp14_single[] = {
	CP14_DBGDIDR, CP14_DBGDSCREXT, CP14_DBGVCR, CP14_DBGOSLSR, CP14_DBGOSDLR, CP14_DBGCLAIMCLR,
};

static u64 cp14_key_id(u32 key)
{
	return ARM_CP14_REG32(0, (u64)(key >> 8), (u64)(key >> 4 & 0xf), (u64)(key & 0xf));
}

u64 cp14_id(const struct armvmm_debug_host *cpu, unsigned int n)
{
	if (!cpu->nr_brp)
		return 0;
	if (n < ARRAY_SIZE(cp14_single))
		return cp14_key_id(cp14_single[n]);
	n -= ARRAY_SIZE(cp14_single);
	if (n < 2 * cpu->nr_brp)
		return cp14_key_id(CP14(0, n / 2, 4 + (n & 1)));
	n -= 2 * cpu->nr_brp;
	if (n < 2 * cpu->nr_wrp)
		return cp14_key_id(CP14(0, n / 2, 6 + (n & 1)));
	return 0;
}

/* Finds the register that ONE_REG id @id names. */
static bool cp14_id_key(const struct armvmm_debug_host *cpu, u64 id, u32 *key)
{
	unsigned int i;
	u64 known;

	for (i = 0; (known = cp14_id(cpu, i)); i++) {
		if (known != id)
			continue;
		*key = CP14((id & KVM_REG_ARM_32_CRN_MASK) >> KVM_REG_ARM_32_CRN_SHIFT,
			    (id & KVM_REG_ARM_CRM_MASK) >> KVM_REG_ARM_CRM_SHIFT,
			    id & KVM_REG_ARM_32_OPC2_MASK);
		return true;
	}
	return false;
}

int cp14_get(const struct armvmm_cp14 *g, const struct armvmm_debug_host *cpu, u64 id, u32 *val)
{
	u32 key;

	if (!cp14_id_key(cpu, id, &key))
		return -ENOENT;
	*val = cp14_read(g, cpu, key);
	return 0;
}

int cp14_set(struct armvmm_cp14 *g, const struct armvmm_debug_host *cpu, u64 id, u32 val)
{
	u32 key;

	if (!cp14_id_key(cpu, id, &key))
		return -ENOENT;
	switch (key) {
	case CP14_DBGDIDR:
		/* A state from another revision of the core is accepted. */
		return (val ^ cp14_didr(cpu)) & DBGDIDR_KIND ? -EINVAL : 0;
	case CP14_DBGOSLSR:
		g->os_lock = val & DBGOSLSR_OSLK;
		return 0;
	case CP14_DBGCLAIMCLR:
		g->claim = val;
		return 0;
	default:
		cp14_write(g, cpu, key, val);
		return 0;
	}
}

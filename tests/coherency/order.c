// SPDX-License-Identifier: GPL-2.0-only
/*
 * R9: the order in which HYP changes the context of PL1&0. A walk may start at any time, and uses
 * the writes to the context that have taken effect by then (DDI 0406C B3.10.4). A write takes
 * effect at any time, but no later than an ISB (B3.15.1).
 */
#include "machine.h"
#include "sysregs.h"

/* Before the take-over has turned HYP's MMU on, only the host uses PL1. */
static bool order_applies(const struct cpu *c)
{
	return c->hsctlr & SCTLR_M;
}

static void order_context(struct machine *m, unsigned int cpu, uint32_t pc, const char *what)
{
	struct cpu *c = &m->cpus[cpu];
	struct touch t = machine_touch(m, cpu, pc, 0);

	if (!c->walks_off)
		m->report(m, "R9", what, NULL, &t, 0);
	c->context_new = true;
	c->context = t;
}

static void order_ttbcr(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t val)
{
	struct cpu *c = &m->cpus[cpu];
	struct touch t = machine_touch(m, cpu, pc, 0);

	if (ttbcr_walks(val)) {
		if (c->context_new)
			m->report(m, "R9",
				  "TTBCR turns walks on with no ISB since the context was written",
				  &c->context, &t, 0);
		c->walks_off = false;
	}
	c->walks_off_soon = !ttbcr_walks(val);
}

static void order_hcr(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t val)
{
	struct cpu *c = &m->cpus[cpu];
	struct touch t = machine_touch(m, cpu, pc, 0);

	/* Other bits of HCR, such as virtual interrupts, do not change the translation. */
	if ((val ^ c->hcr) & (HCR_VM | HCR_DC))
		order_context(m, cpu, pc, "HCR is written while PL1's tables may be walked");
	if (!(val & (HCR_VM | HCR_DC)) && c->hcr & HCR_VM && !(c->sctlr & SCTLR_M))
		m->report(
			m, "R9",
			"HCR.VM and SCTLR.M are clear: flat translations under the host's VMID",
			NULL, &t, 0);
}

void order_write(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t reg, uint64_t val)
{
	struct cpu *c = &m->cpus[cpu];

	if (!order_applies(c))
		return;
	switch (reg) {
	case SYS_VTTBR:
		order_context(m, cpu, pc, "VTTBR is written while PL1's tables may be walked");
		break;
	case SYS_TTBR0:
	case SYS_TTBR1:
	case SYS_TTBR0_32:
	case SYS_TTBR1_32:
		order_context(m, cpu, pc, "a TTBR is written while PL1's tables may be walked");
		break;
	case SYS_CONTEXTIDR:
		order_context(m, cpu, pc, "CONTEXTIDR is written while PL1's tables may be walked");
		break;
	case SYS_HCR:
		order_hcr(m, cpu, pc, (uint32_t)val);
		break;
	case SYS_TTBCR:
		order_ttbcr(m, cpu, pc, (uint32_t)val);
		break;
	case SYS_HCPTR:
		c->hcptr_new = true;
		c->hcptr = machine_touch(m, cpu, pc, 0);
		break;
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/* The events, and the registers and caches that each of them changes. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "machine.h"
#include "sysregs.h"

/* Reserves address space. Most of it is never touched, and so takes no memory. */
static void *machine_reserve(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

bool machine_init(struct machine *m, uint64_t ram_base, uint64_t ram_size, unsigned int nr_cpus)
{
	uint64_t pages = ram_size / MACHINE_PAGE;

	memset(m, 0, sizeof(*m));
	m->ram_base = ram_base;
	m->ram_size = ram_size;
	m->nr_cpus = nr_cpus;
	m->epoch = 1;
	m->line_size = MACHINE_LINE;
	m->lines = machine_reserve(ram_size / MACHINE_LINE * sizeof(*m->lines));
	m->tables = machine_reserve(pages * sizeof(*m->tables));
	m->page_flags = machine_reserve(pages);
	m->mapped = machine_reserve(pages * sizeof(*m->mapped));
	return m->lines && m->tables && m->page_flags && m->mapped;
}

void machine_exit(struct machine *m)
{
	uint64_t pages = m->ram_size / MACHINE_PAGE, i;

	for (i = 0; i < pages; i++)
		free(m->tables[i]);
	munmap(m->lines, m->ram_size / MACHINE_LINE * sizeof(*m->lines));
	munmap(m->tables, pages * sizeof(*m->tables));
	munmap(m->page_flags, pages);
	munmap(m->mapped, pages * sizeof(*m->mapped));
	free(m->pending);
}

void machine_icache_vipt(struct machine *m, unsigned int cpu)
{
	m->cpus[cpu].icache_vipt = true;
}

/*
 * Does the access go through the caches? The host's and HYP's mappings of memory are write-back
 * while their caches are on. The host's few instructions with the MMU off are left to the kernel.
 */
static bool machine_cached(struct machine *m, unsigned int cpu, uint32_t va)
{
	struct cpu *c = &m->cpus[cpu];

	switch (c->world) {
	case WORLD_HYP:
		return (c->hsctlr & (SCTLR_M | SCTLR_C)) == (SCTLR_M | SCTLR_C);
	case WORLD_GUEST:
		if (c->hcr & HCR_DC)
			return true;
		if ((c->sctlr & (SCTLR_M | SCTLR_C)) != (SCTLR_M | SCTLR_C))
			return false;
		return walk_cached(m, cpu, va);
	default:
		return true;
	}
}

/* What of @size bytes at @va is in its page: where the rest of them is, nobody has said. */
static unsigned int machine_in_page(uint32_t va, unsigned int size)
{
	unsigned int room = MACHINE_PAGE - va % MACHINE_PAGE;

	return size < room ? size : room;
}

void machine_access(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t va, uint64_t pa,
		    unsigned int size, bool store)
{
	struct cpu *c = &m->cpus[cpu];

	size = machine_in_page(va, size);
	if (c->world == WORLD_HYP) {
		struct touch t = machine_touch(m, cpu, pc, va);

		/* The kernel's own stub is not checked. */
		if (!(c->hsctlr & SCTLR_C) && (pc >= MACHINE_KERNEL ||
					       (pc ^ m->entry) < MACHINE_PAGE))
			m->report(m, "R10", "a data access in HYP with HSCTLR.C clear", NULL, &t,
				  pa);
		if (!store && !c->entry_dsb && pa - m->gich - 0x30 < 8)
			m->report(m, "R9", "GICH_ELRSR is read with no DSB since the entry to HYP",
				  NULL, &t, pa);
	}
	if (m->nr_pending && c->world == WORLD_HOST && pc < MACHINE_KERNEL)
		tables_user(m, cpu);
	if (!machine_in_ram(m, pa))
		return;
	lines_access(m, cpu, pc, va, pa, size, store, machine_cached(m, cpu, va));
	if (!m->page_flags[machine_page(m, pa)])
		return;
	if (store)
		tables_store(m, cpu, pc, va, pa, size);
	else
		tables_load(m, cpu, pc, va, pa);
}

void machine_fetch(struct machine *m, unsigned int cpu, uint32_t va, uint64_t pa, unsigned int size)
{
	if (machine_in_ram(m, pa))
		lines_fetch(m, cpu, va, pa, machine_in_page(va, size));
}

void machine_dsb(struct machine *m, unsigned int cpu)
{
	m->cpus[cpu].dsb = ++m->epoch;
	m->cpus[cpu].table_stores = 0;
	m->cpus[cpu].entry_dsb = true;
	tables_dsb(m, cpu);
}

void machine_isb(struct machine *m, unsigned int cpu)
{
	struct cpu *c = &m->cpus[cpu];

	c->context_new = false;
	c->hcptr_new = false;
	c->walks_off = c->walks_off_soon;
	if (c->entry_dsb)
		c->entry_isb = true;
}

void machine_hyp_enter(struct machine *m, unsigned int cpu)
{
	struct cpu *c = &m->cpus[cpu];

	c->world = WORLD_HYP;
	c->entry_dsb = false;
	c->entry_isb = false;
	/* Taking an exception synchronizes the context that was written before (B1.8.3). */
	c->context_new = false;
	c->hcptr_new = false;
	c->walks_off = c->walks_off_soon = !ttbcr_walks(c->ttbcr);
}

/* An exception's return synchronizes the context too. */
void machine_eret(struct machine *m, unsigned int cpu, uint32_t pc)
{
	struct cpu *c = &m->cpus[cpu];

	walk_forget(m, cpu);
	if (c->hcr & HCR_VM) {
		tables_eret(m, cpu, pc);
		c->world = WORLD_GUEST;
	} else {
		c->world = WORLD_HOST;
	}
}

/* Maintenance of caches by address, in the address space that the CPU is in. */
static void machine_by_va(struct machine *m, unsigned int cpu, uint32_t reg, uint32_t va)
{
	uint64_t pa;

	if (!walk_va(m, cpu, va, &pa) || !machine_in_ram(m, pa))
		return;
	switch (reg) {
	case SYS_DCIMVAC:
		lines_clean(m, pa, false, true, false);
		break;
	case SYS_DCCMVAC:
		lines_clean(m, pa, true, false, true);
		break;
	case SYS_DCCMVAU:
		lines_clean(m, pa, false, false, true);
		break;
	case SYS_DCCIMVAC:
		lines_clean(m, pa, true, true, true);
		break;
	case SYS_ICIMVAU:
		lines_icimvau(m, va, pa);
		break;
	}
}

static void machine_iciallu(struct machine *m, unsigned int cpu, bool all)
{
	unsigned int i;

	for (i = 0; i < m->nr_cpus; i++)
		if (all || i == cpu)
			m->cpus[i].iciallu = m->epoch;
}

/* The CPU's TLB has no guest's entries any more: after the take-over, and after a rollover. */
static void machine_forget_vmids(struct machine *m, unsigned int cpu)
{
	unsigned int i;

	memset(m->cpus[cpu].vmid_seen, 0, sizeof(m->cpus[cpu].vmid_seen));
	for (i = 0; i < 256; i++) {
		m->vmid_cpus[i] &= ~(1u << cpu);
		if (!m->vmid_cpus[i])
			m->vmid_root[i] = 0;
	}
}

/* TLB maintenance by HYP. That of guests, and of the host for itself, is not checked. */
static void machine_tlbi(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t reg)
{
	struct cpu *c = &m->cpus[cpu];
	unsigned int vmid = c->vttbr >> 48 & 0xff, i, first, last;
	bool broadcast = (reg & 0xf0) == 0x30;

	first = broadcast ? 0 : cpu;
	last = broadcast ? m->nr_cpus - 1 : cpu;
	switch (reg) {
	case SYS_TLBIALLIS:
	case SYS_TLBIALL:
		tables_tlbi(m, cpu, pc, c->vttbr & VTTBR_BADDR, false, broadcast);
		for (i = first; i <= last; i++)
			m->cpus[i].vmid_seen[vmid] = false;
		break;
	case SYS_TLBIALLNSNHIS:
	case SYS_TLBIALLNSNH:
		tables_tlbi(m, cpu, pc, 0, true, broadcast);
		for (i = first; i <= last; i++)
			machine_forget_vmids(m, i);
		break;
	case SYS_TLBIALLHIS:
	case SYS_TLBIALLH:
		tables_tlbi(m, cpu, pc, HYP_ROOT, false, broadcast);
		break;
	}
}

void machine_cp_write(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t reg, uint64_t val)
{
	struct cpu *c = &m->cpus[cpu];

	switch (reg) {
	case SYS_DCIMVAC:
	case SYS_DCCMVAC:
	case SYS_DCCMVAU:
	case SYS_DCCIMVAC:
	case SYS_ICIMVAU:
		machine_by_va(m, cpu, reg, (uint32_t)val);
		return;
	case SYS_ICIALLU:
	case SYS_ICIALLUIS:
		/* HCR.FB is set, so a guest's operations are broadcast (B4.1.65). */
		machine_iciallu(m, cpu, reg == SYS_ICIALLUIS || c->world == WORLD_GUEST);
		return;
	}
	if (c->world == WORLD_HYP) {
		order_write(m, cpu, pc, reg, val);
		machine_tlbi(m, cpu, pc, reg);
	} else if ((reg >> 12 & 0xf) == 8 || reg == SYS_SCTLR || reg == SYS_TTBR0_32 ||
		   reg == SYS_TTBR0 || reg == SYS_TTBCR || reg == SYS_CONTEXTIDR) {
		walk_forget(m, cpu);
	}
	switch (reg) {
	case SYS_HVBAR:
		c->hvbar = (uint32_t)val;
		/* A physical address is that of the kernel's own vectors. */
		if (c->hvbar >= MACHINE_KERNEL)
			m->module = c->hvbar & ~(MACHINE_PAGE - 1u);
		break;
	case SYS_HTTBR:
		c->httbr = val;
		if (!(c->hsctlr & SCTLR_M))
			m->entry = pc & ~(MACHINE_PAGE - 1u);
		tables_root(m, val & VTTBR_BADDR, true);
		break;
	case SYS_HSCTLR:
		c->hsctlr = (uint32_t)val;
		break;
	case SYS_HCR:
		c->hcr = (uint32_t)val;
		break;
	case SYS_VTTBR:
		c->vttbr = val;
		c->vttbr_write = machine_touch(m, cpu, pc, 0);
		break;
	case SYS_SCTLR:
		c->sctlr = (uint32_t)val;
		break;
	case SYS_TTBCR:
		c->ttbcr = (uint32_t)val;
		break;
	case SYS_TTBR0:
		c->ttbr0 = val;
		break;
	case SYS_TTBR0_32:
		c->ttbr0 = (c->ttbr0 & ~0xffffffffull) | (uint32_t)val;
		break;
	case SYS_TTBR1:
		c->ttbr1 = val;
		break;
	case SYS_TTBR1_32:
		c->ttbr1 = (c->ttbr1 & ~0xffffffffull) | (uint32_t)val;
		break;
	case SYS_CONTEXTIDR:
		c->contextidr = (uint32_t)val;
		break;
	case SYS_PRRR:
		c->prrr = (uint32_t)val;
		break;
	case SYS_NMRR:
		c->nmrr = (uint32_t)val;
		break;
	}
}

void machine_cp_read(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t reg)
{
	struct cpu *c = &m->cpus[cpu];
	struct touch t = machine_touch(m, cpu, pc, 0);

	if (c->world == WORLD_HYP && reg == SYS_ISR && !c->entry_isb)
		m->report(m, "R9", "ISR is read with no DSB and ISB since the entry to HYP", NULL,
			  &t, 0);
}

void machine_fp(struct machine *m, unsigned int cpu, uint32_t pc)
{
	struct cpu *c = &m->cpus[cpu];
	struct touch t = machine_touch(m, cpu, pc, 0);

	if (c->world == WORLD_HYP && c->hcptr_new)
		m->report(m, "R9", "floating point with no ISB since HCPTR was written", &c->hcptr,
			  &t, 0);
}

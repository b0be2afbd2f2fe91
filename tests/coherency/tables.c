// SPDX-License-Identifier: GPL-2.0-only
/*
 * R4 to R8: what walks and TLBs may see. The worst TLB is assumed: an entry that was ever valid
 * stays until its maintenance, and a walk may or may not see any store to a table before the DSB
 * (DDI 0406C B3.10.1).
 *
 * A page is a table once a root or a table's entry leads to it. Stage-2 and HYP tables are written
 * 64 bits at a time; any other store means that the page is now used for something else.
 */
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "sysregs.h"

#define DESC_VALID	1ull
#define DESC_TABLE	2ull	/* at level 3: a page */
#define DESC_ADDR	0xfffffff000ull
#define DESC_AF		(1ull << 10)
#define S2_HAP_WRITE	(1ull << 7)
/* Bits that may change with no break: permissions, access flag, and those that hardware ignores. */
#define S2_FREE		(3ull << 6 | 1ull << 10 | 1ull << 54 | 0xfull << 55)
#define HYP_FREE	(3ull << 6 | 1ull << 10 | 1ull << 54 | 0xfull << 55)

struct table {
	uint64_t root;
	uint8_t level;
	uint64_t copy[MACHINE_PAGE / 8];
};

static struct table *tables_at(const struct machine *m, uint64_t pa)
{
	return machine_in_ram(m, pa) ? m->tables[machine_page(m, pa)] : NULL;
}

static void tables_forget(struct machine *m, uint64_t pa)
{
	uint64_t page = machine_page(m, pa);

	free(m->tables[page]);
	m->tables[page] = NULL;
	m->page_flags[page] &= ~PAGE_TABLE;
}

static bool tables_leads_on(uint64_t desc, unsigned int level)
{
	return level < 3 && (desc & (DESC_VALID | DESC_TABLE)) == (DESC_VALID | DESC_TABLE);
}

static uint64_t tables_leaf_size(unsigned int level)
{
	return 1ull << (12 + 9 * (3 - level));
}

/* A guest has got, at @epoch, the pages that @desc maps; 0: it has lost them. */
static void tables_mapped(struct machine *m, uint64_t desc, unsigned int level, uint32_t epoch)
{
	uint64_t size = tables_leaf_size(level), pa = desc & DESC_ADDR & ~(size - 1);
	uint64_t end = pa + size;

	for (; pa < end; pa += MACHINE_PAGE)
		if (machine_in_ram(m, pa))
			m->mapped[machine_page(m, pa)] = epoch;
}

static bool tables_is_leaf(uint64_t desc, unsigned int level)
{
	return desc & DESC_VALID && !tables_leads_on(desc, level);
}

/* The page at @pa becomes a table, and so do the pages that its entries lead to. */
static void tables_add(struct machine *m, uint64_t root, uint64_t pa, unsigned int level)
{
	struct table *t;
	unsigned int i;

	if (!machine_in_ram(m, pa))
		return;
	t = tables_at(m, pa);
	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t)
			abort();
		m->tables[machine_page(m, pa)] = t;
		m->page_flags[machine_page(m, pa)] |= PAGE_TABLE;
	}
	t->root = root;
	t->level = level;
	for (i = 0; i < MACHINE_PAGE / 8; i++) {
		t->copy[i] = machine_read64(m, pa + i * 8);
		if (tables_leads_on(t->copy[i], level))
			tables_add(m, root, t->copy[i] & DESC_ADDR, level + 1);
		else if (t->copy[i] & DESC_VALID && root != HYP_ROOT)
			tables_mapped(m, t->copy[i], level, m->epoch);
	}
}

static bool tables_has_writable(const struct table *t, uint64_t pa)
{
	uint64_t size = tables_leaf_size(t->level);
	unsigned int i;

	for (i = 0; i < MACHINE_PAGE / 8; i++)
		if (tables_is_leaf(t->copy[i], t->level) && t->copy[i] & S2_HAP_WRITE &&
		    pa - (t->copy[i] & DESC_ADDR & ~(size - 1)) < size)
			return true;
	return false;
}

bool tables_guest_writes(const struct machine *m, uint64_t pa)
{
	uint64_t pages = m->ram_size / MACHINE_PAGE, i;

	for (i = 0; i < pages; i++)
		if (m->page_flags[i] & PAGE_TABLE && m->tables[i]->root != HYP_ROOT &&
		    tables_has_writable(m->tables[i], pa))
			return true;
	return false;
}

/* A root is in use. Stage 2 has two adjacent tables there (B3.6.5: level 1, 40 bits). */
void tables_root(struct machine *m, uint64_t root, bool hyp)
{
	uint64_t name = hyp ? HYP_ROOT : root;
	struct table *t = tables_at(m, root);

	if (t && t->root == name && t->level == 1)
		return;
	tables_add(m, name, root, 1);
	if (!hyp)
		tables_add(m, name, root + MACHINE_PAGE, 1);
}

static void tables_mark(struct machine *m, uint64_t pa, uint64_t size, bool set)
{
	uint64_t a;

	for (a = pa; a < pa + size; a += MACHINE_PAGE) {
		if (!machine_in_ram(m, a))
			continue;
		if (set)
			m->page_flags[machine_page(m, a)] |= PAGE_PENDING;
		else
			m->page_flags[machine_page(m, a)] &= ~PAGE_PENDING;
	}
}

static void tables_pend(struct machine *m, const struct table *t, uint64_t old, struct touch store)
{
	struct pending *p;
	bool table = tables_leads_on(old, t->level);
	uint64_t size = table ? MACHINE_PAGE : tables_leaf_size(t->level);

	if (m->nr_pending == m->max_pending) {
		m->max_pending = m->max_pending ? m->max_pending * 2 : 1024;
		m->pending = realloc(m->pending, m->max_pending * sizeof(*m->pending));
		if (!m->pending)
			abort();
	}
	p = &m->pending[m->nr_pending++];
	*p = (struct pending){
		.root = t->root, .old_pa = old & DESC_ADDR & ~(size - 1), .size = (uint32_t)size,
		.epoch = m->epoch, .was_table = table, .cpu = store.cpu, .store = store,
	};
	tables_mark(m, p->old_pa, p->size, true);
}

static void tables_drop(struct machine *m, size_t i)
{
	struct pending p = m->pending[i];
	struct table *t = tables_at(m, p.old_pa);

	m->pending[i] = m->pending[--m->nr_pending];
	tables_mark(m, p.old_pa, p.size, false);
	if (p.was_table && t && t->root == p.root && t->level > 1)
		tables_forget(m, p.old_pa);
}

/* A table is linked. This CPU's stores to it must have been followed by a DSB. */
static void tables_link(struct machine *m, const struct table *t, uint64_t desc, struct touch store)
{
	uint64_t child = desc & DESC_ADDR;
	struct line *l;
	unsigned int i;

	if (!machine_in_ram(m, child))
		return;
	for (i = 0; i < MACHINE_PAGE / MACHINE_LINE; i++) {
		l = machine_line(m, child) + i;
		if (l->dirty && l->store.cpu == store.cpu && l->epoch >= m->cpus[store.cpu].dsb) {
			m->report(m, "R4", "a table is linked with no DSB since it was filled",
				  &l->store, &store, child + i * MACHINE_LINE);
			break;
		}
	}
	tables_add(m, t->root, child, t->level + 1);
}

static void tables_entry(struct machine *m, struct table *t, uint64_t pa, uint64_t old,
			 uint64_t new, struct touch store)
{
	uint64_t may = t->root == HYP_ROOT ? HYP_FREE : S2_FREE;
	struct cpu *c = &m->cpus[store.cpu];

	/* A change of only the access flag needs no DSB: it may be seen at any later time. */
	if ((new & DESC_VALID || old & DESC_VALID) && (old ^ new) != DESC_AF) {
		if (!c->table_stores++)
			c->table_store = store;
	}
	if (t->root != HYP_ROOT && (old ^ new) & DESC_VALID) {
		if (tables_is_leaf(old, t->level))
			tables_mapped(m, old, t->level, 0);
		else if (tables_is_leaf(new, t->level))
			tables_mapped(m, new, t->level, m->epoch);
	}
	if (old & DESC_VALID && new & DESC_VALID) {
		if (tables_leads_on(old, t->level) || tables_leads_on(new, t->level) ?
		    old != new : ((old ^ new) & ~may) != 0)
			m->report(m, "R5", "a valid entry becomes another with no break in between",
				  NULL, &store, pa);
		else if (old & ~new & S2_HAP_WRITE && t->root != HYP_ROOT)
			tables_pend(m, t, 0, store);
	} else if (old & DESC_VALID) {
		tables_pend(m, t, old, store);
	}
	if (tables_leads_on(new, t->level) && new != old)
		tables_link(m, t, new, store);
}

/* A store to a page that awaits TLB maintenance: it is used for something else already. */
static void tables_reused(struct machine *m, uint64_t pa, struct touch store)
{
	size_t i;

	for (i = 0; i < m->nr_pending; i++) {
		struct pending *p = &m->pending[i];

		if (pa - p->old_pa >= p->size)
			continue;
		if (p->was_table)
			m->report(m, "R6", "a table is used anew before the TLBs were told",
				  &p->store, &store, pa);
		else if (store.world == WORLD_HOST && store.va >= MACHINE_KERNEL)
			m->report(m, "R6", "a page is used anew before the TLBs were told",
				  &p->store, &store, pa);
		else
			continue;
		tables_drop(m, i);
		break;
	}
}

void tables_user(struct machine *m, unsigned int cpu)
{
	size_t i;

	for (i = 0; i < m->nr_pending; i++)
		if (m->pending[i].cpu == cpu)
			m->pending[i].left = true;
}

/*
 * A load of the host's from a page that awaits TLB maintenance: a guest may still write to it.
 * While the CPU that takes the page is at it, under a spinlock, a load on another may be somebody's
 * who does not know of it (KSM), and who has to look again.
 */
void tables_load(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t va, uint64_t pa)
{
	struct touch load = machine_touch(m, cpu, pc, va);
	size_t i;

	if (!(m->page_flags[machine_page(m, pa)] & PAGE_PENDING) || load.world != WORLD_HOST ||
	    va < MACHINE_KERNEL)
		return;
	for (i = 0; i < m->nr_pending; i++) {
		struct pending *p = &m->pending[i];

		if (pa - p->old_pa >= p->size || p->was_table || (p->cpu != cpu && !p->left))
			continue;
		m->report(m, "R6", "a page is read before the TLBs were told", &p->store, &load,
			  pa);
		tables_drop(m, i);
		break;
	}
}

void tables_store(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t va, uint64_t pa,
		  unsigned int size)
{
	struct touch store = machine_touch(m, cpu, pc, va);
	struct table *t = tables_at(m, pa);
	uint64_t old, *copy;

	if (m->page_flags[machine_page(m, pa)] & PAGE_PENDING && !(t && size == 8))
		tables_reused(m, pa, store);
	if (!t)
		return;
	if (size != 8 || store.world != WORLD_HOST) {
		tables_forget(m, pa);
		return;
	}
	copy = &t->copy[pa % MACHINE_PAGE / 8];
	old = *copy;
	*copy = machine_read64(m, pa);
	tables_entry(m, t, pa, old, *copy, store);
}

void tables_tlbi(struct machine *m, unsigned int cpu, uint32_t pc, uint64_t root, bool all,
		 bool broadcast)
{
	struct cpu *c = &m->cpus[cpu];
	struct touch t = machine_touch(m, cpu, pc, 0);
	size_t i;

	if (c->table_stores) {
		m->report(m, "R4", "TLB maintenance with no DSB since a table was stored to",
			  &c->table_store, &t, 0);
		c->table_stores = 0;
	}
	/* Other CPUs may have run with the tables: a local operation leaves their entries. */
	if (!broadcast && m->nr_cpus > 1)
		return;
	for (i = 0; i < m->nr_pending; i++) {
		struct pending *p = &m->pending[i];

		if (all ? p->root != HYP_ROOT : p->root == root) {
			p->invalidated = true;
			p->tlbi_cpu = cpu;
		}
	}
}

void tables_dsb(struct machine *m, unsigned int cpu)
{
	size_t i = 0;

	while (i < m->nr_pending) {
		if (m->pending[i].invalidated && m->pending[i].tlbi_cpu == cpu)
			tables_drop(m, i);
		else
			i++;
	}
}

static void tables_eret_pending(struct machine *m, unsigned int cpu, uint64_t root, struct touch t)
{
	size_t i;

	for (i = 0; i < m->nr_pending; i++) {
		struct pending *p = &m->pending[i];

		if (p->cpu != cpu || (p->root != root && p->root != HYP_ROOT))
			continue;
		m->report(
			m, "R6",
			p->invalidated
				? "a guest is entered with no DSB since TLB maintenance"
				: "a guest is entered with an entry gone that TLBs still may have",
			&p->store, &t, p->old_pa);
		tables_drop(m, i);
		break;
	}
}

/* Entry to a guest. */
void tables_eret(struct machine *m, unsigned int cpu, uint32_t pc)
{
	struct cpu *c = &m->cpus[cpu];
	uint64_t root = c->vttbr & VTTBR_BADDR;
	unsigned int vmid = c->vttbr >> 48 & 0xff;
	struct touch t = machine_touch(m, cpu, pc, 0);

	tables_root(m, root, false);
	if (c->table_stores) {
		m->report(m, "R4", "a guest is entered with no DSB since a table was stored to",
			  &c->table_store, &t, 0);
		c->table_stores = 0;
	}
	if (m->nr_pending)
		tables_eret_pending(m, cpu, root, t);
	if (m->vmid_root[vmid] && m->vmid_root[vmid] != root)
		m->report(m, "R7", "a VMID has other tables, and the TLBs were not told",
			  &m->vmid_write[vmid], &c->vttbr_write, root);
	m->vmid_root[vmid] = root;
	m->vmid_cpus[vmid] |= 1u << cpu;
	m->vmid_write[vmid] = c->vttbr_write;
	if (c->vmid_seen[vmid] && c->vmid_root[vmid] == root && c->vmid_vcpu[vmid] != c->vcpu)
		m->report(m, "R8", "a vCPU finds the TLB entries of another of its VM",
			  &c->vmid_write[vmid], &c->vttbr_write, root);
	c->vmid_seen[vmid] = true;
	c->vmid_vcpu[vmid] = c->vcpu;
	c->vmid_root[vmid] = root;
	c->vmid_write[vmid] = c->vttbr_write;
}

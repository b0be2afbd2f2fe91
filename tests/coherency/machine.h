/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rule engine: it takes events of the emulated CPUs, and reports what could go wrong on a
 * machine with caches, write buffers, TLBs and a pipeline. It does not depend on the emulator, so
 * that the unit test can send events of its own. docs/coherency.md says where each rule is.
 */
#ifndef COHERENCY_MACHINE_H
#define COHERENCY_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "insn.h"
#include "sysregs.h"

#define MACHINE_CPUS_MAX	8
#define MACHINE_LINE		64
#define MACHINE_PAGE		4096

/* The first of the kernel's addresses: its modules lie below its text. */
#define MACHINE_KERNEL		0xbf000000u

enum world {
	WORLD_HOST,
	WORLD_GUEST,
	WORLD_HYP,
};

/* One access, for the report: who touched which address. */
struct touch {
	uint32_t pc;
	uint32_t va;
	uint32_t bits;	/* the instruction, or 0: to tell whose code was at that address */
	uint8_t cpu;
	uint8_t world;
	bool tvm;	/* HCR.TVM: by a guest for whose caches the driver is responsible */
};

/*
 * A line of memory. Its epoch is the time of its last store: time advances only at barriers and
 * maintenance.
 */
struct line {
	uint64_t dirty;		/* bytes stored to through the caches, and not cleaned since */
	uint64_t ncnew;		/* bytes stored to past the caches, and not invalidated since */
	struct touch store;	/* the last store through the caches */
	struct touch ncstore;	/* the last store past them */
	uint32_t epoch;		/* of the last store by the host */
	uint32_t cleaned;	/* epoch of the last clean */
	uint32_t icimvau[2];	/* epoch of the last ICIMVAU of each half */
	uint8_t icolour[2];	/* and the page colour of the address that it used */
	bool code;		/* the last store was the host's: R3 applies to fetches */
	bool pou_dirty;		/* not cleaned since that store: an I-cache fill may miss it */
};

struct table;

/* Copies of a CPU's registers, and what it did since certain barriers. */
struct cpu {
	enum world world;
	uint32_t bits;		/* the instruction that it executes, where that is known */
	bool synced;		/* the registers were read from the emulator */
	uint32_t hvbar, hcr, hsctlr, sctlr, ttbcr, contextidr, prrr, nmrr;
	uint64_t httbr, vttbr, ttbr0, ttbr1;
	uint32_t vcpu;		/* the vCPU for which the host called HYP: r1 of its hvc */
	uint32_t dsb;		/* epoch after its last DSB */
	uint32_t iciallu;	/* epoch of the last invalidation of its whole I-cache */
	bool icache_vipt;	/* see machine_icache_vipt() */
	/* R4: stores to tables that no DSB has followed */
	unsigned int table_stores;
	struct touch table_store;
	/* R9 */
	bool walks_off;		/* TTBCR turned them off, and an ISB followed */
	bool walks_off_soon;	/* TTBCR turned them off */
	bool context_new;	/* context was written, and no ISB followed */
	struct touch context;
	bool hcptr_new;
	struct touch hcptr;
	bool entry_dsb, entry_isb;	/* since the entry to HYP: a DSB, and an ISB after it */
	/* cache of attributes of a guest's pages, from walks of its tables */
	uint32_t attr_va[256];
	bool attr_cached[256];
	struct touch vttbr_write;	/* R7, R8: where VTTBR was loaded */
	/* R8: the vCPU whose entries of a VMID the TLB has, and where it was loaded */
	uint32_t vmid_vcpu[256];
	uint64_t vmid_root[256];
	struct touch vmid_write[256];
	bool vmid_seen[256];
};

/* A table's entry that was valid, until its TLB maintenance is complete. */
struct pending {
	uint64_t root;		/* of its tables; bit 63: HYP's */
	uint64_t old_pa;	/* the page, block or table that it led to */
	uint32_t size;
	uint32_t epoch;
	bool was_table;
	bool invalidated;	/* TLBI seen, DSB not yet */
	bool left;		/* the CPU that removed it has gone on to other code */
	uint8_t cpu, tlbi_cpu;
	struct touch store;
};

struct machine {
	uint8_t *ram;			/* the emulator's memory */
	uint64_t ram_base, ram_size;
	unsigned int nr_cpus;
	uint64_t gich;			/* physical address of GICH, for R9 */
	uint32_t entry;			/* the page with the code that takes HYP over */
	uint32_t module;		/* address of the module's code for HYP */
	uint32_t epoch;
	uint32_t line_size;		/* of the smallest data cache line */
	struct cpu cpus[MACHINE_CPUS_MAX];
	struct line *lines;
	struct table **tables;		/* by page */
	uint8_t *page_flags;		/* PAGE_* */
	uint32_t *mapped;		/* by page: epoch at which a guest got it, or 0 */
	struct pending *pending;
	size_t nr_pending, max_pending;
	/* R7: the tables of a VMID that TLBs may have, on which CPUs, and where they were loaded */
	uint64_t vmid_root[256];
	uint8_t vmid_cpus[256];
	struct touch vmid_write[256];
	bool check_user;		/* R2 also for the client's loads */
	bool check_guest;		/* R2 also for the guest's own loads */
	void (*report)(struct machine *m, const char *rule, const char *what,
		       const struct touch *culprit, const struct touch *access, uint64_t pa);
	void *arg;
};

#define PAGE_TABLE	1	/* a translation table */
#define PAGE_PENDING	2	/* an entry that led to it awaits TLB maintenance */

bool machine_init(struct machine *m, uint64_t ram_base, uint64_t ram_size, unsigned int nr_cpus);
void machine_exit(struct machine *m);

static inline bool machine_in_ram(const struct machine *m, uint64_t pa)
{
	return pa - m->ram_base < m->ram_size;
}

static inline struct line *machine_line(const struct machine *m, uint64_t pa)
{
	return &m->lines[(pa - m->ram_base) / MACHINE_LINE];
}

static inline uint64_t machine_page(const struct machine *m, uint64_t pa)
{
	return (pa - m->ram_base) / MACHINE_PAGE;
}

static inline uint64_t machine_read64(const struct machine *m, uint64_t pa)
{
	return machine_in_ram(m, pa) ? *(uint64_t *)(m->ram + ((pa & ~7ull) - m->ram_base)) : 0;
}

static inline uint32_t machine_read32(const struct machine *m, uint64_t pa)
{
	return machine_in_ram(m, pa) ? *(uint32_t *)(m->ram + ((pa & ~3ull) - m->ram_base)) : 0;
}

/* Is this load by the host, and of no interest to any rule? Needs no lock. */
static inline bool machine_plain_load(const struct machine *m, unsigned int cpu, uint64_t pa)
{
	const struct cpu *c = &m->cpus[cpu];

	if (c->world != WORLD_HOST || !machine_in_ram(m, pa))
		return false;
	return !__atomic_load_n(&machine_line(m, pa)->ncnew, __ATOMIC_RELAXED) &&
	       !(__atomic_load_n(&m->page_flags[machine_page(m, pa)], __ATOMIC_RELAXED) &
		 PAGE_PENDING);
}

/* An access of 1 to 16 bytes. The event of a store comes after the store. */
void machine_access(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t va, uint64_t pa,
		    unsigned int size, bool store);
/* The CPU executes instructions at [va, va + size). What is in the next page does not count. */
void machine_fetch(struct machine *m, unsigned int cpu, uint32_t va, uint64_t pa,
		   unsigned int size);
/* An MCR or MCRR to cp15 that neither trapped nor failed its condition. */
void machine_cp_write(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t reg, uint64_t val);
void machine_cp_read(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t reg);
void machine_dsb(struct machine *m, unsigned int cpu);
void machine_isb(struct machine *m, unsigned int cpu);
void machine_fp(struct machine *m, unsigned int cpu, uint32_t pc);
void machine_hyp_enter(struct machine *m, unsigned int cpu);
void machine_eret(struct machine *m, unsigned int cpu, uint32_t pc);
/* This CPU's I-cache is VIPT with 32-byte lines, like the Cortex-A7's. */
void machine_icache_vipt(struct machine *m, unsigned int cpu);

/* Calls between the parts of the engine. */
static inline struct touch machine_touch(const struct machine *m, unsigned int cpu, uint32_t pc,
					 uint32_t va)
{
	const struct cpu *c = &m->cpus[cpu];

	return (struct touch){
		.pc = pc, .va = va, .bits = c->bits, .cpu = cpu, .world = c->world,
		.tvm = c->world == WORLD_GUEST && c->hcr & HCR_TVM,
	};
}

void lines_access(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t va, uint64_t pa,
		  unsigned int size, bool store, bool cached);
void lines_fetch(struct machine *m, unsigned int cpu, uint32_t va, uint64_t pa, unsigned int size);
void lines_clean(struct machine *m, uint64_t pa, bool clean, bool invalidate, bool pou);
void lines_icimvau(struct machine *m, uint32_t va, uint64_t pa);

void tables_store(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t va, uint64_t pa,
		  unsigned int size);
void tables_load(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t va, uint64_t pa);
/* The CPU runs a user's code: it has left the kernel, and no spinlock is held on it. */
void tables_user(struct machine *m, unsigned int cpu);
void tables_root(struct machine *m, uint64_t root, bool hyp);
void tables_tlbi(struct machine *m, unsigned int cpu, uint32_t pc, uint64_t root, bool all,
		 bool broadcast);
void tables_dsb(struct machine *m, unsigned int cpu);
void tables_eret(struct machine *m, unsigned int cpu, uint32_t pc);
/* May some guest write to @pa by its tables? Slow. */
bool tables_guest_writes(const struct machine *m, uint64_t pa);

bool walk_va(struct machine *m, unsigned int cpu, uint32_t va, uint64_t *pa);
bool walk_cached(struct machine *m, unsigned int cpu, uint32_t va);
void walk_forget(struct machine *m, unsigned int cpu);

void order_write(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t reg, uint64_t val);

#define HYP_ROOT	(1ull << 63)

#endif

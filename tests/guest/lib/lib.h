/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small library for bare-metal ARMv7 guests. A guest is one flat binary. Its guest_main() runs on
 * CPU 0, turns the MMU on or off, reports results and calls guest_exit().
 */
#ifndef GUEST_LIB_H
#define GUEST_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpsr.h"
#include "gicregs.h"
#include "psci.h"
#include "../param.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define STR_(x)		#x
#define STR(x)		STR_(x)	/* a constant in the text of an asm statement */

/* Of a Cortex-A15 or A7: DDI 0438 4.3.27, DDI 0464 4.3.27. */
#define SCTLR_RESET	0x00c50078u

extern volatile struct guest_param param;
extern u32 entry_regs[17];	/* r0-r14, CPSR, SCTLR at the first instruction */

struct cpu_boot {
	u32 sp;
	void (*fn)(void);
	u32 cpsr, sctlr;	/* as found at entry */
	u32 thumb_cpsr;		/* as found at the Thumb entry point */
};
extern struct cpu_boot cpu_boot[GUEST_MAX_CPUS];
void secondary_entry(void);
void secondary_entry_thumb(void);
u32 hvc(u32 fn, u32 a, u32 b, u32 c);
u32 smc(u32 fn, u32 a, u32 b, u32 c);
void hvc4(u32 r[4]);
u32 call_in_mode(u32 mode, u32 (*fn)(u32 arg), u32 arg);

/* Each guest defines it. */
void guest_main(void);

/* ---- report.c ---- */
/*
 * One KTAP result: "ok N what". The format knows %s %c %d %u %x %08x %llu %llx. Values that depend
 * on time go into square brackets: tests/run does not compare them.
 */
void report(bool cond, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void report_skip(const char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A "# ..." line. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints the plan, reports to the test device and powers off. */
void guest_exit(void) __attribute__((noreturn));
/* For failures after which it makes no sense to go on. */
void guest_bail(const char *why, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* True on the client, false on a bare board. */
static inline bool on_vm(void) { return param.flags & PARAM_VM; }

/* ---- cp15 and barriers ---- */
#define CP15_READ(op1, crn, crm, op2)							\
({											\
	u32 val_;									\
	asm volatile("mrc p15, " #op1 ", %0, " #crn ", " #crm ", " #op2 : "=r"(val_) :: "memory"); \
	val_;										\
})
#define CP15_WRITE(op1, crn, crm, op2, v)						\
	asm volatile("mcr p15, " #op1 ", %0, " #crn ", " #crm ", " #op2 :: "r"((u32)(v)) : "memory")
#define CP15_READ64(op1, crm)								\
({											\
	u64 val_;									\
	asm volatile("mrrc p15, " #op1 ", %Q0, %R0, " #crm : "=r"(val_) :: "memory");	\
	val_;										\
})
#define CP15_WRITE64(op1, crm, v)							\
	asm volatile("mcrr p15, " #op1 ", %Q0, %R0, " #crm :: "r"((u64)(v)) : "memory")

static inline void isb(void) { asm volatile("isb" ::: "memory"); }
static inline void dsb(void) { asm volatile("dsb" ::: "memory"); }
static inline void dmb(void) { asm volatile("dmb" ::: "memory"); }
static inline void wfi(void) { asm volatile("dsb\n\twfi" ::: "memory"); }
static inline void wfe(void) { asm volatile("wfe" ::: "memory"); }
static inline void sev(void) { asm volatile("dsb\n\tsev" ::: "memory"); }
static inline void irq_on(void) { asm volatile("cpsie i" ::: "memory"); isb(); }
static inline void irq_off(void) { asm volatile("cpsid i" ::: "memory"); }

static inline u32 r32(u32 a) { return *(volatile u32 *)a; }
static inline void w32(u32 a, u32 v) { *(volatile u32 *)a = v; }
static inline u32 r8_(u32 a) { return *(volatile u8 *)a; }
static inline void w8(u32 a, u32 v) { *(volatile u8 *)a = (u8)v; }
static inline u32 r16(u32 a) { return *(volatile u16 *)a; }
static inline void w16(u32 a, u32 v) { *(volatile u16 *)a = (u16)v; }

/* ---- time ---- */
static inline u64 cntvct(void) { isb(); return CP15_READ64(1, c14); }
static inline u64 cntpct(void) { isb(); return CP15_READ64(0, c14); }
static inline u32 cntfrq(void) { return CP15_READ(0, c14, c0, 0); }
u32 us_to_ticks(u32 us);
void delay_us(u32 us);
u64 client_ns(void);		/* the client's clock; only on a VM */

/* ---- trap.c: exceptions ---- */
enum vec { VEC_BAD, VEC_UND, VEC_SVC, VEC_PABT, VEC_DABT, VEC_IRQ = 6, VEC_FIQ, VEC_NR };

struct frame {
	u32 r[13], lr_svc, pc, cpsr;
};

/* The last exception on this CPU. */
struct trap {
	u32 count, vec, pc, cpsr, fsr, far;
};
extern struct trap trap[GUEST_MAX_CPUS];

typedef void (*irq_fn)(u32 iar);
extern irq_fn irq_handler;	/* gets IAR; EOI is the caller's unless irq_raw */
extern bool irq_raw;		/* the handler reads IAR and writes EOIR itself */
extern volatile u32 irq_seen[GUEST_MAX_CPUS];
extern volatile u32 irq_spurious;
extern volatile u32 fiq_seen;

/*
 * From here on, undefined instructions and data aborts are counted and skipped, and a prefetch
 * abort returns to LR. trap_end() returns the count.
 */
void trap_begin(void);
u32 trap_end(void);
/* Gets such an exception first. Returns true if it has set the address to go on at. */
extern bool (*trap_hook)(enum vec vec, struct frame *f);

/* ---- smp.c ---- */
u32 cpu_id(void);
u32 cpu_mpidr(u32 cpu);		/* affinity bits as PSCI takes them */
u32 nr_cpus(void);
void cpu_setup(void);
/* Starts all other CPUs; they wait in smp_run()'s pool. */
void smp_start(void);
/* Runs fn(cpu) on every started CPU including this and waits for all. */
void smp_run(void (*fn)(u32 cpu));
/* Runs fn(cpu) on one other CPU, without waiting. */
void smp_call(u32 cpu, void (*fn)(u32 cpu));
bool smp_done(u32 cpu);
/* A barrier of all CPUs, for use in smp_run(). */
void smp_barrier(void);
struct lock { volatile u32 held; };
void lock_take(struct lock *l);
void lock_drop(struct lock *l);

/* ---- mmu.c ---- */
#define MMU_NORMAL	1	/* write-back, write-allocate, shareable */
#define MMU_NC		2	/* Normal, not cacheable */
#define MMU_DEVICE	3
#define MMU_FAULT	0

/* Flat map by 1 MiB sections, caches on. */
void mmu_on(void);
void mmu_off(void);
/* Flat map by LPAE tables: blocks of 1 GiB, of 2 MiB for RAM, and pages for its first 2 MiB. */
void mmu_lpae_on(void);
/* One 4 KiB page of the short-descriptor map. */
void mmu_map(u32 va, u32 pa, u32 kind);
void mmu_map_nobroadcast(u32 va, u32 pa, u32 kind);
extern u32 page_table[4096];
void cache_clean_inval(const void *p, u32 len);

/* ---- gic.c ---- */
void gic_init_dist(void);
void gic_init_cpu(void);
u32 gic_nr_irqs(void);
void gic_enable(u32 irq);
void gic_disable(u32 irq);
bool gic_enabled(u32 irq);
void gic_pend(u32 irq);
void gic_unpend(u32 irq);
bool gic_pending(u32 irq);
bool gic_active(u32 irq);
void gic_priority(u32 irq, u32 prio);
void gic_target(u32 irq, u32 mask);
void gic_edge(u32 irq, bool edge);

/* ---- timers ---- */
static inline void vtimer_set(u64 cval, u32 ctl)
{
	CP15_WRITE64(3, c14, cval);
	CP15_WRITE(0, c14, c3, 1, ctl);
	isb();
}

static inline u32 vtimer_ctl(void) { isb(); return CP15_READ(0, c14, c3, 1); }

static inline void ptimer_set(u64 cval, u32 ctl)
{
	CP15_WRITE64(2, c14, cval);
	CP15_WRITE(0, c14, c2, 1, ctl);
	isb();
}

static inline u32 ptimer_ctl(void) { isb(); return CP15_READ(0, c14, c2, 1); }

#endif /* GUEST_LIB_H */

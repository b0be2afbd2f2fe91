/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a VM and a vCPU are: every field that outlives a call, with who changes it and under
 * which lock. The files named with each part have its functions.
 *
 * A field of a vCPU whose comment names neither is the vCPU's own: its thread in KVM_RUN changes
 * it, or another holder of vcpu->mutex. "Constant" fields are set before anybody else can see the
 * structure. docs/locking.md has every lock.
 */
#ifndef ARMVMM_STATE_H
#define ARMVMM_STATE_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/rcuwait.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/seqlock.h>
#include <linux/signal_types.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include <linux/armvmm.h>

#include "compat/compat_mmu_notifier.h"
#include "hyp/hyp.h"

struct armvmm_coalesced;
struct armvmm_iodev_ops;
struct armvmm_mirrors;
struct cred;
struct armvmm_stat_file;
struct armvmm_vcpu;
struct armvmm_vm;
struct dentry;
struct perf_event;

/* --- devices in the kernel (iobus.c) --- */

/* Its owner's; constant while the device is on the bus. */
struct armvmm_iodev {
	const struct armvmm_iodev_ops *ops;
	u64 base;		/* guest physical */
	u64 size;
};

/* In the order in which they are asked. */
enum armvmm_iobus_place {
	ARMVMM_IOBUS_GICD,
	ARMVMM_IOBUS_IOEVENTFDS,
	ARMVMM_IOBUS_COALESCED,
	ARMVMM_IOBUS_MIRRORS,
	ARMVMM_IOBUS_PLACES
};

struct armvmm_iobus {
	/* NULL: none there. Changes: vm->slots_lock; readers: vm->srcu. */
	struct armvmm_iodev __rcu *dev[ARMVMM_IOBUS_PLACES];
};

/* --- memory (memslot.c, dirty.c, stage2.c) --- */

/* Constant, but for what its pointers point to. */
struct armvmm_memslot {
	u64 base_gfn;		/* guest physical, in pages */
	unsigned long npages;
	unsigned long userspace_addr;	/* in the client */
	u32 flags;		/* KVM_MEM_* */
	u16 id;
	unsigned long *dirty_bitmap;	/* NULL where not logging; bits: stage2.lock */
	unsigned long **pins;	/* a word for each page, set under stage2.lock (stage2_pin.c) */
};

/* Constant: a node of the tree of slots by host address. */
struct armvmm_memslot_hva {
	unsigned long max_last;	/* the furthest last byte of its part of the tree */
	u16 slot;		/* in slots[] */
};

/*
 * Replaced as a whole; readers hold vm->srcu. Sorted by base_gfn, never overlapping. A slot that
 * is being deleted or moved is taken out first, then the guest's mappings of it.
 */
struct armvmm_memslots {
	int nr;
	struct armvmm_memslot_hva *by_hva;	/* mem/memslot_hva.h; behind slots[] */
	struct armvmm_memslot slots[];
};

struct stage2 {
	u64 *pgd;		/* concatenated first-level tables; constant */
	phys_addr_t pgd_pa;	/* constant */
	u64 sh;			/* of leaves that map memory; constant (host/share.h) */
	spinlock_t lock;	/* tables; seq, count and range of invalidations; unpin_seq */
	unsigned long invalidate_seq;
	unsigned long unpin_seq;	/* how often a client unpinned pages (stage2_pin.c) */
	int invalidate_count;
	unsigned long invalidate_start;	/* host addresses, while count is not 0 */
	unsigned long invalidate_end;
	atomic64_t vmid;	/* generation and VMID (vmid.c); 0 until the first entry */
	/* Each CPU's own, IRQs off: index + 1 of the vCPU that ran last on it. */
	u8 __percpu *last_vcpu;
};

/*
 * The client's mapping that a fault of the vCPU found last: of Normal memory that is cached. It was
 * there, with all its neighbours in [start, end), when the number of invalidations was seq.
 */
struct stage2_host_seen {
	unsigned long start;
	unsigned long end;	/* 0: none was found */
	unsigned long seq;
};

/* --- the interrupt controller (vgic/) and eventfds --- */

#define VGIC_ADDR_UNDEF		(~0ULL)

struct armvmm_vgic_irq;		/* vgic/irq.h: private to vgic/ */

struct armvmm_vgic {
	/* Set once, under vm->lock: in_kernel with all vCPUs' mutexes, before any has run. */
	bool in_kernel;		/* KVM_CREATE_DEVICE or KVM_CREATE_IRQCHIP was done */
	bool initialized;	/* spis are there (release/acquire): interrupts may come */
	bool ready;		/* GICV is mapped, the distributor on the bus (release/acquire) */
	u64 dist_base;		/* guest physical, VGIC_ADDR_UNDEF until set */
	u64 cpu_base;		/* likewise */
	u32 nr_spis;		/* 0 until set */

	/* Changed under vm->lock and the mutexes of all vCPUs. */
	bool user_groups;	/* the client may write GICD_IGROUPR */

	/* Set once, under vm->lock. */
	struct armvmm_vgic_irq *spis;	/* of armvmm_hypmap_alloc(); each has its own lock */
	size_t spis_size;		/* bytes, with dist, which lies behind them */
	struct hyp_dist *dist;		/* what HYP mode reads, too (hyp/gicirq.h) */
	/* vm->slots_lock: */
	bool in_hyp;			/* HYP mode may answer for it */
	unsigned int hiding;		/* clients that put a slot over it at this moment */
	struct armvmm_iodev dist_iodev;
};

/* The interrupts that a vCPU has to know of, sorted (vgic/ap.h). Under its ap_list_lock. */
#define VGIC_AP_CLASSES		4
#define VGIC_AP_PRIORITIES	32

struct armvmm_vgic_ap {
	u32 used[VGIC_AP_CLASSES];	/* bit n: the list of priority n is not empty */
	unsigned int nr;		/* on all lists; also read without the lock */
	unsigned int nr_active;
	struct list_head list[VGIC_AP_CLASSES * VGIC_AP_PRIORITIES];
	struct armvmm_vgic_irq *only;	/* the only one on the lists, or NULL */

	/* An entry's choice (lr.c): here, as an array on the stack would be cleared each time. */
	struct armvmm_vgic_irq **first;	/* those to be shown, in one of the halves */
	unsigned int nr_first;
	bool more;			/* others found no list register, */
	bool mixed;			/* and there are pending ones of both groups: */
	u8 open;			/* those that the guest had enabled went first */
	bool limited;			/* an SGI waits for its next source: limit counts */
	u32 limit[2];			/* of each group: what has a lower priority waits */
	struct armvmm_vgic_irq **shown;	/* those that list registers hold, in the other half */
	struct armvmm_vgic_irq *halves[2][HYP_MAX_LRS];
};

struct armvmm_vgic_vcpu {
	struct armvmm_vgic_irq *private;	/* SGIs and PPIs; constant, each has its own lock */
	raw_spinlock_t ap_list_lock;	/* ap; kept, same and parked */
	struct armvmm_vgic_ap *ap;	/* interrupts pending or active on this vCPU */
	/*
	 * Bit n: list register n holds a pending SPI that nobody has changed since, so that the
	 * next entry may show it unchanged.
	 */
	unsigned long kept;
	/* The next entry may show all list registers unchanged, and needs no others. */
	bool same;
	bool parked;		/* the vCPU left the guest; the SPIs of kept are still in_lr */
	u16 ended[HYP_MAX_LRS];		/* level SPIs, for armvmm_eventfd_ended() */
	unsigned int nr_ended;
	/* Its own thread's, where HYP mode of other CPUs may post SGIs. */
	u32 entry_pc;		/* where the last entry began, */
	u32 entry_hyp;		/* after so many accesses to devices in HYP mode, */
	bool stuck;		/* and a host's interrupt ended it, with nothing executed */
};

struct armvmm_irqroutes;
struct armvmm_eventfds {
	spinlock_t lock;		/* irqfds and their number */
	struct rb_root irqfds;		/* those that are active, by eventfd */
	unsigned int nr_irqfds;
	atomic_t irqfd_cleanups;	/* irqfds that left the tree, and are not gone yet */
	struct armvmm_irqroutes __rcu *routes;	/* NULL: GSI n is pin n; vm->lock */
	struct mutex resample_lock;	/* changes of the next two */
	struct list_head resample_irqfds;	/* all of them */
	struct hlist_head *resample_at;	/* the same by pin, readers by rcu; NULL before the first */
	/* Changes: vm->slots_lock, between begin and end of the count; readers: vm->srcu. */
	struct rb_root ioeventfds;
	seqcount_t ioeventfd_seq;
	unsigned int nr_ioeventfds;
	struct armvmm_iodev ioeventfd_dev;	/* all of them */
};

/* --- a vCPU's devices --- */

struct armvmm_timer_vcpu {
	struct hrtimer wakeup;	/* armed only while the vCPU sleeps */
	u64 lead;		/* ticks that wakeup is set early by */
	bool wakeup_armed;	/* since the vCPU last went to sleep */
	struct hrtimer phys;	/* emulated CNTP, armed while it can fire */
	u64 cntp_cval;
	u32 cntp_ctl;		/* ENABLE, IMASK; ISTATUS is computed */
	u32 virt_irq;		/* PPI number, 16-31; of all vCPUs, under vm->lock */
	u32 phys_irq;		/* likewise */
	bool virt_level;	/* line as last given to the vGIC or to user space */
	bool phys_level;	/* likewise; the hrtimer phys raises it, too */
	bool irqs_fixed;	/* PPIs may not change any more; vm->lock */
};

#define PMU_NR		32

struct armvmm_pmu_counter {
	struct armvmm_pmu *pmu;		/* constant */
	struct perf_event *event;	/* NULL: the counter stands still at value */
	u32 value;
	u32 type;		/* PMXEVTYPER; of the cycle counter the filter alone */

	/* While there is an event: how perf's count becomes the guest's (pmu_math.h). */
	u64 start;
	u64 wraps;		/* overflows that PMOVSR has been told of; under pmu->lock */
	u8 shift;
	u8 config;		/* what perf counts */
};

/*
 * Belongs to the vCPU's thread, or to the holder of vcpu->mutex; perf's overflow
 * handler changes overflow and wraps, under lock (raw, IRQs off).
 */
struct armvmm_pmu {
	struct armvmm_vcpu *vcpu;	/* constant */
	raw_spinlock_t lock;
	unsigned long overflow;	/* PMOVSR */
	u32 pmcr;		/* PMCR_RW bits */
	u32 enable;		/* PMCNTENSET */
	u32 inten;		/* PMINTENSET */
	u32 select;		/* PMSELR */
	u32 userenr;		/* PMUSERENR.EN */
	struct armvmm_pmu_counter counter[PMU_NR];

	u32 running;		/* counters that have an event */
	bool dirty;		/* running may not be what the registers say */
	struct task_struct *task;	/* whose events are running; they hold it */

	u32 irq;		/* 0: not set; vm->lock */
	bool created;		/* KVM_ARM_VCPU_PMU_V3_INIT was done */
	bool level;		/* as last given to the vGIC */
};

/* --- debugging (debug.c, cp14.c) --- */

/* Whose registers struct hyp_debug holds while its mode is HYP_DEBUG_LOAD. */
enum armvmm_debug_owner {
	DEBUG_OWNER_NONE,
	DEBUG_OWNER_GUEST,
	DEBUG_OWNER_CLIENT,
};

struct armvmm_debug {
	u32 control;		/* KVM_GUESTDBG_*; zero while not debugged */
	enum armvmm_debug_owner owner;
	bool step_begun;	/* a step was begun at step_pc, and its end not told */
	u32 step_pc;		/* of the step that was begun */
	bool irq_blocked;	/* this step shows the guest no interrupt */
	struct kvm_guest_debug_arch arch;	/* the client's breakpoints and watchpoints */
};

struct armvmm_cp14 {
	struct hyp_debug_regs regs;	/* as the guest wrote them */
	u32 dscr;			/* MDBGen, UDCCdis, MOE */
	u8 claim;			/* DBGCLAIM's tags */
	bool os_lock;			/* DBGOSLSR.OSLK */
	bool double_lock;		/* DBGOSDLR.DLK */
};

/* --- an access that user space completes (mmio.c) --- */

/* An access that user space is completing. */
struct armvmm_mmio {
	bool pending;		/* the next RUN goes on with what is begun */
	bool in_seq;		/* it is one of vcpu->mmio_seq's, which has all else */
	bool sign_extend;	/* of what is read */
	bool is_write;
	u8 rt;			/* the register */
	u8 len;			/* 1, 2 or 4 */
	u8 insn_len;		/* 2 or 4 */
	u32 data;		/* while the kernel's devices are asked; as in memory */
	u64 ipa;		/* while pending */
};

#define MMIO_SEQ_MAX_REGS	16
#define MMIO_SEQ_MAX_BYTES	(4 * MMIO_SEQ_MAX_REGS)

/*
 * Registers change when all is done, and not before: until then the guest is at the instruction,
 * with its base as it was (DDI 0406C B1.9.8, the base restored abort model), and what is stored
 * is what the registers held when it began.
 */
struct armvmm_mmio_seq {
	u32 va;			/* of the first byte */
	u64 page[2];		/* guest physical pages of the first and of the last byte */
	u8 nr;			/* registers */
	u8 size;		/* bytes of each: 1, 2 or 4 */
	u8 pos;			/* bytes that are done */
	u8 part;		/* bytes that user space has now */
	u8 insn_len;		/* 2 or 4 */
	bool is_write;
	bool sign;		/* what is read is extended by its sign */
	bool writeback;		/* rn becomes wb_value in the end */
	u8 rn;
	u32 wb_value;
	u8 reg[MMIO_SEQ_MAX_REGS];	/* in the order of memory */
	u8 bytes[MMIO_SEQ_MAX_BYTES];	/* as they are in memory */
};

/* --- counters (stat.c) --- */

#define ARMVMM_STAT_HIST	32	/* buckets: 2^n ns and more, up to four seconds */

/* Every member is a u64 or an array of them. Any thread counts, without a lock. */
struct armvmm_vm_stat {
	u64 remote_tlb_flush;
	u64 remote_tlb_flush_requests;
	u64 pages_2m;		/* under stage2.lock */
};

/*
 * The vCPU's thread counts, and anybody reads without a lock. The counters of struct hyp_stat
 * (hyp/hyp.h) follow these in what a client reads.
 */
struct armvmm_vcpu_stat {
	u64 exits;
	u64 irq_exits;
	u64 hvc_exit_stat;
	u64 smc_exit_stat;
	u64 wfe_exit_stat;
	u64 wfi_exit_stat;
	u64 cp_exit_stat;
	u64 undef_exit_stat;
	u64 mmio_exit_user;
	u64 mmio_exit_kernel;
	u64 page_faults;
	u64 signal_exits;
	u64 halt_successful_poll;
	u64 halt_attempted_poll;
	u64 halt_wakeup;
	u64 halt_poll_success_ns;
	u64 halt_poll_fail_ns;
	u64 halt_wait_ns;
	u64 blocking;
	u64 halt_poll_success_hist[ARMVMM_STAT_HIST];
	u64 halt_poll_fail_hist[ARMVMM_STAT_HIST];
	u64 halt_wait_hist[ARMVMM_STAT_HIST];
};

/* Counts @ns in the bucket that holds values from 2^(n-1) on. */
static inline void armvmm_stat_hist(u64 *hist, u64 ns)
{
	unsigned int n = fls64(ns);

	hist[n < ARMVMM_STAT_HIST ? n : ARMVMM_STAT_HIST - 1]++;
}

/* What stat_debugfs.c and stat_fd.c keep of a VM. */
struct armvmm_stat_files {
	struct list_head link;	/* all VMs; stat_lock */
	struct dentry *dir;	/* NULL: none */
	struct armvmm_stat_file *files;	/* those in dir */
	pid_t pid;		/* of the creator: the VM's name */
};

/* --- a virtual CPU: what stands behind the fd of KVM_CREATE_VCPU --- */

/* Bits of vcpu->requests, handled before the next entry. */
#define VCPU_REQ_SLEEP		0	/* look at power_off: set as long as that is */
#define VCPU_REQ_RESET		1	/* PSCI CPU_ON left a state to start from */
#define VCPU_REQ_IRQ_PENDING	2	/* an interrupt may have become deliverable */
#define VCPU_REQ_WFI		3	/* of its own: wait for an interrupt (PSCI CPU_SUSPEND) */
#define VCPU_REQ_COUNTER	4	/* the VM's counter was set, or the host suspended */

/* vcpu->mode: who may kick, and how. Pairs with requests (smp_mb). */
enum armvmm_vcpu_mode {
	VCPU_OUTSIDE,		/* in user space or sleeping */
	VCPU_IN_GUEST,		/* IRQs off, about to enter or in the guest */
	VCPU_EXITING,		/* was kicked: an IPI is on its way */
};

/* State that PSCI CPU_ON leaves for the target to start from (PSCI 5.6). */
struct armvmm_vcpu_start {
	u32 pc;			/* bit 0 set: Thumb */
	u32 r0;
	bool big_endian;	/* of the caller: the target starts likewise */
};

struct armvmm_vcpu {
	struct armvmm_vm *vm;	/* constant */
	unsigned int id;	/* KVM_CREATE_VCPU's argument; constant */
	unsigned int index;	/* in vm->vcpus; constant */
	struct mutex mutex;	/* held through every vCPU ioctl, and all of KVM_RUN */
	struct hyp_vcpu *hyp;	/* what HYP mode needs of it; the pointer is constant */
	struct kvm_run *run;	/* shared page: the client may write it at any time */

	struct task_struct *task;	/* in KVM_RUN, which sets it; under rcu for kicks */
	struct rcuwait wait;	/* the vCPU's thread sleeps here; anybody wakes it */
	unsigned long requests;	/* VCPU_REQ_*: anybody sets, its thread clears, both atomically */
	enum armvmm_vcpu_mode mode;	/* its thread's; a kick makes it VCPU_EXITING (cmpxchg) */
	struct task_struct *last_task;	/* of the last KVM_RUN; only compared */
	int loaded_cpu;		/* the CPU that has its VMCR and APR, and changes this; or -1 */
	int last_cpu;		/* physical CPU of the last entry, -1 at first; anybody reads it */
	unsigned long rcu_noted;	/* jiffies at the last entry that RCU was told of */

	bool initialized;	/* KVM_ARM_VCPU_INIT was done; changed under start_lock, too */
	bool has_run_once;	/* set by its thread; anybody reads it */
	/*
	 * PSCI: off, waits for CPU_ON. start_lock, but for KVM_SET_MP_STATE and readers. Whoever
	 * sets it requests VCPU_REQ_SLEEP afterwards: the run loop looks at requests alone.
	 */
	bool power_off;
	u32 target;		/* of struct kvm_vcpu_init */
	u32 features;		/* bit n: feature n of struct kvm_vcpu_init */
	bool sigset_active;	/* sigset counts */
	sigset_t sigset;	/* KVM_SET_SIGNAL_MASK: what KVM_RUN blocks */

	struct armvmm_vcpu_start start;	/* valid while REQ_RESET is set; start_lock */
	spinlock_t start_lock;	/* CPU_ON of other vCPUs against this one */

	/* VCPU_IRQ_LINE*: user-space irqchip, KVM_ARM_IRQ_TYPE_CPU. Anybody, atomically. */
	unsigned long irq_lines;
	/* KVM_ARM_PSCI_* as presented: the VM's, kept by its first vCPU; any vCPU's thread. */
	u32 psci_version;

	struct stage2_host_seen host_seen;
	struct armvmm_debug debug;
	struct armvmm_cp14 cp14;
	struct armvmm_mmio mmio;
	struct armvmm_mmio_seq mmio_seq;	/* valid while mmio.in_seq is */
	struct armvmm_timer_vcpu timer;
	struct armvmm_pmu *pmu;	/* NULL without KVM_ARM_VCPU_PMU_V3 */
	struct armvmm_vgic_vcpu vgic;
	u32 halt_poll_ns;	/* how long a wait polls before it sleeps; adapts (run/halt.c) */
	struct armvmm_vcpu_stat stat;
};

#define VCPU_IRQ_LINE_IRQ	0
#define VCPU_IRQ_LINE_FIQ	1

#define vcpu_cp15(vcpu, reg)	((vcpu)->hyp->cp15[(reg)])
#define vcpu_hsr(vcpu)		((vcpu)->hyp->hsr)

static inline bool armvmm_vcpu_has_feature(const struct armvmm_vcpu *vcpu, unsigned int f)
{
	return vcpu->features & (1u << f);
}

/* --- a virtual machine: what stands behind the fd of KVM_CREATE_VM --- */

#define ARMVMM_MAX_VCPUS	HYP_MAX_VCPUS

/*
 * Lock order: vcpu->mutex > vm->lock > vm->slots_lock > mmap_lock > stage2.lock;
 * who holds vm->lock may only try a vCPU's mutex (armvmm_vcpus_trylock). vgic
 * and timer locks are innermost (see vgic/vgic.h). vm->srcu protects memslots and
 * iobus for readers.
 */
struct armvmm_vm {
	refcount_t users;	/* the VM's fd, its vCPUs' and devices' fds, irqfds */
	struct mm_struct *mm;	/* of the creator; ioctls from another mm are -EIO */
	kuid_t owner;		/* for whom it counts (vm/owner.c); constant */
	struct mutex lock;	/* vCPU creation, devices, what is set up before RUN */
	struct mutex slots_lock;	/* changes of memslots and of the iobus */
	struct srcu_struct srcu;

	struct armvmm_memslots __rcu *memslots;	/* changes: slots_lock; readers: srcu */
	compat_mmu_notifier_t mmu_notifier;	/* of mm; constant */
	struct stage2 stage2;

	struct armvmm_vcpu *vcpus[ARMVMM_MAX_VCPUS];	/* by creation order; added under lock */
	int created_vcpus;	/* under lock */
	int online_vcpus;	/* release/acquire: vcpus[0..n-1] may be used */

	atomic64_t cntvoff;	/* counter ticks: CNTVCT = CNTPCT - cntvoff; any thread */

	struct armvmm_iobus mmio_bus;
	struct armvmm_coalesced *coalesced;	/* constant */
	struct armvmm_mirrors *mirrors;	/* constant */
	struct armvmm_eventfds *eventfds;	/* constant */
	struct armvmm_vgic vgic;
	struct {
		struct list_head link;
		bool stops;	/* ARMVMM_CAP_SUSPEND_STOPS; written without a lock */
	} suspend;		/* vm/suspend.c */
	struct armvmm_vm_stat stat;
	struct armvmm_stat_files stat_files;	/* where they are shown */

	/* KVM_ENABLE_CAP sets this, and return_nisv_to_user, at any time and without a lock. */
	bool manual_dirty_log_protect;	/* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 is enabled */
	/* vCPUs that may be charged for a page, and ioctls that unpin (stage2_pin.c); */
	atomic_t pins_pending;
	atomic_t pins_returned;		/* how often one of those gave a charge back */
	const struct cred *pin_cred;	/* its user is charged for pins, or NULL; constant */
	bool return_nisv_to_user;	/* KVM_CAP_ARM_NISV_TO_USER is enabled */
};

#endif

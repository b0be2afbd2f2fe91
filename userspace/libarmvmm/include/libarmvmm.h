/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libarmvmm: virtual machines on /dev/armvmm.
 *
 * A program opens a VM, gives it memory and an interrupt controller, creates
 * vCPUs, sets their registers by name and runs each on a thread of its own:
 *
 *	armvmm_vm_open(NULL, &vm);
 *	armvmm_vm_memory_set(vm, 0, 0x40000000, size, ram, 0);
 *	armvmm_gic_create(vm, 0x08000000, 0x08010000, 96);
 *	armvmm_vcpu_create(vm, 0, &vcpu);
 *	armvmm_vcpu_init(vcpu, ARMVMM_VCPU_PSCI_0_2);
 *	armvmm_gic_init(vm);
 *	armvmm_vcpu_reg_set(vcpu, "pc", 0x40008000);
 *	while (!armvmm_vcpu_run(vcpu, &exit))
 *		switch (exit.reason) ...
 *
 * Conventions
 * - Every function that can fail returns 0 (or a count) or a negative errno.
 *   The library never prints, never ends the process, installs no signal
 *   handler, starts no thread and keeps no global state.
 * - Addresses and sizes are in bytes; "gpa" is a guest-physical address (an
 *   IPA, 40 bits). Values in structures are in the host's byte order.
 * - Threads: functions on a VM may be called from any thread at any time
 *   except armvmm_vm_close(). Functions on a vCPU belong to the thread that
 *   runs it, except armvmm_vcpu_kick(). Closing waits for nobody: the caller
 *   ends its vCPU threads first.
 * - Besides the errors that are listed, any call may return -EIO, if another
 *   process created the VM (before a fork), and those of ioctl(2).
 *
 * The node speaks the KVM ABI of 32-bit Arm, which <linux/armvmm.h> describes.
 * For what this library does not wrap, armvmm_vm_fd(), armvmm_vm_device_fd() and
 * armvmm_vcpu_fd() give the file descriptors.
 */
#ifndef LIBARMVMM_H
#define LIBARMVMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct armvmm_vm;
struct armvmm_vcpu;

/* The library's own version, "1.0.0". Never NULL; any context. */
const char *armvmm_library_version(void);

/* ---- VM ---- */

/* The version of the KVM API that the node must speak. */
#define ARMVMM_API_VERSION	12

/*
 * Opens @device (NULL: /dev/armvmm) and creates a VM on it.
 *
 * Errors: those of open(2) (-ENOENT: the module is not loaded; -EACCES: no
 * permission for the node); -ENOTTY: the node is no hypervisor;
 * -EPROTONOSUPPORT: it speaks another API version (armvmm_device_version()
 * tells which); -EPROTO: it answers nonsense; -ENOMEM.
 */
int armvmm_vm_open(const char *device, struct armvmm_vm **vm);

/*
 * The same for a caller that can no longer open files: @fd is the open node, and
 * stays the caller's. Errors: as above, and those of fcntl(2).
 */
int armvmm_vm_open_fd(int fd, struct armvmm_vm **vm);

/*
 * The API version that @device (NULL: the default one) answers, or a negative
 * errno as for armvmm_vm_open().
 */
int armvmm_device_version(const char *device);

/*
 * Destroys the VM and its remaining vCPUs. No thread may be in a function on it.
 * NULL does nothing. Memory that was given to the VM stays the caller's.
 */
void armvmm_vm_close(struct armvmm_vm *vm);

/* The file descriptors of the VM and of the node. The caller may not close them. */
int armvmm_vm_fd(const struct armvmm_vm *vm);
int armvmm_vm_device_fd(const struct armvmm_vm *vm);

/* KVM_CHECK_EXTENSION: 0 when absent, else positive. @cap is a KVM_CAP_ or ARMVMM_CAP_ number. */
int armvmm_vm_check_extension(struct armvmm_vm *vm, unsigned int cap);

/* True if vCPUs of this VM can have performance counters (ARMVMM_VCPU_PMU). */
bool armvmm_vm_has_pmu(struct armvmm_vm *vm);

/*
 * Whether the virtual counter stands still while the host is suspended to RAM or to idle. Without
 * it the counter is the host's, as at first. Error: -EINVAL: an older module.
 */
int armvmm_vm_suspend_stops(struct armvmm_vm *vm, bool stops);

/*
 * True if the host pins each page of guest memory that the guest touches. Beyond RLIMIT_MEMLOCK
 * armvmm_vcpu_run() then returns -ENOMEM. Until the memory slot is removed, or they are unpinned,
 * the guest keeps the pages that it has touched, whatever the caller does to its mapping.
 */
bool armvmm_vm_pins_memory(struct armvmm_vm *vm);
/* True if armvmm_vm_unpin() is there. */
bool armvmm_vm_can_unpin(struct armvmm_vm *vm);

/* ---- Memory ---- */

/* The guest may read and execute; its writes become ARMVMM_EXIT_MMIO. */
#define ARMVMM_MEMORY_READONLY	(1u << 0)
/* Written pages are recorded for armvmm_vm_dirty_log(). */
#define ARMVMM_MEMORY_LOG_DIRTY	(1u << 1)

/*
 * Makes @size bytes at @host appear at @gpa, or removes the slot when @size is 0. @slot is 0 to 31
 * at least. @gpa, @size and @host are multiples of 4096. The mapping may be swapped, shared or
 * remapped at any time: the guest sees what the process sees, unless armvmm_vm_pins_memory() is
 * true.
 *
 * Errors: -EINVAL: unaligned, or a change in place that KVM does not allow;
 * -EFAULT: beyond 40 bits; -EPERM: the mapping is read-only, and @flags has no
 * ARMVMM_MEMORY_READONLY; -EEXIST: overlaps another slot; -ENOMEM.
 */
int armvmm_vm_memory_set(struct armvmm_vm *vm, unsigned int slot, uint64_t gpa, uint64_t size,
			 void *host, unsigned int flags);

/*
 * Takes pages that the host has pinned from the guest: by its next touch it gets what the mapping
 * of the caller has there then. Whoever gives pages back, or puts others in their place, does that
 * first. @gpa and @size are multiples of 4096, and in one slot.
 *
 * Errors: -EINVAL: unaligned, or the host does not pin; -ENOENT: no slot has all of it.
 */
int armvmm_vm_unpin(struct armvmm_vm *vm, uint64_t gpa, uint64_t size);

/*
 * Fetches and clears the dirty bits of @slot: bit n of the little-endian
 * bitmap is page n. @bitmap holds one bit per page of the slot, rounded up to
 * 64 bits. Errors: -ENOENT: no such slot or it does not log.
 */
int armvmm_vm_dirty_log(struct armvmm_vm *vm, unsigned int slot, void *bitmap);

/* ---- Interrupts ---- */

/*
 * Creates the GICv2 (IHI 0048B): distributor at @dist_base (4 KiB), CPU
 * interface at @cpu_base (8 KiB), @nr_irqs interrupts in all (64 to 1024, a
 * multiple of 32; INTID 32 is SPI 0). To be called once, before armvmm_gic_init().
 *
 * Errors: -EEXIST: the VM has one; -ENODEV: the host has no usable GIC;
 * -EINVAL: @nr_irqs, an address that is no multiple of 4096, or frames that
 * overlap; -E2BIG: beyond 40 bits. The VM is unchanged then.
 */
int armvmm_gic_create(struct armvmm_vm *vm, uint64_t dist_base, uint64_t cpu_base,
		      unsigned int nr_irqs);

/*
 * Completes the GIC, after the last armvmm_vcpu_create() and before the first
 * run. Errors: -ENODEV: armvmm_gic_create() was not called; -EBUSY: a vCPU runs.
 */
int armvmm_gic_init(struct armvmm_vm *vm);

enum armvmm_gic_bank {
	ARMVMM_GIC_DIST = 1,	/* GICD_*, IHI 0048B 4.3 */
	ARMVMM_GIC_CPU = 2,	/* GICC_*, IHI 0048B 4.4 */
};

/*
 * Reads or writes a GIC register as @vcpu (its index) sees it, @offset a
 * multiple of 4. For saving and restoring, with no vCPU running (-EBUSY).
 * Errors: -ENXIO: no such register; -EINVAL: no such vCPU.
 */
int armvmm_gic_reg_get(struct armvmm_vm *vm, enum armvmm_gic_bank bank, unsigned int vcpu,
		       unsigned int offset, uint32_t *value);
int armvmm_gic_reg_set(struct armvmm_vm *vm, enum armvmm_gic_bank bank, unsigned int vcpu,
		       unsigned int offset, uint32_t value);

/*
 * Sets the level of SPI @spi (0 is INTID 32). For an edge-triggered interrupt
 * the change from false to true is the event. Errors: -EINVAL: no such SPI;
 * -ENXIO: no GIC.
 */
int armvmm_irq_set_spi(struct armvmm_vm *vm, unsigned int spi, bool level);

/* Sets the level of PPI @intid (16 to 31) of vCPU @vcpu. */
int armvmm_irq_set_ppi(struct armvmm_vm *vm, unsigned int vcpu, unsigned int intid, bool level);

/*
 * Connects the eventfd @fd to SPI @spi: a signal raises and lowers it. With
 * @resample_fd (an eventfd, else -1) a signal raises a level interrupt. When the
 * guest ends it, it is lowered and @resample_fd is signalled. Errors:
 * -EBUSY: connected already; -EINVAL: no such SPI or no eventfd.
 */
int armvmm_irqfd_add(struct armvmm_vm *vm, int fd, unsigned int spi, int resample_fd);
int armvmm_irqfd_del(struct armvmm_vm *vm, int fd, unsigned int spi);

/*
 * A write of @len bytes (1, 2, 4, 8; 0: any length) at @gpa by the guest signals
 * the eventfd @fd, with no exit. With @match, only a write of that value does.
 * armvmm_ioeventfd_del() takes the same arguments. Errors: -EEXIST: taken;
 * -ENOENT: nothing to delete; -ENOSPC; -EINVAL.
 */
int armvmm_ioeventfd_add(struct armvmm_vm *vm, int fd, uint64_t gpa, unsigned int len,
			 const uint64_t *match);
int armvmm_ioeventfd_del(struct armvmm_vm *vm, int fd, uint64_t gpa, unsigned int len,
			 const uint64_t *match);

/* ---- Registers of the caller's, without an exit ---- */

/* How many mirrors a VM may have; 0: an older module, which has none. */
unsigned int armvmm_vm_mirrors(struct armvmm_vm *vm);

/*
 * Has the kernel answer the guest's reads of the @size (1, 2 or 4) bytes at @gpa with @value, from
 * the return on. A second call for the same bytes changes the value. Writes still come to the
 * caller. Errors: -EINVAL: @gpa is no multiple of @size, or @value does not fit, or an older
 * module; -EEXIST: overlaps another; -ENOSPC: there are armvmm_vm_mirrors().
 */
int armvmm_mirror_set(struct armvmm_vm *vm, uint64_t gpa, unsigned int size, uint32_t value);
/* Reads come to the caller again. -ENOENT: they did. */
int armvmm_mirror_del(struct armvmm_vm *vm, uint64_t gpa, unsigned int size);

/*
 * Has the kernel post the guest's writes to the @size bytes at @gpa, with no exit, in a queue that
 * all vCPUs of the VM share, until armvmm_posted_del(). That keeps what is posted. If the queue is
 * full, a write is an exit, and comes behind all that is posted. Errors: -ENODEV: the VM has no
 * vCPU; -ENOTSUP: the kernel cannot; -ENOSPC, -ENOMEM.
 */
int armvmm_posted_add(struct armvmm_vm *vm, uint64_t gpa, uint32_t size);
int armvmm_posted_del(struct armvmm_vm *vm, uint64_t gpa, uint32_t size);

/* The most that may be posted at a time: no more than so many, on any host. */
#define ARMVMM_POSTED_MAX	170

struct armvmm_posted_write {
	uint64_t gpa;
	uint32_t len;		/* 1, 2, 4 or 8 */
	uint32_t reserved;
	uint8_t data[8];	/* in the order of a little-endian guest */
};

/*
 * The oldest writes that are posted: *@writes is where @n of them lie one behind the other. There
 * may be more behind those: armvmm_posted_done() first. Any thread, one at a time. Returns 0 if
 * there are none: that any thread may ask at any time, and it sees what others did before their
 * armvmm_posted_done().
 */
unsigned int armvmm_posted_peek(struct armvmm_vm *vm, const struct armvmm_posted_write **writes);
/* The caller has done the first @n of them. */
void armvmm_posted_done(struct armvmm_vm *vm, unsigned int n);

/* ---- vCPUs ---- */

/*
 * Creates vCPU @index (0 to 7 with a GICv2). Errors: -EINVAL: index too high;
 * -EEXIST: it exists; -EBUSY: after armvmm_gic_init(); -ENOMEM.
 */
int armvmm_vcpu_create(struct armvmm_vm *vm, unsigned int index, struct armvmm_vcpu **vcpu);

/* Unmaps and closes. NULL does nothing. The index stays taken until the VM is closed. */
void armvmm_vcpu_close(struct armvmm_vcpu *vcpu);

unsigned int armvmm_vcpu_index(const struct armvmm_vcpu *vcpu);
int armvmm_vcpu_fd(const struct armvmm_vcpu *vcpu);

#define ARMVMM_VCPU_POWER_OFF	(1u << 0)	/* waits for PSCI CPU_ON */
#define ARMVMM_VCPU_PSCI_0_2	(1u << 1)	/* PSCI 0.2 to 1.1 and SMCCC 1.1 by hvc */
#define ARMVMM_VCPU_PMU		(1u << 2)	/* performance counters (DDI 0406C C12) */

/*
 * Gives the vCPU its reset state: SVC mode, A32, interrupts masked, MMU and
 * caches off (DDI 0406C B1.9.1). The CPU is of the host's type. To be called
 * before the first run and register access; may be repeated with the same features.
 * Errors: -EINVAL: an unknown feature, other features than before, or no PMU.
 */
int armvmm_vcpu_init(struct armvmm_vcpu *vcpu, unsigned int features);

/*
 * Completes the performance counters of a vCPU that has ARMVMM_VCPU_PMU, after
 * armvmm_gic_init() and before its first run: their interrupt is @intid, a PPI (16
 * to 31) that is the same for all vCPUs, or an SPI (from 32) of this vCPU alone.
 * Errors: -ENODEV: no PMU, or no GIC yet; -EINVAL: @intid; -EBUSY: called before.
 */
int armvmm_vcpu_pmu_init(struct armvmm_vcpu *vcpu, unsigned int intid);

enum armvmm_exit_reason {
	ARMVMM_EXIT_INTR,	/* a signal, or armvmm_vcpu_kick() */
	ARMVMM_EXIT_MMIO,
	ARMVMM_EXIT_SHUTDOWN,	/* PSCI SYSTEM_OFF (DEN0022 5.10) */
	ARMVMM_EXIT_RESET,	/* PSCI SYSTEM_RESET (DEN0022 5.11) */
	ARMVMM_EXIT_FAIL_ENTRY,	/* the vCPU cannot be entered: see .fail_entry */
	ARMVMM_EXIT_INTERNAL,	/* the hypervisor gave up: see .internal */
	ARMVMM_EXIT_NISV,	/* an access that was not decoded (KVM_CAP_ARM_NISV_TO_USER) */
	ARMVMM_EXIT_DEBUG,	/* what armvmm_vcpu_debug_set() asked for: see .debug */
	ARMVMM_EXIT_OTHER,	/* see .raw: KVM_EXIT_* */
};

/* Why a CPU did not enter the vCPU; later versions may have more reasons. */
enum armvmm_fail_reason {
	ARMVMM_FAIL_NO_HYP = 1,		/* HYP mode has another owner there */
	ARMVMM_FAIL_NO_DEBUG = 2,	/* it lacks what armvmm_vcpu_debug_set() asked for */
	ARMVMM_FAIL_OTHER_PART = 3,	/* big.LITTLE: it is of another part than the vCPU */
};

enum armvmm_debug_event {
	ARMVMM_DEBUG_EVENT_BKPT,	/* a BKPT instruction is next */
	ARMVMM_DEBUG_EVENT_BREAKPOINT,	/* the instruction at a breakpoint is next */
	ARMVMM_DEBUG_EVENT_WATCHPOINT,	/* an instruction that hits a watchpoint is next */
	ARMVMM_DEBUG_EVENT_STEP,	/* one instruction was done */
};

struct armvmm_exit {
	enum armvmm_exit_reason reason;
	uint32_t raw;		/* KVM_EXIT_ number */
	union {
		struct {
			uint64_t gpa;
			/*
			 * The @len bytes that were written; or, for a read, where
			 * the caller puts them before the next run. In the order
			 * of a little-endian guest, in the vCPU's run page.
			 */
			uint8_t *data;
			uint32_t len;	/* 1, 2, 4 or 8 */
			bool is_write;
		} mmio;
		struct {
			uint64_t reason;	/* enum armvmm_fail_reason */
			uint32_t cpu;
		} fail_entry;
		struct {
			uint32_t suberror;
			uint32_t nr_data;
			uint64_t data[16];
		} internal;
		struct {
			uint64_t ipa;
			uint64_t hsr;	/* HSR.ISS, DDI 0406C B3.13.6 */
		} nisv;
		struct {
			enum armvmm_debug_event event;
			uint32_t pc;	/* the next instruction's address */
			uint32_t far;	/* watchpoint: the address accessed */
			bool is_write;	/* watchpoint: by a store */
		} debug;
	};
};

/*
 * Runs the guest on the calling thread until something needs the caller.
 * Returns 0 with @exit filled in (a signal is ARMVMM_EXIT_INTR, no error), or
 * a negative errno: -ENOEXEC: armvmm_vcpu_init() was not called; -EFAULT: the
 * process has unmapped guest memory; -ENOMEM (armvmm_vm_pins_memory()); -EINVAL;
 * -ENODEV. A vCPU that is powered off sleeps in here.
 */
int armvmm_vcpu_run(struct armvmm_vcpu *vcpu, struct armvmm_exit *exit);

/*
 * Makes the next armvmm_vcpu_run() return ARMVMM_EXIT_INTR at once. To end one
 * that is under way, the caller also sends a signal to the vCPU's thread (its
 * handler may be empty). From any thread or signal handler. Every run returns at
 * once until armvmm_vcpu_unkick().
 */
void armvmm_vcpu_kick(struct armvmm_vcpu *vcpu);
void armvmm_vcpu_unkick(struct armvmm_vcpu *vcpu);

/*
 * Completes the last MMIO access without running the guest, so that its registers can be read.
 * Returns 0 if nothing is left to complete; or 1 if the same instruction has another access, with
 * @exit filled in as by armvmm_vcpu_run(): do it and call again; or a negative errno.
 */
int armvmm_vcpu_complete(struct armvmm_vcpu *vcpu, struct armvmm_exit *exit);

/* What armvmm_vcpu_debug_set() turns on; the rest is off. */
#define ARMVMM_DEBUG_STEP	(1u << 0)	/* ARMVMM_EXIT_DEBUG after each instruction */
#define ARMVMM_DEBUG_BKPT	(1u << 1)	/* the guest's BKPT instructions are the caller's */
/* Once: the guest itself takes the BKPT that is next. */
#define ARMVMM_DEBUG_INJECT_BKPT (1u << 2)
/*
 * With ARMVMM_DEBUG_STEP: the guest takes no IRQ meanwhile, and an FIQ only at a load, a store or
 * an MRC that it does with IRQs masked.
 */
#define ARMVMM_DEBUG_BLOCK_IRQ	(1u << 3)

/* The means to debug vCPUs. */
struct armvmm_debug_caps {
	unsigned int breakpoints;	/* debug registers; 0: none, or out of reach */
	unsigned int watchpoints;
	unsigned int flags;		/* ARMVMM_DEBUG_* that armvmm_vcpu_debug_set() takes */
};

/* Never fails: with an older module there are none. */
void armvmm_vm_debug_caps(struct armvmm_vm *vm, struct armvmm_debug_caps *caps);

/*
 * DBGBCR, DBGBVR, DBGWCR and DBGWVR (DDI 0406C C11.11), as many as
 * KVM_CAP_GUEST_DEBUG_HW_BPS and _HW_WPS answer, the others zero. Breakpoints
 * match addresses, in PL0, PL1 or both.
 */
struct armvmm_debug_regs {
	uint32_t bcr[16];
	uint32_t bvr[16];
	uint32_t wcr[16];
	uint32_t wvr[16];
};

/*
 * Chooses the debug events that end a run of the vCPU. @regs may be NULL: no
 * breakpoints or watchpoints. A step ends before the next instruction, which may
 * be the first one of an exception's handler, or, without ARMVMM_DEBUG_BLOCK_IRQ, of an
 * interrupt's.
 * Errors: -EINVAL: an unknown flag, a register that the CPU does not have, a value
 * that it may not have, or a CPU that cannot step (ARMVMM_CAP_GUEST_DEBUG);
 * -EBUSY: ARMVMM_DEBUG_INJECT_BKPT in the middle of an MMIO access.
 */
int armvmm_vcpu_debug_set(struct armvmm_vcpu *vcpu, unsigned int flags,
			  const struct armvmm_debug_regs *regs);

/* Power state (KVM_MP_STATE_RUNNABLE or _STOPPED). */
int armvmm_vcpu_mp_state_get(struct armvmm_vcpu *vcpu, uint32_t *state);
int armvmm_vcpu_mp_state_set(struct armvmm_vcpu *vcpu, uint32_t state);

/* ---- Registers ---- */

/*
 * By name, in lower case:
 *   r0-r12, sp, lr, pc (also r13-r15: the user bank), cpsr
 *   sp_, lr_, spsr_ with svc, abt, und, irq, fiq; r8_fiq-r12_fiq
 *   d0-d31, fpscr, fpexc, fpsid, mvfr0, mvfr1, fpinst, fpinst2
 *   cntv_ctl, cntv_cval, cntvct, cntp_ctl, cntp_cval, cntpct
 *   the cp15 registers by the manual's names (DDI 0406C B3.17): midr, mpidr,
 *   sctlr, ttbr0, ttbcr, vbar, ...
 * The names are those of armvmm_reg_name(). Values of 32-bit registers are in
 * the low half; the upper half must be zero (-ERANGE).
 *
 * Errors: -ENOENT: unknown name, or the CPU has no such register; -EINVAL: a
 * value that the register cannot take; -ENOEXEC: before armvmm_vcpu_init().
 */
int armvmm_vcpu_reg_get(struct armvmm_vcpu *vcpu, const char *name, uint64_t *value);
int armvmm_vcpu_reg_set(struct armvmm_vcpu *vcpu, const char *name, uint64_t value);

/* By KVM ONE_REG id (<asm/kvm.h>); 32 and 64 bits only (-EINVAL). */
int armvmm_vcpu_reg_id_get(struct armvmm_vcpu *vcpu, uint64_t id, uint64_t *value);
int armvmm_vcpu_reg_id_set(struct armvmm_vcpu *vcpu, uint64_t id, uint64_t value);

/* The ONE_REG id of a name. -ENOENT. */
int armvmm_reg_id(const char *name, uint64_t *id);

/* The name of register @n, counting from 0, or NULL after the last. */
const char *armvmm_reg_name(unsigned int n);

/*
 * The ids of all registers that the vCPU has, into @ids (room for @nr).
 * Returns how many there are; when more than @nr, @ids is untouched.
 */
int armvmm_vcpu_reg_list(struct armvmm_vcpu *vcpu, uint64_t *ids, unsigned int nr);

/* ---- State ---- */

/*
 * Saves the state of a VM without its memory and the levels of interrupt lines: registers, power
 * state and pending aborts of its vCPUs, the GIC, the virtual counter. *@data is malloc()ed; its
 * *@size bytes are valid in another process, or on another host with the same CPU.
 *
 * No vCPU may run, and each one's last armvmm_vcpu_run() must have returned ARMVMM_EXIT_INTR (or
 * armvmm_vcpu_complete() 0): an incomplete access is not part of the state. The caller saves the
 * memory, before or after.
 *
 * Errors: -EBUSY: a vCPU runs; -ENODEV: there is no vCPU 0; -ENOEXEC: a vCPU was not initialized;
 * -ENOMEM.
 */
int armvmm_vm_state_save(struct armvmm_vm *vm, void **data, size_t *size);

/*
 * Gives a VM a saved state. The VM must have the same vCPUs, created and initialized in the same
 * way, and a GIC with as many interrupts, after armvmm_gic_init(). The virtual counter continues
 * from its saved value; the physical counter is the host's, and deadlines of the physical timer are
 * in its time. Afterwards the caller sets the level of each interrupt line that its devices hold
 * high.
 *
 * Errors: -EBADMSG: no state, or a damaged one; -EPROTONOSUPPORT: another version's; -ENXIO: the VM
 * was made differently; -EINVAL, -ENOENT: the CPU is another one. After an error the state is set
 * in part.
 */
int armvmm_vm_state_restore(struct armvmm_vm *vm, const void *data, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* LIBARMVMM_H */

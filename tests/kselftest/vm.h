/* SPDX-License-Identifier: GPL-2.0-only */
/* A small machine for the tests of single ioctls, and guest code to run in it. */
#ifndef TEST_VM_H
#define TEST_VM_H

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/armvmm.h>

#include "../guest/lib/board.h"
#include "ktap.h"

/* Nothing is at DEV_BASE: every access is an exit. */
#define PAGE		4096u
#define RAM_SIZE	(4u << 20)
#define MAX_VCPUS	8

#define CORE_REG(n)	(KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_CORE | (n))
#define REG_R(n)	CORE_REG(n)
#define REG_SP		CORE_REG(13)
#define REG_LR		CORE_REG(14)
#define REG_PC		CORE_REG(15)
#define REG_CPSR	CORE_REG(16)

struct vm {
	int sys, fd, gic;
	char *ram;
	size_t run_size;
	struct kvm_vcpu_init init;	/* preferred target, PSCI 0.2 */
	struct {
		int fd;
		struct kvm_run *run;
	} vcpu[MAX_VCPUS];
};

/* What vm_make() leaves out. */
#define VM_NO_GIC	1	/* user-space irqchip */
#define VM_NO_GIC_INIT	2
#define VM_NO_VCPU_INIT	4
#define VM_NO_RAM	8
#define VM_PSCI_01	16

const char *device_node(void);	/* $ARMVMM_DEVICE, else /dev/armvmm */
int sys_open(void);		/* skips the case when there is no node */
/*
 * A user who may open the node as a member of its group, or may not. Only root may open the node
 * until node_share(); node_unshare() restores it. be_nobody() is for a child process.
 */
#define NOBODY		65534u
#define NODE_GROUP	65433u
void node_share(void);
void node_unshare(void);
void be_nobody(bool member);
/*
 * Does the host pin guest memory, as its kernel has no MMU_NOTIFIER? KVM_CAP_SYNC_MMU must agree
 * with what tests/host/FLAVOUR.config gave the kernel. needs_sync_mmu() skips a case on such a
 * host: the case changes the client's mapping under the guest.
 */
bool host_pins(void);
void needs_sync_mmu(void);
/* Has the host's kernel eventfd(2)? */
bool host_has_eventfd(void);
int vm_new(int sys);
/* Everything: RAM, vGIC, n vCPUs, of which all but the first are off. */
void vm_make(struct vm *vm, unsigned int nvcpus, unsigned int without);
void vm_vcpu(struct vm *vm, unsigned int i, unsigned int without);
void vm_vcpu_init(struct vm *vm, unsigned int i);
int vm_gic(struct vm *vm);
/* Turns vCPU i on, as PSCI's CPU_ON would. */
void vm_vcpu_on(struct vm *vm, unsigned int i);
/* Copies guest code to RAM and points vCPU i at it. */
void vm_code(struct vm *vm, unsigned int i, const void *start, const void *end);
void vm_code_at(struct vm *vm, unsigned int i, uint32_t at, const void *start, const void *end);
/*
 * What the client wrote to guest memory becomes the guest's, and what the guest wrote the client's.
 * The guests here run with their caches off, so that neither has to see what the other writes to a
 * page that both have. The host takes the pages back, and flushes them: then, and when the guest
 * gets them again. Private or shared memory that may be read and written; no vCPU runs in it.
 */
void vm_sync(const volatile void *p, size_t len);
void vm_close(struct vm *vm);

int reg_get(int vcpu, uint64_t id, void *val);
int reg_set(int vcpu, uint64_t id, const void *val);
uint32_t reg32(int vcpu, uint64_t id);
uint64_t reg64(int vcpu, uint64_t id);
void reg32_set(int vcpu, uint64_t id, uint32_t val);
int attr_set(int fd, uint32_t group, uint64_t attr, void *val);
int attr_get(int fd, uint32_t group, uint64_t attr, void *val);
int attr_has(int fd, uint32_t group, uint64_t attr);
int irq_line(int vm, uint32_t irq, uint32_t level);
int mem_set(int vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size, void *hva);
uint64_t now_ns(void);
char *map_pages(size_t size);
/*
 * Has vCPU 0, before all else, turn its MMU and caches on. Each address is itself, and memory is
 * cached. Takes the last 16 KiB of the VM's RAM.
 */
void vm_caches_on(struct vm *vm);
/* Binds this thread to that CPU. */
void cpu_bind(unsigned int cpu);
/* Returns 0, or -1 and errno; skips the case if there is no such file. */
int module_load(const char *file, const char *params);
/* Sets a parameter of the module; at the case's end it is as it was. */
void param_put(const char *name, const char *val);
/* Turns one on or off, likewise. */
void param_set(const char *name, bool on);
bool param_is(const char *name);
/* Takes a CPU of the host offline, or back online. Returns 0, or -1 and errno. */
int cpu_online(unsigned int cpu, bool on);
/* How often @what is in the kernel's log, as far as the kernel still has it. */
unsigned int log_count(const char *what);
/* The number behind @what ("MemFree:") in a file of /proc, in KiB; -1: it is not there. */
long proc_kb(const char *file, const char *what);

/* Runs vCPU i until it exits by something else than a signal. Returns the exit reason. */
unsigned int vm_run(struct vm *vm, unsigned int i);
/* Completes the access that vCPU @i exited by; the guest does nothing more. */
void vm_complete(struct vm *vm, unsigned int i);
/* Runs in a thread until the guest powers off or stop is set. */
struct runner {
	struct vm *vm;
	unsigned int i;
	pthread_t thread;
	volatile bool stop;
	volatile int error;	/* errno of a failed RUN */
	volatile unsigned int mmio, exits;
	volatile unsigned int event;	/* type of the system event, 0 none */
	volatile uint32_t last;	/* last word written to DEV_BASE */
	volatile uint32_t answer;	/* what a read of the device gives */
};
void runner_start(struct runner *r, struct vm *vm, unsigned int i);
/* n vCPUs, turned on, each with a copy of the code. */
void runners_start(struct runner *r, struct vm *vm, unsigned int n, const void *start,
		   const void *end);
void runner_stop(struct runner *r);
/* Waits until the guest wrote to DEV_BASE at least n times. */
bool runner_wait(struct runner *r, unsigned int n, unsigned int ms);

/* A thread that writes to an eventfd all the time. */
struct signaller {
	pthread_t thread;
	int fd;
	volatile bool stop;
};
void signaller_start(struct signaller *s, int fd);
void signaller_stop(struct signaller *s);

/*
 * Enough for events that take milliseconds, even if the emulator, or one of its CPUs, stands still.
 */
#define PATIENCE_MS	20000
/* Waits until @flag is not zero, for PATIENCE_MS at most. Returns whether it is. */
bool comes(const volatile unsigned int *flag);

#define SPI(n)		(KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | (n))
#define PPI(cpu, n)	(KVM_ARM_IRQ_TYPE_PPI << KVM_ARM_IRQ_TYPE_SHIFT | (cpu) << 16 | (n))
#define CPU_IRQ(cpu, n)	(KVM_ARM_IRQ_TYPE_CPU << KVM_ARM_IRQ_TYPE_SHIFT | (cpu) << 16 | (n))

/* The value of a macro, as text. */
#define TEXT(macro)	TEXT_(macro)
#define TEXT_(value)	#value

/* The board's addresses, by name, for the assembly of guest code. */
#define BOARD_NAMES								\
	".set DEV_BASE, " TEXT(DEV_BASE) "\n\t.set GICD_BASE, " TEXT(GICD_BASE)	\
	"\n\t.set GICC_BASE, " TEXT(GICC_BASE) "\n\t.set RAM_BASE, " TEXT(RAM_BASE)	\
	"\n\t.set LOAD_ADDR, " TEXT(LOAD_ADDR) "\n\t"

/*
 * Position-independent A32 guest code, 64-byte aligned: code_NAME up to code_NAME_end. It may use
 * BOARD_NAMES.
 */
#define GUEST_CODE(name, text)							\
extern const char code_##name[], code_##name##_end[];				\
asm(".pushsection .rodata\n\t.balign 64\n\t.syntax unified\n\t.arm\n\t"		\
	".arch_extension virt\n\t.arch_extension sec\n\t" BOARD_NAMES		\
	".global code_" #name "\ncode_" #name ":\n\t" text			\
	"\n\t.ltorg\n\t.global code_" #name "_end\ncode_" #name "_end:\n\t.popsection\n")
#define VM_CODE(vm, i, name)	vm_code(vm, i, code_##name, code_##name##_end)

#endif /* TEST_VM_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest for the tests of KVM_SET_GUEST_DEBUG. */
#ifndef TEST_DEBUG_H
#define TEST_DEBUG_H

#include "../guest/lib/cpsr.h"
#include "vm.h"

/* The ioctl in KVM/arm's headers: the structure after the flags was empty. */
struct bare_debug {
	uint32_t control, pad;
};
#define SET_GUEST_DEBUG_BARE	_IOW(KVMIO, 0x9b, struct bare_debug)

#define BCR_ARM		(0xfu << 5 | 3 << 1 | 1)
#define BCR_LOW		(0x3u << 5 | 3 << 1 | 1)
#define BCR_HIGH	(0xcu << 5 | 3 << 1 | 1)
#define BCR_USER	(0xfu << 5 | 2 << 1 | 1)
#define WCR(bas, lsc)	((bas) << 5 | (lsc) << 3 | 3 << 1 | 1)
#define WP_LOAD		1u
#define WP_STORE	2u
#define HSR_WNR		(1u << 6)

/* The guest's own registers. */
#define DBG(crn, crm, op2)	ARM_CP14_REG32(0, (uint64_t)(crn), (uint64_t)(crm), (uint64_t)(op2))
#define DBGDIDR		DBG(0, 0, 0)
#define DBGDSCR		DBG(0, 2, 2)
#define DBGOSLSR	DBG(1, 1, 4)
#define DBGBVR(n)	DBG(0, n, 4)
#define DBGBCR(n)	DBG(0, n, 5)
#define DBGWVR(n)	DBG(0, n, 6)
#define DBGWCR(n)	DBG(0, n, 7)
#define MDBGEN		0x8000u

#define IFSR		ARM_CP15_REG32(0, 5, 0, 1)
#define VBAR		ARM_CP15_REG32(0, 12, 0, 0)
#define CPSR_USR	(MODE_USR | CPSR_AIF)
#define CPSR_SVC	(MODE_SVC | CPSR_AIF)
#define CODE		LOAD_ADDR
#define VECTORS		(RAM_BASE + 0x8000)
#define DATA		(RAM_BASE + 0x20000)

static struct vm vm;
static struct kvm_run *run;
static int vcpu;

static inline void start(unsigned int nvcpus, unsigned int without)
{
	vm_make(&vm, nvcpus, without);
	run = vm.vcpu[0].run;
	vcpu = vm.vcpu[0].fd;
	if (without & VM_NO_VCPU_INIT)
		return;
	reg32_set(vcpu, VBAR, VECTORS);
	/* Every vector branches to itself. */
	for (unsigned int i = 0; i < 8; i++)
		((uint32_t *)(vm.ram + 0x8000))[i] = 0xeafffffe;
}

static inline int set_debug(int fd, uint32_t control, const struct kvm_guest_debug_arch *arch)
{
	struct kvm_guest_debug dbg = { .control = control };

	if (arch)
		dbg.arch = *arch;
	return ioctl(fd, KVM_SET_GUEST_DEBUG, &dbg);
}

#define SW	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP)
#define HW	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW)
#define STEP	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP)

static inline int cap(unsigned long n)
{
	return ioctl(vm.sys, KVM_CHECK_EXTENSION, n);
}

/* For cases that need hardware which a board may keep out of reach. */
static inline void need_hw(void)
{
	if (!cap(KVM_CAP_GUEST_DEBUG_HW_BPS))
		ktap_skip("this host's debug registers are out of reach");
}

/* Runs without an exit until the PC is @pc, where the guest stays. */
static inline void run_to(uint32_t pc)
{
	struct runner r;

	for (unsigned int i = 0; i < 200; i++) {
		runner_start(&r, &vm, 0);
		usleep(10000);
		runner_stop(&r);
		MUST(!r.error && !r.exits, "error %d, %u exits", r.error, r.exits);
		if (reg32(vcpu, REG_PC) == pc)
			return;
	}
	MUST(false, "PC %08x, not %08x", reg32(vcpu, REG_PC), pc);
}

static inline void check_exit(uint32_t ec, uint32_t pc)
{
	unsigned int reason = vm_run(&vm, 0);

	MUST(reason == KVM_EXIT_DEBUG, "exit %u, PC %08x", reason, reg32(vcpu, REG_PC));
	CHECK(KVM_ARM_DEBUG_EC(run->debug.arch.hsr) == ec && run->debug.arch.pc == pc &&
	      reg32(vcpu, REG_PC) == pc, "HSR %08x at %08x, PC %08x; want %02x at %08x",
	      run->debug.arch.hsr, run->debug.arch.pc, reg32(vcpu, REG_PC), ec, pc);
}

GUEST_CODE(bkpt, "mov r0, #1\n\tbkpt #0x1234\n\tmov r0, #2\n\tb .");
GUEST_CODE(mmio, "ldr r1, =DEV_BASE\n\tldr r2, [r1]\n\tadd r3, r2, #1\n\tstr r3, [r1]\n\tb .");
GUEST_CODE(line, "mov r0, #1\n\tmov r0, #2\n\tmov r0, #3\n\tmov r0, #4\n\tmov r0, #5\n\t"
	   "mov r0, #6\n\tmov r0, #7\n\tmov r0, #8\n\tmov r0, #9\n\tb .");
/* r0 counts the accesses that were done. */
GUEST_CODE(accesses, "ldr r1, =RAM_BASE + 0x20000\n\tmov r0, #0\n\tstr r0, [r1, #16]\n\tmov r0, #1\n\t"
	   "ldr r2, [r1, #16]\n\tmov r0, #2\n\tstrb r0, [r1, #22]\n\tmov r0, #3\n\t"
	   "ldrh r2, [r1, #20]\n\tmov r0, #4\n\tldrd r2, r3, [r1, #24]\n\tmov r0, #5\n\tb .");

#endif /* TEST_DEBUG_H */

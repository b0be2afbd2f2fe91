// SPDX-License-Identifier: GPL-2.0-only
/* KVM_SET_GUEST_DEBUG: BKPT, breakpoints, watchpoints, the host's own, and refusals. */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "debug.h"

/* --- capabilities and refusals --- */

static void caps(void)
{
	uint32_t flags;
	int bps, wps;

	start(1, 0);
	bps = cap(KVM_CAP_GUEST_DEBUG_HW_BPS);
	wps = cap(KVM_CAP_GUEST_DEBUG_HW_WPS);
	flags = (uint32_t)cap(ARMVMM_CAP_GUEST_DEBUG);
	CHECK(cap(KVM_CAP_SET_GUEST_DEBUG) == 1);
	CHECK(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG) == 1);
	CHECK(flags & KVM_GUESTDBG_USE_SW_BP && flags & KVM_GUESTDBG_INJECT_BP);
	CHECK(!(flags & KVM_GUESTDBG_USE_HW) == !bps && !(flags & KVM_GUESTDBG_SINGLESTEP) == !bps);
	/* DDI 0406C C11.11.15: at least two of each, if there are any. */
	CHECK(!bps == !wps && (!bps || (bps >= 2 && bps <= 16 && wps >= 1 && wps <= 16)),
	      "%d breakpoints, %d watchpoints", bps, wps);
	ktap_note("%d breakpoints, %d watchpoints, flags %x", bps, wps, flags);
}

static void refuse_flags(void)
{
	struct bare_debug bare = {};
	uint32_t flags;

	start(1, 0);
	flags = (uint32_t)cap(ARMVMM_CAP_GUEST_DEBUG);
	for (unsigned int i = 0; i < 32; i++) {
		uint32_t bit = 1u << i;

		if (flags & bit)
			continue;
		CHECK_ERRNO(set_debug(vcpu, KVM_GUESTDBG_ENABLE | bit, NULL), EINVAL);
		bare.control = KVM_GUESTDBG_ENABLE | bit;
		CHECK_ERRNO(ioctl(vcpu, SET_GUEST_DEBUG_BARE, &bare), EINVAL);
	}
	/* The short form has no registers for hardware breakpoints. */
	bare.control = HW;
	CHECK_ERRNO(ioctl(vcpu, SET_GUEST_DEBUG_BARE, &bare), EINVAL);
	CHECK_ERRNO(ioctl(vcpu, KVM_SET_GUEST_DEBUG, NULL), EFAULT);
	CHECK_ERRNO(ioctl(vcpu, SET_GUEST_DEBUG_BARE, NULL), EFAULT);
	CHECK_ERRNO(ioctl(vcpu, _IOC(_IOC_WRITE, KVMIO, 0x9b, 12), &bare), EINVAL);
	CHECK_ERRNO(ioctl(vm.fd, KVM_SET_GUEST_DEBUG, &bare), EINVAL);
	CHECK_OK(set_debug(vcpu, 0, NULL));
}

static void refuse_regs(void)
{
	static const uint32_t bad_bcr[] = {
		1 | 0xf << 5,			/* no mode */
		BCR_ARM | 1 << 13, BCR_ARM | 1 << 14, BCR_ARM | 1 << 15,	/* HMC, SSC */
		BCR_ARM | 1 << 16,		/* a link */
		BCR_ARM | 1 << 20, BCR_ARM | 2 << 20, BCR_ARM | 4 << 20, BCR_ARM | 8 << 20,
		BCR_ARM | 3 << 24,		/* a mask */
		BCR_ARM | 1 << 9, BCR_ARM | 1u << 31,
		3 << 1 | 1, 3 << 1 | 1 | 1 << 5, 3 << 1 | 1 | 6 << 5,	/* no such instruction */
	};
	static const uint32_t bad_wcr[] = {
		WCR(0xffu, 0), WCR(0, 3u), WCR(5u, 3u), WCR(0x81u, 3u),
		WCR(0xffu, 3u) & ~6u, WCR(0xffu, 3u) | 1 << 13, WCR(0xffu, 3u) | 1 << 14,
		WCR(0xffu, 3u) | 1 << 16, WCR(0xffu, 3u) | 1 << 20, WCR(0xffu, 3u) | 1 << 24,
		WCR(0xffu, 3u) | 2 << 24, WCR(0xfu, 3u) | 3 << 24,
		WCR(0xffu, 3u) | 13 << 24,	/* DATA + 0x1000 is aligned to 12 bits */
	};
	struct kvm_guest_debug_arch a;
	int bps, wps;

	start(1, 0);
	need_hw();
	bps = cap(KVM_CAP_GUEST_DEBUG_HW_BPS);
	wps = cap(KVM_CAP_GUEST_DEBUG_HW_WPS);
	for (size_t i = 0; i < sizeof(bad_bcr) / sizeof(bad_bcr[0]); i++) {
		memset(&a, 0, sizeof(a));
		a.dbg_bcr[bps - 1] = bad_bcr[i];
		CHECK(set_debug(vcpu, HW, &a) == -1 && errno == EINVAL, "BCR %08x", bad_bcr[i]);
		/* A register that is not enabled may have any value. */
		a.dbg_bcr[bps - 1] &= ~1u;
		CHECK(!set_debug(vcpu, HW, &a), "BCR %08x, disabled", bad_bcr[i]);
	}
	for (size_t i = 0; i < sizeof(bad_wcr) / sizeof(bad_wcr[0]); i++) {
		memset(&a, 0, sizeof(a));
		a.dbg_wcr[wps - 1] = bad_wcr[i];
		a.dbg_wvr[wps - 1] = DATA + 0x1000;
		CHECK(set_debug(vcpu, HW, &a) == -1 && errno == EINVAL, "WCR %08x", bad_wcr[i]);
		a.dbg_wcr[wps - 1] &= ~1u;
		CHECK(!set_debug(vcpu, HW, &a), "WCR %08x, disabled", bad_wcr[i]);
	}
	memset(&a, 0, sizeof(a));
	a.dbg_bcr[0] = BCR_ARM;
	a.dbg_bvr[0] = CODE + 2;
	CHECK_ERRNO(set_debug(vcpu, HW, &a), EINVAL);
	memset(&a, 0, sizeof(a));
	a.dbg_wcr[0] = WCR(0x1fu, 3u);
	a.dbg_wvr[0] = DATA + 4;	/* bytes beyond the word */
	CHECK_ERRNO(set_debug(vcpu, HW, &a), EINVAL);
	a.dbg_wvr[0] = DATA + 1;
	CHECK_ERRNO(set_debug(vcpu, HW, &a), EINVAL);
	/* Registers beyond those that the CPU has. */
	for (int i = bps; i < KVM_ARM_MAX_DBG_REGS; i++) {
		memset(&a, 0, sizeof(a));
		a.dbg_bcr[i] = BCR_ARM;
		CHECK_ERRNO(set_debug(vcpu, HW, &a), EINVAL);
	}
	for (int i = wps; i < KVM_ARM_MAX_DBG_REGS; i++) {
		memset(&a, 0, sizeof(a));
		a.dbg_wcr[i] = WCR(0xfu, 3u);
		CHECK_ERRNO(set_debug(vcpu, HW, &a), EINVAL);
	}
}

/* --- BKPT --- */

GUEST_CODE(bkpt_t, ".thumb\n\tmovs r0, #1\n\tbkpt #0x22\n\tmovs r0, #2\n\tb .\n\t.arm");

static void sw_breakpoint(void)
{
	struct bare_debug bare = { .control = SW };

	start(1, 0);
	VM_CODE(&vm, 0, bkpt);
	CHECK_OK(ioctl(vcpu, SET_GUEST_DEBUG_BARE, &bare));
	for (int i = 0; i < 3; i++)
		check_exit(KVM_ARM_DEBUG_EC_BKPT, CODE + 4);
	CHECK(reg32(vcpu, REG_R(0)) == 1);

	VM_CODE(&vm, 0, bkpt_t);
	reg32_set(vcpu, REG_CPSR, CPSR_SVC | CPSR_T);
	CHECK_OK(set_debug(vcpu, SW, NULL));
	check_exit(KVM_ARM_DEBUG_EC_BKPT, CODE + 2);
	CHECK(reg32(vcpu, REG_CPSR) & CPSR_T);
}

/* Checks the guest's state at its prefetch abort vector. */
static void check_bkpt_taken(uint32_t at)
{
	CHECK(reg32(vcpu, REG_PC) == VECTORS + 0xc, "PC %08x", reg32(vcpu, REG_PC));
	CHECK((reg32(vcpu, REG_CPSR) & 0x1ff) == 0x1d7, "CPSR %08x", reg32(vcpu, REG_CPSR));
	CHECK(reg32(vcpu, CORE_REG(KVM_REG_ARM_CORE_REG(abt_regs[1]))) == at + 4);
	CHECK(reg32(vcpu, CORE_REG(KVM_REG_ARM_CORE_REG(abt_regs[2]))) == CPSR_SVC);
	CHECK((reg32(vcpu, IFSR) & 0x40f) == 2, "IFSR %08x", reg32(vcpu, IFSR));
}

/* A guest that nobody debugs takes its own BKPT; so does one whose client asks for that. */
static void own_bkpt(void)
{
	start(1, 0);
	for (int debugged = 0; debugged < 2; debugged++) {
		VM_CODE(&vm, 0, bkpt);
		reg32_set(vcpu, REG_CPSR, CPSR_SVC);
		reg32_set(vcpu, IFSR, 0);
		CHECK_OK(set_debug(vcpu, debugged ? KVM_GUESTDBG_ENABLE : 0, NULL));
		run_to(VECTORS + 0xc);
		check_bkpt_taken(CODE + 4);
	}
	VM_CODE(&vm, 0, bkpt);
	reg32_set(vcpu, REG_CPSR, CPSR_SVC);
	reg32_set(vcpu, IFSR, 0);
	CHECK_OK(set_debug(vcpu, SW, NULL));
	check_exit(KVM_ARM_DEBUG_EC_BKPT, CODE + 4);
	CHECK_OK(set_debug(vcpu, SW | KVM_GUESTDBG_INJECT_BP, NULL));
	check_bkpt_taken(CODE + 4);
	/* The request to inject is gone, the other flags stay. */
	VM_CODE(&vm, 0, bkpt);
	reg32_set(vcpu, REG_CPSR, CPSR_SVC);
	check_exit(KVM_ARM_DEBUG_EC_BKPT, CODE + 4);
	/* Without ENABLE it is injected, too, and debugging ends. */
	CHECK_OK(set_debug(vcpu, KVM_GUESTDBG_INJECT_BP | KVM_GUESTDBG_USE_SW_BP, NULL));
	check_bkpt_taken(CODE + 4);
	VM_CODE(&vm, 0, bkpt);
	reg32_set(vcpu, REG_CPSR, CPSR_SVC);
	run_to(VECTORS + 0xc);
}


static void inject_refused(void)
{
	start(1, VM_NO_VCPU_INIT);
	CHECK_ERRNO(set_debug(vcpu, SW | KVM_GUESTDBG_INJECT_BP, NULL), ENOEXEC);
	/* All other flags may be set before the vCPU is initialised, and stay. */
	CHECK_OK(set_debug(vcpu, SW, NULL));
	vm_vcpu_init(&vm, 0);
	VM_CODE(&vm, 0, bkpt);
	check_exit(KVM_ARM_DEBUG_EC_BKPT, CODE + 4);
	VM_CODE(&vm, 0, mmio);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && !run->mmio.is_write);
	CHECK_ERRNO(set_debug(vcpu, SW | KVM_GUESTDBG_INJECT_BP, NULL), EBUSY);
}

/* --- hardware breakpoints and watchpoints --- */

GUEST_CODE(line_t, ".thumb\n\tmovs r0, #1\n\tmovs r0, #2\n\tmovs r0, #3\n\tadd.w r0, r0, #1\n\t"
	   "movs r0, #5\n\tb .\n\t.arm");

static void hw_breakpoint(void)
{
	struct kvm_guest_debug_arch a;
	int bps;

	start(1, 0);
	need_hw();
	bps = cap(KVM_CAP_GUEST_DEBUG_HW_BPS);
	/* Try each register alone. */
	for (int i = 0; i < bps; i++) {
		VM_CODE(&vm, 0, line);
		memset(&a, 0, sizeof(a));
		a.dbg_bvr[i] = CODE + 8;
		a.dbg_bcr[i] = BCR_ARM;
		CHECK_OK(set_debug(vcpu, HW, &a));
		check_exit(KVM_ARM_DEBUG_EC_BREAKPOINT, CODE + 8);
		CHECK(reg32(vcpu, REG_R(0)) == 2, "r0 %u", reg32(vcpu, REG_R(0)));
		/* The guest has not moved on, and stops there again. */
		check_exit(KVM_ARM_DEBUG_EC_BREAKPOINT, CODE + 8);
	}
	/* All of them, at successive addresses. */
	VM_CODE(&vm, 0, line);
	memset(&a, 0, sizeof(a));
	for (int i = 0; i < bps; i++) {
		a.dbg_bvr[i] = CODE + 4 + 4 * (uint32_t)i;
		a.dbg_bcr[i] = BCR_ARM;
	}
	for (int i = 0; i < bps && i < 8; i++) {
		CHECK_OK(set_debug(vcpu, HW, &a));
		check_exit(KVM_ARM_DEBUG_EC_BREAKPOINT, CODE + 4 + 4 * (uint32_t)i);
		a.dbg_bcr[i] = 0;
	}
	/* Halves of a word, in Thumb. */
	for (uint32_t at = 2; at <= 4; at += 2) {
		VM_CODE(&vm, 0, line_t);
		reg32_set(vcpu, REG_CPSR, CPSR_SVC | CPSR_T);
		memset(&a, 0, sizeof(a));
		a.dbg_bvr[0] = CODE + (at & ~3u);
		a.dbg_bcr[0] = at & 2 ? BCR_HIGH : BCR_LOW;
		CHECK_OK(set_debug(vcpu, HW, &a));
		check_exit(KVM_ARM_DEBUG_EC_BREAKPOINT, CODE + at);
	}
}

/* A breakpoint in User mode only does not hit at the same address in SVC mode. */
static void hw_breakpoint_mode(void)
{
	struct kvm_guest_debug_arch a = { .dbg_bvr = { CODE + 8, CODE + 16 },
					  .dbg_bcr = { BCR_USER, BCR_ARM } };

	start(1, 0);
	need_hw();
	VM_CODE(&vm, 0, line);
	CHECK_OK(set_debug(vcpu, HW, &a));
	check_exit(KVM_ARM_DEBUG_EC_BREAKPOINT, CODE + 16);
	reg32_set(vcpu, REG_PC, CODE);
	reg32_set(vcpu, REG_CPSR, CPSR_USR);
	check_exit(KVM_ARM_DEBUG_EC_BREAKPOINT, CODE + 8);
}


static void watch(int n, uint32_t wvr, uint32_t wcr, uint32_t pc, uint32_t done, uint32_t far)
{
	struct kvm_guest_debug_arch a = {};

	VM_CODE(&vm, 0, accesses);
	a.dbg_wvr[n] = wvr;
	a.dbg_wcr[n] = wcr;
	CHECK_OK(set_debug(vcpu, HW, &a));
	check_exit(KVM_ARM_DEBUG_EC_WATCHPOINT, CODE + pc);
	/* WnR tells a load from a store, if only one of them was possible. */
	if ((wcr >> 3 & 3) != (WP_LOAD | WP_STORE))
		CHECK(!(run->debug.arch.hsr & HSR_WNR) == !(wcr >> 3 & WP_STORE), "HSR %08x",
		      run->debug.arch.hsr);
	CHECK(run->debug.arch.far == far, "far %llx, not %x",
	      (unsigned long long)run->debug.arch.far, far);
	CHECK(reg32(vcpu, REG_R(0)) == done, "%u done, not %u", reg32(vcpu, REG_R(0)), done);
}

static void watchpoint(void)
{
	int wps;

	start(1, 0);
	need_hw();
	wps = cap(KVM_CAP_GUEST_DEBUG_HW_WPS);
	for (int i = 0; i < wps; i++)
		watch(i, DATA + 16, WCR(0xfu, WP_LOAD | WP_STORE), 8, 0, DATA + 16);
	/* The guest has not done the access when the watchpoint is reported. */
	((uint32_t *)(vm.ram + 0x20000))[4] = 0x55;
	vm_sync(vm.ram + 0x20000, PAGE);
	watch(0, DATA + 16, WCR(0xfu, WP_STORE), 8, 0, DATA + 16);
	vm_sync(vm.ram + 0x20000, PAGE);
	CHECK(((uint32_t *)(vm.ram + 0x20000))[4] == 0x55);
	watch(0, DATA + 16, WCR(0xfu, WP_LOAD), 16, 1, DATA + 16);
	/* One byte of a word, addressed in both possible ways. */
	watch(0, DATA + 20, WCR(0x4u, WP_STORE), 24, 2, DATA + 22);
	watch(0, DATA + 16, WCR(0x40u, WP_STORE), 24, 2, DATA + 22);
	watch(0, DATA + 20, WCR(0x3u, WP_LOAD | WP_STORE), 32, 3, DATA + 20);
	/* A range. */
	watch(0, DATA + 24, WCR(0xffu, WP_LOAD) | 3 << 24, 40, 4, DATA + 24);
	watch(0, DATA, WCR(0xffu, WP_LOAD) | 5 << 24, 16, 1, DATA + 16);
}

/* A vCPU that is initialised again is debugged as before. */
static void reset_keeps(void)
{
	struct kvm_guest_debug_arch a = { .dbg_bvr = { CODE + 8 }, .dbg_bcr = { BCR_ARM } };

	start(1, 0);
	need_hw();
	VM_CODE(&vm, 0, line);
	CHECK_OK(set_debug(vcpu, HW, &a));
	check_exit(KVM_ARM_DEBUG_EC_BREAKPOINT, CODE + 8);
	vm_vcpu_init(&vm, 0);
	VM_CODE(&vm, 0, line);
	check_exit(KVM_ARM_DEBUG_EC_BREAKPOINT, CODE + 8);
	CHECK_OK(set_debug(vcpu, 0, NULL));
	VM_CODE(&vm, 0, mmio);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
}

/* --- the host's own breakpoints (docs/hazards.md 23) --- */

/* Below 1 GiB, which is all that a program has on some hosts (VMSPLIT_1G). */
#define SPOT	((void (*)(void))0x30010000)

/* True if a process that calls SPOT hits the host's breakpoint. */
static bool host_hit(int perf)
{
	uint64_t before = 0, after = 0;
	pid_t pid;
	int status = 0;

	MUST(read(perf, &before, 8) == 8, "%s", strerror(errno));
	pid = fork();
	if (!pid) {
		SPOT();
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0) == pid, "%s", strerror(errno));
	MUST(read(perf, &after, 8) == 8, "%s", strerror(errno));
	/* The emulator does not set MOE; Linux then sends SIGTRAP. */
	return after > before || (WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP);
}

static sigjmp_buf trapped;

static void on_trap(int sig)
{
	(void)sig;
	siglongjmp(trapped, 1);
}

/*
 * Directly after the guest ran, in the same thread: at the thread's next turn the kernel would set
 * the breakpoint again. A breakpoint can hit only once where mismatch does not work.
 */
static void host_hit_after_run(struct perf_event_attr *attr)
{
	uint64_t hits = 0;
	int perf = (int)syscall(SYS_perf_event_open, attr, 0, -1, -1, 0);

	MUST(perf >= 0, "%s", strerror(errno));
	reg32_set(vcpu, REG_PC, 0x30010000);
	check_exit(KVM_ARM_DEBUG_EC_BREAKPOINT, 0x30010008);
	if (!sigsetjmp(trapped, 1)) {
		SPOT();
		MUST(read(perf, &hits, 8) == 8, "%s", strerror(errno));
		CHECK(hits, "the host's breakpoint is not put back");
	}
	close(perf);
}

/* A guest in User mode at the same address: it neither sees the breakpoint nor loses it. */
static void host_breakpoint(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_X,
		.bp_addr = (uintptr_t)SPOT, .bp_len = HW_BREAKPOINT_LEN_4, .exclude_kernel = 1,
		.exclude_hv = 1, .inherit = 1,
	};
	struct kvm_guest_debug_arch a = { .dbg_bvr = { 0x30010008 }, .dbg_bcr = { BCR_ARM } };
	uint32_t *spot;
	int perf;

	start(1, 0);
	spot = mmap((void *)0x30000000, 0x20000, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	MUST(spot == (void *)0x30000000, "%s", strerror(errno));
	spot[0x10000 / 4] = 0xe12fff1e;	/* bx lr */
	__builtin___clear_cache((char *)SPOT, (char *)SPOT + 4);
	/* perf_bp_event() asserts that interrupts are off; Arm's handler has turned them on. */
	if (!access("/proc/lockdep_stats", F_OK))
		ktap_skip("a kernel with lockdep warns of each breakpoint that perf sets");
	perf = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (perf < 0)
		ktap_skip("no breakpoints on the host: %s", strerror(errno));
	CHECK(host_hit(perf), "the host's breakpoint does not work");

	/* The guest has memory at the host's address, and its own code there. */
	CHECK_OK(mem_set(vm.fd, 1, 0, 0x30000000, 0x20000, map_pages(0x20000)));
	CHECK_OK(mem_set(vm.fd, 1, 0, 0, 0, NULL));
	{
		char *mem = map_pages(0x20000);

		memcpy(mem + 0x10000, code_line, (size_t)(code_line_end - code_line));
		CHECK_OK(mem_set(vm.fd, 1, 0, 0x30000000, 0x20000, mem));
	}
	for (int i = 0; i < 3; i++) {
		reg32_set(vcpu, REG_PC, 0x30010000);
		reg32_set(vcpu, REG_CPSR, CPSR_USR);
		reg32_set(vcpu, IFSR, 0);
		run_to(0x30010024);
		CHECK(reg32(vcpu, REG_R(0)) == 9 && !reg32(vcpu, IFSR), "r0 %u, IFSR %x",
		      reg32(vcpu, REG_R(0)), reg32(vcpu, IFSR));
		CHECK(host_hit(perf), "the host's breakpoint is gone after %d runs", i + 1);
	}
	/* The client's breakpoint is in the host's place, and gives it back. */
	if (cap(KVM_CAP_GUEST_DEBUG_HW_BPS)) {
		reg32_set(vcpu, REG_PC, 0x30010000);
		CHECK_OK(set_debug(vcpu, HW, &a));
		check_exit(KVM_ARM_DEBUG_EC_BREAKPOINT, 0x30010008);
		CHECK(host_hit(perf), "the host's breakpoint is gone after the client's");
	}
	/* So does a breakpoint of the guest's own. */
	CHECK_OK(set_debug(vcpu, 0, NULL));
	if (cap(KVM_CAP_GUEST_DEBUG_HW_BPS)) {
		reg32_set(vcpu, REG_PC, 0x30010000);
		reg32_set(vcpu, DBGBVR(0), 0x3001000c);
		reg32_set(vcpu, DBGBCR(0), BCR_ARM);
		reg32_set(vcpu, DBGDSCR, MDBGEN);
		reg32_set(vcpu, DBGOSLSR, 0);
		run_to(VECTORS + 0xc);
		CHECK(reg32(vcpu, REG_R(0)) == 3, "r0 %u", reg32(vcpu, REG_R(0)));
		CHECK(host_hit(perf), "the host's breakpoint is gone after the guest's");
		reg32_set(vcpu, DBGDSCR, 0);
		reg32_set(vcpu, REG_CPSR, CPSR_USR);
	}
	close(perf);
	if (cap(KVM_CAP_GUEST_DEBUG_HW_BPS)) {
		attr.inherit = 0;
		signal(SIGTRAP, on_trap);
		CHECK_OK(set_debug(vcpu, HW, &a));
		for (int i = 0; i < 8; i++)
			host_hit_after_run(&attr);
		CHECK_OK(set_debug(vcpu, 0, NULL));
		signal(SIGTRAP, SIG_DFL);
	}
	reg32_set(vcpu, REG_PC, 0x30010000);
	run_to(0x30010024);
}

static const struct ktap_case cases[] = {
	{ "caps", caps, 0 },
	{ "refuse_flags", refuse_flags, 0 },
	{ "refuse_regs", refuse_regs, 0 },
	{ "sw_breakpoint", sw_breakpoint, 0 },
	{ "own_bkpt", own_bkpt, 0 },
	{ "inject_refused", inject_refused, 0 },
	{ "hw_breakpoint", hw_breakpoint, 0 },
	{ "hw_breakpoint_mode", hw_breakpoint_mode, 0 },
	{ "watchpoint", watchpoint, 0 },
	{ "reset_keeps", reset_keeps, 0 },
	{ "host_breakpoint", host_breakpoint, 0 },
};
KTAP_MAIN(cases)

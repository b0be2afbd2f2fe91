// SPDX-License-Identifier: GPL-2.0-only
/* A guest's own debug registers: its breakpoints, PL0, ONE_REG, and the client's beside them. */
#include "debug.h"

#define DFSR		ARM_CP15_REG32(0, 5, 0, 0)
#define DFAR		ARM_CP15_REG32(0, 6, 0, 0)
#define UDCCDIS		0x1000u
#define MOE(dscr)	((dscr) >> 2 & 15)

/* Runs without an exit until the guest stays at a branch to itself. */
static void run_a_while(void)
{
	struct runner r;

	for (unsigned int i = 0; i < 200; i++) {
		uint32_t at;

		runner_start(&r, &vm, 0);
		usleep(10000);
		runner_stop(&r);
		MUST(!r.error && !r.exits, "error %d, %u exits", r.error, r.exits);
		at = reg32(vcpu, REG_PC) - RAM_BASE;
		if (at < RAM_SIZE && *(uint32_t *)(vm.ram + at) == 0xeafffffe)
			return;
	}
	MUST(false, "the guest is at %08x", reg32(vcpu, REG_PC));
}

/* As Linux does it: OS Lock, monitor mode, a breakpoint ahead; then a watchpoint. */
GUEST_CODE(own, "mov r0, #0\n\tmcr p14, 0, r0, c1, c0, 4\n\tisb\n\tmrc p14, 0, r1, c0, c1, 0\n\t"
	   "orr r1, r1, #0x8000\n\tmcr p14, 0, r1, c0, c2, 2\n\tadr r2, 1f\n\t"
	   "mcr p14, 0, r2, c0, c1, 4\n\tldr r3, =0x1e7\n\tmcr p14, 0, r3, c0, c1, 5\n\tisb\n\t"
	   "mrc p14, 0, r4, c0, c0, 0\n\tmrc p14, 0, r5, c0, c1, 4\n\tmrc p14, 0, r6, c0, c1, 5\n\t"
	   "mov r7, #1\n1:\tmov r7, #2\n\tmov r7, #3\n\tb .");
#define OWN_BP		(CODE + 15 * 4)
GUEST_CODE(own_wp, "ldr r0, =RAM_BASE + 0x20010\n\tmcr p14, 0, r0, c0, c1, 6\n\tldr r1, =0x1f7\n\t"
	   "mcr p14, 0, r1, c0, c1, 7\n\tmov r0, #0\n\tmcr p14, 0, r0, c1, c0, 4\n\t"
	   "mov r0, #0x8000\n\t"
	   "mcr p14, 0, r0, c0, c2, 2\n\tisb\n\tldr r0, =RAM_BASE + 0x20000\n\tldr r2, [r0, #16]\n\t"
	   "str r2, [r0, #16]\n\tmov r0, #3\n\tb .");
#define OWN_WP		(CODE + 11 * 4)

static void own_breakpoint(void)
{
	start(1, 0);
	need_hw();
	CHECK(reg32(vcpu, DBGOSLSR) == 0xa);
	VM_CODE(&vm, 0, own);
	run_a_while();
	CHECK(reg32(vcpu, REG_PC) == VECTORS + 0xc && reg32(vcpu, REG_R(7)) == 1, "PC %08x, r7 %u",
	      reg32(vcpu, REG_PC), reg32(vcpu, REG_R(7)));
	CHECK(reg32(vcpu, CORE_REG(KVM_REG_ARM_CORE_REG(abt_regs[1]))) == OWN_BP + 4);
	CHECK((reg32(vcpu, IFSR) & 0x40f) == 2, "IFSR %08x", reg32(vcpu, IFSR));
	CHECK(MOE(reg32(vcpu, DBGDSCR)) == 1, "DSCR %08x", reg32(vcpu, DBGDSCR));
	/* The guest reads back what it wrote, and DBGDIDR agrees with the capabilities. */
	CHECK(reg32(vcpu, REG_R(5)) == OWN_BP && reg32(vcpu, REG_R(6)) == 0x1e7);
	CHECK((int)(reg32(vcpu, REG_R(4)) >> 24 & 15) + 1 == cap(KVM_CAP_GUEST_DEBUG_HW_BPS));
	CHECK((int)(reg32(vcpu, REG_R(4)) >> 28) + 1 == cap(KVM_CAP_GUEST_DEBUG_HW_WPS));
	CHECK(reg32(vcpu, REG_R(4)) == reg32(vcpu, DBGDIDR));
	/* A BKPT has its own reason. */
	VM_CODE(&vm, 0, bkpt);
	reg32_set(vcpu, REG_CPSR, CPSR_SVC);
	run_a_while();
	CHECK(reg32(vcpu, REG_PC) == VECTORS + 0xc && MOE(reg32(vcpu, DBGDSCR)) == 3);
	/* After a reset all is off: the guest runs to its end. */
	vm_vcpu_init(&vm, 0);
	CHECK(reg32(vcpu, DBGBCR(1)) == 0 && reg32(vcpu, DBGOSLSR) == 0xa);
	CHECK(!(reg32(vcpu, DBGDSCR) & MDBGEN));
	VM_CODE(&vm, 0, line);
	run_a_while();
	CHECK(reg32(vcpu, REG_R(0)) == 9);
}

static void own_watchpoint(void)
{
	start(1, 0);
	need_hw();
	VM_CODE(&vm, 0, own_wp);
	run_a_while();
	CHECK(reg32(vcpu, REG_PC) == VECTORS + 0x10, "PC %08x", reg32(vcpu, REG_PC));
	CHECK(reg32(vcpu, CORE_REG(KVM_REG_ARM_CORE_REG(abt_regs[1]))) == OWN_WP + 8);
	CHECK((reg32(vcpu, DFSR) & 0xc0f) == 0x802, "DFSR %08x", reg32(vcpu, DFSR));
	CHECK(reg32(vcpu, DFAR) == DATA + 16, "DFAR %08x", reg32(vcpu, DFAR));
	CHECK(MOE(reg32(vcpu, DBGDSCR)) == 10, "DSCR %08x", reg32(vcpu, DBGDSCR));
}

/* The bits of DBGBCR and DBGWCR that can be written: none for HYP mode, which a guest lacks. */
static void own_bits(void)
{
	start(1, 0);
	need_hw();
	reg32_set(vcpu, DBGBCR(1), 0xffffffff);
	CHECK(reg32(vcpu, DBGBCR(1)) == 0x007fc1e7, "%08x", reg32(vcpu, DBGBCR(1)));
	reg32_set(vcpu, DBGWCR(1), 0xffffffff);
	CHECK(reg32(vcpu, DBGWCR(1)) == 0x1f1fdfff, "%08x", reg32(vcpu, DBGWCR(1)));
}

/* Nothing happens without monitor mode, for the Secure state, with the OS Lock, or for one byte. */
static void own_off(void)
{
	start(1, 0);
	need_hw();
	for (int i = 0; i < 4; i++) {
		VM_CODE(&vm, 0, line);
		reg32_set(vcpu, REG_CPSR, CPSR_SVC);
		reg32_set(vcpu, DBGBVR(0), CODE + 8);
		reg32_set(vcpu, DBGBCR(0), i == 1 ? BCR_ARM | 1 << 15 :
					   i == 3 ? 1 << 5 | 3 << 1 | 1 : BCR_ARM);
		reg32_set(vcpu, DBGDSCR, i == 0 ? 0 : MDBGEN);
		reg32_set(vcpu, DBGOSLSR, i == 2 ? 2 : 0);
		run_a_while();
		CHECK(reg32(vcpu, REG_R(0)) == 9, "%d: r0 %u", i, reg32(vcpu, REG_R(0)));
	}
	/* Without any of these, it hits. */
	VM_CODE(&vm, 0, line);
	reg32_set(vcpu, DBGBCR(0), BCR_ARM);
	run_a_while();
	CHECK(reg32(vcpu, REG_R(0)) == 2, "r0 %u", reg32(vcpu, REG_R(0)));
}

/* A breakpoint and a watchpoint in only one context, which the last breakpoint selects. */
static void own_links(void)
{
	uint32_t nr, link;

	start(1, 0);
	need_hw();
	nr = (uint32_t)cap(KVM_CAP_GUEST_DEBUG_HW_BPS) - 1;
	link = nr << 16 | 1 << 20;
	reg32_set(vcpu, DBGOSLSR, 0);
	reg32_set(vcpu, DBGDSCR, MDBGEN);
	reg32_set(vcpu, DBGBVR(nr), 0x1234500);
	for (int i = 0; i < 8; i++) {
		bool watch = i & 4;
		/*
		 * in its context; in another; linked to a breakpoint that matches by itself; linked
		 * to none
		 */
		uint32_t to[] = { BCR_ARM | 3 << 20, BCR_ARM | 3 << 20, BCR_ARM, 0 };
		bool hits = (i & 3) == 0;

		if (watch)
			VM_CODE(&vm, 0, accesses);
		else
			VM_CODE(&vm, 0, line);
		reg32_set(vcpu, REG_CPSR, CPSR_SVC);
		reg32_set(vcpu, ARM_CP15_REG32(0, 13, 0, 1), (i & 3) == 1 ? 0x1234501 : 0x1234500);
		reg32_set(vcpu, DBGBVR(0), CODE + 8);
		reg32_set(vcpu, DBGBCR(0), watch ? 0 : BCR_ARM | link);
		reg32_set(vcpu, DBGWVR(0), DATA + 16);
		reg32_set(vcpu, DBGWCR(0), watch ? WCR(0xf, WP_STORE) | link : 0);
		reg32_set(vcpu, DBGBCR(nr), to[i & 3]);
		run_a_while();
		CHECK((reg32(vcpu, REG_PC) - VECTORS < 0x20) == hits, "%d: PC %08x", i,
		      reg32(vcpu, REG_PC));
	}
}

/* PL0 reads what UDCCdis permits; the rest is undefined. (In QEMU DBGDSCRint is undefined, too.) */
GUEST_CODE(pl0, "mrc p14, 0, r1, c0, c0, 0\n\tmrrc p14, 0, r4, r5, c1\n\t"
	   "mrc p14, 0, r3, c0, c2, 2\n\tb .");
GUEST_CODE(pl0_write, "mcr p14, 0, r3, c0, c2, 2\n\tb .");

static void run_pl0(uint32_t undefined_at)
{
	reg32_set(vcpu, REG_CPSR, CPSR_USR);
	reg32_set(vcpu, REG_R(1), 0x55);
	reg32_set(vcpu, REG_R(3), 0x55);
	run_a_while();
	CHECK(reg32(vcpu, REG_PC) == VECTORS + 4 && reg32(vcpu, REG_R(3)) == 0x55, "PC %08x",
	      reg32(vcpu, REG_PC));
	CHECK(reg32(vcpu, CORE_REG(KVM_REG_ARM_CORE_REG(und_regs[1]))) == undefined_at + 4,
	      "LR_und %08x", reg32(vcpu, CORE_REG(KVM_REG_ARM_CORE_REG(und_regs[1]))));
}

static void own_pl0(void)
{
	uint32_t dscr;

	start(1, 0);
	need_hw();
	VM_CODE(&vm, 0, pl0);
	run_pl0(CODE + 8);
	CHECK(reg32(vcpu, REG_R(1)) == reg32(vcpu, DBGDIDR), "r1 %08x", reg32(vcpu, REG_R(1)));
	dscr = reg32(vcpu, DBGDSCR);
	VM_CODE(&vm, 0, pl0_write);
	run_pl0(CODE);
	CHECK(reg32(vcpu, DBGDSCR) == dscr);
	/* With UDCCdis even DBGDIDR is undefined. */
	reg32_set(vcpu, DBGDSCR, UDCCDIS);
	VM_CODE(&vm, 0, pl0);
	run_pl0(CODE);
	CHECK(reg32(vcpu, REG_R(1)) == 0x55, "r1 %08x", reg32(vcpu, REG_R(1)));
}

/* The client's registers replace the guest's in the hardware, and change none of them. */
static void kept_apart(void)
{
	struct kvm_guest_debug_arch a = { .dbg_bvr = { [1] = OWN_BP + 4 },
					  .dbg_bcr = { [1] = BCR_ARM } };

	start(1, 0);
	need_hw();
	VM_CODE(&vm, 0, own);
	CHECK_OK(set_debug(vcpu, HW, &a));
	check_exit(KVM_ARM_DEBUG_EC_BREAKPOINT, OWN_BP + 4);
	CHECK(reg32(vcpu, REG_R(5)) == OWN_BP && reg32(vcpu, REG_R(6)) == 0x1e7);
	CHECK(reg32(vcpu, DBGBVR(1)) == OWN_BP && reg32(vcpu, DBGBCR(1)) == 0x1e7);
	/* While the guest is stepped, its own breakpoint does not hit either; then it is back. */
	reg32_set(vcpu, REG_PC, OWN_BP - 4);
	CHECK_OK(set_debug(vcpu, STEP, NULL));
	for (uint32_t i = 0; i < 3; i++)
		check_exit(KVM_ARM_DEBUG_EC_STEP, OWN_BP + 4 * i);
	CHECK_OK(set_debug(vcpu, SW, NULL));
	reg32_set(vcpu, REG_PC, OWN_BP - 4);
	run_a_while();
	CHECK(reg32(vcpu, REG_PC) == VECTORS + 0xc && MOE(reg32(vcpu, DBGDSCR)) == 1, "PC %08x",
	      reg32(vcpu, REG_PC));
}

static struct kvm_reg_list *reg_list(int fd)
{
	struct kvm_reg_list probe = { 0 }, *list;

	CHECK_ERRNO(ioctl(fd, KVM_GET_REG_LIST, &probe), E2BIG);
	list = calloc(1, sizeof(*list) + probe.n * 8);
	list->n = probe.n;
	CHECK_OK(ioctl(fd, KVM_GET_REG_LIST, list));
	return list;
}

/* The registers of the list carry the state to another vCPU, where the breakpoint still hits. */
static void moves(void)
{
	struct kvm_reg_list *list;
	unsigned int n = 0;
	struct vm old;

	start(1, 0);
	need_hw();
	VM_CODE(&vm, 0, own);
	reg32_set(vcpu, DBGWVR(2), 0x9000);
	reg32_set(vcpu, DBGWCR(2), 0x1ff7);
	run_a_while();
	old = vm;
	list = reg_list(old.vcpu[0].fd);
	start(1, 0);
	for (uint64_t i = 0; i < list->n; i++) {
		uint32_t val;

		if ((list->reg[i] & KVM_REG_ARM_COPROC_MASK) != 14 << KVM_REG_ARM_COPROC_SHIFT)
			continue;
		CHECK_OK(reg_get(old.vcpu[0].fd, list->reg[i], &val));
		CHECK_OK(reg_set(vcpu, list->reg[i], &val));
		CHECK(reg32(vcpu, list->reg[i]) == val, "%llx", (unsigned long long)list->reg[i]);
		/* ThumbEE's registers have another opc1. */
		n += !(list->reg[i] & KVM_REG_ARM_OPC1_MASK);
	}
	CHECK(n == 6 + 2 * (unsigned int)(cap(KVM_CAP_GUEST_DEBUG_HW_BPS) +
					  cap(KVM_CAP_GUEST_DEBUG_HW_WPS)), "%u registers", n);
	CHECK(reg32(vcpu, DBGWCR(2)) == 0x1ff7 && reg32(vcpu, DBGOSLSR) == 0x8);
	VM_CODE(&vm, 0, own);
	reg32_set(vcpu, REG_PC, OWN_BP - 4);
	run_a_while();
	CHECK(reg32(vcpu, REG_PC) == VECTORS + 0xc, "PC %08x", reg32(vcpu, REG_PC));
}

static void one_reg_refused(void)
{
	uint32_t val = 0;
	uint64_t wide;

	start(1, 0);
	CHECK_ERRNO(reg_get(vcpu, DBG(0, 15, 4), &val), ENOENT);	/* no such breakpoint */
	CHECK_ERRNO(reg_set(vcpu, DBG(7, 7, 7), &val), ENOENT);
	CHECK_ERRNO(reg_get(vcpu, DBG(0, 1, 0), &val), ENOENT);	/* DBGDSCRint: no state */
	CHECK_ERRNO(reg_get(vcpu, DBGDIDR ^ KVM_REG_SIZE_U32 ^ KVM_REG_SIZE_U64, &wide), ENOENT);
	CHECK_ERRNO(reg_get(vcpu, DBGDIDR | 1 << 28, &val), ENOENT);
	CHECK_ERRNO(reg_get(vcpu, DBGDIDR | 1 << 15, &val), ENOENT);
	need_hw();
	CHECK_OK(reg_get(vcpu, DBGDIDR, &val));
	CHECK_OK(reg_set(vcpu, DBGDIDR, &val));
	/* Another revision is compatible; other numbers of registers are not. */
	val ^= 1;
	CHECK_OK(reg_set(vcpu, DBGDIDR, &val));
	CHECK(reg32(vcpu, DBGDIDR) == (val ^ 1));
	val ^= 1 << 24;
	CHECK_ERRNO(reg_set(vcpu, DBGDIDR, &val), EINVAL);
	CHECK_ERRNO(reg_get(vcpu, DBGDIDR, NULL), EFAULT);
	CHECK_ERRNO(reg_set(vcpu, DBGDSCR, NULL), EFAULT);
}

static const struct ktap_case cases[] = {
	{ "own_breakpoint", own_breakpoint, 0 },
	{ "own_watchpoint", own_watchpoint, 0 },
	{ "own_bits", own_bits, 0 },
	{ "own_off", own_off, 0 },
	{ "own_links", own_links, 0 },
	{ "own_pl0", own_pl0, 0 },
	{ "kept_apart", kept_apart, 0 },
	{ "moves", moves, 0 },
	{ "one_reg_refused", one_reg_refused, 0 },
};
KTAP_MAIN(cases)

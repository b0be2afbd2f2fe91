// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every constant that a client or a guest reads, written down once more, by hand, from where it is
 * defined: KVM's API for 32-bit Arm (Linux 5.4, include/uapi/linux/kvm.h and
 * arch/arm/include/uapi/asm/kvm.h), the GIC's manual (IHI 0048B), the architecture's (DDI 0406C),
 * the CPUs' (Cortex-A7: DDI 0464, A15: DDI 0438), PSCI (DEN 0022D) and SMCCC (DEN 0028B). From
 * armvmm's headers come only its own numbers, which must never change: clients were built with
 * them.
 */
#include "vm.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

struct value {
	const char *what;
	uint64_t is, want;
};

static void values(const struct value *v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		CHECK(v[i].is == v[i].want, "%s is 0x%llx, not 0x%llx", v[i].what,
		      (unsigned long long)v[i].is, (unsigned long long)v[i].want);
}

#define VALUE(name, number)	{ #name, name, number }

/* Direction, size, type 0xae and number: linux/kvm.h, asm-generic/ioctl.h. */
static void ioctls(void)
{
	static const struct value numbers[] = {
		VALUE(KVM_GET_API_VERSION, 0xae00), VALUE(KVM_CREATE_VM, 0xae01),
		VALUE(KVM_CHECK_EXTENSION, 0xae03), VALUE(KVM_GET_VCPU_MMAP_SIZE, 0xae04),
		VALUE(KVM_CREATE_VCPU, 0xae41), VALUE(KVM_GET_DIRTY_LOG, 0x4010ae42),
		VALUE(KVM_SET_USER_MEMORY_REGION, 0x4020ae46),
		VALUE(KVM_CREATE_IRQCHIP, 0xae60), VALUE(KVM_IRQ_LINE, 0x4008ae61),
		VALUE(KVM_IRQ_LINE_STATUS, 0xc008ae67),
		VALUE(KVM_REGISTER_COALESCED_MMIO, 0x4010ae67),
		VALUE(KVM_UNREGISTER_COALESCED_MMIO, 0x4010ae68),
		VALUE(KVM_SET_GSI_ROUTING, 0x4008ae6a), VALUE(KVM_IRQFD, 0x4020ae76),
		VALUE(KVM_IOEVENTFD, 0x4040ae79), VALUE(KVM_RUN, 0xae80),
		VALUE(KVM_SET_SIGNAL_MASK, 0x4004ae8b), VALUE(KVM_GET_MP_STATE, 0x8004ae98),
		VALUE(KVM_SET_MP_STATE, 0x4004ae99), VALUE(KVM_GET_VCPU_EVENTS, 0x8040ae9f),
		VALUE(KVM_SET_VCPU_EVENTS, 0x4040aea0), VALUE(KVM_ENABLE_CAP, 0x4068aea3),
		VALUE(KVM_SIGNAL_MSI, 0x4020aea5), VALUE(KVM_GET_ONE_REG, 0x4010aeab),
		VALUE(KVM_SET_ONE_REG, 0x4010aeac), VALUE(KVM_ARM_SET_DEVICE_ADDR, 0x4010aeab),
		VALUE(KVM_ARM_VCPU_INIT, 0x4020aeae), VALUE(KVM_ARM_PREFERRED_TARGET, 0x8020aeaf),
		VALUE(KVM_GET_REG_LIST, 0xc008aeb0), VALUE(KVM_CLEAR_DIRTY_LOG, 0xc018aec0),
		VALUE(KVM_CREATE_DEVICE, 0xc00caee0), VALUE(KVM_SET_DEVICE_ATTR, 0x4018aee1),
		VALUE(KVM_GET_DEVICE_ATTR, 0x4018aee2), VALUE(KVM_HAS_DEVICE_ATTR, 0x4018aee3),
		VALUE(KVM_GET_STATS_FD, 0xaece),	/* of Linux 5.14 */
		/* ours: arm64's layout of the debug registers (docs/abi.md) */
		VALUE(KVM_SET_GUEST_DEBUG, 0x4108ae9b), VALUE(ARMVMMIO, 0xaf),
		VALUE(ARMVMM_SET_MIRROR, 0x4018af01), VALUE(ARMVMM_UNPIN, 0x4010af02),
	};
	int sys = sys_open();

	values(numbers, COUNT(numbers));
	CHECK(ioctl(sys, 0xae00, 0) == 12, "KVM_GET_API_VERSION");
}

struct cap {
	unsigned int number;
	int want;		/* ANY: one or more */
	const char *name;
};

#define ANY	-2

/* linux/kvm.h; what the answers mean: docs/abi.md and Documentation/virt/kvm/api.txt 4.4. */
static const struct cap caps[] = {
	{ 0, 1, "IRQCHIP" }, { 3, 1, "USER_MEMORY" }, { 9, ANY, "NR_VCPUS" },
	{ 10, 512, "NR_MEMSLOTS" }, { 14, 1, "MP_STATE" }, { 15, 1, "COALESCED_MMIO: its page" },
	{ 16, 1, "SYNC_MMU" }, { 21, 1, "DESTROY_MEMORY_REGION_WORKS" },
	{ 23, 1, "SET_GUEST_DEBUG" }, { 25, 4096, "IRQ_ROUTING" },
	{ 30, 1, "JOIN_MEMORY_REGIONS_WORKS" }, { 32, 1, "IRQFD" }, { 36, 1, "IOEVENTFD" },
	{ 40, 1, "INTERNAL_ERROR_DATA" }, { 41, 1, "VCPU_EVENTS" }, { 54, 1, "ENABLE_CAP" },
	{ 66, 8, "MAX_VCPUS of a GICv2" }, { 70, 1, "ONE_REG" }, { 77, 1, "SIGNAL_MSI" },
	{ 81, 1, "READONLY_MEM" }, { 82, 1, "IRQFD_RESAMPLE" }, { 87, 1, "ARM_PSCI" },
	{ 88, 1, "ARM_SET_DEVICE_ADDR" }, { 89, 1, "DEVICE_CTRL" }, { 98, 1, "ENABLE_CAP_VM" },
	{ 100, 1, "IOEVENTFD_NO_LENGTH" }, { 102, 1, "ARM_PSCI_0_2" },
	{ 105, 1, "CHECK_EXTENSION_VM" }, { 122, 1, "IOEVENTFD_ANY_LENGTH" },
	{ 128, 8, "MAX_VCPU_ID" }, { 136, 1, "IMMEDIATE_EXIT" }, { 144, 1, "ARM_USER_IRQ" },
	{ 162, 1, "COALESCED_PIO" }, { 168, 1, "MANUAL_DIRTY_LOG_PROTECT2" },
	{ 174, 1, "ARM_IRQ_LINE_LAYOUT_2" }, { 177, 1, "ARM_NISV_TO_USER" },
	{ 178, 1, "ARM_INJECT_EXT_DABT" }, { 195, ANY, "SET_GUEST_DEBUG2: its flags" },
	{ 203, 1, "BINARY_STATS_FD" },
	/* ours */
	{ 0x41520000, 1, "ARMVMM_CAP_VERSION" },
};

/*
 * Capabilities that depend on the host: 119, 120 debug registers, 126 a PMU; 131 asks about a VM.
 */
static bool cap_varies(unsigned int number)
{
	return number == 119 || number == 120 || number == 126 || number == 131;
}

/* Does this host's kernel lack what capability NUMBER asks for? */
static bool cap_lacks(unsigned int number)
{
	switch (number) {
	case 16:			/* SYNC_MMU */
		return host_pins();
	case 32: case 82:		/* irqfd */
	case 36: case 100: case 122:	/* ioeventfd */
		return !host_has_eventfd();
	}
	return false;
}

static bool cap_is_there(unsigned int number)
{
	for (unsigned int i = 0; i < COUNT(caps); i++)
		if (caps[i].number == number)
			return true;
	return false;
}

static void capabilities(void)
{
	int sys = sys_open(), vm = vm_new(sys), got;

	for (unsigned int i = 0; i < COUNT(caps); i++) {
		for (unsigned int on_vm = 0; on_vm < 2; on_vm++) {
			got = ioctl(on_vm ? vm : sys, KVM_CHECK_EXTENSION, caps[i].number);
			if (cap_lacks(caps[i].number))
				CHECK(got == 0, "%s is %d", caps[i].name, got);
			else
				CHECK(caps[i].want == ANY ? got > 0 : got == caps[i].want, "%s is %d",
			      caps[i].name, got);
		}
	}
	/* Nothing is promised by accident. */
	for (unsigned int n = 0; n < 1024; n++) {
		got = ioctl(vm, KVM_CHECK_EXTENSION, n);
		CHECK(cap_is_there(n) || cap_varies(n) || !got, "capability %u is %d", n, got);
	}
}

/* Structures by offset and size; exits and their parameters (linux/kvm.h, asm/kvm.h). */
static void layout(void)
{
	static const struct value numbers[] = {
#define SIZE(s, n)		{ "size of " #s, sizeof(struct s), n }
#define OFFSET(s, m, n)		{ #s "." #m, offsetof(struct s, m), n }
		SIZE(kvm_regs, 4 * (18 + 4 * 3 + 8)), OFFSET(kvm_regs, svc_regs, 72),
		OFFSET(kvm_regs, abt_regs, 84), OFFSET(kvm_regs, und_regs, 96),
		OFFSET(kvm_regs, irq_regs, 108), OFFSET(kvm_regs, fiq_regs, 120),
		SIZE(kvm_vcpu_init, 32), OFFSET(kvm_vcpu_init, features, 4),
		SIZE(kvm_sync_regs, 8), SIZE(kvm_vcpu_events, 64),
		OFFSET(kvm_vcpu_events, exception.serror_pending, 0),
		OFFSET(kvm_vcpu_events, exception.serror_has_esr, 1),
		OFFSET(kvm_vcpu_events, exception.ext_dabt_pending, 2),
		OFFSET(kvm_vcpu_events, exception.serror_esr, 8), SIZE(kvm_sregs, 0),
		SIZE(kvm_fpu, 0), SIZE(kvm_arch_memory_slot, 0), SIZE(kvm_one_reg, 16),
		SIZE(kvm_device_attr, 24), SIZE(kvm_userspace_memory_region, 32),
		OFFSET(kvm_run, immediate_exit, 1), OFFSET(kvm_run, exit_reason, 8),
		OFFSET(kvm_run, mmio.phys_addr, 32), OFFSET(kvm_run, mmio.data, 40),
		OFFSET(kvm_run, mmio.len, 48), OFFSET(kvm_run, mmio.is_write, 52),
		OFFSET(kvm_run, system_event.type, 32),
		OFFSET(kvm_run, arm_nisv.esr_iss, 32), OFFSET(kvm_run, arm_nisv.fault_ipa, 40),
		OFFSET(kvm_run, fail_entry.hardware_entry_failure_reason, 32),
		OFFSET(kvm_run, s.regs.device_irq_level, 32 + 256 + 16),
		VALUE(KVM_EXIT_DEBUG, 4), VALUE(KVM_EXIT_MMIO, 6), VALUE(KVM_EXIT_FAIL_ENTRY, 9),
		VALUE(KVM_EXIT_INTR, 10), VALUE(KVM_EXIT_INTERNAL_ERROR, 17),
		VALUE(KVM_EXIT_SYSTEM_EVENT, 24), VALUE(KVM_EXIT_ARM_NISV, 28),
		VALUE(KVM_SYSTEM_EVENT_SHUTDOWN, 1), VALUE(KVM_SYSTEM_EVENT_RESET, 2),
		VALUE(KVM_MP_STATE_RUNNABLE, 0), VALUE(KVM_MP_STATE_STOPPED, 5),
		VALUE(KVM_ARM_TARGET_CORTEX_A15, 0), VALUE(KVM_ARM_TARGET_CORTEX_A7, 1),
		VALUE(KVM_ARM_VCPU_POWER_OFF, 0), VALUE(KVM_ARM_VCPU_PSCI_0_2, 1),
		VALUE(KVM_ARM_VCPU_PMU_V3, 3), VALUE(KVM_COALESCED_MMIO_PAGE_OFFSET, 1),
		VALUE(KVM_DEV_TYPE_ARM_VGIC_V2, 5), VALUE(KVM_VGIC_V2_DIST_SIZE, 0x1000),
		VALUE(KVM_VGIC_V2_CPU_SIZE, 0x2000), VALUE(KVM_PSCI_FN_BASE, 0x95c1ba5e),
		VALUE(KVM_DEV_ARM_VGIC_GRP_ADDR, 0), VALUE(KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 1),
		VALUE(KVM_DEV_ARM_VGIC_GRP_CPU_REGS, 2), VALUE(KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 3),
		VALUE(KVM_DEV_ARM_VGIC_GRP_CTRL, 4), VALUE(KVM_ARM_VCPU_TIMER_CTRL, 1),
		/* arm64's: the PMU, and debugging; INJECT_BP and BLOCKIRQ are x86's */
		VALUE(KVM_ARM_VCPU_PMU_V3_CTRL, 0), VALUE(KVM_ARM_VCPU_PMU_V3_IRQ, 0),
		VALUE(KVM_ARM_VCPU_PMU_V3_INIT, 1), VALUE(KVM_GUESTDBG_ENABLE, 1),
		VALUE(KVM_GUESTDBG_SINGLESTEP, 2), VALUE(KVM_GUESTDBG_USE_SW_BP, 0x10000),
		VALUE(KVM_GUESTDBG_USE_HW, 0x20000), VALUE(KVM_GUESTDBG_INJECT_BP, 0x80000),
		VALUE(KVM_GUESTDBG_BLOCKIRQ, 0x100000),
		OFFSET(kvm_guest_debug_arch, dbg_bvr, 64),
		OFFSET(kvm_guest_debug_arch, dbg_wcr, 128),
		OFFSET(kvm_guest_debug_arch, dbg_wvr, 192), OFFSET(kvm_run, debug.arch.hsr, 32),
		OFFSET(kvm_run, debug.arch.pc, 36), OFFSET(kvm_run, debug.arch.far, 40),
		/* ours (linux/armvmm.h) */
		VALUE(ARMVMM_CAP_GENERIC_TARGET, 0x41520001),
		VALUE(ARMVMM_CAP_MIRRORS, 0x41520002), VALUE(ARMVMM_MAX_MIRRORS, 64),
		VALUE(ARMVMM_MIRROR_DELETE, 1), OFFSET(armvmm_mirror, size, 8),
		OFFSET(armvmm_mirror, flags, 12), OFFSET(armvmm_mirror, value, 16),
		VALUE(ARMVMM_CAP_UNPIN, 0x41520003), OFFSET(armvmm_range, size, 8),
		VALUE(ARMVMM_CAP_SUSPEND_STOPS, 0x41520004),
		VALUE(ARMVMM_CAP_GUEST_DEBUG, 0x41520010),
		VALUE(ARMVMM_GICD_SGI_ACTIVE, 0xd00), VALUE(ARMVMM_GICD_LATCH, 0xd80),
		VALUE(ARMVMM_GICD_HOLDER, 0x1000), VALUE(ARMVMM_FAIL_ENTRY_NO_HYP, 1),
		VALUE(ARMVMM_FAIL_ENTRY_NO_DEBUG, 2), VALUE(ARMVMM_FAIL_ENTRY_OTHER_PART, 3),
	};

	values(numbers, COUNT(numbers));
}

/* Group, attribute, and whether it exists: asm/kvm.h, Documentation/virt/kvm/devices. */
static void attributes(void)
{
	static const struct {
		uint32_t group;
		uint64_t attr;
		bool vcpu, there;
	} attrs[] = {
		{ 0, 0, false, true },		/* where the distributor is */
		{ 0, 1, false, true },		/* and the CPU interface */
		{ 0, 2, false, false },		/* a GICv3's */
		{ 1, 0x008, false, true },	/* GICD_IIDR */
		{ 1, 0xfe8, false, false },	/* an id of the distributor: no state */
		{ 2, 0x0fc, false, true },	/* GICC_IIDR */
		{ 2, 0x1ull << 32 | 0x04, false, true },	/* vCPU 1's GICC_PMR */
		{ 3, 0, false, true },		/* NR_IRQS */
		{ 4, 0, false, true },		/* CTRL, INIT */
		{ 4, 1, false, false },
		{ 5, 0, false, false },		/* a GICv3's */
		{ 1, 0, true, true },		/* TIMER_CTRL, IRQ_VTIMER */
		{ 1, 1, true, true },		/* IRQ_PTIMER */
		{ 1, 2, true, false },
		{ 0, 0, true, false },		/* the PMU's IRQ: these vCPUs have no PMU */
		{ 2, 0, true, false },
	};
	uint32_t irq = 0, irqs = 0, pending = 0;
	struct vm vm;

	vm_make(&vm, 2, 0);
	for (unsigned int i = 0; i < COUNT(attrs); i++) {
		int fd = attrs[i].vcpu ? vm.vcpu[1].fd : vm.gic;
		bool there = !attr_has(fd, attrs[i].group, attrs[i].attr);

		CHECK(there == attrs[i].there && (there || errno == ENXIO), "%s %u %llx: %s",
		      attrs[i].vcpu ? "vCPU" : "GIC", attrs[i].group,
		      (unsigned long long)attrs[i].attr, there ? "there" : strerror(errno));
	}
	/* PPIs 27 and 30, as the timers of a Cortex-A15 have them (DDI 0438 8.2.1). */
	CHECK(!attr_get(vm.vcpu[0].fd, 1, 0, &irq) && irq == 27, "virtual timer: %u", irq);
	CHECK(!attr_get(vm.vcpu[0].fd, 1, 1, &irq) && irq == 30, "physical timer: %u", irq);
	CHECK(!attr_get(vm.gic, 3, 0, &irqs) && irqs == 256, "%u interrupts", irqs);
	/* KVM_IRQ_LINE: vcpu2 28-31, type 24-27 (SPI 1, PPI 2), vcpu 16-23, number 0-15. */
	CHECK_OK(irq_line(vm.fd, 0x01000028, 1));
	CHECK(!attr_get(vm.gic, 1, 0x204, &pending) && pending == 1u << 8, "SPI 40: %x", pending);
	CHECK_OK(irq_line(vm.fd, 0x02010014, 1));
	CHECK(!attr_get(vm.gic, 1, 0x1ull << 32 | 0x200, &pending) && pending == 1u << 20,
	      "PPI 20 of vCPU 1: %x", pending);
}

/* KVM_REG_ARM (bits 60-62 are 4), size (bits 52-55), coproc (bits 16-27). */
#define ID32(coproc, index)	(0x4020000000000000ull | (coproc) << 16 | (index))
#define ID64(coproc, index)	(0x4030000000000000ull | (coproc) << 16 | (index))
#define CP(cp, op1, crn, crm, op2)	ID32(cp, (op2) | (op1) << 3 | (crm) << 7 | (crn) << 11)
#define CP15(op1, crn, crm, op2)	CP(15u, op1, crn, crm, op2)

/* Registers after KVM_ARM_VCPU_INIT, by the id that asm/kvm.h gives them. */
static void reset_values(void)
{
	static const struct {
		const char *name;
		uint64_t id, want;
	} regs[] = {
		/* A reset enters Supervisor mode with A, I and F set (DDI 0406C B1.9.1). */
		{ "CPSR", ID32(0x10u, 16), 0x1d3 },
		{ "r0", ID32(0x10u, 0), 0 }, { "pc", ID32(0x10u, 15), 0 },
		{ "SPSR_fiq", ID32(0x10u, 37), 0 },
		{ "TTBCR", CP15(0, 2, 0, 2), 0 },	/* B4.1.153 */
		{ "VBAR", CP15(0, 12, 0, 0), 0 },	/* B4.1.156 */
		{ "CPACR", CP15(0, 1, 0, 2), 0 },	/* B4.1.40 */
		{ "CONTEXTIDR", CP15(0, 13, 0, 1), 0 },
		{ "CNTV_CTL", ID32(15u, 1 | 3 << 7 | 14 << 11), 0 },	/* B8.1.2 */
		{ "CNTP_CTL", ID32(15u, 1 | 2 << 7 | 14 << 11), 0 },
		{ "PSCI version", ID64(0x14u, 0), 0x10001 },	/* DEN 0022D 5.1.1 */
		{ "WORKAROUND_2", ID64(0x14u, 2), 1 },	/* unknown: no such part has it */
		{ "FPEXC", ID32(0x12u, 0x1008), 0 },	/* B4.1.57: off */
	};
	struct vm vm;
	uint64_t got;
	uint32_t v;

	vm_make(&vm, 6, 0);
	for (unsigned int i = 0; i < COUNT(regs); i++) {
		got = 0;
		CHECK(!reg_get(vm.vcpu[0].fd, regs[i].id, &got), "%s: %s", regs[i].name,
		      strerror(errno));
		CHECK(got == regs[i].want, "%s is 0x%llx, not 0x%llx", regs[i].name,
		      (unsigned long long)got, (unsigned long long)regs[i].want);
	}
	/* Bits that are one in every SCTLR, MMU and caches off (B4.1.130); an A7 has bit 11 too. */
	v = reg32(vm.vcpu[0].fd, CP15(0, 1, 0, 0));
	CHECK((v & ~0x800u) == 0x00c50078, "SCTLR is %x", v);
	/* Multiprocessing Extensions, not a uniprocessor (B4.1.106); four CPUs in a cluster. */
	for (unsigned int i = 0; i < 6; i++) {
		v = reg32(vm.vcpu[i].fd, CP15(0, 0, 0, 5));
		CHECK(v == (0x80000000u | (i / 4) << 8 | i % 4), "MPIDR of vCPU %u is %x", i, v);
	}
	/*
	 * A reset counts the vCPUs that exist. ACTLR.SMP (A15 TRM 4.3.28) says whether there are
	 * several, as in KVM's reset_actlr(); L2CTLR (4.3.48) how many there are in the cluster,
	 * less one: four, then two.
	 */
	for (unsigned int i = 0; i < 6; i++) {
		vm_vcpu_init(&vm, i);
		v = reg32(vm.vcpu[i].fd, CP15(0, 1, 0, 1));
		CHECK(v >> 6 & 1, "ACTLR of vCPU %u is %x", i, v);
		v = reg32(vm.vcpu[i].fd, CP15(1, 9, 0, 2));
		CHECK((v >> 24 & 3) == (i < 4 ? 3 : 1), "L2CTLR of vCPU %u is %x", i, v);
	}
	/* The 64-bit ids: opc1 bits 3-6, CRm bits 7-10. */
	CHECK(!reg_get(vm.vcpu[0].fd, ID64(15u, 0 << 3 | 2 << 7), &got), "TTBR0");
	CHECK(!reg_get(vm.vcpu[0].fd, ID64(15u, 1 << 3 | 14 << 7), &got), "CNTVCT");
	CHECK(!reg_get(vm.vcpu[0].fd, ID64(15u, 3 << 3 | 14 << 7), &got), "CNTV_CVAL");
	CHECK(!reg_get(vm.vcpu[0].fd, ID64(0x12u, 31), &got), "d31");
	CHECK(!reg_get(vm.vcpu[0].fd, ID32(0x12u, 0x1001), &got), "FPSCR");
	CHECK(!reg_get(vm.vcpu[0].fd, ID32(0x11u, 0), &got), "CCSIDR of the first data cache");
}

/* --- what a guest reads --- */

/* Loads from r5, or calls with r0 to r3 (KVM is called by hvc), and reports the result. */
GUEST_CODE(load, "ldr r0, [r5]\n\tldr r4, =DEV_BASE\n\tstr r0, [r4]\n\tb .");
GUEST_CODE(loadb, "ldrb r0, [r5]\n\tldr r4, =DEV_BASE\n\tstr r0, [r4]\n\tb .");
GUEST_CODE(hvc, "hvc #0\n\tldr r4, =DEV_BASE\n\tstr r0, [r4]\n\tb .");

#define AT_LOAD		RAM_BASE
#define AT_LOADB	(RAM_BASE + 0x100)
#define AT_HVC		(RAM_BASE + 0x200)
#define AT_MRC		(RAM_BASE + 0x1000)
#define AT_VECTORS	(RAM_BASE + 0x2000)

/*
 * Runs the code at @pc until it reports: by the bytes of the run page, as linux/kvm.h places them.
 */
static uint32_t told(struct vm *vm, uint32_t pc)
{
	const char *run = (const char *)vm->vcpu[0].run;
	uint32_t reason, val;
	uint64_t addr;

	reg32_set(vm->vcpu[0].fd, ID32(0x10u, 15), pc);
	MUST_OK(ioctl(vm->vcpu[0].fd, 0xae80, 0));
	memcpy(&reason, run + 8, 4);
	memcpy(&addr, run + 32, 8);
	memcpy(&val, run + 40, 4);
	MUST(reason == 6 && addr == DEV_BASE && run[48] == 4 && run[52] == 1,
	     "exit %u at %llx", reason, (unsigned long long)addr);
	/* The next RUN completes the store, and moves the PC past it. */
	vm->vcpu[0].run->immediate_exit = 1;
	CHECK_ERRNO(ioctl(vm->vcpu[0].fd, 0xae80, 0), EINTR);
	vm->vcpu[0].run->immediate_exit = 0;
	return val;
}

static uint32_t load(struct vm *vm, uint32_t addr)
{
	reg32_set(vm->vcpu[0].fd, ID32(0x10u, 5), addr);
	return told(vm, AT_LOAD);
}

static uint32_t loadb(struct vm *vm, uint32_t addr)
{
	reg32_set(vm->vcpu[0].fd, ID32(0x10u, 5), addr);
	return told(vm, AT_LOADB);
}

static uint32_t hvc(struct vm *vm, uint32_t fn, uint32_t arg)
{
	reg32_set(vm->vcpu[0].fd, ID32(0x10u, 0), fn);
	reg32_set(vm->vcpu[0].fd, ID32(0x10u, 1), arg);
	reg32_set(vm->vcpu[0].fd, ID32(0x10u, 2), 0);
	return told(vm, AT_HVC);
}

static void guest_code(struct vm *vm)
{
	vm_code_at(vm, 0, AT_LOAD, code_load, code_load_end);
	vm_code_at(vm, 0, AT_LOADB, code_loadb, code_loadb_end);
	vm_code_at(vm, 0, AT_HVC, code_hvc, code_hvc_end);
}

static void guest(struct vm *vm, unsigned int n, unsigned int without)
{
	vm_make(vm, n, without);
	guest_code(vm);
}

/* To r0: MRC (DDI 0406C A8.8.107), and VMRS of a register by its number. */
#define MRC(cp, op1, crn, crm, op2)						\
	(0xee100010u | (cp) << 8 | (op1) << 21 | (crn) << 16 | (op2) << 5 | (crm))
#define VMRS(reg)		(0xeef00a10u | (reg) << 16)

#define UNDEFINED		0xffffffffu	/* which no register of these tests is */

static void put_code(struct vm *vm, uint32_t at, uint32_t insn)
{
	const uint32_t code[] = {
		insn,
		0xe3a0440a,		/* mov r4, #DEV_BASE */
		0xe5840000,		/* str r0, [r4] */
		0xeafffffe,		/* b . */
	};

	vm_code_at(vm, 0, at, code, code + COUNT(code));
}

/*
 * The guest's code @i: @insn, which reads a register to r0, and a report of that. Where that is
 * undefined, the vector reports it.
 */
static void reader(struct vm *vm, unsigned int i, uint32_t insn)
{
	put_code(vm, AT_MRC + i * 16, insn);
	if (i)
		return;
	put_code(vm, AT_VECTORS + 4, 0xe3e00000);	/* mvn r0, #0 */
	reg32_set(vm->vcpu[0].fd, CP15(0, 12, 0, 0), AT_VECTORS);
}

static uint32_t reads(struct vm *vm, unsigned int i)
{
	return told(vm, AT_MRC + i * 16);
}

/*
 * QEMU's GIC names no product in GICC_IIDR. Version 7.2 lacks registers that all these CPUs have,
 * or does not let HYP mode answer for them: only there may that be.
 */
static bool emulated(struct vm *vm)
{
	return !(load(vm, GICC_BASE + 0xfc) >> 20);
}

/* The maker and the part of the guest's CPU (DDI 0406C B4.1.105). */
static uint32_t part(struct vm *vm)
{
	return reg32(vm->vcpu[0].fd, CP15(0, 0, 0, 0)) & 0xff00fff0;
}

#define PART_A7		0x4100c070u
#define PART_A12	0x4100c0d0u
#define PART_A15	0x4100c0f0u
#define PART_A17	0x4100c0e0u

/* A distributor for 256 interrupts and 2 vCPUs after reset (IHI 0048B 4.3). */
static void distributor(void)
{
	static const struct {
		const char *name;
		uint32_t offset, want;
		bool saved;	/* the client reads the same of KVM_DEV_ARM_VGIC_GRP_DIST_REGS */
	} regs[] = {
		{ "GICD_CTLR", 0x000, 0, true },	/* 4.3.1 */
		{ "GICD_TYPER", 0x004, 1 << 5 | (256 / 32 - 1), true },	/* 4.3.2 */
		{ "GICD_IIDR", 0x008, 0x4b00243b, true },	/* 4.3.3; KVM's product */
		{ "GICD_IGROUPR0", 0x080, 0, true },	/* 4.3.4 */
		{ "GICD_ISENABLER0", 0x100, 0x0000ffff, true },	/* 4.3.5: SGIs, as KVM has them */
		{ "GICD_ISENABLER1", 0x104, 0, true },
		{ "GICD_ICENABLER0", 0x180, 0x0000ffff, true },	/* 4.3.6 */
		{ "GICD_ISPENDR0", 0x200, 0, true },	/* 4.3.7 */
		{ "GICD_ICPENDR1", 0x284, 0, true },	/* 4.3.8 */
		{ "GICD_ISACTIVER0", 0x300, 0, true },	/* 4.3.9 */
		{ "GICD_ICACTIVER1", 0x384, 0, true },	/* 4.3.10 */
		{ "GICD_IPRIORITYR0", 0x400, 0, true },	/* 4.3.11 */
		{ "GICD_ITARGETSR0", 0x800, 0x01010101, true },	/* 4.3.12: its own number */
		{ "GICD_ITARGETSR7", 0x81c, 0x01010101, true },
		{ "GICD_ITARGETSR8", 0x820, 0, true },
		{ "GICD_ICFGR0", 0xc00, 0xaaaaaaaa, true },	/* 4.3.13: SGIs: edge */
		{ "GICD_ICFGR1", 0xc04, 0, true },
		{ "GICD_ICFGR2", 0xc08, 0, true },
		{ "GICD_NSACR0", 0xe00, 0, false },	/* 4.3.14: no Security Extensions */
		{ "GICD_SGIR", 0xf00, 0, false },	/* 4.3.15: write-only */
		{ "GICD_CPENDSGIR0", 0xf10, 0, true },	/* 4.3.16 */
		{ "GICD_SPENDSGIR0", 0xf20, 0, true },	/* 4.3.17 */
		/* 4.3.18; part 0x490 and revision of a GIC-400 (DDI 0471B 3.2) */
		{ "ICPIDR4", 0xfd0, 0x04, false }, { "ICPIDR5", 0xfd4, 0, false },
		{ "ICPIDR6", 0xfd8, 0, false }, { "ICPIDR7", 0xfdc, 0, false },
		{ "ICPIDR0", 0xfe0, 0x90, false }, { "ICPIDR1", 0xfe4, 0xb4, false },
		{ "ICPIDR2", 0xfe8, 0x2b, false }, { "ICPIDR3", 0xfec, 0, false },
		{ "ICCIDR0", 0xff0, 0x0d, false }, { "ICCIDR1", 0xff4, 0xf0, false },
		{ "ICCIDR2", 0xff8, 0x05, false }, { "ICCIDR3", 0xffc, 0xb1, false },
	};
	uint32_t v, all = ~0u;
	struct vm vm;

	guest(&vm, 2, 0);
	for (unsigned int i = 0; i < COUNT(regs); i++) {
		v = load(&vm, GICD_BASE + regs[i].offset);
		CHECK(v == regs[i].want, "the guest reads %s as %08x, not %08x", regs[i].name, v,
		      regs[i].want);
		if (regs[i].saved)
			CHECK(!attr_get(vm.gic, 1, regs[i].offset, &v) && v == regs[i].want,
			      "the client reads %s as %08x, not %08x", regs[i].name, v,
			      regs[i].want);
	}
	/* Five bits of priority (5.3.8 has no more), and a target for each vCPU. */
	CHECK_OK(attr_set(vm.gic, 1, 0x420, &all));
	CHECK(load(&vm, GICD_BASE + 0x420) == 0xf8f8f8f8);
	CHECK(loadb(&vm, GICD_BASE + 0x423) == 0xf8);
	CHECK_OK(attr_set(vm.gic, 1, 0x820, &all));
	CHECK(load(&vm, GICD_BASE + 0x820) == 0x03030303);
}

/* Both forms of a saved GICD_IIDR: KVM's revisions, and the one of earlier armvmm versions. */
static void saved_iidr(void)
{
	static const uint32_t good[] = { 0x4b00143b, 0x4b02043b, 0x4b00243b };
	static const uint32_t bad[] = { 0x4b00043b, 0x4b00343b, 0x4b02243b, 0x0200043b, 0 };
	struct vm vm;
	uint32_t v;

	guest(&vm, 1, 0);
	for (unsigned int i = 0; i < COUNT(bad); i++) {
		v = bad[i];
		CHECK_ERRNO(attr_set(vm.gic, 1, 8, &v), EINVAL);
	}
	for (unsigned int i = 0; i < COUNT(good); i++) {
		v = good[i];
		CHECK_OK(attr_set(vm.gic, 1, 8, &v));
		CHECK(load(&vm, GICD_BASE + 8) == good[i]);
	}
}

/*
 * The CPU interface (IHI 0048B 4.4): the guest sees the hardware's, the client KVM's. With
 * priorities of five bits, of which all preempt (5.3.2, 5.3.6), the smallest binary point is 2, and
 * the aliased one's 3: so they are after a reset. KVM's state, which is GICH_VMCR, is zero until a
 * vCPU has run, and the hardware raises what is too small.
 */
static void cpu_interface(void)
{
	static const struct {
		const char *name;
		uint32_t offset, want;
		bool saved;	/* it is an attribute of KVM_DEV_ARM_VGIC_GRP_CPU_REGS */
		uint32_t first;	/* which the client reads as this, before the guest has run */
		bool missing;	/* in QEMU 7.2, where it reads as zero */
	} regs[] = {
		{ "GICC_CTLR", 0x00, 0, true, 0, false },	/* 4.4.1 */
		{ "GICC_PMR", 0x04, 0, true, 0, false },	/* 4.4.2 */
		{ "GICC_BPR", 0x08, 2, true, 0, false },	/* 4.4.3 */
		{ "GICC_IAR", 0x0c, 1023, false, 0, false },	/* 4.4.4, 3.2.5: none is pending */
		{ "GICC_RPR", 0x14, 0xff, false, 0, false },	/* 4.4.6: the idle priority */
		{ "GICC_HPPIR", 0x18, 1023, false, 0, false },	/* 4.4.7 */
		{ "GICC_ABPR", 0x1c, 3, true, 0, false },	/* 4.4.8 */
		{ "GICC_AIAR", 0x20, 1023, false, 0, true },	/* 4.4.9 */
		{ "GICC_AHPPIR", 0x28, 1023, false, 0, true },	/* 4.4.11 */
		{ "GICC_APR0", 0xd0, 0, true, 0, false },	/* 4.4.12 */
		{ "GICC_APR1", 0xd4, 0, true, 0, false },
		{ "GICC_APR2", 0xd8, 0, true, 0, false },
		{ "GICC_APR3", 0xdc, 0, true, 0, false },
	};
	uint32_t v, all = ~0u;
	struct vm vm;

	guest(&vm, 1, 0);
	for (unsigned int i = 0; i < COUNT(regs); i++) {
		bool there = !attr_has(vm.gic, 2, regs[i].offset);

		CHECK(there == regs[i].saved, "%s is %s attribute", regs[i].name,
		      there ? "an" : "no");
		if (regs[i].saved)
			CHECK(!attr_get(vm.gic, 2, regs[i].offset, &v) && v == regs[i].first,
			      "at first, the client reads %s as %x, not %x", regs[i].name, v,
			      regs[i].first);
	}
	v = load(&vm, GICC_BASE + 0xfc);	/* 4.4.14 */
	CHECK((v & 0x000f0fff) == 0x0002043b, "GICC_IIDR is %08x", v);
	for (unsigned int i = 0; i < COUNT(regs); i++) {
		v = load(&vm, GICC_BASE + regs[i].offset);
		CHECK(v == regs[i].want || (regs[i].missing && !v && emulated(&vm)),
		      "the guest reads %s as %x, not %x", regs[i].name, v, regs[i].want);
		if (regs[i].saved)
			CHECK(!attr_get(vm.gic, 2, regs[i].offset, &v) && v == regs[i].want,
			      "the client reads %s as %x, not %x", regs[i].name, v, regs[i].want);
	}
	CHECK(!attr_get(vm.gic, 2, 0xfc, &v) && v == 0x04b2043b, "GICC_IIDR is %08x", v);
	/* Five bits, shifted right by three: KVM's GICv2 shows VMCR's field, not GICC_PMR. */
	CHECK_OK(attr_set(vm.gic, 2, 0x04, &all));
	CHECK(!attr_get(vm.gic, 2, 0x04, &v) && v == 0x1f, "GICC_PMR is %x", v);
	CHECK(load(&vm, GICC_BASE + 0x04) == 0xf8);	/* 4.4.2 */
}

/* DEN 0022D 5.1 and 5.2.2, DEN 0028B 7: by number, each with what it returns. */
static void psci(void)
{
	static const struct {
		const char *name;
		uint32_t fn, arg, want;
	} calls[] = {
		{ "PSCI_VERSION", 0x84000000, 0, 0x00010001 },
		{ "CPU_ON, itself: ALREADY_ON", 0x84000003, 0, -4u },
		{ "CPU_ON, nobody: INVALID_PARAMETERS", 0x84000003, 7, -2u },
		{ "AFFINITY_INFO, itself: ON", 0x84000004, 0, 0 },
		{ "AFFINITY_INFO, the other: OFF", 0x84000004, 1, 1 },
		{ "AFFINITY_INFO, nobody", 0x84000004, 7, -2u },
		{ "MIGRATE: NOT_SUPPORTED", 0x84000005, 0, -1u },
		{ "MIGRATE_INFO_TYPE: no need", 0x84000006, 0, 2 },
		{ "MIGRATE_INFO_UP_CPU", 0x84000007, 0, -1u },
		{ "FEATURES of PSCI_VERSION", 0x8400000a, 0x84000000, 0 },
		{ "FEATURES of CPU_SUSPEND: the original format", 0x8400000a, 0x84000001, 0 },
		{ "FEATURES of CPU_OFF", 0x8400000a, 0x84000002, 0 },
		{ "FEATURES of CPU_ON", 0x8400000a, 0x84000003, 0 },
		{ "FEATURES of AFFINITY_INFO", 0x8400000a, 0x84000004, 0 },
		{ "FEATURES of MIGRATE", 0x8400000a, 0x84000005, -1u },
		{ "FEATURES of SYSTEM_OFF", 0x8400000a, 0x84000008, 0 },
		{ "FEATURES of SYSTEM_RESET", 0x8400000a, 0x84000009, 0 },
		{ "FEATURES of itself", 0x8400000a, 0x8400000a, 0 },
		{ "FEATURES of CPU_FREEZE", 0x8400000a, 0x8400000b, -1u },
		{ "FEATURES of SYSTEM_SUSPEND", 0x8400000a, 0x8400000e, -1u },
		{ "FEATURES of SYSTEM_RESET2", 0x8400000a, 0x84000012, 0 },
		{ "FEATURES of SMCCC_VERSION", 0x8400000a, 0x80000000, 0 },
		{ "CPU_ON of 64 bits", 0xc4000003, 0, -1u },
		{ "SMCCC_VERSION", 0x80000000, 0, 0x00010001 },
		{ "ARCH_FEATURES of SMCCC_VERSION", 0x80000001, 0x80000000, 0 },
		{ "ARCH_FEATURES of itself", 0x80000001, 0x80000001, 0 },
		{ "ARCH_FEATURES of WORKAROUND_2", 0x80000001, 0x80007fff, -1u },
		{ "a hypervisor's call", 0x86000000, 0, -1u },
		{ "no call", 0x12345678, 0, -1u },
	};
	const char *run;
	uint32_t v[2];
	struct vm vm;

	guest(&vm, 2, 0);
	run = (const char *)vm.vcpu[0].run;
	for (unsigned int i = 0; i < COUNT(calls); i++) {
		v[0] = hvc(&vm, calls[i].fn, calls[i].arg);
		CHECK(v[0] == calls[i].want, "%s is %x, not %x", calls[i].name, v[0],
		      calls[i].want);
	}
	/* SYSTEM_OFF and SYSTEM_RESET end in KVM_EXIT_SYSTEM_EVENT, types 1 and 2. */
	for (uint32_t type = 1; type <= 2; type++) {
		struct kvm_mp_state on = { .mp_state = 0 };

		reg32_set(vm.vcpu[0].fd, ID32(0x10u, 0), 0x84000007 + type);
		reg32_set(vm.vcpu[0].fd, ID32(0x10u, 15), AT_HVC);
		CHECK_OK(ioctl(vm.vcpu[0].fd, 0xae80, 0));
		memcpy(&v[0], run + 8, 4);
		memcpy(&v[1], run + 32, 4);
		CHECK(v[0] == 24 && v[1] == type, "exit %u, type %u", v[0], v[1]);
		CHECK_OK(ioctl(vm.vcpu[0].fd, 0x4004ae99, &on));
	}
	vm_close(&vm);

	/* PSCI 0.1 has KVM's numbers: base 0x95c1ba5e, then suspend, off, on, migrate. */
	guest(&vm, 2, VM_PSCI_01);
	CHECK(hvc(&vm, 0x95c1ba60, 7) == -2u);
	CHECK(hvc(&vm, 0x95c1ba61, 0) == -1u);
	CHECK(hvc(&vm, 0x84000000, 0) == -1u);
}

/*
 * CVE-2017-5715: the client reads the level of KVM's firmware register 1 (0 not available, 1
 * available, 2 not required), and the guest the same by DEN 0028B 7.3 and 7.4: no such call, 0, 1.
 */
static void workaround_1(void)
{
	static const uint32_t want[] = { -1u, 0, 1 };
	uint64_t level;
	struct vm vm;
	uint32_t v;

	guest(&vm, 1, 0);
	level = reg64(vm.vcpu[0].fd, ID64(0x14u, 1));
	MUST(level <= 2, "level %llu", (unsigned long long)level);
	v = hvc(&vm, 0x80000001, 0x80008000);
	CHECK(v == want[level], "ARCH_FEATURES is %x with level %llu", v,
	      (unsigned long long)level);
	/* The call returns nothing: r0 is still its number. */
	v = hvc(&vm, 0x80008000, 0);
	CHECK(v == (level ? 0x80008000 : -1u), "the call returns %x", v);
	/* Arm's table of affected CPUs. */
	switch (part(&vm)) {
	case PART_A7:
		CHECK(level == 2, "level %llu", (unsigned long long)level);
		break;
	case PART_A12:
	case PART_A15:
	case PART_A17:
		CHECK(level != 2, "level %llu", (unsigned long long)level);
		break;
	}
}

/* MIDR as Linux reports it for the same CPU (DDI 0406C B4.1.105). */
static uint32_t host_midr(void)
{
	uint32_t midr = 0xf0000, v;
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256];

	MUST(f, "/proc/cpuinfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "CPU implementer : %x", &v) == 1)
			midr = (midr & 0x00ffffff) | v << 24;
		else if (sscanf(line, "CPU variant : %x", &v) == 1)
			midr = (midr & 0xff0fffff) | v << 20;
		else if (sscanf(line, "CPU part : %x", &v) == 1)
			midr = (midr & 0xffff000f) | v << 4;
		else if (sscanf(line, "CPU revision : %u", &v) == 1)
			midr = (midr & ~0xfu) | v;
	}
	fclose(f);
	return midr;
}

/* The registers that identify the CPU to a guest agree with ONE_REG and with the manual. */
static void feature_registers(void)
{
	static const struct {
		const char *name;
		unsigned int op1, crn, crm, op2;
		uint32_t mask, want;
	} regs[] = {
		{ "MIDR", 0, 0, 0, 0, 0x000f0000, 0x000f0000 },	/* B4.1.105 */
		{ "CTR", 0, 0, 0, 1, 0xe0000000, 0x80000000 },	/* B4.1.42: ARMv7's format */
		{ "MPIDR", 0, 0, 0, 5, ~0u, 0x80000000 },	/* B4.1.106 */
		{ "REVIDR", 0, 0, 0, 6, 0, 0 },			/* B4.1.128 */
		{ "ID_PFR0", 0, 0, 1, 0, 0x000000f0, 0x00000030 },	/* B4.1.93: Thumb-2 */
		{ "ID_PFR1", 0, 0, 1, 1, 0x000ff000, 0x00011000 },	/* B4.1.94 */
		{ "ID_DFR0", 0, 0, 1, 2, 0, 0 },
		{ "ID_AFR0", 0, 0, 1, 3, 0, 0 },
		{ "ID_MMFR0", 0, 0, 1, 4, 0x0000000f, 0x00000005 },	/* B4.1.89: LPAE */
		{ "ID_MMFR1", 0, 0, 1, 5, 0, 0 },
		{ "ID_MMFR2", 0, 0, 1, 6, 0, 0 },
		{ "ID_MMFR3", 0, 0, 1, 7, 0x0000f000, 0x00002000 },	/* B4.1.92 */
		{ "ID_ISAR0", 0, 0, 2, 0, 0x0f000000, 0x02000000 },	/* B4.1.83: SDIV, UDIV */
		{ "ID_ISAR1", 0, 0, 2, 1, 0, 0 },
		{ "ID_ISAR2", 0, 0, 2, 2, 0, 0 },
		{ "ID_ISAR3", 0, 0, 2, 3, 0, 0 },
		{ "ID_ISAR4", 0, 0, 2, 4, 0, 0 },
		{ "ID_ISAR5", 0, 0, 2, 5, ~0u, 0 },		/* B4.1.88: reserved */
		{ "CLIDR", 1, 0, 0, 1, 0, 0 },
		{ "AIDR", 1, 0, 0, 7, 0, 0 },
		/* IMPLEMENTATION DEFINED; a single CPU: A15 TRM 4.3.28 and 4.3.48, A7 TRM 4.3 */
		{ "ACTLR", 0, 1, 0, 1, 0x00000040, 0 },
		{ "L2CTLR", 1, 9, 0, 2, 0x03000000, 0 },
	};
	struct vm vm;
	uint32_t v, w;

	guest(&vm, 1, 0);
	/* Write all at once, before any of it runs: no code that was fetched is changed. */
	for (unsigned int i = 0; i < COUNT(regs); i++)
		reader(&vm, i, MRC(15u, regs[i].op1, regs[i].crn, regs[i].crm, regs[i].op2));
	for (unsigned int i = 0; i < COUNT(regs); i++) {
		uint64_t id = CP15(regs[i].op1, regs[i].crn, regs[i].crm, regs[i].op2);

		v = reads(&vm, i);
		/* HCR.TIDCP has no effect there: the guest reads the host's L2CTLR. */
		if (regs[i].crn == 9 && emulated(&vm))
			v = reg32(vm.vcpu[0].fd, id);
		CHECK((v & regs[i].mask) == regs[i].want, "the guest reads %s as %08x",
		      regs[i].name, v);
		CHECK(!reg_get(vm.vcpu[0].fd, id, &w) && v == w, "%s: the guest %08x, ONE_REG %08x",
		      regs[i].name, v, w);
	}
	v = reads(&vm, 0);
	CHECK(v == host_midr(), "MIDR is %08x, the host says %08x", v, host_midr());
	/* Target 1 is the Cortex-A7, 0 all others. */
	CHECK(vm.init.target == ((v & 0xff0ffff0) == 0x410fc070), "target %u", vm.init.target);
}

/*
 * What identifies the floating point of a Cortex-A7, A12, A15 or A17, VFPv4 in hardware (DDI 0406C
 * B4.1.59, B4.1.108, B4.1.109; MVFR0.A_SIMD, and MVFR1's SIMD fields, depend on Advanced SIMD).
 */
static void floating_point(void)
{
	static const struct {
		const char *name;
		unsigned int reg;	/* of VMRS */
		uint32_t id, mask, want;
	} regs[] = {
		/* bit 23: no software; the maker is the CPU's */
		{ "FPSID", 0, 0x1000, 0xff800000, 0x41000000 },
		/* rounding modes, square root, division, both precisions; no trapped exceptions */
		{ "MVFR0", 7, 0x1007, 0xfffffff0, 0x10110220 },
		/* fused multiply-accumulate, half precision, NaNs, denormals */
		{ "MVFR1", 6, 0x1006, 0xff0000ff, 0x11000011 },
		{ "FPEXC", 8, 0x1008, 0xc0000000, 0 },	/* B4.1.57: EX and EN are zero */
	};
	struct vm vm;
	uint32_t v, w;

	vm_make(&vm, 1, 0);
	for (unsigned int i = 0; i < COUNT(regs); i++)
		reader(&vm, i, VMRS(regs[i].reg));
	/* While FPEXC.EN is clear, PL1 may read these, if CPACR lets it (B1.11.3). */
	reg32_set(vm.vcpu[0].fd, CP15(0, 1, 0, 2), 0x00f00000);
	for (unsigned int i = 0; i < COUNT(regs); i++) {
		v = reads(&vm, i);
		CHECK((v & regs[i].mask) == regs[i].want, "the guest reads %s as %08x",
		      regs[i].name, v);
		CHECK(!reg_get(vm.vcpu[0].fd, ID32(0x12u, regs[i].id), &w) && v == w,
		      "%s: the guest %08x, ONE_REG %08x", regs[i].name, v, w);
	}
	/* The subarchitecture: of VFPv3 and later there are three. */
	v = reg32(vm.vcpu[0].fd, ID32(0x12u, 0x1000)) >> 16 & 0x7f;
	CHECK(v >= 2 && v <= 4, "FPSID's subarchitecture is %u", v);
	v = reg32(vm.vcpu[0].fd, ID32(0x12u, 0x1007)) & 0xf;
	CHECK(v == 1 || v == 2, "MVFR0.A_SIMD is %u", v);
}

/* What PMUv2 tells of itself after a reset: PMCR, PMCEID0 and PMCEID1 (B4.1.117, B4.1.114). */
static void performance_monitors(void)
{
	static const struct {
		const char *name;
		unsigned int op2;
		uint32_t mask, want;
		bool missing;	/* in QEMU 7.2: PMUv2's */
	} regs[] = {
		/* Arm's; bits 10-6 are reserved, and nothing is on */
		{ "PMCR", 0, 0xff0007ff, 0x41000000, false },
		/* C12.8: 0x00 is software's, 0x11 cycles; from 0x1e on there is none */
		{ "PMCEID0", 6, 0xc0020001, 0x00020001, true },
		{ "PMCEID1", 7, ~0u, 0, true },
	};
	uint32_t irq = 23, v, w;
	struct vm vm;

	/* Without the feature they read as zero, as in KVM/arm, and the client has none. */
	guest(&vm, 1, 0);
	for (unsigned int i = 0; i < COUNT(regs); i++)
		reader(&vm, i, MRC(15u, 0u, 9u, 12u, regs[i].op2));
	for (unsigned int i = 0; i < COUNT(regs); i++) {
		v = reads(&vm, i);
		CHECK(!v || (v == UNDEFINED && regs[i].missing && emulated(&vm)),
		      "without a PMU the guest reads %s as %08x", regs[i].name, v);
		CHECK_ERRNO(reg_get(vm.vcpu[0].fd, CP15(0, 9, 12, regs[i].op2), &w), ENOENT);
	}
	if (ioctl(vm.sys, KVM_CHECK_EXTENSION, 126) != 1)
		return;
	vm_close(&vm);

	vm_make(&vm, 1, VM_NO_VCPU_INIT);
	vm.init.features[0] |= 1u << 3;		/* KVM_ARM_VCPU_PMU_V3 */
	vm_vcpu_init(&vm, 0);
	guest_code(&vm);
	MUST_OK(attr_set(vm.vcpu[0].fd, 0, 0, &irq));
	MUST_OK(attr_set(vm.vcpu[0].fd, 0, 1, NULL));
	for (unsigned int i = 0; i < COUNT(regs); i++)
		reader(&vm, i, MRC(15u, 0u, 9u, 12u, regs[i].op2));
	for (unsigned int i = 0; i < COUNT(regs); i++) {
		w = reg32(vm.vcpu[0].fd, CP15(0, 9, 12, regs[i].op2));
		CHECK((w & regs[i].mask) == regs[i].want, "the client reads %s as %08x",
		      regs[i].name, w);
		v = reads(&vm, i);
		CHECK(v == w || (v == UNDEFINED && regs[i].missing && emulated(&vm)),
		      "%s: the guest %08x, ONE_REG %08x", regs[i].name, v, w);
	}
	/*
	 * N: a Cortex-A7's counters (A7 TRM 11), and an A15's (A15 TRM 11), as A12 and A17 have,
	 * but for the one that the host keeps.
	 */
	v = reads(&vm, 0) >> 11 & 0x1f;
	CHECK(v == (part(&vm) == PART_A7 ? 4 : 6) - 1, "%u counters", v);
}

/*
 * The guest's own debug logic: v7.1 with a Double Lock, no external debugger and so no PC samples,
 * and no HYP mode (C11.11.15, C11.11.13, C11.11.1; docs/abi.md). A host whose debug logic is out of
 * reach has none: all is zero, as in KVM/arm.
 */
static void debug_registers(void)
{
	static const struct {
		const char *name;
		unsigned int crn, crm, op2;
		uint32_t mask, want;
		bool missing;	/* in QEMU 7.2 */
	} regs[] = {
		/* Version 5, DEVID_imp, no PCSR_imp */
		{ "DBGDIDR", 0, 0, 0, 0x000fa000, 0x00058000, false },
		/* CIDMask, AuxRegs 0, DoubleLock 1, VirtExtns 0; BPAddrMask 15: none; PCsample 0 */
		{ "DBGDEVID", 7, 2, 7, 0xffff0f0f, 0x00100f00, true },
		/* Non-secure debug is enabled; Secure debug is not (bits 6 and 4) */
		{ "DBGAUTHSTATUS", 7, 14, 6, 0xffffff5f, 0x0000000f, true },
	};
	uint32_t v, didr, mask, want, w = 0;
	struct vm vm;
	int bps, wps;

	guest(&vm, 1, 0);
	bps = ioctl(vm.sys, KVM_CHECK_EXTENSION, 119);
	wps = ioctl(vm.sys, KVM_CHECK_EXTENSION, 120);
	for (unsigned int i = 0; i < COUNT(regs); i++)
		reader(&vm, i, MRC(14u, 0u, regs[i].crn, regs[i].crm, regs[i].op2));
	for (unsigned int i = 0; i < COUNT(regs); i++) {
		mask = bps > 0 ? regs[i].mask : ~0u;
		want = bps > 0 ? regs[i].want : 0;
		v = reads(&vm, i);
		CHECK((v & mask) == want || (v == UNDEFINED && regs[i].missing && emulated(&vm)),
		      "with %d breakpoints the guest reads %s as %08x", bps, regs[i].name, v);
	}
	didr = reads(&vm, 0);
	if (bps <= 0) {
		CHECK(wps == 0, "%d watchpoints", wps);
		CHECK_ERRNO(reg_get(vm.vcpu[0].fd, CP(14u, 0, 0, 0, 0), &w), ENOENT);
		return;
	}
	CHECK(!reg_get(vm.vcpu[0].fd, CP(14u, 0, 0, 0, 0), &w) && didr == w,
	      "DBGDIDR: the guest %08x, ONE_REG %08x", didr, w);
	/* Each less one: watchpoints, breakpoints, and those of them that compare contexts. */
	CHECK((int)(didr >> 28) + 1 == wps, "DBGDIDR is %08x, %d watchpoints", didr, wps);
	CHECK((int)(didr >> 24 & 15) + 1 == bps, "DBGDIDR is %08x, %d breakpoints", didr, bps);
	CHECK((didr >> 20 & 15) <= (didr >> 24 & 15), "DBGDIDR is %08x", didr);
}

static const struct ktap_case cases[] = {
	{ "ioctls", ioctls, 0 },
	{ "capabilities", capabilities, 0 },
	{ "layout", layout, 0 },
	{ "attributes", attributes, 0 },
	{ "reset_values", reset_values, 0 },
	{ "distributor", distributor, 0 },
	{ "saved_iidr", saved_iidr, 0 },
	{ "cpu_interface", cpu_interface, 0 },
	{ "psci", psci, 0 },
	{ "workaround_1", workaround_1, 0 },
	{ "feature_registers", feature_registers, 0 },
	{ "floating_point", floating_point, 0 },
	{ "performance_monitors", performance_monitors, 0 },
	{ "debug_registers", debug_registers, 0 },
};
KTAP_MAIN(cases)

// SPDX-License-Identifier: GPL-2.0-only
/* GET_REG_LIST and ONE_REG: every id, and every wrong form of one (docs/hazards.md 1). */
#include "vm.h"

#define MAX_IDS	512
#define VFP(n, size)	(KVM_REG_ARM | (size) | KVM_REG_ARM_VFP | (n))

static struct { struct kvm_reg_list l; uint64_t id[MAX_IDS]; } list;

GUEST_CODE(exit, "ldr r1, =DEV_BASE\n1:\tstr r0, [r1]\n\tb 1b");

static void get_list(struct vm *vm)
{
	list.l.n = MAX_IDS;
	MUST_OK(ioctl(vm->vcpu[0].fd, KVM_GET_REG_LIST, &list));
}

static bool listed(uint64_t id)
{
	for (uint64_t i = 0; i < list.l.n; i++)
		if (list.id[i] == id)
			return true;
	return false;
}

static void reg_list(void)
{
	struct vm vm;
	uint64_t n;

	vm_make(&vm, 1, 0);
	get_list(&vm);
	n = list.l.n;
	for (uint64_t small = 0; small < n; small += 7) {
		list.l.n = small;
		CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_GET_REG_LIST, &list), E2BIG);
		CHECK(list.l.n == n, "asks for %llu, not %llu", (unsigned long long)list.l.n,
		      (unsigned long long)n);
	}
	list.l.n = n;
	CHECK_OK(ioctl(vm.vcpu[0].fd, KVM_GET_REG_LIST, &list));
	for (uint64_t i = 0; i < n; i++)
		for (uint64_t k = i + 1; k < n; k++)
			CHECK(list.id[i] != list.id[k], "%016llx twice",
			      (unsigned long long)list.id[i]);
	for (unsigned int i = 0; i < sizeof(struct kvm_regs) / 4; i++)
		CHECK(listed(CORE_REG(i)), "core register %u is missing", i);
	for (unsigned int i = 0; i < 32; i++)
		CHECK(listed(VFP(i, KVM_REG_SIZE_U64)), "d%u is missing", i);
	CHECK(listed(VFP(KVM_REG_ARM_VFP_FPSCR, KVM_REG_SIZE_U32)));
	CHECK(listed(VFP(KVM_REG_ARM_VFP_FPEXC, KVM_REG_SIZE_U32)));
	CHECK(listed(VFP(KVM_REG_ARM_VFP_FPSID, KVM_REG_SIZE_U32)));
	CHECK(listed(VFP(KVM_REG_ARM_VFP_MVFR0, KVM_REG_SIZE_U32)));
	CHECK(listed(VFP(KVM_REG_ARM_VFP_MVFR1, KVM_REG_SIZE_U32)));
	CHECK(listed(KVM_REG_ARM_TIMER_CTL) && listed(KVM_REG_ARM_TIMER_CNT) &&
	      listed(KVM_REG_ARM_TIMER_CVAL));
	CHECK(listed(KVM_REG_ARM_PSCI_VERSION));
	CHECK(listed(ARM_CP15_REG32(0, 1, 0, 0)), "SCTLR is missing");
	CHECK(listed(ARM_CP15_REG64(0, 2)), "TTBR0 is missing");
	CHECK(listed(ARM_CP15_REG64(1, 2)), "TTBR1 is missing");
	CHECK(listed(ARM_CP15_REG64(0, 7)), "PAR is missing");
	CHECK(listed(ARM_CP15_REG32(0, 0, 0, 0)), "MIDR is missing");
	CHECK(listed(KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_DEMUX | 0), "CCSIDR 0 is missing");
}

/* Every listed register can be read, and written back unchanged. */
static void every_id(void)
{
	struct vm vm;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, exit);
	vm_run(&vm, 0);
	get_list(&vm);
	for (uint64_t i = 0; i < list.l.n; i++) {
		uint8_t val[16], again[16];
		uint64_t id = list.id[i];
		unsigned int size = KVM_REG_SIZE(id);

		MUST(size == 4 || size == 8, "%016llx", (unsigned long long)id);
		memset(val, 0x5a, sizeof(val));
		CHECK(!reg_get(vm.vcpu[0].fd, id, val), "%016llx: %s", (unsigned long long)id,
		      strerror(errno));
		for (unsigned int k = size; k < sizeof(val); k++)
			CHECK(val[k] == 0x5a, "%016llx writes beyond its size",
			      (unsigned long long)id);
		CHECK(!reg_set(vm.vcpu[0].fd, id, val), "%016llx: %s", (unsigned long long)id,
		      strerror(errno));
		if (id == KVM_REG_ARM_TIMER_CNT || id == KVM_REG_ARM_PTIMER_CNT)
			continue;
		CHECK(!reg_get(vm.vcpu[0].fd, id, again));
		CHECK(!memcmp(val, again, size), "%016llx changed", (unsigned long long)id);
	}
}

/* With another size, the id of a listed register is unknown. */
static void wrong_sizes(void)
{
	static const uint64_t sizes[] = {
		KVM_REG_SIZE_U8, KVM_REG_SIZE_U16, KVM_REG_SIZE_U32, KVM_REG_SIZE_U64,
		KVM_REG_SIZE_U128, KVM_REG_SIZE_U256, KVM_REG_SIZE_U512, KVM_REG_SIZE_U1024,
	};
	uint8_t val[256] = { 0 };
	struct vm vm;

	vm_make(&vm, 1, 0);
	get_list(&vm);
	for (uint64_t i = 0; i < list.l.n; i++)
		for (unsigned int s = 0; s < 8; s++) {
			uint64_t id = (list.id[i] & ~KVM_REG_SIZE_MASK) | sizes[s];

			if (listed(id) || (id & 0x0fff0000) == KVM_REG_ARM_FW)
				continue;
			errno = 0;
			CHECK(reg_get(vm.vcpu[0].fd, id, val) == -1 &&
			      (errno == ENOENT || errno == EINVAL), "GET %016llx: %s",
			      (unsigned long long)id, strerror(errno));
			errno = 0;
			CHECK(reg_set(vm.vcpu[0].fd, id, val) == -1 &&
			      (errno == ENOENT || errno == EINVAL), "SET %016llx: %s",
			      (unsigned long long)id, strerror(errno));
		}
	CHECK_ERRNO(reg_get(vm.vcpu[0].fd, (CORE_REG(0) & ~KVM_REG_SIZE_MASK) | KVM_REG_SIZE_U64,
			    val),
		    ENOENT);
	CHECK_ERRNO(reg_set(vm.vcpu[0].fd, (CORE_REG(0) & ~KVM_REG_SIZE_MASK) | KVM_REG_SIZE_U64,
			    val),
		    ENOENT);
	CHECK_ERRNO(reg_set(vm.vcpu[0].fd, VFP(0, KVM_REG_SIZE_U32), val), ENOENT);
	CHECK_ERRNO(reg_set(vm.vcpu[0].fd, VFP(KVM_REG_ARM_VFP_FPSCR, KVM_REG_SIZE_U64), val),
		    ENOENT);
}

static void unknown_ids(void)
{
	static const uint64_t ids[] = {
		CORE_REG(sizeof(struct kvm_regs) / 4), CORE_REG(0xffff), CORE_REG(0x1000),
		VFP(32, KVM_REG_SIZE_U64), VFP(0xffff, KVM_REG_SIZE_U64),
		VFP(0x1002, KVM_REG_SIZE_U32), VFP(0x1fff, KVM_REG_SIZE_U32),
		ARM_CP15_REG32(7, 15, 15, 7), ARM_CP15_REG32(4, 1, 1, 0), ARM_CP15_REG64(15, 15),
		ARM_CP15_REG64(6, 2),
		KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_DEMUX | 0x0100,
		KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_DEMUX | 0xff,
		KVM_REG_ARM | KVM_REG_SIZE_U32 | (0x13ull << 16),
		KVM_REG_ARM | KVM_REG_SIZE_U32 | (0x0dull << 16),
		ARM_CP14_REG32(0, 7, 15, 7), ARM_CP14_REG32(1, 0, 0, 0),
		KVM_REG_ARM | KVM_REG_SIZE_U32 | (0xfffull << 16) | 0xffff,
		KVM_REG_ARM_FW_REG(100), KVM_REG_ARM_FW_REG(0xffff),
	};
	uint64_t val = 0;
	struct vm vm;

	vm_make(&vm, 1, 0);
	for (unsigned int i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		errno = 0;
		CHECK(reg_get(vm.vcpu[0].fd, ids[i], &val) == -1 && errno == ENOENT,
		      "GET %016llx: %s", (unsigned long long)ids[i], strerror(errno));
		errno = 0;
		CHECK(reg_set(vm.vcpu[0].fd, ids[i], &val) == -1 &&
			      (errno == ENOENT ||
			       ((ids[i] & 0x0fff0000) == KVM_REG_ARM_FW && errno == EINVAL)),
		      "SET %016llx: %s", (unsigned long long)ids[i], strerror(errno));
	}
	/* Registers of other architectures. */
	CHECK_ERRNO(reg_get(vm.vcpu[0].fd, KVM_REG_ARM64 | KVM_REG_SIZE_U64, &val), EINVAL);
	CHECK_ERRNO(reg_set(vm.vcpu[0].fd, KVM_REG_X86 | KVM_REG_SIZE_U64, &val), EINVAL);
	CHECK_ERRNO(reg_get(vm.vcpu[0].fd, CORE_REG(0) | 1ull << 40, &val), EINVAL);
}

/* Random ids, so that all arithmetic on them is exercised. */
static void noise(void)
{
	uint64_t x = 88172645463325252ull;
	uint8_t val[256] = { 0 };
	struct vm vm;

	vm_make(&vm, 1, 0);
	for (int i = 0; i < 20000; i++) {
		uint64_t id;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		id = x;
		if (i & 1)
			id = KVM_REG_ARM | (x & 0x00f000001fffffff);
		if ((id & KVM_REG_SIZE_MASK) > KVM_REG_SIZE_U1024)
			id &= ~KVM_REG_SIZE_MASK;
		if (reg_get(vm.vcpu[0].fd, id, val) < 0)
			CHECK(errno == ENOENT || errno == EINVAL, "%016llx: %s",
			      (unsigned long long)id, strerror(errno));
	}
	CHECK(reg32(vm.vcpu[0].fd, REG_CPSR) == 0x1d3);
}

static void cpsr_modes(void)
{
	struct vm vm;

	vm_make(&vm, 1, 0);
	for (uint32_t mode = 0; mode < 32; mode++) {
		bool ok = mode == 0x10 || mode == 0x11 || mode == 0x12 || mode == 0x13 ||
			  mode == 0x17 || mode == 0x1b || mode == 0x1f;
		uint32_t v = 0x1c0 | mode;

		if (ok) {
			CHECK(!reg_set(vm.vcpu[0].fd, REG_CPSR, &v), "mode %x: %s", mode,
			      strerror(errno));
			CHECK(reg32(vm.vcpu[0].fd, REG_CPSR) == v);
		} else {
			CHECK_ERRNO(reg_set(vm.vcpu[0].fd, REG_CPSR, &v), EINVAL);
		}
	}
}

/* States that no guest can be in are corrected when they are written (A2.5, B1.3.3). */
static void cpsr_states(void)
{
	static const struct { uint32_t set, get; } v[] = {
		{ 0x010001d3, 0x000001d3 },	/* J without T */
		{ 0x0600fdd3, 0x000001d3 },	/* IT without T */
		{ 0x00f001d3, 0x000001d3 },	/* reserved */
		{ 0x010001f3, 0x010001f3 },	/* ThumbEE */
		{ 0x00000df3, 0x00000df3 },	/* the last instruction of a block */
		{ 0x0600e5f3, 0x0600e5f3 },	/* within a block */
		{ 0x0000e1f3, 0x000001f3 },	/* a condition, and nothing left */
		{ 0xf80f03d3, 0xf80f03d3 },	/* flags, Q, GE, E */
	};
	struct vm vm;

	vm_make(&vm, 1, 0);
	for (unsigned int i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		CHECK_OK(reg_set(vm.vcpu[0].fd, REG_CPSR, &v[i].set));
		CHECK(reg32(vm.vcpu[0].fd, REG_CPSR) == v[i].get, "%08x became %08x", v[i].set,
		      reg32(vm.vcpu[0].fd, REG_CPSR));
	}
}

static void on_time(int sig)
{
	(void)sig;
}

/* A client may set any mode and any PC: the guest harms only itself. */
static void wild_state(void)
{
	struct sigevent sev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct itimerspec its = { .it_value = { .tv_nsec = 2000000 },
				  .it_interval = { .tv_nsec = 2000000 } };
	struct itimerspec stop = { 0 };
	struct sigaction sa = { .sa_handler = on_time };
	uint32_t x = 2463534242u;
	struct vm vm;
	timer_t t;

	vm_make(&vm, 1, 0);
	sigaction(SIGUSR2, &sa, NULL);
	MUST(!timer_create(CLOCK_MONOTONIC, &sev, &t), "%s", strerror(errno));
	for (int i = 0; i < 200; i++) {
		for (unsigned int k = 0; k < 17; k++) {
			uint32_t v;

			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			v = k == 16 ? (x & ~0x1fu) | (x & 1 ? 0x13 : 0x10) : x;
			reg32_set(vm.vcpu[0].fd, CORE_REG(k), v);
		}
		vm.vcpu[0].run->immediate_exit = 0;
		/* Until an exit or for a moment, whichever is first. */
		timer_settime(t, 0, &its, NULL);
		(void)ioctl(vm.vcpu[0].fd, KVM_RUN, 0);
		timer_settime(t, 0, &stop, NULL);
		vm_vcpu_init(&vm, 0);
	}
	VM_CODE(&vm, 0, exit);
	memset(vm.vcpu[0].run, 0, sizeof(struct kvm_run));
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
}

#define TEECR	ARM_CP14_REG32(6, 0, 0, 0)
#define TEEHBR	ARM_CP14_REG32(6, 1, 0, 0)
#define ID_PFR0	ARM_CP15_REG32(0, 0, 1, 0)
GUEST_CODE(thumbee, "mrc p14, 6, r4, c0, c0, 0\n\tmrc p14, 6, r5, c1, c0, 0\n\tmov r0, #0\n\t"
	   "mcr p14, 6, r0, c0, c0, 0\n\tldr r0, =0x12345678\n\tmcr p14, 6, r0, c1, c0, 0\n\t"
	   "ldr r1, =DEV_BASE\n1:\tstr r0, [r1]\n\tb 1b");

/* ThumbEE's two registers: the guest finds what the client writes, and the reverse. */
static void thumbee(void)
{
	struct kvm_mp_state on = { .mp_state = KVM_MP_STATE_RUNNABLE };
	uint32_t val = ~0u;
	struct vm vm;

	vm_make(&vm, 2, 0);
	get_list(&vm);
	if (!(reg32(vm.vcpu[0].fd, ID_PFR0) >> 12 & 15)) {
		CHECK(!listed(TEECR) && !listed(TEEHBR));
		CHECK_ERRNO(reg_get(vm.vcpu[0].fd, TEECR, &val), ENOENT);
		CHECK_ERRNO(reg_set(vm.vcpu[0].fd, TEEHBR, &val), ENOENT);
		return;
	}
	CHECK(listed(TEECR) && listed(TEEHBR));
	CHECK(reg32(vm.vcpu[0].fd, TEECR) == 0 && reg32(vm.vcpu[0].fd, TEEHBR) == 0);
	reg32_set(vm.vcpu[0].fd, TEECR, ~0u);
	reg32_set(vm.vcpu[0].fd, TEEHBR, ~0u);
	CHECK(reg32(vm.vcpu[0].fd, TEECR) == 1 && reg32(vm.vcpu[0].fd, TEEHBR) == ~3u);
	VM_CODE(&vm, 0, thumbee);
	MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	CHECK(reg32(vm.vcpu[0].fd, REG_R(4)) == 1 && reg32(vm.vcpu[0].fd, REG_R(5)) == ~3u,
	      "the guest finds %08x and %08x", reg32(vm.vcpu[0].fd, REG_R(4)),
	      reg32(vm.vcpu[0].fd, REG_R(5)));
	CHECK(reg32(vm.vcpu[0].fd, TEECR) == 0 && reg32(vm.vcpu[0].fd, TEEHBR) == 0x12345678);
	/* Each vCPU has its own registers. */
	VM_CODE(&vm, 1, thumbee);
	MUST_OK(ioctl(vm.vcpu[1].fd, KVM_SET_MP_STATE, &on));
	MUST(vm_run(&vm, 1) == KVM_EXIT_MMIO);
	CHECK(reg32(vm.vcpu[1].fd, REG_R(4)) == 0 && reg32(vm.vcpu[1].fd, REG_R(5)) == 0);
	CHECK(reg32(vm.vcpu[1].fd, TEEHBR) == 0x12345678);
	CHECK_ERRNO(reg_get(vm.vcpu[0].fd, TEECR, NULL), EFAULT);
	CHECK_ERRNO(reg_set(vm.vcpu[0].fd, TEEHBR, NULL), EFAULT);
	CHECK_ERRNO(reg_get(vm.vcpu[0].fd, ARM_CP14_REG32(6, 2, 0, 0), &val), ENOENT);
	CHECK_ERRNO(reg_get(vm.vcpu[0].fd, TEECR | 1 << 28, &val), ENOENT);
	vm_vcpu_init(&vm, 0);
	CHECK(reg32(vm.vcpu[0].fd, TEEHBR) == 0);
}

static void invariants(void)
{
	static const uint64_t ids[] = {
		ARM_CP15_REG32(0, 0, 0, 0), ARM_CP15_REG32(0, 0, 0, 1), ARM_CP15_REG32(0, 0, 1, 0),
		ARM_CP15_REG32(0, 0, 1, 4), ARM_CP15_REG32(0, 0, 2, 0), ARM_CP15_REG32(1, 0, 0, 1),
		KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_DEMUX | 0,
		VFP(KVM_REG_ARM_VFP_FPSID, KVM_REG_SIZE_U32),
		VFP(KVM_REG_ARM_VFP_MVFR0, KVM_REG_SIZE_U32),
		VFP(KVM_REG_ARM_VFP_MVFR1, KVM_REG_SIZE_U32),
	};
	struct vm vm;

	vm_make(&vm, 1, 0);
	for (unsigned int i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		uint32_t v = reg32(vm.vcpu[0].fd, ids[i]), other = v ^ 0x10;

		CHECK(!reg_set(vm.vcpu[0].fd, ids[i], &v), "%016llx: %s", (unsigned long long)ids[i],
		      strerror(errno));
		errno = 0;
		CHECK(reg_set(vm.vcpu[0].fd, ids[i], &other) == -1 && errno == EINVAL,
		      "%016llx: %s", (unsigned long long)ids[i], strerror(errno));
		CHECK(reg32(vm.vcpu[0].fd, ids[i]) == v);
	}
}

/* The guest sees what the client set: banked registers, cp15, VFP. */
GUEST_CODE(show, "ldr r1, =DEV_BASE\n\tmrs r0, sp_irq\n\tstr r0, [r1]\n\tmrs r0, spsr_abt\n\t"
	   "str r0, [r1]\n\tmrs r0, r9_fiq\n\tstr r0, [r1]\n\tmrc p15, 0, r0, c13, c0, 2\n\t"
	   "str r0, [r1]\n\tmrc p15, 0, r0, c12, c0, 0\n\tstr r0, [r1]\n\t"
	   "mov r0, #0xf00000\n\tmcr p15, 0, r0, c1, c0, 2\n\tisb\n\tmov r0, #1 << 30\n\t"
	   ".fpu neon\n\tvmsr fpexc, r0\n\tvmov r0, r2, d7\n\tstr r0, [r1]\n\tstr r2, [r1]\n\t"
	   "vmov r0, r2, d30\n\tstr r0, [r1]\n\tvmrs r0, fpscr\n\tstr r0, [r1]\n\tb .");

static void guest_sees(void)
{
	uint64_t d7 = 0x7711223344556677ull, d30 = 0x0123456789abcdefull;
	static const uint32_t want[] = { 0x1234, 0x600001d3, 0x9999, 0xabcdef01, 0x40200000,
					 0x44556677, 0x77112233, 0x89abcdef, 0x03000000 };
	struct vm vm;
	int fd;

	vm_make(&vm, 1, 0);
	fd = vm.vcpu[0].fd;
	VM_CODE(&vm, 0, show);
	reg32_set(fd, CORE_REG(KVM_REG_ARM_CORE_REG(KVM_ARM_IRQ_sp)), want[0]);
	reg32_set(fd, CORE_REG(KVM_REG_ARM_CORE_REG(KVM_ARM_ABT_spsr)), want[1]);
	reg32_set(fd, CORE_REG(KVM_REG_ARM_CORE_REG(KVM_ARM_FIQ_r9)), want[2]);
	reg32_set(fd, ARM_CP15_REG32(0, 13, 0, 2), want[3]);
	reg32_set(fd, ARM_CP15_REG32(0, 12, 0, 0), want[4]);
	CHECK(!reg_set(fd, VFP(7, KVM_REG_SIZE_U64), &d7));
	CHECK(!reg_set(fd, VFP(30, KVM_REG_SIZE_U64), &d30));
	reg32_set(fd, VFP(KVM_REG_ARM_VFP_FPSCR, KVM_REG_SIZE_U32), 0x03000000);
	/* With EX, HYP mode would load FPINST, which no such CPU has. */
	reg32_set(fd, VFP(KVM_REG_ARM_VFP_FPEXC, KVM_REG_SIZE_U32), 0xc0000000);
	CHECK(reg32(fd, VFP(KVM_REG_ARM_VFP_FPEXC, KVM_REG_SIZE_U32)) == 1u << 30);
	for (unsigned int i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		uint32_t v;

		MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO && vm.vcpu[0].run->mmio.is_write);
		memcpy(&v, vm.vcpu[0].run->mmio.data, 4);
		CHECK(v == want[i], "value %u: %08x, not %08x", i, v, want[i]);
	}
}

static void psci_version(void)
{
	static const uint64_t good[] = { 2, 0x10000 }, bad[] = { 0, 1, 3, 0x20000, 0x1ffff, ~0ull };
	uint64_t v;
	struct vm vm;

	vm_make(&vm, 1, 0);
	for (unsigned int i = 0; i < 2; i++) {
		v = good[i];
		CHECK(!reg_set(vm.vcpu[0].fd, KVM_REG_ARM_PSCI_VERSION, &v), "%llx: %s",
		      (unsigned long long)v, strerror(errno));
		CHECK(reg64(vm.vcpu[0].fd, KVM_REG_ARM_PSCI_VERSION) == good[i]);
	}
	for (unsigned int i = 0; i < 6; i++) {
		v = bad[i];
		CHECK_ERRNO(reg_set(vm.vcpu[0].fd, KVM_REG_ARM_PSCI_VERSION, &v), EINVAL);
	}
	vm_close(&vm);
	vm_make(&vm, 1, VM_PSCI_01);
	v = 1;
	CHECK(reg64(vm.vcpu[0].fd, KVM_REG_ARM_PSCI_VERSION) == 1);
	CHECK(!reg_set(vm.vcpu[0].fd, KVM_REG_ARM_PSCI_VERSION, &v));
	v = 2;
	CHECK_ERRNO(reg_set(vm.vcpu[0].fd, KVM_REG_ARM_PSCI_VERSION, &v), EINVAL);
}

static void vcpu_events(void)
{
	struct kvm_vcpu_events ev;
	struct vm vm;
	int fd;

	/* Works before ARM_VCPU_INIT, too, which clears what was set, as in KVM/arm. */
	vm_make(&vm, 1, VM_NO_VCPU_INIT);
	fd = vm.vcpu[0].fd;
	memset(&ev, 0, sizeof(ev));
	ev.exception.serror_pending = 1;
	ev.exception.ext_dabt_pending = 1;
	CHECK_OK(ioctl(fd, KVM_SET_VCPU_EVENTS, &ev));
	CHECK_OK(ioctl(fd, KVM_GET_VCPU_EVENTS, &ev));
	CHECK(ev.exception.serror_pending);
	vm_vcpu_init(&vm, 0);
	CHECK_OK(ioctl(fd, KVM_GET_VCPU_EVENTS, &ev));
	CHECK(!ev.exception.serror_pending);
	CHECK(reg32(fd, REG_PC) == 0 && (reg32(fd, REG_CPSR) & 0x1f) == 0x13);
	vm_close(&vm);

	vm_make(&vm, 1, 0);
	fd = vm.vcpu[0].fd;
	memset(&ev, 0xff, sizeof(ev));
	/* Without the capability, there is no ioctl. */
	if (ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_VCPU_EVENTS) <= 0) {
		CHECK_ERRNO(ioctl(fd, KVM_GET_VCPU_EVENTS, &ev), EINVAL);
		return;
	}
	CHECK_OK(ioctl(fd, KVM_GET_VCPU_EVENTS, &ev));
	for (size_t i = 0; i < sizeof(ev); i++)
		CHECK(!((unsigned char *)&ev)[i], "byte %zu is %x", i, ((unsigned char *)&ev)[i]);
	ev.reserved[11] = 1;
	CHECK_ERRNO(ioctl(fd, KVM_SET_VCPU_EVENTS, &ev), EINVAL);
	ev.reserved[11] = 0;
	ev.exception.pad[4] = 1;
	CHECK_ERRNO(ioctl(fd, KVM_SET_VCPU_EVENTS, &ev), EINVAL);
	ev.exception.pad[4] = 0;
	ev.exception.serror_pending = 1;
	ev.exception.serror_has_esr = 1;
	CHECK_ERRNO(ioctl(fd, KVM_SET_VCPU_EVENTS, &ev), EINVAL);
	ev.exception.serror_has_esr = 0;
	CHECK_OK(ioctl(fd, KVM_SET_VCPU_EVENTS, &ev));
	memset(&ev, 0, sizeof(ev));
	CHECK_OK(ioctl(fd, KVM_GET_VCPU_EVENTS, &ev));
	CHECK(ev.exception.serror_pending == 1, "%u", ev.exception.serror_pending);
}

/* An asynchronous abort that the client made pending is taken when CPSR.A allows (item 10). */
GUEST_CODE(abort, "b 1f\n\t.balign 32\n2:\tb .\n\tb .\n\tb .\n\tb .\n\tb 3f\n\tb .\n\tb .\n\tb .\n"
	   "3:\tldr r1, =DEV_BASE\n\tmov r0, #0xab\n\tstr r0, [r1]\n\tb .\n"
	   "1:\tadr r0, 2b\n\tmcr p15, 0, r0, c12, c0, 0\n\tisb\n\tldr r1, =DEV_BASE\n\t"
	   "mov r0, #1\n\tstr r0, [r1]\n\tmov r0, #2\n\tstr r0, [r1]\n\tcpsie a\n4:\tb 4b");

static void async_abort(void)
{
	static const uint32_t want[] = { 1, 2, 0xab };
	struct kvm_vcpu_events ev;
	struct vm vm;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, abort);
	for (unsigned int i = 0; i < 3; i++) {
		uint32_t v;

		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		memcpy(&v, vm.vcpu[0].run->mmio.data, 4);
		CHECK(v == want[i], "%x, not %x", v, want[i]);
		memset(&ev, 0, sizeof(ev));
		ev.exception.serror_pending = 1;
		if (!i)
			CHECK_OK(ioctl(vm.vcpu[0].fd, KVM_SET_VCPU_EVENTS, &ev));
		CHECK_OK(ioctl(vm.vcpu[0].fd, KVM_GET_VCPU_EVENTS, &ev));
		CHECK(ev.exception.serror_pending == (i < 2), "pending %u after %x",
		      ev.exception.serror_pending, v);
	}
}

static const struct ktap_case cases[] = {
	{ "reg_list", reg_list, 0 },
	{ "every_id", every_id, 0 },
	{ "wrong_sizes", wrong_sizes, 0 },
	{ "unknown_ids", unknown_ids, 0 },
	{ "noise", noise, 0 },
	{ "cpsr_modes", cpsr_modes, 0 },
	{ "cpsr_states", cpsr_states, 0 },
	{ "wild_state", wild_state, 0 },
	{ "thumbee", thumbee, 0 },
	{ "invariants", invariants, 0 },
	{ "guest_sees", guest_sees, 0 },
	{ "psci_version", psci_version, 0 },
	{ "vcpu_events", vcpu_events, 0 },
	{ "async_abort", async_abort, 0 },
};
KTAP_MAIN(cases)

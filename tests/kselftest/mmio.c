// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that make several accesses to devices, and instructions that are refused: what the
 * client gets for each, and that each is done once (docs/hazards.md 8 and 9).
 */
#include "vm.h"

/* A data abort reports DFSR, DFAR and its return address to the device. */
#define VECTORS									\
	"b 1f\n\t.balign 32\n2:\tb .\n\tb .\n\tb .\n\tb .\n\tb 3f\n\tb .\n\tb .\n\tb .\n"	\
	"3:\tldr r12, =DEV_BASE + 0xf00\n\tmrc p15, 0, r11, c5, c0, 0\n\tstr r11, [r12]\n\t"	\
	"mrc p15, 0, r11, c6, c0, 0\n\tstr r11, [r12, #4]\n\tstr lr, [r12, #8]\n\tb .\n"	\
	"1:\tadr r0, 2b\n\tmcr p15, 0, r0, c12, c0, 0\n\tisb\n\t"

/*
 * One instruction between two that report its place; the client writes the instruction there that
 * it wants to test. r1 is the device, and r0-r9 have the client's values, or the guest's own zero.
 */
GUEST_CODE(one, VECTORS
	   "mrc p15, 0, r0, c1, c0, 2\n\torr r0, r0, #0xf00000\n\tmcr p15, 0, r0, c1, c0, 2\n\t"
	   "mrc p15, 0, r0, c1, c0, 0\n\torr r0, r0, #0x400\n\tmcr p15, 0, r0, c1, c0, 0\n\tisb\n\t"
	   "mov r0, #1 << 30\n\t.word 0xeee80a10\n\t"
	   "ldr r12, =DEV_BASE + 0xe00\n\tadr r0, 4f\n\tstr r0, [r12]\n"
	   "4:\tdbg #5\n\tldr r12, =DEV_BASE + 0xe04\n\tstr r0, [r12]\n\tb .");
GUEST_CODE(store_loop, "ldr r1, =DEV_BASE\n\tmov r0, #0\n\tmov r2, #1000\n\tmov r3, #2000\n"
	   "1:\tstmia r1, {r0, r2, r3}\n\tldmia r1, {r4, r5}\n\tadd r0, r0, #1\n\t"
	   "add r2, r2, r4\n\tadd r3, r3, r5\n\tb 1b");
GUEST_CODE(thumb, ".thumb\n\tldr r1, =DEV_BASE + 0xe10\n\tstr r0, [r1]\n\tb .\n\t.align 2\n\t.arm");
GUEST_CODE(gicd, "ldr r1, =GICD_BASE\n\tldmia r1, {r4-r6}\n\tldr r7, [r1]\n\tldr r8, [r1, #4]\n\t"
	   "ldr r9, [r1, #8]\n\tadd r1, r1, #0x400\n\tmov r2, #0x10\n\tmov r3, #0x20\n\t"
	   "stmia r1!, {r2, r3}\n\tldr r10, [r1, #-8]\n\tldr r11, [r1, #-4]\n\t"
	   "ldr r12, =DEV_BASE\n\tstr r12, [r12]\n\tb .");

#define MARK		0xe320f0f5	/* dbg #5 */
#define LDM_4		0xe89100f0	/* ldmia r1, {r4-r7} */
#define LDM_4_WB	0xe8b100f0
#define STM_4		0xe88100f0
#define STM_4_WB	0xe8a100f0

static struct kvm_run *run;
static int fd;

/* Checks that the guest's next access is this one; a read gets @data. */
static void access_is(struct vm *vm, uint32_t gpa, uint32_t len, bool write, uint32_t data)
{
	unsigned int reason = vm_run(vm, 0);
	uint32_t got = 0;

	MUST(reason == KVM_EXIT_MMIO, "exit %u, not an access to %x", reason, gpa);
	CHECK(run->mmio.phys_addr == gpa && run->mmio.len == len && run->mmio.is_write == write,
	      "%s of %u at %llx, not %u at %x", run->mmio.is_write ? "write" : "read",
	      run->mmio.len, (unsigned long long)run->mmio.phys_addr, len, gpa);
	if (!write) {
		memset(run->mmio.data, 0xee, sizeof(run->mmio.data));
		memcpy(run->mmio.data, &data, len);
		return;
	}
	memcpy(&got, run->mmio.data, 4);
	CHECK(got == data, "wrote %x, not %x", got, data);
}

/* Completes the outstanding access; the guest does nothing more. */
static void complete(void)
{
	run->immediate_exit = 1;
	CHECK_ERRNO(ioctl(fd, KVM_RUN, 0), EINTR);
	run->immediate_exit = 0;
}

/* Prepares a guest that is about to execute @insn. Returns its address. */
static uint32_t at_insn(struct vm *vm, uint32_t insn)
{
	uint32_t pc, n = 0;
	uint32_t *code;

	run = vm->vcpu[0].run;
	fd = vm->vcpu[0].fd;
	VM_CODE(vm, 0, one);
	code = (uint32_t *)(vm->ram + reg32(fd, REG_PC) - RAM_BASE);
	while (code[n] != MARK)
		n++;
	code[n] = insn;
	__builtin___clear_cache((char *)code, (char *)(code + n + 1));
	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO && run->mmio.phys_addr == DEV_BASE + 0xe00, "%x",
	     (unsigned int)run->mmio.phys_addr);
	memcpy(&pc, run->mmio.data, 4);
	complete();
	for (unsigned int i = 2; i < 10; i++)
		reg32_set(fd, REG_R(i), 0x1000 + i);
	reg32_set(fd, REG_R(1), DEV_BASE);
	CHECK(reg32(fd, REG_PC) == pc, "%x", reg32(fd, REG_PC));
	return pc;
}

static void untouched(uint32_t pc, uint32_t base)
{
	CHECK(reg32(fd, REG_PC) == pc, "PC %x", reg32(fd, REG_PC));
	CHECK(reg32(fd, REG_R(1)) == base, "base %x", reg32(fd, REG_R(1)));
	for (unsigned int i = 2; i < 10; i++)
		CHECK(reg32(fd, REG_R(i)) == 0x1000 + i, "r%u %x", i, reg32(fd, REG_R(i)));
}

static void load(void)
{
	struct vm vm;
	uint32_t pc;

	vm_make(&vm, 1, 0);
	pc = at_insn(&vm, LDM_4_WB);
	for (unsigned int i = 0; i < 4; i++) {
		access_is(&vm, DEV_BASE + 4 * i, 4, false, 0xabc0 + i);
		untouched(pc, DEV_BASE);
	}
	complete();
	CHECK(reg32(fd, REG_PC) == pc + 4);
	CHECK(reg32(fd, REG_R(1)) == DEV_BASE + 16);
	for (unsigned int i = 0; i < 4; i++)
		CHECK(reg32(fd, REG_R(4 + i)) == 0xabc0 + i, "%x", reg32(fd, REG_R(4 + i)));
	access_is(&vm, DEV_BASE + 0xe04, 4, true, pc);
}

/* Each RUN with immediate_exit does one access; then comes EINTR, then nothing. */
static void immediate_exit(void)
{
	struct vm vm;
	uint32_t pc;

	vm_make(&vm, 1, 0);
	for (unsigned int round = 0; round < 2; round++) {
		pc = at_insn(&vm, round ? STM_4_WB : LDM_4_WB);
		access_is(&vm, DEV_BASE, 4, round, round ? 0x1004 : 0xabc0);
		run->immediate_exit = 1;
		for (unsigned int i = 1; i < 4; i++) {
			CHECK_OK(ioctl(fd, KVM_RUN, 0));
			CHECK(run->exit_reason == KVM_EXIT_MMIO &&
			      run->mmio.phys_addr == DEV_BASE + 4 * i, "%x",
			      (unsigned int)run->mmio.phys_addr);
			untouched(pc, DEV_BASE);
			*(uint32_t *)run->mmio.data = 0xabc0 + i;
		}
		for (unsigned int i = 0; i < 3; i++) {
			CHECK_ERRNO(ioctl(fd, KVM_RUN, 0), EINTR);
			CHECK(reg32(fd, REG_PC) == pc + 4 && reg32(fd, REG_R(1)) == DEV_BASE + 16);
			CHECK(reg32(fd, REG_R(7)) == (round ? 0x1007 : 0xabc3));
			*(uint32_t *)run->mmio.data = 0xbad;
		}
		run->immediate_exit = 0;
		access_is(&vm, DEV_BASE + 0xe04, 4, true, pc);
		vm_vcpu_init(&vm, 0);
	}
}

/* Stored values were read at the start; a register that the client sets between loads stays set. */
static void registers(void)
{
	struct vm vm;
	uint32_t pc;

	vm_make(&vm, 1, 0);
	pc = at_insn(&vm, STM_4);
	access_is(&vm, DEV_BASE, 4, true, 0x1004);
	reg32_set(fd, REG_R(5), 99);
	reg32_set(fd, REG_R(2), 98);
	access_is(&vm, DEV_BASE + 4, 4, true, 0x1005);
	access_is(&vm, DEV_BASE + 8, 4, true, 0x1006);
	access_is(&vm, DEV_BASE + 12, 4, true, 0x1007);
	complete();
	CHECK(reg32(fd, REG_PC) == pc + 4);
	CHECK(reg32(fd, REG_R(5)) == 99 && reg32(fd, REG_R(2)) == 98);
}

static volatile int signals;

static void on_alarm(int sig)
{
	(void)sig;
	signals++;
}

/* Under a storm of signals, each access of each instruction comes once, and in order. */
static void interrupted(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct sigevent sev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	/* A slower host, too, has to make progress between two signals. */
	struct itimerspec its = { .it_interval = { .tv_nsec = 500000 * (long)ktap_slowdown() },
				  .it_value = { .tv_nsec = 1 } };
	uint32_t want[3] = { 0, 1000, 2000 }, next = 7, eintr = 0;
	struct vm vm;
	timer_t t;

	vm_make(&vm, 1, 0);
	run = vm.vcpu[0].run;
	VM_CODE(&vm, 0, store_loop);
	sigaction(SIGUSR2, &sa, NULL);
	MUST(!timer_create(CLOCK_MONOTONIC, &sev, &t), "%s", strerror(errno));
	timer_settime(t, 0, &its, NULL);
	/* How many signals come in between depends on the host's speed. */
	for (unsigned int n = 0; n < 1500 || eintr <= 100;) {
		unsigned int k = n % 5, at = k < 3 ? k : k - 3;

		run->immediate_exit = n % 7 == 3;
		if (ioctl(vm.vcpu[0].fd, KVM_RUN, 0) < 0) {
			MUST(errno == EINTR, "%s", strerror(errno));
			run->immediate_exit = 0;
			eintr++;
			if (ioctl(vm.vcpu[0].fd, KVM_RUN, 0) < 0)
				continue;
		}
		MUST(run->exit_reason == KVM_EXIT_MMIO, "exit %u", run->exit_reason);
		MUST(run->mmio.phys_addr == DEV_BASE + 4 * at && run->mmio.is_write == (k < 3),
		     "access %u: %u at %llx", n, run->mmio.is_write,
		     (unsigned long long)run->mmio.phys_addr);
		if (k < 3) {
			MUST(*(uint32_t *)run->mmio.data == want[k], "access %u: %u, not %u", n,
			     *(uint32_t *)run->mmio.data, want[k]);
			want[0] += !k;
		} else {
			*(uint32_t *)run->mmio.data = next;
			want[k - 2] += next;
			next = next * 5 + 3;
		}
		n++;
	}
	timer_delete(t);
	CHECK(signals > 0, "%d signals, %u times interrupted", signals, eintr);
}

/* A reset in the middle: nothing of the instruction is left. */
static void reinit(void)
{
	struct vm vm;

	vm_make(&vm, 1, 0);
	at_insn(&vm, LDM_4_WB);
	access_is(&vm, DEV_BASE, 4, false, 1);
	access_is(&vm, DEV_BASE + 4, 4, false, 2);
	vm_vcpu_init(&vm, 0);
	for (unsigned int i = 0; i < 15; i++)
		CHECK(!reg32(fd, REG_R(i)), "r%u", i);
	complete();
	at_insn(&vm, STM_4);
	access_is(&vm, DEV_BASE, 4, true, 0x1004);
}

/*
 * Checks that the guest's handler reports an external abort on @write of @far by the instruction at
 * @pc.
 */
static void aborted(struct vm *vm, uint32_t pc, uint32_t far, bool write)
{
	access_is(vm, DEV_BASE + 0xf00, 4, true, write ? 0x808 : 0x8);
	access_is(vm, DEV_BASE + 0xf04, 4, true, far);
	access_is(vm, DEV_BASE + 0xf08, 4, true, pc + 8);
}

static void inject(void)
{
	struct kvm_vcpu_events e = { .exception.ext_dabt_pending = 1 };

	CHECK_OK(ioctl(fd, KVM_SET_VCPU_EVENTS, &e));
}

/* The client may answer any of the accesses with an external abort. */
static void answer_abort(void)
{
	struct vm vm;
	uint32_t pc;

	vm_make(&vm, 1, 0);
	for (unsigned int n = 0; n < 4; n++) {
		pc = at_insn(&vm, LDM_4_WB);
		for (unsigned int i = 0; i <= n; i++)
			access_is(&vm, DEV_BASE + 4 * i, 4, false, 0xbad);
		inject();
		CHECK(reg32(fd, REG_R(1)) == DEV_BASE && reg32(fd, REG_R(4)) == 0x1004);
		aborted(&vm, pc, DEV_BASE, false);
		vm_vcpu_init(&vm, 0);
	}
	/* Also to an access that the syndrome described. */
	pc = at_insn(&vm, 0xe5814008);			/* str r4, [r1, #8] */
	access_is(&vm, DEV_BASE + 8, 4, true, 0x1004);
	inject();
	aborted(&vm, pc, DEV_BASE + 8, true);
}

/* RAM before the device, and after it. */
static void crossing(void)
{
	char *low, *high;
	uint32_t *l, *h;
	uint32_t dirty;
	struct kvm_dirty_log log = { .slot = 5, .dirty_bitmap = &dirty };
	struct vm vm;
	uint32_t pc;

	vm_make(&vm, 1, 0);
	low = map_pages(4096);
	high = map_pages(4096);
	l = (uint32_t *)low;
	h = (uint32_t *)high;
	MUST_OK(mem_set(vm.fd, 4, 0, DEV_BASE - 0x1000, 4096, low));
	MUST_OK(mem_set(vm.fd, 5, KVM_MEM_LOG_DIRTY_PAGES, DEV_BASE + 0x1000, 4096, high));
	l[1022] = 0x10221022;
	l[1023] = 0x10231023;

	pc = at_insn(&vm, LDM_4);
	reg32_set(fd, REG_R(1), DEV_BASE - 8);
	access_is(&vm, DEV_BASE, 4, false, 5);
	access_is(&vm, DEV_BASE + 4, 4, false, 6);
	complete();
	CHECK(reg32(fd, REG_R(4)) == 0x10221022 && reg32(fd, REG_R(5)) == 0x10231023);
	CHECK(reg32(fd, REG_R(6)) == 5 && reg32(fd, REG_R(7)) == 6);
	CHECK(reg32(fd, REG_PC) == pc + 4);

	vm_vcpu_init(&vm, 0);
	at_insn(&vm, STM_4_WB);
	reg32_set(fd, REG_R(1), DEV_BASE - 4);
	access_is(&vm, DEV_BASE, 4, true, 0x1005);
	access_is(&vm, DEV_BASE + 4, 4, true, 0x1006);
	access_is(&vm, DEV_BASE + 8, 4, true, 0x1007);
	complete();
	CHECK(l[1023] == 0x1004, "%x", l[1023]);
	CHECK(reg32(fd, REG_R(1)) == DEV_BASE + 12);

	/* The device comes first; the part that then reaches RAM is logged. */
	MUST_OK(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log));
	vm_vcpu_init(&vm, 0);
	at_insn(&vm, STM_4);
	reg32_set(fd, REG_R(1), DEV_BASE + 0xff8);
	access_is(&vm, DEV_BASE + 0xff8, 4, true, 0x1004);
	MUST_OK(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log));
	CHECK(!dirty && !h[0]);
	access_is(&vm, DEV_BASE + 0xffc, 4, true, 0x1005);
	complete();
	CHECK(h[0] == 0x1006 && h[1] == 0x1007);
	MUST_OK(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log));
	CHECK(dirty & 1, "the write is not in the log");

	/* The slot is removed half-way: what was RAM is then a device. */
	vm_vcpu_init(&vm, 0);
	at_insn(&vm, LDM_4);
	reg32_set(fd, REG_R(1), DEV_BASE + 0xff8);
	access_is(&vm, DEV_BASE + 0xff8, 4, false, 1);
	MUST_OK(mem_set(vm.fd, 5, 0, DEV_BASE + 0x1000, 0, high));
	access_is(&vm, DEV_BASE + 0xffc, 4, false, 2);
	access_is(&vm, DEV_BASE + 0x1000, 4, false, 3);
	access_is(&vm, DEV_BASE + 0x1004, 4, false, 4);
	complete();
	CHECK(reg32(fd, REG_R(7)) == 4);
	/* Read-only slots are RAM for loads; the client gets stores. */
	MUST_OK(mem_set(vm.fd, 5, KVM_MEM_READONLY, DEV_BASE + 0x1000, 4096, high));
	vm_vcpu_init(&vm, 0);
	at_insn(&vm, STM_4);
	reg32_set(fd, REG_R(1), DEV_BASE + 0xffc);
	access_is(&vm, DEV_BASE + 0xffc, 4, true, 0x1004);
	access_is(&vm, DEV_BASE + 0x1000, 4, true, 0x1005);
	access_is(&vm, DEV_BASE + 0x1004, 4, true, 0x1006);
	access_is(&vm, DEV_BASE + 0x1008, 4, true, 0x1007);
	complete();
	CHECK(h[0] == 0x1006);
	/*
	 * No memory behind the slot: EFAULT as long as that is so; then the guest goes on where it
	 * was.
	 */
	vm_vcpu_init(&vm, 0);
	at_insn(&vm, LDM_4);
	reg32_set(fd, REG_R(1), DEV_BASE + 0xffc);
	access_is(&vm, DEV_BASE + 0xffc, 4, false, 0x77);
	munmap(high, 4096);
	for (int i = 0; i < 3; i++)
		CHECK_ERRNO(ioctl(fd, KVM_RUN, 0), EFAULT);
	MUST(mmap(high, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		  0) == high, "no page");
	h[0] = 0x88;
	complete();
	CHECK(reg32(fd, REG_R(4)) == 0x77 && reg32(fd, REG_R(5)) == 0x88 && !reg32(fd, REG_R(6)));
}

/* A loaded PC selects the instruction set. */
static void load_pc(void)
{
	struct vm vm;
	uint32_t thumb;

	vm_make(&vm, 1, 0);
	for (unsigned int form = 0; form < 2; form++) {
		thumb = RAM_BASE + 0x20000;
		vm_code_at(&vm, 0, thumb, code_thumb, code_thumb_end);
		/* ldr pc, [r1]; ldmia r1!, {r0, pc} */
		at_insn(&vm, form ? 0xe591f000 : 0xe8b18001);
		if (!form)
			access_is(&vm, DEV_BASE, 4, false, 0x42);
		access_is(&vm, DEV_BASE + (form ? 0 : 4), 4, false, thumb | 1);
		complete();
		CHECK(reg32(fd, REG_PC) == thumb && reg32(fd, REG_CPSR) & 0x20, "%x %x",
		      reg32(fd, REG_PC), reg32(fd, REG_CPSR));
		if (form)
			reg32_set(fd, REG_R(0), 0x43);
		access_is(&vm, DEV_BASE + 0xe10, 4, true, 0x42 + form);
		vm_vcpu_init(&vm, 0);
	}
}

static void big_endian(void)
{
	struct vm vm;

	vm_make(&vm, 1, 0);
	at_insn(&vm, LDM_4);
	reg32_set(fd, REG_CPSR, reg32(fd, REG_CPSR) | 0x200);
	for (unsigned int i = 0; i < 4; i++)
		access_is(&vm, DEV_BASE + 4 * i, 4, false, 0x11223340 + i);
	complete();
	CHECK(reg32(fd, REG_R(7)) == 0x43332211, "%x", reg32(fd, REG_R(7)));
	vm_vcpu_init(&vm, 0);
	at_insn(&vm, 0xe1c140f8);			/* strd r4, r5, [r1, #8] */
	reg32_set(fd, REG_CPSR, reg32(fd, REG_CPSR) | 0x200);
	access_is(&vm, DEV_BASE + 8, 4, true, 0x04100000);
	access_is(&vm, DEV_BASE + 12, 4, true, 0x05100000);
}

/* Devices in the kernel handle all accesses at once: the client sees none of them. */
static void in_kernel(void)
{
	struct vm vm;

	vm_make(&vm, 1, 0);
	run = vm.vcpu[0].run;
	fd = vm.vcpu[0].fd;
	VM_CODE(&vm, 0, gicd);
	access_is(&vm, DEV_BASE, 4, true, DEV_BASE);
	for (unsigned int i = 4; i < 7; i++)
		CHECK(reg32(fd, REG_R(i)) == reg32(fd, REG_R(i + 3)), "r%u: %x, not %x", i,
		      reg32(fd, REG_R(i)), reg32(fd, REG_R(i + 3)));
	CHECK(reg32(fd, REG_R(5)) != 0);
	CHECK(reg32(fd, REG_R(1)) == GICD_BASE + 0x408);
	CHECK(reg32(fd, REG_R(10)) == 0x10 && reg32(fd, REG_R(11)) == 0x20, "%x %x",
	      reg32(fd, REG_R(10)), reg32(fd, REG_R(11)));
}

static const struct {
	const char *text;
	uint32_t insn;
	bool write;
} refused[] = {
	{ "ldrex r2, [r1]", 0xe1912f9f, false },
	{ "swp r2, r3, [r1]", 0xe1012093, true },
	{ "vldr d0, [r1]", 0xed910b00, false },
	{ "vstr s0, [r1]", 0xed810a00, true },
	{ "vstmia r1!, {d0, d1}", 0xeca10b04, true },
	{ "vld1.32 {d0}, [r1]", 0xf421078f, false },
	{ "ldmia r1, {r2, r3}^", 0xe8d1000c, false },
	{ "stmia r1, {r2, r3}^", 0xe8c1000c, true },
	{ "ldmia r1, {r2, pc}^", 0xe8d18004, false },
	{ "rfeia r1", 0xf8910a00, false },
};

/* The guest takes an external abort, as from a bus that does not support such accesses. */
static void refused_abort(void)
{
	struct vm vm;

	vm_make(&vm, 1, 0);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		uint32_t pc = at_insn(&vm, refused[i].insn);
		uint32_t fsr;

		MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO, "%s", refused[i].text);
		memcpy(&fsr, run->mmio.data, 4);
		/* SWP reads and writes: either can fault. */
		CHECK(run->mmio.phys_addr == DEV_BASE + 0xf00 &&
		      (fsr == (refused[i].write ? 0x808 : 0x8) ||
		       (refused[i].insn == 0xe1012093 && (fsr & ~0x800u) == 8)),
		      "%s: %llx, DFSR %x", refused[i].text,
		      (unsigned long long)run->mmio.phys_addr, fsr);
		access_is(&vm, DEV_BASE + 0xf04, 4, true, DEV_BASE);
		access_is(&vm, DEV_BASE + 0xf08, 4, true, pc + 8);
		vm_vcpu_init(&vm, 0);
	}
}

/* A client that asked for these exits gets them, and may answer as it likes. */
static void nisv(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_ARM_NISV_TO_USER };
	struct vm vm;

	vm_make(&vm, 1, 0);
	MUST_OK(ioctl(vm.fd, KVM_ENABLE_CAP, &cap));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		uint32_t pc = at_insn(&vm, refused[i].insn);
		uint64_t iss;

		MUST(vm_run(&vm, 0) == KVM_EXIT_ARM_NISV, "%s: exit %u", refused[i].text,
		     run->exit_reason);
		CHECK(run->arm_nisv.fault_ipa == DEV_BASE, "%s", refused[i].text);
		/* CM, WnR and the fault status: of a translation fault, at any level. */
		iss = run->arm_nisv.esr_iss;
		CHECK(!(iss & ~0x47ull) && (iss & 0x3c) == 4, "%s: %llx", refused[i].text,
		      (unsigned long long)iss);
		CHECK(refused[i].insn == 0xe1012093 || !!(iss & 0x40) == refused[i].write);
		CHECK(reg32(fd, REG_PC) == pc, "%x", reg32(fd, REG_PC));
		if (i & 1) {
			/* The client has to move the PC; nothing else does. */
			complete();
			CHECK(reg32(fd, REG_PC) == pc, "%x", reg32(fd, REG_PC));
			reg32_set(fd, REG_PC, pc + 4);
			access_is(&vm, DEV_BASE + 0xe04, 4, true, pc);
		} else {
			inject();
			aborted(&vm, pc, DEV_BASE, iss & 0x40);
		}
		vm_vcpu_init(&vm, 0);
	}
	/* Instructions that can be decoded are decoded as usual. */
	at_insn(&vm, LDM_4);
	access_is(&vm, DEV_BASE, 4, false, 0);
}

static const struct ktap_case cases[] = {
	{ "load", load, 0 },
	{ "immediate_exit", immediate_exit, 0 },
	{ "registers", registers, 0 },
	{ "interrupted", interrupted, 0 },
	{ "reinit", reinit, 0 },
	{ "answer_abort", answer_abort, 0 },
	{ "crossing", crossing, 0 },
	{ "load_pc", load_pc, 0 },
	{ "big_endian", big_endian, 0 },
	{ "in_kernel", in_kernel, 0 },
	{ "refused_abort", refused_abort, 0 },
	{ "nisv", nisv, 0 },
};
KTAP_MAIN(cases)

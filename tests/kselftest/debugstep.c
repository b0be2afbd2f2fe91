// SPDX-License-Identifier: GPL-2.0-only
/* KVM_GUESTDBG_SINGLESTEP: every form of instruction, exceptions, MMIO, WFI, several vCPUs. */
#include "binstats.h"
#include "debug.h"

/*
 * Each "S" is where the preceding step ends: its offset goes into a list. The guest shares the data
 * section of the asm statement.
 */
#define S	"\n77:\n\t.pushsection .rodata.steps, \"a\"\n\t.word 77b - 70b\n\t.popsection\n\t"
#define STEPS(name, text)							\
extern const uint32_t steps_##name[], steps_##name##_end[];			\
asm(".pushsection .rodata.steps, \"a\"\n\t.global steps_" #name "\n"		\
    "steps_" #name ":\n\t.popsection\n");					\
GUEST_CODE(name, "70:\n\t" text);						\
asm(".pushsection .rodata.steps, \"a\"\n\t.global steps_" #name "_end\nsteps_" #name "_end:\n\t" \
    ".popsection\n")
#define RUN_STEPS(name, cpsr)							\
	run_steps(#name, code_##name, code_##name##_end, steps_##name, steps_##name##_end, cpsr)

STEPS(a32,
      "mov r0, #0" S
      "ldr sp, =RAM_BASE + 0x30000" S
      "b 1f\n\tudf #0\n\t1:" S
      "cmp r0, #0" S
      "bne 9f" S
      "beq 1f\n\tudf #0\n\t1:" S
      "bl 1f\n\tudf #0\n\t1:" S
      "adr r1, 1f" S
      "bx r1\n\tudf #0\n\t1:" S
      "adr r1, 1f" S
      "blx r1\n\tudf #0\n\t1:" S
      "adr r1, 1f" S
      "mov pc, r1\n\tudf #0\n\t1:" S
      "adr r1, 1f" S
      "push {r1}" S
      "pop {pc}\n\tudf #0\n\t1:" S
      "adr r1, 1f" S
      "push {r0, r1}" S
      "pop {r0, pc}\n\tudf #0\n\t1:" S
      "adr r1, 1f" S
      "sub r1, r1, #4" S
      "add pc, r1, #4\n\tudf #0\n\t1:" S
      "ldr pc, 2f\n\tudf #0\n\t2:	.word 1f - 70b + LOAD_ADDR\n\t1:" S
      "adr r2, 2f" S
      "mov r3, #4" S
      "ldr pc, [r2, r3]\n\t2:	.word 0\n\t.word 1f - 70b + LOAD_ADDR\n\t1:" S
      "ldrne pc, [r0]" S
      "mrs r1, cpsr" S
      "msr spsr_cxsf, r1" S
      "adr lr, 1f" S
      "movs pc, lr\n\tudf #0\n\t1:" S
      "adr lr, 1f" S
      "add lr, lr, #4" S
      "subs pc, lr, #4\n\tudf #0\n\t1:" S
      "adr lr, 1f" S
      ".inst 0xe160006e\n\tudf #0\n\t1:" S
      "adr r2, 2f" S
      "rfeia r2\n\t2:	.word 1f - 70b + LOAD_ADDR\n\t.word 0x1d3\n\t1:" S
      "adr r2, 2f" S
      "ldmia r2, {r3, pc}^\n\t2:	.word 0\n\t.word 1f - 70b + LOAD_ADDR\n\t1:" S
      "nop" S
      "sev" S
      "wfe" S
      "mrc p15, 0, r1, c1, c0, 1" S
      "mrc p15, 0, r1, c9, c12, 0" S
      "ldr r0, =0x84000000" S
      "hvc #0" S
      "mov r0, #0" S
      "hvc #0" S
      "smc #0" S
      "blx 1f\n\tudf #0\n\t.thumb\n\t1:" S
      "bx pc\n\tnop\n\t.arm" S
      "nop\n9:\tb .");
STEPS(t32, ".thumb\n\t"
      "movs r0, #0" S
      "ldr r1, =RAM_BASE + 0x30000" S
      "mov sp, r1" S
      "b 1f\n\tudf #0\n\t1:" S
      "b.w 1f\n\tudf #0\n\t1:" S
      "cmp r0, #0" S
      "bne 8f" S
      "nop" S
      "8:\tnop" S
      "beq 1f\n\tudf #0\n\t1:" S
      "beq.w 1f\n\tudf #0\n\t1:" S
      "bne.w 9f" S
      "cbz r0, 1f\n\tudf #0\n\t1:" S
      "cbnz r0, 8f" S
      "nop" S
      "8:\tnop" S
      "bl 1f\n\tudf #0\n\t1:" S
      "ite eq" S
      "moveq r1, #1" S
      "movne r1, #2" S
      "it eq" S
      "beq 1f\n\tudf #0\n\t1:" S
      "itt ne" S
      "movne r2, #1" S
      "bne.w 9f" S
      "itete eq" S
      "moveq r1, #1" S
      "movne.w r1, #2" S
      "moveq.w r8, #3" S
      "movne r4, #4" S
      "adr.w r1, 1f" S
      "orr r1, r1, #1" S
      "bx r1\n\tudf #0\n\t1:" S
      "adr.w r1, 1f" S
      "orr r1, r1, #1" S
      "blx r1\n\tudf #0\n\t1:" S
      "adr.w r1, 1f" S
      "mov pc, r1\n\tudf #0\n\t1:" S
      "movs r1, #2" S
      "add pc, r1\n\tudf #0\n\tudf #0\n\t" S
      "adr.w r1, 1f" S
      "orr r1, r1, #1" S
      "push {r1}" S
      "pop {pc}\n\tudf #0\n\t1:" S
      "adr.w r1, 1f" S
      "orr r1, r1, #1" S
      "push {r0, r1}" S
      "pop {r0, pc}\n\tudf #0\n\t1:" S
      "adr.w r1, 1f" S
      "orr r1, r1, #1" S
      "push {r0, r1}" S
      "pop.w {r8, pc}\n\tudf #0\n\t1:" S
      "adr.w r1, 1f" S
      "orr r1, r1, #1" S
      "push {r1}" S
      "ldr.w pc, [sp], #4\n\tudf #0\n\t1:" S
      "adr.w r1, 1f" S
      "orr r1, r1, #1" S
      "push {r1}" S
      "movs r2, #0" S
      "ldr.w pc, [sp, r2, lsl #2]\n\tudf #0\n\t1:" S
      "add sp, #4" S
      "ldr.w pc, 2f\n\tudf #0\n\t.balign 4\n\t2:	.word 1f - 70b + LOAD_ADDR + 1\n\t1:" S
      "movs r0, #1" S
      "tbb [pc, r0]\n\t2:	.byte 0\n\t.byte (1f - 2b) / 2\n\tudf #0\n\t1:" S
      "tbh [pc, r0, lsl #1]\n\t2:	.hword 0\n\t.hword (1f - 2b) / 2\n\tudf #0\n\t1:" S
      "mrs r1, cpsr" S
      "orr r1, r1, #0x20" S
      "msr spsr_cxsf, r1" S
      "adr.w lr, 1f" S
      "subs pc, lr, #0\n\tudf #0\n\t1:" S
      "adr.w lr, 1f" S
      "add lr, lr, #8" S
      "subs pc, lr, #8\n\tudf #0\n\t1:" S
      "adr.w r2, 2f" S
      "rfeia r2\n\t.balign 4\n\t2:	.word 1f - 70b + LOAD_ADDR\n\t.word 0x1f3\n\t1:" S
      "nop" S
      "nop.w" S
      "mrc p15, 0, r1, c9, c12, 0" S
      "it eq" S
      "mrceq p15, 0, r1, c9, c12, 0" S
      "it ne" S
      "mrcne p15, 0, r1, c9, c12, 0" S
      "blx 1f\n\tudf #0\n\t.balign 4\n\t.arm\n\t1:" S
      "adr r1, 1f" S
      "orr r1, r1, #1" S
      "bx r1\n\t.thumb\n\t1:" S
      "nop\n9:\tb .\n\t.arm");

static void run_steps(const char *name, const void *code, const void *end, const uint32_t *steps,
		      const uint32_t *steps_end, uint32_t cpsr)
{
	vm_code(&vm, 0, code, end);
	reg32_set(vcpu, REG_CPSR, cpsr);
	CHECK_OK(set_debug(vcpu, STEP, NULL));
	for (const uint32_t *step = steps; step < steps_end; step++) {
		uint32_t from = reg32(vcpu, REG_PC);
		unsigned int reason = vm_run(&vm, 0);

		MUST(reason == KVM_EXIT_DEBUG && run->debug.arch.pc == CODE + *step &&
		     KVM_ARM_DEBUG_EC(run->debug.arch.hsr) == KVM_ARM_DEBUG_EC_STEP,
		     "%s, step %td from %08x: exit %u, HSR %08x, PC %08x; want %08x", name,
		     step - steps, from, reason, run->debug.arch.hsr, run->debug.arch.pc,
		     CODE + *step);
	}
	MUST(steps_end - steps > 50, "%td steps", steps_end - steps);
}

static void step_forms(void)
{
	start(1, 0);
	need_hw();
	RUN_STEPS(a32, CPSR_SVC);
	RUN_STEPS(t32, CPSR_SVC | CPSR_T);
}

/* An exception ends the step: the next instruction is the vector's. */
GUEST_CODE(svc, "svc #0");
GUEST_CODE(undef, "udf #0");
GUEST_CODE(dabt, "mov r0, #0\n\tldr r1, =RAM_BASE + 0x28000\n\tmcr p15, 0, r1, c2, c0, 0\n\tmov r1, #1\n\t"
	   "mcr p15, 0, r1, c3, c0, 0\n\tmrc p15, 0, r1, c1, c0, 0\n\torr r1, r1, #1\n\t"
	   "mcr p15, 0, r1, c1, c0, 0\n\tisb\n\tldr r2, [r0]");

static void step_into(uint32_t vector, uint32_t from)
{
	reg32_set(vcpu, REG_PC, from);
	reg32_set(vcpu, REG_CPSR, CPSR_SVC);
	CHECK_OK(set_debug(vcpu, STEP, NULL));
	check_exit(KVM_ARM_DEBUG_EC_STEP, VECTORS + vector);
}

static void step_exceptions(void)
{
	start(1, 0);
	need_hw();
	VM_CODE(&vm, 0, svc);
	step_into(0x8, CODE);
	VM_CODE(&vm, 0, undef);
	step_into(0x4, CODE);
	/* A BKPT of the guest's own, and fetches from an address without memory. */
	VM_CODE(&vm, 0, bkpt);
	step_into(0xc, CODE + 4);
	reg32_set(vcpu, REG_CPSR, CPSR_SVC);
	step_into(0xc, 0x30000000);
	/* The client gets the BKPT if it wants it. */
	VM_CODE(&vm, 0, bkpt);
	reg32_set(vcpu, REG_CPSR, CPSR_SVC);
	CHECK_OK(set_debug(vcpu, STEP | SW, NULL));
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 4);
	check_exit(KVM_ARM_DEBUG_EC_BKPT, CODE + 4);

	/* A data abort of the guest's own tables: RAM is mapped flat, page zero is not. */
	for (unsigned int i = 0; i < 4; i++)
		((uint32_t *)(vm.ram + 0x28000))[0x400 + i] = (RAM_BASE + (i << 20)) | 0xc02;
	VM_CODE(&vm, 0, dabt);
	reg32_set(vcpu, REG_CPSR, CPSR_SVC);
	for (unsigned int i = 1; i <= 9; i++)
		check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 4 * i);
	check_exit(KVM_ARM_DEBUG_EC_STEP, VECTORS + 0x10);
}

/* The client completes the access, and the step ends behind it. */
static void step_mmio(void)
{
	uint32_t val = 0x41;

	start(1, 0);
	need_hw();
	VM_CODE(&vm, 0, mmio);
	CHECK_OK(set_debug(vcpu, STEP, NULL));
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 4);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && !run->mmio.is_write);
	memcpy(run->mmio.data, &val, 4);
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 8);
	CHECK(reg32(vcpu, REG_R(2)) == 0x41);
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 12);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && run->mmio.is_write && run->mmio.data[0] == 0x42);
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 16);

	/* Debugging that begins in the middle of an access. */
	CHECK_OK(set_debug(vcpu, 0, NULL));
	reg32_set(vcpu, REG_PC, CODE);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && !run->mmio.is_write);
	CHECK_OK(set_debug(vcpu, STEP, NULL));
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 8);
}

GUEST_CODE(wfi, "wfi\n\tmov r0, #1\n\tcpsie i\n\tmov r0, #2\n\tmov r0, #3\n\tb .");

/* An interrupt ends WFI; if it is unmasked, it is taken next. */
static void step_wfi(void)
{
	struct kvm_irq_level level = { .irq = CPU_IRQ(0, 0), .level = 1 };
	struct runner r;

	start(1, VM_NO_GIC);
	need_hw();
	VM_CODE(&vm, 0, wfi);
	CHECK_OK(set_debug(vcpu, STEP, NULL));
	runner_start(&r, &vm, 0);
	MUST(vcpu_blocks(&vm, 0), "the guest does not wait");
	CHECK(!r.exits && !r.error, "WFI did not wait: %u exits, error %d", r.exits, r.error);
	CHECK_OK(ioctl(vm.fd, KVM_IRQ_LINE, &level));
	pthread_join(r.thread, NULL);
	CHECK(r.error == -KVM_EXIT_DEBUG && run->debug.arch.pc == CODE + 4, "error %d, PC %08x",
	      r.error, run->debug.arch.pc);
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 8);
	/* cpsie, then the interrupt: it is taken with cpsie, or before the next instruction. */
	vm_run(&vm, 0);
	if (reg32(vcpu, REG_PC) == CODE + 12)
		vm_run(&vm, 0);
	CHECK(run->debug.arch.pc == VECTORS + 0x18, "PC %08x", run->debug.arch.pc);
	CHECK(reg32(vcpu, REG_R(0)) == 1, "r0 %u", reg32(vcpu, REG_R(0)));
	/* A signal during WFI does not end the step. The signal has to find it there. */
	level.level = 0;
	CHECK_OK(ioctl(vm.fd, KVM_IRQ_LINE, &level));
	reg32_set(vcpu, REG_CPSR, CPSR_SVC);
	reg32_set(vcpu, REG_PC, CODE);
	runner_start(&r, &vm, 0);
	MUST(vcpu_blocks(&vm, 0), "the guest does not wait");
	runner_stop(&r);
	CHECK(!r.error && !r.exits, "error %d, %u exits", r.error, r.exits);
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 4);
}

#define BLOCK	(STEP | KVM_GUESTDBG_BLOCKIRQ)

/* Steps with KVM_GUESTDBG_BLOCKIRQ, from the instruction at @pc on: the interrupt waits. */
static void step_blocked(uint32_t pc)
{
	/* cpsie: from here on the interrupt could be taken. */
	CHECK_OK(set_debug(vcpu, BLOCK, NULL));
	for (uint32_t i = 1; i <= 3; i++)
		check_exit(KVM_ARM_DEBUG_EC_STEP, pc + 4 * i);
	CHECK(reg32(vcpu, REG_R(0)) == 3, "r0 %u", reg32(vcpu, REG_R(0)));
	/* It is still pending, and is taken next if it is not blocked. */
	CHECK_OK(set_debug(vcpu, STEP, NULL));
	check_exit(KVM_ARM_DEBUG_EC_STEP, VECTORS + 0x18);
	reg32_set(vcpu, REG_CPSR, MODE_SVC);
	reg32_set(vcpu, REG_PC, pc + 12);
	CHECK_OK(set_debug(vcpu, BLOCK, NULL));
	check_exit(KVM_ARM_DEBUG_EC_STEP, pc + 16);
	check_exit(KVM_ARM_DEBUG_EC_STEP, pc + 20);
}

#define ISR_I		(1u << 7)	/* DDI 0406C B4.1.97 */

GUEST_CODE(waits, "cpsie i\n\tmov r0, #2\n\tmov r0, #3\n\twfi\n\tmov r0, #4\n\tb .");
GUEST_CODE(waits_gic, "ldr r1, =GICD_BASE\n\tmov r0, #1\n\tstr r0, [r1]\n\tstr r0, [r1, #0x104]\n\t"
	   "strb r0, [r1, #0x820]\n\tldr r1, =GICC_BASE\n\tmov r2, #0xf0\n\tstr r2, [r1, #4]\n\t"
	   "str r0, [r1]\n\tbkpt #0\n\tcpsie i\n\tmov r0, #2\n\tmov r0, #3\n\t"
	   "ldr r3, [r1, #12]\n\tcpsid i\n\tmrc p15, 0, r5, c12, c1, 0\n\tldr r4, [r1, #12]\n\t"
	   "str r4, [r1, #16]\n\tldr r6, [r1, #20]\n\tb .");

static void step_blocks_irqs(void)
{
	struct kvm_irq_level level = { .irq = CPU_IRQ(0, 0), .level = 1 };
	uint32_t flags;

	start(1, VM_NO_GIC);
	need_hw();
	flags = (uint32_t)cap(KVM_CAP_SET_GUEST_DEBUG2);
	CHECK(flags & KVM_GUESTDBG_BLOCKIRQ && flags == (uint32_t)cap(ARMVMM_CAP_GUEST_DEBUG));
	VM_CODE(&vm, 0, waits);
	CHECK_OK(ioctl(vm.fd, KVM_IRQ_LINE, &level));
	step_blocked(CODE);
	/* The flag blocks only in a step: without one it does nothing. */
	CHECK_OK(set_debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_BLOCKIRQ, NULL));
	run_to(VECTORS + 0x18);
}

/* The same with the GIC's list registers; and the instructions of a handler with IRQs masked. */
static void step_blocks_spi(void)
{
	start(1, 0);
	need_hw();
	VM_CODE(&vm, 0, waits_gic);
	CHECK_OK(set_debug(vcpu, SW, NULL));
	check_exit(KVM_ARM_DEBUG_EC_BKPT, CODE + 36);
	CHECK_OK(irq_line(vm.fd, SPI(32), 1));
	reg32_set(vcpu, REG_PC, CODE + 40);
	step_blocked(CODE + 40);
	CHECK(reg32(vcpu, REG_R(3)) == 1023, "IAR %u", reg32(vcpu, REG_R(3)));
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 64);
	CHECK(reg32(vcpu, REG_R(5)) & ISR_I, "ISR 0x%x with IRQs masked", reg32(vcpu, REG_R(5)));
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 68);
	CHECK(reg32(vcpu, REG_R(4)) == 32, "IAR with IRQs masked %u", reg32(vcpu, REG_R(4)));
	CHECK_OK(irq_line(vm.fd, SPI(32), 0));
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 72);
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 76);
	CHECK(reg32(vcpu, REG_R(6)) >= 0xf8, "RPR 0x%x after EOIR", reg32(vcpu, REG_R(6)));
}

GUEST_CODE(self, "mov r0, #1\n\tb .\n\t.thumb\n\tb .\n\t.arm");

/* A branch to itself can be stepped, too. */
static void step_self(void)
{
	start(1, 0);
	need_hw();
	VM_CODE(&vm, 0, self);
	CHECK_OK(set_debug(vcpu, STEP, NULL));
	for (int i = 0; i < 5; i++)
		check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 4);
	reg32_set(vcpu, REG_PC, CODE + 8);
	reg32_set(vcpu, REG_CPSR, CPSR_SVC | CPSR_T);
	for (int i = 0; i < 5; i++)
		check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 8);
}

/* Watchpoints still hit in a step; breakpoints need not. */
static void step_watch(void)
{
	struct kvm_guest_debug_arch a = {
		.dbg_wvr = { DATA + 16 }, .dbg_wcr = { WCR(0xfu, WP_LOAD) },
		.dbg_bvr = { CODE }, .dbg_bcr = { BCR_ARM },
	};

	start(1, 0);
	need_hw();
	VM_CODE(&vm, 0, accesses);
	CHECK_OK(set_debug(vcpu, STEP | HW, &a));
	for (uint32_t i = 4; i <= 16; i += 4)
		check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + i);
	check_exit(KVM_ARM_DEBUG_EC_WATCHPOINT, CODE + 16);
	CHECK_OK(set_debug(vcpu, STEP, NULL));
	check_exit(KVM_ARM_DEBUG_EC_STEP, CODE + 20);
	/* When the stepping ends, the breakpoint is back. */
	reg32_set(vcpu, REG_PC, CODE);
	a.dbg_bvr[0] = CODE + 12;
	CHECK_OK(set_debug(vcpu, HW, &a));
	check_exit(KVM_ARM_DEBUG_EC_BREAKPOINT, CODE + 12);
}

GUEST_CODE(count, "1:\tadd r0, r0, #1\n\tb 1b");

static void *step_thread(void *arg)
{
	unsigned int i = *(unsigned int *)arg;
	struct kvm_run *r = vm.vcpu[i].run;

	for (uint32_t n = 0; n < 400; n++) {
		uint32_t want = RAM_BASE + 0x10000 * (i + 1) + (n & 1 ? 0 : 4);

		if (vm_run(&vm, i) != KVM_EXIT_DEBUG || r->debug.arch.pc != want) {
			ktap_fail(__FILE__, __LINE__, "step", "vCPU %u, step %u: exit %u, PC %08x",
				  i, n, r->exit_reason, r->debug.arch.pc);
			break;
		}
	}
	return NULL;
}

/* Two vCPUs are stepped at once, while a third one runs on. */
static void step_smp(void)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_RUNNABLE };
	unsigned int n[2] = { 0, 1 };
	pthread_t threads[2];
	struct runner r;

	start(3, 0);
	need_hw();
	for (unsigned int i = 0; i < 3; i++) {
		VM_CODE(&vm, i, count);
		CHECK_OK(ioctl(vm.vcpu[i].fd, KVM_SET_MP_STATE, &state));
	}
	CHECK_OK(set_debug(vm.vcpu[0].fd, STEP, NULL));
	CHECK_OK(set_debug(vm.vcpu[1].fd, STEP, NULL));
	runner_start(&r, &vm, 2);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, step_thread, &n[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	runner_stop(&r);
	CHECK(!r.exits && !r.error, "%u exits, error %d", r.exits, r.error);
	CHECK(reg32(vm.vcpu[0].fd, REG_R(0)) == 200 && reg32(vm.vcpu[1].fd, REG_R(0)) == 200);
	CHECK(reg32(vm.vcpu[2].fd, REG_R(0)) > 1000, "%u", reg32(vm.vcpu[2].fd, REG_R(0)));
}

static const struct ktap_case cases[] = {
	{ "step_forms", step_forms, 0 },
	{ "step_exceptions", step_exceptions, 0 },
	{ "step_mmio", step_mmio, 0 },
	{ "step_wfi", step_wfi, 0 },
	{ "step_blocks_irqs", step_blocks_irqs, 0 },
	{ "step_blocks_spi", step_blocks_spi, 0 },
	{ "step_self", step_self, 0 },
	{ "step_watch", step_watch, 0 },
	{ "step_smp", step_smp, 0 },
};
KTAP_MAIN(cases)

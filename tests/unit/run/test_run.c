// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/run/run.c
// cflags: -include tests/unit/run_fake.h -Itests/unit/fake -Iinclude/uapi -Idriver
// cflags: -fno-strict-aliasing -Wno-pointer-to-int-cast
/*
 * Where a vCPU is not entered: a CPU without HYP mode, or which loses it unnoticed; one of another
 * part, which no emulator has beside the first; one on which the client could not stop its guest.
 * The client learns why and on which CPU, and the vCPU goes on where it can. And when: not while it
 * is off.
 */
#include "ktap.h"
#include "vcpu_fake.h"

#include "compat/compat.h"
#include "core/state.h"
#include "debug/debug.h"
#include "eventfd/eventfd.h"
#include "host/cpukind.h"
#include "host/hypcpu.h"
#include "hyp/hyp.h"
#include "mem/vmid.h"
#include "mmio/mmio.h"
#include "pmu/pmu.h"
#include "regs/psci.h"
#include "run/exit.h"
#include "run/halt.h"
#include "run/run.h"
#include "timer/timer.h"
#include "vgic/loaded.h"
#include "vgic/vgic.h"

#define CPUS	2
#define A7	0x410fc075u
#define A15	0x412fc0f1u

int fake_cpu;
bool fake_cpu_active, fake_irqs_off, fake_preempt_off, fake_signal;

/* The CPUs. */
static struct {
	struct armvmm_cpukind kind;
	bool ready, stub, debug_ok;
} cpus[CPUS];
static struct task_struct task;

/* What was done, each counted. */
static struct {
	unsigned int vmids, claims, flushes, syncs, timer_flushes, timer_syncs, counters, calls;
	unsigned int handled;
	unsigned int looks;	/* whether the CPU has HYP mode */
	unsigned int codes;	/* what the client may have rewritten was made the guest's */
	unsigned int datas;	/* what the guest wrote was made the client's */
	unsigned int sleeps, starts;
	int in_guest;		/* accounted to the guest */
} did;
static u32 exit_code;	/* of the last exit: a trap, or an interrupt, by turns */
static u32 exit_reason;	/* what the client is told */

/* --- the rest of the driver --- */

bool armvmm_hypcpu_ready(void)
{
	KTAP_TRUE(fake_irqs_off);
	/* The thread of a CPU that goes offline is moved soon. */
	if (!fake_cpu_active && did.looks == 3) {
		fake_cpu = !fake_cpu;
		fake_cpu_active = true;
	}
	did.looks++;
	return cpus[fake_cpu].ready;
}

bool armvmm_hypcpu_debug_ok(void)
{
	return cpus[fake_cpu].debug_ok;
}

const struct armvmm_cpukind *armvmm_cpukind_this(void)
{
	return &cpus[fake_cpu].kind;
}

u32 armvmm_hyp_call(u32 fn, u32 a, u32 b)
{
	KTAP_EQ(fn, HYP_CALL_RUN);
	KTAP_TRUE(fake_irqs_off);
	KTAP_EQ(vcpu.mode, VCPU_IN_GUEST);
	KTAP_TRUE(!vcpu.power_off);
	/* Else the guest would read this CPU's MIDR. */
	KTAP_EQ(hyp.rare.vpidr, cpus[fake_cpu].kind.regs.midr != hyp.vpidr);
	KTAP_EQ(did.in_guest, 1);
	/* SGIs for which vCPUs are to be woken: not here, with interrupts off. */
	hyp.dist.notify = 0xfe;
	exit_code = did.calls++ & 1 ? HYP_EXIT_IRQ : HYP_EXIT_TRAP;
	return cpus[fake_cpu].stub ? HYP_STUB_ERROR : exit_code;
}

void armvmm_vgic_claim(struct armvmm_vcpu *v)
{
	did.claims++;
	v->loaded_cpu = fake_cpu;
}

void vgic_lr_flush(struct armvmm_vcpu *v)
{
	did.flushes++;
	v->hyp->vgic.used_lrs = 1;
}

void vgic_lr_sync(struct armvmm_vcpu *v)
{
	KTAP_TRUE(fake_irqs_off);
	KTAP_EQ(v->mode, VCPU_IN_GUEST);
	did.syncs++;
	v->hyp->vgic.used_lrs = 0;
}

/* The line is high always: so the timer comes to these. */
DEFINE_PER_CPU(struct timer_host_cpu, timer_host_cpu);

void timer_flush_line(struct armvmm_vcpu *v)
{
	did.timer_flushes++;
}

/* The counter was set: told when it is on and before it could enter. */
void armvmm_timer_counter_changed(struct armvmm_vcpu *v)
{
	KTAP_EQ(v->mode, VCPU_OUTSIDE);
	KTAP_TRUE(!v->power_off && !fake_irqs_off);
	did.counters++;
}

void timer_sync_line(struct armvmm_vcpu *v, bool irq)
{
	KTAP_EQ(irq, exit_code == HYP_EXIT_IRQ);
	did.timer_syncs++;
}

/* The look at the thread that finds something to do, counted from 1; 0: none does. */
static unsigned int work_at, work_looks;
/* The entry during which another vCPU ends the machine, counted likewise. */
static unsigned int off_at;

/* What others do to the vCPU: CPU_ON, SYSTEM_OFF (psci.c), a signal. */
static void turn_on(void)
{
	set_bit(VCPU_REQ_RESET, &vcpu.requests);
	vcpu.power_off = false;
}

static void turn_off(void)
{
	vcpu.power_off = true;
	set_bit(VCPU_REQ_SLEEP, &vcpu.requests);
}

static void send_signal(void)
{
	fake_signal = true;
}

unsigned long compat_thread_work(void)
{
	return ++work_looks == work_at || fake_signal;
}

/* The active id stays 0: so each entry asks for one. */
DEFINE_PER_CPU(atomic64_t, vmid_active);

u64 vmid_renew(struct stage2 *s2, atomic64_t *active)
{
	KTAP_TRUE(fake_irqs_off);
	did.vmids++;
	/* Another vCPU ends the machine before this one can be seen to enter. */
	if (did.vmids == off_at)
		turn_off();
	return 1;
}

void vmid_other_vcpu(struct armvmm_vcpu *v, u8 *last)
{
	KTAP_EQ(v->last_cpu, fake_cpu);
	*last = v->index + 1;
}

/* What ends the sleep. */
static void (*waker)(void);

void fake_sleep(void)
{
	KTAP_TRUE(!fake_irqs_off && !fake_preempt_off);
	KTAP_EQ(vcpu.mode, VCPU_OUTSIDE);
	did.sleeps++;
	if (waker)
		waker();
}

void compat_guest_enter_irqoff(unsigned long *noted)
{
	did.in_guest++;
}

void compat_guest_exit_irqoff(void)
{
	KTAP_TRUE(fake_irqs_off);
}

void compat_guest_exit_account(void)
{
	KTAP_TRUE(!fake_irqs_off);
	did.in_guest--;
}

int armvmm_exit_handle(struct armvmm_vcpu *v, int code)
{
	KTAP_EQ(code, exit_code);
	did.handled++;
	v->run->exit_reason = exit_reason;
	return 0;
}

int armvmm_mmio_complete(struct armvmm_vcpu *v)
{
	return 1;
}

bool armvmm_timer_update_run(struct armvmm_vcpu *v)
{
	return false;
}

/* What these vCPUs do not have, or do not come to. */
#define NOT_HERE(type, name, ...)						\
	type name(__VA_ARGS__)							\
	{									\
		KTAP_FAIL(#name " was called");					\
		abort();							\
	}
NOT_HERE(int, armvmm_timer_enable, struct armvmm_vcpu *v)
NOT_HERE(int, armvmm_vgic_map_resources, struct armvmm_vm *v)
NOT_HERE(void, vgic_sgi_collect, struct armvmm_vcpu *v)
NOT_HERE(void, vgic_sgi_listen, struct armvmm_vcpu *v)
NOT_HERE(void, vgic_sgi_pass_on, struct armvmm_vcpu *v)
NOT_HERE(void, vgic_sgi_entry_ended, struct armvmm_vcpu *v, bool irq)
NOT_HERE(void, armvmm_halt, struct armvmm_vcpu *v)
NOT_HERE(void, armvmm_irqfd_tell_ended, struct armvmm_vcpu *v)
NOT_HERE(int, armvmm_debug_step, struct armvmm_vcpu *v)
NOT_HERE(int, armvmm_pmu_enable, struct armvmm_vcpu *v)
NOT_HERE(void, armvmm_pmu_prepare, struct armvmm_vcpu *v)
NOT_HERE(void, armvmm_pmu_load, struct armvmm_vcpu *v)
NOT_HERE(bool, armvmm_pmu_update_run, struct armvmm_vcpu *v)

void armvmm_vgic_unload(struct armvmm_vcpu *v)
{
	KTAP_EQ(v->mode, VCPU_OUTSIDE);
}

/* Only a vCPU that is on starts, and before it runs. */
void armvmm_psci_start(struct armvmm_vcpu *v)
{
	KTAP_TRUE(!v->power_off);
	did.starts++;
}

void armvmm_debug_sync_code(struct armvmm_vcpu *v)
{
	did.codes++;
}

void armvmm_debug_sync_data(struct armvmm_vcpu *v)
{
	KTAP_EQ(v->mode, VCPU_OUTSIDE);
	KTAP_TRUE(!fake_irqs_off && !fake_preempt_off);
	did.datas++;
}

/* --- a vCPU that was initialized on CPU 0, and has an interrupt that pends --- */

static struct armvmm_vgic_ap ap;
static u8 last_vcpu;

static void start(void)
{
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&hyp, 0, sizeof(hyp));
	memset(&page, 0, sizeof(page));
	memset(&did, 0, sizeof(did));
	memset(&ap, 0, sizeof(ap));
	last_vcpu = 0;
	work_at = work_looks = off_at = 0;
	exit_reason = KVM_EXIT_MMIO;
	waker = NULL;
	fake_signal = false;
	fake_current = &task;
	fake_irqs_off = fake_preempt_off = false;
	fake_cpu = 0;
	fake_cpu_active = true;
	for (unsigned int i = 0; i < CPUS; i++) {
		cpus[i].kind.regs.midr = A15;
		cpus[i].ready = cpus[i].debug_ok = true;
		cpus[i].stub = false;
	}
	ap.nr = 1;
	vm.vgic.in_kernel = true;
	vm.stage2.last_vcpu = &last_vcpu;
	vcpu.vm = &vm;
	vcpu.hyp = &hyp;
	vcpu.run = &page.run;
	vcpu.vgic.ap = &ap;
	vcpu.timer.virt_level = true;
	vcpu.initialized = vcpu.has_run_once = true;
	vcpu.last_task = &task;
	vcpu.last_cpu = vcpu.loaded_cpu = -1;
	hyp.vpidr = A15;
}

static void run_on(int cpu)
{
	fake_cpu = cpu;
	KTAP_EQ(armvmm_vcpu_run(&vcpu), 0);
	KTAP_TRUE(!fake_irqs_off && !fake_preempt_off);
	KTAP_EQ(vcpu.mode, VCPU_OUTSIDE);
	KTAP_EQ(did.in_guest, 0);
	KTAP_EQ(hyp.vgic.used_lrs, 0);
}

/* It enters there, once, and the exit is handled. */
static void runs_on(int cpu)
{
	unsigned int calls = did.calls, handled = did.handled, exits = vcpu.stat.exits;
	unsigned int syncs = did.syncs, timer_syncs = did.timer_syncs, codes = did.codes;

	run_on(cpu);
	KTAP_EQ(did.codes, codes + 1);
	KTAP_EQ(page.run.exit_reason, KVM_EXIT_MMIO);
	KTAP_EQ(did.calls, calls + 1);
	KTAP_EQ(did.handled, handled + 1);
	KTAP_EQ(did.syncs, syncs + 1);
	KTAP_EQ(did.timer_syncs, timer_syncs + 1);
	KTAP_EQ(vcpu.stat.exits, exits + 1);
	KTAP_EQ(vcpu.last_cpu, fake_cpu);
}

/* It does not, however often it is tried, and nothing is handled as an exit. */
static void refused_on(int cpu, u64 reason)
{
	unsigned int handled = did.handled, exits = vcpu.stat.exits;
	unsigned int timer_syncs = did.timer_syncs;

	for (int again = 0; again < 3; again++) {
		page.run.exit_reason = KVM_EXIT_UNKNOWN;
		memset(&page.run.fail_entry, 0xff, sizeof(page.run.fail_entry));
		run_on(cpu);
		KTAP_EQ(page.run.exit_reason, KVM_EXIT_FAIL_ENTRY);
		KTAP_EQ(page.run.fail_entry.hardware_entry_failure_reason, reason);
		KTAP_EQ(page.run.fail_entry.cpu, cpu);
	}
	KTAP_EQ(did.handled, handled);
	KTAP_EQ(did.timer_syncs, timer_syncs);
	KTAP_EQ(vcpu.stat.exits, exits);
}

/* Refused before anything was done for the entry. */
static void refused_early_on(int cpu, u64 reason)
{
	unsigned int vmids = did.vmids, calls = did.calls, flushes = did.flushes;
	int last_cpu = vcpu.last_cpu;

	refused_on(cpu, reason);
	KTAP_EQ(did.vmids, vmids);
	KTAP_EQ(did.calls, calls);
	KTAP_EQ(did.flushes, flushes);
	KTAP_EQ(vcpu.last_cpu, last_cpu);
}

static void test_other_part(void)
{
	static const struct {
		u32 vpidr, midr;
		bool runs;
	} table[] = {
		{ A15, A15, true },
		{ A7, A7, true },
		/* Another release of the part: its variant and its revision. */
		{ A15, 0x413fc0f1, true },
		{ A15, 0x412fc0f3, true },
		{ A7, 0x410fc074, true },
		/* The big one and the LITTLE one, of either. */
		{ A15, A7, false },
		{ A7, A15, false },
		{ 0x410fc0d1, 0x410fc0e1, false },
		{ A15, 0x420f00f1, false },
		/* Another maker's part that has the same number. */
		{ A15, 0x422fc0f1, false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		start();
		hyp.vpidr = table[i].vpidr;
		cpus[0].kind.regs.midr = table[i].vpidr;
		cpus[1].kind.regs.midr = table[i].midr;
		if (table[i].runs) {
			runs_on(1);
			runs_on(0);
			continue;
		}
		/* First of all, and when it has run where it may; and there it goes on. */
		refused_early_on(1, ARMVMM_FAIL_ENTRY_OTHER_PART);
		runs_on(0);
		refused_early_on(1, ARMVMM_FAIL_ENTRY_OTHER_PART);
		runs_on(0);
		runs_on(0);
		/* The CPU itself becomes the other one, while its idle thread runs. */
		vcpu.loaded_cpu = -1;
		cpus[0].kind.regs.midr = table[i].midr;
		refused_early_on(0, ARMVMM_FAIL_ENTRY_OTHER_PART);
	}
}

static void test_no_hyp(void)
{
	start();
	cpus[1].ready = false;
	runs_on(0);
	refused_early_on(1, ARMVMM_FAIL_ENTRY_NO_HYP);
	runs_on(0);
	cpus[1].ready = true;
	runs_on(1);
}

/*
 * What comes while IRQs are on is seen before the entry, and what comes until the mode is set puts
 * it off: with nothing loaded yet, so that nothing has to be taken back.
 */
static void test_work(void)
{
	start();
	runs_on(0);
	KTAP_EQ(work_looks, 2);
	work_at = 3;
	runs_on(0);
	KTAP_EQ(work_looks, 4);
	work_at = 6;
	runs_on(0);
	KTAP_EQ(work_looks, 8);
	/* A request likewise: it is handled, and gone. */
	set_bit(VCPU_REQ_IRQ_PENDING, &vcpu.requests);
	runs_on(0);
	KTAP_EQ(vcpu.requests, 0);
	KTAP_EQ(did.timer_flushes, did.timer_syncs);
	KTAP_EQ(did.counters, 0);
	set_bit(VCPU_REQ_COUNTER, &vcpu.requests);
	runs_on(0);
	KTAP_EQ(did.counters, 1);
	KTAP_EQ(vcpu.requests, 0);
}

/* The RUN of a vCPU that is off ends by a signal, however often. */
static void interrupted(void)
{
	for (int again = 0; again < 3; again++) {
		KTAP_EQ(armvmm_vcpu_run(&vcpu), -EINTR);
		KTAP_EQ(page.run.exit_reason, KVM_EXIT_INTR);
		KTAP_TRUE(vcpu.power_off && vcpu.requests == BIT(VCPU_REQ_SLEEP));
		KTAP_EQ(did.calls, 0);
		KTAP_EQ(did.starts, 0);
	}
}

static void test_off(void)
{
	start();
	turn_off();
	/* A signal that is there already, and one that comes. */
	fake_signal = true;
	interrupted();
	KTAP_EQ(did.sleeps, 0);
	for (int again = 0; again < 3; again++) {
		fake_signal = false;
		waker = send_signal;
		KTAP_EQ(armvmm_vcpu_run(&vcpu), -EINTR);
	}
	KTAP_EQ(did.sleeps, 3);
	fake_signal = true;
	interrupted();

	/* Turned on: it starts, once. */
	fake_signal = false;
	waker = turn_on;
	runs_on(0);
	KTAP_EQ(did.starts, 1);
	runs_on(0);
	KTAP_EQ(did.starts, 1);
	KTAP_EQ(did.sleeps, 4);
	KTAP_EQ(vcpu.requests, 0);

	/* Turned on, and a signal comes before it runs: it has its start. */
	turn_off();
	turn_on();
	fake_signal = true;
	KTAP_EQ(armvmm_vcpu_run(&vcpu), -EINTR);
	fake_signal = false;
	waker = NULL;
	runs_on(0);
	KTAP_EQ(did.starts, 2);

	/* Turned off on its way into the guest: it does not enter until it is on. */
	waker = turn_on;
	off_at = did.vmids + 1;
	runs_on(0);
	KTAP_EQ(did.sleeps, 5);
	KTAP_EQ(did.starts, 3);
}

/* No failure: the thread will be moved. */
static void test_going_offline(void)
{
	start();
	cpus[1].ready = false;
	fake_cpu_active = false;
	runs_on(1);
	KTAP_EQ(fake_cpu, 0);
	KTAP_EQ(did.looks, 4);
}

/* The stub answers: the CPU is taken to have HYP mode until it is asked. */
static void test_hyp_stolen(void)
{
	unsigned int calls, syncs;

	start();
	runs_on(0);
	cpus[1].stub = true;
	calls = did.calls;
	syncs = did.syncs;
	refused_on(1, ARMVMM_FAIL_ENTRY_NO_HYP);
	KTAP_EQ(did.calls, calls + 3);
	/* What the list registers were to hold was taken back each time. */
	KTAP_EQ(did.syncs, syncs + 3);
	runs_on(0);
	cpus[1].stub = false;
	runs_on(1);
}

static void test_no_debug(void)
{
	start();
	cpus[1].debug_ok = false;
	hyp.debug.mode = HYP_DEBUG_LOAD;
	vcpu.debug.owner = DEBUG_OWNER_CLIENT;
	refused_early_on(1, ARMVMM_FAIL_ENTRY_NO_DEBUG);
	runs_on(0);
	vcpu.debug.owner = DEBUG_OWNER_GUEST;
	runs_on(1);
}

/* Where a client that debugs looks at memory: its guest stopped for it, or a signal came. */
static void test_debugged(void)
{
	start();
	exit_reason = KVM_EXIT_DEBUG;
	run_on(0);
	KTAP_EQ(did.datas, 0);
	vcpu.debug.control = KVM_GUESTDBG_ENABLE;
	run_on(0);
	KTAP_EQ(did.datas, 1);
	exit_reason = KVM_EXIT_MMIO;
	run_on(0);
	KTAP_EQ(did.datas, 1);
	KTAP_EQ(did.codes, 3);
	fake_signal = true;
	KTAP_EQ(armvmm_vcpu_run(&vcpu), -EINTR);
	KTAP_EQ(did.datas, 2);
	fake_signal = false;
}

KTAP_MAIN(KTAP_CASE(test_debugged), KTAP_CASE(test_other_part), KTAP_CASE(test_no_hyp),
	  KTAP_CASE(test_work), KTAP_CASE(test_off),
	  KTAP_CASE(test_going_offline), KTAP_CASE(test_hyp_stolen), KTAP_CASE(test_no_debug))

// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/timer/timer.c
// cflags: -include tests/unit/wait_fake.h -I. -Itests/unit/fake -Iinclude/uapi -fno-strict-aliasing -Idriver
//
// The timers of a vCPU: when lines rise and fall, when the host's interrupt is
// held back, what a sleep waits for (DDI 0406C B8.1).
#include "fake/fake_kernel.h"

#include "arch/archregs.h"
#include "core/kick.h"
#include "timer/timer.h"
#include "timer/timer_host.h"
#include "timer/timer_user.h"
#include "core/state.h"
#include "vgic/vgic.h"

#include "fake/compat/compat.h"
#include "ktap.h"
#include "vcpu_fake.h"

static u64 now;
DEFINE_PER_CPU(struct timer_host_cpu, timer_host_cpu);
#define held	timer_host_cpu.held
static bool active;
static unsigned int holds, kicks;
static bool line[32];
static unsigned int injected[32];

/* Two hrtimers: their deadline, ~0 when stopped, and their function. */
static struct {
	struct hrtimer *timer;
	enum hrtimer_restart (*fn)(struct hrtimer *timer);
	u64 ns;
} hrt[2];

#define STOPPED	(~0ULL)
#define WAKEUP	(hrt[0])
#define PHYS	(hrt[1])

/* What ends a wait before its deadline, and when it comes. */
enum { COME_SIGNAL, COME_THREAD, COME_INTERRUPT, NR_COME };
static u64 come[NR_COME] = { STOPPED, STOPPED, STOPPED };

bool fake_signal_pending(void)
{
	return now >= come[COME_SIGNAL];
}

bool fake_need_resched(void)
{
	return now >= come[COME_THREAD];
}

/* Waiting calls this: a tick goes by. */
void fake_cpu_relax(void)
{
	now++;
}

/* --- the driver's other nouns; a tick is 16 ns --- */

u64 armvmm_timer_now(void)
{
	return now;
}

u32 armvmm_timer_freq(void)
{
	return 62500000;
}

unsigned int armvmm_timer_host_hwirq(void)
{
	return 27;
}

void armvmm_timer_host_set(bool hold)
{
	holds++;
	held = hold;
}

int armvmm_vgic_inject(struct armvmm_vm *v, struct armvmm_vcpu *c, unsigned int intid, bool level,
		       const void *owner)
{
	KTAP_TRUE(owner == &vcpu.timer);
	line[intid] = level;
	injected[intid]++;
	return 0;
}

int armvmm_vgic_set_owner(struct armvmm_vcpu *c, unsigned int intid, const void *owner)
{
	return 0;
}

static bool (*get_level)(struct armvmm_vcpu *c);

int armvmm_vgic_map_phys(struct armvmm_vcpu *c, unsigned int intid, unsigned int host_hwirq,
			 bool (*fn)(struct armvmm_vcpu *c))
{
	KTAP_EQ(intid, 27);
	KTAP_EQ(host_hwirq, 27);
	get_level = fn;
	return 0;
}

static bool in_hyp;

bool armvmm_timer_host_in_hyp(void)
{
	return in_hyp;
}

struct armvmm_vgic_irq *armvmm_vgic_phys_irq(struct armvmm_vcpu *c, unsigned int intid)
{
	KTAP_EQ(intid, 27);
	return (void *)&line;
}

bool armvmm_vgic_phys_active(struct armvmm_vcpu *c, unsigned int intid)
{
	return active;
}

void armvmm_vcpu_kick(struct armvmm_vcpu *c)
{
	kicks++;
}

static unsigned int requested = ~0u;

void armvmm_kick_all(struct armvmm_vm *v, unsigned int request, struct armvmm_vcpu *except)
{
	KTAP_TRUE(v == &vm && !except);
	requested = request;
}

void hrtimer_setup(struct hrtimer *timer, enum hrtimer_restart (*fn)(struct hrtimer *),
		   int clock, enum hrtimer_mode mode)
{
	int i = timer == &vcpu.timer.wakeup ? 0 : 1;

	hrt[i].timer = timer;
	hrt[i].fn = fn;
	hrt[i].ns = STOPPED;
}

void hrtimer_start(struct hrtimer *timer, ktime_t time, enum hrtimer_mode mode)
{
	hrt[timer == hrt[0].timer ? 0 : 1].ns = time;
}

int hrtimer_cancel(struct hrtimer *timer)
{
	u64 *ns = &hrt[timer == hrt[0].timer ? 0 : 1].ns;
	bool active = *ns != STOPPED;

	*ns = STOPPED;
	return active;
}

bool armvmm_vgic_pending(struct armvmm_vcpu *v)
{
	return now >= come[COME_INTERRUPT];
}

u64 hrtimer_forward_now(struct hrtimer *timer, ktime_t interval)
{
	hrt[timer == hrt[0].timer ? 0 : 1].ns = interval;
	return 1;
}

/* --- the cases --- */

static void reset(bool vgic)
{
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&hyp, 0, sizeof(hyp));
	memset(&page, 0, sizeof(page));
	memset(line, 0, sizeof(line));
	memset(injected, 0, sizeof(injected));
	held = active = false;
	holds = kicks = 0;
	now = 1000000;
	vcpu.vm = &vm;
	vcpu.hyp = &hyp;
	vcpu.run = &page.run;
	vm.vgic.in_kernel = vm.vgic.initialized = vgic;
	armvmm_timer_vm_init(&vm);
	armvmm_timer_vcpu_init(&vcpu);
	armvmm_timer_vcpu_reset(&vcpu);
	KTAP_EQ(armvmm_timer_enable(&vcpu), 0);
}

static bool irq;	/* an interrupt ends the stays in the guest */

/* A stay in the guest, which leaves CTL and CVAL, and perhaps ends the interrupt. */
static void run(u32 ctl, u64 cval, bool deactivates)
{
	armvmm_timer_flush(&vcpu);
	hyp.cntv_ctl = ctl & 3;
	hyp.cntv_cval = cval;
	if ((ctl & 1) && now - hyp.cntvoff >= cval)
		hyp.cntv_ctl |= CNT_CTL_ISTATUS;
	hyp.vgic.used_lrs = deactivates ? 1 : 0;
	hyp.vgic.lr[0] = 27u | 27u << 10 | 1u << 31;
	hyp.vgic.elrsr[0] = deactivates ? ~0u : 0;
	if (deactivates)
		active = false;
	armvmm_timer_sync(&vcpu, irq);
}

static void test_offset(void)
{
	reset(true);
	/* The guest's counter starts at zero. */
	KTAP_EQ(armvmm_timer_virt_now(&vcpu), 0);
	now += 5;
	KTAP_EQ(armvmm_timer_virt_now(&vcpu), 5);
	armvmm_timer_set_cntvoff(&vm, now - 0x100000000ULL);
	armvmm_timer_flush(&vcpu);
	KTAP_EQ(now - hyp.cntvoff, 0x100000000ULL);
}

/* The client sets CVAL, CTL or the counter: the line follows, and the vGIC hears of it. */
static void test_client_sets(void)
{
	reset(true);
	run(1, 0, false);
	KTAP_TRUE(vcpu.timer.virt_level && line[27]);
	hyp.cntv_cval = 100;
	armvmm_timer_virt_changed(&vcpu);
	KTAP_TRUE(!vcpu.timer.virt_level && !line[27]);
	now += 100;
	armvmm_timer_virt_changed(&vcpu);
	KTAP_TRUE(vcpu.timer.virt_level && line[27]);
	armvmm_timer_set_cntvoff(&vm, now);
	armvmm_timer_virt_changed(&vcpu);
	KTAP_TRUE(!vcpu.timer.virt_level && !line[27]);
	/* It sleeps until its deadline by the counter that there is now. */
	armvmm_timer_block(&vcpu);
	KTAP_TRUE(hrt[0].ns != STOPPED);
	armvmm_timer_unblock(&vcpu);
	armvmm_timer_set_cntvoff(&vm, 0);
	hyp.cntv_ctl = 0;
	armvmm_timer_virt_changed(&vcpu);
	KTAP_TRUE(!vcpu.timer.virt_level);

	/* Before the first RUN it is the first entry that tells. */
	reset(true);
	vcpu.timer.irqs_fixed = false;
	hyp.cntv_ctl = 1;
	armvmm_timer_virt_changed(&vcpu);
	KTAP_TRUE(!vcpu.timer.virt_level);
	vcpu.timer.irqs_fixed = true;
	KTAP_TRUE(armvmm_timer_pending(&vcpu));
	KTAP_TRUE(line[27]);
}

/* Programmed, fired, taken, programmed again, ended: the level and the hold follow. */
static void test_round(void)
{
	reset(true);
	run(1, 100, false);
	KTAP_TRUE(!line[27] && !held && !injected[27]);

	now += 100;
	run(1, 100, false);
	KTAP_TRUE(line[27]);
	KTAP_TRUE(get_level(&vcpu));

	active = true;
	armvmm_timer_flush(&vcpu);
	KTAP_TRUE(held);
	KTAP_EQ(holds, 1);
	/* The guest handles it, but has not ended it when something else traps. */
	run(1, 5000, false);
	KTAP_TRUE(!line[27]);
	KTAP_TRUE(!get_level(&vcpu));
	armvmm_timer_flush(&vcpu);
	KTAP_TRUE(held);
	KTAP_EQ(holds, 1);
	/* The guest ends it: the hardware has released the PPI, and nothing is to be done. */
	run(1, 5000, true);
	KTAP_TRUE(!held);
	armvmm_timer_flush(&vcpu);
	KTAP_TRUE(!held);
	KTAP_EQ(holds, 1);
	KTAP_EQ(injected[27], 2);
}

/*
 * The active state reaches the GIC late, when the guest runs already: the line ends the guest's
 * turn for nothing (IHI 0048B 3.2.1). The guest has its interrupt once, and what was held stays so,
 * with no second write.
 */
static void test_late_hold(void)
{
	reset(true);
	run(1, 0, false);
	KTAP_EQ(injected[27], 1);
	for (int i = 0; i < 3; i++) {
		/* By the second turn the guest has taken it. */
		active = i > 0;
		run(1, 0, false);
		KTAP_TRUE(line[27] && held);
		KTAP_EQ(injected[27], 1);
		KTAP_EQ(holds, 1);
	}
	KTAP_EQ(kicks, 0);
	run(1, 5000, true);
	armvmm_timer_flush(&vcpu);
	KTAP_TRUE(!line[27] && !held);
	KTAP_EQ(holds, 1);
}

/*
 * The GIC ended the active state, or lost it, where the guest did not: the line ends each turn of
 * the guest, until what is held is made active anew. It is not done for other exits, nor where HYP
 * mode has just done it.
 */
static void test_lost_hold(void)
{
	reset(true);
	run(1, 0, false);
	run(1, 0, false);
	KTAP_TRUE(held);
	KTAP_EQ(holds, 1);
	irq = true;
	run(1, 0, false);
	KTAP_EQ(holds, 2);
	hyp.cntv_held = 1;
	hyp.vgic.used_lrs = 1;
	hyp.vgic.elrsr[0] = 0;
	armvmm_timer_sync(&vcpu, true);
	KTAP_TRUE(held);
	KTAP_EQ(holds, 2);
	/* It has ended, and the line is low: the next entry holds nothing. */
	run(1, 5000, true);
	KTAP_TRUE(!held);
	KTAP_EQ(holds, 2);
	/* A line that rises while nothing is held is the next entry's to hold. */
	run(1, 0, false);
	KTAP_TRUE(!held && line[27]);
	irq = false;
	KTAP_EQ(holds, 2);
}

/* HYP mode held the PPI, and showed the interrupt: the host knows, and whether it has ended. */
static void test_in_hyp(void)
{
	in_hyp = true;
	reset(true);
	in_hyp = false;
	KTAP_TRUE(hyp.cntv_irq == (void *)&line);
	armvmm_timer_flush(&vcpu);
	hyp.cntv_ctl = 1 | CNT_CTL_ISTATUS;
	hyp.cntv_held = 1;
	hyp.vgic.used_lrs = 1;
	hyp.vgic.lr[0] = 27u | 27u << 10 | 1u << 31 | 1u << 28;
	hyp.vgic.elrsr[0] = 0;
	armvmm_timer_sync(&vcpu, false);
	KTAP_TRUE(held && line[27] && !hyp.cntv_held);
	armvmm_timer_flush(&vcpu);
	KTAP_EQ(holds, 0);

	/* It has ended before the exit. */
	hyp.cntv_held = 1;
	hyp.cntv_ctl = 1;
	hyp.vgic.lr[0] &= ~(1u << 28);
	hyp.vgic.elrsr[0] = 1;
	armvmm_timer_sync(&vcpu, false);
	KTAP_TRUE(!held && !line[27] && !hyp.cntv_held);
	armvmm_timer_flush(&vcpu);
	KTAP_EQ(holds, 0);

	/* Not where the client has the interrupt controller. */
	in_hyp = true;
	reset(false);
	in_hyp = false;
	KTAP_TRUE(!hyp.cntv_irq);
}

/* The guest withdrew it before it was taken: software must release the PPI. */
static void test_taken_back(void)
{
	reset(true);
	run(1, 0, false);
	armvmm_timer_flush(&vcpu);
	KTAP_TRUE(held);
	run(3, 0, false);
	KTAP_TRUE(!line[27]);
	armvmm_timer_flush(&vcpu);
	KTAP_TRUE(!held);
	KTAP_EQ(holds, 2);
}

/* The end of another interrupt does not count, nor does an end by software. */
static void test_other_lr(void)
{
	reset(true);
	run(1, 0, false);
	armvmm_timer_flush(&vcpu);
	hyp.vgic.used_lrs = 2;
	hyp.vgic.lr[0] = 28u | 28u << 10 | 1u << 31;
	hyp.vgic.lr[1] = 27u;
	hyp.vgic.elrsr[0] = ~0u;
	armvmm_timer_sync(&vcpu, false);
	KTAP_TRUE(held);
	/* Still in a list register: not ended. */
	hyp.vgic.lr[1] = 27u | 1u << 31 | 1u << 29;
	hyp.vgic.elrsr[0] = 1;
	armvmm_timer_sync(&vcpu, false);
	KTAP_TRUE(held);
}

static void test_masked(void)
{
	reset(true);
	run(3, 0, false);
	KTAP_TRUE(!line[27]);
	run(0, 0, false);
	KTAP_TRUE(!line[27]);
	KTAP_TRUE(!armvmm_timer_pending(&vcpu));
	armvmm_timer_block(&vcpu);
	KTAP_EQ(WAKEUP.ns, STOPPED);
}

static void test_sleep(void)
{
	reset(true);
	run(1, 62500000, false);
	KTAP_TRUE(!armvmm_timer_pending(&vcpu));
	armvmm_timer_block(&vcpu);
	KTAP_EQ(WAKEUP.ns, 1000000000);

	/* The host's clock is fast: the timer comes early, and waits for the rest. */
	now += 62499990;
	KTAP_EQ(WAKEUP.fn(WAKEUP.timer), HRTIMER_RESTART);
	KTAP_EQ(WAKEUP.ns, 160);
	KTAP_EQ(kicks, 0);
	now += 10;
	KTAP_EQ(WAKEUP.fn(WAKEUP.timer), HRTIMER_NORESTART);
	KTAP_EQ(kicks, 1);
	KTAP_TRUE(test_bit(VCPU_REQ_IRQ_PENDING, &vcpu.requests));
	armvmm_timer_unblock(&vcpu);
	KTAP_EQ(WAKEUP.ns, STOPPED);
	/* It goes to the guest with the next entry, without an exit for it. */
	KTAP_TRUE(line[27]);
	armvmm_timer_flush(&vcpu);
	KTAP_TRUE(held);
}

static enum hrtimer_restart fire(void)
{
	enum hrtimer_restart ret = WAKEUP.fn(WAKEUP.timer);

	if (ret == HRTIMER_NORESTART)
		WAKEUP.ns = STOPPED;
	return ret;
}

/* A host that took 400 ticks to wake up is woken 125 ticks early the next time, and so on. */
static void test_early(void)
{
	u64 deadline;

	reset(true);
	run(1, 62500000, false);
	armvmm_timer_block(&vcpu);
	now += 62500000;
	KTAP_EQ(fire(), HRTIMER_NORESTART);
	now += 400;
	armvmm_timer_unblock(&vcpu);
	KTAP_EQ(vcpu.timer.lead, 125);

	reset(true);
	vcpu.timer.lead = 125;
	run(1, 62500000, false);
	deadline = now + 62500000;
	armvmm_timer_block(&vcpu);
	KTAP_EQ(WAKEUP.ns, 1000000000 - 125 * 16);
	now = deadline - 125;
	KTAP_EQ(fire(), HRTIMER_NORESTART);
	now += 5;
	armvmm_timer_unblock(&vcpu);
	/* It waits for the time by which it was early, and the line rises on time. */
	KTAP_EQ(now, deadline);
	KTAP_TRUE(line[27]);
	KTAP_EQ(vcpu.timer.lead, (125 * 3 + 5 + 1) / 4);

	/* If an interrupt comes first, that does not show how late the host is. */
	run(1, 62500000, false);
	armvmm_timer_block(&vcpu);
	now += 1000;
	armvmm_timer_unblock(&vcpu);
	KTAP_EQ(vcpu.timer.lead, (125 * 3 + 5 + 1) / 4);
}

/* What else the thread has to do ends the wait soon, and the line stays low. */
static void test_early_and_called(void)
{
	u64 then;

	for (unsigned int i = 0; i < NR_COME; i++) {
		reset(true);
		vcpu.timer.lead = 125;
		run(1, 62500000, false);
		armvmm_timer_block(&vcpu);
		then = now += 62500000 - 125;
		KTAP_EQ(fire(), HRTIMER_NORESTART);
		come[i] = then + 50;
		armvmm_timer_unblock(&vcpu);
		come[i] = STOPPED;
		KTAP_TRUE(now >= then + 50 && now < then + 60);
		KTAP_TRUE(!line[27]);
	}
}

/* If the counter goes back while it waits, the deadline is far away: it waits no longer. */
static void test_early_and_set(void)
{
	u64 then;

	reset(true);
	vcpu.timer.lead = 125;
	run(1, 62500000, false);
	armvmm_timer_block(&vcpu);
	then = now += 62500000 - 125;
	KTAP_EQ(fire(), HRTIMER_NORESTART);
	armvmm_timer_set_cntvoff(&vm, now);
	armvmm_timer_unblock(&vcpu);
	KTAP_EQ(now, then);
	KTAP_TRUE(!line[27]);
}

/* A deadline beyond all sleeps never comes too early. */
static void test_far_deadline(void)
{
	reset(true);
	run(1, ~0ULL, false);
	armvmm_timer_block(&vcpu);
	KTAP_TRUE(WAKEUP.ns > 1000000000000000000ULL && WAKEUP.ns < 1ULL << 62);
}

/* While it polls: the line rises once, then the vGIC knows. */
static void test_pending_once(void)
{
	reset(true);
	run(1, 10, false);
	now += 10;
	KTAP_TRUE(armvmm_timer_pending(&vcpu));
	KTAP_TRUE(line[27]);
	KTAP_TRUE(!armvmm_timer_pending(&vcpu));
	KTAP_EQ(injected[27], 1);
}

static void test_physical(void)
{
	reset(true);
	armvmm_timer_phys_write(&vcpu, TIMER_REG_CVAL, now + 1000);
	KTAP_EQ(PHYS.ns, STOPPED);
	armvmm_timer_phys_write(&vcpu, TIMER_REG_CTL, 1);
	KTAP_EQ(PHYS.ns, 16000);
	KTAP_EQ(armvmm_timer_phys_read(&vcpu, TIMER_REG_TVAL), 1000);
	KTAP_EQ(armvmm_timer_phys_read(&vcpu, TIMER_REG_CTL), 1);

	now += 1000;
	KTAP_EQ(PHYS.fn(PHYS.timer), HRTIMER_NORESTART);
	KTAP_TRUE(line[30]);
	KTAP_EQ(kicks, 1);
	KTAP_EQ(armvmm_timer_phys_read(&vcpu, TIMER_REG_CTL), 5);
	KTAP_EQ(armvmm_timer_phys_read(&vcpu, TIMER_REG_CNT), now);

	/* IMASK lowers the line, and raises it again. */
	armvmm_timer_phys_write(&vcpu, TIMER_REG_CTL, 3);
	KTAP_TRUE(!line[30]);
	KTAP_EQ(armvmm_timer_phys_read(&vcpu, TIMER_REG_CTL), 7);
	armvmm_timer_phys_write(&vcpu, TIMER_REG_CTL, 1);
	KTAP_TRUE(line[30]);
	/* TVAL into the future lowers it, and arms the timer. */
	armvmm_timer_phys_write(&vcpu, TIMER_REG_TVAL, 50);
	KTAP_TRUE(!line[30]);
	KTAP_EQ(PHYS.ns, 800);
	armvmm_timer_phys_write(&vcpu, TIMER_REG_TVAL, (u32)-1);
	KTAP_TRUE(line[30]);
	KTAP_EQ(armvmm_timer_phys_read(&vcpu, TIMER_REG_TVAL), 0xffffffff);
	KTAP_TRUE(!line[27]);
}

/* If it fired before the first RUN, the vGIC learns it then. */
static void test_before_first_run(void)
{
	reset(true);
	vcpu.timer.irqs_fixed = false;
	armvmm_timer_phys_write(&vcpu, TIMER_REG_CTL, 1);
	KTAP_TRUE(!line[30]);
	KTAP_EQ(armvmm_timer_enable(&vcpu), 0);
	KTAP_TRUE(line[30]);
}

/*
 * The host was suspended. Time that has not passed: the deadline is as far away as before, and
 * every vCPU looks again. Physical timers wait for the counter, whose deadline may have passed.
 */
static void test_suspended(void)
{
	u64 seen;

	reset(true);
	seen = armvmm_timer_virt_now(&vcpu);
	armvmm_timer_phys_write(&vcpu, TIMER_REG_TVAL, 1000);
	armvmm_timer_phys_write(&vcpu, TIMER_REG_CTL, 1);
	KTAP_EQ(PHYS.ns, 16000);
	now += 400;
	armvmm_timer_vm_resumed(&vm, 400, 0);
	KTAP_EQ(armvmm_timer_virt_now(&vcpu), seen);
	KTAP_EQ(requested, VCPU_REQ_COUNTER);
	armvmm_timer_counter_changed(&vcpu);
	KTAP_EQ(PHYS.ns, 9600);
	KTAP_TRUE(!line[30]);
	now += 600;
	armvmm_timer_vm_resumed(&vm, 0, 0);
	KTAP_EQ(armvmm_timer_virt_now(&vcpu), seen + 600);
	armvmm_timer_counter_changed(&vcpu);
	KTAP_TRUE(line[30]);
}

/* The host's counter lost its value: what was to come in 1000 ticks still does. */
static void test_counter_lost(void)
{
	u64 seen, was;

	reset(true);
	vm.vcpus[0] = &vcpu;
	vm.online_vcpus = 1;
	now += 5000;
	seen = armvmm_timer_virt_now(&vcpu);
	armvmm_timer_phys_write(&vcpu, TIMER_REG_TVAL, 1000);
	armvmm_timer_phys_write(&vcpu, TIMER_REG_CTL, 1);
	was = now;
	now = 5;
	armvmm_timer_vm_resumed(&vm, now - was, now - was);
	KTAP_EQ(armvmm_timer_virt_now(&vcpu), seen);
	armvmm_timer_counter_changed(&vcpu);
	KTAP_EQ(PHYS.ns, 16000);
}

static void test_enable_refused(void)
{
	reset(true);
	vcpu.timer.irqs_fixed = false;
	vm.vgic.initialized = false;
	KTAP_EQ(armvmm_timer_enable(&vcpu), -ENODEV);
	vm.vgic.initialized = true;
	vcpu.timer.phys_irq = vcpu.timer.virt_irq;
	KTAP_EQ(armvmm_timer_enable(&vcpu), -EINVAL);
	KTAP_TRUE(!vcpu.timer.irqs_fixed);
}

/* A user-space interrupt controller: the lines go to the client. */
static void test_user_irqchip(void)
{
	reset(false);
	KTAP_TRUE(!armvmm_timer_should_notify_user(&vcpu));
	run(1, 0, false);
	KTAP_TRUE(!injected[27]);
	KTAP_TRUE(armvmm_timer_pending(&vcpu));
	KTAP_TRUE(armvmm_timer_should_notify_user(&vcpu));
	KTAP_TRUE(armvmm_timer_update_run(&vcpu));
	KTAP_EQ(page.run.s.regs.device_irq_level, KVM_ARM_DEV_EL1_VTIMER);
	KTAP_TRUE(!armvmm_timer_update_run(&vcpu));
	/* The guest must go on with the line high. */
	armvmm_timer_flush(&vcpu);
	KTAP_TRUE(held);
	run(0, 0, false);
	KTAP_TRUE(armvmm_timer_update_run(&vcpu));
	KTAP_EQ(page.run.s.regs.device_irq_level, 0);
	armvmm_timer_flush(&vcpu);
	KTAP_TRUE(!held);
}

static void test_reset(void)
{
	reset(true);
	run(1, 0, false);
	armvmm_timer_phys_write(&vcpu, TIMER_REG_CTL, 1);
	KTAP_TRUE(line[27] && line[30]);
	armvmm_timer_vcpu_reset(&vcpu);
	KTAP_TRUE(!line[27] && !line[30]);
	KTAP_EQ(hyp.cntv_ctl, 0);
	KTAP_EQ(armvmm_timer_phys_read(&vcpu, TIMER_REG_CTL), 0);
	armvmm_timer_phys_write(&vcpu, TIMER_REG_TVAL, 1000);
	armvmm_timer_phys_write(&vcpu, TIMER_REG_CTL, 1);
	armvmm_timer_vcpu_destroy(&vcpu);
	KTAP_EQ(PHYS.ns, STOPPED);
}

KTAP_MAIN(KTAP_CASE(test_offset), KTAP_CASE(test_round), KTAP_CASE(test_taken_back),
	  KTAP_CASE(test_client_sets), KTAP_CASE(test_suspended),
	  KTAP_CASE(test_counter_lost),
	  KTAP_CASE(test_late_hold), KTAP_CASE(test_lost_hold),
	  KTAP_CASE(test_in_hyp),
	  KTAP_CASE(test_other_lr), KTAP_CASE(test_masked), KTAP_CASE(test_sleep),
	  KTAP_CASE(test_early), KTAP_CASE(test_early_and_set), KTAP_CASE(test_early_and_called),
	  KTAP_CASE(test_far_deadline), KTAP_CASE(test_pending_once),
	  KTAP_CASE(test_physical), KTAP_CASE(test_before_first_run),
	  KTAP_CASE(test_enable_refused), KTAP_CASE(test_user_irqchip), KTAP_CASE(test_reset))

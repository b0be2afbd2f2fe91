// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/pmu/pmu.c driver/pmu/pmu_cp15.c driver/pmu/pmu_user.c
// cflags: -I. -Itests/unit/fake -Iinclude/uapi -fno-strict-aliasing -Idriver
//
// A vCPU's performance monitors above a perf that counts what the test says:
// which events are asked for, what counters read, when they overflow, what the
// guest and the client may do (DDI 0406C C12).
#include "fake/fake_kernel.h"

#include "arch/archregs.h"
#include "regs/cp15_table.h"
#include "core/kick.h"
#include "pmu/pmu.h"
#include "pmu/pmu_event.h"
#include "pmu/pmu_math.h"
#include "core/state.h"
#include "vgic/vgic.h"
#include "ktap.h"
#include "vcpu_fake.h"

#define NR	4		/* event counters of the host */

struct armvmm_pmu_host armvmm_pmu_host;
static struct task_struct threads[2];

/* --- perf --- */
struct perf_event {
	struct armvmm_pmu_counter *c;	/* NULL: is not there */
	u8 config;
	u64 period, count;
	bool dead, away;
	unsigned int begun;		/* the how manieth it was */
};

static struct perf_event events[PMU_NR];
static unsigned int begins, ends;
static bool refuse;

struct perf_event *armvmm_pmu_event_begin(struct armvmm_pmu_counter *c, u8 config, u64 period)
{
	unsigned int n = c - vcpu.pmu->counter;

	KTAP_TRUE(!events[n].c);
	begins++;
	if (refuse)
		return NULL;
	events[n] = (struct perf_event){ .c = c, .config = config, .period = period,
					 .begun = begins };
	return &events[n];
}

u64 armvmm_pmu_event_count(struct perf_event *event)
{
	KTAP_TRUE(event->c);
	return event->count;
}

u64 armvmm_pmu_event_end(struct perf_event *event)
{
	KTAP_TRUE(event->c);
	event->c = NULL;
	ends++;
	return event->count;
}

bool armvmm_pmu_event_alive(struct perf_event *event)
{
	return !event->dead;
}

bool armvmm_pmu_event_loaded(struct perf_event *event, u32 *select, u32 *type)
{
	if (event->away)
		return false;
	*select = 10 + (event - events);
	*type = PMU_TYPE_P | PMU_TYPE_U | event->config;
	return true;
}

/* --- the driver's other nouns --- */
static bool line;
static unsigned int injected, kicks;

int armvmm_vgic_inject(struct armvmm_vm *v, struct armvmm_vcpu *c, unsigned int intid, bool level,
		       const void *owner)
{
	KTAP_TRUE(owner == vcpu.pmu);
	KTAP_EQ(intid, 23);
	line = level;
	injected++;
	return 0;
}

int armvmm_vgic_set_owner(struct armvmm_vcpu *c, unsigned int intid, const void *owner)
{
	return intid == 1000 ? -EINVAL : 0;
}

void armvmm_vcpu_kick(struct armvmm_vcpu *c)
{
	kicks++;
}

static void reset(bool vgic)
{
	if (vcpu.pmu)
		armvmm_pmu_vcpu_destroy(&vcpu);
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&hyp, 0, sizeof(hyp));
	memset(&page, 0, sizeof(page));
	memset(events, 0, sizeof(events));
	vm.vgic.in_kernel = vgic;
	vm.vgic.initialized = true;
	vm.vcpus[0] = &vcpu;
	vm.online_vcpus = 1;
	vcpu.vm = &vm;
	vcpu.hyp = &hyp;
	vcpu.run = &page.run;
	hyp.regs.usr_regs.ARM_cpsr = CPSR_M_SVC;
	fake_current = &threads[0];
	begins = ends = injected = kicks = 0;
	refuse = line = false;
	armvmm_pmu_host = (struct armvmm_pmu_host){
		.present = true, .pmcr = 0x41000000 | NR << 11,
		.pmceid = { BIT(PMU_EVENT_SW_INCR) | BIT(PMU_EVENT_CYCLES), 0 },
	};
	KTAP_EQ(armvmm_pmu_vcpu_create(&vcpu), 0);
	vcpu.pmu->irq = 23;
	vcpu.pmu->created = true;
}

/* --- the guest's accesses --- */
static bool access(unsigned int crm, unsigned int op2, bool is_write, u32 *val)
{
	struct cp15_access a = { .crn = 9, .crm = crm, .op2 = op2, .is_write = is_write,
				 .val = *val };
	bool done = armvmm_pmu_access(&vcpu, &a) == CP15_DONE;

	if (done && !is_write)
		*val = a.val;
	return done;
}

static void put(unsigned int crm, unsigned int op2, u32 val)
{
	KTAP_TRUE(access(crm, op2, true, &val));
	/* Every access is an exit, and an entry follows. */
	armvmm_pmu_prepare(&vcpu);
}

static u32 get(unsigned int crm, unsigned int op2)
{
	u32 val = 0;

	KTAP_TRUE(access(crm, op2, false, &val));
	armvmm_pmu_prepare(&vcpu);
	return val;
}

#define set_pmcr(v)	put(12, 0, v)
#define enable(v)	put(12, 1, v)
#define disable(v)	put(12, 2, v)
#define flags()		get(12, 3)
#define clear(v)	put(12, 3, v)
#define cycles()	get(13, 0)
#define set_cycles(v)	put(13, 0, v)
#define set_inten(v)	put(14, 1, v)
#define CYCLE_BIT	(1u << PMU_CYCLE)

static void set_type(unsigned int n, u32 v)
{
	put(12, 5, n);
	put(13, 1, v);
}

static void set_count(unsigned int n, u32 v)
{
	put(12, 5, n);
	put(13, 2, v);
}

static u32 count(unsigned int n)
{
	put(12, 5, n);
	return get(13, 2);
}

static void test_math(void)
{
	KTAP_EQ(pmu_period(pmu_start(0, 0), 0, 0), 1ULL << 32);
	KTAP_EQ(pmu_period(pmu_start(~0u, 0), 0, 0), 1);
	KTAP_EQ(pmu_period(pmu_start(~0u, 0), 1, 0), 1ULL << 32);
	KTAP_EQ(pmu_period(pmu_start(~0u, 6), 0, 6), 64);
	KTAP_EQ(pmu_period(pmu_start(~0u, 6), 63, 6), 1);
	KTAP_EQ(pmu_value(pmu_start(5, 0), 10, 0), 15);
	KTAP_EQ(pmu_value(pmu_start(~0u, 0), 3, 0), 2);
	KTAP_EQ(pmu_value(pmu_start(5, 6), 127, 6), 6);
	KTAP_EQ(pmu_wraps(pmu_start(~0u, 0), 0, 0), 0);
	KTAP_EQ(pmu_wraps(pmu_start(~0u, 0), 1, 0), 1);
	KTAP_EQ(pmu_wraps(pmu_start(~0u, 0), 1 + (1ULL << 32), 0), 2);
	KTAP_EQ(pmu_wraps(pmu_start(~0u, 6), 63, 6), 0);
	KTAP_EQ(pmu_wraps(pmu_start(~0u, 6), 64, 6), 1);
}

/* An event exists while E and the counter's bit are set; the value outlives it. */
static void test_begin_end(void)
{
	struct perf_event *e = &events[PMU_CYCLE];

	reset(true);
	enable(CYCLE_BIT);
	KTAP_EQ(begins, 0);
	set_pmcr(PMCR_E);
	KTAP_EQ(begins, 1);
	KTAP_EQ(e->period, 1ULL << 32);
	e->count = 100;
	KTAP_EQ(cycles(), 100);
	KTAP_EQ(begins, 1);
	disable(CYCLE_BIT);
	KTAP_EQ(ends, 1);
	KTAP_EQ(cycles(), 100);
	enable(CYCLE_BIT);
	e->count = 11;
	KTAP_EQ(cycles(), 111);
	KTAP_EQ(e->period, (1ULL << 32) - 100);
	set_pmcr(0);
	KTAP_EQ(cycles(), 111);
	set_pmcr(PMCR_E | PMCR_C);
	KTAP_EQ(cycles(), 0);
	e->count = 3;
	set_cycles(1000);
	KTAP_EQ(cycles(), 1000);
	e->count = 4;
	KTAP_EQ(cycles(), 1004);
	set_pmcr(PMCR_E | PMCR_P);
	KTAP_EQ(cycles(), 1004);
	armvmm_pmu_vcpu_reset(&vcpu);
	KTAP_EQ(begins, ends);
	KTAP_EQ(cycles(), 0);
}

static void test_divider(void)
{
	reset(true);
	enable(CYCLE_BIT);
	set_pmcr(PMCR_E);
	events[PMU_CYCLE].count = 1000;
	set_pmcr(PMCR_E | PMCR_D);
	KTAP_EQ(cycles(), 1000);
	events[PMU_CYCLE].count = 640;
	KTAP_EQ(cycles(), 1010);
	KTAP_EQ(events[PMU_CYCLE].period, ((1ULL << 32) - 1000) << 6);
	set_pmcr(PMCR_E);
	events[PMU_CYCLE].count = 1;
	KTAP_EQ(cycles(), 1011);
}

/* The host's only cycle counter is used when no other counter is left, and then given back. */
static void test_cycle_config(void)
{
	reset(true);
	set_pmcr(PMCR_E);
	enable(CYCLE_BIT);
	KTAP_EQ(events[PMU_CYCLE].config, PMU_EVENT_CYCLES);
	for (unsigned int i = 0; i < NR; i++)
		set_type(i, 0x20 + i);
	enable((1u << (NR - 1)) - 1);
	KTAP_EQ(events[PMU_CYCLE].config, PMU_EVENT_CYCLES);
	events[PMU_CYCLE].count = 50;
	enable(1u << (NR - 1));
	KTAP_EQ(events[PMU_CYCLE].config, PMU_EVENT_CYCLE_COUNTER);
	KTAP_EQ(events[NR - 1].config, 0x20 + NR - 1);
	KTAP_EQ(cycles(), 50);
	disable(1);
	KTAP_EQ(events[PMU_CYCLE].config, PMU_EVENT_CYCLES);
	/* Software increments and undefined events need no counter. */
	set_type(0, PMU_EVENT_SW_INCR);
	enable(1);
	KTAP_TRUE(!events[0].c);
	set_type(0, PMU_EVENT_CYCLE_COUNTER);
	KTAP_TRUE(!events[0].c);
	KTAP_EQ(events[PMU_CYCLE].config, PMU_EVENT_CYCLES);
	/* A CPU without event 0x11 */
	reset(true);
	armvmm_pmu_host.pmceid[0] = 1;
	set_pmcr(PMCR_E);
	enable(CYCLE_BIT);
	KTAP_EQ(events[PMU_CYCLE].config, PMU_EVENT_CYCLE_COUNTER);
}

/* Each overflow is flagged once, whatever finds it first. */
static void test_overflow(void)
{
	struct perf_event *e = &events[PMU_CYCLE];

	reset(true);
	set_pmcr(PMCR_E);
	enable(CYCLE_BIT);
	set_cycles(~0u - 99);
	KTAP_EQ(e->period, 100);
	e->count = 99;
	cycles();
	KTAP_EQ(flags(), 0);
	e->count = 103;
	KTAP_EQ(armvmm_pmu_event_wrapped(e->c, 103), (1ULL << 32) - 3);
	KTAP_EQ(kicks, 1);
	KTAP_TRUE(test_bit(VCPU_REQ_IRQ_PENDING, &vcpu.requests));
	KTAP_EQ(flags(), CYCLE_BIT);
	KTAP_EQ(cycles(), 3);
	clear(CYCLE_BIT);
	KTAP_EQ(cycles(), 3);
	disable(CYCLE_BIT);
	KTAP_EQ(flags(), 0);

	/* Perf has not reported it yet: the value shows it. */
	enable(CYCLE_BIT);
	set_cycles(~0u);
	e->count = 2;
	KTAP_EQ(cycles(), 1);
	KTAP_EQ(flags(), CYCLE_BIT);
	clear(CYCLE_BIT);
	armvmm_pmu_event_wrapped(e->c, 2);
	KTAP_EQ(flags(), 0);
	/* An end that comes before the interrupt */
	set_cycles(~0u);
	e->count = 1;
	disable(CYCLE_BIT);
	KTAP_EQ(flags(), CYCLE_BIT);
	KTAP_EQ(cycles(), 0);
	/* A whole cycle of the counter later */
	clear(CYCLE_BIT);
	enable(CYCLE_BIT);
	armvmm_pmu_event_wrapped(e->c, 1ULL << 32);
	clear(CYCLE_BIT);
	KTAP_EQ(armvmm_pmu_event_wrapped(e->c, 2ULL << 32), 1ULL << 32);
	KTAP_EQ(flags(), CYCLE_BIT);
}

static void test_level(void)
{
	reset(true);
	put(14, 3, 2);
	KTAP_EQ(flags(), 2);
	set_inten(1);
	set_pmcr(PMCR_E);
	KTAP_TRUE(!injected);
	set_inten(2);
	KTAP_TRUE(line);
	set_pmcr(0);
	KTAP_TRUE(!line);
	set_pmcr(PMCR_E);
	KTAP_TRUE(line);
	clear(1);
	KTAP_TRUE(line);
	put(14, 2, 2);
	KTAP_TRUE(!line);
	set_inten(2);
	clear(2);
	KTAP_TRUE(!line);
	put(14, 3, ~0u);
	KTAP_EQ(flags(), armvmm_pmu_mask());
	KTAP_TRUE(line);
	armvmm_pmu_vcpu_reset(&vcpu);
	KTAP_TRUE(!line);
	KTAP_EQ(injected, 8);

	reset(false);
	page.run.s.regs.device_irq_level = KVM_ARM_DEV_EL1_PTIMER;
	KTAP_TRUE(!armvmm_pmu_update_run(&vcpu));
	put(14, 3, 1);
	set_inten(1);
	set_pmcr(PMCR_E);
	KTAP_TRUE(!injected);
	KTAP_TRUE(armvmm_pmu_update_run(&vcpu));
	KTAP_EQ(page.run.s.regs.device_irq_level, KVM_ARM_DEV_EL1_PTIMER | KVM_ARM_DEV_PMU);
	KTAP_TRUE(!armvmm_pmu_update_run(&vcpu));
	clear(1);
	KTAP_TRUE(armvmm_pmu_update_run(&vcpu));
	KTAP_EQ(page.run.s.regs.device_irq_level, KVM_ARM_DEV_EL1_PTIMER);
}

/* Filters of software increments, B4.1.126: P against NSK, U against NSU. */
static void test_increments(void)
{
	reset(true);
	set_pmcr(PMCR_E);
	enable(3);
	for (unsigned int i = 0; i < 16; i++) {
		bool pl1 = !!(i & 8) == !!(i & 2), pl0 = !!(i & 4) == !!(i & 1);

		set_type(0, i << 28);
		set_count(0, 0);
		put(12, 4, 1);
		KTAP_EQ(count(0), pl1);
		armvmm_pmu_increment(vcpu.pmu, 1, true);
		KTAP_EQ(count(0), pl1 + pl0);
	}
	set_type(0, 0);
	set_count(0, ~0u);
	set_count(1, 7);
	put(12, 4, ~0u);
	KTAP_EQ(count(0), 0);
	KTAP_EQ(count(1), 8);
	KTAP_EQ(flags(), 1);
	/* Disabled, of another event, or with E clear */
	disable(2);
	set_type(0, 0x20);
	put(12, 4, ~0u);
	KTAP_EQ(count(1), 8);
	enable(2);
	set_pmcr(0);
	put(12, 4, ~0u);
	KTAP_EQ(count(0), 0);
	KTAP_EQ(count(1), 8);
	set_pmcr(PMCR_P);
	KTAP_EQ(count(1), 0);
}

/* A counter that perf refuses stands still until the registers change; one that died comes back. */
static void test_refused(void)
{
	reset(true);
	refuse = true;
	set_pmcr(PMCR_E);
	enable(CYCLE_BIT);
	KTAP_EQ(begins, 1);
	cycles();
	cycles();
	KTAP_EQ(begins, 1);
	refuse = false;
	enable(CYCLE_BIT);
	KTAP_EQ(begins, 2);
	events[PMU_CYCLE].count = 9;
	events[PMU_CYCLE].dead = true;
	enable(CYCLE_BIT);
	KTAP_EQ(begins, 3);
	KTAP_EQ(cycles(), 9);
}

static void test_thread(void)
{
	reset(true);
	set_pmcr(PMCR_E);
	enable(CYCLE_BIT | 1);
	set_type(0, 0x20);
	events[0].count = 5;
	events[PMU_CYCLE].count = 6;
	begins = ends = 0;
	armvmm_pmu_prepare(&vcpu);
	KTAP_EQ(begins + ends, 0);
	fake_current = &threads[1];
	armvmm_pmu_prepare(&vcpu);
	KTAP_EQ(begins, 2);
	KTAP_EQ(ends, 2);
	KTAP_EQ(cycles(), 6);
	KTAP_EQ(count(0), 5);
}

/* What HYP mode gets: the guest's filter for events that are on this CPU. */
static void test_load(void)
{
	reset(true);
	armvmm_pmu_load(&vcpu);
	KTAP_TRUE(!hyp.rare.pmu);
	set_pmcr(PMCR_E);
	enable(CYCLE_BIT | 3);
	set_type(0, PMU_TYPE_U | 0x20);
	set_type(1, PMU_TYPE_P | PMU_TYPE_NSK | 0x21);
	set_type(PMU_CYCLE, PMU_TYPE_P);
	events[1].away = true;
	armvmm_pmu_load(&vcpu);
	KTAP_EQ(hyp.pmu.nr, 2);
	KTAP_TRUE(hyp.rare.pmu);
	KTAP_EQ(hyp.pmu.counter[0].select, 10);
	KTAP_EQ(hyp.pmu.counter[0].guest_type, PMU_TYPE_U | 0x20);
	KTAP_EQ(hyp.pmu.counter[0].host_type, PMU_TYPE_P | PMU_TYPE_U | 0x20);
	KTAP_EQ(hyp.pmu.counter[1].guest_type, PMU_TYPE_P | PMU_EVENT_CYCLES);
	events[1].away = false;
	armvmm_pmu_load(&vcpu);
	KTAP_EQ(hyp.pmu.nr, 3);
	KTAP_EQ(hyp.pmu.counter[1].guest_type, PMU_TYPE_P | PMU_TYPE_NSK | 0x21);
	set_pmcr(0);
	armvmm_pmu_load(&vcpu);
	KTAP_TRUE(!hyp.rare.pmu && !hyp.pmu.nr);
	put(14, 0, 3);
	armvmm_pmu_load(&vcpu);
	KTAP_TRUE(hyp.rare.pmu);
	KTAP_EQ(hyp.pmu.userenr, 1);
}

static bool may(unsigned int crm, unsigned int op2, bool is_write)
{
	u32 val = 0;

	return access(crm, op2, is_write, &val);
}

static void test_rights(void)
{
	static const u8 regs[][3] = { { 12, 0 }, { 12, 1 }, { 12, 2 }, { 12, 3 }, { 12, 5 },
				      { 13, 0 }, { 13, 1 }, { 13, 2 }, { 14, 3 } };

	reset(true);
	/* PMSWINC is write-only, PMCEID0 and 1 are read-only. */
	KTAP_TRUE(!may(12, 4, false) && may(12, 4, true));
	KTAP_TRUE(may(12, 6, false) && !may(12, 6, true));
	KTAP_TRUE(may(12, 7, false) && !may(12, 7, true));
	hyp.regs.usr_regs.ARM_cpsr = CPSR_M_USR;
	for (unsigned int en = 0; en < 2; en++) {
		vcpu.pmu->userenr = en;
		for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++) {
			KTAP_EQ(may(regs[i][0], regs[i][1], false), en);
			KTAP_EQ(may(regs[i][0], regs[i][1], true), en);
		}
		KTAP_TRUE(may(14, 0, false) && !may(14, 0, true));
		KTAP_TRUE(!may(14, 1, false) && !may(14, 1, true) && !may(14, 2, false));
	}
	hyp.regs.usr_regs.ARM_cpsr = CPSR_M_SYS;
	vcpu.pmu->userenr = 0;
	KTAP_TRUE(may(14, 1, true) && may(13, 0, true));
}

static void test_absent(void)
{
	struct armvmm_pmu *pmu;

	reset(true);
	pmu = vcpu.pmu;
	vcpu.pmu = NULL;
	for (unsigned int crm = 12; crm < 15; crm++)
		for (unsigned int op2 = 0; op2 < 8; op2++) {
			u32 val = 0xffffffff;

			KTAP_TRUE(access(crm, op2, true, &val));
			KTAP_TRUE(access(crm, op2, false, &val));
			KTAP_EQ(val, 0);
		}
	KTAP_EQ(armvmm_pmu_count(&vcpu), 0);
	KTAP_TRUE(!armvmm_pmu_is_reg(&vcpu, ARM_CP15_REG32(0, 9, 12, 0)));
	armvmm_pmu_host.present = false;
	KTAP_EQ(armvmm_pmu_vcpu_create(&vcpu), -EINVAL);
	KTAP_TRUE(!vcpu.pmu);
	vcpu.pmu = pmu;
}

static int one_reg(u64 id, u32 *val, bool set)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)val };

	if (!armvmm_pmu_is_reg(&vcpu, id))
		return -ENOENT;
	return set ? armvmm_pmu_set_reg(&vcpu, &reg) : armvmm_pmu_get_reg(&vcpu, &reg);
}

/* All registers from a PMU that counts into a new one, in the order of the list. */
static void test_one_reg(void)
{
	static u32 saved[64];
	u64 ids[64], *end = ids;
	unsigned int i, n;
	u32 val;

	reset(true);
	n = armvmm_pmu_count(&vcpu);
	KTAP_EQ(n, 10 + 2 * NR);
	KTAP_EQ(armvmm_pmu_list(&vcpu, &end), 0);
	KTAP_EQ(end - ids, n);
	set_type(1, PMU_TYPE_U | 0x20);
	set_count(1, 77);
	set_pmcr(PMCR_E | PMCR_D);
	set_inten(2);
	put(14, 0, 1);
	enable(CYCLE_BIT | 2);
	set_cycles(~0u);
	events[PMU_CYCLE].count = 64 * 5;
	events[1].count = 3;
	for (i = 0; i < n; i++)
		KTAP_EQ(one_reg(ids[i], &saved[i], false), 0);
	reset(true);
	for (i = 0; i < n; i++)
		KTAP_EQ(one_reg(ids[i], &saved[i], true), 0);
	KTAP_EQ(begins, 0);
	armvmm_pmu_prepare(&vcpu);
	KTAP_EQ(begins, 2);
	KTAP_EQ(cycles(), 4);
	KTAP_EQ(flags(), CYCLE_BIT);
	KTAP_EQ(count(1), 80);
	KTAP_EQ(get(13, 1), PMU_TYPE_U | 0x20);
	KTAP_EQ(get(12, 0), armvmm_pmu_host.pmcr | PMCR_E | PMCR_D);
	KTAP_EQ(get(14, 0), 1);
	KTAP_EQ(get(14, 1), 2);
	KTAP_EQ(get(12, 1), CYCLE_BIT | 2);

	val = armvmm_pmu_host.pmcr ^ 1u << 11;
	KTAP_EQ(one_reg(ARM_CP15_REG32(0, 9, 12, 0), &val, true), -EINVAL);
	val = armvmm_pmu_host.pmceid[0] ^ 4;
	KTAP_EQ(one_reg(ARM_CP15_REG32(0, 9, 12, 6), &val, true), -EINVAL);
	KTAP_EQ(one_reg(ARM_CP15_REG32(0, 9, 13, 0), NULL, true), -EFAULT);
	KTAP_EQ(one_reg(ARM_CP15_REG32(0, 9, 13, 1), &val, false), -ENOENT);
	KTAP_EQ(one_reg(KVM_REG_ARM_PMEVCNTR(NR), &val, false), -ENOENT);
}

static int attr(unsigned int cmd, u64 which, int *val)
{
	struct kvm_device_attr a = { .attr = which, .addr = (uintptr_t)val };

	return cmd == 0 ? armvmm_pmu_set_attr(&vcpu, &a) : cmd == 1 ?
		armvmm_pmu_get_attr(&vcpu, &a) : armvmm_pmu_has_attr(&vcpu, &a);
}

static void test_attributes(void)
{
	static int irq;

	reset(true);
	vcpu.pmu->irq = 0;
	vcpu.pmu->created = false;
	KTAP_EQ(armvmm_pmu_enable(&vcpu), -EINVAL);
	KTAP_EQ(attr(1, KVM_ARM_VCPU_PMU_V3_IRQ, &irq), -ENXIO);
	KTAP_EQ(attr(0, KVM_ARM_VCPU_PMU_V3_INIT, NULL), -ENXIO);
	KTAP_EQ(attr(0, KVM_ARM_VCPU_PMU_V3_IRQ, NULL), -EFAULT);
	for (irq = -2; irq < 16; irq++)
		KTAP_EQ(attr(0, KVM_ARM_VCPU_PMU_V3_IRQ, &irq), -EINVAL);
	irq = 1024;
	KTAP_EQ(attr(0, KVM_ARM_VCPU_PMU_V3_IRQ, &irq), -EINVAL);
	irq = 1000;
	KTAP_EQ(attr(0, KVM_ARM_VCPU_PMU_V3_IRQ, &irq), 0);
	KTAP_EQ(attr(0, KVM_ARM_VCPU_PMU_V3_INIT, NULL), -EINVAL);
	vcpu.pmu->irq = 23;
	vm.vgic.initialized = false;
	KTAP_EQ(attr(0, KVM_ARM_VCPU_PMU_V3_INIT, NULL), -ENODEV);
	vm.vgic.initialized = true;
	irq = 23;
	KTAP_EQ(attr(0, KVM_ARM_VCPU_PMU_V3_IRQ, &irq), -EBUSY);
	KTAP_EQ(attr(0, 9, &irq), -ENXIO);
	KTAP_EQ(attr(0, KVM_ARM_VCPU_PMU_V3_INIT, NULL), 0);
	KTAP_EQ(attr(0, KVM_ARM_VCPU_PMU_V3_INIT, NULL), -EBUSY);
	KTAP_EQ(attr(2, KVM_ARM_VCPU_PMU_V3_INIT, NULL), 0);
	KTAP_EQ(attr(2, 9, NULL), -ENXIO);
	KTAP_EQ(armvmm_pmu_enable(&vcpu), 0);

	reset(false);
	KTAP_EQ(armvmm_pmu_enable(&vcpu), -EINVAL);
	vcpu.pmu->irq = 0;
	KTAP_EQ(armvmm_pmu_enable(&vcpu), 0);
	vcpu.pmu->created = false;
	KTAP_EQ(attr(0, KVM_ARM_VCPU_PMU_V3_IRQ, &irq), -EINVAL);
	KTAP_EQ(attr(0, KVM_ARM_VCPU_PMU_V3_INIT, NULL), 0);
}

KTAP_MAIN(KTAP_CASE(test_math), KTAP_CASE(test_begin_end), KTAP_CASE(test_divider),
	  KTAP_CASE(test_cycle_config), KTAP_CASE(test_overflow), KTAP_CASE(test_level),
	  KTAP_CASE(test_increments), KTAP_CASE(test_refused), KTAP_CASE(test_thread),
	  KTAP_CASE(test_load), KTAP_CASE(test_rights), KTAP_CASE(test_absent),
	  KTAP_CASE(test_one_reg), KTAP_CASE(test_attributes))

// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/vgic/irq.c driver/vgic/inject.c driver/vgic/lr.c driver/vgic/dist.c
// sources: driver/vgic/sgi.c driver/vgic/dist_state.c driver/vgic/cpuif.c driver/vgic/init.c driver/vgic/ap.c
// sources: driver/hyp/dist.c
// cflags: -include tests/unit/hyp_fake.h -Itests/unit/fake -Iinclude/uapi -I. -Idriver -DFAKE_HYP
/*
 * The vGIC against a plain model of a GICv2 without lists, list registers, or vCPUs that are on
 * another CPU. Guests, devices and CPUs act at random; the model must allow what a guest
 * acknowledges and reads. Every other guest's accesses to the distributor go to HYP mode first,
 * which leaves some to the host: what the guest sees is the same.
 */
#include "ktap.h"
#include "vgic_fake.h"

#define NR_IRQS		64

/* One interrupt, as in IHI 0048B chapter 3. */
struct model_irq {
	bool line, latch, active, enabled, edge, group1;
	u8 prio, targets, source, active_source;
	int active_cpu;		/* who acknowledged it; -1: GICD_ISACTIVER did */
	bool stale;		/* withdrawn while a CPU may be about to take it */
};

static struct model_irq shared[NR_IRQS], private[ARMVMM_MAX_VCPUS][GIC_NR_PRIVATE];
static bool model_on;
static unsigned int nr_cpus;
static u64 rng;

static unsigned int rnd(unsigned int n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (rng >> 11) % n;
}

bool (fake_contended)(void)
{
	return !rnd(4);
}

static struct model_irq *model(unsigned int cpu, unsigned int intid)
{
	return intid < GIC_NR_PRIVATE ? &private[cpu][intid] : &shared[intid];
}

static bool model_pending(const struct model_irq *m, unsigned int intid)
{
	if (intid < GIC_NR_SGIS)
		return m->source;
	return m->latch || (!m->edge && m->line);
}

static unsigned int model_target(const struct model_irq *m, unsigned int cpu, unsigned int intid)
{
	if (intid < GIC_NR_PRIVATE)
		return cpu;
	return m->targets ? __builtin_ctz(m->targets) : 0;
}

static bool model_deliverable(unsigned int cpu, unsigned int intid)
{
	const struct model_irq *m = model(cpu, intid);

	return model_on && m->enabled && !m->active && model_pending(m, intid) &&
	       model_target(m, cpu, intid) == cpu;
}

static u32 model_best(unsigned int cpu)
{
	u32 best = VGIC_PRIORITY_IDLE;
	unsigned int i;

	for (i = 0; i < NR_IRQS; i++)
		if (model_deliverable(cpu, i) && model(cpu, i)->prio < best)
			best = model(cpu, i)->prio;
	return best;
}

/* Active interrupts on @cpu's list; @manual: only those that GICD_ISACTIVER made so. */
static unsigned int model_nr_active(unsigned int cpu, bool manual)
{
	unsigned int i, n = 0;

	for (i = 0; i < NR_IRQS; i++)
		n += model(cpu, i)->active && (!manual || model(cpu, i)->active_cpu < 0) &&
		     fake_irq(fake_vm->vcpus[cpu], i)->vcpu == fake_vm->vcpus[cpu];
	return n;
}

/*
 * May @cpu get one more active interrupt? A guest that nests them and ends them in order may have
 * any number. Those that were made active by hand never end, and hold registers, of which there
 * must be enough.
 */
static bool model_room(unsigned int cpu, bool manual)
{
	unsigned int nr_lr = armvmm_vgic_host.nr_lr, n = model_nr_active(cpu, false);

	if (nr_lr > 1 && !manual && !model_nr_active(cpu, true))
		return true;
	return n + 1 < nr_lr || (nr_lr == 1 && !manual && !n);
}

static bool on_a_stack(unsigned int cpu, unsigned int intid)
{
	unsigned int c, l;

	for (c = 0; c < nr_cpus; c++)
		for (l = 0; l < 32; l++)
			if ((fake_cpus[c].apr | fake_vm->vcpus[c]->hyp->vgic.apr) & (1u << l) &&
			    (fake_cpus[c].acked[l] & 0x3ff) == intid &&
			    (intid >= GIC_NR_PRIVATE || c == cpu))
				return true;
	return false;
}

static void leave(unsigned int cpu)
{
	unsigned int i;

	fake_exit(fake_vm->vcpus[cpu]);
	for (i = 0; i < GIC_NR_PRIVATE; i++)
		private[cpu][i].stale = false;
}

/* --- acts --- */

static void act_inject(void)
{
	unsigned int cpu = rnd(nr_cpus), intid = 16 + rnd(NR_IRQS - 16);
	struct model_irq *m = model(cpu, intid);
	bool level = rnd(2);

	fake_in_irq = rnd(2);
	KTAP_EQ(armvmm_vgic_inject(fake_vm, fake_vm->vcpus[cpu], intid, level, NULL), 0);
	fake_in_irq = false;
	/* A level that falls may still be taken if it is in a list register. */
	if (!m->edge && m->line && !level)
		m->stale = true;
	m->line = level;
	if (m->edge && level)
		m->latch = true;
}

static void act_sgir(unsigned int cpu)
{
	unsigned int filter = rnd(3), list = rnd(256), intid = rnd(4), c;

	fake_write32(fake_vm->vcpus[cpu], GICD_SGIR, filter << 24 | list << 16 | intid);
	if (filter == 1)
		list = ~(1u << cpu);
	else if (filter == 2)
		list = 1u << cpu;
	for (c = 0; c < nr_cpus; c++)
		if (list & (1u << c))
			private[c][intid].source |= 1u << cpu;
}

static u32 model_bits(unsigned int cpu, u32 reg, unsigned int first)
{
	unsigned int i;
	u32 val = 0;

	for (i = 0; i < 32; i++) {
		const struct model_irq *m = model(cpu, first + i);
		bool bit = reg == GICD_ISENABLER ? m->enabled :
			   reg == GICD_ISPENDR ? model_pending(m, first + i) :
			   reg == GICD_ISACTIVER ? m->active : m->group1;

		val |= (u32)bit << i;
	}
	return val;
}

static void act_read(unsigned int cpu)
{
	static const u32 regs[] = { GICD_ISENABLER, GICD_ISPENDR, GICD_ISACTIVER, GICD_IGROUPR };
	struct armvmm_vcpu *v = fake_vm->vcpus[cpu];
	u32 reg = regs[rnd(4)], first = rnd(2) * 32;
	unsigned int i = rnd(NR_IRQS);

	KTAP_EQ(fake_read32(v, reg + first / 8), model_bits(cpu, reg, first));
	KTAP_EQ(fake_mmio_read(v, GICD_IPRIORITYR + i, 1), model(cpu, i)->prio);
	if (i < GIC_NR_SGIS)
		KTAP_EQ(fake_mmio_read(v, GICD_SPENDSGIR + i, 1), private[cpu][i].source);
	if (i >= GIC_NR_PRIVATE)
		KTAP_EQ(fake_mmio_read(v, GICD_ITARGETSR + i, 1), shared[i].targets);
}

static void act_write_bit(unsigned int cpu)
{
	struct armvmm_vcpu *v = fake_vm->vcpus[cpu];
	unsigned int intid = rnd(NR_IRQS);
	struct model_irq *m = model(cpu, intid);
	u32 at = intid / 32 * 4, bit = 1u << intid % 32;

	switch (rnd(8)) {
	case 0:
	case 1:
		fake_write32(v, GICD_ISENABLER + at, bit);
		m->enabled = true;
		break;
	case 2:
		fake_write32(v, GICD_ICENABLER + at, bit);
		m->enabled = false;
		break;
	case 3:
		fake_write32(v, GICD_ISPENDR + at, bit);
		if (intid >= GIC_NR_SGIS)
			m->latch = true;
		break;
	case 4:
		fake_write32(v, GICD_ICPENDR + at, bit);
		if (intid >= GIC_NR_SGIS)
			m->latch = false;
		break;
	case 5:
		/* Not if a guest would end it, or if the registers could not hold it. */
		if (on_a_stack(cpu, intid) || !model_room(model_target(m, cpu, intid), true))
			break;
		if (!m->active && fake_irq(v, intid)->vcpu &&
		    !model_room(fake_irq(v, intid)->vcpu->index, true))
			break;
		fake_write32(v, GICD_ISACTIVER + at, bit);
		if (!m->active) {
			m->active_cpu = -1;
			m->active_source = cpu;
		}
		m->active = true;
		break;
	case 6:
		fake_write32(v, GICD_ICACTIVER + at, bit);
		m->active = false;
		break;
	case 7:
		m->group1 = !m->group1;
		fake_write32(v, GICD_IGROUPR + at, model_bits(cpu, GICD_IGROUPR, intid & 32));
		break;
	}
}

static void act_write_byte(unsigned int cpu)
{
	struct armvmm_vcpu *v = fake_vm->vcpus[cpu];
	unsigned int intid = rnd(NR_IRQS), val = rnd(256);
	struct model_irq *m = model(cpu, intid);

	switch (rnd(4)) {
	case 0:
		val %= 0xf8;	/* the lowest priority would be masked for good */
		fake_mmio_write(v, GICD_IPRIORITYR + intid, 1, val);
		m->prio = val & 0xf8;
		break;
	case 1:
		fake_mmio_write(v, GICD_ITARGETSR + intid, 1, val);
		if (intid >= GIC_NR_PRIVATE)
			m->targets = val & ((1u << nr_cpus) - 1);
		break;
	case 2:
		intid %= 4;
		m = model(cpu, intid);
		val &= (1u << nr_cpus) - 1;
		if (rnd(2)) {
			fake_mmio_write(v, GICD_SPENDSGIR + intid, 1, val);
			m->source |= val;
		} else {
			fake_mmio_write(v, GICD_CPENDSGIR + intid, 1, val);
			m->source &= ~val;
		}
		break;
	case 3:
		if (intid < GIC_NR_PRIVATE)
			break;
		m->edge = !m->edge;
		val = fake_read32(v, GICD_ICFGR + intid / 16 * 4);
		fake_write32(v, GICD_ICFGR + intid / 16 * 4, val ^ 2u << (intid % 16 * 2));
		break;
	}
}

static void act_mmio(void)
{
	unsigned int cpu = rnd(nr_cpus);

	if (!fake_hyp || !rnd(8))
		leave(cpu);
	else if (!fake_cpus[cpu].in_guest)
		fake_enter(fake_vm->vcpus[cpu]);
	switch (rnd(12)) {
	case 0 ... 2:
		act_sgir(cpu);
		break;
	case 3 ... 6:
		act_write_bit(cpu);
		break;
	case 7 ... 8:
		act_write_byte(cpu);
		break;
	case 9:
		if (model_on && rnd(4))
			break;
		model_on = !model_on;
		fake_write32(fake_vm->vcpus[cpu], GICD_CTLR, model_on);
		break;
	default:
		act_read(cpu);
	}
}

static void guest_ack(unsigned int cpu)
{
	u32 running = fake_running(&fake_cpus[cpu]), best = model_best(cpu), iar;
	struct model_irq *m;
	unsigned int intid;

	if (!model_room(cpu, false))
		return;
	iar = fake_ack(fake_vm->vcpus[cpu]);
	if (iar == FAKE_SPURIOUS) {
		KTAP_TRUE(best >= running);
		return;
	}
	intid = iar & 0x3ff;
	m = model(cpu, intid);
	KTAP_TRUE(!m->active);
	KTAP_TRUE(m->stale || (model_deliverable(cpu, intid) && m->prio == best));
	if (intid < GIC_NR_SGIS) {
		KTAP_TRUE(m->source & (1u << (iar >> 10)));
		m->source &= ~(1u << (iar >> 10));
		m->active_source = iar >> 10;
	}
	m->latch = false;
	m->active = true;
	m->active_cpu = cpu;
}

static void guest_eoi(unsigned int cpu)
{
	u32 iar = fake_active_iar(&fake_cpus[cpu]);
	struct model_irq *m;
	bool found, expected;

	if (iar == FAKE_SPURIOUS)
		return;
	m = model(cpu, iar & 0x3ff);
	expected = m->active && m->active_cpu == (int)cpu &&
		   ((iar & 0x3ff) >= GIC_NR_SGIS || m->active_source == iar >> 10);
	found = fake_eoi(fake_vm->vcpus[cpu], iar);
	KTAP_EQ(found, expected);
	if (expected)
		m->active = false;
}

static void act_guest(unsigned int cpu)
{
	struct fake_cpu *c = &fake_cpus[cpu];

	if (!c->in_guest) {
		fake_enter(fake_vm->vcpus[cpu]);
		/* Immediate maintenance would be an exit without progress, again and again. */
		KTAP_TRUE(!fake_maintenance(c));
	}
	if (rnd(2))
		guest_ack(cpu);
	else
		guest_eoi(cpu);
	if (fake_maintenance(c) || !rnd(4))
		leave(cpu);
}

/* --- what must be true after every act --- */

static void dump(void)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < nr_cpus; cpu++) {
		const struct fake_cpu *c = &fake_cpus[cpu];

		printf("# vCPU %u: in guest %d, HCR %x, running %x, best pending %x; registers", cpu,
		       c->in_guest, c->hcr, fake_running(c), model_best(cpu));
		for (i = 0; c->in_guest && i < c->used; i++)
			printf(" %08x", c->lr[i]);
		printf("\n");
		for (i = 0; i < NR_IRQS; i++) {
			const struct model_irq *m = model(cpu, i);
			const struct armvmm_vgic_irq *irq = fake_irq(fake_vm->vcpus[cpu], i);

			if (irq->vcpu != fake_vm->vcpus[cpu])
				continue;
			printf("#   %u: priority %x, enabled %d, edge %d, active %d/%d, line %d/%d, latch %d/%d, source %x/%x, in_lr %d\n",
			       i, m->prio, m->enabled, m->edge, m->active, irq->active, m->line,
			       irq->line_level, m->latch, irq->pending_latch, m->source,
			       irq->source, irq->in_lr);
		}
	}
}

static void check(void)
{
	u64 seen_spis = 0;
	unsigned int cpu, n, i;

	for (i = GIC_NR_PRIVATE; i < NR_IRQS; i++) {
		/* A stale interrupt can only be taken by a vCPU that still runs with it. */
		if (shared[i].stale && !fake_irq(fake_vm->vcpus[0], i)->in_lr)
			shared[i].stale = false;
	}
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		struct armvmm_vcpu *v = fake_vm->vcpus[cpu];
		struct fake_cpu *c = &fake_cpus[cpu];
		u32 best, seen_private = 0;
		int hw;

		for (i = 0; i < NR_IRQS; i++)
			KTAP_EQ(*vgic_enable_word(&v->hyp->dist, i) >> i % 32 & 1,
				fake_irq(v, i)->enabled);

		if (c->in_guest && c->kicked)
			leave(cpu);
		best = model_best(cpu);
		if (!c->in_guest) {
			u32 running = v->hyp->vgic.apr ? __ffs(v->hyp->vgic.apr) << 3 :
							 VGIC_PRIORITY_IDLE;

			/* A WFI neither hangs nor spins. */
			KTAP_EQ(armvmm_vgic_pending(v), best < running);
			for (i = 0; i < NR_IRQS; i++)
				KTAP_TRUE(fake_irq(v, i)->vcpu != v || !fake_irq(v, i)->in_lr ||
					  v->vgic.parked);
			continue;
		}
		/* A guest that nobody makes exit gets all that can be delivered. */
		hw = fake_highest(c);
		if (best < fake_running(c) && !fake_maintenance(c) &&
		    !(armvmm_vgic_host.nr_lr == 1 && model_nr_active(cpu, false)))
			KTAP_TRUE(hw >= 0 && fake_lr_priority(c->lr[hw]) <= best);
		for (n = 0; n < c->used; n++) {
			u32 id = c->lr[n] & GICH_LR_VIRTUALID;

			KTAP_TRUE(id < NR_IRQS);
			if (id < GIC_NR_PRIVATE) {
				KTAP_TRUE(!(seen_private & (1u << id)));
				seen_private |= 1u << id;
			} else {
				KTAP_TRUE(!(seen_spis & (1ULL << id)));
				seen_spis |= 1ULL << id;
			}
		}
	}
}

/* All lines fall; every guest takes and ends what is left. Nothing may remain. */
static void drain(void)
{
	unsigned int cpu, i, n;

	for (cpu = 0; cpu < nr_cpus; cpu++)
		leave(cpu);
	for (i = 0; i < NR_IRQS; i++) {
		for (cpu = 0; cpu < nr_cpus; cpu++) {
			struct armvmm_vcpu *v = fake_vm->vcpus[cpu];

			fake_write32(v, GICD_ICACTIVER + i / 32 * 4, 1u << i % 32);
			fake_write32(v, GICD_ISENABLER + i / 32 * 4, 1u << i % 32);
			if (i >= GIC_NR_SGIS)
				armvmm_vgic_inject(fake_vm, v, i, false, NULL);
			model(cpu, i)->active = model(cpu, i)->line = model(cpu, i)->stale = false;
			model(cpu, i)->enabled = true;
		}
	}
	model_on = true;
	fake_write32(fake_vm->vcpus[0], GICD_CTLR, 1);
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		fake_vm->vcpus[cpu]->hyp->vgic.apr = 0;
		for (n = 0; n < 2000 && model_best(cpu) != VGIC_PRIORITY_IDLE; n++) {
			if (!fake_cpus[cpu].in_guest)
				fake_enter(fake_vm->vcpus[cpu]);
			guest_ack(cpu);
			guest_eoi(cpu);
			if (fake_maintenance(&fake_cpus[cpu]))
				leave(cpu);
		}
		leave(cpu);
		KTAP_EQ(model_best(cpu), VGIC_PRIORITY_IDLE);
		KTAP_TRUE(!armvmm_vgic_pending(fake_vm->vcpus[cpu]));
		fake_enter(fake_vm->vcpus[cpu]);
		KTAP_EQ(fake_cpus[cpu].used, 0);
		leave(cpu);
		KTAP_TRUE(vgic_ap_is_empty(fake_vm->vcpus[cpu]->vgic.ap));
	}
}

static void run_seed(u64 seed, unsigned int cpus, unsigned int nr_lr, unsigned int steps)
{
	fake_hyp = false;
	unsigned int step, i, cpu;
	struct armvmm_vm *vm;

	rng = seed * 0x9e3779b97f4a7c15ULL | 1;
	nr_cpus = cpus;
	model_on = false;
	memset(shared, 0, sizeof(shared));
	memset(private, 0, sizeof(private));
	vm = fake_create(cpus, NR_IRQS, nr_lr);
	for (cpu = 0; cpu < cpus; cpu++)
		for (i = 0; i < GIC_NR_SGIS; i++)
			private[cpu][i].enabled = private[cpu][i].edge = true;
	/* Every other guest has set up its interrupts: they nest deeply. */
	for (i = 0; i < NR_IRQS && (seed & 1); i++) {
		for (cpu = 0; cpu < cpus; cpu++) {
			model(cpu, i)->prio = i < GIC_NR_PRIVATE || !cpu ? rnd(0xf8) & 0xf8 :
									    model(0, i)->prio;
			fake_mmio_write(vm->vcpus[cpu], GICD_IPRIORITYR + i, 1,
					model(cpu, i)->prio);
			fake_write32(vm->vcpus[cpu], GICD_ISENABLER + i / 32 * 4, 1u << i % 32);
			model(cpu, i)->enabled = true;
		}
	}
	fake_hyp = seed / 2 % 2;
	for (step = 0; step < steps && !ktap_failed; step++) {
		switch (rnd(4)) {
		case 0:
			act_inject();
			break;
		case 1:
			act_mmio();
			break;
		default:
			act_guest(rnd(nr_cpus));
		}
		check();
	}
	fake_hyp = false;
	if (ktap_failed)
		dump();
	else
		drain();
	if (ktap_failed)
		printf("# seed %llu, %u vCPUs, %u list registers, step %u\n",
		       (unsigned long long)seed, cpus, nr_lr, step);
	fake_destroy(vm);
}

static void test_random(void)
{
	static const u8 shapes[][2] = {
		{ 1, 4 }, { 2, 4 }, { 4, 4 }, { 3, 1 }, { 1, 1 }, { 4, 2 }, { 8, 16 }, { 2, 3 },
	};
	unsigned int i, seed;

	for (i = 0; i < ARRAY_SIZE(shapes); i++)
		for (seed = 1; seed <= 24 && !ktap_failed; seed++)
			run_seed(seed, shapes[i][0], shapes[i][1], 3000);
	KTAP_TRUE(fake_answered > 30000);
	printf("# %lu accesses were answered in HYP mode\n", fake_answered);
}

KTAP_MAIN(KTAP_CASE(test_random))

/* SPDX-License-Identifier: GPL-2.0-only */
/* What guests and devices do at random, and the model with them. After gic_model.h. */
#ifndef TESTS_UNIT_VGIC_GUEST_ACTS_H
#define TESTS_UNIT_VGIC_GUEST_ACTS_H

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

/*
 * What HYP mode answers, and the host does where HYP mode may not or cannot: how often each did, by
 * the first register of its kind.
 */
static const struct access_kind {
	u16 first, end;
	bool write;
} access_kinds[] = {
	{ GICD_CTLR, GICD_CTLR + 12, false }, { GICD_IGROUPR, GICD_ISENABLER, false },
	{ GICD_ISENABLER, GICD_ISPENDR, false }, { GICD_ISPENDR, GICD_ISACTIVER, false },
	{ GICD_ISACTIVER, GICD_IPRIORITYR, false }, { GICD_IPRIORITYR, GICD_ITARGETSR, false },
	{ GICD_ITARGETSR, GICD_ICFGR, false }, { GICD_ICFGR, GICD_ICFGR + 0x100, false },
	{ GICD_ISENABLER, GICD_ICENABLER, true }, { GICD_ICENABLER, GICD_ISPENDR, true },
	{ GICD_ISPENDR, GICD_ICPENDR, true }, { GICD_ICPENDR, GICD_ISACTIVER, true },
	{ GICD_ISACTIVER, GICD_IPRIORITYR, true },
	{ GICD_IPRIORITYR, GICD_ITARGETSR, true }, { GICD_ITARGETSR, GICD_ICFGR, true },
	{ GICD_SGIR, GICD_SGIR + 4, true },
};

static struct {
	unsigned long by_host, by_hyp;
} access_counts[ARRAY_SIZE(access_kinds)];

static void access_count(u32 offset, bool write, bool by_hyp)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(access_kinds); i++) {
		const struct access_kind *k = &access_kinds[i];

		if (write != k->write || offset < k->first || offset >= k->end)
			continue;
		access_counts[i].by_hyp += by_hyp;
		access_counts[i].by_host += !by_hyp;
	}
}

static void guest_write(unsigned int cpu, u32 offset, unsigned int len, u32 val)
{
	unsigned long before = fake_answered;

	fake_mmio_write(fake_vm->vcpus[cpu], offset, len, val);
	model_write(cpu, offset, len, val, MODEL_GUEST);
	access_count(offset, true, fake_answered != before);
}

static void guest_read(unsigned int cpu, u32 offset, unsigned int len)
{
	unsigned long before = fake_answered;
	u32 val = fake_mmio_read(fake_vm->vcpus[cpu], offset, len);

	if (val != model_read(cpu, offset, len))
		KTAP_FAIL("vCPU %u reads %x at %x, by %s: %x in the model", cpu, val, offset,
			  fake_answered != before ? "HYP mode" : "the host",
			  model_read(cpu, offset, len));
	access_count(offset, false, fake_answered != before);
}

static void guest_leave(unsigned int cpu)
{
	unsigned int i;

	/* Now and then it has executed nothing since it was entered. */
	fake_cpus[cpu].stuck = !rnd(4);
	fake_exit(fake_vm->vcpus[cpu]);
	for (i = 0; i < GIC_NR_PRIVATE; i++)
		gic.private[cpu][i].stale = false;
}

static void guests_leave(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < gic.nr_cpus; cpu++)
		guest_leave(cpu);
}

/* --- devices --- */

static void act_inject(void)
{
	unsigned int cpu = rnd(gic.nr_cpus), intid = 16 + rnd(NR_IRQS - 16);
	bool level = rnd(2);

	fake_in_irq = rnd(2);
	KTAP_EQ(armvmm_vgic_inject(fake_vm, fake_vm->vcpus[cpu], intid, level, NULL), 0);
	fake_in_irq = false;
	model_line(cpu, intid, level);
}

/* --- the distributor --- */

/*
 * May @intid be made active by hand? Not if a guest would end it, or if the registers could not
 * hold it.
 */
static bool may_activate(unsigned int cpu, unsigned int intid)
{
	unsigned int to = model_target(model(cpu, intid), cpu, intid);

	return !model_on_a_stack(cpu, intid) &&
	       (model(cpu, intid)->active || model_room(to, true, armvmm_vgic_host.nr_lr));
}

/* One interrupt, or several of a register's: none of them a thing that a guest would not do. */
static u32 some_bits(unsigned int cpu, u32 reg, unsigned int intid)
{
	u32 val = 1u << intid % 32;

	if (reg == GICD_IGROUPR)
		return model_read(cpu, reg + intid / 32 * 4, 4) ^ val;
	if (reg == GICD_ISACTIVER)
		return may_activate(cpu, intid) ? val : 0;
	return rnd(4) ? val : val | (u32)(rnd(0x10000) << 16 | rnd(0x10000));
}

struct some_write {
	u32 offset, val;
	unsigned int len;
};

static struct some_write some_write(unsigned int cpu, bool words)
{
	static const u16 bits[] = {
		GICD_ISENABLER, GICD_ISENABLER, GICD_ICENABLER, GICD_ISPENDR, GICD_ICPENDR,
		GICD_ISACTIVER, GICD_ICACTIVER, GICD_IGROUPR,
	};
	unsigned int intid = rnd(NR_IRQS);
	u32 val = rnd(0x10000) << 16 | rnd(0x10000), reg;
	struct some_write w = { .len = words || rnd(2) ? 4 : 1 };

	switch (rnd(12)) {
	case 0 ... 1:
		/* The lowest priority would be masked for good. */
		w.offset = GICD_IPRIORITYR + intid;
		w.val = val & 0xf7f7f7f7;
		break;
	case 2:
		w.offset = GICD_ITARGETSR + intid;
		w.val = val;
		break;
	case 3:
		w.offset = (rnd(2) ? GICD_SPENDSGIR : GICD_CPENDSGIR) + intid % 4;
		w.val = val;
		break;
	case 4:
		w.offset = GICD_ICFGR + intid / 16 * 4;
		w.len = 4;
		w.val = model_read(cpu, w.offset, 4) ^ 2u << intid % 16 * 2;
		break;
	default:
		reg = bits[rnd(ARRAY_SIZE(bits))];
		w.offset = reg + intid / 32 * 4;
		w.len = 4;
		w.val = some_bits(cpu, reg, intid);
	}
	w.offset &= ~(w.len - 1);
	if (w.len == 1)
		w.val &= 0xff;
	return w;
}

static u32 some_read(void)
{
	static const u16 regs[] = {
		GICD_CTLR, GICD_IGROUPR, GICD_ISENABLER, GICD_ICENABLER, GICD_ISPENDR,
		GICD_ICPENDR, GICD_ISACTIVER, GICD_ICACTIVER, GICD_IPRIORITYR, GICD_ITARGETSR,
		GICD_ICFGR, GICD_CPENDSGIR, GICD_SPENDSGIR,
	};
	u32 reg = regs[rnd(ARRAY_SIZE(regs))];
	unsigned int bits;

	if (reg == GICD_CTLR)
		return reg;
	if (reg >= GICD_CPENDSGIR)
		return reg + rnd(4) * 4;
	model_base(reg, &bits);
	return reg + rnd(bits * NR_IRQS / 32) * 4;
}

static void act_sgir(unsigned int cpu)
{
	guest_write(cpu, GICD_SGIR, 4, rnd(3) << 24 | rnd(256) << 16 | rnd(4));
}

static void act_mmio(void)
{
	unsigned int cpu = rnd(gic.nr_cpus);
	struct some_write w;

	if (!rnd(8))
		guest_leave(cpu);
	else if (!fake_cpus[cpu].in_guest)
		fake_enter(fake_vm->vcpus[cpu]);
	switch (rnd(14)) {
	case 0 ... 2:
		act_sgir(cpu);
		break;
	case 3 ... 8:
		w = some_write(cpu, false);
		guest_write(cpu, w.offset, w.len, w.val);
		break;
	case 9:
		if (!gic.on || !rnd(4))
			guest_write(cpu, GICD_CTLR, 4, !gic.on);
		break;
	default:
		guest_read(cpu, some_read(), 4);
	}
}

/* --- the CPU interface --- */

static void guest_ack(unsigned int cpu)
{
	u32 best = model_best(cpu), iar;

	if (!model_room(cpu, false, armvmm_vgic_host.nr_lr))
		return;
	iar = fake_ack(fake_vm->vcpus[cpu]);
	if (iar == FAKE_SPURIOUS)
		KTAP_TRUE(best >= model_running(cpu));
	else if (!model_ack(cpu, iar))
		KTAP_FAIL("vCPU %u takes %x", cpu, iar);
}

static void guest_eoi(unsigned int cpu)
{
	u32 iar = fake_active_iar(&fake_cpus[cpu]);

	if (iar == FAKE_SPURIOUS)
		return;
	if (fake_eoi(fake_vm->vcpus[cpu], iar) != model_eoi(cpu, iar))
		KTAP_FAIL("vCPU %u: the end of %x", cpu, iar);
}

static void cpuif_pmr(unsigned int cpu, u32 pmr)
{
	struct fake_cpu *c = &fake_cpus[cpu];

	c->vmcr = (c->vmcr & ~GICH_VMCR_PRIMASK_MASK) |
		  pmr >> VGIC_PRIORITY_SHIFT << GICH_VMCR_PRIMASK_SHIFT;
	gic.cpu[cpu].pmr = pmr;
}

/* Priorities that it does not want, and groups: the hardware's own, with no trap. */
static void guest_mask(unsigned int cpu)
{
	struct fake_cpu *c = &fake_cpus[cpu];

	if (rnd(2)) {
		cpuif_pmr(cpu, rnd(3) ? 0xf8 : rnd(32) << VGIC_PRIORITY_SHIFT);
		return;
	}
	gic.cpu[cpu].ctlr = rnd(3) ? 3 : rnd(4);
	c->vmcr = (c->vmcr & ~3u) | gic.cpu[cpu].ctlr;
}

static void act_guest(unsigned int cpu)
{
	struct fake_cpu *c = &fake_cpus[cpu];

	if (!c->in_guest) {
		fake_enter(fake_vm->vcpus[cpu]);
		/* Immediate maintenance would be an exit without progress, again and again. */
		KTAP_TRUE(!fake_maintenance(c));
	}
	if (!rnd(24))
		guest_mask(cpu);
	else if (rnd(2))
		guest_ack(cpu);
	else
		guest_eoi(cpu);
	if (fake_maintenance(c) || !rnd(4))
		guest_leave(cpu);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vGIC agrees with the model: in what it shows of itself at any time, and in all that a guest
 * or a client would see if it looked now. After client_acts.h.
 */
#ifndef TESTS_UNIT_VGIC_AGREE_H
#define TESTS_UNIT_VGIC_AGREE_H

static void dump(void)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < gic.nr_cpus; cpu++) {
		const struct fake_cpu *c = &fake_cpus[cpu];

		printf("# vCPU %u: in guest %d on CPU %u, HCR %x, running %x, best pending %x, mask %x, groups %x; registers",
		       cpu, c->in_guest, c->on, c->hcr, model_running(cpu), model_best(cpu),
		       gic.cpu[cpu].pmr, gic.cpu[cpu].ctlr);
		for (i = 0; c->in_guest && i < c->used; i++)
			printf(" %08x", c->lr[i]);
		printf("\n");
		for (i = 0; i < NR_IRQS; i++) {
			const struct model_irq *m = model(cpu, i);
			const struct armvmm_vgic_irq *irq = fake_irq(fake_vm->vcpus[cpu], i);

			if (irq->vcpu != fake_vm->vcpus[cpu])
				continue;
			printf("#   %u: priority %x, group %d, enabled %d, edge %d, active %d/%d, line %d/%d, latch %d/%d, source %x/%x, in_lr %d\n",
			       i, m->prio, m->group1, m->enabled, m->edge, m->active, irq->active,
			       m->line, irq->line_level, m->latch, irq->pending_latch, m->source,
			       irq->source, irq->in_lr);
		}
	}
}

/* --- without a touch --- */

/* A WFI neither hangs nor spins. Only its own thread can tell, once it has run the vCPU. */
static void check_outside(unsigned int cpu)
{
	struct armvmm_vcpu *v = fake_vm->vcpus[cpu];
	struct fake_cpu *c = &fake_cpus[cpu];
	unsigned int i;

	if (fake_hosts[c->on].thread == c->thread && c->ran_by == c->thread) {
		fake_at(c->on);
		KTAP_EQ(armvmm_vgic_pending(v), model_best(cpu) < model_running(cpu));
	}
	for (i = 0; i < NR_IRQS; i++)
		KTAP_TRUE(fake_irq(v, i)->vcpu != v || !fake_irq(v, i)->in_lr || v->vgic.parked);
}

/* A guest that nobody makes exit gets all that can be delivered; no interrupt is shown twice. */
static void check_inside(unsigned int cpu, u64 *seen_spis)
{
	const struct fake_cpu *c = &fake_cpus[cpu];
	u32 best = model_best(cpu), seen_private = 0, id;
	int hw = fake_highest(c);
	unsigned int n;

	KTAP_EQ(c->apr, gic.cpu[cpu].apr);
	if (best < model_running(cpu) && !fake_maintenance(c) &&
	    !(armvmm_vgic_host.nr_lr == 1 && model_nr_active(cpu, false)))
		KTAP_TRUE(hw >= 0 && fake_lr_priority(c->lr[hw]) <= best);
	for (n = 0; n < c->used; n++) {
		id = c->lr[n] & GICH_LR_VIRTUALID;
		KTAP_TRUE(id < NR_IRQS);
		if (id < GIC_NR_PRIVATE) {
			KTAP_TRUE(!(seen_private & (1u << id)));
			seen_private |= 1u << id;
		} else {
			KTAP_TRUE(!(*seen_spis & (1ULL << id)));
			*seen_spis |= 1ULL << id;
		}
	}
}

/*
 * No SGI stays in the letter box, but for a vCPU that is on its way out, or that posted it to
 * itself: they look before they enter or sleep.
 */
static void check_box(unsigned int cpu)
{
	const struct hyp_dist_vcpu *own = &fake_vm->vcpus[cpu]->hyp->dist;
	u32 others = ~((1u << cpu) * 0x01010101u);
	unsigned int i;

	KTAP_EQ(own->notify, 0);
	if (!fake_cpus[cpu].in_guest && fake_cpus[cpu].kicked)
		return;
	for (i = 0; i < ARRAY_SIZE(own->sources); i++)
		KTAP_EQ(own->sources[i] & others, 0);
}

static void check(void)
{
	u64 seen_spis = 0;
	unsigned int cpu, i;

	for (i = GIC_NR_PRIVATE; i < NR_IRQS; i++) {
		/* A stale interrupt can only be taken by a vCPU that still runs with it. */
		if (gic.shared[i].stale && !fake_irq(fake_vm->vcpus[0], i)->in_lr)
			gic.shared[i].stale = false;
	}
	for (cpu = 0; cpu < gic.nr_cpus; cpu++) {
		struct armvmm_vcpu *v = fake_vm->vcpus[cpu];

		for (i = 0; i < NR_IRQS; i++)
			KTAP_EQ(*vgic_enable_word(&v->hyp->dist, i) >> i % 32 & 1,
				fake_irq(v, i)->enabled);
		if (fake_cpus[cpu].in_guest && fake_cpus[cpu].kicked)
			guest_leave(cpu);
		check_box(cpu);
		if (fake_cpus[cpu].in_guest)
			check_inside(cpu, &seen_spis);
		else
			check_outside(cpu);
	}
}

/* --- all that would be seen --- */

/* Of @base, which has @bits for each interrupt: private ones, of each vCPU, and SPIs. */
static void look_by_guest(unsigned int cpu, u32 base, unsigned int bits)
{
	u32 i;

	for (i = 0; i < bits * NR_IRQS / 8; i += 4)
		guest_read(cpu, base + i, 4);
}

static void look_by_client(unsigned int cpu, u32 offset)
{
	u32 val = client_get(KVM_DEV_ARM_VGIC_GRP_DIST_REGS, cpu, offset);
	u32 want = model_read(cpu, offset, 4), mask = ~0u, first, i;

	/* Whose request is active says something of those that are. */
	first = offset - ARMVMM_GICD_SGI_ACTIVE;
	for (i = 0; first < GIC_NR_SGIS && i < 4; i++)
		if (!model(cpu, first + i)->active)
			mask &= ~(0xffu << 8 * i);
	if ((val & mask) != (want & mask))
		KTAP_FAIL("attribute %x of vCPU %u: %x, %x in the model", offset, cpu, val, want);
}

static void look_by_guests(void)
{
	unsigned int cpu;
	u32 i;

	for (cpu = 0; cpu < gic.nr_cpus; cpu++) {
		guest_read(cpu, GICD_CTLR, 4);
		for (i = GICD_IGROUPR; i < GICD_IPRIORITYR; i += 0x80)
			look_by_guest(cpu, i, 1);
		look_by_guest(cpu, GICD_IPRIORITYR, 8);
		look_by_guest(cpu, GICD_ITARGETSR, 8);
		look_by_guest(cpu, GICD_ICFGR, 2);
		for (i = 0; i < GIC_NR_SGIS; i += 4)
			guest_read(cpu, GICD_SPENDSGIR + i, 4);
	}
}

static void look_by_clients(void)
{
	static const u16 bits[] = {
		GICD_IGROUPR, GICD_ISENABLER, GICD_ISPENDR, GICD_ISACTIVER, ARMVMM_GICD_LATCH,
	};
	const unsigned int group = KVM_DEV_ARM_VGIC_GRP_CPU_REGS;
	unsigned int cpu, i, reg, first;

	for (cpu = 0; cpu < gic.nr_cpus; cpu++) {
		/* Private ones of each vCPU; SPIs by any. */
		first = cpu ? 0 : 4;
		look_by_client(cpu, GICD_CTLR);
		for (reg = 0; reg < ARRAY_SIZE(bits); reg++)
			for (i = 0; i <= first; i += 4)
				look_by_client(cpu, bits[reg] + i);
		for (i = 0; i < GIC_NR_PRIVATE * (1 + first / 4); i += 4) {
			look_by_client(cpu, GICD_IPRIORITYR + i);
			look_by_client(cpu, GICD_ITARGETSR + i);
		}
		for (i = 0; i < GIC_NR_SGIS; i += 4) {
			look_by_client(cpu, GICD_ICFGR + i);
			look_by_client(cpu, GICD_SPENDSGIR + i);
			look_by_client(cpu, ARMVMM_GICD_SGI_ACTIVE + i);
		}
		look_by_client(cpu, ARMVMM_GICD_HOLDER + 4);
		KTAP_EQ(client_get(group, cpu, GICC_PMR),
			gic.cpu[cpu].pmr >> VGIC_PRIORITY_SHIFT);
		KTAP_EQ(client_get(group, cpu, GICC_CTLR), gic.cpu[cpu].ctlr);
		KTAP_EQ(client_get(group, cpu, GICC_ABPR), gic.cpu[cpu].abpr);
		KTAP_EQ(client_get(group, cpu, GICC_APR0), gic.cpu[cpu].apr);
	}
}

/* Each guest takes what there is for it. */
static void look_by_taking(void)
{
	unsigned int cpu, n;
	u32 apr;

	for (cpu = 0; cpu < gic.nr_cpus; cpu++) {
		for (n = 0; n < NR_IRQS && !ktap_failed; n++) {
			if (!fake_cpus[cpu].in_guest)
				fake_enter(fake_vm->vcpus[cpu]);
			apr = gic.cpu[cpu].apr;
			guest_ack(cpu);
			check();
			if (apr == gic.cpu[cpu].apr)
				break;
			if (fake_maintenance(&fake_cpus[cpu]))
				guest_leave(cpu);
		}
		guest_leave(cpu);
	}
}

/*
 * The vGIC and the model are as they were afterwards. What leaves vCPUs in their guests comes
 * first.
 */
static void look(void)
{
	bool failed = ktap_failed;

	world_keep();
	look_by_guests();
	guests_leave();
	check();
	look_by_clients();
	check();
	look_by_taking();
	if (ktap_failed && !failed) {
		printf("# that is what a guest or a client would have seen, at last in this state:\n");
		dump();
		printf("# and before:\n");
	}
	world_put_back();
}

/* All lines fall; every guest takes and ends what is left. Nothing may remain. */
static void drain(void)
{
	unsigned int cpu, i, n;

	guests_leave();
	for (cpu = 0; cpu < gic.nr_cpus; cpu++) {
		client_set(KVM_DEV_ARM_VGIC_GRP_CPU_REGS, cpu, GICC_APR0, 0);
		client_set(KVM_DEV_ARM_VGIC_GRP_CPU_REGS, cpu, GICC_PMR, 0x1f);
		client_set(KVM_DEV_ARM_VGIC_GRP_CPU_REGS, cpu, GICC_CTLR, 3);
		gic.cpu[cpu].apr = 0;
		gic.cpu[cpu].pmr = 0xf8;
		gic.cpu[cpu].ctlr = 3;
		for (i = 0; i < NR_IRQS; i++) {
			armvmm_vgic_inject(fake_vm, fake_vm->vcpus[cpu], i, false, NULL);
			model(cpu, i)->line = model(cpu, i)->stale = false;
		}
		for (i = 0; i < NR_IRQS / 8; i += 4) {
			guest_write(cpu, GICD_ICACTIVER + i, 4, ~0u);
			guest_write(cpu, GICD_ISENABLER + i, 4, ~0u);
		}
	}
	guest_write(0, GICD_CTLR, 4, 1);
	for (cpu = 0; cpu < gic.nr_cpus; cpu++) {
		for (n = 0; n < 2000 && model_best(cpu) != VGIC_PRIORITY_IDLE; n++) {
			if (!fake_cpus[cpu].in_guest)
				fake_enter(fake_vm->vcpus[cpu]);
			guest_ack(cpu);
			guest_eoi(cpu);
			if (fake_maintenance(&fake_cpus[cpu]))
				guest_leave(cpu);
		}
		guest_leave(cpu);
		KTAP_EQ(model_best(cpu), VGIC_PRIORITY_IDLE);
		fake_run(fake_vm->vcpus[cpu]);
		KTAP_TRUE(!armvmm_vgic_pending(fake_vm->vcpus[cpu]));
		fake_enter(fake_vm->vcpus[cpu]);
		KTAP_EQ(fake_cpus[cpu].used, 0);
		guest_leave(cpu);
		KTAP_TRUE(vgic_ap_is_empty(fake_vm->vcpus[cpu]->vgic.ap));
	}
}

#endif

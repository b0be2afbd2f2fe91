// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/vgic/irq.c driver/vgic/inject.c driver/vgic/lr.c driver/vgic/dist.c
// sources: driver/vgic/sgi.c driver/vgic/dist_state.c driver/vgic/cpuif.c driver/vgic/init.c driver/vgic/ap.c
// cflags: -Itests/unit/fake -Iinclude/uapi -I. -Idriver
/* List registers: what is in them, which interrupts wait, and how the guest's actions come back. */
#include "ktap.h"
#include "vgic_fake.h"

#define PRIO(p)		((u32)((p) >> 3) << GICH_LR_PRIORITY_SHIFT)
#define CPUID(n)	((u32)(n) << GICH_LR_CPUID_SHIFT)

static bool level_now;

static bool get_level(struct armvmm_vcpu *vcpu)
{
	return level_now;
}

/* Enters and returns the list registers; the caller exits. */
static struct hyp_vgic *enter(struct armvmm_vcpu *v)
{
	fake_enter(v);
	return &v->hyp->vgic;
}

static void test_nothing(void)
{
	struct armvmm_vm *vm = fake_create(1, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];

	KTAP_EQ(enter(v)->used_lrs, 0);
	KTAP_EQ(v->hyp->vgic.hcr, GICH_HCR_En);
	fake_exit(v);
	/* Pending, but not enabled; then the distributor is off. */
	armvmm_vgic_inject(vm, NULL, 40, true, NULL);
	KTAP_EQ(enter(v)->used_lrs, 0);
	fake_write32(v, GICD_ISENABLER + 4, 1u << 8);
	KTAP_EQ(enter(v)->used_lrs, 0);
	KTAP_TRUE(!armvmm_vgic_pending(v));
	fake_write32(v, GICD_CTLR, 1);
	KTAP_TRUE(armvmm_vgic_pending(v));
	KTAP_EQ(enter(v)->used_lrs, 1);
	fake_write32(v, GICD_CTLR, 0);
	KTAP_EQ(enter(v)->used_lrs, 0);
	KTAP_TRUE(!armvmm_vgic_pending(v));
	fake_exit(v);
	/* The code that removes the reason to be on the list also removes the entry. */
	KTAP_EQ(vgic_ap_nr(v->vgic.ap), 1);
	fake_write32(v, GICD_ICENABLER + 4, 1u << 8);
	KTAP_TRUE(vgic_ap_is_empty(v->vgic.ap));
	fake_write32(v, GICD_ISENABLER + 4, 1u << 8);
	KTAP_EQ(vgic_ap_nr(v->vgic.ap), 1);
	armvmm_vgic_inject(vm, NULL, 40, false, NULL);
	KTAP_TRUE(vgic_ap_is_empty(v->vgic.ap));
	fake_destroy(vm);
}

static void test_packing(void)
{
	struct armvmm_vm *vm = fake_create(8, 1024, 8);
	struct armvmm_vcpu *v = vm->vcpus[0];
	struct hyp_vgic *hv;

	/* an edge SPI of group 1 */
	fake_irq_setup(v, 1019, true, 0xa8);
	fake_write32(v, GICD_IGROUPR + 1019 / 32 * 4, 1u << 1019 % 32);
	armvmm_vgic_inject(vm, NULL, 1019, true, NULL);
	hv = enter(v);
	KTAP_EQ(hv->used_lrs, 1);
	KTAP_EQ(hv->lr[0], GICH_LR_GRP1 | GICH_LR_PENDING | PRIO(0xa8) | 1019);
	KTAP_EQ(fake_ack(v), 1019);
	fake_exit(v);
	KTAP_TRUE(fake_irq(v, 1019)->active);
	KTAP_TRUE(!fake_irq(v, 1019)->pending_latch);
	/* once more while it is active: pending and active */
	armvmm_vgic_inject(vm, NULL, 1019, true, NULL);
	hv = enter(v);
	KTAP_EQ(hv->lr[0], GICH_LR_GRP1 | GICH_LR_STATE | PRIO(0xa8) | 1019);
	KTAP_TRUE(fake_eoi(v, 1019));
	KTAP_EQ(fake_ack(v), 1019);
	KTAP_TRUE(fake_eoi(v, 1019));
	KTAP_EQ(fake_ack(v), FAKE_SPURIOUS);
	fake_exit(v);
	KTAP_TRUE(vgic_ap_is_empty(v->vgic.ap));

	/* a level SPI: EOI maintenance; active only while the guest deals with it */
	fake_irq_setup(v, 33, false, 0x08);
	armvmm_vgic_inject(vm, NULL, 33, true, NULL);
	hv = enter(v);
	KTAP_EQ(hv->lr[0], GICH_LR_EOI | GICH_LR_PENDING | PRIO(0x08) | 33);
	KTAP_EQ(fake_ack(v), 33);
	fake_exit(v);
	hv = enter(v);
	KTAP_EQ(hv->lr[0], GICH_LR_EOI | GICH_LR_ACTIVE | PRIO(0x08) | 33);
	fake_eoi(v, 33);
	armvmm_vgic_inject(vm, NULL, 33, false, NULL);
	fake_exit(v);
	KTAP_EQ(fake_acks[1], 1);

	/* an SGI from vCPU 6 */
	fake_irq_setup(v, 15, true, 0xf0);
	fake_write32(vm->vcpus[6], GICD_SGIR, 1u << 16 | 15);
	hv = enter(v);
	KTAP_EQ(hv->lr[0], GICH_LR_PENDING | PRIO(0xf0) | CPUID(6) | 15);
	KTAP_EQ(fake_ack(v), 6u << 10 | 15);
	fake_exit(v);
	KTAP_EQ(enter(v)->lr[0], GICH_LR_ACTIVE | PRIO(0xf0) | CPUID(6) | 15);
	fake_eoi(v, 6u << 10 | 15);
	fake_exit(v);
	fake_destroy(vm);
}

static void test_hw_level(void)
{
	struct armvmm_vm *vm = fake_create(2, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[1];
	struct hyp_vgic *hv;

	KTAP_EQ(armvmm_vgic_map_phys(v, 40, 27, get_level), -EINVAL);
	KTAP_EQ(armvmm_vgic_map_phys(v, 27, 29, get_level), 0);
	fake_irq_setup(v, 27, false, 0x50);
	KTAP_TRUE(!armvmm_vgic_phys_active(v, 27));
	level_now = true;
	armvmm_vgic_inject(vm, v, 27, true, NULL);
	KTAP_TRUE(armvmm_vgic_phys_active(v, 27));
	hv = enter(v);
	KTAP_EQ(hv->lr[0], GICH_LR_HW | GICH_LR_PENDING | PRIO(0x50) |
			   29u << GICH_LR_PHYSID_SHIFT | 27);
	/* not taken, and the line fell meanwhile */
	level_now = false;
	fake_exit(v);
	KTAP_TRUE(!armvmm_vgic_phys_active(v, 27));
	KTAP_EQ(enter(v)->used_lrs, 0);
	fake_exit(v);

	/* taken: never pending and active at once, whatever the line does */
	level_now = true;
	armvmm_vgic_inject(vm, v, 27, true, NULL);
	enter(v);
	KTAP_EQ(fake_ack(v), 27);
	fake_exit(v);
	KTAP_TRUE(armvmm_vgic_phys_active(v, 27));
	hv = enter(v);
	KTAP_EQ(hv->lr[0] & GICH_LR_STATE, GICH_LR_ACTIVE);
	KTAP_EQ(hv->lr[0] & GICH_LR_EOI, 0);	/* the bit is the physical ID's there */
	fake_eoi(v, 27);
	KTAP_TRUE(!fake_maintenance(&fake_cpus[1]));
	fake_exit(v);
	hv = enter(v);
	KTAP_EQ(hv->lr[0] & GICH_LR_STATE, GICH_LR_PENDING);
	fake_exit(v);
	armvmm_vgic_vcpu_reset(v);
	KTAP_TRUE(!armvmm_vgic_phys_active(v, 27));
	KTAP_EQ(enter(v)->used_lrs, 0);
	fake_exit(v);

	/* Reset in its handler: what the next life makes active was not taken by that one. */
	armvmm_vgic_inject(vm, v, 27, true, NULL);
	enter(v);
	KTAP_EQ(fake_ack(v), 27);
	fake_exit(v);
	KTAP_TRUE(fake_irq(v, 27)->acked);
	armvmm_vgic_vcpu_reset(v);
	fake_write32(v, GICD_ISACTIVER, 1u << 27);
	KTAP_TRUE(fake_irq(v, 27)->active && !fake_irq(v, 27)->acked);
	fake_destroy(vm);

	/* a host with EOImode 0: the list register is one of software */
	vm = fake_create(1, 64, 4);
	v = vm->vcpus[0];
	armvmm_vgic_host.split_eoi = false;
	KTAP_EQ(armvmm_vgic_map_phys(v, 27, 29, get_level), 0);
	fake_irq_setup(v, 27, false, 0x50);
	armvmm_vgic_inject(vm, v, 27, true, NULL);
	hv = enter(v);
	KTAP_EQ(hv->lr[0], GICH_LR_EOI | GICH_LR_PENDING | PRIO(0x50) | 27);
	fake_ack(v);
	fake_eoi(v, 27);
	KTAP_TRUE(fake_maintenance(&fake_cpus[0]));
	fake_exit(v);
	fake_destroy(vm);
}

/* Each sender's request is taken, one at a time, before any of lower priority. */
static void test_sgi_sources(void)
{
	struct armvmm_vm *vm = fake_create(4, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	struct hyp_vgic *hv;
	unsigned int from, seen = 0;
	u32 iar;

	fake_irq_setup(v, 2, true, 0x40);
	fake_irq_setup(v, 3, true, 0x40);
	fake_irq_setup(v, 40, true, 0x48);
	armvmm_vgic_inject(vm, NULL, 40, true, NULL);
	for (from = 0; from < 4; from++)
		fake_write32(vm->vcpus[from], GICD_SGIR, 1u << 16 | 2);
	fake_write32(vm->vcpus[2], GICD_SGIR, 1u << 16 | 3);

	for (from = 0; from < 4; from++) {
		hv = enter(v);
		KTAP_EQ(hv->used_lrs, from == 3 ? (seen & 16 ? 2 : 3) : (seen & 16 ? 1 : 2));
		iar = fake_ack(v);
		if (iar == (2u << 10 | 3)) {
			seen |= 16;
			fake_eoi(v, iar);
			iar = fake_ack(v);
		}
		KTAP_EQ(iar & 0x3ff, 2);
		seen |= 1u << (iar >> 10);
		/*
		 * The same vCPU asks again while its request is active: two of them in one
		 * register.
		 */
		if (from == 1)
			fake_write32(vm->vcpus[iar >> 10], GICD_SGIR, 1u << 16 | 2);
		if (!fake_cpus[0].in_guest) {
			hv = enter(v);
			KTAP_EQ(hv->lr[0], GICH_LR_ACTIVE | GICH_LR_PENDING | GICH_LR_EOI |
					   CPUID(iar >> 10) | PRIO(0x40) | 2);
		}
		fake_eoi(v, iar);
		if (from == 1) {
			KTAP_EQ(fake_ack(v), iar);
			fake_eoi(v, iar);
		}
		if (from < 3)
			KTAP_TRUE(fake_maintenance(&fake_cpus[0]));
		if (from == 3 && !(seen & 16)) {
			KTAP_EQ(fake_ack(v), 2u << 10 | 3);
			fake_eoi(v, 2u << 10 | 3);
			seen |= 16;
		}
		if (from == 3) {
			KTAP_EQ(fake_ack(v), 40);
			fake_eoi(v, 40);
		}
		fake_exit(v);
	}
	KTAP_EQ(seen, 0x1f);
	KTAP_TRUE(vgic_ap_is_empty(v->vgic.ap));
	KTAP_EQ(fake_read32(v, GICD_SPENDSGIR), 0);
	fake_destroy(vm);
}

/* Twelve pending, four registers: all arrive, in the order of their priorities. */
static void test_more_than_registers(void)
{
	struct armvmm_vm *vm = fake_create(1, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	unsigned int i, taken = 0, entries = 0;
	u32 iar, last = 0;

	for (i = 0; i < 12; i++) {
		fake_irq_setup(v, 32 + i, i & 1, ((i * 5) % 12 + 1) << 3);
		armvmm_vgic_inject(vm, NULL, 32 + i, true, NULL);
	}
	while (taken < 12 && entries++ < 40) {
		struct hyp_vgic *hv = enter(v);

		KTAP_TRUE(taken > 8 || hv->used_lrs == 4);
		KTAP_TRUE(!fake_maintenance(&fake_cpus[0]));	/* the guest gets on */
		do {
			iar = fake_ack(v);
			if (iar == FAKE_SPURIOUS)
				break;
			KTAP_TRUE(fake_irq(v, iar)->priority >= last);
			last = fake_irq(v, iar)->priority;
			taken++;
			armvmm_vgic_inject(vm, NULL, iar, false, NULL);
			KTAP_TRUE(fake_eoi(v, iar));
		} while (!fake_maintenance(&fake_cpus[0]));
		fake_exit(v);
	}
	KTAP_EQ(taken, 12);
	KTAP_TRUE(entries < 16);
	KTAP_TRUE(vgic_ap_is_empty(v->vgic.ap));
	fake_destroy(vm);
}

unsigned int fake_locks;

/* The locks that an entry, an exit and a check for pending interrupts take. */
static unsigned int locks_of_an_exit(struct armvmm_vcpu *v)
{
	fake_locks = 0;
	KTAP_EQ(enter(v)->used_lrs, 4);
	fake_exit(v);
	KTAP_TRUE(armvmm_vgic_pending(v));
	return fake_locks;
}

/* However many interrupts wait, that costs nothing: a guest chooses the number. */
static void test_many_waiting(void)
{
	struct armvmm_vm *vm = fake_create(2, 1024, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	unsigned int i, first, few;
	struct hyp_vgic *hv;

	for (i = 32; i < 1020; i++)
		fake_irq_setup(v, i, true, 0x80);
	for (i = 32; i < 36; i++)
		armvmm_vgic_inject(vm, NULL, i, true, NULL);
	first = locks_of_an_exit(v);
	few = locks_of_an_exit(v);
	KTAP_EQ(few, 3);
	for (; i < 1020; i++)
		armvmm_vgic_inject(vm, NULL, i, true, NULL);
	KTAP_EQ(vgic_ap_nr(v->vgic.ap), 988);
	/* The choice is made anew, and interrupts in registers stay. */
	KTAP_EQ(locks_of_an_exit(v), few);

	/* The guest takes one each time: nothing else is taken back for it. */
	fake_irq_setup(v, 1, true, 0x10);
	for (i = 0; i < 3; i++) {
		fake_write32(v, GICD_SGIR, 2u << 24 | 1);
		fake_locks = 0;
		KTAP_EQ(enter(v)->used_lrs, 4);
		KTAP_EQ(fake_ack(v), 1);
		KTAP_TRUE(fake_eoi(v, 1));
		fake_exit(v);
		/*
		 * Two for the list, two for the SGI; the first time one more for the interrupt that
		 * it replaces.
		 */
		KTAP_EQ(fake_locks, i ? 4 : 5);
	}
	KTAP_EQ(locks_of_an_exit(v), few + 1);
	KTAP_EQ(locks_of_an_exit(v), few);

	/*
	 * Of equal ones the first ones are chosen. Those that wait ask for maintenance, also on
	 * another CPU.
	 */
	armvmm_vgic_put(v);
	armvmm_vgic_load(v);
	hv = enter(v);
	KTAP_TRUE(hv->hcr & GICH_HCR_NPIE);
	for (i = 0; i < 4; i++)
		KTAP_EQ(hv->lr[i] & GICH_LR_VIRTUALID, 32 + i);

	/* One of the rest is disabled: its vCPU might have chosen it, and is told. */
	fake_cpus[0].kicked = false;
	fake_write32(vm->vcpus[1], GICD_ICENABLER + 4, 1u << 20);
	KTAP_TRUE(fake_cpus[0].kicked);
	fake_exit(v);

	/* The distributor goes off and on. */
	fake_locks = 0;
	fake_write32(v, GICD_CTLR, 0);
	KTAP_EQ(enter(v)->used_lrs, 0);
	fake_exit(v);
	fake_write32(v, GICD_CTLR, 1);
	KTAP_TRUE(fake_locks < 16);
	KTAP_EQ(locks_of_an_exit(v), first);
	KTAP_EQ(locks_of_an_exit(v), few);

	/* A new priority means a new place. */
	fake_mmio_write(v, GICD_IPRIORITYR + 1000, 1, 0x10);
	KTAP_EQ(enter(v)->lr[0] & GICH_LR_VIRTUALID, 1000);
	fake_exit(v);
	for (i = 32; i < 1020; i += 32)
		fake_write32(v, GICD_ICPENDR + i / 8, ~0u);
	KTAP_TRUE(vgic_ap_is_empty(v->vgic.ap));
	KTAP_TRUE(!armvmm_vgic_pending(v));
	fake_destroy(vm);
}

/* Parked: each way to change or to read what a vCPU outside its guest has left in its registers. */
static void test_parked(void)
{
	struct armvmm_vm *vm = fake_create(2, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0], *other = vm->vcpus[1];
	unsigned int i;

	for (i = 32; i < 36; i++)
		fake_irq_setup(v, i, i & 1, 0x80);
	for (i = 32; i < 36; i++)
		armvmm_vgic_inject(vm, NULL, i, true, NULL);
#define PARK()								\
	do {								\
		enter(v);						\
		fake_exit(v);						\
		KTAP_TRUE(v->vgic.parked && fake_irq(v, 33)->in_lr);	\
	} while (0)
	PARK();
	KTAP_EQ(fake_read32(other, GICD_ISPENDR + 4), 0xf);
	KTAP_TRUE(!v->vgic.parked && !fake_irq(v, 33)->in_lr);

	/* A line falls: the interrupt is not shown any more. */
	PARK();
	armvmm_vgic_inject(vm, NULL, 32, false, NULL);
	KTAP_EQ(vgic_ap_nr(v->vgic.ap), 3);
	KTAP_EQ(enter(v)->used_lrs, 3);
	fake_exit(v);
	armvmm_vgic_inject(vm, NULL, 32, true, NULL);

	/* Another target, while this vCPU may stay outside for ever. */
	PARK();
	fake_mmio_write(other, GICD_ITARGETSR + 33, 1, 2);
	KTAP_TRUE(armvmm_vgic_pending(other));
	KTAP_EQ(enter(other)->lr[0] & GICH_LR_VIRTUALID, 33);
	fake_exit(other);
	KTAP_EQ(enter(v)->used_lrs, 3);
	fake_exit(v);
	fake_mmio_write(other, GICD_ITARGETSR + 33, 1, 1);
	KTAP_TRUE(vgic_ap_is_empty(other->vgic.ap));

	/* One gets a higher priority: it comes first. */
	PARK();
	fake_mmio_write(other, GICD_IPRIORITYR + 35, 1, 0x10);
	KTAP_EQ(enter(v)->lr[0] & GICH_LR_VIRTUALID, 35);
	/* Changed while the guest has it: it is another state, though it was not taken. */
	armvmm_vgic_inject(vm, NULL, 34, false, NULL);
	fake_exit(v);
	KTAP_TRUE(!fake_irq(v, 34)->in_lr && fake_irq(v, 33)->in_lr);
	KTAP_EQ(vgic_ap_nr(v->vgic.ap), 3);
	armvmm_vgic_inject(vm, NULL, 34, true, NULL);

	/* The same for a group, which is part of the register: the next entry shows the new one. */
	enter(v);
	fake_write32(other, GICD_IGROUPR + 4, 1u << 3);
	fake_exit(v);
	KTAP_TRUE(!fake_irq(v, 35)->in_lr);
	KTAP_TRUE(enter(v)->lr[0] & GICH_LR_GRP1);
	fake_exit(v);
	fake_write32(other, GICD_IGROUPR + 4, 0);
	/* The distributor is turned off while the guest has them: nothing stays. */
	enter(v);
	fake_write32(other, GICD_CTLR, 0);
	fake_exit(v);
	KTAP_TRUE(!v->vgic.parked);
	KTAP_EQ(enter(v)->used_lrs, 0);
	fake_exit(v);
	fake_write32(other, GICD_CTLR, 1);

	/* All are disabled: nothing is left to show. */
	PARK();
	fake_write32(other, GICD_ICENABLER + 4, 0xf);
	KTAP_TRUE(vgic_ap_is_empty(v->vgic.ap));
	KTAP_EQ(enter(v)->used_lrs, 0);
	fake_exit(v);
	fake_write32(other, GICD_ISENABLER + 4, 0xf);

	/* The guest takes one: that counts. */
	enter(v);
	KTAP_EQ(fake_ack(v), 35);
	fake_exit(v);
	KTAP_TRUE(!fake_irq(v, 35)->in_lr && fake_irq(v, 35)->active);
	KTAP_TRUE(fake_irq(v, 33)->in_lr);
	KTAP_TRUE(!fake_irq(v, 35)->pending_latch);

	/* An SGI has sources: it is never parked. */
	fake_write32(v, GICD_SGIR, 2u << 24 | 3);
	enter(v);
	KTAP_TRUE(fake_irq(v, 3)->in_lr);
	fake_exit(v);
	KTAP_TRUE(!fake_irq(v, 3)->in_lr);
#undef PARK
	fake_destroy(vm);
}

/* Parked, and moved to another CPU: those that wait are shown once the last of these was taken. */
static void test_parked_moved(void)
{
	struct armvmm_vm *vm = fake_create(1, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	struct fake_cpu *c = &fake_cpus[0];
	int i;

	for (i = 0; i < 6; i++) {
		fake_irq_setup(v, 32 + i, true, 0x80);
		armvmm_vgic_inject(vm, NULL, 32 + i, true, NULL);
	}
	armvmm_vgic_load(v);
	enter(v);
	fake_exit(v);
	KTAP_TRUE(v->vgic.parked);
	armvmm_vgic_put(v);
	armvmm_vgic_load(v);
	KTAP_EQ(enter(v)->used_lrs, 4);
	for (i = 0; i < 4; i++) {
		KTAP_TRUE(!fake_maintenance(c));
		KTAP_EQ(fake_ack(v), 32 + i);
		fake_eoi(v, 32 + i);
	}
	KTAP_TRUE(fake_maintenance(c));
	fake_exit(v);
	KTAP_EQ(enter(v)->used_lrs, 2);
	fake_exit(v);
	/* With nothing in the registers no maintenance is needed. */
	armvmm_vgic_put(v);
	for (i = 0; i < 6; i++)
		armvmm_vgic_inject(vm, NULL, 32 + i, false, NULL);
	fake_write32(v, GICD_ICPENDR + 4, ~0u);
	armvmm_vgic_load(v);
	KTAP_EQ(v->hyp->vgic.hcr, GICH_HCR_En);
	fake_destroy(vm);
}

/* As many active as there are registers, each of which preempted the one before. */
static void nest_four(struct armvmm_vm *vm)
{
	struct armvmm_vcpu *v = vm->vcpus[0];
	int i;

	for (i = 0; i < 6; i++)
		fake_irq_setup(v, 32 + i, true, 0x80 - 8 * i);
	for (i = 0; i < 4; i++) {
		armvmm_vgic_inject(vm, NULL, 32 + i, true, NULL);
		enter(v);
		KTAP_EQ(fake_ack(v), 32 + i);
		fake_exit(v);
	}
	armvmm_vgic_inject(vm, NULL, 36, true, NULL);
	armvmm_vgic_inject(vm, NULL, 37, true, NULL);
}

/* One of higher priority preempts them all; each is in a register when it ends. */
static void test_nested_beyond_registers(void)
{
	struct armvmm_vm *vm = fake_create(1, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	struct fake_cpu *c = &fake_cpus[0];
	unsigned int exits = 0;
	int i;

	nest_four(vm);
	KTAP_EQ(enter(v)->used_lrs, 4);
	KTAP_TRUE(!fake_maintenance(c));
	KTAP_EQ(fake_ack(v), 37);
	KTAP_TRUE(fake_maintenance(c));
	fake_exit(v);
	enter(v);
	KTAP_TRUE(!fake_maintenance(c));
	KTAP_EQ(fake_ack(v), FAKE_SPURIOUS);
	KTAP_TRUE(fake_eoi(v, 37));
	KTAP_TRUE(fake_maintenance(c));
	fake_exit(v);
	enter(v);
	KTAP_EQ(fake_ack(v), 36);
	fake_exit(v);
	for (i = 36; i >= 32; i--) {
		if (!c->in_guest)
			enter(v);
		KTAP_TRUE(!fake_maintenance(c));
		KTAP_TRUE(fake_eoi(v, i));
		if (fake_maintenance(c)) {
			fake_exit(v);
			exits++;
		}
	}
	KTAP_TRUE(exits < 3);	/* once the rest fits, nobody asks */
	fake_exit(v);
	KTAP_TRUE(vgic_ap_is_empty(v->vgic.ap));
	fake_destroy(vm);
}

/*
 * A guest with EOImode 1 may deactivate any of them at any time: all stay, and the rest waits. As
 * nothing is pending, there is no endless maintenance.
 */
static void test_all_active(void)
{
	struct armvmm_vm *vm = fake_create(1, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	struct fake_cpu *c = &fake_cpus[0];
	struct hyp_vgic *hv;

	nest_four(vm);
	v->hyp->vgic.vmcr |= GICC_CTLR_EOImode;
	hv = enter(v);
	KTAP_EQ(hv->used_lrs, 4);
	KTAP_EQ(hv->lr[0] & (GICH_LR_VIRTUALID | GICH_LR_STATE), GICH_LR_ACTIVE | 35);
	KTAP_EQ(hv->lr[3] & (GICH_LR_VIRTUALID | GICH_LR_STATE), GICH_LR_ACTIVE | 32);
	/* One of hardware's may end with no maintenance of its own. */
	KTAP_TRUE(hv->hcr & GICH_HCR_UIE);
	KTAP_TRUE(!fake_maintenance(c));
	c->lr[2] &= ~GICH_LR_ACTIVE;	/* GICV_DIR of 33 */
	KTAP_TRUE(fake_maintenance(c));
	fake_exit(v);
	KTAP_TRUE(!fake_irq(v, 33)->active);
	hv = enter(v);
	KTAP_EQ(hv->used_lrs, 4);
	KTAP_TRUE(!fake_maintenance(c));
	KTAP_EQ(fake_ack(v), 37);
	KTAP_TRUE(fake_maintenance(c));
	fake_exit(v);
	enter(v);
	KTAP_TRUE(!fake_maintenance(c));
	fake_exit(v);
	fake_destroy(vm);
}

/* One register in use and others that wait behind a sender: UIE would never stop. */
static void test_sources_and_overflow(void)
{
	struct armvmm_vm *vm = fake_create(3, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	unsigned int i, rounds, taken = 0;

	fake_irq_setup(v, 1, true, 0x10);
	for (i = 0; i < 8; i++) {
		fake_irq_setup(v, 40 + i, true, 0x20);
		armvmm_vgic_inject(vm, NULL, 40 + i, true, NULL);
	}
	fake_write32(vm->vcpus[1], GICD_SGIR, 1u << 16 | 1);
	fake_write32(vm->vcpus[2], GICD_SGIR, 1u << 16 | 1);
	for (rounds = 0; rounds < 20 && taken < 10; rounds++) {
		enter(v);
		KTAP_TRUE(!fake_maintenance(&fake_cpus[0]));
		do {
			u32 iar = fake_ack(v);

			if (iar == FAKE_SPURIOUS)
				break;
			KTAP_TRUE((iar & 0x3ff) == 1 ? taken < 2 : taken >= 2);
			taken++;
			/* an exit in the middle of the handler */
			fake_exit(v);
			enter(v);
			KTAP_TRUE(!fake_maintenance(&fake_cpus[0]));
			fake_eoi(v, iar);
		} while (!fake_maintenance(&fake_cpus[0]));
		fake_exit(v);
	}
	KTAP_EQ(taken, 10);
	fake_destroy(vm);
}

/* A level that stays high comes again after its end; irqfds learn of each end. */
static void test_level_resample(void)
{
	struct armvmm_vm *vm = fake_create(1, 96, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	int i;

	fake_irq_setup(v, 80, false, 0x80);
	armvmm_vgic_inject(vm, NULL, 80, true, NULL);
	for (i = 0; i < 3; i++) {
		enter(v);
		KTAP_EQ(fake_ack(v), 80);
		KTAP_EQ(fake_ack(v), FAKE_SPURIOUS);
		fake_eoi(v, 80);
		KTAP_TRUE(fake_maintenance(&fake_cpus[0]));
		fake_exit(v);
		KTAP_EQ(fake_acks[80 - 32], i + 1);
	}
	/* lowered and raised again while it is active, then lowered for good */
	enter(v);
	KTAP_EQ(fake_ack(v), 80);
	armvmm_vgic_inject(vm, NULL, 80, false, NULL);
	armvmm_vgic_inject(vm, NULL, 80, true, NULL);
	KTAP_TRUE(!fake_cpus[0].kicked);	/* its end is seen anyway */
	armvmm_vgic_inject(vm, NULL, 80, false, NULL);
	fake_eoi(v, 80);
	fake_exit(v);
	enter(v);
	KTAP_EQ(fake_ack(v), FAKE_SPURIOUS);
	fake_exit(v);

	/* GICD_ISPENDR makes a level pending once; in its handler, once more */
	fake_write32(v, GICD_ISPENDR + 8, 1u << 16);
	enter(v);
	KTAP_EQ(fake_ack(v), 80);
	fake_exit(v);
	KTAP_EQ(fake_read32(v, GICD_ISPENDR + 8), 0);
	fake_write32(v, GICD_ISPENDR + 8, 1u << 16);
	enter(v);
	fake_eoi(v, 80);
	fake_exit(v);
	enter(v);
	KTAP_EQ(fake_ack(v), 80);
	fake_eoi(v, 80);
	fake_exit(v);
	enter(v);
	KTAP_EQ(fake_ack(v), FAKE_SPURIOUS);
	fake_exit(v);
	fake_destroy(vm);
}

/*
 * The target changes: a pending interrupt moves, also out of another vCPU's list register; an
 * active one stays.
 */
static void test_migration(void)
{
	struct armvmm_vm *vm = fake_create(3, 64, 4);
	struct armvmm_vcpu *a = vm->vcpus[0], *b = vm->vcpus[1], *c = vm->vcpus[2];

	fake_irq_setup(c, 50, true, 0x80);
	armvmm_vgic_inject(vm, NULL, 50, true, NULL);
	KTAP_TRUE(fake_irq(a, 50)->vcpu == a);
	fake_mmio_write(c, GICD_ITARGETSR + 50, 1, 2);	/* on a's list, a not in the guest */
	KTAP_TRUE(fake_irq(a, 50)->vcpu == b);
	KTAP_TRUE(armvmm_vgic_pending(b));
	KTAP_TRUE(!armvmm_vgic_pending(a));

	KTAP_EQ(enter(b)->used_lrs, 1);
	fake_mmio_write(c, GICD_ITARGETSR + 50, 1, 1);	/* in b's list register */
	KTAP_TRUE(!fake_cpus[1].in_guest);
	KTAP_TRUE(fake_irq(a, 50)->vcpu == a);
	KTAP_EQ(enter(b)->used_lrs, 0);
	fake_exit(b);

	enter(a);
	KTAP_EQ(fake_ack(a), 50);
	fake_mmio_write(c, GICD_ITARGETSR + 50, 1, 2);
	armvmm_vgic_inject(vm, NULL, 50, true, NULL);
	KTAP_TRUE(fake_irq(a, 50)->vcpu == a);		/* active: stays until its end */
	KTAP_EQ(enter(b)->used_lrs, 0);
	fake_exit(b);
	if (!fake_cpus[0].in_guest)
		enter(a);
	fake_eoi(a, 50);
	KTAP_TRUE(fake_maintenance(&fake_cpus[0]));
	KTAP_EQ(fake_ack(a), FAKE_SPURIOUS);		/* pending again, but not for a */
	fake_exit(a);
	KTAP_TRUE(fake_irq(a, 50)->vcpu == b);
	enter(b);
	KTAP_EQ(fake_ack(b), 50);
	fake_eoi(b, 50);
	fake_exit(b);
	fake_destroy(vm);
}

/* A vCPU that changes state which another vCPU runs with makes that one exit first. */
static void test_fetch(void)
{
	struct armvmm_vm *vm = fake_create(2, 64, 4);
	struct armvmm_vcpu *a = vm->vcpus[0], *b = vm->vcpus[1];

	fake_irq_setup(b, 40, true, 0x80);
	armvmm_vgic_inject(vm, NULL, 40, true, NULL);
	enter(a);
	fake_write32(b, GICD_ICPENDR + 4, 1u << 8);
	KTAP_TRUE(fake_cpus[0].kicked);
	KTAP_EQ(enter(a)->used_lrs, 0);
	fake_exit(a);

	armvmm_vgic_inject(vm, NULL, 40, true, NULL);
	enter(a);
	KTAP_EQ(fake_ack(a), 40);
	KTAP_EQ(fake_read32(b, GICD_ISPENDR + 4), 0);		/* taken, and no longer pending */
	KTAP_EQ(fake_read32(b, GICD_ISACTIVER + 4), 1u << 8);
	enter(a);
	fake_write32(b, GICD_ICACTIVER + 4, 1u << 8);
	KTAP_EQ(enter(a)->used_lrs, 0);
	/* the priority drops all the same */
	fake_eoi(a, 40);
	KTAP_EQ(fake_cpus[0].apr, 0);
	fake_exit(a);

	armvmm_vgic_inject(vm, NULL, 40, true, NULL);
	enter(a);
	fake_write32(b, GICD_ICENABLER + 4, 1u << 8);
	KTAP_EQ(enter(a)->used_lrs, 0);
	fake_exit(a);
	KTAP_EQ(fake_read32(b, GICD_ISPENDR + 4), 1u << 8);	/* still pending, not forwarded */

	/* from an interrupt handler there is no waiting: the kick is on its way */
	fake_write32(b, GICD_ISENABLER + 4, 1u << 8);
	enter(a);
	KTAP_EQ(fake_ack(a), 40);
	fake_in_irq = true;
	armvmm_vgic_inject(vm, NULL, 40, true, NULL);
	KTAP_TRUE(fake_cpus[0].kicked);
	KTAP_TRUE(a->requests);
	fake_in_irq = false;
	fake_exit(a);
	KTAP_EQ(enter(a)->lr[0] & GICH_LR_STATE, GICH_LR_STATE);
	fake_exit(a);
	fake_destroy(vm);
}

/*
 * The conditions that end a WFI: enabled group, priority above mask and running priority, by binary
 * point.
 */
static void test_wfi(void)
{
	struct armvmm_vm *vm = fake_create(1, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	struct hyp_vgic *hv = &v->hyp->vgic;
	const u32 all = GICC_CTLR_EnableGrp0 | GICC_CTLR_EnableGrp1;

	fake_irq_setup(v, 40, true, 0x80);
	armvmm_vgic_inject(vm, NULL, 40, true, NULL);
	hv->vmcr = 0xf8000000 | all;
	KTAP_TRUE(armvmm_vgic_pending(v));
	hv->vmcr = 0x80000000 | all;		/* equal is masked */
	KTAP_TRUE(!armvmm_vgic_pending(v));
	hv->vmcr = 0x88000000 | all;
	KTAP_TRUE(armvmm_vgic_pending(v));
	hv->vmcr = 0xf8000000 | GICC_CTLR_EnableGrp1;
	KTAP_TRUE(!armvmm_vgic_pending(v));
	fake_write32(v, GICD_IGROUPR + 4, 1u << 8);
	KTAP_TRUE(armvmm_vgic_pending(v));
	hv->vmcr = 0xf8000000 | GICC_CTLR_EnableGrp0;
	KTAP_TRUE(!armvmm_vgic_pending(v));
	fake_write32(v, GICD_IGROUPR + 4, 0);

	hv->vmcr = 0xf8000000 | all;
	hv->apr = 1u << (0x88 >> 3);
	KTAP_TRUE(armvmm_vgic_pending(v));
	hv->apr |= 1u << (0x80 >> 3);
	KTAP_TRUE(!armvmm_vgic_pending(v));
	hv->apr = 1u << (0x88 >> 3);
	hv->vmcr |= 3u << GICH_VMCR_BP_SHIFT;	/* 0x80 and 0x88 are one group */
	KTAP_TRUE(!armvmm_vgic_pending(v));
	hv->apr = 1u << (0x90 >> 3);
	KTAP_TRUE(armvmm_vgic_pending(v));
	/* group 1 has its own binary point, one more for the same fields, unless CBPR */
	fake_write32(v, GICD_IGROUPR + 4, 1u << 8);
	hv->apr = 1u << (0x88 >> 3);
	hv->vmcr |= 3u << GICH_VMCR_ABP_SHIFT;
	KTAP_TRUE(armvmm_vgic_pending(v));
	hv->vmcr |= GICC_CTLR_CBPR;
	KTAP_TRUE(!armvmm_vgic_pending(v));

	/* active is not pending */
	fake_write32(v, GICD_ISACTIVER + 4, 1u << 8);
	hv->apr = 0;
	KTAP_TRUE(!armvmm_vgic_pending(v));
	fake_write32(v, GICD_ICACTIVER + 4, 1u << 8);
	KTAP_TRUE(armvmm_vgic_pending(v));
	fake_write32(v, GICD_ICENABLER + 4, 1u << 8);
	KTAP_TRUE(!armvmm_vgic_pending(v));
	fake_destroy(vm);
}

/* Any thread but the vCPU's own, and also its own interrupt handler, kicks it. */
static void test_kicks(void)
{
	struct armvmm_vm *vm = fake_create(2, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];

	fake_irq_setup(v, 40, true, 0x80);
	fake_cpus[0].kicked = false;
	fake_write32(v, GICD_SGIR, 2u << 24 | 1);
	KTAP_TRUE(!fake_cpus[0].kicked);
	KTAP_EQ(v->requests, 0);
	fake_write32(vm->vcpus[1], GICD_SGIR, 1u << 16 | 2);
	KTAP_TRUE(fake_cpus[0].kicked);
	KTAP_TRUE(test_bit(VCPU_REQ_IRQ_PENDING, &v->requests));

	fake_cpus[0].kicked = false;
	fake_current = v->task;
	fake_in_irq = true;
	armvmm_vgic_inject(vm, NULL, 40, true, NULL);
	KTAP_TRUE(fake_cpus[0].kicked);
	fake_in_irq = false;
	fake_cpus[0].kicked = false;
	/* A priority that may pass the mask now */
	fake_mmio_write(vm->vcpus[1], GICD_IPRIORITYR + 40, 1, 0);
	KTAP_TRUE(fake_cpus[0].kicked);

	/* Also if the list register of a level would come out by itself at its end. */
	fake_irq_setup(v, 41, false, 0x80);
	armvmm_vgic_inject(vm, NULL, 41, true, NULL);
	enter(v);
	KTAP_TRUE(fake_irq(v, 41)->in_lr);
	fake_cpus[0].kicked = false;
	fake_mmio_write(vm->vcpus[1], GICD_IPRIORITYR + 41, 1, 8);
	KTAP_TRUE(fake_cpus[0].kicked);
	fake_exit(v);
	fake_destroy(vm);
}

/*
 * A group that the guest has disabled at its CPU interface does not keep the other one from it, by
 * what fills the list registers; and it is not kept from the guest when it is enabled.
 */
static void test_groups(void)
{
	struct armvmm_vm *vm = fake_create(1, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	struct fake_cpu *c = &fake_cpus[0];
	struct hyp_vgic *hv;
	unsigned int i;

	for (i = 40; i < 48; i++)
		fake_irq_setup(v, i, true, 0x40);
	fake_irq_setup(v, 50, true, 0x80);
	fake_write32(v, GICD_IGROUPR + 4, 1u << 18);
	/* While none waits for a register, nobody asks for one. */
	for (i = 40; i < 44; i++)
		armvmm_vgic_inject(vm, NULL, i, true, NULL);
	hv = enter(v);
	KTAP_EQ(hv->used_lrs, 4);
	KTAP_EQ(hv->hcr, GICH_HCR_En);
	fake_exit(v);
	for (i = 44; i < 48; i++)
		armvmm_vgic_inject(vm, NULL, i, true, NULL);
	/* Of one group alone it does not matter which one is enabled. */
	hv = enter(v);
	KTAP_TRUE(!(hv->hcr & ~(GICH_HCR_En | GICH_HCR_NPIE)));
	fake_exit(v);
	armvmm_vgic_inject(vm, NULL, 50, true, NULL);

	enter(v);
	KTAP_EQ(c->lr[fake_highest(c)] & GICH_LR_VIRTUALID, 40);
	KTAP_TRUE(!fake_maintenance(c));
	/* The guest disables group 0: it leaves, and group 1 is shown with what fills the rest. */
	c->vmcr &= ~GICC_CTLR_EnableGrp0;
	KTAP_TRUE(fake_maintenance(c));
	fake_exit(v);
	KTAP_EQ(enter(v)->used_lrs, 4);
	KTAP_TRUE(!fake_maintenance(c));
	KTAP_EQ(fake_ack(v), 50);
	KTAP_TRUE(fake_eoi(v, 50));
	fake_exit(v);
	armvmm_vgic_inject(vm, NULL, 50, true, NULL);
	enter(v);
	/* It enables it again. */
	c->vmcr |= GICC_CTLR_EnableGrp0;
	KTAP_TRUE(fake_maintenance(c));
	fake_exit(v);
	enter(v);
	KTAP_TRUE(!fake_maintenance(c));
	for (i = 40; i < 48; i++) {
		if (!c->in_guest)
			enter(v);
		KTAP_EQ(fake_ack(v), i);
		KTAP_TRUE(fake_eoi(v, i));
		if (fake_maintenance(c))
			fake_exit(v);
	}
	/* A client disables both, and then one. */
	for (i = 40; i < 48; i++)
		armvmm_vgic_inject(vm, NULL, i, true, NULL);
	fake_exit(v);
	hv->vmcr &= ~3u;
	enter(v);
	KTAP_TRUE(!fake_maintenance(c) && fake_highest(c) < 0);
	c->vmcr |= GICC_CTLR_EnableGrp1;
	KTAP_TRUE(fake_maintenance(c));
	fake_exit(v);
	enter(v);
	KTAP_EQ(fake_ack(v), 50);
	KTAP_TRUE(fake_eoi(v, 50));
	fake_exit(v);
	/* While the vCPU is loaded on a CPU, that has what the guest enabled last. */
	armvmm_vgic_inject(vm, NULL, 50, true, NULL);
	hv->loaded = 1;
	fake_gich[GICH_VMCR / 4] = GICC_CTLR_EnableGrp0;
	enter(v);
	KTAP_EQ(c->lr[0] & GICH_LR_VIRTUALID, 40);
	fake_exit(v);
	fake_gich[GICH_VMCR / 4] = GICC_CTLR_EnableGrp1;
	enter(v);
	KTAP_EQ(c->lr[0] & GICH_LR_VIRTUALID, 50);
	fake_exit(v);
	hv->loaded = 0;
	fake_destroy(vm);
}

/*
 * Until HYP mode has read them, no list register counts as empty: an entry that ends before the
 * guest ran must not look as if the guest had ended its interrupts.
 */
static void enter_unread(struct armvmm_vcpu *v, unsigned int used)
{
	struct hyp_vgic *hv = &v->hyp->vgic;

	hv->elrsr[0] = hv->elrsr[1] = ~0u;
	enter(v);
	KTAP_EQ(hv->used_lrs, used);
	KTAP_EQ(hv->elrsr[0] | hv->elrsr[1], 0);
	fake_exit(v);
}

static void test_unread(void)
{
	struct armvmm_vm *vm = fake_create(1, 64, 4);
	struct armvmm_vcpu *v = vm->vcpus[0];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		fake_irq_setup(v, 40 + i, true, 0x80);
		armvmm_vgic_inject(vm, NULL, 40 + i, true, NULL);
		enter_unread(v, 1 + i);
		KTAP_TRUE(v->vgic.parked && v->vgic.same);
		enter_unread(v, 1 + i);
	}
	fake_destroy(vm);
}

KTAP_MAIN(KTAP_CASE(test_nothing), KTAP_CASE(test_packing), KTAP_CASE(test_hw_level),
	  KTAP_CASE(test_sgi_sources), KTAP_CASE(test_more_than_registers),
	  KTAP_CASE(test_many_waiting), KTAP_CASE(test_parked), KTAP_CASE(test_parked_moved),
	  KTAP_CASE(test_nested_beyond_registers), KTAP_CASE(test_all_active),
	  KTAP_CASE(test_sources_and_overflow), KTAP_CASE(test_level_resample),
	  KTAP_CASE(test_migration), KTAP_CASE(test_fetch), KTAP_CASE(test_wfi),
	  KTAP_CASE(test_kicks), KTAP_CASE(test_groups),
	  KTAP_CASE(test_unread))

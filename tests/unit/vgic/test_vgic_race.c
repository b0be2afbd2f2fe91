// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/vgic/irq.c driver/vgic/inject.c driver/vgic/lr.c driver/vgic/dist.c
// sources: driver/vgic/sgi.c driver/vgic/dist_state.c driver/vgic/cpuif.c driver/vgic/init.c driver/vgic/ap.c
// sources: driver/core/kick.c driver/hyp/dist.c
// cflags: -include tests/unit/hyp_fake.h -Itests/unit/fake -Iinclude/uapi -I. -Idriver
// cflags: -DFAKE_THREADS -DFAKE_HYP
// cflags: -fno-sanitize=all -fsanitize=thread -Wno-tsan
// libs: -fno-sanitize=all -fsanitize=thread
/*
 * The vGIC and the kick in several threads, under ThreadSanitizer, as Linux 6.1 has no KCSAN on
 * 32-bit Arm. Each vCPU is a thread that enters and leaves its guest as run.c does, and accesses
 * the distributor, by HYP mode or by the host; a device is a thread that raises interrupts. A guest
 * stays until it is kicked, so if a kick is lost, a device waits for ever, or a guest that has sent
 * an SGI to the other.
 */
#include "ktap.h"
#include "vgic_fake.h"

#include <time.h>

#define NR_VCPUS	2
#define NR_IRQS		96
#define FIRST_HELD	64	/* these the guests disable, activate and clear as they like */
#define ROUNDS		1000
#define SECONDS		60

static struct armvmm_vm *vm;
static unsigned int taken[NR_IRQS];	/* how often a guest acknowledged it */
static bool stop;

#define SGI_CALL	15

struct caller {
	bool waits;
	unsigned int before, calls;
	time_t since;
};
static unsigned int called[NR_VCPUS];	/* how often it was called */
static bool call_lost;

static unsigned int rnd(u64 *rng, unsigned int n)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return (*rng >> 11) % n;
}

/* run_enter(), after the entry */
static void fake_leave(struct armvmm_vcpu *vcpu)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];
	struct hyp_vgic *hv = &vcpu->hyp->vgic;

	c->in_guest = false;
	memcpy(hv->lr, c->lr, sizeof(c->lr));
	hv->vmcr = c->vmcr;
	hv->apr = c->apr;
	/* As if every other entry had ended before the guest executed anything. */
	c->stuck = !c->stuck;
	vcpu->hyp->regs.usr_regs.ARM_pc += c->stuck ? 0 : 4;
	armvmm_vgic_entry_ended(vcpu, HYP_EXIT_IRQ);
	armvmm_vgic_sync(vcpu);
	smp_store_release(&vcpu->mode, VCPU_OUTSIDE);
	/* Interrupts are on: the one that ended the guest's time is taken. */
	WRITE_ONCE(vcpu->task->kicked, false);
	armvmm_vgic_notify(vcpu);
	fake_ended(&vcpu->vgic);
}

static void dist_access(struct armvmm_vcpu *vcpu, u32 offset, unsigned int len, bool write, u64 val)
{
	struct armvmm_iodev dev = { .base = GICD_BASE };

	if (fake_cpus[vcpu->index].in_guest) {
		if (fake_hyp_access(vcpu, offset, len, write, &val))
			return;
		fake_leave(vcpu);
	}
	if (write)
		vgic_dist_iodev_ops.write(vcpu, &dev, dev.base + offset, len, &val);
	else
		vgic_dist_iodev_ops.read(vcpu, &dev, dev.base + offset, len, &val);
}

static void dist_write(struct armvmm_vcpu *vcpu, u32 offset, unsigned int len, u32 val)
{
	dist_access(vcpu, offset, len, true, val);
}

static void dist_read(struct armvmm_vcpu *vcpu, u32 offset, unsigned int len)
{
	dist_access(vcpu, offset, len, false, 0);
}

/*
 * What guests do to the distributor. An interrupt that a device waits for stays enabled, and may
 * get any target.
 */
static void use_dist(struct armvmm_vcpu *vcpu, u64 *rng)
{
	static const u16 bits[] = {
		GICD_ISENABLER, GICD_ICENABLER, GICD_ISPENDR, GICD_ICPENDR, GICD_ICACTIVER,
		GICD_IGROUPR,
	};
	unsigned int intid = 32 + rnd(rng, NR_IRQS - 32);
	u32 held = FIRST_HELD / 8, val = 1u << rnd(rng, 32);

	switch (rnd(rng, 7)) {
	case 0:
		dist_write(vcpu, bits[rnd(rng, ARRAY_SIZE(bits))] + held, 4, val);
		break;
	case 1:
		dist_write(vcpu, GICD_IPRIORITYR + intid, 1, rnd(rng, 31) * 8);
		break;
	case 2:
		dist_write(vcpu, GICD_ITARGETSR + intid, 1, 1u << rnd(rng, NR_VCPUS));
		break;
	case 3:		/* an SGI to all others, or to itself */
		dist_write(vcpu, GICD_SGIR, 4, (1 + rnd(rng, 2)) << 24 | rnd(rng, SGI_CALL));
		break;
	case 4:
		dist_write(vcpu, GICD_ISENABLER + held, 4, ~0u);
		break;
	case 5:
		dist_read(vcpu, bits[rnd(rng, ARRAY_SIZE(bits))] + 4 * rnd(rng, 3), 4);
		break;
	case 6:
		dist_read(vcpu, GICD_IPRIORITYR + 4 * rnd(rng, NR_IRQS / 4), 4);
		dist_read(vcpu, GICD_ITARGETSR + 4 * rnd(rng, NR_IRQS / 4), 4);
		dist_read(vcpu, GICD_ICFGR + 4 * rnd(rng, NR_IRQS / 16), 4);
		dist_read(vcpu, GICD_SPENDSGIR + 4 * rnd(rng, 4), 4);
		break;
	}
}

/* Calls the other vCPU, which answers by taking the SGI, whatever it does; and again, and again. */
static void call(struct armvmm_vcpu *vcpu, struct caller *me)
{
	unsigned int other = 1 - vcpu->index, seen = READ_ONCE(called[other]);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (me->waits && seen == me->before) {
		if (now.tv_sec > me->since + SECONDS)
			WRITE_ONCE(call_lost, true);
		return;
	}
	me->calls += me->waits;
	me->waits = true;
	me->before = seen;
	me->since = now.tv_sec;
	dist_write(vcpu, GICD_SGIR, 4, 1u << (16 + other) | SGI_CALL);
}

/*
 * In the guest: takes the interrupts that are there, and waits for more, until the host interrupts.
 */
static void guest(struct armvmm_vcpu *vcpu, u64 *rng, struct caller *me)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];
	u32 iar;

	while (c->in_guest && !READ_ONCE(vcpu->task->kicked) && !READ_ONCE(stop)) {
		if (!rnd(rng, 4))
			use_dist(vcpu, rng);
		if (c->in_guest)
			call(vcpu, me);
		if (!c->in_guest)
			return;
		iar = fake_ack(vcpu);
		if (iar == FAKE_SPURIOUS) {
			sched_yield();
			continue;
		}
		__atomic_add_fetch(&taken[iar & GICH_LR_VIRTUALID], 1, __ATOMIC_RELAXED);
		if ((iar & GICH_LR_VIRTUALID) == SGI_CALL)
			__atomic_add_fetch(&called[vcpu->index], 1, __ATOMIC_RELAXED);
		fake_eoi(vcpu, iar);
		if (fake_maintenance(c))
			return;
	}
}

/* run_enter() */
static void enter(struct armvmm_vcpu *vcpu, u64 *rng, struct caller *me)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];
	struct hyp_vgic *hv = &vcpu->hyp->vgic;

	armvmm_vcpu_check_request(vcpu, VCPU_REQ_IRQ_PENDING);
	smp_store_mb(vcpu->mode, VCPU_IN_GUEST);
	if (READ_ONCE(vcpu->requests)) {
		smp_store_release(&vcpu->mode, VCPU_OUTSIDE);
		return;
	}
	armvmm_vgic_host_interface = 1u << vcpu->index;
	armvmm_vgic_flush(vcpu);
	/* HYP mode reads it once; another thread may have emptied them (vgic_lr_unpark()). */
	c->used = READ_ONCE(hv->used_lrs);
	c->hcr = hv->hcr;
	memcpy(c->lr, hv->lr, sizeof(c->lr));
	memcpy(c->late, c->lr, sizeof(c->late));
	c->vmcr = hv->vmcr;
	c->apr = hv->apr;
	c->in_guest = true;
	guest(vcpu, rng, me);
	if (c->in_guest)
		fake_leave(vcpu);
}

static void *vcpu_thread(void *arg)
{
	struct armvmm_vcpu *vcpu = arg;
	u64 rng = 0x9e3779b97f4a7c15 + vcpu->index;
	struct caller me = { };

	fake_current = &fake_tasks[vcpu->index];
	while (!READ_ONCE(stop)) {
		/* run_until_exit() */
		WRITE_ONCE(vcpu->task, fake_current);
		smp_wmb();
		for (unsigned int i = 0; i < 20 && !READ_ONCE(stop); i++) {
			enter(vcpu, &rng, &me);
			use_dist(vcpu, &rng);
		}
		WRITE_ONCE(vcpu->task, NULL);
	}
	return (void *)(uintptr_t)me.calls;
}

/* Raises one interrupt after the other, and waits until a guest has taken each. */
static void *device_thread(void *arg)
{
	unsigned int first = (uintptr_t)arg, lost = 0;
	u64 rng = 0x2545f4914f6cdd1d + first;
	struct timespec begin, now;

	fake_current = &fake_tasks[NR_VCPUS + first % 2];
	for (unsigned int i = 0; i < ROUNDS && !lost; i++) {
		unsigned int intid = first + 2 * rnd(&rng, (FIRST_HELD - 32) / 2);
		unsigned int held = FIRST_HELD + rnd(&rng, NR_IRQS - FIRST_HELD);
		unsigned int before = READ_ONCE(taken[intid]);

		clock_gettime(CLOCK_MONOTONIC, &begin);
		/* A line that stayed up would keep others of lower priority waiting. */
		armvmm_vgic_inject(vm, NULL, held, true, NULL);
		armvmm_vgic_inject(vm, NULL, intid, true, NULL);
		armvmm_vgic_inject(vm, NULL, held, false, NULL);
		while (READ_ONCE(taken[intid]) == before && !lost) {
			sched_yield();
			clock_gettime(CLOCK_MONOTONIC, &now);
			lost = now.tv_sec > begin.tv_sec + SECONDS ? intid : 0;
		}
		armvmm_vgic_inject(vm, NULL, intid, false, NULL);
	}
	return (void *)(uintptr_t)lost;
}

/*
 * A device lowers its line while the vCPU is outside its guest, and the interrupt in a list
 * register: that empties it. Of all that it changes, the next entry learns by used_lrs alone: the
 * two threads have nothing else in common that would order them.
 */
static bool is_parked, is_empty;

static void *lower_thread(void *unused)
{
	fake_current = &fake_tasks[1];
	while (!READ_ONCE(is_parked))
		sched_yield();
	armvmm_vgic_inject(vm, NULL, 40, false, NULL);
	WRITE_ONCE(is_empty, true);
	return NULL;
}

static void test_emptied(void)
{
	struct armvmm_vcpu *vcpu;
	struct hyp_vgic *hv;
	pthread_t device;

	fake_hyp = false;
	vm = fake_create(1, NR_IRQS, 4);
	vcpu = vm->vcpus[0];
	hv = &vcpu->hyp->vgic;
	fake_irq_setup(vcpu, 40, false, 0x80);
	KTAP_EQ(pthread_create(&device, NULL, lower_thread, NULL), 0);
	armvmm_vgic_inject(vm, NULL, 40, true, NULL);
	fake_enter(vcpu);
	fake_exit(vcpu);
	KTAP_EQ(READ_ONCE(hv->used_lrs), 1);
	WRITE_ONCE(is_parked, true);
	while (!READ_ONCE(is_empty))
		sched_yield();
	armvmm_vgic_flush(vcpu);
	KTAP_EQ(READ_ONCE(hv->used_lrs), 0);
	KTAP_TRUE(hv->hcr == GICH_HCR_En && !hv->full);
	pthread_join(device, NULL);
	fake_destroy(vm);
}

/* The first KVM_IRQ_LINE makes the interrupts, while other threads raise theirs. */
static void *raise_thread(void *unused)
{
	while (armvmm_vgic_inject(vm, NULL, 40, true, NULL) || !READ_ONCE(stop))
		sched_yield();
	return NULL;
}

static void test_init(void)
{
	pthread_t raiser;

	fake_hyp = false;
	for (unsigned int i = 0; i < 20; i++) {
		vm = fake_create(1, 0, 4);
		mutex_lock(&vm->lock);
		KTAP_EQ(armvmm_vgic_create(vm), 0);
		vm->vgic.nr_spis = NR_IRQS - GIC_NR_PRIVATE;
		mutex_unlock(&vm->lock);
		WRITE_ONCE(stop, false);
		KTAP_EQ(pthread_create(&raiser, NULL, raise_thread, NULL), 0);
		KTAP_EQ(armvmm_vgic_init(vm), 0);
		WRITE_ONCE(stop, true);
		pthread_join(raiser, NULL);
		KTAP_TRUE(fake_irq(vm->vcpus[0], 40)->line_level);
		fake_destroy(vm);
	}
	WRITE_ONCE(stop, false);
}

static void test_threads(void)
{
	pthread_t vcpus[NR_VCPUS], devices[2];
	void *lost, *calls;

	fake_hyp = true;
	vm = fake_create(NR_VCPUS, NR_IRQS, 4);
	fake_current = &fake_tasks[0];
	dist_write(vm->vcpus[0], GICD_CTLR, 4, 1);
	/* Edge and level, all enabled, of one priority except for what use_dist() does to it. */
	dist_write(vm->vcpus[0], GICD_ICFGR + 8, 4, 0x88888888);
	dist_write(vm->vcpus[0], GICD_ICFGR + 12, 4, 0x22222222);
	for (unsigned int i = 4; i < NR_IRQS / 8; i += 4)
		dist_write(vm->vcpus[0], GICD_ISENABLER + i, 4, ~0u);
	for (unsigned int i = 0; i < NR_VCPUS; i++)
		vm->vcpus[i]->task = NULL;
	for (uintptr_t i = 0; i < NR_VCPUS; i++)
		KTAP_EQ(pthread_create(&vcpus[i], NULL, vcpu_thread, vm->vcpus[i]), 0);
	for (uintptr_t i = 0; i < 2; i++)
		KTAP_EQ(pthread_create(&devices[i], NULL, device_thread, (void *)(32 + i)), 0);
	for (unsigned int i = 0; i < 2; i++) {
		pthread_join(devices[i], &lost);
		KTAP_EQ((uintptr_t)lost, 0);	/* the interrupt that no guest was told of */
	}
	WRITE_ONCE(stop, true);
	for (unsigned int i = 0; i < NR_VCPUS; i++) {
		pthread_join(vcpus[i], &calls);
		KTAP_TRUE((uintptr_t)calls > 100);
	}
	KTAP_TRUE(!call_lost);
	KTAP_TRUE(fake_answered > 1000);
	fake_destroy(vm);
}

KTAP_MAIN(KTAP_CASE(test_emptied), KTAP_CASE(test_init), KTAP_CASE(test_threads))

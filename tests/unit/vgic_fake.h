/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM for the vGIC on the build machine: replaces the other parts of the driver, and the
 * hardware's virtual CPU interface (IHI 0048B 5.3, 5.4), with the guest's reads of GICV_IAR and
 * writes of GICV_EOIR.
 */
#ifndef TESTS_UNIT_VGIC_FAKE_H
#define TESTS_UNIT_VGIC_FAKE_H

#include "../guest/lib/board.h"
#include "fake/fake_kernel.h"

#include "host/hypmap.h"
#include "core/kick.h"
#include "host/hypcpu.h"
#include "hyp/cpu.h"
#include "mem/memslot.h"
#include "mem/stage2.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "mmio/in_hyp.h"
#include "vgic/loaded.h"
#include "vgic/ap.h"
#include "vgic/cpuif.h"
#include "vgic/dist.h"
#include "arch/gic.h"
#include "vgic/irq.h"

#define FAKE_SPURIOUS	1023

fake_thread struct task_struct *fake_current;
fake_thread bool fake_in_irq;
struct armvmm_vgic_host armvmm_vgic_host;
#ifndef FAKE_HOST_CPUS
fake_thread u32 armvmm_vgic_host_interface;
#endif

static u32 fake_gich[0x200 / 4];
static struct armvmm_vm *fake_vm;
static struct task_struct fake_tasks[ARMVMM_MAX_VCPUS];

/* One virtual CPU interface, in the state of the hardware while its vCPU is in the guest. */
static struct fake_cpu {
	bool in_guest;
	bool kicked;
	bool stuck;		/* the guest executes nothing */
	u32 hcr, vmcr, apr;
	unsigned int used;
	u32 lr[HYP_MAX_LRS];
	u32 late[HYP_MAX_LRS];	/* what GICH shows of them before a DSB */
	u32 acked[32];		/* INTID and CPUID of what runs, by preemption level */
	unsigned int on;	/* the host's CPU (vgic_host_fake.h), */
	int thread;		/* the thread that runs it, */
	int ran_by;		/* and the one that did last */
} fake_cpus[ARMVMM_MAX_VCPUS];

static unsigned int fake_acks[GIC_MAX_IRQS];	/* resample notifications, by SPI */
static unsigned int fake_iobus_devs, fake_mapped;
static int fake_map_error, fake_busy;
static bool fake_has_run;
static struct armvmm_memslot *fake_slot;	/* over the distributor's window */

#ifdef FAKE_HOST_CPUS
#include "vgic_host_fake.h"
#else
/* Each vCPU has a CPU of the host to itself, with its state always in the structure. */
#define fake_host_cpu	0
#define fake_at(cpu)	((void)(cpu))
#define fake_run(vcpu)	((void)(vcpu))
#define fake_gich_hcr(c)	((c)->hcr)
#define fake_hyp_answers(vcpu)	true

/* Its list registers hold nothing. */
struct hyp_cpu *armvmm_hypcpu_this(void)
{
	static struct hyp_cpu hyp;

	return &hyp;
}

static inline void fake_load(struct armvmm_vcpu *vcpu)
{
	armvmm_vgic_host_interface = 1u << vcpu->index;
}

static inline void fake_hyp_restore(struct armvmm_vcpu *vcpu)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];
	struct hyp_vgic *hv = &vcpu->hyp->vgic;

	c->used = hv->used_lrs;
	c->hcr = hv->hcr;
	memcpy(c->lr, hv->lr, sizeof(c->lr));
	c->vmcr = hv->vmcr;
	c->apr = hv->apr;
}

static inline void fake_hyp_save(struct armvmm_vcpu *vcpu)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];
	struct hyp_vgic *hv = &vcpu->hyp->vgic;

	memcpy(hv->lr, c->lr, sizeof(c->lr));
	hv->vmcr = c->vmcr;
	hv->apr = c->apr;
}
#endif

/* --- the driver's other nouns --- */

void *armvmm_hypmap_alloc(size_t size)
{
	return calloc(1, size);
}

void armvmm_hypmap_free(void *p, size_t size)
{
	free(p);
}

void armvmm_iobus_register(struct armvmm_vm *vm, enum armvmm_iobus_place place,
			   struct armvmm_iodev *dev)
{
	lockdep_assert_held(&vm->slots_lock);
	fake_iobus_devs++;
}

void armvmm_iobus_unregister(struct armvmm_vm *vm, enum armvmm_iobus_place place)
{
	lockdep_assert_held(&vm->slots_lock);
	fake_iobus_devs--;
}

int armvmm_stage2_map_device(struct armvmm_vm *vm, u64 ipa, phys_addr_t pa, size_t size,
			     bool writable)
{
	if (!fake_map_error)
		fake_mapped++;
	return fake_map_error;
}

/*
 * The client's registers in HYP mode: there are none. They are looked at when the distributor is
 * there, and no other vCPU has been told so yet.
 */
static unsigned int fake_looks;

void armvmm_mirror_slots_change(struct armvmm_vm *vm)
{
}

void armvmm_mirror_slots_changed(struct armvmm_vm *vm)
{
	assert(fake_iobus_devs && !vm->vgic.ready);
	fake_looks++;
}

void armvmm_coalesced_slots_change(struct armvmm_vm *vm)
{
}

void armvmm_coalesced_slots_changed(struct armvmm_vm *vm)
{
}

struct armvmm_memslot *armvmm_memslot_find(struct armvmm_vm *vm, u64 gfn)
{
	lockdep_assert_held(&vm->slots_lock);
	return fake_slot;
}

int armvmm_vcpus_trylock(struct armvmm_vm *vm)
{
	lockdep_assert_held(&vm->lock);
	return fake_busy;
}

void armvmm_vcpus_unlock(struct armvmm_vm *vm)
{
	assert(!fake_busy);
}

bool armvmm_vcpus_have_run(struct armvmm_vm *vm)
{
	return fake_has_run;
}

/* As armvmm_eventfd_ended(). */
static void fake_ended(struct armvmm_vgic_vcpu *v)
{
	while (v->nr_ended) {
		unsigned int spi = v->ended[--v->nr_ended] - GIC_NR_PRIVATE;

		assert(spi < GIC_MAX_IRQS);
		__atomic_add_fetch(&fake_acks[spi], 1, __ATOMIC_RELAXED);
	}
}

#ifndef FAKE_HOST_CPUS
void armvmm_vgic_unload_all(struct armvmm_vm *vm)
{
}

struct armvmm_vcpu *armvmm_vgic_loaded(void)
{
	return NULL;
}
#endif

/* --- the hardware --- */

static inline u32 fake_lr_priority(u32 lr)
{
	return ((lr >> GICH_LR_PRIORITY_SHIFT) & 0x1f) << VGIC_PRIORITY_SHIFT;
}

static inline u32 fake_running(const struct fake_cpu *c)
{
	return c->apr ? __ffs(c->apr) << VGIC_PRIORITY_SHIFT : VGIC_PRIORITY_IDLE;
}

static inline u32 fake_mask(const struct fake_cpu *c)
{
	return c->vmcr >> GICH_VMCR_PRIMASK_SHIFT << VGIC_PRIORITY_SHIFT;
}

/* The list register that a read of IAR would take, or -1 (binary point: all bits preempt). */
static inline int fake_highest(const struct fake_cpu *c)
{
	unsigned int n;
	int best = -1;

	if (!(c->hcr & GICH_HCR_En))
		return -1;
	for (n = 0; n < c->used; n++) {
		u32 enable = c->lr[n] & GICH_LR_GRP1 ? GICC_CTLR_EnableGrp1 : GICC_CTLR_EnableGrp0;

		if ((c->lr[n] & GICH_LR_STATE) != GICH_LR_PENDING || !(c->vmcr & enable))
			continue;
		if (fake_lr_priority(c->lr[n]) >= fake_running(c) ||
		    fake_lr_priority(c->lr[n]) >= fake_mask(c))
			continue;
		if (best < 0 || fake_lr_priority(c->lr[n]) < fake_lr_priority(c->lr[best]))
			best = n;
	}
	return best;
}

/* GICV_IAR: INTID, and for an SGI the sender in bits 12-10. */
static inline u32 fake_ack(struct armvmm_vcpu *vcpu)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];
	int n = fake_highest(c);
	u32 iar, level;

	assert(c->in_guest);
	if (n < 0)
		return FAKE_SPURIOUS;
	iar = c->lr[n] & GICH_LR_VIRTUALID;
	if (iar < GIC_NR_SGIS)
		iar |= GICH_LR_CPUID(c->lr[n]) << GICH_LR_CPUID_SHIFT;
	c->lr[n] = (c->lr[n] & ~GICH_LR_PENDING) | GICH_LR_ACTIVE;
	level = fake_lr_priority(c->lr[n]) >> VGIC_PRIORITY_SHIFT;
	c->apr |= 1u << level;
	c->acked[level] = iar;
	return iar;
}

/* The interrupt that a guest would end next, or FAKE_SPURIOUS. */
static inline u32 fake_active_iar(const struct fake_cpu *c)
{
	return c->apr ? c->acked[__ffs(c->apr)] : FAKE_SPURIOUS;
}

/* GICV_EOIR, EOImode 0. Returns false if no list register had it (EOICount). */
static inline bool fake_eoi(struct armvmm_vcpu *vcpu, u32 iar)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];
	unsigned int n;

	assert(c->in_guest && c->apr);
	c->apr &= c->apr - 1;
	for (n = 0; n < c->used; n++) {
		u32 id = c->lr[n] & GICH_LR_VIRTUALID;

		if (id < GIC_NR_SGIS)
			id |= GICH_LR_CPUID(c->lr[n]) << GICH_LR_CPUID_SHIFT;
		if (id == iar && (c->lr[n] & GICH_LR_ACTIVE)) {
			c->lr[n] &= ~GICH_LR_ACTIVE;
			return true;
		}
	}
	return false;
}

/* GICH_MISR: the maintenance interrupt is asserted (5.3.4). */
static inline bool fake_maintenance(const struct fake_cpu *c)
{
	unsigned int n, valid = 0, pending = 0, eoi = 0;

	for (n = 0; n < c->used; n++) {
		valid += !!(c->lr[n] & GICH_LR_STATE);
		pending += (c->lr[n] & GICH_LR_STATE) == GICH_LR_PENDING;
		eoi += !(c->lr[n] & (GICH_LR_STATE | GICH_LR_HW)) && (c->lr[n] & GICH_LR_EOI);
	}
	for (n = 0; n < 2; n++)
		if (c->hcr & (c->vmcr >> n & 1 ? GICH_HCR_VGrpEIE(n) : GICH_HCR_VGrpDIE(n)))
			return true;
	return eoi || ((c->hcr & GICH_HCR_UIE) && valid <= 1) ||
	       ((c->hcr & GICH_HCR_NPIE) && !pending);
}

/* What else is done before an entry, and, with the list registers read back, after the exit. */
static void (*fake_on_enter)(struct armvmm_vcpu *vcpu), (*fake_on_exit)(struct armvmm_vcpu *vcpu);

/* An entry and an exit, as in run.c and HYP mode. */
static inline void fake_enter(struct armvmm_vcpu *vcpu)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];

	assert(!c->in_guest);
	fake_run(vcpu);
	if (fake_on_enter)
		fake_on_enter(vcpu);
	vcpu->requests = 0;
	c->kicked = false;
	fake_load(vcpu);
	armvmm_vgic_flush(vcpu);
	assert(vcpu->hyp->vgic.used_lrs <= armvmm_vgic_host.nr_lr);
	fake_hyp_restore(vcpu);
	memcpy(c->late, c->lr, sizeof(c->late));
	c->in_guest = true;
}

static inline void fake_exit(struct armvmm_vcpu *vcpu)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];
	struct task_struct *was = fake_current;
	unsigned int cpu = fake_host_cpu;

	if (!c->in_guest)
		return;
	c->in_guest = false;
	fake_at(c->on);
	fake_hyp_save(vcpu);
	fake_current = vcpu->task;
	vcpu->hyp->regs.usr_regs.ARM_pc += c->stuck ? 0 : 4;
	if (fake_on_exit)
		fake_on_exit(vcpu);
	armvmm_vgic_entry_ended(vcpu, HYP_EXIT_IRQ);
	armvmm_vgic_sync(vcpu);
	armvmm_vgic_notify(vcpu);
	fake_ended(&vcpu->vgic);
	fake_current = was;
	fake_at(cpu);
}

#ifndef FAKE_THREADS
/* The IPI of a kick: taken at once, unless an interrupt handler sends it, with locks held. */
void armvmm_vcpu_kick(struct armvmm_vcpu *vcpu)
{
	fake_cpus[vcpu->index].kicked = true;
	if (!fake_in_irq)
		fake_exit(vcpu);
}

/* A physical SGI: the guest leaves, whatever the host says. */
static inline void fake_interrupt(struct armvmm_vcpu *vcpu)
{
	assert(fake_cpus[vcpu->index].in_guest);
	fake_cpus[vcpu->index].kicked = true;
	fake_exit(vcpu);
}

#endif

/* --- the VM --- */

static inline struct armvmm_vm *fake_create(unsigned int nr_vcpus, unsigned int nr_irqs,
					    unsigned int nr_lr)
{
	struct armvmm_vm *vm = calloc(1, sizeof(*vm));
	unsigned int i;

	memset(fake_cpus, 0, sizeof(fake_cpus));
	memset(fake_acks, 0, sizeof(fake_acks));
	fake_iobus_devs = fake_mapped = fake_looks = 0;
	fake_map_error = fake_busy = 0;
	fake_has_run = fake_in_irq = false;
	fake_current = NULL;
	fake_vm = vm;
	armvmm_vgic_host = (struct armvmm_vgic_host){
		.gich = fake_gich, .nr_lr = nr_lr, .split_eoi = true, .gicv_pa = 0x2c006000,
	};
	armvmm_vgic_vm_init(vm);
	for (i = 0; i < nr_vcpus; i++) {
		struct armvmm_vcpu *vcpu = calloc(1, sizeof(*vcpu));

		vcpu->vm = vm;
		vcpu->index = vcpu->id = i;
		vcpu->hyp = calloc(1, sizeof(*vcpu->hyp));
		vcpu->task = &fake_tasks[i];
		vcpu->loaded_cpu = -1;
		assert(!armvmm_vgic_vcpu_create(vcpu));
		/* All priorities pass, both groups are on. */
		vcpu->hyp->vgic.hcr = GICH_HCR_En;
		vcpu->hyp->vgic.vmcr = GICH_VMCR_PRIMASK_MASK | GICC_CTLR_EnableGrp0 |
				       GICC_CTLR_EnableGrp1;
		vm->vcpus[i] = vcpu;
		vm->created_vcpus = vm->online_vcpus = i + 1;
	}
	if (nr_irqs) {
		mutex_lock(&vm->lock);
		assert(!armvmm_vgic_create(vm));
		vm->vgic.nr_spis = nr_irqs - GIC_NR_PRIVATE;
		mutex_unlock(&vm->lock);
		assert(!armvmm_vgic_init(vm));
	}
	return vm;
}

static inline void fake_destroy(struct armvmm_vm *vm)
{
	int i;

	for (i = 0; i < vm->online_vcpus; i++) {
		armvmm_vgic_vcpu_destroy(vm->vcpus[i]);
		free(vm->vcpus[i]->hyp);
		free(vm->vcpus[i]);
	}
	armvmm_vgic_vm_destroy(vm);
	free(vm);
	fake_vm = NULL;
}

#ifdef FAKE_HYP
/* --- HYP mode, which has the hardware's list registers, and what it tells the CPU --- */

static bool fake_hyp;			/* it may answer */
static unsigned long fake_answered;	/* how often it did */

#ifndef FAKE_THREADS
#define fake_leave	fake_exit
#else
/* The test's own: as run.c leaves the guest. */
static void fake_leave(struct armvmm_vcpu *vcpu);
/* The host's interrupt: it ends the guest's time. */
#define fake_interrupt(vcpu)	kick_process(&fake_tasks[(vcpu)->index])
#endif

#ifndef FAKE_HOST_CPUS
static inline void fake_sgi(unsigned int interface)
{
	struct armvmm_vcpu *vcpu = fake_vm->vcpus[interface];

#ifndef FAKE_THREADS
	assert(vcpu->hyp->dist.listen == HYP_LISTEN_KICKED);
#endif
	fake_interrupt(vcpu);
}
#endif

static fake_thread u32 fake_hdfar, fake_elr, fake_spsr;

/* What else barriers order, if the test says so. */
static void (*fake_barrier)(const char *op);
static u64 (*fake_other_reg)(const char *args);

/* HYP mode's access to the distributor that is going on: what it sees of GICH, and writes. */
static fake_thread struct fake_access {
	struct armvmm_vcpu *vcpu;
	u32 *lr;		/* GICH's list registers */
	const u32 *sgir;
	/* What other CPUs see of each vCPU: what was stored before the last DSB. */
	struct {
		u32 listen, posted;
	} seen[ARMVMM_MAX_VCPUS];
} *fake_access;

/* The list registers in which HYP mode has written nothing since show what the guest did. */
static void fake_dsb(struct fake_access *a)
{
	struct fake_cpu *c = &fake_cpus[a->vcpu->index];
	unsigned int n;

	for (n = 0; n < HYP_MAX_LRS; n++)
		if (a->lr[n] == c->late[n])
			a->lr[n] = c->late[n] = c->lr[n];
}

static void fake_dsb_stores(struct fake_access *a)
{
#ifndef FAKE_THREADS
	int i;

	assert(!*a->sgir);
	for (i = 0; i < fake_vm->online_vcpus; i++) {
		a->seen[i].listen = fake_vm->vcpus[i]->hyp->dist.listen;
		a->seen[i].posted = fake_vm->vcpus[i]->hyp->dist.posted;
	}
#endif
}

void fake_op(const char *fmt, ...)
{
	/* That the PC moves is looked at below. */
	if (!strncmp(fmt, "msr ELR_hyp", 11)) {
		fake_elr++;
		return;
	}
	if (fake_access && !strcmp(fmt, "dsb"))
		fake_dsb(fake_access);
	if (fake_access && !strncmp(fmt, "dsb", 3))
		fake_dsb_stores(fake_access);
	if (fake_barrier)
		fake_barrier(fmt);
}

u64 fake_reg(const char *args)
{
	if (!strcmp(args, "SPSR"))
		return fake_spsr;
	if (fake_other_reg && !strstr(args, "c6, c0, 0"))
		return fake_other_reg(args);
	assert(!strcmp(args, "4, c6, c0, 0"));
	return fake_hdfar;
}

/*
 * The guest's access by r3, as hyp_fastpath() gets it. False: it is left to the host. The physical
 * SGI is taken at once by those that HYP mode sends it to.
 */
static inline bool fake_hyp_access(struct armvmm_vcpu *vcpu, u32 offset, unsigned int len,
				   bool write, u64 *val)
{
	struct fake_cpu *c = &fake_cpus[vcpu->index];
	u32 gich[0x200 / 4] = { [GICH_HCR / 4] = c->hcr }, gicd[GICD_SIZE / 4];
	struct hyp_cpu cpu = { .gich = gich, .gicd = gicd, .gich_hcr = fake_gich_hcr(c) };
	u32 hsr = (u32)HSR_EC_DABT << 26 | HSR_IL | HSR_DABT_ISV | HSR_FSC_TRANSLATION | 3 |
		  3 << 16;
	struct fake_access access = {
		.vcpu = vcpu, .lr = &gich[GICH_LR(0) / 4], .sgir = &gicd[GICD_SGIR / 4],
	};
	u32 ret, sgir, kicked;
	unsigned int n;

	if (!fake_hyp || !c->in_guest || (len != 1 && len != 4) || !fake_hyp_answers(vcpu))
		return false;
	gicd[GICD_SGIR / 4] = 0;
	memcpy(access.lr, c->late, sizeof(c->late));
	vcpu->hyp->regs.usr_regs.uregs[3] = write ? *val : 0x5a5a5a5a;
	fake_hdfar = 0xc0001000 + offset;
	fake_elr = 0;
	fake_access = &access;
	ret = hyp_dist_trap(&cpu, vcpu->hyp, hsr | (len == 4 ? 2u << 22 : 0) |
			    (write ? HSR_DABT_WNR : 0));
	fake_access = NULL;
	/* What HYP mode left alone is as the guest left it. */
	for (n = 0; n < HYP_MAX_LRS; n++)
		if (access.lr[n] != c->late[n])
			c->lr[n] = access.lr[n];
	memcpy(c->late, c->lr, sizeof(c->late));
	c->hcr = gich[GICH_HCR / 4];
	fake_gich_hcr(c) = cpu.gich_hcr;
	c->used = vcpu->hyp->vgic.used_lrs;
	assert(c->used <= armvmm_vgic_host.nr_lr);
	sgir = gicd[GICD_SGIR / 4];
	assert(fake_elr == (ret != HYP_EXIT_TRAP));
	if (ret == HYP_EXIT_TRAP) {
		assert(!sgir && !vcpu->hyp->dist.notify);
		return false;
	}
	assert(ret == (u32)HYP_RESUME || ret == HYP_EXIT_IRQ);
	__atomic_add_fetch(&fake_answered, 1, __ATOMIC_RELAXED);
	if (!write)
		*val = (u32)vcpu->hyp->regs.usr_regs.uregs[3];
	/* The filter, and the SGI that wakes up, are zero. */
	assert(!(sgir & 0xff00ffff));
	for (kicked = sgir >> 16; kicked; kicked &= kicked - 1) {
		n = __ffs(kicked);
#if !defined(FAKE_THREADS) && !defined(FAKE_HOST_CPUS)
		/* The receiver sees what was sent, and by whom it was kicked. */
		assert(access.seen[n].listen == HYP_LISTEN_KICKED);
		assert(access.seen[n].posted == vcpu->vm->vcpus[n]->hyp->dist.posted);
#endif
		fake_sgi(n);
	}
	if (ret == HYP_EXIT_IRQ)
		fake_leave(vcpu);
	return true;
}
#else
#define fake_hyp_access(vcpu, offset, len, write, val)	false
#endif

/* The guest's loads and stores at the distributor: @vcpu exits for them. */
static inline u64 fake_mmio_read(struct armvmm_vcpu *vcpu, u32 offset, unsigned int len)
{
	struct armvmm_iodev dev = { .base = GICD_BASE };
	u8 *buf;
	u64 val = 0;

	if (fake_hyp_access(vcpu, offset, len, false, &val))
		return val;
	buf = malloc(len);	/* of the very size, for ASan to guard */
	fake_exit(vcpu);
	fake_run(vcpu);
	fake_current = vcpu->task;
	memset(buf, 0xa5, len);
	assert(!vgic_dist_iodev_ops.read(vcpu, &dev, dev.base + offset, len, buf));
	fake_current = NULL;
	memcpy(&val, buf, len);
	free(buf);
	return val;
}

static inline void fake_mmio_write(struct armvmm_vcpu *vcpu, u32 offset, unsigned int len, u64 val)
{
	struct armvmm_iodev dev = { .base = GICD_BASE };
	u8 *buf;

	if (fake_hyp_access(vcpu, offset, len, true, &val))
		return;
	buf = malloc(len);
	fake_exit(vcpu);
	fake_run(vcpu);
	fake_current = vcpu->task;
	memcpy(buf, &val, len);
	assert(!vgic_dist_iodev_ops.write(vcpu, &dev, dev.base + offset, len, buf));
	fake_current = NULL;
	free(buf);
}

static inline u32 fake_read32(struct armvmm_vcpu *vcpu, u32 offset)
{
	return fake_mmio_read(vcpu, offset, 4);
}

static inline void fake_write32(struct armvmm_vcpu *vcpu, u32 offset, u32 val)
{
	fake_mmio_write(vcpu, offset, 4, val);
}

/* Enabled, edge or level, with a priority. The distributor is on. */
static inline void fake_irq_setup(struct armvmm_vcpu *vcpu, unsigned int intid, bool edge,
				  u8 priority)
{
	u32 cfg;

	fake_write32(vcpu, GICD_CTLR, 1);
	cfg = fake_read32(vcpu, GICD_ICFGR + intid / 16 * 4) & ~(2u << (intid % 16 * 2));
	fake_write32(vcpu, GICD_ICFGR + intid / 16 * 4, cfg | (edge ? 2u : 0) << (intid % 16 * 2));
	fake_mmio_write(vcpu, GICD_IPRIORITYR + intid, 1, priority);
	fake_write32(vcpu, GICD_ISENABLER + intid / 32 * 4, 1u << intid % 32);
}

static inline struct armvmm_vgic_irq *fake_irq(struct armvmm_vcpu *vcpu, unsigned int intid)
{
	return vgic_irq_get(vcpu->vm, vcpu, intid);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* The life of a VM's GIC: created, given its size, mapped, destroyed. */
#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "arch/archregs.h"
#include "arch/gic.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "host/hypmap.h"
#include "mem/memslot.h"
#include "mem/stage2.h"
#include "mem/stage2_index.h"
#include "mmio/in_hyp.h"
#include "vgic/ap.h"
#include "vgic/dist.h"
#include "vgic/irq.h"

#define INIT_NR_IRQS_LEGACY	256	/* for clients that set none, as KVM */

static bool hyp_dist = true;
module_param(hyp_dist, bool, 0644);
MODULE_PARM_DESC(hyp_dist, "answer guests' accesses to the distributor in HYP mode, for VMs that start from now on");

/* All SPIs of a VM, and behind them what HYP mode has to know of its distributor. */
static size_t init_spis_size(unsigned int n)
{
	return PAGE_ALIGN(n * sizeof(struct armvmm_vgic_irq) + sizeof(struct hyp_dist));
}

/* What a vCPU has of its own, in one page. */
struct init_vcpu {
	struct armvmm_vgic_irq irqs[GIC_NR_PRIVATE];
	struct armvmm_vgic_ap ap;
};

#define INIT_VCPU_SIZE		PAGE_ALIGN(sizeof(struct init_vcpu))

void armvmm_vgic_vm_init(struct armvmm_vm *vm)
{
	vm->vgic.dist_base = VGIC_ADDR_UNDEF;
	vm->vgic.cpu_base = VGIC_ADDR_UNDEF;
}

void armvmm_vgic_vm_destroy(struct armvmm_vm *vm)
{
	struct armvmm_vgic *vgic = &vm->vgic;

	vgic->initialized = false;
	if (vgic->spis)
		armvmm_hypmap_free(vgic->spis, vgic->spis_size);
	vgic->spis = NULL;
	vgic->dist = NULL;
}

int armvmm_vgic_vcpu_create(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;
	struct init_vcpu *own;
	unsigned int intid;

	if (vcpu->vm->vgic.initialized)
		return -EBUSY;

	raw_spin_lock_init(&v->ap_list_lock);
	own = armvmm_hypmap_alloc(INIT_VCPU_SIZE);
	if (!own)
		return -ENOMEM;
	v->private = own->irqs;
	v->ap = &own->ap;
	vgic_ap_init(v->ap);
	for (intid = 0; intid < GIC_NR_PRIVATE; intid++)
		vgic_irq_init(&v->private[intid], intid, vcpu);
	/* As vgic_irq_init() has them. */
	vcpu->hyp->dist.enabled = BIT(GIC_NR_SGIS) - 1;
	return 0;
}

void armvmm_vgic_vcpu_destroy(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;

	if (v->private)
		armvmm_hypmap_free(v->private, INIT_VCPU_SIZE);
	v->private = NULL;
}

void armvmm_vgic_vcpu_reset(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vgic_irq *irq;
	unsigned long flags;
	unsigned int intid;

	if (!vcpu->vgic.private)
		return;
	for (intid = GIC_NR_SGIS; intid < GIC_NR_PRIVATE; intid++) {
		irq = &vcpu->vgic.private[intid];
		raw_spin_lock_irqsave(&irq->lock, flags);
		if (irq->get_level) {
			WRITE_ONCE(irq->active, false);
			irq->acked = false;
			WRITE_ONCE(irq->pending_latch, false);
			WRITE_ONCE(irq->line_level, false);
		}
		vgic_irq_update_unlock(irq, flags);
	}
}

int armvmm_vgic_create(struct armvmm_vm *vm)
{
	int ret;

	lockdep_assert_held(&vm->lock);

	if (vm->vgic.in_kernel)
		return -EEXIST;
	if (!armvmm_vgic_host.gich)
		return -ENODEV;

	/* A vCPU that ran had its interrupts from the client. */
	ret = armvmm_vcpus_trylock(vm);
	if (ret)
		return ret;
	if (armvmm_vcpus_have_run(vm))
		ret = -EBUSY;
	else
		vm->vgic.in_kernel = true;
	armvmm_vcpus_unlock(vm);
	return ret;
}

/* CPUNumber, ITLinesNumber; no Security Extensions (IHI 0048B 4.3.2) */
static u32 init_typer(struct armvmm_vm *vm)
{
	return (armvmm_vcpus_online(vm) - 1) << 5 |
	       ((vm->vgic.nr_spis + GIC_NR_PRIVATE) / 32 - 1);
}

static void init_dist(struct armvmm_vm *vm, struct hyp_dist *dist)
{
	struct hyp_dist_vcpu *own;
	struct armvmm_vcpu *vcpu;
	int i;

	dist->typer = init_typer(vm);
	dist->iidr = VGIC_IIDR(2);
	dist->end = vgic_irq_end(&vm->vgic);
	dist->nr_lr = armvmm_vgic_host.nr_lr;
	dist->nr_vcpus = armvmm_vcpus_online(vm);
	dist->spis = vm->vgic.spis;
	armvmm_vcpus_for_each(i, vcpu, vm) {
		dist->hyp[i] = vcpu->hyp;
		dist->vcpu[i] = vcpu;
		own = &vcpu->hyp->dist;
		own->index = i;
		own->peers = dist->nr_vcpus > 1;
		own->irqs = vcpu->vgic.private;
		own->self = vcpu;
		own->vm = dist;
	}
	vm->vgic.dist = dist;
}

int armvmm_vgic_init_locked(struct armvmm_vm *vm)
{
	struct armvmm_vgic *vgic = &vm->vgic;
	unsigned int i, n;

	lockdep_assert_held(&vm->lock);

	if (vgic->initialized)
		return 0;
	if (!vgic->in_kernel)
		return -ENODEV;
	if (vm->created_vcpus != armvmm_vcpus_online(vm))
		return -EBUSY;

	if (!vgic->nr_spis)
		vgic->nr_spis = INIT_NR_IRQS_LEGACY - GIC_NR_PRIVATE;
	n = vgic_irq_end(vgic) - GIC_NR_PRIVATE;
	vgic->spis_size = init_spis_size(n);
	vgic->spis = armvmm_hypmap_alloc(vgic->spis_size);
	if (!vgic->spis)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		vgic_irq_init(&vgic->spis[i], GIC_NR_PRIVATE + i, vm->vcpus[0]);
	init_dist(vm, (struct hyp_dist *)&vgic->spis[n]);

	/* Pairs with the acquire of those who inject. */
	smp_store_release(&vgic->initialized, true);
	return 0;
}

int armvmm_vgic_init(struct armvmm_vm *vm)
{
	int ret;

	if (smp_load_acquire(&vm->vgic.initialized))
		return 0;
	mutex_lock(&vm->lock);
	ret = armvmm_vgic_init_locked(vm);
	mutex_unlock(&vm->lock);
	return ret;
}

/* The two frames fit into the IPA space and do not meet. */
static bool init_frames_valid(const struct armvmm_vgic *vgic)
{
	u64 dist = vgic->dist_base, cpu = vgic->cpu_base, end = 1ULL << STAGE2_IPA_BITS;

	if (dist > end - GICD_SIZE || cpu > end - GICC_SIZE)
		return false;
	return dist + GICD_SIZE <= cpu || cpu + GICC_SIZE <= dist;
}

static void init_set_page(struct armvmm_vm *vm)
{
	struct armvmm_vgic *vgic = &vm->vgic;
	u32 page = HYP_DIST_OFF;
	struct armvmm_vcpu *vcpu;
	int i;

	if (vgic->in_hyp && !vgic->hiding &&
	    !armvmm_memslot_find(vm, vgic->dist_base >> PAGE_SHIFT))
		page = ((vgic->dist_base >> HPFAR_FIPA_SHIFT) & HPFAR_FIPA) | HYP_DIST_ON;
	armvmm_vcpus_for_each(i, vcpu, vm)
		WRITE_ONCE(vcpu->hyp->dist.page, page);
}

bool armvmm_vgic_slots_change(struct armvmm_vm *vm, u64 ipa, u64 size)
{
	struct armvmm_vgic *vgic = &vm->vgic;
	bool hide;

	mutex_lock(&vm->slots_lock);
	/* Before it is known where the distributor is, the slot may be over it. */
	hide = !vgic->in_hyp || (vgic->dist_base >= ipa && vgic->dist_base - ipa < size);
	if (hide) {
		vgic->hiding++;
		init_set_page(vm);
	}
	mutex_unlock(&vm->slots_lock);
	return hide;
}

void armvmm_vgic_slots_changed(struct armvmm_vm *vm, bool hide)
{
	mutex_lock(&vm->slots_lock);
	vm->vgic.hiding -= hide;
	init_set_page(vm);
	mutex_unlock(&vm->slots_lock);
}

static int init_map(struct armvmm_vm *vm)
{
	struct armvmm_vgic *vgic = &vm->vgic;
	int ret;

	if (vgic->dist_base == VGIC_ADDR_UNDEF || vgic->cpu_base == VGIC_ADDR_UNDEF)
		return -ENXIO;
	if (!init_frames_valid(vgic))
		return -EINVAL;
	ret = armvmm_vgic_init_locked(vm);
	if (ret)
		return ret;

	vgic->dist_iodev.ops = &vgic_dist_iodev_ops;
	vgic->dist_iodev.base = vgic->dist_base;
	vgic->dist_iodev.size = GICD_SIZE;
	mutex_lock(&vm->slots_lock);
	armvmm_iobus_register(vm, ARMVMM_IOBUS_GICD, &vgic->dist_iodev);
	vgic->in_hyp = READ_ONCE(hyp_dist);
	mutex_unlock(&vm->slots_lock);

	ret = armvmm_stage2_map_device(vm, vgic->cpu_base, armvmm_vgic_host.gicv_pa, GICC_SIZE,
				       true);
	if (ret) {
		mutex_lock(&vm->slots_lock);
		armvmm_iobus_unregister(vm, ARMVMM_IOBUS_GICD);
		vgic->in_hyp = false;
		mutex_unlock(&vm->slots_lock);
		return ret;
	}
	armvmm_vgic_slots_changed(vm, false);
	/* On the bus it comes before all that is the client's, from the first entry on. */
	armvmm_in_hyp_change(vm);
	armvmm_in_hyp_changed(vm);
	smp_store_release(&vgic->ready, true);
	return 0;
}

int armvmm_vgic_map_resources(struct armvmm_vm *vm)
{
	int ret = 0;

	if (smp_load_acquire(&vm->vgic.ready))
		return 0;
	mutex_lock(&vm->lock);
	if (vm->vgic.in_kernel && !vm->vgic.ready)
		ret = init_map(vm);
	mutex_unlock(&vm->lock);
	return ret;
}

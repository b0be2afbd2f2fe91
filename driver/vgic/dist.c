// SPDX-License-Identifier: GPL-2.0-only
/*
 * The distributor's registers (IHI 0048B 4.3), with the choices of KVM's last
 * GICv2 where the architecture leaves one: five priority bits, PPIs always
 * level-sensitive, one enable bit for both groups, an SPI without a target
 * goes to the first vCPU.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <asm/byteorder.h>

#include "arch/gic.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "vgic/dist.h"
#include "vgic/irq.h"

/* What an access means: @n interrupts from @intid on (bits == 0: @intid is the offset). */
struct dist_reg {
	u16 base;
	u16 size;
	u8 bits;		/* of each interrupt; 0: not per interrupt */
	bool bytes;		/* byte accesses are allowed (IHI 0048B 4.1.4) */
	bool hidden;		/* not among the client's registers */
	u32 (*read)(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n);
	void (*write)(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n, u32 val);
	/* Where the client's writes differ from the guest's. */
	int (*user_write)(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n, u32 val);
};

u8 vgic_dist_cpu_mask(struct armvmm_vm *vm)
{
	return (1u << armvmm_vcpus_online(vm)) - 1;
}

/*
 * The first of @n interrupts from @intid on; @n is cut to those that exist.
 * They are neighbours in memory: an aligned word never mixes private ones with SPIs.
 */
static struct armvmm_vgic_irq *dist_irqs(struct armvmm_vcpu *vcpu, unsigned int intid,
					 unsigned int *n)
{
	struct armvmm_vgic_irq *irq = vgic_irq_get(vcpu->vm, vcpu, intid);
	unsigned int end = intid < GIC_NR_PRIVATE ? GIC_NR_PRIVATE :
						     vgic_irq_end(&vcpu->vm->vgic);

	if (!irq)
		*n = 0;
	else if (*n > end - intid)
		*n = end - intid;
	return irq;
}

/* --- not per interrupt --- */

static u32 dist_read_ctlr(struct armvmm_vcpu *vcpu, unsigned int offset, unsigned int n)
{
	const struct hyp_dist *dist = vcpu->vm->vgic.dist;

	switch (offset) {
	case GICD_CTLR:
		return READ_ONCE(dist->ctlr);
	case GICD_TYPER:
		return dist->typer;
	default:		/* GICD_IIDR */
		return dist->iidr;
	}
}

static void dist_write_ctlr(struct armvmm_vcpu *vcpu, unsigned int offset, unsigned int n, u32 val)
{
	struct hyp_dist *dist = vcpu->vm->vgic.dist;
	struct armvmm_vcpu *other;
	int i;

	val &= GICD_CTLR_EnableGrp0;
	if (offset != GICD_CTLR || READ_ONCE(dist->ctlr) == val)
		return;

	/* What is pending stays on its list, and each vCPU looks whether it may be shown. */
	WRITE_ONCE(dist->ctlr, val);
	armvmm_vcpus_for_each(i, other, vcpu->vm) {
		vgic_vcpu_redo(other);
		vgic_vcpu_notify(other);
	}
}

/*
 * A client that restores a VM says first which distributor it was saved from, and the guest goes on
 * reading that. From revision 2 on the saved groups are true; in revision 1 there were none, and
 * in revision 0, which is refused as KVM does, all interrupts read as group 1.
 */
static int dist_user_write_iidr(struct armvmm_vgic *vgic, u32 val)
{
	switch (val) {
	case VGIC_IIDR(1):
		vgic->user_groups = false;
		break;
	case VGIC_IIDR(2):
	case VGIC_IIDR_OLD:
		vgic->user_groups = true;
		break;
	default:
		return -EINVAL;
	}
	vgic->dist->iidr = val;
	return 0;
}

static int dist_user_write_ctlr(struct armvmm_vcpu *vcpu, unsigned int offset, unsigned int n,
				u32 val)
{
	if (offset == GICD_IIDR)
		return dist_user_write_iidr(&vcpu->vm->vgic, val);
	dist_write_ctlr(vcpu, offset, n, val);
	return 0;
}

static u32 dist_read_zero(struct armvmm_vcpu *vcpu, unsigned int offset, unsigned int n)
{
	return 0;
}

static void dist_write_ignored(struct armvmm_vcpu *vcpu, unsigned int offset, unsigned int n,
			       u32 val)
{
}

static void dist_write_sgir(struct armvmm_vcpu *vcpu, unsigned int offset, unsigned int n, u32 val)
{
	vgic_sgi_write(vcpu, val);
}

/* Identification (4.3.18): ICPIDR2.ArchRev says GICv2; the rest is Arm's JEP106 code. */
static u32 dist_read_id(struct armvmm_vcpu *vcpu, unsigned int offset, unsigned int n)
{
	static const u8 id[] = {
		0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1,
	};

	return id[array_index_nospec((offset - GICD_ICPIDR4) / 4, ARRAY_SIZE(id))];
}

/* --- bits of each interrupt --- */

static u32 dist_read_group(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n)
{
	const struct armvmm_vgic_irq *irqs = dist_irqs(vcpu, intid, &n);

	return vgic_irqs_group(irqs, n);
}

static void dist_write_group(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n, u32 val)
{
	struct armvmm_vgic_irq *irq = dist_irqs(vcpu, intid, &n);
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < n; i++, irq++, val >>= 1) {
		if (READ_ONCE(irq->group1) == (val & 1))
			continue;
		raw_spin_lock_irqsave(&irq->lock, flags);
		WRITE_ONCE(irq->group1, val & 1);
		vgic_irq_reorder_unlock(irq, flags);
	}
}

static int dist_user_write_group(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n,
				 u32 val)
{
	if (vcpu->vm->vgic.user_groups)
		dist_write_group(vcpu, intid, n, val);
	return 0;
}

static u32 dist_read_enable(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n)
{
	/* Those that do not exist have no bit set. */
	return dist_irqs(vcpu, intid, &n) ? READ_ONCE(*vgic_enable_word(&vcpu->hyp->dist, intid)) :
					    0;
}

static void dist_set_enable(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n, u32 val)
{
	struct armvmm_vgic_irq *irq = dist_irqs(vcpu, intid, &n);
	unsigned long flags;

	for (; n && val; n--, irq++, val >>= 1) {
		if (!(val & 1) || READ_ONCE(irq->enabled))
			continue;
		raw_spin_lock_irqsave(&irq->lock, flags);
		vgic_irq_set_enabled(&vcpu->hyp->dist, irq, true);
		vgic_irq_update_unlock(irq, flags);
	}
}

/* SGIs are disabled too, as KVM allows. Once this returns, no vCPU takes the interrupt. */
static void dist_clear_enable(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n,
			      u32 val)
{
	struct armvmm_vgic_irq *irq = dist_irqs(vcpu, intid, &n);
	unsigned long flags;

	for (; n && val; n--, irq++, val >>= 1) {
		if (!(val & 1) || !READ_ONCE(irq->enabled))
			continue;
		flags = vgic_irq_lock_fetched(irq);
		vgic_irq_set_enabled(&vcpu->hyp->dist, irq, false);
		vgic_irq_update_unlock(irq, flags);
	}
}

/*
 * What is pending or active moves between the structure and a list register, and looking at the one
 * after the other may find it in neither. So the lock is taken; but the vCPU's own private
 * interrupts move at its own entries and exits alone.
 */
static bool dist_state_is_here(const struct armvmm_vgic_irq *irq)
{
	return vgic_irq_is_private(irq) && !READ_ONCE(irq->in_lr);
}

static u32 dist_read_pending(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n)
{
	struct armvmm_vgic_irq *irq = dist_irqs(vcpu, intid, &n);
	unsigned long flags;
	unsigned int i;
	u32 val = 0;

	for (i = 0; i < n; i++, irq++) {
		if (dist_state_is_here(irq)) {
			val |= (u32)vgic_irq_is_pending(irq) << i;
			continue;
		}
		flags = vgic_irq_lock_fetched(irq);
		val |= (u32)vgic_irq_is_pending(irq) << i;
		raw_spin_unlock_irqrestore(&irq->lock, flags);
	}
	return val;
}

/* The bits of SGIs are read-only (4.3.7, 4.3.8): GICD_SPENDSGIR is their register. */
static void dist_change_pending(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n,
				u32 val, bool set)
{
	struct armvmm_vgic_irq *irq = dist_irqs(vcpu, intid, &n);
	unsigned long flags;

	for (; n && val; n--, irq++, val >>= 1) {
		if (!(val & 1) || vgic_irq_is_sgi(irq))
			continue;
		flags = vgic_irq_lock_fetched(irq);
		WRITE_ONCE(irq->pending_latch, set);
		vgic_irq_update_unlock(irq, flags);
	}
}

static void dist_set_pending(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n, u32 val)
{
	dist_change_pending(vcpu, intid, n, val, true);
}

static void dist_clear_pending(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n,
			       u32 val)
{
	dist_change_pending(vcpu, intid, n, val, false);
}

static u32 dist_read_active(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n)
{
	struct armvmm_vgic_irq *irq = dist_irqs(vcpu, intid, &n);
	unsigned long flags;
	unsigned int i;
	u32 val = 0;

	for (i = 0; i < n; i++, irq++) {
		if (dist_state_is_here(irq)) {
			val |= (u32)READ_ONCE(irq->active) << i;
			continue;
		}
		flags = vgic_irq_lock_fetched(irq);
		val |= (u32)irq->active << i;
		raw_spin_unlock_irqrestore(&irq->lock, flags);
	}
	return val;
}

static void dist_change_active(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n,
			       u32 val, bool set)
{
	struct armvmm_vgic_irq *irq = dist_irqs(vcpu, intid, &n);
	unsigned long flags;

	for (; n && val; n--, irq++, val >>= 1) {
		if (!(val & 1))
			continue;
		flags = vgic_irq_lock_fetched(irq);
		/* Whose request is active cannot be said here: take it for the vCPU's own. */
		if (set && !irq->active && vgic_irq_is_sgi(irq))
			WRITE_ONCE(irq->active_source, vcpu->index);
		irq->acked = irq->acked && set;
		WRITE_ONCE(irq->active, set);
		vgic_irq_update_unlock(irq, flags);
	}
}

static void dist_set_active(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n, u32 val)
{
	dist_change_active(vcpu, intid, n, val, true);
}

static void dist_clear_active(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n,
			      u32 val)
{
	dist_change_active(vcpu, intid, n, val, false);
}

/* --- bytes of each interrupt --- */

static u32 dist_read_priority(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n)
{
	const struct armvmm_vgic_irq *irqs = dist_irqs(vcpu, intid, &n);

	return vgic_irqs_priority(irqs, n);
}

static void dist_write_priority(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n,
				u32 val)
{
	struct armvmm_vgic_irq *irq = dist_irqs(vcpu, intid, &n);
	unsigned long flags;

	for (; n; n--, irq++, val >>= 8) {
		raw_spin_lock_irqsave(&irq->lock, flags);
		WRITE_ONCE(irq->priority, val & VGIC_PRIORITY_MASK);
		/* It may pass the vCPU's priority mask now. */
		vgic_irq_reorder_unlock(irq, flags);
	}
}

static u32 dist_read_target(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n)
{
	const struct armvmm_vgic_irq *irqs = dist_irqs(vcpu, intid, &n);

	return vgic_irqs_targets(irqs, n, vcpu->index);
}

static void dist_write_target(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n,
			      u32 val)
{
	struct armvmm_vgic_irq *irq = dist_irqs(vcpu, intid, &n);
	u8 cpus = vgic_dist_cpu_mask(vcpu->vm);
	unsigned long flags;

	for (; n; n--, irq++, val >>= 8) {
		if (vgic_irq_is_private(irq))
			continue;
		raw_spin_lock_irqsave(&irq->lock, flags);
		vgic_irq_set_targets(vcpu->vm->vgic.dist, irq, val & cpus);
		vgic_irq_update_unlock(irq, flags);
	}
}

/* --- two bits of each interrupt --- */

static u32 dist_read_config(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n)
{
	const struct armvmm_vgic_irq *irqs = dist_irqs(vcpu, intid, &n);

	return vgic_irqs_edge(irqs, n);
}

static void dist_write_config(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n,
			      u32 val)
{
	struct armvmm_vgic_irq *irq = dist_irqs(vcpu, intid, &n);
	unsigned long flags;

	for (; n; n--, irq++, val >>= 2) {
		if (vgic_irq_is_private(irq) || READ_ONCE(irq->edge) == !!(val & 2))
			continue;
		flags = vgic_irq_lock_fetched(irq);
		WRITE_ONCE(irq->edge, val & 2);
		vgic_irq_update_unlock(irq, flags);
	}
}

/* --- SGI pending bytes --- */

static void dist_clear_sgi_pending(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n,
				   u32 val)
{
	vgic_sgi_write_pending(vcpu, intid, n, val, false);
}

static void dist_set_sgi_pending(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n,
				 u32 val)
{
	vgic_sgi_write_pending(vcpu, intid, n, val, true);
}

#define DIST_WORDS(reg, len, rd, wr)						\
	{ .base = (reg), .size = (len), .read = (rd), .write = (wr) }
#define DIST_BITS(reg, len, n, rd, wr)						\
	{ .base = (reg), .size = (len), .bits = (n), .read = (rd), .write = (wr) }
#define DIST_BYTES(reg, len, rd, wr)						\
	{ .base = (reg), .size = (len), .bits = 8, .bytes = true, .read = (rd), .write = (wr) }

/* In the order of their bases; dist_slot[] tells where the registers of each 128 bytes begin. */
static const struct dist_reg dist_regs[] = {
	{ .base = GICD_CTLR, .size = 12, .read = dist_read_ctlr, .write = dist_write_ctlr,
	  .user_write = dist_user_write_ctlr },
	{ .base = GICD_IGROUPR, .size = 0x80, .bits = 1, .read = dist_read_group,
	  .write = dist_write_group, .user_write = dist_user_write_group },
	DIST_BITS(GICD_ISENABLER, 0x80, 1, dist_read_enable, dist_set_enable),
	DIST_BITS(GICD_ICENABLER, 0x80, 1, dist_read_enable, dist_clear_enable),
	DIST_BITS(GICD_ISPENDR, 0x80, 1, dist_read_pending, dist_set_pending),
	DIST_BITS(GICD_ICPENDR, 0x80, 1, dist_read_pending, dist_clear_pending),
	DIST_BITS(GICD_ISACTIVER, 0x80, 1, dist_read_active, dist_set_active),
	DIST_BITS(GICD_ICACTIVER, 0x80, 1, dist_read_active, dist_clear_active),
	DIST_BYTES(GICD_IPRIORITYR, 0x400, dist_read_priority, dist_write_priority),
	DIST_BYTES(GICD_ITARGETSR, 0x400, dist_read_target, dist_write_target),
	DIST_BITS(GICD_ICFGR, 0x100, 2, dist_read_config, dist_write_config),
	DIST_WORDS(GICD_SGIR, 4, dist_read_zero, dist_write_sgir),
	DIST_BYTES(GICD_CPENDSGIR, 16, vgic_sgi_read_pending, dist_clear_sgi_pending),
	DIST_BYTES(GICD_SPENDSGIR, 16, vgic_sgi_read_pending, dist_set_sgi_pending),
	{ .base = GICD_ICPIDR4, .size = 0x30, .hidden = true, .read = dist_read_id,
	  .write = dist_write_ignored },
};

#define DIST_SLOT(offset)	((offset) >> 7)
#define DIST_NO_SLOT		0xff

static const u8 dist_slot[DIST_SLOT(GICD_SIZE)] = {
	[DIST_SLOT(GICD_CTLR)] = 0,
	[DIST_SLOT(GICD_IGROUPR)] = 1,
	[DIST_SLOT(GICD_ISENABLER)] = 2,
	[DIST_SLOT(GICD_ICENABLER)] = 3,
	[DIST_SLOT(GICD_ISPENDR)] = 4,
	[DIST_SLOT(GICD_ICPENDR)] = 5,
	[DIST_SLOT(GICD_ISACTIVER)] = 6,
	[DIST_SLOT(GICD_ICACTIVER)] = 7,
	[DIST_SLOT(GICD_IPRIORITYR) ... DIST_SLOT(GICD_ITARGETSR - 1)] = 8,
	[DIST_SLOT(GICD_ITARGETSR) ... DIST_SLOT(GICD_ICFGR - 1)] = 9,
	[DIST_SLOT(GICD_ICFGR) ... DIST_SLOT(0xcff)] = 10,
	[DIST_SLOT(0xd00) ... DIST_SLOT(GICD_SGIR - 1)] = DIST_NO_SLOT,
	[DIST_SLOT(GICD_SGIR)] = 11,
	[DIST_SLOT(GICD_ICPIDR4)] = 14,
};

/*
 * The register that an access of @len bytes at @offset is to. NULL: none is
 * there, or not in this width or alignment, or for no interrupt of the VM.
 * GICD_NSACR is one of those: it reads as zero without Security Extensions.
 * Guests and clients choose @offset, and what is found has pointers to
 * functions: no index goes beyond its array even speculatively.
 */
static const struct dist_reg *dist_find(struct armvmm_vm *vm, u32 offset, unsigned int len)
{
	const struct dist_reg *reg;
	unsigned int slot;

	if (offset >= GICD_SIZE)
		return NULL;
	offset = array_index_nospec(offset, GICD_SIZE);
	slot = dist_slot[DIST_SLOT(offset)];
	if (slot >= ARRAY_SIZE(dist_regs))
		return NULL;
	slot = array_index_nospec(slot, ARRAY_SIZE(dist_regs));

	for (reg = &dist_regs[slot]; offset - reg->base >= reg->size; reg++)
		if (reg == &dist_regs[ARRAY_SIZE(dist_regs) - 1])
			return NULL;

	if (!(len == 4 || (len == 1 && reg->bytes)) || !IS_ALIGNED(offset, len))
		return NULL;
	if (reg->bits && (offset - reg->base) * 8 / reg->bits >= GIC_NR_PRIVATE + vm->vgic.nr_spis)
		return NULL;
	return reg;
}

static unsigned int dist_first(const struct dist_reg *reg, u32 offset)
{
	return reg->bits ? (offset - reg->base) * 8 / reg->bits : offset;
}

static unsigned int dist_count(const struct dist_reg *reg, unsigned int len)
{
	return reg->bits ? len * 8 / reg->bits : 1;
}

/* Accesses that no register takes read as zero and are ignored, as KVM's were. */
static int dist_read(struct armvmm_vcpu *vcpu, struct armvmm_iodev *dev, u64 addr,
		     unsigned int len, void *val)
{
	u32 offset = addr - dev->base;
	const struct dist_reg *reg = dist_find(vcpu->vm, offset, len);
	__le32 data = 0;

	vgic_sgi_take(vcpu);
	if (!reg) {
		memset(val, 0, len);
		return 0;
	}
	data = cpu_to_le32(reg->read(vcpu, dist_first(reg, offset), dist_count(reg, len)));
	if (len == 4)
		memcpy(val, &data, 4);
	else
		memcpy(val, &data, 1);
	return 0;
}

static int dist_write(struct armvmm_vcpu *vcpu, struct armvmm_iodev *dev, u64 addr,
		      unsigned int len, const void *val)
{
	u32 offset = addr - dev->base;
	const struct dist_reg *reg = dist_find(vcpu->vm, offset, len);
	__le32 data = 0;

	vgic_sgi_take(vcpu);
	if (!reg)
		return 0;
	if (len == 4)
		memcpy(&data, val, 4);
	else
		memcpy(&data, val, 1);
	reg->write(vcpu, dist_first(reg, offset), dist_count(reg, len), le32_to_cpu(data));
	return 0;
}

const struct armvmm_iodev_ops vgic_dist_iodev_ops = {
	.read = dist_read,
	.write = dist_write,
};

static const struct dist_reg *dist_find_user(struct armvmm_vcpu *vcpu, u32 offset)
{
	const struct dist_reg *reg = dist_find(vcpu->vm, offset, 4);

	return reg && !reg->hidden ? reg : NULL;
}

int vgic_dist_has_attr(struct armvmm_vcpu *vcpu, u32 offset)
{
	return dist_find_user(vcpu, offset) ? 0 : vgic_dist_state_has_attr(vcpu, offset);
}

int vgic_dist_get_attr(struct armvmm_vcpu *vcpu, u32 offset, u32 *val)
{
	const struct dist_reg *reg = dist_find_user(vcpu, offset);

	if (!reg)
		return vgic_dist_state_get_attr(vcpu, offset, val);
	*val = reg->read(vcpu, dist_first(reg, offset), dist_count(reg, 4));
	return 0;
}

int vgic_dist_set_attr(struct armvmm_vcpu *vcpu, u32 offset, u32 val)
{
	const struct dist_reg *reg = dist_find_user(vcpu, offset);
	unsigned int first, n;

	if (!reg)
		return vgic_dist_state_set_attr(vcpu, offset, val);
	first = dist_first(reg, offset);
	n = dist_count(reg, 4);
	if (reg->user_write)
		return reg->user_write(vcpu, first, n, val);
	reg->write(vcpu, first, n, val);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual distributor (IHI 0048B 4.3) in HYP mode, for the vCPU that runs on this CPU. What
 * needs a list of interrupts to be changed, a device to be asked or a thread to be woken is left to
 * the host, with nothing changed: vgic/dist.c gives the same answers. docs/distributor.md tells
 * what is shared, and why neither side can harm the other.
 */
#include "hyp/cpu.h"
#include "hyp/dabt.h"
#include "hyp/gich.h"
#include "hyp/gicirq.h"
#include "hyp/sysreg.h"

#ifdef __arm__
asm(".arch_extension virt");
#endif

/* How often a lock is tried: a holder has it for some dozen instructions. */
#define DIST_TRIES	4

/* The physical SGI that makes a CPU leave its guest: IPI_WAKEUP, which does nothing in Linux. */
#define DIST_KICK_SGI	0

__hyp_inline bool dist_lock(struct armvmm_vgic_irq *irq)
{
	unsigned int i;

	for (i = 0; i < DIST_TRIES; i++)
		if (hyp_spin_trylock(&irq->lock))
			return true;
	return false;
}

/*
 * The interrupts from @first on, of which there are at least @n. The guest chooses @first: it does
 * not index beyond the arrays even speculatively.
 */
__hyp_inline struct armvmm_vgic_irq *dist_irqs(const struct hyp_dist_vcpu *own, u32 first)
{
	if (first < GIC_NR_PRIVATE)
		return &own->irqs[hyp_index(first, GIC_NR_PRIVATE)];
	return &own->vm->spis[hyp_index(first - GIC_NR_PRIVATE, own->vm->end - GIC_NR_PRIVATE)];
}

/*
 * The vCPU of the lowest bit in @left. Where one more is speculated, the word behind the array,
 * which the guest writes, would be taken for a pointer: it does not index beyond.
 */
__hyp_inline struct hyp_dist_vcpu *dist_first(const struct hyp_dist *dist, u32 left)
{
	return &dist->hyp[hyp_index(__builtin_ctz(left), HYP_MAX_VCPUS)]->dist;
}

/* How many of @n interrupts from @first on there are. */
__hyp_inline u32 dist_count(const struct hyp_dist_vcpu *own, u32 first, u32 n)
{
	u32 end = own->vm->end;

	if (first >= end)
		return 0;
	return n < end - first ? n : end - first;
}

/* The bits of @n interrupts, 1 to 32. */
__hyp_inline u32 dist_mask(u32 n)
{
	return ~0u >> (32 - n);
}

/* Those of a register with 128 bytes of bits. */
__hyp_inline u32 dist_bits_first(u32 offset)
{
	return (offset & 0x7f) * 8;
}

/* --- reads --- */

/*
 * Pending or active: false where it is in a list register, or may be. A private interrupt moves
 * there at its vCPU's own entries and exits alone; an SPI may do so at any vCPU's.
 */
static bool __hyp_text dist_read_state(struct hyp_vcpu *vcpu, u32 first, u32 n, bool active,
				       u32 *val)
{
	const struct hyp_dist_vcpu *own = &vcpu->dist;
	struct armvmm_vgic_irq *irq = dist_irqs(own, first);
	bool private = first < GIC_NR_PRIVATE, in_lr;
	u32 bits = 0, bit;

	if (private && (vcpu->vgic.own || READ_ONCE(own->posted)))
		return false;
	for (bit = 1; n--; irq++, bit <<= 1) {
		if (!private && !dist_lock(irq))
			return false;
		in_lr = READ_ONCE(irq->in_lr);
		if (active ? READ_ONCE(irq->active) : vgic_irq_is_pending(irq))
			bits |= bit;
		if (!private)
			hyp_spin_unlock(&irq->lock);
		if (in_lr)
			return false;
	}
	*val = bits;
	return true;
}

static bool __hyp_text dist_read_bits(struct hyp_vcpu *vcpu, u32 offset, u32 *val)
{
	u32 first = dist_bits_first(offset), n = dist_count(&vcpu->dist, first, 32);

	if (!n)
		return false;
	if (offset < GICD_ISENABLER)
		*val = vgic_irqs_group(dist_irqs(&vcpu->dist, first), n);
	else
		return dist_read_state(vcpu, first, n, offset >= GICD_ISACTIVER, val);
	return true;
}

static bool __hyp_text dist_read_bytes(struct hyp_vcpu *vcpu, u32 offset, u32 len, u32 *val)
{
	const struct hyp_dist_vcpu *own = &vcpu->dist;
	u32 first = offset & 0x3ff, n = dist_count(own, first, len);
	const struct armvmm_vgic_irq *irqs;

	if (!n)
		return false;
	irqs = dist_irqs(own, first);
	if (offset < GICD_ITARGETSR)
		*val = vgic_irqs_priority(irqs, n);
	else
		*val = vgic_irqs_targets(irqs, n, own->index);
	return true;
}

static bool __hyp_text dist_read_config(struct hyp_vcpu *vcpu, u32 offset, u32 *val)
{
	u32 first = (offset & 0xff) * 4, n = dist_count(&vcpu->dist, first, 16);

	if (!n)
		return false;
	*val = vgic_irqs_edge(dist_irqs(&vcpu->dist, first), n);
	return true;
}

/* False: that is the host's to answer. */
static bool __hyp_text dist_read(struct hyp_vcpu *vcpu, u32 offset, u32 len, u32 *val)
{
	if (offset >= GICD_IPRIORITYR && offset < GICD_ICFGR)
		return dist_read_bytes(vcpu, offset, len, val);
	if (len != 4)
		return false;
	if (offset < 0x10) {
		*val = READ_ONCE(vcpu->dist.vm->constant[offset / 4 & 3]);
		return true;
	}
	if (offset >= GICD_ISENABLER && offset < GICD_ISPENDR) {
		*val = READ_ONCE(*vgic_enable_word(&vcpu->dist, dist_bits_first(offset)));
		return true;
	}
	if (offset >= GICD_IGROUPR && offset < GICD_IPRIORITYR)
		return dist_read_bits(vcpu, offset, val);
	if (offset >= GICD_ICFGR && offset < GICD_ICFGR + 0x100)
		return dist_read_config(vcpu, offset, val);
	return false;
}

/* --- writes that change one interrupt at most --- */

/*
 * It is in a list register of this vCPU that does not show it as pending: the guest is handling it,
 * or has ended it.
 */
__hyp_inline bool dist_is_taken(struct hyp_cpu *cpu, const struct hyp_vcpu *vcpu,
				const struct armvmm_vgic_irq *irq)
{
	u32 lr;

	if (!irq->in_lr || irq->vcpu != vcpu->dist.self || irq->lr_nr >= vcpu->vgic.used_lrs)
		return false;
	/* The guest's accesses to GICV are complete before the state is read. */
	hyp_dsb();
	lr = gich_read((unsigned long)cpu->gich, GICH_LR(irq->lr_nr));
	return !(lr & (GICH_LR_PENDING | GICH_LR_HW)) && (lr & GICH_LR_VIRTUALID) == irq->intid;
}

static bool __hyp_text dist_change_enable(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 intid,
					  bool enable)
{
	struct armvmm_vgic_irq *irq = dist_irqs(&vcpu->dist, intid);
	bool ok;

	/* This vCPU's SGIs may be in list registers of which the structures do not know. */
	if (intid < GIC_NR_SGIS || !dist_lock(irq))
		return false;
	ok = !irq->get_level && !(enable && vgic_irq_is_pending(irq)) &&
	     (!irq->vcpu || dist_is_taken(cpu, vcpu, irq));
	if (ok)
		vgic_irq_set_enabled(&vcpu->dist, irq, enable);
	hyp_spin_unlock(&irq->lock);
	return ok;
}

static bool __hyp_text dist_change_pending(struct hyp_vcpu *vcpu, u32 intid, bool pending)
{
	struct armvmm_vgic_irq *irq = dist_irqs(&vcpu->dist, intid);
	bool ok;

	if (!dist_lock(irq))
		return false;
	ok = !irq->get_level && !irq->vcpu && !(pending && irq->enabled);
	if (ok)
		WRITE_ONCE(irq->pending_latch, pending);
	hyp_spin_unlock(&irq->lock);
	return ok;
}

/*
 * Active states are the host's to change. That a write changes none is seen here, as when a guest
 * clears all that may be left of a CPU's last life: each of these was so when it was looked at.
 */
static bool __hyp_text dist_leaves_active(struct hyp_vcpu *vcpu, u32 first, u32 n, u32 val,
					  bool set)
{
	u32 active;

	return dist_read_state(vcpu, first, n, true, &active) && !(val & (set ? ~active : active));
}

/* Each bit of @val is of an interrupt, from GICD_ISENABLER to GICD_ICACTIVER. */
static bool __hyp_text dist_write_bits(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 offset,
				       u32 val)
{
	u32 first = dist_bits_first(offset), n = dist_count(&vcpu->dist, first, 32), enabled, intid;
	bool set = !(offset & 0x80);

	if (!n)
		return false;
	val &= dist_mask(n);
	if (offset >= GICD_ISACTIVER)
		return !val || dist_leaves_active(vcpu, first, n, val, set);
	if (offset < GICD_ISPENDR) {
		enabled = READ_ONCE(*vgic_enable_word(&vcpu->dist, first));
		val &= set ? ~enabled : enabled;
	} else if (first < GIC_NR_SGIS) {
		/* The bits of SGIs are read-only (4.3.7, 4.3.8). */
		val &= ~((1u << GIC_NR_SGIS) - 1);
	}
	if (!val)
		return true;
	if (val & (val - 1))
		return false;
	intid = first + __builtin_ctz(val);
	if (offset < GICD_ISPENDR)
		return dist_change_enable(cpu, vcpu, intid, set);
	return dist_change_pending(vcpu, intid, set);
}

/*
 * Priorities or targets. A list register does not follow a new priority, nor does an interrupt that
 * is on a list go to another target by itself.
 */
static bool __hyp_text dist_write_bytes(struct hyp_vcpu *vcpu, u32 offset, u32 len, u32 val)
{
	struct hyp_dist_vcpu *own = &vcpu->dist;
	u32 first = offset & 0x3ff, n = dist_count(own, first, len), old, change;
	bool targets = offset >= GICD_ITARGETSR, ok;
	struct armvmm_vgic_irq *irq;

	if (!n)
		return false;
	if (targets && first < GIC_NR_PRIVATE)
		return true;
	irq = dist_irqs(own, first);
	old = targets ? vgic_irqs_targets(irq, n, own->index) : vgic_irqs_priority(irq, n);
	val &= (targets ? dist_mask(own->vm->nr_vcpus) : VGIC_PRIORITY_MASK) * 0x01010101u;
	change = (val ^ old) & dist_mask(8 * n);
	if (!change)
		return true;
	n = __builtin_ctz(change) / 8;
	if (change & ~(0xffu << 8 * n))
		return false;
	irq = dist_irqs(own, first + n);
	val = val >> 8 * n & 0xff;
	/* It may be in a list register of which the structures do not know. */
	if (first < GIC_NR_PRIVATE && vcpu->vgic.own)
		return false;
	if (!dist_lock(irq))
		return false;
	ok = !irq->vcpu;
	if (!ok)
		;
	else if (targets)
		vgic_irq_set_targets(own->vm, irq, val);
	else
		WRITE_ONCE(irq->priority, val);
	hyp_spin_unlock(&irq->lock);
	return ok;
}

/* --- SGIs --- */

/*
 * An SGI of the vCPU to itself is made pending in a list register. False where none is free for it,
 * or the one that shows the SGI shows another vCPU's. No lock: these registers are this CPU's, and
 * the SGI's enable bit, priority and group nobody else changes while the vCPU is in the guest.
 */
static bool __hyp_text dist_sgi_self(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 intid)
{
	const struct armvmm_vgic_irq *irq = &vcpu->dist.irqs[intid];
	u32 mine = vcpu->dist.index << GICH_LR_CPUID_SHIFT, lr, n;
	unsigned long gich = (unsigned long)cpu->gich;
	struct hyp_vgic *hv = &vcpu->vgic;

	if (!READ_ONCE(vcpu->dist.vm->ctlr) || !irq->enabled || hv->full)
		return false;
	for (n = 0; n < hv->used_lrs; n++)
		if ((hv->lr[n] & GICH_LR_VIRTUALID) == intid)
			goto shown;
	/* On a list, it is pending already, for another's request or because it found no room. */
	if (!hyp_lr_free(vcpu, irq))
		return false;
	hyp_lr_add(cpu, vcpu, vgic_irq_lr(irq) | mine | GICH_LR_PENDING);
	return true;

shown:
	/* Its end would be told to the host, which has another vCPU's request to show. */
	if (hv->lr[n] & GICH_LR_EOI)
		return false;
	/* The guest's accesses to GICV are complete before the state is read. */
	hyp_dsb();
	lr = gich_read(gich, GICH_LR(n));
	if (!(lr & GICH_LR_STATE))
		lr = (hv->lr[n] & ~(GICH_LR_STATE | GICH_LR_CPUID_MASK)) | mine;
	else if ((lr & GICH_LR_CPUID_MASK) != mine)
		return false;
	gich_write(gich, GICH_LR(n), lr | GICH_LR_PENDING);
	return true;
}

/*
 * Where the receiver is in the guest, the bit of its CPU for the physical SGI that makes it leave:
 * once, whoever else has posted. Where it is not, only the host can reach it.
 */
static u32 __hyp_text dist_kick(struct hyp_dist_vcpu *own, struct hyp_dist_vcpu *to)
{
	u32 seen = READ_ONCE(to->listen), old;
	unsigned int i;

	for (i = 0; seen && i < DIST_TRIES; i++) {
		if (seen == HYP_LISTEN_KICKED)
			return 0;
		old = seen;
		seen = vgic_cmpxchg(&to->listen, old, HYP_LISTEN_KICKED);
		if (seen == old)
			return old;
	}
	own->notify |= 1u << to->index;
	return 0;
}

/* To others, bit n of @targets being the vCPU of index n; one, at least. */
static u32 __hyp_text dist_sgi_others(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 targets,
				      u32 intid)
{
	struct hyp_dist_vcpu *own = &vcpu->dist;
	struct hyp_dist *dist = own->vm;
	u32 left, kick = 0;

	for (left = targets; left; left &= left - 1)
		vgic_sgi_post(dist_first(dist, left), intid, own->index);
	/* Posted before it is asked where the receivers are: vgic_sgi_listen() does the reverse. */
	smp_mb();
	for (left = targets; left; left &= left - 1)
		kick |= dist_kick(own, dist_first(dist, left));
	if (kick) {
		hyp_dsb_ishst();
		gich_write((unsigned long)cpu->gicd, GICD_SGIR, kick << 16 | DIST_KICK_SGI);
		vcpu->stat.hyp_sgi_kick++;
	}
	return own->notify ? HYP_EXIT_IRQ : HYP_RESUME;
}

static u32 __hyp_text dist_write_sgir(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 val)
{
	struct hyp_dist_vcpu *own = &vcpu->dist;
	u32 intid = GICD_SGIR_INTID(val), self = 1u << own->index, targets, ret;
	bool posted = false;

	targets = vgic_sgi_targets(val, own->index, own->vm->nr_vcpus);
	if (targets & self && !dist_sgi_self(cpu, vcpu, intid)) {
		if (targets == self)
			return HYP_EXIT_TRAP;
		/* The host takes it from there before the next entry. */
		vgic_sgi_post(own, intid, own->index);
		posted = true;
	}
	targets &= ~self;
	ret = targets ? dist_sgi_others(cpu, vcpu, targets, intid) : HYP_RESUME;
	return posted ? HYP_EXIT_IRQ : ret;
}

static u32 __hyp_text dist_write(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 offset, u32 len,
				 u32 val)
{
	bool done = false;

	if (offset >= GICD_IPRIORITYR && offset < GICD_ICFGR)
		done = dist_write_bytes(vcpu, offset, len, val);
	else if (offset >= GICD_ISENABLER && offset < GICD_IPRIORITYR && len == 4)
		done = dist_write_bits(cpu, vcpu, offset, val);
	else if (offset == GICD_SGIR && len == 4)
		return dist_write_sgir(cpu, vcpu, val);
	return done ? HYP_RESUME : HYP_EXIT_TRAP;
}

/* --- the trap --- */

/* A word, by an instruction of 32 bits */
#define QUICK_MASK	(DABT_MASK | HSR_IL | REG_U(3) << 22)
#define QUICK_WANTED	(DABT_WANTED | HSR_IL | REG_U(2) << 22)

__hyp_inline void dist_done(struct hyp_vcpu *vcpu, u32 insn_len)
{
	hyp_dabt_done(insn_len);
	vcpu->stat.hyp_gicd++;
}

static u32 __hyp_text dist_access(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 hsr, u32 spsr)
{
	unsigned long *reg = &vcpu->regs.usr_regs.uregs[HSR_DABT_SRT(hsr)];
	u32 len = 1 << HSR_DABT_SAS(hsr), offset, val, ret;

	offset = sysreg_read(SYS_HDFAR) & (GICD_SIZE - 1);
	if (!hyp_dabt_is_plain(vcpu, hsr, spsr) || offset & (len - 1) ||
	    !(len == 4 || len == 1))
		return HYP_EXIT_TRAP;

	if (hsr & HSR_DABT_WNR) {
		val = *reg;
		ret = dist_write(cpu, vcpu, offset, len, len == 4 ? val : val & 0xff);
		if (ret == HYP_EXIT_TRAP)
			return ret;
	} else {
		if (!dist_read(vcpu, offset, len, &val))
			return HYP_EXIT_TRAP;
		*reg = val;
		ret = HYP_RESUME;
	}
	dist_done(vcpu, hsr & HSR_IL ? 4 : 2);
	return ret;
}

/*
 * A data abort at the distributor's page. HYP_RESUME: the access is done. HYP_EXIT_IRQ: likewise,
 * and the host has something to do. HYP_EXIT_TRAP: nothing was done, the host does it all.
 *
 * What guests do most comes first: in A32, as CPSR.IT is zero there.
 */
u32 __hyp_text hyp_dist_trap(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 hsr)
{
	unsigned long *reg = &vcpu->regs.usr_regs.uregs[HSR_DABT_SRT(hsr)];
	u32 spsr = spsr_read(), offset;

	if ((hsr & QUICK_MASK) != QUICK_WANTED || spsr & (CPSR_E | CPSR_T) ||
	    !hyp_dabt_has_reg(HSR_DABT_SRT(hsr), spsr) || vcpu->debug.mode == HYP_DEBUG_LOAD)
		return dist_access(cpu, vcpu, hsr, spsr);

	offset = sysreg_read(SYS_HDFAR) & (GICD_SIZE - 1);
	if (hsr & HSR_DABT_WNR) {
		if (offset != GICD_SGIR || GICD_SGIR_FILTER(*reg) != GICD_SGIR_FILTER_SELF)
			return dist_access(cpu, vcpu, hsr, spsr);
		if (!dist_sgi_self(cpu, vcpu, GICD_SGIR_INTID(*reg)))
			return HYP_EXIT_TRAP;
	} else if (!(offset & ~0xcu)) {
		*reg = READ_ONCE(vcpu->dist.vm->constant[offset / 4 & 3]);
	} else if ((offset & ~0xfcu) == GICD_ISENABLER) {
		/* ISENABLER and ICENABLER. Interrupts that do not exist have no bit set. */
		*reg = READ_ONCE(*vgic_enable_word(&vcpu->dist, offset % 0x80 * 8));
	} else {
		return dist_access(cpu, vcpu, hsr, spsr);
	}
	dist_done(vcpu, 4);
	return HYP_RESUME;
}

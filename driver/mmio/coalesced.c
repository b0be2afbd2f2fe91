// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coalesced MMIO. The ring is the client's memory as much as ours: its indices are read once and
 * checked, and nothing but the address and the data of guest writes goes there. HYP mode writes to
 * it, too (hyp/mmio.c).
 */
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rbtree_augmented.h>
#include <linux/rcupdate.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>

#include "compat/compat.h"
#include "core/iobus.h"
#include "core/state.h"
#include "host/hypmap.h"
#include "hyp/mmio.h"
#include "mem/memslot.h"
#include "mmio/coalesced.h"

/* As many as KVM's bus has devices. */
#define COALESCED_MAX_ZONES	1000

static bool hyp_zones = true;
module_param(hyp_zones, bool, 0644);
MODULE_PARM_DESC(hyp_zones, "post guests' writes to coalesced zones in HYP mode, in VMs that are made from now on");

struct armvmm_coalesced {
	struct hyp_zones hyp;		/* the ring and its lock; and some zones, for HYP mode */
	bool in_hyp;			/* it posts; constant */
	unsigned int hiding;		/* changes of memory slots under way; vm->slots_lock */
	struct list_head zones;		/* in the order in which they came; vm->slots_lock */
	unsigned int nr_zones;
	/* Those of memory. Changes: slots_lock, between begin and end of seq; readers: srcu. */
	struct rb_root tree;
	seqcount_t seq;
	struct armvmm_iodev dev;	/* all of them */
};

struct coalesced_zone {
	struct list_head list;
	struct rb_node node;		/* by addr */
	u64 addr;
	u64 end;
	u64 max_end;			/* of this one and all below it in the tree */
	u32 size;
	u32 pio;
};

static u64 coalesced_end(const struct coalesced_zone *zone)
{
	return zone->end;
}

RB_DECLARE_CALLBACKS_MAX(static, coalesced_callbacks, struct coalesced_zone, node, u64, max_end,
			 coalesced_end);

static bool coalesced_covers(const struct coalesced_zone *zone, u64 addr, u32 len)
{
	return addr >= zone->addr && addr - zone->addr <= zone->size &&
	       len <= zone->size - (addr - zone->addr);
}

static struct coalesced_zone *coalesced_entry(struct rb_node *node)
{
	return rb_entry_safe(node, struct coalesced_zone, node);
}

/*
 * The furthest end of all zones that begin at @addr or before it: one of them covers an access at
 * @addr if that one does. Without slots_lock, while the tree changes, the answer may be any.
 */
static u64 coalesced_reach(const struct armvmm_coalesced *c, u64 addr)
{
	struct rb_node *node = rcu_dereference_raw(c->tree.rb_node);
	struct coalesced_zone *zone, *left;
	u64 end = 0;

	while (node) {
		zone = coalesced_entry(node);
		if (zone->addr > addr) {
			node = rcu_dereference_raw(node->rb_left);
			continue;
		}
		left = coalesced_entry(rcu_dereference_raw(node->rb_left));
		end = max(end, zone->end);
		if (left)
			end = max(end, READ_ONCE(left->max_end));
		node = rcu_dereference_raw(node->rb_right);
	}
	return end;
}

static bool coalesced_takes(const struct armvmm_coalesced *c, u64 addr, unsigned int len)
{
	unsigned int seq;
	u64 end;

	do {
		seq = read_seqcount_begin(&c->seq);
		end = coalesced_reach(c, addr);
	} while (read_seqcount_retry(&c->seq, seq));
	return end >= addr + len;
}

static int coalesced_write(struct armvmm_vcpu *vcpu, struct armvmm_iodev *dev, u64 addr,
			   unsigned int len, const void *val)
{
	struct armvmm_coalesced *c = vcpu->vm->coalesced;
	u64 data = 0;
	bool posted;

	if (len > sizeof(data) || !coalesced_takes(c, addr, len))
		return -EOPNOTSUPP;
	memcpy(&data, val, len);
	raw_spin_lock(&c->hyp.lock);
	posted = hyp_zones_post(&c->hyp, addr, len, data);
	raw_spin_unlock(&c->hyp.lock);
	return posted ? 0 : -EOPNOTSUPP;
}

static const struct armvmm_iodev_ops coalesced_ops = {
	.write = coalesced_write,
};

/* Writers: IRQs need not be off, but readers must not wait for one that is scheduled out. */
static void coalesced_change_begin(struct armvmm_coalesced *c)
{
	preempt_disable();
	write_seqcount_begin(&c->seq);
}

static void coalesced_change_end(struct armvmm_coalesced *c)
{
	write_seqcount_end(&c->seq);
	preempt_enable();
}

static void coalesced_insert(struct armvmm_coalesced *c, struct coalesced_zone *new)
{
	struct rb_node **link = &c->tree.rb_node, *parent = NULL;
	struct coalesced_zone *zone;

	coalesced_change_begin(c);
	while (*link) {
		parent = *link;
		zone = coalesced_entry(parent);
		/* All that are above the new one reach as far as it does. */
		if (zone->max_end < new->end)
			WRITE_ONCE(zone->max_end, new->end);
		link = new->addr < zone->addr ? &parent->rb_left : &parent->rb_right;
	}
	new->max_end = new->end;
	rb_link_node_rcu(&new->node, parent, link);
	rb_insert_augmented(&new->node, &c->tree, &coalesced_callbacks);
	coalesced_change_end(c);
}

static void coalesced_remove(struct armvmm_coalesced *c, struct coalesced_zone *zone)
{
	coalesced_change_begin(c);
	rb_erase_augmented(&zone->node, &c->tree, &coalesced_callbacks);
	coalesced_change_end(c);
}

/*
 * Not one that reaches into another page, where there may be anything, nor one in whose page writes
 * are the zone's only after others' (run/abort.c, core/iobus.c).
 */
static bool coalesced_is_for_hyp(struct armvmm_vm *vm, const struct coalesced_zone *zone)
{
	u64 gfn = zone->addr >> PAGE_SHIFT;

	return !zone->pio && zone->end > zone->addr && (zone->end - 1) >> PAGE_SHIFT == gfn &&
	       !armvmm_memslot_find(vm, gfn) &&
	       !armvmm_iobus_taken(vm, ARMVMM_IOBUS_COALESCED, true, zone->addr,
				   zone->end - zone->addr);
}

/* From the return on, HYP mode posts by these zones, and has ended what it began by others. */
static void coalesced_tell_hyp(struct armvmm_coalesced *c, const struct hyp_zone *zones,
			       unsigned int nr, u32 pages)
{
	raw_spin_lock(&c->hyp.lock);
	memcpy(c->hyp.at, zones, nr * sizeof(zones[0]));
	c->hyp.nr = nr;
	WRITE_ONCE(c->hyp.pages, pages);
	raw_spin_unlock(&c->hyp.lock);
}

/* Of the zones that came first, and no others: a client with many does not wait for a look. */
void armvmm_coalesced_look(struct armvmm_vm *vm)
{
	struct armvmm_coalesced *c = vm->coalesced;
	unsigned int nr = 0, left = HYP_MAX_ZONES, i;
	struct hyp_zone zones[HYP_MAX_ZONES];
	struct coalesced_zone *zone;
	u32 pages = 0;

	lockdep_assert_held(&vm->slots_lock);
	if (!c->in_hyp)
		return;
	list_for_each_entry(zone, &c->zones, list) {
		if (c->hiding || !left--)
			break;
		if (!coalesced_is_for_hyp(vm, zone))
			continue;
		for (i = nr++; i && zones[i - 1].addr > zone->addr; i--)
			zones[i] = zones[i - 1];
		zones[i] = (struct hyp_zone){ .addr = zone->addr, .reach = zone->end };
		pages |= hyp_mmio_page(zone->addr);
	}
	for (i = 1; i < nr; i++)
		zones[i].reach = max(zones[i].reach, zones[i - 1].reach);
	coalesced_tell_hyp(c, zones, nr, pages);
}

void armvmm_coalesced_slots_change(struct armvmm_vm *vm)
{
	mutex_lock(&vm->slots_lock);
	vm->coalesced->hiding++;
	armvmm_coalesced_look(vm);
	mutex_unlock(&vm->slots_lock);
}

void armvmm_coalesced_slots_changed(struct armvmm_vm *vm)
{
	mutex_lock(&vm->slots_lock);
	vm->coalesced->hiding--;
	armvmm_coalesced_look(vm);
	mutex_unlock(&vm->slots_lock);
}

struct hyp_zones *armvmm_coalesced_in_hyp(const struct armvmm_vm *vm)
{
	return vm->coalesced->in_hyp ? &vm->coalesced->hyp : NULL;
}

int armvmm_coalesced_register(struct armvmm_vm *vm, const struct kvm_coalesced_mmio_zone *args)
{
	struct armvmm_coalesced *c = vm->coalesced;
	struct coalesced_zone *zone;

	if (args->pio > 1)
		return -EINVAL;
	zone = kzalloc(sizeof(*zone), GFP_KERNEL_ACCOUNT);
	if (!zone)
		return -ENOMEM;
	zone->addr = args->addr;
	zone->size = args->size;
	zone->end = args->addr + args->size < args->addr ? ~0ULL : args->addr + args->size;
	zone->pio = args->pio;

	mutex_lock(&vm->slots_lock);
	if (c->nr_zones == COALESCED_MAX_ZONES) {
		mutex_unlock(&vm->slots_lock);
		kfree(zone);
		return -ENOSPC;
	}
	/* There is no port space on Arm: those of it, as KVM allows, are out of reach. */
	if (!zone->pio)
		coalesced_insert(c, zone);
	list_add_tail(&zone->list, &c->zones);
	if (!c->nr_zones++)
		armvmm_iobus_register(vm, ARMVMM_IOBUS_COALESCED, &c->dev);
	if (c->nr_zones <= HYP_MAX_ZONES)
		armvmm_coalesced_look(vm);
	mutex_unlock(&vm->slots_lock);
	return 0;
}

int armvmm_coalesced_unregister(struct armvmm_vm *vm, const struct kvm_coalesced_mmio_zone *args)
{
	struct armvmm_coalesced *c = vm->coalesced;
	struct coalesced_zone *zone, *tmp;
	LIST_HEAD(gone);

	if (args->pio > 1)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	list_for_each_entry_safe(zone, tmp, &c->zones, list) {
		if (zone->pio != args->pio || !coalesced_covers(zone, args->addr, args->size))
			continue;
		if (!zone->pio)
			coalesced_remove(c, zone);
		list_move(&zone->list, &gone);
		c->nr_zones--;
	}
	/* After the look, and either of the rest, no write goes to what went. */
	if (!list_empty(&gone))
		armvmm_coalesced_look(vm);
	if (!list_empty(&gone) && !c->nr_zones)
		armvmm_iobus_unregister(vm, ARMVMM_IOBUS_COALESCED);
	else if (!list_empty(&gone))
		synchronize_srcu_expedited(&vm->srcu);
	mutex_unlock(&vm->slots_lock);
	list_for_each_entry_safe(zone, tmp, &gone, list)
		kfree(zone);
	return 0;
}

struct page *armvmm_coalesced_page(struct armvmm_vm *vm)
{
	return virt_to_page(vm->coalesced->hyp.ring);
}

int armvmm_coalesced_vm_init(struct armvmm_vm *vm)
{
	struct armvmm_coalesced *c = armvmm_hypmap_alloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->hyp.ring = (struct kvm_coalesced_mmio_ring *)get_zeroed_page(COMPAT_GFP_MAPPED);
	if (!c->hyp.ring) {
		armvmm_hypmap_free(c, sizeof(*c));
		return -ENOMEM;
	}
	/* Where HYP mode has something else at that address, the host posts all. */
	c->in_hyp = READ_ONCE(hyp_zones) &&
		    !armvmm_hypmap_add(c->hyp.ring, PAGE_SIZE, HYPMAP_DATA);
	raw_spin_lock_init(&c->hyp.lock);
	INIT_LIST_HEAD(&c->zones);
	c->tree = RB_ROOT;
	seqcount_init(&c->seq);
	c->dev.ops = &coalesced_ops;
	c->dev.size = ~0ULL;
	vm->coalesced = c;
	return 0;
}

/* A client that has the page mapped keeps it until it unmaps it. */
void armvmm_coalesced_vm_destroy(struct armvmm_vm *vm)
{
	struct coalesced_zone *zone, *tmp;

	if (!vm->coalesced)
		return;
	list_for_each_entry_safe(zone, tmp, &vm->coalesced->zones, list)
		kfree(zone);
	if (vm->coalesced->in_hyp)
		armvmm_hypmap_remove(vm->coalesced->hyp.ring, PAGE_SIZE);
	free_page((unsigned long)vm->coalesced->hyp.ring);
	armvmm_hypmap_free(vm->coalesced, sizeof(*vm->coalesced));
	vm->coalesced = NULL;
}

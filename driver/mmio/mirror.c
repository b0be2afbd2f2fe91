// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mirrors of the client's registers. There are few, so they are an array, sorted by address, which
 * HYP mode reads, too (hyp/mmio.c). All that the client gives is copied and checked before: nothing
 * here is shared with it.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/string.h>

#include "core/iobus.h"
#include "core/state.h"
#include "host/hypmap.h"
#include "hyp/mmio.h"
#include "mem/memslot.h"
#include "mmio/mirror.h"

static bool mirrors = true;
module_param(mirrors, bool, 0644);
MODULE_PARM_DESC(mirrors, "let clients have the kernel answer reads of their registers (ARMVMM_SET_MIRROR)");

static bool hyp_mirrors = true;
module_param(hyp_mirrors, bool, 0644);
MODULE_PARM_DESC(hyp_mirrors, "answer guests' reads of mirrors in HYP mode, in VMs that are made from now on");

struct armvmm_mirrors {
	struct hyp_mirrors hyp;		/* changes: lock */
	/* Of writers, which do little. Raw: readers do not wait for one that sleeps. */
	raw_spinlock_t lock;
	unsigned int hiding;		/* changes of memory slots that are under way; lock */
	bool allowed;			/* by the parameter when the VM was made; constant */
	bool in_hyp;			/* likewise */
	bool on_bus;			/* from the first mirror on; vm->slots_lock */
	struct armvmm_iodev dev;	/* all of them */
};

static int mirror_read(struct armvmm_vcpu *vcpu, struct armvmm_iodev *dev, u64 addr,
		       unsigned int len, void *val)
{
	const struct hyp_mirrors *m = &vcpu->vm->mirrors->hyp;
	const struct hyp_mirror *at;
	unsigned int seq;
	u32 value = 0;

	do {
		seq = read_seqcount_begin(&m->seq);
		at = hyp_mirrors_find(m, addr, len);
		if (at)
			value = hyp_mirror_value(at, addr);
	} while (read_seqcount_retry(&m->seq, seq));
	if (!at)
		return -EOPNOTSUPP;
	/* The value's low byte is the register's first one, as the host is little-endian. */
	memcpy(val, &value, len);
	return 0;
}

static const struct armvmm_iodev_ops mirror_ops = {
	.read = mirror_read,
};

/* Reads of that page are the mirrors' only after others' (run/abort.c, core/iobus.c). */
static bool mirror_is_behind(struct armvmm_vm *vm, u64 addr)
{
	u64 gfn = addr >> PAGE_SHIFT;

	return armvmm_memslot_find(vm, gfn) ||
	       armvmm_iobus_taken(vm, ARMVMM_IOBUS_MIRRORS, false, gfn << PAGE_SHIFT, PAGE_SIZE);
}

/*
 * Tells HYP mode where it may answer. While slots change it does not: armvmm_mirror_slots_changed()
 * looks at them anew.
 */
static void mirror_set_pages(struct armvmm_mirrors *m)
{
	unsigned int i;
	u32 pages = 0;

	lockdep_assert_held(&m->lock);
	for (i = 0; m->in_hyp && !m->hiding && i < m->hyp.nr; i++)
		if (!m->hyp.at[i].hidden)
			pages |= hyp_mmio_page(m->hyp.at[i].addr);
	WRITE_ONCE(m->hyp.pages, pages);
}

/* There is room. */
static void mirror_insert(struct armvmm_mirrors *m, unsigned int n, const struct hyp_mirror *new)
{
	struct hyp_mirrors *h = &m->hyp;

	lockdep_assert_held(&m->lock);
	write_seqcount_begin(&h->seq);
	memmove(&h->at[n + 1], &h->at[n], (h->nr - n) * sizeof(h->at[0]));
	h->at[n] = *new;
	WRITE_ONCE(h->nr, h->nr + 1);
	write_seqcount_end(&h->seq);
	mirror_set_pages(m);
}

static void mirror_remove(struct armvmm_mirrors *m, unsigned int n)
{
	struct hyp_mirrors *h = &m->hyp;

	lockdep_assert_held(&m->lock);
	write_seqcount_begin(&h->seq);
	WRITE_ONCE(h->nr, h->nr - 1);
	memmove(&h->at[n], &h->at[n + 1], (h->nr - n) * sizeof(h->at[0]));
	write_seqcount_end(&h->seq);
	mirror_set_pages(m);
}

/* Caller holds vm->srcu. */
static int mirror_change(struct armvmm_vm *vm, struct hyp_mirror *new, bool delete)
{
	struct armvmm_mirrors *m = vm->mirrors;
	struct hyp_mirrors *h = &m->hyp;
	unsigned int n = hyp_mirrors_search(h, new->addr);
	struct hyp_mirror *before = n ? &h->at[n - 1] : NULL;
	bool same = before && before->addr == new->addr && before->size == new->size;

	if (delete && !same)
		return -ENOENT;
	if (delete) {
		mirror_remove(m, n - 1);
	} else if (same) {
		WRITE_ONCE(before->value, new->value);
	} else {
		if (before && new->addr - before->addr < before->size)
			return -EEXIST;
		if (n < h->nr && h->at[n].addr - new->addr < new->size)
			return -EEXIST;
		if (h->nr == ARMVMM_MAX_MIRRORS)
			return -ENOSPC;
		new->hidden = mirror_is_behind(vm, new->addr);
		mirror_insert(m, n, new);
	}
	return 0;
}

static bool mirror_args_ok(const struct armvmm_mirror *args)
{
	if (args->size != 1 && args->size != 2 && args->size != 4)
		return false;
	if (args->addr & (args->size - 1) || args->flags & ~ARMVMM_MIRROR_DELETE || args->pad)
		return false;
	return args->flags & ARMVMM_MIRROR_DELETE || args->size == 4 ||
	       !(args->value >> (8 * args->size));
}

int armvmm_mirror_max(const struct armvmm_vm *vm)
{
	return (vm ? vm->mirrors->allowed : READ_ONCE(mirrors)) ? ARMVMM_MAX_MIRRORS : 0;
}

int armvmm_mirror_set(struct armvmm_vm *vm, const struct armvmm_mirror *args)
{
	struct hyp_mirror new = { .addr = args->addr, .size = args->size, .value = args->value };
	struct armvmm_mirrors *m = vm->mirrors;
	int ret, idx;

	if (!m->allowed || !mirror_args_ok(args))
		return -EINVAL;
	idx = srcu_read_lock(&vm->srcu);
	raw_spin_lock(&m->lock);
	ret = mirror_change(vm, &new, args->flags & ARMVMM_MIRROR_DELETE);
	raw_spin_unlock(&m->lock);
	srcu_read_unlock(&vm->srcu, idx);
	if (ret || READ_ONCE(m->on_bus))
		return ret;
	mutex_lock(&vm->slots_lock);
	if (!m->on_bus)
		armvmm_iobus_register(vm, ARMVMM_IOBUS_MIRRORS, &m->dev);
	WRITE_ONCE(m->on_bus, true);
	mutex_unlock(&vm->slots_lock);
	return 0;
}

void armvmm_mirror_slots_change(struct armvmm_vm *vm)
{
	struct armvmm_mirrors *m = vm->mirrors;

	raw_spin_lock(&m->lock);
	m->hiding++;
	mirror_set_pages(m);
	raw_spin_unlock(&m->lock);
}

void armvmm_mirror_slots_changed(struct armvmm_vm *vm)
{
	struct armvmm_mirrors *m = vm->mirrors;
	struct hyp_mirror *at = m->hyp.at;
	bool behind = false;
	unsigned int i;
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	raw_spin_lock(&m->lock);
	m->hiding--;
	for (i = 0; !m->hiding && i < m->hyp.nr; i++) {
		/* Neighbours are often in one page. */
		if (!i || (at[i].addr ^ at[i - 1].addr) >> PAGE_SHIFT)
			behind = mirror_is_behind(vm, at[i].addr);
		WRITE_ONCE(at[i].hidden, behind);
	}
	mirror_set_pages(m);
	raw_spin_unlock(&m->lock);
	srcu_read_unlock(&vm->srcu, idx);
}

const struct hyp_mirrors *armvmm_mirror_in_hyp(const struct armvmm_vm *vm)
{
	return vm->mirrors->in_hyp ? &vm->mirrors->hyp : NULL;
}

int armvmm_mirror_vm_init(struct armvmm_vm *vm)
{
	struct armvmm_mirrors *m = armvmm_hypmap_alloc(sizeof(*m));

	if (!m)
		return -ENOMEM;
	raw_spin_lock_init(&m->lock);
	seqcount_init(&m->hyp.seq);
	m->dev.ops = &mirror_ops;
	m->dev.size = ~0ULL;
	m->allowed = READ_ONCE(mirrors);
	m->in_hyp = READ_ONCE(hyp_mirrors);
	vm->mirrors = m;
	return 0;
}

void armvmm_mirror_vm_destroy(struct armvmm_vm *vm)
{
	armvmm_hypmap_free(vm->mirrors, sizeof(*vm->mirrors));
	vm->mirrors = NULL;
}

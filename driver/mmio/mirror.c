// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mirrors of the client's registers. There are few, so they are an array, sorted by address. All
 * that the client gives is copied and checked before: nothing here is shared with it.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "core/iobus.h"
#include "core/state.h"
#include "mmio/mirror.h"

static bool mirrors = true;
module_param(mirrors, bool, 0644);
MODULE_PARM_DESC(mirrors, "let clients have the kernel answer reads of their registers (ARMVMM_SET_MIRROR)");

struct mirror {
	u64 addr;		/* a multiple of size */
	u32 size;		/* 1, 2 or 4 */
	u32 value;
};

struct armvmm_mirrors {
	/* Of writers, which do little. Raw: readers do not wait for one that sleeps. */
	raw_spinlock_t lock;
	seqcount_t seq;			/* changes of nr, and moves in the array */
	unsigned int nr;
	struct mirror at[ARMVMM_MAX_MIRRORS];	/* sorted; none overlaps another */
	bool allowed;			/* by the parameter when the VM was made; constant */
	bool on_bus;			/* from the first mirror on; vm->slots_lock */
	struct armvmm_iodev dev;	/* all of them */
};

/* The number of mirrors that begin at @addr or before it. */
static unsigned int mirror_search(const struct armvmm_mirrors *m, u64 addr)
{
	unsigned int low = 0, high = READ_ONCE(m->nr), mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (m->at[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* While the array changes, the answer may be any. */
static bool mirror_find(const struct armvmm_mirrors *m, u64 addr, unsigned int len, u32 *value)
{
	unsigned int n = mirror_search(m, addr);
	u64 offset;
	u32 size;

	if (!n)
		return false;
	offset = addr - m->at[n - 1].addr;
	size = m->at[n - 1].size;
	if (offset >= size || len > size - offset)
		return false;
	*value = READ_ONCE(m->at[n - 1].value) >> (8 * (unsigned int)offset);
	return true;
}

static int mirror_read(struct armvmm_vcpu *vcpu, struct armvmm_iodev *dev, u64 addr,
		       unsigned int len, void *val)
{
	const struct armvmm_mirrors *m = vcpu->vm->mirrors;
	unsigned int seq;
	u32 value = 0;
	bool found;

	do {
		seq = read_seqcount_begin(&m->seq);
		found = mirror_find(m, addr, len, &value);
	} while (read_seqcount_retry(&m->seq, seq));
	if (!found)
		return -EOPNOTSUPP;
	/* The value's low byte is the register's first one, as the host is little-endian. */
	memcpy(val, &value, len);
	return 0;
}

static const struct armvmm_iodev_ops mirror_ops = {
	.read = mirror_read,
};

/* There is room. */
static void mirror_insert(struct armvmm_mirrors *m, unsigned int n, const struct mirror *new)
{
	lockdep_assert_held(&m->lock);
	write_seqcount_begin(&m->seq);
	memmove(&m->at[n + 1], &m->at[n], (m->nr - n) * sizeof(m->at[0]));
	m->at[n] = *new;
	WRITE_ONCE(m->nr, m->nr + 1);
	write_seqcount_end(&m->seq);
}

static void mirror_remove(struct armvmm_mirrors *m, unsigned int n)
{
	lockdep_assert_held(&m->lock);
	write_seqcount_begin(&m->seq);
	WRITE_ONCE(m->nr, m->nr - 1);
	memmove(&m->at[n], &m->at[n + 1], (m->nr - n) * sizeof(m->at[0]));
	write_seqcount_end(&m->seq);
}

static int mirror_change(struct armvmm_mirrors *m, const struct mirror *new, bool delete)
{
	unsigned int n = mirror_search(m, new->addr);
	struct mirror *before = n ? &m->at[n - 1] : NULL;
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
		if (n < m->nr && m->at[n].addr - new->addr < new->size)
			return -EEXIST;
		if (m->nr == ARMVMM_MAX_MIRRORS)
			return -ENOSPC;
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
	struct mirror new = { .addr = args->addr, .size = args->size, .value = args->value };
	struct armvmm_mirrors *m = vm->mirrors;
	int ret;

	if (!m->allowed || !mirror_args_ok(args))
		return -EINVAL;
	raw_spin_lock(&m->lock);
	ret = mirror_change(m, &new, args->flags & ARMVMM_MIRROR_DELETE);
	raw_spin_unlock(&m->lock);
	if (ret || READ_ONCE(m->on_bus))
		return ret;
	mutex_lock(&vm->slots_lock);
	if (!m->on_bus)
		armvmm_iobus_register(vm, ARMVMM_IOBUS_MIRRORS, &m->dev);
	WRITE_ONCE(m->on_bus, true);
	mutex_unlock(&vm->slots_lock);
	return 0;
}

int armvmm_mirror_vm_init(struct armvmm_vm *vm)
{
	struct armvmm_mirrors *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);

	if (!m)
		return -ENOMEM;
	raw_spin_lock_init(&m->lock);
	seqcount_init(&m->seq);
	m->dev.ops = &mirror_ops;
	m->dev.size = ~0ULL;
	m->allowed = READ_ONCE(mirrors);
	vm->mirrors = m;
	return 0;
}

void armvmm_mirror_vm_destroy(struct armvmm_vm *vm)
{
	kfree(vm->mirrors);
	vm->mirrors = NULL;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters in debugfs, laid out as KVM's:
 *	armvmm/COUNTER			sum over all VMs
 *	armvmm/PID-FD/COUNTER		of one VM, a vCPU's counters summed up
 *	armvmm/PID-FD/vcpuN/stats	all of one vCPU, "name value" lines
 * Zero written to a file of the first two sets the counter back. Histograms are for the stats
 * fd alone.
 */
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <linux/armvmm.h>

#include "compat/compat.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "vm/stat.h"

/* What a file of a counter is about. */
struct armvmm_stat_file {
	struct armvmm_vm *vm;		/* NULL: all */
	const struct armvmm_stat_desc *desc;
	bool of_vcpu;
};

static struct dentry *stat_root;
static LIST_HEAD(stat_vms);
/* The list, and the names of the VMs' folders. */
static DEFINE_MUTEX(stat_lock);
static struct armvmm_stat_file *stat_totals;

static u64 stat_vm_value(struct armvmm_vm *vm, const struct armvmm_stat_file *f)
{
	struct armvmm_vcpu *vcpu;
	u64 sum = 0;
	int i;

	if (!f->of_vcpu)
		return *armvmm_stat_vm_counter(vm, f->desc->offset);
	armvmm_vcpus_for_each(i, vcpu, vm)
		sum += *armvmm_stat_vcpu_counter(vcpu, f->desc->offset);
	return sum;
}

static void stat_vm_clear(struct armvmm_vm *vm, const struct armvmm_stat_file *f)
{
	struct armvmm_vcpu *vcpu;
	int i;

	if (!f->of_vcpu) {
		*armvmm_stat_vm_counter(vm, f->desc->offset) = 0;
		return;
	}
	armvmm_vcpus_for_each(i, vcpu, vm)
		*armvmm_stat_vcpu_counter(vcpu, f->desc->offset) = 0;
}

static int stat_file_get(void *data, u64 *val)
{
	const struct armvmm_stat_file *f = data;
	struct armvmm_vm *vm;

	*val = 0;
	if (f->vm) {
		*val = stat_vm_value(f->vm, f);
		return 0;
	}
	mutex_lock(&stat_lock);
	list_for_each_entry(vm, &stat_vms, stat_files.link)
		*val += stat_vm_value(vm, f);
	mutex_unlock(&stat_lock);
	return 0;
}

static int stat_file_clear(void *data, u64 val)
{
	const struct armvmm_stat_file *f = data;
	struct armvmm_vm *vm;

	if (val)
		return -EINVAL;
	if (f->vm) {
		stat_vm_clear(f->vm, f);
		return 0;
	}
	mutex_lock(&stat_lock);
	list_for_each_entry(vm, &stat_vms, stat_files.link)
		stat_vm_clear(vm, f);
	mutex_unlock(&stat_lock);
	return 0;
}

DEFINE_SIMPLE_ATTRIBUTE(stat_file_fops, stat_file_get, stat_file_clear, "%llu\n");
DEFINE_SIMPLE_ATTRIBUTE(stat_file_ro_fops, stat_file_get, NULL, "%llu\n");

static struct armvmm_stat_file *stat_file_make(struct armvmm_stat_file *f, struct dentry *dir,
					       const struct armvmm_stat_desc *desc, bool of_vcpu)
{
	bool instant = (desc->flags & KVM_STATS_TYPE_MASK) == KVM_STATS_TYPE_INSTANT;

	if (desc->size != 1)
		return f;
	f->desc = desc;
	f->of_vcpu = of_vcpu;
	debugfs_create_file(desc->name, instant ? 0444 : 0644, dir, f,
			    instant ? &stat_file_ro_fops : &stat_file_fops);
	return f + 1;
}

/* A file for each counter. Returns what the files refer to, to be freed after them, or NULL. */
static struct armvmm_stat_file *stat_files_make(struct dentry *dir, struct armvmm_vm *vm)
{
	unsigned int nr = armvmm_stat_nr_vm_descs + armvmm_stat_nr_vcpu_descs, i;
	struct armvmm_stat_file *files, *f;

	files = kcalloc(nr, sizeof(*files), GFP_KERNEL_ACCOUNT);
	if (!files)
		return NULL;
	for (i = 0; i < nr; i++)
		files[i].vm = vm;
	f = files;
	for (i = 0; i < armvmm_stat_nr_vm_descs; i++)
		f = stat_file_make(f, dir, &armvmm_stat_vm_descs[i], false);
	for (i = 0; i < armvmm_stat_nr_vcpu_descs; i++)
		f = stat_file_make(f, dir, &armvmm_stat_vcpu_descs[i], true);
	return files;
}

static int stat_vcpu_show(struct seq_file *m, void *unused)
{
	const struct armvmm_stat_desc *desc = armvmm_stat_vcpu_descs;
	struct armvmm_vcpu *vcpu = m->private;
	unsigned int i;

	for (i = 0; i < armvmm_stat_nr_vcpu_descs; i++, desc++)
		if (desc->size == 1)
			seq_printf(m, "%s %llu\n", desc->name,
				   *armvmm_stat_vcpu_counter(vcpu, desc->offset));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stat_vcpu);

/*
 * The name is free again when the VM is gone, which may be long after its fd was closed: then a
 * second VM of the same name goes without a folder, as in KVM. debugfs itself would log it.
 */
static struct dentry *stat_dir_make(const char *name)
{
	struct dentry *dir;

	lockdep_assert_held(&stat_lock);
	dir = debugfs_lookup(name, stat_root);
	if (dir) {
		dput(dir);
		return NULL;
	}
	dir = debugfs_create_dir(name, stat_root);
	return IS_ERR(dir) ? NULL : dir;
}

void armvmm_stat_vm_add(struct armvmm_vm *vm, int fd)
{
	struct armvmm_stat_files *s = &vm->stat_files;
	char name[2 * 11 + 2];

	s->pid = task_pid_nr(current);
	snprintf(name, sizeof(name), "%d-%d", s->pid, fd);
	mutex_lock(&stat_lock);
	list_add_tail(&s->link, &stat_vms);
	if (!IS_ERR_OR_NULL(stat_root))
		s->dir = stat_dir_make(name);
	mutex_unlock(&stat_lock);
	if (s->dir)
		s->files = stat_files_make(s->dir, vm);
}

void armvmm_stat_vcpu_add(struct armvmm_vcpu *vcpu)
{
	struct dentry *dir;
	char name[16];

	if (!vcpu->vm->stat_files.dir)
		return;
	snprintf(name, sizeof(name), "vcpu%u", vcpu->id);
	dir = debugfs_create_dir(name, vcpu->vm->stat_files.dir);
	if (!IS_ERR(dir))
		debugfs_create_file("stats", 0444, dir, vcpu, &stat_vcpu_fops);
}

void armvmm_stat_vm_del(struct armvmm_vm *vm)
{
	struct armvmm_stat_files *s = &vm->stat_files;

	/* Never added: creation failed on the way. */
	if (!s->link.next)
		return;
	mutex_lock(&stat_lock);
	list_del(&s->link);
	mutex_unlock(&stat_lock);
	/* Waits for readers to leave. */
	debugfs_remove(s->dir);
	kfree(s->files);
}

void armvmm_stat_init(void)
{
	stat_root = debugfs_create_dir("armvmm", NULL);
	if (!IS_ERR(stat_root))
		stat_totals = stat_files_make(stat_root, NULL);
}

void armvmm_stat_exit(void)
{
	debugfs_remove(stat_root);
	kfree(stat_totals);
}

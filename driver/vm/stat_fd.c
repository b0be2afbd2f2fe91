// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_STATS_FD: a file that holds a header, the name of what is counted, descriptors and
 * counters (Documentation/virt/kvm/api.rst, 4.134). It is made anew for each read, zeroed, so that
 * whatever part a client asks for holds nothing but what is meant for it.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <linux/armvmm.h>

#include "compat/compat.h"
#include "core/state.h"
#include "vm/stat.h"
#include "vm/vm.h"

struct stat_image {
	struct kvm_stats_header header;
	char id[ARMVMM_STAT_NAME_SIZE];
	struct armvmm_stat_desc descs[];	/* the counters come after them */
};

/* An image without its name and counters, which follow at the returned header's data_offset. */
static struct stat_image *stat_image_new(const struct armvmm_stat_desc *descs, unsigned int nr,
					 size_t data_size, size_t *size)
{
	size_t data_offset = offsetof(struct stat_image, descs) + nr * sizeof(*descs);
	struct stat_image *image;

	*size = data_offset + data_size;
	image = kzalloc(*size, GFP_KERNEL_ACCOUNT);
	if (!image)
		return NULL;
	image->header = (struct kvm_stats_header){
		.name_size = ARMVMM_STAT_NAME_SIZE,
		.num_desc = nr,
		.id_offset = offsetof(struct stat_image, id),
		.desc_offset = offsetof(struct stat_image, descs),
		.data_offset = data_offset,
	};
	memcpy((char *)image + offsetof(struct stat_image, descs), descs, nr * sizeof(*descs));
	return image;
}

static ssize_t stat_vm_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	struct armvmm_vm *vm = file->private_data;
	struct stat_image *image;
	size_t size;
	ssize_t ret;

	image = stat_image_new(armvmm_stat_vm_descs, armvmm_stat_nr_vm_descs,
			       ARMVMM_STAT_VM_SIZE, &size);
	if (!image)
		return -ENOMEM;
	snprintf(image->id, sizeof(image->id), "kvm-%d", vm->stat_files.pid);
	armvmm_stat_vm_copy(vm, (char *)image + image->header.data_offset);
	ret = simple_read_from_buffer(buf, count, ppos, image, size);
	kfree(image);
	return ret;
}

static ssize_t stat_vcpu_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	struct armvmm_vcpu *vcpu = file->private_data;
	struct stat_image *image;
	size_t size;
	ssize_t ret;

	image = stat_image_new(armvmm_stat_vcpu_descs, armvmm_stat_nr_vcpu_descs,
			       ARMVMM_STAT_VCPU_SIZE, &size);
	if (!image)
		return -ENOMEM;
	snprintf(image->id, sizeof(image->id), "kvm-%d/vcpu-%u", vcpu->vm->stat_files.pid,
		 vcpu->id);
	armvmm_stat_vcpu_copy(vcpu, (char *)image + image->header.data_offset);
	ret = simple_read_from_buffer(buf, count, ppos, image, size);
	kfree(image);
	return ret;
}

static int stat_vm_release(struct inode *inode, struct file *file)
{
	struct armvmm_vm *vm = file->private_data;

	armvmm_vm_put(vm);
	return 0;
}

static int stat_vcpu_release(struct inode *inode, struct file *file)
{
	struct armvmm_vcpu *vcpu = file->private_data;

	armvmm_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations stat_vm_fops = {
	.owner = THIS_MODULE,
	.read = stat_vm_read,
	.release = stat_vm_release,
	.llseek = noop_llseek,
};

static const struct file_operations stat_vcpu_fops = {
	.owner = THIS_MODULE,
	.read = stat_vcpu_read,
	.release = stat_vcpu_release,
	.llseek = noop_llseek,
};

static int stat_fd(struct armvmm_vm *vm, const char *name, const struct file_operations *fops,
		   void *private)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = anon_inode_getfile(name, fops, private, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	/* A client reads the counters again and again, by their offset. */
	file->f_mode |= FMODE_PREAD;
	armvmm_vm_get(vm);
	fd_install(fd, file);
	return fd;
}

int armvmm_stat_vm_fd(struct armvmm_vm *vm)
{
	return stat_fd(vm, "armvmm-vm-stats", &stat_vm_fops, vm);
}

int armvmm_stat_vcpu_fd(struct armvmm_vcpu *vcpu)
{
	return stat_fd(vcpu->vm, "armvmm-vcpu-stats", &stat_vcpu_fops, vcpu);
}

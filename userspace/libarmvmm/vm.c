// SPDX-License-Identifier: GPL-2.0-only
/* The VM: opening the node, memory slots, event file descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

int vm_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static int vm_open_device(const char *device)
{
	int fd = open(device ? device : ARMVMM_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A node that is no hypervisor may answer anything to a foreign ioctl, usually ENOTTY or EINVAL. */
static int vm_device_version(int fd)
{
	int ret = vm_ioctl(fd, KVM_GET_API_VERSION, NULL);

	return ret == -EINVAL ? -ENOTTY : ret;
}

int armvmm_device_version(const char *device)
{
	int fd = vm_open_device(device), ret;

	if (fd < 0)
		return fd;
	ret = vm_device_version(fd);
	close(fd);
	return ret;
}

/*
 * Takes over @fd, the descriptor of the node, even if it fails. A negative @fd is an error to
 * return.
 */
static int vm_create(int fd, struct armvmm_vm **out)
{
	struct armvmm_vm *vm;
	int ret = fd;

	*out = NULL;
	if (fd < 0)
		return fd;
	vm = calloc(1, sizeof(*vm));
	if (!vm) {
		close(fd);
		return -ENOMEM;
	}
	vm->gic_fd = -1;
	vm->device_fd = fd;

	ret = vm_device_version(vm->device_fd);
	if (ret < 0)
		goto err_device;
	if (ret != ARMVMM_API_VERSION) {
		ret = -EPROTONOSUPPORT;
		goto err_device;
	}

	ret = vm_ioctl(vm->device_fd, KVM_GET_VCPU_MMAP_SIZE, NULL);
	if (ret < 0)
		goto err_device;
	if ((size_t)ret < sizeof(struct kvm_run)) {
		ret = -EPROTO;
		goto err_device;
	}
	vm->run_size = ret;

	do {
		/* A signal that arrives in the middle is no reason to fail. */
		ret = vm_ioctl(vm->device_fd, KVM_CREATE_VM, NULL);
	} while (ret == -EINTR);
	if (ret < 0)
		goto err_device;
	vm->fd = ret;
	*out = vm;
	return 0;

err_device:
	close(vm->device_fd);
	free(vm);
	return ret;
}

int armvmm_vm_open(const char *device, struct armvmm_vm **out)
{
	return vm_create(vm_open_device(device), out);
}

int armvmm_vm_open_fd(int fd, struct armvmm_vm **out)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return vm_create(own < 0 ? -errno : own, out);
}

void armvmm_vm_close(struct armvmm_vm *vm)
{
	if (!vm)
		return;
	for (unsigned int i = 0; i < VM_MAX_VCPUS; i++)
		armvmm_vcpu_close(vm->vcpu[i]);
	if (vm->gic_fd >= 0)
		close(vm->gic_fd);
	close(vm->fd);
	close(vm->device_fd);
	free(vm);
}

int armvmm_vm_fd(const struct armvmm_vm *vm)
{
	return vm->fd;
}

int armvmm_vm_device_fd(const struct armvmm_vm *vm)
{
	return vm->device_fd;
}

int armvmm_vm_check_extension(struct armvmm_vm *vm, unsigned int cap)
{
	return vm_ioctl(vm->device_fd, KVM_CHECK_EXTENSION, (void *)(uintptr_t)cap);
}

bool armvmm_vm_has_pmu(struct armvmm_vm *vm)
{
	return armvmm_vm_check_extension(vm, KVM_CAP_ARM_PMU_V3) > 0;
}

bool armvmm_vm_pins_memory(struct armvmm_vm *vm)
{
	return armvmm_vm_check_extension(vm, KVM_CAP_SYNC_MMU) == 0;
}

int armvmm_vm_suspend_stops(struct armvmm_vm *vm, bool stops)
{
	struct kvm_enable_cap cap = { .cap = ARMVMM_CAP_SUSPEND_STOPS, .args = { stops } };

	return vm_ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

bool armvmm_vm_can_unpin(struct armvmm_vm *vm)
{
	return armvmm_vm_check_extension(vm, ARMVMM_CAP_UNPIN) > 0;
}

int armvmm_vm_unpin(struct armvmm_vm *vm, uint64_t gpa, uint64_t size)
{
	struct armvmm_range range = { .addr = gpa, .size = size };

	return vm_ioctl(vm->fd, ARMVMM_UNPIN, &range);
}

int armvmm_vm_memory_set(struct armvmm_vm *vm, unsigned int slot, uint64_t gpa, uint64_t size,
			 void *host, unsigned int flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	if (flags & ~(ARMVMM_MEMORY_READONLY | ARMVMM_MEMORY_LOG_DIRTY))
		return -EINVAL;
	if (flags & ARMVMM_MEMORY_READONLY)
		region.flags |= KVM_MEM_READONLY;
	if (flags & ARMVMM_MEMORY_LOG_DIRTY)
		region.flags |= KVM_MEM_LOG_DIRTY_PAGES;
	return vm_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

int armvmm_vm_dirty_log(struct armvmm_vm *vm, unsigned int slot, void *bitmap)
{
	struct kvm_dirty_log log = {
		.slot = slot,
		.dirty_bitmap = bitmap,
	};

	return vm_ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log);
}

static int vm_ioeventfd(struct armvmm_vm *vm, int fd, uint64_t gpa, unsigned int len,
			const uint64_t *match, uint32_t flags)
{
	struct kvm_ioeventfd ioeventfd = {
		.addr = gpa,
		.len = len,
		.fd = fd,
		.flags = flags,
	};

	if (match) {
		ioeventfd.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
		ioeventfd.datamatch = *match;
	}
	return vm_ioctl(vm->fd, KVM_IOEVENTFD, &ioeventfd);
}

int armvmm_ioeventfd_add(struct armvmm_vm *vm, int fd, uint64_t gpa, unsigned int len,
			 const uint64_t *match)
{
	return vm_ioeventfd(vm, fd, gpa, len, match, 0);
}

int armvmm_ioeventfd_del(struct armvmm_vm *vm, int fd, uint64_t gpa, unsigned int len,
			 const uint64_t *match)
{
	return vm_ioeventfd(vm, fd, gpa, len, match, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

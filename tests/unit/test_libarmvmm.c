// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/libarmvmm/vm.c userspace/libarmvmm/vcpu.c userspace/libarmvmm/posted.c userspace/libarmvmm/gic.c userspace/libarmvmm/regs.c
// cflags: -D_GNU_SOURCE -Iinclude/uapi -Iuserspace/libarmvmm/include -Idriver
// libs: -Wl,--wrap=ioctl,--wrap=open,--wrap=fcntl,--wrap=close,--wrap=mmap,--wrap=munmap
//
// The library against a kernel of our own behind open(), ioctl() and mmap():
// what it asks for, in which structures, and what it does with each failure.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/armvmm.h>

#include "../guest/lib/board.h"
#include "../../userspace/libarmvmm/include/libarmvmm.h"
#include "ktap.h"

#define FD_DEVICE	1000
#define FD_VM		1001
#define FD_GIC		1002
#define FD_VCPU		1010
#define RUN_SIZE	8192
/* KVM_COALESCED_MMIO_MAX with pages of 4 KiB. */
#define KVM_RING_MAX								\
	((4096 - sizeof(struct kvm_coalesced_mmio_ring)) / sizeof(struct kvm_coalesced_mmio))

int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *addr, size_t len);
int __wrap_fcntl(int fd, int command, ...);

static struct {
	const char *path;
	int open_errno, version, run_size;
	unsigned long fail_request;	/* this one fails ... */
	int fail_errno;			/* ... with this */
	int nr_open;			/* descriptors that are open */
	int nr_mapped;
	union {
		struct kvm_userspace_memory_region region;
		struct kvm_irq_level line;
		struct kvm_irqfd irqfd;
		struct kvm_ioeventfd ioeventfd;
		struct kvm_device_attr attr;
		struct kvm_vcpu_init init;
		struct kvm_guest_debug debug;
		struct kvm_dirty_log log;
		struct armvmm_mirror mirror;
		struct armvmm_range range;
		struct kvm_enable_cap cap;
		struct kvm_coalesced_mmio_zone zone;
	} got;
	struct {
		unsigned long cap;
		int value;
	} caps[4];			/* that the kernel has besides KVM_CAP_IRQFD */
	int ring_page;			/* what KVM_CAP_COALESCED_MMIO answers */
	int mirrors;
	uint64_t attrs[8], attr_values[8];
	unsigned int nr_attrs;
	int attr_fd;			/* whose attributes they are; 0: the GIC's */
	uint64_t reg_id, reg_value;
	uint64_t run_page[RUN_SIZE / 8];
	int run_errno;
	bool more;		/* RUN has another access, immediate_exit or not */
} kernel;

static struct kvm_run *run_page(void)
{
	return (struct kvm_run *)kernel.run_page;
}

static void kernel_reset(void)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.version = 12;
	kernel.run_size = RUN_SIZE;
}

int __wrap_open(const char *path, int flags, ...)
{
	kernel.path = path;
	KTAP_EQ(flags, O_RDWR | O_CLOEXEC);
	if (kernel.open_errno) {
		errno = kernel.open_errno;
		return -1;
	}
	kernel.nr_open++;
	return FD_DEVICE;
}

int __wrap_fcntl(int fd, int command, ...)
{
	KTAP_EQ(fd, 77);
	KTAP_EQ(command, F_DUPFD_CLOEXEC);
	if (kernel.open_errno) {
		errno = kernel.open_errno;
		return -1;
	}
	kernel.nr_open++;
	return FD_DEVICE;
}

int __wrap_close(int fd)
{
	KTAP_TRUE(fd >= FD_DEVICE);
	kernel.nr_open--;
	return 0;
}

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	KTAP_EQ(len, RUN_SIZE);
	KTAP_TRUE(fd >= FD_VCPU);
	if (kernel.fail_request == 1) {
		errno = kernel.fail_errno;
		return MAP_FAILED;
	}
	kernel.nr_mapped++;
	return kernel.run_page;
}

int __wrap_munmap(void *addr, size_t len)
{
	kernel.nr_mapped--;
	return 0;
}

static int kernel_device_attr(const struct kvm_device_attr *attr, bool set)
{
	kernel.got.attr = *attr;
	kernel.attrs[kernel.nr_attrs % 8] = (uint64_t)attr->group << 56 | attr->attr;
	if (set && attr->addr)
		kernel.attr_values[kernel.nr_attrs % 8] = *(uint32_t *)(uintptr_t)attr->addr;
	else if (attr->addr)
		*(uint32_t *)(uintptr_t)attr->addr = 0x600d;
	kernel.nr_attrs++;
	return 0;
}

static int kernel_one_reg(const struct kvm_one_reg *reg, bool set)
{
	unsigned int size = 1u << (reg->id >> 52 & 15);
	void *value = (void *)(uintptr_t)reg->addr;

	kernel.reg_id = reg->id;
	if (set) {
		kernel.reg_value = 0;
		memcpy(&kernel.reg_value, value, size);
	} else {
		memset(value, 0x5a, size);
	}
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == kernel.fail_request) {
		errno = kernel.fail_errno;
		return -1;
	}
	switch (request) {
	case KVM_GET_API_VERSION:
		KTAP_EQ(fd, FD_DEVICE);
		return kernel.version;
	case KVM_GET_VCPU_MMAP_SIZE:
		return kernel.run_size;
	case KVM_CHECK_EXTENSION:
		for (unsigned int i = 0; i < 4; i++)
			if (kernel.caps[i].cap == (uintptr_t)arg)
				return kernel.caps[i].value;
		if ((uintptr_t)arg == KVM_CAP_COALESCED_MMIO)
			return kernel.ring_page;
		if ((uintptr_t)arg == ARMVMM_CAP_MIRRORS)
			return kernel.mirrors;
		return (uintptr_t)arg == KVM_CAP_IRQFD;
	case KVM_CREATE_VM:
		KTAP_TRUE(!arg);
		kernel.nr_open++;
		return FD_VM;
	case KVM_SET_USER_MEMORY_REGION:
		kernel.got.region = *(struct kvm_userspace_memory_region *)arg;
		return 0;
	case KVM_CREATE_DEVICE:
		KTAP_EQ(((struct kvm_create_device *)arg)->type, KVM_DEV_TYPE_ARM_VGIC_V2);
		((struct kvm_create_device *)arg)->fd = FD_GIC;
		kernel.nr_open++;
		return 0;
	case KVM_SET_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR:
		KTAP_EQ(fd, kernel.attr_fd ? kernel.attr_fd : FD_GIC);
		return kernel_device_attr(arg, request == KVM_SET_DEVICE_ATTR);
	case KVM_IRQ_LINE:
		kernel.got.line = *(struct kvm_irq_level *)arg;
		return 0;
	case KVM_IRQFD:
		kernel.got.irqfd = *(struct kvm_irqfd *)arg;
		return 0;
	case KVM_IOEVENTFD:
		kernel.got.ioeventfd = *(struct kvm_ioeventfd *)arg;
		return 0;
	case KVM_GET_DIRTY_LOG:
		KTAP_EQ(fd, FD_VM);
		kernel.got.log = *(struct kvm_dirty_log *)arg;
		return 0;
	case KVM_ENABLE_CAP:
		KTAP_EQ(fd, FD_VM);
		kernel.got.cap = *(struct kvm_enable_cap *)arg;
		return 0;
	case ARMVMM_UNPIN:
		KTAP_EQ(fd, FD_VM);
		kernel.got.range = *(struct armvmm_range *)arg;
		return 0;
	case ARMVMM_SET_MIRROR:
		KTAP_EQ(fd, FD_VM);
		kernel.got.mirror = *(struct armvmm_mirror *)arg;
		return 0;
	case KVM_REGISTER_COALESCED_MMIO:
	case KVM_UNREGISTER_COALESCED_MMIO:
		KTAP_EQ(fd, FD_VM);
		kernel.got.zone = *(struct kvm_coalesced_mmio_zone *)arg;
		return 0;
	case KVM_CREATE_VCPU:
		kernel.nr_open++;
		return FD_VCPU + (int)(uintptr_t)arg;
	case KVM_ARM_PREFERRED_TARGET:
		((struct kvm_vcpu_init *)arg)->target = KVM_ARM_TARGET_CORTEX_A7;
		return 0;
	case KVM_SET_GUEST_DEBUG:
		kernel.got.debug = *(struct kvm_guest_debug *)arg;
		return 0;
	case KVM_ARM_VCPU_INIT:
		kernel.got.init = *(struct kvm_vcpu_init *)arg;
		return 0;
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG:
		return kernel_one_reg(arg, request == KVM_SET_ONE_REG);
	case KVM_RUN:
		if (run_page()->immediate_exit && !kernel.more)
			errno = EINTR;
		else
			errno = kernel.run_errno;
		return errno ? -1 : 0;
	}
	errno = ENOTTY;
	return -1;
}

static void test_open(void)
{
	struct armvmm_vm *vm;

	kernel_reset();
	KTAP_EQ(armvmm_vm_open(NULL, &vm), 0);
	KTAP_STREQ(kernel.path, "/dev/armvmm");
	KTAP_EQ(armvmm_vm_fd(vm), FD_VM);
	KTAP_EQ(armvmm_vm_device_fd(vm), FD_DEVICE);
	KTAP_EQ(armvmm_vm_check_extension(vm, KVM_CAP_IRQFD), 1);
	armvmm_vm_close(vm);
	KTAP_EQ(kernel.nr_open, 0);
	armvmm_vm_close(NULL);
}

/* The node of a process that may open no file: it stays the caller's. */
static void test_open_fd(void)
{
	struct armvmm_vm *vm;

	kernel_reset();
	KTAP_EQ(armvmm_vm_open_fd(77, &vm), 0);
	KTAP_TRUE(!kernel.path);
	KTAP_EQ(armvmm_vm_device_fd(vm), FD_DEVICE);
	armvmm_vm_close(vm);
	KTAP_EQ(kernel.nr_open, 0);
	kernel.version = 13;
	KTAP_EQ(armvmm_vm_open_fd(77, &vm), (unsigned long long)-EPROTONOSUPPORT);
	KTAP_EQ(kernel.nr_open, 0);
	kernel.open_errno = EBADF;
	KTAP_EQ(armvmm_vm_open_fd(77, &vm), (unsigned long long)-EBADF);
	KTAP_TRUE(!vm);
}

/* Each step of opening fails in turn: the errno is returned, and nothing stays open. */
static void test_open_fails(void)
{
	static const struct {
		unsigned long request;
		int code, want;
	} cases[] = {
		{ KVM_GET_API_VERSION, ENOTTY, -ENOTTY },
		{ KVM_GET_API_VERSION, EINVAL, -ENOTTY },
		{ KVM_GET_VCPU_MMAP_SIZE, EIO, -EIO },
		{ KVM_CREATE_VM, ENOMEM, -ENOMEM },
	};
	struct armvmm_vm *vm;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kernel_reset();
		kernel.fail_request = cases[i].request;
		kernel.fail_errno = cases[i].code;
		KTAP_EQ(armvmm_vm_open("/dev/x", &vm), (unsigned long long)cases[i].want);
		KTAP_TRUE(!vm);
		KTAP_EQ(kernel.nr_open, 0);
	}
	kernel_reset();
	kernel.open_errno = EACCES;
	KTAP_EQ(armvmm_vm_open("/dev/x", &vm), (unsigned long long)-EACCES);
	kernel_reset();
	kernel.version = 13;
	KTAP_EQ(armvmm_vm_open("/dev/x", &vm), (unsigned long long)-EPROTONOSUPPORT);
	KTAP_EQ(armvmm_device_version("/dev/x"), 13);
	KTAP_EQ(kernel.nr_open, 0);
	kernel_reset();
	kernel.run_size = 100;
	KTAP_EQ(armvmm_vm_open("/dev/x", &vm), (unsigned long long)-EPROTO);
	KTAP_EQ(kernel.nr_open, 0);
}

static void test_memory(void)
{
	struct armvmm_vm *vm;
	int host;

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	KTAP_EQ(armvmm_vm_memory_set(vm, 3, RAM_BASE, 0x10000, &host,
				     ARMVMM_MEMORY_READONLY | ARMVMM_MEMORY_LOG_DIRTY), 0);
	KTAP_EQ(kernel.got.region.slot, 3);
	KTAP_EQ(kernel.got.region.guest_phys_addr, RAM_BASE);
	KTAP_EQ(kernel.got.region.memory_size, 0x10000);
	KTAP_EQ(kernel.got.region.userspace_addr, (uintptr_t)&host);
	KTAP_EQ(kernel.got.region.flags, KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES);
	KTAP_EQ(armvmm_vm_memory_set(vm, 0, 0, 0, NULL, 4), (unsigned long long)-EINVAL);
	armvmm_vm_close(vm);
}

static void test_gic(void)
{
	static const struct {
		uint64_t dist, cpu;
		unsigned int nr;
		int err;
	} bad[] = {
		{ 1, 0x10000, 64, -EINVAL },
		{ 0, 0x10800, 64, -EINVAL },
		{ 0, 0, 64, -EINVAL },
		{ 0x1000, 0, 64, -EINVAL },
		{ 0, 0x10000, 32, -EINVAL },
		{ 0, 0x10000, 96 + 1, -EINVAL },
		{ 0, 0x10000, 1056, -EINVAL },
		{ 1ull << 40, 0, 64, -E2BIG },
		{ 0, (1ull << 40) - 0x1000, 64, -E2BIG },
		{ -0x1000ull, 0, 64, -E2BIG },
	};
	struct armvmm_vm *vm;
	uint32_t value;

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	KTAP_EQ(armvmm_gic_init(vm), (unsigned long long)-ENODEV);
	KTAP_EQ(armvmm_gic_create(vm, GICD_BASE, GICC_BASE, 288), 0);
	KTAP_EQ(kernel.nr_attrs, 3);
	KTAP_EQ(kernel.attrs[0], 0);
	KTAP_EQ(kernel.attr_values[0], GICD_BASE);
	KTAP_EQ(kernel.attrs[1], 1);
	KTAP_EQ(kernel.attr_values[1], GICC_BASE);
	KTAP_EQ(kernel.attrs[2], 3ull << 56);
	KTAP_EQ(kernel.attr_values[2], 288);
	KTAP_EQ(armvmm_gic_create(vm, 0, 0, 64), (unsigned long long)-EEXIST);
	KTAP_EQ(armvmm_gic_init(vm), 0);
	KTAP_EQ(kernel.attrs[3], 4ull << 56);
	KTAP_EQ(armvmm_gic_reg_set(vm, ARMVMM_GIC_CPU, 5, 4, 0xf0), 0);
	KTAP_EQ(kernel.attrs[4], 2ull << 56 | 5ull << 32 | 4);
	KTAP_EQ(armvmm_gic_reg_get(vm, ARMVMM_GIC_DIST, 0, 0x100, &value), 0);
	KTAP_EQ(value, 0x600d);
	KTAP_EQ(armvmm_gic_reg_get(vm, ARMVMM_GIC_DIST, 8, 0, &value),
		(unsigned long long)-EINVAL);
	armvmm_vm_close(vm);
	KTAP_EQ(kernel.nr_open, 0);

	/* If an address is refused, the device is removed again. */
	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	kernel.fail_request = KVM_SET_DEVICE_ATTR;
	kernel.fail_errno = E2BIG;
	KTAP_EQ(armvmm_gic_create(vm, 0, 0x10000, 64), (unsigned long long)-E2BIG);
	KTAP_EQ(kernel.nr_open, 2);
	armvmm_vm_close(vm);

	/* If no kernel would accept it, no device is made, so that the VM can still have one. */
	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		KTAP_EQ(armvmm_gic_create(vm, bad[i].dist, bad[i].cpu, bad[i].nr),
			(unsigned long long)bad[i].err);
	KTAP_EQ(kernel.nr_attrs, 0);
	KTAP_EQ(armvmm_gic_create(vm, 0xfffffff000, 0xffffffd000, 1024), 0);
	armvmm_vm_close(vm);
}

static void test_irq(void)
{
	struct armvmm_vm *vm;
	uint64_t match = 7;

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	KTAP_EQ(armvmm_irq_set_spi(vm, 16, true), 0);
	KTAP_EQ(kernel.got.line.irq, 1u << 24 | 48);	/* by INTID */
	KTAP_EQ(kernel.got.line.level, 1);
	KTAP_EQ(armvmm_irq_set_ppi(vm, 3, 27, false), 0);
	KTAP_EQ(kernel.got.line.irq, 2u << 24 | 3u << 16 | 27);
	KTAP_EQ(armvmm_irq_set_spi(vm, 988, true), (unsigned long long)-EINVAL);
	KTAP_EQ(armvmm_irq_set_ppi(vm, 0, 15, true), (unsigned long long)-EINVAL);
	KTAP_EQ(armvmm_irq_set_ppi(vm, 0, 32, true), (unsigned long long)-EINVAL);
	KTAP_EQ(armvmm_irq_set_ppi(vm, 8, 27, true), (unsigned long long)-EINVAL);

	KTAP_EQ(armvmm_irqfd_add(vm, 5, 16, -1), 0);
	KTAP_EQ(kernel.got.irqfd.gsi, 16);		/* by SPI */
	KTAP_EQ(kernel.got.irqfd.flags, 0);
	KTAP_EQ(armvmm_irqfd_add(vm, 5, 16, 6), 0);
	KTAP_EQ(kernel.got.irqfd.flags, KVM_IRQFD_FLAG_RESAMPLE);
	KTAP_EQ(kernel.got.irqfd.resamplefd, 6);
	KTAP_EQ(armvmm_irqfd_del(vm, 5, 16), 0);
	KTAP_EQ(kernel.got.irqfd.flags, KVM_IRQFD_FLAG_DEASSIGN);

	KTAP_EQ(armvmm_ioeventfd_add(vm, 9, VIRTIO_BASE + 0x50, 4, &match), 0);
	KTAP_EQ(kernel.got.ioeventfd.addr, VIRTIO_BASE + 0x50);
	KTAP_EQ(kernel.got.ioeventfd.len, 4);
	KTAP_EQ(kernel.got.ioeventfd.fd, 9);
	KTAP_EQ(kernel.got.ioeventfd.datamatch, 7);
	KTAP_EQ(kernel.got.ioeventfd.flags, KVM_IOEVENTFD_FLAG_DATAMATCH);
	KTAP_EQ(armvmm_ioeventfd_del(vm, 9, VIRTIO_BASE + 0x50, 4, NULL), 0);
	KTAP_EQ(kernel.got.ioeventfd.flags, KVM_IOEVENTFD_FLAG_DEASSIGN);
	armvmm_vm_close(vm);
}

static void test_vcpu(void)
{
	struct armvmm_vm *vm;
	struct armvmm_vcpu *vcpu, *other;

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	KTAP_EQ(armvmm_vcpu_create(vm, 8, &vcpu), (unsigned long long)-EINVAL);
	KTAP_EQ(armvmm_vcpu_create(vm, 2, &vcpu), 0);
	KTAP_EQ(armvmm_vcpu_index(vcpu), 2);
	KTAP_EQ(armvmm_vcpu_fd(vcpu), FD_VCPU + 2);
	KTAP_EQ(armvmm_vcpu_create(vm, 2, &other), (unsigned long long)-EEXIST);
	KTAP_EQ(armvmm_vcpu_init(vcpu, ARMVMM_VCPU_PSCI_0_2 | ARMVMM_VCPU_POWER_OFF), 0);
	KTAP_EQ(kernel.got.init.target, KVM_ARM_TARGET_CORTEX_A7);
	KTAP_EQ(kernel.got.init.features[0], 3);
	KTAP_EQ(armvmm_vcpu_init(vcpu, 8), (unsigned long long)-EINVAL);
	armvmm_vm_close(vm);	/* takes the vCPU with it */
	KTAP_EQ(kernel.nr_open, 0);
	KTAP_EQ(kernel.nr_mapped, 0);

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	kernel.fail_request = 1;
	kernel.fail_errno = ENOMEM;
	KTAP_EQ(armvmm_vcpu_create(vm, 0, &vcpu), (unsigned long long)-ENOMEM);
	KTAP_EQ(kernel.nr_open, 2);
	kernel.fail_request = 0;
	KTAP_EQ(armvmm_vcpu_create(vm, 0, &vcpu), 0);
	armvmm_vcpu_close(vcpu);
	armvmm_vm_close(vm);
	KTAP_EQ(kernel.nr_open, 0);
}

static void test_run(void)
{
	struct kvm_run *run = run_page();
	struct armvmm_vcpu *vcpu;
	struct armvmm_exit exit;
	struct armvmm_vm *vm;

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	armvmm_vcpu_create(vm, 0, &vcpu);

	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = UART_FR;
	run->mmio.len = 4;
	run->mmio.is_write = 1;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_MMIO);
	KTAP_EQ(exit.mmio.gpa, UART_FR);
	KTAP_EQ(exit.mmio.len, 4);
	KTAP_TRUE(exit.mmio.is_write && exit.mmio.data == run->mmio.data);

	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_SHUTDOWN);
	run->system_event.type = KVM_SYSTEM_EVENT_RESET;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_RESET);
	run->system_event.type = 77;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_OTHER);

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = 1;
	run->internal.ndata = 0xffffffff;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_INTERNAL);
	KTAP_EQ(exit.internal.nr_data, 16);

	/* A signal is not an error; others are. */
	kernel.run_errno = EINTR;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_INTR);
	kernel.run_errno = ENOEXEC;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), (unsigned long long)-ENOEXEC);

	/* A kick lasts until it is withdrawn, even if an access is completed in between. */
	kernel.run_errno = 0;
	armvmm_vcpu_kick(vcpu);
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_INTR);
	KTAP_EQ(armvmm_vcpu_complete(vcpu, &exit), 0);
	KTAP_TRUE(run->immediate_exit);
	armvmm_vcpu_unkick(vcpu);
	KTAP_EQ(run->immediate_exit, 0);
	KTAP_EQ(armvmm_vcpu_complete(vcpu, &exit), 0);
	KTAP_EQ(run->immediate_exit, 0);

	/* The instruction has another access: the caller has to do it. */
	kernel.more = true;
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = 0x1234;
	run->mmio.len = 4;
	KTAP_EQ(armvmm_vcpu_complete(vcpu, &exit), 1);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_MMIO);
	KTAP_EQ(exit.mmio.gpa, 0x1234);
	KTAP_EQ(run->immediate_exit, 0);
	kernel.run_errno = EFAULT;
	KTAP_EQ(armvmm_vcpu_complete(vcpu, &exit), (unsigned long long)-EFAULT);
	armvmm_vm_close(vm);
}

/* Exits that hardly ever happen, and one that the library does not know. */
static void test_rare_exits(void)
{
	struct kvm_run *run = run_page();
	struct armvmm_vcpu *vcpu;
	struct armvmm_exit exit;
	struct armvmm_vm *vm;

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	armvmm_vcpu_create(vm, 0, &vcpu);

	run->exit_reason = KVM_EXIT_INTR;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_INTR);
	KTAP_EQ(exit.raw, KVM_EXIT_INTR);

	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = ARMVMM_FAIL_ENTRY_OTHER_PART;
	run->fail_entry.cpu = 3;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_FAIL_ENTRY);
	KTAP_EQ(exit.fail_entry.reason, ARMVMM_FAIL_OTHER_PART);
	KTAP_EQ(exit.fail_entry.cpu, 3);

	run->exit_reason = KVM_EXIT_ARM_NISV;
	run->arm_nisv.fault_ipa = 0x12345678;
	run->arm_nisv.esr_iss = 0x47;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_NISV);
	KTAP_EQ(exit.nisv.ipa, 0x12345678);
	KTAP_EQ(exit.nisv.hsr, 0x47);

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = 2;
	run->internal.ndata = 2;
	run->internal.data[1] = 0x77;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.internal.suberror, 2);
	KTAP_EQ(exit.internal.nr_data, 2);
	KTAP_EQ(exit.internal.data[1], 0x77);

	run->exit_reason = KVM_EXIT_HYPERV;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_OTHER);
	KTAP_EQ(exit.raw, KVM_EXIT_HYPERV);
	armvmm_vm_close(vm);
}

/* The interrupt first, and then the attribute without a value that starts the PMU. */
static void test_pmu(void)
{
	const uint64_t group = (uint64_t)KVM_ARM_VCPU_PMU_V3_CTRL << 56;
	struct armvmm_vcpu *vcpu;
	struct armvmm_vm *vm;

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	armvmm_vcpu_create(vm, 1, &vcpu);
	KTAP_TRUE(!armvmm_vm_has_pmu(vm));
	kernel.caps[0].cap = KVM_CAP_ARM_PMU_V3;
	kernel.caps[0].value = 1;
	KTAP_TRUE(armvmm_vm_has_pmu(vm));
	kernel.attr_fd = FD_VCPU + 1;
	KTAP_EQ(armvmm_vcpu_pmu_init(vcpu, 23), 0);
	KTAP_EQ(kernel.nr_attrs, 2);
	KTAP_EQ(kernel.attrs[0], group | KVM_ARM_VCPU_PMU_V3_IRQ);
	KTAP_EQ(kernel.attr_values[0], 23);
	KTAP_EQ(kernel.attrs[1], group | KVM_ARM_VCPU_PMU_V3_INIT);
	KTAP_EQ(kernel.got.attr.addr, 0);
	kernel.fail_request = KVM_SET_DEVICE_ATTR;
	kernel.fail_errno = ENXIO;
	KTAP_EQ(armvmm_vcpu_pmu_init(vcpu, 23), (unsigned long long)-ENXIO);
	KTAP_EQ(kernel.nr_attrs, 2);
	armvmm_vm_close(vm);
}

/* What the kernel lacks, it says by 0 or by an error. */
static void test_debug_caps(void)
{
	struct armvmm_debug_caps caps;
	struct armvmm_vm *vm;

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	armvmm_vm_debug_caps(vm, &caps);
	KTAP_EQ(caps.flags, 0);
	KTAP_EQ(caps.breakpoints, 0);
	KTAP_EQ(caps.watchpoints, 0);
	kernel.caps[0].cap = ARMVMM_CAP_GUEST_DEBUG;
	kernel.caps[0].value = KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_BLOCKIRQ;
	kernel.caps[1].cap = KVM_CAP_GUEST_DEBUG_HW_BPS;
	kernel.caps[1].value = 6;
	kernel.caps[2].cap = KVM_CAP_GUEST_DEBUG_HW_WPS;
	kernel.caps[2].value = 4;
	armvmm_vm_debug_caps(vm, &caps);
	KTAP_EQ(caps.flags, ARMVMM_DEBUG_STEP | ARMVMM_DEBUG_BLOCK_IRQ);
	KTAP_EQ(caps.breakpoints, 6);
	KTAP_EQ(caps.watchpoints, 4);
	kernel.caps[0].value = KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_INJECT_BP;
	armvmm_vm_debug_caps(vm, &caps);
	KTAP_EQ(caps.flags, ARMVMM_DEBUG_BKPT | ARMVMM_DEBUG_INJECT_BKPT);
	kernel.fail_request = KVM_CHECK_EXTENSION;
	kernel.fail_errno = EIO;
	armvmm_vm_debug_caps(vm, &caps);
	KTAP_EQ(caps.flags, 0);
	KTAP_EQ(caps.breakpoints, 0);
	KTAP_EQ(caps.watchpoints, 0);
	armvmm_vm_close(vm);
}

static void test_suspend_stops(void)
{
	struct armvmm_vm *vm;

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	for (int stops = 1; stops >= 0; stops--) {
		KTAP_EQ(armvmm_vm_suspend_stops(vm, stops), 0);
		KTAP_EQ(kernel.got.cap.cap, ARMVMM_CAP_SUSPEND_STOPS);
		KTAP_EQ(kernel.got.cap.flags, 0);
		KTAP_EQ(kernel.got.cap.args[0], (uint64_t)stops);
	}
	kernel.fail_request = KVM_ENABLE_CAP;
	kernel.fail_errno = EINVAL;
	KTAP_EQ(armvmm_vm_suspend_stops(vm, true), -EINVAL);
	armvmm_vm_close(vm);
}

/* A kernel without MMU_NOTIFIER says 0. */
static void test_pages(void)
{
	struct armvmm_vm *vm;
	uint64_t bitmap;

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	KTAP_TRUE(armvmm_vm_pins_memory(vm));
	KTAP_TRUE(!armvmm_vm_can_unpin(vm));
	kernel.caps[0].cap = ARMVMM_CAP_UNPIN;
	kernel.caps[0].value = 1;
	KTAP_TRUE(armvmm_vm_can_unpin(vm));
	KTAP_EQ(armvmm_vm_unpin(vm, 0x180001000, 0x3000), 0);
	KTAP_EQ(kernel.got.range.addr, 0x180001000);
	KTAP_EQ(kernel.got.range.size, 0x3000);
	kernel.caps[0].cap = KVM_CAP_SYNC_MMU;
	kernel.caps[0].value = 1;
	KTAP_TRUE(!armvmm_vm_pins_memory(vm));
	KTAP_EQ(armvmm_vm_dirty_log(vm, 5, &bitmap), 0);
	KTAP_EQ(kernel.got.log.slot, 5);
	KTAP_TRUE(kernel.got.log.dirty_bitmap == &bitmap);
	kernel.fail_request = KVM_GET_DIRTY_LOG;
	kernel.fail_errno = ENOENT;
	KTAP_EQ(armvmm_vm_dirty_log(vm, 5, &bitmap), (unsigned long long)-ENOENT);
	armvmm_vm_close(vm);
}

static void test_debug(void)
{
	static const struct { uint32_t ec; enum armvmm_debug_event event; } events[] = {
		{ KVM_ARM_DEBUG_EC_BKPT, ARMVMM_DEBUG_EVENT_BKPT },
		{ KVM_ARM_DEBUG_EC_BREAKPOINT, ARMVMM_DEBUG_EVENT_BREAKPOINT },
		{ KVM_ARM_DEBUG_EC_WATCHPOINT, ARMVMM_DEBUG_EVENT_WATCHPOINT },
		{ KVM_ARM_DEBUG_EC_STEP, ARMVMM_DEBUG_EVENT_STEP },
	};
	struct armvmm_debug_regs regs = { { 1 }, { 2 }, { 3 }, { 4 } };
	const struct kvm_guest_debug *got = &kernel.got.debug;
	struct kvm_run *run = run_page();
	struct armvmm_vcpu *vcpu;
	struct armvmm_exit exit;
	struct armvmm_vm *vm;

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	armvmm_vcpu_create(vm, 0, &vcpu);

	KTAP_EQ(armvmm_vcpu_debug_set(vcpu, ARMVMM_DEBUG_STEP, NULL), 0);
	KTAP_EQ(got->control, 3);
	KTAP_EQ(armvmm_vcpu_debug_set(vcpu, ARMVMM_DEBUG_BKPT, NULL), 0);
	KTAP_EQ(got->control, 0x10001);
	KTAP_EQ(armvmm_vcpu_debug_set(vcpu, ARMVMM_DEBUG_INJECT_BKPT, NULL), 0);
	KTAP_EQ(got->control, 0x80000);
	KTAP_EQ(armvmm_vcpu_debug_set(vcpu, 0, NULL), 0);
	KTAP_EQ(got->control, 0);
	KTAP_EQ(got->arch.dbg_bcr[0] | got->arch.dbg_wvr[0], 0);
	KTAP_EQ(armvmm_vcpu_debug_set(vcpu, ARMVMM_DEBUG_STEP | ARMVMM_DEBUG_BLOCK_IRQ, NULL), 0);
	KTAP_EQ(got->control, 0x100003);
	regs.wvr[15] = 5;
	KTAP_EQ(armvmm_vcpu_debug_set(vcpu, 0, &regs), 0);
	KTAP_EQ(got->control, 0x20001);
	KTAP_EQ(got->arch.dbg_bcr[0], 1);
	KTAP_EQ(got->arch.dbg_bvr[0], 2);
	KTAP_EQ(got->arch.dbg_wcr[0], 3);
	KTAP_EQ(got->arch.dbg_wvr[0], 4);
	KTAP_EQ(got->arch.dbg_wvr[15], 5);
	KTAP_EQ(armvmm_vcpu_debug_set(vcpu, 16, NULL), (unsigned long long)-EINVAL);
	kernel.fail_request = KVM_SET_GUEST_DEBUG;
	kernel.fail_errno = EBUSY;
	KTAP_EQ(armvmm_vcpu_debug_set(vcpu, 0, NULL), (unsigned long long)-EBUSY);

	run->exit_reason = KVM_EXIT_DEBUG;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		run->debug.arch.hsr = events[i].ec << 26 | 1 << 25;
		run->debug.arch.pc = 0x8000;
		run->debug.arch.far = 0x1234;
		KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
		KTAP_EQ(exit.reason, ARMVMM_EXIT_DEBUG);
		KTAP_EQ(exit.debug.event, events[i].event);
		KTAP_EQ(exit.debug.pc, 0x8000);
		KTAP_EQ(exit.debug.far, 0x1234);
		KTAP_EQ(exit.debug.is_write, 0);
	}
	run->debug.arch.hsr = (uint32_t)KVM_ARM_DEBUG_EC_WATCHPOINT << 26 | 1 << 6;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.debug.is_write, 1);
	run->debug.arch.hsr = 0;
	KTAP_EQ(armvmm_vcpu_run(vcpu, &exit), 0);
	KTAP_EQ(exit.reason, ARMVMM_EXIT_OTHER);
	armvmm_vm_close(vm);
}

static void test_registers(void)
{
	static const struct {
		const char *name;
		uint64_t id;
	} known[] = {
		/* Numbers of the ABI, written out. */
		{ "r0", 0x4020000000100000 }, { "r15", 0x402000000010000f },
		{ "pc", 0x402000000010000f }, { "cpsr", 0x4020000000100010 },
		{ "sp_svc", 0x4020000000100012 }, { "spsr_irq", 0x402000000010001d },
		{ "r8_fiq", 0x402000000010001e }, { "spsr_fiq", 0x4020000000100025 },
		{ "d31", 0x403000000012001f }, { "fpscr", 0x4020000000121001 },
		{ "cntvct", 0x40300000000f0708 }, { "cntv_cval", 0x40300000000f0718 },
		{ "midr", 0x40200000000f0000 }, { "mpidr", 0x40200000000f0005 },
		{ "sctlr", 0x40200000000f0800 }, { "ttbr0", 0x40300000000f0100 },
		{ "vbar", 0x40200000000f6000 },
	};
	struct armvmm_vcpu *vcpu;
	struct armvmm_vm *vm;
	uint64_t id, value;
	unsigned int n;

	kernel_reset();
	armvmm_vm_open(NULL, &vm);
	armvmm_vcpu_create(vm, 0, &vcpu);
	for (n = 0; n < sizeof(known) / sizeof(known[0]); n++) {
		KTAP_EQ(armvmm_reg_id(known[n].name, &id), 0);
		KTAP_EQ(id, known[n].id);
	}
	KTAP_EQ(armvmm_reg_id("r16", &id), (unsigned long long)-ENOENT);
	KTAP_EQ(armvmm_reg_id("", &id), (unsigned long long)-ENOENT);

	/* Every listed name has its own id. */
	for (n = 0; armvmm_reg_name(n); n++) {
		KTAP_EQ(armvmm_reg_id(armvmm_reg_name(n), &id), 0);
		for (unsigned int k = 0; k < n; k++) {
			uint64_t before;

			armvmm_reg_id(armvmm_reg_name(k), &before);
			if (before == id)
				KTAP_FAIL("%s and %s are one", armvmm_reg_name(k),
					  armvmm_reg_name(n));
		}
	}
	KTAP_TRUE(n > 100);

	KTAP_EQ(armvmm_vcpu_reg_get(vcpu, "sctlr", &value), 0);
	KTAP_EQ(value, 0x5a5a5a5a);
	KTAP_EQ(armvmm_vcpu_reg_get(vcpu, "d3", &value), 0);
	KTAP_EQ(value, 0x5a5a5a5a5a5a5a5a);
	KTAP_EQ(armvmm_vcpu_reg_set(vcpu, "r7", 0xfedcba98), 0);
	KTAP_EQ(kernel.reg_value, 0xfedcba98);
	KTAP_EQ(armvmm_vcpu_reg_set(vcpu, "r7", 1ull << 32), (unsigned long long)-ERANGE);
	KTAP_EQ(armvmm_vcpu_reg_set(vcpu, "d7", 1ull << 63), 0);
	KTAP_EQ(kernel.reg_value, 1ull << 63);
	KTAP_EQ(armvmm_vcpu_reg_id_get(vcpu, 0x4010000000100000, &value),
		(unsigned long long)-EINVAL);
	armvmm_vm_close(vm);
}

static void test_mirrors(void)
{
	struct armvmm_vm *vm;

	kernel_reset();
	KTAP_EQ(armvmm_vm_open(NULL, &vm), 0);
	KTAP_EQ(armvmm_vm_mirrors(vm), 0);
	kernel.mirrors = 64;
	KTAP_EQ(armvmm_vm_mirrors(vm), 64);
	memset(&kernel.got, 0xff, sizeof(kernel.got));
	KTAP_EQ(armvmm_mirror_set(vm, UART_FR, 4, 0x90), 0);
	KTAP_EQ(kernel.got.mirror.addr, UART_FR);
	KTAP_EQ(kernel.got.mirror.size, 4);
	KTAP_EQ(kernel.got.mirror.flags, 0);
	KTAP_EQ(kernel.got.mirror.value, 0x90);
	KTAP_EQ(kernel.got.mirror.pad, 0);
	KTAP_EQ(armvmm_mirror_del(vm, UART_FR, 4), 0);
	KTAP_EQ(kernel.got.mirror.addr, UART_FR);
	KTAP_EQ(kernel.got.mirror.size, 4);
	KTAP_EQ(kernel.got.mirror.flags, ARMVMM_MIRROR_DELETE);
	kernel.fail_request = ARMVMM_SET_MIRROR;
	kernel.fail_errno = EEXIST;
	KTAP_EQ(armvmm_mirror_set(vm, 0, 4, 0), -EEXIST);
	armvmm_vm_close(vm);
}

static struct kvm_coalesced_mmio_ring *ring(void)
{
	return (void *)((char *)kernel.run_page + 4096);
}

/* In the kernel's place: writes n at address n. */
static void ring_put(uint32_t n)
{
	struct kvm_coalesced_mmio *e = &ring()->coalesced_mmio[ring()->last];

	*e = (struct kvm_coalesced_mmio){ .phys_addr = n, .len = 4 };
	memcpy(e->data, &n, 4);
	ring()->last = (ring()->last + 1) % KVM_RING_MAX;
}

static void test_posted(void)
{
	const struct armvmm_posted_write *w;
	struct armvmm_vcpu *vcpu[2];
	struct armvmm_vm *vm;
	uint32_t next = 0;

	/* There is none, or it is beyond the mapping. */
	for (int page = 0; page <= 2; page += 2) {
		kernel_reset();
		kernel.ring_page = page;
		KTAP_EQ(armvmm_vm_open(NULL, &vm), 0);
		KTAP_EQ(armvmm_vcpu_create(vm, 0, &vcpu[0]), 0);
		KTAP_EQ(armvmm_posted_add(vm, UART_DR, 4), -ENOTSUP);
		KTAP_EQ(armvmm_posted_peek(vm, &w), 0);
		armvmm_vm_close(vm);
	}
	kernel_reset();
	kernel.ring_page = 1;
	KTAP_EQ(armvmm_vm_open(NULL, &vm), 0);
	KTAP_EQ(armvmm_posted_peek(vm, &w), 0);
	KTAP_EQ(armvmm_posted_add(vm, UART_DR, 4), -ENODEV);
	KTAP_EQ(armvmm_vcpu_create(vm, 0, &vcpu[0]), 0);
	KTAP_EQ(armvmm_vcpu_create(vm, 1, &vcpu[1]), 0);
	/* A thread that may not ask the kernel may add. */
	kernel.fail_request = KVM_CHECK_EXTENSION;
	kernel.fail_errno = EPERM;
	KTAP_EQ(armvmm_posted_add(vm, UART_DR, 4), 0);
	kernel.fail_request = 0;
	KTAP_EQ(kernel.got.zone.addr, UART_DR);
	KTAP_EQ(kernel.got.zone.size, 4);
	KTAP_EQ(kernel.got.zone.pio, 0);
	KTAP_EQ(armvmm_posted_peek(vm, &w), 0);

	/* From each place of the ring, so that it wraps; as many as there are at a time. */
	for (int round = 0; round < 400; round++) {
		unsigned int nr = 1 + round % (KVM_RING_MAX - 1), done = 0, n;
		uint32_t put = next;

		for (unsigned int i = 0; i < nr; i++)
			ring_put(put++);
		while ((n = armvmm_posted_peek(vm, &w))) {
			KTAP_TRUE(n <= nr - done);
			for (unsigned int i = 0; i < n; i++, next++) {
				KTAP_EQ(w[i].gpa, next);
				KTAP_EQ(w[i].len, 4);
				KTAP_MEMEQ(w[i].data, &next, 4);
			}
			/* Only what is done makes room. */
			KTAP_EQ(armvmm_posted_peek(vm, &w), n);
			armvmm_posted_done(vm, n);
			done += n;
		}
		KTAP_EQ(done, nr);
		KTAP_EQ(ring()->first, ring()->last);
	}
	/* A kernel that writes nonsense does no harm. */
	ring()->last = KVM_RING_MAX;
	KTAP_EQ(armvmm_posted_peek(vm, &w), 0);
	ring()->last = ring()->first;

	/* The mapping that was used goes: another one is. */
	ring_put(next);
	armvmm_vcpu_close(vcpu[0]);
	KTAP_EQ(armvmm_posted_peek(vm, &w), 1);
	armvmm_vcpu_close(vcpu[1]);
	KTAP_EQ(armvmm_posted_peek(vm, &w), 0);
	armvmm_posted_done(vm, 1);
	KTAP_EQ(armvmm_posted_del(vm, UART_DR, 4), 0);
	KTAP_EQ(kernel.got.zone.addr, UART_DR);
	armvmm_vm_close(vm);
	KTAP_EQ(kernel.nr_mapped, 0);
}

KTAP_MAIN(KTAP_CASE(test_open), KTAP_CASE(test_open_fd), KTAP_CASE(test_open_fails),
	  KTAP_CASE(test_memory),
	  KTAP_CASE(test_gic), KTAP_CASE(test_irq), KTAP_CASE(test_vcpu), KTAP_CASE(test_run),
	  KTAP_CASE(test_rare_exits), KTAP_CASE(test_pmu), KTAP_CASE(test_debug_caps),
	  KTAP_CASE(test_suspend_stops), KTAP_CASE(test_pages),
	  KTAP_CASE(test_debug), KTAP_CASE(test_registers),
	  KTAP_CASE(test_mirrors), KTAP_CASE(test_posted))

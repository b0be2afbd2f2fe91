// SPDX-License-Identifier: GPL-2.0-only
/* The interrupt controller: set-up, its registers, lines, irqfd. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "arch/gic.h"
#include "internal.h"

#define GIC_MAX_SPIS	(GIC_SPECIAL_INTIDS - GIC_NR_PRIVATE)
#define GIC_ALIGN	4096
#define GIC_ADDR_END	(1ull << 40)

static int gic_attr(int gic_fd, unsigned long request, uint32_t group, uint64_t attr, void *value)
{
	struct kvm_device_attr device_attr = {
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)value,
	};

	return vm_ioctl(gic_fd, request, &device_attr);
}

/* Makes the kernel's checks before it makes a device that cannot be removed. */
static int gic_check(uint64_t dist_base, uint64_t cpu_base, unsigned int nr_irqs)
{
	if (dist_base % GIC_ALIGN || cpu_base % GIC_ALIGN)
		return -EINVAL;
	if (dist_base > GIC_ADDR_END - GICD_SIZE || cpu_base > GIC_ADDR_END - GICC_SIZE)
		return -E2BIG;
	if (dist_base < cpu_base + GICC_SIZE && cpu_base < dist_base + GICD_SIZE)
		return -EINVAL;
	if (nr_irqs < 2 * GIC_NR_PRIVATE || nr_irqs > GIC_MAX_IRQS || nr_irqs % 32)
		return -EINVAL;
	return 0;
}

int armvmm_gic_create(struct armvmm_vm *vm, uint64_t dist_base, uint64_t cpu_base,
		      unsigned int nr_irqs)
{
	struct kvm_create_device create = { .type = KVM_DEV_TYPE_ARM_VGIC_V2 };
	uint32_t irqs = nr_irqs;
	int ret;

	if (vm->gic_fd >= 0)
		return -EEXIST;
	ret = gic_check(dist_base, cpu_base, nr_irqs);
	if (ret < 0)
		return ret;
	ret = vm_ioctl(vm->fd, KVM_CREATE_DEVICE, &create);
	if (ret < 0)
		return ret;

	ret = gic_attr(create.fd, KVM_SET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_ADDR,
		       KVM_VGIC_V2_ADDR_TYPE_DIST, &dist_base);
	if (!ret)
		ret = gic_attr(create.fd, KVM_SET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_ADDR,
			       KVM_VGIC_V2_ADDR_TYPE_CPU, &cpu_base);
	if (!ret)
		ret = gic_attr(create.fd, KVM_SET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0,
			       &irqs);
	if (ret < 0) {
		close(create.fd);
		return ret;
	}
	vm->gic_fd = create.fd;
	return 0;
}

int armvmm_gic_init(struct armvmm_vm *vm)
{
	if (vm->gic_fd < 0)
		return -ENODEV;
	return gic_attr(vm->gic_fd, KVM_SET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_CTRL,
			KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

static int gic_reg(struct armvmm_vm *vm, unsigned long request, enum armvmm_gic_bank bank,
		   unsigned int vcpu, unsigned int offset, uint32_t *value)
{
	uint64_t attr = ((uint64_t)vcpu << KVM_DEV_ARM_VGIC_CPUID_SHIFT) &
			KVM_DEV_ARM_VGIC_CPUID_MASK;

	if (vm->gic_fd < 0)
		return -ENODEV;
	if ((bank != ARMVMM_GIC_DIST && bank != ARMVMM_GIC_CPU) || vcpu >= VM_MAX_VCPUS)
		return -EINVAL;
	return gic_attr(vm->gic_fd, request,
			bank == ARMVMM_GIC_DIST ? KVM_DEV_ARM_VGIC_GRP_DIST_REGS :
						  KVM_DEV_ARM_VGIC_GRP_CPU_REGS,
			attr | offset, value);
}

int armvmm_gic_reg_get(struct armvmm_vm *vm, enum armvmm_gic_bank bank, unsigned int vcpu,
		       unsigned int offset, uint32_t *value)
{
	return gic_reg(vm, KVM_GET_DEVICE_ATTR, bank, vcpu, offset, value);
}

int armvmm_gic_reg_set(struct armvmm_vm *vm, enum armvmm_gic_bank bank, unsigned int vcpu,
		       unsigned int offset, uint32_t value)
{
	return gic_reg(vm, KVM_SET_DEVICE_ATTR, bank, vcpu, offset, &value);
}

static int gic_line(struct armvmm_vm *vm, uint32_t irq, bool level)
{
	struct kvm_irq_level line = { .irq = irq, .level = level };

	return vm_ioctl(vm->fd, KVM_IRQ_LINE, &line);
}

int armvmm_irq_set_spi(struct armvmm_vm *vm, unsigned int spi, bool level)
{
	/* KVM_IRQ_LINE names an SPI by its INTID, irqfd by its SPI number. */
	if (spi >= GIC_MAX_SPIS)
		return -EINVAL;
	return gic_line(vm, KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | (spi + GIC_NR_PRIVATE),
			level);
}

int armvmm_irq_set_ppi(struct armvmm_vm *vm, unsigned int vcpu, unsigned int intid, bool level)
{
	if (vcpu >= VM_MAX_VCPUS || intid < GIC_NR_SGIS || intid >= GIC_NR_PRIVATE)
		return -EINVAL;
	return gic_line(vm, KVM_ARM_IRQ_TYPE_PPI << KVM_ARM_IRQ_TYPE_SHIFT |
			    vcpu << KVM_ARM_IRQ_VCPU_SHIFT | intid, level);
}

static int gic_irqfd(struct armvmm_vm *vm, int fd, unsigned int spi, int resample_fd,
		     uint32_t flags)
{
	struct kvm_irqfd irqfd = {
		.fd = fd,
		.gsi = spi,
		.flags = flags,
	};

	if (spi >= GIC_MAX_SPIS || fd < 0)
		return -EINVAL;
	if (resample_fd >= 0) {
		irqfd.flags |= KVM_IRQFD_FLAG_RESAMPLE;
		irqfd.resamplefd = resample_fd;
	}
	return vm_ioctl(vm->fd, KVM_IRQFD, &irqfd);
}

int armvmm_irqfd_add(struct armvmm_vm *vm, int fd, unsigned int spi, int resample_fd)
{
	return gic_irqfd(vm, fd, spi, resample_fd, 0);
}

int armvmm_irqfd_del(struct armvmm_vm *vm, int fd, unsigned int spi)
{
	return gic_irqfd(vm, fd, spi, -1, KVM_IRQFD_FLAG_DEASSIGN);
}

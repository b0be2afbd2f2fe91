// SPDX-License-Identifier: GPL-2.0-only
/*
 * libarmvmm's own saving and restoring (state.c), of a VM that has nothing but its GIC. Apart from
 * the test, as library and module have structures of the same names.
 */
#include <errno.h>

#include "internal.h"
#include "vgic/state_client.h"

static struct armvmm_vcpu vcpus[VM_MAX_VCPUS];

int vm_ioctl(int fd, unsigned long request, void *arg)
{
	struct kvm_device_attr *attr = arg;

	if (request != KVM_GET_DEVICE_ATTR && request != KVM_SET_DEVICE_ATTR)
		return request == KVM_GET_VCPU_EVENTS ? 0 : -EINVAL;
	return client_attr(attr->group, attr->attr, (void *)(uintptr_t)attr->addr,
			   request == KVM_SET_DEVICE_ATTR);
}

int armvmm_vcpu_reg_list(struct armvmm_vcpu *vcpu, uint64_t *ids, unsigned int n)
{
	return 0;
}

int armvmm_vcpu_reg_id_get(struct armvmm_vcpu *vcpu, uint64_t id, uint64_t *val)
{
	*val = 0;
	return 0;
}

int armvmm_vcpu_reg_id_set(struct armvmm_vcpu *vcpu, uint64_t id, uint64_t val)
{
	return 0;
}

int armvmm_vcpu_mp_state_get(struct armvmm_vcpu *vcpu, uint32_t *state)
{
	*state = 0;
	return 0;
}

int armvmm_vcpu_mp_state_set(struct armvmm_vcpu *vcpu, uint32_t state)
{
	return 0;
}

static struct armvmm_vm client_vm(unsigned int nr_cpus)
{
	struct armvmm_vm vm = { .gic_fd = 0 };
	unsigned int i;

	for (i = 0; i < nr_cpus; i++) {
		vcpus[i].index = i;
		vm.vcpu[i] = &vcpus[i];
	}
	return vm;
}

int client_save(unsigned int nr_cpus, void **data, size_t *size)
{
	struct armvmm_vm vm = client_vm(nr_cpus);

	return armvmm_vm_state_save(&vm, data, size);
}

int client_restore(unsigned int nr_cpus, const void *data, size_t size)
{
	struct armvmm_vm vm = client_vm(nr_cpus);

	return armvmm_vm_state_restore(&vm, data, size);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to the caller's registers that need no exit: reads of mirrors, and writes that the
 * kernel posts in a ring (KVM's coalesced MMIO). The ring is in the mapping of each vCPU.
 */
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "internal.h"

/* What KVM_COALESCED_MMIO_MAX is with pages of 4 KiB, which all 32-bit Arm kernels have. */
#define POSTED_PAGE	4096u
#define POSTED_MAX								\
	((POSTED_PAGE - sizeof(struct kvm_coalesced_mmio_ring)) / sizeof(struct kvm_coalesced_mmio))

_Static_assert(POSTED_MAX <= ARMVMM_POSTED_MAX, "the header's number");
_Static_assert(sizeof(struct armvmm_posted_write) == sizeof(struct kvm_coalesced_mmio) &&
	       offsetof(struct armvmm_posted_write, len) ==
		       offsetof(struct kvm_coalesced_mmio, len) &&
	       offsetof(struct armvmm_posted_write, data) ==
		       offsetof(struct kvm_coalesced_mmio, data),
	       "a posted write is an entry of the ring");

unsigned int armvmm_vm_mirrors(struct armvmm_vm *vm)
{
	int nr = armvmm_vm_check_extension(vm, ARMVMM_CAP_MIRRORS);

	return nr > 0 ? (unsigned int)nr : 0;
}

int armvmm_mirror_set(struct armvmm_vm *vm, uint64_t gpa, unsigned int size, uint32_t value)
{
	struct armvmm_mirror mirror = { .addr = gpa, .size = size, .value = value };

	return vm_ioctl(vm->fd, ARMVMM_SET_MIRROR, &mirror);
}

int armvmm_mirror_del(struct armvmm_vm *vm, uint64_t gpa, unsigned int size)
{
	struct armvmm_mirror mirror = {
		.addr = gpa, .size = size, .flags = ARMVMM_MIRROR_DELETE,
	};

	return vm_ioctl(vm->fd, ARMVMM_SET_MIRROR, &mirror);
}

void posted_mapped(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vm *vm = vcpu->vm;
	int page;

	if (vm->ring_of)
		return;
	vm->ring_of = vcpu;
	page = armvmm_vm_check_extension(vm, KVM_CAP_COALESCED_MMIO);
	if (page > 0 && ((size_t)page + 1) * POSTED_PAGE <= vm->run_size)
		vm->ring = (void *)((char *)vcpu->run + (size_t)page * POSTED_PAGE);
}

void posted_unmapped(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vm *vm = vcpu->vm;

	if (vm->ring_of != vcpu)
		return;
	vm->ring = NULL;
	vm->ring_of = NULL;
	for (unsigned int i = 0; i < VM_MAX_VCPUS; i++)
		if (vm->vcpu[i])
			posted_mapped(vm->vcpu[i]);
}

/* May be called where no other ioctl of the VM's may: by a thread that is confined to these two. */
int armvmm_posted_add(struct armvmm_vm *vm, uint64_t gpa, uint32_t size)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = gpa, .size = size };

	if (!vm->ring_of)
		return -ENODEV;
	return vm->ring ? vm_ioctl(vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone) : -ENOTSUP;
}

int armvmm_posted_del(struct armvmm_vm *vm, uint64_t gpa, uint32_t size)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = gpa, .size = size };

	return vm_ioctl(vm->fd, KVM_UNREGISTER_COALESCED_MMIO, &zone);
}

unsigned int armvmm_posted_peek(struct armvmm_vm *vm, const struct armvmm_posted_write **writes)
{
	struct kvm_coalesced_mmio_ring *ring = vm->ring;
	uint32_t first, last;

	if (!ring)
		return 0;
	/* Pairs with done()'s: who finds none sees what others made of those that there were. */
	first = __atomic_load_n(&ring->first, __ATOMIC_ACQUIRE);
	/* Pairs with the kernel's store: what is before last is written. */
	last = __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
	if (first == last || first >= POSTED_MAX || last >= POSTED_MAX)
		return 0;
	*writes = (const struct armvmm_posted_write *)&ring->coalesced_mmio[first];
	return (last > first ? last : POSTED_MAX) - first;
}

void armvmm_posted_done(struct armvmm_vm *vm, unsigned int n)
{
	struct kvm_coalesced_mmio_ring *ring = vm->ring;
	uint32_t first;

	if (!ring)
		return;
	/* The kernel may write over the entries from here on. */
	first = (__atomic_load_n(&ring->first, __ATOMIC_RELAXED) + n) % POSTED_MAX;
	__atomic_store_n(&ring->first, first, __ATOMIC_RELEASE);
}

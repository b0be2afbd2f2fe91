// SPDX-License-Identifier: GPL-2.0-only
/* vCPUs: life, the run loop's one step, kicks, power state. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

_Static_assert(ARMVMM_FAIL_NO_HYP == ARMVMM_FAIL_ENTRY_NO_HYP, "the ABI's number");
_Static_assert(ARMVMM_FAIL_NO_DEBUG == ARMVMM_FAIL_ENTRY_NO_DEBUG, "the ABI's number");
_Static_assert(ARMVMM_FAIL_OTHER_PART == ARMVMM_FAIL_ENTRY_OTHER_PART, "the ABI's number");

int armvmm_vcpu_create(struct armvmm_vm *vm, unsigned int index, struct armvmm_vcpu **out)
{
	struct armvmm_vcpu *vcpu;
	int ret;

	*out = NULL;
	if (index >= VM_MAX_VCPUS)
		return -EINVAL;
	if (vm->vcpu[index])
		return -EEXIST;
	vcpu = calloc(1, sizeof(*vcpu));
	if (!vcpu)
		return -ENOMEM;
	vcpu->vm = vm;
	vcpu->index = index;

	ret = vm_ioctl(vm->fd, KVM_CREATE_VCPU, (void *)(uintptr_t)index);
	if (ret < 0)
		goto err_free;
	vcpu->fd = ret;

	vcpu->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		ret = -errno;
		goto err_close;
	}
	vm->vcpu[index] = vcpu;
	posted_mapped(vcpu);
	*out = vcpu;
	return 0;

err_close:
	close(vcpu->fd);
err_free:
	free(vcpu);
	return ret;
}

void armvmm_vcpu_close(struct armvmm_vcpu *vcpu)
{
	if (!vcpu)
		return;
	vcpu->vm->vcpu[vcpu->index] = NULL;
	posted_unmapped(vcpu);
	munmap(vcpu->run, vcpu->vm->run_size);
	close(vcpu->fd);
	free(vcpu);
}

unsigned int armvmm_vcpu_index(const struct armvmm_vcpu *vcpu)
{
	return vcpu->index;
}

int armvmm_vcpu_fd(const struct armvmm_vcpu *vcpu)
{
	return vcpu->fd;
}

int armvmm_vcpu_init(struct armvmm_vcpu *vcpu, unsigned int features)
{
	struct kvm_vcpu_init init = { 0 };
	int ret;

	if (features & ~(ARMVMM_VCPU_POWER_OFF | ARMVMM_VCPU_PSCI_0_2 | ARMVMM_VCPU_PMU))
		return -EINVAL;
	ret = vm_ioctl(vcpu->vm->fd, KVM_ARM_PREFERRED_TARGET, &init);
	if (ret < 0)
		return ret;
	if (features & ARMVMM_VCPU_POWER_OFF)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	if (features & ARMVMM_VCPU_PSCI_0_2)
		init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (features & ARMVMM_VCPU_PMU)
		init.features[0] |= 1u << KVM_ARM_VCPU_PMU_V3;
	return vm_ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init);
}

int armvmm_vcpu_pmu_init(struct armvmm_vcpu *vcpu, unsigned int intid)
{
	int irq = (int)intid, ret;
	struct kvm_device_attr attr = {
		.group = KVM_ARM_VCPU_PMU_V3_CTRL,
		.attr = KVM_ARM_VCPU_PMU_V3_IRQ,
		.addr = (uintptr_t)&irq,
	};

	ret = vm_ioctl(vcpu->fd, KVM_SET_DEVICE_ATTR, &attr);
	if (ret < 0)
		return ret;
	attr.attr = KVM_ARM_VCPU_PMU_V3_INIT;
	attr.addr = 0;
	return vm_ioctl(vcpu->fd, KVM_SET_DEVICE_ATTR, &attr);
}

static void vcpu_exit_system_event(const struct kvm_run *run, struct armvmm_exit *exit)
{
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		exit->reason = ARMVMM_EXIT_SHUTDOWN;
		break;
	case KVM_SYSTEM_EVENT_RESET:
		exit->reason = ARMVMM_EXIT_RESET;
		break;
	default:
		exit->reason = ARMVMM_EXIT_OTHER;
		break;
	}
}

/* HSR.WnR of a data abort, DDI 0406C B3.13.6. */
#define VCPU_HSR_WNR		(1u << 6)

static void vcpu_exit_debug(const struct kvm_run *run, struct armvmm_exit *exit)
{
	exit->reason = ARMVMM_EXIT_DEBUG;
	exit->debug.pc = run->debug.arch.pc;
	exit->debug.far = (uint32_t)run->debug.arch.far;
	exit->debug.is_write = false;
	switch (KVM_ARM_DEBUG_EC(run->debug.arch.hsr)) {
	case KVM_ARM_DEBUG_EC_BKPT:
		exit->debug.event = ARMVMM_DEBUG_EVENT_BKPT;
		break;
	case KVM_ARM_DEBUG_EC_BREAKPOINT:
		exit->debug.event = ARMVMM_DEBUG_EVENT_BREAKPOINT;
		break;
	case KVM_ARM_DEBUG_EC_WATCHPOINT:
		exit->debug.event = ARMVMM_DEBUG_EVENT_WATCHPOINT;
		exit->debug.is_write = run->debug.arch.hsr & VCPU_HSR_WNR;
		break;
	case KVM_ARM_DEBUG_EC_STEP:
		exit->debug.event = ARMVMM_DEBUG_EVENT_STEP;
		break;
	default:
		exit->reason = ARMVMM_EXIT_OTHER;
		break;
	}
}

static void vcpu_exit_fill(const struct armvmm_vcpu *vcpu, struct armvmm_exit *exit)
{
	struct kvm_run *run = vcpu->run;

	exit->raw = run->exit_reason;
	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		exit->reason = ARMVMM_EXIT_MMIO;
		exit->mmio.gpa = run->mmio.phys_addr;
		exit->mmio.data = run->mmio.data;
		exit->mmio.len = run->mmio.len;
		exit->mmio.is_write = run->mmio.is_write;
		break;
	case KVM_EXIT_INTR:
		exit->reason = ARMVMM_EXIT_INTR;
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		vcpu_exit_system_event(run, exit);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		exit->reason = ARMVMM_EXIT_FAIL_ENTRY;
		exit->fail_entry.reason = run->fail_entry.hardware_entry_failure_reason;
		exit->fail_entry.cpu = run->fail_entry.cpu;
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		exit->reason = ARMVMM_EXIT_INTERNAL;
		exit->internal.suberror = run->internal.suberror;
		exit->internal.nr_data = run->internal.ndata <= 16 ? run->internal.ndata : 16;
		memcpy(exit->internal.data, run->internal.data,
		       exit->internal.nr_data * sizeof(exit->internal.data[0]));
		break;
	case KVM_EXIT_ARM_NISV:
		exit->reason = ARMVMM_EXIT_NISV;
		exit->nisv.ipa = run->arm_nisv.fault_ipa;
		exit->nisv.hsr = run->arm_nisv.esr_iss;
		break;
	case KVM_EXIT_DEBUG:
		vcpu_exit_debug(run, exit);
		break;
	default:
		exit->reason = ARMVMM_EXIT_OTHER;
		break;
	}
}

int armvmm_vcpu_run(struct armvmm_vcpu *vcpu, struct armvmm_exit *exit)
{
	if (ioctl(vcpu->fd, KVM_RUN, NULL) < 0) {
		int err = errno;

		exit->raw = KVM_EXIT_INTR;
		exit->reason = ARMVMM_EXIT_INTR;
		return err == EINTR || err == EAGAIN ? 0 : -err;
	}
	vcpu_exit_fill(vcpu, exit);
	return 0;
}

/*
 * The kernel asks only whether immediate_exit is nonzero, at entry; the signal
 * that comes with a kick interrupts a run that is past that point. Two bits
 * keep a kick from another thread apart from the vCPU thread's own wish.
 */
#define VCPU_EXIT_KICK		0x01
#define VCPU_EXIT_COMPLETE	0x02

void armvmm_vcpu_kick(struct armvmm_vcpu *vcpu)
{
	__atomic_fetch_or(&vcpu->run->immediate_exit, VCPU_EXIT_KICK, __ATOMIC_SEQ_CST);
}

void armvmm_vcpu_unkick(struct armvmm_vcpu *vcpu)
{
	__atomic_fetch_and(&vcpu->run->immediate_exit, (uint8_t)~VCPU_EXIT_KICK,
			   __ATOMIC_SEQ_CST);
}

int armvmm_vcpu_complete(struct armvmm_vcpu *vcpu, struct armvmm_exit *exit)
{
	int ret;

	__atomic_fetch_or(&vcpu->run->immediate_exit, VCPU_EXIT_COMPLETE, __ATOMIC_SEQ_CST);
	ret = vm_ioctl(vcpu->fd, KVM_RUN, NULL);
	__atomic_fetch_and(&vcpu->run->immediate_exit, (uint8_t)~VCPU_EXIT_COMPLETE,
			   __ATOMIC_SEQ_CST);
	if (ret < 0)
		return ret == -EINTR ? 0 : ret;
	vcpu_exit_fill(vcpu, exit);
	return 1;
}

void armvmm_vm_debug_caps(struct armvmm_vm *vm, struct armvmm_debug_caps *caps)
{
	static const struct {
		uint32_t kvm, flag;
	} flags[] = {
		{ KVM_GUESTDBG_SINGLESTEP, ARMVMM_DEBUG_STEP },
		{ KVM_GUESTDBG_USE_SW_BP, ARMVMM_DEBUG_BKPT },
		{ KVM_GUESTDBG_INJECT_BP, ARMVMM_DEBUG_INJECT_BKPT },
		{ KVM_GUESTDBG_BLOCKIRQ, ARMVMM_DEBUG_BLOCK_IRQ },
	};
	int took = armvmm_vm_check_extension(vm, ARMVMM_CAP_GUEST_DEBUG);
	int nr_bp = armvmm_vm_check_extension(vm, KVM_CAP_GUEST_DEBUG_HW_BPS);
	int nr_wp = armvmm_vm_check_extension(vm, KVM_CAP_GUEST_DEBUG_HW_WPS);

	*caps = (struct armvmm_debug_caps){
		.breakpoints = nr_bp > 0 ? nr_bp : 0,
		.watchpoints = nr_wp > 0 ? nr_wp : 0,
	};
	for (unsigned int i = 0; took > 0 && i < sizeof(flags) / sizeof(flags[0]); i++)
		if (took & flags[i].kvm)
			caps->flags |= flags[i].flag;
}

int armvmm_vcpu_debug_set(struct armvmm_vcpu *vcpu, unsigned int flags,
			  const struct armvmm_debug_regs *regs)
{
	struct kvm_guest_debug dbg = { 0 };

	if (flags & ~(ARMVMM_DEBUG_STEP | ARMVMM_DEBUG_BKPT | ARMVMM_DEBUG_INJECT_BKPT |
		      ARMVMM_DEBUG_BLOCK_IRQ))
		return -EINVAL;
	if (flags & ARMVMM_DEBUG_STEP)
		dbg.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
	if (flags & ARMVMM_DEBUG_BKPT)
		dbg.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
	if (flags & ARMVMM_DEBUG_INJECT_BKPT)
		dbg.control |= KVM_GUESTDBG_INJECT_BP;
	if (flags & ARMVMM_DEBUG_BLOCK_IRQ)
		dbg.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_BLOCKIRQ;
	if (regs) {
		dbg.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW;
		memcpy(dbg.arch.dbg_bcr, regs->bcr, sizeof(dbg.arch.dbg_bcr));
		memcpy(dbg.arch.dbg_bvr, regs->bvr, sizeof(dbg.arch.dbg_bvr));
		memcpy(dbg.arch.dbg_wcr, regs->wcr, sizeof(dbg.arch.dbg_wcr));
		memcpy(dbg.arch.dbg_wvr, regs->wvr, sizeof(dbg.arch.dbg_wvr));
	}
	return vm_ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &dbg);
}

int armvmm_vcpu_mp_state_get(struct armvmm_vcpu *vcpu, uint32_t *state)
{
	struct kvm_mp_state mp;
	int ret = vm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp);

	if (!ret)
		*state = mp.mp_state;
	return ret;
}

int armvmm_vcpu_mp_state_set(struct armvmm_vcpu *vcpu, uint32_t state)
{
	struct kvm_mp_state mp = { .mp_state = state };

	return vm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &mp);
}

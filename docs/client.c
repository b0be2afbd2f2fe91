// SPDX-License-Identifier: GPL-2.0-only
/* The smallest client: one vCPU, one page of memory, and a guest of five instructions. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/armvmm.h>

#define RAM	0x40000000
#define REG_PC	(KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_CORE | 15)

static const unsigned int guest[] = {
	0xe3a00484,	/* mov r0, #0x84000000	an address where no memory is */
	0xe3a0102a,	/* mov r1, #42 */
	0xe5801000,	/* str r1, [r0]		so this is the client's to do */
	0xe3800008,	/* orr r0, r0, #8	PSCI SYSTEM_OFF */
	0xe1400070,	/* hvc #0 */
};

static int call(int fd, unsigned long request, const void *arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

int main(void)
{
	int sys = open(ARMVMM_DEVICE, O_RDWR | O_CLOEXEC);

	if (sys < 0)
		err(1, ARMVMM_DEVICE);
	if (ioctl(sys, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		errx(1, "another API");

	int vm = call(sys, KVM_CREATE_VM, 0, "KVM_CREATE_VM");
	void *ram = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = RAM, .memory_size = 4096, .userspace_addr = (unsigned long)ram,
	};

	memcpy(ram, guest, sizeof(guest));
	call(vm, KVM_SET_USER_MEMORY_REGION, &slot, "KVM_SET_USER_MEMORY_REGION");

	int cpu = call(vm, KVM_CREATE_VCPU, 0, "KVM_CREATE_VCPU");
	struct kvm_run *run = mmap(0, call(sys, KVM_GET_VCPU_MMAP_SIZE, 0, "mmap size"),
				   PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	struct kvm_vcpu_init init;
	unsigned int start = RAM;
	struct kvm_one_reg pc = { .id = REG_PC, .addr = (unsigned long)&start };

	call(vm, KVM_ARM_PREFERRED_TARGET, &init, "KVM_ARM_PREFERRED_TARGET");
	init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2;
	call(cpu, KVM_ARM_VCPU_INIT, &init, "KVM_ARM_VCPU_INIT");
	call(cpu, KVM_SET_ONE_REG, &pc, "KVM_SET_ONE_REG");
	while (call(cpu, KVM_RUN, 0, "KVM_RUN") == 0 && run->exit_reason == KVM_EXIT_MMIO)
		printf("%u written at 0x%llx\n", run->mmio.data[0], run->mmio.phys_addr);
	if (run->exit_reason != KVM_EXIT_SYSTEM_EVENT)
		errx(1, "exit %u", run->exit_reason);
	printf("the guest is off\n");
	return 0;
}

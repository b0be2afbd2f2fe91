// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into armvmm-run or QEMU: makes the world under it different.
 *	SHIM=version	/dev/armvmm speaks version 11 of the ABI
 *	SHIM=part	each entry is to a CPU of another part than the vCPU
 *	SHIM=hole	the host takes 16 MiB of the guest's memory, at 64 MiB, away
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/armvmm.h>
#include <linux/kvm.h>

int __ioctl_time64(int fd, unsigned long request, ...);
int ioctl(int fd, unsigned long request, ...) __attribute__((alias("__ioctl_time64")));

/* With 64-bit times, what a program calls ioctl() is this to the linker. QEMU's are of 32 bits. */
int __ioctl_time64(int fd, unsigned long request, ...)
{
	static int (*real)(int fd, unsigned long request, ...);
	const char *what = getenv("SHIM");
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (!real)
		real = dlsym(RTLD_NEXT, "ioctl");
	if (what && !strcmp(what, "version") && request == KVM_GET_API_VERSION)
		return 11;
	if (what && !strcmp(what, "part") && request == KVM_RUN) {
		struct kvm_run *run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		if (run == MAP_FAILED)
			return -1;
		run->exit_reason = KVM_EXIT_FAIL_ENTRY;
		run->fail_entry.hardware_entry_failure_reason = ARMVMM_FAIL_ENTRY_OTHER_PART;
		run->fail_entry.cpu = 1;
		munmap(run, 4096);
		return 0;
	}
	if (what && !strcmp(what, "hole") && request == KVM_SET_USER_MEMORY_REGION) {
		struct kvm_userspace_memory_region *r = arg;

		munmap((void *)(unsigned long)(r->userspace_addr + (64 << 20)), 16 << 20);
	}
	return real(fd, request, arg);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The node, capabilities, and creation of VMs and vCPUs with its misuse. */
#include "vm.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void node(void)
{
	struct stat st;

	close(sys_open());
	MUST(!stat(device_node(), &st), "%s", strerror(errno));
	CHECK(S_ISCHR(st.st_mode), "mode %o", st.st_mode);
	CHECK(!(st.st_mode & 07), "others may open it: mode %o", st.st_mode);
}

static int wait_for(pid_t pid)
{
	int status = -1;

	MUST(pid > 0 && waitpid(pid, &status, 0) == pid, "%s", strerror(errno));
	return status;
}

GUEST_CODE(tell, "ldr r1, =DEV_BASE\n\tldr r0, =0x600d\n1:\tstr r0, [r1]\n\tb 1b");

/* Runs in a child without privileges. Returns 0 if all went as it should. */
static int as_member(void)
{
	struct vm vm;

	be_nobody(true);
	vm_make(&vm, 2, 0);
	VM_CODE(&vm, 0, tell);
	if (vm_run(&vm, 0) != KVM_EXIT_MMIO || vm.vcpu[0].run->mmio.phys_addr != DEV_BASE)
		return 1;
	/* The fd brings no privilege: the user is the same as before. */
	return getuid() != NOBODY || !setuid(0);
}

static int as_stranger(void)
{
	be_nobody(false);
	return open(device_node(), O_RDWR) != -1 || errno != EACCES ||
	       open(device_node(), O_RDONLY) != -1 || errno != EACCES;
}

/* The node's group decides who has virtual machines: members need no other right. */
static void membership(void)
{
	pid_t pid;

	if (geteuid())
		ktap_skip("only root can be somebody else");
	close(sys_open());
	node_share();
	pid = fork();
	if (!pid)
		_exit(as_member());
	CHECK(!wait_for(pid), "a member has no VM");
	pid = fork();
	if (!pid)
		_exit(as_stranger());
	CHECK(!wait_for(pid), "a stranger opens the node, or is refused by another error");
	node_unshare();
	/* When the driver makes the node, there are no members yet. */
	pid = fork();
	if (!pid)
		_exit(as_stranger());
	CHECK(!wait_for(pid));
}

static void version(void)
{
	int sys = sys_open();

	CHECK(ioctl(sys, KVM_GET_API_VERSION, 0) == 12);
	CHECK_ERRNO(ioctl(sys, KVM_GET_API_VERSION, 1), EINVAL);
	CHECK(ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0) >= (int)sizeof(struct kvm_run));
	CHECK(ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0) % 4096 == 0);
	CHECK_ERRNO(ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 1), EINVAL);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, ARMVMM_CAP_VERSION) == ARMVMM_VERSION);
}

static void capabilities(void)
{
	static const struct { int cap; const char *name; } yes[] = {
#define CAP(n) { KVM_CAP_##n, #n }
		CAP(IRQCHIP), CAP(ONE_REG), CAP(ARM_PSCI), CAP(ARM_PSCI_0_2), CAP(MP_STATE),
		CAP(IMMEDIATE_EXIT), CAP(USER_MEMORY),
		CAP(DESTROY_MEMORY_REGION_WORKS), CAP(JOIN_MEMORY_REGIONS_WORKS),
		CAP(READONLY_MEM), CAP(DEVICE_CTRL), CAP(ARM_SET_DEVICE_ADDR),
		CAP(CHECK_EXTENSION_VM), CAP(ENABLE_CAP), CAP(ENABLE_CAP_VM),
		CAP(ARM_NISV_TO_USER), CAP(MANUAL_DIRTY_LOG_PROTECT2), CAP(COALESCED_MMIO),
		CAP(COALESCED_PIO), CAP(IRQ_ROUTING), CAP(SIGNAL_MSI), CAP(INTERNAL_ERROR_DATA),
		CAP(VCPU_EVENTS), CAP(ARM_USER_IRQ), CAP(ARM_INJECT_EXT_DABT),
	}, events[] = {
		CAP(IRQFD), CAP(IRQFD_RESAMPLE), CAP(IOEVENTFD), CAP(IOEVENTFD_ANY_LENGTH),
		CAP(IOEVENTFD_NO_LENGTH),
	};
	int sys = sys_open(), vm = vm_new(sys);

	for (unsigned int i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		CHECK(ioctl(sys, KVM_CHECK_EXTENSION, yes[i].cap) > 0, "%s", yes[i].name);
		CHECK(ioctl(vm, KVM_CHECK_EXTENSION, yes[i].cap) > 0, "%s on the VM", yes[i].name);
	}
	for (unsigned int i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		CHECK(ioctl(sys, KVM_CHECK_EXTENSION, events[i].cap) == host_has_eventfd(), "%s",
		      events[i].name);
		CHECK(ioctl(vm, KVM_CHECK_EXTENSION, events[i].cap) == host_has_eventfd(),
		      "%s on the VM", events[i].name);
	}
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_MMU) == !host_pins());
	CHECK(ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_MMU) == !host_pins());
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS) == 8);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS) >= 1);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS) >= 32);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_ARM_IRQ_LINE_LAYOUT_2) == 1);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPU_ID) == 8);
	/* A capability that only a VM has. */
	CHECK_ERRNO(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_MSI_DEVID), EINVAL);
	CHECK(ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_MSI_DEVID) == 0);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_ARM_INJECT_SERROR_ESR) == 0);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, 0x7fffffff) == 0);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, -1) == 0);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_SPAPR_TCE) == 0);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PMU_V3) == 0);
}

/*
 * A file that is no eventfd is no doorbell and no interrupt: EINVAL. Where the kernel has no
 * eventfd(2), no file is one: ENOSYS.
 */
static void no_eventfd(void)
{
	int file = (int)MUST_OK(open("/dev/null", O_RDWR | O_CLOEXEC));
	struct kvm_ioeventfd bell = { .addr = 0x1000, .len = 4, .fd = file };
	struct kvm_irqfd irq = { .fd = (uint32_t)file, .gsi = 0 };
	int want = host_has_eventfd() ? EINVAL : ENOSYS;
	struct vm vm;

	CHECK((eventfd(0, EFD_CLOEXEC) >= 0) == host_has_eventfd(), "eventfd: %s", strerror(errno));
	vm_make(&vm, 1, 0);
	CHECK_ERRNO(ioctl(vm.fd, KVM_IOEVENTFD, &bell), want);
	bell.flags = KVM_IOEVENTFD_FLAG_DEASSIGN;
	CHECK_ERRNO(ioctl(vm.fd, KVM_IOEVENTFD, &bell), want);
	CHECK_ERRNO(ioctl(vm.fd, KVM_IRQFD, &irq), want);
	irq.flags = KVM_IRQFD_FLAG_DEASSIGN;
	CHECK_ERRNO(ioctl(vm.fd, KVM_IRQFD, &irq), want);
}

static int enable_cap(int fd, uint32_t cap, uint32_t flags, uint64_t arg)
{
	struct kvm_enable_cap e = { .cap = cap, .flags = flags, .args = { arg } };

	return ioctl(fd, KVM_ENABLE_CAP, &e);
}

/* An exclusive has no syndrome, and no meaning for a device. */
GUEST_CODE(no_syndrome, "ldr r1, =DEV_BASE\n\tldrex r2, [r1]\n1:\tb 1b");

static void enable_caps(void)
{
	struct kvm_run *run;
	struct vm vm;

	vm_make(&vm, 1, 0);
	CHECK_ERRNO(enable_cap(vm.fd, KVM_CAP_ARM_NISV_TO_USER, 1, 0), EINVAL);
	CHECK_ERRNO(enable_cap(vm.fd, KVM_CAP_ONE_REG, 0, 1), EINVAL);
	CHECK_ERRNO(enable_cap(vm.fd, 0x7fffffff, 0, 0), EINVAL);
	CHECK_ERRNO(enable_cap(vm.fd, ~0u, ~0u, ~0ull), EINVAL);
	CHECK_ERRNO(ioctl(vm.fd, KVM_ENABLE_CAP, NULL), EFAULT);
	/* KVM/arm has none for a vCPU or the system. */
	CHECK_ERRNO(enable_cap(vm.vcpu[0].fd, KVM_CAP_ARM_NISV_TO_USER, 0, 0), EINVAL);
	CHECK_ERRNO(enable_cap(vm.sys, KVM_CAP_ARM_NISV_TO_USER, 0, 0), EINVAL);
	CHECK_OK(enable_cap(vm.fd, KVM_CAP_ARM_NISV_TO_USER, 0, 0));
	CHECK_OK(enable_cap(vm.fd, KVM_CAP_ARM_NISV_TO_USER, 0, 77));
	VM_CODE(&vm, 0, no_syndrome);
	run = vm.vcpu[0].run;
	CHECK(vm_run(&vm, 0) == KVM_EXIT_ARM_NISV, "exit %u", run->exit_reason);
	CHECK(run->arm_nisv.fault_ipa == DEV_BASE, "%llx",
	      (unsigned long long)run->arm_nisv.fault_ipa);
}

static void unknown_ioctls(void)
{
	struct vm vm;

	vm_make(&vm, 1, 0);
	CHECK_ERRNO(ioctl(vm.sys, _IO(KVMIO, 0xfe), 0), EINVAL);
	CHECK_ERRNO(ioctl(vm.sys, KVM_RUN, 0), EINVAL);
	CHECK_ERRNO(ioctl(vm.fd, _IO(KVMIO, 0xfe), 0), EINVAL);
	CHECK_ERRNO(ioctl(vm.fd, KVM_CREATE_VM, 0), EINVAL);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, _IO(KVMIO, 0xfe), 0), EINVAL);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_CREATE_VCPU, 1), EINVAL);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, TIOCGWINSZ, 0), EINVAL);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_GET_REGS, vm.ram), EINVAL);
	CHECK(ioctl(vm.gic, KVM_RUN, 0) == -1);
	/* 0xAF is armvmm's own: an unknown number is refused, too. */
	CHECK(ioctl(vm.sys, _IO(ARMVMMIO, 0xfe), 0) == -1);
	CHECK(ioctl(vm.fd, _IO(ARMVMMIO, 0xfe), 0) == -1);
	CHECK(ioctl(vm.vcpu[0].fd, _IO(ARMVMMIO, 0xfe), 0) == -1);
	/* Neither read, write nor seek means anything here. */
	CHECK(read(vm.fd, vm.ram, 1) == -1);
	CHECK(write(vm.vcpu[0].fd, vm.ram, 1) == -1);
}

static void bad_pointers(void)
{
	static const unsigned long vm_reqs[] = {
		KVM_SET_USER_MEMORY_REGION, KVM_IRQ_LINE, KVM_CREATE_DEVICE,
		KVM_ARM_SET_DEVICE_ADDR, KVM_ARM_PREFERRED_TARGET,
	};
	static const unsigned long vcpu_reqs[] = {
		KVM_ARM_VCPU_INIT, KVM_GET_ONE_REG, KVM_SET_ONE_REG, KVM_GET_REG_LIST,
		KVM_GET_MP_STATE, KVM_SET_MP_STATE, KVM_SET_DEVICE_ATTR, KVM_GET_DEVICE_ATTR,
		KVM_HAS_DEVICE_ATTR,
	};
	static const unsigned long dev_reqs[] = {
		KVM_SET_DEVICE_ATTR, KVM_GET_DEVICE_ATTR, KVM_HAS_DEVICE_ATTR,
	};
	void *bad[] = { NULL, (void *)4096, (void *)0xfffff000, (void *)0xc0008000 };
	struct vm vm;

	vm_make(&vm, 1, 0);
	for (unsigned int b = 0; b < 4; b++) {
		for (unsigned int i = 0; i < sizeof(vm_reqs) / sizeof(vm_reqs[0]); i++)
			CHECK_ERRNO(ioctl(vm.fd, vm_reqs[i], bad[b]), EFAULT);
		for (unsigned int i = 0; i < sizeof(vcpu_reqs) / sizeof(vcpu_reqs[0]); i++)
			CHECK_ERRNO(ioctl(vm.vcpu[0].fd, vcpu_reqs[i], bad[b]), EFAULT);
		for (unsigned int i = 0; i < sizeof(dev_reqs) / sizeof(dev_reqs[0]); i++)
			CHECK_ERRNO(ioctl(vm.gic, dev_reqs[i], bad[b]), EFAULT);
		CHECK_ERRNO(reg_get(vm.vcpu[0].fd, REG_PC, bad[b]), EFAULT);
		CHECK_ERRNO(reg_set(vm.vcpu[0].fd, REG_PC, bad[b]), EFAULT);
	}
}

static void create_vm(void)
{
	int sys = sys_open(), vm;

	CHECK_ERRNO(ioctl(sys, KVM_CREATE_VM, 1), EINVAL);
	CHECK_ERRNO(ioctl(sys, KVM_CREATE_VM, 40), EINVAL);
	vm = vm_new(sys);
	CHECK(fcntl(vm, F_GETFD) & FD_CLOEXEC);
	CHECK(ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_ONE_REG) == 1);
}

static void many_vms(void)
{
	int sys = sys_open(), fd[300], n = 0;

	/* More than there are VMIDs (8 bits). */
	for (n = 0; n < 300; n++) {
		fd[n] = ioctl(sys, KVM_CREATE_VM, 0);
		if (fd[n] < 0)
			break;
	}
	CHECK(n == 300, "%d VMs, then %s", n, strerror(errno));
	while (n)
		close(fd[--n]);
}

static void no_fd_left(void)
{
	int sys = sys_open();
	int vm, next = dup(sys);	/* the lowest number that is free */
	struct rlimit rl = { .rlim_cur = (rlim_t)next, .rlim_max = (rlim_t)next + 64 }, more;

	close(next);
	/* The error path of creation, many times, so that a leak would show. */
	MUST(!setrlimit(RLIMIT_NOFILE, &rl), "%s", strerror(errno));
	for (int i = 0; i < 500; i++)
		CHECK_ERRNO(ioctl(sys, KVM_CREATE_VM, 0), EMFILE);
	more = rl;
	more.rlim_cur = (rlim_t)next + 1;
	setrlimit(RLIMIT_NOFILE, &more);
	vm = vm_new(sys);
	for (int i = 0; i < 100; i++)
		CHECK_ERRNO(ioctl(vm, KVM_CREATE_VCPU, 0), EMFILE);
	for (int i = 0; i < 100; i++) {
		struct kvm_create_device cd = { .type = KVM_DEV_TYPE_ARM_VGIC_V2 };

		errno = 0;
		CHECK(ioctl(vm, KVM_CREATE_DEVICE, &cd) == -1);
		CHECK(errno == EMFILE || errno == EEXIST, "%s", strerror(errno));
	}
	more.rlim_cur = (rlim_t)next + 8;
	setrlimit(RLIMIT_NOFILE, &more);
	CHECK_OK(ioctl(vm, KVM_CREATE_VCPU, 0));
}

static void create_vcpu(void)
{
	struct vm vm;

	vm_make(&vm, 2, VM_NO_GIC_INIT);
	CHECK_ERRNO(ioctl(vm.fd, KVM_CREATE_VCPU, 0), EEXIST);
	CHECK_ERRNO(ioctl(vm.fd, KVM_CREATE_VCPU, 8), EINVAL);
	CHECK_ERRNO(ioctl(vm.fd, KVM_CREATE_VCPU, 255), EINVAL);
	CHECK_ERRNO(ioctl(vm.fd, KVM_CREATE_VCPU, -1), EINVAL);
	CHECK_OK(ioctl(vm.fd, KVM_CREATE_VCPU, 7));
	CHECK_OK(attr_set(vm.gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
	CHECK_ERRNO(ioctl(vm.fd, KVM_CREATE_VCPU, 3), EBUSY);
	CHECK_ERRNO(ioctl(vm.fd, KVM_CREATE_VCPU, 8), EINVAL);
	CHECK(fcntl(vm.vcpu[0].fd, F_GETFD) & FD_CLOEXEC);
}

static void all_vcpus(void)
{
	struct vm vm;

	vm_make(&vm, 8, 0);
	for (unsigned int i = 0; i < 8; i++)
		CHECK(reg32(vm.vcpu[i].fd, ARM_CP15_REG32(0, 0, 0, 5)) ==
		      (0x80000000 | (i >> 2) << 8 | (i & 3)), "MPIDR of vCPU %u is %x", i,
		      reg32(vm.vcpu[i].fd, ARM_CP15_REG32(0, 0, 0, 5)));
	/* A reset counts the existing vCPUs: ACTLR.SMP, L2CTLR's number of CPUs. */
	vm_vcpu_init(&vm, 0);
	CHECK(reg32(vm.vcpu[0].fd, ARM_CP15_REG32(0, 1, 0, 1)) & 1 << 6);
	CHECK((reg32(vm.vcpu[0].fd, ARM_CP15_REG32(1, 9, 0, 2)) >> 24 & 3) == 3, "L2CTLR %x",
	      reg32(vm.vcpu[0].fd, ARM_CP15_REG32(1, 9, 0, 2)));
}

static void preferred_target(void)
{
	struct vm vm;
	struct kvm_vcpu_init init;

	vm_make(&vm, 0, VM_NO_GIC);
	memset(&init, 0xff, sizeof(init));
	CHECK_OK(ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &init));
	CHECK(init.target == KVM_ARM_TARGET_CORTEX_A15 || init.target == KVM_ARM_TARGET_CORTEX_A7,
	      "%u", init.target);
	for (int i = 0; i < 7; i++)
		CHECK(!init.features[i], "features[%d] = %x", i, init.features[i]);
}

static void other_process(void)
{
	struct vm vm;
	pid_t pid;
	int status;

	vm_make(&vm, 1, 0);
	pid = fork();
	if (!pid) {
		struct kvm_create_device cd = { .type = KVM_DEV_TYPE_ARM_VGIC_V2 };
		uint32_t pc;
		int bad = 0;

		/* The VM belongs to the address space that created it. */
		bad += !(ioctl(vm.fd, KVM_CREATE_VCPU, 1) == -1 && errno == EIO);
		bad += !(ioctl(vm.fd, KVM_CREATE_DEVICE, &cd) == -1 && errno == EIO);
		bad += !(mem_set(vm.fd, 1, 0, 0x80000000, 4096, vm.ram) == -1 && errno == EIO);
		bad += !(ioctl(vm.vcpu[0].fd, KVM_RUN, 0) == -1 && errno == EIO);
		bad += !(reg_get(vm.vcpu[0].fd, REG_PC, &pc) == -1 && errno == EIO);
		bad += !(attr_has(vm.gic, KVM_DEV_ARM_VGIC_GRP_CTRL, 0) == -1 && errno == EIO);
		_exit(bad);
	}
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "%d ioctls work in another process",
	      WEXITSTATUS(status));
	/* It still works here. */
	CHECK(reg32(vm.vcpu[0].fd, REG_PC) == 0);
}

static const struct ktap_case cases[] = {
	{ "node", node, 0 },
	{ "membership", membership, 0 },
	{ "version", version, 0 },
	{ "capabilities", capabilities, 0 },
	{ "no_eventfd", no_eventfd, 0 },
	{ "enable_caps", enable_caps, 0 },
	{ "unknown_ioctls", unknown_ioctls, 0 },
	{ "bad_pointers", bad_pointers, 0 },
	{ "create_vm", create_vm, 0 },
	{ "many_vms", many_vms, 0 },
	{ "no_fd_left", no_fd_left, 0 },
	{ "create_vcpu", create_vcpu, 0 },
	{ "all_vcpus", all_vcpus, 0 },
	{ "preferred_target", preferred_target, 0 },
	{ "other_process", other_process, 0 },
};
KTAP_MAIN(cases)

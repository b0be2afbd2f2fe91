// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs come and go: fds closed in every order, fork, death in the middle of
 * RUN (docs/hazards.md 3, 6, 7 and 22).
 */
#include "vm.h"

#include <sys/resource.h>
#include <sys/wait.h>

/* Counts at DEV_BASE for ever. */
GUEST_CODE(count, "ldr r1, =DEV_BASE\n\tmov r0, #0\n1:\tstr r0, [r1]\n\tadd r0, r0, #1\n\tb 1b");
/* Spins without an exit. */
GUEST_CODE(spin, "ldr r1, =DEV_BASE\n\tstr r0, [r1]\n1:\tadd r0, r0, #1\n\tb 1b");
GUEST_CODE(sleep, "ldr r1, =DEV_BASE\n\tstr r0, [r1]\n1:\twfi\n\tb 1b");

static void permute(int *fd, int n, int at, void (*fn)(const int *order, int n))
{
	if (at == n) {
		fn(fd, n);
		return;
	}
	for (int i = at; i < n; i++) {
		int t = fd[at];

		fd[at] = fd[i];
		fd[i] = t;
		permute(fd, n, at + 1, fn);
		fd[i] = fd[at];
		fd[at] = t;
	}
}

static unsigned int orders;

static void close_in(const int *order, int n)
{
	struct vm vm;
	unsigned int reason;

	vm_make(&vm, 2, 0);
	VM_CODE(&vm, 0, count);
	reason = vm_run(&vm, 0);
	CHECK(reason == KVM_EXIT_MMIO, "exit %u", reason);
	for (int i = 0; i < n; i++) {
		switch (order[i]) {
		case 0: close(vm.sys); break;
		case 1: close(vm.fd); break;
		case 2: close(vm.vcpu[0].fd); break;
		case 3: close(vm.vcpu[1].fd); break;
		case 4: close(vm.gic); break;
		}
	}
	/* The run pages outlive their fds (item 22). */
	CHECK(vm.vcpu[0].run->exit_reason == KVM_EXIT_MMIO);
	munmap(vm.vcpu[0].run, vm.run_size);
	munmap(vm.vcpu[1].run, vm.run_size);
	munmap(vm.ram, RAM_SIZE);
	orders++;
}

static void close_orders(void)
{
	int fd[5] = { 0, 1, 2, 3, 4 };

	permute(fd, 5, 0, close_in);
	CHECK(orders == 120, "%u orders", orders);
}

static void vcpu_without_vm(void)
{
	struct vm vm;
	unsigned int before;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, count);
	close(vm.fd);
	close(vm.sys);
	close(vm.gic);
	before = vm_run(&vm, 0);
	CHECK(before == KVM_EXIT_MMIO, "exit %u", before);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	CHECK(reg32(vm.vcpu[0].fd, REG_R(1)) == DEV_BASE);
}

static void cycles(void)
{
	for (unsigned int i = 0; i < 200 / ktap_slowdown(); i++) {
		struct vm vm;

		vm_make(&vm, 1 + i % 4, 0);
		VM_CODE(&vm, 0, count);
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		vm_close(&vm);
	}
}

static void never_run(void)
{
	for (int i = 0; i < 50; i++) {
		struct vm vm;

		vm_make(&vm, 2, (i & 1 ? VM_NO_GIC : 0) | (i & 2 ? VM_NO_VCPU_INIT : 0) |
			(i & 4 ? VM_NO_GIC_INIT : 0) | (i & 8 ? VM_NO_RAM : 0));
		vm_close(&vm);
	}
}

/* RAM is unmapped while the vCPU runs in it: the notifier stops it, and nothing breaks. */
static void unmap_running(void)
{
	struct vm vm;
	struct runner r;

	needs_sync_mmu();
	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, spin);
	runner_start(&r, &vm, 0);
	CHECK(runner_wait(&r, 1, PATIENCE_MS));
	munmap(vm.ram, RAM_SIZE);
	for (uint64_t end = now_ns() + PATIENCE_MS * 1000000ull; !r.error && now_ns() < end;)
		usleep(1000);
	/* RUN must have ended with EFAULT, since nothing backs the slot any more. */
	CHECK(r.error == EFAULT || r.error == -KVM_EXIT_INTERNAL_ERROR, "%d", r.error);
	runner_stop(&r);
}

static void child_run(const char *start, const char *end, bool wait_mmio)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			struct runner r[2];
			struct vm vm;

			vm_make(&vm, 2, 0);
			runners_start(r, &vm, 2, start, end);
			if (wait_mmio)
				runner_wait(&r[0], 1, 3000);
			for (;;)
				pause();
		}
		usleep(20000 + i * 3000);
		kill(pid, SIGKILL);
		CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	}
}

static void killed_spinning(void)
{
	child_run(code_spin, code_spin_end, true);
}

static void killed_sleeping(void)
{
	child_run(code_sleep, code_sleep_end, true);
}

static void killed_in_mmio(void)
{
	child_run(code_count, code_count_end, false);
}

/* A child holds the fds while the parent goes on, and after the parent has closed them. */
static void fork_keeps(void)
{
	struct vm vm;
	int status;
	pid_t pid;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, count);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	pid = fork();
	if (!pid) {
		usleep(200000);
		_exit(0);
	}
	for (int i = 0; i < 100; i++)
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	CHECK(reg32(vm.vcpu[0].fd, REG_R(0)) == 100, "%u", reg32(vm.vcpu[0].fd, REG_R(0)));
	vm_close(&vm);
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* The child that made the VM dies; its parent has only a copy of an fd. */
static void owner_dies(void)
{
	int pair[2], status;
	pid_t pid;

	MUST(!pipe(pair), "pipe");
	pid = fork();
	if (!pid) {
		struct vm vm;
		pid_t grandchild;

		vm_make(&vm, 1, 0);
		VM_CODE(&vm, 0, count);
		vm_run(&vm, 0);
		grandchild = fork();
		if (!grandchild) {
			char c;

			/* Holds the fds of a VM whose client has exited. */
			close(pair[1]);
			if (read(pair[0], &c, 1) < 0)
				_exit(2);
			_exit(ioctl(vm.vcpu[0].fd, KVM_RUN, 0) == -1 && errno == EIO ? 0 : 1);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	usleep(50000);
	close(pair[1]);
	close(pair[0]);
	usleep(100000);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void exec_closes(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct vm vm;

		vm_make(&vm, 1, 0);
		VM_CODE(&vm, 0, count);
		vm_run(&vm, 0);
		execl("/bin/true", "true", NULL);
		execl("/bin/busybox", "true", NULL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "%x", status);
}

/*
 * vCPUs of many VMs at once, more than there are VMIDs; each of them really runs. All their memory
 * has to fit into 1 GiB of addresses (VMSPLIT_1G).
 */
#define ROLLOVER_RAM	0x20000u

static void rollover(void)
{
	struct rlimit fds = { .rlim_cur = 4096, .rlim_max = 4096 };
	static struct vm vm[270];
	unsigned int n;

	MUST(!setrlimit(RLIMIT_NOFILE, &fds), "%s", strerror(errno));
	for (n = 0; n < 270; n++) {
		vm_make(&vm[n], 1, VM_NO_RAM);
		vm[n].ram = map_pages(ROLLOVER_RAM);
		MUST_OK(mem_set(vm[n].fd, 0, 0, RAM_BASE, ROLLOVER_RAM, vm[n].ram));
		VM_CODE(&vm[n], 0, count);
		CHECK(vm_run(&vm[n], 0) == KVM_EXIT_MMIO);
	}
	for (unsigned int round = 1; round < 4; round++)
		for (n = 0; n < 270; n++) {
			CHECK(vm_run(&vm[n], 0) == KVM_EXIT_MMIO);
			CHECK(*(uint32_t *)vm[n].vcpu[0].run->mmio.data == round, "VM %u: %u, not %u",
			      n, *(uint32_t *)vm[n].vcpu[0].run->mmio.data, round);
		}
	for (n = 0; n < 270; n++) {
		munmap(vm[n].ram, ROLLOVER_RAM);
		vm[n].ram = NULL;
		vm_close(&vm[n]);
	}
}

static const struct ktap_case cases[] = {
	{ "close_orders", close_orders, 120 },
	{ "vcpu_without_vm", vcpu_without_vm, 0 },
	{ "cycles", cycles, 120 },
	{ "never_run", never_run, 0 },
	{ "unmap_running", unmap_running, 0 },
	{ "killed_spinning", killed_spinning, 0 },
	{ "killed_sleeping", killed_sleeping, 0 },
	{ "killed_in_mmio", killed_in_mmio, 0 },
	{ "fork_keeps", fork_keeps, 0 },
	{ "owner_dies", owner_dies, 0 },
	{ "exec_closes", exec_closes, 0 },
	{ "rollover", rollover, 120 },
};
KTAP_MAIN(cases)

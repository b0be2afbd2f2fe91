// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's own life: it is loaded and unloaded often; unloading is refused while a VM lives;
 * bad parameters; CPUs that were offline meanwhile (docs/hazards.md 22). The file to load is
 * $MODULE, else /armvmm.ko.
 */
#include "vm.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

GUEST_CODE(count, "ldr r1, =DEV_BASE\n1:\tstr r0, [r1]\n\tadd r0, r0, #1\n\tb 1b");

static int load(const char *params)
{
	const char *path = getenv("MODULE");

	return module_load(path ? path : "/armvmm.ko", params);
}

static int unload(void)
{
	return (int)syscall(SYS_delete_module, "armvmm", O_NONBLOCK);
}

/* Freed files and notifiers release the module a little later (RCU, SRCU). */
static int unload_patiently(void)
{
	for (int i = 0; i < 1000; i++) {
		if (!unload() || errno == ENOENT)
			return 0;
		usleep(20000);
	}
	return -1;
}

static bool node_there(void)
{
	struct stat st;

	for (int i = 0; i < 2000; i++) {
		if (!stat(device_node(), &st))
			return true;
		usleep(10000);
	}
	return false;
}

static void run_guest(unsigned int ncpus)
{
	struct vm vm;

	MUST(node_there(), "no node");
	vm_make(&vm, ncpus, 0);
	VM_CODE(&vm, 0, count);
	for (uint32_t i = 0; i < 10; i++)
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO &&
		      *(uint32_t *)vm.vcpu[0].run->mmio.data == i);
	vm_close(&vm);
}

static void hundred_times(void)
{
	MUST(!unload_patiently(), "%s", strerror(errno));
	for (unsigned int i = 0; i < 100 / ktap_slowdown(); i++) {
		MUST(!load(""), "load %u: %s", i, strerror(errno));
		if (i % 10 == 0)
			run_guest(1 + i / 10 % 3);
		MUST(!unload_patiently(), "unload %u: %s", i, strerror(errno));
	}
	CHECK(!load(""));
}

static void refused_in_use(void)
{
	struct vm vm;
	struct runner r;

	CHECK(!load("") || errno == EEXIST, "%s", strerror(errno));
	CHECK_ERRNO(load(""), EEXIST);
	MUST(node_there(), "no node");
	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, count);
	CHECK_ERRNO(unload(), EAGAIN);
	runner_start(&r, &vm, 0);
	CHECK(runner_wait(&r, 10, PATIENCE_MS));
	for (int i = 0; i < 20; i++)
		CHECK_ERRNO(unload(), EAGAIN);
	runner_stop(&r);
	CHECK(!r.error, "%d", r.error);
	/* Any single fd is enough to hold the module. */
	close(vm.sys);
	close(vm.fd);
	close(vm.gic);
	CHECK_ERRNO(unload(), EAGAIN);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	close(vm.vcpu[0].fd);
	munmap(vm.vcpu[0].run, vm.run_size);
	CHECK(!unload_patiently(), "%s", strerror(errno));
	CHECK(!load(""), "%s", strerror(errno));
}

/* After a client was killed in the middle of RUN, nothing holds the module. */
static void after_kill(void)
{
	pid_t pid;
	int status;

	CHECK(!load("") || errno == EEXIST, "%s", strerror(errno));
	MUST(node_there(), "no node");
	pid = fork();
	if (!pid) {
		struct runner r;
		struct vm vm;

		vm_make(&vm, 1, 0);
		VM_CODE(&vm, 0, count);
		runner_start(&r, &vm, 0);
		for (;;)
			pause();
	}
	usleep(100000);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	CHECK(!unload_patiently(), "%s", strerror(errno));
	CHECK(!load(""), "%s", strerror(errno));
}

static void bad_parameters(void)
{
	static const char *const bad[] = {
		"gich=hello", "gich=-1-", "maint_irq=99999999999", "kvm=perhaps", "halt_poll_ns=-5",
		"vtimer_irq=x", "harden=x", "harden=", "max_vms_per_user=-1",
	};
	static const char *const wrong[] = {
		/* Well formed, but there is no such hardware: refused with a message in the log. */
		"maint_irq=3", "maint_irq=40", "gich=0x1001", "vtimer_irq=99999",
		"maint_irq=27", "vtimer_irq=25",
		/* Memory, and the serial port: guests would get access to them. */
		"gich=" TEXT(RAM_BASE), "gicv=" TEXT(RAM_BASE), "gicv=" TEXT(UART_BASE),
	};

	MUST(!unload_patiently(), "%s", strerror(errno));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		CHECK(load(bad[i]) == -1 && (errno == EINVAL || errno == ERANGE), "%s: %s", bad[i],
		      strerror(errno));
		unload_patiently();
	}
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		errno = 0;
		CHECK(load(wrong[i]) == -1, "%s is accepted", wrong[i]);
		unload_patiently();
	}
	CHECK(!load(""), "%s", strerror(errno));
	run_guest(1);
}

/* A CPU that was offline at load, or goes offline later, is taken over when it comes online. */
static void offline_at_load(void)
{
	if (sysconf(_SC_NPROCESSORS_CONF) < 2)
		ktap_skip("one CPU");
	MUST(!unload_patiently(), "%s", strerror(errno));
	for (int i = 0; i < 5; i++) {
		if (cpu_online(1, false))
			ktap_skip("CPU 1 cannot go offline");
		CHECK(!load(""), "%s", strerror(errno));
		CHECK(!cpu_online(1, true), "%s", strerror(errno));
		cpu_bind(1);
		run_guest(1);
		cpu_bind(0);
		run_guest(1);
		CHECK(!cpu_online(1, false));
		CHECK(!unload_patiently(), "%s", strerror(errno));
		CHECK(!cpu_online(1, true));
		CHECK(!load(""), "%s", strerror(errno));
		cpu_bind(1);
		run_guest(1);
		cpu_bind(0);
		CHECK(!unload_patiently(), "%s", strerror(errno));
	}
	CHECK(!load(""), "%s", strerror(errno));
}

static void second_node(void)
{
	struct stat st;

	MUST(!unload_patiently(), "%s", strerror(errno));
	if (!stat("/dev/kvm", &st))
		ktap_skip("this host has /dev/kvm of its own");
	MUST(!load("kvm=1"), "%s", strerror(errno));
	for (int i = 0; i < 2000 && stat("/dev/kvm", &st); i++)
		usleep(10000);
	MUST(!stat("/dev/kvm", &st), "no /dev/kvm");
	setenv("ARMVMM_DEVICE_NODE", "/dev/kvm", 1);
	run_guest(2);
	unsetenv("ARMVMM_DEVICE_NODE");
	CHECK(!unload_patiently(), "%s", strerror(errno));
	CHECK(!load(""), "%s", strerror(errno));
}

/* Each kind of vectors, also those that no CPU of this host would get by itself. */
static void hardened(void)
{
	static const char *const kinds[] = {
		"harden=none", "harden=bpiall", "harden=iciallu", "harden=loop8",
	};

	MUST(!unload_patiently(), "%s", strerror(errno));
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		MUST(!load(kinds[i]), "%s: %s", kinds[i], strerror(errno));
		run_guest(1);
		CHECK(!unload_patiently(), "%s: %s", kinds[i], strerror(errno));
	}
	CHECK(!load(""), "%s", strerror(errno));
}

static const struct ktap_case cases[] = {
	{ "hundred_times", hundred_times, 170 },
	{ "refused_in_use", refused_in_use, 0 },
	{ "after_kill", after_kill, 0 },
	{ "bad_parameters", bad_parameters, 0 },
	{ "offline_at_load", offline_at_load, 0 },
	{ "second_node", second_node, 0 },
	{ "hardened", hardened, 0 },
};
KTAP_MAIN(cases)

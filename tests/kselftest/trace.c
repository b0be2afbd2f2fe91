// SPDX-License-Identifier: GPL-2.0-only
/* Tracepoints, as trace-cmd and perf see them: by tracefs. */
#include "vm.h"

#include <dirent.h>
#include <stdarg.h>
#include <sys/mount.h>

/* An hvc for the host, a read of the distributor, a write and a read of the client's device. */
GUEST_CODE(work, "ldr r4, =DEV_BASE\n\tldr r7, =GICD_BASE\n\t"
	   "ldr r0, =0x8400000a\n\tldr r1, =0x84000000\n\thvc #0\n\t"
	   "ldr r0, [r7, #8]\n\tldr r5, =0x1234\n\tstr r5, [r4]\n\tldrh r0, [r4, #4]\n\t"
	   "str r0, [r4, #8]\n\tb .");

static char dir[64];

static void tracefs_find(void)
{
	static const char *const at[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[128];

	mount("tracefs", at[0], "tracefs", 0, NULL);
	for (unsigned int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/events", at[i]);
		if (!access(path, F_OK)) {
			snprintf(dir, sizeof(dir), "%s", at[i]);
			return;
		}
	}
	ktap_skip("this kernel has no tracefs");
}

static char *file_read(const char *name)
{
	static char text[1 << 17];
	char path[256];
	size_t len = 0, n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	MUST(f, "%s: %s", path, strerror(errno));
	while (len < sizeof(text) - 1 && (n = fread(text + len, 1, sizeof(text) - 1 - len, f)) > 0)
		len += n;
	text[len] = 0;
	fclose(f);
	return text;
}

static void file_write(const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_TRUNC);
	MUST(fd >= 0, "%s: %s", path, strerror(errno));
	MUST(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: %s", path,
	     strerror(errno));
	close(fd);
}

/* Each event describes its record, in types that perf and trace-cmd can read. */
static void formats(void)
{
	static const char *const events[] = {
		"armvmm_entry", "armvmm_exit", "armvmm_user_exit", "armvmm_mmio",
		"armvmm_irq_inject", "armvmm_page_fault", "armvmm_psci",
	};
	char name[64], *text;

	tracefs_find();
	for (unsigned int i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		snprintf(name, sizeof(name), "events/armvmm/%s/format", events[i]);
		text = file_read(name);
		CHECK(strstr(text, "vcpu_id;"), "%s", text);
		CHECK(strstr(text, "print fmt: "), "%s", text);
		/* No names that only the kernel can resolve. */
		CHECK(!strstr(text, "HYP_EXIT") && !strstr(text, "TRACE_MMIO") &&
		      !strstr(text, "ARMVMM_"), "%s holds a name of the kernel's", events[i]);
	}
}

static bool seen(const char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool seen(const char *text, const char *fmt, ...)
{
	char want[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	if (strstr(text, want))
		return true;
	ktap_note("not in the trace: %s", want);
	return false;
}

static void events(void)
{
	struct kvm_run *run;
	uint16_t answer = 0xbeef;
	const char *text;
	struct vm vm;

	tracefs_find();
	/* What HYP mode answers is no exit, and not traced. */
	param_set("hyp_dist", false);
	vm_make(&vm, 1, 0);
	run = vm.vcpu[0].run;
	VM_CODE(&vm, 0, work);
	file_write("trace", "");
	file_write("events/armvmm/enable", "1");
	MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO && run->mmio.phys_addr == DEV_BASE, "%u",
	     run->exit_reason);
	MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO && run->mmio.phys_addr == DEV_BASE + 4, "%u",
	     run->exit_reason);
	memcpy(run->mmio.data, &answer, 2);
	CHECK_OK(irq_line(vm.fd, SPI(35), 1));
	CHECK_OK(irq_line(vm.fd, PPI(0, 20), 1));
	MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO && run->mmio.phys_addr == DEV_BASE + 8, "%u",
	     run->exit_reason);
	run->immediate_exit = 1;
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EINTR);
	file_write("events/armvmm/enable", "0");

	text = file_read("trace");
	CHECK(seen(text, "armvmm_entry: vcpu 0, PC 0x%08x, CPSR 0x000001d3", LOAD_ADDR));
	CHECK(seen(text, "armvmm_page_fault: vcpu 0, fetch IPA 0x%x, HVA 0x%08x, "
		   "PC 0x%08x", LOAD_ADDR, (uint32_t)(uintptr_t)vm.ram + 0x10000, LOAD_ADDR));
	CHECK(seen(text, "armvmm_exit: vcpu 0, trap iabt, HSR 0x8"));
	CHECK(seen(text, "armvmm_exit: vcpu 0, trap hvc, HSR 0x4a000000, PC 0x%08x, "
		   "address 0x00000000, IPA 0x0", LOAD_ADDR + 0x14));
	CHECK(seen(text, "armvmm_psci: vcpu 0, function 0x8400000a (0x84000000, "));
	CHECK(seen(text, "PC 0x%08x, address 0x%08x, IPA 0x%x", LOAD_ADDR + 0x14, GICD_BASE + 8,
		   GICD_BASE + 8));
	CHECK(seen(text, "armvmm_mmio: vcpu 0, read len 4 IPA 0x%x val 0x", GICD_BASE + 8));
	CHECK(seen(text, "armvmm_mmio: vcpu 0, write len 4 IPA 0x%x val 0x1234", DEV_BASE));
	CHECK(seen(text, "armvmm_mmio: vcpu 0, unsatisfied-read len 2 IPA 0x%x val 0x0",
		   DEV_BASE + 4));
	CHECK(seen(text, "armvmm_mmio: vcpu 0, read len 2 IPA 0x%x val 0xbeef", DEV_BASE + 4));
	CHECK(seen(text, "armvmm_irq_inject: vcpu -1, INTID 35, level 1"));
	CHECK(seen(text, "armvmm_irq_inject: vcpu 0, INTID 20, level 1"));
	CHECK(seen(text, "armvmm_user_exit: vcpu 0, exit reason %d, error 0", KVM_EXIT_MMIO));
	/* Also if the guest did not run. */
	CHECK(seen(text, "armvmm_user_exit: vcpu 0, exit reason %d, error %d", KVM_EXIT_MMIO,
		   -EINTR));
	if (getenv("TRACE_SHOW"))
		puts(text);
}

static const struct ktap_case cases[] = {
	{ "formats", formats, 0 },
	{ "events", events, 0 },
};
KTAP_MAIN(cases)

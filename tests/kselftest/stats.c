// SPDX-License-Identifier: GPL-2.0-only
/* KVM_GET_STATS_FD and the same counters in debugfs (docs/hazards.md 20 and 22). */
#define _FILE_OFFSET_BITS 64
#include "binstats.h"
#include "vm.h"

#include <limits.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define DEBUGFS		"/sys/kernel/debug/armvmm"

/*
 * r5 times each: PSCI_FEATURES (which the host answers) by hvc and by smc, PSCI_VERSION and ACTLR
 * (which HYP mode answers), GICD_TYPER, a write and a read of a device of the client's. Finally a
 * write.
 */
GUEST_CODE(work, "ldr r4, =DEV_BASE\n\tldr r7, =GICD_BASE\n"
	   "1:\tldr r0, =0x8400000a\n\tldr r1, =0x84000000\n\thvc #0\n\t"
	   "ldr r0, =0x84000000\n\thvc #0\n\tmrc p15, 0, r0, c1, c0, 1\n\t"
	   "ldr r0, [r7, #4]\n\tldr r0, =0x8400000a\n\tsmc #0\n\t"
	   "str r5, [r4]\n\tldr r0, [r4, #4]\n\tsubs r5, r5, #1\n\tbne 1b\n\t"
	   "str r5, [r4, #8]\n\tb .");
GUEST_CODE(spin, "ldr r1, =DEV_BASE\n\tstr r0, [r1]\n1:\tb 1b");
GUEST_CODE(wfi, "ldr r1, =DEV_BASE\n\tstr r0, [r1]\n1:\twfi\n\tb 1b");

static void capability(void)
{
	struct vm vm;
	int fd;

	vm_make(&vm, 1, 0);
	CHECK(ioctl(vm.sys, KVM_CHECK_EXTENSION, KVM_CAP_BINARY_STATS_FD) == 1);
	CHECK(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_BINARY_STATS_FD) == 1);
	CHECK_ERRNO(ioctl(vm.sys, KVM_GET_STATS_FD, 0), EINVAL);
	CHECK(ioctl(vm.gic, KVM_GET_STATS_FD, 0) == -1);
	fd = stats_fd(vm.fd);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
	fd = stats_fd(vm.vcpu[0].fd);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static bool all_zero(const char *from, const char *end)
{
	while (from < end)
		if (*from++)
			return false;
	return true;
}

/*
 * Every byte is accounted for: parts follow each other, and bytes behind a name are zero (item 20).
 */
static void check_layout(const struct image *im, const char *id)
{
	size_t desc_size = sizeof(struct kvm_stats_desc) + im->h.name_size, data_size;
	const char *p = im->data + im->h.id_offset;
	uint32_t next = 0;

	CHECK(im->h.flags == 0, "%x", im->h.flags);
	CHECK(im->h.id_offset == sizeof(im->h), "%u", im->h.id_offset);
	CHECK(im->h.desc_offset == im->h.id_offset + im->h.name_size, "%u", im->h.desc_offset);
	MUST(im->h.data_offset == im->h.desc_offset + im->h.num_desc * desc_size, "%u",
	     im->h.data_offset);
	CHECK(im->h.data_offset % 8 == 0, "%u", im->h.data_offset);
	CHECK(!strcmp(p, id), "%s, not %s", p, id);
	CHECK(all_zero(p + strlen(p), p + im->h.name_size), "after the id");
	data_size = (size_t)im->size - im->h.data_offset;

	for (unsigned int i = 0; i < im->h.num_desc; i++) {
		const struct kvm_stats_desc *d = desc_at(im, i);
		unsigned int type = d->flags & KVM_STATS_TYPE_MASK;

		p = d->name;
		MUST(memchr(p, 0, im->h.name_size) && *p, "descriptor %u has no name", i);
		CHECK(all_zero(p + strlen(p), p + im->h.name_size), "after %s", p);
		CHECK(d->flags < 1u << 12, "%s: flags %x", p, d->flags);
		CHECK(type <= KVM_STATS_TYPE_MAX, "%s: %x", p, d->flags);
		CHECK((d->flags & KVM_STATS_UNIT_MASK) <= KVM_STATS_UNIT_BOOLEAN, "%s", p);
		CHECK((d->flags & KVM_STATS_BASE_MASK) == KVM_STATS_BASE_POW10, "%s", p);
		CHECK(d->exponent == ((d->flags & KVM_STATS_UNIT_MASK) == KVM_STATS_UNIT_SECONDS ?
				      -9 : 0), "%s: exponent %d", p, d->exponent);
		CHECK(d->size == (type == KVM_STATS_TYPE_LOG_HIST ? 32 : 1), "%s: %u", p, d->size);
		CHECK(d->bucket_size == 0, "%s: %u", p, d->bucket_size);
		CHECK(d->offset == next, "%s at %u, not %u", p, d->offset, next);
		next = d->offset + 8 * d->size;
		for (unsigned int j = 0; j < i; j++)
			CHECK(strcmp(desc_at(im, j)->name, p), "%s is there twice", p);
	}
	CHECK(next == data_size, "descriptors end at %u, data at %zu", next, data_size);
}

static void layout(void)
{
	struct image im;
	struct vm vm;
	char id[64];

	vm_make(&vm, 0, VM_NO_GIC_INIT);
	vm_vcpu(&vm, 5, 0);
	image_read(&im, stats_fd(vm.fd));
	snprintf(id, sizeof(id), "kvm-%d", getpid());
	check_layout(&im, id);
	desc_find(&im, "remote_tlb_flush");
	image_read(&im, stats_fd(vm.vcpu[5].fd));
	snprintf(id, sizeof(id), "kvm-%d/vcpu-5", getpid());
	check_layout(&im, id);
	/* The counters that KVM/arm64 has, by the same names. */
	static const char *const names[] = {
		"exits", "hvc_exit_stat", "wfe_exit_stat", "wfi_exit_stat", "mmio_exit_user",
		"mmio_exit_kernel", "signal_exits", "halt_successful_poll",
		"halt_attempted_poll", "halt_wakeup", "halt_poll_success_ns",
		"halt_poll_fail_ns", "halt_wait_ns", "blocking", "halt_poll_success_hist",
		"halt_poll_fail_hist", "halt_wait_hist",
	};
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		desc_find(&im, names[i]);
	for (ssize_t at = (ssize_t)im.h.data_offset; at < im.size; at++)
		CHECK(!im.data[at], "a vCPU that never ran has counted at %zd", at);
}

/* A read of any part gives the same bytes as in the whole. */
static void partial_reads(void)
{
	static const size_t lens[] = { 1, 7, 24, 48, 64, 100, 4096 };
	char buf[8192];
	struct image im;
	struct vm vm;
	size_t sum = 0;
	ssize_t n;
	int fd;

	vm_make(&vm, 1, 0);
	fd = stats_fd(vm.vcpu[0].fd);
	image_read(&im, fd);
	for (ssize_t at = 0; at <= im.size; at += 13)
		for (unsigned int i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
			size_t want = (size_t)(im.size - at);

			want = want < lens[i] ? want : lens[i];
			memset(buf, 0x5a, sizeof(buf));
			n = pread(fd, buf, lens[i], at);
			MUST(n == (ssize_t)want, "%zu bytes at %zd: %zd", lens[i], at, n);
			MUST(!memcmp(buf, im.data + at, want), "%zu bytes at %zd", want, at);
			MUST((unsigned char)buf[want] == 0x5a, "more than %zu bytes", want);
		}
	CHECK(pread(fd, buf, 8, im.size) == 0);
	CHECK(pread(fd, buf, 8, im.size + 1) == 0);
	CHECK(pread(fd, buf, 8, LLONG_MAX - 8) == 0);
	CHECK(pread(fd, buf, 0, 0) == 0);
	/* read() continues where the last one ended, and pread() does not move that position. */
	while ((n = read(fd, buf, 100)) > 0) {
		MUST(!memcmp(buf, im.data + sum, (size_t)n), "at %zu", sum);
		sum += (size_t)n;
	}
	CHECK(n == 0 && sum == (size_t)im.size, "%zu of %zd", sum, im.size);
}

static void misuse(void)
{
	char *page = map_pages(8192), *volatile nowhere = NULL;
	struct kvm_stats_header h;
	struct vm vm;
	int fds[2];
	ssize_t n;

	munmap(page + 4096, 4096);
	vm_make(&vm, 1, 0);
	fds[0] = stats_fd(vm.fd);
	fds[1] = stats_fd(vm.vcpu[0].fd);
	for (int i = 0; i < 2; i++) {
		CHECK_ERRNO(pread(fds[i], page, 8, -1), EINVAL);
		CHECK_ERRNO(pread(fds[i], page, 8, LLONG_MIN), EINVAL);
		CHECK_ERRNO(pread(fds[i], nowhere, 64, 0), EFAULT);
		CHECK_ERRNO(pread(fds[i], (void *)0xc0008000, 64, 0), EFAULT);
		/* Reads the part that there is room for. */
		n = pread(fds[i], page + 4096 - 64, 100, 0);
		CHECK((n > 0 && n <= 64) || (n == -1 && errno == EFAULT), "%zd: %s", n,
		      strerror(errno));
		CHECK_ERRNO(write(fds[i], page, 8), EBADF);
		CHECK(pwrite(fds[i], page, 8, 0) == -1);
		CHECK_ERRNO(ioctl(fds[i], KVM_GET_STATS_FD, 0), ENOTTY);
		/* There is no position to seek to, whatever the kernel returns. */
		lseek(fds[i], 8, SEEK_SET);
		CHECK(read(fds[i], &h, sizeof(h)) == sizeof(h));
		CHECK(h.name_size == BINSTATS_NAME_SIZE, "%u", h.name_size);
		CHECK_ERRNO(ftruncate(fds[i], 0), EINVAL);
		CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fds[i], 0) == MAP_FAILED);
	}
}

static void no_fd_left(void)
{
	struct rlimit rl;
	struct vm vm;
	int next;

	vm_make(&vm, 1, 0);
	next = dup(vm.sys);
	close(next);
	rl.rlim_cur = (rlim_t)next;
	rl.rlim_max = (rlim_t)next + 8;
	MUST_OK(setrlimit(RLIMIT_NOFILE, &rl));
	for (int i = 0; i < 200; i++) {
		CHECK_ERRNO(ioctl(vm.fd, KVM_GET_STATS_FD, 0), EMFILE);
		CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_GET_STATS_FD, 0), EMFILE);
	}
}

/* Runs `work` in vCPU 0 @n times; any exit but those of the device is a failure. */
static void run_work(struct vm *vm, uint32_t n)
{
	struct kvm_run *run = vm->vcpu[0].run;

	VM_CODE(vm, 0, work);
	reg32_set(vm->vcpu[0].fd, REG_R(5), n);
	do {
		MUST(vm_run(vm, 0) == KVM_EXIT_MMIO, "exit reason %u", run->exit_reason);
	} while (run->mmio.phys_addr != DEV_BASE + 8);
}

/* @hyp: HYP mode may answer for the distributor. */
static void count_work(bool hyp)
{
	const struct { const char *name; uint64_t each, more; } exact[] = {
		{ "hvc_exit_stat", 1, 0 }, { "smc_exit_stat", 1, 0 }, { "hyp_hvc", 1, 0 },
		{ "hyp_cp15", 1, 0 }, { "mmio_exit_kernel", !hyp, 0 }, { "hyp_gicd", hyp, 0 },
		{ "hyp_sgi_kick", 0, 0 }, { "hyp_timer", 0, 0 }, { "hyp_mmio_read", 0, 0 },
		{ "hyp_mmio_write", 0, 0 }, { "mmio_exit_user", 2, 1 },
		{ "wfi_exit_stat", 0, 0 }, { "wfe_exit_stat", 0, 0 }, { "cp_exit_stat", 0, 0 },
		{ "undef_exit_stat", 0, 0 }, { "halt_wakeup", 0, 0 },
	};
	const uint64_t n = 37;
	struct image im;
	struct vm vm;
	int fd, fd1;

	vm_make(&vm, 2, 0);
	fd = stats_fd(vm.vcpu[0].fd);
	fd1 = stats_fd(vm.vcpu[1].fd);
	run_work(&vm, (uint32_t)n);
	image_read(&im, fd);
	for (unsigned int i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		CHECK(value_of(&im, exact[i].name, 0) == n * exact[i].each + exact[i].more,
		      "%s is %llu after %llu rounds", exact[i].name,
		      (unsigned long long)value_of(&im, exact[i].name, 0), (unsigned long long)n);
	/* What HYP mode answers does not count as an exit; interrupts of the host do. */
	CHECK(value_of(&im, "exits", 0) - value_of(&im, "irq_exits", 0) -
	      value_of(&im, "page_faults", 0) == (5 - hyp) * n + 1, "exits %llu, irq %llu, faults %llu",
	      (unsigned long long)value_of(&im, "exits", 0),
	      (unsigned long long)value_of(&im, "irq_exits", 0),
	      (unsigned long long)value_of(&im, "page_faults", 0));
	CHECK(value_of(&im, "page_faults", 0) >= 1 && value_of(&im, "page_faults", 0) < 8);
	/* Each vCPU has its own counters. */
	CHECK(stat_of(fd1, "exits") == 0);
	/* The guest's pages go: their entries leave the TLBs. */
	fd1 = stats_fd(vm.fd);
	CHECK_OK(mem_set(vm.fd, 0, 0, 0, 0, NULL));
	CHECK(stat_of(fd1, "remote_tlb_flush") >= 1);
	CHECK(stat_of(fd1, "remote_tlb_flush_requests") >= stat_of(fd1, "remote_tlb_flush"));
}

static void counting(void)
{
	param_set("hyp_dist", false);
	count_work(false);
	param_set("hyp_dist", true);
	count_work(true);
}

/* Sends SGI 3 to vCPU 1 and waits until that counts one more at r6; 64 times for each report. */
GUEST_CODE(caller, "ldr r1, =DEV_BASE\n\tldr r2, =GICD_BASE\n\tmov r0, #1\n\tstr r0, [r2]\n\t"
	   "add r4, r2, #0xf00\n\tldr r5, =0x20003\n\tmov r7, #64\n"
	   "1:\tldr r0, [r6]\n\tstr r5, [r4]\n2:\tldr r3, [r6]\n\tcmp r3, r0\n\tbeq 2b\n\t"
	   "subs r7, r7, #1\n\tbne 1b\n\tmov r7, #64\n\tstr r3, [r1]\n\tb 1b");
GUEST_CODE(called, "ldr r2, =GICC_BASE\n\tmov r0, #0xf0\n\tstr r0, [r2, #4]\n\tmov r0, #1\n\t"
	   "str r0, [r2]\n1:\tldr r0, [r2, #12]\n\tldr r3, =1023\n\tcmp r0, r3\n\tbeq 1b\n\t"
	   "str r0, [r2, #16]\n\tldr r3, [r6]\n\tadd r3, r3, #1\n\tstr r3, [r6]\n\tb 1b");

/* How many interrupts CPU 0 or 1 has taken: in the line with @name, or in all. */
static uint64_t irqs_of(unsigned int cpu, const char *name)
{
	FILE *f = fopen("/proc/interrupts", "r");
	unsigned long long on[2];
	uint64_t sum = 0;
	char line[1024];

	MUST(f, "/proc/interrupts: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " %*[^: ]: %llu %llu", &on[0], &on[1]) == 2 &&
		    (!name || strstr(line, name)))
			sum += on[cpu];
	fclose(f);
	return sum;
}

/* What a vCPU left its guest for, while it was bound to CPU @i. */
struct left {
	uint64_t irqs;		/* of all kinds */
	uint64_t kicks;		/* HYP mode's SGI */
	uint64_t vgic;		/* the maintenance interrupt */
	uint64_t exits;
};

static struct left left_now(int fd, unsigned int i)
{
	return (struct left){
		.irqs = irqs_of(i, NULL), .kicks = irqs_of(i, "IPI0:"),
		.vgic = irqs_of(i, "armvmm vgic"),
		.exits = stat_of(fd, "exits") - stat_of(fd, "page_faults") -
			 stat_of(fd, "mmio_exit_user"),
	};
}

/*
 * An SGI to a vCPU in its guest is sent from HYP mode, with no exit, and costs the receiver one: it
 * is kicked once at most, and nothing else makes it leave but the host's own interrupts, which are
 * as many as the host's speed makes them. A sender that finds the receiver outside leaves, too, to
 * have the host wake it.
 */
static void calling(void)
{
	struct left was[2], now[2];
	struct runner r[2];
	uint64_t sgis, kicks;
	struct vm vm;
	int fd[2];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		ktap_skip("one CPU runs one guest at a time");
	param_set("hyp_dist", true);
	vm_make(&vm, 2, 0);
	vm_vcpu_on(&vm, 1);
	VM_CODE(&vm, 0, caller);
	VM_CODE(&vm, 1, called);
	for (int i = 1; i >= 0; i--) {
		fd[i] = stats_fd(vm.vcpu[i].fd);
		reg32_set(vm.vcpu[i].fd, REG_R(6), (uint32_t)RAM_BASE + RAM_SIZE - PAGE);
		was[i] = left_now(fd[i], (unsigned int)i);
		cpu_bind((unsigned int)i);
		runner_start(&r[i], &vm, (unsigned int)i);
	}
	for (unsigned int n = 1; n <= 16; n++)
		MUST(runner_wait(&r[0], n, PATIENCE_MS), "an SGI is lost, after %u reports",
		     r[0].mmio);
	for (unsigned int i = 0; i < 2; i++) {
		runner_stop(&r[i]);
		CHECK(!r[i].error, "RUN: %d", r[i].error);
	}
	for (unsigned int i = 0; i < 2; i++) {
		struct left l = left_now(fd[i], i);

		now[i] = (struct left){ l.irqs - was[i].irqs, l.kicks - was[i].kicks,
					l.vgic - was[i].vgic, l.exits - was[i].exits };
		ktap_note("vCPU %u: %llu exits, %llu interrupts, of which %llu kicks and %llu vgic", i,
			  (unsigned long long)now[i].exits, (unsigned long long)now[i].irqs,
			  (unsigned long long)now[i].kicks, (unsigned long long)now[i].vgic);
	}
	sgis = 64 * (uint64_t)r[0].mmio;
	kicks = stat_of(fd[0], "hyp_sgi_kick");
	ktap_note("%llu SGIs, %llu kicks", (unsigned long long)sgis, (unsigned long long)kicks);
	CHECK(stat_of(fd[0], "hyp_gicd") >= sgis);
	CHECK(kicks >= sgis / 4);
	/* The one write of GICD_CTLR; and up to 63 SGIs since the last report. */
	CHECK(stat_of(fd[0], "mmio_exit_kernel") == 1, "%llu",
	      (unsigned long long)stat_of(fd[0], "mmio_exit_kernel"));
	CHECK(now[0].exits <= sgis + 63 - kicks + now[0].irqs - now[0].kicks + 1);
	/* The host uses IPI 0 for nothing while all its CPUs are on. */
	CHECK(now[1].kicks <= kicks);
	CHECK(now[1].vgic <= sgis / 16);
	CHECK(now[1].exits <= now[1].irqs);
}

/* A sleeping vCPU reports that it blocks, and for how long; and that a signal came. */
static void halting(void)
{
	struct runner r;
	struct image im;
	struct vm vm;
	uint64_t sum = 0, signals;
	int fd;

	vm_make(&vm, 1, 0);
	fd = stats_fd(vm.vcpu[0].fd);
	CHECK(!stat_of(fd, "blocking"));
	VM_CODE(&vm, 0, wfi);
	runner_start(&r, &vm, 0);
	MUST(runner_wait(&r, 1, PATIENCE_MS), "the guest does not run");
	CHECK(vcpu_blocks(&vm, 0), "a vCPU in WFI does not block");
	usleep(20000);
	runner_stop(&r);
	CHECK(!r.error, "RUN: %d", r.error);
	image_read(&im, fd);
	CHECK(!value_of(&im, "blocking", 0));
	CHECK(value_of(&im, "wfi_exit_stat", 0) >= 1);
	CHECK(value_of(&im, "halt_wakeup", 0) >= 1);
	CHECK(value_of(&im, "halt_wait_ns", 0) >= 15000000, "%llu ns",
	      (unsigned long long)value_of(&im, "halt_wait_ns", 0));
	CHECK(value_of(&im, "halt_attempted_poll", 0) >= value_of(&im, "halt_successful_poll", 0));
	for (unsigned int i = 0; i < 32; i++)
		sum += value_of(&im, "halt_wait_hist", i);
	CHECK(sum == value_of(&im, "halt_wakeup", 0), "%llu in the histogram",
	      (unsigned long long)sum);
	signals = value_of(&im, "signal_exits", 0);
	CHECK(signals >= 1, "%llu", (unsigned long long)signals);
}

static void *running_reader(void *arg)
{
	int *fd = arg;

	for (int i = 0; i < 2000; i++)
		if (!stat_of(*fd, "exits"))
			return NULL;
	return fd;
}

/* Two threads read at once while the vCPU runs: neither waits for it. */
static void while_running(void)
{
	pthread_t threads[2];
	struct runner r;
	struct vm vm;
	void *ret;
	int fd;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, spin);
	runner_start(&r, &vm, 0);
	MUST(runner_wait(&r, 1, PATIENCE_MS), "the guest does not run");
	fd = stats_fd(vm.vcpu[0].fd);
	for (int i = 0; i < 2; i++)
		MUST(!pthread_create(&threads[i], NULL, running_reader, &fd), "no thread");
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &ret);
		CHECK(ret == &fd, "a running vCPU that has no exits");
	}
	runner_stop(&r);
	CHECK(!r.error, "RUN: %d", r.error);
}

/* The VM stays as long as its counters are open, and so does the module (item 22). */
static void lifetime(void)
{
	struct image im;
	struct vm vm;
	char id[64];
	int fds[2];

	vm_make(&vm, 1, 0);
	run_work(&vm, 3);
	fds[0] = stats_fd(vm.vcpu[0].fd);
	fds[1] = stats_fd(vm.fd);
	vm_close(&vm);
	CHECK(stat_of(fds[0], "hvc_exit_stat") == 3);
	image_read(&im, fds[1]);
	snprintf(id, sizeof(id), "kvm-%d", getpid());
	check_layout(&im, id);
	CHECK_ERRNO(syscall(SYS_delete_module, "armvmm", O_NONBLOCK), EAGAIN);
	close(fds[1]);
	CHECK_ERRNO(syscall(SYS_delete_module, "armvmm", O_NONBLOCK), EAGAIN);
	CHECK(stat_of(fds[0], "hvc_exit_stat") == 3);
	close(fds[0]);
}

/* Only the owner may call the ioctl; everyone with the fd may read the counters. */
static void other_process(void)
{
	struct vm vm;
	int status, fd;
	pid_t pid;

	vm_make(&vm, 1, 0);
	run_work(&vm, 2);
	fd = stats_fd(vm.vcpu[0].fd);
	pid = fork();
	if (!pid) {
		int bad = 0;

		bad += !(ioctl(vm.fd, KVM_GET_STATS_FD, 0) == -1 && errno == EIO);
		bad += !(ioctl(vm.vcpu[0].fd, KVM_GET_STATS_FD, 0) == -1 && errno == EIO);
		bad += stat_of(fd, "hvc_exit_stat") != 2;
		_exit(bad);
	}
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "status %x", status);
}

static long long file_value(const char *dir, const char *name)
{
	long long v = -1;
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	MUST(f, "%s: %s", path, strerror(errno));
	MUST(fscanf(f, "%lld", &v) == 1, "%s holds no number", path);
	fclose(f);
	return v;
}

static int file_write(const char *dir, const char *name, const char *text)
{
	char path[256];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

/* Skips the case if the kernel was built without debugfs. */
static void needs_debugfs(void)
{
	char line[64];
	FILE *f = fopen("/proc/filesystems", "r");

	MUST(f, "/proc/filesystems: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "\tdebugfs\n")) {
			fclose(f);
			return;
		}
	ktap_skip("this kernel has no debugfs");
}

static void debugfs(void)
{
	char dir[64], path[128], text[2048];
	struct vm vm, other;
	size_t len;
	FILE *f;

	needs_debugfs();
	vm_make(&vm, 2, 0);
	vm_make(&other, 1, 0);
	run_work(&vm, 5);
	run_work(&other, 4);
	snprintf(dir, sizeof(dir), DEBUGFS "/%d-%d", getpid(), vm.fd);
	CHECK(file_value(dir, "hvc_exit_stat") == 5);
	CHECK(file_value(dir, "hyp_hvc") == 5);
	CHECK(file_value(dir, "exits") == (long long)stat_of(stats_fd(vm.vcpu[0].fd), "exits"));
	CHECK(file_value(DEBUGFS, "hvc_exit_stat") == 9, "%lld",
	      file_value(DEBUGFS, "hvc_exit_stat"));
	CHECK(file_value(dir, "remote_tlb_flush") >= 0);
	CHECK(file_value(dir, "blocking") == 0);
	/* All counters of one vCPU. */
	snprintf(path, sizeof(path), "%s/vcpu0/stats", dir);
	f = fopen(path, "r");
	MUST(f, "%s: %s", path, strerror(errno));
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = 0;
	fclose(f);
	CHECK(strstr(text, "\nhvc_exit_stat 5\n") && strstr(text, "\nhyp_cp15 5\n"), "%s", text);
	snprintf(path, sizeof(path), "%s/vcpu1/stats", dir);
	CHECK(!access(path, R_OK), "%s", path);
	snprintf(path, sizeof(path), "%s/vcpu2", dir);
	CHECK(access(path, R_OK), "%s", path);
	/* A counter can be set to 0, and to nothing else. */
	CHECK(file_write(dir, "hvc_exit_stat", "1") == EINVAL);
	CHECK(file_write(dir, "blocking", "0") != 0);
	CHECK(file_write(dir, "hvc_exit_stat", "0") == 0);
	CHECK(file_write(dir, "hyp_hvc", "0") == 0);
	CHECK(file_value(dir, "hvc_exit_stat") == 0 && file_value(dir, "hyp_hvc") == 0);
	CHECK(stat_of(stats_fd(vm.vcpu[0].fd), "hvc_exit_stat") == 0);
	CHECK(file_value(DEBUGFS, "hvc_exit_stat") == 4);
	CHECK(file_write(DEBUGFS, "hvc_exit_stat", "0") == 0);
	CHECK(stat_of(stats_fd(other.vcpu[0].fd), "hvc_exit_stat") == 0);
}

/*
 * The folder exists as long as the VM. A second VM of the same name has none, which does no harm.
 */
static void debugfs_folder(void)
{
	int sys, fd, vcpu, again;
	char dir[64];

	needs_debugfs();
	sys = sys_open();
	fd = vm_new(sys);
	snprintf(dir, sizeof(dir), DEBUGFS "/%d-%d", getpid(), fd);
	CHECK(!access(dir, F_OK), "%s", dir);
	vcpu = (int)MUST_OK(ioctl(fd, KVM_CREATE_VCPU, 0));
	close(fd);
	CHECK(!access(dir, F_OK), "%s went with the VM's fd", dir);
	again = vm_new(sys);
	MUST(again == fd, "fd %d, not %d", again, fd);
	MUST_OK(ioctl(again, KVM_CREATE_VCPU, 1));
	CHECK_OK(pread(stats_fd(again), dir, 8, 0));
	snprintf(dir, sizeof(dir), DEBUGFS "/%d-%d/vcpu1", getpid(), fd);
	CHECK(access(dir, F_OK), "%s is of another VM", dir);
	close(vcpu);
	snprintf(dir, sizeof(dir), DEBUGFS "/%d-%d", getpid(), fd);
	CHECK(access(dir, F_OK), "%s is left over", dir);
}

static const struct ktap_case cases[] = {
	{ "capability", capability, 0 },
	{ "layout", layout, 0 },
	{ "partial_reads", partial_reads, 0 },
	{ "misuse", misuse, 0 },
	{ "no_fd_left", no_fd_left, 0 },
	{ "counting", counting, 0 },
	{ "calling", calling, 0 },
	{ "halting", halting, 0 },
	{ "while_running", while_running, 0 },
	{ "lifetime", lifetime, 0 },
	{ "other_process", other_process, 0 },
	{ "debugfs", debugfs, 0 },
	{ "debugfs_folder", debugfs_folder, 0 },
};
KTAP_MAIN(cases)

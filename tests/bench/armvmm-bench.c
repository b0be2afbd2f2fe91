// SPDX-License-Identifier: GPL-2.0-only
/*
 * armvmm-bench: a minimal client of the ABI, which only runs the measuring
 * guest (guest.c). So the cost of an operation is the module's and, where user
 * space takes part, as little of user space as possible.
 *
 *   armvmm-bench [-d DEV] [-n COUNT] [-m TESTS] [-c VCPUS] [-r MIB] [-k ROUNDS] [-lopt]
 *                [-w soon|later] [-e N] [-z N] [-s N] [-a N] [-i N] [-g] GUEST
 *     -m  bit n: test n; by default all but ipi_pingpong_spin, which needs a CPU for each vCPU
 *     -k  runs each test this many times
 *     -p  populates RAM before the guest touches it
 *     -w  when vCPU 0 wakes the other one up on the same CPU, that runs at once, or when vCPU 0
 *         sleeps; otherwise the host's scheduler decides
 *     -l  logs the guest's writes, and prints what the host pays for each page that it wrote
 *         (TAKEN): when the log is read after test 16, and after 17, then with the guest's caches
 *         off; and when the memory slot is deleted
 *     -o  swaps out, after test 16, as many pages of the client's as the guest has written, and
 *         then the guest's, and prints what the host pays for each (TAKEN); needs swap to be on
 *     -t  prints a mark before and after each test, for QEMU's trace logs
 *   Numbers of objects that the VM has, to see which costs grow with them:
 *     -e  ioeventfds, at addresses below the one that is used
 *     -z  coalesced zones, likewise
 *     -s  memory slots besides that of RAM
 *     -a  resampling irqfds, each on a pin of its own
 *     -i  SPIs that are pending and that the guest never takes
 *     -g  every other one of these is of group 1, which the guest has enabled at the distributor
 *         alone
 *
 * In addition to the guest's output, it prints the time to register these objects (REGISTER), and
 * the exits of all vCPUs during each test (EXITS).
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <linux/armvmm.h>

#include "bench.h"

#define MAX_VCPUS	2

/* Tests of guest.c. */
#define TEST_FIRST_TOUCH	16
#define TEST_SECOND_TOUCH	17

#define SCTLR_C		(1u << 2)

struct vcpu {
	int fd;
	struct kvm_run *run;
	int stats;
	off_t exits;		/* offset of that counter in the stats */
};

/* Which of two vCPUs runs when one wakes the other up. */
enum wake {
	WAKE_ANY,
	WAKE_SOON,
	WAKE_LATER,
};

/* How many of each object the VM has. */
struct load {
	unsigned int events, zones, slots, resamplers, pending;
};

static struct {
	int vm;
	bool marks;
	bool log;
	bool out;		/* swaps out */
	char *touched;		/* what test 16 writes */
	size_t touched_size;	/* in bytes */
	unsigned int mb;	/* of RAM */
	unsigned int written;	/* pages, by the log's first reading */
	unsigned int vcpus;
	enum wake wake;
	uint64_t exits;		/* at the test's beginning */
	char *zap;		/* a page of RAM that the guest does not use */
	int line;		/* the irqfd of BENCH_LINE, or -1 */
	int edge;		/* that of BENCH_SPI */
	struct vcpu vcpu[MAX_VCPUS];
	uint32_t word;
	char text[256];
	size_t used;
} bench;

static int must(int r, const char *what)
{
	if (r < 0)
		err(1, "%s", what);
	return r;
}

static void put(const char *s, size_t n)
{
	while (n) {
		ssize_t w = write(STDOUT_FILENO, s, n);

		if (w < 0)
			err(1, "write");
		s += w;
		n -= (size_t)w;
	}
	if (bench.marks)
		tcdrain(STDOUT_FILENO);
}

static void spi(uint32_t level)
{
	struct kvm_irq_level l = {
		.irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | BENCH_SPI, .level = level,
	};

	must(ioctl(bench.vm, KVM_IRQ_LINE, &l), "KVM_IRQ_LINE");
}

/* Opens a vCPU's stats and finds the counter "exits" in them. */
static void stats_open(struct vcpu *v)
{
	struct kvm_stats_header h;
	char name[64];

	v->stats = ioctl(v->fd, KVM_GET_STATS_FD, NULL);
	if (v->stats < 0)
		return;
	if (pread(v->stats, &h, sizeof(h), 0) != sizeof(h) || h.name_size > sizeof(name))
		errx(1, "stats that cannot be read");
	for (unsigned int i = 0; i < h.num_desc; i++) {
		struct kvm_stats_desc d;
		off_t at = h.desc_offset + i * (sizeof(d) + h.name_size);
		off_t name_at = at + (off_t)sizeof(d);

		if (pread(v->stats, &d, sizeof(d), at) != sizeof(d) ||
		    pread(v->stats, name, h.name_size, name_at) < (ssize_t)h.name_size)
			errx(1, "stats that cannot be read");
		if (!strncmp(name, "exits", h.name_size)) {
			v->exits = h.data_offset + d.offset;
			return;
		}
	}
	close(v->stats);
	v->stats = -1;
}

static uint64_t exits(void)
{
	uint64_t n, sum = 0;

	for (unsigned int i = 0; i < bench.vcpus; i++)
		if (bench.vcpu[i].stats >= 0 &&
		    pread(bench.vcpu[i].stats, &n, sizeof(n), bench.vcpu[i].exits) == sizeof(n))
			sum += n;
	return sum;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void taken(const char *what, unsigned int n, uint64_t t)
{
	char line[96];

	if (n)
		put(line, (size_t)snprintf(line, sizeof(line), "TAKEN %s n=%u each=%llu\n", what, n,
					   (unsigned long long)(t / n)));
}

/* Sets SCTLR.C of vCPU 0, which is not in its guest. */
static void caches(bool on)
{
	uint32_t sctlr;
	struct kvm_one_reg reg = {
		.id = ARM_CP15_REG32(0, 1, 0, 0), .addr = (uintptr_t)&sctlr,
	};

	must(ioctl(bench.vcpu[0].fd, KVM_GET_ONE_REG, &reg), "KVM_GET_ONE_REG SCTLR");
	sctlr = on ? sctlr | SCTLR_C : sctlr & ~SCTLR_C;
	must(ioctl(bench.vcpu[0].fd, KVM_SET_ONE_REG, &reg), "KVM_SET_ONE_REG SCTLR");
}

/* Reads the log, which protects the pages again, and counts its bits. */
static unsigned int harvest(const char *what)
{
	static uint32_t bitmap[1 << 15];
	struct kvm_dirty_log log = { .dirty_bitmap = bitmap };
	unsigned int n = 0;
	uint64_t t = now();

	must(ioctl(bench.vm, KVM_GET_DIRTY_LOG, &log), "KVM_GET_DIRTY_LOG");
	t = now() - t;
	for (unsigned int i = 0; i < bench.mb * 256 / 32; i++)
		n += (unsigned int)__builtin_popcount(bitmap[i]);
	taken(what, n, t);
	return n;
}

/* The end of the VM: the guest is off, and has no more memory. */
static void teardown(void)
{
	struct kvm_userspace_memory_region none = { 0 };
	uint64_t t = now();

	must(ioctl(bench.vm, KVM_SET_USER_MEMORY_REGION, &none), "KVM_SET_USER_MEMORY_REGION");
	taken("teardown", bench.written, now() - t);
}

/* In pages. */
static unsigned int in_swap(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned int kb = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmSwap: %u", &kb);
	if (f)
		fclose(f);
	return kb / 4;
}

/*
 * Swaps out all. The host spares, once, what the guest has used since it asked the last time; so
 * the call that counts is the one that takes the pages.
 */
static void swap_out(const char *what, char *mem)
{
	unsigned int n = 0;

	for (int tries = 0; tries < 2 && !n; tries++) {
		unsigned int before = in_swap();
		uint64_t t = now();

		must(madvise(mem, bench.touched_size, MADV_PAGEOUT), "MADV_PAGEOUT");
		t = now() - t;
		n = in_swap() - before;
		taken(what, n, t);
	}
	if (n < bench.touched_size / 4096 / 10 * 9)
		errx(1, "%s: only %u pages were swapped out at once", what, n);
}

/* The client's pages have the same bytes as the guest's; the client alone has mapped them. */
static void swap_out_all(void)
{
	/* What swap itself allocates, it does in the first round. */
	for (int round = 0; round < 2; round++) {
		char *mem = mmap(NULL, bench.touched_size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (mem == MAP_FAILED)
			err(1, "mmap");
		memcpy(mem, bench.touched, bench.touched_size);
		swap_out(round ? "swap_client" : "swap_new", mem);
		munmap(mem, bench.touched_size);
	}
	swap_out("swap_guest", bench.touched);
}

static void mark(bool begin, unsigned int test)
{
	char line[64];

	if (bench.marks)
		put(line, (size_t)snprintf(line, sizeof(line), "MARK %s %u\n",
					   begin ? "begin" : "end", test));
	if (begin)
		bench.exits = exits();
	else
		put(line, (size_t)snprintf(line, sizeof(line), "EXITS %u %llu\n", test,
					   (unsigned long long)(exits() - bench.exits)));
	if (!begin && bench.out && test == TEST_FIRST_TOUCH)
		swap_out_all();
	if (begin || !bench.log)
		return;
	if (test == TEST_FIRST_TOUCH) {
		bench.written = harvest("harvest_on");
	} else if (test == TEST_SECOND_TOUCH) {
		caches(false);
		harvest("harvest_off");
		caches(true);
	}
}

static void device_write(uint64_t at, uint32_t v)
{

	switch (at) {
	case UART_BASE:
		bench.text[bench.used++] = (char)v;
		if (v == '\n' || bench.used == sizeof(bench.text)) {
			put(bench.text, bench.used);
			bench.used = 0;
		}
		break;
	case DEV_BASE + DEV_SPI:
		spi(1);
		spi(0);
		break;
	case DEV_BASE + DEV_MARK:
		mark(v & 0x100, v & 0xff);
		break;
	case DEV_BASE + DEV_ZAP:
		must(madvise(bench.zap, 4096, MADV_DONTNEED), "madvise");
		break;
	case DEV_BASE + DEV_LINE:
		must(eventfd_write(bench.line, 1), "eventfd");
		break;
	case DEV_BASE + DEV_PULSE:
		spi(1);
		break;
	case DEV_BASE + DEV_IRQFD:
		must(eventfd_write(bench.edge, 1), "eventfd");
		break;
	}
}

/* A thread of SCHED_BATCH that wakes up takes the CPU from no other one. */
static void set_policy(bool first)
{
	const struct sched_param param = { 0 };

	if (bench.wake == WAKE_ANY)
		return;
	if (bench.wake == WAKE_SOON && !first)
		must(setpriority(PRIO_PROCESS, (id_t)gettid(), -20), "setpriority");
	else
		must(sched_setscheduler(0, SCHED_BATCH, &param), "SCHED_BATCH");
}

static void *run(void *arg)
{
	struct vcpu *v = arg;
	struct kvm_run *r = v->run;

	set_policy(v == bench.vcpu);
	for (;;) {
		if (ioctl(v->fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR)
				continue;
			err(1, "KVM_RUN");
		}
		if (r->exit_reason == KVM_EXIT_MMIO) {
			if (r->mmio.is_write) {
				uint32_t val;

				memcpy(&val, r->mmio.data, 4);
				device_write(r->mmio.phys_addr, val);
			} else {
				memcpy(r->mmio.data, &bench.word, 4);
				bench.word++;
			}
		} else if (r->exit_reason == KVM_EXIT_SYSTEM_EVENT) {
			if (bench.log)
				teardown();
			return NULL;
		} else if (r->exit_reason != KVM_EXIT_INTR) {
			errx(1, "exit reason %u", r->exit_reason);
		}
	}
}

static void attr(int fd, uint32_t group, uint64_t a, void *val, const char *what)
{
	struct kvm_device_attr d = { .group = group, .attr = a, .addr = (uintptr_t)val };

	must(ioctl(fd, KVM_SET_DEVICE_ATTR, &d), what);
}

static char *make_ram(unsigned int mb, bool present, const char *guest, struct bench_args **args)
{
	size_t size = (size_t)mb << 20;
	char *ram = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | (present ? MAP_POPULATE : 0), -1, 0);
	struct kvm_userspace_memory_region r = {
		.guest_phys_addr = RAM_BASE, .memory_size = size, .userspace_addr = (uintptr_t)ram,
		.flags = bench.log ? KVM_MEM_LOG_DIRTY_PAGES : 0,
	};
	char *img = ram + (LOAD_ADDR - RAM_BASE);
	int fd = open(guest, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (ram == MAP_FAILED)
		err(1, "no memory for a guest of %u MiB", mb);
	n = fd < 0 ? -1 : read(fd, img, 1 << 20);
	if (n < 0)
		err(1, "%s", guest);
	close(fd);
	*args = (struct bench_args *)(img + ARGS_OFFSET);
	if ((size_t)n < ARGS_OFFSET + sizeof(**args) || (*args)->magic != ARGS_MAGIC)
		errx(1, "%s: is not the benchmark's guest", guest);
	must(ioctl(bench.vm, KVM_SET_USER_MEMORY_REGION, &r), "KVM_SET_USER_MEMORY_REGION");
	__builtin___clear_cache(img, img + n);
	/* Below the memory of the first-touch test, and above the guest's image. */
	bench.zap = ram + (TOUCH_BASE - RAM_BASE) - 4096;
	return ram;
}

static void make_vcpus(unsigned int n, size_t run_size)
{
	struct kvm_vcpu_init pref;

	must(ioctl(bench.vm, KVM_ARM_PREFERRED_TARGET, &pref), "KVM_ARM_PREFERRED_TARGET");
	for (unsigned int i = 0; i < n; i++) {
		struct vcpu *v = &bench.vcpu[i];
		struct kvm_vcpu_init init = { .target = pref.target };

		v->fd = must(ioctl(bench.vm, KVM_CREATE_VCPU, i), "KVM_CREATE_VCPU");
		v->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
		if (v->run == MAP_FAILED)
			err(1, "mmap of a vCPU");
		init.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2;
		if (i)
			init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
		must(ioctl(v->fd, KVM_ARM_VCPU_INIT, &init), "KVM_ARM_VCPU_INIT");
		stats_open(v);
	}
	bench.vcpus = n;
}

static int event_at(uint64_t addr, int fd)
{
	struct kvm_ioeventfd event = { .addr = addr, .len = 4, .fd = fd };

	return ioctl(bench.vm, KVM_IOEVENTFD, &event);
}

static int irqfd(unsigned int spi, int fd)
{
	struct kvm_irqfd i = { .fd = (uint32_t)fd, .gsi = spi - 32 };

	return ioctl(bench.vm, KVM_IRQFD, &i);
}

static int resampler(unsigned int spi, int fd, int ended)
{
	struct kvm_irqfd i = {
		.fd = (uint32_t)fd, .gsi = spi - 32, .flags = KVM_IRQFD_FLAG_RESAMPLE,
		.resamplefd = (uint32_t)ended,
	};

	return ioctl(bench.vm, KVM_IRQFD, &i);
}

static void register_event(unsigned int i, int fd)
{
	must(event_at(DEV_BASE - 0x100000 + 8 * i, fd), "KVM_IOEVENTFD");
}

static void register_zone(unsigned int i, int fd)
{
	struct kvm_coalesced_mmio_zone z = {
		.addr = DEV_BASE - 0x200000 + 0x100 * i, .size = 0x80,
	};

	(void)fd;
	must(ioctl(bench.vm, KVM_REGISTER_COALESCED_MMIO, &z), "KVM_REGISTER_COALESCED_MMIO");
}

/* Slots of one page each, with a gap of a page between two, where the guest never looks. */
static void register_slot(unsigned int i, int fd)
{
	static char *mem;
	struct kvm_userspace_memory_region r = {
		.slot = i + 1, .guest_phys_addr = 0x20000000 + 0x2000 * i, .memory_size = 4096,
	};

	(void)fd;
	if (!mem)
		mem = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);
	if (mem == MAP_FAILED)
		err(1, "mmap");
	r.userspace_addr = (uintptr_t)(mem + 0x2000 * i);
	must(ioctl(bench.vm, KVM_SET_USER_MEMORY_REGION, &r), "KVM_SET_USER_MEMORY_REGION");
}

static void register_resampler(unsigned int i, int fd)
{
	must(resampler(1019 - i, must(eventfd(0, EFD_NONBLOCK), "eventfd"), fd), "KVM_IRQFD");
}

/* Registers @n objects of a kind, and prints the time for each. */
static void register_all(const char *what, unsigned int n, void (*one)(unsigned int i, int fd))
{
	int fd = must(eventfd(0, EFD_NONBLOCK), "eventfd");
	uint64_t t = now();
	char line[96];

	if (!n)
		return;
	for (unsigned int i = 0; i < n; i++)
		one(i, fd);
	t = now() - t;
	put(line, (size_t)snprintf(line, sizeof(line), "REGISTER %s n=%u each=%llu\n", what, n,
				   (unsigned long long)(t / n)));
}

int main(int argc, char **argv)
{
	unsigned int count = 10000, tests = 0x7ffff, vcpus = 1, mb = 128, rounds = 1;
	struct kvm_create_device gic = { .type = KVM_DEV_TYPE_ARM_VGIC_V2 };
	struct rlimit files = { 4096, 4096 };
	struct load load = { 0 };
	struct kvm_one_reg reg;
	const char *dev = ARMVMM_DEVICE;
	uint64_t dist = GICD_BASE, cpu = GICC_BASE;
	uint32_t irqs = 128, pc = LOAD_ADDR;
	struct bench_args *args;
	bool present = false, groups = false;
	size_t run_size;
	pthread_t t;
	int c, sys;
	char *ram;

	while ((c = getopt(argc, argv, "d:n:m:c:r:k:w:lopte:z:s:a:i:g")) != -1) {
		switch (c) {
		case 'd': dev = optarg; break;
		case 'n': count = strtoul(optarg, NULL, 0); break;
		case 'm': tests = strtoul(optarg, NULL, 0); break;
		case 'c': vcpus = strtoul(optarg, NULL, 0); break;
		case 'r': mb = strtoul(optarg, NULL, 0); break;
		case 'k': rounds = strtoul(optarg, NULL, 0); break;
		case 'w':
			bench.wake = !strcmp(optarg, "soon") ? WAKE_SOON :
				     !strcmp(optarg, "later") ? WAKE_LATER : WAKE_ANY;
			if (bench.wake == WAKE_ANY)
				goto usage;
			break;
		case 'e': load.events = strtoul(optarg, NULL, 0); break;
		case 'z': load.zones = strtoul(optarg, NULL, 0); break;
		case 's': load.slots = strtoul(optarg, NULL, 0); break;
		case 'a': load.resamplers = strtoul(optarg, NULL, 0); break;
		case 'i': load.pending = strtoul(optarg, NULL, 0); break;
		case 'g': groups = true; break;
		case 'l': bench.log = true; break;
		case 'o': bench.out = true; break;
		case 'p': present = true; break;
		case 't': bench.marks = true; break;
		default: goto usage;
		}
	}
	if (optind != argc - 1 || !count || !vcpus || vcpus > MAX_VCPUS || mb < 64 || mb > 4096 ||
	    !rounds)
		goto usage;
	bench.mb = mb;
	if (load.resamplers || load.pending)
		irqs = 1024;
	setrlimit(RLIMIT_NOFILE, &files);

	sys = open(dev, O_RDWR | O_CLOEXEC);
	if (sys < 0)
		err(1, "%s", dev);
	run_size = (size_t)must(ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	bench.vm = must(ioctl(sys, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	ram = make_ram(mb, present, argv[optind], &args);
	must(ioctl(bench.vm, KVM_CREATE_DEVICE, &gic), "KVM_CREATE_DEVICE");
	attr((int)gic.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_DIST, &dist, "GICD");
	attr((int)gic.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_CPU, &cpu, "GICC");
	make_vcpus(vcpus, run_size);
	attr((int)gic.fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &irqs, "NR_IRQS");
	attr((int)gic.fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL, "INIT");
	reg.id = KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_CORE | 15;
	reg.addr = (uintptr_t)&pc;
	must(ioctl(bench.vcpu[0].fd, KVM_SET_ONE_REG, &reg), "KVM_SET_ONE_REG");

	args->count = count;
	args->tests = tests;
	args->cpus = vcpus;
	args->ram_mb = mb;
	args->pending = load.pending;
	args->rounds = rounds;
	args->flags = ARGS_CLIENT | (groups ? ARGS_GROUPS : 0);
	bench.touched = ram + (TOUCH_BASE - RAM_BASE);
	bench.touched_size = ((size_t)mb << 20) - (TOUCH_BASE - RAM_BASE);
	if (count < bench.touched_size / 4096)
		bench.touched_size = (size_t)count * 4096;
	register_all("ioeventfd", load.events, register_event);
	register_all("zone", load.zones, register_zone);
	register_all("slot", load.slots, register_slot);
	register_all("resampler", load.resamplers, register_resampler);
	if (!event_at(DEV_BASE + DEV_EVENT, eventfd(0, EFD_NONBLOCK)))
		args->flags |= ARGS_EVENT;
	bench.line = eventfd(0, EFD_NONBLOCK);
	if (!resampler(BENCH_LINE, bench.line, eventfd(0, EFD_NONBLOCK)))
		args->flags |= ARGS_LINE;
	bench.edge = eventfd(0, EFD_NONBLOCK);
	if (!irqfd(BENCH_SPI, bench.edge))
		args->flags |= ARGS_IRQFD;
	for (unsigned int i = 1; i < vcpus; i++)
		if (pthread_create(&t, NULL, run, &bench.vcpu[i]))
			errx(1, "no thread");
	run(&bench.vcpu[0]);
	return 0;
usage:
	fprintf(stderr, "usage: armvmm-bench [-d DEV] [-n COUNT] [-m TESTS] [-c VCPUS] [-r MIB] [-k ROUNDS] [-lopt]\n"
		"                    [-w soon|later] [-e N] [-z N] [-s N] [-a N] [-i N] [-g] GUEST\n");
	return 2;
}

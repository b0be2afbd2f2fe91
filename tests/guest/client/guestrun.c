// SPDX-License-Identifier: GPL-2.0-only
/*
 * guestrun: runs one bare-metal guest on /dev/armvmm and passes its KTAP on.
 *
 * The machine is a vGICv2, RAM, the PL011's data register and a test device
 * (param.h). Exit status: 0 all passed, 1 a failure, 4 no device to run on.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guestrun.h"

struct options opt = {
	.dev = ARMVMM_DEVICE, .ncpus = 1, .ram_mb = 64, .nr_irqs = 256, .seconds = 60,
};

int vm_fd;
char *ram;
struct vcpu vcpus[GUEST_MAX_CPUS];
static size_t run_size;
static struct kvm_vcpu_init preferred;

static pthread_mutex_t end_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t end_cond = PTHREAD_COND_INITIALIZER;
static volatile int ended;		/* as end_with() has it */
static volatile bool stop_helpers, fp_bad;

void bail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("\nBail out! ");
	vprintf(fmt, ap);
	printf("\n");
	fflush(stdout);
	va_end(ap);
	_exit(1);
}

static int must(int r, const char *what)
{
	if (r < 0)
		bail("%s: %s", what, strerror(errno));
	return r;
}

void end_with(int how)
{
	pthread_mutex_lock(&end_lock);
	if (!ended)
		ended = how;
	pthread_cond_broadcast(&end_cond);
	pthread_mutex_unlock(&end_lock);
}

int one_reg(int fd, unsigned long req, uint64_t id, void *val)
{
	struct kvm_one_reg r = { .id = id, .addr = (uintptr_t)val };

	return ioctl(fd, req, &r);
}

/* ---- vCPUs ---- */
static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void vcpu_init(struct vcpu *v)
{
	struct kvm_vcpu_init init = preferred;
	uint32_t pc = LOAD_ADDR;

	if (!opt.no_psci)
		init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (opt.pmu)
		init.features[0] |= 1u << KVM_ARM_VCPU_PMU_V3;
	if (v->index)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	must(ioctl(v->fd, KVM_ARM_VCPU_INIT, &init), "KVM_ARM_VCPU_INIT");
	if (!v->index)
		must(one_reg(v->fd, KVM_SET_ONE_REG, KVM_REG_ARM | KVM_REG_SIZE_U32 |
			     KVM_REG_ARM_CORE | 15, &pc), "KVM_SET_ONE_REG PC");
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	struct kvm_run *run = v->run;

	if (opt.shared)
		pin(0);
	while (!ended) {
		if (ioctl(v->fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR) {
				run->immediate_exit = 0;
				continue;
			}
			printf("# vCPU %u: KVM_RUN: %s (exit reason %u)\n", v->index,
			       strerror(errno), run->exit_reason);
			end_with(3);
			break;
		}
		switch (run->exit_reason) {
		case KVM_EXIT_MMIO:
			testdev_mmio(v);
			break;
		case KVM_EXIT_INTR:
			break;
		case KVM_EXIT_SYSTEM_EVENT:
			if (run->system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN) {
				end_with(1);
			} else if (run->system_event.type == KVM_SYSTEM_EVENT_RESET) {
				end_with(2);
			} else {
				printf("# system event %u\n", run->system_event.type);
				end_with(3);
			}
			break;
		default:
			printf("# vCPU %u: exit reason %u, suberror %u\n", v->index,
			       run->exit_reason, run->internal.suberror);
			end_with(3);
		}
	}
	return NULL;
}

static void on_signal(int sig)
{
	(void)sig;
}

/* Kicks vCPUs out of RUN again and again, by signal and by immediate_exit. */
static void *storm_main(void *arg)
{
	unsigned int n = 0;

	(void)arg;
	while (!stop_helpers) {
		struct vcpu *v = &vcpus[n % opt.ncpus];

		if (n++ & 1)
			v->run->immediate_exit = 1;
		pthread_kill(v->thread, SIGUSR1);
		usleep(300);
	}
	return NULL;
}

/* Moves vCPU threads from one physical CPU to the next, and the next. */
static void *move_main(void *arg)
{
	unsigned int n = 0, cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);

	(void)arg;
	while (!stop_helpers) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(n / opt.ncpus % cpus, &set);
		pthread_setaffinity_np(vcpus[n % opt.ncpus].thread, sizeof(set), &set);
		n++;
		usleep(1500);
	}
	return NULL;
}

/* The host's FP registers must stay its own, whatever guests do (docs/hazards.md 23). */
static void *fp_main(void *arg)
{
	uint64_t in[32], out[32];
	uint32_t fpscr, n = (uint32_t)(uintptr_t)arg;

	while (!stop_helpers) {
		for (int i = 0; i < 32; i++)
			in[i] = (uint64_t)(n * 2654435761u) << 32 | (n ^ (unsigned int)i << 24);
		n++;
		asm volatile(".fpu neon-vfpv4\n\t"
			     "vldm %1, {d0-d15}\n\t"
			     "add r3, %1, #128\n\tvldm r3, {d16-d31}\n\t"
			     "movw r3, #0\n\tmovt r3, #0x0840\n\tvmsr fpscr, r3\n\t"
			     "mov r3, #20000\n"
			     "1:\tsubs r3, r3, #1\n\tbne 1b\n\t"
			     "vmrs %0, fpscr\n\t"
			     "vstm %2, {d0-d15}\n\t"
			     "add r3, %2, #128\n\tvstm r3, {d16-d31}\n\t"
			     "mov r3, #0\n\tvmsr fpscr, r3"
			     : "=&r"(fpscr) : "r"(in), "r"(out)
			     : "r3", "cc", "memory", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7",
			       "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15", "d16", "d17",
			       "d18", "d19", "d20", "d21", "d22", "d23", "d24", "d25", "d26", "d27",
			       "d28", "d29", "d30", "d31");
		if (memcmp(in, out, sizeof(in)) || (fpscr & 0x0fffffff) != 0x08400000)
			fp_bad = true;
	}
	return NULL;
}

/* ---- the machine ---- */
static void load_image(unsigned int boots, const struct guest_param *keep)
{
	char *img = ram + (LOAD_ADDR - RAM_BASE);
	struct guest_param *p = (struct guest_param *)(img + PARAM_OFFSET);
	int fd = open(opt.image, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		bail("%s: %s", opt.image, strerror(errno));
	if (st.st_size > FRESH_BASE - LOAD_ADDR || read(fd, img, st.st_size) != st.st_size)
		bail("%s: cannot be read as a guest", opt.image);
	close(fd);
	if (p->magic != PARAM_MAGIC)
		bail("%s: is no guest of this client", opt.image);
	p->flags = PARAM_VM | (opt.shared ? PARAM_SHARED : 0) | (opt.pmu ? PARAM_PMU : 0);
	if (opt.ncpus > 4) {
		uint32_t mpidr = 0;

		must(one_reg(vcpus[4].fd, KVM_GET_ONE_REG, ARM_CP15_REG32(0, 0, 0, 5), &mpidr),
		     "KVM_GET_ONE_REG MPIDR");
		if ((mpidr & 0xffff) == 0x100)
			p->flags |= PARAM_CLUSTERS;
	}
	p->ncpus = opt.ncpus;
	p->ram_mb = opt.ram_mb;
	p->nr_irqs = opt.nr_irqs;
	p->boots = boots;
	if (keep) {
		p->tests = keep->tests;
		p->failed = keep->failed;
	}
	memcpy(p->arg, opt.arg, sizeof(p->arg));
	__builtin___clear_cache(img, img + st.st_size);
}

static void set_attr(int fd, uint32_t group, uint64_t attr, void *val, const char *what)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)val };

	must(ioctl(fd, KVM_SET_DEVICE_ATTR, &a), what);
}

static void create_machine(void)
{
	struct kvm_create_device gic = { .type = KVM_DEV_TYPE_ARM_VGIC_V2 };
	struct kvm_userspace_memory_region mr = { 0 };
	uint64_t dist = GICD_BASE, cpu = GICC_BASE;
	size_t size = (size_t)opt.ram_mb << 20;
	uint32_t nr_irqs = opt.nr_irqs;
	int sys = open(opt.dev, O_RDWR | O_CLOEXEC);

	if (sys < 0) {
		printf("TAP version 13\n1..0 # SKIP %s: %s\n", opt.dev, strerror(errno));
		exit(4);
	}
	if (ioctl(sys, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		bail("%s speaks another API version", opt.dev);
	run_size = must(ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	vm_fd = must(ioctl(sys, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED)
		bail("no memory for a guest of %u MiB", opt.ram_mb);
	mr.guest_phys_addr = RAM_BASE;
	mr.memory_size = size;
	mr.userspace_addr = (uintptr_t)ram;
	must(ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &mr), "KVM_SET_USER_MEMORY_REGION");
	must(ioctl(vm_fd, KVM_CREATE_DEVICE, &gic), "KVM_CREATE_DEVICE");
	set_attr(gic.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_DIST, &dist, "GICD");
	set_attr(gic.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_CPU, &cpu, "GICC");
	set_attr(gic.fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs, "NR_IRQS");
	must(ioctl(vm_fd, KVM_ARM_PREFERRED_TARGET, &preferred), "KVM_ARM_PREFERRED_TARGET");
	for (unsigned int i = 0; i < opt.ncpus; i++) {
		struct vcpu *v = &vcpus[i];

		v->index = i;
		v->fd = must(ioctl(vm_fd, KVM_CREATE_VCPU, i), "KVM_CREATE_VCPU");
		v->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
		if (v->run == MAP_FAILED)
			bail("mmap of vCPU %u: %s", i, strerror(errno));
	}
	/* At reset ACTLR and L2CTLR count the vCPUs, so all must exist first. */
	for (unsigned int i = 0; i < opt.ncpus; i++)
		vcpu_init(&vcpus[i]);
	set_attr(gic.fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL, "INIT");
	for (unsigned int i = 0; opt.pmu && i < opt.ncpus; i++) {
		int irq = PMU_IRQ;

		set_attr(vcpus[i].fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_IRQ, &irq,
			 "PMU_V3_IRQ");
		set_attr(vcpus[i].fd, KVM_ARM_VCPU_PMU_V3_CTRL, KVM_ARM_VCPU_PMU_V3_INIT, NULL,
			 "PMU_V3_INIT");
	}
}

static void say_where(void)
{
	for (unsigned int i = 0; i < opt.ncpus; i++) {
		uint32_t pc = 0, cpsr = 0;

		one_reg(vcpus[i].fd, KVM_GET_ONE_REG, KVM_REG_ARM | KVM_REG_SIZE_U32 |
			KVM_REG_ARM_CORE | 15, &pc);
		one_reg(vcpus[i].fd, KVM_GET_ONE_REG, KVM_REG_ARM | KVM_REG_SIZE_U32 |
			KVM_REG_ARM_CORE | 16, &cpsr);
		printf("# vCPU %u: pc %08x cpsr %08x\n", i, pc, cpsr);
	}
}

/* Runs the guest until it ends or time is up. Returns 0 if time is up. */
static int run_machine(void)
{
	pthread_t storm, move, fp[2];
	struct timespec until;
	int how;

	stop_helpers = false;
	ended = 0;
	for (unsigned int i = 0; i < opt.ncpus; i++) {
		vcpus[i].run->immediate_exit = 0;
		if (pthread_create(&vcpus[i].thread, NULL, vcpu_main, &vcpus[i]))
			bail("pthread_create");
	}
	if (opt.storm && pthread_create(&storm, NULL, storm_main, NULL))
		bail("pthread_create");
	if (opt.move && pthread_create(&move, NULL, move_main, NULL))
		bail("pthread_create");
	for (uintptr_t i = 0; opt.fp && i < 2; i++)
		if (pthread_create(&fp[i], NULL, fp_main, (void *)i))
			bail("pthread_create");

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += opt.seconds;
	pthread_mutex_lock(&end_lock);
	while (!ended && pthread_cond_timedwait(&end_cond, &end_lock, &until) != ETIMEDOUT)
		;
	how = ended;
	ended = how ? how : 3;
	pthread_mutex_unlock(&end_lock);

	stop_helpers = true;
	if (opt.storm)
		pthread_join(storm, NULL);
	if (opt.move)
		pthread_join(move, NULL);
	for (int i = 0; opt.fp && i < 2; i++)
		pthread_join(fp[i], NULL);
	for (unsigned int i = 0; i < opt.ncpus; i++) {
		vcpus[i].run->immediate_exit = 1;
		pthread_kill(vcpus[i].thread, SIGUSR1);
		pthread_join(vcpus[i].thread, NULL);
	}
	if (!how) {
		/* tests/run repeats, alone, a test that failed only by its timing. */
		printf("# timing: the guest did not end in its time\n");
		say_where();
	}
	return how;
}

static void usage(void)
{
	fprintf(stderr, "usage: guestrun [-d DEV] [-n CPUS] [-m MIB] [-i IRQS] [-t SECONDS] [-cfgkprsz] GUEST [ARG...]\n"
		"  -c  all vCPUs on one physical CPU   -f  threads that use FP meanwhile\n"
		"  -g  threads go from CPU to CPU      -p  the vCPUs have a PMU\n"
		"  -k  signals all the time            -r  the guest may reset\n"
		"  -s  what the vCPUs counted, at the end\n"
		"  -z  PSCI 0.1\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+d:n:m:i:t:cfgkprsz")) != -1) {
		switch (c) {
		case 'd': opt.dev = optarg; break;
		case 'n': opt.ncpus = strtoul(optarg, NULL, 0); break;
		case 'm': opt.ram_mb = strtoul(optarg, NULL, 0); break;
		case 'i': opt.nr_irqs = strtoul(optarg, NULL, 0); break;
		case 't': opt.seconds = strtoul(optarg, NULL, 0); break;
		case 'c': opt.shared = true; break;
		case 'f': opt.fp = true; break;
		case 'g': opt.move = true; break;
		case 'k': opt.storm = true; break;
		case 'p': opt.pmu = true; break;
		case 'r': opt.reset = true; break;
		case 's': opt.counts = true; break;
		case 'z': opt.no_psci = true; break;
		default: usage();
		}
	}
	if (optind >= argc || !opt.ncpus || opt.ncpus > GUEST_MAX_CPUS || opt.ram_mb < 32 ||
	    opt.ram_mb > 1024)
		usage();
	opt.image = argv[optind++];
	for (unsigned int i = 0; i < 4 && optind < argc; i++)
		opt.arg[i] = strtoul(argv[optind++], NULL, 0);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	const struct guest_param *p;
	unsigned int boots = 0;
	int how;

	parse(argc, argv);
	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGCHLD, &sa, NULL);
	create_machine();
	p = (const struct guest_param *)(ram + (LOAD_ADDR - RAM_BASE) + PARAM_OFFSET);
	load_image(0, NULL);
	for (;;) {
		struct guest_param kept;

		how = run_machine();
		if (how != 2 || !opt.reset || boots > 8)
			break;
		kept = *p;
		for (unsigned int i = 0; i < opt.ncpus; i++)
			vcpu_init(&vcpus[i]);
		load_image(++boots, &kept);
	}
	if (opt.counts)
		counts_print();
	if (!how)
		bail("%s: not done after %u s, %u results so far", opt.image, opt.seconds, p->tests);
	if (how != 1)
		bail("%s: ended by %s", opt.image, how == 2 ? "a reset" : "an error");
	if (testdev_result() < 0)
		bail("%s: gave no result", opt.image);
	if (fp_bad)
		bail("the host lost FP registers of its own");
	return testdev_result() ? 1 : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * armvmm-bench: a client of the ABI that does nothing but run the guest which
 * measures (guest.c), so that what an operation costs is the module's doing
 * and, where user space takes part, as little of user space as can be.
 *
 *   armvmm-bench [-d DEV] [-n COUNT] [-m TESTS] [-c VCPUS] [-r MIB] [-p] [-t] GUEST
 *     -m  bit n: test n; all but ipi_pingpong_spin, which needs a CPU for each vCPU
 *     -p  RAM is present before the guest touches it
 *     -t  marks around each test, for QEMU's trace logs
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include <linux/armvmm.h>

#include "bench.h"

#define MAX_VCPUS	2

struct vcpu {
	int fd;
	struct kvm_run *run;
};

static struct {
	int vm;
	bool marks;
	struct vcpu vcpu[MAX_VCPUS];
	uint32_t word;
	char line[256];
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

static void device_write(uint64_t at, uint32_t v)
{
	char mark[32];

	switch (at) {
	case UART_BASE:
		bench.line[bench.used++] = (char)v;
		if (v == '\n' || bench.used == sizeof(bench.line)) {
			put(bench.line, bench.used);
			bench.used = 0;
		}
		break;
	case DEV_BASE + DEV_SPI:
		spi(1);
		spi(0);
		break;
	case DEV_BASE + DEV_MARK:
		put(mark, (size_t)snprintf(mark, sizeof(mark), "MARK %s %u\n",
					   v & 0x100 ? "begin" : "end", v & 0xff));
		break;
	}
}

static void *run(void *arg)
{
	struct vcpu *v = arg;
	struct kvm_run *r = v->run;

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
	}
}

int main(int argc, char **argv)
{
	unsigned int count = 10000, tests = 0x7ffff, vcpus = 1, mb = 128;
	struct kvm_create_device gic = { .type = KVM_DEV_TYPE_ARM_VGIC_V2 };
	struct kvm_ioeventfd event = { .addr = DEV_BASE + DEV_EVENT, .len = 4 };
	struct kvm_one_reg reg;
	const char *dev = ARMVMM_DEVICE;
	uint64_t dist = GICD_BASE, cpu = GICC_BASE;
	uint32_t irqs = 128, pc = LOAD_ADDR;
	struct bench_args *args;
	bool present = false;
	size_t run_size;
	pthread_t t;
	int c, sys;

	while ((c = getopt(argc, argv, "d:n:m:c:r:pt")) != -1) {
		switch (c) {
		case 'd': dev = optarg; break;
		case 'n': count = strtoul(optarg, NULL, 0); break;
		case 'm': tests = strtoul(optarg, NULL, 0); break;
		case 'c': vcpus = strtoul(optarg, NULL, 0); break;
		case 'r': mb = strtoul(optarg, NULL, 0); break;
		case 'p': present = true; break;
		case 't': bench.marks = true; break;
		default: goto usage;
		}
	}
	if (optind != argc - 1 || !count || !vcpus || vcpus > MAX_VCPUS || mb < 64)
		goto usage;

	sys = open(dev, O_RDWR | O_CLOEXEC);
	if (sys < 0)
		err(1, "%s", dev);
	run_size = (size_t)must(ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	bench.vm = must(ioctl(sys, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	make_ram(mb, present, argv[optind], &args);
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
	args->flags = ARGS_CLIENT | (bench.marks ? ARGS_MARKS : 0);
	event.fd = eventfd(0, EFD_NONBLOCK);
	if (!ioctl(bench.vm, KVM_IOEVENTFD, &event))
		args->flags |= ARGS_EVENT;
	for (unsigned int i = 1; i < vcpus; i++)
		if (pthread_create(&t, NULL, run, &bench.vcpu[i]))
			errx(1, "no thread");
	run(&bench.vcpu[0]);
	return 0;
usage:
	fprintf(stderr, "usage: armvmm-bench [-d DEV] [-n COUNT] [-m TESTS] [-c VCPUS] [-r MIB] [-pt] GUEST\n");
	return 2;
}

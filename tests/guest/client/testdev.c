// SPDX-License-Identifier: GPL-2.0-only
/* The device that tests the machine (param.h), the PL011's data register, and empty addresses. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guestrun.h"

#define MAX_REGS	256

static pthread_mutex_t device_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	uint32_t counter, result, last_len, last_off, accesses, holes;
	uint64_t hole_addr;
	uint32_t ns_hi;
	uint8_t scratch[DEV_SCRATCH_LEN];
	bool result_given;
} dev;

int testdev_result(void)
{
	return dev.result_given ? (int)dev.result : -1;
}

/* ---- interrupts ---- */
static void irq_line(uint32_t irq, uint32_t level)
{
	struct kvm_irq_level l = { .irq = irq, .level = level };

	if (ioctl(vm_fd, KVM_IRQ_LINE, &l) < 0)
		printf("# KVM_IRQ_LINE %08x %u: %s\n", irq, level, strerror(errno));
}

static void spi(uint32_t n, uint32_t level)
{
	irq_line(KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | (n & 0xffff), level);
}

static void *later(void *arg)
{
	uint32_t v = (uint32_t)(uintptr_t)arg;

	usleep((v >> 16) * 1000);
	spi(v & 0xffff, 1);
	return NULL;
}

/* ---- registers ---- */
/*
 * Does what migration does: reads all registers, resets the vCPU, and writes all registers. Leaves
 * out the counter, which runs on meanwhile.
 */
static void roundtrip(struct vcpu *v)
{
	static struct { struct kvm_reg_list l; uint64_t id[MAX_REGS]; } list;
	static uint8_t val[MAX_REGS][8];
	unsigned int i;

	list.l.n = MAX_REGS;
	if (ioctl(v->fd, KVM_GET_REG_LIST, &list) < 0)
		bail("KVM_GET_REG_LIST: %s", strerror(errno));
	for (i = 0; i < list.l.n; i++)
		if (one_reg(v->fd, KVM_GET_ONE_REG, list.id[i], val[i]) < 0)
			bail("KVM_GET_ONE_REG %016llx: %s", (unsigned long long)list.id[i],
			     strerror(errno));
	for (i = 0; i < list.l.n; i++) {
		if (list.id[i] == KVM_REG_ARM_TIMER_CNT || list.id[i] == KVM_REG_ARM_PTIMER_CNT)
			continue;
		if (one_reg(v->fd, KVM_SET_ONE_REG, list.id[i], val[i]) < 0)
			bail("KVM_SET_ONE_REG %016llx: %s", (unsigned long long)list.id[i],
			     strerror(errno));
	}
}

/* ---- the test device ---- */
static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void discard(uint32_t gpa)
{
	char *page;

	if (gpa < RAM_BASE || gpa - RAM_BASE >= opt.ram_mb << 20)
		bail("MADV_DONTNEED of %08x, which is no RAM", gpa);
	page = ram + ((gpa - RAM_BASE) & ~0xfffu);
	/* If the host pinned the page, the guest keeps it: all one can do is clear it. */
	if (!ioctl(vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_MMU))
		memset(page, 0, 4096);
	else if (madvise(page, 4096, MADV_DONTNEED))
		bail("MADV_DONTNEED: %s", strerror(errno));
}

/* A child that lives for a while, during which guest RAM is copy-on-write. */
static void fork_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		uint64_t end = now_ns() + 50000000;

		while (now_ns() < end)
			usleep(1000);
		_exit(0);
	}
	if (pid < 0)
		bail("fork: %s", strerror(errno));
}

static void dev_write(struct vcpu *v, uint32_t off, uint32_t val)
{
	pthread_t t;

	switch (off) {
	case DEV_COUNTER:
		dev.counter = val;
		break;
	case DEV_RESULT:
		dev.result = val;
		dev.result_given = true;
		/* PSCI 0.1 has no SYSTEM_OFF. */
		if (opt.no_psci)
			end_with(1);
		break;
	case DEV_RAISE:
		spi(val, 1);
		break;
	case DEV_LOWER:
		spi(val, 0);
		break;
	case DEV_PULSE:
		spi(val, 1);
		spi(val, 0);
		break;
	case DEV_MARK:
		printf("# mark %u\n", val);
		break;
	case DEV_PPI:
		irq_line(KVM_ARM_IRQ_TYPE_PPI << KVM_ARM_IRQ_TYPE_SHIFT | (val & 0x00ffffff),
			 val >> 31);
		break;
	case DEV_LATER:
		if (pthread_create(&t, NULL, later, (void *)(uintptr_t)val))
			bail("pthread_create");
		pthread_detach(t);
		break;
	case DEV_ACCESSES:
		dev.accesses = val;
		break;
	case DEV_ROUNDTRIP:
		roundtrip(v);
		break;
	case DEV_SLEEP:
		usleep(val);
		break;
	case DEV_DONTNEED:
		discard(val);
		break;
	case DEV_FORK:
		fork_child();
		break;
	}
}

static uint32_t dev_read(uint32_t off)
{
	uint64_t ns;

	switch (off) {
	case DEV_COUNTER:
		return dev.counter++;
	case DEV_LAST_LEN:
		return dev.last_len;
	case DEV_LAST_OFF:
		return dev.last_off;
	case DEV_ACCESSES:
		return dev.accesses;
	case DEV_HOLES:
		return dev.holes;
	case DEV_HOLE_LO:
		return (uint32_t)dev.hole_addr;
	case DEV_HOLE_HI:
		return dev.hole_addr >> 32;
	case DEV_NS_LO:
		ns = now_ns();
		dev.ns_hi = ns >> 32;
		return (uint32_t)ns;
	case DEV_NS_HI:
		return dev.ns_hi;
	}
	return 0;
}

/* A signal must not cut a line short: write the rest that write() left. */
static void write_line(const char *s, size_t n)
{
	while (n) {
		ssize_t w = write(STDOUT_FILENO, s, n);

		if (w < 0) {
			if (errno != EINTR && errno != EAGAIN)
				return;
			continue;
		}
		s += w;
		n -= (size_t)w;
	}
}

static void uart_put(char c)
{
	static char line[512];
	static size_t n;

	line[n++] = c;
	if (c == '\n' || n == sizeof(line)) {
		fflush(stdout);
		write_line(line, n);
		n = 0;
	}
}

void testdev_mmio(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	uint64_t a = run->mmio.phys_addr;
	uint32_t len = run->mmio.len, val = 0;
	bool wr = run->mmio.is_write;

	if (len > 8)
		bail("KVM_EXIT_MMIO with a length of %u", len);
	if (wr)
		memcpy(&val, run->mmio.data, len < 4 ? len : 4);
	/* Sleeping must not hold up the other vCPUs' devices. */
	if (wr && a == DEV_BASE + DEV_SLEEP) {
		usleep(val);
		return;
	}
	pthread_mutex_lock(&device_lock);
	if (a == UART_BASE && wr) {
		uart_put((char)val);
	} else if (a >= DEV_BASE + DEV_SCRATCH && a + len <= DEV_BASE + DEV_SCRATCH +
		   DEV_SCRATCH_LEN) {
		uint8_t *p = &dev.scratch[a - DEV_BASE - DEV_SCRATCH];

		dev.last_len = len;
		dev.last_off = (uint32_t)(a - DEV_BASE - DEV_SCRATCH);
		dev.accesses++;
		if (wr)
			memcpy(p, run->mmio.data, len);
		else
			memcpy(run->mmio.data, p, len);
	} else if (a >= DEV_BASE && a < DEV_BASE + DEV_SCRATCH && !(a & 3) && len == 4) {
		if (wr) {
			dev_write(v, (uint32_t)(a - DEV_BASE), val);
		} else {
			val = dev_read((uint32_t)(a - DEV_BASE));
			memcpy(run->mmio.data, &val, 4);
		}
	} else {
		dev.holes++;
		dev.hole_addr = a;
		if (!wr)
			memset(run->mmio.data, 0xff, len);
	}
	pthread_mutex_unlock(&device_lock);
}

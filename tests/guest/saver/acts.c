// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a guest that accesses its distributor at random (gicrand.c): its threads go from
 * CPU to CPU, CPUs go offline and come back, and now and then it stands still, while what the
 * client reads by attributes is compared with what the guest knows, and is written back.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/armvmm.h>

#include "../lib/gicregs.h"
#include "saver.h"

/* ---- the host's CPUs ---- */
static unsigned int host_cpus(void)
{
	return (unsigned int)sysconf(_SC_NPROCESSORS_CONF);
}

static bool cpu_online(unsigned int cpu, bool on)
{
	char path[64];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = write(fd, on ? "1" : "0", 1) == 1;
	close(fd);
	return ok;
}

/* On one CPU, or on any again, as the CPU may be about to go. */
static bool move(unsigned int vcpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(rnd() % host_cpus(), &set);
	return !pthread_setaffinity_np(threads[vcpu], sizeof(set), &set);
}

static void move_anywhere(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned int i = 0; i < host_cpus(); i++)
		CPU_SET(i, &set);
	for (unsigned int i = 0; i < opt.ncpus; i++)
		pthread_setaffinity_np(threads[i], sizeof(set), &set);
}

/* ---- attributes ---- */
static uint32_t dist(unsigned int vcpu, uint32_t reg)
{
	uint32_t val;

	must(armvmm_gic_reg_get(m.vm, ARMVMM_GIC_DIST, vcpu, reg - GICD_BASE, &val), "GICD");
	return val;
}

static unsigned int dist_bits(unsigned int vcpu, uint32_t reg, unsigned int irq, unsigned int bits)
{
	unsigned int at = irq * bits;

	return dist(vcpu, reg + at / 32 * 4) >> at % 32 & ((1u << bits) - 1);
}

static void compare_irq(unsigned int cpu, unsigned int irq, const struct gicrand_irq *k)
{
	struct gicrand_irq is = { .priority = dist_bits(cpu, GICD_IPRIORITYR, irq, 8) };

	is.state = GICRAND_OWN |
		   (dist_bits(cpu, GICD_ISENABLER, irq, 1) ? GICRAND_ENABLED : 0) |
		   (dist_bits(cpu, GICD_ISACTIVER, irq, 1) ? GICRAND_ACTIVE : 0);
	if (irq < 16)
		is.sources = dist_bits(cpu, GICD_SPENDSGIR, irq, 8);
	else if (dist_bits(cpu, GICD_ISPENDR, irq, 1))
		is.state |= GICRAND_PENDING;
	if (irq >= 32) {
		is.targets = dist_bits(cpu, GICD_ITARGETSR, irq, 8);
		if (dist_bits(cpu, GICD_ICFGR, irq, 2) & 2)
			is.state |= GICRAND_EDGE;
	}
	if (memcmp(&is, k, sizeof(is)))
		die("CPU %u, interrupt %u: state %x, priority %x, targets %x, sources %x by attributes; the guest has %x, %x, %x, %x",
		    cpu, irq, is.state, is.priority, is.targets, is.sources, k->state, k->priority,
		    k->targets, k->sources);
}

static void compare(struct acts_count *n)
{
	const struct gicrand_cpu *known = (void *)(m.ram + (m.dev.model - RAM_BASE));

	if (!m.dev.model)
		return;
	if (m.dev.model - RAM_BASE > RAM_SIZE - sizeof(*known) * opt.ncpus)
		die("the guest's model is at %x", m.dev.model);
	for (unsigned int cpu = 0; cpu < opt.ncpus; cpu++) {
		unsigned int busy = known[cpu].busy;

		for (unsigned int irq = 0; irq < GICRAND_NR_IRQS; irq++) {
			if (!(known[cpu].irq[irq].state & GICRAND_OWN) || busy == irq + 1 ||
			    busy == GICRAND_BUSY_ALL)
				continue;
			compare_irq(cpu, irq, &known[cpu].irq[irq]);
			n->looks++;
		}
	}
}

/* All registers get what they have: those that can only set bits are cleared first. */
static void write_back(void)
{
	void *state;
	size_t size;

	must(armvmm_vm_state_save(m.vm, &state, &size), "armvmm_vm_state_save");
	must(armvmm_vm_state_restore(m.vm, state, size), "armvmm_vm_state_restore");
	free(state);
}

/* ---- who answered ---- */
static uint64_t counter(struct armvmm_vcpu *vcpu, const char *name)
{
	static _Alignas(8) char data[8192];
	struct kvm_stats_header h;
	uint64_t value;
	int fd = ioctl(armvmm_vcpu_fd(vcpu), KVM_GET_STATS_FD, 0);

	if (fd < 0 || pread(fd, data, sizeof(data), 0) < (ssize_t)sizeof(h))
		die("the counters cannot be read");
	close(fd);
	memcpy(&h, data, sizeof(h));
	for (uint32_t i = 0; i < h.num_desc; i++) {
		size_t at = h.desc_offset + i * (sizeof(struct kvm_stats_desc) + h.name_size);
		const struct kvm_stats_desc *d = (const void *)(data + at);

		if (at + sizeof(*d) + h.name_size > sizeof(data) || strcmp(d->name, name))
			continue;
		memcpy(&value, data + h.data_offset + d->offset, sizeof(value));
		return value;
	}
	die("there is no counter %s", name);
}

/* ---- */
static void disturb(struct acts_count *n)
{
	unsigned int cpu = host_cpus() > 1 ? 1 + rnd() % (host_cpus() - 1) : 0;

	for (unsigned int i = 0; i < 4; i++) {
		n->moves += move(rnd() % opt.ncpus);
		usleep(rnd() % 3000);
	}
	move_anywhere();
	if (!cpu || rnd() % 2)
		return;
	n->offline += cpu_online(cpu, false);
	usleep(rnd() % 3000);
	for (unsigned int i = 0; i < opt.ncpus; i++)
		move(i);
	usleep(rnd() % 3000);
	if (!cpu_online(cpu, true))
		die("CPU %u does not come back", cpu);
}

void acts_run(unsigned int round, struct acts_count *n)
{
	for (unsigned int i = 0; i < opt.acts; i++) {
		/* New threads, which go on with what others left. */
		threads_start();
		threads_wait(round);
		disturb(n);
		threads_wait(round);
		threads_stop();
		compare(n);
		write_back();
		compare(n);
		n->pieces++;
	}
	for (unsigned int i = 0; i < opt.ncpus; i++) {
		n->by_hyp += counter(m.vcpu[i], "hyp_gicd");
		n->by_host += counter(m.vcpu[i], "mmio_exit_kernel");
	}
}

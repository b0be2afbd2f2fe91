/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the client: the machine (guestrun.c), the test device (testdev.c) and counters. */
#ifndef GUESTRUN_H
#define GUESTRUN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/armvmm.h>

#include "../param.h"

struct vcpu {
	unsigned int index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
};

struct options {
	const char *dev, *image;
	unsigned int ncpus, ram_mb, nr_irqs, seconds;
	bool shared;		/* all vCPU threads on one physical CPU */
	bool storm;		/* signals and immediate_exit all the time */
	bool move;		/* vCPU threads go from one physical CPU to another */
	bool pmu;		/* vCPUs with KVM_ARM_VCPU_PMU_V3 */
	bool fp;		/* threads that check their own FP registers */
	bool reset;		/* the guest may reset, and starts over */
	bool counts;		/* at the end, say what was counted */
	bool no_psci;		/* PSCI 0.1: without KVM_ARM_VCPU_PSCI_0_2 */
	unsigned int arg[4];
};

extern struct options opt;
extern int vm_fd;
extern char *ram;
extern struct vcpu vcpus[GUEST_MAX_CPUS];

/* Prints the reason as KTAP and ends the program. */
void bail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* How the guest ended: 1 shutdown, 2 reset, 3 an error. Only the first call counts. */
void end_with(int how);
int one_reg(int fd, unsigned long req, uint64_t id, void *val);

/* ---- testdev.c ---- */
/* Completes the MMIO exit of the vCPU. */
void testdev_mmio(struct vcpu *v);
/* The number of failures that the guest reported; -1: it reported nothing. */
int testdev_result(void);

/* ---- counts.c ---- */
/* A line with the vCPUs' counters, those of all vCPUs together. */
void counts_print(void);

#endif /* GUESTRUN_H */

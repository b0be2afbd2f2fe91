/* SPDX-License-Identifier: GPL-2.0-only */
/* What machine.c and vcpu.c share and devices do not see. */
#ifndef ARMVMM_RUN_MACHINE_PRIVATE_H
#define ARMVMM_RUN_MACHINE_PRIVATE_H

#include <libarmvmm.h>
#include <pthread.h>

#include "boot/loader.h"
#include "core/machine.h"
#include "hw/pl061.h"

#define MACHINE_MAX_IOEVENTFDS	64

struct machine_ioeventfd {
	uint64_t gpa, value;
	unsigned int len;
	int fd;
};

struct vcpu {
	struct machine *m;
	struct armvmm_vcpu *handle;
	pthread_t thread;
	bool running;		/* the thread is there to be joined */
};

struct machine_private {
	const struct config *config;
	struct armvmm_vm *vm;	/* NULL with --dump-dtb */
	bool vm_fresh;		/* opened, and nothing done to it yet */
	struct loader loader;

	struct irqline *line[MACHINE_NR_SPIS];
	unsigned int nr_virtio;
	unsigned int nr_ioeventfds;
	struct machine_ioeventfd ioeventfd[MACHINE_MAX_IOEVENTFDS];

	struct pl061 *button;
	guint button_timer;

	bool pmu;		/* the vCPUs have one */
	unsigned int nr_vcpus;
	struct vcpu vcpu[CONFIG_MAX_CPUS];
	bool stopping;		/* atomic: vCPU threads leave */

	pthread_mutex_t lock;	/* what follows */
	enum machine_request request;
	char why[256];
	uint64_t warn_window;	/* second of the last warnings */
	unsigned int warn_count;
};

/* Blocks nothing but what the caller blocked; installs the handler that a kick needs. Once. */
void vcpu_setup(void);

/* Starts the thread. Returns 0 or -errno. */
int vcpu_start(struct vcpu *vcpu);

/* Kicks the threads of all vCPUs out of the guest and joins them. */
void vcpu_stop_all(struct machine *m);

/* Prints the registers of a stopped vCPU. */
void vcpu_dump(struct vcpu *vcpu);

#endif /* ARMVMM_RUN_MACHINE_PRIVATE_H */

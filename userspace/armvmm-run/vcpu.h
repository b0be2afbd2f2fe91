/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU's thread. Main thread, all. */
#ifndef ARMVMM_RUN_VCPU_H
#define ARMVMM_RUN_VCPU_H

#include <libarmvmm.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

struct machine;

struct vcpu {
	struct machine *m;
	struct armvmm_vcpu *handle;
	pthread_t thread;
	const cpu_set_t *cpus;	/* that the thread is bound to, or NULL */
	bool pinned;		/* the host pins what the guest touches (armvmm_vm_pins_memory) */
	bool running;		/* the thread is there to be joined */
	bool stopping;		/* atomic: it leaves */
};

/* Blocks nothing but what the caller blocked; installs the handler that a kick needs. Once. */
void vcpu_setup(void);

/* Starts the thread. Returns 0 or -errno. */
int vcpu_start(struct vcpu *vcpu);

/* Kicks the threads of all @nr vCPUs out of the guest and joins them. */
void vcpu_stop_all(struct vcpu *vcpu, unsigned int nr);

/* Prints the registers of a stopped vCPU. */
void vcpu_dump(struct vcpu *vcpu);

#endif /* ARMVMM_RUN_VCPU_H */

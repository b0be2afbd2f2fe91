/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vCPUs and their threads. Main thread, unless a comment says otherwise.
 *
 * A paused vCPU is parked outside KVM_RUN, and its last access to a device is complete. So its
 * registers are those between two instructions of the guest, and the main thread may read and write
 * them.
 */
#ifndef ARMVMM_RUN_VCPU_H
#define ARMVMM_RUN_VCPU_H

#include <libarmvmm.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

#include "core/config.h"

struct machine;
struct vcpus;

struct vcpu {
	struct machine *m;
	struct vcpus *all;
	struct armvmm_vcpu *handle;
	pthread_t thread;
	const cpu_set_t *cpus;	/* that the thread is bound to, or NULL */
	bool pinned;		/* the host pins what the guest touches (armvmm_vm_pins_memory) */
	bool stopping;		/* atomic: it leaves */
	/* Under all->lock. */
	bool running;		/* the thread is there to be joined */
	bool parked;		/* it waits to go on, or has left */
	bool keep;		/* atomic too: it stays parked when the others go on */
	bool debugged;		/* atomic too: it stopped at .debug, which nobody has seen yet */
	struct armvmm_exit debug;
	pid_t tid;		/* its thread's number; 0: none yet, or it has left */
};

struct vcpus {
	unsigned int nr;
	struct vcpu vcpu[CONFIG_MAX_CPUS];
	bool paused;		/* atomic, written under the lock: those that come out are parked */
	pthread_mutex_t lock;
	pthread_cond_t changed;	/* a vCPU was parked or has left, or may go on */
};

/* A group without vCPUs. Installs the handler that a kick needs. */
void vcpus_init(struct vcpus *all);
void vcpus_exit(struct vcpus *all);

/* Starts the thread, which parks at once if the group is paused. Returns 0 or -errno. */
int vcpu_start(struct vcpu *vcpu);

/*
 * Returns when all vCPUs are parked; one that has left, or is not started, counts as parked. To
 * repeat it does nothing. The pause lasts over vcpu_stop_all(): vCPUs that are started next park,
 * too.
 */
void vcpu_pause_all(struct vcpus *all);

/*
 * Pauses them, but does not wait until they are parked. Not while somebody changes their state.
 */
void vcpu_call_all(struct vcpus *all);

/* Lets them go on, except those whose debug exit nobody has seen. To repeat it does nothing. */
void vcpu_resume_all(struct vcpus *all);

/* Keeps one of a paused group parked when the others go on, or lets it go on with them. */
void vcpu_keep(struct vcpu *vcpu, bool keep);

/* Forgets the debug exits of a paused group, so that these vCPUs, too, go on next time. */
void vcpu_debug_seen(struct vcpus *all);

/* Kicks all threads out of the guest, or out of their pause, and joins them. */
void vcpu_stop_all(struct vcpus *all);

/* Prints the registers of a stopped vCPU. */
void vcpu_dump(struct vcpu *vcpu);

#endif /* ARMVMM_RUN_VCPU_H */

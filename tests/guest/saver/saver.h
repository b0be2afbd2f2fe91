/* SPDX-License-Identifier: GPL-2.0-only */
/* What saver.c and acts.c share. */
#ifndef SAVER_H
#define SAVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../../../userspace/libarmvmm/include/libarmvmm.h"
#include "../gicrand.h"

#define RAM_SIZE	(2u << 20)
#define NR_IRQS		GICRAND_NR_IRQS

struct options {
	const char *image;
	unsigned int ncpus, rounds, events, tail, reload, seed, acts;
};
extern struct options opt;

/* The state of the client's devices, which is saved with the guest. */
struct device {
	uint64_t nr_events;
	uint32_t stream;
	uint32_t level;		/* of SNAP_SPI_LEVEL */
	uint32_t alive[GUEST_MAX_CPUS];
	uint32_t failed;	/* what SNAP_FAIL got, plus one */
	uint32_t model;		/* where the guest has its gicrand_cpu[]; or 0 */
};

struct vm {
	struct armvmm_vm *vm;
	struct armvmm_vcpu *vcpu[GUEST_MAX_CPUS];
	char *ram;
	struct device dev;
	pthread_mutex_t lock;
	bool reference;
	uint64_t until;		/* event after which the run ends, of one CPU */
	uint64_t most;		/* event after which it ends without the signal: the log is full */
	volatile bool stop;
};
extern struct vm m;

void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void must(int ret, const char *what);
uint64_t now_us(void);
uint32_t rnd(void);

/* The vCPUs' threads, of a guest that works on several CPUs. */
extern pthread_t threads[GUEST_MAX_CPUS];
void threads_start(void);
/* Waits until each vCPU has told again that it gets on. */
void threads_wait(unsigned int round);
void threads_stop(void);

/* What acts_run() did, in all rounds. */
struct acts_count {
	unsigned int moves, offline, pieces;
	uint64_t looks;			/* interrupts that were compared */
	uint64_t by_hyp, by_host;	/* accesses to devices that each answered */
};
/*
 * Lets the guest work while its threads are moved and CPUs go offline and come back; stops it now
 * and then, and compares and writes back its state. The vCPUs stand still at the end.
 */
void acts_run(unsigned int round, struct acts_count *n);

#endif

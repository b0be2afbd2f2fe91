/* SPDX-License-Identifier: GPL-2.0-only */
/* What a snapshot says of its machine: a machine that restores it must be alike. Main thread. */
#ifndef ARMVMM_RUN_FACTS_H
#define ARMVMM_RUN_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/machine.h"
#include "core/record.h"

#define FACTS_PART	"machine"
#define FACTS_VERSION	3
/* These can be read, too: 1 is without the time of the counter, 1 and 2 without the machine. */
#define FACTS_OLD	1

struct facts {
	uint64_t memory;	/* bytes */
	uint32_t nr_cpus;
	uint32_t midr;		/* of the CPUs */
	uint32_t timer_hz;	/* of the counter, if the host's device tree says so; else 0 */
	bool pmu, firmware;
	char machine[MACHINE_TYPE_NAME_MAX];	/* its type */
	uint64_t ram_base;

	/* These are not compared. */
	bool legacy;		/* --virtio legacy: each device says, too, what it is */
	bool stopped;		/* a person had stopped it */
	uint64_t counter;	/* its virtual counter, ... */
	uint64_t counter_when;	/* ... at this time (g_get_real_time()); 0: not known */
};

/* The machine, whose vCPUs exist and are stopped. */
void facts_get(struct facts *f, struct machine *m);

void facts_save(const struct facts *f, struct record *r);

/* Reads the facts of a snapshot, and compares them with @here. Returns 0 or the record's error. */
int facts_restore(struct facts *f, const struct facts *here, struct record *r);

#endif /* ARMVMM_RUN_FACTS_H */

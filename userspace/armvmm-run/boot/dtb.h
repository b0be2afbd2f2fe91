/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's device tree. */
#ifndef ARMVMM_RUN_DTB_H
#define ARMVMM_RUN_DTB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"
#include "core/error.h"
#include "core/machine_type.h"

struct dtb_params {
	const struct machine_type *type;
	unsigned int nr_cpus;
	const char *cpu;	/* compatible string: "arm,cortex-a15" */
	uint64_t ram_base, ram_size;
	const char *bootargs;	/* NULL: none */
	uint64_t initrd_gpa, initrd_size;	/* size 0: none */
	bool pmu;		/* the CPUs have performance counters */
	uint32_t timer_hz;	/* 0: CNTFRQ tells it */
	uint64_t msi_frame;	/* the GIC's, for devices' messages; 0: none */
	bool seeded;		/* the seeds are random */
	uint64_t kaslr_seed;
	uint8_t rng_seed[64];
};

/*
 * Builds the machine's tree, with the nodes of all devices on @bus, into @buf.
 * Returns its size in bytes, or -ENOSPC / -EINVAL with @err.
 */
int dtb_build(void *buf, size_t size, const struct dtb_params *params, struct device_bus *bus,
	      struct error *err);

/*
 * Completes a tree from a file, @len bytes in @buf of @size. Its /chosen gets the command line (if
 * there is one), initrd and seeds, and loses those that it came with. Returns its size, or -EINVAL
 * / -ENOSPC with @err. @name is for messages.
 */
int dtb_complete(void *buf, size_t len, size_t size, const struct dtb_params *params,
		 const char *name, struct error *err);

/*
 * Compares a tree from a file, after dtb_complete(), with the machine: its memory, its CPUs, its
 * GIC, and the devices that were asked for. Calls @warn with a sentence for each difference.
 */
void dtb_compare(const void *tree, const struct dtb_params *params, const struct device_bus *bus,
		 const char *name, void (*warn)(const char *fmt, ...));

/*
 * Fills in the seeds, if the host has random numbers already: a guest takes them for such, so
 * nothing else will do. Returns whether it has.
 */
bool dtb_seed(struct dtb_params *params);

/* The MPIDR's affinity that the module gives CPU @index, as KVM/arm did: clusters of four. */
static inline uint32_t dtb_mpidr(unsigned int index)
{
	return (index / 4) << 8 | index % 4;
}

/* The compatible string of the CPU whose MIDR (DDI 0406C B4.1.105) is @midr. */
const char *dtb_cpu(uint32_t midr);

#endif /* ARMVMM_RUN_DTB_H */

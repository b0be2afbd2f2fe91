/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine as a debugger's session needs it. Its vCPUs are stopped, except between go() and
 * hold().
 */
#ifndef ARMVMM_RUN_GDB_TARGET_H
#define ARMVMM_RUN_GDB_TARGET_H

#include <libarmvmm.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/machine.h"

#define TARGET_MAX_CPUS	8

struct target_ops {
	unsigned int (*nr_cpus)(void *opaque);
	/* By libarmvmm's names. 0 or -errno. */
	int (*reg_get)(void *opaque, unsigned int cpu, const char *name, uint64_t *value);
	int (*reg_set)(void *opaque, unsigned int cpu, const char *name, uint64_t value);
	/* @len bytes of the guest's RAM, or NULL if some of them are not RAM. */
	void *(*ram)(void *opaque, uint64_t gpa, uint32_t len);
	/* @len bytes of RAM were written, and may be code: makes the guest execute the new ones. */
	void (*wrote)(void *opaque, void *ram, uint32_t len);
	/* Reads what the guest would read there from RAM or flash. Never reads a device. */
	bool (*read)(void *opaque, uint64_t gpa, void *buf, uint32_t len);
	void (*debug_caps)(void *opaque, struct armvmm_debug_caps *caps);
	/* As armvmm_vcpu_debug_set(). */
	int (*debug_set)(void *opaque, unsigned int cpu, unsigned int flags,
			 const struct armvmm_debug_regs *regs);
	/* Is it turned off by PSCI, or not on yet? */
	bool (*is_off)(void *opaque, unsigned int cpu);
	/*
	 * hold() returns when all are stopped. go() lets only those of @cpus (bit n: vCPU n) go on.
	 */
	void (*hold)(void *opaque);
	void (*go)(void *opaque, uint32_t cpus);
	/* May nothing of the guest be changed, as it is elsewhere, or on its way? */
	bool (*frozen)(void *opaque);
	/* Returns why that must not be, or NULL: it is done soon. */
	const char *(*request)(void *opaque, enum machine_request request);
};

struct target {
	const struct target_ops *ops;
	void *opaque;
};

static inline unsigned int target_nr_cpus(const struct target *t)
{
	return t->ops->nr_cpus(t->opaque);
}

static inline int target_reg_get(const struct target *t, unsigned int cpu, const char *name,
				 uint64_t *value)
{
	return t->ops->reg_get(t->opaque, cpu, name, value);
}

static inline int target_reg_set(const struct target *t, unsigned int cpu, const char *name,
				 uint64_t value)
{
	return t->ops->reg_set(t->opaque, cpu, name, value);
}

static inline void *target_ram(const struct target *t, uint64_t gpa, uint32_t len)
{
	return t->ops->ram(t->opaque, gpa, len);
}

/* Writes what target_ram() gave. */
static inline void target_write(const struct target *t, void *ram, const void *buf, uint32_t len)
{
	__builtin_memcpy(ram, buf, len);
	t->ops->wrote(t->opaque, ram, len);
}

static inline bool target_read(const struct target *t, uint64_t gpa, void *buf, uint32_t len)
{
	return t->ops->read(t->opaque, gpa, buf, len);
}

#endif /* ARMVMM_RUN_GDB_TARGET_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine of two vCPUs for a debugger's session: registers, RAM, flash, and what it was asked. */
#ifndef TESTS_UNIT_GDB_FAKE_H
#define TESTS_UNIT_GDB_FAKE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gdb/session.h"

#define FAKE_CPUS	2
#define FAKE_RAM	0x40000000ull
#define FAKE_RAM_SIZE	0x10000u
#define FAKE_FLASH_SIZE	0x2000u

static struct fake {
	uint8_t ram[FAKE_RAM_SIZE];
	uint8_t fetched[FAKE_RAM_SIZE];	/* what an instruction cache would have of it */
	uint8_t flash[FAKE_FLASH_SIZE];
	uint64_t reg[FAKE_CPUS][192];	/* by armvmm_reg_name()'s numbers */
	bool no_upper_d;		/* d16 to d31 are not there */
	bool off[FAKE_CPUS];
	struct armvmm_debug_caps caps;
	int debug_error;
	unsigned int flags[FAKE_CPUS];
	bool has_regs[FAKE_CPUS];
	struct armvmm_debug_regs regs[FAKE_CPUS];
	bool held;
	uint32_t went;			/* the last go() */
	unsigned int nr_went;
	bool frozen;		/* nothing may be changed */
	enum machine_request request;
	const char *refusal;	/* why none is taken; or NULL */
} fake;

static unsigned int fake_nr_cpus(void *opaque)
{
	return FAKE_CPUS;
}

static uint64_t *fake_reg(unsigned int cpu, const char *name)
{
	const char *at;

	if (fake.no_upper_d && name[0] == 'd' && atoi(name + 1) > 15)
		return NULL;
	for (unsigned int i = 0; (at = armvmm_reg_name(i)); i++)
		if (!strcmp(at, name))
			return &fake.reg[cpu][i];
	return NULL;
}

static int fake_reg_get(void *opaque, unsigned int cpu, const char *name, uint64_t *value)
{
	uint64_t *reg = cpu < FAKE_CPUS ? fake_reg(cpu, name) : NULL;

	if (reg)
		*value = *reg;
	return reg ? 0 : -ENOENT;
}

/* As in the real one, midr cannot be changed. */
static int fake_reg_set(void *opaque, unsigned int cpu, const char *name, uint64_t value)
{
	uint64_t *reg = cpu < FAKE_CPUS ? fake_reg(cpu, name) : NULL;

	if (!reg || !strcmp(name, "midr"))
		return -EINVAL;
	*reg = value;
	return 0;
}

static void *fake_ram(void *opaque, uint64_t gpa, uint32_t len)
{
	if (gpa < FAKE_RAM || gpa - FAKE_RAM >= FAKE_RAM_SIZE ||
	    len > FAKE_RAM_SIZE - (gpa - FAKE_RAM))
		return NULL;
	return fake.ram + (gpa - FAKE_RAM);
}

static void fake_wrote(void *opaque, void *ram, uint32_t len)
{
	memcpy(fake.fetched + ((uint8_t *)ram - fake.ram), ram, len);
}

static bool fake_read(void *opaque, uint64_t gpa, void *buf, uint32_t len)
{
	const void *from = fake_ram(opaque, gpa, len);

	if (gpa < FAKE_FLASH_SIZE && len <= FAKE_FLASH_SIZE - gpa)
		from = fake.flash + gpa;
	if (from)
		memcpy(buf, from, len);
	return from;
}

static void fake_debug_caps(void *opaque, struct armvmm_debug_caps *caps)
{
	*caps = fake.caps;
}

static int fake_debug_set(void *opaque, unsigned int cpu, unsigned int flags,
			  const struct armvmm_debug_regs *regs)
{
	if (fake.debug_error)
		return fake.debug_error;
	fake.flags[cpu] = flags;
	fake.has_regs[cpu] = regs;
	if (regs)
		fake.regs[cpu] = *regs;
	return 0;
}

static bool fake_is_off(void *opaque, unsigned int cpu)
{
	return fake.off[cpu];
}

static void fake_hold(void *opaque)
{
	fake.held = true;
}

static void fake_go(void *opaque, uint32_t cpus)
{
	fake.held = false;
	fake.went = cpus;
	fake.nr_went++;
}

static bool fake_frozen(void *opaque)
{
	return fake.frozen;
}

static const char *fake_request(void *opaque, enum machine_request request)
{
	if (fake.refusal)
		return fake.refusal;
	fake.request = request;
	return NULL;
}

static const struct target_ops fake_target_ops = {
	.nr_cpus = fake_nr_cpus,
	.reg_get = fake_reg_get,
	.reg_set = fake_reg_set,
	.ram = fake_ram,
	.wrote = fake_wrote,
	.read = fake_read,
	.debug_caps = fake_debug_caps,
	.debug_set = fake_debug_set,
	.is_off = fake_is_off,
	.hold = fake_hold,
	.go = fake_go,
	.frozen = fake_frozen,
	.request = fake_request,
};

static inline void fake_target_start(struct session *s)
{
	memset(&fake, 0, sizeof(fake));
	fake.caps = (struct armvmm_debug_caps){
		.breakpoints = 6,
		.watchpoints = 4,
		.flags = ARMVMM_DEBUG_STEP | ARMVMM_DEBUG_BKPT | ARMVMM_DEBUG_INJECT_BKPT |
			 ARMVMM_DEBUG_BLOCK_IRQ,
	};
	for (unsigned int i = 0; i < FAKE_CPUS; i++)
		*fake_reg(i, "cpsr") = 0x1d3;	/* SVC, all masked */
	memset(s, 0, sizeof(*s));
	s->target.ops = &fake_target_ops;
	session_attach(s);
}

#endif /* TESTS_UNIT_GDB_FAKE_H */

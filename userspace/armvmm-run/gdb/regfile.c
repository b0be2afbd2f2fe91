// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "core/bank.h"
#include "gdb/regfile.h"

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

static const char *const regfile_core[] = {
	"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7",
	"r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc",
};

static const char *const regfile_d[] = {
	"d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d10",
	"d11", "d12", "d13", "d14", "d15", "d16", "d17", "d18", "d19", "d20", "d21",
	"d22", "d23", "d24", "d25", "d26", "d27", "d28", "d29", "d30", "d31",
};

/* The size field of a ONE_REG id is the logarithm of the bytes. */
static unsigned int regfile_bytes(const char *name)
{
	uint64_t id;

	return armvmm_reg_id(name, &id) ? 0 : 1u << (id >> 52 & 0xf);
}

static void regfile_put(struct regfile *file, unsigned int n, const char *name, const char *own)
{
	file->reg[n].name = name;
	file->reg[n].own = own;
	file->reg[n].size = regfile_bytes(own);
	if (n >= file->nr)
		file->nr = n + 1;
}

static bool regfile_is_numbered(const struct regfile *file, const char *name)
{
	for (unsigned int i = 0; i < file->nr; i++)
		if (file->reg[i].name && !strcmp(file->reg[i].own, name))
			return true;
	return false;
}

void regfile_init(struct regfile *file, const struct target *target)
{
	unsigned int n = REGFILE_CP;
	uint64_t value;
	const char *name;

	memset(file, 0, sizeof(*file));
	for (unsigned int i = 0; i < NR(regfile_core); i++)
		regfile_put(file, i, regfile_core[i], regfile_core[i]);
	regfile_put(file, REGFILE_CPSR, "cpsr", "cpsr");
	while (file->nr_d < NR(regfile_d) &&
	       !target_reg_get(target, 0, regfile_d[file->nr_d], &value)) {
		regfile_put(file, REGFILE_D0 + file->nr_d, regfile_d[file->nr_d],
			    regfile_d[file->nr_d]);
		file->nr_d++;
	}
	if (file->nr_d)
		regfile_put(file, REGFILE_FPSCR, "fpscr", "fpscr");

	/* The user bank: in other modes r13 and r14 do not show it. */
	regfile_put(file, n++, "sp_usr", "sp");
	regfile_put(file, n++, "lr_usr", "lr");
	for (unsigned int i = 0; (name = armvmm_reg_name(i)) && n < REGFILE_MAX; i++)
		if (!regfile_is_numbered(file, name) && !target_reg_get(target, 0, name, &value))
			regfile_put(file, n++, name, name);
}

unsigned int regfile_size(const struct regfile *file, unsigned int n)
{
	return n < file->nr && file->reg[n].name ? file->reg[n].size : 0;
}

/* Finds libarmvmm's name for register @n in the vCPU's current mode. */
static int regfile_name(const struct regfile *file, const struct target *target, unsigned int cpu,
			unsigned int n, const char **name)
{
	const char *banked;
	uint64_t cpsr;
	int ret;

	if (!regfile_size(file, n))
		return -ENOENT;
	*name = file->reg[n].own;
	if (n < 8 || n > 14)
		return 0;
	ret = target_reg_get(target, cpu, "cpsr", &cpsr);
	if (ret)
		return ret;
	banked = bank_name(cpsr, n);
	if (banked)
		*name = banked;
	return 0;
}

int regfile_get(const struct regfile *file, const struct target *target, unsigned int cpu,
		unsigned int n, uint64_t *value)
{
	const char *name;
	int ret = regfile_name(file, target, cpu, n, &name);

	return ret ? ret : target_reg_get(target, cpu, name, value);
}

int regfile_set(const struct regfile *file, const struct target *target, unsigned int cpu,
		unsigned int n, uint64_t value)
{
	const char *name;
	int ret = regfile_name(file, target, cpu, n, &name);

	return ret ? ret : target_reg_set(target, cpu, name, value);
}

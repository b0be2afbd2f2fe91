// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/archregs.h"
#include "core/cpupart.h"

#define CPUPART_KINDS	8
#define CPUPART_ARM	((uint32_t)MIDR_ARM << 12)
#define CPUPART_BROADCOM (0x42u << 12)

static const struct {
	const char *name;
	uint32_t part;
	const char *title;
} cpupart_names[] = {
	{ "a7", CPUPART_ARM | MIDR_PART_A7, "Cortex-A7" },
	{ "a12", CPUPART_ARM | MIDR_PART_A12, "Cortex-A12" },
	{ "a15", CPUPART_ARM | MIDR_PART_A15, "Cortex-A15" },
	{ "a17", CPUPART_ARM | MIDR_PART_A17, "Cortex-A17" },
	{ "b15", CPUPART_BROADCOM | MIDR_PART_B15, "Brahma-B15" },
	{ "a32", CPUPART_ARM | MIDR_PART_A32, "Cortex-A32" },
	{ "a35", CPUPART_ARM | MIDR_PART_A35, "Cortex-A35" },
	{ "a53", CPUPART_ARM | MIDR_PART_A53, "Cortex-A53" },
	{ "a55", CPUPART_ARM | MIDR_PART_A55, "Cortex-A55" },
	{ "a57", CPUPART_ARM | MIDR_PART_A57, "Cortex-A57" },
	{ "a72", CPUPART_ARM | MIDR_PART_A72, "Cortex-A72" },
	{ "a73", CPUPART_ARM | MIDR_PART_A73, "Cortex-A73" },
	{ "a75", CPUPART_ARM | MIDR_PART_A75, "Cortex-A75" },
};

#define CPUPART_NAMES	(sizeof(cpupart_names) / sizeof(cpupart_names[0]))

/* The CPUs of one part. */
struct cpupart_kind {
	uint32_t part;
	cpu_set_t cpus;
};

struct cpupart_kinds {
	unsigned int nr;
	struct cpupart_kind kind[CPUPART_KINDS];
	uint32_t boot;		/* the part of CPU 0, which Linux booted on; 0: it is not there */
};

uint32_t cpupart_find(const char *name)
{
	unsigned long number;

	for (unsigned int i = 0; i < CPUPART_NAMES; i++)
		if (!strcmp(name, cpupart_names[i].name))
			return cpupart_names[i].part;
	if (strncmp(name, "0x", 2) || !name[2] || name[2 + strspn(name + 2, "0123456789abcdef")])
		return 0;
	number = strtoul(name, NULL, 16);
	if (number > 0xfffff)
		return 0;
	return number < 1 << 12 && number ? CPUPART_ARM | number : number;
}

static void cpupart_title(uint32_t part, char *buf, size_t size)
{
	for (unsigned int i = 0; i < CPUPART_NAMES; i++) {
		if (part != cpupart_names[i].part)
			continue;
		snprintf(buf, size, "%s", cpupart_names[i].title);
		return;
	}
	snprintf(buf, size, "part 0x%x", part >> 12 == CPUPART_ARM >> 12 ? part & 0xfff : part);
}

/* "0,2-4" */
static size_t cpupart_list(const cpu_set_t *cpus, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (int cpu = 0, end; cpu < CPU_SETSIZE && len < size; cpu++) {
		if (!CPU_ISSET(cpu, cpus))
			continue;
		for (end = cpu; end + 1 < CPU_SETSIZE && CPU_ISSET(end + 1, cpus); end++)
			;
		len += snprintf(buf + len, size - len, "%s%d", len ? "," : "", cpu);
		if (end > cpu && len < size)
			len += snprintf(buf + len, size - len, "-%d", end);
		cpu = end;
	}
	return len;
}

static void cpupart_add(struct cpupart_kinds *k, int cpu, uint32_t part)
{
	unsigned int i;

	if (!cpu)
		k->boot = part;
	for (i = 0; i < k->nr && k->kind[i].part != part; i++)
		;
	if (i == CPUPART_KINDS)
		return;
	if (i == k->nr) {
		k->kind[i].part = part;
		CPU_ZERO(&k->kind[i].cpus);
		k->nr++;
	}
	CPU_SET(cpu, &k->kind[i].cpus);
}

/* Reads a paragraph for each CPU that is online: processor, then implementer, part. */
static void cpupart_read(struct cpupart_kinds *k, FILE *cpuinfo)
{
	unsigned long implementer = 0, value;
	int cpu = -1;
	char line[1024];

	memset(k, 0, sizeof(*k));
	while (fgets(line, sizeof(line), cpuinfo)) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		value = strtoul(colon + 1, NULL, 0);
		if (!strncmp(line, "processor", 9))
			cpu = value < CPU_SETSIZE ? (int)value : -1;
		else if (!strncmp(line, "CPU implementer", 15))
			implementer = value;
		else if (!strncmp(line, "CPU part", 8) && cpu >= 0)
			cpupart_add(k, cpu, (uint32_t)(implementer << 12 | value));
	}
}

static const struct cpupart_kind *cpupart_kind(const struct cpupart_kinds *k, uint32_t part)
{
	for (unsigned int i = 0; i < k->nr; i++)
		if (k->kind[i].part == part)
			return &k->kind[i];
	return NULL;
}

/* The boot CPU's kind; if it has no allowed CPU, the first kind that has one. */
static const struct cpupart_kind *cpupart_default(const struct cpupart_kinds *k,
						  const cpu_set_t *allowed)
{
	const struct cpupart_kind *boot = cpupart_kind(k, k->boot), *first = NULL;
	cpu_set_t both;

	for (unsigned int i = 0; i < k->nr; i++) {
		CPU_AND(&both, &k->kind[i].cpus, allowed);
		if (!CPU_COUNT(&both))
			continue;
		if (&k->kind[i] == boot)
			return boot;
		if (!first)
			first = &k->kind[i];
	}
	return first;
}

/* Prints what the host has: "CPUs 0-1 (Cortex-A15), CPUs 2-3 (Cortex-A7)". */
static void cpupart_host(const struct cpupart_kinds *k, char *buf, size_t size)
{
	char list[64], title[32];
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < k->nr && len < size; i++) {
		cpupart_list(&k->kind[i].cpus, list, sizeof(list));
		cpupart_title(k->kind[i].part, title, sizeof(title));
		len += snprintf(buf + len, size - len, "%sCPUs %s (%s)", len ? ", " : "", list,
				title);
	}
}

int cpupart_choose(struct cpupart *p, FILE *cpuinfo, const cpu_set_t *allowed, const char *want,
		   struct error *err)
{
	const struct cpupart_kind *kind;
	struct cpupart_kinds k;
	char list[64], title[32], host[300];

	p->bound = false;
	cpupart_read(&k, cpuinfo);
	if (!want && k.nr <= 1)
		return 0;
	cpupart_host(&k, host, sizeof(host));
	kind = want ? cpupart_kind(&k, cpupart_find(want)) : cpupart_default(&k, allowed);
	if (!kind && want)
		return error_set(err, -EINVAL, "--cpu-part %s: the host has no such CPU: it has %s",
				 want, k.nr ? host : "none that Linux tells");
	/* It is unknown where this thread may run: the hypervisor will report it. */
	if (!kind)
		return 0;
	CPU_AND(&p->cpus, &kind->cpus, allowed);
	if (!CPU_COUNT(&p->cpus)) {
		cpupart_list(allowed, list, sizeof(list));
		return error_set(err, -EINVAL,
				 "--cpu-part %s: this process may run on CPUs %s alone; the host has %s",
				 want, list, host);
	}
	if (k.nr <= 1)
		return 0;
	p->bound = true;
	cpupart_list(&p->cpus, list, sizeof(list));
	cpupart_title(kind->part, title, sizeof(title));
	snprintf(p->text, sizeof(p->text), "vCPUs run on CPUs %s (%s) alone%s", list, title,
		 want ? "" : "; --cpu-part NAME chooses others");
	return 0;
}

int cpupart_choose_here(struct cpupart *p, const char *want, struct error *err)
{
	FILE *cpuinfo = fopen("/proc/cpuinfo", "re");
	cpu_set_t allowed;
	int ret;

	p->bound = false;
	if (!cpuinfo) {
		if (!want)
			return 0;
		return error_errno(err, -errno, "--cpu-part %s: /proc/cpuinfo", want);
	}
	/* A host with more CPUs than the set has room for is not of this architecture. */
	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		memset(&allowed, 0xff, sizeof(allowed));
	ret = cpupart_choose(p, cpuinfo, &allowed, want, err);
	fclose(cpuinfo);
	return ret;
}

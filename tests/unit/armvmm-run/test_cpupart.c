// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/core/cpupart.c userspace/armvmm-run/core/error.c
// cflags: -Iuserspace/armvmm-run -Idriver -D_GNU_SOURCE
//
// Which CPUs vCPUs are bound to, on hosts as /proc/cpuinfo tells them.
#include <errno.h>
#include <string.h>

#include "core/cpupart.h"
#include "ktap.h"

static struct cpupart part;
static struct error err;

/* "a15 a15 - a7": a word for each CPU; "-" is offline. */
static int choose(const char *host, uint32_t may, const char *want)
{
	static char text[4096];
	char words[64], *save;
	size_t len = 0;
	int cpu = 0, ret;
	cpu_set_t allowed;
	FILE *f;

	snprintf(words, sizeof(words), "%s", host);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save), cpu++) {
		uint32_t n = cpupart_find(w);

		if (!strcmp(w, "-"))
			continue;
		len += sprintf(text + len, "processor\t: %d\nmodel name\t: ARMv7 Processor rev 1\n"
			       "Features\t: half thumb\nCPU implementer\t: 0x%x\nCPU architecture: 7\n"
			       "CPU variant\t: 0x2\nCPU part\t: 0x%03x\nCPU revision\t: 1\n\n",
			       cpu, n >> 12, n & 0xfff);
	}
	len += sprintf(text + len, "Hardware\t: Generic DT based system\nRevision\t: 0000\n");
	CPU_ZERO(&allowed);
	for (int i = 0; i < 32; i++)
		if (may & 1u << i)
			CPU_SET(i, &allowed);
	f = fmemopen(text, len, "r");
	err.text[0] = part.text[0] = '\0';
	ret = cpupart_choose(&part, f, &allowed, want, &err);
	fclose(f);
	return ret;
}

/* The same as a mask; 0: any CPU will do. */
static uint32_t bound(const char *host, uint32_t may, const char *want)
{
	uint32_t mask = 0;

	KTAP_EQ(choose(host, may, want), 0);
	for (int i = 0; part.bound && i < 32; i++)
		mask |= CPU_ISSET(i, &part.cpus) ? 1u << i : 0;
	return mask;
}

static void refused(const char *host, uint32_t may, const char *want, const char *text)
{
	KTAP_EQ(choose(host, may, want), -EINVAL);
	KTAP_TRUE(!part.bound);
	KTAP_STREQ(err.text, text);
}

static void test_find(void)
{
	KTAP_EQ(cpupart_find("a7"), 0x41c07);
	KTAP_EQ(cpupart_find("a17"), 0x41c0e);
	KTAP_EQ(cpupart_find("0xc0f"), 0x41c0f);
	KTAP_EQ(cpupart_find("0x510aa"), 0x510aa);
	KTAP_EQ(cpupart_find("b15"), 0x4200f);
	KTAP_EQ(cpupart_find("a9"), 0);
	KTAP_EQ(cpupart_find(""), 0);
}

/* One part: the scheduler chooses. */
static void test_one_part(void)
{
	KTAP_EQ(bound("a15 a15 a15 a15", ~0u, NULL), 0);
	KTAP_EQ(bound("a7", ~0u, "a7"), 0);
	KTAP_EQ(bound("", ~0u, NULL), 0);
	refused("a7 a7", ~0u, "a15",
		"--cpu-part a15: the host has no such CPU: it has CPUs 0-1 (Cortex-A7)");
	refused("", ~0u, "a15",
		"--cpu-part a15: the host has no such CPU: it has none that Linux tells");
}

static void test_two_parts(void)
{
	/* Exynos 5422 boots on A7s, TC2 on A15s. */
	KTAP_EQ(bound("a7 a7 a7 a7 a15 a15 a15 a15", ~0u, NULL), 0x0f);
	KTAP_STREQ(part.text,
		   "vCPUs run on CPUs 0-3 (Cortex-A7) alone; --cpu-part NAME chooses others");
	KTAP_EQ(bound("a7 a7 a7 a7 a15 a15 a15 a15", ~0u, "a15"), 0xf0);
	KTAP_STREQ(part.text, "vCPUs run on CPUs 4-7 (Cortex-A15) alone");
	KTAP_EQ(bound("a15 a7 a15 a7", ~0u, NULL), 0x5);
	KTAP_STREQ(part.text, "vCPUs run on CPUs 0,2 (Cortex-A15) alone; --cpu-part NAME chooses others");
	KTAP_EQ(bound("a15 a7 a15 a7", ~0u, "0xc07"), 0xa);
	refused("a15 a7", ~0u, "a17", "--cpu-part a17: the host has no such CPU: it has "
				     "CPUs 0 (Cortex-A15), CPUs 1 (Cortex-A7)");
	/* The same number of another implementer is another part. */
	KTAP_EQ(bound("a15 0x51c0f", ~0u, NULL), 0x1);
	KTAP_EQ(bound("a15 0x51c0f", ~0u, "0x51c0f"), 0x2);
	KTAP_STREQ(part.text, "vCPUs run on CPUs 1 (part 0x51c0f) alone");
}

/* Only CPUs that taskset or a cpuset allows. */
static void test_allowed(void)
{
	KTAP_EQ(bound("a7 a7 a15 a15", 0x6, NULL), 0x2);
	KTAP_EQ(bound("a7 a7 a15 a15", 0xc, NULL), 0xc);
	KTAP_EQ(bound("a7 a7 a15 a15", 0x7, "a15"), 0x4);
	refused("a7 a7 a15 a15", 0x3, "a15",
		"--cpu-part a15: this process may run on CPUs 0-1 alone; the host has "
		"CPUs 0-1 (Cortex-A7), CPUs 2-3 (Cortex-A15)");
	/* CPU 0 is offline: the first one that is online. */
	KTAP_EQ(bound("- a15 a7 a7", ~0u, NULL), 0x2);
	/* A process that may run on none of the listed CPUs. */
	KTAP_EQ(bound("a15 a7", 0x10, NULL), 0);
}

/* More parts than there is room for, more CPUs than fit in a line: nothing is overrun. */
static void test_many(void)
{
	KTAP_EQ(bound("0xc01 0xc02 0xc03 0xc04 0xc05 0xc06 0xc07 0xc08 0xc09 0xc0a", ~0u, NULL), 1);
	KTAP_EQ(choose("0xc01 0xc02 0xc03 0xc04 0xc05 0xc06 0xc07 0xc08 0xc09 0xc0a", ~0u, "a15"),
		-EINVAL);
}

KTAP_MAIN(KTAP_CASE(test_find), KTAP_CASE(test_one_part), KTAP_CASE(test_two_parts),
	  KTAP_CASE(test_allowed), KTAP_CASE(test_many))

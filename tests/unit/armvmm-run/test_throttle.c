// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/throttle.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
//
// vCPUs that run for a part of the time only, and never while somebody holds them.
#include <glib.h>

#include "core/runstate.h"
#include "ktap.h"
#include "throttle.h"
#include "vcpu.h"

static bool out, held;
static unsigned int calls;
static gint64 left, outside;	/* when they left, and how long they were out, microseconds */

void vcpu_call_all(struct vcpus *all)
{
	KTAP_TRUE(!out || held);
	out = true;
	calls++;
	left = g_get_monotonic_time();
}

void vcpu_resume_all(struct vcpus *all)
{
	KTAP_TRUE(!held);
	if (out)
		outside += g_get_monotonic_time() - left;
	out = false;
}

bool machine_is_held(const struct machine *m)
{
	return held;
}

static void run(unsigned int ms)
{
	gint64 end = g_get_monotonic_time() + ms * 1000;

	while (g_get_monotonic_time() < end) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(500);
	}
}

static void test_part_of_the_time(void)
{
	struct throttle t = { .percent = 0 };
	gint64 begun = g_get_monotonic_time(), took;

	calls = outside = 0;
	throttle_set(&t, 60);
	run(1000);
	/* More of it does not begin anew. */
	throttle_set(&t, 61);
	run(10);
	throttle_set(&t, 0);
	took = g_get_monotonic_time() - begun;
	KTAP_TRUE(!out && calls > 2);
	/* A busy machine is late, in either. */
	if (outside < took / 4 || outside > took * 9 / 10)
		KTAP_FAIL("they were out for %lld of %lld us", (long long)outside, (long long)took);
	calls = 0;
	run(120);
	KTAP_EQ(calls, 0);
	throttle_set(&t, 0);
}

/* Whoever holds them finds them so. */
static void test_held(void)
{
	struct throttle t = { .percent = 0 };

	throttle_set(&t, 50);
	KTAP_TRUE(out);
	held = true;
	run(40);
	KTAP_TRUE(out);
	throttle_set(&t, 0);
	KTAP_TRUE(out);
	held = false;
	vcpu_resume_all(NULL);
	run(120);
	KTAP_TRUE(!out);
}

KTAP_MAIN(KTAP_CASE(test_part_of_the_time), KTAP_CASE(test_held))

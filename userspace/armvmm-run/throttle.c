// SPDX-License-Identifier: GPL-2.0-only
#include "core/runstate.h"
#include "throttle.h"
#include "vcpu.h"

#define THROTTLE_MS	50	/* in and out */

/* While somebody holds the machine, its vCPUs are out anyway, and stay so. */
static gboolean throttle_turn(void *opaque)
{
	struct throttle *t = opaque;
	unsigned int percent;

	t->out = !t->out;
	if (t->out)
		vcpu_call_all(t->vcpus);
	else if (!machine_is_held(t->m))
		vcpu_resume_all(t->vcpus);
	percent = t->out ? t->percent : 100 - t->percent;
	t->timer = g_timeout_add(MAX(THROTTLE_MS * percent / 100, 1), throttle_turn, t);
	return G_SOURCE_REMOVE;
}

void throttle_set(struct throttle *t, unsigned int percent)
{
	t->percent = percent;
	if (percent && !t->timer) {
		throttle_turn(t);
	} else if (!percent && t->timer) {
		g_source_remove(t->timer);
		t->timer = 0;
		if (t->out && !machine_is_held(t->m))
			vcpu_resume_all(t->vcpus);
		t->out = false;
	}
}

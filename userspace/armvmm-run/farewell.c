// SPDX-License-Identifier: GPL-2.0-only
#include "board.h"
#include "control/control.h"
#include "core/message.h"
#include "farewell.h"

#define FAREWELL_LOOK_MS	100
#define FAREWELL_TELL_LOOKS	10	/* time for those who watch the migration to see its end */
#define FAREWELL_INSIST_S	10	/* who asks again within these does not want to wait */

static void farewell_end(struct farewell *f)
{
	farewell_forget(f);
	board_request(f->board, MACHINE_QUIT, f->cause);
}

/* Has it followed? Or it never will: then there is nothing to wait for, either. */
static gboolean farewell_look(void *opaque)
{
	struct farewell *f = opaque;
	uint64_t left;

	if (control_guest_follows(f->control, &left) || ++f->looks < FAREWELL_TELL_LOOKS)
		return G_SOURCE_CONTINUE;
	f->timer = 0;
	farewell_end(f);
	return G_SOURCE_REMOVE;
}

bool farewell_waits(struct farewell *f, enum machine_cause cause, bool person)
{
	gint64 now = g_get_monotonic_time();
	uint64_t left;

	if (!control_guest_follows(f->control, &left))
		return false;
	f->cause = cause;
	if (person && f->asked && now - f->asked < FAREWELL_INSIST_S * G_USEC_PER_SEC) {
		message("ends at once, and with it the guest, which runs elsewhere and lacks %llu KiB of memory",
			(unsigned long long)left >> 10);
		farewell_end(f);
		return true;
	}
	if (person)
		f->asked = now;
	message("the guest runs elsewhere, and still lacks %llu KiB of memory that only this process has: it ends when they have followed (to end it at once, and the guest, ask again within %u s)",
		(unsigned long long)left >> 10, FAREWELL_INSIST_S);
	f->looks = 0;
	if (!f->timer)
		f->timer = g_timeout_add(FAREWELL_LOOK_MS, farewell_look, f);
	return true;
}

void farewell_forget(struct farewell *f)
{
	if (f->timer)
		g_source_remove(f->timer);
	f->timer = 0;
}

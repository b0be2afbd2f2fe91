// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/farewell.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
//
// A process whose guest runs elsewhere, and lacks memory, is told to end.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "control/control.h"
#include "core/message.h"
#include "farewell.h"
#include "ktap.h"

static uint64_t left;	/* bytes that have not followed; 0: nothing follows */
static unsigned int nr_ends;
static enum machine_cause cause;
static char said[400];
static gint64 ahead;	/* of the clock */

gint64 g_get_monotonic_time(void)
{
	return G_USEC_PER_SEC + ahead;
}

bool control_guest_follows(const struct control *control, uint64_t *bytes)
{
	*bytes = left;
	return left;
}

void board_request(struct board *board, enum machine_request request, enum machine_cause why)
{
	KTAP_EQ(request, MACHINE_QUIT);
	cause = why;
	nr_ends++;
}

void message(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

static void setup(struct farewell *f, uint64_t bytes)
{
	*f = (struct farewell){ .board = NULL };
	left = bytes;
	nr_ends = 0;
	ahead = 0;
	said[0] = '\0';
}

/* The clock of GLib's timers is the real one. */
static void look(void)
{
	g_usleep(150000);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void test_nothing_follows(void)
{
	struct farewell f;

	setup(&f, 0);
	KTAP_TRUE(!farewell_waits(&f, MACHINE_BY_SIGNAL, true));
	KTAP_TRUE(!farewell_waits(&f, MACHINE_BY_SIGNAL, false));
	KTAP_EQ(nr_ends, 0);
	KTAP_STREQ(said, "");
}

static void test_ends_later(void)
{
	struct farewell f;

	setup(&f, 3 << 20);
	KTAP_TRUE(farewell_waits(&f, MACHINE_BY_SIGNAL, true));
	KTAP_TRUE(strstr(said, "still lacks 3072 KiB of memory that only this process has"));
	look();
	KTAP_EQ(nr_ends, 0);
	left = 0;
	look();
	/* Who watches the migration still sees how it ended. */
	KTAP_EQ(nr_ends, 0);
	for (int i = 0; i < 12; i++)
		look();
	KTAP_EQ(nr_ends, 1);
	KTAP_EQ(cause, MACHINE_BY_SIGNAL);
	look();
	KTAP_EQ(nr_ends, 1);
}

static void test_insists(void)
{
	struct farewell f;

	setup(&f, 4096);
	KTAP_TRUE(farewell_waits(&f, MACHINE_BY_SIGNAL, true));
	/* Too late, so it counts as a first one. */
	ahead = 11 * G_USEC_PER_SEC;
	KTAP_TRUE(farewell_waits(&f, MACHINE_BY_KEY, true));
	KTAP_EQ(nr_ends, 0);
	/* A clock that has run off is not a person. */
	KTAP_TRUE(farewell_waits(&f, MACHINE_BY_SIGNAL, false));
	KTAP_EQ(nr_ends, 0);
	ahead = 20 * G_USEC_PER_SEC;
	KTAP_TRUE(farewell_waits(&f, MACHINE_BY_KEY, true));
	KTAP_EQ(nr_ends, 1);
	KTAP_EQ(cause, MACHINE_BY_KEY);
	KTAP_TRUE(strstr(said, "ends at once, and with it the guest"));
	left = 0;
	look();
	KTAP_EQ(nr_ends, 1);
}

/* The program has ended otherwise. */
static void test_forgets(void)
{
	struct farewell f;

	setup(&f, 4096);
	KTAP_TRUE(farewell_waits(&f, MACHINE_BY_SIGNAL, false));
	farewell_forget(&f);
	left = 0;
	look();
	KTAP_EQ(nr_ends, 0);
}

KTAP_MAIN(KTAP_CASE(test_nothing_follows), KTAP_CASE(test_ends_later), KTAP_CASE(test_insists),
	  KTAP_CASE(test_forgets))

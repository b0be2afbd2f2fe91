// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/core/budget.c userspace/armvmm-run/core/machine.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE -ffunction-sections
// pkgs: glib-2.0
// libs: -Wl,--gc-sections
//
// How much is said: each kind has its own share of a second, and all kinds together an end.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/budget.h"
#include "core/machine_private.h"
#include "core/message.h"
#include "ktap.h"

static unsigned int nr_taken(struct budget *b, const char *kind, uint64_t second,
			     unsigned int times)
{
	unsigned int nr = 0;

	while (times--)
		nr += budget_take(b, kind, second);
	return nr;
}

static void test_noisy(void)
{
	static const char noisy[] = "noisy", once[] = "once";
	struct budget b = { 0 };

	KTAP_EQ(nr_taken(&b, noisy, 1, 100000), BUDGET_MESSAGES);
	KTAP_TRUE(budget_take(&b, once, 1));
	KTAP_TRUE(!budget_take(&b, noisy, 1));
	KTAP_EQ(nr_taken(&b, once, 1, 100), BUDGET_MESSAGES - 1);
	/* The next second, and one that is far. */
	KTAP_EQ(nr_taken(&b, noisy, 2, 100), BUDGET_MESSAGES);
	KTAP_EQ(nr_taken(&b, noisy, UINT64_MAX, 100), BUDGET_MESSAGES);
	KTAP_TRUE(budget_take(&b, once, 2));
}

/* More kinds than there is room for: they share what one has. */
static void test_many(void)
{
	static const char kinds[10 * BUDGET_KINDS];
	struct budget b = { 0 };
	unsigned int nr = 0;

	for (uint64_t second = 5; second < 8; second++) {
		nr = 0;
		for (unsigned int i = 0; i < sizeof(kinds); i++)
			nr += nr_taken(&b, &kinds[i], second, 20);
		KTAP_EQ(nr, (BUDGET_KINDS + 1) * BUDGET_MESSAGES);
		/* Those that were first are at their end as well. */
		KTAP_TRUE(!budget_take(&b, &kinds[0], second));
		KTAP_TRUE(!budget_take(&b, &kinds[sizeof(kinds) - 1], second));
	}
	/* Others are first in another second. */
	KTAP_EQ(nr_taken(&b, &kinds[sizeof(kinds) - 1], 9, 20), BUDGET_MESSAGES);
}

static unsigned int nr_said;
static char said[256];

void message_va(const char *fmt, va_list ap)
{
	nr_said++;
	vsnprintf(said, sizeof(said), fmt, ap);
}

/* What a disk says a thousand times does not hide what another says once. */
static void test_machine(void)
{
	struct machine m = { .verbose = true };

	KTAP_EQ(machine_init(&m), 0);
	for (unsigned int i = 0; i < 1000; i++)
		machine_warn(&m, "%s: write at %u", "a.img", i);
	/* All may be in one second, or in several. */
	KTAP_TRUE(nr_said >= BUDGET_MESSAGES && nr_said < 1000);
	machine_warn(&m, "%s: is gone", "network");
	KTAP_STREQ(said, "network: is gone");
	for (unsigned int i = 0; i < 1000; i++)
		machine_note(&m, "note %u", i);
	machine_note(&m, "another");
	KTAP_STREQ(said, "another");
	machine_warn(&m, "and one more");
	KTAP_STREQ(said, "and one more");
	m.verbose = false;
	machine_note(&m, "no note");
	KTAP_STREQ(said, "and one more");
	pthread_mutex_destroy(&m.priv->lock);
	free(m.priv);
}

KTAP_MAIN(KTAP_CASE(test_machine), KTAP_CASE(test_noisy), KTAP_CASE(test_many))

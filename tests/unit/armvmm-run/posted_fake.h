/* SPDX-License-Identifier: GPL-2.0-only */
/* An older module, for tests of devices and machines without core/posted.c. */
#ifndef TESTS_UNIT_POSTED_FAKE_H
#define TESTS_UNIT_POSTED_FAKE_H

#include <errno.h>

#include "core/posted.h"

bool posted_supported(struct machine *m)
{
	return false;
}

int posted_init(struct machine *m, struct posted *posted)
{
	return 0;
}

void posted_exit(struct machine *m, struct posted *posted)
{
}

void posted_update(struct machine *m)
{
}

bool posted_is_on(const struct posted *posted)
{
	return false;
}

void posted_drain(struct machine *m)
{
}

int mirror_set(struct machine *m, uint64_t gpa, unsigned int size, uint32_t value)
{
	return -ENODEV;
}

void mirror_del(struct machine *m, uint64_t gpa, unsigned int size)
{
}

#endif /* TESTS_UNIT_POSTED_FAKE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parsers of options need of a machine: they make no device, so none of it is called. */
#ifndef TESTS_OPTIONS_FUZZ_H
#define TESTS_OPTIONS_FUZZ_H

#include "armvmm-run/machine_fake.h"
#include "fuzz.h"
#include "core/runstate.h"
#include "options.h"

int machine_virtio_slot(struct machine *m)
{
	return -ENOSPC;
}

int machine_rom_slot(struct machine *m)
{
	return -ENOSPC;
}

int machine_rom_set(struct machine *m, int slot, uint64_t gpa, uint64_t size, const void *host)
{
	return 0;
}

int machine_ioeventfd_add(struct machine *m, uint64_t gpa, unsigned int len, uint64_t value, int fd)
{
	return -ENOTSUP;
}

void machine_ioeventfd_del(struct machine *m, int fd)
{
}

void machine_warn(struct machine *m, const char *fmt, ...)
{
}

void machine_note(struct machine *m, const char *fmt, ...)
{
}

void machine_request(struct machine *m, enum machine_request request, enum machine_cause cause,
		     const char *why)
{
}

void machine_tell(struct machine *m, const struct machine_event *event)
{
}

/* What holds of all options that were accepted. */
static void options_fuzz_check(const struct config *config)
{
	FUZZ_MUST(config->nr_cpus >= 1 && config->nr_cpus <= CONFIG_MAX_CPUS);
	FUZZ_MUST(config->memory >= 1 << 20 && !(config->memory % 4096));
	FUZZ_MUST(config->nr_devices <= CONFIG_MAX_DEVICES);
}

#endif /* TESTS_OPTIONS_FUZZ_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices made from what a person types, for tests. */
#ifndef TESTS_UNIT_DEVICE_MAKE_H
#define TESTS_UNIT_DEVICE_MAKE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/device_type.h"
#include "core/machine.h"

/*
 * Makes a device as --device NAME,ARGS does. The configs, which must outlive their devices, are
 * kept while the test runs.
 */
static inline int device_make(struct machine *m, const char *name, const char *args,
			      struct error *err)
{
	static void *kept[256];
	static unsigned int nr_kept;
	const struct device_type *type = device_type_find(name);
	void **config = &kept[nr_kept++ % 256];
	char label[256];
	int ret = 0;

	if (!type)
		return -ENODEV;
	if (type->option)
		snprintf(label, sizeof(label), "--%s%s%s", type->option, args ? " " : "",
			 args ? args : "");
	*config = NULL;
	if (type->builtin)
		return type->create(m, machine_type_device(m->type, name), err) ?:
		       device_bus_begin(&m->bus, err);
	if (type->parse)
		ret = type->parse(label, args, config, err);
	if (!ret)
		ret = type->create(m, *config, err);
	/* Devices that exist already have begun, and do not begin a second time. */
	return ret ? ret : device_bus_begin(&m->bus, err);
}

/* Likewise for a machine with no other device, or ends the test. */
static inline struct device *device_made(struct machine *m, const char *name, const char *args)
{
	struct error err = { "" };

	if (device_make(m, name, args, &err)) {
		printf("# %s\n", err.text);
		exit(1);
	}
	return m->bus.dev[0];
}

#endif /* TESTS_UNIT_DEVICE_MAKE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_PLATFORM_DEVICE_H
#define FAKE_LINUX_PLATFORM_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/pm.h>

#define PLATFORM_DEVID_NONE	(-1)

struct platform_device {
	struct device dev;
};

enum probe_type {
	PROBE_DEFAULT_STRATEGY,
	PROBE_FORCE_SYNCHRONOUS,
};

struct device_driver {
	const char *name;
	const struct dev_pm_ops *pm;
	enum probe_type probe_type;
	bool suppress_bind_attrs;
};

struct platform_driver {
	int (*probe)(struct platform_device *pdev);
	struct device_driver driver;
};

int platform_driver_register(struct platform_driver *driver);
void platform_driver_unregister(struct platform_driver *driver);
struct platform_device *platform_device_register_simple(const char *name, int id, const void *res,
							unsigned int num);
void platform_device_unregister(struct platform_device *pdev);

#endif

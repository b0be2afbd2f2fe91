/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_PM_H
#define FAKE_LINUX_PM_H

struct device {
	const struct device_driver *driver;	/* that is bound to it */
};

struct dev_pm_ops {
	int (*prepare)(struct device *dev);
	void (*complete)(struct device *dev);
};

#endif

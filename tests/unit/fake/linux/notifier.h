/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_NOTIFIER_H
#define FAKE_LINUX_NOTIFIER_H

#define NOTIFY_OK	0x0001
#define NOTIFY_STOP_MASK	0x8000

struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long event, void *data);
	int priority;
};

static inline int notifier_from_errno(int err)
{
	return err ? NOTIFY_STOP_MASK | (NOTIFY_OK - err) : NOTIFY_OK;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_ASM_THREAD_NOTIFY_H
#define FAKE_ASM_THREAD_NOTIFY_H
#include "../fake_kernel.h"

#define THREAD_NOTIFY_SWITCH	2
#define NOTIFY_DONE		0

struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long event, void *data);
};

/* The test's own: it calls what is registered. */
int thread_register_notifier(struct notifier_block *nb);
void thread_unregister_notifier(struct notifier_block *nb);
#endif

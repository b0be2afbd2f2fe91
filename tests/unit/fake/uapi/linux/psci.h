/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_UAPI_LINUX_PSCI_H
#define FAKE_UAPI_LINUX_PSCI_H
#include <linux/psci.h>
#endif

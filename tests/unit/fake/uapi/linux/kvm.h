/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_UAPI_LINUX_KVM_H
#define FAKE_UAPI_LINUX_KVM_H
#include <linux/kvm.h>
#endif

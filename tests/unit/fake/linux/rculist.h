/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_RCULIST_H
#define FAKE_LINUX_RCULIST_H
#include "../fake_kernel.h"
#endif

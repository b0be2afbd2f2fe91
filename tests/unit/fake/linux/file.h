/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_FILE_H
#define FAKE_LINUX_FILE_H
#include "../fake_kernel.h"
#endif

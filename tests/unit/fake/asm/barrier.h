/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_ASM_BARRIER_H
#define FAKE_ASM_BARRIER_H
#include "../fake_kernel.h"
#endif

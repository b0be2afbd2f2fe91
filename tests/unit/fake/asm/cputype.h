/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_ASM_CPUTYPE_H
#define FAKE_ASM_CPUTYPE_H
#include "../fake_kernel.h"
#endif

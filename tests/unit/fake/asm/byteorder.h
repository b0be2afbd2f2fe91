/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_ASM_BYTEORDER_H
#define FAKE_ASM_BYTEORDER_H
#include_next <asm/byteorder.h>
#include "../fake_kernel.h"
#endif

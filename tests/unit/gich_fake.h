/* SPDX-License-Identifier: GPL-2.0-only */
/* hyp/gich.h for the build machine: the test sees each access to a device. After hyp_fake.h. */
#ifndef GICH_FAKE_H
#define GICH_FAKE_H

#include "hyp/gich.h"

u32 fake_device_read(unsigned long base, unsigned int offset);
void fake_device_write(unsigned long base, unsigned int offset, u32 val);

#define gich_read	fake_device_read
#define gich_write	fake_device_write

#endif

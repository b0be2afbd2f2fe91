/* SPDX-License-Identifier: GPL-2.0-only */
/* What any device has to bear: accesses of any width, and its own state with a byte changed. */
#ifndef TESTS_DEVICE_FUZZ_H
#define TESTS_DEVICE_FUZZ_H

#include <stdbool.h>

#include "core/device.h"
#include "core/machine.h"
#include "core/record.h"
#include "fuzz.h"

/* An access at @gpa: its width, direction and value are the input's. */
static inline void device_fuzz_access(struct machine *m, struct fuzz *f, uint64_t gpa)
{
	static const unsigned int widths[] = { 1, 2, 4, 8 };
	uint8_t what = fuzz_u8(f);
	unsigned int len = widths[what & 3];
	uint64_t value = what & 8 ? fuzz_u32(f) : fuzz_u8(f);

	/* Most registers are words. */
	if (what & 16)
		len = 4;
	device_bus_access(&m->bus, gpa, &value, len, what >> 2 & 1);
}

/* Returns false if the state is refused: then the device is lost. */
static inline bool device_fuzz_state(struct fuzz *f, struct device *dev)
{
	struct record saved = { .len = 0 }, in;
	unsigned int at = fuzz_u16(f);
	int ret;

	dev->ops->save(dev, &saved);
	FUZZ_MUST(saved.len);
	saved.data[at % saved.len] ^= fuzz_u8(f);
	record_open(&in, saved.data, saved.len);
	ret = dev->ops->restore(dev, &in);
	if (!ret && dev->ops->resume)
		dev->ops->resume(dev);
	record_free(&saved);
	return !ret;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Saves devices and restores them, for tests. */
#ifndef TESTS_UNIT_STATE_MOVE_H
#define TESTS_UNIT_STATE_MOVE_H

#include <errno.h>
#include <stdlib.h>

#include "core/device.h"
#include "core/record.h"
#include "ktap.h"

static inline void state_save(struct device *dev, struct record *r)
{
	*r = (struct record){ .len = 0 };
	if (dev->ops->pause)
		dev->ops->pause(dev);
	KTAP_TRUE(!dev->ops->is_idle || dev->ops->is_idle(dev));
	dev->ops->save(dev, r);
	KTAP_TRUE(r->len > 0);
}

/* Restores the first @len bytes of @saved. Returns 0 or -errno; @why (or NULL) gets the reason. */
static inline int state_restore(struct device *dev, const struct record *saved, size_t len,
				struct error *why)
{
	struct record r;
	int ret;

	record_open(&r, saved->data, len);
	ret = dev->ops->restore(dev, &r);
	if (!ret)
		ret = record_close(&r);
	if (why)
		*why = r.err;
	return ret;
}

/*
 * What no writer wrote, from @saved: each length that is too short, one byte too many, and each
 * byte at its largest. Nothing of it may do harm; what is too short or too long is refused.
 */
static inline void state_torture(struct device *dev, const struct record *saved)
{
	uint8_t *longer = calloc(1, saved->len + 1);
	struct record r = { .data = longer };

	for (size_t len = 0; len < saved->len; len++)
		KTAP_EQ(state_restore(dev, saved, len, NULL), -EBADMSG);
	memcpy(longer, saved->data, saved->len);
	KTAP_EQ(state_restore(dev, &r, saved->len + 1, NULL), -EBADMSG);
	for (size_t i = 0; i < saved->len; i++) {
		uint8_t was = longer[i];

		longer[i] = 0xff;
		state_restore(dev, &r, saved->len, NULL);
		if (dev->ops->resume)
			dev->ops->resume(dev);
		longer[i] = was;
	}
	KTAP_EQ(state_restore(dev, saved, saved->len, NULL), 0);
	free(longer);
}

#endif /* TESTS_UNIT_STATE_MOVE_H */

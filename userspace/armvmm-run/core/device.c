// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/device.h"

/* Devices without a window have size 0, and sort before one with a window at the same address. */
static bool device_is_behind(const struct device *other, const struct device *dev)
{
	return other->base > dev->base || (other->base == dev->base && other->size > dev->size);
}

int device_register(struct device_bus *bus, struct device *dev)
{
	unsigned int at;

	if (dev->base + dev->size < dev->base)
		return -EINVAL;
	if (bus->nr == DEVICE_BUS_MAX)
		return -ENOSPC;
	for (unsigned int i = 0; dev->size && i < bus->nr; i++) {
		const struct device *other = bus->dev[i];

		if (other->size && dev->base < other->base + other->size &&
		    other->base < dev->base + dev->size)
			return -EEXIST;
	}
	for (at = bus->nr; at > 0 && device_is_behind(bus->dev[at - 1], dev); at--)
		bus->dev[at] = bus->dev[at - 1];
	bus->dev[at] = dev;
	bus->nr++;
	return 0;
}

void device_unregister(struct device_bus *bus, struct device *dev)
{
	for (unsigned int i = 0; i < bus->nr; i++) {
		if (bus->dev[i] != dev)
			continue;
		bus->nr--;
		memmove(&bus->dev[i], &bus->dev[i + 1], (bus->nr - i) * sizeof(bus->dev[0]));
		return;
	}
}

struct device *device_find(const struct device_bus *bus, uint64_t gpa)
{
	unsigned int low = 0, high = bus->nr;

	/* The last device whose base is not above gpa. */
	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (bus->dev[mid]->base <= gpa)
			low = mid + 1;
		else
			high = mid;
	}
	/* Devices without a window may lie within another's. */
	while (low && !bus->dev[low - 1]->size)
		low--;
	if (!low || gpa - bus->dev[low - 1]->base >= bus->dev[low - 1]->size)
		return NULL;
	return bus->dev[low - 1];
}

int device_bus_access(struct device_bus *bus, uint64_t gpa, void *data, unsigned int len,
		      int is_write)
{
	struct device *dev = device_find(bus, gpa);
	uint64_t value = 0;

	if (len > sizeof(value))
		return -ENXIO;
	if (!dev || len > dev->size - (gpa - dev->base)) {
		__atomic_fetch_add(&bus->nr_unclaimed, 1, __ATOMIC_RELAXED);
		if (!is_write)
			memset(data, 0, len);
		return -ENXIO;
	}

	/* The host is little-endian, as all armhf and the build machines are. */
	if (is_write) {
		memcpy(&value, data, len);
		dev->ops->write(dev, gpa - dev->base, len, value);
	} else {
		value = dev->ops->read(dev, gpa - dev->base, len);
		memcpy(data, &value, len);
	}
	return 0;
}

void device_bus_fdt(struct device_bus *bus, struct fdt_builder *fdt)
{
	for (unsigned int i = 0; i < bus->nr; i++)
		if (bus->dev[i]->ops->fdt)
			bus->dev[i]->ops->fdt(bus->dev[i], fdt);
}

int device_bus_begin(struct device_bus *bus, struct error *err)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < bus->nr; i++)
		if (bus->dev[i]->ops->begin)
			ret = bus->dev[i]->ops->begin(bus->dev[i], err);
	return ret;
}

void device_bus_reset(struct device_bus *bus)
{
	for (unsigned int i = 0; i < bus->nr; i++)
		bus->dev[i]->ops->reset(bus->dev[i]);
}

void device_bus_destroy(struct device_bus *bus)
{
	while (bus->nr) {
		struct device *dev = bus->dev[--bus->nr];

		dev->ops->destroy(dev);
	}
}

void device_bus_pause(struct device_bus *bus)
{
	for (unsigned int i = 0; i < bus->nr; i++)
		if (bus->dev[i]->ops->pause)
			bus->dev[i]->ops->pause(bus->dev[i]);
}

const struct device *device_bus_busy(struct device_bus *bus)
{
	for (unsigned int i = 0; i < bus->nr; i++)
		if (bus->dev[i]->ops->is_idle && !bus->dev[i]->ops->is_idle(bus->dev[i]))
			return bus->dev[i];
	return NULL;
}

void device_bus_resume(struct device_bus *bus)
{
	for (unsigned int i = 0; i < bus->nr; i++)
		if (bus->dev[i]->ops->resume)
			bus->dev[i]->ops->resume(bus->dev[i]);
}

void device_bus_unclaim(struct device_bus *bus)
{
	for (unsigned int i = 0; i < bus->nr; i++)
		if (bus->dev[i]->ops->claim)
			bus->dev[i]->ops->claim(bus->dev[i], false, NULL);
}

int device_bus_claim(struct device_bus *bus, struct error *err)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < bus->nr; i++)
		if (bus->dev[i]->ops->claim)
			ret = bus->dev[i]->ops->claim(bus->dev[i], true, err);
	if (ret)
		device_bus_unclaim(bus);
	return ret;
}

void device_name(const struct device *dev, char name[DEVICE_NAME_MAX])
{
	snprintf(name, DEVICE_NAME_MAX, "%s@%llx", dev->kind ? dev->kind : dev->ops->name,
		 (unsigned long long)dev->base);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses of a guest to the devices of a bus. */
#ifndef TESTS_UNIT_PCI_BUS_H
#define TESTS_UNIT_PCI_BUS_H

#include "core/device.h"
#include "ktap.h"

static inline uint64_t bus_get(struct device_bus *bus, uint64_t gpa, unsigned int len)
{
	uint64_t value = 0;

	KTAP_EQ(device_bus_access(bus, gpa, &value, len, 0), 0);
	return value;
}

static inline void bus_put(struct device_bus *bus, uint64_t gpa, unsigned int len, uint64_t value)
{
	KTAP_EQ(device_bus_access(bus, gpa, &value, len, 1), 0);
}

#endif /* TESTS_UNIT_PCI_BUS_H */

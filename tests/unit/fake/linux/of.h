/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_OF_H
#define FAKE_LINUX_OF_H
#include "../fake_kernel.h"

struct device_node;
struct of_device_id {
	const char *compatible;
};

struct device_node *of_find_matching_node(struct device_node *from,
					  const struct of_device_id *match);
int of_property_read_u32(const struct device_node *np, const char *name, u32 *val);
void of_node_put(struct device_node *np);
#endif

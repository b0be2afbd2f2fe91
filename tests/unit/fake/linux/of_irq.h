/* SPDX-License-Identifier: GPL-2.0-only */
#include "of.h"

unsigned int irq_of_parse_and_map(struct device_node *np, int index);

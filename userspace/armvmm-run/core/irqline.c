// SPDX-License-Identifier: GPL-2.0-only
#include "core/irqline.h"

void irqline_set(struct irqline *line, bool level)
{
	if (line->level == level)
		return;
	line->level = level;
	line->sink(line->opaque, line->spi, level);
}

void irqline_edge(struct irqline *line)
{
	line->level = true;
	line->sink(line->opaque, line->spi, true);
}

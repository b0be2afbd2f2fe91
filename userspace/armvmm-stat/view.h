/* SPDX-License-Identifier: GPL-2.0-only */
/* How two samples become text: a table for the screen, lines for a log. */
#ifndef VIEW_H
#define VIEW_H

#include <glib.h>
#include <stdbool.h>

#include "source.h"

struct view {
	GRegex *filter;		/* NULL: all */
	bool skip_zero;
	bool per_vcpu;
	bool by_total;		/* sorted by total, not by what happened last */
};

/*
 * A row for each counter, most at work first: its total and its rate, or its rate in each vCPU.
 * At most @max_rows rows of @width columns; 0 is no limit. @last may be NULL: no rates yet.
 */
void view_table(GString *out, const struct view *view, const struct source_sample *now,
		const struct source_sample *last, unsigned int width, unsigned int max_rows);

/* Names of what view_log_line() prints for the same sample, and a line of it. */
void view_log_header(GString *out, const struct view *view, const struct source_sample *now,
		     bool csv);
void view_log_line(GString *out, const struct view *view, const struct source_sample *now,
		   const struct source_sample *last, bool csv);

#endif

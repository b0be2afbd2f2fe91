// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "view.h"

#define VIEW_NAME	24	/* columns of text */
#define VIEW_COLUMN	11
#define VIEW_LOG_COLUMN	10

struct view_row {
	const char *name;
	uint64_t total;
	double rate;		/* a second, of all columns */
};

/* A level, not a count: its value is shown as its rate. */
static bool view_is_level(const char *name)
{
	return !strcmp(name, "blocking");
}

static const struct source_column *view_column(const struct source_sample *sample, guint i)
{
	return g_ptr_array_index(sample->columns, i);
}

/* The column of the same vCPU: others may have come or gone. */
static const struct source_column *view_same(const struct source_sample *sample,
					     const struct source_column *column)
{
	for (guint i = 0; sample && i < sample->columns->len; i++)
		if (!strcmp(view_column(sample, i)->title, column->title))
			return view_column(sample, i);
	return NULL;
}

/* If a counter fell, it was set back, or a VM is gone: then the rate is unknown. */
static double view_rate(const struct source_sample *now, const struct source_sample *last,
			const struct source_column *column, const char *name)
{
	const struct source_column *before = view_same(last, column);
	uint64_t value = source_value(column, name), old;

	if (view_is_level(name))
		return value;
	if (!before || now->time <= last->time || !g_hash_table_contains(before->values, name))
		return 0;
	old = source_value(before, name);
	return value < old ? 0 : (value - old) * 1e6 / (now->time - last->time);
}

static int view_by_name(const void *a, const void *b)
{
	return strcmp(((const struct view_row *)a)->name, ((const struct view_row *)b)->name);
}

static int view_compare(const void *a, const void *b, void *data)
{
	const struct view_row *x = a, *y = b;
	const struct view *view = data;

	if (!view->by_total && x->rate != y->rate)
		return x->rate < y->rate ? 1 : -1;
	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	return strcmp(x->name, y->name);
}

static bool view_shows(const struct view *view, const char *name)
{
	return !view->filter || g_regex_match(view->filter, name, 0, NULL);
}

/* All counters that pass the filter, by name; to be freed. */
static GArray *view_rows(const struct view *view, const struct source_sample *now,
			 const struct source_sample *last)
{
	GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct view_row));
	GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter iter;
	void *key;

	for (guint i = 0; i < now->columns->len; i++) {
		g_hash_table_iter_init(&iter, view_column(now, i)->values);
		while (g_hash_table_iter_next(&iter, &key, NULL)) {
			struct view_row row = { .name = key };

			if (!g_hash_table_add(seen, key) || !view_shows(view, key))
				continue;
			for (guint j = 0; j < now->columns->len; j++) {
				const struct source_column *c = view_column(now, j);

				row.total += source_value(c, key);
				row.rate += view_rate(now, last, c, key);
			}
			g_array_append_val(rows, row);
		}
	}
	g_hash_table_destroy(seen);
	g_array_sort(rows, view_by_name);
	return rows;
}

/* @text as one line of @width columns at most. */
static void view_line(GString *out, const char *text, unsigned int width)
{
	gsize len = strlen(text);

	g_string_append_len(out, text, width && len > width ? width : len);
	g_string_append_c(out, '\n');
}

static void view_table_header(GString *line, const struct view *view,
			      const struct source_sample *now)
{
	g_string_printf(line, "%-*s", VIEW_NAME, "Event");
	if (!view->per_vcpu)
		g_string_append_printf(line, " %16s %*s", "Total", VIEW_COLUMN, "Per second");
	else
		for (guint i = 0; i < now->columns->len; i++)
			g_string_append_printf(line, " %*s", VIEW_COLUMN,
					       view_column(now, i)->title);
}

static void view_table_row(GString *line, const struct view *view, const struct view_row *row,
			   const struct source_sample *now, const struct source_sample *last)
{
	g_string_printf(line, "%-*s", VIEW_NAME, row->name);
	if (!view->per_vcpu) {
		g_string_append_printf(line, " %16" PRIu64, row->total);
		if (view_is_level(row->name) || !last)
			g_string_append_printf(line, " %*s", VIEW_COLUMN, "-");
		else
			g_string_append_printf(line, " %*.0f", VIEW_COLUMN, row->rate);
		return;
	}
	for (guint i = 0; i < now->columns->len; i++)
		g_string_append_printf(line, " %*.0f", VIEW_COLUMN,
				       view_rate(now, last, view_column(now, i), row->name));
}

void view_table(GString *out, const struct view *view, const struct source_sample *now,
		const struct source_sample *last, unsigned int width, unsigned int max_rows)
{
	GString *line = g_string_new(NULL);
	GArray *rows = view_rows(view, now, last);
	unsigned int n = 0;

	g_array_sort_with_data(rows, view_compare, (void *)view);
	view_table_header(line, view, now);
	view_line(out, line->str, width);
	for (guint i = 0; i < rows->len && (!max_rows || n + 1 < max_rows); i++) {
		const struct view_row *row = &g_array_index(rows, struct view_row, i);

		if (view->skip_zero && !row->total)
			continue;
		view_table_row(line, view, row, now, last);
		view_line(out, line->str, width);
		n++;
	}
	if (!now->columns->len)
		view_line(out, "(no virtual machine)", width);
	g_array_free(rows, TRUE);
	g_string_free(line, TRUE);
}

static void view_log_names(GString *out, const struct source_column *c, const char *name, bool csv)
{
	char *full = *c->title ? g_strdup_printf("%s:%s", c->title, name) : g_strdup(name);

	g_string_append_printf(out, csv ? ",%s" : " %10s", full);
	g_free(full);
}

void view_log_header(GString *out, const struct view *view, const struct source_sample *now,
		     bool csv)
{
	GArray *rows = view_rows(view, now, NULL);

	g_string_append(out, csv ? "timestamp" : "time    ");
	for (guint c = 0; c < now->columns->len; c++)
		for (guint i = 0; i < rows->len; i++)
			view_log_names(out, view_column(now, c),
				       g_array_index(rows, struct view_row, i).name, csv);
	g_string_append_c(out, '\n');
	g_array_free(rows, TRUE);
}

/* Columns are as wide as their names, so that the values are below the names. */
void view_log_line(GString *out, const struct view *view, const struct source_sample *now,
		   const struct source_sample *last, bool csv)
{
	GArray *rows = view_rows(view, now, last);
	GDateTime *time = g_date_time_new_now_local();
	char *text = g_date_time_format(time, csv ? "%Y-%m-%dT%H:%M:%S%z" : "%H:%M:%S");

	g_string_append(out, text);
	for (guint c = 0; c < now->columns->len; c++) {
		const struct source_column *column = view_column(now, c);

		for (guint i = 0; i < rows->len; i++) {
			const char *name = g_array_index(rows, struct view_row, i).name;
			double rate = view_rate(now, last, column, name);
			int width = strlen(name) + (*column->title ? strlen(column->title) + 1 : 0);

			if (csv)
				g_string_append_printf(out, ",%.0f", rate);
			else
				g_string_append_printf(out, " %*.0f", MAX(width, VIEW_LOG_COLUMN),
						       rate);
		}
	}
	g_string_append_c(out, '\n');
	g_free(text);
	g_date_time_unref(time);
	g_array_free(rows, TRUE);
}

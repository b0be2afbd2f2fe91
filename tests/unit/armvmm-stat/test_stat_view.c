// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-stat/view.c
// cflags: -Iuserspace/armvmm-stat -D_GNU_SOURCE
// pkgs: glib-2.0
//
// Two samples of counters as a table and as lines of a log.
#include "view.h"
#include "ktap.h"

uint64_t source_value(const struct source_column *column, const char *name)
{
	const uint64_t *value = g_hash_table_lookup(column->values, name);

	return value ? *value : 0;
}

static void column_free(void *data)
{
	struct source_column *c = data;

	g_free(c->title);
	g_hash_table_destroy(c->values);
	g_free(c);
}

static struct source_sample *sample_new(gint64 seconds)
{
	struct source_sample *s = g_new0(struct source_sample, 1);

	s->time = seconds * 1000000;
	s->columns = g_ptr_array_new_with_free_func(column_free);
	return s;
}

static void sample_free(struct source_sample *s)
{
	g_ptr_array_free(s->columns, TRUE);
	g_free(s);
}

static void column_add(struct source_sample *s, const char *title)
{
	struct source_column *c = g_new0(struct source_column, 1);

	c->title = g_strdup(title);
	c->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_ptr_array_add(s->columns, c);
}

/* To the column that was added last. */
static void value_add(struct source_sample *s, const char *name, uint64_t n)
{
	struct source_column *c = g_ptr_array_index(s->columns, s->columns->len - 1);
	uint64_t *value = g_new(uint64_t, 1);

	*value = n;
	g_hash_table_insert(c->values, g_strdup(name), value);
}

/* What view_table() prints, with each run of blanks as one; valid until the next call. */
static const char *table(const struct view *view, const struct source_sample *now,
			 const struct source_sample *last, unsigned int width, unsigned int rows)
{
	static char text[4096];
	GString *out = g_string_new(NULL);
	size_t n = 0;

	view_table(out, view, now, last, width, rows);
	for (const char *p = out->str; *p && n + 1 < sizeof(text); p++)
		if (*p != ' ' || (n && text[n - 1] != ' '))
			text[n++] = *p;
	text[n] = '\0';
	g_string_free(out, TRUE);
	return text;
}

/* Two seconds pass between the samples. */
static struct source_sample *before(void)
{
	struct source_sample *s = sample_new(10);

	column_add(s, "");
	value_add(s, "exits", 100);
	value_add(s, "wfi", 50);
	value_add(s, "fell", 9);
	value_add(s, "blocking", 1);
	value_add(s, "zero", 0);
	return s;
}

static struct source_sample *after(void)
{
	struct source_sample *s = sample_new(12);

	column_add(s, "");
	value_add(s, "exits", 110);
	value_add(s, "wfi", 90);
	value_add(s, "fell", 8);
	value_add(s, "new", 7);
	value_add(s, "blocking", 3);
	value_add(s, "zero", 0);
	return s;
}

/* First what happened most; a counter that is new or fell has no rate; a level is none. */
static void test_rates(void)
{
	struct source_sample *last = before(), *now = after();
	struct view view = { 0 };

	KTAP_STREQ(table(&view, now, last, 0, 0),
		   "Event Total Per second\n"
		   "wfi 90 20\n"
		   "exits 110 5\n"
		   "blocking 3 -\n"
		   "fell 8 0\n"
		   "new 7 0\n"
		   "zero 0 0\n");
	KTAP_STREQ(table(&view, now, NULL, 0, 0),
		   "Event Total Per second\n"
		   "blocking 3 -\n"
		   "exits 110 -\n"
		   "wfi 90 -\n"
		   "fell 8 -\n"
		   "new 7 -\n"
		   "zero 0 -\n");
	/* No time has passed. */
	now->time = last->time;
	KTAP_STREQ(table(&view, now, last, 0, 4),
		   "Event Total Per second\n"
		   "blocking 3 -\n"
		   "exits 110 0\n"
		   "wfi 90 0\n");
	sample_free(last);
	sample_free(now);
}

static void test_choice(void)
{
	struct source_sample *last = before(), *now = after();
	struct view view = { .by_total = true, .skip_zero = true };

	KTAP_STREQ(table(&view, now, last, 0, 0),
		   "Event Total Per second\n"
		   "exits 110 5\n"
		   "wfi 90 20\n"
		   "fell 8 0\n"
		   "new 7 0\n"
		   "blocking 3 -\n");
	KTAP_STREQ(table(&view, now, last, 0, 2),
		   "Event Total Per second\n"
		   "exits 110 5\n");
	KTAP_STREQ(table(&view, now, last, 3, 2), "Eve\nexi\n");
	view.filter = g_regex_new("^(zero|f)", 0, 0, NULL);
	KTAP_STREQ(table(&view, now, last, 0, 0), "Event Total Per second\nfell 8 0\n");
	view.skip_zero = false;
	KTAP_STREQ(table(&view, now, last, 0, 0),
		   "Event Total Per second\nfell 8 0\nzero 0 0\n");
	g_regex_unref(view.filter);
	sample_free(last);
	sample_free(now);
}

/* A vCPU is found again by its title: another one has gone. */
static void test_vcpus(void)
{
	struct source_sample *last = sample_new(1), *now = sample_new(2);
	struct view view = { .per_vcpu = true };
	GString *out = g_string_new(NULL);
	const char *line;

	column_add(last, "7-3:0");
	value_add(last, "exits", 1000);
	column_add(last, "7-3:1");
	value_add(last, "exits", 10);
	column_add(now, "7-3:1");
	value_add(now, "exits", 14);
	column_add(now, "8-3:0");
	value_add(now, "exits", 5);
	value_add(now, "wfi", 5);
	KTAP_STREQ(table(&view, now, last, 0, 0),
		   "Event 7-3:1 8-3:0\nexits 4 0\nwfi 0 0\n");
	view_log_header(out, &view, now, true);
	KTAP_STREQ(out->str, "timestamp,7-3:1:exits,7-3:1:wfi,8-3:0:exits,8-3:0:wfi\n");
	g_string_truncate(out, 0);
	view_log_line(out, &view, now, last, true);
	/* The time has no comma. */
	line = strchr(out->str, ',');
	KTAP_ASSERT(line);
	KTAP_EQ(line - out->str, strlen("2026-11-30T05:00:00+0000"));
	KTAP_STREQ(line, ",4,0,0,0\n");
	g_string_free(out, TRUE);
	sample_free(last);
	sample_free(now);
}

/* The values are below the names, also below a long one. */
static void test_log(void)
{
	struct source_sample *last = sample_new(1), *now = sample_new(2);
	struct view view = { 0 };
	GString *out = g_string_new(NULL);

	for (unsigned int i = 0; i < 2; i++) {
		struct source_sample *s = i ? now : last;

		column_add(s, "");
		value_add(s, "a_name_of_22_characters", i * 3);
		value_add(s, "wfi", i * 12);
	}
	view_log_header(out, &view, now, false);
	KTAP_STREQ(out->str, "time     a_name_of_22_characters        wfi\n");
	g_string_truncate(out, 0);
	view_log_line(out, &view, now, last, false);
	KTAP_ASSERT(out->len > 8);
	KTAP_STREQ(out->str + 8, "                       3         12\n");
	g_string_free(out, TRUE);
	sample_free(last);
	sample_free(now);
}

static void test_empty(void)
{
	struct source_sample *now = sample_new(1);
	struct view view = { .per_vcpu = true };

	KTAP_STREQ(table(&view, now, NULL, 0, 0), "Event \n(no virtual machine)\n");
	sample_free(now);
}

KTAP_MAIN(KTAP_CASE(test_rates), KTAP_CASE(test_choice), KTAP_CASE(test_vcpus),
	  KTAP_CASE(test_log), KTAP_CASE(test_empty))

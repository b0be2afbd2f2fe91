// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "options_file.h"
#include "options_table.h"

#define OPTIONS_GROUP	"guest"
#define OPTIONS_MAX_FILE	(1u << 20)

struct options_given {
	GPtrArray *texts;	/* of files, which the options point to */
	GPtrArray *name, *arg;	/* as they were taken; arg may be NULL */
};

static struct options_given *options_given(struct config *config)
{
	if (!config->given) {
		config->given = g_new0(struct options_given, 1);
		config->given->texts = g_ptr_array_new_with_free_func(g_free);
		config->given->name = g_ptr_array_new();
		config->given->arg = g_ptr_array_new();
	}
	return config->given;
}

void options_given_add(struct config *config, const char *name, const char *arg)
{
	struct options_given *given = options_given(config);

	g_ptr_array_add(given->name, (void *)name);
	g_ptr_array_add(given->arg, (void *)arg);
}

void options_given_free(struct config *config)
{
	if (!config->given)
		return;
	g_ptr_array_free(config->given->texts, TRUE);
	g_ptr_array_free(config->given->name, TRUE);
	g_ptr_array_free(config->given->arg, TRUE);
	g_free(config->given);
	config->given = NULL;
}

int options_read(char **text, const char *name, size_t max, const char *label, struct error *err)
{
	FILE *file = fopen(name, "re");
	char *data = g_malloc(max + 1);
	size_t len = 0;
	int ret = 0;

	if (file)
		len = fread(data, 1, max + 1, file);
	if (!file || ferror(file))
		ret = error_errno(err, -errno, "%s", label);
	else if (len > max)
		ret = error_set(err, -EINVAL, "%s: is larger than %zu bytes", label, max);
	else if (memchr(data, 0, len))
		ret = error_set(err, -EINVAL, "%s: is no text", label);
	if (file)
		fclose(file);
	if (ret) {
		g_free(data);
		return ret;
	}
	data[len] = '\0';
	*text = data;
	return 0;
}

/* ---- Reading ---- */

/* One file that is being read. */
struct options_file {
	struct config *config;
	const struct options_table *t;
	const char *name;
	GKeyFile *keys;
	struct error *err;
};

/* The error of an option, with the file's name before it. */
static int options_file_error(struct options_file *f, int ret, const struct error *why)
{
	return error_set(f->err, ret, "%.200s: %.280s", f->name, why->text);
}

/* Of two lines with the same key a key file keeps one. That would lose a disk without a word. */
static int options_file_once(struct options_file *f, const char *text)
{
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	char **lines = g_strsplit(text, "\n", -1);
	int ret = 0;

	for (char **line = lines; *line && !ret; line++) {
		char *end = strchr(*line, '='), *key;

		if (!end || **line == '#' || **line == '[')
			continue;
		key = g_strstrip(g_strndup(*line, end - *line));
		if (g_hash_table_contains(seen, key))
			ret = error_set(f->err, -EINVAL,
					"%s: %s is there twice (several are one list: A;B)", f->name, key);
		g_hash_table_add(seen, key);
	}
	g_strfreev(lines);
	g_hash_table_destroy(seen);
	return ret;
}

/* Keeps @text as long as the options, and takes the option with it. */
static int options_file_take(struct options_file *f, const struct option *o, char *text)
{
	struct error why;
	int ret;

	if (text)
		g_ptr_array_add(options_given(f->config)->texts, text);
	ret = options_take(f->config, f->t, o->val, text, &why);
	return ret ? options_file_error(f, ret, &why) : 0;
}

static int options_file_no_value(struct options_file *f, GError *err)
{
	int ret = error_set(f->err, -EINVAL, "%s: %s", f->name, err->message);

	g_error_free(err);
	return ret;
}

static int options_file_list(struct options_file *f, const struct option *o, const char *key)
{
	GError *err = NULL;
	char **list = g_key_file_get_string_list(f->keys, OPTIONS_GROUP, key, NULL, &err);
	int ret = 0;
	char **text;

	if (err) {
		g_strfreev(list);
		return options_file_no_value(f, err);
	}
	for (text = list; *text; text++) {
		if (ret)
			g_free(*text);
		else
			ret = options_file_take(f, o, *text);
	}
	g_free(list);	/* but not the texts */
	return ret;
}

static int options_file_key(struct options_file *f, const char *key)
{
	const struct option *o = f->t->longs;
	GError *err = NULL;
	char *text;
	bool on;

	while (o->name && strcmp(o->name, key))
		o++;
	if (!o->name)
		return error_set(f->err, -EINVAL, "%s: %s: unknown option", f->name, key);
	if (!options_in_file(o->val))
		return error_set(f->err, -EINVAL, "%s: %s: is for the command line alone", f->name, key);
	if (!o->has_arg) {
		on = g_key_file_get_boolean(f->keys, OPTIONS_GROUP, key, &err);
		if (err)
			return options_file_no_value(f, err);
		return on ? options_file_take(f, o, NULL) : 0;
	}
	if (options_repeats(o->val))
		return options_file_list(f, o, key);
	text = g_key_file_get_string(f->keys, OPTIONS_GROUP, key, &err);
	if (err) {
		g_free(text);
		return options_file_no_value(f, err);
	}
	if (o->has_arg == optional_argument && !*text) {
		g_free(text);
		text = NULL;
	}
	return options_file_take(f, o, text);
}

static int options_file_keys(struct options_file *f)
{
	char **groups = g_key_file_get_groups(f->keys, NULL), **keys;
	int ret = 0;

	for (char **group = groups; *group && !ret; group++)
		if (strcmp(*group, OPTIONS_GROUP))
			ret = error_set(f->err, -EINVAL, "%s: [%s]: is no group (there is [%s])",
					f->name, *group, OPTIONS_GROUP);
	g_strfreev(groups);
	if (ret)
		return ret;
	keys = g_key_file_get_keys(f->keys, OPTIONS_GROUP, NULL, NULL);
	if (!keys)
		return error_set(f->err, -EINVAL, "%s: has no group [%s]", f->name, OPTIONS_GROUP);
	for (char **key = keys; *key && !ret; key++)
		ret = options_file_key(f, *key);
	g_strfreev(keys);
	return ret;
}

int options_read_config(struct config *config, const struct options_table *t, const char *name,
			struct error *err)
{
	struct options_file f = { config, t, name, NULL, err };
	char label[OPTIONS_LABEL], *text;
	GError *why = NULL;
	int ret;

	snprintf(label, sizeof(label), "--config %.200s", name);
	ret = options_read(&text, name, OPTIONS_MAX_FILE, label, err);
	if (ret)
		return ret;
	f.keys = g_key_file_new();
	if (!g_key_file_load_from_data(f.keys, text, strlen(text), G_KEY_FILE_NONE, &why)) {
		ret = options_file_no_value(&f, why);
	} else {
		ret = options_file_once(&f, text);
		if (!ret)
			ret = options_file_keys(&f);
	}
	g_key_file_free(f.keys);
	g_free(text);
	return ret;
}

/* ---- Writing ---- */

/* All arguments that were given to the option @name. */
static void options_write_list(GKeyFile *keys, const struct options_given *given, const char *name)
{
	GPtrArray *list = g_ptr_array_new();

	for (unsigned int i = 0; i < given->name->len; i++)
		if (!strcmp(given->name->pdata[i], name))
			g_ptr_array_add(list, given->arg->pdata[i]);
	g_key_file_set_string_list(keys, OPTIONS_GROUP, name, (const char *const *)list->pdata,
				   list->len);
	g_ptr_array_free(list, TRUE);
}

static GKeyFile *options_make_config(const struct config *config)
{
	const struct options_given *given = config->given;
	GKeyFile *keys = g_key_file_new();
	struct options_table t = { .nr_types = 0 };

	options_table(&t);
	g_key_file_set_comment(keys, NULL, NULL, " armvmm-run --config", NULL);
	for (unsigned int i = 0; given && i < given->name->len; i++) {
		const char *name = given->name->pdata[i];
		const struct option *o = t.longs;

		while (strcmp(o->name, name))
			o++;
		if (!o->has_arg)
			g_key_file_set_boolean(keys, OPTIONS_GROUP, name, TRUE);
		else if (options_repeats(o->val))
			options_write_list(keys, given, name);
		else
			g_key_file_set_string(keys, OPTIONS_GROUP, name,
					      given->arg->pdata[i] ? given->arg->pdata[i] : "");
	}
	return keys;
}

int options_write_config(const struct config *config, const char *name, struct error *err)
{
	bool standard = !strcmp(name, "-");
	FILE *file = standard ? stdout : fopen(name, "we");
	GKeyFile *keys;
	char *text;
	int ret = 0;

	if (!file)
		return error_errno(err, -errno, "--dump-config %s", name);
	keys = options_make_config(config);
	text = g_key_file_to_data(keys, NULL, NULL);
	if (fputs(text, file) < 0 || fflush(file))
		ret = error_errno(err, -errno, "--dump-config %s", name);
	if (!standard && fclose(file) && !ret)
		ret = error_errno(err, -errno, "--dump-config %s", name);
	g_free(text);
	g_key_file_free(keys);
	return ret;
}

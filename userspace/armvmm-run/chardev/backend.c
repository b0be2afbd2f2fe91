// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chardev/backend.h"
#include "core/chardev_private.h"
#include "core/machine.h"

/* Defined by the linker: start and end of the section with the entries of all kinds. */
extern const struct backend_type *const __start_backend_types[] __attribute__((weak));
extern const struct backend_type *const __stop_backend_types[] __attribute__((weak));

const struct backend_type *backend_type_at(unsigned int index)
{
	const struct backend_type *const *at;

	/* The kind before whose name @index other names sort. */
	for (at = __start_backend_types; at < __stop_backend_types; at++) {
		const struct backend_type *const *other;
		unsigned int before = 0;

		for (other = __start_backend_types; other < __stop_backend_types; other++)
			before += strcmp((*other)->name, (*at)->name) < 0;
		if (before == index)
			return *at;
	}
	return NULL;
}

static const struct backend_type *backend_type_find(const char *name, size_t len)
{
	const struct backend_type *type;

	for (unsigned int i = 0; (type = backend_type_at(i)); i++)
		if (strlen(type->name) == len && !memcmp(type->name, name, len))
			break;
	return type;
}

static int backend_find(struct backend *backend, const char *word, struct error *err)
{
	size_t len = strcspn(word, ":");
	const struct backend_type *type = backend_type_find(word, len);

	if (!type)
		return error_set(err, -EINVAL,
				 "%s: must begin with stdio, null, pty, file:PATH or unix:PATH",
				 backend->label);
	if (type->wants_path && (!word[len] || !word[len + 1]))
		return error_set(err, -EINVAL, "%s: names no path (%s)", backend->label,
				 type->args);
	if (!type->wants_path && word[len])
		return error_set(err, -EINVAL, "%s: %s has no path", backend->label, type->name);
	backend->type = type;
	backend->path = type->wants_path ? word + len + 1 : NULL;
	return 0;
}

static int backend_word(struct backend *backend, const char *word,
			int (*other)(void *opaque, const char *word, struct error *err),
			void *opaque, struct error *err)
{
	int ret = backend->type->word ? backend->type->word(backend, word, err) : -ENOENT;

	if (ret == -ENOENT && other)
		ret = other(opaque, word, err);
	if (ret != -ENOENT)
		return ret;
	return error_set(err, -EINVAL, "%s: unknown word \"%s\" (--device help lists those of %s)",
			 backend->label, word, backend->type->name);
}

int backend_parse(struct backend *backend, const char *label, const char *text,
		  int (*other)(void *opaque, const char *word, struct error *err), void *opaque,
		  struct error *err)
{
	char *words, *word;
	int ret;

	*backend = (struct backend){ .label = strdup(label), .words = strdup(text) };
	if (!backend->label || !backend->words)
		return error_errno(err, -ENOMEM, "%s", label);
	words = backend->words;
	word = strsep(&words, ",");
	ret = backend_find(backend, word, err);
	while (!ret && (word = strsep(&words, ",")))
		ret = backend_word(backend, word, other, opaque, err);
	return ret;
}

void backend_release(struct backend *backend)
{
	free(backend->label);
	free(backend->words);
}

int backend_open(struct machine *m, const struct backend *backend, const char *name, bool stream,
		 struct chardev **chr, struct error *err)
{
	static const char nothing[] = "null";
	/* --dump-dtb empties no file, and takes no socket from a guest that runs. */
	const struct backend_type *type = m->described && backend->type->opens ?
		backend_type_find(nothing, strlen(nothing)) : backend->type;
	int ret = type->create(m, backend, stream, chr, err);

	/* The terminal is the program's, and is in no list. */
	if (ret || *chr == m->terminal)
		return ret;
	snprintf((*chr)->label, sizeof((*chr)->label), "%s", name);
	if (!chardev_list_add(&m->chardevs, *chr))
		return 0;
	(*chr)->ops->destroy(*chr);
	*chr = NULL;
	return error_set(err, -EEXIST, "%s: there is another console of the name %s",
			 backend->label, name);
}

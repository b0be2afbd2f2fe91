/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kinds of back ends that a serial device may have: --serial KIND[:PATH][,WORD]... A kind is
 * one file that registers it. Each may be used by one device; the terminal also by those that each
 * machine has. Main thread, before the first vCPU runs.
 */
#ifndef ARMVMM_RUN_BACKEND_H
#define ARMVMM_RUN_BACKEND_H

#include <stdbool.h>

#include "core/device_type.h"
#include "core/error.h"

struct backend_type;
struct chardev;
struct machine;

/* What a person asked for. */
struct backend {
	const struct backend_type *type;
	char *label;		/* as typed, for messages */
	char *words;		/* what the rest points into */
	const char *path;	/* NULL: none */
	const char *link;	/* where a link to it is made; NULL: nowhere */
	bool append;		/* to a file that there is */
};

struct backend_type {
	const char *name;	/* "unix" */
	const char *args;	/* "unix:PATH" */
	const char *summary;
	const struct device_word *words;	/* ends with a NULL word; NULL: none */
	bool wants_path;
	bool opens;	/* it opens, or makes, something of the host's */

	/* Takes a word. Returns 0, -ENOENT for one that it does not know, or an error. Optional. */
	int (*word)(struct backend *backend, const char *word, struct error *err);

	/*
	 * Makes one. @stream: what passes is a program's data, of which nothing may be lost, added
	 * or left out; else it is text for a person. Returns 0, or -errno with @err set.
	 */
	int (*create)(struct machine *m, const struct backend *backend, bool stream,
		      struct chardev **chr, struct error *err);
};

/* At the end of a kind's file. */
#define BACKEND_TYPE(type)						\
	static const struct backend_type *const type##_entry		\
	__attribute__((section("backend_types"), used)) = &(type)

/* The @index-th kind (in order of their names), or NULL. */
const struct backend_type *backend_type_at(unsigned int index);

/*
 * Takes KIND[:PATH][,WORD]..., which @label (as typed) is about. Words that the kind does not know
 * are given to @other, which returns -ENOENT for those that it does not know either. NULL: there
 * are no others. backend_release() is to be called in any case. Returns 0, or -EINVAL with @err
 * set.
 */
int backend_parse(struct backend *backend, const char *label, const char *text,
		  int (*other)(void *opaque, const char *word, struct error *err), void *opaque,
		  struct error *err);
void backend_release(struct backend *backend);

/*
 * Makes what was asked for, known to clients of the control socket as @name. The machine destroys
 * it at its end. Returns 0, or -errno with @err set.
 */
int backend_open(struct machine *m, const struct backend *backend, const char *name, bool stream,
		 struct chardev **chr, struct error *err);

#endif /* ARMVMM_RUN_BACKEND_H */

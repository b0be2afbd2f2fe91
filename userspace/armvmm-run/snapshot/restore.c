// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libarmvmm.h>
#include <string.h>

#include "core/machine_private.h"
#include "core/read_full.h"
#include "core/runstate.h"
#include "snapshot/layout.h"
#include "snapshot/restore.h"

struct restore {
	struct machine *m;
	struct part_reader reader;
	struct places *places;	/* NULL: memory is read at once */
	struct error *err;
};

static int64_t restore_fill(void *opaque, void *data, size_t len)
{
	return read_full(*(const int *)opaque, data, len, NULL);
}

/* Refuses a part whose contents have another version. */
static int restore_version(struct restore *s, uint32_t version)
{
	if (s->reader.version == version)
		return 0;
	return part_error(&s->reader, -EPROTONOSUPPORT, s->err,
			  "has version %u, and this program knows version %u", s->reader.version,
			  version);
}

/* Reads the part @name, whose contents must have @version. */
static int restore_part(struct restore *s, const char *name, uint32_t version)
{
	int ret = part_read(&s->reader, name, s->err);

	return ret ? ret : restore_version(s, version);
}

static int restore_facts(struct restore *s, struct facts *facts)
{
	struct facts here;
	struct record r;
	int ret = part_read(&s->reader, FACTS_PART, s->err);

	if (!ret && (s->reader.version < FACTS_OLD || s->reader.version > FACTS_VERSION))
		ret = restore_version(s, FACTS_VERSION);
	if (ret)
		return ret;
	facts_get(&here, s->m);
	record_open(&r, s->reader.data, s->reader.len);
	ret = facts_restore(facts, &here, &r);
	return ret ? part_error(&s->reader, ret, s->err, "%s", r.err.text) : 0;
}

static int restore_cpus(struct restore *s)
{
	int ret = restore_part(s, LAYOUT_CPUS, LAYOUT_CPUS_VERSION);

	if (ret)
		return ret;
	ret = armvmm_vm_state_restore(s->m->priv->vm, s->reader.data, s->reader.len);
	switch (ret) {
	case 0:
		return 0;
	case -EPROTONOSUPPORT:
		return part_error(&s->reader, ret, s->err, "is of another version of libarmvmm");
	case -EINVAL:
	case -ENOENT:
		return part_error(&s->reader, ret, s->err,
				  "the hypervisor does not take it: the guest ran on CPUs of another kind");
	default:
		return part_error(&s->reader, ret, s->err, "%s", strerror(-ret));
	}
}

static int restore_device(struct restore *s, struct device *dev)
{
	char name[DEVICE_NAME_MAX];
	struct record r;
	int ret;

	device_name(dev, name);
	ret = restore_part(s, name, dev->ops->state_version);
	if (!ret && !dev->ops->restore)
		ret = part_error(&s->reader, -ENOTSUP, s->err, "this device cannot be restored");
	if (ret)
		return ret;
	record_open(&r, s->reader.data, s->reader.len);
	ret = dev->ops->restore(dev, &r);
	if (!ret)
		ret = record_close(&r);
	return ret ? part_error(&s->reader, ret, s->err, "%s", r.err.text) : 0;
}

static int restore_console(struct restore *s)
{
	int ret = restore_part(s, LAYOUT_CONSOLE, LAYOUT_CONSOLE_VERSION);

	if (ret)
		return ret;
	if (s->reader.len > LAYOUT_CONSOLE_MAX)
		return part_error(&s->reader, -EBADMSG, s->err, "is larger than any");
	chardev_put_kept(s->m->chardev, s->reader.data, s->reader.len);
	return 0;
}

static int restore_end(struct restore *s, const struct layout_end *found, uint32_t heads)
{
	bool old = s->reader.version == LAYOUT_END_VERSION;
	struct layout_end_file end;

	if ((!old && s->reader.version != LAYOUT_END_FILE) ||
	    s->reader.len != (old ? sizeof(end.count) : sizeof(end)))
		return part_error(&s->reader, -EBADMSG, s->err, "is none that was written here");
	memcpy(&end, s->reader.data, s->reader.len);
	if (end.count.parts != found->parts || end.count.pages != found->pages)
		return part_error(&s->reader, -EBADMSG, s->err,
				  "counts %llu pages of memory in %llu parts, and there are %llu in %llu",
				  (unsigned long long)end.count.pages,
				  (unsigned long long)end.count.parts,
				  (unsigned long long)found->pages,
				  (unsigned long long)found->parts);
	if (old && s->places)
		return part_error(&s->reader, -EPROTONOSUPPORT, s->err,
				  "an older version has written it, which cannot be restored with --lazy-restore");
	/* Of a part that is read later, nobody has seen yet that its head is whole. */
	if (!old && end.heads != heads)
		return part_error(&s->reader, -EBADMSG, s->err,
				  "a part of memory begins in another way than it says: one of them is damaged");
	return part_close(&s->reader, s->err);
}

/* Storage may be so slow that somebody would take us for dead. */
static void restore_goes_on(struct restore *s)
{
	machine_tell(s->m, &(struct machine_event){ .type = MACHINE_EVENT_READING });
}

/* Where it is, or ... */
static int restore_places(struct restore *s)
{
	struct layout_end found = { .parts = 0 };

	for (;;) {
		int ret = places_read(s->places, &s->reader, &found.pages, s->err);

		if (ret)
			return ret;
		if (!strcmp(s->reader.name, PART_END))
			break;
		found.parts++;
		restore_goes_on(s);
	}
	return restore_end(s, &found, places_heads(s->places));
}

/* ... all of it. */
static int restore_pages(struct restore *s)
{
	/* What adds to another snapshot may also tell of pages that have become zero. */
	uint32_t version = s->reader.base ? PAGES_LIVE : PAGES_VERSION;
	struct layout_end found = { .parts = 0 };
	struct pages_layout layout;
	struct pages_reader *p;
	int ret;

	layout_memory(s->m, &layout);
	p = pages_reader_new(&layout, version);
	if (!p)
		return error_errno(s->err, -ENOMEM, "%s", s->reader.file);
	for (;;) {
		ret = part_read_either(&s->reader, PAGES_PART, PART_END, s->err);
		if (ret || !strcmp(s->reader.name, PART_END))
			break;
		ret = pages_read(p, &s->reader, &found.pages, s->err);
		if (ret)
			break;
		found.parts++;
		restore_goes_on(s);
	}
	if (!ret)
		ret = restore_end(s, &found, pages_reader_heads(p));
	pages_reader_free(p);
	return ret;
}

static int restore_memory(struct restore *s)
{
	return s->places ? restore_places(s) : restore_pages(s);
}

/* Another snapshot adds to this one, and has all but its memory anew. */
static int restore_base(struct restore *s)
{
	struct facts facts;
	int ret = part_open(&s->reader, s->err);

	if (!ret)
		ret = restore_facts(s, &facts);
	if (!ret)
		ret = part_read(&s->reader, LAYOUT_CPUS, s->err);
	for (unsigned int i = 0; !ret && i < s->m->bus.nr; i++) {
		char name[DEVICE_NAME_MAX];

		device_name(s->m->bus.dev[i], name);
		ret = part_read(&s->reader, name, s->err);
	}
	if (!ret)
		ret = part_read(&s->reader, LAYOUT_CONSOLE, s->err);
	return ret ? ret : restore_memory(s);
}

static int restore_all(struct restore *s, struct facts *facts)
{
	int ret = part_open(&s->reader, s->err);

	if (!ret)
		ret = restore_facts(s, facts);
	if (!ret)
		ret = restore_cpus(s);
	for (unsigned int i = 0; !ret && i < s->m->bus.nr; i++)
		ret = restore_device(s, s->m->bus.dev[i]);
	if (!ret)
		ret = restore_console(s);
	if (!ret)
		ret = restore_memory(s);
	if (ret)
		return ret;
	ret = machine_raise_lines(s->m);
	return ret ? error_errno(s->err, ret, "%s: interrupt lines", s->reader.file) : 0;
}

int restore_from(struct machine *m, int64_t (*read)(void *opaque, void *data, size_t len),
		 void *opaque, const char *file, struct facts *facts, struct error *err)
{
	struct restore s = {
		.m = m, .err = err,
		.reader = { .read = read, .opaque = opaque, .file = file },
	};
	int ret = restore_all(&s, facts);

	part_reader_free(&s.reader);
	return ret;
}

static int restore_file(struct restore *s, const struct restore_file *file, bool last,
			struct facts *facts)
{
	int ret = 0;

	if (s->places)
		ret = places_begin_file(s->places, &s->reader, file->fd, file->name, s->err);
	if (!ret)
		ret = last ? restore_all(s, facts) : restore_base(s);
	if (!ret && s->places)
		places_end_file(s->places, &s->reader);
	return ret;
}

int restore_machine(struct machine *m, const struct restore_file *file, unsigned int nr,
		    struct places *places, struct facts *facts, struct error *err)
{
	uint8_t base[PART_ID_SIZE];
	int ret = 0;

	for (unsigned int i = 0; !ret && i < nr; i++) {
		struct restore s = {
			.m = m, .err = err, .places = places,
			.reader = { .read = restore_fill, .opaque = (void *)&file[i].fd,
				    .file = file[i].name, .base = i ? base : NULL },
		};

		ret = restore_file(&s, &file[i], i + 1 == nr, facts);
		memcpy(base, s.reader.id, sizeof(base));
		part_reader_free(&s.reader);
	}
	return ret;
}

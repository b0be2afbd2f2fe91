// SPDX-License-Identifier: GPL-2.0-only
/*
 * ramoops: the last piece of the guest's RAM, which a reset leaves as it is. The device tree
 * reserves it and says what is in it, so that Linux (pstore) keeps there what its last run printed:
 * the binding is reserved-memory/ramoops.yaml of Linux.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/device_type.h"
#include "core/fdt_builder.h"
#include "core/machine.h"
#include "core/parse.h"
#include "core/record.h"

#define RAMOOPS_KIB		1024u
#define RAMOOPS_MAX		(16u << 20)
#define RAMOOPS_SIZE		(256 * RAMOOPS_KIB)
#define RAMOOPS_RECORD_SIZE	(16 * RAMOOPS_KIB)
#define RAMOOPS_CONSOLE_SIZE	(64 * RAMOOPS_KIB)

/* Ordinary memory, as the guest's other RAM is: kernels before 5.17 do not know the property. */
#define RAMOOPS_MEM_CACHED	2

struct ramoops_config {
	uint32_t size, record_size, console_size;	/* bytes */
};

struct ramoops {
	struct device dev;
	struct ramoops_config config;
	uint64_t base, size;	/* for snapshots: they have to be alike */
};

static const struct ramoops_config ramoops_default = {
	.size = RAMOOPS_SIZE,
	.record_size = RAMOOPS_RECORD_SIZE,
	.console_size = RAMOOPS_CONSOLE_SIZE,
};

static const struct ramoops_config *ramoops_config(const void *config)
{
	return config ? config : &ramoops_default;
}

static void ramoops_fdt(struct device *dev, struct fdt_builder *fdt)
{
	struct ramoops *r = container_of(dev, struct ramoops, dev);

	fdt_node_begin(fdt, "reserved-memory");
	fdt_prop_u32(fdt, "#address-cells", 2);
	fdt_prop_u32(fdt, "#size-cells", 2);
	fdt_prop_empty(fdt, "ranges");
	fdt_node_begin(fdt, "ramoops@%llx", (unsigned long long)r->base);
	fdt_prop_string(fdt, "compatible", "ramoops");
	fdt_prop_reg(fdt, r->base, r->size);
	fdt_prop_u32(fdt, "record-size", r->config.record_size);
	if (r->config.console_size)
		fdt_prop_u32(fdt, "console-size", r->config.console_size);
	fdt_prop_u32(fdt, "mem-type", RAMOOPS_MEM_CACHED);
	fdt_node_end(fdt);
	fdt_node_end(fdt);
}

/* It keeps what it has: that is all it is for. */
static void ramoops_reset(struct device *dev)
{
}

/* What is in it is the guest's RAM, and saved with that. */
static const struct record_field ramoops_state[] = {
	RECORD_FIELD(struct ramoops, base, UINT64_MAX),
	RECORD_FIELD(struct ramoops, size, UINT64_MAX),
};

static void ramoops_save(struct device *dev, struct record *r)
{
	record_put_fields(r, container_of(dev, struct ramoops, dev), ramoops_state,
			  RECORD_NR(ramoops_state));
}

static int ramoops_restore(struct device *dev, struct record *r)
{
	const struct ramoops *here = container_of(dev, struct ramoops, dev);
	struct ramoops there = { .base = 0 };

	if (record_get_fields(r, &there, ramoops_state, RECORD_NR(ramoops_state)))
		return r->ret;
	if (there.base == here->base && there.size == here->size)
		return 0;
	return record_refuse(r, "it had %llu KiB, and has %llu here (size=)",
			     (unsigned long long)there.size / RAMOOPS_KIB,
			     (unsigned long long)here->size / RAMOOPS_KIB);
}

static void ramoops_destroy(struct device *dev)
{
	free(container_of(dev, struct ramoops, dev));
}

static const struct device_ops ramoops_ops = {
	.name = "ramoops",
	.fdt = ramoops_fdt,
	.reset = ramoops_reset,
	.save = ramoops_save,
	.restore = ramoops_restore,
	.state_version = 1,
	.destroy = ramoops_destroy,
};

static int ramoops_create(struct machine *m, const void *config, struct error *err)
{
	struct ramoops *r;
	int ret;

	if (m->firmware)
		return error_set(err, -EINVAL,
				 "ramoops: firmware does not leave alone what the device tree reserves: start the kernel without --firmware");
	r = calloc(1, sizeof(*r));
	if (!r)
		return error_errno(err, -ENOMEM, "ramoops");
	r->config = *ramoops_config(config);
	r->base = m->mem.kept_gpa;
	r->size = m->mem.kept_size;
	r->dev.ops = &ramoops_ops;
	r->dev.base = r->base;
	ret = device_register(&m->bus, &r->dev);
	if (ret) {
		free(r);
		return error_errno(err, ret, "ramoops");
	}
	return 0;
}

/* ---- Options ---- */

static uint64_t ramoops_keeps(const void *config)
{
	return ramoops_config(config)->size;
}

/* A number of KiB, or of MiB with M behind it. */
static int ramoops_parse_size(const char *text, uint32_t *size)
{
	const char *end = text + strlen(text);
	uint32_t unit = RAMOOPS_KIB;
	uint64_t n;

	if (end > text && strchr("kKmM", end[-1])) {
		end--;
		unit = *end == 'm' || *end == 'M' ? RAMOOPS_KIB * RAMOOPS_KIB : unit;
	}
	if (parse_number(text, end, RAMOOPS_MAX / unit, &n))
		return -EINVAL;
	*size = n * unit;
	return 0;
}

static int ramoops_parse_word(struct ramoops_config *config, const char *label, const char *word,
			      struct error *err)
{
	const struct {
		const char *name;
		uint32_t *size;
	} sizes[] = {
		{ "size", &config->size }, { "record-size", &config->record_size },
		{ "console-size", &config->console_size },
	};

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const char *text = parse_value(word, sizes[i].name);

		if (text && ramoops_parse_size(text, sizes[i].size))
			return error_set(err, -EINVAL,
					 "%s: %s: must be a number of KiB, or of MiB with M behind it, up to 16M",
					 label, word);
		if (text)
			return 0;
	}
	return error_set(err, -EINVAL, "%s: unknown word \"%s\"", label, word);
}

static bool ramoops_is_power(uint32_t n)
{
	return n && !(n & (n - 1));
}

/* Linux would round a record down to a power of two. */
static int ramoops_check(const struct ramoops_config *c, const char *label, struct error *err)
{
	if (!c->size || c->size % GUESTMEM_PAGE)
		return error_set(err, -EINVAL, "%s: size must be a multiple of 4K", label);
	if (!ramoops_is_power(c->record_size) || c->record_size < GUESTMEM_PAGE ||
	    (c->console_size && (!ramoops_is_power(c->console_size) ||
				 c->console_size < GUESTMEM_PAGE)))
		return error_set(err, -EINVAL,
				 "%s: record-size and console-size must be 4K or more, and powers of two",
				 label);
	if ((uint64_t)c->record_size + c->console_size > c->size)
		return error_set(err, -EINVAL, "%s: has no room for a record and the console in %uK",
				 label, c->size / RAMOOPS_KIB);
	return 0;
}

static int ramoops_parse(const char *label, const char *args, void **out, struct error *err)
{
	struct ramoops_config *config = *out = malloc(sizeof(*config));
	char *words = args ? strdup(args) : NULL, *rest = words, *word;
	int ret = 0;

	if (!config || (args && !words)) {
		free(words);
		return error_errno(err, -ENOMEM, "%s", label);
	}
	*config = ramoops_default;
	while (!ret && words && (word = strsep(&rest, ",")))
		ret = ramoops_parse_word(config, label, word, err);
	free(words);
	return ret ? ret : ramoops_check(config, label, err);
}

static const struct device_word ramoops_words[] = {
	{ "size=SIZE", "KiB, or MiB with M, at the end of memory (256K)" },
	{ "record-size=SIZE", "for each panic or oops, a power of two (16K)" },
	{ "console-size=SIZE", "for what the kernel printed last, a power of two, or 0 (64K)" },
	{ NULL, NULL },
};

static const struct device_type ramoops_type = {
	.name = "ramoops",
	.summary = "memory that a reset keeps, for Linux' last words (pstore)",
	.words = ramoops_words,
	.max = 1,
	.order = 72,
	.parse = ramoops_parse,
	.release = free,
	.keeps_memory = ramoops_keeps,
	.create = ramoops_create,
};
DEVICE_TYPE(ramoops_type);

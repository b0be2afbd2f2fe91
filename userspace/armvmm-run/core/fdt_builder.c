// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/fdt_builder.h"

/* Runs one libfdt step unless an earlier one failed. */
#define FDT_STEP(b, step)						\
	do {								\
		if (!(b)->error)					\
			(b)->error = (step);				\
	} while (0)

void fdt_builder_init(struct fdt_builder *b, void *buf, size_t size)
{
	*b = (struct fdt_builder){ .buf = buf, .size = size };
	FDT_STEP(b, fdt_create(buf, size));
	FDT_STEP(b, fdt_finish_reservemap(buf));
}

int fdt_builder_finish(struct fdt_builder *b)
{
	FDT_STEP(b, fdt_finish(b->buf));
	if (b->error)
		return b->error == -FDT_ERR_NOSPACE ? -ENOSPC : -EINVAL;
	return fdt_totalsize(b->buf);
}

void fdt_node_begin(struct fdt_builder *b, const char *fmt, ...)
{
	char name[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	FDT_STEP(b, fdt_begin_node(b->buf, name));
}

void fdt_node_end(struct fdt_builder *b)
{
	FDT_STEP(b, fdt_end_node(b->buf));
}

void fdt_prop_bytes(struct fdt_builder *b, const char *name, const void *data, size_t len)
{
	FDT_STEP(b, fdt_property(b->buf, name, data, len));
}

void fdt_prop_empty(struct fdt_builder *b, const char *name)
{
	fdt_prop_bytes(b, name, NULL, 0);
}

void fdt_prop_u32(struct fdt_builder *b, const char *name, uint32_t value)
{
	FDT_STEP(b, fdt_property_u32(b->buf, name, value));
}

void fdt_prop_u64(struct fdt_builder *b, const char *name, uint64_t value)
{
	FDT_STEP(b, fdt_property_u64(b->buf, name, value));
}

void fdt_prop_cells(struct fdt_builder *b, const char *name, unsigned int n,
		    const uint32_t *cells)
{
	void *place = NULL;

	FDT_STEP(b, fdt_property_placeholder(b->buf, name, n * sizeof(*cells), &place));
	for (unsigned int i = 0; !b->error && i < n; i++)
		fdt32_st((char *)place + i * sizeof(*cells), cells[i]);
}

void fdt_prop_string(struct fdt_builder *b, const char *name, const char *value)
{
	FDT_STEP(b, fdt_property_string(b->buf, name, value));
}

void fdt_prop_reg(struct fdt_builder *b, uint64_t base, uint64_t size)
{
	const uint32_t cells[] = { base >> 32, base, size >> 32, size };

	fdt_prop_cells(b, "reg", 4, cells);
}

void fdt_prop_spi(struct fdt_builder *b, unsigned int spi, uint32_t flags)
{
	const uint32_t cells[] = { 0, spi, flags };

	fdt_prop_cells(b, "interrupts", 3, cells);
}

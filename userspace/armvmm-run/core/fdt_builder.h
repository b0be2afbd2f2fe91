/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a flattened device tree front to back with libfdt. Errors stick: after the first one,
 * calls do nothing, and fdt_builder_finish() returns it.
 */
#ifndef ARMVMM_RUN_FDT_BUILDER_H
#define ARMVMM_RUN_FDT_BUILDER_H

#include <stddef.h>
#include <stdint.h>

/* Phandles of nodes that others refer to. */
enum fdt_phandle {
	FDT_PHANDLE_INTC = 1,
	FDT_PHANDLE_APB_PCLK,
	FDT_PHANDLE_GPIO,
	FDT_PHANDLE_MSI,
	FDT_PHANDLE_TIMER_CLK,
	FDT_PHANDLE_SYSREG,
};

/* Interrupt specifier flags of the GIC binding. */
#define FDT_IRQ_EDGE_RISING	1
#define FDT_IRQ_LEVEL_HIGH	4

struct fdt_builder {
	void *buf;
	size_t size;
	int error;		/* first libfdt error, 0 for none */
};

/* @buf of @size bytes is the caller's. */
void fdt_builder_init(struct fdt_builder *b, void *buf, size_t size);

/* Ends the tree. Returns its size in bytes, or -ENOSPC / -EINVAL. */
int fdt_builder_finish(struct fdt_builder *b);

void fdt_node_begin(struct fdt_builder *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void fdt_node_end(struct fdt_builder *b);

void fdt_prop_empty(struct fdt_builder *b, const char *name);
void fdt_prop_u32(struct fdt_builder *b, const char *name, uint32_t value);
void fdt_prop_u64(struct fdt_builder *b, const char *name, uint64_t value);
void fdt_prop_cells(struct fdt_builder *b, const char *name, unsigned int n,
		    const uint32_t *cells);
void fdt_prop_string(struct fdt_builder *b, const char *name, const char *value);
/* @len bytes as they are: a string list ("a\0b", sizeof) or raw data. */
void fdt_prop_bytes(struct fdt_builder *b, const char *name, const void *data, size_t len);

/* reg = <base size>, two cells each, as the root node declares. */
void fdt_prop_reg(struct fdt_builder *b, uint64_t base, uint64_t size);
/* interrupts = <0 spi flags>, for a child of the GIC's interrupt-parent. */
void fdt_prop_spi(struct fdt_builder *b, unsigned int spi, uint32_t flags);

#endif /* ARMVMM_RUN_FDT_BUILDER_H */

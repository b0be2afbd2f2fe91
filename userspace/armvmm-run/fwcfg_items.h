/* SPDX-License-Identifier: GPL-2.0-only */
/* What fw_cfg tells firmware about this run: its memory and CPUs, and what to boot. */
#ifndef ARMVMM_RUN_FWCFG_ITEMS_H
#define ARMVMM_RUN_FWCFG_ITEMS_H

#include "boot/loader.h"
#include "core/config.h"
#include "core/fwcfg_item.h"

#define FWCFG_ITEMS	10

struct fwcfg_items {
	unsigned int nr;
	struct fwcfg_item item[FWCFG_ITEMS];
	/* Little-endian, as the host is. */
	uint64_t ram_size;
	uint32_t kernel_size, initrd_size, cmdline_size;
	uint16_t nr_cpus, nographic;
};

/*
 * @loader and @config must outlive @items. Kernel, initrds and command line are included only if
 * firmware starts: else the guest has them already.
 */
void fwcfg_items_make(struct fwcfg_items *items, const struct config *config,
		      struct loader *loader);

#endif /* ARMVMM_RUN_FWCFG_ITEMS_H */

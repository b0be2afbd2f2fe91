// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "fwcfg_items.h"

static struct fwcfg_item *fwcfg_items_add(struct fwcfg_items *f, uint16_t key, const void *data,
					  uint32_t size)
{
	struct fwcfg_item *item = &f->item[f->nr++];

	*item = (struct fwcfg_item){ .key = key, .data = data, .size = size };
	return item;
}

static void fwcfg_items_add_file(struct fwcfg_items *f, uint16_t key, struct loader *loader,
				 uint32_t size,
				 int (*read)(void *opaque, uint32_t offset, void *buf,
					     uint32_t len))
{
	struct fwcfg_item *item = fwcfg_items_add(f, key, NULL, size);

	item->read = read;
	item->opaque = loader;
}

void fwcfg_items_make(struct fwcfg_items *f, const struct config *config, struct loader *loader)
{
	*f = (struct fwcfg_items){
		.ram_size = config->memory,
		.nr_cpus = config->nr_cpus,
		.nographic = 1,
	};
	fwcfg_items_add(f, FWCFG_RAM_SIZE, &f->ram_size, sizeof(f->ram_size));
	fwcfg_items_add(f, FWCFG_NOGRAPHIC, &f->nographic, sizeof(f->nographic));
	fwcfg_items_add(f, FWCFG_NB_CPUS, &f->nr_cpus, sizeof(f->nr_cpus));
	fwcfg_items_add(f, FWCFG_MAX_CPUS, &f->nr_cpus, sizeof(f->nr_cpus));
	if (!loader->firmware)
		return;
	/* Neither is larger than the guest's memory: else it was refused. */
	if (loader->kernel.fd >= 0) {
		f->kernel_size = loader->kernel.size;
		fwcfg_items_add(f, FWCFG_KERNEL_SIZE, &f->kernel_size, sizeof(f->kernel_size));
		fwcfg_items_add_file(f, FWCFG_KERNEL_DATA, loader, f->kernel_size,
				     loader_read_kernel);
	}
	if (loader->initrd_size) {
		f->initrd_size = loader->initrd_size;
		fwcfg_items_add(f, FWCFG_INITRD_SIZE, &f->initrd_size, sizeof(f->initrd_size));
		fwcfg_items_add_file(f, FWCFG_INITRD_DATA, loader, f->initrd_size,
				     loader_read_initrd);
	}
	if (config->append) {
		f->cmdline_size = strlen(config->append) + 1;
		fwcfg_items_add(f, FWCFG_CMDLINE_SIZE, &f->cmdline_size, sizeof(f->cmdline_size));
		fwcfg_items_add(f, FWCFG_CMDLINE_DATA, config->append, f->cmdline_size);
	}
}

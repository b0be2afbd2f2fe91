// SPDX-License-Identifier: GPL-2.0-only
/*
 * fw_cfg: numbered items by which QEMU tells firmware about the machine, and passes it what to boot
 * (QEMU's docs/specs/fw_cfg.rst). The guest selects an item and reads its bytes one after the
 * other, or writes a descriptor that has them copied to its memory.
 */
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/device_type.h"
#include "core/fdt_builder.h"
#include "core/fwcfg_item.h"
#include "core/machine.h"
#include "core/record.h"

/* Registers: the data is a string of bytes, the other two are big-endian. */
/* 0x00: the data, 8 bytes; a read of any of them gets the item's next byte */
#define FWCFG_SELECTOR	0x08	/* 2 bytes */
#define FWCFG_DMA	0x10	/* 8 bytes, or the upper 4 and then the lower 4 */
#define FWCFG_SIZE	0x18

#define FWCFG_DMA_MAGIC	0x51454d5520434647ull	/* "QEMU CFG" */

/* A descriptor's control word. */
#define FWCFG_CTL_ERROR		0x01
#define FWCFG_CTL_READ		0x02
#define FWCFG_CTL_SKIP		0x04
#define FWCFG_CTL_SELECT	0x08
#define FWCFG_CTL_WRITE		0x10

/* Zeroes that one descriptor may read behind an item's end. More is an error. */
#define FWCFG_BEYOND	(1u << 20)

struct fwcfg_descriptor {
	uint32_t control;
	uint32_t length;
	uint64_t address;
};

struct fwcfg {
	struct device dev;
	struct machine *m;
	pthread_mutex_t lock;	/* all below */
	uint16_t selected;
	uint64_t at;		/* position within the item; may be beyond its end */
	uint32_t dma_high;
};

static const uint32_t fwcfg_features = 3;	/* little-endian: by register, and by DMA */
static const uint32_t fwcfg_no_files;		/* the directory's number of files */

static const struct fwcfg_item fwcfg_items[] = {
	{ .key = FWCFG_SIGNATURE, .size = 4, .data = "QEMU" },
	{ .key = FWCFG_ID, .size = sizeof(fwcfg_features), .data = &fwcfg_features },
	{ .key = FWCFG_FILE_DIR, .size = sizeof(fwcfg_no_files), .data = &fwcfg_no_files },
};

static const struct fwcfg_item *fwcfg_search(const struct fwcfg_item *items, unsigned int nr,
					     uint16_t key)
{
	for (unsigned int i = 0; i < nr; i++)
		if (items[i].key == key)
			return &items[i];
	return NULL;
}

/* The item, or NULL: it has no bytes then. */
static const struct fwcfg_item *fwcfg_item(const struct fwcfg *f)
{
	const struct fwcfg_item *item =
		fwcfg_search(f->m->fwcfg_items, f->m->nr_fwcfg_items, f->selected);

	return item ? item : fwcfg_search(fwcfg_items,
					  sizeof(fwcfg_items) / sizeof(fwcfg_items[0]),
					  f->selected);
}

/* Bytes of the item from the current position on. */
static uint32_t fwcfg_left(const struct fwcfg *f, const struct fwcfg_item *item)
{
	return item && f->at < item->size ? item->size - f->at : 0;
}

/* Reads the next @len bytes; zeroes behind the item's end. Returns 0 or -errno. */
static int fwcfg_take(struct fwcfg *f, uint8_t *buf, uint32_t len)
{
	const struct fwcfg_item *item = fwcfg_item(f);
	uint32_t left = fwcfg_left(f, item), n = len < left ? len : left;
	int ret = 0;

	if (n && item->data)
		memcpy(buf, (const uint8_t *)item->data + f->at, n);
	else if (n)
		ret = item->read(item->opaque, f->at, buf, n);
	memset(buf + n, 0, len - n);
	f->at += len;
	return ret;
}

static void fwcfg_select(struct fwcfg *f, uint16_t key)
{
	f->selected = key;
	f->at = 0;
}

/* ---- DMA ---- */

static int fwcfg_dma_read(struct fwcfg *f, uint64_t gpa, uint32_t len)
{
	uint32_t left = fwcfg_left(f, fwcfg_item(f));
	uint8_t *buf = guestmem_ptr(&f->m->mem, gpa, len);
	int ret;

	if (!len)
		return 0;
	if (!buf || (len > left && len - left > FWCFG_BEYOND))
		return -EFAULT;
	ret = fwcfg_take(f, buf, len);
	guestmem_wrote(&f->m->mem, buf, len);
	return ret;
}

/* No item can be written. */
static int fwcfg_dma_run(struct fwcfg *f, const struct fwcfg_descriptor *d)
{
	uint32_t control = be32toh(d->control), len = be32toh(d->length);

	if (control & FWCFG_CTL_SELECT)
		fwcfg_select(f, control >> 16);
	if (control & FWCFG_CTL_READ)
		return fwcfg_dma_read(f, be64toh(d->address), len);
	if (control & FWCFG_CTL_WRITE)
		return len ? -EPERM : 0;
	if (control & FWCFG_CTL_SKIP)
		f->at += len;
	return 0;
}

/* The guest polls the control word until it is 0 or an error. */
static void fwcfg_dma(struct fwcfg *f, uint64_t gpa)
{
	struct fwcfg_descriptor d;
	uint32_t result;

	if (guestmem_read(&f->m->mem, gpa, &d, sizeof(d))) {
		machine_note(f->m, "fw_cfg: a descriptor at 0x%llx, where no memory is",
			     (unsigned long long)gpa);
		return;
	}
	result = htobe32(fwcfg_dma_run(f, &d) ? FWCFG_CTL_ERROR : 0);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	guestmem_write(&f->m->mem, gpa, &result, sizeof(result));
}

/* ---- Registers ---- */

static uint64_t fwcfg_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct fwcfg *f = container_of(dev, struct fwcfg, dev);
	uint64_t value = 0;

	/* Big-endian: the byte at the lowest address is the highest. */
	if (offset >= FWCFG_DMA)
		return htobe64(FWCFG_DMA_MAGIC) >> 8 * (offset - FWCFG_DMA);
	if (offset >= FWCFG_SELECTOR)
		return 0;
	pthread_mutex_lock(&f->lock);
	if (fwcfg_take(f, (uint8_t *)&value, len))
		value = 0;
	pthread_mutex_unlock(&f->lock);
	return value;
}

static void fwcfg_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct fwcfg *f = container_of(dev, struct fwcfg, dev);

	pthread_mutex_lock(&f->lock);
	if (offset == FWCFG_SELECTOR && len == 2) {
		fwcfg_select(f, be16toh(value));
	} else if (offset == FWCFG_DMA && len == 8) {
		f->dma_high = 0;
		fwcfg_dma(f, be64toh(value));
	} else if (offset == FWCFG_DMA && len == 4) {
		f->dma_high = be32toh(value);
	} else if (offset == FWCFG_DMA + 4 && len == 4) {
		uint64_t gpa = (uint64_t)f->dma_high << 32 | be32toh(value);

		f->dma_high = 0;
		fwcfg_dma(f, gpa);
	}
	pthread_mutex_unlock(&f->lock);
}

static void fwcfg_fdt(struct device *dev, struct fdt_builder *fdt)
{
	fdt_node_begin(fdt, "fw-cfg@%llx", (unsigned long long)dev->base);
	fdt_prop_string(fdt, "compatible", "qemu,fw-cfg-mmio");
	fdt_prop_reg(fdt, dev->base, dev->size);
	fdt_prop_empty(fdt, "dma-coherent");
	fdt_node_end(fdt);
}

static void fwcfg_reset(struct device *dev)
{
	struct fwcfg *f = container_of(dev, struct fwcfg, dev);

	fwcfg_select(f, FWCFG_SIGNATURE);
	f->dma_high = 0;
}

/* The items themselves belong to the machine's options. */
static const struct record_field fwcfg_state[] = {
	RECORD_FIELD(struct fwcfg, selected, UINT16_MAX),
	RECORD_FIELD(struct fwcfg, at, UINT64_MAX),
	RECORD_FIELD(struct fwcfg, dma_high, UINT32_MAX),
};

static void fwcfg_save(struct device *dev, struct record *r)
{
	record_put_fields(r, container_of(dev, struct fwcfg, dev), fwcfg_state,
			  RECORD_NR(fwcfg_state));
}

static int fwcfg_restore(struct device *dev, struct record *r)
{
	return record_get_fields(r, container_of(dev, struct fwcfg, dev), fwcfg_state,
				 RECORD_NR(fwcfg_state));
}

static void fwcfg_destroy(struct device *dev)
{
	struct fwcfg *f = container_of(dev, struct fwcfg, dev);

	pthread_mutex_destroy(&f->lock);
	free(f);
}

static const struct device_ops fwcfg_ops = {
	.name = "fw-cfg",
	.read = fwcfg_read,
	.write = fwcfg_write,
	.fdt = fwcfg_fdt,
	.reset = fwcfg_reset,
	.save = fwcfg_save,
	.restore = fwcfg_restore,
	.state_version = 1,
	.destroy = fwcfg_destroy,
};

static int fwcfg_create(struct machine *m, const void *config, struct error *err)
{
	const struct machine_device *place = config;
	struct fwcfg *f = calloc(1, sizeof(*f));
	int ret;

	if (!f)
		return error_errno(err, -ENOMEM, "fw-cfg");
	f->dev = (struct device){
		.ops = &fwcfg_ops,
		.base = place->base,
		.size = FWCFG_SIZE,
	};
	f->m = m;
	pthread_mutex_init(&f->lock, NULL);
	ret = device_register(&m->bus, &f->dev);
	if (ret) {
		fwcfg_destroy(&f->dev);
		return error_errno(err, ret, "fw-cfg");
	}
	return 0;
}

static const struct device_type fwcfg_type = {
	.name = "fw-cfg",
	.summary = "what firmware is told and given to boot",
	.builtin = true,
	.order = 13,
	.create = fwcfg_create,
};
DEVICE_TYPE(fwcfg_type);

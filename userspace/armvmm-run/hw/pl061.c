// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eight GPIO lines: Arm PL061 (DDI 0190B). The power button is on line 3, as on
 * QEMU's virt board, high while it is pressed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/device_type.h"
#include "core/machine.h"
#include "core/record.h"
#include "hw/primecell.h"

#define PL061_PERIPH_ID	0x00041061
#define PL061_BUTTON	3
#define PL061_KEY_POWER	116	/* linux,code of the power key */

/* Registers (DDI 0190B 3.2). GPIODATA takes 0x400: address bits 9-2 are its mask. */
#define PL061_DATA_END	0x400
#define PL061_DIR	0x400
#define PL061_IS	0x404
#define PL061_IBE	0x408
#define PL061_IEV	0x40c
#define PL061_IE	0x410
#define PL061_RIS	0x414
#define PL061_MIS	0x418
#define PL061_IC	0x41c
#define PL061_AFSEL	0x420

struct pl061 {
	struct device dev;
	struct irqline irq;
	pthread_mutex_t lock;	/* all below, and the line */
	uint8_t in;		/* levels that the machine drives */
	uint8_t out;		/* levels that the guest drives */
	uint8_t seen;		/* levels at the last look, for edges */
	uint8_t dir, is, ibe, iev, ie, latched, afsel;
};

static uint8_t pl061_levels(const struct pl061 *pl)
{
	return (pl->out & pl->dir) | (pl->in & ~pl->dir);
}

/* Level-sensitive lines show their level, edge-sensitive ones what was latched (3.3.8). */
static uint8_t pl061_ris(const struct pl061 *pl)
{
	uint8_t high = pl061_levels(pl) & pl->iev, low = ~pl061_levels(pl) & ~pl->iev;

	return ((high | low) & pl->is) | (pl->latched & ~pl->is);
}

static void pl061_update(struct pl061 *pl)
{
	uint8_t now = pl061_levels(pl), changed = now ^ pl->seen;

	/* An input edge counts if it has the chosen direction, or both directions count. */
	changed &= ~pl->dir & ~pl->is;
	pl->latched |= changed & (pl->ibe | ~(now ^ pl->iev));
	pl->seen = now;
	irqline_set(&pl->irq, pl061_ris(pl) & pl->ie);
}

/* Any thread. */
static void pl061_press(void *opaque, bool pressed)
{
	struct pl061 *pl = opaque;

	pthread_mutex_lock(&pl->lock);
	if (pressed)
		pl->in |= 1u << PL061_BUTTON;
	else
		pl->in &= ~(1u << PL061_BUTTON);
	pl061_update(pl);
	pthread_mutex_unlock(&pl->lock);
}

static uint8_t pl061_read_locked(struct pl061 *pl, uint64_t offset)
{
	if (offset < PL061_DATA_END)
		return pl061_levels(pl) & offset >> 2;
	switch (offset) {
	case PL061_DIR:
		return pl->dir;
	case PL061_IS:
		return pl->is;
	case PL061_IBE:
		return pl->ibe;
	case PL061_IEV:
		return pl->iev;
	case PL061_IE:
		return pl->ie;
	case PL061_RIS:
		return pl061_ris(pl);
	case PL061_MIS:
		return pl061_ris(pl) & pl->ie;
	case PL061_AFSEL:
		return pl->afsel;
	default:
		return offset >= PRIMECELL_ID ? primecell_id(PL061_PERIPH_ID, offset) : 0;
	}
}

static uint64_t pl061_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct pl061 *pl = container_of(dev, struct pl061, dev);
	uint8_t value;

	if (!primecell_access_ok(offset, len))
		return 0;
	pthread_mutex_lock(&pl->lock);
	value = pl061_read_locked(pl, offset);
	pthread_mutex_unlock(&pl->lock);
	return value;
}

static void pl061_write_locked(struct pl061 *pl, uint64_t offset, uint8_t value)
{
	if (offset < PL061_DATA_END) {
		uint8_t mask = offset >> 2;

		pl->out = (pl->out & ~mask) | (value & mask);
		return;
	}
	switch (offset) {
	case PL061_DIR:
		pl->dir = value;
		break;
	case PL061_IS:
		pl->is = value;
		break;
	case PL061_IBE:
		pl->ibe = value;
		break;
	case PL061_IEV:
		pl->iev = value;
		break;
	case PL061_IE:
		pl->ie = value;
		break;
	case PL061_IC:
		pl->latched &= ~value;
		break;
	case PL061_AFSEL:
		pl->afsel = value;
		break;
	}
}

static void pl061_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct pl061 *pl = container_of(dev, struct pl061, dev);

	if (!primecell_access_ok(offset, len))
		return;
	pthread_mutex_lock(&pl->lock);
	pl061_write_locked(pl, offset, value);
	pl061_update(pl);
	pthread_mutex_unlock(&pl->lock);
}

static void pl061_fdt(struct device *dev, struct fdt_builder *fdt)
{
	static const char compatible[] = "arm,pl061\0arm,primecell";
	const uint32_t gpios[] = { FDT_PHANDLE_GPIO, PL061_BUTTON, 0 };
	const struct pl061 *pl = container_of(dev, struct pl061, dev);

	fdt_node_begin(fdt, "pl061@%llx", (unsigned long long)dev->base);
	fdt_prop_bytes(fdt, "compatible", compatible, sizeof(compatible));
	fdt_prop_reg(fdt, dev->base, dev->size);
	fdt_prop_spi(fdt, pl->irq.spi, FDT_IRQ_LEVEL_HIGH);
	fdt_prop_u32(fdt, "#gpio-cells", 2);
	fdt_prop_empty(fdt, "gpio-controller");
	primecell_fdt(fdt, "apb_pclk", sizeof("apb_pclk"), 1);
	fdt_prop_u32(fdt, "phandle", FDT_PHANDLE_GPIO);
	fdt_node_end(fdt);

	fdt_node_begin(fdt, "gpio-keys");
	fdt_prop_string(fdt, "compatible", "gpio-keys");
	fdt_node_begin(fdt, "poweroff");
	fdt_prop_string(fdt, "label", "GPIO Key Poweroff");
	fdt_prop_u32(fdt, "linux,code", PL061_KEY_POWER);
	fdt_prop_cells(fdt, "gpios", 3, gpios);
	fdt_node_end(fdt);
	fdt_node_end(fdt);
}

static void pl061_reset(struct device *dev)
{
	struct pl061 *pl = container_of(dev, struct pl061, dev);

	pthread_mutex_lock(&pl->lock);
	pl->out = pl->dir = pl->is = pl->ibe = pl->iev = pl->ie = 0;
	pl->latched = pl->afsel = 0;
	pl->seen = pl->in;
	pl061_update(pl);
	pthread_mutex_unlock(&pl->lock);
}

/* ---- Snapshots ---- */

static const struct record_field pl061_state[] = {
	RECORD_FIELD(struct pl061, in, UINT8_MAX),
	RECORD_FIELD(struct pl061, out, UINT8_MAX),
	RECORD_FIELD(struct pl061, seen, UINT8_MAX),
	RECORD_FIELD(struct pl061, dir, UINT8_MAX),
	RECORD_FIELD(struct pl061, is, UINT8_MAX),
	RECORD_FIELD(struct pl061, ibe, UINT8_MAX),
	RECORD_FIELD(struct pl061, iev, UINT8_MAX),
	RECORD_FIELD(struct pl061, ie, UINT8_MAX),
	RECORD_FIELD(struct pl061, latched, UINT8_MAX),
	RECORD_FIELD(struct pl061, afsel, UINT8_MAX),
};

static void pl061_save(struct device *dev, struct record *r)
{
	struct pl061 *pl = container_of(dev, struct pl061, dev);

	pthread_mutex_lock(&pl->lock);
	record_put_fields(r, pl, pl061_state, RECORD_NR(pl061_state));
	pthread_mutex_unlock(&pl->lock);
}

static int pl061_restore(struct device *dev, struct record *r)
{
	struct pl061 *pl = container_of(dev, struct pl061, dev);
	int ret;

	pthread_mutex_lock(&pl->lock);
	ret = record_get_fields(r, pl, pl061_state, RECORD_NR(pl061_state));
	irqline_restore(&pl->irq, pl061_ris(pl) & pl->ie);
	pthread_mutex_unlock(&pl->lock);
	return ret;
}

static void pl061_destroy(struct device *dev)
{
	struct pl061 *pl = container_of(dev, struct pl061, dev);

	pthread_mutex_destroy(&pl->lock);
	free(pl);
}

static const struct device_ops pl061_ops = {
	.name = "pl061",
	.read = pl061_read,
	.write = pl061_write,
	.fdt = pl061_fdt,
	.reset = pl061_reset,
	.save = pl061_save,
	.restore = pl061_restore,
	.state_version = 1,
	.destroy = pl061_destroy,
};

static int pl061_create(struct machine *m, const void *config, struct error *err)
{
	const struct machine_device *place = config;
	struct pl061 *pl = calloc(1, sizeof(*pl));
	int ret;

	if (!pl)
		return error_errno(err, -ENOMEM, "pl061");
	pl->dev = (struct device){
		.ops = &pl061_ops,
		.base = place->base,
		.size = PRIMECELL_SIZE,
	};
	pthread_mutex_init(&pl->lock, NULL);
	ret = machine_irqline_init(m, &pl->irq, place->spi);
	if (!ret)
		ret = device_register(&m->bus, &pl->dev);
	if (ret) {
		pl061_destroy(&pl->dev);
		return error_errno(err, ret, "pl061");
	}
	m->press = pl061_press;
	m->press_opaque = pl;
	return 0;
}

static const struct device_type pl061_type = {
	.name = "pl061",
	.summary = "power button",
	.builtin = true,
	.order = 12,
	.create = pl061_create,
};
DEVICE_TYPE(pl061_type);

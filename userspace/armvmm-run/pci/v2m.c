// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frame keeps nothing: a message is an interrupt at once. The guest, too, may write to it. A
 * message to any other address reaches nobody: devices here do not write memory by messages.
 */
#include <stdlib.h>

#include "core/device_type.h"
#include "core/machine.h"
#include "pci/v2m.h"

#define V2M_SIZE	0x1000
#define V2M_TYPER	0x008	/* the first interrupt, and how many */
#define V2M_SETSPI	0x040
#define V2M_IIDR	0xfcc
#define V2M_PRODUCT	0x041	/* not one that drivers know errata of */

struct pci_v2m {
	struct device dev;
	uint32_t first;		/* INTID of the first message */
	struct irqline line[MAP_V2M_SPIS];
};

static void v2m_set_spi(struct pci_v2m *v2m, uint32_t intid)
{
	if (intid >= v2m->first && intid - v2m->first < MAP_V2M_SPIS)
		irqline_event(&v2m->line[intid - v2m->first]);
}

void v2m_message(struct pci_v2m *v2m, uint64_t address, uint32_t data)
{
	if (address == v2m->dev.base + V2M_SETSPI)
		v2m_set_spi(v2m, data);
}

static uint64_t v2m_read(struct device *dev, uint64_t offset, unsigned int len)
{
	const struct pci_v2m *v2m = container_of(dev, struct pci_v2m, dev);

	if (len != 4)
		return 0;
	switch (offset) {
	case V2M_TYPER:
		return v2m->first << 16 | MAP_V2M_SPIS;
	case V2M_IIDR:
		return V2M_PRODUCT << 20;
	default:
		return 0;
	}
}

static void v2m_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct pci_v2m *v2m = container_of(dev, struct pci_v2m, dev);

	if (offset == V2M_SETSPI && (len == 2 || len == 4))
		v2m_set_spi(v2m, len == 2 ? (uint16_t)value : (uint32_t)value);
}

static void v2m_reset(struct device *dev)
{
}

static void v2m_save(struct device *dev, struct record *r)
{
}

static int v2m_restore(struct device *dev, struct record *r)
{
	return 0;
}

static void v2m_destroy(struct device *dev)
{
	free(container_of(dev, struct pci_v2m, dev));
}

/* The node is a child of the interrupt controller's (boot/dtb.c). */
static const struct device_ops v2m_ops = {
	.name = "gicv2m",
	.read = v2m_read,
	.write = v2m_write,
	.reset = v2m_reset,
	.save = v2m_save,
	.restore = v2m_restore,
	.state_version = 1,
	.destroy = v2m_destroy,
};

int v2m_make(struct machine *m, struct pci_v2m **out, struct error *err)
{
	const struct machine_pci *pci = &m->type->pci;
	struct pci_v2m *v2m = calloc(1, sizeof(*v2m));
	int ret = 0;

	if (!v2m)
		return error_errno(err, -ENOMEM, "gicv2m");
	v2m->dev = (struct device){ .ops = &v2m_ops, .base = pci->v2m_base, .size = V2M_SIZE };
	v2m->first = 32 + pci->v2m_spi;
	for (unsigned int i = 0; !ret && i < MAP_V2M_SPIS; i++)
		ret = machine_irqline_init(m, &v2m->line[i], pci->v2m_spi + i);
	if (!ret)
		ret = device_register(&m->bus, &v2m->dev);
	if (ret) {
		v2m_destroy(&v2m->dev);
		return error_errno(err, ret, "gicv2m");
	}
	m->msi_frame = v2m->dev.base;
	*out = v2m;
	return 0;
}

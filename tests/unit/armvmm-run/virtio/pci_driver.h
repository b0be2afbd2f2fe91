/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's half of virtio-pci (virtio 1.2 4.1), written from the specification: it finds the
 * structures by their capabilities, puts BARs where it likes, and uses the rings of
 * virtio_driver.h. Messages to the interrupt controller's frame count in test_edges.
 */
#ifndef TESTS_UNIT_PCI_DRIVER_H
#define TESTS_UNIT_PCI_DRIVER_H

#include "armvmm-run/pci_board.h"
#include "armvmm-run/virtio/virtio_driver.h"

#include <linux/pci_regs.h>

#define PCI_DRIVER_BAR0		PCI_MMIO_BASE
#define PCI_DRIVER_BAR1		(PCI_MMIO_BASE + 0x100000)
#define PCI_DRIVER_SETSPI	(GICV2M_BASE + 0x40)
#define PCI_DRIVER_INTID	80	/* of message 0: SPI 48 */

struct pci_driver {
	uint64_t config;	/* its configuration space */
	uint64_t common, notify, isr, device;	/* guest-physical; 0: not found */
	uint32_t notify_step;
	uint64_t msix;		/* its capability */
	uint64_t window;
	struct driver_queue q[4];
};

static MAYBE uint64_t pci_get(uint64_t gpa, unsigned int len)
{
	uint64_t value = 0;

	device_bus_access(&test_machine.bus, gpa, &value, len, 0);
	return value;
}

static MAYBE void pci_put(uint64_t gpa, unsigned int len, uint64_t value)
{
	device_bus_access(&test_machine.bus, gpa, &value, len, 1);
}

/* Finds the device in @slot, and enables it, with its BARs one MiB apart for each slot. */
static MAYBE void pci_driver_probe(struct pci_driver *d, unsigned int slot)
{
	uint64_t at = PCI_ECAM_BASE + (slot << 15), offset = slot << 21;
	unsigned int cap;

	memset(d, 0, sizeof(*d));
	d->config = at;
	pci_put(at + PCI_BASE_ADDRESS_0, 4, PCI_DRIVER_BAR0 + offset);
	pci_put(at + PCI_BASE_ADDRESS_1, 4, PCI_DRIVER_BAR1 + offset);
	pci_put(at + PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	for (cap = pci_get(at + PCI_CAPABILITY_LIST, 1); cap; cap = pci_get(at + cap + 1, 1)) {
		uint64_t where = PCI_DRIVER_BAR0 + offset + pci_get(at + cap + 8, 4);

		if (pci_get(at + cap, 1) == PCI_CAP_ID_MSIX)
			d->msix = at + cap;
		if (pci_get(at + cap, 1) != PCI_CAP_ID_VNDR)
			continue;
		if (pci_get(at + cap + 3, 1) != 5)
			KTAP_EQ(pci_get(at + cap + 4, 1), 0);
		switch (pci_get(at + cap + 3, 1)) {
		case 1:
			d->common = where;
			KTAP_EQ(pci_get(at + cap + 12, 4), 56);
			break;
		case 2:
			d->notify = where;
			d->notify_step = pci_get(at + cap + 16, 4);
			break;
		case 3:
			d->isr = where;
			break;
		case 4:
			d->device = where;
			break;
		case 5:
			d->window = at + cap;
			break;
		}
	}
}

/* Message @n is interrupt PCI_DRIVER_INTID + @n. */
static MAYBE void pci_driver_messages(struct pci_driver *d, unsigned int nr)
{
	uint64_t table = (pci_get(d->config + PCI_BASE_ADDRESS_1, 4) & ~0xfull);

	for (unsigned int i = 0; i < nr; i++) {
		pci_put(table + 16 * i, 4, PCI_DRIVER_SETSPI);
		pci_put(table + 16 * i + 8, 4, PCI_DRIVER_INTID + i);
		pci_put(table + 16 * i + 12, 4, 0);
	}
	pci_put(d->msix + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
}

static MAYBE uint8_t pci_driver_status(struct pci_driver *d)
{
	return pci_get(d->common + 20, 1);
}

static MAYBE uint64_t pci_driver_offered(struct pci_driver *d)
{
	uint64_t f;

	pci_put(d->common, 4, 1);
	f = pci_get(d->common + 4, 4) << 32;
	pci_put(d->common, 4, 0);
	return f | pci_get(d->common + 4, 4);
}

static MAYBE bool pci_driver_negotiate(struct pci_driver *d, uint64_t features)
{
	pci_put(d->common + 20, 1, 0);
	pci_put(d->common + 20, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	pci_put(d->common + 20, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	pci_put(d->common + 8, 4, 1);
	pci_put(d->common + 12, 4, features >> 32);
	pci_put(d->common + 8, 4, 0);
	pci_put(d->common + 12, 4, features);
	pci_put(d->common + 20, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
				   VIRTIO_CONFIG_S_FEATURES_OK);
	return pci_driver_status(d) & VIRTIO_CONFIG_S_FEATURES_OK;
}

static MAYBE void pci_driver_queue(struct pci_driver *d, unsigned int index, uint16_t size)
{
	uint64_t gpa = RING_GPA(index);

	driver_queue_rings(&d->q[index], index, size);
	pci_put(d->common + 22, 2, index);
	pci_put(d->common + 24, 2, size);
	pci_put(d->common + 26, 2, index + 1);
	pci_put(d->common + 32, 4, gpa);
	pci_put(d->common + 36, 4, 0);
	pci_put(d->common + 40, 4, gpa + 0x1000);
	pci_put(d->common + 44, 4, 0);
	pci_put(d->common + 48, 4, gpa + 0x2000);
	pci_put(d->common + 52, 4, 0);
	pci_put(d->common + 28, 2, 1);
}

/* From reset to DRIVER_OK, with message 0 for the configuration and message n + 1 for queue n. */
static MAYBE bool pci_driver_start(struct pci_driver *d, uint64_t features, unsigned int nr,
				   uint16_t size)
{
	if (!pci_driver_negotiate(d, features))
		return false;
	pci_put(d->common + 16, 2, 0);
	for (unsigned int i = 0; i < nr; i++)
		pci_driver_queue(d, i, size);
	pci_put(d->common + 20, 1, pci_driver_status(d) | VIRTIO_CONFIG_S_DRIVER_OK);
	return pci_driver_status(d) & VIRTIO_CONFIG_S_DRIVER_OK;
}

static MAYBE void pci_driver_kick(struct pci_driver *d, unsigned int index)
{
	pci_put(d->common + 22, 2, index);
	pci_put(d->notify + pci_get(d->common + 30, 2) * d->notify_step, 2, index);
}

/* How often message @n came since this was last asked. */
static MAYBE unsigned int pci_driver_came(unsigned int n)
{
	return __atomic_exchange_n(&test_edges[PCI_DRIVER_INTID - 32 + n], 0, __ATOMIC_SEQ_CST);
}

#endif /* TESTS_UNIT_PCI_DRIVER_H */

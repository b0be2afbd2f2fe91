// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI host. Its window has three parts, one behind the other: memory, where the guest puts the
 * BARs of its devices; I/O ports, of which no device here has any; and the configuration spaces
 * (ECAM: PCI Express 3.0 7.2.2). What is not there reads as ones, as where no device answers.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/pci_regs.h>

#include "core/device_type.h"
#include "core/fdt_builder.h"
#include "core/machine.h"
#include "core/record.h"
#include "pci/function.h"
#include "pci/host.h"
#include "pci/v2m.h"

#define HOST_PINS	4
#define HOST_BUSES	16
#define HOST_BUS_SHIFT	20
#define HOST_SLOT_SHIFT	15
#define HOST_FUNCTION_SHIFT 12
#define HOST_FUNCTION_SIZE (1u << HOST_FUNCTION_SHIFT)

/* QEMU's host bridge; no driver looks at it. */
#define HOST_VENDOR	0x1b36
#define HOST_DEVICE	0x0008
#define HOST_SUBSYSTEM_VENDOR 0x1af4
#define HOST_SUBSYSTEM	0x1100
#define HOST_CLASS	0x060000

struct pci_host {
	struct device dev;
	const struct machine_pci *map;
	struct pci_function bridge;	/* slot 0 */
	struct pci_v2m *v2m;
	struct pci_function *slot[MAP_PCI_SLOTS];	/* constant while vCPUs run */
	pthread_mutex_t lock;		/* what follows, and bar_gpa of all functions */
	struct irqline line[HOST_PINS];
	uint32_t raised[HOST_PINS];	/* bit n: the function in slot n raises the line */
};

static const struct pci_function_ops host_bridge_ops;

/* ---- What functions ask for ---- */

int pci_host_attach(struct pci_host *host, struct pci_function *fn)
{
	for (unsigned int i = 0; i < MAP_PCI_SLOTS; i++) {
		if (host->slot[i])
			continue;
		host->slot[i] = fn;
		fn->slot = i;
		fn->host = host;
		return 0;
	}
	return -ENOSPC;
}

void pci_host_detach(struct pci_host *host, struct pci_function *fn)
{
	host->slot[fn->slot] = NULL;
	fn->host = NULL;
}

uint64_t pci_host_ecam(const struct pci_function *fn)
{
	return fn->host->map->ecam_base + ((uint64_t)fn->slot << HOST_SLOT_SHIFT);
}

void pci_host_map(struct pci_function *fn, const uint64_t *gpa)
{
	const struct machine_pci *map = fn->host->map;

	pthread_mutex_lock(&fn->host->lock);
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		bool in_window = gpa[i] >= map->base && gpa[i] < map->io_base &&
				 fn->bar_size[i] <= map->io_base - gpa[i];

		fn->bar_gpa[i] = in_window ? gpa[i] : 0;
	}
	pthread_mutex_unlock(&fn->host->lock);
}

/* Pins of neighbouring slots come to different lines (PCI-to-PCI bridges 1.2 9.1). */
static unsigned int host_line(unsigned int slot, unsigned int pin)
{
	return (slot + pin) % HOST_PINS;
}

void pci_host_set_pin(struct pci_function *fn, bool level, bool now)
{
	struct pci_host *host = fn->host;
	unsigned int line = host_line(fn->slot, 0);

	pthread_mutex_lock(&host->lock);
	if (level)
		host->raised[line] |= 1u << fn->slot;
	else
		host->raised[line] &= ~(1u << fn->slot);
	if (now)
		irqline_set(&host->line[line], host->raised[line]);
	else
		irqline_restore(&host->line[line], host->raised[line]);
	pthread_mutex_unlock(&host->lock);
}

void pci_host_message(struct pci_host *host, uint64_t address, uint32_t data)
{
	v2m_message(host->v2m, address, data);
}

/* ---- The guest ---- */

/* Has one of the function's BARs, @bar, all @len bytes at @gpa, from @offset of its start on? */
static bool host_has(const struct pci_function *fn, uint64_t gpa, unsigned int len,
		     unsigned int *bar, uint64_t *offset)
{
	for (unsigned int b = 0; b < PCI_BARS; b++) {
		if (!fn->bar_gpa[b] || gpa < fn->bar_gpa[b])
			continue;
		*bar = b;
		*offset = gpa - fn->bar_gpa[b];
		if (*offset < fn->bar_size[b] && len <= fn->bar_size[b] - *offset)
			return true;
	}
	return false;
}

/* The function that answers for @len bytes at @gpa, or NULL. Of several, the lowest slot's does. */
static struct pci_function *host_find(struct pci_host *host, uint64_t gpa, unsigned int len,
				      unsigned int *bar, uint64_t *offset)
{
	struct pci_function *found = NULL;

	pthread_mutex_lock(&host->lock);
	for (unsigned int i = 0; !found && i < MAP_PCI_SLOTS; i++)
		if (host->slot[i] && host_has(host->slot[i], gpa, len, bar, offset))
			found = host->slot[i];
	pthread_mutex_unlock(&host->lock);
	return found;
}

/* The function whose configuration space is at @offset of the ECAM, or NULL. */
static struct pci_function *host_config(struct pci_host *host, uint64_t offset)
{
	bool here = !(offset >> HOST_BUS_SHIFT) && !(offset >> HOST_FUNCTION_SHIFT & 7);

	return here ? host->slot[offset >> HOST_SLOT_SHIFT] : NULL;
}

static uint64_t host_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct pci_host *host = container_of(dev, struct pci_host, dev);
	uint64_t gpa = dev->base + offset;
	struct pci_function *fn;
	unsigned int bar;

	if (gpa >= host->map->ecam_base) {
		fn = host_config(host, gpa - host->map->ecam_base);
		return fn ? pci_config_read(fn, gpa % HOST_FUNCTION_SIZE, len) : UINT64_MAX;
	}
	fn = host_find(host, gpa, len, &bar, &offset);
	return fn ? pci_bar_read(fn, bar, offset, len) : UINT64_MAX;
}

static void host_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct pci_host *host = container_of(dev, struct pci_host, dev);
	uint64_t gpa = dev->base + offset;
	struct pci_function *fn;
	unsigned int bar;

	if (gpa >= host->map->ecam_base) {
		fn = host_config(host, gpa - host->map->ecam_base);
		if (fn)
			pci_config_write(fn, gpa % HOST_FUNCTION_SIZE, len, value);
		return;
	}
	fn = host_find(host, gpa, len, &bar, &offset);
	if (fn)
		pci_bar_write(fn, bar, offset, len, value);
}

/* ---- Device tree ---- */

/* Which interrupt each pin of four neighbouring slots is. It is the same for the next four. */
static void host_fdt_interrupts(const struct pci_host *host, struct fdt_builder *fdt)
{
	uint32_t map[HOST_PINS * HOST_PINS][10], *cell = map[0];

	for (unsigned int slot = 0; slot < HOST_PINS; slot++) {
		for (unsigned int pin = 0; pin < HOST_PINS; pin++) {
			const uint32_t entry[] = {
				slot << 11, 0, 0, pin + 1, FDT_PHANDLE_INTC, 0, 0,
				0, host->map->spi + host_line(slot, pin), FDT_IRQ_LEVEL_HIGH,
			};

			for (unsigned int i = 0; i < sizeof(entry) / sizeof(entry[0]); i++)
				*cell++ = entry[i];
		}
	}
	fdt_prop_cells(fdt, "interrupt-map", sizeof(map) / sizeof(uint32_t), map[0]);
	fdt_prop_cells(fdt, "interrupt-map-mask", 4,
		       (const uint32_t[]){ (HOST_PINS - 1) << 11, 0, 0, 7 });
}

static void host_fdt(struct device *dev, struct fdt_builder *fdt)
{
	const struct pci_host *host = container_of(dev, struct pci_host, dev);
	const struct machine_pci *map = host->map;
	const uint32_t ranges[] = {
		/* I/O ports */
		0x01000000, 0, 0, 0, map->io_base, 0, map->ecam_base - map->io_base,
		/* memory, at the same addresses */
		0x02000000, 0, map->base, 0, map->base, 0, map->io_base - map->base,
	};

	fdt_node_begin(fdt, "pcie@%llx", (unsigned long long)dev->base);
	fdt_prop_string(fdt, "compatible", "pci-host-ecam-generic");
	fdt_prop_string(fdt, "device_type", "pci");
	fdt_prop_u32(fdt, "#address-cells", 3);
	fdt_prop_u32(fdt, "#size-cells", 2);
	fdt_prop_u32(fdt, "linux,pci-domain", 0);
	fdt_prop_cells(fdt, "bus-range", 2, (const uint32_t[]){ 0, HOST_BUSES - 1 });
	fdt_prop_empty(fdt, "dma-coherent");
	fdt_prop_cells(fdt, "msi-map", 4, (const uint32_t[]){ 0, FDT_PHANDLE_MSI, 0, 0x10000 });
	fdt_prop_reg(fdt, map->ecam_base, map->end - map->ecam_base);
	fdt_prop_cells(fdt, "ranges", sizeof(ranges) / sizeof(ranges[0]), ranges);
	fdt_prop_u32(fdt, "#interrupt-cells", 1);
	host_fdt_interrupts(host, fdt);
	fdt_node_end(fdt);
}

/* ---- Life ---- */

/* The other functions are devices of their own. */
static void host_reset(struct device *dev)
{
	pci_function_reset(&container_of(dev, struct pci_host, dev)->bridge);
}

static void host_save(struct device *dev, struct record *r)
{
	pci_function_save(&container_of(dev, struct pci_host, dev)->bridge, r);
}

static int host_restore(struct device *dev, struct record *r)
{
	return pci_function_restore(&container_of(dev, struct pci_host, dev)->bridge, r);
}

static void host_destroy(struct device *dev)
{
	struct pci_host *host = container_of(dev, struct pci_host, dev);

	pci_function_exit(&host->bridge);
	pthread_mutex_destroy(&host->lock);
	free(host);
}

static const struct device_ops host_ops = {
	.name = "pcie",
	.read = host_read,
	.write = host_write,
	.fdt = host_fdt,
	.reset = host_reset,
	.save = host_save,
	.restore = host_restore,
	.state_version = 1,
	.destroy = host_destroy,
};

static int host_make(struct machine *m, struct error *err)
{
	static const struct pci_id id = {
		.vendor = HOST_VENDOR, .device = HOST_DEVICE,
		.subsystem_vendor = HOST_SUBSYSTEM_VENDOR, .subsystem = HOST_SUBSYSTEM,
		.class = HOST_CLASS,
	};
	const struct machine_pci *map = &m->type->pci;
	struct pci_v2m *v2m;
	struct pci_host *host;
	int ret;

	if (!map->end)
		return error_set(err, -ENODEV, "pcie: the machine %s has no PCI", m->type->name);
	ret = v2m_make(m, &v2m, err);
	if (ret)
		return ret;
	host = calloc(1, sizeof(*host));
	if (!host)
		return error_errno(err, -ENOMEM, "pcie");
	host->v2m = v2m;
	host->map = map;
	host->dev = (struct device){
		.ops = &host_ops,
		.base = map->base,
		.size = map->ecam_base + (HOST_BUSES << HOST_BUS_SHIFT) - map->base,
	};
	pthread_mutex_init(&host->lock, NULL);
	pci_function_init(&host->bridge, &host_bridge_ops, &id);
	pci_host_attach(host, &host->bridge);
	for (unsigned int i = 0; !ret && i < HOST_PINS; i++)
		ret = machine_irqline_init(m, &host->line[i], map->spi + i);
	if (!ret)
		ret = device_register(&m->bus, &host->dev);
	if (ret) {
		host_destroy(&host->dev);
		return ret == -EEXIST ?
			error_set(err, ret, "pcie: another device is between 0x%llx and 0x%llx",
				  (unsigned long long)map->base,
				  (unsigned long long)map->end - 1) :
			error_errno(err, ret, "pcie");
	}
	m->pci = host;
	return 0;
}

int pci_host_need(struct machine *m, struct error *err)
{
	return m->pci ? 0 : host_make(m, err);
}

static int host_create(struct machine *m, const void *config, struct error *err)
{
	return pci_host_need(m, err);
}

static const struct device_type host_type = {
	.name = "pcie",
	.summary = "PCI Express host",
	.max = 1,
	.order = 15,
	.create = host_create,
};
DEVICE_TYPE(host_type);

// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libfdt.h>
#include <linux/psci.h>
#include <stdio.h>
#include <string.h>

#include "boot/dtb_adapt.h"
#include "core/fdt_builder.h"

#define ADAPT_CELLS_MAX	2
/* GIC binding: <1 number flags> is a PPI; bits 8-15 are the CPUs that it goes to. */
#define ADAPT_PPI	1
#define ADAPT_PPI_BASE	16

/* Is it memory, or a CPU? The machine's come in its place. */
static bool adapt_is_replaced(const void *tree, int node)
{
	static const char *const types[] = { "memory", "cpu" };
	int len;
	const char *type = fdt_getprop(tree, node, "device_type", &len);

	for (unsigned int i = 0; type && i < sizeof(types) / sizeof(types[0]); i++)
		if (len == (int)strlen(types[i]) + 1 && !memcmp(type, types[i], len))
			return true;
	return false;
}

/* The nodes end at @end, and what follows them comes there. */
static void adapt_cut(void *tree, int end)
{
	unsigned int at = fdt_off_dt_struct(tree) + end;

	memmove((char *)tree + at, (char *)tree + fdt_off_dt_strings(tree),
		fdt_size_dt_strings(tree));
	fdt_set_size_dt_struct(tree, end);
	fdt_set_off_dt_strings(tree, at);
}

/*
 * Deletes such nodes with all below them. What stays moves up once, in one pass: fdt_del_node()
 * would move all that follows each time, and the next be looked for from the start.
 */
static int adapt_delete_replaced(void *tree)
{
	char *base = (char *)tree + fdt_off_dt_struct(tree);
	int from = 0, to = 0, next = 0, depth = 0, gone = 0;
	uint32_t tag;

	for (; (tag = fdt_next_tag(tree, from, &next)), next >= 0; from = next) {
		/* Nothing is above the root. */
		if (tag == FDT_BEGIN_NODE && depth++ && !gone && adapt_is_replaced(tree, from))
			gone = depth;
		if (!gone) {
			memmove(base + to, base + from, next - from);
			to += next - from;
		}
		if (tag == FDT_END_NODE && depth-- == gone)
			gone = 0;
		if (tag == FDT_END) {
			adapt_cut(tree, to);
			return 0;
		}
	}
	return next;
}

/* Puts @value into @cells cells. Returns what follows them. */
static fdt32_t *adapt_cells(fdt32_t *at, unsigned int cells, uint64_t value)
{
	if (cells == ADAPT_CELLS_MAX)
		fdt32_st(at++, value >> 32);
	fdt32_st(at++, value);
	return at;
}

/* Sets the node's reg, in the cells that the root declares: one or two of each. */
static int adapt_set_reg(void *tree, int node, uint64_t base, uint64_t size)
{
	int address = fdt_address_cells(tree, 0), length = fdt_size_cells(tree, 0);
	fdt32_t reg[2 * ADAPT_CELLS_MAX], *end;

	if (address < 1 || address > ADAPT_CELLS_MAX || length < 1 || length > ADAPT_CELLS_MAX)
		return -FDT_ERR_BADNCELLS;
	end = adapt_cells(adapt_cells(reg, address, base), length, size);
	return fdt_setprop(tree, node, "reg", reg, (char *)end - (char *)reg);
}

static int adapt_memory(void *tree, const struct dtb_params *p)
{
	char name[32];
	int node, ret;

	snprintf(name, sizeof(name), "memory@%llx", (unsigned long long)p->ram_base);
	node = fdt_add_subnode(tree, 0, name);
	ret = node < 0 ? node : fdt_setprop_string(tree, node, "device_type", "memory");
	return ret ? ret : adapt_set_reg(tree, node, p->ram_base, p->ram_size);
}

/* ---- CPUs ---- */

/* The node that has this name, made if there is none. */
static int adapt_node(void *tree, int parent, const char *name)
{
	int node = fdt_subnode_offset(tree, parent, name);

	return node == -FDT_ERR_NOTFOUND ? fdt_add_subnode(tree, parent, name) : node;
}

static int adapt_add_cpu(void *tree, int cpus, unsigned int mpidr, const struct dtb_params *p)
{
	char name[16];
	int node, ret;

	snprintf(name, sizeof(name), "cpu@%x", mpidr);
	node = fdt_add_subnode(tree, cpus, name);
	ret = node < 0 ? node : fdt_setprop_string(tree, node, "device_type", "cpu");
	if (!ret)
		ret = fdt_setprop_string(tree, node, "compatible", p->cpu);
	if (!ret && p->nr_cpus > 1)
		ret = fdt_setprop_string(tree, node, "enable-method", "psci");
	return ret ? ret : fdt_setprop_u32(tree, node, "reg", mpidr);
}

/* Each new node becomes the first one, so the last CPU is added first. */
static int adapt_cpus(void *tree, const struct dtb_params *p)
{
	int cpus = adapt_node(tree, 0, "cpus"), ret;

	ret = cpus < 0 ? cpus : fdt_setprop_u32(tree, cpus, "#address-cells", 1);
	if (!ret)
		ret = fdt_setprop_u32(tree, cpus, "#size-cells", 0);
	for (unsigned int i = p->nr_cpus; !ret && i > 0; i--)
		ret = adapt_add_cpu(tree, cpus, dtb_mpidr(i - 1), p);
	return ret;
}

static int adapt_psci(void *tree)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2\0arm,psci";
	const struct {
		const char *name;
		uint32_t value;
	} call[] = {
		{ "migrate", PSCI_0_2_FN_MIGRATE },
		{ "cpu_on", PSCI_0_2_FN_CPU_ON },
		{ "cpu_off", PSCI_0_2_FN_CPU_OFF },
		{ "cpu_suspend", PSCI_0_2_FN_CPU_SUSPEND },
	};
	int node = adapt_node(tree, 0, "psci"), ret;

	ret = node < 0 ? node : fdt_setprop(tree, node, "compatible", compatible,
					    sizeof(compatible));
	if (!ret)
		ret = fdt_setprop_string(tree, node, "method", "hvc");
	for (unsigned int i = 0; !ret && i < sizeof(call) / sizeof(call[0]); i++)
		ret = fdt_setprop_u32(tree, node, call[i].name, call[i].value);
	return ret;
}

static int adapt_hypervisor(void *tree)
{
	int node = adapt_node(tree, 0, "hypervisor");

	return node < 0 ? node : fdt_setprop_string(tree, node, "compatible", "linux,kvm");
}

/* The machine's counters come by another interrupt than the board's, or there are none. */
static int adapt_pmu(void *tree, const struct dtb_params *p)
{
	const char *const kind[] = {
		"arm,cortex-a15-pmu", "arm,cortex-a9-pmu", "arm,cortex-a7-pmu",
		"arm,cortex-a5-pmu",
	};
	fdt32_t interrupts[3];
	int ret = 0;

	fdt32_st(&interrupts[0], ADAPT_PPI);
	fdt32_st(&interrupts[1], MAP_PMU_INTID - ADAPT_PPI_BASE);
	fdt32_st(&interrupts[2], ((1u << p->nr_cpus) - 1) << 8 | FDT_IRQ_LEVEL_HIGH);
	for (unsigned int i = 0; !ret && i < sizeof(kind) / sizeof(kind[0]); i++) {
		int node = fdt_node_offset_by_compatible(tree, -1, kind[i]);

		if (node < 0)
			continue;
		fdt_delprop(tree, node, "interrupt-affinity");
		ret = p->pmu ? fdt_setprop(tree, node, "interrupts", interrupts,
					   sizeof(interrupts)) :
			       fdt_setprop_string(tree, node, "status", "disabled");
	}
	return ret;
}

static int adapt_timer(void *tree, const struct dtb_params *p)
{
	int node = fdt_node_offset_by_compatible(tree, -1, "arm,armv7-timer");

	return node < 0 || !p->timer_hz ? 0 :
	       fdt_setprop_u32(tree, node, "clock-frequency", p->timer_hz);
}

/* ---- virtio ---- */

/* What devices name as their interrupt controller; 0: nothing can. */
static uint32_t adapt_gic(const void *tree)
{
	int node = fdt_node_offset_by_compatible(tree, -1, "arm,cortex-a15-gic");

	if (node < 0)
		node = fdt_node_offset_by_compatible(tree, -1, "arm,cortex-a9-gic");
	return node < 0 ? 0 : fdt_get_phandle(tree, node);
}

static int adapt_add_virtio(void *tree, const struct device *dev, unsigned int spi, uint32_t gic)
{
	fdt32_t interrupts[3];
	char name[32];
	int node, ret;

	snprintf(name, sizeof(name), "virtio_mmio@%llx", (unsigned long long)dev->base);
	node = adapt_node(tree, 0, name);
	fdt32_st(&interrupts[0], 0);
	fdt32_st(&interrupts[1], spi);
	fdt32_st(&interrupts[2], FDT_IRQ_EDGE_RISING);
	ret = node < 0 ? node : fdt_setprop_empty(tree, node, "dma-coherent");
	if (!ret)
		ret = fdt_setprop(tree, node, "interrupts", interrupts, sizeof(interrupts));
	if (!ret)
		ret = fdt_setprop_u32(tree, node, "interrupt-parent", gic);
	if (!ret)
		ret = adapt_set_reg(tree, node, dev->base, dev->size);
	return ret ? ret : fdt_setprop_string(tree, node, "compatible", "virtio,mmio");
}

static bool adapt_is_virtio(const struct dtb_params *p, const struct device *dev)
{
	return dev->size == MAP_VIRTIO_SIZE && dev->base >= p->type->virtio.base &&
	       dev->base - p->type->virtio.base < p->type->virtio.slots * MAP_VIRTIO_SIZE;
}

static int adapt_virtio(void *tree, const struct dtb_params *p, const struct device_bus *bus,
			const char *name, void (*warn)(const char *fmt, ...))
{
	uint32_t gic = adapt_gic(tree);
	int ret = 0;

	/* Each new node becomes the first one, so the last device is added first. */
	for (unsigned int i = bus->nr; !ret && i > 0; i--) {
		const struct device *dev = bus->dev[i - 1];

		if (!adapt_is_virtio(p, dev))
			continue;
		if (!gic) {
			warn("%s: has no GIC that devices could name, so the guest learns of no virtio device",
			     name);
			return 0;
		}
		ret = adapt_add_virtio(tree, dev, p->type->virtio.spi +
				       (dev->base - p->type->virtio.base) / MAP_VIRTIO_SIZE, gic);
	}
	return ret;
}

int dtb_adapt(void *buf, size_t size, const struct dtb_params *p, const struct device_bus *bus,
	      const char *name, void (*warn)(const char *fmt, ...), struct error *err)
{
	int ret = fdt_open_into(buf, buf, size);

	if (!ret)
		ret = adapt_delete_replaced(buf);
	if (!ret)
		ret = adapt_hypervisor(buf);
	if (!ret)
		ret = adapt_psci(buf);
	if (!ret)
		ret = adapt_cpus(buf, p);
	if (!ret)
		ret = adapt_memory(buf, p);
	if (!ret)
		ret = adapt_pmu(buf, p);
	if (!ret)
		ret = adapt_timer(buf, p);
	if (!ret)
		ret = adapt_virtio(buf, p, bus, name, warn);
	if (!ret)
		ret = fdt_pack(buf);
	if (ret)
		return error_set(err, ret == -FDT_ERR_NOSPACE ? -ENOSPC : -EINVAL, "%s: %s", name,
				 fdt_strerror(ret));
	return fdt_totalsize(buf);
}

// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libfdt.h>
#include <linux/psci.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "arch/archregs.h"
#include "arch/gic.h"
#include "boot/dtb.h"
#include "boot/fdt_check.h"
#include "core/fdt_builder.h"
#include "core/machine_type.h"

/* GIC binding: a PPI is <1 number flags>, whose bits 8-15 are the CPUs it goes to. */
#define DTB_PPI			1
#define DTB_PPI_FLAGS(cpus)	(((1u << (cpus)) - 1) << 8 | FDT_IRQ_LEVEL_HIGH)
#define DTB_PPI_SECURE_TIMER	13
#define DTB_PPI_PHYS_TIMER	14
#define DTB_PPI_VIRT_TIMER	11
#define DTB_PPI_HYP_TIMER	10

/* Of a given tree, no deeper nodes are looked at for devices. */
#define DTB_DEPTH_MAX		16

#define DTB_APB_CLOCK_HZ	24000000

static bool dtb_random(void *to, size_t len)
{
	return getrandom(to, len, GRND_NONBLOCK) == (ssize_t)len;
}

bool dtb_seed(struct dtb_params *p)
{
	p->seeded = dtb_random(p->rng_seed, sizeof(p->rng_seed)) &&
		    dtb_random(&p->kaslr_seed, sizeof(p->kaslr_seed));
	return p->seeded;
}

const char *dtb_cpu(uint32_t midr)
{
	switch (MIDR_PART(midr)) {
	case MIDR_PART_A7:
		return "arm,cortex-a7";
	case MIDR_PART_A12:
		return "arm,cortex-a12";
	case MIDR_PART_A17:
		return "arm,cortex-a17";
	default:
		return "arm,cortex-a15";
	}
}

/* Tells a guest that it is one (systemd-detect-virt, Linux's kvm_para). */
static void dtb_hypervisor(struct fdt_builder *b)
{
	fdt_node_begin(b, "hypervisor");
	fdt_prop_string(b, "compatible", "linux,kvm");
	fdt_node_end(b);
}

static void dtb_psci(struct fdt_builder *b)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2\0arm,psci";

	fdt_node_begin(b, "psci");
	fdt_prop_bytes(b, "compatible", compatible, sizeof(compatible));
	fdt_prop_string(b, "method", "hvc");
	fdt_prop_u32(b, "cpu_suspend", PSCI_0_2_FN_CPU_SUSPEND);
	fdt_prop_u32(b, "cpu_off", PSCI_0_2_FN_CPU_OFF);
	fdt_prop_u32(b, "cpu_on", PSCI_0_2_FN_CPU_ON);
	fdt_prop_u32(b, "migrate", PSCI_0_2_FN_MIGRATE);
	fdt_node_end(b);
}

static void dtb_cpus(struct fdt_builder *b, const struct dtb_params *p)
{
	fdt_node_begin(b, "cpus");
	fdt_prop_u32(b, "#address-cells", 1);
	fdt_prop_u32(b, "#size-cells", 0);
	for (unsigned int i = 0; i < p->nr_cpus; i++) {
		unsigned int mpidr = dtb_mpidr(i);

		fdt_node_begin(b, "cpu@%x", mpidr);
		fdt_prop_string(b, "device_type", "cpu");
		fdt_prop_string(b, "compatible", p->cpu);
		if (p->nr_cpus > 1)
			fdt_prop_string(b, "enable-method", "psci");
		fdt_prop_u32(b, "reg", mpidr);
		fdt_node_end(b);
	}
	fdt_node_end(b);
}

static void dtb_timer(struct fdt_builder *b, const struct dtb_params *p)
{
	const uint32_t flags = DTB_PPI_FLAGS(p->nr_cpus);
	const uint32_t interrupts[] = {
		DTB_PPI, DTB_PPI_SECURE_TIMER, flags,
		DTB_PPI, DTB_PPI_PHYS_TIMER, flags,
		DTB_PPI, DTB_PPI_VIRT_TIMER, flags,
		DTB_PPI, DTB_PPI_HYP_TIMER, flags,
	};

	fdt_node_begin(b, "timer");
	fdt_prop_string(b, "compatible", "arm,armv7-timer");
	fdt_prop_empty(b, "always-on");
	if (p->timer_hz)
		fdt_prop_u32(b, "clock-frequency", p->timer_hz);
	fdt_prop_cells(b, "interrupts", sizeof(interrupts) / sizeof(interrupts[0]), interrupts);
	fdt_node_end(b);
}

static void dtb_pmu(struct fdt_builder *b, const struct dtb_params *p)
{
	const uint32_t interrupt[] = { DTB_PPI, MAP_PMU_INTID - 16, DTB_PPI_FLAGS(p->nr_cpus) };
	char compatible[32];

	snprintf(compatible, sizeof(compatible), "%s-pmu", p->cpu);
	fdt_node_begin(b, "pmu");
	fdt_prop_string(b, "compatible", compatible);
	fdt_prop_cells(b, "interrupts", 3, interrupt);
	fdt_node_end(b);
}

#define DTB_MSI_FRAME_SIZE	0x1000

static void dtb_msi_frame(struct fdt_builder *b, uint64_t base)
{
	fdt_node_begin(b, "v2m@%llx", (unsigned long long)base);
	fdt_prop_string(b, "compatible", "arm,gic-v2m-frame");
	fdt_prop_empty(b, "msi-controller");
	fdt_prop_reg(b, base, DTB_MSI_FRAME_SIZE);
	fdt_prop_u32(b, "phandle", FDT_PHANDLE_MSI);
	fdt_node_end(b);
}

static void dtb_intc(struct fdt_builder *b, const struct dtb_params *p)
{
	const uint32_t reg[] = {
		0, p->type->gicd_base, 0, GICD_SIZE,
		0, p->type->gicc_base, 0, GICC_SIZE,
	};

	fdt_node_begin(b, "%s@%llx", p->type->gic, (unsigned long long)p->type->gicd_base);
	fdt_prop_bytes(b, "compatible", p->type->gic_compatible, p->type->gic_compatible_size);
	fdt_prop_empty(b, "interrupt-controller");
	fdt_prop_u32(b, "#interrupt-cells", 3);
	fdt_prop_cells(b, "reg", sizeof(reg) / sizeof(reg[0]), reg);
	fdt_prop_u32(b, "#address-cells", 2);
	fdt_prop_u32(b, "#size-cells", 2);
	fdt_prop_empty(b, "ranges");
	fdt_prop_u32(b, "phandle", FDT_PHANDLE_INTC);
	if (p->msi_frame)
		dtb_msi_frame(b, p->msi_frame);
	fdt_node_end(b);
}

static void dtb_chosen(struct fdt_builder *b, const struct dtb_params *p)
{
	fdt_node_begin(b, "chosen");
	if (p->bootargs)
		fdt_prop_string(b, "bootargs", p->bootargs);
	fdt_prop_string(b, "stdout-path", p->type->console);
	if (p->initrd_size) {
		fdt_prop_u32(b, "linux,initrd-start", p->initrd_gpa);
		fdt_prop_u32(b, "linux,initrd-end", p->initrd_gpa + p->initrd_size);
	}
	/* Linux would credit a seed without entropy as a real one. */
	if (p->seeded) {
		fdt_prop_u64(b, "kaslr-seed", p->kaslr_seed);
		fdt_prop_bytes(b, "rng-seed", p->rng_seed, sizeof(p->rng_seed));
	}
	fdt_node_end(b);
}

int dtb_build(void *buf, size_t size, const struct dtb_params *p, struct device_bus *bus,
	      struct error *err)
{
	struct fdt_builder b;
	int ret;

	fdt_builder_init(&b, buf, size);
	fdt_node_begin(&b, "%s", "");
	fdt_prop_u32(&b, "interrupt-parent", FDT_PHANDLE_INTC);
	fdt_prop_string(&b, "model", p->type->model);
	fdt_prop_bytes(&b, "compatible", p->type->compatible, p->type->compatible_size);
	fdt_prop_u32(&b, "#address-cells", 2);
	fdt_prop_u32(&b, "#size-cells", 2);
	dtb_chosen(&b, p);

	fdt_node_begin(&b, "memory@%llx", (unsigned long long)p->ram_base);
	fdt_prop_string(&b, "device_type", "memory");
	fdt_prop_reg(&b, p->ram_base, p->ram_size);
	fdt_node_end(&b);

	dtb_cpus(&b, p);
	dtb_psci(&b);
	dtb_hypervisor(&b);
	dtb_timer(&b, p);
	if (p->pmu)
		dtb_pmu(&b, p);
	dtb_intc(&b, p);

	fdt_node_begin(&b, "apb-pclk");
	fdt_prop_string(&b, "compatible", "fixed-clock");
	fdt_prop_u32(&b, "#clock-cells", 0);
	fdt_prop_u32(&b, "clock-frequency", DTB_APB_CLOCK_HZ);
	fdt_prop_string(&b, "clock-output-names", "clk24mhz");
	fdt_prop_u32(&b, "phandle", FDT_PHANDLE_APB_PCLK);
	fdt_node_end(&b);

	if (p->type->fdt)
		p->type->fdt(&b);
	device_bus_fdt(bus, &b);
	fdt_node_end(&b);

	ret = fdt_builder_finish(&b);
	if (ret == -ENOSPC)
		return error_set(err, ret, "--append: too long: the device tree has %zu bytes in all",
				 size);
	if (ret < 0)
		return error_set(err, ret, "device tree: %s", fdt_strerror(b.error));
	return ret;
}

int dtb_complete(void *buf, size_t len, size_t size, const struct dtb_params *p,
		 const char *name, struct error *err)
{
	static const char *const stale[] = {
		"linux,initrd-start", "linux,initrd-end", "kaslr-seed", "rng-seed",
	};
	int chosen, ret;

	ret = fdt_check_blob(buf, len, name, err);
	if (ret)
		return ret;
	ret = fdt_open_into(buf, buf, size);
	if (ret)
		return error_set(err, -EINVAL, "%s: %s", name, fdt_strerror(ret));

	chosen = fdt_path_offset(buf, "/chosen");
	if (chosen == -FDT_ERR_NOTFOUND)
		chosen = fdt_add_subnode(buf, 0, "chosen");
	ret = chosen < 0 ? chosen : 0;
	if (!ret && p->bootargs)
		ret = fdt_setprop_string(buf, chosen, "bootargs", p->bootargs);
	/* The tree's own seeds were for another start. */
	for (unsigned int i = 0; !ret && i < sizeof(stale) / sizeof(stale[0]); i++) {
		ret = fdt_delprop(buf, chosen, stale[i]);
		if (ret == -FDT_ERR_NOTFOUND)
			ret = 0;
	}
	if (!ret && p->initrd_size)
		ret = fdt_setprop_u32(buf, chosen, "linux,initrd-start", p->initrd_gpa);
	if (!ret && p->initrd_size)
		ret = fdt_setprop_u32(buf, chosen, "linux,initrd-end",
				      p->initrd_gpa + p->initrd_size);
	if (!ret && p->seeded)
		ret = fdt_setprop_u64(buf, chosen, "kaslr-seed", p->kaslr_seed);
	if (!ret && p->seeded)
		ret = fdt_setprop(buf, chosen, "rng-seed", p->rng_seed, sizeof(p->rng_seed));
	if (!ret)
		ret = fdt_pack(buf);
	if (ret)
		return error_set(err, ret == -FDT_ERR_NOSPACE ? -ENOSPC : -EINVAL, "%s: %s", name,
				 fdt_strerror(ret));
	return fdt_totalsize(buf);
}

/* The @cells cells at @at as one number; those above 64 bits are not looked at. */
static uint64_t dtb_number(const fdt32_t *at, unsigned int cells)
{
	uint64_t value = 0;

	while (cells--)
		value = value << 32 | fdt32_ld(at++);
	return value;
}

/* Do the tree's memory nodes describe [@base, @base + @size) and nothing else? */
static bool dtb_memory_agrees(const void *tree, uint64_t base, uint64_t size)
{
	int address = fdt_address_cells(tree, 0), length = fdt_size_cells(tree, 0);
	uint64_t told = 0;
	bool inside = true;
	int node = -1;

	if (address < 1 || length < 1)
		return false;
	while ((node = fdt_node_offset_by_prop_value(tree, node, "device_type", "memory",
						     sizeof("memory"))) >= 0) {
		int len = 0;
		const fdt32_t *reg = fdt_getprop(tree, node, "reg", &len);

		for (len /= sizeof(*reg); reg && len >= address + length; len -= address + length) {
			uint64_t at = dtb_number(reg, address);
			uint64_t bytes = dtb_number(reg + address, length);

			inside = inside && at >= base && bytes <= size && at - base <= size - bytes;
			told += bytes;
			reg += address + length;
		}
	}
	return inside && told == size;
}

static unsigned int dtb_count_cpus(const void *tree)
{
	unsigned int nr = 0;
	int node = -1;

	while ((node = fdt_node_offset_by_prop_value(tree, node, "device_type", "cpu",
						     sizeof("cpu"))) >= 0)
		nr++;
	return nr;
}

/* What was found while all nodes were looked at, once. */
struct dtb_seen {
	const struct dtb_params *p;
	const struct device_bus *bus;
	bool gic;
	bool device[DEVICE_BUS_MAX];
};

/* Does the machine have it whatever the options say? A tree may well leave that out. */
static bool dtb_is_builtin(const struct machine_type *type, const struct device *dev)
{
	for (const struct machine_device *d = type->devices; d->name; d++)
		if (d->base == dev->base)
			return true;
	return false;
}

static void dtb_see_address(struct dtb_seen *seen, uint64_t address)
{
	for (unsigned int i = 0; i < seen->bus->nr; i++)
		if (seen->bus->dev[i]->base == address)
			seen->device[i] = true;
}

static bool dtb_is_gicv2(const void *tree, int node)
{
	static const char *const kinds[] = {
		"arm,cortex-a15-gic", "arm,cortex-a9-gic", "arm,cortex-a7-gic", "arm,gic-400",
	};

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!fdt_node_check_compatible(tree, node, kinds[i]))
			return true;
	return false;
}

/* A node is where its registers are, or where its name says, as with a PCI host's window. */
static void dtb_see_node(struct dtb_seen *seen, const void *tree, int node, int cells)
{
	const char *name = fdt_get_name(tree, node, NULL), *at = name ? strchr(name, '@') : NULL;
	int len = 0;
	const fdt32_t *reg = fdt_getprop(tree, node, "reg", &len);

	if (at)
		dtb_see_address(seen, strtoull(at + 1, NULL, 16));
	if (!reg || cells < 1 || len / (int)sizeof(*reg) < cells)
		return;
	dtb_see_address(seen, dtb_number(reg, cells));
	if (dtb_number(reg, cells) == seen->p->type->gicd_base && dtb_is_gicv2(tree, node))
		seen->gic = true;
}

/* The cells that an address takes are the parent's to say. */
static void dtb_see_all(struct dtb_seen *seen, const void *tree)
{
	int cells[DTB_DEPTH_MAX] = { 0 }, depth = 0;

	for (int node = 0; node >= 0 && depth >= 0; node = fdt_next_node(tree, node, &depth)) {
		if (depth >= DTB_DEPTH_MAX)
			continue;
		cells[depth] = fdt_address_cells(tree, node);
		if (depth)
			dtb_see_node(seen, tree, node, cells[depth - 1]);
	}
}

static void dtb_compare_devices(const struct dtb_seen *seen, const char *name,
				void (*warn)(const char *fmt, ...))
{
	if (!seen->gic)
		warn("%s: has no GICv2 at 0x%llx, where the machine has it", name,
		     (unsigned long long)seen->p->type->gicd_base);
	for (unsigned int i = 0; i < seen->bus->nr; i++) {
		const struct device *dev = seen->bus->dev[i];
		char text[DEVICE_NAME_MAX];

		if (seen->device[i] || !dev->ops || !dev->ops->fdt ||
		    dtb_is_builtin(seen->p->type, dev))
			continue;
		device_name(dev, text);
		warn("%s: does not have %s, so the guest will not find it", name, text);
	}
}

void dtb_compare(const void *tree, const struct dtb_params *p, const struct device_bus *bus,
		 const char *name, void (*warn)(const char *fmt, ...))
{
	struct dtb_seen seen = { .p = p, .bus = bus };
	unsigned int nr_cpus = dtb_count_cpus(tree);

	if (!dtb_memory_agrees(tree, p->ram_base, p->ram_size))
		warn("%s: its memory differs from the machine's, %llu MiB at 0x%llx", name,
		     (unsigned long long)p->ram_size >> 20, (unsigned long long)p->ram_base);
	if (nr_cpus != p->nr_cpus)
		warn("%s: has %u CPUs, and --cpus gives %u", name, nr_cpus, p->nr_cpus);
	dtb_see_all(&seen, tree);
	dtb_compare_devices(&seen, name, warn);
}

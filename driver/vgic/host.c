// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's GIC: where GICH and GICV are, and the maintenance interrupt. The
 * device tree tells (arm,gic binding: reg entries 2 and 3, the interrupt);
 * parameters step in for boards whose tree does not.
 */
#include <linux/kernel.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_irq.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/sizes.h>

#include "arch/gic.h"
#include "host/hypcpu.h"
#include "vgic/cpuif.h"
#include "vgic/vgic.h"

#define HOST_REG_GICD	0
#define HOST_REG_GICH	2
#define HOST_REG_GICV	3
#define HOST_GICV_SIZE	SZ_8K	/* the second page holds GICV_DIR (IHI 0048B 5.5) */

static unsigned long gich;
module_param(gich, ulong, 0444);
MODULE_PARM_DESC(gich, "Physical address of the GIC's hypervisor registers (default: device tree)");

static unsigned long gicv;
module_param(gicv, ulong, 0444);
MODULE_PARM_DESC(gicv, "Physical address of the GIC's virtual CPU interface (default: device tree)");

static unsigned int maint_irq;
module_param(maint_irq, uint, 0444);
MODULE_PARM_DESC(maint_irq, "GIC number (16-31) of the GIC's maintenance interrupt (default: device tree)");

struct armvmm_vgic_host armvmm_vgic_host;

static DEFINE_PER_CPU(bool, host_maint_enabled);
DEFINE_PER_CPU(u32, armvmm_vgic_host_interface);

/* Every GIC that sits beside a CPU with the Virtualization Extensions, by any name. */
static const struct of_device_id host_match[] = {
	{ .compatible = "arm,gic-400" },
	{ .compatible = "arm,cortex-a15-gic" },
	{ .compatible = "arm,cortex-a7-gic" },
	{ .compatible = "arm,cortex-a9-gic" },
	{ .compatible = "qcom,msm-qgic2" },
	{ }
};

/* The node with all four register frames, else any; a reference is held. */
static struct device_node *host_find_node(void)
{
	struct device_node *np, *any = NULL;
	struct resource res;

	for_each_matching_node(np, host_match) {
		if (!of_address_to_resource(np, HOST_REG_GICV, &res)) {
			of_node_put(any);
			return np;
		}
		if (!any)
			any = of_node_get(np);
	}
	return any;
}

static int host_find_frame(struct device_node *np, unsigned int index, const char *name,
			   unsigned long param, size_t size, phys_addr_t *pa)
{
	resource_size_t found;
	struct resource res;

	if (param) {
		*pa = param;
	} else if (of_address_to_resource(np, index, &res)) {
		pr_err("%pOF has no reg entry %u (%s): the GIC's virtualization registers are missing in the device tree. Add them (reg needs GICD, GICC, GICH, GICV), or give the module gich= and gicv= with the addresses of your SoC's manual\n",
		       np, index, name);
		return -ENODEV;
	} else if ((found = resource_size(&res)) < size) {
		pr_err("reg entry %u (%s) of %pOF has %pa bytes, it needs %zu: correct the device tree, or give the module %s=\n",
		       index, name, np, &found, size,
		       index == HOST_REG_GICH ? "gich" : "gicv");
		return -ENODEV;
	} else {
		*pa = res.start;
	}

	if (pfn_valid(PHYS_PFN(*pa))) {
		pr_err("%s at %pa is memory, no device: correct %s\n", name, pa,
		       !param ? "the device tree" : index == HOST_REG_GICH ? "gich=" : "gicv=");
		return -ENODEV;
	}
	/* Guests get whole pages of GICV, and HYP maps one of GICH. */
	if (!IS_ALIGNED(*pa, PAGE_SIZE)) {
		pr_err("%s at %pa is not aligned to a page: no guest can be given it\n",
		       name, pa);
		return -ENODEV;
	}
	return 0;
}

static unsigned int host_map_ppi(struct device_node *np, unsigned int hwirq)
{
	/* Whichever of the two the device tree gave it, where it has it at all. */
	static const u32 types[] = { IRQ_TYPE_LEVEL_HIGH, IRQ_TYPE_LEVEL_LOW };
	unsigned int i, irq = 0;

	if (hwirq < GIC_NR_SGIS || hwirq >= GIC_NR_PRIVATE)
		return 0;
	for (i = 0; !irq && i < ARRAY_SIZE(types); i++) {
		struct irq_fwspec spec = {
			.fwnode = of_fwnode_handle(np),
			.param_count = 3,
			.param = { 1, hwirq - GIC_NR_SGIS, types[i] },
		};

		irq = irq_create_fwspec_mapping(&spec);
	}
	return irq;
}

unsigned int armvmm_vgic_host_map_ppi(unsigned int hwirq)
{
	struct device_node *np = host_find_node();
	unsigned int irq = np ? host_map_ppi(np, hwirq) : 0;

	of_node_put(np);
	return irq;
}

/* Linux number of the maintenance interrupt, 0 if there is none. */
static unsigned int host_map_maint(struct device_node *np)
{
	return maint_irq ? host_map_ppi(np, maint_irq) : irq_of_parse_and_map(np, 0);
}

/*
 * It only ends the guest's turn: HYP silences it, and the sync after the exit
 * does what it asked for.
 */
static irqreturn_t host_maint_handler(int irq, void *dev)
{
	return IRQ_HANDLED;
}

static int host_map_gich(struct armvmm_vgic_host *host)
{
	u32 vtr;

	host->gich = ioremap(host->gich_pa, PAGE_SIZE);
	if (!host->gich) {
		pr_err("GICH at %pa cannot be mapped\n", &host->gich_pa);
		return -ENOMEM;
	}

	/* A GICv2 has five priority bits there (IHI 0048B 5.3.2). */
	vtr = readl_relaxed(host->gich + GICH_VTR);
	if (GICH_VTR_PRIBITS(vtr) != 5) {
		pr_err("GICH_VTR at %pa reads 0x%08x, which no GICv2 says: check the address of GICH (device tree, or gich=)\n",
		       &host->gich_pa, vtr);
		iounmap(host->gich);
		host->gich = NULL;
		return -ENODEV;
	}
	host->nr_lr = GICH_VTR_NR_LR(vtr);
	return 0;
}

/* Every guest gets what is there. GICV_IIDR is laid out as GICC_IIDR is (IHI 0048B). */
static int host_check_gicv(const struct armvmm_vgic_host *host)
{
	void __iomem *gicv = ioremap(host->gicv_pa, PAGE_SIZE);
	u32 iidr;

	if (!gicv) {
		pr_err("GICV at %pa cannot be mapped\n", &host->gicv_pa);
		return -ENOMEM;
	}
	iidr = readl_relaxed(gicv + GICC_IIDR);
	iounmap(gicv);
	if (GICC_IIDR_ARCH(iidr) != GICC_IIDR_GICV2) {
		pr_err("GICV_IIDR at %pa reads 0x%08x, which no GICv2 says: check the address of GICV (device tree, or gicv=)\n",
		       &host->gicv_pa, iidr);
		return -ENODEV;
	}
	return 0;
}

/*
 * HYP mode sends physical SGIs, and the timer holds its interrupt, by the distributor itself, if
 * they can: where they cannot, the kernel does. Not where each CPU has it at another address.
 */
static void host_map_gicd(struct armvmm_vgic_host *host, struct device_node *np)
{
	struct resource res;

	if (of_property_read_bool(np, "cpu-offset") ||
	    of_address_to_resource(np, HOST_REG_GICD, &res) ||
	    !IS_ALIGNED(res.start, PAGE_SIZE) || pfn_valid(PHYS_PFN(res.start)))
		return;
	host->gicd_pa = res.start;
	host->gicd = ioremap(res.start, GICD_SIZE);
}

/* The CPU reads its own number for its private interrupts (IHI 0048B 4.3.12). Zero on one CPU. */
static u32 host_interface(const struct armvmm_vgic_host *host)
{
	unsigned int intid;
	u32 val = 0;

	for (intid = 0; host->gicd && intid < GIC_NR_PRIVATE && !val; intid += 4)
		val = readl_relaxed(host->gicd + GICD_ITARGETSR + intid);
	return (val | val >> 8 | val >> 16 | val >> 24) & 0xff;
}

int armvmm_vgic_host_init(void)
{
	struct armvmm_vgic_host *host = &armvmm_vgic_host;
	struct device_node *np = host_find_node();
	int ret;

	if (!np) {
		pr_err("the device tree has no GICv2 (compatible arm,gic-400, arm,cortex-a15-gic or arm,cortex-a7-gic): guests need one\n");
		return -ENODEV;
	}

	ret = host_find_frame(np, HOST_REG_GICH, "GICH", gich, GICH_LR(HYP_MAX_LRS),
			      &host->gich_pa);
	if (!ret)
		ret = host_find_frame(np, HOST_REG_GICV, "GICV", gicv, HOST_GICV_SIZE,
				      &host->gicv_pa);
	if (ret)
		goto out;

	host->maint_irq = host_map_maint(np);
	if (!host->maint_irq && maint_irq) {
		pr_err("maint_irq=%u: there is no such private interrupt (16-31, mostly 25)\n",
		       maint_irq);
		ret = -ENODEV;
		goto out;
	}
	if (!host->maint_irq) {
		pr_err("%pOF has no maintenance interrupt: add interrupts = <1 9 0xf04> (or as your SoC's manual says) to it, or give the module maint_irq= (16-31, mostly 25)\n",
		       np);
		ret = -ENODEV;
		goto out;
	}

	ret = host_check_gicv(host);
	if (!ret)
		ret = host_map_gich(host);
	if (ret)
		goto out;

	ret = request_percpu_irq(host->maint_irq, host_maint_handler, "armvmm vgic",
				 &host_maint_enabled);
	if (ret) {
		pr_err("the maintenance interrupt %u of the GIC cannot be requested (error %d): is maint_irq= right, and nothing else using it?\n",
		       host->maint_irq, ret);
		iounmap(host->gich);
		host->gich = NULL;
		ret = -ENODEV;
		goto out;
	}
	host_map_gicd(host, np);
out:
	of_node_put(np);
	return ret;
}

void armvmm_vgic_host_exit(void)
{
	struct armvmm_vgic_host *host = &armvmm_vgic_host;

	if (!host->gich)
		return;
	free_percpu_irq(host->maint_irq, &host_maint_enabled);
	iounmap(host->gich);
	host->gich = NULL;
	if (host->gicd)
		iounmap(host->gicd);
	host->gicd = NULL;
}

void armvmm_vgic_cpu_taken(void)
{
	struct armvmm_vgic_host *host = &armvmm_vgic_host;
	unsigned int n;

	__this_cpu_write(armvmm_vgic_host_interface, host_interface(host));
	vgic_cpuif_cleared(armvmm_hypcpu_this());
	if (!host->gich)
		return;
	/* List registers hold anything after a reset; each use of them begins with empty ones. */
	writel_relaxed(0, host->gich + GICH_HCR);
	for (n = 0; n < host->nr_lr; n++)
		writel_relaxed(0, host->gich + GICH_LR(n));
}

void armvmm_vgic_cpu_up(void)
{
	struct armvmm_vgic_host *host = &armvmm_vgic_host;

	if (!host->gich || __this_cpu_read(host_maint_enabled))
		return;
	__this_cpu_write(host_maint_enabled, true);
	enable_percpu_irq(host->maint_irq, IRQ_TYPE_NONE);
}

void armvmm_vgic_cpu_down(void)
{
	struct armvmm_vgic_host *host = &armvmm_vgic_host;

	if (!host->gich)
		return;
	writel_relaxed(0, host->gich + GICH_HCR);
	if (!__this_cpu_read(host_maint_enabled))
		return;
	__this_cpu_write(host_maint_enabled, false);
	disable_percpu_irq(host->maint_irq);
}

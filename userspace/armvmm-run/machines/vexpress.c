// SPDX-License-Identifier: GPL-2.0-only
/*
 * Versatile Express with the Cortex-A15 daughterboard (V2P-CA15 TC1), as far as guests need it, at
 * QEMU's addresses for its vexpress-a15; and what Arm's Fixed Virtual Platform has of it. Both have
 * the motherboard's memory map for the Cortex-A series (DUI 0447J 4.2).
 *
 * virtio-mmio is where QEMU put its four; there are eight interrupts, and so as many slots. Drivers
 * of flash, display, keyboard, card, USB or Ethernet find none.
 */
#include <stdio.h>

#include "core/fdt_builder.h"
#include "core/machine_type.h"

#define VEXPRESS_TIMER_HZ	1000000	/* of the SP804s */

static const char vexpress_compatible[] =
	"arm,vexpress,v2p-ca15,tc1\0arm,vexpress,v2p-ca15\0arm,vexpress";
static const char fvp_compatible[] = "arm,rtsm_ve,cortex_a15x1\0arm,vexpress";
static const char vexpress_gic[] = "arm,cortex-a15-gic\0arm,cortex-a9-gic";

static const struct machine_device vexpress_devices[] = {
	{ .name = "vexpress-sysreg", .base = 0x1c010000 },
	{ .name = "pl011", .base = 0x1c090000, .spi = 5 },
	{ .name = "pl011", .base = 0x1c0a0000, .spi = 6, .spare = true },
	{ .name = "pl011", .base = 0x1c0b0000, .spi = 7, .spare = true },
	{ .name = "pl011", .base = 0x1c0c0000, .spi = 8, .spare = true },
	{ .name = "sp804", .base = 0x1c110000, .spi = 2 },
	{ .name = "sp804", .base = 0x1c120000, .spi = 3 },
	{ .name = "pl031", .base = 0x1c170000, .spi = 4 },
	{ .name = NULL },
};

/* ---- Nodes of no device ---- */

/* Kernels up to 3.7 find their timer by an alias, and the memory map by the motherboard's node. */
static void vexpress_fdt_old(struct fdt_builder *fdt)
{
	fdt_node_begin(fdt, "aliases");
	fdt_prop_string(fdt, "serial0", "/pl011@1c090000");
	fdt_prop_string(fdt, "serial1", "/pl011@1c0a0000");
	fdt_prop_string(fdt, "serial2", "/pl011@1c0b0000");
	fdt_prop_string(fdt, "serial3", "/pl011@1c0c0000");
	fdt_prop_string(fdt, "arm,v2m_timer", "/sp804@1c110000");
	fdt_node_end(fdt);

	fdt_node_begin(fdt, "motherboard");
	fdt_prop_string(fdt, "model", "V2M-P1");
	fdt_prop_string(fdt, "compatible", "arm,vexpress,v2m-p1");
	fdt_prop_u32(fdt, "arm,hbi", 0x190);
	fdt_prop_u32(fdt, "arm,vexpress,site", 0);
	fdt_prop_string(fdt, "arm,v2m-memory-map", "rs1");
	fdt_node_end(fdt);
}

static void vexpress_fdt_clock(struct fdt_builder *fdt)
{
	fdt_node_begin(fdt, "refclk1mhz");
	fdt_prop_string(fdt, "compatible", "fixed-clock");
	fdt_prop_u32(fdt, "#clock-cells", 0);
	fdt_prop_u32(fdt, "clock-frequency", VEXPRESS_TIMER_HZ);
	fdt_prop_string(fdt, "clock-output-names", "v2m:refclk1mhz");
	fdt_prop_u32(fdt, "phandle", FDT_PHANDLE_TIMER_CLK);
	fdt_node_end(fdt);
}

static void vexpress_fdt_function(struct fdt_builder *fdt, const char *name, uint32_t function)
{
	char compatible[32];

	snprintf(compatible, sizeof(compatible), "arm,vexpress-%s", name);
	fdt_node_begin(fdt, "%s", name);
	fdt_prop_string(fdt, "compatible", compatible);
	fdt_prop_cells(fdt, "arm,vexpress-sysreg,func", 2, (const uint32_t[]){ function, 0 });
	fdt_node_end(fdt);
}

/* What the motherboard's microcontroller does, by its system registers. */
static void vexpress_fdt_config(struct fdt_builder *fdt)
{
	fdt_node_begin(fdt, "mcc");
	fdt_prop_string(fdt, "compatible", "arm,vexpress,config-bus");
	fdt_prop_u32(fdt, "arm,vexpress,config-bridge", FDT_PHANDLE_SYSREG);
	fdt_prop_u32(fdt, "arm,vexpress,site", 0);
	vexpress_fdt_function(fdt, "reset", 5);
	vexpress_fdt_function(fdt, "shutdown", 8);
	vexpress_fdt_function(fdt, "reboot", 9);
	fdt_node_end(fdt);
}

static void vexpress_fdt(struct fdt_builder *fdt)
{
	vexpress_fdt_old(fdt);
	vexpress_fdt_clock(fdt);
	vexpress_fdt_config(fdt);
}

/* ---- The machines ---- */

#define VEXPRESS_COMMON							\
	.console = "/pl011@1c090000",					\
	.gic = "interrupt-controller",					\
	.gic_compatible = vexpress_gic,					\
	.gic_compatible_size = sizeof(vexpress_gic),			\
	.ram_end = 0x100000000,						\
	.max_cpus = 4,							\
	.gicd_base = 0x2c001000,					\
	.gicc_base = 0x2c002000,					\
	.virtio = { .base = 0x1c130000, .slots = 8, .spi = 40 },	\
	.devices = vexpress_devices,					\
	.fdt = vexpress_fdt,						\
	.adapts_dtb = true

static const struct machine_type vexpress_a15_type = {
	VEXPRESS_COMMON,
	.name = "vexpress-a15",
	.summary = "Versatile Express with Cortex-A15, as QEMU's",
	.model = "V2P-CA15",
	.compatible = vexpress_compatible,
	.compatible_size = sizeof(vexpress_compatible),
	.ram_base = { 0x80000000 },
};
MACHINE_TYPE(vexpress_a15_type);

static const struct machine_type fvp_ve_type = {
	VEXPRESS_COMMON,
	.name = "fvp-ve",
	.summary = "Arm's Fixed Virtual Platform of a Versatile Express",
	.model = "RTSM_VE_Cortex-A15x1",
	.compatible = fvp_compatible,
	.compatible_size = sizeof(fvp_compatible),
	.ram_base = { 0x80000000, 0xc0000000 },
};
MACHINE_TYPE(fvp_ve_type);

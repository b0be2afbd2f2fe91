// SPDX-License-Identifier: GPL-2.0-only
/* QEMU's virt board with a GICv2 and without highmem, address for address. */
#include "core/machine_type.h"

static const char virt_compatible[] = "linux,dummy-virt";
static const char virt_gic[] = "arm,cortex-a15-gic";

static const struct machine_device virt_devices[] = {
	{ .name = "pl011", .base = 0x09000000, .spi = 1 },
	{ .name = "pl031", .base = 0x09010000, .spi = 2 },
	{ .name = "fw-cfg", .base = 0x09020000 },
	{ .name = "pl061", .base = 0x09030000, .spi = 7 },
	{ .name = NULL },
};

static const struct machine_type virt_type = {
	.name = "virt",
	.summary = "QEMU's virt board",
	.model = "linux,dummy-virt",
	.compatible = virt_compatible,
	.compatible_size = sizeof(virt_compatible),
	.console = "/pl011@9000000",
	.gic = "intc",
	.gic_compatible = virt_gic,
	.gic_compatible_size = sizeof(virt_gic),
	.ram_base = { 0x40000000 },
	.ram_end = 0x100000000,
	.max_cpus = 8,
	.gicd_base = 0x08000000,
	.gicc_base = 0x08010000,
	.virtio = { .base = 0x0a000000, .slots = 32, .spi = 16 },
	.pci = {
		.base = 0x10000000,
		.io_base = 0x3eff0000,
		.ecam_base = 0x3f000000,
		.end = 0x40000000,
		.spi = 3,
		.v2m_base = 0x08020000,
		.v2m_spi = 48,
	},
	.flash = true,
	.flash_base = 0x00000000,
	.devices = virt_devices,
};
MACHINE_TYPE(virt_type);

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory map of the board: guest-physical addresses, and SPIs (SPI 0 is INTID 32, IHI 0048B
 * 2.2.1). It is QEMU's map of its virt board.
 */
#ifndef ARMVMM_RUN_MAP_H
#define ARMVMM_RUN_MAP_H

#define MAP_FLASH_BASE	0x00000000	/* two banks of 64 MiB */
#define MAP_GICD_BASE	0x08000000
#define MAP_GICC_BASE	0x08010000
#define MAP_V2M_BASE	0x08020000
#define MAP_PL011_BASE	0x09000000
#define MAP_PL031_BASE	0x09010000
#define MAP_FWCFG_BASE	0x09020000
#define MAP_PL061_BASE	0x09030000
#define MAP_VIRTIO_BASE	0x0a000000
#define MAP_VIRTIO_SIZE	0x200
#define MAP_VIRTIO_SLOTS	32
/* PCI: memory, I/O ports and the configuration space of 16 buses lie one behind the other. */
#define MAP_PCI_BASE	0x10000000
#define MAP_PCI_IO_BASE	0x3eff0000
#define MAP_PCI_ECAM_BASE	0x3f000000
#define MAP_PCI_END	0x40000000
#define MAP_PCI_SLOTS	32		/* of the one bus */
#define MAP_RAM_BASE	0x40000000

#define MAP_PL011_SPI	1
#define MAP_PL031_SPI	2
#define MAP_PCI_SPI	3	/* of INTA of slot 0; four */
#define MAP_PL061_SPI	7
#define MAP_VIRTIO_SPI	16	/* of slot 0; edge-triggered, as QEMU's */
#define MAP_V2M_SPI	48	/* of the first message */
#define MAP_V2M_SPIS	64
#define MAP_NR_SPIS		256
#define MAP_PMU_INTID	23	/* a PPI */

#endif /* ARMVMM_RUN_MAP_H */

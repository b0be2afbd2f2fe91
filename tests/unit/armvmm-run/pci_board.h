/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where QEMU's virt board without highmem has its PCI host. Other tests use the same numbers for
 * memory of their own, so these are not in tests/guest/lib/board.h.
 */
#ifndef TESTS_UNIT_PCI_BOARD_H
#define TESTS_UNIT_PCI_BOARD_H

#define PCI_MMIO_BASE	0x10000000
#define PCI_PORT_BASE	0x3eff0000
#define PCI_ECAM_BASE	0x3f000000

#endif /* TESTS_UNIT_PCI_BOARD_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame of the interrupt controller where devices write their messages (GICv2m: Server Base
 * System Architecture, appendix E). A message is the number of an SPI, which gets an edge.
 */
#ifndef ARMVMM_RUN_PCI_V2M_H
#define ARMVMM_RUN_PCI_V2M_H

#include <stdint.h>

#include "core/error.h"

struct machine;
struct pci_v2m;

/* Makes the machine's frame, which its bus owns. Returns 0 or -errno with @err set. Main thread. */
int v2m_make(struct machine *m, struct pci_v2m **v2m, struct error *err);

/* A device writes @data to the bus address @address. Any thread. */
void v2m_message(struct pci_v2m *v2m, uint64_t address, uint32_t data);

#endif /* ARMVMM_RUN_PCI_V2M_H */

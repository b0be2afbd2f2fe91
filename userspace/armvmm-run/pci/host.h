/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCI host: QEMU's "virt" board has it at the same addresses (pci-host-ecam-generic). One bus,
 * with the host bridge in slot 0 and devices of one function in the others.
 *
 * It comes into being with the first device on it, so that a guest without PCI devices has nothing
 * to look for.
 */
#ifndef ARMVMM_RUN_PCI_HOST_H
#define ARMVMM_RUN_PCI_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

struct machine;
struct pci_function;
struct pci_host;

/* Makes the host (m->pci) if there is none. Returns 0 or -errno with @err set. Main thread. */
int pci_host_need(struct machine *m, struct error *err);

/*
 * Puts a function into the next free slot, of which fn->slot is the number. Returns 0 or -ENOSPC.
 * Main thread, before the first vCPU runs. pci_host_detach() takes one away that is there.
 */
int pci_host_attach(struct pci_host *host, struct pci_function *fn);
void pci_host_detach(struct pci_host *host, struct pci_function *fn);

/* Where the function's configuration space is for the guest. */
uint64_t pci_host_ecam(const struct pci_function *fn);

/*
 * Maps a function's BARs at @gpa[0] to @gpa[PCI_BARS - 1], which are 0 for those that are nowhere.
 * An address at which the host has no window counts as nowhere. Any thread.
 */
void pci_host_map(struct pci_function *fn, const uint64_t *gpa);

/*
 * The function's pin is raised or lowered. @now is false for a restored one: the interrupt
 * controller learns it later. Any thread.
 */
void pci_host_set_pin(struct pci_function *fn, bool level, bool now);

/* A device writes @data to the bus address @address: a message. Any thread. */
void pci_host_message(struct pci_host *host, uint64_t address, uint32_t data);

#endif /* ARMVMM_RUN_PCI_HOST_H */

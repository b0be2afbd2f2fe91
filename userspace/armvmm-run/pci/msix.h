/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSI-X (PCI 3.0 6.8.2): a function's table of messages, in a BAR of its own. A part of struct
 * pci_function, whose lock covers it.
 */
#ifndef ARMVMM_RUN_PCI_MSIX_H
#define ARMVMM_RUN_PCI_MSIX_H

#include <stdbool.h>
#include <stdint.h>

struct pci_function;
struct record;

#define PCI_MSIX_MAX	16	/* messages */
#define PCI_MSIX_WORDS	4	/* of an entry: address, its upper half, data, control */

struct pci_msix {
	unsigned int nr;	/* messages; 0: it has no MSI-X. Constant, as are these: */
	unsigned int bar;
	unsigned int cap;	/* where the capability is */
	uint32_t entry[PCI_MSIX_MAX][PCI_MSIX_WORDS];
	uint32_t pending;	/* bit n: message n waits until it is unmasked */
};

/* Before the function is attached: gives it @nr messages, in BAR @bar. */
void pci_msix_init(struct pci_function *fn, unsigned int bar, unsigned int nr);

/* Is it MSI-X that the driver wants, and no pin? Any thread, without the lock. */
bool pci_msix_is_on(struct pci_function *fn);

/* Sends message @vector, or keeps it if it is masked. Any thread, without the lock. */
void pci_msix_send(struct pci_function *fn, unsigned int vector);

/* ---- For function.c, with the lock held ---- */

bool pci_msix_enabled(const struct pci_function *fn);
/* Sends what waits, if the configuration lets it by now. */
void pci_msix_update(struct pci_function *fn);
/* Accesses to the BAR. */
uint64_t pci_msix_read(struct pci_function *fn, uint64_t offset, unsigned int len);
void pci_msix_write(struct pci_function *fn, uint64_t offset, unsigned int len, uint64_t value);
void pci_msix_reset(struct pci_function *fn);
void pci_msix_save(const struct pci_function *fn, struct record *r);
int pci_msix_restore(struct pci_function *fn, struct record *r);

#endif /* ARMVMM_RUN_PCI_MSIX_H */

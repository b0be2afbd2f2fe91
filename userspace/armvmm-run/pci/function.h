/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI device with one function: its configuration space (PCI 3.0 6.1), its BARs and its interrupt
 * pin. A device embeds struct pci_function and finds itself with container_of().
 *
 * Locks: a function's, then the host's (host.h). Neither is held while a function's operations are
 * called.
 */
#ifndef ARMVMM_RUN_PCI_FUNCTION_H
#define ARMVMM_RUN_PCI_FUNCTION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "pci/msix.h"

struct machine;
struct pci_function;
struct pci_host;
struct record;

#define PCI_CONFIG_SIZE	256
#define PCI_BARS	6

/* What a driver knows a device by. */
struct pci_id {
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem;
	uint32_t class;		/* base class, sub-class, programming interface */
	uint8_t revision;
	bool pin;		/* it has an interrupt pin, INTA */
};

struct pci_function_ops {
	/*
	 * A guest access to a BAR's memory, as in struct device_ops. Not to that of MSI-X. NULL
	 * for a function without BARs.
	 */
	uint64_t (*read)(struct pci_function *fn, unsigned int bar, uint64_t offset,
			 unsigned int len);
	void (*write)(struct pci_function *fn, unsigned int bar, uint64_t offset, unsigned int len,
		      uint64_t value);

	/*
	 * The guest is about to read, or has written, @len bytes of the configuration space from
	 * @offset on, all in it. Optional. vCPU threads, several at once.
	 */
	void (*config_reading)(struct pci_function *fn, unsigned int offset, unsigned int len);
	void (*config_written)(struct pci_function *fn, unsigned int offset, unsigned int len);

	/*
	 * The guest resets the function (pci_function_resettable()): power-on state, including
	 * pci_function_reset(). vCPU threads.
	 */
	void (*reset)(struct pci_function *fn);
};

struct pci_function {
	struct pci_host *host;
	const struct pci_function_ops *ops;
	unsigned int slot;

	pthread_mutex_t lock;
	uint8_t config[PCI_CONFIG_SIZE];	/* what the guest reads, but for its status */
	uint8_t writable[PCI_CONFIG_SIZE];	/* bits that it may write; constant */
	uint8_t initial[PCI_CONFIG_SIZE];	/* at power-on; constant */
	uint32_t bar_size[PCI_BARS];	/* 0: there is none; constant */
	unsigned int cap_end;		/* the capabilities so far end there */
	unsigned int reset_cap;		/* by which the guest resets it; 0: it cannot */
	bool intx;			/* the device has something to say by its pin */
	bool pin;			/* what the host was told: it does */
	struct pci_msix msix;

	uint64_t bar_gpa[PCI_BARS];	/* where it is; 0: nowhere. The host's lock covers it */
};

/*
 * Prepares @fn, zeroed, without BARs or capabilities. Main thread. pci_function_exit() ends it,
 * also one that was not attached.
 */
void pci_function_init(struct pci_function *fn, const struct pci_function_ops *ops,
		       const struct pci_id *id);
void pci_function_exit(struct pci_function *fn);

/* Before it is attached: a BAR for @size bytes of memory, a power of two from 16 on. */
void pci_function_bar(struct pci_function *fn, unsigned int bar, uint32_t size);

/*
 * The same: a capability of @size bytes, which begins with @id and the link to the next. Returns
 * its offset, where the caller fills in the rest by pci_function_fill(): what a driver reads at
 * power-on, and which of it it may write.
 */
unsigned int pci_function_cap(struct pci_function *fn, uint8_t id, unsigned int size);
void pci_function_fill(struct pci_function *fn, unsigned int offset, unsigned int len,
		       uint32_t value, uint32_t writable);

/* The same: the guest may reset this function alone (Advanced Features, by ops->reset). */
void pci_function_resettable(struct pci_function *fn);

/* The configuration space's 1, 2 or 4 bytes at @offset, for a caller that holds the lock. */
uint32_t pci_function_config(const struct pci_function *fn, unsigned int offset, unsigned int len);

/*
 * The device raises or lowers its pin, which the guest may have disabled, or replaced by MSI-X. Any
 * thread.
 */
void pci_function_set_intx(struct pci_function *fn, bool level);

/* May the device access memory, and send interrupts as messages? Any thread. */
bool pci_function_is_master(struct pci_function *fn);

/* Power-on state of what is in here. Any thread. */
void pci_function_reset(struct pci_function *fn);

/* What is in here, for a snapshot. pci_function_restore() returns 0 or the record's error. */
void pci_function_save(struct pci_function *fn, struct record *r);
int pci_function_restore(struct pci_function *fn, struct record *r);

/*
 * An access of the guest's to the configuration space. @len is 1 to 8, and @offset any below 4096:
 * what is beyond the end reads as ones.
 */
uint64_t pci_config_read(struct pci_function *fn, unsigned int offset, unsigned int len);
void pci_config_write(struct pci_function *fn, unsigned int offset, unsigned int len,
		      uint64_t value);

/* An access to the memory of BAR @bar, all of which is in it. */
uint64_t pci_bar_read(struct pci_function *fn, unsigned int bar, uint64_t offset,
		      unsigned int len);
void pci_bar_write(struct pci_function *fn, unsigned int bar, uint64_t offset, unsigned int len,
		   uint64_t value);

#endif /* ARMVMM_RUN_PCI_FUNCTION_H */

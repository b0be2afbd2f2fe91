// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table is at the start of the BAR, the pending bits in its second half. A driver has to use
 * whole words, or pairs of them (6.8.2); other writes do nothing.
 */
#include <string.h>

#include <linux/pci_regs.h>

#include "core/record.h"
#include "pci/function.h"
#include "pci/host.h"

#define MSIX_BAR_SIZE	0x1000
#define MSIX_PENDING	0x800
#define MSIX_ENTRY	(PCI_MSIX_WORDS * sizeof(uint32_t))

enum { MSIX_ADDRESS, MSIX_UPPER, MSIX_DATA, MSIX_CONTROL };

_Static_assert(PCI_MSIX_MAX * MSIX_ENTRY <= MSIX_PENDING && PCI_MSIX_MAX <= 32, "all has room");

static const uint32_t msix_writable[PCI_MSIX_WORDS] = {
	[MSIX_ADDRESS] = ~3u,	/* messages are whole words */
	[MSIX_UPPER] = UINT32_MAX,
	[MSIX_DATA] = UINT32_MAX,
	[MSIX_CONTROL] = PCI_MSIX_ENTRY_CTRL_MASKBIT,
};

void pci_msix_init(struct pci_function *fn, unsigned int bar, unsigned int nr)
{
	unsigned int cap = pci_function_cap(fn, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);

	fn->msix.nr = nr;
	fn->msix.bar = bar;
	fn->msix.cap = cap;
	pci_function_bar(fn, bar, MSIX_BAR_SIZE);
	pci_function_fill(fn, cap + PCI_MSIX_FLAGS, 2, nr - 1,
			  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pci_function_fill(fn, cap + PCI_MSIX_TABLE, 4, bar, 0);
	pci_function_fill(fn, cap + PCI_MSIX_PBA, 4, MSIX_PENDING | bar, 0);
	pci_msix_reset(fn);
}

static uint32_t msix_flags(const struct pci_function *fn)
{
	return fn->msix.nr ? pci_function_config(fn, fn->msix.cap + PCI_MSIX_FLAGS, 2) : 0;
}

bool pci_msix_enabled(const struct pci_function *fn)
{
	return msix_flags(fn) & PCI_MSIX_FLAGS_ENABLE;
}

bool pci_msix_is_on(struct pci_function *fn)
{
	bool on;

	pthread_mutex_lock(&fn->lock);
	on = pci_msix_enabled(fn);
	pthread_mutex_unlock(&fn->lock);
	return on;
}

static bool msix_is_masked(const struct pci_function *fn, unsigned int vector)
{
	return msix_flags(fn) & PCI_MSIX_FLAGS_MASKALL ||
	       fn->msix.entry[vector][MSIX_CONTROL] & PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

/* A message is a write to memory, which is the bus master's. */
static void msix_write_message(struct pci_function *fn, unsigned int vector)
{
	const uint32_t *entry = fn->msix.entry[vector];

	if (pci_function_config(fn, PCI_COMMAND, 2) & PCI_COMMAND_MASTER)
		pci_host_message(fn->host, (uint64_t)entry[MSIX_UPPER] << 32 | entry[MSIX_ADDRESS],
				 entry[MSIX_DATA]);
}

void pci_msix_update(struct pci_function *fn)
{
	if (!pci_msix_enabled(fn))
		fn->msix.pending = 0;
	for (unsigned int i = 0; fn->msix.pending && i < fn->msix.nr; i++) {
		if (!(fn->msix.pending >> i & 1) || msix_is_masked(fn, i))
			continue;
		fn->msix.pending &= ~(1u << i);
		msix_write_message(fn, i);
	}
}

void pci_msix_send(struct pci_function *fn, unsigned int vector)
{
	pthread_mutex_lock(&fn->lock);
	if (vector < fn->msix.nr && pci_msix_enabled(fn)) {
		if (msix_is_masked(fn, vector))
			fn->msix.pending |= 1u << vector;
		else
			msix_write_message(fn, vector);
	}
	pthread_mutex_unlock(&fn->lock);
}

/* ---- The guest ---- */

/* The word at @offset, which is a multiple of 4. */
static uint32_t msix_word(const struct pci_function *fn, uint64_t offset)
{
	if (offset == MSIX_PENDING)
		return fn->msix.pending;
	if (offset >= fn->msix.nr * MSIX_ENTRY)
		return 0;
	return fn->msix.entry[offset / MSIX_ENTRY][offset / 4 % PCI_MSIX_WORDS];
}

uint64_t pci_msix_read(struct pci_function *fn, uint64_t offset, unsigned int len)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < len; i++) {
		uint64_t at = offset + i;

		value |= (uint64_t)(msix_word(fn, at & ~3ull) >> (at % 4 * 8) & 0xff) << (8 * i);
	}
	return value;
}

void pci_msix_write(struct pci_function *fn, uint64_t offset, unsigned int len, uint64_t value)
{
	if (len < 4 || offset % len)
		return;
	for (unsigned int i = 0; i < len && offset + i < fn->msix.nr * MSIX_ENTRY; i += 4) {
		unsigned int word = (offset + i) / 4 % PCI_MSIX_WORDS;

		fn->msix.entry[(offset + i) / MSIX_ENTRY][word] =
			value >> (8 * i) & msix_writable[word];
	}
	pci_msix_update(fn);
}

void pci_msix_reset(struct pci_function *fn)
{
	memset(fn->msix.entry, 0, sizeof(fn->msix.entry));
	for (unsigned int i = 0; i < fn->msix.nr; i++)
		fn->msix.entry[i][MSIX_CONTROL] = PCI_MSIX_ENTRY_CTRL_MASKBIT;
	fn->msix.pending = 0;
}

/* ---- Snapshots ---- */

static const struct record_field msix_state[] = {
	{ "entry", offsetof(struct pci_msix, entry), sizeof(uint32_t),
	  PCI_MSIX_MAX * PCI_MSIX_WORDS, UINT32_MAX },
	RECORD_FIELD(struct pci_msix, pending, UINT32_MAX),
};

void pci_msix_save(const struct pci_function *fn, struct record *r)
{
	if (fn->msix.nr)
		record_put_fields(r, &fn->msix, msix_state, RECORD_NR(msix_state));
}

int pci_msix_restore(struct pci_function *fn, struct record *r)
{
	if (!fn->msix.nr)
		return r->ret;
	record_get_fields(r, &fn->msix, msix_state, RECORD_NR(msix_state));
	for (unsigned int i = 0; i < PCI_MSIX_MAX; i++)
		for (unsigned int w = 0; w < PCI_MSIX_WORDS; w++)
			fn->msix.entry[i][w] &= msix_writable[w];
	fn->msix.pending &= (1u << fn->msix.nr) - 1;
	return r->ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function's configuration space. It is bytes, with a mask of the bits that the guest may write;
 * what a write means is looked for afterwards.
 */
#include <errno.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "core/record.h"
#include "pci/function.h"
#include "pci/host.h"

#define FUNCTION_COMMAND (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |	\
			  PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE)
#define FUNCTION_HEADER_END 0x40	/* capabilities follow */

void pci_function_init(struct pci_function *fn, const struct pci_function_ops *ops,
		       const struct pci_id *id)
{
	fn->ops = ops;
	fn->cap_end = FUNCTION_HEADER_END;
	pthread_mutex_init(&fn->lock, NULL);
	pci_function_fill(fn, PCI_VENDOR_ID, 2, id->vendor, 0);
	pci_function_fill(fn, PCI_DEVICE_ID, 2, id->device, 0);
	pci_function_fill(fn, PCI_COMMAND, 2, 0, FUNCTION_COMMAND);
	pci_function_fill(fn, PCI_CLASS_REVISION, 4, id->class << 8 | id->revision, 0);
	pci_function_fill(fn, PCI_CACHE_LINE_SIZE, 1, 0, 0xff);
	pci_function_fill(fn, PCI_SUBSYSTEM_VENDOR_ID, 2, id->subsystem_vendor, 0);
	pci_function_fill(fn, PCI_SUBSYSTEM_ID, 2, id->subsystem, 0);
	pci_function_fill(fn, PCI_INTERRUPT_LINE, 1, 0, 0xff);
	pci_function_fill(fn, PCI_INTERRUPT_PIN, 1, id->pin, 0);
}

void pci_function_exit(struct pci_function *fn)
{
	if (fn->host)
		pci_host_detach(fn->host, fn);
	pthread_mutex_destroy(&fn->lock);
}

void pci_function_fill(struct pci_function *fn, unsigned int offset, unsigned int len,
		       uint32_t value, uint32_t writable)
{
	for (unsigned int i = 0; i < len; i++) {
		fn->initial[offset + i] = fn->config[offset + i] = value >> (8 * i);
		fn->writable[offset + i] = writable >> (8 * i);
	}
}

void pci_function_bar(struct pci_function *fn, unsigned int bar, uint32_t size)
{
	fn->bar_size[bar] = size;
	pci_function_fill(fn, PCI_BASE_ADDRESS_0 + 4 * bar, 4, PCI_BASE_ADDRESS_MEM_TYPE_32,
			  ~(size - 1));
}

unsigned int pci_function_cap(struct pci_function *fn, uint8_t id, unsigned int size)
{
	unsigned int at = fn->cap_end;

	/* The newest comes first. */
	pci_function_fill(fn, at, 2, id | fn->config[PCI_CAPABILITY_LIST] << 8, 0);
	pci_function_fill(fn, PCI_CAPABILITY_LIST, 1, at, 0);
	pci_function_fill(fn, PCI_STATUS, 2, PCI_STATUS_CAP_LIST, 0);
	fn->cap_end = (at + size + 3) & ~3u;
	return at;
}

void pci_function_resettable(struct pci_function *fn)
{
	unsigned int at = pci_function_cap(fn, PCI_CAP_ID_AF, PCI_CAP_AF_SIZEOF);

	pci_function_fill(fn, at + PCI_AF_LENGTH, 1, PCI_CAP_AF_SIZEOF, 0);
	pci_function_fill(fn, at + PCI_AF_CAP, 1, PCI_AF_CAP_TP | PCI_AF_CAP_FLR, 0);
	fn->reset_cap = at;
}

uint32_t pci_function_config(const struct pci_function *fn, unsigned int offset, unsigned int len)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < len; i++)
		value |= (uint32_t)fn->config[offset + i] << (8 * i);
	return value;
}

/* ---- What the configuration means ---- */

/* With the lock held. */
static void function_update_pin(struct pci_function *fn, bool now)
{
	bool pin = fn->intx && !pci_msix_enabled(fn) &&
		   !(pci_function_config(fn, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);

	if (pin == fn->pin)
		return;
	fn->pin = pin;
	pci_host_set_pin(fn, pin, now);
}

/* The same. */
static void function_update_map(struct pci_function *fn)
{
	bool on = pci_function_config(fn, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY;
	uint64_t gpa[PCI_BARS] = { 0 };

	for (unsigned int i = 0; on && i < PCI_BARS; i++)
		if (fn->bar_size[i])
			gpa[i] = pci_function_config(fn, PCI_BASE_ADDRESS_0 + 4 * i, 4) &
				 PCI_BASE_ADDRESS_MEM_MASK;
	pci_host_map(fn, gpa);
}

void pci_function_set_intx(struct pci_function *fn, bool level)
{
	pthread_mutex_lock(&fn->lock);
	fn->intx = level;
	function_update_pin(fn, true);
	pthread_mutex_unlock(&fn->lock);
}

bool pci_function_is_master(struct pci_function *fn)
{
	bool master;

	pthread_mutex_lock(&fn->lock);
	master = pci_function_config(fn, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
	pthread_mutex_unlock(&fn->lock);
	return master;
}

void pci_function_reset(struct pci_function *fn)
{
	pthread_mutex_lock(&fn->lock);
	memcpy(fn->config, fn->initial, sizeof(fn->config));
	pci_msix_reset(fn);
	fn->intx = false;
	function_update_pin(fn, true);
	function_update_map(fn);
	pthread_mutex_unlock(&fn->lock);
}

/* ---- The guest ---- */

uint64_t pci_config_read(struct pci_function *fn, unsigned int offset, unsigned int len)
{
	unsigned int inside = offset >= PCI_CONFIG_SIZE ? 0 :
			      offset + len <= PCI_CONFIG_SIZE ? len : PCI_CONFIG_SIZE - offset;
	uint64_t value = 0;

	if (inside && fn->ops->config_reading)
		fn->ops->config_reading(fn, offset, inside);
	pthread_mutex_lock(&fn->lock);
	for (unsigned int i = 0; i < len; i++) {
		uint8_t byte = i < inside ? fn->config[offset + i] : 0xff;

		/* PCI 3.0 6.2.3: also while the pin is disabled. */
		if (offset + i == PCI_STATUS && fn->intx)
			byte |= PCI_STATUS_INTERRUPT;
		value |= (uint64_t)byte << (8 * i);
	}
	pthread_mutex_unlock(&fn->lock);
	return value;
}

/* The bit that resets the function reads as zero: it is not kept. */
static bool function_is_reset(const struct pci_function *fn, unsigned int offset, unsigned int len,
			      uint64_t value)
{
	unsigned int at = fn->reset_cap + PCI_AF_CTRL;

	return fn->reset_cap && at >= offset && at < offset + len &&
	       value >> (8 * (at - offset)) & PCI_AF_CTRL_FLR;
}

void pci_config_write(struct pci_function *fn, unsigned int offset, unsigned int len,
		      uint64_t value)
{
	if (offset >= PCI_CONFIG_SIZE)
		return;
	if (len > PCI_CONFIG_SIZE - offset)
		len = PCI_CONFIG_SIZE - offset;
	pthread_mutex_lock(&fn->lock);
	for (unsigned int i = 0; i < len; i++) {
		uint8_t mask = fn->writable[offset + i];

		fn->config[offset + i] = (fn->config[offset + i] & ~mask) |
					 (value >> (8 * i) & mask);
	}
	function_update_pin(fn, true);
	function_update_map(fn);
	pci_msix_update(fn);
	pthread_mutex_unlock(&fn->lock);
	if (fn->ops->config_written)
		fn->ops->config_written(fn, offset, len);
	if (function_is_reset(fn, offset, len, value))
		fn->ops->reset(fn);
}

static bool function_is_msix(const struct pci_function *fn, unsigned int bar)
{
	return fn->msix.nr && bar == fn->msix.bar;
}

uint64_t pci_bar_read(struct pci_function *fn, unsigned int bar, uint64_t offset,
		      unsigned int len)
{
	uint64_t value;

	if (!function_is_msix(fn, bar))
		return fn->ops->read(fn, bar, offset, len);
	pthread_mutex_lock(&fn->lock);
	value = pci_msix_read(fn, offset, len);
	pthread_mutex_unlock(&fn->lock);
	return value;
}

void pci_bar_write(struct pci_function *fn, unsigned int bar, uint64_t offset, unsigned int len,
		   uint64_t value)
{
	if (!function_is_msix(fn, bar)) {
		fn->ops->write(fn, bar, offset, len, value);
		return;
	}
	pthread_mutex_lock(&fn->lock);
	pci_msix_write(fn, offset, len, value);
	pthread_mutex_unlock(&fn->lock);
}

/* ---- Snapshots ---- */

static const struct record_field function_state[] = {
	RECORD_ARRAY(struct pci_function, config, UINT8_MAX),
	RECORD_FIELD(struct pci_function, intx, 1),
};

void pci_function_save(struct pci_function *fn, struct record *r)
{
	pthread_mutex_lock(&fn->lock);
	record_put_fields(r, fn, function_state, RECORD_NR(function_state));
	pci_msix_save(fn, r);
	pthread_mutex_unlock(&fn->lock);
}

int pci_function_restore(struct pci_function *fn, struct record *r)
{
	pthread_mutex_lock(&fn->lock);
	record_get_fields(r, fn, function_state, RECORD_NR(function_state));
	for (unsigned int i = 0; i < PCI_CONFIG_SIZE; i++) {
		uint8_t fixed = ~fn->writable[i];

		/* What a driver cannot write is what it expects of the device. */
		if (!r->ret && (fn->config[i] ^ fn->initial[i]) & fixed)
			record_refuse(r, "its configuration space was another one, at 0x%x", i);
		fn->config[i] = (fn->initial[i] & fixed) | (fn->config[i] & ~fixed);
	}
	pci_msix_restore(fn, r);
	function_update_pin(fn, false);
	function_update_map(fn);
	pthread_mutex_unlock(&fn->lock);
	return r->ret;
}

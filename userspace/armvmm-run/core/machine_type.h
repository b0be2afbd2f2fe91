/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kinds of machines. A machine is one file, which names its devices, their addresses and their
 * interrupts, and registers itself: a new machine is a new file and nothing else. SPI 0 is INTID 32
 * (IHI 0048B 2.2.1).
 */
#ifndef ARMVMM_RUN_MACHINE_TYPE_H
#define ARMVMM_RUN_MACHINE_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/map.h"

struct fdt_builder;

/* The machine of those who ask for none. */
#define MACHINE_TYPE_DEFAULT	"virt"
#define MACHINE_TYPE_NAME_MAX	16	/* with the zero */
#define MACHINE_TYPE_RAM_BASES	2

/* A device that the machine always has. */
struct machine_device {
	const char *name;	/* of its device_type; NULL ends a list of them */
	uint64_t base;
	unsigned int spi;
	bool spare;		/* a serial port that leads nowhere */
};

/* Where a PCI host may be. Memory, I/O ports and ECAM lie one behind the other. */
struct machine_pci {
	uint64_t base, io_base, ecam_base, end;	/* end 0: the machine has no PCI */
	unsigned int spi;	/* of INTA of slot 0; four */
	uint64_t v2m_base;
	unsigned int v2m_spi;	/* of the first message; MAP_V2M_SPIS */
};

struct machine_type {
	const char *name;	/* --machine NAME */
	const char *summary;	/* what it is, in a few words */
	const char *model;	/* of the tree's root */
	const char *compatible;	/* likewise; several, as "a\0b" */
	size_t compatible_size;	/* with the last zero */
	const char *console;	/* path of the node that is stdout-path */
	const char *gic;	/* name of the interrupt controller's node, without its address */
	const char *gic_compatible;
	size_t gic_compatible_size;
	uint64_t ram_base[MACHINE_TYPE_RAM_BASES];	/* the default; others, or 0 */
	uint64_t ram_end;	/* the end of the addresses that RAM may have */
	unsigned int max_cpus;
	uint64_t gicd_base, gicc_base;
	struct {
		uint64_t base;
		unsigned int slots;	/* of MAP_VIRTIO_SIZE bytes each */
		unsigned int spi;	/* of slot 0; edge-triggered, as QEMU's */
	} virtio;
	struct machine_pci pci;
	bool flash;		/* two banks, one behind the other, which firmware starts from; */
	uint64_t flash_base;	/* the first one is there */
	const struct machine_device *devices;
	/* Writes those nodes that belong to no device. NULL: there are none. */
	void (*fdt)(struct fdt_builder *fdt);
	/*
	 * A tree for it that comes from elsewhere knows neither --cpus, --memory nor virtio: it is
	 * made to.
	 */
	bool adapts_dtb;
};

/* At the end of a machine's file. */
#define MACHINE_TYPE(type)						\
	static const struct machine_type *const type##_entry		\
	__attribute__((section("machine_types"), used)) = &(type)

/* The type after @prev (NULL: the first), or NULL. The default one comes first, others by name. */
const struct machine_type *machine_type_next(const struct machine_type *prev);

/* The type of that name, or NULL. */
const struct machine_type *machine_type_find(const char *name);

/* The first device of the kind @name that the machine has, or NULL. */
const struct machine_device *machine_type_device(const struct machine_type *type,
						 const char *name);

/* May the machine's RAM begin at @base? */
bool machine_type_has_ram_at(const struct machine_type *type, uint64_t base);

#endif /* ARMVMM_RUN_MACHINE_TYPE_H */

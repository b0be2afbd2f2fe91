/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the command line asks for, parsed and range-checked by options.c.
 * Strings live until exit.
 */
#ifndef ARMVMM_RUN_CONFIG_H
#define ARMVMM_RUN_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/machine_type.h"
#include "core/map.h"
#include "core/process.h"
#include "core/virtio_version.h"

#define CONFIG_MAX_CPUS		8
#define CONFIG_MAX_DEVICES	(MAP_VIRTIO_SLOTS + MAP_PCI_SLOTS)
#define CONFIG_MAX_INITRDS	8
#define CONFIG_MAX_RESTORES	64

struct backend;
struct device_type;
struct options_given;

struct config_device {
	const struct device_type *type;
	void *config;		/* made by type->parse() */
};


enum kernel_format { KERNEL_AUTO, KERNEL_ZIMAGE, KERNEL_IMAGE, KERNEL_ELF, KERNEL_RAW };

struct config {
	const struct machine_type *machine;
	uint64_t ram_base;
	const char *node;	/* the hypervisor's; NULL: the default */
	const char *kernel;
	enum kernel_format format;
	uint32_t load_address, entry;	/* of a raw program; 0: not given */
	unsigned int nr_initrds;
	const char *initrd[CONFIG_MAX_INITRDS];
	const char *append;
	char *append_read;	/* the buffer behind it, if it came from a file */
	bool firmware;		/* the guest starts in flash, and the firmware gets the kernel */
	bool freebsd;		/* the kernel gets what FreeBSD's loader gives */
	const char *freebsd_vars;	/* and these variables; NULL: none */
	const char *dtb;
	const char *dump_dtb;
	const char *dump_config;	/* where to write all options; NULL: nowhere */
	struct options_given *given;	/* the options, as given */
	/* Snapshots to start from: a complete one, and those that add to it. */
	const char *restore[CONFIG_MAX_RESTORES];
	unsigned int nr_restores;
	bool lazy_restore;	/* their memory is read while the guest runs */
	const char *incoming;	/* where the guest comes from; NULL: it starts here */
	unsigned int nr_cpus;
	const char *cpu_part;	/* the kind of CPU that runs the vCPUs; NULL: the boot CPU's */
	uint64_t memory;	/* bytes */
	unsigned int nr_devices;
	struct config_device device[CONFIG_MAX_DEVICES];	/* as given */
	struct backend *serial;	/* what the serial port is joined to; NULL: the terminal */
	bool pmu;
	const char *name;
	const char *disk;	/* args of the first disk */
	char *identity;		/* identifies the guest on this host */
	enum virtio_version virtio;
	bool time_follow;	/* time in which the guest stood still passes for it, too */
	bool no_reboot;
	unsigned int grace;	/* seconds */
	const char *control;	/* the control socket's address; NULL: there is none */
	const char *metrics;	/* where statistics go; NULL: nowhere */
	bool sandbox_off;
	const char *gdb;	/* where to listen for a debugger; NULL: nowhere */
	const char *user;	/* the user to become; NULL: stay the same */
	struct process_rights rights;	/* of devices' processes, by these options */
	bool verbose;
};

#endif /* ARMVMM_RUN_CONFIG_H */

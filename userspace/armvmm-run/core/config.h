/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the command line asks for, parsed and range-checked by options.c.
 * Strings live until exit.
 */
#ifndef ARMVMM_RUN_CONFIG_H
#define ARMVMM_RUN_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/process.h"

#define CONFIG_MAX_CPUS		8
#define CONFIG_MAX_DEVICES	32
#define CONFIG_MAX_INITRDS	8

struct device_type;

struct config_device {
	const struct device_type *type;
	void *config;		/* made by type->parse() */
};

enum pmu_config { PMU_AUTO, PMU_ON, PMU_OFF };	/* auto: where the host has one */

enum kernel_format { KERNEL_AUTO, KERNEL_ZIMAGE, KERNEL_IMAGE, KERNEL_ELF, KERNEL_RAW };

struct config {
	const char *node;	/* the hypervisor's; NULL: the default */
	const char *kernel;
	enum kernel_format format;
	uint32_t load_address, entry;	/* of a raw program; 0: not given */
	unsigned int nr_initrds;
	const char *initrd[CONFIG_MAX_INITRDS];
	const char *append;
	char *append_read;	/* what it points to, where that came from a file */
	bool firmware;		/* the guest starts in flash; a kernel is told to it */
	const char *dtb;
	const char *dump_dtb;
	unsigned int nr_cpus;
	const char *cpu_part;	/* whose CPUs run the vCPUs; NULL: the boot CPU's */
	uint64_t memory;	/* bytes */
	unsigned int nr_devices;
	struct config_device device[CONFIG_MAX_DEVICES];	/* as given */
	enum pmu_config pmu;
	const char *name;
	const char *disk;	/* args of the first disk */
	char *identity;		/* what the guest is known by on this host */
	bool virtio_legacy;	/* virtio-mmio of version 1, not 2 */
	bool no_reboot;
	unsigned int grace;	/* seconds */
	const char *control;	/* the control socket's address; NULL: there is none */
	bool sandbox_off;
	const char *gdb;	/* where a debugger is awaited; NULL: nowhere */
	const char *user;	/* to become; NULL: nobody else */
	struct process_rights rights;	/* what follows from these for processes of devices */
	bool verbose;
};

#endif /* ARMVMM_RUN_CONFIG_H */

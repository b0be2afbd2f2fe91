/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the command line asks for, parsed and range-checked by options.c.
 * Strings live until exit.
 */
#ifndef ARMVMM_RUN_CONFIG_H
#define ARMVMM_RUN_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_MAX_CPUS		8
#define CONFIG_MAX_DISKS	16
#define CONFIG_MAX_NETS		8
#define CONFIG_MAX_HOSTFWDS	16

struct disk_config {
	const char *path;
	bool readonly;		/* ,ro */
	bool direct;		/* ,direct: O_DIRECT */
};

struct hostfwd_config {
	bool udp;
	uint32_t host_addr;	/* host byte order; 0: all addresses */
	uint16_t host_port;
	uint32_t guest_addr;	/* host byte order; 0: the address DHCP gives first */
	uint16_t guest_port;
};

enum net_kind { NET_USER, NET_TAP };

struct net_config {
	const char *option;	/* the option's argument, for messages */
	char *words;		/* options.c's own: what tap points into */
	enum net_kind kind;
	const char *tap;	/* interface name (NET_TAP) */
	bool has_mac;
	uint8_t mac[6];		/* where !has_mac the device makes one from its slot */
	unsigned int nr_hostfwds;
	struct hostfwd_config hostfwd[CONFIG_MAX_HOSTFWDS];
};

enum pmu_config { PMU_AUTO, PMU_ON, PMU_OFF };	/* auto: where the host has one */

enum kernel_format { KERNEL_AUTO, KERNEL_ZIMAGE, KERNEL_IMAGE, KERNEL_ELF, KERNEL_RAW };

struct config {
	const char *device;
	const char *kernel;
	enum kernel_format format;
	const char *initrd;
	const char *append;
	const char *dtb;
	const char *dump_dtb;
	unsigned int nr_cpus;
	uint64_t memory;	/* bytes */
	unsigned int nr_disks;
	struct disk_config disk[CONFIG_MAX_DISKS];
	unsigned int nr_nets;
	struct net_config net[CONFIG_MAX_NETS];
	bool virtio_console;
	bool rng;
	enum pmu_config pmu;
	bool no_reboot;
	unsigned int grace;	/* seconds */
	bool verbose;
};

#endif /* ARMVMM_RUN_CONFIG_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* What --net user is told. */
#ifndef ARMVMM_RUN_SLIRP_CONFIG_H
#define ARMVMM_RUN_SLIRP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/device_type.h"

#define SLIRP_MAX_HOSTFWDS	16

struct slirp_hostfwd {
	bool udp;
	uint32_t host_addr;	/* host byte order; 0: all addresses */
	uint16_t host_port;
	uint32_t guest_addr;	/* host byte order; 0: the address DHCP gives first */
	uint16_t guest_port;
};

struct slirp_config {
	unsigned int nr_hostfwds;
	struct slirp_hostfwd hostfwd[SLIRP_MAX_HOSTFWDS];
};

extern const struct device_word slirp_config_words[];

/* The back end's word(), see net.h. */
int slirp_config_word(void *config, const char *label, const char *word, struct error *err);

#endif /* ARMVMM_RUN_SLIRP_CONFIG_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration of --net user. */
#ifndef ARMVMM_RUN_SLIRP_CONFIG_H
#define ARMVMM_RUN_SLIRP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/device_type.h"

#define SLIRP_MAX_HOSTFWDS	16

/* Each has a socket: a TCP connection, or a UDP or ICMP flow of the last minutes. */
#define SLIRP_CONNECTIONS	512
#define SLIRP_MAX_CONNECTIONS	4096

struct slirp_hostfwd {
	bool udp;
	uint32_t host_addr;	/* host byte order; 0: all addresses; default 127.0.0.1 */
	uint16_t host_port;
	uint32_t guest_addr;	/* host byte order; 0: the address DHCP gives first */
	uint16_t guest_port;
};

struct slirp_config {
	bool restrict_;		/* nothing but the forwarded ports and DHCP */
	bool loopback;		/* the guest may reach the host's own 127.0.0.1 */
	bool no_ipv4, no_ipv6;
	uint32_t net, mask;	/* host byte order; mask 0: 10.0.2.0/24 */
	uint32_t dns;		/* host byte order; 0: the third address of the network */
	unsigned int connections;	/* at most; 0: SLIRP_CONNECTIONS */
	unsigned int nr_hostfwds;
	struct slirp_hostfwd hostfwd[SLIRP_MAX_HOSTFWDS];
};

extern const struct device_word slirp_config_words[];

/* The back end's word(), see net.h. */
int slirp_config_word(void *config, const char *label, const char *word, struct error *err);

#endif /* ARMVMM_RUN_SLIRP_CONFIG_H */

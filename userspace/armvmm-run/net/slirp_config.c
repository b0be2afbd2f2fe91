// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "core/parse.h"
#include "net/slirp_config.h"

const struct device_word slirp_config_words[] = {
	{ "hostfwd=tcp|udp:[ADDR]:PORT-[ADDR]:PORT", "forward a port of the host to the guest" },
	{ "restrict=on|off", "on: no way out for the guest but its forwarded ports" },
	{ "loopback=on|off", "on: 10.0.2.2 is a way to the host's 127.0.0.1" },
	{ "connections=N", "at the same time, at most (default 512)" },
	{ "net=ADDRESS[/BITS]", "its network (default 10.0.2.0/24)" },
	{ "dns=ADDRESS", "the name server that the guest is told (default 10.0.2.3)" },
	{ "ipv4=on|off", "off: no IPv4" },
	{ "ipv6=on|off", "off: no IPv6" },
	{ NULL, NULL },
};

/* Parses "[ADDR]:PORT" up to @end. An empty address leaves *@addr as it was. */
static int slirp_endpoint(const char *text, const char *end, uint32_t *addr, uint16_t *port)
{
	const char *colon = memchr(text, ':', end - text);
	char buf[INET_ADDRSTRLEN];
	struct in_addr in = { .s_addr = htonl(*addr) };
	uint64_t n;

	if (!colon || (size_t)(colon - text) >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, colon - text);
	buf[colon - text] = '\0';
	if (*buf && inet_pton(AF_INET, buf, &in) != 1)
		return -EINVAL;
	if (parse_number(colon + 1, end, 65535, &n) || !n)
		return -EINVAL;
	*addr = ntohl(in.s_addr);
	*port = n;
	return 0;
}

static int slirp_hostfwd(struct slirp_config *config, const char *text)
{
	struct slirp_hostfwd *fwd = &config->hostfwd[config->nr_hostfwds];
	const char *dash;

	if (config->nr_hostfwds == SLIRP_MAX_HOSTFWDS)
		return -E2BIG;
	/* Only this host may connect, unless an address is given: 0.0.0.0 is all addresses. */
	*fwd = (struct slirp_hostfwd){
		.udp = !strncmp(text, "udp:", 4),
		.host_addr = INADDR_LOOPBACK,
	};
	if (!fwd->udp && strncmp(text, "tcp:", 4))
		return -EINVAL;
	text += 4;
	dash = strchr(text, '-');
	if (!dash || slirp_endpoint(text, dash, &fwd->host_addr, &fwd->host_port) ||
	    slirp_endpoint(dash + 1, dash + strlen(dash), &fwd->guest_addr, &fwd->guest_port))
		return -EINVAL;
	config->nr_hostfwds++;
	return 0;
}

static int slirp_address(const char *text, uint32_t *addr)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1 || !in.s_addr)
		return -EINVAL;
	*addr = ntohl(in.s_addr);
	return 0;
}

/* "ADDRESS" or "ADDRESS/BITS". It must have room for host, name server, guest, and DHCP's 16. */
static int slirp_network(struct slirp_config *config, const char *text)
{
	const char *slash = strchr(text, '/');
	char buf[INET_ADDRSTRLEN];
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t bits = 24;

	if (len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	if (slirp_address(buf, &config->net) ||
	    (slash && parse_number_all(slash + 1, 27, &bits)) || bits < 8)
		return -EINVAL;
	config->mask = UINT32_MAX << (32 - bits);
	return config->net & ~config->mask ? -EINVAL : 0;
}

static int slirp_connections(struct slirp_config *config, const char *text)
{
	uint64_t n;

	if (parse_number_all(text, SLIRP_MAX_CONNECTIONS, &n) || n < 16)
		return -EINVAL;
	config->connections = n;
	return 0;
}

/* Parses the words whose value is on or off. Returns -ENOENT for any other word. */
static int slirp_switch(struct slirp_config *config, const char *word)
{
	const struct {
		const char *name;
		bool *value;
		bool negated;
	} switches[] = {
		{ "restrict", &config->restrict_, false },
		{ "loopback", &config->loopback, false },
		{ "ipv4", &config->no_ipv4, true },
		{ "ipv6", &config->no_ipv6, true },
	};

	for (unsigned int i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		const char *value = parse_value(word, switches[i].name);
		bool on;

		if (!value)
			continue;
		if (parse_bool(value, &on))
			return -EINVAL;
		*switches[i].value = on != switches[i].negated;
		return 0;
	}
	return -ENOENT;
}

int slirp_config_word(void *backend, const char *label, const char *word, struct error *err)
{
	struct slirp_config *config = backend;
	const char *value;
	int ret;

	if (!strcmp(word, "user"))
		return 0;
	ret = slirp_switch(config, word);
	if (!ret && config->no_ipv4 && config->no_ipv6)
		return error_set(err, -EINVAL, "%s: leaves neither IPv4 nor IPv6", label);
	if (ret == -EINVAL)
		return error_set(err, ret, "%s: %s: must be on or off", label, word);
	if (ret != -ENOENT)
		return ret;
	value = parse_value(word, "net");
	if (value && slirp_network(config, value))
		return error_set(err, -EINVAL, "%s: %s is no network like 10.0.2.0/24 (8 to 27 bits)",
				 label, value);
	if (value)
		return 0;
	value = parse_value(word, "dns");
	if (value && slirp_address(value, &config->dns))
		return error_set(err, -EINVAL, "%s: %s is no address like 10.0.2.3", label, value);
	if (value)
		return 0;
	value = parse_value(word, "connections");
	if (value && slirp_connections(config, value))
		return error_set(err, -EINVAL, "%s: connections=%s: must be 16 to %d", label, value,
				 SLIRP_MAX_CONNECTIONS);
	if (value)
		return 0;
	value = parse_value(word, "hostfwd");
	if (!value)
		return -ENOENT;
	ret = slirp_hostfwd(config, value);
	if (ret == -E2BIG)
		return error_set(err, ret, "%s: no more than %d hostfwd", label,
				 SLIRP_MAX_HOSTFWDS);
	if (ret)
		return error_set(err, ret, "%s: %s is not like hostfwd=tcp::2222-:22", label, word);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "core/parse.h"
#include "net/slirp_config.h"

const struct device_word slirp_config_words[] = {
	{ "hostfwd=tcp|udp:[ADDR]:PORT-[ADDR]:PORT", "forward a port of the host to the guest" },
	{ NULL, NULL },
};

/* "[ADDR]:PORT" up to @end. An empty address is 0: any. */
static int slirp_endpoint(const char *text, const char *end, uint32_t *addr, uint16_t *port)
{
	const char *colon = memchr(text, ':', end - text);
	char buf[INET_ADDRSTRLEN];
	struct in_addr in = { 0 };
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
	*fwd = (struct slirp_hostfwd){ .udp = !strncmp(text, "udp:", 4) };
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

int slirp_config_word(void *backend, const char *label, const char *word, struct error *err)
{
	struct slirp_config *config = backend;
	const char *value;
	int ret;

	if (!strcmp(word, "user"))
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

// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define OPTIONS_MIN_MEMORY	(1ULL << 20)
#define OPTIONS_MAX_MEMORY	(3ULL << 30)	/* from 1 GiB to the end of 32-bit addresses */
#define OPTIONS_DEF_MEMORY	(256ULL << 20)
#define OPTIONS_MAX_GRACE	86400
#define OPTIONS_DEF_GRACE	30

const char options_help[] =
	"Usage: armvmm-run --kernel FILE [OPTION]...\n"
	"Runs a virtual machine on /dev/armvmm.\n"
	"\n"
	"Guest software:\n"
	"  -k, --kernel FILE      zImage, Image or ELF program to start\n"
	"      --format FORMAT    what FILE is: auto (default), zimage, image, elf, raw\n"
	"  -i, --initrd FILE      initial RAM disk\n"
	"  -a, --append TEXT      kernel command line\n"
	"      --dtb FILE         device tree to use instead of the machine's own\n"
	"\n"
	"Machine:\n"
	"  -c, --cpus N           1 to 8 vCPUs (default 1)\n"
	"  -m, --memory SIZE      RAM, with K, M or G; a bare number is MiB (default 256M)\n"
	"  -d, --disk FILE[,ro][,direct]\n"
	"                         virtio disk: read-only; past the page cache (repeatable)\n"
	"  -n, --net user[,mac=M][,hostfwd=tcp|udp:[ADDR]:PORT-[ADDR]:PORT]...\n"
	"      --net tap=NAME[,mac=M]\n"
	"                         virtio network card (repeatable)\n"
	"      --console virtio   a virtio console gets the terminal's input\n"
	"      --rng              virtio source of random numbers\n"
	"      --pmu on|off       performance counters (default: on where the host has them)\n"
	"\n"
	"Running:\n"
	"      --device PATH      the hypervisor's node (default /dev/armvmm)\n"
	"      --no-reboot        leave when the guest reboots\n"
	"      --grace SECONDS    time that SIGTERM leaves the guest to power off (default 30)\n"
	"      --dump-dtb FILE    write the device tree and leave, without starting a guest\n"
	"  -v, --verbose          tell more\n"
	"  -h, --help             print this\n"
	"  -V, --version          print the version\n"
	"\n"
	"At the terminal: Ctrl-A x leaves, Ctrl-A p presses the power button, Ctrl-A b sends\n"
	"a break, Ctrl-A Ctrl-A sends Ctrl-A, Ctrl-A h lists these. All else, Ctrl-C\n"
	"included, goes to the guest.\n"
	"\n"
	"Exit status: 0 the guest powered off (or rebooted under --no-reboot), 1 the host\n"
	"failed, 2 bad usage, 3 the guest crashed, 4 ended before the guest powered off.\n";

enum {
	OPT_FORMAT = 256,
	OPT_DTB,
	OPT_DUMP_DTB,
	OPT_CONSOLE,
	OPT_RNG,
	OPT_PMU,
	OPT_DEVICE,
	OPT_NO_REBOOT,
	OPT_GRACE,
};

static const struct option options_long[] = {
	{ "kernel", required_argument, NULL, 'k' },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "initrd", required_argument, NULL, 'i' },
	{ "append", required_argument, NULL, 'a' },
	{ "dtb", required_argument, NULL, OPT_DTB },
	{ "dump-dtb", required_argument, NULL, OPT_DUMP_DTB },
	{ "cpus", required_argument, NULL, 'c' },
	{ "memory", required_argument, NULL, 'm' },
	{ "disk", required_argument, NULL, 'd' },
	{ "net", required_argument, NULL, 'n' },
	{ "console", required_argument, NULL, OPT_CONSOLE },
	{ "rng", no_argument, NULL, OPT_RNG },
	{ "pmu", required_argument, NULL, OPT_PMU },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "no-reboot", no_argument, NULL, OPT_NO_REBOOT },
	{ "grace", required_argument, NULL, OPT_GRACE },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* Digits only, at least one, no more than @max: no sign, blank or radix prefix slips through. */
static int options_number(const char *text, const char *end, uint64_t max, uint64_t *value)
{
	uint64_t n = 0;

	if (text == end)
		return -EINVAL;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		n = n * 10 + (*text - '0');
		if (n > max)
			return -ERANGE;
	}
	*value = n;
	return 0;
}

static int options_number_all(const char *text, uint64_t max, uint64_t *value)
{
	return options_number(text, text + strlen(text), max, value);
}

static int options_cpus(struct config *config, const char *arg, struct error *err)
{
	uint64_t n;

	if (options_number_all(arg, CONFIG_MAX_CPUS, &n) || !n)
		return error_set(err, -EINVAL, "--cpus %s: must be 1 to %d", arg, CONFIG_MAX_CPUS);
	config->nr_cpus = n;
	return 0;
}

static int options_memory(struct config *config, const char *arg, struct error *err)
{
	const char *end = arg + strlen(arg);
	unsigned int shift = 20;
	uint64_t n;
	int ret;

	if (end > arg) {
		switch (end[-1]) {
		case 'k': case 'K':
			shift = 10;
			end--;
			break;
		case 'm': case 'M':
			end--;
			break;
		case 'g': case 'G':
			shift = 30;
			end--;
			break;
		}
	}
	ret = options_number(arg, end, UINT64_MAX >> 34, &n);
	if (ret == -EINVAL)
		return error_set(err, ret,
				 "--memory %s: is no size (a number, with K, M or G behind it)", arg);
	if (ret || n << shift < OPTIONS_MIN_MEMORY || n << shift > OPTIONS_MAX_MEMORY)
		return error_set(err, -EINVAL, "--memory %s: must be 1M to 3072M", arg);
	if ((n << shift) % 4096)
		return error_set(err, -EINVAL, "--memory %s: must be a multiple of 4K", arg);
	config->memory = n << shift;
	return 0;
}

static int options_grace(struct config *config, const char *arg, struct error *err)
{
	uint64_t n;

	if (options_number_all(arg, OPTIONS_MAX_GRACE, &n))
		return error_set(err, -EINVAL, "--grace %s: must be 0 to %d seconds", arg,
				 OPTIONS_MAX_GRACE);
	config->grace = n;
	return 0;
}

static int options_format(struct config *config, const char *arg, struct error *err)
{
	static const char *const name[] = {
		[KERNEL_AUTO] = "auto", [KERNEL_ZIMAGE] = "zimage", [KERNEL_IMAGE] = "image",
		[KERNEL_ELF] = "elf", [KERNEL_RAW] = "raw",
	};

	for (unsigned int i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		if (!strcmp(arg, name[i])) {
			config->format = i;
			return 0;
		}
	}
	return error_set(err, -EINVAL, "--format %s: must be auto, zimage, image, elf or raw", arg);
}

/*
 * The file's name may hold commas: only the known words at its end are taken
 * away, so "a,b.img,ro" is the file "a,b.img", read-only.
 */
static int options_disk(struct config *config, const char *arg, struct error *err)
{
	struct disk_config *disk = &config->disk[config->nr_disks];
	char *path;

	if (config->nr_disks == CONFIG_MAX_DISKS)
		return error_set(err, -EINVAL, "--disk %s: no more than %d disks", arg,
				 CONFIG_MAX_DISKS);
	path = strdup(arg);
	if (!path)
		return error_errno(err, -ENOMEM, "--disk %s", arg);
	*disk = (struct disk_config){ .path = path };
	config->nr_disks++;

	for (char *comma; (comma = strrchr(path, ',')); *comma = '\0') {
		if (!strcmp(comma, ",ro"))
			disk->readonly = true;
		else if (!strcmp(comma, ",direct"))
			disk->direct = true;
		else
			break;
	}
	if (!*path)
		return error_set(err, -EINVAL, "--disk %s: names no file", arg);
	return 0;
}

static int options_mac(const char *text, uint8_t *mac)
{
	for (int i = 0; i < 6; i++, text += 3) {
		char byte[3] = { text[0], text[0] ? text[1] : '\0', '\0' };

		if (!isxdigit((unsigned char)byte[0]) || !isxdigit((unsigned char)byte[1]) ||
		    text[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		mac[i] = strtoul(byte, NULL, 16);
	}
	/* Bit 0 of the first byte marks a group address, which no card may have. */
	return mac[0] & 1 ? -EINVAL : 0;
}

/* "[ADDR]:PORT" up to @end. An empty address is 0: any. */
static int options_endpoint(const char *text, const char *end, uint32_t *addr, uint16_t *port)
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
	if (options_number(colon + 1, end, 65535, &n) || !n)
		return -EINVAL;
	*addr = ntohl(in.s_addr);
	*port = n;
	return 0;
}

static int options_hostfwd(struct net_config *net, const char *text)
{
	struct hostfwd_config *fwd = &net->hostfwd[net->nr_hostfwds];
	const char *dash;

	if (net->nr_hostfwds == CONFIG_MAX_HOSTFWDS)
		return -E2BIG;
	*fwd = (struct hostfwd_config){ .udp = !strncmp(text, "udp:", 4) };
	if (!fwd->udp && strncmp(text, "tcp:", 4))
		return -EINVAL;
	text += 4;
	dash = strchr(text, '-');
	if (!dash || options_endpoint(text, dash, &fwd->host_addr, &fwd->host_port) ||
	    options_endpoint(dash + 1, dash + strlen(dash), &fwd->guest_addr, &fwd->guest_port))
		return -EINVAL;
	net->nr_hostfwds++;
	return 0;
}

static int options_net_word(struct net_config *net, const char *arg, char *word, bool first,
			    struct error *err)
{
	int ret;

	if (first) {
		if (!strcmp(word, "user")) {
			net->kind = NET_USER;
			return 0;
		}
		if (strncmp(word, "tap=", 4))
			return error_set(err, -EINVAL,
					 "--net %s: must begin with \"user\" or \"tap=NAME\"", arg);
		net->kind = NET_TAP;
		net->tap = word + 4;
		if (!*net->tap || strlen(net->tap) >= IFNAMSIZ)
			return error_set(err, -EINVAL,
					 "--net %s: an interface name has 1 to %d characters", arg,
					 IFNAMSIZ - 1);
		return 0;
	}
	if (!strncmp(word, "mac=", 4)) {
		net->has_mac = true;
		if (options_mac(word + 4, net->mac))
			return error_set(err, -EINVAL,
					 "--net %s: %s is no card's address (like 52:54:00:12:34:56)",
					 arg, word + 4);
		return 0;
	}
	if (!strncmp(word, "hostfwd=", 8)) {
		if (net->kind != NET_USER)
			return error_set(err, -EINVAL, "--net %s: hostfwd goes with \"user\" only",
					 arg);
		ret = options_hostfwd(net, word + 8);
		if (ret == -E2BIG)
			return error_set(err, ret, "--net %s: no more than %d hostfwd", arg,
					 CONFIG_MAX_HOSTFWDS);
		if (ret)
			return error_set(err, ret,
					 "--net %s: %s is not like hostfwd=tcp::2222-:22", arg, word);
		return 0;
	}
	return error_set(err, -EINVAL, "--net %s: unknown word \"%s\"", arg, word);
}

static int options_net(struct config *config, const char *arg, struct error *err)
{
	struct net_config *net = &config->net[config->nr_nets];
	bool first = true;
	char *words, *word;
	int ret;

	if (config->nr_nets == CONFIG_MAX_NETS)
		return error_set(err, -EINVAL, "--net %s: no more than %d cards", arg,
				 CONFIG_MAX_NETS);
	words = strdup(arg);
	if (!words)
		return error_errno(err, -ENOMEM, "--net %s", arg);
	*net = (struct net_config){ .option = arg, .words = words };
	config->nr_nets++;

	while ((word = strsep(&words, ","))) {
		ret = options_net_word(net, arg, word, first, err);
		if (ret)
			return ret;
		first = false;
	}
	return 0;
}

static int options_one(struct config *config, int c, struct error *err)
{
	switch (c) {
	case 'k':
		config->kernel = optarg;
		return 0;
	case 'i':
		config->initrd = optarg;
		return 0;
	case 'a':
		config->append = optarg;
		return 0;
	case 'c':
		return options_cpus(config, optarg, err);
	case 'm':
		return options_memory(config, optarg, err);
	case 'd':
		return options_disk(config, optarg, err);
	case 'n':
		return options_net(config, optarg, err);
	case 'v':
		config->verbose = true;
		return 0;
	case OPT_FORMAT:
		return options_format(config, optarg, err);
	case OPT_DTB:
		config->dtb = optarg;
		return 0;
	case OPT_DUMP_DTB:
		config->dump_dtb = optarg;
		return 0;
	case OPT_CONSOLE:
		if (strcmp(optarg, "virtio"))
			return error_set(err, -EINVAL, "--console %s: must be virtio", optarg);
		config->virtio_console = true;
		return 0;
	case OPT_RNG:
		config->rng = true;
		return 0;
	case OPT_PMU:
		if (strcmp(optarg, "on") && strcmp(optarg, "off"))
			return error_set(err, -EINVAL, "--pmu %s: must be on or off", optarg);
		config->pmu = strcmp(optarg, "on") ? PMU_OFF : PMU_ON;
		return 0;
	case OPT_DEVICE:
		config->device = optarg;
		return 0;
	case OPT_NO_REBOOT:
		config->no_reboot = true;
		return 0;
	default:
		return options_grace(config, optarg, err);
	}
}

int options_parse(struct config *config, int argc, char **argv, struct error *err)
{
	int c, ret;

	*config = (struct config){
		.nr_cpus = 1,
		.memory = OPTIONS_DEF_MEMORY,
		.grace = OPTIONS_DEF_GRACE,
	};
	opterr = 0;
	optind = 0;	/* glibc: start over, for callers that parse twice */

	/* The leading colon makes a missing argument ':' instead of '?'. */
	while ((c = getopt_long(argc, argv, ":k:i:a:c:m:d:n:vhV", options_long, NULL)) != -1) {
		switch (c) {
		case 'h':
			return OPTIONS_HELP;
		case 'V':
			return OPTIONS_VERSION;
		case ':':
			return error_set(err, -EINVAL, "%s: needs an argument", argv[optind - 1]);
		case '?':
			if (optopt && optopt < 256)
				return error_set(err, -EINVAL, "-%c: unknown option", optopt);
			return error_set(err, -EINVAL, "%s: %s", argv[optind - 1],
					 optopt ? "takes no argument" : "unknown option");
		}
		ret = options_one(config, c, err);
		if (ret)
			return ret;
	}
	if (optind < argc)
		return error_set(err, -EINVAL, "%s: is no option (see --help)", argv[optind]);
	if (!config->kernel && !config->dump_dtb)
		return error_set(err, -EINVAL, "--kernel FILE is missing (see --help)");
	return OPTIONS_RUN;
}

void options_free(struct config *config)
{
	for (unsigned int i = 0; i < config->nr_disks; i++)
		free((char *)config->disk[i].path);
	for (unsigned int i = 0; i < config->nr_nets; i++)
		free(config->net[i].words);
	config->nr_disks = 0;
	config->nr_nets = 0;
}

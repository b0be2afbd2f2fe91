// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/freebsd.h"
#include "chardev/backend.h"
#include "control/address.h"
#include "control/metrics_option.h"
#include "core/cpupart.h"
#include "core/device_type.h"
#include "core/identity.h"
#include "core/machine_type.h"
#include "core/parse.h"
#include "gdb/gdb_address.h"
#include "incoming_address.h"
#include "options.h"
#include "options_file.h"
#include "options_table.h"

#define OPTIONS_MIN_MEMORY	(1ULL << 20)
#define OPTIONS_MAX_MEMORY	(3ULL << 30)	/* from 1 GiB to the end of 32-bit addresses */
#define OPTIONS_DEF_MEMORY	(256ULL << 20)
#define OPTIONS_MAX_APPEND	32768
#define OPTIONS_MAX_GRACE	86400
#define OPTIONS_DEF_GRACE	30

const char options_help[] =
	"Usage: armvmm-run --kernel FILE [OPTION]...\n"
	"Runs a virtual machine on /dev/armvmm.\n"
	"\n"
	"Guest software:\n"
	"  -k, --kernel FILE      zImage, Image or ELF program to start, or a uImage of one;\n"
	"                         FILE[#CONF]: a FIT image; all also compressed by gzip or zstd\n"
	"      --format FORMAT    what FILE is: auto (default), zimage, image, elf, raw\n"
	"      --load-address N   where a raw FILE goes (default 0x40010000)\n"
	"      --entry N          and where it starts (default: at its first byte)\n"
	"  -i, --initrd FILE      initial RAM disk (repeatable: one behind the other)\n"
	"  -a, --append TEXT      kernel command line; @FILE takes it from a file\n"
	"      --freebsd[=NAME=VALUE,...]\n"
	"                         start FILE as FreeBSD's loader does, with these variables\n"
	"      --firmware FILE    firmware to start, in flash at 0: U-Boot, EDK2\n"
	"      --flash FILE[,ro]  the next bank of flash, 64 MiB: firmware, then variables\n"
	"      --dtb FILE         device tree to use instead of the machine's own\n"
	"\n"
	"Machine:\n"
	"      --machine NAME[,ram=ADDRESS]\n"
	"                         the board (default virt); --machine help lists all\n"
	"  -c, --cpus N           1 to 8 vCPUs (default 1)\n"
	"      --cpu-part PART    the host's CPUs that run them: a7, a15, 0xc0e (big.LITTLE)\n"
	"  -m, --memory SIZE      RAM, with K, M or G; a bare number is MiB (default 256M)\n"
	"  -d, --disk FILE[,ro][,cache=MODE]\n"
	"                         virtio disk: read-only; with QEMU's kinds of caches: none,\n"
	"                         writeback, writethrough, directsync, unsafe (repeatable)\n"
	"      --disk nbd://HOST[:PORT][/NAME]|nbd:unix:PATH[:exportname=NAME][,ro]\n"
	"                         a disk of an NBD server\n"
	"  -n, --net user[,mac=M][,hostfwd=tcp|udp:[ADDR]:PORT-[ADDR]:PORT]...\n"
	"      --net tap=NAME[,mac=M]\n"
	"      --net stream,addr.path=PATH[,mac=M]\n"
	"                         virtio network card (repeatable)\n"
	"      --serial BACKEND   what the serial port is joined to: stdio (default), pty[,link=PATH],\n"
	"                         unix:PATH, file:PATH[,append] or null\n"
	"      --console BACKEND[,name=NAME]\n"
	"                         a virtio console, with the terminal's input if it has that; or a\n"
	"                         port for programs, /dev/virtio-ports/NAME (repeatable)\n"
	"      --rng              virtio source of random numbers\n"
	"      --vsock cid=N,unix:PATH\n"
	"                         stream sockets between the guest, N, and the host\n"
	"      --share tag=NAME,vhost-user:PATH\n"
	"                         a folder that virtiofsd serves at the socket PATH\n"
	"      --watchdog i6300esb[,action=ACTION]\n"
	"                         a watchdog, which resets a guest that hangs\n"
	"      --device NAME[,...]\n"
	"                         any device; --device help lists all, with their words\n"
	"      --name NAME        what the guest is known by: MAC addresses follow from it\n"
	"      --virtio legacy|modern\n"
	"                         virtio-mmio of version 1 or 2 (default: as QEMU, 1 for\n"
	"                         devices that old drivers know)\n"
	"      --pmu on|off       performance counters (default: off)\n"
	"\n"
	"Running:\n"
	"      --node PATH        the hypervisor's node (default /dev/armvmm)\n"
	"      --restore FILE     go on from a snapshot (armvmm-ctl NAME snapshot FILE);\n"
	"                         again, in their order, for those that add to it\n"
	"      --lazy-restore     start at once, and read the guest's memory while it runs\n"
	"      --incoming FROM    wait for a guest that moves here (armvmm-ctl NAME migrate TO):\n"
	"                         unix:PATH, tcp:[HOST]:PORT, fd:N, or - (stdin and stdout)\n"
	"      --time stop|follow what passes for a guest that stood still: nothing (default), or\n"
	"                         the time that it did\n"
	"      --no-reboot        leave when the guest reboots\n"
	"      --grace SECONDS    time that SIGTERM leaves the guest to power off (default 30)\n"
	"      --control unix:PATH|name:NAME\n"
	"                         a socket for armvmm-ctl, or what else speaks QEMU's QMP\n"
	"      --metrics FILE[,interval=SECONDS]\n"
	"                         write events, and statistics each 10 seconds, as JSON lines\n"
	"      --gdb tcp:[HOST]:PORT|unix:PATH[,wait]\n"
	"                         await a debugger there; wait: do not start before it says so\n"
	"      --sandbox on|off   give up what a guest needs not, before it starts (default on)\n"
	"      --user NAME        as root: become this user when all files are open\n"
	"      --config FILE      take options from a file; those that follow go before\n"
	"      --dump-config FILE write such a file (- is standard output) and leave\n"
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
	"failed, 2 bad usage, 3 the guest crashed, 4 ended before the guest powered off,\n"
	"5 its memory could not be had (--lazy-restore, or a migration by post-copy),\n"
	"6 its kernel panicked (--device pvpanic).\n";

enum {
	OPT_FORMAT = 256,
	OPT_LOAD_ADDRESS,
	OPT_ENTRY,
	OPT_DTB,
	OPT_DUMP_DTB,
	OPT_CPU_PART,
	OPT_MACHINE,
	OPT_NAME,
	OPT_VIRTIO,
	OPT_PMU,
	OPT_SERIAL,
	OPT_DEVICE,
	OPT_NODE,
	OPT_NO_REBOOT,
	OPT_TIME,
	OPT_GRACE,
	OPT_GDB,
	OPT_SANDBOX,
	OPT_CONTROL,
	OPT_METRICS,
	OPT_RESTORE,
	OPT_LAZY_RESTORE,
	OPT_INCOMING,
	OPT_USER,
	OPT_FREEBSD,
	OPT_CONFIG,
	OPT_DUMP_CONFIG,
	OPT_TYPE,	/* and above: options of device types */
};

static const struct option options_long[] = {
	{ "kernel", required_argument, NULL, 'k' },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "load-address", required_argument, NULL, OPT_LOAD_ADDRESS },
	{ "entry", required_argument, NULL, OPT_ENTRY },
	{ "initrd", required_argument, NULL, 'i' },
	{ "append", required_argument, NULL, 'a' },
	{ "freebsd", optional_argument, NULL, OPT_FREEBSD },
	{ "dtb", required_argument, NULL, OPT_DTB },
	{ "dump-dtb", required_argument, NULL, OPT_DUMP_DTB },
	{ "machine", required_argument, NULL, OPT_MACHINE },
	{ "cpus", required_argument, NULL, 'c' },
	{ "cpu-part", required_argument, NULL, OPT_CPU_PART },
	{ "memory", required_argument, NULL, 'm' },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "virtio", required_argument, NULL, OPT_VIRTIO },
	{ "pmu", required_argument, NULL, OPT_PMU },
	{ "serial", required_argument, NULL, OPT_SERIAL },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "node", required_argument, NULL, OPT_NODE },
	{ "time", required_argument, NULL, OPT_TIME },
	{ "no-reboot", no_argument, NULL, OPT_NO_REBOOT },
	{ "restore", required_argument, NULL, OPT_RESTORE },
	{ "lazy-restore", no_argument, NULL, OPT_LAZY_RESTORE },
	{ "incoming", required_argument, NULL, OPT_INCOMING },
	{ "grace", required_argument, NULL, OPT_GRACE },
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "metrics", required_argument, NULL, OPT_METRICS },
	{ "gdb", required_argument, NULL, OPT_GDB },
	{ "sandbox", required_argument, NULL, OPT_SANDBOX },
	{ "user", required_argument, NULL, OPT_USER },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "dump-config", required_argument, NULL, OPT_DUMP_CONFIG },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
};

#define OPTIONS_LONG	(sizeof(options_long) / sizeof(options_long[0]))
_Static_assert(OPTIONS_LONG <= OPTIONS_OWN, "there is room for all options");

static int options_cpus(struct config *config, const char *arg, struct error *err)
{
	uint64_t n;

	if (parse_number_all(arg, CONFIG_MAX_CPUS, &n) || !n)
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
	ret = parse_number(arg, end, UINT64_MAX >> 34, &n);
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

/* NAME[,ram=ADDRESS] */
static int options_machine(struct config *config, const char *arg, struct error *err)
{
	size_t len = strcspn(arg, ",");
	char name[MACHINE_TYPE_NAME_MAX] = "", *end;

	if (len < sizeof(name))
		memcpy(name, arg, len);
	config->machine = machine_type_find(name);
	config->ram_base = 0;
	if (!config->machine)
		return error_set(err, -EINVAL,
				 "--machine %s: is no machine (--machine help lists them)", arg);
	if (!arg[len])
		return 0;
	if (strncmp(arg + len, ",ram=", 5) || arg[len + 5] < '0' || arg[len + 5] > '9')
		return error_set(err, -EINVAL, "--machine %s: takes nothing but ram=ADDRESS", arg);
	config->ram_base = strtoull(arg + len + 5, &end, 0);
	if (*end || !machine_type_has_ram_at(config->machine, config->ram_base))
		return error_set(err, -EINVAL,
				 "--machine %s: its memory cannot begin there (--machine help tells where)",
				 arg);
	return 0;
}

static int options_cpu_part(struct config *config, const char *arg, struct error *err)
{
	if (!cpupart_find(arg))
		return error_set(err, -EINVAL,
				 "--cpu-part %s: must be a part's name, as a7 or a15, or its number, as 0xc0e",
				 arg);
	config->cpu_part = arg;
	return 0;
}

static int options_grace(struct config *config, const char *arg, struct error *err)
{
	uint64_t n;

	if (parse_number_all(arg, OPTIONS_MAX_GRACE, &n))
		return error_set(err, -EINVAL, "--grace %s: must be 0 to %d seconds", arg,
				 OPTIONS_MAX_GRACE);
	config->grace = n;
	return 0;
}

static int options_gdb(struct config *config, const char *arg, struct error *err)
{
	struct gdb_address address;

	config->gdb = arg;
	return gdb_address_parse(&address, arg, err);
}

static int options_metrics(struct config *config, const char *arg, struct error *err)
{
	struct metrics_option option;

	config->metrics = arg;
	return metrics_parse(&option, arg, err);
}

static int options_incoming(struct config *config, const char *arg, struct error *err)
{
	struct incoming_address address;

	config->incoming = arg;
	return incoming_address_parse(&address, arg, err);
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

/* A guest-physical address in RAM, decimal or with 0x. */
static int options_address(uint32_t *address, const char *option, const char *arg,
			   struct error *err)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(arg, &end, 0);
	if (*arg < '0' || *arg > '9' || *end)
		return error_set(err, -EINVAL, "%s %s: is no address (0x40010000)", option, arg);
	if (errno || n > UINT32_MAX)
		return error_set(err, -EINVAL, "%s %s: must be an address of 32 bits", option, arg);
	*address = n;
	return 0;
}

/* Reads the command line from a file, whose line ends become blanks. */
static int options_append_file(struct config *config, const char *name, struct error *err)
{
	char label[OPTIONS_LABEL], *text;
	int ret;

	snprintf(label, sizeof(label), "--append @%.200s", name);
	ret = options_read(&text, name, OPTIONS_MAX_APPEND, label, err);
	if (ret)
		return ret;
	config->append_read = g_strdelimit(g_strstrip(text), "\r\n\t", ' ');
	config->append = config->append_read;
	return 0;
}

static int options_append(struct config *config, const char *arg, struct error *err)
{
	g_free(config->append_read);
	config->append_read = NULL;
	config->append = arg;
	return *arg == '@' ? options_append_file(config, arg + 1, err) : 0;
}

/* A device that @option (as typed: "--disk") asked for, with @arg or NULL. */
static int options_add_device(struct config *config, const struct device_type *type,
			      const char *option, const char *arg, const char *args,
			      struct error *err)
{
	struct config_device *device = &config->device[config->nr_devices];
	char *label;
	unsigned int same = 0;
	int ret = 0;

	if (asprintf(&label, "%s%s%s", option, arg ? " " : "", arg ? arg : "") < 0)
		return error_errno(err, -ENOMEM, "%s", option);
	for (unsigned int i = 0; i < config->nr_devices; i++)
		same += config->device[i].type == type;
	if (same == type->max || config->nr_devices == CONFIG_MAX_DEVICES) {
		ret = error_set(err, -EINVAL, "%s: no more than %u %s", label,
				same == type->max ? type->max : CONFIG_MAX_DEVICES,
				same == type->max ? type->name : "devices");
	} else {
		*device = (struct config_device){ .type = type };
		config->nr_devices++;
		if (type->identifies && !config->disk)
			config->disk = args;
		if (type->parse)
			ret = type->parse(label, args, &device->config, err);
		else if (args)
			ret = error_set(err, -EINVAL, "%s: takes no words", label);
	}
	free(label);
	return ret;
}

static int options_control(struct config *config, const char *arg, struct error *err)
{
	struct address address;
	char label[80];

	snprintf(label, sizeof(label), "--control %.60s", arg);
	config->control = arg;
	return address_parse(&address, label, arg, err);
}

/* The last one counts. */
static int options_serial(struct config *config, const char *arg, struct error *err)
{
	char label[80];

	snprintf(label, sizeof(label), "--serial %.60s", arg);
	if (config->serial)
		backend_release(config->serial);
	else
		config->serial = g_new0(struct backend, 1);
	return backend_parse(config->serial, label, arg, NULL, NULL, err);
}

/* --device NAME[,ARGS], or NAME@ADDRESS */
static int options_device(struct config *config, const char *arg, struct error *err)
{
	char name[32];
	size_t len = strcspn(arg, ",@");
	const struct device_type *type = NULL;

	if (len < sizeof(name)) {
		memcpy(name, arg, len);
		name[len] = '\0';
		type = device_type_find(name);
	}
	if (!type && strchr(arg, '/'))
		return error_set(err, -EINVAL,
				 "--device %s: is no device; the hypervisor's node is --node PATH",
				 arg);
	if (!type)
		return error_set(err, -EINVAL,
				 "--device %s: is no device (--device help lists them)", arg);
	if (type->builtin)
		return error_set(err, -EINVAL, "--device %s: is part of every machine", arg);
	/* NAME,WORD,... and NAME@ADDRESS. */
	return options_add_device(config, type, "--device", arg,
				  arg[len] ? arg + len + (arg[len] == ',') : NULL, err);
}

static int options_one(struct config *config, const struct options_table *t, int c,
		       const char *arg, struct error *err)
{
	switch (c) {
	case 'k':
		config->kernel = arg;
		return 0;
	case 'i':
		if (config->nr_initrds == CONFIG_MAX_INITRDS)
			return error_set(err, -EINVAL, "--initrd %s: no more than %d RAM disks",
					 arg, CONFIG_MAX_INITRDS);
		config->initrd[config->nr_initrds++] = arg;
		return 0;
	case 'a':
		return options_append(config, arg, err);
	case 'c':
		return options_cpus(config, arg, err);
	case 'm':
		return options_memory(config, arg, err);
	case 'v':
		config->verbose = true;
		return 0;
	case OPT_FORMAT:
		return options_format(config, arg, err);
	case OPT_LOAD_ADDRESS:
		return options_address(&config->load_address, "--load-address", arg, err);
	case OPT_ENTRY:
		return options_address(&config->entry, "--entry", arg, err);
	case OPT_FREEBSD:
		config->freebsd = true;
		config->freebsd_vars = arg;
		return freebsd_check(arg, err);
	case OPT_DTB:
		config->dtb = arg;
		return 0;
	case OPT_DUMP_DTB:
		config->dump_dtb = arg;
		return 0;
	case OPT_MACHINE:
		return options_machine(config, arg, err);
	case OPT_CPU_PART:
		return options_cpu_part(config, arg, err);
	case OPT_NAME:
		if (!*arg)
			return error_set(err, -EINVAL, "--name: is empty");
		config->name = arg;
		return 0;
	case OPT_VIRTIO:
		if (strcmp(arg, "legacy") && strcmp(arg, "modern"))
			return error_set(err, -EINVAL, "--virtio %s: must be legacy or modern",
					 arg);
		config->virtio = !strcmp(arg, "legacy") ? VIRTIO_LEGACY : VIRTIO_MODERN;
		return 0;
	case OPT_PMU:
		if (strcmp(arg, "on") && strcmp(arg, "off"))
			return error_set(err, -EINVAL, "--pmu %s: must be on or off", arg);
		config->pmu = !strcmp(arg, "on");
		return 0;
	case OPT_SERIAL:
		return options_serial(config, arg, err);
	case OPT_DEVICE:
		return options_device(config, arg, err);
	case OPT_NODE:
		config->node = arg;
		return 0;
	case OPT_CONTROL:
		return options_control(config, arg, err);
	case OPT_RESTORE:
		if (!*arg)
			return error_set(err, -EINVAL, "--restore: names no file");
		if (config->nr_restores == CONFIG_MAX_RESTORES)
			return error_set(err, -EINVAL, "--restore: more than %u files",
					 CONFIG_MAX_RESTORES);
		config->restore[config->nr_restores++] = arg;
		return 0;
	case OPT_LAZY_RESTORE:
		config->lazy_restore = true;
		return 0;
	case OPT_INCOMING:
		return options_incoming(config, arg, err);
	case OPT_METRICS:
		return options_metrics(config, arg, err);
	case OPT_GDB:
		return options_gdb(config, arg, err);
	case OPT_SANDBOX:
		if (strcmp(arg, "on") && strcmp(arg, "off"))
			return error_set(err, -EINVAL, "--sandbox %s: must be on or off", arg);
		config->sandbox_off = !strcmp(arg, "off");
		return 0;
	case OPT_USER:
		config->user = arg;
		return 0;
	case OPT_CONFIG:
		return options_read_config(config, t, arg, err);
	case OPT_DUMP_CONFIG:
		config->dump_config = arg;
		return 0;
	case OPT_TIME:
		if (strcmp(arg, "stop") && strcmp(arg, "follow"))
			return error_set(err, -EINVAL, "--time %s: must be stop or follow", arg);
		config->time_follow = !strcmp(arg, "follow");
		return 0;
	case OPT_NO_REBOOT:
		config->no_reboot = true;
		return 0;
	default:
		return options_grace(config, arg, err);
	}
}

void options_table(struct options_table *t)
{
	const struct device_type *type = NULL;
	/* The leading colon makes a missing argument ':' instead of '?'. */
	size_t len = sprintf(t->letters, ":k:i:a:c:m:vhV");

	memcpy(t->longs, options_long, sizeof(options_long));
	t->nr_types = 0;
	while ((type = device_type_next(type)) && t->nr_types < OPTIONS_TYPES) {
		if (!type->option)
			continue;
		t->longs[OPTIONS_LONG + t->nr_types] = (struct option){
			type->option, type->args ? required_argument : no_argument, NULL,
			OPT_TYPE + t->nr_types,
		};
		if (type->letter)
			len += sprintf(t->letters + len, "%c%s", type->letter,
				       type->args ? ":" : "");
		t->type[t->nr_types++] = type;
	}
	t->longs[OPTIONS_LONG + t->nr_types] = (struct option){ NULL, 0, NULL, 0 };
}

/* The device type whose option getopt() returned as @c, or NULL. */
static const struct device_type *options_type(const struct options_table *t, int c)
{
	for (unsigned int i = 0; i < t->nr_types; i++)
		if (c == OPT_TYPE + (int)i || (t->type[i]->letter && c == t->type[i]->letter))
			return t->type[i];
	return NULL;
}

/* The long name of the option that getopt() returned as @c. */
static const char *options_name(const struct options_table *t, int c)
{
	const struct device_type *type = options_type(t, c);

	for (const struct option *o = t->longs; !type && o->name; o++)
		if (o->val == c)
			return o->name;
	return type->option;
}

bool options_in_file(int c)
{
	return c != OPT_CONFIG && c != OPT_DUMP_CONFIG && c != OPT_DUMP_DTB && c != 'h' && c != 'V';
}

int options_take(struct config *config, const struct options_table *t, int c, const char *arg,
		 struct error *err)
{
	const struct device_type *type = options_type(t, c);
	char option[64];
	int ret;

	if (type) {
		snprintf(option, sizeof(option), "--%s", type->option);
		ret = options_add_device(config, type, option, arg, arg, err);
	} else {
		ret = options_one(config, t, c, arg, err);
	}
	if (!ret && options_in_file(c))
		options_given_add(config, options_name(t, c), arg);
	return ret;
}

bool options_repeats(int c)
{
	return c >= OPT_TYPE || c == OPT_DEVICE || c == 'i';
}

/*
 * Identifies the guest by its name, or else by the path of its first disk, or else of its kernel.
 */
static void options_identify(struct config *config)
{
	const char *file = config->kernel;

	if (!config->name && config->disk)
		file = config->disk;
	if (config->name)
		config->identity = g_strconcat("name ", config->name, NULL);
	else if (file)
		config->identity = identity_path(file);
}

static void options_choose_boot(struct config *config)
{
	for (unsigned int i = 0; i < config->nr_devices; i++) {
		enum device_boot boot = config->device[i].type->boot;

		if (boot == BOOT_FIRST || (boot == BOOT_ALONE && !config->kernel))
			config->firmware = true;
	}
}

static int options_check_address(const struct config *config, const char *option, uint32_t address,
				 struct error *err)
{
	if (!address || address >= config->ram_base)
		return 0;
	return error_set(err, -EINVAL, "%s 0x%x: must be 0x%llx to 0xffffffff, where memory is",
			 option, address, (unsigned long long)config->ram_base);
}

/* What the machine can have. */
static int options_check_machine(struct config *config, struct error *err)
{
	int ret;

	if (!config->machine)
		config->machine = machine_type_find(MACHINE_TYPE_DEFAULT);
	if (!config->ram_base)
		config->ram_base = config->machine->ram_base[0];
	if (config->memory > config->machine->ram_end - config->ram_base)
		return error_set(err, -EINVAL, "--memory: the machine %s has %lluM at most",
				 config->machine->name,
				 (unsigned long long)(config->machine->ram_end -
						      config->ram_base) >> 20);
	if (config->nr_cpus > config->machine->max_cpus)
		return error_set(err, -EINVAL, "--cpus %u: the machine %s has %u at most",
				 config->nr_cpus, config->machine->name,
				 config->machine->max_cpus);
	ret = options_check_address(config, "--load-address", config->load_address, err);
	return ret ? ret : options_check_address(config, "--entry", config->entry, err);
}

int options_parse(struct config *config, int argc, char **argv, struct error *err)
{
	struct options_table t = { .nr_types = 0 };
	int c, ret;

	*config = (struct config){
		.nr_cpus = 1,
		.memory = OPTIONS_DEF_MEMORY,
		.grace = OPTIONS_DEF_GRACE,
	};
	options_table(&t);
	opterr = 0;
	optind = 0;	/* glibc: start over, for callers that parse twice */

	while ((c = getopt_long(argc, argv, t.letters, t.longs, NULL)) != -1) {
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
		if (c == OPT_DEVICE && !strcmp(optarg, "help"))
			return OPTIONS_DEVICES;
		if (c == OPT_MACHINE && !strcmp(optarg, "help"))
			return OPTIONS_MACHINES;
		ret = options_take(config, &t, c, optarg, err);
		if (ret)
			return ret;
	}
	if (optind < argc)
		return error_set(err, -EINVAL, "%s: is no option (see --help)", argv[optind]);
	options_choose_boot(config);
	ret = options_check_machine(config, err);
	if (ret)
		return ret;
	if (!config->kernel && !config->dump_dtb && !config->dump_config && !config->firmware)
		return error_set(err, -EINVAL, "--kernel FILE is missing (see --help)");
	if ((config->load_address || config->entry) && config->format != KERNEL_RAW)
		return error_set(err, -EINVAL, "%s: is for --format raw alone",
				 config->load_address ? "--load-address" : "--entry");
	if (config->freebsd && config->firmware)
		return error_set(err, -EINVAL, "--freebsd: firmware starts the kernel by itself");
	if (config->user && config->sandbox_off)
		return error_set(err, -EINVAL, "--user %s: needs --sandbox on", config->user);
	if (config->incoming && (config->nr_restores || config->gdb))
		return error_set(err, -EINVAL, "--incoming: cannot be used with --%s",
				 config->nr_restores ? "restore" : "gdb");
	if (config->lazy_restore && !config->nr_restores)
		return error_set(err, -EINVAL, "--lazy-restore: needs --restore FILE");
	options_identify(config);
	return OPTIONS_RUN;
}

void options_free(struct config *config)
{
	for (unsigned int i = 0; i < config->nr_devices; i++)
		if (config->device[i].type->release)
			config->device[i].type->release(config->device[i].config);
	config->nr_devices = 0;
	options_given_free(config);
	if (config->serial)
		backend_release(config->serial);
	g_free(config->serial);
	config->serial = NULL;
	g_free(config->append_read);
	config->append_read = NULL;
	g_free(config->identity);
	config->identity = NULL;
}

static void options_print_words(FILE *file, const struct device_word *words)
{
	for (; words && words->word; words++) {
		if (strlen(words->word) > 22)
			fprintf(file, "    ,%s\n%28s%s\n", words->word, "", words->help);
		else
			fprintf(file, "    ,%-22s %s\n", words->word, words->help);
	}
}

void options_print_machines(FILE *file)
{
	const struct machine_type *type = NULL;

	while ((type = machine_type_next(type))) {
		fprintf(file, "  %-16s %s; up to %u CPUs, memory at 0x%llx", type->name, type->summary,
			type->max_cpus, (unsigned long long)type->ram_base[0]);
		for (unsigned int i = 1; i < MACHINE_TYPE_RAM_BASES && type->ram_base[i]; i++)
			fprintf(file, " or (ram=) 0x%llx", (unsigned long long)type->ram_base[i]);
		fputc('\n', file);
	}
}

void options_print_devices(FILE *file)
{
	const struct device_type *type = NULL;

	fputs("Devices that machines have:\n", file);
	while ((type = device_type_next(type)))
		if (type->builtin)
			fprintf(file, "  %-25s %s\n", type->name, type->summary);
	fputs("Devices to add, by --device NAME[,...] or by the option behind them:\n", file);
	while ((type = device_type_next(type))) {
		struct device_group group;

		if (type->builtin)
			continue;
		fprintf(file, "  %-25s %s, %u at most", type->name, type->summary, type->max);
		if (type->option)
			fprintf(file, "; --%s%s%s", type->option, type->args ? " " : "",
				type->args ? type->args : "");
		fputc('\n', file);
		options_print_words(file, type->words);
		for (unsigned int i = 0; type->group && type->group(i, &group); i++) {
			fprintf(file, "   %-24s %s\n", group.args, group.summary);
			options_print_words(file, group.words);
		}
	}
}

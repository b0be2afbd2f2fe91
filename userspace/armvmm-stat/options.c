// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <limits.h>
#include <string.h>

#include "options.h"

#define OPTIONS_MIN_INTERVAL	0.1
#define OPTIONS_MAX_INTERVAL	3600.0

const char options_help[] =
	"Usage: armvmm-stat [OPTION]...\n"
	"Shows what virtual machines of armvmm do, live.\n"
	"\n"
	"What is shown:\n"
	"  -p, --pid PID          the virtual machines of this process\n"
	"  -g, --guest NAME       the one that was started with -name NAME\n"
	"  -c, --vcpu             a column for each vCPU\n"
	"  -f, --filter REGEX     counters whose name matches\n"
	"  -z, --skip-zero        counters that are not zero\n"
	"      --host             the kinds of CPUs of this host, and leave\n"
	"\n"
	"How:\n"
	"  -1, --once             print one interval, and leave\n"
	"  -l, --log              print a line for each interval\n"
	"  -L, --log-to FILE      append these lines to FILE, opened anew at SIGHUP\n"
	"      --csv              log in comma-separated values\n"
	"  -i, --interval SECONDS 0.1 to 3600 (default 1)\n"
	"      --debugfs DIR      where debugfs is mounted (default /sys/kernel/debug)\n"
	"  -h, --help             print this\n"
	"  -V, --version          print the version\n"
	"\n"
	"Keys: q leaves, h lists the others.\n";

enum {
	OPT_CSV = 256,
	OPT_DEBUGFS,
	OPT_HOST,
};

static const struct option options_long[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "guest", required_argument, NULL, 'g' },
	{ "vcpu", no_argument, NULL, 'c' },
	{ "filter", required_argument, NULL, 'f' },
	{ "skip-zero", no_argument, NULL, 'z' },
	{ "once", no_argument, NULL, '1' },
	{ "log", no_argument, NULL, 'l' },
	{ "log-to", required_argument, NULL, 'L' },
	{ "csv", no_argument, NULL, OPT_CSV },
	{ "interval", required_argument, NULL, 'i' },
	{ "debugfs", required_argument, NULL, OPT_DEBUGFS },
	{ "host", no_argument, NULL, OPT_HOST },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

#define OPTIONS_ERROR(err, ...)	\
	g_set_error(err, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, __VA_ARGS__)

bool options_pid(const char *text, int *pid, GError **err)
{
	guint64 n;

	if (!g_ascii_string_to_unsigned(text, 10, 1, INT_MAX, &n, NULL)) {
		OPTIONS_ERROR(err, "'%s' is no process number", text);
		return false;
	}
	*pid = (int)n;
	return true;
}

bool options_interval(const char *text, double *interval, GError **err)
{
	char *end;
	double s = g_ascii_strtod(text, &end);

	/* The comparison refuses what is no number, too. */
	if (end == text || *end || !(s >= OPTIONS_MIN_INTERVAL && s <= OPTIONS_MAX_INTERVAL)) {
		OPTIONS_ERROR(err, "'%s': an interval is %g to %g seconds", text,
			      OPTIONS_MIN_INTERVAL, OPTIONS_MAX_INTERVAL);
		return false;
	}
	*interval = s;
	return true;
}

GRegex *options_filter(const char *text, GError **err)
{
	GError *why = NULL;
	GRegex *regex = g_regex_new(text, 0, 0, &why);

	if (!regex) {
		OPTIONS_ERROR(err, "'%s' is no regular expression: %s", text, why->message);
		g_error_free(why);
	}
	return regex;
}

static bool options_check(const struct options *o, GError **err)
{
	GRegex *regex;

	if (o->once && o->log) {
		OPTIONS_ERROR(err, "--once and --log exclude each other");
		return false;
	}
	if (o->csv && !o->log) {
		OPTIONS_ERROR(err, "--csv is for --log and --log-to");
		return false;
	}
	if (o->pid && o->guest) {
		OPTIONS_ERROR(err, "--pid and --guest exclude each other");
		return false;
	}
	if (!o->filter)
		return true;
	regex = options_filter(o->filter, err);
	if (!regex)
		return false;
	g_regex_unref(regex);
	return true;
}

static char *options_replace(char **text)
{
	g_free(*text);
	return g_strdup(optarg);
}

bool options_parse(struct options *o, int argc, char **argv, GError **err)
{
	int c;

	*o = (struct options){ .interval = 1, .debugfs = "/sys/kernel/debug" };
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":p:g:cf:z1lL:i:hV", options_long, NULL)) != -1) {
		switch (c) {
		case 'p':
			if (!options_pid(optarg, &o->pid, err))
				return false;
			break;
		case 'g':
			o->guest = options_replace(&o->guest);
			break;
		case 'c':
			o->per_vcpu = true;
			break;
		case 'f':
			o->filter = options_replace(&o->filter);
			break;
		case 'z':
			o->skip_zero = true;
			break;
		case '1':
			o->once = true;
			break;
		case 'L':
			o->log_file = options_replace(&o->log_file);
			o->log = true;
			break;
		case 'l':
			o->log = true;
			break;
		case OPT_HOST:
			o->host = true;
			break;
		case OPT_CSV:
			o->csv = true;
			break;
		case 'i':
			if (!options_interval(optarg, &o->interval, err))
				return false;
			break;
		case OPT_DEBUGFS:
			o->debugfs = optarg;
			break;
		case 'h':
			o->help = true;
			return true;
		case 'V':
			o->version = true;
			return true;
		case ':':
			OPTIONS_ERROR(err, "%s needs a value", argv[optind - 1]);
			return false;
		default:
			OPTIONS_ERROR(err, "there is no option %s", argv[optind - 1]);
			return false;
		}
	}
	if (optind < argc) {
		OPTIONS_ERROR(err, "'%s' is no option", argv[optind]);
		return false;
	}
	return options_check(o, err);
}

void options_free(struct options *o)
{
	g_free(o->log_file);
	g_free(o->guest);
	g_free(o->filter);
}

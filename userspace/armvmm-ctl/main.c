// SPDX-License-Identifier: GPL-2.0-only
/* armvmm-ctl: asks a virtual machine that runs with --control. */
#include <stdio.h>
#include <string.h>

#include "control/address.h"
#include "control/value.h"
#include "verb.h"

/* Exit statuses, as in the man page. */
enum {
	EXIT_DONE = 0,
	EXIT_NO_MACHINE = 1,
	EXIT_USAGE = 2,
	EXIT_REFUSED = 3,
};

static const char help[] =
	"Usage: armvmm-ctl NAME|PATH COMMAND\n"
	"Controls a virtual machine that armvmm-run runs with --control name:NAME or unix:PATH.\n"
	"\n"
	"Commands:\n"
	"  status           does the guest run: running, paused, debug\n"
	"  stop             stop the guest, and its time\n"
	"  cont             let it go on; with --anyway also if it may run elsewhere, where it was sent\n"
	"  powerdown        press its power button\n"
	"  reset            start it over, as its reset button would\n"
	"  quit             end it at once, as by cutting the power\n"
	"  cpus             its vCPUs, and their threads on the host\n"
	"  disks            its disks: ID, bytes, rw or ro, file\n"
	"  resize ID SIZE   give a disk another size, in bytes or with K, M, G or T\n"
	"  balloon SIZE     have the guest give back memory until it has SIZE, as far as it can\n"
	"  memory           the memory that the guest has, and what it tells of it\n"
	"  console [ID]     print what the guest wrote since this was last asked, 64 KiB at most;\n"
	"                   with ID (see consoles) join this terminal to that console\n"
	"  consoles         its consoles: ID, what they are joined to\n"
	"  snapshot FILE    save the guest, which stands still meanwhile, for armvmm-run --restore;\n"
	"                   with --track before FILE, what it writes from then on is logged; with\n"
	"                   --incremental only what it has written since the last one is saved\n"
	"  migrate TO       send the guest, which goes on meanwhile, to an armvmm-run --incoming:\n"
	"                   unix:PATH, tcp:[HOST]:PORT, or exec:COMMAND (its stdin and stdout);\n"
	"                   with --postcopy before TO it runs there before all of its memory has gone\n"
	"  dump FILE        write its memory and registers for debuggers, as an ELF core\n"
	"  events           print what happens, a JSON object a line, until the machine ends\n"
	"  qmp JSON         send a command of QEMU's QMP, and print the answer\n"
	"\n"
	"  -h, --help       print this\n"
	"  -V, --version    print the version\n"
	"\n"
	"A PATH has a slash. Exit status: 0 done, 1 no such machine, or it has gone,\n"
	"2 bad usage, 3 the machine refuses, or fails.\n";

static int main_usage(const char *format, const char *what)
{
	fputs("armvmm-ctl: ", stderr);
	fprintf(stderr, format, what);
	fputs(" (see --help)\n", stderr);
	return EXIT_USAGE;
}

/* Is @arg an option of the verb? */
static bool main_is_option(const struct verb *verb, const char *arg)
{
	for (const char *const *option = verb->options; option && *option; option++)
		if (!strcmp(*option, arg))
			return true;
	return false;
}

static int main_run(const struct address *address, const struct verb *verb, char **args)
{
	GError *err = NULL;
	struct connection *c;
	int status = EXIT_DONE;

	value_prepare();
	c = connection_open(address->path, &err);
	if (!c || !verb->run(c, args, &err)) {
		fprintf(stderr, "armvmm-ctl: %s\n", err->message);
		status = err->code == CONNECTION_FAILED ? EXIT_NO_MACHINE : EXIT_REFUSED;
		g_error_free(err);
	}
	connection_close(c);
	if (fflush(stdout) && status == EXIT_DONE) {
		perror("armvmm-ctl: standard output");
		status = EXIT_NO_MACHINE;
	}
	return status;
}

int main(int argc, char **argv)
{
	const struct verb *verb;
	struct address address;
	struct error err;
	int nr_args;

	if (argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		fputs(help, stdout);
		return fflush(stdout) ? EXIT_NO_MACHINE : EXIT_DONE;
	}
	if (argc == 2 && (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version"))) {
		puts("armvmm-ctl " ARMVMM_VERSION_TEXT);
		return fflush(stdout) ? EXIT_NO_MACHINE : EXIT_DONE;
	}
	if (argc > 1 && argv[1][0] == '-')
		return main_usage("%s: unknown option", argv[1]);
	if (argc < 3)
		return main_usage("%s", argc < 2 ? "NAME or PATH is missing" : "COMMAND is missing");
	verb = verb_find(argv[2]);
	if (!verb)
		return main_usage("%s: is no command", argv[2]);
	nr_args = argc - 3;
	if (nr_args && main_is_option(verb, argv[3]))
		nr_args--;
	else if (nr_args && verb->options && g_str_has_prefix(argv[3], "--"))
		return main_usage("%s: unknown option", argv[3]);
	if (nr_args != (int)verb->nr_args && (nr_args != 1 || *verb->args != '['))
		return main_usage(*verb->args ? "wants %s" : "wants no argument%s", verb->args);
	if (address_find(&address, argv[1], &err))
		return main_usage("%s", err.text);
	return main_run(&address, verb, argv + 3);
}

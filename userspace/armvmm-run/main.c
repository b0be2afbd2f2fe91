// SPDX-License-Identifier: GPL-2.0-only
/* armvmm-run: from the command line to an exit status. */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <libarmvmm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "board.h"
#include "control/control.h"
#include "control/metrics.h"
#include "core/message.h"
#include "core/named_socket.h"
#include "core/process.h"
#include "core/runstate.h"
#include "farewell.h"
#include "gdb/gdb.h"
#include "gdb/gdb_address.h"
#include "incoming.h"
#include "notify.h"
#include "options.h"
#include "options_file.h"
#include "sandbox/keeper.h"
#include "sandbox/sandbox.h"
#include "term.h"

/* Exit statuses, as in the man page. */
enum {
	EXIT_GUEST_POWEROFF = 0,
	EXIT_HOST_ERROR = 1,
	EXIT_USAGE = 2,
	EXIT_GUEST_CRASH = 3,
	EXIT_ENDED = 4,
	EXIT_NO_MEMORY = 5,
	EXIT_GUEST_PANIC = 6,
};

struct program {
	struct config config;
	struct chardev *chr;
	struct board *board;
	struct sandbox *sandbox;
	struct control *control;
	struct metrics *metrics;
	struct gdb *gdb;
	struct gdb_address gdb_address;
	struct listener gdb_listener;
	struct incoming incoming;
	struct notify *notify;
	int signal_fd;
	GSource *signal_source;
	guint grace_timer;
	struct farewell farewell;
};

static gboolean program_grace_over(void *opaque)
{
	struct program *program = opaque;

	program->grace_timer = 0;
	if (farewell_waits(&program->farewell, MACHINE_BY_SIGNAL, false))
		return G_SOURCE_REMOVE;
	message("the guest has not powered off within %u s and is ended", program->config.grace);
	board_request(program->board, MACHINE_QUIT, MACHINE_BY_SIGNAL);
	return G_SOURCE_REMOVE;
}

/* Presses the power button. The first time it also sets a deadline. */
static void program_terminate(struct program *program)
{
	struct machine *m = board_machine(program->board);

	if (machine_is_held_by(m, MACHINE_HOLDER_INCOMING) ||
	    control_guest_has_left(program->control)) {
		/* A guest that has not come, or has left, has no button, and misses nothing. */
		board_request(program->board, MACHINE_QUIT, MACHINE_BY_SIGNAL);
	} else if (!m->press) {
		message("the machine has no power button, so the guest is ended");
		board_request(program->board, MACHINE_QUIT, MACHINE_BY_SIGNAL);
	}
	board_press_power(program->board);
	if (!program->grace_timer)
		program->grace_timer = g_timeout_add_seconds(program->config.grace,
							     program_grace_over, program);
}

static void program_key(void *opaque, enum term_key key)
{
	struct program *program = opaque;

	if (key == TERM_KEY_POWER && !board_machine(program->board)->press)
		message("the machine has no power button (Ctrl-A x leaves)");
	else if (key == TERM_KEY_POWER)
		board_press_power(program->board);
	else if (!farewell_waits(&program->farewell, MACHINE_BY_KEY, true))
		board_request(program->board, MACHINE_QUIT, MACHINE_BY_KEY);
}

/*
 * The shell gets its terminal back as it was; what runs after raise() runs after SIGCONT. The
 * guest is held as by anybody else who stops it, for its counter's sake.
 */
static void program_suspend(struct program *program)
{
	struct machine *m = board_machine(program->board);

	machine_hold(m, MACHINE_HOLDER_SHELL);
	term_stop(program->chr);
	raise(SIGSTOP);
	term_start(program->chr);
	machine_release(m, MACHINE_HOLDER_SHELL);
}

static gboolean program_signal(int fd, GIOCondition condition, void *opaque)
{
	struct program *program = opaque;
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return G_SOURCE_CONTINUE;
	switch (info.ssi_signo) {
	case SIGTERM:
	case SIGINT:
		if (farewell_waits(&program->farewell, MACHINE_BY_SIGNAL, true))
			break;
		/* A person who presses Ctrl-C twice does not want to wait. */
		if (info.ssi_signo == SIGINT && program->grace_timer)
			board_request(program->board, MACHINE_QUIT, MACHINE_BY_SIGNAL);
		else
			program_terminate(program);
		break;
	case SIGTSTP:
		program_suspend(program);
		break;
	case SIGWINCH:
		term_resized(program->chr);
		break;
	case SIGCONT:
		/* After a SIGSTOP, which cannot be caught, the terminal is as the shell left it. */
		term_retake(program->chr);
		break;
	}
	return G_SOURCE_CONTINUE;
}

/* A signal that our parent chose to ignore (nohup, a shell's "&") stays ignored. */
static void program_take_signal(sigset_t *set, int signal)
{
	struct sigaction action;

	if (!sigaction(signal, NULL, &action) && action.sa_handler == SIG_IGN)
		return;
	sigaddset(set, signal);
}

static int program_signals(struct program *program, struct error *err)
{
	sigset_t set, block;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGWINCH);
	program_take_signal(&set, SIGINT);
	program_take_signal(&set, SIGTSTP);

	/* Threads inherit the mask; a vCPU thread unblocks SIGUSR1 for itself. */
	block = set;
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	/* A reader that is gone, and a terminal that is gone, are no reason to end a guest. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);

	program->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (program->signal_fd < 0)
		return error_errno(err, -errno, "signals");
	program->signal_source = g_unix_fd_source_new(program->signal_fd, G_IO_IN);
	g_source_set_callback(program->signal_source, G_SOURCE_FUNC(program_signal), program, NULL);
	g_source_attach(program->signal_source, NULL);
	return 0;
}

/* Files opened later must not become the missing standard ones. */
static void program_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Threads wait that nobody can wake, so nothing is tidied up: disks are as after a power cut. */
static void program_broken(const char *why)
{
	message_patience(MESSAGE_LAST_MS);
	message("%s", why);
	term_abandon(EXIT_NO_MEMORY);
}

static int program_status(enum machine_request ended)
{
	switch (ended) {
	case MACHINE_POWEROFF:
	case MACHINE_RESET:
		return EXIT_GUEST_POWEROFF;
	case MACHINE_CRASH:
		return EXIT_GUEST_CRASH;
	case MACHINE_PANIC:
		return EXIT_GUEST_PANIC;
	default:
		return EXIT_ENDED;
	}
}

static void program_note(void *opaque, const char *text)
{
	message("%s", text);
}

/* Looks up the user of --user, while files can still be opened. */
static int program_find_rights(struct config *config, struct error *err)
{
	struct sandbox_params params = { .net = false };
	int ret = 0;

	if (config->user)
		ret = sandbox_find_user(&params, config->user, err);
	config->rights = (struct process_rights){
		.confined = !config->sandbox_off,
		.change_user = params.change_user,
		.uid = params.uid,
		.gid = params.gid,
	};
	return ret;
}

/* Runs in a process of a device (core/process.h), which stays confined until it ends. */
static int program_confine_process(const struct process_rights *rights, uint64_t data,
				   unsigned int files, struct error *err)
{
	struct sandbox_params params = {
		.net = !rights->dials && !rights->connected,
		.dial = rights->dials,
		.nbd = rights->connected,
		.data = data,
		.files = files,
		.change_user = rights->change_user,
		.uid = rights->uid,
		.gid = rights->gid,
		.note = program_note,
	};
	struct sandbox *sandbox;

	return sandbox_enter(&sandbox, &params, err);
}

/* Called when all that the guest needs is open, and nothing of it has run. */
static int program_confine(struct program *program, struct error *err)
{
	struct machine *m = board_machine(program->board);
	struct sandbox_params params = {
		.flash = m->flash,
		.control = program->control,
		.metrics = program->metrics,
		.vsock = m->vsock,
		.vhost = m->vhost,
		.vhost_user = m->vhost_user,
		.console = m->accepts,
		.restore = program->config.nr_restores,
		.lazy = program->config.lazy_restore,
		.incoming = program->config.incoming,
		.debugger = program->gdb,
		.pinned = board_pinned(program->board),
		.change_user = program->config.rights.change_user,
		.uid = program->config.rights.uid,
		.gid = program->config.rights.gid,
		.note = program_note,
	};
	int ret;

	if (program->config.sandbox_off) {
		message("--sandbox off: a guest that takes over this program has all that its user has");
		return 0;
	}
	ret = sandbox_enter(&program->sandbox, &params, err);
	if (ret)
		return ret;
	m->confine = sandbox_enter_thread;
	m->confine_opaque = program->sandbox;
	return 0;
}

/* Called before anything else is opened: the child that looks after the socket must not get it. */
static int program_control(struct program *program, struct error *err)
{
	const struct config *config = &program->config;
	struct address address;
	int ret;

	if (!config->control || config->dump_dtb)
		return 0;
	ret = address_parse(&address, "--control", config->control, err);
	return ret ? ret : control_create(&program->control, &address, err);
}

/* The same holds for a debugger's socket. */
static int program_listen_for_gdb(struct program *program, struct error *err)
{
	const struct config *config = &program->config;
	int ret;

	if (!config->gdb || config->dump_dtb)
		return 0;
	ret = gdb_address_parse(&program->gdb_address, config->gdb, err);
	return ret ? ret :
		     listener_open(&program->gdb_listener, "--gdb", &program->gdb_address.at, err);
}

/* And for that where the guest comes from; but stdin and stdout are not the terminal's then. */
static int program_listen_for_guest(struct program *program, struct error *err)
{
	if (!program->config.incoming || program->config.dump_dtb)
		return 0;
	return incoming_open(&program->incoming, program->config.incoming, err);
}

static int program_await_gdb(struct program *program, struct error *err)
{
	if (!program->config.gdb)
		return 0;
	return gdb_create(&program->gdb, board_machine(program->board), &program->gdb_listener,
			  program->gdb_address.wait, err);
}

static int program_run(struct program *program, struct error *err)
{
	enum machine_request ended = MACHINE_NONE;
	int ret;

	if (!program->config.sandbox_off)
		named_socket_confine = keeper_confine;
	ret = program_control(program, err);
	if (!ret)
		ret = program_listen_for_gdb(program, err);
	if (!ret)
		ret = program_listen_for_guest(program, err);
	if (!ret)
		ret = program_find_rights(&program->config, err);
	if (!ret)
		ret = term_create(&program->chr, program_key, program, err);
	if (!ret)
		ret = board_create(&program->board, &program->config, program->chr, err);
	if (!ret && program->config.dump_dtb)
		return board_dump_dtb(program->board, program->config.dump_dtb, err) ?
			       EXIT_HOST_ERROR : EXIT_GUEST_POWEROFF;
	if (!ret)
		ret = notify_create(&program->notify, err);
	if (program->board)
		board_machine(program->board)->broken = program_broken;
	if (!ret && program->config.metrics)
		ret = metrics_create(&program->metrics, program->config.metrics, err);
	if (!ret)
		ret = program_await_gdb(program, err);
	program->farewell = (struct farewell){
		.board = program->board, .control = program->control };
	if (!ret)
		ret = program_signals(program, err);
	if (ret)
		return EXIT_HOST_ERROR;

	term_guard();
	/* While stderr can still be opened again. */
	message_patience(-1);
	ret = program_confine(program, err);
	if (!ret && program->control)
		ret = control_start(program->control, board_machine(program->board),
				    program->config.name, err);
	if (!ret)
		ret = metrics_start(program->metrics, board_machine(program->board), err);
	if (ret)
		return EXIT_HOST_ERROR;
	if (program->config.incoming)
		board_await_guest(program->board, &program->incoming.source);
	notify_start(program->notify, board_machine(program->board));
	term_start(program->chr);
	message_patience(0);
	ret = board_run(program->board, &ended, err);
	message_patience(MESSAGE_LAST_MS);
	ret = ret ? EXIT_HOST_ERROR : program_status(ended);
	gdb_ended(program->gdb, ret);
	return ret;
}

int main(int argc, char **argv)
{
	struct program program = {
		.signal_fd = -1,
		.gdb_listener = { -1, { -1, -1 } },
		.incoming = { { NULL, -1, -1, -1 }, { -1, { -1, -1 } } },
	};
	struct error err = { "" };
	int status = process_main(argc, argv, program_confine_process);

	if (status >= 0)
		return status;
	program_standard_files();
	switch (options_parse(&program.config, argc, argv, &err)) {
	case OPTIONS_RUN:
		break;
	case OPTIONS_HELP:
		fputs(options_help, stdout);
		return fflush(stdout) ? EXIT_HOST_ERROR : 0;
	case OPTIONS_MACHINES:
		options_print_machines(stdout);
		options_free(&program.config);
		return fflush(stdout) ? EXIT_HOST_ERROR : 0;
	case OPTIONS_DEVICES:
		options_print_devices(stdout);
		options_free(&program.config);
		return fflush(stdout) ? EXIT_HOST_ERROR : 0;
	case OPTIONS_VERSION:
		printf("armvmm-run %s\n", armvmm_library_version());
		return fflush(stdout) ? EXIT_HOST_ERROR : 0;
	default:
		message("%s", err.text);
		options_free(&program.config);
		return EXIT_USAGE;
	}

	if (program.config.dump_config)
		status = options_write_config(&program.config, program.config.dump_config, &err) ?
				 EXIT_HOST_ERROR : 0;
	else
		status = program_run(&program, &err);

	if (program.grace_timer)
		g_source_remove(program.grace_timer);
	farewell_forget(&program.farewell);
	/* The terminal first, so that a message finds it as it was. */
	if (program.chr)
		term_stop(program.chr);
	if (status == EXIT_HOST_ERROR)
		message("%s", err.text);
	control_destroy(program.control);
	metrics_destroy(program.metrics);
	gdb_free(program.gdb);
	listener_close(&program.gdb_listener);
	incoming_close(&program.incoming);
	notify_destroy(program.notify);
	board_destroy(program.board);
	term_destroy(program.chr);
	sandbox_free(program.sandbox);
	if (program.signal_source) {
		g_source_destroy(program.signal_source);
		g_source_unref(program.signal_source);
	}
	if (program.signal_fd >= 0)
		close(program.signal_fd);
	options_free(&program.config);
	return status;
}

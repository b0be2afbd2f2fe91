// SPDX-License-Identifier: GPL-2.0-only
/* armvmm-stat: the counters of virtual machines, live, in the manner of kvm_stat. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "options.h"
#include "screen.h"
#include "source.h"
#include "view.h"

#define STAT_HEADER_EVERY	20	/* lines of a log */
#define STAT_KEY_ESCAPE		0x1b
#define STAT_INPUT_MAX		60

struct stat_app {
	struct options options;
	struct view view;
	struct source_sample *now, *last;
	int signals;		/* signalfd */
	bool quit;

	/* On the screen only */
	GString *input;		/* what is being typed, NULL: nothing */
	char asked;		/* the key that asked for it */
	bool help;
	char *message;		/* of the last look, or of what was typed, until the next key */
};

static const char stat_keys[] =
	"Keys:\n"
	"  q        leave\n"
	"  p        virtual machines of one process; nothing: all\n"
	"  g        the virtual machine that was started with -name; nothing: all\n"
	"  f        counters whose name matches a regular expression; nothing: all\n"
	"  s        seconds between two looks\n"
	"  c        a column for each vCPU, or all in one\n"
	"  o        in the order of the rates, or of the totals\n"
	"  z        leave out counters that are zero, or show them\n"
	"  h, ?     these lines\n";

/* --- samples --- */

static bool stat_look(struct stat_app *app, GError **err)
{
	struct source_query query = {
		.pid = app->options.pid,
		.guest = app->options.guest,
		.per_vcpu = app->options.per_vcpu,
	};
	struct source_sample *sample = source_read(app->options.debugfs, &query, err);

	if (!sample)
		return false;
	source_sample_free(app->last);
	app->last = app->now;
	app->now = sample;
	return true;
}

/* Forgets the samples, which are of something else. */
static void stat_forget(struct stat_app *app)
{
	source_sample_free(app->last);
	source_sample_free(app->now);
	app->last = app->now = NULL;
}

/* --- signals --- */

static bool stat_signals(struct stat_app *app)
{
	static const int which[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP };
	sigset_t set;

	sigemptyset(&set);
	for (unsigned int i = 0; i < G_N_ELEMENTS(which); i++)
		sigaddset(&set, which[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	app->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return app->signals >= 0;
}

/* The next signal, or 0. */
static int stat_signal(struct stat_app *app)
{
	struct signalfd_siginfo info;

	return read(app->signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

/* Waits until @until (us, monotonic), a signal, or, if @keys is set, a key. */
static void stat_wait(struct stat_app *app, gint64 until, bool keys)
{
	struct pollfd fds[] = {
		{ .fd = app->signals, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	gint64 left = until - g_get_monotonic_time();

	poll(fds, keys ? 2 : 1, left <= 0 ? 0 : (int)((left + 999) / 1000));
}

static gint64 stat_next(const struct stat_app *app)
{
	return g_get_monotonic_time() + (gint64)llround(app->options.interval * 1e6);
}

/* --- once, and a log --- */

/* Waits until the time is up. Returns false if a signal asks to end before. */
static bool stat_sleep(struct stat_app *app, bool *reopen)
{
	gint64 until = stat_next(app);
	int sig;

	while (g_get_monotonic_time() < until) {
		stat_wait(app, until, false);
		while ((sig = stat_signal(app))) {
			if (sig == SIGHUP && reopen)
				*reopen = true;
			else if (sig == SIGTSTP)
				raise(SIGSTOP);
			else if (sig != SIGWINCH)
				return false;
		}
	}
	return true;
}

static int stat_fail(GError *err)
{
	fprintf(stderr, "armvmm-stat: %s\n", err->message);
	g_error_free(err);
	return 1;
}

static int stat_once(struct stat_app *app)
{
	GString *out = g_string_new(NULL);
	GError *err = NULL;

	if (!stat_look(app, &err))
		return stat_fail(err);
	if (!stat_sleep(app, NULL))
		return 0;
	if (!stat_look(app, &err))
		return stat_fail(err);
	view_table(out, &app->view, app->now, app->last, 0, 0);
	fputs(out->str, stdout);
	g_string_free(out, TRUE);
	return fflush(stdout) ? 1 : 0;
}

static FILE *stat_log_open(const struct stat_app *app)
{
	const char *name = app->options.log_file;
	FILE *f = name ? fopen(name, "ae") : stdout;

	if (!f)
		fprintf(stderr, "armvmm-stat: %s: %s\n", name, strerror(errno));
	return f;
}

/* Prints a line for each interval; and a header now and then, and when the columns change. */
static int stat_log(struct stat_app *app)
{
	GString *header = g_string_new(NULL), *line = g_string_new(NULL);
	char *shown = NULL;
	unsigned int lines = 0;
	GError *err = NULL;
	bool reopen = false;
	FILE *f;
	int ret = 1;

	if (!stat_look(app, &err))
		return stat_fail(err);
	f = stat_log_open(app);
	if (!f)
		goto out;
	while (stat_sleep(app, app->options.log_file ? &reopen : NULL)) {
		if (!stat_look(app, &err)) {
			ret = stat_fail(err);
			break;
		}
		if (reopen) {
			fclose(f);
			f = stat_log_open(app);
			reopen = false;
			lines = 0;
			if (!f)
				goto out;
		}
		g_string_truncate(header, 0);
		g_string_truncate(line, 0);
		view_log_header(header, &app->view, app->now, app->options.csv);
		view_log_line(line, &app->view, app->now, app->last, app->options.csv);
		if (!lines || g_strcmp0(shown, header->str) ||
		    (!app->options.csv && lines % STAT_HEADER_EVERY == 0)) {
			g_free(shown);
			shown = g_strdup(header->str);
			fputs(shown, f);
		}
		lines++;
		fputs(line->str, f);
		ret = 0;
		if (fflush(f)) {
			fprintf(stderr, "armvmm-stat: writing: %s\n", strerror(errno));
			ret = 1;
			break;
		}
	}
	if (f != stdout)
		fclose(f);
out:
	g_free(shown);
	g_string_free(header, TRUE);
	g_string_free(line, TRUE);
	return ret;
}

/* --- the screen --- */

static void stat_message(struct stat_app *app, GError *err)
{
	g_free(app->message);
	app->message = err ? g_strdup(err->message) : NULL;
	g_clear_error(&err);
}

static void stat_draw_title(const struct stat_app *app, GString *out)
{
	const struct options *o = &app->options;

	g_string_append(out, "armvmm-stat: ");
	if (o->pid)
		g_string_append_printf(out, "process %d", o->pid);
	else if (o->guest)
		g_string_append_printf(out, "guest %s", o->guest);
	else
		g_string_append(out, "all virtual machines");
	if (o->filter)
		g_string_append_printf(out, ", counters /%s/", o->filter);
	g_string_append_printf(out, ", every %g s%s\n\n", o->interval,
			       app->view.by_total ? ", by total" : "");
}

/* While a process or a guest is asked for, shows which there are. */
static void stat_draw_vms(const struct stat_app *app, GString *out)
{
	GPtrArray *vms = source_vms(app->options.debugfs, NULL);

	g_string_append_printf(out, "%10s %4s %6s  %s\n", "PID", "FD", "vCPUs", "Guest or program");
	for (guint i = 0; vms && i < vms->len; i++) {
		const struct source_vm *vm = g_ptr_array_index(vms, i);

		g_string_append_printf(out, "%10d %4d %6u  %s%s\n", vm->pid, vm->fd, vm->nr_vcpus,
				       vm->is_guest ? "-name " : "", vm->name);
	}
	if (vms)
		g_ptr_array_free(vms, TRUE);
}

static const char *stat_question(char asked)
{
	switch (asked) {
	case 'p':
		return "Process (empty: all)";
	case 'g':
		return "Guest (empty: all)";
	case 'f':
		return "Counters, as a regular expression (empty: all)";
	default:
		return "Seconds";
	}
}

static void stat_draw(struct stat_app *app)
{
	struct screen_size size = screen_size();
	GString *out = g_string_new(NULL);

	stat_draw_title(app, out);
	if (app->input)
		g_string_append_printf(out, "%s: %s_\n\n", stat_question(app->asked),
				       app->input->str);
	else if (app->message)
		g_string_append_printf(out, "%s\n\n", app->message);
	if (app->help)
		g_string_append(out, stat_keys);
	else if (app->input && (app->asked == 'p' || app->asked == 'g'))
		stat_draw_vms(app, out);
	else if (app->now)
		view_table(out, &app->view, app->now, app->last, size.columns,
			   size.rows > 6 ? size.rows - 5 : 1);
	screen_show(out->str);
	g_string_free(out, TRUE);
}

static void stat_set_filter(struct stat_app *app, const char *text, GError **err)
{
	GRegex *regex = NULL;

	if (*text) {
		regex = options_filter(text, err);
		if (!regex)
			return;
	}
	if (app->view.filter)
		g_regex_unref(app->view.filter);
	app->view.filter = regex;
	g_free(app->options.filter);
	app->options.filter = *text ? g_strdup(text) : NULL;
}

/* Applies what was typed, or says what is wrong with it. */
static void stat_answer(struct stat_app *app, const char *text)
{
	GError *err = NULL;
	int pid = 0;

	switch (app->asked) {
	case 'p':
		if (*text && !options_pid(text, &pid, &err))
			break;
		app->options.pid = pid;
		g_clear_pointer(&app->options.guest, g_free);
		stat_forget(app);
		break;
	case 'g':
		g_free(app->options.guest);
		app->options.guest = *text ? g_strdup(text) : NULL;
		app->options.pid = 0;
		stat_forget(app);
		break;
	case 'f':
		stat_set_filter(app, text, &err);
		break;
	case 's':
		options_interval(text, &app->options.interval, &err);
		break;
	}
	stat_message(app, err);
}

/* Returns true if all that is shown has to be read again. */
static bool stat_input_key(struct stat_app *app, int key)
{
	GString *input = app->input;

	switch (key) {
	case STAT_KEY_ESCAPE:
		app->input = NULL;
		break;
	case '\r':
	case '\n':
		app->input = NULL;
		stat_answer(app, input->str);
		g_string_free(input, TRUE);
		return true;
	case '\b':
	case 0x7f:
		g_string_truncate(input, input->len ? input->len - 1 : 0);
		return false;
	default:
		if (key >= ' ' && key < 0x7f && input->len < STAT_INPUT_MAX)
			g_string_append_c(input, key);
		return false;
	}
	g_string_free(input, TRUE);
	return false;
}

static bool stat_key(struct stat_app *app, int key)
{
	if (app->input)
		return stat_input_key(app, key);
	stat_message(app, NULL);
	if (app->help) {
		app->help = false;
		return false;
	}
	switch (key) {
	case 'q':
		app->quit = true;
		break;
	case 'p':
	case 'g':
	case 'f':
	case 's':
		app->asked = key;
		app->input = g_string_new(NULL);
		break;
	case 'c':
		app->options.per_vcpu = app->view.per_vcpu = !app->view.per_vcpu;
		stat_forget(app);
		return true;
	case 'o':
		app->view.by_total = !app->view.by_total;
		break;
	case 'z':
		app->view.skip_zero = !app->view.skip_zero;
		break;
	case 'h':
	case '?':
		app->help = true;
		break;
	}
	return false;
}

static void stat_screen_signal(struct stat_app *app, int sig)
{
	switch (sig) {
	case SIGWINCH:
		break;
	case SIGTSTP:
		screen_close();
		raise(SIGSTOP);
		if (screen_open())
			app->quit = true;
		break;
	default:
		app->quit = true;
	}
}

static int stat_interactive(struct stat_app *app)
{
	GError *err = NULL;
	bool failed = false, ok;
	gint64 next;
	int key, sig;

	if (!stat_look(app, &err))
		return stat_fail(err);
	if (screen_open()) {
		fprintf(stderr, "armvmm-stat: this is no terminal: use --once or --log\n");
		return 1;
	}
	next = stat_next(app);
	while (!app->quit) {
		stat_draw(app);
		stat_wait(app, next, true);
		while ((sig = stat_signal(app)))
			stat_screen_signal(app, sig);
		while (!app->quit && (key = screen_key()) >= 0)
			if (stat_key(app, key))
				next = 0;
		if (app->quit || g_get_monotonic_time() < next)
			continue;
		err = NULL;
		ok = stat_look(app, &err);
		if (!ok || failed)
			stat_message(app, err);
		failed = !ok;
		next = stat_next(app);
	}
	screen_close();
	return 0;
}

#define STAT_NODE	"/dev/armvmm"

/* Prints what the module says about the host: the text of its node (docs/stats.md). */
static int stat_host(void)
{
	char buf[512];
	ssize_t n;
	int fd = open(STAT_NODE, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "armvmm-stat: %s: %s: is armvmm.ko loaded?\n", STAT_NODE,
			strerror(errno));
		return 1;
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	if (n < 0)
		fprintf(stderr, "armvmm-stat: %s: %s\n", STAT_NODE, strerror(errno));
	close(fd);
	return n < 0;
}

int main(int argc, char **argv)
{
	struct stat_app app = { .signals = -1 };
	GError *err = NULL;
	int ret = 2;

	setlocale(LC_ALL, "");
	if (!options_parse(&app.options, argc, argv, &err)) {
		stat_fail(err);
		fprintf(stderr, "Try 'armvmm-stat --help'.\n");
		goto out;
	}
	ret = 0;
	if (app.options.help) {
		fputs(options_help, stdout);
		goto out;
	}
	if (app.options.version) {
		printf("armvmm-stat %s\n", ARMVMM_VERSION_TEXT);
		goto out;
	}
	if (app.options.host) {
		ret = stat_host();
		goto out;
	}
	app.view.per_vcpu = app.options.per_vcpu;
	app.view.skip_zero = app.options.skip_zero;
	if (app.options.filter)
		app.view.filter = options_filter(app.options.filter, NULL);
	if (!stat_signals(&app)) {
		perror("armvmm-stat: signalfd");
		ret = 1;
	} else if (app.options.once) {
		ret = stat_once(&app);
	} else if (app.options.log) {
		ret = stat_log(&app);
	} else {
		ret = stat_interactive(&app);
	}

	stat_forget(&app);
	if (app.view.filter)
		g_regex_unref(app.view.filter);
	if (app.input)
		g_string_free(app.input, TRUE);
	g_free(app.message);
out:
	options_free(&app.options);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/control/metrics.c userspace/armvmm-run/control/metrics_option.c
// sources: userspace/armvmm-run/control/value.c
// sources: userspace/armvmm-run/control/qmp.c userspace/armvmm-run/control/command.c
// sources: userspace/armvmm-run/control/commands_run.c userspace/armvmm-run/control/commands_query.c
// sources: userspace/armvmm-run/control/commands_block.c userspace/armvmm-run/control/commands_console.c
// sources: userspace/armvmm-run/control/commands_memory.c
// sources: userspace/armvmm-run/control/commands_human.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/control/commands_migrate.c userspace/armvmm-run/control/commands_dump.c
// sources: userspace/armvmm-run/control/commands_device.c userspace/armvmm-run/control/schema.c
// sources: userspace/armvmm-run/core/message.c
// sources: userspace/armvmm-run/core/parse.c userspace/armvmm-run/core/thread.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Itests/unit/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0 jansson
//
// Statistics: lines of JSON into files, pipes and sockets of every kind, whose readers nobody waits
// for.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/metrics.h"
#include "control/value.h"
#include "ktap.h"
#include "control/control_fake.h"

static struct machine m;
static char folder[] = "/tmp/test_metrics.XXXXXX";
static char path[64], option[96];
static unsigned int warnings;

void machine_warn(struct machine *machine, const char *fmt, ...)
{
	__atomic_fetch_add(&warnings, 1, __ATOMIC_SEQ_CST);
}

static struct metrics *start(unsigned int interval)
{
	struct metrics *x = NULL;
	struct error err = { "" };

	fake_control_init(&m);
	m.mem.nr_regions = 1;
	m.mem.region[0].size = 64 << 20;
	warnings = 0;
	snprintf(option, sizeof(option), "%s,interval=%u", path, interval);
	KTAP_EQ(metrics_create(&x, option, &err), 0);
	KTAP_STREQ(err.text, "");
	if (!x || metrics_start(x, &m, &err))
		exit(1);
	return x;
}

static void turn(unsigned int ms)
{
	gint64 end = g_get_monotonic_time() + ms * 1000;

	while (g_get_monotonic_time() < end) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
}

static void tell(unsigned int nr)
{
	while (nr--)
		machine_tell(&m, &(struct machine_event){ .type = MACHINE_EVENT_POWERDOWN });
}

/* What is in the file, whose lines must all be JSON; @nr gets how many there are. */
static json_t *last_line(const char *text, unsigned int *nr)
{
	char **lines = g_strsplit(text, "\n", -1);
	json_t *last = NULL;

	*nr = 0;
	for (char **l = lines; *l && **l; l++) {
		json_decref(last);
		last = json_loads(*l, JSON_REJECT_DUPLICATES, NULL);
		KTAP_TRUE(json_is_object(last));
		++*nr;
	}
	g_strfreev(lines);
	return last;
}

static void test_file(void)
{
	struct metrics *x;
	json_t *line, *s;
	struct stat st;
	unsigned int nr;
	char *text;

	x = start(1);
	tell(1);
	turn(1500);
	metrics_destroy(x);
	KTAP_TRUE(!stat(path, &st) && st.st_mode == (S_IFREG | 0600));
	KTAP_ASSERT(g_file_get_contents(path, &text, NULL, NULL));
	KTAP_TRUE(g_str_has_prefix(text, "{\"timestamp\":{\"seconds\":"));
	KTAP_TRUE(strstr(text, ",\"event\":\"POWERDOWN\"}\n"));
	line = last_line(text, &nr);
	KTAP_EQ(nr, 2);
	s = json_object_get(line, "statistics");
	KTAP_TRUE(json_is_true(json_object_get(s, "running")));
	KTAP_TRUE(json_integer_value(json_object_get(s, "cpu-ns")) > 0);
	KTAP_EQ(json_array_size(json_object_get(s, "vcpus")), 2);
	KTAP_EQ(json_integer_value(json_object_get(json_array_get(json_object_get(s, "vcpus"), 1),
						   "thread-id")), 101);
	KTAP_EQ(json_integer_value(json_object_get(json_object_get(s, "memory"), "actual")),
		64 << 20);
	KTAP_EQ(json_integer_value(json_object_get(json_object_get(s, "memory"),
						   "stat-free-memory")), 4096);
	/* What the guest did not tell is not there. */
	KTAP_TRUE(!json_object_get(json_object_get(s, "memory"), "stat-swap-in"));
	KTAP_EQ(json_integer_value(json_object_get(json_array_get(json_object_get(s, "disks"), 0),
						   "size")), 1048576);
	KTAP_EQ(json_integer_value(json_object_get(s, "dropped")), 0);
	json_decref(line);
	g_free(text);
	/* It is continued. */
	x = start(100);
	tell(3);
	metrics_destroy(x);
	KTAP_ASSERT(g_file_get_contents(path, &text, NULL, NULL));
	json_decref(last_line(text, &nr));
	KTAP_EQ(nr, 5);
	g_free(text);
	unlink(path);
}

/* A pipe that nobody reads takes what it holds; what is too much is counted. */
static void test_deaf(void)
{
	static char text[1 << 20];
	struct metrics *x;
	gint64 before;
	json_t *line;
	size_t len = 0;
	unsigned int nr;
	ssize_t n;
	int fd;

	KTAP_EQ(mkfifo(path, 0600), 0);
	before = g_get_monotonic_time();
	x = start(1);
	for (int i = 0; i < 20; i++) {
		tell(1000);
		turn(5);
	}
	KTAP_TRUE(g_get_monotonic_time() - before < 5000000);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	/* A reader that comes late finds whole lines, and how many are missing. */
	for (int i = 0; i < 25; i++) {
		turn(100);
		while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
			len += n;
	}
	text[len] = '\0';
	line = last_line(text, &nr);
	KTAP_TRUE(nr > 500 && nr < 5000);
	while (line && !json_object_get(line, "statistics")) {
		KTAP_FAIL("no statistics at last");
		break;
	}
	n = json_integer_value(json_object_get(json_object_get(line, "statistics"), "dropped"));
	KTAP_TRUE(n >= 20000 - (ssize_t)nr && n <= 20003 - (ssize_t)nr + 3);
	json_decref(line);
	close(fd);
	/* It does not hold up the end either. */
	tell(10000);
	before = g_get_monotonic_time();
	metrics_destroy(x);
	KTAP_TRUE(g_get_monotonic_time() - before < 2000000);
	unlink(path);
}

static int listener(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(sun.sun_path, path);
	KTAP_EQ(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	KTAP_EQ(listen(fd, 1), 0);
	return fd;
}

static void test_socket(void)
{
	int at = listener(), fd;
	struct metrics *x = start(100);
	char text[4096];
	ssize_t n;

	fd = accept(at, NULL, NULL);
	KTAP_TRUE(fd >= 0);
	tell(1);
	n = read(fd, text, sizeof(text) - 1);
	KTAP_TRUE(n > 0 && text[n - 1] == '\n');
	/* A reader that goes is told of once. */
	close(fd);
	close(at);
	for (int i = 0; i < 10; i++) {
		tell(1);
		turn(20);
	}
	KTAP_EQ(warnings, 1);
	metrics_destroy(x);
	unlink(path);
}

/* One whose listener takes nobody does not hold up the start. */
static void test_socket_full(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct metrics *x;
	struct error err;
	int at = listener(), fd[8], nr = 0, ret = 0;
	char why[160];

	strcpy(sun.sun_path, path);
	while (!ret && nr < 8) {
		fd[nr] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ret = connect(fd[nr++], (struct sockaddr *)&sun, sizeof(sun));
	}
	KTAP_TRUE(ret && errno == EAGAIN);
	alarm(20);
	KTAP_EQ(metrics_create(&x, path, &err), -EAGAIN);
	alarm(0);
	snprintf(why, sizeof(why),
		 "--metrics %s: its listener takes no more connections", path);
	KTAP_STREQ(err.text, why);
	KTAP_TRUE(!x);
	while (nr--)
		close(fd[nr]);
	close(at);
	unlink(path);
}

/* A disk that is full for a while: what fits is there, and each line is one again. */
static void test_full(void)
{
	struct rlimit old, small = { 1000, RLIM_INFINITY };
	struct metrics *x;
	char *text, **lines;
	unsigned int broken = 0, nr = 0, before = 0;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	KTAP_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
	x = start(100);
	tell(50);
	turn(100);
	KTAP_TRUE(warnings);
	setrlimit(RLIMIT_FSIZE, &old);
	tell(3);
	turn(100);
	metrics_destroy(x);
	KTAP_ASSERT(g_file_get_contents(path, &text, NULL, NULL));
	lines = g_strsplit(text, "\n", -1);
	for (char **l = lines; *l && **l; l++, nr++) {
		json_t *line = json_loads(*l, 0, NULL);

		broken += !line;
		json_decref(line);
	}
	for (unsigned int i = 0; i < small.rlim_cur; i++)
		before += text[i] == '\n';
	/* One of the 50 that the thread came to only now has found room, too. */
	KTAP_TRUE(nr - broken >= before + 3 && nr - broken <= 53);
	KTAP_TRUE(before > 1 && broken <= 1);
	KTAP_TRUE(g_str_has_suffix(text, "\"POWERDOWN\"}\n"));
	g_strfreev(lines);
	g_free(text);
	unlink(path);
}

/* A file that has become large begins anew. */
static void test_large(void)
{
	struct metrics *x;
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	KTAP_EQ(ftruncate(fd, METRICS_FILE_MAX - 10), 0);
	x = start(100);
	tell(2);
	turn(100);
	metrics_destroy(x);
	KTAP_TRUE(!fstat(fd, &st) && st.st_size > 100 && st.st_size < 1000);
	close(fd);
	unlink(path);
}

/* One that somebody else has emptied is as long as it is, and no line of it is lost. */
static void test_rotated(void)
{
	struct metrics *x;
	char *text;
	unsigned int nr;
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	KTAP_EQ(ftruncate(fd, METRICS_FILE_MAX - 500), 0);
	x = start(100);
	tell(1);
	turn(100);
	KTAP_TRUE(lseek(fd, 0, SEEK_END) > METRICS_FILE_MAX - 500);
	KTAP_EQ(ftruncate(fd, 0), 0);
	for (int i = 0; i < 20; i++) {
		tell(1);
		turn(20);
	}
	metrics_destroy(x);
	KTAP_ASSERT(g_file_get_contents(path, &text, NULL, NULL));
	json_decref(last_line(text, &nr));
	KTAP_EQ(nr, 20);
	g_free(text);
	close(fd);
	unlink(path);
}

/* No file begins anew within a line, be it longer than what is written at once. */
static void test_whole(void)
{
	struct machine_event event = { .type = MACHINE_EVENT_DUMP, .status = "failed" };
	struct metrics *x;
	char *why = g_strnfill(9000, 'y'), *text;
	unsigned int nr;
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	KTAP_EQ(ftruncate(fd, METRICS_FILE_MAX - 5000), 0);
	x = start(100);
	event.why = why;
	machine_tell(&m, &event);
	turn(100);
	KTAP_TRUE(lseek(fd, 0, SEEK_END) > METRICS_FILE_MAX);
	tell(3);
	turn(100);
	metrics_destroy(x);
	KTAP_ASSERT(g_file_get_contents(path, &text, NULL, NULL));
	json_decref(last_line(text, &nr));
	KTAP_TRUE(nr >= 1 && nr <= 3);
	g_free(text);
	g_free(why);
	close(fd);
	unlink(path);
}

/*
 * No disk is written to. It is not even opened: its permissions do not matter. (A container may
 * have none to try it with.)
 */
static void test_disk(void)
{
	GDir *dev = g_dir_open("/dev", 0, NULL);
	const char *name = NULL;
	struct metrics *x;
	struct error err;
	char disk[300], why[400];
	bool found = false;
	struct stat st;

	while (dev && !found && (name = g_dir_read_name(dev))) {
		snprintf(disk, sizeof(disk), "/dev/%s", name);
		found = !stat(disk, &st) && S_ISBLK(st.st_mode);
	}
	if (dev)
		g_dir_close(dev);
	KTAP_TRUE(metrics_takes(S_IFREG) && metrics_takes(S_IFIFO) && metrics_takes(S_IFCHR) &&
		  metrics_takes(S_IFSOCK) && !metrics_takes(S_IFBLK | 0600));
	if (!found)
		return;
	snprintf(why, sizeof(why), "--metrics %s: is no file, pipe, terminal or socket", disk);
	KTAP_EQ(metrics_create(&x, disk, &err), -EINVAL);
	KTAP_STREQ(err.text, why);
	KTAP_TRUE(!x);
	metrics_destroy(x);
}

static void test_wrong(void)
{
	struct metrics *x;
	struct error err;
	int fd;

	KTAP_EQ(metrics_create(&x, folder, &err), -EISDIR);
	KTAP_TRUE(strstr(err.text, "Is a directory"));
	KTAP_EQ(metrics_create(&x, "/nonexistent/x", &err), -ENOENT);
	KTAP_STREQ(err.text, "--metrics /nonexistent/x: No such file or directory");
	fd = listener();
	close(fd);
	KTAP_EQ(metrics_create(&x, path, &err), -ECONNREFUSED);
	unlink(path);
	KTAP_EQ(metrics_create(&x, "a,interval=x", &err), -EINVAL);
	KTAP_TRUE(!x);
	/* One that was never started. */
	KTAP_EQ(metrics_create(&x, path, &err), 0);
	metrics_destroy(x);
	metrics_destroy(NULL);
	KTAP_EQ(metrics_start(NULL, &m, &err), 0);
	unlink(path);
	KTAP_EQ(rmdir(folder), 0);
}

static void prepare(void)
{
	if (!mkdtemp(folder))
		exit(1);
	snprintf(path, sizeof(path), "%s/x", folder);
}

KTAP_MAIN(KTAP_CASE(prepare), KTAP_CASE(test_file), KTAP_CASE(test_deaf), KTAP_CASE(test_socket),
	  KTAP_CASE(test_socket_full), KTAP_CASE(test_full), KTAP_CASE(test_large),
	  KTAP_CASE(test_rotated), KTAP_CASE(test_whole), KTAP_CASE(test_disk),
	  KTAP_CASE(test_wrong))

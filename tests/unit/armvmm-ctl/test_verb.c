// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-ctl/verb.c userspace/armvmm-ctl/snapshot.c
// sources: userspace/armvmm-ctl/transfer.c userspace/armvmm-ctl/migrate.c
// sources: userspace/armvmm-ctl/quit.c userspace/armvmm-ctl/dump.c userspace/armvmm-ctl/newfile.c userspace/armvmm-ctl/console.c
// sources: userspace/armvmm-run/control/value.c userspace/armvmm-run/core/endpoint.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/parse.c
// cflags: -Iuserspace/armvmm-ctl -Iuserspace/armvmm-run -Itests/unit/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0 jansson
//
// What armvmm-ctl asks a machine, and prints of its answers, also of poor ones. The connection is
// the test's.
#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/value.h"
#include "verb.h"
#include "core/endpoint.h"
#include "ktap.h"
#include "scratch.h"

struct connection {
	int unused;
};

/* What the machine is to be asked next, and answers; a NULL answer is an error. */
struct step {
	const char *name, *args, *answer;
};

#define GONE	"gone"	/* an answer that is none: the machine has ended */

static struct {
	const struct step *steps;
	unsigned int nr_steps, asked;
	unsigned int nr_events;
	int file;		/* a copy of the descriptor that came with a command, or -1 */
	int raise_at;		/* a signal comes with this step; -1: none */
	int socket;		/* -1: none */
} machine;

static json_t *machine_answer(const char *name, json_t *args, GError **err)
{
	const struct step *step = &machine.steps[machine.asked];
	char *text = args ? json_dumps(args, JSON_COMPACT) : g_strdup("");
	json_t *value = NULL;

	if (machine.asked >= machine.nr_steps) {
		KTAP_FAIL("asked for %s %s, too", name, text);
	} else {
		KTAP_STREQ(name, step->name);
		KTAP_STREQ(text, step->args ? step->args : "");
		if (step->answer)
			value = json_loads(step->answer, JSON_DECODE_ANY, NULL);
		if (machine.raise_at == (int)machine.asked)
			raise(SIGTERM);
		machine.asked++;
	}
	if (!value && step->answer && !strcmp(step->answer, GONE))
		g_set_error(err, CONNECTION_ERROR, CONNECTION_FAILED, GONE);
	else if (!value)
		g_set_error(err, CONNECTION_ERROR, CONNECTION_REFUSED, "refused");
	g_free(text);
	json_decref(args);
	return value;
}

json_t *connection_run(struct connection *c, const char *name, json_t *args, GError **err)
{
	return machine_answer(name, args, err);
}

json_t *connection_run_file(struct connection *c, const char *name, json_t *args, int fd,
			    GError **err)
{
	if (fd >= 0)
		machine.file = dup(fd);
	return machine_answer(name, args, err);
}

int connection_fd(const struct connection *c)
{
	return machine.socket;
}

char *connection_raw(struct connection *c, const char *text, GError **err)
{
	if (strcmp(text, "gone"))
		return g_strdup(text);
	g_set_error(err, CONNECTION_ERROR, CONNECTION_FAILED, "gone");
	return NULL;
}

char *connection_event(struct connection *c)
{
	return machine.nr_events ? g_strdup_printf("event %u", machine.nr_events--) : NULL;
}

/* What the last verb printed, and its error. */
static char said[4096], wrong[256];

/* Runs the verb of the command line @words, a name and its arguments. */
static bool run(const char *const *words, const struct step *steps, unsigned int nr_steps)
{
	const struct verb *verb = verb_find(words[0]);
	struct connection c = { 0 };
	GError *err = NULL;
	int out, keep;
	ssize_t n;
	bool good;

	machine.steps = steps;
	machine.nr_steps = nr_steps;
	machine.asked = 0;
	machine.file = -1;
	said[0] = wrong[0] = '\0';
	if (!verb) {
		KTAP_FAIL("no verb %s", words[0]);
		return false;
	}
	fflush(stdout);
	keep = dup(STDOUT_FILENO);
	out = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	dup2(out, STDOUT_FILENO);
	good = verb->run(&c, (char **)words + 1, &err);
	fflush(stdout);
	dup2(keep, STDOUT_FILENO);
	close(keep);
	n = pread(out, said, sizeof(said) - 1, 0);
	said[n < 0 ? 0 : n] = '\0';
	close(out);
	KTAP_EQ(good, !err);
	if (err) {
		snprintf(wrong, sizeof(wrong), "%s", err->message);
		g_error_free(err);
	}
	KTAP_EQ(machine.asked, nr_steps);
	return good;
}

#define WORDS(...)	((const char *[]){ __VA_ARGS__, NULL })
#define RUN(words, ...) \
	run(words, (struct step[]){ __VA_ARGS__ }, \
	    sizeof((struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

static void test_find(void)
{
	KTAP_TRUE(!verb_find("") && !verb_find("stat") && !verb_find("statuss"));
	KTAP_EQ(verb_find("resize")->nr_args, 2);
	KTAP_STREQ(verb_find("resize")->args, "ID SIZE");
	KTAP_EQ(verb_find("stop")->nr_args, 0);
}

static void test_plain(void)
{
	static const char *const names[][2] = {
		{ "stop", "stop" }, { "cont", "cont" }, { "powerdown", "system_powerdown" },
		{ "reset", "system_reset" }, { "quit", "quit" },
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++) {
		KTAP_TRUE(RUN(WORDS(names[i][0]), { names[i][1], NULL, "{}" }));
		KTAP_STREQ(said, "");
		KTAP_TRUE(!RUN(WORDS(names[i][0]), { names[i][1], NULL, NULL }));
		KTAP_STREQ(wrong, "refused");
	}
	KTAP_TRUE(RUN(WORDS("cont", "--anyway"), { "__armvmm_cont_anyway", NULL, "{}" }));
	KTAP_STREQ(verb_find("cont")->options[0], "--anyway");
	/* Who is to end may be gone before it can say so; nobody else. */
	KTAP_TRUE(RUN(WORDS("quit"), { "quit", NULL, GONE }));
	KTAP_TRUE(!RUN(WORDS("stop"), { "stop", NULL, GONE }));
	KTAP_STREQ(wrong, GONE);
}

/* An answer may lack what the client looks for. */
static void test_status(void)
{
	KTAP_TRUE(RUN(WORDS("status"), { "query-status", NULL, "{\"status\":\"paused\"}" }));
	KTAP_STREQ(said, "paused\n");
	KTAP_TRUE(RUN(WORDS("status"), { "query-status", NULL, "[]" }));
	KTAP_STREQ(said, "?\n");
	KTAP_TRUE(!RUN(WORDS("status"), { "query-status", NULL, NULL }));
	KTAP_STREQ(said, "");
}

static void test_lists(void)
{
	KTAP_TRUE(RUN(WORDS("cpus"), { "query-cpus-fast", NULL,
		      "[{\"cpu-index\":0,\"thread-id\":71},{\"cpu-index\":1,\"thread-id\":72},{}]" }));
	KTAP_STREQ(said, "0\tthread 71\n1\tthread 72\n0\tthread 0\n");
	KTAP_TRUE(RUN(WORDS("cpus"), { "query-cpus-fast", NULL, "{}" }));
	KTAP_STREQ(said, "");
	KTAP_TRUE(!RUN(WORDS("cpus"), { "query-cpus-fast", NULL, NULL }));
	KTAP_TRUE(RUN(WORDS("disks"), { "query-block", NULL,
		      "[{\"device\":\"virtio0\",\"inserted\":{\"ro\":true,"
		      "\"image\":{\"virtual-size\":5000000000,\"filename\":\"a b\"}}},"
		      "{\"device\":\"virtio1\",\"inserted\":{\"ro\":false,\"image\":{}}},"
		      "{\"device\":\"flash\"}, 7]" }));
	KTAP_STREQ(said, "virtio0\t5000000000\tro\ta b\nvirtio1\t0\trw\t?\nflash\n?\n");
}

static void test_sizes(void)
{
	static const struct {
		const char *text;
		long long size;	/* 0: is none */
	} sizes[] = {
		{ "1", 1 }, { "512", 512 }, { "3k", 3 << 10 }, { "3K", 3 << 10 }, { "5M", 5 << 20 },
		{ "7g", 7ll << 30 }, { "2T", 2ll << 40 }, { "8388607T", 8388607ll << 40 },
		{ "9223372036854775807", 9223372036854775807ll },
		{ "8388608T", 0 }, { "9223372036854775808", 0 }, { "99999999999999999999", 0 },
		{ "0", 0 }, { "0M", 0 }, { "", 0 }, { "M", 0 }, { "-1", 0 }, { "+1", 0 }, { " 1", 0 },
		{ "1 ", 0 }, { "1KB", 0 }, { "1X", 0 }, { "0x10", 0 }, { "1.5G", 0 },
	};
	char args[128], text[128];

	for (unsigned int i = 0; i < G_N_ELEMENTS(sizes); i++) {
		const char *size = sizes[i].text;

		if (!sizes[i].size) {
			snprintf(text, sizeof(text), "%s: is no size (bytes, or with K, M, G or T)",
				 size);
			KTAP_TRUE(!run(WORDS("balloon", size), NULL, 0));
			KTAP_STREQ(wrong, text);
			KTAP_TRUE(!run(WORDS("resize", "virtio0", size), NULL, 0));
			KTAP_STREQ(wrong, text);
			continue;
		}
		snprintf(args, sizeof(args), "{\"value\":%lld}", sizes[i].size);
		KTAP_TRUE(RUN(WORDS("balloon", size), { "balloon", args, "{}" }));
		snprintf(args, sizeof(args), "{\"device\":\"virtio0\",\"size\":%lld}",
			 sizes[i].size);
		KTAP_TRUE(RUN(WORDS("resize", "virtio0", size), { "block_resize", args, "{}" }));
	}
	/* JSON has only UTF-8. */
	KTAP_TRUE(!RUN(WORDS("resize", "a\xff", "1M"),
		       { "block_resize", "{\"device\":\"a\xef\xbf\xbd\",\"size\":1048576}", NULL }));
}

static void test_memory(void)
{
	static const char told[] = "{\"path\":\"balloon0\",\"property\":\"guest-stats\"}";

	KTAP_TRUE(RUN(WORDS("memory"), { "query-balloon", NULL, "{\"actual\":4294967296}" },
		      { "qom-get", told, "{\"stats\":{\"stat-free\":77,\"stat-total\":-1,"
					 "\"other\":5},\"last-update\":1700000000}" }));
	KTAP_STREQ(said, "actual\t4294967296\nfree\t77\nother\t5\ntold\t1700000000\n");
	KTAP_TRUE(RUN(WORDS("memory"), { "query-balloon", NULL, "{\"actual\":1}" },
		      { "qom-get", told, "{\"last-update\":0}" }));
	KTAP_STREQ(said, "actual\t1\n");
	KTAP_TRUE(!RUN(WORDS("memory"), { "query-balloon", NULL, NULL }));
	KTAP_TRUE(!RUN(WORDS("memory"), { "query-balloon", NULL, "{}" }, { "qom-get", told, NULL }));
}

#define LIST	"[{\"label\":\"console\",\"filename\":\"ringbuf\"}," \
		"{\"label\":\"serial\",\"filename\":\"unix:%1$s,server=on\"},{\"label\":7}," \
		"{\"label\":\"tty\",\"filename\":\"pty:%1$s/tty\"}, 7]"

/* The other end of a console: says a line, and reads one. */
static pid_t console_serve(int listener)
{
	pid_t pid = fork();
	char got[64] = "";
	int fd;

	if (pid)
		return pid;
	fd = accept(listener, NULL, NULL);
	if (write(fd, "login: ", 7) != 7 || read(fd, got, sizeof(got)) != 5)
		_exit(1);
	_exit(strncmp(got, "root\n", 5) != 0);
}

/* A console that one can come to: what it prints, and what is typed. */
static void test_join(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), keep = dup(STDIN_FILENO), status, in[2];
	char list[512];
	pid_t pid;

	KTAP_ASSERT(mkdtemp(scratch_dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path("s"));
	snprintf(list, sizeof(list), LIST, sun.sun_path);
	KTAP_EQ(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	KTAP_EQ(listen(listener, 1), 0);
	pid = console_serve(listener);
	KTAP_EQ(pipe(in), 0);
	KTAP_EQ(write(in[1], "root\n", 5), 5);
	dup2(in[0], STDIN_FILENO);
	close(in[1]);
	KTAP_TRUE(RUN(WORDS("console", "serial"), { "query-chardev", NULL, list }));
	KTAP_STREQ(said, "login: ");
	KTAP_EQ(waitpid(pid, &status, 0), pid);
	KTAP_EQ(status, 0);
	dup2(keep, STDIN_FILENO);
	close(keep);
	close(in[0]);
	close(listener);
	KTAP_TRUE(!RUN(WORDS("console", "serial"), { "query-chardev", NULL, list }));
	KTAP_STREQ(wrong, "serial: Connection refused");
	unlink(sun.sun_path);
	KTAP_TRUE(!RUN(WORDS("console", "tty"), { "query-chardev", NULL, list }));
	KTAP_STREQ(wrong, "tty: No such file or directory");
	KTAP_TRUE(!RUN(WORDS("console", "console"), { "query-chardev", NULL, list }));
	KTAP_STREQ(wrong, "console: is neither a unix: socket nor a pty, to which one can come");
	KTAP_TRUE(!RUN(WORDS("console", "x"), { "query-chardev", NULL, list }));
	KTAP_STREQ(wrong, "x: there is no such console (see consoles)");
	KTAP_TRUE(!RUN(WORDS("console", "x"), { "query-chardev", NULL, NULL }));
	KTAP_TRUE(RUN(WORDS("consoles"), { "query-chardev", NULL,
		      "[{\"label\":\"serial\",\"filename\":\"null\"},{}]" }));
	KTAP_STREQ(said, "serial\tnull\n?\t?\n");
	rmdir(scratch_dir);
	strcpy(strrchr(scratch_dir, '.') + 1, "XXXXXX");
}

static void test_console(void)
{
	static const char args[] = "{\"device\":\"console\",\"size\":65536,\"format\":\"base64\"}";

	KTAP_TRUE(RUN(WORDS("console"), { "ringbuf-read", args, "\"bG9naW46IA==\"" }));
	KTAP_STREQ(said, "login: ");
	KTAP_TRUE(RUN(WORDS("console"), { "ringbuf-read", args, "7" }));
	KTAP_STREQ(said, "");
	KTAP_TRUE(!RUN(WORDS("console"), { "ringbuf-read", args, NULL }));
}

static void test_raw(void)
{
	KTAP_TRUE(run(WORDS("qmp", "{\"return\": {}}"), NULL, 0));
	KTAP_STREQ(said, "{\"return\": {}}\n");
	KTAP_TRUE(!run(WORDS("qmp", "{\"error\": {}}"), NULL, 0));
	KTAP_STREQ(said, "{\"error\": {}}\n");
	KTAP_STREQ(wrong, "the answer is an error");
	KTAP_TRUE(!run(WORDS("qmp", "gone"), NULL, 0));
	KTAP_STREQ(said, "");
	machine.nr_events = 2;
	KTAP_TRUE(run(WORDS("events"), NULL, 0));
	KTAP_STREQ(said, "event 2\nevent 1\n");
}

#define SNAPSHOT_BEGIN SNAPSHOT_BEGIN_AS("")
#define SNAPSHOT_BEGIN_AS(more) \
	{ "migrate-set-capabilities", \
	  "{\"capabilities\":[{\"capability\":\"background-snapshot\",\"state\":true}" more "]}", \
	  "{}" }, \
	{ "getfd", "{\"fdname\":\"transfer\"}", "{}" }, \
	{ "migrate", "{\"uri\":\"fd:transfer\"}", "{}" }
#define SNAPSHOT_ACTIVE \
	{ "query-migrate", NULL, \
	  "{\"status\":\"active\",\"ram\":{\"total\":100,\"remaining\":40}}" }

static unsigned int nr_files(void)
{
	DIR *dir = opendir(scratch_dir);
	unsigned int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

/* The file gets its name, in place of an older one, when the machine has written all. */
static void test_snapshot(void)
{
	struct stat here, there;
	char text[256];

	KTAP_ASSERT(mkdtemp(scratch_dir));
	write_file("save", "old", 3, 3);
	KTAP_TRUE(RUN(WORDS("snapshot", path("save")), SNAPSHOT_BEGIN, SNAPSHOT_ACTIVE,
		      { "query-migrate", NULL, "{\"status\":\"completed\",\"downtime\":12}" }));
	snprintf(text, sizeof(text), "%s: 0 bytes; the guest stood still for 12 ms\n", path("save"));
	KTAP_STREQ(said, text);
	KTAP_EQ(nr_files(), 1);
	/* It is the file that the machine was sent. */
	KTAP_TRUE(!fstat(machine.file, &there) && !stat(path("save"), &here) &&
		  here.st_ino == there.st_ino);
	close(machine.file);
	/* Its options, which are the machine's to understand. */
	KTAP_TRUE(RUN(WORDS("snapshot", "--track", path("save")),
		      SNAPSHOT_BEGIN_AS(",{\"capability\":\"__armvmm_track\",\"state\":true}"),
		      { "query-migrate", NULL, "{\"status\":\"completed\",\"downtime\":12}" }));
	KTAP_STREQ(said, text);
	close(machine.file);
	KTAP_TRUE(RUN(WORDS("snapshot", "--incremental", path("save")),
		      SNAPSHOT_BEGIN_AS(",{\"capability\":\"__armvmm_incremental\",\"state\":true}"),
		      { "query-migrate", NULL, "{\"status\":\"completed\",\"downtime\":12}" }));
	close(machine.file);
	KTAP_EQ(nr_files(), 1);
}

/* Otherwise the older file stays, and nothing else. */
static void test_snapshot_fails(void)
{
	static const struct {
		const char *answer, *why;
	} ends[] = {
		{ "{\"status\":\"failed\",\"error-desc\":\"the disk is full\"}",
		  "the disk is full" },
		{ "{\"status\":\"failed\"}", "the snapshot was cancelled" },
		{ "{\"status\":\"cancelled\"}", "the snapshot was cancelled" },
		{ "{}", "the snapshot was cancelled" },
	};
	const struct step steps[] = { SNAPSHOT_BEGIN };
	char text[256];
	struct stat st;

	write_file("save", "old", 3, 3);
	for (unsigned int i = 0; i < G_N_ELEMENTS(ends); i++) {
		KTAP_TRUE(!RUN(WORDS("snapshot", path("save")), SNAPSHOT_BEGIN, SNAPSHOT_ACTIVE,
			       { "query-migrate", NULL, ends[i].answer }));
		snprintf(text, sizeof(text), "%s: %s", path("save"), ends[i].why);
		KTAP_STREQ(wrong, text);
		close(machine.file);
	}
	KTAP_TRUE(!RUN(WORDS("snapshot", path("save")), SNAPSHOT_BEGIN,
		       { "query-migrate", NULL, NULL }));
	close(machine.file);
	/* Each of the first commands is refused. */
	for (unsigned int i = 0; i < G_N_ELEMENTS(steps); i++) {
		struct step some[G_N_ELEMENTS(steps)];

		memcpy(some, steps, sizeof(steps));
		some[i].answer = NULL;
		KTAP_TRUE(!run(WORDS("snapshot", path("save")), some, i + 1));
		close(machine.file);
	}
	KTAP_TRUE(!stat(path("save"), &st) && st.st_size == 3);
	KTAP_EQ(nr_files(), 1);

	/* What is no file is no place for one. */
	KTAP_TRUE(!run(WORDS("snapshot", scratch_dir), NULL, 0));
	snprintf(text, sizeof(text), "%s: is there already, and is no regular file", scratch_dir);
	KTAP_STREQ(wrong, text);
	KTAP_TRUE(!run(WORDS("snapshot", path("no/save")), NULL, 0));
	snprintf(text, sizeof(text), "%s: No such file or directory", path("no/save"));
	KTAP_STREQ(wrong, text);
}

/* A signal cancels it, once; the machine's answer ends it. */
static void test_snapshot_interrupted(void)
{
	machine.raise_at = 3;
	KTAP_TRUE(!RUN(WORDS("snapshot", path("save")), SNAPSHOT_BEGIN, SNAPSHOT_ACTIVE,
		       { "migrate_cancel", NULL, "{}" }, SNAPSHOT_ACTIVE,
		       { "query-migrate", NULL, "{\"status\":\"cancelled\"}" }));
	close(machine.file);
	KTAP_EQ(nr_files(), 1);
	/* The machine is gone when it is to cancel. */
	KTAP_TRUE(!RUN(WORDS("snapshot", path("save")), SNAPSHOT_BEGIN, SNAPSHOT_ACTIVE,
		       { "migrate_cancel", NULL, NULL }));
	KTAP_STREQ(wrong, "refused");
	close(machine.file);
	KTAP_EQ(nr_files(), 1);
	machine.raise_at = -1;
}

#define DUMP_FILE { "getfd", "{\"fdname\":\"transfer\"}", "{}" }
#define DUMP_ARGS "{\"paging\":false,\"protocol\":\"fd:transfer\"}"

/* The same for a dump, which a signal cancels by ending the connection. */
static void test_dump(void)
{
	char text[256], byte;
	struct stat st;
	int pair[2];

	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	machine.socket = pair[0];
	KTAP_TRUE(!RUN(WORDS("dump", path("save")), DUMP_FILE, { "dump-guest-memory", DUMP_ARGS, NULL }));
	KTAP_STREQ(wrong, "refused");
	KTAP_TRUE(!stat(path("save"), &st) && st.st_size == 3 && nr_files() == 1);
	close(machine.file);
	KTAP_TRUE(RUN(WORDS("dump", path("save")), DUMP_FILE, { "dump-guest-memory", DUMP_ARGS, "{}" }));
	snprintf(text, sizeof(text), "%s: 0 bytes\n", path("save"));
	KTAP_STREQ(said, text);
	KTAP_TRUE(!stat(path("save"), &st) && !st.st_size && st.st_mode == (S_IFREG | 0600));
	KTAP_EQ(nr_files(), 1);
	close(machine.file);
	KTAP_EQ(recv(pair[1], &byte, 1, MSG_DONTWAIT), -1);
	machine.raise_at = 1;
	KTAP_TRUE(!RUN(WORDS("dump", path("new")), DUMP_FILE, { "dump-guest-memory", DUMP_ARGS, GONE }));
	snprintf(text, sizeof(text), "%s: the dump was cancelled", path("new"));
	KTAP_STREQ(wrong, text);
	KTAP_EQ(recv(pair[1], &byte, 1, MSG_DONTWAIT), 0);
	KTAP_EQ(nr_files(), 1);
	close(machine.file);
	close(pair[0]);
	close(pair[1]);
	machine.raise_at = machine.socket = -1;
	unlink(path("save"));
	KTAP_EQ(rmdir(scratch_dir), 0);
}

/* A terminal's signals do not end the way to the far end: it is needed for the answer. */
static void test_migrate_exec(void)
{
	static const struct step steps[] = {
		{ "migrate-set-capabilities",
		  "{\"capabilities\":[{\"capability\":\"auto-converge\",\"state\":true}]}", "{}" },
		{ "getfd", "{\"fdname\":\"transfer\"}", "{}" },
		{ "migrate", "{\"uri\":\"fd:transfer\"}", "{}" },
		{ "query-migrate", NULL, "{\"status\":\"completed\"}" },
		{ "quit", NULL, "{}" },
	};
	char text[8] = "";

	KTAP_TRUE(run(WORDS("migrate", "exec:for i in INT HUP QUIT TSTP; do kill -$i $$; done; "
					"echo alive"), steps, G_N_ELEMENTS(steps)));
	KTAP_EQ(read(machine.file, text, sizeof(text) - 1), 6);
	KTAP_STREQ(text, "alive\n");
	close(machine.file);
}

/* The guest is handed over as soon as each page was sent once, and not after it has gone. */
static void test_migrate_postcopy(void)
{
	static const struct step steps[] = {
		{ "migrate-set-capabilities",
		  "{\"capabilities\":[{\"capability\":\"auto-converge\",\"state\":true},{\"capability\":\"postcopy-ram\",\"state\":true}]}",
		  "{}" },
		{ "getfd", "{\"fdname\":\"transfer\"}", "{}" },
		{ "migrate", "{\"uri\":\"fd:transfer\"}", "{}" },
		{ "query-migrate", NULL,
		  "{\"status\":\"active\",\"ram\":{\"dirty-sync-count\":0}}" },
		{ "query-migrate", NULL,
		  "{\"status\":\"active\",\"ram\":{\"dirty-sync-count\":1}}" },
		{ "migrate-start-postcopy", NULL, NULL },
		{ "query-migrate", NULL,
		  "{\"status\":\"postcopy-active\",\"ram\":{\"dirty-sync-count\":1}}" },
		{ "query-migrate", NULL, "{\"status\":\"completed\"}" },
		{ "quit", NULL, "{}" },
	};

	KTAP_TRUE(run(WORDS("migrate", "--postcopy", "exec:true"), steps, G_N_ELEMENTS(steps)));
	KTAP_EQ(machine.asked, G_N_ELEMENTS(steps));
	close(machine.file);
	/* An option alone is no place. */
	KTAP_TRUE(!run(WORDS("migrate", "--postcopy"), NULL, 0));
	KTAP_STREQ(wrong, "--postcopy: must be " ENDPOINT_SYNTAX ", or exec:COMMAND");
}

static void test_prepare(void)
{
	value_prepare();
	machine.raise_at = machine.socket = -1;
}

KTAP_MAIN(KTAP_CASE(test_prepare), KTAP_CASE(test_find), KTAP_CASE(test_plain),
	  KTAP_CASE(test_status), KTAP_CASE(test_lists), KTAP_CASE(test_sizes),
	  KTAP_CASE(test_memory), KTAP_CASE(test_console), KTAP_CASE(test_join),
	  KTAP_CASE(test_raw),
	  KTAP_CASE(test_snapshot), KTAP_CASE(test_snapshot_fails),
	  KTAP_CASE(test_snapshot_interrupted), KTAP_CASE(test_dump), KTAP_CASE(test_migrate_exec),
	  KTAP_CASE(test_migrate_postcopy))

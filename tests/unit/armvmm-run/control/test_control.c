// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/control/control.c userspace/armvmm-run/control/client.c
// sources: userspace/armvmm-run/core/named_socket.c userspace/armvmm-run/control/address.c
// sources: userspace/armvmm-run/control/splitter.c
// sources: userspace/armvmm-run/control/value.c
// sources: userspace/armvmm-run/control/qmp.c userspace/armvmm-run/control/command.c
// sources: userspace/armvmm-run/control/commands_run.c userspace/armvmm-run/control/commands_query.c
// sources: userspace/armvmm-run/control/commands_block.c userspace/armvmm-run/control/commands_console.c
// sources: userspace/armvmm-run/control/commands_memory.c
// sources: userspace/armvmm-run/control/commands_human.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/control/commands_migrate.c userspace/armvmm-run/control/commands_dump.c
// sources: userspace/armvmm-run/control/commands_device.c userspace/armvmm-run/control/schema.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Itests/unit/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0 jansson
//
// The control socket itself: its file, and clients of every kind.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/control.h"
#include "ktap.h"
#include "control/control_fake.h"

static struct machine m;
static char folder[] = "/tmp/test_control.XXXXXX";
static struct address address;

static struct control *start(void)
{
	struct control *control = NULL;
	struct error err = { "" };

	fake_control_init(&m);
	KTAP_EQ(control_create(&control, &address, &err), 0);
	KTAP_STREQ(err.text, "");
	if (!control || control_start(control, &m, NULL, &err))
		exit(1);
	return control;
}

static void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static int client(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(sun.sun_path, address.path);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		close(fd);
		return -1;
	}
	turn();
	return fd;
}

static void say(int fd, const char *text)
{
	KTAP_EQ(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	turn();
}

/* What was received; "-" if the other end is closed and nothing was received. */
static const char *heard(int fd)
{
	static char buf[65536];
	size_t len = 0;
	ssize_t n;

	turn();
	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += n;
	buf[len] = '\0';
	return !n && !len ? "-" : buf;
}

static int negotiated(void)
{
	int fd = client();

	KTAP_TRUE(strstr(heard(fd), "{\"QMP\":"));
	say(fd, "{\"execute\":\"qmp_capabilities\"}\n");
	KTAP_STREQ(heard(fd), "{\"return\":{}}\r\n");
	return fd;
}

static void test_file(void)
{
	struct control *control = start(), *second = NULL;
	struct error err = { "" };
	struct stat st;

	KTAP_EQ(stat(address.path, &st), 0);
	KTAP_EQ(st.st_mode, S_IFSOCK | 0600);
	KTAP_EQ(control_create(&second, &address, &err), -EADDRINUSE);
	KTAP_TRUE(strstr(err.text, "is in use by a running process"));
	KTAP_EQ(stat(address.path, &st), 0);
	control_destroy(control);
	KTAP_EQ(access(address.path, F_OK), -1);
	control_destroy(NULL);
}

/* The name is removed, however the process ends. */
static void test_killed(void)
{
	pid_t pid = fork();

	if (!pid) {
		start();
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 1000 && !access(address.path, F_OK); i++)
		usleep(10000);
	KTAP_EQ(access(address.path, F_OK), -1);
}

/* A socket that nobody listens at is replaced; a file that is no socket is not. */
static void test_stale(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct control *control;
	struct error err = { "" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(sun.sun_path, address.path);
	KTAP_EQ(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	control = start();
	fd = negotiated();
	close(fd);
	turn();
	control_destroy(control);

	close(open(address.path, O_CREAT | O_WRONLY, 0600));
	control = NULL;
	KTAP_EQ(control_create(&control, &address, &err), -EEXIST);
	KTAP_TRUE(strstr(err.text, "is no socket"));
	KTAP_EQ(unlink(address.path), 0);
}

/* The name of somebody else's socket is not removed. */
static void test_replaced(void)
{
	struct control *control = start();

	unlink(address.path);
	close(open(address.path, O_CREAT | O_WRONLY, 0600));
	control_destroy(control);
	KTAP_EQ(access(address.path, F_OK), 0);
	unlink(address.path);
}

static void test_no_folder(void)
{
	struct address nowhere = { .path = "/nonexistent/x.sock" };
	struct control *control = NULL;
	struct error err = { "" };

	KTAP_EQ(control_create(&control, &nowhere, &err), -ENOENT);
	KTAP_STREQ(err.text, "--control /nonexistent/x.sock: No such file or directory");
}

static void test_events(void)
{
	struct control *control = start();
	int fd = negotiated(), other = negotiated(), silent = client();
	const char *got;

	heard(silent);
	say(fd, "{\"execute\":\"stop\",\"id\":1}");
	got = heard(fd);
	/* The event comes first, as with QEMU. */
	KTAP_TRUE(strstr(got, "\"event\":\"STOP\"}\r\n{\"return\":{},\"id\":1}\r\n"));
	KTAP_TRUE(strstr(heard(other), "\"event\":\"STOP\""));
	KTAP_STREQ(heard(silent), "");
	close(fd);
	close(other);
	close(silent);
	turn();
	control_destroy(control);
}

static void test_many(void)
{
	struct control *control = start();
	int fd[8], more;

	for (int i = 0; i < 8; i++)
		fd[i] = negotiated();
	more = client();
	KTAP_TRUE(strstr(heard(more), "\"error\""));
	KTAP_STREQ(heard(more), "-");
	close(more);
	/* One more client is served again. */
	close(fd[3]);
	turn();
	fd[3] = negotiated();
	for (int i = 0; i < 8; i++)
		close(fd[i]);
	turn();
	control_destroy(control);
}

static void test_broken(void)
{
	struct control *control = start();
	char *deep = malloc(100000);
	int fd = negotiated();

	say(fd, "nonsense\n");
	KTAP_TRUE(strstr(heard(fd), "invalid JSON syntax"));
	memset(deep, '[', 100000);
	for (int at = 0; at < 100000; at += 1000) {
		KTAP_EQ(send(fd, deep, 1000, MSG_NOSIGNAL), 1000);
		turn();
	}
	KTAP_TRUE(strstr(heard(fd), "nesting depth limit exceeded"));
	say(fd, "\n{\"execute\":\"query-name\",\"id\":\"x\"}");
	KTAP_STREQ(heard(fd), "{\"return\":{},\"id\":\"x\"}\r\n");
	free(deep);
	close(fd);
	turn();
	control_destroy(control);
}

/* A client that only asks, and reads nothing, is not served until it reads. */
static void test_asks_only(void)
{
	static const char ask[] = "{\"execute\":\"query-commands\"}\n";
	struct control *control = start();
	int fd = negotiated();
	unsigned int asked = 0, answered = 0;
	char buf[4096];
	ssize_t n = 0;

	while ((n = send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL)) == sizeof(ask) - 1 &&
	       asked < 100000) {
		asked++;
		turn();
	}
	/* Its last message may have been sent in part. */
	KTAP_TRUE(asked > 10 && asked < 100000);
	for (int idle = 0; idle < 3;) {
		n = read(fd, buf, sizeof(buf));
		for (ssize_t i = 0; i < n; i++)
			answered += buf[i] == '\n';
		idle = n > 0 ? 0 : idle + 1;
		turn();
	}
	KTAP_EQ(answered, asked);
	close(fd);
	turn();
	control_destroy(control);
}

static unsigned int warnings;

void machine_warn(struct machine *machine, const char *fmt, ...)
{
	KTAP_TRUE(machine == &m && fmt);
	warnings++;
}

/* A client that does not take its events is dropped, and the others are still served. */
static void test_deaf(void)
{
	struct control *control = start();
	int deaf = negotiated(), fd = negotiated();
	char buf[4096];
	ssize_t n;

	for (int i = 0; i < 20000; i++) {
		machine_hold(&m, MACHINE_HOLDER_CONTROL);
		machine_release(&m, MACHINE_HOLDER_CONTROL);
		heard(fd);
	}
	say(fd, "{\"execute\":\"query-name\",\"id\":5}");
	KTAP_TRUE(strstr(heard(fd), "{\"return\":{},\"id\":5}"));
	while ((n = read(deaf, buf, sizeof(buf))) > 0)
		;
	KTAP_EQ(n, 0);
	KTAP_EQ(warnings, 1);
	close(deaf);
	close(fd);
	turn();
	control_destroy(control);
}

/* A client ends its side after a last request: that is answered, and the connection ends. */
static void test_half_closed(void)
{
	struct control *control = start();
	int fd = negotiated();

	KTAP_TRUE(send(fd, "{\"execute\":\"query-name\"}", 24, 0) == 24);
	shutdown(fd, SHUT_WR);
	KTAP_STREQ(heard(fd), "{\"return\":{}}\r\n");
	KTAP_STREQ(heard(fd), "-");
	close(fd);
	control_destroy(control);
}

static unsigned int open_files(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Sends @text with @nr files. */
static void say_files(int fd, const char *text, unsigned int nr)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} files = { .head = { .cmsg_len = CMSG_LEN(nr * sizeof(int)), .cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS } };
	struct iovec out = { (char *)text, strlen(text) };
	struct msghdr msg = { .msg_iov = &out, .msg_iovlen = 1, .msg_control = &files,
			      .msg_controllen = CMSG_SPACE(nr * sizeof(int)) };
	int file[16];

	for (unsigned int i = 0; i < nr; i++)
		file[i] = open("/dev/null", O_WRONLY);
	memcpy(CMSG_DATA(&files.head), file, nr * sizeof(int));
	KTAP_EQ(sendmsg(fd, &msg, MSG_NOSIGNAL), strlen(text));
	for (unsigned int i = 0; i < nr; i++)
		close(file[i]);
	turn();
}

/* A file comes with a command; a client that sends many, or leaves, leaves none behind. */
static void test_files(void)
{
	static const char getfd[] = "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"a\"}}";
	struct control *control = start();
	unsigned int before = open_files();
	int fd = negotiated();

	say_files(fd, getfd, 1);
	KTAP_STREQ(heard(fd), "{\"return\":{}}\r\n");
	KTAP_EQ(open_files(), before + 3);
	say_files(fd, getfd, 16);
	KTAP_STREQ(heard(fd), "{\"return\":{}}\r\n");
	KTAP_EQ(open_files(), before + 3);
	for (unsigned int i = 0; i < 10; i++)
		say_files(fd, " ", 3);
	KTAP_EQ(open_files(), before + 4);
	say(fd, "{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"fd:a\"}}");
	KTAP_STREQ(heard(fd), "{\"return\":{}}\r\n");
	KTAP_TRUE((fcntl(fake_run.save_fd, F_GETFL) & O_ACCMODE) == O_WRONLY);
	KTAP_TRUE(fcntl(fake_run.save_fd, F_GETFD) & FD_CLOEXEC);
	close(fake_run.save_fd);
	close(fd);
	turn();
	KTAP_EQ(open_files(), before);
	control_destroy(control);
}

#define DUMP "{\"execute\":\"dump-guest-memory\",\"arguments\":{\"paging\":false,\"protocol\":\"fd:a\"}}"

/*
 * A client whose command takes long hears events, but no answer to what it asks meanwhile; others
 * are served. All is answered in the end, in its order.
 */
static void test_later(void)
{
	static const char getfd[] = "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"a\"}}";
	struct control *control = start();
	int fd = negotiated(), other = negotiated();
	const char *got;

	say_files(fd, getfd, 1);
	heard(fd);
	say(fd, DUMP "{\"execute\":\"query-name\",\"id\":1}");
	say(fd, "{\"execute\":\"query-name\",\"id\":2}");
	KTAP_STREQ(heard(fd), "");
	say(other, "{\"execute\":\"stop\"}");
	KTAP_TRUE(strstr(heard(other), "{\"return\":{}}"));
	KTAP_TRUE(strstr(heard(fd), "\"STOP\"") && !strstr(heard(fd), "return"));
	fake_dump_end(&m, NULL);
	got = heard(fd);
	KTAP_TRUE(strstr(got, "\"DUMP_COMPLETED\",\"data\":{\"result\":{\"status\":\"completed\",\"completed\":100,\"total\":100}}}\r\n"
			      "{\"return\":{}}\r\n"));
	KTAP_TRUE(strstr(got, "{\"return\":{}}\r\n{\"return\":{},\"id\":1}\r\n{\"return\":{},\"id\":2}\r\n"));
	KTAP_TRUE(strstr(heard(other), "DUMP_COMPLETED"));
	close(fake_run.dump_fd);
	KTAP_EQ(fake_run.dump_cancels, 0);

	/* A client that says that it will send nothing more still waits. */
	say_files(fd, getfd, 1);
	say(fd, DUMP);
	shutdown(fd, SHUT_WR);
	turn();
	KTAP_EQ(fake_run.dump_cancels, 0);
	fake_dump_end(&m, "full");
	got = heard(fd);
	KTAP_TRUE(strstr(got, "\"completed\":50,\"total\":100},\"error\":\"full\"}}\r\n"
			      "{\"error\":{\"class\":\"GenericError\",\"desc\":\"full\"}}\r\n"));
	KTAP_STREQ(heard(fd), "-");
	close(fd);
	close(fake_run.dump_fd);
	/* One that goes ends it, also if it has heard all. */
	say_files(other, getfd, 1);
	say(other, DUMP);
	heard(other);
	KTAP_EQ(fake_run.dump_cancels, 0);
	close(other);
	turn();
	KTAP_EQ(fake_run.dump_cancels, 1);
	fake_dump_end(&m, "cancelled");
	close(fake_run.dump_fd);
	control_destroy(control);
}

static void test_addresses(void)
{
	struct address a;
	struct error err;

	KTAP_EQ(address_parse(&a, "--control", "tcp:1", &err), -EINVAL);
	KTAP_EQ(address_parse(&a, "--control", "unix:", &err), -EINVAL);
	KTAP_EQ(address_parse(&a, "--control", "name:../x", &err), -EINVAL);
	KTAP_EQ(address_parse(&a, "--control", "name:", &err), -EINVAL);
	KTAP_EQ(address_parse(&a, "--control", "name:.x", &err), -EINVAL);
	KTAP_EQ(address_find(&a, "./x", &err), 0);
	KTAP_STREQ(a.path, "./x");
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	KTAP_EQ(address_find(&a, "web-1", &err), 0);
	KTAP_STREQ(a.path, geteuid() ? "/run/user/7/armvmm/web-1.sock" : "/run/armvmm/web-1.sock");
	KTAP_TRUE(a.named);
}

static void prepare(void)
{
	if (!mkdtemp(folder))
		exit(1);
	snprintf(address.path, sizeof(address.path), "%s/sock", folder);
}

static void clean(void)
{
	KTAP_EQ(rmdir(folder), 0);
}

KTAP_MAIN(KTAP_CASE(prepare), KTAP_CASE(test_file), KTAP_CASE(test_killed), KTAP_CASE(test_stale),
	  KTAP_CASE(test_replaced), KTAP_CASE(test_no_folder), KTAP_CASE(test_events),
	  KTAP_CASE(test_many), KTAP_CASE(test_broken), KTAP_CASE(test_asks_only),
	  KTAP_CASE(test_deaf), KTAP_CASE(test_half_closed), KTAP_CASE(test_files),
	  KTAP_CASE(test_later),
	  KTAP_CASE(test_addresses),
	  KTAP_CASE(clean))

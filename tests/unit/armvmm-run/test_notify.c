// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/notify.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/parse.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
//
// What a service manager is told, by sd_notify's protocol.
#include <errno.h>
#include <glib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/runstate.h"
#include "ktap.h"
#include "notify.h"

static struct machine m;
static struct machine_listener *heard;
static bool held;
static struct error err;
static gint64 ahead;	/* of the clock */
static char path[] = "/tmp/test_notify.XXXXXX";

gint64 g_get_monotonic_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + ahead;
}

void machine_listen(struct machine *machine, struct machine_listener *listener)
{
	heard = listener;
}

void machine_unlisten(struct machine *machine, struct machine_listener *listener)
{
	heard = NULL;
}

bool machine_is_held(const struct machine *machine)
{
	return held;
}

/* A manager that listens at @name, where @ is the abstract namespace. */
static int manager(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	size_t len = strlen(name);

	memcpy(address.sun_path, name, len);
	if (*name == '@')
		address.sun_path[0] = 0;
	KTAP_EQ(bind(fd, (void *)&address, offsetof(struct sockaddr_un, sun_path) + len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

/* What it was told next, or "". */
static const char *told(int fd)
{
	static char text[256];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void tell(enum machine_event_type type)
{
	heard->event(heard, &(struct machine_event){ .type = type });
}

static void life(const char *name)
{
	struct notify *notify;
	int fd = manager(name);

	KTAP_EQ(notify_create(&notify, &err), 0);
	KTAP_TRUE(!getenv("NOTIFY_SOCKET"));
	KTAP_STREQ(told(fd), "");
	notify_start(notify, &m);
	KTAP_STREQ(told(fd), "");
	held = false;
	tell(MACHINE_EVENT_START);
	KTAP_STREQ(told(fd), "READY=1\nSTATUS=The guest runs");
	held = true;
	tell(MACHINE_EVENT_STOP);
	KTAP_STREQ(told(fd), "STATUS=The guest is stopped");
	tell(MACHINE_EVENT_START);
	KTAP_STREQ(told(fd), "READY=1\nSTATUS=The guest is stopped before its start");
	held = false;
	tell(MACHINE_EVENT_RESUME);
	KTAP_STREQ(told(fd), "STATUS=The guest runs");
	tell(MACHINE_EVENT_DEBUG);
	KTAP_STREQ(told(fd), "");
	tell(MACHINE_EVENT_POWERDOWN);
	KTAP_STREQ(told(fd), "STATUS=The guest's power button was pressed");
	tell(MACHINE_EVENT_RESET);
	KTAP_STREQ(told(fd), "STATUS=The guest starts over");
	tell(MACHINE_EVENT_SHUTDOWN);
	KTAP_STREQ(told(fd), "STOPPING=1\nSTATUS=The guest has ended");
	/* A manager that is gone, or does not read, is no reason to wait. */
	for (unsigned int i = 0; i < 1000; i++)
		tell(MACHINE_EVENT_STOP);
	close(fd);
	tell(MACHINE_EVENT_STOP);
	notify_destroy(notify);
	KTAP_TRUE(!heard);
}

/* A guest that comes from elsewhere, or from slow storage, may take longer than a start may. */
static void test_slow_start(void)
{
	struct notify *notify;
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "@test_notify-%d", getpid());
	fd = manager(name);
	KTAP_EQ(notify_create(&notify, &err), 0);
	notify_start(notify, &m);
	for (unsigned int i = 0; i < 3; i++) {
		tell(MACHINE_EVENT_READING);
		KTAP_STREQ(told(fd), "EXTEND_TIMEOUT_USEC=60000000");
		/* Not for each of thousands of parts. */
		tell(MACHINE_EVENT_READING);
		KTAP_STREQ(told(fd), "");
		ahead += 10 * G_USEC_PER_SEC;
	}
	held = true;
	tell(MACHINE_EVENT_AWAIT);
	KTAP_STREQ(told(fd), "READY=1\nSTATUS=Waits for a guest");
	tell(MACHINE_EVENT_START);
	KTAP_STREQ(told(fd), "READY=1\nSTATUS=The guest is stopped before its start");
	held = false;
	tell(MACHINE_EVENT_RESUME);
	KTAP_STREQ(told(fd), "STATUS=The guest runs");
	notify_destroy(notify);
	close(fd);
}

static void test_path(void)
{
	close(mkstemp(path));
	unlink(path);
	life(path);
	unlink(path);
}

static void test_abstract(void)
{
	char name[64];

	snprintf(name, sizeof(name), "@test_notify-%d", getpid());
	life(name);
}

static unsigned int beats(const char *usec, const char *pid)
{
	char name[64];
	struct notify *notify;
	unsigned int n = 0;
	gint64 begin;
	int fd;

	snprintf(name, sizeof(name), "@test_notify-%d", getpid());
	fd = manager(name);
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	KTAP_EQ(notify_create(&notify, &err), 0);
	KTAP_TRUE(!getenv("WATCHDOG_USEC") && !getenv("WATCHDOG_PID"));
	notify_start(notify, &m);
	begin = g_get_monotonic_time();
	while (g_get_monotonic_time() - begin < 300000) {
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(1000);
		n += !strcmp(told(fd), "WATCHDOG=1");
	}
	notify_destroy(notify);
	close(fd);
	return n;
}

static void test_watchdog(void)
{
	unsigned int n;
	char self[16];

	snprintf(self, sizeof(self), "%d", getpid());
	n = beats("100000", self);
	/* Every 50 ms, unless the machine is busy: never more. */
	KTAP_TRUE(n >= 2 && n <= 6);
	KTAP_TRUE(beats("100000", NULL) >= 2);
	KTAP_EQ(beats("100000", "1"), 0);
	KTAP_EQ(beats("100000", "x"), 0);
	KTAP_EQ(beats("0", self), 0);
	KTAP_EQ(beats("18446744073709551616", self), 0);
	KTAP_EQ(beats("-5", self), 0);
}

static void test_wrong(void)
{
	char name[200];
	struct notify *notify = (void *)1;

	unsetenv("NOTIFY_SOCKET");
	KTAP_EQ(notify_create(&notify, &err), 0);
	KTAP_TRUE(!notify);
	notify_start(NULL, &m);
	notify_destroy(NULL);

	setenv("NOTIFY_SOCKET", "/nowhere/x", 1);
	KTAP_EQ(notify_create(&notify, &err), -ENOENT);
	KTAP_STREQ(err.text, "$NOTIFY_SOCKET (/nowhere/x): No such file or directory");
	KTAP_TRUE(!notify);
	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	KTAP_EQ(notify_create(&notify, &err), -EAFNOSUPPORT);
	setenv("NOTIFY_SOCKET", "", 1);
	KTAP_EQ(notify_create(&notify, &err), -EAFNOSUPPORT);
	memset(name, 'x', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	KTAP_EQ(notify_create(&notify, &err), -ENAMETOOLONG);
}

KTAP_MAIN(KTAP_CASE(test_path), KTAP_CASE(test_abstract), KTAP_CASE(test_watchdog),
	  KTAP_CASE(test_slow_start), KTAP_CASE(test_wrong))

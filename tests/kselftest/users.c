// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many VMs a user may have in all his processes: max_vms_per_user. Whoever has CAP_SYS_RESOURCE
 * may have any number. What counts is who opened the node.
 */
#include "vm.h"

#include <grp.h>
#include <sched.h>
#include <sys/wait.h>

#define MAX	5u
#define OTHER	65533u
#define FOREIGN	70000u	/* another id that /etc/subuid could give nobody */

static void limit_set(unsigned int max)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", max);
	param_put("max_vms_per_user", text);
}

/* This process is one of that user's, who is a member of the node's group. */
static void be(uid_t uid)
{
	gid_t group = NODE_GROUP;

	MUST_OK(setgroups(1, &group));
	MUST_OK(setresgid(NOBODY, NOBODY, NOBODY));
	MUST_OK(setresuid(uid, uid, uid));
}

static void ends_well(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	CHECK(!status, "status %x", status);
}

/* Runs @work in a process of nobody, a member of the node's group, with that limit. */
static void as_nobody(void (*work)(void), unsigned int max)
{
	pid_t pid;

	node_share();
	limit_set(max);
	pid = fork();
	if (!pid) {
		be(NOBODY);
		work();
		_exit(ktap_failed());
	}
	ends_well(pid);
	node_unshare();
}

/* A process of a user who has VMs until it is told to end. */
struct client {
	pid_t pid;
	int tell, told;
};

/* Makes @want VMs, or as many as it gets. Returns their number; @error: why there are no more. */
static unsigned int make(int sys, unsigned int want, int *vm, int *error)
{
	unsigned int n = 0;

	errno = 0;
	while (n < want && (vm[n] = ioctl(sys, KVM_CREATE_VM, 0)) >= 0)
		n++;
	*error = errno;
	return n;
}

struct report {
	unsigned int vms;
	int error;
};

static void client_main(uid_t uid, unsigned int want, int tell, int told)
{
	struct report report;
	int vm[64];
	char byte;

	if (uid)
		be(uid);
	report.vms = make(sys_open(), want, vm, &report.error);
	MUST(write(told, &report, sizeof(report)) == sizeof(report), "no parent");
	if (read(tell, &byte, 1) < 0)
		_exit(1);
	_exit(0);
}

/* Starts a process of the user that wants so many VMs, and gets @gets. */
static struct client client(uid_t uid, unsigned int want, unsigned int gets)
{
	int tell[2], told[2];
	struct report report = {};
	struct client c;

	MUST_OK(pipe2(tell, O_CLOEXEC));
	MUST_OK(pipe2(told, O_CLOEXEC));
	c.pid = fork();
	if (!c.pid) {
		close(tell[1]);
		client_main(uid, want, tell[0], told[1]);
	}
	close(tell[0]);
	close(told[1]);
	c.tell = tell[1];
	c.told = told[0];
	MUST(read(c.told, &report, sizeof(report)) == sizeof(report), "the process has ended");
	CHECK(report.vms == gets, "uid %u has %u VMs, and not %u", uid, report.vms, gets);
	CHECK(gets == want || report.error == EAGAIN, "%s", strerror(report.error));
	return c;
}

static void client_end(struct client *c)
{
	/* Not by closing it: those that were started later have it open, too. */
	MUST(write(c->tell, "", 1) == 1, "no process");
	close(c->tell);
	close(c->told);
	ends_well(c->pid);
}

static void in_all_processes(void)
{
	struct client a, b, c;

	node_share();
	limit_set(MAX);
	a = client(NOBODY, MAX - 2, MAX - 2);
	b = client(NOBODY, MAX, 2);
	c = client(NOBODY, 1, 0);
	client_end(&c);
	/* Other users have theirs. */
	c = client(OTHER, MAX + 1, MAX);
	client_end(&c);
	c = client(0, 3 * MAX, 3 * MAX);
	client_end(&c);
	/* What ends makes room, and a new limit holds for new VMs. */
	client_end(&b);
	b = client(NOBODY, MAX, 2);
	limit_set(MAX - 1);
	c = client(NOBODY, 1, 0);
	client_end(&c);
	limit_set(MAX + 1);
	c = client(NOBODY, 2, 1);
	client_end(&c);
	limit_set(0);
	c = client(NOBODY, 40, 40);
	client_end(&c);
	client_end(&a);
	client_end(&b);
	limit_set(MAX);
	c = client(NOBODY, MAX + 1, MAX);
	client_end(&c);
	node_unshare();
}

/* A VM counts until the last of its files is closed, and one that could not be made does not. */
static void open_and_close(void)
{
	int vm[MAX + 1], sys = sys_open(), error, vcpu, other;

	MUST(make(sys, MAX + 1, vm, &error) == MAX && error == EAGAIN, "%s", strerror(error));
	vcpu = (int)MUST_OK(ioctl(vm[0], KVM_CREATE_VCPU, 0));
	close(vm[0]);
	CHECK_ERRNO(ioctl(sys, KVM_CREATE_VM, 0), EAGAIN);
	close(vcpu);
	vm[0] = (int)MUST_OK(ioctl(sys, KVM_CREATE_VM, 0));
	CHECK_ERRNO(ioctl(sys, KVM_CREATE_VM, 0), EAGAIN);
	close(vm[0]);
	CHECK_ERRNO(ioctl(sys, KVM_CREATE_VM, 1), EINVAL);
	vm[0] = (int)MUST_OK(ioctl(sys, KVM_CREATE_VM, 0));
	/* Whoever opens the node again is still the same user. */
	other = sys_open();
	CHECK_ERRNO(ioctl(other, KVM_CREATE_VM, 0), EAGAIN);
}

static void until_last_file(void)
{
	as_nobody(open_and_close, MAX);
}

static int roots;

static void by_both(void)
{
	int vm[2 * MAX], error;

	CHECK(make(roots, 2 * MAX, vm, &error) == 2 * MAX, "%s", strerror(error));
	CHECK(make(sys_open(), MAX + 1, vm, &error) == MAX && error == EAGAIN, "%s",
	      strerror(error));
}

/* Root opens the node for a client that becomes another user: its VMs are root's, not his. */
static void opened_by_root(void)
{
	roots = sys_open();
	as_nobody(by_both, MAX);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	MUST(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: %s", path,
	     strerror(errno));
	close(fd);
}

static void in_namespace(int told, int tell)
{
	int vm[2 * MAX], error;
	unsigned int n;
	char byte = 0;

	be(NOBODY);
	MUST_OK(unshare(CLONE_NEWUSER));
	/* The map is root's to write, as by newuidmap(1). */
	MUST(write(told, &byte, 1) == 1 && read(tell, &byte, 1) == 1, "no parent");
	for (unsigned int uid = 0; uid < 3; uid++) {
		int sys;

		MUST_OK(setresuid(uid, uid, 0));
		sys = sys_open();
		n = make(sys, 2 * MAX, vm, &error);
		ktap_note("uid %u of the namespace has %u VMs, then %s", uid, n, strerror(error));
		CHECK(error == EAGAIN && n == (uid ? 0 : MAX - 1), "%u", n);
		MUST_OK(setresuid(0, 0, 0));
	}
	_exit(ktap_failed());
}

/* A user who has more ids in a namespace of his own is still one. */
static void user_namespace(void)
{
	struct client held;
	int told[2], tell[2];
	char path[64], map[64], byte;
	pid_t pid;

	if (access("/proc/self/ns/user", F_OK))
		ktap_skip("the kernel has no user namespaces");
	node_share();
	limit_set(MAX);
	held = client(NOBODY, 1, 1);
	MUST_OK(pipe(told));
	MUST_OK(pipe(tell));
	pid = fork();
	if (!pid)
		in_namespace(told[1], tell[0]);
	close(told[1]);
	MUST(read(told[0], &byte, 1) == 1, "the process has ended");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	snprintf(map, sizeof(map), "0 %u 1\n1 %u 10\n", NOBODY, FOREIGN);
	write_file(path, map);
	MUST(write(tell[1], "", 1) == 1, "the process has ended");
	ends_well(pid);
	client_end(&held);
	node_unshare();
}

/* --- many at once --- */

#define THREADS	4
#define ROUNDS	400u

static int racing_sys;
static volatile unsigned int alive, most, refused;

static void *race(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned int now;
		int vm = ioctl(racing_sys, KVM_CREATE_VM, 0);

		if (vm < 0) {
			MUST(errno == EAGAIN, "%s", strerror(errno));
			__sync_fetch_and_add(&refused, 1);
			continue;
		}
		now = __sync_add_and_fetch(&alive, 1);
		while (now > most && !__sync_bool_compare_and_swap(&most, most, now))
			;
		if (i % 8 == 0)
			sched_yield();
		__sync_fetch_and_sub(&alive, 1);
		close(vm);
	}
	return NULL;
}

static void races(void)
{
	int vm[THREADS], error;
	pthread_t t[THREADS];

	racing_sys = sys_open();
	for (unsigned int i = 0; i < THREADS; i++)
		MUST(!pthread_create(&t[i], NULL, race, NULL), "no thread");
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	ktap_note("%u at most, %u refused", most, refused);
	CHECK(most < THREADS, "%u at a time", most);
	/* None is left over, and none was forgotten. */
	CHECK(make(racing_sys, THREADS, vm, &error) == THREADS - 1 && error == EAGAIN, "%s",
	      strerror(error));
}

static void at_once(void)
{
	as_nobody(races, THREADS - 1);
}

static const struct ktap_case cases[] = {
	{ "in_all_processes", in_all_processes, 0 },
	{ "until_last_file", until_last_file, 0 },
	{ "opened_by_root", opened_by_root, 0 },
	{ "user_namespace", user_namespace, 0 },
	{ "at_once", at_once, 0 },
};
KTAP_MAIN(cases)

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/memlog.c userspace/armvmm-run/snapshot/follow.c
// sources: userspace/armvmm-run/snapshot/send.c userspace/armvmm-run/snapshot/receive.c
// sources: userspace/armvmm-run/snapshot/wire.c userspace/armvmm-run/snapshot/state.c
// sources: userspace/armvmm-run/snapshot/restore.c userspace/armvmm-run/snapshot/part.c
// sources: userspace/armvmm-run/snapshot/pages.c userspace/armvmm-run/snapshot/facts.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/thread.c userspace/armvmm-run/snapshot/places.c
// sources: userspace/armvmm-run/snapshot/postcopy.c userspace/armvmm-run/snapshot/faults.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE
// pkgs: glib-2.0 zlib libzstd
//
// Post-copy between two guests of this process: what the guest touches at the new place is what it
// was at the old one, and what it wrote stays. Whatever becomes of the connection, never do both
// run; and a guest that has run at the new place does not go on at the old one.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MEMORY	(4u << 20)	/* far more than a connection holds */

#include "guest_fake.h"
#include "proxy.h"
#include "snapshot/faults.h"
#include "snapshot/layout.h"
#include "snapshot/memlog.h"
#include "snapshot/postcopy.h"
#include "snapshot/receive.h"
#include "snapshot/send.h"
#include "snapshot/state.h"
#include "snapshot/wire.h"

#define PAGES	(MEMORY / 4096)
#define SAID	(64 + 3 * 64)	/* bytes that the new process has said when the guest runs */
#define CANNOT	": the guest, which runs already, cannot go on"
#define EARLY	3000		/* bytes, before which the guest is handed over */

static struct guest a, b;
static unsigned int claimed;	/* who has what they share */
static int here;		/* the far end's connection */
static bool dead;		/* atomic: the new process has ended */
static char last[300];		/* what it said */
static bool may_break;		/* and this is not a fault of the test */

static uint8_t *stays;		/* this page is not dropped */
static unsigned int unwatched;	/* pages that are dropped while nobody watches */

/*
 * armvmm-run's. If the page that is dropped is nobody's to watch, it is what the kernel makes of it
 * when it makes a huge page: there, and zero.
 */
int madvise(void *at, size_t len, int advice)
{
	const struct guestmem_region *ram = &b.m.mem.region[0];
	struct faults other;
	struct error err;
	bool watched;

	if (advice == MADV_DONTNEED && stays >= (uint8_t *)at && stays < (uint8_t *)at + len)
		return 0;
	if (syscall(SYS_madvise, at, len, advice))
		return -1;
	if (advice != MADV_DONTNEED || (uintptr_t)at - (uintptr_t)ram->host >= MEMORY ||
	    faults_open(&other, &b.m, "test", &err))
		return 0;
	/* Only one may. */
	watched = faults_register(&other, &b.m) == -EBUSY;
	faults_close(&other);
	if (!watched)
		memset(at, 0, len);
	unwatched += !watched;
	return 0;
}

void machine_note(struct machine *m, const char *fmt, ...)
{
}

/* Ends what would be the process: nothing of it goes on, and its files are closed. */
static void broken(const char *why)
{
	if (!may_break) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	g_strlcpy(last, why, sizeof(last));
	shutdown(here, SHUT_RDWR);
	__atomic_store_n(&dead, true, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static bool is_dead(void)
{
	return __atomic_load_n(&dead, __ATOMIC_SEQ_CST);
}

static uint8_t *page(struct guest *g, unsigned int nr)
{
	return g->m.mem.region[0].host + nr * 4096;
}

/* Each fifth page is zero; the others can be told from each other, and not be compressed. */
static void fill(unsigned int nr)
{
	uint32_t seed = nr + 1;

	for (unsigned int i = 0; i < 4096; i++) {
		seed = seed * 1664525 + 1013904223;
		page(&a, nr)[i] = nr % 5 ? seed >> 24 : 0;
	}
}

static uint8_t value_of(unsigned int nr, unsigned int at)
{
	return page(&a, nr)[at];
}

/* Somebody waits for ever. */
static void too_long(int signal)
{
	abort();
}

static void setup(void)
{
	signal(SIGPIPE, SIG_IGN);	/* as in armvmm-run */
	signal(SIGALRM, too_long);
	alarm(60);
	guest_init(&a);
	guest_init(&b);
	claimed = 1;
	a.thing.claimed = b.thing.claimed = &claimed;
	a.thing.self = 1;
	b.thing.self = 2;
	a.thing.value = 123;
	a.kept[0] = b.kept[0] = '\0';
	a.m.broken = b.m.broken = broken;
	machine_hold(&b.m, MACHINE_HOLDER_INCOMING);
	a.bank[BANK_SIZE - 1] = 9;
	dead = false;
	last[0] = '\0';
	stays = NULL;
	unwatched = 0;
}

static bool runs(const struct guest *g)
{
	return !g->holders && !g->thing.paused;
}

/* ---- One migration ---- */

struct run {
	struct proxy proxy;
	struct send *s;
	struct receive *r;
	struct postcopy *p;
	struct receive_source source;
	struct send_status status;
	struct facts facts;
	struct error err;	/* the far end's */
	bool pair;		/* the far end reads and writes two files, as with exec: */
	bool waits;		/* for 100 rounds that do not suffice, and not for a person */
	bool ran;		/* at the far end */
	int ret;		/* the far end's */
};

/* The guest is handed over, or not. */
static void run_begin(struct run *run)
{
	struct error err = { "" };
	int fd;

	proxy_open(&run->proxy, &fd, &run->source.in);
	here = run->source.in;
	run->source.out = run->pair ? fcntl(here, F_DUPFD_CLOEXEC, 0) : here;
	run->source.listen = -1;
	run->source.name = "B";
	run->s = run->s ? run->s : send_new(&a.m);
	run->p = run->p ? run->p : postcopy_new(&b.m);
	run->r = receive_new(&b.m, &run->source, run->p);
	KTAP_EQ(send_switch(run->s, &err), -EINVAL);
	KTAP_EQ(send_start(run->s, fd, SEND_MAY_SWITCH, &err), 0);
	if (!run->waits)
		KTAP_EQ(send_switch(run->s, &err), 0);
	run->ret = receive_guest(run->r, &run->facts, &run->err);
	if (!run->ret) {
		run->ret = receive_confirm(run->r, &run->err);
		if (run->ret)
			receive_refuse(run->r, &run->err);
	}
	if (run->ret)
		device_bus_unclaim(&b.m.bus);
	run->ran = !run->ret;
	if (run->ran) {
		device_bus_resume(&b.m.bus);
		machine_release(&b.m, MACHINE_HOLDER_INCOMING);
	}
	receive_free(run->r);
}

/* Until both know what became of it. */
static void run_wait(struct run *run)
{
	while (send_is_active(run->s) ||
	       (run->ran && !is_dead() && b.m.mem.give_back))
		g_main_context_iteration(NULL, TRUE);
	send_get(run->s, &run->status);
}

static void run_end(struct run *run)
{
	run_wait(run);
	postcopy_free(run->p);
	proxy_close(&run->proxy);
	KTAP_EQ(a.logs, 0);
	send_free(run->s);
}

static bool same_memory(void)
{
	return !memcmp(a.m.mem.region[0].host, b.m.mem.region[0].host, MEMORY) &&
	       !memcmp(a.bank, b.bank, BANK_SIZE);
}

static bool may_wait(void)
{
	struct guest *g = &b;
	struct postcopy *p;
	struct error err;
	int ret;

	guest_init(g);
	p = postcopy_new(&g->m);
	ret = postcopy_may(p, &err);
	postcopy_free(p);
	return !ret;
}

#define NEEDS_IT								\
	do {									\
		if (!may_wait())						\
			KTAP_SKIP("no userfaultfd for the kernel's accesses");	\
	} while (0)

#define RUN(name) struct run name = { .proxy.way = { ALL, ALL } }

static void hold(struct run *run, bool on)
{
	__atomic_store_n(&run->proxy.way[0].held, on, __ATOMIC_RELEASE);
}

/* ---- The cases ---- */

static void *look(void *opaque)
{
	uintptr_t wrong = 0;

	for (unsigned int i = 0; i < PAGES; i++) {
		unsigned int nr = opaque ? PAGES - 1 - i : i * 37 % PAGES;

		wrong += page(&b, nr)[4095] != value_of(nr, 4095) ||
			 page(&b, nr)[77] != value_of(nr, 77);
	}
	return (void *)wrong;
}

/* Threads touch all of it, from both ends, while it comes. */
static void test_moves(void)
{
	pthread_t thread[4];
	struct error err;
	void *wrong;
	RUN(run);

	NEEDS_IT;
	setup();
	for (unsigned int i = 0; i < PAGES; i++)
		fill(i);
	run.pair = true;
	run_begin(&run);
	KTAP_EQ(run.ret, 0);
	KTAP_TRUE(runs(&b) && !runs(&a) && b.m.mem.give_back);
	for (unsigned int i = 0; i < 4; i++)
		KTAP_EQ(pthread_create(&thread[i], NULL, look, i % 2 ? &b : NULL), 0);
	for (unsigned int i = 0; i < 4; i++) {
		pthread_join(thread[i], &wrong);
		KTAP_TRUE(!wrong);
	}
	run_wait(&run);
	KTAP_EQ(run.status.phase, SEND_COMPLETED);
	KTAP_TRUE(run.status.requests > 0 && run.status.requests <= PAGES / WIRE_PAGES);
	KTAP_EQ(run.status.left, 0);
	KTAP_EQ(run.status.pages + run.status.zeroes, PAGES + BANK_SIZE / 4096);
	KTAP_TRUE(same_memory());
	KTAP_EQ(b.thing.value, 123);
	KTAP_EQ(claimed, 2);
	KTAP_STREQ(a.told, "active device postcopy-active completed ");
	KTAP_STREQ(b.told, "active postcopy-active completed ");
	/* It has run there: never here, even if nobody has its disks. */
	claimed = 0;
	KTAP_EQ(send_continue(run.s, &err), -EBUSY);
	KTAP_STREQ(err.text,
		   "The guest has run elsewhere since: its disks are not as its memory here has them");
	KTAP_EQ(send_start(run.s, 0, 0, &err), -EBUSY);
	KTAP_STREQ(err.text, "The guest has run elsewhere since");
	KTAP_TRUE(!runs(&a));
	run_end(&run);
}

/* The guest writes after all rounds, before it stands still; so does a device. */
static int busy_flush(struct device *dev)
{
	if (a.holders)
		return 0;
	memset(page(&a, 8) + 100, 0xdd, 9);
	__atomic_fetch_or(&a.log[0], 1u << 8, __ATOMIC_SEQ_CST);
	a.bank[5] = 0xdd;
	__atomic_fetch_add(&a.thing.dev.memory_writes, 1, __ATOMIC_RELEASE);
	return 0;
}

/* What was sent, and has been written since, is what it is at last. So is what became zero. */
static void test_old_pages(void)
{
	struct device_ops busy = thing_ops;
	RUN(run);

	NEEDS_IT;
	setup();
	for (unsigned int i = 0; i < PAGES; i++)
		fill(i);
	busy.flush = busy_flush;
	a.thing.dev.ops = &busy;
	a.always = 0x55;
	a.wiped = 8;
	run.waits = true;
	run.s = send_new(&a.m);
	send_params(run.s)->downtime_ms = 0;
	run_begin(&run);
	KTAP_EQ(run.ret, 0);
	for (unsigned int i = 0; i < 10; i++)
		KTAP_TRUE(!memcmp(page(&a, i), page(&b, i), 4096));
	run_wait(&run);
	/* It would never have converged. */
	KTAP_EQ(run.status.rounds, 100);
	KTAP_EQ(page(&b, 8)[100], 0xdd);
	KTAP_EQ(b.bank[5], 0xdd);
	KTAP_EQ(unwatched, 0);
	KTAP_EQ(run.status.phase, SEND_COMPLETED);
	KTAP_TRUE(same_memory());
	run_end(&run);
}

static void *write_it(void *opaque)
{
	memset((uint8_t *)opaque + 100, 0xee, 50);
	return NULL;
}

/* What the guest gives back, or writes, before it came: that is how it stays. */
static void test_late(void)
{
	pthread_t thread, waiter;
	RUN(run);

	NEEDS_IT;
	setup();
	for (unsigned int i = 0; i < PAGES; i++)
		fill(i);
	/* Its last word here is that it runs: no page comes. */
	run.proxy.way[1].holds = SAID;
	run_begin(&run);
	KTAP_EQ(run.ret, 0);
	KTAP_EQ(pthread_create(&thread, NULL, write_it, page(&b, PAGES - 6)), 0);
	KTAP_EQ(pthread_create(&waiter, NULL, write_it, page(&b, PAGES - 21)), 0);
	usleep(20000);
	guestmem_release(&b.m.mem, page(&b, PAGES - 3), 4096);
	memset(page(&b, PAGES - 3), 7, 4096);
	guestmem_release(&b.m.mem, page(&b, PAGES - 2), 4096);
	/* Somebody waits for this one. */
	guestmem_release(&b.m.mem, page(&b, PAGES - 21), 4096);
	run.proxy.way[1].holds = SIZE_MAX;
	hold(&run, false);
	pthread_join(thread, NULL);
	pthread_join(waiter, NULL);
	run_wait(&run);
	KTAP_EQ(run.status.phase, SEND_COMPLETED);
	KTAP_EQ(page(&b, PAGES - 3)[0], 7);
	KTAP_EQ(page(&b, PAGES - 3)[4095], 7);
	KTAP_TRUE(!page(&b, PAGES - 2)[0] && !page(&b, PAGES - 2)[4095]);
	KTAP_TRUE(page(&b, PAGES - 21)[99] == 0 && page(&b, PAGES - 21)[100] == 0xee);
	KTAP_EQ(page(&b, PAGES - 6)[100], 0xee);
	KTAP_EQ(page(&b, PAGES - 6)[99], value_of(PAGES - 6, 99));
	KTAP_EQ(page(&b, PAGES - 4)[99], value_of(PAGES - 4, 99));
	run_end(&run);
}

/* A reset there drops what has not come, and wakes who waits. */
static void test_reset(void)
{
	pthread_t thread;
	RUN(run);

	NEEDS_IT;
	setup();
	for (unsigned int i = 0; i < PAGES; i++)
		fill(i);
	run.proxy.way[1].holds = SAID;
	run_begin(&run);
	KTAP_EQ(pthread_create(&thread, NULL, write_it, page(&b, PAGES - 6)), 0);
	usleep(20000);
	guestmem_discard(&b.m.mem);
	page(&b, 3)[5] = 5;
	run.proxy.way[1].holds = SIZE_MAX;
	hold(&run, false);
	pthread_join(thread, NULL);
	run_wait(&run);
	KTAP_EQ(run.status.phase, SEND_COMPLETED);
	KTAP_EQ(page(&b, 3)[5], 5);
	KTAP_EQ(page(&b, PAGES - 6)[100], 0xee);
	page(&b, 3)[5] = 0;
	memset(page(&b, PAGES - 6), 0, 4096);
	for (unsigned int i = 0; i < PAGES; i++)
		if (!pages_is_zero(page(&b, i)))
			KTAP_FAIL("page %u is not zero", i);
	run_end(&run);
}

/* It ends there before all has come: that is no failure, and nobody waits for the rest. */
static void test_ends_there(void)
{
	int64_t begun = g_get_monotonic_time();
	RUN(run);

	NEEDS_IT;
	setup();
	for (unsigned int i = 0; i < PAGES; i++)
		fill(i);
	run_begin(&run);
	hold(&run, true);
	usleep(20000);
	postcopy_over(run.p);
	postcopy_free(run.p);
	run.p = NULL;
	KTAP_TRUE(!b.m.mem.give_back);
	hold(&run, false);
	run_wait(&run);
	KTAP_EQ(run.status.phase, SEND_COMPLETED);
	KTAP_TRUE(!runs(&a) && g_get_monotonic_time() - begun < 6000000);
	run_end(&run);
}

/* A host that cannot: nothing is sent, and the guest goes on where it is. */
static void test_refused(void)
{
	struct rlimit old, none = { 0, 0 };
	RUN(run);

	setup();
	getrlimit(RLIMIT_NOFILE, &old);
	none.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	run.p = postcopy_new(&b.m);
	setrlimit(RLIMIT_NOFILE, &old);
	run_begin(&run);
	KTAP_TRUE(run.ret < 0);
	run_wait(&run);
	KTAP_EQ(run.status.phase, SEND_FAILED);
	KTAP_TRUE(!strncmp(run.status.why.text,
			   "the far end refuses: B: part migration: post-copy: ", 51));
	KTAP_TRUE(runs(&a) && claimed == 1);
	KTAP_EQ(run.status.pages, 0);
	run_end(&run);
}

/* ---- What ends the process ---- */

/* In a process of its own, which ends with its threads. */
static void alone(void (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		may_break = true;
		ktap_failed = 0;
		fn();
		fflush(stdout);
		_exit(ktap_failed);
	}
	KTAP_EQ(waitpid(pid, &status, 0), pid);
	KTAP_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void await_death(void)
{
	while (!is_dead())
		g_main_context_iteration(NULL, FALSE);
}

/* Something has filled the place of a page that is missing. */
static void run_filled(void)
{
	RUN(run);

	setup();
	for (unsigned int i = 0; i < PAGES; i++)
		fill(i);
	stays = page(&b, PAGES - 3);
	*stays = 0x77;
	run_begin(&run);
	KTAP_EQ(run.ret, 0);
	await_death();
	KTAP_TRUE(strstr(last, "userfaultfd: a page cannot be put in place: File exists"));
	KTAP_EQ(*stays, 0x77);
}

static void test_filled(void)
{
	NEEDS_IT;
	alone(run_filled);
}

/* The guest has ended, and its old process knows that somebody waits; then the line is cut. */
static void cut_off(struct run *run, unsigned int nr, pthread_t *thread)
{
	setup();
	for (unsigned int i = 0; i < PAGES; i++)
		fill(i);
	run->proxy.way[1].holds = SAID;
	run_begin(run);
	KTAP_EQ(run->ret, 0);
	KTAP_EQ(pthread_create(thread, NULL, write_it, page(&b, nr)), 0);
	while (__atomic_load_n(&run->proxy.way[1].bytes, __ATOMIC_RELAXED) < SAID + 64 + 8)
		usleep(1000);
	postcopy_over(run->p);
}

/* As a disk's request may, which keeps its thread from ending. */
static void run_cut_off(void)
{
	pthread_t thread;
	RUN(run);

	cut_off(&run, PAGES - 6, &thread);
	proxy_close(&run.proxy);
	await_death();
	KTAP_TRUE(strstr(last, CANNOT));
}

static void run_given_back(void)
{
	pthread_t thread;
	RUN(run);

	cut_off(&run, PAGES - 6, &thread);
	guestmem_release(&b.m.mem, page(&b, PAGES - 6), 4096);
	proxy_close(&run.proxy);
	pthread_join(thread, NULL);
	KTAP_TRUE(!is_dead());
	KTAP_EQ(page(&b, PAGES - 6)[99], 0);
	KTAP_EQ(page(&b, PAGES - 6)[100], 0xee);
	postcopy_free(run.p);
}

static void test_cut_off(void)
{
	NEEDS_IT;
	alone(run_cut_off);
	alone(run_given_back);
}

/* ---- Any byte ---- */

/* A few pages of each kind, so that the stream is short. */
static void fill_little(void)
{
	for (unsigned int i = 0; i < 6; i++)
		memset(page(&a, i * 100 + i), i + 1, 4096);
}

enum outcome {
	FINE,		/* it runs there, and is whole */
	STAYED,		/* it never left */
	LOST,		/* it may have run there; a person looks, and finds that it has not */
	GONE,		/* it has run there, and ended for want of memory */
	OUTCOMES,
	WRONG = 99,
};

/* What holds after any end. */
static enum outcome judge(struct run *run)
{
	bool there = run->ran && !is_dead();
	struct error err;

	if (runs(&a) && run->ran)
		return printf("# it ran there, and goes on here\n"), WRONG;
	if (there && !same_memory())
		return printf("# its memory is not the same\n"), WRONG;
	if (runs(&a))
		return claimed == 1 ? STAYED : (printf("# its disks\n"), WRONG);
	if (there)
		return run->status.phase == SEND_COMPLETED ||
		       strstr(run->status.why.text, "was lost") ? FINE : WRONG;
	if (run->status.phase != SEND_FAILED || !send_has_stopped(run->s))
		return printf("# it runs nowhere, and nobody says so\n"), WRONG;
	/* The new process has ended, and its locks with it. */
	claimed = 0;
	if (strstr(run->status.why.text, "it cannot go on there, nor here"))
		return send_continue(run->s, &err) == -EBUSY && run->ran ? GONE : WRONG;
	if (!strstr(run->status.why.text, "has ended with status 5, the guest has run there"))
		return printf("# %s\n", run->status.why.text), WRONG;
	/* That is what the status of the new process says. */
	if (run->ran)
		return GONE;
	return send_continue(run->s, &err) || !runs(&a) ? WRONG : LOST;
}

/* In a process of its own, which ends with its threads. */
static enum outcome try(unsigned int way, size_t cut, size_t flip, size_t bytes[2])
{
	int status = 0, told[2];
	pid_t pid;

	fflush(stdout);
	KTAP_EQ(pipe(told), 0);
	pid = fork();
	if (!pid) {
		RUN(run);
		enum outcome is;
		size_t went[2];

		may_break = true;
		setup();
		fill_little();
		run.proxy.way[way].cut = cut;
		run.proxy.way[way].flip = flip;
		run_begin(&run);
		run_wait(&run);
		is = ktap_failed ? WRONG : judge(&run);
		if (is == WRONG)
			printf("# here: %s; there: %s %s\n", run.status.why.text, run.err.text,
			       last);
		fflush(stdout);
		went[0] = run.proxy.way[0].bytes;
		went[1] = run.proxy.way[1].bytes;
		if (write(told[1], went, sizeof(went)) < 0)
			_exit(WRONG);
		_exit(is);
	}
	close(told[1]);
	if (read(told[0], bytes, 2 * sizeof(bytes[0])) != 2 * sizeof(bytes[0]))
		bytes[0] = bytes[1] = 0;
	close(told[0]);
	KTAP_EQ(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? (enum outcome)WEXITSTATUS(status) : WRONG;
}

static void each_byte(bool flips, unsigned int count[OUTCOMES])
{
	size_t bytes[2], went[2];

	/* Each has a time of its own. */
	alarm(0);
	KTAP_EQ(try(0, SIZE_MAX, SIZE_MAX, bytes), FINE);
	for (unsigned int way = 0; way < 2; way++) {
		for (size_t n = 1; n < bytes[way]; n += n < EARLY ? 29 : 397) {
			enum outcome is = try(way, flips ? SIZE_MAX : n, flips ? n : SIZE_MAX,
					      went);

			if (is >= OUTCOMES)
				KTAP_FAIL("byte %zu of %zu, way %u: %d", n, bytes[way], way, is);
			else
				count[is]++;
		}
	}
	printf("# fine %u, stayed %u, lost %u, gone %u\n", count[FINE], count[STAYED], count[LOST],
	       count[GONE]);
}

/* The connection ends after any byte, there or back. */
static void test_cut(void)
{
	unsigned int count[OUTCOMES] = { 0 };

	NEEDS_IT;
	each_byte(false, count);
	/* In the word that commits, and the answer to it; and after that. */
	KTAP_TRUE(count[STAYED] > 30 && count[LOST] >= 2 && count[LOST] <= 8);
	KTAP_TRUE(count[GONE] > 20);
}

/* One bit of any byte is another one. */
static void test_changed(void)
{
	unsigned int count[OUTCOMES] = { 0 };

	NEEDS_IT;
	each_byte(true, count);
	/* All but the last word is needed. */
	KTAP_TRUE(count[STAYED] > 30 && count[GONE] > 20 && count[FINE] <= 4);
}

/* ---- An old process that lies ---- */

#define WORDS	(PAGES / 32)	/* of RAM's bits, which come after the bank's two */

static int say(void *opaque, const void *data, size_t len)
{
	return write(*(int *)opaque, data, len) == (ssize_t)len ? 0 : -EIO;
}

static int tail_write(void *opaque, const void *data, size_t len)
{
	g_byte_array_append(opaque, data, len);
	return 0;
}

/* Its state, as A has it. */
static void say_state(struct part_writer *w, uint32_t version)
{
	const struct layout_end none = { .parts = 0 };
	const uint8_t id[PART_ID_SIZE] = { 7 };
	GByteArray *tail = g_byte_array_new();
	struct part_writer t = { .write = tail_write, .opaque = tail };
	struct state state;
	struct error err;

	a.holders = 1;
	a.thing.paused = true;
	state_init(&state);
	KTAP_EQ(state_collect(&state, &a.m, &err), 0);
	part_begin(&t, id, NULL);
	state_write(&state, &t);
	part_write(&t, PART_END, LAYOUT_END_VERSION, &none, sizeof(none), NULL, 0);
	part_write(w, WIRE_STATE, version, tail->data, tail->len, NULL, 0);
	state_free(&state);
	g_byte_array_unref(tail);
}

static void say_missing(struct part_writer *w, uint32_t bank, uint32_t first, int more)
{
	uint32_t bits[2 + WORDS + 1] = { bank, 0, first };

	part_write(w, WIRE_MISSING, WIRE_VERSION, bits, sizeof(bits) - 4 + more, NULL, 0);
}

/* Pages of RAM from @page on, by a bit for each. */
static void say_pages(struct part_writer *w, unsigned int nr, uint64_t there, uint64_t zero)
{
	static const uint8_t data[32 * 4096] = { 1 };
	struct {
		uint64_t gpa;
		uint32_t nr, method;
		uint64_t there[4], zero[4];
	} head = { RAM + nr * 4096, 32, 0, { there }, { zero } };

	part_write(w, PAGES_PART, PAGES_LIVE, &head, sizeof(head), data,
		   __builtin_popcountll(there) * 4096);
}

struct lie {
	uint32_t hello, state;		/* their versions */
	uint32_t bank, first;		/* which pages are missing */
	int more;			/* bytes of that */
	uint64_t pages, zero;		/* what comes then */
	bool twice, all;		/* and again; and the word that that was all */
	const char *word;		/* another one; or NULL */
};

static void tell_it(const struct lie *lie, int fd)
{
	struct part_writer w = { .write = say, .opaque = &fd };
	const uint8_t id[PART_ID_SIZE] = { 7 };
	struct layout_end end = { .parts = 0 };
	struct record record = { .len = 0 };
	struct facts facts;

	facts_get(&facts, &a.m);
	facts_save(&facts, &record);
	part_begin(&w, id, NULL);
	part_write(&w, WIRE_HELLO, lie->hello, record.data, record.len, NULL, 0);
	record_free(&record);
	say_state(&w, lie->state);
	if (lie->state == WIRE_POSTCOPY)
		say_missing(&w, lie->bank, lie->first, lie->more);
	part_write(&w, PART_END, LAYOUT_END_VERSION, &end, sizeof(end), NULL, 0);
	part_write(&w, WIRE_COMMIT, WIRE_VERSION, NULL, 0, NULL, 0);
	say_pages(&w, 0, lie->pages, lie->zero);
	if (lie->twice)
		say_pages(&w, 0, lie->pages, lie->zero);
	if (lie->word)
		part_write(&w, lie->word, WIRE_VERSION, NULL, 0, NULL, 0);
	if (lie->all)
		part_write(&w, WIRE_ALL, WIRE_VERSION, NULL, 0, NULL, 0);
	shutdown(fd, SHUT_WR);
}

/* What the new process says of it. */
static void hear(const struct lie *lie, char text[300])
{
	struct receive_source source = { .name = "B", .listen = -1 };
	struct postcopy *p;
	struct receive *r;
	struct facts facts;
	struct error err = { "" };
	int end[2];

	may_break = true;
	ktap_failed = 0;
	setup();
	claimed = 0;
	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end), 0);
	tell_it(lie, end[0]);
	KTAP_EQ(fcntl(end[1], F_SETFL, O_NONBLOCK), 0);
	here = source.in = source.out = end[1];
	p = postcopy_new(&b.m);
	r = receive_new(&b.m, &source, p);
	if (receive_guest(r, &facts, &err) || receive_confirm(r, &err)) {
		g_strlcpy(text, err.text, 300);
		return;
	}
	while (!is_dead() && b.m.mem.give_back)
		g_main_context_iteration(NULL, TRUE);
	g_strlcpy(text, is_dead() ? last : "fine", 300);
}

static void lies(const struct lie *lie, const char *why)
{
	char text[300] = "";
	int told[2], status;
	pid_t pid;

	fflush(stdout);
	KTAP_EQ(pipe(told), 0);
	pid = fork();
	if (!pid) {
		hear(lie, text);
		fflush(stdout);
		if (write(told[1], text, sizeof(text)) < 0)
			_exit(1);
		_exit(ktap_failed);
	}
	close(told[1]);
	if (read(told[0], text, sizeof(text)) != sizeof(text))
		strcpy(text, "it crashed");
	close(told[0]);
	KTAP_STREQ(text, why);
	KTAP_EQ(waitpid(pid, &status, 0), pid);
	KTAP_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
}

#define TWO	.hello = 2, .state = 2

static void test_lies(void)
{
	NEEDS_IT;
	lies(&(struct lie){ TWO, .first = 3, .pages = 1, .zero = 2, .all = true }, "fine");
	/* Before it runs: nothing does. */
	lies(&(struct lie){ .hello = 3, .state = 2 },
	     "B: part migration: has version 3, and this program knows version 2");
	lies(&(struct lie){ .hello = 1, .state = 2 },
	     "B: part state: has version 2, and this program knows version 1");
	lies(&(struct lie){ TWO, .bank = 1 }, "B: part missing: is of another memory");
	lies(&(struct lie){ TWO, .more = 4 }, "B: part missing: is of another memory");
	lies(&(struct lie){ TWO, .more = -4 }, "B: part missing: is of another memory");
	lies(&(struct lie){ TWO, .more = -4 - 4 * WORDS }, "B: part missing: is of another memory");
	/* Afterwards. */
	lies(&(struct lie){ TWO, .first = 3, .pages = 5, .all = true },
	     "B: part memory: of " G_STRINGIFY(RAM_BASE) ": has a page that was not missing" CANNOT);
	lies(&(struct lie){ TWO, .first = 3, .zero = 7, .all = true },
	     "B: part memory: of " G_STRINGIFY(RAM_BASE) ": has a page that was not missing" CANNOT);
	lies(&(struct lie){ TWO, .first = 3, .pages = 3, .twice = true, .all = true },
	     "B: part memory: of " G_STRINGIFY(RAM_BASE) ": has a page that was not missing" CANNOT);
	lies(&(struct lie){ TWO, .first = 3, .pages = 1, .all = true },
	     "B: part all: there are pages that have not come" CANNOT);
	lies(&(struct lie){ TWO, .first = 3, .pages = 3, .word = WIRE_COMMIT, .all = true },
	     "B: part memory: in its place is the part commit: was the guest saved with other options?" CANNOT);
	lies(&(struct lie){ TWO, .first = 3, .pages = 3 },
	     "B: part memory: the connection ends in it" CANNOT);
}

/* ---- A new process that lies ---- */

struct liar {
	int fd;
	const char *word;
	uint64_t gpa;
	size_t len;
	unsigned int times;
	unsigned int parts, nth;	/* of memory since then; in which the page came */
	bool ready;		/* atomic: it may come */
};

/* A part of memory has come. */
static void liar_look(struct liar *l, const uint8_t *head)
{
	uint64_t gpa;

	memcpy(&gpa, head, sizeof(gpa));
	if (gpa == l->gpa - l->gpa % (WIRE_PAGES * 4096))
		l->nth = l->parts;
	l->parts++;
}

static void *liar_main(void *opaque)
{
	struct liar *l = opaque;
	struct part_writer w = { .write = say, .opaque = (void *)&l->fd };
	uint8_t head[64], room[65536];
	bool begun = false, runs = false;

	/* Parts, one after the other; the id is in the header. */
	while (recv(l->fd, head, sizeof(head), MSG_WAITALL) == sizeof(head)) {
		uint64_t len;

		if (!begun) {
			part_begin(&w, head + 16, NULL);
			begun = true;
			continue;
		}
		memcpy(&len, head + 48, sizeof(len));
		for (bool first = true; len; first = false) {
			ssize_t n = recv(l->fd, room, MIN(len, sizeof(room)), MSG_WAITALL);

			if (n <= 0)
				return NULL;
			len -= n;
			if (first && runs && !strcmp((char *)head + 8, PAGES_PART))
				liar_look(l, room);
		}
		while (!__atomic_load_n(&l->ready, __ATOMIC_ACQUIRE))
			usleep(100);
		if (!strcmp((char *)head + 8, WIRE_HELLO))
			part_write(&w, WIRE_READY, WIRE_VERSION, NULL, 0, NULL, 0);
		if (!strcmp((char *)head + 8, PART_END))
			part_write(&w, WIRE_TAKEN, WIRE_VERSION, NULL, 0, NULL, 0);
		if (!strcmp((char *)head + 8, WIRE_COMMIT)) {
			part_write(&w, WIRE_RUNNING, WIRE_VERSION, NULL, 0, NULL, 0);
			runs = true;
			for (unsigned int i = 0; i < l->times; i++)
				part_write(&w, l->word, WIRE_VERSION, &l->gpa, l->len, NULL, 0);
		}
		if (!strcmp((char *)head + 8, WIRE_ALL))
			part_write(&w, WIRE_WHOLE, WIRE_VERSION, NULL, 0, NULL, 0);
	}
	return NULL;
}

static void hears(struct liar *l, enum send_phase phase, const char *why)
{
	struct send_status status;
	struct send *s;
	pthread_t thread;
	struct error err;
	int end[2];

	setup();
	fill_little();
	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end), 0);
	l->fd = end[1];
	KTAP_EQ(pthread_create(&thread, NULL, liar_main, l), 0);
	s = send_new(&a.m);
	KTAP_EQ(send_start(s, end[0], SEND_MAY_SWITCH, &err), 0);
	KTAP_EQ(send_switch(s, &err), 0);
	__atomic_store_n(&l->ready, true, __ATOMIC_RELEASE);
	while (send_is_active(s))
		g_main_context_iteration(NULL, TRUE);
	send_get(s, &status);
	KTAP_EQ(status.phase, phase);
	KTAP_TRUE(!why == !status.why.text[0] && (!why || strstr(status.why.text, why)));
	if (why && !strstr(status.why.text, why))
		printf("# %s\n", status.why.text);
	KTAP_TRUE(!runs(&a));
	KTAP_EQ(send_continue(s, &err), -EBUSY);
	send_free(s);
	pthread_join(thread, NULL);
	close(end[1]);
}

/* It has said that the guest runs there: that holds, whatever it says then. */
static void test_liars(void)
{
	struct liar asks = {
		.word = WIRE_REQUEST, .gpa = RAM + MEMORY - 4096, .len = 8, .times = 1,
	};

	/* This one tells the truth: what somebody waits for comes first. */
	hears(&asks, SEND_COMPLETED, NULL);
	KTAP_EQ(asks.parts, PAGES / WIRE_PAGES);
	KTAP_TRUE(asks.nth < PAGES / WIRE_PAGES / 3);
	/* All goes, however often it asks for what has gone. */
	hears(&(struct liar){ .word = WIRE_REQUEST, .gpa = RAM, .len = 8, .times = 500 },
	      SEND_COMPLETED, NULL);
	hears(&(struct liar){ .word = WIRE_WHOLE, .times = 1 }, SEND_COMPLETED, NULL);
	hears(&(struct liar){ .word = WIRE_REQUEST, .gpa = RAM, .len = 7, .times = 1 }, SEND_FAILED,
	      "(the far end: part request: is none)");
	hears(&(struct liar){ .word = WIRE_REQUEST, .gpa = RAM + MEMORY, .len = 8, .times = 1 },
	      SEND_FAILED, "(the far end: part request: is of memory that is not there)");
	hears(&(struct liar){ .word = WIRE_REQUEST, .gpa = UINT64_MAX, .len = 8, .times = 1 },
	      SEND_FAILED, "(the far end: part request: is of memory that is not there)");
	hears(&(struct liar){ .word = WIRE_REFUSED, .times = 1 }, SEND_FAILED,
	      "(the far end: part request: in its place is the part refused");
}

KTAP_MAIN(KTAP_CASE(test_moves), KTAP_CASE(test_old_pages), KTAP_CASE(test_late),
	  KTAP_CASE(test_reset), KTAP_CASE(test_ends_there), KTAP_CASE(test_refused), KTAP_CASE(test_filled),
	  KTAP_CASE(test_cut_off),
	  KTAP_CASE(test_cut), KTAP_CASE(test_changed), KTAP_CASE(test_lies),
	  KTAP_CASE(test_liars))

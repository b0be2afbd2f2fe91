/* SPDX-License-Identifier: GPL-2.0-only */
/* Two guests of this process, of which A goes to B by post-copy; for its tests. */
#ifndef TESTS_UNIT_POSTCOPY_RUN_H
#define TESTS_UNIT_POSTCOPY_RUN_H

#include <dlfcn.h>
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
#define SAID	(64 + 4 * 64)	/* bytes that the new process has said when the guest may run */
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

static unsigned int no_threads;	/* so many cannot be made */

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *opaque),
		   void *opaque)
{
	__typeof__(&pthread_create) real = dlsym(RTLD_NEXT, "pthread_create");

	if (no_threads) {
		no_threads--;
		return EAGAIN;
	}
	return real(thread, attr, fn, opaque);
}

void machine_note(struct machine *m, const char *fmt, ...)
{
}

/* Ends what would be the process: nothing of it goes on, and its files are closed. */
static inline void broken(const char *why)
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

static inline bool is_dead(void)
{
	return __atomic_load_n(&dead, __ATOMIC_SEQ_CST);
}

static uint8_t *page(struct guest *g, unsigned int nr)
{
	return g->m.mem.region[0].host + nr * 4096;
}

/* Each fifth page is zero; the others can be told from each other, and not be compressed. */
static inline void fill(unsigned int nr)
{
	uint32_t seed = nr + 1;

	for (unsigned int i = 0; i < 4096; i++) {
		seed = seed * 1664525 + 1013904223;
		page(&a, nr)[i] = nr % 5 ? seed >> 24 : 0;
	}
}

static inline uint8_t value_of(unsigned int nr, unsigned int at)
{
	return page(&a, nr)[at];
}

/* Somebody waits for ever. */
static inline void too_long(int signal)
{
	abort();
}

static inline void setup(void)
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
	no_threads = 0;
	unwatched = 0;
}

static inline void setup_filled(void)
{
	setup();
	for (unsigned int i = 0; i < PAGES; i++)
		fill(i);
}

static inline bool runs(const struct guest *g)
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
static inline void run_begin(struct run *run)
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
	KTAP_EQ(send_switch(run->s, 0, &err), -EINVAL);
	KTAP_TRUE(strstr(err.text, "Enable postcopy with migrate_set_capability before"));
	KTAP_EQ(send_switch(run->s, SEND_MAY_SWITCH, &err), -EINVAL);
	KTAP_TRUE(strstr(err.text, "Postcopy must be started after migration"));
	KTAP_EQ(send_start(run->s, fd, SEND_MAY_SWITCH, &err), 0);
	if (!run->waits)
		KTAP_EQ(send_switch(run->s, 0, &err), 0);
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
static inline void run_wait(struct run *run)
{
	while (send_is_active(run->s) ||
	       (run->ran && !is_dead() && b.m.mem.give_back))
		g_main_context_iteration(NULL, TRUE);
	send_get(run->s, &run->status);
}

static inline void run_end(struct run *run)
{
	run_wait(run);
	postcopy_free(run->p);
	proxy_close(&run->proxy);
	KTAP_EQ(a.logs, 0);
	send_free(run->s);
}

static inline bool same_memory(void)
{
	return !memcmp(a.m.mem.region[0].host, b.m.mem.region[0].host, MEMORY) &&
	       !memcmp(a.bank, b.bank, BANK_SIZE);
}

static inline bool may_wait(void)
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

/*
 * The pages that come at once, by which the new process knows that it was heard: the guest runs.
 * The bank went before. Of the first 16 pages of RAM, four are zero.
 */
#define FIRST	(64 + 80 + 12 * 4096)

/* No page comes after these. */
static inline void only_first(struct run *run)
{
	run->proxy.way[1].holds = SAID;
	run->proxy.way[0].lets = FIRST;
}

static inline void hold(struct run *run, bool on)
{
	__atomic_store_n(&run->proxy.way[0].held, on, __ATOMIC_RELEASE);
}

static inline void await_request(struct run *run)
{
	while (__atomic_load_n(&run->proxy.way[1].bytes, __ATOMIC_RELAXED) < SAID + 64 + 8)
		usleep(1000);
}

/* A few pages of each kind, so that the stream is short. */
static inline void fill_little(void)
{
	for (unsigned int i = 0; i < 6; i++)
		memset(page(&a, i * 100 + i), i + 1, 4096);
}

#endif /* TESTS_UNIT_POSTCOPY_RUN_H */

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/memlog.c userspace/armvmm-run/snapshot/follow.c
// sources: userspace/armvmm-run/snapshot/send.c userspace/armvmm-run/snapshot/send_thread.c userspace/armvmm-run/snapshot/receive.c
// sources: userspace/armvmm-run/snapshot/wire.c userspace/armvmm-run/snapshot/state.c
// sources: userspace/armvmm-run/snapshot/restore.c userspace/armvmm-run/snapshot/part.c
// sources: userspace/armvmm-run/snapshot/pages.c userspace/armvmm-run/snapshot/facts.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/thread.c userspace/armvmm-run/snapshot/places.c
// sources: userspace/armvmm-run/snapshot/postcopy.c userspace/armvmm-run/snapshot/faults.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE
// pkgs: glib-2.0 zlib libzstd
//
// Live migration between two guests of this process. Whatever becomes of the connection, the far
// end, or the person's mind: never do both run, and one does, unless the connection was lost in the
// very moment of the handover.
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest_fake.h"
#include "proxy.h"
#include "snapshot/layout.h"
#include "snapshot/receive.h"
#include "snapshot/send.h"
#include "snapshot/wire.h"

static struct guest a, b;

void machine_note(struct machine *m, const char *fmt, ...)
{
}

static unsigned int claimed;	/* who has what they share */

/* ---- One migration ---- */

struct run {
	struct proxy proxy;
	struct send *s;
	struct receive *r;
	struct receive_source source;
	struct send_status status;
	struct facts facts;
	struct error err;	/* the far end's */
	bool converge;
	unsigned int cancel_after;	/* rounds of the main loop; 0: never */
	/* What the guest does while it runs, once a round; NULL: nothing. */
	void (*work)(struct run *run);
	/* What others do while it stands still, likewise. */
	void (*meanwhile)(struct run *run);
	unsigned int rounds;
	int ret;		/* the far end's */
};

static void setup(void)
{
	signal(SIGPIPE, SIG_IGN);	/* as in armvmm-run */
	guest_init(&a);
	guest_init(&b);
	claimed = 1;
	a.m.guard.locked = true;
	a.thing.claimed = b.thing.claimed = &claimed;
	a.thing.self = 1;
	b.thing.self = 2;
	a.thing.value = 123;
	b.thing.value = 5;
	strcpy(a.cpu_state, "what A's CPUs have");
	a.kept[0] = b.kept[0] = '\0';
	machine_hold(&b.m, MACHINE_HOLDER_INCOMING);
	memset(a.m.mem.region[0].host + 12345, 'x', 5000);
	a.bank[BANK_SIZE - 1] = 9;
}

static bool runs(const struct guest *g)
{
	return !g->holders && !g->thing.paused;
}

static gboolean run_turn(void *opaque)
{
	struct run *run = opaque;

	run->rounds++;
	if (run->rounds == run->cancel_after)
		send_cancel(run->s);
	if (run->work && !a.holders)
		run->work(run);
	if (run->meanwhile && a.holders)
		run->meanwhile(run);
	return G_SOURCE_CONTINUE;
}

/* What the board does when the guest has come. */
static void run_arrived(struct run *run)
{
	KTAP_EQ(receive_confirm(run->r, &run->err), 0);
	device_bus_resume(&b.m.bus);
	machine_release(&b.m, MACHINE_HOLDER_INCOMING);
}

/* The guest moves, or does not. What is set in @run before stays. */
static void run_it(struct run *run)
{
	struct error err = { "" };
	guint timer;
	int fd;

	proxy_open(&run->proxy, &fd, &run->source.in);
	run->source.out = run->source.in;
	run->source.listen = -1;
	run->source.name = "B";
	run->s = run->s ? run->s : send_new(&a.m);
	run->r = receive_new(&b.m, &run->source, NULL);
	timer = g_timeout_add(1, run_turn, run);
	KTAP_EQ(send_start(run->s, fd, run->converge, &err), 0);
	KTAP_STREQ(err.text, "");
	run->ret = receive_guest(run->r, &run->facts, &run->err);
	if (!run->ret)
		run_arrived(run);
	receive_free(run->r);
	if (run->ret)
		device_bus_unclaim(&b.m.bus);
	while (send_is_active(run->s))
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(timer);
	proxy_close(&run->proxy);
	send_get(run->s, &run->status);
	KTAP_EQ(a.logs, 0);
	KTAP_EQ(a.throttle, 0);
}

static void run_end(struct run *run)
{
	send_free(run->s);
	run->s = NULL;
}

static bool same_memory(void)
{
	return !memcmp(a.m.mem.region[0].host, b.m.mem.region[0].host, MEMORY) &&
	       !memcmp(a.bank, b.bank, BANK_SIZE);
}

/* ---- The cases ---- */

static void test_moves(void)
{
	struct run run = { .proxy.way = { ALL, ALL } };
	struct error err;

	setup();
	strcpy(a.kept, "what it said");
	run_it(&run);
	KTAP_EQ(run.ret, 0);
	KTAP_EQ(run.status.phase, SEND_COMPLETED);
	KTAP_TRUE(runs(&b) && !runs(&a) && send_has_stopped(run.s));
	KTAP_TRUE(same_memory());
	KTAP_EQ(b.thing.value, 123);
	KTAP_STREQ(b.cpu_state, "what A's CPUs have");
	KTAP_STREQ(b.kept, "what it said, again");
	KTAP_EQ(run.facts.counter, 0x123456789abc);
	KTAP_EQ(claimed, 2);
	KTAP_STREQ(a.told, "active device completed ");
	KTAP_STREQ(b.told, "active completed ");
	KTAP_EQ(b.awaits, 1);
	KTAP_EQ(run.status.pages, 3);
	KTAP_TRUE(run.status.written > 200 && run.status.written < 10000);
	/* It is there, and so it does not go on here, nor is it sent twice. */
	KTAP_EQ(send_continue(run.s, true, &err), -EBUSY);
	KTAP_STREQ(err.text, "thing: in use by another virtual machine");
	KTAP_TRUE(!runs(&a));
	KTAP_EQ(send_start(run.s, 0, false, &err), -EBUSY);
	/* When it has ended there, its disks are others. */
	claimed = 0;
	KTAP_EQ(send_continue(run.s, false, &err), -EBUSY);
	KTAP_TRUE(strstr(err.text, "its disks are not as its memory here has them") &&
		  strstr(err.text, "cont --anyway"));
	KTAP_TRUE(!runs(&a) && !claimed);
	KTAP_EQ(send_continue(run.s, true, &err), 0);
	KTAP_TRUE(runs(&a) && claimed == 1);
	run_end(&run);
}

/* The guest writes, and so do its devices, and pages become zero. */
static void work_a_lot(struct run *run)
{
	uint8_t *host = a.m.mem.region[0].host;

	for (unsigned int i = 0; i < 40; i++) {
		unsigned int page = g_random_int_range(0, MEMORY / 4096);

		memset(host + page * 4096, i % 3 ? (int)g_random_int() : 0, 4096);
		if (i % 2)
			__atomic_fetch_or(&a.log[page / 32], 1u << page % 32, __ATOMIC_SEQ_CST);
		else
			guestmem_wrote(&a.m.mem, host + page * 4096, 4096);
	}
	a.bank[g_random_int_range(0, BANK_SIZE)]++;
	__atomic_fetch_add(&a.thing.dev.memory_writes, 1, __ATOMIC_RELEASE);
}

static void fill_with_noise(void)
{
	uint32_t *word = (uint32_t *)a.m.mem.region[0].host;

	for (unsigned int i = 0; i < MEMORY / 4; i++)
		word[i] = i * 2654435761u ^ i >> 3;
}

static void test_busy(void)
{
	for (unsigned int i = 0; i < 5; i++) {
		struct run run = { .proxy.way = { ALL, ALL }, .work = work_a_lot };

		setup();
		fill_with_noise();
		run.s = send_new(&a.m);
		send_params(run.s)->bandwidth = 20 << 20;
		send_params(run.s)->downtime_ms = 2000;
		if (i == 4)
			a.uncached = true;
		run_it(&run);
		KTAP_EQ(run.status.phase, SEND_COMPLETED);
		KTAP_TRUE(runs(&b) && !runs(&a) && same_memory());
		KTAP_TRUE(run.rounds > 10);
		KTAP_EQ(a.syncs, i == 4);
		run_end(&run);
	}
}

/* A page that was sent becomes zero long before the guest stops. */
static void test_wiped(void)
{
	struct run run = { .proxy.way = { ALL, ALL } };

	setup();
	a.wiped = 1u << 3;
	run.s = send_new(&a.m);
	send_params(run.s)->downtime_ms = 0;
	run_it(&run);
	KTAP_EQ(run.status.phase, SEND_COMPLETED);
	KTAP_EQ(run.status.rounds, 3);
	KTAP_EQ(a.m.mem.region[0].host[12345], 0);
	KTAP_TRUE(runs(&b) && same_memory());
	run_end(&run);
}

/* What it writes while its disks are flushed is sent while it runs. */
static void test_slow_flush(void)
{
	struct run run = { .proxy.way = { ALL, ALL } };

	setup();
	fill_with_noise();
	a.thing.slow = true;
	run.s = send_new(&a.m);
	run_it(&run);
	KTAP_EQ(run.status.phase, SEND_COMPLETED);
	KTAP_EQ(run.status.rounds, 2);
	/* The second round has gone when the guest stops. */
	KTAP_EQ(run.status.expected_ms, 0);
	KTAP_TRUE(runs(&b) && same_memory());
	run_end(&run);
}

/* Faster than the connection: it is slowed down, and in the end goes on here. */
static void test_does_not_converge(void)
{
	for (unsigned int converge = 0; converge < 2; converge++) {
		struct run run = {
			.proxy.way = { ALL, ALL }, .converge = converge,
		};

		setup();
		a.always = ~0u;
		run.s = send_new(&a.m);
		send_params(run.s)->downtime_ms = 0;
		run_it(&run);
		KTAP_EQ(run.status.phase, SEND_FAILED);
		KTAP_TRUE(!strncmp(run.status.why.text,
				   "the guest writes to its memory faster than it is sent", 53));
		KTAP_EQ(run.status.rounds, 100);
		KTAP_EQ(run.status.throttle, converge ? 99 : 0);
		KTAP_TRUE(runs(&a) && !runs(&b) && claimed == 1);
		run_end(&run);
	}
}

/* What holds after any end. Returns whether the guest was lost for the moment. */
static bool check_one(struct run *run, const char *what, size_t n)
{
	bool lost = strstr(run->status.why.text, "just after the guest was handed over");
	struct error err;

	if (runs(&a) && runs(&b))
		KTAP_FAIL("%s %zu: two run", what, n);
	if (!lost && !runs(&a) && !runs(&b))
		KTAP_FAIL("%s %zu: none runs: %s, %s", what, n, run->status.why.text,
			  run->err.text);
	if (runs(&b) && !same_memory())
		KTAP_FAIL("%s %zu: its memory is not the same", what, n);
	if (lost && runs(&a))
		KTAP_FAIL("%s %zu: it is lost, and runs", what, n);
	/* A person who looks, and finds that it is not there, lets it go on. */
	if (lost) {
		bool there = runs(&b);

		if (!send_continue(run->s, false, &err) == there)
			KTAP_FAIL("%s %zu: it goes on, or does not: %s", what, n, err.text);
		if (runs(&a) == there)
			KTAP_FAIL("%s %zu: not one runs", what, n);
	}
	if (claimed != (runs(&a) ? 1 : 2))
		KTAP_FAIL("%s %zu: %u has its disks", what, n, claimed);
	run_end(run);
	return lost;
}

static void learn(size_t bytes[2])
{
	struct run run = { .proxy.way = { ALL, ALL } };

	setup();
	run_it(&run);
	KTAP_EQ(run.status.phase, SEND_COMPLETED);
	bytes[0] = run.proxy.way[0].bytes;
	bytes[1] = run.proxy.way[1].bytes;
	run_end(&run);
}

/* Bytes that the far end has said when it awaits memory; and when it has got two rounds of it. */
#define READY	(64 + 64)
#define COPIED	(READY + 2 * 64)
#define LAST	150	/* bytes, in which the handover is */
#define STEP	13

/* The connection ends after any byte, there or back. */
static void test_cut(void)
{
	size_t bytes[2];
	unsigned int lost = 0;

	learn(bytes);
	for (unsigned int way = 0; way < 2; way++) {
		for (size_t n = 0; n < bytes[way]; n += n + LAST < bytes[way] ? STEP : 1) {
			struct run run = { .proxy.way = { ALL, ALL } };

			setup();
			run.proxy.way[way].cut = n;
			run_it(&run);
			lost += check_one(&run, way ? "cut back" : "cut there", n);
		}
	}
	/* In the word that commits, which leaves here as a whole; and in the answer to it. */
	KTAP_TRUE(lost > 64 && lost <= 64 + 64 + 1);
}

/* One bit of any byte is another one. */
static void test_changed(void)
{
	size_t bytes[2];
	unsigned int lost = 0;

	learn(bytes);
	for (unsigned int way = 0; way < 2; way++) {
		for (size_t n = 0; n < bytes[way]; n += n + LAST < bytes[way] ? STEP : 1) {
			struct run run = { .proxy.way = { ALL, ALL } };

			setup();
			run.proxy.way[way].flip = n;
			run_it(&run);
			if (run.status.phase == SEND_COMPLETED)
				KTAP_FAIL("byte %zu, way %u: nobody has noticed", n, way);
			if (!way && (run.ret >= 0 || !strstr(run.err.text, "B: part ")))
				KTAP_FAIL("byte %zu: no part is named: %s", n, run.err.text);
			lost += check_one(&run, way ? "changed back" : "changed there", n);
		}
	}
	/* The far end says that it refuses the word that commits; its answer to it is damaged. */
	KTAP_EQ(lost, 64);
}

/* The far end's answer is lost, and the guest writes to what nobody locks, or to nothing. */
static void test_no_locks(void)
{
	static const struct filelock_guard guards[] = {
		{ .locked = false }, { .unlocked = "nbd://server/web" },
		{ .locked = true, .unlocked = "nbd://server/web" },
	};
	struct error err;
	size_t bytes[2];

	learn(bytes);
	for (unsigned int i = 0; i < 3; i++) {
		struct run run = { .proxy.way = { ALL, ALL } };

		setup();
		a.m.guard = guards[i];
		a.thing.claimed = b.thing.claimed = NULL;
		run.proxy.way[1].cut = bytes[1] - 1;
		run_it(&run);
		KTAP_EQ(run.status.phase, SEND_FAILED);
		KTAP_TRUE(runs(&b) && !runs(&a) && send_has_stopped(run.s));
		KTAP_EQ(send_continue(run.s, false, &err), -EBUSY);
		KTAP_TRUE(strstr(err.text, i ? "no lock of nbd://server/web would show it: look there first" :
					       "no lock of its files would show it: look there first"));
		KTAP_TRUE(!runs(&a));
		/* That is for a person to know. */
		KTAP_EQ(send_continue(run.s, true, &err), 0);
		KTAP_TRUE(runs(&a));
		run_end(&run);
	}
}

static gboolean rest(void *opaque)
{
	a.thing.busy = false;
	return G_SOURCE_REMOVE;
}

/* Cancelled at any moment, or just too late. */
static void test_cancel(void)
{
	unsigned int cancelled = 0, completed = 0;

	for (unsigned int n = 1; n < 60; n++) {
		struct run run = { .proxy.way = { ALL, ALL }, .cancel_after = n };

		setup();
		a.thing.busy = n % 4 == 0;
		/* It comes to rest late. */
		if (a.thing.busy)
			g_timeout_add(30, rest, NULL);
		run_it(&run);
		cancelled += run.status.phase == SEND_CANCELLED;
		completed += run.status.phase == SEND_COMPLETED;
		if (run.status.phase == SEND_CANCELLED)
			KTAP_TRUE(runs(&a) && run.ret < 0);
		check_one(&run, "cancelled", n);
	}
	KTAP_TRUE(cancelled > 3);
	KTAP_EQ(cancelled + completed, 59);
}

/* The far end is another machine, or wants something else. */
static void test_refused(void)
{
	struct run run = { .proxy.way = { ALL, ALL } };

#define REFUSED(change, there, here)						\
	do {									\
		setup();							\
		change;								\
		run_it(&run);							\
		KTAP_TRUE(run.ret < 0 && run.ret != -EINTR);			\
		KTAP_STREQ(run.err.text, "B: part " there);			\
		KTAP_EQ(run.status.phase, SEND_FAILED);				\
		KTAP_STREQ(run.status.why.text, "the far end refuses: B: part " here);	\
		check_one(&run, "refused", 0);					\
		run = (struct run){ .proxy.way = { ALL, ALL } };		\
	} while (0)
	REFUSED(b.cpus = 1, "migration: the guest had 2 CPUs, and has 1 here (--cpus)",
		"migration: the guest had 2 CPUs, and has 1 here (--cpus)");
	REFUSED(b.m.pmu = true, "migration: performance counters were off, and are on here (--pmu)",
		"migration: performance counters were off, and are on here (--pmu)");
	/* Only at the end does it show. */
	REFUSED(a.thing.value = 1001, "thing@4000000: value has the value 1001, and the largest is 1000",
		"thing@4000000: value has the value 1001, and the largest is 1000");
}

/* Its disks are a third one's in the very moment of the handover. */
static void test_disks_taken(void)
{
	struct run run = { .proxy.way = { ALL, ALL } };
	struct error err;

	setup();
	/* They were never ours; so nobody gives them up. */
	claimed = 3;
	run_it(&run);
	KTAP_EQ(run.ret, -EBUSY);
	KTAP_EQ(run.status.phase, SEND_FAILED);
	KTAP_STREQ(run.status.why.text,
		   "the far end refuses: thing: in use by another virtual machine; and the guest stays stopped until cont: thing: in use by another virtual machine");
	/* It is nowhere else, says the far end; but whoever has its disks writes to them. */
	KTAP_TRUE(!runs(&a) && !runs(&b) && send_has_stopped(run.s));
	/* Not all the time: each try drops what the host's caches have. */
	KTAP_TRUE(a.thing.in_vain > 10 && a.thing.in_vain < 110);
	KTAP_EQ(send_continue(run.s, false, &err), -EBUSY);
	claimed = 0;
	KTAP_EQ(send_continue(run.s, false, &err), 0);
	KTAP_TRUE(runs(&a) && claimed == 1);
	run_end(&run);
}

/* It has them for a moment only. */
static void give_back(struct run *run)
{
	if (a.thing.in_vain == 10)
		claimed = 0;
}

static void test_disks_come_back(void)
{
	struct run run = { .proxy.way = { ALL, ALL }, .meanwhile = give_back };

	setup();
	claimed = 3;
	run_it(&run);
	KTAP_EQ(run.status.phase, SEND_FAILED);
	KTAP_STREQ(run.status.why.text,
		   "the far end refuses: thing: in use by another virtual machine");
	KTAP_TRUE(runs(&a) && !runs(&b) && claimed == 1);
	run_end(&run);
}

/* Somebody ends the far end while it waits. */
static void end_far_end(struct run *run)
{
	if (run->rounds == 3)
		b.request = MACHINE_QUIT;
}

static void test_far_end_quits(void)
{
	struct run run = { .proxy.way = { ALL, ALL }, .work = end_far_end };

	setup();
	a.thing.busy = true;
	run.proxy.way[1].stop = 0;
	run_it(&run);
	KTAP_EQ(run.ret, -EINTR);
	KTAP_EQ(run.status.phase, SEND_FAILED);
	check_one(&run, "it quits", 0);
}

/* Just when the guest is its own. */
static void test_far_end_quits_late(void)
{
	struct run run = { .proxy.way = { ALL, ALL } };

	setup();
	b.late = MACHINE_QUIT;
	run_it(&run);
	KTAP_EQ(run.ret, -EINTR);
	KTAP_EQ(run.status.phase, SEND_FAILED);
	KTAP_STREQ(run.status.why.text, "the far end refuses: it was ended there");
	KTAP_TRUE(runs(&a));
	check_one(&run, "it quits late", 0);
}

/* A far end that says nothing more: nobody waits for it for ever, and least of all the guest. */
static void test_deaf(void)
{
	struct run run = { .proxy.way = { ALL, ALL } };
	gint64 begun = g_get_monotonic_time();

	/* It has taken all, and does not say so. */
	setup();
	run.proxy.way[1].stop = COPIED;
	run_it(&run);
	KTAP_EQ(run.status.phase, SEND_FAILED);
	KTAP_STREQ(run.status.why.text, "the far end is too slow: the guest would have stood still for more than 10000 ms");
	KTAP_TRUE(g_get_monotonic_time() - begun < 20000000);
	check_one(&run, "deaf", 0);
	/* The same, and at the very beginning, or in the middle; somebody loses patience. */
	for (unsigned int i = 0; i < 4; i++) {
		static const size_t there[] = { SIZE_MAX, 0, 700, SIZE_MAX };
		static const size_t back[] = { COPIED, SIZE_MAX, SIZE_MAX, READY };

		run = (struct run){ .proxy.way = { ALL, ALL }, .cancel_after = 100 };
		setup();
		run.proxy.way[0].stop = there[i];
		run.proxy.way[1].stop = back[i];
		run_it(&run);
		KTAP_EQ(run.status.phase, SEND_CANCELLED);
		/* It stands still only when the far end says that all has come. */
		KTAP_TRUE(i != 3 || !run.status.down_ms);
		check_one(&run, "deaf", i + 1);
	}
}

/* A disk that is slow, or hangs, while the guest stands still. */
static void test_disk_hangs(void)
{
	struct run run = { .proxy.way = { ALL, ALL } };

	setup();
	a.thing.busy = true;
	run_it(&run);
	KTAP_EQ(run.status.phase, SEND_FAILED);
	KTAP_STREQ(run.status.why.text, "the requests of thing@4000000 take too long: the guest would have stood still for more than 10000 ms");
	KTAP_TRUE(run.status.down_ms < 15000);
	check_one(&run, "a disk hangs", 0);
}

/* What comes up meanwhile ends it; the guest's end also. */
static void reset_it(struct run *run)
{
	if (run->rounds != 5)
		return;
	a.listener->event(a.listener, &(struct machine_event){ .type = MACHINE_EVENT_LEAVE });
	KTAP_TRUE(!send_is_active(run->s));
}

static void debug_it(struct run *run)
{
	a.m.debugger = true;
}

static void test_obstacles(void)
{
	struct run run = { .proxy.way = { ALL, ALL }, .work = debug_it };
	struct error err;
	int end[2];

	setup();
	run_it(&run);
	KTAP_STREQ(run.status.why.text,
		   "A debugger is there, which may have breakpoints in the guest's memory");
	check_one(&run, "debugged", 0);
	run = (struct run){ .proxy.way = { ALL, ALL }, .work = reset_it };
	setup();
	run.proxy.way[1].stop = 0;
	run_it(&run);
	KTAP_STREQ(run.status.why.text, "The guest was reset, or has ended");
	check_one(&run, "reset", 0);
	/* Nothing begins then, and the file stays the caller's. */
	setup();
	run.s = send_new(&a.m);
	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, end), 0);
	a.m.debugger = true;
	KTAP_EQ(send_start(run.s, end[0], false, &err), -EBUSY);
	a.m.debugger = false;
	machine_hold(&a.m, MACHINE_HOLDER_INCOMING);
	KTAP_EQ(send_start(run.s, end[0], false, &err), -EBUSY);
	KTAP_STREQ(err.text, "The guest has not come yet");
	machine_release(&a.m, MACHINE_HOLDER_INCOMING);
	KTAP_EQ(close(end[0]), 0);
	close(end[1]);
	KTAP_EQ(pipe(end), 0);
	KTAP_EQ(send_start(run.s, end[1], false, &err), -EBADF);
	KTAP_STREQ(err.text, "The file is no connection");
	close(end[0]);
	close(end[1]);
	KTAP_TRUE(runs(&a) && !a.logs);
	run_end(&run);
}

static void press_it(struct run *run)
{
	a.pressed = true;
}

/* A press of the power button while the guest stands still is for the guest here. */
static void test_pressed(void)
{
	struct run run = { .proxy.way = { ALL, ALL }, .meanwhile = press_it };
	struct error err;
	int end[2];

	setup();
	/* So that there is time for it. */
	a.thing.busy = true;
	run_it(&run);
	KTAP_STREQ(run.status.why.text, "The power button was pressed, and the guest stands still");
	check_one(&run, "pressed", 0);
	/* While the last part goes. */
	run = (struct run){ .proxy.way = { ALL, ALL }, .meanwhile = press_it };
	setup();
	run.proxy.way[1].stop = COPIED;
	run_it(&run);
	KTAP_STREQ(run.status.why.text, "The power button was pressed, and the guest stands still");
	KTAP_TRUE(run.status.down_ms < 5000);
	check_one(&run, "pressed late", 0);
	/* A person has stopped it. */
	setup();
	a.pressed = true;
	machine_hold(&a.m, MACHINE_HOLDER_CONTROL);
	run.s = send_new(&a.m);
	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, end), 0);
	KTAP_EQ(send_start(run.s, end[0], false, &err), -EBUSY);
	close(end[0]);
	close(end[1]);
	run_end(&run);
}

static void leave_late(struct run *run)
{
	if (claimed != 2 || !send_is_active(run->s))
		return;
	a.listener->event(a.listener, &(struct machine_event){ .type = MACHINE_EVENT_LEAVE });
	KTAP_TRUE(!send_is_active(run->s));
}

/* A reset is no way back either, once the guest was handed over. */
static void test_reset_late(void)
{
	struct run run = { .proxy.way = { ALL, ALL }, .meanwhile = leave_late };
	const struct machine_event leave = { .type = MACHINE_EVENT_LEAVE };
	size_t bytes[2];

	learn(bytes);
	setup();
	run.proxy.way[1].stop = bytes[1] - 64;
	run_it(&run);
	KTAP_EQ(run.status.phase, SEND_FAILED);
	KTAP_TRUE(strstr(run.status.why.text, "(The guest was reset, or has ended)"));
	KTAP_TRUE(send_has_stopped(run.s));
	a.listener->event(a.listener, &leave);
	KTAP_TRUE(send_has_stopped(run.s));
	KTAP_TRUE(check_one(&run, "reset late", 0));
	/* Nor when all went well. */
	run = (struct run){ .proxy.way = { ALL, ALL } };
	setup();
	run_it(&run);
	a.listener->event(a.listener, &leave);
	KTAP_TRUE(send_has_stopped(run.s));
	run_end(&run);
}

/* ---- Whoever connects to a machine that waits ---- */

static int knock(const struct sockaddr_un *sun, const void *data, size_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	KTAP_EQ(connect(fd, (const struct sockaddr *)sun, sizeof(*sun)), 0);
	KTAP_EQ(send(fd, data, len, MSG_NOSIGNAL), len);
	return fd;
}

/* Strangers are sent away, and he who has the guest comes in. */
static void test_strangers(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct receive_source source = { .name = "B", .in = -1, .out = -1 };
	struct run run = { .proxy.way = { ALL, ALL } };
	struct error err = { "" };
	int gone, liar, fd;

	setup();
	snprintf(sun.sun_path, sizeof(sun.sun_path), "/tmp/test_migrate.%d", getpid());
	source.listen = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	KTAP_EQ(bind(source.listen, (struct sockaddr *)&sun, sizeof(sun)), 0);
	KTAP_EQ(listen(source.listen, 4), 0);
	gone = knock(&sun, "", 0);
	close(gone);
	liar = knock(&sun, "GET / HTTP/1.1\r\n01234567890123456789012345678901234567890123456789", 66);
	fd = knock(&sun, "", 0);
	unlink(sun.sun_path);
	run.s = send_new(&a.m);
	run.r = receive_new(&b.m, &source, NULL);
	KTAP_EQ(send_start(run.s, fd, false, &err), 0);
	KTAP_EQ(receive_guest(run.r, &run.facts, &err), 0);
	run_arrived(&run);
	KTAP_EQ(source.listen, -1);
	receive_free(run.r);
	while (send_is_active(run.s))
		g_main_context_iteration(NULL, TRUE);
	send_get(run.s, &run.status);
	KTAP_EQ(run.status.phase, SEND_COMPLETED);
	check_one(&run, "strangers", 0);
	close(liar);
}

/* A stream that is well-formed, and wrong. */
static void hostile(const char *why, void (*say)(struct part_writer *w))
{
	struct receive_source source = { .name = "B", .listen = -1 };
	struct wire wire = { .cancelled = &(bool){ false } };
	struct part_writer w = { .write = wire_write, .opaque = &wire };
	const uint8_t id[PART_ID_SIZE] = { 7 };
	struct receive *r;
	struct facts facts;
	struct error err = { "" };
	struct record record = { .len = 0 };
	int end[2];

	setup();
	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, end), 0);
	wire.in = wire.out = end[0];
	source.in = source.out = end[1];
	facts_get(&facts, &a.m);
	facts_save(&facts, &record);
	part_begin(&w, id, NULL);
	part_write(&w, WIRE_HELLO, WIRE_VERSION, record.data, record.len, NULL, 0);
	record_free(&record);
	say(&w);
	shutdown(end[0], SHUT_WR);
	r = receive_new(&b.m, &source, NULL);
	KTAP_TRUE(receive_guest(r, &facts, &err) < 0);
	KTAP_STREQ(err.text, why);
	KTAP_TRUE(!runs(&b));
	receive_free(r);
	close(end[0]);
}

static void say_end(struct part_writer *w)
{
	part_write(w, PART_END, 1, NULL, 0, NULL, 0);
}

static void say_escape(struct part_writer *w)
{
	part_write(w, "\33]52;c;\a\377", 1, NULL, 0, NULL, 0);
}

static void say_state_twice(struct part_writer *w)
{
	part_write(w, WIRE_STATE, WIRE_VERSION, "x", 1, NULL, 0);
	part_write(w, WIRE_STATE, WIRE_VERSION, "x", 1, NULL, 0);
}

static void say_garbage(struct part_writer *w)
{
	static const uint64_t none[2];

	part_write(w, WIRE_STATE, WIRE_VERSION, "garbage", 7, NULL, 0);
	part_write(w, PART_END, 1, none, sizeof(none), NULL, 0);
	part_write(w, WIRE_COMMIT, WIRE_VERSION, NULL, 0, NULL, 0);
}

static void say_miscounted(struct part_writer *w)
{
	static const uint64_t one[2] = { 1, 0 };

	part_write(w, WIRE_STATE, WIRE_VERSION, "x", 1, NULL, 0);
	part_write(w, PART_END, 1, one, sizeof(one), NULL, 0);
}

static void say_newer_state(struct part_writer *w)
{
	part_write(w, WIRE_STATE, WIRE_VERSION + 1, "x", 1, NULL, 0);
}

static void say_old_memory(struct part_writer *w)
{
	part_write(w, PAGES_PART, PAGES_VERSION, "x", 1, NULL, 0);
}

/* An older program's stream has none. */
static void say_mark(struct part_writer *w)
{
	part_write(w, WIRE_MARK, WIRE_VERSION, NULL, 0, NULL, 0);
}

/* There and zero at once; behind the end; of a length that the pages do not have. */
static void say_pages(struct part_writer *w, uint64_t gpa, uint32_t nr, uint64_t there,
		      uint64_t zero, size_t len)
{
	static const uint8_t data[8192];
	struct {
		uint64_t gpa;
		uint32_t nr, method;
		uint64_t there[4], zero[4];
	} head = { gpa, nr, 0, { there }, { zero } };

	part_write(w, PAGES_PART, PAGES_LIVE, &head, sizeof(head), data, len);
}

static void say_both(struct part_writer *w)
{
	say_pages(w, RAM, 2, 1, 1, 4096);
}

static void say_beyond(struct part_writer *w)
{
	say_pages(w, RAM + MEMORY - 4096, 2, 1, 0, 4096);
}

static void say_beyond_zero(struct part_writer *w)
{
	say_pages(w, RAM, 2, 0, 4, 0);
}

static void say_nothing(struct part_writer *w)
{
	say_pages(w, RAM, 2, 0, 0, 0);
}

static void say_short(struct part_writer *w)
{
	say_pages(w, RAM, 2, 3, 0, 4096);
}

static void test_hostile(void)
{
	hostile("B: part memory: in its place is the part end: was the guest saved with other options?",
		say_end);
	/* Nothing that a terminal would obey. */
	hostile("B: part memory: in its place is the part ?]52;c;??: was the guest saved with other options?",
		say_escape);
	hostile("B: part end: in its place is the part state: was the guest saved with other options?",
		say_state_twice);
	hostile("B: part header: the file ends in it", say_garbage);
	hostile("B: part end: does not count the memory that came", say_miscounted);
	hostile("B: part state: has version 2, and this program knows version 1", say_newer_state);
	hostile("B: part memory: has version 1, and this program knows version 2", say_old_memory);
	hostile("B: part memory: in its place is the part mark: was the guest saved with other options?",
		say_mark);
	hostile("B: part memory: of " G_STRINGIFY(RAM_BASE) ": is none that was written here", say_both);
	hostile("B: part memory: has memory at 0x407ff000, where there is none here", say_beyond);
	hostile("B: part memory: of " G_STRINGIFY(RAM_BASE) ": is none that was written here", say_beyond_zero);
	hostile("B: part memory: of " G_STRINGIFY(RAM_BASE) ": is none that was written here", say_nothing);
	hostile("B: part memory: of " G_STRINGIFY(RAM_BASE) ": is none that was written here", say_short);
}

KTAP_MAIN(KTAP_CASE(test_moves), KTAP_CASE(test_busy), KTAP_CASE(test_wiped),
	  KTAP_CASE(test_slow_flush), KTAP_CASE(test_does_not_converge),
	  KTAP_CASE(test_cut), KTAP_CASE(test_changed), KTAP_CASE(test_no_locks),
	  KTAP_CASE(test_cancel),
	  KTAP_CASE(test_refused), KTAP_CASE(test_disks_taken),
	  KTAP_CASE(test_disks_come_back), KTAP_CASE(test_far_end_quits),
	  KTAP_CASE(test_far_end_quits_late), KTAP_CASE(test_deaf),
	  KTAP_CASE(test_disk_hangs), KTAP_CASE(test_obstacles), KTAP_CASE(test_pressed),
	  KTAP_CASE(test_reset_late), KTAP_CASE(test_strangers), KTAP_CASE(test_hostile))

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
// Post-copy between two guests of this process: what the guest touches at the new place is what it
// was at the old one, and what it wrote stays. Whatever becomes of the connection, never do both
// run; and a guest that has run at the new place does not go on at the old one.
#include "postcopy_run.h"

/* ---- The cases ---- */

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
	setup_filled();
	run.pair = true;
	only_first(&run);
	run_begin(&run);
	KTAP_EQ(run.ret, 0);
	KTAP_TRUE(runs(&b) && !runs(&a) && b.m.mem.give_back);
	for (unsigned int i = 0; i < 4; i++)
		KTAP_EQ(pthread_create(&thread[i], NULL, look, i % 2 ? &b : NULL), 0);
	await_request(&run);
	/* Until all has followed, nobody may end the old process. */
	while (!a.m.following)
		g_main_context_iteration(NULL, TRUE);
	hold(&run, false);
	for (unsigned int i = 0; i < 4; i++) {
		pthread_join(thread[i], &wrong);
		KTAP_TRUE(!wrong);
	}
	run_wait(&run);
	KTAP_EQ(run.status.phase, SEND_COMPLETED);
	KTAP_TRUE(run.status.requests > 0 && run.status.requests <= PAGES / WIRE_PAGES);
	KTAP_EQ(run.status.left, 0);
	KTAP_EQ(run.status.pages + run.status.zeroes, PAGES + BANK_SIZE / 4096);
	KTAP_TRUE(same_memory() && !a.m.following);
	KTAP_EQ(b.thing.value, 123);
	KTAP_EQ(claimed, 2);
	KTAP_STREQ(a.told, "active device postcopy-active completed ");
	KTAP_STREQ(b.told, "active postcopy-active completed ");
	/* It has run there: never here, even if nobody has its disks. */
	claimed = 0;
	KTAP_EQ(send_continue(run.s, true, &err), -EBUSY);
	KTAP_STREQ(err.text,
		   "The guest may have run elsewhere since: its disks may not be as its memory here has them");
	KTAP_EQ(send_start(run.s, 0, 0, &err), -EBUSY);
	KTAP_STREQ(err.text, "The guest may have run elsewhere since");
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
	setup_filled();
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
	setup_filled();
	only_first(&run);
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
	setup_filled();
	only_first(&run);
	run_begin(&run);
	KTAP_EQ(pthread_create(&thread, NULL, write_it, page(&b, PAGES - 6)), 0);
	usleep(20000);
	guestmem_discard(&b.m.mem);
	page(&b, 3)[5] = 5;
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

/* Then nothing of the old place is needed any more: it may die, at once or later. */
static void reset_cut_off(bool at_once)
{
	RUN(run);

	setup_filled();
	only_first(&run);
	run_begin(&run);
	KTAP_EQ(run.ret, 0);
	guestmem_discard(&b.m.mem);
	if (at_once)
		proxy_close(&run.proxy);
	while (b.m.mem.give_back)
		g_main_context_iteration(NULL, TRUE);
	KTAP_STREQ(b.told, "active postcopy-active completed ");
	for (unsigned int i = 0; i < PAGES; i++)
		if (!pages_is_zero(page(&b, i)))
			KTAP_FAIL("page %u is not zero", i);
	run_wait(&run);
	KTAP_TRUE(at_once || run.status.phase == SEND_COMPLETED);
	KTAP_TRUE(!is_dead() && !runs(&a));
}

static void run_reset_cut_off(void)
{
	reset_cut_off(true);
}

/* Nothing came after the first pages: the old process is free as soon as this one was reset. */
static void run_reset_early(void)
{
	reset_cut_off(false);
}

static void test_reset_cut_off(void)
{
	NEEDS_IT;
	alone(run_reset_cut_off);
	alone(run_reset_early);
}

/* It ends there before all has come: that is no failure, and nobody waits for the rest. */
static void test_ends_there(void)
{
	int64_t begun = g_get_monotonic_time();
	RUN(run);

	NEEDS_IT;
	setup_filled();
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

static void await_death(void)
{
	while (!is_dead())
		g_main_context_iteration(NULL, FALSE);
}

/* Something has filled the place of a page that is missing. */
static void run_filled(void)
{
	RUN(run);

	setup_filled();
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
	setup_filled();
	only_first(run);
	run_begin(run);
	KTAP_EQ(run->ret, 0);
	KTAP_EQ(pthread_create(thread, NULL, write_it, page(&b, nr)), 0);
	await_request(run);
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

enum outcome {
	FINE,		/* it runs there, and is whole */
	STAYED,		/* it never left */
	GONE,		/* it may have run there, and ended for want of memory */
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
	if (!strstr(run->status.why.text, ", and not here, as its disks may have changed"))
		return printf("# %s\n", run->status.why.text), WRONG;
	return send_continue(run->s, true, &err) == -EBUSY ? GONE : WRONG;
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
	printf("# fine %u, stayed %u, gone %u\n", count[FINE], count[STAYED], count[GONE]);
}

/* The connection ends after any byte, there or back. */
static void test_cut(void)
{
	unsigned int count[OUTCOMES] = { 0 };

	NEEDS_IT;
	each_byte(false, count);
	KTAP_TRUE(count[STAYED] > 30 && count[GONE] > 20);
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

/* ---- The moment itself ---- */

/* Back, nothing comes after so many bytes: the word that it runs is not heard as a whole. */
static void run_unheard(size_t stop)
{
	RUN(run);

	setup_filled();
	run.proxy.way[1].cut = stop;
	run_begin(&run);
	run_wait(&run);
	KTAP_TRUE(run.ret < 0 && !run.ran && !is_dead());
	KTAP_TRUE(strstr(run.err.text, ": the guest has not run here"));
	/* It goes on by itself. */
	KTAP_TRUE(runs(&a) && claimed == 1 && !runs(&b));
	KTAP_EQ(run.status.phase, SEND_FAILED);
	KTAP_TRUE(strstr(run.status.why.text,
			 "just after the guest was handed over, and it has not run there ("));
	KTAP_STREQ(a.told, "active device failed ");
	run_end(&run);
}

static void test_unheard(void)
{
	NEEDS_IT;
	run_unheard(SAID - 63);
	run_unheard(SAID - 1);
}

/* Somebody ends the new machine, when the old one has read that the guest runs. */
static gboolean leave_soon(void *opaque)
{
	struct run *run = opaque;

	if (!send_is_following(run->s))
		return G_SOURCE_CONTINUE;
	b.request = MACHINE_QUIT;
	return G_SOURCE_REMOVE;
}

/* Nobody knows here whether it has run there, so it goes on nowhere. */
static void test_unanswered(void)
{
	struct error err;
	RUN(run);

	NEEDS_IT;
	setup_filled();
	only_first(&run);
	run.proxy.way[0].lets = FIRST / 2;
	g_timeout_add(1, leave_soon, &run);
	run_begin(&run);
	b.request = MACHINE_NONE;
	proxy_close(&run.proxy);
	run_wait(&run);
	KTAP_EQ(run.ret, -EINTR);
	KTAP_TRUE(!runs(&a) && !runs(&b) && !is_dead());
	claimed = 0;
	KTAP_EQ(send_continue(run.s, true, &err), -EBUSY);
	postcopy_free(run.p);
	send_free(run.s);
}

/* A thread cannot be made: one fails, after it has let go of its disks. */
static int last_claim(struct device *dev, bool take, struct error *err)
{
	int ret = thing_ops.claim(dev, take, err);

	no_threads += !take;
	return ret;
}

static void test_no_thread(void)
{
	struct device_ops last_ops = thing_ops;
	RUN(run);

	NEEDS_IT;
	setup_filled();
	last_ops.claim = last_claim;
	a.thing.dev.ops = &last_ops;
	run_begin(&run);
	run_wait(&run);
	KTAP_TRUE(run.ret < 0 && !run.ran);
	KTAP_EQ(no_threads, 0);
	KTAP_TRUE(runs(&a) && claimed == 1);
	KTAP_EQ(run.status.phase, SEND_FAILED);
	KTAP_STREQ(run.status.why.text,
		   "the migration: cannot start a thread: Resource temporarily unavailable");
	run_end(&run);
}

KTAP_MAIN(KTAP_CASE(test_moves), KTAP_CASE(test_old_pages), KTAP_CASE(test_late),
	  KTAP_CASE(test_reset), KTAP_CASE(test_reset_cut_off), KTAP_CASE(test_ends_there),
	  KTAP_CASE(test_refused), KTAP_CASE(test_filled), KTAP_CASE(test_cut_off),
	  KTAP_CASE(test_unheard), KTAP_CASE(test_unanswered), KTAP_CASE(test_no_thread),
	  KTAP_CASE(test_cut), KTAP_CASE(test_changed))

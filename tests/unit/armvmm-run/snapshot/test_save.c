// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/save.c userspace/armvmm-run/snapshot/restore.c
// sources: userspace/armvmm-run/snapshot/part.c userspace/armvmm-run/snapshot/pages.c
// sources: userspace/armvmm-run/snapshot/facts.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/device.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/snapshot/state.c
// sources: userspace/armvmm-run/core/thread.c userspace/armvmm-run/snapshot/memlog.c
// sources: userspace/armvmm-run/snapshot/places.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE -DSAVE_IDLE_MS=1000
// pkgs: glib-2.0 zlib libzstd
// libs: -Wl,--wrap=close
//
// A snapshot's course: the machine is held, its devices come to rest, a thread writes; and whatever
// comes in between, the guest is afterwards as it was. What is written is restored.
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "close_fake.h"
#include "guest_fake.h"
#include "snapshot/restore.h"
#include "snapshot/save.h"

static struct guest g;

static enum save_phase phase(struct save *s)
{
	struct save_status status;

	save_get(s, &status);
	return status.phase;
}

/* Runs the main loop until the snapshot is over, or for @ms. */
static void run(struct save *s, unsigned int ms)
{
	gint64 end = g_get_monotonic_time() + ms * 1000;

	while (save_is_active(s) && g_get_monotonic_time() < end) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(500);
	}
}

static int temporary(void)
{
	char path[] = "/tmp/test_save.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	unlink(path);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Saves to a file, and returns it; the guest goes on. */
static int save(void)
{
	struct save *s = save_new(&g.m);
	int fd = temporary(), mine = dup(fd);
	struct error err = { "" };

	KTAP_EQ(save_start(s, fd, SAVE_GO_ON, &err), 0);
	KTAP_TRUE(g.holders && g.thing.paused);
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_COMPLETED);
	KTAP_TRUE(!is_open(fd) && !g.thing.paused);
	save_free(s);
	lseek(mine, 0, SEEK_SET);
	return mine;
}

static int restore(int fd, struct facts *facts, struct error *err)
{
	err->text[0] = '\0';
	lseek(fd, 0, SEEK_SET);
	return restore_machine(&g.m, &(struct restore_file){ fd, "a.snap" }, 1, NULL, facts, err);
}

/* ---- The cases ---- */

static void test_there_and_back(void)
{
	struct facts facts = { 0 };
	struct error err;
	int fd;

	guest_init(&g);
	memset(g.m.mem.region[0].host + 12345, 'x', 100000);
	g.bank[BANK_SIZE - 1] = 9;
	strcpy(g.kept, "what it said");
	fd = save();
	KTAP_EQ(g.holders, 0);
	KTAP_EQ(g.gone, 1);
	KTAP_EQ(g.syncs, 0);
	guest_init(&g);
	g.thing.value = 0;
	KTAP_EQ(restore(fd, &facts, &err), 0);
	KTAP_STREQ(err.text, "");
	KTAP_EQ(g.reads, 2);	/* of RAM, and of the bank */
	KTAP_EQ(g.thing.value, 77);
	KTAP_STREQ(g.cpu_state, "what the CPUs have");
	KTAP_STREQ(g.kept, "what it said, again");
	KTAP_EQ(facts.counter, 0x123456789abc);
	KTAP_EQ(facts.counter_when, 1234567890123456);
	KTAP_TRUE(!facts.stopped);
	KTAP_EQ(g.m.mem.region[0].host[12344], 0);
	KTAP_EQ(g.m.mem.region[0].host[12345], 'x');
	KTAP_EQ(g.m.mem.region[0].host[112344], 'x');
	KTAP_EQ(g.m.mem.region[0].host[112345], 0);
	KTAP_EQ(g.bank[BANK_SIZE - 1], 9);
	close(fd);
}

/* A guest that a person had stopped stays stopped, and is restored so. */
static void test_stopped(void)
{
	struct facts facts = { 0 };
	struct error err;
	int fd;

	guest_init(&g);
	g.uncached = true;
	machine_hold(&g.m, MACHINE_HOLDER_CONTROL);
	fd = save();
	KTAP_EQ(g.holders, 1u << MACHINE_HOLDER_CONTROL);
	KTAP_EQ(g.gone, 0);
	KTAP_EQ(g.syncs, 1);
	KTAP_EQ(restore(fd, &facts, &err), 0);
	KTAP_TRUE(facts.stopped);
	close(fd);
}

/* ---- Snapshots that add to others ---- */

static uint8_t *page(unsigned int nr)
{
	return g.m.mem.region[0].host + nr * 4096;
}

/* The guest, or a device, fills a page of the first 32, which the log tells. */
static void fill(unsigned int nr, uint8_t with)
{
	memset(page(nr), with, 4096);
	__atomic_fetch_or(&g.log[0], 1u << nr, __ATOMIC_SEQ_CST);
}

/* Returns the file, or -1 if it failed. *@pages counts those that it has. */
static int save_as(struct save *s, unsigned int flags, uint64_t *pages)
{
	int fd = temporary(), mine = dup(fd);
	struct save_status status;
	struct error err = { "" };

	KTAP_EQ(save_start(s, fd, flags | SAVE_GO_ON, &err), 0);
	run(s, 10000);
	save_get(s, &status);
	*pages = status.pages;
	if (status.phase == SAVE_COMPLETED)
		return mine;
	close(mine);
	return -1;
}

static int restore_all(const int fd[], unsigned int nr, struct error *err)
{
	static const char *const names[] = { "a.snap", "b.snap", "c.snap" };
	struct restore_file file[3];
	struct facts facts;

	err->text[0] = '\0';
	guest_init(&g);
	g.thing.value = 0;
	for (unsigned int i = 0; i < nr; i++) {
		lseek(fd[i], 0, SEEK_SET);
		file[i] = (struct restore_file){ fd[i], names[i] };
	}
	return restore_machine(&g.m, file, nr, NULL, &facts, err);
}

static void test_adding(void)
{
	struct save *s;
	struct error err;
	uint64_t pages;
	int fd[3], whole, wrong[2];

	guest_init(&g);
	g.kept[0] = '\0';
	s = save_new(&g.m);
	for (unsigned int i = 0; i < 4; i++)
		fill(i, 'a' + i);
	fd[0] = save_as(s, SAVE_TRACK, &pages);
	KTAP_EQ(pages, 4);
	KTAP_EQ(g.logs, 1);
	g.log[0] = 0;
	/* What the log does not tell is not looked at. */
	memset(page(9), 'x', 4096);
	fill(1, 'B');
	fill(2, 0);
	g.bank[1] = 5;
	g.thing.dev.memory_writes++;
	fd[1] = save_as(s, SAVE_ADD, &pages);
	KTAP_EQ(pages, 2);
	/* One that fails, and one that is complete, leave the next what it has to have. */
	fill(3, 'D');
	KTAP_EQ(save_start(s, open("/dev/full", O_WRONLY), SAVE_ADD | SAVE_GO_ON, &err), 0);
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_FAILED);
	fill(4, 'E');
	g.thing.value = 78;
	whole = save_as(s, 0, &pages);
	KTAP_EQ(pages, 6);	/* 0, 1, 3, 4, 9 and the bank's */
	fill(5, 'F');
	strcpy(g.cpu_state, "what they have later");
	fd[2] = save_as(s, SAVE_ADD, &pages);
	KTAP_EQ(pages, 3);
	KTAP_EQ(g.logs, 1);
	save_free(s);
	KTAP_EQ(g.logs, 0);

	KTAP_EQ(restore_all(fd, 3, &err), 0);
	KTAP_STREQ(err.text, "");
	for (unsigned int i = 0; i < 10; i++) {
		KTAP_EQ(page(i)[0], "aB\0DEF\0\0\0\0"[i]);
		KTAP_EQ(page(i)[4095], page(i)[0]);
	}
	KTAP_EQ(g.bank[1], 5);
	KTAP_EQ(g.thing.value, 78);
	KTAP_STREQ(g.cpu_state, "what they have later");
	KTAP_EQ(restore_all(fd, 2, &err), 0);
	KTAP_EQ(g.thing.value, 77);
	KTAP_EQ(page(3)[0], 'd');
	KTAP_EQ(restore_all(fd, 1, &err), 0);
	KTAP_EQ(page(2)[0], 'c');

#define WRONG(first, second, why)						\
	do {									\
		wrong[0] = first;						\
		wrong[1] = second;						\
		KTAP_EQ(restore_all(wrong, second < 0 ? 1 : 2, &err), -ENXIO);	\
		KTAP_STREQ(err.text, why);					\
	} while (0)
	WRONG(fd[1], -1, "a.snap: part header: it only adds to another snapshot, which has to come before it");
	WRONG(fd[0], fd[2], "b.snap: part header: it adds to another snapshot than the one before it");
	WRONG(fd[0], whole, "b.snap: part header: it is complete, and adds to no other snapshot");
	for (unsigned int i = 0; i < 3; i++)
		close(fd[i]);
	close(whole);
}

/* The log ends where it would not have all, and with what it began for. */
static void test_log_ends(void)
{
	struct save *s;
	struct error err;
	uint64_t pages;
	int fd = temporary();

	guest_init(&g);
	s = save_new(&g.m);
#define NOTHING_TO_ADD_TO							\
	do {									\
		KTAP_EQ(save_start(s, fd, SAVE_ADD | SAVE_GO_ON, &err), -ENOENT);	\
		KTAP_TRUE(g_str_has_prefix(err.text, "There is no snapshot to add to: "));	\
		KTAP_TRUE(is_open(fd) && !g.holders && !g.logs);		\
	} while (0)
	NOTHING_TO_ADD_TO;
	close(save_as(s, 0, &pages));
	NOTHING_TO_ADD_TO;
	KTAP_EQ(save_start(s, open("/dev/full", O_WRONLY), SAVE_TRACK | SAVE_GO_ON, &err), 0);
	run(s, 10000);
	NOTHING_TO_ADD_TO;
	close(save_as(s, SAVE_TRACK, &pages));
	KTAP_EQ(g.logs, 1);
	save_untrack(s);
	NOTHING_TO_ADD_TO;
	close(save_as(s, SAVE_TRACK, &pages));
	g.listener->event(g.listener, &(struct machine_event){ .type = MACHINE_EVENT_LEAVE });
	NOTHING_TO_ADD_TO;
	/* What a guest writes past its caches is brought to memory, and the log loses nothing. */
	close(save_as(s, SAVE_TRACK, &pages));
	g.log_starts = 0;
	g.uncached = true;
	fill(7, 'z');
	close(save_as(s, SAVE_ADD, &pages));
	KTAP_EQ(pages, 1);
	KTAP_EQ(g.log_starts, 0);
	KTAP_EQ(g.syncs, 1);
	close(save_as(s, SAVE_ADD, &pages));
	KTAP_EQ(pages, 0);
	save_free(s);
	KTAP_EQ(g.logs, 0);
	close(fd);
}

/* The part as it was before it had the machine, and the time of the counter; and others cut. */
static void test_old_facts(void)
{
	const size_t machine = MACHINE_TYPE_NAME_MAX + sizeof(uint64_t), when = sizeof(uint64_t);
	struct facts facts, here;
	struct record out = { 0 }, in;

	guest_init(&g);
	facts_get(&here, &g.m);
	facts_save(&here, &out);
	record_open(&in, out.data, out.len - machine);
	KTAP_EQ(facts_restore(&facts, &here, &in), 0);
	KTAP_EQ(facts.counter_when, 1234567890123456);
	KTAP_STREQ(facts.machine, MACHINE_TYPE_DEFAULT);
	KTAP_EQ(facts.ram_base, RAM_BASE);
	record_open(&in, out.data, out.len - machine - when);
	KTAP_EQ(facts_restore(&facts, &here, &in), 0);
	KTAP_TRUE(!facts.counter_when && facts.counter == 0x123456789abc);
	for (size_t cut = 1; cut < machine + when; cut++) {
		record_open(&in, out.data, out.len - cut);
		KTAP_EQ(facts_restore(&facts, &here, &in), cut == machine ? 0 : -EBADMSG);
	}
	record_free(&out);
}

/* A name without an end, or with what no name has, is another machine's. */
static void test_hostile_machine(void)
{
	struct facts facts, here;
	struct record out = { 0 }, in;

	guest_init(&g);
	facts_get(&here, &g.m);
	memset(here.machine, 'x', sizeof(here.machine));
	facts_save(&here, &out);
	facts_get(&here, &g.m);
	record_open(&in, out.data, out.len);
	KTAP_EQ(facts_restore(&facts, &here, &in), -EBADMSG);
	KTAP_STREQ(in.err.text, "the guest's machine was xxxxxxxxxxxxxxx, and is virt here (--machine)");
	/* A terminal would take this for a command. */
	out.data[out.len - 10] = '\033';
	record_open(&in, out.data, out.len);
	KTAP_EQ(facts_restore(&facts, &here, &in), -EBADMSG);
	KTAP_STREQ(in.err.text, "the guest's machine was xxxxxxxxxxxxxx?, and is virt here (--machine)");
	out.data[out.len - 9] = 0xff;
	record_open(&in, out.data, out.len);
	KTAP_EQ(facts_restore(&facts, &here, &in), -EBADMSG);
	record_free(&out);
}

/* Each of these makes another machine, and the message says how. */
static void test_another_machine(void)
{
	struct machine_type type;
	struct facts facts;
	struct error err;
	int fd;

	guest_init(&g);
	type = *g.m.type;
	type.name = "other";
	fd = save();
#define OTHER(change, why)							\
	do {									\
		guest_init(&g);							\
		change;								\
		KTAP_EQ(restore(fd, &facts, &err), -EBADMSG);			\
		KTAP_STREQ(err.text, "a.snap: part machine: " why);		\
	} while (0)
	OTHER(g.m.mem.region[0].size -= 1 << 20,
	      "the guest had 8 MiB of memory, and has 7 here (--memory)");
	g.m.mem.region[0].size = MEMORY;
	OTHER(g.m.type = &type, "the guest's machine was virt, and is other here (--machine)");
	OTHER(g.m.ram_base = 0x80000000,
	      /* literal: the message, word for word */
	      "the guest's memory began at 0x40000000, and begins at 0x80000000 here (--machine)");
	OTHER(g.cpus = 1, "the guest had 2 CPUs, and has 1 here (--cpus)");
	OTHER(g.midr++, "the guest ran on CPUs of another kind: MIDR 0x410fc0f0, and 0x410fc0f1 here");
	OTHER(g.m.pmu = true, "performance counters were off, and are on here (--pmu)");
	OTHER(g.m.firmware = true, "firmware was off, and is on here (--firmware)");
	guest_init(&g);
	g.thing.dev.base += 4096;
	KTAP_EQ(restore(fd, &facts, &err), -ENXIO);
	KTAP_STREQ(err.text, "a.snap: part thing@4001000: in its place is the part thing@4000000: was the guest saved with other options?");
	guest_init(&g);
	g.m.bus.nr = 0;
	KTAP_EQ(restore(fd, &facts, &err), -ENXIO);
	KTAP_STREQ(err.text, "a.snap: part console: in its place is the part thing@4000000: was the guest saved with other options?");
	close(fd);
}

/* Nothing begins while it could not be right, and the file stays the caller's. */
static void test_refused(void)
{
	struct save *s;
	struct error err;
	int fd = temporary(), file[2];

	guest_init(&g);
	s = save_new(&g.m);
#define REFUSED(change, undo, why)						\
	do {									\
		change;								\
		KTAP_TRUE(save_start(s, fd, SAVE_GO_ON, &err) < 0);			\
		KTAP_STREQ(err.text, why);					\
		KTAP_TRUE(is_open(fd) && !g.holders && !g.thing.paused);		\
		undo;								\
	} while (0)
	REFUSED(g.request = MACHINE_RESET, g.request = MACHINE_NONE, "The guest is being reset, or ends");
	REFUSED(g.m.debugger = true, g.m.debugger = false,
		"A debugger is there, which may have breakpoints in the guest's memory");
	REFUSED(g.pressed = true, g.pressed = false,
		"The power button is pressed: try again in a moment");
	REFUSED(g.cpus = 0, g.cpus = 2, "The guest has not started yet");
	REFUSED(g.m.unsaved = "files are open", g.m.unsaved = NULL, "files are open");
	KTAP_EQ(pipe(file), 0);
	KTAP_EQ(save_start(s, file[0], SAVE_GO_ON, &err), -EBADF);
	close(file[0]);
	close(file[1]);
	/* Two at a time. */
	g.thing.busy = true;
	KTAP_EQ(save_start(s, dup(fd), SAVE_GO_ON, &err), 0);
	KTAP_EQ(save_start(s, fd, SAVE_GO_ON, &err), -EBUSY);
	KTAP_STREQ(err.text, "There's a migration process in progress");
	g.thing.busy = false;
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_COMPLETED);
	save_free(s);
	close(fd);
}

/* Devices take their time, which the main loop does not wait for. */
static void test_busy(void)
{
	struct save *s;
	struct error err;

	guest_init(&g);
	s = save_new(&g.m);
	g.thing.busy = true;
	KTAP_EQ(save_start(s, temporary(), SAVE_GO_ON, &err), 0);
	run(s, 60);
	KTAP_EQ(phase(s), SAVE_ACTIVE);
	save_cancel(s);
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_CANCELLED);
	KTAP_TRUE(!g.holders && !g.thing.paused);
	/* What comes up meanwhile fails it. */
	KTAP_EQ(save_start(s, temporary(), SAVE_GO_ON, &err), 0);
	g.pressed = true;
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_FAILED);
	KTAP_TRUE(!g.holders && !g.thing.paused);
	save_free(s);
}

/* A device whose requests do not end fails it, and is named; the guest goes on. */
static void test_never_idle(void)
{
	struct save_status status;
	struct save *s;
	struct error err;

	guest_init(&g);
	s = save_new(&g.m);
	for (unsigned int goes_on = 0; goes_on < 2; goes_on++) {
		g.thing.busy = true;
		KTAP_EQ(save_start(s, temporary(), goes_on ? SAVE_GO_ON : 0, &err), 0);
		run(s, 10000);
		save_get(s, &status);
		KTAP_EQ(status.phase, SAVE_FAILED);
		KTAP_TRUE(g_str_has_prefix(status.why.text, "the requests of thing@4000000 have not ended within 1000 ms: "));
		KTAP_TRUE(!g.holders && !g.thing.paused);
		g.thing.busy = false;
		KTAP_EQ(save_start(s, temporary(), SAVE_GO_ON, &err), 0);
		run(s, 10000);
		KTAP_EQ(phase(s), SAVE_COMPLETED);
	}
	save_free(s);
}

static void failed(struct save *s, const char *why)
{
	struct save_status status;

	run(s, 10000);
	save_get(s, &status);
	KTAP_EQ(status.phase, SAVE_FAILED);
	KTAP_STREQ(status.why.text, why);
	KTAP_TRUE(!g.holders && !g.thing.paused);
	KTAP_EQ(g.thing.resumes, 1);
}

static void test_full_disk(void)
{
	struct save *s;
	struct error err;

	guest_init(&g);
	s = save_new(&g.m);
	KTAP_EQ(save_start(s, open("/dev/full", O_WRONLY), SAVE_GO_ON, &err), 0);
	failed(s, "the snapshot cannot be written: No space left on device");
	/* The next one works. */
	KTAP_EQ(save_start(s, temporary(), SAVE_GO_ON, &err), 0);
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_COMPLETED);
	/* Also a file system that tells at close(), for which the main thread does not wait. */
	g.thing.resumes = 0;
	full_fd = temporary();
	KTAP_EQ(save_start(s, full_fd, 0, &err), 0);
	failed(s, "the snapshot cannot be written: No space left on device");
	KTAP_EQ(full_fd, -1);
	KTAP_TRUE(!pthread_equal(full_thread, pthread_self()));
	save_free(s);
}

static void test_flush_fails(void)
{
	struct save *s;
	struct error err;

	guest_init(&g);
	s = save_new(&g.m);
	g.thing.fails = true;
	/* A guest that would stay stopped goes on after a failure. */
	KTAP_EQ(save_start(s, temporary(), 0, &err), 0);
	failed(s, "thing@4000000: flush: Input/output error");
	save_free(s);
}

/* A reader of a pipe that is deaf holds up only the guest, and only until somebody cancels it. */
static void test_deaf(void)
{
	struct save *s;
	struct error err;
	int end[2];

	guest_init(&g);
	/* More than a pipe holds. */
	for (unsigned int i = 0; i < 1 << 20; i++)
		g.m.mem.region[0].host[i] = g_random_int();
	s = save_new(&g.m);
	KTAP_EQ(pipe(end), 0);
	KTAP_EQ(save_start(s, end[1], SAVE_GO_ON, &err), 0);
	run(s, 300);
	KTAP_EQ(phase(s), SAVE_ACTIVE);
	save_cancel(s);
	KTAP_EQ(phase(s), SAVE_CANCELLING);
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_CANCELLED);
	KTAP_TRUE(!g.holders && !g.thing.paused);
	close(end[0]);
	/* The same if the guest's run ends; and a reader that goes. */
	KTAP_EQ(pipe(end), 0);
	KTAP_EQ(save_start(s, end[1], SAVE_GO_ON, &err), 0);
	run(s, 200);
	g.listener->event(g.listener, &(struct machine_event){ .type = MACHINE_EVENT_LEAVE });
	KTAP_EQ(phase(s), SAVE_FAILED);
	KTAP_TRUE(!g.holders && g.thing.paused);
	g.thing.paused = false;
	close(end[0]);
	KTAP_EQ(pipe(end), 0);
	g.thing.resumes = 0;
	signal(SIGPIPE, SIG_IGN);
	KTAP_EQ(save_start(s, end[1], SAVE_GO_ON, &err), 0);
	run(s, 100);
	close(end[0]);
	failed(s, "the snapshot cannot be written: Broken pipe");
	/* And a debugger that comes. */
	KTAP_EQ(pipe(end), 0);
	g.thing.resumes = 0;
	KTAP_EQ(save_start(s, end[1], SAVE_GO_ON, &err), 0);
	run(s, 100);
	g.m.debugger = true;
	failed(s, "A debugger is there, which may have breakpoints in the guest's memory");
	close(end[0]);
	save_free(s);
}

/* Without "go on" the guest and its devices stay stopped: it may run elsewhere by now. */
static void test_stays(void)
{
	struct save *s;
	struct error err;
	int fd = temporary();

	guest_init(&g);
	s = save_new(&g.m);
	KTAP_EQ(save_start(s, dup(fd), 0, &err), 0);
	run(s, 10000);
	KTAP_EQ(phase(s), SAVE_COMPLETED);
	KTAP_TRUE(save_has_stopped(s) && g.holders && g.thing.paused);
	KTAP_EQ(save_start(s, fd, SAVE_GO_ON, &err), -EBUSY);
	save_continue(s);
	KTAP_TRUE(!save_has_stopped(s) && !g.holders && !g.thing.paused);
	KTAP_EQ(g.gone, 1);
	/* Or it is reset, which makes devices go on. */
	KTAP_EQ(save_start(s, fd, 0, &err), 0);
	run(s, 10000);
	g.listener->event(g.listener, &(struct machine_event){ .type = MACHINE_EVENT_LEAVE });
	KTAP_TRUE(!g.holders && !save_has_stopped(s));
	save_free(s);
}

KTAP_MAIN(KTAP_CASE(test_there_and_back), KTAP_CASE(test_stopped), KTAP_CASE(test_adding),
	  KTAP_CASE(test_log_ends), KTAP_CASE(test_old_facts), KTAP_CASE(test_hostile_machine),
	  KTAP_CASE(test_another_machine), KTAP_CASE(test_refused), KTAP_CASE(test_busy),
	  KTAP_CASE(test_never_idle), KTAP_CASE(test_full_disk), KTAP_CASE(test_flush_fails),
	  KTAP_CASE(test_deaf), KTAP_CASE(test_stays))

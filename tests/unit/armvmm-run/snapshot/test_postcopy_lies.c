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
// Post-copy with another process that lies: an old one that sends other pages than it should, and a
// new one that asks for others than there are.
#include "postcopy_run.h"

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

#define NOT_RUN	": the guest has not run here"
#define TWO	.hello = 2, .state = 2

static void test_lies(void)
{
	NEEDS_IT;
	lies(&(struct lie){ TWO, .first = 3, .pages = 1, .zero = 2, .all = true }, "fine");
	lies(&(struct lie){ .hello = 4, .state = 2, .first = 3, .pages = 3, .all = true }, "fine");
	/* Before it runs: nothing does. */
	lies(&(struct lie){ .hello = 5, .state = 2 },
	     "B: part migration: has version 5, and this program knows version 4");
	lies(&(struct lie){ .hello = 3, .state = 2 },
	     "B: part state: has version 2, and this program knows version 1");
	lies(&(struct lie){ .hello = 1, .state = 2 },
	     "B: part state: has version 2, and this program knows version 1");
	lies(&(struct lie){ TWO, .bank = 1 }, "B: part missing: is of another memory");
	lies(&(struct lie){ TWO, .more = 4 }, "B: part missing: is of another memory");
	lies(&(struct lie){ TWO, .more = -4 }, "B: part missing: is of another memory");
	lies(&(struct lie){ TWO, .more = -4 - 4 * WORDS }, "B: part missing: is of another memory");
	/* Or afterwards. */
	lies(&(struct lie){ TWO, .first = 3, .pages = 5, .all = true },
	     "B: part memory: of " G_STRINGIFY(RAM_BASE) ": has a page that was not missing" NOT_RUN);
	lies(&(struct lie){ TWO, .first = 3, .zero = 7, .all = true },
	     "B: part memory: of " G_STRINGIFY(RAM_BASE) ": has a page that was not missing" NOT_RUN);
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
		if (!strcmp((char *)head + 8, WIRE_MARK))
			part_write(&w, WIRE_PASSED, WIRE_VERSION, NULL, 0, NULL, 0);
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
	KTAP_EQ(send_switch(s, 0, &err), 0);
	__atomic_store_n(&l->ready, true, __ATOMIC_RELEASE);
	while (send_is_active(s))
		g_main_context_iteration(NULL, TRUE);
	send_get(s, &status);
	KTAP_EQ(status.phase, phase);
	KTAP_TRUE(!why == !status.why.text[0] && (!why || strstr(status.why.text, why)));
	if (why && !strstr(status.why.text, why))
		printf("# %s\n", status.why.text);
	KTAP_TRUE(!runs(&a));
	KTAP_EQ(send_continue(s, true, &err), -EBUSY);
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

KTAP_MAIN(KTAP_CASE(test_lies), KTAP_CASE(test_liars))

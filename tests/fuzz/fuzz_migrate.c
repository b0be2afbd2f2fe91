// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/memlog.c userspace/armvmm-run/snapshot/follow.c
// sources: userspace/armvmm-run/snapshot/send.c userspace/armvmm-run/snapshot/send_thread.c userspace/armvmm-run/snapshot/receive.c
// sources: userspace/armvmm-run/snapshot/wire.c userspace/armvmm-run/snapshot/state.c
// sources: userspace/armvmm-run/snapshot/restore.c userspace/armvmm-run/snapshot/part.c
// sources: userspace/armvmm-run/snapshot/places.c
// sources: userspace/armvmm-run/snapshot/pages.c userspace/armvmm-run/snapshot/facts.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/thread.c userspace/armvmm-run/snapshot/postcopy.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE
// cflags: -include tests/fuzz/migrate_fuzz.h
// pkgs: glib-2.0 zlib libzstd
// max_len: 2048
/*
 * The far end of a migration is an attacker, who knows the checksums: one that sends a guest, or
 * one that is sent a guest, up to the handover. It may say anything at any time, close its end, or
 * fall silent. Time is the target's own, so that no deadline is waited for. A thread runs to its
 * end when it is made, and whenever it waits, the far end has its turn: so a run is repeatable.
 * Who waits for missing pages is the target's own, too: a page that is there is never written.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEMORY	(256u << 10)
#include "armvmm-run/snapshot/guest_fake.h"
#include "fuzz.h"
#include "snapshot/faults.h"
#include "snapshot/layout.h"
#include "snapshot/memlog.h"
#include "snapshot/postcopy.h"
#include "snapshot/receive.h"
#include "snapshot/send.h"
#include "snapshot/wire.h"

static struct guest guest;
static unsigned int claimed;	/* who has the disks: 1 this guest, 2 the far end's */

/* ---- Time, and who has it ---- */

struct peer;

static int64_t now;		/* microseconds */
static struct peer *far;	/* NULL: all that it says was written before */
static bool silent;		/* nothing more comes from it */

static void peer_turn(struct peer *p);

gint64 g_get_monotonic_time(void)
{
	return now += 10;
}

void g_usleep(gulong us)
{
	now += us;
}

guint g_timeout_add(guint ms, GSourceFunc fn, gpointer opaque)
{
	now += ms * 1000;
	return g_timeout_add_full(G_PRIORITY_DEFAULT, 0, fn, opaque, NULL);
}

int poll(struct pollfd *fds, nfds_t nr, int ms)
{
	const struct timespec none = { 0 };
	int ret;

	if (far)
		peer_turn(far);
	ret = ppoll(fds, nr, &none, NULL);
	if (!ret)
		now += silent ? ms * 20000 : ms * 1000;
	return ret;
}

/* A thread that runs when it is waited for, at the latest; or NULL. */
static void *(*later)(void *opaque);
static void *later_opaque;
static bool wait_with_it;

static void run_later(void)
{
	if (later)
		later(later_opaque);
	later = NULL;
}

/* The main thread waits for it. */
gboolean g_main_context_iteration(GMainContext *context, gboolean may_block)
{
	gboolean (*real)(GMainContext *, gboolean) = dlsym(RTLD_NEXT, __func__);

	if (!later)
		return real(context, may_block);
	run_later();
	return TRUE;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *opaque),
		   void *opaque)
{
	later = fn;
	later_opaque = opaque;
	if (!wait_with_it)
		run_later();
	return 0;
}

int pthread_join(pthread_t thread, void **result)
{
	run_later();
	return 0;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	return 0;
}

ssize_t getrandom(void *buf, size_t len, unsigned int flags)
{
	memset(buf, 7, len);
	return len;
}

/* ---- Pages that are missing ---- */

#define PAGES	(MEMORY / 4096)

static bool missing[PAGES];	/* nobody has put it there yet */
static uint8_t wanted[8];	/* for which pages somebody waits, the last one first */
static unsigned int nr_wanted;
static bool gave_up;		/* the process would have ended */
static bool following;
static unsigned int meanwhile;	/* when some is given back: so many looks later */

void machine_note(struct machine *m, const char *fmt, ...)
{
}

static void broken(const char *why)
{
	FUZZ_MUST(!gave_up && strstr(why, ": the guest, which runs already, cannot go on"));
	gave_up = true;
}

static unsigned int page_of(const uint8_t *at)
{
	size_t offset = at - guest.m.mem.region[0].host;

	FUZZ_MUST(at >= guest.m.mem.region[0].host && offset < MEMORY && offset % 4096 == 0);
	return offset / 4096;
}

int faults_open(struct faults *f, const struct machine *m, const char *what, struct error *err)
{
	f->fd = eventfd(0, EFD_CLOEXEC);
	return 0;
}

void faults_close(struct faults *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

int faults_register(const struct faults *f, const struct machine *m)
{
	return 0;
}

void faults_unregister(const struct faults *f, const struct machine *m)
{
}

unsigned int faults_read(const struct faults *f, uint8_t *page[FAULTS_MAX])
{
	if (meanwhile && following && !--meanwhile)
		guestmem_release(&guest.m.mem, guest.m.mem.region[0].host + 8192, 8192);
	if (!nr_wanted)
		return 0;
	*page = guest.m.mem.region[0].host + wanted[--nr_wanted] % PAGES * 4096;
	return 1;
}

int64_t faults_put(const struct faults *f, uint8_t *to, const uint8_t *from, uint64_t len)
{
	bool *is = &missing[page_of(to)];

	FUZZ_MUST(len == 4096 && !gave_up);
	if (!*is)
		return -EEXIST;
	*is = false;
	if (from)
		memcpy(to, from, len);
	else
		memset(to, 0, len);
	return len;
}

int faults_wake(const struct faults *f, const uint8_t *page)
{
	page_of(page);
	return 0;
}

void faults_again(const struct faults *f, const struct machine *m)
{
}

int faults_error(int ret, struct error *err)
{
	return error_errno(err, ret, "a page");
}

/* ---- What the far end says ---- */

struct stream {
	uint8_t data[64 << 10];
	size_t len;
};

static int stream_write(void *opaque, const void *data, size_t len)
{
	struct stream *s = opaque;

	if (len > sizeof(s->data) - s->len)
		return -ENOSPC;
	memcpy(s->data + s->len, data, len);
	s->len += len;
	return 0;
}

/* Something else than what is expected: 1 in 16, if the input says nothing else. */
static bool otherwise(struct fuzz *f)
{
	return fuzz_u8(f) >= 240;
}

/* Contents of a part, some of whose bytes the input changes. */
static void put(struct fuzz *f, struct part_writer *w, const char *name, uint32_t version,
		const void *data, size_t len)
{
	static const char *const names[] = {
		WIRE_HELLO, PAGES_PART, WIRE_STATE, PART_END, WIRE_COMMIT, WIRE_READY, WIRE_TAKEN,
		WIRE_RUNNING, WIRE_REFUSED, WIRE_MISSING, WIRE_ALL, WIRE_REQUEST, WIRE_WHOLE,
		FACTS_PART, LAYOUT_CPUS, LAYOUT_CONSOLE, "thing", "\033[2J", WIRE_MARK,
		WIRE_PASSED,
	};
	uint8_t copy[8192];

	len = len < sizeof(copy) ? len : sizeof(copy);
	if (len)
		memcpy(copy, data, len);
	if (otherwise(f)) {
		for (unsigned int n = fuzz_u8(f) % 8; n && len; n--)
			copy[fuzz_u16(f) % len] = fuzz_u8(f);
		if (fuzz_u8(f) & 1)
			len = fuzz_u16(f) % (len + 1);
		if (fuzz_u8(f) & 1)
			version += fuzz_u8(f);
		if (fuzz_u8(f) & 1)
			name = names[fuzz_u8(f) % (sizeof(names) / sizeof(names[0]))];
		w->nr += fuzz_u8(f) & 1;
	}
	part_write(w, name, version, copy, len, NULL, 0);
}

static uint64_t put_memory(struct fuzz *f, struct part_writer *w)
{
	struct {
		uint64_t gpa;
		uint32_t nr, method;
		uint64_t there[4], zero[4];
		uint8_t data[4 * 4096];
	} part = {
		.gpa = (fuzz_u8(f) & 1 ? RAM : BANK) + (fuzz_u8(f) % 4 << 12),
		.nr = 1 + fuzz_u8(f) % 4,
		.there = { fuzz_u8(f) & 15 },
	};
	size_t len, pages;

	part.there[0] &= (1u << part.nr) - 1;
	part.zero[0] = fuzz_u8(f) & ((1u << part.nr) - 1) & ~part.there[0];
	if (otherwise(f))
		fuzz_bytes(f, &part, sizeof(part) - sizeof(part.data));
	pages = __builtin_popcountll(part.there[0]);
	len = (pages < 4 ? pages : 4) * 4096;
	fuzz_bytes(f, part.data, 16);
	if (otherwise(f))
		len = fuzz_u16(f) % sizeof(part.data);
	part_write(w, PAGES_PART, otherwise(f) ? PAGES_VERSION : PAGES_LIVE, &part,
		   sizeof(part) - sizeof(part.data), part.data, len);
	return pages;
}

static void put_missing(struct fuzz *f, struct part_writer *w, uint32_t bits[PAGES / 32])
{
	uint32_t all[2 + PAGES / 32] = { 0 };	/* the bank's come first */

	for (unsigned int i = 0; i < PAGES / 32; i++)
		all[2 + i] = bits[i] = fuzz_u8(f) * 0x01010101u;
	put(f, w, WIRE_MISSING, WIRE_VERSION, all, sizeof(all));
}

/* The pages that follow, or nearly. */
static void put_following(struct fuzz *f, struct part_writer *w, const uint32_t bits[PAGES / 32])
{
	struct {
		uint64_t gpa;
		uint32_t nr, method;
		uint64_t there[4], zero[4];
	} head = { .nr = 16 };
	static uint8_t data[16 * 4096];

	for (unsigned int at = 0; at < PAGES; at += 16) {
		unsigned int which = bits[at / 32] >> at % 32 & 0xffff;

		head.gpa = RAM + at * 4096;
		head.zero[0] = which & fuzz_u8(f) * 0x101;
		head.there[0] = which & ~head.zero[0];
		memset(data, at + 1, sizeof(data));
		if (otherwise(f))
			put_memory(f, w);
		if (which && !otherwise(f))
			part_write(w, PAGES_PART, PAGES_LIVE, &head, sizeof(head), data,
				   __builtin_popcountll(head.there[0]) * 4096);
	}
	put(f, w, WIRE_ALL, WIRE_VERSION, NULL, 0);
}

/* A snapshot without memory. */
static void put_state(struct fuzz *f, struct part_writer *w, uint32_t version)
{
	static struct stream tail;
	struct part_writer t = { .write = stream_write, .opaque = &tail };
	const uint8_t id[PART_ID_SIZE] = { 2 };
	struct layout_end none = { 0 };
	struct record r = { .len = 0 };
	struct facts facts;
	char name[DEVICE_NAME_MAX];
	uint32_t value = 100;

	tail.len = 0;
	part_begin(&t, id, NULL);
	facts_get(&facts, &guest.m);
	facts_save(&facts, &r);
	put(f, &t, FACTS_PART, FACTS_VERSION, r.data, r.len);
	record_free(&r);
	put(f, &t, LAYOUT_CPUS, LAYOUT_CPUS_VERSION, "cpus", 4);
	device_name(&guest.thing.dev, name);
	put(f, &t, name, thing_ops.state_version, &value, sizeof(value));
	put(f, &t, LAYOUT_CONSOLE, LAYOUT_CONSOLE_VERSION, "text", 4);
	put(f, &t, PART_END, LAYOUT_END_VERSION, &none, sizeof(none));
	put(f, w, WIRE_STATE, version, tail.data, tail.len);
}

/* A guest that is sent to us. With @marks, we are asked what has come. */
static void write_guest(struct fuzz *f, struct stream *s, bool follows, bool marks)
{
	uint32_t version = follows ? WIRE_POSTCOPY : WIRE_VERSION, bits[PAGES / 32];
	uint32_t marked = follows ? WIRE_MARKS_POSTCOPY : WIRE_MARKS;
	unsigned int nr_marks = 0;
	struct part_writer w = { .write = stream_write, .opaque = s };
	const uint8_t id[PART_ID_SIZE] = { 1 };
	struct layout_end end = { 0 };
	struct record r = { .len = 0 };
	struct facts facts;

	part_begin(&w, id, NULL);
	facts_get(&facts, &guest.m);
	facts_save(&facts, &r);
	put(f, &w, WIRE_HELLO, marks ? marked : version, r.data, r.len);
	record_free(&r);
	for (end.parts = fuzz_u8(f) % 4; w.nr <= end.parts + nr_marks;) {
		end.pages += put_memory(f, &w);
		if (marks && fuzz_u8(f) & 1) {
			put(f, &w, WIRE_MARK, WIRE_VERSION, NULL, 0);
			nr_marks++;
		}
	}
	put_state(f, &w, version);
	if (follows)
		put_missing(f, &w, bits);
	put(f, &w, PART_END, LAYOUT_END_VERSION, &end, sizeof(end));
	put(f, &w, WIRE_COMMIT, WIRE_VERSION, NULL, 0);
	if (follows)
		put_following(f, &w, bits);
}

/* ---- Reading what we say ---- */

struct words {
	uint8_t data[1 << 20];
	size_t len, at;
};

static int64_t words_read(void *opaque, void *data, size_t len)
{
	struct words *w = opaque;
	size_t n = len < w->len - w->at ? len : w->len - w->at;

	memcpy(data, w->data + w->at, n);
	w->at += n;
	return n;
}

static void words_take(struct words *w, int fd)
{
	ssize_t n;

	while (w->len < sizeof(w->data) &&
	       (n = recv(fd, w->data + w->len, sizeof(w->data) - w->len, MSG_DONTWAIT)) > 0)
		w->len += n;
}

/* The name of part @nr, if the whole of it has come; NULL: not yet. */
static const char *words_part(struct words *w, unsigned int nr)
{
	static char name[PART_NAME_MAX];
	size_t at = 64;

	for (;; nr--) {
		uint64_t len;

		if (at + 64 > w->len)
			return NULL;
		memcpy(&len, w->data + at + 48, sizeof(len));
		if (len > w->len - at - 64)
			return NULL;
		memcpy(name, w->data + at + 8, sizeof(name));
		if (!nr)
			return name;
		at += 64 + len;
	}
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* ---- A guest comes ---- */

/*
 * What the guest's old process was told: "running" only if it may run, and else why it does not. By
 * post-copy it does not either if nothing was heard after that.
 */
static void check_words(struct words *w, bool here, bool may)
{
	struct part_reader r = { .read = words_read, .opaque = w, .file = "words" };
	static const char *const order[][4] = {
		{ WIRE_READY, WIRE_REFUSED }, { WIRE_TAKEN, WIRE_REFUSED, WIRE_PASSED },
		{ WIRE_RUNNING, WIRE_REFUSED },
	};
	struct error err;
	bool running = false;
	unsigned int n;

	if (part_open(&r, &err)) {
		FUZZ_MUST(!here);
		return;
	}
	for (n = 0; n < 3; n += strcmp(r.name, WIRE_PASSED) != 0) {
		if (part_read_any(&r, order[n], &err))
			break;
		running = !strcmp(r.name, WIRE_RUNNING);
		if (!strcmp(r.name, WIRE_REFUSED))
			break;
	}
	FUZZ_MUST(running ? may : !here);
	part_reader_free(&r);
}

/* Pages come, for whoever waits; some may be given back meanwhile. */
static void follow(struct fuzz *f)
{
	uint8_t how = fuzz_u8(f);

	memset(missing, true, sizeof(missing));
	fuzz_bytes(f, wanted, sizeof(wanted));
	nr_wanted = how % (sizeof(wanted) + 1);
	meanwhile = how >> 4;
}

static void come(struct fuzz *f, bool more)
{
	static struct stream stream;
	static struct words words;
	struct receive_source source = { .name = "peer", .listen = -1 };
	struct postcopy *p = postcopy_new(&guest.m);
	bool may = false;
	size_t given = f->len;
	uint8_t how = fuzz_u8(f);
	struct error err = { "" };
	struct facts facts;
	struct receive *r;
	int fd[2], ret;

	stream.len = words.len = words.at = 0;
	machine_hold(&guest.m, MACHINE_HOLDER_INCOMING);
	if (how & 1)
		stream_write(&stream, f->data, f->len);
	else
		write_guest(f, &stream, how & 32, more && how & 64);
	if (how & 2)
		stream.len = fuzz_u16(f) % (stream.len + 1);
	FUZZ_MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd));
	FUZZ_MUST(send(fd[1], stream.data, stream.len, 0) == (ssize_t)stream.len || !stream.len);
	/* It hangs up, says nothing more, or also stops listening. */
	if (how & 4)
		FUZZ_MUST(!shutdown(fd[1], how & 8 ? SHUT_RDWR : SHUT_WR));
	silent = true;
	far = NULL;
	source.in = source.out = fd[0];
	r = receive_new(&guest.m, &source, p);
	ret = receive_guest(r, &facts, &err);
	FUZZ_MUST(!ret == !err.text[0] && is_plain(err.text));
	FUZZ_MUST(!ret || !strncmp(err.text, "peer: ", 6));
	/* What was not changed is taken. */
	FUZZ_MUST(given || !ret);
	if (!ret && how & 16) {
		error_set(&err, -EIO, "no");
		receive_refuse(r, &err);
		ret = -EIO;
	} else if (!ret) {
		may = true;
		wait_with_it = true;
		follow(f);
		following = true;
		ret = receive_confirm(r, &err);
		following = false;
		wait_with_it = false;
		if (ret)
			receive_refuse(r, &err);
	}
	if (!ret) {
		device_bus_resume(&guest.m.bus);
		machine_release(&guest.m, MACHINE_HOLDER_INCOMING);
	}
	receive_free(r);
	postcopy_free(p);
	FUZZ_MUST(!later && !guest.m.mem.give_back);
	nr_wanted = 0;
	FUZZ_MUST(guest.thing.value <= 1000 || ret);
	words_take(&words, fd[1]);
	if (!(how & 8))
		check_words(&words, !ret, may);
	close(fd[1]);
}

/* ---- A guest goes ---- */

struct peer {
	struct fuzz *f;
	struct part_writer w;
	struct send *send;
	int fd;
	size_t said;
	unsigned int parts;	/* of what it heard: answered so far */
	bool refused, ran;	/* it may have said so */
	bool mute, left;
	bool plain;		/* its answers to marks are as they should be */
	struct stream says;
	struct words hears;
};

/* As the protocol has it, or anything. */
static void peer_say(struct peer *p, const char *word)
{
	if (otherwise(p->f))
		word = WIRE_REFUSED;
	p->refused |= !strcmp(word, WIRE_REFUSED);
	p->ran |= !strcmp(word, WIRE_RUNNING);
	put(p->f, &p->w, word, WIRE_VERSION, "\033c no", strcmp(word, WIRE_REFUSED) ? 0 : 5);
}

/* Somebody there waits for a page; or it says so. */
static void peer_request(struct peer *p)
{
	uint64_t gpa = RAM + fuzz_u8(p->f) % PAGES * 4096;

	if (otherwise(p->f))
		fuzz_bytes(p->f, &gpa, sizeof(gpa));
	put(p->f, &p->w, WIRE_REQUEST, WIRE_VERSION, &gpa, sizeof(gpa));
}

static void peer_answer(struct peer *p, const char *heard)
{
	if (p->plain && !strcmp(heard, WIRE_MARK)) {
		part_write(&p->w, WIRE_PASSED, WIRE_VERSION, NULL, 0, NULL, 0);
		return;
	}
	if (otherwise(p->f)) {
		switch (fuzz_u8(p->f) % 5) {
		case 0:
			peer_say(p, WIRE_TAKEN);
			break;
		case 1:
			shutdown(p->fd, SHUT_RDWR);
			p->mute = true;
			break;
		case 2:
			p->mute = true;
			break;
		case 3:
			send_cancel(p->send);
			break;
		default:
			/* The guest's run is over: a reset, or its end. */
			p->left = true;
		}
	}
	if (!strcmp(heard, WIRE_HELLO))
		peer_say(p, WIRE_READY);
	else if (!strcmp(heard, WIRE_MARK))
		peer_say(p, WIRE_PASSED);
	else if (!strcmp(heard, PART_END))
		peer_say(p, WIRE_TAKEN);
	else if (!strcmp(heard, WIRE_COMMIT))
		peer_say(p, WIRE_RUNNING);
	else if (!strcmp(heard, WIRE_ALL))
		peer_say(p, WIRE_WHOLE);
	else if (p->ran && !strcmp(heard, PAGES_PART) && fuzz_u8(p->f) & 1)
		peer_request(p);
}

/* Hears what has come, and answers. */
static void peer_turn(struct peer *p)
{
	const char *part;
	ssize_t n;

	words_take(&p->hears, p->fd);
	while (!p->mute && (part = words_part(&p->hears, p->parts))) {
		p->parts++;
		peer_answer(p, part);
	}
	n = p->says.len > p->said ?
		    send(p->fd, p->says.data + p->said, p->says.len - p->said,
			 MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
	if (n > 0)
		p->said += n;
	silent = p->mute;
}

/* Whatever the far end did: has it the guest, or have we? */
static void check_gone(struct peer *p, const struct send_status *status)
{
	bool committed = false, runs = !guest.holders && !guest.thing.paused;
	bool switched = false, away = strstr(guest.told, "postcopy-active");
	const char *part;

	words_take(&p->hears, p->fd);
	for (unsigned int i = 0; (part = words_part(&p->hears, i)); i++) {
		committed |= !strcmp(part, WIRE_COMMIT);
		switched |= !strcmp(part, WIRE_MISSING);
	}
	FUZZ_MUST(is_plain(status->why.text));
	FUZZ_MUST(!guest.logs && !guest.throttle);
	if (p->left)
		return;
	/*
	 * One that was not handed over runs here, and one that was, and not refused, does not. One
	 * whose memory is to follow runs there only if that was heard here.
	 */
	FUZZ_MUST(committed || runs);
	FUZZ_MUST(!committed || p->refused || !runs || (switched && !away));
	FUZZ_MUST(!runs || claimed == 1);
	FUZZ_MUST(status->phase != SEND_COMPLETED || (committed && p->ran));
}

static void go(struct fuzz *f, bool more)
{
	static struct peer peer;
	const uint8_t id[PART_ID_SIZE] = { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };
	struct send_status status;
	size_t given = f->len;
	uint8_t how = fuzz_u8(f);
	struct error err = { "" };
	int fd[2];

	memset(&peer, 0, offsetof(struct peer, says));
	peer.f = f;
	peer.w = (struct part_writer){ .write = stream_write, .opaque = &peer.says };
	peer.says.len = peer.hears.len = 0;
	peer.plain = !(more && how & 128);
	silent = false;
	far = &peer;
	guest.uncached = how & 1;
	guest.always = how & 2 ? 3 : 0;
	if (how & 4)
		for (unsigned int i = 0; i < MEMORY; i++)
			guest.m.mem.region[0].host[i] = (i * 2654435761u) >> 13;
	FUZZ_MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd));
	peer.fd = fd[1];
	peer.send = send_new(&guest.m);
	part_begin(&peer.w, id, NULL);
	/* With what is written all the time, it does not converge, and may have to switch. */
	if (how & 64)
		send_params(peer.send)->downtime_ms = 0;
	FUZZ_MUST(!send_start(peer.send, fd[0], (how & 8 ? SEND_MAY_CONVERGE : 0) |
						(how & 64 ? SEND_MAY_SWITCH : 0), &err));
	while (send_is_active(peer.send)) {
		peer_turn(&peer);
		/* The far end takes the disks before it says so, as it should; or never. */
		if (guest.holders && !claimed && how & 16)
			claimed = 2;
		if (peer.left)
			guest.listener->event(guest.listener, &(struct machine_event){
				.type = MACHINE_EVENT_LEAVE });
		else
			g_main_context_iteration(NULL, FALSE);
	}
	far = NULL;
	send_get(peer.send, &status);
	check_gone(&peer, &status);
	FUZZ_MUST(given || status.phase == SEND_COMPLETED);
	/* One that has run there with memory from here never goes on. */
	if (send_has_stopped(peer.send) && how & 32) {
		bool away = strstr(guest.told, "postcopy-active"), anyway = how & 128;
		bool may = anyway || status.phase != SEND_COMPLETED;
		bool goes = !send_continue(peer.send, anyway, &err);

		/* It claims the disks, which the far end may have. */
		FUZZ_MUST(goes == (may && claimed == 1 && !away));
	}
	send_free(peer.send);
	FUZZ_MUST(!guest.listener);
	close(fd[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	uint8_t which;

	signal(SIGPIPE, SIG_IGN);
	guest_init(&guest);
	guest.m.broken = broken;
	gave_up = false;
	guest.kept[0] = '\0';
	claimed = 1;
	guest.m.guard.locked = true;
	guest.thing.claimed = &claimed;
	guest.thing.self = 1;
	now = 1000000;
	which = fuzz_u8(&f);
	/* Inputs of before there were marks mean what they did. */
	if (which & 1)
		go(&f, (which & 20) == 20);
	else
		come(&f, (which & 20) == 20);
	FUZZ_MUST(!ktap_failed);
	return 0;
}

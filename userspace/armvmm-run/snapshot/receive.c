// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/machine_private.h"
#include "core/runstate.h"
#include "core/thread.h"
#include "snapshot/layout.h"
#include "snapshot/postcopy.h"
#include "snapshot/receive.h"
#include "snapshot/restore.h"
#include "snapshot/wire.h"

#define RECEIVE_HELLO_MS	10000	/* for the first words, until then anybody may be there */
#define RECEIVE_COMMIT_MS	60000	/* longer than anybody lets a guest stand still */
#define RECEIVE_DRAIN_MS	2000	/* for the far end to read why it is refused */
#define RECEIVE_STACK_SIZE	(128u << 10)

struct receive {
	struct machine *m;
	struct receive_source *source;
	struct postcopy *postcopy;

	/* While there is a thread, it has what follows, ... */
	int (*work)(struct receive *r);
	bool running;
	pthread_t thread;
	struct wire wire;
	struct part_reader reader;
	struct part_writer words;
	struct pages_layout layout;
	struct facts here;
	uint8_t *tail;		/* the contents of WIRE_STATE */
	size_t tail_len, tail_at;
	bool greeted;		/* whoever is there has a guest for this machine */
	bool may_follow;	/* it may come before all of its memory */
	bool marks;		/* it asks by marks what has come */
	bool follows;		/* its memory is not complete when it is handed over */
	int ret;
	struct error why;
	/* ... and these are atomic. */
	bool finished, cancelled;
};

/* ---- The thread ---- */

/* Errors have the part's name, and the name of where it comes from. */
static int receive_say(struct receive *r, const char *word)
{
	int ret = part_write(&r->words, word, WIRE_VERSION, NULL, 0, NULL, 0);

	return ret ? error_errno(&r->why, ret, "%s: %s", r->source->name, word) : 0;
}

/* May the part that was read have version @other, too? 0: no. */
static int receive_version(struct receive *r, uint32_t other)
{
	if (r->reader.version == WIRE_VERSION || (other && r->reader.version == other))
		return 0;
	return part_error(&r->reader, -EPROTONOSUPPORT, &r->why,
			  "has version %u, and this program knows version %u", r->reader.version,
			  other ? other : WIRE_VERSION);
}

static int receive_part(struct receive *r, const char *name)
{
	int ret = part_read(&r->reader, name, &r->why);

	return ret ? ret : receive_version(r, 0);
}

/* What may come, by the version of WIRE_HELLO. */
static int receive_kind(struct receive *r)
{
	uint32_t version = r->reader.version;

	r->may_follow = version == WIRE_POSTCOPY || version == WIRE_MARKS_POSTCOPY;
	r->marks = version == WIRE_MARKS || version == WIRE_MARKS_POSTCOPY;
	return r->may_follow || r->marks ? 0 : receive_version(r, WIRE_MARKS_POSTCOPY);
}

static int receive_hello(struct receive *r)
{
	struct facts facts;
	struct record record;
	int ret = part_open(&r->reader, &r->why);

	if (ret)
		return ret;
	ret = part_begin(&r->words, r->reader.id, NULL);
	if (ret)
		return error_errno(&r->why, ret, "%s: header", r->source->name);
	ret = part_read(&r->reader, WIRE_HELLO, &r->why);
	if (!ret)
		ret = receive_kind(r);
	if (ret)
		return ret;
	record_open(&record, r->reader.data, r->reader.len);
	ret = facts_restore(&facts, &r->here, &record);
	if (ret)
		return part_error(&r->reader, ret, &r->why, "%s", record.err.text);
	if (r->may_follow)
		ret = postcopy_may(r->postcopy, &record.err);
	if (ret)
		return part_error(&r->reader, ret, &r->why, "%s", record.err.text);
	return receive_say(r, WIRE_READY);
}

/* All that came before it is in its place. If nobody is there any more, the next read says so. */
static int receive_mark(struct receive *r)
{
	int ret = receive_version(r, 0);

	if (ret)
		return ret;
	ret = receive_say(r, WIRE_PASSED);
	return ret == -EPIPE || ret == -ECONNRESET ? 0 : ret;
}

/* Until the part that follows memory. */
static int receive_memory(struct receive *r, struct layout_end *count)
{
	const char *const names[] = { PAGES_PART, WIRE_STATE, r->marks ? WIRE_MARK : NULL, NULL };
	struct pages_reader *p = pages_reader_new(&r->layout, PAGES_LIVE);
	int ret = 0;

	if (!p)
		return error_errno(&r->why, -ENOMEM, "%s", r->source->name);
	while (!ret) {
		ret = part_read_any(&r->reader, names, &r->why);
		if (ret || !strcmp(r->reader.name, WIRE_STATE))
			break;
		if (!strcmp(r->reader.name, WIRE_MARK)) {
			ret = receive_mark(r);
		} else {
			ret = pages_read(p, &r->reader, &count->pages, &r->why);
			count->parts += !ret;
		}
	}
	pages_reader_free(p);
	return ret;
}

static int receive_tail(struct receive *r)
{
	int ret = receive_version(r, r->may_follow ? WIRE_POSTCOPY : 0);

	if (ret)
		return ret;
	r->follows = r->reader.version == WIRE_POSTCOPY;
	r->tail_len = r->reader.len;
	r->tail = malloc(r->tail_len + 1);
	if (!r->tail)
		return error_errno(&r->why, -ENOMEM, "%s", r->source->name);
	memcpy(r->tail, r->reader.data, r->tail_len);
	return 0;
}

/* Which pages are to follow. */
static int receive_missing(struct receive *r)
{
	int ret = receive_part(r, WIRE_MISSING);

	return ret ? ret : postcopy_missing(r->postcopy, &r->reader, &r->why);
}

static int receive_end(struct receive *r, const struct layout_end *found)
{
	int ret = part_read(&r->reader, PART_END, &r->why);

	if (ret)
		return ret;
	if (r->reader.version != LAYOUT_END_VERSION || r->reader.len != sizeof(*found) ||
	    memcmp(r->reader.data, found, sizeof(*found)))
		return part_error(&r->reader, -EBADMSG, &r->why,
				  "does not count the memory that came");
	return 0;
}

static int receive_stream(struct receive *r)
{
	struct layout_end found = { .parts = 0 };
	int ret;

	r->wire.deadline = g_get_monotonic_time() + RECEIVE_HELLO_MS * 1000ll;
	ret = receive_hello(r);
	if (ret)
		return ret;
	r->greeted = true;
	r->wire.deadline = 0;
	ret = receive_memory(r, &found);
	if (!ret)
		ret = receive_tail(r);
	if (!ret && r->follows)
		ret = receive_missing(r);
	return ret ? ret : receive_end(r, &found);
}

static int receive_commit(struct receive *r)
{
	int ret = receive_say(r, WIRE_TAKEN);

	if (ret)
		return ret;
	r->wire.deadline = g_get_monotonic_time() + RECEIVE_COMMIT_MS * 1000ll;
	return receive_part(r, WIRE_COMMIT);
}

/* r->why is what the far end is told. */
static int receive_tell_why(struct receive *r)
{
	r->wire.deadline = g_get_monotonic_time() + RECEIVE_DRAIN_MS * 1000ll;
	if (!r->words.seed)
		return 0;	/* it has not even said which migration this is */
	if (part_write(&r->words, WIRE_REFUSED, WIRE_VERSION, r->why.text, strlen(r->why.text),
		       NULL, 0))
		return 0;
	/* It may be in the middle of a long word, and is answered only after that. */
	wire_drain(&r->wire, RECEIVE_DRAIN_MS);
	return 0;
}

static void *receive_thread(void *opaque)
{
	struct receive *r = opaque;

	prctl(PR_SET_NAME, "incoming");
	machine_confine(r->m, MACHINE_THREAD_DISK);
	r->ret = r->work(r);
	__atomic_store_n(&r->finished, true, __ATOMIC_RELEASE);
	g_main_context_wakeup(r->m->context);
	return NULL;
}

/* ---- Its course ---- */

static int receive_start_thread(struct receive *r, int (*work)(struct receive *r))
{
	int ret;

	r->work = work;
	r->finished = false;
	ret = thread_start(&r->thread, RECEIVE_STACK_SIZE, receive_thread, r);
	r->running = !ret;
	return ret ? error_errno(&r->why, ret, "%s: cannot start a thread", r->source->name) : 0;
}

static void receive_join(struct receive *r)
{
	if (r->running)
		pthread_join(r->thread, NULL);
	r->running = false;
}

/*
 * Has a thread do the work, and serves the main loop meanwhile. Returns what it returned; -EINTR if
 * somebody wants to end the machine.
 */
static int receive_work(struct receive *r, int (*work)(struct receive *r))
{
	int ret = receive_start_thread(r, work);

	if (ret)
		return ret;
	while (!__atomic_load_n(&r->finished, __ATOMIC_ACQUIRE) &&
	       machine_requested(r->m) == MACHINE_NONE)
		g_main_context_iteration(r->m->context, TRUE);
	if (!__atomic_load_n(&r->finished, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&r->cancelled, true, __ATOMIC_RELEASE);
		receive_join(r);
		return -EINTR;
	}
	receive_join(r);
	return r->ret;
}

static gboolean receive_accept(int fd, GIOCondition condition, void *opaque)
{
	struct receive *r = opaque;
	int from = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)condition;
	/* One that has gone again. */
	if (from < 0)
		return G_SOURCE_CONTINUE;
	r->wire.in = r->wire.out = from;
	return G_SOURCE_REMOVE;
}

/* Waits for somebody to connect. Returns 0 or -EINTR. */
static int receive_await(struct receive *r)
{
	GSource *source;

	if (r->source->listen < 0) {
		r->wire.in = r->source->in;
		r->wire.out = r->source->out;
		r->source->in = r->source->out = -1;
		return 0;
	}
	source = g_unix_fd_source_new(r->source->listen, G_IO_IN);
	g_source_set_callback(source, G_SOURCE_FUNC(receive_accept), r, NULL);
	g_source_attach(source, r->m->context);
	while (r->wire.in < 0 && machine_requested(r->m) == MACHINE_NONE)
		g_main_context_iteration(r->m->context, TRUE);
	g_source_destroy(source);
	g_source_unref(source);
	return r->wire.in < 0 ? -EINTR : 0;
}

/* Ends the connection. */
static void receive_hang_up(struct receive *r)
{
	if (r->wire.out >= 0 && r->wire.out != r->wire.in)
		close(r->wire.out);
	if (r->wire.in >= 0)
		close(r->wire.in);
	r->wire.in = r->wire.out = -1;
	part_reader_free(&r->reader);
	free(r->tail);
	r->tail = NULL;
}

static void receive_begin(struct receive *r)
{
	r->wire = (struct wire){ .in = -1, .out = -1, .cancelled = &r->cancelled };
	r->reader = (struct part_reader){ .read = wire_read, .opaque = &r->wire,
					  .file = r->source->name, .kind = "connection" };
	r->words = (struct part_writer){ .write = wire_write, .opaque = &r->wire };
	r->greeted = r->may_follow = r->marks = r->follows = false;
	r->why.text[0] = '\0';
}

static int64_t receive_read_tail(void *opaque, void *data, size_t len)
{
	struct receive *r = opaque;
	size_t left = r->tail_len - r->tail_at, n = len < left ? len : left;

	memcpy(data, r->tail + r->tail_at, n);
	r->tail_at += n;
	return n;
}

static void receive_tell(struct receive *r, const char *status)
{
	machine_tell(r->m, &(struct machine_event){ .type = MACHINE_EVENT_MIGRATION,
						    .status = status });
}

/* One who has a guest for us, or says so. */
static int receive_from(struct receive *r, struct facts *facts)
{
	int ret = receive_work(r, receive_stream);

	if (ret)
		return ret;
	r->tail_at = 0;
	ret = restore_from(r->m, receive_read_tail, r, r->source->name, facts, &r->why);
	if (!ret && r->follows)
		ret = postcopy_prepare(r->postcopy, &r->why);
	if (!ret)
		ret = receive_work(r, receive_commit);
	/* Nobody else has the guest now. */
	return ret ? ret : device_bus_claim(&r->m->bus, &r->why);
}

/* Somebody ends the machine: even if the guest was just handed over, it has not run here. */
static void receive_leave(struct receive *r)
{
	static const char why[] = "it was ended there";

	r->wire.deadline = g_get_monotonic_time();
	if (r->wire.out >= 0 && r->words.seed)
		part_write(&r->words, WIRE_REFUSED, WIRE_VERSION, why, strlen(why), NULL, 0);
}

int receive_guest(struct receive *r, struct facts *facts, struct error *err)
{
	int ret;

	facts_get(&r->here, r->m);
	layout_memory(r->m, &r->layout);
	machine_tell(r->m, &(struct machine_event){ .type = MACHINE_EVENT_AWAIT });
	for (;;) {
		receive_begin(r);
		ret = receive_await(r);
		if (ret)
			break;
		receive_tell(r, "active");
		ret = receive_from(r, facts);
		/* Whoever ends the machine at this moment does not want a guest in it. */
		if (!ret && machine_requested(r->m) != MACHINE_NONE) {
			device_bus_unclaim(&r->m->bus);
			ret = -EINTR;
		}
		if (!ret)
			return 0;
		if (ret == -EINTR)
			break;
		receive_refuse(r, &r->why);
		if (r->greeted || r->source->listen < 0)
			break;
		/* It was nobody who has a guest for us. One who has may still come. */
		machine_warn(r->m, "--incoming: %s", r->why.text);
		receive_hang_up(r);
	}
	if (ret == -EINTR)
		receive_leave(r);
	if (r->follows)
		postcopy_abandon(r->postcopy);
	receive_tell(r, "failed");
	*err = r->why;
	return ret;
}

/* The connection stays, and is not ours any more. */
static int receive_follow(struct receive *r, struct error *err)
{
	int ret = postcopy_start(r->postcopy, &r->wire, &r->reader, &r->words, err);

	if (ret)
		return ret;
	r->wire.in = r->wire.out = -1;
	receive_tell(r, "postcopy-active");
	return 0;
}

int receive_confirm(struct receive *r, struct error *err)
{
	/* Nobody waits for it: the guest is here, whether that is read or not. */
	r->wire.deadline = g_get_monotonic_time();
	if (r->follows) {
		int ret = receive_follow(r, err);

		if (ret)
			return ret;
	} else {
		receive_say(r, WIRE_RUNNING);
		receive_tell(r, "completed");
	}
	receive_hang_up(r);
	if (r->source->listen >= 0)
		close(r->source->listen);
	r->source->listen = -1;
	return 0;
}

void receive_refuse(struct receive *r, const struct error *why)
{
	r->why = *why;
	if (r->follows)
		postcopy_abandon(r->postcopy);
	receive_work(r, receive_tell_why);
	receive_hang_up(r);
}

struct receive *receive_new(struct machine *m, struct receive_source *source,
			    struct postcopy *postcopy)
{
	struct receive *r = g_new0(struct receive, 1);

	r->m = m;
	r->postcopy = postcopy;
	r->source = source;
	receive_begin(r);
	return r;
}

void receive_free(struct receive *r)
{
	if (!r)
		return;
	receive_hang_up(r);
	g_free(r);
}

// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/machine_private.h"
#include "core/runstate.h"
#include "core/thread.h"
#include "snapshot/layout.h"
#include "snapshot/memlog.h"
#include "snapshot/save.h"
#include "snapshot/state.h"

#define SAVE_LOOK_MS	10	/* how often the main thread looks how far it is */
#define SAVE_POLL_MS	100	/* how often the thread that writes looks whether it should go on */

/* The guest stands still meanwhile. No disk that knows a limit has a longer one. */
#ifndef SAVE_IDLE_MS
#define SAVE_IDLE_MS	60000	/* for requests that are under way to end */
#endif

#define SAVE_STACK_SIZE	(128u << 10)

struct save {
	struct machine *m;
	struct machine_listener listener;
	enum save_phase phase;
	struct error why;
	int64_t begun, idle, ended;	/* microseconds */
	struct memlog log;	/* written pages that the snapshot .base has not */
	bool tracked;		/* there is such a snapshot */
	uint8_t base[PART_ID_SIZE];

	/* What follows is of the one that is under way. */
	int fd;
	unsigned int flags;
	guint timer;
	bool writing;		/* there is a thread, which has what follows */
	pthread_t thread;
	struct state state;
	struct pages_layout layout;	/* with SAVE_ADD: with copies of .log's bitmaps */
	uint8_t id[PART_ID_SIZE];
	int ret;
	struct error thread_why;
	bool finished;		/* atomic: it has closed .fd and set .ret, and ends */
	bool cancelled;		/* atomic: it must end */
	uint64_t done, pages, written;	/* atomic */
};

/* ---- The thread ---- */

static int save_wait(struct save *s)
{
	struct pollfd out = { .fd = s->fd, .events = POLLOUT };

	if (__atomic_load_n(&s->cancelled, __ATOMIC_ACQUIRE))
		return -ECANCELED;
	poll(&out, 1, SAVE_POLL_MS);
	return 0;
}

/* A pipe's reader may be slow, or deaf. */
static int save_write(void *opaque, const void *data, size_t len)
{
	struct save *s = opaque;
	const uint8_t *at = data;

	while (len) {
		ssize_t n = write(s->fd, at, len);
		int ret = 0;

		if (n < 0 && errno == EAGAIN)
			ret = save_wait(s);
		else if (n < 0 && errno != EINTR)
			ret = -errno;
		if (ret)
			return ret == -ECANCELED ? ret :
			       error_errno(&s->thread_why, ret, "the snapshot cannot be written");
		if (n < 0)
			continue;
		at += n;
		len -= n;
		__atomic_fetch_add(&s->written, n, __ATOMIC_RELAXED);
	}
	return 0;
}

static int save_write_memory(struct save *s, struct part_writer *w)
{
	bool adds = s->flags & SAVE_ADD;
	struct pages_writer *p = pages_writer_new(&s->layout, adds ? PAGES_LIVE : PAGES_VERSION);
	struct layout_end_file end = { .heads = 0 };
	uint64_t done = 0;
	int ret;

	if (!p)
		return error_errno(&s->thread_why, -ENOMEM, "the snapshot");
	/* A page may have been written with zeroes since. */
	pages_writer_again(p, adds);
	while ((ret = pages_write(p, w, &done, &end.count.pages)) == 1) {
		end.count.parts++;
		__atomic_store_n(&s->done, done, __ATOMIC_RELAXED);
		__atomic_store_n(&s->pages, end.count.pages, __ATOMIC_RELAXED);
		if (__atomic_load_n(&s->cancelled, __ATOMIC_ACQUIRE)) {
			ret = -ECANCELED;
			break;
		}
	}
	end.heads = pages_writer_heads(p);
	pages_writer_free(p);
	__atomic_store_n(&s->done, done, __ATOMIC_RELAXED);
	return ret ? ret : part_write(w, PART_END, LAYOUT_END_FILE, &end, sizeof(end), NULL, 0);
}

static int save_write_all(struct save *s)
{
	struct part_writer w = { .write = save_write, .opaque = s };
	int ret = part_begin(&w, s->id, s->flags & SAVE_ADD ? s->base : NULL);

	if (!ret)
		ret = state_write(&s->state, &w);
	if (!ret)
		ret = state_flush(s->m, &s->thread_why);
	return ret ? ret : save_write_memory(s, &w);
}

/* It may take its time (NFS), and some file systems find out only now that they are full. */
static int save_close(struct save *s, int ret)
{
	if (close(s->fd) && !ret)
		ret = error_errno(&s->thread_why, -errno, "the snapshot cannot be written");
	s->fd = -1;
	return ret;
}

static void *save_thread(void *opaque)
{
	struct save *s = opaque;

	prctl(PR_SET_NAME, "snapshot");
	machine_confine(s->m, MACHINE_THREAD_DISK);
	s->ret = save_close(s, save_write_all(s));
	__atomic_store_n(&s->finished, true, __ATOMIC_RELEASE);
	return NULL;
}

static int save_start_thread(struct save *s)
{
	int ret;

	ret = thread_start(&s->thread, SAVE_STACK_SIZE, save_thread, s);
	s->writing = !ret;
	return ret;
}

/* ---- The state, on the main thread ---- */

/* The log ends: what is written from here on, nobody knows. */
static void save_stop_log(struct save *s)
{
	memlog_close(&s->log);
	s->tracked = false;
}

/*
 * Brings the log up to date, or begins it. What a guest wrote past its caches is seen afterwards,
 * which a start of the log does by itself.
 */
static int save_log(struct save *s)
{
	bool starts = s->flags & SAVE_TRACK && !s->log.started;
	int ret = 0;

	if (starts)
		ret = memlog_open(&s->log, s->m);
	if (!ret && starts)
		ret = memlog_start(&s->log);
	else if (!ret && state_is_uncached(s->m))
		ret = machine_sync_memory(s->m);
	if (!ret && s->log.started)
		ret = memlog_take(&s->log);
	if (!ret)
		return 0;
	/* Part of it may be lost. */
	save_stop_log(s);
	return error_errno(&s->why, ret, "the guest's memory");
}

/* What is to be written is taken from the log only when it has been. */
static void save_copy_bitmaps(struct save *s)
{
	for (unsigned int i = 0; i < s->layout.nr; i++) {
		struct pages_range *range = &s->layout.range[i];

		range->dirty = g_memdup2(s->log.layout.range[i].dirty,
					 memlog_words(range) * sizeof(*range->dirty));
	}
}

static void save_free_bitmaps(struct save *s)
{
	for (unsigned int i = 0; i < s->layout.nr; i++) {
		g_free(s->layout.range[i].dirty);
		s->layout.range[i].dirty = NULL;
	}
}

static int save_collect(struct save *s)
{
	struct machine *m = s->m;
	int ret = state_collect(&s->state, m, &s->why);

	if (!ret)
		ret = save_log(s);
	layout_memory(m, &s->layout);
	if (!ret && s->flags & SAVE_ADD)
		save_copy_bitmaps(s);
	if (!ret && getrandom(s->id, sizeof(s->id), GRND_NONBLOCK) != (ssize_t)sizeof(s->id))
		ret = error_set(&s->why, -EAGAIN, "the host has no random numbers yet");
	return ret;
}

/* ---- Its course ---- */

/* The end. The caller has set why it failed. @leaves: the guest's run is over. */
static void save_end(struct save *s, enum save_phase phase, bool leaves)
{
	if (s->timer)
		g_source_remove(s->timer);
	s->timer = 0;
	if (s->writing)
		pthread_join(s->thread, NULL);
	s->writing = false;
	state_free(&s->state);
	save_free_bitmaps(s);
	if (phase == SAVE_COMPLETED && s->flags & SAVE_TRACK) {
		memlog_clear(&s->log);
		memcpy(s->base, s->id, sizeof(s->base));
		s->tracked = true;
	} else if (!s->tracked) {
		save_stop_log(s);
	}
	/* Nothing was written. */
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->ended = g_get_monotonic_time();
	s->phase = phase;
	if (phase == SAVE_COMPLETED && !(s->flags & SAVE_GO_ON))
		return;
	if (!leaves)
		device_bus_resume(&s->m->bus);
	machine_release(s->m, MACHINE_HOLDER_SNAPSHOT);
}

static void save_finish(struct save *s)
{
	enum save_phase phase = SAVE_COMPLETED;

	if (s->ret == -ECANCELED)
		phase = SAVE_CANCELLED;
	else if (s->ret)
		phase = SAVE_FAILED;
	if (phase == SAVE_FAILED)
		s->why = s->thread_why;
	save_end(s, phase, false);
}

/* Returns 0, -EAGAIN for a while if requests are under way, or -ETIME with s->why set. */
static int save_await_idle(struct save *s)
{
	const struct device *busy = device_bus_busy(&s->m->bus);
	char name[DEVICE_NAME_MAX];

	if (!busy)
		return 0;
	if (g_get_monotonic_time() - s->begun < SAVE_IDLE_MS * 1000ll)
		return -EAGAIN;
	device_name(busy, name);
	return error_set(&s->why, -ETIME, "the requests of %s have not ended within %u ms: try again once whatever is behind it (a disk's file or server, a process) answers",
			 name, SAVE_IDLE_MS);
}

/* Until all requests have ended, and then until all is written. */
static gboolean save_look(void *opaque)
{
	struct save *s = opaque;
	const char *obstacle = state_obstacle(s->m);
	gboolean stays = G_SOURCE_CONTINUE;
	int ret;

	if (s->writing) {
		/* A debugger may have written to memory. A request: see MACHINE_EVENT_LEAVE. */
		if (s->m->debugger)
			__atomic_store_n(&s->cancelled, true, __ATOMIC_RELEASE);
		if (!__atomic_load_n(&s->finished, __ATOMIC_ACQUIRE))
			return G_SOURCE_CONTINUE;
		s->timer = 0;
		if (s->m->debugger)
			s->ret = error_set(&s->thread_why, -EBUSY, "%s", obstacle);
		save_finish(s);
		return G_SOURCE_REMOVE;
	}
	if (s->phase == SAVE_CANCELLING) {
		s->timer = 0;
		save_end(s, SAVE_CANCELLED, false);
		return G_SOURCE_REMOVE;
	}
	if (!obstacle && machine_power_pressed(s->m))
		obstacle = "The power button is pressed: try again in a moment";
	ret = obstacle ? error_set(&s->why, -EBUSY, "%s", obstacle) : 0;
	if (!ret)
		ret = save_await_idle(s);
	if (ret == -EAGAIN)
		return G_SOURCE_CONTINUE;
	s->idle = g_get_monotonic_time();
	if (!ret)
		ret = save_collect(s);
	if (!ret) {
		ret = save_start_thread(s);
		if (ret)
			error_errno(&s->why, ret, "the snapshot: cannot start a thread");
	}
	if (ret) {
		s->timer = 0;
		save_end(s, SAVE_FAILED, false);
		stays = G_SOURCE_REMOVE;
	}
	return stays;
}

int save_start(struct save *s, int fd, unsigned int flags, struct error *err)
{
	const char *obstacle = state_obstacle(s->m);
	int mode = fcntl(fd, F_GETFL);

	if (save_is_active(s))
		return error_set(err, -EBUSY, "There's a migration process in progress");
	if (!obstacle && machine_power_pressed(s->m))
		obstacle = "The power button is pressed: try again in a moment";
	if (!obstacle && save_has_stopped(s))
		obstacle = "The guest was saved already, and may run elsewhere (cont lets it go on here)";
	if (!obstacle && !machine_vcpu(s->m, 0))
		obstacle = "The guest has not started yet";
	if (obstacle)
		return error_set(err, -EBUSY, "%s", obstacle);
	if (mode < 0 || (mode & O_ACCMODE) == O_RDONLY)
		return error_set(err, -EBADF, "The file is not open for writing");
	if (flags & (SAVE_ADD | SAVE_TRACK) && s->m->unlogged)
		return error_set(err, -EOPNOTSUPP,
				 "%s keeps no log of what it writes to the guest's memory: only whole snapshots can be made",
				 s->m->unlogged);
	if (s->m->unsaved)
		return error_set(err, -EOPNOTSUPP, "%s", s->m->unsaved);
	if (flags & SAVE_ADD && !s->tracked)
		return error_set(err, -ENOENT,
				 "There is no snapshot to add to: none was made with a log of what is written since, or a reset or a migration has ended the log");
	/* Files ignore it. A pipe's reader can then not hold us up. */
	fcntl(fd, F_SETFL, mode | O_NONBLOCK);

	s->phase = SAVE_ACTIVE;
	s->why = s->thread_why = (struct error){ "" };
	s->begun = s->idle = g_get_monotonic_time();
	s->fd = fd;
	s->flags = flags & SAVE_ADD ? flags | SAVE_TRACK : flags;
	s->writing = s->finished = s->cancelled = false;
	s->done = s->pages = s->written = 0;
	s->ret = 0;
	state_init(&s->state);
	layout_memory(s->m, &s->layout);
	machine_hold(s->m, MACHINE_HOLDER_SNAPSHOT);
	device_bus_pause(&s->m->bus);
	s->timer = g_timeout_add(SAVE_LOOK_MS, save_look, s);
	return 0;
}

void save_cancel(struct save *s)
{
	if (!save_is_active(s))
		return;
	s->phase = SAVE_CANCELLING;
	__atomic_store_n(&s->cancelled, true, __ATOMIC_RELEASE);
}

void save_continue(struct save *s)
{
	if (!save_has_stopped(s))
		return;
	device_bus_resume(&s->m->bus);
	machine_release(s->m, MACHINE_HOLDER_SNAPSHOT);
}

void save_untrack(struct save *s)
{
	if (!save_is_active(s))
		save_stop_log(s);
}

bool save_is_active(const struct save *s)
{
	return s->phase == SAVE_ACTIVE || s->phase == SAVE_CANCELLING;
}

bool save_has_stopped(const struct save *s)
{
	return !save_is_active(s) && machine_is_held_by(s->m, MACHINE_HOLDER_SNAPSHOT);
}

void save_get(struct save *s, struct save_status *status)
{
	int64_t now = save_is_active(s) ? g_get_monotonic_time() : s->ended;

	*status = (struct save_status){
		.phase = s->phase,
		.begun = s->begun,
		.total = pages_total(&s->layout),
		.done = __atomic_load_n(&s->done, __ATOMIC_RELAXED),
		.pages = __atomic_load_n(&s->pages, __ATOMIC_RELAXED),
		.written = __atomic_load_n(&s->written, __ATOMIC_RELAXED),
		.setup_ms = (s->idle - s->begun) / 1000,
		.total_ms = (now - s->begun) / 1000,
		.why = s->why,
	};
}

/* The guest's run is over, whatever is under way. A reset makes devices go on. */
static void save_leave(struct save *s)
{
	if (save_is_active(s)) {
		__atomic_store_n(&s->cancelled, true, __ATOMIC_RELEASE);
		error_set(&s->why, -EINTR, "The guest was reset, or has ended");
		save_end(s, SAVE_FAILED, true);
	} else if (save_has_stopped(s)) {
		machine_release(s->m, MACHINE_HOLDER_SNAPSHOT);
	}
	/* Its memory is made anew, by nobody that the log knows. */
	save_stop_log(s);
}

static void save_event(struct machine_listener *listener, const struct machine_event *event)
{
	if (event->type == MACHINE_EVENT_LEAVE)
		save_leave(container_of(listener, struct save, listener));
}

struct save *save_new(struct machine *m)
{
	struct save *s = g_new0(struct save, 1);

	s->m = m;
	s->fd = -1;
	s->listener.event = save_event;
	machine_listen(m, &s->listener);
	return s;
}

void save_free(struct save *s)
{
	if (!s)
		return;
	save_leave(s);
	machine_unlisten(s->m, &s->listener);
	g_free(s);
}

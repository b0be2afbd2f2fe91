// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/is_socket.h"
#include "core/machine_private.h"
#include "core/runstate.h"
#include "core/thread.h"
#include "snapshot/send_thread.h"

#define SEND_LOOK_MS		10	/* how often the main thread looks how far it is */
#define SEND_LOOK_STOPPED_MS	1	/* and while the guest stands still */
#define SEND_LOOK_RECLAIM_MS	50	/* each of these drops what caches have of disks */
#define SEND_RECLAIM_MS		5000	/* for the far end to let go of the disks */
#define SEND_STACK_SIZE		(128u << 10)

static int send_start_thread(struct send *s, enum send_step step, struct error *why)
{
	int ret;

	s->step = step;
	s->finished = false;
	s->thread_why.text[0] = '\0';
	ret = thread_start(&s->thread, SEND_STACK_SIZE, send_thread, s);
	s->running = !ret;
	return ret ? error_errno(why, ret, "the migration: cannot start a thread") : 0;
}

/* ---- Its course ---- */

static void send_tell(struct send *s)
{
	static const char *const names[] = {
		[SEND_ACTIVE] = "active", [SEND_HANDOVER] = "device",
		[SEND_POSTCOPY] = "postcopy-active",
		[SEND_CANCELLING] = "cancelling", [SEND_COMPLETED] = "completed",
		[SEND_FAILED] = "failed", [SEND_CANCELLED] = "cancelled",
	};

	machine_tell(s->m, &(struct machine_event){ .type = MACHINE_EVENT_MIGRATION,
						    .status = names[s->phase] });
}

static void send_set_phase(struct send *s, enum send_phase phase)
{
	s->phase = phase;
	s->m->following = phase == SEND_POSTCOPY;
	send_tell(s);
}

/* Frees what belongs to one migration. There is no thread. */
static void send_forget(struct send *s)
{
	if (s->timer)
		g_source_remove(s->timer);
	s->timer = 0;
	state_free(&s->state);
	record_free(&s->facts);
	if (s->tail)
		g_byte_array_unref(s->tail);
	s->tail = NULL;
	part_reader_free(&s->answers);
	pages_writer_free(s->pages);
	s->pages = NULL;
	memlog_close(&s->log);
	if (s->wire.in >= 0)
		close(s->wire.in);
	s->wire.in = s->wire.out = -1;
}

/* The end. The caller has set why it failed. @leaves: the guest's run is over. */
static void send_end(struct send *s, enum send_phase phase, bool leaves)
{
	bool stays = phase == SEND_COMPLETED || s->lost;

	if (s->running)
		pthread_join(s->thread, NULL);
	s->running = false;
	send_forget(s);
	if (s->throttled)
		machine_throttle(s->m, 0);
	s->throttled = 0;
	s->ended = g_get_monotonic_time();
	send_set_phase(s, phase);
	if (leaves || !stays) {
		if (!leaves && s->stopped)
			device_bus_resume(&s->m->bus);
		machine_release(s->m, MACHINE_HOLDER_MIGRATION);
	}
}

/* The far end has the disks, or had them: the guest goes on as soon as they are ours again. */
static void send_reclaim(struct send *s, enum send_phase result)
{
	/* Whoever is there must not wait for our end. */
	close(s->wire.in);
	s->wire.in = s->wire.out = -1;
	s->step = STEP_RECLAIM;
	s->result = result;
	s->until = g_get_monotonic_time() + SEND_RECLAIM_MS * 1000ll;
}

/* It was cancelled, or has failed: s->why is set. */
static void send_give_up(struct send *s, enum send_phase result)
{
	if (s->unclaimed)
		send_reclaim(s, result);
	else
		send_end(s, result, false);
}

/* Somebody else has the disks, whatever the far end said: a second writer would destroy them. */
static void send_not_reclaimed(struct send *s, int ret, const char *why)
{
	struct error first = s->why;

	s->lost = true;
	error_set(&s->why, ret, "%.250s; and the guest stays stopped until cont: %.200s",
		  first.text, why);
	send_end(s, SEND_FAILED, false);
}

static void send_look_reclaim(struct send *s)
{
	struct error why;
	int ret = device_bus_claim(&s->m->bus, &why);

	if (!ret) {
		s->unclaimed = false;
		send_end(s, s->result, false);
	} else if (g_get_monotonic_time() >= s->until) {
		send_not_reclaimed(s, ret, why.text);
	}
}

/* The guest stops. */
static void send_stop(struct send *s)
{
	machine_hold(s->m, MACHINE_HOLDER_MIGRATION);
	device_bus_pause(&s->m->bus);
	s->stopped = g_get_monotonic_time();
	s->step = STEP_STOP;
	send_set_phase(s, SEND_HANDOVER);
}

/* All requests have ended: what is not memory. */
static int send_collect(struct send *s)
{
	struct part_writer w = { .write = send_tail_write };
	const struct layout_end none = { .parts = 0 };
	int ret = state_collect(&s->state, s->m, &s->why);

	if (ret)
		return ret;
	w.opaque = s->tail = g_byte_array_new();
	part_begin(&w, s->id, NULL);
	state_write(&s->state, &w);
	part_write(&w, PART_END, LAYOUT_END_VERSION, &none, sizeof(none), NULL, 0);
	if (s->tail->len > PART_LENGTH_MAX)
		return error_set(&s->why, -E2BIG, "the devices have too much state");
	if (state_is_uncached(s->m))
		s->uncached = true;
	if (!s->uncached)
		return 0;
	memlog_stop(&s->log);
	ret = machine_sync_memory(s->m);
	return ret ? error_errno(&s->why, ret, "the guest's memory") : 0;
}

/* The guest may run there, and lacks pages: it never goes on here. */
static void send_look_there(struct send *s)
{
	if (s->phase != SEND_POSTCOPY && __atomic_load_n(&s->runs_there, __ATOMIC_ACQUIRE)) {
		s->away = true;
		send_set_phase(s, SEND_POSTCOPY);
	}
}

/* The guest may run there, or not. */
static void send_lost(struct send *s, int ret, const char *why)
{
	s->lost = true;
	if (s->away)
		error_set(&s->why, ret, "the connection was lost while memory followed the guest, which may have run at the far end: it goes on there only if it lacks nothing, and not here, as its disks may have changed (%.200s)",
			  why);
	else
		error_set(&s->why, ret, "the connection was lost just after the guest was handed over: look whether it runs there; if it does not, cont lets it go on here (%.200s)",
			  why);
	send_end(s, SEND_FAILED, false);
}

/* The far end has all, and waits for the word. Whoever says it is there first. */
static void send_hand_over(struct send *s)
{
	device_bus_unclaim(&s->m->bus);
	s->unclaimed = true;
	/* From here on, only the far end can say that the guest does not run there. */
	s->lost = true;
	if (send_start_thread(s, STEP_AWAIT, &s->why)) {
		s->lost = false;
		send_give_up(s, SEND_FAILED);
	}
}

/* The far end has said its last word, or none. */
static void send_finish(struct send *s)
{
	struct error why = s->thread_why;

	if (!why.text[0])
		error_set(&why, s->ret, "%s", strerror(-s->ret));
	if (!s->ret) {
		send_end(s, SEND_COMPLETED, false);
	} else if (s->refused || s->kept) {
		s->lost = false;
		s->why = why;
		send_give_up(s, SEND_FAILED);
	} else if (s->switched && !s->away) {
		/* Nor will it: it hears nothing more. */
		s->lost = false;
		error_set(&s->why, s->ret, "the connection was lost just after the guest was handed over, and it has not run there (%.200s)",
			  why.text);
		send_give_up(s, SEND_FAILED);
	} else {
		send_lost(s, s->ret, why.text);
	}
}

/* A thread has ended. */
static void send_step_done(struct send *s, const char *obstacle)
{
	enum send_phase result = SEND_FAILED;

	pthread_join(s->thread, NULL);
	s->running = false;
	if (s->step == STEP_AWAIT) {
		send_look_there(s);
		send_finish(s);
		return;
	}
	if (obstacle)
		error_set(&s->why, -EBUSY, "%s", obstacle);
	else if (s->phase == SEND_CANCELLING || s->ret == -ECANCELED)
		result = SEND_CANCELLED;
	else if (s->ret)
		s->why = s->thread_why;
	else
		result = SEND_COMPLETED;
	if (result != SEND_COMPLETED)
		send_give_up(s, result);
	else if (s->step == STEP_REST)
		send_hand_over(s);
	else
		s->step = STEP_STOP;
}

/* Returns 0, -EAGAIN for a while if requests are under way, or -ETIME with s->why set. */
static int send_await_idle(struct send *s)
{
	const struct device *busy = device_bus_busy(&s->m->bus);
	char name[DEVICE_NAME_MAX];

	if (!busy)
		return 0;
	if (g_get_monotonic_time() - s->stopped < SEND_HANDOVER_MS * 1000ll)
		return -EAGAIN;
	device_name(busy, name);
	return error_set(&s->why, -ETIME, "the requests of %s take too long: the guest would have stood still for more than %u ms",
			 name, SEND_HANDOVER_MS);
}

/* The thread is between two steps. */
static void send_between(struct send *s, const char *obstacle)
{
	int ret = obstacle ? error_set(&s->why, -EBUSY, "%s", obstacle) : 0;

	if (!ret && s->phase == SEND_CANCELLING) {
		send_give_up(s, SEND_CANCELLED);
		return;
	}
	if (!ret && !s->stopped) {
		/* A button is pressed for a moment of the guest's time. */
		if (!machine_power_pressed(s->m))
			send_stop(s);
		return;
	}
	if (!ret)
		ret = send_await_idle(s);
	if (ret == -EAGAIN)
		return;
	if (!ret)
		ret = send_collect(s);
	if (!ret)
		ret = send_start_thread(s, STEP_REST, &s->why);
	if (ret)
		send_give_up(s, SEND_FAILED);
}

static const char *send_obstacle(struct send *s)
{
	const char *obstacle = state_obstacle(s->m);

	/* Nobody lets go of it while the guest stands still, nor does the far end. */
	if (!obstacle && machine_is_held(s->m) && machine_power_pressed(s->m))
		obstacle = "The power button was pressed, and the guest stands still";
	return obstacle;
}

static gboolean send_look(void *opaque);

static void send_look_again(struct send *s)
{
	bool waits = s->stopped && s->phase != SEND_POSTCOPY;
	unsigned int ms = waits ? SEND_LOOK_STOPPED_MS : SEND_LOOK_MS;

	if (s->step == STEP_RECLAIM)
		ms = SEND_LOOK_RECLAIM_MS;
	if (send_is_active(s))
		s->timer = g_timeout_add(ms, send_look, s);
}

static gboolean send_look(void *opaque)
{
	struct send *s = opaque;
	const char *obstacle = send_obstacle(s);
	unsigned int throttle = __atomic_load_n(&s->throttle, __ATOMIC_RELAXED);

	s->timer = 0;
	if (s->step == STEP_RECLAIM) {
		send_look_reclaim(s);
	} else if (!s->running) {
		send_between(s, obstacle);
	} else {
		/* Once it was handed over, it is too late. */
		if (obstacle && s->step != STEP_AWAIT)
			__atomic_store_n(&s->cancelled, true, __ATOMIC_RELEASE);
		if (throttle != s->throttled)
			machine_throttle(s->m, throttle);
		s->throttled = throttle;
		if (s->step == STEP_AWAIT)
			send_look_there(s);
		if (__atomic_load_n(&s->finished, __ATOMIC_ACQUIRE))
			send_step_done(s, s->step != STEP_AWAIT ? obstacle : NULL);
	}
	send_look_again(s);
	return G_SOURCE_REMOVE;
}

/* ---- Beginning ---- */

static int send_prepare(struct send *s, struct error *err)
{
	int ret = memlog_open(&s->log, s->m);

	s->pages = ret ? NULL : pages_writer_new(&s->log.layout, PAGES_LIVE);
	if (!s->pages)
		return error_errno(err, -ENOMEM, "the migration");
	if (getrandom(s->id, sizeof(s->id), GRND_NONBLOCK) != (ssize_t)sizeof(s->id))
		return error_set(err, -EAGAIN, "the host has no random numbers yet");
	return 0;
}

static void send_look_at_cpus(void *opaque)
{
	struct send *s = opaque;
	struct facts facts;

	facts_get(&facts, s->m);
	facts_save(&facts, &s->facts);
	s->uncached = state_is_uncached(s->m);
}

/*
 * Reading memory in advance is of no use while the guest writes past its caches: our own cache may
 * keep what it had before. So if it does so at the beginning or at the end, as boot loaders do, all
 * memory goes at last.
 */
static int send_begin(struct send *s, struct error *err)
{
	int ret = send_prepare(s, err);

	if (ret)
		return ret;
	machine_while_stopped(s->m, send_look_at_cpus, s);
	ret = memlog_start(&s->log);
	if (ret)
		return error_errno(err, ret, "the log of written pages");
	return send_start_thread(s, STEP_COPY, err);
}

int send_may_start(struct send *s, int fd, struct error *err)
{
	const char *obstacle = send_obstacle(s);
	int flags = fcntl(fd, F_GETFL);

	if (send_is_active(s))
		return error_set(err, -EBUSY, "There's a migration process in progress");
	if (!obstacle && send_has_stopped(s) && s->away)
		obstacle = "The guest may have run elsewhere since";
	if (!obstacle && send_has_stopped(s))
		obstacle = "The guest was sent away already, and may run elsewhere (cont lets it go on here)";
	if (!obstacle && machine_is_held_by(s->m, MACHINE_HOLDER_SNAPSHOT))
		obstacle = "The guest was saved already, and may run elsewhere (cont lets it go on here)";
	if (!obstacle && !machine_vcpu(s->m, 0))
		obstacle = "The guest has not started yet";
	if (obstacle)
		return error_set(err, -EBUSY, "%s", obstacle);
	if (s->m->unlogged)
		return error_set(err, -EOPNOTSUPP,
				 "%s keeps no log of what it writes to the guest's memory: the guest cannot be sent, only saved",
				 s->m->unlogged);
	if (flags < 0 || (flags & O_ACCMODE) != O_RDWR || !is_socket(fd))
		return error_set(err, -EBADF, "The file is no connection");
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return 0;
}

int send_start(struct send *s, int fd, unsigned int may, struct error *err)
{
	int ret = send_may_start(s, fd, err);

	if (ret)
		return ret;
	s->why = s->thread_why = (struct error){ "" };
	s->begun = g_get_monotonic_time();
	s->stopped = s->ready_at = s->ran_at = 0;
	s->may = may;
	s->uncached = s->unclaimed = s->lost = s->away = s->refused = s->kept = false;
	s->cancelled = s->switches = s->switched = s->runs_there = false;
	s->left = s->nr_sent = s->nr_zero = s->expected_ms = 0;
	s->following = (struct follow_count){ .left = 0 };
	s->marks = s->marked = 0;
	s->rounds = s->throttle = s->throttled = 0;
	s->count = (struct layout_end){ .parts = 0 };
	state_init(&s->state);
	s->facts = (struct record){ .len = 0 };
	s->wire = (struct wire){ .in = fd, .out = fd, .sends = true, .cancelled = &s->cancelled };
	s->writer = (struct part_writer){ .write = wire_write, .opaque = &s->wire };
	s->answers = (struct part_reader){ .read = wire_read, .opaque = &s->wire,
					   .file = "the far end", .kind = "connection" };
	ret = send_begin(s, err);
	if (ret) {
		s->wire.in = -1;	/* the caller's */
		send_forget(s);
		return ret;
	}
	send_set_phase(s, SEND_ACTIVE);
	send_look_again(s);
	return 0;
}

int send_switch(struct send *s, unsigned int may, struct error *err)
{
	if (send_is_active(s))
		may = s->may;
	/* What has to be done first is told first. */
	if (!(may & SEND_MAY_SWITCH))
		return error_set(err, -EINVAL,
				 "Enable postcopy with migrate_set_capability before the start of migration");
	if (!send_is_active(s))
		return error_set(err, -EINVAL,
				 "Postcopy must be started after migration has been started");
	__atomic_store_n(&s->switches, true, __ATOMIC_RELEASE);
	return 0;
}

void send_cancel(struct send *s)
{
	if (!send_is_active(s) || s->lost || s->step == STEP_RECLAIM)
		return;
	__atomic_store_n(&s->cancelled, true, __ATOMIC_RELEASE);
	if (s->phase != SEND_CANCELLING)
		send_set_phase(s, SEND_CANCELLING);
}

bool send_is_active(const struct send *s)
{
	return s->phase == SEND_ACTIVE || s->phase == SEND_HANDOVER || s->phase == SEND_POSTCOPY ||
	       s->phase == SEND_CANCELLING;
}

bool send_is_handing_over(const struct send *s)
{
	return send_is_active(s) && s->stopped;
}

bool send_is_following(const struct send *s)
{
	return s->phase == SEND_POSTCOPY;
}

bool send_has_stopped(const struct send *s)
{
	return !send_is_active(s) && machine_is_held_by(s->m, MACHINE_HOLDER_MIGRATION);
}

/* Why it should not go on here, unless somebody knows better. */
static int send_warn(const struct send *s, struct error *err)
{
	static const char hint[] = "(armvmm-ctl NAME cont --anyway)";
	const struct filelock_guard *guard = &s->m->guard;

	if (s->phase == SEND_COMPLETED)
		return error_set(err, -EBUSY,
				 "The guest runs elsewhere, or has run there: its disks are not as its memory here has them. If it has not, it may go on here anyway %s",
				 hint);
	if (!guard->locked || guard->unlocked)
		return error_set(err, -EBUSY,
				 "The guest may run elsewhere, and no lock of %.200s would show it: look there first. If it does not, it may go on here anyway %s",
				 guard->unlocked ? guard->unlocked : "its files", hint);
	return 0;
}

int send_continue(struct send *s, bool anyway, struct error *err)
{
	int ret;

	if (!send_has_stopped(s))
		return 0;
	if (s->away)
		return error_set(err, -EBUSY,
				 "The guest may have run elsewhere since: its disks may not be as its memory here has them");
	ret = anyway ? 0 : send_warn(s, err);
	if (ret)
		return ret;
	ret = device_bus_claim(&s->m->bus, err);
	if (ret)
		return ret;
	s->unclaimed = s->lost = false;
	device_bus_resume(&s->m->bus);
	machine_release(s->m, MACHINE_HOLDER_MIGRATION);
	return 0;
}

struct send_params *send_params(struct send *s)
{
	return &s->params;
}

void send_get(struct send *s, struct send_status *status)
{
	int64_t now = send_is_active(s) ? g_get_monotonic_time() : s->ended;
	int64_t ready = __atomic_load_n(&s->ready_at, __ATOMIC_RELAXED);
	int64_t ran = __atomic_load_n(&s->ran_at, __ATOMIC_RELAXED);

	*status = (struct send_status){
		.phase = s->phase,
		.begun = s->begun,
		.total = pages_total(&s->log.layout),
		.left = __atomic_load_n(ran ? &s->following.left : &s->left, __ATOMIC_RELAXED),
		.written = __atomic_load_n(&s->wire.written, __ATOMIC_RELAXED),
		.pages = __atomic_load_n(&s->nr_sent, __ATOMIC_RELAXED) +
			 __atomic_load_n(&s->following.sent, __ATOMIC_RELAXED),
		.zeroes = __atomic_load_n(&s->nr_zero, __ATOMIC_RELAXED) +
			  __atomic_load_n(&s->following.zero, __ATOMIC_RELAXED),
		.rounds = __atomic_load_n(&s->rounds, __ATOMIC_RELAXED),
		.throttle = __atomic_load_n(&s->throttle, __ATOMIC_RELAXED),
		.expected_ms = __atomic_load_n(&s->expected_ms, __ATOMIC_RELAXED),
		.setup_ms = ((ready ? ready : now) - s->begun) / 1000,
		.total_ms = (now - s->begun) / 1000,
		.down_ms = s->stopped ? ((ran ? ran : now) - s->stopped) / 1000 : 0,
		.requests = __atomic_load_n(&s->following.requests, __ATOMIC_RELAXED),
		.why = s->why,
	};
}

/*
 * The guest's run is over, whatever is under way. A reset makes devices go on. But while its disks
 * are not ours, it does not run, even from its start: only send_continue() lets it do so.
 */
static void send_leave(struct send *s)
{
	static const char why[] = "The guest was reset, or has ended";

	if (!send_is_active(s))
		return;
	__atomic_store_n(&s->cancelled, true, __ATOMIC_RELEASE);
	if (s->running)
		pthread_join(s->thread, NULL);
	s->running = false;
	send_look_there(s);
	if (s->step == STEP_RECLAIM) {
		send_not_reclaimed(s, -EINTR, why);
	} else if (s->unclaimed) {
		send_lost(s, -EINTR, why);
	} else {
		error_set(&s->why, -EINTR, "%s", why);
		send_end(s, SEND_FAILED, true);
	}
}

static void send_event(struct machine_listener *listener, const struct machine_event *event)
{
	if (event->type == MACHINE_EVENT_LEAVE)
		send_leave(container_of(listener, struct send, listener));
}

struct send *send_new(struct machine *m)
{
	struct send *s = g_new0(struct send, 1);

	s->m = m;
	s->wire.in = s->wire.out = -1;
	/* QEMU's, but for the bandwidth. */
	s->params = (struct send_params){ .downtime_ms = 300, .throttle_initial = 20,
					  .throttle_step = 10, .throttle_max = 99 };
	s->listener.event = send_event;
	machine_listen(m, &s->listener);
	return s;
}

void send_free(struct send *s)
{
	if (!s)
		return;
	send_leave(s);
	machine_unlisten(s->m, &s->listener);
	g_free(s);
}

// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib-unix.h>
#include <libarmvmm.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/machine_private.h"
#include "core/posted.h"

/* After so many ticks of the timer without a write, a register is posted no longer. */
#define POSTED_QUIET	3

static void posted_arm(struct machine_private *p, unsigned int ms)
{
	const struct timespec period = { .tv_nsec = ms * 1000000l };
	const struct itimerspec when = { .it_interval = period, .it_value = period };

	timerfd_settime(p->posted_timer, 0, &when, NULL);
}

/* ---- With posted_lock held ---- */

static bool posted_is_of(const struct posted *posted, const struct armvmm_posted_write *w)
{
	return w->gpa >= posted->gpa && w->gpa - posted->gpa < posted->size &&
	       w->len <= posted->size - (w->gpa - posted->gpa);
}

static struct posted *posted_find(struct machine_private *p, const struct armvmm_posted_write *w)
{
	struct posted *posted = p->posted;

	while (posted && !posted_is_of(posted, w))
		posted = posted->next;
	return posted;
}

/*
 * Only when a write is carried out it is taken out, so that others do not find none meanwhile.
 * Takes no more than there can be when it begins: a guest that goes on writing does not keep this
 * thread.
 */
static void posted_carry_out(struct machine_private *p)
{
	const struct armvmm_posted_write *writes;
	unsigned int left = ARMVMM_POSTED_MAX, n, nr;

	while (p->vm && left && (nr = armvmm_posted_peek(p->vm, &writes))) {
		struct posted *posted = posted_find(p, &writes[0]);

		if (nr > left)
			nr = left;
		for (n = 1; posted && n < nr && posted_is_of(posted, &writes[n]); n++)
			;
		if (posted) {
			posted->quiet = 0;
			posted->write(posted, writes, n);
		}
		armvmm_posted_done(p->vm, n);
		left -= n;
	}
}

/* The timer runs while there is one that needs it. */
static void posted_count(struct machine_private *p, const struct posted *posted, bool on)
{
	__atomic_store_n(&p->nr_posted, p->nr_posted + (on ? 1 : -1), __ATOMIC_RELEASE);
	if (posted->untimed)
		return;
	p->nr_timed += on ? 1 : -1;
	if (p->nr_timed == on)
		posted_arm(p, on ? POSTED_MS : 0);
}

/* From its first write on, others look for what is posted. */
static void posted_begin(struct machine_private *p, struct posted *posted)
{
	if (!p->vm) {
		posted->tired(posted);
		return;
	}
	__atomic_store_n(&posted->on, true, __ATOMIC_RELEASE);
	posted->quiet = 0;
	posted_count(p, posted, true);
	if (!armvmm_posted_add(p->vm, posted->gpa, posted->size))
		return;
	__atomic_store_n(&posted->on, false, __ATOMIC_RELEASE);
	posted_count(p, posted, false);
	posted->tired(posted);
}

static void posted_stop(struct machine_private *p, struct posted *posted)
{
	if (p->vm)
		armvmm_posted_del(p->vm, posted->gpa, posted->size);
	posted->ending = true;
}

/* Of those that were stopped no write comes any more, and those that came are among the first. */
static void posted_end(struct machine_private *p)
{
	posted_carry_out(p);
	for (struct posted *posted = p->posted; posted; posted = posted->next) {
		if (!posted->ending)
			continue;
		posted->ending = false;
		__atomic_store_n(&posted->on, false, __ATOMIC_RELEASE);
		posted_count(p, posted, false);
	}
}

/*
 * Begins and ends as the devices want. What is carried out at an end may change that: a terminal
 * that fills up. So nothing is carried out again before those are stopped that are not wanted for
 * it, and none is begun in between: it comes to an end.
 */
static void posted_change(struct machine_private *p)
{
	bool begin = true, any;

	do {
		any = false;
		for (struct posted *posted = p->posted; posted; posted = posted->next) {
			bool wanted;

			if (!begin && !posted->on)
				continue;
			wanted = posted->wanted(posted);
			if (wanted && !posted->on) {
				posted_begin(p, posted);
			} else if (!wanted && posted->on) {
				posted_stop(p, posted);
				any = true;
			}
		}
		if (any)
			posted_end(p);
		begin = false;
	} while (any);
}

static void posted_settle(struct machine_private *p)
{
	posted_carry_out(p);
	posted_change(p);
}

/* ---- Any thread ---- */

bool posted_is_on(const struct posted *posted)
{
	return __atomic_load_n(&posted->on, __ATOMIC_ACQUIRE);
}

void posted_update(struct machine *m)
{
	pthread_mutex_lock(&m->priv->posted_lock);
	posted_change(m->priv);
	pthread_mutex_unlock(&m->priv->posted_lock);
}

void posted_drain(struct machine *m)
{
	struct machine_private *p = m->priv;
	const struct armvmm_posted_write *writes;

	/*
	 * A thread's own writes are seen here: its exit is behind them. Those that another thread
	 * is carrying out are still there, so that this one waits for it.
	 */
	if (!__atomic_load_n(&p->nr_posted, __ATOMIC_ACQUIRE) ||
	    !armvmm_posted_peek(p->vm, &writes))
		return;
	pthread_mutex_lock(&p->posted_lock);
	posted_settle(p);
	pthread_mutex_unlock(&p->posted_lock);
}

int mirror_set(struct machine *m, uint64_t gpa, unsigned int size, uint32_t value)
{
	return m->priv->vm ? armvmm_mirror_set(m->priv->vm, gpa, size, value) : -ENODEV;
}

void mirror_del(struct machine *m, uint64_t gpa, unsigned int size)
{
	if (m->priv->vm)
		armvmm_mirror_del(m->priv->vm, gpa, size);
}

/* ---- The main thread ---- */

static gboolean posted_tick(gint fd, GIOCondition condition, gpointer opaque)
{
	struct machine_private *p = ((struct machine *)opaque)->priv;
	bool tired = false;
	uint64_t times;

	(void)condition;
	if (read(fd, &times, sizeof(times)) < 0)
		return G_SOURCE_CONTINUE;
	pthread_mutex_lock(&p->posted_lock);
	for (struct posted *posted = p->posted; posted; posted = posted->next)
		posted->quiet++;
	posted_settle(p);
	for (struct posted *posted = p->posted; posted; posted = posted->next) {
		if (!posted->on || posted->untimed)
			continue;
		if (posted->tick)
			posted->tick(posted);
		if (posted->quiet < POSTED_QUIET)
			continue;
		posted->tired(posted);
		tired = true;
	}
	if (tired)
		posted_change(p);
	pthread_mutex_unlock(&p->posted_lock);
	return G_SOURCE_CONTINUE;
}

bool posted_supported(struct machine *m)
{
	return m->priv->vm && armvmm_vm_mirrors(m->priv->vm);
}

int posted_init(struct machine *m, struct posted *posted)
{
	struct machine_private *p = m->priv;

	if (p->posted_timer < 0) {
		p->posted_timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
		if (p->posted_timer < 0)
			return -errno;
		p->posted_source = g_unix_fd_source_new(p->posted_timer, G_IO_IN);
		g_source_set_callback(p->posted_source, G_SOURCE_FUNC(posted_tick), m, NULL);
		g_source_attach(p->posted_source, m->context);
	}
	posted->next = p->posted;
	p->posted = posted;
	return 0;
}

void posted_exit(struct machine *m, struct posted *posted)
{
	struct machine_private *p = m->priv;
	struct posted **at = &p->posted;

	pthread_mutex_lock(&p->posted_lock);
	if (posted->on) {
		posted_stop(p, posted);
		posted_end(p);
	}
	while (*at && *at != posted)
		at = &(*at)->next;
	if (*at)
		*at = posted->next;
	pthread_mutex_unlock(&p->posted_lock);
	if (p->posted || p->posted_timer < 0)
		return;
	g_source_destroy(p->posted_source);
	g_source_unref(p->posted_source);
	close(p->posted_timer);
	p->posted_timer = -1;
}

void posted_disconnected(struct machine *m)
{
	struct machine_private *p = m->priv;

	pthread_mutex_lock(&p->posted_lock);
	for (struct posted *posted = p->posted; posted; posted = posted->next) {
		if (!posted->on)
			continue;
		__atomic_store_n(&posted->on, false, __ATOMIC_RELEASE);
		posted_count(p, posted, false);
		posted->tired(posted);
	}
	pthread_mutex_unlock(&p->posted_lock);
}

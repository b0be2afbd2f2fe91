// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/bank.h"
#include "core/machine_private.h"
#include "core/runstate.h"
#include "core/thread.h"
#include "snapshot/dump.h"
#include "snapshot/elfcore.h"
#include "snapshot/pages.h"
#include "snapshot/state.h"

#define DUMP_LOOK_MS	10	/* how often the main thread looks how far it is */
#define DUMP_POLL_MS	100	/* how often the thread that writes looks whether it should go on */
#define DUMP_PIECE	(1u << 20)	/* bytes between two looks */
#define DUMP_STACK_SIZE	(128u << 10)

struct dump {
	struct machine *m;
	struct machine_listener listener;
	enum dump_phase phase;
	struct error why;
	uint64_t total;

	/* What follows is of the one that is under way. */
	int fd;
	guint timer;
	pthread_t thread;
	bool holes;		/* the file was empty, and may have some; the thread looks */
	uint64_t at;		/* in the file: what is next */
	struct elfcore core;
	const uint8_t *host[ELFCORE_MAX_RANGES];	/* where its ranges are */
	size_t head_len;
	uint8_t head[ELFCORE_HEAD_MAX];
	int ret;
	struct error thread_why;
	bool finished;		/* atomic: the thread has closed .fd and set .ret, and ends */
	bool cancelled;		/* atomic: it must end */
	uint64_t done;		/* atomic */
};

/* ---- The thread ---- */

static int dump_wait(struct dump *d)
{
	struct pollfd out = { .fd = d->fd, .events = POLLOUT };

	if (__atomic_load_n(&d->cancelled, __ATOMIC_ACQUIRE))
		return -ECANCELED;
	poll(&out, 1, DUMP_POLL_MS);
	return 0;
}

/* A pipe's reader may be slow, or deaf. */
static int dump_write(struct dump *d, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t n = d->holes ? pwrite(d->fd, data, len, d->at) : write(d->fd, data, len);
		int ret = 0;

		if (n < 0 && errno == EAGAIN)
			ret = dump_wait(d);
		else if (n < 0 && errno != EINTR)
			ret = error_errno(&d->thread_why, -errno, "the dump cannot be written");
		if (ret)
			return ret;
		if (n < 0)
			continue;
		data += n;
		len -= n;
		d->at += n;
	}
	return 0;
}

/* Bytes up to the end of @data's page. */
static size_t dump_page_left(const uint8_t *data, size_t len)
{
	size_t left = PAGES_SIZE - (uintptr_t)data % PAGES_SIZE;

	return left < len ? left : len;
}

/* Writes pages that are not zero, and leaves out others. */
static int dump_piece(struct dump *d, const uint8_t *data, size_t len)
{
	while (len) {
		size_t n = dump_page_left(data, len), run = 0;
		int ret;

		if (n == PAGES_SIZE && pages_is_zero(data)) {
			d->at += n;
			data += n;
			len -= n;
			continue;
		}
		do {
			run += n;
			n = dump_page_left(data + run, len - run);
		} while (n && !(n == PAGES_SIZE && pages_is_zero(data + run)));
		ret = dump_write(d, data, run);
		if (ret)
			return ret;
		data += run;
		len -= run;
	}
	return 0;
}

static int dump_zeroes(struct dump *d, uint64_t to)
{
	static const uint8_t zeroes[PAGES_SIZE];
	int ret = 0;

	while (!ret && d->at < to)
		ret = dump_write(d, zeroes, to - d->at < sizeof(zeroes) ? to - d->at :
								       sizeof(zeroes));
	return ret;
}

static int dump_range(struct dump *d, const struct elfcore_range *r, const uint8_t *host)
{
	int ret = 0;

	if (d->holes)
		d->at = r->at;
	else
		ret = dump_zeroes(d, r->at);
	for (uint64_t at = 0; !ret && at < r->size; at += DUMP_PIECE) {
		size_t len = r->size - at < DUMP_PIECE ? r->size - at : DUMP_PIECE;

		if (__atomic_load_n(&d->cancelled, __ATOMIC_ACQUIRE))
			return -ECANCELED;
		ret = d->holes ? dump_piece(d, host + at, len) : dump_write(d, host + at, len);
		__atomic_fetch_add(&d->done, len, __ATOMIC_RELAXED);
	}
	return ret;
}

/* The file is as long as its head says, even if it would end in a hole. */
static int dump_end(struct dump *d)
{
	const struct elfcore_range *last = &d->core.range[d->core.nr_ranges - 1];

	d->at = last->at + last->size - 1;
	return dump_write(d, d->host[d->core.nr_ranges - 1] + last->size - 1, 1);
}

/* It may take its time (NFS), and some file systems find out only now that they are full. */
static int dump_close(struct dump *d, int ret)
{
	if (close(d->fd) && !ret)
		ret = error_errno(&d->thread_why, -errno, "the dump cannot be written");
	d->fd = -1;
	return ret;
}

/*
 * A file that is not empty could show its old contents in a hole. Its server may take its time to
 * say so.
 */
static bool dump_may_have_holes(int fd)
{
	off_t end;

	/* A pipe has no place. */
	if (lseek(fd, 0, SEEK_CUR))
		return false;
	end = lseek(fd, 0, SEEK_END);
	lseek(fd, 0, SEEK_SET);
	return !end;
}

static void *dump_thread(void *opaque)
{
	struct dump *d = opaque;
	int ret;

	prctl(PR_SET_NAME, "dump");
	machine_confine(d->m, MACHINE_THREAD_DISK);
	d->holes = d->holes && dump_may_have_holes(d->fd);
	ret = dump_write(d, d->head, d->head_len);
	for (unsigned int i = 0; !ret && i < d->core.nr_ranges; i++)
		ret = dump_range(d, &d->core.range[i], d->host[i]);
	if (!ret && d->holes)
		ret = dump_end(d);
	d->ret = dump_close(d, ret);
	__atomic_store_n(&d->finished, true, __ATOMIC_RELEASE);
	return NULL;
}

/* ---- What is written, on the main thread ---- */

static uint32_t dump_register(struct armvmm_vcpu *vcpu, const char *name)
{
	uint64_t value = 0;

	armvmm_vcpu_reg_get(vcpu, name, &value);
	return value;
}

static void dump_cpu(struct elfcore_cpu *cpu, struct armvmm_vcpu *vcpu)
{
	char name[8];
	uint64_t d;

	cpu->cpsr = dump_register(vcpu, "cpsr");
	for (unsigned int i = 0; i < 16; i++) {
		const char *banked = bank_name(cpu->cpsr, i);

		snprintf(name, sizeof(name), "r%u", i);
		cpu->r[i] = dump_register(vcpu, banked ? banked : name);
	}
	for (unsigned int i = 0; i < 32; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		if (armvmm_vcpu_reg_get(vcpu, name, &d))
			break;
		cpu->d[cpu->nr_d++] = d;
	}
	if (cpu->nr_d)
		cpu->fpscr = dump_register(vcpu, "fpscr");
}

static void dump_collect(struct dump *d)
{
	struct armvmm_vcpu *vcpu;

	while (d->core.nr_cpus < ELFCORE_MAX_CPUS &&
	       (vcpu = machine_vcpu(d->m, d->core.nr_cpus)))
		dump_cpu(&d->core.cpu[d->core.nr_cpus++], vcpu);
	d->head_len = elfcore_head(&d->core, d->head);
}

/* RAM alone: crash takes the lowest address of all to be where RAM begins, and flash is below. */
static void dump_choose(struct dump *d, uint64_t begin, uint64_t size)
{
	uint64_t end = size < UINT64_MAX - begin ? begin + size : UINT64_MAX;

	memset(&d->core, 0, sizeof(d->core));
	d->total = 0;
	for (unsigned int i = 0; i < d->m->mem.nr_regions; i++) {
		const struct guestmem_region *r = &d->m->mem.region[i];
		uint64_t from = begin > r->gpa ? begin : r->gpa;
		uint64_t to = end < r->gpa + r->size ? end : r->gpa + r->size;

		if (from >= to)
			continue;
		d->host[d->core.nr_ranges] = r->host + (from - r->gpa);
		elfcore_add(&d->core, from, to - from);
		d->total += to - from;
	}
}

/* ---- Its course ---- */

static void dump_finish(struct dump *d)
{
	struct machine_event event = { .type = MACHINE_EVENT_DUMP };

	if (d->timer)
		g_source_remove(d->timer);
	d->timer = 0;
	pthread_join(d->thread, NULL);
	d->phase = d->ret ? DUMP_FAILED : DUMP_COMPLETED;
	d->why = d->thread_why;
	if (d->ret == -ECANCELED)
		error_set(&d->why, d->ret, "the dump was cancelled");
	machine_release(d->m, MACHINE_HOLDER_DUMP);
	event.status = d->ret ? "failed" : "completed";
	event.why = d->ret ? d->why.text : NULL;
	event.done = __atomic_load_n(&d->done, __ATOMIC_RELAXED);
	event.bytes = d->total;
	machine_tell(d->m, &event);
}

static gboolean dump_look(void *opaque)
{
	struct dump *d = opaque;

	if (!__atomic_load_n(&d->finished, __ATOMIC_ACQUIRE))
		return G_SOURCE_CONTINUE;
	d->timer = 0;
	dump_finish(d);
	return G_SOURCE_REMOVE;
}

/* What a guest wrote with its caches off is seen here, too. It may go on if this fails. */
static int dump_prepare(struct dump *d, struct error *err)
{
	int ret = state_is_uncached(d->m) ? machine_sync_memory(d->m) : 0;

	if (ret)
		return error_errno(err, ret, "the guest's memory");
	dump_collect(d);
	if (!d->head_len)
		return error_set(err, -EFBIG, "a dump of so much memory would have 4 GiB or more");
	ret = thread_start(&d->thread, DUMP_STACK_SIZE, dump_thread, d);
	return ret ? error_errno(err, ret, "the dump: cannot start a thread") : 0;
}

int dump_start(struct dump *d, int fd, uint64_t begin, uint64_t size, struct error *err)
{
	int flags = fcntl(fd, F_GETFL), ret;

	if (dump_is_active(d))
		return error_set(err, -EBUSY, "There is a dump in process, please wait.");
	if (machine_requested(d->m) != MACHINE_NONE)
		return error_set(err, -EBUSY, "The guest is being reset, or ends");
	if (machine_is_held_by(d->m, MACHINE_HOLDER_INCOMING) || !machine_vcpu(d->m, 0))
		return error_set(err, -EBUSY, "The guest has not started yet");
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return error_set(err, -EBADF, "The file is not open for writing");
	dump_choose(d, begin, size);
	if (!d->core.nr_ranges)
		return error_set(err, -EINVAL, "dump: no guest memory to dump");
	d->fd = fd;
	d->holes = !(flags & O_APPEND);
	d->at = d->done = 0;
	d->ret = 0;
	d->finished = d->cancelled = false;
	d->why = d->thread_why = (struct error){ "" };
	/* Files ignore it. A pipe's reader can then not hold us up. */
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);

	machine_hold(d->m, MACHINE_HOLDER_DUMP);
	ret = dump_prepare(d, err);
	if (ret) {
		machine_release(d->m, MACHINE_HOLDER_DUMP);
		return ret;
	}
	d->phase = DUMP_ACTIVE;
	d->timer = g_timeout_add(DUMP_LOOK_MS, dump_look, d);
	return 0;
}

void dump_cancel(struct dump *d)
{
	__atomic_store_n(&d->cancelled, true, __ATOMIC_RELEASE);
}

bool dump_is_active(const struct dump *d)
{
	return d->phase == DUMP_ACTIVE;
}

void dump_get(const struct dump *d, struct dump_status *status)
{
	*status = (struct dump_status){
		.phase = d->phase,
		.total = d->total,
		.done = __atomic_load_n(&d->done, __ATOMIC_RELAXED),
		.why = d->why,
	};
}

/* The guest's run is over, and its memory will not stay. */
static void dump_leave(struct dump *d)
{
	if (!dump_is_active(d))
		return;
	dump_cancel(d);
	dump_finish(d);
}

static void dump_event(struct machine_listener *listener, const struct machine_event *event)
{
	if (event->type == MACHINE_EVENT_LEAVE)
		dump_leave(container_of(listener, struct dump, listener));
}

struct dump *dump_new(struct machine *m)
{
	struct dump *d = g_new0(struct dump, 1);

	d->m = m;
	d->fd = -1;
	d->listener.event = dump_event;
	machine_listen(m, &d->listener);
	return d;
}

void dump_free(struct dump *d)
{
	if (!d)
		return;
	dump_leave(d);
	machine_unlisten(d->m, &d->listener);
	g_free(d);
}

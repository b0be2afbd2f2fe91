// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "control/metrics.h"
#include "control/metrics_option.h"
#include "control/qmp.h"
#include "control/value.h"
#include "core/balloon.h"
#include "core/blockdev.h"
#include "core/runstate.h"
#include "core/thread.h"

#define METRICS_PIECE	4096u	/* bytes that are written at once */
#define METRICS_POLL_MS	200	/* how often the thread looks whether it is to end */
#define METRICS_STACK_SIZE	(128u << 10)

struct metrics {
	struct machine *m;	/* NULL: not started */
	struct machine_listener listener;
	GSource *timer;
	unsigned int interval;
	const char *file;	/* for messages */
	char *path;
	int fd;
	bool regular;
	bool midst, torn;	/* the file ends within a line; whose rest is lost; the thread's */
	pthread_t thread;

	pthread_mutex_t lock;	/* what follows */
	pthread_cond_t more;
	GByteArray *queue;
	uint64_t dropped;	/* lines */
	bool ending, broken;	/* all is over; the reader has gone for good */
};

/* ---- The thread ---- */

/*
 * Writes a piece. Returns how much was written; 0: nothing more can be written now, or -errno.
 */
static ssize_t metrics_write(struct metrics *x, const uint8_t *data, size_t len)
{
	ssize_t n;

	do {
		n = write(x->fd, data, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	return n < 0 ? -errno : n;
}

/*
 * A file of a machine that runs for years does not fill the disk. It begins with a whole line.
 * Others may have emptied it (logrotate's copytruncate).
 */
static void metrics_bound(struct metrics *x, size_t len)
{
	off_t size;

	if (!x->regular || (x->midst && !x->torn))
		return;
	size = lseek(x->fd, 0, SEEK_END);
	if (size >= 0 && (uint64_t)size + len > METRICS_FILE_MAX && !ftruncate(x->fd, 0))
		x->midst = x->torn = false;
}

/* The line whose rest is lost is a line for itself. Returns as metrics_write() does. */
static ssize_t metrics_mend(struct metrics *x)
{
	ssize_t n = x->torn ? metrics_write(x, (const uint8_t *)"\n", 1) : 1;

	if (x->torn && n > 0)
		x->midst = x->torn = false;
	return n;
}

static bool metrics_is_ending(struct metrics *x)
{
	bool ending;

	pthread_mutex_lock(&x->lock);
	ending = x->ending;
	pthread_mutex_unlock(&x->lock);
	return ending;
}

/* Removes what was written, or, after a failure, all: what comes later may go again. */
static void metrics_written(struct metrics *x, size_t n, int ret)
{
	pthread_mutex_lock(&x->lock);
	if (ret < 0) {
		for (size_t i = 0; i < x->queue->len; i++)
			x->dropped += x->queue->data[i] == '\n';
		n = x->queue->len;
		x->broken |= ret == -EPIPE || ret == -ECONNRESET;
	}
	g_byte_array_remove_range(x->queue, 0, n);
	pthread_mutex_unlock(&x->lock);
}

/* Returns false when there is nothing more to do. */
static bool metrics_piece(struct metrics *x, const uint8_t *piece, size_t len)
{
	struct pollfd out = { .fd = x->fd, .events = POLLOUT };
	ssize_t n;

	metrics_bound(x, len);
	n = metrics_mend(x);
	if (n > 0)
		n = metrics_write(x, piece, len);
	if (n > 0) {
		x->midst = piece[n - 1] != '\n';
	} else if (n < 0) {
		x->torn = x->midst;
		machine_warn(x->m, "--metrics %s: %s", x->file, strerror(-n));
	} else if (metrics_is_ending(x)) {
		return false;
	} else {
		poll(&out, 1, METRICS_POLL_MS);
	}
	metrics_written(x, n > 0 ? n : 0, n < 0 ? n : 0);
	return true;
}

/* Whole lines, as far as they fit. The caller has the lock. Returns the length of @piece. */
static size_t metrics_take(struct metrics *x, uint8_t *piece)
{
	size_t len = x->queue->len < METRICS_PIECE ? x->queue->len : METRICS_PIECE;
	const uint8_t *end = len ? memrchr(x->queue->data, '\n', len) : NULL;

	if (end)
		len = end + 1 - x->queue->data;
	memcpy(piece, x->queue->data, len);
	return len;
}

static void *metrics_thread(void *opaque)
{
	struct metrics *x = opaque;
	uint8_t piece[METRICS_PIECE];
	size_t len;

	prctl(PR_SET_NAME, "metrics");
	machine_confine(x->m, MACHINE_THREAD_DISK);
	do {
		pthread_mutex_lock(&x->lock);
		while (!x->queue->len && !x->ending)
			pthread_cond_wait(&x->more, &x->lock);
		len = metrics_take(x, piece);
		pthread_mutex_unlock(&x->lock);
	} while (len && metrics_piece(x, piece, len));
	return NULL;
}

/* ---- Lines ---- */

/* @line ends with \r\n, as QMP's do. Frees it. */
static void metrics_put(struct metrics *x, char *line)
{
	size_t len = strcspn(line, "\r\n");

	line[len++] = '\n';
	pthread_mutex_lock(&x->lock);
	if (x->broken || x->queue->len + len > METRICS_QUEUE)
		x->dropped++;
	else
		g_byte_array_append(x->queue, (const uint8_t *)line, len);
	pthread_cond_signal(&x->more);
	pthread_mutex_unlock(&x->lock);
	g_free(line);
}

/* The time for which a thread ran, as in pthread_getcpuclockid(). */
static json_int_t metrics_cpu_ns(clockid_t clock)
{
	struct timespec t = { 0 };

	clock_gettime(clock, &t);
	return (json_int_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static json_t *metrics_vcpus(struct machine *m)
{
	json_t *list = json_array();

	for (unsigned int i = 0; machine_vcpu(m, i); i++) {
		pid_t tid = machine_vcpu_thread(m, i);
		/* Linux's number of the clock of a thread of this process. */
		clockid_t clock = (clockid_t)(~(unsigned int)tid << 3 | 6);

		json_array_append_new(list, json_pack("{s:i, s:I}", "thread-id", (int)tid, "cpu-ns",
						      tid ? metrics_cpu_ns(clock) : 0));
	}
	return list;
}

static json_t *metrics_memory(struct machine *m)
{
	json_t *o = json_object();
	struct balloon_stats stats = { .nr = 0 };
	json_int_t total = 0;

	for (unsigned int i = 0; i < m->mem.nr_regions; i++)
		total += m->mem.region[i].size;
	json_object_set_new(o, "total", json_integer(total));
	if (!m->balloon)
		return o;
	json_object_set_new(o, "actual", json_integer(m->balloon->ops->actual(m->balloon)));
	m->balloon->ops->stats(m->balloon, &stats);
	for (unsigned int i = 0; i < stats.nr; i++)
		if (stats.stat[i].value <= INT64_MAX)
			json_object_set_new(o, stats.stat[i].name,
					    json_integer((json_int_t)stats.stat[i].value));
	if (stats.time)
		json_object_set_new(o, "last-update", json_integer(stats.time));
	return o;
}

static json_t *metrics_disks(struct machine *m)
{
	json_t *list = json_array();

	for (struct blockdev *b = m->disks; b; b = b->next)
		json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "device", b->id, "size",
						      (json_int_t)b->ops->size(b), "allocated",
						      (json_int_t)b->ops->allocated(b)));
	return list;
}

static char *metrics_line(struct metrics *x)
{
	json_int_t now = g_get_real_time(), dropped;
	struct machine *m = x->m;
	json_t *o;
	char *line;

	pthread_mutex_lock(&x->lock);
	dropped = x->dropped;
	pthread_mutex_unlock(&x->lock);
	o = json_pack("{s:{s:I, s:I}, s:{s:b, s:I, s:o, s:o, s:o, s:I}}", "timestamp", "seconds",
		      now / G_USEC_PER_SEC, "microseconds", now % G_USEC_PER_SEC, "statistics",
		      "running", !machine_is_held(m), "cpu-ns",
		      metrics_cpu_ns(CLOCK_PROCESS_CPUTIME_ID), "vcpus", metrics_vcpus(m), "memory",
		      metrics_memory(m), "disks", metrics_disks(m), "dropped", dropped);
	line = value_print(o);
	json_decref(o);
	return line;
}

static gboolean metrics_tick(void *opaque)
{
	struct metrics *x = opaque;
	char *text = metrics_line(x), *line = g_strconcat(text, "\n", NULL);

	g_free(text);
	metrics_put(x, line);
	return G_SOURCE_CONTINUE;
}

static void metrics_event(struct machine_listener *listener, const struct machine_event *event)
{
	struct metrics *x = container_of(listener, struct metrics, listener);
	char *line = qmp_event(event);

	if (line)
		metrics_put(x, line);
}

/* ---- Its life ---- */

/* Does not wait for a listener that takes no more. */
static int metrics_connect(struct metrics *x, struct error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (strlen(x->path) >= sizeof(sun.sun_path))
		return error_errno(err, -ENAMETOOLONG, "--metrics %s", x->file);
	strcpy(sun.sun_path, x->path);
	x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd >= 0 && !connect(x->fd, (struct sockaddr *)&sun, sizeof(sun)))
		return 0;
	if (x->fd >= 0 && errno == EAGAIN)
		return error_set(err, -EAGAIN,
				 "--metrics %s: its listener takes no more connections", x->file);
	return error_errno(err, -errno, "--metrics %s", x->file);
}

bool metrics_takes(mode_t mode)
{
	return S_ISREG(mode) || S_ISFIFO(mode) || S_ISCHR(mode) || S_ISSOCK(mode) || S_ISDIR(mode);
}

static int metrics_refuse(struct metrics *x, struct error *err)
{
	return error_set(err, -EINVAL, "--metrics %s: is no file, pipe, terminal or socket",
			 x->file);
}

/* A pipe is also opened for reading: there may be no reader yet, and each may leave. */
static int metrics_open(struct metrics *x, struct error *err)
{
	struct stat st;
	int exists = !stat(x->path, &st), flags = O_WRONLY;

	if (exists && !metrics_takes(st.st_mode))
		return metrics_refuse(x, err);
	if (exists && S_ISSOCK(st.st_mode))
		return metrics_connect(x, err);
	if (exists && S_ISFIFO(st.st_mode))
		flags = O_RDWR;
	x->fd = open(x->path, flags | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
	if (x->fd < 0 || fstat(x->fd, &st))
		return error_errno(err, -errno, "--metrics %s", x->file);
	if (!metrics_takes(st.st_mode))
		return metrics_refuse(x, err);
	x->regular = S_ISREG(st.st_mode);
	return 0;
}

int metrics_create(struct metrics **out, const char *text, struct error *err)
{
	struct metrics_option option;
	struct metrics *x;
	int ret = metrics_parse(&option, text, err);

	*out = NULL;
	if (ret)
		return ret;
	value_prepare();
	x = g_new0(struct metrics, 1);
	x->fd = -1;
	x->interval = option.interval;
	x->file = x->path = g_strdup(option.path);
	x->queue = g_byte_array_new();
	pthread_mutex_init(&x->lock, NULL);
	pthread_cond_init(&x->more, NULL);
	ret = metrics_open(x, err);
	if (ret) {
		metrics_destroy(x);
		return ret;
	}
	*out = x;
	return 0;
}

int metrics_start(struct metrics *x, struct machine *m, struct error *err)
{
	int ret;

	if (!x)
		return 0;
	x->m = m;
	ret = thread_start(&x->thread, METRICS_STACK_SIZE, metrics_thread, x);
	if (ret) {
		x->m = NULL;
		return error_errno(err, ret, "--metrics: cannot start a thread");
	}
	x->listener.event = metrics_event;
	machine_listen(m, &x->listener);
	x->timer = g_timeout_source_new(x->interval * 1000);
	g_source_set_callback(x->timer, metrics_tick, x, NULL);
	g_source_attach(x->timer, m->context);
	return 0;
}

void metrics_destroy(struct metrics *x)
{
	if (!x)
		return;
	if (x->m) {
		g_source_destroy(x->timer);
		g_source_unref(x->timer);
		machine_unlisten(x->m, &x->listener);
		pthread_mutex_lock(&x->lock);
		x->ending = true;
		pthread_cond_signal(&x->more);
		pthread_mutex_unlock(&x->lock);
		pthread_join(x->thread, NULL);
	}
	if (x->fd >= 0)
		close(x->fd);
	pthread_mutex_destroy(&x->lock);
	pthread_cond_destroy(&x->more);
	g_byte_array_unref(x->queue);
	g_free(x->path);
	g_free(x);
}

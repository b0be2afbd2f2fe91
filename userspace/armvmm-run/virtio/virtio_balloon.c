// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-balloon (virtio 1.2 5.5): the guest puts pages into the balloon as it is asked to, and the
 * host has them until the guest takes them out; of pages that are free, it tells (reporting).
 *
 * All is done on the main thread, in pieces of BALLOON_SLICE pages or one report, so that a guest
 * cannot keep it from its other work.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_balloon.h>
#include <linux/virtio_ids.h>

#include "core/balloon.h"
#include "core/device_type.h"
#include "core/machine.h"
#include "core/parse.h"
#include "core/runstate.h"
#include "virtio/virtio_mmio.h"

#define BALLOON_QUEUE_SIZE	128
#define BALLOON_SLICE		1024	/* pages */
#define BALLOON_STATS_MAX	86400	/* seconds */
#define BALLOON_EVENT_US	G_USEC_PER_SEC	/* between two events */

/* virtio's pages, of which addresses and sizes are told (5.5.6). */
#define BALLOON_PAGE		(1u << VIRTIO_BALLOON_PFN_SHIFT)

/* The first two are always there. Those behind them move up where one was not agreed on. */
enum { BALLOON_INFLATE, BALLOON_DEFLATE, BALLOON_QUEUES = 4 };

/* What is told of (virtio 1.2 5.5.6.4), by QEMU's names. */
static const char *const balloon_stat_name[] = {
	[VIRTIO_BALLOON_S_SWAP_IN] = "stat-swap-in",
	[VIRTIO_BALLOON_S_SWAP_OUT] = "stat-swap-out",
	[VIRTIO_BALLOON_S_MAJFLT] = "stat-major-faults",
	[VIRTIO_BALLOON_S_MINFLT] = "stat-minor-faults",
	[VIRTIO_BALLOON_S_MEMFREE] = "stat-free-memory",
	[VIRTIO_BALLOON_S_MEMTOT] = "stat-total-memory",
	[VIRTIO_BALLOON_S_AVAIL] = "stat-available-memory",
	[VIRTIO_BALLOON_S_CACHES] = "stat-disk-caches",
	[VIRTIO_BALLOON_S_HTLB_PGALLOC] = "stat-htlb-pgalloc",
	[VIRTIO_BALLOON_S_HTLB_PGFAIL] = "stat-htlb-pgfail",
};
#define BALLOON_STATS	G_N_ELEMENTS(balloon_stat_name)

struct balloon_config {
	bool deflate_on_oom;
	bool reporting;
	unsigned int interval;	/* seconds */
	const struct virtio_bus *bus;	/* NULL: the default */
};
#define BALLOON_STANDARD { .deflate_on_oom = true, .reporting = true }

struct virtio_balloon {
	struct virtio_device vdev; /* first: see virtio_mmio.h */
	struct balloon balloon;
	uint64_t ram;		/* bytes */
	struct virtq_chain *chain, *inflating;

	/* The lock covers what follows. */
	bool busy;		/* @inflating is at work, and done up to byte @at */
	uint32_t at;
	bool has_stats;		/* the driver waits for this buffer to come back */
	uint16_t stats_head;
	uint64_t stat[BALLOON_STATS];
	int64_t stats_time;	/* seconds since 1970; 0: none have come */

	unsigned int interval;	/* seconds; 0: none. Main thread */
	GSource *timer;		/* asks for statistics */
	GSource *change;	/* tells of another size */
	gint64 told;		/* monotonic, us: when it did */
	uint64_t told_actual;	/* bytes */
};

struct balloon_source {
	GSource source;
	struct virtio_balloon *b;
};

static struct virtio_balloon *to_balloon(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_balloon, vdev);
}

static uint32_t balloon_config_get(const struct virtio_balloon *b, unsigned int offset)
{
	uint32_t value;

	memcpy(&value, b->vdev.config + offset, sizeof(value));
	return le32toh(value);
}

/* Bytes of RAM that the guest has. It may say anything. */
static uint64_t balloon_actual(const struct virtio_balloon *b)
{
	uint32_t pages = balloon_config_get(b, offsetof(struct virtio_balloon_config, actual));
	uint64_t out = (uint64_t)pages * BALLOON_PAGE;

	return out < b->ram ? b->ram - out : 0;
}

/* A guest that wants its free pages filled must find them so: they are not given back (5.5.6.6). */
static bool balloon_is_poisoned(const struct virtio_balloon *b)
{
	return virtio_has(&b->vdev, VIRTIO_BALLOON_F_PAGE_POISON) &&
	       balloon_config_get(b, offsetof(struct virtio_balloon_config, poison_val));
}

static void balloon_forget_stats(struct virtio_balloon *b)
{
	for (unsigned int i = 0; i < BALLOON_STATS; i++)
		b->stat[i] = UINT64_MAX;
}

/* Queues */

static int balloon_stats_queue(const struct virtio_balloon *b)
{
	return virtio_has(&b->vdev, VIRTIO_BALLOON_F_STATS_VQ) ? BALLOON_DEFLATE + 1 : -1;
}

static int balloon_report_queue(const struct virtio_balloon *b)
{
	if (!virtio_has(&b->vdev, VIRTIO_BALLOON_F_REPORTING))
		return -1;
	return BALLOON_DEFLATE + 1 + virtio_has(&b->vdev, VIRTIO_BALLOON_F_STATS_VQ);
}

/* Takes the next chain of a queue, or has the driver notify of it. */
static bool balloon_pop(struct virtio_balloon *b, unsigned int index, struct virtq_chain *chain)
{
	while (!virtio_pop(&b->vdev, index, chain))
		if (!virtio_running(&b->vdev) || !virtq_notify_on(&b->vdev.vq[index]))
			return false;
	return true;
}

static void balloon_push(struct virtio_balloon *b, unsigned int index,
			 const struct virtq_chain *chain)
{
	virtq_push(&b->vdev.vq[index], chain, 0);
	virtio_signal(&b->vdev, index);
}

/* Gives pages back of which bytes @at and on of the chain tell. Returns how many bytes it read. */
static uint32_t balloon_release(struct virtio_balloon *b, uint32_t at)
{
	const struct guestmem *mem = &b->vdev.machine->mem;
	uint8_t *first = NULL, *page;
	uint32_t pfn[BALLOON_SLICE];
	size_t len = 0, n = virtq_chain_read(b->inflating, at, pfn, sizeof(pfn));

	/* Neighbours at once: Linux has them from high to low as often as from low to high. */
	for (size_t i = 0; i < n / sizeof(*pfn); i++) {
		page = guestmem_ptr(mem, (uint64_t)le32toh(pfn[i]) * BALLOON_PAGE, BALLOON_PAGE);
		if (!page)
			continue;
		if (len && page == first + len) {
			len += BALLOON_PAGE;
		} else if (len && page + BALLOON_PAGE == first) {
			first = page;
			len += BALLOON_PAGE;
		} else {
			guestmem_release(mem, first, len);
			first = page;
			len = BALLOON_PAGE;
		}
	}
	guestmem_release(mem, first, len);
	return n;
}

/* One slice of what the driver puts into the balloon. */
static void balloon_inflate(struct virtio_balloon *b)
{
	if (!b->busy) {
		if (!balloon_pop(b, BALLOON_INFLATE, b->inflating))
			return;
		b->busy = true;
		b->at = 0;
	}
	b->at += balloon_release(b, b->at);
	if (b->at >= b->inflating->read_len) {
		b->busy = false;
		balloon_push(b, BALLOON_INFLATE, b->inflating);
	}
	virtio_kick_self(&b->vdev, BALLOON_INFLATE);
}

/* Pages come back by themselves when they are touched. */
static void balloon_deflate(struct virtio_balloon *b)
{
	if (!balloon_pop(b, BALLOON_DEFLATE, b->chain))
		return;
	balloon_push(b, BALLOON_DEFLATE, b->chain);
	virtio_kick_self(&b->vdev, BALLOON_DEFLATE);
}

/* Free pages, which the driver gives as buffers to be written (5.5.6.7). */
static void balloon_report(struct virtio_balloon *b, unsigned int index)
{
	const struct virtq_chain *chain = b->chain;

	if (!balloon_pop(b, index, b->chain))
		return;
	for (unsigned int i = 0; i < chain->nr_write && !balloon_is_poisoned(b); i++)
		guestmem_release(&b->vdev.machine->mem, chain->iov[chain->nr_read + i].iov_base,
				 chain->iov[chain->nr_read + i].iov_len);
	balloon_push(b, index, b->chain);
	virtio_kick_self(&b->vdev, index);
}

/* The driver's statistics. The buffer stays here until others are wanted (5.5.6.3). */
static void balloon_take_stats(struct virtio_balloon *b, unsigned int index)
{
	struct virtio_balloon_stat stat;

	if (!balloon_pop(b, index, b->chain))
		return;
	/* A driver has one buffer for them. The older of two goes back. */
	if (b->has_stats)
		virtq_push_unwritten(&b->vdev.vq[index], b->stats_head);
	balloon_forget_stats(b);
	for (unsigned int i = 0; i < BALLOON_QUEUE_SIZE; i++) {
		size_t n = virtq_chain_read(b->chain, i * sizeof(stat), &stat, sizeof(stat));

		if (n < sizeof(stat))
			break;
		if (le16toh(stat.tag) < BALLOON_STATS)
			b->stat[le16toh(stat.tag)] = le64toh(stat.val);
	}
	b->stats_head = b->chain->head;
	b->has_stats = true;
	b->stats_time = g_get_real_time() / G_USEC_PER_SEC;
	virtio_kick_self(&b->vdev, index);
}

static void balloon_kick(struct virtio_device *vdev, unsigned int index)
{
	struct virtio_balloon *b = to_balloon(vdev);

	if (index == BALLOON_INFLATE)
		balloon_inflate(b);
	else if (index == BALLOON_DEFLATE)
		balloon_deflate(b);
	else if ((int)index == balloon_stats_queue(b))
		balloon_take_stats(b, index);
	else if ((int)index == balloon_report_queue(b))
		balloon_report(b, index);
}

/* What the driver is told to do, and tells */

static void balloon_written(struct virtio_device *vdev)
{
	struct virtio_balloon *b = to_balloon(vdev);

	/* At once, or as soon as it may be told again. */
	g_source_set_ready_time(b->change, b->told + BALLOON_EVENT_US);
}

static gboolean balloon_tell(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct virtio_balloon *b = ((struct balloon_source *)source)->b;
	struct machine_event event = { .type = MACHINE_EVENT_BALLOON };

	(void)callback;
	(void)opaque;
	g_source_set_ready_time(source, -1);
	pthread_mutex_lock(&b->vdev.lock);
	event.bytes = balloon_actual(b);
	b->told = g_get_monotonic_time();
	pthread_mutex_unlock(&b->vdev.lock);
	if (event.bytes != b->told_actual) {
		b->told_actual = event.bytes;
		machine_tell(b->vdev.machine, &event);
	}
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs balloon_tell_funcs = { .dispatch = balloon_tell };

static void balloon_ask_in(struct virtio_balloon *b, unsigned int seconds)
{
	g_source_set_ready_time(b->timer, seconds ? g_get_monotonic_time() +
				(gint64)seconds * G_USEC_PER_SEC : -1);
}

/* Gives the buffer back, which asks the driver to fill it again. */
static gboolean balloon_ask_stats(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct virtio_balloon *b = ((struct balloon_source *)source)->b;
	int queue;

	(void)callback;
	(void)opaque;
	balloon_ask_in(b, b->interval);
	pthread_mutex_lock(&b->vdev.lock);
	queue = balloon_stats_queue(b);
	if (b->has_stats && queue >= 0 && virtio_running(&b->vdev)) {
		b->has_stats = false;
		virtq_push_unwritten(&b->vdev.vq[queue], b->stats_head);
		virtio_signal(&b->vdev, queue);
	}
	pthread_mutex_unlock(&b->vdev.lock);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs balloon_stats_funcs = { .dispatch = balloon_ask_stats };

/* The size that was asked for stays: the next driver is asked for it, too. */
static void balloon_reset(struct virtio_device *vdev)
{
	struct virtio_balloon *b = to_balloon(vdev);
	struct virtio_balloon_config *config = (void *)vdev->config;

	config->actual = 0;
	config->poison_val = 0;
	b->busy = false;
	b->has_stats = false;
	b->stats_time = 0;
	balloon_forget_stats(b);
	balloon_written(vdev);
}

/*
 * For snapshots: pages that were given back are zero, and to give them back again does no harm. The
 * restored device reads the statistics again.
 */
static unsigned int balloon_held(struct virtio_device *vdev, unsigned int index)
{
	const struct virtio_balloon *b = to_balloon(vdev);

	if (index == BALLOON_INFLATE)
		return b->busy;
	return (int)index == balloon_stats_queue(b) && b->has_stats;
}

/* For the operator */

static uint64_t balloon_op_actual(struct balloon *balloon)
{
	struct virtio_balloon *b = container_of(balloon, struct virtio_balloon, balloon);
	uint64_t actual;

	pthread_mutex_lock(&b->vdev.lock);
	actual = balloon_actual(b);
	pthread_mutex_unlock(&b->vdev.lock);
	return actual;
}

static void balloon_op_ask(struct balloon *balloon, uint64_t bytes)
{
	struct virtio_balloon *b = container_of(balloon, struct virtio_balloon, balloon);
	uint32_t pages = htole32(bytes < b->ram ? (b->ram - bytes) / BALLOON_PAGE : 0);

	pthread_mutex_lock(&b->vdev.lock);
	virtio_config_set(&b->vdev, offsetof(struct virtio_balloon_config, num_pages), &pages,
			  sizeof(pages));
	pthread_mutex_unlock(&b->vdev.lock);
}

static void balloon_op_stats(struct balloon *balloon, struct balloon_stats *stats)
{
	struct virtio_balloon *b = container_of(balloon, struct virtio_balloon, balloon);

	pthread_mutex_lock(&b->vdev.lock);
	stats->time = b->stats_time;
	stats->nr = BALLOON_STATS;
	for (unsigned int i = 0; i < BALLOON_STATS; i++) {
		stats->stat[i].name = balloon_stat_name[i];
		stats->stat[i].value = b->stat[i];
	}
	pthread_mutex_unlock(&b->vdev.lock);
}

static unsigned int balloon_op_interval(struct balloon *balloon)
{
	return container_of(balloon, struct virtio_balloon, balloon)->interval;
}

static void balloon_op_set_interval(struct balloon *balloon, unsigned int seconds)
{
	struct virtio_balloon *b = container_of(balloon, struct virtio_balloon, balloon);

	b->interval = seconds;
	balloon_ask_in(b, seconds);
}

static const struct balloon_ops balloon_ops = {
	.actual = balloon_op_actual,
	.ask = balloon_op_ask,
	.stats = balloon_op_stats,
	.interval = balloon_op_interval,
	.set_interval = balloon_op_set_interval,
};

/* Life */

static void balloon_free(struct virtio_balloon *b)
{
	GSource *source[] = { b->timer, b->change };

	for (unsigned int i = 0; i < G_N_ELEMENTS(source); i++) {
		if (!source[i])
			continue;
		g_source_destroy(source[i]);
		g_source_unref(source[i]);
	}
	free(b->chain);
	free(b->inflating);
}

static void balloon_destroy(struct virtio_device *vdev)
{
	vdev->machine->balloon = NULL;
	balloon_free(to_balloon(vdev));
}

static const struct virtio_ops virtio_balloon_ops = {
	.name = "virtio-balloon",
	.id = VIRTIO_ID_BALLOON,
	.nr_queues = BALLOON_QUEUES,
	.queue_size = BALLOON_QUEUE_SIZE,
	.config_writable = 1u << offsetof(struct virtio_balloon_config, actual) / 4 |
			   1u << offsetof(struct virtio_balloon_config, poison_val) / 4,
	.config_written = balloon_written,
	.kick = balloon_kick,
	.held = balloon_held,
	.reset = balloon_reset,
	.destroy = balloon_destroy,
};

static GSource *balloon_source(struct virtio_balloon *b, GSourceFuncs *funcs)
{
	GSource *source = g_source_new(funcs, sizeof(struct balloon_source));

	((struct balloon_source *)source)->b = b;
	g_source_attach(source, b->vdev.machine->context);
	return source;
}

static int balloon_register(struct virtio_balloon *b, struct machine *m,
			    const struct balloon_config *config, struct error *err)
{
	static const struct virtio_balloon_config space;
	uint64_t features = VIRTIO_BIT(VIRTIO_BALLOON_F_STATS_VQ) |
			    VIRTIO_BIT(VIRTIO_BALLOON_F_PAGE_POISON);
	int ret;

	if (config->deflate_on_oom)
		features |= VIRTIO_BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
	if (config->reporting)
		features |= VIRTIO_BIT(VIRTIO_BALLOON_F_REPORTING);
	b->vdev.bus = config->bus;
	ret = virtio_device_register(m, &b->vdev, &virtio_balloon_ops, features, &space,
				     sizeof(space), err);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < m->mem.nr_regions; i++)
		b->ram += m->mem.region[i].size;
	b->told_actual = b->ram;
	b->told = g_get_monotonic_time();
	b->change = balloon_source(b, &balloon_tell_funcs);
	b->timer = balloon_source(b, &balloon_stats_funcs);
	balloon_forget_stats(b);
	b->balloon.ops = &balloon_ops;
	balloon_op_set_interval(&b->balloon, config->interval);
	m->balloon = &b->balloon;
	return 0;
}

static int balloon_create(struct machine *m, const void *config, struct error *err)
{
	static const struct balloon_config standard = BALLOON_STANDARD;
	struct virtio_balloon *b = calloc(1, sizeof(*b));
	int ret;

	if (!b)
		return error_errno(err, -ENOMEM, "virtio-balloon");
	b->chain = virtq_chain_alloc(BALLOON_QUEUE_SIZE);
	b->inflating = virtq_chain_alloc(BALLOON_QUEUE_SIZE);
	if (b->chain && b->inflating)
		ret = balloon_register(b, m, config ? config : &standard, err);
	else
		ret = error_errno(err, -ENOMEM, "virtio-balloon");
	if (ret) {
		balloon_free(b);
		free(b);
		return ret;
	}
	if (m->mem.pinned && !m->mem.unpin)
		machine_warn(m, "virtio-balloon: this host pins guest memory, and the module cannot unpin it: what the guest puts into the balloon is not given back");
	return 0;
}

static int balloon_parse_word(struct balloon_config *config, const char *label, const char *word,
			      struct error *err)
{
	const char *value;
	uint64_t seconds;
	int ret = virtio_bus_parse(word, label, &config->bus, err);

	if (ret != -ENOENT)
		return ret;
	value = parse_value(word, "deflate-on-oom");
	if (value)
		return parse_bool(value, &config->deflate_on_oom) ?
			error_set(err, -EINVAL, "%s: deflate-on-oom must be on or off", label) : 0;
	value = parse_value(word, "free-page-reporting");
	if (value)
		return parse_bool(value, &config->reporting) ?
			error_set(err, -EINVAL, "%s: free-page-reporting must be on or off", label) : 0;
	value = parse_value(word, "stats");
	if (!value)
		return error_set(err, -EINVAL, "%s: unknown word \"%s\"", label, word);
	if (parse_number_all(value, BALLOON_STATS_MAX, &seconds))
		return error_set(err, -EINVAL, "%s: stats must be a number of seconds up to %u", label,
				 BALLOON_STATS_MAX);
	config->interval = seconds;
	return 0;
}

static int balloon_parse(const char *label, const char *args, void **out, struct error *err)
{
	struct balloon_config *config = malloc(sizeof(*config));
	char *words, *rest, *word;
	int ret = 0;

	*out = config;
	if (!config)
		return error_errno(err, -ENOMEM, "%s", label);
	*config = (struct balloon_config)BALLOON_STANDARD;
	words = rest = args ? strdup(args) : NULL;
	if (args && !words)
		return error_errno(err, -ENOMEM, "%s", label);
	while (!ret && (word = strsep(&rest, ",")))
		ret = balloon_parse_word(config, label, word, err);
	free(words);
	return ret;
}

static const struct device_word balloon_words[] = {
	{ "deflate-on-oom=on|off", "a guest without memory may take pages out (on)" },
	{ "free-page-reporting=on|off", "its free pages go back to the host (on)" },
	{ "stats=SECONDS", "ask for its statistics that often (0: never)" },
	VIRTIO_BUS_WORD,
	{ NULL, NULL },
};

static const struct device_type balloon_type = {
	.name = "virtio-balloon",
	.summary = "takes memory from the guest, and gives it back",
	.option = "balloon",
	.words = balloon_words,
	.max = 1,
	.order = 60,
	.parse = balloon_parse,
	.release = free,
	.create = balloon_create,
};
DEVICE_TYPE(balloon_type);

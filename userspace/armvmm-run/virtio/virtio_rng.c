// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-rng (virtio 1.2 5.4): random bytes from the host's getrandom().
 *
 * A guest may ask without end; so that it cannot keep the main thread busy, it
 * gets RNG_QUOTA bytes in each RNG_PERIOD and then waits for the next.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include <linux/virtio_ids.h>

#include "core/device_type.h"
#include "core/machine.h"
#include "virtio/virtio_mmio.h"

#define RNG_QUEUE_SIZE 8
#define RNG_QUOTA (64 * 1024) /* bytes */
#define RNG_MIN_CHARGE 64 /* the least bytes that a request counts for */
#define RNG_PERIOD_US (100 * 1000)

struct virtio_rng {
	struct virtio_device vdev; /* first: see virtio_mmio.h */
	struct virtq_chain *chain;
	GSource *timer; /* fires when a period ends whose quota did not suffice */
	gint64 period_end; /* monotonic, microseconds */
	size_t quota; /* bytes left of this period */
};

struct rng_timer {
	GSource source;
	struct virtio_rng *rng;
};

static struct virtio_rng *to_rng(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_rng, vdev);
}

/* Fills the writable part of @chain as far as the quota goes. Returns the bytes written. */
static size_t rng_fill(struct virtio_rng *rng, const struct virtq_chain *chain)
{
	size_t done = 0, charge;
	unsigned int i;

	for (i = 0; i < chain->nr_write && done < rng->quota; i++) {
		const struct iovec *iov = &chain->iov[chain->nr_read + i];
		size_t left = rng->quota - done;
		size_t want = iov->iov_len < left ? iov->iov_len : left;
		ssize_t n = getrandom(iov->iov_base, want, GRND_NONBLOCK);

		/* Early in the host's own boot there is nothing to give yet. */
		if (n <= 0)
			break;
		done += n;
		if ((size_t)n < iov->iov_len)
			break;
	}
	charge = done && done < RNG_MIN_CHARGE ? RNG_MIN_CHARGE : done;
	rng->quota -= charge < rng->quota ? charge : rng->quota;
	return done;
}

static void rng_serve(struct virtio_rng *rng)
{
	struct virtio_device *vdev = &rng->vdev;
	struct virtqueue *vq = &vdev->vq[0];
	gint64 now = g_get_monotonic_time();

	if (now >= rng->period_end) {
		rng->period_end = now + RNG_PERIOD_US;
		rng->quota = RNG_QUOTA;
	}
	for (;;) {
		size_t n;

		if (!virtio_pop(vdev, 0, rng->chain)) {
			if (!virtio_running(vdev) || !virtq_notify_on(vq))
				break;
			continue;
		}
		if (!rng->chain->nr_write) {
			virtio_fail(vdev, "a request has no room for an answer");
			break;
		}
		n = rng_fill(rng, rng->chain);
		if (!n) {
			/*
			 * A request must be answered by at least one byte (virtio 1.2 5.4.6.2): do
			 * it later.
			 */
			virtq_unpop(vq, 1);
			g_source_set_ready_time(rng->timer, rng->period_end);
			break;
		}
		virtq_push(vq, rng->chain, n);
	}
	virtio_signal(vdev, 0);
}

static gboolean rng_timer_dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct virtio_rng *rng = ((struct rng_timer *)source)->rng;

	(void)callback;
	(void)opaque;
	g_source_set_ready_time(source, -1);
	pthread_mutex_lock(&rng->vdev.lock);
	if (virtio_running(&rng->vdev))
		rng_serve(rng);
	pthread_mutex_unlock(&rng->vdev.lock);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs rng_timer_funcs = { .dispatch = rng_timer_dispatch };

static void rng_kick(struct virtio_device *vdev, unsigned int index)
{
	(void)index;
	rng_serve(to_rng(vdev));
}

static void rng_free(struct virtio_rng *rng)
{
	if (rng->timer) {
		g_source_destroy(rng->timer);
		g_source_unref(rng->timer);
	}
	free(rng->chain);
}

static void rng_destroy(struct virtio_device *vdev)
{
	rng_free(to_rng(vdev));
}

static const struct virtio_ops virtio_rng_ops = {
	.name = "virtio-rng",
	.id = VIRTIO_ID_RNG,
	.nr_queues = 1,
	.queue_size = RNG_QUEUE_SIZE,
	.kick = rng_kick,
	.destroy = rng_destroy,
};

static int rng_create(struct machine *m, const void *config, struct error *err)
{
	struct virtio_rng *rng;
	int ret;

	rng = calloc(1, sizeof(*rng));
	if (!rng)
		return error_errno(err, -ENOMEM, "virtio-rng");
	rng->chain = virtq_chain_alloc(RNG_QUEUE_SIZE);
	rng->timer = g_source_new(&rng_timer_funcs, sizeof(struct rng_timer));
	((struct rng_timer *)rng->timer)->rng = rng;
	g_source_attach(rng->timer, m->context);
	rng->vdev.bus = config;
	if (rng->chain)
		ret = virtio_device_register(m, &rng->vdev, &virtio_rng_ops, 0, NULL, 0, err);
	else
		ret = error_errno(err, -ENOMEM, "virtio-rng");
	if (ret < 0) {
		rng_free(rng);
		free(rng);
	}
	return ret;
}

/* The config is the bus that it is on. */
static int rng_parse(const char *label, const char *args, void **config, struct error *err)
{
	const struct virtio_bus *bus = NULL;
	int ret = args ? virtio_bus_parse(args, label, &bus, err) : 0;

	*config = (void *)bus;
	return ret == -ENOENT ? error_set(err, -EINVAL, "%s: unknown word \"%s\"", label, args) :
				ret;
}

static const struct device_word rng_words[] = {
	VIRTIO_BUS_WORD,
	{ NULL, NULL },
};

static const struct device_type rng_type = {
	.name = "virtio-rng",
	.summary = "source of random numbers",
	.option = "rng",
	.words = rng_words,
	.max = 1,
	.order = 50,
	.parse = rng_parse,
	.create = rng_create,
};
DEVICE_TYPE(rng_type);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-blk (virtio 1.2 5.2): the queue and the threads that serve it. What a
 * request does to the disk is in blk_request.c, the file behind it in disk.c.
 *
 * Requests run on worker threads, never on a vCPU or the main thread. One
 * worker, the leader, waits for the guest's notification; whoever takes a
 * request and sees another one behind it wakes or starts a helper. So an idle
 * disk has one sleeping thread, and a busy one keeps a few requests in the
 * host's hands at once.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>

#include "blk_request.h"
#include "disk.h"
#include "machine.h"
#include "virtio_mmio.h"

#define BLK_QUEUE_SIZE 128
#define BLK_WORKERS 4

/* Deep enough for our frames and libc's; the system's default is 8 MiB of address space. */
#define BLK_STACK_SIZE (64 * 1024)

struct blk_worker {
	struct virtio_blk *blk;
	pthread_t thread;
	struct blk_request req;
	struct virtq_chain *chain;
};

struct virtio_blk {
	struct virtio_device vdev; /* first: see virtio_mmio.h */
	struct disk disk;
	pthread_cond_t follow; /* a leader is needed, or a helper, or stop */
	bool leading; /* a worker waits for the guest's notification */
	unsigned int nr_waiting; /* workers that sleep on @follow */
	bool stop;
	unsigned int nr_workers;
	struct blk_worker worker[BLK_WORKERS];
};

static struct virtio_blk *to_blk(struct virtio_device *vdev)
{
	return container_of(vdev, struct virtio_blk, vdev);
}

static void *blk_worker_main(void *opaque);

/* The lock is held. */
static int blk_start_worker(struct virtio_blk *blk)
{
	struct blk_worker *w = &blk->worker[blk->nr_workers];
	sigset_t all, old;
	pthread_attr_t attr;
	int ret;

	w->blk = blk;
	if (!w->chain)
		w->chain = virtq_chain_alloc(&blk->vdev.vq[0]);
	if (!w->chain)
		return -ENOMEM;
	/* A vCPU may be starting us, and a vCPU takes signals. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, BLK_STACK_SIZE);
	ret = pthread_create(&w->thread, &attr, blk_worker_main, w);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret)
		return -ret;
	blk->nr_workers++;
	return 0;
}

/* There may be more than one request: get help. The lock is held. */
static void blk_get_help(struct virtio_blk *blk)
{
	if (blk->nr_waiting)
		pthread_cond_signal(&blk->follow);
	else if (blk->nr_workers < BLK_WORKERS && !blk->stop)
		blk_start_worker(blk); /* without it we are slower, no more */
}

/* The ring was empty: wait until it may not be. The lock is held and dropped meanwhile. */
static void blk_wait(struct virtio_blk *blk)
{
	struct virtio_device *vdev = &blk->vdev;
	eventfd_t count;

	if (blk->leading) {
		blk->nr_waiting++;
		pthread_cond_wait(&blk->follow, &vdev->lock);
		blk->nr_waiting--;
		return;
	}
	if (virtio_running(vdev) && virtq_notify_on(&vdev->vq[0]))
		return;
	blk->leading = true;
	pthread_mutex_unlock(&vdev->lock);
	(void)eventfd_read(vdev->kick[0], &count);
	pthread_mutex_lock(&vdev->lock);
	blk->leading = false;
	if (virtio_running(vdev))
		virtq_notify_off(&vdev->vq[0]);
}

static void blk_serve(struct virtio_blk *blk, struct blk_worker *w)
{
	struct virtio_device *vdev = &blk->vdev;
	int len;

	if (virtq_pending(&vdev->vq[0]) || !blk->leading)
		blk_get_help(blk);
	w->req.write_through = !virtio_has(vdev, VIRTIO_BLK_F_FLUSH);
	virtio_begin(vdev);
	pthread_mutex_unlock(&vdev->lock);

	len = blk_request_run(&w->req, &blk->disk, vdev, w->chain);

	pthread_mutex_lock(&vdev->lock);
	if (len < 0) {
		virtio_fail(vdev, "a request has no room for header or status");
	} else {
		virtq_push(&vdev->vq[0], w->chain->head, len);
		virtio_signal(vdev, 0);
	}
	virtio_end(vdev);
}

static void *blk_worker_main(void *opaque)
{
	struct blk_worker *w = opaque;
	struct virtio_blk *blk = w->blk;

	pthread_mutex_lock(&blk->vdev.lock);
	while (!blk->stop) {
		if (virtio_pop(&blk->vdev, 0, w->chain))
			blk_serve(blk, w);
		else
			blk_wait(blk);
	}
	pthread_mutex_unlock(&blk->vdev.lock);
	return NULL;
}

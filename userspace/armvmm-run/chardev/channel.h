/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What back ends share to which somebody comes and goes, one at a time. What a guest writes while
 * nobody is there waits for the next, in a bounded queue: if it is text for a person, the oldest
 * gives way, and the next one is told; if it is a program's data, the guest waits.
 */
#ifndef ARMVMM_RUN_CHANNEL_H
#define ARMVMM_RUN_CHANNEL_H

#include "core/chardev_private.h"
#include "core/output.h"

#define CHANNEL_QUEUE	65536u

struct channel;

struct channel_ops {
	/* Whoever was there has left; its descriptor is the back end's again, and open. */
	void (*left)(struct channel *channel, int fd);
	void (*destroy)(struct channel *channel);
	/* NULL: nobody can ask what size the window is. Main thread. */
	bool (*size)(struct channel *channel, int fd, uint16_t *cols, uint16_t *rows);
};

struct channel {
	struct chardev chr;
	struct output out;
	const struct channel_ops *ops;
	bool stream;
	int fd;			/* who is there; -1: nobody */
	bool ended;		/* they send no more, but still take */
	bool gone;		/* they take no more, but not all that they sent is read */
	GSource *source;	/* waits for what they send, or for their leaving */
	pthread_mutex_t size_lock;	/* of the next */
	uint16_t cols, rows;	/* 0: not known */
};

/*
 * @channel is zeroed; @name is what it is, as query-chardev says it. Returns 0, or -errno with @err
 * set.
 */
int channel_init(struct channel *channel, const struct channel_ops *ops, bool stream,
		 const char *name, const char *label, struct error *err);

/* Sends what is queued, for a short while. Its descriptor stays open. */
void channel_exit(struct channel *channel);

/* Somebody has come, while nobody is there, or only one who is gone. Main thread. */
void channel_enter(struct channel *channel, int fd, enum output_kind kind);

/*
 * May somebody come? Not while another is there, who has not left. Their leaving may have come with
 * the next one's coming, so this looks.
 */
bool channel_is_free(struct channel *channel);

/* Whoever is there has left, as far as the channel is concerned. */
void channel_leave(struct channel *channel);

#endif /* ARMVMM_RUN_CHANNEL_H */

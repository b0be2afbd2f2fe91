/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other end of a serial device: the terminal (or whatever stdin and stdout are), or another
 * back end (chardev/backend.h), to which somebody may come and go.
 *
 * Output goes through a bounded queue, so that a slow terminal never blocks a
 * vCPU: chardev_write() takes what fits, and tx_room() tells when more does.
 * Bytes that follow each other closely may wait there for a few milliseconds, so
 * that many of them are written at once.
 * Input is offered on the main thread, no more than the client has room for;
 * the rest waits in the kernel.
 */
#ifndef ARMVMM_RUN_CHARDEV_H
#define ARMVMM_RUN_CHARDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHARDEV_LABEL_MAX	64	/* bytes of what clients of the control socket call one */

struct chardev;

/* All are called on the main thread, with no lock of the chardev held. */
struct chardev_client {
	/* Bytes of input the client can take now. */
	size_t (*rx_room)(struct chardev_client *client);
	/* Input, never more than rx_room() just said. */
	void (*receive)(struct chardev_client *client, const uint8_t *buf, size_t len);
	/* A serial break (Ctrl-A b). Optional. */
	void (*rx_break)(struct chardev_client *client);
	/* The terminal's size has changed. Optional. */
	void (*resized)(struct chardev_client *client);
	/* The output queue has room again after chardev_write() fell short. Optional. */
	void (*tx_room)(struct chardev_client *client);
	/* Somebody has come to the other end, or gone: see chardev_is_attached(). Optional. */
	void (*attached)(struct chardev_client *client);
	struct chardev_client *next;	/* the chardev's */
};

/*
 * Adds a client. The last one added gets the input; all may write. Main
 * thread, before the first vCPU runs. The client outlives the chardev's use.
 */
void chardev_attach(struct chardev *chr, struct chardev_client *client);

/*
 * Queues output. Returns the bytes taken, from 0 to @len; when fewer than
 * @len, tx_room() will be called. Any thread; never blocks, never fails
 * (output that nobody can receive any more is dropped).
 */
size_t chardev_write(struct chardev *chr, const void *buf, size_t len);

/* So many bytes find room in the queue beyond its end. */
#define CHARDEV_LATE	512

/*
 * Queues output that the guest was told there is room for, and that comes late: takes CHARDEV_LATE
 * bytes more than chardev_write() would, and drops what is beyond. Returns false if the queue is
 * full for others: tx_room() will be called. Any thread.
 */
bool chardev_write_late(struct chardev *chr, const void *buf, size_t len);

/*
 * Keeps the last @size bytes of output from now on. Main thread, once, before the first vCPU runs.
 * Returns 0 or -ENOMEM.
 */
int chardev_keep(struct chardev *chr, size_t size);

/* Moves the oldest of the kept bytes, at most @len, into @buf. Returns how many. Any thread. */
size_t chardev_take_kept(struct chardev *chr, uint8_t *buf, size_t len);

/*
 * For snapshots. Copies the oldest of the kept bytes, at most @len, and leaves them. And: keeps
 * bytes as if they had been written, if anything is kept; the terminal does not get them. Any
 * thread.
 */
size_t chardev_peek_kept(struct chardev *chr, uint8_t *buf, size_t len);
void chardev_put_kept(struct chardev *chr, const uint8_t *buf, size_t len);

/* The terminal's size in characters; false if it has none (a file, a pipe). Any thread. */
bool chardev_size(struct chardev *chr, uint16_t *cols, uint16_t *rows);

/* May it get a size later, or another one, from whoever comes? Any thread. */
bool chardev_may_resize(const struct chardev *chr);

/* Is somebody at the other end? Always, where nobody can come and go. Any thread. */
bool chardev_is_attached(const struct chardev *chr);

/* The guest's program has opened its end, or closed it; it is open at first. Any thread. */
void chardev_set_open(struct chardev *chr, bool open);

/* The client has made room for input (rx_room() grew from 0). Any thread. */
void chardev_rx_ready(struct chardev *chr);

#endif /* ARMVMM_RUN_CHARDEV_H */

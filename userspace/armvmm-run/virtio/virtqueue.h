/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device's side of one split virtqueue (virtio 1.2 2.7).
 *
 * The three rings live in guest RAM and the guest writes to them while we
 * read: every field is fetched once into a local, checked, and only then used.
 * A ring that breaks a rule of the specification makes the queue "broken": no
 * more is taken from it or written to it until the next reset, and the device
 * on top sets DEVICE_NEEDS_RESET (virtio 1.2 2.1.2).
 *
 * A queue has no lock of its own. virtq_pop(), virtq_push() and the rest are
 * called under the lock of the device that owns the queue; a popped chain may
 * be worked on without it, since RAM stays mapped for the life of the machine.
 */
#ifndef ARMVMM_RUN_VIRTQUEUE_H
#define ARMVMM_RUN_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct guestmem;
struct record;
struct vring_desc;
struct vring_avail;
struct vring_used;

/* No device here offers a queue larger than this; virtio allows 32768. */
#define VIRTQ_MAX_SIZE 256

/**
 * struct virtq_chain - one request: a chain of descriptors, translated
 * @head: index of its first descriptor, which names it in the used ring
 * @max: room in @iov
 * @nr_read: how many of @iov, from the first, the device may read
 * @nr_write: how many of @iov, behind those, the device may write
 * @read_len: bytes in the readable part
 * @write_len: bytes in the writable part; both together fit in 32 bits
 *	(virtio 1.2 2.7.4: a chain is never longer than 2^32 bytes)
 * @iov: host addresses, each wholly inside guest RAM and never empty
 */
struct virtq_chain {
	uint16_t head;
	uint16_t max;
	uint16_t nr_read;
	uint16_t nr_write;
	uint32_t read_len;
	uint32_t write_len;
	struct iovec iov[];
};

/**
 * struct virtqueue - one queue
 * @mem: guest RAM
 * @size_max: the largest size offered to the driver, a power of two
 * @size: the size in use, a power of two; set by the driver before it is ready
 * @desc_gpa: where the driver put the descriptor table
 * @avail_gpa: where the driver put the available ring
 * @used_gpa: where the driver put the used ring
 * @pfn: legacy: the page number that the driver gave for all three
 * @align: legacy: the boundary on which the used ring lies
 * @indirect: VIRTIO_F_INDIRECT_DESC was negotiated
 * @event_idx: VIRTIO_F_EVENT_IDX was negotiated
 * @event_room: there is room for its fields, whether it was or not (legacy)
 * @ready: the driver has enabled the queue; the ring pointers are valid
 * @broken: NULL, or the rule that the driver broke, in words
 * @desc: host address of the descriptor table
 * @avail: host address of the available ring
 * @used: host address of the used ring
 * @avail_seen: the available index as last read
 * @next_avail: index of the next available entry to take
 * @next_used: index of the next used entry to write
 * @signalled: @next_used when the driver was last considered for an interrupt
 */
struct virtqueue {
	const struct guestmem *mem;
	uint16_t size_max;
	uint16_t size;
	uint64_t desc_gpa;
	uint64_t avail_gpa;
	uint64_t used_gpa;
	uint32_t pfn;
	uint32_t align;
	bool indirect;
	bool event_idx;
	bool event_room;

	bool ready;
	const char *broken;
	const struct vring_desc *desc;
	const struct vring_avail *avail;
	struct vring_used *used;
	uint16_t avail_seen;
	uint16_t next_avail;
	uint16_t next_used;
	uint16_t signalled;
};

/* Room for the longest chain of a queue of @size; NULL when memory is out. */
struct virtq_chain *virtq_chain_alloc(uint16_t size);

/* Prepare a queue. @size_max is a power of two up to VIRTQ_MAX_SIZE. */
void virtq_init(struct virtqueue *vq, const struct guestmem *mem, uint16_t size_max);

/* Back to the state after virtq_init(): what a device reset asks for. */
void virtq_reset(struct virtqueue *vq);

/*
 * The driver wrote 1 to QueueReady. Finds the rings in guest RAM: a size that
 * is no power of two up to size_max, an address out of alignment or outside
 * RAM leaves the queue broken and not ready.
 */
void virtq_enable(struct virtqueue *vq);

/*
 * For snapshots. The last @held chains that were popped count as if they had not been taken.
 * virtq_restore() refuses what virtq_enable() would, and returns 0 or the record's error.
 */
void virtq_save(const struct virtqueue *vq, unsigned int held, struct record *r);
int virtq_restore(struct virtqueue *vq, struct record *r);

/*
 * Take the next available chain into @chain.
 * Returns 1 when there was one, 0 when there is none (or the queue is not
 * ready), and -EPROTO when the ring breaks a rule: vq->broken then says which.
 */
int virtq_pop(struct virtqueue *vq, struct virtq_chain *chain);

/*
 * Give back the last @n chains that were popped as if they had never been
 * taken. None of them may have been pushed, nor any popped after them.
 */
void virtq_unpop(struct virtqueue *vq, unsigned int n);

/*
 * Return @chain to the driver with @len bytes written from the start of
 * its writable part. Nothing happens on a queue that is broken or not ready.
 */
void virtq_push(struct virtqueue *vq, const struct virtq_chain *chain, uint32_t len);

/* The same for the chain with that @head, to which nothing was written. */
void virtq_push_unwritten(struct virtqueue *vq, uint16_t head);

/*
 * The same in two steps, for a packet over several chains, which the driver
 * must see all at once (virtio 1.2 5.1.6.4.2): fill entries @ahead = 0, 1, ...
 * and then publish @n of them. What is written to a chain after
 * virtq_fill() has to be told by virtq_wrote(), before virtq_publish().
 */
void virtq_fill(struct virtqueue *vq, const struct virtq_chain *chain, uint32_t len,
		unsigned int ahead);
void virtq_wrote(struct virtqueue *vq, const struct virtq_chain *chain);
void virtq_publish(struct virtqueue *vq, unsigned int n);

/*
 * Does the driver want an interrupt for what was pushed since this was last asked? Call this at
 * least once in 2^15 pushes, or their count wraps.
 */
bool virtq_wants_interrupt(struct virtqueue *vq);

/* Tell the driver that it need not notify us: we are polling the ring. */
void virtq_notify_off(struct virtqueue *vq);

/*
 * Take note of what the driver has added so far, though some of it is not popped yet:
 * virtq_notify_on() then tells what it adds later.
 */
void virtq_look(struct virtqueue *vq);

/*
 * Ask the driver to notify us of the next chain that it adds. Returns true
 * when one came in since virtq_pop() last looked, for which no notification
 * may come: pop again. To be called after virtq_pop() has found nothing more, or virtq_look().
 */
bool virtq_notify_on(struct virtqueue *vq);

/* Does the ring hold chains that were not popped? A hint: more may come at any time. */
bool virtq_pending(const struct virtqueue *vq);

/*
 * Copy between @chain and flat memory, from byte @offset of the readable or
 * the writable part. Returns the number of bytes copied, less than @len where
 * the part ends.
 */
size_t virtq_chain_read(const struct virtq_chain *chain, size_t offset, void *buf, size_t len);
size_t virtq_chain_write(const struct virtq_chain *chain, size_t offset, const void *buf,
			 size_t len);

#endif /* ARMVMM_RUN_VIRTQUEUE_H */

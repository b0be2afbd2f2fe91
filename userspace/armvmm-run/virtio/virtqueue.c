// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's side of one split virtqueue (virtio 1.2 2.7).
 *
 * Ordering. The rings are shared with vCPUs that run on other CPUs of a weakly
 * ordered machine, so each hand-over has its own barrier:
 *   - the available index is read with acquire, before the ring entry and the
 *     descriptors behind it (virtio 1.2 2.7.13.3.1 is the driver's half);
 *   - the used index is written with release, after the entry and after the
 *     data in the buffers (2.7.8.2);
 *   - "publish, then look whether the other side sleeps" needs a full barrier
 *     in between, in both directions: used index against used_event or flags,
 *     avail_event or flags against available index (2.7.7, 2.7.10).
 * On ARMv7 the compiler makes each of them a DMB ISH, which covers the
 * inner-shareable, cacheable RAM that vCPUs and threads share.
 */
#include "core/iov.h"
#include "virtio/virtqueue.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ring.h>

#include "core/guestmem.h"
#include "core/record.h"

#define DESC_SIZE ((uint32_t)sizeof(struct vring_desc))

/* A walk over one descriptor table: the queue's own, or an indirect one. */
struct desc_table {
	const struct vring_desc *desc;
	uint32_t nr;
	bool indirect;
};

static int virtq_break(struct virtqueue *vq, const char *why)
{
	if (!vq->broken)
		vq->broken = why;
	return -EPROTO;
}

static uint16_t virtq_load16(const uint16_t *p)
{
	return le16toh(__atomic_load_n(p, __ATOMIC_RELAXED));
}

static void virtq_store16(struct virtqueue *vq, uint16_t *p, uint16_t value)
{
	__atomic_store_n(p, htole16(value), __ATOMIC_RELAXED);
	guestmem_wrote(vq->mem, p, sizeof(*p));
}

static const uint16_t *virtq_used_event(const struct virtqueue *vq)
{
	return &vq->avail->ring[vq->size];
}

static uint16_t *virtq_avail_event(const struct virtqueue *vq)
{
	return (uint16_t *)&vq->used->ring[vq->size];
}

struct virtq_chain *virtq_chain_alloc(uint16_t size)
{
	struct virtq_chain *chain;

	chain = malloc(sizeof(*chain) + size * sizeof(chain->iov[0]));
	if (chain) {
		memset(chain, 0, sizeof(*chain));
		chain->max = size;
	}
	return chain;
}

void virtq_init(struct virtqueue *vq, const struct guestmem *mem, uint16_t size_max)
{
	memset(vq, 0, sizeof(*vq));
	vq->mem = mem;
	vq->size_max = size_max;
	vq->size = size_max;
}

void virtq_reset(struct virtqueue *vq)
{
	virtq_init(vq, vq->mem, vq->size_max);
}

/* Finds the rings. Returns NULL, or the rule that they break. */
static const char *virtq_map(struct virtqueue *vq)
{
	/* The event field behind each ring exists only if negotiated; in the old layout, always. */
	uint32_t event = vq->event_idx || vq->event_room ? sizeof(uint16_t) : 0;
	uint32_t n = vq->size;

	if (!n || n > vq->size_max || (n & (n - 1)))
		return "its size is no power of two within the maximum";
	/* Alignments from the table in virtio 1.2 2.7. */
	if ((vq->desc_gpa & 15) || (vq->avail_gpa & 1) || (vq->used_gpa & 3))
		return "a ring is not aligned";
	vq->desc = guestmem_ptr(vq->mem, vq->desc_gpa, n * DESC_SIZE);
	vq->avail = guestmem_ptr(vq->mem, vq->avail_gpa,
				 sizeof(*vq->avail) + n * sizeof(vq->avail->ring[0]) + event);
	vq->used = guestmem_ptr(vq->mem, vq->used_gpa,
				sizeof(*vq->used) + n * sizeof(vq->used->ring[0]) + event);
	return vq->desc && vq->avail && vq->used ? NULL : "a ring lies outside RAM";
}

void virtq_enable(struct virtqueue *vq)
{
	const char *broken;

	if (vq->ready || vq->broken)
		return;
	broken = virtq_map(vq);
	if (broken) {
		virtq_break(vq, broken);
		return;
	}
	vq->next_avail = 0;
	vq->next_used = 0;
	vq->avail_seen = 0;
	vq->signalled = 0;
	vq->ready = true;
}

static const struct record_field virtq_state[] = {
	RECORD_FIELD(struct virtqueue, size, UINT16_MAX),
	RECORD_FIELD(struct virtqueue, desc_gpa, UINT64_MAX),
	RECORD_FIELD(struct virtqueue, avail_gpa, UINT64_MAX),
	RECORD_FIELD(struct virtqueue, used_gpa, UINT64_MAX),
	RECORD_FIELD(struct virtqueue, pfn, UINT32_MAX),
	RECORD_FIELD(struct virtqueue, align, UINT32_MAX),
	RECORD_FIELD(struct virtqueue, indirect, 1),
	RECORD_FIELD(struct virtqueue, event_idx, 1),
	RECORD_FIELD(struct virtqueue, ready, 1),
	RECORD_FIELD(struct virtqueue, avail_seen, UINT16_MAX),
	RECORD_FIELD(struct virtqueue, next_avail, UINT16_MAX),
	RECORD_FIELD(struct virtqueue, next_used, UINT16_MAX),
	RECORD_FIELD(struct virtqueue, signalled, UINT16_MAX),
};

void virtq_save(const struct virtqueue *vq, unsigned int held, struct record *r)
{
	struct virtqueue saved = *vq;
	uint8_t broken = vq->broken != NULL;

	saved.next_avail -= held;
	record_put_fields(r, &saved, virtq_state, RECORD_NR(virtq_state));
	record_put(r, &broken, sizeof(broken));
}

int virtq_restore(struct virtqueue *vq, struct record *r)
{
	const char *broken;
	uint8_t was_broken;
	bool ready;

	record_get_fields(r, vq, virtq_state, RECORD_NR(virtq_state));
	/* Whatever was read, a queue is not in use without its rings. */
	ready = vq->ready;
	vq->ready = false;
	if (record_get(r, &was_broken, sizeof(was_broken)))
		return r->ret;
	if (was_broken)
		vq->broken = "it was broken when it was saved";
	broken = ready ? virtq_map(vq) : NULL;
	vq->ready = ready && !broken;
	return broken ? record_refuse(r, "a queue: %s", broken) : 0;
}

/*
 * One copy of a descriptor, which the guest can no longer change. The compiler
 * barrier keeps later uses from being turned into second reads of guest RAM.
 */
static struct vring_desc virtq_fetch(const struct vring_desc *from)
{
	struct vring_desc d;

	memcpy(&d, from, sizeof(d));
	__asm__ volatile("" ::: "memory");
	d.addr = le64toh(d.addr);
	d.len = le32toh(d.len);
	d.flags = le16toh(d.flags);
	d.next = le16toh(d.next);
	return d;
}

static int virtq_add_buffer(struct virtqueue *vq, struct virtq_chain *chain,
			    const struct vring_desc *d)
{
	unsigned int nr = chain->nr_read + chain->nr_write;
	void *host;

	if (!d->len)
		return virtq_break(vq, "a descriptor has length zero");
	if (nr >= chain->max)
		return virtq_break(vq, "a chain is longer than the queue");
	if ((uint64_t)chain->read_len + chain->write_len + d->len > UINT32_MAX)
		return virtq_break(vq, "a chain is longer than 4 GiB");
	host = guestmem_ptr(vq->mem, d->addr, d->len);
	if (!host)
		return virtq_break(vq, "a buffer lies outside RAM");
	if (d->flags & VRING_DESC_F_WRITE) {
		chain->nr_write++;
		chain->write_len += d->len;
	} else {
		if (chain->nr_write)
			return virtq_break(vq, "a readable descriptor follows a writable one");
		chain->nr_read++;
		chain->read_len += d->len;
	}
	chain->iov[nr].iov_base = host;
	chain->iov[nr].iov_len = d->len;
	return 0;
}

/* Follow @d into the table that it points to (virtio 1.2 2.7.5.3). */
static int virtq_enter_indirect(struct virtqueue *vq, const struct vring_desc *d,
				struct desc_table *table)
{
	if (!vq->indirect)
		return virtq_break(vq, "an indirect descriptor was not negotiated");
	if (table->indirect)
		return virtq_break(vq, "an indirect table points to another");
	if (d->flags & VRING_DESC_F_NEXT)
		return virtq_break(vq, "an indirect descriptor has a successor");
	if (!d->len || d->len % DESC_SIZE)
		return virtq_break(vq, "an indirect table has an odd length");
	table->desc = guestmem_ptr(vq->mem, d->addr, d->len);
	if (!table->desc)
		return virtq_break(vq, "an indirect table lies outside RAM");
	table->nr = d->len / DESC_SIZE;
	table->indirect = true;
	return 0;
}

static int virtq_walk(struct virtqueue *vq, struct virtq_chain *chain)
{
	struct desc_table table = { .desc = vq->desc, .nr = vq->size };
	uint32_t index = chain->head;
	struct vring_desc d;
	int ret;

	/*
	 * Ends at the latest when the chain is full: each turn adds a buffer,
	 * except the only one that may enter an indirect table.
	 */
	for (;;) {
		if (index >= table.nr)
			return virtq_break(vq, "a descriptor index is out of range");
		d = virtq_fetch(&table.desc[index]);
		if (d.flags & VRING_DESC_F_INDIRECT) {
			ret = virtq_enter_indirect(vq, &d, &table);
			index = 0;
		} else {
			ret = virtq_add_buffer(vq, chain, &d);
			if (!ret && !(d.flags & VRING_DESC_F_NEXT))
				return 0;
			index = d.next;
		}
		if (ret)
			return ret;
	}
}

int virtq_pop(struct virtqueue *vq, struct virtq_chain *chain)
{
	int ret;

	if (vq->broken)
		return -EPROTO;
	if (!vq->ready)
		return 0;
	if (vq->avail_seen == vq->next_avail) {
		vq->avail_seen = le16toh(__atomic_load_n(&vq->avail->idx, __ATOMIC_ACQUIRE));
		if (vq->avail_seen == vq->next_avail)
			return 0;
	}
	/*
	 * The driver owns at most `size` heads, so what it has made available
	 * and we have not returned can never be more; this also bounds how
	 * many chains can be in flight.
	 */
	if ((uint16_t)(vq->avail_seen - vq->next_used) > vq->size)
		return virtq_break(vq, "the available index runs ahead");

	chain->head = virtq_load16(&vq->avail->ring[vq->next_avail & (vq->size - 1)]);
	chain->nr_read = 0;
	chain->nr_write = 0;
	chain->read_len = 0;
	chain->write_len = 0;
	ret = virtq_walk(vq, chain);
	if (ret)
		return ret;
	vq->next_avail++;
	return 1;
}

void virtq_unpop(struct virtqueue *vq, unsigned int n)
{
	vq->next_avail -= n;
}

void virtq_wrote(struct virtqueue *vq, const struct virtq_chain *chain)
{
	if (!chain->nr_write || !guestmem_is_logged(vq->mem))
		return;
	/* All of it: a request that failed may have written more than it tells. */
	for (unsigned int i = 0; i < chain->nr_write; i++)
		guestmem_wrote(vq->mem, chain->iov[chain->nr_read + i].iov_base,
			       chain->iov[chain->nr_read + i].iov_len);
}

static void virtq_fill_entry(struct virtqueue *vq, uint16_t head, uint32_t len,
			     unsigned int ahead)
{
	struct vring_used_elem *elem;

	if (!vq->ready || vq->broken)
		return;
	elem = &vq->used->ring[(uint16_t)(vq->next_used + ahead) & (vq->size - 1)];
	__atomic_store_n(&elem->id, htole32(head), __ATOMIC_RELAXED);
	__atomic_store_n(&elem->len, htole32(len), __ATOMIC_RELAXED);
	guestmem_wrote(vq->mem, elem, sizeof(*elem));
}

void virtq_fill(struct virtqueue *vq, const struct virtq_chain *chain, uint32_t len,
		unsigned int ahead)
{
	virtq_wrote(vq, chain);
	virtq_fill_entry(vq, chain->head, len, ahead);
}

void virtq_publish(struct virtqueue *vq, unsigned int n)
{
	if (!vq->ready || vq->broken)
		return;
	vq->next_used += n;
	__atomic_store_n(&vq->used->idx, htole16(vq->next_used), __ATOMIC_RELEASE);
	guestmem_wrote(vq->mem, &vq->used->idx, sizeof(vq->used->idx));
}

void virtq_push(struct virtqueue *vq, const struct virtq_chain *chain, uint32_t len)
{
	virtq_fill(vq, chain, len, 0);
	virtq_publish(vq, 1);
}

void virtq_push_unwritten(struct virtqueue *vq, uint16_t head)
{
	virtq_fill_entry(vq, head, 0, 0);
	virtq_publish(vq, 1);
}

bool virtq_wants_interrupt(struct virtqueue *vq)
{
	uint16_t old = vq->signalled;

	if (!vq->ready || vq->broken || vq->next_used == old)
		return false;
	vq->signalled = vq->next_used;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!vq->event_idx)
		return !(virtq_load16(&vq->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
	/* virtio 1.2 2.7.7.2: is the entry at used_event among the new ones? */
	return vring_need_event(virtq_load16(virtq_used_event(vq)), vq->next_used, old);
}

void virtq_notify_off(struct virtqueue *vq)
{
	/* With EVENT_IDX a stale avail_event already keeps the driver quiet. */
	if (vq->ready && !vq->broken && !vq->event_idx)
		virtq_store16(vq, &vq->used->flags, VRING_USED_F_NO_NOTIFY);
}

bool virtq_pending(const struct virtqueue *vq)
{
	return vq->ready && !vq->broken && virtq_load16(&vq->avail->idx) != vq->next_avail;
}

void virtq_look(struct virtqueue *vq)
{
	if (vq->ready && !vq->broken)
		vq->avail_seen = le16toh(__atomic_load_n(&vq->avail->idx, __ATOMIC_ACQUIRE));
}

bool virtq_notify_on(struct virtqueue *vq)
{
	if (!vq->ready || vq->broken)
		return false;
	/*
	 * Set the mark behind what was seen, not behind what was taken: the driver notifies when it
	 * passes the mark, and it has passed what was seen already.
	 */
	if (vq->event_idx)
		virtq_store16(vq, virtq_avail_event(vq), vq->avail_seen);
	else
		virtq_store16(vq, &vq->used->flags, 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return virtq_load16(&vq->avail->idx) != vq->avail_seen;
}

size_t virtq_chain_read(const struct virtq_chain *chain, size_t offset, void *buf, size_t len)
{
	return iov_read(chain->iov, chain->nr_read, offset, buf, len);
}

size_t virtq_chain_write(const struct virtq_chain *chain, size_t offset, const void *buf,
			 size_t len)
{
	return iov_write(chain->iov + chain->nr_read, chain->nr_write, offset, buf, len);
}

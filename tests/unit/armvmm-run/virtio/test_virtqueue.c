// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/record.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0
//
// The split ring's walker, against drivers that keep the rules of virtio 1.2
// 2.7 and drivers that break each of them (docs/hazards.md 26).
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_ring.h>

#include "../guest/lib/board.h"
#include "core/guestmem.h"
#include "core/iov.h"
#include "virtio/virtqueue.h"
#include "ktap.h"

#define RAM	((uint64_t)RAM_BASE)
#define RAMSIZE (64ULL << 20)
#define DESC	RAM
#define AVAIL	(RAM + 0x4000)
#define USED	(RAM + 0x5000)
#define TABLE	(RAM + 0x8000) /* indirect */
#define TABLE2	(RAM + 0xc000)
#define DATA	(RAM + 0x10000)
#define SIZE	8
#define SIZE_MAX_ 256

#define W VRING_DESC_F_WRITE
#define N VRING_DESC_F_NEXT
#define I VRING_DESC_F_INDIRECT

static struct guestmem mem;
static struct virtqueue vq;
static struct virtq_chain *chain;

static void *at(uint64_t gpa)
{
	return mem.region[0].host + (gpa - RAM);
}

static struct vring_avail *avail(void)
{
	return at(AVAIL);
}

static struct vring_used *used(void)
{
	return at(USED);
}

/* A fresh queue of @size in RAM that lies between two pages that fault. */
static void start(uint16_t size, bool indirect, bool event_idx)
{
	if (!mem.nr_regions) {
		uint8_t *p = mmap(NULL, RAMSIZE + 8192, PROT_NONE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		mprotect(p + 4096, RAMSIZE, PROT_READ | PROT_WRITE);
		guestmem_add(&mem, RAM, RAMSIZE, p + 4096);
		chain = virtq_chain_alloc(SIZE_MAX_);
	}
	memset(at(RAM), 0, 0x20000);
	virtq_init(&vq, &mem, SIZE_MAX_);
	vq.size = size;
	vq.desc_gpa = DESC;
	vq.avail_gpa = AVAIL;
	vq.used_gpa = USED;
	vq.indirect = indirect;
	vq.event_idx = event_idx;
	virtq_enable(&vq);
}

static void desc(uint64_t table, unsigned int i, uint64_t addr, uint32_t len, uint16_t flags,
		 uint16_t next)
{
	((struct vring_desc *)at(table))[i] =
		(struct vring_desc){ .addr = addr, .len = len, .flags = flags, .next = next };
}

static void offer(uint16_t head)
{
	avail()->ring[avail()->idx & (vq.size - 1)] = head;
	avail()->idx++;
}

/* Good rings */

static void test_direct_chain(void)
{
	start(SIZE, true, true);
	KTAP_TRUE(vq.ready);
	KTAP_EQ(virtq_pop(&vq, chain), 0);
	desc(DESC, 3, DATA, 16, N, 5);
	desc(DESC, 5, DATA + 0x1000, 512, N | W, 1);
	desc(DESC, 1, DATA + 0x2000, 1, W, 7);
	offer(3);
	KTAP_EQ(virtq_pop(&vq, chain), 1);
	KTAP_EQ(chain->head, 3);
	KTAP_EQ(chain->nr_read, 1);
	KTAP_EQ(chain->nr_write, 2);
	KTAP_EQ(chain->read_len, 16);
	KTAP_EQ(chain->write_len, 513);
	KTAP_TRUE(chain->iov[0].iov_base == at(DATA));
	KTAP_TRUE(chain->iov[1].iov_base == at(DATA + 0x1000));
	KTAP_TRUE(chain->iov[2].iov_base == at(DATA + 0x2000));
	KTAP_EQ(chain->iov[2].iov_len, 1);
	KTAP_EQ(virtq_pop(&vq, chain), 0);
	virtq_push(&vq, chain, 513);
	KTAP_EQ(used()->idx, 1);
	KTAP_EQ(used()->ring[0].id, 3);
	KTAP_EQ(used()->ring[0].len, 513);
}

static void test_indirect_chain(void)
{
	start(SIZE, true, false);
	/* A direct descriptor may come before the table (2.7.5.3.2). */
	desc(DESC, 0, DATA, 8, N, 1);
	/* Its own write flag has no meaning. */
	desc(DESC, 1, TABLE, 3 * 16, I | W, 0);
	desc(TABLE, 0, DATA + 0x100, 8, N, 2);
	desc(TABLE, 2, DATA + 0x200, 4, N | W, 1);
	desc(TABLE, 1, DATA + 0x300, 2, W, 0);
	offer(0);
	KTAP_EQ(virtq_pop(&vq, chain), 1);
	KTAP_EQ(chain->nr_read, 2);
	KTAP_EQ(chain->nr_write, 2);
	KTAP_EQ(chain->read_len, 16);
	KTAP_EQ(chain->write_len, 6);
	KTAP_TRUE(chain->iov[3].iov_base == at(DATA + 0x300));
}

static void test_chain_as_long_as_the_queue(void)
{
	start(SIZE, false, false);
	for (unsigned int i = 0; i < SIZE; i++)
		desc(DESC, i, DATA + i, 1, i + 1 < SIZE ? N : 0, i + 1);
	offer(0);
	KTAP_EQ(virtq_pop(&vq, chain), 1);
	KTAP_EQ(chain->nr_read, SIZE);
}

static void test_last_byte_of_ram(void)
{
	start(SIZE, false, false);
	desc(DESC, 0, RAM + RAMSIZE - 1, 1, W, 0);
	offer(0);
	KTAP_EQ(virtq_pop(&vq, chain), 1);
	KTAP_EQ(virtq_chain_write(chain, 0, "x", 1), 1);
	KTAP_EQ(*(char *)at(RAM + RAMSIZE - 1), 'x');
}

/* Rings that break a rule: the queue is broken, and nothing was read outside RAM. */

static void expect_broken(const char *what)
{
	uint16_t idx = used()->idx;
	struct vring_used before = *used();

	if (virtq_pop(&vq, chain) != -EPROTO || !vq.broken)
		KTAP_FAIL("%s: was accepted", what);
	/* A broken queue stays broken and does not touch the ring. */
	desc(DESC, 0, DATA, 1, 0, 0);
	offer(0);
	KTAP_EQ(virtq_pop(&vq, chain), -EPROTO);
	virtq_push(&vq, chain, 1);
	KTAP_EQ(used()->idx, idx);
	KTAP_EQ(used()->flags, before.flags);
	KTAP_TRUE(!virtq_wants_interrupt(&vq));
	KTAP_TRUE(!virtq_notify_on(&vq));
	KTAP_TRUE(!virtq_pending(&vq));
	virtq_reset(&vq);
	KTAP_TRUE(!vq.broken && !vq.ready);
}

struct bad_desc {
	const char *what;
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

static void test_bad_single_descriptors(void)
{
	static const struct bad_desc bad[] = {
		{ "length zero", DATA, 0, 0, 0 },
		{ "below RAM", RAM - 1, 1, 0, 0 },
		{ "into RAM from below", RAM - 1, 2, 0, 0 },
		{ "behind RAM", RAM + RAMSIZE, 1, 0, 0 },
		{ "out of RAM at the end", RAM + RAMSIZE - 1, 2, 0, 0 },
		{ "address wraps", UINT64_MAX, 2, 0, 0 },
		{ "address wraps into RAM", UINT64_MAX - 0x1000, 0xffffffff, 0, 0 },
		{ "length wraps 32 bits", DATA, 0xffffffff, 0, 0 },
		{ "address beyond 32 bits", DATA + (1ULL << 32), 1, 0, 0 },
		{ "itself for successor", DATA, 1, N, 0 },
		{ "successor out of range", DATA, 1, N, SIZE },
		{ "successor far out of range", DATA, 1, N, 0xffff },
		{ "table of no entries", TABLE, 0, I, 0 },
		{ "table of half an entry", TABLE, 8, I, 0 },
		{ "table of one and a half", TABLE, 24, I, 0 },
		{ "table out of RAM", RAM + RAMSIZE - 16, 32, I, 0 },
		{ "table wraps", UINT64_MAX - 15, 32, I, 0 },
		{ "table below RAM", 0, 16, I, 0 },
		{ "table with successor", TABLE, 16, I | N, 1 },
	};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(SIZE, true, true);
		desc(TABLE, 0, DATA, 1, 0, 0);
		desc(DESC, 1, DATA, 1, 0, 0);
		/* Behind the table there is something that looks like a descriptor. */
		desc(DESC, SIZE, DATA, 1, 0, 0);
		desc(DESC, 0, bad[i].addr, bad[i].len, bad[i].flags, bad[i].next);
		offer(0);
		expect_broken(bad[i].what);
	}
}

static void test_head_out_of_range(void)
{
	start(SIZE, false, false);
	desc(DESC, SIZE, DATA, 1, 0, 0);
	offer(SIZE);
	expect_broken("head = size");
	start(SIZE, false, false);
	offer(0xffff);
	expect_broken("head = 65535");
}

static void test_loop_of_two(void)
{
	start(SIZE, false, false);
	desc(DESC, 0, DATA, 1, N, 1);
	desc(DESC, 1, DATA, 1, N, 0);
	offer(0);
	expect_broken("loop");
}

static void test_write_before_read(void)
{
	start(SIZE, false, false);
	desc(DESC, 0, DATA, 1, N | W, 1);
	desc(DESC, 1, DATA, 1, 0, 0);
	offer(0);
	expect_broken("readable after writable");
}

static void test_indirect_not_negotiated(void)
{
	start(SIZE, false, false);
	desc(TABLE, 0, DATA, 1, 0, 0);
	desc(DESC, 0, TABLE, 16, I, 0);
	offer(0);
	expect_broken("indirect without the feature");
}

static void test_bad_tables(void)
{
	start(SIZE, true, false);
	desc(DESC, 0, TABLE, 16, I, 0);
	desc(TABLE, 0, TABLE2, 16, I, 0);
	desc(TABLE2, 0, DATA, 1, 0, 0);
	offer(0);
	expect_broken("table in a table");

	start(SIZE, true, false);
	desc(DESC, 0, TABLE, 16, I, 0);
	desc(TABLE, 0, TABLE, 16, I, 0);
	offer(0);
	expect_broken("table that is itself");

	start(SIZE, true, false);
	desc(DESC, 0, TABLE, 32, I, 0);
	desc(TABLE, 0, DATA, 1, N, 2);
	desc(TABLE, 2, DATA, 1, 0, 0);
	offer(0);
	expect_broken("successor behind the table");

	start(SIZE, true, false);
	desc(DESC, 0, TABLE, 32, I, 0);
	desc(TABLE, 0, DATA, 1, N, 1);
	desc(TABLE, 1, DATA, 1, N, 0);
	offer(0);
	expect_broken("loop in a table");

	/* A table longer than any chain may be, but well-formed. */
	start(SIZE, true, false);
	desc(DESC, 0, TABLE, (SIZE_MAX_ + 1) * 16, I, 0);
	for (unsigned int i = 0; i <= SIZE_MAX_; i++)
		desc(TABLE, i, DATA, 1, i < SIZE_MAX_ ? N : 0, i + 1);
	offer(0);
	expect_broken("chain longer than the largest queue");

	/* One descriptor less is valid. */
	start(SIZE, true, false);
	desc(DESC, 0, TABLE, SIZE_MAX_ * 16, I, 0);
	for (unsigned int i = 0; i < SIZE_MAX_; i++)
		desc(TABLE, i, DATA, 1, i + 1 < SIZE_MAX_ ? N : 0, i + 1);
	offer(0);
	KTAP_EQ(virtq_pop(&vq, chain), 1);
}

static void test_four_gigabytes(void)
{
	/* 64 times all of RAM: each buffer is valid, but their sum is 2^32. */
	start(128, false, false);
	for (unsigned int i = 0; i < 64; i++)
		desc(DESC, i, RAM, RAMSIZE, i < 63 ? N : 0, i + 1);
	offer(0);
	expect_broken("a chain of 4 GiB");

	start(128, false, false);
	for (unsigned int i = 0; i < 64; i++)
		desc(DESC, i, RAM, RAMSIZE - (i == 63), i < 63 ? N : 0, i + 1);
	offer(0);
	KTAP_EQ(virtq_pop(&vq, chain), 1);
	KTAP_EQ(chain->read_len, 0xffffffffu);
}

static void test_available_runs_ahead(void)
{
	start(SIZE, false, false);
	desc(DESC, 0, DATA, 1, 0, 0);
	avail()->idx = SIZE + 1;
	expect_broken("size + 1 available");

	start(SIZE, false, false);
	avail()->idx = 0xffff;
	expect_broken("index went backwards");

	/* The same head again and again while the first is in flight. */
	start(SIZE, false, false);
	desc(DESC, 0, DATA, 1, 0, 0);
	for (unsigned int i = 0; i < SIZE; i++) {
		offer(0);
		KTAP_EQ(virtq_pop(&vq, chain), 1);
	}
	offer(0);
	expect_broken("more in flight than the queue holds");
}

static void test_bad_rings(void)
{
	static const struct {
		const char *what;
		uint64_t desc, avail, used;
		uint16_t size;
	} bad[] = {
		{ "size 0", DESC, AVAIL, USED, 0 },
		{ "size 3", DESC, AVAIL, USED, 3 },
		{ "size 512", DESC, AVAIL, USED, 512 },
		{ "table unaligned", DESC + 8, AVAIL, USED, 8 },
		{ "avail unaligned", DESC, AVAIL + 1, USED, 8 },
		{ "used unaligned", DESC, AVAIL, USED + 2, 8 },
		{ "table out of RAM", RAM + RAMSIZE - 112, AVAIL, USED, 8 },
		{ "table wraps", UINT64_MAX - 15, AVAIL, USED, 8 },
		{ "avail below RAM", DESC, RAM - 2, USED, 8 },
		{ "avail out of RAM by its event", DESC, RAM + RAMSIZE - 20, USED, 8 },
		{ "used out of RAM by its event", DESC, AVAIL, RAM + RAMSIZE - 68, 8 },
		{ "all at nowhere", 0, 0, 0, 8 },
	};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(SIZE, true, true);
		virtq_init(&vq, &mem, SIZE_MAX_);
		vq.size = bad[i].size;
		vq.desc_gpa = bad[i].desc;
		vq.avail_gpa = bad[i].avail;
		vq.used_gpa = bad[i].used;
		vq.event_idx = true;
		virtq_enable(&vq);
		if (vq.ready || !vq.broken)
			KTAP_FAIL("%s: was accepted", bad[i].what);
		KTAP_EQ(virtq_pop(&vq, chain), -EPROTO);
	}
	/* Without EVENT_IDX the same two rings end with RAM. */
	virtq_init(&vq, &mem, SIZE_MAX_);
	vq.size = 8;
	vq.desc_gpa = DESC;
	vq.avail_gpa = RAM + RAMSIZE - 20;
	vq.used_gpa = USED;
	virtq_enable(&vq);
	KTAP_TRUE(vq.ready);
}

/* Notifications */

static void test_flags(void)
{
	start(SIZE, false, false);
	/* Nothing was pushed, then something was. */
	KTAP_TRUE(!virtq_wants_interrupt(&vq));
	virtq_push_unwritten(&vq, 0);
	KTAP_TRUE(virtq_wants_interrupt(&vq));
	KTAP_TRUE(!virtq_wants_interrupt(&vq));
	avail()->flags = VRING_AVAIL_F_NO_INTERRUPT;
	virtq_push_unwritten(&vq, 0);
	KTAP_TRUE(!virtq_wants_interrupt(&vq));
	start(SIZE, false, false);
	virtq_notify_off(&vq);
	KTAP_EQ(used()->flags, VRING_USED_F_NO_NOTIFY);
	KTAP_TRUE(!virtq_notify_on(&vq));
	KTAP_EQ(used()->flags, 0);
	desc(DESC, 0, DATA, 1, 0, 0);
	offer(0);
	KTAP_TRUE(virtq_notify_on(&vq));
}

static uint16_t *used_event(void)
{
	return &avail()->ring[vq.size];
}

static uint16_t avail_event(void)
{
	uint16_t event;

	memcpy(&event, &used()->ring[vq.size], sizeof(event));
	return event;
}

static void test_event_idx(void)
{
	start(SIZE, false, true);
	desc(DESC, 0, DATA, 1, 0, 0);
	/* With EVENT_IDX the flags have no meaning (2.7.7.1). */
	avail()->flags = VRING_AVAIL_F_NO_INTERRUPT;
	*used_event() = 2;
	for (unsigned int i = 0; i < 6; i++) {
		offer(0);
		KTAP_EQ(virtq_pop(&vq, chain), 1);
		virtq_push_unwritten(&vq, 0);
		KTAP_EQ(virtq_wants_interrupt(&vq), i == 2);
	}
	/* A batch that passes the mark in the middle. */
	*used_event() = 7;
	for (unsigned int i = 0; i < 4; i++) {
		offer(0);
		KTAP_EQ(virtq_pop(&vq, chain), 1);
		virtq_push_unwritten(&vq, 0);
	}
	KTAP_TRUE(virtq_wants_interrupt(&vq));
	KTAP_TRUE(!virtq_wants_interrupt(&vq));

	KTAP_TRUE(!virtq_notify_on(&vq));
	KTAP_EQ(avail_event(), 10);
	offer(0);
	KTAP_TRUE(virtq_notify_on(&vq));
	/* To ask again does not move the mark: the chain there has not been seen yet. */
	KTAP_EQ(avail_event(), 10);
	KTAP_EQ(virtq_pop(&vq, chain), 1);
	/*
	 * Seen, then given back: the mark is behind it, or the device would wait for its
	 * notification.
	 */
	KTAP_EQ(virtq_pop(&vq, chain), 0);
	virtq_unpop(&vq, 1);
	KTAP_TRUE(!virtq_notify_on(&vq));
	KTAP_EQ(avail_event(), 11);
}

static void test_indices_wrap(void)
{
	unsigned int interrupts = 0;

	start(SIZE, false, true);
	for (unsigned int i = 0; i < SIZE; i++)
		desc(DESC, i, DATA + i, 1, 0, 0);
	for (unsigned int i = 0; i < 140000; i++) {
		*used_event() = i & ~3u; /* every fourth */
		offer(i % SIZE);
		KTAP_ASSERT(virtq_pop(&vq, chain) == 1);
		KTAP_ASSERT(chain->head == i % SIZE);
		KTAP_ASSERT(chain->iov[0].iov_base == at(DATA + i % SIZE));
		virtq_push(&vq, chain, i);
		KTAP_ASSERT(used()->idx == (uint16_t)(i + 1));
		KTAP_ASSERT(used()->ring[i % SIZE].len == i);
		interrupts += virtq_wants_interrupt(&vq);
	}
	KTAP_EQ(interrupts, 140000 / 4);
}

/* The log of written pages */

static uint32_t logged[RAMSIZE / GUESTMEM_PAGE / 32];

/* Is the page of @gpa in the log that was taken last? */
static bool has(uint64_t gpa)
{
	uint64_t page = (gpa - RAM) / GUESTMEM_PAGE;

	return logged[page / 32] >> page % 32 & 1;
}

/* Takes the log. Returns how many pages it has. */
static unsigned int taken(void)
{
	unsigned int n = 0;

	memset(logged, 0, sizeof(logged));
	guestmem_log_take(&mem, 0, logged);
	for (unsigned int i = 0; i < sizeof(logged) / sizeof(logged[0]); i++)
		n += __builtin_popcount(logged[i]);
	return n;
}

/* All that a device wrote is in the log: data, the entry and the index, and its wishes. */
static void test_log(void)
{
	start(SIZE, false, false);
	desc(DESC, 0, DATA, 8192, N, 1);
	desc(DESC, 1, DATA + 0x2ffe, 3, N | W, 2);
	desc(DESC, 2, DATA + 0x6000, 4097, W, 0);
	offer(0);
	offer(0);
	offer(0);
	/* Nobody wants to know. */
	KTAP_EQ(virtq_pop(&vq, chain), 1);
	virtq_push(&vq, chain, 1);
	KTAP_EQ(guestmem_log_start(&mem), 0);
	KTAP_EQ(taken(), 0);
	KTAP_EQ(virtq_pop(&vq, chain), 1);
	KTAP_EQ(taken(), 0);
	/* Whatever it says to have written. */
	virtq_fill(&vq, chain, 1, 0);
	KTAP_EQ(taken(), 5);
	KTAP_TRUE(has(DATA + 0x2000) && has(DATA + 0x3000) && has(DATA + 0x6000) &&
		  has(DATA + 0x7000) && has(USED));
	KTAP_EQ(taken(), 0);
	virtq_wrote(&vq, chain);
	KTAP_EQ(taken(), 4);
	virtq_publish(&vq, 1);
	KTAP_EQ(taken(), 1);
	KTAP_TRUE(has(USED));
	virtq_notify_off(&vq);
	KTAP_EQ(taken(), 1);
	KTAP_TRUE(has(USED));
	virtq_notify_on(&vq);
	KTAP_EQ(taken(), 1);
	virtq_push_unwritten(&vq, 0);
	KTAP_EQ(taken(), 1);
	KTAP_EQ(guestmem_write(&mem, RAM + RAMSIZE - 1, "x", 1), 0);
	KTAP_EQ(taken(), 1);
	KTAP_TRUE(has(RAM + RAMSIZE - 1));
	KTAP_EQ(guestmem_write(&mem, RAM + RAMSIZE - 1, "xx", 2), -EFAULT);
	KTAP_EQ(taken(), 0);
	/* A page that went back to the host is another one. */
	guestmem_release(&mem, at(DATA + 1), 8191);
	KTAP_TRUE(taken() && has(DATA + 0x1000));
	start(SIZE, false, true);
	offer(0);
	virtq_notify_on(&vq);
	KTAP_EQ(taken(), 1);
	KTAP_TRUE(has(USED));
	guestmem_wrote(&mem, at(DATA), 1);
	KTAP_EQ(guestmem_log_start(&mem), 0);
	KTAP_EQ(taken(), 0);
	guestmem_log_stop(&mem);
	guestmem_wrote(&mem, at(DATA), 1);
	KTAP_EQ(taken(), 0);
	/* Addresses of no region. */
	KTAP_EQ(guestmem_log_start(&mem), 0);
	guestmem_wrote(&mem, (uint8_t *)at(RAM) - 1, 1);
	guestmem_wrote(&mem, at(RAM + RAMSIZE), 1);
	KTAP_EQ(taken(), 0);
	guestmem_log_stop(&mem);
}

static void test_unpop_and_publish(void)
{
	start(SIZE, false, false);
	for (unsigned int i = 0; i < 4; i++) {
		desc(DESC, i, DATA + i, 1, W, 0);
		offer(i);
	}
	for (unsigned int i = 0; i < 3; i++) {
		KTAP_EQ(virtq_pop(&vq, chain), 1);
		KTAP_EQ(chain->head, i);
		virtq_fill(&vq, chain, 10 + i, i);
	}
	KTAP_EQ(used()->idx, 0);
	virtq_unpop(&vq, 3);
	KTAP_TRUE(virtq_pending(&vq));
	for (unsigned int i = 0; i < 3; i++) {
		KTAP_EQ(virtq_pop(&vq, chain), 1);
		KTAP_EQ(chain->head, i);
		virtq_fill(&vq, chain, 20 + i, i);
	}
	virtq_publish(&vq, 3);
	KTAP_EQ(used()->idx, 3);
	KTAP_EQ(used()->ring[2].id, 2);
	KTAP_EQ(used()->ring[2].len, 22);
	KTAP_EQ(virtq_pop(&vq, chain), 1);
	KTAP_EQ(chain->head, 3);
}

static void test_copies(void)
{
	char buf[32] = { 0 };
	struct iovec out[4];

	start(SIZE, false, false);
	desc(DESC, 0, DATA, 3, N, 1);
	desc(DESC, 1, DATA + 100, 4, N, 2);
	desc(DESC, 2, DATA + 200, 2, N | W, 3);
	desc(DESC, 3, DATA + 300, 5, W, 0);
	memcpy(at(DATA), "abc", 3);
	memcpy(at(DATA + 100), "defg", 4);
	offer(0);
	KTAP_EQ(virtq_pop(&vq, chain), 1);
	KTAP_EQ(virtq_chain_read(chain, 0, buf, sizeof(buf)), 7);
	KTAP_STREQ(buf, "abcdefg");
	memset(buf, 0, sizeof(buf));
	KTAP_EQ(virtq_chain_read(chain, 2, buf, 3), 3);
	KTAP_STREQ(buf, "cde");
	KTAP_EQ(virtq_chain_read(chain, 7, buf, 3), 0);
	KTAP_EQ(virtq_chain_read(chain, 1000, buf, 3), 0);
	KTAP_EQ(virtq_chain_write(chain, 0, "0123456789", 10), 7);
	KTAP_MEMEQ(at(DATA + 200), "01", 3);
	KTAP_MEMEQ(at(DATA + 300), "23456", 6);
	KTAP_EQ(virtq_chain_write(chain, 6, "x", 1), 1);
	KTAP_MEMEQ(at(DATA + 300), "2345x", 6);
	KTAP_EQ(virtq_chain_write(chain, 7, "y", 1), 0);

	KTAP_EQ(iov_slice(out, chain->iov, 4, 2, 6), 3);
	KTAP_TRUE(out[0].iov_base == at(DATA + 2) && out[0].iov_len == 1);
	KTAP_TRUE(out[1].iov_base == at(DATA + 100) && out[1].iov_len == 4);
	KTAP_TRUE(out[2].iov_base == at(DATA + 200) && out[2].iov_len == 1);
	KTAP_EQ(iov_slice(out, chain->iov, 4, 14, 1), 0);
	KTAP_EQ(iov_slice(out, chain->iov, 4, 13, 100), 1);
	KTAP_EQ(iov_slice(out, chain->iov, 4, 3, 0), 0);
}

/* Random rings */

static uint64_t seed = 0x9e3779b97f4a7c15ULL;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1dULL) >> 32) % n;
}

static uint64_t random_gpa(void)
{
	switch (rnd(12)) {
	case 0:
		return RAM + RAMSIZE - rnd(64);
	case 1:
		return UINT64_MAX - rnd(64);
	case 2:
		return (uint64_t)rnd(UINT32_MAX) << rnd(33);
	case 3:
		return TABLE + 16 * rnd(8);
	default:
		return DATA + rnd(4096);
	}
}

static void random_desc(uint64_t table, unsigned int i, unsigned int size)
{
	static const uint32_t len[] = { 0, 1, 16, 32, 128, 4096, 0xfffff000 };
	uint16_t flags = 0;

	if (rnd(2))
		flags |= N;
	if (rnd(3) == 0)
		flags |= W;
	if (rnd(6) == 0)
		flags = (flags & W) | I;
	if (rnd(40) == 0)
		flags = rnd(0x10000);
	desc(table, i, random_gpa(), rnd(8) ? 16 + 16 * rnd(4) : len[rnd(7)], flags,
	     rnd(30) ? rnd(size) : rnd(0x10000));
}

/* Holds for every accepted chain, whatever the ring says. */
static bool chain_is_sound(void)
{
	unsigned int nr = chain->nr_read + chain->nr_write;
	const uint8_t *lo = at(RAM), *hi = lo + RAMSIZE;
	uint64_t len[2] = { 0, 0 };

	if (!nr || nr > chain->max)
		return false;
	for (unsigned int i = 0; i < nr; i++) {
		const uint8_t *p = chain->iov[i].iov_base;
		size_t n = chain->iov[i].iov_len;

		if (!n || p < lo || p >= hi || n > (size_t)(hi - p))
			return false;
		len[i >= chain->nr_read] += n;
	}
	return len[0] == chain->read_len && len[1] == chain->write_len &&
	       len[0] + len[1] <= UINT32_MAX;
}

static void test_random_rings(void)
{
	unsigned int good = 0, broken = 0;

	for (unsigned int round = 0; round < 30000; round++) {
		uint16_t size = 1 << rnd(6);
		unsigned int offers = 1 + rnd(size);

		start(size, rnd(4) != 0, rnd(2));
		for (unsigned int i = 0; i < size; i++)
			random_desc(DESC, i, size);
		for (unsigned int i = 0; i < 16; i++)
			random_desc(TABLE, i, 16);
		for (unsigned int i = 0; i < offers; i++)
			offer(rnd(50) ? rnd(size) : rnd(0x10000));
		if (rnd(50) == 0)
			avail()->idx = rnd(0x10000);
		for (;;) {
			int ret = virtq_pop(&vq, chain);

			if (ret == 0)
				break;
			if (ret < 0) {
				KTAP_ASSERT(ret == -EPROTO && vq.broken);
				broken++;
				break;
			}
			KTAP_ASSERT(chain_is_sound());
			good++;
			if (rnd(2))
				virtq_push(&vq, chain, rnd(100));
			virtq_wants_interrupt(&vq);
		}
	}
	/* If either were rare, the test would have tested nothing. */
	KTAP_TRUE(good > 10000);
	KTAP_TRUE(broken > 10000);
	printf("# %u chains good, %u rings broken\n", good, broken);
}

/*
 * A driver and a device on two CPUs that both sleep whenever they may. If a barrier is missing on
 * either side, between "publish" and "does the other sleep?", sooner or later both sleep.
 */
#define RACE_ROUNDS 200000

static int race_kick, race_irq;
static volatile bool race_lost;

static bool race_wait(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	eventfd_t count;

	if (race_lost || poll(&p, 1, 30000) != 1) {
		race_lost = true;
		return false;
	}
	return !eventfd_read(fd, &count);
}

static void *race_device(void *arg)
{
	unsigned int done = 0;

	while (done < RACE_ROUNDS && !race_lost) {
		while (virtq_pop(&vq, chain) > 0) {
			virtq_push(&vq, chain, 1);
			done++;
			if (virtq_wants_interrupt(&vq))
				eventfd_write(race_irq, 1);
		}
		if (!virtq_notify_on(&vq) && done < RACE_ROUNDS)
			race_wait(race_kick);
	}
	return NULL;
}

static void race_driver(void)
{
	uint16_t added = 0, seen = 0, old;
	unsigned int sent = 0, received = 0;

	while (received < RACE_ROUNDS && !race_lost) {
		old = added;
		while (sent < RACE_ROUNDS && (uint16_t)(added - seen) < SIZE &&
		       sent - received < 3) {
			avail()->ring[added % SIZE] = added % SIZE;
			added++;
			sent++;
		}
		__atomic_store_n(&avail()->idx, added, __ATOMIC_SEQ_CST);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (vring_need_event(__atomic_load_n((uint16_t *)&used()->ring[vq.size],
						     __ATOMIC_SEQ_CST), added, old))
			eventfd_write(race_kick, 1);
		__atomic_store_n(used_event(), seen, __ATOMIC_SEQ_CST);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(&used()->idx, __ATOMIC_SEQ_CST) == seen)
			race_wait(race_irq);
		while (__atomic_load_n(&used()->idx, __ATOMIC_SEQ_CST) != seen) {
			if (used()->ring[seen % SIZE].len != 1)
				race_lost = true;
			seen++;
			received++;
		}
	}
}

/*
 * The same more closely: both sides take their step at the same moment, again and again, and at
 * least one of them must see what the other did.
 */
#define LITMUS_ROUNDS 20000

static unsigned int litmus_turn[2];
static bool litmus_device_saw;

static void litmus_meet(unsigned int me, unsigned int round)
{
	unsigned int spins = 0;

	__atomic_store_n(&litmus_turn[me], round, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&litmus_turn[!me], __ATOMIC_SEQ_CST) < round) {
		/* The other thread may be waiting for our CPU. */
		if (++spins % 4096 == 0)
			sched_yield();
	}
}

/* The side that was last to arrive is first to leave: try all leads of one over the other. */
static void litmus_delay(unsigned int n)
{
	for (volatile unsigned int i = 0; i < n; i++)
		;
}

static void *litmus_device(void *interrupts)
{
	for (unsigned int i = 1; i <= LITMUS_ROUNDS; i++) {
		litmus_meet(0, 3 * i - 2);
		litmus_delay(i % 64);
		if (interrupts) {
			virtq_push_unwritten(&vq, 0);
			litmus_device_saw = virtq_wants_interrupt(&vq);
		} else {
			litmus_device_saw = virtq_notify_on(&vq);
			if (litmus_device_saw)
				virtq_pop(&vq, chain);
		}
		litmus_meet(0, 3 * i - 1);
		/* Catch up, for the next round. */
		if (!interrupts) {
			virtq_pop(&vq, chain);
			virtq_push_unwritten(&vq, 0);
		}
		litmus_meet(0, 3 * i);
	}
	return NULL;
}

/* Returns the number of rounds in which neither saw the other. */
static unsigned int litmus_driver(bool interrupts)
{
	unsigned int lost = 0;

	for (unsigned int i = 1; i <= LITMUS_ROUNDS; i++) {
		uint16_t old = i - 1;
		bool saw;

		litmus_meet(1, 3 * i - 2);
		litmus_delay(i / 64 % 64);
		if (interrupts) {
			/* "Interrupt me for the next one", then look before sleeping. */
			__atomic_store_n(used_event(), old, __ATOMIC_RELAXED);
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			saw = __atomic_load_n(&used()->idx, __ATOMIC_SEQ_CST) != old;
		} else {
			/* A new chain, then look whether to notify. */
			avail()->ring[old % SIZE] = 0;
			__atomic_store_n(&avail()->idx, i, __ATOMIC_RELEASE);
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			saw = vring_need_event(__atomic_load_n((uint16_t *)&used()->ring[SIZE],
							       __ATOMIC_SEQ_CST), i, old);
		}
		litmus_meet(1, 3 * i - 1);
		lost += !saw && !litmus_device_saw;
		litmus_meet(1, 3 * i);
	}
	return lost;
}

static void test_both_look_at_once(void)
{
	pthread_t thread;

	for (int interrupts = 0; interrupts < 2; interrupts++) {
		start(SIZE, false, true);
		desc(DESC, 0, DATA, 1, W, 0);
		/* Marks of the round before: neither side is to be notified of the first. */
		*used_event() = 0xffff;
		*(uint16_t *)(void *)&used()->ring[SIZE] = 0xffff;
		memset(litmus_turn, 0, sizeof(litmus_turn));
		pthread_create(&thread, NULL, litmus_device, interrupts ? &thread : NULL);
		KTAP_EQ(litmus_driver(interrupts), 0);
		pthread_join(thread, NULL);
		KTAP_TRUE(!vq.broken);
	}
}

static void test_no_lost_wakeups(void)
{
	pthread_t thread;

	start(SIZE, false, true);
	for (unsigned int i = 0; i < SIZE; i++)
		desc(DESC, i, DATA, 1, W, 0);
	race_kick = eventfd(0, EFD_CLOEXEC);
	race_irq = eventfd(0, EFD_CLOEXEC);
	race_lost = false;
	pthread_create(&thread, NULL, race_device, NULL);
	race_driver();
	pthread_join(thread, NULL);
	KTAP_TRUE(!race_lost);
	close(race_kick);
	close(race_irq);
	free(chain);
	chain = NULL;
}

KTAP_MAIN(KTAP_CASE(test_direct_chain), KTAP_CASE(test_indirect_chain),
	  KTAP_CASE(test_chain_as_long_as_the_queue), KTAP_CASE(test_last_byte_of_ram),
	  KTAP_CASE(test_bad_single_descriptors), KTAP_CASE(test_head_out_of_range),
	  KTAP_CASE(test_loop_of_two), KTAP_CASE(test_write_before_read),
	  KTAP_CASE(test_indirect_not_negotiated), KTAP_CASE(test_bad_tables),
	  KTAP_CASE(test_four_gigabytes), KTAP_CASE(test_available_runs_ahead),
	  KTAP_CASE(test_bad_rings), KTAP_CASE(test_flags), KTAP_CASE(test_event_idx),
	  KTAP_CASE(test_indices_wrap), KTAP_CASE(test_log),
	  KTAP_CASE(test_unpop_and_publish), KTAP_CASE(test_copies),
	  KTAP_CASE(test_random_rings), KTAP_CASE(test_both_look_at_once),
	  KTAP_CASE(test_no_lost_wakeups))

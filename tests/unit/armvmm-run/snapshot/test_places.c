// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/save.c userspace/armvmm-run/snapshot/restore.c
// sources: userspace/armvmm-run/snapshot/part.c userspace/armvmm-run/snapshot/pages.c
// sources: userspace/armvmm-run/snapshot/facts.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/device.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/snapshot/state.c
// sources: userspace/armvmm-run/core/thread.c userspace/armvmm-run/snapshot/memlog.c
// sources: userspace/armvmm-run/snapshot/places.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE
// pkgs: glib-2.0 zlib libzstd
//
// Memory that is read block by block, in any order, is what the last of all snapshots had. Whatever
// becomes of the files, no block is ever another one.
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Two blocks and a half. */
#define MEMORY	((2u << 20) + (512u << 10))
#define BLOCKS	4u	/* with that of the device's bank, which comes first */

#include "guest_fake.h"
#include "snapshot/layout.h"
#include "snapshot/places.h"
#include "snapshot/restore.h"
#include "snapshot/save.h"
#include "snapshot/state.h"

static struct guest g;
static uint8_t room[PAGES_BLOCK];

static uint8_t *page(unsigned int nr)
{
	return g.m.mem.region[0].host + nr * 4096;
}

/* What nobody can compress, so that a part is larger than its head. */
static void fill(unsigned int nr, uint32_t seed)
{
	for (unsigned int i = 0; i < 4096; i++) {
		seed = seed * 1664525 + 1013904223;
		page(nr)[i] = seed >> 24;
	}
	__atomic_fetch_or(&g.log[nr / 32], 1u << nr % 32, __ATOMIC_SEQ_CST);
}

static int save(struct save *s, unsigned int flags)
{
	int fd = memfd_create("snapshot", MFD_CLOEXEC), mine = dup(fd);
	struct save_status status = { .phase = SAVE_ACTIVE };
	struct error err = { "" };

	KTAP_EQ(save_start(s, fd, flags | SAVE_GO_ON, &err), 0);
	while (status.phase == SAVE_ACTIVE) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(200);
		save_get(s, &status);
	}
	KTAP_EQ(status.phase, SAVE_COMPLETED);
	return mine;
}

struct taken {
	int fd[3];
	uint8_t bank[BANK_SIZE];
	uint8_t *memory;	/* as it was at the last one */
	uint64_t size;	/* of all three */
};

/* A complete snapshot, and two that add to it. */
static void take(struct taken *t)
{
	struct save *s;

	guest_init(&g);
	s = save_new(&g.m);
	for (unsigned int i = 0; i < 6; i++)
		fill(i * 100 + 1, i);
	g.bank[3] = 1;
	t->fd[0] = save(s, SAVE_TRACK);
	memset(g.log, 0, sizeof(g.log));
	fill(1, 17);
	fill(639, 18);
	memset(page(101), 0, 4096);
	__atomic_fetch_or(&g.log[3], 1u << 5, __ATOMIC_SEQ_CST);
	t->fd[1] = save(s, SAVE_ADD);
	fill(639, 19);
	fill(300, 20);
	g.bank[3] = 2;
	g.thing.dev.memory_writes++;
	t->fd[2] = save(s, SAVE_ADD);
	save_free(s);
	t->memory = g_memdup2(page(0), MEMORY);
	memcpy(t->bank, g.bank, BANK_SIZE);
	t->size = 0;
	for (unsigned int i = 0; i < 3; i++)
		t->size += lseek(t->fd[i], 0, SEEK_END);
}

static void drop(struct taken *t)
{
	for (unsigned int i = 0; i < 3; i++)
		close(t->fd[i]);
	g_free(t->memory);
}

static struct places *restore(const int fd[], unsigned int nr, int *ret, struct error *err)
{
	static const char *const names[] = { "a.snap", "b.snap", "c.snap" };
	struct restore_file file[3];
	struct pages_layout layout;
	struct places *p;
	struct facts facts;

	err->text[0] = '\0';
	for (unsigned int i = 0; i < nr; i++)
		file[i] = (struct restore_file){ fd[i], names[i] };
	layout_memory(&g.m, &layout);
	p = places_new(&layout);
	*ret = restore_machine(&g.m, file, nr, p, &facts, err);
	return p;
}

/* What block @n has to be. */
static const uint8_t *wanted(const struct taken *t, const struct places *p, unsigned int n)
{
	const struct pages_range *range = places_block(p, n);

	return range->gpa < RAM ? t->bank : t->memory + (range->gpa - RAM);
}

/* Loads block @n. Returns 0 only if it is what it has to be. */
static int load(const struct taken *t, struct places *p, unsigned int n, struct error *err)
{
	int ret;

	memset(room, 0xaa, sizeof(room));
	ret = places_load(p, n, room, err);
	if (!ret)
		KTAP_TRUE(!memcmp(room, wanted(t, p, n), places_block(p, n)->size));
	return ret;
}

static void test_blocks(void)
{
	static const unsigned int order[] = { 2, 0, 3, 1, 2, 3 };
	struct error err;
	struct places *p;
	struct taken t;
	uint64_t all;
	int ret;

	take(&t);
	guest_init(&g);
	g.thing.value = 0;
	p = restore(t.fd, 3, &ret, &err);
	KTAP_EQ(ret, 0);
	KTAP_STREQ(err.text, "");
	KTAP_TRUE(g.reads >= BLOCKS);
	/* Its state is here, and its memory is not. */
	KTAP_EQ(g.thing.value, 77);
	KTAP_TRUE(!g.bank[3] && !page(1)[0] && !page(639)[0]);
	KTAP_TRUE(places_bytes(p, &all) < 4096);
	KTAP_EQ(all, t.size);
	KTAP_EQ(places_blocks(p), BLOCKS);
	KTAP_EQ(places_block(p, 0)->host - g.bank, 0);
	KTAP_EQ(places_block(p, 0)->size, BANK_SIZE);
	KTAP_EQ(places_block(p, 3)->size, 512 << 10);
	KTAP_EQ(places_find(p, g.bank + BANK_SIZE - 1), 0);
	KTAP_EQ(places_find(p, page(255)), 1);
	KTAP_EQ(places_find(p, page(256)), 2);
	KTAP_EQ(places_find(p, page(639) + 4095), 3);
	KTAP_EQ(places_find(p, page(640)), BLOCKS);
	KTAP_EQ(places_find(p, page(0) - 1), BLOCKS);
	for (unsigned int i = 0; i < 6; i++)
		KTAP_EQ(load(&t, p, order[i], &err), 0);
	places_free(p);
	/* The first alone. */
	p = restore(t.fd, 1, &ret, &err);
	KTAP_EQ(ret, 0);
	KTAP_EQ(places_load(p, 1, room, &err), 0);
	KTAP_TRUE(room[101 * 4096] || room[101 * 4096 + 1]);
	places_free(p);
	p = restore(t.fd + 1, 1, &ret, &err);
	KTAP_EQ(ret, -ENXIO);
	places_free(p);
	drop(&t);
}

/*
 * A bit of any byte is another one: either nothing begins, or the block that it belongs to is
 * refused by its file's name, and all others are right.
 */
static void test_any_bit(void)
{
	unsigned int before = 0, late = 0;
	struct error err;
	struct places *p;
	struct taken t;
	int ret;

	take(&t);
	for (unsigned int f = 0; f < 3; f++) {
		off_t size = lseek(t.fd[f], 0, SEEK_END);

		/* More of what comes before memory than of pages. */
		for (off_t at = 0; at < size; at += at < 900 ? 3 : 83) {
			uint8_t byte;
			unsigned int bad = 0;

			KTAP_EQ(pread(t.fd[f], &byte, 1, at), 1);
			byte ^= 1 << at % 8;
			KTAP_EQ(pwrite(t.fd[f], &byte, 1, at), 1);
			p = restore(t.fd, 3, &ret, &err);
			before += ret != 0;
			for (unsigned int n = 0; !ret && n < BLOCKS; n++) {
				if (!load(&t, p, n, &err))
					continue;
				KTAP_TRUE(!strncmp(err.text, f == 0 ? "a.snap: part memory: is damaged" :
						   f == 1 ? "b.snap: part memory: is damaged" :
						   "c.snap: part memory: is damaged", 31));
				bad++;
			}
			/* In parts of other snapshots' state it is not seen, and does no harm. */
			KTAP_TRUE(ret || bad == 1);
			late += bad;
			places_free(p);
			byte ^= 1 << at % 8;
			KTAP_EQ(pwrite(t.fd[f], &byte, 1, at), 1);
		}
	}
	KTAP_TRUE(before > 300 && late > 200);
	drop(&t);
}

/* Finds the first part of memory in a file: where its head is. */
static off_t first_part(int fd)
{
	char text[16];
	off_t at = 64;

	for (;; at++) {
		if (pread(fd, text, sizeof(text), at) != sizeof(text))
			return 0;
		if (!memcmp(text, "PART", 4) && !memcmp(text + 8, "memory", 7))
			return at;
	}
}

/* Which pages a part has is known for sure before anything begins, though its checksum is not. */
static void test_heads(void)
{
	struct error err;
	struct places *p;
	struct taken t;
	off_t at;
	int ret;

	take(&t);
	at = first_part(t.fd[0]);
	KTAP_TRUE(at);
	for (unsigned int i = 64; i < 64 + PAGES_HEAD; i++) {
		uint8_t byte;

		KTAP_EQ(pread(t.fd[0], &byte, 1, at + i), 1);
		byte ^= 4;
		KTAP_EQ(pwrite(t.fd[0], &byte, 1, at + i), 1);
		p = restore(t.fd, 3, &ret, &err);
		KTAP_TRUE(ret < 0);
		places_free(p);
		byte ^= 4;
		KTAP_EQ(pwrite(t.fd[0], &byte, 1, at + i), 1);
	}
	drop(&t);
}

/* A file that ends too soon is seen at once; and if it becomes shorter later, then. */
static void test_cut(void)
{
	struct error err;
	struct places *p;
	struct taken t;
	off_t size;
	int ret;

	take(&t);
	size = lseek(t.fd[2], 0, SEEK_END);
	p = restore(t.fd, 3, &ret, &err);
	KTAP_EQ(ret, 0);
	for (off_t cut = size - 1; cut > 0; cut -= 97) {
		struct places *other;

		KTAP_EQ(ftruncate(t.fd[2], cut), 0);
		other = restore(t.fd, 3, &ret, &err);
		KTAP_TRUE(ret == -EBADMSG && strstr(err.text, "c.snap: part ") &&
			  strstr(err.text, ": the file ends in it"));
		places_free(other);
	}
	KTAP_EQ(load(&t, p, 3, &err), -EBADMSG);
	KTAP_STREQ(err.text, "c.snap: part memory: the file ends in it");
	/* Of this one it had nothing. */
	KTAP_EQ(load(&t, p, 1, &err), 0);
	places_free(p);
	drop(&t);
}

/* ---- Files that are made by hand ---- */

static int put(void *opaque, const void *data, size_t len)
{
	return write(*(int *)opaque, data, len) == (ssize_t)len ? 0 : -EIO;
}

/* The state of the guest, which all of them have. */
static void begin(struct part_writer *w, int *fd)
{
	struct state state;
	struct error err;
	uint8_t id[PART_ID_SIZE] = { 7 };

	*fd = memfd_create("snapshot", MFD_CLOEXEC);
	*w = (struct part_writer){ .write = put, .opaque = fd };
	part_begin(w, id, NULL);
	g.holders = 1;
	g.thing.paused = true;
	state_init(&state);
	KTAP_EQ(state_collect(&state, &g.m, &err), 0);
	KTAP_EQ(state_write(&state, w), 0);
	state_free(&state);
}

/* @more: bytes that no page needs. */
static void put_longer(struct part_writer *w, uint64_t gpa, uint32_t nr, uint64_t there,
		       size_t more)
{
	const struct {
		uint64_t gpa;
		uint32_t nr, method;
		uint64_t there[4], zero[4];
	} head = { .gpa = gpa, .nr = nr, .there = { there } };
	static uint8_t data[PAGES_BLOCK + 4096];

	part_write(w, PAGES_PART, PAGES_VERSION, &head, sizeof(head), data,
		   __builtin_popcountll(there) * 4096 + more);
}

static void put_memory(struct part_writer *w, uint64_t gpa, uint32_t nr, uint64_t there)
{
	put_longer(w, gpa, nr, there, 0);
}

static void test_by_hand(void)
{
	const struct layout_end old = { .parts = 1, .pages = 1 };
	struct part_writer w;
	struct error err;
	struct places *p;
	int fd, ret, ends[2];

	guest_init(&g);
	begin(&w, &fd);
	put_memory(&w, RAM, 256, 1);
	part_write(&w, PART_END, LAYOUT_END_VERSION, &old, sizeof(old), NULL, 0);
	p = restore(&fd, 1, &ret, &err);
	KTAP_EQ(ret, -EPROTONOSUPPORT);
	KTAP_STREQ(err.text, "a.snap: part end: an older version has written it, which cannot be restored with --lazy-restore");
	places_free(p);
	/* It can be restored as ever. */
	lseek(fd, 0, SEEK_SET);
	KTAP_EQ(restore_machine(&g.m, &(struct restore_file){ fd, "a.snap" }, 1, NULL,
				&(struct facts){ 0 }, &err), 0);
	close(fd);

	/* Twice the same block; a part that is in two; one behind memory; a longer one than any. */
#define WRONG(first, second, why)						\
	do {									\
		begin(&w, &fd);							\
		first;								\
		second;								\
		p = restore(&fd, 1, &ret, &err);				\
		KTAP_TRUE(ret < 0);						\
		KTAP_STREQ(err.text, "a.snap: part memory" why);		\
		places_free(p);							\
		close(fd);							\
	} while (0)
	WRONG(put_memory(&w, RAM, 4, 1), put_memory(&w, RAM + 0x4000, 4, 1),
	      ": of 0x40004000: is none that was written here");
	WRONG(put_memory(&w, RAM + 0x1000, 256, 1), ,
	      ": of 0x40001000: is none that was written here");
	WRONG(put_memory(&w, RAM + MEMORY, 1, 1), , ": has memory at 0x40280000, where there is none here");
	WRONG(put_longer(&w, RAM, 256, 1, PAGES_BLOCK), , ": is larger than any");
	KTAP_EQ(pipe(ends), 0);
	p = restore(ends, 1, &ret, &err);
	KTAP_EQ(ret, -ESPIPE);
	KTAP_STREQ(err.text, "a.snap: --lazy-restore needs a regular file");
	places_free(p);
	close(ends[0]);
	close(ends[1]);
}

KTAP_MAIN(KTAP_CASE(test_blocks), KTAP_CASE(test_any_bit), KTAP_CASE(test_heads),
	  KTAP_CASE(test_cut), KTAP_CASE(test_by_hand))

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/save.c userspace/armvmm-run/snapshot/restore.c
// sources: userspace/armvmm-run/snapshot/part.c userspace/armvmm-run/snapshot/pages.c
// sources: userspace/armvmm-run/snapshot/facts.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/device.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/snapshot/state.c
// sources: userspace/armvmm-run/core/thread.c userspace/armvmm-run/snapshot/memlog.c
// sources: userspace/armvmm-run/snapshot/places.c userspace/armvmm-run/snapshot/lazy.c
// sources: userspace/armvmm-run/snapshot/faults.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE
// cflags: -include tests/unit/armvmm-run/snapshot/lazy_hold.h
// pkgs: glib-2.0 zlib libzstd
//
// Memory that comes while it is used: by threads, by the kernel, and by who gives some of it back,
// all is as it was saved. A file that is wrong ends the process, and nobody has seen its pages.
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY	(24u << 20)

#include "guest_fake.h"
#include "snapshot/layout.h"
#include "snapshot/lazy.h"
#include "snapshot/save.h"

#define PAGES	(MEMORY / 4096)

static struct guest g;
static int snapshot;
static struct lazy *lazy;
static int broken_out;

/* ---- Files that are slow ---- */

#undef pread

static bool held;	/* atomic: the thread of lazy.c reads nothing of memory */
static bool holds;	/* atomic: it wants to */
static pthread_t self;	/* the main thread, which reads at once */

ssize_t hold_pread(int fd, void *buf, size_t len, off_t at)
{
	while (!pthread_equal(pthread_self(), self) && __atomic_load_n(&held, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&holds, true, __ATOMIC_SEQ_CST);
		usleep(1000);
	}
	return pread(fd, buf, len, at);
}

static void hold(bool on)
{
	self = pthread_self();
	holds = false;
	__atomic_store_n(&held, on, __ATOMIC_SEQ_CST);
}

static void await_hold(void)
{
	while (!__atomic_load_n(&holds, __ATOMIC_SEQ_CST))
		usleep(1000);
}

void machine_note(struct machine *m, const char *fmt, ...)
{
}

static uint8_t *page(unsigned int nr)
{
	return g.m.mem.region[0].host + nr * 4096;
}

/* Each fourth page is zero. */
static uint8_t value_of(unsigned int nr)
{
	return nr % 4 ? nr % 251 + 1 : 0;
}

static void fill(unsigned int nr)
{
	uint32_t seed = nr;

	for (unsigned int i = 0; i < 4096; i++) {
		seed = seed * 1664525 + 1013904223;
		page(nr)[i] = value_of(nr) ? seed >> 24 : 0;
	}
	page(nr)[0] = page(nr)[4095] = value_of(nr);
}

static int save(void)
{
	int fd = memfd_create("snapshot", MFD_CLOEXEC), mine = dup(fd);
	struct save_status status = { .phase = SAVE_ACTIVE };
	struct error err = { "" };
	struct save *s;

	guest_init(&g);
	for (unsigned int i = 0; i < PAGES; i++)
		fill(i);
	strcpy((char *)g.bank, "the bank");
	s = save_new(&g.m);
	KTAP_EQ(save_start(s, fd, SAVE_GO_ON, &err), 0);
	while (status.phase == SAVE_ACTIVE) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(200);
		save_get(s, &status);
	}
	KTAP_EQ(status.phase, SAVE_COMPLETED);
	save_free(s);
	return mine;
}

static void broken(const char *why)
{
	/* Nobody expects it. */
	if (!broken_out) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	if (write(broken_out, why, strlen(why)) < 0)
		_exit(6);
	_exit(5);
}

static bool is_over;	/* the guest runs no more */

/* Returns false if this host or this user cannot. */
static bool start(int fd)
{
	struct restore_file file = { .fd = dup(fd), .name = "a.snap" };
	struct error err = { "" };
	struct pages_layout layout;
	struct places *places;
	struct facts facts;
	int ret;

	guest_init(&g);
	g.m.broken = broken;
	ret = lazy_open(&lazy, &g.m, &err);
	if (ret == -EPERM || ret == -ENOSYS) {
		close(file.fd);
		return false;
	}
	KTAP_EQ(ret, 0);
	layout_memory(&g.m, &layout);
	places = places_new(&layout);
	KTAP_EQ(restore_machine(&g.m, &file, 1, places, &facts, &err), 0);
	if (is_over)
		lazy_only_serve(lazy);
	KTAP_EQ(lazy_start(lazy, places, &file, 1, &err), 0);
	KTAP_STREQ(err.text, "");
	return true;
}

#define START									\
	do {									\
		snapshot = save();						\
		if (!start(snapshot)) {						\
			close(snapshot);					\
			KTAP_SKIP("no userfaultfd for the kernel's accesses");	\
		}								\
	} while (0)

static void end(void)
{
	lazy_free(lazy);
	close(snapshot);
}

/* Nothing of memory is here yet, and its thread has begun with the first block. */
#define START_HELD								\
	do {									\
		hold(true);							\
		START;								\
		await_hold();							\
	} while (0)

/* Looks at all pages, from the last to the first or the other way, and counts wrong ones. */
static void *look(void *opaque)
{
	bool down = opaque;
	uintptr_t wrong = 0;

	for (unsigned int i = 0; i < PAGES; i++) {
		unsigned int nr = down ? PAGES - 1 - i : i;

		wrong += page(nr)[4095] != value_of(nr) || page(nr)[0] != value_of(nr);
	}
	return (void *)wrong;
}

static void test_threads(void)
{
	pthread_t thread[4];
	void *wrong;

	START_HELD;
	/* What devices keep is here at once. */
	KTAP_STREQ((char *)g.bank, "the bank");
	for (unsigned int i = 0; i < 4; i++)
		KTAP_EQ(pthread_create(&thread[i], NULL, look, i % 2 ? &g : NULL), 0);
	hold(false);
	for (unsigned int i = 0; i < 4; i++) {
		pthread_join(thread[i], &wrong);
		KTAP_TRUE(!wrong);
	}
	end();
}

/* The kernel reads memory for a system call, as for a disk that is written. */
static void test_kernel(void)
{
	static uint8_t copy[8 * 4096];
	int fd = memfd_create("disk", MFD_CLOEXEC);

	START;
	for (unsigned int at = PAGES - 8; at > 800; at -= 800) {
		KTAP_EQ(pwrite(fd, page(at), sizeof(copy), 0), sizeof(copy));
		KTAP_EQ(pread(fd, copy, sizeof(copy), 0), sizeof(copy));
		for (unsigned int i = 0; i < 8; i++)
			KTAP_EQ(copy[i * 4096 + 4095], value_of(at + i));
	}
	/* And writes to it: the rest of a page stays as it was. */
	KTAP_EQ(pread(fd, page(5) + 100, 200, 0), 200);
	KTAP_EQ(page(5)[0], value_of(5));
	KTAP_EQ(page(5)[4095], value_of(5));
	close(fd);
	end();
}

/* Pages that are given back are zero, whether they had come or not; and nobody else's are. */
static void test_given_back(void)
{
	unsigned int last = PAGES - 2;

	START_HELD;
	guestmem_release(&g.m.mem, page(last), 4096);
	/* This block is just being read. */
	guestmem_release(&g.m.mem, page(5), 4096);
	hold(false);
	KTAP_EQ(page(last)[4095], 0);
	KTAP_EQ(page(5)[4095], 0);
	KTAP_EQ(page(6)[4095], value_of(6));
	KTAP_EQ(page(last - 1)[4095], value_of(last - 1));
	KTAP_EQ(page(last + 1)[4095], value_of(last + 1));
	KTAP_EQ(page(1)[4095], value_of(1));
	guestmem_release(&g.m.mem, page(1), 8192);
	KTAP_EQ(page(1)[4095], 0);
	KTAP_EQ(page(3)[4095], value_of(3));
	/* What was written since stays, when all is here. */
	memset(page(1), 7, 4096);
	KTAP_TRUE(look(NULL) == (void *)4);
	KTAP_EQ(page(1)[9], 7);
	end();
}

static void test_discarded(void)
{
	START_HELD;
	guestmem_discard(&g.m.mem);
	hold(false);
	for (unsigned int i = 0; i < PAGES; i++)
		if (page(i)[0] || page(i)[4095])
			KTAP_FAIL("page %u is not zero", i);
	end();
}

/* It ends in the middle: memory stays, and its thread is gone. */
static void test_ended(void)
{
	START;
	end();
	KTAP_TRUE(!g.m.mem.give_back);
}

/* ---- A file that is wrong ---- */

#define FIRST	100000
#define LAST	(lseek(snapshot, 0, SEEK_END) - 3000)

/* Changes one bit of the first memory in the file, or of the last. */
static void damage(off_t at)
{
	uint8_t byte;

	KTAP_EQ(pread(snapshot, &byte, 1, at), 1);
	byte ^= 8;
	KTAP_EQ(pwrite(snapshot, &byte, 1, at), 1);
}

static void test_broken(void)
{
	static const char want[] = "a.snap: part memory: is damaged: the guest, which runs already, cannot go on";
	char said[256] = "";
	int out[2], status;
	pid_t pid;

	START;
	lazy_free(lazy);
	damage(LAST);
	KTAP_EQ(pipe(out), 0);
	pid = fork();
	if (!pid) {
		broken_out = out[1];
		if (!start(snapshot))
			_exit(7);
		if (write(memfd_create("seen", MFD_CLOEXEC), page(PAGES - 3) + 17, 1))
			_exit(8);
		pause();
	}
	close(out[1]);
	KTAP_TRUE(read(out[0], said, sizeof(said) - 1) > 0);
	KTAP_STREQ(said, want);
	KTAP_EQ(waitpid(pid, &status, 0), pid);
	KTAP_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	close(out[0]);
	close(snapshot);
}

static void *touch(void *opaque)
{
	return (void *)(uintptr_t)page(5)[17];
}

/* After a reset nobody wants what is damaged, not even who waits for it, or who is reading it. */
static void test_broken_reset(void)
{
	pthread_t thread;
	void *saw;

	START;
	lazy_free(lazy);
	damage(FIRST);
	hold(true);
	KTAP_TRUE(start(snapshot));
	await_hold();
	KTAP_EQ(pthread_create(&thread, NULL, touch, NULL), 0);
	guestmem_discard(&g.m.mem);
	hold(false);
	pthread_join(thread, &saw);
	KTAP_TRUE(!saw);
	end();
}

/* Of a guest that has ended nobody wants what is damaged; what a device waits for is served. */
static void test_broken_unwanted(void)
{
	START;
	lazy_free(lazy);
	damage(LAST);
	is_over = true;
	KTAP_TRUE(start(snapshot));
	is_over = false;
	KTAP_EQ(*page(1), value_of(1));
	/* Long enough to have read all. */
	usleep(300000);
	end();
}

/* A thread that no signal ends would wait: see vhost_kernel.c. */
static void test_kthread(void)
{
	struct error err = { "" };

	guest_init(&g);
	g.m.vhost_kthread = true;
	KTAP_EQ(lazy_open(&lazy, &g.m, &err), -ENOTSUP);
	KTAP_TRUE(strstr(err.text, "--lazy-restore: not with vhost=on here: until Linux 6.4"));
	lazy = NULL;
}

/* Another process would find holes, filled with zeroes. */
static void test_shared(void)
{
	struct error err = { "" };

	guest_init(&g);
	g.m.mem.shared = true;
	KTAP_EQ(lazy_open(&lazy, &g.m, &err), -ENOTSUP);
	KTAP_TRUE(strstr(err.text, "--lazy-restore: not with vhost-user"));
	lazy = NULL;
}

KTAP_MAIN(KTAP_CASE(test_threads), KTAP_CASE(test_kernel), KTAP_CASE(test_given_back),
	  KTAP_CASE(test_discarded), KTAP_CASE(test_ended), KTAP_CASE(test_broken),
	  KTAP_CASE(test_broken_reset), KTAP_CASE(test_broken_unwanted),
	  KTAP_CASE(test_kthread), KTAP_CASE(test_shared))

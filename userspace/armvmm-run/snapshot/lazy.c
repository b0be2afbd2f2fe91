// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/machine_private.h"
#include "core/thread.h"
#include "snapshot/faults.h"
#include "snapshot/lazy.h"
#include "snapshot/layout.h"

#define LAZY_STACK_SIZE	(128u << 10)
#define LAZY_LOOK_MS	100

struct lazy_block {
	bool here;		/* but for zeroes */
	uint32_t gone[PAGES_MAX / 32];	/* pages that were given back before they came */
};

struct lazy {
	struct machine *m;
	struct faults faults;	/* the thread closes it */
	unsigned int nr_files;
	struct restore_file file[PLACES_FILES];
	bool running;		/* there is a thread */
	pthread_t thread;
	bool cancelled;		/* atomic: it must end */
	bool only_serves;	/* atomic: what nobody waits for is not wanted any more */
	uint64_t waits;		/* how often somebody has waited */
	uint8_t *room;		/* for a block; the thread's */

	/* Who holds this touches no memory of the guest's. The thread writes .places. */
	pthread_mutex_t lock;
	struct places *places;	/* NULL: all is here */
	struct lazy_block *block;
};

/* ---- Getting it ---- */

int lazy_open(struct lazy **out, struct machine *m, struct error *err)
{
	struct faults faults;
	struct lazy *l;
	int ret = faults_open(&faults, m, "--lazy-restore", err);

	if (ret)
		return ret;
	l = g_new0(struct lazy, 1);
	l->m = m;
	l->faults = faults;
	pthread_mutex_init(&l->lock, NULL);
	*out = l;
	return 0;
}

/* ---- Pages ---- */

static int lazy_copy(struct lazy *l, uint8_t *to, const uint8_t *from, uint64_t len)
{
	while (len) {
		int64_t n = faults_put(&l->faults, to, from, len);

		if (n < 0)
			return n;
		to += n;
		from += n;
		len -= n;
	}
	return 0;
}

static bool lazy_is_gone(const struct lazy_block *block, unsigned int page)
{
	return block->gone[page / 32] >> page % 32 & 1;
}

/* Is there nothing that anybody wants of a block? After a reset that is so. The lock is held. */
static bool lazy_is_unwanted(const struct lazy_block *block, const struct pages_range *range)
{
	for (unsigned int i = 0; i < range->size / PAGES_SIZE; i++)
		if (!lazy_is_gone(block, i))
			return false;
	return true;
}

/* Puts the pages of a block in place that are not zero, and still wanted. The lock is held. */
static int lazy_place(struct lazy *l, unsigned int n)
{
	const struct pages_range *range = places_block(l->places, n);
	unsigned int nr = range->size / PAGES_SIZE, begin, end = 0;
	int ret = 0;

	for (begin = 0; !ret && begin < nr; begin = end + 1) {
		for (end = begin; end < nr; end++)
			if (lazy_is_gone(&l->block[n], end) ||
			    pages_is_zero(l->room + end * PAGES_SIZE))
				break;
		if (end > begin)
			ret = lazy_copy(l, range->host + begin * PAGES_SIZE,
					l->room + begin * PAGES_SIZE, (end - begin) * PAGES_SIZE);
	}
	return ret;
}

/* Reads a block, unless it is here, or is not wanted any more. */
static int lazy_fill(struct lazy *l, unsigned int n, struct error *err)
{
	struct lazy_block *block = &l->block[n];
	bool here;
	int ret;

	pthread_mutex_lock(&l->lock);
	here = block->here || lazy_is_unwanted(block, places_block(l->places, n));
	pthread_mutex_unlock(&l->lock);
	if (here)
		return 0;
	ret = places_load(l->places, n, l->room, err);
	pthread_mutex_lock(&l->lock);
	/* A reset may have come meanwhile: then it does not matter what the file has. */
	if (ret && !lazy_is_unwanted(block, places_block(l->places, n))) {
		pthread_mutex_unlock(&l->lock);
		return ret;
	}
	ret = ret ? 0 : lazy_place(l, n);
	block->here = true;
	pthread_mutex_unlock(&l->lock);
	return ret ? faults_error(ret, err) : 0;
}

/*
 * Somebody waits for the page at @host. If it did not come with its block, it is zero, and so may
 * be those behind it.
 */
static int lazy_fault(struct lazy *l, uint8_t *host, struct error *err)
{
	unsigned int n = places_find(l->places, host);
	const struct pages_range *range;
	int64_t ret;

	if (n == places_blocks(l->places))
		return error_set(err, -EFAULT, "userfaultfd: a fault at an address of nobody's");
	l->waits++;
	ret = lazy_fill(l, n, err);
	if (ret)
		return ret;
	range = places_block(l->places, n);
	do
		ret = faults_put(&l->faults, host, NULL, range->host + range->size - host);
	while (!ret);
	if (ret == -EEXIST)
		ret = faults_wake(&l->faults, host);
	return ret < 0 ? faults_error(ret, err) : 0;
}

/* Those who wait come before what nobody waits for. */
static int lazy_serve(struct lazy *l, struct error *err)
{
	uint8_t *page[FAULTS_MAX];
	unsigned int nr;
	int ret = 0;

	while (!ret && (nr = faults_read(&l->faults, page)))
		for (unsigned int i = 0; !ret && i < nr; i++)
			ret = lazy_fault(l, page[i], err);
	return ret;
}

/* ---- The thread ---- */

static bool lazy_is_ram(const struct lazy *l, const struct pages_range *range)
{
	return guestmem_ptr(&l->m->mem, range->gpa, range->size) == range->host;
}

/* Nothing is needed any more. */
static void lazy_forget(struct lazy *l)
{
	pthread_mutex_lock(&l->lock);
	places_free(l->places);
	l->places = NULL;
	pthread_mutex_unlock(&l->lock);
	while (l->nr_files)
		close(l->file[--l->nr_files].fd);
	g_clear_pointer(&l->room, g_free);
	g_clear_pointer(&l->block, g_free);
}

static bool lazy_is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

/* Until it must end: requests of devices may come to memory that is missing. */
static int lazy_serve_only(struct lazy *l, struct error *err)
{
	struct pollfd wait = { .fd = l->faults.fd, .events = POLLIN };
	int ret = 0;

	while (!ret && !lazy_is_set(&l->cancelled)) {
		poll(&wait, 1, LAZY_LOOK_MS);
		ret = lazy_serve(l, err);
	}
	return ret ? ret : -ECANCELED;
}

static int lazy_fill_all(struct lazy *l, struct error *err)
{
	int ret = 0;

	for (unsigned int n = 0; !ret && n < places_blocks(l->places); n++) {
		if (lazy_is_set(&l->cancelled))
			return -ECANCELED;
		if (lazy_is_set(&l->only_serves))
			return lazy_serve_only(l, err);
		ret = lazy_serve(l, err);
		if (!ret && lazy_is_ram(l, places_block(l->places, n)))
			ret = lazy_fill(l, n, err);
	}
	return ret;
}

static void *lazy_thread(void *opaque)
{
	struct lazy *l = opaque;
	struct error why = { "" };
	uint64_t all;
	int ret;

	prctl(PR_SET_NAME, "lazy-restore");
	machine_confine(l->m, MACHINE_THREAD_LAZY);
	ret = lazy_fill_all(l, &why);
	if (ret && ret != -ECANCELED) {
		char text[sizeof(why.text) + 80];

		snprintf(text, sizeof(text),
			 "%s: the guest, which runs already, cannot go on", why.text);
		l->m->broken(text);
	}
	faults_unregister(&l->faults, l->m);
	if (!ret)
		machine_note(l->m, "all of the guest's memory is here; %llu times somebody has waited, and %llu bytes were read",
			     (unsigned long long)l->waits,
			     (unsigned long long)places_bytes(l->places, &all));
	faults_close(&l->faults);
	lazy_forget(l);
	return NULL;
}

/* ---- Its course ---- */

/* RAM is given back to the host, in whole pages: it reads as zero afterwards. Main thread. */
static void lazy_give_back(void *opaque, const uint8_t *host, size_t len)
{
	struct lazy *l = opaque;

	pthread_mutex_lock(&l->lock);
	for (const uint8_t *at = host; l->places && at < host + len; at += PAGES_SIZE) {
		unsigned int n = places_find(l->places, at);
		unsigned int page = (at - places_block(l->places, n)->host) / PAGES_SIZE;

		l->block[n].gone[page / 32] |= 1u << page % 32;
	}
	pthread_mutex_unlock(&l->lock);
}

static int lazy_register(struct lazy *l)
{
	/* A page that was touched would not be missing. */
	for (unsigned int i = 0; i < l->m->mem.nr_regions; i++)
		if (madvise(l->m->mem.region[i].host, l->m->mem.region[i].size, MADV_DONTNEED))
			return -errno;
	return faults_register(&l->faults, l->m);
}

/* The memory of devices has no thread that would wait for it. */
static int lazy_fill_devices(struct lazy *l, struct error *err)
{
	int ret = 0;

	for (unsigned int n = 0; !ret && n < places_blocks(l->places); n++) {
		const struct pages_range *range = places_block(l->places, n);

		if (lazy_is_ram(l, range))
			continue;
		ret = places_load(l->places, n, l->room, err);
		/* What is written becomes memory of this process for good, zeroes too. */
		for (uint64_t at = 0; !ret && at < range->size; at += PAGES_SIZE)
			if (memcmp(range->host + at, l->room + at, PAGES_SIZE))
				memcpy(range->host + at, l->room + at, PAGES_SIZE);
	}
	return ret;
}

int lazy_start(struct lazy *l, struct places *places, const struct restore_file *file,
	       unsigned int nr, struct error *err)
{
	uint64_t all, bytes;
	int ret;

	l->places = places;
	l->room = g_malloc(PAGES_BLOCK);
	l->block = g_new0(struct lazy_block, places_blocks(places));
	ret = lazy_fill_devices(l, err);
	if (!ret) {
		ret = lazy_register(l);
		if (ret)
			error_errno(err, ret, "--lazy-restore: userfaultfd");
	}
	/* The thread's own, and closed by it. */
	memcpy(l->file, file, nr * sizeof(*file));
	l->nr_files = nr;
	bytes = places_bytes(places, &all);
	if (!ret) {
		machine_note(l->m, "the guest goes on when %llu of %llu bytes were read",
			     (unsigned long long)bytes, (unsigned long long)all);
		ret = thread_start(&l->thread, LAZY_STACK_SIZE, lazy_thread, l);
		if (ret)
			error_errno(err, ret, "--lazy-restore: thread");
	}
	l->running = !ret;
	if (!ret) {
		l->m->mem.give_back = lazy_give_back;
		l->m->mem.give_back_opaque = l;
		return 0;
	}
	/* Still the caller's. */
	l->places = NULL;
	l->nr_files = 0;
	return ret;
}

void lazy_only_serve(struct lazy *l)
{
	if (l)
		__atomic_store_n(&l->only_serves, true, __ATOMIC_RELEASE);
}

void lazy_free(struct lazy *l)
{
	if (!l)
		return;
	__atomic_store_n(&l->cancelled, true, __ATOMIC_RELEASE);
	if (l->running)
		pthread_join(l->thread, NULL);
	l->m->mem.give_back = NULL;
	faults_close(&l->faults);
	lazy_forget(l);
	pthread_mutex_destroy(&l->lock);
	g_free(l);
}

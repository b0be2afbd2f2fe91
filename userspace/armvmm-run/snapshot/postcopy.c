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
#include "snapshot/layout.h"
#include "snapshot/memlog.h"
#include "snapshot/postcopy.h"

#define POSTCOPY_STACK_SIZE	(128u << 10)
#define POSTCOPY_LOOK_MS	100
#define POSTCOPY_DRAIN_MS	2000	/* for the far end to read our last word */

/* Guest RAM, as the layout has it. Bit n is for page n, but for .asked. */
struct postcopy_range {
	struct pages_range range;
	uint32_t *missing;	/* and not given back: who touches it waits */
	uint32_t *expected;	/* it has not come yet */
	uint32_t *asked;	/* bit n: for WIRE_PAGES pages at once */
};

struct postcopy {
	struct machine *m;
	struct faults faults;	/* the thread closes it */
	struct error why;	/* that is not there */
	struct pages_layout ram;
	struct postcopy_range range[PAGES_RANGES];	/* of .ram */

	bool running;		/* there is a thread, which has these ... */
	pthread_t thread;
	struct wire wire;
	struct part_reader reader;
	struct part_writer words;
	struct pages_reader *heads, *pages;
	uint64_t left;		/* pages that have not come */
	uint64_t waits;		/* how often somebody has waited */
	struct error why_not;	/* it has ended, and .begun is not set */
	uint8_t *room;		/* for a part's pages */
	/* ... and these are atomic. */
	bool cancelled;		/* it must end */
	bool begun;		/* the far end has heard that the guest runs: so it may */
	bool over;		/* the guest runs no more */
	bool finished;		/* all is here, and it ends */

	guint timer;
	uint64_t lacking;	/* pages that are .missing */
	/*
	 * For .missing, and .lacking. Who holds it touches no memory of the guest's: the thread
	 * waits for it.
	 */
	pthread_mutex_t lock;
};

static bool postcopy_is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

/* The main thread may wait for this. */
static void postcopy_set(const struct postcopy *p, bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
	g_main_context_wakeup(p->m->context);
}

static bool postcopy_has(const uint32_t *bits, uint64_t n)
{
	return bits[n / 32] >> n % 32 & 1;
}

static void postcopy_clear(uint32_t *bits, uint64_t n)
{
	bits[n / 32] &= ~(1u << n % 32);
}

/* ---- What is missing ---- */

static bool postcopy_is_ram(const struct machine *m, const struct pages_range *range)
{
	return guestmem_ptr(&m->mem, range->gpa, range->size) == range->host;
}

/* Takes a range's bits. Returns false if they are none of its pages. */
static bool postcopy_take_bits(struct postcopy *p, const struct pages_range *range,
			       const uint32_t *bits)
{
	uint64_t nr = range->size / PAGES_SIZE;
	size_t words = memlog_words(range);
	struct postcopy_range *r;

	if (!postcopy_is_ram(p->m, range)) {
		for (size_t i = 0; i < words; i++)
			if (bits[i])
				return false;
		return true;
	}
	for (uint64_t n = nr; n < words * 32; n++)
		if (postcopy_has(bits, n))
			return false;
	r = &p->range[p->ram.nr];
	p->ram.range[p->ram.nr++] = r->range = *range;
	r->missing = g_memdup2(bits, words * sizeof(*bits));
	r->expected = g_memdup2(bits, words * sizeof(*bits));
	r->asked = g_new0(uint32_t, nr / WIRE_PAGES / 32 + 1);
	for (size_t i = 0; i < words; i++)
		p->left += __builtin_popcount(bits[i]);
	p->lacking = p->left;
	return true;
}

int postcopy_missing(struct postcopy *p, const struct part_reader *r, struct error *err)
{
	struct pages_layout layout;
	size_t at = 0;

	layout_memory(p->m, &layout);
	for (unsigned int i = 0; i < layout.nr; i++) {
		size_t len = memlog_words(&layout.range[i]) * sizeof(uint32_t);

		if (len > r->len - at ||
		    !postcopy_take_bits(p, &layout.range[i], (const uint32_t *)(r->data + at)))
			return part_error(r, -EBADMSG, err, "is of another memory");
		at += len;
	}
	return at == r->len ? 0 : part_error(r, -EBADMSG, err, "is of another memory");
}

/* Page @n of a range is missing no more. The lock is held. */
static void postcopy_has_come(struct postcopy *p, struct postcopy_range *r, uint64_t n)
{
	p->lacking -= postcopy_has(r->missing, n);
	postcopy_clear(r->missing, n);
}

/* Is nothing needed of what has not come? So it is if the guest was reset: its RAM is zero. */
static bool postcopy_is_dropped(struct postcopy *p)
{
	bool lacks;

	pthread_mutex_lock(&p->lock);
	lacks = p->lacking;
	pthread_mutex_unlock(&p->lock);
	return p->left && !lacks;
}

/* RAM is given back to the host, in whole pages: it reads as zero afterwards. Main thread. */
static void postcopy_give_back(void *opaque, const uint8_t *host, size_t len)
{
	struct postcopy *p = opaque;

	pthread_mutex_lock(&p->lock);
	for (unsigned int i = 0; i < p->ram.nr; i++) {
		const struct pages_range *range = &p->ram.range[i];

		for (const uint8_t *at = MAX(host, range->host);
		     at < MIN(host + len, range->host + range->size); at += PAGES_SIZE)
			postcopy_has_come(p, &p->range[i], (at - range->host) / PAGES_SIZE);
	}
	pthread_mutex_unlock(&p->lock);
}

/* Drops what there is of missing pages. */
static int postcopy_drop(const struct postcopy_range *r)
{
	uint64_t nr = r->range.size / PAGES_SIZE, end;

	for (uint64_t begin = 0; begin < nr; begin = end + 1) {
		for (end = begin; end < nr && postcopy_has(r->missing, end); end++)
			;
		if (end > begin && madvise(r->range.host + begin * PAGES_SIZE,
					   (end - begin) * PAGES_SIZE, MADV_DONTNEED))
			return -errno;
	}
	return 0;
}

int postcopy_prepare(struct postcopy *p, struct error *err)
{
	int ret = 0;

	p->heads = pages_reader_new(&p->ram, PAGES_LIVE);
	p->pages = pages_reader_new(&p->ram, PAGES_LIVE);
	p->room = g_try_malloc0(PAGES_BLOCK);
	if (!p->heads || !p->pages || !p->room)
		ret = -ENOMEM;
	/* Before there are holes: the kernel fills unwatched ones, to make huge pages. */
	if (!ret)
		ret = faults_register(&p->faults, p->m);
	for (unsigned int i = 0; !ret && i < p->ram.nr; i++)
		ret = postcopy_drop(&p->range[i]);
	if (ret)
		return error_errno(err, ret, "post-copy: userfaultfd");
	p->m->mem.give_back = postcopy_give_back;
	p->m->mem.give_back_opaque = p;
	return 0;
}

/* ---- The thread: pages ---- */

/* Puts a page in place. Returns 0, or -errno; -EEXIST: there is one. The lock is held. */
static int postcopy_put(struct postcopy *p, uint8_t *to, const uint8_t *from)
{
	int64_t n;

	do
		n = faults_put(&p->faults, to, from, PAGES_SIZE);
	while (!n);
	return n < 0 ? n : 0;
}

/* Page @n of a range has come: @from, or zero. */
static int postcopy_place(struct postcopy *p, struct postcopy_range *r, uint64_t n,
			  const uint8_t *from)
{
	uint8_t *to = r->range.host + n * PAGES_SIZE;
	int ret;

	pthread_mutex_lock(&p->lock);
	/*
	 * It was given back: who waits for it touches it again, and finds zeroes. If there is one
	 * in the place of a missing one, nobody knows whose it is, nor who has seen it: an error.
	 */
	if (!postcopy_has(r->missing, n))
		ret = faults_wake(&p->faults, to);
	else
		ret = postcopy_put(p, to, from);
	if (!ret)
		postcopy_has_come(p, r, n);
	pthread_mutex_unlock(&p->lock);
	return ret;
}

/* The range that has an address. There is one. */
static struct postcopy_range *postcopy_range_of(struct postcopy *p, uint64_t gpa)
{
	struct postcopy_range *r = p->range;

	while (gpa < r->range.gpa || gpa - r->range.gpa >= r->range.size)
		r++;
	return r;
}

/* Takes a part of memory. */
static int postcopy_take_pages(struct postcopy *p, struct error *err)
{
	struct pages_range here = { .size = PAGES_BLOCK, .host = p->room };
	struct postcopy_range *r;
	uint64_t first, count = 0;
	int ret = pages_look(p->heads, &p->reader, &here.gpa, &count, err);

	if (ret)
		return ret;
	pages_reader_aim(p->pages, &here, PAGES_LIVE);
	ret = pages_read(p->pages, &p->reader, &count, err);
	r = postcopy_range_of(p, here.gpa);
	first = (here.gpa - r->range.gpa) / PAGES_SIZE;
	for (unsigned int i = 0; !ret && i < PAGES_MAX; i++) {
		enum pages_what what = pages_what(&p->reader, i);

		if (what == PAGES_NOTHING)
			continue;
		if (!postcopy_has(r->expected, first + i))
			return part_error(&p->reader, -EBADMSG, err,
					  "of 0x%llx: has a page that was not missing",
					  (unsigned long long)here.gpa);
		postcopy_clear(r->expected, first + i);
		p->left--;
		ret = postcopy_place(p, r, first + i,
				     what == PAGES_DATA ? p->room + i * PAGES_SIZE : NULL);
		if (ret)
			faults_error(ret, err);
	}
	return ret;
}

/* Takes what comes next. Returns 1 if nothing more will. */
static int postcopy_take(struct postcopy *p, struct error *err)
{
	int ret = part_read_either(&p->reader, PAGES_PART, WIRE_ALL, err);

	if (ret)
		return ret;
	if (!strcmp(p->reader.name, PAGES_PART))
		return postcopy_take_pages(p, err);
	if (p->reader.version != WIRE_VERSION || p->left)
		return part_error(&p->reader, -EBADMSG, err, "there are pages that have not come");
	return 1;
}

/* ---- The thread: who waits ---- */

/* Asks for a page, unless it is on its way. */
static int postcopy_ask(struct postcopy *p, struct postcopy_range *r, uint64_t n,
			struct error *err)
{
	uint64_t gpa = r->range.gpa + n * PAGES_SIZE, chunk = n / WIRE_PAGES;
	int ret;

	if (postcopy_has(r->asked, chunk))
		return 0;
	r->asked[chunk / 32] |= 1u << chunk % 32;
	ret = part_write(&p->words, WIRE_REQUEST, WIRE_VERSION, &gpa, sizeof(gpa), NULL, 0);
	return ret ? error_errno(err, ret, "%s: request", p->reader.file) : 0;
}

/* Somebody waits for a page. One that is not missing is zero, if it is not there. */
static int postcopy_fault(struct postcopy *p, uint8_t *host, bool may_ask, struct error *err)
{
	struct postcopy_range *r = NULL;
	bool missing;
	uint64_t n;
	int ret = 0;

	for (unsigned int i = 0; i < p->ram.nr; i++)
		if (host >= p->ram.range[i].host &&
		    (size_t)(host - p->ram.range[i].host) < p->ram.range[i].size)
			r = &p->range[i];
	if (!r)
		return error_set(err, -EFAULT, "userfaultfd: a fault at an address of nobody's");
	p->waits++;
	n = (host - r->range.host) / PAGES_SIZE;
	pthread_mutex_lock(&p->lock);
	missing = postcopy_has(r->missing, n);
	if (!missing)
		ret = postcopy_put(p, host, NULL);
	/* It has come since: it stays, and whoever waits for it goes on. */
	if (ret == -EEXIST)
		ret = faults_wake(&p->faults, host);
	pthread_mutex_unlock(&p->lock);
	if (ret)
		return faults_error(ret, err);
	if (missing && !may_ask)
		return err->text[0] ? -EPIPE : error_errno(err, -EPIPE, "%s", p->reader.file);
	return missing ? postcopy_ask(p, r, n, err) : 0;
}

static int postcopy_serve(struct postcopy *p, bool may_ask, struct error *err)
{
	uint8_t *page[FAULTS_MAX];
	unsigned int nr;
	int ret = 0;

	while (!ret && (nr = faults_read(&p->faults, page)))
		for (unsigned int i = 0; !ret && i < nr; i++)
			ret = postcopy_fault(p, page[i], may_ask, err);
	return ret;
}

/* ---- The thread ---- */

/* Until all is here, or nothing of what is not is needed. */
static int postcopy_follow(struct postcopy *p, struct error *err)
{
	struct pollfd fds[] = { { p->faults.fd, POLLIN, 0 }, { p->wire.in, POLLIN, 0 } };
	int64_t since = g_get_monotonic_time();
	int ret = 0;

	while (!ret) {
		if (postcopy_is_set(&p->cancelled))
			return -ECANCELED;
		if (postcopy_is_dropped(p))
			return 0;
		fds[1].revents = 0;
		poll(fds, 2, POSTCOPY_LOOK_MS);
		ret = postcopy_serve(p, true, err);
		if (!ret && fds[1].revents) {
			ret = postcopy_take(p, err);
			since = g_get_monotonic_time();
			if (ret >= 0)
				postcopy_set(p, &p->begun);
		}
		if (!ret && g_get_monotonic_time() - since >= WIRE_STALL_MS * 1000ll)
			ret = error_errno(err, -ETIMEDOUT, "%s", p->reader.file);
	}
	return ret > 0 ? 0 : ret;
}

/*
 * The connection is broken, and the guest has ended: that matters only if somebody needs a page, as
 * a device's request may. Returns -ECANCELED if nobody did.
 */
static int postcopy_see_off(struct postcopy *p, struct error *err)
{
	struct pollfd wait = { .fd = p->faults.fd, .events = POLLIN };
	int ret = 0;

	/* Who waits already was asked for, and is told of only once. */
	faults_again(&p->faults, p->m);
	while (!ret && !postcopy_is_set(&p->cancelled)) {
		poll(&wait, 1, POSTCOPY_LOOK_MS);
		ret = postcopy_serve(p, false, err);
	}
	return ret ? ret : -ECANCELED;
}

/* Nothing is needed any more: the guest's old process may end. */
static void postcopy_part(struct postcopy *p, bool early)
{
	static const bool never;

	p->wire.cancelled = &never;
	p->wire.deadline = g_get_monotonic_time() + POSTCOPY_DRAIN_MS * 1000ll;
	/* What comes and is not read could cost the far end our last word. */
	if (!part_write(&p->words, WIRE_WHOLE, WIRE_VERSION, NULL, 0, NULL, 0) && early)
		wire_drain(&p->wire, POSTCOPY_DRAIN_MS);
}

static void postcopy_fail(struct postcopy *p, const struct error *why)
{
	char text[sizeof(why->text) + 80];

	snprintf(text, sizeof(text), "%s: the guest, which runs already, cannot go on", why->text);
	p->m->broken(text);
}

static void postcopy_note(const struct postcopy *p)
{
	if (p->left)
		machine_note(p->m, "the guest was reset, or gave back what had not come: it needs no more of its old memory");
	else
		machine_note(p->m, "all of the guest's memory is here; %llu times somebody has waited",
			     (unsigned long long)p->waits);
}

static void *postcopy_thread(void *opaque)
{
	struct postcopy *p = opaque;
	struct error why = { "" };
	bool begun;
	int ret;

	prctl(PR_SET_NAME, "postcopy");
	machine_confine(p->m, MACHINE_THREAD_LAZY);
	/* Not before the far end was told. */
	pthread_mutex_lock(&p->lock);
	pthread_mutex_unlock(&p->lock);
	ret = postcopy_follow(p, &why);
	begun = postcopy_is_set(&p->begun);
	/* What has broken was not needed any more. */
	if (begun && ret && ret != -ECANCELED && postcopy_is_dropped(p))
		ret = 0;
	if (begun && ret && ret != -ECANCELED && postcopy_is_set(&p->over))
		ret = postcopy_see_off(p, &why);
	if (begun && ret && ret != -ECANCELED)
		postcopy_fail(p, &why);
	faults_unregister(&p->faults, p->m);
	faults_close(&p->faults);
	p->why_not = why;
	if (begun)
		postcopy_part(p, ret || p->left);
	if (!ret)
		postcopy_note(p);
	postcopy_set(p, &p->finished);
	return NULL;
}

/* ---- Its course ---- */

/* There is no thread. */
static void postcopy_forget(struct postcopy *p)
{
	if (p->m->mem.give_back_opaque == p)
		p->m->mem.give_back = NULL;
	faults_close(&p->faults);
	for (unsigned int i = 0; i < p->ram.nr; i++) {
		g_free(p->range[i].missing);
		g_free(p->range[i].expected);
		g_free(p->range[i].asked);
	}
	p->ram.nr = 0;
	pages_reader_free(p->heads);
	pages_reader_free(p->pages);
	p->heads = p->pages = NULL;
	g_clear_pointer(&p->room, g_free);
	part_reader_free(&p->reader);
	if (p->wire.out >= 0 && p->wire.out != p->wire.in)
		close(p->wire.out);
	if (p->wire.in >= 0)
		close(p->wire.in);
	p->wire.in = p->wire.out = -1;
}

static void postcopy_join(struct postcopy *p)
{
	if (p->timer)
		g_source_remove(p->timer);
	p->timer = 0;
	pthread_join(p->thread, NULL);
	p->running = false;
}

static gboolean postcopy_look(void *opaque)
{
	struct postcopy *p = opaque;

	if (!postcopy_is_set(&p->finished))
		return G_SOURCE_CONTINUE;
	p->timer = 0;
	postcopy_join(p);
	postcopy_forget(p);
	machine_tell(p->m, &(struct machine_event){ .type = MACHINE_EVENT_MIGRATION,
						    .status = "completed" });
	return G_SOURCE_REMOVE;
}

/* Says that the guest runs. The thread waits for that. It goes at once, or not. */
static int postcopy_say(struct postcopy *p, struct error *err)
{
	int ret;

	p->wire.deadline = g_get_monotonic_time();
	ret = part_write(&p->words, WIRE_RUNNING, WIRE_VERSION, NULL, 0, NULL, 0);
	p->wire.deadline = 0;
	return ret ? error_errno(err, ret, "%s: running", p->reader.file) : 0;
}

/*
 * The far end goes on only when it has read our word: then it never lets the guest go on there. So
 * the guest runs here only after that; else it has run nowhere, and may go on where it was.
 */
static int postcopy_await(struct postcopy *p, struct error *err)
{
	while (!postcopy_is_set(&p->begun) && !postcopy_is_set(&p->finished) &&
	       machine_requested(p->m) == MACHINE_NONE)
		g_main_context_iteration(p->m->context, TRUE);
	if (postcopy_is_set(&p->begun))
		return 0;
	if (!postcopy_is_set(&p->finished))
		return error_set(err, -EINTR, "it was ended there");
	return error_set(err, -EPIPE, "%.300s: the guest has not run here", p->why_not.text);
}

int postcopy_start(struct postcopy *p, const struct wire *wire, struct part_reader *reader,
		   struct part_writer *words, struct error *err)
{
	int ret;

	p->wire = *wire;
	p->wire.cancelled = &p->cancelled;
	p->wire.deadline = 0;
	p->reader = *reader;
	p->words = *words;
	p->reader.opaque = p->words.opaque = &p->wire;
	/* No part has more. */
	p->reader.max = PAGES_HEAD + PAGES_BLOCK;
	pthread_mutex_lock(&p->lock);
	ret = thread_start(&p->thread, POSTCOPY_STACK_SIZE, postcopy_thread, p);
	p->running = !ret;
	if (ret)
		error_errno(err, ret, "%s: cannot start a thread", reader->file);
	else
		ret = postcopy_say(p, err);
	__atomic_store_n(&p->cancelled, ret != 0, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&p->lock);
	if (!ret)
		ret = postcopy_await(p, err);
	if (!ret) {
		reader->data = NULL;
		p->timer = g_timeout_add(POSTCOPY_LOOK_MS, postcopy_look, p);
		return 0;
	}
	__atomic_store_n(&p->cancelled, true, __ATOMIC_RELEASE);
	if (p->running)
		postcopy_join(p);
	/* Still the caller's. */
	reader->data = p->reader.data;
	reader->room = p->reader.room;
	words->nr = p->words.nr;
	p->reader.data = NULL;
	p->wire.in = p->wire.out = -1;
	postcopy_forget(p);
	return ret;
}

void postcopy_over(struct postcopy *p)
{
	if (p)
		__atomic_store_n(&p->over, true, __ATOMIC_RELEASE);
}

void postcopy_abandon(struct postcopy *p)
{
	if (p && !p->running)
		postcopy_forget(p);
}

int postcopy_may(const struct postcopy *p, struct error *err)
{
	if (p->faults.fd >= 0)
		return 0;
	*err = p->why;
	return -ENOTSUP;
}

struct postcopy *postcopy_new(struct machine *m)
{
	struct postcopy *p = g_new0(struct postcopy, 1);

	p->m = m;
	p->wire.in = p->wire.out = -1;
	pthread_mutex_init(&p->lock, NULL);
	faults_open(&p->faults, m, "post-copy", &p->why);
	return p;
}

void postcopy_free(struct postcopy *p)
{
	if (!p)
		return;
	__atomic_store_n(&p->cancelled, true, __ATOMIC_RELEASE);
	if (p->running)
		postcopy_join(p);
	postcopy_forget(p);
	pthread_mutex_destroy(&p->lock);
	g_free(p);
}

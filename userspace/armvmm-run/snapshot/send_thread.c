// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/machine_private.h"
#include "snapshot/send_thread.h"

#define SEND_ANSWER_MS		30000	/* for the far end's first word */
#define SEND_RUNNING_MS		30000	/* for its last word, when nobody here waits for it */
#define SEND_ROUNDS		100	/* at most */
#define SEND_MARK_EVERY		(256u << 10)	/* bytes */
#define SEND_MARKS		32	/* unanswered: so many answers fit into any way back */
#define SEND_COUNT_EVERY	4	/* parts: to count what is left costs time */

/* ---- Words ---- */

static int send_fail(struct send *s, int ret)
{
	return ret == -ECANCELED || s->thread_why.text[0] ? ret :
	       error_errno(&s->thread_why, ret, "the connection to the far end");
}

/* Keeps what a terminal would take for a command out of the far end's sentence. */
static int send_refused(struct send *s)
{
	char text[400];
	size_t len = s->answers.len < sizeof(text) - 1 ? s->answers.len : sizeof(text) - 1;

	for (size_t i = 0; i < len; i++)
		text[i] = g_ascii_isprint(s->answers.data[i]) ? s->answers.data[i] : '?';
	text[len] = '\0';
	s->refused = true;
	return error_set(&s->thread_why, -ECONNREFUSED, "the far end refuses: %s", text);
}

/* Reads the far end's next word, which must be @word. */
static int send_expect(struct send *s, const char *word)
{
	int ret = 0;

	if (!s->answers.seed)
		ret = part_open(&s->answers, &s->thread_why);
	if (!ret && memcmp(s->answers.id, s->id, PART_ID_SIZE))
		ret = part_error(&s->answers, -EBADMSG, &s->thread_why, "is of another migration");
	if (!ret)
		ret = part_read_either(&s->answers, word, WIRE_REFUSED, &s->thread_why);
	if (!ret && s->answers.version != WIRE_VERSION)
		ret = part_error(&s->answers, -EPROTONOSUPPORT, &s->thread_why,
				 "has version %u, and this program knows version %u",
				 s->answers.version, WIRE_VERSION);
	if (!ret && !strcmp(s->answers.name, WIRE_REFUSED))
		ret = send_refused(s);
	return ret;
}

/* Writes to the far end have failed with @ret: perhaps it has said why. */
static int send_ask_why(struct send *s, int ret)
{
	if (ret == -ECANCELED || ret == -ETIMEDOUT || s->thread_why.text[0])
		return send_fail(s, ret);
	s->wire.deadline = g_get_monotonic_time() + 1000000;
	while (s->marks && !send_expect(s, WIRE_PASSED))
		s->marks--;
	if (!s->refused)
		send_expect(s, WIRE_REFUSED);
	if (!s->refused)
		s->thread_why.text[0] = '\0';
	return send_fail(s, ret);
}

/* ---- Marks: what has arrived ---- */

static int send_hear_mark(struct send *s)
{
	int ret = send_expect(s, WIRE_PASSED);

	s->marks -= !ret;
	/* The line is dead, whoever noticed it. */
	if (ret == -ETIMEDOUT)
		s->thread_why.text[0] = '\0';
	return ret;
}

static int send_mark(struct send *s)
{
	int ret = 0;

	while (!ret && s->marks == SEND_MARKS)
		ret = send_hear_mark(s);
	if (!ret)
		ret = part_write(&s->writer, WIRE_MARK, WIRE_VERSION, NULL, 0, NULL, 0);
	s->marks += !ret;
	s->marked = s->wire.written;
	return ret;
}

/* Waits until the far end has all that was written, wherever that is now. */
static int send_settle(struct send *s)
{
	int ret = send_mark(s);

	while (!ret && s->marks)
		ret = send_hear_mark(s);
	return ret;
}

/* Between two parts of memory. While the guest stands still there are no marks. */
static int send_look_back(struct send *s)
{
	int ret = 0;

	while (!ret && wire_is_readable(&s->wire))
		/* It had nothing to say: it refuses, or has gone. */
		ret = s->marks ? send_hear_mark(s) : -EPIPE;
	if (!ret && s->step == STEP_COPY && s->wire.written - s->marked >= SEND_MARK_EVERY)
		ret = send_mark(s);
	return ret;
}

/* ---- Memory ---- */

static int send_take_log(struct send *s)
{
	int ret = memlog_take(&s->log);

	return ret ? error_errno(&s->thread_why, ret, "the log of written pages") : 0;
}

/* Shall the guest be handed over as it is? Only while it runs. */
static bool send_switches(const struct send *s)
{
	return s->step == STEP_COPY && __atomic_load_n(&s->switches, __ATOMIC_ACQUIRE);
}

/* One round, or a part of it if that is the last one. */
static int send_pages(struct send *s, bool zeroes)
{
	uint64_t total = memlog_count(&s->log), before = s->count.pages, done = 0;
	int ret;

	__atomic_store_n(&s->left, total * PAGES_SIZE, __ATOMIC_RELAXED);
	pages_writer_again(s->pages, zeroes);
	for (;;) {
		ret = pages_write(s->pages, &s->writer, &done, &s->count.pages);
		if (ret <= 0)
			break;
		s->count.parts++;
		if (s->count.parts % SEND_COUNT_EVERY == 0)
			__atomic_store_n(&s->left, memlog_count(&s->log) * PAGES_SIZE,
					 __ATOMIC_RELAXED);
		__atomic_store_n(&s->nr_sent, s->count.pages, __ATOMIC_RELAXED);
		ret = __atomic_load_n(&s->cancelled, __ATOMIC_ACQUIRE) ? -ECANCELED :
									 send_look_back(s);
		if (ret || send_switches(s))
			break;
	}
	total -= memlog_count(&s->log);
	__atomic_fetch_add(&s->nr_zero, total - (s->count.pages - before), __ATOMIC_RELAXED);
	return ret;
}

/* The guest writes faster than we send: slows it down, more and more. */
static void send_slow_down(struct send *s)
{
	const struct send_params *p = &s->params;
	unsigned int now = __atomic_load_n(&s->throttle, __ATOMIC_RELAXED);
	unsigned int max = __atomic_load_n(&p->throttle_max, __ATOMIC_RELAXED);

	now = now ? now + __atomic_load_n(&p->throttle_step, __ATOMIC_RELAXED) :
		    __atomic_load_n(&p->throttle_initial, __ATOMIC_RELAXED);
	__atomic_store_n(&s->throttle, now < max ? now : max, __ATOMIC_RELAXED);
}

/* So that there is less to flush when the guest stands still. */
static int send_begin_switch(struct send *s)
{
	s->switched = true;
	return state_flush(s->m, &s->thread_why);
}

static int send_rounds(struct send *s)
{
	bool flushed = false;

	for (unsigned int round = 1; round <= SEND_ROUNDS + flushed; round++) {
		int64_t begun = g_get_monotonic_time(), took;
		uint64_t before = memlog_count(&s->log), sent = s->count.pages, left;
		int ret = send_pages(s, round > 1);

		if (!ret)
			ret = send_settle(s);
		if (!ret)
			ret = send_take_log(s);
		if (ret)
			return ret;
		if (send_switches(s))
			return send_begin_switch(s);
		__atomic_store_n(&s->rounds, round, __ATOMIC_RELAXED);
		took = g_get_monotonic_time() - begun;
		sent = s->count.pages - sent;
		left = memlog_count(&s->log);
		__atomic_store_n(&s->left, left * PAGES_SIZE, __ATOMIC_RELAXED);
		/* What became zero costs little, unless there was nothing else. */
		sent = sent ? sent : before;
		took = took * left / (sent ? sent : 1);
		__atomic_store_n(&s->expected_ms, took / 1000, __ATOMIC_RELAXED);
		if ((uint64_t)took <=
		    __atomic_load_n(&s->params.downtime_ms, __ATOMIC_RELAXED) * 1000) {
			if (flushed)
				return 0;
			/*
			 * So that there is less to flush when the guest stands still. What it
			 * writes meanwhile is one more round.
			 */
			ret = state_flush(s->m, &s->thread_why);
			if (!ret)
				ret = send_take_log(s);
			if (ret)
				return ret;
			flushed = true;
			continue;
		}
		if (s->may & SEND_MAY_CONVERGE && round > 1 && left > before / 2)
			send_slow_down(s);
	}
	if (s->may & SEND_MAY_SWITCH)
		return send_begin_switch(s);
	return error_set(&s->thread_why, -ETIME,
			 "the guest writes to its memory faster than it is sent: after %u rounds it would stand still for %llu ms (auto-converge slows it down, downtime-limit allows more)",
			 SEND_ROUNDS, (unsigned long long)s->expected_ms);
}

static int send_copy(struct send *s)
{
	int ret;

	s->wire.deadline = g_get_monotonic_time() + SEND_ANSWER_MS * 1000ll;
	ret = part_begin(&s->writer, s->id, NULL);
	if (!ret)
		ret = part_write(&s->writer, WIRE_HELLO,
				 s->may & SEND_MAY_SWITCH ? WIRE_MARKS_POSTCOPY : WIRE_MARKS,
				 s->facts.data, s->facts.len, NULL, 0);
	if (!ret)
		ret = send_expect(s, WIRE_READY);
	if (ret)
		return send_ask_why(s, ret);
	s->wire.deadline = 0;
	s->wire.per_second = &s->params.bandwidth;
	__atomic_store_n(&s->ready_at, g_get_monotonic_time(), __ATOMIC_RELAXED);
	ret = send_rounds(s);
	return ret ? send_ask_why(s, ret) : 0;
}

/* What devices keep has nobody who would wait for it. */
static int send_devices(struct send *s)
{
	int ret = 0;

	pages_writer_again(s->pages, true);
	for (unsigned int i = 0; ret >= 0 && i < s->log.layout.nr; i++) {
		const struct pages_range *range = &s->log.layout.range[i];
		unsigned int nr;

		if (s->log.range[i].region >= 0)
			continue;
		for (uint64_t at = 0; ret >= 0 && at < range->size; at += nr * PAGES_SIZE) {
			uint64_t left = (range->size - at) / PAGES_SIZE;

			nr = PAGES_MAX - (range->gpa + at) / PAGES_SIZE % PAGES_MAX;
			nr = left < nr ? left : nr;
			ret = pages_write_at(s->pages, &s->writer, i, at, nr, &s->count.pages);
			s->count.parts += ret > 0;
		}
	}
	return ret < 0 ? ret : 0;
}

static int send_missing(struct send *s)
{
	GByteArray *bits = g_byte_array_new();
	int ret;

	for (unsigned int i = 0; i < s->log.layout.nr; i++) {
		const struct pages_range *range = &s->log.layout.range[i];

		g_byte_array_append(bits, (const guint8 *)range->dirty,
				    memlog_words(range) * sizeof(*range->dirty));
	}
	ret = part_write(&s->writer, WIRE_MISSING, WIRE_VERSION, bits->data, bits->len, NULL, 0);
	g_byte_array_unref(bits);
	return ret;
}

/* The guest stands still. */
static int send_rest(struct send *s)
{
	int ret = state_flush(s->m, &s->thread_why);

	s->wire.per_second = NULL;
	s->wire.deadline = g_get_monotonic_time() + SEND_HANDOVER_MS * 1000ll;
	if (!ret && !s->uncached)
		ret = send_take_log(s);
	if (s->uncached)
		memlog_mark_all(&s->log);
	if (!ret)
		ret = s->switched ? send_devices(s) : send_pages(s, true);
	if (!ret)
		ret = part_write(&s->writer, WIRE_STATE, s->switched ? WIRE_POSTCOPY : WIRE_VERSION,
				 s->tail->data, s->tail->len, NULL, 0);
	if (!ret && s->switched)
		ret = send_missing(s);
	if (!ret)
		ret = part_write(&s->writer, PART_END, LAYOUT_END_VERSION, &s->count,
				 sizeof(s->count), NULL, 0);
	if (!ret)
		ret = send_expect(s, WIRE_TAKEN);
	if (ret == -ETIMEDOUT)
		return error_set(&s->thread_why, ret, "the far end is too slow: the guest would have stood still for more than %u ms",
				 SEND_HANDOVER_MS);
	return ret ? send_ask_why(s, ret) : 0;
}

int send_tail_write(void *opaque, const void *data, size_t len)
{
	g_byte_array_append(opaque, data, len);
	return 0;
}

/*
 * The word that hands the guest over. It goes at once, or not: unless the kernel has taken its last
 * byte, the far end cannot have all of it. Returns 0 if it may.
 */
static int send_commit(struct send *s)
{
	GByteArray *word = g_byte_array_new();
	struct part_writer w = s->writer;
	ssize_t n;
	int ret = 0;

	w.write = send_tail_write;
	w.opaque = word;
	part_write(&w, WIRE_COMMIT, WIRE_VERSION, NULL, 0, NULL, 0);
	n = write(s->wire.out, word->data, word->len);
	if (n != (ssize_t)word->len)
		ret = error_errno(&s->thread_why, n < 0 ? -errno : -EPIPE, "the handover to the far end");
	s->kept = ret;
	/* Pages may follow. */
	s->writer.nr = w.nr;
	g_byte_array_unref(word);
	return ret;
}

static int send_await(struct send *s)
{
	struct follow follow = {
		.log = &s->log, .pages = s->pages, .writer = &s->writer, .answers = &s->answers,
		.wire = &s->wire, .count = &s->following, .why = &s->thread_why,
	};
	int ret;

	ret = send_commit(s);
	if (ret)
		return ret;
	s->wire.deadline = g_get_monotonic_time() + SEND_RUNNING_MS * 1000ll;
	ret = send_expect(s, WIRE_RUNNING);
	if (ret || !s->switched)
		return ret;
	s->wire.deadline = 0;
	__atomic_store_n(&s->following.left, memlog_count(&s->log) * PAGES_SIZE, __ATOMIC_RELAXED);
	__atomic_store_n(&s->ran_at, g_get_monotonic_time(), __ATOMIC_RELAXED);
	__atomic_store_n(&s->runs_there, true, __ATOMIC_RELEASE);
	ret = follow_send(&follow);
	return ret ? send_fail(s, ret) : 0;
}

void *send_thread(void *opaque)
{
	struct send *s = opaque;

	prctl(PR_SET_NAME, "migration");
	machine_confine(s->m, MACHINE_THREAD_DISK);
	switch (s->step) {
	case STEP_COPY:
		s->ret = send_copy(s);
		break;
	case STEP_REST:
		s->ret = send_rest(s);
		break;
	default:
		s->ret = send_await(s);
	}
	__atomic_store_n(&s->finished, true, __ATOMIC_RELEASE);
	return NULL;
}

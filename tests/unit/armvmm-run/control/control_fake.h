/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine that only records what the control socket asks for. */
#ifndef TESTS_UNIT_CONTROL_FAKE_H
#define TESTS_UNIT_CONTROL_FAKE_H

#include <libarmvmm.h>

#include "core/balloon.h"
#include "core/blockdev.h"
#include "core/runstate.h"
#include "snapshot/dump.h"
#include "snapshot/save.h"
#include "snapshot/send.h"

static struct fake_run {
	unsigned int holders;
	unsigned int presses;
	enum machine_request request;
	enum machine_cause cause;
	struct machine_listener *listener;
	uint64_t disk_size;
	uint64_t asked;	/* of the balloon */
	unsigned int interval;
	char kept[64];
	size_t nr_kept;
	struct save_status saved;
	int save_fd;		/* -1: none was given */
	unsigned int save_flags;
	const char *send_refused;	/* likewise */
	bool anyway;		/* the last cont insists */
	unsigned int untracked;	/* how often the log of written pages was ended */
	bool save_stopped;
	const char *save_refused;	/* why; NULL: it begins */
	unsigned int cancels, continues;
	struct send_status sent;
	struct send_params params;
	int send_fd;		/* -1: none was given */
	bool send_stopped, send_switched;
	unsigned int switch_may;
	unsigned int send_may;
	const char *send_lost;	/* why it cannot go on here; NULL: it can */
	struct dump_status dumped;
	int dump_fd;		/* -1: none was given */
	uint64_t dump_begin, dump_size;
	unsigned int dump_cancels;
} fake_run;

const char *armvmm_library_version(void)
{
	return "1.2.3";
}

void machine_tell(struct machine *m, const struct machine_event *event)
{
	if (fake_run.listener)
		fake_run.listener->event(fake_run.listener, event);
}

void machine_listen(struct machine *m, struct machine_listener *listener)
{
	fake_run.listener = listener;
}

void machine_unlisten(struct machine *m, struct machine_listener *listener)
{
	fake_run.listener = NULL;
}

void machine_hold(struct machine *m, enum machine_holder holder)
{
	bool first = !fake_run.holders;

	fake_run.holders |= 1u << holder;
	if (first)
		machine_tell(m, &(struct machine_event){ .type = MACHINE_EVENT_STOP });
}

void machine_release(struct machine *m, enum machine_holder holder)
{
	bool held = fake_run.holders >> holder & 1;

	fake_run.holders &= ~(1u << holder);
	if (held && !fake_run.holders)
		machine_tell(m, &(struct machine_event){ .type = MACHINE_EVENT_RESUME });
}

bool machine_is_held(const struct machine *m)
{
	return fake_run.holders;
}

bool machine_is_held_by(const struct machine *m, enum machine_holder holder)
{
	return fake_run.holders >> holder & 1;
}

struct armvmm_vcpu *machine_vcpu(struct machine *m, unsigned int index)
{
	return index < 2 ? (struct armvmm_vcpu *)&fake_run : NULL;
}

pid_t machine_vcpu_thread(struct machine *m, unsigned int index)
{
	return 100 + index;
}

void machine_press_power(struct machine *m)
{
	fake_run.presses++;
}

void machine_request(struct machine *m, enum machine_request request, enum machine_cause cause,
		     const char *why)
{
	fake_run.request = request;
	fake_run.cause = cause;
}

int chardev_keep(struct chardev *chr, size_t size)
{
	return 0;
}

size_t chardev_take_kept(struct chardev *chr, uint8_t *buf, size_t len)
{
	size_t n = len < fake_run.nr_kept ? len : fake_run.nr_kept;

	memcpy(buf, fake_run.kept, n);
	fake_run.nr_kept -= n;
	memmove(fake_run.kept, fake_run.kept + n, fake_run.nr_kept);
	return n;
}

struct save *save_new(struct machine *m)
{
	return (struct save *)&fake_run;
}

void save_free(struct save *s)
{
}

int save_start(struct save *s, int fd, unsigned int flags, struct error *err)
{
	if (fake_run.save_refused)
		return error_set(err, -1, "%s", fake_run.save_refused);
	fake_run.save_fd = fd;
	fake_run.save_flags = flags;
	fake_run.saved.phase = SAVE_ACTIVE;
	return 0;
}

void save_untrack(struct save *s)
{
	fake_run.untracked++;
}

void save_cancel(struct save *s)
{
	fake_run.cancels++;
}

void save_continue(struct save *s)
{
	fake_run.continues++;
}

bool save_is_active(const struct save *s)
{
	return fake_run.saved.phase == SAVE_ACTIVE;
}

void save_get(struct save *s, struct save_status *status)
{
	*status = fake_run.saved;
}

struct send *send_new(struct machine *m)
{
	return (struct send *)&fake_run;
}

void send_free(struct send *s)
{
}

struct send_params *send_params(struct send *s)
{
	return &fake_run.params;
}

int send_may_start(struct send *s, int fd, struct error *err)
{
	return fake_run.send_refused ? error_set(err, -1, "%s", fake_run.send_refused) : 0;
}

int send_start(struct send *s, int fd, unsigned int may, struct error *err)
{
	fake_run.send_fd = fd;
	fake_run.send_may = may;
	fake_run.sent.phase = SEND_ACTIVE;
	return 0;
}

int send_switch(struct send *s, unsigned int may, struct error *err)
{
	fake_run.switch_may = may;
	fake_run.send_switched = fake_run.send_may & SEND_MAY_SWITCH;
	return fake_run.send_switched ? 0 : error_set(err, -EINVAL, "Enable postcopy");
}

bool send_is_following(const struct send *s)
{
	return fake_run.sent.phase == SEND_POSTCOPY;
}

void send_cancel(struct send *s)
{
}

bool send_is_active(const struct send *s)
{
	return fake_run.sent.phase == SEND_ACTIVE || fake_run.sent.phase == SEND_HANDOVER;
}

bool send_is_handing_over(const struct send *s)
{
	return fake_run.sent.phase == SEND_HANDOVER;
}

bool send_has_stopped(const struct send *s)
{
	return fake_run.send_stopped;
}

int send_continue(struct send *s, bool anyway, struct error *err)
{
	fake_run.anyway = anyway;
	return fake_run.send_lost ? error_set(err, -1, "%s", fake_run.send_lost) : 0;
}

void send_get(struct send *s, struct send_status *status)
{
	*status = fake_run.sent;
}

struct dump *dump_new(struct machine *m)
{
	return (struct dump *)&fake_run;
}

void dump_free(struct dump *d)
{
}

int dump_start(struct dump *d, int fd, uint64_t begin, uint64_t size, struct error *err)
{
	if (fake_run.dumped.phase == DUMP_ACTIVE)
		return error_set(err, -1, "There is a dump in process, please wait.");
	fake_run.dump_fd = fd;
	fake_run.dump_begin = begin;
	fake_run.dump_size = size;
	fake_run.dumped = (struct dump_status){ .phase = DUMP_ACTIVE, .total = 100, .done = 7 };
	return 0;
}

void dump_cancel(struct dump *d)
{
	fake_run.dump_cancels++;
}

bool dump_is_active(const struct dump *d)
{
	return fake_run.dumped.phase == DUMP_ACTIVE;
}

void dump_get(const struct dump *d, struct dump_status *status)
{
	*status = fake_run.dumped;
}

/* The dump ends, well if @why is NULL. */
static inline void fake_dump_end(struct machine *m, const char *why)
{
	fake_run.dumped.phase = why ? DUMP_FAILED : DUMP_COMPLETED;
	fake_run.dumped.done = why ? 50 : 100;
	if (why)
		error_set(&fake_run.dumped.why, -1, "%s", why);
	machine_tell(m, &(struct machine_event){ .type = MACHINE_EVENT_DUMP, .why = why,
						 .bytes = 100, .done = fake_run.dumped.done,
						 .status = why ? "failed" : "completed" });
}

static uint64_t fake_disk_size(struct blockdev *b)
{
	return fake_run.disk_size;
}

static int fake_disk_resize(struct blockdev *b, uint64_t size, struct error *err)
{
	if (size % 512)
		return error_set(err, -1, "the size must be a multiple of 512 bytes");
	fake_run.disk_size = size;
	return 0;
}

static const struct blockdev_ops fake_disk_ops = {
	.size = fake_disk_size, .allocated = fake_disk_size, .resize = fake_disk_resize,
};

static struct blockdev fake_disk = { .file = "disk.img", .ops = &fake_disk_ops };

static uint64_t fake_balloon_actual(struct balloon *b)
{
	return 64 << 20;
}

static void fake_balloon_ask(struct balloon *b, uint64_t bytes)
{
	fake_run.asked = bytes;
}

static void fake_balloon_stats(struct balloon *b, struct balloon_stats *stats)
{
	*stats = (struct balloon_stats){
		.time = 1700000000,
		.nr = 2,
		.stat = { { "stat-free-memory", 4096 }, { "stat-swap-in", UINT64_MAX } },
	};
}

static unsigned int fake_balloon_interval(struct balloon *b)
{
	return fake_run.interval;
}

static void fake_balloon_set_interval(struct balloon *b, unsigned int seconds)
{
	fake_run.interval = seconds;
}

static const struct balloon_ops fake_balloon_ops = {
	.actual = fake_balloon_actual,
	.ask = fake_balloon_ask,
	.stats = fake_balloon_stats,
	.interval = fake_balloon_interval,
	.set_interval = fake_balloon_set_interval,
};
static struct balloon fake_balloon = { .ops = &fake_balloon_ops };

static inline void fake_control_init(struct machine *m)
{
	memset(&fake_run, 0, sizeof(fake_run));
	fake_run.disk_size = 1048576;
	fake_run.save_fd = fake_run.send_fd = fake_run.dump_fd = -1;
	memset(m, 0, sizeof(*m));
	blockdev_add(&m->disks, &fake_disk);
	m->balloon = &fake_balloon;
}

#endif /* TESTS_UNIT_CONTROL_FAKE_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two timers: Arm SP804 (DDI 0271D). Each counts down at 1 MHz, as those of a Versatile Express do
 * when their clock is chosen so, and as QEMU's do at any time.
 *
 * A count is kept as what it was at some time, and is worked out when somebody asks. The host's
 * timer is set only while an interrupt that the guest has enabled is still to come, and for the
 * next one alone: what comes before the guest has cleared it could not be told from it. So a short
 * period costs the host nothing that the guest has not asked for by an access of its own.
 *
 * Time is the host's: like the wall clock it goes on while the guest is stopped. A saved timer goes
 * on from where it was.
 */
#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/device_type.h"
#include "core/machine.h"
#include "core/record.h"
#include "hw/primecell.h"

#define SP804_PERIPH_ID	0x00141804	/* DDI 0271D 3.3.10 */
#define SP804_TIMERS	2
#define SP804_HZ	1000000
#define SP804_TICK_NS	(1000000000 / SP804_HZ)

/* Registers of a timer (DDI 0271D 3.2); those of the second come behind those of the first. */
#define SP804_LOAD	0x00
#define SP804_VALUE	0x04
#define SP804_CONTROL	0x08
#define SP804_INTCLR	0x0c
#define SP804_RIS	0x10
#define SP804_MIS	0x14
#define SP804_BGLOAD	0x18
#define SP804_REGS	0x20	/* bytes of a timer */

#define CONTROL_ONESHOT	(1u << 0)
#define CONTROL_32BIT	(1u << 1)
#define CONTROL_PRESCALE(control) ((control) >> 2 & 3)
#define CONTROL_INT	(1u << 5)
#define CONTROL_PERIODIC (1u << 6)
#define CONTROL_ENABLE	(1u << 7)
#define CONTROL_ALL	0xefu
#define CONTROL_RESET	CONTROL_INT

struct sp804_timer {
	struct sp804 *sp;
	int fd;			/* fires when the next interrupt is due */
	GSource *source;
	uint32_t load, control, ris;
	uint32_t count;		/* what it was ... */
	uint64_t since;		/* ... at this time, in ns */
};

struct sp804 {
	struct device dev;
	struct irqline irq;
	pthread_mutex_t lock;	/* the timers, and the line */
	struct sp804_timer timer[SP804_TIMERS];
};

static uint64_t sp804_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* ---- Counting ---- */

static uint64_t sp804_tick_ns(const struct sp804_timer *t)
{
	/* 1, 16, 256; the fourth value is undefined, and acts as the third. */
	static const uint16_t prescale[] = { 1, 16, 256, 256 };

	return (uint64_t)SP804_TICK_NS * prescale[CONTROL_PRESCALE(t->control)];
}

static uint32_t sp804_mask(const struct sp804_timer *t)
{
	return t->control & CONTROL_32BIT ? UINT32_MAX : UINT16_MAX;
}

/* So many ticks are between two zeroes. With a load of 0, each tick is one. */
static uint64_t sp804_period(const struct sp804_timer *t)
{
	uint32_t load = t->load & sp804_mask(t);

	if (!(t->control & CONTROL_PERIODIC))
		return (uint64_t)sp804_mask(t) + 1;
	return load ? load : 1;
}

/* So many ticks are until the count is zero next; 0: it will not be. */
static uint64_t sp804_to_zero(const struct sp804_timer *t)
{
	uint32_t count = t->count & sp804_mask(t);

	if (count)
		return count;
	return t->control & CONTROL_ONESHOT ? 0 : sp804_period(t);
}

/* What the count is @ticks after it was zero. */
static uint32_t sp804_after_zero(const struct sp804_timer *t, uint64_t ticks)
{
	uint64_t at = ticks % sp804_period(t);

	if (t->control & CONTROL_ONESHOT || !at)
		return 0;
	return sp804_period(t) - at;
}

/* Brings the count up to now. */
static void sp804_catch_up(struct sp804_timer *t)
{
	uint64_t now = sp804_now(), tick = sp804_tick_ns(t), ticks, zero = sp804_to_zero(t);

	if (!(t->control & CONTROL_ENABLE)) {
		t->since = now;
		return;
	}
	ticks = (now - t->since) / tick;
	t->since += ticks * tick;
	if (zero && ticks >= zero) {
		t->ris = 1;
		t->count = sp804_after_zero(t, ticks - zero);
	} else if (zero && t->count & sp804_mask(t)) {
		t->count = (t->count & sp804_mask(t)) - ticks;
	} else {
		t->count = sp804_after_zero(t, ticks);
	}
}

/* Sets the host's timer for the next interrupt that the guest would see. */
static void sp804_arm(struct sp804_timer *t)
{
	uint64_t zero = sp804_to_zero(t), at = t->since + zero * sp804_tick_ns(t);
	struct itimerspec when = { 0 };

	if (zero && !t->ris && t->control & CONTROL_ENABLE && t->control & CONTROL_INT) {
		when.it_value.tv_sec = at / 1000000000;
		when.it_value.tv_nsec = at % 1000000000;
	}
	timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static uint32_t sp804_mis(const struct sp804_timer *t)
{
	return t->control & CONTROL_INT ? t->ris : 0;
}

static bool sp804_level(const struct sp804 *sp)
{
	return sp804_mis(&sp->timer[0]) || sp804_mis(&sp->timer[1]);
}

/* To be called after each change of a timer. */
static void sp804_update(struct sp804_timer *t)
{
	sp804_arm(t);
	irqline_set(&t->sp->irq, sp804_level(t->sp));
}

static gboolean sp804_fired(int fd, GIOCondition condition, void *opaque)
{
	struct sp804_timer *t = opaque;
	uint64_t times;

	pthread_mutex_lock(&t->sp->lock);
	/* The guest may have set it anew meanwhile: then there is nothing to read. */
	if (read(fd, &times, sizeof(times)) == sizeof(times)) {
		sp804_catch_up(t);
		sp804_update(t);
	}
	pthread_mutex_unlock(&t->sp->lock);
	return G_SOURCE_CONTINUE;
}

/* ---- The guest ---- */

/* The timer whose register is at @offset, or NULL. */
static struct sp804_timer *sp804_timer_at(struct sp804 *sp, uint64_t offset)
{
	return offset < SP804_TIMERS * SP804_REGS ? &sp->timer[offset / SP804_REGS] : NULL;
}

static uint32_t sp804_read_timer(struct sp804_timer *t, uint64_t reg)
{
	switch (reg) {
	case SP804_LOAD:
	case SP804_BGLOAD:
		return t->load;
	case SP804_VALUE:
		return t->count & sp804_mask(t);
	case SP804_CONTROL:
		return t->control;
	case SP804_RIS:
		return t->ris;
	case SP804_MIS:
		return sp804_mis(t);
	default:
		return 0;
	}
}

static uint64_t sp804_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct sp804 *sp = container_of(dev, struct sp804, dev);
	struct sp804_timer *t = sp804_timer_at(sp, offset);
	uint32_t value = 0;

	if (!primecell_access_ok(offset, len))
		return 0;
	if (!t)
		return offset >= PRIMECELL_ID ? primecell_id(SP804_PERIPH_ID, offset) : 0;
	pthread_mutex_lock(&sp->lock);
	sp804_catch_up(t);
	value = sp804_read_timer(t, offset % SP804_REGS);
	/* A zero that the read has noticed is an interrupt now. */
	irqline_set(&sp->irq, sp804_level(sp));
	pthread_mutex_unlock(&sp->lock);
	return value;
}

/* A load of 0 is an interrupt at once (DDI 0271D 3.3.1). */
static void sp804_write_load(struct sp804_timer *t, uint32_t value)
{
	t->load = t->count = value;
	t->since = sp804_now();
	if (!(value & sp804_mask(t)) && t->control & CONTROL_ENABLE)
		t->ris = 1;
}

/*
 * A one-shot timer that has stopped goes on when that bit is cleared: the period begins where the
 * count stands.
 */
static void sp804_write_timer(struct sp804_timer *t, uint64_t reg, uint32_t value)
{
	switch (reg) {
	case SP804_LOAD:
		sp804_write_load(t, value);
		break;
	case SP804_CONTROL:
		t->control = value & CONTROL_ALL;
		break;
	case SP804_INTCLR:
		t->ris = 0;
		break;
	case SP804_BGLOAD:
		t->load = value;
		break;
	}
}

static void sp804_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct sp804 *sp = container_of(dev, struct sp804, dev);
	struct sp804_timer *t = sp804_timer_at(sp, offset);

	if (!t || !primecell_access_ok(offset, len))
		return;
	pthread_mutex_lock(&sp->lock);
	sp804_catch_up(t);
	sp804_write_timer(t, offset % SP804_REGS, value);
	sp804_update(t);
	pthread_mutex_unlock(&sp->lock);
}

static void sp804_fdt(struct device *dev, struct fdt_builder *fdt)
{
	static const char compatible[] = "arm,sp804\0arm,primecell";
	static const char names[] = "timclken1\0timclken2\0apb_pclk";
	const uint32_t clocks[] = {
		FDT_PHANDLE_TIMER_CLK, FDT_PHANDLE_TIMER_CLK, FDT_PHANDLE_APB_PCLK,
	};
	const struct sp804 *sp = container_of(dev, struct sp804, dev);

	fdt_node_begin(fdt, "sp804@%llx", (unsigned long long)dev->base);
	fdt_prop_bytes(fdt, "compatible", compatible, sizeof(compatible));
	fdt_prop_reg(fdt, dev->base, dev->size);
	fdt_prop_spi(fdt, sp->irq.spi, FDT_IRQ_LEVEL_HIGH);
	fdt_prop_bytes(fdt, "clock-names", names, sizeof(names));
	fdt_prop_cells(fdt, "clocks", 3, clocks);
	fdt_node_end(fdt);
}

static void sp804_reset_timer(struct sp804_timer *t)
{
	t->load = t->ris = 0;
	t->control = CONTROL_RESET;
	t->count = UINT32_MAX;
	t->since = sp804_now();
	sp804_update(t);
}

static void sp804_reset(struct device *dev)
{
	struct sp804 *sp = container_of(dev, struct sp804, dev);

	pthread_mutex_lock(&sp->lock);
	for (unsigned int i = 0; i < SP804_TIMERS; i++)
		sp804_reset_timer(&sp->timer[i]);
	pthread_mutex_unlock(&sp->lock);
}

/* ---- Snapshots ---- */

static const struct record_field sp804_state[] = {
	RECORD_FIELD(struct sp804_timer, load, UINT32_MAX),
	RECORD_FIELD(struct sp804_timer, control, CONTROL_ALL),
	RECORD_FIELD(struct sp804_timer, ris, 1),
	RECORD_FIELD(struct sp804_timer, count, UINT32_MAX),
};

static void sp804_save(struct device *dev, struct record *r)
{
	struct sp804 *sp = container_of(dev, struct sp804, dev);

	pthread_mutex_lock(&sp->lock);
	for (unsigned int i = 0; i < SP804_TIMERS; i++) {
		sp804_catch_up(&sp->timer[i]);
		record_put_fields(r, &sp->timer[i], sp804_state, RECORD_NR(sp804_state));
	}
	pthread_mutex_unlock(&sp->lock);
}

static int sp804_restore(struct device *dev, struct record *r)
{
	struct sp804 *sp = container_of(dev, struct sp804, dev);

	pthread_mutex_lock(&sp->lock);
	for (unsigned int i = 0; i < SP804_TIMERS; i++) {
		struct sp804_timer *t = &sp->timer[i];

		record_get_fields(r, t, sp804_state, RECORD_NR(sp804_state));
		t->control &= CONTROL_ALL;
		t->since = sp804_now();
	}
	irqline_restore(&sp->irq, sp804_level(sp));
	pthread_mutex_unlock(&sp->lock);
	return r->ret;
}

/* A restored timer begins to count here. */
static void sp804_resume(struct device *dev)
{
	struct sp804 *sp = container_of(dev, struct sp804, dev);

	pthread_mutex_lock(&sp->lock);
	for (unsigned int i = 0; i < SP804_TIMERS; i++)
		sp804_arm(&sp->timer[i]);
	pthread_mutex_unlock(&sp->lock);
}

static void sp804_destroy(struct device *dev)
{
	struct sp804 *sp = container_of(dev, struct sp804, dev);

	for (unsigned int i = 0; i < SP804_TIMERS; i++) {
		struct sp804_timer *t = &sp->timer[i];

		if (t->source) {
			g_source_destroy(t->source);
			g_source_unref(t->source);
		}
		if (t->fd >= 0)
			close(t->fd);
	}
	pthread_mutex_destroy(&sp->lock);
	free(sp);
}

static const struct device_ops sp804_ops = {
	.name = "sp804",
	.read = sp804_read,
	.write = sp804_write,
	.fdt = sp804_fdt,
	.reset = sp804_reset,
	.resume = sp804_resume,
	.save = sp804_save,
	.restore = sp804_restore,
	.state_version = 1,
	.destroy = sp804_destroy,
};

static int sp804_make_timer(struct sp804 *sp, struct sp804_timer *t, struct machine *m)
{
	t->sp = sp;
	t->control = CONTROL_RESET;
	t->count = UINT32_MAX;
	t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (t->fd < 0)
		return -errno;
	t->source = g_unix_fd_source_new(t->fd, G_IO_IN);
	g_source_set_callback(t->source, G_SOURCE_FUNC(sp804_fired), t, NULL);
	g_source_attach(t->source, m->context);
	return 0;
}

static int sp804_create(struct machine *m, const void *config, struct error *err)
{
	const struct machine_device *place = config;
	struct sp804 *sp = calloc(1, sizeof(*sp));
	int ret = 0;

	if (!sp)
		return error_errno(err, -ENOMEM, "sp804");
	sp->dev = (struct device){
		.ops = &sp804_ops,
		.base = place->base,
		.size = PRIMECELL_SIZE,
	};
	pthread_mutex_init(&sp->lock, NULL);
	for (unsigned int i = 0; i < SP804_TIMERS; i++)
		sp->timer[i].fd = -1;
	for (unsigned int i = 0; !ret && i < SP804_TIMERS; i++)
		ret = sp804_make_timer(sp, &sp->timer[i], m);
	if (!ret)
		ret = machine_irqline_init(m, &sp->irq, place->spi);
	if (!ret)
		ret = device_register(&m->bus, &sp->dev);
	if (ret) {
		sp804_destroy(&sp->dev);
		return error_errno(err, ret, "sp804");
	}
	return 0;
}

static const struct device_type sp804_type = {
	.name = "sp804",
	.summary = "two timers",
	.builtin = true,
	.order = 14,
	.create = sp804_create,
};
DEVICE_TYPE(sp804_type);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock: Arm PL031 (DDI 0224C). It counts seconds, and shows the host's time
 * of day until the guest sets it. A time that the guest has set survives a reboot,
 * as in a clock with a battery.
 */
#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/device_type.h"
#include "core/machine.h"
#include "core/record.h"
#include "core/runstate.h"
#include "hw/primecell.h"

#define PL031_PERIPH_ID	0x00041031

/* Registers (DDI 0224C 3.2) */
#define PL031_DR	0x00
#define PL031_MR	0x04
#define PL031_LR	0x08
#define PL031_CR	0x0c
#define PL031_IMSC	0x10
#define PL031_RIS	0x14
#define PL031_MIS	0x18
#define PL031_ICR	0x1c

#define PL031_EVENT_US	G_USEC_PER_SEC	/* between two events */

struct pl031 {
	struct device dev;
	struct machine *m;
	struct irqline irq;
	int timer_fd;		/* fires when the counter reaches the match register */
	GSource *source;
	GSource *change;	/* tells that the guest has set it */
	pthread_mutex_t lock;	/* all below, and the line */
	int64_t told;		/* when it was told last */
	uint32_t offset;	/* counter - host seconds, modulo 2^32 */
	uint32_t lr, mr, imsc, ris;
	bool armed;		/* the timer waits for the match */
};

static uint32_t pl031_count(const struct pl031 *pl)
{
	return (uint32_t)time(NULL) + pl->offset;
}

static void pl031_update(struct pl031 *pl)
{
	irqline_set(&pl->irq, pl->ris & pl->imsc);
}

/*
 * Always arms the timer, even if the interrupt is masked: a match is latched anyway (3.3.3), and
 * comes at most once in 2^32 s.
 */
static void pl031_arm(struct pl031 *pl)
{
	uint32_t delta = pl->mr - pl031_count(pl);
	struct itimerspec when = { 0 };

	/* A match register that equals the counter matches at once. */
	when.it_value.tv_sec = time(NULL) + delta;
	when.it_value.tv_nsec = 1;
	timerfd_settime(pl->timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL);
	pl->armed = true;
}

static void pl031_disarm(struct pl031 *pl)
{
	const struct itimerspec never = { 0 };

	timerfd_settime(pl->timer_fd, 0, &never, NULL);
	pl->armed = false;
}

/* Takes what the timer has to say, if anything. */
static void pl031_look(struct pl031 *pl)
{
	uint64_t times;

	if (read(pl->timer_fd, &times, sizeof(times)) == sizeof(times)) {
		pl->ris = 1;
		pl->armed = false;
		pl031_update(pl);
	} else if (errno == ECANCELED) {
		/* The host's clock was set, which sets this one too. */
		pl031_arm(pl);
	}
}

static gboolean pl031_fired(int fd, GIOCondition condition, void *opaque)
{
	struct pl031 *pl = opaque;

	pthread_mutex_lock(&pl->lock);
	pl031_look(pl);
	pthread_mutex_unlock(&pl->lock);
	return G_SOURCE_CONTINUE;
}

struct pl031_source {
	GSource source;
	struct pl031 *pl;
};

/* On the main thread. However often a guest sets its clock, it is told once a second. */
static gboolean pl031_tell(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct pl031 *pl = ((struct pl031_source *)source)->pl;
	struct machine_event event = { .type = MACHINE_EVENT_RTC };

	(void)callback;
	(void)opaque;
	g_source_set_ready_time(source, -1);
	pthread_mutex_lock(&pl->lock);
	event.seconds = (int32_t)pl->offset;
	pl->told = g_get_monotonic_time();
	pthread_mutex_unlock(&pl->lock);
	machine_tell(pl->m, &event);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs pl031_tell_funcs = { .dispatch = pl031_tell };

static uint64_t pl031_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct pl031 *pl = container_of(dev, struct pl031, dev);
	uint32_t value = 0;

	if (!primecell_access_ok(offset, len))
		return 0;
	pthread_mutex_lock(&pl->lock);
	switch (offset) {
	case PL031_DR:
		value = pl031_count(pl);
		break;
	case PL031_MR:
		value = pl->mr;
		break;
	case PL031_LR:
		value = pl->lr;
		break;
	case PL031_CR:
		value = 1;	/* always started */
		break;
	case PL031_IMSC:
		value = pl->imsc;
		break;
	case PL031_RIS:
		value = pl->ris;
		break;
	case PL031_MIS:
		value = pl->ris & pl->imsc;
		break;
	default:
		if (offset >= PRIMECELL_ID)
			value = primecell_id(PL031_PERIPH_ID, offset);
	}
	pthread_mutex_unlock(&pl->lock);
	return value;
}

static void pl031_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct pl031 *pl = container_of(dev, struct pl031, dev);

	if (!primecell_access_ok(offset, len))
		return;
	pthread_mutex_lock(&pl->lock);
	switch (offset) {
	case PL031_MR:
		pl->mr = value;
		pl031_arm(pl);
		break;
	case PL031_LR:
		pl->lr = value;
		pl->offset = (uint32_t)value - (uint32_t)time(NULL);
		pl031_arm(pl);
		g_source_set_ready_time(pl->change, pl->told + PL031_EVENT_US);
		break;
	case PL031_IMSC:
		pl->imsc = value & 1;
		break;
	case PL031_ICR:
		pl->ris &= ~value;
		break;
	}
	pl031_update(pl);
	pthread_mutex_unlock(&pl->lock);
}

static void pl031_fdt(struct device *dev, struct fdt_builder *fdt)
{
	static const char compatible[] = "arm,pl031\0arm,primecell";
	const struct pl031 *pl = container_of(dev, struct pl031, dev);

	fdt_node_begin(fdt, "pl031@%llx", (unsigned long long)dev->base);
	fdt_prop_bytes(fdt, "compatible", compatible, sizeof(compatible));
	fdt_prop_reg(fdt, dev->base, dev->size);
	fdt_prop_spi(fdt, pl->irq.spi, FDT_IRQ_LEVEL_HIGH);
	primecell_fdt(fdt, "apb_pclk", sizeof("apb_pclk"), 1);
	fdt_node_end(fdt);
}

static void pl031_reset(struct device *dev)
{
	struct pl031 *pl = container_of(dev, struct pl031, dev);

	pthread_mutex_lock(&pl->lock);
	pl->lr = pl->mr = pl->imsc = pl->ris = 0;
	pl031_disarm(pl);
	pl031_update(pl);
	pthread_mutex_unlock(&pl->lock);
}

/* ---- Snapshots ---- */

static const struct record_field pl031_state[] = {
	RECORD_FIELD(struct pl031, offset, UINT32_MAX),
	RECORD_FIELD(struct pl031, lr, UINT32_MAX),
	RECORD_FIELD(struct pl031, mr, UINT32_MAX),
	RECORD_FIELD(struct pl031, imsc, 1),
	RECORD_FIELD(struct pl031, ris, 1),
	RECORD_FIELD(struct pl031, armed, 1),
};

/* Behind the fields is the count: a match that comes before the restore is not missed. */
static void pl031_save(struct device *dev, struct record *r)
{
	struct pl031 *pl = container_of(dev, struct pl031, dev);
	uint32_t count;

	pthread_mutex_lock(&pl->lock);
	count = pl031_count(pl);
	pl031_look(pl);
	record_put_fields(r, pl, pl031_state, RECORD_NR(pl031_state));
	pthread_mutex_unlock(&pl->lock);
	record_put(r, &count, sizeof(count));
}

/* The clock has gone on since, with the host's. */
static int pl031_restore(struct device *dev, struct record *r)
{
	struct pl031 *pl = container_of(dev, struct pl031, dev);
	uint32_t then, passed;

	pthread_mutex_lock(&pl->lock);
	record_get_fields(r, pl, pl031_state, RECORD_NR(pl031_state));
	record_get(r, &then, sizeof(then));
	passed = pl031_count(pl) - then;
	/* The clock of another host may also be behind. */
	if (pl->armed && (int32_t)passed >= 0 && pl->mr - then <= passed) {
		pl->ris = 1;
		pl->armed = false;
	} else if (pl->armed) {
		pl031_arm(pl);
	}
	irqline_restore(&pl->irq, pl->ris & pl->imsc);
	pthread_mutex_unlock(&pl->lock);
	return r->ret;
}

static void pl031_destroy(struct device *dev)
{
	struct pl031 *pl = container_of(dev, struct pl031, dev);

	GSource *source[] = { pl->source, pl->change };

	for (unsigned int i = 0; i < sizeof(source) / sizeof(source[0]); i++) {
		if (!source[i])
			continue;
		g_source_destroy(source[i]);
		g_source_unref(source[i]);
	}
	if (pl->timer_fd >= 0)
		close(pl->timer_fd);
	pthread_mutex_destroy(&pl->lock);
	free(pl);
}

static const struct device_ops pl031_ops = {
	.name = "pl031",
	.read = pl031_read,
	.write = pl031_write,
	.fdt = pl031_fdt,
	.reset = pl031_reset,
	.save = pl031_save,
	.restore = pl031_restore,
	.state_version = 1,
	.destroy = pl031_destroy,
};

static int pl031_create(struct machine *m, const void *config, struct error *err)
{
	const struct machine_device *place = config;
	struct pl031 *pl = calloc(1, sizeof(*pl));
	int ret;

	if (!pl)
		return error_errno(err, -ENOMEM, "pl031");
	pl->dev = (struct device){
		.ops = &pl031_ops,
		.base = place->base,
		.size = PRIMECELL_SIZE,
	};
	pl->m = m;
	pl->told = -PL031_EVENT_US;
	pl->change = g_source_new(&pl031_tell_funcs, sizeof(struct pl031_source));
	((struct pl031_source *)pl->change)->pl = pl;
	g_source_attach(pl->change, m->context);
	pthread_mutex_init(&pl->lock, NULL);
	pl->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	ret = pl->timer_fd < 0 ? -errno : 0;
	if (!ret)
		ret = machine_irqline_init(m, &pl->irq, place->spi);
	if (!ret)
		ret = device_register(&m->bus, &pl->dev);
	if (ret) {
		pl031_destroy(&pl->dev);
		return error_errno(err, ret, "pl031");
	}
	pl->source = g_unix_fd_source_new(pl->timer_fd, G_IO_IN);
	g_source_set_callback(pl->source, G_SOURCE_FUNC(pl031_fired), pl, NULL);
	g_source_attach(pl->source, m->context);
	return 0;
}

static const struct device_type pl031_type = {
	.name = "pl031",
	.summary = "clock",
	.builtin = true,
	.order = 11,
	.create = pl031_create,
};
DEVICE_TYPE(pl031_type);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * pvpanic, as QEMU has it on PCI: a byte by which the guest's kernel says that it has panicked, or
 * that it is about to start its crash kernel (QEMU's docs/specs/pvpanic). What is done then is for
 * the person to choose.
 *
 * A guest may say so again and again: one second has one event, and the writes cost nothing else.
 */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "core/device_type.h"
#include "core/machine.h"
#include "core/parse.h"
#include "core/record.h"
#include "core/runstate.h"
#include "pci/function.h"
#include "pci/host.h"

#define PANIC_VENDOR	0x1b36
#define PANIC_DEVICE	0x0011
#define PANIC_CLASS	0x088000
#define PANIC_REVISION	1
#define PANIC_SUBVENDOR	0x1af4	/* QEMU's for devices that say nothing else */
#define PANIC_SUBSYSTEM	0x1100
#define PANIC_SIZE	16	/* the least that a BAR can have; one byte is used */

/* What the guest writes; reading tells which of them are known. */
#define PANIC_PANICKED	(1 << 0)
#define PANIC_CRASHLOADED (1 << 1)
#define PANIC_EVENTS	(PANIC_PANICKED | PANIC_CRASHLOADED)

#define PANIC_PERIOD_US	G_USEC_PER_SEC

enum panic_action {
	PANIC_SHUTDOWN,
	PANIC_PAUSE,
	PANIC_NONE,
};

/* As a person says it, and by QEMU's names for what is done (GuestPanicAction). */
static const struct {
	const char *word, *done, *text;
} panic_action[] = {
	[PANIC_SHUTDOWN] = { "shutdown", "poweroff", "it is ended" },
	[PANIC_PAUSE] = { "pause", "pause", "it is stopped" },
	[PANIC_NONE] = { "none", "run", "it runs on" },
};

struct panic {
	struct device dev;
	struct pci_function fn;
	struct machine *m;
	struct machine_listener listener;
	enum panic_action action;
	GSource *source;

	pthread_mutex_t lock;	/* what follows */
	uint8_t pending;	/* events that nobody was told of */
	int64_t next;		/* they are told then, at the earliest (monotonic) */
};

struct panic_source {
	GSource source;
	struct panic *panic;
};

/* ---- Who wants to know; main thread ---- */

static void panic_tell_panicked(struct panic *panic)
{
	struct machine *m = panic->m;

	machine_warn(m, "pvpanic: the guest's kernel has panicked: %s",
		     panic_action[panic->action].text);
	machine_tell(m, &(struct machine_event){
		.type = MACHINE_EVENT_PANICKED, .status = panic_action[panic->action].done });
}

static void panic_stop(struct panic *panic)
{
	machine_hold(panic->m, MACHINE_HOLDER_CONTROL);
	panic->m->panicked = true;
}

static void panic_tell_loaded(struct panic *panic)
{
	machine_warn(panic->m, "pvpanic: the guest's kernel has panicked, and starts its crash kernel");
	machine_tell(panic->m, &(struct machine_event){
		.type = MACHINE_EVENT_CRASHLOADED, .status = panic_action[PANIC_NONE].done });
}

/* Returns whether the guest said that it has panicked. */
static bool panic_tell(struct panic *panic)
{
	uint8_t events;

	pthread_mutex_lock(&panic->lock);
	events = panic->pending;
	panic->pending = 0;
	panic->next = g_get_monotonic_time() + PANIC_PERIOD_US;
	g_source_set_ready_time(panic->source, -1);
	pthread_mutex_unlock(&panic->lock);
	/* As in QEMU, who has panicked has no crash kernel. */
	if (events & PANIC_PANICKED)
		panic_tell_panicked(panic);
	else if (events)
		panic_tell_loaded(panic);
	return events & PANIC_PANICKED;
}

static gboolean panic_dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct panic *panic = ((struct panic_source *)source)->panic;

	if (panic_tell(panic) && panic->action == PANIC_PAUSE)
		panic_stop(panic);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs panic_source_funcs = { .dispatch = panic_dispatch };

/*
 * The guest's run may be over before the main loop came to its last words: then there is nothing
 * left to stop.
 */
static void panic_event(struct machine_listener *listener, const struct machine_event *event)
{
	struct panic *panic = container_of(listener, struct panic, listener);

	if (event->type == MACHINE_EVENT_RESUME || event->type == MACHINE_EVENT_RESET)
		panic->m->panicked = false;
	if (event->type == MACHINE_EVENT_LEAVE)
		panic_tell(panic);
}

/* ---- The guest ---- */

static uint64_t panic_read(struct pci_function *fn, unsigned int bar, uint64_t offset,
			   unsigned int len)
{
	return offset ? 0 : PANIC_EVENTS;
}

/* With the lock held. */
static void panic_arm(struct panic *panic)
{
	g_source_set_ready_time(panic->source, panic->pending ? panic->next : -1);
}

static void panic_write(struct pci_function *fn, unsigned int bar, uint64_t offset,
			unsigned int len, uint64_t value)
{
	struct panic *panic = container_of(fn, struct panic, fn);
	uint8_t events = value & PANIC_EVENTS;

	if (offset || !events)
		return;
	pthread_mutex_lock(&panic->lock);
	if (events & ~panic->pending) {
		panic->pending |= events;
		panic_arm(panic);
	}
	pthread_mutex_unlock(&panic->lock);
	if (events & PANIC_PANICKED && panic->action == PANIC_SHUTDOWN)
		machine_request(panic->m, MACHINE_PANIC, MACHINE_BY_GUEST, NULL);
}

static const struct pci_function_ops panic_function_ops = {
	.read = panic_read,
	.write = panic_write,
};

/* ---- Life ---- */

static void panic_reset(struct device *dev)
{
	struct panic *panic = container_of(dev, struct panic, dev);

	pci_function_reset(&panic->fn);
	pthread_mutex_lock(&panic->lock);
	panic->pending = 0;
	panic_arm(panic);
	pthread_mutex_unlock(&panic->lock);
}

/* It does nothing by itself. */
static void panic_pause(struct device *dev)
{
}

static bool panic_is_idle(struct device *dev)
{
	return true;
}

/* What the guest said just before it was saved is told where it goes on, and done there. */
static void panic_resume(struct device *dev)
{
	struct panic *panic = container_of(dev, struct panic, dev);
	bool end;

	pthread_mutex_lock(&panic->lock);
	panic_arm(panic);
	end = panic->pending & PANIC_PANICKED && panic->action == PANIC_SHUTDOWN;
	pthread_mutex_unlock(&panic->lock);
	if (end)
		machine_request(panic->m, MACHINE_PANIC, MACHINE_BY_GUEST, NULL);
}

static const struct record_field panic_state[] = {
	RECORD_FIELD(struct panic, pending, PANIC_EVENTS),
};

static void panic_save(struct device *dev, struct record *r)
{
	struct panic *panic = container_of(dev, struct panic, dev);

	pci_function_save(&panic->fn, r);
	pthread_mutex_lock(&panic->lock);
	record_put_fields(r, panic, panic_state, RECORD_NR(panic_state));
	pthread_mutex_unlock(&panic->lock);
}

static int panic_restore(struct device *dev, struct record *r)
{
	struct panic *panic = container_of(dev, struct panic, dev);

	pci_function_restore(&panic->fn, r);
	pthread_mutex_lock(&panic->lock);
	record_get_fields(r, panic, panic_state, RECORD_NR(panic_state));
	if (r->ret)
		panic->pending = 0;
	pthread_mutex_unlock(&panic->lock);
	return r->ret;
}

static void panic_destroy(struct device *dev)
{
	struct panic *panic = container_of(dev, struct panic, dev);

	machine_unlisten(panic->m, &panic->listener);
	g_source_destroy(panic->source);
	g_source_unref(panic->source);
	pci_function_exit(&panic->fn);
	pthread_mutex_destroy(&panic->lock);
	free(panic);
}

static const struct device_ops panic_ops = {
	.name = "pvpanic",
	.reset = panic_reset,
	.pause = panic_pause,
	.is_idle = panic_is_idle,
	.resume = panic_resume,
	.save = panic_save,
	.restore = panic_restore,
	.state_version = 1,
	.destroy = panic_destroy,
};

static void panic_init(struct panic *panic, struct machine *m)
{
	static const struct pci_id id = {
		.vendor = PANIC_VENDOR, .device = PANIC_DEVICE, .class = PANIC_CLASS,
		.revision = PANIC_REVISION, .subsystem_vendor = PANIC_SUBVENDOR,
		.subsystem = PANIC_SUBSYSTEM,
	};

	panic->m = m;
	panic->listener.event = panic_event;
	machine_listen(m, &panic->listener);
	panic->source = g_source_new(&panic_source_funcs, sizeof(struct panic_source));
	((struct panic_source *)panic->source)->panic = panic;
	g_source_attach(panic->source, m->context);
	pthread_mutex_init(&panic->lock, NULL);
	pci_function_init(&panic->fn, &panic_function_ops, &id);
	pci_function_bar(&panic->fn, 0, PANIC_SIZE);
	panic->dev.ops = &panic_ops;
}

static int panic_create(struct machine *m, const void *config, struct error *err)
{
	struct panic *panic;
	int ret = pci_host_need(m, err);

	if (ret)
		return ret;
	panic = calloc(1, sizeof(*panic));
	if (!panic)
		return error_errno(err, -ENOMEM, "pvpanic");
	panic->action = config ? *(const enum panic_action *)config : PANIC_SHUTDOWN;
	panic_init(panic, m);
	ret = pci_host_attach(m->pci, &panic->fn);
	if (!ret) {
		panic->dev.base = pci_host_ecam(&panic->fn);
		ret = device_register(&m->bus, &panic->dev);
	}
	if (ret) {
		panic_destroy(&panic->dev);
		return error_errno(err, ret, "pvpanic");
	}
	return 0;
}

static int panic_parse(const char *label, const char *args, void **out, struct error *err)
{
	enum panic_action *config = *out = calloc(1, sizeof(*config));
	const char *name;

	if (!config)
		return error_errno(err, -ENOMEM, "%s", label);
	if (!args)
		return 0;
	name = parse_value(args, "action");
	if (!name)
		return error_set(err, -EINVAL, "%s: the only word is action=", label);
	for (unsigned int i = 0; i < sizeof(panic_action) / sizeof(panic_action[0]); i++) {
		*config = i;
		if (!strcmp(name, panic_action[i].word))
			return 0;
	}
	return error_set(err, -EINVAL, "%s: action must be shutdown, pause or none", label);
}

static const struct device_word panic_words[] = {
	{ "action=ACTION", "what is done to it: shutdown (default), pause or none" },
	{ NULL, NULL },
};

static const struct device_type panic_type = {
	.name = "pvpanic",
	.summary = "by which the guest's kernel says that it has panicked",
	.words = panic_words,
	.max = 1,
	.order = 71,
	.parse = panic_parse,
	.release = free,
	.create = panic_create,
};
DEVICE_TYPE(panic_type);

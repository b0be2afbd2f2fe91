// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intel's 6300ESB watchdog timer, as QEMU has it: a PCI device with 16 bytes of registers. Once the
 * guest has enabled it, the guest has to reload it again and again. Two timers run down one after
 * the other; when the second has, the guest is lost, and what the person has chosen is done.
 *
 * It counts the guest's time: while the guest stands still, so does the watchdog. The interrupt
 * after the first timer is not there, as it is not in QEMU.
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

#define ESB_VENDOR	0x8086
#define ESB_DEVICE	0x25ab
#define ESB_CLASS	0x088000
#define ESB_SIZE	16

/* Configuration space (the data sheet of 6300ESB, 14.2). */
#define ESB_CONFIG	0x60
#define ESB_CONFIG_MHZ	(1 << 2)	/* units of 2^5 clocks, and not of 2^15 */
#define ESB_CONFIG_NO_OUTPUT (1 << 5)	/* nothing happens at the end */
#define ESB_CONFIG_BITS	0x27
#define ESB_LOCK	0x68
#define ESB_LOCK_LOCKED	(1 << 0)	/* the register does not change until the next reset */
#define ESB_LOCK_ENABLE	(1 << 1)
#define ESB_LOCK_FREE	(1 << 2)	/* it begins anew if nothing happens at the end */
#define ESB_LOCK_BITS	0x07

/* Registers (14.3). A write counts only after the two keys were written to RELOAD. */
#define ESB_TIMER1	0x00
#define ESB_TIMER2	0x04
#define ESB_RELOAD	0x0c
#define ESB_RELOAD_NOW	(1 << 8)
#define ESB_RELOAD_TIMEOUT (1 << 9)	/* it was the watchdog that restarted the guest */
#define ESB_RELOAD_LINUX (1 << 12)	/* where Linux looks for that */
#define ESB_KEY1	0x80
#define ESB_KEY2	0x86
#define ESB_PRELOAD	0xfffff

#define ESB_CLOCK_MHZ	33
#define ESB_LEAST_US	1000	/* more often than that it wakes nobody */

enum esb_action {
	ESB_RESET,
	ESB_SHUTDOWN,
	ESB_POWEROFF,
	ESB_PAUSE,
	ESB_DEBUG,
	ESB_NONE,
};

static const char *const esb_action[] = {
	[ESB_RESET] = "reset", [ESB_SHUTDOWN] = "shutdown", [ESB_POWEROFF] = "poweroff",
	[ESB_PAUSE] = "pause", [ESB_DEBUG] = "debug", [ESB_NONE] = "none",
};

struct esb {
	struct device dev;
	struct pci_function fn;
	struct machine *m;
	struct machine_listener listener;
	enum esb_action action;
	GSource *timer;

	pthread_mutex_t lock;	/* what follows */
	uint8_t config, locked;	/* the registers, as they count */
	uint32_t preload[2];
	uint8_t keys;		/* how many were written */
	uint8_t stage;		/* which timer runs, 1 or 2; 0: none */
	bool fired;		/* ESB_RELOAD_TIMEOUT */
	bool stopped;		/* the guest stands still */
	int64_t end;		/* of the stage, monotonic, microseconds */
	uint64_t left;		/* of the stage, while it is stopped */
};

struct esb_timer {
	GSource source;
	struct esb *esb;
};

/* ---- Time, with the lock held ---- */

static void esb_arm(struct esb *esb)
{
	g_source_set_ready_time(esb->timer, esb->stage && !esb->stopped ? esb->end : -1);
}

static void esb_set_stage(struct esb *esb, unsigned int stage)
{
	unsigned int shift = esb->config & ESB_CONFIG_MHZ ? 5 : 15;
	uint64_t us = stage ? ((uint64_t)esb->preload[stage - 1] << shift) / ESB_CLOCK_MHZ : 0;

	if (us < ESB_LEAST_US)
		us = ESB_LEAST_US;
	esb->stage = stage;
	esb->left = us;
	esb->end = g_get_monotonic_time() + us;
	esb_arm(esb);
}

static void esb_stop(struct esb *esb)
{
	int64_t left = esb->end - g_get_monotonic_time();

	if (esb->stopped)
		return;
	esb->stopped = true;
	esb->left = left > 0 ? left : 0;
	esb_arm(esb);
}

static void esb_go(struct esb *esb)
{
	if (!esb->stopped)
		return;
	esb->stopped = false;
	esb->end = g_get_monotonic_time() + esb->left;
	esb_arm(esb);
}

static void esb_power_on(struct esb *esb)
{
	esb->config = esb->locked = 0;
	esb->preload[0] = esb->preload[1] = ESB_PRELOAD;
	esb->keys = 0;
	esb_set_stage(esb, 0);
}

/* ---- What it does ---- */

static void esb_act(struct esb *esb)
{
	struct machine *m = esb->m;

	switch (esb->action) {
	case ESB_RESET:
		machine_request(m, MACHINE_RESET, MACHINE_BY_GUEST, NULL);
		break;
	case ESB_SHUTDOWN:
		machine_press_power(m);
		break;
	case ESB_POWEROFF:
		machine_request(m, MACHINE_POWEROFF, MACHINE_BY_GUEST, NULL);
		break;
	case ESB_PAUSE:
		machine_hold(m, MACHINE_HOLDER_CONTROL);
		break;
	case ESB_DEBUG:
	case ESB_NONE:
		break;
	}
	if (esb->action != ESB_NONE)
		machine_warn(m, "i6300esb: the guest's watchdog has expired: %s",
			     esb_action[esb->action]);
}

static gboolean esb_expired(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct esb *esb = ((struct esb_timer *)source)->esb;
	bool act = false;

	(void)callback;
	(void)opaque;
	pthread_mutex_lock(&esb->lock);
	/* It may have been reloaded, or stopped, since. */
	if (!esb->stage || esb->stopped || g_get_monotonic_time() < esb->end) {
		esb_arm(esb);
	} else if (esb->stage == 1) {
		esb_set_stage(esb, 2);
	} else {
		act = !(esb->config & ESB_CONFIG_NO_OUTPUT);
		esb->fired |= act;
		esb_set_stage(esb, !act && esb->locked & ESB_LOCK_FREE ? 1 : 0);
	}
	pthread_mutex_unlock(&esb->lock);
	if (act)
		esb_act(esb);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs esb_timer_funcs = { .dispatch = esb_expired };

static void esb_event(struct machine_listener *listener, const struct machine_event *event)
{
	struct esb *esb = container_of(listener, struct esb, listener);

	pthread_mutex_lock(&esb->lock);
	if (event->type == MACHINE_EVENT_STOP)
		esb_stop(esb);
	else if (event->type == MACHINE_EVENT_RESUME)
		esb_go(esb);
	pthread_mutex_unlock(&esb->lock);
}

/* ---- The guest ---- */

static uint64_t esb_read(struct pci_function *fn, unsigned int bar, uint64_t offset,
			 unsigned int len)
{
	struct esb *esb = container_of(fn, struct esb, fn);
	bool fired;

	if (offset != ESB_RELOAD || len != 2)
		return 0;
	pthread_mutex_lock(&esb->lock);
	fired = esb->fired;
	pthread_mutex_unlock(&esb->lock);
	return fired ? ESB_RELOAD_TIMEOUT | ESB_RELOAD_LINUX : 0;
}

/* With the lock held, and both keys written before. */
static void esb_write_unlocked(struct esb *esb, uint64_t offset, unsigned int len, uint64_t value)
{
	if (offset == ESB_TIMER1 && len == 4)
		esb->preload[0] = value & ESB_PRELOAD;
	if (offset == ESB_TIMER2 && len == 4)
		esb->preload[1] = value & ESB_PRELOAD;
	if (offset != ESB_RELOAD)
		return;
	if (value & ESB_RELOAD_NOW && esb->locked & ESB_LOCK_ENABLE)
		esb_set_stage(esb, 1);
	/* Linux takes the one for the other. */
	if (value & (ESB_RELOAD_NOW | ESB_RELOAD_TIMEOUT))
		esb->fired = false;
}

static void esb_write(struct pci_function *fn, unsigned int bar, uint64_t offset,
		      unsigned int len, uint64_t value)
{
	struct esb *esb = container_of(fn, struct esb, fn);
	bool reload = offset == ESB_RELOAD && (len == 2 || len == 4);

	if (len != 2 && len != 4)
		return;
	value &= len == 2 ? 0xffff : 0xffffffff;
	pthread_mutex_lock(&esb->lock);
	if (reload && value == ESB_KEY1) {
		esb->keys = 1;
	} else if (reload && value == ESB_KEY2 && esb->keys == 1) {
		esb->keys = 2;
	} else {
		if (esb->keys == 2)
			esb_write_unlocked(esb, offset, len, value);
		esb->keys = 0;
	}
	pthread_mutex_unlock(&esb->lock);
}

/* A register that is locked keeps what it had, whatever was written. */
static void esb_config_written(struct pci_function *fn, unsigned int offset, unsigned int len)
{
	struct esb *esb = container_of(fn, struct esb, fn);
	uint8_t was;

	pthread_mutex_lock(&esb->lock);
	pthread_mutex_lock(&fn->lock);
	was = esb->locked;
	if (was & ESB_LOCK_LOCKED)
		fn->config[ESB_LOCK] = was;
	esb->config = fn->config[ESB_CONFIG];
	esb->locked = fn->config[ESB_LOCK];
	pthread_mutex_unlock(&fn->lock);
	if (!(esb->locked & ESB_LOCK_ENABLE))
		esb_set_stage(esb, 0);
	else if (!(was & ESB_LOCK_ENABLE))
		esb_set_stage(esb, 1);
	pthread_mutex_unlock(&esb->lock);
}

static const struct pci_function_ops esb_function_ops = {
	.read = esb_read,
	.write = esb_write,
	.config_written = esb_config_written,
};

/* ---- Life ---- */

/* That it was the watchdog which restarted the guest stays known. */
static void esb_reset(struct device *dev)
{
	struct esb *esb = container_of(dev, struct esb, dev);

	pci_function_reset(&esb->fn);
	pthread_mutex_lock(&esb->lock);
	esb_power_on(esb);
	pthread_mutex_unlock(&esb->lock);
}

static void esb_pause(struct device *dev)
{
	struct esb *esb = container_of(dev, struct esb, dev);

	pthread_mutex_lock(&esb->lock);
	esb_stop(esb);
	pthread_mutex_unlock(&esb->lock);
}

/* If somebody holds the guest, it is told when the guest goes on. */
static void esb_resume(struct device *dev)
{
	struct esb *esb = container_of(dev, struct esb, dev);

	pthread_mutex_lock(&esb->lock);
	if (!machine_is_held(esb->m))
		esb_go(esb);
	pthread_mutex_unlock(&esb->lock);
}

static bool esb_is_idle(struct device *dev)
{
	return true;
}

static const struct record_field esb_state[] = {
	RECORD_FIELD(struct esb, config, UINT8_MAX),
	RECORD_FIELD(struct esb, locked, ESB_LOCK_BITS),
	RECORD_ARRAY(struct esb, preload, ESB_PRELOAD),
	RECORD_FIELD(struct esb, keys, 2),
	RECORD_FIELD(struct esb, stage, 2),
	RECORD_FIELD(struct esb, fired, 1),
	RECORD_FIELD(struct esb, left, ((uint64_t)ESB_PRELOAD << 15) / ESB_CLOCK_MHZ),
};

static void esb_save(struct device *dev, struct record *r)
{
	struct esb *esb = container_of(dev, struct esb, dev);

	pci_function_save(&esb->fn, r);
	pthread_mutex_lock(&esb->lock);
	record_put_fields(r, esb, esb_state, RECORD_NR(esb_state));
	pthread_mutex_unlock(&esb->lock);
}

static int esb_restore(struct device *dev, struct record *r)
{
	struct esb *esb = container_of(dev, struct esb, dev);

	pci_function_restore(&esb->fn, r);
	pthread_mutex_lock(&esb->lock);
	esb->stopped = true;
	record_get_fields(r, esb, esb_state, RECORD_NR(esb_state));
	if (esb->config != esb->fn.config[ESB_CONFIG] || esb->locked != esb->fn.config[ESB_LOCK])
		record_refuse(r, "registers that are not what configuration space says");
	else if (esb->stage && !(esb->locked & ESB_LOCK_ENABLE))
		record_refuse(r, "a timer runs that is not enabled");
	esb_arm(esb);
	pthread_mutex_unlock(&esb->lock);
	return r->ret;
}

static void esb_destroy(struct device *dev)
{
	struct esb *esb = container_of(dev, struct esb, dev);

	machine_unlisten(esb->m, &esb->listener);
	g_source_destroy(esb->timer);
	g_source_unref(esb->timer);
	pci_function_exit(&esb->fn);
	pthread_mutex_destroy(&esb->lock);
	free(esb);
}

static const struct device_ops esb_ops = {
	.name = "i6300esb",
	.reset = esb_reset,
	.pause = esb_pause,
	.is_idle = esb_is_idle,
	.resume = esb_resume,
	.save = esb_save,
	.restore = esb_restore,
	.state_version = 1,
	.destroy = esb_destroy,
};

static int esb_create(struct machine *m, const void *config, struct error *err)
{
	static const struct pci_id id = {
		.vendor = ESB_VENDOR, .device = ESB_DEVICE, .class = ESB_CLASS,
	};
	struct esb *esb;
	int ret = pci_host_need(m, err);

	if (ret)
		return ret;
	esb = calloc(1, sizeof(*esb));
	if (!esb)
		return error_errno(err, -ENOMEM, "i6300esb");
	esb->m = m;
	esb->action = config ? *(const enum esb_action *)config : ESB_RESET;
	esb->listener.event = esb_event;
	machine_listen(m, &esb->listener);
	esb->timer = g_source_new(&esb_timer_funcs, sizeof(struct esb_timer));
	((struct esb_timer *)esb->timer)->esb = esb;
	g_source_attach(esb->timer, m->context);
	pthread_mutex_init(&esb->lock, NULL);
	pci_function_init(&esb->fn, &esb_function_ops, &id);
	pci_function_bar(&esb->fn, 0, ESB_SIZE);
	pci_function_fill(&esb->fn, ESB_CONFIG, 2, 0, ESB_CONFIG_BITS);
	pci_function_fill(&esb->fn, ESB_LOCK, 1, 0, ESB_LOCK_BITS);
	esb_power_on(esb);
	ret = pci_host_attach(m->pci, &esb->fn);
	esb->dev.ops = &esb_ops;
	if (!ret) {
		esb->dev.base = pci_host_ecam(&esb->fn);
		ret = device_register(&m->bus, &esb->dev);
	}
	if (ret) {
		esb_destroy(&esb->dev);
		return error_errno(err, ret, "i6300esb");
	}
	return 0;
}

/* --watchdog names the model, of which there is one; --device i6300esb has named it already. */
static int esb_parse(const char *label, const char *args, void **out, struct error *err)
{
	static const char model[] = "i6300esb";
	enum esb_action *config = *out = calloc(1, sizeof(*config));
	const char *name;

	if (!config)
		return error_errno(err, -ENOMEM, "%s", label);
	if (args && !strncmp(args, model, strlen(model)) && strchr(",", args[strlen(model)]))
		args += strlen(model) + (args[strlen(model)] == ',');
	if (!args || !*args)
		return 0;
	name = parse_value(args, "action");
	if (!name)
		return error_set(err, -EINVAL, "%s: must be i6300esb[,action=ACTION]", label);
	for (unsigned int i = 0; i < sizeof(esb_action) / sizeof(esb_action[0]); i++) {
		*config = i;
		if (!strcmp(name, esb_action[i]))
			return 0;
	}
	return error_set(err, -EINVAL,
			 "%s: action must be reset, shutdown, poweroff, pause, debug or none", label);
}

static const struct device_word esb_words[] = {
	{ "action=ACTION", "reset (default), shutdown, poweroff, pause, debug or none" },
	{ NULL, NULL },
};

static const struct device_type esb_type = {
	.name = "i6300esb",
	.summary = "watchdog",
	.option = "watchdog",
	.args = "i6300esb",
	.words = esb_words,
	.max = 1,
	.order = 70,
	.parse = esb_parse,
	.release = free,
	.create = esb_create,
};
DEVICE_TYPE(esb_type);

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/pci/i6300esb.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/pci/host.c userspace/armvmm-run/pci/function.c
// sources: userspace/armvmm-run/pci/msix.c userspace/armvmm-run/pci/v2m.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// files: tests/unit/armvmm-run/machine_fake.h tests/unit/armvmm-run/device_make.h
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// The watchdog, used as its driver in Linux uses it, and otherwise.
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include <linux/pci_regs.h>

#include "bus.h"
#include "../guest/lib/board.h"
#include "core/runstate.h"
#include "ktap.h"
#include "armvmm-run/device_make.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/pci_board.h"
#include "armvmm-run/state_move.h"

#define CONFIG	(PCI_ECAM_BASE + (1 << 15))
#define REGS	PCI_MMIO_BASE
#define LOCK	(CONFIG + 0x68)
#define RELOAD	(REGS + 0x0c)
#define ENABLE	2
#define MHZ	0x0004	/* units of about a microsecond */
#define TICKS	3000	/* 2909 us */
#define STAGE_US (TICKS * 32 / 33)

static struct machine m;
static struct error err;
static struct device *dev;
static struct machine_listener *listener;
static bool held;
static struct {
	enum machine_request request;
	unsigned int nr, holds, presses, warnings;
} did;

void machine_request(struct machine *machine, enum machine_request request,
		     enum machine_cause cause, const char *why)
{
	did.request = request;
	did.nr++;
}

void machine_hold(struct machine *machine, enum machine_holder holder)
{
	KTAP_EQ(holder, MACHINE_HOLDER_CONTROL);
	did.holds++;
}

void machine_press_power(struct machine *machine)
{
	did.presses++;
}

void machine_warn(struct machine *machine, const char *fmt, ...)
{
	did.warnings++;
}

bool machine_is_held(const struct machine *machine)
{
	return held;
}

void machine_listen(struct machine *machine, struct machine_listener *l)
{
	listener = l;
}

void machine_unlisten(struct machine *machine, struct machine_listener *l)
{
	KTAP_TRUE(listener == l);
	listener = NULL;
}

static void tell(enum machine_event_type type)
{
	held = type == MACHINE_EVENT_STOP;
	listener->event(listener, &(struct machine_event){ .type = type });
}

#define get(gpa, len) bus_get(&m.bus, gpa, len)
#define put(gpa, len, value) bus_put(&m.bus, gpa, len, value)

static void unlock(void)
{
	put(RELOAD, 2, 0x80);
	put(RELOAD, 2, 0x86);
}

static void ping(void)
{
	unlock();
	put(RELOAD, 2, 0x100);
}

/* Runs the main loop for @us. */
static void spend(gint64 us)
{
	gint64 end = g_get_monotonic_time() + us;

	do {
		while (g_main_context_iteration(NULL, FALSE))
			;
		g_usleep(200);
	} while (g_get_monotonic_time() < end);
}

/* Runs the main loop until it has done something, 5 s at most. */
static bool acts(void)
{
	gint64 end = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;

	while (!did.warnings && !did.nr && g_get_monotonic_time() < end)
		spend(500);
	return did.warnings || did.nr;
}

static void setup(const char *args)
{
	fake_machine_init(&m);
	memset(&did, 0, sizeof(did));
	held = false;
	KTAP_EQ(device_make(&m, "i6300esb", args, &err), 0);
	dev = m.bus.dev[2];
	KTAP_STREQ(dev->ops->name, "i6300esb");
	put(CONFIG + PCI_BASE_ADDRESS_0, 4, REGS);
	put(CONFIG + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

static void end(void)
{
	device_bus_destroy(&m.bus);
	KTAP_TRUE(!listener);
}

/* As Linux starts it, but for the units. */
static void start(uint16_t config, uint32_t ticks)
{
	put(CONFIG + 0x60, 2, config | 3);
	unlock();
	put(REGS, 4, ticks);
	unlock();
	put(REGS + 4, 4, ticks);
	ping();
	put(LOCK, 1, ENABLE);
}

static void test_identity(void)
{
	setup(NULL);
	KTAP_EQ(get(CONFIG, 4), 0x25ab8086);
	KTAP_EQ(get(CONFIG + PCI_CLASS_DEVICE, 2), 0x0880);
	put(CONFIG + PCI_BASE_ADDRESS_0, 4, UINT32_MAX);
	KTAP_EQ(get(CONFIG + PCI_BASE_ADDRESS_0, 4), 0xfffffff0);
	KTAP_EQ(get(CONFIG + 0x60, 2), 0);
	KTAP_EQ(get(LOCK, 1), 0);
	end();
}

static void test_expires(void)
{
	static const struct {
		const char *args;
		enum machine_request request;
		unsigned int holds, presses, warnings;
	} cases[] = {
		{ NULL, MACHINE_RESET, 0, 0, 1 },
		{ "i6300esb", MACHINE_RESET, 0, 0, 1 },
		{ "action=reset", MACHINE_RESET, 0, 0, 1 },
		{ "i6300esb,action=poweroff", MACHINE_POWEROFF, 0, 0, 1 },
		{ "action=shutdown", MACHINE_NONE, 0, 1, 1 },
		{ "action=pause", MACHINE_NONE, 1, 0, 1 },
		{ "action=debug", MACHINE_NONE, 0, 0, 1 },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		gint64 begin = g_get_monotonic_time();

		setup(cases[i].args);
		KTAP_EQ(get(RELOAD, 2), 0);
		start(MHZ, TICKS);
		KTAP_TRUE(acts());
		/* After both stages, and once. */
		KTAP_TRUE(g_get_monotonic_time() - begin >= 2 * STAGE_US);
		spend(3 * STAGE_US);
		KTAP_EQ(did.request, cases[i].request);
		KTAP_EQ(did.nr, cases[i].request != MACHINE_NONE);
		KTAP_EQ(did.holds, cases[i].holds);
		KTAP_EQ(did.presses, cases[i].presses);
		KTAP_EQ(did.warnings, cases[i].warnings);
		/* The guest that starts again can tell why. */
		dev->ops->reset(dev);
		KTAP_EQ(get(LOCK, 1), 0);
		put(CONFIG + PCI_BASE_ADDRESS_0, 4, REGS);
		put(CONFIG + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
		KTAP_EQ(get(RELOAD, 2), 0x1200);
		unlock();
		put(RELOAD, 2, 0x200);
		KTAP_EQ(get(RELOAD, 2), 0);
		end();
	}
	setup("action=none");
	start(MHZ, TICKS);
	spend(4 * STAGE_US);
	KTAP_TRUE(!did.nr && !did.warnings);
	KTAP_EQ(get(RELOAD, 2), 0x1200);
	end();
}

static void test_reloaded(void)
{
	setup(NULL);
	/* A second for both: a slow machine comes in time. */
	start(MHZ, 0x7ffff);
	for (unsigned int i = 0; i < 10; i++) {
		spend(150000);
		ping();
	}
	KTAP_TRUE(!did.nr);
	/* It is turned off, and on again. */
	put(LOCK, 1, 0);
	spend(1200000);
	KTAP_TRUE(!did.nr);
	put(LOCK, 1, ENABLE);
	KTAP_TRUE(acts());
	end();
}

/* What does not reload it: no keys, the wrong ones, or other accesses. */
static void test_keys(void)
{
	setup(NULL);
	put(CONFIG + 0x60, 2, MHZ);
	put(REGS, 4, TICKS);
	put(REGS + 4, 4, TICKS);
	put(RELOAD, 2, 0x86);
	put(RELOAD, 2, 0x80);
	put(REGS, 4, TICKS);
	put(LOCK, 1, ENABLE);
	/* The preloads are still the longest ones, a second each. */
	spend(20 * STAGE_US);
	KTAP_TRUE(!did.nr);
	put(LOCK, 1, 0);
	start(MHZ, TICKS);
	put(RELOAD, 2, 0x80);
	put(RELOAD, 1, 0x86);
	put(RELOAD, 2, 0x100);
	KTAP_TRUE(acts());
	end();
}

static void test_locked(void)
{
	setup(NULL);
	start(MHZ, TICKS);
	put(LOCK, 1, ENABLE | 1);
	put(LOCK, 1, 0);
	KTAP_EQ(get(LOCK, 1), ENABLE | 1);
	put(LOCK - 4, 8, 0);
	KTAP_EQ(get(LOCK, 1), ENABLE | 1);
	KTAP_TRUE(acts());
	dev->ops->reset(dev);
	KTAP_EQ(get(LOCK, 1), 0);
	end();
}

static void test_no_output(void)
{
	setup(NULL);
	start(MHZ | 0x20, TICKS);
	spend(4 * STAGE_US);
	KTAP_TRUE(!did.nr);
	end();
	/* One that begins anew goes on until there is an output, and is like any other then. */
	setup(NULL);
	start(MHZ | 0x20, TICKS);
	put(LOCK, 1, ENABLE | 4);
	spend(5 * STAGE_US);
	KTAP_TRUE(!did.nr);
	put(CONFIG + 0x60, 2, MHZ);
	KTAP_TRUE(acts());
	spend(3 * STAGE_US);
	KTAP_EQ(did.nr, 1);
	end();
}

/* While the guest stands still, so does its watchdog. */
static void test_stopped(void)
{
	setup(NULL);
	start(MHZ, TICKS);
	tell(MACHINE_EVENT_STOP);
	spend(6 * STAGE_US);
	KTAP_TRUE(!did.nr);
	/* A snapshot comes and goes. */
	dev->ops->pause(dev);
	dev->ops->resume(dev);
	spend(6 * STAGE_US);
	KTAP_TRUE(!did.nr);
	tell(MACHINE_EVENT_RESUME);
	KTAP_TRUE(acts());
	end();
}

static void test_state(void)
{
	struct record saved;

	setup(NULL);
	start(MHZ, TICKS);
	state_save(dev, &saved);
	end();
	setup(NULL);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	spend(6 * STAGE_US);
	KTAP_TRUE(!did.nr);
	KTAP_EQ(get(LOCK, 1), ENABLE);
	dev->ops->resume(dev);
	KTAP_TRUE(acts());
	state_torture(dev, &saved);
	record_free(&saved);
	end();
}

/* Of two records the beginning of one and the end of the other: it may not run if it is off. */
static void test_state_contradicts(void)
{
	struct record on, off, mixed;
	unsigned int refused = 0;

	setup(NULL);
	state_save(dev, &off);
	dev->ops->resume(dev);
	start(MHZ, TICKS);
	state_save(dev, &on);
	end();
	KTAP_EQ(on.len, off.len);
	mixed = (struct record){ .data = malloc(on.len), .len = on.len };
	for (size_t at = 1; at < on.len; at++) {
		memcpy(mixed.data, off.data, at);
		memcpy(mixed.data + at, on.data + at, on.len - at);
		if (off.data[at - 1] == on.data[at - 1])
			continue;
		setup(NULL);
		if (state_restore(dev, &mixed, mixed.len, NULL)) {
			refused++;
		} else {
			bool enabled = get(LOCK, 1) == ENABLE;

			dev->ops->resume(dev);
			KTAP_EQ(acts(), enabled);
		}
		end();
	}
	KTAP_TRUE(refused > 0);
	record_free(&on);
	record_free(&off);
	record_free(&mixed);
}

static void test_words(void)
{
	fake_machine_init(&m);
	KTAP_EQ(device_make(&m, "i6300esb", "ib700", &err), (unsigned long long)-EINVAL);
	KTAP_STREQ(err.text, "--watchdog ib700: must be i6300esb[,action=ACTION]");
	KTAP_EQ(device_make(&m, "i6300esb", "i6300esb,action=x", &err), (unsigned long long)-EINVAL);
	KTAP_STREQ(err.text, "--watchdog i6300esb,action=x: action must be reset, shutdown, poweroff, pause, debug or none");
	KTAP_EQ(m.bus.nr, 0);
}

static void test_hostile(void)
{
	setup("action=none");
	for (unsigned int i = 0; i < 50; i++) {
		fake_fuzz(&m, REGS, 200);
		fake_fuzz(&m, CONFIG, 200);
		put(CONFIG + PCI_BASE_ADDRESS_0, 4, REGS);
		put(CONFIG + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
		spend(0);
	}
	KTAP_EQ(get(CONFIG, 4), 0x25ab8086);
	end();
}

KTAP_MAIN(KTAP_CASE(test_identity), KTAP_CASE(test_expires), KTAP_CASE(test_reloaded),
	  KTAP_CASE(test_keys), KTAP_CASE(test_locked), KTAP_CASE(test_no_output),
	  KTAP_CASE(test_stopped), KTAP_CASE(test_state), KTAP_CASE(test_state_contradicts),
	  KTAP_CASE(test_words), KTAP_CASE(test_hostile))

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/pci/pvpanic.c userspace/armvmm-run/core/parse.c
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
// pvpanic, as its driver in Linux uses it, and otherwise.
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
#define PANICKED 1
#define LOADED	2

static struct machine m;
static struct error err;
static struct device *dev;
static struct machine_listener *listener;
static struct {
	enum machine_request request;
	unsigned int requests, holds, warnings, panicked, loaded;
	const char *action;
} did;

void machine_request(struct machine *machine, enum machine_request request,
		     enum machine_cause cause, const char *why)
{
	KTAP_EQ(cause, MACHINE_BY_GUEST);
	did.request = request;
	did.requests++;
}

void machine_hold(struct machine *machine, enum machine_holder holder)
{
	KTAP_EQ(holder, MACHINE_HOLDER_CONTROL);
	did.holds++;
}

void machine_warn(struct machine *machine, const char *fmt, ...)
{
	did.warnings++;
}

void machine_tell(struct machine *machine, const struct machine_event *event)
{
	did.panicked += event->type == MACHINE_EVENT_PANICKED;
	did.loaded += event->type == MACHINE_EVENT_CRASHLOADED;
	did.action = event->status;
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
	listener->event(listener, &(struct machine_event){ .type = type });
}

#define get(gpa, len) bus_get(&m.bus, gpa, len)
#define put(gpa, len, value) bus_put(&m.bus, gpa, len, value)

static void loop(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void probe(void)
{
	put(CONFIG + PCI_BASE_ADDRESS_0, 4, REGS);
	put(CONFIG + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

static void setup(const char *args)
{
	fake_machine_init(&m);
	memset(&did, 0, sizeof(did));
	KTAP_EQ(device_make(&m, "pvpanic", args, &err), 0);
	dev = m.bus.dev[2];
	KTAP_STREQ(dev->ops->name, "pvpanic");
	probe();
}

static void end(void)
{
	device_bus_destroy(&m.bus);
	KTAP_TRUE(!listener);
}

static void test_identity(void)
{
	setup(NULL);
	KTAP_EQ(get(CONFIG, 4), 0x00111b36);
	KTAP_EQ(get(CONFIG + PCI_CLASS_REVISION, 4), 0x08800001);
	KTAP_EQ(get(CONFIG + PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
	put(CONFIG + PCI_BASE_ADDRESS_0, 4, UINT32_MAX);
	KTAP_EQ(get(CONFIG + PCI_BASE_ADDRESS_0, 4), 0xfffffff0);
	probe();
	KTAP_EQ(get(REGS, 1), PANICKED | LOADED);
	KTAP_EQ(get(REGS + 1, 1), 0);
	end();
}

/* What is done, by the action: the request comes at once, all else from the main loop. */
static void test_actions(void)
{
	static const struct {
		const char *args, *action;
		enum machine_request request;
		unsigned int holds;
	} cases[] = {
		{ NULL, "poweroff", MACHINE_PANIC, 0 },
		{ "action=shutdown", "poweroff", MACHINE_PANIC, 0 },
		{ "action=pause", "pause", MACHINE_NONE, 1 },
		{ "action=none", "run", MACHINE_NONE, 0 },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup(cases[i].args);
		put(REGS, 1, PANICKED);
		KTAP_EQ(did.request, cases[i].request);
		KTAP_EQ(did.panicked + did.holds, 0);
		loop();
		KTAP_EQ(did.panicked, 1);
		KTAP_EQ(did.warnings, 1);
		KTAP_STREQ(did.action, cases[i].action);
		KTAP_EQ(did.holds, cases[i].holds);
		KTAP_EQ(m.panicked, cases[i].holds);
		tell(MACHINE_EVENT_RESUME);
		KTAP_TRUE(!m.panicked);
		end();
	}
	setup("action=pause");
	put(REGS, 1, LOADED);
	loop();
	KTAP_TRUE(did.loaded == 1 && !did.panicked && !did.holds && !m.panicked);
	KTAP_STREQ(did.action, "run");
	end();
	fake_machine_init(&m);
	KTAP_EQ(device_make(&m, "pvpanic", "action=reset", &err), -EINVAL);
	KTAP_TRUE(strstr(err.text, "action must be shutdown, pause or none"));
	KTAP_EQ(device_make(&m, "pvpanic", "5", &err), -EINVAL);
	KTAP_TRUE(strstr(err.text, "the only word is action="));
}

/* The guest's end comes before the main loop has told why: it is told then, and stops nobody. */
static void test_last_words(void)
{
	setup("action=pause");
	put(REGS, 1, PANICKED);
	tell(MACHINE_EVENT_LEAVE);
	KTAP_TRUE(did.panicked == 1 && !did.holds);
	loop();
	KTAP_EQ(did.panicked, 1);
	/* What was said before a reset is not said after it. */
	put(REGS, 1, PANICKED);
	dev->ops->reset(dev);
	tell(MACHINE_EVENT_LEAVE);
	KTAP_EQ(did.panicked, 1);
	end();
}

/* A guest that says it again and again is heard once a second. */
static void test_flood(void)
{
	gint64 begin = g_get_monotonic_time();
	unsigned int most;

	setup("action=none");
	do {
		for (unsigned int i = 0; i < 100; i++)
			put(REGS, 1, i & 1 ? PANICKED : LOADED);
		loop();
	} while (g_get_monotonic_time() - begin < 1500000);
	most = (g_get_monotonic_time() - begin) / G_USEC_PER_SEC + 1;
	KTAP_TRUE(did.panicked + did.loaded >= 2 && did.panicked + did.loaded <= most);
	KTAP_TRUE(did.warnings <= most);
	end();
}

/* Other bits, places and widths, as a hostile guest writes them. */
static void test_hostile(void)
{
	setup(NULL);
	for (unsigned int bit = 2; bit < 8; bit++)
		put(REGS, 1, 1u << bit);
	for (unsigned int at = 1; at < 16; at++)
		put(REGS + at, 1, 0xff);
	put(REGS, 4, 0xffffff00);
	loop();
	KTAP_TRUE(!did.requests && !did.panicked && !did.loaded);
	fake_fuzz(&m, REGS & ~0xfffull, 20000);
	loop();
	fake_fuzz(&m, CONFIG, 20000);
	end();
}

static void test_state(void)
{
	struct record saved;

	setup(NULL);
	put(REGS, 1, PANICKED);
	state_save(dev, &saved);
	end();
	setup("action=pause");
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	loop();
	KTAP_EQ(did.panicked, 0);
	dev->ops->resume(dev);
	loop();
	KTAP_TRUE(did.panicked == 1 && did.holds == 1 && !did.requests);
	KTAP_EQ(get(REGS, 1), PANICKED | LOADED);
	state_torture(dev, &saved);
	end();
	setup(NULL);
	KTAP_EQ(state_restore(dev, &saved, saved.len, NULL), 0);
	dev->ops->resume(dev);
	KTAP_EQ(did.request, MACHINE_PANIC);
	record_free(&saved);
	end();
}

KTAP_MAIN(KTAP_CASE(test_identity), KTAP_CASE(test_actions), KTAP_CASE(test_last_words),
	  KTAP_CASE(test_flood), KTAP_CASE(test_hostile), KTAP_CASE(test_state))

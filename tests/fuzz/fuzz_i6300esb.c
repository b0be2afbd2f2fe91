// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/pci/i6300esb.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/pci/host.c userspace/armvmm-run/pci/function.c
// sources: userspace/armvmm-run/pci/msix.c userspace/armvmm-run/pci/v2m.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Itests/unit -D_GNU_SOURCE -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt
/*
 * The watchdog: any accesses to its registers and its configuration space, resets, stops, time that
 * passes, and its own state. However short its timers are, they do not keep the host busy.
 */
#include <glib.h>
#include <linux/pci_regs.h>

#include "../guest/lib/board.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/pci_board.h"
#include "core/device_type.h"
#include "core/runstate.h"
#include "device_fuzz.h"

#define CONFIG		(PCI_ECAM_BASE + (1 << 15))
#define CONFIG_TIMER	(CONFIG + 0x60)
#define CONFIG_LOCK	(CONFIG + 0x68)
#define RELOAD		(PCI_MMIO_BASE + 0x0c)
#define LOCK_ENABLE	2
#define LEAST_US	1000
#define LONGEST_US	(1ll << 31)	/* more than a timer's longest time */

static gint64 now, due;	/* due: -1 if no timer is set */
static GSource *timer;
static unsigned int acted;
static bool held;
static struct machine_listener *listener;

gint64 g_get_monotonic_time(void)
{
	return now;
}

void g_source_set_ready_time(GSource *source, gint64 at)
{
	timer = source;
	due = at;
}

void machine_request(struct machine *m, enum machine_request request, enum machine_cause cause,
		     const char *why)
{
	FUZZ_MUST(request == MACHINE_RESET || request == MACHINE_POWEROFF);
	FUZZ_MUST(cause == MACHINE_BY_GUEST);
}

void machine_press_power(struct machine *m)
{
}

void machine_hold(struct machine *m, enum machine_holder holder)
{
}

bool machine_is_held(const struct machine *m)
{
	return held;
}

/* All actions but "none" are told. */
void machine_warn(struct machine *m, const char *fmt, ...)
{
	acted++;
}

void machine_listen(struct machine *m, struct machine_listener *l)
{
	listener = l;
}

void machine_unlisten(struct machine *m, struct machine_listener *l)
{
	FUZZ_MUST(listener == l);
}

static void pass_time(gint64 us)
{
	now += us;
	if (due < 0 || now < due)
		return;
	timer->source_funcs->dispatch(timer, NULL, NULL);
	FUZZ_MUST(due < 0 || due >= now + LEAST_US);
}

static void tell(enum machine_event_type type)
{
	listener->event(listener, &(struct machine_event){ .type = type });
	held = type == MACHINE_EVENT_STOP;
}

/* Both keys, and then a write that counts. */
static void unlock(struct machine *m, struct fuzz *f)
{
	fake_write(m, RELOAD, 0x80);
	fake_write(m, RELOAD, 0x86);
	device_fuzz_access(m, f, PCI_MMIO_BASE + fuzz_u8(f) % 16);
}

static bool act(struct machine *m, struct fuzz *f)
{
	struct device *dev = m->bus.dev[2];

	switch (fuzz_u8(f) & 7) {
	case 0:
		device_fuzz_access(m, f, PCI_MMIO_BASE + fuzz_u8(f) % 20);
		break;
	case 1:
		device_fuzz_access(m, f, CONFIG + fuzz_u8(f));
		break;
	case 2:
		device_fuzz_access(m, f, CONFIG_TIMER + fuzz_u8(f) % 12);
		break;
	case 3:
		unlock(m, f);
		break;
	case 4:
		pass_time(fuzz_u32(f) >> (fuzz_u8(f) & 31));
		break;
	case 5:
		tell(fuzz_u8(f) & 1 ? MACHINE_EVENT_STOP : MACHINE_EVENT_RESUME);
		break;
	case 6:
		dev->ops->pause(dev);
		return device_fuzz_state(f, dev);
	default:
		dev->ops->reset(dev);
		break;
	}
	return true;
}

/* Whatever happened, a driver that goes by the rules is served: once, and after both timers. */
static void check_service(struct machine *m, bool acts)
{
	uint64_t enable = LOCK_ENABLE;

	tell(MACHINE_EVENT_RESUME);
	m->bus.dev[2]->ops->reset(m->bus.dev[2]);
	FUZZ_MUST(due < 0);
	acted = 0;
	device_bus_access(&m->bus, CONFIG_LOCK, &enable, 1, true);
	pass_time(LONGEST_US);
	FUZZ_MUST(due > now && !acted);
	pass_time(LONGEST_US);
	FUZZ_MUST(due < 0 && acted == acts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const args[] = {
		"action=reset", "action=shutdown", "action=poweroff", "action=pause",
		"action=debug", "action=none", "i6300esb", NULL };
	const struct device_type *type = device_type_find("i6300esb");
	struct fuzz f = { data, len };
	struct error err = { "" };
	uint8_t which = fuzz_u8(&f) & 7;
	void *config = NULL;
	struct machine m;
	bool whole = true;

	fake_machine_init(&m);
	now = 1;
	due = -1;
	held = false;
	FUZZ_MUST(!type->parse("watchdog", args[which], &config, &err));
	FUZZ_MUST(!type->create(&m, config, &err));
	fake_write(&m, CONFIG + PCI_BASE_ADDRESS_0, PCI_MMIO_BASE);
	fake_write(&m, CONFIG + PCI_COMMAND, PCI_COMMAND_MEMORY);
	for (unsigned int i = 0; whole && f.len && i < 200; i++)
		whole = act(&m, &f);
	if (whole)
		check_service(&m, which != 5);
	device_bus_destroy(&m.bus);
	type->release(config);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/pci/pvpanic.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/pci/host.c userspace/armvmm-run/pci/function.c
// sources: userspace/armvmm-run/pci/msix.c userspace/armvmm-run/pci/v2m.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Itests/unit -D_GNU_SOURCE -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt
/* pvpanic: any accesses to its register and its configuration space, resets, and its own state. */
#include <stdbool.h>

#include <linux/pci_regs.h>

#include "../guest/lib/board.h"
#include "armvmm-run/machine_fake.h"
#include "armvmm-run/pci_board.h"
#include "core/device_type.h"
#include "core/record.h"
#include "core/runstate.h"
#include "fuzz.h"

#define CONFIG	(PCI_ECAM_BASE + (1 << 15))
#define EVENTS	3

static unsigned int told;
static struct machine_listener *listener;

void machine_request(struct machine *m, enum machine_request request, enum machine_cause cause,
		     const char *why)
{
	FUZZ_MUST(request == MACHINE_PANIC);
}

void machine_hold(struct machine *m, enum machine_holder holder)
{
}

void machine_warn(struct machine *m, const char *fmt, ...)
{
}

void machine_tell(struct machine *m, const struct machine_event *event)
{
	FUZZ_MUST(event->status);
	told++;
}

void machine_listen(struct machine *m, struct machine_listener *l)
{
	listener = l;
}

void machine_unlisten(struct machine *m, struct machine_listener *l)
{
	FUZZ_MUST(listener == l);
}

static void touch(struct machine *m, struct fuzz *f, uint8_t what)
{
	static const unsigned int widths[] = { 1, 2, 4, 8 };
	uint64_t gpa = (what & 16 ? CONFIG : PCI_MMIO_BASE) + fuzz_u8(f) % (what & 32 ? 256 : 16);
	uint64_t value = what & 64 ? fuzz_u32(f) : fuzz_u8(f);

	device_bus_access(&m->bus, gpa, &value, widths[what >> 1 & 3], what >> 3 & 1);
}

/* Its own state, with a byte of it changed. Returns false if that is refused: then it is lost. */
static bool change_state(struct fuzz *f, struct device *dev)
{
	struct record saved = { .len = 0 }, in;
	unsigned int at = fuzz_u16(f);
	int ret;

	dev->ops->save(dev, &saved);
	saved.data[at % saved.len] ^= fuzz_u8(f);
	record_open(&in, saved.data, saved.len);
	ret = dev->ops->restore(dev, &in);
	if (!ret)
		dev->ops->resume(dev);
	record_free(&saved);
	return !ret;
}

static bool act(struct machine *m, struct fuzz *f)
{
	struct device *dev = m->bus.dev[2];
	uint8_t what = fuzz_u8(f);

	if (what & 1) {
		touch(m, f, what);
		return true;
	}
	switch (what >> 1 & 3) {
	case 0:
		dev->ops->reset(dev);
		break;
	case 1:
		return change_state(f, dev);
	case 2:
		g_main_context_iteration(NULL, FALSE);
		break;
	default:
		listener->event(listener, &(struct machine_event){ .type = what >> 3 & 15 });
		break;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const args[] = { "action=shutdown", "action=pause", "action=none", NULL };
	const struct device_type *type = device_type_find("pvpanic");
	struct fuzz f = { data, len };
	struct error err = { "" };
	struct machine m;
	void *config = NULL;
	uint32_t value;
	bool whole = true;

	fake_machine_init(&m);
	FUZZ_MUST(!type->parse("pvpanic", args[fuzz_u8(&f) & 3], &config, &err));
	FUZZ_MUST(!type->create(&m, config, &err));
	told = 0;
	fake_write(&m, CONFIG + PCI_BASE_ADDRESS_0, PCI_MMIO_BASE);
	fake_write(&m, CONFIG + PCI_COMMAND, PCI_COMMAND_MEMORY);
	for (unsigned int i = 0; whole && f.len && i < 200; i++)
		whole = act(&m, &f);
	/* Whatever happened, a driver that goes by the rules can use it. */
	if (whole) {
		m.bus.dev[2]->ops->reset(m.bus.dev[2]);
		fake_write(&m, CONFIG + PCI_BASE_ADDRESS_0, PCI_MMIO_BASE);
		fake_write(&m, CONFIG + PCI_COMMAND, PCI_COMMAND_MEMORY);
		value = 0;
		device_bus_access(&m.bus, PCI_MMIO_BASE, &value, 1, 0);
		FUZZ_MUST(value == EVENTS);
	}
	device_bus_destroy(&m.bus);
	type->release(config);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/fwcfg.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt
/* fw_cfg: register accesses of any width and order, and DMA with wrong descriptors. */
#include <endian.h>
#include <stdbool.h>

#include "../guest/lib/board.h"
#include "armvmm-run/machine_fake.h"
#include "core/device_type.h"
#include "core/fwcfg_item.h"
#include "fuzz.h"

#define RAM	((uint64_t)RAM_BASE)
#define SIZE	(1u << 20)
#define ITEM	5000u

void machine_note(struct machine *machine, const char *fmt, ...)
{
}

static int item_read(void *opaque, uint32_t offset, void *buf, uint32_t len)
{
	FUZZ_MUST(offset <= ITEM && len <= ITEM - offset);
	memset(buf, 0x5a, len);
	return offset > 4000 ? -EIO : 0;
}

static const struct fwcfg_item items[] = {
	{ .key = FWCFG_KERNEL_SIZE, .size = 4, .data = "size" },
	{ .key = FWCFG_KERNEL_DATA, .size = ITEM, .read = item_read },
	{ .key = FWCFG_CMDLINE_DATA, .size = 6, .data = "quiet" },
};

/* Writes a DMA descriptor (control, length, address: big-endian), and starts it. */
static void dma(struct machine *m, struct fuzz *f)
{
	struct {
		uint32_t control, len;
		uint64_t address;
	} desc;
	uint8_t how = fuzz_u8(f);
	uint64_t at = RAM + (how & 1 ? SIZE - fuzz_u8(f) % 32 : 0x100);
	uint64_t value;

	desc.control = htobe32((uint32_t)fuzz_u8(f) | (uint32_t)fuzz_u8(f) % 0x40 << 16);
	desc.len = htobe32(how & 2 ? fuzz_u32(f) : fuzz_u16(f));
	desc.address = htobe64(how & 4 ? fuzz_u32(f) * 5ull : RAM + fuzz_u32(f) % (SIZE + 64));
	if (at + sizeof(desc) <= RAM + SIZE)
		memcpy((uint8_t *)m->mem.region[0].host + (at - RAM), &desc, sizeof(desc));
	value = htobe64(at);
	device_bus_access(&m->bus, FWCFG_BASE + 16, &value, 8, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	struct error err = { "" };
	struct machine m;

	fake_machine_init(&m);
	FUZZ_MUST(!guestmem_alloc(&m.mem, RAM, SIZE));
	m.fwcfg_items = items;
	m.nr_fwcfg_items = sizeof(items) / sizeof(items[0]);
	FUZZ_MUST(!device_type_find("fw-cfg")->create(&m, machine_type_device(m.type, "fw-cfg"),
						     &err));
	while (f.len) {
		uint8_t what = fuzz_u8(&f);
		uint64_t value;

		if (what & 1) {
			dma(&m, &f);
			continue;
		}
		fuzz_bytes(&f, &value, 8);
		device_bus_access(&m.bus, FWCFG_BASE + (what >> 3 & 31), &value,
				  1u << (what >> 1 & 3), what & 0x80);
	}
	device_bus_destroy(&m.bus);
	guestmem_destroy(&m.mem);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/hw/bvm_console.c userspace/armvmm-run/core/device.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/device_type.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Itests/unit -D_GNU_SOURCE -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt
/*
 * bvm-console: any accesses, input and its own state. What is typed comes once and in order, and
 * the terminal is told when there is room again.
 */
#include "../guest/lib/board.h"
#include "armvmm-run/machine_fake.h"
#include "core/device_type.h"
#include "device_fuzz.h"

#define BVM	0x1c090000u
#define ROOM	256
#define NOTHING	UINT32_MAX

/* What was typed and is not taken yet. */
static uint8_t typed[ROOM];
static size_t nr_typed;

static void type_some(struct fuzz *f)
{
	size_t room = fake_chr.client->rx_room(fake_chr.client), n = fuzz_u8(f) + 1u;

	FUZZ_MUST(room == ROOM - nr_typed);
	n = n < room ? n : room;
	fuzz_bytes(f, typed + nr_typed, n);
	fake_chr.client->receive(fake_chr.client, typed + nr_typed, n);
	nr_typed += n;
}

static void take(struct machine *m)
{
	unsigned int told = fake_chr.rx_readies;
	uint32_t value = fake_read(m, BVM);

	FUZZ_MUST(value == (nr_typed ? typed[0] : NOTHING));
	FUZZ_MUST(fake_chr.rx_readies == told + (nr_typed == ROOM));
	if (nr_typed)
		memmove(typed, typed + 1, --nr_typed);
}

/* After a byte of its state was changed, what it has is at most what fits. */
static bool move(struct machine *m, struct fuzz *f)
{
	unsigned int n = 0;

	if (!device_fuzz_state(f, m->bus.dev[0]))
		return false;
	while (fake_read(m, BVM) != NOTHING)
		FUZZ_MUST(++n <= ROOM);
	nr_typed = 0;
	return true;
}

static bool act(struct machine *m, struct fuzz *f)
{
	switch (fuzz_u8(f) & 7) {
	case 0:
		m->bus.dev[0]->ops->reset(m->bus.dev[0]);
		nr_typed = 0;
		break;
	case 1:
		return move(m, f);
	case 2:
	case 3:
		type_some(f);
		break;
	case 4:
		/* A whole read would take a character. */
		device_fuzz_access(m, f, BVM + 1 + fuzz_u8(f) % 8);
		break;
	case 5:
		fake_chr.out_len = 0;
		fake_chr.out_room = fuzz_u8(f) & 1;
		fake_write(m, BVM, fuzz_u32(f));
		FUZZ_MUST(fake_chr.out_len <= 1);
		break;
	default:
		take(m);
		break;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct device_type *type = device_type_find("bvm-console");
	struct fuzz f = { data, len };
	struct error err = { "" };
	struct machine m;
	bool whole = true;

	fake_machine_init(&m);
	nr_typed = 0;
	FUZZ_MUST(!type->create(&m, NULL, &err));
	for (unsigned int i = 0; whole && f.len && i < 200; i++)
		whole = act(&m, &f);
	while (whole && nr_typed)
		take(&m);
	device_bus_destroy(&m.bus);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/boot/dtb_adapt.c
// sources: userspace/armvmm-run/boot/dtb.c userspace/armvmm-run/boot/fdt_check.c
// sources: userspace/armvmm-run/core/fdt_builder.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Idriver -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
// max_len: 4096
/* A device tree from a file: it is completed and then valid, or it is refused with a reason. */
#include <libfdt.h>

#include "../guest/lib/board.h"
#include "boot/dtb_adapt.h"
#include "fuzz.h"

#define FUZZ_ROOM	16384

static void warn(const char *fmt, ...)
{
}

static void describe(struct device *dev, struct fdt_builder *fdt)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	uint8_t how = fuzz_u8(&f);
	struct dtb_params params = {
		.type = machine_type_find(MACHINE_TYPE_DEFAULT),
		.nr_cpus = 1 + how % 8,
		.cpu = "arm,cortex-a15",
		.ram_base = RAM_BASE,
		.ram_size = 256 << 20,
		.bootargs = how & 8 ? "console=ttyAMA0" : NULL,
		.initrd_gpa = 0x48000000,
		.initrd_size = how & 16 ? 4096 : 0,
		.seeded = how & 32,
	};
	/* The room for additions is often too small. */
	size_t size = f.len + (how & 64 ? 64 : 4096);
	const struct device_ops ops = { .name = "device", .fdt = describe };
	struct device dev = {
		.ops = &ops, .base = params.type->virtio.base, .size = MAP_VIRTIO_SIZE,
	};
	struct device_bus bus = { .nr = 0 };
	struct error err = { "" };
	uint8_t *buf;
	int ret;

	if (f.len > FUZZ_ROOM)
		return 0;
	/* Of the exact size, so that the sanitizer catches accesses beyond. */
	buf = malloc(size);
	memset(buf, 0, size);
	memcpy(buf, f.data, f.len);
	params.pmu = how & 2;
	params.timer_hz = how & 4 ? 24000000 : 0;
	device_register(&bus, &dev);
	ret = dtb_complete(buf, f.len, size, &params, "tree", &err);
	if (ret >= 0 && how & 128)
		ret = dtb_adapt(buf, size, &params, &bus, "tree", warn, &err);
	if (ret < 0) {
		FUZZ_MUST(err.text[0]);
	} else {
		FUZZ_MUST((size_t)ret <= size);
		FUZZ_MUST(!fdt_check_full(buf, size));
		dtb_compare(buf, &params, &bus, "tree", warn);
	}
	free(buf);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_blk.c userspace/armvmm-run/virtio/blk_request.c
// sources: userspace/armvmm-run/virtio/vhost_user_blk.c userspace/armvmm-run/virtio/vhost_user.c
// sources: userspace/armvmm-run/virtio/vhost_wire.c userspace/armvmm-run/virtio/vhost.c
// sources: userspace/armvmm-run/virtio/disk.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/disk_file.c
// sources: userspace/armvmm-run/core/filelock.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/parse.c userspace/armvmm-run/core/identity.c
// sources: userspace/armvmm-run/virtio/disk_format.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/thread.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
// pkgs: glib-2.0
// libs: -lfdt
//
// What a person may say of a disk's cache. That the words do what they say is in test_virtio_blk.
#include <errno.h>
#include <stdlib.h>

#include "armvmm-run/virtio/virtio_driver.h"
#include "core/device_type.h"
#include "virtio/disk.h"

static struct error err;

static struct disk_config *parsed(const char *args)
{
	void *config = NULL;

	err.text[0] = '\0';
	if (device_type_find("virtio-blk")->parse("--disk", args, &config, &err)) {
		device_type_find("virtio-blk")->release(config);
		return NULL;
	}
	return config;
}

/* QEMU's documentation of -drive has what each means. */
static void test_cache(void)
{
	static const struct {
		const char *name;
		bool direct, write_through, no_flush;
	} want[] = {
		{ "writeback", false, false, false }, { "none", true, false, false },
		{ "writethrough", false, true, false }, { "directsync", true, true, false },
		{ "unsafe", false, false, true },
	};

	for (unsigned int i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct disk_config *disk;
		char text[64];

		snprintf(text, sizeof(text), "a.img,cache=%s,ro", want[i].name);
		disk = parsed(text);
		KTAP_ASSERT(disk);
		KTAP_STREQ(disk->path, "a.img");
		KTAP_TRUE(disk->readonly && disk->direct == want[i].direct);
		KTAP_EQ(disk->cache->write_through, want[i].write_through);
		KTAP_EQ(disk->cache->no_flush, want[i].no_flush);
		device_type_find("virtio-blk")->release(disk);
	}
}

/* "direct" is an older word for the same. */
static void test_agree(void)
{
	static const char *const both[] = { "a,direct,cache=none", "a,cache=directsync,direct" };

	for (unsigned int i = 0; i < 2; i++) {
		struct disk_config *disk = parsed(both[i]);

		KTAP_ASSERT(disk);
		KTAP_TRUE(disk->direct);
		device_type_find("virtio-blk")->release(disk);
	}
	KTAP_TRUE(!parsed("a,cache=unsafe,direct"));
	KTAP_STREQ(err.text, "--disk: cache=unsafe is not direct (none and directsync are)");
	KTAP_TRUE(!parsed("a,direct,cache=writethrough"));
	KTAP_STREQ(err.text, "--disk: cache=writethrough is not direct (none and directsync are)");
	KTAP_TRUE(!parsed("a,cache=fast"));
	KTAP_STREQ(err.text,
		   "--disk: cache must be none, writeback, writethrough, directsync or unsafe");
}

KTAP_MAIN(KTAP_CASE(test_cache), KTAP_CASE(test_agree))

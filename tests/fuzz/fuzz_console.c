// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_mmio.c userspace/armvmm-run/virtio/virtqueue.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/virtio/virtio_console.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// sources: userspace/armvmm-run/virtio/console_port.c userspace/armvmm-run/virtio/console_control.c
// sources: userspace/armvmm-run/chardev/backend.c userspace/armvmm-run/chardev/stdio.c userspace/armvmm-run/core/chardev_backend.c
// sources: userspace/armvmm-run/core/parse.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt -lpthread
// max_len: 1024
/* virtio-console, with a terminal that takes and sends any number of bytes at any time. */
#include "virtio_fuzz.h"

static struct chardev_client *client;
static size_t room, printed;

void chardev_attach(struct chardev *chr, struct chardev_client *c)
{
	client = c;
}

size_t chardev_write(struct chardev *chr, const void *buf, size_t len)
{
	static uint8_t sink[65536];
	size_t n = len < room ? len : room;

	FUZZ_MUST(n <= sizeof(sink));
	memcpy(sink, buf, n);
	printed += n;
	room -= n;
	return n;
}

bool chardev_size(struct chardev *chr, uint16_t *cols, uint16_t *rows)
{
	*cols = 80;
	*rows = 24;
	return printed & 1;
}

void chardev_rx_ready(struct chardev *chr)
{
}

bool chardev_may_resize(const struct chardev *chr)
{
	return false;
}

bool chardev_is_attached(const struct chardev *chr)
{
	return true;
}

void chardev_set_open(struct chardev *chr, bool open)
{
}

static void step(struct fuzz *f)
{
	static const uint8_t keys[64] = "keys";
	uint8_t what = fuzz_u8(f);

	if (!client || what & 0xc0)
		return;
	if (what & 32) {
		room = what & 31;
		if (client->tx_room)
			client->tx_room(client);
	} else if (client->rx_room(client)) {
		size_t n = client->rx_room(client);

		client->receive(client, keys, n < what ? n : what);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };

	client = NULL;
	room = 40;
	printed = 0;
	virtio_fuzz(&f, "virtio-console", NULL, 2, step);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_mmio.c userspace/armvmm-run/virtio/virtqueue.c
// sources: userspace/armvmm-run/virtio/vhost.c userspace/armvmm-run/virtio/vhost_kernel.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/virtio/virtio_net.c userspace/armvmm-run/net/net.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/rate.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt -lpthread
// max_len: 1024
/* virtio-net, with a network that accepts frames or is busy, and sends frames of any length. */
#include "virtio_fuzz.h"

#include <linux/virtio_net.h>

#include "core/iov.h"
#include "net/net.h"

static struct net_backend *backend;
static uint8_t frame[NET_FRAME_MAX];
static bool blocked, sending_blocked;
static size_t kept;

static int fuzz_send(struct net_backend *be, const struct iovec *iov, unsigned int nr, size_t len)
{
	static uint8_t sink[1 << 20];

	FUZZ_MUST(len >= be->hdr_size && nr <= NET_PIECES_MAX);
	if (blocked) {
		sending_blocked = true;
		return -EAGAIN;
	}
	if (len <= sizeof(sink))
		FUZZ_MUST(iov_read(iov, nr, 0, sink, len) == len);
	return 0;
}

static void fuzz_deliver(size_t len)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = { 0 };

	kept = net_receive(backend->net, &hdr, frame, len) == -EAGAIN ? len : 0;
	net_receive_done(backend->net);
}

static void fuzz_ready(struct net_backend *be)
{
	if (kept)
		fuzz_deliver(kept);
}

static void fuzz_stop(struct net_backend *be)
{
	kept = 0;
	sending_blocked = false;
}

static void fuzz_destroy(struct net_backend *be)
{
	backend = NULL;
	free(be);
}

static const struct net_backend_ops fuzz_ops = {
	.send = fuzz_send,
	.receive_ready = fuzz_ready,
	.stop = fuzz_stop,
	.destroy = fuzz_destroy,
};

static int fuzz_create(struct machine *m, const struct net_config *config, struct net_backend **be,
		       struct error *err)
{
	backend = *be = calloc(1, sizeof(**be));
	backend->ops = &fuzz_ops;
	backend->features = NET_FEATURE(VIRTIO_NET_F_CSUM) | NET_FEATURE(VIRTIO_NET_F_GUEST_CSUM);
	return 0;
}

static const struct net_type fuzz_type = { .name = "fuzz", .create = fuzz_create };

static void step(struct fuzz *f)
{
	uint8_t what = fuzz_u8(f);

	if (!backend->net || what & 0x80)
		return;
	net_lock(backend->net);
	if (what & 0x40) {
		blocked = what & 1;
		if (!blocked && sending_blocked) {
			sending_blocked = false;
			net_send_ready(backend->net);
		}
	} else if (what == 0x3f) {
		net_link_down(backend->net);
	} else if (!kept) {
		fuzz_deliver(what & 0x20 ? sizeof(frame) >> (what & 7) : 14 + what);
	}
	net_unlock(backend->net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char words[] = "fuzz";
	struct fuzz f = { data, len };
	uint8_t how = fuzz_u8(&f);
	struct net_config config = { .label = words, .words = words, .type = &fuzz_type };

	if (how & 1)
		config.pps = 100000;
	blocked = sending_blocked = false;
	kept = 0;
	virtio_fuzz(&f, "virtio-net", &config, 2, step);
	return 0;
}

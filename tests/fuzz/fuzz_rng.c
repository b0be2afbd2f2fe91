// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_mmio.c userspace/armvmm-run/virtio/virtqueue.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/core/guestmem.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c
// sources: userspace/armvmm-run/virtio/virtio_rng.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wno-unused
// pkgs: glib-2.0
// libs: -lfdt -lpthread
// max_len: 1024
/* virtio-rng: one queue, with any buffers. */
#define VIRTIO_FUZZ_SIZE	8
#include "virtio_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };

	virtio_fuzz(&f, "virtio-rng", NULL, 1, NULL);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_net.c userspace/armvmm-run/net/net_slirp.c
// sources: userspace/armvmm-run/virtio/vhost.c userspace/armvmm-run/virtio/vhost_kernel.c
// sources: userspace/armvmm-run/core/message.c userspace/armvmm-run/net/net_tap.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/parse.c userspace/armvmm-run/net/net.c
// sources: userspace/armvmm-run/net/slirp_config.c userspace/armvmm-run/net/slirp_process.c
// sources: userspace/armvmm-run/net/slirp_stack.c userspace/armvmm-run/net/fragments.c userspace/armvmm-run/core/process.c
// sources: userspace/armvmm-run/core/userns.c
// sources: userspace/armvmm-run/core/rate.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0 slirp
// libs: -lfdt
//
// The same cases by a driver that knows virtio-mmio version 1 alone.
#define TEST_LEGACY
#include "armvmm-run/virtio/test_virtio_net.c"

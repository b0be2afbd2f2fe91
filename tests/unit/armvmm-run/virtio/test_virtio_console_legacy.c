// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_console.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/console_port.c userspace/armvmm-run/virtio/console_control.c
// sources: userspace/armvmm-run/chardev/backend.c userspace/armvmm-run/chardev/stdio.c userspace/armvmm-run/core/chardev_backend.c
// sources: userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lfdt
//
// The same cases by a driver that knows virtio-mmio version 1 alone.
#define TEST_LEGACY
#include "armvmm-run/virtio/test_virtio_console.c"

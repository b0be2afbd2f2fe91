/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ARMVMM_RUN_VIRTIO_VERSION_H
#define ARMVMM_RUN_VIRTIO_VERSION_H

/* Which version of virtio-mmio a machine's devices have (--virtio). */
enum virtio_version {
	/* As on QEMU's virt board: version 1, but for devices that no driver of that age knows. */
	VIRTIO_AS_QEMU,
	VIRTIO_LEGACY,	/* version 1 */
	VIRTIO_MODERN,	/* version 2 */
};

#endif /* ARMVMM_RUN_VIRTIO_VERSION_H */

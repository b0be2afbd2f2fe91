/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's kernel works on queues. Whatever lies outside of the guest's RAM is refused there, and
 * the device needs a reset.
 */
#ifndef ARMVMM_RUN_VHOST_KERNEL_H
#define ARMVMM_RUN_VHOST_KERNEL_H

#include "virtio/vhost.h"

#define VHOST_KERNEL_QUEUES	2

struct vhost_kernel {
	struct vhost v;
	int fd;			/* -1: not open */
	bool kthread;		/* works in a thread of the kernel alone, not of this process */
};

/*
 * Opens @node ("/dev/vhost-vsock"), which the host's module @module makes. @err's sentence begins
 * with @label. Returns 0 or -errno with @err set; vhost_kernel_close() is right in any case. Main
 * thread, before the sandbox. vhost_begin() may make a thread of the kernel's, which is no child of
 * a vCPU.
 */
int vhost_kernel_open(struct vhost_kernel *k, const char *node, const char *module,
		      const char *label, struct error *err);
void vhost_kernel_close(struct vhost_kernel *k);

#endif /* ARMVMM_RUN_VHOST_KERNEL_H */
